//! The JSON of record and aggregate rows: one value a line in the books, millions of them, so
//! names are short, defaults are left out, and what all factors share stands once. Equal rows
//! give equal text.

mod figure;

use super::error::StoreError;
use cems_core::model::rows::AggregateOrigin;
use cems_core::model::{
    AggregateRow, CheckCode, FactorAggregate, FactorCode, Flag, JudgedMeans, Level, LimitId,
    LimitVerdict, Number, OutletId, ProfileId, RecordKind, RecordRow, Seq, StoredValue, Timestamp,
    Value,
};
use figure::{Exact, Figure};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::fmt;

/// One factor of a record.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct ShortValue {
    /// Factor, where it is not the name it stands under.
    #[serde(rename = "i", skip_serializing_if = "Option::is_none")]
    factor: Option<FactorCode>,
    #[serde(rename = "o", skip_serializing_if = "Option::is_none")]
    sent_as: Option<SmolStr>,
    #[serde(rename = "r", skip_serializing_if = "Option::is_none")]
    rtd: Option<Figure>,
    #[serde(rename = "a", skip_serializing_if = "Option::is_none")]
    avg: Option<Figure>,
    #[serde(rename = "n", skip_serializing_if = "Option::is_none")]
    min: Option<Figure>,
    #[serde(rename = "x", skip_serializing_if = "Option::is_none")]
    max: Option<Figure>,
    #[serde(rename = "c", skip_serializing_if = "Option::is_none")]
    cou: Option<Figure>,
    #[serde(rename = "z", skip_serializing_if = "Option::is_none")]
    converted: Option<Figure>,
    #[serde(rename = "f", skip_serializing_if = "Option::is_none")]
    flag: Option<Flag>,
    #[serde(rename = "u", skip_serializing_if = "Option::is_none")]
    unreadable: Option<SmolStr>,
    /// The value does not count.
    #[serde(rename = "bad", skip_serializing_if = "is_false")]
    invalid: bool,
    #[serde(rename = "k", skip_serializing_if = "Vec::is_empty")]
    checks: Vec<CheckCode>,
    /// When received, where it differs from the record's.
    #[serde(rename = "at", skip_serializing_if = "Option::is_none")]
    received_at: Option<Timestamp>,
    /// Journal position, where it differs from the record's.
    #[serde(rename = "seq", skip_serializing_if = "Option::is_none")]
    seq: Option<Seq>,
    #[serde(rename = "s", skip_serializing_if = "Option::is_none")]
    superseded: Option<u32>,
}

/// A record without its key. `at` and `seq` are those of its first factor.
#[derive(Serialize, Deserialize)]
struct ShortRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seq: Option<Seq>,
    v: Pairs,
}

/// Factors in the order of their names: a list, because a tree of what is short would be thrown
/// away for one of what is long.
struct Pairs(Vec<(FactorCode, ShortValue)>);

impl Serialize for Pairs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;

        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("values by factor")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(PairsVisitor)
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "signature asked for by serde"
)]
fn is_false(flag: &bool) -> bool {
    !*flag
}

fn shorten(
    name: &FactorCode,
    stored: &StoredValue,
    at: Option<Timestamp>,
    seq: Option<Seq>,
) -> ShortValue {
    let value = &stored.value;
    let figure = |number: &Option<Number>| number.clone().map(Figure);
    ShortValue {
        factor: (&value.factor != name).then(|| value.factor.clone()),
        sent_as: value.sent_as.clone(),
        rtd: figure(&value.rtd),
        avg: figure(&value.avg),
        min: figure(&value.min),
        max: figure(&value.max),
        cou: figure(&value.cou),
        converted: figure(&value.converted),
        flag: value.flag.clone(),
        unreadable: value.unreadable.clone(),
        invalid: !stored.valid,
        checks: stored.checks.clone(),
        received_at: (at != Some(stored.received_at)).then_some(stored.received_at),
        seq: (seq != Some(stored.seq)).then_some(stored.seq),
        superseded: (stored.superseded != 0).then_some(stored.superseded),
    }
}

fn lengthen(
    name: &FactorCode,
    short: ShortValue,
    at: Option<Timestamp>,
    seq: Option<Seq>,
) -> Result<StoredValue, StoreError> {
    let absent = |what: &str| StoreError::Damaged(format!("value of {name} without {what}"));
    let number = |figure: Option<Figure>| figure.map(|f| f.0);
    Ok(StoredValue {
        value: Value {
            factor: short.factor.unwrap_or_else(|| name.clone()),
            sent_as: short.sent_as,
            rtd: number(short.rtd),
            avg: number(short.avg),
            min: number(short.min),
            max: number(short.max),
            cou: number(short.cou),
            converted: number(short.converted),
            flag: short.flag,
            unreadable: short.unreadable,
        },
        valid: !short.invalid,
        checks: short.checks,
        received_at: short.received_at.or(at).ok_or_else(|| absent("at"))?,
        seq: short.seq.or(seq).ok_or_else(|| absent("seq"))?,
        superseded: short.superseded.unwrap_or(0),
    })
}

/// The `body` of a record.
pub(super) fn record_body(row: &RecordRow) -> Result<String, StoreError> {
    let first = row.values.values().next();
    let at = first.map(|v| v.received_at);
    let seq = first.map(|v| v.seq);
    let short = ShortRecord {
        at,
        seq,
        v: Pairs(
            row.values
                .iter()
                .map(|(name, stored)| (name.clone(), shorten(name, stored, at, seq)))
                .collect(),
        ),
    };
    json("a record", &short)
}

/// The record of a key and its `body`.
pub(super) fn record_row(
    outlet: OutletId,
    kind: RecordKind,
    start: Timestamp,
    resent: bool,
    body: &str,
) -> Result<RecordRow, StoreError> {
    let short: ShortRecord = parse("record", body)?;
    let (at, seq) = (short.at, short.seq);
    let pairs = short.v.0.into_iter();
    let values = pairs.map(|(name, value)| {
        let stored = lengthen(&name, value, at, seq)?;
        Ok((name, stored))
    });
    let values = values.collect::<Result<_, StoreError>>()?;
    Ok(RecordRow {
        outlet,
        kind,
        start,
        resent,
        values,
    })
}

/// The `body` of a superseded value.
pub(super) fn value_body(stored: &StoredValue) -> Result<String, StoreError> {
    value_under(&stored.value.factor, stored)
}

/// A value by itself that stands under `name` in its record.
pub(crate) fn value_under(name: &FactorCode, stored: &StoredValue) -> Result<String, StoreError> {
    json("a value", &shorten(name, stored, None, Some(stored.seq)))
}

/// The value of factor `name` and journal position `seq` that stands by itself.
pub(crate) fn value_row(
    name: &FactorCode,
    seq: Seq,
    body: &str,
) -> Result<StoredValue, StoreError> {
    lengthen(name, parse("superseded", body)?, None, Some(seq))
}

/// One factor of an aggregate.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct ShortAggregate {
    #[serde(rename = "m", skip_serializing_if = "Option::is_none")]
    mean: Option<Exact>,
    #[serde(rename = "z", skip_serializing_if = "Option::is_none")]
    converted: Option<Exact>,
    #[serde(rename = "n", skip_serializing_if = "Option::is_none")]
    min: Option<Exact>,
    #[serde(rename = "x", skip_serializing_if = "Option::is_none")]
    max: Option<Exact>,
    #[serde(rename = "kg", skip_serializing_if = "Option::is_none")]
    amount_kg: Option<Exact>,
    #[serde(rename = "bad", skip_serializing_if = "is_false")]
    invalid: bool,
    /// Valid, due and stopped units.
    #[serde(rename = "u")]
    units: (u32, u32, u32),
    #[serde(rename = "r", skip_serializing_if = "Option::is_none")]
    reported: Option<Exact>,
    #[serde(rename = "sub", skip_serializing_if = "Option::is_none")]
    substituted_kg: Option<Exact>,
    #[serde(rename = "why", skip_serializing_if = "Option::is_none")]
    invalid_why: Option<SmolStr>,
    #[serde(rename = "ex", skip_serializing_if = "Option::is_none")]
    exempt_units: Option<u32>,
    /// Mean, converted mean, enough.
    #[serde(rename = "j", skip_serializing_if = "Option::is_none")]
    judged: Option<(Option<Exact>, Option<Exact>, bool)>,
    #[serde(rename = "l", skip_serializing_if = "Vec::is_empty")]
    limits: Vec<ShortVerdict>,
}

/// Limit, figure judged, bound, exceeded, multiple.
#[derive(Serialize, Deserialize)]
struct ShortVerdict(LimitId, Exact, Exact, bool, Option<Exact>);

/// An aggregate without its key and `complete`.
#[derive(Serialize, Deserialize)]
struct ShortPeriod {
    /// Absent: computed.
    #[serde(default, skip_serializing_if = "is_false")]
    reported: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    m3: Option<Exact>,
    p: ProfileId,
    /// Records received and due.
    #[serde(default, skip_serializing_if = "is_none_due")]
    n: (u32, u32),
    seq: Seq,
    /// Times superseded.
    #[serde(default, skip_serializing_if = "is_never")]
    v: u32,
    f: BTreeMap<FactorCode, ShortAggregate>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "signature asked for by serde"
)]
fn is_none_due(records: &(u32, u32)) -> bool {
    *records == (0, 0)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "signature asked for by serde"
)]
fn is_never(times: &u32) -> bool {
    *times == 0
}

fn shorten_verdict(verdict: &LimitVerdict) -> ShortVerdict {
    ShortVerdict(
        verdict.limit.clone(),
        Exact(verdict.judged),
        Exact(verdict.bound),
        verdict.exceeded,
        verdict.multiple.map(Exact),
    )
}

/// The `body` of an aggregate.
pub(super) fn aggregate_body(row: &AggregateRow) -> Result<String, StoreError> {
    let factor = |f: &FactorAggregate| ShortAggregate {
        mean: f.mean.map(Exact),
        converted: f.converted.map(Exact),
        min: f.min.map(Exact),
        max: f.max.map(Exact),
        amount_kg: f.amount_kg.map(Exact),
        invalid: !f.valid,
        units: (f.valid_units, f.due_units, f.stopped_units),
        reported: f.reported.map(Exact),
        substituted_kg: f.substituted_kg.map(Exact),
        invalid_why: f.invalid_why.clone(),
        exempt_units: (f.exempt_units != 0).then_some(f.exempt_units),
        judged: f
            .judged
            .as_ref()
            .map(|j| (j.mean.map(Exact), j.converted.map(Exact), j.enough)),
        limits: f.limits.iter().map(shorten_verdict).collect(),
    };
    let short = ShortPeriod {
        reported: row.origin == AggregateOrigin::Reported,
        m3: row.volume_m3.map(Exact),
        p: row.profile.clone(),
        n: (row.received, row.due),
        seq: row.seq,
        v: row.superseded,
        f: row
            .factors
            .iter()
            .map(|(code, f)| (code.clone(), factor(f)))
            .collect(),
    };
    json("an aggregate", &short)
}

/// The aggregate of a key and its `body`.
pub(super) fn aggregate_row(
    outlet: OutletId,
    level: Level,
    start: Timestamp,
    complete: bool,
    body: &str,
) -> Result<AggregateRow, StoreError> {
    let short: ShortPeriod = parse("aggregate", body)?;
    let verdict = |v: ShortVerdict| LimitVerdict {
        limit: v.0,
        judged: v.1.0,
        bound: v.2.0,
        exceeded: v.3,
        multiple: v.4.map(|e| e.0),
    };
    let factor = |f: ShortAggregate| FactorAggregate {
        mean: f.mean.map(|e| e.0),
        converted: f.converted.map(|e| e.0),
        min: f.min.map(|e| e.0),
        max: f.max.map(|e| e.0),
        amount_kg: f.amount_kg.map(|e| e.0),
        valid: !f.invalid,
        valid_units: f.units.0,
        due_units: f.units.1,
        stopped_units: f.units.2,
        reported: f.reported.map(|e| e.0),
        substituted_kg: f.substituted_kg.map(|e| e.0),
        invalid_why: f.invalid_why,
        exempt_units: f.exempt_units.unwrap_or(0),
        judged: f.judged.map(|(mean, converted, enough)| JudgedMeans {
            mean: mean.map(|e| e.0),
            converted: converted.map(|e| e.0),
            enough,
        }),
        limits: f.limits.into_iter().map(verdict).collect(),
    };
    Ok(AggregateRow {
        outlet,
        level,
        start,
        origin: if short.reported {
            AggregateOrigin::Reported
        } else {
            AggregateOrigin::Computed
        },
        complete,
        volume_m3: short.m3.map(|e| e.0),
        factors: short
            .f
            .into_iter()
            .map(|(code, f)| (code, factor(f)))
            .collect(),
        profile: short.p,
        received: short.n.0,
        due: short.n.1,
        seq: short.seq,
        superseded: short.v,
    })
}

/// Any row as JSON.
pub(super) fn json<T: Serialize>(what: &'static str, row: &T) -> Result<String, StoreError> {
    serde_json::to_string(row).map_err(|error| StoreError::Unstorable {
        what,
        detail: error.to_string(),
    })
}

/// Any row from JSON; text that does not fit means a damaged file.
pub(super) fn parse<'de, T: Deserialize<'de>>(
    table: &'static str,
    body: &'de str,
) -> Result<T, StoreError> {
    serde_json::from_str(body)
        .map_err(|error| StoreError::Damaged(format!("table {table}: {error}")))
}
