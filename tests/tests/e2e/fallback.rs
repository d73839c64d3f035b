//! The manual fallback: opens when valid data stop, counts what people report, says when they are
//! late, closes when valid data flow again. A minute of the city takes a fifth of a second.

use crate::inside::Inside;
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
    assert_eq!(opened["reasons"][0]["why"], "no-valid-data", "{opened:#}");
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
