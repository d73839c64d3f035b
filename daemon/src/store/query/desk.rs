//! The roster, hand-overs, and messages that the engine decided.

use super::{Queries, body_at, int_capped, rows_capped};
use crate::store::error::StoreError;
use cems_core::model::{HandOverRow, MessageId, MessageRow, ShiftRow, Timestamp};

impl Queries<'_> {
    /// Shifts that touch `from..until`, by their beginning.
    pub fn shifts(&self, from: Timestamp, until: Timestamp) -> Result<Vec<ShiftRow>, StoreError> {
        self.list(
            "SELECT body FROM shift WHERE start < ?2 AND until > ?1 ORDER BY start LIMIT ?3",
            (from.0, until.0, rows_capped(super::LIST_MAX)),
            |row| body_at("shift", row),
        )
    }

    /// Hand-overs, newest first.
    pub fn hand_overs(&self, limit: usize) -> Result<Vec<HandOverRow>, StoreError> {
        self.list(
            "SELECT body FROM hand_over ORDER BY id DESC LIMIT ?1",
            [rows_capped(limit)],
            |row| body_at("hand_over", row),
        )
    }

    /// One message.
    pub fn message(&self, id: MessageId) -> Result<Option<MessageRow>, StoreError> {
        self.one(
            "SELECT body FROM message WHERE id = ?1",
            [int_capped(id.0)],
            |row| body_at("message", row),
        )
    }

    /// Messages numbered above `after`, ascending.
    pub fn messages_after(
        &self,
        after: MessageId,
        limit: usize,
    ) -> Result<Vec<MessageRow>, StoreError> {
        self.list(
            "SELECT body FROM message WHERE id > ?1 ORDER BY id LIMIT ?2",
            (int_capped(after.0), rows_capped(limit)),
            |row| body_at("message", row),
        )
    }
}
