//! pH that moves too much, or not at all.

use super::Hour;
use super::clues::{Clues, Evidence};
use super::days::{Days, span_of};
use super::figures::{differs, spread, variance};
use crate::model::{FactorCode, Medium};
use crate::validate::{PH_FLAT, PH_STEP, code};
use rust_decimal::Decimal;

/// What is odd about a series of pH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhMovement {
    /// Its variance is below what any discharge shows.
    Flat,
    /// It spans more than it can.
    Step,
}

/// Judges a series of pH by its span and its variance; `None` when neither is odd, or when there
/// are fewer than two values.
pub fn ph_movement(
    values: &[Decimal],
    variance_max: Decimal,
    span_ph: Decimal,
) -> Option<PhMovement> {
    let (least, greatest) = spread(values.iter().copied()).filter(|_| values.len() > 1)?;
    if differs(greatest, least, span_ph) {
        return Some(PhMovement::Step);
    }
    (variance(values)? < variance_max).then_some(PhMovement::Flat)
}

/// The hour: a step.
pub(super) fn step(hour: &Hour<'_>, clues: &mut Clues<'_>) {
    if hour.input.outlet.medium == Medium::Gas {
        return;
    }
    let Some(column) = hour.table.column(code::PH) else {
        return;
    };
    let span_ph = clues.threshold(&PH_STEP, "span_ph");
    let Some((least, greatest)) = column.spread else {
        return;
    };
    let rows = column.figures().map(|(row, _)| row);
    if let (true, Some(span)) = (differs(greatest, least, span_ph), hour.table.span(rows)) {
        let evidence = Evidence::default()
            .figure("least", least)
            .figure("greatest", greatest);
        clues.add(&PH_STEP, Some(column.code), span, evidence);
    }
}

/// The day: flat. Within an hour the pH of a balanced discharge need not move.
pub(super) fn flat(days: &Days<'_>, clues: &mut Clues<'_>) {
    if days.input.outlet.medium == Medium::Gas {
        return;
    }
    let variance_max = clues.threshold(&PH_FLAT, "variance_max");
    let needed = clues.threshold(&PH_FLAT, "hours");
    let means = days.means(code::PH);
    let values: Vec<Decimal> = means.iter().map(|(_, mean)| *mean).collect();
    let flat = ph_movement(&values, variance_max, Decimal::MAX) == Some(PhMovement::Flat);
    let span = span_of(means.iter().map(|(row, _)| *row));
    if let (true, Some(span)) = (flat && Decimal::from(values.len()) >= needed, span) {
        let ends = spread(values.iter().copied());
        let evidence = Evidence::default()
            .word("hours", values.len())
            .figure_if("variance", variance(&values))
            .figure_if("least", ends.map(|(least, _)| least))
            .figure_if("greatest", ends.map(|(_, greatest)| greatest));
        clues.add(&PH_FLAT, Some(&FactorCode::new(code::PH)), span, evidence);
    }
}
