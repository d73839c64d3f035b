//! A receiver that fails half the time, and one that holds its answer while the daemon is killed.

use super::peer::{Answer, Sink, secret};
use super::{city, in_state, route, try_channel};
use crate::Town;
use crate::inside::Inside;
use cems_tests::api::rows;
use cems_tests::city::{AUDITOR_TOKEN, SUPERVISOR_TOKEN};
use cems_tests::process::assert_books_hold;
use cems_tests::time::Moment;
use cems_tests::wait::until;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

fn channel(sink: &Sink, more: &str) -> String {
    let url = &sink.url;
    let channel = format!(
        "[[channel]]\nid = \"hook\"\nkind = \"webhook\"\nurl = \"{url}\"\n\
         secret_file = \"hook-key\"\n"
    );
    channel + &route("hook", more)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_half_the_time_gets_every_message_once() {
    const MESSAGES: usize = 24;
    let sink = Sink::start(|n| {
        if n % 2 == 0 {
            Answer::Fail
        } else {
            Answer::Take
        }
    })
    .await;
    let directory = city(&channel(&sink, ""));
    secret(&directory.path().join("hook-key"), "hook-key");
    let start = Moment::midnight(2026, 3, 16).plus_minutes(10 * 60 + 5);
    let mut inside = Inside::open(directory, start, 20).await;
    let alarm = super::exceed(&mut inside, start.floor_hour().plus_minutes(-4 * 60)).await;
    let supervisor = inside.api(SUPERVISOR_TOKEN);
    for _ in 1..MESSAGES {
        try_channel(&supervisor, "hook").await;
    }
    let delivered = in_state(&supervisor, "delivered", MESSAGES).await;
    assert_eq!(delivered.len(), MESSAGES);
    let keys: BTreeSet<String> = sink.taken().into_iter().map(|taken| taken.key).collect();
    assert_eq!(keys.len(), MESSAGES);
    assert_eq!(sink.taken().len(), MESSAGES, "none was taken twice");
    assert!(sink.refused() >= MESSAGES - 1, "{}", sink.refused());

    // Who was told when stands in the history of the alarm.
    let path = format!("/api/v1/alarms/{alarm}");
    let told = inside.duty.until(&path, "message.delivered", |detail| {
        let history = detail["history"].as_array()?;
        history
            .iter()
            .find(|row| row["what"] == "message.delivered")
            .cloned()
    });
    let told = told.await;
    let words = told["detail"].as_str().unwrap_or_default();
    assert!(words.contains("by hook to *"), "{told:#}");
    let first = sink
        .taken()
        .into_iter()
        .find(|taken| taken.key.starts_with("alarm-raised/"));
    let body: Value =
        serde_json::from_slice(&first.expect("the alarm was told").body).expect("JSON");
    assert_eq!(body["about"][0]["id"], alarm);
    assert_eq!(
        body["about"][0]["link"],
        format!("https://cems.example/alarms/{alarm}")
    );
    inside.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_under_way_when_the_daemon_is_killed_goes_again_with_the_same_key() {
    // The first request is held for longer than the daemon lives.
    let sink = Sink::start(|n| match n {
        0 => Answer::Hold(Duration::from_secs(600)),
        _ => Answer::Take,
    })
    .await;
    // This daemon lives in real time, in which duties fall due and outlets are silent: nothing goes
    // this way by itself.
    let directory = city(&channel(&sink, "reasons = [\"digest\"]"));
    secret(&directory.path().join("hook-key"), "hook-key");
    let config = directory.path().join("cemsd.toml");
    let mut town = Town::open(directory, config).await;
    let supervisor = town.api_of(SUPERVISOR_TOKEN);
    try_channel(&supervisor, "hook").await;
    let taken = |count: usize| {
        let sink = &sink;
        until("a message at the receiver", async move || {
            let taken = sink.taken();
            if taken.len() >= count {
                Ok(taken)
            } else {
                Err(taken)
            }
        })
    };
    taken(1).await;
    town.daemon.kill();
    town.restart().await;
    let all = taken(2).await;
    assert_eq!(
        all[0].key, all[1].key,
        "the receiver can tell that it is the same"
    );
    let supervisor = town.api_of(SUPERVISOR_TOKEN);
    assert_eq!(in_state(&supervisor, "delivered", 1).await.len(), 1);
    let auditor = town.api_of(AUDITOR_TOKEN);
    auditor
        .until("/api/v1/audit", "the delivery in the audit trail", |list| {
            rows(list)
                .iter()
                .any(|row| row["what"] == "message.delivered")
                .then_some(())
        })
        .await;
    town.daemon.stop().await;
    assert_books_hold(&town.data());
}
