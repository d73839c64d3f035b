//! Bad frames, strangers, impossible values.

use crate::engine::{
    ATTEMPT_QUIET_MS, AuditEntry, Engine, Event, Refusal, RefusalReason, STORM_FRAMES,
    STORM_QUIET_MS, STRANGERS_MAX, Statement,
};
use crate::fixture::*;
use crate::model::rows::StateRow;
use crate::model::*;
use std::sync::Arc;

fn refused(reason: RefusalReason, peer: &str, mn: &str) -> Event {
    Event::Refused(Refusal {
        reason,
        peer: peer.into(),
        mn: Some(mn.into()),
        outlet: (reason == RefusalReason::WrongPassword).then(|| GAS.into()),
        bytes: 120,
        excerpt: "##0120QN=".into(),
    })
}

fn of(bench: &mut Bench, kind: AlarmKind) -> Vec<AlarmRow> {
    let alarms = bench.tables().alarms.into_values();
    alarms.filter(|a| a.kind == kind).collect()
}

/// Expectations off, so that only what the test does raises alarms.
fn quiet_city() -> Registry {
    let mut city = registry();
    for outlet in city.outlets.values_mut() {
        outlet.expectation.no_data_after_s = 0;
        outlet.fallback.opens_after_min = 1_000_000;
    }
    city
}

#[test]
fn ten_bad_frames_in_five_minutes_are_a_storm_and_nine_are_not() {
    let mut bench = Bench::with(quiet_city(), minute(0));
    for n in 0..9 {
        bench.send(
            minute(n),
            refused(RefusalReason::Crc, "203.0.113.9:1000", "x"),
        );
    }
    assert!(of(&mut bench, AlarmKind::CrcStorm).is_empty());
    for n in 0..i64::try_from(STORM_FRAMES).unwrap() {
        // Another port each time: it is the address that counts.
        let peer = format!("203.0.113.9:{}", 2_000 + n);
        bench.send(
            minute(30).plus_ms(n * 1_000),
            refused(RefusalReason::Garbage, &peer, "x"),
        );
    }
    bench.restart();
    let storm = of(&mut bench, AlarmKind::CrcStorm).remove(0);
    assert_eq!(storm.subject, AlarmSubject::Peer("203.0.113.9".into()));
    assert_eq!(
        (storm.since, storm.active, storm.count),
        (minute(30), true, 10)
    );
    let over = minute(30).plus_ms(9_000 + STORM_QUIET_MS);
    assert_eq!(bench.engine.next_deadline(), Some(over));
    bench.tick(over);
    let storm = of(&mut bench, AlarmKind::CrcStorm).remove(0);
    assert_eq!((storm.active, storm.returned_at), (false, Some(over)));
    assert_eq!(bench.tables().quarantine.len(), 19);
}

#[test]
fn an_unknown_logger_is_alarmed_once_until_it_is_quiet_or_registered() {
    let mut bench = Bench::with(quiet_city(), minute(0));
    for n in 0..5 {
        bench.send(
            minute(n),
            refused(RefusalReason::UnknownMn, "203.0.113.9:1", "MN-NEW"),
        );
    }
    let alarms = of(&mut bench, AlarmKind::UnknownMn);
    assert_eq!(alarms.len(), 1);
    assert_eq!((alarms[0].count, alarms[0].active), (5, true));
    assert_eq!(alarms[0].subject, AlarmSubject::Device("MN-NEW".into()));
    bench.tick(minute(4).plus_ms(ATTEMPT_QUIET_MS));
    assert!(!of(&mut bench, AlarmKind::UnknownMn)[0].active);

    bench.send(
        minute(200),
        refused(RefusalReason::UnknownMn, "203.0.113.9:1", "MN-NEW"),
    );
    let mut city = quiet_city();
    city.outlets.get_mut(GAS).unwrap().mn = "MN-NEW".into();
    bench.send(minute(201), Event::Registry(Arc::new(city)));
    let second = of(&mut bench, AlarmKind::UnknownMn).remove(1);
    assert_eq!((second.previous, second.active), (Some(AlarmId(1)), false));
    assert_eq!(second.facts["returned"], "registered");
}

#[test]
fn a_wrong_password_is_the_outlets_affair() {
    let mut bench = Bench::with(quiet_city(), minute(0));
    for n in 0..3 {
        bench.send(
            minute(n),
            refused(RefusalReason::WrongPassword, "203.0.113.9:1", "MN-GAS"),
        );
    }
    let alarm = of(&mut bench, AlarmKind::WrongPassword).remove(0);
    assert_eq!(alarm.subject, AlarmSubject::Outlet(GAS.into()));
    assert_eq!(
        (alarm.count, alarm.facts["reason"].as_str()),
        (3, "wrong-password")
    );
    let over = minute(2).plus_ms(ATTEMPT_QUIET_MS);
    assert_eq!(bench.engine.next_deadline(), Some(over));
    bench.tick(over);
    assert!(!of(&mut bench, AlarmKind::WrongPassword)[0].active);
    // Nobody known: the peer's affair.
    let mut nobody = refused(RefusalReason::SourceAddress, "198.51.100.4:5", "?");
    if let Event::Refused(refusal) = &mut nobody {
        refusal.outlet = None;
    }
    bench.send(minute(300), nobody);
    let alarm = of(&mut bench, AlarmKind::WrongPassword).remove(1);
    assert_eq!(alarm.subject, AlarmSubject::Peer("198.51.100.4".into()));
}

#[test]
fn invented_identities_cannot_flood_the_alarm_list() {
    let mut bench = Bench::with(quiet_city(), minute(0));
    for n in 0..2 * STRANGERS_MAX {
        let mn = format!("MN-{n}");
        bench.send(
            minute(1),
            refused(RefusalReason::UnknownMn, "203.0.113.9:1", &mn),
        );
    }
    assert_eq!(of(&mut bench, AlarmKind::UnknownMn).len(), STRANGERS_MAX);
    let tables = bench.tables();
    assert_eq!(tables.quarantine.len(), 2 * STRANGERS_MAX);
    let full = tables
        .audit
        .values()
        .filter(|l| l.what == "intake.full")
        .count();
    assert_eq!(full, 1);
    // Once they are quiet there is room again, the oldest goes first and is named.
    bench.tick(minute(1).plus_ms(ATTEMPT_QUIET_MS));
    bench.send(
        minute(90),
        refused(RefusalReason::UnknownMn, "203.0.113.9:1", "MN-LAST"),
    );
    let tables = bench.tables();
    let dropped = tables
        .audit
        .values()
        .find(|l| l.what == "intake.dropped")
        .unwrap();
    assert_eq!(dropped.detail, "mn|MN-0");
    // A day later all are forgotten; only the outlets' own quarters, once a day, are waited for.
    bench.tick(minute(3 * 1_440));
    bench.tick(minute(3 * 1_440 + 120));
    let next = bench.engine.next_deadline().unwrap();
    assert!(next > minute(4 * 1_440), "{next}");
}

fn so2(start: Timestamp, text: &str, flag: &str) -> Event {
    let values = vec![value("a21026", text, flag)];
    data(record(GAS, RecordKind::Minute, start, values))
}

#[test]
fn impossible_values_are_one_alarm_until_three_good_ones_came() {
    let mut bench = Bench::with(quiet_city(), minute(0));
    // In calibration the analyser may show anything.
    bench.send(minute(1), so2(minute(0), "-50", "C"));
    assert!(of(&mut bench, AlarmKind::ImpossibleValue).is_empty());
    for (n, text) in ["-50", "-51", "20", "20", "-52", "20", "20"]
        .iter()
        .enumerate()
    {
        let n = i64::try_from(n).unwrap();
        bench.send(minute(n + 2), so2(minute(n + 1), text, "N"));
    }
    let alarm = of(&mut bench, AlarmKind::ImpossibleValue).remove(0);
    assert_eq!(
        (alarm.active, alarm.count, alarm.value),
        (true, 3, Some(dec("-52")))
    );
    assert_eq!(alarm.facts["checks"], "negative");
    bench.send(minute(10), so2(minute(9), "20", "N"));
    assert!(!of(&mut bench, AlarmKind::ImpossibleValue)[0].active);
    bench.send(minute(11), so2(minute(10), "-1", "N"));
    let second = of(&mut bench, AlarmKind::ImpossibleValue).remove(1);
    assert_eq!(second.previous, Some(alarm.id));
}

#[test]
fn statements_and_entries_are_kept_as_they_came() {
    let mut bench = Bench::with(quiet_city(), minute(0));
    let statement = Statement {
        cn: "3020".into(),
        at: None,
        items: vec![("i12001-Info".into(), "1".into())],
    };
    bench.send(minute(3), Event::Statement(contact(GAS), statement));
    bench.send(minute(4), Event::SignOfLife(contact(GAS)));
    let entry = AuditEntry {
        who: "duty-1".into(),
        what: "login".into(),
        object: "console".into(),
        detail: "from 127.0.0.1".into(),
    };
    bench.send(minute(5), Event::Audit(entry));
    let tables = bench.tables();
    let row = tables.statements.values().next().unwrap();
    assert_eq!((row.at, row.value.as_str()), (minute(3), "1"));
    assert_eq!(tables.devices["MN-GAS"].frames, 2);
    assert_eq!(
        tables.audit.values().last().unwrap().detail,
        "from 127.0.0.1"
    );
}

#[test]
fn state_of_another_version_is_named() {
    let row = StateRow {
        name: "dc-01".into(),
        json: "{".into(),
    };
    let error = Engine::restore([row]).unwrap_err();
    assert!(error.to_string().contains("dc-01"), "{error}");
}

#[test]
fn time_does_not_go_back() {
    let mut bench = Bench::with(quiet_city(), minute(10));
    bench.send(minute(5), so2(minute(4), "20", "N"));
    assert_eq!(bench.engine.now(), minute(10));
    let tables = bench.tables();
    let row = tables.records.values().next().unwrap();
    assert_eq!(row.values["a21026"].received_at, minute(10));
}
