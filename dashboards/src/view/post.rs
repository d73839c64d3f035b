//! Channels and messages, in words.

use super::Eyes;
use super::station::{Moment, Trouble, moment, trouble};
use crate::backend::{ChannelStatus, MessageState, MessageStatus};
use cems_core::model::{About, Recipient};

/// A channel.
pub(crate) struct ChannelItem {
    pub(crate) id: String,
    pub(crate) kind: String,
    /// No trouble since the last delivery.
    pub(crate) ok: bool,
    pub(crate) waiting: u64,
    pub(crate) delivered: u64,
    pub(crate) dead: u64,
    pub(crate) last_sent: Option<Moment>,
    pub(crate) trouble: Option<Trouble>,
    pub(crate) reaches_me: bool,
}

impl ChannelItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &ChannelStatus) -> Self {
        let trouble_at = row.trouble.as_ref().map(|(at, _)| *at);
        Self {
            id: row.id.to_string(),
            kind: eyes.words.code("channel-kind", row.kind.as_str()),
            ok: trouble_at.is_none_or(|at| row.last_sent.is_some_and(|sent| sent >= at)),
            waiting: row.waiting,
            delivered: row.delivered,
            dead: row.dead,
            last_sent: row.last_sent.map(|at| moment(eyes, at)),
            trouble: trouble(eyes, row.trouble.as_ref()),
            reaches_me: row.reaches_me,
        }
    }
}

/// A message.
pub(crate) struct MessageItem {
    pub(crate) id: u64,
    pub(crate) at: String,
    pub(crate) reason: String,
    pub(crate) priority: &'static str,
    pub(crate) priority_word: String,
    pub(crate) channel: String,
    pub(crate) to: String,
    /// What it is about: words and address.
    pub(crate) about: Vec<(String, String)>,
    pub(crate) more: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) detail: String,
    /// When it ended, or when it is tried next.
    pub(crate) when: String,
    pub(crate) deadline: String,
}

impl MessageItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &MessageStatus) -> Self {
        let (m, words) = (&row.message, eyes.words);
        let when = match row.state {
            MessageState::Waiting => Some(row.next_at),
            MessageState::Delivered | MessageState::Dead => row.ended_at,
        };
        Self {
            id: m.id.0,
            at: eyes.times.full(m.at),
            reason: words.code("message-reason", m.reason.as_str()),
            priority: m.priority.as_str(),
            priority_word: words.code("priority", m.priority.as_str()),
            channel: m.channel.to_string(),
            to: match &m.to {
                Recipient::User(user) => user.to_string(),
                Recipient::Channel => words.t("message-to-channel"),
            },
            about: m.about.iter().map(|about| object(eyes, about)).collect(),
            more: (m.more > 0).then(|| words.count("message-more", m.more)),
            attempts: row.attempts,
            detail: row.detail.clone(),
            when: when.map_or_else(String::new, |at| eyes.times.full(at)),
            deadline: eyes.times.full(m.deadline),
        }
    }
}

fn object(eyes: &Eyes<'_>, about: &About) -> (String, String) {
    let (key, id) = match about {
        About::Alarm(id) => ("message-other-alarm", id.to_string()),
        About::Fallback(id) => ("message-other-fallback", id.to_string()),
        About::Duty(key) => ("message-other-duty", key.to_string()),
    };
    let link = crate::message::link(Some(""), about).unwrap_or_default();
    (eyes.words.with(key, &[("id", &id)]), link)
}
