//! What happens to a simulated outlet, by the clock: the story a demo tells or a test checks.

use cems_core::model::Timestamp;
use cems_core::model::time::{HOUR_MS, MINUTE_MS};
use smol_str::SmolStr;

/// An exceedance builds up over this long, as a failing treatment does, not at once.
const RAMP_MS: i64 = 5 * MINUTE_MS;

/// What goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incident {
    /// A factor reads this many times higher, in ‰ (1600: 1.6 times).
    Exceed {
        /// 2017 code.
        factor: SmolStr,
        /// Multiplier, ‰.
        permille: i64,
    },
    /// The station sends nothing and has no connection.
    Silence,
    /// Flag `D`: the analyser is out of order and reads zero.
    Fault,
    /// Flag `M`: the analyser is being maintained; readings go on.
    Maintenance,
    /// Flag `F`: the source is stopped.
    Stopped,
    /// Flag `C`: the analyser measures calibration gas.
    Calibration,
    /// The station's clock is ahead by this much (behind, when negative), ms.
    ClockOffset(i64),
    /// A factor drifts away by this much an hour, ‰ of its value (down, when negative).
    Drift {
        /// 2017 code.
        factor: SmolStr,
        /// Change in an hour, ‰.
        permille_per_hour: i64,
    },
    /// A factor goes on showing what it showed when this began.
    Constant {
        /// 2017 code.
        factor: SmolStr,
    },
    /// One byte of every n-th frame is damaged on the line.
    Damage {
        /// n; 1: every frame.
        every: u32,
    },
    /// The connection is cut after this many frames, again and again.
    Reconnect {
        /// Frames of one connection.
        frames: u32,
    },
}

impl Incident {
    /// The data flag of HJ 212-2017 table 8 it gives to values.
    pub fn flag(&self) -> Option<&'static str> {
        match self {
            Self::Fault => Some("D"),
            Self::Maintenance => Some("M"),
            Self::Stopped => Some("F"),
            Self::Calibration => Some("C"),
            Self::Exceed { .. }
            | Self::Silence
            | Self::ClockOffset(_)
            | Self::Drift { .. }
            | Self::Constant { .. }
            | Self::Damage { .. }
            | Self::Reconnect { .. } => None,
        }
    }
}

/// Incidents with their times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    incident: Incident,
    from: Timestamp,
    until: Option<Timestamp>,
}

impl Entry {
    fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

impl Script {
    /// Adds an incident from (inclusive) until (exclusive); `None`: it does not end.
    #[must_use]
    pub fn with(mut self, incident: Incident, from: Timestamp, until: Option<Timestamp>) -> Self {
        self.0.push(Entry {
            incident,
            from,
            until,
        });
        self
    }

    fn active(&self, at: Timestamp) -> impl Iterator<Item = &Entry> {
        self.0.iter().filter(move |entry| entry.holds(at))
    }

    /// The state of the analysers, the gravest of what holds: stopped, fault, calibration,
    /// maintenance.
    pub fn state(&self, at: Timestamp) -> Option<&Incident> {
        let rank = |incident: &Incident| match incident {
            Incident::Stopped => 0,
            Incident::Fault => 1,
            Incident::Calibration => 2,
            _ => 3,
        };
        self.active(at)
            .map(|entry| &entry.incident)
            .filter(|incident| incident.flag().is_some())
            .min_by_key(|incident| rank(incident))
    }

    /// By how much a factor reads higher, ‰; 1000 when nothing is wrong.
    pub fn permille(&self, factor: &str, at: Timestamp) -> i64 {
        self.active(at)
            .fold(1_000, |product, entry| match &entry.incident {
                Incident::Exceed {
                    factor: own,
                    permille,
                } if own == factor => {
                    let grown = at.since_ms(entry.from).min(RAMP_MS);
                    product * (1_000 + (permille - 1_000) * grown / RAMP_MS) / 1_000
                }
                Incident::Drift {
                    factor: own,
                    permille_per_hour,
                } if own == factor => {
                    let gone = at.since_ms(entry.from);
                    let drifted = permille_per_hour.saturating_mul(gone) / HOUR_MS;
                    product * (1_000 + drifted).max(0) / 1_000
                }
                _ => product,
            })
    }

    /// Since when a factor shows the same value; `None` while it moves.
    pub fn constant_since(&self, factor: &str, at: Timestamp) -> Option<Timestamp> {
        self.active(at)
            .filter(|entry| {
                matches!(&entry.incident, Incident::Constant { factor: own } if own == factor)
            })
            .map(|entry| entry.from)
            .min()
    }

    /// Every which frame is damaged on the line; `None`: none.
    pub fn damages_every(&self, at: Timestamp) -> Option<u32> {
        self.active(at)
            .filter_map(|entry| match entry.incident {
                Incident::Damage { every } => Some(every.max(1)),
                _ => None,
            })
            .min()
    }

    /// After how many frames the connection is cut; `None`: it stays.
    pub fn cuts_after(&self, at: Timestamp) -> Option<u32> {
        self.active(at)
            .filter_map(|entry| match entry.incident {
                Incident::Reconnect { frames } => Some(frames.max(1)),
                _ => None,
            })
            .min()
    }

    /// True while the station is silent.
    pub fn silent(&self, at: Timestamp) -> bool {
        self.active(at)
            .any(|entry| entry.incident == Incident::Silence)
    }

    /// The first instant from `at` on at which the station is not silent; `None`: never again.
    pub fn speaks_from(&self, at: Timestamp) -> Option<Timestamp> {
        let mut at = at;
        while let Some(entry) = self
            .active(at)
            .find(|entry| entry.incident == Incident::Silence)
        {
            at = entry.until?;
        }
        Some(at)
    }

    /// How far the station's clock is ahead, ms.
    pub fn clock_offset_ms(&self, at: Timestamp) -> i64 {
        self.active(at)
            .map(|entry| match entry.incident {
                Incident::ClockOffset(ms) => ms,
                _ => 0,
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp(minute * MINUTE_MS)
    }

    #[test]
    fn an_exceedance_builds_up_and_ends_at_once() {
        let nox = Incident::Exceed {
            factor: "a21002".into(),
            permille: 1_800,
        };
        let script = Script::default().with(nox, at(10), Some(at(60)));
        let seen = |minute| script.permille("a21002", at(minute));
        assert_eq!(
            [seen(9), seen(10), seen(12), seen(15), seen(59), seen(60)],
            [1_000, 1_000, 1_320, 1_800, 1_800, 1_000]
        );
        assert_eq!(script.permille("a21026", at(30)), 1_000);
    }

    #[test]
    fn the_gravest_state_shows() {
        let script = Script::default()
            .with(Incident::Maintenance, at(0), None)
            .with(Incident::Fault, at(10), Some(at(20)))
            .with(Incident::Stopped, at(15), Some(at(16)));
        let flag = |minute| script.state(at(minute)).and_then(Incident::flag);
        assert_eq!(flag(-1), None);
        assert_eq!(flag(5), Some("M"));
        assert_eq!(flag(12), Some("D"));
        assert_eq!(flag(15), Some("F"));
        assert_eq!(flag(20), Some("M"));
    }

    #[test]
    fn silences_that_touch_are_one() {
        let script = Script::default()
            .with(Incident::Silence, at(0), Some(at(10)))
            .with(Incident::Silence, at(10), Some(at(20)))
            .with(Incident::Silence, at(50), None);
        assert!(script.silent(at(10)) && !script.silent(at(20)));
        assert_eq!(script.speaks_from(at(5)), Some(at(20)));
        assert_eq!(script.speaks_from(at(30)), Some(at(30)));
        assert_eq!(script.speaks_from(at(51)), None);
    }

    #[test]
    fn clock_offsets_add_up() {
        let script = Script::default()
            .with(Incident::ClockOffset(43_200_000), at(0), None)
            .with(Incident::ClockOffset(-1_000), at(5), Some(at(6)));
        assert_eq!(script.clock_offset_ms(at(1)), 43_200_000);
        assert_eq!(script.clock_offset_ms(at(5)), 43_199_000);
        assert_eq!(script.clock_offset_ms(at(-1)), 0);
    }

    #[test]
    fn a_drift_grows_with_time_and_never_turns_a_value_over() {
        let drift = |permille_per_hour| Incident::Drift {
            factor: "a21026".into(),
            permille_per_hour,
        };
        let script = Script::default().with(drift(100), at(0), Some(at(600)));
        let seen = |minute| script.permille("a21026", at(minute));
        assert_eq!(
            [seen(0), seen(30), seen(120), seen(600)],
            [1_000, 1_050, 1_200, 1_000]
        );
        let script = Script::default().with(drift(-600), at(0), None);
        assert_eq!(script.permille("a21026", at(600)), 0);
    }

    #[test]
    fn what_the_line_does_is_known_by_the_clock() {
        let constant = Incident::Constant {
            factor: "a21002".into(),
        };
        let script = Script::default()
            .with(constant, at(5), Some(at(9)))
            .with(Incident::Damage { every: 7 }, at(0), None)
            .with(Incident::Damage { every: 3 }, at(4), Some(at(6)))
            .with(Incident::Reconnect { frames: 0 }, at(8), None);
        assert_eq!(script.constant_since("a21002", at(7)), Some(at(5)));
        assert_eq!(script.constant_since("a21026", at(7)), None);
        assert_eq!(script.constant_since("a21002", at(9)), None);
        assert_eq!(
            [3, 5, 6].map(|m| script.damages_every(at(m))),
            [Some(7), Some(3), Some(7)]
        );
        assert_eq!([7, 8].map(|m| script.cuts_after(at(m))), [None, Some(1)]);
    }
}
