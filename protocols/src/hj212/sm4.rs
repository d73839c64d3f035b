//! Encrypted data areas of HJ 212-2025: SM4, ECB, no padding.
//!
//! Second-hand: HJ 212-2025 as quoted publicly (its annex A examples and table of commands); what
//! rests on it is kept in this file and in [`super::encrypt`].
//!
//! The frame is made over the clear text first, check code and all; then every whole block of 16
//! bytes of the data area is enciphered and the last short block stays clear. So the check code
//! can be judged by the owner of the key only, and cipher text may hold `&&`, `##`, CR LF or NUL.

use std::fmt;

use sm4::Sm4;
use sm4::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use thiserror::Error;
use zeroize::Zeroizing;

use super::crc::{CrcVerdict, Running};
use super::encrypt::{BLOCK_BYTES, data_area, looks_encrypted};
use super::frame::RawFrame;
use super::head::{Look, head_at};

/// Bytes of an SM4 key.
const KEY_BYTES: usize = 16;

/// The key of one station. Never printed; its bytes are wiped when it is dropped.
#[derive(Clone)]
pub struct Sm4Key {
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    cipher: Sm4,
}

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Neither of the two forms. The text itself is a secret and is not repeated.
    #[error("an SM4 key is 32 hex digits or 16 printable ASCII characters, not {0} bytes of text")]
    Shape(usize),
}

impl Sm4Key {
    /// A key of these 16 bytes.
    #[must_use]
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self {
            cipher: Sm4::new(&Array(bytes)),
            bytes: Zeroizing::new(bytes),
        }
    }

    /// Reads a key as people and devices write it: 32 hex digits, or 16 printable ASCII
    /// characters that are the bytes themselves.
    ///
    /// # Errors
    /// Any other text; blanks around it count.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let wrong = KeyError::Shape(text.len());
        let mut bytes = Zeroizing::new([0u8; KEY_BYTES]);
        if text.len() == KEY_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            bytes.copy_from_slice(text.as_bytes());
        } else if text.len() == 2 * KEY_BYTES {
            for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
                *byte = hex_pair(pair).ok_or(wrong)?;
            }
        } else {
            return Err(wrong);
        }
        Ok(Self::new(*bytes))
    }

    /// The bytes of the key, for whoever seals it at rest. Never for a log.
    #[must_use]
    pub fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }

    fn encipher_blocks(&self, area: &mut [u8]) {
        for block in area.chunks_exact_mut(BLOCK_BYTES) {
            if let Ok(block) = block.try_into() {
                self.cipher.encrypt_block(block);
            }
        }
    }

    fn decipher_blocks(&self, area: &mut [u8]) {
        for block in area.chunks_exact_mut(BLOCK_BYTES) {
            if let Ok(block) = block.try_into() {
                self.cipher.decrypt_block(block);
            }
        }
    }
}

impl fmt::Debug for Sm4Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sm4Key(..)")
    }
}

impl PartialEq for Sm4Key {
    fn eq(&self, other: &Self) -> bool {
        // Looks at every byte, so that the time says nothing about where keys part.
        let differing = self
            .bytes
            .iter()
            .zip(other.bytes.iter())
            .fold(0, |sum, (a, b)| sum | (a ^ b));
        differing == 0
    }
}

impl Eq for Sm4Key {}

/// Whether a message with this command code must be enciphered on its way from device to centre
/// over the Internet: data (2000 to 2999), the key exchange 1014 and the field information 3020.
/// The others need not be; requests of a centre need not be.
#[must_use]
pub fn must_be_enciphered(cn: &str) -> bool {
    let is_code = cn.len() == 4 && cn.bytes().all(|byte| byte.is_ascii_digit());
    is_code && (cn.starts_with('2') || matches!(cn, "1014" | "3020"))
}

/// A frame opened with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deciphered {
    /// The data segment with its data area in clear text, closing `&&` included.
    pub segment: Vec<u8>,
    /// What the check code of the frame says of the clear text.
    pub crc: CrcVerdict,
    /// The cipher text came in the printed form `{0xE4,0x3E,…}` of the standard.
    pub printed: bool,
}

impl Deciphered {
    /// Whether this is the text that was sent: its check code agrees, and it reads like clear
    /// text (one wrong key in 256 passes the check code alone).
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.crc.is_known() && !looks_encrypted(&self.segment)
    }
}

/// Opens the data area of a frame, whether or not it looks enciphered: a short area cannot be told
/// from clear text by its look. `None` when there is no data area, or not one whole block.
#[must_use]
pub fn decipher(frame: &RawFrame, key: &Sm4Key) -> Option<Deciphered> {
    let bytes = frame.segment_bytes();
    let area = data_area(bytes)?;
    let (opened, printed) = match printed_blocks(&bytes[area.clone()]) {
        Some((mut cipher, tail)) => {
            key.decipher_blocks(&mut cipher);
            cipher.extend_from_slice(tail);
            (cipher, true)
        }
        None => {
            let mut cipher = bytes[area.clone()].to_vec();
            key.decipher_blocks(&mut cipher);
            (cipher, false)
        }
    };
    if opened.len() < BLOCK_BYTES {
        return None;
    }
    let segment = [&bytes[..area.start], &opened, &bytes[area.end..]].concat();
    Some(Deciphered {
        crc: Running::default().verdict(&segment, frame.crc_text.as_bytes()),
        segment,
        printed,
    })
}

/// Enciphers a whole clear frame as [`super::FrameBuilder`] makes it: raw blocks, length and check
/// code as they are. A data area of less than one block stays as it is. `None` when `frame` is not
/// a frame with the right length and a closed data area.
#[must_use]
pub fn encipher(frame: &[u8], key: &Sm4Key) -> Option<Vec<u8>> {
    let Look::Yes(head) = head_at(frame, 0, true) else {
        return None;
    };
    let segment = head.segment_start..head.segment_start + head.declared;
    let area = data_area(frame.get(segment.clone())?)?;
    if !frame[segment.clone()].ends_with(b"&&") {
        return None;
    }
    let mut out = frame.to_vec();
    key.encipher_blocks(&mut out[segment.start + area.start..segment.start + area.end]);
    Some(out)
}

/// The bytes of `{0xE4,0x3E,…}` and the clear tail behind it; `None` for any other text.
fn printed_blocks(area: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let inner = area.strip_prefix(b"{")?;
    let close = memchr::memchr(b'}', inner)?;
    let mut bytes = Vec::with_capacity(inner.len() / 5 + 1);
    for piece in inner[..close].split(|byte| *byte == b',') {
        let digits = match piece.trim_ascii() {
            [b'0', b'x' | b'X', digits @ ..] => digits,
            _ => return None,
        };
        bytes.push(hex_pair(digits)?);
    }
    Some((bytes, &inner[close + 1..]))
}

fn hex_pair(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let &[high, low] = pair else { return None };
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests;
