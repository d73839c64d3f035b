//! Questions about duties.

use super::*;
use crate::store::{DutyFilter, DutyPlaces};
use cems_core::model::{DutyDone, DutyGone, DutyId, DutyRow, DutySubject};

fn enterprise(id: &str) -> DutySubject {
    DutySubject::Enterprise(id.into())
}

fn done(mut row: DutyRow, minutes: i64) -> DutyRow {
    row.done = Some(DutyDone {
        at: T0.plus_ms(minutes * 60_000),
        by: "wang".into(),
        note: "已报送".into(),
        attachments: Vec::new(),
        late: false,
        seq: Seq(9),
    });
    row
}

fn keys(rows: &[DutyRow]) -> Vec<&str> {
    rows.iter().map(|row| row.key.as_str()).collect()
}

/// Everybody's list of what is open.
const OPEN: DutyFilter = DutyFilter {
    open: true,
    due_before: None,
    rule: None,
    places: None,
    inside: true,
    limit: 100,
};

fn desk() -> Desk {
    let row = samples::duty_row;
    let mut elsewhere = row("month-total", enterprise("bing"), "2026-09", 20);
    elsewhere.region = Some("other".into());
    let mut inside = row("month-check", enterprise("jia"), "2026-09", 15);
    inside.inside = true;
    let mut gone = row("month-total", enterprise("ding"), "2026-09", 20);
    gone.gone = Some((T0, DutyGone::SubjectGone));
    let rows = [
        row("month-total", enterprise("jia"), "2026-09", 20),
        done(row("month-total", enterprise("yi"), "2026-09", 20), 3),
        done(row("own", enterprise("jia"), "2026-08", 1), 4),
        row(
            "report",
            DutySubject::Outlet("jia-1".into()),
            "fallback-1",
            10,
        ),
        row(
            "statistics",
            DutySubject::Region("shili".into()),
            "2025",
            30,
        ),
        elsewhere,
        inside,
        gone,
    ];
    let rows: Vec<Output> = rows.into_iter().map(Output::Duty).collect();
    let mut desk = Desk::new();
    desk.batch(1, &rows);
    desk
}

#[test]
fn what_is_open_comes_by_its_due_time_and_what_ended_newest_first() {
    let desk = desk();
    let readers = desk.store.readers().unwrap();
    let all = readers.duties(&OPEN).unwrap();
    assert_eq!(
        keys(&all),
        [
            "report:jia-1:fallback-1",
            "month-check:jia:2026-09",
            "month-total:bing:2026-09",
            "month-total:jia:2026-09",
            "statistics:shili:2025",
        ]
    );
    let soon = DutyFilter {
        due_before: Some(T0.plus_ms(15 * 60_000)),
        ..OPEN
    };
    assert_eq!(
        keys(&readers.duties(&soon).unwrap()),
        ["report:jia-1:fallback-1"]
    );
    let of_rule = DutyFilter {
        rule: Some("report".into()),
        ..OPEN
    };
    let of_rule = readers.duties(&of_rule).unwrap();
    assert_eq!(keys(&of_rule), ["report:jia-1:fallback-1"]);
    let ended = DutyFilter {
        open: false,
        limit: 2,
        ..OPEN
    };
    let ended = readers.duties(&ended).unwrap();
    assert_eq!(keys(&ended), ["own:jia:2026-08", "month-total:yi:2026-09"]);
    let key = "month-total:jia:2026-09".into();
    assert_eq!(readers.duty(&key).unwrap().unwrap().key, key);
    assert_eq!(readers.duty(&"x:y:z".into()).unwrap(), None);
}

#[test]
fn nobody_is_shown_more_than_their_places_hold() {
    let desk = desk();
    let readers = desk.store.readers().unwrap();
    let seen = |places: DutyPlaces, inside: bool| {
        let filter = DutyFilter {
            places: Some(places),
            inside,
            ..OPEN
        };
        let rows = readers.duties(&filter).unwrap();
        rows.iter()
            .map(|row| row.key.to_string())
            .collect::<Vec<_>>()
    };
    let jia = DutyPlaces {
        enterprises: BTreeSet::from(["jia".into()]),
        ..DutyPlaces::default()
    };
    // Its outlets belong to it; the check that it must not know of does not show.
    let own = ["report:jia-1:fallback-1", "month-total:jia:2026-09"];
    assert_eq!(seen(jia, false), own);
    let outlet = DutyPlaces {
        outlets: BTreeSet::from([outlet("jia-1")]),
        ..DutyPlaces::default()
    };
    assert_eq!(seen(outlet, false), ["report:jia-1:fallback-1"]);
    let region = DutyPlaces {
        regions: BTreeSet::from(["other".into()]),
        ..DutyPlaces::default()
    };
    assert_eq!(seen(region, true), ["month-total:bing:2026-09"]);
    assert!(seen(DutyPlaces::default(), true).is_empty());
}

#[test]
fn days_count_what_is_open_and_leave_out_what_ended_otherwise() {
    let desk = desk();
    let readers = desk.store.readers().unwrap();
    let span = (T0, T0.plus_ms(20 * 60_000));
    let days = readers.duty_days(None, true, span, 100).unwrap();
    let told: Vec<_> = days
        .iter()
        .map(|day| (day.rule.as_str(), day.open, day.all))
        .collect();
    assert_eq!(
        told,
        [
            ("own", 0, 1),
            ("report", 1, 1),
            ("month-check", 1, 1),
            ("month-total", 2, 3),
        ]
    );
    // The first instant is the end of the day before.
    let none = readers
        .duty_days(None, true, (span.1, span.1), 100)
        .unwrap();
    assert_eq!(none, []);
}

#[test]
fn the_engine_asks_for_rounds_and_subjects() {
    let mut desk = desk();
    let history = desk.store.history();
    let rule = DutyId::new("month-total");
    let round = history.open_duties(&rule, Some("2026-09"));
    assert_eq!(
        keys(&round),
        ["month-total:bing:2026-09", "month-total:jia:2026-09"]
    );
    assert_eq!(history.open_duties(&rule, None).len(), 2);
    assert!(history.open_duties(&rule, Some("2026-10")).is_empty());
    let about = history.open_duties_about(&enterprise("jia"));
    assert_eq!(
        keys(&about),
        ["month-check:jia:2026-09", "month-total:jia:2026-09"]
    );
    // The open batch is seen, too.
    desk.store.begin().unwrap();
    let finished = done(round[1].clone(), 5);
    desk.store.apply(&Output::Duty(finished)).unwrap();
    let round = desk.store.history().open_duties(&rule, Some("2026-09"));
    assert_eq!(keys(&round), ["month-total:bing:2026-09"]);
    desk.store.commit(at(2)).unwrap();
}
