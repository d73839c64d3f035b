//! How fast the journal is on this machine, against the same rows in plain SQLite.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Clock, Draft, Journal, JournalError, Options};

/// One measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BenchReport {
    /// Tasks appending at the same time; each waits for its answer before the next entry.
    pub appenders: usize,
    /// Entries stored.
    pub entries: u64,
    /// Commits, one sync each.
    pub commits: u64,
    /// Time from the first append to the last answer.
    pub elapsed: Duration,
    /// Longest wait of one append.
    pub wait_max: Duration,
}

impl BenchReport {
    /// Per second, rounded down; of `count` in the time measured.
    fn per_second(&self, count: u64) -> u64 {
        let micros = self.elapsed.as_micros().max(1);
        u64::try_from(u128::from(count) * 1_000_000 / micros).unwrap_or(u64::MAX)
    }

    /// Entries stored per second.
    #[must_use]
    pub fn entries_per_second(&self) -> u64 {
        self.per_second(self.entries)
    }

    /// Commits per second.
    #[must_use]
    pub fn commits_per_second(&self) -> u64 {
        self.per_second(self.commits)
    }
}

/// A body like that of a minute record of four factors.
fn body(number: u64) -> Vec<u8> {
    format!(
        "{{\"kind\":\"frame\",\"link\":\"tcp:10.0.0.{}\",\"raw\":\"##0210QN=20260509{:09};ST=31;\
         CN=2051;PW=123456;MN=A{:022};Flag=9;CP=&&DataTime=202605090{:05};a21026-Avg={}.{},\
         a21026-Flag=N;a21002-Avg=98.{},a21002-Flag=N;a34013-Avg=4.{},a34013-Flag=N;\
         a19001-Avg=8.{},a19001-Flag=N&&6F40\"}}",
        number % 250,
        number,
        number % 977,
        number % 86_400,
        number % 180,
        number % 10,
        number % 100,
        number % 97,
        number % 53,
    )
    .into_bytes()
}

/// Appends `entries` entries to a new journal in `dir` from `appenders` concurrent tasks.
///
/// Starts a runtime of its own on a thread of its own, so it may be called anywhere; blocks.
///
/// # Errors
/// As [`Journal::open`] and [`Journal::append`].
pub fn bench(
    dir: &Path,
    clock: Clock,
    entries: u64,
    appenders: usize,
) -> Result<BenchReport, JournalError> {
    let (journal, _) = Journal::open(dir, Options::new(clock))?;
    let appenders = appenders.max(1);
    let result = std::thread::scope(|scope| {
        let run = scope.spawn(|| run(&journal, entries, appenders));
        run.join().unwrap_or(Err(JournalError::Closed))
    });
    journal.close();
    result
}

fn run(journal: &Journal, entries: u64, appenders: usize) -> Result<BenchReport, JournalError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .map_err(super::recover::io_error("start a runtime", Path::new("")))?;
    let next = Arc::new(AtomicU64::new(0));
    let (waits, mut slowest) = mpsc::unbounded_channel();
    let start = Instant::now();
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..appenders {
            let (journal, next, waits) = (journal.clone(), Arc::clone(&next), waits.clone());
            tasks.spawn(async move {
                let mut wait_max = Duration::ZERO;
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= entries {
                        // The receiver outlives the tasks.
                        let _ = waits.send(wait_max);
                        return Ok(());
                    }
                    let asked = Instant::now();
                    journal.append(Draft::now(body(number))).await?;
                    wait_max = wait_max.max(asked.elapsed());
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.map_err(|_| JournalError::Closed)??;
        }
        Ok::<(), JournalError>(())
    })?;
    let elapsed = start.elapsed();
    let mut wait_max = Duration::ZERO;
    while let Ok(wait) = slowest.try_recv() {
        wait_max = wait_max.max(wait);
    }
    let commits = journal.health().commits;
    Ok(BenchReport {
        appenders,
        entries,
        commits,
        elapsed,
        wait_max,
    })
}

/// The same entries as single-row commits into a plain table with the same safety, for
/// comparison.
///
/// # Errors
/// Whatever SQLite says.
pub fn bench_plain_sqlite(dir: &Path, entries: u64) -> rusqlite::Result<BenchReport> {
    let conn = Connection::open(dir.join("plain.db"))?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.execute_batch("CREATE TABLE entry (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")?;
    let mut insert = conn.prepare("INSERT INTO entry (body) VALUES (?1)")?;
    let start = Instant::now();
    let mut wait_max = Duration::ZERO;
    for number in 0..entries {
        let asked = Instant::now();
        insert.execute([body(number)])?;
        wait_max = wait_max.max(asked.elapsed());
    }
    let elapsed = start.elapsed();
    Ok(BenchReport {
        appenders: 1,
        entries,
        commits: entries,
        elapsed,
        wait_max,
    })
}
