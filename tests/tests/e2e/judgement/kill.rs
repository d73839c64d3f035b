//! The daemon is killed while marks are being entered. Each one that was confirmed is in the
//! books with its file; none is there twice.

use super::{base64, mark};
use crate::Town;
use cems_tests::api::{Api, rows};
use cems_tests::city::{AUDITOR_TOKEN, City, JIA_TOKEN};
use cems_tests::process::assert_books_hold;
use cems_tests::random::Random;
use cems_tests::time::now;
use reqwest::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Programs that enter marks at once.
const HANDS: usize = 4;
/// The kill falls when so many were confirmed, or up to as many more.
const CONFIRMED_MIN: usize = 8;

/// What a mark's file holds: large enough for the kill to fall into its way to the disk.
fn content(hand: usize, number: usize) -> Vec<u8> {
    format!("{hand}/{number} ").into_bytes().repeat(20_000)
}

/// Enters marks until the daemon is gone; gives the confirmed ones by position.
async fn enter(
    url: String,
    hand: usize,
    tally: Arc<(AtomicUsize, Notify)>,
) -> BTreeMap<u64, String> {
    let client = Client::new();
    let mut confirmed = BTreeMap::new();
    let from = now().floor_hour().plus_minutes(-24 * 60);
    for number in 0.. {
        let name = format!("{hand}-{number}.txt");
        let file = json!({"name": name, "content_base64": base64(&content(hand, number))});
        let body = mark("jia-1", from, from.plus_minutes(60), &[file]);
        let sent = client.post(&url).bearer_auth(JIA_TOKEN).json(&body).send();
        let Ok(answer) = sent.await else { break };
        let status = answer.status();
        let Ok(receipt) = answer.json::<Value>().await else {
            break;
        };
        assert!(status.is_success(), "{receipt:#}");
        confirmed.insert(receipt["seq"].as_u64().expect("a position"), name);
        tally.0.fetch_add(1, Ordering::SeqCst);
        tally.1.notify_one();
    }
    confirmed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_mark_and_its_file_survive_sigkill() {
    let mut town = Town::start(&City::default()).await;
    let mut random = Random::of_test("judgement::kill", 7);
    let wanted = CONFIRMED_MIN + random.within(0..CONFIRMED_MIN);
    let tally = Arc::new((AtomicUsize::new(0), Notify::new()));
    let url = format!("http://{}/api/v1/marks", town.daemon.console);
    let mut hands = JoinSet::new();
    for hand in 0..HANDS {
        hands.spawn(enter(url.clone(), hand, Arc::clone(&tally)));
    }
    while tally.0.load(Ordering::SeqCst) < wanted {
        tally.1.notified().await;
    }
    town.daemon.kill();
    let mut confirmed = BTreeMap::new();
    for of_hand in hands.join_all().await {
        confirmed.extend(of_hand);
    }
    assert!(confirmed.len() >= wanted);

    town.restart().await;
    let auditor = Api::new(town.daemon.console, AUDITOR_TOKEN);
    let list = auditor.get("/api/v1/outlets/jia-1/marks").await;
    let mut kept: BTreeMap<u64, String> = BTreeMap::new();
    for row in rows(&list) {
        let attachment = &row["attachments"][0];
        let name = attachment["name"].as_str().expect("a name").to_owned();
        let sha256 = attachment["sha256"].as_str().expect("a hash");
        let path = format!("/api/v1/outlets/jia-1/attachments/{sha256}");
        let (hand, number) = name.trim_end_matches(".txt").split_once('-').expect("ours");
        let (hand, number) = (hand.parse().expect("ours"), number.parse().expect("ours"));
        assert!(
            auditor.bytes(&path).await == content(hand, number),
            "{name}"
        );
        kept.insert(row["id"].as_u64().expect("a position"), name);
    }
    let lost: Vec<_> = confirmed
        .iter()
        .filter(|(id, name)| kept.get(id) != Some(name))
        .collect();
    assert!(lost.is_empty(), "confirmed and lost: {lost:?}");
    // At most one of each hand was on its way.
    assert!(kept.len() <= confirmed.len() + HANDS, "{list:#}");
    let names: std::collections::BTreeSet<&String> = kept.values().collect();
    assert_eq!(names.len(), kept.len(), "twice: {list:#}");

    assert!(town.daemon.stop().await.success());
    assert_books_hold(&town.data());
}
