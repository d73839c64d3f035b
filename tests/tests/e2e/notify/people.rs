//! As new users would: a duty officer answers an alarm, and somebody at an enterprise files the
//! manual report that is owed, each in a real browser, beginning with the mail they received.

use super::mail::{addresses, with_mail};
use super::peer::Lines;
use crate::inside::Inside;
use cems_tests::browser::Browser;
use cems_tests::city::{DUTY_USER, JIA_USER, PASSWORD};
use cems_tests::time::Moment;
use cems_tests::wait::until;
use serde_json::{Value, json};

/// Where links in mails begin.
const CONSOLE: &str = "https://cems.example";

/// The next mail to somebody that has a link to a page of this kind; the page.
async fn link(printed: &Lines, to: &str, page: &str) -> String {
    loop {
        let line = printed.next("a mail").await;
        let mail: Value = serde_json::from_str(&line).expect("one object a line");
        if mail["to"] != json!([format!("{to}@centre.example")]) {
            continue;
        }
        let html = mail["html"].as_str().expect("HTML");
        let begin = format!("href=\"{CONSOLE}{page}");
        if let Some(place) = html.find(&begin) {
            let rest = &html[place + "href=\"".len() + CONSOLE.len()..];
            return rest.split('"').next().expect("a link ends").to_owned();
        }
    }
}

/// Follows a link without being logged in, and logs in where it leads to first.
async fn follow(inside: &Inside, page: &str, user: &str) -> Browser {
    let browser = Browser::open().await;
    browser.visit(&inside.page(page)).await;
    browser.type_into("input[name=user]", user).await;
    browser.type_into("input[name=password]", PASSWORD).await;
    browser.click("form[action='/login'] button").await;
    let here = "return window.location.pathname";
    until("the page of the link", async || {
        let at = browser.script(here).await;
        (at == page).then_some(()).ok_or(at)
    })
    .await;
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_mail_to_the_answer_and_to_the_report() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (_server, printed) = with_mail(directory.path()).await;
    let people = [(DUTY_USER, "duty"), (JIA_USER, "jia")];
    addresses(directory.path(), &people);
    let start = Moment::midnight(2026, 3, 16).plus_minutes(10 * 60 + 5);
    let mut inside = Inside::open(directory, start, 5).await;

    // The duty officer: an hour over its limit.
    let alarm = super::exceed(&mut inside, start.floor_hour().plus_minutes(-4 * 60)).await;
    let page = link(&printed, "duty", "/alarms/").await;
    assert_eq!(page, format!("/alarms/{alarm}"));
    let browser = follow(&inside, &page, DUTY_USER).await;
    browser
        .type_into("#acknowledge textarea", "已电话通知企业，正在核查")
        .await;
    browser.click("#acknowledge button").await;
    let path = format!("/api/v1/alarms/{alarm}");
    let answered = |detail: &Value| {
        let by = &detail["alarm"]["acknowledged"]["by"];
        (by == DUTY_USER).then_some(())
    };
    inside.duty.until(&path, "the answer", answered).await;
    crate::browser::calm(&browser, "the alarm").await;
    browser.close().await;

    // The enterprise: the desk decides that manual reports are owed.
    let decision = json!({"open": true, "note": "比对监测不合格"});
    inside
        .duty
        .post("/api/v1/outlets/jia-1/fallback", &decision)
        .await;
    let page = link(&printed, "jia", "/fallbacks/").await;
    let browser = follow(&inside, &page, JIA_USER).await;
    browser
        .type_into("#report input[name=sampler]", "王试验")
        .await;
    browser
        .type_into("#report input[name=method]", "HJ 57-2017")
        .await;
    browser
        .type_into("#report input[name=laboratory]", "试验检测站")
        .await;
    browser
        .type_into("#report input[name='value.a21026']", "21.5")
        .await;
    browser.click("#report button").await;
    let path = format!("/api/v1{page}");
    let filed = |detail: &Value| {
        let report = detail["reports"].as_array()?.first()?;
        (report["report"]["by"] == JIA_USER || report["by"] == JIA_USER).then_some(())
    };
    inside.duty.until(&path, "the report", filed).await;
    crate::browser::calm(&browser, "the fallback").await;
    browser.close().await;
    inside.stop().await;
}
