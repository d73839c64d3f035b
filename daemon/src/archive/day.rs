//! One day of one series: read from the store in small steps, outlet by outlet.

use super::cells::{Column, Group};
use super::error::ArchiveError;
use super::{aggregate, record};
use crate::store::Readers;
use cems_core::model::time::DAY_MS;
use cems_core::model::{OutletId, Registry, Seq, Series, Timestamp};
use std::time::{Duration, Instant};

/// Rows of a row group: it ends with the step that reaches this number, so that a chart of one
/// outlet reads little besides.
const GROUP_ROWS: usize = 16 * 1024;
/// Records read from the store at a time: a day of half-minutes. Bounds what is held in memory and
/// how long a connection is kept from pages.
const STEP_RECORDS: usize = 2_880;
/// Longest rest after a step.
const REST_MAX: Duration = Duration::from_millis(200);

/// Which day of which series, and how it is gone about.
pub(super) struct DayOf<'a> {
    /// Where it is read.
    pub(super) readers: &'a Readers,
    /// Whose names and units are noted.
    pub(super) registry: &'a Registry,
    /// Which series.
    pub(super) series: Series,
    /// First instant of the day.
    pub(super) day: Timestamp,
    /// Rest as long as each step took: the machine has better things to do.
    pub(super) gently: bool,
    /// Asked before each step: the work is to be left.
    pub(super) stopped: &'a dyn Fn() -> bool,
}

/// The columns of a series.
pub(super) fn columns(series: Series) -> &'static [Column] {
    match series {
        Series::Record(_) => &record::COLUMNS,
        Series::Aggregate(_) => &aggregate::COLUMNS,
    }
}

impl DayOf<'_> {
    /// Hands all rows on, in groups, and gives the journal position up to which they are true: rows
    /// may be newer, none is older. The same rows give the same groups.
    pub(super) fn each_group(
        &self,
        mut take: impl FnMut(Group) -> Result<(), ArchiveError>,
    ) -> Result<Seq, ArchiveError> {
        let columns = columns(self.series);
        let mut group = Group::of(columns);
        let position = self.readers.position()?;
        let mut after: Option<OutletId> = None;
        loop {
            let series = self.series;
            let outlet = self
                .readers
                .read(|q| q.outlet_after(series, after.as_ref()))?;
            let Some(outlet) = outlet else { break };
            for (from, until) in self.steps(&outlet)? {
                if (self.stopped)() {
                    return Err(ArchiveError::Stopped);
                }
                self.step(&outlet, (from, until), &mut group)?;
                if group.rows >= GROUP_ROWS {
                    take(std::mem::replace(&mut group, Group::of(columns)))?;
                }
            }
            after = Some(outlet);
        }
        if group.rows > 0 {
            take(group)?;
        }
        Ok(position.map_or(Seq(0), |p| p.seq))
    }

    fn until(&self) -> Timestamp {
        self.day.plus_ms(DAY_MS)
    }

    /// The spans in which an outlet's day is read; none when it has no rows.
    fn steps(&self, outlet: &OutletId) -> Result<Vec<(Timestamp, Timestamp)>, ArchiveError> {
        let Series::Record(kind) = self.series else {
            return Ok(vec![(self.day, self.until())]);
        };
        let starts = self
            .readers
            .record_starts(outlet, kind, self.day, self.until())?;
        let firsts: Vec<_> = starts.iter().step_by(STEP_RECORDS).copied().collect();
        let nexts = firsts.iter().skip(1).copied().chain([self.until()]);
        Ok(firsts.iter().copied().zip(nexts).collect())
    }

    fn step(
        &self,
        outlet: &OutletId,
        span: (Timestamp, Timestamp),
        group: &mut Group,
    ) -> Result<(), ArchiveError> {
        let begun = Instant::now();
        match self.series {
            Series::Record(kind) => {
                let records = self.readers.records(outlet, kind, span.0, span.1)?;
                record::push(group, self.registry, &records)?;
            }
            Series::Aggregate(level) => {
                let rows = self.readers.aggregates(outlet, level, span.0, span.1)?;
                aggregate::push(group, self.registry, &rows);
            }
        }
        if self.gently {
            std::thread::sleep(begun.elapsed().min(REST_MAX));
        }
        Ok(())
    }
}
