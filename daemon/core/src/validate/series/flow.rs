//! Flow and velocity against what they can be.

use super::Hour;
use super::clues::{Clues, Evidence};
use super::days::{Days, span_of};
use super::figures::{differs, percent_of, spread};
use crate::convert::{self, Parameters};
use crate::formula::gas::{d29_section_velocity, d30_actual_flow};
use crate::model::{Basis, FactorCode, Medium};
use crate::quantity::Velocity;
use crate::validate::{FLOW_OFF_THEORY, VELOCITY_IMPLAUSIBLE, code};
use rust_decimal::Decimal;

const SECONDS_PER_HOUR: Decimal = Decimal::from_parts(3_600, 0, 0, false, 0);

/// The flow a station sends, against cross-section times velocity by (29) and (30), both as hour
/// means and in the same state.
pub(super) fn off_theory(hour: &Hour<'_>, clues: &mut Clues<'_>) {
    let pct = clues.threshold(&FLOW_OFF_THEORY, "tolerance_pct");
    let Some((sent, theory)) = flows(hour) else {
        return;
    };
    let tolerance = percent_of(theory.abs(), pct);
    if tolerance.is_some_and(|tolerance| differs(sent, theory, tolerance)) {
        let evidence = Evidence::default()
            .figure("sent_m3_per_h", sent)
            .figure("theory_m3_per_h", theory);
        let span = (hour.input.from, hour.input.until);
        let flow = FactorCode::new(code::GAS_FLOW);
        clues.add(&FLOW_OFF_THEORY, Some(&flow), span, evidence);
    }
}

/// Flow as sent and flow by the velocity, m³/h: as they are in the duct when the flow is sent so,
/// else both in the dry standard state.
fn flows(hour: &Hour<'_>) -> Option<(Decimal, Decimal)> {
    let outlet = hour.input.outlet;
    let gas = outlet.gas.as_ref()?;
    let valid = |code: &str| {
        let factor = hour.input.hour.factors.get(code)?;
        factor.mean.filter(|_| factor.valid)
    };
    let sent = valid(code::GAS_FLOW)?.checked_mul(SECONDS_PER_HOUR)?;
    let point = Velocity::from_m_per_s(valid(code::VELOCITY)?);
    let section = d29_section_velocity(point, gas.velocity_coefficient)?;
    let theory = d30_actual_flow(gas.area_m2, section)?.m3_per_h();
    let factor = outlet.factors.get(code::GAS_FLOW);
    let basis = factor.map_or(Basis::ActualWet, |factor| factor.basis);
    if basis == Basis::ActualWet {
        return Some((sent, theory));
    }
    let with = Parameters {
        temperature_c: valid(code::TEMPERATURE),
        pressure_kpa: valid(code::PRESSURE),
        moisture_pct: valid(code::MOISTURE),
    };
    let standard = |flow: Decimal, basis: Basis| {
        convert::flow(flow, basis, &with, gas, hour.input.profile).map(|flow| flow.m3_per_h())
    };
    Some((standard(sent, basis)?, standard(theory, Basis::ActualWet)?))
}

/// Hours of the day with a velocity at which dust is not measured well; stopped hours are not
/// valid and do not show here.
pub(super) fn implausible(days: &Days<'_>, clues: &mut Clues<'_>) {
    if days.input.outlet.medium == Medium::Water {
        return;
    }
    let min = clues.threshold(&VELOCITY_IMPLAUSIBLE, "min_m_s");
    let max = clues.threshold(&VELOCITY_IMPLAUSIBLE, "max_m_s");
    let means = days.means(code::VELOCITY);
    let outside: Vec<_> = means
        .iter()
        .filter(|(row, mean)| (*mean < min || *mean > max) && !days.source_marked(row))
        .collect();
    let Some(span) = span_of(outside.iter().map(|(row, _)| *row)) else {
        return;
    };
    let ends = spread(outside.iter().map(|(_, mean)| *mean));
    let evidence = Evidence::default()
        .word("hours", outside.len())
        .word("of", means.len())
        .figure_if("least_m_s", ends.map(|(least, _)| least))
        .figure_if("greatest_m_s", ends.map(|(_, greatest)| greatest));
    let velocity = FactorCode::new(code::VELOCITY);
    clues.add(&VELOCITY_IMPLAUSIBLE, Some(&velocity), span, evidence);
}
