//! Patterns: what they send, what they match, and what they refuse to be.

use super::*;
use crate::instrument::{
    Certainty, Group, Place, Point, Protocol, Range, Role, Timing, Unreadable, Value,
};
use proptest::prelude::*;

fn pattern(text: &str) -> Pattern {
    Pattern::compile(text).unwrap()
}

fn texts(text: &str, answer: &[u8]) -> Vec<String> {
    match pattern(text).find(answer, 1) {
        Found::Match(found) => found.texts.iter().map(|t| t.to_string()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn requests_carry_address_and_checksum() {
    let bytes = |text: &str, unit| Request::compile(text).unwrap().bytes(unit);
    assert_eq!(bytes(r"#{unit:2}RD\r\n", 7), b"#07RD\r\n");
    assert_eq!(bytes(r"{unit:high}so2\r", 43), b"\xabso2\r");
    assert_eq!(bytes(r"\x02{from}R1\x03{bcc}", 1), b"\x02R1\x03\x60");
    assert_eq!(bytes(r"AB{sum8hex}", 1), b"AB83");
    assert_eq!(bytes(r"AB{bcchex}", 1), b"AB03");
    assert_eq!(bytes(r"AB{lrchex}", 1), b"AB7D");
    // The check value of CRC-16/MODBUS.
    assert_eq!(bytes("123456789{crc16hex}", 1), b"1234567894B37");
    assert_eq!(bytes("123456789{crc16}", 1), b"123456789\x37\x4b");
    assert_eq!(bytes("a b", 1), b"a b");
}

#[test]
fn an_answer_is_taken_apart() {
    let form = r"SO2={a21026:number} NOX={a21002:number} ST={state:hex}\r\n";
    assert_eq!(
        texts(form, b"SO2=35.20   NOX= +1.5E+01 ST=0F\r\n"),
        ["35.20", "+1.5E+01", "0F"]
    );
    assert_eq!(
        texts(form, b"2=1\r\nnoise SO2=---- NOX=1 ST=0\r\n"),
        ["----", "1", "0"],
        "the tail of another line before it, and a value that is none"
    );
    assert_eq!(
        texts(r"{a:number:6}{b:number:6}", b" 12.50  3.75"),
        ["12.50", "3.75"]
    );
    assert_eq!(
        texts(r"T={t:number}C {skip}\r", b"T=20.5C ok, so far\r"),
        ["20.5", ""]
    );
}

#[test]
fn half_an_answer_is_waited_for() {
    let form = pattern(r"SO2={a:number} {b:number}\r\n");
    let whole = b"SO2=35.20 7\r\n";
    for n in 0..whole.len() {
        assert_eq!(form.find(&whole[..n], 1), Found::More, "{n}");
    }
    let Found::Match(found) = form.find(whole, 1) else {
        panic!()
    };
    assert_eq!((found.start, found.end), (0, whole.len()));
}

#[test]
fn a_line_that_ends_early_lends_no_value_to_the_next() {
    let form = pattern(r"SO2={a:number} NOX={b:number}\r\n");
    let Found::Match(found) = form.find(b"SO2=1 \r\nSO2=2 NOX=3\r\n", 1) else {
        panic!()
    };
    assert_eq!(found.texts, ["2", "3"]);
}

#[test]
fn checksums_are_verified() {
    let form = pattern(r"\x02{from}{a:number}\x03{bcc}");
    let mut answer = form.write(1, |_| Some("12.5".to_owned()));
    assert!(matches!(form.find(&answer, 1), Found::Match(_)));
    answer[2] ^= 1;
    assert_eq!(
        form.find(&answer, 1),
        Found::Refused(Refusal::Checksum { end: answer.len() })
    );
}

#[test]
fn another_address_is_another_device() {
    let form = pattern(r">{unit:2} {a:number}\r");
    assert!(matches!(form.find(b">07 1.5\r", 7), Found::Match(_)));
    assert_eq!(form.find(b">08 1.5\r", 7), Found::More);
}

#[test]
fn garbage_without_end_is_refused() {
    let form = pattern(r"SO2={a:number}\r");
    let noise = vec![b'x'; ANSWER_BYTES_MAX];
    assert_eq!(form.find(&noise, 1), Found::Refused(Refusal::TooLong));
    let mut endless = b"SO2=".to_vec();
    endless.resize(200, b'1');
    assert_eq!(form.find(&endless, 1), Found::More, "no field is that long");
    endless.extend(b"\rSO2=1\r");
    let Found::Match(found) = form.find(&endless, 1) else {
        panic!()
    };
    assert_eq!(found.texts, ["1"]);
}

#[test]
fn mistakes_are_named_with_their_column() {
    use Mistake::*;
    for (text, column, kind) in [
        ("", 1, Empty),
        (r"SO2={a:number} \q", 16, Escape),
        ("a}b", 2, Close),
        ("a{b", 2, Open),
        ("a{b:float}c", 2, Unknown("b:float".to_owned())),
        ("a{b:number:0}c", 2, Width),
        ("a{b:number:65}c", 2, Width),
        ("a{b:number} {b:number} c", 13, Twice("b".to_owned())),
        ("a{b:number}", 2, NoEnd),
        ("a{b:number}{c:number} d", 2, NoEnd),
        ("a{b:number}E", 12, Blends),
        ("值={b:hex}F", 10, Blends),
        (r"{skip}\r", 1, NoStart),
        ("T= {t:number:6}", 3, Swallows),
        ("T={t:hex} {bcc}", 10, Swallows),
        ("a{b:number} ", 12, NoEnd),
    ] {
        let error = Pattern::compile(text).unwrap_err();
        assert_eq!((error.column, error.kind), (column, kind), "{text}");
    }
    let field = Request::compile("a{b:number}c").unwrap_err();
    assert_eq!((field.column, field.kind), (2, Unknown("b".to_owned())));
    let long = "x".repeat(PATTERN_BYTES_MAX + 1);
    assert_eq!(Pattern::compile(&long).unwrap_err().kind, TooLong);
}

fn map(response: &str) -> (Map, Exchange) {
    let exchange = Exchange {
        group: 0,
        request: None,
        response: pattern(response),
    };
    let point = |name: &str| Point {
        name: SmolStr::new(name),
        role: Role::Info,
        place: Place::Field,
        unit: None,
        scale: Decimal::TWO,
        offset: Decimal::ZERO,
        decimals: None,
        range: Some(Range {
            min: Decimal::ZERO,
            max: Decimal::from(100),
            outside: crate::instrument::Outside::OverRange,
        }),
        group: 0,
    };
    let map = Map {
        id: SmolStr::new("text"),
        title_zh: "文本".to_owned(),
        title_en: "text".to_owned(),
        source: "none".to_owned(),
        certainty: Certainty::Recalled,
        timing: Timing::default(),
        groups: vec![Group {
            name: SmolStr::new("all"),
            every_ms: None,
        }],
        points: vec![point("a"), point("b"), point("c")],
        rules: Vec::new(),
        protocol: Protocol::Ascii(vec![exchange.clone()]),
    };
    (map, exchange)
}

#[test]
fn texts_become_readings_of_their_points() {
    let (map, exchange) = map(r"{a:number} {b:hex} {c:word}\r");
    let Found::Match(found) = exchange.response.find(b"60.25 1f RUN\r", 1) else {
        panic!()
    };
    let readings = readings(&map, &exchange, &found);
    assert_eq!(
        readings[0].value,
        Ok(Value::Number {
            value: Decimal::new(1_205, 1),
            code: None,
            over_range: true
        })
    );
    assert!(matches!(
        readings[1].value,
        Ok(Value::Number { code: Some(31), .. })
    ));
    assert_eq!(readings[2].value, Ok(Value::Text(SmolStr::new("RUN"))));
    let Found::Match(found) = exchange.response.find(b"over 1f RUN\r", 1) else {
        panic!()
    };
    let readings = super::readings(&map, &exchange, &found);
    assert_eq!(readings[0].value, Err(Unreadable::NotANumber));
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        a in -1_000_000_i64..1_000_000,
        scale in 0_u32..4,
        b in any::<u32>(),
        c in "[A-Z]{1,8}",
        unit in any::<u8>(),
        noise in "[a-z\r\n]{0,30}",
    ) {
        let forms = [
            r"#{unit:3} SO2={a:number}mg ST={b:hex};{c:word} {crc16hex}\r\n",
            r"\x02{from}{a:number:12},{b:hex:10};{c:word:9}\x03{bcc}",
            r"${a:number},{b:hex} {c:word}*{sum8hex}\r",
        ];
        let a = Decimal::new(a, scale).to_string();
        let b = format!("{b:X}");
        for form in forms {
            let form = pattern(form);
            let answer = form.write(unit, |name| Some(match name {
                "a" => a.clone(),
                "b" => b.clone(),
                _ => c.clone(),
            }));
            let mut buffer = noise.clone().into_bytes();
            buffer.extend(&answer);
            match form.find(&buffer, unit) {
                Found::Match(found) => {
                    prop_assert_eq!(found.texts, [a.as_str(), b.as_str(), c.as_str()]);
                    prop_assert_eq!((found.start, found.end), (noise.len(), buffer.len()));
                }
                other => prop_assert!(false, "{other:?} {}", buffer.escape_ascii()),
            }
        }
    }

    #[test]
    fn no_text_and_no_pattern_panics(
        text in r"[a-c {}:\\0-9rx]{0,40}",
        form in "(\\{[a-z0-9]{0,4}(:(number|hex|word|[0-9]{1,3})){0,2}\\}|[a-z ]|\\\\[rx0-9]){0,8}",
        buffer in prop::collection::vec(any::<u8>(), 0..200),
        unit in any::<u8>(),
    ) {
        for text in [&text, &form] {
            if let Ok(request) = Request::compile(text) {
                let _ = request.bytes(unit);
            }
            if let Ok(pattern) = Pattern::compile(text) {
                let _ = pattern.find(&buffer, unit);
                let answer = pattern.write(unit, |_| Some("7".to_owned()));
                let _ = pattern.find(&answer, unit);
            }
        }
    }
}
