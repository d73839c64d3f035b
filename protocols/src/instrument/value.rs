//! What was read of a point.

use super::{Outside, Point};
use rust_decimal::{Decimal, RoundingStrategy};
use smol_str::SmolStr;
use std::fmt;

/// What a poll gave for one point.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Index of the point in [`super::Map::points`].
    pub point: usize,
    /// What it says, or why that cannot be known.
    pub value: Result<Value, Unreadable>,
    /// As it came: hexadecimal registers such as `41C80000`, `1` or `0` of a bit, or the text of
    /// a field.
    pub raw: SmolStr,
}

/// What a point says.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number in the point's unit.
    Number {
        /// Scaled, offset and rounded.
        value: Decimal,
        /// The number as the device has it, where it is whole: what rules compare with and take
        /// bits of.
        code: Option<i64>,
        /// Over the plausible range, which the point calls over range.
        over_range: bool,
    },
    /// A text.
    Text(SmolStr),
}

/// Why a point has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The device sent NaN.
    #[error("not a number (NaN)")]
    NotANumber,
    /// The device sent an infinity, or a number of more than 28 digits.
    #[error("a number too large to be a measurement")]
    TooLarge,
    /// A decimal digit over 9.
    #[error("not binary coded decimal")]
    BadDigit,
    /// Characters that are not ASCII.
    #[error("not ASCII text")]
    NotText,
    /// Outside the range in which a value makes sense.
    #[error("outside the plausible range of the map")]
    Implausible,
}

impl Point {
    /// A raw number as a value in the point's unit: scaled, offset, rounded, checked for sense.
    /// `code`: the raw number where it is whole.
    ///
    /// # Errors
    /// [`Unreadable::TooLarge`] when it leaves 28 digits, [`Unreadable::Implausible`] when it is
    /// outside a range that says so.
    pub fn value_of(&self, raw: Decimal, code: Option<i64>) -> Result<Value, Unreadable> {
        let scaled = raw
            .checked_mul(self.scale)
            .and_then(|v| v.checked_add(self.offset))
            .ok_or(Unreadable::TooLarge)?;
        let value = match self.decimals {
            Some(decimals) => {
                scaled.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
            }
            None => scaled,
        }
        .normalize();
        let outside = self
            .range
            .filter(|range| value < range.min || value > range.max)
            .map(|range| range.outside);
        match outside {
            Some(Outside::Invalid) => Err(Unreadable::Implausible),
            outside => Ok(Value::Number {
                value,
                code,
                over_range: outside == Some(Outside::OverRange),
            }),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { value, .. } => value.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}
