//! How long to wait after trouble.

use cems_core::model::time::{MINUTE_MS, SECOND_MS};
use std::time::Duration;

/// First pause after an attempt that failed; doubled with each.
const PAUSE_FIRST_MS: i64 = 5 * SECOND_MS;
/// Longest pause.
const PAUSE_MAX_MS: i64 = 10 * MINUTE_MS;
/// A pause is up to a quarter longer or shorter, so that many do not come back at once.
const JITTER_SHARE: i64 = 4;

/// Capped exponential back-off with jitter, in milliseconds; never sooner than the other side asked
/// for. `attempts` counts the one that failed, `chance` is any number.
pub(crate) fn pause_ms(attempts: u32, asked: Option<Duration>, chance: u32) -> i64 {
    let doublings = attempts.saturating_sub(1).min(16);
    let pause = PAUSE_FIRST_MS
        .saturating_mul(1_i64 << doublings)
        .min(PAUSE_MAX_MS);
    let span = pause / JITTER_SHARE;
    let jitter = i64::from(chance).rem_euclid(2 * span + 1) - span;
    let asked = asked.map_or(0, |asked| i64::try_from(asked.as_millis()).unwrap_or(0));
    (pause + jitter).max(asked)
}

/// Any number. Without randomness the jitter is gone, nothing else.
pub(crate) fn chance() -> u32 {
    getrandom::u32().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_bound_and_differ_by_a_quarter() {
        let middle = |attempts| {
            let span = pause_ms(attempts, None, 0);
            // With `chance` 0 a pause is as short as it gets: three quarters.
            span * 4 / 3
        };
        assert_eq!([1, 2, 3, 4].map(middle), [5_000, 10_000, 20_000, 40_000]);
        assert_eq!(middle(40), PAUSE_MAX_MS);
        for chance in [0, 1, 777_777, u32::MAX] {
            let pause = pause_ms(1, None, chance);
            assert!((3_750..=6_250).contains(&pause), "{pause}");
        }
        let asked = Some(Duration::from_secs(90));
        assert_eq!(pause_ms(1, asked, 5), 90_000);
    }
}
