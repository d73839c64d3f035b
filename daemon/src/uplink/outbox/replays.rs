//! Replays: periods that a person has asked to be sent to a centre again, whatever receipts say.
//!
//! A replay is booked in steps of one transaction, its place in the same: a kill neither loses a
//! step nor takes one twice. Each record booked ends once, acknowledged or passed over, and is
//! counted in the transaction in which it leaves the mailbox.

use super::{Mailbox, Outbox, Owed, SWEEP_ROWS_MAX, kind, number, rank};
use crate::store::StoreError;
use cems_core::model::{OutletId, RecordKind, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

/// Replays of one uplink that are over and are kept.
const OVER_KEPT: u32 = 200;

/// The order in which the kinds of a mailbox are booked: that in which history is served.
pub(in crate::uplink) const KINDS: [RecordKind; 4] = [
    RecordKind::Hour,
    RecordKind::Day,
    RecordKind::Minute,
    RecordKind::Realtime,
];

/// From where on records are booked next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayPlace {
    /// Whose records.
    pub outlet: OutletId,
    /// Of which kind.
    pub kind: RecordKind,
    /// Data time.
    pub start: Timestamp,
}

/// A period to be sent to a centre again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayRow {
    /// Its number.
    pub id: i64,
    /// The uplink.
    pub uplink: String,
    /// Only this outlet; `None`: all that go to the uplink.
    pub outlet: Option<OutletId>,
    /// What began from then on, and before.
    pub span: (Timestamp, Timestamp),
    /// Who asked.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// How far booking is; `None` before its first step.
    pub place: Option<ReplayPlace>,
    /// Records booked so far.
    pub booked: u64,
    /// Those of them that the centre has acknowledged since.
    pub acknowledged: u64,
    /// Those of them nothing of which was sent.
    pub passed: u64,
    /// When all of them were booked.
    pub ended_at: Option<Timestamp>,
    /// When the last of them was acknowledged or passed over.
    pub done_at: Option<Timestamp>,
    /// When it was called off.
    pub cancelled_at: Option<Timestamp>,
}

/// What a person asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayAsked<'a> {
    /// The uplink.
    pub uplink: &'a str,
    /// Only this outlet; `None`: all that go to the uplink.
    pub outlet: Option<&'a OutletId>,
    /// What began from then on, and before.
    pub span: (Timestamp, Timestamp),
}

/// One step of booking.
#[derive(Debug, Clone, Copy)]
pub struct ReplayStep<'a> {
    /// Where records go.
    pub mailbox: &'a Mailbox,
    /// Records in the versions that stand.
    pub rows: &'a [Owed],
    /// Where the next step goes on; `None`: all is booked.
    pub next: Option<&'a ReplayPlace>,
}

const COLUMNS: &str = "SELECT id, uplink, outlet, start, until, asked_by, asked_at, at_outlet, \
                       at_rank, place, booked, acknowledged, passed, ended_at, done_at, \
                       cancelled_at FROM replay";

fn replay(row: &Row<'_>) -> Result<ReplayRow, StoreError> {
    let named = |column| {
        let text: String = row.get(column)?;
        Ok::<_, StoreError>((!text.is_empty()).then(|| OutletId::new(text)))
    };
    let time = |column| Ok::<_, StoreError>(row.get::<_, Option<i64>>(column)?.map(Timestamp));
    let count = |column| Ok::<_, StoreError>(row.get::<_, i64>(column)?.unsigned_abs());
    let place = named(7)?.map(|outlet| {
        Ok::<_, StoreError>(ReplayPlace {
            outlet,
            kind: kind(row.get(8)?)?,
            start: Timestamp(row.get(9)?),
        })
    });
    Ok(ReplayRow {
        id: row.get(0)?,
        uplink: row.get(1)?,
        outlet: named(2)?,
        span: (Timestamp(row.get(3)?), Timestamp(row.get(4)?)),
        by: row.get(5)?,
        at: Timestamp(row.get(6)?),
        place: place.transpose()?,
        booked: count(10)?,
        acknowledged: count(11)?,
        passed: count(12)?,
        ended_at: time(13)?,
        done_at: time(14)?,
        cancelled_at: time(15)?,
    })
}

/// Replays of all uplinks, newest first.
pub(in crate::uplink) fn replays(connection: &Connection) -> Result<Vec<ReplayRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{COLUMNS} ORDER BY id DESC"))?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(replay(row)?);
    }
    Ok(out)
}

/// One that is neither done nor cancelled and has records of this period in common.
pub(in crate::uplink) fn under_way(
    connection: &Connection,
    asked: &ReplayAsked<'_>,
) -> Result<Option<i64>, StoreError> {
    let found = connection
        .prepare_cached(
            "SELECT id FROM replay WHERE uplink = ?1 AND done_at IS NULL \
             AND cancelled_at IS NULL AND (outlet IN ('', ?2) OR ?2 = '') \
             AND start < ?4 AND until > ?3 ORDER BY id LIMIT 1",
        )?
        .query_row(
            (
                asked.uplink,
                asked.outlet.map_or("", OutletId::as_str),
                asked.span.0.0,
                asked.span.1.0,
            ),
            |row| row.get(0),
        )
        .optional()?;
    Ok(found)
}

/// Counts a record that belonged to a replay and has left the mailbox.
pub(super) fn count_out(
    transaction: &Transaction<'_>,
    id: i64,
    is_delivered: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE replay SET acknowledged = acknowledged + ?2, passed = passed + 1 - ?2, \
             done_at = iif(ended_at IS NOT NULL AND cancelled_at IS NULL \
                           AND acknowledged + passed + 1 >= booked, ?3, done_at) \
             WHERE id = ?1",
        )?
        .execute((id, i64::from(is_delivered), at.0))?;
    Ok(())
}

/// Takes away what waits for a cancelled replay only; whether there is more.
fn clear(transaction: &Transaction<'_>, id: i64) -> Result<bool, StoreError> {
    transaction
        .prepare_cached("UPDATE pending SET replay = NULL WHERE replay = ?1 AND own = 1")?
        .execute([id])?;
    let gone = transaction
        .prepare_cached(
            "DELETE FROM pending WHERE (uplink, outlet, rank, start) IN \
             (SELECT uplink, outlet, rank, start FROM pending WHERE replay = ?1 LIMIT ?2)",
        )?
        .execute((id, SWEEP_ROWS_MAX))?;
    Ok(u32::try_from(gone).unwrap_or(u32::MAX) >= SWEEP_ROWS_MAX)
}

impl Outbox {
    /// Books a replay; `None` when one is under way that has records in common with it. Replays
    /// that are over beyond the last 200 of the uplink are forgotten.
    ///
    /// # Errors
    /// Disk.
    pub fn ask_replay(
        &self,
        asked: &ReplayAsked<'_>,
        by: &str,
        at: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        if under_way(&transaction, asked)?.is_some() {
            return Ok(None);
        }
        transaction
            .prepare_cached(
                "INSERT INTO replay (uplink, outlet, start, until, asked_by, asked_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                asked.uplink,
                asked.outlet.map_or("", OutletId::as_str),
                asked.span.0.0,
                asked.span.1.0,
                by,
                at.0,
            ))?;
        let id = transaction.last_insert_rowid();
        transaction
            .prepare_cached(
                "DELETE FROM replay WHERE id IN (SELECT id FROM replay r WHERE r.uplink = ?1 \
                 AND (r.done_at IS NOT NULL OR r.cancelled_at IS NOT NULL) \
                 AND NOT EXISTS (SELECT 1 FROM pending p WHERE p.replay = r.id) \
                 ORDER BY id DESC LIMIT -1 OFFSET ?2)",
            )?
            .execute((asked.uplink, OVER_KEPT))?;
        transaction.commit()?;
        Ok(Some(id))
    }

    /// The oldest replay that is not booked to its end.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn open_replay(&self) -> Result<Option<ReplayRow>, StoreError> {
        let connection = self.connection();
        let sql = format!(
            "{COLUMNS} WHERE ended_at IS NULL AND cancelled_at IS NULL ORDER BY id LIMIT 1"
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        rows.next()?.map(replay).transpose()
    }

    /// Replays that are neither done nor cancelled, and a number that changes when one of them
    /// moves on.
    ///
    /// # Errors
    /// Disk.
    pub fn replay_pulse(&self) -> Result<(u64, i64), StoreError> {
        let connection = self.connection();
        let pulse = connection
            .prepare_cached(
                "SELECT count(*), coalesce(sum(booked + acknowledged + passed), 0) \
                 + count(ended_at) FROM replay WHERE done_at IS NULL AND cancelled_at IS NULL",
            )?
            .query_row([], |row| {
                Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?))
            })?;
        Ok(pulse)
    }

    /// One step: makes records wait for a replay, those that wait already as well, and notes where
    /// the next one goes on. False, with nothing done, when the replay was cancelled meanwhile.
    ///
    /// # Errors
    /// Disk.
    pub fn book_replay(
        &self,
        id: i64,
        step: Option<&ReplayStep<'_>>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let rows = step.map_or(&[][..], |step| step.rows);
        let next = step.and_then(|step| step.next);
        let booked = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let moved = transaction
            .prepare_cached(
                "UPDATE replay SET at_outlet = ?2, at_rank = ?3, place = ?4, \
                 booked = booked + ?5, ended_at = ?6, \
                 done_at = iif(?6 IS NOT NULL AND acknowledged + passed >= booked + ?5, ?6, NULL) \
                 WHERE id = ?1 AND ended_at IS NULL AND cancelled_at IS NULL",
            )?
            .execute((
                id,
                next.map_or("", |place| place.outlet.as_str()),
                next.map_or(0, |place| rank(place.kind)),
                next.map_or(0, |place| place.start.0),
                booked,
                next.is_none().then_some(at.0),
            ))?;
        if moved == 0 {
            return Ok(false);
        }
        if let Some(step) = step {
            for row in rows {
                join(&transaction, step.mailbox, row, id)?;
            }
        }
        transaction.commit()?;
        Ok(true)
    }

    /// Calls a replay off: what waits for it only goes away, up to 2,000 records at once and the
    /// others with [`clear_cancelled`](Self::clear_cancelled). False when it was over already.
    ///
    /// # Errors
    /// Disk.
    pub fn cancel_replay(&self, id: i64, at: Timestamp) -> Result<bool, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let cancelled = transaction
            .prepare_cached(
                "UPDATE replay SET cancelled_at = ?2 \
                 WHERE id = ?1 AND done_at IS NULL AND cancelled_at IS NULL",
            )?
            .execute((id, at.0))?;
        if cancelled > 0 {
            clear(&transaction, id)?;
        }
        transaction.commit()?;
        Ok(cancelled > 0)
    }

    /// Takes away more of what waits for a cancelled replay only; whether there may be more.
    ///
    /// # Errors
    /// Disk.
    pub fn clear_cancelled(&self) -> Result<bool, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let found = transaction
            .prepare_cached(
                "SELECT id FROM replay r WHERE cancelled_at IS NOT NULL \
                 AND EXISTS (SELECT 1 FROM pending p WHERE p.replay = r.id) LIMIT 1",
            )?
            .query_row([], |row| row.get(0))
            .optional()?;
        let Some(id) = found else {
            return Ok(false);
        };
        clear(&transaction, id)?;
        transaction.commit()?;
        Ok(true)
    }
}

/// Makes a record wait for a replay. One that waits already keeps its version and its sendings.
fn join(
    transaction: &Transaction<'_>,
    mailbox: &Mailbox,
    row: &Owed,
    id: i64,
) -> Result<(), StoreError> {
    // Another mark can only be that of a cancelled replay: periods under way have none in common.
    transaction
        .prepare_cached(
            "INSERT INTO pending (uplink, outlet, rank, start, seq, at, own, replay) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7) ON CONFLICT DO UPDATE SET replay = ?7",
        )?
        .execute((
            &mailbox.uplink,
            mailbox.outlet.as_str(),
            rank(row.kind),
            row.start.0,
            number(row.seq.0)?,
            row.at.0,
            id,
        ))?;
    Ok(())
}
