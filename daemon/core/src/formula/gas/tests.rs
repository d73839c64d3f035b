//! Edges of the formulas; their worked cases are in `tests/vectors/conversion.rs`.

use super::*;
use crate::quantity::{Temperature, internal};
use proptest::prelude::*;

fn state(ba: Decimal, ps: Decimal, ts: Decimal) -> StackState {
    StackState {
        atmospheric_pa: ba,
        pressure: GaugePressure::from_pa(ps),
        temperature: Temperature::from_celsius(ts),
        kelvin_offset: Decimal::from(273u32),
        standard_pa: Decimal::from(101_325u32),
    }
}

#[test]
fn air_in_the_stack_has_no_converted_value() {
    let (air, six) = (Decimal::from(21u32), Decimal::from(6u32));
    let converted = |o2| {
        let o2 = Oxygen::from_pct(o2);
        d28_converted(Concentration::new(six), Oxygen::from_pct(six), o2, air)
    };
    assert_eq!(converted(air), None);
    assert_eq!(converted(Decimal::new(2_105, 2)), None);
    assert!(converted(Decimal::new(2_099, 2)).is_some());
    assert_eq!(d27_alpha(Oxygen::from_pct(air), air), None);
}

#[test]
fn a_molar_volume_that_cannot_be_gives_no_mass() {
    let at = |litres: i64| {
        let litres = MolarVolume::from_l_per_mol(Decimal::new(litres, 1));
        d20_mass_from_ppm(Decimal::TEN, Decimal::from(64u32), litres)
    };
    assert_eq!(at(0), None);
    assert_eq!(at(-224), None);
    assert_eq!(at(320), Some(Decimal::from(20u32)));
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
        let _ = d22_nox_from_ppm(c, d, MolarVolume::from_l_per_mol(a)).map(internal);
        let _ = d30_actual_flow(a, Velocity::from_m_per_s(b));
        let _ = d33_rate_kg_per_h(Concentration::new(a), VolumeFlow::from_m3_per_h(b), c);
    }
}
