//! A figure and what people say about it, in a real browser: the enterprise enters a mark, the
//! supervisor goes from an alarm down to the minute.

use crate::browser::{calm, log_in, troubled};
use crate::inside::Inside;
use cems_tests::api::rows;
use cems_tests::browser::Browser;
use cems_tests::city::{JIA_USER, SUPERVISOR_USER};
use cems_tests::wait::until;

/// The hour over its limit, by the city's clock.
const HOUR: &str = "2026-03-16T09";

/// Waits until the text of an element holds all of these.
async fn says(browser: &Browser, css: &str, wanted: &[&str]) {
    until(css, async || {
        let text = browser.text(css).await?;
        if wanted.iter().all(|part| text.contains(part)) {
            Ok(())
        } else {
            Err(text)
        }
    })
    .await;
}

/// Fills a field that has a picker of its own, as the picker would.
async fn set(browser: &Browser, css: &str, value: &str) {
    let script = format!(
        "const field = document.querySelector({css:?}); field.value = {value:?}; \
         field.dispatchEvent(new Event('change', {{bubbles: true}})); return field.value"
    );
    assert_eq!(browser.script(&script).await, value, "{css}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_enters_a_mark_and_sees_it_in_the_list() {
    let inside = troubled(1).await;
    let browser = Browser::open().await;
    log_in(&browser, &inside, JIA_USER).await;
    browser.visit(&inside.page("/outlets/jia-1/marks")).await;
    set(&browser, "#enter select[name=kind]", "fault").await;
    browser.click("#enter input[name='factor.a21026']").await;
    set(&browser, "#enter input[name=from]", "2026-03-16T09:00").await;
    set(&browser, "#enter input[name=until]", "2026-03-16T10:00").await;
    browser
        .type_into("#enter textarea[name=reason]", "采样探头堵塞")
        .await;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let photograph = directory.path().join("探头照片.jpg");
    std::fs::write(&photograph, b"\xff\xd8 made up").expect("written");
    let path = photograph.to_str().expect("a plain name");
    browser.choose_file("#enter input[name=files]", path).await;
    browser.picture("mark-form-zh").await;
    browser.click("#enter button.primary").await;
    says(&browser, "ol.entries", &["采样探头堵塞", "探头照片.jpg"]).await;
    browser.picture("marks-zh").await;
    calm(&browser, "the marks in Chinese").await;

    browser.click("a[hreflang=en]").await;
    says(&browser, "ol.entries", &["采样探头堵塞", "Entered by"]).await;
    browser.picture("marks-en").await;
    calm(&browser, "the marks in English").await;
    let list = inside.duty.get("/api/v1/outlets/jia-1/marks").await;
    let row = &rows(&list)[0];
    assert_eq!(
        (&row["by"], &row["kind"]),
        (&JIA_USER.into(), &"fault".into())
    );
    assert_eq!(row["factors"], serde_json::json!(["a21026"]), "{row:#}");
    browser.close().await;
    inside.stop().await;
}

/// Opens every closed node of the derivation, level by level, as a person would; how many there
/// are.
async fn open_all(browser: &Browser) -> u64 {
    let script = "const closed = document.querySelectorAll('#tree details:not([open]) > summary'); \
                  closed.forEach(summary => summary.click()); \
                  return document.querySelectorAll('#tree details[open]').length";
    browser.script(script).await.as_u64().expect("a number")
}

/// From the alarm to the derivation of its figure, and down to a minute.
async fn from_alarm_to_minute(browser: &Browser, inside: &Inside, alarm: u64, words: [&str; 2]) {
    browser
        .visit(&inside.page(&format!("/alarms/{alarm}")))
        .await;
    browser.click("#alarm a.button[href*='/explain?']").await;
    until("the derivation", async || browser.text("#tree").await).await;
    let period = browser
        .script("return document.querySelector('input[name=period]').value")
        .await;
    assert_eq!(period, HOUR, "the hour that was worst");
    set(browser, "select[name=depth]", "5").await;
    browser.click("form.chooser button").await;
    until("the deeper derivation", async || {
        let depth = browser
            .script("return new URL(location.href).searchParams.get('depth')")
            .await;
        if depth == "5" { Ok(()) } else { Err(depth) }
    })
    .await;
    let open = open_all(browser).await;
    assert!(open >= 5, "{open} nested details");
    // The first minute, as the logger sent it.
    says(browser, "#tree", &["09:00", "80", words[0], words[1]]).await;
    let seen = "const nodes = [...document.querySelectorAll('#tree .node')]; \
                return nodes.filter(n => n.checkVisibility() && n.textContent.includes('09:59'))\
                .length";
    let seen = browser.script(seen).await.as_u64();
    assert!(seen > Some(0), "the last minute is on the page");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_goes_from_an_alarm_down_to_the_minute() {
    let inside = troubled(1).await;
    let alarm = inside
        .duty
        .until("/api/v1/alarms?open=true", "the exceedance", |list| {
            let alarm = rows(list).iter().find(|a| a["kind"] == "exceedance.hour");
            alarm?["id"].as_u64()
        })
        .await;
    let browser = Browser::open().await;
    log_in(&browser, &inside, SUPERVISOR_USER).await;
    from_alarm_to_minute(&browser, &inside, alarm, ["超标", "有效"]).await;
    browser.picture("explain-zh").await;
    calm(&browser, "the derivation in Chinese").await;
    browser.click("a[hreflang=en]").await;
    until("the English page", async || {
        let lang = browser.script("return document.documentElement.lang").await;
        if lang == "en" { Ok(()) } else { Err(lang) }
    })
    .await;
    from_alarm_to_minute(&browser, &inside, alarm, ["exceeded", "valid"]).await;
    browser.picture("explain-en").await;
    calm(&browser, "the derivation in English").await;
    // A formula leads to the catalogue.
    browser.click("#tree a.node-formula").await;
    until("the catalogue", async || {
        browser.text("main :target, main h1").await
    })
    .await;
    calm(&browser, "the formulas").await;
    browser.close().await;
    inside.stop().await;
}
