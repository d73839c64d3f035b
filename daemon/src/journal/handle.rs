//! The handle that everybody holds.

use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};

use tokio::sync::{Semaphore, mpsc, oneshot};

use super::chain::to_hex;
use super::file::End;
use super::lock::DirLock;
use super::recover::{self, RecoveryNote, Wanted};
use super::writer::{Message, Request, Writer};
use super::{
    AT_MS_MAX, AT_MS_MIN, Committed, Draft, ENTRY_BYTES_MAX, HashKind, Head, JournalError,
    JournalHealth, MANY_BYTES_MAX, MANY_ENTRIES_MAX, Opened, Options, QUEUE_BYTES_MAX,
    QUEUE_REQUESTS_MAX, StallKind,
};

/// Recovery notes kept for [`Journal::take_recovery_notes`]; a file that keeps being damaged
/// while running drops the oldest (they are in the log as well).
const NOTES_MAX: usize = 64;

/// What the writer, the sealer and the handles share.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// Why and since when commits fail.
#[derive(Debug, Clone)]
pub(super) struct Stall {
    pub(super) cause: String,
    pub(super) kind: StallKind,
    pub(super) since_ms: i64,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) stalled: Option<Stall>,
    pub(super) last_commit_ms: i64,
    pub(super) end: End,
    pub(super) kind: HashKind,
    pub(super) commits: u64,
    pub(super) entries: u64,
    pub(super) follower_waiting_since_ms: Option<i64>,
    pub(super) seals_pending: usize,
    pub(super) seal_problem: Option<String>,
    pub(super) notes: Vec<RecoveryNote>,
    pub(super) closing: bool,
    pub(super) ended: bool,
}

impl Shared {
    fn new(end: End, kind: HashKind) -> Self {
        Self {
            state: Mutex::new(State {
                stalled: None,
                last_commit_ms: 0,
                end,
                kind,
                commits: 0,
                entries: 0,
                follower_waiting_since_ms: None,
                seals_pending: 0,
                seal_problem: None,
                notes: Vec::new(),
                closing: false,
                ended: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// The state is plain data, valid at every moment: a panic elsewhere does not spoil it.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes those who wait for it.
    pub(super) fn change(&self, how: impl FnOnce(&mut State)) {
        how(&mut self.state());
        self.changed.notify_all();
    }

    /// Waits until `done` holds or the time is over; says whether it holds.
    pub(super) fn wait(
        &self,
        limit: Option<std::time::Duration>,
        done: impl Fn(&State) -> bool,
    ) -> bool {
        let state = self.state();
        match limit {
            None => {
                let _state = self
                    .changed
                    .wait_while(state, |state| !done(state))
                    .unwrap_or_else(PoisonError::into_inner);
                true
            }
            Some(limit) => {
                let (state, _) = self
                    .changed
                    .wait_timeout_while(state, limit, |state| !done(state))
                    .unwrap_or_else(PoisonError::into_inner);
                done(&state)
            }
        }
    }

    pub(super) fn note(&self, note: RecoveryNote) {
        self.change(|state| {
            if state.notes.len() >= NOTES_MAX {
                state.notes.remove(0);
            }
            state.notes.push(note);
        });
    }
}

/// Appends to the journal. Clones share one writer.
#[derive(Debug, Clone)]
pub struct Journal {
    queue: mpsc::Sender<Message>,
    room: Arc<Semaphore>,
    shared: Arc<Shared>,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Journal {
    /// Opens the journal in `dir` for writing, creating it when there is none.
    ///
    /// Damage does not keep it from opening: it is set aside and reported in
    /// [`Opened::recovered`], for the caller to journal and to show.
    ///
    /// # Errors
    /// [`JournalError::Locked`] when somebody else writes it, [`JournalError::NewerFormat`]
    /// when a newer program wrote it; otherwise when the directory or a file in it cannot
    /// be created, opened or renamed (permissions, space).
    pub fn open(dir: &Path, options: Options) -> Result<(Self, Opened), JournalError> {
        std::fs::create_dir_all(dir)
            .map_err(recover::io_error("create the journal directory", dir))?;
        let lock = DirLock::take(dir)?;
        let mut recovered = recover::tidy_up(dir)?;
        let wanted = Wanted {
            kind: options.hash,
            offset_minutes: options.offset_minutes,
            floor: options.seq_floor,
        };
        let mut tail = recover::open_tail(dir, &wanted)?;
        recovered.append(&mut tail.notes);
        if tail.kind != options.hash {
            tracing::warn!(
                hash = tail.kind.name(),
                "the journal keeps the hash it was created with; the setting has no effect"
            );
        }
        for note in &recovered {
            tracing::warn!(file = note.file, reason = note.reason, "journal recovery");
        }
        let opened = Opened {
            last_seq: tail.end.seq,
            last_at_ms: tail.end.at_ms,
            head: head_of(&tail.end, tail.kind),
            recovered,
            created: tail.created,
        };
        let shared = Arc::new(Shared::new(tail.end, tail.kind));
        let (queue, requests) = mpsc::channel(QUEUE_REQUESTS_MAX);
        let writer = Writer::new(dir, options, tail, lock, requests, Arc::clone(&shared));
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run())
            .map_err(recover::io_error("start the journal's thread", dir))?;
        let room = Semaphore::new(usize::try_from(QUEUE_BYTES_MAX).unwrap_or(usize::MAX));
        let journal = Self {
            queue,
            room: Arc::new(room),
            shared,
            writer: Arc::new(Mutex::new(Some(thread))),
        };
        Ok((journal, opened))
    }

    /// Appends one entry; returns when the commit that holds it is synced to disk.
    ///
    /// Waits while the queue is full and while the disk refuses (see
    /// [`JournalHealth::stalled`]). Dropping the future does not take the entry back: it may
    /// be stored all the same.
    ///
    /// # Errors
    /// Too large, a time out of range, or the journal closed; nothing was stored then.
    pub async fn append(&self, draft: Draft) -> Result<Committed, JournalError> {
        let committed = self.append_many(vec![draft]).await?;
        committed.into_iter().next().ok_or(JournalError::Closed)
    }

    /// Appends several entries with consecutive numbers in one commit: after a crash all of
    /// them are there or none. They stay in one day's file, the first one's.
    ///
    /// # Errors
    /// As [`Journal::append`]; also more than [`MANY_ENTRIES_MAX`] or [`MANY_BYTES_MAX`].
    pub async fn append_many(&self, drafts: Vec<Draft>) -> Result<Vec<Committed>, JournalError> {
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        let bytes = admit(&drafts)?;
        let weight = u32::try_from(bytes)
            .unwrap_or(QUEUE_BYTES_MAX)
            .min(QUEUE_BYTES_MAX);
        let permit = Arc::clone(&self.room)
            .acquire_many_owned(weight)
            .await
            .map_err(|_| JournalError::Closed)?;
        let (reply, answer) = oneshot::channel();
        self.queue
            .send(Message::Append(Request {
                drafts,
                bytes,
                reply,
                permit,
            }))
            .await
            .map_err(|_| JournalError::Closed)?;
        answer.await.map_err(|_| JournalError::Closed)?
    }

    /// [`Journal::append`] for a thread of its own; blocks it, so never call it in a task.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn append_blocking(&self, draft: Draft) -> Result<Committed, JournalError> {
        block_on(self.append(draft))
    }

    /// [`Journal::append_many`] for a thread of its own; blocks it.
    ///
    /// # Errors
    /// As [`Journal::append_many`].
    pub fn append_many_blocking(&self, drafts: Vec<Draft>) -> Result<Vec<Committed>, JournalError> {
        block_on(self.append_many(drafts))
    }

    /// How the journal is doing; cheap, callable any time.
    #[must_use]
    pub fn health(&self) -> JournalHealth {
        let state = self.shared.state();
        JournalHealth {
            stalled: state.stalled.as_ref().map(|stall| stall.cause.clone()),
            stall_kind: state.stalled.as_ref().map(|stall| stall.kind),
            stalled_since_ms: state.stalled.as_ref().map(|stall| stall.since_ms),
            queue_len: self.queue.max_capacity() - self.queue.capacity(),
            last_commit_ms: state.last_commit_ms,
            last_seq: state.end.seq,
            commits: state.commits,
            entries: state.entries,
            follower_waiting_since_ms: state.follower_waiting_since_ms,
            seals_pending: state.seals_pending,
            seal_problem: state.seal_problem.clone(),
        }
    }

    /// The end of the chain: an anchor to publish.
    #[must_use]
    pub fn head(&self) -> Head {
        let state = self.shared.state();
        head_of(&state.end, state.kind)
    }

    /// What had to be repaired while running (the file was damaged under the daemon's
    /// hands); journal it like [`Opened::recovered`]. Taken notes are not given again.
    #[must_use]
    pub fn take_recovery_notes(&self) -> Vec<RecoveryNote> {
        std::mem::take(&mut self.shared.state().notes)
    }

    /// Blocks until all finished days are sealed, or sealing gave up on them for now.
    pub fn wait_sealed(&self) {
        self.shared
            .wait(None, |state| state.seals_pending == 0 || state.ended);
    }

    /// Commits what is queued, ends the writer and lets go of the directory. Other clones
    /// get [`JournalError::Closed`] from then on. Blocks; a sealing in progress is broken
    /// off and done at the next start. While the disk refuses, what is queued is answered
    /// with [`JournalError::GaveUp`] instead of waiting for ever. A follower must keep
    /// receiving (or be dropped) until this returns.
    pub fn close(self) {
        self.shared.change(|state| state.closing = true);
        // A failed send means that the writer has ended already.
        let _ = block_on(self.queue.send(Message::Close));
        let thread = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match thread {
            Some(thread) => {
                if thread.join().is_err() {
                    tracing::error!("the journal's thread ended by a panic");
                }
            }
            // Another clone is closing it.
            None => {
                self.shared.wait(None, |state| state.ended);
            }
        }
    }
}

/// Checks sizes and times at the door; the sum of the bodies.
fn admit(drafts: &[Draft]) -> Result<usize, JournalError> {
    let mut bytes = 0_usize;
    for draft in drafts {
        if draft.body.len() > ENTRY_BYTES_MAX {
            let (bytes, max) = (draft.body.len(), ENTRY_BYTES_MAX);
            return Err(JournalError::EntryTooLarge { bytes, max });
        }
        if let Some(at_ms) = draft.at_ms
            && !(AT_MS_MIN..=AT_MS_MAX).contains(&at_ms)
        {
            return Err(JournalError::TimeOutOfRange { at_ms });
        }
        bytes = bytes.saturating_add(draft.body.len());
    }
    if drafts.len() > MANY_ENTRIES_MAX || bytes > MANY_BYTES_MAX {
        return Err(JournalError::ManyTooLarge {
            entries: drafts.len(),
            bytes,
            max_entries: MANY_ENTRIES_MAX,
            max_bytes: MANY_BYTES_MAX,
        });
    }
    Ok(bytes)
}

pub(super) fn head_of(end: &End, kind: HashKind) -> Head {
    Head {
        seq: end.seq,
        chain: to_hex(&end.chain),
        hash: kind,
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future that needs no runtime. Unlike a runtime's own `block_on` it works on
/// any thread without a panic.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
