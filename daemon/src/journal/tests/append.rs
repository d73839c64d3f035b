//! Appending, reading back, limits.

use std::sync::mpsc::sync_channel;

use super::*;

#[test]
fn entries_are_numbered_from_one_and_come_back_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, opened) = open(dir.path());
    assert!(opened.created);
    assert_eq!((opened.last_seq, opened.last_at_ms), (0, 0));
    fill(&journal, 1, 5);
    assert_eq!(
        bodies(&read(dir.path(), 1)),
        (1..=5).map(body).collect::<Vec<_>>()
    );
    let head = journal.head();
    journal.close();

    let (journal, opened) = open(dir.path());
    assert!(!opened.created);
    assert_eq!(
        (opened.last_seq, opened.last_at_ms),
        (5, MORNING + 5 * HOUR)
    );
    assert_eq!(opened.head, head);
    assert_eq!(opened.recovered, []);
    fill(&journal, 6, 2);
    journal.close();
    assert_eq!(
        read(dir.path(), 4)
            .iter()
            .map(|e| e.seq)
            .collect::<Vec<_>>(),
        [4, 5, 6, 7]
    );
    assert_eq!(Reader::open(dir.path()).unwrap().last_seq().unwrap(), 7);
    let report = check(dir.path());
    assert!(report.ok() && report.chain_ok, "{report:?}");
    assert_eq!(
        (report.entries, report.first_seq, report.last_seq),
        (7, Some(1), Some(7))
    );
}

#[test]
fn time_never_goes_back_and_comes_from_the_clock_when_not_given() {
    let dir = tempfile::tempdir().unwrap();
    let hands = Hands::at(MORNING);
    let (journal, _) = Journal::open(dir.path(), hands.options()).unwrap();
    let at = |draft| journal.append_blocking(draft).unwrap().at_ms;
    assert_eq!(at(Draft::now(body(1))), MORNING);
    hands.set(MORNING - 5 * HOUR);
    assert_eq!(at(Draft::now(body(2))), MORNING);
    assert_eq!(at(Draft::at(MORNING + 7, body(3))), MORNING + 7);
    assert_eq!(at(Draft::at(MORNING + 6, body(4))), MORNING + 7);
    hands.set(MORNING + 8);
    assert_eq!(at(Draft::now(body(5))), MORNING + 8);
    journal.close();
    assert!(check(dir.path()).ok());
}

#[test]
fn many_go_in_one_commit_and_stay_together_over_midnight() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    let midnight = MORNING + 16 * HOUR;
    let drafts = [midnight - 1, midnight, midnight + 1]
        .map(|at_ms| Draft::at(at_ms, body(1)))
        .to_vec();
    let done = journal.append_many_blocking(drafts).unwrap();
    assert_eq!(done.iter().map(|c| c.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(journal.health().commits, 1);
    assert_eq!(journal.append_many_blocking(Vec::new()).unwrap(), []);
    journal
        .append_blocking(Draft::at(midnight + 2, body(2)))
        .unwrap();
    journal.wait_sealed();
    journal.close();
    assert_eq!(files(dir.path()), ["2026-05-09.sealed.db", "2026-05-10.db"]);
    assert!(check(dir.path()).ok());
    assert_eq!(read(dir.path(), 1).len(), 4);
}

#[test]
fn what_is_too_much_is_refused_at_the_door() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    let large = Draft::now(vec![b'x'; ENTRY_BYTES_MAX + 1]);
    let refused = journal.append_blocking(large).unwrap_err();
    assert!(matches!(
        refused,
        JournalError::EntryTooLarge {
            bytes: 4_194_305,
            ..
        }
    ));
    let many = vec![Draft::now(Vec::new()); MANY_ENTRIES_MAX + 1];
    let refused = journal.append_many_blocking(many).unwrap_err();
    assert!(matches!(
        refused,
        JournalError::ManyTooLarge {
            entries: 10_001,
            ..
        }
    ));
    for at_ms in [-1, AT_MS_MAX + 1, i64::MIN, i64::MAX] {
        let refused = journal
            .append_blocking(Draft::at(at_ms, Vec::new()))
            .unwrap_err();
        assert!(
            matches!(refused, JournalError::TimeOutOfRange { .. }),
            "{refused}"
        );
    }
    let largest = Draft::at(AT_MS_MAX, vec![b'x'; ENTRY_BYTES_MAX]);
    assert_eq!(journal.append_blocking(largest.clone()).unwrap().seq, 1);
    let four = vec![largest; 4];
    assert_eq!(journal.append_many_blocking(four).unwrap().len(), 4);
    journal.close();
    assert_eq!(files(dir.path()), ["9999-12-31.db"]);
    assert!(check(dir.path()).ok());
}

#[test]
fn a_second_writer_is_refused_and_let_in_after_the_first_closed() {
    let dir = tempfile::tempdir().unwrap();
    let (first, _) = open(dir.path());
    let refused = Journal::open(dir.path(), options()).unwrap_err();
    assert!(matches!(refused, JournalError::Locked { .. }), "{refused}");
    assert!(
        refused.to_string().contains("in use by another daemon"),
        "{refused}"
    );
    let clone = first.clone();
    first.close();
    assert!(matches!(
        clone.append_blocking(Draft::now(body(1))),
        Err(JournalError::Closed)
    ));
    let (second, _) = open(dir.path());
    fill(&second, 1, 1);
    second.close();
}

/// A thousand tasks at once: every one gets its own number, far fewer commits than entries,
/// and the follower sees all of them in order.
#[test]
fn concurrent_appenders_share_commits() {
    let dir = tempfile::tempdir().unwrap();
    let (sender, receiver) = sync_channel(2);
    let mut options = options();
    options.follower = Some(sender);
    let (journal, _) = Journal::open(dir.path(), options).unwrap();
    let consumer = std::thread::spawn(move || {
        receiver
            .iter()
            .flatten()
            .map(|entry: Entry| entry.seq)
            .collect::<Vec<_>>()
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let mut given: Vec<u64> = runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..1_000 {
            let journal = journal.clone();
            tasks.spawn(async move { journal.append(Draft::now(body(n))).await.unwrap().seq });
        }
        tasks.join_all().await
    });
    given.sort_unstable();
    let all: Vec<u64> = (1..=1_000).collect();
    assert_eq!(given, all);
    let health = journal.health();
    assert_eq!(
        (health.entries, health.last_seq, health.queue_len),
        (1_000, 1_000, 0)
    );
    assert!(health.commits < 500, "{health:?}");
    journal.close();
    assert_eq!(consumer.join().unwrap(), all);
    assert!(check(dir.path()).ok());
}

/// The follower died: intake goes on, nothing is lost, the files have it all.
#[test]
fn a_follower_that_went_away_stops_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (sender, receiver) = sync_channel(1);
    let mut options = options();
    options.follower = Some(sender);
    let (journal, _) = Journal::open(dir.path(), options).unwrap();
    fill(&journal, 1, 1);
    assert_eq!(receiver.recv().unwrap().len(), 1);
    drop(receiver);
    fill(&journal, 2, 3);
    journal.close();
    assert_eq!(read(dir.path(), 1).len(), 4);
}

/// A slow follower holds the writer, which says so; both go on when it takes the batch.
#[test]
fn a_slow_follower_holds_up_the_writer_visibly() {
    let dir = tempfile::tempdir().unwrap();
    let (sender, receiver) = sync_channel(0);
    let mut options = options();
    options.follower = Some(sender);
    let (journal, _) = Journal::open(dir.path(), options).unwrap();
    fill(&journal, 1, 1);
    while journal.health().follower_waiting_since_ms != Some(MORNING) {
        std::thread::yield_now();
    }
    assert_eq!(receiver.recv().unwrap()[0].seq, 1);
    fill(&journal, 2, 1);
    assert_eq!(receiver.recv().unwrap()[0].seq, 2);
    journal.close();
}

/// A reader that reached the end goes on when there is more, over the end of a day too.
#[test]
fn a_reader_at_the_end_sees_what_comes_later() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    let mut entries = Reader::open(dir.path()).unwrap().entries_from(1);
    assert!(entries.next().is_none());
    for n in 1..=60 {
        fill(&journal, n, 1);
        assert_eq!(entries.next().unwrap().unwrap().body, body(n));
        assert!(entries.next().is_none());
    }
    journal.close();
}

#[test]
fn sha_256_by_choice_stays_with_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let mut sha = options();
    sha.hash = HashKind::Sha256;
    let (journal, opened) = Journal::open(dir.path(), sha).unwrap();
    assert_eq!(opened.head.hash, HashKind::Sha256);
    fill(&journal, 1, 3);
    journal.close();
    let (journal, opened) = open(dir.path());
    assert_eq!(opened.head.hash, HashKind::Sha256);
    fill(&journal, 4, 1);
    journal.close();
    assert!(check(dir.path()).ok());
}
