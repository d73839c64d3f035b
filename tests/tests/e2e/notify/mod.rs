//! Messages leave the house: through Debian's mosquitto with TLS, through aiosmtpd with STARTTLS,
//! to Prometheus Alertmanager, and to a receiver that fails half the time. What became of each
//! stands in the history of what it was about.

mod alertmanager;
mod mail;
mod mqtt;
pub(crate) mod peer;
mod people;
mod webhook;

use crate::inside::Inside;
use cems_tests::api::{Api, rows};
use cems_tests::city::City;
use cems_tests::time::Moment;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

/// Everything to everyone who listens on a channel.
fn route(channel: &str, more: &str) -> String {
    format!("\n[[route]]\nid = \"all\"\nchannels = [\"{channel}\"]\n{more}\n")
}

/// A city whose settings say this about messages.
fn write_city(directory: &Path, messages: &str) {
    City::default().write(directory);
    let file = directory.join("cemsd.toml");
    let text = std::fs::read_to_string(&file).expect("just written");
    // Top-level keys come before tables.
    let text = format!("notify = [\"notify.toml\"]\n{text}");
    let text = text.replace(
        "[console]\n",
        "[console]\npublic_url = \"https://cems.example\"\n",
    );
    std::fs::write(&file, text).expect("the directory can be written");
    std::fs::write(directory.join("notify.toml"), messages).expect("the same");
}

/// A directory with such a city.
fn city(messages: &str) -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    write_city(directory.path(), messages);
    directory
}

/// Tries a channel; gives nothing back, the message comes by itself.
async fn try_channel(api: &Api, channel: &str) {
    api.post(&format!("/api/v1/channels/{channel}/test"), &json!({}))
        .await;
}

/// Waits until so many messages are in a state; gives them.
async fn in_state(api: &Api, state: &str, count: usize) -> Vec<Value> {
    let path = format!("/api/v1/messages?state={state}");
    api.until(&path, state, |list| {
        let list = rows(list);
        (list.len() >= count).then(|| list.to_vec())
    })
    .await
}

/// Raises an hour over its limit; gives the alarm's number.
async fn exceed(inside: &mut Inside, hour: Moment) -> u64 {
    let over = crate::alarms::minute("80.0");
    inside
        .send_hour(cems_tests::city::GAS_MN, hour, &over)
        .await;
    let alarm = crate::alarms::raised(&inside.duty, "exceedance.hour", |a| a["active"] == true);
    alarm.await["id"].as_u64().expect("a number")
}
