//! The way to one destination: read the log from where it stands, send, note what became of it.
//!
//! ```text
//!  asked again ─┐
//!  log behind the position ─▶ batch ─▶ destination ─▶ taken, refused ─▶ position, dead letters
//!  replay ──────┘                          └─▶ trouble: wait, then read the same lines again
//! ```

use super::books::{Books, Done, Place as Line, Stream};
use super::destination::{Cause, Destination, SendError, Sent};
use super::news::News;
use super::parcel::{Key, Parcel};
use super::replaying;
use super::supply::{Batch, Supply};
use crate::clock::Clock;
use crate::notify::{chance, pause_ms};
use crate::store::{StoreError, blocking};
use cems_config::Destination as Settings;
use cems_core::model::time::DAY_MS;
use cems_core::model::{Seq, Timestamp};
use metrics::counter;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A destination must have answered within this time, whatever its own patience.
const SEND_MAX: Duration = Duration::from_secs(120);
/// Pause between batches that are not full, so that what comes by the second goes together.
const LINGER: Duration = Duration::from_secs(1);
/// Longest rest without news.
const REST_MAX: Duration = Duration::from_secs(60);
/// While the log is behind, one step of a replay goes after so many batches of it.
const REPLAY_EVERY: u32 = 4;
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

/// What was sent, for the books.
enum What {
    /// Lines of a log.
    Log(Stream, Batch),
    /// Dead letters, by number.
    Again(Vec<i64>, Vec<Parcel>),
    /// A step of a replay, by number.
    Replay(i64, replaying::Step),
}

impl What {
    fn parcels(&self) -> &[Parcel] {
        match self {
            Self::Log(_, batch) => &batch.parcels,
            Self::Again(_, parcels) => parcels,
            Self::Replay(_, step) => &step.parcels,
        }
    }

    fn done(&self, delivered: u64, refused: Vec<(Key, String)>) -> Done {
        let mut done = Done {
            delivered,
            refused,
            ..Done::default()
        };
        match self {
            Self::Log(stream, batch) => {
                done.given_up = batch.given_up;
                done.position = Some((*stream, batch.until));
            }
            Self::Again(ids, _) => done.revived.clone_from(ids),
            Self::Replay(id, step) => done.replay = Some((*id, step.cursor.clone())),
        }
        done
    }
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

    /// One round: everything that waits, a batch of each. Whether there is more at once.
    async fn round(&mut self, round: u32) -> Result<bool, Halt> {
        let mut more = false;
        if let Some(what) = self.ask(Asker::asked_again).await? {
            self.deliver(what).await?;
            more = true;
        }
        let mut behind = false;
        for stream in Stream::ALL {
            let next = self.ask(move |lane| lane.of_log(stream)).await?;
            if let Some(what) = next {
                behind |= matches!(&what, What::Log(_, batch) if batch.more);
                self.deliver(what).await?;
            }
        }
        if (!behind || round.is_multiple_of(REPLAY_EVERY))
            && let Some(what) = self.ask(Asker::replay).await?
        {
            self.deliver(what).await?;
            more = true;
        }
        Ok(more || behind)
    }

    /// Asks the databases on a thread that may wait.
    async fn ask(
        &mut self,
        ask: impl FnOnce(&Asker) -> Result<Option<What>, StoreError> + Send + 'static,
    ) -> Result<Option<What>, StoreError> {
        let asker = Asker {
            settings: Arc::clone(&self.settings),
            books: Arc::clone(&self.books),
            supply: Arc::clone(&self.supply),
            most: self.destination.batch_max().max(1),
            now: self.clock.now(),
        };
        blocking(move || ask(&asker)).await
    }

    /// Sends, and notes what became of it.
    async fn deliver(&mut self, what: What) -> Result<(), Halt> {
        let sent = self.send(what.parcels()).await.map_err(Halt::Destination)?;
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
        let id = self.settings.id.clone();
        let name = id.to_string();
        counter!("cems_outbox_delivered_total", "destination" => name.clone()).increment(delivered);
        counter!("cems_outbox_values_total", "destination" => name.clone()).increment(sent.values);
        counter!("cems_outbox_refused_total", "destination" => name)
            .increment(count(refused.len()));
        let shown = delivered > 0 || !refused.is_empty();
        let done = what.done(delivered, refused);
        let (books, now) = (Arc::clone(&self.books), self.clock.now());
        blocking(move || books.done(&id, &done, now)).await?;
        if shown {
            self.news.moved();
        }
        Ok(())
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

/// The questions of a lane, on a thread that may wait.
struct Asker {
    settings: Arc<Settings>,
    books: Arc<Books>,
    supply: Arc<Supply>,
    most: usize,
    now: Timestamp,
}

impl Asker {
    fn oldest(&self) -> Timestamp {
        let days = i64::from(self.settings.give_up_after_days);
        self.now.plus_ms(-days.saturating_mul(DAY_MS))
    }

    fn asked_again(&self) -> Result<Option<What>, StoreError> {
        let letters = self.books.asked_again(&self.settings.id, self.most)?;
        if letters.is_empty() {
            return Ok(None);
        }
        let mut parcels = Vec::new();
        for letter in &letters {
            // What is gone from the books cannot be sent; its letter ends with it.
            if let Some(key) = Key::parse(&letter.key) {
                parcels.extend(self.supply.parcel(&self.settings, &key)?);
            }
        }
        let ids = letters.iter().map(|letter| letter.id).collect();
        Ok(Some(What::Again(ids, parcels)))
    }

    fn of_log(&self, stream: Stream) -> Result<Option<What>, StoreError> {
        let to = &self.settings;
        let wanted = match stream {
            Stream::Series => !to.series.is_empty(),
            Stream::Events => to.events,
        };
        if !wanted {
            return Ok(None);
        }
        let at = self.stands(stream)?;
        let limits = (self.most, self.oldest());
        let batch = self.supply.batch(to, stream, &at, limits)?;
        Ok(batch.map(|batch| What::Log(stream, batch)))
    }

    /// Where the destination is in a log. A new one begins at the end; for one that the log no
    /// longer reaches back to, a replay of what is missing is booked.
    fn stands(&self, stream: Stream) -> Result<Line, StoreError> {
        let id = &self.settings.id;
        let bounds = self.supply.bounds(stream)?;
        let Some(at) = self.books.position(id, stream)? else {
            let end = bounds.map_or(
                Line {
                    seq: Seq(0),
                    n: 0,
                    at: self.now,
                },
                |bounds| Line {
                    seq: bounds.last.seq,
                    n: bounds.last.n,
                    at: bounds.last.at,
                },
            );
            self.books.begin(id, stream, end)?;
            return Ok(end);
        };
        let Some(bounds) = bounds else {
            return Ok(at);
        };
        let first = bounds.first;
        let forgets = bounds.last.at.plus_ms(-crate::store::OUTGOING_KEPT_MS);
        let gap =
            stream == Stream::Series && (at.seq, at.n) < (first.seq, first.n) && at.at < forgets;
        if !gap {
            return Ok(at);
        }
        // The replay is booked first: dying in between books it twice, which costs a repetition.
        let from = at.at.max(self.oldest());
        let until = first.at.plus_ms(1);
        if from < until {
            self.books
                .book_replay(id, (from, until), replaying::ENGINE, self.now)?;
            tracing::warn!(
                destination = %id, from = from.0, until = until.0,
                "the log does not reach back to where the destination stands; sending from the rows"
            );
        }
        let before = Line {
            seq: Seq(first.seq.0.saturating_sub(1)),
            n: u32::MAX,
            at: first.at,
        };
        self.books.begin(id, stream, before)?;
        Ok(before)
    }

    fn replay(&self) -> Result<Option<What>, StoreError> {
        let Some(replay) = self.books.open_replay(&self.settings.id)? else {
            return Ok(None);
        };
        let step = replaying::step(&self.supply, &self.settings, &replay, self.most)?;
        Ok(Some(What::Replay(replay.id, step)))
    }
}
