//! The task that writes days when they are sealed, and anew when they have changed.

use super::{Archive, ArchiveError, Order};
use crate::clock::Clock;
use crate::pipeline::Projected;
use crate::store::{LIST_MAX, Readers};
use cems_core::model::time::DAY_MS;
use cems_core::model::{Registry, Seq, Series, SeriesDayRow, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// When the days are looked over first: a start has better things to do.
const FIRST: Duration = Duration::from_secs(60);
/// How often they are looked over after that, in the daemon's time.
const ROUND: Duration = Duration::from_secs(600);
/// Least real time between rounds: simulated time may run fast.
const ROUND_MIN: Duration = Duration::from_millis(200);
/// A day that keeps changing is written anew after this many rounds all the same: six hours.
const RESTLESS_ROUNDS_MAX: u32 = 36;

/// What keeps the keeper from its work, in words; nothing when all is well.
#[derive(Debug, Default)]
pub struct Trouble(Mutex<Option<String>>);

impl Trouble {
    /// One line (English), or nothing.
    pub fn said(&self) -> Option<String> {
        self.slot().clone()
    }

    fn say(&self, said: Option<String>) {
        *self.slot() = said;
    }

    fn slot(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the archive in step with the books.
pub struct Keeper {
    /// Where the files are.
    pub archive: Archive,
    /// The books.
    pub readers: Readers,
    /// The registry in force.
    pub projected: Arc<Projected>,
    /// The daemon's clock.
    pub clock: Clock,
    /// How long a day must be over.
    pub settle_ms: i64,
    /// Which series are written.
    pub series: Vec<Series>,
    /// What keeps it from its work, for pages.
    pub trouble: Arc<Trouble>,
}

/// What is known of the files between rounds; made again at a start.
#[derive(Debug, Default)]
struct Known {
    /// The position up to which the file of a day is true (0: there is none), as last seen.
    files: BTreeMap<(Series, Timestamp), Seq>,
    /// Days that changed after they were written: the last event seen, and for how many rounds.
    restless: BTreeMap<(Series, Timestamp), (Seq, u32)>,
}

impl Keeper {
    /// Runs until the daemon stops.
    pub async fn run(self, stop: CancellationToken) {
        let keeper = Arc::new(self);
        let (mut known, mut pause) = (Known::default(), FIRST);
        loop {
            let real = keeper.clock.shorten(pause).max(ROUND_MIN);
            pause = ROUND;
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(real) => {}
            }
            let (working, stopping) = (Arc::clone(&keeper), stop.clone());
            let round = tokio::task::spawn_blocking(move || {
                let done = working.round(&mut known, &|| stopping.is_cancelled());
                (done, known)
            });
            let done = match round.await {
                Ok((done, after)) => {
                    known = after;
                    done
                }
                Err(error) => {
                    tracing::error!(%error, "a round of the archive ended early");
                    known = Known::default();
                    continue;
                }
            };
            keeper.tell(done);
        }
    }

    fn tell(&self, done: Result<(), ArchiveError>) {
        match done {
            Ok(()) => self.trouble.say(None),
            Err(ArchiveError::Stopped) => {}
            Err(error) => {
                tracing::warn!(%error, "a sealed day could not be written; trying again");
                let said = format!("archive: a sealed day cannot be written: {error}");
                self.trouble.say(Some(said));
            }
        }
    }

    /// Writes what is due, oldest first. One day that fails does not keep the others from being
    /// written; the first failure is told.
    fn round(&self, known: &mut Known, stopped: &dyn Fn() -> bool) -> Result<(), ArchiveError> {
        let registry = self.projected.registry();
        let mut first = Ok(());
        for row in self.due(known, &registry)? {
            let done = self.write(known, &registry, row, stopped);
            if matches!(done, Err(ArchiveError::Stopped)) {
                return done;
            }
            first = first.and(done);
        }
        first
    }

    /// Sealed days whose file is not there or behind.
    fn due(
        &self,
        known: &mut Known,
        registry: &Registry,
    ) -> Result<Vec<SeriesDayRow>, ArchiveError> {
        let sealed = self.clock.now().plus_ms(-self.settle_ms - DAY_MS + 1);
        let mut due = Vec::new();
        for series in &self.series {
            let days = self
                .readers
                .series_days(*series, Timestamp(i64::MIN), sealed, LIST_MAX)?;
            for row in days {
                let path = self.archive.path(row.series, row.day, registry.offset);
                let there = path.try_exists().unwrap_or(false);
                if known.wants(&self.archive, registry, row, there) {
                    due.push(row);
                }
            }
        }
        due.sort_by_key(|row| (row.day, row.series));
        Ok(due)
    }

    fn write(
        &self,
        known: &mut Known,
        registry: &Registry,
        row: SeriesDayRow,
        stopped: &dyn Fn() -> bool,
    ) -> Result<(), ArchiveError> {
        let written = self.archive.write(&Order {
            readers: &self.readers,
            registry,
            series: row.series,
            day: row.day,
            gently: true,
            stopped,
        })?;
        let key = (row.series, row.day);
        known.restless.remove(&key);
        // A day without rows has no file, and is left alone until it changes.
        let seq = written.as_ref().map_or(row.seq, |written| written.seq);
        known.files.insert(key, seq);
        if let Some(written) = written {
            tracing::info!(
                file = %written.path.display(), rows = written.rows, bytes = written.bytes,
                "a sealed day is written"
            );
        }
        Ok(())
    }
}

impl Known {
    /// The day is to be written now. `there`: it has a file.
    fn wants(
        &mut self,
        archive: &Archive,
        registry: &Registry,
        row: SeriesDayRow,
        there: bool,
    ) -> bool {
        let key = (row.series, row.day);
        if !there && self.files.get(&key).is_some_and(|seq| *seq > row.seq) {
            // It was written and is gone: somebody took it away.
            self.files.remove(&key);
        }
        let seen = self.files.get(&key).copied();
        let file = seen.unwrap_or_else(|| {
            let read = archive.true_up_to(row.series, row.day, registry.offset);
            // A file that is not sound is written anew.
            read.ok().flatten().unwrap_or(Seq(0))
        });
        self.files.insert(key, file);
        if file >= row.seq {
            self.restless.remove(&key);
            return false;
        }
        if file == Seq(0) {
            return true;
        }
        // Late data come in many pieces: wait until there are no more, but not for ever.
        let (last, rounds) = self.restless.get(&key).copied().unwrap_or((Seq(0), 0));
        let settled = last == row.seq || rounds >= RESTLESS_ROUNDS_MAX;
        self.restless.insert(key, (row.seq, rounds + 1));
        settled
    }
}
