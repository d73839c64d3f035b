//! `cemsd bench`: how fast this machine is at what the daemon does all day, each figure beside a
//! plainer way of doing the same in the same run.

use crate::clock::Clock;
use crate::events::{JournalEvent, Verdict};
use crate::intake::Interpreter;
use crate::journal::{self, BenchReport, Entry};
use crate::pipeline::Pipeline;
use crate::store::SqliteStore;
use anyhow::Context;
use cems_core::engine::{Engine, Event, Input, MemoryHistory};
use cems_core::model::time::MINUTE_MS;
use cems_core::model::{Flag, Number, Registry, Sample, SampleSet, Seq, Timestamp};
use cems_protocols::hj212::{
    self, BuildOptions, Edition, FrameBuilder, Framer, Item, Limits, Step,
};
use rust_decimal::Decimal;
use serde_json::json;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Outlets of the simulated load.
const OUTLETS: u64 = 100;
/// Entries handed over at a time, about what a busy group commit holds.
const BATCH: usize = 200;
/// Factors of a record.
const FACTORS: [&str; 10] = [
    "a21026", "a21002", "a34013", "a19001", "a01011", "a01012", "a01013", "a01014", "a21003",
    "a21004",
];

/// `cemsd bench`
#[derive(Debug, clap::Args)]
pub struct BenchArgs {
    /// Directory on the disk to measure; a new one beneath it is used and removed.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Journal entries and records per measurement.
    #[arg(long, default_value_t = 20_000,
          value_parser = clap::value_parser!(u64).range(1_000..=10_000_000))]
    entries: u64,
    /// Measure the rhythm of a bus of ten slaves with and without a dead one, and nothing else.
    #[arg(long)]
    bus: bool,
    /// Measure how long a year of hours of 100, 300 and 1,000 outlets takes to recompute, and
    /// nothing else.
    #[arg(long, conflicts_with = "bus")]
    year: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// One line of the result.
struct Figure {
    name: String,
    per_second: u64,
    note: String,
}

/// Measures and prints.
///
/// # Errors
/// When the directory cannot be written.
pub fn run(args: &BenchArgs) -> anyhow::Result<ExitCode> {
    if args.bus {
        return super::bench_bus::run(args.json);
    }
    if args.year {
        return super::bench_year::run(&args.dir, args.json);
    }
    let dir = Scratch::new(&args.dir)?;
    let mut figures = Vec::new();
    journal_figures(&dir.0, args.entries, &mut figures)?;
    figures.push(decode_figure(args.entries));
    figures.push(pipeline_figure(&dir.0, args.entries)?);
    figures.push(sampling_figure(args.entries)?);
    let mut out = std::io::stdout().lock();
    if args.json {
        let list: Vec<_> = figures
            .iter()
            .map(|f| json!({"name": f.name, "per_second": f.per_second, "note": f.note}))
            .collect();
        writeln!(out, "{}", json!(list))?;
    } else {
        for figure in &figures {
            writeln!(
                out,
                "{:<44} {:>9}/s  {}",
                figure.name, figure.per_second, figure.note
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A directory that goes away with its owner.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn new(parent: &Path) -> anyhow::Result<Self> {
        let path = parent.join(format!("cemsd-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path)
            .with_context(|| format!("cannot create {}; name another --dir", path.display()))?;
        Ok(Self(path))
    }
}

fn sub(dir: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let path = dir.join(name);
    std::fs::create_dir_all(&path)?;
    Ok(path)
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left over only when the disk fails; the name says what it is.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn journal_figures(dir: &Path, entries: u64, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    let single = entries / 10;
    let plain = journal::bench_plain_sqlite(&sub(dir, "plain")?, single)?;
    let plain_rate = plain.entries_per_second().max(1);
    figures.push(Figure {
        name: "plain SQLite, a commit per row".into(),
        per_second: plain_rate,
        note: "the peer of the lines below".into(),
    });
    for appenders in [1, 10, 100, 1_000] {
        let count = if appenders == 1 { single } else { entries };
        let clock = Clock::Real;
        let dir = sub(dir, &format!("journal-{appenders}"))?;
        let report = journal::bench(&dir, Arc::new(move || clock.now().0), count, appenders)?;
        figures.push(journal_figure(&report, plain_rate));
    }
    Ok(())
}

fn journal_figure(report: &BenchReport, plain_rate: u64) -> Figure {
    let rate = report.entries_per_second();
    let mut note = String::new();
    let tenths = rate * 10 / plain_rate;
    write!(
        note,
        "{}.{} x plain; {} commits/s, longest wait {} ms",
        tenths / 10,
        tenths % 10,
        report.commits_per_second(),
        report.wait_max.as_millis()
    )
    .expect("writing to a string cannot fail");
    let name = format!(
        "journal, {} loggers waiting for their answer",
        report.appenders
    );
    Figure {
        name,
        per_second: rate,
        note,
    }
}

/// A minute record of ten factors from outlet `n`.
fn frame(n: u64, minute: i64, registry: &Registry) -> Vec<u8> {
    let time = registry
        .offset
        .local(Timestamp(minute * MINUTE_MS))
        .format("%Y%m%d%H%M%S");
    let item = |(i, code): (usize, &&str)| {
        let value = format!("{}.{}", 20 + i, n % 100);
        Item::factor(
            code,
            &[
                ("Min", &value),
                ("Avg", &value),
                ("Max", &value),
                ("Flag", "N"),
            ],
        )
    };
    FrameBuilder::new(Edition::V2017, "31", "2051")
        .qn(&format!("{time}000"))
        .pw("123456")
        .mn(&mn(n))
        .answer_wanted(true)
        .data_time(&time.to_string())
        .items(FACTORS.iter().enumerate().map(item))
        .build(&BuildOptions::default())
        .expect("ten short items fit into a frame")
}

fn mn(n: u64) -> String {
    format!("BENCH{n:09}")
}

fn decode_figure(frames: u64) -> Figure {
    let registry = crate::pipeline::empty_registry();
    let stream: Vec<u8> = (0..100).flat_map(|n| frame(n, 0, &registry)).collect();
    let mut framer = Framer::new(Limits::default());
    let mut decoded = 0;
    let begun = Instant::now();
    while decoded < frames {
        for read in stream.chunks(1_460) {
            framer.push(read);
            while let Step::Frame(frame) = framer.next() {
                let message = hj212::parse(&frame);
                std::hint::black_box(hj212::content(&message));
                decoded += 1;
            }
        }
    }
    Figure {
        name: "HJ 212 frames of 10 factors, bytes to values".into(),
        per_second: rate(decoded, begun.elapsed()),
        note: "one core, reads of 1,460 bytes".into(),
    }
}

fn rate(count: u64, elapsed: Duration) -> u64 {
    let micros = elapsed.as_micros().max(1);
    u64::try_from(u128::from(count) * 1_000_000 / micros).unwrap_or(u64::MAX)
}

/// Journal entries to committed projections: parsing, engine, store.
fn pipeline_figure(dir: &Path, records: u64) -> anyhow::Result<Figure> {
    let registry = registry()?;
    let dir = sub(dir, "pipeline")?;
    let store = SqliteStore::open(&dir.join("projections.db"))?.store;
    let stop = Arc::new(AtomicBool::new(false));
    let mut pipeline = Pipeline::new(store, sub(&dir, "journal")?, Interpreter, stop)?;
    let first_minute = 1_795_276_800_000 / MINUTE_MS;
    let entry = |seq: u64, minute: i64, event: &JournalEvent| Entry {
        seq,
        at_ms: (minute + 1) * MINUTE_MS,
        body: event.to_line(),
    };
    let opening = JournalEvent::Registry {
        files_sha256: "bench".into(),
        registry: Arc::new(registry.clone()),
    };
    let mut entries = vec![entry(1, first_minute - 1, &opening)];
    for n in 0..records {
        let minute = first_minute + i64::try_from(n / OUTLETS).unwrap_or(0);
        let verdict = Verdict::Accepted {
            outlet: format!("bench-{}", n % OUTLETS).as_str().into(),
        };
        let raw = frame(n % OUTLETS, minute, &registry);
        let event = JournalEvent::frame("127.0.0.1:1", verdict, raw);
        entries.push(entry(n + 2, minute, &event));
    }
    let begun = Instant::now();
    for batch in entries.chunks(BATCH) {
        pipeline.take(batch);
    }
    let elapsed = begun.elapsed();
    let expected = records + 1;
    anyhow::ensure!(
        pipeline.position().seq.0 == expected,
        "not everything was projected"
    );
    Ok(Figure {
        name: "minute records of 10 factors, journal to store".into(),
        per_second: rate(records, elapsed),
        note: format!("{OUTLETS} outlets, batches of {BATCH}, hours, limits and alarms included"),
    })
}

/// Polls of a station's own instruments to records: the engine, with its past in memory.
fn sampling_figure(polls: u64) -> anyhow::Result<Figure> {
    let registry = Arc::new(registry()?);
    let past = MemoryHistory::default();
    let mut engine = Engine::new();
    let mut at = Timestamp(1_795_276_800_000);
    let mut take = |seq: u64, at: Timestamp, event: Event| {
        let seq = Seq(seq);
        let input = Input { seq, at, event };
        engine.step(input, &past, &mut |output| past.apply(output));
    };
    take(1, at, Event::Registry(registry));
    let sets: Vec<SampleSet> = (0..100).map(sample_set).collect();
    let begun = Instant::now();
    for (n, set) in (0..polls).zip(sets.iter().cycle()) {
        at = at.plus_ms(5_000);
        take(n + 2, at, Event::Samples(set.clone()));
    }
    Ok(Figure {
        name: "polls of 10 factors, samples to records".into(),
        per_second: rate(polls, begun.elapsed()),
        note: "one outlet, one core; minutes, hours, limits and alarms included".into(),
    })
}

fn sample_set(n: u32) -> SampleSet {
    let sample = |(i, code): (u32, &&str)| {
        let value = Decimal::new(i64::from(1_000 + 100 * i + n), 2);
        Sample {
            factor: (*code).into(),
            value: Some(Number {
                value,
                text: value.to_string().into(),
            }),
            flag: Flag(Flag::NORMAL.into()),
        }
    };
    SampleSet {
        outlet: "bench-0".into(),
        instrument: "cabinet".into(),
        samples: (0..).zip(&FACTORS).map(sample).collect(),
    }
}

fn registry() -> anyhow::Result<Registry> {
    let mut text = String::from(
        "[[region]]\nid = \"r\"\nname = \"示例\"\n\
         [[enterprise]]\nid = \"e\"\nname = \"示例\"\nregion = \"r\"\n",
    );
    for n in 0..OUTLETS {
        write!(
            text,
            "[[outlet]]\nid = \"bench-{n}\"\nenterprise = \"e\"\nname = \"{n}\"\n\
             medium = \"gas\"\nmn = \"{}\"\nany_password = true\nprofile = \"hj75-2017\"\n\
             permit = \"示例\"\n\
             auxiliary = [\"a01011\", \"a01012\", \"a01013\", \"a01014\", \"a19001\"]\n\
             gas = {{ area_m2 = 20, reference_o2_pct = 6 }}\nexpect = {{ minute_min = 1 }}\n\
             factor = [{{ code = \"a21026\", range = 500, limit_hour = 35 }}, \
             {{ code = \"a21002\", range = 500, limit_hour = 50 }}, \
             {{ code = \"a34013\", range = 100, limit_hour = 20 }}]\n",
            mn(n)
        )?;
    }
    match cems_config::load_str(&[("bench.toml", &text)]) {
        Ok(checked) => Ok(checked.registry),
        Err(problems) => anyhow::bail!("the registry of the benchmark is not sound:\n{problems}"),
    }
}
