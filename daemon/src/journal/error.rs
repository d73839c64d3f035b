//! What can go wrong with the journal, in words that say what to do.

use std::io;
use std::path::PathBuf;

/// Why the journal could not be opened or did not take an entry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Another process (or another handle of this one) writes this journal.
    #[error(
        "the journal is in use by another daemon; stop it, or give this one another data \
         directory: {}", dir.display()
    )]
    Locked {
        /// The journal directory.
        dir: PathBuf,
    },
    /// The directory or a file in it could not be created, listed, renamed or removed.
    #[error(
        "could not {doing} ({source}); check that it exists, is writable by this user and has \
         room: {}", path.display()
    )]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
    /// SQLite could not open or read a file for a reason that is not damage.
    #[error("could not {doing} ({source}); check permissions and free space: {file}")]
    Sqlite {
        /// What was being done.
        doing: &'static str,
        /// The file's name.
        file: String,
        /// SQLite's answer.
        #[source]
        source: rusqlite::Error,
    },
    /// The file was written by a newer program; it is left untouched.
    #[error("this journal file needs a newer cemsd (its format is {version}); upgrade: {file}")]
    NewerFormat {
        /// The file's name.
        file: String,
        /// The format version it states.
        version: u32,
    },
    /// One entry is larger than [`super::ENTRY_BYTES_MAX`].
    #[error("an entry may hold at most {max} bytes; split it; bytes given: {bytes}")]
    EntryTooLarge {
        /// Size of the body offered.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// One `append_many` is larger than [`super::MANY_ENTRIES_MAX`] or
    /// [`super::MANY_BYTES_MAX`].
    #[error(
        "one commit takes at most {max_entries} entries and {max_bytes} bytes; send it in \
         parts; given: {entries} entries, {bytes} bytes"
    )]
    ManyTooLarge {
        /// Entries offered.
        entries: usize,
        /// Bytes offered.
        bytes: usize,
        /// The limit of entries.
        max_entries: usize,
        /// The limit of bytes.
        max_bytes: usize,
    },
    /// The time given lies outside 1970-01-01 to 9999-12-30 UTC.
    #[error("an entry's time must lie between 1970 and 9999; correct the clock; ms: {at_ms}")]
    TimeOutOfRange {
        /// The time given, UTC milliseconds.
        at_ms: i64,
    },
    /// The operating system gave no random bytes for the genesis id.
    #[error("the operating system gave no random bytes ({0}); try again")]
    Random(getrandom::Error),
    /// The journal was closed, or its writer ended.
    #[error("the journal is closed; nothing was stored; start the daemon again")]
    Closed,
    /// The journal was closed while commits were failing; the entry was not stored.
    #[error("the daemon stopped while the journal could not write, nothing was stored: {cause}")]
    GaveUp {
        /// Why commits were failing.
        cause: String,
    },
}

impl JournalError {
    /// Whether the same call may succeed later without a change to the call itself.
    #[must_use]
    pub fn recoverable(&self) -> bool {
        match self {
            Self::Locked { .. } | Self::Io { .. } | Self::Sqlite { .. } | Self::Random(_) => true,
            Self::NewerFormat { .. }
            | Self::EntryTooLarge { .. }
            | Self::ManyTooLarge { .. }
            | Self::TimeOutOfRange { .. }
            | Self::Closed
            | Self::GaveUp { .. } => false,
        }
    }
}

/// What a reader met instead of an entry. Reading goes on behind it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The directory could not be listed.
    #[error("could not list the journal directory ({source}): {}", dir.display())]
    Directory {
        /// The journal directory.
        dir: PathBuf,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
    /// A file could not be opened or read at all; its entries are skipped.
    #[error("could not read the journal file ({reason}); run `cemsd verify`: {file}")]
    File {
        /// The file's name.
        file: String,
        /// What was wrong.
        reason: String,
    },
    /// A block is damaged or does not fit the chain; its entries are skipped.
    #[error(
        "entries {first_seq} to {last_seq} are not trustworthy ({reason}); run `cemsd verify`: \
         {file}"
    )]
    Block {
        /// The file's name.
        file: String,
        /// First entry of the block, as its row states.
        first_seq: u64,
        /// Last entry of the block, as its row states.
        last_seq: u64,
        /// What was wrong.
        reason: String,
    },
    /// Entries between two files are missing.
    #[error("entries after {after_seq} and before {next_seq} are missing; restore the file")]
    Missing {
        /// Last entry read.
        after_seq: u64,
        /// Next entry there is.
        next_seq: u64,
    },
}
