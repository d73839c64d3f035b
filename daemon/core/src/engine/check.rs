//! Does a person's action make sense? Asked by forms and the API before anything is journalled, so
//! that they can refuse with words, and by the engine again when the event arrives.

use super::event::{AlarmAction, AlarmActionKind, FallbackDecision, ReportBack, WrittenIn};
use super::history::History;
use crate::alarm::{self, LifecycleError};
use crate::model::time::DAY_MS;
use crate::model::{
    AlarmId, AlarmRow, FactorCode, FallbackId, FallbackRow, ManualReport, ManualReportRow,
    OutletId, Registry, ReportId, Timestamp,
};

/// Characters of a note, conclusion, name or method: enough for a page of text.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Days for which an acknowledgement or a shelving holds at most: a week goes through every shift.
pub const HOLD_DAYS_MAX: i64 = 7;
/// Values of one manual report: more than any permit lists for one outlet.
pub const MANUAL_VALUES_MAX: usize = 100;

/// Files of one entry, and written reports of one fallback.
pub const FILES_MAX: usize = 16;

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
    /// No such manual report at this outlet.
    #[error("the outlet has no manual report {0}")]
    UnknownReport(ReportId),
    /// The report was taken back or corrected before.
    #[error("manual report {0} does not count any more; correct the one that took its place")]
    ReportGone(ReportId),
    /// No such fallback at this outlet.
    #[error("the outlet has no fallback {0}")]
    UnknownFallback(FallbackId),
    /// The rule asked for no written report when the fallback opened.
    #[error("no written report is owed for fallback {0}")]
    NoneOwed(FallbackId),
    /// A document is needed and none is attached.
    #[error("nothing is attached; attach the document")]
    NoDocument,
    /// More files or deliveries than are kept.
    #[error("there are {0}, more than are kept with one entry")]
    TooMany(usize),
    /// An acknowledgement or a shelving that ends in the past or too late.
    #[error("{0} is not within the next {HOLD_DAYS_MAX} days; choose an earlier end")]
    HoldTooLong(Timestamp),
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
            Self::Lifecycle(LifecycleError::Unknown(_)) => "unknown-alarm",
            Self::Lifecycle(LifecycleError::Shelved(_)) => "alarm-shelved",
            Self::Lifecycle(LifecycleError::NotShelved(_)) => "alarm-not-shelved",
            Self::UnknownOutlet(_) => "unknown-outlet",
            Self::NoFallback(_) => "no-fallback",
            Self::UnknownFactor(_) => "unknown-factor",
            Self::Future(_) => "future",
            Self::NoValue => "no-value",
            Self::TooManyValues(_) => "too-many-values",
            Self::UnknownReport(_) => "unknown-report",
            Self::ReportGone(_) => "report-gone",
            Self::UnknownFallback(_) => "unknown-fallback",
            Self::NoneOwed(_) => "none-owed",
            Self::NoDocument => "no-document",
            Self::TooMany(_) => "too-many",
            Self::HoldTooLong(_) => "hold-too-long",
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

/// Whether a manual report makes sense at `now`.
///
/// # Errors
/// When outlet or factor are unknown, the sample is from the future, there is no value, or a text
/// is missing or too long.
pub fn manual_report(
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
    if report.attachments.len() > FILES_MAX {
        return Err(ActionError::TooMany(report.attachments.len()));
    }
    text("sampler", &report.sampler)?;
    text("method", &report.method)?;
    text("laboratory", &report.laboratory)?;
    text("note", &report.note)
}

/// Whether a report can be corrected or taken back; `known`: as it stands, if there is one.
///
/// # Errors
/// When the outlet has no such report, or it counts no more.
pub fn standing_report(
    (outlet, id): (&OutletId, ReportId),
    known: Option<&ManualReportRow>,
) -> Result<(), ActionError> {
    let own = known.filter(|row| row.report.outlet == *outlet);
    match own {
        None => Err(ActionError::UnknownReport(id)),
        Some(row) if !row.counts() => Err(ActionError::ReportGone(id)),
        Some(_) => Ok(()),
    }
}

/// Whether a report can be taken back; see [`standing_report`].
///
/// # Errors
/// As there; when the reason is missing or too long.
pub fn report_back(back: &ReportBack, known: Option<&ManualReportRow>) -> Result<(), ActionError> {
    if back.reason.trim().is_empty() {
        return Err(ActionError::Empty("reason"));
    }
    text("reason", &back.reason)?;
    standing_report((&back.outlet, back.id), known)
}

/// Whether a written report can be handed in; `known`: the fallback as it stands, if there is one.
///
/// # Errors
/// When the outlet has no such fallback, none is owed for it, nothing or too much is attached, or
/// the note is too long.
pub fn written(written: &WrittenIn, known: Option<&FallbackRow>) -> Result<(), ActionError> {
    let own = known.filter(|row| row.outlet == written.outlet);
    let row = own.ok_or(ActionError::UnknownFallback(written.fallback))?;
    let owed = row.written.as_ref();
    let owed = owed.ok_or(ActionError::NoneOwed(written.fallback))?;
    if written.attachments.is_empty() {
        return Err(ActionError::NoDocument);
    }
    for many in [owed.delivered.len() + 1, written.attachments.len()] {
        if many > FILES_MAX {
            return Err(ActionError::TooMany(many));
        }
    }
    text("note", &written.note)
}

/// Whether a decision about a fallback makes sense; `is_open`: the outlet has an open one.
///
/// # Errors
/// When there is nothing to close, or the note is missing or too long.
pub fn fallback_decision(decision: &FallbackDecision, is_open: bool) -> Result<(), ActionError> {
    if decision.note.trim().is_empty() {
        return Err(ActionError::Empty("note"));
    }
    if !decision.open && !is_open {
        return Err(ActionError::NoFallback(decision.outlet.clone()));
    }
    text("note", &decision.note)
}

/// Whether an action on an alarm of the past makes sense. A repeated acknowledgement does: it
/// changes nothing and is noted.
///
/// # Errors
/// When the alarm is unknown, still active, not acknowledged, closed, or the text is missing or
/// too long.
pub fn alarm_action(
    action: &AlarmAction,
    history: &dyn History,
    now: Timestamp,
) -> Result<(), ActionError> {
    on_alarm(action, history.alarm(action.alarm).as_ref(), now)
}

/// An acknowledgement or a shelving ends after now and within [`HOLD_DAYS_MAX`].
fn limited(until: Option<Timestamp>, now: Timestamp) -> Result<(), ActionError> {
    let latest = now.plus_ms(HOLD_DAYS_MAX * DAY_MS);
    match until {
        Some(until) if until <= now || until > latest => Err(ActionError::HoldTooLong(until)),
        _ => Ok(()),
    }
}

/// Whether an action on this alarm makes sense.
pub(super) fn on_alarm(
    action: &AlarmAction,
    row: Option<&AlarmRow>,
    now: Timestamp,
) -> Result<(), ActionError> {
    let row = row.ok_or(ActionError::UnknownAlarm(action.alarm))?;
    text("note", &action.note)?;
    match action.kind {
        AlarmActionKind::Acknowledge => Ok(limited(action.until, now)?),
        AlarmActionKind::Shelve => {
            let until = action.until.ok_or(ActionError::Empty("until"))?;
            limited(Some(until), now)?;
            if action.note.trim().is_empty() {
                return Err(ActionError::Empty("note"));
            }
            Ok(alarm::may_shelve(row)?)
        }
        AlarmActionKind::Unshelve if row.shelved.is_none() => {
            Err(LifecycleError::NotShelved(row.id).into())
        }
        AlarmActionKind::Unshelve => Ok(()),
        AlarmActionKind::Called
        | AlarmActionKind::Noted
        | AlarmActionKind::ToldEnterprise
        | AlarmActionKind::ToldOperator
        | AlarmActionKind::HandedOver
            if row.closed.is_some() =>
        {
            Err(LifecycleError::Closed(row.id).into())
        }
        AlarmActionKind::Called | AlarmActionKind::Noted if action.note.trim().is_empty() => {
            Err(ActionError::Empty("note"))
        }
        AlarmActionKind::Called
        | AlarmActionKind::Noted
        | AlarmActionKind::ToldEnterprise
        | AlarmActionKind::ToldOperator
        | AlarmActionKind::HandedOver => Ok(()),
        AlarmActionKind::Close if action.note.trim().is_empty() => Err(ActionError::Empty("note")),
        AlarmActionKind::Close => Ok(alarm::may_close(row)?),
    }
}
