//! The duty desk over HTTP: an alarm is put aside, called about, handed over and closed, the desk
//! itself changes hands, and the daemon is killed in the middle of it. What people did is still so.

use crate::Town;
use crate::alarms::{minute, raised};
use cems_tests::api::{Api, rows};
use cems_tests::city::{City, GAS_MN, SUPERVISOR_TOKEN, SUPERVISOR_USER};
use cems_tests::logger::{Frame, Logger};
use cems_tests::time::{Moment, now};
use serde_json::{Value, json};

/// Sends the minutes of an hour of the stack and waits for their answers.
async fn send_hour(town: &Town, hour: Moment, so2: &str) {
    let mut logger = Logger::connect(town.daemon.hj212)
        .await
        .expect("the port is open");
    for n in 0..60 {
        let at = hour.plus_minutes(n).digits();
        let cp = format!("DataTime={at};{}", minute(so2));
        let frame = Frame::new(GAS_MN, "2051", &cp).text();
        logger.send(frame).await.expect("sent");
    }
    for _ in 0..60 {
        let answer = logger.answer().await;
        assert!(answer.contains("CN=9014;"), "{answer}");
    }
}

fn codes(detail: &Value) -> Vec<String> {
    let lines = rows(&detail["history"]).iter();
    let codes = lines.filter_map(|line| line["what"].as_str());
    codes.map(str::to_owned).collect()
}

/// What people do before the daemon is killed.
async fn answered(duty: &Api, id: u64) {
    let until = now().plus_minutes(60).iso();
    for (verb, body) in [
        ("call", json!({"note": "值班电话无人接听"})),
        ("tell-enterprise", json!({"note": null})),
        ("hand-over", json!({"note": "一周内第三次"})),
        ("shelve", json!({"note": "检修中", "until": until})),
    ] {
        duty.post(&format!("/api/v1/alarms/{id}/{verb}"), &body)
            .await;
    }
    let over = json!({"to": [SUPERVISOR_USER], "note": "二号炉启炉中"});
    duty.post("/api/v1/desk/hand-over", &over).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_desk_did_survives_a_kill_and_the_alarm_is_closed_afterwards() {
    let mut town = Town::start(&City::default()).await;
    let first = now().floor_hour().plus_minutes(-4 * 60);
    send_hour(&town, first, "80.0").await;
    let alarm = raised(&town.api, "exceedance.hour", |a| a["active"] == true).await;
    assert_eq!(
        (&alarm["state"], &alarm["priority"]),
        (&json!("unacknowledged"), &json!("urgent"))
    );
    let id = alarm["id"].as_u64().expect("a number");
    let path = format!("/api/v1/alarms/{id}");

    let supervisor = Api::new(town.daemon.console, SUPERVISOR_TOKEN);
    let shift = json!({
        "from": now().plus_minutes(-60).iso(),
        "until": now().plus_minutes(7 * 60).iso(),
        "people": ["duty1"],
    });
    supervisor.post("/api/v1/roster", &shift).await;
    let (status, _) = town.api.try_post("/api/v1/roster", &shift).await;
    assert_eq!(status.as_u16(), 403, "a duty officer wrote the roster");
    let desk = town.api.get("/api/v1/desk").await;
    assert_eq!(desk["on_duty"][0]["user"], "duty1", "{desk:#}");
    answered(&town.api, id).await;

    let service = json!({"kind": "data.none", "out": true, "note": "线路施工"});
    let of = "/api/v1/outlets/jia-1/alarm-service";
    supervisor.post(of, &service).await;
    let before = (
        town.api.get(&path).await,
        town.api.get("/api/v1/desk").await,
    );
    assert_eq!(before.0["alarm"]["state"], "shelved");
    assert_eq!(before.1["on_duty"][0]["user"], SUPERVISOR_USER);

    town.daemon.kill();
    town.restart().await;
    let after = (
        town.api.get(&path).await,
        town.api.get("/api/v1/desk").await,
    );
    assert_eq!(before, after, "the kill changed what people did");

    // Taken back, answered, back to normal, closed.
    town.api.post(&format!("{path}/unshelve"), &json!({})).await;
    let note = json!({"note": "已通知企业"});
    town.api.post(&format!("{path}/acknowledge"), &note).await;
    send_hour(&town, first.plus_minutes(60), "20.0").await;
    raised(&town.api, "exceedance.hour", |a| {
        a["id"] == id && a["active"] == false
    })
    .await;
    let end = json!({"conclusion": "喷淋泵故障，已修复"});
    town.api.post(&format!("{path}/close"), &end).await;
    let closed = town.api.get(&path).await;
    assert_eq!(closed["alarm"]["state"], "closed", "{closed:#}");
    let told = codes(&closed);
    for what in [
        "alarm.raised",
        "alarm.called",
        "alarm.told-enterprise",
        "alarm.handed-over",
        "alarm.shelved",
        "alarm.unshelved",
        "alarm.acknowledged",
        "alarm.returned",
        "alarm.closed",
    ] {
        assert!(
            told.iter().any(|code| code == what),
            "{what} is missing in {told:?}"
        );
    }
    let (status, refusal) = town.api.try_post(&format!("{path}/call"), &note).await;
    assert_eq!(
        (status.as_u16(), &refusal["code"]),
        (422, &json!("alarm-closed"))
    );

    let queue = town
        .api
        .get("/api/v1/alarms/groups?kind=exceedance.hour")
        .await;
    assert_eq!(queue["groups"], json!([]), "{queue:#}");
    let figures = town.api.get("/api/v1/alarms/figures").await;
    assert!(
        figures["all"]["acknowledged"].as_u64() >= Some(1),
        "{figures:#}"
    );
    assert_eq!(figures["by_priority"]["urgent"]["to_close"]["count"], 1);
}
