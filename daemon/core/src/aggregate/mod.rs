//! Means and amounts of an hour from minutes, of a day from hours, of a month from days, of a year
//! from months (HJ 212-2017 annex D; HJ 76-2017 annex B).
//!
//! Every aggregate is computed from all rows below it, never updated in place, so its figures do
//! not depend on the order in which data came. A period without any row below has no row itself.
//!
//! Hours. A unit is a minute. Input is, in this order: the minute records; the real-time records
//! where the registry expects no minute records; the station's own hour record.
//!
//! Days, months, years. The mean is that of the valid hours (days, months), by volume for the
//! weighted factors of a discharge, by ion balance for pH. Amounts and volumes are the exact sums
//! of all rows below, valid or not: an amount exists only where it was known. A day needs the
//! profile's valid hours whatever the source did; hours stopped are told apart in `stopped_units`
//! and are not due. The rules do not say how to judge a day of which the source ran only a part;
//! here the threshold stays, and such a day shows `due_units` below it.

pub(crate) mod accumulate;
pub mod arrivals;
pub(crate) mod gas;
pub mod gather;
mod hour;
mod longer;
mod slot;
pub mod standing;
mod water;

pub use hour::{HourInput, hour};
pub(crate) use longer::day_needed;
pub use longer::{Children, Shorter, is_february, longer, units_of};
pub use slot::{Slot, SlotValue, from_minutes, from_realtime, from_record};
pub use standing::Standing;

use crate::model::{FactorAggregate, FactorCode, Seq};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What a period's computation yields, before limits are judged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Discharged volume, m³.
    pub volume_m3: Option<Decimal>,
    /// Factors by code.
    pub factors: BTreeMap<FactorCode, FactorAggregate>,
    /// Highest journal position among the inputs.
    pub seq: Seq,
}

#[cfg(test)]
mod tests;
