//! What the desk asks: lists narrowed in every way, cells of the queue, occurrences for figures.

use super::*;
use cems_core::model::{AlarmState, Priority, Suppression, Timestamp};

/// Three enterprises in two regions; one alarm under an outage, one acknowledged, one closed.
fn rows() -> Vec<AlarmRow> {
    let on = |id, place: &str, kind, enterprise: &str, region: &str| {
        let subject = AlarmSubject::Outlet(outlet(place));
        AlarmRow {
            enterprise: Some(enterprise.into()),
            region: Some(region.into()),
            ..samples::alarm_row(id, subject, kind)
        }
    };
    let mut noticed = on(2, "a-2", AlarmKind::NoData, "a", "north");
    noticed.acknowledged = Some(Acknowledgement {
        at: T0,
        by: "lin".into(),
        note: "看到了".into(),
        until: None,
    });
    let mut covered = on(3, "b-1", AlarmKind::NoData, "b", "south");
    covered.suppressed = Some(Suppression {
        at: T0,
        why: "outage".into(),
        covered_by: Some(AlarmId(4)),
    });
    let mut outage = AlarmRow {
        region: Some("south".into()),
        ..samples::alarm_row(
            4,
            AlarmSubject::Region("south".into()),
            AlarmKind::LineOutage,
        )
    };
    outage.outlets = 12;
    let mut closed = on(5, "a-1", AlarmKind::NoData, "a", "north");
    closed.active = false;
    closed.closed = Some(cems_core::model::Closure {
        at: T0,
        by: "lin".into(),
        conclusion: "恢复".into(),
    });
    let mut late = on(6, "c-1", AlarmKind::ExceedanceHour, "c", "north");
    late.raised_at = T0.plus_ms(3_600_000);
    vec![
        on(1, "a-1", AlarmKind::NoData, "a", "north"),
        noticed,
        covered,
        outage,
        closed,
        late,
    ]
}

fn desk() -> Desk {
    let mut desk = Desk::new();
    let rows: Vec<_> = rows().into_iter().map(Output::Alarm).collect();
    desk.batch(1, &rows);
    desk
}

#[test]
fn a_list_is_narrowed_in_every_way() {
    let desk = desk();
    let readers = desk.store.readers().unwrap();
    let ask = |filter: AlarmFilter| -> Vec<u64> {
        let filter = AlarmFilter { limit: 9, ..filter };
        let rows = readers.alarms(&filter).unwrap();
        rows.iter().map(|row| row.id.0).collect()
    };
    let all = AlarmFilter::default;
    assert_eq!(ask(all()), [6, 5, 4, 3, 2, 1]);
    let of = |kind| AlarmFilter {
        kind: Some(kind),
        ..all()
    };
    assert_eq!(ask(of(AlarmKind::NoData)), [5, 3, 2, 1]);
    let open = AlarmFilter {
        open_only: true,
        enterprise: Some("a".into()),
        ..of(AlarmKind::NoData)
    };
    assert_eq!(ask(open), [2, 1]);
    let states = [AlarmState::Acknowledged, AlarmState::Suppressed].into();
    assert_eq!(ask(AlarmFilter { states, ..all() }), [3, 2]);
    let north = AlarmFilter {
        region: Some("north".into()),
        before: Some(AlarmId(6)),
        ..all()
    };
    assert_eq!(ask(north), [5, 2, 1]);
    let priority = Some(Priority::Urgent);
    assert_eq!(ask(AlarmFilter { priority, ..all() }), [6]);
    let under = AlarmFilter {
        covered_by: Some(AlarmId(4)),
        ..all()
    };
    assert_eq!(ask(under), [3]);
    let scoped = AlarmFilter {
        outlets: Some([outlet("a-2"), region_place(&"south".into())].into()),
        ..all()
    };
    assert_eq!(ask(scoped), [4, 2]);
}

#[test]
fn cells_count_what_is_open_within_a_scope() {
    let desk = desk();
    let readers = desk.store.readers().unwrap();
    let cells = readers.open_alarm_cells(None).unwrap();
    assert_eq!(cells.iter().map(|cell| cell.count).sum::<u64>(), 5);
    let silent: Vec<_> = cells
        .iter()
        .filter(|cell| cell.kind == AlarmKind::NoData)
        .map(|cell| {
            (
                cell.enterprise.as_ref().unwrap().as_str(),
                cell.state,
                cell.oldest,
            )
        })
        .collect();
    let expected = [
        ("a", AlarmState::Acknowledged, T0),
        ("a", AlarmState::Unacknowledged, T0),
        ("b", AlarmState::Suppressed, T0),
    ];
    assert_eq!(silent, expected);
    let scope = [outlet("a-1"), outlet("a-2")].into();
    let mine = readers.open_alarm_cells(Some(&scope)).unwrap();
    assert_eq!(mine.iter().map(|cell| cell.count).sum::<u64>(), 2);
}

#[test]
fn figures_get_what_was_raised_in_the_span_and_what_still_holds_from_before() {
    let desk = desk();
    let readers = desk.store.readers().unwrap();
    let ids = |from: Timestamp, until: Timestamp| -> Vec<u64> {
        let found = readers.alarm_occurrences(None, from, until).unwrap();
        found.iter().map(|alarm| alarm.id.0).collect()
    };
    let hour = |n: i64| T0.plus_ms(n * 3_600_000);
    assert_eq!(ids(hour(0), hour(1)), [1, 2, 3, 4, 5]);
    assert_eq!(
        ids(hour(1), hour(2)),
        [1, 2, 3, 4, 6],
        "the closed one is over"
    );
    assert_eq!(ids(hour(-2), hour(0)), [0; 0]);
    let scope = [outlet("c-1")].into();
    let mine = readers.alarm_occurrences(Some(&scope), hour(0), hour(2));
    assert_eq!(mine.unwrap().len(), 1);
}

#[test]
fn a_kind_put_back_into_service_is_no_longer_listed() {
    let mut desk = Desk::new();
    let entry = |out: bool, seq: u64| {
        Output::AlarmService(cems_core::model::AlarmServiceRow {
            outlet: outlet("a-1"),
            kind: AlarmKind::NoData,
            out,
            at: T0,
            by: "chief".into(),
            note: "线路施工".into(),
            seq: Seq(seq),
        })
    };
    desk.batch(1, &[entry(true, 1)]);
    let listed = |desk: &Desk| {
        desk.store
            .readers()
            .unwrap()
            .alarm_services()
            .unwrap()
            .len()
    };
    assert_eq!(listed(&desk), 1);
    desk.batch(2, &[entry(false, 2)]);
    assert_eq!(listed(&desk), 0);
}
