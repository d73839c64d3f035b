//! A station that reads its own instruments: what its engine makes of a real day, of calibration,
//! stops, dead instruments, nights and outages.

use crate::engine::{Event, FORM_GRACE_MS};
use crate::fixture::*;
use crate::model::*;
use rust_decimal::Decimal;

/// The city whose outlets are stations: real-time, minute, hour and day records.
pub(super) fn stations() -> Registry {
    let mut city = registry();
    for outlet in city.outlets.values_mut() {
        outlet.expectation.realtime_s = Some(30);
        outlet.expectation.hour = true;
    }
    city
}

pub(super) fn sampled(outlet: &str, readings: &[(&str, &str, &str)]) -> Event {
    let samples = readings.iter().map(|(code, text, flag)| Sample {
        factor: (*code).into(),
        value: (!text.is_empty()).then(|| number(text)),
        flag: Flag((*flag).into()),
    });
    Event::Samples(SampleSet {
        outlet: outlet.into(),
        instrument: "cabinet".into(),
        samples: samples.collect(),
    })
}

/// Everything the stack's conversion needs, SO2 with its flag, NOx and dust as ever.
fn stack(so2: (&str, &str), o2: &str) -> Event {
    sampled(
        GAS,
        &[
            ("a21026", so2.0, so2.1),
            ("a21002", "30", "N"),
            ("a34013", "3", "N"),
            ("a19001", o2, "N"),
            ("a01011", "10", "N"),
            ("a01012", "80", "N"),
            ("a01013", "-0.2", "N"),
            ("a01014", "12", "N"),
        ],
    )
}

/// Polls every 5 s over minutes `from..until`.
fn poll(bench: &mut Bench, (from, until): (i64, i64), what: impl Fn(i64) -> Event) {
    for m in from..until {
        for n in 0..12 {
            bench.send(minute(m).plus_ms(5_000 * n), what(m));
        }
    }
}

fn record_of(bench: &Bench, outlet: &str, kind: RecordKind, start: Timestamp) -> RecordRow {
    let key = (outlet.into(), kind, start);
    let tables = bench.past.tables();
    let row = tables.records.get(&key);
    row.unwrap_or_else(|| panic!("no {kind:?} record at {start}"))
        .clone()
}

fn hour(bench: &Bench, outlet: &str, hour: i64) -> RecordRow {
    record_of(bench, outlet, RecordKind::Hour, minute(60 * hour))
}

fn flag(row: &RecordRow, code: &str) -> String {
    row.values[code].value.flag.as_ref().unwrap().0.to_string()
}

fn avg(row: &RecordRow, code: &str) -> Option<Decimal> {
    row.values[code].value.avg.as_ref().map(|n| n.value)
}

fn count(bench: &Bench, kind: RecordKind) -> usize {
    let tables = bench.past.tables();
    tables.records.keys().filter(|key| key.1 == kind).count()
}

/// A day of minute records as samples every five seconds.
fn as_samples(records: &[Record]) -> Bench {
    let mut bench = Bench::with(stations(), minute(-10));
    for record in records {
        let samples: Vec<Sample> = record
            .values
            .iter()
            .map(|value| Sample {
                factor: value.factor.clone(),
                value: value.avg.clone(),
                flag: value.flag.clone().unwrap(),
            })
            .collect();
        for n in 0..12 {
            let set = SampleSet {
                outlet: record.outlet.clone(),
                instrument: "cabinet".into(),
                samples: samples.clone(),
            };
            let at = record.start.plus_ms(5_000 * n);
            bench.send(at, Event::Samples(set));
        }
    }
    bench.tick(minute(1_440 + 10));
    bench.flush();
    bench
}

/// The same day as records from a logger, and as samples of one's own instruments.
fn a_day_is_the_same(records: Vec<Record>) {
    let outlet = records[0].outlet.clone();
    let sampled = as_samples(&records);
    let mut received = Bench::with(registry(), minute(-10));
    for record in records {
        received.send(record.start.plus_ms(61_000), data(record));
    }
    received.tick(minute(1_440 + 10));
    received.flush();
    assert_eq!(count(&sampled, RecordKind::Minute), 1_440);
    assert_eq!(count(&sampled, RecordKind::Realtime), 2 * 1_440);
    assert_eq!(count(&sampled, RecordKind::Hour), 24);
    assert_eq!(count(&sampled, RecordKind::Day), 1);

    let (ours, theirs) = (sampled.past.tables(), received.past.tables());
    for (key, expected) in &theirs.aggregates {
        let mut found = ours.aggregates[key].clone();
        found.seq = expected.seq;
        for factor in found.factors.values_mut() {
            factor.reported = None;
        }
        assert_eq!(&found, expected, "{key:?}");
    }
    // What the station sends as its hour and day is what its engine computed.
    let mut checked = 0;
    for row in ours.aggregates.values() {
        let kind = match row.level {
            Level::Hour => RecordKind::Hour,
            Level::Day => RecordKind::Day,
            Level::Month | Level::Year => continue,
        };
        let record = record_of(&sampled, outlet.as_str(), kind, row.start);
        for (code, factor) in row.factors.iter().filter(|(_, f)| f.valid) {
            let what = format!("{kind:?} {} {code}", row.start);
            let value = &record.values[code].value;
            let of = |n: &Option<Number>| n.as_ref().map(|n| n.value);
            assert_eq!(of(&value.avg), factor.mean, "{what}");
            if of(&value.cou).is_some() && factor.amount_kg.is_some() {
                assert_eq!(of(&value.cou), factor.amount_kg, "{what}");
            }
            if record.values[code].valid {
                assert_eq!(of(&value.converted), factor.converted, "{what}");
                checked += 1;
            }
            assert_eq!(factor.reported, of(&value.avg), "{what}");
        }
    }
    assert!(checked > 60, "{checked}");
}

#[test]
fn a_real_day_of_a_stack_is_the_same_from_samples_as_from_records() {
    a_day_is_the_same(gas_day());
}

#[test]
fn a_real_day_of_a_discharge_is_the_same_from_samples_as_from_records() {
    a_day_is_the_same(water_day());
}

#[test]
fn a_calibration_of_a_quarter_of_an_hour_is_borne_and_one_of_twenty_minutes_is_not() {
    for (minutes, expected) in [(15, "N"), (20, "C")] {
        let mut bench = Bench::with(stations(), minute(-10));
        poll(&mut bench, (0, 62), |m| {
            let calibrating = (10..10 + minutes).contains(&m);
            stack(
                if calibrating {
                    ("180", "C")
                } else {
                    ("20", "N")
                },
                "9",
            )
        });
        bench.tick(minute(65));
        bench.flush();
        let row = hour(&bench, GAS, 0);
        assert_eq!(flag(&row, "a21026"), expected);
        assert_eq!(
            avg(&row, "a21026"),
            Some(dec("20")),
            "span gas is no reading"
        );
        assert_eq!(row.values["a21026"].value.max.as_ref().unwrap().text, "20");
        assert_eq!(flag(&row, "a19001"), "N");
        let so2 = &bench.aggregate(GAS, Level::Hour, minute(0)).factors["a21026"];
        assert_eq!(so2.valid, expected == "N");
        assert_eq!(u32::try_from(60 - minutes), Ok(so2.valid_units));
        assert!(row.values["a21026"].value.converted.is_some() == so2.valid);
    }
}

#[test]
fn an_exceedance_from_samples_is_alarmed_as_one_from_records() {
    let mut bench = Bench::with(stations(), minute(-10));
    poll(&mut bench, (0, 63), |_| stack(("90", "N"), "9"));
    bench.flush();
    let alarms = bench.past.tables().alarms;
    let of_stack = |a: &&AlarmRow| a.subject == AlarmSubject::Outlet(GAS.into());
    let alarms: Vec<&AlarmRow> = alarms.values().filter(of_stack).collect();
    assert_eq!(alarms.len(), 1);
    assert_eq!(alarms[0].kind, AlarmKind::ExceedanceHour);
    // 90 * (21 - 6) / (21 - 9).
    assert_eq!(alarms[0].value, Some(dec("112.5")));
    assert!(
        bench.past.tables().devices.is_empty(),
        "nobody sent anything"
    );
}

#[test]
fn air_in_the_duct_gives_no_converted_value() {
    let mut bench = Bench::with(stations(), minute(-10));
    poll(&mut bench, (0, 61), |_| stack(("20", "N"), "21"));
    let row = record_of(&bench, GAS, RecordKind::Minute, minute(7));
    let so2 = &row.values["a21026"].value;
    assert_eq!(flag(&row, "a21026"), "N");
    assert!(so2.avg.is_some() && so2.converted.is_none() && so2.cou.is_some());
    let row = hour(&bench, GAS, 0);
    assert!(row.values["a21026"].value.converted.is_none());
    let live = record_of(&bench, GAS, RecordKind::Realtime, minute(7));
    assert!(live.values["a21026"].value.converted.is_none());
}

#[test]
fn a_stopped_source_is_stopped_and_nothing_is_owed() {
    let mut bench = Bench::with(stations(), minute(-10));
    poll(&mut bench, (0, 150), |_| {
        sampled(
            GAS,
            &[
                ("a21026", "0", "F"),
                ("a34013", "0", "F"),
                ("a21002", "0", "F"),
            ],
        )
    });
    bench.flush();
    assert_eq!(flag(&hour(&bench, GAS, 0), "a21026"), "F");
    let so2 = &bench.aggregate(GAS, Level::Hour, minute(0)).factors["a21026"];
    assert_eq!((so2.stopped_units, so2.valid), (60, false));
    let tables = bench.past.tables();
    let of_stack = |alarm: &&AlarmRow| alarm.subject == AlarmSubject::Outlet(GAS.into());
    assert!(tables.alarms.values().find(of_stack).is_none());
    let open = |row: &&FallbackRow| row.outlet.as_str() == GAS;
    assert!(tables.fallbacks.values().find(open).is_none());
}

#[test]
fn a_dead_analyser_is_told_apart_from_its_neighbours_and_comes_back() {
    let mut bench = Bench::with(stations(), minute(-10));
    poll(&mut bench, (0, 240), |m| {
        let dead = (30..150).contains(&m);
        stack(if dead { ("", "B") } else { ("20", "N") }, "9")
    });
    bench.flush();
    let row = record_of(&bench, GAS, RecordKind::Minute, minute(40));
    assert_eq!(
        (flag(&row, "a21026"), avg(&row, "a21026")),
        ("B".into(), None)
    );
    assert_eq!(flag(&row, "a19001"), "N");
    let live = record_of(&bench, GAS, RecordKind::Realtime, minute(40));
    assert!(live.values["a21026"].value.rtd.is_none());
    let flags: Vec<String> = (0..3)
        .map(|h| flag(&hour(&bench, GAS, h), "a21026"))
        .collect();
    assert_eq!(flags, ["B", "B", "B"]);
    assert_eq!(flag(&hour(&bench, GAS, 1), "a19001"), "N");
    // Half an hour of it was read, and is shown beside the flag.
    assert_eq!(avg(&hour(&bench, GAS, 0), "a21026"), Some(dec("20")));
    assert_eq!(avg(&hour(&bench, GAS, 1), "a21026"), None);
    // The fallback opened when an hour had passed without a valid value.
    let fallbacks = bench.past.tables().fallbacks;
    let row = fallbacks.values().find(|row| row.outlet.as_str() == GAS);
    assert!(row.is_some_and(|row| row.opened_at > minute(85)));
    assert_eq!(
        flag(
            &record_of(&bench, GAS, RecordKind::Minute, minute(160)),
            "a21026"
        ),
        "N"
    );
}

#[test]
fn an_analyser_that_nobody_polls_any_more_shows_a_lost_link() {
    let mut bench = Bench::with(stations(), minute(-10));
    poll(&mut bench, (0, 10), |m| {
        let both = [("a21026", "20", "N"), ("a21002", "30", "N")];
        sampled(GAS, if m < 5 { &both } else { &both[..1] })
    });
    let row = record_of(&bench, GAS, RecordKind::Minute, minute(7));
    assert_eq!(
        (flag(&row, "a21026").as_str(), flag(&row, "a21002").as_str()),
        ("N", "B")
    );
}

#[test]
fn days_and_months_end_at_the_sites_midnight() {
    let mut bench = Bench::with(stations(), minute(-10));
    // From three hours before midnight of 31 March to two hours after, 05:00 to 18:00 UTC.
    poll(&mut bench, (21 * 60, 26 * 60), |_| stack(("20", "N"), "9"));
    bench.tick(minute(26 * 60 + 5));
    bench.flush();
    let day = record_of(&bench, GAS, RecordKind::Day, minute(0));
    let offset = UtcOffset::default();
    assert_eq!(offset.iso(day.start), "2020-03-31T00:00:00+08:00");
    assert_eq!(flag(&day, "a21026"), "B", "three hours are no day");
    assert_eq!(avg(&day, "a21026"), Some(dec("20")));
    let hours: Vec<Timestamp> = bench
        .past
        .tables()
        .records
        .keys()
        .filter(|key| key.1 == RecordKind::Hour)
        .map(|key| key.2)
        .collect();
    assert_eq!(hours, [21, 22, 23, 24, 25].map(|h| minute(60 * h)));
    // The day is formed with its last hour in it, and at once.
    let three = bench.aggregate(GAS, Level::Day, minute(0)).factors["a21026"].clone();
    assert_eq!(three.valid_units, 3);
    let cou = day.values["a21026"].value.cou.as_ref().map(|n| n.value);
    assert_eq!(cou, three.amount_kg);
    assert_eq!(day.values["a21026"].received_at, minute(24 * 60));
    let month = bench.past.tables();
    let months = month.aggregates.keys().filter(|k| k.1 == Level::Month);
    assert_eq!(months.count(), 2);
}

#[test]
fn a_full_day_counts_with_twenty_hours() {
    for (hours, expected) in [(20, "N"), (19, "D")] {
        let mut bench = Bench::with(stations(), minute(-10));
        for m in 0..1_441 {
            // Every half minute, which is slow but steady.
            for n in 0..2 {
                let fault = m >= 60 * hours;
                let so2 = if fault { ("0", "D") } else { ("20", "N") };
                bench.send(minute(m).plus_ms(30_000 * n), stack(so2, "9"));
            }
        }
        let day = record_of(&bench, GAS, RecordKind::Day, minute(0));
        assert_eq!(flag(&day, "a21026"), expected);
        assert_eq!(flag(&day, "a19001"), "N");
        assert_eq!(avg(&day, "a21026"), Some(dec("20")));
    }
}

#[test]
fn one_bad_sample_shows_in_the_minute_the_hour_and_the_day_of_water() {
    let mut bench = Bench::with(stations(), minute(-10));
    for m in -2..1_441 {
        for n in 0..2 {
            let bad = m == 700 && n == 1;
            let cod = ("w01018", "80", if bad { "M" } else { "N" });
            let event = sampled(WATER, &[cod, ("w00000", "10", "N")]);
            bench.send(minute(m).plus_ms(30_000 * n), event);
        }
    }
    bench.tick(minute(1_450));
    bench.flush();
    let row = record_of(&bench, WATER, RecordKind::Minute, minute(700));
    assert_eq!(flag(&row, "w01018"), "M");
    assert_eq!(flag(&hour(&bench, WATER, 11), "w01018"), "M");
    let day = record_of(&bench, WATER, RecordKind::Day, minute(0));
    assert_eq!(flag(&day, "w01018"), "M");
    assert_eq!(flag(&day, "w00000"), "N");
    // 10 L/s over a day.
    let cou = day.values["w00000"].value.cou.as_ref().map(|n| n.value);
    assert_eq!(cou, Some(dec("864")));
    // What annex D marks, the engine's day judges by its minutes.
    let cod = &bench.aggregate(WATER, Level::Day, minute(0)).factors["w01018"];
    assert!(cod.valid && cod.valid_units == 24);
}

#[test]
fn an_outage_of_hours_invents_nothing() {
    let mut bench = Bench::with(stations(), minute(-10));
    poll(&mut bench, (0, 10), |_| stack(("20", "N"), "9"));
    bench.restart();
    poll(&mut bench, (400, 403), |_| stack(("20", "N"), "9"));
    bench.tick(minute(404));
    assert_eq!(count(&bench, RecordKind::Minute), 13);
    assert_eq!(count(&bench, RecordKind::Realtime), 26);
    // The hour of the stop is formed as far as it goes; the hours between are a gap.
    assert_eq!(count(&bench, RecordKind::Hour), 1);
    let row = hour(&bench, GAS, 0);
    assert_eq!(flag(&row, "a21026"), "B");
    let formed = row.values["a21026"].received_at;
    assert_eq!(formed, minute(60).plus_ms(FORM_GRACE_MS));
    bench.flush();
    let alarms = bench.past.tables().alarms;
    let silent = |a: &&AlarmRow| {
        a.kind == AlarmKind::NoData && a.subject == AlarmSubject::Outlet(GAS.into())
    };
    let alarm = alarms.values().find(silent).unwrap();
    assert_eq!(alarm.since, minute(10).plus_ms(FORM_GRACE_MS));
    assert!(!alarm.active, "data again");
}

#[test]
fn only_outlets_that_are_sampled_have_intervals_to_close() {
    let mut city = stations();
    for outlet in city.outlets.values_mut() {
        outlet.expectation.no_data_after_s = 0;
    }
    let mut bench = Bench::with(city, minute(0));
    // That of the fallback.
    assert_eq!(bench.engine.next_deadline(), Some(minute(60)));
    bench.send(minute(0), stack(("20", "N"), "9"));
    let next = bench.engine.next_deadline();
    assert_eq!(next, Some(minute(0).plus_ms(30_000 + FORM_GRACE_MS)));
    // The next sample closes the interval; no tick is needed while samples come.
    for n in 1..=7 {
        let due = bench.engine.next_deadline().unwrap();
        let at = minute(0).plus_ms(5_000 * n);
        assert!(at < due);
        bench.send(at, stack(("20", "N"), "9"));
    }
    assert_eq!(count(&bench, RecordKind::Realtime), 1);
}

#[test]
fn what_is_accepted_is_noted_for_those_it_is_passed_on_to() {
    use RecordKind::{Hour, Minute, Realtime};
    let mut city = stations();
    city.outlets.get_mut(GAS).unwrap().forward = true;
    let mut bench = Bench::with(city, minute(-10));
    poll(&mut bench, (58, 61), |_| stack(("20", "N"), "9"));
    for event in [
        sampled(WATER, &[("w01018", "80", "N")]),
        data(record(
            GAS,
            Minute,
            minute(30),
            vec![value("a21026", "9", "N")],
        )),
        data(record(
            GAS,
            Minute,
            minute(30),
            vec![value("a21026", "9", "N")],
        )),
        data(record(
            GAS,
            Minute,
            minute(30),
            vec![value("a21026", "8", "N")],
        )),
    ] {
        bench.send(minute(61), event);
    }
    let tables = bench.past.tables();
    let mut log: Vec<(RecordKind, i64)> = Vec::new();
    for ((seq, n), row) in &tables.forward {
        assert_eq!((*seq, *n, row.outlet.as_str()), (row.seq, row.n, GAS));
        log.push((row.kind, row.start.since_ms(minute(0)) / 1_000));
    }
    let minute_of = |m: i64| 60 * m;
    assert_eq!(
        log,
        [
            (Realtime, minute_of(58) + 30),
            (Realtime, minute_of(59)),
            (Minute, minute_of(58)),
            (Realtime, minute_of(59) + 30),
            (Realtime, minute_of(60)),
            (Minute, minute_of(59)),
            (Hour, 0),
            (Realtime, minute_of(60) + 30),
            // Received: new, not the repetition, the correction.
            (Minute, minute_of(30)),
            (Minute, minute_of(30)),
        ]
    );
}
