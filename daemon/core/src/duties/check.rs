//! Does what a person enters about a duty make sense? Asked by forms and the API before anything is
//! journalled, and again when the entry arrives.

use crate::engine::TEXT_CHARS_MAX;
use crate::engine::{DutyCompletion, DutyOpening, DutyTakeBack};
use crate::marks::{ATTACHMENTS_MAX, NAME_CHARS_MAX};
use crate::model::time::DAY_MS;
use crate::model::{
    DutyDeadline, DutyId, DutyKey, DutyRow, DutyRule, DutySubject, DutyTrigger, Registry, Timestamp,
};

/// A trigger may lie this far back, or a date be announced this far ahead, days: further is a slip
/// of the pen.
pub const TRIGGER_DAYS_MAX: i64 = 366;

/// Why an entry is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DutyError {
    /// No such instance.
    #[error("there is no duty {0}")]
    Unknown(DutyKey),
    /// No such row.
    #[error("there is no row {0} among the duties in force")]
    UnknownRule(DutyId),
    /// It is done already.
    #[error("duty {0} is completed already; take that back first")]
    Done(DutyKey),
    /// It ended without being completed.
    #[error("duty {0} has ended")]
    Gone(DutyKey),
    /// There is nothing to take back.
    #[error("duty {0} is neither completed nor opened by hand, so nothing can be taken back")]
    NothingToTakeBack(DutyKey),
    /// The row wants a document.
    #[error("duty {0} is completed with a document; attach it")]
    NoDocument(DutyKey),
    /// The row opens by the calendar, or runs without a break.
    #[error("instances of {0} are not opened by hand")]
    NotByHand(DutyId),
    /// The row is about something else, or the registry does not have it, or the row does not hold
    /// there.
    #[error("{rule} does not concern {subject}")]
    WrongSubject {
        /// The row.
        rule: DutyId,
        /// What was named.
        subject: String,
    },
    /// The time of the trigger cannot be.
    #[error("the time {0} is too far off, or from the future where it counts from what happened")]
    WrongTime(Timestamp),
    /// A text is empty where one is needed.
    #[error("the field {0} is empty")]
    Empty(&'static str),
    /// A text is too long.
    #[error("the field {0} is too long")]
    TooLong(&'static str),
    /// Too many attachments.
    #[error("there are {0} attachments; {ATTACHMENTS_MAX} are allowed")]
    TooManyAttachments(usize),
}

impl DutyError {
    /// A stable code for text keys and the API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "unknown-duty",
            Self::UnknownRule(_) => "unknown-duty-rule",
            Self::Done(_) => "duty-done",
            Self::Gone(_) => "duty-gone",
            Self::NothingToTakeBack(_) => "duty-nothing-to-take-back",
            Self::NoDocument(_) => "duty-no-document",
            Self::NotByHand(_) => "duty-not-by-hand",
            Self::WrongSubject { .. } => "duty-wrong-subject",
            Self::WrongTime(_) => "duty-wrong-time",
            Self::Empty(_) => "empty",
            Self::TooLong(_) => "too-long",
            Self::TooManyAttachments(_) => "too-many-attachments",
        }
    }
}

fn text(field: &'static str, text: &str, needed: bool) -> Result<(), DutyError> {
    if needed && text.trim().is_empty() {
        return Err(DutyError::Empty(field));
    }
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(DutyError::TooLong(field));
    }
    Ok(())
}

/// Whether an instance can be completed so. `rule`: its row, while that is in force.
///
/// # Errors
/// When it is unknown, done or ended, a document is missing, or a text is too long.
pub fn check_completion(
    entry: &DutyCompletion,
    row: Option<&DutyRow>,
    rule: Option<&DutyRule>,
) -> Result<(), DutyError> {
    let key = || entry.key.clone();
    let row = row.ok_or_else(|| DutyError::Unknown(key()))?;
    if row.gone.is_some() {
        return Err(DutyError::Gone(key()));
    }
    if row.done.is_some() {
        return Err(DutyError::Done(key()));
    }
    text("note", &entry.note, false)?;
    let files = &entry.attachments;
    if files.len() > ATTACHMENTS_MAX {
        return Err(DutyError::TooManyAttachments(files.len()));
    }
    if files
        .iter()
        .any(|file| file.name.chars().count() > NAME_CHARS_MAX)
    {
        return Err(DutyError::TooLong("attachment"));
    }
    if files.is_empty() && rule.is_some_and(|rule| rule.document) {
        return Err(DutyError::NoDocument(key()));
    }
    Ok(())
}

/// Whether something can be taken back: the completion, or else the opening by hand.
///
/// # Errors
/// When it is unknown or ended, there is nothing of the kind, or the reason is missing or too long.
pub fn check_withdrawal(entry: &DutyTakeBack, row: Option<&DutyRow>) -> Result<(), DutyError> {
    let key = || entry.key.clone();
    let row = row.ok_or_else(|| DutyError::Unknown(key()))?;
    if row.gone.is_some() {
        return Err(DutyError::Gone(key()));
    }
    if row.done.is_none() && row.opened_by.is_none() {
        return Err(DutyError::NothingToTakeBack(key()));
    }
    text("reason", &entry.reason, true)
}

/// Whether an instance can be opened by hand so at `now`.
///
/// # Errors
/// When the row is unknown, opens by itself or is about something else, the time cannot be, or the
/// note is missing or too long.
pub fn check_opening(
    entry: &DutyOpening,
    rule: Option<&DutyRule>,
    registry: &Registry,
    now: Timestamp,
) -> Result<(), DutyError> {
    let rule = rule.ok_or_else(|| DutyError::UnknownRule(entry.rule.clone()))?;
    if !matches!(rule.trigger, DutyTrigger::On { .. }) {
        return Err(DutyError::NotByHand(entry.rule.clone()));
    }
    if entry.subject.kind() != rule.subject || !concerns(rule, &entry.subject, registry) {
        return Err(DutyError::WrongSubject {
            rule: entry.rule.clone(),
            subject: entry.subject.id().to_owned(),
        });
    }
    let off_ms = entry.trigger_at.since_ms(now);
    let announced = matches!(rule.deadline, DutyDeadline::DaysBefore { .. });
    let latest_ms = if announced {
        TRIGGER_DAYS_MAX * DAY_MS
    } else {
        0
    };
    if off_ms > latest_ms || off_ms < -TRIGGER_DAYS_MAX * DAY_MS {
        return Err(DutyError::WrongTime(entry.trigger_at));
    }
    text("note", &entry.note, true)
}

/// The registry has the subject, and the row holds in its region.
pub(crate) fn concerns(rule: &DutyRule, subject: &DutySubject, registry: &Registry) -> bool {
    let of = |id| registry.enterprises.get(id).map(|e| &e.region);
    let region = match subject {
        DutySubject::Enterprise(id) => of(id),
        DutySubject::Outlet(id) => registry
            .outlets
            .get(id)
            .and_then(|outlet| of(&outlet.enterprise)),
        DutySubject::Region(id) => registry.regions.get_key_value(id).map(|(id, _)| id),
    };
    region.is_some_and(|region| rule.regions.is_empty() || rule.regions.contains(region))
}
