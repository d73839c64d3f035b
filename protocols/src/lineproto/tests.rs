//! Lines as golden text, what is refused, and a reader of its own that reads back what was written.

mod reader;

use super::{Line, LineError, Part, Precision, SERIES_BYTES_MAX, Series, TEXT_BYTES_MAX};
use proptest::collection::btree_map;
use proptest::prelude::*;
use reader::{Field, Point, read};
use rust_decimal::Decimal;

const MS: Precision = Precision::Milliseconds;

fn text_of(body: &[u8]) -> &str {
    std::str::from_utf8(body).unwrap()
}

fn one(series: &Series, write: impl FnOnce(&mut Line<'_>)) -> String {
    let mut body = Vec::new();
    let mut line = Line::begin(&mut body, series);
    write(&mut line);
    line.finish(1_716_210_360_000, MS).unwrap();
    text_of(&body).to_owned()
}

#[test]
fn tags_are_sorted_and_chinese_passes_as_it_is() {
    let tags = [("排口", "东郊 1#"), ("factor", "a21026"), ("a,b", "c=d")];
    let series = Series::new("烟气 排放,示例=1", &tags).unwrap();
    let line = one(&series, |line| {
        line.decimal("浓度 值", Decimal::new(-12050, 3)).unwrap();
        line.integer("valid", 1).unwrap();
        line.float("ratio", 0.5).unwrap();
        line.text("note", r#"维护, "校准" \"#).unwrap();
    });
    let want = concat!(
        r"烟气\ 排放\,示例=1,a\,b=c\=d,factor=a21026,排口=东郊\ 1# ",
        r#"浓度\ 值=-12.050,valid=1i,ratio=0.5,note="维护, \"校准\" \\" 1716210360000"#,
        "\n"
    );
    assert_eq!(line, want);
}

#[test]
fn decimals_keep_their_digits() {
    let series = Series::new("m", &[]).unwrap();
    for text in [
        "0",
        "0.000",
        "12.50",
        "-0.05",
        "100",
        "18446744073709551615",
        "18446744073709551616",
        "79228162514264337593543950335",
        "-7.9228162514264337593543950335",
        "0.0000000000000000000000000001",
    ] {
        let value = Decimal::from_str_exact(text).unwrap();
        let line = one(&series, |line| line.decimal("v", value).unwrap());
        assert_eq!(line, format!("m v={text} 1716210360000\n"));
    }
}

#[test]
fn what_servers_would_misread_is_refused() {
    let series = |measurement, tags: &[(&str, &str)]| Series::new(measurement, tags).unwrap_err();
    assert_eq!(series("", &[]), LineError::Empty(Part::Measurement));
    assert_eq!(series("m", &[("k", "")]), LineError::Empty(Part::TagValue));
    assert_eq!(series("m", &[("", "v")]), LineError::Empty(Part::TagKey));
    let broken = [("k", "a\nm2 v=1")];
    assert_eq!(series("m", &broken), LineError::Control(Part::TagValue));
    for value in [r"a\", r"a\,b", r"a\ b", r"a\=b", r"a\\b"] {
        let refused = series("m", &[("k", value)]);
        assert_eq!(refused, LineError::Backslash(Part::TagValue), "{value}");
    }
    assert!(Series::new("m", &[("k", r"D:\数据")]).is_ok());
    assert_eq!(
        series("#m", &[]),
        LineError::Reserved(Part::Measurement),
        "a comment"
    );
    assert_eq!(
        series("m", &[("time", "1")]),
        LineError::Reserved(Part::TagKey)
    );
    assert_eq!(
        series("m", &[("k", "1"), ("a", "2"), ("k", "3")]),
        LineError::TagTwice("k".into())
    );
    let long = "长".repeat(SERIES_BYTES_MAX / 3);
    assert!(matches!(
        series("m", &[("k", &long)]),
        LineError::TooLong {
            part: Part::Series,
            ..
        }
    ));
}

#[test]
fn what_is_refused_leaves_nothing_behind() {
    let series = Series::new("m", &[("k", "v")]).unwrap();
    let mut body = b"m,k=v a=1i 1\n".to_vec();
    let before = body.clone();
    let mut line = Line::begin(&mut body, &series);
    line.integer("good", 1).unwrap();
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let refused = line.float("bad", number).unwrap_err();
        assert_eq!(refused, LineError::NotFinite("bad".into()));
    }
    let refused = line.text("bad", "a\r\nb").unwrap_err();
    assert_eq!(refused, LineError::Control(Part::Text));
    assert!(
        line.text("long", &"a".repeat(TEXT_BYTES_MAX + 1)).is_err(),
        "too long"
    );
    let refused = line.integer("", 1).unwrap_err();
    assert_eq!(refused, LineError::Empty(Part::FieldKey));
    drop(line);
    assert_eq!(text_of(&body), text_of(&before));

    let line = Line::begin(&mut body, &series);
    assert_eq!(line.finish(1, MS), Err(LineError::NoField));
    for (time, precision, want) in [
        (1_500, Precision::Seconds, LineError::NotWhole(1_500)),
        (i64::MAX, MS, LineError::OutOfRange(i64::MAX)),
    ] {
        let mut line = Line::begin(&mut body, &series);
        line.integer("a", 1).unwrap();
        assert_eq!(line.finish(time, precision), Err(want));
    }
    assert_eq!(text_of(&body), text_of(&before));
    let mut line = Line::begin(&mut body, &series);
    line.integer("a", i64::MIN).unwrap();
    line.finish(-2_000, Precision::Seconds).unwrap();
    let want = "m,k=v a=1i 1\nm,k=v a=-9223372036854775808i -2\n";
    assert_eq!(text_of(&body), want);
}

/// Texts that lean towards what is special.
fn any_text() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        "\\", ",", "=", " ", "\"", "\n", "\t", "#", "_", "排口", "µ", "🏭", "",
    ]);
    let piece = prop_oneof![special.prop_map(str::to_owned), "[a-z0-9]{0,4}"];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn any_field() -> impl Strategy<Value = Field> {
    let decimal = (any::<i128>(), 0..=28_u32).prop_map(|(number, scale)| {
        let mantissa = number % 79_228_162_514_264_337_593_543_950_336;
        let decimal = Decimal::from_i128_with_scale(mantissa, scale);
        Field::Number(decimal.to_string())
    });
    prop_oneof![
        decimal,
        any::<i64>().prop_map(Field::Integer),
        any_text().prop_map(Field::Text),
    ]
}

/// Writes a point; what is refused is left out of `point`, too.
fn write(point: &mut Point, body: &mut Vec<u8>) -> Result<(), LineError> {
    let tags: Vec<(&str, &str)> = point
        .tags
        .iter()
        .rev()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    let series = Series::new(&point.measurement, &tags)?;
    let mut line = Line::begin(body, &series);
    point.fields.retain(|key, field| {
        let written = match field {
            Field::Number(text) => {
                line.decimal(key, Decimal::from_str_exact(text).expect("made of one"))
            }
            Field::Integer(number) => line.integer(key, *number),
            Field::Text(text) => line.text(key, text),
        };
        written.is_ok()
    });
    line.finish(point.time, MS)
}

proptest! {
    #[test]
    fn a_reader_of_its_own_reads_what_was_written(
        points in prop::collection::vec(
            (
                any_text(),
                btree_map(any_text(), any_text(), 0..4),
                btree_map(any_text(), any_field(), 0..5),
                -9_000_000_000_000_i64..9_000_000_000_000,
            ),
            1..6,
        )
    ) {
        let mut body = Vec::new();
        let mut written = Vec::new();
        for (measurement, tags, fields, time) in points {
            let mut point = Point { measurement, tags, fields, time };
            let before = body.len();
            if write(&mut point, &mut body).is_ok() {
                written.push(point);
            } else {
                prop_assert_eq!(body.len(), before);
            }
        }
        prop_assert_eq!(read(text_of(&body)), written);
    }
}
