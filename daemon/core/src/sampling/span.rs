//! Intervals on the site's clock.

use crate::model::time::{HOUR_MS, MINUTE_MS};
use crate::model::{Timestamp, UtcOffset};
use serde::{Deserialize, Serialize};

/// An interval: `start` inclusive, `end` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First instant.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
}

impl Span {
    /// The interval of `len_ms` that contains `at`, counted from a local midnight. Lengths that
    /// divide a day begin anew each midnight. A length below one millisecond counts as one.
    pub fn containing(at: Timestamp, len_ms: i64, offset: UtcOffset) -> Self {
        let len_ms = len_ms.max(1);
        let shift = i64::from(offset.minutes()) * MINUTE_MS;
        let since = at.plus_ms(shift).0.rem_euclid(len_ms);
        let start = at.plus_ms(-since);
        Self {
            start,
            end: start.plus_ms(len_ms),
        }
    }

    /// Where the last hour of it begins.
    pub fn last_hour(self) -> Timestamp {
        self.end.plus_ms(-HOUR_MS)
    }

    /// Its length, ms.
    pub fn len_ms(self) -> i64 {
        self.end.since_ms(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::{DAY_MS, SECOND_MS};

    #[test]
    fn days_begin_at_the_sites_midnight() {
        let offset = UtcOffset::default();
        // 2020-02-29T23:59:59.999+08:00, the last millisecond of a leap month.
        let last = Timestamp(1_582_991_999_999);
        let day = Span::containing(last, DAY_MS, offset);
        assert_eq!(offset.iso(day.start), "2020-02-29T00:00:00+08:00");
        assert_eq!(offset.iso(day.end), "2020-03-01T00:00:00+08:00");
        let next = Span::containing(last.plus_ms(1), DAY_MS, offset);
        assert_eq!(next.start, day.end);
    }

    #[test]
    fn every_instant_lies_in_exactly_one() {
        let offset = UtcOffset::from_minutes(-210).unwrap();
        for len in [5 * SECOND_MS, 10 * MINUTE_MS, HOUR_MS, DAY_MS] {
            for at in [-1, 0, 1, 1_585_584_000_000, 1_585_584_000_001] {
                let span = Span::containing(Timestamp(at), len, offset);
                assert!(span.start.0 <= at && at < span.end.0);
                assert_eq!(span.len_ms(), len);
                assert_eq!(Span::containing(span.start, len, offset), span);
            }
        }
    }
}
