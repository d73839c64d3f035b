//! Rate, seasons and dispersion of the year so far.

use super::{BLOCK_DAYS, Range, SEASON_DAYS_MIN, SEASON_WEIGHT_MIN, YearSoFar};
use crate::formula::root::sqrt;
use crate::qa::stats::student_t;
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What the days so far say about those to come.
#[derive(Debug)]
pub(super) struct Model {
    /// Total of the known days, kg.
    pub(super) so_far_kg: Decimal,
    /// Kilograms of a unit of weight.
    pub(super) rate: Decimal,
    /// Factors of the months, where the seasons count.
    season: Option<[Decimal; 12]>,
    /// Weight of the known days.
    weight: Decimal,
    /// Variance of a unit of weight, kg²; none with fewer than two blocks.
    variance: Decimal,
    /// Blocks with a known day.
    blocks: u32,
}

impl Model {
    /// The model of `known`, which is not empty; `None` on overflow.
    pub(super) fn of(known: &[(NaiveDate, Decimal)], year: &YearSoFar<'_>) -> Option<Self> {
        let days = Decimal::from(known.len());
        let season = season(year)
            .filter(|season| weight_of(known, season) >= days.checked_mul(SEASON_WEIGHT_MIN));
        let weight = match &season {
            Some(season) => weight_of(known, season)?,
            None => days,
        };
        let so_far_kg = crate::formula::sum(known.iter().map(|(_, kg)| *kg))?;
        let mut model = Self {
            so_far_kg,
            rate: so_far_kg.checked_div(weight)?,
            season,
            weight,
            variance: Decimal::ZERO,
            blocks: 0,
        };
        model.disperse(known)?;
        Some(model)
    }

    /// Takes the variance from the sums of the blocks.
    fn disperse(&mut self, known: &[(NaiveDate, Decimal)]) -> Option<()> {
        let mut rests: BTreeMap<i64, Decimal> = BTreeMap::new();
        for (day, kg) in known {
            let block = i64::from(day.ordinal0()).div_euclid(BLOCK_DAYS);
            let expected = self.rate.checked_mul(self.weight(*day))?;
            let rest = rests.entry(block).or_default();
            *rest = rest.checked_add(kg.checked_sub(expected)?)?;
        }
        self.blocks = u32::try_from(rests.len()).ok()?;
        if self.blocks < 2 {
            return Some(());
        }
        let mut squares = Decimal::ZERO;
        for rest in rests.values() {
            squares = squares.checked_add(rest.checked_mul(*rest)?)?;
        }
        self.variance = squares
            .checked_div(self.weight)?
            .checked_mul(Decimal::from(self.blocks))?
            .checked_div(Decimal::from(self.blocks.saturating_sub(1)))?;
        Some(())
    }

    /// Blocks from which the variance was taken.
    pub(super) fn blocks(&self) -> u32 {
        self.blocks
    }

    /// The seasons of the previous year count.
    pub(super) fn seasonal(&self) -> bool {
        self.season.is_some()
    }

    /// The weight of a day.
    pub(super) fn weight(&self, day: NaiveDate) -> Decimal {
        self.season
            .as_ref()
            .map_or(Decimal::ONE, |season| factor(season, day))
    }

    /// The total after days of this weight have been added; `None` on overflow.
    pub(super) fn after(&self, weight: Decimal) -> Option<Range<Decimal>> {
        let expected = self.so_far_kg.checked_add(self.rate.checked_mul(weight)?)?;
        let uncertain = weight.checked_mul(weight)?.checked_div(self.weight)?;
        let variance = self.variance.checked_mul(weight.checked_add(uncertain)?)?;
        let spread = sqrt(variance)?.checked_mul(student_t(self.blocks.saturating_sub(1))?)?;
        Some(Range {
            low: expected.checked_sub(spread)?,
            expected,
            high: expected.checked_add(spread)?,
        })
    }
}

fn factor(season: &[Decimal; 12], day: NaiveDate) -> Decimal {
    let month = usize::try_from(day.month0()).ok();
    month
        .and_then(|month| season.get(month))
        .copied()
        .unwrap_or(Decimal::ONE)
}

fn weight_of(known: &[(NaiveDate, Decimal)], season: &[Decimal; 12]) -> Option<Decimal> {
    crate::formula::sum(known.iter().map(|(day, _)| factor(season, *day)))
}

/// Mean day of each month of the previous year over its mean day; `None` where a month has too few
/// days, or the year no emission.
fn season(year: &YearSoFar<'_>) -> Option<[Decimal; 12]> {
    let mut sums = [(Decimal::ZERO, 0u32); 12];
    let previous = year.year.checked_sub(1)?;
    for (day, kg) in year.previous.iter().filter(|(d, _)| d.year() == previous) {
        let (sum, days) = sums.get_mut(usize::try_from(day.month0()).ok()?)?;
        (*kg >= Decimal::ZERO).then_some(())?;
        *sum = sum.checked_add(*kg)?;
        *days = days.checked_add(1)?;
    }
    let enough = sums.iter().all(|(_, days)| *days >= SEASON_DAYS_MIN);
    enough.then_some(())?;
    let total = crate::formula::sum(sums.iter().map(|(sum, _)| *sum))?;
    let days: u32 = sums.iter().map(|(_, days)| *days).sum();
    let mean = total.checked_div(Decimal::from(days))?;
    (mean > Decimal::ZERO).then_some(())?;
    let mut season = [Decimal::ZERO; 12];
    for (factor, (sum, days)) in season.iter_mut().zip(sums) {
        *factor = sum.checked_div(Decimal::from(days))?.checked_div(mean)?;
    }
    Some(season)
}
