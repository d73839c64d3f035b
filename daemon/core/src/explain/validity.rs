//! Whether a mean counts, by how many units, and what became of the others.

use super::checks;
use super::node::{Node, Outcome};
use super::scene::Scene;
use super::{gas, water, words};
use crate::aggregate::gather::HourInputs;
use crate::aggregate::{self, Slot};
use crate::lang::Text;
use crate::model::profile::DayThreshold;
use crate::model::{AggregateRow, FactorAggregate, Level, Medium, Period, StoredValue};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Minutes an hour holds.
const MINUTES: u32 = 60;

/// The verdict on a mean that needs `needed` valid units.
pub(super) fn verdict(node: Node, mean: &FactorAggregate, needed: u32) -> Node {
    let n = mean.valid_units;
    if mean.valid {
        let text = Text::new(
            format!("有效 {n}，需要 {needed}"),
            format!("{n} valid, {needed} needed"),
        );
        return node.judged(Outcome::Valid, "valid", text);
    }
    if let Some(why) = &mean.invalid_why {
        let (zh, en) = words::why(why);
        return node.judged(Outcome::Invalid, why, Text::new(zh, en));
    }
    let stopped = mean.due_units == 0 || mean.stopped_units > 0 && n == 0;
    let (code, zh, en) = if n >= needed {
        ("no-mean", "没有均值", "there is no mean")
    } else if stopped {
        (
            "stopped",
            "停运，没有有效数据",
            "stopped: there are no valid data",
        )
    } else {
        ("too-few", "有效数据不足", "too few valid data")
    };
    let text = Text::new(
        format!("{zh}：有效 {n}，需要 {needed}"),
        format!("{en}: {n} valid, {needed} needed"),
    );
    node.judged(Outcome::Invalid, code, text)
}

/// The verdict on an hour with the profile's entry and what became of its 60 minutes.
pub(super) fn of_hour(
    scene: &Scene<'_>,
    mean: &FactorAggregate,
    inputs: Option<&HourInputs>,
) -> Node {
    let needed = scene.profile.hour_min_valid_minutes;
    let node = Node::new("有效性判定（小时）", "Does the hour count");
    let mut node = verdict(node, mean, needed);
    node.rule = Some(scene.rule("hour_min_valid_minutes", &needed));
    node.with = Some(relation(mean.valid_units, needed));
    if mean.stopped_units > 0 {
        let n = mean.stopped_units;
        node = node.note(
            format!("停运 {n} 分钟，不属应有数据"),
            format!("stopped for {n} min, in which no data are due"),
        );
    }
    match inputs {
        Some(inputs) => breakdown(scene, node, inputs),
        None => node,
    }
}

fn relation(n: u32, needed: u32) -> String {
    let sign = if n >= needed { '≥' } else { '<' };
    format!("{n} {sign} {needed}")
}

/// Why minutes do not count: failed checks and flags, values that could not be used, silence.
fn breakdown(scene: &Scene<'_>, mut node: Node, inputs: &HourInputs) -> Node {
    let mut failed: BTreeMap<(Vec<SmolStr>, SmolStr), (u32, &StoredValue)> = BTreeMap::new();
    let mut covered: u32 = 0;
    let mut marked: u32 = 0;
    let one_to_one = inputs.rows.len() == inputs.slots.len();
    for (i, row) in inputs.rows.iter().enumerate() {
        let Some(stored) = row.values.get(scene.factor) else {
            continue;
        };
        let slot = inputs.slots.get(i).filter(|_| one_to_one);
        let minutes = slot.map_or(1, |slot| slot.minutes);
        covered = covered.saturating_add(minutes);
        if taken_by_mark(scene, inputs, i, stored) {
            marked = marked.saturating_add(minutes);
        }
        if !stored.valid {
            let codes = stored.checks.iter().map(|check| check.0.clone()).collect();
            let flag = stored
                .value
                .flag
                .as_ref()
                .map_or(SmolStr::default(), |f| f.0.clone());
            let entry = failed.entry((codes, flag)).or_insert((0, stored));
            entry.0 = entry.0.saturating_add(minutes);
        }
    }
    for ((_, flag), (n, stored)) in failed {
        let Some(verdict) = checks::judge(Node::default(), stored).verdict else {
            continue;
        };
        let (zh, en) = words::flag(&flag);
        let (flag_zh, flag_en) = if flag.is_empty() {
            (String::new(), String::new())
        } else {
            (
                format!("（标记 {flag} {zh}）"),
                format!(" (flag {flag}, {en})"),
            )
        };
        node = node.note(
            format!("{n} 次无效：{}{flag_zh}", verdict.text.zh),
            format!("{n} not valid: {}{flag_en}", verdict.text.en),
        );
    }
    if let Some((n, zh, en)) = unused(scene, &inputs.slots) {
        node = node.note(format!("{n} 分钟{zh}"), format!("{n} min {en}"));
    }
    if marked > 0 {
        node = node.note(
            format!("{marked} 分钟因标记不计"),
            format!("{marked} min do not count because of marks"),
        );
    }
    let missing = MINUTES.saturating_sub(covered);
    if one_to_one && missing > 0 {
        node = node.note(
            format!("{missing} 分钟没有记录"),
            format!("{missing} min without a record"),
        );
    }
    node
}

/// The value of record `i` passed its checks, but a mark takes it away.
pub(super) fn taken_by_mark(
    scene: &Scene<'_>,
    inputs: &HourInputs,
    i: usize,
    stored: &StoredValue,
) -> bool {
    let one_to_one = inputs.rows.len() == inputs.slots.len();
    let slot = inputs.slots.get(i).filter(|_| one_to_one && stored.valid);
    slot.is_some_and(|slot| slot.value(scene.factor.as_str()).is_none())
}

/// Minutes with a valid value that could not be used.
fn unused(scene: &Scene<'_>, slots: &[Slot]) -> Option<(u32, &'static str, &'static str)> {
    let valid = |slot: &&Slot| slot.value(scene.factor.as_str()).is_some();
    let count = |lost: &dyn Fn(&Slot) -> bool| {
        let lost = slots.iter().filter(valid).filter(|slot| lost(slot));
        lost.map(|slot| slot.minutes).fold(0, u32::saturating_add)
    };
    let (n, zh, en) = match (scene.outlet.medium, &scene.outlet.gas) {
        (Medium::Gas, Some(gas)) => (
            count(&|slot| gas::dry(scene, gas, slot).is_none()),
            "数值有效但缺少换算所需的烟气参数",
            "valid, but without the gas parameters the conversion needs",
        ),
        _ if scene.is_weighted() => (
            count(&|slot| water::volume(slot).is_none()),
            "数值有效但没有有效流量，不计入加权均值",
            "valid, but without a valid flow: not in the weighted mean",
        ),
        _ => return None,
    };
    (n > 0).then_some((n, zh, en))
}

/// Units that a day, month or year needs: the key of the profile's entry, its value, and the
/// number for this period. A year needs all its months, which no entry says.
pub(super) fn needed(
    scene: &Scene<'_>,
    period: Period,
    due: u32,
) -> (Option<&'static str>, u32, u32) {
    let profile = scene.profile;
    match period.level {
        Level::Hour => {
            let minutes = profile.hour_min_valid_minutes;
            (Some("hour_min_valid_minutes"), minutes, minutes)
        }
        Level::Day => {
            let hours = profile.day_min_valid_hours;
            let needed = match profile.day_threshold {
                DayThreshold::Hours => hours,
                // The same share of the hours due.
                DayThreshold::ShareOfDue => hours.saturating_mul(due).div_ceil(24),
            };
            (Some("day_min_valid_hours"), hours, needed)
        }
        Level::Month if aggregate::is_february(period, scene.offset) => {
            let days = profile.february_min_valid_days;
            (Some("february_min_valid_days"), days, days)
        }
        Level::Month => {
            let days = profile.month_min_valid_days;
            (Some("month_min_valid_days"), days, days)
        }
        Level::Year => {
            let months = aggregate::units_of(period, scene.offset);
            (None, months, months)
        }
    }
}

/// The verdict on a day, month or year with its counts.
pub(super) fn of_longer(
    scene: &Scene<'_>,
    period: Period,
    mean: &FactorAggregate,
    rows: &[AggregateRow],
) -> Node {
    let (key, value, needed) = needed(scene, period, mean.due_units);
    let (zh, en) = words::level(period.level);
    let node = Node::new(
        format!("有效性判定（{zh}）"),
        format!("Does the {en} count"),
    );
    let mut node = verdict(node, mean, needed);
    node.rule = key.map(|key| scene.rule(key, &value));
    node.with = Some(relation(mean.valid_units, needed));
    let (valid, due, stopped) = (mean.valid_units, mean.due_units, mean.stopped_units);
    let missing = aggregate::units_of(period, scene.offset)
        .saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
    node.note(
        format!("有效 {valid}，应有 {due}，停运 {stopped}，无数据 {missing}"),
        format!("{valid} valid, {due} due, {stopped} stopped, {missing} without data"),
    )
}
