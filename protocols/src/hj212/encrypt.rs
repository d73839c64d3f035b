//! Recognising an encrypted data area (2025, SM4): nothing in the frame says that it is one.
//!
//! The cipher covers whole 16-byte blocks from the first byte of the data area; a last short
//! block stays clear. On the wire the blocks are raw bytes; some programs send the printed form
//! `{0xE4,0x3E,…}` of the standard literally. Deciphering needs the station's key and is not
//! done here.

use memchr::memmem;

/// Bytes of one SM4 block.
const BLOCK_BYTES: usize = 16;

/// Whether this data segment has a data area that can only be cipher text.
pub(super) fn looks_encrypted(segment: &[u8]) -> bool {
    let Some(opening) = memmem::find(segment, b"CP=&&") else {
        return false;
    };
    let area = &segment[opening + 5..];
    let area = area.strip_suffix(b"&&").unwrap_or(area);
    if area.starts_with(b"{0x") || area.starts_with(b"{0X") {
        return true;
    }
    let blocks = area.len() / BLOCK_BYTES * BLOCK_BYTES;
    if blocks == 0 || !version_bits_are_2025(&segment[..opening]) {
        return false;
    }
    // Clear text is printable but for a Chinese log text, which never fills most of the area;
    // 37 % of random bytes are printable. Three quarters parts the two.
    let printable = area[..blocks]
        .iter()
        .filter(|byte| (0x20..0x7F).contains(*byte))
        .count();
    printable * 4 < blocks * 3
}

/// Flag 8 to 11: version bits 2.
fn version_bits_are_2025(header: &[u8]) -> bool {
    let Some(at) = memmem::find(header, b"Flag=") else {
        return false;
    };
    let digits: Vec<u8> = header[at + 5..]
        .iter()
        .copied()
        .take_while(u8::is_ascii_digit)
        .take(4)
        .collect();
    matches!(digits.as_slice(), b"8" | b"9" | b"10" | b"11")
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
