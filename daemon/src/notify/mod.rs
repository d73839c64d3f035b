//! Messages on their way to people (通知): from what the engine decided to what a channel took.
//!
//! ```text
//!  projections (table `message`) ─▶ post::Feed ─▶ outbox ─▶ courier, one per channel
//!                                         ▲         │         │ stages
//!                        send again ──────┘         │       parcel: rows as they stand, words,
//!                                                   ▼         │     address
//!              journal ◀── post::Notary ◀── ends of messages  channel ─▶ the other side
//!
//!  projections (alarms) ─▶ follower ─▶ state boards of MQTT and Alertmanager
//! ```
//!
//! At least once: a message is marked delivered after the other side has taken it; what was under
//! way when the daemon died goes again, with the same key. What became of each message stands in
//! the journal ([`JournalEvent::Message`](crate::events::JournalEvent::Message)): a person and a
//! channel, never an address.

mod board;
mod channel;
mod courier;
mod follower;
mod outbox;
mod parcel;
mod post;
mod stages;

pub use board::PostBoard;
pub use channel::{Channel, Delivered, Room, SendError, StateBoard};
pub(crate) use channel::{payload, tls};
pub use outbox::{End, LETTERS_MAX, Letter, LetterState, Outbox, Standing};
pub use parcel::{NoParcel, Parcel, PolicyView, RegistryView, Scribe, Shown};
pub use stages::{Next, Pace};

use crate::clock::Clock;
use crate::journal::Journal;
use crate::store::Readers;
use anyhow::Context;
use cems_config::Settings;
use cems_core::model::ChannelId;
use cems_dashboards::backend::Changes;
use courier::{Bag, Courier};
use follower::Follower;
use post::{Feed, News, Notary, clear_out};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What messages need of the daemon.
pub struct Start<'s> {
    /// Channels, people and the console's address.
    pub settings: &'s Settings,
    /// Where `notify.db` lies.
    pub file: &'s Path,
    /// Where ends of messages are noted.
    pub journal: Journal,
    /// Where messages and what they are about come from.
    pub readers: Readers,
    /// The registry in force.
    pub registry: RegistryView,
    /// The policy in force.
    pub policy: PolicyView,
    /// Tells pages that messages moved on.
    pub announce: Box<dyn Fn() + Send + Sync>,
    /// Time.
    pub clock: Clock,
}

/// Opens the outbox and the channels and sets the couriers to work until `stop`. `moved` changes
/// whenever the projections have moved on, `changes` says what changed.
///
/// # Errors
/// When `notify.db` cannot be opened or a channel's settings cannot be used. Damage is no error:
/// the file is put aside, and what may still help is sent again.
pub fn start<P: Send + Sync + 'static>(
    start: Start<'_>,
    moved: watch::Receiver<P>,
    changes: impl Fn() -> broadcast::Receiver<Changes>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> anyhow::Result<Arc<PostBoard>> {
    let (outbox, damage) =
        Outbox::open(start.file).with_context(|| format!("opening {}", start.file.display()))?;
    if let Some(damage) = damage {
        tracing::error!(
            set_aside = %damage.set_aside.display(), reason = %damage.reason,
            "notify.db was damaged; messages that may still help are sent again"
        );
    }
    let outbox = Arc::new(outbox);
    let settings = start.settings;
    let console = settings.console.public_url.clone();
    let ids: BTreeSet<ChannelId> = settings.channels.iter().map(|c| c.id.clone()).collect();
    clear_out(&outbox, &ids, start.clock.now()).context("clearing out notify.db")?;
    let news = Arc::new(News::new(&ids, start.announce));
    let scribe = Arc::new(Scribe::new(
        start.readers.clone(),
        (start.registry, start.policy),
        &settings.users,
        console.clone(),
        start.clock.clone(),
    ));
    let room = Room {
        clock: start.clock.clone(),
        tasks: tasks.clone(),
        stop: stop.clone(),
        console,
    };
    for settings in &settings.channels {
        let (back, connections) = watch::channel(0_u64);
        let channel: Arc<dyn Channel> = channel::open(settings, &room, &back)?.into();
        let bag = Bag {
            settings: Arc::new(settings.clone()),
            channel: Arc::clone(&channel),
            outbox: Arc::clone(&outbox),
            scribe: Arc::clone(&scribe),
            clock: start.clock.clone(),
            news: Arc::clone(&news),
        };
        if channel.board().is_some() {
            let follower = Follower {
                settings: Arc::clone(&bag.settings),
                channel,
                outbox: Arc::clone(&outbox),
                scribe: Arc::clone(&scribe),
                clock: start.clock.clone(),
                more: news.board(&settings.id),
            };
            tasks.spawn(follower.run(changes(), connections.clone(), stop.clone()));
        }
        tasks.spawn(Courier::new(bag).run(connections, stop.clone()));
    }
    let feed = Feed {
        outbox: Arc::clone(&outbox),
        readers: start.readers,
        clock: start.clock.clone(),
        news: Arc::clone(&news),
        channels: ids,
    };
    tasks.spawn(feed.run(moved, stop.clone()));
    let notary = Notary {
        outbox: Arc::clone(&outbox),
        journal: start.journal,
        news: Arc::clone(&news),
    };
    tasks.spawn(notary.run(stop.clone()));
    Ok(Arc::new(PostBoard::new(
        &settings.channels,
        outbox,
        news,
        start.clock,
    )))
}
