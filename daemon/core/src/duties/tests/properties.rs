//! Random rows and lives of instances against a checker that walks hour by hour; random calendars
//! against counting on one's fingers.

use super::*;
use crate::model::time::HOUR_MS;
use proptest::prelude::*;

/// What a person does in some hour.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Act {
    Complete,
    TakeBack,
    /// The row or the calendar changed: due so many hours from now (negative: ago).
    Move(i64),
}

/// What is told, with the hour.
type Told = Vec<(i64, Turn)>;

fn hour(h: i64) -> Timestamp {
    Timestamp(h * HOUR_MS)
}

/// Runs the round, kept as text between any two steps, as after a restart.
fn run(rule: &DutyRule, due: i64, acts: &[(i64, Act)], end: i64) -> Told {
    let mut round = Round::new(hour(0), hour(due));
    let mut open = true;
    let mut told = Told::new();
    let tell = |round: &mut Round, until: i64, open: bool, told: &mut Told| {
        let text = serde_json::to_string(round).unwrap();
        *round = serde_json::from_str(&text).unwrap();
        for (at, turn) in round.advance(rule, hour(until)) {
            if open {
                told.push((at.0 / HOUR_MS, turn));
            }
        }
    };
    for &(at, act) in acts {
        tell(&mut round, at, open, &mut told);
        match act {
            Act::Complete => open = false,
            Act::TakeBack => open = true,
            Act::Move(by) => round = Round::new(hour(at), hour(at + by)),
        }
    }
    tell(&mut round, end, open, &mut told);
    told
}

/// The same by the definitions, hour by hour.
fn check(rule: &DutyRule, due: i64, acts: &[(i64, Act)], end: i64) -> Told {
    let (mut from, mut due, mut open) = (0, due, true);
    let mut told = Told::new();
    let nearest = rule.remind_h.last().copied();
    for now in 0..=end {
        let mut speak = |from: i64, due: i64, open: bool| {
            let overdue = due.max(from);
            for &hours in &rule.remind_h {
                let last = Some(hours) == nearest;
                let planned = due - i64::from(hours);
                let is_now = planned == now || (last && planned < from && now == from);
                if is_now && now >= from && now < overdue && open {
                    told.push((now, Turn::Reminder { hours, last }));
                }
            }
            if now == overdue && open {
                told.push((now, Turn::Overdue));
            }
            for (n, step) in rule.escalate.iter().enumerate() {
                if now == overdue + i64::from(step.after_h) && open {
                    told.push((now, Turn::Escalation(n)));
                }
            }
        };
        speak(from, due, open);
        for (_, act) in acts.iter().filter(|(at, _)| *at == now) {
            match act {
                Act::Complete => open = false,
                Act::TakeBack => open = true,
                Act::Move(by) => {
                    (from, due) = (now, now + by);
                    speak(from, due, open);
                }
            }
        }
    }
    told
}

fn rows() -> impl Strategy<Value = DutyRule> {
    let hours = || prop::collection::btree_set(1_u32..40, 0..4);
    (hours(), hours()).prop_map(|(remind, steps)| {
        let mut rule = rule(
            DutyTrigger::On {
                event: DutyEvent::Finding,
            },
            DutyDeadline::HoursAfter { n: 1 },
        );
        rule.remind_h = remind.into_iter().rev().collect();
        let step = |after_h| DutyStep {
            after_h,
            roles: BTreeSet::new(),
        };
        rule.escalate = steps.into_iter().map(step).collect();
        rule
    })
}

/// Acts in the order of their hours; at most one move an hour, so that each is heard.
fn lives() -> impl Strategy<Value = Vec<(i64, Act)>> {
    let act = prop_oneof![
        3 => Just(Act::Complete),
        3 => Just(Act::TakeBack),
        1 => (-30_i64..60).prop_map(Act::Move),
    ];
    prop::collection::btree_map(1_i64..120, act, 0..6).prop_map(|map| map.into_iter().collect())
}

fn calendars() -> impl Strategy<Value = WorkCalendar> {
    let first = day("2026-01-01");
    let breaks = prop::collection::vec((0_u32..360, 1_u32..9), 0..8);
    let make_up = prop::collection::btree_set(0_u32..365, 0..8);
    (breaks, make_up).prop_map(move |(breaks, make_up)| {
        let holidays = breaks.into_iter().map(|(from, days)| Holiday {
            name: Text::default(),
            from: first.plus(from),
            to: first.plus(from + days - 1),
        });
        let year = CalendarYear {
            holidays: holidays.collect(),
            make_up: make_up.into_iter().map(|n| first.plus(n)).collect(),
            source: String::new(),
            provisional: None,
        };
        WorkCalendar {
            years: [(2026, year)].into(),
        }
    })
}

/// What people agree on: a make-up day is worked, a break is not, else Monday to Friday.
fn worked(calendar: &WorkCalendar, day: Day) -> bool {
    let Some(year) = calendar.years.get(&day.year()) else {
        return day.weekday0() < 5;
    };
    if year.make_up.contains(&day) {
        return true;
    }
    let free = year.holidays.iter().any(|h| (h.from..=h.to).contains(&day));
    !free && day.weekday0() < 5
}

proptest! {
    #[test]
    fn a_round_tells_what_the_checker_tells(
        rule in rows(),
        due in -20_i64..100,
        acts in lives(),
    ) {
        let machine = run(&rule, due, &acts, 260);
        let mut checker = check(&rule, due, &acts, 260);
        checker.sort();
        let mut sorted = machine.clone();
        sorted.sort();
        prop_assert_eq!(&sorted, &checker);
        prop_assert!(machine.is_sorted_by_key(|(at, _)| *at));
    }

    #[test]
    fn working_days_are_those_one_counts(
        calendar in calendars(),
        from in 0_u32..364,
        n in 1_u32..40,
    ) {
        let start = day("2026-01-01").plus(from);
        let mut left = n;
        let mut expected = start;
        loop {
            if worked(&calendar, expected) {
                left -= 1;
                if left == 0 {
                    break;
                }
            }
            expected = expected.plus(1);
        }
        prop_assert_eq!(calendar.nth_working_day(start, n), expected);
        let after = calendar.add_working_days(start.minus(1), n);
        prop_assert_eq!(after, expected);
    }

    #[test]
    fn periods_follow_each_other_without_a_gap(days in 0_u32..20_000, which in 0_usize..5) {
        let day = day("1999-12-31").plus(days);
        let period = DutyPeriod::containing(Recurrence::ALL[which], day);
        prop_assert!(period.start <= day && day < period.end());
        prop_assert_eq!(period.next().previous(), period);
        prop_assert_ne!(period.next().label(), period.label());
    }
}
