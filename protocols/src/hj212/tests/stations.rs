//! Stories of the logger's side of a dialogue.

use super::super::dialogue::{Outcome, Settings, Station, StationConfig, StationOutput};
use super::dialogues::record;
use super::world::{START_MS, World, mn};
use super::*;

fn station(edition: Edition) -> Station {
    Station::new(
        StationConfig::new(edition, "31", mn(edition)),
        Settings::new("123456"),
    )
}

/// Messages among the outputs.
fn messages(outputs: &[StationOutput]) -> Vec<Message> {
    outputs
        .iter()
        .filter_map(|output| match output {
            StationOutput::Send { bytes, .. } => Some(message_of(bytes)),
            _ => None,
        })
        .collect()
}

fn said(outputs: &[StationOutput]) -> Vec<String> {
    let area = |message: &Message| {
        let items = message.items.iter();
        let text = |item: &Item| format!("{}={}", item.name, item.get("").unwrap());
        items.map(text).collect::<Vec<_>>().join(";")
    };
    messages(outputs)
        .iter()
        .map(|message| format!("{} {}", message.cn(), area(message)))
        .collect()
}

fn ask(edition: Edition, qn: &str, cn: &str, pw: &str, mn: &str, area: &str) -> Message {
    let flag = edition.flag_bits() | 1;
    message_of(&framed(&format!(
        "QN={qn};ST=31;CN={cn};PW={pw};MN={mn};Flag={flag};CP=&&{area}&&"
    )))
}

#[test]
fn a_logger_refuses_with_the_reason_of_its_edition() {
    let qn = "20240520210700000";
    for (edition, cn, pw, mn, expected) in [
        (
            Edition::V2017,
            "1061",
            "999999",
            mn(Edition::V2017),
            "9011 QnRtn=3",
        ),
        (Edition::V2017, "1061", "123456", "OTHER", "9011 QnRtn=4"),
        (
            Edition::V2017,
            "4711",
            "123456",
            mn(Edition::V2017),
            "9011 QnRtn=8",
        ),
        (
            Edition::V2017,
            "1062",
            "123456",
            mn(Edition::V2017),
            "9011 QnRtn=2",
        ),
        (
            Edition::V2005,
            "1064",
            "123456",
            mn(Edition::V2005),
            "9011 QN=20240520210700000;QnRtn=2",
        ),
    ] {
        let message = ask(edition, qn, cn, pw, mn, "");
        let outputs = station(edition).on_message(START_MS, &message);
        assert_eq!(said(&outputs), [expected], "{cn} {edition}");
        assert!(matches!(outputs[1], StationOutput::Refused { .. }));
    }
}

#[test]
fn a_damaged_request_is_answered_since_2017_and_passed_over_in_2005() {
    for (edition, expected) in [(Edition::V2017, 1), (Edition::V2005, 0)] {
        let segment = format!(
            "QN=20240520210700000;ST=31;CN=1061;PW=123456;MN={};Flag={};CP=&&&&",
            mn(edition),
            edition.flag_bits() | 1
        );
        let message = message_of(format!("##{:04}{segment}ABCD\r\n", segment.len()).as_bytes());
        let outputs = station(edition).on_message(START_MS, &message);
        assert_eq!(messages(&outputs).len(), expected, "{edition}");
    }
}

#[test]
fn a_new_password_counts_from_the_next_request_on() {
    let edition = Edition::V2017;
    let mut station = station(edition);
    let set = ask(
        edition,
        "20240520210700000",
        "1072",
        "123456",
        mn(edition),
        "NewPW=654321",
    );
    let outputs = station.on_message(START_MS, &set);
    assert_eq!(said(&outputs), ["9011 QnRtn=1", "9012 ExeRtn=1"]);
    assert!(matches!(outputs[2], StationOutput::SettingsChanged { .. }));
    // The answer was lost: the same request again is answered again.
    let again = station.on_message(START_MS + 10_000, &set);
    assert_eq!(said(&again), ["9011 QnRtn=1", "9012 ExeRtn=1"]);
    assert_eq!(again.len(), 2);
    let old = ask(
        edition,
        "20240520210720000",
        "1061",
        "123456",
        mn(edition),
        "",
    );
    assert_eq!(said(&station.on_message(START_MS, &old)), ["9011 QnRtn=3"]);
    let new = ask(
        edition,
        "20240520210730000",
        "1061",
        "654321",
        mn(edition),
        "",
    );
    assert_eq!(
        said(&station.on_message(START_MS, &new)),
        ["9011 QnRtn=1", "1061 RtdInterval=30", "9012 ExeRtn=1"]
    );
}

#[test]
fn a_centre_that_sets_the_password_goes_on_with_the_new_one() {
    for edition in Edition::KNOWN {
        let mut world = World::new(edition, Vec::new());
        let new = Secret::new("654321");
        world.order(1, Request::SetPassword { new });
        world.order(2, Request::GetRealtimeInterval);
        world.run(60_000);
        let done = Outcome::Done { exe_rtn: Some(1) };
        assert_eq!(world.outcomes, [(1, done), (2, done)], "{edition}");
    }
}

#[test]
fn acknowledgements_are_believed_in_every_shape_met() {
    for (edition, qn, header, area) in [
        (Edition::V2017, true, "Flag=4;", ""),
        (Edition::V2017, true, "", "QnRtn=1"),
        (Edition::V2017, true, "Flag=4;", "ExeRtn=1"),
        (Edition::V2017, false, "Flag=4;", ""),
        (Edition::V2005, false, "Flag=0;", "CN=2051"),
    ] {
        let mut station = station(edition);
        let outputs = station.upload(START_MS, 7, record(edition, 0)).unwrap();
        let sent = messages(&outputs).pop().unwrap();
        assert!(!station.ready_for_more());
        let qn = match (qn, &sent.header.qn) {
            (true, Some(qn)) => format!("QN={qn};"),
            _ => String::new(),
        };
        let segment = format!("{qn}ST=91;CN=9014;{header}CP=&&{area}&&");
        let ack = message_of(format!("##0006{segment}FFFF\r\n").as_bytes());
        assert_eq!(
            station.on_message(START_MS + 100, &ack),
            [StationOutput::Uploaded {
                key: 7,
                answer: Some(AnswerKind::Data)
            }],
            "{segment}"
        );
        assert!(station.ready_for_more());
    }
}

#[test]
fn an_old_acknowledgement_confirms_nothing() {
    let mut station = station(Edition::V2017);
    station
        .upload(START_MS, 7, record(Edition::V2017, 0))
        .unwrap();
    let ack = message_of(&framed(
        "QN=20240520200000000;ST=91;CN=9014;PW=123456;MN=A;Flag=4;CP=&&&&",
    ));
    assert!(station.on_message(START_MS, &ack).is_empty());
}

#[test]
fn an_upload_nobody_acknowledges_is_reported_and_kept_by_the_caller() {
    let mut station = station(Edition::V2017);
    station
        .upload(START_MS, 7, record(Edition::V2017, 0))
        .unwrap();
    station
        .upload(START_MS, 8, record(Edition::V2017, 1))
        .unwrap();
    for again in 1..=3 {
        let outputs = station.on_tick(START_MS + again * 10_000);
        assert_eq!(messages(&outputs).len(), 1);
        assert_eq!(outputs.last(), Some(&StationOutput::SentAgain { key: 7 }));
    }
    let outputs = station.on_tick(START_MS + 40_000);
    assert_eq!(outputs[0], StationOutput::Lost { key: 7 });
    assert_eq!(station.on_disconnect(), [StationOutput::Lost { key: 8 }]);
    assert!(station.ready_for_more());
}

#[test]
fn a_long_upload_goes_packet_by_packet() {
    let mut world = World::new(Edition::V2017, Vec::new());
    let items = (0..90).map(|index| Item::factor(&format!("a{index:05}"), &[("Avg", "123.45")]));
    world.upload(7, record(Edition::V2017, 0).items(items));
    world.run(60_000);
    assert_eq!(world.uploaded, [(7, true)]);
    let order: Vec<_> = world
        .heard
        .iter()
        .map(|(end, message)| (*end, message.header.pno))
        .collect();
    assert_eq!(
        order,
        [
            ("centre", Some(1)),
            ("station", None),
            ("centre", Some(2)),
            ("station", None)
        ]
    );
}

#[test]
fn a_quiet_logger_of_2025_shows_that_it_lives() {
    let mut station = station(Edition::V2025);
    assert_eq!(station.next_deadline_ms(), None);
    station.on_connect(START_MS);
    assert_eq!(station.next_deadline_ms(), Some(START_MS + 60_000));
    let outputs = station.on_tick(START_MS + 60_000);
    let beat = messages(&outputs).pop().unwrap();
    assert_eq!((beat.cn(), beat.header.flag), ("9015", Some(9)));
    let reply = answer(&beat).unwrap();
    assert_eq!(reply.cn, "9013");
    assert!(
        station
            .on_message(START_MS + 60_100, &message_of(&reply.bytes))
            .is_empty()
    );
    assert_eq!(station.next_deadline_ms(), Some(START_MS + 120_000));
    // Unanswered, it is repeated and then reported; the caller decides.
    for again in 0..4 {
        assert_eq!(
            messages(&station.on_tick(START_MS + 120_000 + again * 10_000)).len(),
            1
        );
    }
    let outputs = station.on_tick(START_MS + 160_000);
    assert!(outputs.contains(&StationOutput::HeartbeatUnanswered));
}

#[test]
fn a_request_that_takes_an_hour_is_void() {
    let edition = Edition::V2017;
    let mut station = station(edition);
    let message = ask(
        edition,
        "20240520210700000",
        "3012",
        "123456",
        mn(edition),
        "PolId=a21026",
    );
    let outputs = station.on_message(START_MS, &message);
    let [StationOutput::Asked { token, .. }] = outputs[..] else {
        panic!("{outputs:?}")
    };
    assert_eq!(said(&station.accept(START_MS, token)), ["9011 QnRtn=1"]);
    let outputs = station.on_tick(START_MS + 3_600_000);
    assert_eq!(said(&outputs), ["9012 ExeRtn=4"]);
    assert!(station.finish(START_MS + 3_600_001, token, 1).is_empty());
}

#[test]
fn a_logger_with_too_much_to_do_is_busy() {
    let edition = Edition::V2017;
    let mut station = station(edition);
    for index in 0..9 {
        let message = ask(
            edition,
            &format!("2024052021070000{index}"),
            "3012",
            "123456",
            mn(edition),
            "PolId=a21026",
        );
        let outputs = station.on_message(START_MS, &message);
        let busy = said(&outputs) == ["9011 QnRtn=1", "9012 ExeRtn=5"];
        assert_eq!(busy, index == 8, "{outputs:?}");
    }
}

#[test]
fn a_refusal_by_the_caller_reaches_the_centre() {
    let edition = Edition::V2017;
    let mut station = station(edition);
    let message = ask(
        edition,
        "20240520210700000",
        "3012",
        "123456",
        mn(edition),
        "PolId=a21026",
    );
    let outputs = station.on_message(START_MS, &message);
    let [StationOutput::Asked { token, .. }] = outputs[..] else {
        panic!("{outputs:?}")
    };
    assert_eq!(said(&station.refuse(START_MS, token, 2)), ["9011 QnRtn=2"]);
    assert_eq!(
        said(&station.on_message(START_MS, &message)),
        ["9011 QnRtn=2"]
    );
}
