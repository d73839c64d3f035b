//! A full disk: acknowledgements stop, `/readyz` says why, and everything goes on by itself when
//! there is room again. The disk is a real small file system in a mount namespace of the daemon's
//! own, so no fault is simulated.

use crate::Town;
use cems_daemon::events::{JournalEvent, Raw, Verdict};
use cems_daemon::journal::Reader;
use cems_tests::api::Api;
use cems_tests::city::{City, DUTY_TOKEN, GAS_MN};
use cems_tests::logger::{Frame, Logger};
use cems_tests::process::{Daemon, assert_books_hold, cemsd};
use cems_tests::skip::skipped;
use cems_tests::time::{Moment, now};
use cems_tests::wait::{SOON, until};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Size of the disk: room for the empty books several times over.
const DISK: &str = "size=24m";
/// Frames sent at most until the disk must have been noticed. Files that have room of their own
/// take some more; each frame is about 200 bytes in the journal.
const FRAMES_MAX: usize = 20_000;
/// Silence after which the acknowledgements count as stopped. Far above any commit.
const SILENCE: Duration = Duration::from_secs(5);

/// Mounts the disk, runs the daemon on it, and copies the data to where they outlive the disk.
const SCRIPT: &str = r#"
mount -t tmpfs -o "$4",mode=0700 cems "$3" || exit 77
setpriv --pdeathsig KILL "$1" run --config "$2" &
daemon=$!
trap 'kill -TERM $daemon' TERM
wait $daemon; code=$?
if [ $code -gt 128 ]; then wait $daemon; code=$?; fi
cp -a "$3" "$5"
exit $code
"#;

/// The way to a mount namespace of one's own, as root or as a user that may have one.
fn own_namespace() -> Command {
    let mut command = Command::new("unshare");
    let id = Command::new("id")
        .arg("-u")
        .output()
        .map(|output| output.stdout);
    if !id.is_ok_and(|id| id.starts_with(b"0\n")) {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--mount", "sh", "-c"]);
    command
}

/// Whether this machine lets us mount.
fn may_mount(at: &Path) -> bool {
    let mut probe = own_namespace();
    probe
        .arg("mount -t tmpfs -o size=1m cems \"$0\" && command -v setpriv")
        .arg(at);
    probe.output().is_ok_and(|output| output.status.success())
}

fn frame(start: Moment, index: usize) -> String {
    let at = Moment(start.0 + i64::try_from(index).expect("thousands") * 1_000);
    let cp = format!(
        "DataTime={};a21026-Rtd={}.5,a21026-Flag=N",
        at.digits(),
        index % 100
    );
    Frame::new(GAS_MN, "2011", &cp).text()
}

/// Fills what is left of the disk.
fn fill(disk: &Path) -> PathBuf {
    let path = disk.join("filler");
    let mut file = File::create(&path).expect("there is room yet");
    let mut size = 1 << 20;
    while size > 0 {
        match file.write(&vec![0x55; size]) {
            Ok(n) if n > 0 => {}
            _ => size /= 2,
        }
    }
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_acknowledgements_says_so_and_is_forgiven() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let copy = directory.path().join("copy");
    std::fs::create_dir(&data).expect("a mount point");
    if !may_mount(&data) {
        skipped("fulldisk", "this machine lets us mount no file system");
        return;
    }
    let config = City::default().write(directory.path());
    let mut command = own_namespace();
    command
        .args([SCRIPT, "sh"])
        .arg(cemsd())
        .arg(&config)
        .arg(&data)
        .arg(DISK)
        .arg(&copy);
    let daemon = Daemon::start_command(command, directory.path().join("cemsd.log")).await;
    let api = Api::new(daemon.console, DUTY_TOKEN);
    let mut town = Town {
        directory,
        config,
        daemon,
        api,
    };
    // The disk as the daemon sees it.
    let disk = PathBuf::from(format!("/proc/{}/root", town.daemon.id()))
        .join(data.strip_prefix("/").expect("absolute"));
    let mut logger = Logger::connect(town.daemon.hj212)
        .await
        .expect("the port is open");
    let start = now().plus_minutes(-12 * 60);
    let mut sent = 0;
    for _ in 0..20 {
        logger.send(frame(start, sent)).await.expect("sent");
        sent += 1;
        logger.answer().await;
    }
    assert_eq!(town.api.try_get("/readyz").await.0.as_u16(), 200);

    let filler = fill(&disk);
    let mut acknowledged = sent;
    loop {
        assert!(
            sent < FRAMES_MAX,
            "the disk is full, and {sent} frames were acknowledged"
        );
        logger.send(frame(start, sent)).await.expect("sent");
        sent += 1;
        match logger
            .answer_within(SILENCE)
            .await
            .expect("the connection stays open")
        {
            Some(_) => acknowledged += 1,
            None => break,
        }
    }
    assert_eq!(
        sent,
        acknowledged + 1,
        "the last frame waits for its answer"
    );
    let url = format!("http://{}/readyz", town.daemon.console);
    let why = until("/readyz to say no", async || {
        let answer = reqwest::get(&url)
            .await
            .map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap_or_default();
        if status == 503 {
            Ok(text)
        } else {
            Err(format!("{status}: {text}"))
        }
    })
    .await;
    let why = why.to_lowercase();
    assert!(
        why.contains("full") || why.contains("space"),
        "/readyz says why: {why}"
    );
    let health = town.api.get("/api/v1/health").await;
    assert_eq!(health["ready"], false, "{health:#}");
    // A connection more waits as well; it is neither refused nor lied to.
    let mut other = Logger::connect(town.daemon.hj212)
        .await
        .expect("the port is open");
    other.send(frame(start, sent)).await.expect("sent");
    sent += 1;
    let early = other
        .answer_within(Duration::from_millis(500))
        .await
        .expect("it stays open");
    assert_eq!(early, None, "acknowledged on a full disk");

    std::fs::remove_file(&filler).expect("the filler can go");
    let answer = logger
        .answer_within(SOON)
        .await
        .expect("the connection is still open");
    assert!(
        answer.is_some(),
        "the frame that waited is acknowledged when there is room"
    );
    assert!(other.answer().await.contains("CN=9014;"));
    until("/readyz to say yes", async || {
        let (status, body) = town.api.try_get("/readyz").await;
        if status.is_success() {
            Ok(())
        } else {
            Err(body)
        }
    })
    .await;
    for _ in 0..20 {
        logger.send(frame(start, sent)).await.expect("sent");
        sent += 1;
        logger.answer().await;
    }
    let path = "/api/v1/outlets/jia-1";
    let frames = sent;
    town.api
        .until(path, "all frames", |o| {
            (o["device"]["frames"] == frames).then_some(())
        })
        .await;
    assert!(town.daemon.stop().await.success(), "an orderly stop");

    let kept = accepted(&copy);
    let expected: Vec<Vec<u8>> = (0..sent)
        .map(|index| frame(start, index).into_bytes())
        .collect();
    assert!(kept == expected, "{} frames kept, {sent} sent", kept.len());
    assert_books_hold(&copy);
}

/// Accepted frames in the journal, in order.
fn accepted(data: &Path) -> Vec<Vec<u8>> {
    let reader = Reader::open(&data.join("journal")).expect("a journal");
    let events = reader.entries_from(1).map(|entry| {
        let entry = entry.expect("every entry holds");
        JournalEvent::from_line(&entry.body).expect("an event of this version")
    });
    events
        .filter_map(|event| match event {
            JournalEvent::Frame {
                verdict: Verdict::Accepted { .. },
                raw: Raw(bytes),
                ..
            } => Some(bytes),
            _ => None,
        })
        .collect()
}
