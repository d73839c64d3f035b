//! The manual fallback in the engine: what speaks for and against the equipment goes into its
//! machine, and the machine's turns come out as rows, alarms and lines of the audit trail.

use super::alarms::{NewAlarm, gone, holds};
use super::context::{Cx, ENGINE, Site};
use super::state::{Live, Shared};
use crate::fallback::{Identity, Judged, Owed, Terms, Turn};
use crate::model::{
    AlarmKind, FactorCode, FallbackId, FallbackRow, Output, QaKind, QaOutcome, ReviewRow,
    ReviewStep, Timestamp, WrittenReport,
};
use smol_str::{SmolStr, format_smolstr};

/// Key of the condition "manual report overdue".
const OVERDUE: &str = "fallback.overdue";
/// Key of the condition "written report overdue".
const WRITTEN: &str = "fallback.written";

/// The terms of an outlet's rule.
pub(super) fn terms(site: Site<'_>) -> Terms<'_> {
    Terms::new(&site.outlet.fallback, site.offset)
}

/// Where a new fallback of the outlet would belong.
pub(super) fn identity<'a>(shared: &'a mut Shared, site: Site<'a>, cx: &Cx<'_>) -> Identity<'a> {
    Identity {
        outlet: &site.outlet.id,
        last_id: &mut shared.fallbacks,
        seq: cx.seq,
    }
}

/// Lets the deadlines of the fallback fall due.
pub(super) fn due(live: &mut Live, shared: &mut Shared, site: Site<'_>, cx: &mut Cx<'_>) {
    let id = identity(shared, site, cx);
    let turns = live.state.fallback.advance(cx.at, &terms(site), id);
    follow(live, shared, site, turns, cx);
}

/// The tests of a kind have changed for a factor: what the last one says.
pub(super) fn tested(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    (factor, kind): (&FactorCode, QaKind),
    cx: &mut Cx<'_>,
) {
    let (last, _) = cx.history.qa_around(&site.outlet.id, factor, kind, cx.at);
    let failed = last.filter(|row| row.verdict.outcome == QaOutcome::Failed);
    let failed = failed.map(|row| (row.test.at, row.id));
    let id = identity(shared, site, cx);
    let machine = &mut live.state.fallback;
    let turns = machine.tested((factor, kind), failed, cx.at, &terms(site), id);
    follow(live, shared, site, turns, cx);
}

/// A review has been decided, or decided anew.
pub(super) fn reviewed(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    review: &ReviewRow,
    cx: &mut Cx<'_>,
) {
    let decisions = review.entries.iter().rev();
    let mut decisions = decisions.filter(|entry| entry.action.step != ReviewStep::Submit);
    let Some(last) = decisions.next() else {
        return;
    };
    let judged = Judged {
        passed: last.action.step == ReviewStep::Pass,
        by: last.action.by.clone(),
        seq: last.seq,
    };
    let id = identity(shared, site, cx);
    let machine = &mut live.state.fallback;
    let turns = machine.reviewed((review.quarter, judged), cx.at, &terms(site), id);
    live.dirty = true;
    follow(live, shared, site, turns, cx);
}

/// Puts out what turns of the fallback mean.
pub(super) fn follow(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    turns: Vec<Turn>,
    cx: &mut Cx<'_>,
) {
    if turns.is_empty() {
        return;
    }
    live.dirty = true;
    for turn in turns {
        one(live, shared, site, turn, cx);
    }
    if let Some(row) = live.state.fallback.row().cloned() {
        cx.emit(Output::Fallback(row));
    }
}

fn one(live: &mut Live, shared: &mut Shared, site: Site<'_>, turn: Turn, cx: &mut Cx<'_>) {
    let row = live.state.fallback.row().cloned();
    match (turn, row) {
        (Turn::Opened, Some(row)) => {
            let outlet = site.outlet.id.to_string();
            cx.audit(ENGINE, "fallback.opened", object(row.id), outlet);
        }
        (Turn::Overdue(since), Some(row)) => overdue(live, shared, site, (&row, since), cx),
        (Turn::Relieved, _) => ended(live, shared, OVERDUE, "report-came", cx),
        (Turn::Reminder(id, owed, due), _) => {
            let words = format!("{} {}", owed.as_str(), site.offset.iso(due));
            cx.audit(ENGINE, "fallback.reminded", object(id), words);
        }
        (Turn::Escalate(id, owed, since, step), _) => {
            let since = site.offset.iso(since);
            let words = format!("{} {since} step {step}", owed.as_str());
            cx.audit(ENGINE, "fallback.escalated", object(id), words);
        }
        (Turn::Written(id, written), _) => wrote(live, shared, site, (id, written), cx),
        (Turn::Closed(row), _) => {
            ended(live, shared, OVERDUE, "closed", cx);
            let why = row.closed_why.clone().unwrap_or_default();
            cx.audit(ENGINE, "fallback.closed", object(row.id), why);
            cx.emit(Output::Fallback(*row));
        }
        _ => {}
    }
}

fn ended(live: &mut Live, shared: &mut Shared, key: &str, why: &'static str, cx: &mut Cx<'_>) {
    gone(
        &mut live.state.conditions,
        &mut shared.book,
        key,
        why,
        cx,
    );
}

fn overdue(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    (row, since): (&FallbackRow, Timestamp),
    cx: &mut Cx<'_>,
) {
    let short_day = row.next_due.is_none_or(|due| due != since);
    let why = if short_day { "short-day" } else { "gap" };
    let new = NewAlarm {
        facts: facts(site, (row.id, why, since)),
        ..NewAlarm::of(AlarmKind::ManualReportOverdue, site.outlet, since)
    };
    let conditions = &mut live.state.conditions;
    holds(conditions, &mut shared.book, (OVERDUE, new), None, cx);
    cx.audit(ENGINE, "fallback.overdue", object(row.id), why.into());
}

fn facts(
    site: Site<'_>,
    (id, why, due): (FallbackId, &str, Timestamp),
) -> Vec<(&'static str, String)> {
    vec![
        ("fallback", id.to_string()),
        ("why", why.into()),
        ("due", site.offset.iso(due)),
    ]
}

/// The written report of a fallback is overdue, or was delivered.
pub(super) fn wrote(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    (id, written): (FallbackId, WrittenReport),
    cx: &mut Cx<'_>,
) {
    live.dirty = true;
    if let Some(since) = written.overdue_since {
        let why = Owed::Written.as_str();
        let new = NewAlarm {
            facts: facts(site, (id, why, since)),
            ..NewAlarm::of(AlarmKind::ManualReportOverdue, site.outlet, since)
        };
        let conditions = &mut live.state.conditions;
        holds(conditions, &mut shared.book, (WRITTEN, new), None, cx);
        cx.audit(ENGINE, "fallback.overdue", object(id), why.into());
    } else if !live.state.fallback.owes_writing(cx.at) {
        ended(live, shared, WRITTEN, "report-came", cx);
    }
    let open = live.state.fallback.note_written(id, &written, cx.seq);
    let row = match open {
        true => live.state.fallback.row().cloned(),
        false => cx.history.fallback(id),
    };
    if let Some(mut row) = row {
        row.written = Some(written);
        row.updated_seq = cx.seq;
        cx.emit(Output::Fallback(row));
    }
}

/// How a fallback is named in the audit trail.
pub(super) fn object(id: FallbackId) -> SmolStr {
    format_smolstr!("fallback/{id}")
}
