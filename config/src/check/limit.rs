//! Limits on means: the short form `limit_hour = 35`, `limit_day = [6, 9]`, and the long form
//! `[[outlet.factor.limit]]`.

use super::factor::Setting;
use super::{Taken, dates, special};
use crate::report::{At, Report, say};
use crate::section::{Got, Item, Section, word};
use cems_core::model::{Limit, LimitId, LimitKind, LimitPeriod, MarkKind, OutletFactor};
use rust_decimal::Decimal;

/// Names of the means, as in files.
pub(super) const PERIODS: [(&str, LimitPeriod); 3] = [
    ("hour", LimitPeriod::Hour),
    ("day", LimitPeriod::Day),
    ("month", LimitPeriod::Month),
];

/// All limits of a factor.
pub(super) fn limits(
    s: &Section<'_>,
    factor: &OutletFactor,
    setting: &Setting<'_>,
    ids: &mut Taken,
    r: &mut Report,
) -> Vec<Limit> {
    let mut out: Vec<(At, Limit)> = Vec::new();
    let own_source = s.text(r, "limit_source").map(|got| got.value);
    let source = own_source.or_else(|| setting.source.clone());
    let short = [
        ("limit_hour", LimitPeriod::Hour),
        ("limit_day", LimitPeriod::Day),
        ("limit_month", LimitPeriod::Month),
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
        accept(&limit, item.at, factor, setting, ids, r);
        out.push((item.at, limit));
    }
    for entry in s.sections(r, "limit") {
        let at = entry.at;
        if let Some(limit) = long(entry, factor, setting, source.as_ref(), r) {
            accept(&limit, at, factor, setting, ids, r);
            out.push((at, limit));
        }
    }
    overlapping(&out, r);
    out.into_iter().map(|(_, limit)| limit).collect()
}

fn default_id(factor: &OutletFactor, period: LimitPeriod) -> LimitId {
    LimitId::new(format!("{}-{}", factor.code, name_of(period)))
}

fn name_of(period: LimitPeriod) -> &'static str {
    PERIODS
        .iter()
        .find(|(_, known)| *known == period)
        .map_or("", |(name, _)| name)
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
    if s.item("period").is_none() {
        s.missing(
            r,
            "period",
            say!(
                "\"hour\", \"day\" or \"month\"",
                "填 \"hour\"（小时）、\"day\"（日）或 \"month\"（月）"
            ),
        );
    }
    let period = s.word(r, "period", &PERIODS);
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
    let converted = converted(&s, setting, r);
    let (from, until) = dates::force(&s, setting.offset, r);
    let special = special::named(&s, setting.here, r);
    let kind = kind(&s, special.is_some(), r);
    let not_during = not_during(&s, r);
    let own = s.text(r, "source").map(|got| got.value);
    let source = sourced(own.or_else(|| source.cloned()), s.at, r);
    s.finish(r);
    let period = period?.value;
    Some(Limit {
        id: id.map_or_else(|| default_id(factor, period), |got| LimitId::new(got.value)),
        period,
        converted: converted.unwrap_or_else(|| converts(factor, setting)),
        upper,
        lower,
        from,
        until,
        source,
        kind,
        not_during,
        special,
    })
}

fn converted(s: &Section<'_>, setting: &Setting<'_>, r: &mut Report) -> Option<bool> {
    let flag = s.boolean(r, "converted")?;
    if flag.value && setting.gas.is_none_or(|gas| gas.reference_o2_pct.is_none()) {
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
    Some(flag.value)
}

/// Kind of the source; by default the permit, or the special period that is named.
fn kind(s: &Section<'_>, special: bool, r: &mut Report) -> LimitKind {
    let kinds = LimitKind::ALL.map(|kind| (kind.as_str(), kind));
    let usual = if special {
        LimitKind::Special
    } else {
        LimitKind::Permit
    };
    let kind = s.word(r, "kind", &kinds).map_or(usual, |got| got.value);
    if kind == LimitKind::Special && !special {
        special::missing(s, ("a special limit", "特殊时段限值"), r);
    }
    kind
}

/// States of the source in which the limit does not apply.
fn not_during(s: &Section<'_>, r: &mut Report) -> Vec<MarkKind> {
    let kinds = MarkKind::ALL.map(|kind| (kind.as_str(), kind));
    let mut out: Vec<MarkKind> = s
        .texts(r, "not_during")
        .unwrap_or_default()
        .iter()
        .filter_map(|got| word(r, "not_during", got, &kinds))
        .collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// One mean judged twice by the same kind of source at the same time: an overlapping permit. Limits
/// that stop applying in different states are meant to stand side by side.
fn overlapping(limits: &[(At, Limit)], r: &mut Report) {
    for (n, (at, limit)) in limits.iter().enumerate() {
        let same = |other: &Limit| {
            let rule = |l: &Limit| (l.kind, l.period, l.converted, l.special.clone());
            let end = limit.upper.is_some() && other.upper.is_some()
                || limit.lower.is_some() && other.lower.is_some();
            other.id != limit.id
                && rule(other) == rule(limit)
                && other.not_during == limit.not_during
                && end
                && dates::overlap((other.from, other.until), (limit.from, limit.until))
        };
        let Some((first, _)) = limits.iter().take(n).find(|(_, other)| same(other)) else {
            continue;
        };
        let (kind, place) = (limit.kind.as_str(), r.place(*first));
        let kind_zh = kind_zh(limit.kind);
        r.error(
            *at,
            say!(
                "an overlapping permit: two limits of kind {kind} on one mean at one time",
                "许可重叠：同一均值同时有两个{kind_zh}限值"
            ),
            say!(
                "the other one is at {place}; end it with `until`, or give one another `kind`",
                "另一处在 {place}；请用 `until` 终止前者，或改写 `kind`"
            ),
        );
    }
}

fn kind_zh(kind: LimitKind) -> &'static str {
    match kind {
        LimitKind::National => "国家标准",
        LimitKind::Local => "地方标准",
        LimitKind::UltraLow => "超低排放",
        LimitKind::Permit => "许可证",
        LimitKind::Special => "特殊时段",
    }
}

fn accept(
    limit: &Limit,
    at: At,
    factor: &OutletFactor,
    setting: &Setting<'_>,
    ids: &mut Taken,
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
    if limit.upper.is_some_and(|upper| upper <= Decimal::ZERO) && factor.pollutant {
        r.warn(
            at,
            say!(
                "a limit of zero: any emission exceeds it",
                "限值为零：任何排放都判为超标"
            ),
            say!(
                "if nothing may be emitted, leave it; else write the limit",
                "如确为不得排放可保留，否则请填写限值"
            ),
        );
    }
    usual_period(limit, at, setting, r);
}

/// Doubtful: a limit on a mean that the rules of the outlet set none on.
fn usual_period(limit: &Limit, at: At, setting: &Setting<'_>, r: &mut Report) {
    if setting.limit_periods.is_empty() || setting.limit_periods.contains(&limit.period) {
        return;
    }
    let name = name_of(limit.period);
    let name_zh = match limit.period {
        LimitPeriod::Hour => "小时",
        LimitPeriod::Day => "日",
        LimitPeriod::Month => "月",
    };
    r.warn(
        at,
        say!(
            "the rule profile knows no limits on {name} means",
            "规则集没有{name_zh}均值限值"
        ),
        say!(
            "check `period` and the `profile` of the outlet",
            "请核对 `period` 与排放口的 `profile`"
        ),
    );
}
