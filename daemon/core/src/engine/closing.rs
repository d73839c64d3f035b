//! Periods close: hours from minutes, then the day, month and year above them.
//!
//! A period is computed when it is over and [`GRACE_MS`] have passed. Each computation of an hour
//! also renews the rows of its day, month and year, marked as not complete until they are over.
//! Data for a period already closed book it again [`SETTLE_MS`] after the first of them arrived,
//! so that a logger catching up on a week costs one computation per hour and not sixty. Both
//! times are engine time: the outcome does not depend on batches.

use super::clues;
use super::context::{Cx, Site};
use super::exceedance;
use super::permitted;
use super::quarters;
use super::state::{Live, OutletState, Shared};
use crate::aggregate::gather::{self, Gathered};
use crate::limits::{self, Circumstances};
use crate::model::rows::AggregateOrigin;
use crate::model::time::{MINUTE_MS, SECOND_MS};
use crate::model::{Level, Output, Period, Registry, Timestamp, UtcOffset};
use crate::validate::code;

/// How long after the end of a period its records are waited for: loggers send the last minute
/// within seconds, and two minutes also let a slow poll and one retry (HJ 212: three tries of 10 s)
/// pass.
pub const GRACE_MS: i64 = 2 * MINUTE_MS;

/// How long corrections of closed periods are collected before they are computed.
pub const SETTLE_MS: i64 = 5 * SECOND_MS;

/// Books `period` for computation: at its end and the grace, or soon when that has passed.
pub(super) fn book(state: &mut OutletState, period: Period, offset: UtcOffset, at: Timestamp) {
    let end = period.end(offset).plus_ms(GRACE_MS);
    let due = if end > at { end } else { at.plus_ms(SETTLE_MS) };
    let booked = state
        .closing
        .entry((period.level, period.start))
        .or_insert(due);
    *booked = due.min(*booked);
}

/// When the first booked period is to be computed.
pub(super) fn next_due(state: &OutletState) -> Option<Timestamp> {
    state.closing.values().min().copied()
}

/// Books `period` for computation at once.
pub(super) fn book_now(live: &mut Live, period: Period, at: Timestamp) {
    let key = (period.level, period.start);
    let booked = live.state.closing.entry(key).or_insert(at);
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
        for start in due {
            live.state.closing.remove(&(level, start));
            live.dirty = true;
            compute(live, shared, site, Period { level, start }, cx);
        }
    }
}

fn compute(live: &mut Live, shared: &mut Shared, site: Site<'_>, period: Period, cx: &mut Cx<'_>) {
    let closes_at = period.end(site.offset).plus_ms(GRACE_MS);
    let complete = closes_at <= cx.at;
    if !complete {
        live.state
            .closing
            .insert((period.level, period.start), closes_at);
    }
    let versions = live.versions.clone();
    let judging = versions.site(cx.registry, site, period.start);
    let gathered = gather::gather(judging.of_period(), period, complete, cx.history);
    let Some(mut gathered) = gathered else {
        return;
    };
    judge(&mut gathered, judging, cx.registry);
    if complete && period.level == Level::Day {
        quarters::day_over(live, judging, period.start, &gathered.below, cx);
    }
    if complete {
        clues::of_period(live, judging, period, &gathered, cx);
    }
    let row = gathered.row;
    let old = cx
        .history
        .aggregates(
            &row.outlet,
            period.level,
            period.start,
            period.start.plus_ms(1),
        )
        .pop();
    if old.as_ref() == Some(&row) {
        return;
    }
    cx.emit(Output::Aggregate(row.clone()));
    exceedance::means(live, shared, judging, (old.as_ref(), &row), cx);
    permitted::follow(live, shared, site, &row, cx);
    if let Some(level) = period.level.longer() {
        let parent = Period::containing(level, period.start, site.offset);
        book_now(live, parent, cx.at);
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
