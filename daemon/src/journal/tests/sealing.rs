//! Finished days: sealed, smaller, read-only, the same entries; a crash anywhere is harmless.

use std::sync::atomic::AtomicBool;

use super::*;

#[test]
fn a_sealed_day_reads_the_same_is_smaller_and_read_only() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    let minute = 60_000;
    for n in 0..600 {
        journal
            .append_blocking(Draft::at(MORNING + n * minute, vec![b'a'; 400]))
            .unwrap();
    }
    let before = read(dir.path(), 1);
    // A reader in the middle of the day keeps reading while the file is exchanged.
    let mut entries = Reader::open(dir.path()).unwrap().entries_from(1);
    let begun: Vec<Entry> = entries.by_ref().take(10).map(Result::unwrap).collect();
    let live = day_file(dir.path(), "2026-05-09");
    let live_len = fs::metadata(&live).unwrap().len();
    fill_one_at(&journal, MORNING + 20 * HOUR);
    journal.wait_sealed();
    assert_eq!(journal.health().seal_problem, None);
    assert_eq!(files(dir.path()), ["2026-05-09.sealed.db", "2026-05-10.db"]);
    let sealed = dir.path().join("2026-05-09.sealed.db");
    let data = fs::metadata(&sealed).unwrap();
    assert!(data.permissions().readonly());
    assert!(
        data.len() * 3 < live_len.max(60_000),
        "{} of {live_len}",
        data.len()
    );
    assert_eq!(read(dir.path(), 1)[..600], before);
    assert_eq!(read(dir.path(), 300)[..301], before[299..]);
    let rest: Vec<Entry> = entries.map(Result::unwrap).collect();
    assert_eq!([begun, rest].concat(), read(dir.path(), 1));
    journal.close();
    let report = check(dir.path());
    assert!(report.ok(), "{report:?}");
    assert_eq!((report.files, report.seals, report.entries), (2, 1, 601));
}

fn fill_one_at(journal: &Journal, at_ms: i64) {
    journal.append_blocking(Draft::at(at_ms, body(0))).unwrap();
}

/// Days that were not sealed in time (the daemon was killed) are sealed after the next start.
#[test]
fn unsealed_days_are_sealed_after_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let cut = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    fill(&journal, 1, 3);
    fill(&journal, 4, 80);
    snapshot_unsealed(dir.path(), cut.path());
    journal.close();
    let (journal, opened) = open(cut.path());
    assert_eq!((opened.last_seq, &opened.recovered), (83, &Vec::new()));
    journal.wait_sealed();
    journal.close();
    let names = files(cut.path());
    assert_eq!(
        names.iter().filter(|name| name.contains("sealed")).count(),
        names.len() - 1
    );
    assert!(check(cut.path()).ok());
    assert_eq!(read(cut.path(), 1).len(), 83);
}

/// The same entries in files none of which is sealed.
fn snapshot_unsealed(from: &Path, to: &Path) {
    let entries = read(from, 1);
    let stop = AtomicBool::new(true); // sealing breaks off at once
    let (journal, _) = open(to);
    for entry in entries {
        journal
            .append_blocking(Draft::at(entry.at_ms, entry.body))
            .unwrap();
    }
    journal.wait_sealed();
    journal.close();
    // Take the seals off again: copy each day into a live file.
    for file in names::list(to).unwrap().days {
        if file.sealed {
            let conn = file::open_read(&file.path).unwrap();
            let meta = file::Meta {
                seal: None,
                ..file::read_meta(&conn).unwrap()
            };
            let live = names::DayFile::new(to, file.day, false);
            file::build(&live.path, &meta, &mut |target| {
                for start in file::starts(&conn).0 {
                    file::insert(target, &file::block_at(&conn, start)?.unwrap())?;
                }
                Ok(())
            })
            .unwrap();
            fs::rename(names::beside(&live.path, names::BUILDING), &live.path).unwrap();
            file::remove_with_companions(&file.path);
            assert!(seal::seal(to, &live, &stop).is_err());
            assert!(live.path.exists() && !file.path.exists());
        }
    }
}

/// A crash at each step of sealing: half a copy, the finished copy not yet named, both files
/// there, the live file gone but not its log.
#[test]
fn a_crash_while_sealing_loses_nothing() {
    for step in 0..4 {
        let dir = tempfile::tempdir().unwrap();
        let (journal, _) = open(dir.path());
        fill(&journal, 1, 30);
        journal.close();
        let unsealed = tempfile::tempdir().unwrap();
        snapshot_unsealed(dir.path(), unsealed.path());
        let live = day_file(unsealed.path(), "2026-05-09");
        let sealed = unsealed.path().join("2026-05-09.sealed.db");
        let copy = fs::read(dir.path().join("2026-05-09.sealed.db"))
            .unwrap_or_else(|_| seal_and_read(dir.path()));
        // The copy belongs to another genesis; only its form matters for the first steps.
        match step {
            0 => fs::write(
                names::beside(&sealed, names::BUILDING),
                &copy[..copy.len() / 2],
            ),
            1 => fs::write(names::beside(&sealed, names::BUILDING), &copy),
            _ => {
                let keep = fs::read(&live).unwrap();
                let day = names::list(unsealed.path()).unwrap().days.remove(0);
                seal::seal(unsealed.path(), &day, &AtomicBool::new(false)).unwrap();
                match step {
                    2 => fs::write(&live, keep),
                    _ => fs::write(names::beside(&live, "-wal"), "left over"),
                }
            }
        }
        .unwrap();
        let (journal, opened) = open(unsealed.path());
        assert_eq!(
            (opened.last_seq, &opened.recovered),
            (30, &Vec::new()),
            "step {step}"
        );
        journal.wait_sealed();
        journal.close();
        assert!(check(unsealed.path()).ok(), "step {step}");
        assert_eq!(read(unsealed.path(), 1).len(), 30, "step {step}");
        assert_eq!(
            files(unsealed.path()),
            ["2026-05-09.sealed.db", "2026-05-10.db"]
        );
    }
}

fn seal_and_read(dir: &Path) -> Vec<u8> {
    let (journal, _) = open(dir);
    journal.wait_sealed();
    journal.close();
    fs::read(dir.join("2026-05-09.sealed.db")).unwrap()
}

/// A sealed file that turns out to be rubbish while the live one is still there.
#[test]
fn a_bad_sealed_file_yields_to_the_live_one() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    fill(&journal, 1, 3);
    journal.close();
    fs::write(dir.path().join("2026-05-09.sealed.db"), "rubbish").unwrap();
    let (journal, opened) = open(dir.path());
    assert_eq!(opened.last_seq, 3);
    assert_eq!(opened.recovered.len(), 1);
    journal.close();
    assert_eq!(
        files(dir.path()),
        ["2026-05-09.db", "2026-05-09.sealed.db.damaged-1"]
    );
    assert!(check(dir.path()).ok());
}

/// A damaged day is not sealed; the journal goes on and says why.
#[test]
fn a_damaged_day_is_left_unsealed_and_reported() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    fill(&journal, 1, 3);
    tamper(
        &day_file(dir.path(), "2026-05-09"),
        "DELETE FROM block WHERE first_seq = 2",
    );
    fill(&journal, 4, 20);
    journal.wait_sealed();
    let problem = journal.health().seal_problem.unwrap();
    assert!(
        problem.contains("2026-05-09.db: entries 3 to 3: entry 2 was expected"),
        "{problem}"
    );
    journal.close();
    assert_eq!(files(dir.path()), ["2026-05-09.db", "2026-05-10.db"]);
}
