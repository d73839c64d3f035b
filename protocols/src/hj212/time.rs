//! Times as devices write them: digits, no zone (Beijing time by custom).

use std::fmt;

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

impl LocalTime {
    /// Reads 14 to 17 digits `YYYYMMDDhhmmss[fraction]`; digits past 14 are fractions of a second.
    /// `None` when the text has another shape or names no real date and time.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !(14..=17).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let byte = |from: usize| text[from..from + 2].parse::<u8>().ok();
        let mut millis = 0u16;
        for place in 14..17 {
            millis = millis * 10 + u16::from(bytes.get(place).map_or(0, |digit| digit - b'0'));
        }
        let time = Self {
            year: text[..4].parse().ok()?,
            month: byte(4)?,
            day: byte(6)?,
            hour: byte(8)?,
            minute: byte(10)?,
            second: byte(12)?,
            millis,
        };
        time.is_valid().then_some(time)
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
