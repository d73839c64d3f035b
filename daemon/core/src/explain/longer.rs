//! Days, months and years: the mean of the valid shorter periods, sums of amounts, counts.

use super::node::{Node, Outcome, exact};
use super::scene::Scene;
use super::{around, compare, hour, limits, record, validity, words};
use crate::aggregate::gather;
use crate::lang::Text;
use crate::model::rows::AggregateOrigin;
use crate::model::{AggregateRow, FactorAggregate, Level, Medium, Period, RecordKind, RecordRow};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Terms of a sum that are written out; longer sums say how many there are.
const TERMS_MAX: usize = 12;

/// The whole derivation of a day, month or year; `depth` levels will be kept of it.
pub(super) fn explain(scene: &Scene<'_>, period: Period, depth: u32) -> Node {
    let scene = &scene.under_profile_of(period);
    let stored = scene.stored(period);
    let complete = stored.as_ref().is_some_and(|row| row.complete);
    let gathered = gather::gather(scene.of(), period, complete, scene.history);
    let (mut computed, rows, reported) = match gathered {
        Some(gathered) => (Some(gathered.row), gathered.below, gathered.reported_day),
        None => (None, Vec::new(), None),
    };
    if let Some(row) = &mut computed {
        limits::judge(scene, row, None);
    }
    let (zh, en) = words::level(period.level);
    let kind = (format!("{zh}均值"), format!("{en} mean"));
    let mut root = scene.title_of(&kind, &scene.period(period));
    root.unit = Some(scene.unit()).filter(|unit| !unit.is_empty());
    root.profile = Some(scene.profile.id.clone());
    let comparison = compare::node(scene, stored.as_ref(), computed.as_ref());
    let row = stored.as_ref().or(computed.as_ref());
    let mean = row.and_then(|row| row.factors.get(scene.factor));
    let (Some(row), Some(mean)) = (row, mean) else {
        let (code, zh, en) = match row {
            None => (
                "no-data",
                "该时段没有数据",
                "there are no data in this period",
            ),
            Some(_) => (
                "no-value",
                "该时段没有此因子的数据",
                "no data of the factor",
            ),
        };
        return root
            .judged(Outcome::NotJudged, code, Text::new(zh, en))
            .with_children(around::nodes(scene, period, None))
            .child(comparison);
    };
    root = root.valued(mean.mean, &scene.unit());
    root = validity::verdict(
        root,
        mean,
        validity::needed(scene, period, mean.due_units).2,
    );
    root.notes.extend(compare::warnings(&comparison));
    if row.origin == AggregateOrigin::Reported {
        root = root.note(
            "没有更短的数据，采用设备上报的日数据",
            "there is nothing shorter: the station's own day record",
        );
    } else {
        root = root.with_children(figures(scene, row, mean, &rows));
    }
    root.with_children(day_record(scene, reported.as_ref()))
        .child(validity::of_longer(scene, period, mean, &rows))
        .with_children(limits::nodes(scene, row, mean, None))
        .with_children(around::nodes(scene, period, Some(mean)))
        .with_children(below(scene, period, &rows, depth))
        .child(comparison)
}

/// Mean, converted mean, amount and volume.
fn figures(
    scene: &Scene<'_>,
    row: &AggregateRow,
    mean: &FactorAggregate,
    rows: &[AggregateRow],
) -> Vec<Node> {
    let mut nodes = vec![mean_node(scene, row.level, mean, rows)];
    let of = |f: fn(&FactorAggregate) -> Option<Decimal>| {
        let all = rows.iter().filter_map(|row| row.factors.get(scene.factor));
        all.filter(|factor| factor.valid)
            .filter_map(f)
            .collect::<Vec<_>>()
    };
    let gas = scene.outlet.medium == Medium::Gas;
    if gas && scene.is_pollutant() {
        let values = of(|f| f.converted);
        let node = Node::new("折算浓度均值", "Mean of the converted values");
        let node = node.valued(mean.converted, &scene.unit());
        nodes.push(arithmetic(node, row.level, &values));
    }
    if scene.has_amount() {
        let all = rows
            .iter()
            .filter_map(|row| row.factors.get(scene.factor)?.amount_kg);
        let node = Node::new("排放量", "Amount").valued(mean.amount_kg, "kg");
        let mut node = sum(
            node,
            if gas { "D34" } else { "sum" },
            &all.collect::<Vec<_>>(),
        );
        if let Some(put_in) = mean.substituted_kg {
            let total = mean.total_kg().map(exact).unwrap_or_default();
            let put_in = exact(put_in);
            node = node.note(
                format!("另有替代量 {put_in} kg，合计 {total} kg"),
                format!("besides, {put_in} kg were put in; {total} kg together"),
            );
        }
        nodes.push(node);
    }
    if scene.has_amount() || scene.is_flow() {
        let volumes: Vec<Decimal> = rows.iter().filter_map(|row| row.volume_m3).collect();
        let (zh, en) = volume_words(gas);
        let node = Node::new(zh, en).valued(row.volume_m3, "m³");
        nodes.push(sum(node, if gas { "D32" } else { "sum" }, &volumes));
    }
    nodes
}

fn mean_node(
    scene: &Scene<'_>,
    level: Level,
    mean: &FactorAggregate,
    rows: &[AggregateRow],
) -> Node {
    let node = Node::new("均值", "Mean").valued(mean.mean, &scene.unit());
    let valid: Vec<(Option<Decimal>, Decimal)> = rows
        .iter()
        .filter_map(|row| {
            let factor = row.factors.get(scene.factor).filter(|f| f.valid)?;
            Some((row.volume_m3, factor.mean?))
        })
        .collect();
    if scene.is_ph() {
        return hour::of_ph(node, valid.into_iter().map(|(_, mean)| mean));
    }
    if !scene.is_weighted() {
        let means: Vec<Decimal> = valid.into_iter().map(|(_, mean)| mean).collect();
        return arithmetic(node, level, &means);
    }
    let mut volume = Some(Decimal::ZERO);
    let mut product = Some(Decimal::ZERO);
    let mut n: u32 = 0;
    for (d, c) in valid.iter().filter_map(|(d, c)| Some(((*d)?, *c))) {
        volume = volume.and_then(|v| v.checked_add(d));
        product = product.and_then(|p| p.checked_add(d.checked_mul(c)?));
        n = n.saturating_add(1);
    }
    let Some((volume, product)) = volume.zip(product).filter(|(v, _)| !v.is_zero()) else {
        return node.by("D-water-weighted", None).note("ΣD = 0", "ΣD = 0");
    };
    let (d, product) = (exact(volume), exact(product));
    node.by("D-water-weighted", Some(format!("{product} ÷ {d}")))
        .note(
            format!("{n} 个有效时段，以水量加权：ΣD = {d} m³，Σ(D×C) = {product}"),
            format!("{n} valid units, weighted by volume: ΣD = {d} m³, Σ(D×C) = {product}"),
        )
}

fn arithmetic(node: Node, level: Level, values: &[Decimal]) -> Node {
    let formula = if level == Level::Day { "D25" } else { "mean" };
    let n = values.len();
    let sum = values
        .iter()
        .try_fold(Decimal::ZERO, |sum, v| sum.checked_add(*v));
    match sum.filter(|_| n > 0) {
        None => node
            .by(formula, None)
            .note("没有有效值", "there is no valid value"),
        Some(sum) => {
            let sum = exact(sum);
            node.by(formula, Some(format!("{sum} ÷ {n}"))).note(
                format!("有效 n = {n}，Σ = {sum}"),
                format!("n = {n} valid, Σ = {sum}"),
            )
        }
    }
}

fn sum(node: Node, formula: &'static str, terms: &[Decimal]) -> Node {
    let n = terms.len();
    if n == 0 {
        return node
            .by(formula, None)
            .note("没有可加的量", "there is nothing to add up");
    }
    let written = (n <= TERMS_MAX).then(|| {
        let terms: Vec<String> = terms.iter().copied().map(exact).collect();
        terms.join(" + ")
    });
    node.by(formula, written)
        .note(format!("{n} 项之和"), format!("sum of {n} terms"))
}

fn volume_words(gas: bool) -> words::Words {
    if gas {
        ("标干排气量", "Dry standard volume")
    } else {
        ("水量", "Volume")
    }
}

/// What the station said about the day.
fn day_record(scene: &Scene<'_>, reported: Option<&RecordRow>) -> Option<Node> {
    let row = reported?;
    let stored = row.values.get(scene.factor)?;
    let label = Node::new("设备上报的日数据", "The station's own day record");
    Some(record::value(
        scene,
        label,
        stored,
        (RecordKind::Day, row.start),
    ))
}

/// The shorter periods, one by one; as whole derivations where the depth reaches into them.
fn below(scene: &Scene<'_>, period: Period, rows: &[AggregateRow], depth: u32) -> Option<Node> {
    let level = gather::shorter(period.level)?;
    let (zh, en) = words::level(level);
    let by_start: BTreeMap<_, _> = rows.iter().map(|row| (row.start, row)).collect();
    let whole = depth > BRIEF_DEPTH;
    let nodes = scene.shorter(period, level).into_iter().map(|unit| {
        if whole {
            return super::of_period(scene, unit, depth.saturating_sub(2));
        }
        brief(scene, unit, by_start.get(&unit.start).copied())
    });
    let section = Node::new(format!("逐{zh}"), format!("Each {en}"));
    Some(section.with_children(nodes))
}

/// Depth down to which shorter periods are given in brief: root, section, period, its figures.
pub(super) const BRIEF_DEPTH: u32 = 3;

/// A shorter period as it enters: mean, verdict, weight, amount.
fn brief(scene: &Scene<'_>, unit: Period, row: Option<&AggregateRow>) -> Node {
    let label = scene.period(unit);
    let node = Node::new(label.clone(), label);
    let Some((row, factor)) = row.and_then(|row| Some((row, row.factors.get(scene.factor)?)))
    else {
        let text = Text::new("没有数据", "there are no data");
        return node.judged(Outcome::NotJudged, "no-data", text);
    };
    let mut node = node.valued(factor.mean, &scene.unit());
    node.seq = Some(row.seq);
    let scene = &scene.under_profile_of(unit);
    node = validity::verdict(
        node,
        factor,
        validity::needed(scene, unit, factor.due_units).2,
    );
    let gas = scene.outlet.medium == Medium::Gas;
    let (zh, en) = volume_words(gas);
    let figure = |value: Option<Decimal>, zh: &str, en: &str, unit: &str| {
        value.map(|value| Node::new(zh, en).valued(Some(value), unit))
    };
    if gas {
        let unit = scene.unit();
        node.children
            .extend(figure(factor.converted, "折算值", "converted", &unit));
    }
    if scene.has_amount() {
        node.children
            .extend(figure(factor.amount_kg, "排放量", "amount", "kg"));
    }
    if scene.has_amount() || scene.is_flow() {
        node.children.extend(figure(row.volume_m3, zh, en, "m³"));
    }
    let exceeded = factor.limits.iter().filter(|v| v.exceeded);
    for verdict in exceeded {
        let (judged, bound) = (exact(verdict.judged), exact(verdict.bound));
        node = node.note(
            format!("超限值 {}：{judged} / {bound}", verdict.limit),
            format!("outside the limit {}: {judged} / {bound}", verdict.limit),
        );
    }
    node
}
