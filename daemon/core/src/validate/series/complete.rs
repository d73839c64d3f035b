//! Did the records come that were due?

use super::Hour;
use super::clues::{Clues, Evidence, marked};
use super::days::Days;
use crate::model::time::HOUR_MS;
use crate::model::{AggregateRow, MarkKind};
use crate::validate::{INCOMPLETE_DAY, INCOMPLETE_HOUR};
use rust_decimal::Decimal;

/// True when fewer than `min_pct` percent of what was due came. Where nothing was due, nothing is
/// missing.
fn incomplete(received: u32, due: u32, min_pct: Decimal) -> bool {
    let hundredfold = Decimal::from(received).checked_mul(Decimal::ONE_HUNDRED);
    let needed = Decimal::from(due).checked_mul(min_pct);
    due > 0
        && hundredfold
            .zip(needed)
            .is_some_and(|(came, needed)| came < needed)
}

fn evidence(received: u32, due: u32) -> Evidence {
    let hundredfold = Decimal::from(received).checked_mul(Decimal::ONE_HUNDRED);
    Evidence::default()
        .word("received", received)
        .word("due", due)
        .figure_if(
            "share_pct",
            hundredfold.and_then(|came| came.checked_div(Decimal::from(due))),
        )
}

/// The records of the hour.
pub(super) fn hour(hour: &Hour<'_>, clues: &mut Clues<'_>) {
    let (received, due) = (hour.input.hour.received, hour.input.hour.due);
    let min_pct = clues.threshold(&INCOMPLETE_HOUR, "min_pct");
    if incomplete(received, due, min_pct) {
        let span = (hour.input.from, hour.input.until);
        clues.add(&INCOMPLETE_HOUR, None, span, evidence(received, due));
    }
}

/// The records of the day. An hour of which nothing came has no row: as many were due in it as in
/// the fullest hour, unless the source is marked as stopped.
pub(super) fn day(days: &Days<'_>, clues: &mut Clues<'_>) {
    let day = &days.input;
    let min_pct = clues.threshold(&INCOMPLETE_DAY, "min_pct");
    let sum =
        |of: fn(&AggregateRow) -> u32| day.hours.iter().map(of).fold(0_u32, u32::saturating_add);
    let fullest = day.hours.iter().map(|row| row.due).max().unwrap_or(0);
    let mut silent = 0_u32;
    let mut at = day.from;
    while at < day.until {
        let end = at.plus_ms(HOUR_MS);
        let known = day.hours.binary_search_by_key(&at, |row| row.start).is_ok();
        let stopped = marked(day.marks, (at, end), |kind| kind == MarkKind::Stopped);
        silent = silent.saturating_add(u32::from(!known && !stopped));
        at = end;
    }
    let received = sum(|row| row.received);
    let due = sum(|row| row.due).saturating_add(fullest.saturating_mul(silent));
    if incomplete(received, due, min_pct) {
        let evidence = evidence(received, due).word("silent_hours", silent);
        clues.add(&INCOMPLETE_DAY, None, (day.from, day.until), evidence);
    }
}
