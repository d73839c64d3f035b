//! Sealed days as Parquet files, which any table program reads.
//!
//! A local day is sealed when it has been over for a settling time. Each series of it
//! ([`Series`]: records of a kind, means of a level) is then written to
//! `<kind>/date=YYYY-MM-DD/part-0.parquet` and notes the journal position up to which it is true.
//! A day that changes later is written anew: the store knows of each day the last event that wrote
//! a row of it (`series_day`), and a file that is behind it is stale.
//!
//! Files are a copy: the store keeps its rows, and a file that is lost is written again. Records of
//! old days are read back from their file where it is not stale ([`Archive::records`]).

mod aggregate;
mod cells;
mod cursor;
mod day;
mod error;
mod file;
mod keeper;
mod names;
mod record;

#[cfg(test)]
mod tests;

pub use error::ArchiveError;
pub use keeper::{Keeper, Trouble};

use crate::store::Readers;
use cems_core::model::time::DAY_MS;
use cems_core::model::{
    Level, OutletId, Period, RecordKind, RecordRow, Registry, Seq, Series, Timestamp, UtcOffset,
};
use cursor::Cursor;
use day::DayOf;
use file::{Draft, Notes, Sealed};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Version of columns and notes; a file of another version is stale.
const SCHEMA_VERSION: &str = "1";
/// Where the foot of a file says up to which journal position it is true.
const SEQ: &str = "cems.seq";
/// Where it says which version it has.
const SCHEMA: &str = "cems.schema";
/// Where it says where days begin.
const OFFSET: &str = "cems.utc_offset";

/// The directory with the files.
#[derive(Debug, Clone)]
pub struct Archive {
    root: PathBuf,
}

/// What the console needs of the archive.
#[derive(Debug, Clone)]
pub struct Shelf {
    /// The files.
    pub archive: Archive,
    /// Days that ended this long ago are read from them.
    pub read_after_ms: i64,
    /// What keeps days from being written.
    pub trouble: Arc<Trouble>,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where.
    pub path: PathBuf,
    /// How many rows.
    pub rows: u64,
    /// How many bytes.
    pub bytes: u64,
    /// The journal position up to which it is true.
    pub seq: Seq,
}

/// How a file stands against the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There is none.
    Absent,
    /// The day has changed since, or the file is of another version.
    Stale,
    /// Every row is that of the store.
    Equal,
    /// Rows differ although the day has not changed since: damage, or somebody changed it.
    Different,
}

/// Which day, by whose books, and how hard to work.
pub struct Order<'a> {
    /// The books.
    pub readers: &'a Readers,
    /// The registry in force: names, units, where days begin.
    pub registry: &'a Registry,
    /// Which series.
    pub series: Series,
    /// First instant of the day.
    pub day: Timestamp,
    /// Rest as long as each step took.
    pub gently: bool,
    /// Asked before each step: the work is to be left.
    pub stopped: &'a dyn Fn() -> bool,
}

impl<'a> Order<'a> {
    fn day(&self) -> DayOf<'a> {
        DayOf {
            readers: self.readers,
            registry: self.registry,
            series: self.series,
            day: self.day,
            gently: self.gently,
            stopped: self.stopped,
        }
    }
}

impl Archive {
    /// The archive in a directory, which need not be there yet.
    pub fn of(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Where the file of a day is.
    pub fn path(&self, series: Series, day: Timestamp, offset: UtcOffset) -> PathBuf {
        let date = offset.local(day).format("date=%Y-%m-%d").to_string();
        let directory = self.root.join(series.as_str()).join(date);
        directory.join("part-0.parquet")
    }

    /// The journal position up to which the file of a day is true; `None` when there is no file of
    /// this version and this offset.
    pub(crate) fn true_up_to(
        &self,
        series: Series,
        day: Timestamp,
        offset: UtcOffset,
    ) -> Result<Option<Seq>, ArchiveError> {
        let sealed = self.open(series, day, offset)?;
        Ok(sealed.and_then(|sealed| seq_of(&sealed, offset)))
    }

    fn open(
        &self,
        series: Series,
        day: Timestamp,
        offset: UtcOffset,
    ) -> Result<Option<Sealed>, ArchiveError> {
        Sealed::open(&self.path(series, day, offset), day::columns(series))
    }

    /// Writes the file of a day; `None` when the day has no rows.
    ///
    /// # Errors
    /// When the books cannot be read or the file cannot be written, and when it was stopped. The
    /// file that was there before is still there then.
    pub fn write(&self, order: &Order<'_>) -> Result<Option<Written>, ArchiveError> {
        let offset = order.registry.offset;
        let path = self.path(order.series, order.day, offset);
        let mut draft = Draft::begin(&path, day::columns(order.series))?;
        let seq = match order.day().each_group(|group| draft.add(&group)) {
            Ok(seq) => seq,
            Err(error) => {
                draft.discard()?;
                return Err(error);
            }
        };
        let rows = draft.rows();
        if rows == 0 {
            draft.discard()?;
            return Ok(None);
        }
        let bytes = draft.finish(notes(order, seq))?;
        Ok(Some(Written {
            path,
            rows,
            bytes,
            seq,
        }))
    }

    /// Compares the file of a day with the store, row by row.
    ///
    /// # Errors
    /// When the books or the file cannot be read, and when it was stopped.
    pub fn check(&self, order: &Order<'_>) -> Result<Standing, ArchiveError> {
        let offset = order.registry.offset;
        let Some(sealed) = self.open(order.series, order.day, offset)? else {
            return Ok(Standing::Absent);
        };
        let changed = order.readers.series_day(order.series, order.day)?;
        let newest = changed.map_or(Seq(0), |row| row.seq);
        if seq_of(&sealed, offset).is_none_or(|seq| seq < newest) {
            return Ok(Standing::Stale);
        }
        let (mut place, mut equal) = (0, true);
        order.day().each_group(|group| {
            if equal && place < sealed.groups() {
                let filed = sealed.read(place, sealed.whole_of(place), |_| true)?;
                equal = filed.rows == group.rows && filed.chunks == group.chunks;
            }
            place += 1;
            Ok(())
        })?;
        Ok(if equal && place == sealed.groups() {
            Standing::Equal
        } else {
            Standing::Different
        })
    }

    /// Records with `from <= start < until`, ascending: those of days whose file is whole and not
    /// stale from the file, the others from the store. Days that end after `young` are not looked
    /// for. The answer is that of the store, whichever it came from.
    ///
    /// # Errors
    /// When the books cannot be read. A file that cannot be read is reported and passed over.
    pub fn records(
        &self,
        (readers, offset): (&Readers, UtcOffset),
        (outlet, kind): (&OutletId, RecordKind),
        (from, until): (Timestamp, Timestamp),
        young: Timestamp,
    ) -> Result<Vec<RecordRow>, ArchiveError> {
        let mut rows = Vec::new();
        let mut reached = from;
        let mut day = Period::containing(Level::Day, from, offset).start;
        while day < until && day.plus_ms(DAY_MS) <= young {
            let end = day.plus_ms(DAY_MS);
            let span = (from.max(day), until.min(end));
            let found = self.records_of_day((readers, offset), (outlet, kind), day, span);
            match found {
                Ok(None) => {}
                Ok(Some(found)) => {
                    if reached < span.0 {
                        rows.extend(readers.records(outlet, kind, reached, span.0)?);
                    }
                    rows.extend(found.into_values());
                    reached = span.1;
                }
                Err(ArchiveError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(%error, "a sealed day's file is unreadable; the store answers");
                }
            }
            day = end;
        }
        if reached < until {
            rows.extend(readers.records(outlet, kind, reached, until)?);
        }
        Ok(rows)
    }

    /// `None`: there is no file to answer from.
    fn records_of_day(
        &self,
        (readers, offset): (&Readers, UtcOffset),
        (outlet, kind): (&OutletId, RecordKind),
        day: Timestamp,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<Option<BTreeMap<Timestamp, RecordRow>>, ArchiveError> {
        let series = Series::Record(kind);
        let Some(sealed) = self.open(series, day, offset)? else {
            return Ok(None);
        };
        // Days of before `series_day` was kept are not known to be unchanged.
        let Some(changed) = readers.series_day(series, day)? else {
            return Ok(None);
        };
        if seq_of(&sealed, offset).is_none_or(|seq| seq < changed.seq) {
            return Ok(None);
        }
        let mut records = BTreeMap::new();
        for group in 0..sealed.groups() {
            let text = (record::OUTLET, outlet.as_str());
            if !sealed.may_have(group, text, (record::TIME, from.0, until.0)) {
                continue;
            }
            let rows = sealed.rows_with(group, record::OUTLET, outlet.as_str())?;
            if rows.is_empty() {
                continue;
            }
            let group = sealed.read(group, rows, record::is_needed)?;
            let wanted = (outlet, kind, from, until);
            record::collect(&mut Cursor::of(&group), wanted, &mut records).ok_or_else(|| {
                let path = self.path(series, day, offset);
                ArchiveError::foreign(&path, "a row is not one of a record")
            })?;
        }
        Ok(Some(records))
    }
}

/// The position that a file of this version and offset notes.
fn seq_of(sealed: &Sealed, offset: UtcOffset) -> Option<Seq> {
    let same = sealed.note(SCHEMA) == Some(SCHEMA_VERSION)
        && sealed.note(OFFSET) == Some(offset_text(offset).as_str());
    let seq = sealed.note(SEQ)?.parse().ok()?;
    same.then_some(Seq(seq))
}

fn offset_text(offset: UtcOffset) -> String {
    let sign = if offset.minutes() < 0 { '-' } else { '+' };
    let minutes = offset.minutes().abs();
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

fn notes(order: &Order<'_>, seq: Seq) -> Notes {
    let offset = order.registry.offset;
    let date = offset.local(order.day).format("%Y-%m-%d").to_string();
    Notes(vec![
        (SCHEMA, SCHEMA_VERSION.to_owned()),
        ("cems.site", order.registry.site_name.clone()),
        ("cems.kind", order.series.as_str().to_owned()),
        ("cems.date", date),
        (OFFSET, offset_text(offset)),
        (SEQ, seq.0.to_string()),
        (
            "cems.program",
            format!("cemsd {}", env!("CARGO_PKG_VERSION")),
        ),
    ])
}
