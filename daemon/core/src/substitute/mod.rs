//! Amounts of invalid periods (缺失数据替代) and the quarter.
//!
//! Only amounts are put in; concentrations, flows and the parameters of the gas stay as they are
//! (HJ 75-2017 clause 12.2, HJ 356-2019). Which amount is data of the profile
//! ([`SubstitutionRule`](crate::model::profile::SubstitutionRule)); what is the same for every rule
//! is here:
//!
//! * A gap is a row of consecutive invalid hours. Hours in which the source was stopped neither
//!   count nor break it: nothing was measured in them that would show the equipment sound again.
//!   Its length counts hours before the quarter, too, but none after it, so that a quarter that is
//!   over stays what it is.
//! * Where a part of a gap is out of control, or manual data speak for a part of it, each part is a
//!   [`Gap`](crate::model::Gap) of its own; all of them have the length of the whole.
//! * An hour has one amount: the measured one where it is valid; what is put in where it is not;
//!   what little it measured where nothing is put in.
//! * The look-back takes valid hours whose amount is known, never amounts that were put in.
//!   Out-of-control gaps count back from the last passed check (table 5), all others from their own
//!   start (table 6). Where history is short, what exists is used and its extent is said.
//! * The capture rate is known when the quarter is over. Until then a gap has the rate of the
//!   quarter up to the end of the local day of its last hour, which later hours leave as it is.
//!   Once the quarter is over the rate of the whole decides; the provisional amount is kept beside
//!   it.
//! * Daily loads ([`DailyMaximum`](crate::model::profile::SubstitutionMethod::DailyMaximum)): a day
//!   has a valid load when enough of its hours are valid (the profile's threshold for days). The
//!   load is the sum of the amounts of its hours. A day that is not over, or of which only a part
//!   was supervised, is not judged. A substitute stands in place of all its hours, valid or not.
//! * Manual data (手工监测数据) come first where the profile says so: an hour takes the sample
//!   nearest to its middle, within the reach, times its own volume. A day takes them when they
//!   speak for every invalid hour of it.
//!
//! Hours in which nothing was discharged have no load to be put in; the caller hands them over as
//! [`HourState::Stopped`].

mod cells;
mod days;
mod history;
mod hours;
mod manual;
mod rule;

pub use rule::{last_passed, look_back_until, preceding_median, tier};

use crate::model::profile::SubstitutionMethod;
use crate::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use crate::model::{FactorCode, Profile, QuarterFactor, Timestamp, UtcOffset};
use crate::quantity::internal;
use crate::rates;
use cells::Cells;
use rust_decimal::Decimal;

/// Codes of why an hour is invalid; a caller may use others.
pub mod why {
    /// Too few valid values: faults, maintenance, calibration, failed checks.
    pub const INVALID: &str = "invalid";
    /// No data came.
    pub const NO_DATA: &str = "no-data";
    pub use crate::aggregate::standing::why::{OUT_OF_CONTROL, REVIEW_FAILED};
}

/// What an hour of a factor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HourState {
    /// Valid (有效).
    Valid,
    /// Invalid (无效), with a code of [`why`].
    Invalid(&'static str),
    /// The source was stopped (停运).
    Stopped,
}

/// An hour of a factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourFact {
    /// First instant of the hour.
    pub start: Timestamp,
    /// What it is.
    pub state: HourState,
    /// Measured amount, kg, whatever the state; `None`: unknown.
    pub amount_kg: Option<Decimal>,
    /// Discharged volume, m³ as the manual concentration is meant (dry standard for stack gas).
    pub volume_m3: Option<Decimal>,
}

/// A manual sample of the factor (手工监测).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManualSample {
    /// When it was taken.
    pub sampled_at: Timestamp,
    /// In the factor's unit.
    pub concentration: Decimal,
}

/// What a quarter of one factor is computed from.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Which factor.
    pub factor: &'a FactorCode,
    /// By which rules.
    pub profile: &'a Profile,
    /// Clock of the site.
    pub offset: UtcOffset,
    /// First instant of the quarter (`model::time::quarter_of`).
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
    /// First instant the series speaks for: the begin of supervision, or where the look-back is cut
    /// off. Hours from here on that it lacks are without data, and earlier ones do not exist.
    pub known_from: Timestamp,
    /// End of the last hour that is over.
    pub until: Timestamp,
    /// Hours, strictly ascending, one at most for each.
    pub hours: &'a [HourFact],
    /// Instants of passed checks of the equipment, ascending.
    pub passed_checks: &'a [Timestamp],
    /// Manual samples, ascending.
    pub manual: &'a [ManualSample],
    /// Kilograms in a cubic metre at a concentration of one.
    pub kg_per_unit_m3: Decimal,
}

/// Counts, capture rate, gaps with what is put in for them, and amounts of the quarter.
///
/// Gaps are listed even where nothing is put in. An amount that cannot be computed (overflow) is
/// `None`.
#[must_use]
pub fn quarter(input: &Input<'_>) -> QuarterFactor {
    let cells = Cells::of(input);
    let count = cells.until(input.end);
    let capture_pct = cells.capture_pct(input.end);
    let gaps = match input.method() {
        SubstitutionMethod::DailyMaximum { days } => days::gaps(input, &cells, *days),
        _ => hours::gaps(input, &cells),
    };
    let mut replaced = gaps.iter().flat_map(|gap| &gap.replaced_by_day);
    let measured_kg = cells
        .amounts()
        .and_then(|all| replaced.try_fold(all, |left, (_, kg)| left.checked_sub(*kg)));
    let put_in = gaps
        .iter()
        .filter_map(|gap| gap.settled.as_ref().unwrap_or(&gap.provisional).total_kg);
    QuarterFactor {
        hours: count.hours,
        stopped: count.stopped,
        valid: count.valid,
        invalid: count.invalid(),
        capture_pct,
        capture_met: rates::met(capture_pct, input.profile.capture.min_pct),
        measured_kg: measured_kg.map(internal),
        substituted_kg: crate::formula::sum(put_in).map(internal),
        gaps,
    }
}

impl Input<'_> {
    /// The profile's rule speaks of this factor.
    fn concerned(&self) -> bool {
        let factors = &self.profile.substitution.factors;
        factors.is_empty() || factors.contains(self.factor)
    }

    fn method(&self) -> &SubstitutionMethod {
        if self.concerned() {
            &self.profile.substitution.method
        } else {
            &SubstitutionMethod::Nothing
        }
    }

    /// The quarter is over, and its data are there.
    fn over(&self) -> bool {
        self.until >= self.end
    }

    fn hour_of(&self, at: Timestamp) -> Timestamp {
        floor(at, HOUR_MS, self.offset)
    }

    fn day_of(&self, at: Timestamp) -> Timestamp {
        floor(at, DAY_MS, self.offset)
    }
}

/// The last whole step at or before `at`, counted from midnight at the site.
fn floor(at: Timestamp, step_ms: i64, offset: UtcOffset) -> Timestamp {
    let shift = i64::from(offset.minutes()) * MINUTE_MS;
    let local = at.0.saturating_add(shift);
    at.plus_ms(local.rem_euclid(step_ms).saturating_neg())
}

/// The first whole step at or after `at`.
fn ceil(at: Timestamp, step_ms: i64, offset: UtcOffset) -> Timestamp {
    let whole = floor(at, step_ms, offset);
    if whole < at {
        whole.plus_ms(step_ms)
    } else {
        whole
    }
}

/// Amounts by local day, kg, from (first instant of the day, amount) in ascending order; `None` on
/// overflow.
fn by_day(
    amounts: impl IntoIterator<Item = (Timestamp, Decimal)>,
) -> Option<Vec<(Timestamp, Decimal)>> {
    let mut days: Vec<(Timestamp, Decimal)> = Vec::new();
    for (day, kg) in amounts {
        match days.last_mut().filter(|(last, _)| *last == day) {
            Some((_, sum)) => *sum = sum.checked_add(kg)?,
            None => days.push((day, kg)),
        }
    }
    for (_, kg) in &mut days {
        *kg = internal(*kg);
    }
    Some(days)
}

#[cfg(test)]
mod tests;
