//! Rates of arrival and validity, over any set of days, outlets, enterprises and regions.
//!
//! Everything is counted first and divided last: [`Counts`] of single days are added up, whole
//! numbers in any order, and become percentages only where they are shown. A mean of percentages
//! would let a day of one hour weigh as much as a day of twenty-four.
//!
//! * Transmission rate (传输率): records received of those due.
//! * Validity rate (有效率): valid hours of the hours that had data while the source was running.
//!   Hours without data lower the transmission rate and are not held against the data twice.
//! * Effective transmission rate (传输有效率): the product of the two, as the national reports have
//!   it. What is asked of it (90 %, recalled) is the caller's to know: see [`met`].
//! * Capture rate (有效数据捕集率), HJ 75-2017 clause 12.1.4: valid hours of those the source was
//!   running, by the formula of the profile. Hours without data count against it.
//!
//! Nothing due is "not applicable", never 0 %.

use crate::aggregate::arrivals;
use crate::model::profile::CaptureFormula;
use crate::model::{AggregateRow, Expectation, FactorAggregate, FactorCode, Level};
use crate::quantity::internal;
use rust_decimal::Decimal;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

/// Hours of a local day.
const DAY_H: u64 = 24;

/// What rates are made of. Of several factors the hours are counted for each (factor hours); the
/// records are those of the outlet and counted once. Sums stop at the greatest number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records received, at most those due on the day.
    pub received: u64,
    /// Records due.
    pub due: u64,
    /// Valid hours.
    pub valid_hours: u64,
    /// Hours with data while the source was not stopped, valid or not.
    pub judged_hours: u64,
    /// Hours in which the source was stopped.
    pub stopped_hours: u64,
    /// Hours that were invalid or without data while the source was running.
    pub invalid_hours: u64,
    /// All hours.
    pub hours: u64,
}

/// The percentages of [`Counts`]; each `None` where it is not applicable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Transmission rate (传输率), percent.
    pub transmission_pct: Option<Decimal>,
    /// Validity rate (有效率), percent.
    pub validity_pct: Option<Decimal>,
    /// Effective transmission rate (传输有效率), percent. Where nothing came of what was due it is
    /// zero, though the validity of nothing is not applicable.
    pub effective_pct: Option<Decimal>,
    /// Capture rate (有效数据捕集率), percent.
    pub capture_pct: Option<Decimal>,
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            received: self.received.saturating_add(other.received),
            due: self.due.saturating_add(other.due),
            valid_hours: self.valid_hours.saturating_add(other.valid_hours),
            judged_hours: self.judged_hours.saturating_add(other.judged_hours),
            stopped_hours: self.stopped_hours.saturating_add(other.stopped_hours),
            invalid_hours: self.invalid_hours.saturating_add(other.invalid_hours),
            hours: self.hours.saturating_add(other.hours),
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

impl Counts {
    /// Counts of one outlet over a period: from its day `rows`, for the `factors` that owe data
    /// (its pollutants), and for `missing_days` without any row, of which `due_per_day` records
    /// each were due ([`due_per_day`]).
    ///
    /// Rows of another level are passed over, and so are days that are not over: they say nothing
    /// yet, and the caller does not count them as missing either.
    ///
    /// A day row does not say how many of its hours had data. They are taken to be the share of
    /// its running hours that is the share of its records that came, rounded up, and at least the
    /// valid ones: exact when hours come whole or not at all.
    #[must_use]
    pub fn of_days<'a>(
        rows: impl IntoIterator<Item = &'a AggregateRow>,
        factors: &[FactorCode],
        missing_days: u32,
        due_per_day: u32,
    ) -> Self {
        let rows = rows.into_iter();
        let days = rows.filter(|row| row.level == Level::Day && row.complete);
        let there: Self = days.map(|row| Self::of_day(row, factors)).sum();
        let missing = u64::from(missing_days);
        let hours = missing * DAY_H * count(factors.len());
        there
            + Self {
                due: missing * u64::from(due_per_day),
                invalid_hours: hours,
                hours,
                ..Self::default()
            }
    }

    fn of_day(row: &AggregateRow, factors: &[FactorCode]) -> Self {
        let due = u64::from(row.due);
        let records = Self {
            received: u64::from(row.received).min(due),
            due,
            ..Self::default()
        };
        let hours = factors
            .iter()
            .map(|code| records.of_factor(row.factors.get(code)));
        hours.sum::<Self>() + records
    }

    /// The hours of a factor on the day of these records. A factor that is missing from records
    /// that came has no valid hour, but was judged.
    fn of_factor(self, factor: Option<&FactorAggregate>) -> Self {
        let stopped = factor.map_or(0, |f| u64::from(f.stopped_units)).min(DAY_H);
        let running = DAY_H - stopped;
        let valid = factor.map_or(0, |f| u64::from(f.valid_units)).min(running);
        let came = (running * self.received).div_ceil(self.due.max(1));
        Self {
            valid_hours: valid,
            judged_hours: came.max(valid).min(running),
            stopped_hours: stopped,
            invalid_hours: running - valid,
            hours: DAY_H,
            ..Self::default()
        }
    }

    /// The percentages.
    #[must_use]
    pub fn rates(&self, formula: CaptureFormula) -> Rates {
        let transmission_pct = share_pct(self.received, self.due);
        let validity_pct = share_pct(self.valid_hours, self.judged_hours);
        Rates {
            transmission_pct,
            validity_pct,
            effective_pct: effective_pct(transmission_pct, validity_pct),
            capture_pct: capture_pct(formula, self.hours, self.stopped_hours, self.invalid_hours),
        }
    }
}

/// Records due on a running day of the finest kind that is expected and counts: minute records,
/// else real-time records, else hour records; 0 when none is expected.
#[must_use]
pub fn due_per_day(expectation: &Expectation) -> u32 {
    arrivals::expected(expectation).map_or(0, |(_, hourly)| hourly.saturating_mul(24))
}

/// Effective data capture rate (有效数据捕集率) of `hours`, of which the source was stopped for
/// `stopped` and data were invalid or missing for `invalid` others, percent, HJ 75-2017 clause
/// 12.1.4. `None`: not applicable, the source was stopped throughout.
#[must_use]
pub fn capture_pct(
    formula: CaptureFormula,
    hours: u64,
    stopped: u64,
    invalid: u64,
) -> Option<Decimal> {
    let running = hours.saturating_sub(stopped);
    let valid = running.saturating_sub(invalid);
    let of = match formula {
        CaptureFormula::WithoutStops => running,
        CaptureFormula::AllHours if running == 0 => 0,
        CaptureFormula::AllHours => hours,
    };
    share_pct(valid, of)
}

/// True when a rate reaches what is asked, percent; `None` where the rate is not applicable.
#[must_use]
pub fn met(rate_pct: Option<Decimal>, asked_pct: Decimal) -> Option<bool> {
    rate_pct.map(|rate| rate >= asked_pct)
}

fn effective_pct(transmission: Option<Decimal>, validity: Option<Decimal>) -> Option<Decimal> {
    let transmission = transmission?;
    if transmission.is_zero() {
        return Some(Decimal::ZERO);
    }
    transmission
        .checked_mul(validity?)?
        .checked_div(Decimal::ONE_HUNDRED)
        .map(internal)
}

/// `None` for 0/0.
fn share_pct(part: u64, whole: u64) -> Option<Decimal> {
    Decimal::from(part)
        .checked_mul(Decimal::ONE_HUNDRED)?
        .checked_div(Decimal::from(whole))
        .map(internal)
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
