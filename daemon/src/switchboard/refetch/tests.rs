//! What is fetched follows from what the store holds: records, contacts, earlier attempts.

use super::*;
use crate::store::{Position, SqliteStore, Store};
use cems_core::model::exchange::ExchangeStep;
use cems_core::model::rows::{Habits, RecordRow};
use cems_core::model::time::{HOUR_MS, MINUTE_MS};
use cems_core::model::{Output, Registry, Seq};
use std::collections::BTreeMap;

const SITE: &str = r#"
[[region]]
id = "shili"
name = "示例市"
[[enterprise]]
id = "jia"
name = "甲电厂"
region = "shili"
[[outlet]]
id = "jia-1"
enterprise = "jia"
name = "1号排口"
medium = "gas"
mn = "EXAMPLE0000001"
password = "123456"
profile = "hj75-2017"
permit = "示例-0001"
auxiliary = ["a01011", "a01012", "a01013", "a01014", "a19001"]
gas = { area_m2 = 20, reference_o2_pct = 6 }
factor = [{ code = "a21026", range = 500, limit_hour = 35 }]
expect = { realtime_s = 0, minute_min = 0, hour = true, no_data_after_s = 7200 }
"#;

/// Noon of a day at +08:00.
const NOON: Timestamp = Timestamp(1_767_240_000_000);

fn registry() -> Registry {
    let loaded = cems_config::load_str(&[("cemsd.toml", SITE)]);
    loaded.expect("the site of the test is sound").registry
}

fn hour(back: i64) -> Timestamp {
    NOON.plus_ms(-back * HOUR_MS)
}

fn device(first_seen: Timestamp) -> Output {
    Output::Device(DeviceRow {
        mn: "EXAMPLE0000001".into(),
        outlet: Some("jia-1".into()),
        peer: "192.0.2.1:4000".into(),
        edition: "2017".into(),
        first_seen,
        last_seen: NOON,
        frames: 1,
        duplicates: 0,
        findings: BTreeMap::new(),
        habits: Habits::default(),
    })
}

fn record(back: i64) -> Output {
    Output::Record(RecordRow {
        outlet: "jia-1".into(),
        kind: RecordKind::Hour,
        start: hour(back),
        resent: false,
        values: BTreeMap::new(),
    })
}

/// An attempt at the hours from `first` back to `last` back.
fn asked(
    id: u64,
    at: Timestamp,
    (first, last): (i64, i64),
    ended: (ExchangeState, &str),
) -> Output {
    let offset = registry().offset;
    let time = |back| wall(hour(back), offset).digits14();
    let (state, detail) = ended;
    Output::Exchange(ExchangeRow {
        id: Seq(id),
        outlet: "jia-1".into(),
        cn: "2061".into(),
        params: vec![
            ("BeginTime".into(), time(first)),
            ("EndTime".into(), time(last)),
        ],
        by: "daemon".into(),
        why: "gap".into(),
        at,
        state,
        steps: vec![ExchangeStep {
            at,
            seq: Seq(id),
            what: state.as_str().into(),
            detail: detail.to_owned(),
        }],
        more_steps: 0,
    })
}

/// What is wanted at `now` of an outlet with these rows: hours back, first and last.
fn wants(rows: &[Output], now: Timestamp) -> Option<(i64, i64)> {
    let dir = tempfile::tempdir().expect("a directory");
    let opened = SqliteStore::open(&dir.path().join("projections.db"));
    let mut store = opened.expect("a store").store;
    store.begin().expect("a batch");
    for row in rows {
        store.apply(row).expect("applied");
    }
    let position = Position {
        seq: Seq(99),
        at: NOON,
    };
    store.commit(position).expect("committed");
    let registry = registry();
    let outlet = &registry.outlets["jia-1"];
    let readers = store.readers().expect("readers");
    let wanted = wanted(&readers, outlet, registry.offset, 7, now).expect("asked")?;
    assert_eq!(wanted.kind, HistoryKind::Hour);
    let back = |at: Timestamp| NOON.since_ms(at) / HOUR_MS;
    Some((back(wanted.range.first), back(wanted.range.last)))
}

#[test]
fn a_logger_never_heard_is_not_asked() {
    assert_eq!(wants(&[record(5)], NOON), None);
}

#[test]
fn hours_since_the_first_contact_or_the_first_record_are_wanted() {
    assert_eq!(wants(&[device(hour(3))], NOON), Some((3, 2)));
    assert_eq!(
        wants(&[device(hour(0)), record(6), record(3)], NOON),
        Some((2, 2))
    );
    let whole: Vec<Output> = (0..4).map(record).chain([device(hour(3))]).collect();
    assert_eq!(wants(&whole, NOON), None);
}

#[test]
fn an_attempt_that_brought_nothing_pauses_and_one_that_found_nothing_ends() {
    let state = ExchangeState::Done;
    let rows = [device(hour(3)), asked(1, NOON, (3, 2), (state, "ExeRtn=1"))];
    let soon = NOON.plus_ms(MINUTE_MS);
    assert_eq!(wants(&rows, soon), None);
    let later = NOON.plus_ms(15 * MINUTE_MS);
    assert_eq!(wants(&rows, later), Some((1, 1)), "the newest first");
    let none = asked(2, NOON, (3, 1), (ExchangeState::Failed, detail::NO_DATA));
    assert_eq!(wants(&[device(hour(3)), none], later), None);
    let never_sent = asked(
        3,
        NOON,
        (3, 2),
        (ExchangeState::Cancelled, detail::NOT_CONNECTED),
    );
    assert_eq!(wants(&[device(hour(3)), never_sent], soon), Some((3, 2)));
}

#[test]
fn a_logger_that_answers_no_history_is_left_alone_for_a_week() {
    let ends = [
        (ExchangeState::TimedOut, "no-answer"),
        (ExchangeState::Refused, "QnRtn=2"),
        (ExchangeState::TimedOut, "no-end"),
    ];
    let ask = |ends: &[(ExchangeState, &str)]| {
        let tried = ends
            .iter()
            .zip(1..)
            .map(|(end, id)| asked(id, hour(2), (99, 99), *end));
        let rows: Vec<Output> = tried.chain([device(hour(3))]).collect();
        (
            wants(&rows, NOON),
            wants(&rows, hour(2).plus_ms(LEFT_ALONE_MS)),
        )
    };
    assert_eq!(ask(&ends).0, None);
    assert!(ask(&ends).1.is_some(), "once more after a week");
    // A line that broke says nothing about the logger.
    let broke = (ExchangeState::TimedOut, detail::CONNECTION_LOST);
    assert_eq!(ask(&[ends[0], broke, ends[1]]).0, Some((3, 2)));
    let done = (ExchangeState::Done, "ExeRtn=1");
    assert_eq!(ask(&[ends[0], ends[1], done]).0, Some((3, 2)));
}
