//! Messages on their way, in a small database of its own: `notify.db`.
//!
//! It holds how far the messages of the projections were taken, each of them until long after it
//! was delivered (so that the same fact is not told twice), and dead letters. A message is taken
//! together with the new position in one transaction; it is marked delivered in another after the
//! other side has taken it. So it is delivered at least once, and twice only when the daemon dies
//! between the two; its key goes along so that the other side can notice.
//!
//! Losing the file costs the dead letters; messages whose deadline has not passed go out again.

mod letters;

pub use letters::{Letter, LetterState};

use crate::store::{Damage, Schema, SideBook, StoreError};
use cems_core::model::time::DAY_MS;
use cems_core::model::{AlarmId, ChannelId, MessageId, MessageRow, Seq, Timestamp};
use letters::{letter_at, number};
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::path::Path;
use std::sync::MutexGuard;

/// How long a delivered message is remembered: longer than any alarm is about the same fact.
const DELIVERED_KEPT_MS: i64 = 90 * DAY_MS;
/// How long a dead letter is kept for the desk.
const DEAD_KEPT_MS: i64 = 400 * DAY_MS;
/// Rows swept out in one transaction.
const SWEEP_ROWS_MAX: u32 = 2_000;
/// Letters of one list.
pub const LETTERS_MAX: usize = 500;

/// `notify.db` (application id `CEMN`).
const SCHEMA: Schema = Schema {
    application_id: 0x4345_4d4e,
    migrations: &[include_str!("outbox/0001-notify.sql")],
};

/// How one channel stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Messages that wait.
    pub waiting: u64,
    /// When the oldest of them was decided.
    pub waiting_since: Option<Timestamp>,
    /// Messages delivered so far.
    pub delivered: u64,
    /// Messages given up so far.
    pub given_up: u64,
    /// Dead letters at hand.
    pub dead: u64,
    /// The last delivery.
    pub last_sent: Option<Timestamp>,
    /// The last trouble, and when.
    pub trouble: Option<(Timestamp, String)>,
}

/// How a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End<'a> {
    /// Which.
    pub id: MessageId,
    /// Delivered, or a dead letter.
    pub delivered: bool,
    /// When.
    pub at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// What the other side said, or what was wrong; without addresses and secrets.
    pub detail: &'a str,
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

    /// Number of the last message taken, and since when they are counted; `None` in a new file.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn taken(&self) -> Result<Option<(MessageId, Timestamp)>, StoreError> {
        let connection = self.connection();
        let found = connection
            .prepare_cached("SELECT id, since FROM taken")?
            .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))
            .optional()?;
        Ok(found.map(|(id, since)| (MessageId(id.unsigned_abs()), Timestamp(since))))
    }

    /// Counts from the beginning: what was over by `now` is history.
    ///
    /// # Errors
    /// Disk.
    pub fn begin(&self, now: Timestamp) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("REPLACE INTO taken (one, id, since) VALUES (1, 0, ?1)")?
            .execute([now.0])?;
        Ok(())
    }

    /// Takes messages in, each once per key, channel and recipient, and notes the position behind
    /// them. Gives how many were new.
    ///
    /// # Errors
    /// Disk.
    pub fn take(&self, rows: &[MessageRow], until: MessageId) -> Result<usize, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let mut new = 0;
        for row in rows {
            new += put(&transaction, row)?;
        }
        transaction
            .prepare_cached("UPDATE taken SET id = ?1")?
            .execute([number(until.0)?])?;
        transaction.commit()?;
        Ok(new)
    }

    /// Messages of a channel whose time has come at `now`, longest due first.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn due(
        &self,
        channel: &ChannelId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Letter>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT id, state, attempts, next_at, ended_at, detail, deadline, body FROM letter \
             WHERE state = 0 AND channel = ?1 AND next_at <= ?2 ORDER BY next_at, id LIMIT ?3",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query((channel.as_str(), now.0, limit))?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(letter_at(row)?);
        }
        Ok(out)
    }

    /// When the next message of a channel falls due.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn next_due(&self, channel: &ChannelId) -> Result<Option<Timestamp>, StoreError> {
        let connection = self.connection();
        let found: Option<i64> = connection
            .prepare_cached("SELECT min(next_at) FROM letter WHERE state = 0 AND channel = ?1")?
            .query_row([channel.as_str()], |row| row.get(0))?;
        Ok(found.map(Timestamp))
    }

    /// Channels for which something waits.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn channels_waiting(&self) -> Result<Vec<ChannelId>, StoreError> {
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached("SELECT DISTINCT channel FROM letter WHERE state = 0")?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        let channels: Vec<String> = rows.collect::<Result<_, _>>()?;
        Ok(channels.iter().map(ChannelId::new).collect())
    }

    /// Notes an attempt that failed and when the next one is.
    ///
    /// # Errors
    /// Disk.
    pub fn put_off(
        &self,
        id: MessageId,
        attempts: u32,
        next_at: Timestamp,
        why: &str,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "UPDATE letter SET attempts = ?2, next_at = ?3, detail = ?4 \
                 WHERE id = ?1 AND state = 0",
            )?
            .execute((number(id.0)?, attempts, next_at.0, why))?;
        Ok(())
    }

    /// Everything of a channel that waits is due now: the other side is back.
    ///
    /// # Errors
    /// Disk.
    pub fn hurry(&self, channel: &ChannelId, now: Timestamp) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "UPDATE letter SET next_at = ?2 \
                 WHERE state = 0 AND channel = ?1 AND next_at > ?2",
            )?
            .execute((channel.as_str(), now.0))?;
        Ok(())
    }

    /// A message has come to its end. `shows`: alarms whose state the channel shows from now on.
    ///
    /// # Errors
    /// Disk.
    pub fn end(
        &self,
        channel: &ChannelId,
        end: End<'_>,
        shows: &[AlarmId],
    ) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let state = if end.delivered { 1 } else { 2 };
        let changed = transaction
            .prepare_cached(
                "UPDATE letter SET state = ?2, ended_at = ?3, attempts = ?4, detail = ?5, \
                 told = 0 WHERE id = ?1 AND state = 0",
            )?
            .execute((number(end.id.0)?, state, end.at.0, end.attempts, end.detail))?;
        if changed > 0 {
            let (delivered, dead) = (i64::from(end.delivered), i64::from(!end.delivered));
            let last = end.delivered.then_some(end.at.0);
            transaction
                .prepare_cached(
                    "INSERT INTO channel (id, delivered, dead, last_sent) VALUES (?1, ?2, ?3, ?4) \
                     ON CONFLICT DO UPDATE SET delivered = delivered + ?2, dead = dead + ?3, \
                     last_sent = coalesce(?4, last_sent)",
                )?
                .execute((channel.as_str(), delivered, dead, last))?;
        }
        for alarm in shows {
            transaction
                .prepare_cached(
                    "INSERT INTO shown (channel, alarm, seq) VALUES (?1, ?2, 0) \
                     ON CONFLICT DO NOTHING",
                )?
                .execute((channel.as_str(), number(alarm.0)?))?;
        }
        Ok(transaction.commit()?)
    }

    /// Notes trouble of a channel, in words without addresses and secrets.
    ///
    /// # Errors
    /// Disk.
    pub fn trouble(&self, channel: &ChannelId, at: Timestamp, why: &str) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "INSERT INTO channel (id, delivered, dead, trouble_at, trouble) \
                 VALUES (?1, 0, 0, ?2, ?3) \
                 ON CONFLICT DO UPDATE SET trouble_at = ?2, trouble = ?3",
            )?
            .execute((channel.as_str(), at.0, why))?;
        Ok(())
    }

    /// A dead letter waits again, until a new deadline. False when there is no such dead letter.
    ///
    /// # Errors
    /// Disk.
    pub fn send_again(
        &self,
        id: MessageId,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = self
            .connection()
            .prepare_cached(
                "UPDATE letter SET state = 0, attempts = 0, next_at = ?2, deadline = ?3, \
                 ended_at = NULL, detail = '', told = 1 WHERE id = ?1 AND state = 2",
            )?
            .execute((number(id.0)?, now.0, deadline.0))?;
        Ok(changed > 0)
    }

    /// One message.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn letter(&self, id: MessageId) -> Result<Option<Letter>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT id, state, attempts, next_at, ended_at, detail, deadline, body FROM letter \
             WHERE id = ?1",
        )?;
        let mut rows = statement.query([number(id.0)?])?;
        rows.next()?.map(letter_at).transpose()
    }

    /// Messages in a state, newest first, at most [`LETTERS_MAX`].
    ///
    /// # Errors
    /// Disk or damage.
    pub fn letters(&self, state: LetterState) -> Result<Vec<Letter>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT id, state, attempts, next_at, ended_at, detail, deadline, body FROM letter \
             WHERE state = ?1 ORDER BY id DESC LIMIT ?2",
        )?;
        let limit = i64::try_from(LETTERS_MAX).unwrap_or(i64::MAX);
        let mut rows = statement.query((state.code(), limit))?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(letter_at(row)?);
        }
        Ok(out)
    }

    /// Messages whose end does not stand in the journal yet, in their order.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn untold(&self, limit: usize) -> Result<Vec<Letter>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT id, state, attempts, next_at, ended_at, detail, deadline, body FROM letter \
             WHERE told = 0 ORDER BY id LIMIT ?1",
        )?;
        let mut rows = statement.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(letter_at(row)?);
        }
        Ok(out)
    }

    /// The ends of these messages stand in the journal.
    ///
    /// # Errors
    /// Disk.
    pub fn told(&self, ids: &[MessageId]) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        for id in ids {
            transaction
                .prepare_cached("UPDATE letter SET told = 1 WHERE id = ?1 AND state > 0")?
                .execute([number(id.0)?])?;
        }
        Ok(transaction.commit()?)
    }

    /// How a channel stands.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn standing(&self, channel: &ChannelId) -> Result<Standing, StoreError> {
        let connection = self.connection();
        let id = channel.as_str();
        let mut standing = connection
            .prepare_cached(
                "SELECT delivered, dead, last_sent, trouble_at, trouble FROM channel \
                 WHERE id = ?1",
            )?
            .query_row([id], |row| {
                let at = row.get::<_, Option<i64>>(3)?.map(Timestamp);
                Ok(Standing {
                    delivered: row.get::<_, i64>(0)?.unsigned_abs(),
                    given_up: row.get::<_, i64>(1)?.unsigned_abs(),
                    last_sent: row.get::<_, Option<i64>>(2)?.map(Timestamp),
                    trouble: at.zip(row.get::<_, Option<String>>(4)?),
                    ..Standing::default()
                })
            })
            .optional()?
            .unwrap_or_default();
        standing.waiting = connection
            .prepare_cached("SELECT count(*) FROM letter WHERE state = 0 AND channel = ?1")?
            .query_row([id], |row| Ok(row.get::<_, i64>(0)?.unsigned_abs()))?;
        let mut oldest = connection.prepare_cached(
            "SELECT id, state, attempts, next_at, ended_at, detail, deadline, body FROM letter \
             WHERE state = 0 AND channel = ?1 ORDER BY id LIMIT 1",
        )?;
        let mut rows = oldest.query([id])?;
        let oldest = rows.next()?.map(letter_at).transpose()?;
        standing.waiting_since = oldest.map(|letter| letter.message.at);
        standing.dead = connection
            .prepare_cached("SELECT count(*) FROM letter WHERE state = 2 AND channel = ?1")?
            .query_row([id], |row| Ok(row.get::<_, i64>(0)?.unsigned_abs()))?;
        Ok(standing)
    }

    /// Alarms whose state a channel shows, with the version it was told last.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn shown(&self, channel: &ChannelId) -> Result<Vec<(AlarmId, Seq)>, StoreError> {
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached("SELECT alarm, seq FROM shown WHERE channel = ?1 ORDER BY alarm")?;
        let rows = statement.query_map([channel.as_str()], |row| {
            let alarm = AlarmId(row.get::<_, i64>(0)?.unsigned_abs());
            Ok((alarm, Seq(row.get::<_, i64>(1)?.unsigned_abs())))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The channel was told these versions; `None`: the alarm is over, it shows it no more.
    ///
    /// # Errors
    /// Disk.
    pub fn showed(
        &self,
        channel: &ChannelId,
        told: &[(AlarmId, Option<Seq>)],
    ) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        for (alarm, seq) in told {
            let key = (channel.as_str(), number(alarm.0)?);
            match seq {
                Some(seq) => transaction
                    .prepare_cached("UPDATE shown SET seq = ?3 WHERE channel = ?1 AND alarm = ?2")?
                    .execute((key.0, key.1, number(seq.0)?))?,
                None => transaction
                    .prepare_cached("DELETE FROM shown WHERE channel = ?1 AND alarm = ?2")?
                    .execute(key)?,
            };
        }
        Ok(transaction.commit()?)
    }

    /// Takes away what is remembered long enough. Gives how many rows; call again while it is
    /// not 0.
    ///
    /// # Errors
    /// Disk.
    pub fn sweep(&self, now: Timestamp) -> Result<usize, StoreError> {
        let connection = self.connection();
        let mut gone = 0;
        for (state, kept_ms) in [
            (LetterState::Delivered, DELIVERED_KEPT_MS),
            (LetterState::Dead, DEAD_KEPT_MS),
        ] {
            gone += connection
                .prepare_cached(
                    "DELETE FROM letter WHERE id IN (SELECT id FROM letter WHERE state = ?1 \
                     AND ended_at < ?2 AND told = 1 LIMIT ?3)",
                )?
                .execute((state.code(), now.plus_ms(-kept_ms).0, SWEEP_ROWS_MAX))?;
        }
        Ok(gone)
    }
}

/// Makes a message wait unless the same fact has been told to the same reader; 1 when it does.
fn put(transaction: &Transaction<'_>, row: &MessageRow) -> Result<usize, StoreError> {
    let body = serde_json::to_string(row).map_err(|error| StoreError::Unstorable {
        what: "a message",
        detail: error.to_string(),
    })?;
    // After a journal that lost its end, numbers are given again; what is over makes room.
    transaction
        .prepare_cached("DELETE FROM letter WHERE id = ?1 AND key <> ?2 AND state > 0")?
        .execute((number(row.id.0)?, row.key.as_str()))?;
    let taken = transaction
        .prepare_cached(
            "INSERT INTO letter (id, channel, recipient, key, state, deadline, next_at, attempts, \
             detail, told, body) VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, 0, '', 1, ?7) \
             ON CONFLICT DO NOTHING",
        )?
        .execute((
            number(row.id.0)?,
            row.channel.as_str(),
            row.to.as_str(),
            row.key.as_str(),
            row.deadline.0,
            row.at.0,
            body,
        ))?;
    Ok(taken)
}

#[cfg(test)]
mod tests;
