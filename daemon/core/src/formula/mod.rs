//! The formulas of HJ 212-2017 annex D, one function each, with its number in the name for stack
//! gas. Checked arithmetic throughout: what cannot be computed (overflow, division by zero, a
//! state that cannot exist) is `None`, never a panic and never a made-up number.

pub mod catalogue;
pub mod gas;
pub mod ph;
pub mod root;
pub mod water;

use rust_decimal::Decimal;

/// Sum and count as a mean: formulas (23), (24), (25) over minutes, hours and days alike.
///
/// `None` when there is nothing to average or the sum overflows.
pub fn mean(values: impl IntoIterator<Item = Decimal>) -> Option<Decimal> {
    let mut sum = Decimal::ZERO;
    let mut n: u32 = 0;
    for value in values {
        sum = sum.checked_add(value)?;
        n = n.checked_add(1)?;
    }
    sum.checked_div(Decimal::from(n))
}

/// Sum of hours or days: formulas (32) and (34). `None` for an empty sum or overflow.
pub fn sum(values: impl IntoIterator<Item = Decimal>) -> Option<Decimal> {
    let mut total = None;
    for value in values {
        total = Some(total.unwrap_or(Decimal::ZERO).checked_add(value)?);
    }
    total
}
