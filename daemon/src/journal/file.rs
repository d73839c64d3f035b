//! One SQLite file of the journal: its tables, its `meta`, its rows.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use super::block::BlockRow;
use super::chain::{ChainValue, HashKind, from_hex, to_hex};
use super::names::{self, beside, name_of};
use super::{BLOCK_DATA_MAX, JournalError};

/// Version of the layout described in README.md.
pub(super) const FORMAT: u32 = 1;

/// A reader holds a file only for the time of one row; longer than this is a hung disk.
const BUSY: Duration = Duration::from_secs(5);

const SCHEMA: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE block (
  first_seq INTEGER PRIMARY KEY,
  last_seq INTEGER NOT NULL,
  first_at_ms INTEGER NOT NULL,
  last_at_ms INTEGER NOT NULL,
  raw_len INTEGER NOT NULL,
  codec TEXT NOT NULL CHECK (codec IN ('deflate', 'none')),
  data BLOB NOT NULL,
  chain BLOB NOT NULL
) STRICT;
";

const COLUMNS: &str = "first_seq, last_seq, first_at_ms, last_at_ms, raw_len, codec, data, chain";

/// Where the journal stands after some entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    pub(super) seq: u64,
    pub(super) at_ms: i64,
    pub(super) chain: ChainValue,
}

/// A place where the chain does not go on by itself: entries were lost to damage, and
/// recovery wrote down where numbering and chain start again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    /// The last entry before the break.
    pub after_seq: u64,
    /// The first entry behind it; numbers in between are lost or were never given.
    pub next_seq: u64,
    /// The chain value the entry behind the break starts from, hexadecimal.
    pub chain: String,
    /// What happened.
    pub reason: String,
}

impl Break {
    pub(super) fn chain_value(&self) -> Option<ChainValue> {
        from_hex(&self.chain)
    }
}

/// The final state of a finished day's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// Number of the last entry.
    pub last_seq: u64,
    /// Entries in the file.
    pub entries: u64,
    /// Chain value after the last entry, hexadecimal.
    pub chain: String,
}

/// What a file says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) kind: HashKind,
    pub(super) genesis: [u8; 16],
    pub(super) day: String,
    pub(super) offset_minutes: i32,
    /// The end of the file before.
    pub(super) previous: End,
    pub(super) breaks: Vec<Break>,
    pub(super) seal: Option<Seal>,
}

/// Why a file could not be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileFault {
    /// The content is not what a journal file holds.
    #[error("{0}")]
    Damaged(String),
    /// The surroundings (permissions, space, locks), not the content.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Written by a newer program.
    #[error("format {0} is newer than this program")]
    Newer(u32),
}

impl FileFault {
    pub(super) fn into_error(self, doing: &'static str, path: &Path) -> JournalError {
        let file = name_of(path);
        match self {
            Self::Newer(version) => JournalError::NewerFormat { file, version },
            Self::Sqlite(source) => JournalError::Sqlite {
                doing,
                file,
                source,
            },
            Self::Damaged(reason) => JournalError::Io {
                doing,
                path: path.to_owned(),
                source: io::Error::new(io::ErrorKind::InvalidData, reason),
            },
        }
    }

    /// Turns SQLite's signs of a damaged file into `Damaged`.
    pub(super) fn sort(self) -> Self {
        match self {
            Self::Sqlite(error) if is_damage(&error) => Self::Damaged(error.to_string()),
            other => other,
        }
    }
}

/// Whether an error speaks of the content and not of the surroundings. An unreadable
/// sector counts as content: start-up must not depend on it.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => matches!(
            failure.code,
            ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::SystemIoFailure
                | ErrorCode::TypeMismatch
                | ErrorCode::TooBig
                | ErrorCode::Unknown
        ),
        rusqlite::Error::SqlInputError { .. }
        | rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::InvalidColumnName(_)
        | rusqlite::Error::QueryReturnedNoRows => true,
        _ => false,
    }
}

/// Opens a live file for writing.
pub(super) fn open_live(path: &Path) -> Result<Connection, FileFault> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    prepare(&conn)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    Ok(conn)
}

/// Opens any file for reading.
pub(super) fn open_read(path: &Path) -> Result<Connection, FileFault> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    prepare(&conn)?;
    Ok(conn)
}

fn prepare(conn: &Connection) -> Result<(), FileFault> {
    conn.busy_timeout(BUSY)?;
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, BLOCK_DATA_MAX)?;
    conn.pragma_update(None, "trusted_schema", "OFF")?;
    Ok(())
}

/// Creates a complete file under `path` + `.building`: tables, `meta`, and whatever `fill`
/// adds, in one transaction, synced and closed. The caller renames it into its place, so a
/// day file is either absent or whole.
pub(super) fn build(
    path: &Path,
    meta: &Meta,
    fill: &mut dyn FnMut(&Connection) -> Result<(), FileFault>,
) -> Result<(), FileFault> {
    let building = beside(path, names::BUILDING);
    remove_with_companions(&building);
    let mut conn = Connection::open_with_flags(
        &building,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    prepare(&conn)?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    let result = (|| {
        let transaction = conn.transaction()?;
        transaction.execute_batch(SCHEMA)?;
        put_meta(&transaction, meta)?;
        fill(&transaction)?;
        transaction.commit()?;
        Ok(())
    })();
    drop(conn);
    if result.is_err() {
        remove_with_companions(&building);
    }
    result
}

/// Removes a database with its `-wal`, `-shm` and `-journal`; absent ones are no matter.
pub(super) fn remove_with_companions(path: &Path) {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        if let Err(error) = fs::remove_file(beside(path, suffix))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(file = name_of(path), %error, "could not remove a left-over file");
        }
    }
}

/// Makes the names in a directory durable.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    fs::File::open(dir)?.sync_all()
}

fn put_meta(conn: &Connection, meta: &Meta) -> Result<(), FileFault> {
    let mut put = conn.prepare("INSERT INTO meta (key, value) VALUES (?1, ?2)")?;
    let mut pair = |key: &str, value: String| put.execute([key, value.as_str()]).map(drop);
    pair("format", FORMAT.to_string())?;
    pair("hash", meta.kind.name().to_owned())?;
    pair("genesis", to_hex(&meta.genesis))?;
    pair("day", meta.day.clone())?;
    pair("offset_minutes", meta.offset_minutes.to_string())?;
    pair("previous_seq", meta.previous.seq.to_string())?;
    pair("previous_at_ms", meta.previous.at_ms.to_string())?;
    pair("previous_chain", to_hex(&meta.previous.chain))?;
    if !meta.breaks.is_empty() {
        pair("chain_break", as_json(&meta.breaks)?)?;
    }
    if let Some(seal) = &meta.seal {
        pair("seal", as_json(seal)?)?;
    }
    Ok(())
}

fn as_json<T: Serialize>(value: &T) -> Result<String, FileFault> {
    serde_json::to_string(value).map_err(|error| FileFault::Damaged(error.to_string()))
}

/// Writes down one more break in a live file.
pub(super) fn add_break(conn: &Connection, known: &[Break], new: Break) -> Result<(), FileFault> {
    let mut breaks = known.to_vec();
    breaks.push(new);
    conn.execute(
        "INSERT OR REPLACE INTO meta (key, value) VALUES ('chain_break', ?1)",
        [as_json(&breaks)?],
    )?;
    Ok(())
}

/// Writes the seal into a file being built.
pub(super) fn put_seal(conn: &Connection, seal: &Seal) -> Result<(), FileFault> {
    conn.execute(
        "INSERT INTO meta (key, value) VALUES ('seal', ?1)",
        [as_json(seal)?],
    )?;
    Ok(())
}

/// Reads `meta`.
pub(super) fn read_meta(conn: &Connection) -> Result<Meta, FileFault> {
    let mut get = conn.prepare("SELECT value FROM meta WHERE key = ?1")?;
    let mut text = |key: &str| -> Result<Option<String>, FileFault> {
        Ok(get.query_row([key], |row| row.get(0)).optional()?)
    };
    let mut need = |key: &str| -> Result<String, FileFault> {
        text(key)?.ok_or_else(|| FileFault::Damaged(format!("meta has no {key}")))
    };
    let format: u32 = number("format", &need("format")?)?;
    if format > FORMAT {
        return Err(FileFault::Newer(format));
    }
    let wrong = |key: &str| FileFault::Damaged(format!("meta has a wrong {key}"));
    let kind = HashKind::from_name(&need("hash")?).ok_or_else(|| wrong("hash"))?;
    let genesis = from_hex(&need("genesis")?).ok_or_else(|| wrong("genesis"))?;
    let previous = End {
        seq: number("previous_seq", &need("previous_seq")?)?,
        at_ms: number("previous_at_ms", &need("previous_at_ms")?)?,
        chain: from_hex(&need("previous_chain")?).ok_or_else(|| wrong("previous_chain"))?,
    };
    let day = need("day")?;
    let offset_minutes = number("offset_minutes", &need("offset_minutes")?)?;
    let breaks: Vec<Break> = match text("chain_break")? {
        Some(json) => serde_json::from_str(&json).map_err(|_| wrong("chain_break"))?,
        None => Vec::new(),
    };
    let seal = match text("seal")? {
        Some(json) => Some(serde_json::from_str(&json).map_err(|_| wrong("seal"))?),
        None => None,
    };
    Ok(Meta {
        kind,
        genesis,
        day,
        offset_minutes,
        previous,
        breaks,
        seal,
    })
}

fn number<T: std::str::FromStr>(key: &str, text: &str) -> Result<T, FileFault> {
    text.parse()
        .map_err(|_| FileFault::Damaged(format!("meta has a wrong {key}")))
}

/// SQLite integers are signed; sequence numbers stay far below that.
fn signed(value: u64) -> Result<i64, FileFault> {
    i64::try_from(value).map_err(|_| FileFault::Damaged(format!("number too large: {value}")))
}

/// Adds one row.
pub(super) fn insert(conn: &Connection, row: &BlockRow) -> Result<(), FileFault> {
    conn.prepare(
        "INSERT INTO block (first_seq, last_seq, first_at_ms, last_at_ms, raw_len, codec, data, \
         chain) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        signed(row.first_seq)?,
        signed(row.last_seq)?,
        row.first_at_ms,
        row.last_at_ms,
        signed(row.raw_len)?,
        row.codec,
        row.data,
        row.chain.as_slice(),
    ])?;
    Ok(())
}

fn block_of(row: &Row<'_>) -> rusqlite::Result<BlockRow> {
    Ok(BlockRow {
        first_seq: unsigned(row, 0)?,
        last_seq: unsigned(row, 1)?,
        first_at_ms: row.get(2)?,
        last_at_ms: row.get(3)?,
        raw_len: unsigned(row, 4)?,
        codec: row.get(5)?,
        data: row.get(6)?,
        chain: row.get(7)?,
    })
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// The block that starts at `first_seq`.
pub(super) fn block_at(conn: &Connection, first_seq: u64) -> Result<Option<BlockRow>, FileFault> {
    let sql = format!("SELECT {COLUMNS} FROM block WHERE first_seq = ?1");
    let row = conn
        .prepare(&sql)?
        .query_row([signed(first_seq)?], block_of)
        .optional()?;
    Ok(row)
}

/// The first block that starts behind `seq`.
pub(super) fn block_after(conn: &Connection, seq: u64) -> Result<Option<BlockRow>, FileFault> {
    let sql =
        format!("SELECT {COLUMNS} FROM block WHERE first_seq > ?1 ORDER BY first_seq LIMIT 1");
    let row = conn
        .prepare(&sql)?
        .query_row([signed(seq)?], block_of)
        .optional()?;
    Ok(row)
}

/// The number at which the next block behind `seq` starts, when its row cannot be read.
pub(super) fn start_after(conn: &Connection, seq: u64) -> Result<Option<u64>, FileFault> {
    let next = conn
        .prepare("SELECT first_seq FROM block WHERE first_seq > ?1 ORDER BY first_seq LIMIT 1")?
        .query_row([signed(seq)?], |row| unsigned(row, 0))
        .optional()?;
    Ok(next)
}

/// The start of the block that holds `seq`, or of the last one before it.
pub(super) fn start_at_or_before(conn: &Connection, seq: u64) -> Result<Option<u64>, FileFault> {
    let start = conn
        .prepare(
            "SELECT first_seq FROM block WHERE first_seq <= ?1 ORDER BY first_seq DESC LIMIT 1",
        )?
        .query_row([signed(seq.min(i64::MAX.unsigned_abs()))?], |row| {
            unsigned(row, 0)
        })
        .optional()?;
    Ok(start)
}

/// The end of the last block that starts before `first_seq`; the previous file's end when
/// there is none.
pub(super) fn end_before(conn: &Connection, meta: &Meta, first_seq: u64) -> Result<End, FileFault> {
    let end = conn
        .prepare(
            "SELECT last_seq, last_at_ms, chain FROM block WHERE first_seq < ?1 \
             ORDER BY first_seq DESC LIMIT 1",
        )?
        .query_row([signed(first_seq)?], |row| {
            Ok(End {
                seq: unsigned(row, 0)?,
                at_ms: row.get(1)?,
                chain: row.get(2)?,
            })
        })
        .optional()?;
    Ok(end.unwrap_or(meta.previous))
}

/// The end of the file as its last row states it.
pub(super) fn stated_end(conn: &Connection, meta: &Meta) -> Result<End, FileFault> {
    end_before(conn, meta, i64::MAX.unsigned_abs())
}

/// The numbers at which blocks start, ascending. Where the table's tree is damaged, those
/// that can be reached from its two ends.
pub(super) fn starts(conn: &Connection) -> (Vec<u64>, Option<FileFault>) {
    let scan = |sql: &str, found: &mut Vec<u64>| -> Result<(), FileFault> {
        let mut statement = conn.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            found.push(unsigned(row, 0)?);
        }
        Ok(())
    };
    let mut found = Vec::new();
    let fault = scan("SELECT first_seq FROM block ORDER BY first_seq", &mut found).err();
    if fault.is_some()
        && let Err(error) = scan(
            "SELECT first_seq FROM block ORDER BY first_seq DESC",
            &mut found,
        )
    {
        tracing::debug!(%error, "the block table is damaged from both ends");
    }
    found.sort_unstable();
    found.dedup();
    (found, fault)
}

/// Moves everything from the write-ahead log into the file and empties the log. `false`
/// when a reader was in the way.
pub(super) fn checkpoint(conn: &Connection) -> Result<bool, FileFault> {
    let busy: i64 = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(busy == 0)
}
