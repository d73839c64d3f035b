//! One step of a replay: the next span of one series of one outlet, or the next events.

use super::books::{Cursor, Replay};
use super::parcel::Parcel;
use super::supply::Supply;
use crate::store::StoreError;
use cems_config::Destination as Settings;
use cems_core::model::time::{DAY_MS, HOUR_MS};
use cems_core::model::{Level, OutletId, RecordKind, Seq, Series, Timestamp};
use smol_str::SmolStr;

/// Spans without a row that one step passes over.
const EMPTY_MAX: usize = 64;

/// What a step found: what to send, and where the replay is when it was sent.
pub(super) struct Step {
    pub(super) parcels: Vec<Parcel>,
    pub(super) cursor: Cursor,
}

/// How much of a series one step reads: some thousand rows at most, which is what memory holds.
fn span_ms(series: Series) -> i64 {
    match series {
        Series::Record(RecordKind::Realtime) => 6 * HOUR_MS,
        Series::Record(RecordKind::Minute) => DAY_MS,
        Series::Record(RecordKind::Hour) | Series::Aggregate(Level::Hour) => 31 * DAY_MS,
        Series::Record(RecordKind::Day) | Series::Aggregate(_) => 366 * DAY_MS,
    }
}

/// How long before a row is written its interval may have begun when the log does not reach back:
/// its own length, and a time in which loggers and people bring things late.
fn reach_ms(series: Series) -> i64 {
    let late = match series {
        Series::Record(_) => 7 * DAY_MS,
        Series::Aggregate(_) => 31 * DAY_MS,
    };
    late + match series {
        Series::Aggregate(Level::Month) => 31 * DAY_MS,
        Series::Aggregate(Level::Year) => 366 * DAY_MS,
        _ => DAY_MS,
    }
}

/// Who asks for a replay when the log does not reach back.
pub(super) const ENGINE: &str = "engine";

/// The next step. Blocks on a database.
pub(super) fn step(
    supply: &Supply,
    to: &Settings,
    replay: &Replay,
    most: usize,
) -> Result<Step, StoreError> {
    let outlets = if to.series.is_empty() {
        Vec::new()
    } else {
        supply.outlets(to)
    };
    let mut walk = Walk {
        supply,
        to,
        replay,
        most,
        cursor: replay.cursor.clone(),
        total: outlets.len() * to.series.len() + usize::from(to.events),
    };
    // An outlet that left the registry meanwhile is passed over.
    let done = outlets.partition_point(|id| id.as_str() < replay.cursor.outlet.as_str());
    let mut empty = 0;
    for (n, outlet) in outlets.iter().enumerate().skip(done) {
        walk.enter(outlet);
        while let Some(series) = to.series.get(walk.series()).copied() {
            let rows = walk.span(outlet, series)?;
            walk.progress(n * to.series.len() + walk.series());
            empty += 1;
            if !rows.is_empty() || empty >= EMPTY_MAX {
                return Ok(walk.stop(rows));
            }
        }
    }
    let parcels = walk.events()?;
    Ok(walk.stop(parcels))
}

struct Walk<'a> {
    supply: &'a Supply,
    to: &'a Settings,
    replay: &'a Replay,
    most: usize,
    cursor: Cursor,
    total: usize,
}

/// Stands in `outlet` when all outlets are done with, and no id comes behind it; `place` and `step`
/// are a line of the audit trail then.
const EVENTS: &str = "~events";

impl Walk<'_> {
    fn series(&self) -> usize {
        usize::try_from(self.cursor.step).unwrap_or(usize::MAX)
    }

    fn enter(&mut self, outlet: &OutletId) {
        if self.cursor.outlet != outlet.as_str() {
            self.cursor.outlet = SmolStr::new(outlet.as_str());
            self.cursor.step = 0;
            self.cursor.place = 0;
        }
    }

    /// The rows of the next span, not more than a batch; the cursor stands behind them.
    fn span(&mut self, outlet: &OutletId, series: Series) -> Result<Vec<Parcel>, StoreError> {
        let reach = if self.replay.asked_by == ENGINE {
            reach_ms(series)
        } else {
            0
        };
        let first = self.replay.from.plus_ms(-reach);
        let from = match self.cursor.place {
            0 => first,
            place => Timestamp(place).max(first),
        };
        let end = from.plus_ms(span_ms(series)).min(self.replay.until);
        let mut rows = self.supply.rows(self.to, (outlet, series), from, end)?;
        let mut reached = end;
        if rows.len() > self.most {
            if let Some(next) = rows.get(self.most).and_then(start_of) {
                reached = next;
            }
            rows.truncate(self.most);
        }
        if reached >= self.replay.until {
            self.cursor.step = self.cursor.step.saturating_add(1);
            self.cursor.place = 0;
        } else {
            self.cursor.place = reached.0;
        }
        Ok(rows)
    }

    /// The next events; the replay is over behind the last.
    fn events(&mut self) -> Result<Vec<Parcel>, StoreError> {
        if self.to.events {
            if self.cursor.outlet != EVENTS {
                self.cursor.outlet = SmolStr::new_static(EVENTS);
                let before = self.supply.event_before(self.replay.from)?;
                self.cursor.place = i64::try_from(before.0).unwrap_or(i64::MAX);
                self.cursor.step = u32::MAX;
            }
            self.progress(self.total.saturating_sub(1));
            let after = (Seq(self.cursor.place.unsigned_abs()), self.cursor.step);
            let next = self
                .supply
                .events(self.to, after, self.replay.until, self.most)?;
            if let Some((parcels, (seq, n))) = next {
                self.cursor.place = i64::try_from(seq.0).unwrap_or(i64::MAX);
                self.cursor.step = n;
                return Ok(parcels);
            }
        }
        self.progress(self.total);
        self.cursor.over = true;
        Ok(Vec::new())
    }

    fn progress(&mut self, done: usize) {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.cursor.progress = (number(done), number(self.total));
    }

    fn stop(mut self, parcels: Vec<Parcel>) -> Step {
        let sent = u64::try_from(parcels.len()).unwrap_or(u64::MAX);
        self.cursor.sent = self.cursor.sent.saturating_add(sent);
        Step {
            parcels,
            cursor: self.cursor,
        }
    }
}

fn start_of(parcel: &Parcel) -> Option<Timestamp> {
    match &parcel.key {
        super::parcel::Key::Row { start, .. } => Some(*start),
        super::parcel::Key::Event { .. } => None,
    }
}
