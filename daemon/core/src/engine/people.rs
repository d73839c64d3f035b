//! What people do: manual reports, alarm actions, decisions about fallbacks.
//!
//! The `check_*` functions of the engine say before journalling whether an action makes sense, so
//! that a form can refuse it with words. What reaches the journal all the same is checked again
//! and, when it makes no sense any more, leaves a line in the audit trail and changes nothing.

use super::alarms::object;
use super::context::{Cx, Site};
use super::event::{AlarmAction, AlarmActionKind, FallbackDecision};
use super::state::{Live, Shared};
use super::supervision;
use crate::alarm::{self, LifecycleError};
use crate::fallback::{Identity, Terms};
use crate::model::{
    Acknowledgement, AlarmId, Closure, FactorCode, ManualReport, ManualReportRow, OutletId, Output,
    Registry, ReportId, Timestamp,
};

/// Characters of a note, conclusion, name or method: enough for a page of text.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Values of one manual report: more than any permit lists for one outlet.
pub const MANUAL_VALUES_MAX: usize = 100;

/// Why a person's action is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// No such alarm.
    #[error("there is no alarm {0}")]
    UnknownAlarm(AlarmId),
    /// The alarm does not allow it now.
    #[error(transparent)]
    Lifecycle(#[from] LifecycleError),
    /// No such outlet in the registry.
    #[error("the registry has no outlet {0}")]
    UnknownOutlet(OutletId),
    /// Nothing is open that could be closed.
    #[error("outlet {0} has no open fallback to close")]
    NoFallback(OutletId),
    /// The outlet has no such factor.
    #[error("outlet has no factor {0}; report only factors of the outlet")]
    UnknownFactor(FactorCode),
    /// The sample would be from the future.
    #[error("sampling time {0} lies in the future")]
    Future(Timestamp),
    /// A report without a value.
    #[error("the report has no value; enter at least one")]
    NoValue,
    /// The same factor twice, or more values than any outlet has.
    #[error("the report has {0} values with repeats or above the limit; enter each factor once")]
    TooManyValues(usize),
    /// A text is empty where one is needed.
    #[error("the field {0} is empty")]
    Empty(&'static str),
    /// A text is too long.
    #[error("the field {0} is longer than {TEXT_CHARS_MAX} characters")]
    TooLong(&'static str),
}

impl ActionError {
    /// A stable code for text keys and the API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownAlarm(_) => "unknown-alarm",
            Self::Lifecycle(LifecycleError::Active(_)) => "alarm-active",
            Self::Lifecycle(LifecycleError::NotAcknowledged(_)) => "alarm-not-acknowledged",
            Self::Lifecycle(LifecycleError::Closed(_)) => "alarm-closed",
            Self::UnknownOutlet(_) => "unknown-outlet",
            Self::NoFallback(_) => "no-fallback",
            Self::UnknownFactor(_) => "unknown-factor",
            Self::Future(_) => "future",
            Self::NoValue => "no-value",
            Self::TooManyValues(_) => "too-many-values",
            Self::Empty(_) => "empty",
            Self::TooLong(_) => "too-long",
        }
    }
}

fn text(field: &'static str, text: &str) -> Result<(), ActionError> {
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(ActionError::TooLong(field));
    }
    Ok(())
}

/// Checks a manual report at `now`.
pub(super) fn check_report(
    report: &ManualReport,
    registry: &Registry,
    now: Timestamp,
) -> Result<(), ActionError> {
    let outlet = registry
        .outlets
        .get(&report.outlet)
        .ok_or_else(|| ActionError::UnknownOutlet(report.outlet.clone()))?;
    if report.sampled_at > now {
        return Err(ActionError::Future(report.sampled_at));
    }
    if report.values.is_empty() {
        return Err(ActionError::NoValue);
    }
    let unknown = |code: &&FactorCode| !outlet.factors.contains_key(*code);
    let mut codes: Vec<&FactorCode> = report.values.iter().map(|v| &v.factor).collect();
    if let Some(code) = codes.iter().copied().find(unknown) {
        return Err(ActionError::UnknownFactor(code.clone()));
    }
    codes.sort();
    codes.dedup();
    if codes.len() != report.values.len() || codes.len() > MANUAL_VALUES_MAX {
        return Err(ActionError::TooManyValues(report.values.len()));
    }
    if report.sampler.trim().is_empty() {
        return Err(ActionError::Empty("sampler"));
    }
    text("sampler", &report.sampler)?;
    text("method", &report.method)?;
    text("laboratory", &report.laboratory)?;
    text("note", &report.note)
}

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
    cx.emit(Output::ManualReport(row));
    cx.audit(who.as_str(), "report.received", what, detail);
    supervision::follow(live, shared, site, turns, cx);
}

/// Checks a decision.
pub(super) fn check_decision(
    decision: &FallbackDecision,
    registry: &Registry,
    live: Option<&Live>,
) -> Result<(), ActionError> {
    if !registry.outlets.contains_key(&decision.outlet) {
        return Err(ActionError::UnknownOutlet(decision.outlet.clone()));
    }
    if decision.note.trim().is_empty() {
        return Err(ActionError::Empty("note"));
    }
    let open = live.is_some_and(|live| live.state.fallback.row().is_some());
    if !decision.open && !open {
        return Err(ActionError::NoFallback(decision.outlet.clone()));
    }
    text("note", &decision.note)
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

/// Checks an action on an alarm.
pub(super) fn check_action(
    action: &AlarmAction,
    row: Option<&crate::model::AlarmRow>,
) -> Result<(), ActionError> {
    let row = row.ok_or(ActionError::UnknownAlarm(action.alarm))?;
    text("note", &action.note)?;
    match action.kind {
        AlarmActionKind::Acknowledge => Ok(()),
        AlarmActionKind::Close if action.note.trim().is_empty() => Err(ActionError::Empty("note")),
        AlarmActionKind::Close => Ok(alarm::may_close(row)?),
    }
}
