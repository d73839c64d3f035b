//! A limit in percent with another in the unit of the factor beside it: the EPA's alternative
//! performance specification, which keeps an error at a low level from failing for its percentage
//! alone (40 CFR 75 appendices A and B: accuracy, linearity, calibration error).

use super::errors::within;
use crate::limits::round;
use crate::model::Rounding;
use rust_decimal::Decimal;

/// A limit and the decimals an error is rounded to before it is held against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The greatest error that passes.
    pub limit: Decimal,
    /// Decimals of the error.
    pub decimals: u32,
}

/// Limits of a test of which one has to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Specification {
    /// How errors are rounded.
    pub rounding: Rounding,
    /// The error in percent.
    pub pct: Bound,
    /// The error in the factor's unit, where the alternative applies.
    pub alternative: Option<Bound>,
}

/// What an error was held against, and whether it passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Magnitude of the error, rounded: in the factor's unit under the alternative, else percent.
    pub error: Decimal,
    /// By the alternative.
    pub alternative: bool,
    /// Within the limit.
    pub passed: bool,
}

impl Specification {
    /// Holds an error, in percent and in the factor's unit, against the limits. The alternative
    /// counts only where the percentage fails and the alternative passes.
    pub fn hold(&self, error_pct: Decimal, error: Decimal) -> Held {
        let magnitude = |error: Decimal, bound: &Bound| {
            let error = round(error.abs(), bound.decimals, self.rounding);
            (error, within(error, bound.limit))
        };
        let (by_pct, passed) = magnitude(error_pct, &self.pct);
        let alternative = self.alternative.as_ref();
        match alternative.map(|bound| magnitude(error, bound)) {
            Some((error, true)) if !passed => Held {
                error,
                alternative: true,
                passed: true,
            },
            _ => Held {
                error: by_pct,
                alternative: false,
                passed,
            },
        }
    }
}
