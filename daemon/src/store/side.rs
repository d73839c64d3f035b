//! Small databases beside the projections: sessions, and where things stand that leave the daemon.

use super::error::StoreError;
use super::schema::{Damage, Schema, open_read_only};
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One connection that its users take in turns; what they changed is on disk when they give it
/// back.
pub(crate) struct SideBook(Mutex<Connection>);

impl SideBook {
    /// Opens `path`; creates or migrates the file, puts a damaged one aside and begins anew.
    ///
    /// # Errors
    /// As [`SqliteStore::open`](super::SqliteStore::open).
    pub(crate) fn open(schema: &Schema, path: &Path) -> Result<(Self, Option<Damage>), StoreError> {
        let (connection, damage) = schema.open(path)?;
        Ok((Self(Mutex::new(connection)), damage))
    }

    /// The same file for reading only, as [`SideBook::open`] has brought it up to date: whoever
    /// looks holds up nobody who writes.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub(crate) fn beside(path: &Path) -> Result<Self, StoreError> {
        Ok(Self(Mutex::new(open_read_only(path)?)))
    }

    /// The connection, when nobody else has it. Each use is one statement, or one transaction that
    /// rolls back when it is dropped: whoever panicked left nothing half done.
    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
