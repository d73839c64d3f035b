//! A real day of minute data, as a provincial assessment published it, against recomputed hours:
//! start-up, stop, calibration, fault, O2 above 21 %, an hour of exactly 45 valid minutes.

use crate::fixture::*;
use crate::model::{AggregateRow, Level, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value as Json;

fn hour_start(hour: i64) -> Timestamp {
    minute(60 * hour)
}

fn near(found: Option<Decimal>, expected: &Json, tolerance: &str, what: &str) {
    let expected = dec(&expected.to_string());
    let found = found.unwrap_or_else(|| panic!("{what}: nothing, expected {expected}"));
    assert!(
        (found - expected).abs() <= dec(tolerance),
        "{what}: {found}, expected {expected}"
    );
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

const POLLUTANTS: [(&str, &str); 3] = [("pm", "a34013"), ("so2", "a21026"), ("nox", "a21002")];

#[test]
fn hours_of_the_stack_agree_with_the_recomputed_ones() {
    let bench = run(gas_day());
    let mut checked = 0;
    for line in include_str!("../../testdata/vectors.jsonl").lines() {
        let vector: Json = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap();
        let Some(hour) = id.strip_prefix("zj-gas-A-h") else {
            continue;
        };
        // The hours of the source count from one.
        let hour: i64 = hour.parse().unwrap();
        let row = bench.aggregate(GAS, Level::Hour, hour_start(hour - 1));
        check_gas_hour(&row, &vector["expected"], id);
        checked += 1;
    }
    assert_eq!(checked, 5);
}

fn check_gas_hour(row: &AggregateRow, expected: &Json, id: &str) {
    let valid = expected["hour_valid"].as_bool().unwrap();
    let means = &expected["means_over_N_minutes"];
    let mean = |code: &str| row.factors[code].mean;
    for (name, code) in [
        ("o2", "a19001"),
        ("t", "a01012"),
        ("p_kPa", "a01013"),
        ("h2o", "a01014"),
        ("v", "a01011"),
    ] {
        near(mean(code), &means[name], "0.00006", &format!("{id} {name}"));
    }
    for (name, code) in POLLUTANTS {
        let factor = &row.factors[code];
        let what = format!("{id} {name}");
        near(factor.mean, &means[name], "0.00006", &what);
        near(
            factor.converted,
            &means["ref_of_means"][name],
            "0.001",
            &what,
        );
        assert_eq!(factor.valid, valid, "{what}");
        if valid {
            near(factor.amount_kg, &means["kg_h"][name], "0.0001", &what);
        } else {
            assert_eq!(factor.amount_kg, None, "{what}");
        }
    }
    if valid {
        near(row.volume_m3, &means["Qsn_m3_h"], "0.06", id);
    } else {
        assert_eq!(row.volume_m3, None, "{id}");
    }
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
    assert_eq!(nox.converted.unwrap().round_dp(3), dec("201.995"));
    assert!(nox.limits[0].exceeded);

    let bench = run(gas_day());
    let nox = bench.aggregate(GAS, Level::Hour, hour_start(14)).factors["a21002"].clone();
    assert_eq!(nox.converted.unwrap().round_dp(3), dec("198.448"));
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
