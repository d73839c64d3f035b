//! The hour, from slots.

use super::slot::{Slot, SlotValue};
use super::{Figures, gas, water};
use crate::model::rows::AggregateOrigin;
use crate::model::{FactorAggregate, FactorCode, Medium, Outlet, Profile};
use crate::quantity::internal;
use crate::validate::code;
use rust_decimal::Decimal;

/// What an hour is computed from.
#[derive(Debug, Clone, Copy)]
pub struct HourInput<'a> {
    /// Whose hour.
    pub outlet: &'a Outlet,
    /// By which rules.
    pub profile: &'a Profile,
    /// The slots of the hour; for [`AggregateOrigin::Reported`] exactly one of 60 minutes.
    pub slots: &'a [Slot],
    /// Where they come from.
    pub origin: AggregateOrigin,
}

impl HourInput<'_> {
    fn reported(&self, code: &FactorCode) -> Option<&SlotValue> {
        if self.origin == AggregateOrigin::Computed {
            return None;
        }
        self.slots.first()?.values.get(code)
    }

    /// The station's own converted value, where the hour is the station's.
    pub(super) fn sent_converted(&self, code: &FactorCode) -> Option<Decimal> {
        self.reported(code)?.converted.map(|v| v.normalize())
    }

    /// The station's own amount, where the hour is the station's and nothing can be computed.
    pub(super) fn sent_amount(
        &self,
        code: &FactorCode,
        factor: &FactorAggregate,
    ) -> Option<Decimal> {
        let cou = self.reported(code).filter(|_| factor.valid)?.cou?;
        Some(internal(cou))
    }

    /// The station's own volume of water (`w00000-Cou`, m³), where the hour is the station's.
    pub(super) fn sent_volume(&self) -> Option<Decimal> {
        self.reported(&FactorCode::new(code::WATER_FLOW))?
            .cou
            .map(internal)
    }
}

/// Means, validity, amounts and volume of one hour. Limits are judged by the caller.
pub fn hour(input: &HourInput<'_>) -> Figures {
    let outlet = input.outlet;
    let mut figures = match (outlet.medium, &outlet.gas, &outlet.water) {
        (Medium::Gas, Some(settings), _) => gas::hour(input, settings),
        (Medium::Water, _, Some(settings)) => water::hour(input, settings),
        // The configuration crate lets no such outlet in.
        _ => Figures::default(),
    };
    figures.seq = input.slots.iter().map(|s| s.seq).max().unwrap_or_default();
    figures
}
