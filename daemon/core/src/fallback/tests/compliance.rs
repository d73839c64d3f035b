//! The sheet of a fallback.

use super::*;
use crate::fallback::compliance::{self, DueState, Sheet};

fn sheet_of(desk: &Desk, row: &FallbackRow, now: i64) -> Sheet {
    let terms = Terms::new(&desk.rule, desk.offset);
    compliance::sheet(row, &desk.reports, at(now), &terms)
}

#[test]
fn a_night_and_a_day_from_ten_in_the_evening() {
    let mut desk = Desk::new(rule(0), &["a"]);
    let (evening, day) = (22 * 60, 1_440);
    desk.value("a", Sighting::Valid, evening - 60);
    // In time, late by 10 minutes, by 20 minutes, and nothing more.
    for (sample, entered) in [(1_440, 1_450), (1_800, 1_810), (2_170, 2_180)] {
        desk.seq += 1;
        desk.report(sample, entered);
    }
    desk.advance(2 * day + 100);
    let sheet = sheet_of(&desk, desk.row(), 2 * day + 100);
    let lines: Vec<_> = sheet
        .dues
        .iter()
        .map(|line| {
            (
                line.state,
                line.due.0 / MINUTE_MS,
                line.late_ms,
                line.missed,
            )
        })
        .collect();
    let late = |minutes: i64| Some(minutes * MINUTE_MS);
    assert_eq!(
        lines,
        [
            (DueState::Met, evening + 360, None, false),
            (DueState::Late, 1_800, late(10), true),
            (DueState::Late, 2_160, late(20), true),
            (DueState::Overdue, 2_530, None, true),
        ]
    );
    let days: Vec<_> = sheet
        .days
        .iter()
        .map(|d| (d.full, d.reports, d.short, d.over))
        .collect();
    assert_eq!(
        days,
        [
            (false, 0, false, true),
            (true, 3, true, true),
            (false, 0, false, false)
        ]
    );
    assert_eq!(sheet.totals.scheduled, 4);
    assert_eq!((sheet.totals.in_time, sheet.totals.late), (1, 2));
    assert_eq!((sheet.totals.missed_dues, sheet.totals.short_days), (3, 1));
    assert_eq!(sheet.totals.longest_gap_ms, Some(370 * MINUTE_MS));
    assert!(sheet.as_counted);
    assert_eq!(sheet.written.unwrap().due, at(evening + 3 * day));
}

#[test]
fn a_report_that_was_corrected_shows_once_and_says_so() {
    let mut desk = Desk::new(rule(0), &["a"]);
    desk.seq = 1;
    desk.report(90, 100);
    desk.seq = 2;
    desk.advance(120);
    // The sampling time was wrong by an hour.
    desk.reports[0].superseded = Some(Superseded {
        by: ReportId(2),
        at: at(120),
        seq: Seq(2),
    });
    let mut second = desk.reports[0].clone();
    second.superseded = None;
    second.id = ReportId(2);
    second.report.sampled_at = at(70);
    second.report.corrects = Some(ReportId(1));
    second.received_at = at(120);
    second.seq = Seq(2);
    desk.reports.push(second);
    desk.recount(&[70], 120);
    let sheet = sheet_of(&desk, desk.row(), 200);
    let states: Vec<DueState> = sheet.dues.iter().map(|line| line.state).collect();
    assert_eq!(states, [DueState::Met, DueState::Revised, DueState::Ahead]);
    assert_eq!(sheet.dues[2].due, at(430));
    assert_eq!(sheet.totals.reports, 1);
    assert_eq!(desk.row().next_due, Some(at(430)));
}

#[test]
fn one_that_closes_says_what_was_open_then() {
    for (closes, state) in [(100, DueState::Ended), (500, DueState::Missed)] {
        let mut desk = Desk::new(rule(0), &["a"]);
        desk.value("a", Sighting::Valid, closes);
        let sheet = sheet_of(&desk, &desk.closed[0], 4_000);
        assert_eq!(sheet.dues[0].state, state);
        assert_eq!(sheet.dues.len(), 1);
        assert_eq!(sheet.days.len(), 1);
    }
}

#[test]
fn a_rule_that_changed_meanwhile_is_told() {
    let mut desk = Desk::new(rule(0), &["a"]);
    desk.advance(500);
    assert!(sheet_of(&desk, desk.row(), 500).as_counted);
    desk.rule.max_gap_min = 600;
    assert!(!sheet_of(&desk, desk.row(), 500).as_counted);
}
