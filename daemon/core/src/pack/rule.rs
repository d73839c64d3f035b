//! How a figure follows from others of its hour, so that it need not be stored.
//!
//! A rule is found from the figures themselves and is part of the column. It holds for a figure
//! only where it gives exactly that figure; this is tried when the column is written.

use super::PackError;
use super::bytes::{Cursor, put_signed};
use crate::model::FactorAggregate;
use crate::quantity::{
    INTERNAL_SCALE, divide_half_even, internal, normalised, places, power_of_ten, scaled,
};
use rust_decimal::Decimal;

/// What rules may draw on, by hour; empty where the column is not there (yet).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known<'k> {
    /// Valid units of the factor.
    pub(super) units: &'k [u32],
    /// Means of the factor.
    pub(super) means: &'k [Option<Decimal>],
    /// Volumes of the hours.
    pub(super) volumes: &'k [Option<Decimal>],
    /// Means of oxygen.
    pub(super) oxygen: &'k [Option<Decimal>],
}

fn figure(column: &[Option<Decimal>], hour: usize) -> Option<Decimal> {
    column.get(hour).copied().flatten()
}

/// A rule with its constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// None: every figure is stored.
    Stored,
    /// A sum of short numbers over the valid units: a mean of minutes.
    OverUnits {
        /// Decimals of the sum.
        scale: u32,
    },
    /// A sum of short numbers over the volume: a mean weighted by flow.
    OverVolume {
        /// Decimals of the sum.
        scale: u32,
    },
    /// `mean * factor / (air - oxygen)`, formula (28).
    Converted {
        /// Oxygen of air.
        air: Decimal,
        /// Oxygen of air less the reference oxygen.
        factor: Decimal,
    },
    /// `mean * volume * kg`, formula (33), to so many decimals.
    Amount {
        /// Kilograms of one unit of concentration in one m³.
        kg: Decimal,
        /// Decimals.
        scale: u32,
    },
    /// The mean to so many decimals: what a station reports.
    Rounded {
        /// Decimals.
        scale: u32,
    },
}

impl Rule {
    /// True when a sum is stored with each figure.
    pub(super) fn has_sums(&self) -> bool {
        matches!(self, Self::OverUnits { .. } | Self::OverVolume { .. })
    }

    /// The figure of an hour; `sum` is the one stored with it, if the rule has one.
    pub(super) fn apply(&self, known: &Known<'_>, hour: usize, sum: i128) -> Option<Decimal> {
        let mean = || figure(known.means, hour);
        let volume = || figure(known.volumes, hour);
        match *self {
            Self::Stored => None,
            Self::OverUnits { scale } => {
                let power = power_of_ten(INTERNAL_SCALE.checked_sub(scale)?)?;
                let whole = sum.checked_mul(i128::from(power))?;
                let units = known.units.get(hour).copied().map(u64::from)?;
                normalised(divide_half_even(whole, units)?, INTERNAL_SCALE)
            }
            Self::OverVolume { scale } => {
                normalised(sum, scale)?.checked_div(volume()?).map(internal)
            }
            Self::Converted { air, factor } => {
                let gap = air.checked_sub(figure(known.oxygen, hour)?)?;
                mean()?.checked_mul(factor)?.checked_div(gap).map(internal)
            }
            Self::Amount { kg, scale } => {
                let exact = mean()?.checked_mul(volume()?)?.checked_mul(kg)?;
                Some(places(exact, scale))
            }
            Self::Rounded { scale } => Some(places(mean()?, scale)),
        }
    }

    /// The sum from which [`Self::apply`] makes `value`; `None` when there is none.
    pub(super) fn sum_for(&self, known: &Known<'_>, hour: usize, value: Decimal) -> Option<i128> {
        let sum = match *self {
            Self::OverUnits { scale } => {
                let units = known.units.get(hour).copied().map(i128::from)?;
                let exact = scaled(value, INTERNAL_SCALE)?.checked_mul(units)?;
                let excess = power_of_ten(INTERNAL_SCALE.checked_sub(scale)?)?;
                divide_half_even(exact, excess)?
            }
            Self::OverVolume { scale } => {
                let exact = value.checked_mul(figure(known.volumes, hour)?)?;
                scaled(places(exact, scale), scale)?
            }
            _ => 0,
        };
        (self.apply(known, hour, sum) == Some(value)).then_some(sum)
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Stored => out.push(0),
            Self::OverUnits { scale } => put_scale(out, 1, scale),
            Self::OverVolume { scale } => put_scale(out, 2, scale),
            Self::Converted { air, factor } => {
                out.push(3);
                put_decimal(out, air);
                put_decimal(out, factor);
            }
            Self::Amount { kg, scale } => {
                put_scale(out, 4, scale);
                put_decimal(out, kg);
            }
            Self::Rounded { scale } => put_scale(out, 5, scale),
        }
    }

    pub(super) fn read(from: &mut Cursor<'_>) -> Result<Self, PackError> {
        Ok(match from.byte()? {
            0 => Self::Stored,
            1 => Self::OverUnits {
                scale: scale(from)?,
            },
            2 => Self::OverVolume {
                scale: scale(from)?,
            },
            3 => Self::Converted {
                air: decimal(from)?,
                factor: decimal(from)?,
            },
            4 => Self::Amount {
                scale: scale(from)?,
                kg: decimal(from)?,
            },
            5 => Self::Rounded {
                scale: scale(from)?,
            },
            other => return Err(PackError::Form(other)),
        })
    }
}

fn put_scale(out: &mut Vec<u8>, tag: u8, scale: u32) {
    out.push(tag);
    out.push(u8::try_from(scale).unwrap_or(u8::MAX));
}

/// Decimals of a column: no more than figures keep.
pub(super) fn scale(from: &mut Cursor<'_>) -> Result<u32, PackError> {
    let scale = u32::from(from.byte()?);
    (scale <= INTERNAL_SCALE)
        .then_some(scale)
        .ok_or(PackError::Damaged("too many decimals"))
}

/// Appends any decimal.
pub(super) fn put_decimal(out: &mut Vec<u8>, value: Decimal) {
    out.push(u8::try_from(value.scale()).unwrap_or(u8::MAX));
    put_signed(out, value.mantissa());
}

/// What [`put_decimal`] appended.
pub(super) fn decimal(from: &mut Cursor<'_>) -> Result<Decimal, PackError> {
    let scale = u32::from(from.byte()?);
    Decimal::try_from_i128_with_scale(from.signed()?, scale)
        .map_err(|_| PackError::Damaged("no decimal"))
}

/// Decimals that a sum of readings may have and still be worth its place.
const SUM_SCALE_MAX: u32 = 8;
/// Decimals of the constants of the formulas.
const CONSTANT_SCALE: u32 = 4;
/// Digits of the kilograms in a unit.
const KG_DIGITS: u32 = 6;

/// The sum rule that covers most of `values`, if it covers half of them.
pub(super) fn of_means(values: &[Option<Decimal>], known: &Known<'_>) -> Option<Rule> {
    let over_units = |scale| Rule::OverUnits { scale };
    let over_volume = |scale| Rule::OverVolume { scale };
    sums(values, known, over_units).or_else(|| sums(values, known, over_volume))
}

fn sums(values: &[Option<Decimal>], known: &Known<'_>, rule: impl Fn(u32) -> Rule) -> Option<Rule> {
    let mut covered: usize = 0;
    let mut scale = 0;
    let mut missed: usize = 0;
    for (hour, value) in values.iter().enumerate() {
        let Some(value) = value else { continue };
        // What fits with few decimals fits with more, too.
        let fit = (scale..=SUM_SCALE_MAX)
            .find(|scale| rule(*scale).sum_for(known, hour, *value).is_some());
        match fit {
            Some(fit) => {
                scale = fit;
                covered += 1;
            }
            None => missed += 1,
        }
        if missed > covered + 24 {
            return None;
        }
    }
    (covered > missed).then(|| rule(scale))
}

/// Formula (28) with the constants that these hours show: two hours of different oxygen give both.
pub(super) fn of_converted(values: &[Option<Decimal>], known: &Known<'_>) -> Option<Rule> {
    let hours = values.iter().enumerate().filter_map(|(hour, value)| {
        let oxygen = figure(known.oxygen, hour)?;
        let mean = figure(known.means, hour).filter(|mean| !mean.is_zero())?;
        Some((oxygen, mean.checked_div((*value)?)?))
    });
    let low = hours.clone().min()?;
    let high = hours.max()?;
    let run = high.0.checked_sub(low.0)?;
    let factor = run.checked_div(low.1.checked_sub(high.1)?)?;
    let air = low.0.checked_add(low.1.checked_mul(factor)?)?;
    Some(Rule::Converted {
        air: places(air, CONSTANT_SCALE),
        factor: places(factor, CONSTANT_SCALE),
    })
}

/// Formula (33) with the constant that the largest amount shows.
pub(super) fn of_amounts(values: &[Option<Decimal>], known: &Known<'_>) -> Option<Rule> {
    let hours = values.iter().enumerate();
    let (amount, hour) = hours.filter_map(|(hour, v)| Some(((*v)?, hour))).max()?;
    let product = figure(known.means, hour)?.checked_mul(figure(known.volumes, hour)?)?;
    let kg = amount.checked_div(product)?.round_sf(KG_DIGITS)?;
    Some(Rule::Amount {
        kg: kg.normalize(),
        scale: widest(values),
    })
}

/// Most decimals among `values`, up to those that figures keep.
pub(super) fn widest(values: &[Option<Decimal>]) -> u32 {
    let scales = values.iter().flatten().map(Decimal::scale);
    scales.filter(|s| *s <= INTERNAL_SCALE).max().unwrap_or(0)
}

/// The figures of one factor, hour by hour, empty where it was not there.
pub(super) fn figures_of(
    factors: &[Option<&FactorAggregate>],
    figure: impl Fn(&FactorAggregate) -> Option<Decimal>,
) -> Vec<Option<Decimal>> {
    let each = factors.iter().map(|f| f.and_then(&figure));
    each.map(|v| v.map(|v| v.normalize())).collect()
}
