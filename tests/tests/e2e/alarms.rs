//! An alarm's life, through the API: raised when an hour is over its limit, noticed by a person,
//! back to normal, closed with a conclusion; and the amount against the permit.

use crate::inside::Inside;
use cems_tests::api::{Api, rows};
use cems_tests::city::{City, GAS_MN, Outlet};
use cems_tests::time::Moment;
use serde_json::{Value, json};

/// A stack's minute with SO2 at the value given; oxygen is at its reference, so that converted and
/// measured are the same.
pub(crate) fn minute(so2: &str) -> String {
    let pairs = [
        ("a34013", "5.0"),
        ("a21026", so2),
        ("a21002", "100"),
        ("a19001", "6.0"),
        ("a01011", "10.0"),
        ("a01012", "80"),
        ("a01013", "-0.2"),
        ("a01014", "10"),
    ];
    let fields: Vec<String> = pairs
        .iter()
        .map(|(code, avg)| format!("{code}-Avg={avg},{code}-Flag=N"))
        .collect();
    fields.join(";")
}

fn of_kind<'a>(list: &'a Value, kind: &str) -> Vec<&'a Value> {
    rows(list)
        .iter()
        .filter(|alarm| alarm["kind"] == kind)
        .collect()
}

pub(crate) async fn raised(api: &Api, kind: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    api.until("/api/v1/alarms", kind, |list| {
        of_kind(list, kind)
            .into_iter()
            .find(|alarm| wanted(alarm))
            .cloned()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exceedance_is_raised_answered_and_closed_and_a_restart_changes_nothing() {
    let start = Moment::midnight(2026, 3, 16).plus_minutes(10 * 60 + 5);
    let first = start.floor_hour().plus_minutes(-4 * 60);
    let mut inside = Inside::start(&City::default(), start, 1).await;
    inside.send_hour(GAS_MN, first, &minute("80.0")).await;
    let alarm = raised(&inside.duty, "exceedance.hour", |a| a["active"] == true).await;
    let id = alarm["id"].as_u64().expect("a number");
    assert_eq!(alarm["subject"], "jia-1", "{alarm:#}");
    assert_eq!(alarm["factor"], "a21026", "{alarm:#}");
    assert_eq!(alarm["enterprise"], "jia");
    assert_eq!(
        alarm["since"].as_str().and_then(Moment::parse),
        Some(first),
        "{alarm:#}"
    );
    let number = |v: &Value| v.as_str().and_then(|t| t.parse::<f64>().ok());
    assert_eq!(number(&alarm["value"]), Some(80.0), "{alarm:#}");
    assert_eq!(number(&alarm["threshold"]), Some(50.0), "{alarm:#}");
    assert!(
        alarm["title"]
            .as_str()
            .is_some_and(|title| !title.is_empty())
    );

    // While the condition holds it cannot be closed; the enterprise cannot answer for the desk.
    let close = format!("/api/v1/alarms/{id}/close");
    let acknowledge = format!("/api/v1/alarms/{id}/acknowledge");
    let conclusion = json!({"conclusion": "试验结束"});
    let (status, _) = inside.duty.try_post(&close, &conclusion).await;
    assert!(
        status.is_client_error(),
        "an active alarm was closed: {status}"
    );
    let (status, _) = inside
        .jia
        .try_post(&acknowledge, &json!({"note": "x"}))
        .await;
    assert_eq!(
        status.as_u16(),
        403,
        "the enterprise answered the desk's alarm"
    );
    let (status, _) = inside
        .duty
        .try_post(&acknowledge, &json!({"note": " "}))
        .await;
    assert!(
        status.is_client_error(),
        "an empty note was taken: {status}"
    );

    let mut inside = inside.restart().await;
    let path = format!("/api/v1/alarms/{id}");
    assert_eq!(
        inside.duty.get(&path).await["alarm"],
        alarm,
        "the restart changed the alarm"
    );

    inside
        .duty
        .post(&acknowledge, &json!({"note": "已通知企业"}))
        .await;
    let noticed = inside.duty.get(&path).await;
    assert_eq!(
        noticed["alarm"]["acknowledged"]["text"], "已通知企业",
        "{noticed:#}"
    );
    assert_eq!(noticed["alarm"]["acknowledged"]["by"], "duty-program");

    // The next hour is within the limit: back to normal. Then it may be closed.
    inside
        .send_hour(GAS_MN, first.plus_minutes(60), &minute("20.0"))
        .await;
    raised(&inside.duty, "exceedance.hour", |a| {
        a["id"] == id && a["active"] == false
    })
    .await;
    inside.duty.post(&close, &conclusion).await;
    let mut inside = inside.restart().await;
    let closed = inside.duty.get(&path).await;
    assert_eq!(closed["alarm"]["closed"]["text"], "试验结束", "{closed:#}");
    let open = inside.duty.get("/api/v1/alarms?open=true").await;
    assert!(of_kind(&open, "exceedance.hour").is_empty(), "{open:#}");
    let history: Vec<&str> = rows(&closed["history"])
        .iter()
        .filter_map(|line| line["what"].as_str())
        .collect();
    for what in ["alarm.raised", "alarm.acknowledged", "alarm.closed"] {
        assert!(history.contains(&what), "{what} is missing in {history:?}");
    }

    // The next time is a new alarm that names the last one.
    inside
        .send_hour(GAS_MN, first.plus_minutes(120), &minute("90.0"))
        .await;
    let again = raised(&inside.duty, "exceedance.hour", |a| a["id"] != id).await;
    assert_eq!(again["previous"], id, "{again:#}");
    assert_eq!(again["acknowledged"], Value::Null);
    inside.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_near_its_permit_warns_and_over_it_alarms() {
    let permitted = r#"[[outlet.permitted]]
factor = "a21026"
period = "year"
amount_kg = 100
"#;
    let outlet = Outlet::gas("jia-1", GAS_MN).table(permitted).text();
    let start = Moment::midnight(2026, 3, 16).plus_minutes(10 * 60 + 5);
    let mut inside = Inside::start(&City::empty().outlet(&outlet), start, 1).await;
    let first = start.floor_hour().plus_minutes(-6 * 60);
    // 720,000 m3/h of flue gas are about 500,000 m3/h dry standard: 40 mg/m3 give about 20 kg.
    for hour in 0..4 {
        inside
            .send_hour(GAS_MN, first.plus_minutes(hour * 60), &minute("40.0"))
            .await;
    }
    let warning = raised(&inside.duty, "amount.warning", |_| true).await;
    assert_eq!(warning["factor"], "a21026", "{warning:#}");
    let none = inside.duty.get("/api/v1/alarms").await;
    assert!(of_kind(&none, "amount.exceeded").is_empty(), "{none:#}");
    inside
        .send_hour(GAS_MN, first.plus_minutes(4 * 60), &minute("45.0"))
        .await;
    let over = raised(&inside.duty, "amount.exceeded", |_| true).await;
    assert_eq!(over["priority"], "urgent", "{over:#}");
    let overview = inside.duty.get("/api/v1/overview").await;
    let amount = &rows(&overview["amounts"])[0];
    let share: f64 = amount["share_pct"]
        .as_str()
        .expect("exact")
        .parse()
        .expect("a number");
    assert!(share > 100.0 && share < 110.0, "{amount:#}");
    inside.stop().await;
}
