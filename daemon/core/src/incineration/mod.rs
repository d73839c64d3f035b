//! Waste incineration (生活垃圾焚烧): what order 10 of the ministry (生活垃圾焚烧发电厂自动监测数据
//! 应用管理规定) makes of the data.
//!
//! * The furnace: five-minute means (5分钟均值) of its temperature below the minimum, counted in a
//!   local day. Those within marks do not count.
//! * The stack: day means of five pollutants over their limits, counted in a local month.
//!
//! The thresholds are those of the profile ([`IncinerationRule`]).

use crate::formula;
use crate::marks::Effects;
use crate::model::profile::IncinerationRule;
use crate::model::time::{DAY_MS, MINUTE_MS};
use crate::model::{AggregateRow, FactorCode, Level, MarkEffect, Timestamp};
use crate::quantity::internal;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;

/// Length of the means that are counted.
const FIVE_MINUTES_MS: i64 = 5 * MINUTE_MS;
/// Effects of marks that keep a mean from counting.
const EXEMPT: [MarkEffect; 3] = [
    MarkEffect::NotJudged,
    MarkEffect::Invalid,
    MarkEffect::Stopped,
];

/// A five-minute mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FiveMinuteMean {
    /// First instant.
    pub start: Timestamp,
    /// Mean of the valid minute values, °C.
    pub mean: Decimal,
    /// How many there were: 1 to 5.
    pub minutes: u32,
}

/// The five-minute means of a local day, ascending; `day` is its first instant, from which the five
/// minutes are counted.
///
/// `minutes` are the valid minute values with their starts, in any order, each minute once; those
/// of other days are left out. A mean is given wherever there is a value: no rule says how many it
/// needs.
pub fn five_minute_means(
    day: Timestamp,
    minutes: impl IntoIterator<Item = (Timestamp, Decimal)>,
) -> Vec<FiveMinuteMean> {
    let mut blocks: BTreeMap<i64, Vec<Decimal>> = BTreeMap::new();
    for (at, value) in minutes {
        let ms = at.since_ms(day);
        if (0..DAY_MS).contains(&ms) {
            let block = ms.div_euclid(FIVE_MINUTES_MS);
            blocks.entry(block).or_default().push(value);
        }
    }
    let means = blocks.into_iter().filter_map(|(block, values)| {
        Some(FiveMinuteMean {
            start: day.plus_ms(block.saturating_mul(FIVE_MINUTES_MS)),
            minutes: u32::try_from(values.len()).ok()?,
            mean: formula::mean(values).map(internal)?,
        })
    });
    means.collect()
}

/// The furnace (焚烧炉) in a local day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FurnaceDay {
    /// Five-minute means below the minimum that count: their first instants, ascending.
    pub low: Vec<Timestamp>,
    /// Those that do not count because they lie within marks.
    pub low_marked: Vec<Timestamp>,
    /// More of them count than a day may have.
    pub violation: bool,
}

/// Judges the furnace temperature of a day by its five-minute means.
///
/// A mean at the minimum is not below it; the full value is compared. A mean does not count when
/// marks with an effect other than being shown cover all of its five minutes. A day with exactly
/// `furnace_low_max` of them is no violation (累计超过).
pub fn furnace_day(
    rule: &IncinerationRule,
    means: &[FiveMinuteMean],
    effects: &Effects,
) -> FurnaceDay {
    let below = means.iter().filter(|mean| mean.mean < rule.furnace_min_c);
    let (low_marked, low): (Vec<_>, Vec<_>) = below
        .map(|mean| mean.start)
        .partition(|start| is_covered(effects, &rule.furnace_factor, *start));
    let violation = u32::try_from(low.len()).is_ok_and(|n| n > rule.furnace_low_max);
    FurnaceDay {
        low,
        low_marked,
        violation,
    }
}

fn is_covered(effects: &Effects, factor: &FactorCode, start: Timestamp) -> bool {
    let until = start.plus_ms(FIVE_MINUTES_MS);
    let minutes = EXEMPT.map(|effect| effects.minutes_with(effect, factor, start, until));
    let covered = minutes.iter().fold(0, |sum: u32, n| sum.saturating_add(*n));
    i64::from(covered).saturating_mul(MINUTE_MS) >= FIVE_MINUTES_MS
}

/// The pollutants of the rule whose day mean is over a limit, by the verdicts of the day's row: a
/// day mean that is not valid, or not judged because of marks, has none.
pub fn over_day_limits(rule: &IncinerationRule, day: &AggregateRow) -> Vec<FactorCode> {
    let factors = day.factors.iter();
    factors
        .filter(|(code, _)| rule.pollutants.is_empty() || rule.pollutants.contains(code))
        .filter(|(_, factor)| factor.limits.iter().any(|verdict| verdict.exceeded))
        .map(|(code, _)| code.clone())
        .collect()
}

/// What follows from a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consequence {
    /// The authority may order production to be restricted or suspended (限制生产、停产整治).
    RestrictOrSuspendProduction,
}

impl Consequence {
    /// The code in the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RestrictOrSuspendProduction => "restrict-or-suspend-production",
        }
    }
}

/// The stack in a local month.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StackMonth {
    /// Days over a limit (超标日), by first instant, with the pollutants.
    pub exceeded: BTreeMap<Timestamp, Vec<FactorCode>>,
    /// What follows from them; `None`: no more of them than a month may have.
    pub consequence: Option<Consequence>,
}

/// Counts the days of a month over a limit; rows of other levels are left out.
pub fn stack_month(rule: &IncinerationRule, days: &[AggregateRow]) -> StackMonth {
    let exceeded: BTreeMap<Timestamp, Vec<FactorCode>> = days
        .iter()
        .filter(|row| row.level == Level::Day)
        .map(|row| (row.start, over_day_limits(rule, row)))
        .filter(|(_, codes)| !codes.is_empty())
        .collect();
    let too_many = u32::try_from(exceeded.len()).is_ok_and(|n| n > rule.exceeded_days_max);
    StackMonth {
        consequence: too_many.then_some(Consequence::RestrictOrSuspendProduction),
        exceeded,
    }
}

#[cfg(test)]
mod tests;
