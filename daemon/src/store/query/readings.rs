//! Records, superseded values, aggregates, latest values, loggers and their statements.

use super::{Queries, body_at, rows_capped, seq_at, text_at};
use crate::store::encode::{aggregate_row, record_row, value_row};
use crate::store::error::StoreError;
use cems_core::model::rows::{DeviceRow, LatestRow, StatementRow, SupersededRow};
use cems_core::model::{
    AggregateRow, FactorCode, Level, OutletId, RecordKind, RecordRow, Seq, Timestamp,
};
use rusqlite::Row;

/// Columns after the two of the key that the caller knows.
fn record_at(row: &Row<'_>, outlet: &OutletId, kind: RecordKind) -> Result<RecordRow, StoreError> {
    let body = row.get_ref(2)?;
    record_row(
        outlet.clone(),
        kind,
        Timestamp(row.get(0)?),
        row.get(1)?,
        body.as_str().map_err(rusqlite::Error::from)?,
    )
}

fn aggregate_at(
    row: &Row<'_>,
    outlet: &OutletId,
    level: Level,
) -> Result<AggregateRow, StoreError> {
    let body = row.get_ref(2)?;
    aggregate_row(
        outlet.clone(),
        level,
        Timestamp(row.get(0)?),
        row.get(1)?,
        body.as_str().map_err(rusqlite::Error::from)?,
    )
}

impl Queries<'_> {
    /// One record.
    pub fn record(
        &self,
        outlet: &OutletId,
        kind: RecordKind,
        start: Timestamp,
    ) -> Result<Option<RecordRow>, StoreError> {
        self.one(
            "SELECT start, resent, body FROM record WHERE outlet = ?1 AND kind = ?2 AND start = ?3",
            (outlet.as_str(), kind.as_str(), start.0),
            |row| record_at(row, outlet, kind),
        )
    }

    /// Records with `from <= start < until`, ascending. Not limited: the caller bounds the span.
    pub fn records(
        &self,
        outlet: &OutletId,
        kind: RecordKind,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<RecordRow>, StoreError> {
        self.list(
            "SELECT start, resent, body FROM record \
             WHERE outlet = ?1 AND kind = ?2 AND start >= ?3 AND start < ?4 ORDER BY start",
            (outlet.as_str(), kind.as_str(), from.0, until.0),
            |row| record_at(row, outlet, kind),
        )
    }

    /// The first records with `from <= start < until`, ascending.
    pub fn first_records(
        &self,
        outlet: &OutletId,
        kind: RecordKind,
        (from, until): (Timestamp, Timestamp),
        limit: usize,
    ) -> Result<Vec<RecordRow>, StoreError> {
        self.list(
            "SELECT start, resent, body FROM record \
             WHERE outlet = ?1 AND kind = ?2 AND start >= ?3 AND start < ?4 \
             ORDER BY start LIMIT ?5",
            (
                outlet.as_str(),
                kind.as_str(),
                from.0,
                until.0,
                rows_capped(limit),
            ),
            |row| record_at(row, outlet, kind),
        )
    }

    /// Starts of records with `from <= start < until`, ascending: which ones are there, without
    /// reading them.
    pub fn record_starts(
        &self,
        outlet: &OutletId,
        kind: RecordKind,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Timestamp>, StoreError> {
        self.list(
            "SELECT start FROM record \
             WHERE outlet = ?1 AND kind = ?2 AND start >= ?3 AND start < ?4 ORDER BY start",
            (outlet.as_str(), kind.as_str(), from.0, until.0),
            |row| Ok(Timestamp(row.get(0)?)),
        )
    }

    /// Records with `from <= start < until`, ascending, at most `limit`: start, the journal
    /// position of the version that stands, and when that was accepted.
    pub fn record_versions(
        &self,
        outlet: &OutletId,
        kind: RecordKind,
        (from, until): (Timestamp, Timestamp),
        limit: usize,
    ) -> Result<Vec<(Timestamp, Seq, Timestamp)>, StoreError> {
        let rows = self.list(
            "SELECT start, resent, body FROM record \
             WHERE outlet = ?1 AND kind = ?2 AND start >= ?3 AND start < ?4 \
             ORDER BY start LIMIT ?5",
            (
                outlet.as_str(),
                kind.as_str(),
                from.0,
                until.0,
                rows_capped(limit),
            ),
            |row| record_at(row, outlet, kind),
        )?;
        let version = |row: RecordRow| {
            let values = row.values.values();
            let newest = values.map(|stored| (stored.seq, stored.received_at)).max();
            // A record that says nothing yet is of no version; its first one comes.
            let (seq, at) = newest.unwrap_or((Seq(0), row.start));
            (row.start, seq, at)
        };
        Ok(rows.into_iter().map(version).collect())
    }

    /// Start of the first record of an outlet, of whatever kind.
    pub fn first_start(&self, outlet: &OutletId) -> Result<Option<Timestamp>, StoreError> {
        let mut first: Option<Timestamp> = None;
        for kind in RecordKind::ALL {
            let of_kind = self.one(
                "SELECT start FROM record WHERE outlet = ?1 AND kind = ?2 \
                 ORDER BY start LIMIT 1",
                (outlet.as_str(), kind.as_str()),
                |row| Ok(Timestamp(row.get(0)?)),
            )?;
            first = [first, of_kind].into_iter().flatten().min();
        }
        Ok(first)
    }

    /// Start of the first aggregated hour of an outlet: since when there are data.
    pub fn first_record(&self, outlet: &OutletId) -> Result<Option<Timestamp>, StoreError> {
        self.one(
            "SELECT start FROM aggregate WHERE outlet = ?1 AND level = 'hour' \
             ORDER BY start LIMIT 1",
            [outlet.as_str()],
            |row| Ok(Timestamp(row.get(0)?)),
        )
    }

    /// The values of a record that later ones replaced, by factor and age.
    pub fn superseded(
        &self,
        outlet: &OutletId,
        kind: RecordKind,
        start: Timestamp,
    ) -> Result<Vec<SupersededRow>, StoreError> {
        self.list(
            "SELECT factor, seq, by_seq, body FROM superseded \
             WHERE outlet = ?1 AND kind = ?2 AND start = ?3 ORDER BY factor, seq, by_seq, version",
            (outlet.as_str(), kind.as_str(), start.0),
            |row| {
                let factor = FactorCode::new(text_at(row, 0)?);
                let body = row.get_ref(3)?;
                let body = body.as_str().map_err(rusqlite::Error::from)?;
                Ok(SupersededRow {
                    outlet: outlet.clone(),
                    kind,
                    start,
                    old: value_row(&factor, seq_at(row, 1)?, body)?,
                    by_seq: seq_at(row, 2)?,
                })
            },
        )
    }

    /// Aggregates with `from <= start < until`, ascending; amounts against permits are those of
    /// [`Level::Month`] and [`Level::Year`]. Not limited: the caller bounds the span.
    pub fn aggregates(
        &self,
        outlet: &OutletId,
        level: Level,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AggregateRow>, StoreError> {
        self.list(
            "SELECT start, complete, body FROM aggregate \
             WHERE outlet = ?1 AND level = ?2 AND start >= ?3 AND start < ?4 ORDER BY start",
            (outlet.as_str(), level.as_str(), from.0, until.0),
            |row| aggregate_at(row, outlet, level),
        )
    }

    /// The first complete aggregates with `from <= start < until`, ascending.
    pub fn first_aggregates(
        &self,
        outlet: &OutletId,
        level: Level,
        (from, until): (Timestamp, Timestamp),
        limit: usize,
    ) -> Result<Vec<AggregateRow>, StoreError> {
        self.list(
            "SELECT start, complete, body FROM aggregate \
             WHERE outlet = ?1 AND level = ?2 AND start >= ?3 AND start < ?4 AND complete = 1 \
             ORDER BY start LIMIT ?5",
            (
                outlet.as_str(),
                level.as_str(),
                from.0,
                until.0,
                rows_capped(limit),
            ),
            |row| aggregate_at(row, outlet, level),
        )
    }

    /// The aggregate of the period that starts at `start`.
    pub fn aggregate(
        &self,
        outlet: &OutletId,
        level: Level,
        start: Timestamp,
    ) -> Result<Option<AggregateRow>, StoreError> {
        self.one(
            "SELECT start, complete, body FROM aggregate \
             WHERE outlet = ?1 AND level = ?2 AND start = ?3",
            (outlet.as_str(), level.as_str(), start.0),
            |row| aggregate_at(row, outlet, level),
        )
    }

    /// The newest aggregate of a level; `complete_only` leaves out the period that still runs.
    pub fn last_aggregate(
        &self,
        outlet: &OutletId,
        level: Level,
        complete_only: bool,
    ) -> Result<Option<AggregateRow>, StoreError> {
        self.one(
            "SELECT start, complete, body FROM aggregate \
             WHERE outlet = ?1 AND level = ?2 AND complete >= ?3 ORDER BY start DESC LIMIT 1",
            (outlet.as_str(), level.as_str(), complete_only),
            |row| aggregate_at(row, outlet, level),
        )
    }

    /// Latest values of an outlet, by factor.
    pub fn latest(&self, outlet: &OutletId) -> Result<Vec<LatestRow>, StoreError> {
        self.list(
            "SELECT body FROM latest WHERE outlet = ?1 ORDER BY factor",
            [outlet.as_str()],
            |row| body_at("latest", row),
        )
    }

    /// Latest values of all outlets, by outlet and factor.
    pub fn latest_all(&self) -> Result<Vec<LatestRow>, StoreError> {
        self.list(
            "SELECT body FROM latest ORDER BY outlet, factor",
            [],
            |row| body_at("latest", row),
        )
    }

    /// Loggers that report or reported for an outlet, by MN.
    pub fn device(&self, outlet: &OutletId) -> Result<Vec<DeviceRow>, StoreError> {
        self.list(
            "SELECT body FROM device WHERE outlet = ?1 ORDER BY mn",
            [outlet.as_str()],
            |row| body_at("device", row),
        )
    }

    /// All loggers, by MN.
    pub fn devices(&self) -> Result<Vec<DeviceRow>, StoreError> {
        self.list("SELECT body FROM device ORDER BY mn", [], |row| {
            body_at("device", row)
        })
    }

    /// Statements of an outlet's logger with one command number, newest first, before `before`.
    pub fn statements(
        &self,
        outlet: &OutletId,
        cn: &str,
        before: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<StatementRow>, StoreError> {
        self.list(
            "SELECT cn, at, name, value, seq FROM statement \
             WHERE outlet = ?1 AND cn = ?2 AND (?3 IS NULL OR at < ?3) \
             ORDER BY at DESC, name LIMIT ?4",
            (outlet.as_str(), cn, before.map(|t| t.0), rows_capped(limit)),
            |row| {
                Ok(StatementRow {
                    outlet: outlet.clone(),
                    cn: text_at(row, 0)?,
                    at: Timestamp(row.get(1)?),
                    name: text_at(row, 2)?,
                    value: row.get(3)?,
                    seq: seq_at(row, 4)?,
                })
            },
        )
    }
}
