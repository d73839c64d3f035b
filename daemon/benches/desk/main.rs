//! What a duty desk asks of the machine: 100,000 outlets, 10,000 alarms raised within one minute,
//! the page of the desk meanwhile, the way of a message to one enterprise, and the memory that the
//! engine keeps for an outlet.
//!
//! `cargo bench -p cems-daemon --bench desk`. `cargo test --benches` runs a small city once, for
//! its checks.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at what cannot be")]
#![expect(unsafe_code, reason = "counting bytes needs a global allocator")]

mod city;
mod counting;
mod flood;
mod memory;

/// Outlets, and alarms raised within a minute.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) outlets: usize,
    pub(crate) alarms: usize,
}

fn main() {
    let size = if std::env::args().any(|arg| arg == "--bench") {
        Size {
            outlets: 100_000,
            alarms: 10_000,
        }
    } else {
        Size {
            outlets: 1_000,
            alarms: 600,
        }
    };
    flood::run(size);
    memory::run(size);
}

/// A figure with its unit.
pub(crate) fn say(name: &str, figure: impl std::fmt::Display, unit: &str) {
    println!("{name:<58} {figure:>12} {unit}");
}

/// Milliseconds since `began`.
pub(crate) fn ms(began: std::time::Instant) -> u128 {
    began.elapsed().as_millis()
}
