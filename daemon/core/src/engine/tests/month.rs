//! A random month, told in order and told badly: late, repeated, shuffled, corrected, in other
//! batches and with restarts. Once all deadlines have passed, both tell the same.
//!
//! | table | compared |
//! | --- | --- |
//! | records | values, texts, flags, verdicts, how many versions were superseded; not `resent` |
//! | superseded | for each value its former versions, in order |
//! | aggregates | everything; no row and one without factors are the same |
//! | packed hours | the rows they hold, everything |
//! | quarters, latest values | everything |
//! | clues | all but those of clocks; no row and one without clues are the same |
//! | marks, tests, reviews | everything |
//! | manual reports | what was entered and when; not which fallback they fell into |
//! | alarms of limits and amounts | those active at the end, with all their figures |
//!
//! Journal positions and times of receipt are left out everywhere. Of alarms that have returned,
//! numbers and turns depend on when data came; but every hour and day outside a limit has one.
//! Alarms of silence, impossible values and overdue reports, fallbacks, loggers and the audit trail
//! tell what happened in time; they are not functions of the data.

mod city;
pub(super) mod dice;
mod plain;
mod plan;

use crate::engine::{Event, Tables, TakeBack};
use crate::fixture::*;
use crate::model::rows::AggregateOrigin;
use crate::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use crate::model::*;
use dice::Dice;
use plan::{Entry, Month};
use std::collections::{BTreeMap, BTreeSet};

/// Midnight of 2020-03-17 at the site; the month lies across the turn of the first quarter.
const MONTH_FROM: Timestamp = Timestamp(1_585_584_000_000 - 14 * DAY_MS);
/// Its days.
const DAYS: i64 = 31;

/// When a record arrives.
type Delivery = (Timestamp, Record);

/// When a record would arrive if nothing went wrong.
fn in_time(record: &Record) -> Timestamp {
    let length_ms = match record.kind {
        RecordKind::Realtime => 0,
        RecordKind::Minute => i64::from(city::STEP_MIN) * MINUTE_MS,
        RecordKind::Hour => HOUR_MS,
        RecordKind::Day => DAY_MS,
    };
    record.start.plus_ms(length_ms + 5_000)
}

/// Every record at its time, its corrections seconds later.
fn ordered(month: &Month) -> Vec<Delivery> {
    let mut all = Vec::new();
    for versions in &month.data {
        for (n, record) in (0..).zip(versions) {
            all.push((in_time(record).plus_ms(1_000 * n), record.clone()));
        }
    }
    all.sort_by_key(|(at, _)| *at);
    all
}

/// The same with trouble: of two records one comes hours or days late, in the bursts of a logger
/// that catches up; one in eight comes again; what comes at one instant comes in any order. Only a
/// correction never comes before what it corrects, nor a repetition after what corrects it.
fn troubled(month: &Month, seed: u64) -> Vec<Delivery> {
    let mut dice = Dice::new(seed);
    let mut all: Vec<(Timestamp, u64, Record)> = Vec::new();
    for versions in &month.data {
        let mut copies = Vec::new();
        for record in versions {
            copies.extend(std::iter::repeat_n(
                record,
                if dice.one_in(8) { 2 } else { 1 },
            ));
        }
        let mut times: Vec<(Timestamp, u64)> = copies
            .iter()
            .map(|record| (late(in_time(record), &mut dice), dice.next()))
            .collect();
        times.sort_unstable();
        let arrivals = times.into_iter().zip(copies);
        all.extend(arrivals.map(|((at, rank), record)| (at, rank, record.clone())));
    }
    all.sort_by_key(|(at, rank, _)| (*at, *rank));
    all.into_iter()
        .map(|(at, _, record)| (at, record))
        .collect()
}

fn late(at: Timestamp, dice: &mut Dice) -> Timestamp {
    let longest_h = match dice.below(6) {
        0 | 1 => 12,
        2 => 9 * 24,
        _ => return at,
    };
    let late = at.plus_ms(dice.below(longest_h * HOUR_MS));
    let burst_ms = 17 * HOUR_MS;
    Timestamp((late.0 / burst_ms + 1) * burst_ms + 13)
}

/// The logger was cut off: everything comes in one night, in any order, after people have said all
/// they had to say.
fn held_back(month: &Month, seed: u64) -> Vec<Delivery> {
    let mut all = troubled(month, seed);
    let mut dice = Dice::new(seed);
    let ranks: BTreeMap<_, u64> = all
        .iter()
        .map(|(_, r)| ((r.outlet.clone(), r.kind, r.start), dice.next()))
        .collect();
    all.sort_by_key(|(_, r)| ranks[&(r.outlet.clone(), r.kind, r.start)]);
    let from = MONTH_FROM.plus_ms((DAYS + 8) * DAY_MS);
    for (n, (at, _)) in (0..).zip(&mut all) {
        *at = from.plus_ms(n);
    }
    all
}

/// Runs a month. After each record `cut` says whether to flush (1), restart (2), or neither.
fn run(month: &Month, data: Vec<Delivery>, mut cut: impl FnMut() -> u8) -> Tables {
    let mut bench = Bench::default();
    let mut entries = month.entries.iter().peekable();
    let mut entered = Vec::new();
    let last = entries.clone().map(|(at, _)| *at).max().unwrap();
    let records = data.into_iter().map(|(at, record)| (at, Some(record)));
    for (at, record) in records.chain([(last, None)]) {
        while let Some((when, entry)) = entries.next_if(|(when, _)| *when <= at) {
            bench.send(*when, entry_of(month, entry, &entered));
            entered.push(Seq(bench.seq));
        }
        let Some(record) = record else { break };
        bench.send(at, crate::fixture::data(record));
        match cut() {
            1 => bench.flush(),
            2 => bench.restart(),
            _ => {}
        }
    }
    bench.tick(MONTH_FROM.plus_ms((DAYS + 14) * DAY_MS));
    bench.tables()
}

/// The event of an entry; `entered` are the positions of those before it.
fn entry_of(month: &Month, entry: &Entry, entered: &[Seq]) -> Event {
    let back = |n: &usize| TakeBack {
        outlet: month.outlet.into(),
        id: entered[*n],
        by: "operator".into(),
        reason: "was wrong".into(),
    };
    match entry {
        Entry::Event(event) => event.as_ref().clone(),
        Entry::WithdrawMark(n) => Event::MarkWithdrawn(back(n)),
        Entry::WithdrawTest(n) => Event::QaWithdrawn(back(n)),
    }
}

/// Tells the month of `outlet` that grows from `seed` in order, in trouble with batches cut and
/// restarts at any place, and all at once in one night; gives what was told in order.
fn tell(outlet: &'static str, seed: u64) -> Tables {
    println!("the month of {outlet} from seed {seed}");
    let month = Month::of(outlet, seed);
    let expected = run(&month, ordered(&month), || 0);
    let mut dice = Dice::new(seed);
    let cut = || match dice.below(60) {
        0 => 2,
        1..8 => 1,
        _ => 0,
    };
    let told = [
        ("troubled", run(&month, troubled(&month, seed), cut)),
        ("held back", run(&month, held_back(&month, seed), || 0)),
    ];
    assert_eq!(plain::untold(&expected), [""; 0], "in order, seed {seed}");
    for (how, found) in told {
        assert_eq!(plain::untold(&found), [""; 0], "{how}, seed {seed}");
        let differences = plain::compare(&expected, &found);
        let first: Vec<&String> = differences.iter().take(6).collect();
        assert!(first.is_empty(), "{how}, seed {seed}: {first:#?}");
    }
    expected
}

/// What a month has in it.
fn reached(tables: &Tables) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut note = |name: &str| all.insert(name.to_owned());
    for row in tables.aggregates.values() {
        note(row.profile.as_str());
        if row.origin == AggregateOrigin::Reported {
            note(&format!("reported {}", row.level.as_str()));
        }
        for factor in row.factors.values() {
            note(factor.invalid_why.as_deref().unwrap_or("sound"));
            for (is, name) in [
                (factor.exempt_units > 0, "exempt"),
                (factor.stopped_units > 0, "stopped"),
                (factor.substituted_kg.is_some(), "substituted"),
                (factor.judged.is_some(), "judged in part"),
            ] {
                note(if is { name } else { "usual" });
            }
        }
    }
    let quarters = tables.quarters.values();
    for gap in quarters.flat_map(|row| row.factors.values().flat_map(|f| &f.gaps)) {
        note(&gap.provisional.rule);
        note(&gap.why);
    }
    for value in tables.records.values().flat_map(|row| row.values.values()) {
        note(if value.superseded > 1 {
            "third version"
        } else {
            "version"
        });
        for check in &value.checks {
            note(check.0.as_str());
        }
    }
    for line in tables.audit.values() {
        note(&line.what);
    }
    for alarm in tables.alarms.values() {
        note(alarm.kind.as_str());
    }
    all
}

fn assert_reaches(tables: &Tables, names: &[&str]) {
    let reached = reached(tables);
    let missing: Vec<&&str> = names.iter().filter(|n| !reached.contains(**n)).collect();
    assert!(
        missing.is_empty(),
        "not in the month: {missing:?} of {reached:?}"
    );
    assert!(!reached.iter().any(|name| name.ends_with("refused")));
}

/// What every month below has.
const COMMON: [&str; 25] = [
    "stopped",
    "exempt",
    "substituted",
    "out-of-control",
    "no-data",
    "invalid",
    "manual",
    "third version",
    "reported hour",
    "reported day",
    "registry.changed",
    "mark.entered",
    "mark.entered-late",
    "mark.withdrawn",
    "test.passed",
    "test.failed",
    "test.withdrawn",
    "review.submitted",
    "review.failed",
    "report.received",
    "exceedance.hour",
    "exceedance.day",
    "amount.warning",
    "amount.exceeded",
    "alarm.returned",
];

/// More seeds after the first, as many as the environment asks for: `MONTH_SEEDS=70`. What a seed
/// must reach is known of the first alone.
fn tell_more(outlet: &'static str) {
    let asked = std::env::var("MONTH_SEEDS").ok();
    let seeds = asked.map_or(1, |text| {
        text.parse().expect("MONTH_SEEDS is a whole number")
    });
    for seed in 2..=seeds {
        tell(outlet, seed);
    }
}

#[test]
fn a_stack_told_badly_is_the_stack_told_in_order() {
    let tables = tell(GAS, 1);
    assert_reaches(&tables, &COMMON);
    assert_reaches(
        &tables,
        &["stack@1", "stack@2", "review.passed", "judged in part"],
    );
    tell_more(GAS);
}

#[test]
fn a_discharge_told_badly_is_the_discharge_told_in_order() {
    let tables = tell(WATER, 1);
    assert_reaches(&tables, &COMMON);
    assert_reaches(&tables, &["pond@1", "day-max-10", "review-failed"]);
    tell_more(WATER);
}
