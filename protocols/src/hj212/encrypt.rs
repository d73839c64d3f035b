//! Recognising an encrypted data area (2025, SM4): nothing in the frame says that it is one.
//!
//! The cipher covers whole 16-byte blocks from the first byte of the data area; a last short
//! block stays clear. On the wire the blocks are raw bytes; some programs send the printed form
//! `{0xE4,0x3E,…}` of the standard literally. Deciphering needs the station's key:
//! [`super::sm4`].

use std::ops::Range;

use memchr::{memchr_iter, memmem};

use super::sm4::must_be_enciphered;

/// Bytes of one SM4 block.
pub(super) const BLOCK_BYTES: usize = 16;

/// Whether this data segment has a data area that can only be cipher text.
pub(super) fn looks_encrypted(segment: &[u8]) -> bool {
    let Some(place) = data_area(segment) else {
        return false;
    };
    let area = &segment[place.clone()];
    if opens_with_a_name(area) {
        return false;
    }
    if is_printed(area) {
        return true;
    }
    let blocks = area.len() / BLOCK_BYTES * BLOCK_BYTES;
    if blocks == 0 || !version_bits_are_2025(&segment[..place.start]) {
        return false;
    }
    // Clear text is printable but for Chinese log texts, which follow a name; 37 % of random bytes
    // are printable. Three quarters parts the two, also when the name was damaged.
    let printable = area[..blocks]
        .iter()
        .filter(|byte| (0x20..0x7F).contains(*byte))
        .count();
    printable * 4 < blocks * 3
}

/// Whether the data area is cipher text in its printed form.
pub(super) fn printed_area(segment: &[u8]) -> bool {
    data_area(segment).is_some_and(|place| is_printed(&segment[place]))
}

fn is_printed(area: &[u8]) -> bool {
    area.starts_with(b"{0x") || area.starts_with(b"{0X")
}

/// Shortest name of a field that is taken as a sign of clear text, characters: four of them and a
/// `=` open one cipher text in 45 000.
const NAME_CHARS_MIN: usize = 4;

/// Whether the area begins like every clear one: a field's name and `=`.
fn opens_with_a_name(area: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let name = area.iter().take_while(|byte| is_name(byte)).count();
    name >= NAME_CHARS_MIN && area.get(name) == Some(&b'=')
}

/// Index of the first `CP=&&`.
pub(super) fn opening(segment: &[u8]) -> Option<usize> {
    // Few frames have a `&` before it, so this is one quick search for a byte.
    memchr_iter(b'&', segment).find_map(|at| {
        let start = at.checked_sub(3)?;
        segment[start..].starts_with(b"CP=&&").then_some(start)
    })
}

/// Where the data area lies: behind the first `CP=&&`, up to the closing `&&` if there is one.
pub(super) fn data_area(segment: &[u8]) -> Option<Range<usize>> {
    let start = opening(segment)? + 5;
    let end = match segment[start..].strip_suffix(b"&&") {
        Some(area) => start + area.len(),
        None => segment.len(),
    };
    Some(start..end)
}

/// Whether the header (all before `CP=`) is one whose data area 2025 wants enciphered.
pub(super) fn must_be_cipher(header: &[u8]) -> bool {
    let cn = memmem::find(header, b"CN=").map(|at| &header[at + 3..]);
    let cn = cn
        .and_then(|rest| rest.get(..4))
        .and_then(|cn| std::str::from_utf8(cn).ok());
    cn.is_some_and(must_be_enciphered) && version_bits_are_2025(header)
}

/// Flag 8 to 11: version bits 2.
fn version_bits_are_2025(header: &[u8]) -> bool {
    let Some(at) = memmem::find(header, b"Flag=") else {
        return false;
    };
    let value = &header[at + 5..];
    let digits = value
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    matches!(&value[..digits], b"8" | b"9" | b"10" | b"11")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_text_is_not_taken_for_cipher_text() {
        assert!(!looks_encrypted(
            b"ST=31;CN=2011;Flag=9;CP=&&DataTime=20240520210600&&"
        ));
        // A Chinese log text, and one damaged byte.
        let log = "ST=31;CN=3020;Flag=9;CP=&&DataTime=20240520210600;i11001-Info=//清洗管路//&&";
        assert!(!looks_encrypted(log.as_bytes()));
        assert!(!looks_encrypted(
            b"ST=31;CN=2011;Flag=9;CP=&&DataT\xFFme=20240520210600&&"
        ));
    }

    #[test]
    fn a_log_that_is_nearly_all_chinese_is_clear_text() {
        let log = format!(
            "ST=31;CN=3020;Flag=9;CP=&&DataTime=20240520210600;i11001-Info=//{}//&&",
            "清洗管路更换滤芯".repeat(20)
        );
        assert!(!looks_encrypted(log.as_bytes()));
    }

    #[test]
    fn raw_blocks_and_the_printed_form_are_recognised() {
        let mut raw = b"ST=31;CN=2051;Flag=9;CP=&&".to_vec();
        raw.extend((0u8..32).map(|n| n.wrapping_mul(37).wrapping_add(0x83)));
        raw.extend(b"g=N&&");
        assert!(looks_encrypted(&raw));
        assert!(looks_encrypted(
            b"ST=31;CN=2051;Flag=9;CP=&&{0xE4,0x3E}g=N&&"
        ));
    }
}
