//! How fast data leave, from rows in the books to what the other side has acknowledged: for each
//! kind of destination the log as it comes and a replay of the same period.
//!
//! `cargo bench -p cems-daemon --bench outbox`, with `-- MQTT` only what is called so;
//! `cargo test --benches` does a small city once, for its checks. The other sides are a server that
//! throws away what it gets (in this process, and its processor time counts), VictoriaMetrics and
//! mosquitto where they are installed. A value is one factor of one record: a line with six fields,
//! or a part of a message; of the log a broker gets each factor's last state besides.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at what cannot be")]

mod books;
mod peers;
#[path = "../common/rows.rs"]
mod rows;
#[path = "../common/sink.rs"]
mod sink;
#[path = "../common/watch.rs"]
mod watch;

use books::{Books, SPAN};
use cems_daemon::outbox::{self, OutboxBoard};
use peers::Peer;
use rows::Rows;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use watch::Watch;

/// A destination that has not taken everything by then never will.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two looks at how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A destination that had nothing to do gathers for a second before it looks again.
const AT_REST: Duration = Duration::from_millis(1_200);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let measured = arguments.iter().any(|arg| arg == "--bench");
    let wanted = arguments.iter().find(|arg| !arg.starts_with("--"));
    let (outlets, minutes) = if measured { (200, 300) } else { (4, 5) };
    let rows = Rows::new(outlets, minutes);
    let books = Books::new(outlets, &rows);
    println!(
        "{outlets} outlets, {minutes} minutes, {} factors each: {} values",
        rows::FACTORS,
        rows.values()
    );
    let line = books.line_bytes(&rows);
    println!("{:<46} {line:>12} bytes", "a line of the log");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (address, _) = runtime.block_on(sink::serve());
    for peer in [
        Some(Peer::thrown_away(address)),
        Peer::victoria(),
        Peer::mosquitto(),
    ] {
        match peer {
            Some(peer) if wanted.is_some_and(|part| !peer.name.contains(part.as_str())) => {}
            Some(peer) => runtime.block_on(measure(&books, &rows, &peer)),
            None => println!("a peer is not installed (victoria-metrics, mosquitto)"),
        }
    }
}

/// The log from its beginning, and then the same period again from the rows.
async fn measure(books: &Books, rows: &Rows, peer: &Peer) {
    let (moved, follow) = tokio::sync::watch::channel(0_u64);
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let settings = peer.settings();
    let start = outbox::Start {
        settings: &settings,
        file: &books.outbox(),
        readers: books.readers(),
        registry: books.registry(),
        announce: Box::new(|| {}),
        clock: books.clock(),
    };
    let board = outbox::start(start, follow, &tasks, &stop).unwrap();
    // A new destination begins at the end of the log: it knows it once it has looked.
    until("the destination has begun", || {
        board.status().unwrap()[0].position.is_some()
    })
    .await;
    let at_end = books.log(rows);
    tokio::time::sleep(AT_REST).await;
    let watch = Watch::start();
    moved.send_modify(|n| *n += 1);
    until("the log", || caught_up(&board, at_end)).await;
    watch.say(&format!("{}: the log", peer.name), rows.values());

    let before = board.status().unwrap()[0].standing.delivered;
    tokio::time::sleep(AT_REST).await;
    let watch = Watch::start();
    board.replay(peer.id, SPAN, "bench").unwrap();
    until("the replay", || {
        let replay = &board.status().unwrap()[0].replays[0];
        replay.ended_at.is_some()
    })
    .await;
    watch.say(&format!("{}: a replay", peer.name), rows.values());
    let after = board.status().unwrap()[0].standing.delivered;
    assert_eq!(after - before, u64::try_from(rows.records.len()).unwrap());

    stop.cancel();
    tasks.close();
    tasks.wait().await;
    books.forget();
}

fn caught_up(board: &Arc<OutboxBoard>, end: u64) -> bool {
    let status = &board.status().unwrap()[0];
    status.position.is_some_and(|(seq, _)| seq.0 >= end)
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let ready = async {
        while !tokio::task::block_in_place(&is_so) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let done = tokio::time::timeout(PATIENCE, ready).await;
    assert!(done.is_ok(), "{what}");
}
