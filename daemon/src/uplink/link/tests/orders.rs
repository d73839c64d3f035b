//! What a centre may order, and what it is told when it may not.

use super::*;
use cems_protocols::hj212::{Edition, HistoryKind, LocalTime, Request, Secret, Sm4Key};

const V17: Edition = Edition::V2017;

/// A line with a centre at its end and nothing to upload.
async fn quiet(edition: &str, more: &str) -> (Desk, Centre) {
    let mut desk = Desk::new(edition, more);
    desk.start();
    let centre = desk.listen();
    (desk, centre)
}

async fn ask(centre: &mut Centre, edition: Edition, request: Request) -> Vec<String> {
    centre.order(edition, "654321", &request).await;
    centre.answers().await
}

fn time(digits: &str) -> LocalTime {
    LocalTime::parse(digits).expect("a time")
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_refused_with_3() {
    let (desk, mut centre) = quiet("2017", "").await;
    centre
        .order(V17, "000000", &Request::GetRealtimeInterval)
        .await;
    assert_eq!(centre.answers().await, ["9011 QnRtn=3"]);
    assert_eq!(desk.notes.outcomes(), ["refused 3"]);
}

#[tokio::test(start_paused = true)]
async fn intervals_can_be_read_and_only_be_thinned_out() {
    let (mut desk, mut centre) = quiet("2017", "").await;
    let answers = ask(&mut centre, V17, Request::GetRealtimeInterval).await;
    assert_eq!(
        answers,
        ["9011 QnRtn=1", "1061 RtdInterval=60", "9012 ExeRtn=1"]
    );
    let set = |seconds| Request::SetRealtimeInterval { seconds };
    assert_eq!(
        ask(&mut centre, V17, set(90)).await,
        ["9011 QnRtn=1", "9012 ExeRtn=3"]
    );
    assert_eq!(
        ask(&mut centre, V17, set(300)).await,
        ["9011 QnRtn=1", "9012 ExeRtn=1"]
    );
    let minutes = |minutes| Request::SetMinuteInterval { minutes };
    assert_eq!(
        ask(&mut centre, V17, minutes(5)).await,
        ["9011 QnRtn=1", "9012 ExeRtn=3"]
    );
    assert_eq!(
        ask(&mut centre, V17, minutes(10)).await,
        ["9011 QnRtn=1", "9012 ExeRtn=1"]
    );

    // Of five real-time records one goes out, also after a restart.
    for restart in [false, true] {
        if restart {
            desk.stop().await;
            desk.start();
            centre = desk.listen();
        }
        let from = if restart { 5 } else { 0 };
        for n in from..from + 5 {
            desk.form(RecordKind::Realtime, NOON.plus_ms(n * MINUTE_MS), "1");
        }
        let expected = if restart { "2011 1205" } else { "2011 1200" };
        assert_eq!(centre.take().await, expected);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(desk.pending(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_password_holds_from_then_on() {
    let (mut desk, mut centre) = quiet("2017", "").await;
    let request = Request::SetPassword {
        new: Secret::new("999999"),
    };
    assert_eq!(
        ask(&mut centre, V17, request).await,
        ["9011 QnRtn=1", "9012 ExeRtn=1"]
    );
    desk.stop().await;
    desk.start();
    let mut centre = desk.listen();
    desk.form(RecordKind::Realtime, NOON, "1");
    let message = centre.frame().await;
    assert_eq!(message.header.pw.as_deref(), Some("999999"));
    centre.acknowledge(&message).await;
    assert_eq!(
        ask(&mut centre, V17, Request::GetRealtimeInterval).await,
        ["9011 QnRtn=3"]
    );
}

#[tokio::test(start_paused = true)]
async fn real_time_data_are_switched_off_and_on() {
    let (mut desk, mut centre) = quiet("2017", "").await;
    assert_eq!(ask(&mut centre, V17, Request::StopRealtime).await, ["9013"]);
    desk.form(RecordKind::Realtime, NOON, "1");
    desk.form(RecordKind::Minute, minutes_before_noon(10), "1");
    assert_eq!(centre.take().await, "2051 1150");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let answers = ask(&mut centre, V17, Request::StartRealtime).await;
    assert_eq!(answers, ["9011 QnRtn=1", "9012 ExeRtn=1"]);
    desk.form(RecordKind::Realtime, NOON.plus_ms(MINUTE_MS), "1");
    assert_eq!(centre.take().await, "2011 1201");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(desk.pending(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_clock_is_set_only_where_that_is_allowed() {
    let set = || Request::SetTime {
        pol_id: None,
        system_time: time("20200331130000"),
    };
    let get = || Request::GetTime { pol_id: None };
    let (_desk, mut centre) = quiet("2017", "").await;
    assert_eq!(
        ask(&mut centre, V17, set()).await,
        ["9011 QnRtn=1", "9012 ExeRtn=2"]
    );
    let said = ask(&mut centre, V17, get()).await;
    assert!(
        said[1].starts_with("1011 SystemTime=2020033112"),
        "{said:?}"
    );

    let (desk, mut centre) = quiet("2017", "allow_time_sync = true").await;
    assert_eq!(
        ask(&mut centre, V17, set()).await,
        ["9011 QnRtn=1", "9012 ExeRtn=1"]
    );
    let said = ask(&mut centre, V17, get()).await;
    assert!(
        said[1].starts_with("1011 SystemTime=2020033113"),
        "{said:?}"
    );
    assert_eq!(desk.notes.audited(), ["uplink.clock"]);
}

#[tokio::test(start_paused = true)]
async fn history_is_fetched_from_the_store_with_both_ends() {
    let (mut desk, mut centre) = quiet("2017", "").await;
    for n in 0..6 {
        desk.form(RecordKind::Hour, NOON.plus_ms(-n * 60 * MINUTE_MS), "1");
        centre.take().await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let fetch = |kind, begin, end| Request::History {
        kind,
        begin: time(begin),
        end: time(end),
    };
    let hours = fetch(HistoryKind::Hour, "20200331090000", "20200331110000");
    let answers = ask(&mut centre, V17, hours).await;
    let expected = [
        "9011 QnRtn=1",
        "2061 DataTime=20200331090000 a21026-Avg=1 a21026-Flag=N",
        "2061 DataTime=20200331100000 a21026-Avg=1 a21026-Flag=N",
        "2061 DataTime=20200331110000 a21026-Avg=1 a21026-Flag=N",
        "9012 ExeRtn=1",
    ];
    assert_eq!(answers, expected);
    let none = ["9011 QnRtn=1", "9012 ExeRtn=100"];
    let days = fetch(HistoryKind::Day, "20200331000000", "20200331000000");
    assert_eq!(ask(&mut centre, V17, days).await, none);
    let run_time = fetch(
        HistoryKind::FacilityRunTime,
        "20200331000000",
        "20200401000000",
    );
    assert_eq!(ask(&mut centre, V17, run_time).await, none);
    let endless = fetch(HistoryKind::Hour, "20100331000000", "20200401000000");
    assert_eq!(
        ask(&mut centre, V17, endless).await,
        ["9011 QnRtn=1", "9012 ExeRtn=3"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_new_goes_on_while_history_is_fetched() {
    let mut desk = Desk::new("2017", "");
    for n in 1..=20 {
        desk.form(RecordKind::Minute, minutes_before_noon(10 * n), "1");
    }
    desk.start();
    let mut centre = desk.listen();
    for _ in 0..20 {
        centre.take().await;
    }
    let fetch = Request::History {
        kind: HistoryKind::Minute,
        begin: time("20200331000000"),
        end: time("20200331120000"),
    };
    centre.order(V17, "654321", &fetch).await;
    let mut seen = Vec::new();
    loop {
        let message = centre.frame().await;
        seen.push(message.cn().to_owned());
        if seen.len() == 5 {
            desk.form(RecordKind::Realtime, NOON, "9");
        }
        if message.header.wants_answer() {
            centre.acknowledge(&message).await;
        }
        if message.cn() == "9012" {
            break;
        }
    }
    let live = seen
        .iter()
        .position(|cn| cn == "2011")
        .expect("it went out");
    assert!(live <= 7, "{seen:?}");
    assert_eq!(seen.iter().filter(|cn| *cn == "2051").count(), 20);
}

#[tokio::test(start_paused = true)]
async fn what_nothing_here_can_do_is_said_so() {
    let (desk, mut centre) = quiet("2017", "").await;
    let pol_id = || SmolStr::new_static("a21026");
    let cases = [
        (
            Request::Calibrate {
                pol_id: pol_id(),
                kind: None,
            },
            "9012 ExeRtn=3",
        ),
        (Request::SampleNow { pol_id: pol_id() }, "9012 ExeRtn=3"),
        (Request::Clean { pol_id: pol_id() }, "9012 ExeRtn=3"),
        (Request::StartFacility, "9012 ExeRtn=100"),
        (Request::GetSerial { pol_id: pol_id() }, "9012 ExeRtn=100"),
    ];
    for (request, end) in cases {
        let cn = request.cn();
        assert_eq!(
            ask(&mut centre, V17, request).await,
            ["9011 QnRtn=1", end],
            "{cn}"
        );
    }
    assert!(
        desk.notes
            .outcomes()
            .iter()
            .all(|outcome| outcome == "executing")
    );

    let (_desk, mut centre) = quiet("2005", "").await;
    let delay = Request::SetAlarmDelay { warn_time: 5 };
    let answers = ask(&mut centre, Edition::V2005, delay).await;
    assert_eq!(answers, ["9011 QnRtn=1", "9012 ExeRtn=2"]);
}

#[tokio::test(start_paused = true)]
async fn states_are_told_on_request() {
    let (_desk, mut centre) = quiet("2017", "").await;
    let info = |info_id: &str| Request::GetInfo {
        pol_id: None,
        info_id: info_id.into(),
        range: None,
    };
    let answers = ask(&mut centre, V17, info("i22001")).await;
    assert!(answers[1].ends_with("i22001-Info=0"), "{answers:?}");
    assert_eq!(answers.last().map(String::as_str), Some("9012 ExeRtn=1"));
    let none = ask(&mut centre, V17, info("i13004")).await;
    assert_eq!(none, ["9011 QnRtn=1", "9012 ExeRtn=100"]);
}

#[tokio::test(start_paused = true)]
async fn a_new_key_holds_from_then_on_and_is_not_in_the_journal() {
    let mut desk = Desk::new("2025", "key_file = \"key\"\nheartbeat_s = 0");
    desk.start();
    let mut centre = desk.listen();
    let request = Request::SetKey {
        created: time("20200331120000"),
        key: Secret::new("ABCDEFGHabcdefgh"),
    };
    let answers = ask(&mut centre, Edition::V2025, request).await;
    assert_eq!(answers, ["9011 QnRtn=1", "9012 ExeRtn=1"]);
    centre.key = Some(Sm4Key::new(*b"ABCDEFGHabcdefgh"));
    desk.form(RecordKind::Hour, minutes_before_noon(60), "35.20");
    assert_eq!(centre.take().await, "2061 1100");
    let noted = format!("{:?}", desk.notes.0.lock().expect("whole"));
    assert!(!noted.contains("ABCDEFGHabcdefgh"), "{noted}");
}

#[tokio::test(start_paused = true)]
async fn time_outs_of_the_centre_are_kept() {
    let (mut desk, mut centre) = quiet("2017", "").await;
    let request = Request::SetTimeouts {
        over_time_s: 3,
        re_count: 1,
    };
    assert_eq!(
        ask(&mut centre, V17, request).await,
        ["9011 QnRtn=1", "9012 ExeRtn=1"]
    );
    desk.stop().await;
    desk.start();
    let mut centre = desk.listen();
    desk.form(RecordKind::Minute, minutes_before_noon(10), "1");
    let began = tokio::time::Instant::now();
    let mut frames = 0;
    while centre.next().await.is_some() {
        frames += 1;
    }
    assert_eq!((frames, began.elapsed().as_secs()), (2, 6));
}
