//! Limits on means: the short form `limit_hour = 35`, `limit_day = [6, 9]`, and the long form
//! `[[outlet.factor.limit]]`.

use super::Taken;
use super::factor::Setting;
use crate::report::{At, Report, say};
use crate::section::{Got, Item, Section};
use cems_core::model::{
    Limit, LimitId, LimitKind, LimitPeriod, OutletFactor, Timestamp, UtcOffset,
};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use rust_decimal::Decimal;
use toml::de::DeValue;

/// All limits of a factor.
pub(super) fn limits(
    s: &Section<'_>,
    factor: &OutletFactor,
    setting: &Setting<'_>,
    ids: &mut Taken,
    r: &mut Report,
) -> Vec<Limit> {
    let mut out = Vec::new();
    let own_source = s.text(r, "limit_source").map(|got| got.value);
    let source = own_source.or_else(|| setting.source.clone());
    let short = [
        ("limit_hour", LimitPeriod::Hour),
        ("limit_day", LimitPeriod::Day),
    ];
    for (key, period) in short {
        let Some(item) = s.item(key) else { continue };
        let (lower, upper) = bounds(&item, key, r);
        let limit = Limit {
            id: default_id(factor, period),
            period,
            converted: converts(factor, setting),
            upper,
            lower,
            from: None,
            until: None,
            source: sourced(source.clone(), item.at, r),
            kind: LimitKind::Permit,
            not_during: Vec::new(),
            special: None,
        };
        accept(limit, item.at, factor, ids, &mut out, r);
    }
    for entry in s.sections(r, "limit") {
        let at = entry.at;
        if let Some(limit) = long(entry, factor, setting, source.as_ref(), r) {
            accept(limit, at, factor, ids, &mut out, r);
        }
    }
    out
}

fn default_id(factor: &OutletFactor, period: LimitPeriod) -> LimitId {
    let period = match period {
        LimitPeriod::Hour => "hour",
        LimitPeriod::Day => "day",
        LimitPeriod::Month => "month",
    };
    LimitId::new(format!("{}-{period}", factor.code))
}

/// Concentrations of a stack with a reference oxygen content are judged converted.
fn converts(factor: &OutletFactor, setting: &Setting<'_>) -> bool {
    factor.pollutant
        && setting
            .gas
            .is_some_and(|gas| gas.reference_o2_pct.is_some())
}

fn sourced(source: Option<String>, at: At, r: &mut Report) -> String {
    source.unwrap_or_else(|| {
        r.warn(
            at,
            say!(
                "the limit does not say where it comes from",
                "限值未注明来源"
            ),
            say!(
                "`permit` of the outlet, or `source`: permit number or standard with clause",
                "在排放口写 `permit`，或写 `source`：许可证编号或标准条款"
            ),
        );
        String::new()
    })
}

/// One number: upper bound. Two: lower and upper.
fn bounds(item: &Item<'_>, key: &str, r: &mut Report) -> (Option<Decimal>, Option<Decimal>) {
    let ends: Vec<Got<Decimal>> = item
        .entries()
        .iter()
        .filter_map(|e| e.decimal(r, key))
        .collect();
    match (ends.as_slice(), item.is_list()) {
        ([upper], false) => (None, Some(upper.value)),
        ([lower, upper], true) => (Some(lower.value), Some(upper.value)),
        ([], false) => (None, None),
        _ => {
            r.error(
                item.at,
                say!(
                    "`{key}` needs one number or two",
                    "`{key}` 须为一个或两个数"
                ),
                say!(
                    "35, or [6, 9] for lower and upper",
                    "如 35；上下限写 [6, 9]"
                ),
            );
            (None, None)
        }
    }
}

fn long(
    s: Section<'_>,
    factor: &OutletFactor,
    setting: &Setting<'_>,
    source: Option<&String>,
    r: &mut Report,
) -> Option<Limit> {
    let id = s.item("id").is_some().then(|| super::id(&s, r)).flatten();
    let periods = [("hour", LimitPeriod::Hour), ("day", LimitPeriod::Day)];
    if s.item("period").is_none() {
        s.missing(
            r,
            "period",
            say!("\"hour\" or \"day\"", "填 \"hour\"（小时）或 \"day\"（日）"),
        );
    }
    let period = s.word(r, "period", &periods);
    let upper = s.decimal(r, "upper").map(|got| got.value);
    let lower = s.decimal(r, "lower").map(|got| got.value);
    if upper.is_none() && lower.is_none() {
        s.missing(
            r,
            "upper",
            say!(
                "a limit has `upper`, `lower` or both",
                "须写 `upper`、`lower` 或两者"
            ),
        );
    }
    let converted = s.boolean(r, "converted");
    if let Some(flag) = &converted
        && flag.value
        && setting.gas.is_none_or(|gas| gas.reference_o2_pct.is_none())
    {
        r.error(
            flag.at,
            say!(
                "a converted limit without reference oxygen",
                "折算限值缺少基准氧含量"
            ),
            say!(
                "set reference_o2_pct in [outlet.gas]",
                "请在 [outlet.gas] 中设置 reference_o2_pct"
            ),
        );
    }
    let (from, until) = force(&s, setting.offset, r);
    let own = s.text(r, "source").map(|got| got.value);
    let source = sourced(own.or_else(|| source.cloned()), s.at, r);
    s.finish(r);
    let period = period?.value;
    Some(Limit {
        id: id.map_or_else(|| default_id(factor, period), |got| LimitId::new(got.value)),
        period,
        converted: converted.map_or_else(|| converts(factor, setting), |got| got.value),
        upper,
        lower,
        from,
        until,
        source,
        kind: LimitKind::Permit,
        not_during: Vec::new(),
        special: None,
    })
}

/// In force from (inclusive) and until (exclusive).
fn force(
    s: &Section<'_>,
    offset: UtcOffset,
    r: &mut Report,
) -> (Option<Timestamp>, Option<Timestamp>) {
    let from = instant(s, "from", offset, r);
    let until = instant(s, "until", offset, r);
    if let (Some(from), Some(until)) = (&from, &until)
        && from.value >= until.value
    {
        r.error(
            until.at,
            say!("`until` is not after `from`", "`until` 不晚于 `from`"),
            say!(
                "`from` belongs to the time, `until` no longer",
                "含 `from`，不含 `until`"
            ),
        );
    }
    (from.map(|got| got.value), until.map(|got| got.value))
}

fn accept(
    limit: Limit,
    at: At,
    factor: &OutletFactor,
    ids: &mut Taken,
    out: &mut Vec<Limit>,
    r: &mut Report,
) {
    let id = Got {
        value: limit.id.as_str().to_owned(),
        at,
    };
    ids.claim(r, ("limit", "限值"), &id);
    if let (Some(lower), Some(upper)) = (limit.lower, limit.upper)
        && upper <= lower
    {
        r.error(
            at,
            say!(
                "upper bound {upper} is not above lower bound {lower}",
                "上限 {upper} 不大于下限 {lower}"
            ),
            say!("lower first: [6, 9]", "先写下限：[6, 9]"),
        );
    }
    if let (Some(upper), Some(range)) = (limit.upper, factor.range_max)
        && upper >= range
        && !limit.converted
    {
        r.warn(
            at,
            say!(
                "limit {upper} is not below the measuring range {range}: it can never be exceeded",
                "限值 {upper} 不低于量程 {range}，永远不会判为超标"
            ),
            say!("check both", "请核对两者"),
        );
    }
    out.push(limit);
}

/// A TOML date (midnight at the site), local time (at the site) or time with offset.
fn instant(
    s: &Section<'_>,
    key: &'static str,
    offset: UtcOffset,
    r: &mut Report,
) -> Option<Got<Timestamp>> {
    let item = s.item(key)?;
    let value = match item.value {
        DeValue::Datetime(datetime) => to_instant(datetime, offset),
        _ => None,
    };
    if value.is_none() {
        r.error(
            item.at,
            say!("`{key}` is not a date", "`{key}` 不是日期"),
            say!(
                "without quotes: {key} = 2026-01-01 or 2026-01-01T08:00:00",
                "不加引号：{key} = 2026-01-01 或 2026-01-01T08:00:00"
            ),
        );
    }
    value.map(|value| Got { value, at: item.at })
}

fn to_instant(d: &toml::value::Datetime, site: UtcOffset) -> Option<Timestamp> {
    let date = d.date?;
    let day = NaiveDate::from_ymd_opt(i32::from(date.year), date.month.into(), date.day.into())?;
    let time = match d.time {
        None => NaiveTime::MIN,
        Some(t) => NaiveTime::from_hms_opt(
            t.hour.into(),
            t.minute.into(),
            t.second.unwrap_or_default().into(),
        )?,
    };
    let offset = match d.offset {
        None => site,
        Some(toml::value::Offset::Z) => UtcOffset::from_minutes(0)?,
        Some(toml::value::Offset::Custom { minutes }) => UtcOffset::from_minutes(minutes.into())?,
    };
    Some(offset.instant(NaiveDateTime::new(day, time)))
}
