//! What people do: manual reports, alarm actions, decisions about fallbacks.
//!
//! [`check`](super::check) has said before journalling whether they make sense. It is asked again
//! here: what makes no sense any more leaves a line in the audit trail and changes nothing.

use super::alarms::object;
use super::context::{Cx, Site};
use super::event::{AlarmAction, FallbackDecision};
use super::state::{Live, Shared};
use super::{quarters, supervision};
use crate::fallback::{Identity, Terms};
use crate::model::{
    HandOver, HandOverRow, ManualReport, ManualReportRow, Output, ReportId, Shift, ShiftRow,
};

/// Keeps a manual report and counts it.
pub(super) fn report(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    report: ManualReport,
    cx: &mut Cx<'_>,
) {
    let terms = Terms::new(&site.outlet.fallback, site.offset);
    let (counted, turns) = live
        .state
        .fallback
        .report(report.sampled_at, cx.at, &terms, cx.seq);
    live.dirty = true;
    shared.reports = shared.reports.saturating_add(1);
    let row = ManualReportRow {
        id: ReportId(shared.reports),
        fallback: counted.map(|(id, _)| id),
        received_at: cx.at,
        late: counted.is_some_and(|(_, late)| late),
        seq: cx.seq,
        report,
    };
    let (who, what) = (row.report.by.clone(), format!("report/{}", row.id));
    let detail = row.report.outlet.to_string();
    quarters::sampled(live, site, row.report.sampled_at, cx);
    cx.emit(Output::ManualReport(row));
    cx.audit(who.as_str(), "report.received", what, detail);
    supervision::follow(live, shared, site, turns, cx);
}

/// Carries out a decision.
pub(super) fn decide(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    decision: FallbackDecision,
    cx: &mut Cx<'_>,
) {
    let terms = Terms::new(&site.outlet.fallback, site.offset);
    let what = if decision.open {
        "fallback.decided-open"
    } else {
        "fallback.decided-close"
    };
    let on = format!("outlet/{}", decision.outlet);
    cx.audit(decision.by.as_str(), what, on, decision.note.clone());
    let turn = if decision.open {
        let id = Identity {
            outlet: &site.outlet.id,
            last_id: &mut shared.fallbacks,
            seq: cx.seq,
        };
        let words = (decision.by, decision.note);
        Some(live.state.fallback.decide_open(words, cx.at, &terms, id))
    } else {
        live.state.fallback.close(cx.at, decision.note, cx.seq)
    };
    supervision::follow(live, shared, site, turn.into_iter().collect(), cx);
}

/// Carries out what a person does to an alarm; what is refused or repeated is noted.
pub(super) fn act(shared: &mut Shared, action: AlarmAction, cx: &mut Cx<'_>) {
    let (id, by, note) = (action.alarm, action.by.clone(), action.note.clone());
    match shared.book.act(action, cx) {
        Ok(what) => cx.audit(by.as_str(), what, object(id), note),
        Err(error) => cx.audit(by.as_str(), "alarm.refused", object(id), error.to_string()),
    }
}

/// Enters a shift into the roster.
pub(super) fn shift(shared: &mut Shared, shift: Shift, cx: &mut Cx<'_>) {
    let names: Vec<&str> = shift.people.iter().map(|id| id.as_str()).collect();
    let (by, detail) = (shift.by.clone(), names.join(" "));
    let object = format!("shift/{}", shift.from.0);
    match shared.roster.enter(shift.clone(), cx.at) {
        Ok(()) => {
            shared.roster_dirty = true;
            cx.emit(Output::Shift(ShiftRow { shift, seq: cx.seq }));
            cx.audit(by.as_str(), "roster.entered", object, detail);
        }
        Err(error) => cx.audit(by.as_str(), "roster.refused", object, error.to_string()),
    }
}

/// Hands the desk over.
pub(super) fn hand_over(shared: &mut Shared, over: HandOver, cx: &mut Cx<'_>) {
    let by = over.from.clone();
    if let Err(error) = shared.roster.hand_over(&over, cx.at) {
        cx.audit(by.as_str(), "roster.refused", "desk", error.to_string());
        return;
    }
    shared.roster_dirty = true;
    let names: Vec<&str> = over.to.iter().map(|id| id.as_str()).collect();
    let detail = format!("{}: {}", names.join(" "), over.note);
    cx.audit(by.as_str(), "desk.handed-over", "desk", detail);
    cx.emit(Output::HandOver(HandOverRow {
        id: cx.seq,
        at: cx.at,
        open_alarms: u32::try_from(shared.book.desk.len()).unwrap_or(u32::MAX),
        over,
    }));
}
