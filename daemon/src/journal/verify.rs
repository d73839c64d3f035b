//! Recomputing everything: what `cemsd verify` shows.
//!
//! Found without help from outside: any changed, removed, inserted or moved entry, a missing
//! file between two others, a broken seal. Not found without help: that the newest entries
//! were cut off together with everything that speaks of them, and a journal rewritten from
//! some entry to the end by somebody who recomputed the chain. Both are found when a
//! [`Head`] taken earlier and kept elsewhere is given as an anchor.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::block::{self, BlockFault, BlockRow};
use super::chain::to_hex;
use super::file::{self, Break, End, FileFault, Meta};
use super::handle::head_of;
use super::names::{self, DayFile};
use super::reader;
use super::recover::read_end;
use super::seal::seal_of;
use super::{Head, ReadError};

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// Files checked.
    pub files: usize,
    /// Files among them that bear a seal.
    pub seals: usize,
    /// Entries found in order.
    pub entries: u64,
    /// The first entry's number; `None` without entries.
    pub first_seq: Option<u64>,
    /// The last entry's number; `None` without entries.
    pub last_seq: Option<u64>,
    /// Whether the chain holds from the first entry to the last.
    pub chain_ok: bool,
    /// Days before the first file are not here: the number of the last entry before it. Not
    /// a problem in itself, since old days may be kept elsewhere.
    pub starts_after: Option<u64>,
    /// Damaged files that recovery set aside; they still lie in the directory.
    pub set_aside: Vec<String>,
    /// The end of the chain as recomputed: publish it as an anchor.
    pub head: Option<Head>,
    /// Everything that is wrong.
    pub problems: Vec<Problem>,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.problems.is_empty()
    }
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The file's name; empty when it concerns the journal as a whole.
    pub file: String,
    /// The first entry concerned, as far as known.
    pub seq: Option<u64>,
    /// What it is.
    pub what: What,
}

/// The kinds of problems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum What {
    /// The file cannot be read.
    #[error("the file cannot be read: {reason}")]
    File {
        /// Why.
        reason: String,
    },
    /// A block is not sound.
    #[error("entries to {last_seq} are not trustworthy: {reason}")]
    Block {
        /// The last entry concerned.
        last_seq: u64,
        /// The fault in words.
        reason: String,
    },
    /// The file does not follow the one before it.
    #[error(
        "the file follows entry {stated_seq}, but the file before it ends with entry \
         {found_seq}: a file is missing or was replaced"
    )]
    Missing {
        /// Where the file says it goes on.
        stated_seq: u64,
        /// Where the file before it ends.
        found_seq: u64,
    },
    /// A break that recovery declared after damage.
    #[error("declared break, entries up to {next_seq} are lost or were never given: {reason}")]
    Break {
        /// The first entry behind it.
        next_seq: u64,
        /// What recovery wrote down.
        reason: String,
    },
    /// The file belongs to another journal.
    #[error("the file belongs to another journal: its genesis id or hash differs")]
    Foreign,
    /// The first link of the chain is not that of the genesis id.
    #[error("the chain does not start at the journal's genesis id")]
    Genesis,
    /// The day in the file is not the one in its name.
    #[error("the file was renamed: it says that it is the day {day}")]
    Renamed {
        /// The day it states.
        day: String,
    },
    /// The seal does not fit what is in the file.
    #[error("the seal is missing or does not fit the entries")]
    Seal,
    /// The journal ends before an anchor.
    #[error("cut off: an anchor speaks of entry {anchor_seq}, the journal ends before it")]
    Truncated {
        /// The anchor's number.
        anchor_seq: u64,
    },
    /// The chain has another value at an anchor.
    #[error("rewritten: the chain at this entry is not the anchor's")]
    Anchor,
}

/// Recomputes the whole journal in `dir`.
///
/// `anchors` are heads taken earlier and kept elsewhere. `progress` is called now and then
/// with entries done and in all. May run beside a writer: it sees what is committed.
///
/// # Errors
/// [`ReadError::Directory`] when the directory cannot be listed. Everything else is in the
/// report.
pub fn verify(
    dir: &Path,
    anchors: &[Head],
    progress: &mut dyn FnMut(u64, u64),
) -> Result<VerifyReport, ReadError> {
    let unlisted = |source| ReadError::Directory {
        dir: dir.to_owned(),
        source,
    };
    let files = names::list(dir).map_err(unlisted)?.days;
    let mut walk = Walk {
        report: VerifyReport {
            files: files.len(),
            seals: 0,
            entries: 0,
            first_seq: None,
            last_seq: None,
            chain_ok: true,
            starts_after: None,
            set_aside: set_aside(dir).map_err(unlisted)?,
            head: None,
            problems: Vec::new(),
        },
        anchors,
        met: vec![false; anchors.len()],
        at: None,
        declared: Vec::new(),
        total: total(&files),
        progress,
    };
    for file in &files {
        walk.file(file);
    }
    Ok(walk.finish())
}

fn set_aside(dir: &Path) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    for item in fs::read_dir(dir)? {
        let name = item?.file_name().to_string_lossy().into_owned();
        if name.contains(".damaged-") && !name.ends_with("-wal") {
            found.push(name);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Entries in all, by the outer ends of the files; only for the progress bar.
fn total(files: &[DayFile]) -> u64 {
    let first = files.iter().find_map(|file| read_end(file).ok());
    let last = files.iter().rev().find_map(|file| read_end(file).ok());
    match (first, last) {
        (Some((_, meta)), Some((end, _))) => end.seq.saturating_sub(meta.previous.seq),
        _ => 0,
    }
}

struct Walk<'a> {
    report: VerifyReport,
    anchors: &'a [Head],
    met: Vec<bool>,
    /// The end so far and the `meta` of the file it is in.
    at: Option<(End, Meta)>,
    /// Breaks reported already: one at the end of a day stands in the next file as well.
    declared: Vec<Break>,
    total: u64,
    progress: &'a mut dyn FnMut(u64, u64),
}

impl Walk<'_> {
    fn problem(&mut self, file: &DayFile, seq: Option<u64>, what: What) {
        if !matches!(what, What::Renamed { .. } | What::Seal) {
            self.report.chain_ok = false;
        }
        self.report.problems.push(Problem {
            file: file.name.clone(),
            seq,
            what,
        });
    }

    fn file(&mut self, file: &DayFile) {
        let (file, conn, meta) = match reader::open(file) {
            Ok(opened) => opened,
            Err(fault) => {
                let reason = fault.to_string();
                let seq = self.at.as_ref().map(|(end, _)| end.seq + 1);
                return self.problem(file, seq, What::File { reason });
            }
        };
        let file = &file;
        self.heading(file, &meta);
        let mut end = meta.previous;
        let mut entries = 0_u64;
        let (starts, fault) = file::starts(&conn);
        if let Some(fault) = fault {
            self.problem(
                file,
                None,
                What::File {
                    reason: fault.to_string(),
                },
            );
        }
        for first_seq in starts {
            match file::block_at(&conn, first_seq) {
                Ok(Some(row)) => {
                    entries += self.block(file, &row, &end, &meta);
                    end = End {
                        seq: row.last_seq,
                        at_ms: row.last_at_ms,
                        chain: row.chain,
                    };
                }
                Ok(None) => {}
                Err(fault) => self.unreadable(file, first_seq, &fault),
            }
            (self.progress)(self.report.entries, self.total);
        }
        self.declared(file, &meta, &end);
        self.seal(file, &meta, &end, entries);
        self.at = Some((end, meta));
    }

    /// What a file says before its first entry.
    fn heading(&mut self, file: &DayFile, meta: &Meta) {
        let stated = meta.previous;
        match self.at.take() {
            None if stated.seq == 0 => {
                if stated.chain != meta.kind.genesis(&meta.genesis) {
                    self.problem(file, Some(1), What::Genesis);
                }
            }
            None => self.report.starts_after = Some(stated.seq),
            Some((found, before)) => {
                if (before.kind, before.genesis) != (meta.kind, meta.genesis) {
                    self.problem(file, None, What::Foreign);
                }
                if (found.seq, found.chain) != (stated.seq, stated.chain) {
                    let what = What::Missing {
                        stated_seq: stated.seq,
                        found_seq: found.seq,
                    };
                    self.problem(file, Some(found.seq.saturating_add(1)), what);
                }
            }
        }
        if meta.day != file.day.text() {
            self.problem(
                file,
                None,
                What::Renamed {
                    day: meta.day.clone(),
                },
            );
        }
    }

    /// Checks one block; the number of sound entries in it.
    fn block(&mut self, file: &DayFile, row: &BlockRow, end: &End, meta: &Meta) -> u64 {
        let checked = block::check(row, end, &meta.breaks, meta.kind);
        if let Some(fault) = checked.fault {
            let reason = fault.to_string();
            // The last entry that is missing is worth more than the block behind the gap.
            let seq = match fault {
                BlockFault::Gap { expected, .. } => expected,
                BlockFault::Time { seq } => seq,
                _ => row.first_seq,
            };
            self.problem(
                file,
                Some(seq),
                What::Block {
                    last_seq: row.last_seq,
                    reason,
                },
            );
            return 0;
        }
        let (_, mut chain) = block::follow(end, &meta.breaks);
        let inside = |head: &Head| (row.first_seq..=row.last_seq).contains(&head.seq);
        if self.anchors.iter().any(inside) {
            for entry in &checked.entries {
                chain = meta.kind.link(&chain, entry);
                self.meet(
                    file,
                    &End {
                        seq: entry.seq,
                        at_ms: entry.at_ms,
                        chain,
                    },
                    meta,
                );
            }
        }
        let count = u64::try_from(checked.entries.len()).unwrap_or(u64::MAX);
        self.report.entries += count;
        self.report.first_seq.get_or_insert(row.first_seq);
        self.report.last_seq = Some(row.last_seq);
        self.report.head = Some(head_of(&checked.end, meta.kind));
        count
    }

    fn meet(&mut self, file: &DayFile, end: &End, meta: &Meta) {
        for (anchor, met) in self.anchors.iter().zip(&mut self.met) {
            if anchor.seq == end.seq {
                *met = true;
                if (anchor.hash, anchor.chain.as_str()) != (meta.kind, &to_hex(&end.chain)) {
                    self.report.chain_ok = false;
                    self.report.problems.push(Problem {
                        file: file.name.clone(),
                        seq: Some(end.seq),
                        what: What::Anchor,
                    });
                }
            }
        }
    }

    fn unreadable(&mut self, file: &DayFile, first_seq: u64, fault: &FileFault) {
        let reason = BlockFault::Row(fault.to_string()).to_string();
        self.problem(
            file,
            Some(first_seq),
            What::Block {
                last_seq: first_seq,
                reason,
            },
        );
    }

    /// Breaks are honest, but they are losses: each is reported once.
    fn declared(&mut self, file: &DayFile, meta: &Meta, end: &End) {
        let breaks: Vec<Break> = meta
            .breaks
            .iter()
            .filter(|broken| broken.after_seq <= end.seq && !self.declared.contains(broken))
            .cloned()
            .collect();
        self.declared.extend_from_slice(&breaks);
        for broken in breaks {
            let Break {
                after_seq,
                next_seq,
                reason,
                ..
            } = broken;
            let what = What::Break { next_seq, reason };
            self.problem(file, Some(after_seq.saturating_add(1)), what);
        }
    }

    fn seal(&mut self, file: &DayFile, meta: &Meta, end: &End, entries: u64) {
        let fits = match &meta.seal {
            Some(seal) => file.sealed && *seal == seal_of(end, entries),
            None => !file.sealed,
        };
        if meta.seal.is_some() {
            self.report.seals += 1;
        }
        if !fits {
            self.problem(file, Some(end.seq), What::Seal);
        }
    }

    fn finish(mut self) -> VerifyReport {
        let last = self.report.last_seq.unwrap_or(0);
        for (anchor, met) in self.anchors.iter().zip(self.met) {
            if !met && anchor.seq > last {
                self.report.chain_ok = false;
                self.report.problems.push(Problem {
                    file: String::new(),
                    seq: Some(last.saturating_add(1)),
                    what: What::Truncated {
                        anchor_seq: anchor.seq,
                    },
                });
            }
        }
        (self.progress)(self.report.entries, self.total.max(self.report.entries));
        self.report
    }
}
