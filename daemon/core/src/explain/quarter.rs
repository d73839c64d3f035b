//! The quarter: capture rate, and the amounts put in for invalid periods.

use super::around;
use super::node::{Node, Outcome, exact};
use super::scene::Scene;
use super::words;
use crate::lang::Text;
use crate::model::profile::CaptureFormula;
use crate::model::time::quarter_of;
use crate::model::{FactorAggregate, Gap, Level, Period, QuarterFactor, Substitute, Timestamp};
use rust_decimal::Decimal;

/// The capture rate of the quarter with its hours, amounts and gaps.
pub(super) fn explain(scene: &Scene<'_>, start: Timestamp) -> Node {
    let when = super::period::text(super::Asked::Quarter(start), scene.offset);
    let what = ("有效数据捕集率", "effective data capture rate");
    let mut root = scene.title(what, &when);
    root.unit = Some("%".into());
    let (outlet, history) = (&scene.outlet.id, scene.history);
    let row = history.quarter(outlet, start);
    let review = history.review(outlet, start);
    let review = review.map(|row| around::review_node(scene, &row));
    let found = row
        .as_ref()
        .and_then(|row| Some((row, row.factors.get(scene.factor)?)));
    let Some((row, factor)) = found else {
        let text = Text::new("该季度尚未计算", "the quarter has not been computed");
        return root
            .judged(Outcome::NotJudged, "no-data", text)
            .with_children(review);
    };
    let profile = scene
        .registry
        .profiles
        .get(&row.profile)
        .unwrap_or(scene.profile);
    let scene = &Scene { profile, ..*scene };
    root = root.valued(factor.capture_pct, "%");
    root = root.by("capture", capture_with(scene, factor));
    root.profile = Some(row.profile.clone());
    root.seq = Some(row.seq);
    if !row.complete {
        root = root.note(
            "季度尚未结束，为截至目前的数值",
            "the quarter is not over: so far",
        );
    }
    root = captured(scene, root, factor);
    root.with_children(counts(factor))
        .with_children(amounts(factor))
        .with_children(review)
        .with_children(gaps(scene, factor.gaps.iter()))
}

fn capture_with(scene: &Scene<'_>, factor: &QuarterFactor) -> Option<String> {
    factor.capture_pct?;
    let (hours, invalid, stopped) = (factor.hours, factor.invalid, factor.stopped);
    let due = match scene.profile.capture.formula {
        CaptureFormula::WithoutStops => format!("({hours} − {stopped})"),
        CaptureFormula::AllHours => hours.to_string(),
    };
    Some(format!("({hours} − {invalid} − {stopped}) ÷ {due} × 100"))
}

fn captured(scene: &Scene<'_>, mut root: Node, factor: &QuarterFactor) -> Node {
    let needed = scene.profile.capture.min_pct.normalize();
    root.rule = Some(scene.rule("capture.min_pct", &needed));
    let (outcome, code, zh, en) = match factor.capture_met {
        Some(true) => (
            Outcome::Valid,
            "reached",
            "达到要求",
            "reaches what is asked",
        ),
        Some(false) => (Outcome::Fails, "below", "低于要求", "below what is asked"),
        None => (
            Outcome::NotJudged,
            "not-applicable",
            "全季停运，不适用",
            "stopped throughout: not applicable",
        ),
    };
    let text = Text::new(format!("{zh}（{needed} %）"), format!("{en} ({needed} %)"));
    root.judged(outcome, code, text)
}

fn counts(factor: &QuarterFactor) -> [Node; 4] {
    let node = |zh: &str, en: &str, n: u32| Node::new(zh, en).valued(Some(n.into()), "h");
    [
        node("季度小时数", "hours of the quarter", factor.hours),
        node("停运小时", "stopped", factor.stopped),
        node("有效小时", "valid", factor.valid),
        node("无效小时", "invalid or missing", factor.invalid),
    ]
}

fn amounts(factor: &QuarterFactor) -> Vec<Node> {
    let node = |zh: &str, en: &str, kg: Option<Decimal>| {
        kg.map(|kg| Node::new(zh, en).valued(Some(kg), "kg"))
    };
    [
        node("实测排放量", "measured amount", factor.measured_kg),
        node("替代排放量", "amount put in", factor.substituted_kg),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn gaps<'g>(scene: &Scene<'_>, gaps: impl Iterator<Item = &'g Gap>) -> Option<Node> {
    let nodes: Vec<Node> = gaps.map(|gap| gap_node(scene, gap)).collect();
    let section = Node::new("无效时段与替代", "Invalid periods and what was put in");
    (!nodes.is_empty()).then(|| section.with_children(nodes))
}

fn gap_node(scene: &Scene<'_>, gap: &Gap) -> Node {
    let span = scene.span(gap.from, gap.until);
    let in_force = gap.settled.as_ref().unwrap_or(&gap.provisional);
    let (zh, en) = words::why(&gap.why);
    let hours = gap.hours;
    let mut node = Node::new(span.clone(), span)
        .amount(in_force.total_kg)
        .note(
            format!("原因：{zh}；连续无效 {hours} 小时"),
            format!("why: {en}; {hours} consecutive invalid hours"),
        );
    if let Some(kg) = crate::formula::sum(gap.replaced_by_day.iter().map(|(_, kg)| *kg)) {
        let kg = exact(kg);
        node = node.note(
            format!("取代其中实测的 {kg} kg"),
            format!("stands in place of {kg} kg that were measured in it"),
        );
    }
    node = node.child(substitute(scene, ("暂定", "provisional"), &gap.provisional));
    if let Some(settled) = &gap.settled {
        node = node.child(substitute(scene, ("最终", "settled"), settled));
    }
    node
}

fn substitute(scene: &Scene<'_>, (zh, en): words::Words, put_in: &Substitute) -> Node {
    let (rule_zh, rule_en) = words::substitution(&put_in.rule);
    let label = Node::new(format!("{zh}：{rule_zh}"), format!("{en}: {rule_en}"));
    let mut node = label.amount(put_in.unit_kg);
    node.formula = words::substitution_formula(&put_in.rule).map(Into::into);
    node.rule = Some(scene.rule("substitution.method", &put_in.rule));
    if let Some(pct) = put_in.capture_pct.map(exact) {
        node = node.note(format!("捕集率 {pct} %"), format!("capture rate {pct} %"));
    }
    if put_in.looked_back > 0 {
        let n = put_in.looked_back;
        node = node.note(
            format!("回溯有效数据 {n} 个"),
            format!("{n} valid units looked back upon"),
        );
    }
    if let Some((oldest, newest)) = put_in.window {
        let span = scene.span(oldest, newest);
        node = node.note(
            format!("回溯范围 {span}"),
            format!("looked back over {span}"),
        );
    }
    if let Some(at) = put_in.taken_from.map(|at| scene.instant(at)) {
        node = node.note(format!("取自 {at}"), format!("taken from {at}"));
    }
    node
}

/// Substitutes that reach into a period shorter or longer than the quarter.
pub(super) fn substitutes(
    scene: &Scene<'_>,
    period: Period,
    mean: Option<&FactorAggregate>,
) -> Option<Node> {
    let end = period.end(scene.offset);
    let mut found: Vec<Gap> = Vec::new();
    let mut at = period.start;
    while at < end {
        let (start, next) = quarter_of(at, scene.offset);
        if let Some(row) = scene.history.quarter(&scene.outlet.id, start) {
            let gaps = row
                .factors
                .get(scene.factor)
                .map(|factor| factor.gaps.clone());
            let touches = |gap: &Gap| gap.from < end && period.start < gap.until;
            found.extend(gaps.into_iter().flatten().filter(touches));
        }
        if next <= at {
            break;
        }
        at = next;
    }
    let section = gaps(scene, found.iter())?;
    let days = found.iter().flat_map(|gap| gap.by_day.iter());
    let within = days.filter(|(day, _)| period.contains(*day, scene.offset));
    let kg = crate::formula::sum(within.map(|(_, kg)| *kg));
    let put_in = mean.and_then(|mean| mean.substituted_kg).or(kg);
    let hour = period.level == Level::Hour;
    Some(section.amount(put_in.filter(|_| !hour)).note(
        "替代只用于排放量，浓度和烟气参数不改",
        "only amounts are put in: concentrations and gas parameters stay as they are",
    ))
}
