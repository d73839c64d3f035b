//! The little URL handling the pages need.

/// Percent-encodes everything but unreserved characters, for use in a path segment or query value.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `target` if it is a path on this console, else `/`: no redirect ever leaves the site.
pub(crate) fn local_or_root(target: &str) -> &str {
    let local = target.starts_with('/')
        && !target.starts_with("//")
        && !target.contains('\\')
        && target.chars().all(|c| !c.is_control());
    if local { target } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_stay_on_the_console() {
        for (given, used) in [
            ("/alarms?open=1", "/alarms?open=1"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/a\r\nSet-Cookie: x=1", "/"),
            ("", "/"),
        ] {
            assert_eq!(local_or_root(given), used, "{given:?}");
        }
    }

    #[test]
    fn encoding_leaves_nothing_that_could_end_a_value() {
        assert_eq!(encode("/a?b=c&d#e 烟"), "%2Fa%3Fb%3Dc%26d%23e%20%E7%83%9F");
    }
}
