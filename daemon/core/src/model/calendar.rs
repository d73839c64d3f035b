//! The working-day calendar (工作日历): public holidays (放假) and make-up working days (调休上班)
//! of each year, as the State Council announces them; a data file a year.

use super::time::{Timestamp, UtcOffset};
use crate::lang::Text;
use chrono::{Datelike, Days, NaiveDate, NaiveTime, Weekday};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// Days looked through for the next working day. No calendar closes a country for a year; one that
/// does so by mistake must not make a count run for ever.
const LOOK_DAYS_MAX: u32 = 366;

/// A calendar day at the site, written `2026-10-08`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(NaiveDate);

impl Day {
    /// A day, or `None` when the month has no such day.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self)
    }

    /// The day on which the site's clock shows `at`.
    pub fn of(at: Timestamp, offset: UtcOffset) -> Self {
        Self(offset.local(at).date())
    }

    /// Its first instant.
    pub fn start(self, offset: UtcOffset) -> Timestamp {
        offset.instant(self.0.and_time(NaiveTime::MIN))
    }

    /// The first instant after it: 24:00 (民法典第二百零三条).
    pub fn end(self, offset: UtcOffset) -> Timestamp {
        self.plus(1).start(offset)
    }

    /// So many days later; the end of the calendar stands for what is beyond it.
    #[must_use]
    pub fn plus(self, days: u32) -> Self {
        let later = self.0.checked_add_days(Days::new(u64::from(days)));
        Self(later.unwrap_or(NaiveDate::MAX))
    }

    /// So many days earlier; the beginning of the calendar stands for what is before it.
    #[must_use]
    pub fn minus(self, days: u32) -> Self {
        let earlier = self.0.checked_sub_days(Days::new(u64::from(days)));
        Self(earlier.unwrap_or(NaiveDate::MIN))
    }

    /// Year.
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// Month, 1 to 12.
    pub fn month(self) -> u32 {
        self.0.month()
    }

    /// Day of the month, from 1.
    pub fn day(self) -> u32 {
        self.0.day()
    }

    /// Days since Monday: 0 for Monday, 6 for Sunday.
    pub fn weekday0(self) -> u32 {
        self.0.weekday().num_days_from_monday()
    }

    /// Year and number of its ISO 8601 week.
    pub fn iso_week(self) -> (i32, u32) {
        let week = self.0.iso_week();
        (week.year(), week.week())
    }

    fn is_weekend(self) -> bool {
        matches!(self.0.weekday(), Weekday::Sat | Weekday::Sun)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}

/// A text that is no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a day: {0}; write it as 2026-10-08")]
pub struct NotADay(String);

impl FromStr for Day {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        let parsed = NaiveDate::parse_from_str(text, "%Y-%m-%d");
        parsed.map(Self).map_err(|_| NotADay(text.to_owned()))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// A holiday with all days of its break, weekends in it included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holiday {
    /// Its name.
    pub name: Text,
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
}

/// The calendar of one year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarYear {
    /// Holidays, in the order of the year.
    pub holidays: Vec<Holiday>,
    /// Saturdays and Sundays on which people work.
    pub make_up: BTreeSet<Day>,
    /// The notice it was taken from.
    pub source: String,
    /// Why it may still change; `None`: as announced.
    pub provisional: Option<Text>,
}

/// What a day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind<'a> {
    /// An ordinary working day.
    Working,
    /// A Saturday or Sunday on which people work (调休上班).
    MakeUp,
    /// A free Saturday or Sunday.
    Weekend,
    /// A holiday, or a day of its break.
    Holiday(&'a Text),
}

/// How well a year is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known<'a> {
    /// As announced.
    Announced,
    /// It may still change, for this reason.
    Provisional(&'a Text),
    /// There is no data: Monday to Friday stand in.
    Unknown,
}

/// Working days of every year for which there is data; Monday to Friday in others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkCalendar {
    /// Years.
    #[serde(with = "text_years")]
    pub years: BTreeMap<i32, CalendarYear>,
}

/// Years as texts, in both directions: inside an event, which is told apart by a field of its own,
/// serde does not turn the key of an object into a number.
mod text_years {
    use super::{BTreeMap, CalendarYear, Deserialize, Deserializer, Serializer};
    use serde::de::Error as _;

    pub(super) fn serialize<S: Serializer>(
        years: &BTreeMap<i32, CalendarYear>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(years.iter().map(|(year, days)| (year.to_string(), days)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<i32, CalendarYear>, D::Error> {
        let years = BTreeMap::<String, CalendarYear>::deserialize(deserializer)?;
        let number = |(year, days): (String, CalendarYear)| {
            let year = year.parse().map_err(D::Error::custom)?;
            Ok((year, days))
        };
        years.into_iter().map(number).collect()
    }
}

impl WorkCalendar {
    /// What a day is.
    pub fn kind(&self, day: Day) -> DayKind<'_> {
        let within = |holiday: &&Holiday| holiday.from <= day && day <= holiday.to;
        // The notice of a year may reach into the last days of the one before.
        for (_, year) in self.years.range(day.year()..=day.year().saturating_add(1)) {
            if year.make_up.contains(&day) {
                return DayKind::MakeUp;
            }
            if let Some(holiday) = year.holidays.iter().find(within) {
                return DayKind::Holiday(&holiday.name);
            }
        }
        if day.is_weekend() {
            DayKind::Weekend
        } else {
            DayKind::Working
        }
    }

    /// People work on this day.
    pub fn is_working_day(&self, day: Day) -> bool {
        matches!(self.kind(day), DayKind::Working | DayKind::MakeUp)
    }

    /// How well the year is known.
    pub fn known(&self, year: i32) -> Known<'_> {
        match self.years.get(&year).map(|year| &year.provisional) {
            Some(None) => Known::Announced,
            Some(Some(why)) => Known::Provisional(why),
            None => Known::Unknown,
        }
    }

    /// The first working day on or after `day`.
    pub fn working_day_from(&self, day: Day) -> Day {
        let mut at = day;
        for _ in 0..LOOK_DAYS_MAX {
            if self.is_working_day(at) {
                break;
            }
            at = at.plus(1);
        }
        at
    }

    /// The `n`-th working day on or after `day`; 0 counts as 1.
    pub fn nth_working_day(&self, day: Day, n: u32) -> Day {
        let mut at = self.working_day_from(day);
        for _ in 1..n {
            at = self.working_day_from(at.plus(1));
        }
        at
    }

    /// The `n`-th working day after `day`, which itself is not counted (民法典第二百零一条); the day
    /// itself for 0.
    pub fn add_working_days(&self, day: Day, n: u32) -> Day {
        if n == 0 {
            return day;
        }
        self.nth_working_day(day.plus(1), n)
    }
}
