//! What a message of a source says. Pure: the same message, settings and time give the same.

use crate::events::Took;
use crate::intake::{AHEAD_MS_MAX, begin, exact};
use cems_config::{JsonPath, MqttFactor, MqttReading, MqttSource, ReadingForm};
use cems_core::model::time::SECOND_MS;
use cems_core::model::{
    Flag, Number, OutletId, Record, RecordKind, Sample, SampleSet, Timestamp, UtcOffset, Value,
};
use chrono::{DateTime, NaiveDateTime};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value as Json;
use smol_str::{SmolStr, format_smolstr};

/// Instants written as numbers: what is below is seconds, else milliseconds. As seconds this is
/// the year 5138, as milliseconds 1973.
const SECONDS_BELOW: i64 = 100_000_000_000;

/// A message as it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Came<'a> {
    pub(super) topic: &'a str,
    pub(super) payload: &'a [u8],
    pub(super) retained: bool,
    pub(super) at: Timestamp,
}

/// Why a message says nothing.
struct Bad(String);

/// What a message says.
pub(super) fn read(source: &MqttSource, came: Came<'_>, offset: UtcOffset) -> Took {
    let reading = source.reading(came.topic);
    let refused = |why: String| Took::Refused {
        outlet: reading.map(|reading| reading.outlet.clone()),
        why,
    };
    if came.payload.len() > source.payload_bytes_max {
        let (bytes, max) = (came.payload.len(), source.payload_bytes_max);
        return refused(format!("{bytes} bytes, more than {max}"));
    }
    let Some(reading) = reading else {
        return refused("no reading of the settings has this topic".to_owned());
    };
    match content(&source.id, reading, came, offset) {
        Ok(took) => took,
        Err(Bad(why)) => refused(why),
    }
}

fn content(
    source: &SmolStr,
    reading: &MqttReading,
    came: Came<'_>,
    offset: UtcOffset,
) -> Result<Took, Bad> {
    let json: Json =
        serde_json::from_slice(came.payload).map_err(|error| Bad(format!("no JSON: {error}")))?;
    let time = match &reading.time {
        None => None,
        Some(path) => {
            let text = at(&json, path).ok_or_else(|| Bad("no time in it".to_owned()))?;
            Some(instant(text, offset).ok_or_else(|| Bad(format!("no time: {text}")))?)
        }
    };
    if time.is_some_and(|time| time.since_ms(came.at) > AHEAD_MS_MAX) {
        return Err(Bad("its time lies in the future".to_owned()));
    }
    if came.retained && time.is_none() {
        return Err(Bad("kept by the broker, of unknown age".to_owned()));
    }
    let read: Vec<Read> = reading
        .factors
        .iter()
        .map(|factor| value(&json, reading, factor))
        .collect();
    if read.iter().all(|read| read.absent) {
        return Err(Bad("none of the factors is in it".to_owned()));
    }
    let kind = match reading.form {
        ReadingForm::Record(kind) => kind,
        ReadingForm::Samples => {
            let fresh_ms = i64::from(reading.fresh_s) * SECOND_MS;
            if time.is_none_or(|time| came.at.since_ms(time) <= fresh_ms) {
                let set = samples(reading, source, read);
                return Ok(Took::Samples { set });
            }
            // It is no sample of now; what it says of its own time is kept.
            RecordKind::Realtime
        }
    };
    let time = time.ok_or_else(|| Bad("no time in it".to_owned()))?;
    let start = begin(kind, time, offset);
    let late = reading.form == ReadingForm::Samples;
    let record = record(&reading.outlet, (kind, start, late), read);
    Ok(Took::Record { record })
}

/// One factor as it was read.
struct Read {
    factor: cems_core::model::FactorCode,
    number: Option<Number>,
    /// There is nothing at its place.
    absent: bool,
    flag: SmolStr,
    /// What stands there instead of a number.
    unreadable: Option<SmolStr>,
}

fn value(json: &Json, reading: &MqttReading, factor: &MqttFactor) -> Read {
    let found = at(json, &factor.path);
    let text = found.and_then(|found| match found {
        Json::Number(number) => Some(number.to_string()),
        Json::String(text) => Some(text.clone()),
        _ => None,
    });
    let number = text.as_deref().and_then(|text| {
        let value = exact(text)?.checked_mul(factor.multiplier)?;
        Some(Number {
            value,
            text: text.trim().into(),
        })
    });
    let said = flag(json, reading, factor);
    // Nothing there is silence of the instrument; what is no number is a fault of it.
    let otherwise = if found.is_none() { "B" } else { "D" };
    let flag = match (&number, said) {
        (None, Some(said)) if said == Flag::NORMAL => SmolStr::new_static(otherwise),
        (None, None) => SmolStr::new_static(otherwise),
        (_, Some(said)) => said,
        (Some(_), None) => SmolStr::new_static(Flag::NORMAL),
    };
    let unreadable = match (&number, found) {
        (None, Some(found)) => {
            let text: String = found.to_string().chars().take(40).collect();
            Some(format_smolstr!("{text}"))
        }
        _ => None,
    };
    Read {
        factor: factor.factor.clone(),
        number,
        absent: found.is_none(),
        flag,
        unreadable,
    }
}

/// The flag of a factor: its own, else that of the message; where none is said there is none.
fn flag(json: &Json, reading: &MqttReading, factor: &MqttFactor) -> Option<SmolStr> {
    let own = factor.flag.as_ref().and_then(|path| at(json, path));
    let found = own.or_else(|| at(json, reading.flag.as_ref()?))?;
    let said = match found {
        Json::String(text) => SmolStr::new(text.trim()),
        Json::Bool(_) | Json::Number(_) => format_smolstr!("{found}"),
        _ => return None,
    };
    // A flag is a letter; what a sender invents beyond the table is kept, but not at length.
    let known = reading.flags.get(&said).cloned();
    Some(known.unwrap_or_else(|| said.chars().take(8).collect()))
}

fn samples(reading: &MqttReading, source: &SmolStr, read: Vec<Read>) -> SampleSet {
    SampleSet {
        outlet: reading.outlet.clone(),
        instrument: source.clone(),
        samples: read
            .into_iter()
            .map(|read| Sample {
                factor: read.factor,
                value: read.number,
                flag: Flag(read.flag),
            })
            .collect(),
    }
}

fn record(
    outlet: &OutletId,
    (kind, start, resent): (RecordKind, Timestamp, bool),
    read: Vec<Read>,
) -> Record {
    let value = |read: Read| {
        let (rtd, avg) = match kind {
            RecordKind::Realtime => (read.number, None),
            _ => (None, read.number),
        };
        Value {
            factor: read.factor,
            sent_as: None,
            rtd,
            avg,
            min: None,
            max: None,
            cou: None,
            converted: None,
            flag: Some(Flag(read.flag)),
            unreadable: read.unreadable,
        }
    };
    Record {
        outlet: outlet.clone(),
        kind,
        start,
        resent,
        values: read
            .into_iter()
            .filter(|read| !read.absent)
            .map(value)
            .collect(),
    }
}

/// What stands at a place; `null` is nothing.
fn at<'a>(json: &'a Json, path: &JsonPath) -> Option<&'a Json> {
    let mut here = json;
    for step in &path.0 {
        here = match here {
            Json::Object(members) => members.get(step)?,
            Json::Array(elements) => elements.get(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    (!here.is_null()).then_some(here)
}

/// ISO 8601 with or without an offset, or seconds or milliseconds since 1970.
fn instant(json: &Json, offset: UtcOffset) -> Option<Timestamp> {
    let text = match json {
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let ms = if let Some(number) = exact(&text) {
        if number.abs() < Decimal::from(SECONDS_BELOW) {
            number.checked_mul(Decimal::from(SECOND_MS))?.to_i64()?
        } else {
            number.to_i64()?
        }
    } else if let Ok(time) = DateTime::parse_from_rfc3339(&text) {
        time.timestamp_millis()
    } else {
        let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
        let local = forms
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok())?;
        let offset_ms = i64::from(offset.minutes()) * 60 * SECOND_MS;
        local.and_utc().timestamp_millis() - offset_ms
    };
    // 1970 to 9999, as in the journal.
    (0..=253_402_300_799_999)
        .contains(&ms)
        .then_some(Timestamp(ms))
}
