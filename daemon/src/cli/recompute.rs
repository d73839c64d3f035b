//! `cemsd recompute`: a year of hours computed again by the rules in force then, and compared with
//! what is in the books.

use super::books::{self, BooksArgs};
use super::verify::progress_bar;
use crate::figures::recompute::{self, OutletYear};
use anyhow::{Context, ensure};
use cems_core::model::{OutletId, UtcOffset};
use cems_core::recompute::Finding;
use chrono::NaiveDate;
use serde_json::json;
use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

/// `cemsd recompute`
#[derive(Debug, clap::Args)]
pub struct RecomputeArgs {
    /// The year, by the site's clock.
    #[arg(long, value_parser = clap::value_parser!(i32).range(1990..=9999))]
    year: i32,
    /// Only these outlets; may be given several times.
    #[arg(long = "outlet", value_name = "OUTLET")]
    outlets: Vec<String>,
    #[command(flatten)]
    books: BooksArgs,
}

/// Recomputes, compares, and says what differs. Changes nothing.
///
/// # Errors
/// When an outlet is unknown or the books cannot be read.
pub fn run(args: &RecomputeArgs) -> anyhow::Result<ExitCode> {
    let books = books::open(&args.books.data)?;
    let known = &books.registry.outlets;
    for id in &args.outlets {
        ensure!(
            known.contains_key(id.as_str()),
            "the registry has no outlet {id}"
        );
    }
    let outlets: Vec<OutletId> = if args.outlets.is_empty() {
        known.keys().cloned().collect()
    } else {
        args.outlets.iter().map(OutletId::new).collect()
    };
    let registries = books.readers.read(recompute::registries)?;
    let year = NaiveDate::from_ymd_opt(args.year, 1, 1).context("no such year")?;
    let year = books
        .registry
        .offset
        .instant(year.and_hms_opt(0, 0, 0).context("midnight")?);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let bar = progress_bar(u64::try_from(outlets.len()).unwrap_or(u64::MAX));
    let began = Instant::now();
    let progress = |n: usize| bar.set_position(u64::try_from(n).unwrap_or(u64::MAX));
    let all = recompute::recompute(
        &books.readers,
        &registries,
        &outlets,
        (year, threads),
        &progress,
    )?;
    bar.finish_and_clear();
    let seconds = began.elapsed().as_secs_f64();
    report(args, &all, seconds, books.registry.offset)
}

fn report(
    args: &RecomputeArgs,
    all: &[OutletYear],
    seconds: f64,
    offset: UtcOffset,
) -> anyhow::Result<ExitCode> {
    let sum = |figure: fn(&OutletYear) -> u64| all.iter().map(figure).sum::<u64>();
    let (hours, values) = (sum(|one| one.hours), sum(|one| one.values));
    let differences = sum(|one| one.counts.values().sum());
    let damaged = all.iter().filter(|one| one.damaged.is_some()).count();
    let mut out = std::io::stdout().lock();
    if args.books.json {
        let list: Vec<_> = all.iter().flat_map(|one| lines(one, offset)).collect();
        let object = json!({
            "year": args.year, "outlets": all.len(), "hours": hours, "values": values,
            "seconds": seconds, "differences": differences, "damaged": damaged, "listed": list,
        });
        writeln!(out, "{object}")?;
    } else {
        for line in all.iter().flat_map(|one| lines(one, offset)) {
            writeln!(out, "{line}")?;
        }
        writeln!(
            out,
            "{} outlets, {hours} hours, {values} values recomputed in {seconds:.1} s: {}",
            all.len(),
            match (differences, damaged) {
                (0, 0) => "all as in the books".to_owned(),
                _ => format!("{differences} differences, {damaged} outlets with damaged hours"),
            }
        )?;
    }
    Ok(if differences == 0 && damaged == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn lines(one: &OutletYear, offset: UtcOffset) -> Vec<String> {
    let outlet = &one.outlet;
    let mut lines: Vec<String> = one
        .differences
        .iter()
        .map(|d| {
            let factor = d
                .factor
                .as_ref()
                .map_or_else(String::new, |f| format!(" {f}"));
            format!(
                "{outlet} {} {}{factor} {:?}: in the books {}, recomputed {}",
                d.level.as_str(),
                offset.iso(d.start),
                d.what,
                said(&d.stored),
                said(&d.computed)
            )
        })
        .collect();
    if let Some(error) = &one.damaged {
        lines.push(format!(
            "{outlet}: {error}; `cemsd rebuild` makes them anew"
        ));
    }
    lines
}

fn said(finding: &Finding) -> String {
    match finding {
        Finding::Nothing => "nothing".to_owned(),
        Finding::Something => "something".to_owned(),
        Finding::Figure(figure) => figure.to_string(),
        Finding::Units(units) => units.to_string(),
        Finding::Truth(truth) => truth.to_string(),
        Finding::Verdicts(verdicts) => format!("{verdicts:?}"),
    }
}
