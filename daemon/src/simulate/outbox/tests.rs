//! Outages, retries and order, told without a network.

use super::*;
use crate::simulate::channels;
use crate::simulate::plant::PlantKind;
use crate::simulate::stack::Outfall;
use crate::simulate::station::{Quirks, Station};
use cems_core::model::{Timestamp, UtcOffset};
use cems_protocols::hj212::Edition;

const RETRIES: Retries = Retries {
    over_time_ms: 10_000,
    re_count: 2,
};

fn station(edition: Edition, wants_answer: bool) -> Station {
    Station {
        mn: "534900000000000000000001".into(),
        password: "123456".into(),
        edition,
        wants_answer,
        outfall: Outfall::Discharge,
        channels: channels::of(PlantKind::WasteWater),
        quirks: Quirks::default(),
        offset: UtcOffset::default(),
    }
}

/// Messages of whole seconds, named by their second.
fn parcel(station: &Station, second: i64) -> Parcel {
    let at = Timestamp(1_795_104_000_000 + second * 1_000);
    station.facilities(at, true).expect("a sound station")
}

fn second(packet: &Packet) -> String {
    let qn = packet.qn.as_deref().expect("later editions have a QN");
    qn[10..14].to_owned()
}

/// Sends and answers everything; the order in which it went.
fn flush(outbox: &mut Outbox) -> Vec<(String, bool)> {
    let mut order = Vec::new();
    while let Some((packet, late)) = outbox.next_answered() {
        outbox.sent(0);
        assert_eq!(outbox.answered(packet.qn.as_deref(), 7), Some(7));
        order.push((second(&packet), late));
    }
    order
}

#[test]
fn one_message_at_a_time_until_its_own_answer() {
    let station = station(Edition::V2017, true);
    let mut outbox = Outbox::new(RETRIES, 10);
    outbox.push(parcel(&station, 1), true);
    outbox.push(parcel(&station, 2), true);
    let (first, _) = outbox.next_answered().expect("one waits");
    outbox.sent(100);
    assert!(
        outbox.next_answered().is_none(),
        "the second waits for the first"
    );
    assert_eq!(
        outbox.answered(Some("20260101000000000"), 150),
        None,
        "not ours"
    );
    assert_eq!(outbox.answered(None, 150), None);
    assert_eq!(outbox.answered(first.qn.as_deref(), 160), Some(60));
    assert_eq!(
        outbox.answered(first.qn.as_deref(), 170),
        None,
        "answered once"
    );
    assert_eq!(flush(&mut outbox), [("0002".to_owned(), false)]);
    assert!(outbox.is_empty());
}

#[test]
fn silence_is_met_with_retries_and_then_with_giving_up() {
    let station = station(Edition::V2017, true);
    let mut outbox = Outbox::new(RETRIES, 10);
    outbox.push(parcel(&station, 1), true);
    let mut now = 0;
    for _ in 0..3 {
        let (packet, _) = outbox.next_answered().expect("to be sent");
        assert_eq!(second(&packet), "0001");
        outbox.sent(now);
        assert_eq!(outbox.on_time(now + 9_999), Patience::Waiting);
        now += 10_000;
        let expected = if now < 30_000 {
            Patience::SendAgain
        } else {
            Patience::GiveUp
        };
        assert_eq!(outbox.on_time(now), expected);
    }
    outbox.disconnected();
    assert_eq!(flush(&mut outbox), [("0001".to_owned(), true)]);
}

#[test]
fn after_an_outage_new_data_go_first_and_nothing_is_missing() {
    let station = station(Edition::V2025, true);
    let mut outbox = Outbox::new(RETRIES, 10);
    outbox.push(parcel(&station, 1), true);
    let _ = outbox.next_answered().expect("to be sent");
    outbox.sent(0);
    outbox.push(parcel(&station, 2), true);
    outbox.disconnected();
    for second in 3..=5 {
        outbox.push(parcel(&station, second), false);
    }
    outbox.push(parcel(&station, 6), true);
    assert_eq!(outbox.len(), 6);
    let order = flush(&mut outbox);
    let seconds: Vec<&str> = order.iter().map(|(second, _)| second.as_str()).collect();
    assert_eq!(seconds, ["0006", "0001", "0002", "0003", "0004", "0005"]);
    assert!(order[1..].iter().all(|(_, late)| *late) && !order[0].1);
}

#[test]
fn what_is_late_says_so_in_2025() {
    let station = station(Edition::V2025, true);
    let mut outbox = Outbox::new(RETRIES, 10);
    outbox.push(parcel(&station, 1), false);
    let (packet, late) = outbox.next_answered().expect("to be sent");
    let text = String::from_utf8(packet.bytes).expect("ASCII");
    assert!(late && text.contains(";RF=1;CP="), "{text}");
}

#[test]
fn a_full_buffer_drops_the_oldest_and_counts_them() {
    let station = station(Edition::V2017, true);
    let mut outbox = Outbox::new(RETRIES, 3);
    for second in 1..=8 {
        outbox.push(parcel(&station, second), false);
    }
    assert_eq!((outbox.len(), outbox.dropped()), (3, 5));
    let order: Vec<String> = flush(&mut outbox)
        .into_iter()
        .map(|(second, _)| second)
        .collect();
    assert_eq!(order, ["0006", "0007", "0008"]);
    // A slow centre: fresh data pile up and become late, then go too.
    for second in 1..=8 {
        outbox.push(parcel(&station, second), true);
    }
    assert_eq!((outbox.len(), outbox.dropped()), (6, 7));
}

#[test]
fn loggers_that_wait_for_nothing_hand_over_at_once() {
    let station = station(Edition::V2005, true);
    let mut outbox = Outbox::new(RETRIES, 10);
    outbox.push(parcel(&station, 1), true);
    outbox.push(parcel(&station, 2), false);
    assert!(
        outbox.next_answered().is_none(),
        "2005 uploads have no QN to be answered by"
    );
    let first = outbox.take_unanswered().expect("waits");
    assert_eq!(outbox.len(), 1);
    outbox.put_back(first);
    assert_eq!(outbox.len(), 2);
    assert!(outbox.take_unanswered().is_some() && outbox.take_unanswered().is_some());
    assert!(outbox.take_unanswered().is_none());
}
