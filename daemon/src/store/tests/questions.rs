//! What goes in comes out, and every question finds what it should.

use super::*;
use crate::store::schema::open_read_only;
use cems_core::model::rows::StatementRow;
use cems_core::model::time::DAY_MS;
use cems_core::model::{ForwardRow, MessageId, MessageRow};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn records_and_aggregates_come_back_as_they_went_in(
        records in prop::collection::vec(samples::record(), 1..8),
        aggregates in prop::collection::vec(samples::aggregate(), 1..8),
        superseded in samples::superseded(),
        alarm in samples::alarm(),
        fallback in samples::fallback(),
        report in samples::manual_report(),
        quarantined in samples::quarantine(),
    ) {
        let mut desk = Desk::new();
        let store = &mut desk.store;
        store.begin().unwrap();
        for row in &records {
            store.apply(&Output::Record(row.clone())).unwrap();
            let back = store.history().record(&row.outlet, row.kind, row.start);
            prop_assert_eq!(back.as_ref().map(exact), Some(exact(row)));
        }
        for row in &aggregates {
            store.apply(&Output::Aggregate(row.clone())).unwrap();
            let until = row.start.plus_ms(1);
            let back = store.history().aggregates(&row.outlet, row.level, row.start, until);
            prop_assert_eq!(exact(&back), exact([row]));
        }
        for output in [
            Output::Superseded(superseded.clone()),
            Output::Alarm(alarm.clone()),
            Output::Fallback(fallback.clone()),
            Output::ManualReport(report.clone()),
            Output::Quarantine(quarantined.clone()),
        ] {
            store.apply(&output).unwrap();
        }
        prop_assert_eq!(store.take_failure(), None);
        prop_assert_eq!(store.history().alarm(alarm.id), Some(alarm));
        prop_assert_eq!(store.history().fallback(fallback.id), Some(fallback));
        let q = store.queries();
        let s = &superseded;
        let back = q.superseded(&s.outlet, s.kind, s.start).unwrap();
        prop_assert_eq!(exact(&back), exact([s]));
        let reports = q.manual_reports(&report.report.outlet, Timestamp(0), T0.plus_ms(1 << 30));
        prop_assert_eq!(reports.unwrap(), [report]);
        prop_assert_eq!(q.quarantine(10).unwrap(), [quarantined]);
    }
}

/// Text that shows the scale of decimals too, which `==` does not.
fn exact<T: std::fmt::Debug>(row: T) -> String {
    format!("{row:?}")
}

#[test]
fn the_body_of_a_minute_stays_small_and_readable() {
    let mut desk = Desk::new();
    let mut row = minute("dc-01", 0);
    row.values.retain(|code, _| code.as_str() == "a21026");
    desk.batch(1, &[Output::Record(row)]);
    let body: String = desk
        .store
        .connection_for_tests()
        .query_row("SELECT body FROM record", [], |r| r.get(0))
        .unwrap();
    assert_eq!(
        body,
        "{\"at\":1795314661500,\"seq\":1,\"v\":{\"a21026\":{\"a\":\"56.00\",\"n\":\"48.00\",\
         \"x\":\"64.00\",\"z\":\"72.00\",\"f\":\"N\"}}}"
    );
}

#[test]
fn spans_are_half_open_and_ascending() {
    let mut desk = Desk::new();
    let rows: Vec<_> = (0..5)
        .rev()
        .map(|n| Output::Record(minute("dc-01", n)))
        .collect();
    desk.batch(1, &rows);
    let readers = desk.store.readers().unwrap();
    let span = |from: i64, until: i64| -> Vec<i64> {
        let (from, until) = (T0.plus_ms(from * 60_000), T0.plus_ms(until * 60_000));
        let rows = readers.records(&outlet("dc-01"), RecordKind::Minute, from, until);
        rows.unwrap()
            .iter()
            .map(|r| r.start.since_ms(T0) / 60_000)
            .collect()
    };
    assert_eq!(span(1, 4), [1, 2, 3]);
    assert_eq!(span(4, 4), [0_i64; 0]);
    assert_eq!(span(-9, 99), [0, 1, 2, 3, 4]);
}

#[test]
fn versions_are_those_of_the_newest_value_page_by_page() {
    let mut desk = Desk::new();
    let mut rows: Vec<RecordRow> = (0..5).map(|n| minute("dc-01", n)).collect();
    let corrected = rows[3].values.values_mut().next().unwrap();
    (corrected.seq, corrected.received_at) = (Seq(77), T0.plus_ms(DAY_MS));
    rows[4].values.clear();
    let seq = rows[2]
        .values
        .values()
        .map(|value| value.seq)
        .max()
        .unwrap();
    let outputs: Vec<Output> = rows.into_iter().map(Output::Record).collect();
    desk.batch(1, &outputs);
    let readers = desk.store.readers().unwrap();
    let ask = |from: i64, limit| {
        let span = (T0.plus_ms(from * 60_000), T0.plus_ms(9 * 60_000));
        let rows = readers.record_versions(&outlet("dc-01"), RecordKind::Minute, span, limit);
        rows.unwrap()
    };
    let minutes = |rows: &[(Timestamp, Seq, Timestamp)]| -> Vec<i64> {
        let starts = rows.iter().map(|(start, ..)| start.since_ms(T0));
        starts.map(|ms| ms / 60_000).collect()
    };
    assert_eq!(minutes(&ask(0, 2)), [0, 1]);
    let rest = ask(2, 9);
    assert_eq!(minutes(&rest), [2, 3, 4]);
    assert_eq!(rest[0].1, seq);
    assert_eq!((rest[1].1, rest[1].2), (Seq(77), T0.plus_ms(DAY_MS)));
    assert_eq!(rest[2].1, Seq(0), "nothing is said yet");
    let first = |id: &str| readers.first_start(&outlet(id)).unwrap();
    assert_eq!(first("dc-01"), Some(T0));
    assert_eq!(first("dc-09"), None);
}

#[test]
fn the_last_complete_hour_is_not_the_running_one() {
    let mut desk = Desk::new();
    let hour = |n: i64, complete: bool| {
        Output::Aggregate(cems_core::model::AggregateRow {
            outlet: outlet("dc-01"),
            level: Level::Hour,
            start: T0.plus_ms(n * 3_600_000),
            origin: cems_core::model::rows::AggregateOrigin::Computed,
            complete,
            volume_m3: None,
            factors: std::collections::BTreeMap::new(),
            profile: "hj75-2017@1".into(),
            received: 0,
            due: 0,
            seq: Seq(1),
            superseded: 0,
        })
    };
    desk.batch(1, &[hour(0, true), hour(1, true), hour(2, false)]);
    let readers = desk.store.readers().unwrap();
    let last = |level, complete| {
        let row = readers
            .last_aggregate(&outlet("dc-01"), level, complete)
            .unwrap();
        row.map(|r| r.start.since_ms(T0) / 3_600_000)
    };
    assert_eq!(last(Level::Hour, true), Some(1));
    assert_eq!(last(Level::Hour, false), Some(2));
    assert_eq!(last(Level::Day, false), None);
}

fn alarms() -> Vec<AlarmRow> {
    let on =
        |id, place: &str, kind| samples::alarm_row(id, AlarmSubject::Outlet(outlet(place)), kind);
    let mut acknowledged = on(2, "dc-01", AlarmKind::ExceedanceHour);
    acknowledged.acknowledged = Some(Acknowledgement {
        at: T0,
        by: "lin".into(),
        note: "上门核查".into(),
        until: None,
    });
    acknowledged.active = false;
    let mut closed = on(3, "dc-01", AlarmKind::NoData);
    closed.closed = Some(cems_core::model::Closure {
        at: T0,
        by: "lin".into(),
        conclusion: "断电".into(),
    });
    vec![
        on(1, "dc-01", AlarmKind::ExceedanceHour),
        acknowledged,
        closed,
        on(4, "dc-02", AlarmKind::NoData),
        samples::alarm_row(5, AlarmSubject::Device("MN-9".into()), AlarmKind::UnknownMn),
    ]
}

#[test]
fn alarms_are_found_by_state_scope_and_page() {
    let mut desk = Desk::new();
    let rows: Vec<_> = alarms().into_iter().map(Output::Alarm).collect();
    desk.batch(1, &rows);
    let readers = desk.store.readers().unwrap();
    let ask = |open_only, places: Option<&[&str]>, before: Option<u64>, limit| -> Vec<u64> {
        let filter = AlarmFilter {
            open_only,
            outlets: places.map(|p| p.iter().map(OutletId::new).collect::<BTreeSet<_>>()),
            before: before.map(AlarmId),
            limit,
            ..AlarmFilter::default()
        };
        readers
            .alarms(&filter)
            .unwrap()
            .iter()
            .map(|a| a.id.0)
            .collect()
    };
    assert_eq!(ask(false, None, None, 9), [5, 4, 3, 2, 1]);
    assert_eq!(ask(true, None, None, 9), [5, 4, 2, 1]);
    assert_eq!(ask(false, None, Some(4), 2), [3, 2]);
    assert_eq!(ask(true, None, Some(4), 2), [2, 1]);
    assert_eq!(ask(false, Some(&["dc-01"]), None, 9), [3, 2, 1]);
    assert_eq!(ask(true, Some(&["dc-01", "dc-02"]), None, 9), [4, 2, 1]);
    assert_eq!(ask(true, Some(&[]), None, 9), [0_u64; 0]);
    assert_eq!(ask(false, None, None, 0), [0_u64; 0]);
    assert_eq!(ask(false, None, None, usize::MAX).len(), 5);

    let counts = readers.open_alarm_counts().unwrap();
    let brief: Vec<_> = counts
        .iter()
        .map(|c| {
            let place = c.outlet.as_ref().map_or("-", |o| o.as_str());
            (place, c.priority, c.open, c.unacknowledged, c.active)
        })
        .collect();
    use cems_core::model::Priority::{High, Normal, Urgent};
    assert_eq!(
        brief,
        [
            ("-", Normal, 1, 1, 1),
            ("dc-01", Urgent, 2, 1, 1),
            ("dc-02", High, 1, 1, 1),
        ]
    );
}

#[test]
fn fallbacks_come_open_first_and_with_their_reports() {
    let mut desk = Desk::new();
    let mut rows = Vec::new();
    for (id, place, closed) in [(1, "dc-01", false), (2, "dc-02", true), (3, "dc-02", false)] {
        let mut row = samples::fallback_row(id, outlet(place));
        row.closed_at = closed.then_some(T0);
        rows.push(Output::Fallback(row));
    }
    desk.batch(1, &rows);
    let readers = desk.store.readers().unwrap();
    let ask = |open_only, place: Option<&str>| -> Vec<u64> {
        let filter = FallbackFilter {
            open_only,
            outlets: place.map(|p| BTreeSet::from([outlet(p)])),
            limit: 9,
        };
        readers
            .fallbacks(&filter)
            .unwrap()
            .iter()
            .map(|f| f.id.0)
            .collect()
    };
    assert_eq!(ask(false, None), [3, 1, 2]);
    assert_eq!(ask(true, None), [3, 1]);
    assert_eq!(ask(false, Some("dc-02")), [3, 2]);
    assert_eq!(ask(true, Some("dc-02")), [3]);
    assert_eq!(
        readers.fallback(FallbackId(2)).unwrap().unwrap().closed_at,
        Some(T0)
    );
    assert_eq!(readers.reports_of_fallback(FallbackId(2)).unwrap(), []);
}

#[test]
fn the_audit_trail_never_cuts_an_event_in_two() {
    let mut desk = Desk::new();
    let lines = [(1, 0), (2, 0), (2, 1), (2, 2), (3, 0)];
    let rows: Vec<_> = lines
        .iter()
        .map(|(seq, n)| Output::Audit(samples::audit_row(*seq, *n, &format!("alarm/{n}"))))
        .collect();
    desk.batch(3, &rows);
    let readers = desk.store.readers().unwrap();
    let page = |before: Option<u64>, limit| -> Vec<(u64, u32)> {
        let rows = readers.audit(before.map(Seq), limit).unwrap();
        rows.iter().map(|r| (r.seq.0, r.n)).collect()
    };
    assert_eq!(page(None, 2), [(3, 0), (2, 2), (2, 1), (2, 0)]);
    assert_eq!(page(Some(2), 2), [(1, 0)]);
    assert_eq!(page(Some(1), 2), [(0, 0); 0]);
    let history = readers.audit_of("alarm/0").unwrap();
    let history: Vec<_> = history.iter().map(|r| r.seq.0).collect();
    assert_eq!(history, [1, 2, 3]);
}

#[test]
fn statements_are_read_by_command_newest_first() {
    let mut desk = Desk::new();
    let rows: Vec<_> = (0..4)
        .map(|n| {
            Output::Statement(StatementRow {
                outlet: outlet("dc-01"),
                cn: if n == 3 { "3020" } else { "2021" }.into(),
                at: T0.plus_ms(n),
                name: "SB1-RS".into(),
                value: n.to_string(),
                seq: Seq(1),
            })
        })
        .collect();
    desk.batch(1, &rows);
    let readers = desk.store.readers().unwrap();
    let ask = |before: Option<Timestamp>| -> Vec<String> {
        let rows = readers
            .statements(&outlet("dc-01"), "2021", before, 2)
            .unwrap();
        rows.into_iter().map(|r| r.value).collect()
    };
    assert_eq!(ask(None), ["2", "1"]);
    assert_eq!(ask(Some(T0.plus_ms(1))), ["0"]);
}

#[test]
fn answers_of_one_read_belong_to_one_state() {
    let mut desk = Desk::new();
    desk.batch(1, &[Output::Record(minute("dc-01", 0))]);
    let readers = desk.store.readers().unwrap();
    let first = readers.read(|q| {
        let before = q.position()?;
        desk.batch(2, &[Output::Record(minute("dc-01", 1))]);
        let until = T0.plus_ms(1 << 40);
        let rows = q.records(&outlet("dc-01"), RecordKind::Minute, T0, until)?;
        Ok((before, rows.len(), q.position()?))
    });
    assert_eq!(first.unwrap(), (Some(at(1)), 1, Some(at(1))));
    assert_eq!(readers.position().unwrap(), Some(at(2)));
    // A question that fails gives its connection back in order.
    for _ in 0..2 * READERS {
        let failed: Result<(), _> = readers.read(|_| Err(StoreError::Misuse("on purpose")));
        assert_eq!(failed, Err(StoreError::Misuse("on purpose")));
    }
    assert_eq!(readers.position().unwrap(), Some(at(2)));
    desk.store.checkpoint().unwrap();
}

#[test]
fn readers_cannot_write() {
    let desk = Desk::new();
    let connection = open_read_only(&desk.live()).unwrap();
    assert!(connection.execute("DELETE FROM record", []).is_err());
}

fn passed_on(seq: u64, n: u32, day: i64) -> ForwardRow {
    ForwardRow {
        seq: Seq(seq),
        n,
        at: T0.plus_ms(day * DAY_MS),
        outlet: outlet("dc-01"),
        kind: RecordKind::ALL[n as usize % 4],
        start: T0.plus_ms(day * DAY_MS - 60_000),
    }
}

#[test]
fn what_is_to_be_passed_on_is_read_in_order_behind_a_line() {
    let mut desk = Desk::new();
    let rows: Vec<ForwardRow> = [(3, 0), (3, 1), (5, 0), (5, 2), (5, 10)]
        .map(|(seq, n)| passed_on(seq, n, 0))
        .into();
    desk.batch(
        5,
        &rows
            .iter()
            .rev()
            .cloned()
            .map(Output::Forward)
            .collect::<Vec<_>>(),
    );
    let readers = desk.store.readers().unwrap();
    let ask = |seq: u64, n, limit| readers.forward_after(Seq(seq), n, limit).unwrap();
    assert_eq!(ask(0, 0, 100), rows);
    assert_eq!(ask(3, 1, 2), rows[2..4]);
    assert_eq!(ask(4, 7, 100), rows[2..]);
    assert_eq!(ask(5, 2, 100), rows[4..]);
    assert_eq!(ask(5, 10, 100), []);
    assert_eq!(ask(u64::MAX, u32::MAX, 100), []);
}

#[test]
fn the_forward_log_forgets_after_its_span_and_only_then() {
    let mut desk = Desk::new();
    let old: Vec<Output> = (1..=10)
        .map(|seq| Output::Forward(passed_on(seq, 0, 0)))
        .collect();
    desk.batch(10, &old);
    let left = |desk: &Desk| {
        let readers = desk.store.readers().unwrap();
        let rows = readers.forward_after(Seq(0), 0, 100).unwrap();
        rows.iter().map(|row| row.seq.0).collect::<Vec<_>>()
    };
    desk.batch(11, &[Output::Forward(passed_on(11, 0, 400))]);
    assert_eq!(left(&desk).len(), 11, "400 days are kept");
    // Two go with each that comes, so that no step is long.
    desk.batch(12, &[Output::Forward(passed_on(12, 0, 401))]);
    assert_eq!(left(&desk), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    let more: Vec<Output> = (13..=20)
        .map(|seq| Output::Forward(passed_on(seq, 0, 401)))
        .collect();
    desk.batch(20, &more);
    assert_eq!(left(&desk), [11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
}

#[test]
fn messages_are_read_in_order_behind_a_number() {
    let mut desk = Desk::new();
    let rows: Vec<MessageRow> = [2, 1, 5, 4].map(samples::message_row).into();
    let outputs: Vec<Output> = rows.iter().cloned().map(Output::Message).collect();
    desk.batch(9, &outputs);
    let readers = desk.store.readers().unwrap();
    let ask = |id: u64, limit| {
        let rows = readers.messages_after(MessageId(id), limit).unwrap();
        rows.iter().map(|row| row.id.0).collect::<Vec<_>>()
    };
    assert_eq!(ask(0, 100), [1, 2, 4, 5]);
    assert_eq!(ask(2, 1), [4]);
    assert_eq!(ask(5, 100), [0_u64; 0]);
    assert_eq!(readers.messages_after(MessageId(1), 1).unwrap()[0], rows[0]);
}

#[test]
fn a_question_is_planned_once_whatever_is_bound_to_it() {
    let desk = Desk::new();
    let connection = open_read_only(&desk.dir.path().join("projections.db")).unwrap();
    let mut question = connection
        .prepare("SELECT start FROM record WHERE outlet = ?1 AND kind = ?2 AND start >= ?3")
        .unwrap();
    for n in 0..5 {
        let mut rows = question.query((format!("dc-{n}"), "minute", n)).unwrap();
        assert!(rows.next().unwrap().is_none());
    }
    assert_eq!(question.get_status(rusqlite::StatementStatus::Run), 5);
    assert_eq!(question.get_status(rusqlite::StatementStatus::RePrepare), 0);
}
