//! One example of each formula, worked by its function.

mod amounts;
mod means;
mod quality;

pub(super) use amounts::*;
pub(super) use means::*;
pub(super) use quality::*;

use super::Worked;
use crate::formula::gas::{
    StackState, d18_standard, d19_dry, d20_mass_from_ppm, d21_nox_from_mass, d22_nox_from_ppm,
    d26_converted_by_alpha, d27_alpha, d28_converted, d29_section_velocity, d30_actual_flow,
    d31_standard_dry_flow, d33_rate_kg_per_h,
};
use crate::quantity::{
    Actual, Concentration, GaugePressure, Mass, Moisture, MolarVolume, Oxygen, Standard,
    Temperature, Velocity, VolumeFlow, Wet, internal,
};
use rust_decimal::Decimal;

/// A number written in these files.
fn number(text: &str) -> Decimal {
    text.parse().expect("examples are written as numbers")
}

fn numbers(text: &str) -> Vec<Decimal> {
    text.split_whitespace().map(number).collect()
}

fn worked(with: impl Into<String>, value: Option<Decimal>, unit: &'static str) -> Worked {
    Worked {
        with: with.into(),
        value: value.map(internal),
        unit,
        case: None,
    }
}

fn of_case(worked: Worked, case: &'static str, result: &'static str) -> Worked {
    Worked {
        case: Some((case, result)),
        ..worked
    }
}

const AIR: Decimal = Decimal::from_parts(21, 0, 0, false, 0);

fn state(ba: &str, ps: &str, ts: &str) -> StackState {
    StackState {
        atmospheric_pa: number(ba),
        pressure: GaugePressure::from_pa(number(ps)),
        temperature: Temperature::from_celsius(number(ts)),
        kelvin_offset: number("273"),
        standard_pa: number("101325"),
    }
}

fn molar_volume() -> MolarVolume {
    MolarVolume::from_l_per_mol(number("22.4"))
}

pub(in crate::formula::catalogue) fn d18() -> Worked {
    let c = Concentration::<Actual, Wet>::new(number("100"));
    let value = d18_standard(c, &state("101300", "-800", "93.4")).map(Concentration::get);
    let with = "100 × 101325 ÷ (101300 − 800) × (273 + 93.4) ÷ 273";
    of_case(worked(with, value, "mg/m³"), "cv-actual-to-standard", "Csn")
}

pub(in crate::formula::catalogue) fn d19() -> Worked {
    let wet = Concentration::<Standard, Wet>::new(number("100"));
    let value = d19_dry(wet, Moisture::from_pct(number("7.8"))).map(Concentration::get);
    let worked = worked("100 ÷ (1 − 7.8 ÷ 100)", value, "mg/m³");
    of_case(worked, "cv-wet-to-dry", "Cdry")
}

pub(in crate::formula::catalogue) fn d20() -> Worked {
    let value = d20_mass_from_ppm(number("86"), number("64.06"), molar_volume());
    of_case(
        worked("64.06 ÷ 22.4 × 86", value, "mg/m³"),
        "cv-ppm-so2-demo",
        "mg_m3",
    )
}

pub(in crate::formula::catalogue) fn d21() -> Worked {
    let value = d21_nox_from_mass(number("123.24"), number("12.32"));
    let worked = worked("123.24 × 46.005 ÷ 30.006 + 12.32", value, "mg/m³");
    of_case(worked, "cv-nox-as-no2-mass", "nox_mg_m3")
}

pub(in crate::formula::catalogue) fn d22() -> Worked {
    let value = d22_nox_from_ppm(number("92"), number("6"), molar_volume());
    let worked = worked("(92 + 6) × 46.005 ÷ 22.4", value, "mg/m³");
    of_case(worked, "cv-nox-as-no2-vol", "nox_mg_m3")
}

pub(in crate::formula::catalogue) fn d26() -> Worked {
    let alpha = d27_alpha(Oxygen::from_pct(number("9")), AIR);
    let c = Concentration::new(number("100"));
    let value = alpha.and_then(|alpha| d26_converted_by_alpha(c, alpha, number("1.4")));
    let value = value.map(|converted| converted.get());
    of_case(
        worked("100 × 1.75 ÷ 1.4", value, "mg/m³"),
        "cv-alpha14",
        "C_ref",
    )
}

pub(in crate::formula::catalogue) fn d27() -> Worked {
    let value = d27_alpha(Oxygen::from_pct(number("13.5")), AIR);
    of_case(worked("21 ÷ (21 − 13.5)", value, ""), "cv-alpha", "alpha")
}

pub(in crate::formula::catalogue) fn d28() -> Worked {
    let c = Concentration::new(number("245.94"));
    let (reference, o2) = (number("6"), number("13.5"));
    let value = d28_converted(c, Oxygen::from_pct(reference), Oxygen::from_pct(o2), AIR);
    let value = value.map(|converted| converted.get());
    let worked = worked("245.94 × (21 − 6) ÷ (21 − 13.5)", value, "mg/m³");
    of_case(worked, "cv-o2ref-demo", "C_ref")
}

pub(in crate::formula::catalogue) fn d29() -> Worked {
    let point = Velocity::from_m_per_s(number("12.5"));
    let value = d29_section_velocity(point, number("0.94")).map(Velocity::m_per_s);
    of_case(worked("0.94 × 12.5", value, "m/s"), "cv-vs-factor", "Vs")
}

fn wet_flow() -> Option<VolumeFlow<Actual, Wet>> {
    d30_actual_flow(number("20"), Velocity::from_m_per_s(number("9.023")))
}

pub(in crate::formula::catalogue) fn d30() -> Worked {
    let value = wet_flow().map(VolumeFlow::m3_per_h);
    let worked = worked("3600 × 20 × 9.023", value, "m³/h");
    of_case(worked, "cv-flow-std-dry", "Qs_wet_actual")
}

pub(in crate::formula::catalogue) fn d31() -> Worked {
    let state = state("101325", "-247", "87.137");
    let moisture = Moisture::from_pct(number("13.699"));
    let value = wet_flow()
        .and_then(|flow| d31_standard_dry_flow(flow, &state, moisture))
        .map(VolumeFlow::m3_per_h);
    let with = "649656 × 273 ÷ (273 + 87.137) × (101325 − 247) ÷ 101325 × (1 − 13.699 ÷ 100)";
    of_case(worked(with, value, "m³/h"), "cv-flow-std-dry", "Qsn")
}

pub(in crate::formula::catalogue) fn d33() -> Worked {
    let flow = VolumeFlow::from_m3_per_h(number("423953"));
    let c = Concentration::new(number("21.413"));
    let value = d33_rate_kg_per_h(c, flow, number("0.000001")).map(Mass::kg);
    let worked = worked("21.413 × 423953 × 0.000001", value, "kg/h");
    of_case(worked, "cv-rate", "kg_h")
}
