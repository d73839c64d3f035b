//! Channels: one file per kind, all behind [`Channel`].
//!
//! A channel knows how to hand one message over and whether trying again makes sense; queue,
//! pacing, retries and records are the courier's. To add a kind: its name in
//! `core::model::policy::ChannelKind`, its settings in `config/src/settings/notify.rs`, a file
//! here, a line in [`open`], its words in `dashboards/text`.

mod alertmanager;
mod dingtalk;
mod feishu;
mod http;
mod mail;
mod mqtt;
pub(crate) mod payload;
mod robot;
mod sign;
mod sms;
pub(crate) mod tls;
mod webhook;
mod wecom;

#[cfg(test)]
mod tests;

use super::parcel::{Parcel, Shown};
use crate::clock::Clock;
use crate::delivery::redacted;
use anyhow::Context;
use cems_config::Means;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A future a trait object can return.
pub(super) type Sending<'a, T> = Pin<Box<dyn Future<Output = Result<T, SendError>> + Send + 'a>>;

/// The other side has taken a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// What it said, without addresses and secrets.
    pub said: String,
}

/// A message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct SendError {
    /// Trying again makes sense.
    pub recoverable: bool,
    /// It is the channel that is in trouble, not this message: others need not be tried now.
    pub channel: bool,
    /// The other side asked to wait this long.
    pub after: Option<Duration>,
    /// In words, without addresses and secrets.
    pub text: String,
}

impl SendError {
    /// The channel is in trouble; later it may work.
    pub fn trouble(text: impl AsRef<str>) -> Self {
        Self {
            recoverable: true,
            channel: true,
            after: None,
            text: redacted(text.as_ref()),
        }
    }

    /// This message cannot be taken now; others may.
    pub fn busy(text: impl AsRef<str>) -> Self {
        Self {
            channel: false,
            ..Self::trouble(text)
        }
    }

    /// This message will never be taken.
    pub fn refused(text: impl AsRef<str>) -> Self {
        Self {
            recoverable: false,
            channel: false,
            after: None,
            text: redacted(text.as_ref()),
        }
    }
}

/// A channel of any kind.
pub trait Channel: Send + Sync {
    /// Hands a message over; resolves when the other side has taken or refused it.
    fn send<'a>(&'a self, parcel: &'a Parcel) -> Sending<'a, Delivered>;

    /// The side of the channel that shows states, where it has one.
    fn board(&self) -> Option<&dyn StateBoard> {
        None
    }

    /// Messages handed over at the same time.
    fn at_once(&self) -> usize {
        4
    }
}

/// A channel that shows the state of alarms until they are over.
pub trait StateBoard: Send + Sync {
    /// Shows these alarms as they stand; one that is closed is shown for the last time.
    fn show<'a>(&'a self, alarms: &'a [Shown]) -> Sending<'a, ()>;

    /// How often everything must be shown again; `None`: what was shown stays.
    fn again_every(&self) -> Option<Duration>;

    /// Alarms in one call.
    fn batch(&self) -> usize;
}

/// What channels need of the daemon.
#[derive(Clone)]
pub struct Room {
    /// Time.
    pub clock: Clock,
    /// Where long-lived connections run.
    pub tasks: TaskTracker,
    /// When they end.
    pub stop: CancellationToken,
    /// Where people reach the console.
    pub console: Option<String>,
}

/// Opens a channel. `back` counts the connections of a channel that keeps one.
///
/// # Errors
/// When a certificate, a key or an address in the settings cannot be used.
pub(super) fn open(
    settings: &cems_config::Channel,
    room: &Room,
    back: &watch::Sender<u64>,
) -> anyhow::Result<Box<dyn Channel>> {
    let id = &settings.id;
    let opened: anyhow::Result<Box<dyn Channel>> = match &settings.means {
        Means::Mail(server) => mail::Mail::open(server, room).map(boxed),
        Means::Sms(gateway) => sms::Sms::open(gateway).map(boxed),
        Means::Mqtt(broker) => mqtt::Mqtt::open(broker, room, back).map(boxed),
        Means::Dingtalk(hook) => dingtalk::Dingtalk::open(hook, room).map(boxed),
        Means::Wecom(hook) => wecom::Wecom::open(hook).map(boxed),
        Means::Feishu(hook) => feishu::Feishu::open(hook, room).map(boxed),
        Means::Webhook(hook) => webhook::Webhook::open(hook, room).map(boxed),
        Means::Alertmanager(hook) => alertmanager::Alertmanager::open(hook, room).map(boxed),
    };
    opened.with_context(|| format!("channel {id}"))
}

fn boxed(channel: impl Channel + 'static) -> Box<dyn Channel> {
    Box::new(channel)
}
