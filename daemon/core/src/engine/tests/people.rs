//! Alarms answered, reports entered, fallbacks decided, the registry changed.

use crate::alarm::LifecycleError;
use crate::engine::{ActionError, AlarmAction, AlarmActionKind, Event, FallbackDecision};
use crate::fixture::*;
use crate::model::*;
use std::sync::Arc;

fn act(kind: AlarmActionKind, note: &str) -> AlarmAction {
    AlarmAction {
        alarm: AlarmId(1),
        kind,
        by: "duty-1".into(),
        note: note.into(),
        until: None,
    }
}

fn minute_record(start: Timestamp) -> Event {
    let values = ["a21026", "a21002", "a34013"].map(|code| value(code, "20", "N"));
    data(record(GAS, RecordKind::Minute, start, values.into()))
}

/// A registry with the stack alone, silent for 30 minutes: alarm 1 is "no data".
fn silent() -> Bench {
    let mut city = registry();
    city.outlets.remove(WATER);
    let mut bench = Bench::with(city, minute(0));
    assert_eq!(bench.engine.next_deadline(), Some(minute(30)));
    bench.tick(minute(30));
    bench.flush();
    bench
}

fn alarm(bench: &Bench) -> AlarmRow {
    bench.past.tables().alarms[&AlarmId(1)].clone()
}

fn audit(bench: &mut Bench) -> Vec<String> {
    let lines = bench.tables().audit.into_values();
    lines
        .map(|l| format!("{} {} {}", l.who, l.what, l.object))
        .collect()
}

#[test]
fn a_silent_outlet_is_alarmed_though_it_was_never_heard_and_answered_in_order() {
    let mut bench = silent();
    let row = alarm(&bench);
    assert_eq!((row.kind, row.active), (AlarmKind::NoData, true));
    assert_eq!((row.since, row.raised_at), (minute(0), minute(30)));
    assert_eq!(row.enterprise, Some("acme".into()));
    assert_eq!(row.facts["ever_heard"], "false");

    let close = act(AlarmActionKind::Close, "logger repaired");
    let refused = bench.engine.check_alarm_action(&close, &bench.past);
    assert_eq!(
        refused,
        Err(ActionError::Lifecycle(LifecycleError::Active(AlarmId(1))))
    );
    bench.send(minute(31), Event::AlarmAction(close.clone()));
    assert_eq!(alarm(&bench).closed, None);

    bench.send(minute(40), minute_record(minute(39)));
    let refused = bench
        .engine
        .check_alarm_action(&close, &bench.past)
        .unwrap_err();
    assert_eq!(refused.code(), "alarm-not-acknowledged");

    let first = act(AlarmActionKind::Acknowledge, "called the operator");
    bench.send(minute(41), Event::AlarmAction(first.clone()));
    bench.send(
        minute(42),
        Event::AlarmAction(AlarmAction {
            by: "late".into(),
            ..first
        }),
    );
    bench.restart();
    bench.send(minute(43), Event::AlarmAction(close.clone()));
    let row = alarm(&bench);
    let acknowledged = row.acknowledged.unwrap();
    assert_eq!(
        (acknowledged.by, acknowledged.at),
        ("duty-1".into(), minute(41))
    );
    assert_eq!(row.returned_at, Some(minute(40)));
    assert_eq!(row.closed.unwrap().conclusion, "logger repaired");
    let again = bench
        .engine
        .check_alarm_action(&close, &bench.past)
        .unwrap_err();
    assert_eq!(again.code(), "alarm-closed");
    assert_eq!(
        audit(&mut bench),
        [
            "engine registry.changed registry",
            "engine alarm.raised alarm/1",
            "duty-1 alarm.refused alarm/1",
            "engine alarm.returned alarm/1",
            "duty-1 alarm.acknowledged alarm/1",
            "late alarm.acknowledged-again alarm/1",
            "duty-1 alarm.closed alarm/1",
        ]
    );
}

#[test]
fn the_next_silence_is_a_new_alarm() {
    let mut bench = silent();
    bench.send(minute(40), minute_record(minute(39)));
    bench.tick(minute(70));
    let tables = bench.tables();
    let second = tables
        .alarms
        .values()
        .find(|a| a.previous == Some(AlarmId(1)))
        .unwrap();
    assert_eq!((second.kind, second.since), (AlarmKind::NoData, minute(40)));
    assert!(second.active && second.acknowledged.is_none());
}

#[test]
fn an_unknown_alarm_is_refused_with_its_number() {
    let bench = Bench::with(registry(), minute(0));
    let action = act(AlarmActionKind::Acknowledge, "");
    let error = bench
        .engine
        .check_alarm_action(&action, &bench.past)
        .unwrap_err();
    assert_eq!(error.to_string(), "there is no alarm 1");
}

fn report(sampled_at: Timestamp) -> ManualReport {
    ManualReport {
        outlet: GAS.into(),
        sampled_at,
        sampler: "张三".into(),
        method: "HJ 57-2017".into(),
        laboratory: "虚构检测".into(),
        values: vec![ManualValue {
            factor: "a21026".into(),
            value: dec("18"),
        }],
        note: String::new(),
        attachments: Vec::new(),
        corrects: None,
        by: "lab-1".into(),
    }
}

#[test]
fn silence_opens_a_fallback_whose_reports_are_counted_and_missed() {
    let mut bench = silent();
    bench.tick(minute(60));
    let fallback = |bench: &Bench| bench.past.tables().fallbacks[&FallbackId(1)].clone();
    let row = fallback(&bench);
    assert_eq!((row.opened_at, row.reasons.len()), (minute(60), 3));
    assert_eq!(row.next_due, Some(minute(420)));

    bench.send(minute(200), Event::ManualReport(report(minute(180))));
    assert_eq!(fallback(&bench).next_due, Some(minute(540)));
    bench.tick(minute(540));
    bench.restart();
    let overdue = |bench: &Bench| {
        let alarms = bench.past.tables().alarms.into_values();
        let mut rows = alarms.filter(|a| a.kind == AlarmKind::ManualReportOverdue);
        rows.next().unwrap()
    };
    let row = overdue(&bench);
    assert_eq!(
        (row.active, row.since, row.raised_at),
        (true, minute(540), minute(540))
    );
    assert_eq!(
        (row.facts["fallback"].as_str(), row.facts["why"].as_str()),
        ("1", "gap")
    );

    bench.send(minute(600), Event::ManualReport(report(minute(590))));
    assert!(!overdue(&bench).active);
    let tables = bench.tables();
    let late: Vec<bool> = tables.reports.values().map(|r| r.late).collect();
    assert_eq!(late, [false, true]);
    assert_eq!(tables.fallbacks[&FallbackId(1)].missed, 1);

    bench.send(minute(610), minute_record(minute(609)));
    let row = bench.tables().fallbacks[&FallbackId(1)].clone();
    assert_eq!(row.closed_at, Some(minute(610)));
    assert_eq!(row.closed_why.as_deref(), Some("valid-data"));
    // Nothing open: kept all the same.
    bench.send(minute(620), Event::ManualReport(report(minute(615))));
    let tables = bench.tables();
    assert_eq!(tables.reports[&ReportId(3)].fallback, None);
    assert!(audit(&mut bench).contains(&"lab-1 report.received report/3".to_owned()));
}

#[test]
fn a_manual_report_that_makes_no_sense_is_refused_with_words() {
    let bench = Bench::with(registry(), minute(0));
    let now = minute(100);
    let refused = |change: &dyn Fn(&mut ManualReport)| {
        let mut report = report(minute(90));
        change(&mut report);
        bench
            .engine
            .check_manual_report(&report, now)
            .map_err(|e| e.code())
            .unwrap_err()
    };
    assert_eq!(
        bench.engine.check_manual_report(&report(minute(90)), now),
        Ok(())
    );
    assert_eq!(refused(&|r| r.outlet = "nowhere".into()), "unknown-outlet");
    assert_eq!(refused(&|r| r.sampled_at = minute(101)), "future");
    assert_eq!(refused(&|r| r.values.clear()), "no-value");
    assert_eq!(
        refused(&|r| r.values[0].factor = "w01018".into()),
        "unknown-factor"
    );
    assert_eq!(
        refused(&|r| r.values.push(r.values[0].clone())),
        "too-many-values"
    );
    assert_eq!(refused(&|r| r.sampler = " ".into()), "empty");
    assert_eq!(refused(&|r| r.note = "x".repeat(2_001)), "too-long");
}

#[test]
fn a_person_opens_and_closes_a_fallback() {
    let mut bench = Bench::with(registry(), minute(0));
    let decision = |open| FallbackDecision {
        outlet: GAS.into(),
        open,
        by: "duty-1".into(),
        note: "考核过期".into(),
    };
    let early = bench
        .engine
        .check_fallback_decision(&decision(false))
        .unwrap_err();
    assert_eq!(early.code(), "no-fallback");
    bench.send(minute(5), Event::FallbackDecision(decision(true)));
    bench.send(minute(6), minute_record(minute(5)));
    assert_eq!(
        bench.engine.check_fallback_decision(&decision(false)),
        Ok(())
    );
    bench.send(minute(10), Event::FallbackDecision(decision(false)));
    let row = bench.tables().fallbacks[&FallbackId(1)].clone();
    assert_eq!(
        (row.opened_at, row.closed_at),
        (minute(5), Some(minute(10)))
    );
    assert_eq!(row.closed_why.as_deref(), Some("考核过期"));
    bench.send(minute(11), Event::FallbackDecision(decision(false)));
    let lines = audit(&mut bench);
    assert_eq!(
        lines.last().unwrap(),
        "duty-1 fallback.refused outlet/dc-01"
    );
}

#[test]
fn an_outlet_that_leaves_the_registry_stops_and_its_alarms_return() {
    let mut bench = silent();
    bench.tick(minute(61));
    let mut city = registry();
    city.outlets.remove(GAS);
    bench.send(minute(62), Event::Registry(Arc::new(city)));
    assert_eq!(alarm(&bench).facts["returned"], "outlet-removed");
    let fallback = bench.tables().fallbacks[&FallbackId(1)].clone();
    assert_eq!(fallback.closed_why.as_deref(), Some("outlet-removed"));
    // Only the new outlet is watched now.
    assert_eq!(bench.engine.next_deadline(), Some(minute(92)));
    bench.send(minute(63), minute_record(minute(62)));
    let tables = bench.tables();
    assert_eq!(
        tables.quarantine.values().next().unwrap().reason,
        "unknown-mn"
    );
    assert!(tables.records.is_empty());
    // Back again: watched from now on, and the same registry twice changes nothing.
    let back = Arc::new(registry());
    bench.send(minute(70), Event::Registry(Arc::clone(&back)));
    let known = bench.tables().registries.len();
    bench.send(minute(71), Event::Registry(back));
    assert_eq!(bench.tables().registries.len(), known);
    assert_eq!(bench.engine.next_deadline(), Some(minute(92)));
    bench.tick(minute(100));
    let silent = bench.tables().alarms.into_values().filter(|a| a.active);
    assert_eq!(
        silent.map(|a| a.since).collect::<Vec<_>>(),
        [minute(62), minute(70)]
    );
}
