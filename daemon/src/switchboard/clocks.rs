//! Clocks of loggers: when one is wrong for certain, and whether it follows 1012.

use super::{Switchboard, Wish};
use crate::events::{NOTED_IGNORES_CLOCK, NOTED_SETS_CLOCK};
use cems_core::model::OutletId;
use cems_core::model::time::SECOND_MS;
use cems_protocols::hj212::dialogue::{ClockKeeper, ClockRules};

/// Frames in a row that must agree about a difference: one that is sent again carries its old
/// time, and a store that is emptied after an outage sends many of those.
const AGREEING_FRAMES: u32 = 3;
/// How far they may differ, ms: the way through a mobile network.
const AGREEING_MS: u64 = 5_000;

/// What a frame told about the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockNews {
    /// For the journal, beside the frame: the clock followed, or is known not to follow.
    pub noted: Option<&'static str>,
}

/// The clock of one logger.
pub(super) struct ClockWatch {
    keeper: ClockKeeper,
    tolerance_ms: i64,
    last_ms: Option<i64>,
    agreeing: u32,
    /// It was told the time since the last news.
    told: bool,
    ignored: bool,
}

impl ClockWatch {
    /// A clock that is left alone within `tolerance_ms`. `ignores`: it is known not to follow.
    pub(super) fn new(tolerance_ms: i64, ignores: bool) -> Self {
        let rules = ClockRules {
            tolerance_ms,
            ..ClockRules::default()
        };
        Self {
            keeper: if ignores {
                ClockKeeper::ignoring(rules, None)
            } else {
                ClockKeeper::new(rules)
            },
            tolerance_ms,
            last_ms: None,
            agreeing: 0,
            told: false,
            ignored: ignores,
        }
    }

    /// The clock was seen. Gives whether to set it now, and what to note.
    pub(super) fn see(&mut self, now_ms: i64, offset_ms: i64) -> (bool, ClockNews) {
        let agrees = self
            .last_ms
            .is_some_and(|last| last.abs_diff(offset_ms) <= AGREEING_MS);
        self.agreeing = if agrees { self.agreeing + 1 } else { 1 };
        self.last_ms = Some(offset_ms);
        if self.agreeing < AGREEING_FRAMES {
            return (false, ClockNews::default());
        }
        self.agreeing = AGREEING_FRAMES;
        let mut noted = None;
        if offset_ms.unsigned_abs() <= self.tolerance_ms.unsigned_abs() && self.told {
            self.told = false;
            self.ignored = false;
            noted = Some(NOTED_SETS_CLOCK);
        }
        let due = self.keeper.observe(now_ms, offset_ms);
        if self.keeper.is_ignored() && !self.ignored {
            self.ignored = true;
            noted = Some(NOTED_IGNORES_CLOCK);
        }
        if due {
            self.keeper.tried(now_ms, offset_ms);
            self.told = true;
            // What comes next may have been under way before the clock was set.
            self.agreeing = 0;
            self.last_ms = None;
        }
        (due, ClockNews { noted })
    }
}

impl Switchboard {
    /// The clock of a logger was seen `offset_ms` ahead of ours. When it is to be set, the
    /// steward is told.
    pub fn see_clock(&self, outlet: &OutletId, offset_ms: i64) -> ClockNews {
        let Some(tolerance_s) = self.settings.clock_tolerance_s else {
            return ClockNews::default();
        };
        let now = self.clock.now();
        let mut lines = self.lines();
        let line = lines.by_outlet.entry(outlet.clone()).or_default();
        let watch = line
            .clock
            .get_or_insert_with(|| ClockWatch::new(i64::from(tolerance_s) * SECOND_MS, false));
        let (due, news) = watch.see(now.0, offset_ms);
        drop(lines);
        if due {
            self.wish(Wish::SetClock(outlet.clone()));
        }
        news
    }

    /// A logger that is known from earlier days not to follow 1012.
    pub(super) fn clock_ignores(&self, outlet: &OutletId) {
        if let Some(tolerance_s) = self.settings.clock_tolerance_s {
            let mut lines = self.lines();
            let line = lines.by_outlet.entry(outlet.clone()).or_default();
            line.clock
                .get_or_insert_with(|| ClockWatch::new(i64::from(tolerance_s) * SECOND_MS, true));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cems_core::model::time::MINUTE_MS;

    /// Minutes at which the clock was set, and what was noted when.
    fn day(offset: impl Fn(i64, bool) -> i64) -> (Vec<i64>, Vec<(i64, &'static str)>) {
        let mut watch = ClockWatch::new(30_000, false);
        let (mut set, mut notes) = (Vec::new(), Vec::new());
        for minute in 0..24 * 60 {
            let (due, news) = watch.see(minute * MINUTE_MS, offset(minute, !set.is_empty()));
            if due {
                set.push(minute);
            }
            notes.extend(news.noted.map(|noted| (minute, noted)));
        }
        (set, notes)
    }

    #[test]
    fn a_clock_that_follows_is_set_once_and_said_to_follow() {
        let (set, notes) = day(|_, told| if told { 0 } else { 600_000 });
        assert_eq!(set, [2]);
        assert_eq!(notes, [(5, NOTED_SETS_CLOCK)]);
    }

    #[test]
    fn a_logger_that_ignores_it_is_left_in_peace() {
        let (set, notes) = day(|_, _| -600_000);
        assert_eq!(set.len(), 3, "{set:?}");
        assert_eq!(notes.len(), 1);
        assert_eq!(notes[0].1, NOTED_IGNORES_CLOCK);
    }

    #[test]
    fn old_frames_sent_again_are_no_clock() {
        // Every frame is older than the one before: the store after an outage.
        let (set, notes) = day(|minute, _| -600_000 - minute * 30_000);
        assert!(set.is_empty() && notes.is_empty());
    }
}
