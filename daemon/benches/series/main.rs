//! How fast series leave: points of records into text, text packed, and packed text over HTTP to a
//! server on this machine that throws it away.
//!
//! `cargo bench -p cems-daemon --bench series`. `cargo test --benches` does each once, for its
//! checks. A value is a line: one factor of one record, with six fields. The sender is measured
//! against `influxdb2`, which is built apart (`tests/influxdb2`):
//!
//! ```sh
//! cargo build --release --manifest-path tests/influxdb2/Cargo.toml
//! INFLUXDB2_PEER=tests/influxdb2/target/release/influxdb2-peer \
//!     cargo bench -p cems-daemon --bench series
//! ```
#![expect(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at what cannot be")]

#[path = "../common/rows.rs"]
mod rows;
mod senders;
#[path = "../common/sink.rs"]
mod sink;
#[path = "../common/watch.rs"]
mod watch;

use cems_config::Corrections;
use cems_daemon::outbox::series::{Batch, Lines, packed};
use rows::{Owned, Rows};
use std::sync::Arc;
use std::time::Duration;
use watch::Watch;

/// Lines of a batch, as the settings have it by default.
pub(crate) const BATCH_LINES: usize = 5_000;

/// How long each part runs.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    outlets: usize,
    minutes: usize,
    at_least: Duration,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, url, body, times] = &arguments[..] {
        senders::child(mode, url, body, times.parse().unwrap());
        return;
    }
    let measured = arguments.iter().any(|argument| argument == "--bench");
    let size = if measured {
        Size {
            outlets: 100,
            minutes: 50,
            at_least: Duration::from_secs(4),
        }
    } else {
        Size {
            outlets: 3,
            minutes: 5,
            at_least: Duration::ZERO,
        }
    };
    let rows = Rows::new(size.outlets, size.minutes);
    let values = rows.values();
    assert_eq!(values, size.outlets * size.minutes * rows::FACTORS);
    encode_only(&rows, size.at_least);
    for threads in [1, 2] {
        encode_and_pack(&rows, threads, size.at_least);
    }
    senders::run(&rows, size.at_least);
    for tasks in [1, 2] {
        senders::whole_way(&rows, tasks, size.at_least);
    }
}

fn encode_only(rows: &Rows, at_least: Duration) {
    let mut lines = Lines::new(Corrections::Replace);
    let mut batch = Batch::default();
    let watch = Watch::start();
    let (mut values, mut bytes) = (0, 0);
    loop {
        fill(&rows.records, &mut lines, &mut batch, |batch| {
            values += batch.len();
            bytes += batch.text(0..batch.len()).len();
        });
        if watch.began.elapsed() >= at_least {
            break;
        }
    }
    assert_eq!(values % rows.values(), 0);
    watch.say("encode, one thread", values);
    println!("{:<46} {:>12} bytes/value", "", bytes / values);
}

fn encode_and_pack(rows: &Rows, threads: usize, at_least: Duration) {
    let watch = Arc::new(Watch::start());
    let workers: Vec<_> = (0..threads)
        .map(|worker| {
            let watch = watch.clone();
            let share = share(rows, worker, threads);
            std::thread::spawn(move || {
                let mut lines = Lines::new(Corrections::Replace);
                let mut batch = Batch::default();
                let (mut values, mut bytes) = (0, 0);
                loop {
                    fill(&share, &mut lines, &mut batch, |batch| {
                        values += batch.len();
                        bytes += packed(batch.text(0..batch.len())).len();
                    });
                    if watch.began.elapsed() >= at_least {
                        return (values, bytes);
                    }
                }
            })
        })
        .collect();
    let done = workers.into_iter().map(|worker| worker.join().unwrap());
    let (values, bytes) = done.fold((0, 0), |(v, b), (values, bytes)| (v + values, b + bytes));
    watch.say(&format!("encode and gzip, {threads} thread(s)"), values);
    println!("{:<46} {:>12} bytes/value", "", bytes / values);
}

/// What one of several workers does: the records of some of the outlets.
pub(crate) fn share(rows: &Rows, worker: usize, workers: usize) -> Vec<Owned> {
    let own = rows.records.iter().skip(worker).step_by(workers);
    own.cloned().collect()
}

/// Cuts records into batches as the outbox does.
pub(crate) fn fill(
    records: &[Owned],
    lines: &mut Lines,
    batch: &mut Batch,
    mut full: impl FnMut(&Batch),
) {
    batch.clear();
    for (item, (owner, row)) in records.iter().enumerate() {
        assert!(lines.record(item, owner, row, batch).is_empty());
        if batch.is_full(BATCH_LINES) {
            full(batch);
            batch.clear();
        }
    }
    if !batch.is_empty() {
        full(batch);
        batch.clear();
    }
}
