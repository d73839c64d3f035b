use super::*;
use cems_core::duties::{Opening, current_opening, due_at};
use cems_core::model::{Day, DutyId, DutyRule, DutyTrigger, Known, Sure};

fn book() -> DutyBook {
    let mut report = Report::default();
    let book = read(UtcOffset::default(), &mut report).book;
    let (problems, warnings) = report.into_parts();
    assert_eq!((problems, warnings), (vec![], vec![]));
    book
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// The last day in time of the round that is open on `on`.
fn last_day(rule: &DutyRule, on: &str) -> String {
    let book = book();
    let (period, opens) = current_opening(rule, day(on)).unwrap();
    let opening = Opening::Period(period, opens);
    let due = due_at(rule, &opening, &book.calendar, UtcOffset::default()).unwrap();
    Day::of(due.plus_ms(-1), UtcOffset::default()).to_string()
}

#[test]
fn the_national_table_has_every_row() {
    let book = book();
    assert_eq!(book.rules.len(), 26);
    let text = NATIONAL.1;
    for number in 1..=15 {
        let heading = format!("\n# {number}. ");
        assert!(text.contains(&heading), "row {number}");
    }
    // Shipped switched off, for provinces that count so.
    assert!(!book.rules.contains_key(&DutyId::new("equipment-restored")));
    assert!(text.contains("id = \"equipment-restored\"\noff = true"));
}

#[test]
fn whoever_owes_a_duty_is_reminded_and_somebody_hears_when_it_stays_overdue() {
    for rule in book().rules.values() {
        let id = &rule.id;
        if matches!(rule.trigger, DutyTrigger::Watched { .. }) {
            continue;
        }
        assert!(!rule.remind_h.is_empty(), "{id} reminds nobody");
        assert!(!rule.escalate.is_empty(), "{id} is told to nobody");
        assert_ne!(rule.provenance.sure, Sure::V, "{id}: no text was at hand");
    }
}

#[test]
fn days_of_2026_by_the_notice() {
    let book = book();
    let total = &book.rules[&DutyId::new("month-total")];
    assert_eq!(last_day(total, "2026-10-08"), "2026-10-15");
    // 2, 3 are free; 4 is a make-up Sunday; then 5 to 9 and 12.
    assert_eq!(last_day(total, "2026-01-01"), "2026-01-12");
    // The break runs to Labour Day's 5; 9 is a make-up Saturday: 6, 7, 8, 9, 11, 12, 13.
    assert_eq!(last_day(total, "2026-05-04"), "2026-05-13");
    let self_check = &book.rules[&DutyId::new("quarter-self-check")];
    assert_eq!(last_day(self_check, "2025-10-01"), "2025-10-21");
    let statistics = &book.rules[&DutyId::new("enforcement-statistics")];
    assert_eq!(last_day(statistics, "2026-11-30"), "2026-01-20");
}

#[test]
fn breaks_have_the_length_that_the_notices_give() {
    let book = book();
    let free = |year: i32| {
        let days = (0..366).map(|n| Day::new(year, 1, 1).unwrap().plus(n));
        let days = days.filter(|day| day.year() == year);
        days.filter(|day| {
            matches!(
                book.calendar.kind(*day),
                cems_core::model::DayKind::Holiday(_)
            )
        })
        .count()
    };
    // 1 + 8 + 3 + 5 + 3 + 8, and 3 + 9 + 3 + 5 + 3 + 3 + 7.
    assert_eq!((free(2025), free(2026)), (28, 33));
    // The law: 1 + 4 + 1 + 2 + 1 + 1 + 3.
    assert_eq!(free(2027), 13);
    // Every day off on a weekday beyond those of the law is worked on a weekend.
    for year in [2025, 2026] {
        assert_eq!(book.calendar.known(year), Known::Announced);
    }
    assert!(matches!(book.calendar.known(2027), Known::Provisional(_)));
    assert_eq!(book.calendar.known(2028), Known::Unknown);
}

#[test]
fn a_year_has_as_many_working_days_as_the_law_leaves() {
    // 365 days less the weekends (104) and 13 days of festivals; a festival on a weekend is made
    // up for, and 2025 and 2026 each end with that sum.
    let book = book();
    for year in [2025, 2026] {
        let days = (0..365).map(|n| Day::new(year, 1, 1).unwrap().plus(n));
        let worked = days
            .filter(|day| book.calendar.is_working_day(*day))
            .count();
        assert_eq!(worked, 248, "{year}");
    }
}
