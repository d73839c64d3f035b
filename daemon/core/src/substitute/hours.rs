//! Gaps of hours, and the amount of each hour that is put in.

use super::cells::Cells;
use super::history::History;
use super::rule::{self, Entry, look_back_until};
use super::{HourState, Input, by_day, manual, why};
use crate::model::time::{DAY_MS, HOUR_MS};
use crate::model::{Gap, Substitute, Timestamp};
use rust_decimal::Decimal;
use smol_str::SmolStr;

/// How a part of a gap is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By manual data.
    Manual,
    /// By the method, counted back from the last passed check.
    FromCheck,
    /// By the method, counted back from its own start.
    FromStart,
}

/// A part of a gap that is treated in one way.
struct Part {
    way: Way,
    /// Place of its first hour.
    first: usize,
    /// Place of its last hour; hours in between may be stopped.
    last: usize,
    /// Length of the whole gap.
    gap_h: u32,
}

/// Gaps of the quarter, ascending.
pub(super) fn gaps(input: &Input<'_>, cells: &Cells<'_>) -> Vec<Gap> {
    let parts = parts(input, cells);
    if parts.is_empty() {
        return Vec::new();
    }
    let facts = cells.known().iter();
    let valid = facts.filter(|fact| fact.state == HourState::Valid);
    let units = valid.filter_map(|fact| Some((fact.start, fact.amount_kg?)));
    let mut history = History::new(units.collect(), HOUR_MS);
    parts
        .iter()
        .map(|part| gap(input, cells, part, &mut history))
        .collect()
}

fn parts(input: &Input<'_>, cells: &Cells<'_>) -> Vec<Part> {
    let mut found: Vec<Part> = Vec::new();
    // Where the parts of the running gap begin, and how long it is.
    let mut begin = 0;
    let mut gap_h = cells.open_before(input);
    let close = |parts: &mut [Part], gap_h| {
        for part in parts {
            part.gap_h = gap_h;
        }
    };
    for place in 0..cells.len() {
        match cells.state(place) {
            HourState::Stopped => {}
            HourState::Valid => {
                close(&mut found[begin..], gap_h);
                begin = found.len();
                gap_h = 0;
            }
            HourState::Invalid(why) => {
                gap_h = gap_h.saturating_add(1);
                let way = way(input, cells, place, why);
                match found[begin..].last_mut().filter(|part| part.way == way) {
                    Some(part) => part.last = place,
                    None => found.push(Part {
                        way,
                        first: place,
                        last: place,
                        gap_h,
                    }),
                }
            }
        }
    }
    close(&mut found[begin..], gap_h);
    found
}

fn way(input: &Input<'_>, cells: &Cells<'_>, place: usize, why: &str) -> Way {
    if manual_kg(input, cells, place).is_some() {
        Way::Manual
    } else if why == why::OUT_OF_CONTROL {
        Way::FromCheck
    } else {
        Way::FromStart
    }
}

/// What manual data give an hour, kg.
pub(super) fn manual_kg(input: &Input<'_>, cells: &Cells<'_>, place: usize) -> Option<Decimal> {
    let volume_m3 = cells.fact(place).and_then(|fact| fact.volume_m3);
    manual::amount(input, cells.start(place), volume_m3)
}

fn gap(input: &Input<'_>, cells: &Cells<'_>, part: &Part, history: &mut History) -> Gap {
    let places = || cells.invalid(part.first..part.last + 1);
    let from = cells.start(part.first);
    let until = cells.start(part.last).plus_ms(HOUR_MS);
    let anchor = match part.way {
        Way::FromCheck => why::OUT_OF_CONTROL,
        Way::FromStart | Way::Manual => why::INVALID,
    };
    let mut substitute = |capture_pct| match part.way {
        Way::Manual => rule::manual(places().filter_map(|(p, _)| manual_kg(input, cells, p))),
        Way::FromCheck | Way::FromStart => {
            let entry = Entry {
                capture_pct,
                gap_h: part.gap_h,
                units: u32::try_from(places().count()).unwrap_or(u32::MAX),
                from,
                look_back_until: look_back_until(anchor, from, input.passed_checks),
            };
            rule::substitute(input.method(), &entry, history)
        }
    };
    let day_over = input.day_of(cells.start(part.last)).plus_ms(DAY_MS);
    let provisional = substitute(cells.capture_pct(day_over));
    let settled = input
        .over()
        .then(|| substitute(cells.capture_pct(input.end)));
    let (by_day, replaced_by_day) =
        days(input, cells, part, settled.as_ref().unwrap_or(&provisional)).unwrap_or_default();
    Gap {
        from,
        until,
        hours: part.gap_h,
        why: SmolStr::new(most_frequent(places().map(|(_, why)| why)).unwrap_or(why::INVALID)),
        provisional,
        settled,
        by_day,
        replaced_by_day,
    }
}

/// Amounts by local day.
type Days = Vec<(Timestamp, Decimal)>;

/// What is put in by day, and what the hours had measured; `None` when nothing is put in.
fn days(
    input: &Input<'_>,
    cells: &Cells<'_>,
    part: &Part,
    substitute: &Substitute,
) -> Option<(Days, Days)> {
    substitute.total_kg?;
    let places = || cells.invalid(part.first..part.last + 1);
    let day = |place: usize| input.day_of(cells.start(place));
    let put_in = places().filter_map(|(place, _)| {
        let kg = match part.way {
            Way::Manual => manual_kg(input, cells, place),
            Way::FromCheck | Way::FromStart => substitute.unit_kg,
        };
        Some((day(place), kg?))
    });
    let own = places().filter_map(|(place, _)| Some((day(place), cells.fact(place)?.amount_kg?)));
    Some((by_day(put_in)?, by_day(own)?))
}

/// The code that most of the hours have, the first of equals.
pub(super) fn most_frequent(codes: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let mut counts: Vec<(&'static str, u32)> = Vec::new();
    for code in codes {
        match counts.iter_mut().find(|(known, _)| *known == code) {
            Some((_, n)) => *n += 1,
            None => counts.push((code, 1)),
        }
    }
    let most = counts.iter().map(|(_, n)| *n).max()?;
    counts
        .iter()
        .find(|(_, n)| *n == most)
        .map(|(code, _)| *code)
}
