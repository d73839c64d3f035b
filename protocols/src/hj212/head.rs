//! Small looks at bytes that may not all be there yet.

/// Answer of a look ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look<T> {
    /// The bytes seen decide: yes.
    Yes(T),
    /// The bytes seen decide: no.
    No,
    /// The answer is in bytes that have not arrived.
    More,
}

/// Blanks forgiven between `##` and the length, and between `&&` and the check code.
const BLANKS_MAX: usize = 2;

/// Head of a frame found in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Index of the first byte of the data segment.
    pub(super) segment_start: usize,
    /// The length the frame declares, bytes.
    pub(super) declared: usize,
}

/// Whether a head (`##`, 1 to 4 digits, a letter) stands at `at`. `end`: nothing will follow.
pub(super) fn head_at(bytes: &[u8], at: usize, end: bool) -> Look<Head> {
    let none = if end { Look::No } else { Look::More };
    for offset in 0..2 {
        match bytes.get(at + offset) {
            Some(b'#') => {}
            Some(_) => return Look::No,
            None => return none,
        }
    }
    let mut next = at + 2;
    while next < at + 2 + BLANKS_MAX && bytes.get(next) == Some(&b' ') {
        next += 1;
    }
    let mut declared = 0usize;
    let digits_start = next;
    loop {
        match bytes.get(next) {
            Some(digit @ b'0'..=b'9') if next < digits_start + 4 => {
                declared = declared * 10 + usize::from(digit - b'0');
                next += 1;
            }
            Some(letter) if letter.is_ascii_alphabetic() && next > digits_start => {
                return Look::Yes(Head {
                    segment_start: next,
                    declared,
                });
            }
            Some(_) => return Look::No,
            None => return none,
        }
    }
}

/// Number of hex digits (1 to 4) that stand at `at`.
pub(super) fn hex_run(bytes: &[u8], at: usize, end: bool) -> Look<usize> {
    for count in 0..4 {
        match bytes.get(at + count) {
            Some(byte) if byte.is_ascii_hexdigit() => {}
            Some(_) if count == 0 => return Look::No,
            Some(_) => return Look::Yes(count),
            None if !end => return Look::More,
            None if count == 0 => return Look::No,
            None => return Look::Yes(count),
        }
    }
    Look::Yes(4)
}

/// First index at or after `at` that holds no forgiven blank.
pub(super) fn skip_blanks(bytes: &[u8], at: usize) -> usize {
    (at..at + BLANKS_MAX)
        .find(|&index| bytes.get(index) != Some(&b' '))
        .unwrap_or(at + BLANKS_MAX)
}

/// Whether a frame may end before `at`: CR, LF, the next `##`, or the end of the stream.
pub(super) fn terminator_at(bytes: &[u8], at: usize, end: bool) -> Look<()> {
    match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b'\r' | b'\n'), _) | (Some(b'#'), Some(b'#')) => Look::Yes(()),
        (None, _) if end => Look::Yes(()),
        (None, _) => Look::More,
        (Some(b'#'), None) if !end => Look::More,
        _ => Look::No,
    }
}

/// Index after the line end that stands at `at`: CR LF, CR or LF alone, or nothing.
pub(super) fn line_end(bytes: &[u8], at: usize, end: bool) -> Look<usize> {
    match bytes.get(at) {
        Some(b'\n') => Look::Yes(at + 1),
        Some(b'\r') => match bytes.get(at + 1) {
            Some(b'\n') => Look::Yes(at + 2),
            None if !end => Look::More,
            _ => Look::Yes(at + 1),
        },
        None if !end => Look::More,
        _ => Look::Yes(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_needs_digits_and_a_letter() {
        let yes = |text: &str| matches!(head_at(text.as_bytes(), 0, false), Look::Yes(_));
        assert!(yes("##0101QN="));
        assert!(yes("##81QN="));
        assert!(yes("## 0101QN="));
        for no in [
            "##QN=",
            "##12345QN=",
            "###0101QN=",
            "#0101QN=",
            "##01;",
            "GET /",
        ] {
            assert_eq!(head_at(no.as_bytes(), 0, false), Look::No, "{no}");
        }
        for more in ["#", "##", "## ", "##01", "##0101"] {
            assert_eq!(head_at(more.as_bytes(), 0, false), Look::More, "{more}");
            assert_eq!(head_at(more.as_bytes(), 0, true), Look::No, "{more}");
        }
    }

    #[test]
    fn line_ends_wait_for_their_second_half() {
        assert_eq!(line_end(b"\r\n", 0, false), Look::Yes(2));
        assert_eq!(line_end(b"\r", 0, false), Look::More);
        assert_eq!(line_end(b"\r", 0, true), Look::Yes(1));
        assert_eq!(line_end(b"##", 0, false), Look::Yes(0));
    }
}
