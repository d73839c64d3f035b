//! Times of the day in which rules hold.

use crate::model::policy::{DayPart, Days};
use crate::model::time::{DAY_MS, MINUTE_MS};
use crate::model::{Timestamp, UtcOffset};
use chrono::{Datelike, Weekday};

/// Minutes of a day.
const DAY_MIN: i64 = DAY_MS / MINUTE_MS;

fn minute_of_day(at: Timestamp, offset: UtcOffset) -> i64 {
    let local = offset.local(at);
    let midnight = local.date().and_hms_opt(0, 0, 0);
    midnight.map_or(0, |start| (local - start).num_minutes())
}

fn on_day(days: Days, at: Timestamp, offset: UtcOffset) -> bool {
    let weekend = matches!(offset.local(at).weekday(), Weekday::Sat | Weekday::Sun);
    match days {
        Days::All => true,
        Days::Weekdays => !weekend,
        Days::Weekends => weekend,
    }
}

/// Whether `at` lies on one of the days and in the part of the day. A part that runs over midnight
/// belongs to the day on which it began.
pub(super) fn within(days: Days, part: Option<DayPart>, at: Timestamp, offset: UtcOffset) -> bool {
    let Some(part) = part else {
        return on_day(days, at, offset);
    };
    let (from, until) = (i64::from(part.from_min), i64::from(part.until_min));
    let now = minute_of_day(at, offset);
    let yesterday = at.plus_ms(-DAY_MS);
    if from <= until {
        (from..until).contains(&now) && on_day(days, at, offset)
    } else {
        (now >= from && on_day(days, at, offset))
            || (now < until && on_day(days, yesterday, offset))
    }
}

/// When the part of the day that holds at `at` is over.
pub(super) fn end_of(part: DayPart, at: Timestamp, offset: UtcOffset) -> Timestamp {
    let now = minute_of_day(at, offset);
    let until = i64::from(part.until_min);
    let ahead = (until - now).rem_euclid(DAY_MIN);
    let ahead = if ahead == 0 { DAY_MIN } else { ahead };
    let minute = at.0.div_euclid(MINUTE_MS) * MINUTE_MS;
    Timestamp(minute).plus_ms(ahead * MINUTE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-02-27 is a Friday.
    fn friday(hour: i64, minute: i64) -> Timestamp {
        let midnight = UtcOffset::default().instant(
            chrono::NaiveDate::from_ymd_opt(2026, 2, 27)
                .unwrap()
                .and_hms_opt(0, 0, 0)
                .unwrap(),
        );
        midnight.plus_ms((hour * 60 + minute) * MINUTE_MS)
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_began() {
        let night = DayPart {
            from_min: 22 * 60,
            until_min: 7 * 60,
        };
        let offset = UtcOffset::default();
        let during = |at| within(Days::Weekdays, Some(night), at, offset);
        assert!(!during(friday(21, 59)));
        assert!(during(friday(22, 0)));
        assert!(during(friday(24 + 6, 59)), "the night of Friday goes on");
        assert!(!during(friday(24 + 7, 0)));
        assert!(!during(friday(24 + 22, 30)), "Saturday's night is another");
        assert_eq!(end_of(night, friday(23, 10), offset), friday(24 + 7, 0));
        assert_eq!(end_of(night, friday(24 + 6, 59), offset), friday(24 + 7, 0));
    }

    #[test]
    fn without_a_part_the_whole_day_counts() {
        let offset = UtcOffset::default();
        assert!(within(Days::Weekdays, None, friday(0, 0), offset));
        assert!(!within(Days::Weekends, None, friday(12, 0), offset));
        assert!(within(Days::Weekends, None, friday(36, 0), offset));
    }
}
