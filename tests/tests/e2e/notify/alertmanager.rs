//! Debian's Alertmanager: an alarm is an alert with its labels, and it ends when the alarm is back
//! to normal.

use super::peer::{Peer, free_port, listening};
use super::{city, route};
use crate::inside::Inside;
use cems_tests::city::GAS_MN;
use cems_tests::wait::until;
use serde_json::Value;
use std::process::{Command, Stdio};

async fn alerts(port: u16) -> Vec<Value> {
    let url = format!("http://127.0.0.1:{port}/api/v2/alerts");
    let answer = reqwest::get(&url).await.expect("alertmanager answers");
    let list: Value = answer.json().await.expect("JSON");
    list.as_array().cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_is_an_alert_until_it_is_back_to_normal() {
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}");
    let channel = format!("[[channel]]\nid = \"am\"\nkind = \"alertmanager\"\nurl = \"{url}\"\n");
    let directory = city(&(channel + &route("am", "")));
    let config = directory.path().join("alertmanager.yml");
    std::fs::write(
        &config,
        "route:\n  receiver: none\nreceivers:\n- name: none\n",
    )
    .expect("written");
    let mut command = Command::new("prometheus-alertmanager");
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!(
            "--storage.path={}",
            directory.path().join("am").display()
        ))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=")
        .stdout(Stdio::null());
    let _alertmanager = Peer::start(&mut command);
    listening(port).await;

    // Alertmanager lives in real time.
    let start = cems_tests::time::now();
    let first = start.floor_hour().plus_minutes(-4 * 60);
    let mut inside = Inside::open(directory, start, 1).await;
    let alarm = super::exceed(&mut inside, first).await;
    let alarm = alarm.to_string();
    let of_ours = |alert: &Value| alert["labels"]["alarm"] == alarm.as_str();
    let alert = until("our alert", async || {
        let all = alerts(port).await;
        all.iter().find(|alert| of_ours(alert)).cloned().ok_or(all)
    })
    .await;
    assert_eq!(alert["labels"]["alertname"], "exceedance.hour", "{alert:#}");
    assert_eq!(alert["labels"]["subject"], "jia-1");
    assert_eq!(alert["labels"]["enterprise"], "jia");
    assert_eq!(alert["status"]["state"], "active");
    let summary = alert["annotations"]["summary"].as_str().unwrap_or_default();
    assert!(summary.contains("小时均值超标"), "{alert:#}");
    assert_eq!(
        alert["generatorURL"],
        format!("https://cems.example/alarms/{alarm}")
    );

    let sound = crate::alarms::minute("20.0");
    inside
        .send_hour(GAS_MN, first.plus_minutes(60), &sound)
        .await;
    crate::alarms::raised(&inside.duty, "exceedance.hour", |a| a["active"] == false).await;
    until("the end of our alert", async || {
        let all = alerts(port).await;
        let left: Vec<Value> = all.into_iter().filter(|alert| of_ours(alert)).collect();
        if left.is_empty() { Ok(()) } else { Err(left) }
    })
    .await;
    inside.stop().await;
}
