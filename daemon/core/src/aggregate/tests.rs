//! A real day of minute data, as a provincial assessment published it, through the engine:
//! start-up, stop, calibration, fault, O2 above 21 %, an hour of exactly 45 valid minutes. The
//! figures of its hours are compared in `tests/vectors/hours.rs`.

use crate::fixture::*;
use crate::model::{AggregateRow, Level, Timestamp};
use rust_decimal::Decimal;

fn hour_start(hour: i64) -> Timestamp {
    minute(60 * hour)
}

fn run(records: Vec<crate::model::Record>) -> Bench {
    run_with(registry(), records)
}

fn run_with(registry: crate::model::Registry, records: Vec<crate::model::Record>) -> Bench {
    let mut bench = Bench::with(registry, minute(-10));
    for record in records {
        bench.send(record.start.plus_ms(61_000), data(record));
    }
    bench.tick(minute(1_440 + 10));
    bench.flush();
    bench
}

/// The last minute of an hour once stood for the ten that were agreed: hours of 69 minutes.
#[test]
fn a_record_a_minute_where_one_in_ten_was_agreed_gives_the_same_hours() {
    let mut ten = registry();
    for outlet in ten.outlets.values_mut() {
        outlet.expectation.minute_min = Some(10);
    }
    let (agreed, other) = (run(gas_day()), run_with(ten, gas_day()));
    for hour in 0..24 {
        let start = hour_start(hour);
        let is = other.aggregate(GAS, Level::Hour, start);
        let should = agreed.aggregate(GAS, Level::Hour, start);
        assert_eq!(is.factors, should.factors, "hour {hour}");
        assert_eq!(is.volume_m3, should.volume_m3, "hour {hour}");
    }
}

#[test]
fn averaging_minute_conversions_turns_the_verdict_of_the_fifteenth_hour() {
    let mut registry = registry();
    let profile = registry.profiles.get_mut("plain@1").unwrap();
    profile.convert_after_mean = false;
    let mut bench = Bench::with(registry, minute(-10));
    for record in gas_day().drain(840..900) {
        bench.send(record.start.plus_ms(61_000), data(record));
    }
    bench.tick(minute(910));
    let nox = bench.aggregate(GAS, Level::Hour, hour_start(14)).factors["a21002"].clone();
    assert!(nox.limits[0].exceeded);

    let bench = run(gas_day());
    let nox = bench.aggregate(GAS, Level::Hour, hour_start(14)).factors["a21002"].clone();
    assert!(!nox.limits[0].exceeded);
}

#[test]
fn stopped_hours_are_not_due_and_amounts_of_the_day_are_the_sum_of_its_hours() {
    let bench = run(gas_day());
    let day = bench.aggregate(GAS, Level::Day, minute(0));
    assert!(day.complete);
    let so2 = &day.factors["a21026"];
    // Hours 8, 9 and 10 were stopped, 16 and 17 in fault and calibration: 19 valid hours.
    assert_eq!(
        (so2.valid_units, so2.stopped_units, so2.due_units),
        (19, 3, 21)
    );
    assert!(!so2.valid);
    let hours: Vec<AggregateRow> = (0..24)
        .map(|h| bench.aggregate(GAS, Level::Hour, hour_start(h)))
        .collect();
    let sum: Decimal = hours
        .iter()
        .filter_map(|h| h.factors["a21026"].amount_kg)
        .sum();
    assert_eq!(so2.amount_kg, Some(sum));
    let volume: Decimal = hours.iter().filter_map(|h| h.volume_m3).sum();
    assert_eq!(day.volume_m3, Some(volume));
    let month_start = Timestamp(1_582_992_000_000);
    let month = bench.aggregate(GAS, Level::Month, month_start);
    assert_eq!(month.factors["a21026"].amount_kg, Some(sum));
    assert_eq!(month.factors["a21026"].due_units, 31);
}

#[test]
fn hours_of_the_discharge_agree_with_an_independent_calculation() {
    let bench = run(water_day());
    let table = include_str!("../../testdata/water-hours.csv");
    for line in table.lines().skip(1) {
        let c: Vec<&str> = line.split(',').collect();
        let hour: i64 = c[0].parse().unwrap();
        let row = bench.aggregate(WATER, Level::Hour, hour_start(hour));
        let same = |found: Option<Decimal>, expected: &str, what: &str| {
            let expected = (!expected.is_empty()).then(|| dec(expected));
            let found = found.map(|v| v.round_dp(9).normalize());
            assert_eq!(found, expected.map(|v| v.normalize()), "hour {hour} {what}");
        };
        same(row.volume_m3, c[1], "volume");
        for (code, at) in [("w01018", 2), ("w21003", 6)] {
            let factor = &row.factors[code];
            assert_eq!(factor.valid_units.to_string(), c[at], "hour {hour} {code}");
            assert_eq!(factor.valid.to_string(), c[at + 1], "hour {hour} {code}");
            same(factor.mean, c[at + 2], code);
            same(factor.amount_kg, c[at + 3], code);
        }
        let ph = &row.factors["w01001"];
        assert_eq!(ph.valid.to_string(), c[11], "hour {hour} pH");
        same(ph.mean, c[12], "pH");
    }
}

#[test]
fn the_day_of_a_discharge_is_weighted_by_volume() {
    let bench = run(water_day());
    let day = bench.aggregate(WATER, Level::Day, minute(0));
    let nh3n = &day.factors["w21003"];
    let mut volume = Decimal::ZERO;
    let mut product = Decimal::ZERO;
    for h in 0..24 {
        let row = bench.aggregate(WATER, Level::Hour, hour_start(h));
        let hour = &row.factors["w21003"];
        if let (true, Some(mean), Some(v)) = (hour.valid, hour.mean, row.volume_m3) {
            volume += v;
            product += mean * v;
        }
    }
    assert_eq!(
        nh3n.mean.unwrap().round_dp(9),
        (product / volume).round_dp(9)
    );
}
