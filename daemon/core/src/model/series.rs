//! Series of an outlet, and the local days in which they have rows: up to which event each day has
//! changed, against which files of sealed days are held.

use super::ids::Seq;
use super::record::RecordKind;
use super::rows::Output;
use super::time::{Level, Period, Timestamp, UtcOffset};
use serde::{Deserialize, Serialize};

/// A series of an outlet: records of one kind, or aggregates of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Series {
    /// Records, received or formed here.
    Record(RecordKind),
    /// Computed aggregates.
    Aggregate(Level),
}

impl Series {
    /// All of them: records first, short before long.
    pub const ALL: [Self; 8] = [
        Self::Record(RecordKind::Realtime),
        Self::Record(RecordKind::Minute),
        Self::Record(RecordKind::Hour),
        Self::Record(RecordKind::Day),
        Self::Aggregate(Level::Hour),
        Self::Aggregate(Level::Day),
        Self::Aggregate(Level::Month),
        Self::Aggregate(Level::Year),
    ];

    /// Those that are kept by days: months and years are not.
    pub const BY_DAYS: [Self; 6] = [
        Self::Record(RecordKind::Realtime),
        Self::Record(RecordKind::Minute),
        Self::Record(RecordKind::Hour),
        Self::Record(RecordKind::Day),
        Self::Aggregate(Level::Hour),
        Self::Aggregate(Level::Day),
    ];

    /// Its name in files, tables and names of series outside: `minute` for received records,
    /// `hour-mean` for computed ones.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Record(kind) => kind.as_str(),
            Self::Aggregate(Level::Hour) => "hour-mean",
            Self::Aggregate(Level::Day) => "day-mean",
            Self::Aggregate(Level::Month) => "month-mean",
            Self::Aggregate(Level::Year) => "year-mean",
        }
    }

    /// The series of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|series| series.as_str() == name)
    }
}

/// A local day in which a series has rows; key (series, day).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesDayRow {
    /// Which series.
    pub series: Series,
    /// First instant of the day by the site's clock.
    pub day: Timestamp,
    /// The last event that wrote a row of it.
    pub seq: Seq,
}

/// The series and the local day that an output is a row of; `None` for an output that is no row of
/// a series kept by days.
pub fn series_day(output: &Output, offset: UtcOffset) -> Option<(Series, Timestamp)> {
    let (series, start) = match output {
        Output::Record(row) => (Series::Record(row.kind), row.start),
        Output::Aggregate(row) => (Series::Aggregate(row.level), row.start),
        _ => return None,
    };
    let day = Period::containing(Level::Day, start, offset).start;
    Series::BY_DAYS.contains(&series).then_some((series, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_known_by_its_name() {
        for series in Series::ALL {
            assert_eq!(Series::named(series.as_str()), Some(series));
        }
        assert_eq!(Series::named("week"), None);
    }
}
