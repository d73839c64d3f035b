//! Why a commit did not happen, and what follows from it.

use std::io::ErrorKind;

use rusqlite::ErrorCode;
use serde::{Deserialize, Serialize};

use super::JournalError;
use super::file::FileFault;

/// The kinds of reasons for a stall, for texts in a person's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StallKind {
    /// No space left: free some, writing resumes by itself.
    DiskFull,
    /// Permissions, or a file system mounted read-only.
    NotWritable,
    /// The disk reports errors.
    DiskError,
    /// Anything else; the words say it.
    Other,
}

/// Why a commit did not happen.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    File(#[from] FileFault),
    #[error("{0}")]
    Journal(#[from] JournalError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The commit may or may not have happened.
    #[error("{0}")]
    Unsure(std::io::Error),
    #[error("a reader holds the file; waiting for it")]
    Reader,
    /// Every request has an entry; kept as an error so that nothing can be dropped silently.
    #[error("a group without entries")]
    Empty,
}

impl Failure {
    pub(super) fn kind(&self) -> StallKind {
        match self.code() {
            Some(ErrorCode::DiskFull) => StallKind::DiskFull,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                StallKind::NotWritable
            }
            Some(ErrorCode::SystemIoFailure) => StallKind::DiskError,
            _ => match self.io_kind() {
                Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => StallKind::DiskFull,
                Some(ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
                    StallKind::NotWritable
                }
                _ => StallKind::Other,
            },
        }
    }

    /// In words for a person: what to do comes first.
    pub(super) fn cause(&self) -> String {
        match self.kind() {
            StallKind::DiskFull => {
                format!("the disk is full; free space, writing resumes by itself ({self})")
            }
            StallKind::NotWritable => {
                format!("the journal directory cannot be written; check mount and rights ({self})")
            }
            StallKind::DiskError => format!("the disk reports an error; check it ({self})"),
            StallKind::Other => format!("the journal cannot write: {self}"),
        }
    }

    fn io_kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Io(error)
            | Self::Unsure(error)
            | Self::Journal(JournalError::Io { source: error, .. }) => Some(error.kind()),
            _ => None,
        }
    }

    fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::File(FileFault::Sqlite(error))
            | Self::Journal(JournalError::Sqlite { source: error, .. }) => {
                error.sqlite_error_code()
            }
            _ => None,
        }
    }

    /// Whether the connection is still good: SQLite undid the commit and nothing is unsure.
    pub(super) fn keeps_connection(&self) -> bool {
        matches!(self, Self::Io(_) | Self::Reader)
            || matches!(
                self.code(),
                Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
            )
    }
}
