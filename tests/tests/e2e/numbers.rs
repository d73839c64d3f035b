//! Why is this number what it is? A published day is sent over TCP, and every hour of it is
//! explained: on the command line and by the API alike, from the figures a device sent to the
//! verdict. Then the whole year is computed again and compared with the books.

use crate::Town;
use crate::published::{GAS, WATER, hours, midnight, send_day};
use cems_tests::city::{City, GAS_MN, WATER_MN};
use cems_tests::process::{assert_books_hold, run};
use reqwest::StatusCode;
use serde_json::{Map, Value, json};
use std::path::Path;

/// The outlets with the factor that is explained.
const ASKED: [(&str, &str); 2] = [("jia-1", "a21002"), ("yi-1", "w01018")];

/// What `cemsd` prints about a data directory.
fn printed(data: &Path, command: &[&str], options: &[&str]) -> String {
    let data = data
        .to_str()
        .expect("temporary directories have plain names");
    let output = run(&[command, &["--data", data], options].concat(), b"");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cemsd {command:?}: {error}");
    String::from_utf8(output.stdout).expect("text")
}

/// A node as the command line prints it, in the shape that the API gives it.
fn in_the_shape_of_the_api(node: &Value) -> Value {
    let mut out = Map::new();
    let fields = node.as_object().expect("a node");
    let text = |zh: &str, en: &str| json!({"zh": fields[zh], "en": fields[en]});
    for (name, value) in fields {
        match name.as_str() {
            "label_zh" => {
                out.insert("label".to_owned(), text("label_zh", "label_en"));
            }
            "label_en" => {}
            "verdict" => {
                let words = json!({"zh": value["zh"], "en": value["en"]});
                let (outcome, code) = (&value["outcome"], &value["code"]);
                let verdict = json!({"outcome": outcome, "code": code, "text": words});
                out.insert(name.clone(), verdict);
            }
            "children" => {
                let children = value.as_array().expect("a list").iter();
                let children = children.map(in_the_shape_of_the_api).collect();
                out.insert(name.clone(), Value::Array(children));
            }
            _ => {
                out.insert(name.clone(), value.clone());
            }
        }
    }
    Value::Object(out)
}

/// The same without what is absent: `null`, empty lists, nothing omitted.
fn bare(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let said = fields.iter().filter(|(name, value)| {
                let empty = value.as_array().is_some_and(Vec::is_empty);
                let none = *name == "omitted" && **value == 0;
                !(value.is_null() || empty || none)
            });
            Value::Object(said.map(|(name, v)| (name.clone(), bare(v))).collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(bare).collect()),
        other => other.clone(),
    }
}

/// Every verdict in a derivation, with the label it stands at.
fn verdicts<'a>(node: &'a Value, found: &mut Vec<(&'a Value, &'a Value)>) {
    if let Some(verdict) = node.get("verdict") {
        found.push((&node["label"]["en"], verdict));
    }
    for child in node["children"].as_array().into_iter().flatten() {
        verdicts(child, found);
    }
}

/// The explanation of a figure, the same from the command line and from the API.
async fn explained(town: &Town, (outlet, factor): (&str, &str), period: &str) -> Value {
    let command = ["explain", outlet, factor, period];
    let text = printed(&town.data(), &command, &["--json"]);
    let line: Value = serde_json::from_str(&text).expect("JSON");
    let path = format!("/api/v1/explain?outlet={outlet}&factor={factor}&period={period}");
    let node = bare(&town.api.get(&path).await);
    assert_eq!(bare(&in_the_shape_of_the_api(&line)), node, "{period}");
    node
}

/// An explained mean says whether it counts and why, and agrees with the books.
fn sound(node: &Value, row: &Value, period: &str) {
    let mut all = Vec::new();
    verdicts(node, &mut all);
    let differs = all.iter().find(|(_, verdict)| verdict["code"] == "differs");
    assert!(differs.is_none(), "{period}: {node:#}");
    let agrees = all.iter().any(|(_, verdict)| verdict["code"] == "agrees");
    assert!(agrees, "{period} is compared with the books: {node:#}");
    let verdict = &node["verdict"];
    let outcome = match row["valid"] == true {
        true => "valid",
        false => "invalid",
    };
    assert_eq!(verdict["outcome"], outcome, "{period}: {node:#}");
    for lang in ["zh", "en"] {
        let why = verdict["text"][lang].as_str().unwrap_or_default();
        assert!(!why.is_empty(), "{period}: {node:#}");
    }
    assert_eq!(node["value"].is_null(), row["mean"].is_null(), "{period}");
}

/// The day's row, once it has been computed from the last of its hours.
async fn day(town: &Town, outlet: &str, hours: &[Value]) -> Value {
    let newest = hours.iter().filter_map(|hour| hour["seq"].as_u64()).max();
    let until = midnight().plus_minutes(1_440);
    let path = format!(
        "/api/v1/outlets/{outlet}/aggregates?level=day&from={}&until={}",
        midnight().iso(),
        until.iso()
    );
    town.api
        .until(&path, "the day computed from all its hours", |list| {
            let day = list.as_array()?.first()?;
            (day["complete"] == true && day["seq"].as_u64() >= newest).then(|| day.clone())
        })
        .await
}

/// Hour 15 of the stack: converting the mean of the hour gives 198.4 of 200 mg/m3, from 45 valid
/// minutes; converting each minute first would give 202.0.
fn hour_15(town: &Town, node: &Value) {
    let mut all = Vec::new();
    verdicts(node, &mut all);
    let within = all.iter().any(|(_, v)| v["outcome"] == "within");
    let exceeded = all.iter().any(|(_, v)| v["outcome"] == "exceeded");
    assert!(within && !exceeded, "{node:#}");
    let command = ["explain", "jia-1", "a21002", "2020-03-31T14"];
    for (lang, formula, counts) in [("zh", "公式 ", "45"), ("en", "formula ", "45")] {
        let text = printed(&town.data(), &command, &["--lang", lang]);
        let converted = text
            .lines()
            .find(|line| line.contains("198.448"))
            .unwrap_or_else(|| panic!("the converted value: {text}"));
        assert!(converted.contains(formula), "{converted}");
        assert!(
            converted.contains("(21 − 6) ÷ (21 − 7.245111111111)"),
            "the values put in: {converted}"
        );
        assert!(text.contains(counts), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hour_of_a_day_is_explained_and_a_year_is_computed_again() {
    let mut town = Town::start(&City::default()).await;
    send_day(&town, GAS_MN, "31", "day-gas.csv", &GAS).await;
    send_day(&town, WATER_MN, "32", "day-water.csv", &WATER).await;
    for (outlet, factor) in ASKED {
        let hours = hours(&town, outlet).await;
        let day = day(&town, outlet, &hours).await;
        for (number, hour) in hours.iter().enumerate() {
            let period = format!("2020-03-31T{number:02}");
            let node = explained(&town, (outlet, factor), &period).await;
            sound(&node, &hour["factors"][factor], &period);
            if (outlet, number) == ("jia-1", 14) {
                hour_15(&town, &node);
            }
        }
        let node = explained(&town, (outlet, factor), "2020-03-31").await;
        sound(&node, &day["factors"][factor], "2020-03-31");
    }
    let path = "/api/v1/explain?outlet=jia-1&factor=a21002&period=yesterday";
    let (status, _) = town.api.try_get(path).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "no such period");

    recomputed(&town.data());
    assert!(town.daemon.stop().await.success());
    recomputed(&town.data());
    assert_books_hold(&town.data());
}

/// A year computed again from the records is the year in the books, also beside a running daemon.
fn recomputed(data: &Path) {
    let command = ["recompute", "--year", "2020"];
    let text = printed(data, &command, &["--json"]);
    let report: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(report["differences"], 0, "{report:#}");
    assert_eq!(report["damaged"], 0, "{report:#}");
    assert_eq!(report["hours"], 48, "{report:#}");
    assert_eq!(report["outlets"], 2, "{report:#}");
    let text = printed(data, &command, &[]);
    assert!(text.contains("all as in the books"), "{text}");
}
