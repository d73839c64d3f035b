//! What stories of a destination that cannot be used have in common: ten minutes of a stack that
//! wait, one alarm with the cause, and all of it out when the destination can be used again.

use crate::alarms::raised;
use crate::inside::Inside;
use cems_tests::api::{Api, rows};
use cems_tests::city::{City, GAS_MN, SUPERVISOR_TOKEN};
use cems_tests::time::Moment;
use cems_tests::wait::until;
use serde_json::Value;
use tempfile::TempDir;

/// Simulated seconds in a second: what a logger sends must come within half an hour to be the
/// latest value.
pub(crate) const SPEED: u32 = 60;

/// Five past ten on a day in March.
pub(crate) fn morning() -> Moment {
    Moment::midnight(2026, 3, 16).plus_minutes(10 * 60 + 5)
}

/// A daemon with one destination and ten minutes to send.
pub(crate) struct Outgoing {
    pub(crate) inside: Inside,
    pub(crate) supervisor: Api,
}

impl Outgoing {
    pub(crate) async fn start(directory: TempDir, destination: &str) -> Self {
        City::default().outlet(destination).write(directory.path());
        let mut inside = Inside::open(directory, morning(), SPEED).await;
        let first = morning().plus_minutes(-10);
        let minutes: Vec<(Moment, String)> = (0..10)
            .map(|n| {
                let fields = format!("a21026-Avg={n}.5,a21026-Min=0,a21026-Max=50,a21026-Flag=N");
                (first.plus_minutes(n), fields)
            })
            .collect();
        inside.send_many(GAS_MN, "2051", &minutes).await;
        Self {
            supervisor: inside.api(SUPERVISOR_TOKEN),
            inside,
        }
    }

    pub(crate) async fn status(&self) -> Value {
        rows(&self.supervisor.get("/api/v1/destinations").await)[0].clone()
    }

    /// Waits for the alarm; its words, and the trouble.
    pub(crate) async fn alarmed(&self) -> (String, Value) {
        let duty = &self.inside.duty;
        let alarm = raised(duty, "health.outbox", |a| a["active"] == true).await;
        let path = format!("/api/v1/alarms/{}", alarm["id"]);
        let ways = self.supervisor.get("/api/v1/outgoing").await;
        let stuck = rows(&ways).iter().filter(|way| way["stuck"] == true);
        let stuck: Vec<&Value> = stuck.map(|way| &way["way"]).collect();
        assert_eq!(stuck, ["destination"], "{ways:#}");
        let trouble = self.status().await["trouble"].clone();
        (duty.get(&path).await.to_string(), trouble)
    }

    /// Waits until all is out and the alarm is over; there was one.
    pub(crate) async fn over(&self) {
        until("all of it at the other side", async || {
            let status = self.status().await;
            let over = status["lag_rows"] == 0 && status["trouble"].is_null();
            if over { Ok(()) } else { Err(status) }
        })
        .await;
        assert!(self.status().await["delivered"].as_u64() >= Some(10));
        let duty = &self.inside.duty;
        raised(duty, "health.outbox", |a| a["active"] == false).await;
        let all = duty.get("/api/v1/alarms").await;
        let ours = |a: &&Value| a["kind"] == "health.outbox";
        assert_eq!(rows(&all).iter().filter(ours).count(), 1, "{all:#}");
    }
}
