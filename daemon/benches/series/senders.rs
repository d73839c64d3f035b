//! Bodies over HTTP: our sender and `influxdb2`, each in a process of its own so that its processor
//! time is its own.

use crate::rows::Rows;
use crate::sink::{Counted, serve};
use crate::watch::{Watch, cpu, report};
use crate::{BATCH_LINES, fill, share};
use cems_config::{Corrections, InfluxServer};
use cems_daemon::outbox::series::{Batch, Delivered, InfluxSink, Lines, SeriesSink, deliver};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Where Linux tells the processor time of children that have ended.
const CHILDREN: [usize; 2] = [13, 14];
/// Posts of one body, where figures are wanted.
const POSTS: usize = 2_000;

fn sink(address: &str, gzip: bool) -> InfluxSink {
    let server = InfluxServer {
        url: address.into(),
        org: "example".into(),
        bucket: "cems".into(),
        token: None,
        ca: None,
        batch_lines: 5_000,
        gzip,
        corrections: Corrections::Replace,
    };
    InfluxSink::new(&server).unwrap()
}

/// The process that sends with our sender.
pub(crate) fn child(mode: &str, url: &str, body: &str, times: usize) {
    let body = std::fs::read(body).unwrap();
    let sink = sink(url, mode == "gzip");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        for _ in 0..times {
            sink.write(&body).await.unwrap();
        }
    });
}

/// Both senders with the same body.
pub(crate) fn run(rows: &Rows, at_least: Duration) {
    let runtime = Runtime::new().unwrap();
    let (address, counted) = runtime.block_on(serve());
    let url = format!("http://{address}");
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("text");
    let mut lines = 0;
    let mut first = true;
    let mut batch = Batch::default();
    let mut writer = Lines::new(Corrections::Replace);
    fill(&rows.records, &mut writer, &mut batch, |batch| {
        if std::mem::take(&mut first) {
            lines = batch.len();
            std::fs::write(&text, batch.text(0..lines)).unwrap();
        }
    });
    let posts = if at_least.is_zero() { 2 } else { POSTS };
    let send = |name: &str, program: &Path, mode: &str, body: &Path| {
        let before = counted.requests.load(Relaxed);
        let (began, before_cpu) = (Instant::now(), cpu(CHILDREN));
        let status = Command::new(program)
            .args([mode, &url])
            .arg(body)
            .arg(posts.to_string())
            .status();
        assert!(status.unwrap().success(), "{name}");
        assert_eq!(counted.requests.load(Relaxed) - before, posts, "{name}");
        let used = cpu(CHILDREN) - before_cpu;
        report(name, posts * lines, began.elapsed(), used)
    };
    let own = std::env::current_exe().unwrap();
    println!("one connection, bodies of {lines} values made beforehand:");
    let plain = send("  our sender, text", &own, "text", &text);
    let ours = send("  our sender, gzip on the way", &own, "gzip", &text);
    let Some(peer) = std::env::var_os("INFLUXDB2_PEER") else {
        println!("  influxdb2: not measured, INFLUXDB2_PEER names no program");
        return;
    };
    let peer = Path::new(&peer);
    let theirs_plain = send("  influxdb2, text", peer, "text", &text);
    let theirs = send("  influxdb2, gzip on the way", peer, "gzip", &text);
    let points = send(
        "  influxdb2, DataPoint and its stream",
        peer,
        "points",
        &text,
    );
    println!(
        "  ours to influxdb2: text {:.2}, gzip {:.2}; our gzip to its points {:.1}",
        plain / theirs_plain,
        ours / theirs,
        ours / points
    );
}

/// Records to the answer of the server, server included.
pub(crate) fn whole_way(rows: &Rows, tasks: usize, at_least: Duration) {
    let runtime = Runtime::new().unwrap();
    let (address, counted) = runtime.block_on(serve());
    let watch = Arc::new(Watch::start());
    let done = runtime.block_on(async {
        let mut workers = Vec::new();
        for task in 0..tasks {
            let share = share(rows, task, tasks);
            let watch = watch.clone();
            workers.push(tokio::spawn(async move {
                let sink = sink(&format!("http://{address}"), true);
                let mut lines = Lines::new(Corrections::Replace);
                let mut batch = Batch::default();
                let mut values = 0;
                loop {
                    for (owner, row) in &share {
                        assert!(lines.record(0, owner, row, &mut batch).is_empty());
                        if batch.is_full(BATCH_LINES) {
                            values += handed_over(&sink, &mut batch).await;
                        }
                    }
                    values += handed_over(&sink, &mut batch).await;
                    if watch.began.elapsed() >= at_least {
                        return values;
                    }
                }
            }));
        }
        let mut done = 0;
        for worker in workers {
            done += worker.await.unwrap();
        }
        done
    });
    let name = format!("records to answers, {tasks} task(s), with the server");
    watch.say(&name, done);
    check(&counted, address);
}

async fn handed_over(sink: &InfluxSink, batch: &mut Batch) -> usize {
    let Delivered { lines, refused } = deliver(sink, batch).await.unwrap();
    assert!(refused.is_empty());
    batch.clear();
    lines
}

fn check(counted: &Counted, address: SocketAddr) {
    assert!(counted.bytes.load(Relaxed) > 0, "nothing came to {address}");
}
