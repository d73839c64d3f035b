//! A frame read where it lies: no copy, no allocation.
//!
//! [`frame_at`] takes frames that keep to the letter of the standard's envelope, which is nearly
//! all of a healthy line; for everything else it says `None`, and [`super::Framer`] with
//! [`super::parse`] is the way, which forgives and lists what it forgave. What both read, they
//! read alike.

mod number;
pub(super) mod pieces;

use rust_decimal::Decimal;

use super::crc::{CrcVerdict, judge};
use super::encrypt::opening;
use super::fields::{FLAG_ANSWER, FLAG_SPLIT};
use super::head::{Look, head_at};
use super::items::{Kind, kind_of};
use super::time::LocalTime;
use pieces::{Piece, Pieces, word_at};

/// Characters of the check code.
const CODE_BYTES: usize = 4;

/// A whole frame, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameView<'a> {
    /// The exact bytes, from `##` to CR LF; what follows in the buffer begins behind them.
    pub bytes: &'a [u8],
    /// The data segment.
    pub segment: &'a str,
    /// The fields before the data area.
    pub header: HeaderView<'a>,
    /// The data area between its `&&`.
    pub area: &'a str,
    /// Index of the area in `bytes`.
    area_start: usize,
    /// The area holds no blanks, and nothing but ASCII.
    plain: bool,
    /// What the check code says. Look at it before believing anything else.
    pub crc: CrcVerdict,
}

/// The fields before the data area, as sent; a field that is absent or empty is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeaderView<'a> {
    /// Request number (请求编号).
    pub qn: Option<&'a str>,
    /// System code (系统编码).
    pub st: Option<&'a str>,
    /// Command code (命令编码).
    pub cn: Option<&'a str>,
    /// Password (访问密码).
    pub pw: Option<&'a str>,
    /// Device number (设备唯一标识).
    pub mn: Option<&'a str>,
    /// Version bits, packet-number bit and answer bit.
    pub flag: Option<u8>,
    /// Total number of packets (总包数).
    pub pnum: Option<u32>,
    /// Number of this packet (包号), from 1.
    pub pno: Option<u32>,
    /// `RF=1`: data sent again (2025).
    pub rf: bool,
}

/// One sub-field of a factor (`a21026-Rtd=1.5`), or a bare field (`DataTime=…`).
#[derive(Clone, Copy, Debug)]
pub struct FieldView<'a> {
    /// Factor code, or the name of a bare field.
    pub name: &'a str,
    /// Name of the sub-field as sent; empty for a bare field.
    pub part: &'a str,
    /// The value as sent.
    pub text: &'a str,
    /// The value begins with these bytes, the first one lowest; what lies behind it is of no value.
    word: u64,
    /// The first eight bytes of `part`.
    key: u64,
}

impl PartialEq for FieldView<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.name, self.part, self.text) == (other.name, other.part, other.text)
    }
}

impl Eq for FieldView<'_> {}

/// What a value is, by the name of its field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueView<'a> {
    /// A number, exact, with the decimals it was written with.
    Number(Decimal),
    /// A time that exists.
    Time(LocalTime),
    /// A text, or what should be a number or time and is none.
    Text(&'a str),
    /// Nothing behind the `=`.
    Empty,
}

/// Reads the frame that begins at the first byte.
///
/// `None` unless there is a whole frame with four digits of right length, a check code of four hex
/// digits (right or wrong), CR LF, UTF-8 text, none but the standard's header fields, each once
/// and in its case, and a data area inside `CP=&&…&&` that is no cipher text.
#[must_use]
pub fn frame_at(bytes: &[u8]) -> Option<FrameView<'_>> {
    let Look::Yes(head) = head_at(bytes, 0, true) else {
        return None;
    };
    let code_start = head.segment_start + head.declared;
    let end = code_start + CODE_BYTES + 2;
    let frame = bytes.get(..end)?;
    let code = &frame[code_start..code_start + CODE_BYTES];
    if head.segment_start != 6
        || !frame.ends_with(b"\r\n")
        || !code.iter().all(u8::is_ascii_hexdigit)
    {
        return None;
    }
    let raw = &frame[head.segment_start..code_start];
    let segment = std::str::from_utf8(raw).ok()?;
    let crc = judge(raw, code);
    if crc == CrcVerdict::Encrypted {
        return None;
    }
    let opening = opening(raw)?;
    let area = segment.get(opening + 5..)?.strip_suffix("&&")?;
    let area_start = head.segment_start + opening + 5;
    Some(FrameView {
        bytes: frame,
        segment,
        header: header(segment.get(..opening)?)?,
        area,
        area_start,
        plain: area
            .bytes()
            .fold(true, |plain, byte| plain & byte.is_ascii_graphic()),
        crc,
    })
}

/// The header alone of a frame, or of the beginning of one whose data area has not arrived yet:
/// enough to tell whom it is from and what it wants. The same bytes give the same header as
/// [`frame_at`]; nothing is checked.
#[must_use]
pub fn header_at(bytes: &[u8]) -> Option<HeaderView<'_>> {
    let Look::Yes(head) = head_at(bytes, 0, true) else {
        return None;
    };
    let segment = bytes.get(head.segment_start..)?;
    let opening = opening(segment)?;
    header(std::str::from_utf8(&segment[..opening]).ok()?)
}

fn header(text: &str) -> Option<HeaderView<'_>> {
    let mut header = HeaderView::default();
    let mut seen = 0u16;
    let bytes = text.as_bytes();
    let plain = |byte: u8| byte.is_ascii_graphic() & (byte != b',') & (byte != b'/');
    if !bytes.iter().fold(true, |all, byte| all & plain(*byte))
        || bytes.last().is_some_and(|last| *last != b';')
    {
        return None;
    }
    let mut fields = 0;
    for Piece {
        start, equals, end, ..
    } in Pieces::new(bytes)
    {
        let equals = equals?;
        let value = text.get(equals + 1..end)?;
        let given = (!value.is_empty()).then_some(value);
        let bit = match text.get(start..equals)? {
            "QN" => (header.qn = given, 0).1,
            "ST" => (header.st = given, 1).1,
            "CN" => (header.cn = given, 2).1,
            "PW" => (header.pw = given, 3).1,
            "MN" => (header.mn = given, 4).1,
            "Flag" => (header.flag = value.parse().ok(), 5).1,
            "PNUM" => (header.pnum = value.parse().ok(), 6).1,
            "PNO" => (header.pno = value.parse().ok(), 7).1,
            "RF" => (header.rf = value == "1", 8).1,
            _ => return None,
        };
        if seen & (1 << bit) != 0 {
            return None;
        }
        seen |= 1 << bit;
        fields += 1;
    }
    // A second `=` in a value could open the data area for the tolerant reader.
    (bytes.iter().filter(|byte| **byte == b'=').count() == fields).then_some(header)
}

impl HeaderView<'_> {
    /// Whether bit 0 of `Flag` asks for an answer; `false` without a Flag.
    #[must_use]
    pub fn wants_answer(&self) -> bool {
        self.flag.is_some_and(|flag| flag & FLAG_ANSWER != 0)
    }

    /// Whether bit 1 of `Flag` says that there are packet numbers.
    #[must_use]
    pub fn declares_packets(&self) -> bool {
        self.flag.is_some_and(|flag| flag & FLAG_SPLIT != 0)
    }
}

impl<'a> FrameView<'a> {
    /// The fields of the data area, in order, without copying or allocating.
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        let (start, end) = (self.area_start, self.area_start + self.area.len());
        Fields {
            area: self.area,
            bytes: self.bytes,
            start,
            plain: self.plain,
            pieces: Pieces::within(self.bytes, start, end),
        }
    }

    /// The first `DataTime` of the data area, if it is a time.
    #[must_use]
    pub fn data_time(&self) -> Option<LocalTime> {
        let is_time = |field: &FieldView<'_>| field.part.is_empty() && field.name == "DataTime";
        self.fields().find(is_time)?.time()
    }
}

/// The fields of a data area. Empty pieces are passed over; a piece without `=` is a name with an
/// empty value.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    area: &'a str,
    bytes: &'a [u8],
    /// Index of the area in `bytes`.
    start: usize,
    plain: bool,
    pieces: Pieces<'a>,
}

impl<'a> Fields<'a> {
    /// The text between two indices of the frame, without blanks around it.
    #[inline]
    fn text(&self, from: usize, to: usize) -> Option<&'a str> {
        let text = self.area.get(from - self.start..to - self.start)?;
        Some(if self.plain { text } else { text.trim() })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = FieldView<'a>;

    #[inline]
    fn next(&mut self) -> Option<FieldView<'a>> {
        loop {
            let Piece {
                start,
                equals,
                end,
                word,
            } = self.pieces.next()?;
            let Some(equals) = equals else {
                let name = self.text(start, end)?;
                if name.is_empty() {
                    continue;
                }
                return Some(FieldView {
                    name,
                    part: "",
                    text: "",
                    word: 0,
                    key: 0,
                });
            };
            let name = self.text(start, equals)?;
            let text = self.text(equals + 1, end)?;
            // A value with blanks before it does not begin with the word.
            let word = if self.plain {
                word
            } else {
                word_at(text.as_bytes(), 0)
            };
            let dash = name.bytes().rposition(|byte| byte == b'-');
            let (name, part, key) = match dash {
                Some(at) if at > 0 && at + 1 < name.len() => {
                    let part = name.get(at + 1..)?;
                    let key = match self.plain {
                        true => word_at(self.bytes, start + at + 1),
                        false => word_at(part.as_bytes(), 0),
                    };
                    (name.get(..at)?, part, first_bytes(key, part.len()))
                }
                _ => (name, "", 0),
            };
            return Some(FieldView {
                name,
                part,
                text,
                word,
                key,
            });
        }
    }
}

/// The low `length` bytes of a word, or all of it.
#[inline]
fn first_bytes(word: u64, length: usize) -> u64 {
    match length {
        0..8 => word & !(u64::MAX << (length * 8)),
        _ => word,
    }
}

/// A name of up to eight characters as a word.
const fn key(name: &[u8]) -> u64 {
    let mut word = 0;
    let mut index = name.len();
    while index > 0 {
        index -= 1;
        word = (word << 8) | name[index] as u64;
    }
    word
}

impl<'a> FieldView<'a> {
    /// The value by the name of its field: numbers of sub-fields, times, texts.
    #[must_use]
    #[inline]
    pub fn value(&self) -> ValueView<'a> {
        if self.text.is_empty() {
            return ValueView::Empty;
        }
        let text = ValueView::Text(self.text);
        match self.kind() {
            Kind::Number => self.number().map_or(text, ValueView::Number),
            Kind::Time => self.time().map_or(text, ValueView::Time),
            Kind::Text => text,
        }
    }

    /// The value as a number, exact; `None` when it is none.
    #[must_use]
    #[inline]
    pub fn number(&self) -> Option<Decimal> {
        number::decimal_of(self.text, self.word)
    }

    #[inline]
    fn kind(&self) -> Kind {
        const RTD: u64 = key(b"Rtd");
        const AVG: u64 = key(b"Avg");
        const MIN: u64 = key(b"Min");
        const MAX: u64 = key(b"Max");
        const ZS_RTD: u64 = key(b"ZsRtd");
        const FLAG: u64 = key(b"Flag");
        match self.key {
            RTD | AVG | MIN | MAX | ZS_RTD => Kind::Number,
            FLAG => Kind::Text,
            _ => kind_of(self.name, self.part),
        }
    }

    /// The value as a time; `None` when it is none.
    #[must_use]
    pub fn time(&self) -> Option<LocalTime> {
        LocalTime::parse(self.text)
    }
}

#[cfg(test)]
mod tests;
