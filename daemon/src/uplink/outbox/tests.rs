//! The mailbox through fills, corrections, acknowledgements, kills and time.

use super::*;

mod replays;

fn mailbox() -> Mailbox {
    Mailbox {
        uplink: "centre".into(),
        outlet: OutletId::new("jia-1"),
    }
}

fn line(seq: u64, kind: RecordKind, start: i64) -> ForwardRow {
    ForwardRow {
        seq: Seq(seq),
        n: 0,
        at: Timestamp(start + 1),
        outlet: OutletId::new("jia-1"),
        kind,
        start: Timestamp(start),
    }
}

fn open(dir: &Path) -> Outbox {
    let (outbox, damage) = Outbox::open(&dir.join("uplink.db")).expect("opens");
    assert_eq!(damage, None);
    outbox
}

fn seqs(owed: &[Owed]) -> Vec<u64> {
    owed.iter().map(|owed| owed.seq.0).collect()
}

fn receipt(owed: Owed) -> Receipt {
    Receipt {
        owed,
        sendings: Some(Sendings::once(Timestamp(400))),
        settled: Settled::Data,
    }
}

fn fill(outbox: &Outbox, rows: &[ForwardRow], until: u64) -> usize {
    outbox
        .fill(&[(&mailbox(), rows.iter().collect())], (Seq(until), 0))
        .expect("fills")
}

const LATE: Timestamp = Timestamp(i64::MAX);

#[test]
fn history_is_hours_then_days_then_minutes_and_fresh_is_as_accepted() {
    let dir = tempfile::tempdir().expect("a directory");
    let outbox = open(dir.path());
    let lines = [
        line(1, RecordKind::Realtime, 10),
        line(2, RecordKind::Minute, 20),
        line(3, RecordKind::Minute, 15),
        line(4, RecordKind::Day, 5),
        line(5, RecordKind::Hour, 30),
    ];
    assert_eq!(fill(&outbox, &lines, 5), 5);
    let history = outbox.history(&mailbox(), LATE, 10).expect("reads");
    assert_eq!(seqs(&history), [5, 4, 3, 2, 1]);
    let fresh = outbox.fresh(&mailbox(), Timestamp(11), 10).expect("reads");
    assert_eq!(seqs(&fresh), [1, 3, 2, 5]);
    let older = outbox
        .history(&mailbox(), Timestamp(11), 10)
        .expect("reads");
    assert_eq!(seqs(&older), [4]);
    let standing = outbox.standing(&mailbox()).expect("reads");
    assert_eq!((standing.pending, standing.oldest), (5, Some(Timestamp(5))));
}

#[test]
fn place_and_records_survive_together() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = open(dir.path());
    assert_eq!(first.place(&mailbox()), Ok((Seq(0), 0)));
    let row = line(7, RecordKind::Hour, 1);
    first
        .fill(&[(&mailbox(), vec![&row])], (Seq(9), 2))
        .expect("fills");
    drop(first);
    let again = open(dir.path());
    assert_eq!(again.place(&mailbox()), Ok((Seq(9), 2)));
    assert_eq!(
        seqs(&again.history(&mailbox(), LATE, 9).expect("reads")),
        [7]
    );
}

#[test]
fn a_correction_replaces_what_is_pending_and_returns_what_was_acknowledged() {
    let dir = tempfile::tempdir().expect("a directory");
    let outbox = open(dir.path());
    let old = line(1, RecordKind::Hour, 100);
    fill(&outbox, std::slice::from_ref(&old), 1);
    let sent = outbox.history(&mailbox(), LATE, 9).expect("reads")[0];

    // Corrected while the first version is on its way: its receipt does not settle the second.
    let new = line(2, RecordKind::Hour, 100);
    fill(&outbox, std::slice::from_ref(&new), 2);
    outbox
        .book(&mailbox(), &[receipt(sent)], &[], Timestamp(500))
        .expect("books");
    let left = outbox.history(&mailbox(), LATE, 9).expect("reads");
    assert_eq!(seqs(&left), [2]);
    outbox
        .book(&mailbox(), &[receipt(left[0])], &[], Timestamp(600))
        .expect("books");
    assert_eq!(outbox.standing(&mailbox()).expect("reads").pending, 0);

    // Read again from the log after the place was lost: the versions with a receipt stay settled.
    fill(&outbox, &[old, new], 2);
    assert_eq!(outbox.standing(&mailbox()).expect("reads").pending, 0);

    let third = line(3, RecordKind::Hour, 100);
    fill(&outbox, &[third], 3);
    let standing = outbox.standing(&mailbox()).expect("reads");
    assert_eq!((standing.pending, standing.acknowledged), (1, 1));
    assert_eq!(standing.last_acknowledged, Some(Timestamp(600)));
}

#[test]
fn what_is_too_old_is_owed_no_more_and_is_counted() {
    let dir = tempfile::tempdir().expect("a directory");
    let outbox = open(dir.path());
    let lines: Vec<ForwardRow> = (0..10)
        .map(|n| {
            line(
                u64::try_from(n).expect("small") + 1,
                RecordKind::Minute,
                n * 60_000,
            )
        })
        .collect();
    fill(&outbox, &lines, 10);
    assert_eq!(outbox.expire(&mailbox(), Timestamp(4 * 60_000)), Ok(4));
    assert_eq!(outbox.expire(&mailbox(), Timestamp(4 * 60_000)), Ok(0));
    let standing = outbox.standing(&mailbox()).expect("reads");
    assert_eq!((standing.pending, standing.expired), (6, 4));
    assert_eq!(standing.oldest, Some(Timestamp(4 * 60_000)));
}

#[test]
fn mailboxes_do_not_see_each_other() {
    let dir = tempfile::tempdir().expect("a directory");
    let outbox = open(dir.path());
    let other = Mailbox {
        uplink: "other".into(),
        ..mailbox()
    };
    let row = line(1, RecordKind::Hour, 1);
    let both = [(&mailbox(), vec![&row]), (&other, vec![&row])];
    assert_eq!(outbox.fill(&both, (Seq(1), 0)), Ok(2));
    let owed = outbox.history(&mailbox(), LATE, 9).expect("reads")[0];
    outbox
        .book(&mailbox(), &[receipt(owed)], &[], Timestamp(2))
        .expect("books");
    let said = |value: &str| [("password", value.to_owned())];
    outbox.keep(&mailbox(), &said("111111")).expect("kept");
    outbox.keep(&mailbox(), &said("654321")).expect("kept");
    assert_eq!(outbox.standing(&other).expect("reads").pending, 1);
    assert!(outbox.settings(&other).expect("reads").is_empty());
    assert_eq!(
        outbox.settings(&mailbox()).expect("reads").get("password"),
        Some(&"654321".to_owned())
    );
}

#[test]
fn a_damaged_file_is_put_aside() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("uplink.db");
    std::fs::write(&path, b"this is no database, whatever its name says").expect("written");
    let (outbox, damage) = Outbox::open(&path).expect("opens all the same");
    assert!(damage.is_some());
    assert_eq!(outbox.place(&mailbox()), Ok((Seq(0), 0)));
}
