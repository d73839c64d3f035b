//! Periods close: hours from minutes, then the day, month and year above them.
//!
//! A period is computed when it is over and [`GRACE_MS`] have passed. Each computation of an hour
//! also renews the rows of its day, month and year, marked as not complete until they are over.
//! Data for a period already closed book it again [`SETTLE_MS`] after the first of them arrived,
//! so that a logger catching up on a week costs one computation per hour and not sixty. Both
//! times are engine time: the outcome does not depend on batches.

use super::context::{Cx, Site};
use super::exceedance;
use super::state::{Live, OutletState, Shared};
use crate::aggregate::{
    Children, Figures, HourInput, Slot, SlotValue, from_minutes, from_realtime, from_record, hour,
    longer,
};
use crate::limits::{self, Circumstances};
use crate::model::rows::AggregateOrigin;
use crate::model::time::{DAY_MS, MINUTE_MS, SECOND_MS};
use crate::model::{
    AggregateRow, FactorAggregate, FactorCode, Level, Output, Period, RecordKind, RecordRow,
    Registry, Timestamp, UtcOffset,
};
use crate::quantity::internal;
use crate::validate::code;
use chrono::Datelike;
use std::collections::BTreeMap;

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

/// Computes everything booked up to `cx.at`, shorter periods first.
pub(super) fn run(live: &mut Live, shared: &mut Shared, site: Site<'_>, cx: &mut Cx<'_>) {
    for level in Level::ALL {
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
    let Some(mut row) = aggregate(site, period, cx) else {
        return;
    };
    row.complete = complete;
    judge(&mut row, site, cx.registry);
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
    exceedance::means(live, shared, site, (old.as_ref(), &row), cx);
    exceedance::amounts(live, shared, site, &row, cx);
    if let Some(level) = period.level.longer() {
        let parent = Period::containing(level, period.start, site.offset);
        let booked = live
            .state
            .closing
            .entry((level, parent.start))
            .or_insert(cx.at);
        *booked = cx.at.min(*booked);
    }
}

/// The row of a period without its verdicts; `None` when there is nothing below it.
pub(super) fn aggregate(site: Site<'_>, period: Period, cx: &Cx<'_>) -> Option<AggregateRow> {
    let (origin, figures) = match period.level {
        Level::Hour => hour_figures(site, period, cx)?,
        Level::Day => day_figures(site, period, cx)?,
        Level::Month => (AggregateOrigin::Computed, longer_figures(site, period, cx)?),
        Level::Year => (AggregateOrigin::Computed, longer_figures(site, period, cx)?),
    };
    Some(AggregateRow {
        outlet: site.outlet.id.clone(),
        level: period.level,
        start: period.start,
        origin,
        complete: false,
        volume_m3: figures.volume_m3,
        factors: figures.factors,
        profile: site.profile.id.clone(),
        received: 0,
        due: 0,
        seq: figures.seq,
    })
}

fn records(site: Site<'_>, kind: RecordKind, period: Period, cx: &Cx<'_>) -> Vec<RecordRow> {
    let end = period.end(site.offset);
    cx.history.records(&site.outlet.id, kind, period.start, end)
}

fn hour_figures(site: Site<'_>, period: Period, cx: &Cx<'_>) -> Option<(AggregateOrigin, Figures)> {
    let expects = &site.outlet.expectation;
    let reported = records(site, RecordKind::Hour, period, cx).pop();
    let minutes = records(site, RecordKind::Minute, period, cx);
    let end = period.end(site.offset);
    let interval_min = expects.minute_min.unwrap_or(1);
    let mut slots = from_minutes(&minutes, end, interval_min, site.profile);
    if let (true, None, Some(every_s)) = (slots.is_empty(), expects.minute_min, expects.realtime_s)
    {
        let samples = records(site, RecordKind::Realtime, period, cx);
        slots = from_realtime(&samples, period.start, every_s, site.profile);
    }
    let mut origin = AggregateOrigin::Computed;
    if slots.is_empty() {
        origin = AggregateOrigin::Reported;
        slots.push(from_record(reported.as_ref()?, 60, site.profile));
    }
    let mut figures = hour(&HourInput {
        outlet: site.outlet,
        profile: site.profile,
        slots: &slots,
        origin,
    });
    attach_reported(&mut figures, reported.as_ref());
    Some((origin, figures))
}

fn day_figures(site: Site<'_>, period: Period, cx: &Cx<'_>) -> Option<(AggregateOrigin, Figures)> {
    let reported = records(site, RecordKind::Day, period, cx).pop();
    let (origin, mut figures) = match longer_figures(site, period, cx) {
        Some(figures) => (AggregateOrigin::Computed, figures),
        None => {
            let slot = from_record(reported.as_ref()?, 60, site.profile);
            (AggregateOrigin::Reported, reported_day(&slot))
        }
    };
    attach_reported(&mut figures, reported.as_ref());
    Some((origin, figures))
}

/// A day for which there is nothing but the station's own day record: its means as they are, its
/// amounts where it sent any. Nothing is computed, because a day's formulas start from hours.
fn reported_day(slot: &Slot) -> Figures {
    let factor = |value: &SlotValue| {
        let valid = value.value.is_some();
        FactorAggregate {
            mean: value.value.map(internal),
            converted: value.converted.map(internal),
            amount_kg: value.cou.map(internal),
            valid,
            valid_units: if valid { 24 } else { 0 },
            due_units: 24,
            stopped_units: if value.stopped { 24 } else { 0 },
            ..FactorAggregate::default()
        }
    };
    let flows = [code::GAS_FLOW, code::WATER_FLOW];
    let volume = |code: &&str| slot.values.get(*code).and_then(|value| value.cou);
    let mut figures = Figures {
        volume_m3: flows.iter().find_map(volume).map(internal),
        factors: slot
            .values
            .iter()
            .map(|(code, value)| (code.clone(), factor(value)))
            .collect::<BTreeMap<FactorCode, _>>(),
        seq: slot.seq,
    };
    for code in flows {
        if let Some(flow) = figures.factors.get_mut(code) {
            flow.amount_kg = None;
        }
    }
    figures
}

fn attach_reported(figures: &mut Figures, reported: Option<&RecordRow>) {
    let Some(row) = reported else { return };
    for (code, stored) in &row.values {
        figures.seq = figures.seq.max(stored.seq);
        if let Some(factor) = figures.factors.get_mut(code) {
            factor.reported = stored.value.figure().map(|n| n.value.normalize());
        }
    }
}

fn longer_figures(site: Site<'_>, period: Period, cx: &Cx<'_>) -> Option<Figures> {
    let (below, end) = (shorter(period.level)?, period.end(site.offset));
    let rows = cx
        .history
        .aggregates(&site.outlet.id, below, period.start, end);
    if rows.is_empty() {
        return None;
    }
    let days = end.since_ms(period.start).div_euclid(DAY_MS);
    let units = match period.level {
        Level::Hour | Level::Day => 24,
        Level::Month => u32::try_from(days).unwrap_or(31),
        Level::Year => 12,
    };
    Some(longer(&Children {
        outlet: site.outlet,
        profile: site.profile,
        level: period.level,
        units,
        february: period.level == Level::Month && site.offset.local(period.start).month() == 2,
        rows: &rows,
    }))
}

fn shorter(level: Level) -> Option<Level> {
    match level {
        Level::Hour => None,
        Level::Day => Some(Level::Hour),
        Level::Month => Some(Level::Day),
        Level::Year => Some(Level::Month),
    }
}

/// Judges the limits in force at the start of the period.
fn judge(row: &mut AggregateRow, site: Site<'_>, registry: &Registry) {
    let reported = row.origin == AggregateOrigin::Reported;
    let o2_valid = reported || row.factors.get(code::OXYGEN).is_some_and(|o2| o2.valid);
    let enterprise = registry.enterprises.get(&site.outlet.enterprise);
    let of = Circumstances {
        outlet: site.outlet,
        profile: site.profile,
        level: row.level,
        start: row.start,
        o2_valid,
        marks: &[],
        special_periods: &registry.special_periods,
        region: enterprise.map(|enterprise| &enterprise.region),
    };
    for (code, factor) in &mut row.factors {
        if let Some(settings) = site.outlet.factors.get(code) {
            factor.limits = limits::judge(factor, settings, &of).verdicts;
        }
    }
}
