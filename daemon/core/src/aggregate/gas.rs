//! Hour of a stack: annex D (18) to (34) over the minutes of the hour.

use super::Figures;
use super::accumulate::Accumulator;
use super::hour::HourInput;
use super::slot::Slot;
use crate::convert::{self, Parameters};
use crate::formula::gas::{
    d28_converted, d29_section_velocity, d30_actual_flow, d33_rate_kg_per_h,
};
use crate::model::{
    Basis, FactorAggregate, FactorCode, GasSettings, Outlet, OutletFactor, Profile, StoredValue,
};
use crate::quantity::{Concentration, Dry, Oxygen, Standard, Velocity, VolumeFlow, internal};
use crate::validate::code;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

const SECONDS_PER_HOUR: Decimal = Decimal::from_parts(3_600, 0, 0, false, 0);

/// Figures of one hour of the stack `gas`.
pub(super) fn hour(input: &HourInput<'_>, gas: &GasSettings) -> Figures {
    let mut sums: BTreeMap<&FactorCode, Sums> = BTreeMap::new();
    for slot in input.slots {
        add_slot(&mut sums, slot, input, gas);
    }
    let mut figures = Figures::default();
    for (code, sum) in &sums {
        let mean = sum.measured.mean(code);
        let factor = sum
            .measured
            .finish(mean, input.profile.hour_min_valid_minutes);
        figures.factors.insert((*code).clone(), factor);
    }
    let means = FlowMeans::of(|code| figures.factors.get(code));
    let flow = flow(&means, input.outlet, gas, input.profile);
    figures.volume_m3 = flow.map(|flow| internal(flow.m3_per_h()));
    for (code, sum) in &sums {
        let Some(settings) = input.outlet.factors.get(*code).filter(|f| f.pollutant) else {
            continue;
        };
        let converted = if input.profile.convert_after_mean {
            of_means(&figures.factors, code, gas, input.profile)
        } else {
            sum.converted.mean(code)
        };
        let Some(factor) = figures.factors.get_mut(*code) else {
            continue;
        };
        factor.converted = input.sent_converted(code).or(converted);
        factor.amount_kg = amount(factor, flow, settings).or(input.sent_amount(code, factor));
    }
    figures
}

#[derive(Default)]
struct Sums {
    measured: Accumulator,
    converted: Accumulator,
}

fn add_slot<'a>(
    sums: &mut BTreeMap<&'a FactorCode, Sums>,
    slot: &'a Slot,
    input: &HourInput<'_>,
    gas: &GasSettings,
) {
    let with = Parameters {
        temperature_c: slot.value(code::TEMPERATURE),
        pressure_kpa: slot.value(code::PRESSURE),
        moisture_pct: slot.value(code::MOISTURE),
    };
    let o2 = slot
        .value(code::OXYGEN)
        .and_then(|value| convert::oxygen(value, &with, gas));
    for (code, sent) in &slot.values {
        let settings = input.outlet.factors.get(code).filter(|f| f.pollutant);
        let value = match (settings, code.as_str()) {
            (Some(factor), _) => sent.value.and_then(|value| {
                convert::concentration(value, factor.basis, &with, gas, input.profile)
                    .map(Concentration::get)
            }),
            (None, code::OXYGEN) => o2.map(Oxygen::pct),
            (None, _) => sent.value,
        };
        let sum = sums.entry(code).or_default();
        let value = value.map(internal);
        sum.measured.add(value, sent.stopped, slot.minutes);
        if settings.is_some() && !input.profile.convert_after_mean {
            let converted = value
                .zip(o2)
                .and_then(|(c, o2)| convert(c, o2, gas, input.profile));
            sum.converted.add(converted, false, slot.minutes);
        }
    }
}

/// (28) with the profile's guard: no converted value at or above it.
pub(crate) fn convert(
    c: Decimal,
    o2: Oxygen<Dry>,
    gas: &GasSettings,
    profile: &Profile,
) -> Option<Decimal> {
    let reference = Oxygen::from_pct(gas.reference_o2_pct?);
    (o2.pct() < profile.o2_guard_pct).then_some(())?;
    d28_converted(Concentration::new(c), reference, o2, profile.air_o2_pct)
        .map(|converted| internal(converted.get()))
}

/// A pollutant of one record in the dry standard state, and converted to reference O2, as far as
/// the record itself has what that takes. For a discharge, and where nothing is to be brought to
/// another state, the value as it was sent.
pub(crate) fn of_record(
    outlet: &Outlet,
    profile: &Profile,
    factor: &OutletFactor,
    values: &BTreeMap<FactorCode, StoredValue>,
) -> (Option<Decimal>, Option<Decimal>) {
    let stored = |code: &str| values.get(code).filter(|stored| stored.valid);
    let figure = |code: &str| stored(code)?.value.figure().map(|number| number.value);
    let sent = figure(factor.code.as_str());
    let Some(gas) = &outlet.gas else {
        return (sent, None);
    };
    let with = Parameters {
        temperature_c: figure(code::TEMPERATURE),
        pressure_kpa: figure(code::PRESSURE),
        moisture_pct: figure(code::MOISTURE),
    };
    let standard = sent
        .and_then(|value| convert::concentration(value, factor.basis, &with, gas, profile))
        .map(|c| internal(c.get()));
    let o2 = figure(code::OXYGEN).and_then(|value| convert::oxygen(value, &with, gas));
    let computed = standard
        .zip(o2)
        .and_then(|(c, o2)| convert(c, o2, gas, profile));
    let said = || {
        Some(
            stored(factor.code.as_str())?
                .value
                .converted
                .as_ref()?
                .value,
        )
    };
    (standard, computed.or_else(said))
}

fn of_means(
    factors: &BTreeMap<FactorCode, FactorAggregate>,
    code: &FactorCode,
    gas: &GasSettings,
    profile: &Profile,
) -> Option<Decimal> {
    let c = factors.get(code)?.mean?;
    let o2 = factors.get(code::OXYGEN)?.mean?;
    convert(c, Oxygen::from_pct(o2), gas, profile)
}

/// The hour means that the flow is computed from. Every mean that enters must be valid.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FlowMeans {
    with: Parameters,
    has_velocity: bool,
    velocity_m_per_s: Option<Decimal>,
    sent_m3_per_s: Option<Decimal>,
}

impl FlowMeans {
    /// Those of the hour whose factors `find` finds by code.
    pub(crate) fn of<'f>(find: impl Fn(&str) -> Option<&'f FactorAggregate>) -> Self {
        let valid = |code: &str| find(code).filter(|f| f.valid)?.mean;
        Self {
            with: Parameters {
                temperature_c: valid(code::TEMPERATURE),
                pressure_kpa: valid(code::PRESSURE),
                moisture_pct: valid(code::MOISTURE),
            },
            has_velocity: find(code::VELOCITY).is_some(),
            velocity_m_per_s: valid(code::VELOCITY),
            sent_m3_per_s: valid(code::GAS_FLOW),
        }
    }
}

/// Dry standard flow of the hour from the hour means by (29) to (31): from the velocity, else from
/// a flow the station sends, in the basis the registry gives it (actual and wet, like (30), when
/// the registry does not list it).
pub(crate) fn flow(
    means: &FlowMeans,
    outlet: &Outlet,
    gas: &GasSettings,
    profile: &Profile,
) -> Option<VolumeFlow<Standard, Dry>> {
    let with = &means.with;
    if means.has_velocity {
        let point = Velocity::from_m_per_s(means.velocity_m_per_s?);
        let section = d29_section_velocity(point, gas.velocity_coefficient)?;
        let wet = d30_actual_flow(gas.area_m2, section)?;
        return convert::flow(wet.m3_per_h(), Basis::ActualWet, with, gas, profile);
    }
    let sent = means.sent_m3_per_s?.checked_mul(SECONDS_PER_HOUR)?;
    let basis = outlet
        .factors
        .get(code::GAS_FLOW)
        .map_or(Basis::ActualWet, |factor| factor.basis);
    convert::flow(sent, basis, with, gas, profile)
}

/// (33) over one hour; an hour that is not valid has no amount of its own.
pub(crate) fn amount(
    factor: &FactorAggregate,
    flow: Option<VolumeFlow<Standard, Dry>>,
    settings: &OutletFactor,
) -> Option<Decimal> {
    let c = factor.mean.filter(|_| factor.valid)?;
    d33_rate_kg_per_h(Concentration::new(c), flow?, settings.kg_per_unit_m3)
        .map(|mass| internal(mass.kg()))
}
