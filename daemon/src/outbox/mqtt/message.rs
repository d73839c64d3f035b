//! Topics and messages. The forms are those of `docs/mqtt.schema.json`; a field may be added, a
//! name never changes its meaning. Figures are texts, because they are exact.

use crate::links::mqtt::Publication;
use crate::notify::payload;
use crate::outbox::parcel::{Item, Parcel, Place};
use cems_core::model::rows::{AggregateOrigin, AuditRow, CheckCode};
use cems_core::model::{
    AggregateRow, AlarmRow, EnterpriseId, FactorAggregate, FactorCode, Flag, Level, Number,
    OutletId, RecordKind, RecordRow, RegionId, Seq, StoredValue, Timestamp, UtcOffset,
};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use serde_json::Value;
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
            finish(topic, false, thing, &record(place, row))
        }
        Item::Aggregate(row) => {
            let topic = format!("{base}/mean/{}", row.level.as_str());
            finish(topic, false, thing, &mean(place, row))
        }
        Item::Event(row, alarm) => {
            let topic = format!("{base}/event");
            finish(topic, false, thing, &event(place, row, alarm.as_deref()))
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
    let value = &stored.value;
    let said = Latest {
        head: head("latest", Some(place)),
        factor,
        kind: row.kind,
        time: Iso(row.start),
        value: number(value.figure()),
        converted: number(value.converted.as_ref()),
        unit: place.units.get(factor).map(String::as_str),
        flag: value.flag.as_ref(),
        valid: stored.valid,
        seq: stored.seq,
    };
    finish(topic, true, thing, &said)
}

/// What every message begins with.
#[derive(Serialize)]
struct Head<'a> {
    schema: u32,
    #[serde(rename = "type")]
    kind: &'static str,
    region: Option<&'a RegionId>,
    enterprise: Option<&'a EnterpriseId>,
    outlet: Option<&'a OutletId>,
}

fn head<'a>(kind: &'static str, place: Option<&'a Place>) -> Head<'a> {
    Head {
        schema: SCHEMA,
        kind,
        region: place.map(|place| &place.region),
        enterprise: place.map(|place| &place.enterprise),
        outlet: place.map(|place| &place.outlet),
    }
}

#[derive(Serialize)]
struct Latest<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    factor: &'a FactorCode,
    kind: RecordKind,
    time: Iso,
    value: Option<Text>,
    converted: Option<Text>,
    unit: Option<&'a str>,
    flag: Option<&'a Flag>,
    valid: bool,
    seq: Seq,
}

#[derive(Serialize)]
struct Record<'a, V> {
    #[serde(flatten)]
    head: Head<'a>,
    kind: RecordKind,
    start: Iso,
    resent: bool,
    values: V,
}

#[derive(Serialize)]
struct RecordValue<'a> {
    value: Option<Text>,
    min: Option<Text>,
    max: Option<Text>,
    total: Option<Text>,
    converted: Option<Text>,
    unit: Option<&'a str>,
    flag: Option<&'a Flag>,
    valid: bool,
    checks: &'a [CheckCode],
    received: Iso,
    seq: Seq,
    superseded: u32,
}

fn record<'a>(place: Option<&'a Place>, row: &'a RecordRow) -> impl Serialize {
    let one = move |(factor, stored): (&'a FactorCode, &'a StoredValue)| {
        let value = &stored.value;
        let said = RecordValue {
            value: number(value.figure()),
            min: number(value.min.as_ref()),
            max: number(value.max.as_ref()),
            total: number(value.cou.as_ref()),
            converted: number(value.converted.as_ref()),
            unit: unit(place, factor),
            flag: value.flag.as_ref(),
            valid: stored.valid,
            checks: &stored.checks,
            received: Iso(stored.received_at),
            seq: stored.seq,
            superseded: stored.superseded,
        };
        (factor.as_str(), said)
    };
    Record {
        head: head("record", place),
        kind: row.kind,
        start: Iso(row.start),
        resent: row.resent,
        values: Members(move || row.values.iter().map(one)),
    }
}

#[derive(Serialize)]
struct Mean<'a, F> {
    #[serde(flatten)]
    head: Head<'a>,
    level: Level,
    start: Iso,
    origin: AggregateOrigin,
    volume_m3: Option<Text>,
    received: u32,
    due: u32,
    profile: &'a str,
    seq: Seq,
    factors: F,
}

#[derive(Serialize)]
struct MeanFactor<'a> {
    mean: Option<Text>,
    converted: Option<Text>,
    min: Option<Text>,
    max: Option<Text>,
    amount_kg: Option<Text>,
    substituted_kg: Option<Text>,
    valid: bool,
    valid_units: u32,
    due_units: u32,
    invalid_why: Option<&'a str>,
    exceeded: bool,
    unit: Option<&'a str>,
}

fn mean<'a>(place: Option<&'a Place>, row: &'a AggregateRow) -> impl Serialize {
    let one = move |(code, factor): (&'a FactorCode, &'a FactorAggregate)| {
        let said = MeanFactor {
            mean: factor.mean.map(Text),
            converted: factor.converted.map(Text),
            min: factor.min.map(Text),
            max: factor.max.map(Text),
            amount_kg: factor.amount_kg.map(Text),
            substituted_kg: factor.substituted_kg.map(Text),
            valid: factor.valid,
            valid_units: factor.valid_units,
            due_units: factor.due_units,
            invalid_why: factor.invalid_why.as_deref(),
            exceeded: factor.limits.iter().any(|verdict| verdict.exceeded),
            unit: unit(place, code),
        };
        (code.as_str(), said)
    };
    Mean {
        head: head("mean", place),
        level: row.level,
        start: Iso(row.start),
        origin: row.origin,
        volume_m3: row.volume_m3.map(Text),
        received: row.received,
        due: row.due,
        profile: row.profile.as_str(),
        seq: row.seq,
        factors: Members(move || row.factors.iter().map(one)),
    }
}

#[derive(Serialize)]
struct Event<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    at: Iso,
    who: &'a str,
    what: &'a str,
    object: &'a str,
    detail: &'a str,
    seq: Seq,
    n: u32,
    alarm: Option<Value>,
}

fn event<'a>(
    place: Option<&'a Place>,
    row: &'a AuditRow,
    alarm: Option<&AlarmRow>,
) -> impl Serialize {
    Event {
        head: head("event", place),
        at: Iso(row.at),
        who: row.who.as_str(),
        what: row.what.as_str(),
        object: row.object.as_str(),
        detail: row.detail.as_str(),
        seq: row.seq,
        n: row.n,
        alarm: alarm.map(|alarm| payload::alarm(alarm, UtcOffset::default(), None)),
    }
}

/// A message with the thing that it is about.
#[derive(Serialize)]
struct About<'a, B> {
    #[serde(flatten)]
    body: &'a B,
    thing: &'a str,
}

/// Adds the key: the thing and a fingerprint of what is said of it. A message with a known key is
/// a repetition; the same thing under another key is a correction.
fn finish(
    topic: String,
    retain: bool,
    thing: String,
    body: &impl Serialize,
) -> (String, Publication) {
    let about = About {
        body,
        thing: &thing,
    };
    let mut payload = serde_json::to_vec(&about).expect("texts and numbers under names");
    let mut key = thing;
    let mut print = crate::text::hex(&Sha256::digest(&payload));
    print.truncate(PRINT_CHARS);
    key.push('#');
    key.push_str(&print);
    // The key stands in the object it was made of.
    payload.pop();
    payload.extend_from_slice(b",\"key\":");
    serde_json::to_writer(&mut payload, &key).expect("a vector takes everything");
    payload.push(b'}');
    let item = Publication {
        topic,
        retain,
        payload,
    };
    (key, item)
}

/// Members of an object, made while they are written.
struct Members<F>(F);

impl<F, I, K, V> Serialize for Members<F>
where
    F: Fn() -> I,
    I: Iterator<Item = (K, V)>,
    K: Serialize,
    V: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map((self.0)())
    }
}

/// An exact figure.
struct Text(Decimal);

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// An instant. The site's offset does not matter: the text says which one it is written in.
struct Iso(Timestamp);

impl Serialize for Iso {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&UtcOffset::default().iso(self.0))
    }
}

fn number(number: Option<&Number>) -> Option<Text> {
    number.map(|number| Text(number.value))
}

fn unit<'a>(place: Option<&'a Place>, factor: &FactorCode) -> Option<&'a str> {
    let unit = place.and_then(|place| place.units.get(factor));
    unit.map(String::as_str)
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
