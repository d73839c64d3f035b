//! Tests of the equipment: a failed one takes the hours back to the last passed one and on to the
//! next; a logger reports its own checks.

use super::{Court, SO2, WATER_MN, hour, one, ordinary};
use cems_tests::api::{Api, rows};
use cems_tests::logger::Frame;
use cems_tests::time::Moment;
use cems_tests::wait::until;
use serde_json::{Value, json};

/// Span drift of SO2 of `pct` of the full scale of 500 mg/m3.
fn drift(at: Moment, pct: i64) -> Value {
    let measured = (400 + pct * 5).to_string();
    json!({
        "factor": SO2, "kind": "span-drift", "at": at.iso(),
        "pairs": [{"reference": "400", "measured": measured}],
        "full_scale": null, "note": "量程气 400 mg/m3", "files": [],
    })
}

async fn test(api: &Api, body: &Value) -> u64 {
    let receipt = api.post("/api/v1/outlets/jia-1/tests", body).await;
    receipt["seq"].as_u64().expect("a position")
}

/// Hours whose SO2 does not count, with the reason.
async fn invalid(court: &Court) -> Vec<(Moment, String)> {
    let hours = court.aggregates("hour").await;
    let bad = hours
        .iter()
        .filter(|row| row["factors"][SO2]["valid"] == false);
    bad.map(|row| {
        let start = row["start"].as_str().and_then(Moment::parse);
        let why = row["factors"][SO2]["invalid_why"].as_str().unwrap_or("");
        (start.expect("a time"), why.to_owned())
    })
    .collect()
}

/// Waits until exactly the hours from one to another are out of control.
async fn out_of_control(court: &Court, from: Moment, end: Moment) {
    let mut wanted = Vec::new();
    let mut at = from;
    while at < end {
        wanted.push((at, "out-of-control".to_owned()));
        at = at.plus_minutes(60);
    }
    until("the hours out of control", async || {
        let found = invalid(court).await;
        if found == wanted { Ok(()) } else { Err(found) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_drift_test_takes_hours_out_and_a_passed_one_ends_it() {
    let mut court = Court::start().await;
    court.send(hour(6, 0), hour(13, 0), ordinary).await;
    let valid = |so2: &Value| so2["valid"] == 7 * 24;
    court
        .quarter("2026-Q3", "a week of valid hours", valid)
        .await;
    let jia = &court.inside.jia;

    let (status, _) = court
        .inside
        .duty
        .try_post("/api/v1/outlets/jia-1/tests", &drift(hour(8, 9), 1))
        .await;
    assert_eq!(status.as_u16(), 403, "a duty officer entered a test");
    let (status, _) = jia
        .try_post("/api/v1/outlets/yi-1/tests", &drift(hour(8, 9), 1))
        .await;
    assert_eq!(status.as_u16(), 404, "a test of another's equipment");

    test(jia, &drift(hour(8, 9), 1)).await;
    let before = court.figures().await;
    let failed = test(jia, &drift(hour(10, 9).plus_minutes(30), 12)).await;
    out_of_control(&court, hour(8, 9), hour(13, 0)).await;
    let gone = |so2: &Value| {
        rows(&so2["gaps"])
            .iter()
            .any(|gap| gap["why"] == "out-of-control")
    };
    court.quarter("2026-Q3", "a gap out of control", gone).await;
    // The next one is entered by the authority, and asks for adjustment: within control.
    let next = test(&court.supervisor, &drift(hour(11, 9).plus_minutes(30), 4)).await;
    out_of_control(&court, hour(8, 9), hour(11, 10)).await;

    let list = jia.get("/api/v1/outlets/jia-1/tests").await;
    let row = one(&list, "the failed test", |row| row["id"] == failed);
    assert_eq!(row["outcome"], "failed", "{row:#}");
    assert_eq!(
        (&row["result"], &row["limit"]),
        (&json!("12"), &json!("10"))
    );
    assert_eq!(row["profile"], "hj75-2017@2", "{row:#}");
    one(&list, "the passed test", |row| row["outcome"] == "passed");
    one(&list, "the other test", |row| row["outcome"] == "adjust");
    let path = "/api/v1/explain?outlet=jia-1&factor=a21026&period=2026-07-09T12&format=text";
    let why = String::from_utf8(court.inside.duty.bytes(path).await).expect("text");
    for part in ["out-of-control", "12 / 10", "drift %FS", "(failed)"] {
        assert!(why.contains(part), "{part} in {why}");
    }

    // Tests that were entered by mistake are taken back, and with them what they did.
    for id in [failed, next] {
        let path = format!("/api/v1/tests/{id}/withdraw");
        let why = json!({"outlet": "jia-1", "reason": "量程气已过期"});
        jia.post(&path, &why).await;
    }
    let court = court.restart().await;
    court.until_figures_are(&before).await;
    court.adjourn().await;
}

/// An automatic check with standards as a logger of 2025 reports it (CN 2062).
#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_a_logger_reports_is_a_test_with_a_verdict() {
    let mut court = Court::start().await;
    let at = hour(14, 3);
    let cp = format!(
        "DataTime={};w01018-SampleRd=104,w01018-StandardValue=100,w01018-ResultType=1;\
         w21003-SampleRd=6.0,w21003-StandardValue=5.0,w21003-ResultType=0",
        at.digits()
    );
    let frame = Frame {
        st: "32".to_owned(),
        flag: Some(9),
        ..Frame::new(WATER_MN, "2062", &cp)
    };
    // A logger that heard no answer says it again.
    for _ in 0..2 {
        court.inside.logger.send(frame.text()).await.expect("sent");
        let answer = court.inside.logger.answer().await;
        assert!(answer.contains("CN=9014;"), "{answer}");
    }
    let path = "/api/v1/outlets/yi-1/tests";
    let list = court
        .inside
        .duty
        .until(path, "both factors", |list| {
            (list.as_array()?.len() == 2).then(|| list.clone())
        })
        .await;
    for (factor, result, outcome) in [("w01018", "4", "passed"), ("w21003", "20", "failed")] {
        let row = one(&list, factor, |row| row["factor"] == factor);
        assert_eq!(row["kind"], "standard-sample", "{row:#}");
        assert_eq!(
            (&row["by"], &row["from_cn"]),
            (&json!("device"), &json!("2062"))
        );
        assert_eq!(
            row["at"].as_str().and_then(Moment::parse),
            Some(at),
            "{row:#}"
        );
        assert_eq!(row["outcome"], outcome, "{row:#}");
        assert_eq!(
            (&row["result"], &row["limit"]),
            (&json!(result), &json!("10")),
            "{row:#}"
        );
    }
    court.adjourn().await;
}
