//! Sealing: a finished day is written anew in larger, better packed blocks, checked, marked
//! with its final state and made read-only.
//!
//! Runs on a thread of its own, on a copy; the live file stays valid until the sealed one is
//! complete, synced and in place. The sealed file has a name of its own because a left-over
//! write-ahead log must never meet a database it does not belong to.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use super::Entry;
use super::block::{self, EFFORT_SEALED};
use super::chain::to_hex;
use super::file::{self, End, FileFault, Meta, Seal};
use super::handle::Shared;
use super::names::{self, DayFile, beside};

/// Days waiting to be sealed: more than ten years. When full, the day is sealed after the
/// next start.
const ORDERS_MAX: usize = 4_096;
/// Unpacked size at which a sealed block is closed: DEFLATE gains nothing beyond its 32 KiB
/// window, and a reader unpacks a whole block for one entry.
const SEALED_RAW_BYTES: usize = 256 << 10;

/// The helper thread's handle.
pub(super) struct Sealer {
    orders: Option<SyncSender<DayFile>>,
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    shared: Arc<Shared>,
}

impl Sealer {
    pub(super) fn new(dir: &Path, shared: Arc<Shared>) -> Self {
        let (orders, queue) = sync_channel(ORDERS_MAX);
        let stop = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            dir: dir.to_owned(),
            stop: Arc::clone(&stop),
            shared: Arc::clone(&shared),
            failed: Vec::new(),
        };
        let thread = thread::Builder::new()
            .name("journal-seal".to_owned())
            .spawn(move || worker.run(&queue));
        match thread {
            Ok(thread) => Self {
                orders: Some(orders),
                thread: Some(thread),
                stop,
                shared,
            },
            Err(error) => {
                tracing::error!(%error, "no thread for sealing; days stay unsealed until restart");
                Self {
                    orders: None,
                    thread: None,
                    stop,
                    shared,
                }
            }
        }
    }

    /// Asks for a finished day to be sealed; never waits.
    pub(super) fn order(&mut self, file: DayFile) {
        let Some(orders) = &self.orders else { return };
        self.shared.change(|state| state.seals_pending += 1);
        if let Err(error) = orders.try_send(file) {
            tracing::warn!(%error, "too many days to seal; the rest after the next start");
            self.shared.change(|state| state.seals_pending -= 1);
        }
    }

    /// Breaks off and waits for the thread.
    pub(super) fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.orders = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the sealing thread ended by a panic");
        }
    }
}

struct Worker {
    dir: PathBuf,
    stop: Arc<AtomicBool>,
    shared: Arc<Shared>,
    /// Tried again with the next order.
    failed: Vec<DayFile>,
}

impl Worker {
    fn run(mut self, queue: &Receiver<DayFile>) {
        while let Ok(file) = queue.recv() {
            let mut days = std::mem::take(&mut self.failed);
            days.retain(|day| *day != file);
            days.push(file);
            let mut problem = None;
            for day in days {
                if self.stop.load(Ordering::Relaxed) {
                    return;
                }
                match seal(&self.dir, &day, &self.stop) {
                    Ok(()) => tracing::info!(file = day.name, "a day of the journal is sealed"),
                    Err(fault) => {
                        tracing::error!(file = day.name, %fault, "a day could not be sealed");
                        problem = Some(format!("{}: {fault}", day.name));
                        self.failed.push(day);
                    }
                }
            }
            self.failed.truncate(ORDERS_MAX);
            self.shared.change(|state| {
                state.seals_pending = state.seals_pending.saturating_sub(1);
                state.seal_problem = problem;
            });
        }
    }
}

/// Seals one finished day. Does nothing when that has happened already.
pub(super) fn seal(dir: &Path, live: &DayFile, stop: &AtomicBool) -> Result<(), FileFault> {
    if !live.path.exists() {
        return Ok(());
    }
    let sealed = DayFile::new(dir, live.day, true);
    let building = beside(&sealed.path, names::BUILDING);
    let source = file::open_live(&live.path)?;
    // Only to keep the log small; the copy is made from both.
    file::checkpoint(&source)?;
    let meta = file::read_meta(&source)?;
    file::build(&sealed.path, &meta, &mut |target| {
        copy(&source, target, &meta, stop)
    })?;
    if let Err(fault) = check_copy(&building) {
        file::remove_with_companions(&building);
        return Err(fault);
    }
    put_in_place(dir, &building, &sealed.path).map_err(|error| {
        file::remove_with_companions(&building);
        FileFault::Damaged(format!("could not put the sealed file in place: {error}"))
    })?;
    drop(source);
    file::remove_with_companions(&live.path);
    Ok(())
}

fn put_in_place(dir: &Path, building: &Path, place: &Path) -> std::io::Result<()> {
    let mut permissions = fs::metadata(building)?.permissions();
    permissions.set_readonly(true);
    fs::set_permissions(building, permissions)?;
    fs::File::open(building)?.sync_all()?;
    fs::rename(building, place)?;
    file::sync_dir(dir)
}

/// Re-blocks everything, checking the chain on the way.
fn copy(
    source: &Connection,
    target: &Connection,
    meta: &Meta,
    stop: &AtomicBool,
) -> Result<(), FileFault> {
    let (starts, fault) = file::starts(source);
    if let Some(fault) = fault {
        return Err(fault);
    }
    let mut end = meta.previous;
    let mut large = Large {
        start: meta.previous.chain,
        entries: Vec::new(),
        bytes: 0,
    };
    let mut count = 0_u64;
    for first_seq in starts {
        if stop.load(Ordering::Relaxed) {
            return Err(FileFault::Damaged(
                "broken off to stop; done at the next start".into(),
            ));
        }
        let row = file::block_at(source, first_seq)?
            .ok_or_else(|| FileFault::Damaged(format!("the block at {first_seq} vanished")))?;
        let checked = block::check(&row, &end, &meta.breaks, meta.kind);
        if let Some(fault) = checked.fault {
            let last_seq = row.last_seq;
            return Err(FileFault::Damaged(format!(
                "entries {first_seq} to {last_seq}: {fault}"
            )));
        }
        let (expected, start) = block::follow(&end, &meta.breaks);
        // A block never spans a break: the numbers in it are counted, not stored.
        if expected != end.seq.saturating_add(1) || start != end.chain {
            large.flush(target, meta)?;
            large.start = start;
        }
        for entry in checked.entries {
            count += 1;
            large.add(entry, target, meta)?;
        }
        end = checked.end;
    }
    large.flush(target, meta)?;
    file::put_seal(target, &seal_of(&end, count))
}

/// A sealed block in the making.
struct Large {
    /// Chain value before its first entry.
    start: super::ChainValue,
    entries: Vec<Entry>,
    bytes: usize,
}

impl Large {
    fn add(&mut self, entry: Entry, target: &Connection, meta: &Meta) -> Result<(), FileFault> {
        self.bytes = self.bytes.saturating_add(entry.body.len());
        self.entries.push(entry);
        if self.bytes >= SEALED_RAW_BYTES {
            self.flush(target, meta)
        } else {
            Ok(())
        }
    }

    fn flush(&mut self, target: &Connection, meta: &Meta) -> Result<(), FileFault> {
        let Some(row) = block::pack(&self.entries, &self.start, meta.kind, EFFORT_SEALED) else {
            return Ok(());
        };
        file::insert(target, &row)?;
        self.start = row.chain;
        self.entries.clear();
        self.bytes = 0;
        Ok(())
    }
}

/// Reads the copy back from the disk, whole, before the original goes.
fn check_copy(building: &Path) -> Result<(), FileFault> {
    let conn = file::open_read(building)?;
    let meta = file::read_meta(&conn)?;
    let wrong = |what: String| FileFault::Damaged(format!("the sealed copy is not right: {what}"));
    let mut end = meta.previous;
    let mut cursor = 0;
    let mut count = 0_u64;
    while let Some(row) = file::block_after(&conn, cursor)? {
        let checked = block::check(&row, &end, &meta.breaks, meta.kind);
        if let Some(fault) = checked.fault {
            return Err(wrong(fault.to_string()));
        }
        count += u64::try_from(checked.entries.len()).unwrap_or(u64::MAX);
        (end, cursor) = (checked.end, row.first_seq);
    }
    match meta.seal {
        Some(seal) if seal == seal_of(&end, count) => Ok(()),
        _ => Err(wrong("its seal".to_owned())),
    }
}

/// The seal that a file with this end and so many entries bears.
pub(super) fn seal_of(end: &End, entries: u64) -> Seal {
    Seal {
        last_seq: end.seq,
        entries,
        chain: to_hex(&end.chain),
    }
}
