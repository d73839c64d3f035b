//! Is a value usable? Every check is one line of [`CATALOGUE`]; adding a check means adding a
//! line there, its test in [`failed`], and a case in the tests.
//!
//! A value is valid when no check fails. Checks that can only fail on nonsense are `Impossible`:
//! they raise the alarm `data.impossible`, unless the flag itself already says that the value does
//! not count (an analyser in calibration may show anything).

use crate::model::{CheckCode, FactorCode, Medium, Outlet, OutletFactor, Profile, Value};
use rust_decimal::Decimal;
use smol_str::SmolStr;

/// What a failed check means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The value does not count.
    Invalid,
    /// The value does not count and somebody must look: no working instrument shows it.
    Impossible,
}

/// A check that a value must pass to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// Code in the store, the API and text keys.
    pub code: &'static str,
    /// What a failure means.
    pub severity: Severity,
    /// What is wrong, Chinese.
    pub text_zh: &'static str,
    /// What is wrong, English.
    pub text_en: &'static str,
}

macro_rules! catalogue {
    ($(
        $(#[$doc:meta])*
        $name:ident = $code:literal, $severity:ident, $zh:literal, $en:literal;
    )*) => {
        $($(#[$doc])*
        pub const $name: Check = Check {
            code: $code,
            severity: Severity::$severity,
            text_zh: $zh,
            text_en: $en,
        };)*

        /// Every check, in the order in which failures are listed.
        pub const CATALOGUE: &[Check] = &[$($name),*];
    };
}

catalogue! {
    /// The flag is not among the profile's valid flags.
    FLAG = "flag", Invalid, "数据标记不计为有效", "the flag does not count as valid";
    /// No flag was sent and the profile demands one.
    FLAG_ABSENT = "flag-absent", Invalid, "未带数据标记", "no flag was sent";
    /// A field should have been a number.
    UNREADABLE = "unreadable", Invalid, "数值无法识读", "the number is unreadable";
    /// Neither a mean nor a real-time value.
    NO_VALUE = "no-value", Invalid, "缺少数值", "there is no value";
    /// Below the measuring range.
    BELOW_RANGE = "below-range", Impossible, "低于量程下限", "below the measuring range";
    /// Above the measuring range.
    ABOVE_RANGE = "above-range", Invalid, "高于量程上限", "above the measuring range";
    /// Above the measuring range by more than any drift explains.
    FAR_ABOVE_RANGE = "far-above-range", Impossible, "远超量程上限", "far above the measuring range";
    /// A concentration or flow below zero.
    NEGATIVE = "negative", Impossible, "浓度或流量为负", "a concentration or flow below zero";
    /// Min <= Avg <= Max does not hold.
    ORDER = "order", Impossible, "最小值、均值、最大值次序矛盾", "min, mean and max contradict each other";
    /// Outside what the quantity can be.
    PHYSICS = "physics", Impossible, "超出物理可能范围", "outside what is physically possible";
}

/// O2 above that of air by more than this is impossible, % v/v: span drift of a good analyser is
/// 2.5 % of 25 % full scale.
pub const O2_TOLERANCE_PCT: Decimal = Decimal::from_parts(7, 0, 0, false, 1);

/// A value above this many times the upper end of its range is impossible, not merely over range:
/// no analogue output goes there.
pub const FAR_ABOVE_RANGE_TIMES: Decimal = Decimal::TWO;

/// Codes of auxiliary quantities that the rules know by name (HJ 524-2009, HJ 525-2009).
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
}

/// The check with this code.
pub fn check(code: &str) -> Option<&'static Check> {
    CATALOGUE.iter().find(|check| check.code == code)
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

/// The checks that `value` fails, in catalogue order; empty: valid.
pub fn failed(value: &Value, outlet: &Outlet, profile: &Profile) -> Vec<CheckCode> {
    let factor = outlet.factors.get(&value.factor);
    let mut codes = Vec::new();
    let mut fail = |check: Check| codes.push(CheckCode(SmolStr::new_static(check.code)));
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
        let below = factor.range_min.is_some_and(|min| figure < min);
        if below {
            fail(BELOW_RANGE);
        }
        if let Some(max) = factor.range_max.filter(|max| figure > *max) {
            let far = max
                .checked_mul(FAR_ABOVE_RANGE_TIMES)
                .is_some_and(|far| max > Decimal::ZERO && figure > far);
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
        (code::OXYGEN, Medium::Gas) => profile.air_o2_pct.checked_add(O2_TOLERANCE_PCT),
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
