//! An hour from its records: the figures computed anew, with everything that entered them.

use super::node::{Node, Outcome, exact};
use super::scene::Scene;
use super::{around, compare, flow, gas, limits, record, validity, water, words};
use crate::aggregate::Slot;
use crate::aggregate::gather::{self, HourInputs};
use crate::formula;
use crate::formula::ph;
use crate::lang::Text;
use crate::model::rows::AggregateOrigin;
use crate::model::{AggregateRow, FactorAggregate, Medium, Period, RecordKind, RecordRow};
use rust_decimal::Decimal;

/// The whole derivation of an hour.
pub(super) fn explain(scene: &Scene<'_>, period: Period) -> Node {
    let scene = &scene.under_profile_of(period);
    let stored = scene.stored(period);
    let complete = stored.as_ref().is_some_and(|row| row.complete);
    let gathered = gather::gather(scene.of(), period, complete, scene.history);
    let (mut computed, inputs) = match gathered {
        Some(gathered) => (Some(gathered.row), gathered.hour),
        None => (None, None),
    };
    if let Some(row) = &mut computed {
        limits::judge(scene, row, inputs.as_ref());
    }
    let root = scene.title(("小时均值", "hour mean"), &scene.period(period));
    let mut root = root.valued(None, &scene.unit());
    root.profile = Some(scene.profile.id.clone());
    let comparison = compare::node(scene, stored.as_ref(), computed.as_ref());
    let row = stored.as_ref().or(computed.as_ref());
    let mean = row.and_then(|row| row.factors.get(scene.factor));
    let (Some(row), Some(mean)) = (row, mean) else {
        return without(scene, root, inputs.as_ref())
            .child(comparison)
            .with_children(around::nodes(scene, period, None));
    };
    root = root.valued(mean.mean, &scene.unit());
    root = validity::verdict(root, mean, scene.profile.hour_min_valid_minutes);
    root = origin(root, row, inputs.as_ref());
    root.notes.extend(compare::warnings(&comparison));
    let none = Vec::new();
    let slots = inputs.as_ref().map_or(&none, |inputs| &inputs.slots);
    if let Some(inputs) = &inputs {
        root = root.child(mean_node(scene, inputs, row, mean));
    }
    root = root.with_children(sections(scene, row, mean, slots));
    root.child(validity::of_hour(scene, mean, inputs.as_ref()))
        .with_children(limits::nodes(scene, row, mean, inputs.as_ref()))
        .with_children(reported(scene, row, mean, inputs.as_ref()))
        .with_children(around::nodes(scene, period, Some(mean)))
        .child(comparison)
}

/// The sections that depend on the medium: conversion, flow, amount; volume and amount.
fn sections(
    scene: &Scene<'_>,
    row: &AggregateRow,
    mean: &FactorAggregate,
    slots: &[Slot],
) -> Vec<Node> {
    let settings = scene
        .outlet
        .factors
        .get(scene.factor)
        .filter(|f| f.pollutant);
    match (scene.outlet.medium, &scene.outlet.gas) {
        (Medium::Gas, Some(gas)) => match settings {
            Some(settings) => vec![
                gas::converted_node(scene, gas, row, slots),
                flow::node(scene, gas, row),
                gas::amount_node(settings, row, mean),
            ],
            None if scene.is_flow() => vec![flow::node(scene, gas, row)],
            None => Vec::new(),
        },
        _ => water::sections(scene, row, mean, slots),
    }
}

/// Nothing is known of the factor in this hour.
fn without(scene: &Scene<'_>, root: Node, inputs: Option<&HourInputs>) -> Node {
    let expects = &scene.outlet.expectation;
    let (code, zh, en) = match inputs {
        None => (
            "no-data",
            "该小时没有收到任何数据",
            "no data were received for this hour",
        ),
        Some(_) => (
            "no-value",
            "该小时的记录均不含此因子",
            "no record of the hour carries it",
        ),
    };
    let root = root.judged(Outcome::NotJudged, code, Text::new(zh, en));
    if inputs.is_some() {
        return root;
    }
    match (expects.minute_min, expects.realtime_s) {
        (Some(minutes), _) => root.note(
            format!("应每 {minutes} 分钟有一条分钟数据"),
            format!("a minute record is expected every {minutes} min"),
        ),
        (None, Some(seconds)) => root.note(
            format!("应每 {seconds} 秒有一条实时数据"),
            format!("a real-time record is expected every {seconds} s"),
        ),
        (None, None) => root,
    }
}

/// Says what the hour was made of.
fn origin(root: Node, row: &AggregateRow, inputs: Option<&HourInputs>) -> Node {
    let Some(inputs) = inputs else {
        return root.note(
            "计算所用的记录已不在库中，以下为存档值",
            "the records it was computed from are no longer at hand: figures as stored",
        );
    };
    if row.origin == AggregateOrigin::Reported {
        return root.note(
            "没有更短的数据，采用设备上报的小时数据",
            "there is nothing shorter: the station's own hour record",
        );
    }
    let (zh, en) = words::kind(inputs.kind);
    let n = inputs.rows.len();
    root.note(
        format!("由 {n} 条{zh}计算"),
        format!("computed from {n} records of the kind: {en}"),
    )
}

/// The mean with the records that entered it.
fn mean_node(
    scene: &Scene<'_>,
    inputs: &HourInputs,
    row: &AggregateRow,
    mean: &FactorAggregate,
) -> Node {
    let dry = scene.outlet.medium == Medium::Gas && scene.is_pollutant();
    let (zh, en) = if dry {
        ("标态干基均值", "Mean, dry standard state")
    } else {
        ("均值", "Mean")
    };
    let node = Node::new(zh, en).valued(mean.mean, &scene.unit());
    let node = if row.origin == AggregateOrigin::Reported {
        node
    } else {
        formula_of(scene, inputs, node)
    };
    let node = match (mean.min, mean.max) {
        (Some(min), Some(max)) => {
            let (min, max) = (exact(min), exact(max));
            node.note(
                format!("有效值最小 {min}，最大 {max}"),
                format!("least valid value {min}, greatest {max}"),
            )
        }
        _ => node,
    };
    node.with_children(records(scene, inputs))
}

fn formula_of(scene: &Scene<'_>, inputs: &HourInputs, node: Node) -> Node {
    let slots = &inputs.slots;
    if scene.is_weighted() {
        return water::weighted(scene, node, slots);
    }
    let value = |slot: &Slot| match &scene.outlet.gas {
        Some(gas) if scene.outlet.medium == Medium::Gas => gas::dry(scene, gas, slot),
        _ => slot.value(scene.factor.as_str()),
    };
    let pairs = slots
        .iter()
        .filter_map(|slot| Some((value(slot)?, slot.minutes)));
    if scene.is_ph() {
        return of_ph(node, pairs.map(|(value, _)| value));
    }
    let formula = match scene.outlet.medium {
        Medium::Gas => "D24",
        Medium::Water => "mean",
    };
    match weighed(pairs) {
        None => node
            .by(formula, None)
            .note("没有有效值", "there is no valid value"),
        Some((sum, minutes, with)) => {
            let sum = exact(sum);
            node.by(formula, Some(with)).note(
                format!("有效 n = {minutes} 分钟，Σ = {sum}"),
                format!("n = {minutes} valid minutes, Σ = {sum}"),
            )
        }
    }
}

/// Sum of values over their minutes, the minutes, and the mean with both put in.
pub(super) fn weighed(
    pairs: impl Iterator<Item = (Decimal, u32)>,
) -> Option<(Decimal, u32, String)> {
    let mut sum = Decimal::ZERO;
    let mut minutes: u32 = 0;
    for (value, n) in pairs {
        sum = sum.checked_add(value.checked_mul(Decimal::from(n))?)?;
        minutes = minutes.checked_add(n)?;
    }
    (minutes > 0).then(|| (sum, minutes, format!("{} ÷ {minutes}", exact(sum))))
}

/// The ion balance of pH: the excess of acid is averaged.
pub(super) fn of_ph(node: Node, values: impl Iterator<Item = Decimal>) -> Node {
    let excess: Option<Vec<Decimal>> = values.map(ph::acid_excess).collect();
    let mean = excess.and_then(|all| Some((formula::mean(all.iter().copied())?, all.len())));
    let Some((excess, n)) = mean else {
        return node
            .by("ph-mean", None)
            .note("没有有效值", "there is no valid value");
    };
    let excess = exact(excess.round_dp(crate::quantity::INTERNAL_SCALE));
    node.by("ph-mean", Some("7 ∓ lg((|E| + √(E² + 4)) ÷ 2)".into()))
        .note(
            format!("n = {n}，酸过量的均值 E = {excess}（以 1e-7 mol/L 计）"),
            format!("n = {n}, mean excess of acid E = {excess}, in 1e-7 mol/L"),
        )
}

/// The records of the hour, each with its verdict.
fn records(scene: &Scene<'_>, inputs: &HourInputs) -> Vec<Node> {
    let of_row = |(i, row): (usize, &RecordRow)| {
        let label = scene.clock(row.start);
        let node = Node::new(label.clone(), label);
        let Some(stored) = row.values.get(scene.factor) else {
            let text = Text::new("该记录不含此因子", "the record does not carry the factor");
            return node.judged(Outcome::NotJudged, "no-value", text);
        };
        let mut node = record::value(scene, node, stored, (inputs.kind, row.start));
        if validity::taken_by_mark(scene, inputs, i, stored) {
            let text = Text::new("标记使其不计", "a mark keeps it from counting");
            node = node.judged(Outcome::Invalid, "mark", text);
        }
        if inputs.kind != RecordKind::Hour {
            node.children.extend(gas::of_record(scene, row));
        }
        node
    };
    inputs.rows.iter().enumerate().map(of_row).collect()
}

/// What the station itself said about the hour, where the hour was computed here.
fn reported(
    scene: &Scene<'_>,
    row: &AggregateRow,
    mean: &FactorAggregate,
    inputs: Option<&HourInputs>,
) -> Option<Node> {
    let record = inputs?.reported.as_ref()?;
    let stored = record.values.get(scene.factor)?;
    if row.origin == AggregateOrigin::Reported {
        return None;
    }
    let label = Node::new("设备上报的小时数据", "The station's own hour record");
    let node = record::value(scene, label, stored, (RecordKind::Hour, record.start));
    let off = mean
        .reported
        .zip(mean.mean)
        .filter(|(reported, mean)| reported != mean);
    Some(match off {
        None => node,
        Some((reported, mean)) => {
            let text = format!("{} ≠ {}", exact(reported), exact(mean));
            node.note(
                format!("与此处计算的均值不同：{text}"),
                format!("not the mean computed here: {text}"),
            )
        }
    })
}
