//! A message with what became of it so far.

use crate::store::StoreError;
use cems_core::model::{MessageRow, Timestamp};
use rusqlite::Row;

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LetterState {
    /// It waits for its first or next attempt.
    Waiting,
    /// The other side has taken it.
    Delivered,
    /// It was given up.
    Dead,
}

impl LetterState {
    /// Every state.
    pub const ALL: [LetterState; 3] = [Self::Waiting, Self::Delivered, Self::Dead];

    /// Its number in the file.
    pub(super) fn code(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Delivered => 1,
            Self::Dead => 2,
        }
    }
}

/// A message with what became of it so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The message; its deadline is the one in force.
    pub message: MessageRow,
    /// Where it stands.
    pub state: LetterState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, while it waits.
    pub next_at: Timestamp,
    /// When it came to its end.
    pub ended_at: Option<Timestamp>,
    /// What the other side said last, or what was wrong; without addresses and secrets.
    pub detail: String,
}

/// Columns: id, state, attempts, next_at, ended_at, detail, deadline, body.
pub(super) fn letter_at(row: &Row<'_>) -> Result<Letter, StoreError> {
    let code: i64 = row.get(1)?;
    let state = LetterState::ALL
        .into_iter()
        .find(|state| state.code() == code)
        .ok_or_else(|| StoreError::Damaged(format!("letter state {code} in notify.db")))?;
    let body: String = row.get(7)?;
    let mut message: MessageRow = serde_json::from_str(&body)
        .map_err(|error| StoreError::Damaged(format!("a letter in notify.db: {error}")))?;
    message.deadline = Timestamp(row.get(6)?);
    Ok(Letter {
        message,
        state,
        attempts: row.get(2)?,
        next_at: Timestamp(row.get(3)?),
        ended_at: row.get::<_, Option<i64>>(4)?.map(Timestamp),
        detail: row.get(5)?,
    })
}

pub(super) fn number(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Unstorable {
        what: "a number in notify.db",
        detail: format!("{number} is above 2^63"),
    })
}
