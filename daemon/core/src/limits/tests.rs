//! Where a limit begins to be broken.

use super::*;
use crate::fixture::{dec, limit, minute, registry};
use crate::model::{LimitPeriod, Registry};

fn mean(value: &str, converted: Option<&str>) -> FactorAggregate {
    FactorAggregate {
        mean: Some(dec(value)),
        converted: converted.map(dec),
        valid: true,
        ..FactorAggregate::default()
    }
}

fn judged(city: &Registry, mean: &FactorAggregate, o2_valid: bool) -> Vec<(String, bool)> {
    let outlet = &city.outlets["dc-01"];
    let profile = city.profile_at(outlet, Timestamp(0)).unwrap();
    let factor = &outlet.factors["a21026"];
    let verdicts = judge(
        mean,
        factor,
        outlet,
        profile,
        (Level::Hour, minute(0)),
        o2_valid,
    );
    verdicts
        .into_iter()
        .map(|v| (v.judged.to_string(), v.exceeded))
        .collect()
}

#[test]
fn the_limit_itself_is_within_the_limit() {
    let city = registry();
    assert_eq!(
        judged(&city, &mean("30", Some("50")), true),
        [("50".into(), false)]
    );
    assert!(judged(&city, &mean("30", Some("50.000000000001")), true)[0].1);
}

#[test]
fn full_or_rounded_value_as_the_profile_says() {
    let mut city = registry();
    assert!(judged(&city, &mean("30", Some("50.04")), true)[0].1);
    city.profiles.get_mut("plain@1").unwrap().compare_rounded = true;
    assert_eq!(
        judged(&city, &mean("30", Some("50.04")), true),
        [("50.0".into(), false)]
    );
    // Half to even: 50.05 rounds down, 50.15 up; half away from zero takes both up.
    assert_eq!(judged(&city, &mean("30", Some("50.05")), true)[0].0, "50.0");
    city.profiles.get_mut("plain@1").unwrap().rounding = Rounding::HalfAwayFromZero;
    assert_eq!(
        judged(&city, &mean("30", Some("50.05")), true),
        [("50.1".into(), true)]
    );
}

#[test]
fn no_converted_value_no_verdict_but_without_reference_oxygen_the_mean_is_it() {
    let mut city = registry();
    assert_eq!(judged(&city, &mean("300", None), true), []);
    assert_eq!(judged(&city, &mean("300", Some("400")), false), []);
    let gas = city.outlets.get_mut("dc-01").unwrap().gas.as_mut().unwrap();
    gas.reference_o2_pct = None;
    assert_eq!(
        judged(&city, &mean("300", None), false),
        [("300".into(), true)]
    );
}

#[test]
fn what_is_not_valid_is_not_judged() {
    let mut invalid = mean("300", Some("400"));
    invalid.valid = false;
    assert_eq!(judged(&registry(), &invalid, true), []);
}

#[test]
fn a_band_is_broken_on_either_side() {
    let mut band = limit("ph", LimitPeriod::Hour, false, "9");
    band.lower = Some(dec("6"));
    let of = |value: &str| verdict(&band, dec(value)).unwrap();
    assert!(!of("6").exceeded && !of("9").exceeded);
    let low = of("5.9");
    assert_eq!(
        (low.exceeded, low.bound, low.multiple),
        (true, dec("6"), None)
    );
    let high = of("9.9");
    assert_eq!((high.exceeded, high.bound), (true, dec("9")));
    assert_eq!(high.multiple, Some(dec("0.1")));
    (band.upper, band.lower) = (None, None);
    assert_eq!(verdict(&band, dec("1")), None);
}

#[test]
fn in_force_from_inclusive_until_exclusive_for_its_own_period() {
    let mut limit = limit("d", LimitPeriod::Day, false, "1");
    (limit.from, limit.until) = (Some(minute(0)), Some(minute(10)));
    let at = |level, m| in_force(&limit, level, minute(m));
    assert!(at(Level::Day, 0) && at(Level::Day, 9));
    assert!(!at(Level::Day, -1) && !at(Level::Day, 10));
    assert!(!at(Level::Hour, 0) && !at(Level::Month, 0));
}
