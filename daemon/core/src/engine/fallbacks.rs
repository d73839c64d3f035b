//! The manual fallback in the engine: what speaks for and against the equipment goes into its
//! machine, and the machine's turns come out as rows, alarms and lines of the audit trail.

use super::alarms::{NewAlarm, ended, gone, holds};
use super::context::{Cx, ENGINE, Site};
use super::duties;
use super::state::{Live, Shared};
use crate::fallback::{Identity, Judged, Owed, Terms, Turn};
use crate::model::{
    About, AlarmKind, FactorCode, FallbackId, FallbackRow, MessageReason, Output, Priority, QaKind,
    QaOutcome, ReviewRow, ReviewStep, Role, Timestamp, WrittenReport,
};
use crate::notify::Notice;
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeSet;

/// Key of the condition "manual report overdue".
const OVERDUE: &str = "fallback.overdue";
/// Key of the condition "written report overdue", with the number of its fallback: each owes one.
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
            tell(site, row.id, MessageReason::FallbackOpened, None, cx);
            duties::fallback_opened(shared, &row, cx);
        }
        (Turn::Overdue(since), Some(row)) => overdue(live, shared, site, (&row, since), cx),
        (Turn::Relieved, _) => {
            let conditions = &mut live.state.conditions;
            gone(conditions, &mut shared.book, OVERDUE, "report-came", cx);
        }
        (Turn::Reminder(id, owed, due), _) => {
            let words = format!("{} {}", owed.as_str(), site.offset.iso(due));
            cx.audit(ENGINE, "fallback.reminded", object(id), words);
            tell(site, id, MessageReason::ReportReminder, None, cx);
        }
        (Turn::Escalate(id, owed, since, step), _) => {
            let since = site.offset.iso(since);
            let words = format!("{} {since} step {step}", owed.as_str());
            cx.audit(ENGINE, "fallback.escalated", object(id), words);
            tell(site, id, MessageReason::ReportEscalated, Some(step), cx);
        }
        (Turn::Written(id, written), _) => wrote(live, shared, site, (id, written), cx),
        (Turn::Closed(row), _) => {
            let conditions = &mut live.state.conditions;
            ended(conditions, &mut shared.book, OVERDUE, "closed", cx);
            let why = row.closed_why.clone().unwrap_or_default();
            cx.audit(ENGINE, "fallback.closed", object(row.id), why);
            tell(site, row.id, MessageReason::FallbackClosed, None, cx);
            cx.emit(Output::Fallback(*row));
        }
        _ => {}
    }
}

/// Tells people of a turn. From the second step of an escalation on, those who supervise are told;
/// who else is told says the policy.
fn tell(site: Site<'_>, id: FallbackId, reason: MessageReason, step: Option<u32>, cx: &mut Cx<'_>) {
    let priority = match reason {
        MessageReason::ReportEscalated => Priority::Urgent,
        MessageReason::FallbackOpened | MessageReason::ReportReminder => Priority::High,
        _ => Priority::Normal,
    };
    let roles = match step {
        Some(2..) => BTreeSet::from([Role::Supervisor]),
        _ => BTreeSet::new(),
    };
    let enterprise = &site.outlet.enterprise;
    let region = cx.registry.enterprises.get(enterprise);
    cx.notice(Notice {
        reason,
        about: About::Fallback(id),
        priority,
        kind: None,
        outlet: Some(site.outlet.id.clone()),
        enterprise: Some(enterprise.clone()),
        region: region.map(|enterprise| enterprise.region.clone()),
        roles,
    });
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
    let machine = &mut live.state.fallback;
    let own = machine.note_written(id, &written, cx.seq);
    let row = match own {
        true => machine.row().cloned(),
        false => cx.history.fallback(id),
    };
    let Some(mut row) = row else { return };
    let conditions = &mut live.state.conditions;
    let key = format_smolstr!("{WRITTEN}|{id}");
    if let Some(due) = written.overdue_since {
        let why = Owed::Written.as_str();
        let new = NewAlarm {
            facts: facts(site, (id, why, due)),
            ..NewAlarm::of(AlarmKind::WrittenReportOverdue, site.outlet, row.opened_at)
        };
        holds(conditions, &mut shared.book, (&key, new), None, cx);
        cx.audit(ENGINE, "fallback.overdue", object(id), why.into());
    } else {
        ended(conditions, &mut shared.book, &key, "report-came", cx);
        conditions.remove(&key);
    }
    row.written = Some(written);
    row.updated_seq = cx.seq;
    cx.emit(Output::Fallback(row));
}

/// How a fallback is named in the audit trail.
pub(super) fn object(id: FallbackId) -> SmolStr {
    format_smolstr!("fallback/{id}")
}
