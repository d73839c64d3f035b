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
use pieces::{Piece, Pieces, exact_marks, word_at};

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
#[derive(Clone, Copy)]
pub struct FieldView<'a> {
    area: &'a str,
    /// Where name, `-`, `=` and value stand in the area; without a `-` that parts the name, `dash`
    /// is `equals`.
    start: usize,
    dash: usize,
    equals: usize,
    end: usize,
    /// The eight bytes behind `equals`; what lies behind `end` is of no value.
    word: u64,
    /// Name of the sub-field, if it is that short, first byte lowest; 0 for a bare field.
    key: u64,
    /// No blanks are in the area.
    plain: bool,
}

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
        Fields {
            area: self.area,
            plain: self.plain,
            // What follows the area is there too, for looks of eight bytes.
            pieces: Pieces::within(
                self.bytes.get(self.area_start..).unwrap_or_default(),
                self.area.len(),
            ),
        }
    }

    /// The first `DataTime` of the data area, if it is a time.
    #[must_use]
    pub fn data_time(&self) -> Option<LocalTime> {
        let is_time = |field: &FieldView<'_>| field.key == 0 && field.name() == "DataTime";
        self.fields().find(is_time)?.time()
    }
}

/// The fields of a data area. Empty pieces are passed over; a piece without `=` is a name with an
/// empty value.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    area: &'a str,
    plain: bool,
    pieces: Pieces<'a>,
}

impl<'a> Iterator for Fields<'a> {
    type Item = FieldView<'a>;

    #[inline]
    fn next(&mut self) -> Option<FieldView<'a>> {
        loop {
            let piece = self.pieces.next()?;
            let equals = piece.equals.unwrap_or(piece.end);
            let mut field = FieldView {
                area: self.area,
                start: piece.start,
                dash: equals,
                equals,
                end: piece.end,
                word: piece.word,
                key: 0,
                plain: self.plain,
            };
            if piece.equals.is_none() {
                if field.name().is_empty() {
                    continue;
                }
                return Some(field);
            }
            if let Some((dash, key)) = last_dash(self.pieces.bytes(), piece.start, equals) {
                field.dash = dash;
                field.key = key;
            }
            return Some(field);
        }
    }
}

/// The last `-` of the name in `bytes[start..equals]` and the name behind it as a word, first byte
/// lowest; `None` when nothing stands before or behind it.
#[inline]
fn last_dash(bytes: &[u8], start: usize, equals: usize) -> Option<(usize, u64)> {
    // The eight bytes that end at the `=`; those before the name are shifted out.
    let behind = equals.checked_sub(8).map(|at| word_at(bytes, at));
    let Some(word) = behind.filter(|_| equals - start >= 8) else {
        return short_dash(bytes.get(start..equals)?, start);
    };
    let dashes = exact_marks(word, b'-');
    if dashes == 0 {
        return short_dash(bytes.get(start..equals)?, start);
    }
    let top = dashes.leading_zeros();
    let at = equals - 1 - usize::try_from(top / 8).ok()?;
    if top == 0 || at == start {
        return None;
    }
    // `top` is a multiple of 8 below 64: the bytes behind the dash are the highest ones.
    Some((at, word >> (64 - top)))
}

/// [`last_dash`] of a name byte by byte.
fn short_dash(name: &[u8], start: usize) -> Option<(usize, u64)> {
    let at = name.iter().rposition(|byte| *byte == b'-')?;
    let part = name.get(at + 1..)?;
    if at == 0 || part.is_empty() {
        return None;
    }
    let key = if part.len() <= 8 { word_at(part, 0) } else { 0 };
    Some((start + at, key))
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
    /// Factor code, or the name of a bare field.
    #[must_use]
    #[inline]
    pub fn name(&self) -> &'a str {
        self.between(self.start, self.dash).trim_start()
    }

    /// Name of the sub-field as sent; empty for a bare field.
    #[must_use]
    #[inline]
    pub fn part(&self) -> &'a str {
        if self.dash == self.equals {
            return "";
        }
        self.between(self.dash + 1, self.equals)
    }

    /// The value as sent, without blanks around it.
    #[must_use]
    #[inline]
    pub fn text(&self) -> &'a str {
        self.between(self.equals + 1, self.end)
    }

    #[inline]
    fn between(&self, from: usize, to: usize) -> &'a str {
        let text = self.area.get(from..to).unwrap_or_default();
        if self.plain { text } else { text.trim() }
    }

    /// The value by the name of its field: numbers of sub-fields, times, texts.
    #[must_use]
    #[inline]
    pub fn value(&self) -> ValueView<'a> {
        match self.kind() {
            Kind::Number => {
                if let Some(number) = self.number() {
                    return ValueView::Number(number);
                }
            }
            Kind::Time => {
                if let Some(time) = self.time() {
                    return ValueView::Time(time);
                }
            }
            Kind::Text => {}
        }
        match self.text() {
            "" => ValueView::Empty,
            text => ValueView::Text(text),
        }
    }

    /// The value as a number, exact; `None` when it is none.
    #[must_use]
    #[inline]
    pub fn number(&self) -> Option<Decimal> {
        let length = self.end.wrapping_sub(self.equals).wrapping_sub(1);
        number::of_word(self.word, length).or_else(|| number::decimal(self.text()))
    }

    /// The value as a time; `None` when it is none.
    #[must_use]
    pub fn time(&self) -> Option<LocalTime> {
        LocalTime::parse(self.text())
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
            _ => kind_of(self.name(), self.part()),
        }
    }
}

impl std::fmt::Debug for FieldView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FieldView")
            .field(&self.name())
            .field(&self.part())
            .field(&self.text())
            .finish()
    }
}

#[cfg(test)]
mod tests;
