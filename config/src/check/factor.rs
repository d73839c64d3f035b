//! Factors of an outlet: what the table leaves open, checked against the table.

use super::{Taken, limit, special};
use crate::factors::{Factor, FactorTable};
use crate::report::{At, Report, say};
use crate::section::{Got, Section};
use crate::units::{Dimension, Unit};
use cems_core::model::{
    Basis, FactorCode, GasSettings, LimitPeriod, Medium, OutletFactor, UtcOffset,
};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Low end of a range given as one number, as a share of it: readings a little below zero are
/// drift, not nonsense. 5 % of full scale is where zero drift of a gas analyser is out of control.
const DRIFT_SHARE: Decimal = Decimal::from_parts(5, 0, 0, false, 2);
/// Decimals more than this are noise on a page.
const DECIMALS_MAX: i64 = 6;

/// What the outlet says about all its factors.
pub(super) struct Setting<'a> {
    pub(super) medium: Medium,
    pub(super) gas: Option<&'a GasSettings>,
    pub(super) offset: UtcOffset,
    /// `permit` of the outlet: source of limits and amounts that name none.
    pub(super) source: Option<String>,
    /// Special periods that limits and amounts may name.
    pub(super) here: special::Here<'a>,
    /// Means that the profile of the outlet sets limits on; empty: it does not say.
    pub(super) limit_periods: Vec<LimitPeriod>,
}

/// Factors of one outlet, by code.
pub(super) type Factors = BTreeMap<FactorCode, OutletFactor>;

/// Reads `[[outlet.factor]]` and `auxiliary`.
pub(super) fn factors(s: &Section<'_>, setting: &Setting<'_>, r: &mut Report) -> Factors {
    let mut out = Factors::new();
    let mut codes = Taken::default();
    let mut limits = Taken::default();
    let mut places = BTreeMap::new();
    for entry in s.sections(r, "factor") {
        let at = entry.at;
        let Some((code, factor)) = one(entry, setting, &mut limits, r) else {
            continue;
        };
        codes.claim(r, ("factor", "监测因子"), &code);
        places.insert(factor.code.clone(), at);
        out.insert(factor.code.clone(), factor);
    }
    for code in s.texts(r, "auxiliary").unwrap_or_default() {
        codes.claim(r, ("factor", "监测因子"), &code);
        let Some(row) = known(&code, r) else { continue };
        check_medium(&code, row, setting, r);
        stated_unit(row, code.at, r);
        let factor = from_table(row, &code.value, false);
        out.insert(factor.code.clone(), factor);
    }
    if out.is_empty() {
        s.missing(
            r,
            "factor",
            say!(
                "at least one [[outlet.factor]]",
                "至少写一个 [[outlet.factor]]"
            ),
        );
    }
    needs(&out, &places, setting, s.at, r);
    out
}

/// A row of the table as an outlet's factor.
fn from_table(row: &Factor, code: &str, pollutant: bool) -> OutletFactor {
    OutletFactor {
        code: FactorCode::new(code),
        name_zh: row.name_zh.clone(),
        name_en: row.name_en.clone(),
        unit: row.unit.clone(),
        decimals: row.decimals,
        pollutant,
        basis: Basis::StandardDry,
        range_min: row.range.map(|(low, _)| low),
        range_max: row.range.map(|(_, high)| high),
        detection_limit: None,
        old_unit_multiplier: None,
        kg_per_unit_m3: row.kg_per_unit_m3.unwrap_or_default(),
        limits: Vec::new(),
    }
}

/// The row of a code, or a problem.
fn known<'t>(code: &Got<String>, r: &mut Report) -> Option<&'t Factor> {
    let table = FactorTable::builtin();
    let found = table.get(&code.value);
    if found.is_none() {
        let value = &code.value;
        let met = crate::factors::Sighting {
            edition: "2005",
            ..Default::default()
        };
        let resolved = table.resolve(value, met);
        let hint = if resolved.known {
            let new = resolved.code;
            say!("write the 2017 code: {new}", "请写 2017 版编码：{new}")
        } else if let Some(near) = table.nearest(value) {
            say!("did you mean `{near}`?", "是否应为 `{near}`？")
        } else {
            say!(
                "a code of HJ 212-2017 annex B; a factor of your own needs `name` and `unit`",
                "填 HJ 212-2017 附录 B 的编码；自定义因子须写 `name` 和 `unit`"
            )
        };
        r.error(
            code.at,
            say!("unknown factor code {value}", "未知的因子编码 {value}"),
            hint,
        );
    }
    found
}

fn check_medium(code: &Got<String>, row: &Factor, setting: &Setting<'_>, r: &mut Report) {
    if row.medium.is_some_and(|m| m != setting.medium) {
        let (value, name_zh, name_en) = (&code.value, &row.name_zh, &row.name_en);
        r.error(
            code.at,
            say!(
                "{value} ({name_en}) does not belong to this medium",
                "{value}（{name_zh}）不属于该介质"
            ),
            say!(
                "gas codes begin with a, water codes with w",
                "废气编码以 a 开头，废水以 w 开头"
            ),
        );
    }
}

/// Where the printed unit is not the one in use, the outlet must say which: guessing wrong puts
/// amounts off by a million.
fn stated_unit(row: &Factor, at: At, r: &mut Report) {
    if let Some(usual) = &row.unit_in_use {
        let (code, printed) = (&row.code, &row.unit);
        r.error(
            at,
            say!(
                "{code} needs its unit: HJ 212-2017 prints {printed}, instruments send {usual}",
                "{code} 须注明单位：HJ 212-2017 印为 {printed}，仪器实际上传 {usual}"
            ),
            say!(
                "write unit = \"{usual}\" or \"{printed}\"",
                "写 unit = \"{usual}\" 或 \"{printed}\""
            ),
        );
    }
}

type One = (Got<String>, OutletFactor);

fn one(s: Section<'_>, setting: &Setting<'_>, limits: &mut Taken, r: &mut Report) -> Option<One> {
    let code = s.need_text(r, "code", say!("such as \"a21026\"", "如 \"a21026\""));
    let name = s.text(r, "name");
    let name_en = s.text(r, "name_en");
    let unit_text = s.text(r, "unit");
    let own = name.is_some() && unit_text.is_some();
    let row = code.as_ref().and_then(|code| {
        let found = FactorTable::builtin().get(&code.value);
        if found.is_none() && own {
            None
        } else {
            known(code, r)
        }
    });
    let mut factor = match (row, &code) {
        (Some(row), Some(code)) => {
            check_medium(code, row, setting, r);
            if unit_text.is_none() {
                stated_unit(row, code.at, r);
            }
            from_table(row, &code.value, row.pollutant_default)
        }
        _ => blank(code.as_ref().map_or("", |c| c.value.as_str())),
    };
    if let Some(name) = name {
        factor.name_en = name_en
            .as_ref()
            .map_or(name.value.clone(), |en| en.value.clone());
        factor.name_zh = name.value;
    } else if let Some(en) = name_en {
        factor.name_en = en.value;
    }
    if let Some(unit) = unit_text {
        set_unit(&mut factor, &unit, row, setting, r);
    }
    factor.old_unit_multiplier = s
        .text(r, "unit_2005")
        .and_then(|u| old_unit(&factor, &u, setting, r));
    options(&s, &mut factor, setting, r);
    range(&s, &mut factor, r);
    detection_limit(&s, &mut factor, r);
    factor.limits = limit::limits(&s, &factor, setting, limits, r);
    s.finish(r);
    code.map(|code| (code, factor))
}

fn blank(code: &str) -> OutletFactor {
    OutletFactor {
        code: FactorCode::new(code),
        name_zh: code.to_owned(),
        name_en: code.to_owned(),
        unit: String::new(),
        decimals: 2,
        pollutant: false,
        basis: Basis::StandardDry,
        range_min: None,
        range_max: None,
        detection_limit: None,
        old_unit_multiplier: None,
        kg_per_unit_m3: Decimal::ZERO,
        limits: Vec::new(),
    }
}

fn set_unit(
    factor: &mut OutletFactor,
    text: &Got<String>,
    row: Option<&Factor>,
    setting: &Setting<'_>,
    r: &mut Report,
) {
    let value = &text.value;
    let Some(unit) = Unit::named(value) else {
        r.error(
            text.at,
            say!("unknown unit {value}", "未知的单位 {value}"),
            say!(
                "mg/m3, ug/m3, ng/m3, mg/L, ug/L, ng/L, m3/s, m3/h, L/s, m/s, kPa, degC, %, 1, ...",
                "如 mg/m3、ug/m3、ng/m3、mg/L、ug/L、m3/s、m3/h、L/s、m/s、kPa、degC、%、1 等"
            ),
        );
        return;
    };
    let wrong_medium = match unit.dimension {
        Dimension::GasConcentration => setting.medium == Medium::Water,
        Dimension::WaterConcentration => setting.medium == Medium::Gas,
        _ => false,
    };
    let printed = row.and_then(|row| Unit::named(&row.unit));
    let wrong_kind = printed.is_some_and(|p| p.multiplier_to(unit).is_none());
    if wrong_medium || wrong_kind {
        let usual = row.map_or("", |row| row.unit.as_str());
        let code = &factor.code;
        r.error(
            text.at,
            say!(
                "{code} cannot be measured in {value}",
                "{code} 不能用 {value} 作单位"
            ),
            say!("HJ 212-2017 gives {usual}", "HJ 212-2017 规定为 {usual}"),
        );
        return;
    }
    unit.name.clone_into(&mut factor.unit);
    factor.kg_per_unit_m3 = unit.kg_per_unit_m3().unwrap_or_default();
}

/// Multiplier from the unit a 2005 logger really sends. A velocity sent as a flow (m3/h, as the
/// 2005 table prints it) is divided by the cross-section.
fn old_unit(
    factor: &OutletFactor,
    text: &Got<String>,
    setting: &Setting<'_>,
    r: &mut Report,
) -> Option<Decimal> {
    let own = Unit::named(&factor.unit);
    let stated = Unit::named(&text.value);
    let direct = stated
        .zip(own)
        .and_then(|(from, to)| from.multiplier_to(to));
    if direct.is_some() {
        return direct;
    }
    let through_area = stated
        .zip(own)
        .zip(setting.gas)
        .and_then(|((from, to), gas)| {
            let flow = from.multiplier_to(Unit::named("m3/s")?)?;
            let speed = Unit::named("m/s")?.multiplier_to(to)?;
            flow.checked_div(gas.area_m2)?.checked_mul(speed)
        });
    if through_area.is_none() {
        let (value, unit, code) = (&text.value, &factor.unit, &factor.code);
        r.error(
            text.at,
            say!(
                "`unit_2005` {value} does not convert to {unit} of {code}",
                "`unit_2005` 的 {value} 不能换算为 {code} 的单位 {unit}"
            ),
            say!(
                "the unit the 2005 logger sends",
                "填 2005 版数采仪实际上传的单位"
            ),
        );
    }
    through_area
}

fn options(s: &Section<'_>, factor: &mut OutletFactor, setting: &Setting<'_>, r: &mut Report) {
    if let Some(n) = s.integer(r, "decimals", 0..=DECIMALS_MAX) {
        factor.decimals = n.value;
    }
    if let Some(b) = s.boolean(r, "pollutant") {
        factor.pollutant = b.value;
    }
    let bases = [
        ("standard-dry", Basis::StandardDry),
        ("standard-wet", Basis::StandardWet),
        ("actual-dry", Basis::ActualDry),
        ("actual-wet", Basis::ActualWet),
    ];
    if let Some(basis) = s.word(r, "basis", &bases) {
        factor.basis = basis.value;
        if setting.medium == Medium::Water && basis.value != Basis::StandardDry {
            r.error(
                basis.at,
                say!("`basis` is for stack gas only", "`basis` 仅用于废气"),
                say!("take the line out", "请删除该行"),
            );
        }
    }
}

/// `detection_limit = 0.5`: values below it stay valid and are pointed out.
fn detection_limit(s: &Section<'_>, factor: &mut OutletFactor, r: &mut Report) {
    let Some(got) = s.decimal(r, "detection_limit") else {
        return;
    };
    let top = factor.range_max;
    if got.value <= Decimal::ZERO || top.is_some_and(|top| got.value >= top) {
        let value = got.value;
        r.error(
            got.at,
            say!(
                "no analyser has the detection limit {value}",
                "检出限不可能是 {value}"
            ),
            say!(
                "above zero and below the measuring range",
                "应大于零且小于量程"
            ),
        );
        return;
    }
    factor.detection_limit = Some(got.value);
}

/// `range = 500` or `range = [-10, 500]`.
fn range(s: &Section<'_>, factor: &mut OutletFactor, r: &mut Report) {
    let hint = || {
        say!(
            "such as range = 500 or range = [-10, 500]",
            "如 range = 500 或 range = [-10, 500]"
        )
    };
    let Some(item) = s.item("range") else {
        if factor.pollutant && factor.range_max.is_none() {
            let code = &factor.code;
            r.warn(
                s.at,
                say!(
                    "{code} has no measuring range, so values over it count",
                    "{code} 未设量程，超量程值会被当作有效"
                ),
                hint(),
            );
        }
        return;
    };
    let ends: Vec<Got<Decimal>> = item
        .entries()
        .iter()
        .filter_map(|e| e.decimal(r, "range"))
        .collect();
    let (low, high) = match (ends.as_slice(), item.is_list()) {
        ([high], false) => {
            let drift = high.value.checked_mul(DRIFT_SHARE).unwrap_or_default();
            (-drift.normalize(), high.value)
        }
        ([low, high], true) => (low.value, high.value),
        _ => {
            r.error(
                item.at,
                say!(
                    "`range` needs one number or two",
                    "`range` 须为一个或两个数"
                ),
                hint(),
            );
            return;
        }
    };
    if low >= high {
        r.error(
            item.at,
            say!(
                "range from {low} to {high} is empty",
                "量程 {low} 到 {high} 无效"
            ),
            hint(),
        );
    }
    factor.range_min = Some(low);
    factor.range_max = Some(high);
}

/// What one factor needs of the others.
fn needs(
    factors: &BTreeMap<FactorCode, OutletFactor>,
    places: &BTreeMap<FactorCode, At>,
    setting: &Setting<'_>,
    outlet: At,
    r: &mut Report,
) {
    if setting.medium != Medium::Gas {
        return;
    }
    let mut need = |factor: &OutletFactor, other: &str, en: &str, zh: &str| {
        if factors.contains_key(other) {
            return;
        }
        let at = places.get(&factor.code).copied().unwrap_or(outlet);
        let code = &factor.code;
        r.error(
            at,
            say!(
                "{code} needs {other} ({en}) at this outlet",
                "{code} 需要该排放口的 {other}（{zh}）"
            ),
            say!("add it to `auxiliary`", "请加入 `auxiliary`"),
        );
    };
    for factor in factors.values() {
        if matches!(factor.basis, Basis::ActualDry | Basis::ActualWet) {
            need(factor, "a01012", "flue gas temperature", "烟气温度");
            need(factor, "a01013", "flue gas pressure", "烟气压力");
        }
        if matches!(factor.basis, Basis::StandardWet | Basis::ActualWet) {
            need(factor, "a01014", "flue gas humidity", "烟气湿度");
        }
        if factor.limits.iter().any(|l| l.converted) {
            need(factor, "a19001", "oxygen", "氧含量");
        }
    }
}
