//! Receipts as they are told: through sendings, answers, corrections, filters and pages, and for a
//! file from before there were any.

use super::*;
use crate::uplink::outbox::{Outbox, Owed, Receipt, ReplayStep, Sendings};
use cems_core::model::ForwardRow;

const HOUR: RecordKind = RecordKind::Hour;
const MINUTE: RecordKind = RecordKind::Minute;

/// A mailbox file with one who writes and one who reads.
struct Desk {
    dir: tempfile::TempDir,
    outbox: Outbox,
    receipts: Receipts,
}

fn mailbox(uplink: &str, outlet: &str) -> Mailbox {
    Mailbox {
        uplink: uplink.into(),
        outlet: OutletId::new(outlet),
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

fn owed(seq: u64, kind: RecordKind, start: i64) -> Owed {
    Owed {
        kind,
        start: Timestamp(start),
        seq: Seq(seq),
        at: Timestamp(start + 1),
    }
}

fn times(times: u32, first: i64, last: i64) -> Sendings {
    Sendings {
        times,
        first: Timestamp(first),
        last: Timestamp(last),
    }
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("uplink.db");
        let (outbox, damage) = Outbox::open(&path).expect("opens");
        assert_eq!(damage, None);
        Self {
            receipts: Receipts::open(&path).expect("opens"),
            outbox,
            dir,
        }
    }

    fn fill(&self, to: &Mailbox, rows: &[ForwardRow]) {
        let last = rows.last().expect("rows").seq;
        let rows = rows.iter().collect();
        self.outbox.fill(&[(to, rows)], (last, 0)).expect("fills");
    }

    fn book(&self, to: &Mailbox, what: Owed, sent: Sendings, settled: Settled, at: i64) {
        let receipt = Receipt {
            owed: what,
            sendings: Some(sent),
            settled,
        };
        let booked = self.outbox.book(to, &[receipt], &[], Timestamp(at));
        booked.expect("books");
    }

    fn sent(&self, uplink: &str, filter: &SentFilter) -> Vec<SentRow> {
        let outlets = [OutletId::new("jia-1"), OutletId::new("jia-2")];
        let found = self
            .receipts
            .sent(uplink, &outlets.iter().collect(), filter);
        let mut rows = found.expect("reads");
        rows.sort_by_cached_key(|row| std::cmp::Reverse(order(row)));
        rows.truncate(filter.limit);
        rows
    }
}

fn all() -> SentFilter {
    SentFilter {
        uplink: None,
        outlet: None,
        kind: None,
        span: (Timestamp(0), Timestamp(1_000_000)),
        open_only: false,
        behind: None,
        limit: 100,
    }
}

/// State, times sent, first and last sent, settled, answer.
fn shown(row: &SentRow) -> String {
    let time = |at: Option<Timestamp>| at.map_or("-".to_owned(), |at| at.0.to_string());
    format!(
        "{} {} {}..{} {} {}{}{}",
        row.state.as_str(),
        row.times,
        time(row.first_sent),
        time(row.last_sent),
        time(row.settled_at),
        row.answer.as_deref().unwrap_or("-"),
        if row.resent { " resent" } else { "" },
        if row.corrected { " corrected" } else { "" },
    )
}

#[test]
fn a_record_is_told_from_its_first_sending_to_its_correction() {
    let desk = Desk::new();
    let to = mailbox("centre", "jia-1");
    let one = || shown(&desk.sent("centre", &all())[0]);
    desk.fill(&to, &[line(1, HOUR, 100)]);
    assert_eq!(one(), "waiting 0 -..- - -");

    // The line goes twice before an answer comes.
    let first = owed(1, HOUR, 100);
    let note = |sent: Sendings| {
        let noted = desk.outbox.book(&to, &[], &[(first, sent)], Timestamp(0));
        noted.expect("notes");
    };
    note(times(1, 210, 210));
    assert_eq!(one(), "unanswered 1 210..210 - -");
    note(times(2, 220, 230));
    assert_eq!(one(), "unanswered 3 210..230 - - resent");
    assert_eq!(
        desk.outbox.standing(&to).expect("reads").last_acknowledged,
        None
    );
    desk.book(&to, first, times(1, 300, 300), Settled::Notice, 305);
    assert_eq!(one(), "acknowledged 4 210..300 305 9013 resent");

    // A correction waits beside the receipt of the first version, and takes its place.
    desk.fill(&to, &[line(2, HOUR, 100)]);
    assert_eq!(one(), "waiting 4 210..300 - - resent corrected");
    assert_eq!(desk.sent("centre", &all()).len(), 1, "told once");
    let second = owed(2, HOUR, 100);
    desk.book(&to, second, times(1, 400, 400), Settled::Data, 401);
    assert_eq!(one(), "acknowledged 5 210..400 401 9014 resent corrected");
    let day = desk.receipts.day(&to, Timestamp(400)).expect("reads");
    assert_eq!((day.acknowledged, day.resent, day.unanswered), (1, 1, 0));
}

#[test]
fn the_first_version_on_its_way_does_not_count_for_the_second() {
    let desk = Desk::new();
    let to = mailbox("centre", "jia-1");
    desk.fill(&to, &[line(1, HOUR, 100)]);
    let first = owed(1, HOUR, 100);
    let noted = desk
        .outbox
        .book(&to, &[], &[(first, times(1, 200, 200))], Timestamp(0));
    noted.expect("notes");
    desk.fill(&to, &[line(2, HOUR, 100)]);
    desk.book(&to, first, times(1, 210, 210), Settled::Data, 211);
    let rows = desk.sent("centre", &all());
    assert_eq!(shown(&rows[0]), "waiting 2 200..210 - - corrected");
    assert_eq!(rows[0].seq, Seq(2));
    desk.book(
        &to,
        owed(2, HOUR, 100),
        times(1, 300, 300),
        Settled::Data,
        301,
    );
    let rows = desk.sent("centre", &all());
    assert_eq!(
        shown(&rows[0]),
        "acknowledged 3 200..300 301 9014 resent corrected"
    );
}

#[test]
fn what_is_not_sent_says_why() {
    let desk = Desk::new();
    let to = mailbox("centre", "jia-1");
    desk.fill(
        &to,
        &[line(1, HOUR, 100), line(2, HOUR, 200), line(3, HOUR, 300)],
    );
    let pass = |what: Owed, why: Settled| {
        let passed = desk.outbox.pass_over(&to, what, why, Timestamp(900));
        passed.expect("passes over");
    };
    pass(owed(1, HOUR, 100), Settled::NotOwed);
    pass(owed(2, HOUR, 200), Settled::Unsendable);
    desk.book(
        &to,
        owed(3, HOUR, 300),
        times(1, 800, 800),
        Settled::Unasked,
        801,
    );
    let rows = desk.sent("centre", &all());
    let rows: Vec<String> = rows.iter().map(shown).collect();
    assert_eq!(
        rows,
        [
            "taken 1 800..800 801 -",
            "unsendable 0 -..- 900 -",
            "not-owed 0 -..- 900 -"
        ]
    );
    let standing = desk.outbox.standing(&to).expect("reads");
    assert_eq!((standing.pending, standing.acknowledged), (0, 1));
    assert_eq!(standing.unsendable, 1);
    let open = SentFilter {
        open_only: true,
        ..all()
    };
    assert_eq!(desk.sent("centre", &open)[0].state, SentState::Unsendable);
    let span = (Timestamp(0), Timestamp(1_000));
    let settled = desk.receipts.settled(&to, HOUR, span).expect("reads");
    assert_eq!(settled, BTreeSet::from([Timestamp(100), Timestamp(300)]));

    // A later version is sent after all.
    desk.fill(&to, &[line(4, HOUR, 100)]);
    desk.book(
        &to,
        owed(4, HOUR, 100),
        times(1, 950, 950),
        Settled::Data,
        951,
    );
    let rows = desk.sent("centre", &all());
    assert_eq!(shown(&rows[2]), "acknowledged 1 950..950 951 9014");
}

#[test]
fn pages_and_filters_leave_nothing_out_and_repeat_nothing() {
    let desk = Desk::new();
    for outlet in ["jia-1", "jia-2"] {
        let to = mailbox("centre", outlet);
        let mut rows = Vec::new();
        for n in 0..20_u64 {
            let start = i64::try_from(n / 2).expect("small") * 60;
            let kind = if n.is_multiple_of(2) { HOUR } else { MINUTE };
            rows.push(line(n + 1, kind, start));
        }
        desk.fill(&to, &rows);
        for row in rows.iter().step_by(3) {
            let what = owed(row.seq.0, row.kind, row.start.0);
            desk.book(&to, what, times(1, 5_000, 5_000), Settled::Data, 5_001);
        }
    }
    let whole = desk.sent("centre", &all());
    assert_eq!(whole.len(), 40);
    assert!(
        whole
            .windows(2)
            .all(|pair| order(&pair[0]) > order(&pair[1]))
    );
    let mut paged = Vec::new();
    let mut filter = SentFilter { limit: 7, ..all() };
    loop {
        let page = desk.sent("centre", &filter);
        let Some(last) = page.last() else { break };
        filter.behind = Some(SentPlace::of(last));
        paged.extend(page);
    }
    assert_eq!(paged, whole);

    let some = SentFilter {
        kind: Some(MINUTE),
        span: (Timestamp(60), Timestamp(180)),
        open_only: true,
        ..all()
    };
    let some = desk.sent("centre", &some);
    let wanted = |row: &&SentRow| {
        row.kind == MINUTE && (60..180).contains(&row.start.0) && row.state == SentState::Waiting
    };
    let wanted: Vec<SentRow> = whole.iter().filter(wanted).cloned().collect();
    assert!(!wanted.is_empty());
    assert_eq!(some, wanted);
    assert!(desk.sent("other", &all()).is_empty());
}

#[test]
fn a_file_from_before_is_read_and_its_receipts_are_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("uplink.db");
    let old = Connection::open(&path).expect("opens");
    old.execute_batch(include_str!("../outbox/0001-uplink.sql"))
        .expect("the first version");
    old.pragma_update(None, "application_id", 0x4345_4d55)
        .expect("marked");
    old.pragma_update(None, "user_version", 1).expect("marked");
    old.execute_batch(
        "INSERT INTO receipt VALUES ('centre', 'jia-1', 0, 100, 1, 305, 2);
         INSERT INTO pending VALUES ('centre', 'jia-1', 0, 200, 2, 201);",
    )
    .expect("what was there");
    drop(old);
    let (outbox, damage) = Outbox::open(&path).expect("opens");
    assert_eq!(damage, None);
    let desk = Desk {
        receipts: Receipts::open(&path).expect("opens"),
        outbox,
        dir,
    };
    let rows = desk.sent("centre", &all());
    let rows: Vec<String> = rows.iter().map(shown).collect();
    assert_eq!(
        rows,
        ["waiting 0 -..- - -", "acknowledged 2 -..- 305 - resent"]
    );
    assert!(desk.dir.path().join("uplink.db").exists());
}

#[test]
fn one_who_reads_does_not_hold_up_one_who_writes() {
    let desk = Desk::new();
    let to = mailbox("centre", "jia-1");
    desk.fill(&to, &[line(1, HOUR, 100)]);
    let reader = desk.receipts.connection();
    let transaction = reader.unchecked_transaction().expect("begins");
    let count = |connection: &Connection| {
        connection.query_row("SELECT count(*) FROM pending", [], |row| {
            row.get::<_, i64>(0)
        })
    };
    assert_eq!(count(&transaction), Ok(1));
    desk.book(
        &to,
        owed(1, HOUR, 100),
        times(1, 200, 200),
        Settled::Data,
        201,
    );
    assert_eq!(count(&transaction), Ok(1), "one moment");
    drop(transaction);
    assert_eq!(count(&reader), Ok(0));
}

#[test]
fn what_is_sent_again_on_demand_is_no_correction() {
    let desk = Desk::new();
    let to = mailbox("centre", "jia-1");
    desk.fill(&to, &[line(1, HOUR, 100)]);
    let one = || shown(&desk.sent("centre", &all())[0]);
    let first = owed(1, HOUR, 100);
    desk.book(&to, first, times(1, 200, 200), Settled::Data, 201);
    let asked = ReplayAsked {
        uplink: "centre",
        outlet: None,
        span: (Timestamp(0), Timestamp(1_000)),
    };
    let id = desk.outbox.ask_replay(&asked, "supervisor", Timestamp(300));
    let id = id.expect("books").expect("nothing is under way");
    assert_eq!(desk.receipts.under_way(&asked), Ok(Some(id)));
    let step = ReplayStep {
        mailbox: &to,
        rows: &[first],
        next: None,
    };
    let booked = desk.outbox.book_replay(id, Some(&step), Timestamp(301));
    assert_eq!(booked, Ok(true));
    assert_eq!(one(), "waiting 1 200..200 - -");
    let noted = desk
        .outbox
        .book(&to, &[], &[(first, times(1, 310, 310))], Timestamp(0));
    noted.expect("notes");
    assert_eq!(one(), "unanswered 2 200..310 - - resent");
    desk.book(&to, first, times(1, 320, 320), Settled::Data, 321);
    assert_eq!(one(), "acknowledged 3 200..320 321 9014 resent");
    let row = desk.receipts.replays().expect("reads").remove(0);
    assert_eq!((row.booked, row.acknowledged), (1, 1));
    assert_eq!(row.done_at, Some(Timestamp(321)));

    // A correction afterwards is the second version, sent for the fourth time.
    desk.fill(&to, &[line(2, HOUR, 100)]);
    assert_eq!(one(), "waiting 3 200..320 - - resent corrected");
    desk.book(
        &to,
        owed(2, HOUR, 100),
        times(1, 400, 400),
        Settled::Data,
        401,
    );
    assert_eq!(one(), "acknowledged 4 200..400 401 9014 resent corrected");
}
