//! A mark is entered, and taken back.

use super::check::{MarkError, words};
use crate::model::profile::MarkRules;
use crate::model::time::HOUR_MS;
use crate::model::{Mark, MarkRow, Seq, Timestamp, Withdrawal};

/// The row of a mark entered at `at` by the journal entry `id`, under the rules in force at its
/// first instant.
///
/// The deadline is the end of the period and the hours the rules give the kind; a mark entered at
/// the deadline is in time. A late one counts only where the rules let it. A kind the rules do not
/// list has no deadline; its mark counts, which only means that it may exempt from limits that
/// name the kind: it has no effect of its own.
pub fn enter(mark: Mark, id: Seq, at: Timestamp, rules: &MarkRules) -> MarkRow {
    let rule = rules.kinds.get(&mark.kind);
    let deadline = rule
        .and_then(|rule| rule.enter_within_h)
        .map(|hours| mark.until.plus_ms(i64::from(hours).saturating_mul(HOUR_MS)));
    let late = deadline.is_some_and(|deadline| deadline < at);
    MarkRow {
        id,
        entered_at: at,
        deadline,
        late,
        counts: !late || rule.is_some_and(|rule| rule.late_counts),
        withdrawn: None,
        mark,
    }
}

/// The row with its mark taken back: it counts no longer and says who, when and why.
///
/// # Errors
/// When it was taken back before, or the reason is missing or too long.
pub fn withdraw(row: MarkRow, withdrawal: Withdrawal) -> Result<MarkRow, MarkError> {
    if row.withdrawn.is_some() {
        return Err(MarkError::Withdrawn(row.id));
    }
    words("reason", &withdrawal.reason)?;
    Ok(MarkRow {
        counts: false,
        withdrawn: Some(withdrawal),
        ..row
    })
}
