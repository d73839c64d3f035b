//! What the outbox remembers, in a small database of its own: `outbox.db`. Positions, dead letters
//! and replays; no data. A position moves in the same transaction as what was refused is noted, and
//! only after the other side has answered: a thing is sent at least once, and twice only when the
//! daemon dies between the two.
//!
//! Losing the file costs dead letters and replays under way; destinations go on from the end of the
//! logs, and what they missed can be asked for.

mod dead;
mod replay;

pub use dead::DeadLetter;
pub use replay::{Cursor, Replay};

use super::destination::{Cause, SendError};
use super::parcel::Key;
use crate::store::{Damage, Schema, SideBook, StoreError};
use cems_core::model::{Seq, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::path::Path;
use std::sync::MutexGuard;

/// `outbox.db` (application id `CEMO`).
const SCHEMA: Schema = Schema {
    application_id: 0x4345_4d4f,
    migrations: &[include_str!("0001-outbox.sql")],
};

/// The logs that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// Records and aggregates.
    Series,
    /// Lines of the audit trail.
    Events,
}

impl Stream {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Series, Self::Events];

    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Series => "series",
            Self::Events => "events",
        }
    }
}

/// A line of a log: everything up to it is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Journal position.
    pub seq: Seq,
    /// Ordinal within the event.
    pub n: u32,
    /// When it was written.
    pub at: Timestamp,
}

/// Trouble that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Since when.
    pub since: Timestamp,
    /// The last attempt.
    pub at: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
    /// What is wrong.
    pub cause: Cause,
    /// The other side's words, without addresses and secrets.
    pub said: String,
}

/// How one destination stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Things delivered so far.
    pub delivered: u64,
    /// Things not sent because they were due too long ago.
    pub given_up: u64,
    /// Dead letters that made room for newer ones.
    pub forgotten: u64,
    /// Dead letters at hand.
    pub dead: u64,
    /// The last delivery.
    pub last_sent: Option<Timestamp>,
    /// Trouble that lasts.
    pub trouble: Option<Trouble>,
}

/// What a batch changes in the books.
#[derive(Debug, Default)]
pub struct Done {
    /// Things taken.
    pub delivered: u64,
    /// Things too old to be sent.
    pub given_up: u64,
    /// Things refused, and why.
    pub refused: Vec<(Key, String)>,
    /// Dead letters that were taken now.
    pub revived: Vec<i64>,
    /// How far a log is done with.
    pub position: Option<(Stream, Place)>,
    /// How far a replay is.
    pub replay: Option<(i64, Cursor)>,
}

/// The database. Methods block and take turns; what they changed is on disk when they return.
pub struct Books {
    book: SideBook,
}

impl Books {
    /// Opens `path`; creates or migrates the file, puts a damaged one aside and begins anew.
    ///
    /// # Errors
    /// As [`SqliteStore::open`](crate::store::SqliteStore::open).
    pub fn open(path: &Path) -> Result<(Self, Option<Damage>), StoreError> {
        let (book, damage) = SideBook::open(&SCHEMA, path)?;
        Ok((Self { book }, damage))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.book.connection()
    }

    /// How far a destination is; `None` for a new one.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn position(&self, destination: &str, stream: Stream) -> Result<Option<Place>, StoreError> {
        let connection = self.connection();
        let found = connection
            .prepare_cached(
                "SELECT seq, n, at FROM position WHERE destination = ?1 AND stream = ?2",
            )?
            .query_row((destination, stream.as_str()), |row| {
                Ok(Place {
                    seq: Seq(row.get::<_, i64>(0)?.unsigned_abs()),
                    n: row.get(1)?,
                    at: Timestamp(row.get(2)?),
                })
            })
            .optional()?;
        Ok(found)
    }

    /// Notes what became of a batch, in one transaction. Trouble is over when something was taken
    /// or refused.
    ///
    /// # Errors
    /// Disk.
    pub fn done(&self, destination: &str, done: &Done, now: Timestamp) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        tally(&transaction, destination)?;
        let answered = done.delivered > 0 || !done.refused.is_empty();
        if answered {
            transaction
                .prepare_cached(
                    "UPDATE tally SET delivered = delivered + ?2, \
                     last_sent = CASE WHEN ?2 > 0 THEN ?3 ELSE last_sent END, since = NULL, \
                     trouble_at = NULL, attempts = 0, cause = NULL, said = '' \
                     WHERE destination = ?1",
                )?
                .execute((destination, number(done.delivered), now.0))?;
        }
        if done.given_up > 0 {
            transaction
                .prepare_cached("UPDATE tally SET given_up = given_up + ?2 WHERE destination = ?1")?
                .execute((destination, number(done.given_up)))?;
        }
        for id in &done.revived {
            transaction
                .prepare_cached("DELETE FROM dead WHERE id = ?1")?
                .execute([id])?;
        }
        dead::book(&transaction, destination, &done.refused, now)?;
        if let Some((stream, place)) = &done.position {
            put_position(&transaction, destination, *stream, *place)?;
        }
        if let Some((id, cursor)) = &done.replay {
            replay::move_on(&transaction, *id, cursor, now)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// A new destination begins here.
    ///
    /// # Errors
    /// Disk.
    pub fn begin(&self, destination: &str, stream: Stream, at: Place) -> Result<(), StoreError> {
        put_position(&self.connection(), destination, stream, at)
    }

    /// Notes an attempt that failed.
    ///
    /// # Errors
    /// Disk.
    pub fn trouble(
        &self,
        destination: &str,
        error: &SendError,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let connection = self.connection();
        tally(&connection, destination)?;
        connection
            .prepare_cached(
                "UPDATE tally SET since = coalesce(since, ?2), trouble_at = ?2, \
                 attempts = attempts + 1, cause = ?3, said = ?4 WHERE destination = ?1",
            )?
            .execute((destination, now.0, error.cause.as_str(), &error.said))?;
        Ok(())
    }

    /// How a destination stands.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn standing(&self, destination: &str) -> Result<Standing, StoreError> {
        let connection = self.connection();
        let dead: i64 = connection
            .prepare_cached("SELECT count(*) FROM dead WHERE destination = ?1")?
            .query_row([destination], |row| row.get(0))?;
        let found = connection
            .prepare_cached(
                "SELECT delivered, given_up, forgotten, last_sent, since, trouble_at, attempts, \
                 cause, said FROM tally WHERE destination = ?1",
            )?
            .query_row([destination], |row| {
                let (since, at): (Option<i64>, Option<i64>) = (row.get(4)?, row.get(5)?);
                let cause: Option<String> = row.get(7)?;
                let cause = cause.and_then(|name| Cause::named(&name));
                let (attempts, said) = (row.get(6)?, row.get(8)?);
                let trouble = since
                    .zip(at)
                    .zip(cause)
                    .map(|((since, at), cause)| Trouble {
                        since: Timestamp(since),
                        at: Timestamp(at),
                        attempts,
                        cause,
                        said,
                    });
                Ok(Standing {
                    delivered: row.get::<_, i64>(0)?.unsigned_abs(),
                    given_up: row.get::<_, i64>(1)?.unsigned_abs(),
                    forgotten: row.get::<_, i64>(2)?.unsigned_abs(),
                    dead: dead.unsigned_abs(),
                    last_sent: row.get::<_, Option<i64>>(3)?.map(Timestamp),
                    trouble,
                })
            })
            .optional()?;
        Ok(found.unwrap_or(Standing {
            dead: dead.unsigned_abs(),
            ..Standing::default()
        }))
    }
}

/// Sees to it that a destination has a row.
fn tally(connection: &Connection, destination: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO tally (destination) VALUES (?1)")?
        .execute([destination])?;
    Ok(())
}

fn put_position(
    connection: &Connection,
    destination: &str,
    stream: Stream,
    place: Place,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "REPLACE INTO position (destination, stream, seq, n, at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((
            destination,
            stream.as_str(),
            number(place.seq.0),
            place.n,
            place.at.0,
        ))?;
    Ok(())
}

/// A count as SQLite has it.
fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
