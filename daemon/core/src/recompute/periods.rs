//! Days from the recomputed hours, months from days, the year from months.

use super::Run;
use super::hour::{HourFigures, NamedHour, verdicts};
use crate::aggregate::{Children, Figures, Shorter, longer};
use crate::model::rows::AggregateOrigin;
use crate::model::{AggregateRow, FactorCode, Level, Period, Timestamp};
use crate::validate::code;
use std::collections::BTreeMap;

/// The day that begins at `start`; nothing when it has no hours.
pub(super) fn day(
    run: &mut Run<'_, '_>,
    start: Timestamp,
    codes: &[FactorCode],
    hours: &[HourFigures],
) {
    if hours.is_empty() {
        return;
    }
    let named = |figures| NamedHour { codes, figures };
    let hours: Vec<NamedHour<'_>> = hours.iter().map(named).collect();
    let level = Level::Day;
    close(run, Period { level, start }, &hours);
}

/// All months and the year, from the days that there are.
pub(super) fn longer_than_days(run: &mut Run<'_, '_>) {
    kept_days(run);
    for (shorter, level) in [(Level::Day, Level::Month), (Level::Month, Level::Year)] {
        let mut groups: BTreeMap<Timestamp, Vec<Figures>> = BTreeMap::new();
        for ((_, start), figures) in of_level(&run.out.periods, shorter) {
            let parent = Period::containing(level, *start, run.year.offset).start;
            groups.entry(parent).or_default().push(figures.clone());
        }
        for (start, parts) in groups {
            close(run, Period { level, start }, &parts);
        }
    }
    let missing: Vec<(Level, Timestamp)> = run
        .stored
        .keys()
        .filter(|key| key.0 != Level::Hour && !run.out.periods.contains_key(*key))
        .copied()
        .collect();
    for (level, start) in missing {
        run.found.at(level, start);
        run.found
            .row(run.stored.get(&(level, start)).copied(), None);
    }
}

fn of_level(
    periods: &BTreeMap<(Level, Timestamp), Figures>,
    level: Level,
) -> impl Iterator<Item = (&(Level, Timestamp), &Figures)> {
    let ends = (level, Timestamp(i64::MIN))..=(level, Timestamp(i64::MAX));
    periods.range(ends)
}

/// Days that packed hours say nothing of: those for which there is nothing but the station's own
/// record, and the running day, whose hours are packed when it is over.
fn kept_days(run: &mut Run<'_, '_>) {
    for (key, row) in &run.stored {
        let kept = row.origin == AggregateOrigin::Reported || !row.complete;
        if row.level == Level::Day && kept && !run.out.periods.contains_key(key) {
            let figures = Figures {
                volume_m3: row.volume_m3,
                factors: row.factors.clone(),
                seq: row.seq,
            };
            run.out.periods.insert(*key, figures);
        }
    }
}

/// Computes, judges and compares one period.
fn close<R: Shorter>(run: &mut Run<'_, '_>, period: Period, parts: &[R]) {
    let Some(rules) = (run.year.rules)(period.start) else {
        return;
    };
    let of = (rules.outlet, rules.profile);
    let mut figures = longer(&Children::of(period, run.year.offset, of, parts));
    let key = (period.level, period.start);
    let stored = run.stored.get(&key).copied();
    if let Some(row) = stored {
        keep(&mut figures, row);
    }
    let o2_valid = figures.factors.get(code::OXYGEN).is_some_and(|o2| o2.valid);
    for (code, factor) in &mut figures.factors {
        if let Some(settings) = rules.outlet.factors.get(code) {
            factor.limits = verdicts(factor, settings, &rules, key, o2_valid);
        }
    }
    run.found.at(period.level, period.start);
    run.found.row(stored, Some(&figures));
    run.out.periods.insert(key, figures);
}

/// Takes over what does not follow from shorter periods: what the station reported, reviews and
/// other reasons of invalidity, what was put in for invalid periods.
fn keep(figures: &mut Figures, row: &AggregateRow) {
    for (code, factor) in &mut figures.factors {
        let Some(stored) = row.factors.get(code) else {
            continue;
        };
        factor.reported = stored.reported;
        factor.substituted_kg = stored.substituted_kg;
        factor.exempt_units = stored.exempt_units;
        factor.invalid_why.clone_from(&stored.invalid_why);
        factor.valid &= stored.invalid_why.is_none();
    }
}
