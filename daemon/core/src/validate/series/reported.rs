//! What the station itself reports for a period, against what its shorter records give.

use super::Hour;
use super::clues::{Clues, Evidence, Span};
use super::days::Days;
use super::figures::{differs, tolerance};
use crate::formula;
use crate::model::time::HOUR_MS;
use crate::model::{AggregateRow, Basis, FactorCode, Number, RecordRow, StoredValue};
use crate::validate::{Check, DAY_DIFFERS, HOUR_DIFFERS, SUM_DIFFERS, code};
use rust_decimal::Decimal;

/// The means and amounts of a record that its own flags let count.
fn sent(row: Option<&RecordRow>) -> impl Iterator<Item = (&FactorCode, &StoredValue)> {
    let values = row.into_iter().flat_map(|row| &row.values);
    values.filter(|(_, stored)| stored.valid)
}

/// True when the figure sent is none of those that would be right.
fn is_off(sent: &Number, right: &[Decimal], pct: Decimal) -> bool {
    let off = |should: &Decimal| {
        tolerance(*should, sent, pct).is_some_and(|most| differs(sent.value, *should, most))
    };
    !right.is_empty() && right.iter().all(off)
}

fn add(
    check: &Check,
    code: &FactorCode,
    span: Span,
    (sent, right): (&Number, &[(&'static str, Option<Decimal>)]),
    clues: &mut Clues<'_>,
) {
    let mut evidence = Evidence::default().figure("reported", sent.value);
    for (name, figure) in right {
        evidence = evidence.figure_if(name, *figure);
    }
    clues.add(check, Some(code), span, evidence);
}

/// The hour: right is the plain mean of the valid minutes as they were sent, or the mean as it is
/// computed here (weighted by flow, brought to the dry standard state, by ion balance). Nothing is
/// held against an hour that has not enough valid minutes.
pub(super) fn hour(hour: &Hour<'_>, clues: &mut Clues<'_>) {
    let pct = clues.threshold(&HOUR_DIFFERS, "tolerance_pct");
    for (code, stored) in sent(hour.input.reported) {
        let computed = hour.input.hour.factors.get(code).filter(|f| f.valid);
        let column = hour.table.column(code.as_str());
        let (Some(number), Some(computed), Some(column)) =
            (stored.value.figure(), computed, column)
        else {
            continue;
        };
        let right: [Option<Decimal>; 2] = [column.mean(), computed.mean];
        let figures: Vec<Decimal> = right.into_iter().flatten().collect();
        if is_off(number, &figures, pct) {
            let span = (hour.input.from, hour.input.until);
            let right = [("mean_of_records", right[0]), ("computed", right[1])];
            add(&HOUR_DIFFERS, code, span, (number, &right), clues);
        }
    }
}

/// Means of the day: right is the plain mean of the valid hours, the mean weighted by volume, or
/// the mean of the station's own hours, which may be in another state of the gas; without those a
/// factor in another than the dry standard state is left out. So is pH, which is averaged in more
/// than one way.
pub(super) fn day(days: &Days<'_>, clues: &mut Clues<'_>) {
    let pct = clues.threshold(&DAY_DIFFERS, "tolerance_pct");
    let needed = days.input.profile.day_min_valid_hours;
    for (code, stored) in sent(days.input.reported) {
        let means = days.means(code.as_str());
        let enough = u32::try_from(means.len()).is_ok_and(|hours| hours >= needed.max(1));
        let Some(number) = stored.value.figure().filter(|_| enough) else {
            continue;
        };
        let hours = means.iter();
        let own: Option<Vec<Decimal>> = hours
            .map(|(row, _)| row.factors.get(code)?.reported)
            .collect();
        let own = own.and_then(formula::mean);
        let factor = days.input.outlet.factors.get(code);
        let same_state = factor.is_none_or(|factor| factor.basis == Basis::StandardDry);
        if code.as_str() == code::PH || !(same_state || own.is_some()) {
            continue;
        }
        let right = [
            formula::mean(means.iter().map(|(_, mean)| *mean)),
            weighted(&means),
            own,
        ];
        let figures: Vec<Decimal> = right.into_iter().flatten().collect();
        if is_off(number, &figures, pct) {
            let span = (days.input.from, days.input.until);
            let names = ["mean_of_hours", "mean_by_volume", "mean_of_reported_hours"];
            let right: Vec<_> = names.into_iter().zip(right).collect();
            add(&DAY_DIFFERS, code, span, (number, &right), clues);
        }
    }
}

/// Mean by volume; `None` unless every hour has one.
fn weighted(means: &[(&AggregateRow, Decimal)]) -> Option<Decimal> {
    let (mut amount, mut volume) = (Decimal::ZERO, Decimal::ZERO);
    for (row, mean) in means {
        let of_hour = row.volume_m3?;
        amount = amount.checked_add(mean.checked_mul(of_hour)?)?;
        volume = volume.checked_add(of_hour)?;
    }
    amount.checked_div(volume)
}

/// Amounts of the day, and its volume of water: right is the sum of the hours, where every hour of
/// the day has one or was stopped throughout.
pub(super) fn sums(days: &Days<'_>, clues: &mut Clues<'_>) {
    let pct = clues.threshold(&SUM_DIFFERS, "tolerance_pct");
    let day = &days.input;
    for (code, stored) in sent(day.reported) {
        let Some(number) = &stored.value.cou else {
            continue;
        };
        let sum = match code.as_str() {
            code::GAS_FLOW => None,
            code::WATER_FLOW => sum(days, code, |row| row.volume_m3),
            _ => sum(days, code, |row| row.factors.get(code)?.amount_kg),
        };
        if let Some(sum) = sum.filter(|sum| is_off(number, &[*sum], pct)) {
            let span = (day.from, day.until);
            let right = [("sum_of_hours", Some(sum))];
            add(&SUM_DIFFERS, code, span, (number, &right), clues);
        }
    }
}

fn sum(
    days: &Days<'_>,
    code: &FactorCode,
    of: impl Fn(&AggregateRow) -> Option<Decimal>,
) -> Option<Decimal> {
    let day = &days.input;
    let whole_hours = day.until.since_ms(day.from) / HOUR_MS;
    let rows = i64::try_from(day.hours.len()).ok()?;
    (rows == whole_hours).then_some(())?;
    let mut total = Decimal::ZERO;
    for row in day.hours {
        let factor = row.factors.get(code);
        let stopped = factor.is_some_and(|f| f.stopped_units > 0 && f.stopped_units == f.due_units);
        match of(row) {
            Some(amount) => total = total.checked_add(amount)?,
            None if stopped => {}
            None => return None,
        }
    }
    Some(total)
}
