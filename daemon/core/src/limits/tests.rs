//! Where a limit begins to be broken.

use super::*;
use crate::fixture::{dec, limit, minute, registry};
use crate::model::profile::MarkRule;
use crate::model::{LimitKind, LimitPeriod, MarkEffect, MarkKind, Registry, SpecialPeriod};
use proptest::prelude::*;

fn mean(value: &str, converted: Option<&str>) -> FactorAggregate {
    FactorAggregate {
        mean: Some(dec(value)),
        converted: converted.map(dec),
        valid: true,
        ..FactorAggregate::default()
    }
}

/// The hour at the start of the day, at the stack of `city`.
fn hour<'a>(city: &'a Registry, o2_valid: bool, marks: &'a [MarkKind]) -> Circumstances<'a> {
    let outlet = &city.outlets["dc-01"];
    Circumstances {
        outlet,
        profile: city.profile_at(outlet, Timestamp(0)).unwrap(),
        level: Level::Hour,
        start: minute(0),
        o2_valid,
        marks,
        special_periods: &city.special_periods,
        region: Some(&city.enterprises["acme"].region),
    }
}

fn all_judged(city: &Registry, mean: &FactorAggregate, of: &Circumstances<'_>) -> Judged {
    judge(mean, &city.outlets["dc-01"].factors["a21026"], of)
}

fn judged(city: &Registry, mean: &FactorAggregate, o2_valid: bool) -> Vec<(String, bool)> {
    let verdicts = all_judged(city, mean, &hour(city, o2_valid, &[])).verdicts;
    verdicts
        .into_iter()
        .map(|v| (v.judged.to_string(), v.exceeded))
        .collect()
}

fn whys(judged: &Judged) -> Vec<(&str, &str)> {
    let list = judged.not_judged.iter();
    list.map(|n| (n.limit.as_str(), n.why)).collect()
}

/// Sets the limits on SO2 of the stack.
fn set(city: &mut Registry, limits: Vec<Limit>) {
    let gas = city.outlets.get_mut("dc-01").unwrap();
    gas.factors.get_mut("a21026").unwrap().limits = limits;
}

/// The verdict of one limit on an hour mean of the stack.
fn one(city: &mut Registry, limit: Limit, value: &str) -> LimitVerdict {
    set(city, vec![limit]);
    let judged = all_judged(city, &mean(value, None), &hour(city, true, &[]));
    judged.verdicts.into_iter().next().unwrap()
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
    let air = all_judged(&city, &mean("300", None), &hour(&city, true, &[]));
    assert!(air.verdicts.is_empty());
    assert_eq!(whys(&air), [("h", why::NO_CONVERTED_VALUE)]);
    let blind = all_judged(&city, &mean("300", Some("400")), &hour(&city, false, &[]));
    assert!(blind.verdicts.is_empty());
    assert_eq!(whys(&blind), [("h", why::O2_INVALID)]);
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
    let city = registry();
    let nothing = FactorAggregate {
        valid: true,
        ..FactorAggregate::default()
    };
    for mean in [invalid, nothing] {
        let judged = all_judged(&city, &mean, &hour(&city, true, &[]));
        assert!(judged.verdicts.is_empty());
        assert_eq!(whys(&judged), [("h", why::MEAN_INVALID)]);
    }
}

#[test]
fn a_band_is_broken_on_either_side() {
    let mut city = registry();
    let mut band = limit("ph", LimitPeriod::Hour, false, "9");
    band.lower = Some(dec("6"));
    let mut of = |value: &str| one(&mut city, band.clone(), value);
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
    set(&mut city, vec![band]);
    let judged = all_judged(&city, &mean("1", None), &hour(&city, true, &[]));
    assert_eq!(whys(&judged), [("ph", why::NO_BOUND)]);
}

#[test]
fn a_limit_of_zero_is_broken_by_any_positive_mean_and_has_no_multiple() {
    let mut city = registry();
    let none = limit("zero", LimitPeriod::Hour, false, "0");
    let kept = one(&mut city, none.clone(), "0");
    assert_eq!((kept.exceeded, kept.multiple), (false, None));
    let broken = one(&mut city, none, "0.000001");
    assert_eq!((broken.exceeded, broken.multiple), (true, None));
}

#[test]
fn one_mean_against_the_standard_the_local_one_and_the_permit() {
    let mut city = registry();
    let mut national = limit("gb", LimitPeriod::Hour, true, "100");
    national.kind = LimitKind::National;
    let mut local = limit("db", LimitPeriod::Hour, true, "50");
    local.kind = LimitKind::Local;
    let permit = limit("permit", LimitPeriod::Hour, true, "35");
    set(&mut city, vec![national, local, permit]);
    let judged = all_judged(&city, &mean("30", Some("42")), &hour(&city, true, &[]));
    let of = |v: &LimitVerdict| (v.limit.to_string(), v.exceeded, v.multiple);
    assert_eq!(
        judged.verdicts.iter().map(of).collect::<Vec<_>>(),
        [
            ("gb".into(), false, None),
            ("db".into(), false, None),
            ("permit".into(), true, Some(dec("0.2"))),
        ]
    );
    assert_eq!(
        strictest(&judged.verdicts).unwrap().limit.as_str(),
        "permit"
    );
    // None is broken: the one that is nearest.
    assert_eq!(
        strictest(&judged.verdicts[..2]).unwrap().limit.as_str(),
        "db"
    );
    assert_eq!(strictest(&[]), None);
}

#[test]
fn a_limit_excepts_the_states_its_source_names_and_others_go_on() {
    let mut city = registry();
    let mut excepting = limit("permit", LimitPeriod::Hour, true, "35");
    excepting.not_during = vec![MarkKind::StartUp, MarkKind::Shutdown];
    let strict = limit("gb", LimitPeriod::Hour, true, "100");
    set(&mut city, vec![excepting, strict]);
    let high = mean("150", Some("180"));
    let starting = [MarkKind::Maintenance, MarkKind::StartUp];
    let judged = all_judged(&city, &high, &hour(&city, true, &starting));
    assert_eq!(whys(&judged), [("permit", why::EXEMPT_MARK)]);
    assert_eq!(judged.verdicts.len(), 1);
    let maintained = all_judged(&city, &high, &hour(&city, true, &starting[..1]));
    assert_eq!(maintained.verdicts.len(), 2);
    // A profile that judges nothing in that state.
    let rule = MarkRule {
        effect: MarkEffect::NotJudged,
        enter_within_h: None,
        late_counts: false,
        year_max_h: None,
        once_max_h: None,
    };
    let rules = &mut city.profiles.get_mut("plain@1").unwrap().marks.kinds;
    rules.insert(MarkKind::StartUp, rule);
    let judged = all_judged(&city, &high, &hour(&city, true, &starting));
    assert_eq!(
        whys(&judged),
        [("permit", why::EXEMPT_MARK), ("gb", why::EXEMPT_MARK)]
    );
}

#[test]
fn a_limit_of_heavy_pollution_days_judges_those_days_of_those_regions() {
    let mut city = registry();
    let mut red = limit("red", LimitPeriod::Hour, true, "20");
    (red.kind, red.special) = (LimitKind::Special, Some("red-alert".into()));
    set(&mut city, vec![red]);
    let high = mean("30", Some("30"));
    let out = |city: &Registry| {
        let judged = all_judged(city, &high, &hour(city, true, &[]));
        judged.verdicts.is_empty() && whys(&judged) == [("red", why::NOT_IN_SPECIAL_PERIOD)]
    };
    assert!(
        out(&city),
        "a period the registry does not know never holds"
    );
    let mut declare = |from, until, regions: &[&str]| {
        let special = SpecialPeriod {
            id: "red-alert".into(),
            name: "重污染天气Ⅰ级响应".into(),
            from: minute(from),
            until: minute(until),
            regions: regions.iter().map(|r| (*r).into()).collect(),
            source: "invented order".into(),
        };
        city.special_periods.insert("red-alert".into(), special);
        out(&city)
    };
    assert!(declare(-600, 0, &[]), "over when the hour begins");
    assert!(declare(1, 600, &[]), "begins within the hour");
    assert!(declare(0, 1, &["elsewhere"]));
    assert!(!declare(0, 1, &[]));
    assert!(!declare(-60, 60, &["elsewhere", "r"]));
}

#[test]
fn the_confidence_share_of_the_limit_is_taken_off_before_an_upper_bound_is_judged() {
    let mut city = registry();
    let shares = &mut city.profiles.get_mut("plain@1").unwrap().confidence_pct;
    shares.insert("a21026".into(), dec("20"));
    let so2 = limit("d", LimitPeriod::Hour, false, "50");
    let edge = one(&mut city, so2.clone(), "60");
    assert_eq!((edge.judged, edge.exceeded), (dec("50"), false));
    let over = one(&mut city, so2.clone(), "61");
    assert_eq!((over.judged, over.multiple), (dec("51"), Some(dec("0.02"))));
    assert_eq!(one(&mut city, so2.clone(), "7").judged, dec("0"));
    let mut band = so2;
    band.lower = Some(dec("6"));
    let low = one(&mut city, band, "5");
    assert_eq!((low.judged, low.exceeded), (dec("5"), true));
}

#[test]
fn limits_that_say_the_same_thing_twice_are_named() {
    let city = registry();
    let mut factor = city.outlets["dc-01"].factors["a21026"].clone();
    let dated = |id: &str, from: Option<i64>, until: Option<i64>, kind| Limit {
        kind,
        from: from.map(minute),
        until: until.map(minute),
        ..limit(id, LimitPeriod::Hour, true, "50")
    };
    let (permit, local) = (LimitKind::Permit, LimitKind::Local);
    let mut of = |limits: &[Limit]| {
        factor.limits = limits.to_vec();
        overlaps(&factor)
    };
    // One follows the other, another kind holds beside them.
    let old = dated("h", None, Some(60), permit);
    let new = dated("h", Some(60), None, permit);
    assert_eq!(of(&[old.clone(), new, dated("x", None, None, local)]), []);
    let early = dated("h2", Some(59), None, permit);
    assert_eq!(of(&[old.clone(), early]), [("h".into(), "h2".into())]);
    // The same name for different things.
    let named = dated("h", None, None, local);
    assert_eq!(of(&[old.clone(), named]), [("h".into(), "h".into())]);
    let mut special = dated("s", None, None, permit);
    special.special = Some("red-alert".into());
    assert_eq!(of(&[old.clone(), special]), []);
    assert_eq!(of(&[old, dated("never", Some(9), Some(9), permit)]), []);
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

proptest! {
    #[test]
    fn every_limit_in_force_gives_a_verdict_or_a_reason_and_nothing_panics(
        value in any::<i64>(),
        converted in proptest::option::of(any::<i64>()),
        bounds in prop::collection::vec((any::<i64>(), any::<bool>()), 0..6),
        (valid, o2_valid) in any::<(bool, bool)>(),
    ) {
        let mut city = registry();
        let rules = city.profiles.get_mut("plain@1").unwrap();
        rules.confidence_pct.insert("a21026".into(), dec("20"));
        let limits: Vec<Limit> = bounds.iter().map(|(upper, converted)| Limit {
            upper: Some(Decimal::from(*upper)),
            ..limit("h", LimitPeriod::Hour, *converted, "1")
        }).collect();
        let n = limits.len();
        set(&mut city, limits);
        let mean = FactorAggregate {
            mean: Some(Decimal::from(value)),
            converted: converted.map(Decimal::from),
            valid,
            ..FactorAggregate::default()
        };
        let judged = all_judged(&city, &mean, &hour(&city, o2_valid, &[]));
        prop_assert_eq!(judged.verdicts.len() + judged.not_judged.len(), n);
        let first = strictest(&judged.verdicts);
        prop_assert_eq!(
            first.is_some_and(|v| v.exceeded),
            judged.verdicts.iter().any(|v| v.exceeded)
        );
    }
}
