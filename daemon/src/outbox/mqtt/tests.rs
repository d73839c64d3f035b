//! Messages against the published schema, and which states the broker keeps.

use super::latest::Latest;
use super::message;
use crate::outbox::parcel::{Item, Key, Parcel, Place};
use cems_core::model::rows::{AggregateOrigin, AuditRow, LimitVerdict};
use cems_core::model::time::MINUTE_MS;
use cems_core::model::{
    AggregateRow, AlarmId, AlarmKind, AlarmRow, AlarmSubject, FactorAggregate, Flag, Level, Medium,
    Number, RecordKind, RecordRow, Seq, Series, StoredValue, Timestamp,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// 2026-03-18 14:32:00 +08:00.
const NOW: Timestamp = Timestamp(1_773_815_520_000);

fn place() -> Place {
    Place {
        outlet: "jia-1".into(),
        name: "甲试验电厂总排口".to_owned(),
        medium: Medium::Gas,
        enterprise: "jia".into(),
        region: "shiyan".into(),
        units: [("a21026".into(), "mg/m3".to_owned())].into(),
    }
}

fn row(kind: RecordKind, start: Timestamp, text: &str, late_min: i64) -> RecordRow {
    let number = Number {
        value: text.parse().unwrap(),
        text: text.into(),
    };
    let value = cems_core::model::Value {
        factor: "a21026".into(),
        sent_as: None,
        rtd: None,
        avg: Some(number),
        min: None,
        max: None,
        cou: None,
        converted: None,
        flag: Some(Flag("N".into())),
        unreadable: None,
    };
    let stored = StoredValue {
        value,
        valid: true,
        checks: Vec::new(),
        received_at: start.plus_ms(late_min * MINUTE_MS),
        seq: Seq(812),
        superseded: 0,
    };
    RecordRow {
        outlet: "jia-1".into(),
        kind,
        start,
        resent: false,
        values: [("a21026".into(), stored)].into(),
    }
}

fn record(text: &str) -> Parcel {
    Parcel {
        key: Key::Row {
            outlet: "jia-1".into(),
            what: Series::Record(RecordKind::Minute),
            start: NOW,
        },
        place: Some(Arc::new(place())),
        item: Item::Record(row(RecordKind::Minute, NOW, text, 1)),
    }
}

fn aggregate() -> Parcel {
    let factor = FactorAggregate {
        mean: Some("66.93".parse().unwrap()),
        valid: true,
        valid_units: 58,
        due_units: 60,
        limits: vec![LimitVerdict {
            limit: "hour".into(),
            judged: "66.93".parse().unwrap(),
            bound: "50".parse().unwrap(),
            exceeded: true,
            multiple: None,
        }],
        ..FactorAggregate::default()
    };
    Parcel {
        key: Key::Row {
            outlet: "jia-1".into(),
            what: Series::Aggregate(Level::Hour),
            start: NOW,
        },
        place: Some(Arc::new(place())),
        item: Item::Aggregate(AggregateRow {
            outlet: "jia-1".into(),
            level: Level::Hour,
            start: NOW,
            origin: AggregateOrigin::Computed,
            complete: true,
            volume_m3: Some("1200".parse().unwrap()),
            factors: [("a21026".into(), factor)].into(),
            profile: "hj75-2017@1".into(),
            received: 60,
            due: 60,
            seq: Seq(900),
            superseded: 0,
        }),
    }
}

fn event(place: Option<Place>) -> Parcel {
    let subject = AlarmSubject::Outlet("jia-1".into());
    let alarm = AlarmRow::raised(AlarmId(12), AlarmKind::ExceedanceHour, subject, NOW, Seq(7));
    Parcel {
        key: Key::Event {
            seq: Seq(812),
            n: 3,
        },
        place: place.map(Arc::new),
        item: Item::Event(
            AuditRow {
                seq: Seq(812),
                n: 3,
                at: NOW,
                who: "engine".into(),
                what: "alarm.raised".into(),
                object: "alarm/12".into(),
                detail: "66.93 > 50".to_owned(),
            },
            Some(Box::new(alarm)),
        ),
    }
}

/// Topic and message.
fn said(parcel: &Parcel) -> (String, Value) {
    let (key, item) = message::of("cems", parcel);
    let body: Value = serde_json::from_slice(&item.payload).unwrap();
    assert_eq!(body["key"], key);
    assert!(!item.retain);
    (item.topic, body)
}

/// What is wrong with a value by as much of JSON Schema as the published one uses.
fn faults(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(name) = schema["$ref"].as_str() {
        let schema = root.pointer(name.strip_prefix('#').unwrap());
        out.extend(faults(root, schema.expect("a definition"), value, at));
    }
    if let Some(all) = schema["oneOf"].as_array() {
        let tried: Vec<Vec<String>> = all.iter().map(|s| faults(root, s, value, at)).collect();
        if tried.iter().filter(|found| found.is_empty()).count() != 1 {
            out.push(format!("{at}: none or several: {tried:?}"));
        }
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_u64() || n.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let wrong = match &schema["type"] {
        Value::String(one) => one != kind,
        Value::Array(some) => !some.iter().any(|one| one == kind),
        _ => false,
    };
    if wrong {
        out.push(format!("{at}: {kind}"));
    }
    if schema.get("const").is_some_and(|only| only != value)
        || schema["enum"]
            .as_array()
            .is_some_and(|some| !some.contains(value))
        || value
            .as_i64()
            .zip(schema["minimum"].as_i64())
            .is_some_and(|(n, least)| n < least)
    {
        out.push(format!("{at}: {value}"));
    }
    if let Some(members) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten() {
            if !members.contains_key(name.as_str().unwrap()) {
                out.push(format!("{at}: lacks {name}"));
            }
        }
        for (name, member) in members {
            let at = format!("{at}.{name}");
            match (
                schema["properties"].get(name),
                schema.get("additionalProperties"),
            ) {
                (Some(schema), _) => out.extend(faults(root, schema, member, &at)),
                (None, Some(Value::Bool(false))) => out.push(format!("{at}: unknown")),
                (None, Some(schema)) => out.extend(faults(root, schema, member, &at)),
                (None, None) => {}
            }
        }
    }
    for element in value.as_array().into_iter().flatten() {
        out.extend(faults(root, &schema["items"], element, at));
    }
    out
}

#[test]
fn every_message_is_of_the_published_schema() {
    let schema: Value =
        serde_json::from_str(include_str!("../../../../docs/mqtt.schema.json")).unwrap();
    let row = row(RecordKind::Minute, NOW, "12.30", 1);
    let (factor, value) = row.values.first_key_value().unwrap();
    let (_, latest) = message::latest("cems", &place(), &row, (factor, value));
    let latest: Value = serde_json::from_slice(&latest.payload).unwrap();
    for (body, sample) in [
        (said(&record("12.30")).1, "/values/a21026/value"),
        (said(&aggregate()).1, "/factors/a21026/mean"),
        (said(&event(Some(place()))).1, "/alarm/id"),
        (said(&event(None)).1, "/what"),
        (latest, "/unit"),
    ] {
        assert_eq!(faults(&schema, &schema, &body, "$"), Vec::<String>::new());
        assert!(
            body.pointer(sample).is_some_and(|found| !found.is_null()),
            "{sample}: {body:#}"
        );
        let mut wrong = body.clone();
        wrong["schema"] = json!(2);
        assert!(!faults(&schema, &schema, &wrong, "$").is_empty());
        let mut more = body.clone();
        more["more"] = json!(true);
        assert!(!faults(&schema, &schema, &more, "$").is_empty());
    }
}

#[test]
fn topics_say_where_a_thing_belongs() {
    let topic = |parcel: &Parcel| said(parcel).0;
    assert_eq!(topic(&record("1")), "cems/shiyan/jia/jia-1/record/minute");
    assert_eq!(topic(&aggregate()), "cems/shiyan/jia/jia-1/mean/hour");
    assert_eq!(topic(&event(Some(place()))), "cems/shiyan/jia/jia-1/event");
    assert_eq!(topic(&event(None)), "cems/event");
    // What a logger calls a factor does not lead elsewhere.
    assert_eq!(message::level("a/b+#%\n"), "a%2Fb%2B%23%25%0A");
}

#[test]
fn the_same_has_the_same_key_and_a_correction_another() {
    let key = |text: &str| said(&record(text)).1["key"].clone();
    assert_eq!(key("12.30"), key("12.30"));
    assert_ne!(key("12.30"), key("12.31"));
    let thing = |text: &str| said(&record(text)).1["thing"].clone();
    assert_eq!(thing("12.30"), thing("12.31"));
    assert_eq!(thing("1"), "jia-1/minute/1773815520000");
}

#[test]
fn what_is_late_does_not_take_the_place_of_what_is_newer() {
    let mut latest = Latest::default();
    let mut take = |start: Timestamp, text: &str, late_min: i64| {
        let row = row(RecordKind::Minute, start, text, late_min);
        let taken = latest.take("cems", &place(), &row);
        let said = |(_, item): (String, crate::links::mqtt::Publication)| {
            assert!(item.retain);
            let body: Value = serde_json::from_slice(&item.payload).unwrap();
            (item.topic, body["value"].as_str().unwrap().to_owned())
        };
        taken.into_iter().map(said).next()
    };
    let topic = "cems/shiyan/jia/jia-1/latest/a21026".to_owned();
    // After a start nothing is known: a record of yesterday is not the last state.
    assert_eq!(take(NOW, "1.0", 24 * 60), None);
    assert_eq!(take(NOW, "2.0", 2), Some((topic.clone(), "2.0".to_owned())));
    assert_eq!(take(NOW.plus_ms(-MINUTE_MS), "3.0", 3), None);
    // A correction of the newest is the newest.
    assert_eq!(
        take(NOW, "4.0", 90),
        Some((topic.clone(), "4.0".to_owned()))
    );
    assert_eq!(
        take(NOW.plus_ms(MINUTE_MS), "5.0", 90),
        Some((topic, "5.0".to_owned()))
    );
    let kept: Vec<_> = latest.all().collect();
    assert_eq!(kept.len(), 1);
}
