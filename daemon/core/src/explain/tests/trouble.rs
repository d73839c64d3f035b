//! Figures that are not there, that were replaced, or do not agree.

use super::*;
use crate::model::rows::AggregateOrigin;
use crate::model::*;

fn hour_row(bench: &Bench, hour: i64) -> AggregateRow {
    bench.aggregate(GAS, Level::Hour, minute(60 * hour))
}

#[test]
fn a_stored_row_that_says_something_else_is_told_at_the_root() {
    let city = city();
    let bench = run(&city, gas_day());
    let mut row = hour_row(&bench, 14);
    let nox = row.factors.get_mut("a21002").unwrap();
    nox.mean = Some(dec("150"));
    nox.limits.clear();
    bench.past.apply(Output::Aggregate(row));
    let root = ask(&bench, &city, &question(GAS, "a21002", hour_of(14)));
    // The number asked for is the stored one.
    assert_eq!(root.value.as_deref(), Some("150"));
    let warned = root
        .notes
        .iter()
        .any(|note| note.en.contains("differ from those stored"));
    assert!(warned, "{:?}", root.notes);
    let comparison = find(&root, "Compared");
    assert_eq!(code_of(comparison), DIFFERS);
    let notes: Vec<&str> = comparison.notes.iter().map(|n| n.en.as_str()).collect();
    assert_eq!(notes[0], "mean: stored 150, anew 181.975555555556");
    assert!(notes[1].starts_with("verdicts of the limits"), "{notes:?}");
}

#[test]
fn values_that_were_replaced_stand_beside_the_one_that_counts() {
    let city = city();
    let mut bench = run(&city, gas_day());
    for (at, text) in [(2_000, "300"), (2_001, "193.2")] {
        let values = vec![value("a21002", text, "N")];
        let event = data(record(GAS, RecordKind::Minute, minute(840), values));
        bench.send(minute(at), event);
    }
    bench.tick(minute(2_010));
    bench.flush();
    let root = ask(&bench, &city, &question(GAS, "a21002", hour_of(14)));
    assert_eq!(code_of(find(&root, "Compared")), "agrees");
    let asked = Asked::Record(RecordKind::Minute, minute(840));
    let root = ask(&bench, &city, &question(GAS, "a21002", asked));
    assert_eq!(root.value.as_deref(), Some("193.2"));
    let earlier = find(&root, "Earlier versions");
    let texts: Vec<_> = earlier
        .children
        .iter()
        .map(|n| n.value.as_deref().unwrap())
        .collect();
    assert_eq!((texts, earlier.omitted), (vec!["193.1", "300"], 0));
    // Without them at hand their number is told.
    let root = explain(&question(GAS, "a21002", asked), &bench.past, &city).unwrap();
    assert_eq!(find(&root, "Earlier versions").omitted, 2);
}

#[test]
fn what_is_not_there_is_explained() {
    let city = city();
    let bench = run(&city, gas_day().drain(..60).collect());
    let root = ask(&bench, &city, &question(GAS, "a21002", hour_of(5)));
    assert_eq!((code_of(&root), &root.value), ("no-data", &None));
    assert!(root.notes[0].en.contains("every 1 min"));
    let asked = Asked::Record(RecordKind::Minute, minute(300));
    let root = ask(&bench, &city, &question(GAS, "a21002", asked));
    assert_eq!(code_of(&root), "no-record");
    let april = Period::containing(Level::Day, minute(2_000), city.offset);
    let root = ask(
        &bench,
        &city,
        &question(GAS, "a21002", Asked::Period(april)),
    );
    assert_eq!(code_of(&root), "no-data");
    let quarter = Asked::Quarter(minute(0));
    let root = ask(&bench, &city, &question(GAS, "a21002", quarter));
    assert_eq!(code_of(&root), "no-data");

    let refused = |outlet: &str, factor: &str| {
        let question = question(outlet, factor, hour_of(0));
        explain(&question, &bench.past, &city).unwrap_err().code()
    };
    assert_eq!(refused("nowhere", "a21002"), "unknown-outlet");
    assert_eq!(refused(GAS, "a99999"), "unknown-factor");
    // An auxiliary quantity that the registry does not list, but the station sends.
    let root = ask(&bench, &city, &question(GAS, "a01012", hour_of(0)));
    assert_eq!(
        (root.label_en.as_str(), code_of(&root)),
        (
            "gas temperature, hour mean \
         2020-03-31 00:00–01:00",
            "valid"
        )
    );
}

#[test]
fn an_hour_that_is_not_over_is_computed_and_said_not_to_be_stored() {
    let city = city();
    let mut bench = Bench::with(city.clone(), minute(-10));
    for record in gas_day().drain(..30) {
        bench.send(record.start.plus_ms(61_000), data(record));
    }
    let root = ask(&bench, &city, &question(GAS, "a21002", hour_of(0)));
    assert_eq!(code_of(find(&root, "Compared")), "not-stored");
    assert!(root.value.is_some());
    let missing = find(&root, "Does the hour count").notes.iter();
    assert!(
        missing.clone().any(|n| n.en == "30 min without a record"),
        "{missing:?}"
    );
}

#[test]
fn a_minute_within_a_longer_record_is_found() {
    let mut city = city();
    city.outlets.get_mut(GAS).unwrap().expectation.minute_min = Some(10);
    let mut bench = Bench::with(city.clone(), minute(-10));
    let mut so2 = value("a21026", "20", "N");
    so2.sent_as = Some("02".into());
    so2.avg = Some(Number {
        value: dec("20"),
        text: "0.02".into(),
    });
    so2.min = Some(number("0"));
    bench.send(
        minute(11),
        data(record(GAS, RecordKind::Minute, minute(0), vec![so2])),
    );
    let asked = Asked::Record(RecordKind::Minute, minute(7));
    let root = ask(&bench, &city, &question(GAS, "a21026", asked));
    assert_eq!(root.value.as_deref(), Some("0.02"));
    let notes: Vec<&str> = root.notes.iter().map(|n| n.en.as_str()).collect();
    assert_eq!(notes.len(), 3, "{notes:?}");
    assert!(notes[0].starts_with("in the unit of 2017: 20"));
    assert_eq!(find(&root, "minimum").value.as_deref(), Some("0"));
}

#[test]
fn the_stations_own_hour_and_day_say_where_they_come_from() {
    let mut city = city();
    city.outlets.get_mut(GAS).unwrap().expectation.minute_min = None;
    let mut bench = Bench::with(city.clone(), minute(-10));
    let sent = || {
        let mut so2 = value("a21026", "31", "N");
        so2.converted = Some(number("55"));
        so2.cou = Some(number("7.5"));
        vec![so2]
    };
    bench.send(
        minute(61),
        data(record(GAS, RecordKind::Hour, minute(0), sent())),
    );
    bench.send(
        minute(1_441),
        data(record(GAS, RecordKind::Day, minute(0), sent())),
    );
    bench.tick(minute(1_450));
    bench.flush();
    assert_eq!(hour_row(&bench, 0).origin, AggregateOrigin::Reported);
    let root = ask(&bench, &city, &question(GAS, "a21026", hour_of(0)));
    assert_eq!(code_of(find(&root, "Compared")), "agrees");
    assert_eq!(find(&root, "Converted").value.as_deref(), Some("55"));
    assert_eq!(find(&root, "Amount").value.as_deref(), Some("7.5"));
    let limit = find(&root, "Limit h");
    assert_eq!(
        (code_of(limit), limit.with.as_deref()),
        ("exceeded", Some("55 > 50"))
    );
    let multiple = find(&root, "Exceedance multiple");
    assert_eq!(multiple.value.as_deref(), Some("0.1"));
    let root = ask(&bench, &city, &question(GAS, "a21026", day_of()));
    assert_eq!(code_of(find(&root, "Compared")), "agrees");
    assert_eq!(
        find(&root, "The station's own day").value.as_deref(),
        Some("31")
    );
}

#[test]
fn real_time_values_stand_for_the_minutes_where_no_minutes_are_expected() {
    let mut city = city();
    let gas = city.outlets.get_mut(GAS).unwrap();
    gas.expectation.minute_min = None;
    gas.expectation.realtime_s = Some(30);
    let mut bench = Bench::with(city.clone(), minute(-10));
    for half in 0..100i64 {
        let at = minute(0).plus_ms(half * 30_000);
        let mut so2 = value("a21026", "0", "N");
        so2.avg = None;
        so2.rtd = Some(number(if half % 2 == 0 { "10" } else { "20" }));
        bench.send(at, data(record(GAS, RecordKind::Realtime, at, vec![so2])));
    }
    bench.tick(minute(70));
    bench.flush();
    let root = ask(&bench, &city, &question(GAS, "a21026", hour_of(0)));
    assert_eq!(code_of(find(&root, "Compared")), "agrees");
    let mean = find(&root, "Mean");
    assert_eq!(mean.with.as_deref(), Some("750 ÷ 50"));
    assert_eq!((mean.children.len(), mean.omitted), (CHILDREN_MAX, 36));
    let asked = Asked::Record(RecordKind::Realtime, minute(0).plus_ms(30_000));
    let root = ask(&bench, &city, &question(GAS, "a21026", asked));
    assert_eq!(root.value.as_deref(), Some("20"));
}

#[test]
fn each_limit_says_why_it_gave_no_verdict() {
    let mut city = city();
    let gas = city.outlets.get_mut(GAS).unwrap();
    let so2 = gas.factors.get_mut("a21026").unwrap();
    let mut over = limit("over", LimitPeriod::Hour, true, "10");
    over.until = Some(minute(0));
    so2.limits.push(over);
    so2.limits
        .push(limit("strict", LimitPeriod::Hour, false, "10"));
    city.profiles.get_mut("plain@1").unwrap().o2_guard_pct = dec("5");
    let bench = run(&city, gas_day());
    let codes = |hour| {
        let root = ask(&bench, &city, &question(GAS, "a21026", hour_of(hour)));
        let limits = ["Limit h", "Limit over", "Limit strict"];
        limits.map(|limit| code_of(find(&root, limit)).to_owned())
    };
    assert_eq!(
        codes(14),
        ["no-converted-value", "not-in-force", "exceeded"]
    );
    assert_eq!(codes(8), ["mean-invalid", "not-in-force", "mean-invalid"]);
    let root = ask(&bench, &city, &question(GAS, "a21026", hour_of(14)));
    assert_eq!(code_of(find(&root, "Guard")), "o2-guard");
}
