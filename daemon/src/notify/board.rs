//! How the channels are doing, for pages, metrics and health; and what people do with messages.

use super::outbox::{Letter, LetterState, Outbox, Standing};
use super::post::News;
use crate::clock::Clock;
use crate::store::StoreError;
use cems_config::Channel;
use cems_core::model::policy::ChannelRule;
use cems_core::model::time::MINUTE_MS;
use cems_core::model::{ChannelId, MessageId};
use metrics::gauge;
use std::sync::Arc;

/// A channel that has been in trouble for so long while messages wait is a problem of the daemon's
/// health.
const TROUBLE_AFTER_MS: i64 = 15 * MINUTE_MS;

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
            let count = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
            let name = id.to_string();
            gauge!("cems_messages_waiting", "channel" => name.clone()).set(count(standing.waiting));
            gauge!("cems_messages_dead_letters", "channel" => name).set(count(standing.dead));
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

    /// Channels in trouble for longer than 15 minutes, one line each (English).
    pub fn problems(&self) -> Vec<String> {
        let now = self.clock.now();
        let Ok(channels) = self.channels() else {
            return vec!["notify.db cannot be read".to_owned()];
        };
        channels
            .iter()
            .filter_map(|(id, _, standing)| {
                let (at, why) = standing.trouble.as_ref()?;
                let silent = standing.last_sent.is_none_or(|sent| sent < *at);
                let since = standing.last_sent.map_or(*at, |sent| sent);
                let long = now.since_ms(since) > TROUBLE_AFTER_MS;
                (silent && long && standing.waiting > 0).then(|| {
                    let waiting = standing.waiting;
                    format!("channel {id} does not take messages ({waiting} wait): {why}")
                })
            })
            .collect()
    }
}
