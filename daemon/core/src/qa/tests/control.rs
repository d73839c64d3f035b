//! Time out of control, against a checker that asks every minute anew.

use crate::model::time::MINUTE_MS;
use crate::model::{QaOutcome, Timestamp};
use crate::qa::control::{
    Stretch, Tested, in_control, is_out_of_control, is_overdue, out_of_control, overdue,
};
use proptest::prelude::*;

/// Minutes the checker looks at.
const MINUTES: i64 = 400;

fn at(minute: i64) -> Timestamp {
    Timestamp(minute * MINUTE_MS)
}

fn tests(list: &[(i64, QaOutcome)]) -> Vec<Tested> {
    list.iter().map(|(m, outcome)| (at(*m), *outcome)).collect()
}

fn stretch(from: Option<i64>, until: Option<i64>) -> Stretch {
    Stretch {
        from: from.map(at),
        until: until.map(at),
    }
}

use QaOutcome::{Adjust, Failed, NotJudged, Passed};

#[test]
fn a_failed_test_reaches_back_to_the_last_passed_one_and_forward_to_the_next() {
    let list = tests(&[
        (0, Passed),
        (60, Passed),
        (120, Failed),
        (130, NotJudged),
        (150, Passed),
    ]);
    assert_eq!(out_of_control(list), [stretch(Some(60), Some(150))]);
}

#[test]
fn a_failed_test_without_passed_neighbours_has_no_ends() {
    let list = tests(&[(10, Failed), (20, Failed)]);
    assert_eq!(out_of_control(list), [stretch(None, None)]);
    let list = tests(&[(10, Failed), (20, Passed), (30, Failed)]);
    let expected = [stretch(None, Some(20)), stretch(Some(20), None)];
    assert_eq!(out_of_control(list), expected);
}

#[test]
fn a_drift_that_asks_for_adjustment_bounds_the_time_out_of_control() {
    let list = tests(&[(0, Adjust), (60, Failed), (61, Adjust)]);
    assert_eq!(out_of_control(list), [stretch(Some(0), Some(61))]);
}

#[test]
fn a_failed_test_and_its_repair_at_the_same_minute_end_there() {
    let list = tests(&[
        (0, Passed),
        (60, Failed),
        (60, Passed),
        (60, Failed),
        (60, Passed),
    ]);
    assert_eq!(out_of_control(list), [stretch(Some(0), Some(60))]);
}

#[test]
fn a_test_is_overdue_from_its_due_time() {
    let list = tests(&[(60, Passed), (130, Failed), (200, Passed)]);
    let expected = [stretch(Some(120), Some(200)), stretch(Some(260), None)];
    assert_eq!(overdue(at(30), list, 1), expected);
    assert_eq!(overdue(at(30), [], 2), [stretch(Some(150), None)]);
    assert!(!is_overdue((at(60), at(90)), at(30), &[], 1));
    assert!(is_overdue((at(60), at(91)), at(30), &[], 1));
}

/// Out of control in a minute, in the words of the rule: some failed test has no passed one
/// between itself and the minute.
fn out_at(list: &[(i64, QaOutcome)], minute: i64) -> bool {
    let passed = |(_, outcome): &(i64, QaOutcome)| in_control(*outcome) == Some(true);
    list.iter().enumerate().any(|(i, (failed, outcome))| {
        let repaired = if *failed <= minute {
            list[i..].iter().any(|t| passed(t) && t.0 <= minute)
        } else {
            list[..i].iter().any(|t| passed(t) && t.0 > minute)
        };
        *outcome == Failed && !repaired
    })
}

/// Overdue in a minute: no passed test, nor the beginning of the duty, in the hours before it.
fn overdue_at(list: &[(i64, QaOutcome)], since: i64, minutes: i64, minute: i64) -> bool {
    let in_time = |passed: i64| passed <= minute && minute < passed + minutes;
    let tested = list
        .iter()
        .any(|(m, outcome)| *m >= since && in_control(*outcome) == Some(true) && in_time(*m));
    minute >= since && !tested && !in_time(since)
}

fn days() -> impl Strategy<Value = Vec<(i64, QaOutcome)>> {
    let outcome = prop::sample::select(vec![Passed, Passed, Adjust, Failed, Failed, NotJudged]);
    prop::collection::vec((0..MINUTES, outcome), 0..12).prop_map(|mut list| {
        // A stable order: tests of the same minute keep their own.
        list.sort_by_key(|(minute, _)| *minute);
        list
    })
}

proptest! {
    #[test]
    fn agrees_with_every_minute(list in days()) {
        let stretches = out_of_control(tests(&list));
        for minute in -1..=MINUTES {
            let got = stretches.iter().any(|s| s.overlaps(at(minute), at(minute + 1)));
            prop_assert_eq!(got, out_at(&list, minute), "minute {}", minute);
        }
    }

    #[test]
    fn a_period_needs_its_own_tests_and_its_neighbours_only(
        list in days(),
        start in 0..MINUTES,
        length in 1i64..120,
    ) {
        let end = start + length;
        let judged = |t: &&Tested| in_control(t.1).is_some();
        let all = tests(&list);
        let before = all.iter().filter(judged).rfind(|t| t.0 <= at(start)).copied();
        let after = all.iter().filter(judged).find(|t| t.0 >= at(end)).copied();
        let inside: Vec<Tested> = all
            .iter()
            .filter(|t| at(start) < t.0 && t.0 < at(end))
            .copied()
            .collect();
        let got = is_out_of_control((at(start), at(end)), before, &inside, after);
        let expected = (start..end).any(|minute| out_at(&list, minute));
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn overdue_agrees_with_every_minute(
        list in days(),
        since in 0..MINUTES,
        every_h in 1u32..4,
        start in 0..MINUTES,
        length in 1i64..120,
    ) {
        let minutes = i64::from(every_h) * 60;
        let all = tests(&list);
        let stretches = overdue(at(since), all.iter().copied(), every_h);
        for minute in -1..=MINUTES {
            let got = stretches.iter().any(|s| s.overlaps(at(minute), at(minute + 1)));
            let expected = overdue_at(&list, since, minutes, minute);
            prop_assert_eq!(got, expected, "minute {}", minute);
        }
        let end = start + length;
        let passed = |t: &&Tested| in_control(t.1) == Some(true) && t.0 >= at(since);
        let last = all.iter().filter(passed).rfind(|t| t.0 <= at(start));
        let last = last.map_or(at(since), |t| t.0);
        let inside: Vec<Tested> = all
            .iter()
            .filter(|t| at(start) < t.0 && t.0 < at(end))
            .copied()
            .collect();
        let got = is_overdue((at(start), at(end)), last, &inside, every_h);
        let expected = (start..end).any(|minute| overdue_at(&list, since, minutes, minute));
        prop_assert_eq!(got, expected);
    }
}
