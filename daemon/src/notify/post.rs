//! From the projections into the outbox, and from the outbox into the journal.

use super::outbox::{End, Letter, LetterState, Outbox};
use crate::clock::Clock;
use crate::events::JournalEvent;
use crate::journal::{Draft, Journal};
use crate::store::{Readers, StoreError, blocking};
use cems_core::model::{ChannelId, MessageFate, MessageId, MessageOutcome, MessageRow, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Messages taken in one transaction, and ends told in one append.
const BATCH: usize = 500;
/// Pause after a failure of a database or the journal.
const RETRY_PAUSE: Duration = Duration::from_secs(5);
/// How often what is remembered long enough is swept out.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// Who is woken by what.
pub(super) struct News {
    channels: BTreeMap<ChannelId, Notify>,
    boards: BTreeMap<ChannelId, Arc<Notify>>,
    ended: Notify,
    announce: Box<dyn Fn() + Send + Sync>,
}

impl News {
    /// News of these channels.
    pub(super) fn new(
        channels: &BTreeSet<ChannelId>,
        announce: Box<dyn Fn() + Send + Sync>,
    ) -> Self {
        let each = channels.iter();
        let boards = each.clone().map(|id| (id.clone(), Arc::default()));
        Self {
            channels: each.map(|id| (id.clone(), Notify::new())).collect(),
            boards: boards.collect(),
            ended: Notify::new(),
            announce,
        }
    }

    /// Resolves when something waits for a channel.
    pub(super) async fn waiting(&self, channel: &ChannelId) {
        match self.channels.get(channel) {
            Some(notify) => notify.notified().await,
            None => std::future::pending().await,
        }
    }

    /// Something waits for a channel.
    pub(super) fn wake(&self, channel: &ChannelId) {
        if let Some(notify) = self.channels.get(channel) {
            notify.notify_one();
        }
    }

    /// What wakes the follower of a channel's board.
    pub(super) fn board(&self, channel: &ChannelId) -> Arc<Notify> {
        self.boards.get(channel).cloned().unwrap_or_default()
    }

    /// A message came to its end.
    pub(super) fn ended(&self) {
        self.ended.notify_one();
        (self.announce)();
    }
}

/// Takes messages from the projections.
pub(super) struct Feed {
    pub(super) outbox: Arc<Outbox>,
    pub(super) readers: Readers,
    pub(super) clock: Clock,
    pub(super) news: Arc<News>,
    pub(super) channels: BTreeSet<ChannelId>,
}

impl Feed {
    /// Follows the projections until the daemon stops. `moved` changes whenever they moved on.
    pub(super) async fn run<P: Send + Sync + 'static>(
        self,
        mut moved: watch::Receiver<P>,
        stop: CancellationToken,
    ) {
        let feed = Arc::new(self);
        let mut sweep_at = Instant::now();
        loop {
            moved.borrow_and_update();
            let wait = match feed.follow(&mut sweep_at).await {
                Ok(()) => sweep_at.saturating_duration_since(Instant::now()),
                Err(error) => {
                    tracing::error!(%error, "messages wait for notify.db");
                    RETRY_PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                changed = moved.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn follow(self: &Arc<Self>, sweep_at: &mut Instant) -> Result<(), StoreError> {
        loop {
            let feed = Arc::clone(self);
            if !blocking(move || feed.step()).await? {
                break;
            }
        }
        if Instant::now() >= *sweep_at {
            *sweep_at = Instant::now() + SWEEP_EVERY;
            let feed = Arc::clone(self);
            blocking(move || {
                while feed.outbox.sweep(feed.clock.now())? > 0 {}
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    /// One transaction's worth of messages; true when there may be more.
    pub(super) fn step(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let Some((behind, since)) = self.outbox.taken()? else {
            self.outbox.begin(now)?;
            return Ok(true);
        };
        let rows = self.readers.messages_after(behind, BATCH)?;
        let Some(last) = rows.last().map(|row| row.id) else {
            return self.rewind(behind, now);
        };
        let full = rows.len() == BATCH;
        // What was over when counting began is history, not a heap of dead letters.
        let wanted: Vec<MessageRow> = rows
            .into_iter()
            .filter(|row| row.deadline > since)
            .collect();
        self.outbox.take(&wanted, last)?;
        let mut touched = BTreeSet::new();
        for row in &wanted {
            if self.channels.contains(&row.channel) {
                touched.insert(&row.channel);
            } else {
                give_up(&self.outbox, row, now)?;
                self.news.ended();
            }
        }
        for channel in touched {
            self.news.wake(channel);
        }
        Ok(full)
    }

    /// A journal that lost its end gives numbers again, and projections may be built anew: what is
    /// counted from must not be beyond the last there is. Keys know what went out.
    fn rewind(&self, behind: MessageId, now: Timestamp) -> Result<bool, StoreError> {
        if behind.0 == 0 || self.readers.message(behind)?.is_some() {
            return Ok(false);
        }
        tracing::warn!(%behind, "messages are counted from the beginning again");
        self.outbox.begin(now)?;
        Ok(true)
    }
}

/// Nobody carries this channel's messages.
fn give_up(outbox: &Outbox, row: &MessageRow, at: Timestamp) -> Result<(), StoreError> {
    let end = End {
        id: row.id,
        delivered: false,
        at,
        attempts: 0,
        detail: "the settings have no such channel",
    };
    outbox.end(&row.channel, end, &[])
}

/// Gives up what waits for channels that the settings have no more.
pub(super) fn clear_out(
    outbox: &Outbox,
    channels: &BTreeSet<ChannelId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    for channel in outbox.channels_waiting()? {
        if channels.contains(&channel) {
            continue;
        }
        loop {
            let letters = outbox.due(&channel, Timestamp(i64::MAX), BATCH)?;
            if letters.is_empty() {
                break;
            }
            for letter in &letters {
                give_up(outbox, &letter.message, now)?;
            }
        }
    }
    Ok(())
}

/// Writes ends into the journal.
pub(super) struct Notary {
    pub(super) outbox: Arc<Outbox>,
    pub(super) journal: Journal,
    pub(super) news: Arc<News>,
}

impl Notary {
    /// Tells the journal what became of messages until the daemon stops.
    pub(super) async fn run(self, stop: CancellationToken) {
        loop {
            let wait = match self.tell().await {
                Ok(()) => Duration::MAX,
                Err(error) => {
                    tracing::warn!(%error, "what became of messages waits for the journal");
                    RETRY_PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.news.ended.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn tell(&self) -> anyhow::Result<()> {
        loop {
            let outbox = Arc::clone(&self.outbox);
            let letters = blocking(move || outbox.untold(BATCH)).await?;
            if letters.is_empty() {
                return Ok(());
            }
            let drafts = letters.iter().map(|letter| {
                let fate = fate(letter);
                Draft::now(JournalEvent::Message { fate }.to_line())
            });
            self.journal.append_many(drafts.collect()).await?;
            let ids: Vec<MessageId> = letters.iter().map(|letter| letter.message.id).collect();
            let outbox = Arc::clone(&self.outbox);
            blocking(move || outbox.told(&ids)).await?;
        }
    }
}

/// The end of a message, for the journal.
fn fate(letter: &Letter) -> MessageFate {
    let m = &letter.message;
    MessageFate {
        id: m.id,
        reason: m.reason,
        channel: m.channel.clone(),
        to: m.to.clone(),
        about: m.about.clone(),
        outcome: match letter.state {
            LetterState::Dead => MessageOutcome::Dead,
            LetterState::Waiting | LetterState::Delivered => MessageOutcome::Delivered,
        },
        attempts: letter.attempts,
        by: "daemon".into(),
        detail: letter.detail.clone(),
    }
}
