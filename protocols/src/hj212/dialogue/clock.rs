//! When to set a logger's clock, and when to stop trying.

use super::super::time::LocalTime;

/// The wall clock this much later, without fractions of a second.
pub(super) fn later_by(time: LocalTime, ms: i64) -> LocalTime {
    // Days since 1970-01-01 in the proleptic Gregorian calendar, years begun in March.
    let (year, month) = (i64::from(time.year), i64::from(time.month));
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = year * 365 + leap_days + (153 * month + 2) / 5 + i64::from(time.day) - 719_469;
    let seconds =
        i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + i64::from(time.second);
    let moved = (days * 86_400 + seconds).saturating_add(ms / 1000);
    LocalTime::from_unix_ms(moved.saturating_mul(1000), 0)
}

/// When a clock is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockRules {
    /// Difference that is left alone, ms either way.
    pub tolerance_ms: i64,
    /// Least time between two attempts, ms.
    pub pause_ms: i64,
    /// Attempts without effect before the logger counts as one that ignores 1012.
    pub ignored_max: u32,
    /// Least time between attempts on a logger that ignores them, ms.
    pub ignored_pause_ms: i64,
}

impl Default for ClockRules {
    /// 30 s of difference, an attempt in ten minutes, after three without effect one a day.
    fn default() -> Self {
        Self {
            tolerance_ms: 30_000,
            pause_ms: 600_000,
            ignored_max: 3,
            ignored_pause_ms: 86_400_000,
        }
    }
}

/// Decides when a 1012 is worth sending to one logger. Some loggers ignore every one; a centre
/// that tries again with each frame talks to them for ever.
#[derive(Clone, Debug)]
pub struct ClockKeeper {
    rules: ClockRules,
    /// When the last 1012 went out.
    tried_ms: Option<i64>,
    /// The difference at that time, until it is seen what came of it.
    offset_then_ms: Option<i64>,
    /// Attempts in a row that changed nothing.
    ignored: u32,
}

impl ClockKeeper {
    /// A logger of which nothing is known.
    #[must_use]
    pub fn new(rules: ClockRules) -> Self {
        Self {
            rules,
            tried_ms: None,
            offset_then_ms: None,
            ignored: 0,
        }
    }

    /// A logger known to have ignored earlier attempts, the last one at `tried_ms`.
    #[must_use]
    pub fn ignoring(rules: ClockRules, tried_ms: Option<i64>) -> Self {
        Self {
            tried_ms,
            ignored: rules.ignored_max,
            ..Self::new(rules)
        }
    }

    /// The logger's clock was seen, `offset_ms` ahead of ours. Gives `true` when a 1012 is due:
    /// send it and call [`ClockKeeper::tried`].
    pub fn observe(&mut self, now_ms: i64, offset_ms: i64) -> bool {
        let off = offset_ms.unsigned_abs() > self.rules.tolerance_ms.unsigned_abs();
        if !off {
            self.ignored = 0;
            self.offset_then_ms = None;
            return false;
        }
        if !self.is_due(now_ms) {
            return false;
        }
        // The pause is over and the clock still goes wrong by about as much.
        if let Some(then) = self.offset_then_ms.take() {
            let moved = offset_ms.abs_diff(then) > self.rules.tolerance_ms.unsigned_abs();
            self.ignored = if moved {
                0
            } else {
                self.ignored.saturating_add(1)
            };
        }
        self.is_due(now_ms)
    }

    /// A 1012 goes out now, with the clock `offset_ms` ahead.
    pub fn tried(&mut self, now_ms: i64, offset_ms: i64) {
        self.tried_ms = Some(now_ms);
        self.offset_then_ms = Some(offset_ms);
    }

    /// Whether the logger counts as one that ignores 1012.
    #[must_use]
    pub fn is_ignored(&self) -> bool {
        self.ignored >= self.rules.ignored_max
    }

    fn is_due(&self, now_ms: i64) -> bool {
        let pause = if self.is_ignored() {
            self.rules.ignored_pause_ms
        } else {
            self.rules.pause_ms
        };
        self.tried_ms
            .is_none_or(|tried| now_ms >= tried.saturating_add(pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attempts over `hours`, the clock seen every minute, following or not.
    fn attempts(hours: i64, follows: bool) -> Vec<i64> {
        let mut keeper = ClockKeeper::new(ClockRules::default());
        let mut offset = 3_600_000;
        let mut at = Vec::new();
        for minute in 0..hours * 60 {
            if keeper.observe(minute * 60_000, offset) {
                keeper.tried(minute * 60_000, offset);
                at.push(minute);
                if follows {
                    offset = 0;
                }
            }
        }
        at
    }

    #[test]
    fn the_wall_clock_goes_on_over_every_border() {
        let later = |text, ms| later_by(LocalTime::parse(text).unwrap(), ms).digits14();
        assert_eq!(later("20231231235959", 1000), "20240101000000");
        assert_eq!(later("20240228235959", 1999), "20240229000000");
        assert_eq!(later("19700101000000", -1000), "19691231235959");
        assert_eq!(later("99991231235959", i64::MAX), "99991231235959");
        for day in 0..40_000 {
            let time = LocalTime::from_unix_ms(day * 86_400_000 + 5000, 0);
            assert_eq!(later_by(time, 0), time);
        }
    }

    #[test]
    fn a_clock_that_follows_is_set_once() {
        assert_eq!(attempts(48, true), [0]);
    }

    #[test]
    fn a_logger_that_ignores_it_is_left_in_peace_but_for_once_a_day() {
        assert_eq!(attempts(72, false), [0, 10, 20, 1460, 2900]);
    }

    #[test]
    fn a_small_difference_is_left_alone() {
        let mut keeper = ClockKeeper::new(ClockRules::default());
        assert!(!keeper.observe(0, -30_000));
        assert!(keeper.observe(0, -30_001));
    }

    #[test]
    fn what_was_known_of_a_logger_survives_a_restart() {
        let mut keeper = ClockKeeper::ignoring(ClockRules::default(), Some(0));
        assert!(keeper.is_ignored());
        assert!(!keeper.observe(86_399_999, 60_000));
        assert!(keeper.observe(86_400_000, 60_000));
    }
}
