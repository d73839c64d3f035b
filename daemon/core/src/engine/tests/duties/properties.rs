//! Random months: what people do, tables and registries that change, restarts anywhere, and ticks
//! at every deadline or at none.

use super::*;
use crate::engine::Tables;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum What {
    Done(usize),
    Back(usize),
    Found,
    Fault,
    Book(u8),
    City(bool),
    Tick,
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        4 => (0_usize..12).prop_map(What::Done),
        2 => (0_usize..12).prop_map(What::Back),
        2 => Just(What::Found),
        1 => Just(What::Fault),
        1 => (0_u8..3).prop_map(What::Book),
        1 => any::<bool>().prop_map(What::City),
        2 => Just(What::Tick),
    ]
}

/// Minutes since the last step, and what happens.
fn history() -> impl Strategy<Value = Vec<(i64, What)>> {
    let gap = prop_oneof![3 => 1_i64..600, 2 => 600_i64..9_000];
    prop::collection::vec((gap, what()), 1..40)
}

fn table(n: u8) -> DutyBook {
    let mut book = book();
    let weekly = DutyTrigger::Every {
        period: Recurrence::Week,
        speaks: Speaks::Current,
        opens: None,
    };
    let mut week = rule("week", DutyFor::Region, weekly, DutyDeadline::Day { n: 3 });
    week.moves = n == 1;
    book.rules.insert("week".into(), week);
    match n {
        1 => {
            let total = book.rules.get_mut("total").unwrap();
            total.deadline = DutyDeadline::WorkingDay { n: 3 };
            total.document = false;
        }
        2 => {
            book.rules.remove("repair");
            book.calendar = WorkCalendar::default();
        }
        _ => {}
    }
    book
}

fn city(whole: bool) -> Registry {
    let mut city = quiet_city();
    if !whole {
        city.enterprises.remove("acme");
        city.outlets.clear();
    }
    let second = Enterprise {
        id: "beta".into(),
        name: "虚构水务".into(),
        ..registry().enterprises["acme"].clone()
    };
    city.enterprises.insert("beta".into(), second);
    city
}

/// Keys that people name: known ones, and those of what was entered so far. They must not depend
/// on what is in the books: told plainly, the calendar has not been looked at yet.
fn key(n: usize, entered: &[String]) -> String {
    const KNOWN: [&str; 6] = [
        "total:acme:2026-09",
        "total:beta:2026-09",
        "total:acme:2026-10",
        "week:r:2026-W39",
        "week:r:2026-W40",
        "week:r:2026-W41",
    ];
    let all: Vec<&str> = KNOWN
        .into_iter()
        .chain(entered.iter().map(String::as_str))
        .collect();
    all[n % all.len()].to_owned()
}

fn event(what: &What, now: Timestamp, entered: &[String]) -> Event {
    match what {
        What::Done(n) => done(&key(*n, entered)),
        What::Back(n) => back(&key(*n, entered)),
        What::Found => Event::DutyOpened(DutyOpening {
            rule: "finding".into(),
            subject: DutySubject::Enterprise("beta".into()),
            trigger_at: now.plus_ms(-30 * time::DAY_MS),
            by: "li".into(),
            note: "台账不全".into(),
        }),
        What::Fault => Event::Mark(Mark {
            outlet: GAS.into(),
            kind: MarkKind::Fault,
            factors: Vec::new(),
            from: Timestamp(now.0 / time::HOUR_MS * time::HOUR_MS),
            until: Timestamp(now.0 / time::HOUR_MS * time::HOUR_MS).plus_ms(time::HOUR_MS),
            reason: "采样泵停转".into(),
            attachments: Vec::new(),
            by: "wang".into(),
        }),
        What::Book(n) => policy(table(*n)),
        What::City(whole) => Event::Registry(Arc::new(city(*whole))),
        What::Tick => Event::Tick,
    }
}

/// How the story is told.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Told {
    Plainly,
    /// With a restart after every event.
    Restarted,
    /// With a tick at every deadline.
    Ticked,
}

fn tell(history: &[(i64, What)], how: Told) -> Bench {
    let mut now = at("2026-09-20 09:00");
    let mut bench = Bench::with(city(true), now);
    bench.send(now, policy(table(0)));
    let mut entered = Vec::new();
    for (gap, what) in history {
        let until = now.plus_ms(gap * time::MINUTE_MS);
        while how == Told::Ticked
            && let Some(due) = bench.engine.next_deadline().filter(|due| *due < until)
        {
            bench.tick(due);
        }
        now = until;
        if how != Told::Plainly {
            bench.tick(now);
        }
        let event = event(what, now, &entered);
        // Numbers of rounds opened by hand are journal positions: let them be the same.
        bench.seq = u64::try_from(now.0 / time::MINUTE_MS).unwrap();
        bench.send(now, event);
        match what {
            What::Found => entered.push(format!("finding:beta:entry-{}", bench.seq)),
            What::Fault => entered.push(format!("fault:dc-01:mark-{}", bench.seq)),
            _ => {}
        }
        if how == Told::Restarted {
            bench.restart();
        } else if how == Told::Plainly {
            holds(&mut bench);
        }
    }
    bench.tick(now.plus_ms(90 * time::DAY_MS));
    holds(&mut bench);
    bench
}

/// What must be so at any time: an alarm stands exactly where something is overdue, and counts it.
fn holds(bench: &mut Bench) {
    let now = bench.engine.now();
    let tables = bench.tables();
    let mut owed: BTreeMap<AlarmSubject, u64> = BTreeMap::new();
    for row in tables.duties.values() {
        if row.standing(now) == DutyStanding::Overdue {
            let subject = match &row.subject {
                DutySubject::Enterprise(id) => AlarmSubject::Enterprise(id.clone()),
                DutySubject::Outlet(id) => AlarmSubject::Outlet(id.clone()),
                DutySubject::Region(id) => AlarmSubject::Region(id.clone()),
            };
            *owed.entry(subject).or_default() += 1;
        }
    }
    let stands = |row: &&AlarmRow| row.active && row.kind == AlarmKind::DutyOverdue;
    let standing: BTreeMap<AlarmSubject, u64> = tables
        .alarms
        .values()
        .filter(stands)
        .map(|row| (row.subject.clone(), row.count))
        .collect();
    assert_eq!(standing, owed, "at {now}");
}

/// Rows without journal positions.
fn rows(tables: &Tables) -> (Vec<DutyRow>, Vec<AlarmRow>) {
    let duties = tables.duties.values().cloned().map(|mut row| {
        row.opened_seq = Seq(0);
        row.updated_seq = Seq(0);
        if let Some(done) = &mut row.done {
            done.seq = Seq(0);
        }
        row
    });
    let alarms = tables.alarms.values().cloned().map(|mut row| {
        row.raised_seq = Seq(0);
        row.updated_seq = Seq(0);
        row
    });
    (duties.collect(), alarms.collect())
}

/// A case tells a history three times over, with its months of silence; `DUTY_CASES=300` tells
/// more.
fn cases() -> u32 {
    let asked = std::env::var("DUTY_CASES").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn restarts_and_ticks_change_nothing(history in history()) {
        let plain = rows(&tell(&history, Told::Plainly).tables());
        for how in [Told::Restarted, Told::Ticked] {
            let other = rows(&tell(&history, how).tables());
            prop_assert_eq!(plain.0.len(), other.0.len());
            for (one, other) in plain.0.iter().zip(&other.0) {
                prop_assert_eq!(one, other);
            }
            prop_assert_eq!(plain.1.len(), other.1.len());
            for (one, other) in plain.1.iter().zip(&other.1) {
                prop_assert_eq!(one, other);
            }
        }
    }
}
