//! Topics and messages. The forms are those of `docs/mqtt.schema.json`; a field may be added, a
//! name never changes its meaning. Figures are texts, because they are exact.

use crate::links::mqtt::Publication;
use crate::notify::payload;
use crate::outbox::parcel::{Item, Parcel, Place};
use cems_core::model::rows::AuditRow;
use cems_core::model::{
    AggregateRow, AlarmRow, FactorAggregate, FactorCode, Number, RecordRow, StoredValue, Timestamp,
    UtcOffset,
};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Version of the forms.
const SCHEMA: u32 = 1;
/// Characters of the fingerprint in a key.
const PRINT_CHARS: usize = 16;

/// What a parcel becomes: key and publication.
pub(super) fn of(prefix: &str, parcel: &Parcel) -> (String, Publication) {
    let place = parcel.place.as_deref();
    let thing = parcel.key.to_string();
    let base = place.map_or_else(|| prefix.to_owned(), |place| base(prefix, place));
    match &parcel.item {
        Item::Record(row) => {
            let topic = format!("{base}/record/{}", row.kind.as_str());
            finish(topic, false, &thing, record(place, row))
        }
        Item::Aggregate(row) => {
            let topic = format!("{base}/mean/{}", row.level.as_str());
            finish(topic, false, &thing, mean(place, row))
        }
        Item::Event(row, alarm) => {
            let topic = format!("{base}/event");
            finish(topic, false, &thing, event(place, row, alarm.as_deref()))
        }
    }
}

/// Single values in a parcel.
pub(super) fn values(parcel: &Parcel) -> u64 {
    let n = match &parcel.item {
        Item::Record(row) => row.values.len(),
        Item::Aggregate(row) => row.factors.len(),
        Item::Event(..) => 1,
    };
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// The last state of a factor.
pub(super) fn latest(
    prefix: &str,
    place: &Place,
    row: &RecordRow,
    (factor, stored): (&FactorCode, &StoredValue),
) -> (String, Publication) {
    let topic = format!("{}/latest/{}", base(prefix, place), level(factor.as_str()));
    let thing = format!("{}/latest/{factor}", row.outlet);
    let mut body = head("latest", Some(place));
    let value = &stored.value;
    body.extend(object(json!({
        "factor": factor,
        "kind": row.kind,
        "time": iso(row.start),
        "value": number(value.figure()),
        "converted": number(value.converted.as_ref()),
        "unit": place.units.get(factor),
        "flag": value.flag,
        "valid": stored.valid,
        "seq": stored.seq,
    })));
    finish(topic, true, &thing, body)
}

fn record(place: Option<&Place>, row: &RecordRow) -> Map<String, Value> {
    let values: Map<String, Value> = row
        .values
        .iter()
        .map(|(factor, stored)| {
            let value = &stored.value;
            let said = json!({
                "value": number(value.figure()),
                "min": number(value.min.as_ref()),
                "max": number(value.max.as_ref()),
                "total": number(value.cou.as_ref()),
                "converted": number(value.converted.as_ref()),
                "unit": place.and_then(|place| place.units.get(factor)),
                "flag": value.flag,
                "valid": stored.valid,
                "checks": stored.checks,
                "received": iso(stored.received_at),
                "seq": stored.seq,
                "superseded": stored.superseded,
            });
            (factor.to_string(), said)
        })
        .collect();
    let mut body = head("record", place);
    body.extend(object(json!({
        "kind": row.kind,
        "start": iso(row.start),
        "resent": row.resent,
        "values": values,
    })));
    body
}

fn mean(place: Option<&Place>, row: &AggregateRow) -> Map<String, Value> {
    let factors: Map<String, Value> = row
        .factors
        .iter()
        .map(|(code, factor)| {
            let unit = place.and_then(|place| place.units.get(code));
            let mut said = of_factor(factor);
            said.insert("unit".to_owned(), json!(unit));
            (code.to_string(), Value::Object(said))
        })
        .collect();
    let mut body = head("mean", place);
    body.extend(object(json!({
        "level": row.level,
        "start": iso(row.start),
        "origin": row.origin,
        "volume_m3": text(row.volume_m3),
        "received": row.received,
        "due": row.due,
        "profile": row.profile,
        "seq": row.seq,
        "factors": factors,
    })));
    body
}

fn of_factor(factor: &FactorAggregate) -> Map<String, Value> {
    let exceeded = factor.limits.iter().any(|verdict| verdict.exceeded);
    object(json!({
        "mean": text(factor.mean),
        "converted": text(factor.converted),
        "min": text(factor.min),
        "max": text(factor.max),
        "amount_kg": text(factor.amount_kg),
        "substituted_kg": text(factor.substituted_kg),
        "valid": factor.valid,
        "valid_units": factor.valid_units,
        "due_units": factor.due_units,
        "invalid_why": factor.invalid_why,
        "exceeded": exceeded,
    }))
}

fn event(place: Option<&Place>, row: &AuditRow, alarm: Option<&AlarmRow>) -> Map<String, Value> {
    let mut body = head("event", place);
    body.extend(object(json!({
        "at": iso(row.at),
        "who": row.who,
        "what": row.what,
        "object": row.object,
        "detail": row.detail,
        "seq": row.seq,
        "n": row.n,
        "alarm": alarm.map(|alarm| payload::alarm(alarm, UtcOffset::default(), None)),
    })));
    body
}

/// What every message begins with.
fn head(kind: &str, place: Option<&Place>) -> Map<String, Value> {
    object(json!({
        "schema": SCHEMA,
        "type": kind,
        "region": place.map(|place| &place.region),
        "enterprise": place.map(|place| &place.enterprise),
        "outlet": place.map(|place| &place.outlet),
    }))
}

/// Adds the key: the thing and a fingerprint of what is said of it. A message with a known key is
/// a repetition; the same thing under another key is a correction.
fn finish(
    topic: String,
    retain: bool,
    thing: &str,
    mut body: Map<String, Value>,
) -> (String, Publication) {
    body.insert("thing".to_owned(), thing.into());
    let plain = Value::Object(body.clone()).to_string();
    let mut print = crate::text::hex(&Sha256::digest(plain.as_bytes()));
    print.truncate(PRINT_CHARS);
    let key = format!("{thing}#{print}");
    body.insert("key".to_owned(), key.clone().into());
    let payload = Value::Object(body).to_string().into_bytes();
    let item = Publication {
        topic,
        retain,
        payload,
    };
    (key, item)
}

fn base(prefix: &str, place: &Place) -> String {
    let (region, enterprise) = (
        level(place.region.as_str()),
        level(place.enterprise.as_str()),
    );
    format!(
        "{prefix}/{region}/{enterprise}/{}",
        level(place.outlet.as_str())
    )
}

/// A name as one level of a topic. Names of the registry are safe, the settings see to it; codes
/// of factors come from loggers.
pub(super) fn level(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '+' | '#' | '/' | '%' => out.push_str(&format!("%{:02X}", u32::from(c))),
            c if c.is_control() => out.push_str(&format!("%{:02X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn number(number: Option<&Number>) -> Value {
    text(number.map(|number| number.value))
}

fn text(value: Option<Decimal>) -> Value {
    value.map_or(Value::Null, |value| value.to_string().into())
}

/// The site's offset does not matter: the text says which one it is written in.
fn iso(at: Timestamp) -> String {
    UtcOffset::default().iso(at)
}
