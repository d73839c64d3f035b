//! Times as devices write them: digits, no zone (Beijing time by custom).

use std::fmt;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// 0001-01-01T00:00:00, ms since 1970.
const YEAR_1_MS: i64 = -719_162 * DAY_MS;
/// 10000-01-01T00:00:00, ms since 1970.
const YEAR_10000_MS: i64 = 2_932_897 * DAY_MS;

/// A wall-clock time of the station (`DataTime`, `QN`, `SystemTime`): a valid calendar date and
/// time of day without a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime {
    /// Year, four digits.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 59.
    pub second: u8,
    /// Milliseconds, 0 to 999.
    pub millis: u16,
}

/// Four numbers of two digits each; `None` when one is no digit.
#[inline]
fn pairs(digits: [u8; 8]) -> Option<[u8; 4]> {
    const ONES: u64 = u64::MAX / 255;
    // All eight at once: a byte above 9 reaches its top bit when 0x76 is added, or has it.
    let digits = u64::from_le_bytes(digits) ^ (ONES * 0x30);
    if (digits.wrapping_add(ONES * 0x76) | digits) & (ONES * 0x80) != 0 {
        return None;
    }
    let sums = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let [first, _, second, _, third, _, fourth, _] = sums.to_le_bytes();
    Some([first, second, third, fourth])
}

impl LocalTime {
    /// Reads 14 to 17 digits `YYYYMMDDhhmmss[fraction]`; digits past 14 are fractions of a second.
    /// `None` when the text has another shape or names no real date and time.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date, clock): (&[u8; 8], _) = text.as_bytes().split_first_chunk()?;
        let (clock, fraction) = clock.split_first_chunk::<6>()?;
        if fraction.len() > 3 || !fraction.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let [century, year, month, day] = pairs(*date)?;
        let [h, h2, m, m2, s, s2] = *clock;
        let [hour, minute, second, _] = pairs([h, h2, m, m2, s, s2, b'0', b'0'])?;
        let mut millis = 0u16;
        if !fraction.is_empty() {
            for place in 0..3 {
                millis = millis * 10 + u16::from(fraction.get(place).map_or(0, |d| d - b'0'));
            }
        }
        let time = Self {
            year: u16::from(century) * 100 + u16::from(year),
            month,
            day,
            hour,
            minute,
            second,
            millis,
        };
        time.is_valid().then_some(time)
    }

    /// The wall clock of a zone, minutes ahead of UTC, at a time in milliseconds since
    /// 1970-01-01T00:00:00Z. Years outside 1 to 9999 give the nearest time that has four digits.
    #[must_use]
    pub fn from_unix_ms(unix_ms: i64, utc_offset_min: i32) -> Self {
        let local = unix_ms
            .saturating_add(i64::from(utc_offset_min) * 60_000)
            .clamp(YEAR_1_MS, YEAR_10000_MS - 1);
        let (days, in_day) = (local.div_euclid(DAY_MS), local.rem_euclid(DAY_MS));
        // Days of the proleptic Gregorian calendar, counted in eras of 400 years from March of
        // the year 0, so that the leap day is the last of its year.
        let days = days + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        let small = |value: i64| u8::try_from(value).unwrap_or_default();
        Self {
            year: u16::try_from(year).unwrap_or_default(),
            month: small(month),
            day: small(day),
            hour: small(in_day / 3_600_000),
            minute: small(in_day / 60_000 % 60),
            second: small(in_day / 1000 % 60),
            millis: u16::try_from(in_day % 1000).unwrap_or_default(),
        }
    }

    /// Whether the fields name a real date and time of day.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        (1..=12).contains(&self.month)
            && (1..=days_in_month(self.year, self.month)).contains(&self.day)
            && self.year > 0
            && self.hour < 24
            && self.minute < 60
            && self.second < 60
            && self.millis < 1000
    }

    /// The 14 digits of `DataTime`.
    #[must_use]
    pub fn digits14(&self) -> String {
        format!(
            "{:04}{:02}{:02}{:02}{:02}{:02}",
            self.year, self.month, self.day, self.hour, self.minute, self.second
        )
    }

    /// The 17 digits of `QN`.
    #[must_use]
    pub fn digits17(&self) -> String {
        format!("{}{:03}", self.digits14(), self.millis)
    }
}

impl fmt::Display for LocalTime {
    /// `2024-05-20T21:06:00`, with `.123` when there are milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            millis,
        } = self;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if *millis > 0 {
            write!(f, ".{millis:03}")
        } else {
            Ok(())
        }
    }
}

fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_devices_write() {
        let time = LocalTime::parse("20240520210600").unwrap();
        assert_eq!(time.to_string(), "2024-05-20T21:06:00");
        assert_eq!(time.digits14(), "20240520210600");
        assert_eq!(LocalTime::parse("20240520210600123").unwrap().millis, 123);
        assert_eq!(LocalTime::parse("2024052021060050").unwrap().millis, 500);
        assert_eq!(
            LocalTime::parse("20240520210600123").unwrap().digits17(),
            "20240520210600123"
        );
        assert!(LocalTime::parse("20240229000000").is_some());
    }

    #[test]
    fn counts_from_1970() {
        let text = |ms, offset| LocalTime::from_unix_ms(ms, offset).digits17();
        assert_eq!(text(0, 0), "19700101000000000");
        assert_eq!(text(1_716_210_420_123, 480), "20240520210700123");
        assert_eq!(text(1_709_164_800_000, 0), "20240229000000000");
        assert_eq!(text(-1, 0), "19691231235959999");
        assert_eq!(text(i64::MIN, 0), "00010101000000000");
        assert_eq!(text(i64::MAX, 480), "99991231235959999");
        let mut last = LocalTime::from_unix_ms(-1, 0);
        for day in 0..40_000 {
            let next = LocalTime::from_unix_ms(day * DAY_MS, 0);
            assert!(next.is_valid() && next > last, "{next}");
            last = next;
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "2024",
            "2024052021060",
            "202405202106001234",
            "20240230000000",
            "20230229000000",
            "20241301000000",
            "20240520240000",
            "20240520216000",
            "20240520210660",
            "2024052021060x",
            "00000101000000",
            "20240500000000",
            "２０２４０",
        ] {
            assert_eq!(LocalTime::parse(text), None, "{text}");
        }
    }
}
