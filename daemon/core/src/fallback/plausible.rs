//! Is a manual report plausible (合理性检查)? What is found is kept and shown, and refuses nothing:
//! a real value may look odd, and it is for a person to ask.

use super::machine::belongs;
use crate::model::time::MINUTE_MS;
use crate::model::{
    FactorCode, FallbackRow, ManualReport, Outlet, OutletFactor, ReportFinding, Timestamp,
};
use crate::validate::code::PH as PH_FACTOR;
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// Above the measuring range of the automatic analyser.
pub const ABOVE_RANGE: &str = "above-range";
/// Below it.
pub const BELOW_RANGE: &str = "below-range";
/// Below zero where the quantity cannot be.
pub const NEGATIVE: &str = "negative";
/// A pH outside 0 to 14.
pub const PH: &str = "ph";
/// About ten times, or a tenth of, what the automatic equipment last measured: a slipped point.
pub const DECIMAL_POINT: &str = "decimal-point";
/// Every value equals that of the report before.
pub const SAME_AS_LAST: &str = "same-as-last";
/// Sampled before the fallback opened.
pub const BEFORE_OPENING: &str = "before-opening";
/// Sampled at the same instant as another report.
pub const SAME_TIME: &str = "same-time";
/// Sampled so soon after, or before, another report that one sampling cannot have ended.
pub const TOO_CLOSE: &str = "too-close";
/// A pollutant without valid automatic data has no value.
pub const MISSING_FACTOR: &str = "missing-factor";

/// Every code; texts hang on it.
pub const CODES: [&str; 10] = [
    ABOVE_RANGE,
    BELOW_RANGE,
    NEGATIVE,
    PH,
    DECIMAL_POINT,
    SAME_AS_LAST,
    BEFORE_OPENING,
    SAME_TIME,
    TOO_CLOSE,
    MISSING_FACTOR,
];

/// A value this many times greater or smaller than the automatic mean has its point elsewhere: ten
/// times, less what a process may change by half a day later.
const SLIP: u32 = 5;

/// No two samplings at one outlet are nearer than this: sampling and changing the train take
/// longer.
const SAMPLING_MS_MIN: i64 = 10 * MINUTE_MS;

/// Hours of valid automatic means that a value is held against.
pub const AUTOMATIC_HOURS: usize = 24;

/// What a report is held against.
#[derive(Debug, Clone)]
pub struct Known<'a> {
    /// Its outlet.
    pub outlet: &'a Outlet,
    /// The open fallback.
    pub fallback: Option<&'a FallbackRow>,
    /// The report sampled last before it.
    pub last: Option<&'a ManualReport>,
    /// Sampling times of the other reports that count.
    pub samples: &'a BTreeSet<Timestamp>,
    /// Mean of the last [`AUTOMATIC_HOURS`] valid automatic hour means, by factor.
    pub automatic: &'a BTreeMap<FactorCode, Decimal>,
}

/// What is odd about a report, in the order of its values, then as a whole.
pub fn findings(report: &ManualReport, known: &Known<'_>) -> Vec<ReportFinding> {
    let mut found = Vec::new();
    for value in &report.values {
        if let Some(factor) = known.outlet.factors.get(&value.factor) {
            let automatic = known.automatic.get(&value.factor).copied();
            let odd = value_findings(factor, value.value, automatic);
            found.extend(odd.into_iter().map(|(code, against)| ReportFinding {
                code: SmolStr::new_static(code),
                factor: Some(value.factor.clone()),
                against,
            }));
        }
    }
    found.extend(missing(report, known));
    let whole = [
        same_as_last(report, known).then_some(SAME_AS_LAST),
        known
            .fallback
            .is_some_and(|row| !belongs(row, report.sampled_at))
            .then_some(BEFORE_OPENING),
        interval(report.sampled_at, known.samples),
    ];
    found.extend(whole.into_iter().flatten().map(|code| ReportFinding {
        code: SmolStr::new_static(code),
        factor: None,
        against: None,
    }));
    found
}

/// What is odd about one value.
fn value_findings(
    factor: &OutletFactor,
    value: Decimal,
    automatic: Option<Decimal>,
) -> Vec<(&'static str, Option<Decimal>)> {
    let mut found = Vec::new();
    if factor.code.as_str() == PH_FACTOR {
        if value < Decimal::ZERO || value > Decimal::from(14u32) {
            found.push((PH, None));
        }
        // A mean of pH values says nothing about ten times as much.
        return found;
    }
    let may_be_negative = factor.range_min.is_some_and(|min| min < Decimal::ZERO);
    if value < Decimal::ZERO && !may_be_negative {
        found.push((NEGATIVE, None));
    } else if let Some(min) = factor.range_min.filter(|min| value < *min) {
        found.push((BELOW_RANGE, Some(min)));
    }
    if let Some(max) = factor.range_max.filter(|max| value > *max) {
        found.push((ABOVE_RANGE, Some(max)));
    }
    let trace = |n: Decimal| factor.detection_limit.is_some_and(|limit| n <= limit);
    let slipped = automatic.filter(|mean| !trace(*mean) && slips(value, *mean));
    if let Some(mean) = slipped {
        found.push((DECIMAL_POINT, Some(mean)));
    }
    found
}

fn slips(value: Decimal, mean: Decimal) -> bool {
    let times = |n: Decimal| n.checked_mul(Decimal::from(SLIP));
    let positive = value > Decimal::ZERO && mean > Decimal::ZERO;
    positive
        && (times(mean).is_some_and(|great| value >= great)
            || times(value).is_some_and(|small| small <= mean))
}

/// Pollutants whose lack of data is a reason, and that the report leaves out.
fn missing(report: &ManualReport, known: &Known<'_>) -> Vec<ReportFinding> {
    let reasons = known.fallback.map_or(&[][..], |row| &row.reasons);
    let owed: BTreeSet<&FactorCode> = reasons.iter().filter_map(|r| r.factor()).collect();
    let there = |code: &FactorCode| report.values.iter().any(|v| v.factor == *code);
    let gone = owed.into_iter().filter(|code| !there(code));
    gone.map(|code| ReportFinding {
        code: SmolStr::new_static(MISSING_FACTOR),
        factor: Some(code.clone()),
        against: None,
    })
    .collect()
}

fn same_as_last(report: &ManualReport, known: &Known<'_>) -> bool {
    known.last.is_some_and(|last| {
        let values = |report: &ManualReport| -> BTreeMap<FactorCode, Decimal> {
            let pairs = report.values.iter().map(|v| (v.factor.clone(), v.value));
            pairs.collect()
        };
        values(last) == values(report)
    })
}

fn interval(at: Timestamp, samples: &BTreeSet<Timestamp>) -> Option<&'static str> {
    if samples.contains(&at) {
        return Some(SAME_TIME);
    }
    let near = (at.plus_ms(1 - SAMPLING_MS_MIN), at.plus_ms(SAMPLING_MS_MIN));
    let close = samples.range(near.0..near.1).next().is_some();
    close.then_some(TOO_CLOSE)
}
