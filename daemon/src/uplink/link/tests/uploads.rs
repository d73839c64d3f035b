//! What goes out, in which order, and through which trouble.

use super::centre::shown;
use super::*;
use crate::delivery::problems;
use cems_protocols::hj212::Sm4Key;
use std::collections::BTreeMap;

#[tokio::test(start_paused = true)]
async fn what_is_new_goes_first_then_hours_then_minutes_and_history_is_marked() {
    let mut desk = Desk::new("2025", "heartbeat_s = 0");
    let old = minutes_before_noon(60);
    desk.form_at(RecordKind::Minute, minutes_before_noon(80), "1", old);
    desk.form_at(RecordKind::Minute, minutes_before_noon(90), "2", old);
    desk.form_at(RecordKind::Hour, minutes_before_noon(120), "3", old);
    desk.form_at(RecordKind::Realtime, minutes_before_noon(61), "4", old);
    desk.form(RecordKind::Realtime, minutes_before_noon(1), "5");
    desk.form(RecordKind::Minute, minutes_before_noon(10), "6");
    let mut centre = {
        desk.start();
        desk.listen()
    };
    let mut taken = Vec::new();
    for _ in 0..6 {
        taken.push(centre.take().await);
    }
    assert_eq!(
        taken,
        [
            "2051 1150",
            "2011 1159",
            "2061 1000 RF",
            "2051 1030 RF",
            "2051 1040 RF",
            "2011 1059 RF",
        ]
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((desk.pending(), desk.notes.delivered().len()), (0, 6));
}

#[tokio::test(start_paused = true)]
async fn the_centre_reads_the_record_again() {
    let mut desk = Desk::new("2017", "");
    desk.form(RecordKind::Hour, minutes_before_noon(60), "35.20");
    desk.start();
    let mut centre = desk.listen();
    let message = centre.frame().await;
    assert_eq!(shown(&message), "2061 1100");
    let header = &message.header;
    assert_eq!(header.mn.as_deref(), Some("EXAMPLE0000001"));
    assert_eq!(header.pw.as_deref(), Some("654321"));
    assert_eq!((header.st.as_deref(), header.flag), (Some("31"), Some(5)));
    let item = message.items.iter().find(|item| item.name == "a21026");
    let avg = item.and_then(|item| item.get("Avg")).map(SmolStr::as_str);
    assert_eq!(avg, Some("35.20"));
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_a_frame_goes_again_and_then_the_line_is_made_anew() {
    let mut desk = Desk::new("2017", "over_time_s = 5\nre_count = 2");
    desk.form(RecordKind::Minute, minutes_before_noon(10), "1");
    desk.start();
    let mut deaf = desk.listen();
    let began = tokio::time::Instant::now();
    let mut seen = Vec::new();
    while let Some(message) = deaf.next().await {
        let qn = message.header.qn.clone().expect("uploads have a QN");
        seen.push((began.elapsed().as_secs(), qn));
    }
    let times: Vec<u64> = seen.iter().map(|(at, _)| *at).collect();
    assert_eq!(times.len(), 3, "{seen:?}");
    assert!(
        times[1] - times[0] == 5 && times[2] - times[1] == 5,
        "{times:?}"
    );
    assert!(
        seen.iter().all(|(_, qn)| *qn == seen[0].1),
        "the same frame again"
    );
    assert_eq!(desk.pending(), 1);

    let mut centre = desk.listen();
    assert_eq!(centre.take().await, "2051 1150");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(desk.pending(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_hour_without_a_line_loses_nothing_and_sends_nothing_twice() {
    let mut desk = Desk::new("2017", "");
    desk.start();
    let mut centre = desk.listen();
    desk.form(RecordKind::Realtime, NOON, "0");
    assert_eq!(centre.take().await, "2011 1200");
    tokio::time::sleep(Duration::from_secs(2)).await;
    drop(centre);

    // Nobody is there for an hour; the station goes on.
    for n in 1..=60 {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let start = NOON.plus_ms(n * MINUTE_MS);
        desk.form(RecordKind::Realtime, start, &n.to_string());
        if n % 10 == 0 {
            desk.form(RecordKind::Minute, start.plus_ms(-10 * MINUTE_MS), "7");
        }
    }
    desk.form(RecordKind::Hour, NOON, "8");
    let mut centre = desk.listen();
    let mut taken = Vec::new();
    for _ in 0..67 {
        taken.push(centre.take().await);
    }
    // Found within a minute of coming back, newest ten minutes first, in the order formed.
    assert!(desk.now() < NOON.plus_ms(63 * MINUTE_MS), "{}", desk.now());
    let fresh: Vec<&str> = taken.iter().take(3).map(String::as_str).collect();
    assert_eq!(fresh.len(), 3);
    assert!(fresh.iter().all(|frame| *frame >= "2011 1250"), "{fresh:?}");
    let mut counts = BTreeMap::<String, u32>::new();
    for frame in &taken {
        *counts.entry(frame.clone()).or_default() += 1;
    }
    assert_eq!(counts.len(), 67, "each once: {counts:?}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((desk.pending(), desk.notes.delivered().len()), (0, 68));
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_cut_again_and_again_brings_everything_across() {
    let mut desk = Desk::new("2017", "");
    for n in 0..40 {
        desk.form(RecordKind::Minute, minutes_before_noon(400 - 10 * n), "1");
    }
    desk.start();
    let mut counts = BTreeMap::<String, u32>::new();
    let mut cuts = 0;
    while counts.len() < 40 {
        let mut centre = desk.listen();
        for _ in 0..3 {
            *counts.entry(centre.take().await).or_default() += 1;
            if counts.len() == 40 {
                break;
            }
        }
        // The fourth comes and is not acknowledged before the line goes.
        if counts.len() < 40 {
            let _unanswered = centre.frame().await;
        }
        cuts += 1;
    }
    assert!(cuts > 10);
    assert!(counts.values().all(|n| *n == 1), "{counts:?}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(desk.pending(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_where_it_was() {
    let mut desk = Desk::new("2017", "");
    for n in 0..10 {
        desk.form(RecordKind::Minute, minutes_before_noon(100 - 10 * n), "1");
    }
    desk.start();
    let mut centre = desk.listen();
    for _ in 0..4 {
        centre.take().await;
    }
    let fifth = shown(&centre.frame().await);
    desk.stop().await;
    assert_eq!(desk.pending(), 6, "acknowledged ones are booked at a stop");
    desk.start();
    let mut centre = desk.listen();
    assert_eq!(centre.take().await, fifth);
}

#[tokio::test(start_paused = true)]
async fn a_correction_is_sent_again() {
    let mut desk = Desk::new("2017", "");
    let start = minutes_before_noon(60);
    desk.form(RecordKind::Hour, start, "35");
    desk.start();
    let mut centre = desk.listen();
    assert_eq!(centre.take().await, "2061 1100");
    tokio::time::sleep(Duration::from_secs(2)).await;
    desk.form(RecordKind::Hour, start, "36");
    let again = centre.frame().await;
    assert_eq!(shown(&again), "2061 1100");
    let avg = again
        .items
        .iter()
        .find_map(|item| item.get("Avg"))
        .map(SmolStr::as_str);
    assert_eq!(avg, Some("36"));
    centre.acknowledge(&again).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(desk.pending(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_record_the_centre_will_not_have_does_not_stand_in_the_way() {
    let mut desk = Desk::new("2017", "over_time_s = 1\nre_count = 1");
    desk.form(RecordKind::Hour, minutes_before_noon(60), "1");
    desk.form(RecordKind::Minute, minutes_before_noon(10), "2");
    desk.start();
    let mut others = 0;
    for _ in 0..6 {
        let mut centre = desk.listen();
        while let Some(message) = centre.next().await {
            if message.cn() == "2051" {
                centre.acknowledge(&message).await;
                others += 1;
                break;
            }
        }
        if others > 0 {
            break;
        }
    }
    assert_eq!(others, 1);
}

#[tokio::test(start_paused = true)]
async fn history_keeps_its_rate_and_what_is_new_does_not_wait_for_it() {
    let mut desk = Desk::new("2017", "history_per_min = 6");
    let old = minutes_before_noon(60);
    for n in 0..30 {
        desk.form_at(
            RecordKind::Minute,
            minutes_before_noon(400 - 10 * n),
            "1",
            old,
        );
    }
    desk.start();
    let mut centre = desk.listen();
    for _ in 0..10 {
        centre.take().await;
    }
    let began = tokio::time::Instant::now();
    centre.take().await;
    assert!(
        began.elapsed() >= Duration::from_secs(9),
        "{:?}",
        began.elapsed()
    );
    let now = desk.now();
    desk.form(RecordKind::Realtime, now, "5");
    let began = tokio::time::Instant::now();
    assert!(centre.take().await.starts_with("2011"));
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn an_enciphered_line_is_read_with_the_key_only() {
    let mut desk = Desk::new("2025", "key_file = \"key\"\nheartbeat_s = 0");
    desk.form(RecordKind::Hour, minutes_before_noon(60), "35.20");
    desk.start();
    let mut centre = desk.listen();
    centre.key = Some(Sm4Key::new(*b"0123456789ABCDEF"));
    let message = centre.frame().await;
    assert!(message.encrypted, "{message:?}");
    assert_eq!(shown(&message), "2061 1100");
}

#[tokio::test(start_paused = true)]
async fn without_acknowledgements_what_the_line_took_is_delivered() {
    let mut desk = Desk::new("2005", "answer = false");
    for n in 0..5 {
        desk.form(RecordKind::Minute, minutes_before_noon(50 - 10 * n), "1");
    }
    desk.start();
    let mut centre = desk.listen();
    for _ in 0..5 {
        let message = centre.frame().await;
        assert!(!message.header.wants_answer());
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((desk.pending(), desk.notes.delivered().len()), (0, 5));
}

#[tokio::test(start_paused = true)]
async fn a_centre_of_2025_gets_a_sign_of_life_in_silence() {
    let mut desk = Desk::new("2025", "heartbeat_s = 30");
    desk.start();
    let mut centre = desk.listen();
    let began = tokio::time::Instant::now();
    for n in 1..=3 {
        let beat = centre.frame().await;
        assert_eq!(beat.cn(), "9015");
        centre.acknowledge(&beat).await;
        assert_eq!(began.elapsed().as_secs() / 30, n);
    }
}

#[tokio::test(start_paused = true)]
async fn a_centre_that_is_away_is_a_problem_after_a_while_and_none_when_it_is_back() {
    let mut desk = Desk::new("2017", "");
    desk.form(RecordKind::Minute, minutes_before_noon(10), "1");
    desk.start();
    tokio::time::sleep(Duration::from_secs(14 * 60)).await;
    let board = Arc::clone(&desk.ground.board);
    assert_eq!(problems(&*board), Vec::<String>::new());
    tokio::time::sleep(Duration::from_secs(3 * 60)).await;
    let told = problems(&*board);
    assert!(told[0].contains("uplink centre"), "{told:?}");
    let status = &board.status().expect("reads")[0];
    assert_eq!((status.connected, status.pending), (false, 1));
    assert!(status.last_error.is_some());

    let mut centre = desk.listen();
    centre.take().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(problems(&*board), Vec::<String>::new());
    let status = &board.status().expect("reads")[0];
    assert_eq!(
        (status.connected, status.pending, status.acknowledged),
        (true, 0, 1)
    );
    assert!(status.last_acknowledged.is_some());
}
