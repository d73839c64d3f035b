//! Readings against the measuring range and the detection limit.

use super::Hour;
use super::clues::{Clues, Evidence};
use super::figures::{is_share, percent_of};
use super::table::{Cell, Column};
use crate::model::OutletFactor;
use crate::validate::{BELOW_DETECTION, FLAG, OVER_SCALE, RANGE_TRUNCATED, SCALE_FLAG};
use rust_decimal::Decimal;

/// Flag of a value over the measuring range (超测上限, HJ 212-2017 table 8).
const OVER_RANGE: &str = "T";

/// Range of a factor, low end zero where none is stated; `None` without a high end above it.
pub(super) fn range_of(factor: &OutletFactor) -> Option<(Decimal, Decimal)> {
    let (low, high) = (factor.range_min.unwrap_or_default(), factor.range_max?);
    (high > low).then_some((low, high))
}

fn flagged_over(cell: &Cell<'_>) -> bool {
    cell.flag() == Some(OVER_RANGE)
}

fn flag_counts(cell: &Cell<'_>) -> bool {
    cell.stored.checks.iter().all(|check| check.0 != FLAG.code)
}

/// Rows of a column whose figure passes `test`, with the least and greatest figure among them.
struct Picked {
    rows: Vec<usize>,
    spread: Option<(Decimal, Decimal)>,
}

fn pick(column: &Column<'_>, test: impl Fn(&Cell<'_>, Decimal) -> bool) -> Picked {
    let mut picked = Picked {
        rows: Vec::new(),
        spread: None,
    };
    for (row, cell) in column.cells.iter().enumerate() {
        let Some((cell, figure)) = cell.as_ref().and_then(|cell| Some((cell, cell.figure?))) else {
            continue;
        };
        if test(cell, figure) {
            picked.rows.push(row);
            let (least, greatest) = picked.spread.unwrap_or((figure, figure));
            picked.spread = Some((least.min(figure), greatest.max(figure)));
        }
    }
    picked
}

fn present(column: &Column<'_>) -> usize {
    column.cells.iter().flatten().count()
}

/// The top of the range and the flag T must go together.
pub(super) fn at_the_top(hour: &Hour<'_>, clues: &mut Clues<'_>) {
    for column in &hour.table.columns {
        let Some((_, top)) = column.factor.and_then(range_of) else {
            continue;
        };
        let silent = pick(column, |cell, figure| {
            figure >= top && !flagged_over(cell) && flag_counts(cell)
        });
        let loud = pick(column, |cell, figure| figure < top && flagged_over(cell));
        for (check, picked) in [(OVER_SCALE, silent), (SCALE_FLAG, loud)] {
            let Some(span) = hour.table.span(picked.rows.iter().copied()) else {
                continue;
            };
            let evidence = Evidence::default()
                .word("records", picked.rows.len())
                .word("of", present(column))
                .figure_if("least", picked.spread.map(|(least, _)| least))
                .figure_if("greatest", picked.spread.map(|(_, greatest)| greatest))
                .figure("range_max", top);
            clues.add(&check, Some(column.code), span, evidence);
        }
    }
}

/// Values below the detection limit count, and are noted.
pub(super) fn below_detection(hour: &Hour<'_>, clues: &mut Clues<'_>) {
    for column in &hour.table.columns {
        let Some(limit) = column.factor.and_then(|factor| factor.detection_limit) else {
            continue;
        };
        let below = pick(column, |cell, figure| cell.counts && figure < limit);
        let Some(span) = hour.table.span(below.rows.iter().copied()) else {
            continue;
        };
        let evidence = Evidence::default()
            .word("records", below.rows.len())
            .word("of", column.counting)
            .figure_if("least", below.spread.map(|(least, _)| least))
            .figure("detection_limit", limit);
        clues.add(&BELOW_DETECTION, Some(column.code), span, evidence);
    }
}

/// Readings that pile up at the top of the range, flagged T or not. Those well beyond it show that
/// nothing is cut off there.
pub(super) fn truncated(hour: &Hour<'_>, clues: &mut Clues<'_>) {
    let band_pct = clues.threshold(&RANGE_TRUNCATED, "band_pct");
    let share_pct = clues.threshold(&RANGE_TRUNCATED, "share_pct");
    for column in hour.table.pollutants() {
        let Some((low, top)) = column.factor.and_then(range_of) else {
            continue;
        };
        let width = top.checked_sub(low);
        let band = width.and_then(|width| percent_of(width, band_pct));
        let band = band.and_then(|band| top.checked_sub(band).zip(top.checked_add(band)));
        let Some((edge, beyond)) = band else {
            continue;
        };
        let measures = |cell: &Cell<'_>| flag_counts(cell) || flagged_over(cell);
        let cells = column.cells.iter().flatten();
        let of = cells.filter(|cell| measures(cell)).count();
        let near = pick(column, |cell, figure| {
            (edge..=beyond).contains(&figure) && measures(cell)
        });
        if !is_share(near.rows.len(), of, share_pct) {
            continue;
        }
        let Some(span) = hour.table.span(near.rows.iter().copied()) else {
            continue;
        };
        let evidence = Evidence::default()
            .word("records", near.rows.len())
            .word("of", of)
            .figure("edge", edge)
            .figure_if("greatest", near.spread.map(|(_, greatest)| greatest))
            .figure("range_max", top);
        clues.add(&RANGE_TRUNCATED, Some(column.code), span, evidence);
    }
}
