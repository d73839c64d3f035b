//! What a person at the duty desk does, in a real browser.

use crate::inside::Inside;
use cems_tests::browser::Browser;
use cems_tests::city::{City, DUTY_USER, GAS_MN, JIA_USER, Outlet, PASSWORD};
use cems_tests::time::Moment;
use cems_tests::wait::until;

/// A city with an alarm: hour data over the limit.
pub(crate) async fn troubled(speed: u32) -> Inside {
    let city = City::empty().outlet(&Outlet::gas("jia-1", GAS_MN).text());
    let start = Moment::midnight(2026, 3, 16).plus_minutes(10 * 60 + 30);
    let mut inside = Inside::start(&city, start, speed).await;
    let hour = start.floor_hour().plus_minutes(-60);
    let fields = "a21026-Avg=80,a21026-Flag=N;a19001-Avg=6,a19001-Flag=N";
    inside.send_hour(GAS_MN, hour, fields).await;
    inside
}

pub(crate) async fn log_in(browser: &Browser, inside: &Inside, user: &str) {
    browser.visit(&inside.page("/login")).await;
    browser.type_into("input[name=user]", user).await;
    browser.type_into("input[name=password]", PASSWORD).await;
    browser.click("form[action='/login'] button").await;
    until("the overview", async || browser.text("#outlets h2").await).await;
}

pub(crate) async fn calm(browser: &Browser, where_: &str) {
    let complaints = browser.complaints().await;
    assert!(
        complaints.is_empty(),
        "the browser complains on {where_}: {complaints:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_changes_without_a_reload_in_both_languages() {
    let mut inside = troubled(1).await;
    let browser = Browser::open().await;
    log_in(&browser, &inside, DUTY_USER).await;
    calm(&browser, "the overview").await;
    browser.picture("overview-zh").await;
    let html = "return document.documentElement.lang";
    assert_eq!(
        browser.script(html).await,
        "zh-CN",
        "Chinese unless asked otherwise"
    );

    // The mark lives only as long as this page does.
    browser
        .script("window.sameMark = 'still the same page'")
        .await;
    for value in ["31.7", "32.9"] {
        let at = inside.now();
        let fields = format!("a21026-Rtd={value},a21026-Flag=N");
        inside.send(GAS_MN, "2011", at, &fields).await;
        until("the new value on the page", async || {
            let text = browser.text("#outlets").await?;
            if text.contains(value) {
                Ok(())
            } else {
                Err(text)
            }
        })
        .await;
        let mark = browser.script("return window.sameMark || null").await;
        assert_eq!(mark, "still the same page", "the page was loaded anew");
        // Two values within a second are one.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    }
    calm(&browser, "the live overview").await;

    let chinese = browser.text("#outlets h2").await.expect("a heading");
    browser.click("a[hreflang=en]").await;
    until("the English page", async || {
        let lang = browser.script(html).await;
        if lang == "en" { Ok(()) } else { Err(lang) }
    })
    .await;
    let english = browser.text("#outlets h2").await.expect("a heading");
    assert_ne!(chinese, english);
    assert!(english.is_ascii(), "an English heading: {english}");
    browser.picture("overview-en").await;

    browser.visit(&inside.page("/outlets/jia-1")).await;
    until("the chart", async || {
        browser.text("main svg, main canvas").await
    })
    .await;
    browser.picture("outlet-en").await;
    calm(&browser, "the outlet's page").await;
    browser.close().await;
    inside.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_is_acknowledged_and_a_manual_report_is_submitted() {
    // A minute of the city takes two seconds: samples are told to the minute.
    let inside = troubled(30).await;
    let alarm = inside
        .duty
        .until("/api/v1/alarms?open=true", "the exceedance", |list| {
            let alarms = cems_tests::api::rows(list);
            alarms.iter().find(|a| a["kind"] == "exceedance.hour")?["id"].as_u64()
        })
        .await;
    let browser = Browser::open().await;
    log_in(&browser, &inside, DUTY_USER).await;
    browser
        .visit(&inside.page(&format!("/alarms/{alarm}")))
        .await;
    browser.picture("alarm-zh").await;
    browser
        .type_into("#acknowledge textarea", "已电话通知企业，正在核实")
        .await;
    browser.click("#acknowledge button").await;
    until("the acknowledgement on the page", async || {
        let text = browser.text("#alarm").await?;
        if text.contains("已电话通知企业") {
            Ok(())
        } else {
            Err(text)
        }
    })
    .await;
    let row = inside.duty.get(&format!("/api/v1/alarms/{alarm}")).await;
    assert_eq!(row["alarm"]["acknowledged"]["by"], DUTY_USER, "{row:#}");
    calm(&browser, "the alarm's page").await;
    browser.close().await;

    // The duty desk opens a fallback; the enterprise reports by the form.
    let body = serde_json::json!({"open": true, "note": "比对监测不合格"});
    inside
        .duty
        .post("/api/v1/outlets/jia-1/fallback", &body)
        .await;
    let fallback = inside
        .duty
        .until("/api/v1/fallbacks?open=true", "the fallback", |list| {
            cems_tests::api::rows(list).first()?["id"].as_u64()
        })
        .await;
    let later = inside.now().plus_minutes(2);
    until("a sample taken after the opening", async || {
        let now = inside.now();
        if now >= later { Ok(()) } else { Err(now) }
    })
    .await;
    let browser = Browser::open().await;
    log_in(&browser, &inside, JIA_USER).await;
    browser
        .visit(&inside.page(&format!("/fallbacks/{fallback}")))
        .await;
    browser.picture("report-form-zh").await;
    browser.type_into("#report fieldset input", "21.5").await;
    browser
        .type_into("#report input[name=sampler]", "王试验")
        .await;
    browser
        .type_into("#report input[name=method]", "HJ 57-2017")
        .await;
    browser
        .type_into("#report input[name=laboratory]", "试验检测站")
        .await;
    browser.click("#report button").await;
    browser.picture("report-done-zh").await;
    until("the report on the page", async || {
        let text = browser.text("ol.reports").await?;
        if text.contains("王试验") && text.contains("21.5") {
            Ok(())
        } else {
            Err(text)
        }
    })
    .await;
    calm(&browser, "the fallback's page").await;
    let row = inside
        .duty
        .get(&format!("/api/v1/fallbacks/{fallback}"))
        .await;
    assert_eq!(row["fallback"]["reports"], 1, "{row:#}");
    assert_eq!(row["reports"][0]["by"], JIA_USER, "{row:#}");
    browser.close().await;
    inside.stop().await;
}
