//! What the board tells of a line: every sending, every answer, every gap.

use super::*;
use cems_core::model::time::{DAY_MS, HOUR_MS};
use cems_dashboards::backend::{SentFilter, SentRow, SentState, UplinkGap};

fn day() -> SentFilter {
    SentFilter {
        uplink: None,
        outlet: None,
        kind: None,
        span: (NOON.plus_ms(-DAY_MS), NOON.plus_ms(DAY_MS)),
        open_only: false,
        behind: None,
        limit: 1_000,
    }
}

impl Desk {
    fn told(&self) -> Vec<SentRow> {
        let board = &self.ground.board;
        board.sent(&|_| true, &day()).expect("reads")
    }

    fn gaps(&self) -> Vec<UplinkGap> {
        let board = &self.ground.board;
        board.gaps(&|_| true, &day()).expect("reads")
    }
}

#[tokio::test(start_paused = true)]
async fn every_sending_is_counted_over_lines_and_restarts() {
    let mut desk = Desk::new("2017", "over_time_s = 5\nre_count = 2");
    let start = minutes_before_noon(10);
    desk.form(RecordKind::Minute, start, "1");
    assert_eq!(desk.told()[0].state, SentState::Waiting);
    desk.start();
    let began = desk.now();
    let mut deaf = desk.listen();
    while deaf.next().await.is_some() {}
    tokio::time::sleep(Duration::from_millis(300)).await;
    let told = desk.told()[0].clone();
    assert_eq!(
        (told.state, told.times, told.resent),
        (SentState::Unanswered, 3, true)
    );
    let after = |at: Option<Timestamp>| at.expect("sent").since_ms(began) / 1_000;
    assert_eq!((after(told.first_sent), after(told.last_sent)), (0, 10));
    let first_sent = told.first_sent;

    // The line is cut right after the next sending, and the daemon restarts.
    let mut cut = desk.listen();
    cut.frame().await;
    drop(cut);
    tokio::time::sleep(Duration::from_secs(1)).await;
    desk.stop().await;
    desk.start();
    let mut centre = desk.listen();
    let message = centre.frame().await;
    centre.notice(&message).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let told = &desk.told()[0];
    assert_eq!(
        (told.state, told.times, told.resent),
        (SentState::Acknowledged, 5, true)
    );
    assert_eq!(told.answer.as_deref(), Some("9013"));
    assert_eq!((told.start, told.first_sent), (start, first_sent));
    let lines = desk.ground.board.summaries(&|_| true, true).expect("reads");
    let line = &lines[0].lines[0];
    assert_eq!(
        (line.today.acknowledged, line.today.resent, line.pending),
        (1, 1, 0)
    );
    assert_eq!((line.position, line.lag_rows), (Some(Seq(1)), 0));
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_one_gap_until_the_centre_has_it_all() {
    let mut desk = Desk::new("2017", "realtime_s = 0");
    desk.start();
    let mut centre = desk.listen();
    let from = minutes_before_noon(120);
    desk.form(RecordKind::Hour, from, "1");
    centre.take().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(centre);
    for n in 1..=6 {
        let start = minutes_before_noon(10).plus_ms(n * 10 * MINUTE_MS);
        tokio::time::sleep(Duration::from_secs(600)).await;
        desk.form(RecordKind::Minute, start, "2");
        // Real-time records do not go to this centre: none of them is missing there.
        desk.form(RecordKind::Realtime, start, "3");
    }
    let gaps = desk.gaps();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    let gap = &gaps[0];
    assert_eq!((gap.kind, gap.first), (RecordKind::Minute, NOON));
    // The last one was formed a moment ago, and is on its way.
    assert_eq!((gap.records, gap.pending, gap.unanswered), (5, 5, 0));
    assert_eq!(gap.last, NOON.plus_ms(40 * MINUTE_MS));
    let mut centre = desk.listen();
    for _ in 0..6 {
        centre.take().await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(desk.gaps(), []);
    let told = desk.told();
    assert_eq!(told.len(), 7);
    assert!(
        told.iter()
            .all(|row| row.state == SentState::Acknowledged && !row.resent)
    );

    // What was formed before it was to be uploaded waits for nothing, and is missing there.
    let late = desk.now().plus_ms(-3 * HOUR_MS);
    desk.seq += 1;
    desk.store.begin().expect("begins");
    let row = record(RecordKind::Hour, late, "9", Seq(desk.seq));
    desk.store.apply(&Output::Record(row)).expect("stored");
    let (seq, at) = (Seq(desk.seq), desk.now());
    desk.store.commit(Position { seq, at }).expect("on disk");
    let gaps = desk.gaps();
    assert_eq!(
        (gaps[0].kind, gaps[0].records, gaps[0].pending),
        (RecordKind::Hour, 1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_centre_does_not_want_is_no_gap() {
    let mut desk = Desk::new("2017", "");
    desk.uplink = Arc::new(Uplink {
        outlets: vec![UplinkOutlet {
            factors: Vec::new(),
            ..desk.uplink.outlets[0].clone()
        }],
        ..(*desk.uplink).clone()
    });
    let old = minutes_before_noon(30);
    desk.form_at(RecordKind::Hour, minutes_before_noon(120), "1", old);
    desk.start();
    let _centre = desk.listen();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(desk.told()[0].state, SentState::NotOwed);
    assert_eq!(desk.gaps(), []);
    assert_eq!(desk.pending(), 0);
}
