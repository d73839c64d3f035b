//! Invariants, with random histories of a small city: records in and out of order, repeated,
//! corrected, late; bad frames; people; a registry that changes.

use crate::engine::{
    AlarmAction, AlarmActionKind, Event, FallbackDecision, HealthReport, Refusal, RefusalReason,
    Tables,
};
use crate::fixture::*;
use crate::model::rows::AuditRow;
use crate::model::*;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Ten-minute records, two of which make an hour valid, so that short histories have verdicts.
fn small_city() -> Registry {
    let mut city = registry();
    let profile = city.profiles.get_mut("plain@1").unwrap();
    profile.hour_min_valid_minutes = 20;
    profile.day_min_valid_hours = 2;
    for outlet in city.outlets.values_mut() {
        outlet.expectation.minute_min = Some(10);
        outlet.expectation.no_data_after_s = 3_600;
        outlet.fallback.opens_after_min = 120;
        if let Some(so2) = outlet.factors.get_mut("a21026") {
            so2.range_max = Some(dec("250"));
        }
        outlet.permitted.push(PermittedAmount {
            factor: if outlet.medium == Medium::Gas {
                "a21026"
            } else {
                "w01018"
            }
            .into(),
            period: AmountPeriod::Month,
            amount_kg: dec("40"),
            warn_at_pct: vec![dec("50"), dec("80")],
            source: "invented permit".into(),
            special: None,
        });
    }
    city
}

/// Without delays: records of random histories are far apart.
fn eager_policy() -> Policy {
    let mut policy = policy();
    for rule in policy.alarms.kinds.values_mut() {
        (rule.on_delay_s, rule.off_delay_s) = (0, 0);
    }
    policy
}

/// One step of a history: seconds since the last one, and what happened.
#[derive(Debug, Clone)]
enum What {
    /// Outlet, kind, age of its start in ten-minute steps, value, flag.
    Record(bool, RecordKind, i64, u32, &'static str),
    Refused(RefusalReason, u8),
    Report(i64),
    Act(u64, u8),
    Health(u8, bool),
    Test(bool),
    Kv(bool),
    Decide(bool),
    City(bool),
    Life,
    Tick,
}

fn what() -> impl Strategy<Value = What> {
    let kind = prop::sample::select(vec![
        RecordKind::Minute,
        RecordKind::Minute,
        RecordKind::Minute,
        RecordKind::Minute,
        RecordKind::Minute,
        RecordKind::Hour,
        RecordKind::Day,
        RecordKind::Realtime,
    ]);
    let flag = prop::sample::select(vec!["N", "N", "N", "N", "N", "D", "F"]);
    let reason = prop::sample::select(vec![
        RefusalReason::Crc,
        RefusalReason::UnknownMn,
        RefusalReason::WrongPassword,
        RefusalReason::FutureTime,
    ]);
    let age = prop_oneof![5 => 0i64..4, 1 => 0i64..200];
    prop_oneof![
        20 => (any::<bool>(), kind, age, 0u32..8, flag)
            .prop_map(|(gas, kind, age, value, flag)| What::Record(gas, kind, age, value, flag)),
        3 => (reason, 0u8..3).prop_map(|(reason, peer)| What::Refused(reason, peer)),
        2 => (0i64..600).prop_map(What::Report),
        3 => (1u64..12, 0u8..6).prop_map(|(id, verb)| What::Act(id, verb)),
        1 => (0u8..5, any::<bool>()).prop_map(|(kind, bad)| What::Health(kind, bad)),
        1 => any::<bool>().prop_map(What::Test),
        1 => any::<bool>().prop_map(What::Kv),
        1 => any::<bool>().prop_map(What::Decide),
        1 => any::<bool>().prop_map(What::City),
        1 => Just(What::Life),
        2 => Just(What::Tick),
    ]
}

fn history() -> impl Strategy<Value = Vec<(i64, What)>> {
    let gap = prop_oneof![10 => 1i64..900, 1 => 900i64..40_000];
    prop::collection::vec((gap, what()), 1..140)
}

fn figure(value: u32) -> String {
    // From impossible over harmless to far above every limit.
    ["-5", "10.5", "10.50", "49", "51", "120.25", "300", "38"][value as usize].into()
}

/// A record of the stack or the discharge.
fn reading(
    gas: bool,
    (kind, age): (RecordKind, i64),
    (n, flag): (u32, &str),
    now: Timestamp,
) -> Event {
    let step = 10 * time::MINUTE_MS;
    let start = Timestamp(now.0.div_euclid(step) * step).plus_ms(-age * step);
    let v = |code: &str, text: &str| value(code, text, flag);
    let values = if gas {
        vec![
            v("a21026", &figure(n)),
            v("a21002", "30"),
            v("a34013", "3"),
            v("a19001", "9"),
            v("a01011", "12"),
            v("a01012", "80"),
            v("a01013", "-0.2"),
            v("a01014", "12"),
        ]
    } else {
        vec![
            v("w01018", &figure(n)),
            v("w21003", "2"),
            v("w01001", if n == 0 { "15" } else { "7.2" }),
            v("w00000", "9.5"),
        ]
    };
    data(record(if gas { GAS } else { WATER }, kind, start, values))
}

fn happening(what: &What, now: Timestamp) -> Event {
    match what {
        What::Record(gas, kind, age, n, flag) => reading(*gas, (*kind, *age), (*n, flag), now),
        What::Refused(reason, peer) => Event::Refused(Refusal {
            reason: *reason,
            peer: format!("198.51.100.{peer}:999").into(),
            mn: Some(format!("UNKNOWN-{peer}").into()),
            outlet: (*reason == RefusalReason::WrongPassword && *peer > 0).then(|| GAS.into()),
            bytes: 80,
            excerpt: "##0080".into(),
        }),
        What::Report(age) => Event::ManualReport(ManualReport {
            outlet: GAS.into(),
            sampled_at: now.plus_ms(-age * time::MINUTE_MS),
            sampler: "张三".into(),
            method: "HJ 57-2017".into(),
            laboratory: String::new(),
            values: vec![ManualValue {
                factor: "a21026".into(),
                value: dec("12"),
            }],
            note: String::new(),
            attachments: Vec::new(),
            corrects: None,
            by: "lab-1".into(),
        }),
        What::Act(id, verb) => Event::AlarmAction(AlarmAction {
            alarm: AlarmId(*id),
            kind: match verb {
                0 | 1 => AlarmActionKind::Acknowledge,
                2 | 3 => AlarmActionKind::Close,
                4 => AlarmActionKind::Shelve,
                _ => AlarmActionKind::ToldEnterprise,
            },
            by: "duty".into(),
            note: "seen".into(),
            until: (verb % 2 == 0).then(|| now.plus_ms(2 * time::HOUR_MS)),
        }),
        What::Health(kind, bad) => Event::Health(HealthReport {
            kind: [
                AlarmKind::HealthDisk,
                AlarmKind::HealthJournal,
                AlarmKind::HealthOutbox,
                AlarmKind::HealthSource,
                AlarmKind::HealthCertificate,
            ][usize::from(*kind)],
            part: "part".into(),
            bad: *bad,
            value: None,
            threshold: None,
            detail: String::new(),
        }),
        What::Test(good) => Event::QaTest(QaTest {
            outlet: GAS.into(),
            factor: "a21026".into(),
            kind: QaKind::SpanDrift,
            at: now,
            pairs: vec![QaPair {
                reference: dec("100"),
                measured: dec(if *good { "100" } else { "160" }),
            }],
            full_scale: Some(dec("100")),
            note: String::new(),
            attachments: Vec::new(),
            by: "lab-1".into(),
            from_cn: None,
        }),
        What::Kv(other) => {
            let mut city = small_city();
            let gas = city
                .outlets
                .get_mut(GAS)
                .and_then(|outlet| outlet.gas.as_mut());
            gas.unwrap().velocity_coefficient = dec(if *other { "0.9" } else { "1" });
            Event::Registry(Arc::new(city))
        }
        What::Decide(open) => Event::FallbackDecision(FallbackDecision {
            outlet: WATER.into(),
            open: *open,
            by: "duty".into(),
            note: "decided".into(),
        }),
        What::City(whole) => {
            let mut city = small_city();
            if !whole {
                city.outlets.remove(WATER);
            }
            Event::Registry(Arc::new(city))
        }
        What::Life => Event::SignOfLife(contact(GAS)),
        What::Tick => Event::Tick,
    }
}

/// Bad frames come in bursts.
fn times(what: &What) -> u32 {
    if matches!(what, What::Refused(RefusalReason::Crc, _)) {
        11
    } else {
        1
    }
}

/// Runs a history; after event `i`, `between(i)` says whether to flush (1) or to restart (2).
fn run(steps: &[(i64, What)], between: impl Fn(usize) -> u8) -> Tables {
    let mut now = minute(7 * 60);
    let mut bench = Bench::with(small_city(), now);
    bench.send(now, Event::Policy(Arc::new(eager_policy())));
    for (i, (gap, what)) in steps.iter().enumerate() {
        now = now.plus_ms(gap * time::SECOND_MS);
        for _ in 0..times(what) {
            bench.send(now, happening(what, now));
        }
        match between(i) {
            1 => bench.flush(),
            2 => bench.restart(),
            _ => {}
        }
    }
    bench.tables()
}

/// Kinds with stories of their own: their causes do not fit into a few hours of two outlets.
const ELSEWHERE: [AlarmKind; 6] = [
    AlarmKind::OutOfControl,
    AlarmKind::AmountProjected,
    AlarmKind::LineOutage,
    AlarmKind::WrittenReportOverdue,
    AlarmKind::DutyNear,
    AlarmKind::DutyOverdue,
];

/// The histories below are worth running: they know every kind of alarm, corrections, fallbacks
/// that close and amounts.
#[test]
fn histories_reach_everything() {
    let mut runner = TestRunner::deterministic();
    let mut kinds = BTreeSet::new();
    let (mut closed, mut acknowledged, mut superseded, mut amounts) = (false, false, false, false);
    for _ in 0..200 {
        let steps = history().new_tree(&mut runner).unwrap().current();
        let tables = run(&steps, |_| 0);
        kinds.extend(tables.alarms.values().map(|a| a.kind));
        closed |= tables.fallbacks.values().any(|f| f.closed_at.is_some());
        acknowledged |= tables.alarms.values().any(|a| a.acknowledged.is_some());
        superseded |= !tables.superseded.is_empty();
        let rows = tables.aggregates.values();
        amounts |= rows
            .flat_map(|row| row.factors.values())
            .any(|f| f.amount_kg.is_some());
    }
    let missing: Vec<_> = AlarmKind::ALL
        .iter()
        .filter(|k| !kinds.contains(*k) && !ELSEWHERE.contains(*k))
        .collect();
    assert!(missing.is_empty(), "never seen: {missing:?}");
    assert!(closed && acknowledged && superseded && amounts);
}

/// The tables without journal positions, which tell when something was noticed, not what.
fn without_positions(mut tables: Tables) -> Tables {
    for row in tables.aggregates.values_mut() {
        row.seq = Seq(0);
    }
    for row in tables.alarms.values_mut() {
        (row.raised_seq, row.updated_seq) = (Seq(0), Seq(0));
    }
    for row in tables.messages.values_mut() {
        row.seq = Seq(0);
    }
    for row in tables.fallbacks.values_mut() {
        (row.opened_seq, row.updated_seq) = (Seq(0), Seq(0));
        row.closed_seq = row.closed_seq.map(|_| Seq(0));
        for lifting in &mut row.lifted {
            lifting.seq = Seq(0);
        }
    }
    tables
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn batches_do_not_matter(steps in history(), cuts in prop::collection::vec(0u8..2, 140)) {
        let whole = run(&steps, |_| 0);
        let single = run(&steps, |_| 1);
        let mixed = run(&steps, |i| cuts[i]);
        prop_assert_eq!(&whole, &single);
        prop_assert_eq!(&whole, &mixed);
    }

    #[test]
    fn restarts_do_not_matter(steps in history(), cuts in prop::collection::vec(0u8..3, 140)) {
        let whole = run(&steps, |_| 0);
        let always = run(&steps, |_| 2);
        let mixed = run(&steps, |i| cuts[i]);
        prop_assert_eq!(&whole, &always);
        prop_assert_eq!(&whole, &mixed);
    }

    /// Whether the daemon journals a tick for each deadline, or the next event finds several of
    /// them passed, the rows are the same.
    #[test]
    fn ticks_do_not_matter(steps in history()) {
        let mut now = minute(7 * 60);
        let mut lazy = Bench::with(small_city(), now);
        let mut eager = Bench::with(small_city(), now);
        lazy.send(now, Event::Policy(Arc::new(eager_policy())));
        eager.send(now, Event::Policy(Arc::new(eager_policy())));
        for (gap, what) in &steps {
            now = now.plus_ms(gap * time::SECOND_MS);
            while let Some(due) = eager.engine.next_deadline().filter(|due| *due <= now) {
                eager.tick(due);
                prop_assert!(eager.engine.next_deadline().is_none_or(|next| next > due));
            }
            for _ in 0..times(what) {
                lazy.send(now, happening(what, now));
                eager.send(now, happening(what, now));
            }
        }
        let (lazy, eager) = (without_positions(lazy.tables()), without_positions(eager.tables()));
        prop_assert_eq!(&lazy.aggregates, &eager.aggregates);
        prop_assert_eq!(&lazy.alarms, &eager.alarms);
        prop_assert_eq!(&lazy.fallbacks, &eager.fallbacks);
        prop_assert_eq!(&lazy.messages, &eager.messages);
        let lines = |tables: &Tables| -> Vec<_> {
            // A test is named by its journal position.
            let object = |l: &AuditRow| l.object.split("test/").next().map(str::to_owned);
            tables.audit.values().map(|l| (l.at, l.what.clone(), object(l))).collect()
        };
        prop_assert_eq!(lines(&lazy), lines(&eager));
    }

}

proptest! {
    // Each case computes two whole days.
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// A day of records in any order, with repetitions, however late.
    #[test]
    fn a_shuffled_day_is_the_ordered_day(
        keys in prop::collection::vec(any::<u32>(), 288),
        again in prop::collection::vec(0usize..288, 0..60),
        hold_min in 0i64..2_000,
    ) {
        let mut records: Vec<Record> = Vec::new();
        for step in 0..144 {
            for gas in [true, false] {
                let n = u32::try_from(step % 7).unwrap() + 1;
                let flag = if step % 11 == 3 { "D" } else { "N" };
                let what = What::Record(gas, RecordKind::Minute, 0, n, flag);
                let Event::Record(_, record) = happening(&what, minute(10 * step)) else {
                    unreachable!("asked for a record");
                };
                records.push(record);
            }
        }
        let ordered = deliver(&records, 0);
        let mut shuffled: Vec<(u32, Record)> = keys.iter().copied().zip(records.clone()).collect();
        let extra = again.iter().map(|i| (keys[*i].rotate_left(9), records[*i].clone()));
        shuffled.extend(extra);
        shuffled.sort_by_key(|(key, _)| *key);
        let shuffled: Vec<Record> = shuffled.into_iter().map(|(_, record)| record).collect();
        prop_assert_eq!(ordered, deliver(&shuffled, hold_min));
    }
}

/// Sends records spread over a day after `hold_min`, waits until everything is computed, and
/// gives the aggregates without positions, and without how often they were other ones.
fn deliver(records: &[Record], hold_min: i64) -> Vec<AggregateRow> {
    let mut bench = Bench::with(small_city(), minute(-30));
    let pace_ms = time::DAY_MS / i64::try_from(records.len()).unwrap();
    let mut at = minute(hold_min);
    for record in records {
        at = at.plus_ms(pace_ms);
        bench.send(at, data(record.clone()));
    }
    bench.tick(minute(5 * 1_440));
    let tables = without_positions(bench.tables());
    let plain = |row| AggregateRow {
        superseded: 0,
        ..row
    };
    tables.aggregates.into_values().map(plain).collect()
}
