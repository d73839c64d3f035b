//! One interval at a time: how long samples speak, what counts, which flag prevails.

use super::*;
use crate::fixture::*;
use crate::model::{Flag, Registry, Sample, SampleSet, Timestamp, Value};

fn sample(code: &str, text: &str, flag: &str) -> Sample {
    Sample {
        factor: code.into(),
        value: (!text.is_empty()).then(|| number(text)),
        flag: Flag(flag.into()),
    }
}

/// Samples of one factor at these times (ms after minute 0), and the minute record of minute 0.
fn minute_of(outlet: &str, readings: &[(i64, &str, &str)]) -> Value {
    let code = if outlet == GAS { "a21026" } else { "w01018" };
    let sets: Vec<(i64, Vec<Sample>)> = readings
        .iter()
        .map(|(ms, text, flag)| (*ms, vec![sample(code, text, flag)]))
        .collect();
    minute_with(&registry(), outlet, sets).remove(0)
}

fn minute_with(city: &Registry, outlet: &str, sets: Vec<(i64, Vec<Sample>)>) -> Vec<Value> {
    let rules = rules(city, outlet);
    let mut forming = Forming::default();
    for (ms, samples) in sets {
        let at = minute(0).plus_ms(ms);
        // Earlier minutes only lead up to this one.
        let _ = forming.close_minute(at, &rules);
        forming.take(at, set(outlet, samples), &rules);
    }
    let record = forming.close_minute(minute(1), &rules).unwrap();
    assert_eq!(record.start, minute(0));
    record.values
}

fn rules<'a>(city: &'a Registry, outlet: &str) -> Rules<'a> {
    let outlet = &city.outlets[outlet];
    Rules {
        outlet,
        profile: city.profile_at(outlet, Timestamp(0)).unwrap(),
        offset: city.offset,
    }
}

fn set(outlet: &str, samples: Vec<Sample>) -> SampleSet {
    SampleSet {
        outlet: outlet.into(),
        instrument: "analyser".into(),
        samples,
    }
}

/// Every `period` ms from `from`, with what `what` says of the n-th.
fn polls<'a>(
    (from, period): (i64, i64),
    what: impl Fn(i64) -> (&'a str, &'a str),
) -> Vec<(i64, &'a str, &'a str)> {
    (0..)
        .map(|n| (n, from + n * period))
        .take_while(|(_, ms)| *ms < 60_000)
        .map(|(n, ms)| (ms, what(n).0, what(n).1))
        .collect()
}

fn flag(value: &Value) -> &str {
    &value.flag.as_ref().unwrap().0
}

fn avg(value: &Value) -> String {
    let avg = value.avg.as_ref();
    avg.map(|n| n.text.to_string()).unwrap_or_default()
}

#[test]
fn twelve_samples_make_a_minute_and_nine_normal_ones_are_enough_for_stack_gas() {
    for (normal, expected) in [(12, "N"), (9, "N"), (8, "C")] {
        let value = minute_of(
            GAS,
            &polls((0, 5_000), |n| {
                if n < normal { ("20", "N") } else { ("90", "C") }
            }),
        );
        assert_eq!(flag(&value), expected, "{normal} normal of 12");
        assert_eq!(avg(&value), "20", "calibration gas is no reading");
    }
}

#[test]
fn one_abnormal_sample_makes_a_minute_of_water_abnormal() {
    let with = |bad| {
        minute_of(
            WATER,
            &polls((0, 5_000), |n| if n == 3 { bad } else { ("80", "N") }),
        )
    };
    assert_eq!(flag(&with(("80", "N"))), "N");
    assert_eq!(flag(&with(("80", "M"))), "M");
    // A lost poll is a missing value, not an abnormal one.
    assert_eq!(flag(&with(("", "B"))), "N");
    assert_eq!(avg(&with(("500", "M"))), "80");
}

#[test]
fn a_poll_that_comes_a_moment_early_or_late_does_no_harm() {
    // The clock of the poll runs slow: eleven samples fall into this minute.
    let mut late = polls((-20_000, 5_400), |_| ("80", "N"));
    assert_eq!(late.iter().filter(|(ms, ..)| *ms >= 0).count(), 11);
    assert_eq!(flag(&minute_of(WATER, &late)), "N");
    // One poll is lost: the next sample speaks for it.
    late.remove(8);
    assert_eq!(flag(&minute_of(WATER, &late)), "N");
}

#[test]
fn slow_and_fast_polls_are_judged_by_the_share_of_time() {
    for period in [1_000, 2_000, 10_000, 20_000, 30_000] {
        let steady = polls((-4 * period, period), |_| ("20", "N"));
        assert_eq!(flag(&minute_of(GAS, &steady)), "N", "every {period} ms");
        assert_eq!(flag(&minute_of(WATER, &steady)), "N", "every {period} ms");
    }
    // Every second, and a fault for a third of the minute: forty good samples are not enough.
    let fault = polls((-5_000, 1_000), |n| {
        if (20..40).contains(&n) {
            ("0", "D")
        } else {
            ("20", "N")
        }
    });
    assert_eq!(flag(&minute_of(GAS, &fault)), "D");
}

#[test]
fn silence_shows_as_a_lost_link() {
    let until = |last: i64| {
        let mut polls = polls((-20_000, 5_000), |_| ("20", "N"));
        polls.retain(|(ms, ..)| *ms <= last);
        polls
    };
    assert_eq!(flag(&minute_of(GAS, &until(55_000))), "N");
    assert_eq!(flag(&minute_of(GAS, &until(40_000))), "N", "45 s of 60");
    assert_eq!(flag(&minute_of(GAS, &until(35_000))), "B");
    assert_eq!(flag(&minute_of(WATER, &until(50_000))), "N");
    assert_eq!(flag(&minute_of(WATER, &until(40_000))), "B");
    // A sample after a long silence does not speak for the silence.
    let mut gap = until(0);
    gap.push((55_000, "20", "N"));
    assert_eq!(flag(&minute_of(GAS, &gap)), "B");
}

#[test]
fn the_longest_state_prevails_and_of_equals_the_most_telling() {
    let value = minute_of(
        GAS,
        &polls((0, 5_000), |n| match n {
            0..4 => ("", "B"),
            4..9 => ("20", "M"),
            _ => ("20", "N"),
        }),
    );
    assert_eq!(flag(&value), "M");
    let value = minute_of(
        GAS,
        &polls((0, 5_000), |n| {
            if n % 2 == 0 { ("20", "D") } else { ("20", "F") }
        }),
    );
    assert_eq!(flag(&value), "F");
}

#[test]
fn what_cannot_count_is_not_averaged_whatever_its_flag_says() {
    let mut city = registry();
    let gas = city.outlets.get_mut(GAS).unwrap();
    gas.factors.get_mut("a21026").unwrap().range_max = Some(dec("100"));
    let minute = |text: &str| {
        let sets = (0..12).map(|n| (n * 5_000, vec![sample("a21026", text, "N")]));
        minute_with(&city, GAS, sets.collect()).remove(0)
    };
    assert_eq!(
        (flag(&minute("100")), avg(&minute("100"))),
        ("N", "100".into())
    );
    // Over range: shown beside the flag that says so.
    assert_eq!(
        (flag(&minute("101")), avg(&minute("101"))),
        ("T", "101".into())
    );
    assert_eq!((flag(&minute("")), avg(&minute(""))), ("D", String::new()));
    let huge = "79228162514264337593543950335";
    let sets = (0..12).map(|n| (n * 5_000, vec![sample("a21002", huge, "N")]));
    let value = minute_with(&city, GAS, sets.collect()).remove(0);
    assert_eq!((flag(&value), avg(&value)), ("D", String::new()));
}

#[test]
fn a_minute_of_stack_gas_by_annex_d() {
    let samples = |n: i64| {
        vec![
            sample("a21026", if n % 2 == 0 { "40" } else { "44" }, "N"),
            sample("a19001", "11", "N"),
            sample("a01011", "10", "N"),
            sample("a01012", "91", "N"),
            sample("a01013", "0", "N"),
            sample("a01014", "10", "N"),
        ]
    };
    let sets = (0..12).map(|n| (n * 5_000, samples(n))).collect();
    let values = minute_with(&registry(), GAS, sets);
    let so2 = values.iter().find(|v| v.factor.as_str() == "a21026");
    let so2 = so2.unwrap();
    let text = |n: &Option<crate::model::Number>| n.as_ref().unwrap().text.to_string();
    assert_eq!((text(&so2.min), text(&so2.max)), ("40".into(), "44".into()));
    assert_eq!(avg(so2), "42");
    // (28): 42 * (21 - 6) / (21 - 11).
    assert_eq!(text(&so2.converted), "63");
    // (30), (31), (33): 20 m2 * 10 m/s * 3600 = 720 000 m3/h, at 91 degC 540 000, dry 486 000;
    // times 42e-6 kg/m3 are 20.412 kg/h, a sixtieth of it in the minute.
    assert_eq!(text(&so2.cou), "0.3402");
}

#[test]
fn a_minute_of_water_is_weighted_by_its_flow() {
    // Ten litres a second for half a minute at 100 mg/L, then nothing flows and 20 is read.
    let sets = (0..12).map(|n| {
        let (flow, cod) = if n < 6 { ("10", "100") } else { ("0", "20") };
        let samples = vec![
            sample("w00000", flow, "N"),
            sample("w01018", cod, "N"),
            sample("w01001", if n < 6 { "6" } else { "8" }, "N"),
        ];
        (n * 5_000, samples)
    });
    let values = minute_with(&registry(), WATER, sets.collect());
    let of = |code: &str| values.iter().find(|v| v.factor.as_str() == code).unwrap();
    let cou = |code: &str| of(code).cou.as_ref().map(|n| n.text.to_string());
    assert_eq!(avg(of("w00000")), "5");
    assert_eq!(cou("w00000").unwrap(), "0.3");
    assert_eq!(avg(of("w01018")), "100");
    assert_eq!(of("w01018").min.as_ref().unwrap().text, "20");
    assert_eq!(cou("w01018").unwrap(), "0.03");
    // Acid and base in equal shares are neutral.
    assert_eq!(avg(of("w01001")), "7");
    assert_eq!(cou("w01001"), None);
}

#[test]
fn where_nothing_flows_the_plain_mean_is_shown() {
    let sets = (0..12).map(|n| {
        let samples = vec![sample("w00000", "0", "N"), sample("w01018", "20", "N")];
        (n * 5_000, samples)
    });
    let values = minute_with(&registry(), WATER, sets.collect());
    let cod = values.iter().find(|v| v.factor.as_str() == "w01018");
    let cod = cod.unwrap();
    assert_eq!((flag(cod), avg(cod)), ("N", "20".into()));
    assert_eq!(cod.cou.as_ref().unwrap().text, "0");
}

#[test]
fn a_real_time_record_shows_the_last_sample_of_each_factor() {
    let mut city = registry();
    let gas = city.outlets.get_mut(GAS).unwrap();
    gas.expectation.realtime_s = Some(30);
    let rules = rules(&city, GAS);
    let mut forming = Forming::default();
    let at = |s: i64| minute(0).plus_ms(s * 1_000);
    let take = |forming: &mut Forming, s: i64, samples| {
        forming.take(at(s), set(GAS, samples), &rules);
    };
    take(&mut forming, 1, vec![sample("a34013", "3", "N")]);
    for s in [5, 10, 15, 20, 25] {
        let so2 = if s < 25 { "40" } else { "42.50" };
        let samples = vec![sample("a21026", so2, "N"), sample("a19001", "11", "N")];
        take(&mut forming, s, samples);
    }
    take(&mut forming, 28, vec![sample("a21002", "", "B")]);
    assert!(forming.close_realtime(at(29), &rules).is_none());
    let record = forming.close_realtime(at(30), &rules).unwrap();
    assert_eq!(record.start, at(30));
    let of = |code: &str| {
        let value = record.values.iter().find(|v| v.factor.as_str() == code);
        let value = value.unwrap();
        let text = |n: &Option<crate::model::Number>| n.as_ref().map(|n| n.text.to_string());
        (
            text(&value.rtd),
            text(&value.converted),
            flag(value).to_string(),
        )
    };
    let shown = |text: &str| Some(text.to_string());
    assert_eq!(of("a21026"), (shown("42.50"), shown("63.75"), "N".into()));
    assert_eq!(of("a21002"), (None, None, "B".into()));
    // Nothing from the dust meter since second 1.
    assert_eq!(of("a34013"), (None, None, "B".into()));
    assert!(forming.close_realtime(at(30), &rules).is_none());
}

#[test]
fn a_poll_that_gave_nothing_opens_no_interval() {
    let city = registry();
    let rules = rules(&city, GAS);
    let mut forming = Forming::default();
    forming.take(minute(0), set(GAS, vec![]), &rules);
    assert_eq!(forming.first_end(), None);
    assert!(forming.is_empty());
}

#[test]
fn a_factor_that_left_the_registry_is_not_waited_for() {
    let city = registry();
    let rules = rules(&city, GAS);
    let mut forming = Forming::default();
    let polled = |codes: &[&str], at: Timestamp, forming: &mut Forming| {
        let samples = codes.iter().map(|code| sample(code, "1", "N")).collect();
        let record = forming.close_minute(at, &rules);
        forming.take(at, set(GAS, samples), &rules);
        record.map_or(0, |record| record.values.len())
    };
    polled(&["a21026", "a21002", "a05001"], minute(0), &mut forming);
    assert_eq!(polled(&["a21026"], minute(1), &mut forming), 3);
    // a05001 is not of the registry; a21002 is, and silent for a day before it is given up.
    assert_eq!(polled(&["a21026"], minute(2), &mut forming), 2);
    assert_eq!(polled(&["a21026"], minute(25 * 60), &mut forming), 2);
    assert_eq!(polled(&["a21026"], minute(25 * 60 + 2), &mut forming), 1);
}
