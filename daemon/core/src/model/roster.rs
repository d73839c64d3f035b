//! The roster (值班表): who answers alarms, and what one shift tells the next.

use super::ids::{Seq, UserId};
use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// People in a shift at most.
pub const SHIFT_PEOPLE_MAX: usize = 20;

/// A shift (班次) as entered; a later one with the same beginning replaces it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// First instant.
    pub from: Timestamp,
    /// First instant after it.
    pub until: Timestamp,
    /// Who is on duty; an empty set takes the shift out of the roster.
    pub people: BTreeSet<UserId>,
    /// Who entered it.
    pub by: UserId,
}

/// A shift in the books; key `from`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftRow {
    /// As entered.
    pub shift: Shift,
    /// Journal position.
    pub seq: Seq,
}

/// A hand-over (交接班): who gives the desk to whom, with the notes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// Who leaves.
    pub from: UserId,
    /// Who takes over; they are on duty until the next shift begins.
    pub to: BTreeSet<UserId>,
    /// What they must know.
    pub note: String,
}

/// A hand-over in the books; key is the journal position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOverRow {
    /// Journal position.
    pub id: Seq,
    /// When.
    pub at: Timestamp,
    /// As said.
    pub over: HandOver,
    /// Alarms that were open then.
    pub open_alarms: u32,
}
