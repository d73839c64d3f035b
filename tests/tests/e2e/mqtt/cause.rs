//! A broker that cannot be used is one alarm that names the cause; when it can be used again, what
//! waited goes out and the alarm is over, all by itself.

use super::Broker;
use crate::alarms::raised;
use crate::inside::Inside;
use crate::notify::peer::sign;
use crate::outgoing::{Outgoing, SPEED, morning};
use cems_tests::api::rows;
use cems_tests::city::City;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_expired_is_one_alarm_and_a_new_one_ends_it() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let broker = Broker::new(directory.path());
    sign(directory.path(), "-1");
    let running = broker.start().await;
    let destination = format!(
        "[[destination]]\nid = \"broker\"\nkind = \"mqtt\"\n{}",
        broker.reached()
    );
    let story = Outgoing::start(directory, &destination).await;
    let (words, trouble) = story.alarmed().await;
    assert!(words.contains("certificate is not trusted"), "{words}");
    assert_eq!(trouble["cause"], "certificate", "{trouble}");
    let said = trouble["said"].to_string().to_ascii_lowercase();
    assert!(said.contains("expired"), "{trouble}");

    sign(broker.place(), "2");
    running.kill();
    let _running = broker.start().await;
    story.over().await;
    let (_late, lines) = broker.come_late("cems/shiyan/jia/jia-1/latest/a21026");
    let kept = lines.next("the value that the broker keeps").await;
    assert!(kept.contains(" 1 {") && kept.contains("9.5"), "{kept}");
    story.inside.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_brings_no_readings_is_one_alarm_until_it_is_back() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let broker = Broker::new(directory.path());
    let source = format!(
        "[[mqtt_source]]\nid = \"gateway\"\n{}\
         [[mqtt_source.reading]]\ntopic = \"plant/oxygen\"\noutlet = \"jia-1\"\n\
         factors = {{ a19001 = \"/o2\" }}\n",
        broker.reached()
    );
    City::default().outlet(&source).write(directory.path());
    let inside = Inside::open(directory, morning(), SPEED).await;
    let alarm = raised(&inside.duty, "health.source", |a| a["active"] == true).await;
    let path = format!("/api/v1/alarms/{}", alarm["id"]);
    let detail = inside.duty.get(&path).await.to_string();
    let refused = detail.to_ascii_lowercase().contains("connection refused");
    assert!(detail.contains("source gateway") && refused, "{detail}");

    let _running = broker.start().await;
    raised(&inside.duty, "health.source", |a| a["active"] == false).await;
    let all = inside.duty.get("/api/v1/alarms").await;
    let ours = |a: &&Value| a["kind"] == "health.source";
    assert_eq!(rows(&all).iter().filter(ours).count(), 1, "{all:#}");
    inside.stop().await;
}
