//! Stories of the store on real files.

use super::*;
use cems_core::model::rows::StateRow;
use cems_core::model::{
    Acknowledgement, AlarmId, AlarmKind, AlarmRow, AlarmSubject, FallbackId, Level, OutletId,
    RecordKind, RecordRow,
};
use proptest::prelude::*;
use samples::T0;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

mod batches;
mod canon;
mod damage;
mod desk;
mod duties;
mod outgoing;
mod questions;
pub(crate) mod samples;

struct Desk {
    dir: tempfile::TempDir,
    store: SqliteStore,
}

fn at(seq: u64) -> Position {
    Position {
        seq: Seq(seq),
        at: T0.plus_ms(i64::try_from(seq).unwrap()),
    }
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let opened = SqliteStore::open(&dir.path().join("projections.db")).unwrap();
        assert_eq!(opened.damage, None);
        Self {
            dir,
            store: opened.store,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn live(&self) -> PathBuf {
        self.store.path().to_owned()
    }

    fn batch<'o>(&mut self, seq: u64, outputs: impl IntoIterator<Item = &'o Output>) {
        self.store.begin().unwrap();
        for output in outputs {
            self.store.apply(output).unwrap();
        }
        self.store.commit(at(seq)).unwrap();
    }

    fn canonical(&self) -> Vec<u8> {
        canonical_bytes(&self.live(), &self.file("canonical.db"))
    }
}

fn canonical_bytes(source: &Path, target: &Path) -> Vec<u8> {
    canonicalise(source, target).unwrap();
    std::fs::read(target).unwrap()
}

fn outlet(id: &str) -> OutletId {
    OutletId::new(id)
}

fn minute(id: &str, n: i64) -> RecordRow {
    samples::minute(&outlet(id), n)
}
