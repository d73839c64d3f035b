//! Blocks cover every point within bounds, answers are believed only when they fit, and every
//! number comes back as it was put in.

use super::*;
use crate::instrument::{
    Certainty, Group, Map, Outside, Place, Point, Protocol, Range, Role, Timing, Unreadable, Value,
};
use proptest::prelude::*;
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::str::FromStr;

fn map(places: &[(Table, u16, Kind, usize)]) -> Map {
    let points = places.iter().enumerate().map(|(n, place)| {
        let (table, address, kind, group) = *place;
        let register = Register {
            table,
            address,
            kind,
            order: Order::Abcd,
        };
        point(&format!("p{n}"), register, group)
    });
    Map {
        id: SmolStr::new("test"),
        title_zh: "测试".to_owned(),
        title_en: "test".to_owned(),
        source: "none".to_owned(),
        certainty: Certainty::Recalled,
        timing: Timing::default(),
        groups: ["a", "b"]
            .map(|name| Group {
                name: SmolStr::new(name),
                every_ms: None,
            })
            .to_vec(),
        points: points.collect(),
        rules: Vec::new(),
        protocol: Protocol::Modbus,
    }
}

fn point(name: &str, register: Register, group: usize) -> Point {
    Point {
        name: SmolStr::new(name),
        role: Role::Info,
        place: Place::Register(register),
        unit: None,
        scale: Decimal::ONE,
        offset: Decimal::ZERO,
        decimals: None,
        range: None,
        group,
    }
}

fn read_words(kind: Kind, order: Order, words: &[u16]) -> Result<Value, Unreadable> {
    let mut map = map(&[(Table::Holding, 100, kind, 0)]);
    if let Place::Register(register) = &mut map.points[0].place {
        register.order = order;
    }
    let block = plan(&map, Limits::default()).remove(0);
    let answer = Answer::Registers(words.to_vec());
    decode(&map, &block, &answer).unwrap().remove(0).value
}

fn number(value: Result<Value, Unreadable>) -> String {
    match value {
        Ok(Value::Number { value, .. }) => value.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_four_orders_of_a_float() {
    // 123.456 is 42 F6 E9 79.
    for (order, words) in [
        (Order::Abcd, [0x42f6, 0xe979]),
        (Order::Cdab, [0xe979, 0x42f6]),
        (Order::Badc, [0xf642, 0x79e9]),
        (Order::Dcba, [0x79e9, 0xf642]),
    ] {
        assert_eq!(
            number(read_words(Kind::F32, order, &words)),
            "123.456",
            "{order:?}"
        );
    }
}

#[test]
fn a_float_is_the_decimal_a_person_would_write() {
    for (value, text) in [
        (0.1_f32, "0.1"),
        (35.7, "35.7"),
        (-0.0, "0"),
        (16_777_216.0, "16777216"),
        (1e-6, "0.000001"),
    ] {
        let bits = value.to_bits().to_be_bytes();
        let words = [
            u16::from_be_bytes([bits[0], bits[1]]),
            u16::from_be_bytes([bits[2], bits[3]]),
        ];
        assert_eq!(number(read_words(Kind::F32, Order::Abcd, &words)), text);
    }
    let double = 20.95_f64.to_bits().to_be_bytes();
    let words: Vec<u16> = double
        .chunks(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    assert_eq!(number(read_words(Kind::F64, Order::Abcd, &words)), "20.95");
}

#[test]
fn what_is_no_number_is_not_made_one() {
    let float = |high| read_words(Kind::F32, Order::Abcd, &[high, 0]);
    assert_eq!(float(0x7fc0), Err(Unreadable::NotANumber));
    assert_eq!(float(0x7f80), Err(Unreadable::TooLarge));
    assert_eq!(float(0xff80), Err(Unreadable::TooLarge));
    assert_eq!(float(0x7f7f), Err(Unreadable::TooLarge), "3.4e38");
    let bcd = |word| read_words(Kind::Bcd16, Order::Abcd, &[word]);
    assert_eq!(number(bcd(0x1234)), "1234");
    assert_eq!(bcd(0x12a4), Err(Unreadable::BadDigit));
    let text = Kind::Text { registers: 2 };
    assert_eq!(
        read_words(text, Order::Abcd, &[0x4f4b, 0x2000]),
        Ok(Value::Text(SmolStr::new("OK")))
    );
    assert_eq!(
        read_words(text, Order::Badc, &[0x4b4f, 0x0020]),
        Ok(Value::Text(SmolStr::new("OK")))
    );
    assert_eq!(
        read_words(text, Order::Abcd, &[0xff00, 0]),
        Err(Unreadable::NotText)
    );
}

#[test]
fn signs_bits_and_scales() {
    assert_eq!(number(read_words(Kind::I16, Order::Abcd, &[0xffff])), "-1");
    assert_eq!(
        number(read_words(Kind::U16, Order::Abcd, &[0xffff])),
        "65535"
    );
    assert_eq!(
        number(read_words(Kind::I32, Order::Cdab, &[0xfffe, 0xffff])),
        "-2"
    );
    let bits = Kind::Bits { first: 4, count: 3 };
    assert_eq!(number(read_words(bits, Order::Abcd, &[0b1101_1111])), "5");
    let mut point = point(
        "t",
        Register {
            table: Table::Input,
            address: 0,
            kind: Kind::I16,
            order: Order::Abcd,
        },
        0,
    );
    point.scale = Decimal::from_str("0.1").unwrap();
    point.offset = Decimal::from(-40);
    point.decimals = Some(0);
    let value = point.value_of(Decimal::from(1_255), Some(1_255));
    assert_eq!(number(value), "86", "125.5 - 40 = 85.5, away from zero");
    point.range = Some(Range {
        min: Decimal::ZERO,
        max: Decimal::from(80),
        outside: Outside::Invalid,
    });
    assert_eq!(
        point.value_of(Decimal::from(1_255), None),
        Err(Unreadable::Implausible)
    );
}

#[test]
fn neighbours_share_a_request_and_strangers_do_not() {
    let map = map(&[
        (Table::Holding, 0, Kind::F32, 0),
        (Table::Holding, 4, Kind::F32, 0),
        (Table::Holding, 300, Kind::U16, 0),
        (Table::Holding, 2, Kind::U16, 1),
        (Table::Input, 2, Kind::U16, 0),
        (Table::Discrete, 7, Kind::Bit, 0),
    ]);
    let shown = |limits| -> Vec<(Table, u16, u16, usize)> {
        plan(&map, limits)
            .iter()
            .map(|b| (b.table, b.start, b.count, b.group))
            .collect()
    };
    assert_eq!(
        shown(Limits::default()),
        [
            (Table::Discrete, 7, 1, 0),
            (Table::Holding, 0, 6, 0),
            (Table::Holding, 300, 1, 0),
            (Table::Input, 2, 1, 0),
            // Not widened to differ from the block at 300: it lies within another block.
            (Table::Holding, 2, 1, 1),
        ]
    );
    let single = Limits {
        one_request_per_point: true,
        ..Limits::default()
    };
    assert_eq!(shown(single).len(), 6);
    let narrow = Limits {
        max_gap: 0,
        ..Limits::default()
    };
    assert_eq!(shown(narrow).len(), 6);
}

#[test]
fn a_late_answer_to_another_block_does_not_fit() {
    // Four components of one analyser, 17 registers apart, each with a value and a status.
    let places: Vec<(Table, u16, Kind, usize)> = (0..4_u16)
        .flat_map(|n| {
            let at = 5_000 + 17 * n;
            [
                (Table::Input, at, Kind::F32, 0),
                (Table::Input, at + 2, Kind::U16, 0),
            ]
        })
        .collect();
    let map = map(&places);
    let blocks = plan(&map, Limits::default());
    assert_eq!(blocks.len(), 4);
    for (n, asked) in blocks.iter().enumerate() {
        for (m, answered) in blocks.iter().enumerate() {
            let answer = Answer::Registers(vec![0; usize::from(answered.count)]);
            assert_eq!(decode(&map, asked, &answer).is_ok(), n == m, "{n} {m}");
        }
    }
}

#[test]
fn an_answer_must_fit_what_was_asked() {
    let map = map(&[(Table::Holding, 10, Kind::F32, 0)]);
    let block = plan(&map, Limits::default()).remove(0);
    assert_eq!(request(&block), [3, 0, 10, 0, 2]);
    let fine = [3, 4, 0x42, 0xf6, 0xe9, 0x79];
    let answer = check_answer(&block, &fine).unwrap();
    assert_eq!(answer, Answer::Registers(vec![0x42f6, 0xe979]));
    let short = [3, 2, 0x42, 0xf6];
    assert_eq!(
        check_answer(&block, &short),
        Err(AnswerError::Length { asked: 2, got: 1 })
    );
    let busy = check_answer(&block, &[0x83, 6]).unwrap_err();
    assert!(matches!(busy, AnswerError::Exception(e) if e.is_busy()));
    assert_eq!(
        check_answer(&block, &[4, 4, 0, 0, 0, 0]),
        Err(AnswerError::Function { asked: 3, got: 4 })
    );
    for bad in [&[][..], &[3], &[3, 4, 0], &[3, 9, 0, 0, 0, 0], &[0x83]] {
        assert!(check_answer(&block, bad).is_err(), "{bad:?}");
    }
    assert_eq!(
        decode(&map, &block, &Answer::Bits(vec![true, false])),
        Err(AnswerError::Table)
    );
}

#[test]
fn bits_come_least_first_and_padding_is_no_bit() {
    let map = map(&[
        (Table::Discrete, 20, Kind::Bit, 0),
        (Table::Discrete, 29, Kind::Bit, 0),
    ]);
    let block = plan(&map, Limits::default()).remove(0);
    assert_eq!((block.start, block.count), (20, 10));
    let answer = check_answer(&block, &[2, 2, 0x01, 0xfe]).unwrap();
    let readings = decode(&map, &block, &answer).unwrap();
    assert_eq!(
        (readings[0].raw.as_str(), readings[1].raw.as_str()),
        ("1", "1")
    );
    let dark = check_answer(&block, &[2, 2, 0x00, 0x01]).unwrap();
    let readings = decode(&map, &block, &dark).unwrap();
    assert_eq!(
        (readings[0].raw.as_str(), readings[1].raw.as_str()),
        ("0", "0")
    );
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::U16),
        Just(Kind::I16),
        Just(Kind::U32),
        Just(Kind::I32),
        Just(Kind::F32),
        Just(Kind::F64),
        Just(Kind::Bcd16),
        Just(Kind::Bcd32),
        (0_u8..16, 1_u8..=16).prop_map(|(first, count)| Kind::Bits {
            first,
            count: count.min(16 - first),
        }),
        (1_u8..=32).prop_map(|registers| Kind::Text { registers }),
    ]
}

fn places() -> impl Strategy<Value = (Table, u16, Kind, usize)> {
    let tables = prop_oneof![
        Just(Table::Coil),
        Just(Table::Discrete),
        Just(Table::Holding),
        Just(Table::Input),
    ];
    (tables, 0_u16..400, kinds(), 0_usize..2).prop_map(|(table, address, kind, group)| {
        let kind = if table.is_bits() { Kind::Bit } else { kind };
        (table, address, kind, group)
    })
}

fn orders() -> impl Strategy<Value = Order> {
    prop_oneof![
        Just(Order::Abcd),
        Just(Order::Cdab),
        Just(Order::Badc),
        Just(Order::Dcba),
    ]
}

proptest! {
    #[test]
    fn every_point_is_in_exactly_one_block_and_no_block_is_too_long(
        places in prop::collection::vec(places(), 0..60),
        max_registers in 1_u16..=125,
        max_bits in 1_u16..=2_000,
        max_gap in 0_u16..=20,
        one_request_per_point in any::<bool>(),
    ) {
        let map = map(&places);
        let limits = Limits { max_registers, max_bits, max_gap, one_request_per_point };
        let blocks = plan(&map, limits);
        let mut seen = vec![0; places.len()];
        for block in &blocks {
            let most = if block.table.is_bits() { max_bits } else { max_registers };
            let longest = block.points.iter().map(|p| places[*p].2.len()).max().unwrap_or(0);
            prop_assert!(block.count <= most.max(longest));
            prop_assert!(u32::from(block.start) + u32::from(block.count) <= 65_536);
            if one_request_per_point {
                prop_assert_eq!(block.points.len(), 1);
            }
            for point in &block.points {
                let (table, address, kind, group) = places[*point];
                seen[*point] += 1;
                prop_assert_eq!((table, group), (block.table, block.group));
                prop_assert!(address >= block.start);
                prop_assert!(address + kind.len() <= block.start + block.count);
            }
            // A whole answer gives a reading of every point; a shorter or longer one gives none.
            let answer = |n: u16| match block.table.is_bits() {
                true => Answer::Bits(vec![false; usize::from(n)]),
                false => Answer::Registers(vec![0; usize::from(n)]),
            };
            let readings = decode(&map, block, &answer(block.count)).unwrap();
            prop_assert_eq!(readings.len(), block.points.len());
            prop_assert!(decode(&map, block, &answer(block.count - 1)).is_err());
            prop_assert!(decode(&map, block, &answer(block.count + 1)).is_err());
        }
        prop_assert!(seen.iter().all(|n| *n == 1), "{:?}", seen);
    }

    #[test]
    fn whole_numbers_come_back(kind in kinds(), order in orders(), bits in any::<u32>()) {
        let raw = match kind {
            Kind::U16 => Decimal::from(bits & 0xffff),
            Kind::I16 => Decimal::from(i64::from(bits & 0xffff) - 32_768),
            Kind::U32 => Decimal::from(bits),
            Kind::I32 => Decimal::from(i64::from(bits) - 2_147_483_648),
            Kind::Bcd16 => Decimal::from(bits % 10_000),
            Kind::Bcd32 => Decimal::from(bits % 100_000_000),
            Kind::Bits { count, .. } => Decimal::from(bits & ((1 << count) - 1)),
            Kind::F32 => Decimal::from(bits & 0xff_ffff),
            Kind::F64 => Decimal::from(bits),
            Kind::Bit | Kind::Text { .. } => return Ok(()),
        };
        let register = Register { table: Table::Holding, address: 100, kind, order };
        let words = encode(register, raw).unwrap();
        prop_assert_eq!(words.len(), usize::from(kind.len()));
        prop_assert_eq!(number(read_words(kind, order, &words)), raw.normalize().to_string());
    }

    #[test]
    fn floats_come_back_as_the_same_float(bits in any::<u32>(), order in orders()) {
        let value = f32::from_bits(bits);
        let register = Register { table: Table::Holding, address: 100, kind: Kind::F32, order };
        let mut words = vec![0, 0];
        let bytes = bits.to_be_bytes();
        words[0] = u16::from_be_bytes([bytes[0], bytes[1]]);
        words[1] = u16::from_be_bytes([bytes[2], bytes[3]]);
        if let Ok(Value::Number { value: read, .. }) = read_words(Kind::F32, Order::Abcd, &words)
            // Below that digits fall off after the 28th.
            && value.abs() > 1e-19
        {
            let again = encode(register, read).unwrap();
            let back = read_words(Kind::F32, order, &again);
            prop_assert_eq!(number(back), read.to_string());
            prop_assert_eq!(read.to_string().parse::<f32>().unwrap().to_bits(), bits);
        }
    }

    #[test]
    fn no_answer_panics(
        places in prop::collection::vec(places(), 1..20),
        pdu in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let map = map(&places);
        for block in plan(&map, Limits::default()) {
            if let Ok(answer) = check_answer(&block, &pdu) {
                prop_assert_eq!(decode(&map, &block, &answer).unwrap().len(), block.points.len());
            }
        }
    }
}
