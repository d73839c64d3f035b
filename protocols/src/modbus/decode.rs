//! Registers to values and back.

use super::{Answer, AnswerError, Block, Kind, Order, Register};
use crate::instrument::{Map, Place, Point, Reading, Unreadable, Value};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use smol_str::{SmolStr, SmolStrBuilder};
use std::fmt::Write as _;
use std::str::FromStr;

/// What an answer says about the points of its block.
///
/// # Errors
/// The answer is not exactly as long as what was asked for; then nothing of it is believed.
pub fn decode(map: &Map, block: &Block, answer: &Answer) -> Result<Vec<Reading>, AnswerError> {
    answer.check(block)?;
    let mut out = Vec::with_capacity(block.points.len());
    for &index in &block.points {
        let Some(point) = map.points.get(index) else {
            continue;
        };
        let Place::Register(register) = point.place else {
            continue;
        };
        let first = usize::from(register.address.saturating_sub(block.start));
        let reading = match answer {
            Answer::Bits(bits) => bits.get(first).map(|bit| bit_reading(index, point, *bit)),
            Answer::Registers(words) => words
                .get(first..first + usize::from(register.kind.len()))
                .map(|words| word_reading(index, point, register, words)),
        };
        out.extend(reading);
    }
    Ok(out)
}

fn bit_reading(index: usize, point: &Point, bit: bool) -> Reading {
    let raw = if bit { "1" } else { "0" };
    Reading {
        point: index,
        value: point.value_of(Decimal::from(u8::from(bit)), Some(i64::from(bit))),
        raw: SmolStr::new_static(raw),
    }
}

fn word_reading(index: usize, point: &Point, register: Register, words: &[u16]) -> Reading {
    let value = match raw_value(register, words) {
        Ok(Raw::Number(raw)) => point.value_of(raw, whole(raw)),
        Ok(Raw::Text(text)) => Ok(Value::Text(text)),
        Err(why) => Err(why),
    };
    Reading {
        point: index,
        value,
        raw: hex(words),
    }
}

/// The number itself where it is whole and fits.
fn whole(raw: Decimal) -> Option<i64> {
    raw.is_integer().then(|| raw.to_i64()).flatten()
}

fn hex(words: &[u16]) -> SmolStr {
    let mut out = SmolStrBuilder::new();
    for word in words {
        // Writing to memory cannot fail.
        let _ = write!(out, "{word:04X}");
    }
    out.finish()
}

enum Raw {
    Number(Decimal),
    Text(SmolStr),
}

fn raw_value(register: Register, words: &[u16]) -> Result<Raw, Unreadable> {
    let order = register.order;
    let bytes = wire_to_value(order, words);
    let number = match register.kind {
        Kind::Text { .. } => return text(&bytes).map(Raw::Text),
        Kind::Bit | Kind::U16 => Decimal::from(unsigned(&bytes)),
        Kind::U32 => Decimal::from(unsigned(&bytes)),
        Kind::I16 => match bytes.as_slice() {
            [a, b] => Decimal::from(i16::from_be_bytes([*a, *b])),
            _ => return Err(Unreadable::NotANumber),
        },
        Kind::I32 => match bytes.as_slice() {
            [a, b, c, d] => Decimal::from(i32::from_be_bytes([*a, *b, *c, *d])),
            _ => return Err(Unreadable::NotANumber),
        },
        Kind::F32 => match bytes.as_slice() {
            [a, b, c, d] => {
                let number = f32::from_be_bytes([*a, *b, *c, *d]);
                float(number.is_nan(), number.is_infinite(), &number)?
            }
            _ => return Err(Unreadable::NotANumber),
        },
        Kind::F64 => match <[u8; 8]>::try_from(bytes.as_slice()) {
            Ok(eight) => {
                let number = f64::from_be_bytes(eight);
                float(number.is_nan(), number.is_infinite(), &number)?
            }
            Err(_) => return Err(Unreadable::NotANumber),
        },
        Kind::Bcd16 | Kind::Bcd32 => Decimal::from(bcd(&bytes)?),
        Kind::Bits { first, count } => {
            let mask = (1_u64 << count.min(16)) - 1;
            Decimal::from(unsigned(&bytes) >> first.min(15) & mask)
        }
    };
    Ok(Raw::Number(number))
}

/// Bytes from the most significant on (of a text: in reading order).
fn wire_to_value(order: Order, words: &[u16]) -> Vec<u8> {
    let pair = |word: &u16| match order.swaps_bytes() {
        true => word.to_le_bytes(),
        false => word.to_be_bytes(),
    };
    match order.swaps_words() {
        true => words.iter().rev().flat_map(pair).collect(),
        false => words.iter().flat_map(pair).collect(),
    }
}

fn unsigned(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The decimal a person would write for it: the shortest that reads back as the same float.
fn float(nan: bool, infinite: bool, number: &dyn std::fmt::Display) -> Result<Decimal, Unreadable> {
    if nan {
        return Err(Unreadable::NotANumber);
    }
    if infinite {
        return Err(Unreadable::TooLarge);
    }
    // Digits past the 28th after the point fall off; of numbers so small nothing is left to lose.
    let number = Decimal::from_str(&number.to_string()).map_err(|_| Unreadable::TooLarge)?;
    Ok(number.normalize())
}

fn bcd(bytes: &[u8]) -> Result<u64, Unreadable> {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    let mut number = 0;
    for nibble in nibbles {
        if nibble > 9 {
            return Err(Unreadable::BadDigit);
        }
        number = number * 10 + u64::from(nibble);
    }
    Ok(number)
}

fn text(bytes: &[u8]) -> Result<SmolStr, Unreadable> {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    let used = bytes.get(..end).unwrap_or_default();
    if !used.iter().all(|b| (b' '..=b'~').contains(b)) {
        return Err(Unreadable::NotText);
    }
    let text = std::str::from_utf8(used).map_err(|_| Unreadable::NotText)?;
    Ok(SmolStr::new(text.trim()))
}

/// The registers that hold a raw number (before scale and offset): what a simulated device
/// answers with. `None` when the kind cannot hold it exactly; a float takes the nearest.
pub fn encode(register: Register, raw: Decimal) -> Option<Vec<u16>> {
    let bytes: Vec<u8> = match register.kind {
        Kind::Text { .. } => return None,
        Kind::Bit => {
            return exact(raw)?
                .to_u16()
                .filter(|bit| *bit <= 1)
                .map(|bit| vec![bit]);
        }
        Kind::U16 => exact(raw)?.to_u16()?.to_be_bytes().to_vec(),
        Kind::I16 => exact(raw)?.to_i16()?.to_be_bytes().to_vec(),
        Kind::U32 => exact(raw)?.to_u32()?.to_be_bytes().to_vec(),
        Kind::I32 => exact(raw)?.to_i32()?.to_be_bytes().to_vec(),
        // Through text, so that the nearest float is found once and not by way of another.
        Kind::F32 => raw.to_string().parse::<f32>().ok()?.to_be_bytes().to_vec(),
        Kind::F64 => raw.to_string().parse::<f64>().ok()?.to_be_bytes().to_vec(),
        Kind::Bcd16 => to_bcd(exact(raw)?.to_u64()?, 2)?,
        Kind::Bcd32 => to_bcd(exact(raw)?.to_u64()?, 4)?,
        Kind::Bits { first, count } => {
            let value = exact(raw)?.to_u32().filter(|v| v >> count.min(16) == 0)?;
            u16::try_from(value << first.min(15))
                .ok()?
                .to_be_bytes()
                .to_vec()
        }
    };
    let order = register.order;
    let mut words: Vec<u16> = bytes
        .as_chunks::<2>()
        .0
        .iter()
        .map(|pair| match order.swaps_bytes() {
            true => u16::from_le_bytes(*pair),
            false => u16::from_be_bytes(*pair),
        })
        .collect();
    if order.swaps_words() {
        words.reverse();
    }
    Some(words)
}

fn exact(raw: Decimal) -> Option<Decimal> {
    raw.is_integer().then_some(raw)
}

fn to_bcd(number: u64, bytes: u32) -> Option<Vec<u8>> {
    if number >= 100_u64.pow(bytes) {
        return None;
    }
    (0..bytes)
        .rev()
        .map(|place| {
            let pair = number / 100_u64.pow(place) % 100;
            u8::try_from((pair / 10) << 4 | (pair % 10)).ok()
        })
        .collect()
}
