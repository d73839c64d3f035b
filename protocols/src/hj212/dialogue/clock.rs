//! When to set a logger's clock, and when to stop trying.

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
