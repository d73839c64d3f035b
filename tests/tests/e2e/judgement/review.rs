//! The validity review of a quarter: handed in, rejected, handed in again, accepted.

use super::{Court, SO2, file, hour, ordinary};
use cems_tests::api::rows;
use cems_tests::random::Random;
use cems_tests::wait::until;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/outlets/jia-1/reviews";

fn step(quarter: &str, step: &str, note: &str, files: &[Value]) -> Value {
    json!({"quarter": quarter, "step": step, "note": note, "files": files})
}

/// Hours of June and of July whose SO2 counts.
async fn valid(court: &Court) -> (usize, usize) {
    let hours = court.aggregates("hour").await;
    let count = |month: &str| {
        let of = hours.iter().filter(|row| {
            let start = row["start"].as_str().unwrap_or_default();
            start.starts_with(month) && row["factors"][SO2]["valid"] == true
        });
        of.count()
    };
    (count("2026-06"), count("2026-07"))
}

async fn until_valid(court: &Court, wanted: (usize, usize)) {
    until("the valid hours of June and July", async || {
        let found = valid(court).await;
        if found == wanted { Ok(()) } else { Err(found) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_a_rejected_quarter_do_not_count_until_it_is_accepted() {
    let mut court = Court::start().await;
    // Two days of the second quarter and one of the third.
    court.send(hour(-1, 0), hour(2, 0), ordinary).await;
    until_valid(&court, (48, 24)).await;
    let quarter = |so2: &Value| so2["valid"] == 48;
    court.quarter("2026-Q2", "two valid days", quarter).await;
    let before = court.figures().await;

    let (jia, supervisor) = (&court.inside.jia, &court.supervisor);
    let (status, _) = supervisor
        .try_post(PATH, &step("2026-Q2", "pass", "", &[]))
        .await;
    assert_eq!(status.as_u16(), 422, "nothing was handed in");
    let running = step("2026-Q3", "submit", "自查", &[]);
    let (status, _) = jia.try_post(PATH, &running).await;
    assert_eq!(status.as_u16(), 422, "the quarter is not over");
    let mut random = Random::of_test("judgement::review", 20_260_713);
    let (content, sent) = file(&mut random, "自查报告.docx", 20_001);
    let hand_in = step("2026-Q2", "submit", "自查报告", &[sent]);
    for (who, api) in [("duty", &court.inside.duty), ("auditor", &court.auditor)] {
        for body in [&hand_in, &step("2026-Q2", "fail", "不合格", &[])] {
            let (status, _) = api.try_post(PATH, body).await;
            assert_eq!(status.as_u16(), 403, "{who}: {body:#}");
        }
    }
    let (status, _) = supervisor.try_post(PATH, &hand_in).await;
    assert_eq!(status.as_u16(), 403, "the authority handed in");
    jia.post(PATH, &hand_in).await;
    let (status, _) = jia.try_post(PATH, &step("2026-Q2", "pass", "", &[])).await;
    assert_eq!(status.as_u16(), 403, "the enterprise decided");

    supervisor
        .post(PATH, &step("2026-Q2", "fail", "比对不合格", &[]))
        .await;
    until_valid(&court, (0, 24)).await;
    let so2 = court.of_hour(hour(0, 12), SO2).await;
    assert_eq!(so2["invalid_why"], "review-failed", "{so2:#}");
    let gone = |so2: &Value| {
        so2["valid"] == 0
            && rows(&so2["gaps"])
                .iter()
                .all(|gap| gap["why"] == "review-failed")
    };
    court.quarter("2026-Q2", "no valid hour", gone).await;

    let court = court.restart().await;
    assert_eq!(valid(&court).await, (0, 24), "a restart changes nothing");
    let supervisor = &court.supervisor;
    supervisor
        .post(PATH, &step("2026-Q2", "pass", "复测合格", &[]))
        .await;
    court.until_figures_are(&before).await;

    let list = court.auditor.get(PATH).await;
    let review = &rows(&list)[0];
    assert_eq!(
        (&review["quarter"], &review["passed"]),
        (&json!("2026-Q2"), &json!(true))
    );
    let steps: Vec<&Value> = rows(&review["steps"])
        .iter()
        .map(|step| &step["step"])
        .collect();
    assert_eq!(steps, ["submit", "fail", "pass"], "{review:#}");
    let sha256 = review["steps"][0]["attachments"][0]["sha256"].as_str();
    let path = format!(
        "/api/v1/outlets/jia-1/attachments/{}",
        sha256.expect("a hash")
    );
    assert!(court.auditor.bytes(&path).await == content, "byte for byte");
    court.adjourn().await;
}
