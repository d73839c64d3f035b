//! A broker that cannot be used is one alarm that names the cause; when it can be used again, what
//! waited goes out and the alarm is over, all by itself.

use super::Broker;
use crate::alarms::raised;
use crate::inside::Inside;
use crate::notify::peer::sign;
use cems_tests::api::{Api, rows};
use cems_tests::city::{City, GAS_MN, SUPERVISOR_TOKEN};
use cems_tests::time::Moment;
use cems_tests::wait::until;
use serde_json::Value;

/// Simulated seconds in a second: what a logger sends must come within half an hour to be the
/// latest value.
const SPEED: u32 = 60;

async fn status(supervisor: &Api) -> Value {
    rows(&supervisor.get("/api/v1/destinations").await)[0].clone()
}

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
    let city = City::default().outlet(&destination);
    city.write(directory.path());
    let start = Moment::midnight(2026, 3, 16).plus_minutes(10 * 60 + 5);
    let first = start.plus_minutes(-10);
    let mut inside = Inside::open(directory, start, SPEED).await;
    let supervisor = inside.api(SUPERVISOR_TOKEN);
    let minutes: Vec<(Moment, String)> = (0..10)
        .map(|n| {
            let fields = format!("a21026-Avg={n}.5,a21026-Min=0,a21026-Max=50,a21026-Flag=N");
            (first.plus_minutes(n), fields)
        })
        .collect();
    inside.send_many(GAS_MN, "2051", &minutes).await;

    let alarm = raised(&inside.duty, "health.outbox", |a| a["active"] == true).await;
    let path = format!("/api/v1/alarms/{}", alarm["id"]);
    let detail = inside.duty.get(&path).await.to_string();
    assert!(detail.contains("certificate is not trusted"), "{detail}");
    let trouble = status(&supervisor).await["trouble"].clone();
    assert_eq!(trouble["cause"], "certificate", "{trouble}");
    let said = trouble["said"].to_string().to_ascii_lowercase();
    assert!(said.contains("expired"), "{trouble}");

    sign(broker.place(), "2");
    running.kill();
    let _running = broker.start().await;
    until("all of it at the broker", async || {
        let status = status(&supervisor).await;
        let over = status["lag_rows"] == 0 && status["trouble"].is_null();
        if over { Ok(()) } else { Err(status) }
    })
    .await;
    raised(&inside.duty, "health.outbox", |a| a["active"] == false).await;
    let (_late, lines) = broker.come_late("cems/shiyan/jia/jia-1/latest/a21026");
    let kept = lines.next("the value that the broker keeps").await;
    assert!(kept.contains(" 1 {") && kept.contains("9.5"), "{kept}");
    let all = inside.duty.get("/api/v1/alarms").await;
    let ours = |a: &&Value| a["kind"] == "health.outbox";
    assert_eq!(rows(&all).iter().filter(ours).count(), 1, "{all:#}");
    inside.stop().await;
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
    let start = Moment::midnight(2026, 3, 16).plus_minutes(10 * 60 + 5);
    let inside = Inside::open(directory, start, SPEED).await;
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
