//! The journal: the single source of truth.
//!
//! Everything that changes anything is an entry here before it has any effect. Entries are
//! numbered without gaps, chained by a hash, committed in groups and synced to disk before
//! anybody is told that they are safe. The layout on disk is described in `README.md` beside
//! this file, closely enough for a third party to check it with a short script.
//!
//! * [`Journal`] appends; one thread owns the file.
//! * [`Reader`] replays; any number of them, also from other processes.
//! * [`verify()`] recomputes everything.

mod bench;
mod block;
mod chain;
mod error;
mod failure;
mod file;
mod handle;
mod lock;
mod names;
mod reader;
mod recover;
mod salvage;
mod seal;
mod verify;
mod writer;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::mpsc::SyncSender;

use serde::{Deserialize, Serialize};

pub use bench::{BenchReport, bench, bench_plain_sqlite};
pub use block::BlockFault;
pub use chain::{ChainValue, HashKind, Head};
pub use error::{JournalError, ReadError};
pub use failure::StallKind;
pub use file::{Break, Seal};
pub use handle::Journal;
pub use reader::{Entries, Reader};
pub use recover::RecoveryNote;
pub use verify::{Problem, VerifyReport, What, verify};

/// Largest body of one entry: an HJ 212 frame is at most 64 KiB, a whole registry as one
/// event stays below this. A larger one is refused with [`JournalError::EntryTooLarge`].
pub const ENTRY_BYTES_MAX: usize = 4 << 20;
/// Entries of one [`Journal::append_many`]; more are refused, the caller splits.
pub const MANY_ENTRIES_MAX: usize = 10_000;
/// Bytes of one [`Journal::append_many`]; more are refused, the caller splits.
pub const MANY_BYTES_MAX: usize = 16 << 20;
/// Requests waiting for the writer: several commits' worth at a reconnect storm. When full,
/// callers wait, and so do the sockets they read from.
pub const QUEUE_REQUESTS_MAX: usize = 4_096;
/// Bytes waiting for the writer, so that a full queue of large entries cannot take all
/// memory. When full, callers wait. Larger than any single request.
pub const QUEUE_BYTES_MAX: u32 = 32 << 20;
/// Entries of one group commit by default: beyond this a bigger group saves nothing, and
/// the first waiter waits for the last.
pub const BATCH_ENTRIES_MAX: usize = 2_000;
/// Bytes of one group commit by default.
pub const BATCH_BYTES_MAX: usize = 4 << 20;
/// Unpacked size of a block that a reader accepts; guards against a forged length.
pub(crate) const BLOCK_RAW_MAX: u64 = 64 << 20;
/// Packed size of a block that SQLite hands out.
pub(crate) const BLOCK_DATA_MAX: i32 = 80 << 20;

/// Earliest accepted time: 1970-01-01 UTC.
pub(crate) const AT_MS_MIN: i64 = 0;
/// Latest accepted time: the end of 9999-12-30 UTC, so that every local day has a name.
pub(crate) const AT_MS_MAX: i64 = 253_402_214_399_999;

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// 1, 2, 3 and so on over all files; never given twice.
    pub seq: u64,
    /// When it was taken, UTC milliseconds; never less than the entry before.
    pub at_ms: i64,
    /// One line of UTF-8 JSON; the journal does not look into it.
    pub body: Vec<u8>,
}

/// An entry to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// UTC milliseconds; `None` for the journal's clock at the time of the commit. A time
    /// before the last entry's becomes the last entry's.
    pub at_ms: Option<i64>,
    /// One line of UTF-8 JSON.
    pub body: Vec<u8>,
}

impl Draft {
    /// A draft stamped by the journal's clock.
    #[must_use]
    pub fn now(body: Vec<u8>) -> Self {
        Self { at_ms: None, body }
    }

    /// A draft with a given time, UTC milliseconds.
    #[must_use]
    pub fn at(at_ms: i64, body: Vec<u8>) -> Self {
        Self {
            at_ms: Some(at_ms),
            body,
        }
    }
}

/// What an entry became. Having one means: it is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Its number.
    pub seq: u64,
    /// Its time, UTC milliseconds.
    pub at_ms: i64,
}

/// Gives the present time in UTC milliseconds.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Called around each commit; an error stands for one of the disk.
pub type FaultHook = Arc<dyn Fn() -> io::Result<()> + Send + Sync>;

/// Ways to make the disk fail, for tests. The default does nothing.
#[derive(Clone, Default)]
pub struct Faults {
    /// Called before each commit: an error means that it did not happen.
    pub before_commit: Option<FaultHook>,
    /// Called after each commit: an error means that nobody knows whether it happened, as
    /// when the disk fails to sync.
    pub after_commit: Option<FaultHook>,
    /// SQLite's `max_page_count` of the file being written, applied before each commit;
    /// reaching it is a real `SQLITE_FULL`. 0 sets no limit.
    pub page_count_max: Option<Arc<AtomicU32>>,
}

/// How a journal is opened.
#[derive(Clone)]
pub struct Options {
    /// The chain's hash, when the journal is created; an existing one keeps its own.
    pub hash: HashKind,
    /// Offset of local time from UTC in minutes; decides where a day ends.
    pub offset_minutes: i32,
    /// Entries of one group commit at most (a single larger request still goes as one).
    pub batch_entries_max: usize,
    /// Bytes of one group commit at most (a single larger request still goes as one).
    pub batch_bytes_max: usize,
    /// The present time.
    pub clock: Clock,
    /// The highest number that anybody is known to have processed (the position of the
    /// projections). When the journal ends before it, entries were lost: the journal says
    /// so in [`Opened::recovered`] and goes on behind it instead of giving numbers twice.
    pub seq_floor: u64,
    /// Every committed entry is handed on here, in order, after its waiter was answered.
    /// A slow receiver holds up the writer, which holds up intake: back-pressure to the
    /// socket. A dropped receiver ends the hand-over (logged once). Nothing is lost when the
    /// process dies in between: at start the receiver reads from its own stored position
    /// with [`Reader::entries_from`] up to [`Opened::last_seq`]; what comes here follows.
    pub follower: Option<SyncSender<Vec<Entry>>>,
    /// For tests.
    pub faults: Faults,
}

impl Options {
    /// The usual settings: SM3, China's time, default limits.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            hash: HashKind::Sm3,
            offset_minutes: 480,
            batch_entries_max: BATCH_ENTRIES_MAX,
            batch_bytes_max: BATCH_BYTES_MAX,
            clock,
            seq_floor: 0,
            follower: None,
            faults: Faults::default(),
        }
    }
}

/// The state in which a journal was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Number of the newest entry; 0 when there is none.
    pub last_seq: u64,
    /// Its time, UTC milliseconds; 0 when there is none.
    pub last_at_ms: i64,
    /// The end of the chain.
    pub head: Head,
    /// What recovery did; empty after an orderly stop and after a plain power cut.
    pub recovered: Vec<RecoveryNote>,
    /// Whether there was no journal before.
    pub created: bool,
}

/// How the journal is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalHealth {
    /// Why commits fail at present; `None` when they work.
    pub stalled: Option<String>,
    /// The kind of that reason, to be told in another language.
    pub stall_kind: Option<StallKind>,
    /// Since when, UTC milliseconds.
    pub stalled_since_ms: Option<i64>,
    /// Requests waiting for the writer (at most [`QUEUE_REQUESTS_MAX`]).
    pub queue_len: usize,
    /// When the last commit was synced, UTC milliseconds; 0 before the first.
    pub last_commit_ms: i64,
    /// Number of the newest entry.
    pub last_seq: u64,
    /// Commits since opening.
    pub commits: u64,
    /// Entries since opening.
    pub entries: u64,
    /// Since when the writer waits for the follower to take a batch, UTC milliseconds.
    pub follower_waiting_since_ms: Option<i64>,
    /// Finished days waiting to be sealed.
    pub seals_pending: usize,
    /// Why the last sealing failed; it is tried again at the next day and the next start.
    pub seal_problem: Option<String>,
}
