//! Peers that send nonsense, or nothing: they lose their own connection at worst.

use crate::Town;
use cems_tests::api::rows;
use cems_tests::city::{City, GAS_MN};
use cems_tests::logger::{Frame, Logger};
use cems_tests::time::now;
use cems_tests::wait::SOON;

/// A frame of present data, and the proof that the daemon takes it.
async fn works(logger: &mut Logger, what: &str) {
    let at = now().floor_minute();
    let cp = format!("DataTime={};a21026-Rtd=12.3,a21026-Flag=N", at.digits());
    logger
        .send(Frame::new(GAS_MN, "2011", &cp).text())
        .await
        .expect(what);
    assert!(logger.answer().await.contains("CN=9014;"), "{what}");
}

async fn quarantined(town: &Town, reason: &str) -> u64 {
    town.api
        .until("/api/v1/quarantine", reason, |list| {
            let of_reason = rows(list).iter().filter(|row| row["reason"] == reason);
            let bytes: u64 = of_reason.filter_map(|row| row["bytes"].as_u64()).sum();
            (bytes > 0).then_some(bytes)
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_that_never_fills_times_out_and_the_next_frame_is_read() {
    let city = City::default().hj212("frame_timeout_s = 1");
    let town = Town::start(&city).await;
    let mut slow = Logger::connect(town.daemon.hj212)
        .await
        .expect("the port is open");
    // 900 bytes are promised, a fraction comes.
    let promise = format!("##0900QN=20240601085857223;ST=31;CN=2011;MN={GAS_MN}");
    slow.send(&promise).await.expect("sent");
    // Meanwhile others are served.
    let mut other = Logger::connect(town.daemon.hj212)
        .await
        .expect("the port is open");
    works(&mut other, "beside a slow one").await;
    // The promise times out by itself, without another byte.
    assert_eq!(
        quarantined(&town, "crc").await,
        u64::try_from(promise.len()).expect("short")
    );
    works(&mut slow, "behind a promise that was not kept").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_bytes_without_a_head_end_the_connection_and_no_other() {
    let town = Town::start(&City::default()).await;
    let mut good = Logger::connect(town.daemon.hj212)
        .await
        .expect("the port is open");
    works(&mut good, "before").await;
    let mut bad = Logger::connect(town.daemon.hj212)
        .await
        .expect("the port is open");
    // Far more than any buffer may hold; the daemon hangs up on the way.
    let nonsense = vec![b'x'; 64 * 1024];
    let flood = async {
        for _ in 0..256 {
            if bad.send(&nonsense).await.is_err() {
                break;
            }
        }
    };
    let ended = tokio::time::timeout(SOON, flood).await;
    assert!(ended.is_ok(), "the daemon neither reads nor hangs up");
    assert!(bad.closed(SOON).await.is_empty(), "nonsense was answered");
    works(&mut good, "after").await;
    let bytes = quarantined(&town, "garbage").await;
    assert!(bytes >= 64 * 1024, "what came is counted: {bytes}");
    // A megabyte and more was sent; what was taken of it is bounded.
    assert!(
        bytes < 4 * 1024 * 1024,
        "the daemon read on for {bytes} bytes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_between_frames_costs_nobody_anything() {
    let town = Town::start(&City::default()).await;
    let mut logger = Logger::connect(town.daemon.hj212)
        .await
        .expect("the port is open");
    let kinds: [&[u8]; 5] = [
        b"\xFF\xFE\x00",
        b"####",
        b"##00",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\r\n\r\n",
    ];
    for rubbish in kinds {
        logger.send(rubbish).await.expect("sent");
        works(&mut logger, "behind rubbish").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_too_many_is_closed_and_the_others_go_on() {
    let town = Town::start(&City::default().hj212("connections_max = 2")).await;
    let mut first = Logger::connect(town.daemon.hj212)
        .await
        .expect("the port is open");
    works(&mut first, "the first").await;
    let mut second = Logger::connect(town.daemon.hj212)
        .await
        .expect("the port is open");
    works(&mut second, "the second").await;
    let mut third = Logger::connect(town.daemon.hj212)
        .await
        .expect("the port is open");
    third.closed(SOON).await;
    works(&mut first, "the first again").await;
    drop(second);
    // The place is free as soon as the daemon has seen the end of the second.
    cems_tests::wait::until("a free place", async || {
        let mut next = Logger::connect(town.daemon.hj212)
            .await
            .map_err(|e| e.to_string())?;
        let frame = Frame::new(GAS_MN, "2011", "DataTime=20240601000000;a21026-Rtd=1");
        next.send(frame.text())
            .await
            .map_err(|error| error.to_string())?;
        let answer = next
            .answer_within(SOON)
            .await
            .map_err(|error| error.to_string())?;
        answer.ok_or_else(|| "no answer".to_owned())
    })
    .await;
}
