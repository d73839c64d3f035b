//! Missing records of connected loggers: what to fetch next, from what the store knows. Nothing is
//! remembered here, so a restart forgets no attempt.

use super::detail;
use crate::store::{Readers, StoreError};
use cems_core::gaps::{Attempt, Range, Series, gaps, next};
use cems_core::model::rows::DeviceRow;
use cems_core::model::time::DAY_MS;
use cems_core::model::{ExchangeRow, ExchangeState, Outlet, RecordKind, Timestamp, UtcOffset};
use cems_protocols::hj212::{HistoryKind, LocalTime};
use chrono::NaiveDateTime;
use std::collections::BTreeSet;

/// Attempts of one outlet that are looked at, newest first; older ones are beyond any window
/// in which they could be repeated.
const ATTEMPTS_READ: usize = 500;

/// Refusals in a row after which a logger counts as one that answers no history.
pub(super) const REFUSALS_MAX: usize = 3;
/// How long such a logger is left alone before it is asked once more: it may have been updated.
pub(super) const LEFT_ALONE_MS: i64 = 7 * DAY_MS;

/// What to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Which records.
    pub(super) kind: HistoryKind,
    /// From which start to which, both included.
    pub(super) range: Range,
}

/// What is to be fetched of an outlet now; `None` when nothing is missing or due, or the logger
/// does not answer such requests.
pub(super) fn wanted(
    readers: &Readers,
    outlet: &Outlet,
    offset: UtcOffset,
    days: u32,
    now: Timestamp,
) -> Result<Option<Wanted>, StoreError> {
    let id = &outlet.id;
    let only = BTreeSet::from([id.clone()]);
    let mut past = readers.exchanges(Some(&only), ATTEMPTS_READ)?;
    past.retain(|row| row.why == "gap");
    if answers_none(&past, now) {
        return Ok(None);
    }
    let Some(seen) = first_seen(&readers.device(id)?, outlet) else {
        return Ok(None);
    };
    let begin = now.plus_ms(-i64::from(days) * DAY_MS);
    let present = |kind| readers.record_starts(id, kind, begin, now);
    let days_there = present(RecordKind::Day)?;
    let (minutes, hours) = (present(RecordKind::Minute)?, present(RecordKind::Hour)?);
    // A record older than the first contact shows that the logger was at work then.
    let oldest = [&minutes, &hours]
        .into_iter()
        .filter_map(|list| list.first());
    let seen = oldest
        .copied()
        .min()
        .map_or(seen, |oldest| oldest.min(seen));
    for series in Series::owed(outlet, offset, !days_there.is_empty()) {
        let (there, kind) = match series.kind {
            RecordKind::Minute => (&minutes, HistoryKind::Minute),
            RecordKind::Hour => (&hours, HistoryKind::Hour),
            _ => (&days_there, HistoryKind::Day),
        };
        let tried: Vec<Attempt> = past
            .iter()
            .filter(|row| row.cn == kind.cn())
            .filter_map(|row| attempt(row, offset))
            .collect();
        let missing = gaps(series, there, &tried, (begin.max(seen), now), now);
        if let Some(range) = next(series, &missing, now) {
            return Ok(Some(Wanted { kind, range }));
        }
    }
    Ok(None)
}

/// When the outlet's present logger was first heard; `None` when it never was.
fn first_seen(devices: &[DeviceRow], outlet: &Outlet) -> Option<Timestamp> {
    let own = |device: &&DeviceRow| device.mn == outlet.mn.as_str();
    devices.iter().find(own).map(|device| device.first_seen)
}

/// Whether the last attempts, newest first, show that asking is no use for now.
fn answers_none(past: &[ExchangeRow], now: Timestamp) -> bool {
    let Some(newest) = past.first() else {
        return false;
    };
    let told: Vec<bool> = past.iter().filter_map(refused).take(REFUSALS_MAX).collect();
    told.len() == REFUSALS_MAX
        && told.into_iter().all(|refused| refused)
        && now < newest.at.plus_ms(LEFT_ALONE_MS)
}

/// Whether the logger refused or ignored it; `None` when the line ended, or it is not over.
fn refused(row: &ExchangeRow) -> Option<bool> {
    match row.state {
        ExchangeState::Refused => Some(true),
        ExchangeState::TimedOut => {
            let cut = row
                .steps
                .last()
                .is_some_and(|step| step.detail == detail::CONNECTION_LOST);
            (!cut).then_some(true)
        }
        ExchangeState::Failed => Some(!none_there(row)),
        ExchangeState::Done => Some(false),
        _ => None,
    }
}

/// ExeRtn 100: the logger has no such records.
fn none_there(row: &ExchangeRow) -> bool {
    let last = row.steps.last();
    row.state == ExchangeState::Failed && last.is_some_and(|s| s.detail == detail::NO_DATA)
}

fn attempt(row: &ExchangeRow, offset: UtcOffset) -> Option<Attempt> {
    // Never sent: no attempt.
    if row.state == ExchangeState::Cancelled {
        return None;
    }
    let time = |name: &str| {
        let (_, value) = row.params.iter().find(|(known, _)| known == name)?;
        let local = NaiveDateTime::parse_from_str(value, "%Y%m%d%H%M%S").ok()?;
        Some(offset.instant(local))
    };
    Some(Attempt {
        range: Range {
            first: time("BeginTime")?,
            last: time("EndTime")?,
        },
        at: row.at,
        none_there: none_there(row),
    })
}

/// A time of the site's clock, to the second.
pub(super) fn wall(at: Timestamp, offset: UtcOffset) -> LocalTime {
    LocalTime {
        millis: 0,
        ..LocalTime::from_unix_ms(at.0, offset.minutes())
    }
}

#[cfg(test)]
mod tests;
