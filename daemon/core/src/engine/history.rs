//! What the engine may look up in the past: rows it put out earlier.

use crate::model::{
    AggregateRow, AlarmId, AlarmRow, ClueRow, DutyId, DutyKey, DutyRow, DutySubject, ExchangeRow,
    FactorCode, FallbackId, FallbackRow, Level, ManualReportRow, MarkRow, OutletId, PackRow,
    QaKind, QaRow, QuarterRow, RecordKind, RecordRow, ReportId, ReviewRow, Seq, Timestamp,
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

    /// A mark.
    fn mark(&self, id: Seq) -> Option<MarkRow>;

    /// Marks of an outlet that touch `from..until`, those withdrawn included, by number.
    fn marks(&self, outlet: &OutletId, from: Timestamp, until: Timestamp) -> Vec<MarkRow>;

    /// The tests of one entry.
    fn qa_tests(&self, id: Seq) -> Vec<QaRow>;

    /// The tests of one kind that stand, decide something and were done last at or before `at` and
    /// first after it.
    fn qa_around(
        &self,
        outlet: &OutletId,
        factor: &FactorCode,
        kind: QaKind,
        at: Timestamp,
    ) -> (Option<QaRow>, Option<QaRow>);

    /// Tests of an outlet that stand, decide something and were done within `from..until`, by time,
    /// then number.
    fn qa_between(&self, outlet: &OutletId, from: Timestamp, until: Timestamp) -> Vec<QaRow>;

    /// The validity review of a quarter.
    fn review(&self, outlet: &OutletId, quarter: Timestamp) -> Option<ReviewRow>;

    /// A quarter.
    fn quarter(&self, outlet: &OutletId, start: Timestamp) -> Option<QuarterRow>;

    /// The packed hours of a month.
    fn pack(&self, outlet: &OutletId, month: Timestamp) -> Option<PackRow>;

    /// The clues of a period.
    fn clues(&self, outlet: &OutletId, level: Level, start: Timestamp) -> Option<ClueRow>;

    /// An instance of a duty.
    fn duty(&self, key: &DutyKey) -> Option<DutyRow>;

    /// Open instances of a row, of one round or of all, by key.
    fn open_duties(&self, rule: &DutyId, round: Option<&str>) -> Vec<DutyRow>;

    /// Open instances about a subject, by key.
    fn open_duties_about(&self, subject: &DutySubject) -> Vec<DutyRow>;

    /// Manual reports sampled within `from..until`, by sampling time, then number.
    /// A manual report.
    fn manual_report(&self, id: ReportId) -> Option<ManualReportRow>;

    /// Manual reports sampled within `from..until`, by sampling time, then number; those taken back
    /// or corrected included.
    fn manual_reports(
        &self,
        outlet: &OutletId,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<ManualReportRow>;
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

    fn mark(&self, _: Seq) -> Option<MarkRow> {
        None
    }

    fn marks(&self, _: &OutletId, _: Timestamp, _: Timestamp) -> Vec<MarkRow> {
        Vec::new()
    }

    fn qa_tests(&self, _: Seq) -> Vec<QaRow> {
        Vec::new()
    }

    fn qa_around(
        &self,
        _: &OutletId,
        _: &FactorCode,
        _: QaKind,
        _: Timestamp,
    ) -> (Option<QaRow>, Option<QaRow>) {
        (None, None)
    }

    fn qa_between(&self, _: &OutletId, _: Timestamp, _: Timestamp) -> Vec<QaRow> {
        Vec::new()
    }

    fn review(&self, _: &OutletId, _: Timestamp) -> Option<ReviewRow> {
        None
    }

    fn quarter(&self, _: &OutletId, _: Timestamp) -> Option<QuarterRow> {
        None
    }

    fn pack(&self, _: &OutletId, _: Timestamp) -> Option<PackRow> {
        None
    }

    fn clues(&self, _: &OutletId, _: Level, _: Timestamp) -> Option<ClueRow> {
        None
    }

    fn duty(&self, _: &DutyKey) -> Option<DutyRow> {
        None
    }

    fn open_duties(&self, _: &DutyId, _: Option<&str>) -> Vec<DutyRow> {
        Vec::new()
    }

    fn open_duties_about(&self, _: &DutySubject) -> Vec<DutyRow> {
        Vec::new()
    }

    fn manual_report(&self, _: ReportId) -> Option<ManualReportRow> {
        None
    }

    fn manual_reports(&self, _: &OutletId, _: Timestamp, _: Timestamp) -> Vec<ManualReportRow> {
        Vec::new()
    }
}
