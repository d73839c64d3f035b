//! Conditions that must last: values near and over a limit, checks, flags, clocks, parameters,
//! tests of the equipment.

use crate::engine::{Event, Refusal, RefusalReason, Statement};
use crate::fixture::*;
use crate::model::*;
use std::sync::Arc;

/// The stack alone, with a policy, and nothing that would fall due by itself.
fn bench() -> Bench {
    let mut city = registry();
    city.outlets.remove(WATER);
    for outlet in city.outlets.values_mut() {
        outlet.expectation.no_data_after_s = 0;
        outlet.fallback.opens_after_min = 1_000_000;
    }
    let mut bench = Bench::with(city, minute(0));
    bench.send(minute(0), Event::Policy(Arc::new(policy())));
    bench
}

/// A minute of SO2, received as soon as it is over.
fn so2(bench: &mut Bench, n: i64, text: &str, flag: &str) {
    let mut value = value("a21026", text, flag);
    value.converted = Some(number(text));
    let record = record(GAS, RecordKind::Minute, minute(n), vec![value]);
    bench.send(minute(n + 1), data(record));
}

fn of(bench: &mut Bench, kind: AlarmKind) -> Vec<AlarmRow> {
    let alarms = bench.tables().alarms.into_values();
    alarms.filter(|a| a.kind == kind).collect()
}

#[test]
fn values_over_the_limit_of_an_hour_are_told_before_the_hour_is_over() {
    let mut bench = bench();
    for n in 0..10 {
        so2(&mut bench, n, "51", "N");
    }
    assert!(of(&mut bench, AlarmKind::ExceedanceRealtime).is_empty());
    bench.restart();
    so2(&mut bench, 10, "56", "N");
    let row = of(&mut bench, AlarmKind::ExceedanceRealtime).remove(0);
    assert_eq!(row.since, minute(1), "since the first value over it");
    assert_eq!(row.raised_at, minute(11));
    assert_eq!(
        (row.value, row.threshold),
        (Some(dec("56")), Some(dec("50")))
    );
    assert!(row.active);
    // Inside the dead-band of 2 % it goes on; below it, it must last.
    for n in 11..30 {
        so2(&mut bench, n, "49.5", "N");
    }
    assert!(of(&mut bench, AlarmKind::ExceedanceRealtime)[0].active);
    for n in 30..40 {
        so2(&mut bench, n, "40", "N");
    }
    assert!(of(&mut bench, AlarmKind::ExceedanceRealtime)[0].active);
    bench.restart();
    so2(&mut bench, 40, "40", "N");
    let row = of(&mut bench, AlarmKind::ExceedanceRealtime).remove(0);
    assert_eq!(row.returned_at, Some(minute(41)));
}

#[test]
fn a_single_spike_is_no_alarm_and_what_comes_late_neither() {
    let mut bench = bench();
    for n in 0..30 {
        so2(&mut bench, n, if n % 9 == 5 { "80" } else { "20" }, "N");
    }
    for n in 100..120 {
        let mut value = value("a21026", "90", "N");
        value.converted = Some(number("90"));
        let record = record(GAS, RecordKind::Minute, minute(n), vec![value]);
        bench.send(minute(n + 300), data(record));
    }
    assert!(of(&mut bench, AlarmKind::ExceedanceRealtime).is_empty());
}

#[test]
fn near_the_limit_is_told_and_gives_way_to_over_the_limit() {
    let mut bench = bench();
    for n in 0..12 {
        so2(&mut bench, n, "46", "N");
    }
    let near = of(&mut bench, AlarmKind::LimitApproaching).remove(0);
    assert!(near.active && near.first_out.is_none());
    for n in 12..40 {
        so2(&mut bench, n, "60", "N");
    }
    let near = of(&mut bench, AlarmKind::LimitApproaching).remove(0);
    assert!(!near.active, "it is over now, not near");
    let over = of(&mut bench, AlarmKind::ExceedanceRealtime).remove(0);
    assert!(over.active);
    assert_eq!(over.first_out, Some(near.id), "what came first is named");
}

#[test]
fn a_start_up_under_which_the_limit_does_not_judge_raises_nothing() {
    let mut city = registry();
    city.outlets.remove(WATER);
    let outlet = city.outlets.get_mut(GAS).unwrap();
    outlet.expectation.no_data_after_s = 0;
    let so2_limit = &mut outlet.factors.get_mut("a21026").unwrap().limits[0];
    so2_limit.not_during = vec![MarkKind::StartUp];
    let mut bench = Bench::with(city, minute(0));
    bench.send(minute(0), Event::Policy(Arc::new(policy())));
    let mark = Mark {
        outlet: GAS.into(),
        factors: Vec::new(),
        kind: MarkKind::StartUp,
        from: minute(0),
        until: minute(60),
        reason: "kiln is lit".into(),
        attachments: Vec::new(),
        by: "acme-env".into(),
    };
    bench.send(minute(1), Event::Mark(mark));
    for n in 1..30 {
        so2(&mut bench, n, "80", "N");
    }
    assert!(of(&mut bench, AlarmKind::ExceedanceRealtime).is_empty());
}

#[test]
fn flags_of_the_equipment_are_one_alarm_an_outlet_and_name_the_factors() {
    let mut bench = bench();
    let send = |bench: &mut Bench, n: i64, flag: &str| {
        let values = ["a21026", "a21002", "a34013"].map(|code| value(code, "10", flag));
        let record = record(GAS, RecordKind::Minute, minute(n), values.into());
        bench.send(minute(n + 1), data(record));
    };
    for n in 0..12 {
        send(&mut bench, n, "D");
    }
    let rows = of(&mut bench, AlarmKind::EquipmentState);
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert_eq!(rows[0].code.as_deref(), Some("D"));
    assert_eq!(rows[0].facts["factors"], "a21002 a21026 a34013");
    bench.restart();
    send(&mut bench, 12, "N");
    let row = of(&mut bench, AlarmKind::EquipmentState).remove(0);
    assert!(!row.active);
    assert!(
        of(&mut bench, AlarmKind::InvalidData).is_empty(),
        "the flag says it already"
    );
}

#[test]
fn a_check_that_refuses_values_is_an_alarm_by_its_code() {
    let mut bench = bench();
    let send = |bench: &mut Bench, n: i64, text: &str| {
        let value = Value {
            min: Some(number("30")),
            max: Some(number("31")),
            ..value("a21026", text, "N")
        };
        let record = record(GAS, RecordKind::Minute, minute(n), vec![value]);
        bench.send(minute(n + 1), data(record));
    };
    for n in 0..12 {
        send(&mut bench, n, "12");
    }
    let failed =
        bench.past.tables().records[&(GAS.into(), RecordKind::Minute, minute(3))].values["a21026"]
            .checks
            .clone();
    assert!(
        !failed.is_empty(),
        "the mean lies outside of least and greatest"
    );
    let impossible = crate::validate::is_impossible(&failed);
    let kind = if impossible {
        AlarmKind::ImpossibleValue
    } else {
        AlarmKind::InvalidData
    };
    let rows = of(&mut bench, kind);
    assert_eq!(rows.len(), 1, "{rows:#?}");
    for n in 12..16 {
        send(&mut bench, n, "30.5");
    }
    assert!(!of(&mut bench, kind)[0].active);
}

#[test]
fn a_clock_that_stays_wrong_is_told_with_its_error() {
    let mut city = registry();
    city.outlets.remove(WATER);
    let outlet = city.outlets.get_mut(GAS).unwrap();
    outlet.expectation.realtime_s = Some(60);
    let mut bench = Bench::with(city, minute(0));
    bench.send(minute(0), Event::Policy(Arc::new(policy())));
    let send = |bench: &mut Bench, n: i64, ahead_min: i64| {
        let values = vec![value("a21026", "10", "N")];
        let record = record(GAS, RecordKind::Realtime, minute(n + ahead_min), values);
        bench.send(minute(n), data(record));
    };
    for n in 1..20 {
        send(&mut bench, n, -12);
    }
    assert!(
        of(&mut bench, AlarmKind::ClockDrift).is_empty(),
        "it may be a backlog"
    );
    for n in 20..40 {
        send(&mut bench, n, -12);
    }
    let row = of(&mut bench, AlarmKind::ClockDrift).remove(0);
    assert_eq!(row.value, Some(dec("-720")));
    assert_eq!(row.since, minute(1));
    send(&mut bench, 40, 0);
    assert!(!of(&mut bench, AlarmKind::ClockDrift)[0].active);
}

#[test]
fn a_changed_parameter_is_an_event_that_waits_for_a_person() {
    let mut bench = bench();
    let said = |value: &str| {
        Event::Statement(
            contact(GAS),
            Statement {
                cn: "3020".into(),
                at: None,
                items: vec![("a21026-i13008-Info".into(), value.into())],
            },
        )
    };
    bench.send(minute(1), said("1.02"));
    bench.send(minute(2), said("1.02"));
    assert!(of(&mut bench, AlarmKind::ParameterChanged).is_empty());
    bench.restart();
    bench.send(minute(3), said("0.71"));
    let row = of(&mut bench, AlarmKind::ParameterChanged).remove(0);
    assert_eq!(row.state(), AlarmState::ReturnedUnacknowledged);
    assert_eq!(
        (row.facts["before"].as_str(), row.facts["after"].as_str()),
        ("1.02", "0.71")
    );
    let mut changed = bench.engine.registry().unwrap().clone();
    let gas = changed.outlets.get_mut(GAS).unwrap().gas.as_mut().unwrap();
    gas.velocity_coefficient = dec("0.93");
    bench.send(minute(4), Event::Registry(Arc::new(changed)));
    let row = of(&mut bench, AlarmKind::ParameterChanged).remove(1);
    assert_eq!(row.code.as_deref(), Some("kv"));
    assert_eq!(
        (row.facts["before"].as_str(), row.facts["after"].as_str()),
        ("1", "0.93")
    );
}

#[test]
fn a_failed_drift_test_is_an_alarm_until_one_passes_or_it_is_taken_back() {
    let mut city = registry();
    city.outlets.remove(WATER);
    city.outlets
        .get_mut(GAS)
        .unwrap()
        .expectation
        .no_data_after_s = 0;
    let drift = profile::DriftRule {
        zero_adjust_pct: dec("2"),
        zero_out_pct: dec("5"),
        span_adjust_pct: dec("2"),
        span_out_pct: dec("5"),
        every_h: None,
    };
    city.profiles.get_mut("plain@1").unwrap().qa = profile::QaRules {
        items: [("a21026".into(), "so2".into())].into(),
        drift: [("so2".into(), drift)].into(),
        ..profile::QaRules::default()
    };
    let mut bench = Bench::with(city, minute(0));
    bench.send(minute(0), Event::Policy(Arc::new(policy())));
    let test = |at: i64, measured: &str| {
        Event::QaTest(QaTest {
            outlet: GAS.into(),
            factor: "a21026".into(),
            kind: QaKind::SpanDrift,
            at: minute(at),
            pairs: vec![QaPair {
                reference: dec("100"),
                measured: dec(measured),
            }],
            full_scale: Some(dec("100")),
            note: String::new(),
            attachments: Vec::new(),
            by: "lab-1".into(),
            from_cn: None,
        })
    };
    bench.send(minute(10), test(10, "112"));
    let row = of(&mut bench, AlarmKind::OutOfControl).remove(0);
    assert!(row.active && row.since == minute(10));
    assert_eq!(row.code.as_deref(), Some("span-drift"));
    bench.restart();
    bench.send(minute(20), test(20, "100.5"));
    assert!(!of(&mut bench, AlarmKind::OutOfControl)[0].active);
    bench.send(minute(30), test(30, "90"));
    let again = of(&mut bench, AlarmKind::OutOfControl).remove(1);
    assert_eq!(
        again.previous,
        Some(row.id),
        "a new occurrence names the last"
    );
    let back = crate::engine::TakeBack {
        outlet: GAS.into(),
        id: Seq(bench.seq),
        by: "lab-1".into(),
        reason: "wrong bottle".into(),
    };
    bench.send(minute(31), Event::QaWithdrawn(back));
    assert!(!of(&mut bench, AlarmKind::OutOfControl)[1].active);
}

#[test]
fn times_from_the_future_are_refused_and_storms_still_are_storms() {
    let mut bench = bench();
    for n in 0..12 {
        let refusal = Refusal {
            reason: RefusalReason::Crc,
            peer: "203.0.113.9:1".into(),
            mn: None,
            outlet: None,
            bytes: 9,
            excerpt: String::new(),
        };
        bench.send(minute(0).plus_ms(n * 1_000), Event::Refused(refusal));
    }
    let storm = of(&mut bench, AlarmKind::CrcStorm).remove(0);
    assert!(storm.annunciates());
}
