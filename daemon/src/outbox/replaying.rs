//! One step of a replay: the next rows, series by series and outlet by outlet, or the next events.

use super::books::{Cursor, Replay};
use super::parcel::{Parcel, Place};
use super::supply::Supply;
use crate::store::StoreError;
use cems_config::Destination as Settings;
use cems_core::model::time::{DAY_MS, HOUR_MS};
use cems_core::model::{Level, OutletId, RecordKind, Registry, Seq, Series, Timestamp};
use smol_str::SmolStr;
use std::sync::Arc;

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

/// The next step: spans of rows until a batch is full, or a number of them that hold nothing.
/// Blocks on a database.
pub(super) fn step(
    supply: &Supply,
    to: &Settings,
    replay: &Replay,
    most: usize,
) -> Result<Step, StoreError> {
    let registry = (supply.registry)();
    let mut walk = Walk {
        supply,
        to,
        replay,
        most,
        cursor: replay.cursor.clone(),
        parcels: Vec::new(),
    };
    if walk.cursor.progress.1 == 0 {
        walk.count(&registry);
    }
    let mut empty = 0;
    // An outlet that left the registry meanwhile is passed over.
    let under_way = OutletId::new(walk.cursor.outlet.as_str());
    for (id, outlet) in registry.outlets.range(under_way..) {
        if to.series.is_empty() || !to.filter.takes(outlet, &registry) {
            continue;
        }
        let Some(place) = Place::of(&registry, id).map(Arc::new) else {
            continue;
        };
        walk.enter(id);
        while let Some(series) = to.series.get(walk.series()).copied() {
            if walk.parcels.len() >= most || empty >= EMPTY_MAX {
                return Ok(walk.stop());
            }
            if walk.span(&place, series)? == 0 {
                empty += 1;
            }
        }
    }
    if walk.parcels.is_empty() {
        walk.events()?;
    }
    Ok(walk.stop())
}

struct Walk<'a> {
    supply: &'a Supply,
    to: &'a Settings,
    replay: &'a Replay,
    most: usize,
    cursor: Cursor,
    parcels: Vec<Parcel>,
}

/// Stands in `outlet` when all outlets are done with, and no id comes behind it; `place` and `step`
/// are a line of the audit trail then.
const EVENTS: &str = "~events";

impl Walk<'_> {
    /// How much there is to do.
    fn count(&mut self, registry: &Registry) {
        let outlets = registry.outlets.values();
        let wanted = outlets.filter(|outlet| self.to.filter.takes(outlet, registry));
        let each = self.to.series.len();
        let outlets = if each == 0 { 0 } else { wanted.count() };
        let all = outlets * each + usize::from(self.to.events);
        self.cursor.progress.1 = u32::try_from(all).unwrap_or(u32::MAX);
    }

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

    /// Takes the rows of the next span as far as there is room; the cursor stands behind them.
    /// Gives how many there were.
    fn span(&mut self, place: &Arc<Place>, series: Series) -> Result<usize, StoreError> {
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
        let room = self.most.saturating_sub(self.parcels.len());
        let rows = self.supply.rows(place, series, (from, end), room)?;
        let found = rows.len();
        let full = found >= room;
        let last = rows.last().and_then(start_of).filter(|_| full);
        let reached = last.map_or(end, |start| start.plus_ms(1));
        if reached >= self.replay.until {
            self.cursor.step = self.cursor.step.saturating_add(1);
            self.cursor.place = 0;
            self.progress();
        } else {
            self.cursor.place = reached.0;
        }
        self.parcels.extend(rows);
        Ok(found)
    }

    /// The next events; the replay is over behind the last.
    fn events(&mut self) -> Result<(), StoreError> {
        if self.to.events {
            if self.cursor.outlet != EVENTS {
                self.cursor.outlet = SmolStr::new_static(EVENTS);
                let before = self.supply.event_before(self.replay.from)?;
                self.cursor.place = i64::try_from(before.0).unwrap_or(i64::MAX);
                self.cursor.step = u32::MAX;
            }
            let after = (Seq(self.cursor.place.unsigned_abs()), self.cursor.step);
            let next = self
                .supply
                .events(self.to, after, self.replay.until, self.most)?;
            if let Some((parcels, (seq, n))) = next {
                self.cursor.place = i64::try_from(seq.0).unwrap_or(i64::MAX);
                self.cursor.step = n;
                self.parcels = parcels;
                return Ok(());
            }
        }
        self.cursor.progress.0 = self.cursor.progress.1;
        self.cursor.over = true;
        Ok(())
    }

    /// One more series is done with. Outlets that came meanwhile are not counted.
    fn progress(&mut self) {
        let (done, total) = self.cursor.progress;
        self.cursor.progress.0 = done.saturating_add(1).min(total);
    }

    fn stop(mut self) -> Step {
        let sent = u64::try_from(self.parcels.len()).unwrap_or(u64::MAX);
        self.cursor.sent = self.cursor.sent.saturating_add(sent);
        Step {
            parcels: self.parcels,
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
