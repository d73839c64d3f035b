//! An order to a logger, from the duty officer's hand to the logger's report, in a real browser.

use crate::inside::Inside;
use cems_tests::browser::Browser;
use cems_tests::city::{City, DUTY_USER, GAS_MN, Outlet, PASSWORD};
use cems_tests::logger::Frame;
use cems_tests::time::Moment;
use cems_tests::wait::until;

/// The value of a header field of a frame.
fn field<'a>(frame: &'a str, name: &str) -> &'a str {
    let from = frame.find(&format!("{name}=")).expect("the field") + name.len() + 1;
    frame[from..].split(';').next().expect("a value")
}

/// What the logger reports about a request: 9011 or 9012, with the request's number.
fn report(request: &str, cn: &str, cp: &str) -> String {
    let frame = Frame {
        qn: field(request, "QN").to_owned(),
        st: "91".to_owned(),
        flag: Some(4),
        ..Frame::new(GAS_MN, cn, cp)
    };
    frame.text()
}

async fn state(browser: &Browser, wanted: &str) {
    until("the state on the page", async || {
        let found = browser.text(&format!("#exchange .pill.x-{wanted}")).await;
        match found {
            Ok(_) => Ok(()),
            Err(_) => Err(browser.text("#exchange").await),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duty_officer_orders_a_calibration_and_sees_each_step() {
    let city = City::empty().outlet(&Outlet::gas("jia-1", GAS_MN).text());
    let start = Moment::midnight(2026, 3, 16).plus_minutes(10 * 60);
    let mut inside = Inside::start(&city, start, 1).await;
    // The logger is known by its first frame, and by it the edition it speaks.
    let at = inside.now();
    inside
        .send(GAS_MN, "2011", at, "a21026-Rtd=12,a21026-Flag=N")
        .await;
    inside
        .duty
        .until("/api/v1/outlets/jia-1/commands", "the commands", |list| {
            let commands = list.as_array().or(list["commands"].as_array())?;
            commands.iter().any(|c| c["cn"] == "3011").then_some(())
        })
        .await;

    let browser = Browser::open().await;
    browser.visit(&inside.page("/login")).await;
    browser.type_into("input[name=user]", DUTY_USER).await;
    browser.type_into("input[name=password]", PASSWORD).await;
    browser.click("form[action='/login'] button").await;
    until("the overview", async || browser.text("#outlets h2").await).await;
    browser.visit(&inside.page("/outlets/jia-1/commands")).await;
    browser.picture("commands-zh").await;
    browser.click("#c3011 summary").await;
    browser
        .type_into("#c3011 input[name$=PolId]", "a21026")
        .await;
    browser.click("#c3011 form button").await;
    // What moves something at the site is asked about once more.
    until("the second look", async || browser.text("#confirm").await).await;
    browser.click("#confirm button.primary").await;
    until("the exchange", async || browser.text("#exchange").await).await;
    browser
        .script("window.sameMark = 'still the same page'")
        .await;

    let request = inside.logger.answer().await;
    assert_eq!(field(&request, "CN"), "3011", "{request}");
    assert!(request.contains("PolId=a21026"), "{request}");
    state(&browser, "sent").await;
    let ready = report(&request, "9011", "QnRtn=1");
    inside.logger.send(ready).await.expect("sent");
    state(&browser, "accepted").await;
    let done = report(&request, "9012", "ExeRtn=1");
    inside.logger.send(done).await.expect("sent");
    state(&browser, "done").await;
    browser.picture("exchange-zh").await;
    let mark = browser.script("return window.sameMark || null").await;
    assert_eq!(mark, "still the same page", "the page was loaded anew");
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:#?}");
    browser.close().await;

    let list = inside.duty.get("/api/v1/exchanges?outlet=jia-1").await;
    let row = cems_tests::api::rows(&list)
        .iter()
        .find(|row| row["cn"] == "3011")
        .unwrap_or_else(|| panic!("the exchange is listed: {list:#}"));
    assert_eq!(
        (&row["by"], &row["state"]),
        (&DUTY_USER.into(), &"done".into())
    );
    inside.stop().await;
}
