//! Finding an answer in what has arrived.

use super::{ANSWER_BYTES_MAX, FIELD_BYTES_MAX, Field, FieldKind, Part, Pattern};
use smol_str::SmolStr;

/// What was found in a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing yet; more bytes may make an answer.
    More,
    /// A whole answer.
    Match(Match),
    /// No answer, whatever follows.
    Refused(Refusal),
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Where it begins in the buffer; before that was noise.
    pub start: usize,
    /// Where it ends: bytes of the buffer that are used up.
    pub end: usize,
    /// Texts of [`Pattern::fields`], blanks around them taken off.
    pub texts: Vec<SmolStr>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The buffer is full and holds none.
    #[error("no answer of the expected form within {ANSWER_BYTES_MAX} bytes")]
    TooLong,
    /// An answer of the right form with a wrong checksum.
    #[error("the answer ending at byte {end} has a wrong checksum")]
    Checksum {
        /// Where that answer ends in the buffer.
        end: usize,
    },
}

enum Try {
    Whole { end: usize, texts: Vec<SmolStr> },
    More,
    No,
    Checksum { end: usize },
}

pub(super) fn find(pattern: &Pattern, buffer: &[u8], unit: u8) -> Found {
    let seen = buffer.get(..ANSWER_BYTES_MAX).unwrap_or(buffer);
    for start in 0..seen.len() {
        match attempt(pattern, seen, start, unit) {
            Try::Whole { end, texts } => return Found::Match(Match { start, end, texts }),
            Try::Checksum { end } => return Found::Refused(Refusal::Checksum { end }),
            // A later start may match by accident within the answer that is still coming.
            Try::More => break,
            Try::No => {}
        }
    }
    match buffer.len() >= ANSWER_BYTES_MAX {
        true => Found::Refused(Refusal::TooLong),
        false => Found::More,
    }
}

/// Tries the pattern at one place, without going back: every part takes what it takes.
fn attempt(pattern: &Pattern, buffer: &[u8], start: usize, unit: u8) -> Try {
    let mut at = start;
    let mut from = start;
    let mut texts = Vec::with_capacity(pattern.fields.len());
    for (index, part) in pattern.parts.iter().enumerate() {
        let rest = buffer.get(at..).unwrap_or_default();
        let taken = match part {
            Part::Literal(bytes) => literal(rest, bytes),
            Part::Blank => blanks(rest),
            Part::From => {
                from = at;
                Taken::Bytes(0)
            }
            Part::Unit(form) => literal(rest, &form.bytes(unit)),
            Part::Check(check) => match rest.get(..check.len()) {
                None => Taken::More,
                Some(code) => {
                    let covered = buffer.get(from..at).unwrap_or_default();
                    if !code.eq_ignore_ascii_case(&check.of(covered)) {
                        return Try::Checksum {
                            end: at + check.len(),
                        };
                    }
                    Taken::Bytes(check.len())
                }
            },
            Part::Field(number) => match pattern.fields.get(*number) {
                Some(field) => field_text(rest, field, pattern.parts.get(index + 1), &mut texts),
                None => Taken::No,
            },
        };
        match taken {
            Taken::Bytes(n) => at += n,
            Taken::More => return Try::More,
            Taken::No => return Try::No,
        }
    }
    Try::Whole { end: at, texts }
}

enum Taken {
    Bytes(usize),
    More,
    No,
}

fn literal(rest: &[u8], bytes: &[u8]) -> Taken {
    if rest.starts_with(bytes) {
        Taken::Bytes(bytes.len())
    } else if bytes.starts_with(rest) {
        Taken::More
    } else {
        Taken::No
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn blanks(rest: &[u8]) -> Taken {
    match rest.iter().position(|byte| !is_blank(*byte)) {
        Some(0) => Taken::No,
        Some(n) => Taken::Bytes(n),
        None => Taken::More,
    }
}

fn field_text(rest: &[u8], field: &Field, next: Option<&Part>, texts: &mut Vec<SmolStr>) -> Taken {
    let length = match field.width.map(usize::from) {
        Some(width) if rest.len() < width => return Taken::More,
        Some(width) => width,
        None => match open_length(rest, field.kind, next) {
            Some(length) => length,
            None if field.kind == FieldKind::Skip || rest.len() <= FIELD_BYTES_MAX => {
                return Taken::More;
            }
            None => return Taken::No,
        },
    };
    if length > FIELD_BYTES_MAX && field.kind != FieldKind::Skip {
        return Taken::No;
    }
    let bytes = rest.get(..length).unwrap_or_default();
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    if field.name.is_some() && text.bytes().any(|b| b.is_ascii_control()) {
        // A line that ended early: its values belong to nobody.
        return Taken::No;
    }
    texts.push(match field.name {
        Some(_) => SmolStr::new(text),
        None => SmolStr::default(),
    });
    Taken::Bytes(length)
}

/// Length of a field that no width bounds: leading blanks, then up to a blank or what follows it
/// in the pattern. `None` while its end has not come.
fn open_length(rest: &[u8], kind: FieldKind, next: Option<&Part>) -> Option<usize> {
    if kind == FieldKind::Skip {
        return match next {
            Some(Part::Literal(bytes)) => memchr::memmem::find(rest, bytes),
            _ => rest.iter().position(|byte| is_blank(*byte)),
        };
    }
    let lead = rest.iter().position(|byte| !is_blank(*byte))?;
    let stop = match next {
        Some(Part::Literal(bytes)) => bytes.first().copied(),
        _ => None,
    };
    let ends = |byte: &u8| is_blank(*byte) || byte.is_ascii_control() || Some(*byte) == stop;
    let length = rest.get(lead..)?.iter().position(ends)?;
    Some(lead + length)
}
