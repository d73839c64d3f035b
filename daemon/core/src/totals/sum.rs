//! Totals over outlets and over the days of a special period. What has no figure is named and never
//! taken for zero.

use crate::model::{
    EnterpriseId, FactorCode, Level, OutletId, Period, Registry, SpecialPeriod, Timestamp,
    UtcOffset,
};
use crate::quantity::internal;
use rust_decimal::Decimal;

/// Total of an enterprise over its outlets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnterpriseTotal {
    /// Kilograms of the outlets that have a figure; `None` when none has, or on overflow.
    pub total_kg: Option<Decimal>,
    /// Outlets that emit the factor and have no figure, ascending.
    pub missing: Vec<OutletId>,
}

/// The total of `factor` over all outlets of `enterprise` that have it as a pollutant, from the
/// total of each over the same period.
pub fn enterprise_total(
    registry: &Registry,
    enterprise: &EnterpriseId,
    factor: &FactorCode,
    outlet_kg: impl Fn(&OutletId) -> Option<Decimal>,
) -> EnterpriseTotal {
    let mut sum = Sum::default();
    let mut missing = Vec::new();
    let own = registry.outlets.values().filter(|outlet| {
        outlet.enterprise == *enterprise && outlet.factors.get(factor).is_some_and(|f| f.pollutant)
    });
    for outlet in own {
        match outlet_kg(&outlet.id) {
            Some(kg) => sum.add(kg),
            None => missing.push(outlet.id.clone()),
        }
    }
    EnterpriseTotal {
        total_kg: sum.total(),
        missing,
    }
}

/// Total of a special period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpecialTotal {
    /// Kilograms of the days that have a figure; `None` when none has, or on overflow.
    pub total_kg: Option<Decimal>,
    /// Days with a figure.
    pub days: u32,
    /// First instants of days that are over and have no figure, ascending.
    pub missing: Vec<Timestamp>,
    /// First instants of days that belong to the period only in part and count as a whole,
    /// ascending.
    pub partial: Vec<Timestamp>,
}

/// The total over the local days that `special` touches and that have begun by `as_of`, from the
/// amount of each.
///
/// Amounts are kept by the day, so a day at either end that belongs to the period only in part is
/// counted as a whole and named.
pub fn special_total(
    special: &SpecialPeriod,
    (as_of, offset): (Timestamp, UtcOffset),
    day_kg: impl Fn(Timestamp) -> Option<Decimal>,
) -> SpecialTotal {
    let mut sum = Sum::default();
    let mut total = SpecialTotal::default();
    let mut day = Period::containing(Level::Day, special.from, offset);
    while day.start < special.until && day.start < as_of {
        let end = day.end(offset);
        match day_kg(day.start) {
            Some(kg) => {
                sum.add(kg);
                total.days = total.days.saturating_add(1);
            }
            None if end <= as_of => total.missing.push(day.start),
            None => {}
        }
        if day.start < special.from || special.until < end {
            total.partial.push(day.start);
        }
        day.start = end;
    }
    total.total_kg = sum.total();
    total
}

/// A sum that remembers whether there was anything to add, and whether it held.
#[derive(Debug, Default)]
enum Sum {
    #[default]
    Empty,
    Of(Decimal),
    Overflown,
}

impl Sum {
    fn add(&mut self, kg: Decimal) {
        *self = match self {
            Self::Empty => Self::Of(kg),
            Self::Of(sum) => sum.checked_add(kg).map_or(Self::Overflown, Self::Of),
            Self::Overflown => Self::Overflown,
        };
    }

    fn total(self) -> Option<Decimal> {
        match self {
            Self::Of(sum) => Some(internal(sum)),
            Self::Empty | Self::Overflown => None,
        }
    }
}
