//! Figures for the README; run with `--ignored --nocapture`.

use super::*;
use std::time::Instant;

#[test]
#[ignore = "prints figures, asserts none"]
fn figures() {
    for batch in [100, 1_000] {
        let mut desk = Desk::new();
        let outlets: Vec<_> = (0..200)
            .map(|n| outlet(&format!("outlet-{n:03}")))
            .collect();
        let total = 40_000_usize;
        let rows: Vec<_> = (0..total)
            .map(|i| {
                let n = i64::try_from(i / outlets.len()).unwrap();
                Output::Record(samples::minute(&outlets[i % outlets.len()], n))
            })
            .collect();
        let begun = Instant::now();
        for (chunk, seq) in rows.chunks(batch).zip(1..) {
            desk.batch(seq, chunk);
        }
        let write = begun.elapsed();
        let begun = Instant::now();
        let lookups = 20_000;
        for i in 0..lookups {
            let o = &outlets[i * 7 % outlets.len()];
            let start = T0.plus_ms(i64::try_from(i * 31 % 200).unwrap() * 60_000);
            assert!(
                desk.store
                    .history()
                    .record(o, RecordKind::Minute, start)
                    .is_some()
            );
        }
        let look = begun.elapsed();
        let begun = Instant::now();
        for i in 0..lookups {
            let o = &outlets[i * 7 % outlets.len()];
            assert!(
                desk.store
                    .history()
                    .record(o, RecordKind::Minute, T0.plus_ms(-1))
                    .is_none()
            );
        }
        let miss = begun.elapsed();
        let begun = Instant::now();
        for o in &outlets {
            let until = T0.plus_ms(60 * 60_000);
            let hour = desk
                .store
                .history()
                .records(o, RecordKind::Minute, T0, until);
            assert_eq!(hour.len(), 60);
        }
        let hour = begun.elapsed();
        desk.store.checkpoint().unwrap();
        let bytes = std::fs::metadata(desk.live()).unwrap().len();
        let begun = Instant::now();
        let canonical = desk.canonical().len();
        let canon = begun.elapsed();
        let per = |d: std::time::Duration, n: usize| {
            u128::try_from(n).unwrap() * 1_000_000 / d.as_micros().max(1)
        };
        println!(
            "batch {batch}: {} rows/s, hit {}/s, miss {}/s, hours of 60 {}/s, {} bytes/row, \
             canonical {} bytes/row in {canon:?}",
            per(write, total),
            per(look, lookups),
            per(miss, lookups),
            per(hour, outlets.len()),
            bytes / 40_000,
            canonical / total,
        );
    }
}
