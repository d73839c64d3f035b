//! Settings of the files of sealed days.

use cems_core::model::Series;
use std::path::PathBuf;

/// Files of sealed days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveSettings {
    /// Sealed days become Parquet files.
    pub parquet: bool,
    /// A day is sealed when it has been over for so many hours.
    pub settle_h: u32,
    /// Where the files lie; `None`: in `parquet` in the data directory.
    pub directory: Option<PathBuf>,
    /// Which series become files, of [`Series::BY_DAYS`].
    pub kinds: Vec<Series>,
    /// Days that ended so many days ago are read back from their files.
    pub read_after_d: u32,
}

impl Default for ArchiveSettings {
    fn default() -> Self {
        Self {
            parquet: true,
            settle_h: 48,
            directory: None,
            kinds: Series::BY_DAYS.to_vec(),
            read_after_d: 30,
        }
    }
}
