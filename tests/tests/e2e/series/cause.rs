//! A database that cannot be used for a reason that only a real server has.

use crate::alarms::raised;
use crate::inside::Inside;
use crate::notify::peer::{Peer, certificates, free_port, listening, sign};
use cems_tests::api::{Api, rows};
use cems_tests::city::{City, GAS_MN, SUPERVISOR_TOKEN};
use cems_tests::time::Moment;
use cems_tests::wait::until;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Simulated seconds in a second.
const SPEED: u32 = 60;

/// VictoriaMetrics behind TLS, with the certificate that lies in a directory.
async fn database(place: &Path, port: u16) -> Peer {
    let mut command = Command::new("/usr/bin/victoria-metrics");
    command
        .arg(format!(
            "-storageDataPath={}",
            place.join("series").display()
        ))
        .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
        .arg(format!(
            "-tlsCertFile={}",
            place.join("server.pem").display()
        ))
        .arg(format!(
            "-tlsKeyFile={}",
            place.join("server.key").display()
        ))
        .args([
            "-tls",
            "-retentionPeriod=100y",
            "-memory.allowedBytes=268435456",
        ]);
    let peer = Peer::start(&mut command);
    listening(port).await;
    peer
}

async fn status(supervisor: &Api) -> Value {
    rows(&supervisor.get("/api/v1/destinations").await)[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_certificate_expired_is_one_alarm_and_gets_all_when_it_has_a_new_one() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let place = certificates(directory.path());
    sign(&place, "-1");
    let port = free_port();
    let running = database(&place, port).await;
    let destination = format!(
        "[[destination]]\nid = \"series\"\nkind = \"influx\"\n\
         url = \"https://127.0.0.1:{port}\"\nbucket = \"cems\"\nca_file = \"ca.pem\"\n"
    );
    City::default().outlet(&destination).write(directory.path());
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
    let ways = supervisor.get("/api/v1/outgoing").await;
    let way = rows(&ways).iter().find(|way| way["id"] == "series");
    assert_eq!(way.expect("the destination")["stuck"], true, "{ways:#}");

    sign(&place, "2");
    running.kill();
    let _running = database(&place, port).await;
    until("all of it in the database", async || {
        let status = status(&supervisor).await;
        let over = status["lag_rows"] == 0 && status["trouble"].is_null();
        if over { Ok(()) } else { Err(status) }
    })
    .await;
    assert!(status(&supervisor).await["delivered"].as_u64() >= Some(10));
    raised(&inside.duty, "health.outbox", |a| a["active"] == false).await;
    inside.stop().await;
}
