//! Stack gas: from what an analyser shows to the dry standard state, to reference oxygen, to the
//! amount. Every figure comes from the function that the engine uses.

use super::node::{Node, Outcome, exact};
use super::scene::{Scene, plus};
use super::words;
use crate::aggregate::{Slot, from_record};
use crate::convert::{self, Parameters};
use crate::formula::gas::d28_converted;
use crate::lang::Text;
use crate::model::rows::AggregateOrigin;
use crate::model::{
    AggregateRow, Basis, FactorAggregate, FactorCode, GasSettings, OutletFactor, RecordRow,
};
use crate::quantity::{Concentration, Oxygen, internal};
use crate::validate::code;
use rust_decimal::Decimal;

/// The gas parameters that a slot carries.
fn parameters(slot: &Slot) -> Parameters {
    Parameters {
        temperature_c: slot.value(code::TEMPERATURE),
        pressure_kpa: slot.value(code::PRESSURE),
        moisture_pct: slot.value(code::MOISTURE),
    }
}

/// The valid figure of a slot as it enters the mean: in the dry standard state.
pub(super) fn dry(scene: &Scene<'_>, gas: &GasSettings, slot: &Slot) -> Option<Decimal> {
    let value = slot.value(scene.factor.as_str())?;
    let with = parameters(slot);
    let settings = scene.outlet.factors.get(scene.factor);
    let dry = match (settings.filter(|f| f.pollutant), scene.factor.as_str()) {
        (Some(f), _) => convert::concentration(value, f.basis, &with, gas, scene.profile)
            .map(Concentration::get),
        (None, code::OXYGEN) => convert::oxygen(value, &with, gas).map(Oxygen::pct),
        (None, _) => Some(value),
    };
    dry.map(internal)
}

/// The figure of a slot converted to reference oxygen, where each minute is converted.
pub(super) fn converted(scene: &Scene<'_>, gas: &GasSettings, slot: &Slot) -> Option<Decimal> {
    let c = dry(scene, gas, slot)?;
    let o2 = slot.value(code::OXYGEN)?;
    let o2 = convert::oxygen(o2, &parameters(slot), gas)?;
    at_reference(scene, gas, c, o2.pct())
}

fn at_reference(scene: &Scene<'_>, gas: &GasSettings, c: Decimal, o2: Decimal) -> Option<Decimal> {
    let reference = Oxygen::from_pct(gas.reference_o2_pct?);
    (o2 < scene.profile.o2_guard_pct).then_some(())?;
    let c = Concentration::new(c);
    d28_converted(c, reference, Oxygen::from_pct(o2), scene.profile.air_o2_pct)
        .map(|converted| internal(converted.get()))
}

/// (28) with the values put in.
fn d28_with(scene: &Scene<'_>, gas: &GasSettings, c: Decimal, o2: Decimal) -> Option<String> {
    let air = scene.profile.air_o2_pct.normalize();
    let reference = gas.reference_o2_pct?.normalize();
    let (c, o2) = (c.normalize(), o2.normalize());
    Some(format!("{c} × ({air} − {reference}) ÷ ({air} − {o2})"))
}

/// What a single record's value comes to in the dry standard state, where the analyser reports in
/// another one.
pub(super) fn of_record(scene: &Scene<'_>, row: &RecordRow) -> Option<Node> {
    let gas = scene.outlet.gas.as_ref()?;
    let slot = from_record(row, 1, scene.profile);
    let value = slot.value(scene.factor.as_str())?;
    if scene.factor.as_str() == code::OXYGEN {
        return gas.o2_is_wet.then(|| to_dry(scene, gas, &slot, value));
    }
    let basis = scene
        .outlet
        .factors
        .get(scene.factor)
        .filter(|f| f.pollutant)?
        .basis;
    match basis {
        Basis::StandardDry => None,
        Basis::StandardWet => Some(to_dry(scene, gas, &slot, value)),
        Basis::ActualDry => Some(to_standard(scene, gas, &slot, value, basis)),
        Basis::ActualWet => {
            let standard = to_standard(scene, gas, &slot, value, Basis::ActualDry);
            let wet = standard.value.as_ref().and_then(|text| text.parse().ok());
            Some(match wet {
                Some(wet) => to_dry(scene, gas, &slot, wet).child(standard),
                None => standard,
            })
        }
    }
}

/// (19) on one reading.
fn to_dry(scene: &Scene<'_>, gas: &GasSettings, slot: &Slot, wet: Decimal) -> Node {
    let with = parameters(slot);
    let oxygen = scene.factor.as_str() == code::OXYGEN;
    let dry = if oxygen {
        convert::oxygen(wet, &with, gas).map(Oxygen::pct)
    } else {
        convert::concentration(wet, Basis::StandardWet, &with, gas, scene.profile)
            .map(Concentration::get)
    };
    let text = with
        .moisture_pct
        .map(|x| format!("{} ÷ (1 − {} ÷ 100)", exact(wet), exact(x)));
    let node = Node::new("湿基换算为干基", "Wet to dry");
    let node = node
        .valued(dry.map(internal), &scene.unit())
        .by("D19", text);
    lacking(node, &[(code::MOISTURE, with.moisture_pct)])
}

/// (18) on one reading; the moisture stays what it was.
fn to_standard(
    scene: &Scene<'_>,
    gas: &GasSettings,
    slot: &Slot,
    value: Decimal,
    basis: Basis,
) -> Node {
    let with = parameters(slot);
    let standard = convert::concentration(value, basis, &with, gas, scene.profile)
        .map(Concentration::get)
        .map(internal);
    let text = state_of(scene, gas, &with).map(|(pa, kelvin)| {
        let (zero, p0) = (
            scene.profile.kelvin_offset,
            scene.profile.standard_pressure_pa,
        );
        let value = exact(value);
        format!(
            "{value} × {} ÷ ({pa}) × ({kelvin}) ÷ {}",
            exact(p0),
            exact(zero)
        )
    });
    let node = Node::new("工况换算为标态", "Actual to standard state");
    let node = node.valued(standard, &scene.unit()).by("D18", text);
    lacking(
        node,
        &[
            (code::TEMPERATURE, with.temperature_c),
            (code::PRESSURE, with.pressure_kpa),
        ],
    )
}

/// Absolute pressure, Pa, and temperature, K, as sums.
fn state_of(scene: &Scene<'_>, gas: &GasSettings, with: &Parameters) -> Option<(String, String)> {
    let pa = with.pressure_kpa?.checked_mul(Decimal::ONE_THOUSAND)?;
    Some((
        plus(gas.atmospheric_pressure_pa, pa),
        plus(scene.profile.kelvin_offset, with.temperature_c?),
    ))
}

/// Says which parameters are missing.
fn lacking(mut node: Node, needed: &[(&str, Option<Decimal>)]) -> Node {
    for (code, value) in needed {
        if value.is_none() {
            node = node.note(
                format!("缺少有效的 {code}"),
                format!("there is no valid {code}"),
            );
        }
    }
    node
}

/// The hour converted to reference oxygen.
pub(super) fn converted_node(
    scene: &Scene<'_>,
    gas: &GasSettings,
    row: &AggregateRow,
    slots: &[Slot],
) -> Node {
    let mean = row.factors.get(scene.factor);
    let value = mean.and_then(|f| f.converted);
    let node = Node::new("折算浓度", "Converted to reference oxygen");
    let node = node.valued(value, &scene.unit());
    let Some(reference) = gas.reference_o2_pct else {
        return node.note(
            "该排放口未规定基准氧含量，标态干基值即为折算值",
            "the outlet has no reference oxygen: the standard dry value is the converted one",
        );
    };
    let reference = exact(reference);
    let node = node.note(
        format!("基准氧含量 {reference} %"),
        format!("reference oxygen {reference} %"),
    );
    if row.origin == AggregateOrigin::Reported && value.is_some() {
        return node.note("设备上报的折算值", "as the station sent it");
    }
    if !scene.profile.convert_after_mean {
        return of_minutes(scene, gas, node, slots);
    }
    let mut node = node;
    node.rule = Some(scene.rule("convert_after_mean", &true));
    let o2 = row.factors.get(code::OXYGEN);
    let (c, o2_mean) = (mean.and_then(|f| f.mean), o2.and_then(|f| f.mean));
    let with = c
        .zip(o2_mean)
        .and_then(|(c, o2)| d28_with(scene, gas, c, o2));
    node = node.by("D28", with.filter(|_| value.is_some()));
    let node = node.child(mean_of(scene, code::OXYGEN, o2));
    guard(scene, node, o2_mean)
}

/// The guard of the profile against oxygen near that of air.
fn guard(scene: &Scene<'_>, node: Node, o2: Option<Decimal>) -> Node {
    let limit = scene.profile.o2_guard_pct;
    let mut guard = Node::new("氧含量保护", "Guard against oxygen near that of air");
    guard.rule = Some(scene.rule("o2_guard_pct", &limit.normalize()));
    let guard = match o2 {
        Some(o2) if o2 < limit => {
            guard.with = Some(format!("{} < {}", exact(o2), exact(limit)));
            let text = Text::new("低于保护值，可以折算", "below the guard: converted");
            guard.judged(Outcome::Holds, "below-guard", text)
        }
        Some(o2) => {
            guard.with = Some(format!("{} ≥ {}", exact(o2), exact(limit)));
            let text = Text::new(
                "达到保护值，不给出折算值",
                "at the guard: no converted value",
            );
            guard.judged(Outcome::Fails, "o2-guard", text)
        }
        None => {
            let text = Text::new("没有氧含量均值，不能折算", "there is no mean of oxygen");
            guard.judged(Outcome::Fails, "no-oxygen", text)
        }
    };
    node.child(guard)
}

/// The mean of the conversions of the minutes.
fn of_minutes(scene: &Scene<'_>, gas: &GasSettings, node: Node, slots: &[Slot]) -> Node {
    let pairs = slots
        .iter()
        .filter_map(|slot| Some((converted(scene, gas, slot)?, slot.minutes)));
    let with = super::hour::weighed(pairs).map(|(_, _, with)| with);
    let mut node = node.by("D24", with);
    node.rule = Some(scene.rule("convert_after_mean", &false));
    node.note(
        "逐分钟折算后平均（式 (28)）",
        "each minute is converted by (28), then averaged",
    )
}

/// A mean of the hour that enters a formula.
pub(super) fn mean_of(scene: &Scene<'_>, code: &str, mean: Option<&FactorAggregate>) -> Node {
    let factor = FactorCode::new(code);
    let (zh, en) = words::factor(scene.outlet, &factor);
    let unit = words::unit(scene.outlet, &factor);
    let node = Node::new(
        format!("{zh}均值（{code}）"),
        format!("Mean of {en} ({code})"),
    );
    let node = node.valued(mean.and_then(|f| f.mean), &unit);
    let Some(mean) = mean else {
        let text = Text::new("没有数据", "there are no data");
        return node.judged(Outcome::NotJudged, "no-data", text);
    };
    let n = mean.valid_units;
    let (outcome, code, zh, en) = if mean.valid {
        (Outcome::Valid, "valid", "有效分钟", "valid minutes")
    } else {
        (
            Outcome::Invalid,
            "too-few",
            "有效分钟不足",
            "too few valid minutes",
        )
    };
    let text = Text::new(format!("{zh} {n}"), format!("{en}, {n}"));
    node.judged(outcome, code, text)
}

/// The amount of the hour by (33).
pub(super) fn amount_node(
    settings: &OutletFactor,
    row: &AggregateRow,
    mean: &FactorAggregate,
) -> Node {
    let node = Node::new("排放量", "Amount").valued(mean.amount_kg, "kg");
    if !mean.valid {
        return node.by("D33", None).note(
            "均值无效的小时没有排放量",
            "an hour that does not count has no amount of its own",
        );
    }
    let Some((c, flow)) = mean.mean.zip(row.volume_m3) else {
        if mean.amount_kg.is_some() {
            return node.note("设备上报的排放量（-Cou）", "as the station sent it (-Cou)");
        }
        let text = ("没有标态干流量", "there is no dry standard flow");
        return node.by("D33", None).note(text.0, text.1);
    };
    let kg = settings.kg_per_unit_m3;
    let with = format!("{} × {} × {}", exact(c), exact(flow), exact(kg));
    node.by("D33", Some(with)).note(
        "用标态干基浓度计算，不用折算浓度",
        "from the dry standard concentration, never the converted one",
    )
}
