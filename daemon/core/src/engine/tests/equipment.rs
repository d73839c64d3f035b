//! Tests of the equipment that devices report or carry out, and settings that change in between.

use crate::engine::{Event, Statement};
use crate::fixture::*;
use crate::model::*;
use std::sync::Arc;

/// Calibration gas within 5 %.
fn strict() -> Registry {
    let mut city = registry();
    let profile = city.profiles.get_mut("plain@1").unwrap();
    profile.qa.items.insert("a21026".into(), "so2".into());
    profile.qa.standard_pct.insert("so2".into(), dec("5"));
    city
}

#[test]
fn a_standard_check_of_the_device_is_a_test_and_its_repetition_is_none() {
    let mut bench = Bench::with(strict(), minute(0));
    let check = |read: &str| {
        Event::Statement(
            contact(GAS),
            Statement {
                cn: "2062".into(),
                at: Some(minute(30)),
                items: vec![
                    ("a21026-SampleRd".into(), read.into()),
                    ("a21026-StandardValue".into(), "100".into()),
                    ("a21026-ResultType".into(), "1".into()),
                    ("a99999-SampleRd".into(), "1".into()),
                ],
            },
        )
    };
    bench.send(minute(31), check("104"));
    bench.send(minute(32), check("104"));
    bench.send(minute(33), check("no number"));
    let tests = bench.tables().qa;
    assert_eq!(tests.len(), 1);
    let row = tests.values().next().unwrap();
    assert_eq!(row.verdict.outcome, QaOutcome::Passed);
    assert_eq!(row.test.by.as_str(), "device");
    assert_eq!(row.test.from_cn.as_deref(), Some("2062"));
}

#[test]
fn a_calibration_that_was_ordered_and_done_stands_among_the_tests() {
    let mut bench = Bench::with(strict(), minute(0));
    let ordered = ExchangeNews::Ordered {
        cn: "3011".into(),
        params: vec![("PolId".into(), "a21026".into())],
        by: "duty".into(),
        why: "order".into(),
    };
    bench.send(minute(1), Event::Exchange(GAS.into(), ordered));
    let id = Seq(bench.seq);
    let step = |state| ExchangeNews::Step {
        id,
        what: "done".into(),
        detail: "ExeRtn=1".into(),
        state,
    };
    bench.send(
        minute(2),
        Event::Exchange(GAS.into(), step(ExchangeState::Sent)),
    );
    assert!(bench.tables().qa.is_empty());
    bench.send(
        minute(3),
        Event::Exchange(GAS.into(), step(ExchangeState::Done)),
    );
    let tests = bench.tables().qa;
    let row = tests.values().next().unwrap();
    assert_eq!(row.verdict.outcome, QaOutcome::NotJudged);
    assert_eq!((row.test.by.as_str(), row.test.at), ("duty", minute(3)));
}

/// An hour of the stack at 10 mg/m3, sent at `at`.
fn hour(bench: &mut Bench, first: i64, at: Timestamp) {
    for n in first..first + 60 {
        let values = vec![
            value("a21026", "10", "N"),
            value("a19001", "6", "N"),
            value("a01011", "10", "N"),
            value("a01012", "0", "N"),
            value("a01013", "0", "N"),
            value("a01014", "0", "N"),
        ];
        bench.send(at, data(record(GAS, RecordKind::Minute, minute(n), values)));
    }
}

#[test]
fn what_comes_late_is_judged_by_what_was_in_force_then() {
    let mut bench = Bench::with(registry(), minute(0));
    hour(&mut bench, 0, minute(61));
    // The duct was rebuilt, and a new version of the rules asks for more.
    let mut rebuilt = registry();
    let gas = rebuilt.outlets.get_mut(GAS).unwrap();
    gas.gas.as_mut().unwrap().area_m2 = dec("10");
    gas.profile = "plain@2".into();
    let mut newer = Profile::annex_d("plain@2");
    newer.hour_min_valid_minutes = 60;
    rebuilt.profiles.insert(newer.id.clone(), newer);
    bench.send(minute(180), Event::Registry(Arc::new(rebuilt)));
    bench.restart();
    hour(&mut bench, 60, minute(200));
    hour(&mut bench, 180, minute(241));
    bench.tick(minute(260));
    let kg = |n: i64| {
        let row = bench.aggregate(GAS, Level::Hour, minute(n));
        (
            row.profile.to_string(),
            row.factors["a21026"].amount_kg.unwrap(),
        )
    };
    assert_eq!(kg(0), ("plain@1".into(), dec("7.2")));
    assert_eq!(kg(60), ("plain@1".into(), dec("7.2")), "late, from before");
    assert_eq!(kg(180), ("plain@2".into(), dec("3.6")));
}
