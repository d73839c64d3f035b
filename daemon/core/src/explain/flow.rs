//! The dry standard flow of an hour by (29) to (31), from the hour means.

use super::gas::mean_of;
use super::node::{Node, exact};
use super::scene::{Scene, plus};
use crate::formula::gas::{d29_section_velocity, d30_actual_flow};
use crate::model::{AggregateRow, Basis, GasSettings};
use crate::quantity::{Velocity, VolumeFlow};
use crate::validate::code;
use rust_decimal::Decimal;

const SECONDS_PER_HOUR: u32 = 3_600;

/// The flow with everything that enters it.
pub(super) fn node(scene: &Scene<'_>, gas: &GasSettings, row: &AggregateRow) -> Node {
    let node = Node::new("标态干流量", "Dry standard flow").valued(row.volume_m3, "m³/h");
    let valid = |code: &str| row.factors.get(code).filter(|f| f.valid)?.mean;
    let by_velocity = row.factors.contains_key(code::VELOCITY);
    let (source, basis) = if by_velocity {
        (actual(gas, valid(code::VELOCITY)), Basis::ActualWet)
    } else {
        let settings = scene.outlet.factors.get(code::GAS_FLOW);
        let basis = settings.map_or(Basis::ActualWet, |f| f.basis);
        (sent(valid(code::GAS_FLOW)), basis)
    };
    let flow: Option<Decimal> = source.value.as_ref().and_then(|text| text.parse().ok());
    let with = flow.and_then(|flow| {
        let wet = matches!(basis, Basis::ActualWet | Basis::StandardWet);
        let actual = matches!(basis, Basis::ActualWet | Basis::ActualDry);
        let mut text = exact(flow);
        if actual {
            text.push_str(&state(
                scene,
                gas,
                valid(code::TEMPERATURE)?,
                valid(code::PRESSURE)?,
            )?);
        }
        if wet {
            text.push_str(&format!(" × (1 − {} ÷ 100)", exact(valid(code::MOISTURE)?)));
        }
        Some(text)
    });
    let mut node = node
        .by("D31", with.filter(|_| row.volume_m3.is_some()))
        .child(source);
    let velocity = if by_velocity {
        code::VELOCITY
    } else {
        code::GAS_FLOW
    };
    for code in [velocity, code::TEMPERATURE, code::PRESSURE, code::MOISTURE] {
        let mean = row.factors.get(code);
        let needed = code == velocity || basis != Basis::StandardDry;
        if needed {
            node = node.child(mean_of(scene, code, mean));
        }
        if needed && row.volume_m3.is_none() && mean.is_none_or(|f| !f.valid) {
            node = node.note(
                format!("{code} 没有有效均值，流量不能计算"),
                format!("{code} has no mean that counts: the flow cannot be computed"),
            );
        }
    }
    node
}

/// (29) and (30).
fn actual(gas: &GasSettings, velocity: Option<Decimal>) -> Node {
    let section = velocity
        .map(Velocity::from_m_per_s)
        .and_then(|point| d29_section_velocity(point, gas.velocity_coefficient));
    let flow = section
        .and_then(|section| d30_actual_flow(gas.area_m2, section))
        .map(VolumeFlow::m3_per_h);
    let section = section.map(Velocity::m_per_s);
    let with_section =
        velocity.map(|point| format!("{} × {}", exact(gas.velocity_coefficient), exact(point)));
    let with_flow = section.map(|vs| {
        let area = exact(gas.area_m2);
        format!("{SECONDS_PER_HOUR} × {area} × {}", exact(vs))
    });
    let child = Node::new("断面平均流速", "Mean velocity of the section");
    let mut child = child.valued(section, "m/s").by("D29", with_section);
    let node = Node::new("工况湿流量", "Actual wet flow");
    let mut node = node.valued(flow, "m³/h").by("D30", with_flow);
    // Both go on unrounded.
    (child.rounding, node.rounding) = (None, None);
    node.child(child)
}

/// A flow that the station sends, m³/s, as m³/h.
fn sent(flow: Option<Decimal>) -> Node {
    let seconds = Decimal::from(SECONDS_PER_HOUR);
    let hourly = flow.and_then(|flow| flow.checked_mul(seconds));
    let mut node = Node::new("设备上报流量", "Flow as sent").valued(hourly, "m³/h");
    node.with = flow.map(|flow| format!("{} × {SECONDS_PER_HOUR}", exact(flow)));
    node
}

/// The pressure and temperature part of (31).
fn state(scene: &Scene<'_>, gas: &GasSettings, celsius: Decimal, kpa: Decimal) -> Option<String> {
    let pa = kpa.checked_mul(Decimal::ONE_THOUSAND)?;
    let zero = scene.profile.kelvin_offset;
    Some(format!(
        " × {} ÷ ({}) × ({}) ÷ {}",
        exact(zero),
        plus(zero, celsius),
        plus(gas.atmospheric_pressure_pa, pa),
        exact(scene.profile.standard_pressure_pa)
    ))
}
