//! Uploads to centres: everything the station forms reaches every centre that is owed it, through
//! any outage.
//!
//! The engine notes each record of an outlet that is passed on in the forward log of the
//! projections. The `feed` takes the log into the mailboxes of [`Outbox`] (`uplink.db`), one for
//! each outlet of each uplink; a `link` per mailbox keeps a connection, sends new records first
//! and history after, and crosses off what the centre acknowledges (9014). What goes out is the
//! stored record as it stands then, in the centre's codes and units ([`translate`]).
//!
//! What went out and what became of it is told by [`UplinkBoard`], which reads `uplink.db` over a
//! connection of its own: sendings, acknowledgements with the centre's answer, and gaps, which are
//! the records of the projections without a receipt.
//!
//! A person can have a period sent again, whatever receipts say: the feed books the records of a
//! replay into the mailboxes step by step, and they go as history does.
//!
//! At least once: a record leaves its mailbox only after the acknowledgement is in the journal
//! ([`JournalEvent::Delivered`](crate::events::JournalEvent::Delivered)). A kill or a cut line in
//! between sends it once more; the centre knows it by outlet, kind and time.
//!
//! Commands of a centre are executed or refused by the dialogue and by `link::command`. What a
//! centre has set is kept in `uplink.db`; every frame of its own accord stands in the journal as
//! [`FromCentre`](crate::events::JournalEvent::FromCentre), our answers to it as
//! [`Sent`](crate::events::JournalEvent::Sent).

mod board;
mod feed;
mod gaps;
mod kept;
mod lanes;
mod link;
mod outbox;
mod receipts;
pub mod translate;

pub use board::{ReplayError, UplinkBoard};
pub use outbox::{
    LogPlace, Mailbox, Outbox, Owed, Receipt, ReplayAsked, ReplayPlace, ReplayRow, ReplayStep,
    Sendings, Settled, Standing,
};
pub use receipts::Receipts;

use crate::clock::Clock;
use crate::journal::Journal;
use crate::keys::KeyRing;
use crate::store::Readers;
use anyhow::Context;
use cems_config::Uplink;
use cems_core::model::Registry;
use feed::{Feed, Slot};
use link::{Ground, Link, TcpDial};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What uploads need of the daemon.
pub struct Start<'s> {
    /// The uplinks of the settings.
    pub uplinks: &'s [Uplink],
    /// The registry at start: what the station forms, and its clock.
    pub registry: &'s Registry,
    /// Where `uplink.db` lies.
    pub file: &'s Path,
    /// Where deliveries and commands are noted.
    pub journal: Journal,
    /// Where records come from.
    pub readers: Readers,
    /// Keys of encrypted lines.
    pub keys: Arc<KeyRing>,
    /// Tells pages that a period that is sent again has moved on.
    pub announce: Box<dyn Fn() + Send + Sync>,
    /// Time.
    pub clock: Clock,
}

/// Opens the mailboxes and sets the lines to work until `stop`. `moved` changes whenever the
/// projections have moved on.
///
/// # Errors
/// When `uplink.db` cannot be opened or read. Damage is no error: the file is put aside, and what
/// is younger than `history_days` is owed again.
pub fn start<P: Send + Sync + 'static>(
    start: Start<'_>,
    moved: watch::Receiver<P>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> anyhow::Result<Arc<UplinkBoard>> {
    let outbox = open(start.file)?;
    let uplinks: Vec<Arc<Uplink>> = start.uplinks.iter().cloned().map(Arc::new).collect();
    let receipts = Receipts::open(start.file)
        .with_context(|| format!("opening {} for reading", start.file.display()))?;
    let asked = Arc::new(Notify::new());
    let board = Arc::new(UplinkBoard::new(
        &uplinks,
        start.registry,
        (receipts, start.readers.clone()),
        (Arc::clone(&outbox), Arc::clone(&asked)),
        start.clock.clone(),
    ));
    let ground = Arc::new(Ground {
        recorder: Arc::new(start.journal),
        readers: start.readers.clone(),
        outbox: Arc::clone(&outbox),
        keys: start.keys,
        clock: start.clock.clone(),
        offset: start.registry.offset,
        board: Arc::clone(&board),
    });
    let mut slots = Vec::new();
    for uplink in &uplinks {
        for terms in &uplink.outlets {
            // The check of the settings found it; a registry of another day may not have it.
            let Some(outlet) = start.registry.outlets.get(&terms.outlet) else {
                continue;
            };
            let news = Arc::new(Notify::new());
            slots.push(Slot {
                mailbox: Mailbox {
                    uplink: uplink.id.to_string(),
                    outlet: terms.outlet.clone(),
                },
                uplink: Arc::clone(uplink),
                formed: outlet.expectation.clone(),
                news: Arc::clone(&news),
            });
            let dial = Box::new(TcpDial(uplink.address.clone()));
            let link = Link::new(
                Arc::clone(&ground),
                Arc::clone(uplink),
                terms.clone(),
                outlet.clone(),
                dial,
                news,
            )?;
            tasks.spawn(link.run(stop.clone()));
        }
    }
    let feed = Feed {
        slots,
        outbox,
        readers: start.readers,
        clock: start.clock,
        offset: start.registry.offset,
        asked,
        announce: start.announce,
    };
    tasks.spawn(feed.run(moved, stop.clone()));
    Ok(board)
}

fn open(file: &Path) -> anyhow::Result<Arc<Outbox>> {
    let (outbox, damage) =
        Outbox::open(file).with_context(|| format!("opening {}", file.display()))?;
    if let Some(damage) = damage {
        tracing::error!(
            set_aside = %damage.set_aside.display(), reason = %damage.reason,
            "uplink.db was damaged; what centres may still expect is sent again"
        );
    }
    Ok(Arc::new(outbox))
}

/// A frame for the journal: a new key in it (`NewSK`) is starred out, since keys are kept nowhere
/// but sealed. Passwords stay, as in the frames of loggers.
fn mask(frame: &[u8]) -> Vec<u8> {
    const FIELD: &[u8] = b"NewSK=";
    let mut out = frame.to_vec();
    let mut from = 0;
    while let Some(at) = out[from..].windows(FIELD.len()).position(|w| w == FIELD) {
        let begin = from + at + FIELD.len();
        let end = out[begin..]
            .iter()
            .position(|byte| matches!(byte, b';' | b',' | b'&'))
            .map_or(out.len(), |length| begin + length);
        out[begin..end].fill(b'*');
        from = end;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn a_new_key_does_not_reach_the_journal() {
        let frame = b"##0077CN=1014;CP=&&SKCreateTime=20260101000000;NewSK=0123456789ABCDEF&&1C80";
        let shown = String::from_utf8(mask(frame)).expect("ASCII");
        assert!(shown.ends_with("NewSK=****************&&1C80"), "{shown}");
        assert_eq!(mask(b"NewSK="), b"NewSK=");
        assert_eq!(mask(b"##"), b"##");
    }
}
