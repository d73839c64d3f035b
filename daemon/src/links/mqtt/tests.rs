//! What messages say, and which of them are known already.

use super::reading::{Came, read};
use super::seen::{Memory, print};
use crate::events::{JournalEvent, MqttMessage, Raw, Took};
use crate::journal::{Draft, Journal, Options};
use cems_config::{Broker, JsonPath, MqttFactor, MqttReading, MqttSource, ReadingForm};
use cems_core::model::{RecordKind, Timestamp, UtcOffset};
use rust_decimal::Decimal;
use std::sync::Arc;

/// 2026-03-18 14:32:10 +08:00.
const NOW: Timestamp = Timestamp(1_773_815_530_000);

fn path(text: &str) -> JsonPath {
    JsonPath::parse(text).unwrap()
}

fn source(form: ReadingForm, time: Option<&str>) -> MqttSource {
    let factor = |code: &str, place: &str, times: i64, flag: Option<&str>| MqttFactor {
        factor: code.into(),
        path: path(place),
        multiplier: Decimal::from(times),
        flag: flag.map(path),
    };
    MqttSource {
        id: "gateway".into(),
        broker: Broker {
            server: "broker.example:8883".into(),
            tls: true,
            client_id: "cemsd-gateway".into(),
            prefix: "cems".into(),
            login: None,
            ca: None,
            certificate: None,
        },
        payload_bytes_max: 200,
        readings: vec![MqttReading {
            topic: "plant/+/gas".into(),
            outlet: "jia-1".into(),
            form,
            time: time.map(path),
            fresh_s: 60,
            flag: Some(path("$.state")),
            flags: [("cal".into(), "C".into())].into(),
            factors: vec![
                factor("a21026", "$.so2", 1, None),
                factor("a19001", "/o2/0", 100, Some("$.o2_state")),
            ],
        }],
    }
}

fn took(source: &MqttSource, payload: &str, retained: bool) -> Took {
    let came = Came {
        topic: "plant/1/gas",
        payload: payload.as_bytes(),
        retained,
        at: NOW,
    };
    read(source, came, UtcOffset::default())
}

/// Factor, value, flag of each sample.
fn samples(took: Took) -> Vec<(String, Option<String>, String)> {
    let Took::Samples { set } = took else {
        panic!("{took:?}");
    };
    let one = |sample: cems_core::model::Sample| {
        let value = sample.value.map(|number| number.value.to_string());
        (sample.factor.to_string(), value, sample.flag.0.to_string())
    };
    set.samples.into_iter().map(one).collect()
}

fn refused(took: Took) -> String {
    match took {
        Took::Refused { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn values_flags_and_what_is_not_there() {
    let source = source(ReadingForm::Samples, None);
    for (payload, so2, o2) in [
        (
            r#"{"so2":"12.30","o2":[0.061]}"#,
            (Some("12.30"), "N"),
            (Some("6.100"), "N"),
        ),
        // Numbers as JSON has them; an unknown state stays what it is, one listed is translated.
        (
            r#"{"so2":35,"o2":[1e-1],"state":"cal","o2_state":"X"}"#,
            (Some("35"), "C"),
            (Some("10.0"), "X"),
        ),
        // No number is a fault, nothing is silence; a flag that says why goes before.
        (r#"{"so2":"--"}"#, (None, "D"), (None, "B")),
        (
            r#"{"so2":null,"o2":[5],"state":"F"}"#,
            (None, "F"),
            (Some("500"), "F"),
        ),
        (r#"{"so2":true,"state":"N"}"#, (None, "D"), (None, "B")),
    ] {
        let found = samples(took(&source, payload, false));
        let text = |(value, flag): (Option<&str>, &str), code: &str| {
            (code.to_owned(), value.map(str::to_owned), flag.to_owned())
        };
        let expected = vec![text(so2, "a21026"), text(o2, "a19001")];
        assert_eq!(found, expected, "{payload}");
    }
}

#[test]
fn times_in_every_spelling_and_what_is_too_old_for_a_sample() {
    let source = source(ReadingForm::Samples, Some("$.ts"));
    let now = [
        "1773815530",
        "1773815530.25",
        "1773815530000",
        "\"1773815530\"",
        "\"2026-03-18T06:32:10Z\"",
        "\"2026-03-18T14:32:10+08:00\"",
        "\"2026-03-18 14:32:10\"",
        // A minute ago is still now.
        "1773815470",
    ];
    for ts in now {
        let took = took(&source, &format!("{{\"so2\":1,\"ts\":{ts}}}"), false);
        assert!(matches!(took, Took::Samples { .. }), "{ts}: {took:?}");
    }
    let late = took(&source, "{\"so2\":1,\"ts\":1773815469}", false);
    let Took::Record { record } = late else {
        panic!("{late:?}");
    };
    let start = Timestamp(1_773_815_469_000);
    assert_eq!(
        (record.kind, record.start, record.resent),
        (RecordKind::Realtime, start, true)
    );
    assert_eq!(record.values.len(), 1, "nothing is made up of the other");
    let future = took(&source, "{\"so2\":1,\"ts\":1773817000}", false);
    assert_eq!(refused(future), "its time lies in the future");
    assert!(refused(took(&source, "{\"so2\":1,\"ts\":\"now\"}", false)).starts_with("no time"));
}

#[test]
fn records_of_the_sender_begin_where_their_interval_does() {
    let source = source(ReadingForm::Record(RecordKind::Hour), Some("ts"));
    let took = took(
        &source,
        "{\"so2\":\"7.0\",\"ts\":\"2026-03-18T13:07:00\"}",
        false,
    );
    let Took::Record { record } = took else {
        panic!("{took:?}");
    };
    assert_eq!(record.start, Timestamp(NOW.0 - 5_530_000), "13:00:00");
    assert!(!record.resent);
    let avg = record.values[0].avg.as_ref().unwrap();
    assert_eq!(avg.text, "7.0");
}

#[test]
fn what_is_not_agreed_on_is_refused_with_the_reason() {
    let source = source(ReadingForm::Samples, None);
    for (payload, why) in [
        ("", "no JSON: "),
        ("[1,2", "no JSON: "),
        ("{\"no2\":1}", "none of the factors is in it"),
        ("17", "none of the factors is in it"),
    ] {
        let said = refused(took(&source, payload, false));
        assert!(said.starts_with(why), "{payload}: {said}");
    }
    let long = format!("{{\"so2\":{}}}", "1".repeat(200));
    assert_eq!(
        refused(took(&source, &long, false)),
        "208 bytes, more than 200"
    );
    let retained = refused(took(&source, "{\"so2\":1}", true));
    assert_eq!(retained, "kept by the broker, of unknown age");
    let came = Came {
        topic: "elsewhere",
        payload: b"{}",
        retained: false,
        at: NOW,
    };
    let took = read(&source, came, UtcOffset::default());
    assert_eq!(refused(took), "no reading of the settings has this topic");
}

fn message(id: u16, payload: &str) -> MqttMessage {
    MqttMessage {
        source: "gateway".into(),
        topic: "t".into(),
        payload: Raw(payload.as_bytes().to_vec()),
        bytes: payload.len() as u64,
        id,
        print: print("t", payload.as_bytes()),
        again: false,
        retained: false,
        took: Took::Refused {
            outlet: None,
            why: String::new(),
        },
    }
}

#[test]
fn what_the_broker_refuses_is_asked_for_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut memory = Memory::open(directory.path(), "gateway", directory.path());
    assert!(memory.is_refused() && !memory.is_subscribed());
    memory.asked_for(vec!["a".into(), "b".into()], 2);
    assert!(!memory.is_refused() && !memory.is_subscribed());
    // One of two requests is refused: all of it will be asked for again.
    memory.not_granted();
    memory.granted();
    assert!(memory.is_refused() && !memory.is_subscribed());
    memory.asked_for(vec!["a".into(), "b".into()], 2);
    memory.granted();
    assert!(!memory.is_subscribed());
    memory.granted();
    assert!(memory.is_subscribed() && !memory.is_refused());
}

#[test]
fn what_is_in_the_journal_is_known_after_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let (books, kept) = (
        directory.path().join("journal"),
        directory.path().join("kept"),
    );
    let (journal, _) = Journal::open(&books, Options::new(Arc::new(|| NOW.0))).unwrap();
    let draft = |message: &MqttMessage| {
        let message = Box::new(message.clone());
        Draft::now(JournalEvent::Mqtt { message }.to_line())
    };
    let write = |message: &MqttMessage| {
        journal.append_blocking(draft(message)).unwrap();
    };
    write(&message(1, "a"));
    write(&message(2, "b"));
    // Nothing was written down beside the journal.
    let mut memory = Memory::open(&kept, "gateway", &books);
    let knows =
        |memory: &Memory, id, payload: &str| memory.knows(id, &print("t", payload.as_bytes()));
    assert!(knows(&memory, 1, "a") && knows(&memory, 2, "b"));
    assert!(!knows(&memory, 1, "b") && !knows(&memory, 3, "a"));
    assert!(!knows(&Memory::open(&kept, "other", &books), 1, "a"));
    memory.asked_for(vec!["t".into()], 1);
    memory.granted();
    memory.save().unwrap();
    // The identifier is used anew, behind what was written down.
    write(&message(1, "c"));
    let mut memory = Memory::open(&kept, "gateway", &books);
    assert!(knows(&memory, 1, "c") && !knows(&memory, 1, "a") && knows(&memory, 2, "b"));
    assert_eq!(memory.kept.filters, ["t"]);
    memory.forget();
    assert!(!knows(&memory, 1, "c"));
    // A file that is broken is as good as none.
    std::fs::write(kept.join("gateway.json"), "{").unwrap();
    assert!(knows(&Memory::open(&kept, "gateway", &books), 1, "c"));
    journal.close();
}
