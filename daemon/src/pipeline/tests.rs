//! The same journal gives the same projections, however it was cut into batches, however often
//! the daemon died in between, and whatever the store did meanwhile.

use super::{Pipeline, empty_registry};
use crate::events::{JournalEvent, Raw, Verdict};
use crate::intake::Interpreter;
use crate::journal::{Draft, Entry, Journal, Options, Reader};
use crate::store::{SqliteStore, canonicalise};
use cems_core::model::time::{HOUR_MS, MINUTE_MS};
use cems_core::model::{Registry, Seq, Timestamp};
use cems_protocols::hj212::{BuildOptions, Edition, FrameBuilder, Item};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

const SITE: &str = r#"
[[region]]
id = "shili"
name = "示例市"
[[enterprise]]
id = "jia"
name = "甲电厂"
region = "shili"
[[outlet]]
id = "jia-1"
enterprise = "jia"
name = "1号排口"
medium = "gas"
mn = "EXAMPLE0000001"
any_password = true
profile = "hj75-2017"
permit = "示例-0001"
auxiliary = ["a01011", "a01012", "a01013", "a01014", "a19001"]
gas = { area_m2 = 20, reference_o2_pct = 6 }
factor = [{ code = "a21026", range = 500, limit_hour = 35 }]
expect = { minute_min = 1 }
"#;

/// 2026-11-22T00:00:00+08:00.
const MIDNIGHT: Timestamp = Timestamp(1_795_276_800_000);

fn registry() -> Registry {
    cems_config::load_str(&[("cemsd.toml", SITE)])
        .expect("the site of the test is sound")
        .registry
}

fn minute(start: Timestamp, so2: &str) -> JournalEvent {
    let local = registry()
        .offset
        .local(start)
        .format("%Y%m%d%H%M%S")
        .to_string();
    let value = |code: &str, avg: &str| Item::factor(code, &[("Avg", avg), ("Flag", "N")]);
    let raw = FrameBuilder::new(Edition::V2017, "31", "2051")
        .qn(&format!("{local}000"))
        .pw("1")
        .mn("EXAMPLE0000001")
        .data_time(&local)
        .items([
            value("a21026", so2),
            value("a19001", "7.0"),
            value("a01011", "11"),
        ])
        .items([
            value("a01012", "85"),
            value("a01013", "-0.2"),
            value("a01014", "12"),
        ])
        .build(&BuildOptions::default())
        .expect("frames of the test are legal");
    let verdict = Verdict::Accepted {
        outlet: "jia-1".into(),
    };
    JournalEvent::frame("192.0.2.1:4000", verdict, raw)
}

/// Four hours of minutes, the third over the limit, with a stranger and a silence at the end.
fn write_journal(dir: &Path) -> u64 {
    let (journal, _) = Journal::open(dir, Options::new(Arc::new(|| MIDNIGHT.0))).expect("opens");
    let mut drafts = Vec::new();
    let mut say = |at: Timestamp, event: &JournalEvent| {
        drafts.push(Draft::at(at.0, event.to_line()));
    };
    let registry = Arc::new(registry());
    say(
        MIDNIGHT,
        &JournalEvent::Registry {
            files_sha256: "0".into(),
            registry,
        },
    );
    for n in 0..240 {
        let start = MIDNIGHT.plus_ms(n * MINUTE_MS);
        let so2 = if (120..180).contains(&n) {
            "48.5"
        } else {
            "20.25"
        };
        say(start.plus_ms(MINUTE_MS + 2_000), &minute(start, so2));
        if n == 77 {
            let raw = Raw(b"GET / HTTP/1.1\r\n".to_vec());
            let peer = "192.0.2.9:1".into();
            say(
                start.plus_ms(MINUTE_MS + 3_000),
                &JournalEvent::Garbage {
                    peer,
                    bytes: 16,
                    raw,
                },
            );
        }
    }
    say(MIDNIGHT.plus_ms(8 * HOUR_MS), &JournalEvent::Tick);
    let all = journal.append_many_blocking(drafts).expect("commits");
    journal.close();
    all.last().expect("there are entries").seq
}

fn pipeline(journal: &Path, store: &Path) -> Pipeline<SqliteStore> {
    let store = SqliteStore::open(store).expect("opens").store;
    let stop = Arc::new(AtomicBool::new(false));
    Pipeline::new(store, journal.to_owned(), Interpreter, stop).expect("restores")
}

fn bytes(store: &Path) -> Vec<u8> {
    let canonical = store.with_extension("canonical");
    canonicalise(store, &canonical).expect("canonical form");
    std::fs::read(canonical).expect("reads")
}

struct World {
    dir: TempDir,
    last: u64,
    straight: Vec<u8>,
}

fn world() -> World {
    let dir = TempDir::new().expect("a directory");
    let last = write_journal(&dir.path().join("journal"));
    let store = dir.path().join("straight.db");
    let mut straight = pipeline(&dir.path().join("journal"), &store);
    straight.catch_up(&mut |_| {}).expect("catches up");
    assert_eq!(straight.position().seq, Seq(last));
    drop(straight);
    let straight = bytes(&store);
    World {
        dir,
        last,
        straight,
    }
}

impl World {
    fn journal(&self) -> PathBuf {
        self.dir.path().join("journal")
    }

    fn entries(&self) -> Vec<Entry> {
        let reader = Reader::open(&self.journal()).expect("opens");
        reader
            .entries_from(1)
            .collect::<Result<_, _>>()
            .expect("reads")
    }
}

#[test]
fn an_empty_registry_knows_nothing() {
    assert!(empty_registry().outlets.is_empty());
}

#[test]
fn the_story_is_in_the_projections() {
    let world = world();
    let store = SqliteStore::open(&world.dir.path().join("straight.db"))
        .expect("opens")
        .store;
    let queries = store.queries();
    let alarms = queries.alarms(&crate::store::AlarmFilter {
        limit: 10,
        ..Default::default()
    });
    let kinds: Vec<_> = alarms
        .expect("reads")
        .iter()
        .map(|alarm| alarm.kind.as_str())
        .collect();
    assert!(kinds.contains(&"exceedance.hour"), "{kinds:?}");
    assert!(kinds.contains(&"data.none"), "{kinds:?}");
    assert_eq!(queries.quarantine(10).expect("reads").len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Batches of any size, a restart after any of them, and hand-overs that repeat or skip what
    /// the store has or lacks, end in the same bytes.
    #[test]
    fn batches_restarts_and_repeats_change_nothing(
        cuts in prop::collection::vec((1usize..90, any::<bool>(), 0usize..5, any::<bool>()), 1..8),
    ) {
        let world = world();
        let entries = world.entries();
        let store = world.dir.path().join("cut.db");
        let mut running = pipeline(&world.journal(), &store);
        let mut done = 0;
        for (size, restart, repeat, skip) in cuts {
            let end = (done + size).min(entries.len());
            // A gap makes the pipeline read what it lacks from the files.
            let begin = if skip { end.saturating_sub(1) } else { done.saturating_sub(repeat) };
            running.take(&entries[begin..end]);
            done = done.max(usize::try_from(running.position().seq.0).expect("fits"));
            if restart {
                drop(running);
                running = pipeline(&world.journal(), &store);
            }
        }
        running.catch_up(&mut |_| {}).expect("catches up");
        prop_assert_eq!(running.position().seq, Seq(world.last));
        drop(running);
        prop_assert!(bytes(&store) == world.straight, "the projections differ");
    }
}
