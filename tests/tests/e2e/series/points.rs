//! Points: those that a database shows, and those that the API of the daemon says there are.

use crate::notify::peer::{Peer, free_port};
use cems_tests::api::{Api, rows};
use cems_tests::time::Moment;
use cems_tests::wait::until;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Value by series and time, ms.
pub(super) type Points = BTreeMap<(String, i64), f64>;

/// VictoriaMetrics with books of its own. It shows the last point of each second, which is how
/// corrections show.
pub(crate) struct Database {
    peer: Peer,
    pub(crate) port: u16,
    http: reqwest::Client,
}

impl Database {
    /// Starts on a directory, at a port where one is given.
    pub(crate) async fn start(directory: &Path, port: Option<u16>) -> Self {
        let port = port.unwrap_or_else(free_port);
        let mut command = Command::new("/usr/bin/victoria-metrics");
        command
            .arg(format!("-storageDataPath={}", directory.display()))
            .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
            .args(["-retentionPeriod=100y", "-dedup.minScrapeInterval=1s"])
            .args(["-search.disableCache", "-memory.allowedBytes=268435456"]);
        let database = Self {
            peer: Peer::start(&mut command),
            port,
            http: reqwest::Client::new(),
        };
        until("the database", async || {
            let url = format!("http://127.0.0.1:{port}/health");
            database.http.get(url).send().await.map(|_| ())
        })
        .await;
        database
    }

    /// Ends it at once (SIGKILL).
    pub(super) fn kill(self) {
        self.peer.kill();
    }

    /// Everything it shows.
    pub(super) async fn points(&self) -> Points {
        let base = format!("http://127.0.0.1:{}", self.port);
        let flush = self.http.get(format!("{base}/internal/force_flush"));
        flush.send().await.expect("the database answers");
        let export = self.http.post(format!("{base}/api/v1/export"));
        let export = export.form(&[("match[]", r#"{__name__=~"cems.*"}"#)]);
        let answer = export.send().await.expect("the database answers");
        let text = answer.text().await.expect("a whole answer");
        let mut points = Points::new();
        for line in text.lines() {
            let series: Value = serde_json::from_str(line).expect("a line of JSON");
            let name = name(&series["metric"]);
            let times = rows(&series["timestamps"]).iter();
            for (time, value) in times.zip(rows(&series["values"])) {
                let time = time.as_i64().expect("a time");
                let value = value.as_f64().expect("a number");
                let before = points.insert((name.clone(), time), value);
                assert_eq!(before, None, "{name} at {time} is there twice");
            }
        }
        points
    }
}

/// `cems_value{factor="a21026",...}`, tags in order.
fn name(metric: &Value) -> String {
    let mut tags = BTreeMap::new();
    for (key, value) in metric.as_object().expect("names") {
        tags.insert(key.as_str(), value.as_str().expect("a text"));
    }
    let metric = tags.remove("__name__").expect("a name");
    let tags = tags.iter().map(|(key, value)| format!("{key}={value}"));
    format!("{metric}{{{}}}", tags.collect::<Vec<_>>().join(","))
}

/// What the API says of the stack from some time on: its minutes, and where `means` the complete
/// hours and longer, without the figures of a period that the API does not tell.
pub(super) async fn expected(api: &Api, from: Moment, means: bool) -> Points {
    let mut points = Points::new();
    let span = format!("from={}", from.iso());
    let path = format!("/api/v1/outlets/jia-1/records?kind=minute&{span}");
    for row in rows(&api.get(&path).await) {
        for (factor, value) in row["values"].as_object().expect("factors") {
            minute(&mut points, at(row), factor, value);
        }
    }
    for level in ["hour", "day", "month", "year"] {
        if !means {
            break;
        }
        let span = format!("from={}", from.plus_minutes(-400 * 24 * 60).iso());
        let span = if level == "hour" {
            format!("from={}", from.iso())
        } else {
            span
        };
        let path = format!("/api/v1/outlets/jia-1/aggregates?level={level}&{span}");
        for row in rows(&api.get(&path).await) {
            if row["complete"] == true {
                mean(&mut points, level, row);
            }
        }
    }
    points
}

fn at(row: &Value) -> i64 {
    let start = row["start"].as_str().and_then(Moment::parse);
    start.expect("a time").0
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Null => None,
        Value::Bool(is) => Some(f64::from(u8::from(*is))),
        Value::String(text) => Some(text.parse().expect("a number")),
        other => other.as_f64(),
    }
}

fn series(metric: &str, factor: Option<&str>, kind: &str) -> String {
    let factor = factor.map_or(String::new(), |factor| format!("factor={factor},"));
    format!("{metric}{{enterprise=jia,{factor}kind={kind},outlet=jia-1,region=shiyan}}")
}

fn minute(points: &mut Points, start: i64, factor: &str, value: &Value) {
    // The first version stands a millisecond late, each correction another one.
    let time = start + 1 + value["superseded"].as_i64().expect("a count");
    let flag = value["flag"].as_str().map(|flag| {
        let place = "NFMSDCTB".find(flag).expect("a flag of the standard");
        Value::from(place)
    });
    for (field, value) in [
        ("value", &value["avg"]["value"]),
        ("min", &value["min"]["value"]),
        ("max", &value["max"]["value"]),
        ("total", &value["cou"]["value"]),
        ("converted", &value["converted"]["value"]),
        ("valid", &value["valid"]),
        ("flag", flag.as_ref().unwrap_or(&Value::Null)),
    ] {
        if let Some(value) = number(value) {
            let series = series(&format!("cems_{field}"), Some(factor), "minute");
            points.insert((series, time), value);
        }
    }
}

fn mean(points: &mut Points, level: &str, row: &Value) {
    let kind = format!("{level}-mean");
    let time = at(row) + 1 + row["superseded"].as_i64().expect("a count");
    for (factor, figures) in row["factors"].as_object().expect("factors") {
        let limits = rows(&figures["limits"]);
        let exceeded = limits.iter().any(|limit| limit["exceeded"] == true);
        let exceeded = Value::from(exceeded);
        let multiple = limits.iter().filter_map(|limit| number(&limit["multiple"]));
        let multiple = multiple.fold(None, |a: Option<f64>, b| Some(a.map_or(b, |a| a.max(b))));
        let multiple = multiple.map_or(Value::Null, Value::from);
        let nothing = &Value::Null;
        for (field, value) in [
            ("value", &figures["mean"]),
            ("converted", &figures["converted"]),
            ("min", &figures["min"]),
            ("max", &figures["max"]),
            ("amount_kg", &figures["amount_kg"]),
            ("substituted_kg", &figures["substituted_kg"]),
            ("valid", &figures["valid"]),
            ("valid_units", &figures["valid_units"]),
            ("due_units", &figures["due_units"]),
            (
                "exceeded",
                if limits.is_empty() {
                    nothing
                } else {
                    &exceeded
                },
            ),
            ("multiple", &multiple),
        ] {
            if let Some(value) = number(value) {
                let series = series(&format!("cems_{field}"), Some(factor), &kind);
                points.insert((series, time), value);
            }
        }
    }
    if let Some(value) = number(&row["volume_m3"]) {
        points.insert((series("cems_period_volume_m3", None, &kind), time), value);
    }
}
