//! Periods close: hours from minutes, then the day, month and year above them.
//!
//! A period is computed when it is over and [`GRACE_MS`] have passed. Each computation of an hour
//! also renews the rows of its day, month and year, marked as not complete until they are over.
//! Data for a period already closed book it again for the next whole [`SETTLE_MS`], so that a
//! logger catching up on a week costs one computation per hour and not sixty, and one of the days,
//! months and packs above them. Both times are engine time: the outcome does not depend on batches.

use super::clues;
use super::context::{Cx, Site};
use super::exceedance;
use super::permitted;
use super::quarters::{self, DaysOver};
use super::state::{Live, OutletState, Shared};
use super::watch::outlook;
use crate::aggregate::gather::{self, Gathered};
use crate::limits::{self, Circumstances};
use crate::model::rows::AggregateOrigin;
use crate::model::time::{MINUTE_MS, SECOND_MS};
use crate::model::{AggregateRow, Level, Output, Period, Registry, Series, Timestamp, UtcOffset};
use crate::validate::code;
use std::collections::BTreeMap;

/// How long after the end of a period its records are waited for: loggers send the last minute
/// within seconds, and two minutes also let a slow poll and one retry (HJ 212: three tries of 10 s)
/// pass.
pub const GRACE_MS: i64 = 2 * MINUTE_MS;

/// How long corrections of closed periods are collected before they are computed, at most.
pub const SETTLE_MS: i64 = 5 * SECOND_MS;

/// Books `period` for computation: at its end and the grace, or soon when that has passed.
pub(super) fn book(state: &mut OutletState, period: Period, offset: UtcOffset, at: Timestamp) {
    let end = period.end(offset).plus_ms(GRACE_MS);
    let due = if end > at { end } else { settled(at) };
    let key = (period.level, period.start);
    let booked = state.closing.get_or_insert_with(key, || due);
    *booked = due.min(*booked);
}

/// The first multiple of [`SETTLE_MS`] after `at`: all that came before it is computed at once.
fn settled(at: Timestamp) -> Timestamp {
    let into = at.0.rem_euclid(SETTLE_MS);
    at.plus_ms(SETTLE_MS.saturating_sub(into))
}

/// When the first booked period is to be computed.
pub(super) fn next_due(state: &OutletState) -> Option<Timestamp> {
    state.closing.values().min().copied()
}

/// Books `period` for computation at once.
pub(super) fn book_now(live: &mut Live, period: Period, at: Timestamp) {
    let key = (period.level, period.start);
    let booked = live.state.closing.get_or_insert_with(key, || at);
    *booked = at.min(*booked);
    live.dirty = true;
}

/// Computes everything booked up to `cx.at`, shorter periods first; quarters before the months that
/// show what they put in.
pub(super) fn run(live: &mut Live, shared: &mut Shared, site: Site<'_>, cx: &mut Cx<'_>) {
    for level in Level::ALL {
        if level == Level::Month {
            quarters::run(live, site, cx);
        }
        let due: Vec<Timestamp> = live
            .state
            .closing
            .iter()
            .filter(|((l, _), due)| *l == level && **due <= cx.at)
            .map(|((_, start), _)| *start)
            .collect();
        let mut over = DaysOver::default();
        for start in due {
            live.state.closing.remove(&(level, start));
            live.dirty = true;
            let hours = compute(live, shared, site, Period { level, start }, cx);
            if !hours.is_empty() {
                over.note(site, start, hours);
            }
        }
        over.pack(live, site, cx);
    }
}

/// Computes a period and what follows from it; gives the hours of a day that is over.
fn compute(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    period: Period,
    cx: &mut Cx<'_>,
) -> Vec<AggregateRow> {
    let closes_at = period.end(site.offset).plus_ms(GRACE_MS);
    let complete = closes_at <= cx.at;
    if !complete {
        live.state
            .closing
            .insert((period.level, period.start), closes_at);
    }
    let versions = live.versions.clone();
    let judging = versions.site(cx.registry, site, period.start);
    let old = cx
        .history
        .aggregates(
            &site.outlet.id,
            period.level,
            period.start,
            period.start.plus_ms(1),
        )
        .pop();
    let gathered = gather::gather(judging.of_period(), period, complete, cx.history)
        .or_else(|| old.as_ref().map(|old| emptied(old, complete)));
    let Some(mut gathered) = gathered else {
        return Vec::new();
    };
    judge(&mut gathered, judging, cx.registry);
    if complete {
        clues::of_period(judging, period, &gathered, cx);
    }
    let mut row = gathered.row;
    row.superseded = old.as_ref().map_or(0, |old| old.superseded);
    if old.as_ref() != Some(&row) {
        let was_complete = old.as_ref().is_some_and(|old| old.complete);
        row.superseded = row.superseded.saturating_add(u32::from(was_complete));
        cx.emit(Output::Aggregate(row.clone()));
        if row.complete {
            cx.outgoing(site, Series::Aggregate(row.level), row.start);
        }
        exceedance::means(live, shared, site, (old.as_ref(), &row), cx);
        permitted::follow(live, shared, site, &row, cx);
        outlook::day(live, shared, site, &row, cx);
        follow(live, site, period, cx);
    }
    if complete && period.level == Level::Day {
        return gathered.below;
    }
    Vec::new()
}

/// A month of which nothing is left but that it once had a row: what was put in for hours without
/// data, say, which a mark has since declared stopped. Rows are not taken away.
fn emptied(old: &AggregateRow, complete: bool) -> Gathered {
    Gathered {
        row: AggregateRow {
            complete,
            volume_m3: None,
            factors: BTreeMap::new(),
            ..old.clone()
        },
        hour: None,
        below: Vec::new(),
        reported_day: None,
    }
}

/// Books what a changed row shows in: the longer period, and for an hour the day after, whose clues
/// look at the day before it.
fn follow(live: &mut Live, site: Site<'_>, period: Period, cx: &Cx<'_>) {
    let Some(level) = period.level.longer() else {
        return;
    };
    let parent = Period::containing(level, period.start, site.offset);
    book_now(live, parent, cx.at);
    let next = Period {
        level,
        start: parent.end(site.offset),
    };
    if level == Level::Day && next.end(site.offset).plus_ms(GRACE_MS) <= cx.at {
        book_now(live, next, cx.at);
    }
}

/// Judges the limits in force at the start of the period.
pub(super) fn judge(gathered: &mut Gathered, site: Site<'_>, registry: &Registry) {
    let row = &mut gathered.row;
    let reported = row.origin == AggregateOrigin::Reported;
    let o2_valid = reported || row.factors.get(code::OXYGEN).is_some_and(|o2| o2.valid);
    let enterprise = registry.enterprises.get(&site.outlet.enterprise);
    for (code, factor) in &mut row.factors {
        let Some(settings) = site.outlet.factors.get(code) else {
            continue;
        };
        let hour = gathered.hour.as_ref();
        let marks = hour.map_or_else(Vec::new, |hour| hour.standing.kinds(code, row.start));
        let of = Circumstances {
            outlet: site.outlet,
            profile: site.profile,
            level: row.level,
            start: row.start,
            o2_valid,
            marks: &marks,
            special_periods: &registry.special_periods,
            region: enterprise.map(|enterprise| &enterprise.region),
        };
        factor.limits = limits::judge(factor, settings, &of).verdicts;
    }
}
