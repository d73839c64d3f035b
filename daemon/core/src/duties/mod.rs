//! Duties with a clock (法定事项与时限): when instances of a row open, when they fall due, and who
//! is reminded when. Rows and calendar are data; nothing here knows a single duty.
//!
//! | part | what |
//! | --- | --- |
//! | `period` | the periods in which rows recur, with their names |
//! | `due` | when an instance opens and falls due |
//! | `round` | what falls due in between: reminders, overdue, escalations |
//! | `check` | whether what a person enters makes sense |
//!
//! A **round** is all instances that open together: those of one row for one period, of all its
//! subjects, or the single one that something triggered. They share their times, so a row costs the
//! same however many enterprises owe it. A completion belongs to an instance alone.
//!
//! A turn concerns the instances that are open at its moment. One that is completed hears nothing
//! more; one whose completion is taken back hears what is still to come, and is overdue at once if
//! its time has passed.

mod check;
mod due;
mod period;
mod round;

pub(crate) use check::concerns;
pub use check::{DutyError, TRIGGER_DAYS_MAX, check_completion, check_opening, check_withdrawal};
pub use due::{Opening, current_opening, due_at, next_opening};
pub use period::DutyPeriod;
pub use round::{Round, Turn};

use crate::model::{DutyId, DutyKey, DutySubject};
use smol_str::{SmolStr, format_smolstr};

/// The key of an instance.
pub fn key(rule: &DutyId, subject: &DutySubject, round: &str) -> DutyKey {
    DutyKey::new(format_smolstr!("{rule}:{}:{round}", subject.id()))
}

/// The name of the round that the event at a journal position opened: `entry-12`, `mark-12`.
pub fn triggered(what: &str, number: u64) -> SmolStr {
    format_smolstr!("{what}-{number}")
}

#[cfg(test)]
mod tests;
