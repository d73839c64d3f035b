//! `cemsd demo --feed`: what others take from the demo, read back from them; and that they end with
//! it.

use super::{PROMISE, start, stop};
use cems_tests::wait::{until, until_within};
use serde_json::Value;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use tokio::net::TcpStream;

/// The value of a point of this demo in the database; `None` before there is one.
async fn point(http: &reqwest::Client, base: &str) -> Option<String> {
    let flush = http.get(format!("{base}/internal/force_flush"));
    flush.send().await.ok()?;
    let export = http.post(format!("{base}/api/v1/export"));
    let export = export.form(&[("match[]", "cems_value{kind=\"minute\"}")]);
    let text = export.send().await.ok()?.text().await.ok()?;
    let series: Value = serde_json::from_str(text.lines().next()?).ok()?;
    assert!(series["metric"]["outlet"].is_string(), "{series:#}");
    let value = series["values"].as_array()?.first()?;
    Some(value.to_string())
}

/// A message that the broker keeps: topic and content.
fn retained(port: u16) -> Option<(String, Value)> {
    let port = port.to_string();
    let output = Command::new("mosquitto_sub")
        .args(["-h", "127.0.0.1", "-p", &port, "-t", "cems/+/+/+/latest/#"])
        .args(["-C", "1", "-W", "2", "-F", "%r %t %p"])
        .stderr(Stdio::null())
        .output()
        .expect("tests/run installs mosquitto-clients");
    let text = String::from_utf8(output.stdout).ok()?;
    let mut parts = text.trim().splitn(3, ' ');
    let (kept, topic) = (parts.next()?, parts.next()?);
    let content = serde_json::from_str(parts.next()?).ok()?;
    (kept == "1").then(|| (topic.to_owned(), content))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_demo_feeds_is_read_back_and_ends_with_it() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let options = ["--feed", "--history", "2", "--speed", "10"];
    let (mut demo, up) = start(directory.path(), &options).await;
    let feed = &up["feed"];
    assert_eq!(feed["missing"], Value::Array(Vec::new()), "{up:#}");
    let base = feed["series"].as_str().expect("an address").to_owned();
    let series: SocketAddr = base["http://".len()..].parse().expect("an address");
    let broker: SocketAddr = feed["mqtt"]
        .as_str()
        .and_then(|address| address.parse().ok())
        .expect("an address");
    for address in [series, broker] {
        assert!(address.ip().is_loopback(), "{address}");
    }

    let http = reqwest::Client::new();
    let value = until_within(PROMISE, "a point in the database", async || {
        point(&http, &base).await.ok_or("none")
    })
    .await;
    assert!(value.parse::<f64>().is_ok(), "{value}");
    let (topic, content) = until_within(PROMISE, "a message that is kept", async || {
        retained(broker.port()).ok_or("none")
    })
    .await;
    assert!(topic.starts_with("cems/"), "{topic}");
    assert_eq!(content["schema"], 1, "{content:#}");

    let look = feed["series_look"].as_str().expect("an address");
    let page = http.get(look).send().await.expect("the database answers");
    assert!(page.status().is_success(), "{look}: {}", page.status());
    let look = feed["mqtt_look"].as_str().expect("a command");
    let port = broker.port();
    assert!(look.starts_with(&format!("mosquitto_sub -h 127.0.0.1 -p {port} ")));

    stop(&mut demo).await;
    for address in [series, broker] {
        until("its program to be gone", async || {
            let there = TcpStream::connect(address).await;
            there.map_or(Ok(()), |_| Err(address))
        })
        .await;
    }
    for file in ["feed/series/books", "feed/mqtt/mosquitto.conf"] {
        let file = directory.path().join("data").join(file);
        assert!(file.exists(), "{}", file.display());
    }
}

/// Without the switch nothing is started and nothing goes out; killed, the demo takes its programs
/// with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_is_killed_leaves_no_program_behind() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let options = ["--history", "2"];
    let (mut demo, up) = start(directory.path(), &options).await;
    assert_eq!(up["feed"], Value::Null);
    assert!(!directory.path().join("data/feed").exists());
    stop(&mut demo).await;

    let (demo, up) = start(directory.path(), &["--feed"]).await;
    let address = up["feed"]["mqtt"].as_str().expect("an address").to_owned();
    assert!(TcpStream::connect(&address).await.is_ok());
    // It is killed when it is dropped.
    drop(demo);
    until("the broker to be gone", async || {
        let there = TcpStream::connect(&address).await;
        there.map_or(Ok(()), |_| Err("it listens"))
    })
    .await;
}
