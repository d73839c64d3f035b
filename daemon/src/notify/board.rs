//! How the channels are doing, for pages, metrics and health; and what people do with messages.

use super::outbox::{Letter, LetterState, Outbox, Standing};
use super::post::News;
use crate::clock::Clock;
use crate::delivery::{Board, Way, WayKind};
use crate::store::StoreError;
use cems_config::Channel;
use cems_core::model::policy::ChannelRule;
use cems_core::model::time::MINUTE_MS;
use cems_core::model::{ChannelId, MessageId, Timestamp};
use std::sync::Arc;

/// A channel may be in trouble with messages waiting for this long.
const TROUBLE_MS: i64 = 10 * MINUTE_MS;

/// The channels as they are now.
pub struct PostBoard {
    channels: Vec<(ChannelId, ChannelRule)>,
    outbox: Arc<Outbox>,
    news: Arc<News>,
    clock: Clock,
}

impl PostBoard {
    pub(super) fn new(
        channels: &[Channel],
        outbox: Arc<Outbox>,
        news: Arc<News>,
        clock: Clock,
    ) -> Self {
        let entry = |channel: &Channel| (channel.id.clone(), channel.rule.clone());
        Self {
            channels: channels.iter().map(entry).collect(),
            outbox,
            news,
            clock,
        }
    }

    /// The rule of a channel; `None` when the settings have no such channel.
    pub fn rule(&self, channel: &ChannelId) -> Option<&ChannelRule> {
        let found = self.channels.iter().find(|(id, _)| id == channel);
        found.map(|(_, rule)| rule)
    }

    /// Every channel with how it stands, in the order of the settings. Asks a database: call it on
    /// a thread that may wait.
    ///
    /// # Errors
    /// Disk or damage of `notify.db`.
    pub fn channels(&self) -> Result<Vec<(ChannelId, ChannelRule, Standing)>, StoreError> {
        let each = self.channels.iter();
        each.map(|(id, rule)| {
            let standing = self.outbox.standing(id)?;
            Ok((id.clone(), rule.clone(), standing))
        })
        .collect()
    }

    /// Messages in a state, newest first.
    ///
    /// # Errors
    /// Disk or damage of `notify.db`.
    pub fn letters(&self, state: LetterState) -> Result<Vec<Letter>, StoreError> {
        self.outbox.letters(state)
    }

    /// One message.
    ///
    /// # Errors
    /// Disk or damage of `notify.db`.
    pub fn letter(&self, id: MessageId) -> Result<Option<Letter>, StoreError> {
        self.outbox.letter(id)
    }

    /// A dead letter waits again, as long as a new message of its channel would. False when it is
    /// no dead letter (any more).
    ///
    /// # Errors
    /// Disk.
    pub fn send_again(&self, letter: &Letter) -> Result<bool, StoreError> {
        let channel = &letter.message.channel;
        let Some(rule) = self.rule(channel) else {
            return Ok(false);
        };
        let now = self.clock.now();
        let deadline = now.plus_ms(i64::from(rule.deadline_min) * MINUTE_MS);
        let sent = self.outbox.send_again(letter.message.id, now, deadline)?;
        self.news.wake(channel);
        Ok(sent)
    }
}

impl Board for PostBoard {
    fn book(&self) -> &'static str {
        "notify.db"
    }

    fn ways(&self) -> Result<Vec<Way>, StoreError> {
        let now = self.clock.now();
        let all = self.channels()?.into_iter();
        Ok(all
            .map(|(id, _, standing)| way(&id, standing, now))
            .collect())
    }
}

/// What went through after the last trouble ended it.
fn way(id: &ChannelId, standing: Standing, now: Timestamp) -> Way {
    let last_sent = standing.last_sent;
    let trouble = standing
        .trouble
        .filter(|(at, _)| last_sent.is_none_or(|sent| sent < *at));
    // When it began is not kept: not before the last message that went.
    let trouble = trouble.map(|(at, why)| (last_sent.unwrap_or(at), why));
    let long = trouble
        .as_ref()
        .is_some_and(|(since, _)| now.since_ms(*since) > TROUBLE_MS);
    Way {
        kind: WayKind::Channel,
        id: id.as_str().into(),
        waiting: standing.waiting,
        waiting_since: standing.waiting_since,
        delivered: standing.delivered,
        last_sent,
        given_up: standing.given_up,
        dead: standing.dead,
        stuck: long && standing.waiting > 0,
        trouble,
    }
}
