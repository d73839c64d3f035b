//! Requests and answers as bytes.

use super::{Check, FieldKind, Part, Pattern, Request, Unit};

pub(super) fn request(request: &Request, unit: u8) -> Vec<u8> {
    let mut out = Vec::new();
    let mut from = 0;
    for part in &request.parts {
        fixed(part, unit, &mut out, &mut from);
    }
    out
}

pub(super) fn answer(
    pattern: &Pattern,
    unit: u8,
    text_of: &dyn Fn(&str) -> Option<String>,
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut from = 0;
    for part in &pattern.parts {
        let Part::Field(index) = part else {
            fixed(part, unit, &mut out, &mut from);
            continue;
        };
        let Some(field) = pattern.fields.get(*index) else {
            continue;
        };
        let text = field.name.as_deref().and_then(text_of).unwrap_or_default();
        match field.width.map(usize::from) {
            // Numbers stand at the right of their columns, words at the left.
            Some(width) if field.kind == FieldKind::Number => {
                out.extend(format!("{text:>width$.width$}").bytes());
            }
            Some(width) => out.extend(format!("{text:<width$.width$}").bytes()),
            None => out.extend(text.bytes()),
        }
    }
    out
}

/// Everything but fields.
fn fixed(part: &Part, unit: u8, out: &mut Vec<u8>, from: &mut usize) {
    match part {
        Part::Literal(bytes) => out.extend(bytes),
        Part::Blank => out.push(b' '),
        Part::Field(_) => {}
        Part::Unit(form) => out.extend(form.bytes(unit)),
        Part::From => *from = out.len(),
        Part::Check(check) => {
            let covered = out.get(*from..).unwrap_or_default();
            let code = check.of(covered);
            out.extend(code);
        }
    }
}

impl Unit {
    /// The address in this form.
    pub(super) fn bytes(self, unit: u8) -> Vec<u8> {
        match self {
            Self::Decimal(width) => format!("{unit:0width$}", width = usize::from(width)).into(),
            Self::Byte => vec![unit],
            Self::High => vec![unit | 0x80],
        }
    }
}

impl Check {
    /// The checksum over these bytes as it travels; hex digits are upper case.
    pub(super) fn of(self, bytes: &[u8]) -> Vec<u8> {
        let xor = bytes.iter().fold(0, |sum, byte| sum ^ byte);
        let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        match self {
            Self::Bcc => vec![xor],
            Self::BccHex => format!("{xor:02X}").into(),
            Self::Sum8Hex => format!("{sum:02X}").into(),
            Self::LrcHex => format!("{:02X}", sum.wrapping_neg()).into(),
            Self::Crc16 => crc16(bytes).to_le_bytes().to_vec(),
            Self::Crc16Hex => format!("{:04X}", crc16(bytes)).into(),
        }
    }

    /// Bytes it takes.
    pub(super) fn len(self) -> usize {
        match self {
            Self::Bcc => 1,
            Self::BccHex | Self::Sum8Hex | Self::LrcHex | Self::Crc16 => 2,
            Self::Crc16Hex => 4,
        }
    }
}

/// CRC-16/MODBUS.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |mut register, byte| {
        register ^= u16::from(*byte);
        for _ in 0..8 {
            let carry = register & 1 == 1;
            register >>= 1;
            if carry {
                register ^= 0xa001;
            }
        }
        register
    })
}
