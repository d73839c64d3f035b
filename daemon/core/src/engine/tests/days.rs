//! Days of series: each knows the last event that wrote a row of it, whatever the event was.

use super::judged::{hour, hourly_city, mark, take_back};
use crate::engine::Event;
use crate::fixture::*;
use crate::model::*;

const MINUTE: Series = Series::Record(RecordKind::Minute);
const HOUR: Series = Series::Record(RecordKind::Hour);
const HOUR_MEAN: Series = Series::Aggregate(Level::Hour);
const DAY_MEAN: Series = Series::Aggregate(Level::Day);

/// The last event that wrote a row of the first day.
fn last(bench: &mut Bench, series: Series) -> Option<Seq> {
    bench
        .tables()
        .series_days
        .get(&(series, minute(0)))
        .copied()
}

/// Two hours of the first day, told; the day after runs.
fn told() -> Bench {
    let mut bench = Bench::with(hourly_city(), minute(-10));
    for n in 0..2 {
        bench.send(minute(60 * n + 61), hour(n, "20"));
    }
    bench.tick(minute(1_500));
    bench
}

#[test]
fn what_changes_a_day_is_known_by_its_number() {
    let mut bench = told();
    let before = bench.seq;
    assert_eq!(last(&mut bench, HOUR), Some(Seq(3)));
    assert!(last(&mut bench, HOUR_MEAN) <= Some(Seq(before)));
    assert_eq!(last(&mut bench, MINUTE), None);

    // A mark changes no record and every mean.
    bench.send(minute(1_510), mark(MarkKind::Fault, 0, 60));
    let marked = bench.seq;
    bench.tick(minute(1_520));
    assert_eq!(last(&mut bench, HOUR), Some(Seq(3)));
    assert!(last(&mut bench, HOUR_MEAN) >= Some(Seq(marked)));
    assert!(last(&mut bench, DAY_MEAN) >= Some(Seq(marked)));

    // Taken back, the means are what they were: changed all the same.
    bench.send(minute(1_530), Event::MarkWithdrawn(take_back(marked)));
    let withdrawn = bench.seq;
    bench.tick(minute(1_540));
    assert!(last(&mut bench, HOUR_MEAN) >= Some(Seq(withdrawn)));
}

#[test]
fn what_is_said_twice_changes_no_day() {
    let mut bench = told();
    let days = bench.tables().series_days;
    bench.send(minute(1_510), hour(1, "20"));
    bench.tick(minute(1_520));
    assert_eq!(
        last(&mut bench, HOUR),
        days.get(&(HOUR, minute(0))).copied()
    );
    bench.send(minute(1_530), hour(1, "21"));
    let corrected = bench.seq;
    assert_eq!(last(&mut bench, HOUR), Some(Seq(corrected)));
}

#[test]
fn days_are_told_when_a_batch_ends_and_survive_a_restart() {
    let mut bench = told();
    bench.restart();
    let days = bench.tables().series_days;
    let mut plain = told();
    assert_eq!(days, plain.tables().series_days);
}
