//! Data that come late, twice, or once more with another value: versions, alarms, clues.

use super::judged::{hour, hourly_city};
use crate::engine::{Event, Tables};
use crate::fixture::*;
use crate::model::time::HOUR_MS;
use crate::model::*;
use crate::validate::DUPLICATE_DAY;

const MIDNIGHT: i64 = 1_440;

/// Alarms of exceeded hours: since, last hour, hours counted, active.
fn exceeded(tables: &Tables) -> Vec<(i64, i64, u64, bool)> {
    let hour_of = |at: Timestamp| at.since_ms(minute(0)) / HOUR_MS;
    let mut rows: Vec<(i64, i64, u64, bool)> = Vec::new();
    for row in tables.alarms.values() {
        if row.kind == AlarmKind::ExceedanceHour {
            let last =
                (0..48).find(|n| UtcOffset::default().iso(minute(60 * n)) == row.facts["last_at"]);
            rows.push((hour_of(row.since), last.unwrap(), row.count, row.active));
        }
    }
    rows
}

fn exceeding_city() -> Registry {
    let mut city = hourly_city();
    let stack = city.outlets.get_mut(GAS).unwrap();
    let so2 = stack.factors.get_mut("a21026").unwrap();
    so2.limits = vec![limit("h", LimitPeriod::Hour, false, "50")];
    city
}

/// Hours from the first midnight, each at its time; `""` does not come.
fn told(city: Registry, hours: &[&str]) -> Bench {
    let mut bench = Bench::with(city, minute(-10));
    for (n, mg) in (0..).zip(hours) {
        if !mg.is_empty() {
            bench.send(minute(60 * n + 61), hour(n, mg));
        }
        bench.tick(minute(60 * n + 62));
    }
    bench.flush();
    bench
}

/// One hour comes late, or anew.
fn corrected(bench: &mut Bench, n: i64, mg: &str) -> Vec<(i64, i64, u64, bool)> {
    let now = bench.engine.now().plus_ms(60_000);
    bench.send(now, hour(n, mg));
    bench.tick(now.plus_ms(30_000));
    exceeded(&bench.tables())
}

#[test]
fn an_old_exceedance_learned_of_late_leaves_the_alarm_that_is_active_alone() {
    let mut bench = told(exceeding_city(), &["", "20", "60", "61"]);
    assert_eq!(exceeded(&bench.tables()), [(2, 3, 2, true)]);
    let both = [(2, 3, 2, true), (0, 0, 1, false)];
    assert_eq!(corrected(&mut bench, 0, "90"), both);
    // And the active one returns when its time has come.
    bench.send(minute(301), hour(4, "20"));
    bench.tick(minute(303));
    assert_eq!(
        exceeded(&bench.tables()),
        [(2, 3, 2, false), (0, 0, 1, false)]
    );
}

#[test]
fn a_stretch_that_falls_apart_is_two_and_the_active_alarm_stays_with_the_last() {
    let mut bench = told(exceeding_city(), &["60", "61", "62", "63"]);
    assert_eq!(exceeded(&bench.tables()), [(0, 3, 4, true)]);
    let apart = [(2, 3, 2, true), (0, 0, 1, false)];
    assert_eq!(corrected(&mut bench, 1, "20"), apart);
    // Grown together again: one stretch, told by the active alarm.
    let whole = corrected(&mut bench, 1, "64");
    assert_eq!(whole[0], (0, 3, 4, true));
    assert_eq!(whole.len(), 2);
}

#[test]
fn the_last_hour_within_the_limit_does_not_count_after_all_and_the_exceedance_lasts() {
    let mut bench = told(exceeding_city(), &["60", "20"]);
    assert_eq!(exceeded(&bench.tables()), [(0, 0, 1, false)]);
    // Nothing that has returned becomes active again: it is a new alarm that names the old one.
    let invalid = record(
        GAS,
        RecordKind::Hour,
        minute(60),
        vec![value("a21026", "20", "D")],
    );
    bench.send(minute(130), data(invalid));
    bench.tick(minute(131));
    let tables = bench.tables();
    assert_eq!(exceeded(&tables), [(0, 0, 1, false), (0, 0, 1, true)]);
    assert_eq!(tables.alarms[&AlarmId(2)].previous, Some(AlarmId(1)));
}

#[test]
fn an_exceedance_longer_than_what_is_looked_at_keeps_its_beginning() {
    // Nine days, of which one hour comes late, when the first is out of sight.
    let mut hours = vec!["60"; 9 * 24];
    hours[8 * 24] = "";
    let mut bench = told(exceeding_city(), &hours);
    let since = |bench: &mut Bench| bench.tables().alarms[&AlarmId(1)].since;
    assert_eq!(since(&mut bench), minute(0));
    bench.send(minute(9 * MIDNIGHT + 10), hour(8 * 24, "70"));
    bench.tick(minute(9 * MIDNIGHT + 11));
    assert_eq!(since(&mut bench), minute(0));
    assert_eq!(bench.tables().alarms.len(), 1);
}

#[test]
fn the_hour_in_which_a_limit_leaves_the_permit_is_told_and_its_alarm_does_not_stay() {
    let mut bench = told(exceeding_city(), &["20"]);
    let mut city = exceeding_city();
    let stack = city.outlets.get_mut(GAS).unwrap();
    let limits = &mut stack.factors.get_mut("a21026").unwrap().limits;
    limits[0].id = "new".into();
    bench.send(minute(90), Event::Registry(city.into()));
    // The hour that began under the old limit is over under the new one.
    bench.send(minute(121), hour(1, "60"));
    bench.tick(minute(122));
    bench.send(minute(181), hour(2, "20"));
    bench.tick(minute(182));
    assert_eq!(exceeded(&bench.tables()), [(1, 1, 1, false)]);
}

#[test]
fn a_limit_that_is_over_is_not_alarmed_by_what_comes_late() {
    let mut city = exceeding_city();
    let stack = city.outlets.get_mut(GAS).unwrap();
    stack.factors.get_mut("a21026").unwrap().limits[0].until = Some(minute(120));
    let mut bench = told(city, &["20", "", "20", "20"]);
    assert_eq!(corrected(&mut bench, 1, "60"), [(1, 1, 1, false)]);
}

#[test]
fn an_amount_alarm_is_held_against_the_permit_as_it_is_now() {
    let permit = |kg: &str| {
        let mut city = hourly_city();
        city.outlets.get_mut(GAS).unwrap().permitted = vec![PermittedAmount {
            factor: "a21026".into(),
            period: AmountPeriod::Month,
            amount_kg: dec(kg),
            warn_at_pct: Vec::new(),
            source: "invented permit".into(),
            special: None,
        }];
        city
    };
    let mut bench = told(permit("50"), &["30", "30"]);
    let alarm = |bench: &mut Bench| bench.tables().alarms[&AlarmId(1)].clone();
    let row = alarm(&mut bench);
    assert_eq!((row.kind, row.active), (AlarmKind::AmountExceeded, true));
    assert_eq!(row.threshold, Some(dec("50")));
    bench.send(minute(150), Event::Registry(permit("40").into()));
    bench.send(minute(181), hour(2, "30"));
    bench.tick(minute(182));
    let row = alarm(&mut bench);
    assert_eq!(
        (row.threshold, row.value),
        (Some(dec("40")), Some(dec("90")))
    );
    assert_eq!(row.facts["permitted_kg"], "40");
    assert_eq!(bench.tables().alarms.len(), 1);
}

#[test]
fn three_versions_of_one_value_are_kept_and_everything_follows_the_last() {
    let mut bench = Bench::with(hourly_city(), minute(-MIDNIGHT));
    for n in -24..24 {
        bench.send(minute(60 * n + 61), hour(n, "20"));
    }
    bench.tick(minute(3 * MIDNIGHT));
    let version = |bench: &mut Bench, mg| {
        let now = bench.engine.now().plus_ms(60_000);
        bench.send(now, hour(7, mg));
        let seq = bench.seq;
        bench.tick(now.plus_ms(30_000));
        Seq(seq)
    };
    let first = bench.past.tables().records[&(GAS.into(), RecordKind::Hour, minute(420))].clone();
    let (first, second) = (first.values["a21026"].seq, version(&mut bench, "21.5"));
    // Sent again as it stands: counted, not kept as a version.
    version(&mut bench, "21.50");
    let third = version(&mut bench, "24");
    let tables = bench.tables();
    let key = (GAS.into(), RecordKind::Hour, minute(420));
    let now = &tables.records[&key].values["a21026"];
    assert_eq!((now.seq, now.superseded), (third, 2));
    assert_eq!(now.value.avg, Some(number("24")));
    let former: Vec<_> = tables
        .superseded
        .values()
        .map(|row| (row.old.seq, row.old.value.avg.clone(), row.by_seq))
        .collect();
    let expected = [
        (first, Some(number("20")), second),
        (second, Some(number("21.5")), third),
    ];
    assert_eq!(former, expected);
    let kg = |level, start| {
        let row = bench.aggregate(GAS, level, start);
        row.factors["a21026"].amount_kg
    };
    assert_eq!(kg(Level::Hour, minute(420)), Some(dec("24")));
    assert_eq!(kg(Level::Day, minute(0)), Some(dec("484")));
    assert_eq!(kg(Level::Month, minute(-30 * MIDNIGHT)), Some(dec("964")));
    assert_eq!(kg(Level::Year, minute(-90 * MIDNIGHT)), Some(dec("964")));
    let quarter = &tables.quarters[&(GAS.into(), minute(-90 * MIDNIGHT))];
    assert_eq!(quarter.factors["a21026"].measured_kg, Some(dec("964")));
    let pack = &tables.packs[&(GAS.into(), minute(-30 * MIDNIGHT))];
    let hours = crate::pack::Pack::open(&pack.body).unwrap().rows().unwrap();
    let packed = hours.iter().find(|row| row.start == minute(420)).unwrap();
    assert_eq!(packed.factors["a21026"].amount_kg, Some(dec("24")));
}

#[test]
fn what_is_older_than_every_version_of_the_rules_is_judged_by_the_first_whenever_it_comes() {
    let mut city = hourly_city();
    let plain = city.profiles.remove("plain@1").unwrap();
    let versions = [
        ("plain@1", minute(0), Some(minute(120))),
        ("plain@2", minute(120), None),
    ];
    for (id, from, until) in versions {
        let profile = Profile {
            id: id.into(),
            from: Some(from),
            until,
            ..plain.clone()
        };
        city.profiles.insert(id.into(), profile);
    }
    for outlet in city.outlets.values_mut() {
        outlet.profile = "plain".into();
    }
    let mut bench = Bench::with(city, minute(10));
    for (at, n) in [(30, -2), (150, -1)] {
        bench.send(minute(at), hour(n, "20"));
        bench.tick(minute(at + 1));
        let row = bench.aggregate(GAS, Level::Hour, minute(60 * n));
        assert_eq!(row.profile, "plain@1".into(), "hour {n}");
    }
}

fn repeats_the_day_before(bench: &mut Bench) -> bool {
    let key = (GAS.into(), Level::Day, minute(MIDNIGHT));
    let row = bench.tables().clues.get(&key).cloned();
    let code = DUPLICATE_DAY.stored_code();
    row.is_some_and(|row| row.clues.iter().any(|clue| clue.check == code))
}

#[test]
fn a_day_that_comes_late_is_looked_at_by_the_day_after_it() {
    let mut bench = Bench::with(hourly_city(), minute(-10));
    let mg = |n: i64| ["20", "21", "23"][usize::try_from(n % 3).unwrap()];
    for n in 24..48 {
        bench.send(minute(60 * n + 61), hour(n, mg(n)));
    }
    bench.tick(minute(2 * MIDNIGHT + 10));
    assert!(!repeats_the_day_before(&mut bench));
    for n in 0..24 {
        bench.send(minute(2 * MIDNIGHT + 20), hour(n, mg(n)));
    }
    bench.tick(minute(2 * MIDNIGHT + 30));
    assert!(repeats_the_day_before(&mut bench));
    // The equipment is said to have been out of order: what it showed then repeats nothing.
    let mark = Mark {
        outlet: GAS.into(),
        kind: MarkKind::Calibration,
        factors: Vec::new(),
        from: minute(0),
        until: minute(MIDNIGHT),
        reason: "stated".into(),
        attachments: Vec::new(),
        by: "operator".into(),
    };
    bench.send(minute(2 * MIDNIGHT + 40), Event::Mark(mark));
    bench.tick(minute(2 * MIDNIGHT + 50));
    assert!(!repeats_the_day_before(&mut bench));
}
