//! Is a mean outside a limit (限值)?
//!
//! A limit judges valid means only, and only periods that begin while it is in force. A mean that
//! equals the limit is within it.

use crate::model::Rounding;
use crate::model::{
    FactorAggregate, Level, Limit, LimitPeriod, LimitVerdict, Medium, Outlet, OutletFactor,
    Profile, Timestamp,
};
use crate::quantity::internal;
use rust_decimal::{Decimal, RoundingStrategy};

/// The figure as a profile compares and shows it.
pub fn round(value: Decimal, decimals: u32, rounding: Rounding) -> Decimal {
    let strategy = match rounding {
        Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
        Rounding::HalfAwayFromZero => RoundingStrategy::MidpointAwayFromZero,
    };
    value.round_dp_with_strategy(decimals, strategy)
}

/// True when `limit` applies to periods of `level` that begin at `start`.
pub fn in_force(limit: &Limit, level: Level, start: Timestamp) -> bool {
    let period = match level {
        Level::Hour => LimitPeriod::Hour,
        Level::Day => LimitPeriod::Day,
        Level::Month => LimitPeriod::Month,
        Level::Year => return false,
    };
    limit.period == period
        && limit.from.is_none_or(|from| from <= start)
        && limit.until.is_none_or(|until| start < until)
}

/// The verdicts of all limits of `factor` in force on `mean`; empty when the mean does not count.
///
/// A limit on the converted value gives no verdict when there is no converted value (O2 at the
/// guard or not valid); where the outlet has no reference O2 the standard value is the converted
/// one, as annex D says. `o2_valid` says whether the period has a valid O2 mean.
pub fn judge(
    mean: &FactorAggregate,
    factor: &OutletFactor,
    outlet: &Outlet,
    profile: &Profile,
    (level, start): (Level, Timestamp),
    o2_valid: bool,
) -> Vec<LimitVerdict> {
    if !mean.valid {
        return Vec::new();
    }
    let converts = outlet.medium == Medium::Gas
        && outlet
            .gas
            .as_ref()
            .is_some_and(|gas| gas.reference_o2_pct.is_some());
    factor
        .limits
        .iter()
        .filter(|limit| in_force(limit, level, start))
        .filter_map(|limit| {
            let figure = if limit.converted && converts {
                mean.converted.filter(|_| o2_valid)?
            } else {
                mean.mean?
            };
            let judged = if profile.compare_rounded {
                round(figure, factor.decimals, profile.rounding)
            } else {
                figure
            };
            verdict(limit, judged)
        })
        .collect()
}

/// The verdict of one limit; `None` for a limit without bounds.
fn verdict(limit: &Limit, judged: Decimal) -> Option<LimitVerdict> {
    let over = limit.upper.filter(|upper| judged > *upper);
    let under = limit.lower.filter(|lower| judged < *lower);
    let bound = over.or(under).or(limit.upper).or(limit.lower)?;
    let multiple = over
        .and_then(|upper| judged.checked_div(upper))
        .and_then(|ratio| ratio.checked_sub(Decimal::ONE))
        .map(internal);
    Some(LimitVerdict {
        limit: limit.id.clone(),
        judged,
        bound,
        exceeded: over.is_some() || under.is_some(),
        multiple,
    })
}

#[cfg(test)]
mod tests;
