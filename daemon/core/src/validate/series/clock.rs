//! Times of records against the times at which they came.

use super::Hour;
use super::clues::{Clues, Evidence};
use super::table::Line;
use crate::model::time::SECOND_MS;
use crate::model::{Seq, Timestamp};
use crate::validate::{BACK_FILLED, CLOCK_AHEAD, Check, OUT_OF_ORDER};
use rust_decimal::Decimal;

/// Records from the future, records long after their time, records out of order.
pub(super) fn times(hour: &Hour<'_>, clues: &mut Clues<'_>) {
    let ahead_s = clues.threshold(&CLOCK_AHEAD, "ahead_s");
    report(hour, &CLOCK_AHEAD, "ahead_max_s", clues, |line, at| {
        line.start
            .since_ms(at)
            .checked_div(SECOND_MS)
            .filter(|s| Decimal::from(*s) > ahead_s)
    });
    let late_s = clues.threshold(&BACK_FILLED, "late_s");
    report(hour, &BACK_FILLED, "late_max_s", clues, |line, at| {
        at.since_ms(line.until())
            .checked_div(SECOND_MS)
            .filter(|s| Decimal::from(*s) > late_s)
    });
    order(hour, clues);
}

/// One clue about the records for which `seconds` says something, with the greatest.
fn report(
    hour: &Hour<'_>,
    check: &Check,
    name: &'static str,
    clues: &mut Clues<'_>,
    seconds: impl Fn(&Line, Timestamp) -> Option<i64>,
) {
    let lines = hour.table.lines.iter().enumerate();
    let found: Vec<(usize, i64)> = lines
        .filter_map(|(row, line)| Some((row, seconds(line, line.received?.1)?)))
        .collect();
    let Some(span) = hour.table.span(found.iter().map(|(row, _)| *row)) else {
        return;
    };
    let resent = |row: &usize| hour.table.lines.get(*row).is_some_and(|line| line.resent);
    let greatest = found.iter().map(|(_, seconds)| *seconds).max().unwrap_or(0);
    let evidence = Evidence::default()
        .word("records", found.len())
        .word("of", hour.table.lines.len())
        .word(
            "resent",
            found.iter().filter(|(row, _)| resent(row)).count(),
        )
        .word(name, greatest);
    clues.add(check, None, span, evidence);
}

/// A record that was received after a later one, though it is no repeat and replaces nothing.
fn order(hour: &Hour<'_>, clues: &mut Clues<'_>) {
    let mut earliest_after: Option<Seq> = None;
    let mut rows = Vec::new();
    for (row, line) in hour.table.lines.iter().enumerate().rev() {
        let Some((seq, _)) = line.received else {
            continue;
        };
        let stepped_back = earliest_after.is_some_and(|after| seq > after);
        if stepped_back && !line.resent && !line.replaced {
            rows.push(row);
        }
        earliest_after = Some(earliest_after.map_or(seq, |after| after.min(seq)));
    }
    rows.reverse();
    if let Some(span) = hour.table.span(rows.iter().copied()) {
        let evidence = Evidence::default()
            .word("records", rows.len())
            .word("of", hour.table.lines.len());
        clues.add(&OUT_OF_ORDER, None, span, evidence);
    }
}
