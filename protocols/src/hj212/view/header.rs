//! The fields before the data area, read in place.

use memchr::memchr2;

use super::HeaderView;
use super::pieces::{first, marks, text_word, word_at};

/// Reads `bytes[..text.len()]`, which is `text`; what follows is there for looks of eight bytes.
/// The caller has seen that all characters are graphic ASCII.
///
/// `None` unless all are fields of the standard, each once and in its case, and closed by a `;`.
pub(super) fn header<'a>(text: &'a str, bytes: &[u8]) -> Option<HeaderView<'a>> {
    let mut header = HeaderView::default();
    let mut seen = 0u16;
    let mut start = 0;
    // A `,` parts fields for the tolerant reader, and a `/` could open a log text.
    if memchr2(b',', b'/', text.as_bytes()).is_some() {
        return None;
    }
    while start < text.len() {
        let (bit, length) = name(word_at(bytes, start))?;
        let end = value_end(bytes, start + length, text.len())?;
        let value = text.get(start + length..end)?;
        let given = (!value.is_empty()).then_some(value);
        match bit {
            QN => header.qn = given,
            ST => header.st = given,
            CN => header.cn = given,
            PW => header.pw = given,
            MN => header.mn = given,
            FLAG => header.flag = number(value).and_then(|flag| u8::try_from(flag).ok()),
            PNUM => header.pnum = number(value),
            PNO => header.pno = number(value),
            _ => header.rf = value == "1",
        }
        if seen & bit != 0 {
            return None;
        }
        seen |= bit;
        start = end + 1;
    }
    Some(header)
}

const QN: u16 = 1;
const ST: u16 = 1 << 1;
const CN: u16 = 1 << 2;
const PW: u16 = 1 << 3;
const MN: u16 = 1 << 4;
const FLAG: u16 = 1 << 5;
const PNUM: u16 = 1 << 6;
const PNO: u16 = 1 << 7;
const RF: u16 = 1 << 8;

/// The field whose name and `=` the word begins with, and their length.
#[inline(always)]
fn name(word: u64) -> Option<(u16, usize)> {
    const TWO: [(u64, u16); 6] = [
        (text_word(b"QN="), QN),
        (text_word(b"ST="), ST),
        (text_word(b"CN="), CN),
        (text_word(b"PW="), PW),
        (text_word(b"MN="), MN),
        (text_word(b"RF="), RF),
    ];
    let begins = |name: u64, bytes: u32| word & (u64::MAX >> (64 - 8 * bytes)) == name;
    for (name, bit) in TWO {
        if begins(name, 3) {
            return Some((bit, 3));
        }
    }
    if begins(const { text_word(b"Flag=") }, 5) {
        return Some((FLAG, 5));
    }
    if begins(const { text_word(b"PNUM=") }, 5) {
        return Some((PNUM, 5));
    }
    begins(const { text_word(b"PNO=") }, 4).then_some((PNO, 4))
}

/// Index of the `;` that ends the value at `at`; `None` when there is none before `end`, or a
/// second `=` before it, which could open the data area for the tolerant reader.
#[inline(always)]
fn value_end(bytes: &[u8], mut at: usize, end: usize) -> Option<usize> {
    while at < end {
        let word = word_at(bytes, at);
        let (semicolons, equals) = (marks(word, b';'), marks(word, b'='));
        if semicolons != 0 {
            let found = at + first(semicolons);
            let clean = equals.trailing_zeros() > semicolons.trailing_zeros();
            return (clean && found < end).then_some(found);
        }
        if equals != 0 {
            return None;
        }
        at += 8;
    }
    None
}

/// The value of a field that is a number; `None` when it is none.
#[inline(always)]
fn number(value: &str) -> Option<u32> {
    match value.as_bytes() {
        [digit @ b'0'..=b'9'] => Some(u32::from(digit - b'0')),
        _ => value.parse().ok(),
    }
}
