//! Factors of an outlet as a centre wants them: which, under which code, in which unit.

use super::super::{Taken, unknown};
use crate::factors::FactorTable;
use crate::report::{Report, say};
use crate::section::{Got, Section};
use crate::settings::{UplinkEdition, UplinkFactor, UplinkOutlet};
use crate::units::{Dimension, Unit};
use cems_core::model::{FactorCode, Outlet, OutletFactor};
use rust_decimal::Decimal;
use smol_str::SmolStr;

/// Decimals more than this say nothing.
const DECIMALS_MAX: i64 = 10;

/// `factors` and `decimals` of one `[[uplink.outlet]]`; without `factors`, everything the outlet
/// has.
pub(super) fn factors(
    s: &Section<'_>,
    outlet: &Outlet,
    edition: UplinkEdition,
    r: &mut Report,
) -> Vec<UplinkFactor> {
    let decimals = s
        .integer::<u32>(r, "decimals", 0..=DECIMALS_MAX)
        .map(|got| got.value);
    let members = s.members(r, "factors").unwrap_or_else(|| {
        let name = |code: &FactorCode| Got {
            value: code.as_str().to_owned(),
            at: s.at,
        };
        outlet
            .factors
            .keys()
            .map(|code| (name(code), None))
            .collect()
    });
    let mut names = Taken::default();
    let mut codes = Taken::default();
    let mut out = Vec::new();
    for (name, said) in members {
        names.claim(r, ("factor", "监测因子"), &name);
        let Some(own) = outlet.factors.get(name.value.as_str()) else {
            let known = outlet.factors.keys().map(FactorCode::as_str);
            unknown(
                r,
                ("factor of this outlet", "该排放口的监测因子"),
                &name,
                known,
            );
            continue;
        };
        let said = Said::read(said, r);
        if let Some(mut factor) = one(&name, own, outlet, edition, &said, r) {
            factor.decimals = said.decimals.or(decimals);
            let code = Got {
                value: factor.code.to_string(),
                at: said.code.as_ref().map_or(name.at, |got| got.at),
            };
            codes.claim(r, ("code of a factor", "因子编码"), &code);
            out.push(factor);
        }
    }
    if out.is_empty() && !r.has_errors() {
        r.error(
            s.at,
            say!("no factor is sent", "没有要上传的监测因子"),
            say!(
                "name at least one in `factors`",
                "请在 `factors` 中至少列出一个"
            ),
        );
    }
    out.sort_by(|a, b| a.factor.cmp(&b.factor));
    out
}

/// Decimals where the file says none: those of the factor, and as many more as a smaller number in
/// a larger unit needs.
pub(super) fn round_as_shown(terms: &mut UplinkOutlet, outlet: &Outlet) {
    for sent in terms.factors.iter_mut().filter(|f| f.decimals.is_none()) {
        let own = outlet
            .factors
            .get(&sent.factor)
            .map_or(2, |own| own.decimals);
        sent.decimals = Some(own + sent.multiplier.map_or(0, |m| m.normalize().scale().min(6)));
    }
}

/// What the file says about one factor.
#[derive(Default)]
struct Said {
    code: Option<Got<String>>,
    unit: Option<Got<String>>,
    decimals: Option<u32>,
}

impl Said {
    fn read(s: Option<Section<'_>>, r: &mut Report) -> Self {
        let Some(s) = s else {
            return Self::default();
        };
        let said = Self {
            code: s.text(r, "code").filter(|got| fits(got, r)),
            unit: s.text(r, "unit"),
            decimals: s
                .integer::<u32>(r, "decimals", 0..=DECIMALS_MAX)
                .map(|got| got.value),
        };
        s.finish(r);
        said
    }
}

/// A code must not end a field of the frame, nor split into code and sub-field.
fn fits(got: &Got<String>, r: &mut Report) -> bool {
    let fine = got.value.len() <= 20
        && got
            .value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !fine {
        let value = &got.value;
        r.error(
            got.at,
            say!("no code of a factor: {value}", "不是因子编码：{value}"),
            say!("at most 20 letters and digits", "最多 20 个字母和数字"),
        );
    }
    fine
}

fn one(
    name: &Got<String>,
    own: &OutletFactor,
    outlet: &Outlet,
    edition: UplinkEdition,
    said: &Said,
    r: &mut Report,
) -> Option<UplinkFactor> {
    let row = FactorTable::builtin().get(&name.value);
    let old = row.and_then(|row| row.old_code.as_deref());
    let code = match (&said.code, edition, old) {
        (Some(code), _, _) => code.value.clone(),
        (None, UplinkEdition::V2005, Some(old)) => old.to_owned(),
        (None, UplinkEdition::V2005, None) => {
            let value = &name.value;
            r.error(
                name.at,
                say!(
                    "HJ/T 212-2005 has no code for {value}",
                    "HJ/T 212-2005 没有 {value} 的编码"
                ),
                say!(
                    "name its code: factors = {{ {value} = {{ code = \"...\" }} }}, or drop it",
                    "请列出上传的因子：factors = {{ {value} = {{ code = \"...\" }} }}，或不列该因子"
                ),
            );
            return None;
        }
        (None, _, _) => name.value.clone(),
    };
    let multiplier = match &said.unit {
        Some(unit) => Some(stated(unit, own, outlet, r)?),
        None if edition == UplinkEdition::V2005 && old == Some(code.as_str()) => {
            Some(usual_2005(name, own, outlet, r)?)
        }
        None => None,
    };
    Some(UplinkFactor {
        factor: own.code.clone(),
        code: SmolStr::new(code),
        multiplier: multiplier.filter(|m| *m != Decimal::ONE),
        decimals: None,
    })
}

/// Multiplier to the unit the file states.
fn stated(
    unit: &Got<String>,
    own: &OutletFactor,
    outlet: &Outlet,
    r: &mut Report,
) -> Option<Decimal> {
    let found = convert(own, &unit.value, outlet);
    if found.is_none() {
        let (value, code, kept) = (&unit.value, &own.code, &own.unit);
        r.error(
            unit.at,
            say!(
                "{code} is kept in {kept}, which does not convert to {value}",
                "{code} 的单位为 {kept}，不能换算为 {value}"
            ),
            say!("a unit of the same quantity", "请填同类单位"),
        );
    }
    found
}

/// Multiplier to the unit of the 2005 code: what the outlet says a 2005 value is in, else what the
/// factor table says.
fn usual_2005(
    name: &Got<String>,
    own: &OutletFactor,
    outlet: &Outlet,
    r: &mut Report,
) -> Option<Decimal> {
    if let Some(back) = own.old_unit_multiplier {
        return Decimal::ONE.checked_div(back).map(|m| m.normalize());
    }
    let row = FactorTable::builtin().get(&name.value)?;
    let unit = row.old_unit.as_deref().unwrap_or(&row.unit);
    if unit.is_empty() || unit == own.unit {
        return Some(Decimal::ONE);
    }
    let found = convert(own, unit, outlet);
    if found.is_none() {
        let (code, kept) = (&own.code, &own.unit);
        r.error(
            name.at,
            say!(
                "{code} is kept in {kept}, which does not convert to {unit} of 2005",
                "{code} 的单位为 {kept}，不能换算为 2005 版的 {unit}"
            ),
            say!(
                "say which unit the centre wants: {code} = {{ unit = \"...\" }}",
                "请注明平台要求的单位：{code} = {{ unit = \"...\" }}"
            ),
        );
    }
    found
}

/// What a value is multiplied by to be in `to`. A velocity becomes a flow through the duct.
fn convert(own: &OutletFactor, to: &str, outlet: &Outlet) -> Option<Decimal> {
    let (from, to) = (Unit::named(&own.unit)?, Unit::named(to)?);
    if let Some(direct) = from.multiplier_to(to) {
        return Some(direct);
    }
    if from.dimension != Dimension::Velocity || to.dimension != Dimension::Flow {
        return None;
    }
    let speed = from.multiplier_to(Unit::named("m/s")?)?;
    let flow = Unit::named("m3/s")?.multiplier_to(to)?;
    let area = outlet.gas.as_ref()?.area_m2;
    speed.checked_mul(area)?.checked_mul(flow)
}
