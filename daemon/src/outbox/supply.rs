//! Where parcels come from: the logs say which rows, the rows say what.

use super::books::{Place as Line, Stream};
use super::parcel::{Item, Key, Parcel, Place};
use crate::notify::RegistryView;
use crate::store::{LogBounds, Queries, Readers, StoreError};
use cems_config::Destination as Settings;
use cems_core::model::rows::AuditRow;
use cems_core::model::{
    AlarmId, AlarmRow, AlarmSubject, OutletId, Registry, Seq, Series, Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Lines of a log looked at for one batch of so many things. A destination that takes little of a
/// log skips the rest of them at once.
fn lines_max(most: usize) -> usize {
    (most * 4).clamp(1_000, 5_000)
}

/// Lines behind a position are counted up to here.
pub(super) const LAG_MAX: usize = 200_000;

/// What to send next, and how far a log is done with then.
pub(super) struct Batch {
    /// What to send; may be empty when the lines are of no concern.
    pub(super) parcels: Vec<Parcel>,
    /// Lines too old to be sent.
    pub(super) given_up: u64,
    /// The last line that the batch covers.
    pub(super) until: Line,
    /// The log holds more behind it.
    pub(super) more: bool,
}

/// Events, and the line of the audit trail reached.
pub(super) type Events = (Vec<Parcel>, (Seq, u32));

/// Reads logs and rows. Methods ask a database: call them on a thread that may wait.
pub(super) struct Supply {
    pub(super) readers: Readers,
    pub(super) registry: RegistryView,
}

impl Supply {
    /// Where a log begins and ends.
    pub(super) fn bounds(&self, stream: Stream) -> Result<Option<LogBounds>, StoreError> {
        match stream {
            Stream::Series => self.readers.outgoing_bounds(),
            Stream::Events => self.readers.events_bounds(),
        }
    }

    /// Lines behind a position, and when the first of them was written.
    pub(super) fn lag(
        &self,
        stream: Stream,
        at: &Line,
    ) -> Result<(u64, Option<Timestamp>), StoreError> {
        match stream {
            Stream::Series => self.readers.outgoing_lag(at.seq, at.n, LAG_MAX),
            Stream::Events => self.readers.events_lag(at.seq, at.n, LAG_MAX),
        }
    }

    /// The next batch of a log behind `after`; `None` at its end. What was written before `oldest`
    /// is given up.
    pub(super) fn batch(
        &self,
        to: &Settings,
        stream: Stream,
        after: &Line,
        (most, oldest): (usize, Timestamp),
    ) -> Result<Option<Batch>, StoreError> {
        let registry = (self.registry)();
        let places = Places::new(&registry, to);
        self.readers.read(|queries| match stream {
            Stream::Series => series(queries, to, after, (most, oldest), places),
            Stream::Events => events(queries, after, (most, oldest), places),
        })
    }

    /// The thing of a key as it stands; `None` when it is gone or no longer of concern.
    pub(super) fn parcel(&self, to: &Settings, key: &Key) -> Result<Option<Parcel>, StoreError> {
        let registry = (self.registry)();
        let mut places = Places::new(&registry, to);
        self.readers.read(|queries| match key {
            Key::Row { outlet, .. } => {
                let place = places.of(outlet);
                place.map_or(Ok(None), |place| row(queries, key, place))
            }
            Key::Event { seq, n } => {
                let found = queries.event(*seq, *n)?;
                found.map_or(Ok(None), |found| event(queries, found, &mut places))
            }
        })
    }

    /// Rows of one series of an outlet that began in `span`, oldest first, at most so many.
    pub(super) fn rows(
        &self,
        place: &Arc<Place>,
        what: Series,
        (from, until): (Timestamp, Timestamp),
        most: usize,
    ) -> Result<Vec<Parcel>, StoreError> {
        let outlet = &place.outlet;
        let parcel = |start, item| Parcel {
            key: Key::Row {
                outlet: outlet.clone(),
                what,
                start,
            },
            place: Some(Arc::clone(place)),
            item,
        };
        self.readers.read(|queries| match what {
            Series::Record(kind) => {
                let rows = queries.first_records(outlet, kind, (from, until), most)?;
                let rows = rows.into_iter();
                Ok(rows
                    .map(|row| parcel(row.start, Item::Record(row)))
                    .collect())
            }
            Series::Aggregate(level) => {
                let rows = queries.first_aggregates(outlet, level, (from, until), most)?;
                let rows = rows.into_iter();
                Ok(rows
                    .map(|row| parcel(row.start, Item::Aggregate(row)))
                    .collect())
            }
        })
    }

    /// Events behind a line that happened before `until`, and the line reached; `None` when there
    /// are no more.
    pub(super) fn events(
        &self,
        to: &Settings,
        (seq, n): (Seq, u32),
        until: Timestamp,
        most: usize,
    ) -> Result<Option<Events>, StoreError> {
        let registry = (self.registry)();
        let mut places = Places::new(&registry, to);
        self.readers.read(|queries| {
            let mut lines = queries.events_after(seq, n, most)?;
            lines.retain(|line| line.at < until);
            let Some(reached) = lines.last().map(|line| (line.seq, line.n)) else {
                return Ok(None);
            };
            let mut parcels = Vec::with_capacity(lines.len());
            for line in lines {
                parcels.extend(event(queries, line, &mut places)?);
            }
            Ok(Some((parcels, reached)))
        })
    }

    /// The journal position behind which events from `from` on stand: found by halving, since they
    /// stand in the order of time.
    pub(super) fn event_before(&self, from: Timestamp) -> Result<Seq, StoreError> {
        self.readers.read(|queries| {
            let Some(bounds) = queries.events_bounds()? else {
                return Ok(Seq(0));
            };
            let (mut low, mut high) = (0, bounds.last.seq.0);
            while low < high {
                let middle = low + (high - low) / 2;
                let next = queries.events_after(Seq(middle), u32::MAX, 1)?;
                if next.first().is_some_and(|line| line.at < from) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            Ok(Seq(low))
        })
    }
}

fn series(
    queries: &Queries<'_>,
    to: &Settings,
    after: &Line,
    (most, oldest): (usize, Timestamp),
    mut places: Places<'_>,
) -> Result<Option<Batch>, StoreError> {
    let lines_max = lines_max(most);
    let lines = queries.outgoing_after(after.seq, after.n, lines_max)?;
    let full = lines.len() >= lines_max;
    let mut batch = Batch::behind(after, full);
    // A row that was written several times goes once, as it stands.
    let mut seen = BTreeSet::new();
    let mut wanted = Vec::new();
    for line in &lines {
        if wanted.len() >= most {
            batch.more = true;
            break;
        }
        batch.until = Line {
            seq: line.seq,
            n: line.n,
            at: line.at,
        };
        if !to.series.contains(&line.what) {
            continue;
        }
        let Some(place) = places.of(&line.outlet) else {
            continue;
        };
        if line.at < oldest {
            batch.given_up += 1;
            continue;
        }
        let key = Key::Row {
            outlet: line.outlet.clone(),
            what: line.what,
            start: line.start,
        };
        if seen.insert(key.clone()) {
            wanted.push((key, place));
        }
    }
    batch.parcels = rows(queries, &wanted)?;
    Ok((!lines.is_empty()).then_some(batch))
}

/// The rows of keys, in the order of these. They are read in the order in which they lie: rows of
/// one outlet share pages.
fn rows(queries: &Queries<'_>, wanted: &[(Key, Arc<Place>)]) -> Result<Vec<Parcel>, StoreError> {
    let mut as_they_lie: Vec<usize> = (0..wanted.len()).collect();
    as_they_lie.sort_unstable_by_key(|n| wanted.get(*n).map(|(key, _)| key));
    let mut found: Vec<Option<Parcel>> = vec![None; wanted.len()];
    for n in as_they_lie {
        if let (Some((key, place)), Some(into)) = (wanted.get(n), found.get_mut(n)) {
            *into = row(queries, key, Arc::clone(place))?;
        }
    }
    Ok(found.into_iter().flatten().collect())
}

fn events(
    queries: &Queries<'_>,
    after: &Line,
    (most, oldest): (usize, Timestamp),
    mut places: Places<'_>,
) -> Result<Option<Batch>, StoreError> {
    let lines = queries.events_after(after.seq, after.n, most)?;
    let mut batch = Batch::behind(after, lines.len() >= most);
    let none = lines.is_empty();
    for line in lines {
        batch.until = Line {
            seq: line.seq,
            n: line.n,
            at: line.at,
        };
        if line.at < oldest {
            batch.given_up += 1;
            continue;
        }
        batch.parcels.extend(event(queries, line, &mut places)?);
    }
    Ok((!none).then_some(batch))
}

impl Batch {
    fn behind(after: &Line, more: bool) -> Self {
        Self {
            parcels: Vec::new(),
            given_up: 0,
            until: *after,
            more,
        }
    }
}

/// The row of a key.
fn row(queries: &Queries<'_>, key: &Key, place: Arc<Place>) -> Result<Option<Parcel>, StoreError> {
    let Key::Row {
        outlet,
        what,
        start,
    } = key
    else {
        return Ok(None);
    };
    let item = match what {
        Series::Record(kind) => queries.record(outlet, *kind, *start)?.map(Item::Record),
        Series::Aggregate(level) => queries
            .aggregate(outlet, *level, *start)?
            .map(Item::Aggregate),
    };
    Ok(item.map(|item| Parcel {
        key: key.clone(),
        place: Some(place),
        item,
    }))
}

/// An event with the alarm it speaks of; `None` when it is of no concern to the destination.
fn event(
    queries: &Queries<'_>,
    line: AuditRow,
    places: &mut Places<'_>,
) -> Result<Option<Parcel>, StoreError> {
    let mut alarm: Option<Box<AlarmRow>> = None;
    let mut outlet: Option<OutletId> = None;
    match line.object.split_once('/') {
        Some(("outlet", id)) => outlet = Some(OutletId::new(id)),
        Some(("alarm", id)) => {
            if let Ok(id) = id.parse() {
                alarm = queries.alarm(AlarmId(id))?.map(Box::new);
            }
            if let Some(AlarmSubject::Outlet(id)) = alarm.as_ref().map(|row| &row.subject) {
                outlet = Some(id.clone());
            }
        }
        Some(("fallback", id)) => {
            if let Ok(id) = id.parse() {
                let row = queries.fallback(cems_core::model::FallbackId(id))?;
                outlet = row.map(|row| row.outlet);
            }
        }
        _ => {}
    }
    let place = outlet.as_ref().and_then(|outlet| places.of(outlet));
    if place.is_none() && !places.to.filter.is_all() {
        return Ok(None);
    }
    Ok(Some(Parcel {
        key: Key::Event {
            seq: line.seq,
            n: line.n,
        },
        place,
        item: Item::Event(line, alarm),
    }))
}

/// Places of outlets of concern to one destination, each looked up once.
struct Places<'a> {
    registry: &'a Registry,
    to: &'a Settings,
    known: BTreeMap<OutletId, Option<Arc<Place>>>,
}

impl<'a> Places<'a> {
    fn new(registry: &'a Registry, to: &'a Settings) -> Self {
        Self {
            registry,
            to,
            known: BTreeMap::new(),
        }
    }

    fn of(&mut self, id: &OutletId) -> Option<Arc<Place>> {
        if let Some(place) = self.known.get(id) {
            return place.clone();
        }
        let outlet = self.registry.outlets.get(id);
        let wanted = outlet.filter(|outlet| self.to.filter.takes(outlet, self.registry));
        let place = wanted.and_then(|_| Place::of(self.registry, id).map(Arc::new));
        self.known.insert(id.clone(), place.clone());
        place
    }
}
