//! Silence: of one kind of record, and of many outlets together.

use crate::engine::Event;
use crate::fixture::*;
use crate::model::*;
use std::sync::Arc;

/// Six enterprises of one region with two stacks each, minute data, half an hour of patience.
fn city() -> Registry {
    let mut city = registry();
    let stack = city.outlets.remove(GAS).unwrap();
    city.outlets.clear();
    let acme = city.enterprises["acme"].clone();
    city.enterprises.clear();
    for n in 0..6 {
        let id = format!("e{n}");
        let enterprise = Enterprise {
            id: id.as_str().into(),
            ..acme.clone()
        };
        city.enterprises.insert(id.as_str().into(), enterprise);
        for m in 0..2 {
            let mut outlet = stack.clone();
            outlet.id = format!("e{n}-{m}").as_str().into();
            outlet.enterprise = id.as_str().into();
            outlet.mn = format!("MN-{n}-{m}").as_str().into();
            outlet.fallback.opens_after_min = 1_000_000;
            city.outlets.insert(outlet.id.clone(), outlet);
        }
    }
    city
}

fn bench() -> Bench {
    let mut bench = Bench::with(city(), minute(0));
    bench.send(minute(0), Event::Policy(Arc::new(policy())));
    bench
}

fn minute_of(bench: &mut Bench, outlet: &str, n: i64) {
    let values = vec![value("a21026", "10", "N")];
    let record = record(outlet, RecordKind::Minute, minute(n), values);
    bench.send(minute(n + 1), data(record));
}

fn outlets() -> Vec<String> {
    (0..6)
        .flat_map(|n| (0..2).map(move |m| format!("e{n}-{m}")))
        .collect()
}

/// All of them send until minute `until`, but for those that `silent` says.
fn all_send(bench: &mut Bench, (from, until): (i64, i64), silent: impl Fn(&str) -> bool) {
    for n in from..until {
        for outlet in outlets().iter().filter(|id| !silent(id)) {
            minute_of(bench, outlet, n);
        }
    }
}

fn alarms(bench: &mut Bench) -> Vec<AlarmRow> {
    bench.tables().alarms.into_values().collect()
}

fn active(bench: &mut Bench, kind: AlarmKind) -> Vec<AlarmRow> {
    let rows = alarms(bench).into_iter();
    rows.filter(|row| row.kind == kind && row.active).collect()
}

#[test]
fn a_region_that_falls_silent_is_one_alarm_with_its_outlets() {
    let mut bench = bench();
    all_send(&mut bench, (0, 10), |_| false);
    bench.tick(minute(41));
    let rows: Vec<AlarmRow> = alarms(&mut bench)
        .into_iter()
        .filter(|r| r.is_open())
        .collect();
    let annunciated: Vec<&AlarmRow> = rows.iter().filter(|row| row.annunciates()).collect();
    assert_eq!(annunciated.len(), 1, "{annunciated:#?}");
    let outage = annunciated[0];
    assert_eq!(outage.kind, AlarmKind::LineOutage);
    assert_eq!(outage.subject, AlarmSubject::Region("r".into()));
    assert_eq!(outage.outlets, 12, "each of them is under it");
    let suppressed = rows.iter().filter(|r| r.state() == AlarmState::Suppressed);
    assert!(
        suppressed
            .clone()
            .all(|r| { r.suppressed.as_ref().and_then(|s| s.covered_by) == Some(outage.id) }),
        "those that had an alarm of their own are under it"
    );
    bench.restart();
    // All but one enterprise send again.
    all_send(&mut bench, (60, 62), |id| id.starts_with("e3"));
    let rows = alarms(&mut bench);
    let outage = rows.iter().find(|row| row.kind == AlarmKind::LineOutage);
    assert_eq!(outage.and_then(|row| row.returned_at), Some(minute(61)));
    let own = active(&mut bench, AlarmKind::NoData);
    let subjects: Vec<_> = own.iter().map(|row| row.subject.clone()).collect();
    let expected = ["e3-0", "e3-1"].map(|id| AlarmSubject::Outlet(id.into()));
    assert_eq!(subjects, expected, "their trouble is another: {own:#?}");
    assert!(own.iter().all(AlarmRow::annunciates));
    all_send(&mut bench, (63, 64), |_| false);
    assert!(active(&mut bench, AlarmKind::NoData).is_empty());
}

#[test]
fn what_falls_silent_at_another_time_is_its_own_alarm() {
    let mut bench = bench();
    all_send(&mut bench, (0, 10), |id| id == "e1-0");
    all_send(&mut bench, (10, 70), |id| id.starts_with("e1"));
    let own = active(&mut bench, AlarmKind::NoData);
    assert_eq!(own.len(), 2, "{own:#?}");
    assert!(active(&mut bench, AlarmKind::LineOutage).is_empty());
}

#[test]
fn one_kind_of_record_that_stays_away_is_told_while_others_come() {
    let mut city = city();
    for outlet in city.outlets.values_mut() {
        outlet.expectation.hour = true;
    }
    let mut bench = Bench::with(city, minute(0));
    bench.send(minute(0), Event::Policy(Arc::new(policy())));
    all_send(&mut bench, (0, 95), |id| id != "e0-0");
    let own = active(&mut bench, AlarmKind::NoData);
    let of: Vec<_> = own
        .iter()
        .map(|row| (row.subject.clone(), row.code.clone()))
        .collect();
    let expected = (AlarmSubject::Outlet("e0-0".into()), Some("hour".into()));
    assert!(of.contains(&expected), "{of:?}");
    assert_eq!(
        own.iter()
            .find(|r| r.subject == expected.0)
            .map(|r| r.raised_at),
        Some(minute(90)),
        "an hour and half an hour of patience"
    );
    let hour = record(
        "e0-0",
        RecordKind::Hour,
        minute(60),
        vec![value("a21026", "9", "N")],
    );
    bench.send(minute(125), data(hour));
    let still = active(&mut bench, AlarmKind::NoData);
    assert!(
        still
            .iter()
            .all(|r| r.subject != expected.0 || r.code.as_deref() != Some("hour"))
    );
}

#[test]
fn a_mark_of_maintenance_suppresses_silence_until_it_ends() {
    let mut bench = bench();
    all_send(&mut bench, (0, 10), |_| false);
    let mark = Mark {
        outlet: "e2-0".into(),
        factors: Vec::new(),
        kind: MarkKind::Maintenance,
        from: minute(10),
        until: minute(100),
        reason: "analyser exchanged".into(),
        attachments: Vec::new(),
        by: "acme-env".into(),
    };
    bench.send(minute(10), Event::Mark(mark));
    all_send(&mut bench, (10, 90), |id| id == "e2-0");
    let row = active(&mut bench, AlarmKind::NoData).remove(0);
    assert_eq!(row.state(), AlarmState::Suppressed);
    bench.restart();
    all_send(&mut bench, (90, 110), |id| id == "e2-0");
    let row = active(&mut bench, AlarmKind::NoData).remove(0);
    assert_eq!(row.state(), AlarmState::Unacknowledged, "the mark is over");
    let told = bench.tables().messages;
    let about = About::Alarm(row.id);
    let told: Vec<_> = told.values().filter(|m| m.about.contains(&about)).collect();
    assert!(
        !told.is_empty() && told.iter().all(|m| m.at >= minute(100)),
        "{told:#?}"
    );
}
