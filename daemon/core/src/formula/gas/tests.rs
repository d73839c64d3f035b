//! Worked cases of the formulas; `testdata/vectors.jsonl` says for each whether its result comes
//! from the source or was recomputed.

use super::*;
use crate::quantity::{Temperature, internal};
use proptest::prelude::*;
use serde_json::Value as Json;
use std::collections::BTreeMap;

fn vectors() -> BTreeMap<String, Json> {
    include_str!("../../../testdata/vectors.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap())
        .map(|v| (v["id"].as_str().unwrap().to_owned(), v))
        .collect()
}

fn dec(json: &Json) -> Decimal {
    json.to_string().parse().unwrap()
}

/// Runs one case: `f` gets the inputs by name, the result is compared with `expected`.
fn check(id: &str, expected: &str, f: impl Fn(&dyn Fn(&str) -> Decimal) -> Option<Decimal>) {
    let vectors = vectors();
    let vector = &vectors[id];
    let input = |name: &str| dec(&vector["inputs"][name]);
    let found = f(&input).unwrap_or_else(|| panic!("{id}: no value"));
    let expected = dec(&vector["expected"][expected]);
    let tolerance = dec(&vector["tolerance"]);
    assert!(
        (found - expected).abs() <= tolerance,
        "{id}: {found}, expected {expected}"
    );
}

fn state(ba: Decimal, ps: Decimal, ts: Decimal) -> StackState {
    StackState {
        atmospheric_pa: ba,
        pressure: GaugePressure::from_pa(ps),
        temperature: Temperature::from_celsius(ts),
        kelvin_offset: Decimal::from(273u32),
        standard_pa: Decimal::from(101_325u32),
    }
}

const AIR: Decimal = Decimal::from_parts(21, 0, 0, false, 0);

#[test]
fn volume_to_mass() {
    for id in ["cv-ppm-so2-demo", "cv-ppm-no-demo"] {
        check(id, "mg_m3", |i| d20_mass_from_ppm(i("ppm"), i("M")));
    }
}

#[test]
fn nox_as_no2_from_mass_and_from_volume() {
    check("cv-nox-as-no2-vol", "nox_mg_m3", |i| {
        d22_nox_from_ppm(i("no_ppm"), i("no2_ppm"))
    });
    check("cv-nox-as-no2-mass", "nox_mg_m3", |i| {
        d21_nox_from_mass(i("no_mg_m3"), i("no2_mg_m3"))
    });
}

#[test]
fn actual_to_standard_and_wet_to_dry() {
    check("cv-actual-to-standard", "Csn", |i| {
        let c = Concentration::<Actual, Wet>::new(i("Cs"));
        d18_standard(c, &state(i("Ba_Pa"), i("Ps_Pa"), i("ts_C"))).map(Concentration::get)
    });
    check("cv-wet-to-dry", "Cdry", |i| {
        let c = Concentration::<Standard, Wet>::new(i("Cwet"));
        d19_dry(c, Moisture::from_pct(i("Xsw_pct"))).map(Concentration::get)
    });
    check("cv-o2-wet-to-dry", "O2dry_pct", |i| {
        let o2 = Oxygen::<Wet>::from_pct(i("O2wet_pct"));
        d19_dry_oxygen(o2, Moisture::from_pct(i("Xsw_pct"))).map(Oxygen::pct)
    });
    check("cv-dust-wet", "Csn_dry", |i| {
        let c = Concentration::<Actual, Wet>::new(i("Cs"));
        let standard = d18_standard(c, &state(i("Ba_Pa"), i("Ps_Pa"), i("ts_C")))?;
        d19_dry(standard, Moisture::from_pct(i("Xsw_pct"))).map(Concentration::get)
    });
}

#[test]
fn conversion_to_reference_oxygen() {
    check("cv-alpha", "alpha", |i| {
        d27_alpha(Oxygen::from_pct(i("O2_pct")), AIR)
    });
    for (id, c, result) in [
        ("cv-o2ref-demo", "C_std_dry", "C_ref"),
        ("cv-o2ref-gb13271-coal", "C", "C_ref"),
        ("cv-alpha-vs-o2ref", "C", "by_o2"),
    ] {
        check(id, result, |i| {
            let c = Concentration::new(i(c));
            let (reference, o2) = (
                Oxygen::from_pct(i("O2s_pct")),
                Oxygen::from_pct(i("O2_pct")),
            );
            d28_converted(c, reference, o2, AIR).map(ConvertedConcentration::get)
        });
    }
    check("cv-alpha14", "C_ref", |i| {
        let alpha = d27_alpha(Oxygen::from_pct(i("O2_pct")), AIR)?;
        d26_converted_by_alpha(Concentration::new(i("C")), alpha, i("alpha_s"))
            .map(ConvertedConcentration::get)
    });
    check("cv-alpha-vs-o2ref", "by_alpha", |i| {
        let alpha = d27_alpha(Oxygen::from_pct(i("O2_pct")), AIR)?;
        let alpha_s = d27_alpha(Oxygen::from_pct(i("O2s_pct")), AIR)?;
        d26_converted_by_alpha(Concentration::new(i("C")), alpha, alpha_s)
            .map(ConvertedConcentration::get)
    });
}

#[test]
fn air_in_the_stack_has_no_converted_value() {
    let vectors = vectors();
    let vector = &vectors["cv-o2-guard"];
    assert!(vector["expected"]["C_ref"].is_null());
    let input = |name: &str| dec(&vector["inputs"][name]);
    let (reference, o2) = (
        Oxygen::from_pct(input("O2s_pct")),
        Oxygen::from_pct(input("O2_pct")),
    );
    assert_eq!(
        d28_converted(Concentration::new(input("C")), reference, o2, AIR),
        None
    );
    assert_eq!(
        d28_converted(
            Concentration::new(input("C")),
            reference,
            Oxygen::from_pct(AIR),
            AIR
        ),
        None
    );
    assert_eq!(d27_alpha(o2, AIR), None);
}

#[test]
fn flow_and_rate() {
    check("cv-vs-factor", "Vs", |i| {
        d29_section_velocity(Velocity::from_m_per_s(i("Vp")), i("Kv")).map(Velocity::m_per_s)
    });
    check("cv-flow-std-dry", "Qs_wet_actual", |i| {
        d30_actual_flow(i("F_m2"), Velocity::from_m_per_s(i("Vs_ms"))).map(VolumeFlow::m3_per_h)
    });
    check("cv-flow-std-dry", "Qsn", |i| {
        let wet = d30_actual_flow(i("F_m2"), Velocity::from_m_per_s(i("Vs_ms")))?;
        let state = state(i("Ba_Pa"), i("Ps_Pa"), i("ts_C"));
        d31_standard_dry_flow(wet, &state, Moisture::from_pct(i("Xsw_pct")))
            .map(VolumeFlow::m3_per_h)
    });
    for (id, c) in [("cv-rate", "C"), ("cv-rate-not-converted", "C_meas")] {
        check(id, "kg_h", |i| {
            let flow = VolumeFlow::from_m3_per_h(i("Qsn"));
            d33_rate_kg_per_h(Concentration::new(i(c)), flow, Decimal::new(1, 6)).map(Mass::kg)
        });
    }
}

#[test]
fn day_amount_is_the_sum_of_the_hours() {
    let vectors = vectors();
    let vector = &vectors["cv-day-total"];
    let hours = vector["inputs"]["kg_h"].as_array().unwrap();
    let kg = crate::formula::sum(hours.iter().map(dec)).unwrap();
    assert_eq!(kg / Decimal::ONE_THOUSAND, dec(&vector["expected"]["t_d"]));
}

#[test]
fn states_that_cannot_be_have_no_value() {
    let c = Concentration::<Actual, Dry>::new(Decimal::ONE);
    let (ba, zero) = (Decimal::from(101_325u32), Decimal::ZERO);
    assert_eq!(d18_standard(c, &state(ba, -ba, zero)), None);
    assert_eq!(d18_standard(c, &state(ba, zero, Decimal::from(-273))), None);
    let wet = Concentration::<Standard, Wet>::new(Decimal::ONE);
    assert_eq!(d19_dry(wet, Moisture::from_pct(Decimal::ONE_HUNDRED)), None);
    assert_eq!(
        d19_dry(wet, Moisture::from_pct(Decimal::NEGATIVE_ONE)),
        None
    );
}

fn any_decimal() -> impl Strategy<Value = Decimal> {
    (any::<i128>(), 0u32..=28).prop_map(|(n, scale)| {
        let limit = (1i128 << 96) - 1;
        Decimal::from_i128_with_scale(n % limit, scale)
    })
}

proptest! {
    #[test]
    fn nothing_panics(
        a in any_decimal(),
        b in any_decimal(),
        c in any_decimal(),
        d in any_decimal(),
    ) {
        let at = StackState { kelvin_offset: b, standard_pa: c, ..state(a, b, c) };
        let wet = Concentration::<Actual, Wet>::new(d);
        let flow = VolumeFlow::<Actual, Wet>::from_m3_per_h(d);
        let _ = d18_standard(wet, &at).and_then(|v| d19_dry(v, Moisture::from_pct(a)));
        let _ = d31_standard_dry_flow(flow, &at, Moisture::from_pct(b));
        let _ = d26_converted_by_alpha(Concentration::new(a), b, c);
        let _ = d28_converted(Concentration::new(a), Oxygen::from_pct(b), Oxygen::from_pct(c), d);
        let _ = d21_nox_from_mass(a, b).map(internal);
        let _ = d22_nox_from_ppm(c, d).map(internal);
        let _ = d30_actual_flow(a, Velocity::from_m_per_s(b));
        let _ = d33_rate_kg_per_h(Concentration::new(a), VolumeFlow::from_m3_per_h(b), c);
    }
}
