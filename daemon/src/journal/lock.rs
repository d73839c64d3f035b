//! One writer per directory.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::JournalError;
use super::names::{LOCK, name_of};

/// Holds the directory until dropped; the operating system lets go of it when the process
/// dies, however it dies. SQLite's own lock is used because it works between the threads of
/// one process as well as between processes.
#[derive(Debug)]
pub(super) struct DirLock {
    _conn: Connection,
}

impl DirLock {
    pub(super) fn take(dir: &Path) -> Result<Self, JournalError> {
        let path = dir.join(LOCK);
        match hold(&path) {
            Ok(conn) => Ok(Self { _conn: conn }),
            Err(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    Err(JournalError::Locked {
                        dir: dir.to_owned(),
                    })
                }
                // The lock holds no data: a damaged one is replaced.
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                    fs::remove_file(&path).map_err(|source| JournalError::Io {
                        doing: "replace the damaged lock file",
                        path: path.clone(),
                        source,
                    })?;
                    hold(&path)
                        .map(|conn| Self { _conn: conn })
                        .map_err(|source| failed(&path, source))
                }
                _ => Err(failed(&path, error)),
            },
        }
    }
}

fn failed(path: &Path, source: rusqlite::Error) -> JournalError {
    JournalError::Sqlite {
        doing: "take the directory lock",
        file: name_of(path),
        source,
    }
}

fn hold(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open(path)?;
    conn.busy_timeout(Duration::ZERO)?;
    conn.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE;",
    )?;
    Ok(conn)
}
