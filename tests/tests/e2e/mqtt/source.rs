//! Readings come in: a daemon that is killed between receiving and writing loses none and counts
//! none twice; a broker that forgets everything is asked again; what cannot be read stands in
//! quarantine and holds nothing up.

use super::Broker;
use crate::Town;
use cems_daemon::events::{JournalEvent, MqttMessage, Took};
use cems_daemon::journal::Reader;
use cems_tests::api::rows;
use cems_tests::city::City;
use cems_tests::process::assert_books_hold;
use cems_tests::random::Random;
use cems_tests::wait::until;
use std::path::Path;
use tempfile::TempDir;

/// Messages of the story with kills.
const MESSAGES: usize = 1_500;
/// How often the daemon is killed meanwhile.
const KILLS: usize = 4;

/// A city that takes readings of this broker.
fn city(broker: &Broker, directory: &Path) -> std::path::PathBuf {
    let config = City::default().write(directory);
    let mut text = std::fs::read_to_string(&config).expect("just written");
    text.push_str("\n[[mqtt_source]]\nid = \"gateway\"\npayload_bytes_max = 2000\n");
    text.push_str(&broker.reached());
    text.push_str(
        "[[mqtt_source.reading]]\ntopic = \"plant/+/gas\"\noutlet = \"jia-1\"\nas = \"realtime\"\n\
         time = \"$.ts\"\nflag = \"$.state\"\nflags = { ok = \"N\", cal = \"C\" }\n\
         factors = { a21026 = \"$.gas[0].so2\" }\n\
         [[mqtt_source.reading]]\ntopic = \"plant/oxygen\"\noutlet = \"jia-1\"\n\
         [mqtt_source.reading.factors]\na19001 = { path = \"/o2\", multiplier = 100 }\n",
    );
    std::fs::write(&config, text).expect("the directory can be written");
    config
}

/// Message `n`: a value of its own at a second of its own.
fn message(n: usize) -> String {
    let ts = 1_790_000_000 + n;
    format!("{{\"ts\":{ts},\"state\":\"ok\",\"gas\":[{{\"so2\":\"{n}.50\"}}]}}")
}

/// What the journal holds of the source.
pub(super) fn journalled(data: &Path) -> Vec<MqttMessage> {
    let reader = Reader::open(&data.join("journal")).expect("a journal");
    let entries = reader.entries_from(1);
    let event = |body: &[u8]| JournalEvent::from_line(body).expect("an event of this version");
    entries
        .filter_map(|entry| match event(&entry.expect("it holds").body) {
            JournalEvent::Mqtt { message } => Some(*message),
            _ => None,
        })
        .collect()
}

async fn until_journalled(data: &Path, count: usize) -> Vec<MqttMessage> {
    until("messages in the journal", async || {
        let found = journalled(data);
        match found.len() >= count {
            true => Ok(found),
            false => Err(format!("{} of {count}", found.len())),
        }
    })
    .await
}

/// Messages reach nobody before the subscription is there: asks until one has come.
async fn until_subscribed(broker: &Broker, data: &Path) {
    let before = journalled(data).len();
    until("a subscription", async || {
        broker.publish("plant/oxygen", &["{\"o2\":0.06}".to_owned()]);
        (journalled(data).len() > before)
            .then_some(())
            .ok_or("nothing came")
    })
    .await;
}

async fn start() -> (Broker, crate::notify::peer::Peer, Town) {
    let directory: TempDir = tempfile::tempdir().expect("a temporary directory");
    let broker = Broker::new(directory.path());
    let running = broker.start().await;
    let config = city(&broker, directory.path());
    let town = Town::open(directory, config).await;
    until_subscribed(&broker, &town.data()).await;
    (broker, running, town)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_killed_between_receiving_and_writing_loses_nothing_and_doubles_nothing() {
    let mut random = Random::of_test("mqtt-source-kill", 20_261_130);
    let (broker, _running, mut town) = start().await;
    let lines: Vec<String> = (0..MESSAGES).map(message).collect();
    let mut rest = lines.as_slice();
    let data = town.data();
    let ours = |found: &[MqttMessage]| found.iter().filter(|m| m.topic == "plant/1/gas").count();
    for _ in 0..KILLS {
        let (some, after) = rest.split_at(MESSAGES / (KILLS + 1));
        rest = after;
        let before = ours(&journalled(&data));
        let reached = before + random.within(1..some.len() / 2);
        std::thread::scope(|scope| {
            scope.spawn(|| broker.publish("plant/1/gas", some));
            // As near to the middle of the stream as looking from outside can come.
            while ours(&journalled(&data)) < reached {
                std::thread::yield_now();
            }
            town.daemon.kill();
        });
        town.restart().await;
    }
    broker.publish("plant/1/gas", rest);
    until("every message", async || {
        let count = ours(&journalled(&data));
        (count >= MESSAGES)
            .then_some(())
            .ok_or(format!("{count} of {MESSAGES}"))
    })
    .await;
    town.daemon.stop().await;
    let found = journalled(&data);
    let found: Vec<&MqttMessage> = found.iter().filter(|m| m.topic == "plant/1/gas").collect();
    let said: Vec<String> = found
        .iter()
        .map(|message| String::from_utf8_lossy(&message.payload.0).into_owned())
        .collect();
    assert_eq!(said.len(), MESSAGES, "none lost, none twice");
    assert!(said == lines, "in the order published, as published");
    let again = found.iter().filter(|message| message.again).count();
    cems_tests::wait::say(&format!(
        "{again} messages came again before they were journalled"
    ));
    assert_books_hold(&data);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_lost_is_made_anew_and_a_kept_one_has_what_was_missed() {
    let (broker, running, mut town) = start().await;
    let data = town.data();
    // Kept: published while nobody was there.
    town.daemon.stop().await;
    let count = journalled(&data).len();
    broker.publish("plant/1/gas", &[message(1), message(2)]);
    town.restart().await;
    let found = until_journalled(&data, count + 2).await;
    assert_eq!(found.len(), count + 2);
    // Lost: the broker comes back without a memory.
    running.kill();
    let _running = broker.start().await;
    until_subscribed(&broker, &data).await;
    broker.publish("plant/2/gas", &[message(3)]);
    let record = town
        .api
        .until(
            "/api/v1/outlets/jia-1/records?kind=realtime&\
             from=2026-09-21T14:13:00Z&until=2026-09-21T14:15:00Z",
            "three records",
            |list| (rows(list).len() >= 3).then(|| rows(list).to_vec()),
        )
        .await;
    let shown = serde_json::to_string(&record).expect("JSON");
    for value in ["1.50", "2.50", "3.50"] {
        assert!(shown.contains(value), "{value}: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_kept_apart_with_the_reason_and_holds_nothing_up() {
    let (broker, _running, mut town) = start().await;
    let data = town.data();
    let count = journalled(&data).len();
    // The last one is longer than any packet the daemon expects.
    let bad = [
        "no JSON at all".to_owned(),
        "{\"state\":\"ok\"}".to_owned(),
        "{\"ts\":\"yesterday\"}".to_owned(),
        "{\"ts\":1790000000,\"gas\":[]}".to_owned(),
        format!("{{\"ts\":1790000000,\"x\":\"{}\"}}", "x".repeat(3_000)),
        format!("{{\"ts\":1790000000,\"x\":\"{}\"}}", "x".repeat(300_000)),
    ];
    broker.publish("plant/1/gas", &bad);
    broker.publish("plant/1/gas", &[message(7)]);
    let found = until_journalled(&data, count + bad.len() + 1).await;
    let why: Vec<&str> = found[count..]
        .iter()
        .map(|message| match &message.took {
            Took::Refused { why, .. } => why.as_str(),
            _ => "",
        })
        .collect();
    let expected = [
        "no JSON",
        "no time in it",
        "no time: ",
        "none of the factors",
        "3024 bytes, more than 2000",
        "300024 bytes, more than 2000",
        "",
    ];
    for (why, expected) in why.iter().zip(expected) {
        assert!(why.starts_with(expected), "{why} / {expected}");
    }
    let kept = town
        .api
        .until("/api/v1/quarantine", "six refusals", |list| {
            let list = rows(list);
            let ours: Vec<_> = list.iter().filter(|r| r["reason"] == "payload").collect();
            (ours.len() == bad.len()).then(|| list.to_vec())
        })
        .await;
    assert_eq!(kept[0]["peer"], "gateway", "{kept:#?}");
    town.daemon.stop().await;
    assert_books_hold(&data);
}
