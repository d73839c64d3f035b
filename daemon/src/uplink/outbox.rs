//! What is owed to centres, in a small database of its own: `uplink.db`.
//!
//! For every outlet of every uplink it holds how far the forward log of the projections was read,
//! the records not yet acknowledged, and receipts of those that were. Position and records are one
//! transaction, so a kill at any moment neither loses a record nor takes it twice. A record that
//! was corrected takes the place of its pending row; one that was acknowledged before becomes
//! pending again.
//!
//! Losing the file costs no data: everything younger than `history_days` is owed again, and what a
//! centre already has is sent to it once more.

mod booking;
mod replays;

pub use booking::{Receipt, Sendings, Settled};
pub(super) use replays::{KINDS, replays, under_way};
pub use replays::{ReplayAsked, ReplayPlace, ReplayRow, ReplayStep};

use crate::store::{Damage, Schema, SideBook, StoreError};
use cems_core::model::{ForwardRow, OutletId, RecordKind, Seq, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::MutexGuard;

/// Pending rows or receipts taken away in one transaction, so that no other outlet waits long.
const SWEEP_ROWS_MAX: u32 = 2_000;

/// `uplink.db` (application id `CEMU`).
const SCHEMA: Schema = Schema {
    application_id: 0x4345_4d55,
    migrations: &[
        include_str!("outbox/0001-uplink.sql"),
        include_str!("outbox/0002-receipts.sql"),
        include_str!("outbox/0003-replays.sql"),
    ],
};

/// One outlet of one uplink: whose mailbox.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mailbox {
    /// The uplink by its id in the settings.
    pub uplink: String,
    /// The outlet.
    pub outlet: OutletId,
}

/// A line of the forward log.
pub type LogPlace = (Seq, u32);

/// A record owed to a centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owed {
    /// Which kind.
    pub kind: RecordKind,
    /// Start of its interval.
    pub start: Timestamp,
    /// Journal position of the version owed.
    pub seq: Seq,
    /// When that version was accepted.
    pub at: Timestamp,
}

/// How one mailbox stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Records not acknowledged.
    pub pending: u64,
    /// Start of the oldest of them.
    pub oldest: Option<Timestamp>,
    /// Records acknowledged so far.
    pub acknowledged: u64,
    /// Last acknowledgement.
    pub last_acknowledged: Option<Timestamp>,
    /// Records that became too old to be owed.
    pub expired: u64,
    /// Records that no frame can hold ([`Settled::Unsendable`]).
    pub unsendable: u64,
}

/// The database. Methods block and take turns; what they changed is on disk when they return.
pub struct Outbox {
    book: SideBook,
}

impl Outbox {
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

    /// How far the forward log was read for a mailbox; the beginning for a new one.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn place(&self, mailbox: &Mailbox) -> Result<LogPlace, StoreError> {
        place(&self.connection(), mailbox)
    }

    /// Takes lines of the forward log into mailboxes that have read less, and notes that each has
    /// read the log up to `until`, all in one transaction. Versions with a receipt are passed
    /// over. Gives how many became pending.
    ///
    /// # Errors
    /// Disk.
    pub fn fill(
        &self,
        deliveries: &[(&Mailbox, Vec<&ForwardRow>)],
        until: LogPlace,
    ) -> Result<usize, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let mut taken = 0;
        for (mailbox, rows) in deliveries {
            for row in rows {
                taken += put(&transaction, mailbox, row)?;
            }
            transaction
                .prepare_cached(
                    "INSERT INTO reader (uplink, outlet, seq, n, acknowledged, expired) \
                     VALUES (?1, ?2, ?3, ?4, 0, 0) \
                     ON CONFLICT (uplink, outlet) DO UPDATE SET seq = ?3, n = ?4 \
                     WHERE (seq, n) < (?3, ?4)",
                )?
                .execute((
                    &mailbox.uplink,
                    mailbox.outlet.as_str(),
                    number(until.0.0)?,
                    until.1,
                ))?;
        }
        transaction.commit()?;
        Ok(taken)
    }

    /// Records accepted at or after `since`, oldest first: what is new. What waits for a replay
    /// only is history, whatever its age.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn fresh(
        &self,
        mailbox: &Mailbox,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Owed>, StoreError> {
        self.owed(
            "SELECT rank, start, seq, at FROM pending \
             WHERE uplink = ?1 AND outlet = ?2 AND at >= ?3 AND own = 1 \
             ORDER BY at, rank, start LIMIT ?4",
            mailbox,
            since,
            limit,
        )
    }

    /// Records accepted before `until`: hours and days first, because they carry the law's
    /// figures and are few, then minutes, then real-time values; each kind oldest first, because
    /// the oldest is the first to be owed no more. With them goes what waits for a replay only.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn history(
        &self,
        mailbox: &Mailbox,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Owed>, StoreError> {
        self.owed(
            "SELECT rank, start, seq, at FROM pending \
             WHERE uplink = ?1 AND outlet = ?2 AND (at < ?3 OR own = 0) \
             ORDER BY rank, start LIMIT ?4",
            mailbox,
            until,
            limit,
        )
    }

    fn owed(
        &self,
        sql: &str,
        mailbox: &Mailbox,
        bound: Timestamp,
        limit: usize,
    ) -> Result<Vec<Owed>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let params = (&mailbox.uplink, mailbox.outlet.as_str(), bound.0, limit);
        let mut rows = statement.query(params)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let rank: i64 = row.get(0)?;
            out.push(Owed {
                kind: kind(rank)?,
                start: Timestamp(row.get(1)?),
                seq: Seq(row.get::<_, i64>(2)?.unsigned_abs()),
                at: Timestamp(row.get(3)?),
            });
        }
        Ok(out)
    }

    /// Takes away what began before `before`: pending records that are owed no more, whose number
    /// is returned, and receipts. At most `SWEEP_ROWS_MAX` of each; call again while the answer
    /// is that many. What belongs to a replay stays: a person wants it to be sent.
    ///
    /// # Errors
    /// Disk.
    pub fn expire(&self, mailbox: &Mailbox, before: Timestamp) -> Result<u32, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let (uplink, outlet) = (&mailbox.uplink, mailbox.outlet.as_str());
        let gone = transaction
            .prepare_cached(
                "DELETE FROM pending WHERE (uplink, outlet, rank, start) IN \
                 (SELECT uplink, outlet, rank, start FROM pending \
                  WHERE uplink = ?1 AND outlet = ?2 AND start < ?3 AND replay IS NULL \
                  LIMIT ?4)",
            )?
            .execute((uplink, outlet, before.0, SWEEP_ROWS_MAX))?;
        let gone = u32::try_from(gone).unwrap_or(SWEEP_ROWS_MAX);
        if gone > 0 {
            transaction
                .prepare_cached(
                    "UPDATE reader SET expired = expired + ?3 WHERE uplink = ?1 AND outlet = ?2",
                )?
                .execute((uplink, outlet, gone))?;
        }
        transaction
            .prepare_cached(
                "DELETE FROM receipt WHERE (uplink, outlet, rank, start) IN \
                 (SELECT uplink, outlet, rank, start FROM receipt \
                  WHERE uplink = ?1 AND start < ?2 LIMIT ?3)",
            )?
            .execute((uplink, before.0, SWEEP_ROWS_MAX))?;
        transaction.commit()?;
        Ok(gone)
    }

    /// How a mailbox stands.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn standing(&self, mailbox: &Mailbox) -> Result<Standing, StoreError> {
        standing(&self.connection(), mailbox)
    }

    /// What the centre has set for a mailbox, by name.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn settings(&self, mailbox: &Mailbox) -> Result<BTreeMap<String, String>, StoreError> {
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached("SELECT name, value FROM setting WHERE uplink = ?1 AND outlet = ?2")?;
        let rows = statement.query_map((&mailbox.uplink, mailbox.outlet.as_str()), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps what the centre has set, in the place of all that was kept before.
    ///
    /// # Errors
    /// Disk.
    pub fn keep(&self, mailbox: &Mailbox, settings: &[(&str, String)]) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let key = (&mailbox.uplink, mailbox.outlet.as_str());
        transaction
            .prepare_cached("DELETE FROM setting WHERE uplink = ?1 AND outlet = ?2")?
            .execute(key)?;
        for (name, value) in settings {
            transaction
                .prepare_cached(
                    "INSERT INTO setting (uplink, outlet, name, value) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute((key.0, key.1, name, value))?;
        }
        Ok(transaction.commit()?)
    }
}

/// How far the forward log was read for a mailbox; the beginning for a new one.
pub(super) fn place(connection: &Connection, mailbox: &Mailbox) -> Result<LogPlace, StoreError> {
    let found = connection
        .prepare_cached("SELECT seq, n FROM reader WHERE uplink = ?1 AND outlet = ?2")?
        .query_row((&mailbox.uplink, mailbox.outlet.as_str()), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?))
        })
        .optional()?;
    Ok(found.map_or((Seq(0), 0), |(seq, n)| (Seq(seq.unsigned_abs()), n)))
}

/// How a mailbox stands.
pub(super) fn standing(connection: &Connection, mailbox: &Mailbox) -> Result<Standing, StoreError> {
    let key = (&mailbox.uplink, mailbox.outlet.as_str());
    let mut standing = connection
        .prepare_cached(
            "SELECT acknowledged, last_acknowledged, expired FROM reader \
             WHERE uplink = ?1 AND outlet = ?2",
        )?
        .query_row(key, |row| {
            Ok(Standing {
                acknowledged: row.get::<_, i64>(0)?.unsigned_abs(),
                last_acknowledged: row.get::<_, Option<i64>>(1)?.map(Timestamp),
                expired: row.get::<_, i64>(2)?.unsigned_abs(),
                ..Standing::default()
            })
        })
        .optional()?
        .unwrap_or_default();
    (standing.pending, standing.oldest) = connection
        .prepare_cached(
            "SELECT count(*), min(start) FROM pending WHERE uplink = ?1 AND outlet = ?2",
        )?
        .query_row(key, |row| {
            let oldest = row.get::<_, Option<i64>>(1)?.map(Timestamp);
            Ok((row.get::<_, i64>(0)?.unsigned_abs(), oldest))
        })?;
    standing.unsendable = connection
        .prepare_cached(
            "SELECT count(*) FROM receipt \
             WHERE uplink = ?1 AND outlet = ?2 AND settled = 'unsendable'",
        )?
        .query_row(key, |row| Ok(row.get::<_, i64>(0)?.unsigned_abs()))?;
    Ok(standing)
}

/// Makes a line of the log pending unless that version has a receipt; 1 when it did.
fn put(
    transaction: &Transaction<'_>,
    mailbox: &Mailbox,
    row: &ForwardRow,
) -> Result<usize, StoreError> {
    let (uplink, outlet) = (&mailbox.uplink, mailbox.outlet.as_str());
    let (rank, seq) = (rank(row.kind), number(row.seq.0)?);
    let taken = transaction
        .prepare_cached(
            "INSERT INTO pending (uplink, outlet, rank, start, seq, at) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS \
             (SELECT 1 FROM receipt WHERE uplink = ?1 AND outlet = ?2 AND rank = ?3 \
              AND start = ?4 AND seq >= ?5) \
             ON CONFLICT DO UPDATE SET seq = ?5, at = ?6, own = 1 WHERE seq <= ?5",
        )?
        .execute((uplink, outlet, rank, row.start.0, seq, row.at.0))?;
    Ok(taken)
}

/// Place of a kind in the order of history.
pub(super) fn rank(kind: RecordKind) -> i64 {
    match kind {
        RecordKind::Hour => 0,
        RecordKind::Day => 1,
        RecordKind::Minute => 2,
        RecordKind::Realtime => 3,
    }
}

pub(super) fn kind(rank: i64) -> Result<RecordKind, StoreError> {
    RecordKind::ALL
        .into_iter()
        .find(|kind| self::rank(*kind) == rank)
        .ok_or_else(|| StoreError::Damaged(format!("record rank {rank} in uplink.db")))
}

fn number(seq: u64) -> Result<i64, StoreError> {
    i64::try_from(seq).map_err(|_| StoreError::Unstorable {
        what: "journal position",
        detail: format!("{seq} is above 2^63"),
    })
}

#[cfg(test)]
mod tests;
