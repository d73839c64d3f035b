//! What simulated stations count, and how long answers take.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Steps within one power of two: latencies are known to 12 %.
const STEPS: usize = 8;
/// Powers of two of microseconds: up to 2^40 us, 12 days.
const POWERS: usize = 40;

/// A histogram of latencies.
#[derive(Debug)]
pub struct Latencies([AtomicU64; STEPS * POWERS]);

impl Default for Latencies {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; STEPS * POWERS])
    }
}

impl Latencies {
    /// Counts one.
    pub fn record(&self, latency: Duration) {
        let us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        if let Some(place) = self.0.get(place(us)) {
            place.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.0
            .iter()
            .map(|place| place.load(Ordering::Relaxed))
            .sum()
    }

    /// The latency that `permille` ‰ of all did not exceed, to the resolution of the histogram;
    /// `None` before the first.
    pub fn percentile(&self, permille: u64) -> Option<Duration> {
        let count = self.count();
        let wanted = count.saturating_mul(permille).div_ceil(1_000).max(1);
        let mut seen = 0;
        for (index, place) in self.0.iter().enumerate() {
            seen += place.load(Ordering::Relaxed);
            if seen >= wanted {
                return Some(Duration::from_micros(upper(index)));
            }
        }
        None
    }
}

fn place(us: u64) -> usize {
    let us = us.max(1);
    let power = usize::try_from(us.ilog2()).unwrap_or(0);
    let within = us - (1 << us.ilog2());
    let step = usize::try_from(within.saturating_mul(8) >> us.ilog2()).unwrap_or(0);
    (power * STEPS + step).min(STEPS * POWERS - 1)
}

/// The longest latency counted at a place, us.
fn upper(place: usize) -> u64 {
    let power = place / STEPS;
    let step = u64::try_from(place % STEPS).unwrap_or(0);
    let base = 1_u64 << power;
    base + (base * (step + 1)).div_ceil(8) - 1
}

macro_rules! tally {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counts of one station or of many.
        #[derive(Debug, Default)]
        pub struct Tally {
            $($(#[$doc])* pub $name: AtomicU64,)*
            /// From the last byte of a packet written to its answer read.
            pub latencies: Latencies,
        }

        impl Tally {
            /// Every count with its name, in a fixed order.
            pub fn counts(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name.load(Ordering::Relaxed)),)*]
            }
        }
    };
}

tally! {
    /// Connections made.
    connected,
    /// Attempts to connect that failed.
    connect_failed,
    /// Connections lost, given up ones included.
    disconnected,
    /// Packets written, retries included.
    sent,
    /// Packets answered.
    acked,
    /// Packets written again because no answer came in time.
    retried,
    /// Times all retries were spent and the connection given up.
    gave_up,
    /// Packets sent late, after an outage.
    resent,
    /// Messages lost because the buffer of an outage was full.
    dropped,
    /// Packets sent twice on purpose.
    duplicated,
    /// Packets damaged on the line on purpose.
    damaged,
    /// Connections cut on purpose.
    cut,
    /// Answers to nothing that was waiting (those to duplicates are).
    stray_answers,
    /// Requests of the centre answered.
    requests,
    /// Bytes that were no frame, from the centre.
    garbage_bytes,
}

impl Tally {
    /// Adds one to a count.
    pub(super) fn one(count: &AtomicU64) {
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds to a count.
    pub(super) fn add(count: &AtomicU64, more: usize) {
        count.fetch_add(u64::try_from(more).unwrap_or(0), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_their_resolution() {
        let latencies = Latencies::default();
        assert_eq!(latencies.percentile(500), None);
        for us in 1..=10_000 {
            latencies.record(Duration::from_micros(us));
        }
        assert_eq!(latencies.count(), 10_000);
        for (permille, exact) in [(500, 5_000), (900, 9_000), (990, 9_900), (1_000, 10_000)] {
            let found = latencies.percentile(permille).expect("counted").as_micros();
            assert!(
                (exact..exact + exact / 7).contains(&found),
                "{permille}: {found}"
            );
        }
    }

    #[test]
    fn the_longest_and_the_shortest_have_a_place() {
        let latencies = Latencies::default();
        latencies.record(Duration::ZERO);
        latencies.record(Duration::MAX);
        assert_eq!(latencies.count(), 2);
        assert_eq!(latencies.percentile(1), Some(Duration::from_micros(1)));
    }
}
