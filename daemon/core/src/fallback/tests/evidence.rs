//! Tests of the equipment and assessments open and close, by evidence.

use super::*;
use crate::model::time::{DAY_MS, quarter_of};

/// A desk whose data are valid every ten minutes until `minute`.
fn flowing(rule: FallbackRule, minute: i64) -> Desk {
    let mut desk = Desk::new(rule, &["a"]);
    flow(&mut desk, 0, minute);
    desk
}

fn flow(desk: &mut Desk, from: i64, until: i64) {
    for minute in (from..until).step_by(10) {
        desk.value("a", Sighting::Valid, minute);
    }
}

/// The quarter `n` before the one that holds 1970-01-01.
fn quarter_before(n: i64) -> Timestamp {
    quarter_of(
        Timestamp(0).plus_ms(-n * 90 * DAY_MS),
        UtcOffset::from_minutes(0).unwrap(),
    )
    .0
}

#[test]
fn a_failed_test_opens_though_data_flow_and_a_passed_one_closes() {
    let mut desk = flowing(rule(30), 100);
    desk.tested("a", QaKind::SpanDrift, Some(90), 101);
    let reason = FallbackReason::OutOfControl {
        factor: "a".into(),
        kind: QaKind::SpanDrift,
        since: at(90),
        test: Seq(9),
    };
    assert_eq!(desk.row().reasons, [reason]);
    assert_eq!(desk.row().opened_at, at(101));
    flow(&mut desk, 110, 200);
    // Another kind passes: the drift has not been put right.
    desk.tested("a", QaKind::ZeroDrift, None, 200);
    desk.restart();
    assert!(desk.closed.is_empty());
    desk.tested("a", QaKind::SpanDrift, None, 201);
    let row = &desk.closed[0];
    assert_eq!(row.closed_at, Some(at(201)));
    assert_eq!(row.closed_why.as_deref(), Some("reasons-lifted"));
    assert_eq!((row.lifted[0].reason, row.lifted[0].at), (0, at(201)));
}

#[test]
fn each_reason_must_be_lifted() {
    let mut desk = flowing(rule(30), 100);
    desk.tested("a", QaKind::SpanDrift, Some(90), 101);
    desk.reviewed(quarter_before(1), false, 102);
    desk.value("a", Sighting::Invalid(vec!["D".into()]), 110);
    let codes = |desk: &Desk| -> Vec<&str> {
        let reasons = desk.row().reasons.iter();
        reasons.map(FallbackReason::code).collect()
    };
    assert_eq!(codes(&desk), ["out-of-control", "review-failed"]);
    desk.advance(200);
    assert_eq!(codes(&desk)[2..], ["equipment-state"]);
    desk.tested("a", QaKind::SpanDrift, None, 201);
    desk.reviewed(quarter_before(1), true, 202);
    assert_eq!(desk.row().lifted.len(), 2);
    assert!(desk.closed.is_empty(), "data do not flow yet");
    flow(&mut desk, 210, 240);
    assert!(desk.closed.is_empty(), "not for long enough");
    flow(&mut desk, 240, 250);
    assert_eq!(desk.closed[0].closed_at, Some(at(240)));
}

#[test]
fn a_later_quarter_that_passes_lifts_an_earlier_failure_and_an_earlier_one_does_not() {
    let mut desk = flowing(rule(0), 100);
    desk.reviewed(quarter_before(2), false, 101);
    desk.reviewed(quarter_before(3), true, 102);
    assert_eq!(desk.row().reasons[0].code(), "review-failed");
    desk.value("a", Sighting::Valid, 103);
    desk.reviewed(quarter_before(1), true, 104);
    assert_eq!(desk.closed.len(), 1);
    // The failure of a quarter before the last that passed opens nothing.
    desk.reviewed(quarter_before(2), false, 105);
    assert!(desk.machine.row().is_none());
}

#[test]
fn an_assessment_that_runs_out_opens_and_so_does_one_that_never_was() {
    let valid_for = |days| FallbackRule {
        review_valid_days: Some(days),
        ..rule(0)
    };
    let mut desk = flowing(valid_for(2), 2_900);
    assert_eq!(
        desk.row().reasons,
        [FallbackReason::NotReviewed { since: at(0) }]
    );
    assert_eq!(desk.row().opened_at, at(2 * 1_440));
    // Passed for the quarter that ended at midnight of the first day: ran out with it.
    desk.reviewed(quarter_before(1), true, 2_901);
    let expired = FallbackReason::ReviewExpired {
        quarter: quarter_before(1),
        since: at(2 * 1_440),
    };
    assert_eq!(desk.row().reasons[1..], [expired]);
    assert_eq!(desk.row().lifted[0].reason, 0);
    // Passed for the running quarter.
    desk.value("a", Sighting::Valid, 2_902);
    desk.reviewed(quarter_before(0), true, 2_903);
    assert_eq!(desk.closed.len(), 1);

    let mut desk = flowing(valid_for(2), 100);
    desk.reviewed(quarter_before(1), true, 101);
    flow(&mut desk, 110, 2_880);
    assert!(desk.machine.row().is_none());
    desk.advance(2_880);
    assert_eq!(desk.row().reasons[0].code(), "review-expired");
}

#[test]
fn a_rule_that_gives_more_time_lifts_what_had_run_out() {
    let mut desk = flowing(
        FallbackRule {
            review_valid_days: Some(1),
            ..rule(0)
        },
        1_450,
    );
    assert_eq!(desk.row().reasons[0].code(), "not-reviewed");
    desk.rule.review_valid_days = None;
    let codes = [FactorCode::new("a")];
    desk.machine.watch(&codes, at(1_451));
    desk.advance(1_452);
    assert_eq!(desk.closed[0].closed_at, Some(at(1_451)));
}

#[test]
fn what_a_person_closed_stays_closed_until_something_new_comes_up() {
    let mut desk = flowing(rule(0), 100);
    desk.tested("a", QaKind::SpanDrift, Some(90), 101);
    assert!(desk.decide_close(102));
    flow(&mut desk, 110, 200);
    assert!(desk.machine.row().is_none());
    desk.tested("a", QaKind::ZeroDrift, Some(150), 201);
    let kinds: Vec<_> = desk
        .row()
        .reasons
        .iter()
        .map(FallbackReason::code)
        .collect();
    assert_eq!(kinds, ["out-of-control", "out-of-control"]);
    desk.tested("a", QaKind::ZeroDrift, None, 202);
    assert!(desk.closed.len() == 1, "the span has not been put right");
}

#[test]
fn nothing_is_held_against_a_factor_that_is_not_watched_any_more() {
    let mut desk = flowing(rule(0), 100);
    desk.tested("b", QaKind::SpanDrift, Some(90), 101);
    assert!(desk.machine.row().is_none());
    desk.tested("a", QaKind::SpanDrift, Some(90), 101);
    let codes = [FactorCode::new("b")];
    desk.machine.watch(&codes, at(102));
    desk.value("b", Sighting::Valid, 103);
    assert_eq!(desk.closed.len(), 1);
}

#[test]
fn the_list_of_reasons_is_bounded_and_keeps_what_stands() {
    let mut desk = flowing(rule(0), 100);
    desk.tested("a", QaKind::SpanDrift, Some(90), 101);
    for minute in 102..102 + 400 {
        desk.tested("a", QaKind::ZeroDrift, Some(minute), minute);
        desk.tested("a", QaKind::ZeroDrift, None, minute);
    }
    let row = desk.row();
    assert_eq!(row.reasons.len(), REASONS_MAX);
    assert!(row.lifted.len() < REASONS_MAX);
    assert!(row.lifted.iter().all(|lifting| lifting.reason > 0));
}
