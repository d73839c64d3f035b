//! `[instrument.channels]`: which point feeds which factor.

use super::super::Taken;
use super::super::map::VOLUME_SHARES;
use crate::report::{At, Report, say};
use crate::section::{Got, Section};
use crate::suggest;
use crate::units::Unit;
use cems_core::model::{FactorCode, Outlet, OutletFactor};
use cems_protocols::instrument::{Channel, Map, Point, Role};
use rust_decimal::Decimal;
use smol_str::SmolStr;

/// Multipliers from ppm to mg/m³ at 273 K and 101.325 kPa that the trade uses, for the hint.
const FROM_PPM: &str = "SO2 2.86, NO 1.34, NO2 2.05, CO 1.25, NH3 0.76, HCl 1.63";

/// The channels of an instrument: those written, or every point that measures a factor the outlet
/// has.
pub(super) fn channels(
    s: &Section<'_>,
    map: &Map,
    outlet: &Outlet,
    taken: &mut Taken,
    r: &mut Report,
) -> Vec<Channel> {
    let mut out = Vec::new();
    let written = s.members(r, "channels");
    let Some(written) = written else {
        for (index, point) in map.points.iter().enumerate() {
            if let Role::Factor(code) = &point.role
                && let Some(factor) = outlet.factors.get(code.as_str())
                && let Some(multiplier) = multiplier(point, factor, None, s.at, r)
            {
                claim(taken, outlet, code, s.at, r);
                out.push(channel(index, code, multiplier));
            }
        }
        if out.is_empty() && !r.has_errors() {
            nothing_in_common(map, outlet, s.at, r);
        }
        return out;
    };
    for (code, said) in written {
        let Some(said) = said else {
            // A list of codes: the points of the map that measure them.
            let point = map.points.iter().enumerate().find(
                |(_, point)| matches!(&point.role, Role::Factor(factor) if *factor == code.value),
            );
            match (factor_at(outlet, &code, r), point) {
                (Some(factor), Some((index, point))) => {
                    if let Some(multiplier) = multiplier(point, factor, None, code.at, r) {
                        claim(taken, outlet, &code.value, code.at, r);
                        out.push(channel(index, &code.value, multiplier));
                    }
                }
                (Some(_), None) => no_point(map, &code, r),
                (None, _) => {}
            }
            continue;
        };
        out.extend(one(said, &code, map, outlet, taken, r));
    }
    out
}

/// `a21026 = { point = "so2", multiplier = 2.86 }`.
fn one(
    s: Section<'_>,
    code: &Got<String>,
    map: &Map,
    outlet: &Outlet,
    taken: &mut Taken,
    r: &mut Report,
) -> Option<Channel> {
    let factor = factor_at(outlet, code, r);
    let name = s.text(r, "point");
    let times = s.decimal(r, "multiplier");
    let index = match &name {
        Some(name) => {
            let found = map.point(&name.value);
            if found.is_none() {
                let (value, id) = (&name.value, &map.id);
                r.error(
                    name.at,
                    say!("{id} has no point {value}", "{id} 没有测点 {value}"),
                    suggest::hint(value, map.points.iter().map(|p| p.name.as_str())),
                );
            }
            found
        }
        None => {
            let found = map
                .points
                .iter()
                .position(|p| matches!(&p.role, Role::Factor(f) if *f == code.value));
            if found.is_none() {
                no_point(map, code, r);
            }
            found
        }
    };
    s.finish(r);
    let index = index?;
    let point = map.points.get(index)?;
    let multiplier = multiplier(point, factor?, times.as_ref(), code.at, r)?;
    claim(taken, outlet, &code.value, code.at, r);
    Some(channel(index, &code.value, multiplier))
}

fn channel(point: usize, code: &str, multiplier: Decimal) -> Channel {
    Channel {
        point,
        factor: SmolStr::new(code),
        multiplier,
    }
}

fn claim(taken: &mut Taken, outlet: &Outlet, code: &str, at: At, r: &mut Report) {
    let key = Got {
        value: format!("{} / {code}", outlet.id),
        at,
    };
    taken.claim(r, ("source of", "数据来源"), &key);
}

fn factor_at<'a>(
    outlet: &'a Outlet,
    code: &Got<String>,
    r: &mut Report,
) -> Option<&'a OutletFactor> {
    let found = outlet.factors.get(code.value.as_str());
    if found.is_none() && !r.incomplete {
        let (value, id) = (&code.value, &outlet.id);
        r.error(
            code.at,
            say!(
                "the outlet {id} has no factor {value}",
                "排放口 {id} 没有因子 {value}"
            ),
            suggest::hint(value, outlet.factors.keys().map(FactorCode::as_str)),
        );
    }
    found
}

fn no_point(map: &Map, code: &Got<String>, r: &mut Report) {
    let (value, id) = (&code.value, &map.id);
    let names: Vec<&str> = map.points.iter().map(|p| p.name.as_str()).collect();
    let names = names.join(", ");
    r.error(
        code.at,
        say!(
            "{id} has no point for {value}",
            "{id} 没有测量 {value} 的测点"
        ),
        say!(
            "name one: {value} = {{ point = \"...\" }}; there are {names}",
            "请指定：{value} = {{ point = \"...\" }}；可用：{names}"
        ),
    );
}

fn nothing_in_common(map: &Map, outlet: &Outlet, at: At, r: &mut Report) {
    let (map, outlet) = (&map.id, &outlet.id);
    r.error(
        at,
        say!(
            "{map} measures nothing that the outlet {outlet} has",
            "{map} 与排放口 {outlet} 没有共同的因子"
        ),
        say!(
            "write [instrument.channels] with lines such as a21026 = {{ point = \"so2\" }}",
            "请写 [instrument.channels]，如 a21026 = {{ point = \"so2\" }}"
        ),
    );
}

/// What a value of the point is multiplied by to be one of the factor: said, or from the units.
fn multiplier(
    point: &Point,
    factor: &OutletFactor,
    said: Option<&Got<Decimal>>,
    at: At,
    r: &mut Report,
) -> Option<Decimal> {
    if let Some(said) = said {
        if said.value.is_zero() {
            r.error(
                said.at,
                say!("`multiplier` is 0", "`multiplier` 为 0"),
                say!("every value would be 0", "所有数值将为 0"),
            );
        }
        return Some(said.value);
    }
    let from = point.unit.as_deref().unwrap_or("1");
    let to = factor.unit.as_str();
    let found = match (Unit::named(from), Unit::named(to)) {
        (Some(a), Some(b)) => a.multiplier_to(b),
        _ => None,
    };
    if found.is_none() {
        let (name, code) = (&point.name, &factor.code);
        let hint = match VOLUME_SHARES.contains(&from) {
            true => say!(
                "write {code} = {{ point = \"{name}\", multiplier = ... }} in \
                 [instrument.channels]; from ppm to mg/m3 (of ppb a thousandth): {FROM_PPM}",
                "请在 [instrument.channels] 写 {code} = {{ point = \"{name}\", multiplier = ... }}；\
                 ppm 换算为 mg/m3 的系数（ppb 为其千分之一）：{FROM_PPM}"
            ),
            false => say!(
                "correct the unit, or write {code} = {{ point = \"{name}\", multiplier = ... }}",
                "请更正单位，或写 {code} = {{ point = \"{name}\", multiplier = ... }}"
            ),
        };
        r.error(
            at,
            say!(
                "{name} is in {from}, {code} of the outlet in {to}",
                "{name} 的单位是 {from}，排放口因子 {code} 的单位是 {to}"
            ),
            hint,
        );
    }
    found
}
