//! Rows as columns: what one row group of a file holds, before it is written and after it was read.

use parquet::data_type::{ByteArray, FixedLenByteArray};
use rust_decimal::Decimal;

/// Bytes of a decimal in a file: 38 digits, as many as other programs read.
pub(super) const DECIMAL_BYTES: i32 = 16;
/// Digits of a decimal in a file.
const DECIMAL_DIGITS: u32 = 38;

/// How a column is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Text, each different one kept once.
    Text,
    /// An exact decimal with so many places.
    Decimal(u32),
    /// An instant; differences are kept.
    Instant,
    /// A count or a position; differences are kept.
    Long,
    /// A small number, each different one kept once.
    Small,
    /// Yes or no.
    Truth,
}

/// A column of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: &'static str,
    /// Its layout.
    pub(super) form: Form,
    /// It may be null.
    pub(super) optional: bool,
    /// Least and greatest value of a row group are kept, so that readers can skip it.
    pub(super) bounds: bool,
    /// What it is and in which unit, for people.
    pub(super) what: &'static str,
}

impl Column {
    /// A column that always has a value.
    pub(super) const fn always(name: &'static str, form: Form, what: &'static str) -> Self {
        Self {
            name,
            form,
            optional: false,
            bounds: false,
            what,
        }
    }

    /// A column that may be null.
    pub(super) const fn maybe(name: &'static str, form: Form, what: &'static str) -> Self {
        let mut column = Self::always(name, form, what);
        column.optional = true;
        column
    }

    /// The same, with least and greatest value kept for each row group.
    pub(super) const fn bounded(mut self) -> Self {
        self.bounds = true;
        self
    }
}

/// A value on its way into a column.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'a> {
    /// Nothing.
    Null,
    /// A text.
    Text(&'a str),
    /// A decimal.
    Decimal(Decimal),
    /// An instant, a count, a position.
    Long(i64),
    /// A small number.
    Small(i32),
    /// Yes or no.
    Truth(bool),
}

impl<'a> Cell<'a> {
    /// A text or nothing.
    pub(super) fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }

    /// A decimal or nothing.
    pub(super) fn decimal(value: Option<Decimal>) -> Self {
        value.map_or(Self::Null, Self::Decimal)
    }

    /// A count; nothing that is counted comes near the end of the numbers.
    pub(super) fn count(number: u64) -> Self {
        Self::Long(i64::try_from(number).unwrap_or(i64::MAX))
    }

    /// A small count.
    pub(super) fn few(number: u32) -> Self {
        Self::Small(i32::try_from(number).unwrap_or(i32::MAX))
    }
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Values {
    /// Texts.
    Text(Vec<ByteArray>),
    /// Decimals, as many bytes as [`DECIMAL_BYTES`].
    Decimal(Vec<FixedLenByteArray>),
    /// Instants, counts, positions.
    Long(Vec<i64>),
    /// Small numbers.
    Small(Vec<i32>),
    /// Yes or no.
    Truth(Vec<bool>),
}

impl Values {
    /// No values of a form.
    pub(super) fn of(form: Form) -> Self {
        match form {
            Form::Text => Self::Text(Vec::new()),
            Form::Decimal(_) => Self::Decimal(Vec::new()),
            Form::Instant | Form::Long => Self::Long(Vec::new()),
            Form::Small => Self::Small(Vec::new()),
            Form::Truth => Self::Truth(Vec::new()),
        }
    }

    /// There are none.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Text(v) => v.is_empty(),
            Self::Decimal(v) => v.is_empty(),
            Self::Long(v) => v.is_empty(),
            Self::Small(v) => v.is_empty(),
            Self::Truth(v) => v.is_empty(),
        }
    }
}

/// A column of a row group: its values that are not null, and for each row whether there is one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chunk {
    /// What is there.
    pub(super) values: Values,
    /// 1 where a row has a value, 0 where it is null; empty for a column that is never null.
    pub(super) levels: Vec<i16>,
}

/// Some rows, column by column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// As many as the table has columns.
    pub(super) chunks: Vec<Chunk>,
    /// How many rows.
    pub(super) rows: usize,
    /// Decimals that the file cannot hold: they are null in it.
    pub(super) too_large: usize,
}

impl Group {
    /// No rows yet.
    pub(super) fn of(columns: &[Column]) -> Self {
        let chunk = |column: &Column| Chunk {
            values: Values::of(column.form),
            levels: Vec::new(),
        };
        Self {
            chunks: columns.iter().map(chunk).collect(),
            rows: 0,
            too_large: 0,
        }
    }

    /// Adds a row; a cell that does not fit its column is null.
    pub(super) fn push(&mut self, columns: &[Column], row: &[Cell<'_>]) {
        debug_assert_eq!(columns.len(), row.len(), "a row has a cell for each column");
        for ((column, chunk), cell) in columns.iter().zip(&mut self.chunks).zip(row) {
            let held = put(&mut chunk.values, column.form, cell);
            if !held && matches!(cell, Cell::Decimal(_)) {
                self.too_large += 1;
            }
            debug_assert!(held || column.optional, "{} is never null", column.name);
            if column.optional {
                chunk.levels.push(i16::from(held));
            }
        }
        self.rows += 1;
    }
}

fn put(values: &mut Values, form: Form, cell: &Cell<'_>) -> bool {
    match (values, cell) {
        (Values::Text(all), Cell::Text(text)) => {
            // Rows are sorted, so the last text is most often this one again, and is shared.
            let same = all.last().filter(|last| last.data() == text.as_bytes());
            let value = same.cloned().unwrap_or_else(|| ByteArray::from(*text));
            all.push(value);
        }
        (Values::Decimal(all), Cell::Decimal(value)) => {
            let Form::Decimal(places) = form else {
                return false;
            };
            let Some(scaled) = scaled(*value, places) else {
                return false;
            };
            all.push(FixedLenByteArray::from(scaled.to_be_bytes().to_vec()));
        }
        (Values::Long(all), Cell::Long(number)) => all.push(*number),
        (Values::Small(all), Cell::Small(number)) => all.push(*number),
        (Values::Truth(all), Cell::Truth(truth)) => all.push(*truth),
        _ => return false,
    }
    true
}

/// `value` as a whole number of its last place, rounded half to even where it has more places;
/// `None` when it has more than [`DECIMAL_DIGITS`] digits.
fn scaled(value: Decimal, places: u32) -> Option<i128> {
    let value = if value.scale() > places {
        value.round_dp(places)
    } else {
        value
    };
    let missing = places.checked_sub(value.scale())?;
    let scaled = 10_i128
        .checked_pow(missing)?
        .checked_mul(value.mantissa())?;
    (scaled.unsigned_abs() < 10_u128.pow(DECIMAL_DIGITS)).then_some(scaled)
}

/// The file holds `value` exactly.
pub(super) fn holds(value: Decimal, places: u32) -> bool {
    // The sign of zero has no place in a whole number.
    let signed_zero = value.is_zero() && value.is_sign_negative();
    value.scale() <= places && !signed_zero && scaled(value, places).is_some()
}

/// The decimal with `scale` places that stands in a file with `places`; `None` when the bytes are
/// not what [`holds`] let in.
pub(super) fn unscaled(bytes: &[u8], places: u32, scale: u32) -> Option<Decimal> {
    let number = i128::from_be_bytes(bytes.try_into().ok()?);
    let factor = 10_i128.checked_pow(places.checked_sub(scale)?)?;
    // What is measured fits into 64 bits, which divide many times faster.
    if let (Ok(number), Ok(factor)) = (i64::try_from(number), i64::try_from(factor)) {
        return (number % factor == 0).then(|| Decimal::new(number / factor, scale));
    }
    if number % factor != 0 {
        return None;
    }
    Decimal::try_from_i128_with_scale(number / factor, scale).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn a_decimal_comes_back_digit_for_digit() {
        for text in [
            "0",
            "0.00",
            "20.80",
            "-3.5",
            "152.4",
            "79228162514264337",
            "0.000000000001",
        ] {
            let value = dec(text);
            assert!(holds(value, 12), "{text}");
            let bytes = scaled(value, 12).unwrap().to_be_bytes();
            let back = unscaled(&bytes, 12, value.scale()).unwrap();
            assert_eq!(back.to_string(), text);
        }
    }

    #[test]
    fn what_does_not_fit_is_known_before() {
        assert!(!holds(dec("0.0000000000001"), 12));
        assert!(!holds(Decimal::MAX, 12));
        let mut zero = dec("0.0");
        zero.set_sign_negative(true);
        assert!(!holds(zero, 12));
        assert!(holds(dec("0.0333333333333333333333333333"), 28));
        assert!(!holds(dec("10000000000"), 28));
    }

    #[test]
    fn a_decimal_too_large_is_null_and_counted() {
        let columns = [Column::maybe("v", Form::Decimal(28), "")];
        let mut group = Group::of(&columns);
        group.push(&columns, &[Cell::Decimal(dec("10000000000"))]);
        group.push(&columns, &[Cell::Decimal(dec("1"))]);
        assert_eq!((group.rows, group.too_large), (2, 1));
        assert_eq!(group.chunks[0].levels, [0, 1]);
        let one = FixedLenByteArray::from(10_i128.pow(28).to_be_bytes().to_vec());
        assert_eq!(group.chunks[0].values, Values::Decimal(vec![one]));
    }
}
