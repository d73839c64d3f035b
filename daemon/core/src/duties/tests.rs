//! Stories of the calendar, and rounds against a checker that knows nothing of them.

use super::*;
use crate::lang::Text;
use crate::model::calendar::{CalendarYear, Holiday};
use crate::model::profile::{Provenance, Sure};
use crate::model::{
    Day, DayKind, DutyDeadline, DutyEvent, DutyFor, DutyRule, DutyStep, DutyTrigger, Known,
    Recurrence, Role, Speaks, Timestamp, UtcOffset, WorkCalendar,
};
use std::collections::{BTreeMap, BTreeSet};

mod properties;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// A moment at the site, `2026-10-08 16:00`.
fn at(text: &str) -> Timestamp {
    let local = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
    UtcOffset::default().instant(local)
}

/// 2026 as announced: the parts that the stories need.
fn calendar() -> WorkCalendar {
    let holiday = |name: &str, from: &str, to: &str| Holiday {
        name: Text::new(name, name),
        from: day(from),
        to: day(to),
    };
    let year = CalendarYear {
        holidays: vec![
            holiday("元旦", "2026-01-01", "2026-01-03"),
            holiday("春节", "2026-02-15", "2026-02-23"),
            holiday("国庆节", "2026-10-01", "2026-10-07"),
        ],
        make_up: ["2026-01-04", "2026-02-14", "2026-02-28", "2026-10-10"]
            .map(day)
            .into(),
        source: "story".to_owned(),
        provisional: None,
    };
    WorkCalendar {
        years: [(2026, year)].into(),
    }
}

fn rule(trigger: DutyTrigger, deadline: DutyDeadline) -> DutyRule {
    DutyRule {
        id: DutyId::new("row"),
        name: Text::new("事项", "duty"),
        subject: DutyFor::Enterprise,
        regions: BTreeSet::new(),
        roles: [Role::EnterpriseUser].into(),
        trigger,
        deadline,
        moves: false,
        remind_h: vec![72, 24],
        escalate: vec![DutyStep {
            after_h: 24,
            roles: [Role::Supervisor].into(),
        }],
        document: false,
        quota: Vec::new(),
        provenance: Provenance {
            sure: Sure::M,
            source: "story".to_owned(),
        },
        from: None,
        until: None,
    }
}

fn every(period: Recurrence, speaks: Speaks) -> DutyTrigger {
    DutyTrigger::Every {
        period,
        speaks,
        opens: None,
    }
}

/// When the round of the period of `day` opens, its name, and the last minute in time.
fn round_of(rule: &DutyRule, on: &str) -> (String, String, String) {
    let (period, opens) = current_opening(rule, day(on)).unwrap();
    let opening = Opening::Period(period, opens);
    let due = due_at(rule, &opening, &calendar(), UtcOffset::default()).unwrap();
    let label = opening.label(rule).unwrap();
    (opens.to_string(), label.to_string(), last_minute(due))
}

fn last_minute(due: Timestamp) -> String {
    let local = UtcOffset::default().local(due.plus_ms(-60_000));
    local.format("%Y-%m-%d %H:%M").to_string()
}

fn texts(opens: &str, label: &str, last: &str) -> (String, String, String) {
    (opens.to_owned(), label.to_owned(), last.to_owned())
}

fn triggered_due(deadline: DutyDeadline, trigger: &str) -> String {
    let event = DutyEvent::FallbackOpened;
    let rule = rule(DutyTrigger::On { event }, deadline);
    let opening = Opening::Trigger(at(trigger));
    let due = due_at(&rule, &opening, &calendar(), UtcOffset::default()).unwrap();
    last_minute(due)
}

#[test]
fn the_first_seven_working_days_of_october_begin_after_national_day() {
    let months = every(Recurrence::Month, Speaks::Previous);
    let total = rule(months, DutyDeadline::WorkingDay { n: 7 });
    // Working days: 8, 9, the make-up Saturday 10, 12, 13, 14, 15.
    let expected = texts("2026-10-01", "2026-09", "2026-10-15 23:59");
    assert_eq!(round_of(&total, "2026-10-08"), expected);
    // In a month without holidays.
    let expected = texts("2026-09-01", "2026-08", "2026-09-09 23:59");
    assert_eq!(round_of(&total, "2026-09-30"), expected);
}

#[test]
fn a_make_up_day_counts_and_a_day_of_a_break_does_not() {
    let calendar = calendar();
    assert_eq!(calendar.kind(day("2026-02-14")), DayKind::MakeUp);
    assert!(calendar.is_working_day(day("2026-02-28")));
    assert!(!calendar.is_working_day(day("2026-02-23")), "a Monday");
    let kind = calendar.kind(day("2026-10-03"));
    assert!(matches!(kind, DayKind::Holiday(name) if name.zh == "国庆节"));
    assert_eq!(calendar.kind(day("2026-10-11")), DayKind::Weekend);
}

#[test]
fn a_year_without_data_counts_monday_to_friday_and_says_so() {
    let calendar = calendar();
    assert_eq!(calendar.known(2026), Known::Announced);
    assert_eq!(calendar.known(2031), Known::Unknown);
    // 1 October 2031 is a Wednesday.
    assert!(calendar.is_working_day(day("2031-10-01")));
    assert_eq!(
        calendar.nth_working_day(day("2031-10-01"), 4),
        day("2031-10-06")
    );
}

#[test]
fn a_calendar_without_any_working_day_ends_the_count() {
    let closed = CalendarYear {
        holidays: vec![Holiday {
            name: Text::default(),
            from: day("2026-01-01"),
            to: day("2029-12-31"),
        }],
        make_up: BTreeSet::new(),
        source: String::new(),
        provisional: None,
    };
    let years: BTreeMap<i32, CalendarYear> =
        (2026..2030).map(|year| (year, closed.clone())).collect();
    let calendar = WorkCalendar { years };
    assert!(calendar.add_working_days(day("2026-01-01"), 2) > day("2026-12-31"));
}

#[test]
fn twenty_working_days_run_over_spring_festival() {
    // 2 February is a Monday: 3 to 6, 9 to 13, the Saturday 14; free from 15 to 23; 24 to 27, the
    // Saturday 28, 2 to 6 March.
    let deadline = DutyDeadline::WorkingDaysAfter { n: 20 };
    assert_eq!(
        triggered_due(deadline, "2026-02-02 09:30"),
        "2026-03-06 23:59"
    );
}

#[test]
fn three_days_after_a_fallback_opened_end_at_midnight() {
    let deadline = DutyDeadline::DaysAfter { n: 3 };
    assert_eq!(
        triggered_due(deadline, "2026-10-01 22:10"),
        "2026-10-04 23:59"
    );
    let hours = DutyDeadline::HoursAfter { n: 12 };
    assert_eq!(triggered_due(hours, "2026-10-01 22:10"), "2026-10-02 10:09");
    let before = DutyDeadline::DaysBefore { n: 5 };
    assert_eq!(
        triggered_due(before, "2026-10-20 08:00"),
        "2026-10-15 07:59"
    );
}

#[test]
fn a_due_day_can_move_to_the_next_working_day() {
    let event = DutyEvent::FallbackOpened;
    let mut moving = rule(DutyTrigger::On { event }, DutyDeadline::DaysAfter { n: 3 });
    moving.moves = true;
    let opening = Opening::Trigger(at("2026-10-01 22:10"));
    let due = due_at(&moving, &opening, &calendar(), UtcOffset::default()).unwrap();
    assert_eq!(last_minute(due), "2026-10-08 23:59");
}

#[test]
fn quarters_years_and_weeks() {
    let quarters = every(Recurrence::Quarter, Speaks::Previous);
    let self_check = rule(quarters, DutyDeadline::WorkingDay { n: 10 });
    // 8, 9, 10, 12 to 16, 19, 20.
    let expected = texts("2026-10-01", "2026-Q3", "2026-10-20 23:59");
    assert_eq!(round_of(&self_check, "2026-12-31"), expected);

    let review = rule(
        every(Recurrence::Quarter, Speaks::Current),
        DutyDeadline::PeriodEnd,
    );
    let expected = texts("2026-01-01", "2026-Q1", "2026-03-31 23:59");
    assert_eq!(round_of(&review, "2026-02-11"), expected);

    let statistics = rule(
        every(Recurrence::Year, Speaks::Previous),
        DutyDeadline::DayOfMonth {
            month: Some(1),
            day: 20,
        },
    );
    let expected = texts("2026-01-01", "2025", "2026-01-20 23:59");
    assert_eq!(round_of(&statistics, "2026-05-05"), expected);

    let form = rule(
        every(Recurrence::Month, Speaks::Previous),
        DutyDeadline::DayOfMonth {
            month: None,
            day: 31,
        },
    );
    let expected = texts("2026-02-01", "2026-01", "2026-02-28 23:59");
    assert_eq!(round_of(&form, "2026-02-01"), expected);

    let week = rule(
        every(Recurrence::Week, Speaks::Previous),
        DutyDeadline::Day { n: 2 },
    );
    let expected = texts("2026-12-28", "2026-W52", "2026-12-29 23:59");
    assert_eq!(round_of(&week, "2027-01-03"), expected);
}

#[test]
fn what_opens_in_the_middle_of_a_year_waits_for_its_day() {
    let mut yearly = rule(
        every(Recurrence::Year, Speaks::Previous),
        DutyDeadline::PeriodEnd,
    );
    yearly.trigger = DutyTrigger::Every {
        period: Recurrence::Year,
        speaks: Speaks::Previous,
        opens: Some((4, 15)),
    };
    assert_eq!(current_opening(&yearly, day("2026-04-14")), None);
    let (_, opens) = next_opening(&yearly, day("2026-04-14")).unwrap();
    assert_eq!(opens, day("2026-04-15"));
    let (_, opens) = next_opening(&yearly, day("2026-04-15")).unwrap();
    assert_eq!(opens, day("2027-04-15"));
    let expected = texts("2026-04-15", "2025", "2026-12-31 23:59");
    assert_eq!(round_of(&yearly, "2026-07-01"), expected);
}

#[test]
fn a_row_opens_within_its_dates_only() {
    let mut monthly = rule(
        every(Recurrence::Month, Speaks::Current),
        DutyDeadline::PeriodEnd,
    );
    monthly.from = Some(day("2026-03-10"));
    monthly.until = Some(day("2026-06-01"));
    assert_eq!(current_opening(&monthly, day("2026-03-20")), None);
    let (_, opens) = next_opening(&monthly, day("2026-01-20")).unwrap();
    assert_eq!(opens, day("2026-04-01"));
    assert_eq!(next_opening(&monthly, day("2026-05-02")), None);
}

#[test]
fn what_opens_near_its_end_is_near_at_once() {
    let event = DutyEvent::StopAnnounced;
    let rule = rule(DutyTrigger::On { event }, DutyDeadline::DaysBefore { n: 5 });
    let (from, due) = (at("2026-10-09 10:00"), at("2026-10-09 22:00"));
    let mut round = Round::new(from, due);
    assert_eq!(round.next(&rule), Some(from));
    let last = Turn::Reminder {
        hours: 24,
        last: true,
    };
    assert_eq!(round.advance(&rule, from), [(from, last)]);
    let told = round.advance(&rule, due.plus_ms(25 * 3_600_000));
    let turns: Vec<Turn> = told.into_iter().map(|(_, turn)| turn).collect();
    assert_eq!(turns, [Turn::Overdue, Turn::Escalation(0)]);
    assert_eq!(round.next(&rule), None);
}

#[test]
fn what_opens_too_late_is_overdue_at_once() {
    let event = DutyEvent::StopAnnounced;
    let rule = rule(DutyTrigger::On { event }, DutyDeadline::DaysBefore { n: 5 });
    let from = at("2026-10-09 10:00");
    let mut round = Round::new(from, at("2026-10-08 22:00"));
    assert_eq!(round.advance(&rule, from), [(from, Turn::Overdue)]);
    assert!(round.is_overdue());
    let next = round.next(&rule).unwrap();
    assert_eq!(
        next,
        at("2026-10-10 10:00"),
        "counted from when it was known"
    );
}

#[test]
fn keys_name_row_subject_and_round() {
    let subject = DutySubject::Enterprise("jia".into());
    let key = key(&DutyId::new("month-total"), &subject, "2026-09");
    assert_eq!(key.as_str(), "month-total:jia:2026-09");
    assert_eq!(triggered("fallback", 12), "fallback-12");
}
