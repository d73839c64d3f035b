//! The manual fallback: opens when valid data stop, counts what people report, says when they are
//! late, closes when valid data flow again. A minute of the city takes a fifth of a second.

use crate::inside::Inside;
use crate::judgement::base64;
use cems_tests::api::rows;
use cems_tests::city::{City, GAS_MN, Outlet};
use cems_tests::time::Moment;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Simulated seconds per real second.
const SPEED: u32 = 300;
/// Longest real time for anything of this story.
const PATIENCE: Duration = Duration::from_secs(90);

const RULES: &str = "[outlet.fallback]
opens_after_min = 10
closes_after_min = 5
max_gap_min = 30
";

fn values(flag: &str) -> String {
    let codes = [
        "a34013", "a21026", "a21002", "a19001", "a01011", "a01012", "a01013", "a01014",
    ];
    let fields: Vec<String> = codes
        .iter()
        .map(|code| format!("{code}-Rtd=9.5,{code}-Flag={flag}"))
        .collect();
    fields.join(";")
}

/// Keeps sending real-time data with a flag until a fallback is as wanted.
async fn feed(
    inside: &mut Inside,
    flag: &str,
    what: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let began = Instant::now();
    loop {
        let at = inside.now();
        inside.send(GAS_MN, "2011", at, &values(flag)).await;
        let list = inside.duty.get("/api/v1/fallbacks").await;
        if let Some(found) = rows(&list).iter().find(|fallback| wanted(fallback)) {
            return found.clone();
        }
        assert!(
            began.elapsed() < PATIENCE,
            "waited for {what}; instead {list:#}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn report(inside: &Inside) {
    let body = json!({
        "sampled_at": inside.now().iso(),
        "sampler": "王试验",
        "method": "HJ 57-2017",
        "laboratory": "试验检测站",
        "values": [{"factor": "a21026", "value": "21.5"}],
        "note": "",
    });
    inside
        .jia
        .post("/api/v1/outlets/jia-1/manual-reports", &body)
        .await;
}

fn time(row: &Value, field: &str) -> Moment {
    let text = row[field].as_str();
    text.and_then(Moment::parse)
        .unwrap_or_else(|| panic!("{field} of {row:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_opens_counts_reports_complains_and_closes() {
    let city = City::empty().outlet(&Outlet::gas("jia-1", GAS_MN).table(RULES).text());
    // Far from midnight, so that the day does not end within the story.
    let start = Moment::midnight(2026, 3, 16).plus_minutes(8 * 60);
    let mut inside = Inside::start(&city, start, SPEED).await;
    for _ in 0..3 {
        let at = inside.now();
        inside.send(GAS_MN, "2011", at, &values("N")).await;
    }
    let none = inside.duty.get("/api/v1/fallbacks").await;
    assert!(
        rows(&none).is_empty(),
        "open although data are valid: {none:#}"
    );

    // The instruments report a fault: data arrive, but do not count.
    let opened = feed(&mut inside, "D", "the opening", |_| true).await;
    assert_eq!(opened["outlet"], "jia-1");
    assert_eq!(opened["reasons"][0]["why"], "equipment-state", "{opened:#}");
    let seen = opened["reasons"][0]["seen"].to_string();
    assert!(
        seen.contains('D'),
        "it says what it saw instead: {opened:#}"
    );
    let since = time(&opened["reasons"][0], "since");
    assert_eq!(
        time(&opened, "opened_at"),
        since.plus_minutes(10),
        "{opened:#}"
    );
    assert_eq!(opened["reports"], 0);
    assert!(time(&opened, "next_due") <= time(&opened, "opened_at").plus_minutes(30));

    report(&inside).await;
    let counted = feed(&mut inside, "D", "the report", |f| f["reports"] == 1).await;
    assert!(
        time(&counted, "next_due") > time(&opened, "next_due"),
        "{counted:#}"
    );

    // Nobody reports again: overdue, with an alarm.
    let late = feed(&mut inside, "D", "the delay", |f| {
        !f["overdue_since"].is_null()
    })
    .await;
    assert_eq!(
        time(&late, "overdue_since"),
        time(&counted, "next_due"),
        "{late:#}"
    );
    let overdue = |list: &Value| {
        let mut alarms = rows(list).iter();
        alarms
            .find(|alarm| alarm["kind"] == "fallback.overdue")
            .cloned()
    };
    let alarm = inside
        .duty
        .until("/api/v1/alarms?open=true", "the alarm", overdue)
        .await;
    assert_eq!(alarm["subject"], "jia-1", "{alarm:#}");

    // A restart in the middle changes nothing but the time.
    let mut inside = inside.restart().await;
    let list = inside.duty.get("/api/v1/fallbacks").await;
    let after = &rows(&list)[0];
    for field in ["id", "opened_at", "reports", "overdue_since"] {
        assert_eq!(after[field], late[field], "{field} after the restart");
    }

    report(&inside).await;
    feed(&mut inside, "D", "the second report", |f| {
        f["reports"] == 2 && f["overdue_since"].is_null()
    })
    .await;
    let closed = feed(&mut inside, "N", "the end", |f| !f["closed_at"].is_null()).await;
    assert_eq!(closed["closed_why"], "valid-data", "{closed:#}");
    assert_eq!(closed["id"], opened["id"]);
    assert!(closed["next_due"].is_null());
    let open = inside.duty.get("/api/v1/fallbacks?open=true").await;
    assert!(rows(&open).is_empty(), "{open:#}");
    inside.stop().await;
}

/// A table as a spreadsheet, with a time as spreadsheets keep it.
fn spreadsheet(sampled_at: &Moment) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let head = [
        "采样时间",
        "采样人员",
        "监测方法（标准号）",
        "二氧化硫 a21026 (mg/m³)",
    ];
    for (column, title) in (0u16..).zip(head) {
        sheet.write_string(0, column, title).expect("a title");
    }
    sheet.write_string(1, 0, sampled_at.iso()).expect("a time");
    sheet.write_string(1, 1, "王试验").expect("a name");
    sheet.write_string(1, 2, "HJ 57-2017").expect("a method");
    sheet.write_number(1, 3, 20.75).expect("a value");
    book.save_to_buffer().expect("a spreadsheet")
}

fn table(name: &str, content: &[u8]) -> Value {
    json!({ "file": { "name": name, "content_base64": base64(content) } })
}

/// Reports of fallback 1, once there are so many.
async fn reports(inside: &Inside, count: usize) -> Vec<Value> {
    let enough = |detail: &Value| {
        let list = detail["reports"].as_array().cloned().unwrap_or_default();
        (list.len() >= count).then_some(list)
    };
    inside
        .jia
        .until("/api/v1/fallbacks/1", "the reports", enough)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_files_corrections_and_the_written_report_reach_the_books() {
    let rules = "[outlet.fallback]\nlate_entry_after_min = 5\n";
    let city = City::empty().outlet(&Outlet::gas("jia-1", GAS_MN).table(rules).text());
    let start = Moment::midnight(2026, 3, 16).plus_minutes(8 * 60);
    let inside = Inside::start(&city, start, SPEED).await;
    let open = json!({ "open": true, "note": "更换分析仪（虚构）" });
    inside
        .duty
        .post("/api/v1/outlets/jia-1/fallback", &open)
        .await;
    let opened = inside
        .duty
        .until("/api/v1/fallbacks", "the opening", |list| {
            rows(list).first().map(|row| time(row, "opened_at"))
        })
        .await;
    let (first, second) = (opened.plus_minutes(1), opened.plus_minutes(12));
    while inside.now() < second {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    // A table with a mistake is refused as a whole, with its place; put right, it is kept.
    let path = "/api/v1/outlets/jia-1/manual-reports/table";
    let head = "sampled_at,sampler,method,a21026";
    let wrong = format!("{head}\n{},王试验,HJ 57-2017,twenty\n", first.iso());
    let (status, refused) = inside
        .jia
        .try_post(path, &table("a.csv", wrong.as_bytes()))
        .await;
    assert_eq!((status.as_u16(), &refused["code"]), (422, &json!("table")));
    assert!(refused.to_string().contains("D2"), "{refused:#}");
    let right = wrong.replace("twenty", "19.50");
    inside
        .jia
        .post(path, &table("a.csv", right.as_bytes()))
        .await;
    inside
        .jia
        .post(path, &table("b.xlsx", &spreadsheet(&second)))
        .await;
    let list = reports(&inside, 2).await;
    assert_eq!(list[0]["values"][0]["value"], "19.50", "exactly as written");
    assert_eq!(list[1]["values"][0]["value"], "20.75");
    assert_eq!(list[0]["entered_late"], true, "{:#}", list[0]);
    let hash = list[0]["attachments"][0]["sha256"]
        .as_str()
        .expect("a file");
    let kept = inside
        .jia
        .bytes(&format!("/api/v1/outlets/jia-1/attachments/{hash}"))
        .await;
    assert_eq!(kept, right.as_bytes(), "the table itself is evidence");

    // The first is corrected, with a photograph; both stay, one counts.
    let corrected = json!({
        "sampled_at": first.iso(), "sampler": "王试验", "method": "HJ 57-2017",
        "laboratory": "", "note": "更正", "corrects": list[0]["id"],
        "values": [{"factor": "a21026", "value": "19.05"}],
        "files": [{"name": "photo.jpg", "content_base64": base64(b"invented")}],
    });
    inside
        .jia
        .post("/api/v1/outlets/jia-1/manual-reports", &corrected)
        .await;
    let list = reports(&inside, 3).await;
    let old = list.iter().find(|row| !row["superseded_by"].is_null());
    assert_eq!(old.expect("the old one")["values"][0]["value"], "19.50");
    let sheet = inside.jia.get("/api/v1/fallbacks/1/compliance").await;
    assert_eq!(
        (&sheet["reports"], &sheet["as_counted"]),
        (&json!(2), &json!(true))
    );
    assert_eq!(sheet["in_time"], 2, "{sheet:#}");
    let file = "/api/v1/fallbacks/1/compliance/file?format=xlsx";
    assert!(inside.jia.bytes(file).await.starts_with(b"PK"));

    // The written report, and all of it after a restart.
    let document = json!({
        "note": "情况说明",
        "files": [{"name": "report.pdf", "content_base64": base64(b"a document")}],
    });
    inside
        .jia
        .post("/api/v1/fallbacks/1/written", &document)
        .await;
    let inside = inside.restart().await;
    let detail = inside.jia.get("/api/v1/fallbacks/1").await;
    let written = &detail["fallback"]["written"];
    assert_eq!(written["delivered"][0]["late"], false, "{written:#}");
    let hash = written["delivered"][0]["attachments"][0]["sha256"].as_str();
    let path = format!(
        "/api/v1/outlets/jia-1/attachments/{}",
        hash.expect("a file")
    );
    assert_eq!(inside.jia.bytes(&path).await, b"a document");
    assert_eq!(detail["reports"].as_array().map(Vec::len), Some(3));
    assert_eq!(detail["fallback"]["reports"], 2);
    inside.stop().await;
}
