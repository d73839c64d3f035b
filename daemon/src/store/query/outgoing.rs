//! What goes out: the log of rows written, and the audit trail in order.

use super::trail::audit_at;
use super::{Queries, int_capped, rows_capped, seq_at, text_at, uint};
use crate::store::error::StoreError;
use cems_core::model::rows::AuditRow;
use cems_core::model::{OutgoingRow, OutletId, Seq, Series, Timestamp};
use rusqlite::Row;

/// Where a log begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogBounds {
    /// Its first line.
    pub first: LogPlace,
    /// Its last line.
    pub last: LogPlace,
}

/// A line of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPlace {
    /// Journal position.
    pub seq: Seq,
    /// Ordinal within the event.
    pub n: u32,
    /// When it was written.
    pub at: Timestamp,
}

fn place(row: &Row<'_>) -> Result<LogPlace, StoreError> {
    Ok(LogPlace {
        seq: seq_at(row, 0)?,
        n: row.get(1)?,
        at: Timestamp(row.get(2)?),
    })
}

impl Queries<'_> {
    /// Rows that were written behind line (`seq`, `n`), in order; `(0, 0)` asks from the
    /// beginning. Lines older than 30 days are gone.
    pub fn outgoing_after(
        &self,
        seq: Seq,
        n: u32,
        limit: usize,
    ) -> Result<Vec<OutgoingRow>, StoreError> {
        self.list(
            "SELECT seq, n, at, outlet, what, start FROM outgoing WHERE (seq, n) > (?1, ?2) \
             ORDER BY seq, n LIMIT ?3",
            (int_capped(seq.0), n, rows_capped(limit)),
            |row| {
                let what = text_at(row, 4)?;
                Ok(OutgoingRow {
                    seq: seq_at(row, 0)?,
                    n: row.get(1)?,
                    at: Timestamp(row.get(2)?),
                    outlet: OutletId::new(text_at(row, 3)?),
                    what: Series::named(&what)
                        .ok_or_else(|| StoreError::Damaged(format!("a series named {what}")))?,
                    start: Timestamp(row.get(5)?),
                })
            },
        )
    }

    /// Where the log of what goes out begins and ends; `None` while it is empty.
    pub fn outgoing_bounds(&self) -> Result<Option<LogBounds>, StoreError> {
        self.bounds(
            "SELECT seq, n, at FROM outgoing ORDER BY seq, n LIMIT 1",
            "SELECT seq, n, at FROM outgoing ORDER BY seq DESC, n DESC LIMIT 1",
        )
    }

    /// Lines of the log of what goes out behind (`seq`, `n`), counted up to `limit`, and the time
    /// of the first of them.
    pub fn outgoing_lag(
        &self,
        seq: Seq,
        n: u32,
        limit: usize,
    ) -> Result<(u64, Option<Timestamp>), StoreError> {
        self.lag(
            "SELECT count(*), min(at) FROM (SELECT at FROM outgoing WHERE (seq, n) > (?1, ?2) \
             ORDER BY seq, n LIMIT ?3)",
            (seq, n, limit),
        )
    }

    /// The audit trail behind line (`seq`, `n`), oldest first.
    pub fn events_after(
        &self,
        seq: Seq,
        n: u32,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.list(
            "SELECT seq, n, at, who, what, object, detail FROM audit WHERE (seq, n) > (?1, ?2) \
             ORDER BY seq, n LIMIT ?3",
            (int_capped(seq.0), n, rows_capped(limit)),
            audit_at,
        )
    }

    /// One line of the audit trail.
    pub fn event(&self, seq: Seq, n: u32) -> Result<Option<AuditRow>, StoreError> {
        self.one(
            "SELECT seq, n, at, who, what, object, detail FROM audit WHERE seq = ?1 AND n = ?2",
            (int_capped(seq.0), n),
            audit_at,
        )
    }

    /// Where the audit trail begins and ends; `None` while it is empty.
    pub fn events_bounds(&self) -> Result<Option<LogBounds>, StoreError> {
        self.bounds(
            "SELECT seq, n, at FROM audit ORDER BY seq, n LIMIT 1",
            "SELECT seq, n, at FROM audit ORDER BY seq DESC, n DESC LIMIT 1",
        )
    }

    /// Lines of the audit trail behind (`seq`, `n`), counted up to `limit`, and the time of the
    /// first of them.
    pub fn events_lag(
        &self,
        seq: Seq,
        n: u32,
        limit: usize,
    ) -> Result<(u64, Option<Timestamp>), StoreError> {
        self.lag(
            "SELECT count(*), min(at) FROM (SELECT at FROM audit WHERE (seq, n) > (?1, ?2) \
             ORDER BY seq, n LIMIT ?3)",
            (seq, n, limit),
        )
    }

    fn bounds(&self, first: &str, last: &str) -> Result<Option<LogBounds>, StoreError> {
        let first = self.one(first, [], place)?;
        let last = self.one(last, [], place)?;
        Ok(first
            .zip(last)
            .map(|(first, last)| LogBounds { first, last }))
    }

    fn lag(
        &self,
        sql: &str,
        (seq, n, limit): (Seq, u32, usize),
    ) -> Result<(u64, Option<Timestamp>), StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let lag = self.one(sql, (int_capped(seq.0), n, limit), |row| {
            let first: Option<i64> = row.get(1)?;
            Ok((uint(row.get(0)?)?, first.map(Timestamp)))
        })?;
        Ok(lag.unwrap_or((0, None)))
    }
}
