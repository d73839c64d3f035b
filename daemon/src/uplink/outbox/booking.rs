//! What went out and what became of it: sendings, acknowledgements, records nothing of which goes.

use super::{Mailbox, Outbox, Owed, number, rank, replays};
use crate::store::StoreError;
use cems_core::model::Timestamp;
use rusqlite::{OptionalExtension, Transaction};

/// Times a record went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sendings {
    /// How often.
    pub times: u32,
    /// The first of them.
    pub first: Timestamp,
    /// The last of them.
    pub last: Timestamp,
}

impl Sendings {
    /// Once, at this moment.
    pub fn once(at: Timestamp) -> Self {
        Self {
            times: 1,
            first: at,
            last: at,
        }
    }

    /// Once more.
    pub fn again(&mut self, at: Timestamp) {
        self.times = self.times.saturating_add(1);
        self.last = at;
    }
}

/// Why a record waits no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The centre has answered 9014: data have arrived.
    Data,
    /// The centre has answered 9013, as some do to data.
    Notice,
    /// The centre is asked for no answers (`answer = false`): the line has taken it.
    Unasked,
    /// Nothing of it goes to this centre, or the centre has switched such records off.
    NotOwed,
    /// No frame can hold it.
    Unsendable,
}

impl Settled {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Data,
        Self::Notice,
        Self::Unasked,
        Self::NotOwed,
        Self::Unsendable,
    ];

    /// Its name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Data => "9014",
            Self::Notice => "9013",
            Self::Unasked => "unasked",
            Self::NotOwed => "not-owed",
            Self::Unsendable => "unsendable",
        }
    }

    /// The centre has the record as far as can be known.
    pub fn is_delivered(self) -> bool {
        matches!(self, Self::Data | Self::Notice | Self::Unasked)
    }
}

/// A record a centre has acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Which.
    pub owed: Owed,
    /// Its sendings that are not in the database yet.
    pub sendings: Option<Sendings>,
    /// How it was acknowledged.
    pub settled: Settled,
}

impl Outbox {
    /// Books acknowledgements of `at`, and sendings of records that wait on. A record that was
    /// corrected since stays pending in its new version.
    ///
    /// # Errors
    /// Disk.
    pub fn book(
        &self,
        mailbox: &Mailbox,
        receipts: &[Receipt],
        sendings: &[(Owed, Sendings)],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let mut new = 0_i64;
        for receipt in receipts {
            new += i64::from(settle(&transaction, mailbox, receipt, at)?);
        }
        for (owed, sendings) in sendings {
            note(&transaction, mailbox, *owed, *sendings)?;
        }
        if !receipts.is_empty() {
            transaction
                .prepare_cached(
                    "UPDATE reader SET acknowledged = acknowledged + ?3, last_acknowledged = ?4 \
                     WHERE uplink = ?1 AND outlet = ?2",
                )?
                .execute((&mailbox.uplink, mailbox.outlet.as_str(), new, at.0))?;
        }
        Ok(transaction.commit()?)
    }

    /// Settles a version that is not sent: `why` is [`Settled::NotOwed`] or
    /// [`Settled::Unsendable`]. A receipt of an earlier version stays what it was.
    ///
    /// # Errors
    /// Disk.
    pub fn pass_over(
        &self,
        mailbox: &Mailbox,
        owed: Owed,
        why: Settled,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let receipt = Receipt {
            owed,
            sendings: None,
            settled: why,
        };
        settle(&transaction, mailbox, &receipt, at)?;
        Ok(transaction.commit()?)
    }
}

/// Sendings of a record that is in the mailbox.
fn note(
    transaction: &Transaction<'_>,
    mailbox: &Mailbox,
    owed: Owed,
    sendings: Sendings,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE pending SET sent = sent + ?5, first_sent = coalesce(first_sent, ?6), \
             last_sent = ?7 WHERE uplink = ?1 AND outlet = ?2 AND rank = ?3 AND start = ?4",
        )?
        .execute((
            &mailbox.uplink,
            mailbox.outlet.as_str(),
            rank(owed.kind),
            owed.start.0,
            sendings.times,
            sendings.first.0,
            sendings.last.0,
        ))?;
    Ok(())
}

/// Sendings as they stand in a row: how often, first, last.
type Row = (u32, Option<i64>, Option<i64>);

/// What was taken out of the mailbox.
#[derive(Default)]
struct Taken {
    /// Sendings that were noted.
    noted: Row,
    /// The record is gone, too.
    is_gone: bool,
    /// The replay it belonged to.
    replay: Option<i64>,
}

/// Takes the sendings of a record, and the record itself unless it was corrected since, out of
/// the mailbox.
fn take_out(
    transaction: &Transaction<'_>,
    mailbox: &Mailbox,
    owed: Owed,
) -> Result<Taken, StoreError> {
    let key = (
        &mailbox.uplink,
        mailbox.outlet.as_str(),
        rank(owed.kind),
        owed.start.0,
    );
    let found: Option<(Row, Option<i64>)> = transaction
        .prepare_cached(
            "SELECT sent, first_sent, last_sent, replay FROM pending \
             WHERE uplink = ?1 AND outlet = ?2 AND rank = ?3 AND start = ?4",
        )?
        .query_row(key, |row| {
            Ok(((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?))
        })
        .optional()?;
    let Some((noted, replay)) = found else {
        return Ok(Taken::default());
    };
    let gone = transaction
        .prepare_cached(
            "DELETE FROM pending WHERE uplink = ?1 AND outlet = ?2 AND rank = ?3 \
             AND start = ?4 AND seq <= ?5",
        )?
        .execute((key.0, key.1, key.2, key.3, number(owed.seq.0)?))?;
    if gone == 0 {
        // The receipt has these sendings; those of the new version are still to come.
        transaction
            .prepare_cached(
                "UPDATE pending SET sent = 0, first_sent = NULL, last_sent = NULL \
                 WHERE uplink = ?1 AND outlet = ?2 AND rank = ?3 AND start = ?4",
            )?
            .execute(key)?;
    }
    Ok(Taken {
        noted,
        is_gone: gone > 0,
        replay,
    })
}

/// Writes a receipt; true when the record waited and does no more.
fn settle(
    transaction: &Transaction<'_>,
    mailbox: &Mailbox,
    receipt: &Receipt,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let Receipt {
        owed,
        sendings,
        settled,
    } = *receipt;
    let taken = take_out(transaction, mailbox, owed)?;
    if let Some(id) = taken.replay.filter(|_| taken.is_gone) {
        replays::count_out(transaction, id, settled.is_delivered(), at)?;
    }
    let (sent, first, last) = taken.noted;
    let times = sent.saturating_add(sendings.map_or(0, |new| new.times));
    let again = if settled.is_delivered() {
        "versions = iif(settled IN ('not-owed', 'unsendable'), 1, versions + (seq < ?5)), \
         seq = max(seq, ?5), at = ?6, tries = tries + ?7, \
         first_sent = coalesce(first_sent, ?8), last_sent = coalesce(?9, last_sent), \
         settled = ?10"
    } else {
        "seq = max(seq, ?5)"
    };
    transaction
        .prepare_cached(&format!(
            "INSERT INTO receipt (uplink, outlet, rank, start, seq, at, tries, first_sent, \
             last_sent, settled) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
             ON CONFLICT DO UPDATE SET {again}"
        ))?
        .execute((
            &mailbox.uplink,
            mailbox.outlet.as_str(),
            rank(owed.kind),
            owed.start.0,
            number(owed.seq.0)?,
            at.0,
            times,
            first.or(sendings.map(|new| new.first.0)),
            sendings.map(|new| new.last.0).or(last),
            settled.as_str(),
        ))?;
    Ok(taken.is_gone)
}
