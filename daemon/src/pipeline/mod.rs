//! From the journal to the projections: one thread that owns the engine and the store's writer.
//!
//! It takes committed entries in order, lets the engine say what they mean, and writes what comes
//! out in one transaction with the journal position. It starts where the store ended, reading
//! what it missed from the journal's files, so a crash at any moment costs nothing but time. When
//! the store fails (disk full) it undoes the batch, restores the engine from the store and tries
//! again; meanwhile the journal's hand-over fills up and intake stops reading sockets.

use crate::intake::Interpreter;
use crate::journal::{Entry, Reader};
use crate::store::{Position, Store, StoreError};
use cems_core::engine::{Engine, History, Input};
use cems_core::model::{Output, Policy, Registry, Seq, Timestamp};
use cems_dashboards::backend::{Change, Changes};
use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, watch};

/// Most entries in one transaction: bounds what is done again after a failure.
const BATCH_ENTRIES_MAX: usize = 1_000;
/// Sets of changes a slow page may lag behind before it is told to reload all.
const CHANGES_QUEUE_MAX: usize = 256;
/// Longest pause between attempts while the store fails.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(10);
/// First pause after a failure; doubled up to [`RETRY_PAUSE_MAX`].
const RETRY_PAUSE_FIRST: Duration = Duration::from_millis(100);
/// How often an idle pipeline looks whether it should stop.
const STOP_POLL: Duration = Duration::from_millis(200);

/// What the rest of the daemon sees of the pipeline.
pub struct Projected {
    registry: arc_swap::ArcSwap<Registry>,
    policy: arc_swap::ArcSwap<Policy>,
    /// Position and time of the last committed batch.
    position: watch::Sender<Position>,
    /// When a tick is needed, as of `position`.
    deadline: watch::Sender<Option<Timestamp>>,
    changes: broadcast::Sender<Changes>,
    problem: Mutex<Option<String>>,
}

impl Projected {
    fn new() -> Self {
        Self {
            registry: arc_swap::ArcSwap::from_pointee(empty_registry()),
            policy: arc_swap::ArcSwap::from_pointee(Policy::default()),
            position: watch::Sender::new(Position {
                seq: Seq(0),
                at: Timestamp(i64::MIN),
            }),
            deadline: watch::Sender::new(None),
            changes: broadcast::Sender::new(CHANGES_QUEUE_MAX),
            problem: Mutex::new(None),
        }
    }

    /// The registry in force at the projected position; empty before the first one.
    pub fn registry(&self) -> Arc<Registry> {
        self.registry.load_full()
    }

    /// The policy in force at the projected position; empty before the first one.
    pub fn policy(&self) -> Arc<Policy> {
        self.policy.load_full()
    }

    /// The projected position, to read or to wait on.
    pub fn position(&self) -> watch::Receiver<Position> {
        self.position.subscribe()
    }

    /// The engine's next deadline, to read or to wait on.
    pub fn deadline(&self) -> watch::Receiver<Option<Timestamp>> {
        self.deadline.subscribe()
    }

    /// Changes as they are committed.
    pub fn changes(&self) -> broadcast::Receiver<Changes> {
        self.changes.subscribe()
    }

    /// Tells pages that the daemon's health changed.
    pub fn announce(&self, change: Change) {
        let seq = self.position.borrow().seq;
        // No receiver is no error: nobody is looking.
        let _ = self.changes.send(Changes {
            seq,
            changes: Arc::new([change]),
        });
    }

    /// What keeps the projections from being written, in words.
    pub fn problem(&self) -> Option<String> {
        self.problem
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_problem(&self, problem: Option<String>) {
        let mut slot = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        if *slot != problem {
            *slot = problem;
            drop(slot);
            self.announce(Change::Health);
        }
    }

    /// Waits until the projections contain `seq`, at most `patience`; true when they do.
    pub async fn reached(&self, seq: Seq, patience: Duration) -> bool {
        let mut position = self.position.subscribe();
        let wait = position.wait_for(|p| p.seq >= seq);
        matches!(tokio::time::timeout(patience, wait).await, Ok(Ok(_)))
    }
}

/// A registry in which nothing is known.
pub fn empty_registry() -> Registry {
    Registry {
        site_name: String::new(),
        offset: cems_core::model::UtcOffset::default(),
        regions: std::collections::BTreeMap::new(),
        enterprises: std::collections::BTreeMap::new(),
        outlets: std::collections::BTreeMap::new(),
        profiles: std::collections::BTreeMap::new(),
        special_periods: std::collections::BTreeMap::new(),
    }
}

/// The engine, the store and the way between.
pub struct Pipeline<S: Store> {
    engine: Engine,
    store: RefCell<S>,
    journal_dir: PathBuf,
    interpreter: Interpreter,
    projected: Arc<Projected>,
    stop: Arc<AtomicBool>,
    position: Position,
}

/// Why the pipeline could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The store failed.
    #[error("projections: {0}")]
    Store(#[from] StoreError),
    /// The journal's files could not be read.
    #[error("reading the journal: {0}")]
    Journal(String),
    /// The engine's saved state could not be read.
    #[error("engine state in the projections: {0}; run `cemsd rebuild` on the data directory")]
    State(String),
}

impl<S: Store> Pipeline<S> {
    /// Restores the engine from the store.
    ///
    /// # Errors
    /// When the store cannot be read or its saved state is not this version's.
    pub fn new(
        store: S,
        journal_dir: PathBuf,
        interpreter: Interpreter,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, PipelineError> {
        let projected = Arc::new(Projected::new());
        let engine = restore(&store)?;
        let position = store.position()?.unwrap_or(Position {
            seq: Seq(0),
            at: Timestamp(i64::MIN),
        });
        let mut pipeline = Self {
            engine,
            store: RefCell::new(store),
            journal_dir,
            interpreter,
            projected,
            stop,
            position,
        };
        pipeline.publish(&[]);
        Ok(pipeline)
    }

    /// The view for the rest of the daemon.
    pub fn projected(&self) -> Arc<Projected> {
        Arc::clone(&self.projected)
    }

    /// The position reached.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Gives the store back, to close or to compare.
    pub fn into_store(self) -> S {
        self.store.into_inner()
    }

    /// Projects everything the journal's files hold beyond the store's position, calling
    /// `progress` with the position after every batch.
    ///
    /// # Errors
    /// When a file cannot be read. Store failures are retried until they pass or the daemon stops.
    pub fn catch_up(&mut self, progress: &mut dyn FnMut(Seq)) -> Result<(), PipelineError> {
        let reader = Reader::open(&self.journal_dir)
            .map_err(|error| PipelineError::Journal(error.to_string()))?;
        let mut batch = Vec::with_capacity(BATCH_ENTRIES_MAX);
        for entry in reader.entries_from(self.position.seq.0 + 1) {
            batch.push(entry.map_err(|error| PipelineError::Journal(error.to_string()))?);
            if batch.len() == BATCH_ENTRIES_MAX {
                self.project(&batch);
                progress(self.position.seq);
                batch.clear();
            }
            if self.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
        }
        self.project(&batch);
        progress(self.position.seq);
        Ok(())
    }

    /// Runs until the journal closes its end or the daemon stops.
    pub fn run(mut self, committed: &Receiver<Vec<Entry>>) {
        loop {
            match committed.recv_timeout(STOP_POLL) {
                Ok(batch) => self.take(&batch),
                Err(RecvTimeoutError::Timeout) if !self.stop.load(Ordering::Relaxed) => {}
                Err(_) => return,
            }
        }
    }

    /// Projects a batch handed over by the journal; what the store already has is skipped, what
    /// it lacks before the batch is read from the files.
    pub fn take(&mut self, batch: &[Entry]) {
        let Some(first) = batch.first() else { return };
        if first.seq > self.position.seq.0 + 1 {
            let mut pause = RETRY_PAUSE_FIRST;
            while let Err(error) = self.catch_up(&mut |_| {}) {
                self.report(&error.to_string());
                if !self.pause(&mut pause) {
                    return;
                }
            }
        }
        let new = batch.partition_point(|entry| entry.seq <= self.position.seq.0);
        for chunk in batch[new..].chunks(BATCH_ENTRIES_MAX) {
            self.project(chunk);
        }
    }

    /// Projects entries, trying until it works or the daemon stops.
    fn project(&mut self, entries: &[Entry]) {
        if entries.is_empty() {
            return;
        }
        let mut pause = RETRY_PAUSE_FIRST;
        loop {
            match self.attempt(entries) {
                Ok(changes) => {
                    self.projected.set_problem(None);
                    self.publish(&changes);
                    return;
                }
                Err(error) => {
                    self.report(&error.to_string());
                    self.store.get_mut().rollback();
                    if !self.pause(&mut pause) {
                        return;
                    }
                    match restore(self.store.get_mut()) {
                        Ok(engine) => self.engine = engine,
                        Err(error) => self.report(&error.to_string()),
                    }
                }
            }
        }
    }

    fn attempt(&mut self, entries: &[Entry]) -> Result<Vec<Change>, StoreError> {
        self.store.get_mut().begin()?;
        let mut changes = Vec::new();
        let mut failure = None;
        let store = &self.store;
        let history = LiveHistory(store);
        let mut apply = |output: Output| {
            note(&output, &mut changes);
            if failure.is_none() {
                failure = store.borrow_mut().apply(&output).err();
            }
        };
        for entry in entries {
            let seq = Seq(entry.seq);
            let at = Timestamp(entry.at_ms);
            let event = self
                .interpreter
                .event(&entry.body, at, self.engine.registry());
            self.engine
                .step(Input { seq, at, event }, &history, &mut apply);
        }
        self.engine.flush(&mut apply);
        if let Some(error) = failure {
            return Err(error);
        }
        let store = self.store.get_mut();
        if let Some(error) = store.take_failure() {
            return Err(error);
        }
        let last = entries.last().expect("callers pass at least one entry");
        let position = Position {
            seq: Seq(last.seq),
            at: Timestamp(last.at_ms),
        };
        store.commit(position)?;
        self.position = position;
        changes.sort_by_key(order);
        changes.dedup();
        Ok(changes)
    }

    fn publish(&mut self, changes: &[Change]) {
        if let Some(registry) = self.engine.registry()
            && (changes.is_empty() || changes.contains(&Change::Registry))
        {
            self.projected.registry.store(Arc::new(registry.clone()));
        }
        if let Some(policy) = self.engine.policy()
            && !Arc::ptr_eq(policy, &self.projected.policy.load())
        {
            self.projected.policy.store(Arc::clone(policy));
        }
        self.projected
            .deadline
            .send_replace(self.engine.next_deadline());
        self.projected.position.send_replace(self.position);
        if !changes.is_empty() {
            let changes = Changes {
                seq: self.position.seq,
                changes: changes.into(),
            };
            // No receiver is no error: nobody is looking.
            let _ = self.projected.changes.send(changes);
        }
    }

    fn report(&self, problem: &str) {
        tracing::error!(%problem, "projections stand still; trying again");
        self.projected.set_problem(Some(problem.to_owned()));
    }

    /// Waits before the next attempt; false when the daemon stops meanwhile.
    fn pause(&self, pause: &mut Duration) -> bool {
        let mut left = *pause;
        while !left.is_zero() {
            if self.stop.load(Ordering::Relaxed) {
                return false;
            }
            let step = left.min(STOP_POLL);
            std::thread::sleep(step);
            left -= step;
        }
        *pause = (*pause * 2).min(RETRY_PAUSE_MAX);
        true
    }
}

fn restore<S: Store>(store: &S) -> Result<Engine, PipelineError> {
    Engine::restore(store.states()?).map_err(|error| PipelineError::State(error.to_string()))
}

/// What a page would want to know of an output.
fn note(output: &Output, changes: &mut Vec<Change>) {
    let change = match output {
        Output::Latest(row) => Change::Values(row.outlet.clone()),
        Output::Aggregate(row) => Change::Values(row.outlet.clone()),
        Output::Alarm(row) => Change::Alarm(row.id),
        Output::Fallback(row) => Change::Fallback(row.id),
        Output::Exchange(row) => Change::Exchange(row.id, row.outlet.clone()),
        Output::ManualReport(row) => match row.fallback {
            Some(id) => Change::Fallback(id),
            None => Change::Values(row.report.outlet.clone()),
        },
        Output::Message(_) => Change::Messages,
        Output::Duty(_) => Change::Duties,
        Output::Registry { .. } => Change::Registry,
        Output::Shift(_) | Output::HandOver(_) | Output::AlarmService(_) => Change::Desk,
        _ => return,
    };
    if changes.last() != Some(&change) {
        changes.push(change);
    }
}

fn order(change: &Change) -> (u8, u64, String) {
    match change {
        Change::Registry => (0, 0, String::new()),
        Change::Health => (1, 0, String::new()),
        Change::Desk => (6, 0, String::new()),
        Change::Alarm(id) => (2, id.0, String::new()),
        Change::Fallback(id) => (3, id.0, String::new()),
        Change::Values(outlet) => (4, 0, outlet.to_string()),
        Change::Exchange(id, _) => (5, id.0, String::new()),
        Change::Messages => (6, 0, String::new()),
        Change::Duties => (7, 0, String::new()),
        Change::Destinations => (8, 0, String::new()),
        Change::Uplinks => (9, 0, String::new()),
    }
}

/// History through the store's open transaction; each look-up borrows the store only for itself,
/// so that outputs can be applied between look-ups.
struct LiveHistory<'a, S>(&'a RefCell<S>);

impl<S: Store> LiveHistory<'_, S> {
    fn with<T>(&self, ask: impl FnOnce(&dyn History) -> T) -> T {
        ask(self.0.borrow().history())
    }
}

crate::store::history::history_through_with!([<S: Store>] LiveHistory<'_, S>);

#[cfg(test)]
mod tests;
