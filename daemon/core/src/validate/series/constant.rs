//! Readings that do not move: the whole period, a run of it, or day after day.

use super::Hour;
use super::clues::{Clues, Evidence};
use super::days::{Days, span_of};
use super::figures::{longest_run, percent_of, spread};
use super::range::range_of;
use crate::model::time::{DAY_MS, HOUR_MS};
use crate::model::{AggregateRow, Medium, OutletFactor};
use crate::validate::{CONSTANT, CONSTANT_DAY, DUPLICATE_DAY, IDENTICAL_HOURS, IDENTICAL_MINUTES};
use rust_decimal::Decimal;

/// True when values from least to greatest span less than `range_pct` percent of the measuring
/// range; false for a range that is none.
pub fn is_constant(
    (least, greatest): (Decimal, Decimal),
    (low, high): (Decimal, Decimal),
    range_pct: Decimal,
) -> bool {
    let width = high.checked_sub(low).filter(|width| *width > Decimal::ZERO);
    let band = width.and_then(|width| percent_of(width, range_pct));
    let moved = greatest.checked_sub(least);
    moved.zip(band).is_some_and(|(moved, band)| moved < band)
}

/// True when the span is at most `value_pct` percent of the greatest value, too.
fn is_level((least, greatest): (Decimal, Decimal), value_pct: Decimal) -> bool {
    let band = percent_of(greatest.abs(), value_pct);
    let moved = greatest.checked_sub(least);
    moved.zip(band).is_some_and(|(moved, band)| moved <= band)
}

/// Below its detection limit an analyser has nothing to show.
fn undetected(factor: &OutletFactor, greatest: Decimal) -> bool {
    factor.detection_limit.is_some_and(|limit| greatest < limit)
}

fn moved(least: Decimal, greatest: Decimal, (low, high): (Decimal, Decimal)) -> Evidence {
    Evidence::default()
        .figure("least", least)
        .figure("greatest", greatest)
        .figure("range_min", low)
        .figure("range_max", high)
}

/// Minutes of a stack. Analysers of water hold a reading until the next one, so that constant
/// minutes say nothing about them.
pub(super) fn minutes(hour: &Hour<'_>, clues: &mut Clues<'_>) {
    if hour.input.outlet.medium == Medium::Water {
        return;
    }
    let range_pct = clues.threshold(&CONSTANT, "range_pct");
    let value_pct = clues.threshold(&CONSTANT, "value_pct");
    let minutes = clues.threshold(&CONSTANT, "minutes");
    let run_minutes = clues.threshold(&IDENTICAL_MINUTES, "minutes");
    let table = &hour.table;
    for column in table.pollutants() {
        let (Some(factor), Some((least, greatest))) = (column.factor, column.spread) else {
            continue;
        };
        if undetected(factor, greatest) {
            continue;
        }
        let range = range_of(factor)
            .filter(|range| is_constant((least, greatest), *range, range_pct))
            .filter(|_| is_level((least, greatest), value_pct));
        let long = table.minutes_of(column.counting) >= minutes;
        let rows = column.figures().map(|(row, _)| row);
        if let (Some(range), true, Some(span)) = (range, long, table.span(rows)) {
            let evidence = moved(least, greatest, range).word("records", column.counting);
            clues.add(&CONSTANT, Some(column.code), span, evidence);
        }
        let cells = column.cells.iter();
        let figures = cells.map(|cell| cell.as_ref().and_then(|cell| cell.counting()));
        let (first, length) = longest_run(figures);
        if length < 2 || table.minutes_of(length) < run_minutes {
            continue;
        }
        let Some(span) = table.span(first..first.saturating_add(length)) else {
            continue;
        };
        let evidence = Evidence::default()
            .word("records", length)
            .figure_if("value", column.at(first));
        clues.add(&IDENTICAL_MINUTES, Some(column.code), span, evidence);
    }
}

fn enough(hours: usize, needed: Decimal) -> bool {
    hours > 1 && Decimal::from(hours) >= needed
}

/// Hours of the day: all of them within a band, or a run of identical ones.
pub(super) fn hours(days: &Days<'_>, clues: &mut Clues<'_>) {
    let range_pct = clues.threshold(&CONSTANT_DAY, "range_pct");
    let value_pct = clues.threshold(&CONSTANT_DAY, "value_pct");
    let needed = clues.threshold(&CONSTANT_DAY, "hours");
    let run_needed = clues.threshold(&IDENTICAL_HOURS, "hours");
    for (code, factor) in days.concentrations() {
        let means = days.means(code.as_str());
        let Some((least, greatest)) = spread(means.iter().map(|(_, mean)| *mean)) else {
            continue;
        };
        if undetected(factor, greatest) {
            continue;
        }
        let range = range_of(factor)
            .filter(|range| is_constant((least, greatest), *range, range_pct))
            .filter(|_| is_level((least, greatest), value_pct));
        let rows = means.iter().map(|(row, _)| *row);
        if let (Some(range), Some(span), true) = (range, span_of(rows), enough(means.len(), needed))
        {
            let evidence = moved(least, greatest, range).word("hours", means.len());
            clues.add(&CONSTANT_DAY, Some(code), span, evidence);
        }
        let (first, length) = run_of_hours(&means);
        let run = means.iter().skip(first).take(length);
        let span = span_of(run.clone().map(|(row, _)| *row));
        if let (Some(span), true) = (span, enough(length, run_needed)) {
            let evidence = Evidence::default()
                .word("hours", length)
                .figure_if("value", means.get(first).map(|(_, mean)| *mean));
            clues.add(&IDENTICAL_HOURS, Some(code), span, evidence);
        }
    }
}

/// The longest run of equal means in hours that follow each other, as index and length.
fn run_of_hours(means: &[(&AggregateRow, Decimal)]) -> (usize, usize) {
    let (mut best, mut from) = ((0_usize, 0_usize), 0_usize);
    for (at, (row, mean)) in means.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| means.get(before));
        let goes_on = before.is_some_and(|(earlier, value)| {
            value == mean && earlier.start.plus_ms(HOUR_MS) == row.start
        });
        if !goes_on {
            from = at;
        }
        let length = at.saturating_sub(from).saturating_add(1);
        if length > best.1 {
            best = (from, length);
        }
    }
    best
}

/// The day against the day before. Days that stand still are told by other checks: they would
/// repeat each other, too.
pub(super) fn repeated(days: &Days<'_>, clues: &mut Clues<'_>) {
    let needed = clues.threshold(&DUPLICATE_DAY, "hours");
    for (code, _) in days.concentrations() {
        let mut pairs = 0_usize;
        let mut same = true;
        let means = days.means(code.as_str());
        for (row, mean) in &means {
            let before = row.start.plus_ms(-DAY_MS);
            let yesterday = days.input.yesterday;
            let before = yesterday.binary_search_by_key(&before, |row| row.start);
            let before = before.ok().and_then(|at| yesterday.get(at));
            if let Some(other) = before.and_then(|before| days.mean(before, code.as_str())) {
                pairs = pairs.saturating_add(1);
                same &= other == *mean;
            }
        }
        let moves = spread(means.iter().map(|(_, mean)| *mean)).is_some_and(|(a, b)| a != b);
        if same && moves && enough(pairs, needed) {
            let evidence = Evidence::default().word("hours", pairs);
            let span = (days.input.from, days.input.until);
            clues.add(&DUPLICATE_DAY, Some(code), span, evidence);
        }
    }
}
