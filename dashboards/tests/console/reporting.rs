//! Manual reports by form and by table, corrections, the written report, the compliance sheet.

use crate::http::{Answer, Console, Request};
use cems_core::model::Role;
use serde_json::json;

const REPORTS: &str = "/fallbacks/5/reports";
const FIELDS: [(&str, &str); 8] = [
    ("sampled_at", "2026-03-18T14:20"),
    ("value.a21026", "12.5"),
    ("value.a21002", "41"),
    ("value.a34013", ""),
    ("sampler", "Sampler A"),
    ("method", "HJ 57-2017"),
    ("laboratory", ""),
    ("note", ""),
];

const TABLE: &str = "sampled_at,sampler,method,a21026,a21002\r\n\
    2026-03-18 10:00,Sampler B,HJ 57-2017,11.5,40\r\n\
    2026-03-18 14:10,Sampler B,HJ 57-2017,12.25,41\r\n";

fn with<'a>(field: &str, value: &'a str) -> Vec<(&'static str, &'a str)> {
    let fields = FIELDS.into_iter();
    fields
        .map(|(name, old)| (name, if name == field { value } else { old }))
        .collect()
}

async fn post(
    console: &Console,
    path: &str,
    fields: &[(&str, &str)],
    files: &[(&str, &[u8])],
) -> Answer {
    let request = Request::upload(path, fields, files);
    console.ask(request.visit(Role::Operator, "en")).await
}

async fn page(console: &Console, path: &str) -> String {
    let request = Request::get(path).visit(Role::Operator, "en");
    let answer = console.ask(request).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

#[tokio::test]
async fn a_manual_report_is_kept_with_its_file_and_a_mistake_keeps_what_was_typed() {
    let console = Console::start().await;
    for (field, value, message) in [
        (
            "value.a21026",
            "12,5",
            "A value is not a number: Sulphur dioxide",
        ),
        ("sampler", "", "A required field is empty: sampler"),
        (
            "sampled_at",
            "soon",
            "The sampling time cannot be read: soon",
        ),
    ] {
        let answer = post(&console, REPORTS, &with(field, value), &[]).await;
        assert_eq!(answer.status, 422, "{message}");
        assert!(answer.body.contains(message), "{message}");
        assert!(answer.body.contains("value=\"41\""), "what was typed stays");
    }
    let files: [(&str, &[u8]); 1] = [("lab sheet.pdf", b"invented")];
    let answer = post(&console, REPORTS, &FIELDS, &files).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let body = page(&console, "/fallbacks/5").await;
    assert!(body.contains("2026-03-18 14:20:00"));
    assert!(body.contains("12.5 <small>mg/m³</small>"));
    assert!(body.contains("lab sheet.pdf"));
    assert!(
        !body.contains("class=\"pill overdue\">overdue"),
        "no longer overdue"
    );
    let denied = Request::upload(REPORTS, &FIELDS, &[]).visit(Role::DutyOfficer, "en");
    assert_eq!(console.ask(denied).await.status, 403);
}

#[tokio::test]
async fn what_is_odd_late_or_corrected_is_said_beside_the_report() {
    let console = Console::start().await;
    let body = page(&console, "/fallbacks/5").await;
    for words in [
        "entered late",
        "about ten times off the automatic mean before",
        "every value equals the report before",
        "by #34",
        "does not count",
    ] {
        assert!(body.contains(words), "{words}");
    }
    let reasons = page(&console, "/fallbacks/6").await;
    for words in [
        "Span drift",
        "lifted ",
        "validity review of 2025-Q4 was failed",
    ] {
        assert!(reasons.contains(words), "{words}: {reasons}");
    }
}

#[tokio::test]
async fn a_report_is_corrected_or_taken_back_and_both_versions_stay() {
    let console = Console::start().await;
    let form = page(&console, "/fallbacks/5?correct=35").await;
    assert!(form.contains("name=\"corrects\" value=\"35\""));
    assert!(form.contains("value=\"38\""), "filled in with the old one");
    let mut fields = FIELDS.to_vec();
    fields.push(("corrects", "35"));
    let answer = post(&console, REPORTS, &fields, &[]).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let again = post(&console, REPORTS, &fields, &[]).await;
    assert_eq!(again.status, 422);
    assert!(again.body.contains("taken back or corrected before: #35"));
    let path = "/fallbacks/5/reports/30/withdraw";
    let empty = Request::form(path, "reason=").visit(Role::Operator, "en");
    assert_eq!(console.ask(empty).await.status, 422);
    let back = Request::form(path, "reason=wrong+stack").visit(Role::Operator, "en");
    assert_eq!(console.ask(back).await.status, 303);
    let body = page(&console, "/fallbacks/5").await;
    assert!(body.contains("wrong stack") && body.contains("by #37"));
}

#[tokio::test]
async fn a_table_is_shown_before_it_is_confirmed_and_kept_whole_or_not_at_all() {
    let console = Console::start().await;
    let path = "/fallbacks/5/table";
    let bad = TABLE.replace("12.25", "twelve").replace("10:00", "25:00");
    let files: [(&str, &[u8]); 1] = [("week.csv", bad.as_bytes())];
    let refused = post(&console, path, &[], &files).await;
    assert_eq!(refused.status, 422);
    for words in ["<td>2</td><td>A</td>", "<td>3</td><td>D</td>", "twelve"] {
        assert!(refused.body.contains(words), "{words}: {}", refused.body);
    }
    let nothing = post(&console, path, &[], &[]).await;
    assert_eq!(nothing.status, 422);
    assert!(nothing.body.contains("Choose one table file"));

    let files: [(&str, &[u8]); 1] = [("week.csv", TABLE.as_bytes())];
    let shown = post(&console, path, &[], &files).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    assert!(shown.body.contains("2 reports were read"));
    assert!(shown.body.contains("<td>12.25</td>"));
    let before = page(&console, "/fallbacks/5").await;
    assert!(!before.contains("Sampler B"), "nothing is kept yet");
    let content = shown
        .body
        .split("name=\"content\" value=\"")
        .nth(1)
        .unwrap();
    let content = content.split('"').next().unwrap();
    let fields = [("name", "week.csv"), ("content", content)];
    let kept = post(&console, "/fallbacks/5/table/confirm", &fields, &[]).await;
    assert_eq!(kept.status, 303, "{}", kept.body);
    let after = page(&console, "/fallbacks/5").await;
    assert_eq!(after.matches("Sampler B").count(), 2);
    assert_eq!(
        after.matches(">week.csv</a>").count(),
        2,
        "the file is evidence"
    );
}

#[tokio::test]
async fn templates_and_sheets_are_saved_as_tables() {
    let console = Console::start().await;
    for (path, words) in [
        (
            "/api/v1/outlets/yt-01/manual-reports/template",
            "Sampled at,Sampled by,",
        ),
        (
            "/api/v1/fallbacks/5/compliance/file",
            "No.,Counted from,Due",
        ),
    ] {
        let get = |query: &str| {
            let request = Request::get(&format!("{path}{query}")).bearer(Role::Operator);
            request.header("accept-language", "en")
        };
        let csv = console.ask(get("")).await;
        assert_eq!(csv.status, 200, "{path}");
        assert!(csv.header("content-disposition").ends_with(".csv"));
        assert!(csv.body.contains(words), "{}", csv.body);
        assert_eq!(console.ask(get("?format=pdf")).await.status, 400);
    }
}

#[tokio::test]
async fn the_compliance_sheet_says_what_was_owed_and_what_came() {
    let console = Console::start().await;
    let body = page(&console, "/fallbacks/5/sheet").await;
    for words in ["Compliance sheet", "counted anew", "Longest gap", "overdue"] {
        let found = body.contains(words);
        assert_eq!(found, words != "counted anew", "{words}");
    }
    assert!(!body.contains("rule was changed"), "as the engine counted");
}

#[tokio::test]
async fn the_written_report_is_handed_in_with_a_document() {
    let console = Console::start().await;
    let path = "/fallbacks/5/written";
    let none = post(&console, path, &[("note", "x")], &[]).await;
    assert_eq!(none.status, 422);
    assert!(none.body.contains("Attach the written report"));
    let files: [(&str, &[u8]); 1] = [("report.pdf", b"invented")];
    let kept = post(&console, path, &[("note", "as agreed")], &files).await;
    assert_eq!(kept.status, 303, "{}", kept.body);
    let body = page(&console, "/fallbacks/5").await;
    assert!(body.contains("report.pdf") && body.contains("as agreed"));
    assert!(body.contains("delivered"));
}

#[tokio::test]
async fn programs_send_lists_tables_and_documents() {
    let console = Console::start().await;
    let ask = |path: &str, body: &serde_json::Value| {
        let request = Request::json(path, body).bearer(Role::Operator);
        console.ask(request.header("accept-language", "en"))
    };
    let report = |at: &str, value: &str| {
        json!({
            "sampled_at": at, "sampler": "Sampler C", "method": "HJ 57-2017",
            "laboratory": "", "note": "",
            "values": [{ "factor": "a21026", "value": value }],
            "files": [{ "name": "sheet.txt", "content_base64": "aGVsbG8=" }],
        })
    };
    let list = "/api/v1/outlets/yt-01/manual-reports/list";
    let bad = json!({ "reports": [
        report("2026-03-18T10:00:00+08:00", "1"),
        report("2099-03-18T10:00:00+08:00", "1"),
    ]});
    let refused = ask(list, &bad).await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (422, &json!("future"))
    );
    let good = json!({ "reports": [
        report("2026-03-18T10:00:00+08:00", "1.50"),
        report("2026-03-18T12:00:00+08:00", "2"),
    ]});
    assert_eq!(ask(list, &good).await.status, 200);
    let table = "/api/v1/outlets/yt-01/manual-reports/table";
    let file = |content: &str| json!({ "file": { "name": "t.csv", "content_base64": content } });
    // "sampled_at\nx\n" without sampler, method and values.
    let refused = ask(table, &file("c2FtcGxlZF9hdAp4Cg==")).await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (422, &json!("table"))
    );
    let back = json!({ "outlet": "yt-01", "reason": "test" });
    assert_eq!(
        ask("/api/v1/manual-reports/37/withdraw", &back)
            .await
            .status,
        200
    );
    assert_eq!(
        ask("/api/v1/manual-reports/999/withdraw", &back)
            .await
            .status,
        404
    );
    let written = json!({ "note": "", "files": [
        { "name": "report.pdf", "content_base64": "aGVsbG8=" }
    ]});
    assert_eq!(
        ask("/api/v1/fallbacks/5/written", &written).await.status,
        200
    );
    let detail = Request::get("/api/v1/fallbacks/5").bearer(Role::Operator);
    let detail = console.ask(detail).await.json();
    let reports = detail["reports"].as_array().unwrap();
    let mine: Vec<_> = reports
        .iter()
        .filter(|r| r["sampler"] == "Sampler C")
        .collect();
    assert_eq!(mine.len(), 2);
    assert_eq!(mine[0]["attachments"][0]["name"], "sheet.txt");
    assert_eq!(mine[0]["withdrawn"]["reason"], "test");
    assert_eq!(detail["fallback"]["written"]["delivered"][0]["late"], false);
}
