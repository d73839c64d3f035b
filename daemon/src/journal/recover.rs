//! Finding the end of the journal at start, whatever state the files are in.
//!
//! Only the newest file's last blocks are read and checked (the cost does not grow with the
//! journal's age); `verify` checks everything. SQLite itself cuts off a torn write-ahead log,
//! which by construction holds only what was never acknowledged.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::JournalError;
use super::block;
use super::chain::HashKind;
use super::file::{self, Break, End, FileFault, Meta};
use super::names::{self, Day, DayFile, Listing, beside, name_of};
use super::salvage;

/// Blocks of the newest file that are checked at start: more than were ever in flight.
const TAIL_BLOCKS: i64 = 64;
/// Unpacked bytes of them at most, so that a sealed file's large blocks cost no more.
const TAIL_RAW_BYTES: u64 = 8 << 20;

/// Something that recovery did or found; journal it as an event, people must see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryNote {
    /// The file concerned.
    pub file: String,
    /// The name under which its damaged form is kept; `None` when nothing was moved.
    pub set_aside: Option<String>,
    /// What was wrong.
    pub reason: String,
    /// Entries of the file that were checked and kept.
    pub entries_kept: u64,
    /// Where numbers are missing now.
    pub breaks: Vec<Break>,
}

/// What a journal is opened with.
pub(super) struct Wanted {
    pub(super) kind: HashKind,
    pub(super) offset_minutes: i32,
    /// A number known to have been given out; numbering goes on behind it.
    pub(super) floor: u64,
}

/// The file that entries are appended to.
pub(super) struct Current {
    pub(super) file: DayFile,
    pub(super) conn: Connection,
    pub(super) breaks: Vec<Break>,
}

/// The end of the journal and how to go on from it.
pub(super) struct Tail {
    pub(super) end: End,
    pub(super) kind: HashKind,
    pub(super) genesis: [u8; 16],
    pub(super) current: Option<Current>,
    /// The newest file's day; a new file's day lies behind it.
    pub(super) last_day: Option<Day>,
    /// The break at the end, when the next number does not simply follow.
    pub(super) pending: Option<Break>,
    pub(super) notes: Vec<RecoveryNote>,
    pub(super) created: bool,
    /// Finished days that are not sealed yet.
    pub(super) unsealed: Vec<DayFile>,
}

pub(super) fn io_error<'a>(
    doing: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> JournalError + 'a {
    move |source| JournalError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

/// Finishes or undoes what a crash left half done. Only at start: later, a `.building`
/// file may be somebody's work in progress.
pub(super) fn tidy_up(dir: &Path) -> Result<Vec<RecoveryNote>, JournalError> {
    let listing = names::list(dir).map_err(io_error("list the journal directory", dir))?;
    let mut notes = Vec::new();
    listing.building.iter().for_each(|path| {
        if let Err(error) = fs::remove_file(path) {
            tracing::warn!(file = name_of(path), %error, "could not remove a left-over file");
        }
    });
    for database in &listing.orphan_wals {
        place_orphan(&listing, database, &mut notes)?;
    }
    for place in &listing.ready {
        let ready = beside(place, names::READY);
        if place.exists() {
            file::remove_with_companions(&ready);
        } else {
            fs::rename(&ready, place).map_err(io_error("put a file in its place", place))?;
        }
    }
    for live in &listing.superseded {
        drop_superseded(dir, live, &mut notes)?;
    }
    file::sync_dir(dir).map_err(io_error("sync the journal directory", dir))?;
    Ok(notes)
}

/// A write-ahead log without its database: left between two renames or two removals.
fn place_orphan(
    listing: &Listing,
    database: &Path,
    notes: &mut Vec<RecoveryNote>,
) -> Result<(), JournalError> {
    let wal = beside(database, "-wal");
    let sealed = listing.days.iter().any(|file| {
        file.sealed
            && DayFile::new(database.parent().unwrap_or(database), file.day, false).path == database
    });
    if sealed {
        return fs::remove_file(&wal).map_err(io_error("remove a left-over file", &wal));
    }
    let aside = match names::newest_set_aside(database) {
        Some(aside) if !beside(&aside, "-wal").exists() => aside,
        _ => {
            let aside = names::set_aside_name(database);
            notes.push(RecoveryNote {
                file: name_of(database),
                set_aside: Some(name_of(&beside(&aside, "-wal"))),
                reason: "the file is gone, only its write-ahead log is there".to_owned(),
                entries_kept: 0,
                breaks: Vec::new(),
            });
            aside
        }
    };
    fs::rename(&wal, beside(&aside, "-wal")).map_err(io_error("set a file aside", &wal))
}

/// Sealing stopped between putting the sealed file in place and removing the live one.
fn drop_superseded(
    dir: &Path,
    live: &DayFile,
    notes: &mut Vec<RecoveryNote>,
) -> Result<(), JournalError> {
    let sealed = DayFile::new(dir, live.day, true);
    match read_end(&sealed) {
        Ok((_, meta)) if meta.seal.is_some() => file::remove_with_companions(&live.path),
        outcome => {
            let reason = outcome
                .err()
                .map_or("it bears no seal".to_owned(), |e| e.to_string());
            let aside = salvage::set_aside(&sealed.path)?;
            notes.push(RecoveryNote {
                file: sealed.name,
                set_aside: Some(name_of(&aside)),
                reason: format!("{reason}; the unsealed file of the day is used instead"),
                entries_kept: 0,
                breaks: Vec::new(),
            });
        }
    }
    Ok(())
}

/// The end of a file as it states it, and its `meta`.
pub(super) fn read_end(file: &DayFile) -> Result<(End, Meta), FileFault> {
    let conn = file::open_read(&file.path)?;
    let meta = file::read_meta(&conn)?;
    let end = file::stated_end(&conn, &meta)?;
    Ok((end, meta))
}

/// Finds the end of the journal. Damage of the newest file is repaired as far as it goes.
pub(super) fn open_tail(dir: &Path, wanted: &Wanted) -> Result<Tail, JournalError> {
    let listing = names::list(dir).map_err(io_error("list the journal directory", dir))?;
    let Some((newest, older)) = listing.days.split_last() else {
        return fresh(wanted);
    };
    let mut notes = Vec::new();
    let before = last_readable(older, &mut notes);
    let examined = match examine(newest) {
        Err(FileFault::Damaged(reason)) => {
            let (examined, note) = salvage::salvage(dir, newest, &reason, before.as_ref(), wanted)?;
            notes.push(note);
            examined
        }
        other => other.map_err(|fault| fault.into_error("open", &newest.path))?,
    };
    let Examined { end, meta, current } = examined;
    if let Some((previous, _)) = before
        && (previous.seq, previous.chain) != (meta.previous.seq, meta.previous.chain)
    {
        notes.push(RecoveryNote {
            file: newest.name.clone(),
            set_aside: None,
            reason: format!(
                "the file goes on after entry {}, but the file before it ends with entry {}; \
                 a file is missing or was replaced",
                meta.previous.seq, previous.seq
            ),
            entries_kept: 0,
            breaks: Vec::new(),
        });
    }
    let mut tail = Tail {
        end,
        kind: meta.kind,
        genesis: meta.genesis,
        pending: meta
            .breaks
            .iter()
            .find(|broken| broken.after_seq == end.seq)
            .cloned(),
        current,
        last_day: Some(newest.day),
        notes,
        created: false,
        unsealed: older.iter().filter(|file| !file.sealed).cloned().collect(),
    };
    raise_to_floor(&mut tail, wanted.floor, &newest.name)?;
    Ok(tail)
}

/// A journal without files.
fn fresh(wanted: &Wanted) -> Result<Tail, JournalError> {
    let genesis = new_genesis()?;
    let mut tail = Tail {
        end: End {
            seq: 0,
            at_ms: 0,
            chain: wanted.kind.genesis(&genesis),
        },
        kind: wanted.kind,
        genesis,
        current: None,
        last_day: None,
        pending: None,
        notes: Vec::new(),
        created: true,
        unsealed: Vec::new(),
    };
    raise_to_floor(&mut tail, wanted.floor, "")?;
    Ok(tail)
}

pub(super) fn new_genesis() -> Result<[u8; 16], JournalError> {
    let mut genesis = [0; 16];
    getrandom::fill(&mut genesis).map_err(JournalError::Random)?;
    Ok(genesis)
}

/// A number that was given out is never given again: when somebody else has seen a higher
/// one than the journal holds, the journal lost entries, and says so.
fn raise_to_floor(tail: &mut Tail, floor: u64, name: &str) -> Result<(), JournalError> {
    let next = tail
        .pending
        .as_ref()
        .map_or(tail.end.seq + 1, |broken| broken.next_seq);
    if next > floor {
        return Ok(());
    }
    let broken = Break {
        after_seq: tail.end.seq,
        next_seq: floor.saturating_add(1),
        chain: super::chain::to_hex(&tail.end.chain),
        reason: format!(
            "the journal ends with entry {}, but entry {floor} was already processed",
            tail.end.seq
        ),
    };
    if let Some(current) = &mut tail.current {
        current
            .breaks
            .retain(|old| old.after_seq != broken.after_seq);
        file::add_break(&current.conn, &current.breaks, broken.clone())
            .map_err(|fault| fault.into_error("note a break", &current.file.path))?;
        current.breaks.push(broken.clone());
    }
    tail.notes.push(RecoveryNote {
        file: name.to_owned(),
        set_aside: None,
        reason: broken.reason.clone(),
        entries_kept: 0,
        breaks: vec![broken.clone()],
    });
    tail.pending = Some(broken);
    Ok(())
}

/// The newest of the older files that can be read. Unreadable ones are reported, not moved:
/// nothing is appended to them.
fn last_readable(older: &[DayFile], notes: &mut Vec<RecoveryNote>) -> Option<(End, Meta)> {
    for file in older.iter().rev() {
        match read_end(file) {
            Ok(found) => return Some(found),
            Err(fault) => notes.push(RecoveryNote {
                file: file.name.clone(),
                set_aside: None,
                reason: format!("the file cannot be read, restore it from a backup: {fault}"),
                entries_kept: 0,
                breaks: Vec::new(),
            }),
        }
    }
    None
}

/// A file in good order, as far as its tail shows.
pub(super) struct Examined {
    pub(super) end: End,
    pub(super) meta: Meta,
    /// `None` for a sealed file.
    pub(super) current: Option<Current>,
}

/// Opens the newest file and checks its last blocks.
pub(super) fn examine(file: &DayFile) -> Result<Examined, FileFault> {
    let opened = if file.sealed {
        file::open_read(&file.path)
    } else {
        file::open_live(&file.path)
    };
    let conn = opened.map_err(FileFault::sort)?;
    let meta = file::read_meta(&conn).map_err(FileFault::sort)?;
    let end = check_tail(&conn, &meta).map_err(FileFault::sort)?;
    if file.sealed != meta.seal.is_some() {
        return Err(FileFault::Damaged(
            "its seal does not go with its name".to_owned(),
        ));
    }
    let current = (!file.sealed).then(|| Current {
        file: file.clone(),
        conn,
        breaks: meta.breaks.clone(),
    });
    Ok(Examined { end, meta, current })
}

fn check_tail(conn: &Connection, meta: &Meta) -> Result<End, FileFault> {
    let mut statement =
        conn.prepare("SELECT first_seq, raw_len FROM block ORDER BY first_seq DESC LIMIT ?1")?;
    let mut rows = statement.query([TAIL_BLOCKS])?;
    let (mut starts, mut raw_bytes) = (Vec::new(), 0_u64);
    while let Some(row) = rows.next()? {
        let (first_seq, raw_len): (i64, i64) = (row.get(0)?, row.get(1)?);
        starts.push(
            u64::try_from(first_seq)
                .map_err(|_| FileFault::Damaged(format!("a block starts at {first_seq}")))?,
        );
        raw_bytes = raw_bytes.saturating_add(raw_len.unsigned_abs());
        if raw_bytes > TAIL_RAW_BYTES {
            break;
        }
    }
    drop(rows);
    let mut end = file::end_before(conn, meta, starts.last().copied().unwrap_or(1))?;
    for first_seq in starts.into_iter().rev() {
        let row = file::block_at(conn, first_seq)?
            .ok_or_else(|| FileFault::Damaged(format!("the block at {first_seq} vanished")))?;
        let checked = block::check(&row, &end, &meta.breaks, meta.kind);
        if let Some(fault) = checked.fault {
            return Err(FileFault::Damaged(format!(
                "entries {first_seq} to {}: {fault}",
                row.last_seq
            )));
        }
        end = checked.end;
    }
    Ok(end)
}
