//! Data and events on their way out (数据去向): from the logs of the projections to what a
//! destination took.
//!
//! ```text
//!  projections: tables `outgoing`, `audit` ─▶ lane, one per destination ─▶ destination
//!               rows as they stand ────────────▲        │
//!  outbox.db:   positions, dead letters, replays ◀──────┘ after the other side has answered
//! ```
//!
//! There is one log for all: a destination is a position in it, so that a dead one costs no disk,
//! holds up nobody, and goes on where it stood. At least once: a position moves after the answer.

mod board;
mod books;
mod destination;
mod errand;
mod lane;
mod mqtt;
mod news;
mod parcel;
mod replaying;
pub mod series;
mod supply;

#[cfg(test)]
mod tests;

pub use board::{OutboxBoard, Status};
pub use books::{Books, Cursor, DeadLetter, Replay, Standing, Trouble};
pub use destination::{Cause, Destination, Room, SendError, Sending, Sent};
pub use mqtt::Mqtt;
pub use parcel::{Item, Key, Parcel, Place};

use crate::clock::Clock;
use crate::notify::RegistryView;
use crate::store::Readers;
use anyhow::Context;
use cems_config::Settings;
use lane::Lane;
use news::News;
use std::path::Path;
use std::sync::Arc;
use supply::Supply;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the outbox needs of the daemon.
pub struct Start<'s> {
    /// The destinations.
    pub settings: &'s Settings,
    /// Where `outbox.db` lies.
    pub file: &'s Path,
    /// Where logs and rows come from.
    pub readers: Readers,
    /// The registry in force.
    pub registry: RegistryView,
    /// Tells pages that things moved on.
    pub announce: Box<dyn Fn() + Send + Sync>,
    /// Time.
    pub clock: Clock,
}

/// Opens the books and the destinations and sets the lanes to work until `stop`. `moved` changes
/// whenever the projections have moved on.
///
/// # Errors
/// When `outbox.db` cannot be opened or the settings of a destination cannot be used. Damage is no
/// error: the file is put aside, and destinations go on from the end of the logs.
pub fn start<P: Send + Sync + 'static>(
    start: Start<'_>,
    mut moved: watch::Receiver<P>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> anyhow::Result<Arc<OutboxBoard>> {
    let (books, damage) =
        Books::open(start.file).with_context(|| format!("opening {}", start.file.display()))?;
    if let Some(damage) = damage {
        tracing::error!(
            set_aside = %damage.set_aside.display(), reason = %damage.reason,
            "outbox.db was damaged; destinations go on from now, what they missed can be sent again"
        );
    }
    let books = Arc::new(books);
    let each = start.settings.destinations.iter().cloned();
    let destinations: Vec<Arc<cems_config::Destination>> = each.map(Arc::new).collect();
    let ids = destinations.iter().map(|to| to.id.clone());
    let news = Arc::new(News::new(ids, start.announce));
    let supply = Arc::new(Supply {
        readers: start.readers,
        registry: start.registry,
    });
    let room = Room {
        clock: start.clock.clone(),
        tasks: tasks.clone(),
        stop: stop.clone(),
    };
    for settings in &destinations {
        let lane = Lane {
            settings: Arc::clone(settings),
            destination: destination::open(settings, &room)?,
            books: Arc::clone(&books),
            supply: Arc::clone(&supply),
            clock: start.clock.clone(),
            news: Arc::clone(&news),
            attempts: 0,
        };
        tasks.spawn(lane.run(stop.clone()));
    }
    if !destinations.is_empty() {
        let (news, stop) = (Arc::clone(&news), stop.clone());
        tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    changed = moved.changed() => if changed.is_err() { return },
                }
                news.wake_all();
            }
        });
    }
    Ok(Arc::new(OutboxBoard::new(
        destinations,
        books,
        supply,
        news,
        start.clock,
    )))
}
