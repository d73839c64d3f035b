//! Invariants of a station's own records: random polls with gaps, faults, restarts.

use super::sampling::{sampled, stations};
use crate::engine::{Event, Tables};
use crate::fixture::*;
use crate::model::*;
use proptest::prelude::*;
use std::sync::Arc;

/// Short intervals, so that short histories close many of them.
fn small_station() -> Registry {
    let mut city = stations();
    let profile = city.profiles.get_mut("plain@1").unwrap();
    profile.hour_min_valid_minutes = 4;
    profile.day_min_valid_hours = 2;
    let gas = city.outlets.get_mut(GAS).unwrap();
    gas.forward = true;
    gas.feeds = true;
    city
}

const FACTORS: [&str; 8] = [
    "a21026", "a19001", "a01011", "a01012", "a01013", "a01014", "w01018", "w00000",
];

/// One factor read: which one, what it showed.
type Read = (usize, u32, &'static str);

/// One instant of polls: milliseconds since the last one, and what was read at it.
type Instant = (i64, Vec<Read>);

fn read() -> impl Strategy<Value = Read> {
    let flag = prop::sample::select(vec!["N", "N", "N", "N", "N", "N", "D", "C", "F", "B"]);
    (0..FACTORS.len(), 0u32..6, flag)
}

fn history() -> impl Strategy<Value = Vec<Instant>> {
    let gap = prop_oneof![
        20 => Just(5_000i64),
        6 => 1i64..20_000,
        2 => 20_000i64..400_000,
        1 => 400_000i64..20_000_000,
    ];
    prop::collection::vec((gap, prop::collection::vec(read(), 0..6)), 1..160)
}

fn event((factor, value, flag): &Read) -> Event {
    let code = FACTORS[*factor];
    let text = ["10.5", "11.25", "0", "", "19.999999999999999", "84"][*value as usize];
    let outlet = if code.starts_with('a') { GAS } else { WATER };
    sampled(outlet, &[(code, text, flag)])
}

/// Runs a history; `between(i)` after each instant: flush (1), restart (2) or neither.
fn run(steps: &[Instant], between: impl Fn(usize) -> u8) -> Tables {
    let mut now = minute(7 * 60);
    let mut bench = Bench::with(small_station(), now);
    for (i, (gap, reads)) in steps.iter().enumerate() {
        now = now.plus_ms(*gap);
        for read in reads {
            bench.send(now, event(read));
        }
        match between(i) {
            1 => bench.flush(),
            2 => bench.restart(),
            _ => {}
        }
    }
    bench.tick(now.plus_ms(2 * time::DAY_MS));
    bench.tables()
}

/// The records without journal positions, which tell which event closed an interval.
fn records(tables: &Tables) -> Vec<RecordRow> {
    let mut rows: Vec<RecordRow> = tables.records.values().cloned().collect();
    for value in rows.iter_mut().flat_map(|row| row.values.values_mut()) {
        value.seq = Seq(0);
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn batches_and_restarts_do_not_matter(
        steps in history(),
        cuts in prop::collection::vec(0u8..3, 160),
    ) {
        let whole = run(&steps, |_| 0);
        let always = run(&steps, |_| 2);
        let mixed = run(&steps, |i| cuts[i]);
        prop_assert_eq!(&whole, &always);
        prop_assert_eq!(&whole, &mixed);
    }

    /// Instruments answer in any order: what was read at one instant, of different factors, gives
    /// the same records.
    #[test]
    fn the_order_within_an_instant_does_not_matter(steps in history(), turn in 0usize..7) {
        let unique: Vec<Instant> = steps
            .into_iter()
            .map(|(gap, mut reads)| {
                reads.sort_by_key(|read| read.0);
                reads.dedup_by_key(|read| read.0);
                (gap, reads)
            })
            .collect();
        let turned: Vec<Instant> = unique
            .iter()
            .map(|(gap, reads)| {
                let mut reads = reads.clone();
                if !reads.is_empty() {
                    let by = turn % reads.len();
                    reads.rotate_left(by);
                    reads.reverse();
                }
                (*gap, reads)
            })
            .collect();
        let (one, other) = (run(&unique, |_| 0), run(&turned, |_| 0));
        prop_assert_eq!(records(&one), records(&other));
    }

    #[test]
    fn ticks_do_not_matter(steps in history()) {
        let mut now = minute(7 * 60);
        let mut lazy = Bench::with(small_station(), now);
        let mut eager = Bench::with(small_station(), now);
        for (gap, reads) in &steps {
            now = now.plus_ms(*gap);
            while let Some(due) = eager.engine.next_deadline().filter(|due| *due <= now) {
                eager.tick(due);
                prop_assert!(eager.engine.next_deadline().is_none_or(|next| next > due));
            }
            for read in reads {
                lazy.send(now, event(read));
                eager.send(now, event(read));
            }
        }
        lazy.tick(now);
        prop_assert_eq!(records(&lazy.tables()), records(&eager.tables()));
    }

    /// Whatever is read: extremes enclose means, records lie on their grid, and every record that
    /// was formed is noted for those it is passed on to.
    #[test]
    fn records_are_sound(steps in history()) {
        let tables = run(&steps, |_| 0);
        for row in tables.records.values() {
            let grid = match row.kind {
                RecordKind::Realtime => 30_000,
                RecordKind::Minute => time::MINUTE_MS,
                RecordKind::Hour | RecordKind::Day => time::HOUR_MS,
            };
            prop_assert_eq!(row.start.0.rem_euclid(grid), 0);
            for stored in row.values.values() {
                let order = stored.checks.iter().any(|c| c.0 == "order");
                prop_assert!(!order, "{:?}", stored.value);
                prop_assert!(stored.value.flag.is_some());
                let normal = stored.value.flag.as_ref().unwrap().0 == "N";
                prop_assert!(!normal || stored.value.figure().is_some());
                let extra = stored.value.cou.is_some() || stored.value.converted.is_some();
                prop_assert!(normal || !extra || row.kind > RecordKind::Minute);
            }
        }
        let formed = tables.records.keys().filter(|key| key.0.as_str() == GAS);
        prop_assert_eq!(formed.count(), tables.forward.len());
        let of_gas = |key: &(OutletId, RecordKind, Timestamp)| key.0.as_str() == GAS;
        let mut due: Vec<(Series, Timestamp)> = tables
            .records
            .keys()
            .filter(|key| of_gas(key))
            .map(|key| (Series::Record(key.1), key.2))
            .collect();
        due.extend(
            tables
                .aggregates
                .values()
                .filter(|row| row.outlet.as_str() == GAS && row.complete)
                .map(|row| (Series::Aggregate(row.level), row.start)),
        );
        let mut noted: Vec<_> = tables.outgoing.values().map(|r| (r.what, r.start)).collect();
        due.sort();
        noted.sort();
        // An aggregate may be written anew; what was formed is formed once.
        noted.dedup();
        prop_assert_eq!(due, noted);
        prop_assert!(tables.superseded.is_empty());
        prop_assert!(tables.devices.is_empty());
    }
}

/// A removed outlet forms nothing more, and one that comes back begins anew.
#[test]
fn an_outlet_that_leaves_takes_its_open_intervals_along() {
    let mut bench = Bench::with(small_station(), minute(0));
    let so2 = || sampled(GAS, &[("a21026", "10", "N")]);
    bench.send(minute(1), so2());
    let mut without = small_station();
    without.outlets.remove(GAS);
    bench.send(minute(1).plus_ms(5_000), Event::Registry(Arc::new(without)));
    bench.send(minute(1).plus_ms(10_000), so2());
    bench.tick(minute(10));
    assert!(bench.tables().records.is_empty());
    bench.send(minute(11), Event::Registry(Arc::new(small_station())));
    bench.send(minute(11), so2());
    bench.tick(minute(13));
    let tables = bench.tables();
    let minutes = tables.records.keys().filter(|k| k.1 == RecordKind::Minute);
    assert_eq!(minutes.map(|k| k.2).collect::<Vec<_>>(), [minute(11)]);
}
