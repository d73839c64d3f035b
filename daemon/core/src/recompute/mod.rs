//! A year of one outlet computed again from its packed hours, and held against what is stored.
//!
//! Hours begin with their stored means, units and reasons, which only minute data could renew.
//! From these follow, by the functions that the hours were first computed with (`aggregate::gas`):
//! validity, the dry standard flow (29) to (31), converted means (28), amounts (33) and the
//! verdicts of limits. Kept as they are, because hour means do not give them:
//!
//! | kept | why |
//! | --- | --- |
//! | amounts and volumes of a discharge | sums over the slices of the hour |
//! | converted means, where the profile averages minute conversions | likewise |
//! | converted means and amounts of the station's own hour | may be the station's own figures |
//! | which limits a mark kept from judging the hour | packed hours do not hold the marks |
//!
//! Days, months and the year follow from the recomputed periods below them by
//! [`longer`](crate::aggregate::longer()), so that an hour that differs shows in all periods above
//! it. A day of which there is only the station's own record enters as it is stored, and so does
//! the running day.
//!
//! A pure function of its inputs, linear in the hours. Buffers hold one month, some 1.5 MB for ten
//! factors, and are reused; it is meant to be run for many outlets side by side, a [`Recomputer`]
//! on each core. Measured (`benches/year`): 8,760 hours of ten factors in 55 to 65 ms.

mod compare;
mod hour;
mod periods;

pub use compare::{Counts, Difference, Finding, What};

use crate::aggregate::Figures;
use crate::model::time::DAY_MS;
use crate::model::{
    AggregateRow, FactorCode, Level, Outlet, Period, Profile, RegionId, SpecialPeriod, Timestamp,
    UtcOffset,
};
use crate::pack::{FactorColumns, HourColumns, Pack, PackError, Want};
use compare::Comparison;
use hour::{HourFigures, Month, Plan};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// The columns that the hours are recomputed from and compared with.
const WANTED: [Want; 6] = [
    Want::MEAN,
    Want::CONVERTED,
    Want::AMOUNT,
    Want::VALID,
    Want::UNITS,
    Want::LIMITS,
];

/// By what an hour, day, month or year is computed.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The outlet as the registry has it.
    pub outlet: &'a Outlet,
    /// The profile that judges the period.
    pub profile: &'a Profile,
    /// Special periods of the registry.
    pub special_periods: &'a BTreeMap<SmolStr, SpecialPeriod>,
    /// Region of the enterprise.
    pub region: Option<&'a RegionId>,
}

/// What is recomputed.
#[derive(Clone, Copy)]
pub struct Year<'a> {
    /// Offset of the site's clock.
    pub offset: UtcOffset,
    /// Bodies of the packs of its local months, ascending; months may be missing.
    pub packs: &'a [&'a [u8]],
    /// Stored rows of its days, months and of the year itself, in any order.
    pub stored: &'a [AggregateRow],
    /// The rules for periods that begin at an instant; `None` leaves the period out. Asked for each
    /// period; cheapest when it gives the same references again.
    pub rules: &'a dyn Fn(Timestamp) -> Option<Rules<'a>>,
    /// Most differences that are listed; all are counted.
    pub differences_max: usize,
}

/// What came out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recomputed {
    /// Hours recomputed.
    pub hours: u64,
    /// Factors of hours recomputed.
    pub factor_hours: u64,
    /// Hours for which there were no rules.
    pub left_out: u64,
    /// Days, months and the year, recomputed, limits judged.
    pub periods: BTreeMap<(Level, Timestamp), Figures>,
    /// The first differences, hours of a month before its days, months, the year.
    pub differences: Vec<Difference>,
    /// How many differences of which kind.
    pub counts: Counts,
}

/// Buffers for recomputing one outlet after the other.
#[derive(Debug, Default)]
pub struct Recomputer {
    hours: HourColumns,
    columns: Vec<FactorColumns>,
    day: Vec<HourFigures>,
}

impl Recomputer {
    /// With empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Recomputes a year and compares.
    ///
    /// # Errors
    /// When a pack is damaged or of another version.
    pub fn run(&mut self, year: &Year<'_>) -> Result<Recomputed, PackError> {
        let mut run = Run {
            stored: year
                .stored
                .iter()
                .map(|r| ((r.level, r.start), r))
                .collect(),
            found: Comparison::new(year.differences_max),
            out: Recomputed::default(),
            year,
        };
        for body in year.packs {
            self.month(&mut run, &Pack::open(body)?)?;
        }
        periods::longer_than_days(&mut run);
        let mut out = run.out;
        (out.differences, out.counts) = run.found.finish();
        Ok(out)
    }

    fn month(&mut self, run: &mut Run<'_, '_>, pack: &Pack<'_>) -> Result<(), PackError> {
        pack.read_hours(&mut self.hours)?;
        let codes: Vec<FactorCode> = pack.codes().map(FactorCode::new).collect();
        if self.columns.len() < codes.len() {
            self.columns
                .resize_with(codes.len(), FactorColumns::default);
        }
        let wanted = WANTED.into_iter().fold(Want::MEAN, |all, want| all | want);
        for (code, columns) in codes.iter().zip(&mut self.columns) {
            pack.read(code.as_str(), wanted, columns)?;
        }
        let month = Month {
            pack,
            hours: &self.hours,
            columns: self.columns.get(..codes.len()).unwrap_or_default(),
            codes: &codes,
        };
        let mut plan: Option<Plan<'_>> = None;
        let mut day = Span::default();
        let mut filled = 0;
        for hour in 0..pack.hours() {
            let start = self.hours.start.get(hour).copied().unwrap_or_default();
            if !day.contains(start) {
                let hours = self.day.get(..filled).unwrap_or_default();
                periods::day(run, day.start, &codes, hours);
                filled = 0;
                day = Span::of_day(start, run.year.offset);
            }
            let Some(rules) = (run.year.rules)(start) else {
                run.out.left_out += 1;
                continue;
            };
            let plan = match &mut plan {
                Some(plan) if plan.is_for(&rules) => plan,
                other => other.insert(Plan::new(rules, &codes)),
            };
            if self.day.len() <= filled {
                self.day.push(HourFigures::default());
            }
            if let Some(figures) = self.day.get_mut(filled) {
                hour::compute(plan, &month, hour, figures);
                hour::compare(&month, hour, figures, &mut run.found);
                run.out.factor_hours += figures.count();
                filled += 1;
            }
            run.out.hours += 1;
        }
        let hours = self.day.get(..filled).unwrap_or_default();
        periods::day(run, day.start, &codes, hours);
        Ok(())
    }
}

/// A run over one year.
struct Run<'y, 'a> {
    year: &'y Year<'a>,
    stored: BTreeMap<(Level, Timestamp), &'a AggregateRow>,
    found: Comparison,
    out: Recomputed,
}

/// The day that hours are gathered for.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    start: Timestamp,
    end: Timestamp,
}

impl Span {
    fn of_day(at: Timestamp, offset: UtcOffset) -> Self {
        let start = Period::containing(Level::Day, at, offset).start;
        Self {
            start,
            end: start.plus_ms(DAY_MS),
        }
    }

    fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }
}

#[cfg(test)]
mod tests;
