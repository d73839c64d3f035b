//! Enciphered frames, habits of loggers, and what is said besides data.

use super::*;
use crate::intake::open;
use crate::keys::{DeviceKey, KeyOwner, KeyRing};
use cems_protocols::hj212::encipher;

struct Ring {
    _dir: tempfile::TempDir,
    keys: KeyRing,
}

fn ring(keys: &[&str]) -> Ring {
    let dir = tempfile::tempdir().expect("a directory");
    let ring = KeyRing::open(&dir.path().join("keys.db"), &dir.path().join("master.key"));
    let ring = ring.expect("keys open");
    for (key, at) in keys.iter().zip(1..) {
        let key = DeviceKey::from_text(key).expect("a key");
        let owner = KeyOwner::Outlet("jia-1".into());
        ring.put(&owner, &key, Timestamp(at)).expect("put");
    }
    Ring {
        _dir: dir,
        keys: ring,
    }
}

fn sealed(raw: &[u8], key: &str) -> Vec<u8> {
    let key = DeviceKey::from_text(key).expect("a key");
    encipher(raw, &key.cipher()).expect("a frame")
}

fn said(cn: &str, cp: &str) -> Vec<u8> {
    let segment = format!(
        "QN=20261122100000000;ST=31;CN={cn};PW=123456;MN=EXAMPLE0000001;Flag=9;CP=&&{cp}&&"
    );
    let crc = hj212::crc_hj212(segment.as_bytes());
    format!("##{:04}{segment}{crc:04X}\r\n", segment.len()).into_bytes()
}

/// What intake makes of bytes: verdict, clear text, and the event in a rebuild.
fn taken(raw: &[u8], ring: &Ring) -> (Verdict, Option<Vec<u8>>, Event) {
    let frame = crate::intake::interpret::reframe(raw);
    let directory = Directory::of(&registry());
    let opened = open(&frame, hj212::parse(&frame), &directory, &ring.keys);
    let admission = Admission {
        accepted_crc: vec![CrcVerdict::Hj212],
    };
    let source = IpAddr::V4(Ipv4Addr::from(HOME));
    let verdict = admission.decide(&opened.message, source, &directory);
    let line = JournalEvent::Frame {
        peer: "192.0.2.1:4000".into(),
        verdict: verdict.clone(),
        raw: Raw(raw.to_vec()),
        clear: opened.clear.clone().map(Raw),
        noted: Vec::new(),
    };
    let at = local("2026-11-22T10:00:05");
    let event = Interpreter.event(&line.to_line(), at, Some(&registry()));
    (verdict, opened.clear, event)
}

const OLD: &str = "0123456789abcdef";
const NEW: &str = "ABCDEFGHIJKLMNOP";
const DATA: &str = "DataTime=20261122095900;a21026-Avg=20.0,a21026-Flag=N";

#[test]
fn an_enciphered_record_is_the_record_and_needs_no_key_afterwards() {
    let ring = ring(&[OLD, NEW]);
    for key in [OLD, NEW] {
        let clear = said("2051", DATA);
        let (verdict, kept, event) = taken(&sealed(&clear, key), &ring);
        assert!(matches!(verdict, Verdict::Accepted { .. }), "{verdict:?}");
        assert_eq!(kept.as_deref(), Some(&clear[..]));
        let Event::Record(contact, record) = event else {
            panic!("{event:?}");
        };
        assert_eq!(record.kind, RecordKind::Minute);
        let figure = record.values[0].figure().expect("a figure");
        assert_eq!(figure.text, "20.0");
        let habits = contact.habits;
        assert_eq!(habits.encryption.as_deref(), Some("raw"));
        assert_eq!(habits.crc.as_deref(), Some("hj212"));
        assert_eq!(habits.line_end.as_deref(), Some("crlf"));
    }
}

#[test]
fn what_no_key_opens_is_kept_apart() {
    let other = sealed(&said("2051", DATA), "PONMLKJIHGFEDCBA");
    for ring in [ring(&[]), ring(&[OLD, NEW])] {
        let (verdict, kept, event) = taken(&other, &ring);
        assert!(matches!(verdict, Verdict::Encrypted { outlet: Some(_) }));
        assert_eq!(kept, None);
        let Event::Refused(refusal) = event else {
            panic!("{event:?}");
        };
        assert_eq!(refusal.reason, RefusalReason::Encrypted);
    }
}

#[test]
fn the_clear_text_of_a_key_exchange_is_not_kept() {
    let request = sealed(&said("1014", "SKCreateTime=20260101000000"), OLD);
    let (verdict, kept, event) = taken(&request, &ring(&[OLD]));
    assert!(matches!(verdict, Verdict::Accepted { .. }), "{verdict:?}");
    assert_eq!(kept, None);
    assert!(matches!(event, Event::SignOfLife(_)), "{event:?}");
}

#[test]
fn everything_that_is_said_besides_data_is_kept_as_a_statement() {
    let ring = ring(&[]);
    for (cn, cp, name, value) in [
        ("1001", "i23005-Info=L7;i23006-Info=C9", "i23005-Info", "L7"),
        ("1061", "RtdInterval=30", "RtdInterval", "30"),
        (
            "2013",
            "DataTime=20261122090000;w01018-Avg=3.1",
            "w01018-Avg",
            "3.1",
        ),
        (
            "2052",
            "DataTime=20261122090000;LA-Data=55.1",
            "LA-Data",
            "55.1",
        ),
        (
            "2062",
            "DataTime=20261122090000;w01018-ResultType=1",
            "w01018-ResultType",
            "1",
        ),
        (
            "2081",
            "DataTime=20261122090000;RestartTime=20261122085900",
            "RestartTime",
            "",
        ),
        ("3015", "DataTime=20261122090000;VaseNo=4", "VaseNo", "4"),
        ("3019", "PolId=w01018;w01018-SN=S1", "w01018-SN", "S1"),
        (
            "3020",
            "DataTime=20261122090000;i12001-Info=1",
            "i12001-Info",
            "1",
        ),
        ("8013", "s1000n=7", "s1000n", "7"),
    ] {
        let (verdict, _, event) = taken(&said(cn, cp), &ring);
        assert!(
            matches!(verdict, Verdict::Accepted { .. }),
            "{cn}: {verdict:?}"
        );
        let Event::Statement(_, statement) = event else {
            panic!("{cn}: {event:?}");
        };
        assert_eq!(statement.cn, cn);
        let item = statement.items.iter().find(|(known, _)| known == name);
        let Some((_, said)) = item else {
            panic!("{cn}: {:?}", statement.items);
        };
        assert!(said == value || value.is_empty(), "{cn}: {said}");
    }
}

#[test]
fn a_clock_is_seen_by_what_is_said_of_the_present() {
    let ring = ring(&[]);
    let (_, _, event) = taken(&said("2011", "DataTime=20261122100000;a21026-Rtd=1"), &ring);
    let Event::Record(contact, _) = event else {
        panic!("{event:?}");
    };
    assert_eq!(contact.habits.clock_offset_s, Some(-5));
    assert_eq!(contact.habits.wants_answer, Some(true));
    assert_eq!(contact.habits.encryption.as_deref(), Some("none"));
    let (_, _, event) = taken(&said("2051", DATA), &ring);
    let Event::Record(contact, _) = event else {
        panic!("{event:?}");
    };
    assert_eq!(
        contact.habits.clock_offset_s, None,
        "history has old numbers"
    );
}
