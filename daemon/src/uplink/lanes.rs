//! What goes next over one line: new records first, history as fast as its rate allows.
//!
//! Records lie in the outbox; here are the few that are about to go, are on their way, or were
//! acknowledged and not booked yet.

use super::outbox::{Mailbox, Outbox, Owed, Receipt};
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
/// How long an acknowledgement waits for others to be booked with. A kill in this time makes a
/// record go out once more.
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
/// Records whose fruitless tries are remembered; above it all are forgotten and begin anew.
const TRIES_KEPT_MAX: usize = 1_000;

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Send this record.
    Send {
        /// Which.
        owed: Owed,
        /// It is history: more than a moment old.
        late: bool,
    },
    /// Nothing before this moment.
    At(Instant),
    /// Nothing until something is new.
    Nothing,
}

/// A record on its way.
#[derive(Debug, Clone, Copy)]
struct Flying {
    owed: Owed,
    tries: u32,
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
    flying: BTreeMap<u64, Flying>,
    acknowledged: Vec<Receipt>,
    acknowledged_since: Option<Instant>,
    /// Not to be sent now, with the time until which.
    absent: BTreeMap<Owed, Instant>,
    /// Times each version was sent, and rounds of retries that brought no answer; only of those
    /// that did not get through.
    tries: BTreeMap<Owed, (u32, u32)>,
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
            absent: BTreeMap::new(),
            tries: BTreeMap::new(),
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
        Ok(self
            .fresh
            .pop_front()
            .map_or(Next::Nothing, |owed| self.send(owed, now)))
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
        Ok(self
            .old
            .pop_front()
            .map_or(Next::Nothing, |owed| self.send(owed, now)))
    }

    fn send(&self, owed: Owed, now: Timestamp) -> Next {
        Next::Send {
            owed,
            late: now.since_ms(owed.at) > self.fresh_ms,
        }
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
            .map(|flying| flying.owed)
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
    pub(super) fn takes_off(&mut self, owed: Owed) -> u64 {
        let key = self.next_key;
        self.next_key += 1;
        let tries = self.tries.get(&owed).map_or(0, |(sent, _)| *sent) + 1;
        self.flying.insert(key, Flying { owed, tries });
        key
    }

    /// It was acknowledged.
    pub(super) fn lands(&mut self, key: u64) {
        if let Some(Flying { owed, tries }) = self.flying.remove(&key) {
            self.tries.remove(&owed);
            self.acknowledged.push(Receipt { owed, tries });
            self.acknowledged_since.get_or_insert_with(Instant::now);
        }
    }

    /// It did not get through: it stays pending and goes again. `unanswered`: the line stood, and
    /// all retries brought no answer.
    pub(super) fn is_lost(&mut self, key: u64, unanswered: bool) {
        let Some(Flying { owed, tries }) = self.flying.remove(&key) else {
            return;
        };
        if self.tries.len() >= TRIES_KEPT_MAX {
            self.tries.clear();
        }
        let (sent, rounds) = self.tries.entry(owed).or_default();
        *sent = tries;
        *rounds += u32::from(unanswered);
        if *rounds >= UNANSWERED_MAX {
            *rounds = 0;
            self.absent.insert(owed, Instant::now() + REST);
        }
        self.look_again();
    }

    /// The projections do not have it now.
    pub(super) fn is_absent(&mut self, owed: Owed) {
        self.absent.insert(owed, Instant::now() + ABSENT_FOR);
        self.look_again();
    }

    /// Nothing of it goes to this centre.
    pub(super) async fn pass_over(&mut self, owed: Owed) -> Result<(), StoreError> {
        let (outbox, mailbox) = (Arc::clone(&self.outbox), self.mailbox.clone());
        blocking(move || outbox.pass_over(&mailbox, owed)).await
    }

    /// When acknowledgements are to be booked; `None` while there are none.
    pub(super) fn book_at(&self) -> Option<Instant> {
        let since = self.acknowledged_since?;
        if self.acknowledged.len() >= BOOK_MAX {
            return Some(since);
        }
        Some(since + BOOK_AFTER)
    }

    /// Whether something is on its way.
    pub(super) fn is_flying(&self) -> bool {
        !self.flying.is_empty()
    }

    /// Acknowledgements not booked yet.
    pub(super) fn to_book(&self) -> &[Receipt] {
        &self.acknowledged
    }

    /// Books them.
    pub(super) async fn book(&mut self, at: Timestamp) -> Result<(), StoreError> {
        let receipts = self.acknowledged.clone();
        let (outbox, mailbox) = (Arc::clone(&self.outbox), self.mailbox.clone());
        blocking(move || outbox.acknowledge(&mailbox, &receipts, at)).await?;
        self.acknowledged.clear();
        self.acknowledged_since = None;
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
