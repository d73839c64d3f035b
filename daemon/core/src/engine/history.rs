//! What the engine may look up in the past: rows it put out earlier.

use crate::model::{
    AggregateRow, AlarmId, AlarmRow, ExchangeRow, FallbackId, FallbackRow, Level, OutletId,
    RecordKind, RecordRow, Seq, Timestamp,
};

/// Read access to earlier outputs, the current batch included. Answers must depend only on the
/// outputs so far. A store that cannot answer (IO error) remembers the failure, returns nothing,
/// and discards the batch afterwards.
pub trait History {
    /// The record of this key, if there is one.
    fn record(&self, outlet: &OutletId, kind: RecordKind, start: Timestamp) -> Option<RecordRow>;

    /// Records with `from <= start < until`, ascending.
    fn records(
        &self,
        outlet: &OutletId,
        kind: RecordKind,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<RecordRow>;

    /// Aggregates with `from <= start < until`, ascending.
    fn aggregates(
        &self,
        outlet: &OutletId,
        level: Level,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<AggregateRow>;

    /// An alarm.
    fn alarm(&self, id: AlarmId) -> Option<AlarmRow>;

    /// A fallback.
    fn fallback(&self, id: FallbackId) -> Option<FallbackRow>;

    /// An exchange with a device.
    fn exchange(&self, id: Seq) -> Option<ExchangeRow>;
}

/// A past in which nothing happened.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmptyHistory;

impl History for EmptyHistory {
    fn record(&self, _: &OutletId, _: RecordKind, _: Timestamp) -> Option<RecordRow> {
        None
    }

    fn records(&self, _: &OutletId, _: RecordKind, _: Timestamp, _: Timestamp) -> Vec<RecordRow> {
        Vec::new()
    }

    fn aggregates(&self, _: &OutletId, _: Level, _: Timestamp, _: Timestamp) -> Vec<AggregateRow> {
        Vec::new()
    }

    fn alarm(&self, _: AlarmId) -> Option<AlarmRow> {
        None
    }

    fn fallback(&self, _: FallbackId) -> Option<FallbackRow> {
        None
    }

    fn exchange(&self, _: Seq) -> Option<ExchangeRow> {
        None
    }
}
