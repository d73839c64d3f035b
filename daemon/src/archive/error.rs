//! What can go wrong with files of sealed days.

use crate::store::StoreError;
use std::path::{Path, PathBuf};

/// Why a file could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The books could not be read.
    #[error("reading the projections: {0}")]
    Store(#[from] StoreError),
    /// The disk said no.
    #[error("{}: {source}; check free space and permissions there", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the disk said.
        source: std::io::Error,
    },
    /// The file is not a sound Parquet file, or could not be written as one.
    #[error("{}: {detail}; the file can be deleted, it is written again", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the library said.
        detail: String,
    },
    /// The file is sound, but not one that this program wrote.
    #[error(
        "{}: not a file of this archive ({detail}): put it elsewhere, the day is written again",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is different.
        detail: String,
    },
    /// The daemon stops; what was begun is begun again at the next start.
    #[error("stopped")]
    Stopped,
}

impl ArchiveError {
    /// Trying again may help.
    pub fn recoverable(&self) -> bool {
        match self {
            Self::Store(error) => error.recoverable(),
            Self::Io { .. } | Self::Stopped => true,
            Self::Parquet { .. } | Self::Foreign { .. } => false,
        }
    }

    /// The file is at fault, not the books or the disk.
    pub fn is_of_the_file(&self) -> bool {
        matches!(self, Self::Parquet { .. } | Self::Foreign { .. })
    }

    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn parquet(path: &Path) -> impl FnOnce(parquet::errors::ParquetError) -> Self + '_ {
        move |error| Self::Parquet {
            path: path.to_owned(),
            detail: error.to_string(),
        }
    }

    pub(super) fn foreign(path: &Path, detail: impl Into<String>) -> Self {
        Self::Foreign {
            path: path.to_owned(),
            detail: detail.into(),
        }
    }
}
