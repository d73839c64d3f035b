//! When will a permitted amount (许可排放量) of a year be reached?
//!
//! **Rate.** From the days of the year so far that have a figure, each weighed by the factor of its
//! month: `rate = sum of the amounts / sum of the weights`. The factors are those of the previous
//! year (mean day of the month over mean day of the year) where that year has enough days in every
//! month, else 1. A day to come is expected to bring `rate * factor`.
//!
//! **Interval.** Days resemble their neighbours, so the spread of single days would promise too
//! much. The year is cut into blocks of seven days from 1 January, and the variance of a unit of
//! weight comes from the block sums: with `e` the difference of a block's sum from `rate * weight`,
//! `B` blocks and `W` the weight of all known days, `v = sum(e^2) / W * B / (B - 1)`. What the days
//! to come bring over a weight `F` then has the variance `v * (F + F^2 / W)`: the first term is
//! their own scatter, the second the uncertainty of the rate (a ratio estimate whose variance grows
//! with the weight). The interval is the expectation plus and minus the 97.5 % point of Student's t
//! with `B - 1` degrees of freedom times the root: about 95 % of such years lie within. It leaves
//! out what no day so far can tell: a change of production, a season unlike the previous one.
//!
//! Days without a figure are in neither sum. They add nothing to the total, as they add nothing in
//! the books; what is put in for them (substitution) is for the caller to hand in as their figure.

mod model;

use crate::quantity::internal;
use crate::totals::used_pct;
use chrono::{Datelike, NaiveDate};
use model::Model;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Fewest days with a figure from which anything is projected: four weeks.
pub const DAYS_MIN: u32 = 28;

/// Fewest blocks with a figure from which a dispersion is taken.
pub const BLOCKS_MIN: u32 = 4;

/// Days of a block.
pub const BLOCK_DAYS: i64 = 7;

/// Fewest days with a figure that every month of the previous year needs for its seasons to count.
pub const SEASON_DAYS_MIN: u32 = 20;

/// The days so far must weigh at least this share of their number for the seasons to count: a rate
/// taken from months that hardly emit says nothing about the others.
pub const SEASON_WEIGHT_MIN: Decimal = Decimal::from_parts(25, 0, 0, false, 2);

/// The year so far, in local days.
#[derive(Debug, Clone, Copy)]
pub struct YearSoFar<'a> {
    /// Permitted amount of the year, kg.
    pub amount_kg: Decimal,
    /// The year.
    pub year: i32,
    /// The last day that is over.
    pub through: NaiveDate,
    /// Amounts by day, kg, gaps allowed; days of other years and after `through` are left out.
    pub days: &'a BTreeMap<NaiveDate, Decimal>,
    /// Amounts of the previous year by day, kg, for the seasons; may be empty.
    pub previous: &'a BTreeMap<NaiveDate, Decimal>,
}

/// An expectation with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range<T> {
    /// Low end, or earliest.
    pub low: T,
    /// What is expected.
    pub expected: T,
    /// High end, or latest.
    pub high: T,
}

/// What is to be expected of the year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection {
    /// Day on which the total reaches the permitted amount: earliest, expected, latest; `None` for
    /// one that does not fall into the year. All three are the day itself where it has passed.
    pub reached_on: Range<Option<NaiveDate>>,
    /// Share of the permitted amount at the end of the year, percent. The low end is not below what
    /// is emitted already.
    pub year_end_pct: Range<Decimal>,
    /// Total of the days with a figure, kg.
    pub so_far_kg: Decimal,
    /// Expected amount of a day of factor 1, kg.
    pub rate_kg_per_day: Decimal,
    /// The seasons of the previous year were used.
    pub seasonal: bool,
    /// Days with a figure.
    pub days: u32,
    /// Days so far without one.
    pub missing_days: u32,
    /// Blocks from which the dispersion was taken.
    pub blocks: u32,
}

/// Why nothing is projected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotProjected {
    /// The permitted amount is not positive: nothing is permitted, so any emission exceeds it.
    AmountNotPositive,
    /// Fewer than [`DAYS_MIN`] days have a figure.
    TooFewDays,
    /// The days with a figure lie in fewer than [`BLOCKS_MIN`] blocks.
    TooFewBlocks,
    /// A day has a negative amount.
    NegativeDay,
    /// The figures are too large to compute with.
    OutOfRange,
}

impl NotProjected {
    /// The code in answers and text keys.
    pub fn code(self) -> &'static str {
        match self {
            Self::AmountNotPositive => "amount-not-positive",
            Self::TooFewDays => "too-few-days",
            Self::TooFewBlocks => "too-few-blocks",
            Self::NegativeDay => "negative-day",
            Self::OutOfRange => "out-of-range",
        }
    }
}

/// Projects the year; see the module for the method.
pub fn project(year: &YearSoFar<'_>) -> Result<Projection, NotProjected> {
    if year.amount_kg <= Decimal::ZERO {
        return Err(NotProjected::AmountNotPositive);
    }
    let known = known(year);
    if known.iter().any(|(_, kg)| *kg < Decimal::ZERO) {
        return Err(NotProjected::NegativeDay);
    }
    let days = u32::try_from(known.len()).unwrap_or(u32::MAX);
    if days < DAYS_MIN {
        return Err(NotProjected::TooFewDays);
    }
    let model = Model::of(&known, year).ok_or(NotProjected::OutOfRange)?;
    if model.blocks() < BLOCKS_MIN {
        return Err(NotProjected::TooFewBlocks);
    }
    let (reached_on, year_end_pct) =
        outlook(year, &known, &model).ok_or(NotProjected::OutOfRange)?;
    Ok(Projection {
        reached_on,
        year_end_pct,
        so_far_kg: internal(model.so_far_kg),
        rate_kg_per_day: internal(model.rate),
        seasonal: model.seasonal(),
        days,
        missing_days: over(year).saturating_sub(days),
        blocks: model.blocks(),
    })
}

/// The days that count, ascending.
fn known(year: &YearSoFar<'_>) -> Vec<(NaiveDate, Decimal)> {
    year.days
        .iter()
        .filter(|(day, _)| day.year() == year.year && **day <= year.through)
        .map(|(day, kg)| (*day, *kg))
        .collect()
}

/// Days of the year that are over.
fn over(year: &YearSoFar<'_>) -> u32 {
    let days = year_days(year).take_while(|day| *day <= year.through);
    u32::try_from(days.count()).unwrap_or(u32::MAX)
}

/// Every day of the year.
fn year_days(year: &YearSoFar<'_>) -> impl Iterator<Item = NaiveDate> {
    let number = year.year;
    NaiveDate::from_ymd_opt(number, 1, 1)
        .into_iter()
        .flat_map(|first| first.iter_days())
        .take_while(move |day| day.year() == number)
}

/// When the amount is reached, and the share at the end of the year; `None` on overflow.
fn outlook(
    year: &YearSoFar<'_>,
    known: &[(NaiveDate, Decimal)],
    model: &Model,
) -> Option<(Range<Option<NaiveDate>>, Range<Decimal>)> {
    let passed = passed(year.amount_kg, known)?;
    let mut on = Range {
        low: passed,
        expected: passed,
        high: passed,
    };
    let mut total = model.after(Decimal::ZERO)?;
    let mut weight = Decimal::ZERO;
    for day in year_days(year).filter(|day| *day > year.through) {
        weight = weight.checked_add(model.weight(day))?;
        total = model.after(weight)?;
        // More emission is an earlier day: the high end of the total is the low end of the date.
        for (date, kg) in [
            (&mut on.low, total.high),
            (&mut on.expected, total.expected),
            (&mut on.high, total.low),
        ] {
            // Rounded, so that a third of a kilogram taken three times is the whole one.
            if date.is_none() && internal(kg) >= year.amount_kg {
                *date = Some(day);
            }
        }
    }
    let pct = |kg: Decimal| used_pct(year.amount_kg, kg);
    let shares = Range {
        low: pct(total.low.max(model.so_far_kg))?,
        expected: pct(total.expected)?,
        high: pct(total.high)?,
    };
    Some((on, shares))
}

/// The day so far on which the total reached `amount_kg`, if it did; `None` outside: overflow.
fn passed(amount_kg: Decimal, known: &[(NaiveDate, Decimal)]) -> Option<Option<NaiveDate>> {
    let mut total = Decimal::ZERO;
    for (day, kg) in known {
        total = total.checked_add(*kg)?;
        if total >= amount_kg {
            return Some(Some(*day));
        }
    }
    Some(None)
}

#[cfg(test)]
mod tests;
