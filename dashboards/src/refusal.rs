//! What the rules refuse, as the console says it: a code that selects the text (`action-<code>`)
//! and the value at fault. A daemon behind [`Backend`](crate::backend::Backend) refuses with the
//! same.

use crate::backend::BackendError;
use cems_core::duties::DutyError;
use cems_core::engine::ActionError;
use cems_core::explain::ExplainError;
use cems_core::marks::{ANNOUNCED_DAYS_MAX, ATTACHMENTS_MAX, LENGTH_DAYS_MAX, MarkError};
use cems_core::model::{Timestamp, UtcOffset};
use cems_core::qa::entry::{PAIRS_MAX, QaError};

pub(crate) fn refused(code: &str, detail: impl Into<String>) -> BackendError {
    BackendError::Refused {
        code: code.to_owned(),
        detail: detail.into(),
    }
}

fn minute(at: Timestamp, offset: UtcOffset) -> String {
    offset.local(at).format("%Y-%m-%d %H:%M:%S").to_string()
}

fn date(at: Timestamp, offset: UtcOffset) -> String {
    offset.local(at).format("%Y-%m-%d").to_string()
}

/// A mark, or its withdrawal, that makes no sense. A mark from the future has a code of its own
/// (`mark-future`), since planned maintenance may be announced.
#[must_use]
pub fn of_mark(error: &MarkError, offset: UtcOffset) -> BackendError {
    use MarkError as E;
    let code = match error {
        E::Future(_) => "mark-future",
        other => other.code(),
    };
    let detail = match error {
        E::UnknownOutlet(id) => id.to_string(),
        E::UnknownFactor(code) | E::RepeatedFactor(code) => code.to_string(),
        E::Empty(field) | E::TooLong(field) => (*field).to_owned(),
        E::NoPeriod(at) | E::NotWholeMinutes(at) => minute(*at, offset),
        E::LongPeriod => LENGTH_DAYS_MAX.to_string(),
        E::Future(at) => format!("{} (≤ {ANNOUNCED_DAYS_MAX} d)", minute(*at, offset)),
        E::TooManyAttachments(n) => format!("{n} > {ATTACHMENTS_MAX}"),
        E::Withdrawn(id) => format!("#{id}"),
    };
    refused(code, detail)
}

/// A test, a withdrawal or a step of a review that makes no sense.
#[must_use]
pub fn of_qa(error: &QaError, offset: UtcOffset) -> BackendError {
    use QaError as E;
    let detail = match error {
        E::UnknownOutlet(id) => id.to_string(),
        E::UnknownFactor(code) => code.to_string(),
        E::Future(at) => minute(*at, offset),
        E::Pairs(n) => format!("{n} / {PAIRS_MAX}"),
        E::FullScale => String::new(),
        E::Empty(field) | E::TooLong(field) => (*field).to_owned(),
        E::TooManyAttachments(n) => format!("{n} > {ATTACHMENTS_MAX}"),
        E::Unknown(id) | E::Withdrawn(id) => format!("#{id}"),
        E::NotAQuarter(at) | E::Running(at) | E::NotSubmitted(at) => date(*at, offset),
    };
    refused(error.code(), detail)
}

/// A manual report, its withdrawal or a written report that makes no sense.
#[must_use]
pub fn of_action(error: &ActionError, offset: UtcOffset) -> BackendError {
    use ActionError as E;
    let detail = match error {
        E::UnknownOutlet(id) | E::NoFallback(id) => id.to_string(),
        E::UnknownFactor(code) => code.to_string(),
        E::Future(at) | E::HoldTooLong(at) => minute(*at, offset),
        E::TooManyValues(n) | E::TooMany(n) => n.to_string(),
        E::UnknownReport(id) | E::ReportGone(id) => format!("#{id}"),
        E::UnknownFallback(id) | E::NoneOwed(id) => format!("#{id}"),
        E::Empty(field) | E::TooLong(field) => (*field).to_owned(),
        E::UnknownAlarm(id) => format!("#{id}"),
        E::NoValue | E::NoDocument => String::new(),
        E::Lifecycle(error) => error.to_string(),
    };
    refused(error.code(), detail)
}

/// An entry about a duty that makes no sense.
#[must_use]
pub fn of_duty(error: &DutyError, offset: UtcOffset) -> BackendError {
    use DutyError as E;
    let detail = match error {
        E::Unknown(key)
        | E::Done(key)
        | E::Gone(key)
        | E::NothingToTakeBack(key)
        | E::NoDocument(key) => key.to_string(),
        E::UnknownRule(id) | E::NotByHand(id) => id.to_string(),
        E::WrongSubject { subject, .. } => subject.clone(),
        E::WrongTime(at) => minute(*at, offset),
        E::Empty(field) | E::TooLong(field) => (*field).to_owned(),
        E::TooManyAttachments(n) => format!("{n} > {ATTACHMENTS_MAX}"),
    };
    refused(error.code(), detail)
}

/// A question that has no answer.
#[must_use]
pub fn of_explain(error: &ExplainError) -> BackendError {
    let detail = match error {
        ExplainError::UnknownOutlet(id) | ExplainError::NoProfile(id) => id.to_string(),
        ExplainError::UnknownFactor(_, code) => code.to_string(),
    };
    refused(error.code(), detail)
}
