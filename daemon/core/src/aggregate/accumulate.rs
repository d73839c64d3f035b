//! Sums of one factor over the slots of an hour.

use crate::formula::ph;
use crate::model::{FactorAggregate, FactorCode};
use crate::quantity::internal;
use crate::validate::code;
use rust_decimal::Decimal;

/// Running sums of one factor. A value weighs as many minutes as its slot covers.
#[derive(Debug, Default)]
pub(super) struct Accumulator {
    weighted: Option<Decimal>,
    overflow: bool,
    minutes: u32,
    stopped: u32,
    min: Option<Decimal>,
    max: Option<Decimal>,
    values: Vec<Decimal>,
}

impl Accumulator {
    /// Adds one slot.
    pub(super) fn add(&mut self, value: Option<Decimal>, stopped: bool, minutes: u32) {
        if stopped {
            self.stopped = self.stopped.saturating_add(minutes);
        }
        let Some(value) = value else { return };
        self.minutes = self.minutes.saturating_add(minutes);
        let sum = value
            .checked_mul(Decimal::from(minutes))
            .and_then(|v| v.checked_add(self.weighted.unwrap_or_default()));
        self.overflow |= sum.is_none();
        self.weighted = sum.or(self.weighted);
        self.min = Some(self.min.map_or(value, |min| min.min(value)));
        self.max = Some(self.max.map_or(value, |max| max.max(value)));
        self.values.push(value);
    }

    /// Arithmetic mean over the minutes; the ion balance for pH.
    pub(super) fn mean(&self, factor: &FactorCode) -> Option<Decimal> {
        if factor.as_str() == code::PH {
            return ph::mean(self.values.iter().copied()).map(internal);
        }
        self.weighted
            .filter(|_| !self.overflow)
            .and_then(|sum| sum.checked_div(Decimal::from(self.minutes)))
            .map(internal)
    }

    /// The factor's part of the hour, with `mean` as its mean. An hour holds 60 minutes however
    /// many the device sent.
    pub(super) fn finish(&self, mean: Option<Decimal>, min_valid_minutes: u32) -> FactorAggregate {
        let valid_units = self.minutes.min(60);
        FactorAggregate {
            mean,
            min: self.min.map(|v| v.normalize()),
            max: self.max.map(|v| v.normalize()),
            valid: counts(mean, valid_units, min_valid_minutes),
            valid_units,
            due_units: 60,
            stopped_units: self.stopped.min(60),
            ..FactorAggregate::default()
        }
    }
}

/// True when an hour counts by its units alone.
pub(crate) fn counts(mean: Option<Decimal>, valid_units: u32, min_valid_minutes: u32) -> bool {
    mean.is_some() && valid_units >= min_valid_minutes
}
