//! HJ 212 over TCP: one listener, one task per connection.
//!
//! A connection reads, hands the bytes to the sans-IO session, writes every frame to the journal,
//! and answers only after the commit that holds the frame is on disk. While the journal does not
//! take anything (disk full) the task waits and stops reading: TCP tells the logger to wait too.
//!
//! Beside it runs the dialogue: orders of the switchboard for the logger at the other end. What
//! it sends is journalled before it is written, in the same commits as frames and ahead of
//! nothing: an answer to live data never waits for a dialogue.

mod connection;
mod desk;
mod repeats;
mod wording;

use crate::clock::Clock;
use crate::intake::{Admission, Directory, password_digest};
use crate::journal::Journal;
use crate::keys::KeyRing;
use crate::switchboard::Switchboard;
use crate::telemetry;
use arc_swap::ArcSwap;
use cems_core::model::{OutletId, Registry};
use cems_protocols::hj212::SessionConfig;
use connection::Connection;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Pause after `accept` fails (out of file descriptors), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What every connection shares.
pub struct Gate {
    /// Where frames go.
    pub journal: Journal,
    /// Which loggers are known now.
    pub directory: ArcSwap<Directory>,
    /// What counts as a right frame.
    pub admission: Admission,
    /// Timers and limits of a session.
    pub session: SessionConfig,
    /// Orders for loggers.
    pub switchboard: Arc<Switchboard>,
    /// Keys of loggers that encipher.
    pub keys: Arc<KeyRing>,
    /// The daemon's clock.
    pub clock: Clock,
    /// Connections at once; one more is closed at once and counted.
    pub connections_max: usize,
}

impl Gate {
    /// Takes a registry into force, with the passwords that its loggers were told since.
    pub fn know(&self, registry: &Registry) {
        let mut directory = Directory::of(registry);
        match self.keys.passwords() {
            Ok(told) => {
                for (outlet, sha256) in told {
                    directory.told(&outlet, &sha256);
                }
            }
            Err(error) => tracing::error!(%error, "passwords that loggers were told are unknown"),
        }
        self.directory.store(Arc::new(directory));
    }

    /// A logger is about to be told a password. False when that could not be noted: then it must
    /// not be told.
    pub(crate) fn will_tell(&self, outlet: &OutletId, password: &str) -> bool {
        let sha256 = password_digest(password);
        if let Err(error) = self.keys.note_password(outlet, &sha256) {
            tracing::error!(%error, %outlet, "a new password could not be noted");
            return false;
        }
        let mut directory = Directory::clone(&self.directory.load());
        directory.told(outlet, &sha256);
        self.directory.store(Arc::new(directory));
        true
    }
}

/// Accepts connections until told to stop, then waits for them to finish what they have read.
pub async fn listen(listener: TcpListener, gate: Arc<Gate>, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(gate.connections_max));
    let tasks = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(pair) => pair,
            Err(error) => {
                telemetry::accept_failed(&error);
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            telemetry::connection_refused(peer);
            continue;
        };
        let gate = Arc::clone(&gate);
        let stop = stop.clone();
        tasks.spawn(async move {
            let connected = telemetry::Connected::new(peer);
            let reason = Connection::new(stream, peer, gate).serve(&stop).await;
            connected.closed(&reason);
            drop(place);
        });
    }
    tasks.close();
    tasks.wait().await;
}
