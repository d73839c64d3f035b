//! From the text in a register map to parts, with every mistake at its column.

use super::{Check, Field, FieldKind, PATTERN_BYTES_MAX, Part, Pattern, Request, Unit};
use smol_str::SmolStr;
use std::iter::Peekable;
use std::str::CharIndices;

/// A mistake in a request or a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {kind}")]
pub struct PatternError {
    /// Column in the text, characters from 1.
    pub column: usize,
    /// What is wrong.
    pub kind: Mistake,
}

/// What is wrong in a request or a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// Nothing in it.
    #[error("it is empty")]
    Empty,
    /// Past [`PATTERN_BYTES_MAX`].
    #[error("it is longer than {PATTERN_BYTES_MAX} bytes")]
    TooLong,
    /// A backslash before something that is no escape.
    #[error("no such escape; write \\r \\n \\t \\\\ \\{{ \\}} or \\x and two hex digits")]
    Escape,
    /// A `}` without `{`.
    #[error("a `}}` without `{{`; write \\}} for the character itself")]
    Close,
    /// A `{` without `}`.
    #[error("a `{{` without `}}`; write \\{{ for the character itself")]
    Open,
    /// Braces around something unknown.
    #[error("{{{0}}} is not known here")]
    Unknown(String),
    /// A width that is no number from 1 to 64.
    #[error("the width must be a number from 1 to 64")]
    Width,
    /// A name used twice.
    #[error("the field {0} stands there twice")]
    Twice(String),
    /// A field that nothing ends.
    #[error("nothing says where the field before ends; give it a width or let a text follow")]
    NoEnd,
    /// A number followed by a character numbers are made of.
    #[error("what follows the number could belong to it; give the number a width")]
    Blends,
    /// A blank before something that may begin with blanks of its own.
    #[error("it would take blanks of what follows; write \\ and a blank for exactly one")]
    Swallows,
    /// Nothing in the pattern is fixed.
    #[error("the pattern begins with something that matches anything; begin with a text")]
    NoStart,
}

pub(super) fn request(text: &str) -> Result<Request, PatternError> {
    let (parts, fields) = parts(text, false)?;
    match fields.first() {
        Some(field) => Err(mistake(
            field.column,
            Mistake::Unknown(field.name.as_deref().unwrap_or("skip").to_owned()),
        )),
        None => Ok(Request {
            parts: parts.into_iter().map(|(_, part)| part).collect(),
        }),
    }
}

pub(super) fn pattern(text: &str) -> Result<Pattern, PatternError> {
    let (parts, fields) = parts(text, true)?;
    for (index, (column, part)) in parts.iter().enumerate() {
        let Part::Field(number) = part else {
            continue;
        };
        let Some(field) = fields.get(*number).filter(|f| f.width.is_none()) else {
            continue;
        };
        // A field of no stated width needs an end that cannot be part of it.
        match parts.get(index + 1) {
            Some((_, Part::Blank)) => {}
            Some((next, Part::Literal(bytes))) => {
                let digit = |b: &u8| b.is_ascii_digit() || b"+-.eE".contains(b);
                if field.kind == FieldKind::Number && bytes.first().is_some_and(digit) {
                    return Err(mistake(*next, Mistake::Blends));
                }
                let hex = |b: &u8| b.is_ascii_hexdigit();
                if field.kind == FieldKind::Hex && bytes.first().is_some_and(hex) {
                    return Err(mistake(*next, Mistake::Blends));
                }
            }
            _ => return Err(mistake(*column, Mistake::NoEnd)),
        }
    }
    for pair in parts.windows(2) {
        let [(column, Part::Blank), (_, next)] = pair else {
            continue;
        };
        let may_be_blank = match next {
            Part::Field(number) => fields.get(*number).is_some_and(|f| f.width.is_some()),
            Part::Check(check) => matches!(check, Check::Bcc | Check::Crc16),
            Part::Unit(unit) => *unit == Unit::Byte,
            Part::Literal(bytes) => matches!(bytes.first(), Some(b' ' | b'\t')),
            Part::Blank | Part::From => false,
        };
        if may_be_blank {
            return Err(mistake(*column, Mistake::Swallows));
        }
    }
    match parts.last() {
        Some((column, Part::Blank | Part::From)) => Err(mistake(*column, Mistake::NoEnd)),
        _ => Ok(()),
    }?;
    let anchored = |part: &Part| match part {
        Part::Literal(_) | Part::Unit(_) => true,
        Part::Field(number) => fields
            .get(*number)
            .is_some_and(|f| f.kind != FieldKind::Skip),
        _ => false,
    };
    match parts.iter().find(|(_, part)| *part != Part::From) {
        Some((column, first)) if !anchored(first) => Err(mistake(*column, Mistake::NoStart)),
        _ => Ok(Pattern {
            parts: parts.into_iter().map(|(_, part)| part).collect(),
            fields,
        }),
    }
}

fn mistake(column: usize, kind: Mistake) -> PatternError {
    PatternError { column, kind }
}

type Placed = Vec<(usize, Part)>;

/// `blanks`: a blank stands for one or more of them.
fn parts(text: &str, blanks: bool) -> Result<(Placed, Vec<Field>), PatternError> {
    if text.is_empty() {
        return Err(mistake(1, Mistake::Empty));
    }
    if text.len() > PATTERN_BYTES_MAX {
        return Err(mistake(1, Mistake::TooLong));
    }
    let mut out: Placed = Vec::new();
    let mut fields: Vec<Field> = Vec::new();
    let mut chars = text.char_indices().peekable();
    let mut column = 0;
    while let Some((_, char)) = chars.next() {
        column += 1;
        let here = column;
        match char {
            '{' => {
                let inside = braces(&mut chars, &mut column).ok_or(mistake(here, Mistake::Open))?;
                let part = special(&inside, here, &mut fields)?;
                out.push((here, part));
            }
            '}' => return Err(mistake(here, Mistake::Close)),
            ' ' if blanks => {
                if !matches!(out.last(), Some((_, Part::Blank))) {
                    out.push((here, Part::Blank));
                }
            }
            '\\' => {
                let byte = escape(&mut chars, &mut column).ok_or(mistake(here, Mistake::Escape))?;
                push(&mut out, here, &[byte]);
            }
            other => push(&mut out, here, other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Ok((out, fields))
}

fn push(out: &mut Placed, column: usize, bytes: &[u8]) {
    match out.last_mut() {
        Some((_, Part::Literal(literal))) => literal.extend(bytes),
        _ => out.push((column, Part::Literal(bytes.to_vec()))),
    }
}

fn braces(chars: &mut Peekable<CharIndices<'_>>, column: &mut usize) -> Option<String> {
    let mut inside = String::new();
    for (_, char) in chars.by_ref() {
        *column += 1;
        match char {
            '}' => return Some(inside),
            '{' => return None,
            other => inside.push(other),
        }
    }
    None
}

fn escape(chars: &mut Peekable<CharIndices<'_>>, column: &mut usize) -> Option<u8> {
    let mut next = || {
        *column += 1;
        chars.next().map(|(_, char)| char)
    };
    match next()? {
        'r' => Some(b'\r'),
        'n' => Some(b'\n'),
        't' => Some(b'\t'),
        '\\' => Some(b'\\'),
        '{' => Some(b'{'),
        '}' => Some(b'}'),
        ' ' => Some(b' '),
        'x' => {
            let (high, low) = (next()?.to_digit(16)?, next()?.to_digit(16)?);
            u8::try_from(high * 16 + low).ok()
        }
        _ => None,
    }
}

fn special(inside: &str, column: usize, fields: &mut Vec<Field>) -> Result<Part, PatternError> {
    let unknown = || mistake(column, Mistake::Unknown(inside.to_owned()));
    let mut words = inside.split(':');
    let (name, kind, width) = (words.next().unwrap_or_default(), words.next(), words.next());
    if words.next().is_some() {
        return Err(unknown());
    }
    let check = match name {
        "bcc" => Some(Check::Bcc),
        "bcchex" => Some(Check::BccHex),
        "sum8hex" => Some(Check::Sum8Hex),
        "lrchex" => Some(Check::LrcHex),
        "crc16" => Some(Check::Crc16),
        "crc16hex" => Some(Check::Crc16Hex),
        _ => None,
    };
    match (name, check, kind) {
        (_, Some(check), None) => return Ok(Part::Check(check)),
        ("from", _, None) => return Ok(Part::From),
        ("unit", _, _) if width.is_none() => {
            return match kind {
                None => Ok(Part::Unit(Unit::Decimal(1))),
                Some("byte") => Ok(Part::Unit(Unit::Byte)),
                Some("high") => Ok(Part::Unit(Unit::High)),
                Some(digits) => match digits.parse() {
                    Ok(width @ 1..=3) => Ok(Part::Unit(Unit::Decimal(width))),
                    _ => Err(unknown()),
                },
            };
        }
        _ => {}
    }
    let (name, kind, width) = match (name, kind, width) {
        ("skip", width, None) => (None, FieldKind::Skip, width),
        (_, Some("number"), width) => (Some(name), FieldKind::Number, width),
        (_, Some("hex"), width) => (Some(name), FieldKind::Hex, width),
        (_, Some("word"), width) => (Some(name), FieldKind::Word, width),
        _ => return Err(unknown()),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_some_and(|name| name.is_empty() || !name.chars().all(plain)) {
        return Err(unknown());
    }
    let width = match width.map(str::parse) {
        None => None,
        Some(Ok(width @ 1..=64)) => Some(width),
        Some(_) => return Err(mistake(column, Mistake::Width)),
    };
    if let Some(name) = name
        && fields.iter().any(|f| f.name.as_deref() == Some(name))
    {
        return Err(mistake(column, Mistake::Twice(name.to_owned())));
    }
    fields.push(Field {
        name: name.map(SmolStr::new),
        kind,
        width,
        column,
    });
    Ok(Part::Field(fields.len() - 1))
}
