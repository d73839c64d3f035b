//! Damage of every kind: found by `verify` with file and number, survived at start.

use std::io::{Seek as _, SeekFrom, Write as _};

use super::*;

/// A closed journal of 60 entries: 15 on the first day (sealed), 24 on the second (sealed),
/// 21 on the third.
fn journal() -> (tempfile::TempDir, Head) {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    fill(&journal, 1, 60);
    journal.wait_sealed();
    let head = journal.head();
    journal.close();
    assert_eq!(
        files(dir.path()),
        [
            "2026-05-09.sealed.db",
            "2026-05-10.sealed.db",
            "2026-05-11.db"
        ]
    );
    (dir, head)
}

const NEWEST: &str = "2026-05-11.db";

/// File and number of every problem.
fn problems(dir: &Path) -> Vec<(String, Option<u64>)> {
    let report = check(dir);
    assert_eq!(report.chain_ok, report.ok(), "{report:?}");
    report
        .problems
        .into_iter()
        .map(|problem| (problem.file, problem.seq))
        .collect()
}

/// Flips each byte of a block's data in turn, in the unsealed and in a sealed file.
#[test]
fn any_flipped_byte_of_a_block_is_found_with_file_and_number() {
    let (dir, _) = journal();
    let sealed = "2026-05-10.sealed.db";
    writable(&dir.path().join(sealed));
    for (name, first_seq) in [(NEWEST, 45), (sealed, 16)] {
        let conn = rusqlite::Connection::open(dir.path().join(name)).unwrap();
        let data: Vec<u8> = conn
            .query_row(
                "SELECT data FROM block WHERE first_seq = ?1",
                [first_seq],
                |r| r.get(0),
            )
            .unwrap();
        let put = |data: &[u8]| {
            let sql = "UPDATE block SET data = ?1 WHERE first_seq = ?2";
            conn.execute(sql, rusqlite::params![data, first_seq])
                .unwrap();
        };
        // All but the last byte, whose unused bits carry nothing.
        for at in (0..data.len() - 1).step_by(data.len().div_ceil(97)) {
            let mut bad = data.clone();
            bad[at] ^= 1 << (at % 8);
            put(&bad);
            let seq = u64::try_from(first_seq).unwrap();
            let report = check(dir.path());
            assert_eq!(report.problems[0].file, name, "byte {at}");
            assert_eq!(report.problems[0].seq, Some(seq), "byte {at}");
            // The reader leaves out this block, says so, and goes on.
            let (good, bad): (Vec<_>, Vec<_>) = Reader::open(dir.path())
                .unwrap()
                .entries_from(1)
                .partition(Result::is_ok);
            assert_eq!(bad.len(), 1);
            assert!(
                matches!(&bad[0], Err(ReadError::Block { first_seq, .. }) if *first_seq == seq)
            );
            assert_eq!(good.len(), if name == NEWEST { 59 } else { 36 });
        }
        put(&data);
        assert!(check(dir.path()).ok());
    }
}

#[test]
fn removed_moved_and_inserted_entries_are_found() {
    for (sql, seq) in [
        ("DELETE FROM block WHERE first_seq = 50", 50),
        (
            "UPDATE block SET first_seq = 70, last_seq = 70 WHERE first_seq = 60",
            60,
        ),
        (
            "UPDATE block SET last_at_ms = last_at_ms + 1 WHERE first_seq = 44",
            44,
        ),
        (
            "UPDATE block SET chain = zeroblob(32) WHERE first_seq = 47",
            47,
        ),
        (
            "UPDATE block SET codec = 'deflate' WHERE first_seq = 41",
            41,
        ),
        (
            "INSERT INTO block SELECT 61, 61, first_at_ms, last_at_ms, raw_len, codec, data, \
             chain FROM block WHERE first_seq = 60",
            61,
        ),
    ] {
        let (dir, _) = journal();
        tamper(&dir.path().join(NEWEST), sql);
        let found = problems(dir.path());
        assert_eq!(found[0], (NEWEST.to_owned(), Some(seq)), "{sql}");
    }
}

#[test]
fn a_missing_file_a_foreign_file_and_a_renamed_file_are_found() {
    let (dir, _) = journal();
    let middle = dir.path().join("2026-05-10.sealed.db");
    let keep = fs::read(&middle).unwrap();
    fs::remove_file(&middle).unwrap();
    assert_eq!(problems(dir.path()), [(NEWEST.to_owned(), Some(16))]);
    let reader = Reader::open(dir.path()).unwrap();
    let errors: Vec<_> = reader.entries_from(1).filter_map(Result::err).collect();
    assert!(matches!(
        errors[..],
        [ReadError::Missing {
            after_seq: 15,
            next_seq: 40
        }]
    ));
    // Start-up succeeds and says so.
    let (opened_journal, opened) = open(dir.path());
    opened_journal.close();
    assert_eq!(opened.last_seq, 60);
    assert!(
        opened.recovered[0].reason.contains("a file is missing"),
        "{opened:?}"
    );

    let (other, _) = journal();
    fs::copy(other.path().join("2026-05-10.sealed.db"), &middle).unwrap();
    let report = check(dir.path());
    assert!(
        report.problems.iter().any(|p| p.what == What::Foreign),
        "{report:?}"
    );

    fs::remove_file(&middle).unwrap();
    fs::write(dir.path().join("2026-05-08.sealed.db"), keep).unwrap();
    let report = check(dir.path());
    let renamed = What::Renamed {
        day: "2026-05-10".to_owned(),
    };
    assert!(
        report.problems.iter().any(|p| p.what == renamed),
        "{report:?}"
    );
}

/// Old days may lie elsewhere: that is stated, not called a problem.
#[test]
fn a_journal_without_its_oldest_days_is_in_order() {
    let (dir, head) = journal();
    fs::remove_file(dir.path().join("2026-05-09.sealed.db")).unwrap();
    let report = verify(dir.path(), &[head], &mut |_, _| {}).unwrap();
    assert!(report.ok(), "{report:?}");
    assert_eq!(
        (report.starts_after, report.first_seq),
        (Some(15), Some(16))
    );
    let first = Reader::open(dir.path())
        .unwrap()
        .entries_from(1)
        .next()
        .unwrap();
    assert!(matches!(
        first,
        Err(ReadError::Missing {
            after_seq: 0,
            next_seq: 16
        })
    ));
}

/// Cutting off the newest entries neatly leaves a sound chain: only an anchor tells.
#[test]
fn an_anchor_proves_truncation_and_rewriting() {
    let (dir, head) = journal();
    let mut seen = Vec::new();
    let report = verify(
        dir.path(),
        std::slice::from_ref(&head),
        &mut |done, total| {
            seen.push((done, total));
        },
    )
    .unwrap();
    assert!(report.ok());
    assert_eq!(report.head.as_ref(), Some(&head));
    assert_eq!(seen.last(), Some(&(60, 60)));

    let wrong = Head {
        chain: "00".repeat(32),
        seq: 20,
        ..head
    };
    let report = verify(dir.path(), &[wrong], &mut |_, _| {}).unwrap();
    assert_eq!(report.problems.len(), 1);
    assert_eq!(
        (report.problems[0].seq, &report.problems[0].what),
        (Some(20), &What::Anchor)
    );

    tamper(
        &dir.path().join(NEWEST),
        "DELETE FROM block WHERE first_seq > 55",
    );
    assert!(check(dir.path()).ok());
    let report = verify(dir.path(), &[head], &mut |_, _| {}).unwrap();
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].what, What::Truncated { anchor_seq: 60 });
    assert_eq!(report.problems[0].seq, Some(56));
}

/// The position of the projections is an anchor too: the journal never gives a number twice.
#[test]
fn a_floor_above_the_end_makes_a_declared_break() {
    let (dir, _) = journal();
    tamper(
        &dir.path().join(NEWEST),
        "DELETE FROM block WHERE first_seq > 55",
    );
    let mut options = options();
    options.seq_floor = 60;
    let (journal, opened) = Journal::open(dir.path(), options.clone()).unwrap();
    assert_eq!(opened.last_seq, 55);
    assert_eq!(opened.recovered.len(), 1);
    assert_eq!(
        journal.append_blocking(Draft::now(body(61))).unwrap().seq,
        61
    );
    journal.close();
    let (journal, opened) = Journal::open(dir.path(), options).unwrap();
    assert_eq!((opened.last_seq, opened.recovered), (61, Vec::new()));
    journal.close();
    assert_eq!(problems(dir.path()), [(NEWEST.to_owned(), Some(56))]);
    let seqs: Vec<u64> = read(dir.path(), 54).iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, [54, 55, 61]);
}

/// The same when the next entry opens a new day: the break stands in both files, the sealed
/// one keeps it, it is reported once.
#[test]
fn a_break_at_the_end_of_a_day_is_carried_over() {
    let (dir, _) = journal();
    tamper(
        &dir.path().join(NEWEST),
        "DELETE FROM block WHERE first_seq > 55",
    );
    let mut options = options();
    options.seq_floor = 100;
    let (journal, _) = Journal::open(dir.path(), options).unwrap();
    fill(&journal, 101, 30);
    journal.wait_sealed();
    journal.close();
    assert_eq!(check(dir.path()).seals, 4);
    assert_eq!(
        problems(dir.path()),
        [("2026-05-11.sealed.db".to_owned(), Some(56))]
    );
    assert_eq!(read(dir.path(), 55).iter().map(|e| e.seq).nth(1), Some(101));
    assert_eq!(read(dir.path(), 1).len(), 85);
}

/// Damages the newest file, starts, and says what start-up made of it.
fn survive(damage: impl Fn(&Path)) -> (tempfile::TempDir, Opened) {
    let (dir, _) = journal();
    damage(&dir.path().join(NEWEST));
    let (journal, opened) = open(dir.path());
    let seq = journal.append_blocking(Draft::now(body(1))).unwrap().seq;
    assert!(seq > 60, "{seq} was given before");
    journal.close();
    let (journal, again) = open(dir.path());
    assert_eq!((again.last_seq, again.recovered), (seq, Vec::new()));
    journal.close();
    assert_eq!(read(dir.path(), 1).last().unwrap().seq, seq);
    (dir, opened)
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

/// The kept entries, by number.
fn kept(dir: &Path) -> Vec<u64> {
    read(dir, 40).iter().map(|entry| entry.seq).collect()
}

#[test]
fn a_damaged_block_is_left_out_and_all_others_are_kept() {
    let (dir, opened) = survive(|path| {
        tamper(
            path,
            "UPDATE block SET data = zeroblob(length(data)) WHERE first_seq = 50",
        );
    });
    let [note] = &opened.recovered[..] else {
        panic!("{opened:?}")
    };
    assert_eq!(note.file, NEWEST);
    assert_eq!(note.set_aside.as_deref(), Some("2026-05-11.db.damaged-1"));
    assert!(
        note.reason.starts_with("entries 50 to 50:"),
        "{}",
        note.reason
    );
    assert_eq!(note.entries_kept, 20);
    assert_eq!(
        (note.breaks[0].after_seq, note.breaks[0].next_seq),
        (49, 51)
    );
    assert_eq!(
        kept(dir.path()),
        (40..=61).filter(|n| *n != 50).collect::<Vec<_>>()
    );
    assert_eq!(problems(dir.path()), [(NEWEST.to_owned(), Some(50))]);
    assert_eq!(check(dir.path()).set_aside, ["2026-05-11.db.damaged-1"]);
}

/// Only a chain column is wrong: the next block proves the entries, nothing is lost.
#[test]
fn a_damaged_chain_value_is_mended_from_its_neighbours() {
    let (dir, opened) = survive(|path| {
        tamper(
            path,
            "UPDATE block SET chain = zeroblob(32) WHERE first_seq = 50",
        );
    });
    assert_eq!(opened.recovered[0].entries_kept, 21);
    assert_eq!(opened.recovered[0].breaks, []);
    assert_eq!(kept(dir.path()), (40..=61).collect::<Vec<_>>());
    assert!(check(dir.path()).ok());
}

#[test]
fn a_damaged_last_block_is_lost_and_its_number_is_not_given_again() {
    let (dir, opened) = survive(|path| {
        tamper(
            path,
            "UPDATE block SET data = zeroblob(length(data)) WHERE first_seq = 60",
        );
    });
    let note = &opened.recovered[0];
    assert_eq!((note.entries_kept, opened.last_seq), (20, 59));
    assert_eq!(
        (note.breaks[0].after_seq, note.breaks[0].next_seq),
        (59, 61)
    );
    assert_eq!(kept(dir.path()), (40..=59).chain([61]).collect::<Vec<_>>());
}

/// A destroyed header loses nothing: it holds only constants.
#[test]
fn a_destroyed_header_is_replaced() {
    for rubbish in [&[0_u8; 100][..], b"rubbish", &[0xFF; 100]] {
        let (dir, opened) = survive(|path| overwrite(path, 0, rubbish));
        let note = &opened.recovered[0];
        assert_eq!((note.entries_kept, opened.last_seq), (21, 60), "{note:?}");
        assert_eq!(kept(dir.path()), (40..=61).collect::<Vec<_>>());
        assert!(check(dir.path()).ok());
    }
}

/// Whatever the rubbish: start-up succeeds, older days are untouched, numbering goes on
/// behind everything that can have been given, and verification names the break.
#[test]
fn any_rubbish_is_survived() {
    let len = 4096_usize;
    type Damage<'a> = (&'a str, &'a dyn Fn(&Path));
    let damages: [Damage<'_>; 6] = [
        ("empty", &|path| fs::write(path, "").unwrap()),
        ("text", &|path| {
            fs::write(path, "not a database ".repeat(1000)).unwrap();
        }),
        ("first page", &|path| overwrite(path, 0, &vec![0xA5; len])),
        ("half", &|path| {
            let half = fs::metadata(path).unwrap().len() / 2;
            fs::OpenOptions::new()
                .write(true)
                .open(path)
                .unwrap()
                .set_len(half)
                .unwrap();
        }),
        ("meta", &|path| {
            tamper(path, "DELETE FROM meta WHERE key = 'genesis'");
        }),
        ("zeroes behind the first page", &|path| {
            let rest = usize::try_from(fs::metadata(path).unwrap().len()).unwrap() - len;
            overwrite(path, 4096, &vec![0; rest]);
        }),
    ];
    for (name, damage) in damages {
        let (dir, _) = journal();
        damage(&dir.path().join(NEWEST));
        let mut options = options();
        options.seq_floor = 60;
        let (journal, opened) = Journal::open(dir.path(), options).unwrap();
        assert!(!opened.recovered.is_empty(), "{name}");
        let seq = journal.append_blocking(Draft::now(body(1))).unwrap().seq;
        assert!(seq > 60, "{name}: {seq}");
        journal.close();
        let report = check(dir.path());
        assert!(report.entries >= 40, "{name}: {report:?}");
        assert!(
            report
                .problems
                .iter()
                .all(|p| matches!(p.what, What::Break { .. })),
            "{name}: {report:?}"
        );
        assert_eq!(read(dir.path(), 1).iter().take(39).count(), 39, "{name}");
    }
}

/// Every single byte of a small file flipped in turn: start-up always succeeds, and what it
/// then holds is provably a part of what was acknowledged.
#[test]
fn a_flipped_byte_anywhere_is_survived() {
    let (dir, _) = journal();
    let original = fs::read(dir.path().join(NEWEST)).unwrap();
    let before = read(dir.path(), 1);
    // A stride that is prime to the page size meets every kind of place.
    for at in (0..original.len()).step_by(211) {
        let copy = tempfile::tempdir().unwrap();
        snapshot(dir.path(), copy.path());
        let mut bad = original.clone();
        bad[at] ^= 0x55;
        fs::write(copy.path().join(NEWEST), bad).unwrap();
        let (journal, opened) = open(copy.path());
        journal.close();
        let after: Vec<Entry> = Reader::open(copy.path())
            .unwrap()
            .entries_from(1)
            .filter_map(Result::ok)
            .collect();
        assert!(
            after.iter().all(|entry| before.contains(entry)),
            "byte {at}"
        );
        assert!(after.len() >= 39, "byte {at}: {opened:?}");
        if after.len() < 60 {
            assert!(!opened.recovered.is_empty(), "byte {at}: lost silently");
        }
    }
}

/// A crash between the renames of a recovery: it is finished at the next start.
#[test]
fn a_crash_while_setting_aside_loses_nothing() {
    let (dir, _) = journal();
    let place = dir.path().join(NEWEST);
    // The replacement is ready, the damaged file has left its name, its log has not.
    fs::copy(&place, names::beside(&place, names::READY)).unwrap();
    fs::rename(&place, names::beside(&place, ".damaged-1")).unwrap();
    fs::write(names::beside(&place, "-wal"), "the damaged file's log").unwrap();
    let (journal, opened) = open(dir.path());
    assert_eq!((opened.last_seq, opened.recovered), (60, Vec::new()));
    journal.close();
    let log = fs::read(names::beside(&place, ".damaged-1-wal")).unwrap();
    assert_eq!(log, b"the damaged file's log");
    assert!(check(dir.path()).ok());
}

/// A file of a newer program is not damaged; it is left alone.
#[test]
fn a_newer_format_is_refused_untouched() {
    let (dir, _) = journal();
    tamper(
        &dir.path().join(NEWEST),
        "UPDATE meta SET value = '2' WHERE key = 'format'",
    );
    let refused = Journal::open(dir.path(), options()).unwrap_err();
    assert!(
        matches!(refused, JournalError::NewerFormat { version: 2, .. }),
        "{refused}"
    );
    assert!(dir.path().join(NEWEST).exists());
}
