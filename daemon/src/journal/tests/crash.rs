//! Power cuts: whatever was acknowledged is there once and in order.

use proptest::prelude::*;

use super::*;

/// A history: groups of entries with the minutes that pass before each, and whether the
/// power is cut after it.
fn history() -> impl Strategy<Value = Vec<(usize, i64, bool)>> {
    let group = (
        1_usize..6,
        prop_oneof![4 => 0..90_i64, 1 => 0..4_000_i64],
        any::<bool>(),
    );
    proptest::collection::vec(group, 1..12)
}

/// Each case syncs to disk a dozen times; more cases say little more.
fn cases() -> ProptestConfig {
    ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    /// After each cut the files as they are at that moment (database and write-ahead log,
    /// sealing perhaps half done) are opened anew: every entry acknowledged so far is there,
    /// nothing else is, the chain holds up to the last head, and appending goes on there.
    #[test]
    fn what_was_acknowledged_survives_any_power_cut(groups in history()) {
        let mut dir = tempfile::tempdir().unwrap();
        let mut expected: Vec<Entry> = Vec::new();
        let mut at_ms = MORNING;
        let (mut journal, _) = open(dir.path());
        for (count, minutes, cut) in groups {
            at_ms += minutes * 60_000;
            let first = u64::try_from(expected.len()).unwrap() + 1;
            let drafts: Vec<Draft> =
                (first..).take(count).map(|n| Draft::at(at_ms, body(n))).collect();
            let done = journal.append_many_blocking(drafts.clone()).unwrap();
            for (committed, draft) in done.into_iter().zip(drafts) {
                let Committed { seq, at_ms } = committed;
                expected.push(Entry { seq, at_ms, body: draft.body });
            }
            if cut {
                let head = journal.head();
                let next = tempfile::tempdir().unwrap();
                survives(&journal, dir.path(), next.path());
                let (reopened, opened) = open(next.path());
                prop_assert_eq!(&opened.head, &head);
                prop_assert_eq!(&opened.recovered, &[]);
                journal.close();
                (journal, dir) = (reopened, next);
                prop_assert_eq!(&read(dir.path(), 1), &expected);
                let report = verify(dir.path(), &[head], &mut |_, _| {}).unwrap();
                prop_assert!(report.ok(), "{:?}", report);
            }
        }
        prop_assert_eq!(&read(dir.path(), 1), &expected);
        let middle = u64::try_from(expected.len() / 2).unwrap() + 1;
        prop_assert_eq!(&read(dir.path(), middle)[..], &expected[expected.len() / 2..]);
        journal.close();
        prop_assert!(check(dir.path()).ok());
    }

    /// A torn write-ahead log, cut at any byte: what is left is the beginning of what was
    /// appended, whole commits only, and numbering goes on behind it.
    #[test]
    fn a_torn_log_leaves_a_sound_beginning(cut_permille in 0_u64..1_000, count in 1_u64..30) {
        let dir = tempfile::tempdir().unwrap();
        let (journal, _) = open(dir.path());
        for n in 1..=count {
            let pair = vec![Draft::now(body(n)), Draft::now(body(n))];
            journal.append_many_blocking(pair).unwrap();
        }
        let whole = read(dir.path(), 1);
        let torn = tempfile::tempdir().unwrap();
        snapshot(dir.path(), torn.path());
        journal.close();
        let log = names::beside(&day_file(torn.path(), "2026-05-09"), "-wal");
        let len = fs::metadata(&log).unwrap().len();
        let file = fs::OpenOptions::new().write(true).open(&log).unwrap();
        file.set_len(len * cut_permille / 1_000).unwrap();
        drop(file);

        let (journal, opened) = open(torn.path());
        let left = read(torn.path(), 1);
        prop_assert_eq!(left.len() % 2, 0);
        prop_assert_eq!(&left[..], &whole[..left.len()]);
        prop_assert_eq!(opened.last_seq, u64::try_from(left.len()).unwrap());
        let next = journal.append_blocking(Draft::now(body(0))).unwrap().seq;
        prop_assert_eq!(next, opened.last_seq + 1);
        journal.close();
        prop_assert!(check(torn.path()).ok());
    }
}

/// Copies while the sealer may be exchanging files. A copy is no atomic picture as a power
/// cut is, so it is taken again when the directory changed meanwhile.
fn survives(journal: &Journal, from: &Path, to: &Path) {
    loop {
        let before = (files(from), journal.health().seals_pending);
        for item in fs::read_dir(from).unwrap() {
            let name = item.unwrap().file_name();
            let text = name.to_string_lossy();
            if text != "lock.db" && !text.ends_with("-shm") {
                // Gone meanwhile: the comparison below notices.
                let _ = fs::copy(from.join(&name), to.join(&name));
            }
        }
        let quiet = before.1 == 0 || before == (files(from), journal.health().seals_pending);
        if quiet && files(from) == files(to) {
            return;
        }
        for name in fs::read_dir(to).unwrap() {
            fs::remove_file(name.unwrap().path()).unwrap();
        }
    }
}
