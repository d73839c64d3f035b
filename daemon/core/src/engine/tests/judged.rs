//! What people say about data that are there already, or are not: marks, tests of the equipment,
//! manual reports; and what follows from it in hours, days, months, quarters.

use crate::engine::{Event, TakeBack};
use crate::fixture::*;
use crate::model::profile::*;
use crate::model::time::HOUR_MS;
use crate::model::*;

/// The city with outlets that send hours, under rules with substitution, marks and tests.
pub(super) fn hourly_city() -> Registry {
    let mut city = registry();
    let profile = city.profiles.get_mut("plain@1").unwrap();
    let tier = |gap_max_h, look_back_h| SubstitutionTier {
        capture_min_pct: dec("0"),
        gap_max_h,
        look_back_h,
        take: Take::Maximum,
    };
    profile.substitution = SubstitutionRule {
        manual_first: true,
        manual_reach_h: 2,
        factors: vec!["a21026".into()],
        method: SubstitutionMethod::Tiers {
            tiers: vec![tier(Some(24), 18), tier(None, 72)],
        },
    };
    let kind = |effect| MarkRule {
        effect,
        enter_within_h: None,
        late_counts: false,
        year_max_h: None,
        once_max_h: None,
    };
    let start_up = MarkRule {
        year_max_h: Some(1),
        ..kind(MarkEffect::NotJudged)
    };
    profile.marks = MarkRules {
        chain_min: 40,
        kinds: [
            (MarkKind::Fault, kind(MarkEffect::Invalid)),
            (MarkKind::Stopped, kind(MarkEffect::Stopped)),
            (MarkKind::StartUp, start_up),
        ]
        .into(),
    };
    let drift = DriftRule {
        zero_adjust_pct: dec("2"),
        zero_out_pct: dec("5"),
        span_adjust_pct: dec("2"),
        span_out_pct: dec("5"),
        every_h: None,
    };
    profile.qa.items = [("a21026".into(), "so2".into())].into();
    profile.qa.drift = [("so2".into(), drift)].into();
    for outlet in city.outlets.values_mut() {
        outlet.expectation.minute_min = None;
        outlet.expectation.hour = true;
        outlet.expectation.no_data_after_s = 0;
        outlet.fallback.opens_after_min = 1_000_000;
    }
    city
}

/// The hour that begins `hour` hours after the first midnight: SO2 at `mg`, and as many kilograms,
/// as the station says.
pub(super) fn hour(hour: i64, mg: &str) -> Event {
    let mut so2 = value("a21026", mg, "N");
    so2.cou = Some(number(mg));
    let values = vec![so2, value("a21002", "30", "N")];
    data(record(GAS, RecordKind::Hour, minute(60 * hour), values))
}

pub(super) fn mark(kind: MarkKind, from_min: i64, until_min: i64) -> Event {
    Event::Mark(Mark {
        outlet: GAS.into(),
        kind,
        factors: Vec::new(),
        from: minute(from_min),
        until: minute(until_min),
        reason: "stated".into(),
        attachments: Vec::new(),
        by: "operator".into(),
    })
}

/// A span check of the SO2 analyser: what it read of 100.
pub(super) fn span_check(at: Timestamp, kind: QaKind, read: &str) -> Event {
    Event::QaTest(QaTest {
        outlet: GAS.into(),
        factor: "a21026".into(),
        kind,
        at,
        pairs: vec![QaPair {
            reference: dec("100"),
            measured: dec(read),
        }],
        full_scale: Some(dec("100")),
        note: String::new(),
        attachments: Vec::new(),
        by: "tester".into(),
        from_cn: None,
    })
}

pub(super) fn take_back(id: u64) -> TakeBack {
    TakeBack {
        outlet: GAS.into(),
        id: Seq(id),
        by: "operator".into(),
        reason: "entered for the wrong stack".into(),
    }
}

/// SO2 of the quarter that contains `at`.
pub(super) fn quarter(bench: &Bench, at: Timestamp) -> QuarterFactor {
    let (start, _) = time::quarter_of(at, UtcOffset::default());
    let row = bench.past.tables().quarters[&(GAS.into(), start)].clone();
    row.factors["a21026"].clone()
}

fn so2(bench: &Bench, level: Level, start: Timestamp) -> FactorAggregate {
    let row = bench.aggregate(GAS, level, start);
    row.factors["a21026"].clone()
}

const MIDNIGHT: i64 = 1_440;

/// The last two days of March: one measured, one silent. It is the second of April.
fn silent_last_day() -> Bench {
    let mut bench = Bench::with(hourly_city(), minute(-MIDNIGHT));
    for n in -24..0 {
        let mg = if n == -6 { "44" } else { "20" };
        bench.send(minute(60 * n + 61), hour(n, mg));
    }
    bench.tick(minute(3 * MIDNIGHT));
    let so2 = quarter(&bench, minute(0));
    assert_eq!((so2.hours, so2.valid, so2.invalid), (48, 24, 24));
    assert_eq!(so2.substituted_kg, Some(dec("1056")));
    bench
}

#[test]
fn a_stop_stated_afterwards_of_hours_without_data_changes_the_quarter_that_is_over() {
    let mut bench = silent_last_day();
    let march = minute(-30 * MIDNIGHT);
    let put_in = so2(&bench, Level::Month, march).substituted_kg;
    assert_eq!(put_in, Some(dec("1056")));
    bench.send(minute(3 * MIDNIGHT), mark(MarkKind::Stopped, 0, MIDNIGHT));
    let stopped = bench.seq;
    bench.tick(minute(3 * MIDNIGHT + 1));
    let so2_of = |bench: &Bench| quarter(bench, minute(0));
    let so2_now = so2_of(&bench);
    assert_eq!((so2_now.stopped, so2_now.invalid), (24, 0));
    assert_eq!(so2_now.capture_pct, Some(dec("100")));
    assert_eq!(so2_now.substituted_kg, None);
    assert_eq!(so2(&bench, Level::Month, march).substituted_kg, None);
    // Taken back, it is as before.
    bench.send(
        minute(3 * MIDNIGHT + 2),
        Event::MarkWithdrawn(take_back(stopped)),
    );
    bench.tick(minute(3 * MIDNIGHT + 3));
    assert_eq!(so2_of(&bench).substituted_kg, Some(dec("1056")));
    assert_eq!(so2(&bench, Level::Month, march).substituted_kg, put_in);
}

#[test]
fn a_correction_between_midnight_and_the_turn_of_the_outlet_does_not_stop_the_last_day() {
    let mut bench = Bench::with(hourly_city(), minute(-MIDNIGHT));
    for n in -24..0 {
        bench.send(minute(60 * n + 61), hour(n, "20"));
    }
    // April has begun; the last of March is still waited for, and did not come.
    bench.send(minute(MIDNIGHT), hour(-10, "21"));
    bench.tick(minute(MIDNIGHT + 120));
    let so2 = quarter(&bench, minute(0));
    assert_eq!((so2.hours, so2.valid), (48, 24));
    let row = bench.past.tables().quarters.into_values().next().unwrap();
    assert!(row.complete);
}

#[test]
fn a_month_of_substitutes_alone_becomes_empty_when_it_was_stopped() {
    let mut bench = silent_last_day();
    let april = minute(MIDNIGHT);
    let may = 31 * MIDNIGHT;
    bench.tick(minute(may + 120));
    assert!(so2(&bench, Level::Month, april).substituted_kg.is_some());
    bench.send(minute(may + 120), mark(MarkKind::Stopped, MIDNIGHT, may));
    bench.tick(minute(may + 121));
    let row = bench.aggregate(GAS, Level::Month, april);
    assert!(row.factors.is_empty());
    let year = bench.aggregate(GAS, Level::Year, minute(-90 * MIDNIGHT));
    let march = so2(&bench, Level::Month, minute(-30 * MIDNIGHT));
    assert_eq!(
        year.factors["a21026"].substituted_kg, march.substituted_kg,
        "nothing of April"
    );
}

#[test]
fn a_manual_report_that_comes_late_speaks_in_the_quarter_that_is_over() {
    let mut bench = Bench::with(hourly_city(), minute(-MIDNIGHT));
    // The analyser is out of order on the last day, the flow is measured.
    for n in -24..24 {
        let flag = if n < 0 { "N" } else { "D" };
        let mut values = vec![value("a21026", "20", flag), value("a00000", "100", "N")];
        for (code, text) in [("a01012", "80"), ("a01013", "0"), ("a01014", "10")] {
            values.push(value(code, text, "N"));
        }
        let start = minute(60 * n);
        let row = data(record(GAS, RecordKind::Hour, start, values));
        bench.send(start.plus_ms(HOUR_MS), row);
    }
    bench.tick(minute(3 * MIDNIGHT));
    let ways = |bench: &Bench| -> Vec<(String, u64)> {
        let gaps = quarter(bench, minute(0)).gaps;
        let hours = |gap: &Gap| u64::try_from(gap.until.since_ms(gap.from) / HOUR_MS).unwrap();
        let ways = gaps
            .iter()
            .map(|gap| (gap.settled.as_ref().unwrap(), hours(gap)));
        ways.map(|(put_in, hours)| (put_in.rule.to_string(), hours))
            .collect()
    };
    assert_eq!(ways(&bench), [("max-18".to_owned(), 24)]);
    let sample = |at| {
        Event::ManualReport(ManualReport {
            outlet: GAS.into(),
            sampled_at: at,
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
        })
    };
    bench.send(minute(3 * MIDNIGHT + 1), sample(minute(12 * 60 + 30)));
    // One of the next quarter speaks for the last hours of this one.
    bench.send(minute(3 * MIDNIGHT + 1), sample(minute(MIDNIGHT + 30)));
    bench.tick(minute(3 * MIDNIGHT + 2));
    let parts = [("max-18", 10), ("manual", 5), ("max-18", 7), ("manual", 2)];
    assert_eq!(
        ways(&bench),
        parts.map(|(way, hours)| (way.to_owned(), hours))
    );
}

#[test]
fn a_passed_check_entered_late_moves_the_look_back_of_the_quarter_that_is_over() {
    let mut city = hourly_city();
    let profile = city.profiles.get_mut("plain@1").unwrap();
    profile.substitution.method = SubstitutionMethod::DailyMaximum { days: 30 };
    let mut bench = Bench::with(city, minute(-3 * MIDNIGHT));
    for n in -72..0 {
        let mg = ["1", "2", "5"][usize::try_from((n + 72) / 24).unwrap()];
        bench.send(minute(60 * n + 61), hour(n, mg));
    }
    bench.tick(minute(3 * MIDNIGHT));
    let load = |bench: &Bench| quarter(bench, minute(0)).gaps[0].provisional.unit_kg;
    assert_eq!(load(&bench), Some(dec("120")));
    // Every hour stays what it was; only what was measured before the check is looked back upon.
    let check = span_check(minute(-MIDNIGHT), QaKind::SpanDrift, "100");
    bench.send(minute(3 * MIDNIGHT + 1), check);
    bench.tick(minute(3 * MIDNIGHT + 2));
    assert_eq!(load(&bench), Some(dec("48")));
}

#[test]
fn a_correction_reaches_every_later_quarter_that_looks_back_upon_it() {
    let mut bench = Bench::with(hourly_city(), minute(0));
    for n in 0..24 {
        bench.send(minute(60 * n + 61), hour(n, "20"));
    }
    // The second quarter is stopped; then nothing comes.
    let summer = 92 * MIDNIGHT;
    bench.tick(minute(summer));
    bench.send(minute(summer), mark(MarkKind::Stopped, MIDNIGHT, summer));
    bench.tick(minute(summer + 3 * MIDNIGHT));
    let first_gap = |bench: &Bench| quarter(bench, minute(summer)).gaps[0].clone();
    assert_eq!(first_gap(&bench).provisional.unit_kg, Some(dec("20")));
    bench.send(minute(summer + 3 * MIDNIGHT + 1), hour(7, "31"));
    bench.tick(minute(summer + 3 * MIDNIGHT + 2));
    assert_eq!(first_gap(&bench).provisional.unit_kg, Some(dec("31")));
}

#[test]
fn a_quarter_that_was_stopped_throughout_has_no_capture_rate_and_no_substitutes() {
    // One stack says so itself, of another people say so and nothing comes.
    for sends in [true, false] {
        let mut bench = Bench::with(hourly_city(), minute(-MIDNIGHT));
        for n in (-24..24).filter(|_| sends) {
            let values = vec![value("a21026", "0", "F"), value("a21002", "0", "F")];
            let start = minute(60 * n);
            let row = data(record(GAS, RecordKind::Hour, start, values));
            bench.send(start.plus_ms(HOUR_MS), row);
        }
        if !sends {
            bench.send(
                minute(MIDNIGHT),
                mark(MarkKind::Stopped, -MIDNIGHT, MIDNIGHT),
            );
        }
        bench.tick(minute(2 * MIDNIGHT));
        let so2 = quarter(&bench, minute(0));
        assert_eq!((so2.hours, so2.stopped), (48, 48));
        assert_eq!((so2.valid, so2.invalid), (0, 0));
        assert_eq!((so2.capture_pct, so2.capture_met), (None, None));
        assert_eq!((so2.substituted_kg, so2.gaps.len()), (None, 0));
    }
}

#[test]
fn a_third_mark_makes_a_chain_long_enough_and_the_first_has_its_effect() {
    let mut bench = Bench::with(hourly_city(), minute(0));
    for n in 0..12 {
        bench.send(minute(60 * n + 61), hour(n, "20"));
    }
    bench.send(minute(730), mark(MarkKind::Fault, 580, 600));
    bench.send(minute(730), mark(MarkKind::Fault, 600, 605));
    bench.tick(minute(731));
    let valid = |bench: &Bench| so2(bench, Level::Hour, minute(540)).valid;
    assert!(valid(&bench), "25 minutes are no chain");
    bench.send(minute(732), mark(MarkKind::Fault, 605, 620));
    let third = bench.seq;
    bench.tick(minute(733));
    assert!(!valid(&bench));
    bench.send(minute(734), Event::MarkWithdrawn(take_back(third)));
    bench.tick(minute(735));
    assert!(valid(&bench));
}

#[test]
fn a_mark_of_another_kind_may_spend_the_hours_of_a_year() {
    let mut bench = Bench::with(hourly_city(), minute(0));
    for n in 0..12 {
        bench.send(minute(60 * n + 61), hour(n, "20"));
    }
    bench.send(minute(730), mark(MarkKind::StartUp, 60, 80));
    bench.send(minute(730), mark(MarkKind::StartUp, 600, 660));
    bench.tick(minute(731));
    let exempt = |bench: &Bench, hour: i64| so2(bench, Level::Hour, minute(60 * hour)).exempt_units;
    assert_eq!((exempt(&bench, 1), exempt(&bench, 10)), (0, 60));
    // With it the first start-up is part of a chain that counts, and uses twenty of sixty minutes.
    bench.send(minute(732), mark(MarkKind::Fault, 80, 100));
    bench.tick(minute(733));
    assert_eq!((exempt(&bench, 1), exempt(&bench, 10)), (20, 40));
}

/// Five days of hours; `entries` are what is entered on the sixth. What is not entered leaves its
/// place in the journal empty.
fn five_days(entries: [Option<Event>; 4]) -> Bench {
    let mut bench = Bench::with(hourly_city(), minute(0));
    for n in 0..120 {
        let mg = if n == 10 { "40" } else { "20" };
        bench.send(minute(60 * n + 61), hour(n, mg));
    }
    for entry in entries {
        let at = minute(5 * MIDNIGHT + 30);
        match entry {
            Some(event) => bench.send(at, event),
            None => bench.tick(at),
        }
    }
    bench.tick(minute(5 * MIDNIGHT + 31));
    bench.flush();
    bench
}

#[test]
fn a_failed_span_check_takes_hours_out_back_to_the_last_passed_one_and_forward_to_the_next() {
    let noon = |day: i64| minute(day * MIDNIGHT + 720);
    let check = |day, read| Some(span_check(noon(day), QaKind::SpanDrift, read));
    let bench = five_days([check(1, "100"), check(2, "120"), check(3, "101"), None]);
    for n in 0..120 {
        let start = minute(60 * n);
        let out = noon(1) <= start && start < noon(3);
        let hour = so2(&bench, Level::Hour, start);
        let why = hour.invalid_why.as_deref();
        assert_eq!((why.is_some(), hour.valid), (out, !out), "hour {n}");
        assert!(why.is_none_or(|why| why == "out-of-control"));
        assert_eq!(hour.amount_kg.is_some(), !out);
        let nox = &bench.aggregate(GAS, Level::Hour, start).factors["a21002"];
        assert!(nox.valid, "the other analyser is sound");
    }
    let april = quarter(&bench, noon(3));
    let [gap] = april.gaps.as_slice() else {
        panic!("one gap, not {:?}", april.gaps);
    };
    assert_eq!((gap.from, gap.until), (noon(1), noon(3)));
    assert_eq!((gap.hours, gap.why.as_str()), (48, "out-of-control"));
    // Longer than a day: the greatest of 72 hours before the last passed check, as far as known.
    let put_in = &gap.provisional;
    assert_eq!((put_in.rule.as_str(), put_in.looked_back), ("max-72", 36));
    assert_eq!(put_in.window, Some((minute(0), noon(1).plus_ms(-HOUR_MS))));
    assert_eq!(put_in.taken_from, Some(minute(600)));
    assert_eq!(put_in.unit_kg, Some(dec("40")));
}

#[test]
fn a_failed_check_that_is_taken_back_leaves_no_trace_in_the_data() {
    let noon = |day: i64| minute(day * MIDNIGHT + 720);
    let check = |day, read| Some(span_check(noon(day), QaKind::SpanDrift, read));
    // Its place in the journal: a registry, 120 hours, the first check.
    let back = Some(Event::QaWithdrawn(take_back(123)));
    let failed = five_days([check(1, "100"), check(2, "120"), check(3, "101"), back]);
    let without = five_days([check(1, "100"), None, check(3, "101"), None]);
    let (failed, without) = (failed.past.tables(), without.past.tables());
    assert_eq!(failed.qa.len(), 3);
    assert!(failed.qa[&(Seq(123), 0)].withdrawn.is_some());
    assert_eq!(failed.records, without.records);
    assert_eq!(failed.aggregates, without.aggregates);
    assert_eq!(failed.packs, without.packs);
    assert_eq!(failed.quarters, without.quarters);
    assert_eq!(failed.clues, without.clues);
    assert_eq!(failed.latest, without.latest);
    assert_eq!(failed.alarms, without.alarms);
    let lines = |tables: &crate::engine::Tables| {
        let lines = tables.audit.values();
        lines.filter(|l| l.object == "test/123").count()
    };
    assert_eq!((lines(&failed), lines(&without)), (2, 0));
}

#[test]
fn what_was_expected_then_says_what_an_hour_is_made_of() {
    let mut city = hourly_city();
    let stack = city.outlets.get_mut(GAS).unwrap();
    stack.expectation.hour = false;
    stack.expectation.realtime_s = Some(60);
    let mut bench = Bench::with(city.clone(), minute(-10));
    let stack = city.outlets.get_mut(GAS).unwrap();
    stack.expectation.minute_min = Some(1);
    bench.send(minute(120), Event::Registry(city.into()));
    // Real-time values of an hour before minutes were asked for.
    for m in 0..60 {
        let values = vec![value("a21026", "20", "N")];
        let row = record(GAS, RecordKind::Realtime, minute(m), values);
        bench.send(minute(200), data(row));
    }
    bench.tick(minute(201));
    assert_eq!(so2(&bench, Level::Hour, minute(0)).mean, Some(dec("20")));
}
