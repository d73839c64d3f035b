//! What leaves the house: the log of rows written, for destinations such as time series and
//! brokers.

use super::ids::{OutletId, Seq};
use super::series::Series;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

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
