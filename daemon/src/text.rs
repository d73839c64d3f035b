//! Small text forms that no crate of the table offers by itself.

use std::fmt::Write as _;

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string cannot fail");
            text
        })
}

/// Bytes of hexadecimal digits; `None` when they are odd in number or not hexadecimal.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()
        })
        .collect()
}

/// The beginning of `bytes` as printable text for pages and logs: control characters escaped,
/// bytes that are not UTF-8 shown as `\xNN`, never longer than about `max` characters.
pub fn excerpt(bytes: &[u8], max: usize) -> String {
    let mut text = String::new();
    for chunk in bytes[..bytes.len().min(max)].utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() || c == '\\' {
                text.extend(c.escape_default());
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            write!(text, "\\x{byte:02x}").expect("writing to a string cannot fail");
        }
    }
    if bytes.len() > max {
        text.push('…');
    }
    text
}

/// An error with its causes, which is where the reason of a failed connection stands.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut out = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !out.contains(&text) {
            out.push_str(": ");
            out.push_str(&text);
        }
        cause = error.source();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_there_and_back() {
        assert_eq!(hex(&[0, 0xAB, 255]), "00abff");
        assert_eq!(unhex("00aBff"), Some(vec![0, 0xAB, 255]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("0g"), None);
        assert_eq!(unhex("+1"), None);
    }

    #[test]
    fn excerpts_are_printable_and_bounded() {
        assert_eq!(excerpt(b"##\r\n\x1b[31m", 99), "##\\r\\n\\u{1b}[31m");
        assert_eq!(excerpt("烟尘\u{7f}".as_bytes(), 99), "烟尘\\u{7f}");
        assert_eq!(excerpt(&[0x31, 0xFF], 99), "1\\xff");
        assert_eq!(excerpt(b"12345", 3), "123…");
        assert_eq!(excerpt("烟尘".as_bytes(), 4), "烟\\xe5…");
    }
}
