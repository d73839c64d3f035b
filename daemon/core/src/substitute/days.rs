//! Gaps of days, and the daily loads that are put in.

use super::cells::{Cells, hours_between};
use super::history::History;
use super::hours::{manual_kg, most_frequent};
use super::rule::{self, Entry, last_passed};
use super::{HourFact, HourState, Input, by_day, ceil, why};
use crate::aggregate::day_needed;
use crate::formula;
use crate::model::profile::SubstitutionMethod;
use crate::model::time::DAY_MS;
use crate::model::{Gap, Profile, Timestamp};
use crate::quantity::internal;
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::ops::Range;

/// Hours of a local day.
const DAY_H: u32 = 24;

/// A day of a factor.
#[derive(Debug, Clone, Copy)]
struct Day<'a> {
    start: Timestamp,
    valid: u32,
    stopped: u32,
    facts: &'a [HourFact],
}

impl<'a> Day<'a> {
    fn new(start: Timestamp, facts: &'a [HourFact]) -> Self {
        let count = |state| {
            let alike = facts.iter().filter(|fact| fact.state == state);
            u32::try_from(alike.count()).unwrap_or(u32::MAX)
        };
        Self {
            start,
            valid: count(HourState::Valid),
            stopped: count(HourState::Stopped),
            facts,
        }
    }

    fn end(&self) -> Timestamp {
        self.start.plus_ms(DAY_MS)
    }

    /// Sum of the amounts of its hours, kg.
    fn kg(&self) -> Option<Decimal> {
        formula::sum(self.facts.iter().filter_map(|fact| fact.amount_kg)).map(internal)
    }

    /// Hours due.
    fn due(&self) -> u32 {
        DAY_H.saturating_sub(self.stopped)
    }

    fn invalid(&self) -> u32 {
        self.due().saturating_sub(self.valid)
    }

    /// It has a valid daily load.
    fn has_load(&self, profile: &Profile) -> bool {
        let needed = day_needed(profile, profile.day_threshold, self.due());
        let enough = self.valid > 0 && self.valid >= needed;
        enough && self.facts.iter().any(|fact| fact.amount_kg.is_some())
    }
}

/// Days of the series that have facts and are known of as a whole, ascending.
fn days<'a>(input: &Input<'_>, cells: &Cells<'a>) -> Vec<Day<'a>> {
    let first = ceil(cells.known_from(), DAY_MS, input.offset);
    let mut rest = cells.known();
    let mut days = Vec::new();
    while let Some(fact) = rest.first() {
        let start = input.day_of(fact.start);
        let next = start.plus_ms(DAY_MS);
        let same = rest.iter().take_while(|fact| fact.start < next).count();
        let (facts, later) = rest.split_at(same.max(1));
        rest = later;
        if first <= start && next <= input.until {
            days.push(Day::new(start, facts));
        }
    }
    days
}

/// A row of days without a valid load that is treated in one way.
struct Part<'a> {
    manual: bool,
    days: Vec<Day<'a>>,
    gap_h: u32,
}

/// Gaps of the quarter, ascending.
pub(super) fn gaps(input: &Input<'_>, cells: &Cells<'_>, look_back_days: u32) -> Vec<Gap> {
    let days = days(input, cells);
    let parts = parts(input, cells, &days);
    if parts.is_empty() {
        return Vec::new();
    }
    let mut history = History::new(loads(input, &days, &parts, look_back_days), DAY_MS);
    let method = SubstitutionMethod::DailyMaximum {
        days: look_back_days,
    };
    parts
        .iter()
        .map(|part| gap(input, cells, part, &method, &mut history))
        .collect()
}

/// Valid daily loads as far back as any of the parts looks; only these are summed up.
fn loads(
    input: &Input<'_>,
    days: &[Day<'_>],
    parts: &[Part<'_>],
    look_back_days: u32,
) -> Vec<(Timestamp, Decimal)> {
    let valid: Vec<&Day<'_>> = days
        .iter()
        .filter(|day| day.has_load(input.profile))
        .collect();
    let earliest = parts.iter().map(|part| look_back_until(input, part)).min();
    let over = valid.partition_point(|day| Some(day.end()) <= earliest);
    let most = usize::try_from(look_back_days).unwrap_or(usize::MAX);
    let needed = &valid[over.saturating_sub(most)..];
    let loads = needed.iter().filter_map(|day| Some((day.start, day.kg()?)));
    loads.collect()
}

/// Where the look-back ends: at the last passed check, which may lie within the first day.
fn look_back_until(input: &Input<'_>, part: &Part<'_>) -> Timestamp {
    let first = part.days[0];
    let check = last_passed(input.passed_checks, first.end());
    check.map_or(first.start, |check| check.min(first.start))
}

fn parts<'a>(input: &Input<'_>, cells: &Cells<'a>, days: &[Day<'a>]) -> Vec<Part<'a>> {
    let first = ceil(cells.start(0), DAY_MS, input.offset);
    let end = input.day_of(input.until.min(input.end));
    let before = days.partition_point(|day| day.start < first);
    let mut gap_h = open_before(input, cells, &days[..before], first);
    let mut of_quarter = days[before..].iter().copied().peekable();
    let mut found: Vec<Part<'a>> = Vec::new();
    let mut begin = 0;
    let mut start = first;
    while start < end {
        let day = of_quarter
            .next_if(|day| day.start == start)
            .unwrap_or_else(|| Day::new(start, &[]));
        start = start.plus_ms(DAY_MS);
        if day.due() == 0 {
            continue;
        }
        if day.has_load(input.profile) {
            close(&mut found[begin..], gap_h);
            begin = found.len();
            gap_h = 0;
            continue;
        }
        gap_h = gap_h.saturating_add(day.invalid());
        let manual = manual_load(input, cells, &day).is_some();
        match found[begin..].last_mut().filter(|p| p.manual == manual) {
            Some(part) => part.days.push(day),
            None => found.push(Part {
                manual,
                days: vec![day],
                gap_h,
            }),
        }
    }
    close(&mut found[begin..], gap_h);
    found
}

fn close(parts: &mut [Part<'_>], gap_h: u32) {
    for part in parts {
        part.gap_h = gap_h;
    }
}

/// Invalid hours of the row of days without a valid load that ends where the quarter begins.
fn open_before(input: &Input<'_>, cells: &Cells<'_>, before: &[Day<'_>], first: Timestamp) -> u32 {
    let mut open: u32 = 0;
    let mut next = first;
    for day in before.iter().rev() {
        open = open.saturating_add(hours_between(day.end(), next));
        next = day.start;
        if day.has_load(input.profile) {
            return open;
        }
        open = open.saturating_add(day.invalid());
    }
    let known_from = ceil(cells.known_from(), DAY_MS, input.offset);
    open.saturating_add(hours_between(known_from, next))
}

/// What manual data give the invalid hours of a day, kg; `None` unless they speak for all of them.
fn manual_load(input: &Input<'_>, cells: &Cells<'_>, day: &Day<'_>) -> Option<Decimal> {
    let places = cells.invalid(places(cells, day));
    let amounts = places.map(|(place, _)| manual_kg(input, cells, place));
    let amounts: Option<Vec<Decimal>> = amounts.collect();
    formula::sum(amounts?)
}

fn places(cells: &Cells<'_>, day: &Day<'_>) -> Range<usize> {
    cells.places(day.start, day.end())
}

/// What the invalid hours of a day had measured themselves, kg.
fn own_of_invalid(cells: &Cells<'_>, day: &Day<'_>) -> Option<Decimal> {
    let places = cells.invalid(places(cells, day));
    formula::sum(places.filter_map(|(place, _)| cells.fact(place)?.amount_kg))
}

fn gap(
    input: &Input<'_>,
    cells: &Cells<'_>,
    part: &Part<'_>,
    method: &SubstitutionMethod,
    history: &mut History,
) -> Gap {
    let (first, last) = (part.days[0], part.days[part.days.len() - 1]);
    let loads = part
        .days
        .iter()
        .filter_map(|day| manual_load(input, cells, day));
    let substitute = if part.manual {
        rule::manual(loads)
    } else {
        let entry = Entry {
            capture_pct: None,
            gap_h: part.gap_h,
            units: u32::try_from(part.days.len()).unwrap_or(u32::MAX),
            from: first.start,
            look_back_until: look_back_until(input, part),
        };
        rule::substitute(method, &entry, history)
    };
    let whys = part
        .days
        .iter()
        .flat_map(|day| cells.invalid(places(cells, day)));
    let mut gap = Gap {
        from: first.start,
        until: last.end(),
        hours: part.gap_h,
        why: SmolStr::new(most_frequent(whys.map(|(_, why)| why)).unwrap_or(why::INVALID)),
        settled: input.over().then(|| substitute.clone()),
        provisional: substitute,
        by_day: Vec::new(),
        replaced_by_day: Vec::new(),
    };
    put_in(input, cells, part, &mut gap);
    gap
}

/// What is put in by day, and in whose place. Manual data take the place of the invalid hours of a
/// day only, a daily load that of all its hours.
fn put_in(input: &Input<'_>, cells: &Cells<'_>, part: &Part<'_>, gap: &mut Gap) {
    let substitute = &gap.provisional;
    if substitute.total_kg.is_none() {
        return;
    }
    let loads = part.days.iter().filter_map(|day| {
        let kg = if part.manual {
            manual_load(input, cells, day)
        } else {
            substitute.unit_kg
        };
        Some((day.start, kg?))
    });
    let own = part.days.iter().filter_map(|day| {
        let kg = if part.manual {
            own_of_invalid(cells, day)
        } else {
            day.kg()
        };
        Some((day.start, internal(kg?)))
    });
    let (loads, own) = (by_day(loads), by_day(own));
    if let (Some(loads), Some(own)) = (loads, own) {
        gap.by_day = loads;
        gap.replaced_by_day = own;
    }
}
