//! Every question the projections answer, over one connection. The writer asks them inside its
//! open transaction, readers inside a read transaction of theirs.

mod alarms;
mod days;
mod desk;
mod duties;
mod judgement;
mod outgoing;
mod readings;
mod trail;

use super::Position;
use super::encode::parse;
use super::error::StoreError;
use cems_core::model::rows::StateRow;
use cems_core::model::{OutletId, Seq, Timestamp};
use rusqlite::{Connection, OptionalExtension, Params, Row};
use serde::de::DeserializeOwned;
use smol_str::SmolStr;
use std::collections::BTreeSet;

pub use alarms::{AlarmFilter, OCCURRENCES_MAX};
pub use duties::{DutyDay, DutyFilter, DutyPlaces};
pub use outgoing::{LogBounds, LogPlace};
pub use trail::{AlarmCount, FallbackFilter};

/// Most rows that one list may ask for; a larger limit is cut to it. Pages ask for less.
pub const LIST_MAX: usize = 10_000;

/// The questions, over one connection; all answers of one `Queries` that
/// [`Readers::read`](super::Readers::read) lends belong to the same committed position.
pub struct Queries<'c> {
    connection: &'c Connection,
}

impl<'c> Queries<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self { connection }
    }

    /// Journal position that the projections have reached; `None` before the first commit.
    pub fn position(&self) -> Result<Option<Position>, StoreError> {
        self.one("SELECT seq, at FROM position", [], |row| {
            Ok(Position {
                seq: seq_at(row, 0)?,
                at: Timestamp(row.get(1)?),
            })
        })
    }

    /// State of the engine, by name.
    pub fn states(&self) -> Result<Vec<StateRow>, StoreError> {
        self.list("SELECT name, body FROM state ORDER BY name", [], |row| {
            Ok(StateRow {
                name: text_at(row, 0)?,
                json: row.get(1)?,
            })
        })
    }

    /// The registry in force at `seq` and the position from which it is; `None` before the first.
    pub fn registry_at(&self, seq: Seq) -> Result<Option<(Seq, String)>, StoreError> {
        self.one(
            "SELECT seq, body FROM registry WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1",
            [int_capped(seq.0)],
            |row| Ok((seq_at(row, 0)?, row.get(1)?)),
        )
    }

    /// The registry in force at a time, or the first one for what was before it; `None` before the
    /// first.
    pub fn registry_in_force(&self, at: Timestamp) -> Result<Option<String>, StoreError> {
        let body = |row: &Row<'_>| Ok(row.get(0)?);
        let then = self.one(
            "SELECT body FROM registry WHERE at <= ?1 ORDER BY seq DESC LIMIT 1",
            [at.0],
            body,
        )?;
        match then {
            Some(then) => Ok(Some(then)),
            None => self.one("SELECT body FROM registry ORDER BY seq LIMIT 1", [], body),
        }
    }

    /// Every registry with the time from which it was in force, ascending.
    pub fn registries(&self) -> Result<Vec<(Timestamp, String)>, StoreError> {
        self.list("SELECT at, body FROM registry ORDER BY seq", [], |row| {
            Ok((Timestamp(row.get(0)?), row.get(1)?))
        })
    }

    /// The last registry and the position from which it is in force.
    pub fn registry_json(&self) -> Result<Option<(Seq, String)>, StoreError> {
        self.registry_at(Seq(u64::MAX))
    }

    fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let answer = statement
            .query_row(params, |row| Ok(read(row)))
            .optional()?;
        answer.transpose()
    }

    fn list<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(read(row)?);
        }
        Ok(all)
    }
}

/// A whole row of JSON in column 0.
fn body_at<T: DeserializeOwned>(table: &'static str, row: &Row<'_>) -> Result<T, StoreError> {
    parse(
        table,
        row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?,
    )
}

fn text_at(row: &Row<'_>, column: usize) -> Result<SmolStr, StoreError> {
    let text = row.get_ref(column)?;
    Ok(SmolStr::new(text.as_str().map_err(rusqlite::Error::from)?))
}

fn seq_at(row: &Row<'_>, column: usize) -> Result<Seq, StoreError> {
    Ok(Seq(uint(row.get(column)?)?))
}

fn uint(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Damaged(format!("{number} where a count stands")))
}

/// A bound for comparisons: nothing above 2^63-1 is stored, so cutting it changes no answer.
fn int_capped(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn rows_capped(limit: usize) -> i64 {
    i64::try_from(limit.min(LIST_MAX)).unwrap_or(i64::MAX)
}

/// Outlets as a JSON array for `json_each`, so that a set of any size is one parameter.
fn outlet_list(outlets: &BTreeSet<OutletId>) -> Result<String, StoreError> {
    super::encode::json("a set of outlets", outlets)
}
