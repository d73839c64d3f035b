//! Opening database files: settings of a connection, numbered migrations, the check that a file
//! is sound, and putting a damaged one aside.

use super::error::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a statement waits for a lock of another process before it gives up as busy. Longer
/// than any checkpoint or copy of a healthy machine takes.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of a database page. Aggregates with ten factors have about 1.5 KB; rows above a quarter
/// of a page go to a page of their own, so the default of 4096 would waste more than half. Also
/// that of canonical files, so a change needs a new schema version.
pub(super) const PAGE_SIZE: u32 = 8192;

/// Page cache of a connection, KiB: the current pages of some hundred outlets.
const CACHE_KIB: u32 = 16 * 1024;

/// The write-ahead log is cut back to this many bytes after a checkpoint.
const WAL_BYTES_KEPT: u32 = 64 * 1024 * 1024;

/// Files up to this size are read through when opened; larger ones would hold up the start for
/// minutes, their damage shows when the damaged page is read.
const CHECK_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Statements kept prepared per connection: all that the store has, and some.
const STATEMENTS_KEPT: usize = 96;

/// Most damaged files kept beside each other; above it a person has to clear up first.
const DAMAGED_FILES_MAX: u32 = 999;

/// A kind of database file: its mark and its migrations.
pub(crate) struct Schema {
    /// SQLite application id, so that no one else's file is taken for ours.
    pub(crate) application_id: i64,
    /// SQL of version 1, 2, 3 and so on; `user_version` counts how many were applied.
    pub(crate) migrations: &'static [&'static str],
}

/// The projections (application id `CEMP`).
pub(super) const PROJECTIONS: Schema = Schema {
    application_id: 0x4345_4d50,
    migrations: &[
        include_str!("migrations/0001-projections.sql"),
        include_str!("migrations/0002-exchanges.sql"),
        include_str!("migrations/0003-forward.sql"),
        include_str!("migrations/0004-judgement.sql"),
        include_str!("migrations/0005-desk.sql"),
        include_str!("migrations/0006-duties.sql"),
        include_str!("migrations/0007-outgoing.sql"),
        include_str!("migrations/0008-desk-of-a-scope.sql"),
        include_str!("migrations/0009-series-days.sql"),
    ],
};

/// Log-in sessions (application id `CEMS`).
pub(super) const SESSIONS: Schema = Schema {
    application_id: 0x4345_4d53,
    migrations: &[
        include_str!("migrations/sessions-0001.sql"),
        include_str!("migrations/sessions-0002.sql"),
    ],
};

/// A damaged file that was put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where it is now.
    pub set_aside: PathBuf,
    /// What was wrong with it.
    pub reason: String,
}

impl Schema {
    /// Version that [`migrate`](Self::migrate) brings a file to.
    pub(super) fn version(&self) -> i64 {
        i64::try_from(self.migrations.len()).expect("a handful of migrations")
    }

    /// Opens `path` for writing; creates or migrates it; a damaged file is put aside and a new
    /// one begun.
    pub(crate) fn open(&self, path: &Path) -> Result<(Connection, Option<Damage>), StoreError> {
        match self.open_sound(path) {
            Err(StoreError::Damaged(reason)) => {
                let set_aside = set_aside(path)?;
                let connection = self.open_sound(path)?;
                Ok((connection, Some(Damage { set_aside, reason })))
            }
            other => other.map(|connection| (connection, None)),
        }
    }

    fn open_sound(&self, path: &Path) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        keep_statements(&connection)?;
        // Has an effect on an empty file only, and must come before the log is switched on.
        connection.pragma_update(None, "page_size", PAGE_SIZE)?;
        self.check_owner(&connection, path)?;
        set_journal_mode(&connection, "wal")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
        connection.pragma_update(None, "cache_size", -i64::from(CACHE_KIB))?;
        check_pages(&connection, path)?;
        self.migrate(&mut connection)?;
        self.check_schema(&connection)?;
        Ok(connection)
    }

    /// Refuses files of other programs and of later versions of this one.
    pub(super) fn check_owner(
        &self,
        connection: &Connection,
        path: &Path,
    ) -> Result<(), StoreError> {
        let path = path.to_owned();
        let found: i64 = pragma(connection, "application_id")?;
        let objects: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
        if found != self.application_id && (objects > 0 || found != 0) {
            return Err(StoreError::Foreign { path, found });
        }
        let found: i64 = pragma(connection, "user_version")?;
        if found > self.version() {
            let known = self.version();
            return Err(StoreError::Newer { path, found, known });
        }
        Ok(())
    }

    /// Applies the migrations that are missing, each in its own transaction.
    pub(super) fn migrate(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let done: i64 = pragma(connection, "user_version")?;
        for (sql, version) in self.migrations.iter().zip(1_i64..) {
            if version <= done {
                continue;
            }
            let transaction = connection.transaction()?;
            transaction.execute_batch(sql)?;
            transaction.pragma_update(None, "application_id", self.application_id)?;
            transaction.pragma_update(None, "user_version", version)?;
            transaction.commit()?;
        }
        Ok(())
    }

    /// Compares the tables and indexes with those that the migrations make.
    fn check_schema(&self, connection: &Connection) -> Result<(), StoreError> {
        let mut expected = Connection::open_in_memory()?;
        self.migrate(&mut expected)?;
        if objects(connection)? == objects(&expected)? {
            Ok(())
        } else {
            Err(StoreError::Damaged("tables are missing or altered".into()))
        }
    }
}

/// Statements stay prepared. SQLite as it is built here (`STAT4`) plans a statement anew whenever a
/// value bound to it might ask for another plan, which it never does with our indexes: that was a
/// third of what writing costs.
fn keep_statements(connection: &Connection) -> Result<(), StoreError> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Opens `path` for reading only; the file must exist.
pub(crate) fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    keep_statements(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// Moves `path` and its log files to the first free `path.damaged-N`; returns the new name.
pub fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    for n in 1..=DAMAGED_FILES_MAX {
        let target = with_suffix(path, &format!(".damaged-{n}"));
        if target.try_exists()? {
            continue;
        }
        for suffix in ["-wal", "-shm", ""] {
            match std::fs::rename(with_suffix(path, suffix), with_suffix(&target, suffix)) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
        sync_directory(path)?;
        return Ok(target);
    }
    Err(StoreError::Io(format!(
        "{DAMAGED_FILES_MAX} damaged files beside {}, move them away",
        path.display()
    )))
}

/// `path` with `suffix` added to its last part.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes renames and removals in the directory of `path` survive a power cut.
pub(super) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // Windows cannot open a directory as a file; its renames need no such call.
    if cfg!(unix) {
        std::fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// Switches the journal mode; SQLite answers with the mode it really has.
pub(super) fn set_journal_mode(connection: &Connection, mode: &str) -> Result<(), StoreError> {
    let now: String =
        connection.pragma_update_and_check(None, "journal_mode", mode, |row| row.get(0))?;
    if now.eq_ignore_ascii_case(mode) {
        Ok(())
    } else {
        Err(StoreError::Io(format!(
            "journal mode {mode} is not possible here (got {now}); use a local disk"
        )))
    }
}

/// Reads a pragma with a whole-number answer.
pub(super) fn pragma(connection: &Connection, name: &str) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
}

fn check_pages(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    if std::fs::metadata(path)?.len() > CHECK_BYTES_MAX {
        return Ok(());
    }
    let answer: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if answer == "ok" {
        Ok(())
    } else {
        Err(StoreError::Damaged(answer))
    }
}

/// Name and SQL of every table and index, by name.
fn objects(connection: &Connection) -> Result<Vec<(String, Option<String>)>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         ORDER BY name",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
