//! What is read of a pack: which columns, and where they are put.

use super::verdict::Verdicts;
use crate::model::{Seq, Timestamp};
use rust_decimal::Decimal;
use std::ops::BitOr;

/// Which columns of a factor are wanted; several joined by `|`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want(u16);

impl Want {
    /// Means.
    pub const MEAN: Self = Self(1);
    /// Converted means.
    pub const CONVERTED: Self = Self(1 << 1);
    /// Least and greatest values.
    pub const RANGE: Self = Self(1 << 2);
    /// Amounts.
    pub const AMOUNT: Self = Self(1 << 3);
    /// Whether the hour counts, and why it does not.
    pub const VALID: Self = Self(1 << 4);
    /// Units: valid, due, stopped, exempt.
    pub const UNITS: Self = Self(1 << 5);
    /// What the station reported.
    pub const REPORTED: Self = Self(1 << 6);
    /// Amounts put in.
    pub const SUBSTITUTED: Self = Self(1 << 7);
    /// Verdicts of limits.
    pub const LIMITS: Self = Self(1 << 8);
    /// Everything.
    pub const ALL: Self = Self((1 << 9) - 1);

    pub(super) fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }
}

impl BitOr for Want {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What belongs to the hours and not to a factor; every column has an entry for each hour.
#[derive(Debug, Clone, Default)]
pub struct HourColumns {
    /// Starts, ascending.
    pub start: Vec<Timestamp>,
    /// True for the station's own hour.
    pub reported: Vec<bool>,
    /// The hour is over.
    pub complete: Vec<bool>,
    /// Discharged volume, m³.
    pub volume_m3: Vec<Option<Decimal>>,
    /// Number of the profile, for [`Pack::profile`](super::Pack::profile).
    pub profile: Vec<usize>,
    /// Records received.
    pub received: Vec<u32>,
    /// Records due.
    pub due: Vec<u32>,
    /// Highest journal position among the inputs.
    pub seq: Vec<Seq>,
}

/// The columns of one factor. A column that was read has an entry for each hour of the pack, empty,
/// zero or false where the factor was not there; a column that was neither wanted nor needed for
/// one that was is empty.
#[derive(Debug, Clone, Default)]
pub struct FactorColumns {
    /// The factor was there. Always read.
    pub present: Vec<bool>,
    /// Mean.
    pub mean: Vec<Option<Decimal>>,
    /// Mean converted to reference oxygen.
    pub converted: Vec<Option<Decimal>>,
    /// Least valid value.
    pub min: Vec<Option<Decimal>>,
    /// Greatest valid value.
    pub max: Vec<Option<Decimal>>,
    /// Amount, kg.
    pub amount_kg: Vec<Option<Decimal>>,
    /// What the station reported.
    pub reported: Vec<Option<Decimal>>,
    /// Amount put in, kg.
    pub substituted_kg: Vec<Option<Decimal>>,
    /// The hour counts.
    pub valid: Vec<bool>,
    /// Valid units.
    pub valid_units: Vec<u32>,
    /// Units due.
    pub due_units: Vec<u32>,
    /// Stopped units.
    pub stopped_units: Vec<u32>,
    /// Units that are not judged.
    pub exempt_units: Vec<u32>,
    /// Why it does not count: 0 for nothing but its units, else a number for
    /// [`Pack::why`](super::Pack::why).
    pub invalid_why: Vec<usize>,
    /// Verdicts of limits.
    pub verdicts: Verdicts,
}

impl FactorColumns {
    pub(super) fn clear(&mut self) {
        self.present.clear();
        for figures in [
            &mut self.mean,
            &mut self.converted,
            &mut self.min,
            &mut self.max,
            &mut self.amount_kg,
            &mut self.reported,
            &mut self.substituted_kg,
        ] {
            figures.clear();
        }
        for units in [
            &mut self.valid_units,
            &mut self.due_units,
            &mut self.stopped_units,
            &mut self.exempt_units,
        ] {
            units.clear();
        }
        self.valid.clear();
        self.invalid_why.clear();
        self.verdicts.clear();
    }
}
