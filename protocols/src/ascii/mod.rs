//! Question and answer in text, as vendors speak it over serial lines: a small pattern language
//! says what is sent and how the answer is read.
//!
//! # Requests
//!
//! Text with escapes (`\r \n \t \\ \{ \} \x02`) and
//!
//! * `{unit}` the address in decimal digits, `{unit:2}` with leading zeros, `{unit:byte}` as one
//!   byte, `{unit:high}` as one byte with bit 7 set;
//! * `{from}` the checksum counts from here (else from the beginning);
//! * a checksum: `{bcc}` XOR as a byte, `{bcchex}` as two hex digits, `{sum8hex}` sum,
//!   `{lrchex}` its negative, `{crc16}` CRC-16/MODBUS low byte first, `{crc16hex}` in four digits.
//!
//! # Answers
//!
//! The same escapes, `{from}` and checksums (which are then verified), literal text, a blank for
//! one or more blanks, and fields: `{a21026:number}`, `{state:hex}`, `{state:word}`, `{skip}`.
//! `{a21026:number:8}` takes exactly 8 characters. A field of no stated width ends at a blank or
//! at the text that follows it. A pattern ends with something that says where the answer ends: a
//! literal, a checksum or a field of stated width.

mod compile;
mod find;
mod write;

#[cfg(test)]
mod tests;

pub use compile::{Mistake, PatternError};
pub use find::{Found, Match, Refusal};

use crate::instrument::{Map, Place, Reading, Unreadable, Value};
use rust_decimal::Decimal;
use smol_str::SmolStr;

/// Longest answer of any instrument, bytes: a page of text. What is longer is refused.
pub const ANSWER_BYTES_MAX: usize = 4_096;
/// Longest value in an answer, bytes; longer than any number or state word.
pub const FIELD_BYTES_MAX: usize = 64;
/// Longest request or pattern, bytes.
pub const PATTERN_BYTES_MAX: usize = 1_024;

/// What is asked and how the answer is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// Index of its poll group in [`Map::groups`]; one exchange a group.
    pub group: usize,
    /// What is sent; `None` for an instrument that sends unasked.
    pub request: Option<Request>,
    /// How the answer is read.
    pub response: Pattern,
}

/// A request, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    parts: Vec<Part>,
}

/// The form of an answer, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
    fields: Vec<Field>,
}

/// A field of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Name of the point it gives; `None` for what is skipped.
    pub name: Option<SmolStr>,
    /// What it holds.
    pub kind: FieldKind,
    /// Exactly so many characters; `None`: up to a blank or what follows.
    pub width: Option<u8>,
    /// Column in the pattern, characters from 1.
    pub column: usize,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A decimal number, with sign, point or exponent.
    Number,
    /// Hex digits, up to 16.
    Hex,
    /// A word.
    Word,
    /// Anything.
    Skip,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    Bcc,
    BccHex,
    Sum8Hex,
    LrcHex,
    Crc16,
    Crc16Hex,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Decimal(u8),
    Byte,
    High,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(Vec<u8>),
    /// One or more blanks.
    Blank,
    /// Index into [`Pattern::fields`].
    Field(usize),
    Unit(Unit),
    From,
    Check(Check),
}

impl Request {
    /// Compiles a request.
    ///
    /// # Errors
    /// What is wrong, with its column.
    pub fn compile(text: &str) -> Result<Self, PatternError> {
        compile::request(text)
    }

    /// The bytes to send to the device with this address.
    pub fn bytes(&self, unit: u8) -> Vec<u8> {
        write::request(self, unit)
    }
}

impl Pattern {
    /// Compiles the form of an answer.
    ///
    /// # Errors
    /// What is wrong, with its column.
    pub fn compile(text: &str) -> Result<Self, PatternError> {
        compile::pattern(text)
    }

    /// The fields, in order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Looks for the first whole answer in what has arrived; what stands before it is noise of
    /// the line. `unit` as in the request.
    pub fn find(&self, buffer: &[u8], unit: u8) -> Found {
        find::find(self, buffer, unit)
    }

    /// An answer with these texts in its named fields, as a simulated device sends it; a text
    /// missing is blank.
    pub fn write(&self, unit: u8, text_of: impl Fn(&str) -> Option<String>) -> Vec<u8> {
        write::answer(self, unit, &text_of)
    }
}

/// What the texts of a match say about the points of its exchange.
pub fn readings(map: &Map, exchange: &Exchange, found: &Match) -> Vec<Reading> {
    let mut out = Vec::with_capacity(found.texts.len());
    for (field, raw) in exchange.response.fields.iter().zip(&found.texts) {
        let Some(name) = &field.name else {
            continue;
        };
        let point = map.points.iter().enumerate().find(|(_, point)| {
            point.name == *name && point.group == exchange.group && point.place == Place::Field
        });
        let Some((index, point)) = point else {
            continue;
        };
        let value = match field.kind {
            FieldKind::Number => number(raw)
                .ok_or(Unreadable::NotANumber)
                .and_then(|raw| point.value_of(raw, whole(raw))),
            FieldKind::Hex => match u64::from_str_radix(raw, 16) {
                Ok(code) => point.value_of(Decimal::from(code), Some(code.cast_signed())),
                Err(_) => Err(Unreadable::NotANumber),
            },
            FieldKind::Word | FieldKind::Skip => Ok(Value::Text(raw.clone())),
        };
        out.push(Reading {
            point: index,
            value,
            raw: raw.clone(),
        });
    }
    out
}

fn whole(raw: Decimal) -> Option<i64> {
    use rust_decimal::prelude::ToPrimitive;
    raw.is_integer().then(|| raw.to_i64()).flatten()
}

/// A number as instruments print it: `12.5`, `+0012.50`, `1.25E+01`, `.5`.
fn number(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let text = text.strip_prefix('+').unwrap_or(text);
    if text.contains(['e', 'E']) {
        Decimal::from_scientific(text).ok()
    } else {
        // Underscores are digits' separators to the parser and to nobody else.
        let plain = !text.contains('_');
        plain.then(|| Decimal::from_str_exact(text).ok()).flatten()
    }
}
