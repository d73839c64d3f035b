//! What the daemon knows: the projections of the journal.
//!
//! One [`Store`] writes, in batches: [`begin`](Store::begin), [`apply`](Store::apply) for every
//! output of the engine, [`commit`](Store::commit) with the journal position reached. Rows and
//! position are one transaction, so a restart goes on exactly behind the last batch. Any number
//! of [`Readers`] look at committed rows meanwhile and never hold up the writer.
//!
//! Projections can be thrown away and built again from the journal. [`canonicalise`] writes a
//! file whose bytes depend only on the rows, so that two builds can be compared byte by byte;
//! [`digest`] does the same in numbers.
//!
//! Sessions are no projection (no event changes them) and live in a file of their own:
//! [`Sessions`].

mod canonical;
mod encode;
mod error;
mod feeds;
pub(crate) mod history;
mod query;
mod readers;
mod schema;
mod sessions;
mod side;
mod sqlite;
mod write;

#[cfg(test)]
mod tests;

pub use canonical::{Digest, TableDigest, canonicalise, digest, replace};
pub(crate) use encode::{value_row, value_under};
pub use error::StoreError;
pub use feeds::FeedTimes;
pub use query::{
    AlarmCount, AlarmFilter, DutyDay, DutyFilter, DutyPlaces, FallbackFilter, LIST_MAX, LogBounds,
    LogPlace, OCCURRENCES_MAX, Queries,
};
pub use readers::{READER_WAIT, READERS, Readers};
pub(crate) use schema::Schema;
pub use schema::{BUSY_TIMEOUT, Damage, set_aside};
pub use sessions::{
    ATTEMPT_SUBJECTS_MAX, Attempts, OpenedSessions, SESSIONS_PER_USER_MAX, Session, Sessions,
};
pub(crate) use side::SideBook;
pub use sqlite::{Opened, SqliteStore};
#[cfg(test)]
pub(crate) use tests::samples;
pub(crate) use write::{OUTGOING_KEPT_MS, enterprise_place, region_place};

use cems_core::engine::History;
use cems_core::model::rows::StateRow;
use cems_core::model::{Output, Seq, Timestamp};

/// How far the journal has been projected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Number of the last event whose outputs are in.
    pub seq: Seq,
    /// Journal time of that event.
    pub at: Timestamp,
}

/// The single writer of the projections.
///
/// After any error of [`apply`](Self::apply) or [`commit`](Self::commit) the batch is rolled
/// back: nothing of it is stored, and the caller may begin it again when
/// [`StoreError::recoverable`] says so.
pub trait Store: Send {
    /// Opens the transaction of a batch.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] when a batch is open, [`StoreError::SecondWriter`] when the file
    /// was moved on by someone else, and whatever the disk says.
    fn begin(&mut self) -> Result<(), StoreError>;

    /// Inserts or replaces the row of `output`.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] without [`begin`](Self::begin); [`StoreError::Unstorable`]; disk.
    fn apply(&mut self, output: &Output) -> Result<(), StoreError>;

    /// Ends the batch: rows and position are on disk when this returns.
    ///
    /// # Errors
    /// A failure that [`history`](Self::history) remembered; [`StoreError::Backwards`] for a
    /// position below the last; [`StoreError::Misuse`] without [`begin`](Self::begin); disk.
    fn commit(&mut self, position: Position) -> Result<(), StoreError>;

    /// Forgets the open batch, if there is one, and any failure that was remembered.
    fn rollback(&mut self);

    /// The position last committed; `None` when nothing was.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn position(&self) -> Result<Option<Position>, StoreError>;

    /// Earlier outputs, those of the open batch included. A look-up that fails answers "nothing"
    /// and is remembered: [`take_failure`](Self::take_failure) gives the first one, and the
    /// batch cannot be committed any more, since the engine may have been misled.
    fn history(&self) -> &dyn History;

    /// The first failure of [`history`](Self::history) in this batch, once. The batch stays
    /// uncommittable until [`rollback`](Self::rollback).
    fn take_failure(&self) -> Option<StoreError>;

    /// State of the engine, by name.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn states(&self) -> Result<Vec<StateRow>, StoreError>;

    /// The registry in force, as JSON, and the position from which it is.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn registry_json(&self) -> Result<Option<(Seq, String)>, StoreError>;

    /// Read access to what is committed, for other threads.
    ///
    /// # Errors
    /// When a connection cannot be opened.
    fn readers(&self) -> Result<Readers, StoreError>;
}

/// Runs a question to a database on a thread that may wait.
pub(crate) async fn blocking<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(ask)
        .await
        .map_err(|error| StoreError::Io(format!("a look-up ended early: {error}")))?
}
