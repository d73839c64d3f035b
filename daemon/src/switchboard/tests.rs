//! Orders wait for their logger, go one at a time, and end when nobody comes.

use super::*;
use crate::journal::{Options, Reader};
use cems_protocols::hj212::HistoryKind;
use cems_protocols::hj212::LocalTime;

struct Desk {
    dir: tempfile::TempDir,
    board: Arc<Switchboard>,
    wishes: mpsc::Receiver<Wish>,
    journal: Journal,
}

fn desk(settings: DialogueSettings) -> Desk {
    let dir = tempfile::tempdir().expect("a directory");
    let clock = Clock::Real;
    let options = Options::new(Arc::new(|| Clock::Real.now().0));
    let (journal, _) = Journal::open(dir.path(), options).expect("a journal");
    let (board, wishes) = Switchboard::new(journal.clone(), clock, settings);
    Desk {
        dir,
        board,
        wishes,
        journal,
    }
}

fn events(desk: Desk) -> Vec<JournalEvent> {
    desk.journal.close();
    let reader = Reader::open(desk.dir.path()).expect("the journal");
    reader
        .entries_from(1)
        .map(|entry| JournalEvent::from_line(&entry.expect("sound").body).expect("an event"))
        .collect()
}

async fn order(desk: &Desk, request: Request, by: (&str, Why)) -> Seq {
    let outlet = OutletId::new("jia-1");
    let ordered = desk.board.order(&outlet, Edition::V2017, request, by).await;
    ordered.expect("ordered").id
}

fn gap() -> Request {
    let time = LocalTime::parse("20261122080000").expect("a time");
    Request::History {
        kind: HistoryKind::Hour,
        begin: time,
        end: time,
    }
}

#[tokio::test]
async fn a_person_goes_before_the_daemon_and_orders_go_one_at_a_time() {
    let desk = desk(DialogueSettings::default());
    let outlet = OutletId::new("jia-1");
    let gap = order(&desk, gap(), ("daemon", Why::Gap)).await;
    let asked = order(&desk, Request::GetRealtimeInterval, ("li", Why::Order)).await;
    let wake = Arc::new(Notify::new());
    let plug = desk.board.plug_in(&outlet, Edition::V2017, &wake);
    wake.notified().await;
    let first = desk.board.take(&outlet, plug).expect("an order waits");
    assert_eq!((first.id, first.why), (asked, Why::Order));
    assert!(desk.board.take(&outlet, plug).is_none(), "one at a time");
    assert!(desk.board.has(&outlet, Why::Order) && desk.board.has(&outlet, Why::Gap));
    desk.board.ended(&outlet, first.id);
    assert_eq!(desk.board.take(&outlet, plug).map(|o| o.id), Some(gap));
}

#[tokio::test]
async fn an_order_whose_caller_goes_away_waits_all_the_same() {
    let desk = desk(DialogueSettings::default());
    let outlet = OutletId::new("jia-1");
    let (asked, by) = (Request::GetRealtimeInterval, ("li", Why::Order));
    let asking = desk.board.order(&outlet, Edition::V2017, asked, by);
    tokio::select! {
        biased;
        _ = asking => {}
        // The browser is closed while the journal commits.
        () = std::future::ready(()) => {}
    }
    let wake = Arc::new(Notify::new());
    let plug = desk.board.plug_in(&outlet, Edition::V2017, &wake);
    wake.notified().await;
    let order = desk.board.take(&outlet, plug).expect("it is in the queue");
    assert_eq!(order.request, Request::GetRealtimeInterval);
}

#[tokio::test]
async fn a_newer_connection_replaces_the_older() {
    let mut desk = desk(DialogueSettings::default());
    let outlet = OutletId::new("jia-1");
    let wake = Arc::new(Notify::new());
    let old = desk.board.plug_in(&outlet, Edition::V2005, &wake);
    let new = desk.board.plug_in(&outlet, Edition::V2017, &wake);
    assert_eq!(
        desk.wishes.recv().await,
        Some(Wish::Connected(outlet.clone()))
    );
    order(&desk, Request::GetRealtimeInterval, ("li", Why::Order)).await;
    assert!(desk.board.take(&outlet, old).is_none());
    // The old one ends late; the new one stays.
    desk.board.unplug(&outlet, old);
    assert_eq!(desk.board.edition(&outlet), Some(Edition::V2017));
    assert!(desk.board.take(&outlet, new).is_some());
    desk.board.unplug(&outlet, new);
    assert_eq!(desk.board.edition(&outlet), None);
    assert!(desk.board.connected().is_empty());
}

#[tokio::test]
async fn too_many_orders_are_refused_and_secrets_stay_out_of_the_journal() {
    let desk = desk(DialogueSettings::default());
    let secret = cems_protocols::hj212::Secret::new("geheim");
    order(
        &desk,
        Request::SetPassword { new: secret },
        ("li", Why::Order),
    )
    .await;
    for _ in 1..ORDERS_PER_OUTLET_MAX {
        order(&desk, Request::GetRealtimeInterval, ("li", Why::Order)).await;
    }
    let outlet = OutletId::new("jia-1");
    let by = ("li", Why::Order);
    let more = desk.board.order(&outlet, Edition::V2017, gap(), by).await;
    assert_eq!(more, Err(OrderError::QueueFull(outlet)));
    let events = events(desk);
    assert_eq!(events.len(), ORDERS_PER_OUTLET_MAX);
    let JournalEvent::Order { cn, params, by, .. } = &events[0] else {
        panic!("{:?}", events[0]);
    };
    assert_eq!((cn.as_str(), by.as_str()), ("1072", "li"));
    assert_eq!(params, &[("NewPW".into(), "***".to_owned())]);
}

#[tokio::test]
async fn an_order_whose_device_never_comes_is_cancelled() {
    let settings = DialogueSettings {
        device_wait_s: 0,
        ..DialogueSettings::default()
    };
    let desk = desk(settings);
    let outlet = OutletId::new("jia-1");
    let id = order(&desk, Request::GetRealtimeInterval, ("li", Why::Order)).await;
    desk.board.sweep().await.expect("swept");
    let wake = Arc::new(Notify::new());
    let plug = desk.board.plug_in(&outlet, Edition::V2017, &wake);
    assert!(desk.board.take(&outlet, plug).is_none());
    let events = events(desk);
    let Some(JournalEvent::Step {
        id: of,
        what,
        detail,
        state,
        ..
    }) = events.last()
    else {
        panic!("{events:?}");
    };
    assert_eq!((*of, what.as_str()), (id.0, "cancelled"));
    assert_eq!(
        (detail.as_str(), *state),
        ("not-connected", ExchangeState::Cancelled)
    );
}
