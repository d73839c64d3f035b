//! What people do: alarm actions, decisions about fallbacks.
//!
//! [`check`](super::check) has said before journalling whether they make sense. It is asked again
//! here: what makes no sense any more leaves a line in the audit trail and changes nothing.

use super::alarms::object;
use super::check::ActionError;
use super::context::{Cx, Site};
use super::event::{AlarmAction, AlarmActionKind, FallbackDecision};
use super::state::{Live, Shared};
use super::fallbacks;
use crate::alarm;
use crate::model::{Acknowledgement, Closure};

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

/// Acknowledges or closes an alarm; what is refused or repeated is noted.
pub(super) fn act(shared: &mut Shared, action: AlarmAction, cx: &mut Cx<'_>) {
    let (id, by) = (action.alarm, action.by.clone());
    let (seq, at) = (cx.seq, cx.at);
    let Some(row) = shared.book.get(id, cx) else {
        let error = ActionError::UnknownAlarm(id);
        cx.audit(by.as_str(), "alarm.refused", object(id), error.to_string());
        return;
    };
    let note = action.note.clone();
    let outcome = match action.kind {
        AlarmActionKind::Acknowledge => {
            let by = action.by;
            let note = action.note;
            let first = alarm::acknowledge(row, Acknowledgement { at, by, note }, seq);
            Ok(if first {
                "alarm.acknowledged"
            } else {
                "alarm.acknowledged-again"
            })
        }
        AlarmActionKind::Close => {
            let by = action.by;
            let conclusion = action.note;
            alarm::close(row, Closure { at, by, conclusion }, seq).map(|()| "alarm.closed")
        }
    };
    match outcome {
        Ok(what) => {
            shared.book.put(id, cx);
            cx.audit(by.as_str(), what, object(id), note);
        }
        Err(error) => cx.audit(by.as_str(), "alarm.refused", object(id), error.to_string()),
    }
}
