//! The engine's step for a minute record of ten factors.

use crate::city::{self, GAS, Readings, WATER, minute};
use cems_core::engine::{EmptyHistory, Engine, Event, Input, MemoryHistory};
use cems_core::model::{Output, Seq};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

fn event(readings: &mut Readings, outlet: &str, n: i64) -> Event {
    Event::Record(city::contact(outlet), readings.record(outlet, n))
}

fn nanos(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap()
}

/// Times of steps, nanoseconds, those that close periods apart.
#[derive(Default)]
struct Times {
    plain: Vec<u64>,
    closing: Vec<u64>,
}

fn mean(times: &[u64]) -> u64 {
    times.iter().sum::<u64>() / u64::try_from(times.len().max(1)).unwrap()
}

impl Times {
    fn print(&mut self, what: &str) {
        self.plain.sort_unstable();
        let middle = self
            .plain
            .get(self.plain.len() / 2)
            .copied()
            .unwrap_or_default();
        let all: Vec<u64> = self.plain.iter().chain(&self.closing).copied().collect();
        println!("engine step for a minute record of 10 factors, {what}");
        println!("  median without closings           {:>9} ns", middle);
        println!(
            "  mean without closings             {:>9} ns",
            mean(&self.plain)
        );
        println!(
            "  mean of steps that close          {:>9} ns",
            mean(&self.closing)
        );
        println!("  mean of all                       {:>9} ns", mean(&all));
    }
}

/// A past in memory: looking up and applying rows are part of the step there.
fn with_memory(outlet: &str, days: i64) -> Times {
    let past = MemoryHistory::default();
    let mut engine = Engine::new();
    let registry = Arc::new(city::registry());
    let mut readings = Readings::new(11);
    let mut times = Times::default();
    let mut seq = 0;
    let mut send = |at, event, engine: &mut Engine| {
        seq += 1;
        let input = Input {
            seq: Seq(seq),
            at,
            event,
        };
        let mut closes = false;
        let start = Instant::now();
        engine.step(input, &past, &mut |out| {
            closes |= matches!(out, Output::Aggregate(_));
            past.apply(out);
        });
        (nanos(start), closes)
    };
    send(minute(-1), Event::Registry(registry), &mut engine);
    for n in 0..days * 1_440 {
        let event = event(&mut readings, outlet, n);
        let (took, closes) = send(minute(n + 1), event, &mut engine);
        // The first day warms up.
        if n >= 1_440 {
            match closes {
                true => times.closing.push(took),
                false => times.plain.push(took),
            }
        }
    }
    times
}

/// No past, and rows thrown away: what the rules alone cost.
fn without(outlet: &str, days: i64) -> Times {
    let mut engine = Engine::new();
    let registry = Arc::new(city::registry());
    let mut readings = Readings::new(11);
    let mut times = Times::default();
    let mut out = |row: Output| {
        black_box(&row);
    };
    let (seq, event_) = (Seq(1), Event::Registry(registry));
    let input = Input {
        seq,
        at: minute(-1),
        event: event_,
    };
    engine.step(input, &EmptyHistory, &mut out);
    for n in 0..days * 1_440 {
        let seq = Seq(u64::try_from(n).unwrap() + 2);
        let event = event(&mut readings, outlet, n);
        let input = Input {
            seq,
            at: minute(n + 1),
            event,
        };
        let start = Instant::now();
        engine.step(input, &EmptyHistory, &mut out);
        times.plain.push(nanos(start));
    }
    times
}

pub(crate) fn measure(quick: bool) {
    let days = if quick { 2 } else { 8 };
    for (outlet, what) in [(GAS, "stack"), (WATER, "discharge")] {
        with_memory(outlet, days).print(&format!("{what}, a past in memory"));
        without(outlet, days).print(&format!("{what}, no past"));
    }
}
