//! The dashboards and the alerting rules against what they are for: VictoriaMetrics, filled by a
//! daemon through its destination and its `/metrics`, answers every question of every dashboard.

mod questions;

use crate::alarms::minute;
use crate::inside::Inside;
use crate::notify::peer::{Answer, Sink, free_port, secret};
use crate::series::points::Database;
use cems_tests::api::rows;
use cems_tests::city::{City, GAS_MN, Outlet, SUPERVISOR_TOKEN, WATER_MN};
use cems_tests::grafana::{Lang, all, asked, directory};
use cems_tests::time::Moment;
use cems_tests::wait::{SOON, until, until_within};
use questions::{Question, SCRAPE_S, label_values, numbers};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Simulated seconds in a second: what is settled after minutes is so in seconds, and the newest
/// minute is still new at the end.
const SPEED: u32 = 20;
/// Readings of `/metrics`: enough for a rate at the last whole step of the longest span shown,
/// which lies up to 50 minutes back.
const READINGS: i64 = 420;

/// Questions that have no answer here, by a part of them, and why.
const UNANSWERED: [(&str, &str); 7] = [
    (
        "cems_substituted_kg",
        "the rules put nothing in for these hours",
    ),
    ("cems_bus_", "a centre polls no instruments"),
    ("cems_instrument_up", "the same"),
    (
        "cems_certificate_",
        "no certificate is named in these settings",
    ),
    (
        "cems_uplink_acknowledged",
        "nobody is at the uplink's address",
    ),
    ("cems_uplink_connections", "the same"),
    ("cems_outbox_failures", "the database is never away"),
];

/// An outlet that is watched by minutes, one by hours, a destination, a channel and an uplink.
fn settle(directory: &Path, database: u16, hook: &Sink) {
    let hourly =
        "[outlet.expect]\nrealtime_s = 0\nminute_min = 0\nhour = true\nno_data_after_s = 10800\n";
    let gas = Outlet::gas("jia-1", GAS_MN);
    let water = Outlet::water("yi-1", WATER_MN).table(hourly);
    let nobody = free_port();
    let more = format!(
        r#"
[[destination]]
id = "series"
kind = "influx"
url = "http://127.0.0.1:{database}"
bucket = "cems"
corrections = "later"

[[uplink]]
id = "bureau"
address = "127.0.0.1:{nobody}"
edition = "2017"
[[uplink.outlet]]
outlet = "jia-1"
password = "123456"
"#
    );
    let city = City::empty().outlet(&gas.text()).outlet(&water.text());
    let text = city.outlet(&more).text().replace(
        "[console]\n",
        "[console]\npublic_url = \"https://cems.example\"\n",
    );
    let text = format!("notify = [\"notify.toml\"]\n{text}");
    std::fs::write(directory.join("cemsd.toml"), text).expect("written");
    let channel = format!(
        "[[channel]]\nid = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"\n\
         secret_file = \"hook-key\"\n\n[[route]]\nid = \"all\"\nchannels = [\"hook\"]\n",
        hook.url
    );
    std::fs::write(directory.join("notify.toml"), channel).expect("written");
    secret(&directory.join("hook-key"), "hook-key");
}

/// Hours of the discharge from one to another: COD over its limit now and then.
fn water(from: Moment, hours: i64) -> Vec<(Moment, String)> {
    let hour = |n: i64| {
        let cod = if n % 7 == 0 { 180 } else { 95 + n % 5 };
        let fields = format!(
            "w01018-Avg={cod},w01018-Flag=N;w21003-Avg=2.5,w21003-Flag=N;\
             w01001-Avg=7.1,w01001-Flag=N;w00000-Avg=20,w00000-Flag=N"
        );
        (from.plus_minutes(n * 60), fields)
    };
    (0..hours).map(hour).collect()
}

/// The end of a year and a month, three days, and the hours before now.
async fn send(inside: &mut Inside, start: Moment) {
    let today = start.floor_day();
    let day = |n: i64| today.plus_minutes(n * 24 * 60);
    // What is no frame is counted.
    inside.logger.send("no frame\r\n").await.expect("sent");
    for (from, hours) in [(Moment::midnight(2024, 12, 30), 48), (day(-3), 82)] {
        inside
            .send_many(WATER_MN, "2061", &water(from, hours))
            .await;
    }
    let over = minute("80.0").replace("a21026-Avg", "a21026-ZsAvg=80.0,a21026-Avg");
    let last = start.floor_hour().plus_minutes(-60);
    for hour in [day(-1).plus_minutes(8 * 60), last.plus_minutes(-60), last] {
        inside.send_hour(GAS_MN, hour, &over).await;
        let hours = [(hour, minute("80.0"))];
        inside.send_many(GAS_MN, "2061", &hours).await;
    }
}

/// A client of the database.
struct Asker {
    base: String,
    http: reqwest::Client,
}

impl Asker {
    async fn post(&self, path: &str, form: &[(&str, String)]) -> Value {
        let url = format!("{}{path}", self.base);
        let answer = self.http.post(url).form(form).send().await;
        let answer = answer.expect("the database answers");
        let status = answer.status();
        let text = answer.text().await.expect("a whole answer");
        assert!(status.is_success(), "{form:?}: {status}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    async fn has(&self, query: &str, now: Moment) -> bool {
        let form = [
            ("query", query.to_owned()),
            ("time", (now.0 / 1_000).to_string()),
        ];
        let answer = self.post("/api/v1/query", &form).await;
        !rows(&answer["data"]["result"]).is_empty()
    }

    async fn flush(&self) {
        let url = format!("{}/internal/force_flush", self.base);
        self.http
            .get(url)
            .send()
            .await
            .expect("the database answers");
    }
}

/// Waits until the daemon has delivered what was sent, and what it has computed of it.
async fn delivered(inside: &Inside, asker: &Asker) {
    let supervisor = inside.api(SUPERVISOR_TOKEN);
    let kinds = [
        "minute",
        "hour",
        "hour-mean",
        "day-mean",
        "month-mean",
        "year-mean",
    ];
    until_within(3 * SOON, "series of every kind", async || {
        asker.flush().await;
        let status = supervisor.get("/api/v1/destinations").await;
        let one = &rows(&status)[0];
        if one["lag_rows"] != 0 || !one["trouble"].is_null() {
            return Err(format!("{one:#}"));
        }
        for kind in kinds {
            let query = format!(r#"last_over_time(cems_valid{{kind="{kind}"}}[400d])"#);
            if !asker.has(&query, inside.now()).await {
                return Err(format!("nothing of kind {kind}: {one:#}"));
            }
        }
        let query = r#"last_over_time(cems_multiple{kind="hour-mean", outlet="jia-1"}[3h])"#;
        if asker.has(query, inside.now()).await {
            Ok(())
        } else {
            Err("the hours that are over their limit are not there".to_owned())
        }
    })
    .await;
}

/// Puts what the daemon says about itself into the database, as if it had been read for a while.
async fn measured(inside: &Inside, asker: &Asker) -> Moment {
    let wanted = [
        "cems_disk_free_bytes ",
        "cems_messages_delivered_total{",
        "cems_messages_failures_total{",
        "cems_outgoing_lag_seconds{",
        "cems_outbox_values_total{",
        "cems_outgoing_waiting{",
        "process_resident_memory_bytes ",
    ];
    let metrics = until("the metrics", async || {
        let text = inside.duty.bytes("/metrics").await;
        let text = String::from_utf8(text).expect("text");
        let missing: Vec<&str> = wanted
            .into_iter()
            .filter(|name| !text.contains(name))
            .collect();
        if missing.is_empty() {
            Ok(text)
        } else {
            Err(missing)
        }
    })
    .await;
    let now = inside.now();
    for back in 0..READINGS {
        let at = now.0 - back * SCRAPE_S * 1_000;
        let url = format!(
            "{}/api/v1/import/prometheus?extra_label=job=cemsd&extra_label=instance=centre\
             &timestamp={at}",
            asker.base
        );
        let taken = asker.http.post(url).body(metrics.clone()).send().await;
        let taken = taken.expect("the database answers");
        assert!(taken.status().is_success(), "{}", taken.status());
    }
    asker.flush().await;
    now
}

/// Asks everything; what has no answer, and which reasons for that speak of a question. What other
/// stories of this process count is in the metrics, too: a reason may be there in vain.
async fn ask_all(asker: &Asker, now: Moment) -> (Vec<String>, BTreeSet<&'static str>) {
    let (mut unanswered, mut spoken_of) = (Vec::new(), BTreeSet::new());
    // The other language asks the same: the house rules see to it.
    for made in all().into_iter().filter(|made| made.lang == Lang::En) {
        let from = made.json["time"]["from"].as_str().expect("a time");
        for asked in asked(&made.json) {
            let question = Question::new(&asked, from, now);
            let answer = asker.post("/api/v1/query_range", &question.form()).await;
            assert_eq!(answer["status"], "success", "{question:?}: {answer:#}");
            let reason = UNANSWERED
                .iter()
                .find(|(part, _)| asked.expr.contains(part));
            spoken_of.extend(reason.map(|(part, _)| *part));
            if reason.is_none() && numbers(&answer) == 0 {
                unanswered.push(format!("{}: {}: {question:?}", made.name, asked.panel));
            }
        }
        for variable in made.json["templating"]["list"].as_array().expect("a list") {
            if variable["type"] != "query" {
                continue;
            }
            let definition = variable["definition"].as_str().expect("a question");
            let (metric, label) = label_values(definition);
            let span = [
                ("match[]", metric),
                ("start", (now.0 / 1_000 - 86_400).to_string()),
                ("end", (now.0 / 1_000).to_string()),
            ];
            let path = format!("/api/v1/label/{label}/values");
            if rows(&asker.post(&path, &span).await["data"]).is_empty() {
                unanswered.push(format!("{}: {definition}", made.name));
            }
        }
    }
    (unanswered, spoken_of)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_of_every_dashboard_has_an_answer() {
    let books = tempfile::tempdir().expect("a temporary directory");
    let database = Database::start(books.path(), None).await;
    let hook = Sink::start(|n| if n == 0 { Answer::Fail } else { Answer::Take }).await;
    let directory = tempfile::tempdir().expect("a temporary directory");
    settle(directory.path(), database.port, &hook);
    let asker = Asker {
        base: format!("http://127.0.0.1:{}", database.port),
        http: reqwest::Client::new(),
    };
    let start = Moment::midnight(2025, 1, 20).plus_minutes(10 * 60 + 5);
    let mut inside = Inside::open(directory, start, SPEED).await;
    send(&mut inside, start).await;
    let test = "/api/v1/channels/hook/test";
    let supervisor = inside.api(SUPERVISOR_TOKEN);
    supervisor.post(test, &serde_json::json!({})).await;
    delivered(&inside, &asker).await;
    let now = measured(&inside, &asker).await;

    let (unanswered, spoken_of) = ask_all(&asker, now).await;
    assert!(
        unanswered.is_empty(),
        "no answer:\n{}",
        unanswered.join("\n")
    );
    for (part, _) in UNANSWERED {
        assert!(
            spoken_of.contains(part),
            "no question speaks of {part} any more"
        );
    }
    inside.stop().await;
}

#[test]
fn promtool_takes_the_rules_and_each_fires_when_it_must() {
    let rules = directory().join("rules");
    let promtool = |arguments: &[&str]| {
        let done = Command::new("promtool")
            .args(arguments)
            .current_dir(&rules)
            .output();
        let done = done.expect("promtool is there: tests/run installs it");
        let said = [done.stdout, done.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(done.status.success(), "promtool {arguments:?}: {said}");
    };
    promtool(&["check", "rules", "cemsd.rules.yaml"]);
    promtool(&["test", "rules", "cemsd.rules.test.yaml"]);
    promtool(&["check", "config", "../scrape.yaml"]);
}
