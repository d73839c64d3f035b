//! Texts of periods, as people type them: `2026`, `2026-Q4`, `2026-11`, `2026-11-22`,
//! `2026-11-22T10`, `2026-11-22T10:05`, `2026-11-22T10:05:30`, by the site's clock.

use super::Asked;
use crate::model::time::quarter_of;
use crate::model::{Level, Period, RecordKind, Timestamp, UtcOffset};
use chrono::{NaiveDate, NaiveDateTime};

/// A text that names no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a period; write 2026, 2026-Q4, 2026-11, 2026-11-22, 2026-11-22T10, 2026-11-22T10:05 or \
     2026-11-22T10:05:30: {0}"
)]
pub struct ParseError(pub String);

impl ParseError {
    /// The same in Chinese.
    pub fn text_zh(&self) -> String {
        format!(
            "不是时段；写法为 2026、2026-Q4、2026-11、2026-11-22、2026-11-22T10、\
             2026-11-22T10:05 或 2026-11-22T10:05:30：{}",
            self.0
        )
    }
}

/// Reads a text: year, quarter, month, day, hour; with minutes a minute record, with seconds a
/// real-time record. A space may stand for the `T`.
///
/// # Errors
/// When the text has none of these forms or names a time that does not exist.
pub fn parse(text: &str, offset: UtcOffset) -> Result<Asked, ParseError> {
    let plain = text.trim();
    // Signs and blanks inside would pass for parts of numbers.
    let usual = |c: char| c.is_ascii_digit() || "-:TtQq ".contains(c);
    if !plain.chars().all(usual) {
        return Err(ParseError(text.to_owned()));
    }
    read(plain, offset).ok_or_else(|| ParseError(text.to_owned()))
}

fn read(text: &str, offset: UtcOffset) -> Option<Asked> {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let parts: Vec<&str> = date.split('-').collect();
    match (parts.as_slice(), time) {
        (&[year], None) => {
            let first = day(year, "01", "01")?;
            Some(period(Level::Year, midnight(first, offset)?, offset))
        }
        (&[year, quarter], None) if quarter.starts_with(['Q', 'q']) => {
            let month = match quarter.get(1..)? {
                "1" => "01",
                "2" => "04",
                "3" => "07",
                "4" => "10",
                _ => return None,
            };
            let first = midnight(day(year, month, "01")?, offset)?;
            Some(Asked::Quarter(quarter_of(first, offset).0))
        }
        (&[year, month], None) => {
            let first = day(year, month, "01")?;
            Some(period(Level::Month, midnight(first, offset)?, offset))
        }
        (&[year, month, date], None) => {
            let first = day(year, month, date)?;
            Some(period(Level::Day, midnight(first, offset)?, offset))
        }
        (&[year, month, date], Some(time)) => clock(day(year, month, date)?, time, offset),
        _ => None,
    }
}

fn clock(date: NaiveDate, time: &str, offset: UtcOffset) -> Option<Asked> {
    let parts: Vec<&str> = time.split(':').collect();
    let at = |hour, minute, second| -> Option<Timestamp> {
        let local = date.and_hms_opt(two(hour)?, two(minute)?, two(second)?)?;
        Some(offset.instant(local))
    };
    match *parts.as_slice() {
        [hour] => Some(period(Level::Hour, at(hour, "00", "00")?, offset)),
        [hour, minute] => Some(Asked::Record(RecordKind::Minute, at(hour, minute, "00")?)),
        [hour, minute, second] => {
            let at = at(hour, minute, second)?;
            Some(Asked::Record(RecordKind::Realtime, at))
        }
        _ => None,
    }
}

fn period(level: Level, at: Timestamp, offset: UtcOffset) -> Asked {
    Asked::Period(Period::containing(level, at, offset))
}

fn day(year: &str, month: &str, day: &str) -> Option<NaiveDate> {
    if year.len() != 4 {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, two(month)?, two(day)?)
}

fn two(digits: &str) -> Option<u32> {
    (digits.len() == 2).then(|| digits.parse().ok()).flatten()
}

fn midnight(date: NaiveDate, offset: UtcOffset) -> Option<Timestamp> {
    Some(offset.instant(NaiveDateTime::from(date)))
}

/// The text of what was asked; [`parse`] reads it again, but for hour and day records, which have
/// the text of their period.
pub fn text(asked: Asked, offset: UtcOffset) -> String {
    let format = |at: Timestamp, format: &str| offset.local(at).format(format).to_string();
    match asked {
        Asked::Record(RecordKind::Realtime, at) => format(at, "%Y-%m-%dT%H:%M:%S"),
        Asked::Record(RecordKind::Minute, at) => format(at, "%Y-%m-%dT%H:%M"),
        Asked::Record(RecordKind::Hour, at) => format(at, "%Y-%m-%dT%H"),
        Asked::Record(RecordKind::Day, at) => format(at, "%Y-%m-%d"),
        Asked::Quarter(at) => {
            let month: u32 = format(at, "%m").parse().unwrap_or(1);
            format!("{}-Q{}", format(at, "%Y"), month.div_ceil(3))
        }
        Asked::Period(period) => match period.level {
            Level::Hour => format(period.start, "%Y-%m-%dT%H"),
            Level::Day => format(period.start, "%Y-%m-%d"),
            Level::Month => format(period.start, "%Y-%m"),
            Level::Year => format(period.start, "%Y"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_form_is_read_by_the_sites_clock() {
        let offset = UtcOffset::default();
        // 2026-11-22T00:00+08:00.
        let midnight = Timestamp(1_795_276_800_000);
        let hour = midnight.plus_ms(10 * 3_600_000);
        let cases = [
            (
                "2026-11-22",
                Asked::Period(Period {
                    level: Level::Day,
                    start: midnight,
                }),
            ),
            (
                "2026-11-22T10",
                Asked::Period(Period {
                    level: Level::Hour,
                    start: hour,
                }),
            ),
            (
                "2026-11-22 10",
                Asked::Period(Period {
                    level: Level::Hour,
                    start: hour,
                }),
            ),
            (
                "2026-11-22T10:05",
                Asked::Record(RecordKind::Minute, hour.plus_ms(300_000)),
            ),
            (
                "2026-11-22T10:05:30",
                Asked::Record(RecordKind::Realtime, hour.plus_ms(330_000)),
            ),
        ];
        for (text, asked) in cases {
            assert_eq!(parse(text, offset), Ok(asked), "{text}");
        }
        let (quarter, _) = quarter_of(midnight, offset);
        assert_eq!(parse("2026-Q4", offset), Ok(Asked::Quarter(quarter)));
        let month = Period::containing(Level::Month, midnight, offset);
        assert_eq!(parse(" 2026-11 ", offset), Ok(Asked::Period(month)));
        let year = Period::containing(Level::Year, midnight, offset);
        assert_eq!(parse("2026", offset), Ok(Asked::Period(year)));
    }

    #[test]
    fn what_is_no_period_is_refused_with_the_forms_there_are() {
        for text in [
            "",
            "26",
            "2026-13",
            "2026-02-30",
            "2026-Q5",
            "2026-Q",
            "2026-11-22T24",
            "2026-11-22T10:60",
            "2026-1-2",
            "2026-11-22T10:05:30:00",
            "+026",
            "2026-11T10",
            "2026-11-22T+1",
            "二〇二六",
            "2026-Q4T10",
        ] {
            let error = parse(text, UtcOffset::default()).expect_err(text);
            assert!(error.to_string().ends_with(text), "{error}");
            assert!(error.text_zh().contains("2026-Q4"));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            at in 0i64..4_000_000_000,
            minutes in -1_439i32..1_440,
            form in 0usize..7,
        ) {
            let offset = UtcOffset::from_minutes(minutes).unwrap();
            let at = Timestamp(at * 1_000);
            let period = |level| Asked::Period(Period::containing(level, at, offset));
            let asked = match form {
                0 => period(Level::Hour),
                1 => period(Level::Day),
                2 => period(Level::Month),
                3 => period(Level::Year),
                4 => Asked::Quarter(quarter_of(at, offset).0),
                5 => Asked::Record(RecordKind::Realtime, at),
                _ => Asked::Record(RecordKind::Minute, Timestamp(at.0 / 60_000 * 60_000)),
            };
            prop_assert_eq!(parse(&text(asked, offset), offset), Ok(asked));
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = parse(&text, UtcOffset::default());
        }
    }
}
