//! Cases of the area: conversion, the formulas of stack gas (`cv-*`).

use crate::case::{Case, Outcome};
use cems_core::convert;
use cems_core::formula::gas::{
    StackState, d18_standard, d19_dry, d19_dry_oxygen, d21_nox_from_mass, d26_converted_by_alpha,
    d27_alpha, d28_converted, d29_section_velocity, d30_actual_flow, d31_standard_dry_flow,
    d33_rate_kg_per_h,
};
use cems_core::model::Profile;
use cems_core::quantity::{
    Actual, Concentration, ConvertedConcentration, Dry, GaugePressure, Mass, Moisture, Oxygen,
    Standard, Temperature, Velocity, VolumeFlow, Wet,
};
use rust_decimal::Decimal;

/// Kilograms of a mg/m³ in a cubic metre.
const KG_PER_MG: Decimal = Decimal::from_parts(1, 0, 0, false, 6);

/// Runs a case of this area; `None` when it is none.
pub(crate) fn run(case: &Case) -> Option<Outcome> {
    let rules = Profile::annex_d("annex-d@1");
    Some(match case.id.as_str() {
        "cv-ppm-so2-demo" | "cv-ppm-no-demo" => {
            let mass = convert::mass_from_ppm(case.input("ppm"), case.input("M"), &rules);
            case.compare("mg_m3", mass)
        }
        "cv-nox-as-no2-vol" => {
            let (no, no2) = (case.input("no_ppm"), case.input("no2_ppm"));
            case.compare("nox_mg_m3", convert::nox_from_ppm(no, no2, &rules))
        }
        "cv-nox-as-no2-mass" => {
            let (no, no2) = (case.input("no_mg_m3"), case.input("no2_mg_m3"));
            case.compare("nox_mg_m3", d21_nox_from_mass(no, no2))
        }
        "cv-actual-to-standard" => actual_to_standard(case, &rules),
        "cv-wet-to-dry" => {
            let wet = Concentration::<Standard, Wet>::new(case.input("Cwet"));
            case.compare("Cdry", d19_dry(wet, moisture(case)).map(Concentration::get))
        }
        "cv-o2-wet-to-dry" => {
            let wet = Oxygen::<Wet>::from_pct(case.input("O2wet_pct"));
            let dry = d19_dry_oxygen(wet, moisture(case)).map(Oxygen::pct);
            case.compare("O2dry_pct", dry)
        }
        "cv-dust-wet" => {
            let wet = Concentration::<Actual, Wet>::new(case.input("Cs"));
            let dry = d18_standard(wet, &state(case, &rules))
                .and_then(|standard| d19_dry(standard, moisture(case)));
            case.compare("Csn_dry", dry.map(Concentration::get))
        }
        "cv-alpha" => case.compare("alpha", alpha(case, "O2_pct", &rules)),
        "cv-alpha14" => case.compare("C_ref", by_alpha(case, Some(case.input("alpha_s")), &rules)),
        "cv-alpha-vs-o2ref" => {
            let alpha_s = alpha(case, "O2s_pct", &rules);
            case.compare("by_alpha", by_alpha(case, alpha_s, &rules))
                .and(case.compare("by_o2", by_o2(case, "C", &rules)))
        }
        "cv-o2ref-demo" => case.compare("C_ref", by_o2(case, "C_std_dry", &rules)),
        "cv-o2ref-gb13271-coal" | "cv-o2-guard" => case.compare("C_ref", by_o2(case, "C", &rules)),
        "cv-vs-factor" => {
            let point = Velocity::from_m_per_s(case.input("Vp"));
            let mean = d29_section_velocity(point, case.input("Kv"));
            case.compare("Vs", mean.map(Velocity::m_per_s))
        }
        "cv-flow-std-dry" => flow(case, &rules),
        "cv-rate" => case.compare("kg_h", rate(case, "C")),
        "cv-rate-not-converted" => case
            .compare("kg_h", rate(case, "C_meas"))
            .and(case.compare("wrong_kg_h", rate(case, "C_ref"))),
        _ => return None,
    })
}

fn moisture(case: &Case) -> Moisture {
    Moisture::from_pct(case.input("Xsw_pct"))
}

fn state(case: &Case, rules: &Profile) -> StackState {
    StackState {
        atmospheric_pa: case.input("Ba_Pa"),
        pressure: GaugePressure::from_pa(case.input("Ps_Pa")),
        temperature: Temperature::from_celsius(case.input("ts_C")),
        kelvin_offset: rules.kelvin_offset,
        standard_pa: rules.standard_pressure_pa,
    }
}

fn actual_to_standard(case: &Case, rules: &Profile) -> Outcome {
    let standard = |c: Decimal| {
        let c = Concentration::<Actual, Wet>::new(c);
        d18_standard(c, &state(case, rules)).map(Concentration::get)
    };
    case.compare("Csn", standard(case.input("Cs")))
        .and(case.compare("factor", standard(Decimal::ONE)))
}

fn alpha(case: &Case, o2: &str, rules: &Profile) -> Option<Decimal> {
    d27_alpha(Oxygen::from_pct(case.input(o2)), rules.air_o2_pct)
}

fn by_alpha(case: &Case, alpha_s: Option<Decimal>, rules: &Profile) -> Option<Decimal> {
    let c = Concentration::<Standard, Dry>::new(case.input("C"));
    d26_converted_by_alpha(c, alpha(case, "O2_pct", rules)?, alpha_s?)
        .map(ConvertedConcentration::get)
}

fn by_o2(case: &Case, c: &str, rules: &Profile) -> Option<Decimal> {
    let c = Concentration::<Standard, Dry>::new(case.input(c));
    let reference = Oxygen::from_pct(case.input("O2s_pct"));
    let o2 = Oxygen::from_pct(case.input("O2_pct"));
    d28_converted(c, reference, o2, rules.air_o2_pct).map(ConvertedConcentration::get)
}

fn flow(case: &Case, rules: &Profile) -> Outcome {
    let velocity = Velocity::from_m_per_s(case.input("Vs_ms"));
    let wet = d30_actual_flow(case.input("F_m2"), velocity);
    let dry = wet.and_then(|wet| d31_standard_dry_flow(wet, &state(case, rules), moisture(case)));
    case.compare("Qs_wet_actual", wet.map(VolumeFlow::m3_per_h))
        .and(case.compare("Qsn", dry.map(VolumeFlow::m3_per_h)))
}

fn rate(case: &Case, c: &str) -> Option<Decimal> {
    let flow = VolumeFlow::<Standard, Dry>::from_m3_per_h(case.input("Qsn"));
    d33_rate_kg_per_h(Concentration::new(case.input(c)), flow, KG_PER_MG).map(Mass::kg)
}
