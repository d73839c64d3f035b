//! Life of an alarm (ISA-18.2 in the words of the duty desk): raised, acknowledged (确认), back to
//! normal (恢复), closed (关闭). Pure changes of one row; who raises what is the engine's affair.
//!
//! An alarm that has returned never becomes active again: the next occurrence is a new alarm that
//! names this one as its `previous`. Closing takes both: the condition gone, and somebody having
//! taken notice.
//!
//! [`groups`] folds a flood into few rows for the desk, [`figures`] says how well a desk does.

pub mod figures;
pub mod groups;

use crate::model::{Acknowledgement, AlarmId, AlarmRow, Closure, Seq, Shelving, Timestamp};

/// Why a person's action on an alarm was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LifecycleError {
    /// The condition still holds.
    #[error("alarm {0} cannot be closed while its condition holds; acknowledge it meanwhile")]
    Active(AlarmId),
    /// Nobody has taken notice.
    #[error("alarm {0} cannot be closed before somebody has acknowledged it")]
    NotAcknowledged(AlarmId),
    /// It is closed already.
    #[error("alarm {0} is closed already")]
    Closed(AlarmId),
    /// There is no such alarm.
    #[error("there is no alarm {0}")]
    Unknown(AlarmId),
    /// It is put aside already.
    #[error("alarm {0} is shelved already; take it back first")]
    Shelved(AlarmId),
    /// It is not put aside.
    #[error("alarm {0} is not shelved")]
    NotShelved(AlarmId),
}

/// Takes notice of an alarm. The first acknowledgement stays; `false` when there was one already.
pub fn acknowledge(row: &mut AlarmRow, acknowledgement: Acknowledgement, seq: Seq) -> bool {
    if row.acknowledged.is_some() {
        return false;
    }
    row.updated_seq = seq;
    row.answered_at.get_or_insert(acknowledgement.at);
    row.acknowledged = Some(acknowledgement);
    true
}

/// Whether the alarm may be closed now.
///
/// # Errors
/// When it is active, unacknowledged, or closed already.
pub fn may_close(row: &AlarmRow) -> Result<(), LifecycleError> {
    if row.closed.is_some() {
        Err(LifecycleError::Closed(row.id))
    } else if row.active {
        Err(LifecycleError::Active(row.id))
    } else if row.acknowledged.is_none() {
        Err(LifecycleError::NotAcknowledged(row.id))
    } else {
        Ok(())
    }
}

/// Ends an alarm with its conclusion.
///
/// # Errors
/// As [`may_close`]; the row is then unchanged.
pub fn close(row: &mut AlarmRow, closure: Closure, seq: Seq) -> Result<(), LifecycleError> {
    may_close(row)?;
    row.updated_seq = seq;
    row.closed = Some(closure);
    Ok(())
}

/// Whether the alarm may be put aside now.
///
/// # Errors
/// When it is closed or put aside already.
pub fn may_shelve(row: &AlarmRow) -> Result<(), LifecycleError> {
    if row.closed.is_some() {
        Err(LifecycleError::Closed(row.id))
    } else if row.shelved.is_some() {
        Err(LifecycleError::Shelved(row.id))
    } else {
        Ok(())
    }
}

/// Puts an alarm aside for a limited time (搁置).
///
/// # Errors
/// As [`may_shelve`]; the row is then unchanged.
pub fn shelve(row: &mut AlarmRow, shelving: Shelving, seq: Seq) -> Result<(), LifecycleError> {
    may_shelve(row)?;
    row.updated_seq = seq;
    row.shelved = Some(shelving);
    Ok(())
}

/// Takes an alarm back that was put aside.
///
/// # Errors
/// When it is not put aside; the row is then unchanged.
pub fn unshelve(row: &mut AlarmRow, seq: Seq) -> Result<(), LifecycleError> {
    if row.shelved.take().is_none() {
        return Err(LifecycleError::NotShelved(row.id));
    }
    row.updated_seq = seq;
    Ok(())
}

/// The condition went away; `false` when it had already.
pub fn return_to_normal(row: &mut AlarmRow, at: Timestamp, seq: Seq) -> bool {
    if !row.active {
        return false;
    }
    row.active = false;
    row.returned_at = Some(at);
    row.updated_at = at;
    row.updated_seq = seq;
    true
}

#[cfg(test)]
mod tests;
