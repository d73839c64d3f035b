//! Times as loggers and the API write them. The city's clock is China's: UTC+8.

use cems_daemon::clock::Clock;
use chrono::{DateTime, FixedOffset};
use std::fmt;

/// Minutes from UTC to the city's clock.
const OFFSET_MIN: i64 = 480;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// An instant, UTC milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

/// The present.
pub fn now() -> Moment {
    Moment(Clock::Real.now().0)
}

impl Moment {
    /// Midnight of the city's clock on a date.
    ///
    /// # Panics
    /// When there is no such date.
    pub fn midnight(year: i32, month: u32, day: u32) -> Self {
        let date = chrono::NaiveDate::from_ymd_opt(year, month, day).expect("a date");
        let utc = date.and_time(chrono::NaiveTime::MIN).and_utc();
        Self(utc.timestamp_millis() - OFFSET_MIN * MINUTE_MS)
    }

    /// So many minutes later (earlier when negative).
    #[must_use]
    pub fn plus_minutes(self, minutes: i64) -> Self {
        Self(self.0 + minutes * MINUTE_MS)
    }

    /// Start of its minute.
    #[must_use]
    pub fn floor_minute(self) -> Self {
        Self(self.0 - self.0.rem_euclid(MINUTE_MS))
    }

    /// Start of its hour.
    #[must_use]
    pub fn floor_hour(self) -> Self {
        Self(self.0 - self.0.rem_euclid(HOUR_MS))
    }

    /// Start of its day by the city's clock.
    #[must_use]
    pub fn floor_day(self) -> Self {
        let shift = OFFSET_MIN * MINUTE_MS;
        Self(self.0 - (self.0 + shift).rem_euclid(DAY_MS))
    }

    fn local(self) -> DateTime<FixedOffset> {
        let seconds = i32::try_from(OFFSET_MIN * 60).expect("a few hours");
        let offset = FixedOffset::east_opt(seconds).expect("less than a day");
        DateTime::from_timestamp_millis(self.0)
            .expect("within the calendar")
            .with_timezone(&offset)
    }

    /// `DataTime`: fourteen digits of the city's clock.
    pub fn digits(self) -> String {
        self.local().format("%Y%m%d%H%M%S").to_string()
    }

    /// ISO 8601 in UTC, fit for a query.
    pub fn iso(self) -> String {
        let utc = DateTime::from_timestamp_millis(self.0).expect("within the calendar");
        utc.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// Reads a time of the API.
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|at| Self(at.timestamp_millis()))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iso())
    }
}

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn the_citys_clock_is_eight_hours_ahead() {
        let noon = Moment::midnight(2026, 3, 1).plus_minutes(12 * 60);
        assert_eq!(noon.digits(), "20260301120000");
        assert_eq!(noon.iso(), "2026-03-01T04:00:00Z");
        assert_eq!(Moment::parse("2026-03-01T12:00:00+08:00"), Some(noon));
        assert_eq!(noon.plus_minutes(7).floor_hour(), noon);
        assert_eq!(noon.floor_day(), Moment::midnight(2026, 3, 1));
        assert_eq!(
            noon.plus_minutes(-721).floor_day(),
            Moment::midnight(2026, 2, 28)
        );
    }
}
