//! Waste water: volumes, amounts and weighted means of the slices of an hour.

use super::node::{Node, exact};
use super::scene::Scene;
use crate::aggregate::Slot;
use crate::formula;
use crate::formula::water::slice_volume;
use crate::model::{AggregateRow, FactorAggregate};
use crate::quantity::Volume;
use crate::validate::code;
use rust_decimal::Decimal;

const M3_PER_LITRE: Decimal = Decimal::from_parts(1, 0, 0, false, 3);

/// Volume of a slot with a valid flow, m³.
pub(super) fn volume(slot: &Slot) -> Option<Decimal> {
    let seconds = slot.minutes.checked_mul(60)?;
    slice_volume(slot.value(code::WATER_FLOW)?, seconds).map(Volume::m3)
}

/// Sum of the volumes and of volume times concentration over the slots in which both are valid,
/// and how many minutes these are.
fn sums(scene: &Scene<'_>, slots: &[Slot]) -> Option<(Decimal, Decimal, u32)> {
    let both = slots.iter().filter_map(|slot| {
        let c = slot.value(scene.factor.as_str())?;
        Some((volume(slot)?, c, slot.minutes))
    });
    let mut found = None;
    for (d, c, minutes) in both {
        let (volume, product, n) = found.unwrap_or_default();
        let volume = Decimal::checked_add(volume, d)?;
        let product = Decimal::checked_add(product, d.checked_mul(c)?)?;
        found = Some((volume, product, u32::checked_add(n, minutes)?));
    }
    found
}

/// The mean weighted by flow.
pub(super) fn weighted(scene: &Scene<'_>, node: Node, slots: &[Slot]) -> Node {
    let Some((volume, product, minutes)) = sums(scene, slots) else {
        return node.by("D-water-weighted", None).note(
            "没有浓度和流量同时有效的分钟",
            "there is no minute in which concentration and flow are both valid",
        );
    };
    let (d, product) = (exact(volume), exact(product));
    let node = node.note(
        format!("浓度和流量同时有效 {minutes} 分钟：ΣD = {d} m³，Σ(D×C) = {product}"),
        format!(
            "concentration and flow both valid in {minutes} min: ΣD = {d} m³, Σ(D×C) = {product}"
        ),
    );
    if volume.is_zero() {
        return node.by("D-water-weighted", None).note(
            "没有水排出，零流量时的读数不说明排放情况",
            "nothing was discharged: readings at zero flow say nothing about a discharge",
        );
    }
    node.by("D-water-weighted", Some(format!("{product} ÷ {d}")))
}

/// Volume and amount of the hour.
pub(super) fn sections(
    scene: &Scene<'_>,
    row: &AggregateRow,
    mean: &FactorAggregate,
    slots: &[Slot],
) -> Vec<Node> {
    let mut nodes = Vec::new();
    if scene.has_amount() || scene.is_flow() {
        nodes.push(volume_node(row, slots));
    }
    if scene.has_amount() {
        nodes.push(amount(scene, mean, slots));
    }
    nodes
}

fn volume_node(row: &AggregateRow, slots: &[Slot]) -> Node {
    let node = Node::new("水量", "Volume").valued(row.volume_m3, "m³");
    let litres = slots.iter().filter_map(|slot| {
        let seconds = Decimal::from(slot.minutes).checked_mul(Decimal::from(60u32))?;
        slot.value(code::WATER_FLOW)?.checked_mul(seconds)
    });
    let litres: Vec<Decimal> = litres.collect();
    match formula::sum(litres.iter().copied()) {
        None if row.volume_m3.is_some() => node.note(
            "设备上报的水量（w00000-Cou）",
            "as the station sent it (w00000-Cou)",
        ),
        None => node
            .by("D-water-volume", None)
            .note("没有有效流量", "there is no valid flow"),
        Some(sum) => {
            let n = litres.len();
            let with = format!("{} × {}", exact(sum), exact(M3_PER_LITRE));
            node.by("D-water-volume", Some(with)).note(
                format!("{n} 个时段有有效流量，Σ(Q×T) = {} L", exact(sum)),
                format!("{n} slices with a valid flow, Σ(Q×T) = {} L", exact(sum)),
            )
        }
    }
}

fn amount(scene: &Scene<'_>, mean: &FactorAggregate, slots: &[Slot]) -> Node {
    let node = Node::new("排放量", "Amount").valued(mean.amount_kg, "kg");
    let kg = scene
        .outlet
        .factors
        .get(scene.factor)
        .map(|f| f.kg_per_unit_m3);
    match sums(scene, slots).zip(kg) {
        Some(((_, product, minutes), kg)) => {
            let with = format!("{} × {}", exact(product), exact(kg));
            let node = node.by("D-water-amount", Some(with));
            let node = node.note(
                format!("{minutes} 分钟之和"),
                format!("sum over {minutes} minutes"),
            );
            if mean.valid {
                return node;
            }
            node.note(
                "均值无效，但所见排放量仍计入",
                "the mean does not count, but what was seen to leave does",
            )
        }
        None if mean.amount_kg.is_some() => {
            node.note("设备上报的排放量（-Cou）", "as the station sent it (-Cou)")
        }
        None => node.by("D-water-amount", None).note(
            "没有浓度和流量同时有效的分钟",
            "there is no minute in which concentration and flow are both valid",
        ),
    }
}
