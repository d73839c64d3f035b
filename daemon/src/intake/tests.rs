//! Who is let in, and what frames mean to the engine, told with frames as loggers send them.

use super::{Admission, Directory, Interpreter};
use crate::events::{JournalEvent, Raw, Verdict};
use cems_core::engine::{Event, RefusalReason};
use cems_core::model::{RecordKind, Registry, Timestamp};
use cems_protocols::hj212::{
    self, BuildOptions, CrcStyle, CrcVerdict, Edition, FrameBuilder, Item,
};
use chrono::NaiveDateTime;
use std::net::{IpAddr, Ipv4Addr};

const SITE: &str = r#"
[[region]]
id = "shili"
name = "示例市"
[[enterprise]]
id = "jia"
name = "甲电厂"
region = "shili"
[[outlet]]
id = "jia-1"
enterprise = "jia"
name = "1号排口"
medium = "gas"
mn = "EXAMPLE0000001"
password = "123456"
sources = ["192.0.2.1"]
profile = "hj75-2017"
permit = "示例-0001"
auxiliary = ["a01011", "a01012", "a01014", "a19001"]
gas = { area_m2 = 20, reference_o2_pct = 6 }
factor = [{ code = "a21026", range = 500, limit_hour = 35 }, { code = "a01013", unit_2005 = "Pa" }]
"#;

fn registry() -> Registry {
    cems_config::load_str(&[("cemsd.toml", SITE)])
        .expect("the site of the test is sound")
        .registry
}

fn local(text: &str) -> Timestamp {
    let time: NaiveDateTime = text.parse().expect("a time in the test");
    registry().offset.instant(time)
}

fn frame(edition: Edition, password: &str, time: &str, items: &[Item]) -> Vec<u8> {
    FrameBuilder::new(edition, "31", "2051")
        .qn("20261122100000000")
        .pw(password)
        .mn("EXAMPLE0000001")
        .answer_wanted(true)
        .data_time(time)
        .items(items.iter().cloned())
        .build(&BuildOptions::default())
        .expect("frames of the test are legal")
}

fn decide(raw: &[u8], source: [u8; 4]) -> Verdict {
    let admission = Admission {
        accepted_crc: vec![CrcVerdict::Hj212],
    };
    let message = hj212::parse(&super::interpret::reframe(raw));
    let source = IpAddr::V4(Ipv4Addr::from(source));
    admission.decide(&message, source, &Directory::of(&registry()))
}

fn event(raw: Vec<u8>, at: &str) -> Event {
    let verdict = Verdict::Accepted {
        outlet: "jia-1".into(),
    };
    let line = JournalEvent::frame("192.0.2.1:4000", verdict, raw);
    Interpreter.event(&line.to_line(), local(at), Some(&registry()))
}

mod secrets;

const HOME: [u8; 4] = [192, 0, 2, 1];

#[test]
fn only_the_right_logger_from_the_right_place_comes_in() {
    let good = frame(Edition::V2017, "123456", "20261122095900", &[]);
    assert_eq!(
        decide(&good, HOME),
        Verdict::Accepted {
            outlet: "jia-1".into()
        }
    );
    let elsewhere = Verdict::SourceAddress {
        outlet: "jia-1".into(),
    };
    assert_eq!(decide(&good, [192, 0, 2, 9]), elsewhere);
    let wrong = frame(Edition::V2017, "000000", "20261122095900", &[]);
    assert_eq!(
        decide(&wrong, HOME),
        Verdict::WrongPassword {
            outlet: "jia-1".into()
        }
    );
    let stranger = String::from_utf8(good)
        .expect("ASCII")
        .replace("0000001", "0000009");
    assert_eq!(
        decide(stranger.as_bytes(), HOME),
        Verdict::Crc,
        "a damaged MN is never believed"
    );
}

#[test]
fn a_crc_of_a_variant_that_is_not_accepted_is_wrong() {
    let modbus = FrameBuilder::new(Edition::V2017, "31", "2011")
        .pw("123456")
        .mn("EXAMPLE0000001")
        .data_time("20261122095900")
        .build(&BuildOptions {
            crc: CrcStyle::Modbus,
            ..BuildOptions::default()
        })
        .expect("legal");
    assert_eq!(decide(&modbus, HOME), Verdict::Crc);
}

#[test]
fn an_unknown_mn_and_an_absent_one_are_told_apart() {
    let without = b"##0025ST=31;CN=2011;PW=1;CP=&&&&";
    let segment = &without[6..];
    let mut raw = without.to_vec();
    raw.extend(CrcStyle::Hj212.text(segment).bytes());
    raw.extend(b"\r\n");
    let verdict = decide(&raw, HOME);
    assert!(
        matches!(verdict, Verdict::Unreadable | Verdict::Crc),
        "{verdict:?}"
    );
}

#[test]
fn old_codes_become_new_ones_in_the_outlets_units() {
    let items = [
        Item::factor("02", &[("Avg", "20.5"), ("Flag", "N")]),
        Item::factor("S08", &[("Avg", "-230"), ("Flag", "N")]),
        Item::factor("zz9", &[("Avg", "1")]),
    ];
    let raw = frame(Edition::V2005, "123456", "20261122095930", &items);
    let Event::Record(contact, record) = event(raw, "2026-11-22T10:00:00") else {
        panic!("a data frame is a record");
    };
    assert_eq!(contact.edition, "2005");
    assert!(
        contact
            .findings
            .iter()
            .any(|f| f == "datatime-not-at-start"),
        "{contact:?}"
    );
    assert_eq!(
        (record.kind, record.start),
        (RecordKind::Minute, local("2026-11-22T09:59:00"))
    );
    let [so2, pressure, unknown] = &record.values[..] else {
        panic!("{record:?}")
    };
    assert_eq!(
        (so2.factor.as_str(), so2.sent_as.as_deref()),
        ("a21026", Some("02"))
    );
    let avg = pressure.avg.as_ref().expect("a mean");
    assert_eq!(
        (avg.value.to_string().as_str(), avg.text.as_str()),
        ("-0.23", "-230")
    );
    assert_eq!(
        unknown.factor.as_str(),
        "zz9",
        "what the table does not know is kept as sent"
    );
}

#[test]
fn what_is_no_number_is_kept_as_unreadable_text() {
    let items = [Item::factor("a21026", &[("Avg", "--"), ("Flag", "D")])];
    let raw = frame(Edition::V2017, "123456", "20261122095900", &items);
    let Event::Record(_, record) = event(raw, "2026-11-22T10:00:00") else {
        panic!()
    };
    assert_eq!(record.values[0].unreadable.as_deref(), Some("Avg=--"));
    assert_eq!(record.values[0].avg, None);
}

#[test]
fn times_that_cannot_be_are_kept_apart() {
    let refused = |raw, at| match event(raw, at) {
        Event::Refused(refusal) => (refusal.reason, refusal.outlet),
        other => panic!("{other:?}"),
    };
    let outlet = Some("jia-1".into());
    let ahead = frame(Edition::V2017, "123456", "20261122220000", &[]);
    assert_eq!(
        refused(ahead, "2026-11-22T10:00:00"),
        (RefusalReason::FutureTime, outlet.clone())
    );
    let never = frame(Edition::V2017, "123456", "20261331000000", &[]);
    assert_eq!(
        refused(never, "2026-11-22T10:00:00"),
        (RefusalReason::NoDataTime, outlet)
    );
    let drift = frame(Edition::V2017, "123456", "20261122101400", &[]);
    assert!(
        matches!(event(drift, "2026-11-22T10:00:00"), Event::Record(..)),
        "minutes of drift"
    );
}

#[test]
fn lines_of_a_later_version_are_reported_not_dropped() {
    let event = Interpreter.event(b"{\"t\":\"of-2031\"}", Timestamp(0), None);
    assert!(matches!(event, Event::Audit(entry) if entry.what == "journal.unreadable"));
}
