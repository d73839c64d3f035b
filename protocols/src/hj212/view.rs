//! A frame read where it lies: no copy, no allocation.
//!
//! [`frame_at`] takes frames that keep to the letter of the standard's envelope, which is nearly
//! all of a healthy line; for everything else it says `None`, and [`super::Framer`] with
//! [`super::parse`] is the way, which forgives and lists what it forgave. What both read, they
//! read alike.

mod header;
mod number;
pub(super) mod pieces;

use rust_decimal::Decimal;

use super::crc::{CrcVerdict, crc_hj212, judge};
use super::encrypt::opening;
use super::fields::{FLAG_ANSWER, FLAG_SPLIT};
use super::head::{Look, head_at};
use super::items::{Kind, kind_of};
use super::time::LocalTime;
use header::header;
use number::Parts;
use pieces::Pieces;

/// Bytes of `##` and the length.
const HEAD_BYTES: usize = 6;
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
    name: &'a str,
    part: &'a str,
    area: &'a str,
    /// Where the `=` and the end of the value stand in the area.
    equals: usize,
    end: usize,
    /// The value of a usual field, if it is a number.
    number: Option<Parts>,
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
    let declared = declared(bytes)?;
    let code_start = HEAD_BYTES + declared;
    let frame = bytes.get(..code_start + CODE_BYTES + 2)?;
    let raw = frame.get(HEAD_BYTES..code_start)?;
    let code: &[u8; CODE_BYTES] = frame.get(code_start..)?.first_chunk()?;
    if !frame.ends_with(b"\r\n") {
        return None;
    }
    let segment = std::str::from_utf8(raw).ok()?;
    let opening = opening(raw)?;
    let area = segment.get(opening + 5..)?.strip_suffix("&&")?;
    let crc = verdict(raw, area, code)?;
    let all_graphic = graphic(raw);
    let before = segment.get(..opening)?;
    if !all_graphic && !graphic(before.as_bytes()) {
        return None;
    }
    Some(FrameView {
        bytes: frame,
        segment,
        header: header(before, raw)?,
        area,
        area_start: HEAD_BYTES + opening + 5,
        plain: all_graphic || graphic(area.as_bytes()),
        crc,
    })
}

/// The length in a head of `##`, four digits and the letter of the first field.
#[inline(always)]
fn declared(bytes: &[u8]) -> Option<usize> {
    let [b'#', b'#', digits @ .., letter] = bytes.first_chunk::<{ HEAD_BYTES + 1 }>()? else {
        return None;
    };
    let value = digits.iter().try_fold(0, |value, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then(|| value * 10 + usize::from(digit))
    });
    value.filter(|_| letter.is_ascii_alphabetic())
}

/// What the check code says; `None` when it is none, or the area is cipher text.
#[inline(always)]
fn verdict(raw: &[u8], area: &str, code: &[u8; CODE_BYTES]) -> Option<CrcVerdict> {
    // Any name of four letters is taken for clear text; this one opens nearly all.
    if area.starts_with("DataTime=") && hex(crc_hj212(raw)) == *code {
        return Some(CrcVerdict::Hj212);
    }
    if !code.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let verdict = judge(raw, code);
    (verdict != CrcVerdict::Encrypted).then_some(verdict)
}

/// The four digits of a code as the standard writes them.
#[inline(always)]
fn hex(code: u16) -> [u8; CODE_BYTES] {
    let digit = |shift: u16| b"0123456789ABCDEF"[usize::from((code >> shift) & 0xF)];
    [digit(12), digit(8), digit(4), digit(0)]
}

/// Whether all are graphic ASCII: no blanks, no control bytes, no Chinese.
#[inline(always)]
fn graphic(bytes: &[u8]) -> bool {
    /// Words looked at side by side, so that the compiler uses wide registers.
    const LANES: usize = 4;
    const ONES: u64 = u64::MAX / 255;
    // The top bit of a byte says that it, or a lower one, is below `!`, above `~` or not ASCII.
    let other = |word: [u8; 8]| {
        let word = u64::from_le_bytes(word);
        let below = word.wrapping_sub(ONES * u64::from(b'!')) & !word;
        below | word.wrapping_add(ONES) | word
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let (blocks, last) = words.as_chunks::<LANES>();
    let mut lanes = [0u64; LANES];
    for block in blocks {
        for (lane, word) in lanes.iter_mut().zip(block) {
            *lane |= other(*word);
        }
    }
    let mut found = lanes.iter().fold(0, |found, lane| found | lane);
    for word in last {
        found |= other(*word);
    }
    let mut end = [b'!'; 8];
    for (place, byte) in end.iter_mut().zip(rest) {
        *place = *byte;
    }
    (found | other(end)) & (ONES << 7) == 0
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
    let text = std::str::from_utf8(segment.get(..opening)?).ok()?;
    graphic(text.as_bytes()).then(|| header(text, segment))?
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
            code: "",
        }
    }

    /// The first `DataTime` of the data area, if it is a time.
    #[must_use]
    pub fn data_time(&self) -> Option<LocalTime> {
        let is_time = |field: &FieldView<'_>| field.part().is_empty() && field.name() == "DataTime";
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
    /// The code of the last usual field.
    code: &'a str,
}

impl<'a> Iterator for Fields<'a> {
    type Item = FieldView<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<FieldView<'a>> {
        loop {
            let piece = self.pieces.next()?;
            let equals = piece.equals.unwrap_or(piece.end);
            let between = |from, to| trimmed(self.area, self.plain, from, to);
            let (name, part, number) = match piece.usual {
                Some(usual) => {
                    if !usual.same_code {
                        self.code = between(piece.start, piece.dash);
                    }
                    (self.code, usual.part, Some(usual.number))
                }
                None => {
                    let name = between(piece.start, piece.dash);
                    let part = if piece.dash == equals {
                        ""
                    } else {
                        between(piece.dash + 1, equals)
                    };
                    (name, part, None)
                }
            };
            if piece.equals.is_none() && name.is_empty() {
                continue;
            }
            return Some(FieldView {
                name,
                part,
                area: self.area,
                equals,
                end: piece.end,
                number,
                plain: self.plain,
            });
        }
    }
}

/// `area[from..to]` without blanks around it; `plain`: there are none.
#[inline(always)]
fn trimmed(area: &str, plain: bool, from: usize, to: usize) -> &str {
    let text = area.get(from..to).unwrap_or_default();
    if plain { text } else { text.trim() }
}

impl<'a> FieldView<'a> {
    /// Factor code, or the name of a bare field.
    #[must_use]
    #[inline(always)]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Name of the sub-field as sent; empty for a bare field.
    #[must_use]
    #[inline(always)]
    pub fn part(&self) -> &'a str {
        self.part
    }

    /// The value as sent, without blanks around it.
    #[must_use]
    #[inline(always)]
    pub fn text(&self) -> &'a str {
        trimmed(self.area, self.plain, self.equals + 1, self.end)
    }

    /// The value by the name of its field: numbers of sub-fields, times, texts.
    #[must_use]
    #[inline(always)]
    pub fn value(&self) -> ValueView<'a> {
        if let Some(parts) = self.number {
            return match parts.decimal() {
                Some(number) => ValueView::Number(number),
                None => self.as_text(),
            };
        }
        let kind = match self.name {
            "DataTime" if self.part.is_empty() => Kind::Time,
            name => kind_of(name, self.part),
        };
        match kind {
            Kind::Number => match self.number() {
                Some(number) => ValueView::Number(number),
                None => self.as_text(),
            },
            Kind::Time => match self.time() {
                Some(time) => ValueView::Time(time),
                None => self.as_text(),
            },
            Kind::Text => self.as_text(),
        }
    }

    #[inline(always)]
    fn as_text(&self) -> ValueView<'a> {
        match self.text() {
            "" => ValueView::Empty,
            text => ValueView::Text(text),
        }
    }

    /// The value as a number, exact; `None` when it is none.
    #[must_use]
    #[inline(always)]
    pub fn number(&self) -> Option<Decimal> {
        let quick = self.number.filter(|parts| *parts != Parts::NONE);
        match quick {
            Some(parts) => parts.decimal(),
            None => number::of_text(self.text()).decimal(),
        }
    }

    /// The value as a time; `None` when it is none.
    #[must_use]
    pub fn time(&self) -> Option<LocalTime> {
        LocalTime::parse(self.text())
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
