//! Canonical files: equal rows, equal bytes.

use super::*;
use std::collections::BTreeMap;

/// The key a row replaces by.
fn key(output: &Output) -> String {
    match output {
        Output::Record(r) => format!("record {} {:?} {}", r.outlet, r.kind, r.start),
        Output::Superseded(r) => format!(
            "superseded {} {:?} {} {} {} {} {}",
            r.outlet, r.kind, r.start, r.old.value.factor, r.old.seq, r.by_seq, r.old.superseded
        ),
        Output::Aggregate(r) => format!("aggregate {} {:?} {}", r.outlet, r.level, r.start),
        Output::Pack(r) => format!("pack {} {}", r.outlet, r.month),
        Output::Clues(r) => format!("clues {} {:?} {}", r.outlet, r.level, r.start),
        Output::Quarter(r) => format!("quarter {} {}", r.outlet, r.start),
        Output::Mark(r) => format!("mark {}", r.id),
        Output::Qa(r) => format!("qa {} {}", r.id, r.n),
        Output::Review(r) => format!("review {} {}", r.outlet, r.quarter),
        Output::Latest(r) => format!("latest {} {}", r.outlet, r.factor),
        Output::Device(r) => format!("device {}", r.mn),
        Output::Quarantine(r) => format!("quarantine {} {}", r.seq, r.n),
        Output::Statement(r) => format!("statement {} {} {} {}", r.outlet, r.cn, r.at, r.name),
        Output::Exchange(r) => format!("exchange {}", r.id),
        Output::SeriesDay(r) => format!("series day {} {}", r.series.as_str(), r.day),
        Output::Forward(r) => format!("forward {} {}", r.seq, r.n),
        Output::Outgoing(r) => format!("outgoing {} {}", r.seq, r.n),
        Output::Alarm(r) => format!("alarm {}", r.id),
        Output::Fallback(r) => format!("fallback {}", r.id),
        Output::ManualReport(r) => format!("report {}", r.id),
        Output::Duty(r) => format!("duty {}", r.key),
        Output::Audit(r) => format!("audit {} {}", r.seq, r.n),
        Output::Registry { seq, .. } => format!("registry {seq}"),
        Output::Shift(r) => format!("shift {}", r.shift.from),
        Output::HandOver(r) => format!("hand-over {}", r.id),
        Output::AlarmService(r) => format!("alarm service {} {}", r.outlet, r.kind.as_str()),
        Output::Message(r) => format!("message {}", r.id),
        Output::State(r) => format!("state {}", r.name),
        Output::StateRemoved(name) => format!("state {name}"),
    }
}

fn fill(outputs: &[Output], splits: &[usize]) -> Desk {
    let mut desk = Desk::new();
    let mut rest = outputs;
    for (seq, split) in (1..).zip(splits) {
        let (now, later) = rest.split_at((*split).min(rest.len()));
        desk.batch(seq, now);
        rest = later;
    }
    desk.batch(1_000, rest);
    desk
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn bytes_depend_on_the_rows_and_not_on_how_they_came(
        outputs in prop::collection::vec(samples::output(), 0..80),
        first in prop::collection::vec(0..30_usize, 0..6),
        second in prop::collection::vec(0..30_usize, 0..6),
        order in any::<prop::sample::Index>(),
    ) {
        let one = fill(&outputs, &first);
        let other = fill(&outputs, &second);
        let bytes = one.canonical();
        prop_assert!(bytes == other.canonical(), "batch boundaries show");

        // Only the last row of each key, in another order.
        let last: BTreeMap<_, _> = outputs.iter().map(|o| (key(o), o.clone())).collect();
        let mut last: Vec<_> = last.into_values().collect();
        if !last.is_empty() {
            let turn = order.index(last.len());
            last.rotate_left(turn);
        }
        let shuffled = fill(&last, &[3, 1]);
        prop_assert!(bytes == shuffled.canonical(), "order of arrival shows");

        // The digest says the same, of the live file and of the canonical one.
        let live = digest(&one.live()).unwrap();
        prop_assert_eq!(&live, &digest(&shuffled.live()).unwrap());
        prop_assert_eq!(&live, &digest(&one.file("canonical.db")).unwrap());
        // A canonical file of a canonical file is itself.
        let again = canonical_bytes(&one.file("canonical.db"), &one.file("again.db"));
        prop_assert!(bytes == again);
    }

    #[test]
    fn one_more_row_shows(outputs in prop::collection::vec(samples::output(), 0..20)) {
        let mut desk = fill(&outputs, &[]);
        let before = (desk.canonical(), digest(&desk.live()).unwrap());
        desk.batch(1_000, &[Output::Audit(samples::audit_row(99, 0, "alarm/9"))]);
        prop_assert!(before.0 != desk.canonical());
        let after = digest(&desk.live()).unwrap();
        let changed: Vec<_> = before.1.tables.iter().zip(&after.tables)
            .filter(|(a, b)| a != b).map(|(a, _)| a.table.as_str()).collect();
        prop_assert_eq!(changed, ["audit"]);
        prop_assert_ne!(before.1.total, after.total);
    }
}

#[test]
fn a_rebuilt_store_takes_the_place_of_the_old_one() {
    let mut desk = Desk::new();
    let rows: Vec<_> = (0..50)
        .map(|n| Output::Record(minute("dc-01", n)))
        .collect();
    desk.batch(50, &rows);
    let expected = desk.canonical();

    let rebuilt = desk.file("rebuilt.db");
    let mut fresh = SqliteStore::open(&rebuilt).unwrap().store;
    for (row, seq) in rows.iter().zip(1..) {
        fresh.begin().unwrap();
        fresh.apply(row).unwrap();
        fresh.commit(at(seq)).unwrap();
    }
    drop(fresh);
    let live = desk.live();
    assert!(expected == canonical_bytes(&rebuilt, &desk.file("rebuilt-canonical.db")));
    drop(desk.store);

    assert_eq!(
        replace(&live, &desk.dir.path().join("rebuilt-canonical.db")).unwrap(),
        None
    );
    let opened = SqliteStore::open(&live).unwrap();
    assert_eq!(opened.damage, None);
    assert_eq!(opened.store.position().unwrap(), Some(at(50)));
    assert!(expected == canonical_bytes(&live, &desk.dir.path().join("c.db")));
}

#[test]
fn replacing_puts_a_damaged_store_aside_and_refuses_one_in_use() {
    let desk = Desk::new();
    let new = desk.file("new.db");
    canonicalise(&desk.live(), &new).unwrap();
    let error = replace(&desk.live(), &new).unwrap_err();
    assert!(matches!(error, StoreError::Busy(_)), "{error}");

    let broken = desk.file("broken.db");
    std::fs::write(&broken, vec![7_u8; 20_000]).unwrap();
    let aside = replace(&broken, &new).unwrap();
    assert_eq!(aside, Some(desk.file("broken.db.damaged-1")));
    assert_eq!(SqliteStore::open(&broken).unwrap().damage, None);

    // Nothing there yet is fine too.
    canonicalise(&desk.live(), &new).unwrap();
    assert_eq!(replace(&desk.file("none.db"), &new).unwrap(), None);
}

#[test]
fn names_with_special_characters_and_files_left_by_a_crash_do_no_harm() {
    let mut desk = Desk::new();
    desk.batch(1, &[Output::Record(minute("dc-01", 0))]);
    let expected = desk.canonical();
    let odd = desk.file("100% 数据?#&.db");
    std::fs::write(desk.file("100% 数据?#&.db.building"), b"left over").unwrap();
    assert!(expected == canonical_bytes(&desk.live(), &odd));
    assert!(expected == canonical_bytes(&odd, &desk.file("again.db")));
    assert!(!desk.file("100% 数据?#&.db.building").exists());
}
