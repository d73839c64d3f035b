//! Readings, limits, totals and corrections.

use crate::engine::{GRACE_MS, SETTLE_MS};
use crate::fixture::*;
use crate::model::*;

/// Minute records of SO2 (with what the conversion needs) over one hour at `mg`.
fn so2_hour(bench: &mut Bench, hour: i64, mg: &str, flag: &str) {
    for m in 0..60 {
        let start = minute(60 * hour + m);
        bench.send(start.plus_ms(61_000), so2(start, mg, flag));
    }
}

fn so2(start: Timestamp, mg: &str, flag: &str) -> crate::engine::Event {
    let v = |code: &str, text: &str| value(code, text, flag);
    let values = vec![
        v("a21026", mg),
        v("a21002", "30"),
        v("a34013", "3"),
        v("a19001", "6"),
        v("a01011", "10"),
        v("a01012", "80"),
        v("a01013", "-0.2"),
        v("a01014", "12"),
    ];
    data(record(GAS, RecordKind::Minute, start, values))
}

fn close_hour(bench: &mut Bench, hour: i64) {
    bench.tick(minute(60 * (hour + 1)).plus_ms(GRACE_MS));
    bench.flush();
}

fn alarms(bench: &Bench, kind: AlarmKind) -> Vec<AlarmRow> {
    let alarms = bench.past.tables().alarms;
    alarms.into_values().filter(|a| a.kind == kind).collect()
}

#[test]
fn an_exceedance_is_one_alarm_through_its_hours_and_the_next_one_is_new() {
    let mut bench = Bench::with(registry(), minute(-10));
    for (hour, mg) in ["40", "60", "70", "55", "50", "80"].iter().enumerate() {
        so2_hour(&mut bench, i64::try_from(hour).unwrap(), mg, "N");
        close_hour(&mut bench, i64::try_from(hour).unwrap());
        let active = alarms(&bench, AlarmKind::ExceedanceHour);
        let active: Vec<u64> = active
            .iter()
            .filter(|a| a.active)
            .map(|a| a.count)
            .collect();
        let expected: &[u64] = [&[][..], &[1], &[2], &[3], &[], &[1]][hour];
        assert_eq!(active, expected, "after hour {hour}");
    }
    let alarms = alarms(&bench, AlarmKind::ExceedanceHour);
    let [first, second] = alarms.as_slice() else {
        panic!("two alarms, not {}", alarms.len());
    };
    assert_eq!(first.since, minute(60));
    assert_eq!(
        (first.value, first.threshold),
        (Some(dec("70")), Some(dec("50")))
    );
    assert_eq!(first.facts["worst_at"], "2020-03-31T02:00:00+08:00");
    assert_eq!(first.facts["multiple"], "0.4");
    assert_eq!(first.raised_at, minute(120).plus_ms(GRACE_MS));
    assert_eq!(first.returned_at, Some(minute(300).plus_ms(GRACE_MS)));
    assert_eq!(second.previous, Some(first.id));
    assert_eq!(second.facts["latest"], "80");
}

#[test]
fn an_invalid_hour_neither_ends_nor_extends_an_exceedance() {
    let mut bench = Bench::with(registry(), minute(-10));
    for (hour, (mg, flag)) in [("60", "N"), ("10", "D"), ("61", "N")].iter().enumerate() {
        so2_hour(&mut bench, i64::try_from(hour).unwrap(), mg, flag);
        close_hour(&mut bench, i64::try_from(hour).unwrap());
    }
    let alarms = alarms(&bench, AlarmKind::ExceedanceHour);
    assert_eq!(alarms.len(), 1);
    assert_eq!((alarms[0].active, alarms[0].count), (true, 2));
    let hour = bench.aggregate(GAS, Level::Hour, minute(60));
    let so2 = &hour.factors["a21026"];
    assert!(!so2.valid && so2.limits.is_empty() && so2.amount_kg.is_none());
}

#[test]
fn an_hour_that_comes_late_corrects_the_stretch_it_belongs_to() {
    let mut bench = Bench::with(registry(), minute(-10));
    for (hour, mg) in ["60", "", "62", "40"].iter().enumerate() {
        if !mg.is_empty() {
            so2_hour(&mut bench, i64::try_from(hour).unwrap(), mg, "N");
        }
        close_hour(&mut bench, i64::try_from(hour).unwrap());
    }
    let before = alarms(&bench, AlarmKind::ExceedanceHour);
    assert_eq!(before.len(), 1);
    assert_eq!((before[0].count, before[0].active), (2, false));
    // The hour between arrives hours later, and was over the limit as well.
    let late = minute(400);
    for m in 60..120 {
        bench.send(late, so2(minute(m), "90", "N"));
    }
    bench.tick(late.plus_ms(SETTLE_MS));
    bench.flush();
    let after = alarms(&bench, AlarmKind::ExceedanceHour);
    assert_eq!(after.len(), 1, "corrected in place");
    assert_eq!((after[0].count, after[0].value), (3, Some(dec("90"))));
    assert!(!after[0].active);
    assert_eq!(after[0].returned_at, before[0].returned_at);
}

#[test]
fn an_exceedance_learned_of_afterwards_is_alarmed_and_returned_at_once() {
    let mut bench = Bench::with(registry(), minute(-10));
    so2_hour(&mut bench, 2, "20", "N");
    close_hour(&mut bench, 2);
    for m in 0..60 {
        bench.send(minute(300), so2(minute(m), "90", "N"));
    }
    bench.tick(minute(301));
    bench.flush();
    let alarms = alarms(&bench, AlarmKind::ExceedanceHour);
    assert_eq!(alarms.len(), 1);
    assert_eq!(alarms[0].since, minute(0));
    assert!(!alarms[0].active && alarms[0].acknowledged.is_none());
}

#[test]
fn a_correction_that_lifts_the_exceedance_returns_the_alarm() {
    let mut bench = Bench::with(registry(), minute(-10));
    so2_hour(&mut bench, 0, "60", "N");
    close_hour(&mut bench, 0);
    assert!(alarms(&bench, AlarmKind::ExceedanceHour)[0].active);
    for m in 0..60 {
        bench.send(minute(70), so2(minute(m), "20", "N"));
    }
    bench.tick(minute(71));
    bench.flush();
    let alarm = alarms(&bench, AlarmKind::ExceedanceHour).remove(0);
    assert!(!alarm.active);
    assert_eq!(
        (alarm.count, alarm.facts["returned"].as_str()),
        (0, "corrected")
    );
    let tables = bench.past.tables();
    // Each of the sixty values is kept beside the one that replaced it.
    let kept = tables
        .superseded
        .values()
        .filter(|s| s.old.value.factor.as_str() == "a21026");
    assert_eq!(kept.count(), 60);
    let row = &tables.records[&(GAS.into(), RecordKind::Minute, minute(0))];
    assert_eq!(row.values["a21026"].superseded, 1);
    assert_eq!(row.values["a21002"].superseded, 0);
}

#[test]
fn repeated_frames_change_nothing_but_their_count() {
    let mut bench = Bench::with(registry(), minute(-10));
    so2_hour(&mut bench, 0, "20", "N");
    close_hour(&mut bench, 0);
    let before = bench.tables();
    for m in 0..60 {
        bench.send(minute(70), so2(minute(m), "20.00", "N"));
    }
    bench.tick(minute(72));
    let after = bench.tables();
    assert_eq!(before.records, after.records);
    assert_eq!(before.aggregates, after.aggregates);
    assert!(after.superseded.is_empty());
    let device = &after.devices["MN-GAS"];
    assert_eq!((device.duplicates, device.frames), (60 * 8, 120));
    assert_eq!(device.findings["lower-case-hex"], 120);
}

#[test]
fn packets_of_a_split_record_merge() {
    let mut bench = Bench::with(registry(), minute(-10));
    for code in ["a21026", "a21002"] {
        let values = vec![value(code, "20", "N")];
        bench.send(
            minute(1),
            data(record(GAS, RecordKind::Minute, minute(0), values)),
        );
    }
    let tables = bench.tables();
    let row = &tables.records[&(GAS.into(), RecordKind::Minute, minute(0))];
    assert_eq!(row.values.len(), 2);
    assert!(tables.superseded.is_empty());
}

#[test]
fn the_latest_value_never_goes_back_in_time() {
    let mut bench = Bench::with(registry(), minute(-10));
    bench.send(minute(11), so2(minute(10), "22", "N"));
    bench.send(minute(12), so2(minute(5), "99", "N"));
    let tables = bench.tables();
    let latest = &tables.latest[&(GAS.into(), "a21026".into())];
    assert_eq!((latest.start, latest.value), (minute(10), Some(dec("22"))));
    // A correction of the same minute does replace it.
    bench.send(minute(13), so2(minute(10), "23", "N"));
    let latest = &bench.tables().latest[&(GAS.into(), "a21026".into())];
    assert_eq!(latest.value, Some(dec("23")));
}

#[test]
fn totals_warn_at_their_shares_and_alarm_strictly_above_the_permit() {
    let mut city = registry();
    let gas = city.outlets.get_mut(GAS).unwrap();
    gas.permitted.push(PermittedAmount {
        factor: "a21026".into(),
        period: AmountPeriod::Month,
        amount_kg: dec("50"),
        warn_at_pct: vec![dec("80"), dec("90")],
        source: "permit".into(),
        special: None,
    });
    let mut bench = Bench::with(city, minute(-10));
    let mut seen = Vec::new();
    for hour in 0..4 {
        so2_hour(&mut bench, hour, "29", "N");
        close_hour(&mut bench, hour);
        let warnings = alarms(&bench, AlarmKind::AmountWarning).len();
        seen.push((warnings, alarms(&bench, AlarmKind::AmountExceeded).len()));
    }
    // About 14.1 kg an hour: 80 % (40 kg) in the third hour, all of it in the fourth.
    assert_eq!(seen, [(0, 0), (0, 0), (1, 0), (2, 1)]);
    let warning = alarms(&bench, AlarmKind::AmountWarning).remove(0);
    assert_eq!(warning.facts["share"], "80");
    assert_eq!(warning.threshold, Some(dec("40")));
    assert!(warning.active);
    // April begins: the new period starts from nothing.
    bench.tick(minute(1_440).plus_ms(GRACE_MS));
    bench.flush();
    for kind in [AlarmKind::AmountWarning, AlarmKind::AmountExceeded] {
        for alarm in alarms(&bench, kind) {
            assert!(!alarm.active);
            assert_eq!(alarm.facts["returned"], "period-over");
        }
    }
}

#[test]
fn without_minutes_the_stations_hour_is_the_hour_and_with_them_it_stands_beside() {
    let mut bench = Bench::with(registry(), minute(-10));
    let hour = |start, mg: &str| {
        let mut so2 = value("a21026", mg, "N");
        so2.converted = Some(number("33"));
        so2.cou = Some(number("7.5"));
        data(record(GAS, RecordKind::Hour, start, vec![so2]))
    };
    bench.send(minute(61), hour(minute(0), "31"));
    close_hour(&mut bench, 0);
    let row = bench.aggregate(GAS, Level::Hour, minute(0));
    assert_eq!(row.origin, rows::AggregateOrigin::Reported);
    let so2 = &row.factors["a21026"];
    assert!(so2.valid);
    assert_eq!(
        (so2.mean, so2.converted),
        (Some(dec("31")), Some(dec("33")))
    );
    assert_eq!(
        (so2.amount_kg, so2.reported),
        (Some(dec("7.5")), Some(dec("31")))
    );
    assert_eq!(so2.limits.len(), 1);

    so2_hour(&mut bench, 1, "20", "N");
    bench.send(minute(121), hour(minute(60), "31"));
    close_hour(&mut bench, 1);
    let row = bench.aggregate(GAS, Level::Hour, minute(60));
    assert_eq!(row.origin, rows::AggregateOrigin::Computed);
    let so2 = &row.factors["a21026"];
    assert_eq!((so2.mean, so2.reported), (Some(dec("20")), Some(dec("31"))));
}

#[test]
fn where_only_real_time_data_are_expected_each_sample_stands_for_its_minute() {
    let mut city = registry();
    let gas = city.outlets.get_mut(GAS).unwrap();
    gas.expectation.minute_min = None;
    gas.expectation.realtime_s = Some(30);
    let mut bench = Bench::with(city, minute(-10));
    for half in 0..100i64 {
        let at = minute(0).plus_ms(half * 30_000);
        let mut so2 = value("a21026", "0", "N");
        so2.avg = None;
        so2.rtd = Some(number(if half % 2 == 0 { "10" } else { "20" }));
        bench.send(at, data(record(GAS, RecordKind::Realtime, at, vec![so2])));
    }
    close_hour(&mut bench, 0);
    let row = bench.aggregate(GAS, Level::Hour, minute(0));
    let so2 = &row.factors["a21026"];
    assert_eq!((so2.valid_units, so2.valid), (50, true));
    assert_eq!((so2.mean, so2.min), (Some(dec("15")), Some(dec("15"))));
}

#[test]
fn a_limit_applies_to_periods_that_begin_while_it_is_in_force() {
    let mut city = registry();
    let so2 = city
        .outlets
        .get_mut(GAS)
        .unwrap()
        .factors
        .get_mut("a21026")
        .unwrap();
    so2.limits[0].until = Some(minute(60));
    let mut stricter = limit("strict", LimitPeriod::Hour, true, "15");
    stricter.from = Some(minute(60));
    so2.limits.push(stricter);
    let mut bench = Bench::with(city, minute(-10));
    for hour in 0..2 {
        so2_hour(&mut bench, hour, "20", "N");
        close_hour(&mut bench, hour);
    }
    let judged = |hour: i64| {
        let row = bench.aggregate(GAS, Level::Hour, minute(60 * hour));
        let verdict = row.factors["a21026"].limits[0].clone();
        (verdict.limit.to_string(), verdict.exceeded)
    };
    assert_eq!(judged(0), ("h".into(), false));
    assert_eq!(judged(1), ("strict".into(), true));
}

#[test]
fn an_alarm_returns_when_its_limit_expires_or_leaves_the_permit() {
    let mut city = registry();
    let limits = |city: &mut Registry, f: &dyn Fn(&mut Vec<Limit>)| {
        let gas = city.outlets.get_mut(GAS).unwrap();
        f(&mut gas.factors.get_mut("a21026").unwrap().limits);
    };
    limits(&mut city, &|l| {
        l[0].until = Some(minute(60));
        l.push(limit("second", LimitPeriod::Hour, true, "45"));
    });
    let mut bench = Bench::with(city.clone(), minute(-10));
    for hour in 0..2 {
        so2_hour(&mut bench, hour, "60", "N");
        close_hour(&mut bench, hour);
    }
    let now = alarms(&bench, AlarmKind::ExceedanceHour);
    assert_eq!(
        now.iter().map(|a| a.active).collect::<Vec<_>>(),
        [false, true]
    );
    assert_eq!(now[0].facts["returned"], "limit-over");
    limits(&mut city, &|l| l.truncate(1));
    bench.send(minute(130), crate::engine::Event::Registry(city.into()));
    let second = alarms(&bench, AlarmKind::ExceedanceHour).remove(1);
    assert_eq!(second.facts["returned"], "limit-removed");
}

#[test]
fn a_day_mean_is_judged_when_the_day_is_over() {
    let mut city = registry();
    let gas = city.outlets.get_mut(GAS).unwrap();
    gas.factors.get_mut("a21026").unwrap().limits = vec![limit("d", LimitPeriod::Day, true, "35")];
    let mut bench = Bench::with(city, minute(-10));
    for hour in 0..24 {
        so2_hour(&mut bench, hour, "40", "N");
    }
    let day = bench.aggregate(GAS, Level::Day, minute(0));
    assert!(!day.complete && day.factors["a21026"].limits[0].exceeded);
    assert!(alarms(&bench, AlarmKind::ExceedanceDay).is_empty());
    bench.tick(minute(1_440).plus_ms(GRACE_MS));
    let day = bench.aggregate(GAS, Level::Day, minute(0));
    assert!(day.complete);
    let alarm = alarms(&bench, AlarmKind::ExceedanceDay).remove(0);
    assert_eq!((alarm.since, alarm.value), (minute(0), Some(dec("40"))));
    assert_eq!(alarm.raised_at, minute(1_440).plus_ms(GRACE_MS));
}

#[test]
fn times_at_the_ends_of_the_world_do_no_harm() {
    let mut bench = Bench::with(registry(), minute(-10));
    for at in [i64::MIN, -1, 0, i64::MAX] {
        for kind in RecordKind::ALL {
            let values = vec![value("a21026", "20", "N")];
            bench.send(minute(0), data(record(GAS, kind, Timestamp(at), values)));
        }
    }
    bench.tick(minute(10));
    bench.restart();
    // Nobody looks after the two outlets for three years.
    bench.tick(minute(3 * 365 * 1_440));
    let fallbacks = bench.tables().fallbacks;
    assert_eq!(fallbacks.len(), 2);
    let days: Vec<usize> = fallbacks.values().map(|f| f.short_days.len()).collect();
    assert_eq!(days, [crate::fallback::SHORT_DAYS_MAX; 2]);
    assert!(fallbacks.values().all(|f| f.missed > 1_000));
}
