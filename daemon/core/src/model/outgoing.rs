//! What leaves the house: the log of rows written, for destinations such as time series and
//! brokers.

use super::ids::{OutletId, Seq};
use super::record::RecordKind;
use super::time::{Level, Timestamp};
use serde::{Deserialize, Serialize};

/// A series of an outlet that leaves the house: records of one kind, or aggregates of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Series {
    /// Records, received or formed here.
    Record(RecordKind),
    /// Computed aggregates.
    Aggregate(Level),
}

impl Series {
    /// All of them: records first, short before long.
    pub const ALL: [Self; 8] = [
        Self::Record(RecordKind::Realtime),
        Self::Record(RecordKind::Minute),
        Self::Record(RecordKind::Hour),
        Self::Record(RecordKind::Day),
        Self::Aggregate(Level::Hour),
        Self::Aggregate(Level::Day),
        Self::Aggregate(Level::Month),
        Self::Aggregate(Level::Year),
    ];

    /// Its name in files, tables and names of series outside: `minute` for received records,
    /// `hour-mean` for computed ones.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Record(kind) => kind.as_str(),
            Self::Aggregate(Level::Hour) => "hour-mean",
            Self::Aggregate(Level::Day) => "day-mean",
            Self::Aggregate(Level::Month) => "month-mean",
            Self::Aggregate(Level::Year) => "year-mean",
        }
    }

    /// The series of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|series| series.as_str() == name)
    }
}

/// A record or a complete aggregate written at an outlet whose data leave the house; key (seq, n).
/// The log says what changed in which order; the content is the stored row as it stands when sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingRow {
    /// Journal position.
    pub seq: Seq,
    /// Ordinal within the event.
    pub n: u32,
    /// When it was written.
    pub at: Timestamp,
    /// Whose.
    pub outlet: OutletId,
    /// Which series.
    pub what: Series,
    /// Start of the interval or period.
    pub start: Timestamp,
}
