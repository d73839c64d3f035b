//! A message of HJ 212 in the engine's words: 2017 codes and units, exact numbers, instants.

use cems_config::factors::{self, FactorTable, Resolved, Sighting};
use cems_core::engine::{RefusalReason, Statement};
use cems_core::model::time::MINUTE_MS;
use cems_core::model::{
    Flag, Level, Number, Outlet, OutletId, Period, Record, RecordKind, Timestamp, UtcOffset, Value,
};
use cems_protocols::hj212::{self, Content, DataKind, DataRecord, DataValue, LocalTime, Message};
use chrono::{NaiveDate, NaiveDateTime};
use rust_decimal::Decimal;
use smol_str::{SmolStr, format_smolstr};

/// How far a DataTime may lie ahead of our clock. Loggers drift by minutes; a clock that is hours
/// ahead (the 12/24-hour fault) would put values into hours that have not happened, so such
/// records are kept apart instead. Part of the meaning of the journal, hence no setting.
pub(crate) const AHEAD_MS_MAX: i64 = 15 * MINUTE_MS;

/// What a message of an accepted logger is.
pub(super) enum Translated {
    /// Data, and findings of the translation itself.
    Record(Record, Vec<SmolStr>),
    /// Something else worth keeping.
    Statement(Statement),
    /// A sign of life.
    SignOfLife,
    /// Data that cannot be placed in time.
    Refused(RefusalReason),
}

pub(super) fn content(
    message: &Message,
    outlet: &OutletId,
    settings: Option<&Outlet>,
    at: Timestamp,
    offset: UtcOffset,
) -> Translated {
    let said = |time: &Option<LocalTime>, items: Vec<(SmolStr, String)>| {
        let cn = message.header.cn.clone().unwrap_or_default();
        Translated::Statement(Statement {
            cn,
            at: time.and_then(|time| instant(time, offset)),
            items,
        })
    };
    let pairs = |list: Vec<(SmolStr, SmolStr)>| {
        list.into_iter()
            .map(|(name, value)| (name, value.to_string()))
            .collect::<Vec<_>>()
    };
    match hj212::content(message) {
        Content::Data(data) => record(&data, message, outlet, settings, at, offset),
        Content::Facility { time, states } => said(
            &time,
            states
                .into_iter()
                .map(|s| (format_smolstr!("{}-RS", s.facility), s.state.to_string()))
                .collect(),
        ),
        Content::FacilityRunTime { time, run_times } => said(
            &time,
            run_times
                .into_iter()
                .map(|r| (format_smolstr!("{}-RT", r.facility), r.hours.to_string()))
                .collect(),
        ),
        Content::Boot { time, restart_time } => {
            let restart = restart_time.map(|t| t.to_string()).unwrap_or_default();
            said(&time, vec![("RestartTime".into(), restart)])
        }
        Content::Serial {
            time,
            pol_id,
            serials,
        } => said(&time, named(pol_id.as_ref(), pairs(serials), "SN")),
        Content::FieldInfo {
            time,
            pol_id,
            infos,
        } => said(&time, named(pol_id.as_ref(), pairs(infos), "Info")),
        Content::AlarmEvent {
            time,
            values,
            alarm_type,
        } => {
            let mut items = named(None, pairs(values), "Ala");
            items.extend(alarm_type.map(|kind| ("AlarmType".into(), kind.to_string())));
            said(&time, items)
        }
        Content::SampleKept { time, bottle } => said(
            &time,
            vec![(
                "VaseNo".into(),
                bottle.map(|b| b.to_string()).unwrap_or_default(),
            )],
        ),
        // A mean of five minutes, beside the minute data of the same outlet: as an instant it takes
        // no minutes away from them.
        Content::FurnaceTemperature { time, values } => {
            let means = values.into_iter().map(|(code, mean)| DataValue {
                code,
                avg: Some(mean),
                ..DataValue::default()
            });
            let data = DataRecord {
                kind: DataKind::Realtime,
                data_time: time,
                values: means.collect(),
                extra: Vec::new(),
            };
            record(&data, message, outlet, settings, at, offset)
        }
        Content::Identity(items) => said(&None, named(None, pairs(items), "Info")),
        Content::Answer { .. } | Content::Heartbeat => Translated::SignOfLife,
        // Values the centre had asked for, raw data, single measurements, standard checks, private
        // commands: kept as they were said.
        _ => {
            let items = all_items(message);
            if items.is_empty() {
                return Translated::SignOfLife;
            }
            said(&time_of(message), items)
        }
    }
}

/// Every value of a message under its name; times of the data and numbers of requests are none.
fn all_items(message: &Message) -> Vec<(SmolStr, String)> {
    let mut all = Vec::new();
    for item in &message.items {
        for (field, value) in &item.fields {
            let name = item.name.as_str();
            if field.is_empty() && matches!(name, "DataTime" | "QN") {
                continue;
            }
            let name = if field.is_empty() {
                item.name.clone()
            } else {
                format_smolstr!("{name}-{field}")
            };
            all.push((name, value.to_string()));
        }
    }
    all
}

fn time_of(message: &Message) -> Option<LocalTime> {
    let time = message.bare("DataTime").or(message.bare("AlarmTime"))?;
    LocalTime::parse(time)
}

/// The instant of a time of the site's clock; `None` for times that no calendar has.
pub(super) fn instant(time: LocalTime, offset: UtcOffset) -> Option<Timestamp> {
    local(time).map(|time| offset.instant(time))
}

/// Names of items with the instrument they belong to, if one was named.
fn named(
    pol_id: Option<&SmolStr>,
    items: Vec<(SmolStr, String)>,
    suffix: &str,
) -> Vec<(SmolStr, String)> {
    items
        .into_iter()
        .map(|(name, value)| {
            let name = match pol_id {
                Some(pol_id) if *pol_id != name => format_smolstr!("{pol_id}/{name}-{suffix}"),
                _ => format_smolstr!("{name}-{suffix}"),
            };
            (name, value)
        })
        .collect()
}

fn local(time: LocalTime) -> Option<NaiveDateTime> {
    NaiveDate::from_ymd_opt(
        i32::from(time.year),
        u32::from(time.month),
        u32::from(time.day),
    )?
    .and_hms_milli_opt(
        u32::from(time.hour),
        u32::from(time.minute),
        u32::from(time.second),
        u32::from(time.millis),
    )
}

fn record(
    data: &DataRecord,
    message: &Message,
    outlet: &OutletId,
    settings: Option<&Outlet>,
    at: Timestamp,
    offset: UtcOffset,
) -> Translated {
    let Some(time) = data
        .data_time
        .and_then(local)
        .map(|time| offset.instant(time))
    else {
        return Translated::Refused(RefusalReason::NoDataTime);
    };
    if time.since_ms(at) > AHEAD_MS_MAX {
        return Translated::Refused(RefusalReason::FutureTime);
    }
    let kind = match data.kind {
        DataKind::Realtime => RecordKind::Realtime,
        DataKind::Minute => RecordKind::Minute,
        DataKind::Hour => RecordKind::Hour,
        DataKind::Day => RecordKind::Day,
    };
    let start = begin(kind, time, offset);
    let mut findings = Vec::new();
    if start != time && kind != RecordKind::Realtime {
        findings.push(SmolStr::new_static("datatime-not-at-start"));
    }
    let mut values = Vec::with_capacity(data.values.len());
    for sent in &data.values {
        let value = value(sent, message.edition.as_str(), settings, &mut findings);
        // Two devices of one kind under one code: the first is kept as the factor, as displays
        // of the loggers do; the second is counted and stays in the journal.
        if values
            .iter()
            .any(|other: &Value| other.factor == value.factor)
        {
            findings.push(SmolStr::new_static("factor-repeated"));
        } else {
            values.push(value);
        }
    }
    findings.sort();
    findings.dedup();
    let record = Record {
        outlet: outlet.clone(),
        kind,
        start,
        resent: message.header.rf,
        values,
    };
    Translated::Record(record, findings)
}

/// The start of the interval that contains `time`: devices send 21:00:01 and 08:40:59 too.
pub(crate) fn begin(kind: RecordKind, time: Timestamp, offset: UtcOffset) -> Timestamp {
    match kind {
        RecordKind::Realtime => time,
        RecordKind::Minute => Timestamp(time.0.div_euclid(MINUTE_MS) * MINUTE_MS),
        RecordKind::Hour => Period::containing(Level::Hour, time, offset).start,
        RecordKind::Day => Period::containing(Level::Day, time, offset).start,
    }
}

fn value(
    sent: &DataValue,
    edition: &str,
    settings: Option<&Outlet>,
    findings: &mut Vec<SmolStr>,
) -> Value {
    let resolved = resolve(&sent.code, edition, settings);
    findings.extend(resolved.findings.iter().copied().map(SmolStr::new_static));
    let mut unreadable = None;
    let mut number = |name: &str, text: &Option<SmolStr>| {
        let text = text.as_ref()?;
        let value = exact(text).and_then(|value| match resolved.multiplier {
            Some(multiplier) => value.checked_mul(multiplier).map(|v| v.normalize()),
            None => Some(value),
        });
        if value.is_none() && unreadable.is_none() {
            unreadable = Some(format_smolstr!("{name}={text}"));
        }
        Some(Number {
            value: value?,
            text: text.clone(),
        })
    };
    let rtd = number("Rtd", &sent.rtd);
    let avg = number("Avg", &sent.avg).or_else(|| number("Data", &sent.data));
    let min = number("Min", &sent.min);
    let max = number("Max", &sent.max);
    let cou = sent.cou.as_ref().and_then(|text| {
        exact(text).map(|value| Number {
            value,
            text: text.clone(),
        })
    });
    let converted = number("ZsAvg", &sent.zs_avg).or_else(|| number("ZsRtd", &sent.zs_rtd));
    Value {
        sent_as: (resolved.code.as_str() != sent.code).then(|| sent.code.clone()),
        factor: resolved.code,
        rtd,
        avg,
        min,
        max,
        cou,
        converted,
        flag: sent.flag.clone().map(Flag),
        unreadable,
    }
}

fn resolve(code: &str, edition: &str, settings: Option<&Outlet>) -> Resolved {
    match settings {
        Some(outlet) => factors::resolve_at(outlet, code, edition),
        None => FactorTable::builtin().resolve(
            code,
            Sighting {
                edition,
                ..Sighting::default()
            },
        ),
    }
}

/// An exact decimal from what devices write: sign, digits, a point, sometimes an exponent. Minus
/// zero becomes zero: the sign means nothing and does not survive JSON.
pub(crate) fn exact(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let mut value = Decimal::from_str_exact(text)
        .or_else(|_| Decimal::from_scientific(text))
        .ok()?;
    if value.is_zero() {
        value.set_sign_positive(true);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_devices_write_them() {
        for (text, value) in [
            ("198.40", "198.40"),
            ("-0.900", "-0.900"),
            ("7", "7"),
            ("1.5E2", "150"),
            (" 3", "3"),
        ] {
            assert_eq!(exact(text).expect(text).to_string(), value);
        }
        for text in ["", "NaN", "--", "1,5", "1.2.3", "Infinity", "0x10"] {
            assert_eq!(exact(text), None, "{text}");
        }
    }

    #[test]
    fn intervals_begin_at_their_start() {
        let offset = UtcOffset::default();
        let time =
            |text: &str| offset.instant(text.parse::<NaiveDateTime>().expect("a time in the test"));
        let odd = time("2020-11-29T21:07:01.500");
        assert_eq!(begin(RecordKind::Realtime, odd, offset), odd);
        assert_eq!(
            begin(RecordKind::Minute, odd, offset),
            time("2020-11-29T21:07:00")
        );
        assert_eq!(
            begin(RecordKind::Hour, odd, offset),
            time("2020-11-29T21:00:00")
        );
        assert_eq!(
            begin(RecordKind::Day, odd, offset),
            time("2020-11-29T00:00:00")
        );
    }

    #[test]
    fn a_furnace_temperature_is_a_value_of_its_instant() {
        let frame = "QN=20260520210705000;ST=31;CN=2111;PW=123456;MN=DEMO000000000001;Flag=9;\
                     CP=&&DataTime=20260520210500;a01901-Avg=871.5&&";
        let raw = crate::intake::interpret::reframe(&framed(frame));
        let message = hj212::parse(&raw);
        let offset = UtcOffset::default();
        let at = Timestamp(1_779_282_425_000);
        let said = content(&message, &"furnace".into(), None, at, offset);
        let Translated::Record(record, _) = said else {
            panic!("not a record");
        };
        assert_eq!(record.kind, RecordKind::Realtime);
        let value = &record.values[0];
        let figure = value.figure().expect("a figure").value;
        assert_eq!(
            (value.factor.as_str(), figure.to_string()),
            ("a01901", "871.5".into())
        );
    }

    /// The data segment with length and check code around it.
    fn framed(segment: &str) -> Vec<u8> {
        let crc = hj212::crc_hj212(segment.as_bytes());
        format!("##{:04}{segment}{crc:04X}\r\n", segment.len()).into_bytes()
    }
}
