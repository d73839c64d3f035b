//! Is a value usable, and what is odd about it? Every check is an entry of the [`catalogue`].
//!
//! A value is valid when no check of its own fails ([`failed`]). Checks that can only fail on
//! nonsense are `Impossible`: they raise the alarm `data.impossible`, unless the flag itself
//! already says that the value does not count (an analyser in calibration may show anything).
//!
//! What shows only in a record, an hour or a day is a clue ([`series`]): it changes nothing about
//! the data, and says what was seen in exact figures.

pub mod catalogue;
mod markdown;
mod record;
pub mod series;

pub use catalogue::*;
pub use markdown::catalogue_markdown;
pub use series::{DaySeries, HourSeries, MarkSpan, day_clues, hour_clues};

use crate::model::{CheckCode, FactorCode, Medium, Outlet, OutletFactor, Profile, Value};
use rust_decimal::Decimal;

/// Codes of quantities that the rules know by name (HJ 524-2009, HJ 525-2009).
pub mod code {
    /// Stack gas flow, m³/s.
    pub const GAS_FLOW: &str = "a00000";
    /// Gas velocity, m/s.
    pub const VELOCITY: &str = "a01011";
    /// Gas temperature, °C.
    pub const TEMPERATURE: &str = "a01012";
    /// Static pressure of the duct, kPa.
    pub const PRESSURE: &str = "a01013";
    /// Moisture, % v/v.
    pub const MOISTURE: &str = "a01014";
    /// Oxygen, % v/v.
    pub const OXYGEN: &str = "a19001";
    /// Waste water flow, L/s.
    pub const WATER_FLOW: &str = "w00000";
    /// pH.
    pub const PH: &str = "w01001";
    /// Five-day biochemical oxygen demand, mg/L.
    pub const BOD: &str = "w01017";
    /// Chemical oxygen demand, mg/L.
    pub const COD: &str = "w01018";
    /// Total nitrogen, mg/L.
    pub const TOTAL_NITROGEN: &str = "w21001";
    /// Ammonia nitrogen, mg/L.
    pub const AMMONIA: &str = "w21003";
}

/// True when the value's flag says that the source or the instrument is stopped.
pub fn is_stopped(value: &Value, profile: &Profile) -> bool {
    value
        .flag
        .as_ref()
        .is_some_and(|flag| profile.stopped_flags.contains(&flag.0))
}

/// True when the failed checks need a person: one is impossible while the flag claims validity.
pub fn is_impossible(checks: &[CheckCode]) -> bool {
    let listed = |severity| {
        checks
            .iter()
            .filter_map(|c| check(&c.0))
            .any(|c| c.severity == severity)
    };
    let excused = checks.iter().any(|c| c.0 == FLAG.code);
    !excused && listed(Severity::Impossible)
}

/// The checks that `value` fails, in the order of the catalogue; empty: valid. Clues are not among
/// them. Checks that the profile switches off do not fail, but a value that is not there cannot
/// count.
pub fn failed(value: &Value, outlet: &Outlet, profile: &Profile) -> Vec<CheckCode> {
    let factor = outlet.factors.get(&value.factor);
    let mut codes = Vec::new();
    let mut fail = |check: Check| {
        if check.is_on(profile) || check == NO_VALUE {
            codes.push(check.stored_code());
        }
    };
    match &value.flag {
        Some(flag) if !profile.valid_flags.contains(&flag.0) => fail(FLAG),
        None if !profile.flag_absent_is_valid => fail(FLAG_ABSENT),
        _ => {}
    }
    if value.unreadable.is_some() {
        fail(UNREADABLE);
    }
    let Some(figure) = value.figure().map(|number| number.value) else {
        fail(NO_VALUE);
        return codes;
    };
    if let Some(factor) = factor {
        if factor.range_min.is_some_and(|min| figure < min) {
            fail(BELOW_RANGE);
        }
        if let Some(max) = factor.range_max.filter(|max| figure > *max) {
            let far = FAR_ABOVE_RANGE.threshold("times", profile);
            let far = far.and_then(|times| max.checked_mul(times));
            let far = far.is_some_and(|far| max > Decimal::ZERO && figure > far);
            fail(if far { FAR_ABOVE_RANGE } else { ABOVE_RANGE });
        }
    }
    if figure < Decimal::ZERO && !may_be_negative(&value.factor, factor) {
        fail(NEGATIVE);
    }
    if contradicts(value) {
        fail(ORDER);
    }
    if !physical(&value.factor, figure, outlet.medium, profile) {
        fail(PHYSICS);
    }
    codes
}

/// Only concentrations and flows are bounded by zero; a configured lower end of the range takes
/// precedence, because zero drift shows as small negative readings on some analysers.
fn may_be_negative(code: &FactorCode, factor: Option<&OutletFactor>) -> bool {
    let flow = matches!(
        code.as_str(),
        code::GAS_FLOW | code::WATER_FLOW | code::VELOCITY
    );
    let Some(factor) = factor else {
        return !flow;
    };
    factor.range_min.is_some_and(|min| min < Decimal::ZERO) || !(factor.pollutant || flow)
}

fn contradicts(value: &Value) -> bool {
    let number = |n: &Option<crate::model::Number>| n.as_ref().map(|n| n.value);
    let (min, avg, max) = (number(&value.min), number(&value.avg), number(&value.max));
    let above = |low: Option<Decimal>, high: Option<Decimal>| {
        low.zip(high).is_some_and(|(low, high)| low > high)
    };
    above(min, avg) || above(avg, max) || above(min, max)
}

fn physical(code: &FactorCode, figure: Decimal, medium: Medium, profile: &Profile) -> bool {
    let top = match (code.as_str(), medium) {
        (code::OXYGEN, Medium::Gas) => PHYSICS
            .threshold("o2_tolerance_pct", profile)
            .and_then(|tolerance| profile.air_o2_pct.checked_add(tolerance)),
        (code::MOISTURE, Medium::Gas) => Some(Decimal::ONE_HUNDRED),
        (code::PH, Medium::Water) => Some(Decimal::from(14u32)),
        (code::TEMPERATURE, Medium::Gas) => {
            return profile
                .kelvin_offset
                .checked_add(figure)
                .is_some_and(|kelvin| kelvin > Decimal::ZERO);
        }
        _ => return true,
    };
    figure >= Decimal::ZERO && top.is_none_or(|top| figure <= top)
}

#[cfg(test)]
mod tests;
