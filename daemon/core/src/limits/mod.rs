//! Is a mean outside a limit (限值)?
//!
//! A limit judges valid means only, and only periods that begin while it is in force. A mean that
//! equals the limit is within it. Several limits may judge one mean (national, local, ultra-low,
//! permit, special period): each gives its own verdict, or says why it gives none.

mod circumstances;
mod overlap;

pub use circumstances::{Circumstances, converts};
pub use overlap::overlaps;

use crate::model::Rounding;
use crate::model::{
    FactorAggregate, Level, Limit, LimitId, LimitPeriod, LimitVerdict, OutletFactor, Timestamp,
};
use crate::quantity::internal;
use rust_decimal::{Decimal, RoundingStrategy};
use std::cmp::Ordering;

/// Why a limit in force gave no verdict, as codes.
pub mod why {
    /// The mean does not count: too few valid units, or declared invalid.
    pub const MEAN_INVALID: &str = "mean-invalid";
    /// A mark touches the period in whose state the limit does not apply.
    pub const EXEMPT_MARK: &str = "exempt-mark";
    /// O2 is valid, but so near that of air that there is no converted value.
    pub const NO_CONVERTED_VALUE: &str = "no-converted-value";
    /// The period has no valid O2 to convert with.
    pub const O2_INVALID: &str = "o2-invalid";
    /// The special period of the limit does not hold then, or not for this region.
    pub const NOT_IN_SPECIAL_PERIOD: &str = "not-in-special-period";
    /// The limit has neither an upper nor a lower bound.
    pub const NO_BOUND: &str = "no-bound";
}

/// A limit in force that gave no verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotJudged {
    /// Which limit.
    pub limit: LimitId,
    /// Why not, one of [`why`].
    pub why: &'static str,
}

/// What the limits of a factor say about a mean; every limit in force is in one of the lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    /// Verdicts, in the order of the limits.
    pub verdicts: Vec<LimitVerdict>,
    /// The others, in the order of the limits.
    pub not_judged: Vec<NotJudged>,
}

/// The figure as a profile compares and shows it.
pub fn round(value: Decimal, decimals: u32, rounding: Rounding) -> Decimal {
    let strategy = match rounding {
        Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
        Rounding::HalfAwayFromZero => RoundingStrategy::MidpointAwayFromZero,
    };
    value.round_dp_with_strategy(decimals, strategy)
}

/// True when `limit` is dated to judge periods of `level` that begin at `start`.
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

/// Judges `mean` by all limits of `factor` that are in force.
///
/// A limit on the converted value judges the converted mean; where the outlet has no reference O2
/// the standard value is the converted one, as annex D of HJ 212-2017 says. Of several reasons to
/// give no verdict the first of these is named: the special period, the mean, a mark, O2, the
/// converted value, the bounds.
pub fn judge(mean: &FactorAggregate, factor: &OutletFactor, of: &Circumstances<'_>) -> Judged {
    let mut judged = Judged::default();
    let limits = factor.limits.iter();
    for limit in limits.filter(|limit| in_force(limit, of.level, of.start)) {
        match figure(mean, limit, of).and_then(|f| verdict(limit, f, factor, of)) {
            Ok(verdict) => judged.verdicts.push(verdict),
            Err(why) => judged.not_judged.push(NotJudged {
                limit: limit.id.clone(),
                why,
            }),
        }
    }
    judged
}

/// The figure that `limit` judges.
fn figure(
    mean: &FactorAggregate,
    limit: &Limit,
    of: &Circumstances<'_>,
) -> Result<Decimal, &'static str> {
    if !of.reaches(limit) {
        return Err(why::NOT_IN_SPECIAL_PERIOD);
    }
    let measured = mean.mean.filter(|_| mean.valid).ok_or(why::MEAN_INVALID)?;
    // Of a day, hours under marks that exempt are taken out; what is left must be enough.
    let (measured, converted) = match &mean.judged {
        None => (measured, mean.converted),
        Some(judged) => {
            let enough = judged.mean.filter(|_| judged.enough);
            (enough.ok_or(why::EXEMPT_MARK)?, judged.converted)
        }
    };
    if of.exempts(limit) {
        return Err(why::EXEMPT_MARK);
    }
    if !(limit.converted && converts(of.outlet)) {
        return Ok(measured);
    }
    if !of.o2_valid {
        return Err(why::O2_INVALID);
    }
    converted.ok_or(why::NO_CONVERTED_VALUE)
}

/// The verdict of one limit on a figure.
fn verdict(
    limit: &Limit,
    figure: Decimal,
    factor: &OutletFactor,
    of: &Circumstances<'_>,
) -> Result<LimitVerdict, &'static str> {
    let compared = |value: Decimal| {
        if of.profile.compare_rounded {
            round(value, factor.decimals, of.profile.rounding)
        } else {
            value
        }
    };
    let share = of.profile.confidence_pct.get(&factor.code).copied();
    let high = limit
        .upper
        .map(|upper| (compared(validated(figure, upper, share)), upper));
    let low = limit.lower.map(|lower| (compared(figure), lower));
    let over = high.filter(|(judged, upper)| judged > upper);
    let under = low.filter(|(judged, lower)| judged < lower);
    let (judged, bound) = over.or(under).or(high).or(low).ok_or(why::NO_BOUND)?;
    Ok(LimitVerdict {
        limit: limit.id.clone(),
        judged,
        bound,
        exceeded: over.is_some() || under.is_some(),
        multiple: over.and_then(|(judged, upper)| multiple(judged, upper)),
    })
}

/// The mean less the share of the limit that is the 95 % confidence interval of a measurement, not
/// below zero (directive 2010/75/EU: annex VI part 6 point 1.3 has the shares, part 8 point 1.2
/// the subtraction). Without a share, the mean itself. The interval belongs to an upper bound; a
/// figure under a lower one is judged as it is. Where the share overflows nothing is subtracted.
pub fn validated(mean: Decimal, upper: Decimal, share_pct: Option<Decimal>) -> Decimal {
    let Some(pct) = share_pct.filter(|pct| *pct > Decimal::ZERO) else {
        return mean;
    };
    upper
        .checked_mul(pct)
        .and_then(|share| share.checked_div(Decimal::ONE_HUNDRED))
        .and_then(|share| mean.checked_sub(share))
        .map_or(mean, |less| internal(less.max(Decimal::ZERO)))
}

/// Exceedance multiple (超标倍数), `judged / bound - 1`. A limit of zero is exceeded by any positive
/// mean but has no multiple: nothing is so many times nothing.
pub fn multiple(judged: Decimal, upper: Decimal) -> Option<Decimal> {
    (upper > Decimal::ZERO).then_some(())?;
    judged
        .checked_div(upper)?
        .checked_sub(Decimal::ONE)
        .map(internal)
}

/// The verdict to show first: an exceeded limit before one that is kept, then the one whose bound
/// the judged figure has passed furthest, or come nearest to. Of equals, the first.
pub fn strictest(verdicts: &[LimitVerdict]) -> Option<&LimitVerdict> {
    let mut first: Option<&LimitVerdict> = None;
    for verdict in verdicts {
        if first.is_none_or(|so_far| severity(verdict, so_far) == Ordering::Greater) {
            first = Some(verdict);
        }
    }
    first
}

fn severity(a: &LimitVerdict, b: &LimitVerdict) -> Ordering {
    a.exceeded
        .cmp(&b.exceeded)
        .then_with(|| match (closeness(a), closeness(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            // Past a bound of zero is further than any ratio tells.
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (None, None) => Ordering::Equal,
        })
}

/// Above one outside the bound, below one inside, whichever side the bound is on.
fn closeness(verdict: &LimitVerdict) -> Option<Decimal> {
    let less = verdict.judged.min(verdict.bound);
    let more = verdict.judged.max(verdict.bound);
    if verdict.exceeded {
        (less > Decimal::ZERO).then_some(())?;
        more.checked_div(less)
    } else {
        Some(less.checked_div(more).unwrap_or(Decimal::ONE))
    }
}

#[cfg(test)]
mod tests;
