//! What people do: alarm actions, decisions about fallbacks.
//!
//! [`check`](super::check) has said before journalling whether they make sense. It is asked again
//! here: what makes no sense any more leaves a line in the audit trail and changes nothing.

use super::alarms::object;
use super::context::{Cx, Site};
use super::event::{AlarmAction, FallbackDecision};
use super::fallbacks;
use super::state::{Live, Shared};
use crate::model::{HandOver, HandOverRow, Output, Shift, ShiftRow};

/// Carries out a decision.
pub(super) fn decide(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    decision: FallbackDecision,
    cx: &mut Cx<'_>,
) {
    let terms = fallbacks::terms(site);
    let what = if decision.open {
        "fallback.decided-open"
    } else {
        "fallback.decided-close"
    };
    let on = format!("outlet/{}", decision.outlet);
    cx.audit(decision.by.as_str(), what, on, decision.note.clone());
    let turn = if decision.open {
        let id = fallbacks::identity(shared, site, cx);
        let words = (decision.by, decision.note);
        Some(live.state.fallback.decide_open(words, cx.at, &terms, id))
    } else {
        live.state.fallback.close(cx.at, decision.note, cx.seq)
    };
    fallbacks::follow(live, shared, site, turn.into_iter().collect(), cx);
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
