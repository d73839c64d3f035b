//! Days from hours, months from days, years from months.

use super::Figures;
use crate::formula::{self, ph, water::weighted_mean};
use crate::model::profile::DayThreshold;
use crate::model::{
    AggregateRow, FactorAggregate, FactorCode, JudgedMeans, Level, Medium, Outlet, Profile,
};
use crate::quantity::{Volume, internal};
use crate::validate::code;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// What a day, month or year is computed from.
#[derive(Debug, Clone, Copy)]
pub struct Children<'a> {
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
    pub rows: &'a [AggregateRow],
}

/// Means, validity, amounts and volume of a day, month or year.
pub fn longer(children: &Children<'_>) -> Figures {
    let rows = children.rows;
    let codes: BTreeSet<&FactorCode> = rows.iter().flat_map(|row| row.factors.keys()).collect();
    Figures {
        volume_m3: formula::sum(rows.iter().filter_map(|row| row.volume_m3)).map(internal),
        factors: codes
            .into_iter()
            .map(|code| (code.clone(), factor(children, code)))
            .collect(),
        seq: rows.iter().map(|row| row.seq).max().unwrap_or_default(),
    }
}

fn factor(children: &Children<'_>, code: &FactorCode) -> FactorAggregate {
    let all = || {
        children
            .rows
            .iter()
            .filter_map(|row| Some((row, row.factors.get(code)?)))
    };
    let valid = || all().filter(|(_, f)| f.valid);
    let stopped = all().filter(|(_, f)| was_stopped(children, f)).count();
    let stopped_units = u32::try_from(stopped).unwrap_or(children.units);
    let valid_units = u32::try_from(valid().count()).unwrap_or(u32::MAX);
    let means = || valid().filter_map(|(_, f)| f.mean);
    let mean = mean(children, code, |_| true).map(internal);
    let due_units = children.units.saturating_sub(stopped_units);
    FactorAggregate {
        converted: converted(children, code, |_| true),
        min: means().min(),
        max: means().max(),
        amount_kg: formula::sum(all().filter_map(|(_, f)| f.amount_kg)).map(internal),
        valid: mean.is_some() && valid_units >= needed(children, due_units),
        valid_units,
        due_units,
        stopped_units,
        judged: judged(children, code, due_units),
        mean,
        ..FactorAggregate::default()
    }
}

/// A shorter period is stopped when the stop alone keeps it from being valid: more stopped minutes
/// than an hour may lack; all hours of a day, all days of a month.
fn was_stopped(children: &Children<'_>, f: &FactorAggregate) -> bool {
    match children.level {
        Level::Hour | Level::Day => {
            f.stopped_units > 60u32.saturating_sub(children.profile.hour_min_valid_minutes)
        }
        Level::Month | Level::Year => f.stopped_units > 0 && f.due_units == 0,
    }
}

/// What limits judge where hours of the day are exempt: the means without them, if enough are left
/// of what is due without them.
fn judged(children: &Children<'_>, code: &FactorCode, due_units: u32) -> Option<JudgedMeans> {
    let valid = || {
        let rows = children.rows.iter();
        rows.filter_map(|row| row.factors.get(code).filter(|f| f.valid))
    };
    let exempt = valid().filter(|f| f.exempt_units > 0).count();
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
    let mean = mean(children, code, spared).map(internal);
    Some(JudgedMeans {
        enough: mean.is_some() && left > 0 && left >= needed,
        mean,
        converted: converted(children, code, spared),
    })
}

/// Valid units the period needs. The rules give none for a year; here all twelve months.
fn needed(children: &Children<'_>, due_units: u32) -> u32 {
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
fn day_needed(profile: &Profile, threshold: DayThreshold, due_units: u32) -> u32 {
    match threshold {
        DayThreshold::Hours => profile.day_min_valid_hours,
        DayThreshold::ShareOfDue => {
            let due = due_units.saturating_mul(profile.day_min_valid_hours);
            due.div_ceil(HOURS_PER_DAY)
        }
    }
}

const HOURS_PER_DAY: u32 = 24;

fn converted(
    children: &Children<'_>,
    code: &FactorCode,
    counts: fn(&FactorAggregate) -> bool,
) -> Option<Decimal> {
    let rows = children.rows.iter();
    let valid = rows.filter_map(|row| row.factors.get(code).filter(|f| f.valid && counts(f)));
    formula::mean(valid.filter_map(|f| f.converted)).map(internal)
}

fn mean(
    children: &Children<'_>,
    code: &FactorCode,
    counts: fn(&FactorAggregate) -> bool,
) -> Option<Decimal> {
    let valid = || {
        children.rows.iter().filter_map(|row| {
            let f = row.factors.get(code).filter(|f| f.valid && counts(f))?;
            Some((row.volume_m3, f.mean?))
        })
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
