//! Read-only connections for the console and the API: they see what is committed, never the open
//! batch, and never hold up the writer.

use super::Position;
use super::error::StoreError;
use super::query::{
    AlarmCount, AlarmFilter, DutyDay, DutyFilter, DutyPlaces, FallbackFilter, LogBounds, Queries,
};
use super::schema::open_read_only;
use cems_core::alarm::figures::Occurrence;
use cems_core::alarm::groups::Cell;
use cems_core::model::rows::{
    AuditRow, DeviceRow, LatestRow, QuarantineRow, StateRow, StatementRow, SupersededRow,
};
use cems_core::model::{
    AggregateRow, AlarmId, AlarmRow, AlarmServiceRow, ClueRow, DutyKey, DutyRow, ExchangeRow,
    FactorCode, FallbackId, FallbackRow, ForwardRow, HandOverRow, Level, ManualReportRow, MarkRow,
    MessageId, MessageRow, OutgoingRow, OutletId, PackRow, QaKind, QaRow, QuarterRow, RecordKind,
    RecordRow, ReportId, ReviewRow, Seq, Series, SeriesDayRow, ShiftRow, Timestamp,
};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Connections of the pool: pages are computed on a few cores at a time; more would only wait
/// for the disk together. A question that finds all in use waits [`READER_WAIT`].
pub const READERS: usize = 4;

/// Longest wait for a free connection before a question fails as [`StoreError::Busy`].
pub const READER_WAIT: Duration = Duration::from_secs(5);

struct Pool {
    free: Mutex<Vec<Connection>>,
    returned: Condvar,
}

/// A small pool of read-only connections; clones share it. All methods block: call them on a
/// thread that may.
#[derive(Clone)]
pub struct Readers {
    pool: Arc<Pool>,
}

/// A connection on loan; goes back when dropped.
struct Loan<'p> {
    pool: &'p Pool,
    connection: Option<Connection>,
}

impl Pool {
    fn free(&self) -> MutexGuard<'_, Vec<Connection>> {
        // The guarded list is whole at every moment, so a panic elsewhere does not spoil it.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lend(&self) -> Result<Loan<'_>, StoreError> {
        let (mut free, _) = self
            .returned
            .wait_timeout_while(self.free(), READER_WAIT, |free| free.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        let connection = free.pop().ok_or_else(|| {
            StoreError::Busy(format!("all {READERS} readers for {READER_WAIT:?}"))
        })?;
        Ok(Loan {
            pool: self,
            connection: Some(connection),
        })
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            // Left open by a panic or an error in the middle of a read: end it, or the
            // write-ahead log could never be emptied.
            if !connection.is_autocommit()
                && let Err(error) = connection.execute_batch("ROLLBACK")
            {
                tracing::warn!(%error, "a reader could not end its transaction");
            }
            self.pool.free().push(connection);
            self.pool.returned.notify_one();
        }
    }
}

impl Readers {
    /// Opens [`READERS`] connections to the projections in `path`, which must exist.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let free = (0..READERS)
            .map(|_| open_read_only(path))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            pool: Arc::new(Pool {
                free: Mutex::new(free),
                returned: Condvar::new(),
            }),
        })
    }

    /// Runs several questions on one committed state: all answers inside `ask` belong together.
    /// `ask` must not ask other `Readers` of this pool, or it could wait for itself.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when no connection comes free; whatever `ask` returns.
    pub fn read<T>(
        &self,
        ask: impl FnOnce(&Queries<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let loan = self.pool.lend()?;
        let connection = loan
            .connection
            .as_ref()
            .expect("a loan has its connection until it is dropped");
        connection.prepare_cached("BEGIN")?.execute([])?;
        let answer = ask(&Queries::new(connection))?;
        connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(answer)
    }
}

/// Each question of [`Queries`] that stands for itself, asked on one free connection.
macro_rules! questions {
    ($($name:ident ( $($arg:ident : $kind:ty),* ) -> $answer:ty;)*) => {
        impl Readers {
            $(
                #[doc = concat!("See [`Queries::", stringify!($name), "`].")]
                ///
                /// # Errors
                /// [`StoreError::Busy`] when no connection comes free; disk or damage.
                pub fn $name(&self, $($arg: $kind),*) -> Result<$answer, StoreError> {
                    self.read(|queries| queries.$name($($arg),*))
                }
            )*
        }
    };
}

questions! {
    position() -> Option<Position>;
    states() -> Vec<StateRow>;
    registry_at(seq: Seq) -> Option<(Seq, String)>;
    registry_json() -> Option<(Seq, String)>;
    record(outlet: &OutletId, kind: RecordKind, start: Timestamp) -> Option<RecordRow>;
    records(outlet: &OutletId, kind: RecordKind, from: Timestamp, until: Timestamp)
        -> Vec<RecordRow>;
    record_starts(outlet: &OutletId, kind: RecordKind, from: Timestamp, until: Timestamp)
        -> Vec<Timestamp>;
    record_versions(outlet: &OutletId, kind: RecordKind, span: (Timestamp, Timestamp),
        limit: usize) -> Vec<(Timestamp, Seq, Timestamp)>;
    first_start(outlet: &OutletId) -> Option<Timestamp>;
    superseded(outlet: &OutletId, kind: RecordKind, start: Timestamp) -> Vec<SupersededRow>;
    aggregate(outlet: &OutletId, level: Level, start: Timestamp) -> Option<AggregateRow>;
    aggregates(outlet: &OutletId, level: Level, from: Timestamp, until: Timestamp)
        -> Vec<AggregateRow>;
    last_aggregate(outlet: &OutletId, level: Level, complete_only: bool) -> Option<AggregateRow>;
    latest(outlet: &OutletId) -> Vec<LatestRow>;
    latest_all() -> Vec<LatestRow>;
    device(outlet: &OutletId) -> Vec<DeviceRow>;
    devices() -> Vec<DeviceRow>;
    statements(outlet: &OutletId, cn: &str, before: Option<Timestamp>, limit: usize)
        -> Vec<StatementRow>;
    alarm(id: AlarmId) -> Option<AlarmRow>;
    alarms(filter: &AlarmFilter) -> Vec<AlarmRow>;
    open_alarm_counts() -> Vec<AlarmCount>;
    open_alarm_cells(outlets: Option<&BTreeSet<OutletId>>) -> Vec<Cell>;
    alarm_occurrences(outlets: Option<&BTreeSet<OutletId>>, from: Timestamp, until: Timestamp)
        -> Vec<Occurrence>;
    alarm_services() -> Vec<AlarmServiceRow>;
    shifts(from: Timestamp, until: Timestamp) -> Vec<ShiftRow>;
    hand_overs(limit: usize) -> Vec<HandOverRow>;
    message(id: MessageId) -> Option<MessageRow>;
    messages_after(after: MessageId, limit: usize) -> Vec<MessageRow>;
    exchange(id: Seq) -> Option<ExchangeRow>;
    exchanges(outlets: Option<&BTreeSet<OutletId>>, limit: usize) -> Vec<ExchangeRow>;
    open_exchanges() -> Vec<ExchangeRow>;
    forward_after(seq: Seq, n: u32, limit: usize) -> Vec<ForwardRow>;
    forward_lag(outlet: &OutletId, seq: Seq, n: u32, limit: usize) -> u64;
    outgoing_after(seq: Seq, n: u32, limit: usize) -> Vec<OutgoingRow>;
    outgoing_bounds() -> Option<LogBounds>;
    outgoing_lag(seq: Seq, n: u32, limit: usize) -> (u64, Option<Timestamp>);
    events_after(seq: Seq, n: u32, limit: usize) -> Vec<AuditRow>;
    event(seq: Seq, n: u32) -> Option<AuditRow>;
    events_bounds() -> Option<LogBounds>;
    events_lag(seq: Seq, n: u32, limit: usize) -> (u64, Option<Timestamp>);
    series_days(series: Series, from: Timestamp, until: Timestamp, limit: usize)
        -> Vec<SeriesDayRow>;
    series_day(series: Series, day: Timestamp) -> Option<SeriesDayRow>;
    fallback(id: FallbackId) -> Option<FallbackRow>;
    fallbacks(filter: &FallbackFilter) -> Vec<FallbackRow>;
    reports_of_fallback(id: FallbackId) -> Vec<ManualReportRow>;
    manual_report(id: ReportId) -> Option<ManualReportRow>;
    manual_reports(outlet: &OutletId, from: Timestamp, until: Timestamp)
        -> Vec<ManualReportRow>;
    duty(key: &DutyKey) -> Option<DutyRow>;
    duties(filter: &DutyFilter) -> Vec<DutyRow>;
    duty_days(places: Option<&DutyPlaces>, inside: bool, due: (Timestamp, Timestamp),
        limit: usize) -> Vec<DutyDay>;
    mark(id: Seq) -> Option<MarkRow>;
    marks(outlet: &OutletId, from: Timestamp, until: Timestamp) -> Vec<MarkRow>;
    newest_marks(outlets: Option<&BTreeSet<OutletId>>, limit: usize) -> Vec<MarkRow>;
    qa_tests(id: Seq) -> Vec<QaRow>;
    qa_around(outlet: &OutletId, factor: &FactorCode, kind: QaKind, at: Timestamp)
        -> (Option<QaRow>, Option<QaRow>);
    qa_of(outlet: &OutletId, from: Timestamp, until: Timestamp, limit: usize) -> Vec<QaRow>;
    review(outlet: &OutletId, quarter: Timestamp) -> Option<ReviewRow>;
    reviews(outlet: &OutletId, limit: usize) -> Vec<ReviewRow>;
    clues(outlet: &OutletId, level: Level, start: Timestamp) -> Option<ClueRow>;
    clues_between(outlets: Option<&BTreeSet<OutletId>>, from: Timestamp, until: Timestamp,
        limit: usize) -> Vec<ClueRow>;
    quarter(outlet: &OutletId, start: Timestamp) -> Option<QuarterRow>;
    quarters(outlet: &OutletId, limit: usize) -> Vec<QuarterRow>;
    pack(outlet: &OutletId, month: Timestamp) -> Option<PackRow>;
    packs(outlet: &OutletId, from: Timestamp, until: Timestamp) -> Vec<PackRow>;
    quarantine(limit: usize) -> Vec<QuarantineRow>;
    audit(before: Option<Seq>, limit: usize) -> Vec<AuditRow>;
    audit_of(object: &str) -> Vec<AuditRow>;
}
