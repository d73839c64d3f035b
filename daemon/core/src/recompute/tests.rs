//! What the engine made of real days comes out again; what was changed is found.

use super::*;
use crate::fixture::*;
use crate::model::time::{DAY_MS, HOUR_MS};
use crate::model::{RecordKind, Registry};
use std::sync::OnceLock;

/// Rows that the engine makes of two days at the turn of a month, then an hour that only the
/// station recorded itself, and a day of which there is nothing but its own record.
struct Past {
    registry: Registry,
    rows: Vec<AggregateRow>,
}

impl Past {
    fn new() -> Self {
        let mut bench = Bench::with(registry(), minute(-10));
        let days: Vec<_> = gas_day().into_iter().chain(water_day()).collect();
        for day in 0..2 {
            for mut record in days.clone() {
                record.start = record.start.plus_ms(day * DAY_MS);
                bench.send(minute(2 * 1_440), data(record));
            }
        }
        let gas = |kind, start, so2: &str| {
            let values = [
                ("a21026", so2),
                ("a19001", "6.5"),
                ("a00000", "55"),
                ("a01012", "120"),
            ];
            let more = [("a01013", "-0.3"), ("a01014", "8")];
            let all = values.into_iter().chain(more);
            let mut values: Vec<_> = all.map(|(code, text)| value(code, text, "N")).collect();
            values[0].converted = Some(number("71.25"));
            values[0].cou = Some(number("12.5"));
            record(GAS, kind, start, values)
        };
        bench.send(
            minute(2_950),
            data(gas(RecordKind::Hour, minute(2_880), "66.5")),
        );
        bench.send(
            minute(2_951),
            data(gas(RecordKind::Day, minute(4_320), "48.125")),
        );
        bench.tick(minute(6 * 1_440));
        let rows = bench.tables().aggregates.into_values();
        Self {
            registry: registry(),
            rows: rows.collect(),
        }
    }

    fn packs(&self, outlet: &str) -> Vec<Vec<u8>> {
        let mut months: BTreeMap<Timestamp, Vec<AggregateRow>> = BTreeMap::new();
        for row in &self.rows {
            if row.outlet.as_str() == outlet && row.level == Level::Hour {
                let month = Period::containing(Level::Month, row.start, self.registry.offset);
                months.entry(month.start).or_default().push(row.clone());
            }
        }
        months
            .values()
            .map(|rows| Pack::of(rows).unwrap())
            .collect()
    }

    fn longer(&self, outlet: &str) -> Vec<AggregateRow> {
        let own = |row: &&AggregateRow| row.outlet.as_str() == outlet && row.level != Level::Hour;
        self.rows.iter().filter(own).cloned().collect()
    }

    fn recompute(&self, outlet: &str) -> Recomputed {
        let packs = self.packs(outlet);
        let packs: Vec<&[u8]> = packs.iter().map(Vec::as_slice).collect();
        let stored = self.longer(outlet);
        let outlet = &self.registry.outlets[outlet];
        let rules = |at| {
            let profile = self.registry.profile_at(outlet, at)?;
            Some(Rules {
                outlet,
                profile,
                special_periods: &self.registry.special_periods,
                region: None,
            })
        };
        let year = Year {
            offset: self.registry.offset,
            packs: &packs,
            stored: &stored,
            rules: &rules,
            differences_max: 8,
        };
        let mut recomputer = Recomputer::new();
        let first = recomputer.run(&year).unwrap();
        // Buffers carry nothing over.
        assert_eq!(recomputer.run(&year).unwrap(), first);
        first
    }

    fn hour(&mut self, outlet: &str, start: Timestamp) -> &mut AggregateRow {
        let key = |row: &&mut AggregateRow| {
            row.outlet.as_str() == outlet && row.level == Level::Hour && row.start == start
        };
        self.rows.iter_mut().find(key).unwrap()
    }
}

/// The engine's past, made once for all tests.
fn past() -> Past {
    static ROWS: OnceLock<Vec<AggregateRow>> = OnceLock::new();
    Past {
        registry: registry(),
        rows: ROWS.get_or_init(|| Past::new().rows).clone(),
    }
}

#[test]
fn what_the_engine_stored_comes_out_again() {
    let past = past();
    for (outlet, hours, periods) in [(GAS, 49, 3 + 1 + 2 + 1), (WATER, 48, 2 + 2 + 1)] {
        let found = past.recompute(outlet);
        assert_eq!(found.differences, [], "{outlet}");
        assert_eq!(found.counts, Counts::new());
        assert_eq!((found.hours, found.left_out), (hours, 0));
        assert_eq!(found.periods.len(), periods, "{outlet}");
        for row in past.longer(outlet) {
            let computed = &found.periods[&(row.level, row.start)];
            assert_eq!(computed.volume_m3, row.volume_m3);
            assert_eq!(
                computed.factors, row.factors,
                "{outlet} {:?} {}",
                row.level, row.start
            );
        }
    }
}

#[test]
fn a_changed_amount_is_found_where_it_stands_and_not_above() {
    let mut past = past();
    let start = minute(5 * 60);
    let factor = past.hour(GAS, start).factors.get_mut("a21026").unwrap();
    let right = factor.amount_kg.unwrap();
    factor.amount_kg = Some(right - dec("0.000000000001"));
    let found = past.recompute(GAS);
    assert_eq!(
        found.differences,
        [Difference {
            level: Level::Hour,
            start,
            factor: Some("a21026".into()),
            what: What::Amount,
            stored: Finding::Figure(right - dec("0.000000000001")),
            computed: Finding::Figure(right),
        }]
    );
}

#[test]
fn a_changed_mean_shows_in_everything_that_follows_from_it() {
    let mut past = past();
    let start = minute(5 * 60);
    past.hour(GAS, start)
        .factors
        .get_mut("a21026")
        .unwrap()
        .mean = Some(dec("1000"));
    let found = past.recompute(GAS);
    let levels: Vec<(Level, What)> = found.counts.keys().copied().collect();
    for level in [Level::Hour, Level::Day, Level::Month, Level::Year] {
        assert!(levels.contains(&(level, What::Amount)), "{level:?}");
        assert!(
            levels.contains(&(level, What::Converted)) || level > Level::Day,
            "{level:?}"
        );
    }
    assert!(levels.contains(&(Level::Hour, What::Limits)));
    assert!(found.differences.len() <= 8);
}

#[test]
fn other_limits_give_other_verdicts_and_nothing_else() {
    let mut past = past();
    let outlet = past.registry.outlets.get_mut(GAS).unwrap();
    outlet.factors.get_mut("a21002").unwrap().limits[0].upper = Some(dec("198"));
    let found = past.recompute(GAS);
    assert!(!found.counts.is_empty());
    assert!(
        found
            .counts
            .keys()
            .all(|key| *key == (Level::Hour, What::Limits))
    );
    let water = past.recompute(WATER);
    assert!(water.counts.is_empty());
}

#[test]
fn another_area_of_the_duct_changes_flow_and_amounts_only() {
    let mut past = past();
    let outlet = past.registry.outlets.get_mut(GAS).unwrap();
    outlet.gas.as_mut().unwrap().area_m2 = dec("21");
    let found = past.recompute(GAS);
    let what: std::collections::BTreeSet<What> = found.counts.keys().map(|key| key.1).collect();
    assert_eq!(
        what.into_iter().collect::<Vec<_>>(),
        [What::Volume, What::Amount]
    );
}

#[test]
fn more_minutes_needed_make_fewer_valid_hours() {
    let mut past = past();
    let profile = past.registry.profiles.get_mut("plain@1").unwrap();
    profile.hour_min_valid_minutes = 60;
    let found = past.recompute(WATER);
    assert!(found.counts[&(Level::Hour, What::Valid)] > 0);
    // Amounts of a discharge are kept.
    assert!(!found.counts.contains_key(&(Level::Year, What::Amount)));
}

#[test]
fn a_reason_of_invalidity_is_kept() {
    let mut past = past();
    let start = minute(5 * 60);
    let hour = past.hour(GAS, start);
    let factor = hour.factors.get_mut("a21026").unwrap();
    factor.invalid_why = Some("out-of-control".into());
    factor.valid = false;
    factor.amount_kg = None;
    factor.limits.clear();
    let found = past.recompute(GAS);
    let hours = found.counts.keys().filter(|key| key.0 == Level::Hour);
    assert_eq!(hours.count(), 0, "{:?}", found.differences);
    assert!(found.counts[&(Level::Day, What::ValidUnits)] > 0);
}

#[test]
fn rows_that_are_missing_or_too_many_are_found() {
    let mut past = past();
    past.rows
        .retain(|row| (row.level, row.start) != (Level::Day, minute(0)));
    let mut other = past.longer(GAS)[0].clone();
    other.start = other.start.plus_ms(-40 * DAY_MS);
    past.rows.push(other);
    let found = past.recompute(GAS);
    let rows = found.differences.iter().filter(|d| d.what == What::Row);
    let rows: Vec<(i64, &Finding)> = rows
        .map(|d| (d.start.since_ms(minute(0)) / HOUR_MS, &d.stored))
        .collect();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(rows[0], (0, &Finding::Nothing));
    assert_eq!(rows[1].1, &Finding::Something);
}

#[test]
fn a_running_day_enters_as_it_is_stored_until_its_hours_are_packed() {
    let mut bench = Bench::with(registry(), minute(-10));
    for day in 0..2 {
        for mut record in gas_day() {
            record.start = record.start.plus_ms(day * DAY_MS);
            bench.send(minute(1_440 + 600), data(record));
        }
    }
    bench.tick(minute(1_440 + 610));
    let rows: Vec<AggregateRow> = bench.tables().aggregates.into_values().collect();
    let running = |row: &AggregateRow| row.level == Level::Day && !row.complete;
    assert_eq!(rows.iter().filter(|row| running(row)).count(), 1);
    let packed = |row: &AggregateRow| row.level != Level::Hour || row.start < minute(1_440);
    let past = Past {
        registry: registry(),
        rows: rows.into_iter().filter(packed).collect(),
    };
    let found = past.recompute(GAS);
    assert_eq!(found.differences, []);
    assert_eq!(found.hours, 24);
}

#[test]
fn periods_without_rules_are_left_out_and_damage_is_an_error() {
    let past = past();
    let packs = past.packs(WATER);
    let mut year = Year {
        offset: past.registry.offset,
        packs: &[&packs[0], &packs[1]],
        stored: &[],
        rules: &|_| None,
        differences_max: 8,
    };
    let found = Recomputer::new().run(&year).unwrap();
    assert_eq!(packs.len(), 2);
    assert_eq!((found.hours, found.left_out), (0, 48));
    assert!(found.periods.is_empty() && found.differences.is_empty());
    let damaged = [&packs[0][..], &packs[1][1..]];
    year.packs = &damaged;
    assert!(Recomputer::new().run(&year).is_err());
}
