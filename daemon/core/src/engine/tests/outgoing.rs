//! The log of what goes out: each row written is one line, in the order of writing.

use crate::engine::{Event, Input};
use crate::fixture::*;
use crate::model::*;

/// The city with a stack whose data go out and a discharge whose data stay.
fn city() -> Registry {
    let mut city = registry();
    city.outlets.get_mut(GAS).unwrap().feeds = true;
    city
}

/// A bench that notes what was written, and what was logged.
struct Desk {
    bench: Bench,
    written: Vec<(Series, Timestamp)>,
    logged: Vec<OutgoingRow>,
}

impl Desk {
    fn new() -> Self {
        Self {
            bench: Bench::with(city(), minute(-1)),
            written: Vec::new(),
            logged: Vec::new(),
        }
    }

    fn send(&mut self, at: Timestamp, event: Event) {
        let bench = &mut self.bench;
        bench.seq += 1;
        let seq = Seq(bench.seq);
        let past = &bench.past;
        let (written, logged) = (&mut self.written, &mut self.logged);
        let input = Input { seq, at, event };
        bench.engine.step(input, past, &mut |out| {
            match &out {
                Output::Record(row) if row.outlet.as_str() == GAS => {
                    written.push((Series::Record(row.kind), row.start));
                }
                Output::Aggregate(row) if row.outlet.as_str() == GAS && row.complete => {
                    written.push((Series::Aggregate(row.level), row.start));
                }
                Output::Outgoing(row) => logged.push(row.clone()),
                _ => {}
            }
            past.apply(out);
        });
    }
}

#[test]
fn each_row_written_is_one_line_of_the_log_in_the_order_of_writing() {
    let mut desk = Desk::new();
    for (n, record) in gas_day().into_iter().enumerate() {
        let n = i64::try_from(n).unwrap();
        if n % 2 == 0 {
            desk.bench.restart();
        }
        desk.send(minute(n + 1), data(record));
    }
    for (n, record) in water_day().into_iter().enumerate().take(120) {
        let n = i64::try_from(n).unwrap();
        desk.send(minute(24 * 60 + n), data(record));
    }
    desk.send(minute(27 * 60), Event::Tick);
    let of = |series| desk.written.iter().filter(|(s, _)| *s == series).count();
    assert_eq!(of(Series::Record(RecordKind::Minute)), 24 * 60);
    assert!(of(Series::Aggregate(Level::Hour)) >= 24);
    assert_eq!(of(Series::Aggregate(Level::Day)), 1);
    assert_eq!(of(Series::Aggregate(Level::Year)), 0, "it still runs");
    let noted: Vec<_> = desk.logged.iter().map(|r| (r.what, r.start)).collect();
    assert_eq!(noted, desk.written);
    assert!(desk.logged.iter().all(|row| row.outlet.as_str() == GAS));
    let keys: Vec<_> = desk.logged.iter().map(|row| (row.seq, row.n)).collect();
    assert!(keys.is_sorted_by(|a, b| a < b), "keys ascend");
    let kept = desk.bench.past.tables().outgoing.len();
    assert_eq!(kept, desk.logged.len(), "no key stands twice");
}

#[test]
fn a_repetition_is_no_line_and_a_correction_brings_all_that_follows_from_it() {
    let mut desk = Desk::new();
    let day = gas_day();
    for (n, record) in day.iter().enumerate().take(120) {
        let n = i64::try_from(n).unwrap();
        desk.send(minute(n + 1), data(record.clone()));
    }
    desk.send(minute(130), Event::Tick);
    let before = desk.logged.len();
    desk.send(minute(131), data(day[5].clone()));
    desk.send(minute(132), Event::Tick);
    assert_eq!(desk.logged.len(), before, "a repetition");
    let mut corrected = day[5].clone();
    corrected.values = vec![value("a21026", "44.5", "N")];
    desk.send(minute(133), data(corrected));
    desk.send(minute(134), Event::Tick);
    let after: Vec<_> = desk.logged[before..]
        .iter()
        .map(|r| (r.what, r.start))
        .collect();
    assert_eq!(
        after,
        [
            (Series::Record(RecordKind::Minute), minute(5)),
            (Series::Aggregate(Level::Hour), minute(0)),
        ]
    );
}
