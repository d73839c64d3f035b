//! What can go wrong in the store, and whether trying again makes sense.

use rusqlite::ErrorCode;
use std::path::PathBuf;

/// Failure of the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No space left on the disk.
    #[error("the disk of the projections is full, free some space; it goes on by itself: {0}")]
    Full(String),
    /// Someone else holds the database longer than [`BUSY_TIMEOUT`](super::BUSY_TIMEOUT), or all
    /// readers are in use longer than that.
    #[error("the projections are in use by someone else, close other programs: {0}")]
    Busy(String),
    /// The operating system could not read or write.
    #[error("cannot read or write the projections, check the disk and permissions: {0}")]
    Io(String),
    /// The contents are not what was written.
    #[error("the projections are damaged, run `cemsd rebuild` on the data directory: {0}")]
    Damaged(String),
    /// Written by a later version of the program.
    #[error(
        "{} has schema version {found}, this program knows {known}; use the newer cemsd, or move \
         the file away to have it built again from the journal", path.display()
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Version found.
        found: i64,
        /// Highest version known here.
        known: i64,
    },
    /// A sound SQLite database that is not ours.
    #[error(
        "{} is the database of another program (application id {found:#x}); name another file",
        path.display()
    )]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// Application id found.
        found: i64,
    },
    /// The journal position on disk is not the one this writer left there: two writers.
    #[error("another writer moved the projections from {expected} to {found}; stop it")]
    SecondWriter {
        /// Position this writer committed last, 0 for none.
        expected: u64,
        /// Position found.
        found: u64,
    },
    /// A batch ends before the last one did.
    #[error("a batch cannot end at journal position {asked}, {reached} was reached already")]
    Backwards {
        /// Position already committed.
        reached: u64,
        /// Position asked for.
        asked: u64,
    },
    /// A call outside its place: apply or commit without begin, begin twice.
    #[error("{0}")]
    Misuse(&'static str),
    /// A row that cannot be stored, such as a number above 2^63.
    #[error("cannot store {what}: {detail}")]
    Unstorable {
        /// What kind of row or field.
        what: &'static str,
        /// Why.
        detail: String,
    },
}

impl StoreError {
    /// True when the same batch may succeed later without anyone changing the program or the
    /// file: disk full, busy, IO.
    pub fn recoverable(&self) -> bool {
        matches!(self, Self::Full(_) | Self::Busy(_) | Self::Io(_))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(text),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(text),
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::NoLargeFileSupport
                | ErrorCode::OperationInterrupted,
            ) => Self::Io(text),
            Some(ErrorCode::TooBig | ErrorCode::ConstraintViolation) => Self::Unstorable {
                what: "a row",
                detail: text,
            },
            // Corrupt, not a database, a table or column that is not there, a value of another
            // type: whatever it is, the file is not what this program wrote.
            _ => Self::Damaged(text),
        }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::Full(error.to_string())
            }
            _ => Self::Io(error.to_string()),
        }
    }
}
