//! Speed of what must be fast: packing the hours of a month, reading columns of it, computing a
//! year of an outlet again, and the engine's step for a minute record.
//!
//! `cargo bench -p cems-core`. Each line is the best of some rounds: what the machine can do when
//! nothing else asks for it. `cargo test --benches` runs a small part once, for its checks.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at what cannot be")]

mod city;
mod steps;

use cems_core::aggregate::{Children, HourInput, Slot, SlotValue, hour, longer};
use cems_core::limits;
use cems_core::model::rows::AggregateOrigin;
use cems_core::model::*;
use cems_core::pack::{FactorColumns, Pack, Want, replace_day};
use cems_core::recompute::{Recomputed, Recomputer, Rules, Year};
use city::{GAS, Readings, WATER, minute};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

/// Factors of each outlet.
const FACTORS: u64 = 10;

/// Nanoseconds of the best of `rounds`.
pub(crate) fn best<T>(rounds: u32, mut work: impl FnMut() -> T) -> u64 {
    let once = |_| {
        let start = Instant::now();
        black_box(work());
        u64::try_from(start.elapsed().as_nanos()).unwrap().max(1)
    };
    (0..rounds.max(1)).map(once).min().unwrap()
}

/// Rows of a time of one outlet, as the engine would make them.
struct Rows {
    hours: Vec<AggregateRow>,
    longer: Vec<AggregateRow>,
}

fn hour_row(registry: &Registry, outlet: &Outlet, n: i64, readings: &mut Readings) -> AggregateRow {
    let profile = registry.profile_at(outlet, minute(0)).unwrap();
    let factors = city::factors(outlet.id.as_str());
    let slots: Vec<Slot> = (0..60u64)
        .map(|m| {
            let flag = readings.flag();
            let values = factors.into_iter().enumerate().map(|(i, factor)| {
                let value = readings.next(i, factor);
                let sent = SlotValue {
                    value: (flag == "N").then_some(value),
                    stopped: flag == "F",
                    ..SlotValue::default()
                };
                (FactorCode::new(factor.0), sent)
            });
            Slot {
                start: minute(n * 60 + i64::try_from(m).unwrap()),
                minutes: 1,
                values: values.collect(),
                seq: Seq(u64::try_from(n).unwrap() * 120_000 + m * 2_003),
            }
        })
        .collect();
    let figures = hour(&HourInput {
        outlet,
        profile,
        slots: &slots,
        origin: AggregateOrigin::Computed,
    });
    let mut row = AggregateRow {
        outlet: outlet.id.clone(),
        level: Level::Hour,
        start: minute(n * 60),
        origin: AggregateOrigin::Computed,
        complete: true,
        volume_m3: figures.volume_m3,
        factors: figures.factors,
        profile: profile.id.clone(),
        received: 60,
        due: 60,
        seq: figures.seq,
        superseded: 0,
    };
    judge(&mut row, outlet, profile);
    row
}

fn judge(row: &mut AggregateRow, outlet: &Outlet, profile: &Profile) {
    let o2_valid = row.factors.get("a19001").is_some_and(|o2| o2.valid);
    let of = limits::Circumstances {
        outlet,
        profile,
        level: row.level,
        start: row.start,
        o2_valid,
        marks: &[],
        special_periods: &BTreeMap::new(),
        region: None,
    };
    for (code, factor) in &mut row.factors {
        factor.limits = limits::judge(factor, &outlet.factors[code], &of).verdicts;
    }
}

fn rows(registry: &Registry, outlet: &str, days: i64) -> Rows {
    let outlet = &registry.outlets[outlet];
    let profile = registry.profile_at(outlet, minute(0)).unwrap();
    let mut readings = Readings::new(7);
    let hours = (0..24 * days).map(|n| hour_row(registry, outlet, n, &mut readings));
    let hours: Vec<AggregateRow> = hours.collect();
    let mut all = Vec::new();
    let mut below = hours.clone();
    for level in [Level::Day, Level::Month, Level::Year] {
        let of = |row: &AggregateRow| Period::containing(level, row.start, registry.offset).start;
        let parts = below.chunk_by(|a, b| of(a) == of(b));
        let above: Vec<AggregateRow> = parts
            .map(|parts| {
                let start = of(&parts[0]);
                let period = Period { level, start };
                let children = Children::of(period, registry.offset, (outlet, profile), parts);
                let figures = longer(&children);
                let mut row = AggregateRow {
                    level,
                    start,
                    volume_m3: figures.volume_m3,
                    factors: figures.factors,
                    seq: figures.seq,
                    ..parts[0].clone()
                };
                judge(&mut row, outlet, profile);
                row
            })
            .collect();
        all.extend(above.iter().cloned());
        below = above;
    }
    Rows { hours, longer: all }
}

fn months(registry: &Registry, hours: &[AggregateRow]) -> Vec<Vec<AggregateRow>> {
    let mut months: BTreeMap<Timestamp, Vec<AggregateRow>> = BTreeMap::new();
    for row in hours {
        let month = Period::containing(Level::Month, row.start, registry.offset).start;
        months.entry(month).or_default().push(row.clone());
    }
    months.into_values().collect()
}

fn size(rows: &[AggregateRow]) -> u64 {
    u64::try_from(Pack::of(rows).unwrap().len()).unwrap()
}

/// Ratio with two decimals.
fn ratio(a: u64, b: u64) -> String {
    let hundredths = a * 100 / b.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn packing(what: &str, month: &[AggregateRow], rounds: u32) {
    let hours = u64::try_from(month.len()).unwrap();
    let values = hours * FACTORS;
    let mut few = month.to_vec();
    for factor in few.iter_mut().flat_map(|row| row.factors.values_mut()) {
        factor.min = None;
        factor.max = None;
    }
    let json: usize = month
        .iter()
        .map(|row| serde_json::to_string(row).unwrap().len())
        .sum();
    println!("pack of {hours} hours of 10 factors, {what}");
    println!("  bytes                             {:>9}", size(month));
    println!(
        "  bytes a factor and hour, all      {:>9}",
        ratio(size(month), values)
    );
    println!(
        "  without least and greatest        {:>9}",
        ratio(size(&few), values)
    );
    println!(
        "  as JSON                           {:>9}",
        ratio(u64::try_from(json).unwrap(), values)
    );
    let body = Pack::of(month).unwrap();
    assert_eq!(Pack::open(&body).unwrap().rows().unwrap(), month);
    let ns = |took: u64| took / values;
    let took = best(rounds, || Pack::of(month));
    println!(
        "  write                             {:>9} ns a factor and hour",
        ns(took)
    );
    let day = &month[month.len() - 24..];
    let took = best(rounds, || replace_day(&body, day));
    println!("  put in a day                      {:>9} us", took / 1_000);
    let took = best(rounds, || Pack::open(&body).unwrap().rows());
    println!(
        "  read all rows                     {:>9} ns a factor and hour",
        ns(took)
    );
    let code = &city::factors(month[0].outlet.as_str())[2].0;
    for (want, name) in [
        (Want::MEAN, "read means of a factor   "),
        (Want::AMOUNT, "read amounts of a factor "),
        (Want::VALID, "read validity of a factor"),
        (Want::ALL, "read all of a factor     "),
    ] {
        let mut columns = FactorColumns::default();
        let read = || Pack::open(&body).unwrap().read(code, want, &mut columns);
        println!(
            "  {name}         {:>9} ns an hour",
            best(rounds, read) / hours
        );
    }
}

fn recomputing(what: &str, registry: &Registry, rows: &Rows, rounds: u32) {
    let months = months(registry, &rows.hours);
    let packs: Vec<Vec<u8>> = months.iter().map(|rows| Pack::of(rows).unwrap()).collect();
    let packs: Vec<&[u8]> = packs.iter().map(Vec::as_slice).collect();
    let outlet = &registry.outlets[&rows.hours[0].outlet];
    let rules = |at| {
        let profile = registry.profile_at(outlet, at)?;
        Some(Rules {
            outlet,
            profile,
            special_periods: &registry.special_periods,
            region: None,
        })
    };
    let year = Year {
        offset: registry.offset,
        packs: &packs,
        stored: &rows.longer,
        rules: &rules,
        differences_max: 100,
    };
    let mut recomputer = Recomputer::new();
    let found: Recomputed = recomputer.run(&year).unwrap();
    assert_eq!(found.differences, []);
    let took = best(rounds, || recomputer.run(&year));
    let bytes: usize = packs.iter().map(|pack| pack.len()).sum();
    println!("recompute {} hours, {what}", found.hours);
    println!("  packs                             {:>9} bytes", bytes);
    println!("  in all                            {:>9} us", took / 1_000);
    println!(
        "  an hour                           {:>9} ns",
        took / found.hours
    );
    println!(
        "  a factor and hour                 {:>9} ns",
        took / found.factor_hours
    );
    println!();
}

fn main() {
    // cargo passes `--bench` to benchmarks, and nothing of the kind to tests.
    let quick = !std::env::args().any(|argument| argument == "--bench");
    let (days, rounds) = if quick { (3, 1) } else { (365, 15) };
    let registry = city::registry();
    for (outlet, what) in [(GAS, "stack"), (WATER, "discharge")] {
        let rows = rows(&registry, outlet, days);
        packing(what, &months(&registry, &rows.hours)[0], rounds);
        recomputing(what, &registry, &rows, rounds);
    }
    steps::measure(quick);
}
