//! What a sealed day costs: bytes a value in its file, time to write it, and time to read one
//! outlet's day back, from the file and from the store.
//!
//! The minutes are two published days (`tests/testdata/day-gas.csv`, `day-water.csv`), told by many
//! outlets: each at another hour of the day and on another level. `cargo bench -p cems-daemon
//! --bench archive`; `cargo test --benches` does a small city once, for its checks.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at what cannot be")]

mod city;

use cems_core::model::{Output, Registry, Seq, Series, SeriesDayRow, Timestamp};
use cems_daemon::archive::{Archive, Order, Standing};
use cems_daemon::pipeline::empty_registry;
use cems_daemon::store::{Position, Readers, SqliteStore, Store};
use city::{City, DAY, KIND};
use rust_decimal::Decimal;
use std::path::Path;
use std::time::Instant;

/// Bytes that one number may cost, with its flag, times, checks and journal position.
const BYTES_MAX: u64 = 3;

fn main() {
    let outlets = if std::env::args().any(|arg| arg == "--bench") {
        60
    } else {
        4
    };
    let directory = tempfile::tempdir().unwrap();
    let city = City::of(outlets);
    let (readers, figures) = fill(directory.path(), &city);
    let registry = empty_registry();
    let archive = Archive::of(&directory.path().join("parquet"));
    let order = Order {
        readers: &readers,
        registry: &registry,
        series: Series::Record(KIND),
        day: DAY,
        gently: false,
        stopped: &|| false,
    };
    let began = Instant::now();
    let written = archive.write(&order).unwrap().unwrap();
    let took = began.elapsed();
    assert_eq!(written.rows, figures.rows);
    say("outlets", outlets, "");
    say("rows (outlet, factor, minute)", written.rows, "");
    say("numbers in them", figures.numbers, "");
    say("bytes of the file", written.bytes, "");
    say("bytes a row", per(written.bytes, written.rows), "");
    say("bytes a number", per(written.bytes, figures.numbers), "");
    say(
        "bytes a number in the store",
        per(figures.stored, figures.numbers),
        "",
    );
    say("writing it", took.as_millis(), "ms");
    assert!(written.bytes < BYTES_MAX * figures.numbers);
    read_back(&archive, &readers, &registry, &city);
    let began = Instant::now();
    assert_eq!(archive.check(&order).unwrap(), Standing::Equal);
    say(
        "comparing it with the store",
        began.elapsed().as_millis(),
        "ms",
    );
}

/// What the books hold.
struct Figures {
    rows: u64,
    numbers: u64,
    stored: u64,
}

fn fill(directory: &Path, city: &City) -> (Readers, Figures) {
    let path = directory.join("projections.db");
    let mut store = SqliteStore::open(&path).unwrap().store;
    let mut figures = Figures {
        rows: 0,
        numbers: 0,
        stored: 0,
    };
    let mut last = Seq(0);
    for minute in 0..city::MINUTES {
        store.begin().unwrap();
        for row in city.minute(minute) {
            for stored in row.values.values() {
                let value = &stored.value;
                let numbers = [
                    &value.avg,
                    &value.min,
                    &value.max,
                    &value.cou,
                    &value.converted,
                ];
                figures.rows += 1;
                figures.numbers +=
                    u64::try_from(numbers.iter().filter(|n| n.is_some()).count()).unwrap();
                last = last.max(stored.seq);
            }
            store.apply(&Output::Record(row)).unwrap();
        }
        let at = DAY.plus_ms(i64::try_from(minute).unwrap() * 60_000);
        store.commit(Position { seq: last, at }).unwrap();
    }
    store.begin().unwrap();
    let day = SeriesDayRow {
        series: Series::Record(KIND),
        day: DAY,
        seq: last,
    };
    store.apply(&Output::SeriesDay(day)).unwrap();
    store.commit(Position { seq: last, at: DAY }).unwrap();
    store.checkpoint().unwrap();
    figures.stored = std::fs::metadata(&path).unwrap().len();
    (store.readers().unwrap(), figures)
}

/// One outlet's day, as a chart asks for it.
fn read_back(archive: &Archive, readers: &Readers, registry: &Registry, city: &City) {
    let outlet = &city.outlets()[city.outlets().len() / 2];
    let span = (DAY, DAY.plus_ms(86_400_000));
    let began = Instant::now();
    let from_store = readers.records(outlet, KIND, span.0, span.1).unwrap();
    let store = began.elapsed();
    let began = Instant::now();
    let books = (readers, registry.offset);
    let from_file = archive
        .records(books, (outlet, KIND), span, Timestamp(i64::MAX))
        .unwrap();
    let file = began.elapsed();
    assert_eq!(from_store.len(), city::MINUTES);
    assert!(from_file == from_store);
    say("one outlet's day from the store", store.as_micros(), "us");
    say("one outlet's day from the file", file.as_micros(), "us");
}

fn per(bytes: u64, number: u64) -> Decimal {
    (Decimal::from(bytes) / Decimal::from(number)).round_dp(2)
}

/// A figure with its unit.
fn say(name: &str, figure: impl std::fmt::Display, unit: &str) {
    println!("{name:<48} {figure:>12} {unit}");
}
