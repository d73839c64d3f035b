//! One point of a series.

use super::series::{escape, name};
use super::{LineError, Part, Series};
use rust_decimal::Decimal;
use std::io::Write;

/// Bytes of a text field: the bound of InfluxDB.
pub const TEXT_BYTES_MAX: usize = 65_535;

/// Digits of the longest whole number that is written without the help of the library.
const DIGITS_MAX: usize = 20;

/// How times are written; the address of a write says it, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Milliseconds.
    Milliseconds,
    /// Whole seconds; a time between two is refused.
    Seconds,
}

impl Precision {
    /// The value of `precision` in the address of a write.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
        }
    }
}

/// A line that is being written. Dropped before it is finished, it leaves nothing behind.
#[derive(Debug)]
pub struct Line<'a> {
    out: &'a mut Vec<u8>,
    begin: usize,
    fields: u32,
    finished: bool,
}

impl<'a> Line<'a> {
    /// Begins a line behind what `out` holds.
    pub fn begin(out: &'a mut Vec<u8>, series: &Series) -> Self {
        let begin = out.len();
        out.extend_from_slice(series.prefix());
        Self {
            out,
            begin,
            fields: 0,
            finished: false,
        }
    }

    /// A number, digit for digit: `12.50` stays `12.50`.
    ///
    /// # Errors
    /// When the name cannot stand in a line.
    pub fn decimal(&mut self, key: &str, value: Decimal) -> Result<(), LineError> {
        self.key(key)?;
        decimal(self.out, value);
        Ok(())
    }

    /// A whole number, marked as such.
    ///
    /// # Errors
    /// When the name cannot stand in a line.
    pub fn integer(&mut self, key: &str, value: i64) -> Result<(), LineError> {
        self.key(key)?;
        integer(self.out, value);
        self.out.push(b'i');
        Ok(())
    }

    /// A binary number, in the shortest digits that mean it.
    ///
    /// # Errors
    /// When it is not finite, or the name cannot stand in a line.
    pub fn float(&mut self, key: &str, value: f64) -> Result<(), LineError> {
        if !value.is_finite() {
            return Err(LineError::NotFinite(key.to_owned()));
        }
        self.key(key)?;
        write!(self.out, "{value}").expect("a vector takes everything");
        Ok(())
    }

    /// A text.
    ///
    /// # Errors
    /// When it has a control character or is too long, or the name cannot stand in a line.
    pub fn text(&mut self, key: &str, value: &str) -> Result<(), LineError> {
        if value.len() > TEXT_BYTES_MAX {
            let (part, max) = (Part::Text, TEXT_BYTES_MAX);
            return Err(LineError::TooLong { part, max });
        }
        if value.chars().any(char::is_control) {
            return Err(LineError::Control(Part::Text));
        }
        self.key(key)?;
        self.out.push(b'"');
        for &byte in value.as_bytes() {
            if matches!(byte, b'"' | b'\\') {
                self.out.push(b'\\');
            }
            self.out.push(byte);
        }
        self.out.push(b'"');
        Ok(())
    }

    /// Fields written so far.
    pub fn fields(&self) -> u32 {
        self.fields
    }

    /// Ends the line with its time, in milliseconds since 1970.
    ///
    /// # Errors
    /// When there is no field, or the time cannot be written; then no line was written.
    pub fn finish(mut self, time_ms: i64, precision: Precision) -> Result<(), LineError> {
        if self.fields == 0 {
            return Err(LineError::NoField);
        }
        if time_ms.checked_mul(1_000_000).is_none() {
            return Err(LineError::OutOfRange(time_ms));
        }
        let time = match precision {
            Precision::Milliseconds => time_ms,
            Precision::Seconds if time_ms % 1_000 == 0 => time_ms / 1_000,
            Precision::Seconds => return Err(LineError::NotWhole(time_ms)),
        };
        self.out.push(b' ');
        integer(self.out, time);
        self.out.push(b'\n');
        self.finished = true;
        Ok(())
    }

    fn key(&mut self, key: &str) -> Result<(), LineError> {
        name(key, Part::FieldKey)?;
        if self.fields > 0 {
            self.out.push(b',');
        }
        escape(key, Part::FieldKey, self.out);
        self.out.push(b'=');
        self.fields += 1;
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.out.truncate(self.begin);
        }
    }
}

/// The digits of a number, behind zeros up to `width`.
fn digits(out: &mut Vec<u8>, mut number: u64, width: usize) {
    let mut text = [b'0'; 2 * DIGITS_MAX];
    let mut at = text.len();
    while number > 0 {
        at -= 1;
        text[at] = b'0' + u8::try_from(number % 10).expect("one digit");
        number /= 10;
    }
    at = at.min(text.len() - width.clamp(1, text.len()));
    out.extend_from_slice(&text[at..]);
}

fn integer(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    digits(out, value.unsigned_abs(), 1);
}

/// The same characters as the library writes, without its division of 96 bits for each digit.
fn decimal(out: &mut Vec<u8>, value: Decimal) {
    let scale = value.scale() as usize;
    let Ok(mantissa) = u64::try_from(value.mantissa().unsigned_abs()) else {
        write!(out, "{value}").expect("a vector takes everything");
        return;
    };
    if value.is_sign_negative() {
        out.push(b'-');
    }
    digits(out, mantissa, scale + 1);
    if scale > 0 {
        out.insert(out.len() - scale, b'.');
    }
}
