//! Days of series, and what is needed to read one of them outlet by outlet.

use super::{Queries, rows_capped, seq_at, text_at};
use crate::store::error::StoreError;
use cems_core::model::{OutletId, Series, SeriesDayRow, Timestamp};

impl Queries<'_> {
    /// The days with `from <= day < until` in which a series has rows, ascending.
    pub fn series_days(
        &self,
        series: Series,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<SeriesDayRow>, StoreError> {
        self.list(
            "SELECT day, seq FROM series_day WHERE series = ?1 AND day >= ?2 AND day < ?3 \
             ORDER BY day LIMIT ?4",
            (series.as_str(), from.0, until.0, rows_capped(limit)),
            |row| {
                Ok(SeriesDayRow {
                    series,
                    day: Timestamp(row.get(0)?),
                    seq: seq_at(row, 1)?,
                })
            },
        )
    }

    /// One day of a series; `None` when it has no rows.
    pub fn series_day(
        &self,
        series: Series,
        day: Timestamp,
    ) -> Result<Option<SeriesDayRow>, StoreError> {
        self.one(
            "SELECT seq FROM series_day WHERE series = ?1 AND day = ?2",
            (series.as_str(), day.0),
            |row| {
                Ok(SeriesDayRow {
                    series,
                    day,
                    seq: seq_at(row, 0)?,
                })
            },
        )
    }

    /// The first outlet behind `after` that has records (means, when `series` is one of means),
    /// by its id; in or out of the registry.
    pub fn outlet_after(
        &self,
        series: Series,
        after: Option<&OutletId>,
    ) -> Result<Option<OutletId>, StoreError> {
        // One step in the index for each outlet; DISTINCT would read every row.
        let sql = match series {
            Series::Record(_) => {
                "SELECT outlet FROM record WHERE outlet > ?1 ORDER BY outlet LIMIT 1"
            }
            Series::Aggregate(_) => {
                "SELECT outlet FROM aggregate WHERE outlet > ?1 ORDER BY outlet LIMIT 1"
            }
        };
        let after = after.map_or("", OutletId::as_str);
        self.one(sql, [after], |row| Ok(OutletId::new(text_at(row, 0)?)))
    }
}
