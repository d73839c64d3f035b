//! Gaps in what a logger should have sent, and which of them to fetch next (补取).
//!
//! Pure: the caller says which records are there, what was asked before, and what time it is.
//! Newest gaps come first, because the current day is judged first; a range that stays empty is
//! asked for a bounded number of times with growing pauses.

use crate::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use crate::model::{Outlet, RecordKind, Timestamp, UtcOffset};

/// Most records asked for at once: a logger sends some frames a second beside its live data, so a
/// request is over in minutes and another one has its turn.
pub const RECORDS_PER_REQUEST_MAX: i64 = 240;

/// Pauses after the first, second, … attempt at the same records; after the last one they are
/// given up. The first is long enough for data that were under way.
pub const PAUSES_MS: [i64; 4] = [10 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS];

/// How long after its end an interval may still arrive by itself before it counts as missing:
/// loggers compute for some minutes, and minutes of an hour are often sent together.
pub const GRACE_MS: i64 = 10 * MINUTE_MS;

/// One kind of record that is expected at equal distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series {
    /// Minute, hour or day.
    pub kind: RecordKind,
    /// From one start to the next, ms; more than zero.
    pub step_ms: i64,
    /// Clock of the site, whose midnight the starts are counted from.
    pub offset: UtcOffset,
}

impl Series {
    /// What an outlet owes. Day records are owed by those that send any (`sends_days`): the
    /// expectation does not name them, since days are computed here.
    #[must_use]
    pub fn owed(outlet: &Outlet, offset: UtcOffset, sends_days: bool) -> Vec<Self> {
        let expects = &outlet.expectation;
        let of = |kind, step_ms| Self {
            kind,
            step_ms,
            offset,
        };
        let minute = expects
            .minute_min
            .filter(|minutes| *minutes > 0)
            .map(|minutes| of(RecordKind::Minute, i64::from(minutes) * MINUTE_MS));
        let hour = expects.hour.then(|| of(RecordKind::Hour, HOUR_MS));
        let day = sends_days.then(|| of(RecordKind::Day, DAY_MS));
        [hour, minute, day].into_iter().flatten().collect()
    }

    /// The last start at or before `at`.
    #[must_use]
    pub fn start_at(&self, at: Timestamp) -> Timestamp {
        let shift = i64::from(self.offset.minutes()) * MINUTE_MS;
        let local = at.0.saturating_add(shift);
        Timestamp(local.div_euclid(self.step_ms) * self.step_ms - shift)
    }
}

/// Records from the first start to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// First start.
    pub first: Timestamp,
    /// Last start.
    pub last: Timestamp,
}

/// An attempt made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// What was asked for.
    pub range: Range,
    /// When.
    pub at: Timestamp,
    /// The logger said that it has no such records: asking again is no use.
    pub none_there: bool,
}

/// Missing records with what is known of earlier attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Which.
    pub range: Range,
    /// How often they were asked for.
    pub attempts: u32,
    /// From when they may be asked for again; `None` when they were given up.
    pub due: Option<Timestamp>,
}

/// Every gap of `series` in `from..until`, newest first, each uniform in its attempts.
///
/// `present` are the starts that are there, ascending. A start inside an interval counts for it:
/// loggers that send 08:01 for 08:00 did send it. The interval that runs at `now`, and those that
/// ended less than [`GRACE_MS`] ago, are never missing.
#[must_use]
pub fn gaps(
    series: Series,
    present: &[Timestamp],
    attempts: &[Attempt],
    (from, until): (Timestamp, Timestamp),
    now: Timestamp,
) -> Vec<Gap> {
    let step = series.step_ms.max(1);
    let settled = until.min(now.plus_ms(-GRACE_MS));
    // The first whole interval, and the last one that is over.
    let mut first = series.start_at(from);
    if first < from {
        first = first.plus_ms(step);
    }
    let mut at = series.start_at(settled).plus_ms(-step);
    let mut there = present.iter().rev().copied().peekable();
    let mut found: Vec<Gap> = Vec::new();
    while at >= first {
        let end = at.plus_ms(step);
        while there.peek().is_some_and(|start| *start >= end) {
            there.next();
        }
        if there.peek().is_none_or(|start| *start < at) {
            extend(&mut found, at, state_of(at, attempts), step);
        }
        at = at.plus_ms(-step);
    }
    found
}

/// Adds a missing start below the last gap, or begins another one.
fn extend(found: &mut Vec<Gap>, at: Timestamp, state: (u32, Option<Timestamp>), step: i64) {
    if let Some(gap) = found.last_mut()
        && gap.range.first == at.plus_ms(step)
        && (gap.attempts, gap.due) == state
    {
        gap.range.first = at;
        return;
    }
    let range = Range {
        first: at,
        last: at,
    };
    found.push(Gap {
        range,
        attempts: state.0,
        due: state.1,
    });
}

/// How often a start was asked for, and when it may be again.
fn state_of(at: Timestamp, attempts: &[Attempt]) -> (u32, Option<Timestamp>) {
    let mut count = 0_usize;
    let mut last: Option<Timestamp> = None;
    let mut none_there = false;
    for attempt in attempts {
        if attempt.range.first <= at && at <= attempt.range.last {
            count += 1;
            last = last.max(Some(attempt.at));
            none_there |= attempt.none_there;
        }
    }
    let due = match last {
        _ if none_there => None,
        None => Some(Timestamp(i64::MIN)),
        Some(last) => PAUSES_MS.get(count - 1).map(|pause| last.plus_ms(*pause)),
    };
    (u32::try_from(count).unwrap_or(u32::MAX), due)
}

/// What to ask for next: the newest part of the newest gap that is due, at most
/// [`RECORDS_PER_REQUEST_MAX`] records.
#[must_use]
pub fn next(series: Series, gaps: &[Gap], now: Timestamp) -> Option<Range> {
    let gap = gaps
        .iter()
        .find(|gap| gap.due.is_some_and(|due| due <= now))?;
    let most = series.step_ms.saturating_mul(RECORDS_PER_REQUEST_MAX - 1);
    Some(Range {
        first: gap.range.first.max(gap.range.last.plus_ms(-most)),
        last: gap.range.last,
    })
}

#[cfg(test)]
mod tests;
