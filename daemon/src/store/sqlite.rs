//! The embedded store: one SQLite file, one writing connection.

use super::error::StoreError;
use super::query::Queries;
use super::readers::Readers;
use super::schema::{Damage, PROJECTIONS};
use super::write::{int, write};
use super::{Position, Store};
use cems_core::engine::History;
use cems_core::model::rows::StateRow;
use cems_core::model::{Output, Seq};
use rusqlite::Connection;
use std::cell::RefCell;
use std::path::{Path, PathBuf};

/// Where a batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Batch {
    /// None is open.
    Closed,
    /// Between begin and commit.
    Open,
}

/// Failure of a look-up in the open batch.
#[derive(Debug, Default)]
struct Misled {
    /// The first failure, until it is taken.
    first: Option<StoreError>,
    /// There was one; the batch must not be committed.
    yes: bool,
}

/// Projections in one SQLite file (WAL, `synchronous=FULL`).
pub struct SqliteStore {
    path: PathBuf,
    connection: Connection,
    batch: Batch,
    committed: Option<Position>,
    misled: RefCell<Misled>,
}

/// A store that was opened, and the damaged file it replaces, if any.
pub struct Opened {
    /// The store; empty when `damage` is set.
    pub store: SqliteStore,
    /// A damaged file was put aside: the caller fills the store again from the journal.
    pub damage: Option<Damage>,
}

impl SqliteStore {
    /// Opens the projections in `path`; creates the file when it is missing, migrates it when it
    /// is older. A damaged file is moved to `path.damaged-N` and an empty store takes its place.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::Foreign`] (neither file is touched), or the disk.
    /// Never because of damage.
    pub fn open(path: &Path) -> Result<Opened, StoreError> {
        let (connection, damage) = PROJECTIONS.open(path)?;
        if let Some(damage) = &damage {
            tracing::error!(
                file = %path.display(),
                set_aside = %damage.set_aside.display(),
                reason = %damage.reason,
                "the projections were damaged and are built again from the journal"
            );
        }
        let committed = Queries::new(&connection).position()?;
        let store = Self {
            path: path.to_owned(),
            connection,
            batch: Batch::Closed,
            committed,
            misled: RefCell::default(),
        };
        Ok(Opened { store, damage })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every question of the readers, here with the rows of the open batch.
    pub fn queries(&self) -> Queries<'_> {
        Queries::new(&self.connection)
    }

    /// Copies the write-ahead log into the database file and empties it, for a copy of the file
    /// or an orderly stop. Readers in the middle of a question hold it up: [`StoreError::Busy`].
    ///
    /// # Errors
    /// [`StoreError::Misuse`] while a batch is open; disk.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        if self.batch == Batch::Open {
            return Err(StoreError::Misuse("a checkpoint cannot run inside a batch"));
        }
        let busy: bool =
            self.connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy {
            return Err(StoreError::Busy("checkpoint".into()));
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn connection_for_tests(&self) -> &Connection {
        &self.connection
    }

    fn check_writer(&self) -> Result<(), StoreError> {
        let found = self.queries().position()?;
        if found == self.committed {
            return Ok(());
        }
        Err(StoreError::SecondWriter {
            expected: self.committed.map_or(0, |p| p.seq.0),
            found: found.map_or(0, |p| p.seq.0),
        })
    }

    fn finish(&self, position: Position) -> Result<(), StoreError> {
        {
            let misled = self.misled.borrow();
            if let Some(first) = &misled.first {
                return Err(first.clone());
            }
            if misled.yes {
                return Err(StoreError::Misuse(
                    "a look-up in the past failed, the batch must be rolled back",
                ));
            }
        }
        if let Some(last) = self.committed
            && position.seq < last.seq
        {
            return Err(StoreError::Backwards {
                reached: last.seq.0,
                asked: position.seq.0,
            });
        }
        let mut statement = self
            .connection
            .prepare_cached("REPLACE INTO position (one, seq, at) VALUES (1, ?1, ?2)")?;
        statement.execute((int("journal position", position.seq.0)?, position.at.0))?;
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// Runs a look-up; a failure is remembered and answered with "nothing".
    fn with<T: Default>(&self, ask: impl FnOnce(Queries<'_>) -> Result<T, StoreError>) -> T {
        ask(self.queries()).unwrap_or_else(|error| {
            let mut misled = self.misled.borrow_mut();
            misled.yes = true;
            misled.first.get_or_insert(error);
            T::default()
        })
    }
}

impl Store for SqliteStore {
    fn begin(&mut self) -> Result<(), StoreError> {
        if self.batch == Batch::Open {
            return Err(StoreError::Misuse("a batch is open already"));
        }
        // Immediate: take the write lock now, so that a later statement cannot find it taken.
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")?
            .execute([])?;
        self.batch = Batch::Open;
        self.check_writer().inspect_err(|_| self.rollback())
    }

    fn apply(&mut self, output: &Output) -> Result<(), StoreError> {
        if self.batch != Batch::Open {
            return Err(StoreError::Misuse("no batch is open"));
        }
        // A full disk makes SQLite end the transaction by itself; do so after every failure, so
        // that no half batch can be committed by mistake.
        write(&self.connection, output).inspect_err(|_| self.rollback())
    }

    fn commit(&mut self, position: Position) -> Result<(), StoreError> {
        if self.batch != Batch::Open {
            return Err(StoreError::Misuse("no batch is open"));
        }
        match self.finish(position) {
            Ok(()) => {
                self.batch = Batch::Closed;
                self.committed = Some(position);
                Ok(())
            }
            Err(error) => {
                self.rollback();
                Err(error)
            }
        }
    }

    fn rollback(&mut self) {
        self.batch = Batch::Closed;
        *self.misled.borrow_mut() = Misled::default();
        if self.connection.is_autocommit() {
            return;
        }
        if let Err(error) = self.connection.execute_batch("ROLLBACK") {
            // The connection stays in the transaction, so the next begin fails and says so.
            tracing::error!(%error, "the batch of the projections could not be rolled back");
        }
    }

    fn position(&self) -> Result<Option<Position>, StoreError> {
        Ok(self.committed)
    }

    fn history(&self) -> &dyn History {
        self
    }

    fn take_failure(&self) -> Option<StoreError> {
        self.misled.borrow_mut().first.take()
    }

    fn states(&self) -> Result<Vec<StateRow>, StoreError> {
        self.queries().states()
    }

    fn registry_json(&self) -> Result<Option<(Seq, String)>, StoreError> {
        self.queries().registry_json()
    }

    fn readers(&self) -> Result<Readers, StoreError> {
        Readers::open(&self.path)
    }
}

super::history::history_through_with!([] SqliteStore);
