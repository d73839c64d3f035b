//! What bears on a figure besides the records: marks, tests of the equipment, the validity review,
//! manual reports, substitutes, clues.

use super::node::{Node, Outcome, exact};
use super::scene::Scene;
use super::{checks, quarter, words};
use crate::aggregate::standing;
use crate::lang::Text;
use crate::marks::{self, Listed};
use crate::model::time::quarter_of;
use crate::model::{
    FactorAggregate, Level, ManualReportRow, Period, QaKind, QaOutcome, QaRow, ReviewRow,
};

/// Everything that bears on `period`; empty sections are left out.
pub(super) fn nodes(
    scene: &Scene<'_>,
    period: Period,
    mean: Option<&FactorAggregate>,
) -> Vec<Node> {
    let counts = mean.is_some_and(|mean| mean.valid);
    [
        marked(scene, period, mean),
        equipment(scene, period),
        review(scene, period),
        quarter::substitutes(scene, period, mean),
        manual(scene, period, counts),
        checks::clues(scene, period.level, period.start),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn marked(scene: &Scene<'_>, period: Period, mean: Option<&FactorAggregate>) -> Option<Node> {
    let span = (period.start, period.end(scene.offset));
    let (rows, _) = standing::marked(scene.of(), span, scene.history);
    let used_min = standing::used(scene.of(), period.start, &rows, scene.history);
    let listed = marks::list(&rows, &scene.profile.marks, span, &used_min);
    let concerns = |listed: &&Listed| {
        let factors = &listed.row.mark.factors;
        factors.is_empty() || factors.contains(scene.factor)
    };
    let nodes: Vec<Node> = listed
        .iter()
        .filter(concerns)
        .map(|listed| mark(scene, listed))
        .collect();
    if nodes.is_empty() {
        return None;
    }
    let mut section = Node::new("标记", "Marks").with_children(nodes);
    let exempt = mean.map_or(0, |mean| mean.exempt_units);
    if exempt > 0 {
        section = section.note(
            format!("{exempt} 个单位时段因标记不判定超标"),
            format!("{exempt} units are not judged because of marks"),
        );
    }
    Some(section)
}

fn mark(scene: &Scene<'_>, listed: &Listed) -> Node {
    let row = &listed.row;
    let mark = &row.mark;
    let (zh, en) = words::mark(mark.kind);
    let span = scene.span(mark.from, mark.until);
    let mut node = Node::new(format!("{zh} {span}"), format!("{en} {span}"));
    node.seq = Some(row.id);
    node.received_at = Some(scene.offset.iso(row.entered_at));
    if let Some(effect) = listed.effect {
        let (zh, en) = words::effect(effect);
        node.rule = Some(scene.rule(&format!("marks.kinds.{}.effect", mark.kind), &en));
        node = node.note(format!("作用：{zh}"), format!("effect: {en}"));
    }
    if row.late {
        node = node.note("逾期标记", "entered late");
    }
    if let Some(back) = &row.withdrawn {
        let seq = back.seq;
        node = node.note(
            format!("撤回：{}（{}，日志 #{seq}）", back.reason, back.by),
            format!("withdrawn: {} ({}, entry #{seq})", back.reason, back.by),
        );
    }
    for lost in &listed.lost {
        let (zh, en) = words::no_effect(lost.why);
        let n = lost.minutes;
        node = node.note(
            format!("{n} 分钟无作用：{zh}"),
            format!("{n} min without effect: {en}"),
        );
    }
    let (all, holds) = (listed.minutes, listed.holds_min);
    let text = Text::new(
        format!("时段内 {all} 分钟，{holds} 分钟有作用"),
        format!("{all} min within the period, in effect for {holds}"),
    );
    let (outcome, code) = match listed.lost.first() {
        Some(lost) if holds == 0 => (Outcome::Fails, lost.why.as_str()),
        _ => (Outcome::Holds, "holds"),
    };
    node.note(
        format!("事由：{}（{}）", mark.reason, mark.by),
        format!("reason: {} ({})", mark.reason, mark.by),
    )
    .judged(outcome, code, text)
}

/// The last test of each kind at or before the period, and a failed one after it: the equipment
/// is out of control back to the last test that was passed.
fn equipment(scene: &Scene<'_>, period: Period) -> Option<Node> {
    let (outlet, factor) = (&scene.outlet.id, scene.factor);
    let mut nodes = Vec::new();
    for kind in QaKind::ALL {
        let (before, after) = scene.history.qa_around(outlet, factor, kind, period.start);
        let failed = |row: &QaRow| row.verdict.outcome == QaOutcome::Failed;
        nodes.extend(before.map(|row| test(scene, &row)));
        nodes.extend(after.filter(failed).map(|row| test(scene, &row)));
    }
    let section = Node::new("质控测试（前后）", "Tests of the equipment around it");
    (!nodes.is_empty()).then(|| section.with_children(nodes))
}

fn test(scene: &Scene<'_>, row: &QaRow) -> Node {
    let at = scene.instant(row.test.at);
    let (zh, en) = words::qa(row.test.kind);
    let verdict = &row.verdict;
    let mut node = Node::new(format!("{zh} {at}"), format!("{en} {at}"));
    node = node.valued(verdict.result, "");
    node.with = verdict
        .result
        .zip(verdict.limit)
        .map(|(result, limit)| format!("{} / {}（{}）", exact(result), exact(limit), verdict.band));
    node.formula = match row.test.kind {
        QaKind::ZeroDrift | QaKind::SpanDrift => Some("drift".into()),
        QaKind::RelativeAccuracy => Some("RA".into()),
        QaKind::Linearity | QaKind::StandardSample => Some("relative-error".into()),
        QaKind::Comparison => None,
    };
    node.seq = Some(row.id);
    node.profile = Some(row.profile.clone());
    node.received_at = Some(scene.offset.iso(row.entered_at));
    let (zh, en) = words::qa_outcome(verdict.outcome);
    let (outcome, code) = match verdict.outcome {
        QaOutcome::Passed => (Outcome::Holds, "passed"),
        QaOutcome::Adjust => (Outcome::Holds, "adjust"),
        QaOutcome::Failed => (Outcome::Fails, "failed"),
        QaOutcome::NotJudged => (Outcome::NotJudged, "not-judged"),
    };
    node.judged(outcome, code, Text::new(zh, en))
}

fn review(scene: &Scene<'_>, period: Period) -> Option<Node> {
    if period.level == Level::Year {
        return None;
    }
    let (quarter, _) = quarter_of(period.start, scene.offset);
    let row = scene.history.review(&scene.outlet.id, quarter)?;
    Some(review_node(scene, &row))
}

/// The validity review with its steps.
pub(super) fn review_node(scene: &Scene<'_>, row: &ReviewRow) -> Node {
    let node = Node::new("季度有效性审核", "Validity review of the quarter");
    let (outcome, code, zh, en) = match row.passed() {
        Some(true) => (Outcome::Holds, "passed", "审核通过", "passed"),
        Some(false) => (
            Outcome::Invalid,
            "review-failed",
            "审核不通过，数据不计",
            "failed",
        ),
        None => (Outcome::NotJudged, "open", "尚未审核", "no decision yet"),
    };
    let steps = row.entries.iter().map(|entry| {
        let (zh, en) = words::review(entry.action.step);
        let at = scene.instant(entry.at);
        let by = &entry.action.by;
        let mut step = Node::new(format!("{zh} {at}（{by}）"), format!("{en} {at} ({by})"));
        step.seq = Some(entry.seq);
        let note = &entry.action.note;
        if note.is_empty() {
            step
        } else {
            step.note(note.clone(), note.clone())
        }
    });
    node.judged(outcome, code, Text::new(zh, en))
        .with_children(steps)
}

/// Manual values sampled within a period that does not count.
fn manual(scene: &Scene<'_>, period: Period, counts: bool) -> Option<Node> {
    if counts || !matches!(period.level, Level::Hour | Level::Day) {
        return None;
    }
    let until = period.end(scene.offset);
    let rows = scene
        .history
        .manual_reports(&scene.outlet.id, period.start, until);
    let nodes: Vec<Node> = rows.iter().filter_map(|row| sample(scene, row)).collect();
    let section = Node::new("人工监测数据", "Manual reports");
    (!nodes.is_empty()).then(|| section.with_children(nodes))
}

fn sample(scene: &Scene<'_>, row: &ManualReportRow) -> Option<Node> {
    let report = &row.report;
    let value = report.values.iter().find(|v| v.factor == *scene.factor)?;
    let at = scene.instant(report.sampled_at);
    let mut node = Node::new(format!("采样 {at}"), format!("sampled {at}"));
    node = node.valued(Some(value.value), &scene.unit());
    node.seq = Some(row.seq);
    node.received_at = Some(scene.offset.iso(row.received_at));
    if row.late {
        node = node.note("逾期报送", "came after it was due");
    }
    if let Some(by) = &row.superseded {
        let by = by.by;
        node = node.note(
            format!("已由第 {by} 号更正"),
            format!("corrected by report {by}"),
        );
    }
    if row.withdrawn.is_some() {
        node = node.note("已撤回", "taken back");
    }
    Some(node.note(
        format!(
            "方法 {}，采样人 {}，实验室 {}",
            report.method, report.sampler, report.laboratory
        ),
        format!(
            "method {}, sampler {}, laboratory {}",
            report.method, report.sampler, report.laboratory
        ),
    ))
}
