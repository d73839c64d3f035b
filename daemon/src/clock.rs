//! The only place that reads the machine's clock.
//!
//! A demo may let time run faster: [`Clock::simulated`] maps real time to simulated time linearly.

use cems_core::model::Timestamp;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Fastest simulated time: one real second is at most an hour.
pub const SPEED_MAX: u32 = 3_600;

/// Where time comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock. It may step (NTP); the journal never lets its own time run backwards.
    Real,
    /// Time that started at `base` and runs `speed` times as fast as real time.
    Simulated {
        /// Simulated time at `started`.
        base: Timestamp,
        /// Real instant of the start; that of the runtime, so that tests can pause it.
        started: Instant,
        /// Simulated seconds per real second, 1..=[`SPEED_MAX`].
        speed: u32,
    },
}

impl Clock {
    /// Time that starts now at `base` and runs `speed` times as fast (clamped).
    pub fn simulated(base: Timestamp, speed: u32) -> Self {
        Self::Simulated {
            base,
            started: Instant::now(),
            speed: speed.clamp(1, SPEED_MAX),
        }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Real => Timestamp(wall_ms()),
            Self::Simulated {
                base,
                started,
                speed,
            } => {
                let passed = started.elapsed().saturating_mul(*speed);
                base.plus_ms(i64::try_from(passed.as_millis()).unwrap_or(i64::MAX))
            }
        }
    }

    /// How long to wait, in real time, until `at`; zero when it has passed.
    pub fn until(&self, at: Timestamp) -> Duration {
        let ms = u64::try_from(at.since_ms(self.now())).unwrap_or(0);
        Duration::from_millis(ms.div_ceil(u64::from(self.speed())))
    }

    /// Real time that `simulated` time takes.
    pub fn shorten(&self, simulated: Duration) -> Duration {
        simulated / self.speed()
    }

    /// How many times faster than real time it runs.
    pub fn speed(&self) -> u32 {
        match self {
            Self::Real => 1,
            Self::Simulated { speed, .. } => *speed,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place")]
fn wall_ms() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simulated_time_runs_at_its_speed() {
        let clock = Clock::simulated(Timestamp(1_000_000), 60);
        assert!(clock.now() >= Timestamp(1_000_000));
        let hour = clock.until(clock.now().plus_ms(3_600_000));
        assert!(hour <= Duration::from_secs(60), "{hour:?}");
        assert!(hour >= Duration::from_secs(50), "{hour:?}");
        assert_eq!(clock.until(Timestamp(0)), Duration::ZERO);
        assert_eq!(
            clock.shorten(Duration::from_secs(60)),
            Duration::from_secs(1)
        );
    }

    #[test]
    fn speed_is_clamped() {
        assert_eq!(Clock::simulated(Timestamp(0), 0).speed(), 1);
        assert_eq!(Clock::simulated(Timestamp(0), 1_000_000).speed(), SPEED_MAX);
    }
}
