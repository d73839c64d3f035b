//! What the operating system says about this process, under the names that Prometheus's own client
//! libraries use, so that what people have for other programs fits. Elsewhere than on Linux nothing
//! is shown.

use metrics::gauge;
use std::fs::{read_dir, read_to_string};

/// Ticks of a second in `/proc`: what Linux tells programs on every kind of machine we run on.
const TICKS_PER_S: f64 = 100.0;
/// Bytes of what `/proc` calls kB.
const KIB: f64 = 1_024.0;

/// Sets the gauges to what is so now.
pub(super) fn show() {
    if let Some(bytes) = resident_bytes(&read_to_string("/proc/self/status").unwrap_or_default()) {
        gauge!("process_resident_memory_bytes").set(bytes);
    }
    if let Some(times) = Times::read(&read_to_string("/proc/self/stat").unwrap_or_default()) {
        // It only grows, but counters here are whole numbers.
        gauge!("process_cpu_seconds_total").set(times.cpu_s);
        if let Some(boot_s) = boot_s(&read_to_string("/proc/stat").unwrap_or_default()) {
            gauge!("process_start_time_seconds").set(boot_s + times.started_s);
        }
    }
    if let Ok(open) = read_dir("/proc/self/fd") {
        // The listing itself is open while it is counted.
        let open = u32::try_from(open.count().saturating_sub(1)).unwrap_or(u32::MAX);
        gauge!("process_open_fds").set(f64::from(open));
    }
    if let Some(max) = max_fds(&read_to_string("/proc/self/limits").unwrap_or_default()) {
        gauge!("process_max_fds").set(max);
    }
}

fn resident_bytes(status: &str) -> Option<f64> {
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = kib.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * KIB)
}

/// Seconds of the processor, and from the machine's start to that of the process.
#[derive(Debug, PartialEq)]
struct Times {
    cpu_s: f64,
    started_s: f64,
}

impl Times {
    fn read(stat: &str) -> Option<Self> {
        // The name of the program stands in brackets and may hold anything, brackets too.
        let (_, behind) = stat.rsplit_once(')')?;
        let ticks: Vec<&str> = behind.split_whitespace().collect();
        // Fields 14, 15 and 22 of proc(5); the first behind the name is field 3.
        let field = |number: usize| -> Option<f64> { ticks.get(number - 3)?.parse().ok() };
        Some(Self {
            cpu_s: (field(14)? + field(15)?) / TICKS_PER_S,
            started_s: field(22)? / TICKS_PER_S,
        })
    }
}

fn boot_s(stat: &str) -> Option<f64> {
    let at = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    at.trim().parse().ok()
}

/// `None` also where there is no limit.
fn max_fds(limits: &str) -> Option<f64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_linux_are_read() {
        let status = "Name:\tcemsd\nVmPeak:\t  900 kB\nVmRSS:\t  2048 kB\n";
        assert_eq!(resident_bytes(status), Some(2_097_152.0));
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 9 0 12345 1 2";
        let times = Times::read(stat);
        let wanted = Times {
            cpu_s: 2.0,
            started_s: 123.45,
        };
        assert_eq!(times, Some(wanted));
        assert_eq!(boot_s("cpu 1 2\nbtime 1700000000\n"), Some(1_700_000_000.0));
        let limits = "Limit  Soft  Hard  Units\nMax open files     1024     524288    files\n";
        assert_eq!(max_fds(limits), Some(1_024.0));
    }

    #[test]
    fn nonsense_is_nothing() {
        assert_eq!(resident_bytes(""), None);
        assert_eq!(Times::read("7 (a) S"), None);
        assert_eq!(boot_s("btime soon"), None);
        assert_eq!(max_fds("Max open files  unlimited  unlimited  files"), None);
    }
}
