//! When reminders and escalations come.

use super::*;

/// What was told, as `minute-of-the-due kind`.
fn told(desk: &Desk) -> Vec<String> {
    let minutes = |t: &Timestamp| t.0 / MINUTE_MS;
    let words = |turn: &Turn| match turn {
        Turn::Reminder(id, owed, due) => {
            Some(format!("#{id} {} due {}", owed.as_str(), minutes(due)))
        }
        Turn::Escalate(id, owed, since, step) => Some(format!(
            "#{id} {} overdue {} step {step}",
            owed.as_str(),
            minutes(since)
        )),
        Turn::Written(id, written) => written
            .overdue_since
            .map(|since| format!("#{id} written overdue {}", minutes(&since))),
        _ => None,
    };
    desk.turns.iter().filter_map(words).collect()
}

#[test]
fn a_reminder_comes_before_an_escalation_after_and_each_once() {
    let mut desk = Desk::new(rule(0), &["a"]);
    // Opened at 01:00, due at 07:00.
    desk.advance(359);
    assert!(told(&desk).is_empty());
    desk.advance(360);
    desk.restart();
    desk.advance(361);
    assert_eq!(told(&desk), ["#1 report due 420"]);
    desk.advance(449);
    assert_eq!(told(&desk)[1..], ["#1 report due 420"]);
    desk.restart();
    desk.advance(1_000);
    assert_eq!(
        told(&desk)[2..],
        [
            "#1 report overdue 420 step 1",
            "#1 report overdue 420 step 2"
        ]
    );
}

#[test]
fn a_report_so_late_that_the_next_is_due_soon_is_reminded_of_what_is_ahead() {
    let mut desk = Desk::new(rule(0), &["a"]);
    desk.advance(60);
    // Sampled at 02:00 and reported at 07:20: the next is due at 08:00, in 40 minutes.
    desk.report(120, 440);
    let before = told(&desk).len();
    desk.advance(479);
    assert_eq!(told(&desk)[before..], ["#1 report due 480"]);
}

#[test]
fn a_full_day_that_ends_short_is_reminded_of_though_the_next_report_is_not_due() {
    let mut desk = Desk::new(rule(0), &["a"]);
    desk.value("a", Sighting::Valid, 1_300);
    // Opened at 22:40 of the first day; the second one is full.
    desk.advance(1_400);
    for sample in [1_439 + 300, 1_439 + 600, 1_439 + 900] {
        desk.report(sample, sample);
    }
    // Sampled at 19:59, 4 h before midnight, as the third of the day.
    desk.report(1_439 + 1_200 - 1, 1_439 + 1_200 - 1);
    desk.recount(&[1_739, 2_039, 2_638], 2_639);
    desk.turns.clear();
    desk.advance(2_879);
    assert_eq!(told(&desk), ["#2 day due 2880"; 2]);
    desk.turns.clear();
    desk.advance(2_911);
    assert_eq!(told(&desk), ["#2 day overdue 2880 step 1"]);
}

#[test]
fn a_day_that_becomes_short_in_its_last_hour_is_reminded_of_what_is_ahead() {
    let mut desk = Desk::new(rule(0), &["a"]);
    desk.value("a", Sighting::Valid, 1_300);
    desk.advance(1_400);
    for sample in [1_739, 2_039, 2_339, 2_638] {
        desk.report(sample, sample);
    }
    // At the very minute of the first reminder one of four is taken back.
    desk.advance(2_820);
    desk.turns.clear();
    desk.recount(&[1_739, 2_039, 2_638], 2_820);
    desk.advance(2_879);
    assert_eq!(told(&desk), ["#2 day due 2880"], "at 23:45");
}

#[test]
fn the_written_report_is_owed_within_three_days_though_the_fallback_has_closed() {
    let mut desk = Desk::new(rule(0), &["a"]);
    desk.advance(60);
    let due = 60 + 3 * 1_440;
    let written = desk.row().written.clone().unwrap();
    assert_eq!((written.due, written.overdue_since), (at(due), None));
    desk.value("a", Sighting::Valid, 90);
    assert_eq!(desk.closed.len(), 1);
    for minute in (100..due + 200).step_by(30) {
        desk.value("a", Sighting::Valid, minute);
    }
    assert_eq!(
        told(&desk),
        [
            format!("#1 written due {due}"),
            format!("#1 written overdue {due}"),
            format!("#1 written overdue {due} step 1"),
            format!("#1 written overdue {due} step 2"),
        ]
    );
    assert!(desk.machine.owes_writing(at(due)));
    desk.machine.delivered(FallbackId(1));
    assert!(!desk.machine.owes_writing(at(due)));
}

#[test]
fn no_written_report_where_the_rule_asks_for_none() {
    let none = FallbackRule {
        written_due_h: 0,
        ..rule(0)
    };
    let mut desk = Desk::new(none, &["a"]);
    desk.advance(60);
    assert_eq!(desk.row().written, None);
}

#[test]
fn of_very_many_written_reports_the_newest_are_followed() {
    let mut desk = Desk::new(rule(0), &["a"]);
    for n in 0..100 {
        desk.decide_open(at(10 * n + 1));
        desk.decide_close(10 * n + 5);
    }
    desk.value("a", Sighting::Valid, 1_000);
    desk.turns.clear();
    for minute in (1_000..10_000).step_by(30) {
        desk.value("a", Sighting::Valid, minute);
    }
    let overdue: BTreeSet<FallbackId> = desk
        .turns
        .iter()
        .filter_map(|turn| match turn {
            Turn::Written(id, _) => Some(*id),
            _ => None,
        })
        .collect();
    assert_eq!(overdue.len(), WRITTEN_MAX);
    assert_eq!(overdue.last(), Some(&FallbackId(100)));
}
