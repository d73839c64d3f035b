//! Amounts against permitted amounts (许可排放量), of an outlet and of an enterprise, per month, year
//! and special period.
//!
//! Emissions while over a limit count like any other (permit regulations, article 21). A warning
//! is due as soon as a total reaches its share; the permitted amount itself is exceeded only when
//! the total is strictly above it, because the permit allows exactly that much.

mod sum;

pub use sum::{EnterpriseTotal, SpecialTotal, enterprise_total, special_total};

use crate::model::{
    AmountPeriod, Level, Period, PermittedAmount, RegionId, SpecialPeriod, Timestamp, UtcOffset,
};
use crate::quantity::internal;
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// What a share of a permitted amount says about a total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareVerdict {
    /// The share, percent of the permitted amount.
    pub share_pct: Decimal,
    /// Kilograms at that share.
    pub threshold_kg: Decimal,
    /// At 100 % or more: an exceedance of the amount, not a warning.
    pub exceedance: bool,
    /// The total has reached (a warning) or passed (an exceedance) the threshold.
    pub reached: bool,
}

/// Verdicts of every share of `permitted` on `total_kg`, ascending. 100 % is always among them,
/// whatever the permit file warns at.
///
/// Of an amount of zero (or less, which is read as zero) there are no shares to warn at: only 100 %
/// is judged, and any emission exceeds it.
pub fn shares(permitted: &PermittedAmount, total_kg: Decimal) -> Vec<ShareVerdict> {
    let amount_kg = permitted.amount_kg.max(Decimal::ZERO);
    let mut at: Vec<Decimal> = if amount_kg.is_zero() {
        Vec::new()
    } else {
        permitted.warn_at_pct.clone()
    };
    at.push(Decimal::ONE_HUNDRED);
    at.sort();
    at.dedup();
    at.into_iter()
        .filter_map(|share_pct| {
            let threshold_kg = amount_kg
                .checked_mul(share_pct)?
                .checked_div(Decimal::ONE_HUNDRED)
                .map(internal)?;
            let exceedance = share_pct >= Decimal::ONE_HUNDRED;
            Some(ShareVerdict {
                share_pct: share_pct.normalize(),
                threshold_kg,
                exceedance,
                reached: if exceedance {
                    total_kg > threshold_kg
                } else {
                    total_kg >= threshold_kg
                },
            })
        })
        .collect()
}

/// How much of `amount_kg` is used up, percent; `None` for an amount that is not positive, which
/// has no shares, and on overflow.
pub fn used_pct(amount_kg: Decimal, total_kg: Decimal) -> Option<Decimal> {
    (amount_kg > Decimal::ZERO).then_some(())?;
    total_kg
        .checked_mul(Decimal::ONE_HUNDRED)?
        .checked_div(amount_kg)
        .map(internal)
}

/// Why a permitted amount has no period, as codes.
pub mod why {
    /// It is one of a special period and does not say of which.
    pub const SPECIAL_NOT_NAMED: &str = "special-period-not-named";
    /// The special period it names is not in the registry.
    pub const SPECIAL_UNKNOWN: &str = "special-period-unknown";
    /// The special period it names does not hold for the region.
    pub const SPECIAL_ELSEWHERE: &str = "special-period-elsewhere";
}

/// The first instant of the period of `permitted` and the first after it: the calendar month or
/// year that contains `at`, or the special period it names, whenever that is; else one of [`why`].
pub fn span(
    permitted: &PermittedAmount,
    special_periods: &BTreeMap<SmolStr, SpecialPeriod>,
    region: Option<&RegionId>,
    (at, offset): (Timestamp, UtcOffset),
) -> Result<(Timestamp, Timestamp), &'static str> {
    let calendar = |level| {
        let period = Period::containing(level, at, offset);
        (period.start, period.end(offset))
    };
    match permitted.period {
        AmountPeriod::Month => Ok(calendar(Level::Month)),
        AmountPeriod::Year => Ok(calendar(Level::Year)),
        AmountPeriod::Special => {
            let id = permitted.special.as_ref().ok_or(why::SPECIAL_NOT_NAMED)?;
            let special = special_periods.get(id).ok_or(why::SPECIAL_UNKNOWN)?;
            if special.reaches(region) {
                Ok((special.from, special.until))
            } else {
                Err(why::SPECIAL_ELSEWHERE)
            }
        }
    }
}

#[cfg(test)]
mod tests;
