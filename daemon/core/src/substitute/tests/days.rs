//! Daily loads of a discharge.

use super::*;
use crate::model::profile::DayThreshold;

fn thirty() -> SubstitutionMethod {
    SubstitutionMethod::DailyMaximum { days: 30 }
}

/// The quarter of 20 days, after days with the given loads.
fn after(loads: &[&str]) -> Series {
    let mut series = Series::new(thirty(), 20 * 24);
    let days = i64::try_from(loads.len()).unwrap();
    for (load, day) in loads.iter().zip(-days..) {
        let hourly = internal(dec(load) / dec("24"));
        series = series.valid(day * 24, 24, &hourly.to_string());
    }
    series
}

/// The loads of the worked case of HJ 356-2019 clause 8.
const LOADS: &str = include_str!("../../../testdata/vectors.jsonl");

#[test]
fn a_day_without_a_valid_load_takes_the_greatest_of_thirty() {
    let case = LOADS
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .find(|case| case["id"] == "w-sub-2019-30d")
        .unwrap();
    let loads = case["inputs"]["daily_load_kg"].as_array().unwrap();
    let loads: Vec<String> = loads.iter().map(ToString::to_string).collect();
    let loads: Vec<&str> = loads.iter().map(String::as_str).collect();
    let mut series = after(&loads)
        .valid(0, 19, "100")
        .add(19, 5, FAULT, None)
        .valid(24, 19 * 24, "20");
    let gap = series.only_gap();
    let settled = gap.settled.unwrap();
    assert_eq!(settled.rule, "day-max-30");
    assert_eq!(settled.looked_back, 30);
    let expected = dec(&case["expected"]["substitute_kg"].to_string());
    assert!((settled.unit_kg.unwrap() - expected).abs() < dec("0.0000001"));
    assert_eq!((gap.from, gap.until, gap.hours), (hour(0), hour(24), 5));
    // The load stands in place of the whole day.
    assert_eq!(gap.replaced_by_day, [(hour(0), dec("1900"))]);
    assert_eq!(series.quarter().measured_kg, Some(dec("9120")));

    // The last passed check lies ten days back: the greatest of the thirty before it.
    series.checks = vec![hour(-10 * 24)];
    let settled = series.only_gap().settled.unwrap();
    assert_eq!(settled.window, Some((hour(-40 * 24), hour(-11 * 24))));
    assert_eq!(settled.capture_pct, None);
}

#[test]
fn a_day_of_enough_valid_hours_has_a_load() {
    let series = after(&["48"])
        .valid(0, 20, "1")
        .add(20, 4, FAULT, None)
        .valid(24, 19 * 24, "1");
    assert!(series.quarter().gaps.is_empty());
    assert_eq!(series.quarter().invalid, 4);
}

#[test]
fn of_a_part_day_the_share_of_hours_due_may_decide() {
    let mut series = after(&["48"])
        .valid(0, 10, "1")
        .add(10, 14, HourState::Stopped, None)
        .valid(24, 19 * 24, "1");
    assert_eq!(series.quarter().gaps.len(), 1);
    series.profile.day_threshold = DayThreshold::ShareOfDue;
    assert!(series.quarter().gaps.is_empty());
}

#[test]
fn days_in_a_row_are_one_gap_and_stopped_days_lie_within() {
    let mut series = after(&["48", "24"])
        .add(0, 24, FAULT, None)
        .add(24, 24, HourState::Stopped, None)
        .valid(72, 17 * 24, "1");
    series.hours.retain(|fact| fact.start != hour(-1));
    let gap = series.only_gap();
    let settled = gap.settled.unwrap();
    // The third day never came.
    assert_eq!((gap.from, gap.until, gap.hours), (hour(0), hour(72), 48));
    assert_eq!(
        (settled.unit_kg, settled.total_kg),
        (Some(dec("48")), Some(dec("96")))
    );
    assert_eq!(gap.by_day, [(hour(0), dec("48")), (hour(48), dec("48"))]);
}

#[test]
fn a_day_that_is_not_over_is_not_judged() {
    let mut series = after(&["48"]).valid(0, 24, "1");
    series.until = 30;
    assert!(series.quarter().gaps.is_empty());
    assert_eq!(series.quarter().invalid, 6);
    series.until = 48;
    assert_eq!(series.only_gap().provisional.total_kg, Some(dec("48")));
    assert_eq!(series.only_gap().settled, None);
}

#[test]
fn supervision_that_begins_at_noon_judges_the_day_after() {
    let mut series = Series::new(thirty(), 20 * 24);
    series = series.valid(12, 12, "1").valid(24, 24, "1");
    series.known_from = 12;
    let gap = series.only_gap();
    assert_eq!((gap.from, gap.until), (hour(48), hour(480)));
    assert_eq!(gap.settled.unwrap().looked_back, 1);
}

#[test]
fn manual_data_for_every_invalid_hour_make_the_load() {
    let mut series = after(&["48"])
        .valid(0, 12, "1")
        .add(12, 12, FAULT, Some("0.1"))
        .valid(24, 19 * 24, "1");
    for fact in &mut series.hours {
        fact.volume_m3 = Some(dec("50"));
    }
    series.profile.substitution.manual_first = true;
    series.profile.substitution.manual_reach_h = 3;
    let sample = |n: i64| ManualSample {
        sampled_at: hour(n),
        concentration: dec("10"),
    };
    series.manual = vec![sample(15)];
    assert_eq!(series.only_gap().settled.unwrap().rule, "day-max-30");
    series.manual.push(sample(21));
    let gap = series.only_gap();
    let settled = gap.settled.unwrap();
    assert_eq!(
        (settled.rule.as_str(), settled.total_kg),
        ("manual", Some(dec("6")))
    );
    // Valid hours keep what they measured.
    assert_eq!(gap.replaced_by_day, [(hour(0), dec("1.2"))]);
    assert_eq!(series.quarter().measured_kg, Some(dec("468")));
}

#[test]
fn a_discharge_without_history_has_no_load_to_put_in() {
    let series = Series::new(thirty(), 48).add(0, 48, FAULT, None);
    let settled = series.only_gap().settled.unwrap();
    assert_eq!(
        (settled.rule.as_str(), settled.total_kg),
        ("no-history", None)
    );
}
