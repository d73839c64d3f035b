//! Alarms, exchanges, what is to be passed on, fallbacks, manual reports, quarantine and the audit
//! trail.

use super::{Queries, body_at, int_capped, outlet_list, rows_capped, seq_at, text_at, uint};
use crate::store::error::StoreError;
use cems_core::model::rows::{AuditRow, QuarantineRow};
use cems_core::model::{
    AlarmId, AlarmRow, ExchangeRow, FallbackId, FallbackRow, ForwardRow, ManualReportRow, OutletId,
    Priority, RecordKind, ReportId, Seq, Timestamp,
};
use rusqlite::Row;
use std::collections::BTreeSet;

/// Which fallbacks to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FallbackFilter {
    /// Only those not closed.
    pub open_only: bool,
    /// Only of these outlets; `None`: all.
    pub outlets: Option<BTreeSet<OutletId>>,
    /// At most so many, and never more than [`LIST_MAX`](super::LIST_MAX).
    pub limit: usize,
}

/// Open alarms of one outlet and priority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmCount {
    /// The outlet; `None` for unknown loggers and peers together.
    pub outlet: Option<OutletId>,
    /// The priority.
    pub priority: Priority,
    /// Not closed.
    pub open: u64,
    /// Not closed and not acknowledged.
    pub unacknowledged: u64,
    /// Not closed, and the condition holds.
    pub active: u64,
}

pub(super) fn audit_at(row: &Row<'_>) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        seq: seq_at(row, 0)?,
        n: row.get(1)?,
        at: Timestamp(row.get(2)?),
        who: text_at(row, 3)?,
        what: text_at(row, 4)?,
        object: text_at(row, 5)?,
        detail: row.get(6)?,
    })
}

impl Queries<'_> {
    /// One alarm.
    pub fn alarm(&self, id: AlarmId) -> Result<Option<AlarmRow>, StoreError> {
        self.one(
            "SELECT body FROM alarm WHERE id = ?1",
            [int_capped(id.0)],
            |row| body_at("alarm", row),
        )
    }

    /// Open alarms counted by outlet and priority; outlets without any are left out.
    pub fn open_alarm_counts(&self) -> Result<Vec<AlarmCount>, StoreError> {
        self.list(
            "SELECT outlet, priority, count(*), sum(1 - acknowledged), sum(active) FROM alarm \
             WHERE open = 1 GROUP BY outlet, priority ORDER BY outlet, priority",
            [],
            |row| {
                let outlet: Option<String> = row.get(0)?;
                Ok(AlarmCount {
                    outlet: outlet.map(OutletId::new),
                    priority: priority(&text_at(row, 1)?)?,
                    open: uint(row.get(2)?)?,
                    unacknowledged: uint(row.get(3)?)?,
                    active: uint(row.get(4)?)?,
                })
            },
        )
    }

    /// One fallback.
    pub fn fallback(&self, id: FallbackId) -> Result<Option<FallbackRow>, StoreError> {
        self.one(
            "SELECT body FROM fallback WHERE id = ?1",
            [int_capped(id.0)],
            |row| body_at("fallback", row),
        )
    }

    /// One exchange with a device.
    pub fn exchange(&self, id: Seq) -> Result<Option<ExchangeRow>, StoreError> {
        self.one(
            "SELECT body FROM exchange WHERE id = ?1",
            [int_capped(id.0)],
            |row| body_at("exchange", row),
        )
    }

    /// Exchanges of these outlets (`None`: all), newest first.
    pub fn exchanges(
        &self,
        outlets: Option<&BTreeSet<OutletId>>,
        limit: usize,
    ) -> Result<Vec<ExchangeRow>, StoreError> {
        let limit = rows_capped(limit);
        let read = |row: &Row<'_>| body_at("exchange", row);
        match outlets {
            None => self.list(
                "SELECT body FROM exchange ORDER BY id DESC LIMIT ?1",
                [limit],
                read,
            ),
            Some(outlets) => self.list(
                "SELECT body FROM exchange WHERE outlet IN (SELECT value FROM json_each(?1)) \
                 ORDER BY id DESC LIMIT ?2",
                (outlet_list(outlets)?, limit),
                read,
            ),
        }
    }

    /// Exchanges that are not over, oldest first: what a restart has to take up or give up.
    pub fn open_exchanges(&self) -> Result<Vec<ExchangeRow>, StoreError> {
        self.list(
            "SELECT body FROM exchange WHERE open = 1 ORDER BY id",
            [],
            |row| body_at("exchange", row),
        )
    }

    /// Records to pass on that were accepted behind line (`seq`, `n`), in order; `(0, 0)` asks
    /// from the beginning. Lines older than 400 days are gone.
    pub fn forward_after(
        &self,
        seq: Seq,
        n: u32,
        limit: usize,
    ) -> Result<Vec<ForwardRow>, StoreError> {
        self.list(
            "SELECT seq, n, at, outlet, kind, start FROM forward WHERE (seq, n) > (?1, ?2) \
             ORDER BY seq, n LIMIT ?3",
            (int_capped(seq.0), n, rows_capped(limit)),
            |row| {
                let kind = text_at(row, 4)?;
                Ok(ForwardRow {
                    seq: seq_at(row, 0)?,
                    n: row.get(1)?,
                    at: Timestamp(row.get(2)?),
                    outlet: OutletId::new(text_at(row, 3)?),
                    kind: RecordKind::ALL
                        .into_iter()
                        .find(|k| k.as_str() == kind)
                        .ok_or_else(|| StoreError::Damaged(format!("record kind {kind}")))?,
                    start: Timestamp(row.get(5)?),
                })
            },
        )
    }

    /// Records of an outlet to pass on that were accepted behind line (`seq`, `n`), counted up to
    /// `limit`.
    pub fn forward_lag(
        &self,
        outlet: &OutletId,
        seq: Seq,
        n: u32,
        limit: usize,
    ) -> Result<u64, StoreError> {
        let rows = self.one(
            "SELECT count(*) FROM (SELECT 1 FROM forward WHERE (seq, n) > (?1, ?2) \
             AND outlet = ?3 LIMIT ?4)",
            (int_capped(seq.0), n, outlet.as_str(), rows_capped(limit)),
            |row| uint(row.get(0)?),
        )?;
        Ok(rows.unwrap_or(0))
    }

    /// Fallbacks, open ones first, then newest first.
    pub fn fallbacks(&self, filter: &FallbackFilter) -> Result<Vec<FallbackRow>, StoreError> {
        let limit = rows_capped(filter.limit);
        let read = |row: &Row<'_>| body_at("fallback", row);
        match (&filter.outlets, filter.open_only) {
            (None, false) => self.list(
                "SELECT body FROM fallback ORDER BY open DESC, id DESC LIMIT ?1",
                [limit],
                read,
            ),
            (None, true) => self.list(
                "SELECT body FROM fallback WHERE open = 1 ORDER BY id DESC LIMIT ?1",
                [limit],
                read,
            ),
            (Some(outlets), false) => self.list(
                "SELECT body FROM fallback WHERE outlet IN (SELECT value FROM json_each(?2)) \
                 ORDER BY open DESC, id DESC LIMIT ?1",
                (limit, outlet_list(outlets)?),
                read,
            ),
            (Some(outlets), true) => self.list(
                "SELECT body FROM fallback WHERE open = 1 \
                 AND outlet IN (SELECT value FROM json_each(?2)) ORDER BY id DESC LIMIT ?1",
                (limit, outlet_list(outlets)?),
                read,
            ),
        }
    }

    /// Manual reports of a fallback, by sampling time.
    pub fn reports_of_fallback(&self, id: FallbackId) -> Result<Vec<ManualReportRow>, StoreError> {
        self.list(
            "SELECT body FROM manual_report WHERE fallback = ?1 ORDER BY sampled_at, id",
            [int_capped(id.0)],
            |row| body_at("manual_report", row),
        )
    }

    /// One manual report.
    pub fn manual_report(&self, id: ReportId) -> Result<Option<ManualReportRow>, StoreError> {
        self.one(
            "SELECT body FROM manual_report WHERE id = ?1",
            [int_capped(id.0)],
            |row| body_at("manual_report", row),
        )
    }

    /// Manual reports of an outlet sampled in `from <= t < until`, within a fallback or not, by
    /// sampling time.
    pub fn manual_reports(
        &self,
        outlet: &OutletId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<ManualReportRow>, StoreError> {
        self.list(
            "SELECT body FROM manual_report \
             WHERE outlet = ?1 AND sampled_at >= ?2 AND sampled_at < ?3 ORDER BY sampled_at, id",
            (outlet.as_str(), from.0, until.0),
            |row| body_at("manual_report", row),
        )
    }

    /// What was refused, newest first.
    pub fn quarantine(&self, limit: usize) -> Result<Vec<QuarantineRow>, StoreError> {
        self.list(
            "SELECT seq, n, at, reason, peer, mn, bytes, excerpt FROM quarantine \
             ORDER BY seq DESC, n DESC LIMIT ?1",
            [rows_capped(limit)],
            |row| {
                let mn: Option<String> = row.get(5)?;
                Ok(QuarantineRow {
                    seq: seq_at(row, 0)?,
                    n: row.get(1)?,
                    at: Timestamp(row.get(2)?),
                    reason: text_at(row, 3)?,
                    peer: text_at(row, 4)?,
                    mn: mn.map(Into::into),
                    bytes: uint(row.get(6)?)?,
                    excerpt: row.get(7)?,
                })
            },
        )
    }

    /// The audit trail newest first, of events before `before`. The lines of one event stay
    /// together: the last event of a page is given whole, even above `limit`.
    pub fn audit(&self, before: Option<Seq>, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let before = before.map_or(i64::MAX, |seq| int_capped(seq.0));
        self.list(
            "SELECT seq, n, at, who, what, object, detail FROM audit WHERE seq < ?1 AND seq >= \
             (SELECT min(seq) FROM (SELECT seq FROM audit WHERE seq < ?1 \
             ORDER BY seq DESC, n DESC LIMIT ?2)) ORDER BY seq DESC, n DESC",
            (before, rows_capped(limit)),
            audit_at,
        )
    }

    /// What happened to one object (`alarm/12`), oldest first, at most the last
    /// [`LIST_MAX`](super::LIST_MAX) lines.
    pub fn audit_of(&self, object: &str) -> Result<Vec<AuditRow>, StoreError> {
        let mut lines = self.list(
            "SELECT seq, n, at, who, what, object, detail FROM audit WHERE object = ?1 \
             ORDER BY seq DESC, n DESC LIMIT ?2",
            (object, rows_capped(super::LIST_MAX)),
            audit_at,
        )?;
        lines.reverse();
        Ok(lines)
    }
}

pub(super) fn priority(name: &str) -> Result<Priority, StoreError> {
    Priority::ALL
        .into_iter()
        .find(|p| p.as_str() == name)
        .ok_or_else(|| StoreError::Damaged(format!("priority {name}")))
}
