//! Stories with data; helpers for all of them.

mod append;
mod crash;
mod damage;
mod disk;
mod script;
mod sealing;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

/// 2026-05-09 08:00 in China.
pub(super) const MORNING: i64 = 1_778_284_800_000;
pub(super) const HOUR: i64 = 3_600_000;

/// A clock that tests set.
#[derive(Clone)]
pub(super) struct Hands(Arc<AtomicI64>);

impl Hands {
    pub(super) fn at(ms: i64) -> Self {
        Self(Arc::new(AtomicI64::new(ms)))
    }

    pub(super) fn set(&self, ms: i64) {
        self.0.store(ms, Ordering::SeqCst);
    }

    pub(super) fn options(&self) -> Options {
        let hands = self.clone();
        Options::new(Arc::new(move || hands.0.load(Ordering::SeqCst)))
    }
}

pub(super) fn options() -> Options {
    Hands::at(MORNING).options()
}

pub(super) fn body(number: u64) -> Vec<u8> {
    format!(
        "{{\"n\":{number},\"mn\":\"A110000_0001\",\"text\":\"烟气 {}\"}}",
        number % 7
    )
    .into_bytes()
}

pub(super) fn open(dir: &Path) -> (Journal, Opened) {
    Journal::open(dir, options()).unwrap()
}

/// Appends `count` entries, each in a commit of its own, one hour apart.
pub(super) fn fill(journal: &Journal, from: u64, count: u64) {
    for n in from..from + count {
        let at_ms = MORNING + i64::try_from(n).unwrap() * HOUR;
        let done = journal.append_blocking(Draft::at(at_ms, body(n))).unwrap();
        assert_eq!(done, Committed { seq: n, at_ms });
    }
}

pub(super) fn read(dir: &Path, from: u64) -> Vec<Entry> {
    Reader::open(dir)
        .unwrap()
        .entries_from(from)
        .map(Result::unwrap)
        .collect()
}

pub(super) fn bodies(entries: &[Entry]) -> Vec<Vec<u8>> {
    entries.iter().map(|entry| entry.body.clone()).collect()
}

pub(super) fn check(dir: &Path) -> VerifyReport {
    verify(dir, &[], &mut |_, _| {}).unwrap()
}

/// Names of the files, without SQLite's companions and the lock.
pub(super) fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|item| item.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm") && name != "lock.db")
        .collect();
    names.sort();
    names
}

/// What a power cut would leave: the files as they are at this moment, without the locks
/// and without shared memory.
pub(super) fn snapshot(dir: &Path, to: &Path) {
    for item in fs::read_dir(dir).unwrap() {
        let name = item.unwrap().file_name();
        let text = name.to_string_lossy();
        if text != "lock.db" && !text.ends_with("-shm") {
            fs::copy(dir.join(&name), to.join(&name)).unwrap();
        }
    }
}

/// Opens a file of the journal with plain SQLite, as somebody with a grudge would.
pub(super) fn tamper(path: &Path, sql: &str) {
    let conn = rusqlite::Connection::open(path).unwrap();
    let changed = conn.execute(sql, []).unwrap();
    assert!(changed > 0, "{sql}");
}

pub(super) fn day_file(dir: &Path, day: &str) -> PathBuf {
    dir.join(format!("{day}.db"))
}

/// A sealed file is read-only; damage needs it writable.
pub(super) fn writable(path: &Path) {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    #[allow(clippy::permissions_set_readonly_false)]
    permissions.set_readonly(false);
    fs::set_permissions(path, permissions).unwrap();
}
