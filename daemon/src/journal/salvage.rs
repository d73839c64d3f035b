//! Taking what is sound out of a damaged file, so that appending can go on.
//!
//! The order of steps makes a crash at any point harmless: the replacement is complete and
//! synced (`.ready`) before the damaged file leaves its name, and start-up finishes the
//! renames.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::JournalError;
use super::block::{self, BlockRow};
use super::chain::to_hex;
use super::file::{self, Break, End, FileFault, Meta};
use super::names::{self, DayFile, beside, name_of};
use super::recover::{Examined, RecoveryNote, Wanted, examine, io_error, new_genesis};

/// Gives a damaged file (and its write-ahead log) a name that nothing opens.
pub(super) fn set_aside(path: &Path) -> Result<PathBuf, JournalError> {
    let aside = names::set_aside_name(path);
    fs::rename(path, &aside).map_err(io_error("set a damaged file aside", path))?;
    let wal = beside(path, "-wal");
    if wal.exists() {
        fs::rename(&wal, beside(&aside, "-wal"))
            .map_err(io_error("set a damaged file aside", &wal))?;
    }
    let shared_memory = beside(path, "-shm");
    if shared_memory.exists() {
        fs::remove_file(&shared_memory)
            .map_err(io_error("remove a left-over file", &shared_memory))?;
    }
    Ok(aside)
}

/// Replaces the damaged newest file by one with everything in it that could be proven.
pub(super) fn salvage(
    dir: &Path,
    damaged: &DayFile,
    reason: &str,
    before: Option<&(End, Meta)>,
    wanted: &Wanted,
) -> Result<(Examined, RecoveryNote), JournalError> {
    tracing::warn!(
        file = damaged.name,
        reason,
        "a journal file is damaged; taking out the sound part"
    );
    let place = DayFile::new(dir, damaged.day, false);
    let source = readable(&damaged.path);
    let meta = match source.as_ref().and_then(|conn| file::read_meta(conn).ok()) {
        Some(meta) => Meta { seal: None, ..meta },
        None => invented_meta(damaged, before, wanted)?,
    };
    let mut sieve = Sieve::new(&meta, bytes_of(&damaged.path), reason);
    file::build(&place.path, &meta, &mut |target| {
        match &source {
            Some(source) => sieve.run(source, target)?,
            None => sieve.complete = false,
        }
        sieve.finish(target, wanted.floor)
    })
    .map_err(|fault| fault.into_error("write the sound part of", &damaged.path))?;
    drop(source);
    file::remove_with_companions(&patched_name(&damaged.path));

    let ready = beside(&place.path, names::READY);
    let building = beside(&place.path, names::BUILDING);
    fs::rename(&building, &ready).map_err(io_error("put a file in its place", &building))?;
    file::sync_dir(dir).map_err(io_error("sync the journal directory", dir))?;
    let aside = set_aside(&damaged.path)?;
    fs::rename(&ready, &place.path).map_err(io_error("put a file in its place", &ready))?;
    file::sync_dir(dir).map_err(io_error("sync the journal directory", dir))?;

    let note = RecoveryNote {
        file: damaged.name.clone(),
        set_aside: Some(name_of(&aside)),
        reason: reason.to_owned(),
        entries_kept: sieve.kept,
        breaks: sieve.breaks,
    };
    let examined = examine(&place).map_err(|fault| fault.into_error("open", &place.path))?;
    Ok((examined, note))
}

/// An upper bound of the entries a file can hold: none ever took less than a byte.
fn bytes_of(path: &Path) -> u64 {
    ["", "-wal"]
        .iter()
        .filter_map(|suffix| fs::metadata(beside(path, suffix)).ok())
        .map(|data| data.len())
        .sum()
}

/// The `meta` of a file whose own cannot be read: it follows the file before it.
fn invented_meta(
    damaged: &DayFile,
    before: Option<&(End, Meta)>,
    wanted: &Wanted,
) -> Result<Meta, JournalError> {
    let (kind, genesis, previous) = match before {
        Some((end, meta)) => (meta.kind, meta.genesis, *end),
        None => {
            let genesis = new_genesis()?;
            let chain = wanted.kind.genesis(&genesis);
            (
                wanted.kind,
                genesis,
                End {
                    seq: 0,
                    at_ms: 0,
                    chain,
                },
            )
        }
    };
    Ok(Meta {
        kind,
        genesis,
        day: damaged.day.text(),
        offset_minutes: wanted.offset_minutes,
        previous,
        breaks: Vec::new(),
        seal: None,
    })
}

/// A connection to whatever of the file can be read.
fn readable(path: &Path) -> Option<Connection> {
    let opens = |path: &Path| {
        let conn = file::open_read(path).ok()?;
        let tables: i64 = conn
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .ok()?;
        (tables > 0).then_some(conn)
    };
    opens(path).or_else(|| {
        let patched = with_sound_header(path)?;
        opens(&patched)
    })
}

fn patched_name(path: &Path) -> PathBuf {
    beside(path, &format!("-header{}", names::BUILDING))
}

/// A copy of the file with the header that every journal file has: the first 100 bytes of
/// a database hold no entries, only constants and hints (SQLite file format, section 1.3).
fn with_sound_header(path: &Path) -> Option<PathBuf> {
    let copy = patched_name(path);
    fs::copy(path, &copy).ok()?;
    let wal = beside(path, "-wal");
    if wal.exists() {
        fs::copy(&wal, beside(&copy, "-wal")).ok()?;
    }
    let mut permissions = fs::metadata(&copy).ok()?.permissions();
    #[allow(clippy::permissions_set_readonly_false)] // a private copy, removed in a moment
    permissions.set_readonly(false);
    fs::set_permissions(&copy, permissions).ok()?;
    let mut header = Vec::with_capacity(100);
    header.extend_from_slice(b"SQLite format 3\0");
    header.extend_from_slice(&[0x10, 0x00, 2, 2, 0, 64, 32, 32]); // 4096-byte pages, WAL
    header.extend_from_slice(&1_u32.to_be_bytes()); // change counter, unlike byte 92
    header.extend_from_slice(&[0; 16]); // page count from the file's size; no free list
    header.extend_from_slice(&4_u32.to_be_bytes()); // schema format
    header.extend_from_slice(&[0; 8]);
    header.extend_from_slice(&1_u32.to_be_bytes()); // UTF-8
    header.resize(100, 0);
    let mut target = fs::OpenOptions::new().write(true).open(&copy).ok()?;
    target.seek(SeekFrom::Start(0)).ok()?;
    target.write_all(&header).ok()?;
    Some(copy)
}

/// Keeps the blocks that the chain proves.
struct Sieve<'a> {
    meta: &'a Meta,
    reason: &'a str,
    /// No number in this file can be higher.
    seq_max: u64,
    end: End,
    /// The last block refused: what it states, and what it would be if only its own chain
    /// column were damaged. The next block tells which.
    refused: Option<(End, Option<BlockRow>)>,
    kept: u64,
    breaks: Vec<Break>,
    /// The highest number seen in the file, kept or not.
    seen: u64,
    /// Whether the last block could be seen, so that `seen` is the last number given.
    complete: bool,
}

impl<'a> Sieve<'a> {
    fn new(meta: &'a Meta, bytes: u64, reason: &'a str) -> Self {
        let highest = meta
            .breaks
            .iter()
            .map(|broken| broken.next_seq)
            .max()
            .unwrap_or(0);
        Self {
            meta,
            reason,
            seq_max: meta.previous.seq.max(highest).saturating_add(bytes),
            end: meta.previous,
            refused: None,
            kept: 0,
            breaks: Vec::new(),
            seen: meta.previous.seq,
            complete: true,
        }
    }

    fn run(&mut self, source: &Connection, target: &Connection) -> Result<(), FileFault> {
        let (starts, fault) = file::starts(source);
        let mut last_was_read = true;
        let seq_max = self.seq_max;
        for first_seq in starts.into_iter().filter(|seq| *seq <= seq_max) {
            self.seen = self.seen.max(first_seq);
            if let Ok(Some(row)) = file::block_at(source, first_seq) {
                last_was_read = true;
                self.judge(&row, target)?;
            } else {
                last_was_read = false;
                self.refused = None;
            }
        }
        self.complete = fault.is_none() && last_was_read;
        Ok(())
    }

    fn judge(&mut self, row: &BlockRow, target: &Connection) -> Result<(), FileFault> {
        if row.last_seq <= self.seq_max {
            self.seen = self.seen.max(row.last_seq);
        }
        let kind = self.meta.kind;
        let checked = block::check(row, &self.end, &self.meta.breaks, kind);
        if checked.fault.is_none() {
            return self.keep(row, target);
        }
        if let Some((stated, mended)) = self.refused.take() {
            if let Some(mended) = mended {
                let end = end_of(&mended);
                if block::check(row, &end, &[], kind).fault.is_none() {
                    self.keep(&mended, target)?;
                    return self.keep(row, target);
                }
            }
            if block::check(row, &stated, &[], kind).fault.is_none() {
                self.note_break(row.first_seq, &stated);
                return self.keep(row, target);
            }
        }
        let (expected, start) = block::follow(&self.end, &self.meta.breaks);
        let mended = (checked.fault == Some(block::BlockFault::Chain) && row.first_seq == expected)
            .then(|| BlockRow {
                chain: kind.links(start, &checked.entries),
                ..row.clone()
            });
        self.refused = Some((checked.end, mended));
        Ok(())
    }

    fn keep(&mut self, row: &BlockRow, target: &Connection) -> Result<(), FileFault> {
        file::insert(target, row)?;
        self.kept += row.last_seq.saturating_sub(row.first_seq).saturating_add(1);
        self.end = end_of(row);
        self.refused = None;
        Ok(())
    }

    fn note_break(&mut self, next_seq: u64, from: &End) {
        self.breaks.push(Break {
            after_seq: self.end.seq,
            next_seq,
            chain: to_hex(&from.chain),
            reason: self.reason.to_owned(),
        });
    }

    /// Numbers that may have been given out are not given again.
    fn finish(&mut self, target: &Connection, floor: u64) -> Result<(), FileFault> {
        let given = if self.complete {
            self.seen
        } else {
            self.seq_max
        };
        let highest = given.max(floor);
        if highest > self.end.seq {
            let end = self.end;
            self.note_break(highest.saturating_add(1), &end);
        }
        let mut known: Vec<Break> = self.meta.breaks.clone();
        known.retain(|old| self.breaks.iter().all(|new| new.after_seq != old.after_seq));
        for broken in &self.breaks {
            file::add_break(target, &known, broken.clone())?;
            known.push(broken.clone());
        }
        Ok(())
    }
}

fn end_of(row: &BlockRow) -> End {
    End {
        seq: row.last_seq,
        at_ms: row.last_at_ms,
        chain: row.chain,
    }
}
