//! A mark takes hours out of the figures, late ones do not, and a withdrawal brings all back.

use super::{Court, DAY_H, NOX, SO2, exact, file, hour, mark, one, ordinary};
use crate::alarms::raised;
use cems_tests::api::{Api, rows};
use cems_tests::random::Random;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Hours of the thirteen days that are over.
const HOURS: i64 = 13 * DAY_H;
/// Of these at the end: over the limit.
const OVER: i64 = 3;

/// Thirteen days, their last three hours over the limit of 50 mg/m3.
async fn fortnight() -> Court {
    let mut court = Court::start().await;
    let last = hour(14, 0);
    let over = last.plus_minutes(-OVER * 60);
    let so2 = |at| match at < over {
        true => ordinary(at),
        false => "80.0".to_owned(),
    };
    court.send(hour(1, 0), last, so2).await;
    court
        .quarter("2026-Q3", "thirteen valid days", |so2| {
            so2["valid"] == HOURS
        })
        .await;
    court
}

/// Marks as the list of the outlet has them.
async fn marks(api: &Api) -> Value {
    api.get("/api/v1/outlets/jia-1/marks").await
}

async fn july(court: &Court) -> Value {
    let months = court.aggregates("month").await;
    months.last().expect("a month")["factors"][SO2].clone()
}

/// Nobody else may enter a mark, nor the enterprise one for another's outlet.
async fn refused(court: &Court, body: &Value) {
    let inside = &court.inside;
    for (who, api) in [("duty", &inside.duty), ("auditor", &court.auditor)] {
        let (status, answer) = api.try_post("/api/v1/marks", body).await;
        assert_eq!(status.as_u16(), 403, "{who} entered a mark: {answer:#}");
    }
    let (status, _) = court.supervisor.try_post("/api/v1/marks", body).await;
    assert_eq!(status.as_u16(), 403, "the authority made a statement");
    let mut others = body.clone();
    others["outlet"] = json!("yi-1");
    others["factors"] = json!([]);
    let (status, _) = inside.jia.try_post("/api/v1/marks", &others).await;
    assert_eq!(status.as_u16(), 404, "another's outlet is not seen");
    let (status, _) = inside.jia.try_get("/api/v1/outlets/yi-1/marks").await;
    assert_eq!(status.as_u16(), 404, "another's outlet is not seen");
    for (field, wrong) in [
        ("reason", json!(" ")),
        ("until", body["from"].clone()),
        ("factors", json!(["a01001x"])),
        ("kind", json!("rain")),
    ] {
        let mut mistaken = body.clone();
        mistaken[field] = wrong;
        let (status, answer) = inside.jia.try_post("/api/v1/marks", &mistaken).await;
        assert!(status.is_client_error(), "{field}: {answer:#}");
    }
    assert!(
        rows(&marks(&inside.duty).await).is_empty(),
        "nothing was entered"
    );
}

/// The month says what was put in: for each of the three hours the greatest of the 180 before.
async fn substituted(court: &Court, before: &Value) {
    let so2 = court
        .quarter("2026-Q3", "three invalid hours", |so2| {
            so2["invalid"] == OVER
        })
        .await;
    let hours = court.aggregates("hour").await;
    let earlier = hours.iter().rev().skip(3).take(180);
    let greatest = earlier
        .map(|row| exact(&row["factors"][SO2]["amount_kg"]))
        .max();
    let greatest = greatest.expect("hours");
    let gap = one(&so2["gaps"], "a gap", |_| true);
    assert_eq!(gap["hours"], OVER, "{gap:#}");
    assert_eq!(gap["why"], "invalid", "{gap:#}");
    assert_eq!(gap["provisional"]["rule"], "max-180", "{gap:#}");
    assert_eq!(exact(&gap["provisional"]["unit_kg"]), greatest, "{gap:#}");
    let put_in = greatest * Decimal::from(OVER);
    assert_eq!(exact(&so2["substituted_kg"]), put_in, "{so2:#}");

    let month = july(court).await;
    assert_eq!(exact(&month["substituted_kg"]), put_in, "{month:#}");
    let measured = exact(&month["amount_kg"]);
    assert!(measured < exact(&before["amount_kg"]), "{month:#}");
    assert!(before["substituted_kg"].is_null(), "{before:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_takes_hours_out_and_its_withdrawal_brings_every_figure_back() {
    let court = fortnight().await;
    let jia = &court.inside.jia;
    let alarm = raised(jia, "exceedance.hour", |a| a["active"] == true).await;
    assert_eq!(alarm["count"], OVER, "{alarm:#}");
    let (before, month) = (court.figures().await, july(&court).await);

    let mut random = Random::of_test("judgement::mark", 20_260_714);
    let (content, sent) = file(&mut random, "维修记录 1.pdf", 300_000);
    let from = hour(14, -OVER);
    let body = mark("jia-1", from, hour(14, 0), &[sent]);
    refused(&court, &body).await;
    let receipt = jia.post("/api/v1/marks", &body).await;
    let id = receipt["seq"].as_u64().expect("a position");
    substituted(&court, &month).await;
    let (marked, other) = (
        court.of_hour(from, SO2).await,
        court.of_hour(from, NOX).await,
    );
    assert_eq!(marked["valid"], false, "{marked:#}");
    assert!(
        rows(&marked["limits"]).is_empty(),
        "nothing is judged: {marked:#}"
    );
    assert_eq!(other["valid"], true, "the other factors count: {other:#}");
    let path = format!("/api/v1/alarms/{}", alarm["id"]);
    let gone = jia.get(&path).await["alarm"].clone();
    assert_eq!(gone["active"], false, "{gone:#}");
    assert_eq!(gone["count"], 0, "no hour is over its limit: {gone:#}");

    let list = marks(&court.inside.duty).await;
    let row = one(&list, "the mark", |row| row["id"] == id);
    assert_eq!(row["by"], "jia-program", "{row:#}");
    assert_eq!(
        (&row["late"], &row["counts"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(row["attachments"][0]["name"], "维修记录 1.pdf", "{row:#}");
    let sha256 = row["attachments"][0]["sha256"].as_str().expect("a hash");
    let path = format!("/api/v1/outlets/jia-1/attachments/{sha256}");
    assert!(court.auditor.bytes(&path).await == content, "byte for byte");
    let foreign = path.replace("jia-1", "yi-1");
    let (status, _) = court.auditor.try_get(&foreign).await;
    assert_eq!(status.as_u16(), 404, "no entry of that outlet names it");

    // Twelve days after its period: ten were allowed.
    let body = mark("jia-1", hour(2, 0), hour(2, 6), &[]);
    let receipt = jia.post("/api/v1/marks", &body).await;
    let list = marks(&court.inside.duty).await;
    let late = one(&list, "the late mark", |row| row["id"] == receipt["seq"]);
    assert_eq!(
        (&late["late"], &late["counts"]),
        (&json!(true), &json!(false))
    );

    let withdraw = format!("/api/v1/marks/{id}/withdraw");
    let why = json!({"outlet": "jia-1", "reason": "录入有误"});
    let (status, _) = court.inside.duty.try_post(&withdraw, &why).await;
    assert_eq!(status.as_u16(), 403, "a duty officer took a mark back");
    jia.post(&withdraw, &why).await;
    // The late mark is still there: it changes nothing.
    court.until_figures_are(&before).await;
    let (status, answer) = jia.try_post(&withdraw, &why).await;
    assert_eq!(status.as_u16(), 422, "twice: {answer:#}");
    let again = raised(jia, "exceedance.hour", |a| a["count"] == OVER).await;
    assert_eq!(
        again["since"]
            .as_str()
            .and_then(cems_tests::time::Moment::parse),
        Some(from)
    );

    let list = marks(jia).await;
    let court = court.restart().await;
    assert_eq!(
        marks(&court.inside.jia).await,
        list,
        "a restart changes nothing"
    );
    let row = one(&list, "the mark", |row| row["id"] == id);
    assert_eq!(row["withdrawn"]["reason"], "录入有误", "{row:#}");
    assert_eq!(court.figures().await, before);
    assert!(court.auditor.bytes(&path).await == content, "byte for byte");
    court.adjourn().await;
}
