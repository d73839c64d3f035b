//! A centre that asks: orders of the duty desk step by step, missing records fetched by
//! themselves, clocks that follow or do not, keys that change. The devices are scripted: each line
//! on the wire is written here.

mod keys;

use crate::Town;
use crate::inside::Inside;
use cems_daemon::events::JournalEvent;
use cems_daemon::journal::Reader;
use cems_tests::api::{Api, rows};
use cems_tests::city::{AUDITOR_TOKEN, City, GAS_MN, JIA_TOKEN, OLD_MN, Outlet};
use cems_tests::logger::{Frame, Logger, envelope};
use cems_tests::process::assert_books_hold;
use cems_tests::time::Moment;
use cems_tests::wait::until_within;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// MN of the stack `jia-3`, whose logger speaks the edition of 2025.
const NEW_MN: &str = "A00000000000000000000025";

/// A logger of one edition.
struct Device {
    wire: Logger,
    mn: &'static str,
    /// Version bits of the Flag; `None` in 2005, which sends none.
    version: Option<u8>,
}

impl Device {
    async fn connect(town: &Town, mn: &'static str, version: Option<u8>) -> Self {
        let wire = Logger::connect(town.daemon.hj212).await;
        Self {
            wire: wire.expect("the port is open"),
            mn,
            version,
        }
    }

    /// An upload that wants an answer, and its answer.
    async fn upload(&mut self, cn: &str, cp: &str) {
        let frame = Frame {
            flag: Some(self.version.unwrap_or(0) << 2 | 1),
            ..Frame::new(self.mn, cn, cp)
        };
        self.wire.send(frame.text()).await.expect("sent");
        let answer = self.wire.answer().await;
        assert!(answer.contains("CN=9014;"), "{answer}");
    }

    /// The centre's next request; gives its QN.
    async fn asked(&mut self, cn: &str, part: &str) -> String {
        let request = self.wire.answer().await;
        assert!(request.contains(&format!("CN={cn};")), "{request}");
        assert!(request.contains(&format!("MN={};", self.mn)), "{request}");
        assert!(request.contains("PW=123456;"), "{request}");
        assert!(request.contains(part), "{part} in {request}");
        let body = request.trim_end();
        let segment = &body[6..body.len() - 4];
        assert_eq!(envelope(segment).trim_end(), body, "a sound frame");
        field(&request, "QN")
    }

    /// 9011 or 9012 in the words of the edition.
    async fn answer(&mut self, cn: &str, qn: &str, result: &str) {
        let mn = self.mn;
        let segment = match self.version {
            None => format!("ST=91;CN={cn};PW=123456;MN={mn};Flag=0;CP=&&QN={qn};{result}&&"),
            Some(version) => {
                let flag = version << 2;
                format!("QN={qn};ST=91;CN={cn};PW=123456;MN={mn};Flag={flag};CP=&&{result}&&")
            }
        };
        self.wire.send(envelope(&segment)).await.expect("sent");
    }
}

fn field(frame: &str, name: &str) -> String {
    let from = frame.find(&format!("{name}=")).expect("the field is there") + name.len() + 1;
    let rest = &frame[from..];
    rest[..rest.find([';', '&']).expect("an end")].to_owned()
}

async fn order(api: &Api, outlet: &str, cn: &str, params: Value) -> u64 {
    let path = format!("/api/v1/outlets/{outlet}/commands");
    let receipt = api.post(&path, &json!({"cn": cn, "params": params})).await;
    receipt["seq"].as_u64().expect("a journal position")
}

/// Waits until the exchange is in a state; gives it.
async fn reaches(api: &Api, id: u64, state: &str) -> Value {
    let path = format!("/api/v1/exchanges/{id}");
    api.until(&path, state, |exchange| {
        (exchange["state"] == state).then(|| exchange.clone())
    })
    .await
}

fn steps(exchange: &Value) -> Vec<&str> {
    rows(&exchange["steps"])
        .iter()
        .filter_map(|step| step["what"].as_str())
        .collect()
}

fn events(data: &Path) -> Vec<JournalEvent> {
    let reader = Reader::open(&data.join("journal")).expect("a journal");
    let line = |entry: Result<cems_daemon::journal::Entry, _>| {
        JournalEvent::from_line(&entry.expect("sound").body).expect("an event")
    };
    reader.entries_from(1).map(line).collect()
}

const MINUTE: &str = "DataTime=20260316100000;a21026-Avg=20.0,a21026-Flag=N";

#[tokio::test(flavor = "multi_thread")]
async fn the_duty_desk_commands_loggers_of_three_editions() {
    let city = City::empty()
        .outlet(&Outlet::gas("jia-1", GAS_MN).text())
        .outlet(&Outlet::gas("jia-2", OLD_MN).text())
        .outlet(&Outlet::gas("jia-3", NEW_MN).text());
    let mut town = Town::start(&city).await;
    for (outlet, mn, version) in [
        ("jia-2", OLD_MN, None),
        ("jia-1", GAS_MN, Some(1)),
        ("jia-3", NEW_MN, Some(2)),
    ] {
        // Before it was ever heard nobody knows what it understands.
        let path = format!("/api/v1/outlets/{outlet}/commands");
        assert!(rows(&town.api.get(&path).await).is_empty());
        let mut device = Device::connect(&town, mn, version).await;
        device.upload("2051", MINUTE).await;
        let id = order(&town.api, outlet, "1062", json!({"RtdInterval": "60"})).await;
        let qn = device.asked("1062", "CP=&&RtdInterval=60&&").await;
        reaches(&town.api, id, "sent").await;
        device.answer("9011", &qn, "QnRtn=1").await;
        let open = reaches(&town.api, id, "accepted").await;
        assert_eq!(open["over"], false);
        // Live data go on in the middle of it.
        device
            .upload(
                "2051",
                "DataTime=20260316101000;a21026-Avg=21.0,a21026-Flag=N",
            )
            .await;
        device.answer("9012", &qn, "ExeRtn=1").await;
        let done = reaches(&town.api, id, "done").await;
        assert_eq!(steps(&done), ["sent", "accepted", "done"], "{done:#}");
        assert_eq!(
            (&done["by"], &done["why"]),
            (&json!("duty-program"), &json!("order"))
        );
        // A refusal says why.
        let id = order(&town.api, outlet, "1061", json!({})).await;
        let qn = device.asked("1061", "CP=&&&&").await;
        device.answer("9011", &qn, "QnRtn=3").await;
        let refused = reaches(&town.api, id, "refused").await;
        assert_eq!(refused["steps"][1]["detail"], "QnRtn=3", "{refused:#}");
    }
    a_new_password_cuts_no_line(&town).await;
    only_what_may_be(&town).await;
    assert!(town.daemon.stop().await.success());
    let events = events(&town.data());
    let secret = |e: &JournalEvent| {
        let line = String::from_utf8(e.to_line()).expect("JSON");
        !matches!(e, JournalEvent::Frame { .. }) && line.contains("987654")
    };
    assert!(
        !events.iter().any(secret),
        "a new password stands in the journal"
    );
    let at = |wanted: fn(&JournalEvent) -> bool| events.iter().position(wanted);
    let ordered = at(|e| matches!(e, JournalEvent::Order { .. })).expect("ordered");
    let sent = at(|e| matches!(e, JournalEvent::Sent { .. })).expect("sent");
    let step = at(|e| matches!(e, JournalEvent::Step { .. })).expect("a step");
    assert!(ordered < sent && sent < step, "{ordered} {sent} {step}");
    assert_books_hold(&town.data());
}

/// The registry still has the old one.
async fn a_new_password_cuts_no_line(town: &Town) {
    let mut device = Device::connect(town, GAS_MN, Some(1)).await;
    device.upload("2051", MINUTE).await;
    let id = order(&town.api, "jia-1", "1072", json!({"NewPW": "987654"})).await;
    let qn = device.asked("1072", "CP=&&NewPW=987654&&").await;
    device.answer("9011", &qn, "QnRtn=1").await;
    device.answer("9012", &qn, "ExeRtn=1").await;
    reaches(&town.api, id, "done").await;
    let frame = Frame {
        pw: "987654".to_owned(),
        ..Frame::new(GAS_MN, "2051", MINUTE)
    };
    device.wire.send(frame.text()).await.expect("sent");
    let answer = device.wire.answer().await;
    assert!(answer.contains("CN=9014;"), "{answer}");
}

/// Who may not, and what cannot be.
async fn only_what_may_be(town: &Town) {
    let path = "/api/v1/outlets/jia-1/commands";
    let enterprise = Api::new(town.daemon.console, JIA_TOKEN);
    let interval = |s: &str| json!({"cn": "1062", "params": {"RtdInterval": s}});
    let (status, _) = enterprise.try_post(path, &interval("60")).await;
    assert_eq!(status.as_u16(), 403);
    let (status, _) = town.api.try_post(path, &interval("5")).await;
    assert!(status.is_client_error(), "5 s was taken: {status}");
    let (status, _) = town
        .api
        .try_post(path, &json!({"cn": "1021", "params": {}}))
        .await;
    assert!(status.is_client_error(), "2017 has no 1021: {status}");
    let auditor = Api::new(town.daemon.console, AUDITOR_TOKEN);
    let (status, _) = auditor.try_post(path, &interval("60")).await;
    assert_eq!(status.as_u16(), 403);
    // Nobody is connected any more: it waits.
    let id = order(&town.api, "jia-1", "1072", json!({"NewPW": "654321"})).await;
    let waits = town.api.get(&format!("/api/v1/exchanges/{id}")).await;
    assert_eq!(waits["state"], "queued", "{waits:#}");
    assert_eq!(waits["params"][0]["value"], "***", "{waits:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_open_at_a_stop_is_given_up_at_the_next_start() {
    let mut town = Town::start(&City::default()).await;
    let mut device = Device::connect(&town, GAS_MN, Some(1)).await;
    device.upload("2051", MINUTE).await;
    let sent = order(&town.api, "jia-1", "1061", json!({})).await;
    let waits = order(&town.api, "jia-1", "1063", json!({})).await;
    device.asked("1061", "").await;
    reaches(&town.api, sent, "sent").await;
    town.daemon.kill();
    town.restart().await;
    for id in [sent, waits] {
        let ended = reaches(&town.api, id, "cancelled").await;
        let last = rows(&ended["steps"]).last().expect("a step");
        assert_eq!(last["detail"], "restarted", "{ended:#}");
    }
    assert!(town.daemon.stop().await.success());
    assert_books_hold(&town.data());
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_hours_are_fetched_by_themselves() {
    let expect = "expect = { realtime_s = 0, minute_min = 0, hour = true, \
                  no_data_after_s = 7200 }";
    let outlet = Outlet::gas("jia-1", GAS_MN).key(expect).text();
    let city = City::empty().dialogue("refetch = true").outlet(&outlet);
    let start = Moment::midnight(2026, 3, 16).plus_minutes(10 * 60 + 20);
    let mut inside = Inside::start(&city, start, 60).await;
    let hour = |back: i64| start.floor_hour().plus_minutes(-60 * back);
    let fields = "a21026-Avg=20.0,a21026-Flag=N";
    inside.send(GAS_MN, "2061", hour(5), fields).await;
    inside.send(GAS_MN, "2061", hour(1), fields).await;
    let request = inside.logger.answer().await;
    assert!(request.contains("CN=2061;"), "{request}");
    let range = format!(
        "BeginTime={};EndTime={}",
        hour(4).digits(),
        hour(2).digits()
    );
    assert!(request.contains(&range), "{range} in {request}");
    let qn = field(&request, "QN");
    let reply = |cn: &str, result: &str| {
        let head = format!("QN={qn};ST=91;CN={cn};PW=123456;MN={GAS_MN};Flag=4");
        envelope(&format!("{head};CP=&&{result}&&"))
    };
    inside
        .logger
        .send(reply("9011", "QnRtn=1"))
        .await
        .expect("sent");
    // Live data first, and still answered.
    inside
        .send(GAS_MN, "2011", start, "a21026-Rtd=1.0,a21026-Flag=N")
        .await;
    for back in [4, 3, 2] {
        inside.send(GAS_MN, "2061", hour(back), fields).await;
    }
    inside
        .logger
        .send(reply("9012", "ExeRtn=1"))
        .await
        .expect("sent");
    let (from, until) = (hour(5).iso(), hour(0).iso());
    let path = format!("/api/v1/outlets/jia-1/records?kind=hour&from={from}&until={until}");
    let all = |list: &Value| (list.as_array()?.len() == 5).then_some(());
    inside.duty.until(&path, "five hours", all).await;
    let exchanges = "/api/v1/exchanges?outlet=jia-1";
    let done = |list: &Value| {
        let row = rows(list).first()?.clone();
        (row["state"] == "done").then_some(row)
    };
    let row = inside.duty.until(exchanges, "the exchange", done).await;
    assert_eq!((&row["by"], &row["why"]), (&json!("daemon"), &json!("gap")));
    assert_eq!(
        steps(&row),
        ["sent", "accepted", "data", "data", "data", "done"]
    );
    inside.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logger_that_ignores_the_time_is_left_in_peace() {
    let settings = "set_clock = true, refetch = false, answer_timeout_s = 1, resends = 0";
    let city = City::empty()
        .dialogue(settings)
        .outlet(&Outlet::gas("jia-1", GAS_MN).text());
    let start = Moment::midnight(2026, 3, 16).plus_minutes(10 * 60);
    let mut inside = Inside::start(&city, start, 60).await;
    let mut told = 0;
    let device = "/api/v1/outlets/jia-1";
    // An hour behind, and deaf.
    until_within(Duration::from_secs(180), "the habit", async || {
        told += live(&mut inside).await;
        let shown = inside.duty.get(device).await;
        let habits = &shown["device"]["habits"];
        if habits["sets_clock"] == false {
            Ok(())
        } else {
            Err(habits.clone())
        }
    })
    .await;
    assert_eq!(told, 3, "times it was told");
    for _ in 0..50 {
        assert_eq!(live(&mut inside).await, 0, "told again");
    }
    inside.stop().await;
}

/// Sends one real-time frame of a clock an hour behind; gives how often the centre said 1012
/// before it answered.
async fn live(inside: &mut Inside) -> usize {
    let now = inside.now();
    let cp = format!("DataTime={};a21026-Rtd=1.0,a21026-Flag=N", now.digits());
    let frame = Frame {
        qn: format!("{}000", now.plus_minutes(-60).digits()),
        ..Frame::new(GAS_MN, "2011", &cp)
    };
    inside.logger.send(frame.text()).await.expect("sent");
    let mut told = 0;
    loop {
        let answer = inside.logger.answer().await;
        if answer.contains("CN=9014;") {
            return told;
        }
        assert!(answer.contains("CN=1012;"), "{answer}");
        told += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logger_is_told_its_settings_at_its_first_connection_only() {
    let initial = "initial = { set_time = false, timeout_s = 10, retries = 3, \
                   realtime_interval_s = 60, facility = true }";
    let city = City::default().hj212(initial);
    let mut town = Town::start(&city).await;
    let mut device = Device::connect(&town, GAS_MN, Some(1)).await;
    device.upload("2051", MINUTE).await;
    for (cn, part) in [
        ("1000", "OverTime=10;ReCount=3"),
        ("1062", "RtdInterval=60"),
        ("2021", ""),
    ] {
        let qn = device.asked(cn, part).await;
        device.answer("9011", &qn, "QnRtn=1").await;
        device.answer("9012", &qn, "ExeRtn=1").await;
    }
    let all_done = |list: &Value| {
        let done = |row: &Value| row["state"] == "done" && row["why"] == "initial";
        (rows(list).len() == 3 && rows(list).iter().all(done)).then_some(())
    };
    let path = "/api/v1/exchanges?outlet=jia-1";
    town.api
        .until(path, "the initial procedure", all_done)
        .await;
    drop(device);
    let mut again = Device::connect(&town, GAS_MN, Some(1)).await;
    again.upload("2051", MINUTE).await;
    // Whatever else it had to say would come before this.
    order(&town.api, "jia-1", "1061", json!({})).await;
    again.asked("1061", "").await;
    assert!(town.daemon.stop().await.success());
    assert_books_hold(&town.data());
}
