//! Stories and properties of the two dialogues.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::dialogue::{
    Centre, CentreConfig, CentreOutput, Outcome, Settings, Station, StationConfig, StationOutput,
    Waited,
};
use super::world::{Fate, START_MS, World, mn};
use super::*;

fn record(edition: Edition, key: u64) -> FrameBuilder {
    let time = LocalTime::from_unix_ms(START_MS + i64::try_from(key).unwrap() * 60_000, 480);
    FrameBuilder::new(edition, "31", "2051")
        .data_time(&time.digits14())
        .item(Item::factor("a21026", &[("Avg", "1.5")]))
        .answer_wanted(true)
}

fn fate() -> impl Strategy<Value = Fate> {
    (0u8..100, 0u8..100, 0u32..4000, 0usize..200).prop_map(|(lost, twice, delay_ms, cut)| Fate {
        lost: lost < 25,
        twice: twice < 20,
        delay_ms,
        cut,
    })
}

/// Requests of every choreography, each different from the others.
fn request(index: usize, edition: Edition) -> Request {
    let begin = LocalTime::parse("20240520000000").unwrap();
    let minute = u8::try_from(index % 60).unwrap();
    match index % 5 {
        0 => Request::SampleNow {
            pol_id: format!("a{index:05}").into(),
        },
        1 => Request::History {
            kind: HistoryKind::Minute,
            begin: LocalTime {
                minute: 0,
                second: minute,
                ..begin
            },
            end: LocalTime { hour: 1, ..begin },
        },
        2 => Request::GetRealtimeInterval,
        3 => Request::StopFacility,
        _ if edition == Edition::V2005 => Request::SampleNow {
            pol_id: format!("b{index:05}").into(),
        },
        _ => Request::GetSerial {
            pol_id: format!("a{index:05}").into(),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn on_any_line_orders_end_once_and_nothing_is_silently_lost(
        edition in select(Edition::KNOWN.to_vec()),
        fates in proptest::collection::vec(fate(), 1..60),
        orders in 0usize..9,
        uploads in 0u64..12,
        acknowledged_records in any::<bool>(),
    ) {
        let mut world = World::new(edition, fates);
        world.record_answers = acknowledged_records;
        for index in 0..orders {
            world.order(u64::try_from(index).unwrap(), request(index, edition));
        }
        for key in 0..uploads {
            world.upload(key, record(edition, key));
        }
        world.run(86_400_000);
        let left = world.station.on_disconnect();
        let lost: Vec<u64> = left
            .into_iter()
            .filter_map(|output| match output {
                StationOutput::Lost { key } => Some(key),
                _ => None,
            })
            .collect();
        world.lost.extend(lost);

        let mut ended: Vec<u64> = world.outcomes.iter().map(|(id, _)| *id).collect();
        ended.sort_unstable();
        let expected: Vec<u64> = (0..u64::try_from(orders).unwrap()).collect();
        prop_assert_eq!(ended, expected, "{:?}", world.outcomes);
        prop_assert!(world.centre.is_idle());

        let mut through: Vec<u64> = world.uploaded.iter().map(|(key, _)| *key).collect();
        through.extend(&world.lost);
        through.sort_unstable();
        prop_assert_eq!(through, (0..uploads).collect::<Vec<_>>());
        for (key, acknowledged) in &world.uploaded {
            prop_assert!(acknowledged);
            let time = LocalTime::from_unix_ms(START_MS + i64::try_from(*key).unwrap() * 60_000, 480);
            let arrived = world.heard.iter().any(|(end, message)| {
                *end == "centre"
                    && message.bare("DataTime").is_some_and(|text| *text == time.digits14())
            });
            prop_assert!(arrived, "{key} was not received");
        }
        for (index, request) in world.executed.iter().enumerate() {
            prop_assert!(!world.executed[..index].contains(request), "twice: {request:?}");
        }
    }

    #[test]
    fn on_a_good_line_everything_is_executed_and_acknowledged(
        edition in select(Edition::KNOWN.to_vec()),
        delay_ms in 0u32..3000,
        cuts in proptest::collection::vec(0usize..200, 1..20),
        orders in 0usize..9,
        uploads in 0u64..12,
    ) {
        let fates = cuts
            .into_iter()
            .map(|cut| Fate { delay_ms, cut, ..Fate::default() })
            .collect();
        let mut world = World::new(edition, fates);
        for index in 0..orders {
            world.order(u64::try_from(index).unwrap(), request(index, edition));
        }
        for key in 0..uploads {
            world.upload(key, record(edition, key));
        }
        world.run(86_400_000);
        prop_assert!(world.lost.is_empty());
        prop_assert_eq!(world.uploaded.len(), usize::try_from(uploads).unwrap());
        prop_assert_eq!(world.outcomes.len(), orders);
        for (id, outcome) in &world.outcomes {
            prop_assert!(matches!(outcome, Outcome::Done { .. }), "{id}: {outcome:?}");
        }
    }
}

fn centre(edition: Edition) -> Centre {
    Centre::new(CentreConfig::new(edition, "31", "123456", mn(edition)))
}

fn ends(outputs: &[CentreOutput]) -> Vec<Outcome> {
    outputs
        .iter()
        .filter_map(|output| match output {
            CentreOutput::Ended { outcome, .. } => Some(*outcome),
            _ => None,
        })
        .collect()
}

fn sends(outputs: &[CentreOutput]) -> usize {
    outputs
        .iter()
        .filter(|output| matches!(output, CentreOutput::Send { .. }))
        .count()
}

/// A message of the device with the number of the first request.
fn device(cn: &str, area: &str) -> Message {
    message_of(&framed(&format!(
        "QN=20240520210700000;ST=91;CN={cn};PW=123456;MN={};Flag=4;CP=&&{area}&&",
        mn(Edition::V2017)
    )))
}

#[test]
fn a_silent_device_is_asked_four_times_and_the_next_order_follows() {
    let mut centre = centre(Edition::V2017);
    assert_eq!(
        sends(&centre.order(1, Request::GetRealtimeInterval, START_MS)),
        1
    );
    assert_eq!(
        sends(&centre.order(2, Request::GetMinuteInterval, START_MS)),
        0
    );
    for again in 1..=3 {
        let at = START_MS + again * 10_000;
        assert!(centre.on_tick(at - 1).is_empty());
        assert_eq!(sends(&centre.on_tick(at)), 1, "{again}");
    }
    let outputs = centre.on_tick(START_MS + 40_000);
    assert_eq!(ends(&outputs), [Outcome::TimedOut(Waited::Answer)]);
    assert_eq!(sends(&outputs), 1);
}

#[test]
fn each_record_gives_the_execution_more_time() {
    let mut centre = centre(Edition::V2017);
    let begin = LocalTime::parse("20240520000000").unwrap();
    let end = LocalTime { hour: 1, ..begin };
    centre.order(
        1,
        Request::History {
            kind: HistoryKind::Minute,
            begin,
            end,
        },
        START_MS,
    );
    centre.on_message(START_MS + 1000, &device("9011", "QnRtn=1"));
    assert_eq!(centre.next_deadline_ms(), Some(START_MS + 61_000));
    // Its own number and a time in the range.
    let data = |time: &str| {
        message_of(&framed(&format!(
            "QN=20240520210755123;ST=31;CN=2051;PW=123456;MN={};Flag=4;\
             CP=&&DataTime={time};a21026-Avg=1&&",
            mn(Edition::V2017)
        )))
    };
    let outputs = centre.on_message(START_MS + 50_000, &data("20240520002000"));
    assert!(matches!(outputs[..], [CentreOutput::Step { .. }]));
    assert_eq!(centre.next_deadline_ms(), Some(START_MS + 110_000));
    // A live record of now does not belong to it.
    assert!(
        centre
            .on_message(START_MS + 51_000, &data("20240520210600"))
            .is_empty()
    );
    let outputs = centre.on_tick(START_MS + 110_000);
    assert_eq!(ends(&outputs), [Outcome::TimedOut(Waited::Execution)]);
}

#[test]
fn refusals_and_failures_have_words() {
    for (cn, area, expected, word) in [
        (
            "9011",
            "QnRtn=3",
            Outcome::Refused { qn_rtn: 3 },
            "wrong password (PW)",
        ),
        (
            "9012",
            "ExeRtn=100",
            Outcome::Failed { exe_rtn: 100 },
            "no data",
        ),
        (
            "9012",
            "ExeRtn=1",
            Outcome::Done { exe_rtn: Some(1) },
            "executed",
        ),
    ] {
        let mut centre = centre(Edition::V2017);
        centre.order(1, Request::GetRealtimeInterval, START_MS);
        let outputs = centre.on_message(START_MS + 5, &device(cn, area));
        assert_eq!(ends(&outputs), [expected]);
        assert_eq!(expected.text_en(), word);
        assert!(centre.is_idle());
    }
}

#[test]
fn a_device_that_only_sends_the_value_has_answered() {
    let mut centre = centre(Edition::V2017);
    centre.order(1, Request::GetRealtimeInterval, START_MS);
    let outputs = centre.on_message(START_MS + 500, &device("1061", "RtdInterval=30"));
    let [CentreOutput::Step { detail, .. }] = &outputs[..] else {
        panic!("{outputs:?}")
    };
    assert_eq!(detail, "RtdInterval=30");
    let outputs = centre.on_tick(START_MS + 10_500);
    assert_eq!(ends(&outputs), [Outcome::Done { exe_rtn: None }]);
}

#[test]
fn a_late_answer_is_not_taken_for_one_to_the_next_request() {
    let mut centre = centre(Edition::V2017);
    centre.order(1, Request::GetRealtimeInterval, START_MS);
    for again in 1..=4 {
        centre.on_tick(START_MS + again * 10_000);
    }
    centre.order(2, Request::GetRealtimeInterval, START_MS + 41_000);
    assert!(
        centre
            .on_message(START_MS + 41_500, &device("9011", "QnRtn=1"))
            .is_empty()
    );
    assert!(
        centre
            .on_message(START_MS + 41_500, &device("9012", "ExeRtn=2"))
            .is_empty()
    );
    let value = device("1061", "RtdInterval=30");
    assert!(centre.on_message(START_MS + 41_500, &value).is_empty());
}

#[test]
fn a_disconnection_ends_every_order() {
    let mut centre = centre(Edition::V2005);
    centre.order(1, Request::GetRealtimeInterval, START_MS);
    centre.order(2, Request::GetRealtimeInterval, START_MS);
    let outcomes = ends(&centre.on_disconnect());
    assert_eq!(
        outcomes,
        [
            Outcome::Disconnected { sent: true },
            Outcome::Disconnected { sent: false }
        ]
    );
    assert_eq!(outcomes[0].as_str(), "timed-out");
    assert_eq!(outcomes[1].as_str(), "cancelled");
    assert_eq!(centre.next_deadline_ms(), None);
}

#[test]
fn what_the_edition_cannot_say_ends_at_once() {
    let mut centre = centre(Edition::V2005);
    let outputs = centre.order(1, Request::GetMinuteInterval, START_MS);
    assert_eq!(ends(&outputs), [Outcome::Unsayable]);
    assert!(centre.is_idle());
}

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
                acknowledged: true
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
        assert_eq!(
            messages(&station.on_tick(START_MS + again * 10_000)).len(),
            1
        );
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
