//! From states and values to flags.

use super::*;
use crate::modbus::{Kind, Order, Register, Table};
use proptest::prelude::*;

const SO2: usize = 0;
const OXYGEN: usize = 1;
const STATUS: usize = 2;
const MODE: usize = 3;

/// SO2 up to 500, oxygen, a status word and a mode text.
fn map() -> Map {
    let point = |name: &str, role: Role| Point {
        name: SmolStr::new(name),
        role,
        place: Place::Register(Register {
            table: Table::Holding,
            address: 0,
            kind: Kind::U16,
            order: Order::Abcd,
        }),
        unit: None,
        scale: Decimal::ONE,
        offset: Decimal::ZERO,
        decimals: None,
        range: None,
        group: 0,
    };
    let mut so2 = point("so2", Role::Factor(SmolStr::new("a21026")));
    so2.range = Some(Range {
        min: Decimal::from(-25),
        max: Decimal::from(500),
        outside: Outside::OverRange,
    });
    let rule = |point, test, flag, concerns: &[usize]| StateRule {
        point,
        test,
        flag,
        concerns: concerns.to_vec(),
    };
    Map {
        id: SmolStr::new("test"),
        title_zh: "测试".to_owned(),
        title_en: "test".to_owned(),
        source: "none".to_owned(),
        certainty: Certainty::Recalled,
        timing: Timing::default(),
        groups: vec![Group {
            name: SmolStr::new("all"),
            every_ms: None,
        }],
        points: vec![
            so2,
            point("o2", Role::Factor(SmolStr::new("a19001"))),
            point("status", Role::State),
            point("mode", Role::State),
        ],
        rules: vec![
            rule(STATUS, Test::AnyBit(0b1), Flag::D, &[]),
            rule(STATUS, Test::AnyBit(0b10), Flag::C, &[SO2]),
            rule(MODE, Test::Text(vec![SmolStr::new("stop")]), Flag::F, &[]),
            rule(MODE, Test::NotText(vec![SmolStr::new("run")]), Flag::M, &[]),
        ],
        protocol: Protocol::Modbus,
    }
}

fn channels() -> [Channel; 2] {
    [(SO2, "a21026"), (OXYGEN, "a19001")].map(|(point, code)| Channel {
        point,
        factor: SmolStr::new(code),
        multiplier: Decimal::ONE,
    })
}

fn number(map: &Map, point: usize, raw: i64) -> Reading {
    Reading {
        point,
        value: map.points[point].value_of(Decimal::from(raw), Some(raw)),
        raw: SmolStr::new(raw.to_string()),
    }
}

fn text(point: usize, text: &str) -> Reading {
    Reading {
        point,
        value: Ok(Value::Text(SmolStr::new(text))),
        raw: SmolStr::new(text),
    }
}

fn flags(so2: i64, status: i64, mode: &str) -> String {
    let map = map();
    let readings = [
        number(&map, SO2, so2),
        number(&map, OXYGEN, 8),
        number(&map, STATUS, status),
        text(MODE, mode),
    ];
    let samples = to_samples(&map, &readings, &channels());
    samples.iter().map(|s| s.flag.as_str()).collect()
}

#[test]
fn the_first_rule_that_applies_gives_the_flag() {
    for (so2, status, mode, expected) in [
        (35, 0, "RUN", "NN"),
        (35, 0b01, "run", "DD"),
        (35, 0b10, "run", "CN"),
        (35, 0b11, "stop", "DD"),
        (35, 0, "stop", "FF"),
        (35, 0, "warming up", "MM"),
        (501, 0, "run", "TN"),
        (501, 0b10, "run", "CN"),
    ] {
        assert_eq!(flags(so2, status, mode), expected, "{so2} {status} {mode}");
    }
}

#[test]
fn a_state_that_cannot_be_read_is_not_taken_for_normal() {
    let map = map();
    let status = Reading {
        point: STATUS,
        value: Err(Unreadable::NotANumber),
        raw: SmolStr::default(),
    };
    let values = [number(&map, SO2, 35), text(MODE, "run")];
    let with = |state: &[Reading]| {
        let readings = [&values[..], state].concat();
        to_samples(&map, &readings, &channels())[0].flag
    };
    assert_eq!(with(&[]), Flag::D, "never read");
    assert_eq!(with(std::slice::from_ref(&status)), Flag::D);
    assert_eq!(
        with(&[status, number(&map, STATUS, 0)]),
        Flag::N,
        "the later counts"
    );
}

#[test]
fn a_value_that_cannot_be_read_is_none_and_faulty() {
    let map = map();
    let broken = Reading {
        point: SO2,
        value: Err(Unreadable::NotANumber),
        raw: SmolStr::new("7FC00000"),
    };
    let readings = [broken, number(&map, STATUS, 0), text(MODE, "run")];
    let samples = to_samples(&map, &readings, &channels());
    assert_eq!(samples.len(), 1, "oxygen was not read");
    assert_eq!((samples[0].value, samples[0].flag), (None, Flag::D));
    assert_eq!(samples[0].raw, "7FC00000");
    let silent = without_answer(&channels());
    assert!(
        silent
            .iter()
            .all(|s| s.value.is_none() && s.flag == Flag::B)
    );
}

#[test]
fn values_are_in_the_unit_of_the_factor() {
    let map = map();
    let readings = [
        number(&map, SO2, 35),
        number(&map, STATUS, 0),
        text(MODE, "run"),
    ];
    let channels = [Channel {
        point: SO2,
        factor: SmolStr::new("a21026"),
        multiplier: Decimal::new(286, 2),
    }];
    let samples = to_samples(&map, &readings, &channels);
    assert_eq!(samples[0].value.unwrap().to_string(), "100.1");
    let overflow = [Channel {
        multiplier: Decimal::MAX,
        ..channels[0].clone()
    }];
    let samples = to_samples(&map, &readings, &overflow);
    assert_eq!((samples[0].value, samples[0].flag), (None, Flag::D));
}

proptest! {
    #[test]
    fn no_sample_without_value_is_normal(
        so2 in -1_000_i64..1_000,
        status in any::<i64>(),
        mode in "(run|stop|x){0,1}",
        readable in any::<[bool; 4]>(),
    ) {
        let map = map();
        let all = [
            number(&map, SO2, so2),
            number(&map, OXYGEN, 8),
            number(&map, STATUS, status),
            text(MODE, &mode),
        ];
        let readings: Vec<Reading> = all
            .into_iter()
            .zip(readable)
            .map(|(reading, fine)| match fine {
                true => reading,
                false => Reading { value: Err(Unreadable::NotText), ..reading },
            })
            .collect();
        let samples = to_samples(&map, &readings, &channels());
        prop_assert_eq!(samples.len(), 2);
        for sample in samples {
            prop_assert!(sample.flag != Flag::N || sample.value.is_some());
            prop_assert!(sample.flag != Flag::N || (readable[STATUS] && readable[MODE]));
        }
    }
}
