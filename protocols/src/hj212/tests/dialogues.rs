//! Stories and properties of the two dialogues.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::dialogue::{Centre, CentreConfig, CentreOutput, Outcome, StationOutput, Waited};
use super::world::{Fate, START_MS, World, mn};
use super::*;

pub(super) fn record(edition: Edition, key: u64) -> FrameBuilder {
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
            let at_ms = START_MS + i64::try_from(*key).unwrap() * 60_000;
            let time = LocalTime::from_unix_ms(at_ms, 480);
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

#[test]
fn a_time_to_set_goes_on_while_its_order_waits() {
    let mut centre = centre(Edition::V2017);
    centre.order(1, Request::GetRealtimeInterval, START_MS);
    let system_time = LocalTime::parse("20240520235950").unwrap();
    let set = Request::SetTime {
        pol_id: None,
        system_time,
    };
    centre.order(2, set, START_MS);
    let outputs = centre.on_message(START_MS + 12_500, &device("9012", "ExeRtn=1"));
    let sent = outputs.iter().find_map(|output| match output {
        CentreOutput::Send { bytes, .. } => Some(message_of(bytes)),
        _ => None,
    });
    let text = sent.unwrap().bare("SystemTime").cloned();
    assert_eq!(text.as_deref(), Some("20240521000002"));
}
