//! `cemsd archive`: days of the books as Parquet files, and whether the files say what the books
//! say. It may run beside the daemon.

use super::books::{self, OpenBooks};
use super::verify::progress_bar;
use crate::app::Places;
use crate::archive::{Archive, Order, Standing};
use crate::store::LIST_MAX;
use anyhow::{Context, ensure};
use cems_core::model::time::DAY_MS;
use cems_core::model::{Series, SeriesDayRow, Timestamp};
use chrono::NaiveDate;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// `cemsd archive`
#[derive(Debug, clap::Args)]
pub struct ArchiveArgs {
    /// The data directory of a daemon, running or not.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// First day, by the site's clock; without it the first there is.
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<NaiveDate>,
    /// Last day, itself included; without it the last that is over.
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<NaiveDate>,
    /// Only these kinds; may be given several times: realtime, minute, hour, day, hour-mean,
    /// day-mean.
    #[arg(long = "kind", value_name = "KIND", value_parser = kind)]
    kinds: Vec<Series>,
    /// Where the files lie; without it in `parquet` in the data directory.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Write nothing: compare every row of the files with the books.
    #[arg(long)]
    check: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

fn kind(name: &str) -> Result<Series, String> {
    let all = Series::BY_DAYS.map(Series::as_str).join(", ");
    let known = Series::named(name).filter(|series| Series::BY_DAYS.contains(series));
    known.ok_or_else(|| format!("one of {all}"))
}

/// What was found or done, day by day.
#[derive(Default)]
struct Tally {
    lines: Vec<String>,
    files: u64,
    rows: u64,
    bytes: u64,
    equal: u64,
    stale: u64,
    absent: u64,
    different: u64,
}

/// Writes or compares.
///
/// # Errors
/// When the books cannot be read or a file cannot be written.
pub fn run(args: &ArchiveArgs) -> anyhow::Result<ExitCode> {
    let books = books::open(&args.data)?;
    let days = days(args, &books)?;
    let places = Places::of(&args.data);
    let directory = args.directory.clone();
    let archive = Archive::of(&directory.unwrap_or_else(|| places.parquet()));
    let bar = progress_bar(u64::try_from(days.len()).unwrap_or(u64::MAX));
    let mut tally = Tally::default();
    for row in days {
        let order = Order {
            readers: &books.readers,
            registry: &books.registry,
            series: row.series,
            day: row.day,
            gently: false,
            stopped: &|| false,
        };
        if args.check {
            check(&archive, &order, &mut tally)?;
        } else if let Some(written) = archive.write(&order)? {
            tally.files += 1;
            tally.rows += written.rows;
            tally.bytes += written.bytes;
            let path = written.path.display();
            let (rows, bytes) = (written.rows, written.bytes);
            tally
                .lines
                .push(format!("{path}: {rows} rows, {bytes} bytes"));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    report(args, &tally)
}

fn check(archive: &Archive, order: &Order<'_>, tally: &mut Tally) -> anyhow::Result<()> {
    let path = archive.path(order.series, order.day, order.registry.offset);
    let said = match archive.check(order) {
        Ok(Standing::Equal) => {
            tally.equal += 1;
            return Ok(());
        }
        Ok(Standing::Absent) => {
            tally.absent += 1;
            return Ok(());
        }
        Ok(Standing::Stale) => {
            tally.stale += 1;
            "the day has changed since".to_owned()
        }
        Ok(Standing::Different) => {
            tally.different += 1;
            "differs from the books".to_owned()
        }
        Err(error) if error.is_of_the_file() => {
            tally.different += 1;
            error.to_string()
        }
        Err(error) => return Err(error.into()),
    };
    tally.lines.push(format!("{}: {said}", path.display()));
    Ok(())
}

/// The days asked for that are over, oldest first.
fn days(args: &ArchiveArgs, books: &OpenBooks) -> anyhow::Result<Vec<SeriesDayRow>> {
    let offset = books.registry.offset;
    let midnight = |date: NaiveDate| offset.instant(date.and_time(chrono::NaiveTime::MIN));
    let from = args.from.map_or(Timestamp(i64::MIN), midnight);
    let over = books.now.plus_ms(1 - DAY_MS);
    let asked = args.until.map(|date| midnight(date).plus_ms(DAY_MS));
    let until = asked.unwrap_or(over).min(over);
    if let (Some(first), Some(last)) = (args.from, args.until) {
        ensure!(first <= last, "--from {first} is after --until {last}");
    }
    let kinds = if args.kinds.is_empty() {
        Series::BY_DAYS.to_vec()
    } else {
        args.kinds.clone()
    };
    let mut all = Vec::new();
    for series in kinds {
        let days = books.readers.series_days(series, from, until, LIST_MAX);
        all.extend(days.context("listing the days in the books")?);
    }
    all.sort_by_key(|row| (row.day, row.series));
    Ok(all)
}

fn report(args: &ArchiveArgs, tally: &Tally) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let Tally {
        files,
        rows,
        bytes,
        equal,
        stale,
        absent,
        different,
        ..
    } = tally;
    if args.json {
        let object = if args.check {
            json!({ "equal": equal, "stale": stale, "absent": absent, "different": different,
                "listed": tally.lines })
        } else {
            json!({ "files": files, "rows": rows, "bytes": bytes, "listed": tally.lines })
        };
        writeln!(out, "{object}")?;
    } else {
        for line in &tally.lines {
            writeln!(out, "{line}")?;
        }
        if args.check {
            writeln!(
                out,
                "{equal} files as in the books, {stale} behind them, {different} different; \
                 {absent} days without a file"
            )?;
        } else {
            writeln!(out, "{files} files, {rows} rows, {bytes} bytes")?;
        }
    }
    Ok(if *different == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
