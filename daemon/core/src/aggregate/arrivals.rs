//! How many records were due and came: the ground of the transmission rate (传输率).
//!
//! Counted is the finest kind that the registry expects and that means are made of: minute
//! records, else real-time ones, else hour records. More than are due count as what is due.

use super::gather::Of;
use crate::engine::History;
use crate::model::{AggregateRow, Expectation, Level, Outlet, Period, RecordKind, RecordRow};

/// The kind that is counted and how many of it are due in an hour; `None` where nothing is
/// expected.
pub fn expected(expects: &Expectation) -> Option<(RecordKind, u32)> {
    if let Some(every_min) = expects.minute_min.filter(|length| *length > 0) {
        return Some((RecordKind::Minute, 60 / every_min.min(60)));
    }
    if let Some(every_s) = expects.realtime_s.filter(|length| *length > 0) {
        return Some((RecordKind::Realtime, 3_600 / every_s.min(3_600)));
    }
    expects.hour.then_some((RecordKind::Hour, 1))
}

/// Records of a whole unit of `level` that are due: an hour, a day of 24 hours.
pub fn due_in(outlet: &Outlet, level: Level, hours: u32) -> u32 {
    let hourly = expected(&outlet.expectation).map_or(0, |(_, due)| due);
    match level {
        Level::Hour => hourly,
        Level::Day | Level::Month | Level::Year => hourly.saturating_mul(hours),
    }
}

/// Received and due in the hour `period`, whose means are made of `rows` of `kind`.
pub(super) fn of_hour(
    of: Of<'_>,
    period: Period,
    kind: RecordKind,
    rows: &[RecordRow],
    history: &dyn History,
) -> (u32, u32) {
    let Some((counted, due)) = expected(&of.outlet.expectation) else {
        return (0, 0);
    };
    let came = if counted == kind {
        rows.len()
    } else {
        let end = period.end(of.offset);
        history
            .records(&of.outlet.id, counted, period.start, end)
            .len()
    };
    (u32::try_from(came).unwrap_or(due).min(due), due)
}

/// Received and due in a longer period: the sums of `rows` and what was due in the units without a
/// row, up to the end of the period when it is over, else up to the last row.
pub(super) fn of_longer(
    of: Of<'_>,
    period: Period,
    complete: bool,
    rows: &[AggregateRow],
) -> (u32, u32) {
    let sum = |figure: fn(&AggregateRow) -> u32| {
        rows.iter()
            .fold(0u32, |all, row| all.saturating_add(figure(row)))
    };
    let (received, due) = (sum(|row| row.received), sum(|row| row.due));
    let Some(below) = super::gather::shorter(period.level) else {
        return (received, due);
    };
    let until = if complete {
        period.end(of.offset)
    } else {
        let last = rows.last().map(|row| Period {
            level: below,
            start: row.start,
        });
        last.map_or(period.start, |last| last.end(of.offset))
    };
    let hours = |from: crate::model::Timestamp, until: crate::model::Timestamp| {
        u32::try_from(until.since_ms(from).max(0) / crate::model::time::HOUR_MS).unwrap_or(u32::MAX)
    };
    let all = hours(period.start, until);
    let seen = rows.iter().fold(0u32, |all, row| {
        let unit = Period {
            level: below,
            start: row.start,
        };
        all.saturating_add(hours(unit.start, unit.end(of.offset)))
    });
    let missing = all.saturating_sub(seen);
    (
        received,
        due.saturating_add(due_in(of.outlet, Level::Day, missing)),
    )
}
