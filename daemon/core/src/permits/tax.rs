//! Basis of the reduction of the environmental protection tax (环境保护税减征).
//!
//! Environmental Protection Tax Law (环境保护税法), article 13: less tax where the concentration
//! lies far enough below the national and local emission standards. Its implementing regulations
//! (实施条例), article 10: the concentration is the month mean of the hour means (gas) or of the day
//! means (water), and none of these may be over the standard; article 11: for every outlet and
//! pollutant by itself.

use crate::formula;
use crate::limits;
use crate::model::{
    FactorAggregate, Level, Limit, LimitId, LimitKind, Medium, Outlet, OutletFactor, Timestamp,
};
use crate::quantity::internal;
use rust_decimal::Decimal;

/// One step of the reduction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaxStep {
    /// The month mean is at least so far below the limit, percent of the limit.
    pub below_pct: Decimal,
    /// The share of the tax that is due then, percent.
    pub due_pct: Decimal,
}

/// The steps of article 13: 30 % below, three quarters of the tax; 50 % below, half of it.
pub fn law_steps() -> Vec<TaxStep> {
    let step = |below: u32, due: u32| TaxStep {
        below_pct: Decimal::from(below),
        due_pct: Decimal::from(due),
    };
    vec![step(30, 75), step(50, 50)]
}

/// Why the share of the tax is what it is, as codes.
pub mod why {
    /// Far enough below the strictest limit, and never over one.
    pub const REDUCED: &str = "reduced";
    /// The month mean is not far enough below the strictest limit.
    pub const NOT_FAR_ENOUGH: &str = "not-far-enough-below";
    /// A single mean was over a limit.
    pub const EXCEEDED: &str = "exceeded";
    /// No limit of the standards (or of the permit) judges such means.
    pub const NO_LIMIT: &str = "no-limit";
    /// No valid mean in the month, or none with the figure that a limit judges.
    pub const NO_VALID_MEAN: &str = "no-valid-mean";
    /// A limit judged none of the means, so that nothing says that none was over it.
    pub const NOT_JUDGED: &str = "not-judged";
    /// A limit is not positive: nothing is so many percent below it.
    pub const LIMIT_NOT_POSITIVE: &str = "limit-not-positive";
    /// The figures are too large to compute with.
    pub const OUT_OF_RANGE: &str = "out-of-range";
}

/// One mean of the month: of an hour (gas) or a day (water), with the verdicts it was given.
#[derive(Debug, Clone, Copy)]
pub struct TaxMean<'a> {
    /// Start of its period.
    pub start: Timestamp,
    /// The mean.
    pub mean: &'a FactorAggregate,
    /// The period has a valid O2 mean to convert with.
    pub o2_valid: bool,
}

/// The month against one limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxLine {
    /// Which limit.
    pub limit: LimitId,
    /// Kind of its source.
    pub kind: LimitKind,
    /// It judges the converted value.
    pub converted: bool,
    /// Its upper bound, in the factor's unit.
    pub bound: Decimal,
    /// Valid means with the figure it judges.
    pub means: u32,
    /// Their arithmetic mean.
    pub month_mean: Option<Decimal>,
    /// How far that lies below the bound, percent of it; negative above. `None` without a mean or
    /// for a bound that is not positive.
    pub below_pct: Option<Decimal>,
    /// Starts of the periods whose mean was over it, ascending.
    pub exceeded: Vec<Timestamp>,
    /// Valid means it gave a verdict on; the others fell into excepted states or have no converted
    /// value.
    pub judged: u32,
}

/// The basis for one pollutant of one outlet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxBasis {
    /// Level of the means: hours of gas, days of water.
    pub level: Level,
    /// Valid means of the month.
    pub valid: u32,
    /// Means that are not valid and left out.
    pub invalid: u32,
    /// Every limit that applies, in the order of the registry.
    pub lines: Vec<TaxLine>,
    /// The line that decides: of the limits broken the first, else the one that the month mean lies
    /// least below.
    pub deciding: Option<usize>,
    /// Share of the tax that is due, percent; 100: no reduction.
    pub due_pct: Decimal,
    /// Why, one of [`why`].
    pub why: &'static str,
}

/// The basis for `factor` of `outlet` from the means of one calendar month, ascending.
///
/// The limits are those of the national and local standards on such means; where the registry has
/// none, those of the permit stand in, which are never laxer. A limit that was in force for a part
/// of the month is held against the mean of the whole month. Whether a single mean was over a limit
/// is what its verdict says, so that states the standard excepts do not count.
pub fn tax_basis(
    outlet: &Outlet,
    factor: &OutletFactor,
    means: &[TaxMean<'_>],
    steps: &[TaxStep],
) -> TaxBasis {
    let level = match outlet.medium {
        Medium::Gas => Level::Hour,
        Medium::Water => Level::Day,
    };
    let valid: Vec<TaxMean<'_>> = means.iter().filter(|m| m.mean.valid).copied().collect();
    let lines: Vec<TaxLine> = applicable(factor, level, means)
        .into_iter()
        .filter_map(|limit| line(limit, limits::converts(outlet), &valid))
        .collect();
    let (deciding, due) = decide(&lines, steps);
    let (due_pct, why) = match due {
        Ok(due_pct) => (due_pct, why::REDUCED),
        Err(why) => (Decimal::ONE_HUNDRED, why),
    };
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    TaxBasis {
        level,
        valid: count(valid.len()),
        invalid: count(means.len().saturating_sub(valid.len())),
        lines,
        deciding,
        due_pct,
        why,
    }
}

/// The limits that judged any of the means and belong to the standards, else to the permit.
fn applicable<'a>(factor: &'a OutletFactor, level: Level, means: &[TaxMean<'_>]) -> Vec<&'a Limit> {
    let of = |kinds: &[LimitKind]| -> Vec<&'a Limit> {
        let limits = factor.limits.iter();
        limits
            .filter(|limit| kinds.contains(&limit.kind) && limit.special.is_none())
            .filter(|limit| {
                means
                    .iter()
                    .any(|m| limits::in_force(limit, level, m.start))
            })
            .collect()
    };
    let standards = of(&[LimitKind::National, LimitKind::Local]);
    if standards.is_empty() {
        of(&[LimitKind::Permit])
    } else {
        standards
    }
}

/// The month against `limit`; `None` for one without an upper bound.
fn line(limit: &Limit, converts: bool, valid: &[TaxMean<'_>]) -> Option<TaxLine> {
    let bound = limit.upper?;
    let converted = limit.converted && converts;
    let figure = |m: &TaxMean<'_>| {
        if converted {
            m.mean.converted.filter(|_| m.o2_valid)
        } else {
            m.mean.mean
        }
    };
    let verdict = |m: &TaxMean<'_>| {
        let mut verdicts = m.mean.limits.iter();
        verdicts
            .find(|verdict| verdict.limit == limit.id)
            .map(|verdict| verdict.exceeded)
    };
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let month_mean = formula::mean(valid.iter().filter_map(figure)).map(internal);
    Some(TaxLine {
        limit: limit.id.clone(),
        kind: limit.kind,
        converted,
        bound,
        means: count(valid.iter().filter_map(figure).count()),
        month_mean,
        below_pct: month_mean.and_then(|mean| below_pct(mean, bound)),
        exceeded: valid
            .iter()
            .filter(|m| verdict(m) == Some(true))
            .map(|m| m.start)
            .collect(),
        judged: count(valid.iter().filter_map(verdict).count()),
    })
}

/// How far a month mean lies below a limit, percent of the limit; negative above. `None` for a
/// limit that is not positive, and on overflow.
pub fn below_pct(mean: Decimal, bound: Decimal) -> Option<Decimal> {
    (bound > Decimal::ZERO).then_some(())?;
    bound
        .checked_sub(mean)?
        .checked_mul(Decimal::ONE_HUNDRED)?
        .checked_div(bound)
        .map(internal)
}

/// The line that decides and the share due, or why there is no reduction.
fn decide(lines: &[TaxLine], steps: &[TaxStep]) -> (Option<usize>, Result<Decimal, &'static str>) {
    let position = |of: fn(&TaxLine) -> bool| lines.iter().position(of);
    if lines.is_empty() {
        return (None, Err(why::NO_LIMIT));
    }
    if let Some(broken) = position(|line| !line.exceeded.is_empty()) {
        return (Some(broken), Err(why::EXCEEDED));
    }
    if let Some(empty) = position(|line| line.means == 0) {
        return (Some(empty), Err(why::NO_VALID_MEAN));
    }
    if let Some(silent) = position(|line| line.judged == 0) {
        return (Some(silent), Err(why::NOT_JUDGED));
    }
    if let Some(zero) = position(|line| line.bound <= Decimal::ZERO) {
        return (Some(zero), Err(why::LIMIT_NOT_POSITIVE));
    }
    if let Some(large) = position(|line| line.below_pct.is_none()) {
        return (Some(large), Err(why::OUT_OF_RANGE));
    }
    let least = lines
        .iter()
        .enumerate()
        .filter_map(|(n, line)| Some((line.below_pct?, n)))
        .min();
    let Some((below, deciding)) = least else {
        return (None, Err(why::NO_LIMIT));
    };
    let due = steps
        .iter()
        .filter(|step| step.below_pct <= below)
        .map(|step| step.due_pct)
        .min();
    (Some(deciding), due.ok_or(why::NOT_FAR_ENOUGH))
}

#[cfg(test)]
mod tests;
