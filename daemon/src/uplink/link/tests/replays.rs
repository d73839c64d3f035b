//! A period is sent again on demand: from the projections, each record once, behind what is new.

use super::centre::shown;
use super::*;
use crate::uplink::ReplayError;
use cems_core::model::OutletId;
use cems_core::model::time::{DAY_MS, HOUR_MS};
use cems_dashboards::backend::{UplinkReplay, UplinkReplayAsk};
use std::collections::BTreeMap;

impl Desk {
    fn ask(&self, from: Timestamp, until: Timestamp) -> Result<i64, ReplayError> {
        let ask = UplinkReplayAsk {
            uplink: "centre".into(),
            outlet: None,
            span: (from, until),
        };
        let board = &self.ground.board;
        board.check_replay(&|_| true, &ask)?;
        board.ask_replay(&ask, "supervisor")
    }

    /// Books what was asked for to its end; how many each step took.
    fn book(&self) -> Vec<u64> {
        let mut steps = Vec::new();
        while self.feed.replay_step().expect("books") {
            steps.push(self.replay().booked);
        }
        steps
    }

    fn replay(&self) -> UplinkReplay {
        let rows = self.ground.board.replays(&|_| true).expect("reads");
        rows.into_iter().next().expect("a replay")
    }

    /// Records that were stored before anything went to the centre.
    fn store(&mut self, kind: RecordKind, starts: impl Iterator<Item = Timestamp>) {
        self.store.begin().expect("begins");
        for start in starts {
            self.seq += 1;
            let row = record(kind, start, "7", Seq(self.seq));
            self.store.apply(&Output::Record(row)).expect("stored");
        }
        let (seq, at) = (Seq(self.seq), self.now());
        self.store.commit(Position { seq, at }).expect("on disk");
    }
}

#[tokio::test(start_paused = true)]
async fn a_centre_that_has_everything_gets_a_period_once_more() {
    let mut desk = Desk::new("2025", "heartbeat_s = 0\nrealtime_s = 300");
    for n in [70, 60, 50] {
        desk.form(RecordKind::Minute, minutes_before_noon(n), "1");
    }
    desk.form(RecordKind::Hour, minutes_before_noon(120), "2");
    desk.form(RecordKind::Realtime, minutes_before_noon(60), "3");
    desk.form(RecordKind::Realtime, minutes_before_noon(59), "4");
    desk.start();
    let mut centre = desk.listen();
    for _ in 0..5 {
        let frame = centre.take().await;
        assert!(!frame.ends_with("RF"), "{frame}");
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(desk.pending(), 0);

    desk.ask(minutes_before_noon(120), minutes_before_noon(50))
        .expect("fits");
    assert_eq!(desk.replay().stage().as_str(), "booking");
    desk.book();
    assert_eq!(desk.replay().booked, 4, "one real-time record is not due");
    let mut counts = BTreeMap::<String, u32>::new();
    for _ in 0..4 {
        *counts.entry(centre.take().await).or_default() += 1;
    }
    let frames: Vec<&str> = counts.keys().map(String::as_str).collect();
    let expected = [
        "2011 1100 RF",
        "2051 1050 RF",
        "2051 1100 RF",
        "2061 1000 RF",
    ];
    assert_eq!(frames, expected, "young, and history all the same");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let replay = desk.replay();
    assert_eq!((replay.acknowledged, replay.percent()), (4, 100));
    assert_eq!(desk.pending(), 0);

    // Nothing else comes.
    desk.form(RecordKind::Hour, minutes_before_noon(60), "5");
    assert_eq!(shown(&centre.frame().await), "2061 1100");
}

#[tokio::test(start_paused = true)]
async fn what_is_new_goes_before_a_replay_and_a_correction_in_it_goes_once() {
    let mut desk = Desk::new("2017", "history_per_min = 60");
    let from = minutes_before_noon(1_440);
    let starts = (0..100).map(|n| from.plus_ms(n * 10 * MINUTE_MS));
    desk.store(RecordKind::Minute, starts);
    desk.ask(from, NOON).expect("fits");
    desk.book();
    desk.start();
    let mut centre = desk.listen();
    for _ in 0..12 {
        assert!(centre.take().await.starts_with("2051"));
    }
    // A record that the line does not have in hand yet is corrected: it goes at once, and alone.
    let corrected = from.plus_ms(99 * 10 * MINUTE_MS);
    desk.form(RecordKind::Minute, corrected, "8");
    let mut frames = Vec::new();
    for _ in 0..88 {
        frames.push(centre.frame().await);
        centre.acknowledge(frames.last().expect("one")).await;
    }
    let place = |wanted: &str| frames.iter().position(|frame| shown(frame) == wanted);
    assert!(place("2051 0430") < Some(3), "{:?}", place("2051 0430"));
    let same = frames.iter().filter(|frame| shown(frame) == "2051 0430");
    assert_eq!(same.count(), 1);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let replay = desk.replay();
    assert_eq!((replay.booked, replay.acknowledged), (100, 100));
    assert_eq!((replay.percent(), desk.pending()), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn a_long_period_is_booked_in_steps_and_does_not_grow_too_old() {
    let mut desk = Desk::new("2017", "history_days = 30\nday = false");
    let from = NOON.plus_ms(-200 * DAY_MS);
    let starts = (0..2_300).map(|n| from.plus_ms(n * MINUTE_MS));
    desk.store(RecordKind::Minute, starts);
    desk.store(RecordKind::Hour, (0..30).map(|n| from.plus_ms(n * HOUR_MS)));
    desk.store(RecordKind::Day, std::iter::once(from));
    desk.ask(from, from.plus_ms(DAY_MS)).expect("fits");
    let steps = desk.book();
    // Hours; two steps of minutes; real-time records, of which there are none.
    assert_eq!(steps, [24, 1_024, 1_464, 1_464]);
    let mailbox = mailbox();
    let before = NOON.plus_ms(-30 * DAY_MS);
    assert_eq!(desk.ground.outbox.expire(&mailbox, before), Ok(0));
    assert_eq!(desk.pending(), 1_464);
    let id = desk.replay().id;
    assert_eq!(desk.ground.board.cancel_replay(id), Ok(true));
    assert_eq!((desk.pending(), desk.replay().waiting()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_period_that_cannot_be_sent_again_is_refused_with_the_reason() {
    let mut desk = Desk::new("2017", "");
    let (from, until) = (minutes_before_noon(60), minutes_before_noon(10));
    assert_eq!(desk.ask(from, until), Err(ReplayError::NothingStored));
    desk.store(RecordKind::Minute, std::iter::once(from.plus_ms(30_000)));
    assert_eq!(desk.ask(until, from), Err(ReplayError::Period));
    assert_eq!(desk.ask(from, from), Err(ReplayError::Period));
    let early = NOON.plus_ms(-900 * DAY_MS);
    assert_eq!(desk.ask(early, until), Err(ReplayError::Period));
    let late = NOON.plus_ms(DAY_MS);
    assert_eq!(desk.ask(from, late), Err(ReplayError::Future(late)));
    let before = from.plus_ms(-1);
    let stored = Err(ReplayError::BeforeStored(from.plus_ms(30_000)));
    assert_eq!(desk.ask(before, until), stored);
    let id = desk
        .ask(from, until)
        .expect("the minute of the first record");
    assert_eq!(desk.ask(from, until), Err(ReplayError::UnderWay(id)));

    let ask = |uplink: &str, outlet: Option<&str>| UplinkReplayAsk {
        uplink: uplink.into(),
        outlet: outlet.map(Into::into),
        span: (from, until),
    };
    let board = &desk.ground.board;
    let unknown = board.check_replay(&|_| true, &ask("pigeon", None));
    assert_eq!(unknown, Err(ReplayError::UnknownUplink("pigeon".into())));
    let hidden = board.check_replay(&|_| false, &ask("centre", None));
    assert_eq!(hidden, Err(ReplayError::UnknownUplink("centre".into())));
    let other = board.check_replay(&|_| true, &ask("centre", Some("jia-9")));
    assert_eq!(other, Err(ReplayError::UnknownOutlet("jia-9".into())));
}

#[tokio::test(start_paused = true)]
async fn all_outlets_of_a_centre_are_for_those_who_see_them_all() {
    let mut desk = Desk::new("2017", "");
    let (from, until) = (minutes_before_noon(60), minutes_before_noon(10));
    desk.store(RecordKind::Minute, std::iter::once(from));
    let terms = desk.uplink.outlets[0].clone();
    let other = UplinkOutlet {
        outlet: "jia-2".into(),
        ..terms.clone()
    };
    let uplink = Uplink {
        outlets: vec![terms, other],
        ..(*desk.uplink).clone()
    };
    let text = site("2017", "");
    let registry = load_str(&[("cemsd.toml", text.as_str())])
        .expect("a site")
        .registry;
    let receipts = Receipts::open(&desk.dir.path().join("uplink.db")).expect("opens");
    let board = UplinkBoard::new(
        &[Arc::new(uplink)],
        &registry,
        (receipts, desk.ground.readers.clone()),
        (Arc::clone(&desk.ground.outbox), Arc::new(Notify::new())),
        desk.ground.clock.clone(),
    );
    let ask = |outlet: Option<&str>| UplinkReplayAsk {
        uplink: "centre".into(),
        outlet: outlet.map(Into::into),
        span: (from, until),
    };
    let own = |id: &OutletId| *id == OutletId::new("jia-1");
    let check = |ask: &UplinkReplayAsk| board.check_replay(&own, ask);
    assert_eq!(check(&ask(None)), Err(ReplayError::NotAll("centre".into())));
    assert_eq!(check(&ask(Some("jia-1"))), Ok(()));
    let hidden = Err(ReplayError::UnknownOutlet("jia-2".into()));
    assert_eq!(check(&ask(Some("jia-2"))), hidden);
    assert_eq!(board.check_replay(&|_| true, &ask(None)), Ok(()));

    board.ask_replay(&ask(None), "supervisor").expect("books");
    let told = board.replays(&own).expect("reads").remove(0);
    assert!(!board.covers(&told, &own) && board.covers(&told, &|_| true));
}
