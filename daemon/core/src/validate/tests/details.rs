//! What clues say exactly, and what keeps checks quiet.

use super::bench::{DayBench, HourBench, city, wander};
use super::cases::{fallen, spike, stopped};
use crate::fixture::*;
use crate::model::*;
use crate::validate::failed;
use rust_decimal::Decimal;

fn evidence(clues: &[Clue], check: &str, name: &str) -> Option<String> {
    let clue = clues.iter().find(|clue| clue.check.0 == check)?;
    clue.evidence.get(name).cloned()
}

#[test]
fn evidence_is_exact() {
    let hour = HourBench::gas().set("a21026", |_| dec("35.24"));
    let clues = hour.reports(vec![value("a21026", "28.9", "N")]).clues();
    let of_hour = |name: &str| evidence(&clues, "hour-differs", name).unwrap();
    assert_eq!(of_hour("reported"), "28.9");
    assert_eq!(of_hour("mean_of_records"), "35.24");
    let clues = spike().clues();
    assert_eq!(clues.len(), 1, "the way back is part of the spike");
    let of_spike = |name: &str| evidence(&clues, "hour-step", name).unwrap();
    assert_eq!(of_spike("shape"), "spike");
    assert_eq!(of_spike("before"), "10.6");
    assert_eq!(of_spike("now"), "95");
    assert_eq!((clues[0].from, clues[0].until), (minute(480), minute(540)));
    let clues = stopped("8").clues();
    let of_stop = |name: &str| evidence(&clues, "stopped-but-emitting", name).unwrap();
    assert_eq!(
        (of_stop("records"), of_stop("flagged")),
        ("20".into(), "20".into())
    );
    assert_eq!(of_stop("o2_mean_pct"), "8");
}

#[test]
fn a_mark_that_says_stopped_is_held_against_the_readings_and_others_excuse() {
    let marked = HourBench::gas().mark(MarkKind::Stopped).codes();
    assert_eq!(marked, ["stopped-but-emitting"]);
    let zero = || HourBench::gas().set("a21026", |_| dec("0"));
    assert_eq!(
        zero().mark(MarkKind::StartUp).codes(),
        ["constant", "identical-minutes"]
    );
    assert_eq!(zero().mark(MarkKind::Maintenance).codes(), [""; 0]);
    assert_eq!(fallen().mark(MarkKind::Shutdown).codes(), [""; 0]);
}

#[test]
fn a_profile_sets_thresholds_and_switches_checks_off() {
    let flat = || HourBench::gas().set("a21026", |n| wander(n, "20", "0.08"));
    let set = flat().profile(|profile| {
        let own = [("range_pct".into(), dec("0.5"))].into();
        profile.checks.insert("constant".into(), own);
    });
    assert_eq!(set.codes(), [""; 0]);
    let off = flat().profile(|profile| profile.checks_off.push("constant".into()));
    assert_eq!(off.codes(), [""; 0]);
    let off = |code: &'static str| judged_off(&value("a21026", "-1", "D"), code);
    assert_eq!(off("flag"), ["below-range", "negative"]);
    let mut nothing = value("a21026", "1", "N");
    nothing.avg = None;
    assert_eq!(judged_off(&nothing, "no-value"), ["no-value"]);
}

fn judged_off(value: &Value, code: &str) -> Vec<String> {
    let mut city = city();
    city.profiles
        .get_mut("plain@1")
        .unwrap()
        .checks_off
        .push(code.into());
    let outlet = &city.outlets[GAS];
    let failed = failed(
        value,
        outlet,
        city.profile_at(outlet, Timestamp(0)).unwrap(),
    );
    failed.into_iter().map(|c| c.0.to_string()).collect()
}

#[test]
fn below_its_detection_limit_an_analyser_may_stand_still() {
    let flat = HourBench::gas().set("a21026", |_| dec("1"));
    let flat = flat.factor("a21026", |f| f.detection_limit = Some(Decimal::TWO));
    assert_eq!(flat.codes(), ["below-detection"]);
}

#[test]
fn an_instrument_that_is_off_is_no_source_that_is_stopped() {
    let one = HourBench::gas().flag(&["a34013"], 60, "F");
    assert_eq!(one.codes(), [""; 0]);
    let all = HourBench::gas().flag(&["a34013", "a21026", "a21002"], 60, "F");
    assert_eq!(all.codes(), ["stopped-but-emitting"]);
}

#[test]
fn the_day_of_a_station_may_be_the_mean_of_its_own_hours() {
    let day = || {
        let day = DayBench::gas().factor("a21026", |factor| factor.basis = Basis::ActualWet);
        day.reports(vec![value("a21026", "14.0", "N")])
    };
    assert_eq!(
        day().codes(),
        [""; 0],
        "nothing in the same state to compare with"
    );
    let with_hours = |mean: &'static str| {
        day().change(|row| {
            row.factors.get_mut("a21026").unwrap().reported = Some(dec(mean));
        })
    };
    assert_eq!(with_hours("14").codes(), [""; 0]);
    assert_eq!(with_hours("13").codes(), ["day-differs"]);
}
