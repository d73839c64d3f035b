//! The way of a reading: from bytes on a socket to a value on the API, with the answer in the
//! dialect of the sender; and what is refused, with nobody answered and nothing lost.

use crate::Town;
use cems_tests::api::rows;
use cems_tests::city::{City, GAS_MN, OLD_MN, Outlet, WATER_MN};
use cems_tests::logger::{Frame, Logger, crc, envelope};
use cems_tests::time::{Moment, now};
use serde_json::Value;

/// The segment of a frame, after its length and check code were found right.
fn segment(frame: &str) -> &str {
    let length: usize = frame[2..6].parse().expect("four digits");
    let segment = &frame[6..6 + length];
    assert!(
        frame.starts_with("##") && frame.ends_with("\r\n"),
        "{frame:?}"
    );
    assert_eq!(
        &frame[6 + length..frame.len() - 2],
        format!("{:04X}", crc(segment.as_bytes()))
    );
    segment
}

fn latest<'a>(outlet: &'a Value, factor: &str) -> Option<&'a Value> {
    outlet["outlet"]["latest"]
        .as_array()?
        .iter()
        .find(|row| row["factor"] == factor)
}

async fn record(town: &Town, outlet: &str, kind: &str, start: Moment, factor: &str) -> Value {
    let (from, until) = (start.iso(), start.plus_minutes(1).iso());
    let path = format!("/api/v1/outlets/{outlet}/records?kind={kind}&from={from}&until={until}");
    let what = format!("the {kind} record");
    town.api
        .until(&path, &what, |list| {
            let row = list.as_array()?.first()?;
            row["values"].get(factor).cloned()
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_record_of_2017_is_answered_kept_and_shown() {
    let town = Town::start(&City::default()).await;
    let mut logger = Logger::connect(town.daemon.hj212)
        .await
        .expect("the port is open");
    let hour = now().floor_hour();
    let day = now().floor_day().plus_minutes(-24 * 60);
    let minute = hour.plus_minutes(-10);
    let sent = [
        (
            "2011",
            "realtime",
            now().floor_minute(),
            "a21026-Rtd=12.30,a21026-Flag=N",
        ),
        (
            "2051",
            "minute",
            minute,
            "a21026-Min=10.1,a21026-Avg=11.20,a21026-Max=13,a21026-Flag=N",
        ),
        (
            "2061",
            "hour",
            hour.plus_minutes(-60),
            "a21026-Avg=11.05,a21026-Cou=3.1,a21026-Flag=N",
        ),
        ("2031", "day", day, "a21026-Avg=10.95,a21026-Flag=N"),
    ];
    for (index, (cn, _, at, fields)) in sent.iter().enumerate() {
        let qn = format!("2024060108585722{index}");
        let cp = format!("DataTime={};{fields}", at.digits());
        let frame = Frame {
            qn: qn.clone(),
            ..Frame::new(GAS_MN, cn, &cp)
        };
        logger.send(frame.text()).await.expect("sent");
        let answer = logger.answer().await;
        let body = segment(&answer);
        assert_eq!(
            body,
            format!("QN={qn};ST=91;CN=9014;PW=123456;MN={GAS_MN};Flag=4;CP=&&&&"),
            "answer to {cn}"
        );
    }
    let figures = [("realtime", "rtd", "12.30"), ("minute", "avg", "11.20")];
    let later = [("hour", "avg", "11.05"), ("day", "avg", "10.95")];
    for (kind, name, text) in figures.into_iter().chain(later) {
        let at = sent.iter().find(|(_, k, ..)| *k == kind).expect("listed").2;
        let value = record(&town, "jia-1", kind, at, "a21026").await;
        assert_eq!(
            value[name]["text"], text,
            "{kind}: the characters as sent: {value:#}"
        );
        assert_eq!(value["valid"], true, "{kind}: {value:#}");
        assert!(
            value["seq"].as_u64() > Some(0),
            "{kind}: from which event: {value:#}"
        );
    }
    let outlet = town.api.get("/api/v1/outlets/jia-1").await;
    let shown = latest(&outlet, "a21026").expect("a latest value");
    assert_eq!(shown["value"], "12.30", "{shown:#}");
    assert_eq!(shown["flag"], "N");
    assert_eq!(outlet["device"]["edition"], "2017");
    assert_eq!(outlet["device"]["frames"], 4);
    // The same frame again is a duplicate: counted, answered, changing nothing.
    let again = format!(
        "DataTime={};a21026-Rtd=12.30,a21026-Flag=N",
        sent[0].2.digits()
    );
    logger
        .send(Frame::new(GAS_MN, "2011", &again).text())
        .await
        .expect("sent");
    logger.answer().await;
    let path = "/api/v1/outlets/jia-1";
    town.api
        .until(path, "the duplicate", |o| {
            (o["device"]["duplicates"] == 1).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logger_of_2005_is_understood_and_answered_in_its_own_words() {
    let city = City::default().outlet(&Outlet::gas("jia-2", OLD_MN).text());
    let town = Town::start(&city).await;
    let mut logger = Logger::connect(town.daemon.hj212)
        .await
        .expect("the port is open");
    let at = now().floor_minute();
    // 2005: no Flag; the QN of the request that asked for the data; codes of HJ/T 212-2005.
    let cp = format!(
        "DataTime={};02-Rtd=35.5,02-Flag=N;S01-Rtd=8.1,S01-Flag=N",
        at.digits()
    );
    let frame = Frame {
        flag: None,
        ..Frame::new(OLD_MN, "2011", &cp)
    };
    logger.send(frame.text()).await.expect("sent");
    let answer = logger.answer().await;
    assert_eq!(
        segment(&answer),
        format!("ST=91;CN=9014;PW=123456;MN={OLD_MN};CP=&&QN=20240601085857223;CN=2011&&")
    );
    let value = record(&town, "jia-2", "realtime", at, "a21026").await;
    assert_eq!(value["sent_as"], "02", "{value:#}");
    assert_eq!(value["rtd"]["text"], "35.5");
    let oxygen = record(&town, "jia-2", "realtime", at, "a19001").await;
    assert_eq!(oxygen["sent_as"], "S01", "{oxygen:#}");
    let outlet = town.api.get("/api/v1/outlets/jia-2").await;
    assert_eq!(outlet["device"]["edition"], "2005");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logger_of_2025_cut_into_single_bytes_is_answered() {
    let town = Town::start(&City::default()).await;
    let mut logger = Logger::connect(town.daemon.hj212)
        .await
        .expect("the port is open");
    let at = now().floor_hour().plus_minutes(-10);
    let cp = format!(
        "DataTime={};w01018-Min=40.1,w01018-Avg=41.5,w01018-Max=43,w01018-Flag=N",
        at.digits()
    );
    let base = Frame::new(WATER_MN, "2051", &cp);
    let frame = Frame {
        flag: Some(9),
        st: "32".to_owned(),
        ..base
    };
    for byte in frame.text().into_bytes() {
        logger.send([byte]).await.expect("sent");
    }
    let answer = logger.answer().await;
    let expected =
        format!("QN=20240601085857223;ST=91;CN=9014;PW=123456;MN={WATER_MN};Flag=8;CP=&&&&");
    assert_eq!(segment(&answer), expected);
    let value = record(&town, "yi-1", "minute", at, "w01018").await;
    assert_eq!(value["avg"]["value"], "41.5");
    let outlet = town.api.get("/api/v1/outlets/yi-1").await;
    assert_eq!(outlet["device"]["edition"], "2025");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_kept_apart_alarmed_and_not_answered() {
    let town = Town::start(&City::default()).await;
    let mut logger = Logger::connect(town.daemon.hj212)
        .await
        .expect("the port is open");
    let good = |qn: &str, at: Moment| {
        let cp = format!("DataTime={};a21026-Rtd=12.3,a21026-Flag=N", at.digits());
        Frame {
            qn: qn.to_owned(),
            ..Frame::new(GAS_MN, "2011", &cp)
        }
    };
    let at = now().floor_minute();
    let wrong_password = Frame {
        pw: "654321".to_owned(),
        ..good("20240601085857001", at)
    };
    let stranger = Frame {
        mn: "NOBODY".to_owned(),
        ..good("20240601085857002", at)
    };
    logger.send(wrong_password.text()).await.expect("sent");
    logger.send(stranger.text()).await.expect("sent");
    // Ten damaged frames are a storm; one would be noise.
    for _ in 0..10 {
        let damaged = good("20240601085857003", at).text().replace("12.3", "12.8");
        logger.send(damaged).await.expect("sent");
    }
    // Answers come in order, so the first one belongs to the first frame that was accepted.
    logger
        .send(good("20240601085857004", at).text())
        .await
        .expect("sent");
    let answer = logger.answer().await;
    assert!(
        answer.contains("QN=20240601085857004;"),
        "a refused frame was answered: {answer}"
    );

    // A clock that is 12 hours ahead (AM for PM) would overwrite what is still to come.
    let future = good("20240601085857005", at.plus_minutes(12 * 60));
    logger.send(future.text()).await.expect("sent");
    let reasons = [
        ("wrong-password", 1),
        ("unknown-mn", 1),
        ("crc", 10),
        ("future-time", 1),
    ];
    town.api
        .until("/api/v1/quarantine", "the quarantine", |list| {
            let count = |reason: &str| rows(list).iter().filter(|r| r["reason"] == reason).count();
            reasons
                .iter()
                .all(|(reason, n)| count(reason) == *n)
                .then_some(())
        })
        .await;
    let alarms = [
        ("intake.wrong-password", "outlet", "jia-1"),
        ("intake.unknown-mn", "device", "NOBODY"),
        ("intake.crc-storm", "peer", "127.0.0.1"),
    ];
    for (kind, subject_type, subject) in alarms {
        let alarm = town
            .api
            .until("/api/v1/alarms?open=true", kind, |list| {
                rows(list)
                    .iter()
                    .find(|alarm| alarm["kind"] == kind)
                    .cloned()
            })
            .await;
        assert_eq!(alarm["subject_type"], subject_type, "{alarm:#}");
        assert_eq!(alarm["subject"], subject, "{alarm:#}");
        assert_eq!(alarm["active"], true, "{alarm:#}");
    }
    // Nothing of what was refused reached the values.
    let outlet = town.api.get("/api/v1/outlets/jia-1").await;
    let start = latest(&outlet, "a21026").expect("the accepted value")["start"].clone();
    assert_eq!(start.as_str().and_then(Moment::parse), Some(at), "{start}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_record_is_put_together_and_a_notice_is_answered_with_9013() {
    let town = Town::start(&City::default()).await;
    let mut logger = Logger::connect(town.daemon.hj212)
        .await
        .expect("the port is open");
    let at = now().floor_minute();
    let head = format!("ST=31;CN=2011;PW=123456;MN={GAS_MN};Flag=7;PNUM=2;PNO=");
    let time = format!("DataTime={}", at.digits());
    let parts = [
        format!("QN=20240601085857223;{head}1;CP=&&{time};a21026-Rtd=1.5,a21026-Flag=N&&"),
        format!("QN=20240601085857223;{head}2;CP=&&{time};a21002-Rtd=2.5,a21002-Flag=N&&"),
    ];
    for part in &parts {
        logger.send(envelope(part)).await.expect("sent");
        assert!(logger.answer().await.contains("CN=9014;"));
    }
    assert_eq!(
        record(&town, "jia-1", "realtime", at, "a21026").await["rtd"]["text"],
        "1.5"
    );
    assert_eq!(
        record(&town, "jia-1", "realtime", at, "a21002").await["rtd"]["text"],
        "2.5"
    );
    // Time calibration asked for by the logger (1013) is a notice.
    logger
        .send(Frame::new(GAS_MN, "1013", "PolId=w01018").text())
        .await
        .expect("sent");
    assert!(logger.answer().await.contains("CN=9013;"));
}
