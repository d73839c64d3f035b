//! The one thread that writes.
//!
//! It takes whatever is queued (up to the limits), commits it as one block, answers those
//! who wait, and hands the entries on. It never waits for more to come: an idle journal
//! answers after one sync, a busy one shares a sync among all who came meanwhile.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::block::{self, BlockRow, EFFORT_LIVE};
use super::failure::Failure;
use super::file::{self, Break, End, FileFault, Meta};
use super::handle::{Shared, Stall};
use super::lock::DirLock;
use super::names::{self, Day, DayFile, beside};
use super::recover::{self, Current, Tail, Wanted};
use super::seal::Sealer;
use super::{AT_MS_MAX, AT_MS_MIN, Committed, Draft, Entry, JournalError, Options};

/// First pause after a failed commit: a passing trouble costs hardly any time.
const RETRY_FIRST: Duration = Duration::from_millis(50);
/// Longest pause: how long after space was freed the journal may take to notice.
const RETRY_MAX: Duration = Duration::from_secs(5);

pub(super) enum Message {
    Append(Request),
    Close,
}

pub(super) struct Request {
    /// At least one.
    pub(super) drafts: Vec<Draft>,
    pub(super) bytes: usize,
    pub(super) reply: oneshot::Sender<Result<Vec<Committed>, JournalError>>,
    /// Room in the queue, given back when the request is answered.
    pub(super) permit: OwnedSemaphorePermit,
}

struct Waiter {
    count: usize,
    reply: oneshot::Sender<Result<Vec<Committed>, JournalError>>,
    _permit: OwnedSemaphorePermit,
}

/// Requests that go into one commit.
struct Group {
    day: Day,
    entries: Vec<Entry>,
    waiters: Vec<Waiter>,
}

pub(super) struct Writer {
    dir: PathBuf,
    options: Options,
    requests: mpsc::Receiver<Message>,
    shared: Arc<Shared>,
    sealer: Sealer,
    kind: super::HashKind,
    genesis: [u8; 16],
    end: End,
    pending: Option<Break>,
    current: Option<Current>,
    last_day: Option<Day>,
    /// The connection was given up after an error: look at the files again. Holds the block
    /// whose commit may or may not have reached the disk.
    reopen: Option<Option<BlockRow>>,
    _lock: DirLock,
}

impl Writer {
    pub(super) fn new(
        dir: &Path,
        options: Options,
        tail: Tail,
        lock: DirLock,
        requests: mpsc::Receiver<Message>,
        shared: Arc<Shared>,
    ) -> Self {
        let mut sealer = Sealer::new(dir, Arc::clone(&shared));
        for file in tail.unsealed {
            sealer.order(file);
        }
        Self {
            dir: dir.to_owned(),
            options,
            requests,
            shared,
            sealer,
            kind: tail.kind,
            genesis: tail.genesis,
            end: tail.end,
            pending: tail.pending,
            current: tail.current,
            last_day: tail.last_day,
            reopen: None,
            _lock: lock,
        }
    }

    pub(super) fn run(mut self) {
        while let Some(message) = self.requests.blocking_recv() {
            let Message::Append(first) = message else {
                // What was sent before the close is still answered; new sends fail.
                self.requests.close();
                continue;
            };
            let (batch, close) = self.drain(first);
            if close {
                self.requests.close();
            }
            if let Err(cause) = self.process(batch) {
                self.give_up(&cause);
                break;
            }
        }
        self.current = None;
        self.sealer.stop();
        self.shared.change(|state| {
            state.ended = true;
            state.seals_pending = 0;
        });
    }

    /// Everything queued, up to the limits.
    fn drain(&mut self, first: Request) -> (Vec<Request>, bool) {
        let (mut entries, mut bytes) = (first.drafts.len(), first.bytes);
        let mut batch = vec![first];
        while entries < self.options.batch_entries_max && bytes < self.options.batch_bytes_max {
            match self.requests.try_recv() {
                Ok(Message::Append(request)) => {
                    entries += request.drafts.len();
                    bytes += request.bytes;
                    batch.push(request);
                }
                Ok(Message::Close) => return (batch, true),
                Err(_) => break,
            }
        }
        (batch, false)
    }

    /// Commits a batch, in several groups when a day ends within it.
    fn process(&mut self, batch: Vec<Request>) -> Result<(), String> {
        let now = (self.options.clock)().clamp(AT_MS_MIN, AT_MS_MAX);
        let mut at_ms = self.end.at_ms;
        let mut group: Option<Group> = None;
        for request in batch {
            let first = request
                .drafts
                .first()
                .and_then(|draft| draft.at_ms)
                .unwrap_or(now);
            let day = self.file_day(first.max(at_ms));
            if let Some(full) = group.take_if(|group| group.day != day) {
                self.commit(full)?;
            }
            let group = group.get_or_insert_with(|| Group {
                day,
                entries: Vec::new(),
                waiters: Vec::new(),
            });
            group.waiters.push(Waiter {
                count: request.drafts.len(),
                reply: request.reply,
                _permit: request.permit,
            });
            for draft in request.drafts {
                at_ms = at_ms.max(draft.at_ms.unwrap_or(now));
                group.entries.push(Entry {
                    seq: 0,
                    at_ms,
                    body: draft.body,
                });
            }
        }
        group.map_or(Ok(()), |group| self.commit(group))
    }

    /// The day in whose file an entry goes: its own, but never an older file than the
    /// newest there is.
    fn file_day(&self, at_ms: i64) -> Day {
        let day = Day::of(at_ms, self.options.offset_minutes);
        match (&self.current, self.last_day) {
            (Some(current), _) => day.max(current.file.day),
            (None, Some(last)) => day.max(last.next()),
            (None, None) => day,
        }
    }

    /// Commits one group, trying until it works; then answers and hands on. An error (the
    /// cause) only when the journal is closed meanwhile.
    fn commit(&mut self, mut group: Group) -> Result<(), String> {
        let mut pause = RETRY_FIRST;
        loop {
            let failure = match self.attempt(&mut group) {
                Ok(()) => break,
                Err(failure) => failure,
            };
            let cause = failure.cause();
            self.after_failure(&failure, &cause);
            if self.shared.wait(Some(pause), |state| state.closing) {
                answer_all(group.waiters, &cause);
                return Err(cause);
            }
            pause = pause.saturating_mul(2).min(RETRY_MAX);
        }
        let now = (self.options.clock)();
        let count = u64::try_from(group.entries.len()).unwrap_or(u64::MAX);
        let end = self.end;
        self.shared.change(|state| {
            if state.stalled.take().is_some() {
                tracing::info!(seq = end.seq, "the journal writes again");
            }
            state.last_commit_ms = now;
            state.end = end;
            state.commits += 1;
            state.entries += count;
        });
        let mut done = group.entries.iter().map(|e| Committed {
            seq: e.seq,
            at_ms: e.at_ms,
        });
        for waiter in group.waiters {
            let committed = done.by_ref().take(waiter.count).collect();
            // Whoever no longer waits does not want to know.
            let _ = waiter.reply.send(Ok(committed));
        }
        self.hand_on(group.entries, now);
        Ok(())
    }

    fn after_failure(&mut self, failure: &Failure, cause: &str) {
        let sound = failure.keeps_connection()
            && self
                .current
                .as_ref()
                .is_some_and(|current| current.conn.is_autocommit());
        if !sound && self.current.take().is_some() && self.reopen.is_none() {
            self.reopen = Some(None);
        }
        let now = (self.options.clock)();
        self.shared.change(|state| {
            let before = state.stalled.as_ref();
            if before.is_none_or(|stall| stall.cause != cause) {
                tracing::error!(cause, "the journal cannot write; nothing is acknowledged");
            }
            state.stalled = Some(Stall {
                cause: cause.to_owned(),
                kind: failure.kind(),
                since_ms: before.map_or(now, |stall| stall.since_ms),
            });
        });
    }

    /// Tries once to put the group on disk.
    fn attempt(&mut self, group: &mut Group) -> Result<(), Failure> {
        if let Some(unsure) = self.reopen.clone()
            && self.look_again(unsure.as_ref())?
        {
            return Ok(());
        }
        self.roll(group.day)?;
        let Some(current) = &mut self.current else {
            return Err(Failure::Empty);
        };
        let known = self.pending.as_slice();
        let (first_seq, start) = block::follow(&self.end, known);
        for (entry, seq) in group.entries.iter_mut().zip(first_seq..) {
            entry.seq = seq;
        }
        let row =
            block::pack(&group.entries, &start, self.kind, EFFORT_LIVE).ok_or(Failure::Empty)?;
        if let Some(hook) = &self.options.faults.before_commit {
            hook()?;
        }
        if let Some(pages) = &self.options.faults.page_count_max {
            let pages = match pages.load(Ordering::Relaxed) {
                0 => u32::MAX - 1,
                pages => pages,
            };
            current
                .conn
                .pragma_update(None, "max_page_count", pages)
                .map_err(FileFault::from)?;
        }
        let end = End {
            seq: row.last_seq,
            at_ms: row.last_at_ms,
            chain: row.chain,
        };
        let stored = store(current, &row).map_err(Failure::from);
        let after = &self.options.faults.after_commit;
        let stored = stored.and_then(|()| match after {
            Some(hook) => hook().map_err(Failure::Unsure),
            None => Ok(()),
        });
        if let Err(failure) = stored {
            if !failure.keeps_connection() {
                self.reopen = Some(Some(row));
            }
            return Err(failure);
        }
        self.end = end;
        self.pending = None;
        Ok(())
    }

    /// Finds the end of the files anew after the connection was given up. `true` when the
    /// commit that seemed to fail is there after all and is now surely on disk.
    fn look_again(&mut self, unsure: Option<&BlockRow>) -> Result<bool, Failure> {
        let wanted = Wanted {
            kind: self.kind,
            offset_minutes: self.options.offset_minutes,
            floor: self.end.seq,
        };
        let tail = recover::open_tail(&self.dir, &wanted)?;
        let stored =
            unsure.is_some_and(|row| (row.last_seq, row.chain) == (tail.end.seq, tail.end.chain));
        if stored && let Some(current) = &tail.current {
            // Its sync failed once; only writing everything into the file itself and
            // syncing that makes sure.
            if !file::checkpoint(&current.conn)? {
                return Err(Failure::Reader);
            }
        }
        for note in tail.notes {
            tracing::warn!(file = note.file, reason = note.reason, "journal recovery");
            self.shared.note(note);
        }
        for file in tail.unsealed {
            self.sealer.order(file);
        }
        (self.kind, self.genesis, self.end) = (tail.kind, tail.genesis, tail.end);
        (self.pending, self.current, self.last_day) = (tail.pending, tail.current, tail.last_day);
        self.reopen = None;
        Ok(stored)
    }

    /// Makes sure that a file for `day` is open.
    fn roll(&mut self, day: Day) -> Result<(), Failure> {
        if self
            .current
            .as_ref()
            .is_some_and(|current| current.file.day >= day)
        {
            return Ok(());
        }
        let day = match (&self.current, self.last_day) {
            (None, Some(last)) => day.max(last.next()),
            _ => day,
        };
        let file = DayFile::new(&self.dir, day, false);
        let meta = Meta {
            kind: self.kind,
            genesis: self.genesis,
            day: day.text(),
            offset_minutes: self.options.offset_minutes,
            previous: self.end,
            breaks: self.pending.iter().cloned().collect(),
            seal: None,
        };
        // Left by an attempt that failed after the rename; it holds nothing yet.
        file::remove_with_companions(&file.path);
        file::build(&file.path, &meta, &mut |_| Ok(()))?;
        fs::rename(beside(&file.path, names::BUILDING), &file.path)?;
        file::sync_dir(&self.dir)?;
        let conn = file::open_live(&file.path)?;
        let opened = Current {
            file,
            conn,
            breaks: meta.breaks,
        };
        self.last_day = Some(day);
        if let Some(finished) = self.current.replace(opened) {
            let file = finished.file.clone();
            drop(finished);
            self.sealer.order(file);
        }
        Ok(())
    }

    fn hand_on(&mut self, entries: Vec<Entry>, now: i64) {
        use std::sync::mpsc::TrySendError;
        let Some(follower) = &self.options.follower else {
            return;
        };
        let gone = match follower.try_send(entries) {
            Ok(()) => false,
            Err(TrySendError::Disconnected(_)) => true,
            Err(TrySendError::Full(entries)) => {
                self.shared
                    .change(|state| state.follower_waiting_since_ms = Some(now));
                let gone = follower.send(entries).is_err();
                self.shared
                    .change(|state| state.follower_waiting_since_ms = None);
                gone
            }
        };
        if gone {
            tracing::error!("nobody takes journal entries any more; they stay in the files");
            self.options.follower = None;
        }
    }

    /// Answers everybody who still waits after the journal was closed while stalled.
    fn give_up(&mut self, cause: &str) {
        self.requests.close();
        while let Some(message) = self.requests.blocking_recv() {
            if let Message::Append(request) = message {
                let gave_up = JournalError::GaveUp {
                    cause: cause.to_owned(),
                };
                let _ = request.reply.send(Err(gave_up));
            }
        }
    }
}

fn answer_all(waiters: Vec<Waiter>, cause: &str) {
    for waiter in waiters {
        let _ = waiter.reply.send(Err(JournalError::GaveUp {
            cause: cause.to_owned(),
        }));
    }
}

/// One row, one transaction, one sync.
fn store(current: &mut Current, row: &BlockRow) -> Result<(), FileFault> {
    let transaction = current.conn.transaction()?;
    file::insert(&transaction, row)?;
    transaction.commit()?;
    Ok(())
}
