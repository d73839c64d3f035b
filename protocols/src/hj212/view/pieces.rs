//! Cutting a list of `name=value` by `;` and `,`, eight bytes at a look.

use memchr::memmem;

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
    /// The eight bytes behind `equals`, first byte lowest; what lies behind `end` is of no value.
    pub(super) word: u64,
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
}

/// The eight bytes at `at`, first byte lowest; zeros stand for what is not there.
#[inline]
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

/// Top bits of the bytes of `word` that are `wanted`; above the first of them there may be others.
#[inline]
pub(super) fn marks(word: u64, wanted: u8) -> u64 {
    let differing = word ^ (ONES * u64::from(wanted));
    differing.wrapping_sub(ONES) & !differing & TOPS
}

/// Top bits of exactly the bytes of `word` that are `wanted`.
#[inline]
pub(super) fn exact_marks(word: u64, wanted: u8) -> u64 {
    let differing = word ^ (ONES * u64::from(wanted));
    !(((differing & !TOPS).wrapping_add(!TOPS)) | differing | !TOPS)
}

/// Index of the first byte marked.
#[inline]
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
        }
    }

    /// The text, and what lies behind it.
    #[inline]
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Index of the first `;` or `,` at or after `at`, where `word` stands.
    #[inline]
    fn separator(&self, mut at: usize, mut word: u64) -> usize {
        loop {
            let found = marks(word, b';') | marks(word, b',');
            if found != 0 {
                return (at + first(found)).min(self.end);
            }
            at += 8;
            if at >= self.end {
                return self.end;
            }
            word = word_at(self.bytes, at);
        }
    }

    /// End of a piece whose value opens with a blank or `/` behind `equals`.
    #[cold]
    fn quoted(&self, equals: usize, end: usize) -> usize {
        let value = &self.bytes[equals + 1..end];
        let quote = equals + 1 + value.len() - value.trim_ascii_start().len();
        if !self.bytes[quote..end].starts_with(b"//") {
            return end;
        }
        match memmem::find(&self.bytes[quote + 2..self.end], b"//") {
            Some(close) => {
                let after = quote + 2 + close + 2;
                self.separator(after, word_at(self.bytes, after))
            }
            None => end,
        }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    #[inline]
    fn next(&mut self) -> Option<Piece> {
        let start = self.start;
        if start >= self.end {
            return None;
        }
        let mut at = start;
        let mark = loop {
            let word = word_at(self.bytes, at);
            let found = marks(word, b'=') | marks(word, b';') | marks(word, b',');
            if found != 0 {
                break (at + first(found)).min(self.end);
            }
            at += 8;
            if at >= self.end {
                break self.end;
            }
        };
        if mark >= self.end || self.bytes.get(mark) != Some(&b'=') {
            self.start = mark + 1;
            return Some(Piece {
                start,
                equals: None,
                end: mark,
                word: 0,
            });
        }
        let word = word_at(self.bytes, mark + 1);
        let mut end = if mark + 1 >= self.end {
            self.end
        } else {
            self.separator(mark + 1, word)
        };
        if matches!(word.to_le_bytes()[0], b'/' | b' ' | b'\t'..=b'\r') && end > mark + 1 {
            end = self.quoted(mark, end);
        }
        self.start = end + 1;
        Some(Piece {
            start,
            equals: Some(mark),
            end,
            word,
        })
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
            pieces.push(Piece {
                start,
                equals,
                end,
                word: 0,
            });
            start = end + 1;
        }
        pieces
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_look_of_64_bytes_is_the_same_as_byte_for_byte(
            parts in proptest::collection::vec("(;|,|=|//|-| |[a-z0-9.]{1,9}|[ -~]{0,30})", 0..60),
        ) {
            let text = parts.concat();
            let pieces: Vec<Piece> = Pieces::new(text.as_bytes())
                .map(|piece| Piece { word: 0, ..piece })
                .collect();
            prop_assert_eq!(pieces, plainly(text.as_bytes()), "{:?}", text);
        }

        #[test]
        fn a_list_inside_other_bytes_ends_where_it_is_said(
            text in "[a=;,/ ]{0,40}",
            around in "[a=;,/ ]{0,12}",
        ) {
            let bytes = [text.as_str(), &around].concat();
            let pieces: Vec<Piece> = Pieces::within(bytes.as_bytes(), text.len())
                .map(|piece| Piece { word: 0, ..piece })
                .collect();
            prop_assert_eq!(pieces, plainly(text.as_bytes()));
        }
    }
}
