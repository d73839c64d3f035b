//! Files against the store: what comes back is what went in, and a file that is behind, gone or
//! damaged changes no answer.

use super::*;
use crate::store::samples::{self, T0};
use crate::store::{Position, SqliteStore, Store};
use cems_core::model::{Output, SeriesDayRow, series_day};
use proptest::prelude::*;
use std::collections::BTreeSet;

struct Books {
    dir: tempfile::TempDir,
    store: SqliteStore,
    readers: Readers,
    registry: Registry,
    archive: Archive,
    days: BTreeSet<(Series, Timestamp)>,
}

impl Books {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&dir.path().join("projections.db"));
        let store = store.unwrap().store;
        let readers = store.readers().unwrap();
        let archive = Archive::of(&dir.path().join("parquet"));
        Self {
            dir,
            store,
            readers,
            registry: crate::pipeline::empty_registry(),
            archive,
            days: BTreeSet::new(),
        }
    }

    fn batch(&mut self, seq: u64, outputs: &[Output]) {
        self.store.begin().unwrap();
        for output in outputs {
            self.store.apply(output).unwrap();
            let Some((series, day)) = series_day(output, self.registry.offset) else {
                continue;
            };
            self.days.insert((series, day));
            let seq = Seq(seq);
            let row = SeriesDayRow { series, day, seq };
            self.store.apply(&Output::SeriesDay(row)).unwrap();
        }
        let position = Position {
            seq: Seq(seq),
            at: T0,
        };
        self.store.commit(position).unwrap();
    }

    fn order(&self, series: Series, day: Timestamp) -> Order<'_> {
        Order {
            readers: &self.readers,
            registry: &self.registry,
            series,
            day,
            gently: false,
            stopped: &|| false,
        }
    }

    fn write_all(&self) {
        for (series, day) in &self.days {
            self.archive.write(&self.order(*series, *day)).unwrap();
        }
    }

    fn standing(&self, series: Series, day: Timestamp) -> Standing {
        self.archive.check(&self.order(series, day)).unwrap()
    }

    /// All records of an outlet, from the files where there are any, and from the store.
    fn both(&self, outlet: &OutletId, kind: RecordKind) -> (Vec<RecordRow>, Vec<RecordRow>) {
        let span = (T0.plus_ms(-40 * DAY_MS), T0.plus_ms(40 * DAY_MS));
        let books = (&self.readers, self.registry.offset);
        let of = (outlet, kind);
        let filed = self.archive.records(books, of, span, Timestamp(i64::MAX));
        let stored = self.readers.records(outlet, kind, span.0, span.1);
        (filed.unwrap(), stored.unwrap())
    }
}

fn minute(n: i64) -> RecordRow {
    samples::minute(&OutletId::new("dc-01"), n)
}

/// The row as the API tells it: equal numbers with other digits are not equal here.
fn told(rows: &[RecordRow]) -> String {
    serde_json::to_string(rows).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn records_come_back_from_files_as_they_are_in_the_store(
        records in prop::collection::vec(samples::record(), 1..60),
    ) {
        let mut books = Books::new();
        let outputs: Vec<_> = records.iter().cloned().map(Output::Record).collect();
        books.batch(1, &outputs);
        books.write_all();
        for &(series, day) in &books.days {
            prop_assert_eq!(books.standing(series, day), Standing::Equal);
        }
        for record in &records {
            let (filed, stored) = books.both(&record.outlet, record.kind);
            prop_assert!(!stored.is_empty());
            prop_assert_eq!(told(&filed), told(&stored));
            prop_assert_eq!(filed, stored);
        }
    }
}

#[test]
fn a_day_that_changed_is_stale_until_it_is_written_anew() {
    let mut books = Books::new();
    let all: Vec<_> = (0..30).map(|n| Output::Record(minute(n))).collect();
    books.batch(1, &all[..20]);
    books.write_all();
    let (series, day) = *books.days.first().unwrap();
    assert_eq!(books.standing(series, day), Standing::Equal);
    books.batch(2, &all[20..]);
    assert_eq!(books.standing(series, day), Standing::Stale);
    let (filed, stored) = books.both(&OutletId::new("dc-01"), RecordKind::Minute);
    assert_eq!((filed.len(), &filed), (30, &stored));
    books.write_all();
    assert_eq!(books.standing(series, day), Standing::Equal);
    let up_to = books.archive.true_up_to(series, day, books.registry.offset);
    assert_eq!(up_to.unwrap(), Some(Seq(2)));
}

#[test]
fn the_file_answers_and_not_the_store() {
    let mut books = Books::new();
    books.batch(1, &[Output::Record(minute(0)), Output::Record(minute(1))]);
    books.write_all();
    // Behind the store's back, as no event does it: only a file can still know the record.
    let path = books.dir.path().join("projections.db");
    let raw = rusqlite::Connection::open(path).unwrap();
    raw.execute("DELETE FROM record", []).unwrap();
    let (filed, stored) = books.both(&OutletId::new("dc-01"), RecordKind::Minute);
    assert_eq!((filed.len(), stored.len()), (2, 0));
    let (series, day) = *books.days.first().unwrap();
    assert_eq!(books.standing(series, day), Standing::Different);
}

#[test]
fn a_damaged_file_changes_no_answer() {
    let mut books = Books::new();
    books.batch(1, &[Output::Record(minute(0))]);
    books.write_all();
    let (series, day) = *books.days.first().unwrap();
    let path = books.archive.path(series, day, books.registry.offset);
    let whole = std::fs::read(&path).unwrap();
    for damage in [&whole[..whole.len() / 2], &[]] {
        std::fs::write(&path, damage).unwrap();
        let (filed, stored) = books.both(&OutletId::new("dc-01"), RecordKind::Minute);
        assert_eq!((filed.len(), filed), (1, stored));
        let error = books.archive.check(&books.order(series, day)).unwrap_err();
        assert!(error.is_of_the_file(), "{error}");
    }
    books.write_all();
    assert_eq!(
        std::fs::read(&path).unwrap(),
        whole,
        "the same rows, the same bytes"
    );
}

#[test]
fn work_that_is_stopped_leaves_the_old_file_and_no_draft() {
    let mut books = Books::new();
    books.batch(1, &[Output::Record(minute(0))]);
    books.write_all();
    let (series, day) = *books.days.first().unwrap();
    let mut order = books.order(series, day);
    order.stopped = &|| true;
    let error = books.archive.write(&order).unwrap_err();
    assert!(matches!(error, ArchiveError::Stopped));
    let path = books.archive.path(series, day, books.registry.offset);
    let left = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [path]);
    assert_eq!(books.standing(series, day), Standing::Equal);
}

#[test]
fn a_draft_of_a_process_that_died_is_removed_and_a_fresh_one_is_not() {
    let mut books = Books::new();
    books.batch(1, &[Output::Record(minute(0))]);
    books.write_all();
    let (series, day) = *books.days.first().unwrap();
    let path = books.archive.path(series, day, books.registry.offset);
    let drafts = ["old", "fresh"].map(|name| path.with_extension(format!("parquet.{name}.tmp")));
    for draft in &drafts {
        std::fs::write(draft, "half").unwrap();
    }
    let old = std::fs::File::options().write(true).open(&drafts[0]);
    let long_ago = std::time::UNIX_EPOCH;
    old.unwrap().set_modified(long_ago).unwrap();
    books.write_all();
    assert_eq!(drafts.map(|draft| draft.exists()), [false, true]);
    assert_eq!(books.standing(series, day), Standing::Equal);
}

#[test]
fn a_day_without_rows_has_no_file() {
    let books = Books::new();
    let hours = Series::Record(RecordKind::Hour);
    let order = books.order(hours, T0);
    assert_eq!(books.archive.write(&order).unwrap(), None);
    assert_eq!(books.standing(hours, T0), Standing::Absent);
}
