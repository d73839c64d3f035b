//! Hour records from the minute records of the hour, day records from the hours of the day.

use super::SILENT;
use super::forming::Rules;
use super::marks::{Marks, flag_of};
use super::meter::between;
use super::minute::{number, value};
use super::span::Span;
use crate::aggregate::{Children, Figures, HourInput, from_minutes, hour as hour_of, longer};
use crate::formula;
use crate::model::rows::AggregateOrigin;
use crate::model::{
    AggregateRow, Basis, FactorCode, Level, Medium, Record, RecordKind, RecordRow, StoredValue,
    Value,
};
use crate::quantity::internal;
use crate::validate::code;
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// Hours of a day.
const HOURS: u32 = 24;
/// Minutes of an hour.
const MINUTES: u32 = 60;

/// The hour record of `span` from the stored minute records in it (ascending); `None` without any.
///
/// (24): the mean of the valid minutes; waste water: `C = G/D`. The hour counts with the profile's
/// valid minutes (45), that of waste water with no abnormal minute besides.
pub fn hour(span: Span, rows: &[RecordRow], rules: &Rules<'_>) -> Option<Record> {
    let slots = from_minutes(rows, span.end, rules.minute_min(), rules.profile);
    let figures = hour_of(&HourInput {
        outlet: rules.outlet,
        profile: rules.profile,
        slots: &slots,
        origin: AggregateOrigin::Computed,
    });
    let minutes: Vec<u32> = slots.iter().map(|slot| slot.minutes).collect();
    let children = Below {
        rows,
        units: &minutes,
        due: MINUTES,
        needed: rules.profile.hour_min_valid_minutes,
    };
    children.record(RecordKind::Hour, span, &figures, rules)
}

/// The day record of `span` from its stored hour records and the hours the engine computed (both
/// ascending); `None` without an hour record.
///
/// (25), (32), (34): the mean of the valid hours, volumes and amounts as sums. The day counts with
/// the profile's valid hours (20), that of waste water with no abnormal hour besides.
pub fn day(
    span: Span,
    rows: &[RecordRow],
    hours: &[AggregateRow],
    rules: &Rules<'_>,
) -> Option<Record> {
    let figures = longer(&Children {
        outlet: rules.outlet,
        profile: rules.profile,
        level: Level::Day,
        units: HOURS,
        february: false,
        rows: hours,
    });
    let ones = vec![1; rows.len()];
    let children = Below {
        rows,
        units: &ones,
        due: HOURS,
        needed: rules.profile.day_min_valid_hours,
    };
    children.record(RecordKind::Day, span, &figures, rules)
}

/// The records that a longer one is made of.
struct Below<'a> {
    rows: &'a [RecordRow],
    /// Units (minutes, hours) that each of them stands for.
    units: &'a [u32],
    due: u32,
    needed: u32,
}

impl Below<'_> {
    fn record(
        &self,
        kind: RecordKind,
        span: Span,
        figures: &Figures,
        rules: &Rules<'_>,
    ) -> Option<Record> {
        let rows = self.rows.iter();
        let factors: BTreeSet<&FactorCode> = rows.flat_map(|row| row.values.keys()).collect();
        if factors.is_empty() {
            return None;
        }
        Some(Record {
            outlet: rules.outlet.id.clone(),
            kind,
            start: span.start,
            resent: false,
            values: factors
                .into_iter()
                .map(|factor| self.value(factor, figures, rules))
                .collect(),
        })
    }

    fn of<'f>(&'f self, factor: &'f FactorCode) -> impl Iterator<Item = (&'f StoredValue, u32)> {
        let rows = self.rows.iter().zip(self.units.iter().copied());
        rows.filter_map(move |(row, units)| Some((row.values.get(factor)?, units)))
    }

    fn value(&self, factor: &FactorCode, figures: &Figures, rules: &Rules<'_>) -> Value {
        let (flag, normal) = self.flag(factor, rules);
        let mut shown: Vec<(&StoredValue, u32)> = self.of(factor).collect();
        let any = shown.iter().any(|(stored, _)| stored.valid);
        if any {
            // Else nothing counts: what was read, beside the flag that says so.
            shown.retain(|(stored, _)| stored.valid);
        }
        let extreme = |stored: &StoredValue, of: fn(&Value) -> Option<Decimal>| {
            of(&stored.value).or(stored.value.figure().map(|n| n.value))
        };
        let least = shown
            .iter()
            .filter_map(|(s, _)| extreme(s, |v| v.min.as_ref().map(|n| n.value)))
            .min();
        let greatest = shown
            .iter()
            .filter_map(|(s, _)| extreme(s, |v| v.max.as_ref().map(|n| n.value)))
            .max();
        let figure = figures.factors.get(factor).filter(|_| any);
        let computed = figure.filter(|_| !is_converted_first(factor, rules));
        let mean = computed
            .and_then(|f| f.mean)
            .or_else(|| mean_of(&shown))
            .map(|mean| between(mean, least, greatest));
        let cou = match factor.as_str() {
            code::GAS_FLOW | code::WATER_FLOW => figures.volume_m3,
            _ => figure.and_then(|f| f.amount_kg),
        };
        let converted = figure.and_then(|f| f.converted).filter(|_| normal);
        Value {
            avg: mean.map(number),
            min: least.map(number),
            max: greatest.map(number),
            cou: cou.filter(|_| any).map(number),
            converted: converted.map(number),
            ..value(factor.clone(), flag)
        }
    }

    /// The flag, and whether it counts.
    fn flag(&self, factor: &FactorCode, rules: &Rules<'_>) -> (SmolStr, bool) {
        let mut marks = Marks::default();
        let mut valid: u32 = 0;
        let mut seen: u32 = 0;
        for (stored, units) in self.of(factor) {
            seen = seen.saturating_add(units);
            if stored.valid {
                valid = valid.saturating_add(units);
            } else {
                marks.add(&flag_of(stored, rules.profile), i64::from(units));
            }
        }
        let spotless = rules.outlet.medium == Medium::Gas || marks.only_silent();
        if valid >= self.needed && spotless {
            return (rules.normal_flag(), true);
        }
        let missing = self.due.saturating_sub(seen);
        if missing > 0 {
            marks.add(SILENT, i64::from(missing));
        }
        (marks.prevailing(), false)
    }
}

/// The engine's mean of this factor is in the dry standard state while the analyser reports in
/// another one: the record keeps the analyser's.
fn is_converted_first(factor: &FactorCode, rules: &Rules<'_>) -> bool {
    if rules.outlet.medium != Medium::Gas {
        return false;
    }
    if factor.as_str() == code::OXYGEN {
        return rules.outlet.gas.as_ref().is_some_and(|gas| gas.o2_is_wet);
    }
    let settings = rules.outlet.factors.get(factor);
    settings.is_some_and(|f| f.pollutant && f.basis != Basis::StandardDry)
}

/// Arithmetic mean over the units.
fn mean_of(shown: &[(&StoredValue, u32)]) -> Option<Decimal> {
    let weighted = shown.iter().filter_map(|(stored, units)| {
        let figure = stored.value.figure()?.value;
        Some((figure.checked_mul(Decimal::from(*units)), *units))
    });
    let (terms, units): (Vec<Option<Decimal>>, Vec<u32>) = weighted.unzip();
    let total = formula::sum(terms.into_iter().collect::<Option<Vec<_>>>()?)?;
    let units = units.into_iter().fold(0, u32::saturating_add);
    total.checked_div(Decimal::from(units)).map(internal)
}
