//! What goes next over one line: new records first, history as fast as its rate allows.
//!
//! Records lie in the outbox; here are the few that are about to go, are on their way, or were
//! acknowledged and not booked yet.

use super::outbox::{Mailbox, Outbox, Owed, Receipt, Sendings, Settled};
use crate::store::{StoreError, blocking};
use cems_core::model::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Records looked up at a time.
const LOOK_UP_MAX: usize = 64;
/// Acknowledgements booked in one transaction at the latest.
const BOOK_MAX: usize = 64;
/// How long an acknowledgement waits for others to be booked with, and a sending for its
/// acknowledgement. A kill in this time makes a record go out once more, and takes the memory of
/// sendings that are not booked.
const BOOK_AFTER: Duration = Duration::from_millis(500);
/// History records that may go at once after a pause.
const BURST_MAX: u32 = 10;
/// How long a record rests that the projections do not have (yet: they may be built anew).
const ABSENT_FOR: Duration = Duration::from_secs(30);
/// Rounds of all retries without an answer after which a record rests, so that one that the centre
/// will not have does not stand in the way of all others.
const UNANSWERED_MAX: u32 = 3;
/// How long it rests.
const REST: Duration = Duration::from_secs(600);
/// Records whose fruitless rounds are remembered; above it all are forgotten and begin anew.
const ROUNDS_KEPT_MAX: usize = 1_000;

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Send this record.
    Send {
        /// Which.
        owed: Owed,
        /// It is history: more than a moment old, or sent again on demand.
        late: bool,
    },
    /// Nothing before this moment.
    At(Instant),
    /// Nothing until something is new.
    Nothing,
}

/// The queues of one line.
pub(super) struct Lanes {
    outbox: Arc<Outbox>,
    mailbox: Mailbox,
    /// Accepted this long ago at most: new.
    fresh_ms: i64,
    fresh: VecDeque<Owed>,
    old: VecDeque<Owed>,
    /// The outbox may hold more than the queues.
    more_fresh: bool,
    more_old: bool,
    /// Records on their way.
    flying: BTreeMap<u64, Owed>,
    acknowledged: Vec<Receipt>,
    acknowledged_since: Option<Instant>,
    /// Sendings without an acknowledgement that are not booked yet.
    sendings: BTreeMap<Owed, Sendings>,
    sendings_since: Option<Instant>,
    /// Not to be sent now, with the time until which.
    absent: BTreeMap<Owed, Instant>,
    /// Rounds of retries of each version that brought no answer.
    rounds: BTreeMap<Owed, u32>,
    next_key: u64,
    budget: Budget,
}

/// A rate with room for a short burst.
#[derive(Debug, Clone, Copy)]
struct Budget {
    every: Duration,
    /// When the first of the next burst could have gone; lies in the past while there is room.
    from: Option<Instant>,
}

impl Budget {
    fn new(per_minute: u32) -> Self {
        Self {
            every: Duration::from_secs(60) / per_minute.max(1),
            from: None,
        }
    }

    /// When one more may go.
    fn at(&self, now: Instant) -> Instant {
        self.from.map_or(now, |from| from.max(now))
    }

    fn take(&mut self, now: Instant) {
        let room = self.every * (BURST_MAX - 1);
        let earliest = now.checked_sub(room).unwrap_or(now);
        let from = self.from.map_or(earliest, |from| from.max(earliest));
        self.from = Some(from + self.every);
    }
}

impl Lanes {
    /// The lanes of a mailbox. `fresh_ms`: how long a record counts as new.
    pub(super) fn new(
        outbox: Arc<Outbox>,
        mailbox: Mailbox,
        fresh_ms: i64,
        history_per_min: u32,
    ) -> Self {
        Self {
            outbox,
            mailbox,
            fresh_ms,
            fresh: VecDeque::new(),
            old: VecDeque::new(),
            more_fresh: true,
            more_old: true,
            flying: BTreeMap::new(),
            acknowledged: Vec::new(),
            acknowledged_since: None,
            sendings: BTreeMap::new(),
            sendings_since: None,
            absent: BTreeMap::new(),
            rounds: BTreeMap::new(),
            next_key: 1,
            budget: Budget::new(history_per_min),
        }
    }

    /// Whose mailbox.
    pub(super) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The outbox has something new.
    pub(super) fn look_again(&mut self) {
        (self.more_fresh, self.more_old) = (true, true);
    }

    /// The next new record, if there is one.
    pub(super) async fn next_fresh(&mut self, now: Timestamp) -> Result<Next, StoreError> {
        if self.fresh.is_empty() && self.more_fresh {
            let since = now.plus_ms(-self.fresh_ms);
            (self.fresh, self.more_fresh) = self.look_up(true, since).await?;
        }
        let next = self.fresh.pop_front();
        Ok(next.map_or(Next::Nothing, |owed| Next::Send {
            owed,
            late: now.since_ms(owed.at) > self.fresh_ms,
        }))
    }

    /// The next record of the past, if there is one and its turn has come.
    pub(super) async fn next_old(&mut self, now: Timestamp) -> Result<Next, StoreError> {
        let instant = Instant::now();
        self.absent.retain(|_, until| instant < *until);
        if self.old.is_empty() && self.more_old {
            // What was new a moment ago and never went (the line was down) is history now.
            let until = now.plus_ms(-self.fresh_ms);
            (self.old, self.more_old) = self.look_up(false, until).await?;
        }
        if self.old.is_empty() {
            let wake = self.absent.values().min();
            return Ok(wake.map_or(Next::Nothing, |at| Next::At(*at)));
        }
        let at = self.budget.at(instant);
        if instant < at {
            return Ok(Next::At(at));
        }
        self.budget.take(instant);
        // Also what is sent again because a person asked for it, however young.
        let next = self.old.pop_front();
        Ok(next.map_or(Next::Nothing, |owed| Next::Send { owed, late: true }))
    }

    /// Up to [`LOOK_UP_MAX`] records that are not in hand already, and whether there may be more.
    async fn look_up(
        &self,
        fresh: bool,
        bound: Timestamp,
    ) -> Result<(VecDeque<Owed>, bool), StoreError> {
        let held: BTreeSet<Owed> = self
            .flying
            .values()
            .copied()
            .chain(self.acknowledged.iter().map(|receipt| receipt.owed))
            .chain(self.absent.keys().copied())
            .chain(self.fresh.iter().copied())
            .chain(self.old.iter().copied())
            .collect();
        let limit = LOOK_UP_MAX + held.len();
        let (outbox, mailbox) = (Arc::clone(&self.outbox), self.mailbox.clone());
        let found = blocking(move || {
            if fresh {
                outbox.fresh(&mailbox, bound, limit)
            } else {
                outbox.history(&mailbox, bound, limit)
            }
        })
        .await?;
        let more = found.len() == limit;
        let new = found.into_iter().filter(|owed| !held.contains(owed));
        Ok((new.take(LOOK_UP_MAX).collect(), more))
    }

    /// A record goes out; the key names it until it is through or lost.
    pub(super) fn takes_off(&mut self, owed: Owed, now: Timestamp) -> u64 {
        let key = self.next_key;
        self.next_key += 1;
        self.flying.insert(key, owed);
        self.note_sending(owed, now);
        key
    }

    /// It went out once more on the same connection.
    pub(super) fn is_sent_again(&mut self, key: u64, now: Timestamp) {
        if let Some(owed) = self.flying.get(&key).copied() {
            self.note_sending(owed, now);
        }
    }

    fn note_sending(&mut self, owed: Owed, now: Timestamp) {
        self.sendings
            .entry(owed)
            .and_modify(|sendings| sendings.again(now))
            .or_insert_with(|| Sendings::once(now));
        self.sendings_since.get_or_insert_with(Instant::now);
    }

    /// It was acknowledged.
    pub(super) fn lands(&mut self, key: u64, settled: Settled) {
        if let Some(owed) = self.flying.remove(&key) {
            self.rounds.remove(&owed);
            let sendings = self.sendings.remove(&owed);
            if self.sendings.is_empty() {
                self.sendings_since = None;
            }
            self.acknowledged.push(Receipt {
                owed,
                sendings,
                settled,
            });
            self.acknowledged_since.get_or_insert_with(Instant::now);
        }
    }

    /// It did not get through: it stays pending and goes again. `unanswered`: the line stood, and
    /// all retries brought no answer.
    pub(super) fn is_lost(&mut self, key: u64, unanswered: bool) {
        let Some(owed) = self.flying.remove(&key) else {
            return;
        };
        if self.rounds.len() >= ROUNDS_KEPT_MAX {
            self.rounds.clear();
        }
        let rounds = self.rounds.entry(owed).or_default();
        *rounds += u32::from(unanswered);
        if *rounds >= UNANSWERED_MAX {
            *rounds = 0;
            self.absent.insert(owed, Instant::now() + REST);
        }
        self.look_again();
    }

    /// It could not be put into a frame, so it did not go out.
    pub(super) fn is_unsendable(&mut self, key: u64) {
        if let Some(owed) = self.flying.remove(&key) {
            self.sendings.remove(&owed);
        }
    }

    /// The projections do not have it now.
    pub(super) fn is_absent(&mut self, owed: Owed) {
        self.absent.insert(owed, Instant::now() + ABSENT_FOR);
        self.look_again();
    }

    /// It is not sent, for this reason.
    pub(super) async fn pass_over(
        &mut self,
        owed: Owed,
        why: Settled,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (outbox, mailbox) = (Arc::clone(&self.outbox), self.mailbox.clone());
        blocking(move || outbox.pass_over(&mailbox, owed, why, now)).await
    }

    /// When acknowledgements and sendings are to be booked; `None` while there are none.
    pub(super) fn book_at(&self) -> Option<Instant> {
        let acknowledged = self.acknowledged_since.map(|since| {
            if self.acknowledged.len() >= BOOK_MAX {
                since
            } else {
                since + BOOK_AFTER
            }
        });
        let sent = self.sendings_since.map(|since| since + BOOK_AFTER);
        match (acknowledged, sent) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// Whether something is on its way.
    pub(super) fn is_flying(&self) -> bool {
        !self.flying.is_empty()
    }

    /// Acknowledgements not booked yet.
    pub(super) fn to_book(&self) -> &[Receipt] {
        &self.acknowledged
    }

    /// Books them, and sendings that brought no acknowledgement so far.
    pub(super) async fn book(&mut self, at: Timestamp) -> Result<(), StoreError> {
        let receipts = self.acknowledged.clone();
        let sendings: Vec<(Owed, Sendings)> = self
            .sendings
            .iter()
            .map(|(owed, sendings)| (*owed, *sendings))
            .collect();
        if receipts.is_empty() && sendings.is_empty() {
            return Ok(());
        }
        let (outbox, mailbox) = (Arc::clone(&self.outbox), self.mailbox.clone());
        blocking(move || outbox.book(&mailbox, &receipts, &sendings, at)).await?;
        self.acknowledged.clear();
        self.acknowledged_since = None;
        self.sendings.clear();
        self.sendings_since = None;
        Ok(())
    }

    /// The line is gone: what is not acknowledged goes again.
    pub(super) fn ground_all(&mut self) {
        let keys: Vec<u64> = self.flying.keys().copied().collect();
        for key in keys {
            self.is_lost(key, false);
        }
        self.fresh.clear();
        self.old.clear();
        self.look_again();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_and_then_the_rate() {
        let mut budget = Budget::new(60);
        let start = Instant::now();
        let mut went = Vec::new();
        while went.len() < 13 {
            let at = budget.at(Instant::now());
            tokio::time::sleep_until(at).await;
            budget.take(Instant::now());
            went.push(start.elapsed().as_secs());
        }
        assert_eq!(went, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
        tokio::time::sleep(Duration::from_secs(3)).await;
        let room = (0..5)
            .filter(|_| {
                let free = budget.at(Instant::now()) <= Instant::now();
                if free {
                    budget.take(Instant::now());
                }
                free
            })
            .count();
        assert_eq!(room, 3);
    }
}
