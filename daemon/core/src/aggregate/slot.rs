//! Slots: what a period is made of. One minute record, the real-time samples of a minute, or an
//! hour record become the same thing: a number of minutes with a value or none for each factor.

use crate::formula;
use crate::model::time::MINUTE_MS;
use crate::model::{FactorCode, Profile, RecordRow, Seq, StoredValue, Timestamp};
use crate::quantity::internal;
use crate::validate::is_stopped;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// One factor of a slot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SlotValue {
    /// The valid figure, as reported; `None` when there is none.
    pub value: Option<Decimal>,
    /// The source was stopped.
    pub stopped: bool,
    /// Amount sent with a valid value (`-Cou`).
    pub cou: Option<Decimal>,
    /// Converted value sent with a valid value.
    pub converted: Option<Decimal>,
}

/// A stretch of time with one value per factor.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Slot {
    /// First instant.
    pub start: Timestamp,
    /// Minutes it covers.
    pub minutes: u32,
    /// Values by factor.
    pub values: BTreeMap<FactorCode, SlotValue>,
    /// Highest journal position in it.
    pub seq: Seq,
}

impl Slot {
    /// The valid figure of a factor.
    pub fn value(&self, code: &str) -> Option<Decimal> {
        self.values.get(code).and_then(|v| v.value)
    }
}

fn slot_value(stored: &StoredValue, profile: &Profile) -> SlotValue {
    let valid = |number: Option<Decimal>| number.filter(|_| stored.valid);
    let value = &stored.value;
    SlotValue {
        value: valid(value.figure().map(|n| n.value)),
        stopped: is_stopped(value, profile),
        cou: valid(value.cou.as_ref().map(|n| n.value)),
        converted: valid(value.converted.as_ref().map(|n| n.value)),
    }
}

/// A record that covers `minutes`.
pub fn from_record(row: &RecordRow, minutes: u32, profile: &Profile) -> Slot {
    let values = row.values.iter();
    Slot {
        start: row.start,
        minutes,
        seq: values.clone().map(|(_, v)| v.seq).max().unwrap_or_default(),
        values: values
            .map(|(code, stored)| (code.clone(), slot_value(stored, profile)))
            .collect(),
    }
}

/// Minute records as slots: each covers `interval_min` minutes, or less when the next one begins
/// sooner or the period is over (a device that sends every minute where ten were agreed makes no
/// hour of 600 minutes, and none of 69).
///
/// `rows` ascend by start and lie before `until`, the end of the period.
pub fn from_minutes(
    rows: &[RecordRow],
    until: Timestamp,
    interval_min: u32,
    profile: &Profile,
) -> Vec<Slot> {
    let mut slots = Vec::with_capacity(rows.len());
    for (i, row) in rows.iter().enumerate() {
        let next = rows
            .get(i.saturating_add(1))
            .map_or(until, |next| next.start);
        let gap = next.since_ms(row.start).div_euclid(MINUTE_MS);
        let gap = u32::try_from(gap).unwrap_or(0);
        slots.push(from_record(row, interval_min.max(1).min(gap), profile));
    }
    slots
}

/// Real-time samples as slots: each sample stands for the minutes from the one it falls in,
/// as many as the interval between samples has (one, up to 60 s). Samples of the same minute are
/// averaged; a minute is stopped when none of its samples is valid and one says so.
///
/// `rows` ascend by start and lie within one hour from `from`.
pub fn from_realtime(
    rows: &[RecordRow],
    from: Timestamp,
    interval_s: u32,
    profile: &Profile,
) -> Vec<Slot> {
    let span = interval_s.div_ceil(60).clamp(1, MINUTES_PER_HOUR);
    let mut minutes: BTreeMap<i64, Vec<&RecordRow>> = BTreeMap::new();
    for row in rows {
        let minute = row.start.since_ms(from).div_euclid(MINUTE_MS);
        minutes.entry(minute).or_default().push(row);
    }
    let mut covered_until = 0;
    let mut slots = Vec::with_capacity(minutes.len());
    let mut starts = minutes.iter().peekable();
    while let Some((&minute, samples)) = starts.next() {
        let next = starts
            .peek()
            .map_or(i64::from(MINUTES_PER_HOUR), |(next, _)| **next);
        let end = next.min(minute.saturating_add(i64::from(span)));
        debug_assert!(minute >= covered_until, "minutes ascend and do not overlap");
        covered_until = end;
        let covered = u32::try_from(end.saturating_sub(minute)).unwrap_or(1);
        slots.push(merge(
            from.plus_ms(minute * MINUTE_MS),
            samples,
            covered,
            profile,
        ));
    }
    slots
}

const MINUTES_PER_HOUR: u32 = 60;

fn merge(start: Timestamp, samples: &[&RecordRow], minutes: u32, profile: &Profile) -> Slot {
    if let [only] = samples {
        return Slot {
            start,
            ..from_record(only, minutes, profile)
        };
    }
    let mut seen: BTreeMap<&FactorCode, Vec<SlotValue>> = BTreeMap::new();
    let mut seq = Seq::default();
    for row in samples {
        for (code, stored) in &row.values {
            seq = seq.max(stored.seq);
            seen.entry(code)
                .or_default()
                .push(slot_value(stored, profile));
        }
    }
    let values = seen
        .into_iter()
        .map(|(code, list)| {
            let value = formula::mean(list.iter().filter_map(|v| v.value)).map(internal);
            let merged = SlotValue {
                stopped: value.is_none() && list.iter().any(|v| v.stopped),
                value,
                cou: None,
                converted: None,
            };
            (code.clone(), merged)
        })
        .collect();
    Slot {
        start,
        minutes,
        values,
        seq,
    }
}
