//! Numbers of variable length, read without trust in what is there.

use super::PackError;

/// Appends a whole number, seven bits a byte, lowest first.
pub(super) fn put(out: &mut Vec<u8>, number: u128) {
    let mut rest = number;
    while rest > 0x7f {
        out.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    out.push(rest.to_le_bytes()[0]);
}

/// Appends a number of either sign: 0, -1, 1, -2, ... become 0, 1, 2, 3, ...
pub(super) fn put_signed(out: &mut Vec<u8>, number: i128) {
    put(out, ((number << 1) ^ (number >> 127)).cast_unsigned());
}

/// Appends the length of something.
pub(super) fn put_len(out: &mut Vec<u8>, length: usize) {
    put(out, u128::try_from(length).unwrap_or(u128::MAX));
}

/// Appends a text with its length before it.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_len(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// Takes apart what the functions above put together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

const SHORT: PackError = PackError::Damaged("it ends too early");
const LONG: PackError = PackError::Damaged("a number is too long");

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn byte(&mut self) -> Result<u8, PackError> {
        let (first, rest) = self.rest.split_first().ok_or(SHORT)?;
        self.rest = rest;
        Ok(*first)
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], PackError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(SHORT)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A whole number of up to 63 bits; most are of one to three bytes.
    pub(super) fn number(&mut self) -> Result<u64, PackError> {
        let mut number = 0;
        for shift in 0..9 {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << (7 * shift);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(LONG)
    }

    /// A whole number of up to 126 bits.
    pub(super) fn wide(&mut self) -> Result<u128, PackError> {
        let mut number = 0;
        for shift in 0..18 {
            let byte = self.byte()?;
            number |= u128::from(byte & 0x7f) << (7 * shift);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(LONG)
    }

    /// A number of either sign, of up to 125 bits.
    pub(super) fn signed(&mut self) -> Result<i128, PackError> {
        let before = *self;
        if let Ok(number) = self.number() {
            let half = (number >> 1).cast_signed();
            return Ok(i128::from(if number & 1 == 1 { !half } else { half }));
        }
        *self = before;
        let number = self.wide()?;
        let half = (number >> 1).cast_signed();
        Ok(if number & 1 == 1 { !half } else { half })
    }

    /// A count of at most `most`.
    pub(super) fn count(&mut self, most: usize) -> Result<usize, PackError> {
        usize::try_from(self.number()?)
            .ok()
            .filter(|count| *count <= most)
            .ok_or(PackError::Damaged("more than there can be"))
    }

    pub(super) fn text(&mut self) -> Result<&'a str, PackError> {
        let length = self.count(self.rest.len())?;
        std::str::from_utf8(self.take(length)?).map_err(|_| PackError::Damaged("a text is no text"))
    }

    /// Checks that nothing is left.
    pub(super) fn end(&self) -> Result<(), PackError> {
        match self.rest {
            [] => Ok(()),
            _ => Err(PackError::Damaged("something is left over")),
        }
    }
}

/// A sum over bytes by which damage is seen. Not a seal: the journal is that.
///
/// Each step is one to one in the sum, so that any damage within one word of eight bytes changes
/// it; other damage goes unseen once in 2^64.
pub(super) fn check_sum(bytes: &[u8]) -> [u8; 8] {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut sum = SPREAD ^ u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(chunk) {
            *to = *from;
        }
        sum = (sum ^ u64::from_le_bytes(word)).wrapping_mul(SPREAD);
        sum ^= sum >> 32;
    }
    sum.to_le_bytes()
}
