//! Rows that are kept by days: which local days of which series there are, and up to which event
//! each has changed. Files of sealed days are held against it.

use super::ids::Seq;
use super::record::RecordKind;
use super::rows::Output;
use super::time::{Level, Period, Timestamp, UtcOffset};
use serde::{Deserialize, Serialize};

/// A series: received records of a kind, or computed means of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Series {
    /// Real-time records.
    Realtime,
    /// Minute records.
    Minute,
    /// Hour records as the stations sent them.
    Hour,
    /// Day records as the stations sent them.
    Day,
    /// Hours computed here.
    HourMean,
    /// Days computed here.
    DayMean,
}

impl Series {
    /// All of them.
    pub const ALL: [Series; 6] = [
        Self::Realtime,
        Self::Minute,
        Self::Hour,
        Self::Day,
        Self::HourMean,
        Self::DayMean,
    ];

    /// The name in files, directories and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Realtime => "realtime",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::HourMean => "hour-mean",
            Self::DayMean => "day-mean",
        }
    }

    /// The series of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|series| series.as_str() == name)
    }

    /// The series that records of a kind belong to.
    pub fn of_kind(kind: RecordKind) -> Self {
        match kind {
            RecordKind::Realtime => Self::Realtime,
            RecordKind::Minute => Self::Minute,
            RecordKind::Hour => Self::Hour,
            RecordKind::Day => Self::Day,
        }
    }

    /// The series that means of a level belong to; months and years are no series of days.
    pub fn of_level(level: Level) -> Option<Self> {
        match level {
            Level::Hour => Some(Self::HourMean),
            Level::Day => Some(Self::DayMean),
            Level::Month | Level::Year => None,
        }
    }

    /// The kind of its records; `None` for means.
    pub fn kind(self) -> Option<RecordKind> {
        RecordKind::ALL
            .into_iter()
            .find(|kind| Self::of_kind(*kind) == self)
    }

    /// The level of its means; `None` for records.
    pub fn level(self) -> Option<Level> {
        Level::ALL
            .into_iter()
            .find(|level| Self::of_level(*level) == Some(self))
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

/// The series and the local day that an output is a row of, if it is one.
pub fn series_day(output: &Output, offset: UtcOffset) -> Option<(Series, Timestamp)> {
    let (series, start) = match output {
        Output::Record(row) => (Series::of_kind(row.kind), row.start),
        Output::Aggregate(row) => (Series::of_level(row.level)?, row.start),
        _ => return None,
    };
    Some((series, Period::containing(Level::Day, start, offset).start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_known_by_its_name_and_by_what_it_holds() {
        for series in Series::ALL {
            assert_eq!(Series::named(series.as_str()), Some(series));
            assert_ne!(series.kind().is_some(), series.level().is_some());
        }
        assert_eq!(Series::named("month-mean"), None);
    }
}
