//! Days from hours, months from days, years from months.

use super::Figures;
use crate::formula::{self, ph, water::weighted_mean};
use crate::model::profile::DayThreshold;
use crate::model::time::DAY_MS;
use crate::model::{
    AggregateRow, FactorAggregate, FactorCode, JudgedMeans, Level, Medium, Outlet, Period, Profile,
    Seq, UtcOffset,
};
use crate::quantity::{Volume, internal};
use crate::validate::code;
use chrono::Datelike;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// A shorter period as the longer one sees it: a stored row, or figures that are in no row yet.
pub trait Shorter {
    /// Discharged volume, m³.
    fn volume_m3(&self) -> Option<Decimal>;
    /// Highest journal position among its inputs.
    fn seq(&self) -> Seq;
    /// The factors it has.
    fn codes(&self) -> impl Iterator<Item = &FactorCode>;
    /// One of them.
    fn factor(&self, code: &FactorCode) -> Option<&FactorAggregate>;
}

impl Shorter for AggregateRow {
    fn volume_m3(&self) -> Option<Decimal> {
        self.volume_m3
    }

    fn seq(&self) -> Seq {
        self.seq
    }

    fn codes(&self) -> impl Iterator<Item = &FactorCode> {
        self.factors.keys()
    }

    fn factor(&self, code: &FactorCode) -> Option<&FactorAggregate> {
        self.factors.get(code)
    }
}

impl Shorter for Figures {
    fn volume_m3(&self) -> Option<Decimal> {
        self.volume_m3
    }

    fn seq(&self) -> Seq {
        self.seq
    }

    fn codes(&self) -> impl Iterator<Item = &FactorCode> {
        self.factors.keys()
    }

    fn factor(&self, code: &FactorCode) -> Option<&FactorAggregate> {
        self.factors.get(code)
    }
}

/// What a day, month or year is computed from.
#[derive(Debug, Clone, Copy)]
pub struct Children<'a, R = AggregateRow> {
    /// Whose period.
    pub outlet: &'a Outlet,
    /// By which rules.
    pub profile: &'a Profile,
    /// Level of the period itself.
    pub level: Level,
    /// Shorter periods it contains: hours of the day, days of the month, months of the year.
    pub units: u32,
    /// The period is a February.
    pub february: bool,
    /// Rows of the shorter level, ascending.
    pub rows: &'a [R],
}

impl<'a, R> Children<'a, R> {
    /// Those of `period` by the site's clock.
    pub fn of(
        period: Period,
        offset: UtcOffset,
        (outlet, profile): (&'a Outlet, &'a Profile),
        rows: &'a [R],
    ) -> Self {
        Self {
            outlet,
            profile,
            level: period.level,
            units: units_of(period, offset),
            february: is_february(period, offset),
            rows,
        }
    }
}

/// Shorter periods that `period` holds: hours of a day, days of a month, months of a year.
pub fn units_of(period: Period, offset: UtcOffset) -> u32 {
    let length_ms = period.end(offset).since_ms(period.start);
    match period.level {
        Level::Hour | Level::Day => 24,
        Level::Month => u32::try_from(length_ms.div_euclid(DAY_MS)).unwrap_or(31),
        Level::Year => 12,
    }
}

/// True for the month of February by the site's clock.
pub fn is_february(period: Period, offset: UtcOffset) -> bool {
    period.level == Level::Month && offset.local(period.start).month() == 2
}

/// Means, validity, amounts and volume of a day, month or year.
pub fn longer<R: Shorter>(children: &Children<'_, R>) -> Figures {
    let rows = children.rows;
    let codes: BTreeSet<&FactorCode> = rows.iter().flat_map(Shorter::codes).collect();
    Figures {
        volume_m3: formula::sum(rows.iter().filter_map(Shorter::volume_m3)).map(internal),
        factors: codes
            .into_iter()
            .map(|code| (code.clone(), factor(children, code)))
            .collect(),
        seq: rows.iter().map(Shorter::seq).max().unwrap_or_default(),
    }
}

/// One factor of a shorter period, with the period's volume.
type Part<'a> = (Option<Decimal>, &'a FactorAggregate);

fn factor<R: Shorter>(children: &Children<'_, R>, code: &FactorCode) -> FactorAggregate {
    let parts: Vec<Part<'_>> = children
        .rows
        .iter()
        .filter_map(|row| Some((row.volume_m3(), row.factor(code)?)))
        .collect();
    let all = || parts.iter().map(|(_, f)| *f);
    let valid = || all().filter(|f| f.valid);
    let stopped = all().filter(|f| was_stopped(children, f)).count();
    let stopped_units = u32::try_from(stopped).unwrap_or(children.units);
    let valid_units = u32::try_from(valid().count()).unwrap_or(u32::MAX);
    let means = || valid().filter_map(|f| f.mean);
    let mean = mean(children, code, &parts, |_| true).map(internal);
    let due_units = children.units.saturating_sub(stopped_units);
    FactorAggregate {
        converted: converted(&parts, |_| true),
        min: means().min(),
        max: means().max(),
        amount_kg: formula::sum(all().filter_map(|f| f.amount_kg)).map(internal),
        substituted_kg: formula::sum(all().filter_map(|f| f.substituted_kg)).map(internal),
        valid: mean.is_some() && valid_units >= needed(children, due_units),
        valid_units,
        due_units,
        stopped_units,
        judged: judged(children, code, &parts, due_units),
        mean,
        ..FactorAggregate::default()
    }
}

/// A shorter period is stopped when the stop alone keeps it from being valid: more stopped minutes
/// than an hour may lack; all hours of a day, all days of a month.
fn was_stopped<R>(children: &Children<'_, R>, f: &FactorAggregate) -> bool {
    match children.level {
        Level::Hour | Level::Day => {
            f.stopped_units > 60u32.saturating_sub(children.profile.hour_min_valid_minutes)
        }
        Level::Month | Level::Year => f.stopped_units > 0 && f.due_units == 0,
    }
}

/// What limits judge where hours of the day are exempt: the means without them, if enough are left
/// of what is due without them.
fn judged<R>(
    children: &Children<'_, R>,
    code: &FactorCode,
    parts: &[Part<'_>],
    due_units: u32,
) -> Option<JudgedMeans> {
    let valid = || parts.iter().filter(|(_, f)| f.valid);
    let exempt = valid().filter(|(_, f)| f.exempt_units > 0).count();
    if exempt == 0 || children.level != Level::Day {
        return None;
    }
    let of_all = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let left = of_all(valid().count().saturating_sub(exempt));
    let spared = |f: &FactorAggregate| f.exempt_units == 0;
    let share = DayThreshold::ShareOfDue;
    let needed = day_needed(
        children.profile,
        share,
        due_units.saturating_sub(of_all(exempt)),
    );
    let mean = mean(children, code, parts, spared).map(internal);
    Some(JudgedMeans {
        enough: mean.is_some() && left > 0 && left >= needed,
        mean,
        converted: converted(parts, spared),
    })
}

/// Valid units the period needs. The rules give none for a year; here all twelve months.
fn needed<R>(children: &Children<'_, R>, due_units: u32) -> u32 {
    let profile = children.profile;
    match (children.level, children.february) {
        (Level::Hour | Level::Day, _) => day_needed(profile, profile.day_threshold, due_units),
        (Level::Month, true) => profile.february_min_valid_days,
        (Level::Month, false) => profile.month_min_valid_days,
        (Level::Year, _) => children.units,
    }
}

/// Valid hours a day needs of those due: the profile's number, or the same share of what was due,
/// rounded up.
pub(crate) fn day_needed(profile: &Profile, threshold: DayThreshold, due_units: u32) -> u32 {
    match threshold {
        DayThreshold::Hours => profile.day_min_valid_hours,
        DayThreshold::ShareOfDue => {
            let due = due_units.saturating_mul(profile.day_min_valid_hours);
            due.div_ceil(HOURS_PER_DAY)
        }
    }
}

const HOURS_PER_DAY: u32 = 24;

fn converted(parts: &[Part<'_>], counts: fn(&FactorAggregate) -> bool) -> Option<Decimal> {
    let valid = parts.iter().filter(|(_, f)| f.valid && counts(f));
    formula::mean(valid.filter_map(|(_, f)| f.converted)).map(internal)
}

fn mean<R>(
    children: &Children<'_, R>,
    code: &FactorCode,
    parts: &[Part<'_>],
    counts: fn(&FactorAggregate) -> bool,
) -> Option<Decimal> {
    let valid = || {
        parts
            .iter()
            .filter(|(_, f)| f.valid && counts(f))
            .filter_map(|(volume, f)| Some((*volume, f.mean?)))
    };
    if code.as_str() == code::PH {
        return ph::mean(valid().map(|(_, mean)| mean));
    }
    let settings = children.outlet.factors.get(code);
    let weighted = children.outlet.medium == Medium::Water
        && children
            .outlet
            .water
            .as_ref()
            .is_some_and(|w| w.weighted_mean)
        && settings.is_some_and(|f| f.pollutant)
        && code.as_str() != code::WATER_FLOW;
    if weighted {
        weighted_mean(valid().filter_map(|(volume, mean)| Some((Volume::from_m3(volume?), mean))))
    } else {
        formula::mean(valid().map(|(_, mean)| mean))
    }
}
