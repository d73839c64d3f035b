//! Relative accuracy (相对准确度) against the reference method: `RA = (|d| + |cc|) / RM`, as in
//! HJ 75 and 40 CFR 75 appendix A.
//!
//! The EPA rounds nothing on the way, only the percentage that is judged; its stored means,
//! deviations and coefficients are rounded for show. Testers' tools round the means first, which
//! [`QaRounding::mean_decimals`] does.

use super::errors::pct;
use super::{Why, count, rounded_mean, rounded_pct, stats};
use crate::model::QaPair;
use crate::model::profile::QaRounding;
use crate::quantity::internal;
use rust_decimal::Decimal;

/// Means of a test, in the factor's unit, rounded as its rules say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Means {
    /// Of the reference values (RM).
    pub reference: Decimal,
    /// Of what the equipment showed.
    pub measured: Decimal,
}

impl Means {
    /// The means of `pairs`.
    pub fn of(pairs: &[QaPair], rounding: Option<&QaRounding>) -> Result<Self, Why> {
        if pairs.is_empty() {
            return Err(Why::NoPairs);
        }
        let mean = |of: fn(&QaPair) -> Decimal| {
            let mean = stats::mean(pairs.iter().map(of)).ok_or(Why::OutOfRange)?;
            Ok(rounded_mean(mean, rounding))
        };
        Ok(Self {
            reference: mean(|pair| pair.reference)?,
            measured: mean(|pair| pair.measured)?,
        })
    }

    /// The two as one pair.
    pub fn pair(&self) -> QaPair {
        QaPair {
            reference: self.reference,
            measured: self.measured,
        }
    }
}

/// Result of a relative accuracy test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accuracy {
    /// Pairs.
    pub n: u32,
    /// Means.
    pub means: Means,
    /// Mean difference, reference minus equipment, in the factor's unit.
    pub d: Decimal,
    /// Standard deviation of the differences, in the factor's unit.
    pub sd: Decimal,
    /// Student's t for n − 1.
    pub t: Decimal,
    /// Confidence coefficient (置信系数), in the factor's unit.
    pub cc: Decimal,
    /// Relative accuracy, percent, rounded as the rules say.
    pub ra_pct: Decimal,
    /// Relative error of the means (相对误差), percent, equipment minus reference, rounded as the
    /// rules say.
    pub relative_error_pct: Decimal,
}

/// The relative accuracy of `pairs`. Two pairs are the least that have a deviation; the mean of the
/// reference values must be above zero.
pub fn accuracy(pairs: &[QaPair], rounding: Option<&QaRounding>) -> Result<Accuracy, Why> {
    let means = Means::of(pairs, rounding)?;
    let n = count(pairs)?;
    if n < 2 {
        return Err(Why::TooFewPairs);
    }
    if means.reference <= Decimal::ZERO {
        return Err(Why::ReferenceNotPositive);
    }
    figures(pairs, n, means, rounding).ok_or(Why::OutOfRange)
}

fn figures(
    pairs: &[QaPair],
    n: u32,
    means: Means,
    rounding: Option<&QaRounding>,
) -> Option<Accuracy> {
    let differences: Option<Vec<Decimal>> = pairs
        .iter()
        .map(|pair| pair.reference.checked_sub(pair.measured))
        .collect();
    let d = internal(means.reference.checked_sub(means.measured)?);
    let sd = stats::standard_deviation(&differences?)?;
    let cc = stats::confidence(sd, n)?;
    let ra_pct = pct(d.abs().checked_add(cc)?, means.reference)?;
    let relative_error_pct = pct(-d, means.reference)?;
    Some(Accuracy {
        n,
        d,
        sd: internal(sd),
        t: stats::student_t(n.checked_sub(1)?)?,
        cc: internal(cc),
        ra_pct: internal(rounded_pct(ra_pct, rounding)),
        relative_error_pct: internal(rounded_pct(relative_error_pct, rounding)),
        means,
    })
}

impl Accuracy {
    /// Bias adjustment factor (40 CFR 75 appendix A, 7.6.5): `1 + |d| / CEM` where the equipment
    /// reads low by more than the confidence coefficient, else 1; at most `cap`, which low
    /// emitters may use. `None` when the mean of the equipment is not above zero.
    pub fn bias_adjustment_factor(&self, cap: Option<Decimal>) -> Option<Decimal> {
        if self.d <= self.cc {
            return Some(Decimal::ONE);
        }
        (self.means.measured > Decimal::ZERO).then_some(())?;
        let share = self.d.checked_div(self.means.measured)?;
        let factor = internal(Decimal::ONE.checked_add(share)?);
        Some(cap.map_or(factor, |cap| factor.min(cap)))
    }
}
