//! What a centre reads from the frames made here is the record again: all kinds, all editions, the
//! codes and units of 2005, and centres with a mind of their own.

use super::*;
use crate::events::{JournalEvent, Raw, Verdict};
use crate::intake::Interpreter;
use cems_config::{Checked, load_str};
use cems_core::engine::Event;
use cems_core::model::{CheckCode, FactorCode, Flag, Record, Seq, Value};
use cems_protocols::hj212::{BuildOptions, FrameBuilder};
use proptest::prelude::*;
use std::collections::BTreeMap;

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
profile = "hj75-2017"
permit = "示例-0001"
auxiliary = ["a01011", "a01012", "a01013", "a01014", "a19001"]
gas = { area_m2 = 20, reference_o2_pct = 6 }
factor = [{ code = "a21026", range = 500, limit_hour = 35 }]
[[outlet]]
id = "jia-w"
enterprise = "jia"
name = "废水总排口"
medium = "water"
mn = "EXAMPLE0000002"
password = "123456"
profile = "hj356-2019"
permit = "示例-0001"
auxiliary = ["w00000"]
factor = [{ code = "w20115", range = 100 }, { code = "w01018", range = 500 }]
"#;

/// The site, uploading to one centre. Names of the outlet and what else the file says.
fn site(edition: &str, outlet: &str, more: &str) -> Checked {
    let text = format!(
        "{SITE}\n[[uplink]]\nid = \"centre\"\naddress = \"10.1.2.3:9212\"\n\
         edition = \"{edition}\"\n\
         [[uplink.outlet]]\noutlet = \"{outlet}\"\npassword = \"123456\"\n{more}\n"
    );
    load_str(&[("cemsd.toml", &text)]).unwrap_or_else(|problems| panic!("{problems}"))
}

fn number(text: &str) -> Number {
    Number {
        value: text.parse().expect("a number of the test"),
        text: text.into(),
    }
}

/// One factor with everything its kind has.
fn full(factor: &str, kind: RecordKind, figure: &str, flag: &str) -> Value {
    let of = |wanted: bool| wanted.then(|| number(figure));
    let mean = kind != RecordKind::Realtime;
    Value {
        factor: factor.into(),
        sent_as: None,
        rtd: of(!mean),
        avg: of(mean),
        min: of(mean),
        max: of(mean),
        cou: of(mean),
        converted: of(true),
        flag: Some(Flag(flag.into())),
        unreadable: None,
    }
}

fn row(outlet: &str, kind: RecordKind, start: i64, values: Vec<Value>) -> RecordRow {
    let stored = |value: Value| {
        let stored = StoredValue {
            valid: true,
            checks: Vec::<CheckCode>::new(),
            received_at: Timestamp(start),
            seq: Seq(1),
            superseded: 0,
            value,
        };
        (stored.value.factor.clone(), stored)
    };
    RecordRow {
        outlet: outlet.into(),
        kind,
        start: Timestamp(start),
        resent: false,
        values: values.into_iter().map(stored).collect(),
    }
}

/// 2020-03-31T00:00 at the site.
const MIDNIGHT: i64 = 1_585_584_000_000;

/// The frames of a record.
fn frames(checked: &Checked, row: &RecordRow) -> Vec<Vec<u8>> {
    let uplink = &checked.settings.uplinks[0];
    let outlet = &uplink.outlets[0];
    let parcel = parcel(row, uplink, outlet, checked.registry.offset).expect("something to send");
    FrameBuilder::new(edition(uplink.edition), &outlet.st, parcel.kind.cn())
        .qn("20200331120000000")
        .pw(&outlet.password.0)
        .mn(&outlet.mn)
        .answer_wanted(true)
        .data_time(&parcel.data_time.digits14())
        .items(parcel.items)
        .build_split(&BuildOptions::default())
        .expect("a parcel fits into frames")
}

/// What a centre with the same registry makes of frames: packets of one record put together.
fn read(checked: &Checked, frames: &[Vec<u8>]) -> Record {
    let outlet = checked.settings.uplinks[0].outlets[0].outlet.clone();
    let mut whole: Option<Record> = None;
    for frame in frames {
        let line = JournalEvent::Frame {
            peer: "192.0.2.1:5000".into(),
            verdict: Verdict::Accepted {
                outlet: outlet.clone(),
            },
            raw: Raw(frame.clone()),
            clear: None,
            noted: Vec::new(),
        }
        .to_line();
        let late = Timestamp(MIDNIGHT + 40 * 86_400_000);
        match Interpreter.event(&line, late, Some(&checked.registry)) {
            Event::Record(_, record) => match &mut whole {
                Some(whole) => {
                    assert_eq!(
                        (&whole.outlet, whole.kind, whole.start),
                        (&record.outlet, record.kind, record.start)
                    );
                    whole.values.extend(record.values);
                }
                None => whole = Some(record),
            },
            other => panic!("{other:?} from {}", String::from_utf8_lossy(frame)),
        }
    }
    whole.expect("at least one frame")
}

/// Value and flag of every sub-field by factor, without the texts, which may carry another unit.
fn essence<'v>(values: impl IntoIterator<Item = &'v Value>) -> BTreeMap<FactorCode, Vec<String>> {
    let shown = |number: &Option<Number>| {
        number
            .as_ref()
            .map_or("-".into(), |n| n.value.normalize().to_string())
    };
    let of = |value: &'v Value| {
        let flag = value.flag.as_ref().map_or("-".into(), |f| f.0.to_string());
        let parts = vec![
            shown(&value.rtd),
            shown(&value.avg),
            shown(&value.min),
            shown(&value.max),
            shown(&value.cou),
            shown(&value.converted),
            flag,
        ];
        (value.factor.clone(), parts)
    };
    values.into_iter().map(of).collect()
}

fn assert_returns(checked: &Checked, row: &RecordRow) {
    let back = read(checked, &frames(checked, row));
    assert_eq!((&back.outlet, back.kind), (&row.outlet, row.kind));
    assert_eq!(back.start, row.start);
    assert_eq!(
        essence(&back.values),
        essence(row.values.values().map(|stored| &stored.value))
    );
}

#[test]
fn every_kind_returns_in_every_edition() {
    let gas = ["a01011", "a01012", "a01013", "a01014", "a19001", "a21026"];
    let water = ["w00000", "w01018", "w20115"];
    for edition in ["2005", "2017", "2025"] {
        for kind in RecordKind::ALL {
            for (outlet, factors) in [("jia-1", &gas[..]), ("jia-w", &water[..])] {
                let checked = site(edition, outlet, "");
                let values = factors
                    .iter()
                    .map(|factor| full(factor, kind, "12.345", "N"))
                    .collect();
                assert_returns(&checked, &row(outlet, kind, MIDNIGHT, values));
            }
        }
    }
}

#[test]
fn a_record_of_2005_carries_old_codes_and_units() {
    let checked = site("2005", "jia-1", "decimals = 4");
    let values = vec![
        full("a21026", RecordKind::Realtime, "35.5", "N"),
        full("a01013", RecordKind::Realtime, "-1.25", "B"),
    ];
    let frames = frames(
        &checked,
        &row("jia-1", RecordKind::Realtime, MIDNIGHT, values),
    );
    let text = String::from_utf8(frames.concat()).expect("ASCII");
    assert!(text.contains("ST=31;CN=2011;"), "{text}");
    assert!(text.contains("DataTime=20200331000000;"), "{text}");
    assert!(
        text.contains("02-Rtd=35.5,02-ZsRtd=35.5,02-Flag=N"),
        "{text}"
    );
    // kPa to MPa, rounded half to even; a lost link is a fault there.
    assert!(
        text.contains("S08-Rtd=-0.0012,S08-ZsRtd=-0.0012,S08-Flag=D"),
        "{text}"
    );
}

#[test]
fn a_centre_gets_the_factors_codes_and_units_it_asked_for() {
    let more = "[uplink.outlet.factors]\na21026 = { code = \"a21026\", unit = \"ug/m3\" }\n\
                a01011 = { code = \"B02\", unit = \"m3/h\", decimals = 0 }";
    let checked = site("2017", "jia-1", more);
    let values = vec![
        full("a21026", RecordKind::Hour, "35.5", "N"),
        full("a01011", RecordKind::Hour, "2.51", "N"),
        full("a19001", RecordKind::Hour, "6", "N"),
    ];
    let frames = frames(&checked, &row("jia-1", RecordKind::Hour, MIDNIGHT, values));
    let text = String::from_utf8(frames.concat()).expect("ASCII");
    assert!(
        text.contains("a21026-Cou=35.5,a21026-Min=35500,a21026-Avg=35500"),
        "{text}"
    );
    assert!(text.contains("B02-Avg=180720"), "{text}");
    assert!(!text.contains("a19001"), "{text}");
}

#[test]
fn a_record_with_nothing_for_this_centre_is_none() {
    let checked = site("2017", "jia-1", "factors = [\"a19001\"]");
    let uplink = &checked.settings.uplinks[0];
    let offset = checked.registry.offset;
    let of = |values| {
        let row = row("jia-1", RecordKind::Hour, MIDNIGHT, values);
        parcel(&row, uplink, &uplink.outlets[0], offset)
    };
    assert_eq!(of(vec![full("a21026", RecordKind::Hour, "1", "N")]), None);
    assert_eq!(of(vec![]), None);
    let mut silent = full("a19001", RecordKind::Hour, "1", "B");
    for slot in [&mut silent.avg, &mut silent.min, &mut silent.max] {
        *slot = None;
    }
    (silent.cou, silent.converted) = (None, None);
    let parcel = of(vec![silent]).expect("the flag alone is worth sending");
    assert_eq!(parcel.items, [Item::factor("a19001", &[("Flag", "B")])]);
}

#[test]
fn a_long_record_returns_from_its_packets() {
    let numbered: Vec<String> = (1..=40).map(|n| format!("e101{n:02}")).collect();
    let own: String = numbered
        .iter()
        .map(|code| format!("{{ code = \"{code}\" }},"))
        .collect();
    let text = SITE.replacen(
        "factor = [{ code = \"a21026\", range = 500, limit_hour = 35 }]",
        &format!("factor = [{own}]"),
        1,
    );
    let text = format!(
        "{text}\n[[uplink]]\nid = \"c\"\naddress = \"h:1\"\nedition = \"2017\"\n\
         outlet = [{{ outlet = \"jia-1\", password = \"123456\" }}]\n"
    );
    let checked = load_str(&[("cemsd.toml", &text)]).unwrap_or_else(|p| panic!("{p}"));
    let values = numbered
        .iter()
        .map(|code| full(code, RecordKind::Minute, "1234.5678", "N"))
        .collect();
    let row = row("jia-1", RecordKind::Minute, MIDNIGHT, values);
    assert!(frames(&checked, &row).len() > 1);
    assert!(
        frames(&checked, &row)
            .iter()
            .all(|frame| frame.len() <= 1024 + 12)
    );
    assert_returns(&checked, &row);
}

fn decimal() -> impl Strategy<Value = Decimal> {
    (-99_999_999_i64..=99_999_999, 0_u32..=6).prop_map(|(n, scale)| Decimal::new(n, scale))
}

fn value(factor: &'static str, kind: RecordKind) -> impl Strategy<Value = Value> {
    let some = || prop::option::of(decimal());
    let flags = prop::option::of(prop::sample::select(vec!["N", "F", "M", "D", "C", "T"]));
    (some(), some(), some(), some(), some(), flags).prop_map(
        move |(figure, min, max, cou, converted, flag)| {
            let number = |value: Option<Decimal>| {
                value.map(|value| Number {
                    text: value.to_smolstr(),
                    value,
                })
            };
            let mean = kind != RecordKind::Realtime;
            Value {
                factor: factor.into(),
                sent_as: None,
                rtd: number(figure.filter(|_| !mean)),
                avg: number(figure.filter(|_| mean)),
                min: number(min.filter(|_| mean)),
                max: number(max.filter(|_| mean)),
                cou: number(cou.filter(|_| mean)),
                converted: number(converted),
                flag: flag.map(|f| Flag(f.into())),
                unreadable: None,
            }
        },
    )
}

fn any_record() -> impl Strategy<Value = (&'static str, RecordRow)> {
    let kinds = prop::sample::select(RecordKind::ALL.to_vec());
    let editions = prop::sample::select(vec!["2005", "2017", "2025"]);
    (editions, kinds, 0_i64..365).prop_flat_map(|(edition, kind, day)| {
        let values = (
            value("a21026", kind),
            value("a01013", kind),
            value("a19001", kind),
        );
        values.prop_map(move |(a, b, c)| {
            let start = MIDNIGHT - day * 86_400_000;
            (edition, row("jia-1", kind, start, vec![a, b, c]))
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_record_returns((edition, mut row) in any_record()) {
        // A factor of which nothing is known is not sent; the centre cannot know it was there.
        row.values.retain(|_, stored| {
            let v = &stored.value;
            v.flag.is_some() || [&v.rtd, &v.avg, &v.min, &v.max, &v.cou, &v.converted]
                .iter().any(|n| n.is_some())
        });
        prop_assume!(!row.values.is_empty());
        let checked = site(edition, "jia-1", "");
        assert_returns(&checked, &row);
    }
}
