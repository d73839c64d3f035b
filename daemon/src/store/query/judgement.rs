//! Marks, tests of the equipment, validity reviews, clues, quarters, packed hours.

use super::{Queries, body_at, int_capped, outlet_list, rows_capped, seq_at};
use crate::store::error::StoreError;
use cems_core::model::time::DAY_MS;
use cems_core::model::{
    ClueRow, FactorCode, Level, MarkRow, OutletId, PackRow, QaKind, QaRow, QuarterRow, ReviewRow,
    Seq, Timestamp,
};
use rusqlite::Row;
use std::collections::BTreeSet;

fn pack_at(row: &Row<'_>, outlet: &OutletId) -> Result<PackRow, StoreError> {
    let body = row.get_ref(2)?;
    Ok(PackRow {
        outlet: outlet.clone(),
        month: Timestamp(row.get(0)?),
        seq: seq_at(row, 1)?,
        body: body.as_blob().map_err(rusqlite::Error::from)?.to_vec(),
    })
}

impl Queries<'_> {
    /// One mark.
    pub fn mark(&self, id: Seq) -> Result<Option<MarkRow>, StoreError> {
        self.one(
            "SELECT body FROM mark WHERE id = ?1",
            [int_capped(id.0)],
            |row| body_at("mark", row),
        )
    }

    /// Marks of an outlet that touch `from..until`, by number. Not limited: the caller bounds the
    /// span.
    pub fn marks(
        &self,
        outlet: &OutletId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<MarkRow>, StoreError> {
        self.list(
            "SELECT body FROM mark WHERE outlet = ?1 AND until > ?2 AND start < ?3 ORDER BY id",
            (outlet.as_str(), from.0, until.0),
            |row| body_at("mark", row),
        )
    }

    /// Marks of these outlets (`None`: all), newest first.
    pub fn newest_marks(
        &self,
        outlets: Option<&BTreeSet<OutletId>>,
        limit: usize,
    ) -> Result<Vec<MarkRow>, StoreError> {
        let limit = rows_capped(limit);
        let read = |row: &Row<'_>| body_at("mark", row);
        match outlets {
            None => self.list(
                "SELECT body FROM mark ORDER BY id DESC LIMIT ?1",
                [limit],
                read,
            ),
            Some(outlets) => self.list(
                "SELECT body FROM mark WHERE outlet IN (SELECT value FROM json_each(?1)) \
                 ORDER BY id DESC LIMIT ?2",
                (outlet_list(outlets)?, limit),
                read,
            ),
        }
    }

    /// The tests of one entry, by ordinal.
    pub fn qa_tests(&self, id: Seq) -> Result<Vec<QaRow>, StoreError> {
        self.list(
            "SELECT body FROM qa_test WHERE id = ?1 ORDER BY n",
            [int_capped(id.0)],
            |row| body_at("qa_test", row),
        )
    }

    /// The deciding tests of one kind: the last done at or before `at`, the first after it.
    pub fn qa_around(
        &self,
        outlet: &OutletId,
        factor: &FactorCode,
        kind: QaKind,
        at: Timestamp,
    ) -> Result<(Option<QaRow>, Option<QaRow>), StoreError> {
        let key = (outlet.as_str(), factor.as_str(), kind.as_str(), at.0);
        let before = self.one(
            "SELECT body FROM qa_test WHERE outlet = ?1 AND factor = ?2 AND kind = ?3 \
             AND at <= ?4 AND decides = 1 ORDER BY at DESC, id DESC, n DESC LIMIT 1",
            key,
            |row| body_at("qa_test", row),
        )?;
        let after = self.one(
            "SELECT body FROM qa_test WHERE outlet = ?1 AND factor = ?2 AND kind = ?3 \
             AND at > ?4 AND decides = 1 ORDER BY at, id, n LIMIT 1",
            key,
            |row| body_at("qa_test", row),
        )?;
        Ok((before, after))
    }

    /// Deciding tests of an outlet done within `from..until`, by time, then number. Not limited:
    /// the caller bounds the span.
    pub fn qa_between(
        &self,
        outlet: &OutletId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<QaRow>, StoreError> {
        self.list(
            "SELECT body FROM qa_test WHERE outlet = ?1 AND at >= ?2 AND at < ?3 \
             AND decides = 1 ORDER BY at, id, n",
            (outlet.as_str(), from.0, until.0),
            |row| body_at("qa_test", row),
        )
    }

    /// Tests of an outlet done within `from..until`, newest first.
    pub fn qa_of(
        &self,
        outlet: &OutletId,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<QaRow>, StoreError> {
        self.list(
            "SELECT body FROM qa_test WHERE outlet = ?1 AND at >= ?2 AND at < ?3 \
             ORDER BY at DESC, id DESC, n DESC LIMIT ?4",
            (outlet.as_str(), from.0, until.0, rows_capped(limit)),
            |row| body_at("qa_test", row),
        )
    }

    /// The validity review of a quarter.
    pub fn review(
        &self,
        outlet: &OutletId,
        quarter: Timestamp,
    ) -> Result<Option<ReviewRow>, StoreError> {
        self.one(
            "SELECT body FROM review WHERE outlet = ?1 AND quarter = ?2",
            (outlet.as_str(), quarter.0),
            |row| body_at("review", row),
        )
    }

    /// All validity reviews of an outlet, newest quarter first.
    pub fn reviews(&self, outlet: &OutletId, limit: usize) -> Result<Vec<ReviewRow>, StoreError> {
        self.list(
            "SELECT body FROM review WHERE outlet = ?1 ORDER BY quarter DESC LIMIT ?2",
            (outlet.as_str(), rows_capped(limit)),
            |row| body_at("review", row),
        )
    }

    /// The clues of a period.
    pub fn clues(
        &self,
        outlet: &OutletId,
        level: Level,
        start: Timestamp,
    ) -> Result<Option<ClueRow>, StoreError> {
        self.one(
            "SELECT body FROM clue WHERE outlet = ?1 AND level = ?2 AND start = ?3",
            (outlet.as_str(), level.as_str(), start.0),
            |row| body_at("clue", row),
        )
    }

    /// Clues of these outlets (`None`: all) of periods that begin in `from..until`, newest first.
    pub fn clues_between(
        &self,
        outlets: Option<&BTreeSet<OutletId>>,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<ClueRow>, StoreError> {
        let limit = rows_capped(limit);
        let read = |row: &Row<'_>| body_at("clue", row);
        match outlets {
            None => self.list(
                "SELECT body FROM clue WHERE start >= ?1 AND start < ?2 \
                 ORDER BY start DESC, outlet, level LIMIT ?3",
                (from.0, until.0, limit),
                read,
            ),
            Some(outlets) => self.list(
                "SELECT body FROM clue WHERE outlet IN (SELECT value FROM json_each(?4)) \
                 AND start >= ?1 AND start < ?2 ORDER BY start DESC, outlet, level LIMIT ?3",
                (from.0, until.0, limit, outlet_list(outlets)?),
                read,
            ),
        }
    }

    /// A quarter.
    pub fn quarter(
        &self,
        outlet: &OutletId,
        start: Timestamp,
    ) -> Result<Option<QuarterRow>, StoreError> {
        self.one(
            "SELECT body FROM quarter WHERE outlet = ?1 AND start = ?2",
            (outlet.as_str(), start.0),
            |row| body_at("quarter", row),
        )
    }

    /// The quarters of an outlet, newest first.
    pub fn quarters(&self, outlet: &OutletId, limit: usize) -> Result<Vec<QuarterRow>, StoreError> {
        self.list(
            "SELECT body FROM quarter WHERE outlet = ?1 ORDER BY start DESC LIMIT ?2",
            (outlet.as_str(), rows_capped(limit)),
            |row| body_at("quarter", row),
        )
    }

    /// The quarters of an outlet that lie in `from..until` at least in part, ascending.
    pub fn quarters_between(
        &self,
        outlet: &OutletId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<QuarterRow>, StoreError> {
        // No quarter is longer than 92 days.
        let first = from.plus_ms(-92 * DAY_MS);
        self.list(
            "SELECT body FROM quarter WHERE outlet = ?1 AND start > ?2 AND start < ?3 \
             ORDER BY start",
            (outlet.as_str(), first.0, until.0),
            |row| body_at("quarter", row),
        )
    }

    /// The packed hours of a month.
    pub fn pack(&self, outlet: &OutletId, month: Timestamp) -> Result<Option<PackRow>, StoreError> {
        self.one(
            "SELECT month, seq, body FROM pack WHERE outlet = ?1 AND month = ?2",
            (outlet.as_str(), month.0),
            |row| pack_at(row, outlet),
        )
    }

    /// The packed hours of the months that begin in `from..until`, ascending.
    pub fn packs(
        &self,
        outlet: &OutletId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<PackRow>, StoreError> {
        self.list(
            "SELECT month, seq, body FROM pack WHERE outlet = ?1 AND month >= ?2 AND month < ?3 \
             ORDER BY month",
            (outlet.as_str(), from.0, until.0),
            |row| pack_at(row, outlet),
        )
    }
}
