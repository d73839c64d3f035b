//! Cutting a list of `name=value` by `;` and `,`.

use memchr::memmem;

use super::number::{Parts, leading};

/// Every byte 1, every byte 0x80.
const ONES: u64 = u64::MAX / 255;
const TOPS: u64 = ONES << 7;

/// One piece of the list, as indices into its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hj212) struct Piece {
    /// First byte.
    pub(in crate::hj212) start: usize,
    /// The first `=`, if there is one.
    pub(in crate::hj212) equals: Option<usize>,
    /// The separator, or the end of the text.
    pub(in crate::hj212) end: usize,
    /// The last `-` before `equals` that has something before and behind it; without one it is
    /// where the name ends.
    pub(super) dash: usize,
    /// What the glance told, where one was enough.
    pub(super) usual: Option<Usual>,
}

/// What is known of a piece seen at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Usual {
    /// The sub-field's name.
    pub(super) part: &'static str,
    /// The value, if it is a number.
    pub(super) number: Parts,
    /// The code is that of the last piece seen at a glance.
    pub(super) same_code: bool,
}

/// The pieces of a text, in order. A separator inside a text between `//` and `//` (a log text)
/// does not end its piece; an open text ends at the next separator. A separator at the very end
/// is followed by no piece.
#[derive(Clone, Debug)]
pub(in crate::hj212) struct Pieces<'a> {
    bytes: &'a [u8],
    /// Start of the next piece.
    start: usize,
    /// End of the list; `bytes` may go on, so that looks of eight bytes stay inside it.
    end: usize,
    /// Code and `-` of the last piece seen at a glance, above a byte 0.
    code: u64,
}

/// The eight bytes at `at`, first byte lowest; zeros stand for what is not there.
#[inline(always)]
pub(super) fn word_at(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..).and_then(<[u8]>::first_chunk) {
        Some(word) => u64::from_le_bytes(*word),
        None => last_word(bytes.get(at..).unwrap_or_default()),
    }
}

#[cold]
fn last_word(rest: &[u8]) -> u64 {
    rest.iter()
        .rev()
        .fold(0, |word, byte| (word << 8) | u64::from(*byte))
}

/// A text of up to eight bytes as a word, first byte lowest.
pub(super) const fn text_word(text: &[u8]) -> u64 {
    let mut word = 0;
    let mut index = text.len();
    while index > 0 {
        index -= 1;
        word = (word << 8) | text[index] as u64;
    }
    word
}

/// Top bits of the bytes of `word` that are `;` or `,`; above the first of them there may be
/// others.
#[inline(always)]
fn separators(word: u64) -> u64 {
    let borrowed = |wanted: u8| (word ^ (ONES * u64::from(wanted))).wrapping_sub(ONES);
    (borrowed(b';') | borrowed(b',')) & !word & TOPS
}

/// Top bits of the bytes of `word` that are `wanted`; above the first of them there may be others.
#[inline(always)]
pub(super) fn marks(word: u64, wanted: u8) -> u64 {
    let differing = word ^ (ONES * u64::from(wanted));
    differing.wrapping_sub(ONES) & !differing & TOPS
}

/// Index of the first byte marked.
#[inline(always)]
pub(super) fn first(marks: u64) -> usize {
    usize::try_from(marks.trailing_zeros() / 8).unwrap_or(0)
}

impl<'a> Pieces<'a> {
    pub(in crate::hj212) fn new(text: &'a [u8]) -> Self {
        Self::within(text, text.len())
    }

    /// The pieces of `bytes[..end]`.
    pub(super) fn within(bytes: &'a [u8], end: usize) -> Self {
        Self {
            bytes,
            start: 0,
            end: end.min(bytes.len()),
            code: NO_CODE,
        }
    }

    /// The next piece, if it is `code-Part=value` with a code of six characters, as nearly all are,
    /// a usual part and a short value: a plain number, or a flag.
    ///
    /// The code's length and the part are matters of branches, which the processor foresees; only
    /// the length of the value, which it cannot foresee, is computed.
    #[inline(always)]
    fn at_a_glance(&mut self) -> Option<Piece> {
        let start = self.start;
        let glance: &[u8; GLANCE] = self.bytes.get(start..)?.first_chunk()?;
        let (code, name) = (word_in(glance, 0) << 8, word_in(glance, CODE + 1));
        let same_code = code == self.code;
        if !same_code && (glance[CODE] != b'-' || may_part(code) << 8 != 0) {
            return None;
        }
        let (part, (length, number)) = if let Some(part) = three(name) {
            (part, leading(word_in(glance, CODE + 1 + 4))?)
        } else if name & 0xFF_FFFF_FFFF == const { text_word(b"Flag=") } {
            let at = CODE + 1 + 5;
            let value = word_in(glance, at);
            let left = self.end.checked_sub(start + at)?;
            ("Flag", (flag_length(value, left)?, Parts::NONE))
        } else {
            (five(name)?, leading(word_in(glance, CODE + 1 + 6))?)
        };
        let dash = start + CODE;
        let equals = dash + 1 + part.len();
        let end = equals + 1 + length;
        if end > self.end {
            return None;
        }
        self.code = code;
        Some(Piece {
            start,
            equals: Some(equals),
            end,
            dash,
            usual: Some(Usual {
                part,
                number,
                same_code,
            }),
        })
    }
}

/// Length of the flag that the word begins with, in a list that has so many bytes left; `None`
/// when it may be a log text, or is longer than the word.
#[inline(always)]
fn flag_length(word: u64, left: usize) -> Option<usize> {
    if opens_with_care(word) {
        return None;
    }
    match separators(word) {
        0 => (left <= 8).then_some(left),
        found => Some(first(found)),
    }
}

/// Index of the first `;` or `,` at or after `at`, where `word` stands.
fn separator(bytes: &[u8], end: usize, mut at: usize, mut word: u64) -> usize {
    loop {
        let found = separators(word);
        if found != 0 {
            return (at + first(found)).min(end);
        }
        at += 8;
        if at >= end {
            return end;
        }
        word = word_at(bytes, at);
    }
}

/// End of a piece whose value opens with a blank or `/` behind `equals`.
#[cold]
fn quoted(bytes: &[u8], equals: usize, end: usize, list_end: usize) -> usize {
    let value = &bytes[equals + 1..end];
    let quote = equals + 1 + value.len() - value.trim_ascii_start().len();
    if !bytes[quote..end].starts_with(b"//") {
        return end;
    }
    match memmem::find(&bytes[quote + 2..list_end], b"//") {
        Some(close) => {
            let after = quote + 2 + close + 2;
            separator(bytes, list_end, after, word_at(bytes, after))
        }
        None => end,
    }
}

/// The piece at `start` of the list that ends at `list_end`, whatever it is.
#[inline(never)]
fn at_leisure(bytes: &[u8], start: usize, list_end: usize) -> Piece {
    let mut at = start;
    let mark = loop {
        let word = word_at(bytes, at);
        let found = marks(word, b'=') | separators(word);
        if found != 0 {
            break (at + first(found)).min(list_end);
        }
        at += 8;
        if at >= list_end {
            break list_end;
        }
    };
    if mark >= list_end || bytes.get(mark) != Some(&b'=') {
        return Piece {
            start,
            equals: None,
            end: mark,
            dash: mark,
            usual: None,
        };
    }
    let word = word_at(bytes, mark + 1);
    let mut end = if mark + 1 >= list_end {
        list_end
    } else {
        separator(bytes, list_end, mark + 1, word)
    };
    if opens_with_care(word) && end > mark + 1 {
        end = quoted(bytes, mark, end, list_end);
    }
    let name = bytes.get(start..mark).unwrap_or_default();
    let dash = name.iter().rposition(|byte| *byte == b'-');
    let dash = dash.filter(|at| *at > 0 && at + 1 < name.len());
    Piece {
        start,
        equals: Some(mark),
        end,
        dash: dash.map_or(mark, |at| start + at),
        usual: None,
    }
}

/// What is no code above a byte 0.
const NO_CODE: u64 = 1;
/// Characters of a factor's code since 2017.
const CODE: usize = 6;
/// Bytes looked at to see a code, its `-`, a usual part of up to five characters, its `=` and
/// eight bytes of the value.
const GLANCE: usize = CODE + 1 + 6 + 8;

/// Eight bytes of a glance, first byte lowest.
#[inline(always)]
fn word_in(glance: &[u8; GLANCE], at: usize) -> u64 {
    let word = glance.get(at..).and_then(<[u8]>::first_chunk);
    word.map_or(0, |word| u64::from_le_bytes(*word))
}

/// Top bits of the bytes of `word` that part names and values: `=`, `;`, `,`, `-` (and `<`, which
/// is as rare); above the first of them there may be others.
#[inline(always)]
fn may_part(word: u64) -> u64 {
    // With two bits taken away `,`, `-`, `<` and `=` are one character.
    marks(word & (ONES * 0xEE), b',') | marks(word, b';')
}

/// The name of three characters of a number that the word begins with, if its `=` follows.
#[inline(always)]
fn three(word: u64) -> Option<&'static str> {
    const RTD: u64 = text_word(b"Rtd=");
    const AVG: u64 = text_word(b"Avg=");
    const MIN: u64 = text_word(b"Min=");
    const MAX: u64 = text_word(b"Max=");
    const COU: u64 = text_word(b"Cou=");
    Some(match word & 0xFFFF_FFFF {
        RTD => "Rtd",
        AVG => "Avg",
        MIN => "Min",
        MAX => "Max",
        COU => "Cou",
        _ => return None,
    })
}

/// The name of five characters of a number that the word begins with, if its `=` follows.
#[inline(always)]
fn five(word: u64) -> Option<&'static str> {
    const RTD: u64 = text_word(b"ZsRtd=");
    const AVG: u64 = text_word(b"ZsAvg=");
    const MIN: u64 = text_word(b"ZsMin=");
    const MAX: u64 = text_word(b"ZsMax=");
    Some(match word & 0xFFFF_FFFF_FFFF {
        RTD => "ZsRtd",
        AVG => "ZsAvg",
        MIN => "ZsMin",
        MAX => "ZsMax",
        _ => return None,
    })
}

/// Whether the first byte of a value is a `/` or a blank: a log text may begin here.
#[inline(always)]
fn opens_with_care(word: u64) -> bool {
    matches!(word.to_le_bytes()[0], b'/' | b' ' | b'\t'..=b'\r')
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    #[inline(always)]
    fn next(&mut self) -> Option<Piece> {
        if self.start >= self.end {
            return None;
        }
        let piece = match self.at_a_glance() {
            Some(piece) => piece,
            None => at_leisure(self.bytes, self.start, self.end),
        };
        self.start = piece.end + 1;
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same list cut the plain way.
    fn plainly(text: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut start = 0;
        while start < text.len() {
            let separator = |from: usize| {
                let place = text[from..].iter().position(|byte| b";,".contains(byte));
                place.map_or(text.len(), |offset| from + offset)
            };
            let mut end = separator(start);
            let equals = text[start..end].iter().position(|byte| *byte == b'=');
            let equals = equals.map(|offset| start + offset);
            if let Some(at) = equals {
                let value = &text[at + 1..end];
                let quote = at + 1 + value.len() - value.trim_ascii_start().len();
                if text[quote..end].starts_with(b"//")
                    && let Some(close) = memmem::find(&text[quote + 2..], b"//")
                {
                    end = separator(quote + 2 + close + 2);
                }
            }
            let name = &text[start..equals.unwrap_or(start)];
            let dash = name.iter().rposition(|byte| *byte == b'-');
            let dash = dash.filter(|at| *at > 0 && at + 1 < name.len());
            pieces.push(Piece {
                start,
                equals,
                end,
                dash: dash.map_or(equals.unwrap_or(end), |at| start + at),
                usual: None,
            });
            start = end + 1;
        }
        pieces
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn a_look_of_64_bytes_is_the_same_as_byte_for_byte(
            parts in proptest::collection::vec(
                "(;|,|=|//|-| |[a-z0-9.]{1,9}|[ -~]{0,30}|\
                    [a;,=<-][0-9]{5}-(Zs)?(Rtd|Avg|Min|Max|Cou|Flag)=[0-9./]{0,9}[;,]?)",
                0..60,
            ),
        ) {
            let text = parts.concat();
            let pieces: Vec<Piece> = Pieces::new(text.as_bytes())
                .map(|piece| Piece { usual: None, ..piece })
                .collect();
            prop_assert_eq!(pieces, plainly(text.as_bytes()), "{:?}", text);
        }

        #[test]
        fn a_list_inside_other_bytes_ends_where_it_is_said(
            text in "[a=;,/ -]{0,80}",
            around in "[a=;,/ ]{0,12}",
        ) {
            let bytes = [text.as_str(), &around].concat();
            let pieces: Vec<Piece> = Pieces::within(bytes.as_bytes(), text.len())
                .map(|piece| Piece { usual: None, ..piece })
                .collect();
            prop_assert_eq!(pieces, plainly(text.as_bytes()));
        }
    }
}
