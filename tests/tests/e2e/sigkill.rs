//! What a 9014 promises, tested the hard way.
//!
//! 1. The frames of the standards, manuals and captures go over several connections at once, cut
//!    into chunks of random size, while the answers are counted.
//! 2. At an acknowledgement chosen at random the daemon is killed with SIGKILL.
//! 3. It is started again on the same directory. For every connection the journal must hold a
//!    prefix of what was sent, frame by frame and byte by byte: none lost in between, none twice.
//!    Every answer that arrived must be the answer to a frame of that prefix, in order.
//! 4. The loggers go on behind the last frame that was acknowledged to them, as loggers do.
//! 5. At the end the values are those of a daemon that nobody killed, the hash chain holds, and
//!    projections made anew are the same byte for byte.

use crate::Town;
use cems_daemon::events::{JournalEvent, Verdict};
use cems_daemon::journal::Reader;
use cems_protocols::hj212::{self, CrcStyle, Framer, Limits, Step};
use cems_tests::city::{City, Outlet};
use cems_tests::frames;
use cems_tests::logger::Logger;
use cems_tests::random::Random;
use cems_tests::wait::{SOON, until};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Connections at once.
const LANES: usize = 4;
/// How often each lane sends its frames, so that the kill falls among many commits.
const ROUNDS: usize = 3;
/// Largest chunk of one write, bytes.
const CHUNK_BYTES_MAX: usize = 1_500;
/// How often the whole story is told, each time with other chunks and another moment.
const STORIES: usize = 4;

/// The city in which every logger of the file is known.
fn city() -> City {
    let mns = frames::mns();
    let outlets = mns.iter().enumerate();
    outlets.fold(City::empty(), |city, (index, mn)| {
        city.outlet(&Outlet::gas(&format!("o-{index}"), mn).any_password().text())
    })
}

/// The frames of each lane. One logger stays on one lane, so that its frames keep their order.
fn lanes() -> Vec<Vec<Vec<u8>>> {
    let mut streams = vec![Vec::new(); LANES];
    for _ in 0..ROUNDS {
        for case in frames::cases() {
            let who = frames::mn(&case.frame).unwrap_or_default();
            let lane = who.bytes().map(usize::from).sum::<usize>() % LANES;
            streams[lane].extend(case.bytes());
        }
    }
    streams.iter().map(|stream| cut(stream)).collect()
}

/// The frames in a stream, as the codec finds them: what a capture holds of two frames run into
/// each other is its business, not that of this story.
fn cut(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut framer = Framer::new(Limits::default());
    let mut found = Vec::new();
    // Small pieces: the framer's own buffer is bounded.
    for piece in stream.chunks(1_024) {
        framer.push(piece);
        loop {
            match framer.next() {
                Step::Frame(frame) => found.push(frame.bytes),
                Step::Garbage(_) => {}
                Step::Incomplete => break,
            }
        }
    }
    found
}

/// What a lane knows after its connection ended.
struct Outcome {
    lane: usize,
    peer: String,
    answers: Vec<String>,
}

/// Sends a lane's frames in random chunks and collects the answers until the connection ends, or
/// until `wanted` answers came.
async fn run_lane(
    lane: usize,
    address: SocketAddr,
    frames: Vec<Vec<u8>>,
    mut random: Random,
    tally: Arc<(AtomicUsize, Notify)>,
    wanted: Option<usize>,
) -> Outcome {
    let mut logger = Logger::connect(address).await.expect("the port is open");
    let peer = logger.local_address().expect("connected").to_string();
    let stream = frames.concat();
    let mut rest = stream.as_slice();
    let mut answers = Vec::new();
    let count = |answers: &mut Vec<String>, answer: String| {
        // A frame that asks for the time is followed by a request of the centre's own (1012).
        if !answer.contains("ST=91;") {
            return;
        }
        answers.push(answer);
        tally.0.fetch_add(1, Ordering::Relaxed);
        tally.1.notify_one();
    };
    while !rest.is_empty() {
        let size = random.within(1..CHUNK_BYTES_MAX + 1).min(rest.len());
        let (chunk, after) = rest.split_at(size);
        rest = after;
        if logger.send(chunk).await.is_err() {
            break;
        }
        // Sometimes the answers are read at once, sometimes later.
        if random.within(0..4) == 0 {
            while let Ok(Some(answer)) = logger.answer_within(Duration::from_millis(2)).await {
                count(&mut answers, answer);
            }
        }
    }
    while wanted.is_none_or(|n| answers.len() < n) {
        match logger.answer_within(SOON).await {
            Ok(Some(answer)) => count(&mut answers, answer),
            Ok(None) if wanted.is_none() => break,
            Ok(None) => panic!("lane {lane}: {} answers, then silence", answers.len()),
            Err(_) => break,
        }
    }
    Outcome {
        lane,
        peer,
        answers,
    }
}

/// A frame in the journal, and the answer it was owed.
type Kept = (Vec<u8>, Option<String>);

/// Frames in the journal by connection, in order, with the answer each one was owed.
fn journalled(data: &Path) -> BTreeMap<String, Vec<Kept>> {
    let reader = Reader::open(&data.join("journal")).expect("a journal");
    let mut by_peer: BTreeMap<String, Vec<Kept>> = BTreeMap::new();
    for entry in reader.entries_from(1) {
        let entry = entry.expect("every entry holds");
        let event = JournalEvent::from_line(&entry.body).expect("an event of this version");
        let JournalEvent::Frame {
            peer, verdict, raw, ..
        } = event
        else {
            continue;
        };
        let owed = matches!(verdict, Verdict::Accepted { .. })
            .then(|| answer_to(&raw.0))
            .flatten();
        by_peer
            .entry(peer.to_string())
            .or_default()
            .push((raw.0, owed));
    }
    by_peer
}

/// The answer a frame asks for.
fn answer_to(raw: &[u8]) -> Option<String> {
    let mut framer = Framer::new(Limits::default());
    framer.push(raw);
    loop {
        let step = match framer.next() {
            Step::Incomplete => framer.expire(),
            step => step,
        };
        match step {
            Step::Frame(frame) => {
                let message = hj212::parse(&frame);
                // A logger with a check code of its own is answered with it.
                let answer = hj212::answer_as(&message, CrcStyle::mirror(message.crc))?;
                return Some(String::from_utf8_lossy(&answer.bytes).into_owned());
            }
            Step::Garbage(_) => {}
            Step::Incomplete => return None,
        }
    }
}

/// Values of the projections without where they came from: outlet, kind, start, then JSON.
fn values(data: &Path) -> BTreeMap<(String, String, i64), Value> {
    let path = data.join("projections.db");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let books = Connection::open_with_flags(path, flags).expect("the projections");
    let sql = "SELECT outlet, kind, start, body FROM record";
    let mut statement = books.prepare(sql).expect("the table of records");
    let rows = statement
        .query_map([], |row| {
            let body: String = row.get(3)?;
            Ok(((row.get(0)?, row.get(1)?, row.get(2)?), body))
        })
        .expect("rows");
    rows.map(|row| {
        let (key, body) = row.expect("a row");
        let mut body: Value = serde_json::from_str(&body).expect("JSON");
        let factors = body["v"].as_object_mut().expect("values by factor");
        for value in factors.values_mut().filter_map(Value::as_object_mut) {
            for origin in ["at", "seq", "s"] {
                value.remove(origin);
            }
        }
        (key, body["v"].clone())
    })
    .collect()
}

/// Checks one connection against the journal; gives how many of its frames count as delivered to
/// the logger (up to the last one acknowledged).
fn check(outcome: &Outcome, sent: &[Vec<u8>], kept: &[Kept]) -> usize {
    let lane = outcome.lane;
    assert!(
        kept.len() <= sent.len(),
        "lane {lane}: more frames in the journal than were sent"
    );
    for (index, (raw, _)) in kept.iter().enumerate() {
        assert_eq!(
            String::from_utf8_lossy(raw),
            String::from_utf8_lossy(&sent[index]),
            "lane {lane}: frame {index} of the journal is not frame {index} that was sent"
        );
    }
    let owed: Vec<(usize, &String)> = kept
        .iter()
        .enumerate()
        .filter_map(|(index, (_, owed))| Some((index, owed.as_ref()?)))
        .collect();
    assert!(
        outcome.answers.len() <= owed.len(),
        "lane {lane}: {} frames were acknowledged, the journal holds {}",
        outcome.answers.len(),
        owed.len()
    );
    for (index, (answer, (_, owed))) in outcome.answers.iter().zip(&owed).enumerate() {
        assert_eq!(&answer, owed, "lane {lane}: answer {index}");
    }
    let last = outcome
        .answers
        .len()
        .checked_sub(1)
        .and_then(|last| owed.get(last));
    last.map_or(0, |(index, _)| index + 1)
}

/// Runs all lanes; when `kill_at` is given, kills the daemon at that acknowledgement.
async fn run_lanes(
    town: &mut Town,
    frames: &[Vec<Vec<u8>>],
    random: &mut Random,
    kill_at: Option<usize>,
) -> Vec<Outcome> {
    let tally = Arc::new((AtomicUsize::new(0), Notify::new()));
    let mut running = JoinSet::new();
    for (lane, frames) in frames.iter().enumerate() {
        let wanted = kill_at.is_none().then(|| owed(frames));
        let own = random.child();
        let (address, tally) = (town.daemon.hj212, Arc::clone(&tally));
        running.spawn(run_lane(lane, address, frames.clone(), own, tally, wanted));
    }
    if let Some(kill_at) = kill_at {
        let enough = async {
            while tally.0.load(Ordering::Relaxed) < kill_at {
                tally.1.notified().await;
            }
        };
        let reached = tokio::time::timeout(SOON, enough).await;
        assert!(
            reached.is_ok(),
            "{} of {kill_at} answers",
            tally.0.load(Ordering::Relaxed)
        );
        town.daemon.kill();
    }
    running.join_all().await
}

/// Answers that frames will get when all are accepted that can be.
fn owed(frames: &[Vec<u8>]) -> usize {
    let known = frames::mns();
    let accepted = |raw: &&Vec<u8>| {
        let mut framer = Framer::new(Limits::default());
        framer.push(raw);
        let step = match framer.next() {
            Step::Incomplete => framer.expire(),
            step => step,
        };
        let Step::Frame(frame) = step else {
            return false;
        };
        let message = hj212::parse(&frame);
        let sound = message.crc.is_known();
        sound
            && message
                .header
                .mn
                .as_ref()
                .is_some_and(|mn| known.contains(mn.as_str()))
    };
    frames
        .iter()
        .filter(accepted)
        .filter(|raw| answer_to(raw).is_some())
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_acknowledged_before_a_kill_is_stored_and_nothing_twice() {
    let mut random = Random::of_test("sigkill", 20_261_122);
    let city = city();
    let lanes = lanes();
    let total: usize = lanes.iter().map(|frames| owed(frames)).sum();
    assert!(total > 100, "the frames file asks for answers: {total}");

    let mut calm = Town::start(&city).await;
    let outcomes = run_lanes(&mut calm, &lanes, &mut random, None).await;
    calm.daemon.stop().await;
    let kept = journalled(&calm.data());
    for outcome in &outcomes {
        let delivered = check(outcome, &lanes[outcome.lane], &kept[&outcome.peer]);
        assert!(delivered > 0, "lane {} was answered", outcome.lane);
    }
    let undisturbed = values(&calm.data());
    assert!(!undisturbed.is_empty(), "the frames hold records");

    for story in 0..STORIES {
        // The daemon is ahead of the answers read; later kills would find it done.
        let kill_at = random.within(1..total * 2 / 3);
        cems_tests::wait::say(&format!(
            "sigkill: story {story}: at answer {kill_at} of {total}"
        ));
        let mut town = Town::start(&city).await;
        let outcomes = run_lanes(&mut town, &lanes, &mut random, Some(kill_at)).await;
        let before = journalled(&town.data());
        let kept: usize = before.values().map(Vec::len).sum();
        let all: usize = lanes.iter().map(Vec::len).sum();
        cems_tests::wait::say(&format!(
            "sigkill: {kept} of {all} frames were in the journal"
        ));
        town.restart().await;
        // A start adds its own events and leaves those before alone.
        let after = journalled(&town.data());
        assert_eq!(
            before, after,
            "the restart changed what the journal holds of the connections"
        );
        let mut rest = lanes.clone();
        let nothing = Vec::new();
        for outcome in &outcomes {
            let kept = before.get(&outcome.peer).unwrap_or(&nothing);
            let delivered = check(outcome, &lanes[outcome.lane], kept);
            rest[outcome.lane].drain(..delivered);
        }
        let outcomes = run_lanes(&mut town, &rest, &mut random, None).await;
        until("all that was sent to be stored", async || {
            let kept = journalled(&town.data());
            let missing = outcomes.iter().find(|outcome| {
                let kept = kept.get(&outcome.peer).map_or(0, Vec::len);
                kept < rest[outcome.lane].len()
            });
            missing.map_or(Ok(()), |outcome| Err(outcome.lane))
        })
        .await;
        town.daemon.stop().await;
        let kept = journalled(&town.data());
        for outcome in &outcomes {
            let kept = kept.get(&outcome.peer).unwrap_or(&nothing);
            check(outcome, &rest[outcome.lane], kept);
            assert_eq!(
                kept.len(),
                rest[outcome.lane].len(),
                "lane {}",
                outcome.lane
            );
        }
        assert_eq!(
            values(&town.data()),
            undisturbed,
            "as if nobody had killed it"
        );
        cems_tests::process::assert_books_hold(&town.data());
    }
}
