//! Replays through kills, corrections, cancelling and age.

use super::*;
use crate::uplink::outbox::{ReplayAsked, ReplayPlace, ReplayRow, ReplayStep};

const NEVER: Timestamp = Timestamp(0);

fn owed(seq: u64, start: i64) -> Owed {
    Owed {
        kind: RecordKind::Hour,
        start: Timestamp(start),
        seq: Seq(seq),
        at: Timestamp(start + 1),
    }
}

fn ask(outbox: &Outbox, span: (i64, i64)) -> Option<i64> {
    let asked = ReplayAsked {
        uplink: "centre",
        outlet: None,
        span: (Timestamp(span.0), Timestamp(span.1)),
    };
    let booked = outbox.ask_replay(&asked, "supervisor", Timestamp(5_000));
    booked.expect("books")
}

/// One step; `next`: the start at which the next one goes on.
fn step(outbox: &Outbox, id: i64, rows: &[Owed], next: Option<i64>) -> bool {
    let place = next.map(|start| ReplayPlace {
        outlet: mailbox().outlet,
        kind: RecordKind::Hour,
        start: Timestamp(start),
    });
    let mailbox = mailbox();
    let step = ReplayStep {
        mailbox: &mailbox,
        rows,
        next: place.as_ref(),
    };
    let done = outbox.book_replay(id, Some(&step), Timestamp(6_000));
    done.expect("books")
}

/// Four hours that the centre has acknowledged.
fn delivered(outbox: &Outbox) -> Vec<Owed> {
    let lines: Vec<ForwardRow> = (1..=4)
        .map(|n| line(n, RecordKind::Hour, i64::try_from(n).expect("small") * 100))
        .collect();
    fill(outbox, &lines, 4);
    let owed = outbox.history(&mailbox(), LATE, 9).expect("reads");
    acknowledge(outbox, &owed);
    owed
}

fn acknowledge(outbox: &Outbox, owed: &[Owed]) {
    let receipts: Vec<Receipt> = owed.iter().map(|owed| receipt(*owed)).collect();
    let booked = outbox.book(&mailbox(), &receipts, &[], Timestamp(7_000));
    booked.expect("books");
}

fn told(outbox: &Outbox) -> ReplayRow {
    let rows = replays(&outbox.connection()).expect("reads");
    rows.into_iter().next().expect("a replay")
}

/// Booked, acknowledged, passed over, and whether it is done.
fn figures(outbox: &Outbox) -> (u64, u64, u64, bool) {
    let row = told(outbox);
    (
        row.booked,
        row.acknowledged,
        row.passed,
        row.done_at.is_some(),
    )
}

fn waiting(outbox: &Outbox) -> Vec<Owed> {
    outbox.history(&mailbox(), LATE, 99).expect("reads")
}

#[test]
fn a_kill_between_steps_neither_loses_nor_doubles_a_booking() {
    let dir = tempfile::tempdir().expect("a directory");
    let outbox = open(dir.path());
    let all = delivered(&outbox);
    let id = ask(&outbox, (0, 1_000)).expect("booked");
    drop(outbox);

    let outbox = open(dir.path());
    let first = outbox.open_replay().expect("reads").expect("waits");
    assert_eq!((first.id, first.place), (id, None));
    assert!(step(&outbox, id, &all[..3], Some(301)));
    drop(outbox);

    let outbox = open(dir.path());
    let second = outbox.open_replay().expect("reads").expect("goes on");
    let place = second.place.expect("a place");
    assert_eq!((second.booked, place.start), (3, Timestamp(301)));
    assert_eq!(seqs(&waiting(&outbox)), [1, 2, 3]);
    assert!(step(&outbox, id, &all[3..], None));
    assert!(!step(&outbox, id, &all, None), "it is booked to its end");
    assert_eq!(outbox.open_replay(), Ok(None));
    assert_eq!(seqs(&waiting(&outbox)), [1, 2, 3, 4]);
    assert_eq!(figures(&outbox), (4, 0, 0, false));
    let fresh = outbox.fresh(&mailbox(), NEVER, 9).expect("reads");
    assert_eq!(fresh, [], "a replay is history, whatever its age");

    acknowledge(&outbox, &all[..3]);
    assert_eq!(figures(&outbox), (4, 3, 0, false));
    drop(outbox);
    let outbox = open(dir.path());
    let passed = outbox.pass_over(&mailbox(), all[3], Settled::NotOwed, Timestamp(7_500));
    passed.expect("passes over");
    assert_eq!(figures(&outbox), (4, 3, 1, true));
    assert_eq!(told(&outbox).done_at, Some(Timestamp(7_500)));
    assert_eq!(waiting(&outbox), []);
}

#[test]
fn a_period_of_nothing_is_done_when_it_is_booked() {
    let dir = tempfile::tempdir().expect("a directory");
    let outbox = open(dir.path());
    let id = ask(&outbox, (0, 1_000)).expect("booked");
    let booked = outbox.book_replay(id, None, Timestamp(6_000));
    assert_eq!(booked, Ok(true));
    assert_eq!(figures(&outbox), (0, 0, 0, true));
    assert_eq!(outbox.replay_pulse().expect("reads").0, 0);
}

#[test]
fn a_correction_during_a_replay_is_sent_once_and_counted_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let outbox = open(dir.path());
    let all = delivered(&outbox);
    let id = ask(&outbox, (0, 1_000)).expect("booked");
    assert!(step(&outbox, id, &all, None));
    let correction = line(9, RecordKind::Hour, 200);
    fill(&outbox, &[correction], 9);
    assert_eq!(seqs(&waiting(&outbox)), [1, 9, 3, 4]);
    let fresh = outbox.fresh(&mailbox(), NEVER, 9).expect("reads");
    assert_eq!(seqs(&fresh), [9], "a correction is news");

    // The version before was on its way: its acknowledgement is not that of the new one.
    acknowledge(&outbox, &all);
    assert_eq!(seqs(&waiting(&outbox)), [9]);
    assert_eq!(figures(&outbox), (4, 3, 0, false));
    acknowledge(&outbox, &fresh);
    assert_eq!(figures(&outbox), (4, 4, 0, true));
    assert_eq!(waiting(&outbox), []);
}

#[test]
fn what_waits_already_is_not_disturbed_and_counts() {
    let dir = tempfile::tempdir().expect("a directory");
    let outbox = open(dir.path());
    let lines = [
        line(1, RecordKind::Hour, 100),
        line(2, RecordKind::Hour, 200),
    ];
    fill(&outbox, &lines, 2);
    let sent = [(owed(1, 100), Sendings::once(Timestamp(400)))];
    let noted = outbox.book(&mailbox(), &[], &sent, Timestamp(0));
    noted.expect("notes");
    let before = waiting(&outbox);
    let id = ask(&outbox, (0, 1_000)).expect("booked");
    let newer = [owed(1, 100), owed(7, 200), owed(3, 300)];
    assert!(step(&outbox, id, &newer, None));
    let after = waiting(&outbox);
    assert_eq!(&after[..2], before, "the log brings newer versions itself");
    let fresh = outbox.fresh(&mailbox(), NEVER, 9).expect("reads");
    assert_eq!(fresh, before, "what is new stays new");
    let sent: u32 = outbox
        .connection()
        .query_row("SELECT sent FROM pending WHERE start = 100", [], |row| {
            row.get(0)
        })
        .expect("waits");
    assert_eq!(sent, 1);

    // Too old for what is owed, but a person wants it.
    assert_eq!(outbox.expire(&mailbox(), LATE), Ok(0));
    acknowledge(&outbox, &after);
    assert_eq!(figures(&outbox), (3, 3, 0, true));
}

#[test]
fn a_cancelled_replay_takes_its_own_away_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a directory");
    let outbox = open(dir.path());
    let all = delivered(&outbox);
    fill(&outbox, &[line(5, RecordKind::Hour, 500)], 5);
    let receipts = |outbox: &Outbox| -> (i64, i64) {
        let sum = "SELECT count(*), sum(tries * 1000 + seq) FROM receipt";
        let connection = outbox.connection();
        let row = connection.query_row(sum, [], |row| Ok((row.get(0)?, row.get(1)?)));
        row.expect("reads")
    };
    let before = receipts(&outbox);
    let id = ask(&outbox, (0, 1_000)).expect("booked");
    let more = [all[0], all[1], owed(5, 500)];
    assert!(step(&outbox, id, &more, Some(501)));
    assert_eq!(outbox.cancel_replay(id, Timestamp(6_500)), Ok(true));
    assert_eq!(outbox.cancel_replay(id, Timestamp(6_600)), Ok(false));
    assert_eq!(seqs(&waiting(&outbox)), [5]);
    assert_eq!(receipts(&outbox), before);
    assert!(!step(&outbox, id, &all[2..], None), "a step comes too late");
    assert_eq!(outbox.open_replay(), Ok(None));
    assert_eq!(seqs(&waiting(&outbox)), [5]);
    assert_eq!(outbox.clear_cancelled(), Ok(false));
    let row = told(&outbox);
    assert_eq!(
        (row.cancelled_at, row.done_at),
        (Some(Timestamp(6_500)), None)
    );
    assert_eq!(outbox.expire(&mailbox(), LATE), Ok(1), "as any other");
}

#[test]
fn a_long_replay_is_cancelled_in_parts_and_a_new_one_takes_over() {
    let dir = tempfile::tempdir().expect("a directory");
    let outbox = open(dir.path());
    let many: Vec<Owed> = (1..=4_500)
        .map(|n| owed(n, i64::try_from(n).expect("small")))
        .collect();
    let id = ask(&outbox, (0, 9_000)).expect("booked");
    assert!(step(&outbox, id, &many, Some(4_501)));
    assert_eq!(outbox.cancel_replay(id, Timestamp(6_500)), Ok(true));
    assert_eq!(waiting_all(&outbox), 2_500);
    let other = ask(&outbox, (0, 9_000)).expect("nothing is under way");
    assert!(step(&outbox, other, &many[4_400..], None));
    drop(outbox);
    let outbox = open(dir.path());
    while outbox.clear_cancelled().expect("clears") {}
    assert_eq!(waiting_all(&outbox), 100);
    assert_eq!(figures(&outbox), (100, 0, 0, false));
}

fn waiting_all(outbox: &Outbox) -> u64 {
    outbox.standing(&mailbox()).expect("reads").pending
}

#[test]
fn periods_under_way_have_no_record_in_common() {
    let dir = tempfile::tempdir().expect("a directory");
    let outbox = open(dir.path());
    let one = ask(&outbox, (0, 1_000)).expect("booked");
    assert_eq!(ask(&outbox, (999, 2_000)), None);
    let outlet = OutletId::new("jia-2");
    let asked = ReplayAsked {
        uplink: "centre",
        outlet: Some(&outlet),
        span: (Timestamp(10), Timestamp(20)),
    };
    let booked = |asked: &ReplayAsked<'_>| {
        let booked = outbox.ask_replay(asked, "supervisor", Timestamp(5_000));
        booked.expect("asks").is_some()
    };
    assert!(!booked(&asked), "all outlets of the centre are under way");
    let elsewhere = ReplayAsked {
        uplink: "other",
        ..asked
    };
    assert!(booked(&elsewhere));
    assert!(ask(&outbox, (1_000, 2_000)).is_some());
    assert_eq!(outbox.cancel_replay(one, Timestamp(6_000)), Ok(true));
    assert!(booked(&asked));
    assert_eq!(ask(&outbox, (15, 16)), None);
    let third = OutletId::new("jia-3");
    let beside = ReplayAsked {
        outlet: Some(&third),
        ..asked
    };
    assert!(booked(&beside));
}

#[test]
fn replays_that_are_over_are_forgotten_in_the_end() {
    let dir = tempfile::tempdir().expect("a directory");
    let outbox = open(dir.path());
    for _ in 0..203 {
        let id = ask(&outbox, (0, 1_000)).expect("booked");
        outbox
            .book_replay(id, None, Timestamp(6_000))
            .expect("ends");
    }
    let rows = replays(&outbox.connection()).expect("reads");
    assert_eq!((rows.len(), rows[0].id), (201, 203));
}
