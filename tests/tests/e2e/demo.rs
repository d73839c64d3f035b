//! `cemsd demo`: the first command of the README. On a machine that has done nothing before, the
//! four situations are on the screen within two minutes; what is kept afterwards holds.

mod feed;

use cems_tests::api::{Api, rows};
use cems_tests::process::{assert_books_hold, cemsd, run};
use cems_tests::wait::{until, until_within};
use serde_json::Value;
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What the README promises, from the moment the demo says that it is up.
const PROMISE: Duration = Duration::from_secs(120);
/// Longest wait for weeks of history to be written; seconds in a release build.
const START: Duration = Duration::from_secs(300);

/// A running demo; it ends when dropped.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it with these options and gives what it says to scripts.
async fn start(directory: &Path, options: &[&str]) -> (Demo, Value) {
    let (out, err) = (directory.join("stdout"), directory.join("stderr"));
    let child = Command::new(cemsd())
        .args([
            "demo",
            "--json",
            "--port",
            "0",
            "--hj212-port",
            "0",
            "--data",
        ])
        .arg(directory.join("data"))
        .args(options)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(File::create(&out).expect("a file"))
        .stderr(File::create(&err).expect("a file"))
        .spawn()
        .expect("cemsd starts");
    let mut demo = Demo(child);
    let up = until_within(START, "the demo to be up", async || {
        let text = std::fs::read_to_string(&out).unwrap_or_default();
        let said = std::fs::read_to_string(&err).unwrap_or_default();
        let ended = demo.0.try_wait().expect("our own child");
        assert!(ended.is_none(), "the demo ended: {ended:?}: {said}");
        serde_json::from_str::<Value>(text.trim()).map_err(|_| said)
    })
    .await;
    (demo, up)
}

/// Ends it in order.
async fn stop(demo: &mut Demo) {
    let id = demo.0.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &id]).status();
    assert!(sent.is_ok_and(|status| status.success()));
    let ended = until("the end of the demo", async || {
        demo.0.try_wait().expect("our own child").ok_or("it runs")
    })
    .await;
    assert!(ended.success(), "{ended:?}");
}

async fn log_in(up: &Value, role: &str) -> Api {
    let login = rows(&up["logins"])
        .iter()
        .find(|login| login["role"] == role);
    let login = login.unwrap_or_else(|| panic!("one log-in per role: {up:#}"));
    let console = up["console"]
        .as_str()
        .and_then(|url| url.strip_prefix("http://"));
    let console: SocketAddr = console.expect("an address").parse().expect("an address");
    let text = |field: &str| login[field].as_str().expect("a text");
    Api::log_in(console, text("user"), text("password")).await
}

/// The situations that are not there yet.
fn missing(overview: &Value) -> Vec<&'static str> {
    let any = |list: &str, found: &dyn Fn(&Value) -> bool| {
        overview[list]
            .as_array()
            .is_some_and(|rows| rows.iter().any(found))
    };
    let alarm = |kind: &str| any("alarms", &|a| a["kind"] == kind && a["active"] == true);
    let share = |row: &Value| -> Option<f64> { row["share_pct"].as_str()?.parse().ok() };
    let near = |row: &Value| share(row).is_some_and(|pct| (80.0..100.0).contains(&pct));
    let state = |state: &str| any("outlets", &|outlet| outlet["state"] == state);
    let situations = [
        (
            "an exceedance",
            alarm("exceedance.hour") && state("exceeding"),
        ),
        ("a silent outlet", alarm("data.none") && state("silent")),
        (
            "a fallback with an overdue report",
            any("fallbacks", &|f| !f["overdue_since"].is_null()) && alarm("fallback.overdue"),
        ),
        (
            "a total near its permit",
            any("amounts", &near) && alarm("amount.warning"),
        ),
    ];
    situations
        .iter()
        .filter(|(_, there)| !there)
        .map(|(name, _)| *name)
        .collect()
}

/// What people entered in the past weeks, and what came of it.
async fn judged(supervisor: &Api) {
    let outlet = "/api/v1/outlets/boli-1";
    let list = supervisor.get(&format!("{outlet}/marks")).await;
    let marks: Vec<_> = rows(&list)
        .iter()
        .map(|mark| (mark["late"] == true, mark["counts"] == true))
        .collect();
    assert_eq!(marks.len(), 2, "{list:#}");
    assert!(marks.contains(&(false, true)) && marks.contains(&(true, false)));
    let list = supervisor.get(&format!("{outlet}/tests")).await;
    let outcome = |wanted: &str| rows(&list).iter().any(|test| test["outcome"] == wanted);
    assert!(outcome("passed") && outcome("failed"), "{list:#}");
    let list = supervisor.get(&format!("{outlet}/reviews")).await;
    let review = &rows(&list)[0];
    assert_eq!(review["passed"], true, "{list:#}");
    let sha256 = review["steps"][0]["attachments"][0]["sha256"].as_str();
    let path = format!("{outlet}/attachments/{}", sha256.expect("a hash"));
    assert!(!supervisor.bytes(&path).await.is_empty());

    let list = supervisor.get(&format!("{outlet}/quarters")).await;
    let mut gaps = Vec::new();
    for quarter in rows(&list) {
        gaps.extend(rows(&quarter["factors"]["a21002"]["gaps"]).to_vec());
    }
    let out = gaps.iter().any(|gap| gap["why"] == "out-of-control");
    assert!(out, "hours out of control: {gaps:#?}");
    let list = supervisor.get("/api/v1/projections").await;
    let whole = rows(&list)
        .iter()
        .any(|row| row["enterprise"] == "redian" && row["outlet"].is_null());
    assert!(whole, "an amount of an enterprise as a whole: {list:#}");
}

/// The year of the past computed again is the one in the books.
fn assert_year_stands(data: &Path) {
    let year = chrono::DateTime::from_timestamp_millis(cems_tests::time::now().0);
    let year = year.expect("a time").format("%Y").to_string();
    let data = data.to_str().expect("a plain name");
    let command = ["recompute", "--year", &year, "--json", "--data", data];
    let output = run(&command, b"");
    let text = String::from_utf8_lossy(&output.stdout);
    let report: Value = serde_json::from_str(&text).unwrap_or_default();
    assert!(output.status.success(), "cemsd recompute: {report:#}");
    assert_eq!(report["differences"], 0, "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn four_situations_are_on_the_screen_and_the_books_hold_afterwards() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (mut demo, up) = start(directory.path(), &[]).await;
    let duty = log_in(&up, "duty-officer").await;
    until_within(PROMISE, "the four situations", async || {
        let missing = missing(&duty.get("/api/v1/overview").await);
        if missing.is_empty() {
            Ok(())
        } else {
            Err(missing)
        }
    })
    .await;

    // A dozen loggers of all editions are at work, and each of them is taken.
    let overview = duty.get("/api/v1/overview").await;
    let outlets = rows(&overview["outlets"]);
    assert!(outlets.len() >= 12, "{} outlets", outlets.len());
    let mut editions = std::collections::BTreeSet::new();
    for outlet in outlets {
        let id = outlet["id"].as_str().expect("an identity");
        let detail = duty.get(&format!("/api/v1/outlets/{id}")).await;
        editions.extend(detail["device"]["edition"].as_str().map(str::to_owned));
    }
    for edition in ["2005", "2017", "2025"] {
        assert!(
            editions.contains(edition),
            "nobody speaks {edition}: {editions:?}"
        );
    }

    judged(&log_in(&up, "supervisor").await).await;

    // Only a station that is cemsd itself enciphers: what the instruments say has come all the way,
    // polled over Modbus, formed, enciphered, uploaded and opened.
    duty.until(
        "/api/v1/outlets/fenshao-1",
        "an enciphered frame",
        |outlet| (outlet["device"]["habits"]["encryption"] == "raw").then_some(()),
    )
    .await;

    stop(&mut demo).await;
    let data = directory.path().join("data");
    assert_books_hold(&data);
    assert_year_stands(&data);
    for station in ["fenshao", "gongre", "redian", "xishui"] {
        assert_books_hold(&data.join("stations").join(station));
    }
}
