//! The disk refuses: nothing is acknowledged, nothing is lost, it resumes by itself.

use std::io;
use std::sync::atomic::{AtomicU32, AtomicUsize};
use std::sync::mpsc::channel;

use super::*;

fn wait_until(what: impl Fn() -> bool) {
    while !what() {
        std::thread::yield_now();
    }
}

/// A real `SQLITE_FULL` by SQLite's own page limit. Appends during the stall wait; all are
/// stored in the order they came once there is room.
#[test]
fn a_full_disk_stalls_and_resumes_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let pages = Arc::new(AtomicU32::new(0));
    let hands = Hands::at(MORNING);
    let mut options = hands.options();
    options.faults.page_count_max = Some(Arc::clone(&pages));
    let (journal, _) = Journal::open(dir.path(), options).unwrap();
    fill(&journal, 1, 1);

    pages.store(1, Ordering::Relaxed); // never below what the file has already
    hands.set(MORNING + 1);
    let (answers, answered) = channel();
    let threads: Vec<_> = (0..3)
        .map(|n| {
            let (journal, answers) = (journal.clone(), answers.clone());
            std::thread::spawn(move || {
                // Incompressible, several pages.
                let mut state = 0x9e37_79b9_u32 + n;
                let noise = (0..20_000)
                    .map(|_| {
                        state ^= state << 13;
                        state ^= state >> 17;
                        state ^= state << 5;
                        state.to_le_bytes()[0]
                    })
                    .collect();
                answers
                    .send(journal.append_blocking(Draft::now(noise)).unwrap().seq)
                    .unwrap();
            })
        })
        .collect();
    wait_until(|| journal.health().stalled.is_some());
    let health = journal.health();
    let cause = health.stalled.unwrap();
    assert!(cause.starts_with("the disk is full; free space"), "{cause}");
    assert_eq!(health.stall_kind, Some(StallKind::DiskFull));
    assert_eq!(health.stalled_since_ms, Some(MORNING + 1));
    assert_eq!(health.last_seq, 1);
    assert!(answered.try_recv().is_err());
    assert_eq!(read(dir.path(), 1).len(), 1);

    pages.store(0, Ordering::Relaxed);
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    let mut seqs: Vec<u64> = answered.try_iter().collect();
    seqs.sort_unstable();
    assert_eq!(seqs, [2, 3, 4]);
    assert_eq!(
        (journal.health().stalled, journal.health().stalled_since_ms),
        (None, None)
    );
    journal.close();
    assert!(check(dir.path()).ok());
}

/// Closing while the disk refuses ends, and says to the waiting that nothing was stored.
#[test]
fn closing_during_a_stall_answers_everybody() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options();
    options.faults.before_commit = Some(Arc::new(|| Err(io::Error::other("no such luck"))));
    let (journal, _) = Journal::open(dir.path(), options).unwrap();
    let threads: Vec<_> = (0..5)
        .map(|n| {
            let journal = journal.clone();
            std::thread::spawn(move || journal.append_blocking(Draft::now(body(n))))
        })
        .collect();
    wait_until(|| {
        journal
            .health()
            .stalled
            .is_some_and(|cause| cause.contains("no such luck"))
    });
    journal.close();
    for thread in threads {
        let error = thread.join().unwrap().unwrap_err();
        assert!(
            matches!(error, JournalError::GaveUp { .. } | JournalError::Closed),
            "{error}"
        );
    }
    assert_eq!(read(dir.path(), 1), []);
}

/// Every third commit fails before, every second is made but reported as failed (the sync's
/// outcome is unknown, the connection is given up): each entry is stored exactly once.
#[test]
fn failing_commits_are_repeated_exactly_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options();
    let every = |n: usize, error: io::ErrorKind| -> Option<FaultHook> {
        let calls = AtomicUsize::new(0);
        Some(Arc::new(move || {
            match calls.fetch_add(1, Ordering::Relaxed) % n {
                0 => Err(io::Error::from(error)),
                _ => Ok(()),
            }
        }))
    };
    options.faults.before_commit = every(3, io::ErrorKind::StorageFull);
    options.faults.after_commit = every(2, io::ErrorKind::Other);
    let (journal, _) = Journal::open(dir.path(), options).unwrap();
    fill(&journal, 1, 20);
    assert_eq!(journal.take_recovery_notes(), []);
    assert_eq!(journal.health().entries, 20);
    journal.wait_sealed();
    journal.close();
    assert_eq!(
        bodies(&read(dir.path(), 1)),
        (1..=20).map(body).collect::<Vec<_>>()
    );
    let report = check(dir.path());
    assert!(report.ok() && report.seals == 1, "{report:?}");
}

/// Somebody ruins the file under the daemon's hands in a way that SQLite notices: it is set
/// aside, writing goes on in a new one, no number is given twice, and the loss is reported.
#[test]
fn a_file_ruined_while_running_is_set_aside_and_writing_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    fill(&journal, 1, 10);
    let conn = rusqlite::Connection::open(day_file(dir.path(), "2026-05-09")).unwrap();
    conn.execute_batch("DROP TABLE block").unwrap();
    drop(conn);
    let mut seqs = Vec::new();
    for n in 11..=13 {
        let draft = Draft::at(MORNING + n * HOUR, body(u64::try_from(n).unwrap()));
        seqs.push(journal.append_blocking(draft).unwrap().seq);
    }
    let first = seqs[0];
    assert!(first > 10, "{seqs:?}");
    assert_eq!(seqs, [first, first + 1, first + 2]);
    let notes = journal.take_recovery_notes();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!(
        notes[0].set_aside.as_deref(),
        Some("2026-05-09.db.damaged-1")
    );
    assert_eq!(
        (notes[0].breaks[0].after_seq, notes[0].breaks[0].next_seq),
        (0, first)
    );
    assert_eq!(journal.take_recovery_notes(), []);
    journal.close();

    let (journal, opened) = open(dir.path());
    assert_eq!((opened.last_seq, opened.recovered), (first + 2, Vec::new()));
    journal.close();
    let report = check(dir.path());
    assert_eq!(report.set_aside, ["2026-05-09.db.damaged-1"]);
    assert_eq!(report.problems.len(), 1, "{report:?}");
    assert!(matches!(report.problems[0].what, What::Break { next_seq, .. } if next_seq == first));
}
