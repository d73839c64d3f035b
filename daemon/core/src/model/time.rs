//! Instants and periods. Instants are UTC milliseconds; hour, day and month boundaries come from
//! the site's fixed offset (+08:00 unless configured).

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Milliseconds of one second, minute, hour.
pub const SECOND_MS: i64 = 1_000;
/// Milliseconds of one minute.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// Milliseconds of one hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Milliseconds of one day of 24 hours.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The instant `ms` milliseconds later (earlier when negative); saturates at the ends.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to `self`; negative when `self` is before it.
    pub fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A fixed offset from UTC in minutes; China has kept +08:00 without daylight saving since 1991.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtcOffset(i32);

impl Default for UtcOffset {
    fn default() -> Self {
        Self(8 * 60)
    }
}

impl UtcOffset {
    /// An offset of `minutes`, or `None` outside ±23:59.
    pub fn from_minutes(minutes: i32) -> Option<Self> {
        (minutes.abs() < 24 * 60).then_some(Self(minutes))
    }

    /// Minutes east of Greenwich.
    pub fn minutes(self) -> i32 {
        self.0
    }

    fn fixed(self) -> FixedOffset {
        FixedOffset::east_opt(self.0 * 60).expect("constructor keeps |minutes| below a day")
    }

    /// Wall-clock time at the site; instants outside chrono's range read as its ends.
    pub fn local(self, at: Timestamp) -> NaiveDateTime {
        let end = if at.0 < 0 {
            NaiveDateTime::MIN
        } else {
            NaiveDateTime::MAX
        };
        DateTime::from_timestamp_millis(at.0)
            .and_then(|utc| utc.naive_utc().checked_add_offset(self.fixed()))
            .unwrap_or(end)
    }

    /// The instant at which the site's clock shows `local`.
    pub fn instant(self, local: NaiveDateTime) -> Timestamp {
        let utc = local
            .checked_sub_signed(TimeDelta::minutes(i64::from(self.0)))
            .unwrap_or(local);
        Timestamp(utc.and_utc().timestamp_millis())
    }

    /// ISO 8601 text with the offset, seconds precision, such as `2026-11-22T10:00:00+08:00`.
    pub fn iso(self, at: Timestamp) -> String {
        let sign = if self.0 < 0 { '-' } else { '+' };
        let minutes = self.0.abs();
        let local = self.local(at);
        let local = local.with_nanosecond(0).unwrap_or(local);
        // The form of `Debug` is that of ISO 8601, and much cheaper than one that is spelt out.
        format!("{local:?}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// Length of a period of aggregation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// One clock hour (小时).
    Hour,
    /// One local calendar day (日).
    Day,
    /// One local calendar month (月).
    Month,
    /// One local calendar year (年).
    Year,
}

impl Level {
    /// All levels, shortest first.
    pub const ALL: [Level; 4] = [Level::Hour, Level::Day, Level::Month, Level::Year];

    /// The name used in files, the store and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Hour => "hour",
            Level::Day => "day",
            Level::Month => "month",
            Level::Year => "year",
        }
    }

    /// The next longer level; `None` above a year.
    pub fn longer(self) -> Option<Level> {
        match self {
            Level::Hour => Some(Level::Day),
            Level::Day => Some(Level::Month),
            Level::Month => Some(Level::Year),
            Level::Year => None,
        }
    }
}

/// A period of aggregation: [`start`](Self::start) inclusive, [`end`](Self::end) exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Period {
    /// How long it is.
    pub level: Level,
    /// First instant of the period.
    pub start: Timestamp,
}

impl Period {
    /// The period of `level` that contains `at`, by the site's clock.
    pub fn containing(level: Level, at: Timestamp, offset: UtcOffset) -> Self {
        let local = offset.local(at);
        let date = local.date();
        let start = match level {
            Level::Hour => date.and_hms_opt(local.hour(), 0, 0),
            Level::Day => date.and_hms_opt(0, 0, 0),
            Level::Month => first_of(date.year(), date.month()),
            Level::Year => first_of(date.year(), 1),
        };
        Self {
            level,
            start: offset.instant(start.unwrap_or(local)),
        }
    }

    /// First instant after the period.
    pub fn end(&self, offset: UtcOffset) -> Timestamp {
        let local = offset.local(self.start);
        match self.level {
            Level::Hour => self.start.plus_ms(HOUR_MS),
            Level::Day => self.start.plus_ms(DAY_MS),
            Level::Month => {
                let (y, m) = if local.month() == 12 {
                    (local.year() + 1, 1)
                } else {
                    (local.year(), local.month() + 1)
                };
                offset.instant(first_of(y, m).unwrap_or(local))
            }
            Level::Year => offset.instant(first_of(local.year() + 1, 1).unwrap_or(local)),
        }
    }

    /// True when `at` lies in the period.
    pub fn contains(&self, at: Timestamp, offset: UtcOffset) -> bool {
        self.start <= at && at < self.end(offset)
    }
}

/// The calendar quarter that contains `at`, by the site's clock: its first instant and the first
/// after it.
pub fn quarter_of(at: Timestamp, offset: UtcOffset) -> (Timestamp, Timestamp) {
    let local = offset.local(at);
    let first = local.month0() / 3 * 3 + 1;
    let start = first_of(local.year(), first).unwrap_or(local);
    let end = if first == 10 {
        first_of(local.year() + 1, 1)
    } else {
        first_of(local.year(), first + 3)
    };
    (offset.instant(start), offset.instant(end.unwrap_or(local)))
}

fn first_of(year: i32, month: u32) -> Option<NaiveDateTime> {
    NaiveDate::from_ymd_opt(year, month, 1)?.and_hms_opt(0, 0, 0)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp_millis(self.0) {
            Some(utc) => write!(f, "{}", utc.format("%Y-%m-%dT%H:%M:%S%.3fZ")),
            None => write!(f, "{} ms", self.0),
        }
    }
}
