//! Opening a wire, and not too often when it fails.

use super::question::LineError;
use super::wire::{Dial, Wire};
use smol_str::{SmolStr, ToSmolStr};
use std::io;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// First pause before a wire that failed is opened again; it doubles.
const REOPEN_FIRST: Duration = Duration::from_secs(1);
/// Longest such pause: a cable that was put back is noticed within half a minute.
const REOPEN_MAX: Duration = Duration::from_secs(30);

/// The way to a wire and what became of the last attempts.
pub(super) struct Door {
    dial: Box<dyn Dial>,
    failed: Option<Failed>,
}

struct Failed {
    cause: SmolStr,
    pause: Duration,
    until: Instant,
}

impl Door {
    pub(super) fn new(dial: Box<dyn Dial>) -> Self {
        Self { dial, failed: None }
    }

    /// Where it leads, for people.
    pub(super) fn place(&self) -> String {
        self.dial.place()
    }

    /// How long one character takes on the wire.
    pub(super) fn character(&self) -> Option<Duration> {
        self.dial.character()
    }

    /// Opens the wire unless it failed a moment ago.
    pub(super) async fn open(&mut self, patience: Duration) -> Result<Box<dyn Wire>, LineError> {
        let now = Instant::now();
        if let Some(failed) = self.failed.as_ref().filter(|failed| failed.until > now) {
            return Err(LineError::Closed {
                place: self.dial.place().into(),
                wait_ms: (failed.until - now).as_millis(),
                cause: failed.cause.clone(),
            });
        }
        let opened = timeout(patience, self.dial.open()).await;
        let opened = opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        opened.map_err(|error| {
            self.failed(error.to_smolstr());
            let place = self.dial.place().into();
            LineError::Open { place, error }
        })
    }

    /// The wire failed; the next attempt waits, longer each time.
    pub(super) fn failed(&mut self, cause: SmolStr) {
        let last = self.failed.as_ref().map(|failed| failed.pause);
        let pause = last.map_or(REOPEN_FIRST, |pause| (pause * 2).min(REOPEN_MAX));
        let until = Instant::now() + pause;
        self.failed = Some(Failed {
            cause,
            pause,
            until,
        });
    }

    /// The wire works, or deserves another attempt at once.
    pub(super) fn forgive(&mut self) {
        self.failed = None;
    }
}
