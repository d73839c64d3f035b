//! Batches: what the writer, the readers and a power cut see of them.

use super::*;

#[test]
fn history_sees_the_open_batch_and_readers_only_what_is_committed() {
    let mut desk = Desk::new();
    let readers = desk.store.readers().unwrap();
    let row = minute("dc-01", 0);
    let (kind, start) = (RecordKind::Minute, row.start);

    desk.store.begin().unwrap();
    desk.store.apply(&Output::Record(row.clone())).unwrap();
    let seen = desk.store.history().record(&row.outlet, kind, start);
    assert_eq!(seen, Some(row.clone()));
    assert_eq!(readers.record(&row.outlet, kind, start).unwrap(), None);
    assert_eq!(readers.position().unwrap(), None);

    desk.store.commit(at(7)).unwrap();
    let seen = readers.record(&row.outlet, kind, start).unwrap();
    assert_eq!(seen, Some(row));
    assert_eq!(readers.position().unwrap(), Some(at(7)));
    assert_eq!(desk.store.position().unwrap(), Some(at(7)));
}

#[test]
fn a_batch_rolled_back_leaves_nothing() {
    let mut desk = Desk::new();
    let kept = minute("dc-01", 0);
    desk.batch(1, &[Output::Record(kept.clone())]);
    let before = desk.canonical();

    desk.store.begin().unwrap();
    let mut changed = kept.clone();
    changed.values.clear();
    desk.store.apply(&Output::Record(changed)).unwrap();
    desk.store
        .apply(&Output::Record(minute("dc-01", 1)))
        .unwrap();
    desk.store.rollback();

    let all = desk.store.history().records(
        &kept.outlet,
        RecordKind::Minute,
        Timestamp(i64::MIN),
        Timestamp(i64::MAX),
    );
    assert_eq!(all, [kept]);
    assert!(before == desk.canonical());
    desk.store.rollback();
    desk.batch(2, &[]);
    assert_eq!(desk.store.position().unwrap(), Some(at(2)));
}

#[test]
fn a_copy_taken_in_the_middle_of_a_batch_holds_the_committed_batches_only() {
    let mut desk = Desk::new();
    desk.batch(1, &[Output::Record(minute("dc-01", 0))]);
    desk.batch(2, &[Output::Record(minute("dc-01", 1))]);
    let committed = desk.canonical();

    // Enough rows that part of the open batch is already in the log file.
    desk.store.begin().unwrap();
    desk.store
        .connection_for_tests()
        .pragma_update(None, "cache_size", 10)
        .unwrap();
    for n in 2..2_000 {
        desk.store
            .apply(&Output::Record(minute("dc-01", n)))
            .unwrap();
    }
    let copy = desk.file("copy.db");
    for suffix in ["", "-wal"] {
        let from = desk.file(&format!("projections.db{suffix}"));
        std::fs::copy(from, desk.file(&format!("copy.db{suffix}"))).unwrap();
    }
    let log = std::fs::metadata(desk.file("copy.db-wal")).unwrap().len();
    assert!(log > 200_000, "the open batch spilled into the log: {log}");

    let reopened = SqliteStore::open(&copy).unwrap();
    assert_eq!(reopened.damage, None);
    assert_eq!(reopened.store.position().unwrap(), Some(at(2)));
    assert!(committed == canonical_bytes(&copy, &desk.file("copy-canonical.db")));
}

#[test]
fn a_restart_goes_on_where_the_last_batch_ended() {
    let mut desk = Desk::new();
    let state = StateRow {
        name: "#".into(),
        json: "{\"next_alarm\":2}".into(),
    };
    let outputs = [
        Output::State(state.clone()),
        Output::Registry {
            seq: Seq(3),
            at: T0,
            json: "{\"a\":1}".into(),
        },
        Output::Registry {
            seq: Seq(5),
            at: T0,
            json: "{\"a\":2}".into(),
        },
    ];
    desk.batch(6, &outputs);
    let path = desk.live();
    drop(desk.store);

    let store = SqliteStore::open(&path).unwrap().store;
    assert_eq!(store.position().unwrap(), Some(at(6)));
    assert_eq!(store.states().unwrap(), [state]);
    let newest = store.registry_json().unwrap();
    assert_eq!(newest, Some((Seq(5), "{\"a\":2}".into())));
    let readers = store.readers().unwrap();
    let then = readers.registry_at(Seq(4)).unwrap();
    assert_eq!(then, Some((Seq(3), "{\"a\":1}".into())));
    assert_eq!(readers.registry_at(Seq(2)).unwrap(), None);
}

#[test]
fn calls_out_of_place_and_positions_that_go_back_are_refused() {
    let mut desk = Desk::new();
    let row = Output::Record(minute("dc-01", 0));
    assert!(matches!(desk.store.apply(&row), Err(StoreError::Misuse(_))));
    assert!(matches!(
        desk.store.commit(at(1)),
        Err(StoreError::Misuse(_))
    ));
    desk.store.begin().unwrap();
    assert!(matches!(desk.store.begin(), Err(StoreError::Misuse(_))));
    assert!(matches!(
        desk.store.checkpoint(),
        Err(StoreError::Misuse(_))
    ));
    desk.store.commit(at(5)).unwrap();

    desk.store.begin().unwrap();
    let expected = StoreError::Backwards {
        reached: 5,
        asked: 4,
    };
    assert_eq!(desk.store.commit(at(4)), Err(expected));
    assert_eq!(desk.store.position().unwrap(), Some(at(5)));
    desk.batch(5, &[]);
    desk.store.checkpoint().unwrap();
}

#[test]
fn a_second_writer_is_noticed_before_it_can_mix_in() {
    let mut desk = Desk::new();
    let mut other = SqliteStore::open(&desk.live()).unwrap().store;
    desk.batch(3, &[]);
    let expected = StoreError::SecondWriter {
        expected: 0,
        found: 3,
    };
    assert_eq!(other.begin(), Err(expected));
    assert!(!other.begin().unwrap_err().recoverable());
    desk.batch(4, &[Output::Record(minute("dc-01", 0))]);
}

#[test]
fn a_full_disk_stops_the_batch_and_the_same_batch_succeeds_later() {
    let mut desk = Desk::new();
    desk.batch(1, &[Output::Record(minute("dc-01", 0))]);
    let before = desk.canonical();
    let connection = desk.store.connection_for_tests();
    let pages: i64 = connection
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    let limit = |store: &SqliteStore, pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        let set: i64 = store
            .connection_for_tests()
            .query_row(&sql, [], |r| r.get(0))
            .unwrap();
        assert_eq!(set, pages);
    };
    limit(&desk.store, pages + 3);

    let rows: Vec<_> = (1..200)
        .map(|n| Output::Record(minute("dc-01", n)))
        .collect();
    desk.store.begin().unwrap();
    let error = rows
        .iter()
        .find_map(|row| desk.store.apply(row).err())
        .unwrap();
    assert!(matches!(error, StoreError::Full(_)), "{error}");
    assert!(error.recoverable());
    assert!(matches!(
        desk.store.commit(at(2)),
        Err(StoreError::Misuse(_))
    ));
    assert_eq!(desk.store.position().unwrap(), Some(at(1)));
    assert!(before == desk.canonical());

    limit(&desk.store, 1_000_000);
    desk.batch(2, &rows);
    let readers = desk.store.readers().unwrap();
    let until = T0.plus_ms(200 * 60_000);
    let stored = readers.records(&outlet("dc-01"), RecordKind::Minute, T0, until);
    assert_eq!(stored.unwrap().len(), 200);
}

#[test]
fn a_look_up_that_fails_is_remembered_and_spoils_the_batch() {
    let mut desk = Desk::new();
    let row = minute("dc-01", 0);
    desk.batch(1, &[Output::Record(row.clone())]);
    desk.store.begin().unwrap();
    desk.store
        .connection_for_tests()
        .execute("UPDATE record SET body = '{\"v\":[]}'", [])
        .unwrap();
    let history = desk.store.history();
    assert_eq!(history.record(&row.outlet, row.kind, row.start), None);
    let failure = desk.store.take_failure().unwrap();
    assert!(matches!(failure, StoreError::Damaged(_)), "{failure}");
    assert_eq!(desk.store.take_failure(), None);
    assert!(desk.store.commit(at(2)).is_err());

    // Rolled back, so the row is as it was and the next batch is clean.
    assert_eq!(desk.store.take_failure(), None);
    let seen = desk
        .store
        .history()
        .record(&row.outlet, row.kind, row.start);
    assert_eq!(seen, Some(row));
    desk.batch(2, &[]);
}

#[test]
fn numbers_beyond_the_store_are_refused_with_their_name() {
    let mut desk = Desk::new();
    desk.store.begin().unwrap();
    let row = samples::audit_row(u64::MAX, 0, "alarm/1");
    let error = desk.store.apply(&Output::Audit(row)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot store audit seq: 18446744073709551615 is above 2^63 - 1"
    );
    assert!(!error.recoverable());
}
