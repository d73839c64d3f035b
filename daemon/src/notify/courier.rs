//! One courier per channel: takes what is due, hands it over, and notes what became of it.

use super::channel::{Channel, SendError};
use super::outbox::{End, Letter, Outbox};
use super::parcel::{Parcel, Scribe};
use super::post::News;
use super::stages::{Next, Pace, after, expired};
use crate::clock::Clock;
use crate::delivery::{chance, pause_ms};
use crate::store::{StoreError, blocking};
use cems_core::model::{AlarmId, ChannelId, MessageId, Timestamp};
use metrics::counter;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Longest sleep of a courier, so that a step of the machine's clock is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(30);
/// Pause after a failure of a database.
const STORE_PAUSE: Duration = Duration::from_secs(5);
/// How long a stop waits for messages that are being handed over; what is cut goes again.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// What a courier shares with the messages under way.
pub(super) struct Bag {
    pub(super) settings: Arc<cems_config::Channel>,
    pub(super) channel: Arc<dyn Channel>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) scribe: Arc<Scribe>,
    pub(super) clock: Clock,
    pub(super) news: Arc<News>,
}

/// The courier of one channel.
pub(super) struct Courier {
    bag: Arc<Bag>,
    pace: Pace,
    under_way: JoinSet<(MessageId, Result<Outcome, StoreError>)>,
    busy: BTreeSet<MessageId>,
    /// Failures of the channel as a whole in a row.
    failures: u32,
    /// Nothing is tried before.
    rest_until: Option<Timestamp>,
}

/// What the courier must know of a message that came to rest.
enum Outcome {
    /// The channel took it or refused it: it works.
    Works,
    /// The channel is in trouble.
    Trouble { after: Option<Duration> },
    /// It says nothing about the channel.
    Nothing,
}

impl Courier {
    pub(super) fn new(bag: Bag) -> Self {
        Self {
            bag: Arc::new(bag),
            pace: Pace::default(),
            under_way: JoinSet::new(),
            busy: BTreeSet::new(),
            failures: 0,
            rest_until: None,
        }
    }

    fn id(&self) -> &ChannelId {
        &self.bag.settings.id
    }

    /// Works until the daemon stops. `back` counts the connections of a channel that keeps one.
    pub(super) async fn run(mut self, mut back: watch::Receiver<u64>, stop: CancellationToken) {
        let bag = Arc::clone(&self.bag);
        loop {
            let woken = bag.news.waiting(&bag.settings.id);
            let wait = match self.load().await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!(channel = %self.id(), %error, "messages wait for notify.db");
                    STORE_PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = woken => {}
                Ok(()) = back.changed() => self.returned().await,
                Some(done) = self.under_way.join_next() => self.landed(done),
                () = tokio::time::sleep(wait) => {}
            }
        }
        let rest = async { while self.under_way.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(STOP_PATIENCE, rest).await;
    }

    /// Sets out with what is due as long as there is room; gives how long there is nothing to do.
    async fn load(&mut self) -> Result<Duration, StoreError> {
        let bag = Arc::clone(&self.bag);
        let now = bag.clock.now();
        if let Some(until) = self.rest_until {
            if now < until {
                return Ok(bag.clock.until(until).min(SLEEP_MAX));
            }
            self.rest_until = None;
        }
        // A channel in trouble is asked with one message, not with all of them.
        let most = if self.failures > 0 {
            1
        } else {
            bag.channel.at_once()
        };
        let room = most.saturating_sub(self.busy.len());
        if room == 0 {
            return Ok(SLEEP_MAX);
        }
        if let Some(until) = self.pace.full_until(now, bag.settings.per_min_max) {
            return Ok(bag.clock.until(until).min(SLEEP_MAX));
        }
        let (outbox, id) = (Arc::clone(&bag.outbox), bag.settings.id.clone());
        let limit = room + self.busy.len();
        let (due, next) =
            blocking(move || Ok((outbox.due(&id, now, limit)?, outbox.next_due(&id)?))).await?;
        let new: Vec<Letter> = due
            .into_iter()
            .filter(|letter| !self.busy.contains(&letter.message.id))
            .take(room)
            .collect();
        let idle = new.is_empty();
        for letter in new {
            if self
                .pace
                .full_until(now, bag.settings.per_min_max)
                .is_some()
            {
                break;
            }
            self.pace.goes(now);
            let id = letter.message.id;
            self.busy.insert(id);
            let bag = Arc::clone(&bag);
            self.under_way
                .spawn(async move { (id, bag.carry(letter).await) });
        }
        let next = next.filter(|_| idle && self.busy.is_empty());
        Ok(next.map_or(SLEEP_MAX, |at| bag.clock.until(at).min(SLEEP_MAX)))
    }

    /// A message came to rest.
    fn landed(
        &mut self,
        done: Result<(MessageId, Result<Outcome, StoreError>), tokio::task::JoinError>,
    ) {
        match done {
            Ok((id, outcome)) => {
                self.busy.remove(&id);
                match outcome {
                    Ok(Outcome::Works) => self.failures = 0,
                    Ok(Outcome::Nothing) => {}
                    Ok(Outcome::Trouble { after }) => {
                        self.failures = self.failures.saturating_add(1);
                        let pause = pause_ms(self.failures, after, chance());
                        self.rest_until = Some(self.bag.clock.now().plus_ms(pause));
                    }
                    Err(error) => {
                        let channel = self.id();
                        tracing::error!(%channel, %error, "notify.db cannot be written");
                        let pause = pause_ms(1, None, chance());
                        self.rest_until = Some(self.bag.clock.now().plus_ms(pause));
                    }
                }
            }
            Err(error) => {
                // A panic in one message must not keep others from going; it is tried again.
                tracing::error!(channel = %self.id(), %error, "handing a message over failed");
                self.busy.clear();
                self.rest_until = Some(self.bag.clock.now().plus_ms(pause_ms(3, None, chance())));
            }
        }
    }

    /// The channel has its connection again: what waits goes at once.
    async fn returned(&mut self) {
        self.failures = 0;
        self.rest_until = None;
        let (outbox, id) = (Arc::clone(&self.bag.outbox), self.bag.settings.id.clone());
        let now = self.bag.clock.now();
        if let Err(error) = blocking(move || outbox.hurry(&id, now)).await {
            tracing::error!(%error, "messages that wait could not be hurried");
        }
    }
}

impl Bag {
    /// One attempt, from the first stage to the record.
    async fn carry(self: Arc<Self>, letter: Letter) -> Result<Outcome, StoreError> {
        if let Some(next) = expired(&letter, self.clock.now()) {
            self.record(&letter, letter.attempts, next).await?;
            return Ok(Outcome::Nothing);
        }
        let bag = Arc::clone(&self);
        let message = letter.message.clone();
        let parcel = blocking(move || bag.scribe.parcel(&message, &bag.settings)).await?;
        let parcel = match parcel {
            Ok(parcel) => parcel,
            Err(why) => {
                let why = why.to_string();
                self.record(&letter, letter.attempts, Next::Dead { why })
                    .await?;
                return Ok(Outcome::Nothing);
            }
        };
        let attempts = letter.attempts.saturating_add(1);
        match self.channel.send(&parcel).await {
            Ok(delivered) => {
                self.delivered(&letter, attempts, &parcel, delivered.said)
                    .await?;
                Ok(Outcome::Works)
            }
            Err(error) => self.failed(&letter, attempts, &error).await,
        }
    }

    async fn delivered(
        &self,
        letter: &Letter,
        attempts: u32,
        parcel: &Parcel,
        said: String,
    ) -> Result<(), StoreError> {
        let channel = self.settings.id.clone();
        counter!("cems_messages_delivered_total", "channel" => channel.to_string()).increment(1);
        let id = letter.message.id;
        tracing::info!(%channel, message = %id, attempts, "message delivered");
        let shows: Vec<AlarmId> = match self.channel.board() {
            Some(_) => parcel.shown.iter().map(|shown| shown.row.id).collect(),
            None => Vec::new(),
        };
        let (outbox, at) = (Arc::clone(&self.outbox), self.clock.now());
        let more = (!shows.is_empty()).then(|| self.news.board(&channel));
        blocking(move || {
            let end = End {
                id,
                delivered: true,
                at,
                attempts,
                detail: &said,
            };
            outbox.end(&channel, end, &shows)
        })
        .await?;
        self.news.ended();
        if let Some(more) = more {
            more.notify_one();
        }
        Ok(())
    }

    async fn failed(
        &self,
        letter: &Letter,
        attempts: u32,
        error: &SendError,
    ) -> Result<Outcome, StoreError> {
        let channel = self.settings.id.clone();
        counter!("cems_messages_failures_total", "channel" => channel.to_string()).increment(1);
        let id = letter.message.id;
        tracing::warn!(
            %channel, message = %id, attempts, again = error.recoverable, %error,
            "a message was not taken"
        );
        let now = self.clock.now();
        let (outbox, why) = (Arc::clone(&self.outbox), error.text.clone());
        blocking(move || outbox.trouble(&channel, now, &why)).await?;
        let next = after(error, attempts, letter, now, chance());
        self.record(letter, attempts, next).await?;
        Ok(match (error.channel, error.recoverable) {
            (true, _) => Outcome::Trouble { after: error.after },
            (false, true) => Outcome::Nothing,
            (false, false) => Outcome::Works,
        })
    }

    async fn record(&self, letter: &Letter, attempts: u32, next: Next) -> Result<(), StoreError> {
        let (outbox, channel) = (Arc::clone(&self.outbox), self.settings.id.clone());
        let (id, now) = (letter.message.id, self.clock.now());
        match next {
            Next::Again { at, why } => {
                blocking(move || outbox.put_off(id, attempts, at, &why)).await
            }
            Next::Dead { why } => {
                counter!("cems_messages_dead_total", "channel" => channel.to_string()).increment(1);
                tracing::error!(%channel, message = %id, %why, "a message was given up");
                blocking(move || {
                    let end = End {
                        id,
                        delivered: false,
                        at: now,
                        attempts,
                        detail: &why,
                    };
                    outbox.end(&channel, end, &[])
                })
                .await?;
                self.news.ended();
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
