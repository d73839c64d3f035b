//! Reading entries back, in order, block by block.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::block;
use super::file::{self, End, FileFault, Meta};
use super::handle::head_of;
use super::names::{self, Day, DayFile};
use super::recover::read_end;
use super::{Entry, Head, ReadError};

/// Tries to open a file that is being replaced by its sealed form at this moment.
const OPEN_ATTEMPTS: u32 = 3;

/// Reads a journal; needs no lock and disturbs no writer.
#[derive(Debug, Clone)]
pub struct Reader {
    dir: PathBuf,
}

impl Reader {
    /// A reader of the journal in `dir`.
    ///
    /// # Errors
    /// [`ReadError::Directory`] when the directory cannot be listed.
    pub fn open(dir: &Path) -> Result<Self, ReadError> {
        list(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
        })
    }

    /// The entries with the number `seq` and higher, in order.
    ///
    /// At most one block is in memory. Each block is checked against the chain before its
    /// entries are given; what does not hold comes as an error in its place, and reading
    /// goes on behind it. After `None` the same iterator gives what was committed since.
    #[must_use]
    pub fn entries_from(&self, seq: u64) -> Entries {
        Entries {
            dir: self.dir.clone(),
            from: seq.max(1),
            place: None,
            ready: VecDeque::new(),
        }
    }

    /// The number of the newest entry; 0 when there is none.
    ///
    /// # Errors
    /// When the newest file cannot be read.
    pub fn last_seq(&self) -> Result<u64, ReadError> {
        Ok(self.head()?.map_or(0, |head| head.seq))
    }

    /// The end of the chain as the newest file states it; `None` for an empty directory.
    ///
    /// # Errors
    /// When the newest file cannot be read.
    pub fn head(&self) -> Result<Option<Head>, ReadError> {
        let mut attempt = 0;
        loop {
            let Some(newest) = list(&self.dir)?.pop() else {
                return Ok(None);
            };
            attempt += 1;
            match read_end(&newest) {
                Ok((end, meta)) => return Ok(Some(head_of(&end, meta.kind))),
                Err(fault) if attempt >= OPEN_ATTEMPTS => {
                    let reason = fault.to_string();
                    return Err(ReadError::File {
                        file: newest.name,
                        reason,
                    });
                }
                Err(_) => {}
            }
        }
    }
}

fn list(dir: &Path) -> Result<Vec<DayFile>, ReadError> {
    names::list(dir)
        .map(|listing| listing.days)
        .map_err(|source| ReadError::Directory {
            dir: dir.to_owned(),
            source,
        })
}

/// See [`Reader::entries_from`].
#[derive(Debug)]
pub struct Entries {
    dir: PathBuf,
    from: u64,
    place: Option<Place>,
    ready: VecDeque<Result<Entry, ReadError>>,
}

/// Where reading stands.
#[derive(Debug)]
struct Place {
    day: Day,
    name: String,
    /// `None` for a file that cannot be read: passed over.
    open: Option<(Connection, Meta)>,
    end: End,
    /// Start of the last block looked at.
    cursor: u64,
}

impl Iterator for Entries {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Some(ready);
            }
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Entries {
    /// Takes one step: a block, or the next file. `false` at the end.
    fn advance(&mut self) -> Result<bool, ReadError> {
        if self.place.is_none() {
            return self.start();
        }
        if self.read_block() {
            return Ok(true);
        }
        // The listing comes before the last look: a newer file in it means that this one is
        // finished, so what the look does not find is not there.
        let files = list(&self.dir)?;
        if self.read_block() {
            return Ok(true);
        }
        let after = self.place.as_ref().map(|place| place.day);
        match files.into_iter().find(|file| Some(file.day) > after) {
            Some(file) => {
                self.enter(&file);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Finds the file and block that hold `from`.
    fn start(&mut self) -> Result<bool, ReadError> {
        let files = list(&self.dir)?;
        let mut first = None;
        for file in files.iter().rev() {
            if let Ok((file, conn, meta)) = open(file) {
                let reached = meta.previous.seq < self.from;
                first = Some((file, conn, meta));
                if reached {
                    break;
                }
            }
        }
        let Some((file, conn, meta)) = first else {
            // Nothing can be read; say so file by file.
            return Ok(files.first().is_some_and(|file| {
                self.enter(file);
                true
            }));
        };
        if meta.previous.seq >= self.from {
            self.ready.push_back(Err(ReadError::Missing {
                after_seq: self.from - 1,
                next_seq: meta.previous.seq + 1,
            }));
        }
        let found = file::start_at_or_before(&conn, self.from).and_then(|start| match start {
            Some(start) => Ok((
                file::end_before(&conn, &meta, start)?,
                start.saturating_sub(1),
            )),
            None => Ok((meta.previous, 0)),
        });
        let (end, cursor) = found.unwrap_or((meta.previous, 0));
        self.place = Some(Place {
            day: file.day,
            name: file.name,
            open: Some((conn, meta)),
            end,
            cursor,
        });
        Ok(true)
    }

    /// Goes on with the next file.
    fn enter(&mut self, file: &DayFile) {
        let before = self.place.as_ref().map(|place| place.end);
        let start = End {
            seq: self.from - 1,
            at_ms: 0,
            chain: [0; 32],
        };
        let (open, end) = match open(file) {
            Ok((_, conn, meta)) => {
                let previous = meta.previous;
                if let Some(before) = before
                    && (before.seq, before.chain) != (previous.seq, previous.chain)
                {
                    self.ready.push_back(Err(ReadError::Missing {
                        after_seq: before.seq,
                        next_seq: previous.seq.saturating_add(1),
                    }));
                }
                (Some((conn, meta)), previous)
            }
            Err(fault) => {
                let reason = fault.to_string();
                self.ready.push_back(Err(ReadError::File {
                    file: file.name.clone(),
                    reason,
                }));
                (None, before.unwrap_or(start))
            }
        };
        self.place = Some(Place {
            day: file.day,
            name: file.name.clone(),
            open,
            end,
            cursor: 0,
        });
    }

    /// Reads the next block of the present file. `false` when it has no more.
    fn read_block(&mut self) -> bool {
        let Some(place) = &mut self.place else {
            return false;
        };
        let Some((conn, meta)) = &place.open else {
            return false;
        };
        match file::block_after(conn, place.cursor) {
            Ok(None) => false,
            Ok(Some(row)) => {
                let checked = block::check(&row, &place.end, &meta.breaks, meta.kind);
                (place.end, place.cursor) = (checked.end, row.first_seq);
                match checked.fault {
                    None => {
                        let from = self.from;
                        let wanted = checked.entries.into_iter().filter(|e| e.seq >= from);
                        self.ready.extend(wanted.map(Ok));
                    }
                    Some(fault) if row.last_seq >= self.from => {
                        self.ready.push_back(Err(ReadError::Block {
                            file: place.name.clone(),
                            first_seq: row.first_seq,
                            last_seq: row.last_seq,
                            reason: fault.to_string(),
                        }));
                    }
                    Some(_) => {}
                }
                true
            }
            Err(fault) => {
                self.pass_over(&fault);
                true
            }
        }
    }

    /// The next row cannot be read: report it and go behind it, or leave the file.
    fn pass_over(&mut self, fault: &FileFault) {
        let Some(place) = &mut self.place else { return };
        let reason = fault.to_string();
        let file = place.name.clone();
        let behind = place.open.as_ref().and_then(|(conn, meta)| {
            let start = file::start_after(conn, place.cursor).ok()??;
            let end = file::end_before(conn, meta, start.saturating_add(1)).ok()?;
            Some((start, end))
        });
        let error = match behind {
            Some((start, end)) => {
                (place.cursor, place.end) = (start, end);
                ReadError::Block {
                    file,
                    first_seq: start,
                    last_seq: end.seq,
                    reason,
                }
            }
            None => {
                place.open = None;
                ReadError::File { file, reason }
            }
        };
        self.ready.push_back(Err(error));
    }
}

/// Opens a file, or its sealed form when that has just taken its place; says which.
pub(super) fn open(file: &DayFile) -> Result<(DayFile, Connection, Meta), FileFault> {
    let attempt = |file: &DayFile| {
        let conn = file::open_read(&file.path)?;
        let meta = file::read_meta(&conn)?;
        Ok((file.clone(), conn, meta))
    };
    attempt(file).or_else(|fault: FileFault| {
        let twin = file
            .path
            .parent()
            .map(|dir| DayFile::new(dir, file.day, true))
            .filter(|twin| !file.sealed && twin.path.exists());
        twin.map_or(Err(fault), |twin| attempt(&twin))
    })
}
