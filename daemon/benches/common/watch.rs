//! What a part of a benchmark took.

use std::time::{Duration, Instant};

/// Time on the wall and on the processors.
pub(crate) struct Watch {
    pub(crate) began: Instant,
    cpu: Duration,
}

impl Watch {
    pub(crate) fn start() -> Self {
        Self {
            began: Instant::now(),
            cpu: cpu(OWN),
        }
    }

    /// One line: values a second, and processor time of this process for each.
    pub(crate) fn say(&self, name: &str, values: usize) {
        report(name, values, self.began.elapsed(), cpu(OWN) - self.cpu);
    }
}

/// One line of a report; gives values a second.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn report(name: &str, values: usize, wall: Duration, cpu: Duration) -> f64 {
    let rate = values as f64 / wall.as_secs_f64();
    let each = cpu.as_secs_f64() * 1e9 / values as f64;
    println!("{name:<46} {rate:>12.0} values/s {each:>8.0} ns of CPU/value");
    rate
}

/// Where Linux tells the processor time of a process itself (user, system): fields of
/// `/proc/self/stat` behind the name.
const OWN: [usize; 2] = [11, 12];

/// Processor time used so far, as Linux tells it in two fields.
pub(crate) fn cpu(fields: [usize; 2]) -> Duration {
    /// Linux counts in hundredths of a second for programs, whatever it does inside.
    const TICK_MS: u64 = 10;
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = text.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let told: Vec<&str> = behind_name.split(' ').collect();
    let ticks = |at: usize| -> u64 { told.get(at).map_or(0, |text| text.parse().unwrap()) };
    Duration::from_millis(fields.map(ticks).iter().sum::<u64>() * TICK_MS)
}
