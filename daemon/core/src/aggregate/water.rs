//! Hour of a discharge: volumes and amounts of the slices of the hour (annex D).

use super::Figures;
use super::accumulate::Accumulator;
use super::hour::HourInput;
use crate::formula;
use crate::formula::water::{slice_amount, slice_volume, weighted_mean};
use crate::model::{FactorCode, WaterSettings};
use crate::quantity::{Volume, internal};
use crate::validate::code;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Figures of one hour of a discharge.
///
/// The volume is that of the slices with a valid flow. A pollutant's amount is the sum over the
/// slices in which flow and concentration are both valid, whether or not they make the hour valid:
/// that much was seen to leave. Where means are weighted, only those slices count as valid
/// minutes, and without volume there is no mean: readings at zero flow say nothing about a
/// discharge.
pub(super) fn hour(input: &HourInput<'_>, settings: &WaterSettings) -> Figures {
    let mut sums: BTreeMap<&FactorCode, Accumulator> = BTreeMap::new();
    let mut slices: BTreeMap<&FactorCode, Vec<(Volume, Decimal)>> = BTreeMap::new();
    let mut volumes = Vec::new();
    for slot in input.slots {
        let seconds = slot.minutes.saturating_mul(60);
        let volume = slot
            .value(code::WATER_FLOW)
            .and_then(|flow| slice_volume(flow, seconds));
        volumes.extend(volume);
        for (code, sent) in &slot.values {
            let pollutant = is_load(input, code);
            if let (true, Some(volume), Some(c)) = (pollutant, volume, sent.value) {
                slices.entry(code).or_default().push((volume, c));
            }
            let counts = !(pollutant && settings.weighted_mean) || volume.is_some();
            let value = sent.value.filter(|_| counts);
            sums.entry(code)
                .or_default()
                .add(value, sent.stopped, slot.minutes);
        }
    }
    let mut figures = Figures {
        volume_m3: formula::sum(volumes.iter().map(|v| v.m3())).map(internal),
        ..Figures::default()
    };
    if figures.volume_m3.is_none() {
        figures.volume_m3 = input.sent_volume();
    }
    for (code, sum) in sums {
        let pairs = slices.get(code).map_or(&[][..], Vec::as_slice);
        let mean = if is_load(input, code) && settings.weighted_mean {
            weighted_mean(pairs.iter().copied()).map(internal)
        } else {
            sum.mean(code)
        };
        let mut factor = sum.finish(mean, input.profile.hour_min_valid_minutes);
        if is_load(input, code) {
            factor.amount_kg = amount(input, code, pairs).or(input.sent_amount(code, &factor));
        }
        figures.factors.insert(code.clone(), factor);
    }
    figures
}

/// Pollutants with a mass: not pH, which may be limited but has no amount.
fn is_load(input: &HourInput<'_>, factor: &FactorCode) -> bool {
    factor.as_str() != code::PH
        && factor.as_str() != code::WATER_FLOW
        && input
            .outlet
            .factors
            .get(factor)
            .is_some_and(|f| f.pollutant)
}

fn amount(
    input: &HourInput<'_>,
    code: &FactorCode,
    pairs: &[(Volume, Decimal)],
) -> Option<Decimal> {
    let kg = input.outlet.factors.get(code)?.kg_per_unit_m3;
    let mut total = None;
    for (volume, c) in pairs {
        let mass = slice_amount(*volume, *c, kg)?.kg();
        total = Some(mass.checked_add(total.unwrap_or(Decimal::ZERO))?);
    }
    total.map(internal)
}
