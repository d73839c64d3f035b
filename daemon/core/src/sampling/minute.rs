//! Real-time and minute records.

use super::forming::Rules;
use super::meter::{Meter, Reading};
use super::span::Span;
use crate::aggregate::{Figures, HourInput, Slot, SlotValue, hour};
use crate::model::rows::AggregateOrigin;
use crate::model::time::HOUR_MS;
use crate::model::{FactorCode, Flag, Number, Record, RecordKind, Timestamp, Value};
use crate::quantity::internal;
use crate::validate::code;
use rust_decimal::Decimal;
use smol_str::{SmolStr, ToSmolStr};

/// A number of ours: its text is its own form.
pub(super) fn number(value: Decimal) -> Number {
    let value = value.normalize();
    Number {
        value,
        text: value.to_smolstr(),
    }
}

/// A value that says nothing but its flag.
pub(super) fn value(factor: FactorCode, flag: SmolStr) -> Value {
    Value {
        factor,
        sent_as: None,
        rtd: None,
        avg: None,
        min: None,
        max: None,
        cou: None,
        converted: None,
        flag: Some(Flag(flag)),
        unreadable: None,
    }
}

/// A factor in a real-time record: its last sample, `B` when that is too old, and the figure that
/// enters conversions.
pub(super) fn latest(
    factor: &FactorCode,
    meter: &Meter,
    at: Timestamp,
    rules: &Rules<'_>,
) -> (Value, Option<Decimal>) {
    if !meter.is_fresh(at) {
        return (value(factor.clone(), super::SILENT.into()), None);
    }
    let (read, judged) = meter.latest(factor, rules);
    let (flag, figure) = match judged {
        Ok(figure) => (rules.normal_flag(), Some(figure)),
        Err(flag) => (flag, None),
    };
    let value = Value {
        rtd: read.cloned(),
        ..value(factor.clone(), flag)
    };
    (value, figure)
}

/// The real-time record of the instant `at`, with `-ZsRtd`.
pub(super) fn realtime(
    at: Timestamp,
    values: Vec<(Value, Option<Decimal>)>,
    rules: &Rules<'_>,
) -> Record {
    let figures = values.iter();
    let figures = rates(
        figures.map(|(value, figure)| (&value.factor, *figure)),
        rules,
    );
    let values = values.into_iter().map(|(value, figure)| Value {
        converted: figure
            .and_then(|_| figures.factors.get(&value.factor)?.converted)
            .map(number),
        ..value
    });
    Record {
        outlet: rules.outlet.id.clone(),
        kind: RecordKind::Realtime,
        start: at,
        resent: false,
        values: values.collect(),
    }
}

/// The minute record of `span`: means, extremes, converted means, volumes and amounts.
pub(super) fn minute(
    span: Span,
    readings: Vec<(FactorCode, Reading)>,
    rules: &Rules<'_>,
) -> Record {
    let figures = rates(
        readings
            .iter()
            .map(|(factor, reading)| (factor, reading.mean.filter(|_| reading.normal))),
        rules,
    );
    let values = readings.into_iter().map(|(factor, reading)| {
        let normal = |figure: Option<Decimal>| figure.filter(|_| reading.normal);
        let rate = match factor.as_str() {
            code::GAS_FLOW | code::WATER_FLOW => figures.volume_m3,
            _ => figures.factors.get(&factor).and_then(|f| f.amount_kg),
        };
        let converted = figures.factors.get(&factor).and_then(|f| f.converted);
        let cou = normal(rate).and_then(|rate| part_of_hour(rate, span.len_ms()));
        Value {
            avg: reading.mean.map(number),
            min: reading.least.map(number),
            max: reading.greatest.map(number),
            cou: cou.map(number),
            converted: normal(converted).map(number),
            ..value(factor, reading.flag)
        }
    });
    Record {
        outlet: rules.outlet.id.clone(),
        kind: RecordKind::Minute,
        start: span.start,
        resent: false,
        values: values.collect(),
    }
}

/// Converted means by (18), (19) and (28), volumes by (29) to (31) or `D = Q * T`, amounts by (33)
/// or `G = D * C`, as they would be were it so for a whole hour: m³/h and kg/h.
fn rates<'a>(
    values: impl Iterator<Item = (&'a FactorCode, Option<Decimal>)>,
    rules: &Rules<'_>,
) -> Figures {
    let slot = Slot {
        minutes: 60,
        values: values
            .map(|(factor, figure)| {
                let value = SlotValue {
                    value: figure,
                    ..SlotValue::default()
                };
                (factor.clone(), value)
            })
            .collect(),
        ..Slot::default()
    };
    hour(&HourInput {
        outlet: rules.outlet,
        profile: rules.profile,
        slots: &[slot],
        origin: AggregateOrigin::Computed,
    })
}

fn part_of_hour(rate: Decimal, len_ms: i64) -> Option<Decimal> {
    rate.checked_mul(Decimal::from(len_ms))?
        .checked_div(Decimal::from(HOUR_MS))
        .map(internal)
}
