//! What `uplink.db` tells of uploads, over a connection of its own that only reads: it sees what is
//! committed and never holds up a line.

use super::outbox::{
    LogPlace, Mailbox, ReplayAsked, ReplayRow, Settled, Standing, kind, place, rank, replays,
    standing, under_way,
};
use crate::store::{SideBook, StoreError};
use cems_core::model::{OutletId, RecordKind, Seq, Timestamp};
use cems_dashboards::backend::{LineDay, SentFilter, SentPlace, SentRow, SentState};
use rusqlite::{Connection, Row, named_params};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::MutexGuard;

/// A record in a mailbox, as far as a gap is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    /// When it was accepted.
    pub(super) at: Timestamp,
    /// It went out at least once.
    pub(super) sent: bool,
}

/// The questions. Methods block and take turns.
pub struct Receipts {
    book: SideBook,
}

impl Receipts {
    /// Opens `path`, which [`Outbox::open`](super::Outbox::open) has brought up to date.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            book: SideBook::beside(path)?,
        })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.book.connection()
    }

    /// How a mailbox stands, and how far the forward log was read for it.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn standing(&self, mailbox: &Mailbox) -> Result<(Standing, LogPlace), StoreError> {
        let connection = self.connection();
        let transaction = connection.unchecked_transaction()?;
        let answer = (
            standing(&transaction, mailbox)?,
            place(&transaction, mailbox)?,
        );
        Ok(answer)
    }

    /// Replays of all uplinks, newest first.
    ///
    /// # Errors
    /// Disk or damage.
    pub(super) fn replays(&self) -> Result<Vec<ReplayRow>, StoreError> {
        replays(&self.connection())
    }

    /// A replay under way that has records in common with what is asked for.
    ///
    /// # Errors
    /// Disk.
    pub(super) fn under_way(&self, asked: &ReplayAsked<'_>) -> Result<Option<i64>, StoreError> {
        under_way(&self.connection(), asked)
    }

    /// What the line of a mailbox did since `midnight`.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn day(&self, mailbox: &Mailbox, midnight: Timestamp) -> Result<LineDay, StoreError> {
        let connection = self.connection();
        let transaction = connection.unchecked_transaction()?;
        let key = (&mailbox.uplink, mailbox.outlet.as_str(), midnight.0);
        let count = |n: i64| n.unsigned_abs();
        let (acknowledged, resent) = transaction
            .prepare_cached(
                "SELECT count(*), coalesce(sum(tries > versions), 0) FROM receipt \
                 WHERE uplink = ?1 AND outlet = ?2 AND at >= ?3 \
                 AND coalesce(settled, '') NOT IN ('not-owed', 'unsendable')",
            )?
            .query_row(key, |row| Ok((count(row.get(0)?), count(row.get(1)?))))?;
        let unanswered = transaction
            .prepare_cached(
                "SELECT count(*) FROM pending \
                 WHERE uplink = ?1 AND outlet = ?2 AND last_sent >= ?3",
            )?
            .query_row(key, |row| Ok(count(row.get(0)?)))?;
        Ok(LineDay {
            acknowledged,
            resent,
            unanswered,
        })
    }

    /// Records to one centre by data time, newest first, of these outlets; everything else as the
    /// filter says.
    ///
    /// # Errors
    /// Disk or damage.
    pub fn sent(
        &self,
        uplink: &str,
        outlets: &BTreeSet<&OutletId>,
        filter: &SentFilter,
    ) -> Result<Vec<SentRow>, StoreError> {
        let outlets = serde_json::to_string(outlets)
            .map_err(|error| StoreError::Io(format!("a set of outlets: {error}")))?;
        let connection = self.connection();
        // Both tables at one moment: a record is in one or the other.
        let transaction = connection.unchecked_transaction()?;
        let mut rows = list(&transaction, PENDING, (uplink, &outlets), filter)?;
        rows.extend(list(&transaction, SETTLED, (uplink, &outlets), filter)?);
        Ok(rows)
    }

    /// Starts of records of a mailbox that are settled, those that cannot be sent left out.
    ///
    /// # Errors
    /// Disk or damage.
    pub(super) fn settled(
        &self,
        mailbox: &Mailbox,
        of: RecordKind,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<BTreeSet<Timestamp>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT start FROM receipt WHERE uplink = ?1 AND outlet = ?2 AND rank = ?3 \
             AND start >= ?4 AND start < ?5 AND coalesce(settled, '') != 'unsendable'",
        )?;
        let (outlet, of) = (mailbox.outlet.as_str(), rank(of));
        let rows = statement.query_map((&mailbox.uplink, outlet, of, from.0, until.0), |row| {
            Ok(Timestamp(row.get(0)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Records that wait in a mailbox, by start.
    ///
    /// # Errors
    /// Disk or damage.
    pub(super) fn waiting(
        &self,
        mailbox: &Mailbox,
        of: RecordKind,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<BTreeMap<Timestamp, Waiting>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT start, at, sent > 0 FROM pending WHERE uplink = ?1 AND outlet = ?2 \
             AND rank = ?3 AND start >= ?4 AND start < ?5",
        )?;
        let (outlet, of) = (mailbox.outlet.as_str(), rank(of));
        let rows = statement.query_map((&mailbox.uplink, outlet, of, from.0, until.0), |row| {
            let waiting = Waiting {
                at: Timestamp(row.get(1)?),
                sent: row.get(2)?,
            };
            Ok((Timestamp(row.get(0)?), waiting))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// What both tables are asked with. The place compares whole, so that rows of one data time are
/// neither repeated nor left out.
macro_rules! wanted {
    () => {
        " WHERE o.uplink = :uplink AND o.start >= :from AND o.start < :until \
          AND o.start <= :behind \
          AND (o.start, o.uplink, o.outlet, o.rank) < (:behind, :behind_uplink, :behind_outlet, \
          :behind_rank) \
          AND (:rank IS NULL OR o.rank = :rank) \
          AND o.outlet IN (SELECT value FROM json_each(:outlets)) "
    };
}
/// Newest first; the same order as that of places.
macro_rules! newest {
    () => {
        " ORDER BY o.start DESC, o.outlet DESC, o.rank DESC LIMIT :limit"
    };
}

/// Records that wait, with the receipt of an earlier version, or of the same one when a person has
/// asked for it to be sent again.
const PENDING: &str = concat!(
    "SELECT o.outlet, o.rank, o.start, o.seq, o.sent + coalesce(r.tries, 0), \
     coalesce(r.first_sent, o.first_sent), coalesce(o.last_sent, r.last_sent), NULL, \
     iif(o.sent > 0, 'unanswered', 'waiting'), \
     iif(r.settled IN ('not-owed', 'unsendable'), 0, coalesce(r.versions, 0)) \
     + (r.seq IS NULL OR r.seq < o.seq OR coalesce(r.settled, '') \
        IN ('not-owed', 'unsendable')), \
     coalesce(r.settled, '9014') IN ('9014', '9013', 'unasked') AND r.at IS NOT NULL \
     AND (r.seq < o.seq OR r.versions > 1) \
     FROM pending o LEFT JOIN receipt r ON r.uplink = o.uplink AND r.outlet = o.outlet \
     AND r.rank = o.rank AND r.start = o.start",
    wanted!(),
    " AND :open IS NOT NULL",
    newest!()
);

/// Records that wait no longer.
const SETTLED: &str = concat!(
    "SELECT o.outlet, o.rank, o.start, o.seq, o.tries, o.first_sent, o.last_sent, o.at, \
     coalesce(o.settled, ''), o.versions, o.versions > 1 FROM receipt o",
    wanted!(),
    " AND (:open = 0 OR o.settled = 'unsendable') \
     AND NOT EXISTS (SELECT 1 FROM pending p WHERE p.uplink = o.uplink \
     AND p.outlet = o.outlet AND p.rank = o.rank AND p.start = o.start)",
    newest!()
);

fn list(
    connection: &Connection,
    sql: &str,
    (uplink, outlets): (&str, &str),
    filter: &SentFilter,
) -> Result<Vec<SentRow>, StoreError> {
    let behind = filter.behind.as_ref();
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(named_params! {
        ":uplink": uplink,
        ":from": filter.span.0.0,
        ":until": filter.span.1.0,
        ":behind": behind.map_or(i64::MAX, |place| place.start.0),
        ":behind_uplink": behind.map_or("", |place| place.uplink.as_str()),
        ":behind_outlet": behind.map_or("", |place| place.outlet.as_str()),
        ":behind_rank": behind.map_or(0, |place| rank(place.kind)),
        ":rank": filter.kind.map(rank),
        ":outlets": outlets,
        ":open": i64::from(filter.open_only),
        ":limit": i64::try_from(filter.limit).unwrap_or(i64::MAX),
    })?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(sent_row(uplink, row)?);
    }
    Ok(out)
}

fn sent_row(uplink: &str, row: &Row<'_>) -> Result<SentRow, StoreError> {
    let time = |column| Ok::<_, StoreError>(row.get::<_, Option<i64>>(column)?.map(Timestamp));
    let settled: String = row.get(8)?;
    let (times, versions): (u32, u32) = (row.get(4)?, row.get(9)?);
    let state = state(&settled);
    let answer = matches!(settled.as_str(), "9014" | "9013").then_some(settled);
    Ok(SentRow {
        uplink: uplink.to_owned(),
        outlet: OutletId::new(row.get::<_, String>(0)?),
        kind: kind(row.get(1)?)?,
        start: Timestamp(row.get(2)?),
        seq: Seq(row.get::<_, i64>(3)?.unsigned_abs()),
        state,
        times,
        first_sent: time(5)?,
        last_sent: time(6)?,
        settled_at: time(7)?,
        answer,
        resent: times > versions,
        corrected: row.get(10)?,
    })
}

/// State of a record by the word in the database; receipts from before there were words are of
/// acknowledged ones.
fn state(settled: &str) -> SentState {
    match settled {
        "unanswered" => return SentState::Unanswered,
        "waiting" => return SentState::Waiting,
        _ => {}
    }
    let known = Settled::ALL.into_iter().find(|s| s.as_str() == settled);
    match known {
        None | Some(Settled::Data | Settled::Notice) => SentState::Acknowledged,
        Some(Settled::Unasked) => SentState::Taken,
        Some(Settled::NotOwed) => SentState::NotOwed,
        Some(Settled::Unsendable) => SentState::Unsendable,
    }
}

/// What the list is sorted by, greatest first.
pub(super) fn order(row: &SentRow) -> (Timestamp, String, OutletId, i64) {
    let SentPlace {
        start,
        uplink,
        outlet,
        kind,
    } = SentPlace::of(row);
    (start, uplink, outlet, rank(kind))
}

#[cfg(test)]
mod tests;
