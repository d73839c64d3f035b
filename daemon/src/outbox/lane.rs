//! The way to one destination: read the log from where it stands, send, note what became of it.
//!
//! ```text
//!  asked again ─┐
//!  log behind the position ─▶ batch ─▶ destination ─▶ taken, refused ─▶ position, dead letters
//!  replay ──────┘                          └─▶ trouble: wait, then read the same lines again
//! ```

use super::books::{Books, Done, Stream};
use super::destination::{Cause, Destination, SendError, Sent};
use super::errand::{Asker, What};
use super::news::News;
use super::parcel::{Key, Parcel};
use super::supply::Supply;
use crate::clock::Clock;
use crate::delivery::{chance, pause_ms};
use crate::store::{StoreError, blocking};
use cems_config::Destination as Settings;
use cems_core::model::Timestamp;
use metrics::counter;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A destination must have answered within this time, whatever its own patience.
const SEND_MAX: Duration = Duration::from_secs(120);
/// Pause between batches that are not full, so that what comes by the second goes together.
const LINGER: Duration = Duration::from_secs(1);
/// Longest rest without news.
const REST_MAX: Duration = Duration::from_secs(60);
/// While the log is behind, one step of a replay goes after so many batches of it.
const REPLAY_EVERY: u32 = 4;
/// Batches that follow one another without a look at anything else: so many,
const RUN_BATCHES_MAX: u32 = 64;
/// and for so long, so that a destination that is slow with history still gets what is new.
const RUN_MAX: Duration = Duration::from_secs(2);
/// When so many things are refused one after another and none is taken, it is not the things.
const REFUSED_IN_A_ROW_MAX: usize = 16;

/// What one destination's task has at hand.
pub(super) struct Lane {
    pub(super) settings: Arc<Settings>,
    pub(super) destination: Box<dyn Destination>,
    pub(super) books: Arc<Books>,
    pub(super) supply: Arc<Supply>,
    pub(super) clock: Clock,
    pub(super) news: Arc<News>,
    /// Attempts that failed in a row.
    pub(super) attempts: u32,
}

/// Why the lane cannot go on at once.
enum Halt {
    /// The destination.
    Destination(SendError),
    /// Our own books.
    Books(StoreError),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Books(error)
    }
}

impl Lane {
    /// Works until the daemon stops.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut round: u32 = 0;
        loop {
            round = round.wrapping_add(1);
            let worked = tokio::select! {
                () = stop.cancelled() => break,
                worked = self.round(round) => worked,
            };
            let rest = match worked {
                Ok(true) => continue,
                Ok(false) => None,
                Err(halt) => Some(self.trouble(halt).await),
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.rest(rest) => {}
            }
        }
        self.destination.close().await;
    }

    /// Until there may be something to do: after trouble so long, otherwise until there is news.
    async fn rest(&mut self, pause: Option<i64>) {
        match pause {
            Some(ms) => {
                let simulated = Duration::from_millis(u64::try_from(ms).unwrap_or(0));
                tokio::time::sleep(self.clock.shorten(simulated)).await;
            }
            None => {
                tokio::time::sleep(self.clock.shorten(LINGER)).await;
                self.news.wait(&self.settings.id, REST_MAX).await;
            }
        }
    }

    /// One round: everything that waits, some batches of each. Whether there is more at once.
    async fn round(&mut self, round: u32) -> Result<bool, Halt> {
        let again = self.asker().ask(Asker::asked_again).await?;
        let mut more = again.is_some();
        self.follow(again).await?;
        let mut behind = false;
        for stream in Stream::ALL {
            let first = self.asker().ask(move |asker| asker.of_log(stream)).await?;
            behind |= self.follow(first).await?;
        }
        if !behind || round.is_multiple_of(REPLAY_EVERY) {
            let first = self.asker().ask(Asker::replay).await?;
            more |= first.is_some();
            self.follow(first).await?;
        }
        Ok(more || behind)
    }

    /// Sends a batch and those that follow it: while one is under way, the next is read and what
    /// became of the one before is noted. Nothing else is sent meanwhile, so that what was read
    /// ahead is no older than what the other side was told last. Whether it was cut short.
    async fn follow(&mut self, first: Option<What>) -> Result<bool, Halt> {
        let (began, mut batches) = (Instant::now(), 0_u32);
        let Some(mut what) = first else {
            return Ok(false);
        };
        let mut outcome = None;
        loop {
            batches += 1;
            let follows = what.next();
            let last = batches >= RUN_BATCHES_MAX || began.elapsed() >= RUN_MAX;
            let ahead = self.asker().follow(follows.clone().filter(|_| !last));
            let noting = self.note(outcome.take());
            let (sent, next, noted) = tokio::join!(self.send(what.parcels()), ahead, noting);
            noted?;
            outcome = Some((
                self.outcome(&what, sent.map_err(Halt::Destination)?),
                self.clock.now(),
            ));
            match next {
                Ok(Some(next)) => what = next,
                Ok(None) => {
                    self.note(outcome).await?;
                    return Ok(last && follows.is_some());
                }
                Err(error) => {
                    self.note(outcome).await?;
                    return Err(error.into());
                }
            }
        }
    }

    /// Notes what became of a batch, if there was one; then pages may look.
    fn note(
        &self,
        outcome: Option<(Done, Timestamp)>,
    ) -> impl Future<Output = Result<(), StoreError>> + use<> {
        let (books, news) = (Arc::clone(&self.books), Arc::clone(&self.news));
        let destination = self.settings.id.clone();
        async move {
            let Some((done, now)) = outcome else {
                return Ok(());
            };
            let shown = done.delivered > 0 || !done.refused.is_empty();
            blocking(move || books.done(&destination, &done, now)).await?;
            if shown {
                news.moved();
            }
            Ok(())
        }
    }

    fn asker(&self) -> Asker {
        Asker {
            settings: Arc::clone(&self.settings),
            books: Arc::clone(&self.books),
            supply: Arc::clone(&self.supply),
            most: self.destination.batch_max().max(1),
            now: self.clock.now(),
        }
    }

    /// Counts what became of a batch.
    fn outcome(&mut self, what: &What, sent: Sent) -> Done {
        let refused: Vec<(Key, String)> = sent
            .refused
            .into_iter()
            .filter_map(|(n, why)| Some((what.parcels().get(n)?.key.clone(), why)))
            .collect();
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let delivered = count(what.parcels().len().saturating_sub(refused.len()));
        if !what.parcels().is_empty() {
            self.attempts = 0;
        }
        let name = self.settings.id.to_string();
        counter!("cems_outbox_delivered_total", "destination" => name.clone()).increment(delivered);
        counter!("cems_outbox_values_total", "destination" => name.clone()).increment(sent.values);
        counter!("cems_outbox_refused_total", "destination" => name)
            .increment(count(refused.len()));
        what.done(delivered, refused)
    }

    /// Sends parcels; one batch that is refused as a whole is halved until the things that are at
    /// fault stand alone.
    async fn send(&mut self, parcels: &[Parcel]) -> Result<Sent, SendError> {
        let mut all = Sent::default();
        let most = self.destination.batch_max().max(1);
        let mut open: Vec<Range<usize>> = (0..parcels.len())
            .step_by(most)
            .map(|from| from..(from + most).min(parcels.len()))
            .collect();
        open.reverse();
        let mut in_a_row = 0;
        while let Some(range) = open.pop() {
            let batch = parcels.get(range.clone()).unwrap_or_default();
            let answer = tokio::time::timeout(SEND_MAX, self.destination.send(batch)).await;
            let answer = answer.unwrap_or_else(|_| {
                let said = format!("no answer within {} s", SEND_MAX.as_secs());
                Err(SendError::new(Cause::Slow, said))
            });
            match answer {
                Ok(sent) => {
                    let none = sent.refused.len() >= batch.len();
                    in_a_row = if none { in_a_row + batch.len() } else { 0 };
                    all.values = all.values.saturating_add(sent.values);
                    let refused = sent.refused.into_iter();
                    all.refused
                        .extend(refused.map(|(n, why)| (range.start + n, why)));
                }
                Err(error) if error.recoverable() => return Err(error),
                Err(error) if batch.len() <= 1 => {
                    in_a_row += 1;
                    all.refused.push((range.start, error.said));
                }
                Err(_) => {
                    let middle = range.start + batch.len() / 2;
                    open.push(middle..range.end);
                    open.push(range.start..middle);
                }
            }
            if in_a_row >= REFUSED_IN_A_ROW_MAX {
                let said = all.refused.pop().map_or_else(String::new, |(_, why)| why);
                return Err(SendError::new(Cause::Refused, said));
            }
        }
        Ok(all)
    }

    /// Notes trouble; how long to wait, in milliseconds.
    async fn trouble(&mut self, halt: Halt) -> i64 {
        self.attempts = self.attempts.saturating_add(1);
        let id = self.settings.id.clone();
        let asked = match halt {
            Halt::Books(error) => {
                tracing::warn!(destination = %id, %error, "the outbox cannot use its books");
                None
            }
            Halt::Destination(error) => {
                let cause = error.cause.as_str();
                counter!(
                    "cems_outbox_failures_total", "destination" => id.to_string(), "cause" => cause
                )
                .increment(1);
                if self.attempts == 1 {
                    tracing::warn!(destination = %id, %error, "a destination does not take data");
                }
                let after = error.after;
                let (books, now) = (Arc::clone(&self.books), self.clock.now());
                let noted = blocking(move || books.trouble(&id, &error, now)).await;
                if let Err(error) = noted {
                    tracing::warn!(%error, "trouble of a destination could not be noted");
                }
                self.news.moved();
                after
            }
        };
        pause_ms(self.attempts, asked, chance())
    }
}
