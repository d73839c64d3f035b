//! The JSON API: shapes, errors, and a document that tells the truth.

use crate::http::{Console, Request};
use cems_core::model::Role;
use serde_json::{Value, json};
use std::path::Path;

/// A duty that has been completed with a document.
const DONE: &str = "month-total:mingxi:2026-02";

/// Addresses with their golden files.
const GOLDEN: &[(&str, &str)] = &[
    ("overview", "/api/v1/overview"),
    ("outlet", "/api/v1/outlets/yt-01"),
    (
        "records",
        "/api/v1/outlets/qs-01/records?kind=minute&from=2026-03-18T12:00:00%2B08:00\
         &until=2026-03-18T12:20:00%2B08:00",
    ),
    (
        "aggregates",
        "/api/v1/outlets/qs-01/aggregates?from=2026-03-18T12:00:00%2B08:00\
         &until=2026-03-18T13:00:00%2B08:00",
    ),
    ("months", "/api/v1/outlets/mx-01/aggregates?level=month"),
    ("alarms-open", "/api/v1/alarms?open=true"),
    ("alarms-outlet", "/api/v1/alarms?outlet=qs-01&before=30"),
    ("alarm", "/api/v1/alarms/30"),
    (
        "alarms-shelved",
        "/api/v1/alarms?open=true&state=shelved,suppressed",
    ),
    ("desk", "/api/v1/desk"),
    ("alarm-groups", "/api/v1/alarms/groups?priority=urgent"),
    (
        "alarm-figures",
        "/api/v1/alarms/figures?from=2026-03-11T00:00:00%2B08:00",
    ),
    (
        "roster",
        "/api/v1/roster?from=2026-03-18T00:00:00%2B08:00&until=2026-03-19T00:00:00%2B08:00",
    ),
    ("fallbacks", "/api/v1/fallbacks"),
    ("fallback", "/api/v1/fallbacks/5"),
    ("fallback-reasons", "/api/v1/fallbacks/6"),
    ("compliance", "/api/v1/fallbacks/5/compliance"),
    ("quarantine", "/api/v1/quarantine"),
    ("audit", "/api/v1/audit?before=183500"),
    ("health", "/api/v1/health"),
    ("commands", "/api/v1/outlets/mx-02/commands"),
    ("exchanges", "/api/v1/exchanges?outlet=yt-01"),
    ("exchange", "/api/v1/exchanges/183702"),
    ("station", "/api/v1/station"),
    ("channels", "/api/v1/channels"),
    ("messages", "/api/v1/messages?state=dead"),
    ("destinations", "/api/v1/destinations"),
    ("outgoing", "/api/v1/outgoing"),
    ("refused-items", "/api/v1/destinations/broker/refused"),
    ("uplinks", "/api/v1/uplinks"),
    (
        "receipts",
        "/api/v1/uplinks/receipts?from=2026-03-18T13:00:00%2B08:00&outlet=qs-01",
    ),
    (
        "receipts-open",
        "/api/v1/uplinks/receipts?open=true&uplink=city&kind=minute\
         &before=1773814200000~minute~city~yt-01",
    ),
    ("uplink-gaps", "/api/v1/uplinks/gaps?outlet=yt-01"),
    ("uplink-replays", "/api/v1/uplinks/replays"),
    ("marks", "/api/v1/outlets/yt-01/marks"),
    ("marks-all", "/api/v1/marks?outlet=hy-02"),
    ("tests", "/api/v1/outlets/yt-01/tests"),
    ("reviews", "/api/v1/outlets/yt-01/reviews"),
    ("quarters", "/api/v1/outlets/hy-01/quarters"),
    ("clues", "/api/v1/clues"),
    (
        "clues-outlet",
        "/api/v1/outlets/qs-01/clues?from=2026-03-01T00:00:00%2B08:00",
    ),
    ("rates", "/api/v1/rates"),
    ("rates-of", "/api/v1/rates?of=enterprise:yuntai"),
    ("projections", "/api/v1/projections"),
    ("tax", "/api/v1/outlets/qs-01/tax?month=2026-03"),
    (
        "superseded",
        "/api/v1/outlets/qs-01/superseded?kind=minute&at=2026-03-18T12:10:00%2B08:00",
    ),
    (
        "explain",
        "/api/v1/explain?outlet=qs-01&factor=a21002&period=2026-03-18T12&depth=2",
    ),
    (
        "explain-quarter",
        "/api/v1/explain?outlet=yt-01&factor=a21026&period=2025-Q4&depth=2",
    ),
    ("duties", "/api/v1/duties?rule=month-total"),
    ("duty-rules", "/api/v1/duty-rules"),
    ("calendar", "/api/v1/calendar?month=2026-03"),
    ("checks", "/api/v1/checks"),
    ("formulas", "/api/v1/formulas"),
];

fn golden(name: &str, found: &Value) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let path = dir.join(format!("{name}.json"));
    let text = format!("{found:#}\n");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let wanted = std::fs::read_to_string(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; bless with BLESS=1", path.display()));
    assert!(
        text == wanted,
        "{name} differs from {}; see git diff after BLESS=1",
        path.display()
    );
}

#[tokio::test]
async fn shapes_are_as_published() {
    let console = Console::start().await;
    for &(name, path) in GOLDEN {
        let request = Request::get(path)
            .bearer(Role::Supervisor)
            .header("accept-language", "en");
        let answer = console.ask(request).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        golden(name, &answer.json());
    }
    golden(
        "openapi",
        &console.ask(Request::get("/api/openapi.json")).await.json(),
    );
}

/// Checks a value against the part of JSON Schema that the document uses.
fn check(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.trim_start_matches("#/components/schemas/");
        return check(
            document,
            &document["components"]["schemas"][name],
            value,
            place,
        );
    }
    if let Some(any) = schema["anyOf"].as_array() {
        return if value.is_null() {
            assert!(any.iter().any(|s| s["type"] == "null"), "{place}: null");
        } else {
            check(document, &any[0], value, place);
        };
    }
    match schema["type"].as_str() {
        Some("string") => assert!(value.is_string(), "{place}: {value}"),
        Some("boolean") => assert!(value.is_boolean(), "{place}: {value}"),
        Some("integer") => assert!(
            value.is_u64() || (value.is_i64() && schema["minimum"].is_null()),
            "{place}: {value}"
        ),
        Some("array") => {
            for (n, item) in value.as_array().expect(place).iter().enumerate() {
                check(document, &schema["items"], item, &format!("{place}[{n}]"));
            }
        }
        Some("object") => check_object(document, schema, value, place),
        other => panic!("{place}: schema of type {other:?}"),
    }
}

fn check_object(document: &Value, schema: &Value, value: &Value, place: &str) {
    let object = value.as_object().expect(place);
    let Some(properties) = schema["properties"].as_object() else {
        for (name, item) in object {
            check(
                document,
                &schema["additionalProperties"],
                item,
                &format!("{place}.{name}"),
            );
        }
        return;
    };
    let names: Vec<&String> = properties.keys().collect();
    assert_eq!(object.keys().collect::<Vec<_>>(), names, "{place}");
    for (name, item) in object {
        check(
            document,
            &properties[name],
            item,
            &format!("{place}.{name}"),
        );
    }
}

/// What an address needs to know besides its path.
fn query_of(path: &str) -> &'static str {
    match path {
        "/api/v1/explain" => "?outlet=qs-01&factor=a21002&period=2026-03-18T12&depth=7",
        "/api/v1/outlets/{id}/superseded" => "?at=2026-03-18T12:10:00%2B08:00",
        _ => "",
    }
}

#[tokio::test]
async fn the_document_covers_every_route_and_every_answer_fits_it() {
    let console = Console::start().await;
    let document = console.ask(Request::get("/api/openapi.json")).await.json();
    let paths = document["paths"].as_object().unwrap();
    let reviews = Request::get("/api/v1/outlets/qs-01/reviews").bearer(Role::Supervisor);
    let reviews = console.ask(reviews).await.json();
    let file = &reviews[0]["steps"][0]["attachments"][0]["sha256"];
    let file = file.as_str().unwrap().to_owned();
    let done = Request::get(&format!("/api/v1/duties/{DONE}")).bearer(Role::Supervisor);
    let done = console.ask(done).await.json();
    let handed_in = done["duty"]["done"]["attachments"][0]["sha256"].as_str();
    let handed_in = handed_in.unwrap().to_owned();
    let mut answered = 0;
    for (path, operations) in paths.iter().filter(|(path, _)| path.starts_with("/api/")) {
        for (method, operation) in operations.as_object().unwrap() {
            let id = match path.split('/').nth(3) {
                Some("outlets") => "qs-01",
                Some("fallbacks") => "5",
                Some("exchanges") => "184190",
                Some("duties") => DONE,
                _ => "30",
            };
            let address = path.replace("{id}", id).replace("{key}", id);
            let address = format!("{address}{}", query_of(path));
            let sha256 = if id == DONE { &handed_in } else { &file };
            let address = address.replace("{sha256}", sha256);
            if method == "post" {
                let denied = console.ask(Request::json(&address, &json!({}))).await;
                assert_eq!(denied.status, 403, "{path} takes no anonymous write");
                let odd = Request::json(&address, &json!({ "x": 1 })).bearer(Role::Supervisor);
                let status = console.ask(odd).await.status;
                let bare = operation.get("requestBody").is_none() && status == 422;
                assert!(
                    status == 400 || status == 403 || bare,
                    "{path} exists: {status}"
                );
                continue;
            }
            assert_eq!(
                console.ask(Request::get(&address)).await.status,
                401,
                "{path}"
            );
            let answer = console
                .ask(Request::get(&address).bearer(Role::Supervisor))
                .await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
            answered += 1;
            let content = &operation["responses"]["200"]["content"];
            if content["application/octet-stream"].is_object() {
                assert_eq!(answer.header("content-type"), "application/octet-stream");
                continue;
            }
            let schema = &content["application/json"]["schema"];
            check(&document, schema, &answer.json(), path);
        }
    }
    assert_eq!(answered, 53);
    for open in ["/healthz", "/readyz", "/metrics"] {
        assert!(paths.contains_key(open), "{open}");
    }
}

#[tokio::test]
async fn errors_are_problems_with_a_code_and_a_text_in_the_language_asked_for() {
    let console = Console::start().await;
    let wrong = Request::get("/api/v1/overview").header("authorization", "Bearer wrong");
    let wrong = wrong
        .header("accept-language", "en")
        .header("cookie", "cems_session=canned-auditor");
    let answer = console.ask(wrong).await;
    assert_eq!(
        answer.status, 401,
        "a wrong token never falls back to the cookie"
    );
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    assert_eq!(answer.json()["code"], "unauthenticated");

    for (path, status, code, text) in [
        (
            "/api/v1/alarms/999",
            404,
            "not-found",
            "没有找到，或您无权查看。",
        ),
        (
            "/api/v1/alarms/x",
            404,
            "not-found",
            "没有找到，或您无权查看。",
        ),
        (
            "/api/v1/nothing",
            404,
            "not-found",
            "没有找到，或您无权查看。",
        ),
        (
            "/api/v1/outlets/qs-01/records?kind=week",
            400,
            "bad-request",
            "kind week",
        ),
        (
            "/api/v1/outlets/qs-01/records?from=now",
            400,
            "bad-request",
            "time now",
        ),
        (
            "/api/v1/outlets/qs-01/records?from=2020-01-01T00:00:00Z",
            400,
            "bad-request",
            "until - from > 31 d",
        ),
    ] {
        let answer = console.ask(Request::get(path).bearer(Role::Auditor)).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.json()["code"], code, "{path}");
        assert!(
            answer.json()["text"].as_str().unwrap().contains(text),
            "{path}"
        );
    }
    let audit = Request::get("/api/v1/audit").bearer(Role::DutyOfficer);
    assert_eq!(console.ask(audit).await.json()["code"], "forbidden");
}

#[tokio::test]
async fn a_program_answers_an_alarm_and_submits_a_report() {
    let console = Console::start().await;
    let note = json!({ "note": "seen by the control room" });
    let path = "/api/v1/alarms/30/acknowledge";
    let answer = console
        .ask(Request::json(path, &note).bearer(Role::DutyOfficer))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        answer.json(),
        json!({ "seq": 184_211, "at": "2026-03-18T14:32:10+08:00" })
    );
    let refused = Request::json(path, &note).bearer(Role::DutyOfficer);
    let refused = console.ask(refused.header("accept-language", "en")).await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (422, &json!("already-acknowledged"))
    );

    let mut report = json!({
        "sampled_at": "2026-03-18T14:20:00+08:00",
        "sampler": "Sampler A",
        "method": "HJ 57-2017",
        "laboratory": "",
        "values": [{ "factor": "a21026", "value": "12.50" }],
        "note": "",
    });
    let path = "/api/v1/outlets/yt-01/manual-reports";
    let answer = console
        .ask(Request::json(path, &report).bearer(Role::Operator))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let detail = console
        .ask(Request::get("/api/v1/fallbacks/5").bearer(Role::Operator))
        .await;
    let reports = detail.json()["reports"].as_array().unwrap().clone();
    assert_eq!(
        reports.last().unwrap()["values"][0]["value"],
        "12.50",
        "exactly as sent"
    );

    report["values"] = json!([]);
    let empty = console
        .ask(Request::json(path, &report).bearer(Role::Operator))
        .await;
    assert_eq!(empty.json()["code"], "no-values");
    report["colour"] = json!("blue");
    let odd = console
        .ask(Request::json(path, &report).bearer(Role::Operator))
        .await;
    assert_eq!(
        (odd.status, &odd.json()["code"]),
        (400, &json!("bad-request"))
    );
    let denied = console
        .ask(Request::json(path, &report).bearer(Role::Supervisor))
        .await;
    assert_eq!(denied.status, 403);
}
