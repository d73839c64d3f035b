//! Replays: periods that are sent from the stored rows, because somebody asked for them or because
//! the log no longer reaches back far enough.

use super::{Books, StoreError, Timestamp, Transaction, number};
use rusqlite::OptionalExtension;
use smol_str::SmolStr;

/// Replays of one list.
const LIST_MAX: u32 = 50;
/// Ended replays kept for one destination.
const ENDED_KEPT: u32 = 200;

/// How far a replay is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The outlet under way, by id; empty at the beginning.
    pub outlet: SmolStr,
    /// Which of the destination's series is under way.
    pub step: u32,
    /// From where in it: a time, or a journal position for events; 0 at its beginning.
    pub place: i64,
    /// Things sent so far.
    pub sent: u64,
    /// Series done with, and all of them.
    pub progress: (u32, u32),
    /// It is over.
    pub over: bool,
}

/// A period to send again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Its number.
    pub id: i64,
    /// Where to.
    pub destination: SmolStr,
    /// What began from then on.
    pub from: Timestamp,
    /// What began before.
    pub until: Timestamp,
    /// Who asked: a person, or `engine` when the log did not reach back.
    pub asked_by: SmolStr,
    /// When.
    pub asked_at: Timestamp,
    /// How far it is.
    pub cursor: Cursor,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

const COLUMNS: &str = "SELECT id, destination, start, until, asked_by, asked_at, outlet, step, \
                       place, sent, done, total, ended_at FROM replay";

fn replay(row: &rusqlite::Row<'_>) -> rusqlite::Result<Replay> {
    let text = |n| row.get::<_, String>(n).map(SmolStr::new);
    let ended_at: Option<i64> = row.get(12)?;
    Ok(Replay {
        id: row.get(0)?,
        destination: text(1)?,
        from: Timestamp(row.get(2)?),
        until: Timestamp(row.get(3)?),
        asked_by: text(4)?,
        asked_at: Timestamp(row.get(5)?),
        cursor: Cursor {
            outlet: text(6)?,
            step: row.get(7)?,
            place: row.get(8)?,
            sent: row.get::<_, i64>(9)?.unsigned_abs(),
            progress: (row.get(10)?, row.get(11)?),
            over: ended_at.is_some(),
        },
        ended_at: ended_at.map(Timestamp),
    })
}

/// Notes how far a replay is.
pub(super) fn move_on(
    transaction: &Transaction<'_>,
    id: i64,
    cursor: &Cursor,
    now: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE replay SET outlet = ?2, step = ?3, place = ?4, sent = ?5, done = ?6, \
             total = ?7, ended_at = ?8 WHERE id = ?1",
        )?
        .execute((
            id,
            cursor.outlet.as_str(),
            cursor.step,
            cursor.place,
            number(cursor.sent),
            cursor.progress.0,
            cursor.progress.1,
            cursor.over.then_some(now.0),
        ))?;
    Ok(())
}

impl Books {
    /// Books a replay; ended ones beyond the last 200 are forgotten.
    ///
    /// # Errors
    /// Disk.
    pub fn book_replay(
        &self,
        destination: &str,
        (from, until): (Timestamp, Timestamp),
        asked_by: &str,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let connection = self.connection();
        connection
            .prepare_cached(
                "INSERT INTO replay (destination, start, until, asked_by, asked_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((destination, from.0, until.0, asked_by, now.0))?;
        let id = connection.last_insert_rowid();
        connection
            .prepare_cached(
                "DELETE FROM replay WHERE destination = ?1 AND ended_at IS NOT NULL AND id <= \
                 (SELECT id FROM replay WHERE destination = ?1 AND ended_at IS NOT NULL \
                 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            )?
            .execute((destination, ENDED_KEPT))?;
        Ok(id)
    }

    /// The oldest replay of a destination that is not over.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn open_replay(&self, destination: &str) -> Result<Option<Replay>, StoreError> {
        let connection = self.connection();
        let sql =
            format!("{COLUMNS} WHERE destination = ?1 AND ended_at IS NULL ORDER BY id LIMIT 1");
        let found = connection
            .prepare_cached(&sql)?
            .query_row([destination], replay)
            .optional()?;
        Ok(found)
    }

    /// Replays of a destination, newest first, at most 50.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn replays(&self, destination: &str) -> Result<Vec<Replay>, StoreError> {
        let connection = self.connection();
        let sql = format!("{COLUMNS} WHERE destination = ?1 ORDER BY id DESC LIMIT ?2");
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = statement.query_map((destination, LIST_MAX), replay)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
