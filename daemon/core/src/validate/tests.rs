//! One case per check of the catalogue, by the codes they give.

mod bench;
mod cases;
mod day_files;
mod details;
mod properties;

use super::*;
use crate::fixture::{dec, factor, number, registry, value};
use crate::model::{Flag, Registry};
use std::collections::BTreeSet;

/// The stack of the fixture, SO2 with a range of 0 to 100.
fn city() -> Registry {
    let mut city = registry();
    let gas = city.outlets.get_mut("dc-01").unwrap();
    let so2 = gas.factors.get_mut("a21026").unwrap();
    (so2.range_min, so2.range_max) = (Some(dec("0")), Some(dec("100")));
    let mut flow = factor("a00000", false, "0", vec![]);
    flow.unit = "m3/s".into();
    gas.factors.insert(flow.code.clone(), flow);
    city
}

fn codes_of(value: &Value, outlet: &str) -> Vec<String> {
    let city = city();
    let outlet = &city.outlets[outlet];
    let profile = city.profile_at(outlet, crate::model::Timestamp(0)).unwrap();
    let failed = failed(value, outlet, profile);
    failed.into_iter().map(|c| c.0.to_string()).collect()
}

fn gas(code: &str, text: &str) -> Vec<String> {
    codes_of(&value(code, text, "N"), "dc-01")
}

#[test]
fn each_check_fails_on_what_it_is_for() {
    let none: [&str; 0] = [];
    assert_eq!(gas("a21026", "35.2"), none);
    assert_eq!(codes_of(&value("a21026", "35.2", "D"), "dc-01"), ["flag"]);
    assert_eq!(codes_of(&value("a21026", "35.2", "n"), "dc-01"), ["flag"]);
    assert_eq!(gas("a21026", "-0.1"), ["below-range", "negative"]);
    assert_eq!(gas("a21002", "-0.1"), ["negative"]);
    assert_eq!(gas("a21026", "100.1"), ["above-range"]);
    assert_eq!(gas("a21026", "200.1"), ["far-above-range"]);
    assert_eq!(gas("a00000", "-1"), ["negative"]);
    assert_eq!(gas("a01012", "-20"), none);
    assert_eq!(gas("a01012", "-273"), ["physics"]);
    assert_eq!(gas("a01013", "-0.3"), none);
    assert_eq!(gas("a01014", "100.5"), ["physics"]);
    assert_eq!(gas("a19001", "21.05"), none);
    assert_eq!(gas("a19001", "21.71"), ["physics"]);
    assert_eq!(
        codes_of(&value("w01001", "14.2", "N"), "ws-01"),
        ["physics"]
    );
}

#[test]
fn a_range_below_zero_allows_zero_drift() {
    let mut city = city();
    let outlet = city.outlets.get_mut("dc-01").unwrap();
    outlet.factors.get_mut("a21026").unwrap().range_min = Some(dec("-3"));
    let outlet = &city.outlets["dc-01"];
    let profile = city.profile_at(outlet, crate::model::Timestamp(0)).unwrap();
    let value = value("a21026", "-0.4", "N");
    assert_eq!(failed(&value, outlet, profile), []);
}

#[test]
fn missing_parts() {
    let mut value = value("a21026", "1", "N");
    value.flag = None;
    assert_eq!(codes_of(&value, "dc-01"), Vec::<String>::new());
    let mut strict = city();
    strict
        .profiles
        .get_mut("plain@1")
        .unwrap()
        .flag_absent_is_valid = false;
    let outlet = &strict.outlets["dc-01"];
    let profile = strict
        .profile_at(outlet, crate::model::Timestamp(0))
        .unwrap();
    let checks = failed(&value, outlet, profile);
    assert_eq!(checks, [CheckCode("flag-absent".into())]);
    value.avg = None;
    value.unreadable = Some("Avg=--".into());
    assert_eq!(codes_of(&value, "dc-01"), ["unreadable", "no-value"]);
}

#[test]
fn min_mean_and_max_must_be_in_order() {
    let with = |min: &str, avg: &str, max: &str| {
        let mut value = value("a21026", avg, "N");
        (value.min, value.max) = (Some(number(min)), Some(number(max)));
        codes_of(&value, "dc-01")
    };
    assert_eq!(with("1", "1.0", "2"), Vec::<String>::new());
    assert_eq!(with("2", "1", "3"), ["order"]);
    assert_eq!(with("1", "4", "3"), ["order"]);
}

#[test]
fn a_flag_that_does_not_count_excuses_nonsense() {
    let impossible = |flag: &str| {
        let codes = codes_of(&value("a21026", "-50", flag), "dc-01");
        let codes: Vec<CheckCode> = codes.iter().map(|c| CheckCode(c.into())).collect();
        is_impossible(&codes)
    };
    assert!(impossible("N"));
    assert!(!impossible("C"));
}

#[test]
fn codes_and_texts_are_unique_and_every_check_is_found() {
    let codes: BTreeSet<&str> = CATALOGUE.iter().map(|c| c.code).collect();
    assert_eq!(codes.len(), CATALOGUE.len());
    for entry in CATALOGUE {
        assert_eq!(check(entry.code), Some(entry));
        assert!(!entry.text_zh.is_empty() && !entry.text_en.is_empty());
    }
    assert_eq!(check("nonsense"), None);
}

#[test]
fn stopped_flags_come_from_the_profile() {
    let city = city();
    let profile = city
        .profile_at(&city.outlets["dc-01"], crate::model::Timestamp(0))
        .unwrap();
    let mut value = value("a21026", "1", "F");
    assert!(is_stopped(&value, profile));
    value.flag = Some(Flag("D".into()));
    assert!(!is_stopped(&value, profile));
    value.flag = None;
    assert!(!is_stopped(&value, profile));
}

/// What becomes of a text that a device sends for a mean, read as intake reads it.
fn sent(code: &str, text: &str, outlet: &str) -> Vec<String> {
    let mut value = value(code, "0", "N");
    let read = text.parse::<Decimal>().ok();
    value.avg = read.map(|_| number(text));
    if read.is_none() && !text.is_empty() {
        value.unreadable = Some(format!("Avg={text}").into());
    }
    codes_of(&value, outlet)
}

#[test]
fn every_bad_input_has_a_verdict_with_a_name() {
    let huge = "9".repeat(40);
    assert_eq!(sent("a21002", "-3", "dc-01"), ["negative"]);
    assert_eq!(sent("a21002", "", "dc-01"), ["no-value"]);
    for text in ["--", "NaN", "inf", "1.2.3", "\u{ff11}", &huge] {
        let codes = sent("a21002", text, "dc-01");
        assert_eq!(codes, ["unreadable", "no-value"], "{text}");
    }
    assert_eq!(sent("a19001", "22", "dc-01"), ["physics"]);
    // What leaves the value itself sound is noted with the hour.
    let hour = bench::HourBench::gas;
    let oxygen = hour().set("a19001", |_| dec("21"));
    assert_eq!(oxygen.codes(), ["o2-at-air"]);
    assert_eq!(hour().without("a01013").codes(), ["parameter-missing"]);
    let still = bench::HourBench::water().set("w00000", |_| dec("0"));
    assert_eq!(still.codes(), ["flow-zero"]);
}

#[test]
fn numbers_ascend_within_their_blocks_and_thresholds_say_where_they_are_from() {
    assert!(CATALOGUE.is_sorted_by(|a, b| a.number < b.number));
    for entry in CATALOGUE {
        let mut digits = entry.number.chars();
        assert_eq!(digits.next(), Some('V'), "{}", entry.code);
        assert!(
            digits
                .next()
                .is_some_and(|block| ('1'..='4').contains(&block))
        );
        assert!(!entry.what_zh.is_empty() && !entry.what_en.is_empty());
        for threshold in entry.thresholds {
            assert!(!threshold.source.is_empty(), "{}", threshold.name);
            let other = Profile::annex_d("other@1");
            let value = entry.threshold(threshold.name, &other);
            assert_eq!(value, Some(threshold.default));
        }
        assert_eq!(entry.threshold("nonsense", &Profile::annex_d("o@1")), None);
    }
}
