//! Errors of a single pair (示值误差): what the equipment showed minus the reference, in the
//! factor's unit or as a share. They keep their sign.

use super::Why;
use crate::model::QaPair;
use rust_decimal::Decimal;

/// `part` in percent of `whole`; `None` when `whole` is zero or on overflow.
pub(super) fn pct(part: Decimal, whole: Decimal) -> Option<Decimal> {
    part.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(whole)
}

/// Absolute error (绝对误差), in the factor's unit.
pub fn absolute(pair: &QaPair) -> Result<Decimal, Why> {
    let error = pair.measured.checked_sub(pair.reference);
    error.ok_or(Why::OutOfRange)
}

/// Relative error (相对误差), percent of the reference.
pub fn pct_of_reference(pair: &QaPair) -> Result<Decimal, Why> {
    if pair.reference <= Decimal::ZERO {
        return Err(Why::ReferenceNotPositive);
    }
    pct(absolute(pair)?, pair.reference).ok_or(Why::OutOfRange)
}

/// Error in percent of `span`, the span or full scale (满量程) in the factor's unit.
pub fn pct_of_span(pair: &QaPair, span: Decimal) -> Result<Decimal, Why> {
    if span <= Decimal::ZERO {
        return Err(Why::NoFullScale);
    }
    pct(absolute(pair)?, span).ok_or(Why::OutOfRange)
}

/// True when an error lies within `±limit`; at the limit is within.
pub fn within(error: Decimal, limit: Decimal) -> bool {
    error.abs() <= limit
}

/// The error farthest from zero, the first of equals; `None` without errors.
pub(super) fn greatest(errors: impl IntoIterator<Item = Decimal>) -> Option<Decimal> {
    errors.into_iter().reduce(|most, error| {
        if error.abs() > most.abs() {
            error
        } else {
            most
        }
    })
}
