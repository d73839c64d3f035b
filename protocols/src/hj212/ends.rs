//! The search for the end of one frame: declared length, check code, delimiter, next head.

use memchr::memchr2;

use super::crc::{CrcVerdict, Running};
use super::encrypt::{BLOCK_BYTES, looks_encrypted, must_be_cipher};
use super::frame::Limits;
use super::head::{Head, Look, head_at, hex_run, skip_blanks, terminator_at};

/// Room after the longest segment for blanks, check code and line end.
const TRAILER_BYTES_MAX: usize = 8;

/// End of a frame: where the segment stops and the check code stands (relative to the head).
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) segment_end: usize,
    pub(super) crc_start: usize,
    pub(super) crc_end: usize,
}

/// Where the search for the end of a frame stands; indices are relative to the frame's head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body {
    pub(super) segment_start: usize,
    pub(super) declared: usize,
    /// The declared end may still prove right.
    length_open: bool,
    /// Everything before this index has been looked at.
    scan: usize,
    /// Both check registers over a prefix of the segment.
    crc: Running,
    /// First `&&` + code + terminator whose code is bad.
    weak: Option<End>,
    /// First `&&` + code with neither a good code nor a terminator, behind the opening `CP=&&`, or
    /// `&&` without a code at the declared end: better than no end at all.
    pub(super) faint: Option<End>,
    /// First head seen inside.
    inner: Option<usize>,
    /// The first `CP=&&` was seen.
    opened: bool,
    /// The data area, if the header lets it be cipher text.
    cipher: Option<Cipher>,
}

/// A data area that may be cipher text (2025). Nothing in it is a mark: `&&`, a right code and
/// heads are there by chance, so the declared end is asked first.
#[derive(Clone, Copy, Debug)]
struct Cipher {
    start: usize,
    /// Everything before this index has been looked at.
    scan: usize,
    /// A byte was seen that clear text seldom has.
    unprintable: bool,
}

/// What the search for an end decided.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found {
    More,
    End(End),
    /// Cut before this index: the frame has no end of its own.
    Cut(usize),
    /// No end within the limit: these bytes are no frame.
    Overlong(usize),
}

impl Body {
    pub(super) fn new(head: Head, limits: Limits) -> Self {
        Self {
            segment_start: head.segment_start,
            declared: head.declared,
            length_open: head.declared <= limits.segment_bytes_max,
            scan: head.segment_start,
            crc: Running::default(),
            weak: None,
            faint: None,
            inner: None,
            opened: false,
            cipher: None,
        }
    }

    /// Moves through the bytes in order and stops at the first decision.
    pub(super) fn search(&mut self, view: &[u8], limits: Limits, end: bool) -> Found {
        let declared_end = self.segment_start + self.declared;
        let overlong = self.segment_start + limits.segment_bytes_max + TRAILER_BYTES_MAX;
        loop {
            let stop = if self.length_open {
                declared_end
            } else {
                overlong
            };
            let limit = stop.min(view.len()).max(self.scan);
            if let Some(offset) = memchr2(b'&', b'#', &view[self.scan..limit]) {
                let at = self.scan + offset;
                self.scan = at;
                let found = if view[at] == b'&' {
                    self.delimiter(view, at, end)
                } else {
                    self.inner_head(view, at, end)
                };
                match found {
                    Some(found) => return found,
                    None => self.scan = at + 1,
                }
                continue;
            }
            self.scan = limit;
            if limit < stop && !end {
                return Found::More;
            }
            if self.length_open {
                let look = if limit < stop {
                    Look::No
                } else {
                    self.at_declared_end(view, stop, end)
                };
                match look {
                    Look::Yes(at) => return Found::End(at),
                    Look::More => return Found::More,
                    Look::No => self.length_open = false,
                }
                match (self.weak, self.inner) {
                    (Some(at), _) => return Found::End(at),
                    (None, Some(cut)) => return Found::Cut(cut),
                    (None, None) => {}
                }
            } else if limit < stop {
                return Found::Cut(view.len());
            } else {
                return Found::Overlong(limit);
            }
        }
    }

    /// A `&` at `at`: the end of the frame, if a check code follows `&&`.
    fn delimiter(&mut self, view: &[u8], at: usize, end: bool) -> Option<Found> {
        let more = if end { None } else { Some(Found::More) };
        match view.get(at + 1) {
            Some(b'&') => {}
            Some(_) => return None,
            None => return more,
        }
        let segment_end = at + 2;
        let before = &view[self.segment_start..at];
        if !self.opened && before.ends_with(b"CP=") {
            self.opened = true;
            if must_be_cipher(before) {
                self.cipher = Some(Cipher {
                    start: segment_end,
                    scan: segment_end,
                    unprintable: false,
                });
            }
        }
        let crc_start = skip_blanks(view, segment_end);
        let count = match hex_run(view, crc_start, end) {
            Look::Yes(count) => count,
            Look::No => return None,
            Look::More => return more,
        };
        let found = End {
            segment_end,
            crc_start,
            crc_end: crc_start + count,
        };
        let terminator = terminator_at(view, found.crc_end, end);
        match terminator {
            Look::More if count < 4 => return more,
            // `&&Da…`: a data area opens, no need to judge its first letters as a code.
            Look::No if count < 4 => return None,
            _ => {}
        }
        let good = self.verdict(view, found).is_known();
        let by_chance = self.length_open
            && segment_end < self.segment_start + self.declared
            && self.in_cipher(view, at);
        if good && count == 4 && !by_chance {
            return Some(Found::End(found));
        }
        match terminator {
            Look::More => return more,
            Look::Yes(()) if (good && !by_chance) || !self.length_open => {
                return Some(Found::End(found));
            }
            Look::Yes(()) | Look::No => {}
        }
        // Behind another head the delimiters are that frame's, and the declared end judges its
        // own code; what is left is kept for when the declared end fails.
        let own = self.inner.is_none() && segment_end != self.segment_start + self.declared;
        if own && terminator == Look::Yes(()) {
            self.weak.get_or_insert(found);
        } else if self.inner.is_none() && count == 4 && !view[..at].ends_with(b"CP=") {
            self.faint.get_or_insert(found);
        }
        None
    }

    /// A `#` at `at`: perhaps the head of the next frame, which this one must not swallow.
    fn inner_head(&mut self, view: &[u8], at: usize, end: bool) -> Option<Found> {
        match head_at(view, at, end) {
            Look::No => return None,
            Look::More => return Some(Found::More),
            Look::Yes(_) => {}
        }
        if self.length_open && self.in_cipher(view, at) {
            self.inner.get_or_insert(at);
            return None;
        }
        match (self.weak, self.inner) {
            (Some(weak), _) => Some(Found::End(weak)),
            (None, Some(first)) => Some(Found::Cut(first)),
            (None, None) if !self.length_open => Some(Found::Cut(at)),
            (None, None) => {
                self.inner = Some(at);
                None
            }
        }
    }

    /// Whether what stands at `at` may be cipher text: the header wants it, and the area so far
    /// is too short to tell or has bytes that clear text seldom has.
    fn in_cipher(&mut self, view: &[u8], at: usize) -> bool {
        let Some(cipher) = &mut self.cipher else {
            return false;
        };
        let printable = |byte: &u8| (0x20..0x7F).contains(byte);
        if !cipher.unprintable && at > cipher.scan {
            cipher.unprintable = !view[cipher.scan..at].iter().all(printable);
            cipher.scan = at;
        }
        cipher.unprintable || at < cipher.start + BLOCK_BYTES
    }

    /// Whether a believable check code stands where the declared length says.
    fn at_declared_end(&mut self, view: &[u8], at: usize, end: bool) -> Look<End> {
        let count = match hex_run(view, at, end) {
            Look::Yes(count) => count,
            Look::No => {
                self.keep_end_without_code(view, at);
                return Look::No;
            }
            Look::More => return Look::More,
        };
        let found = End {
            segment_end: at,
            crc_start: at,
            crc_end: at + count,
        };
        let good = self.verdict(view, found).is_known();
        let segment = &view[self.segment_start..at];
        if self.inner.is_some() && !segment.ends_with(b"&&") {
            // Four digits inside the next frame: one code in 256 is right by chance.
            return Look::No;
        }
        if count == 4 && (good || (segment.ends_with(b"&&") && looks_encrypted(segment))) {
            return Look::Yes(found);
        }
        let other_end = self.weak.is_some() || self.inner.is_some();
        if !good && (other_end || count < 4) {
            return Look::No;
        }
        match terminator_at(view, found.crc_end, end) {
            Look::Yes(()) => Look::Yes(found),
            Look::No => Look::No,
            Look::More => Look::More,
        }
    }

    /// A data area that closes right at the declared end and has no check code behind it.
    fn keep_end_without_code(&mut self, view: &[u8], at: usize) {
        let segment = &view[self.segment_start..at];
        if self.inner.is_none() && segment.ends_with(b"&&") && !segment.ends_with(b"CP=&&") {
            self.faint.get_or_insert(End {
                segment_end: at,
                crc_start: at,
                crc_end: at,
            });
        }
    }

    fn verdict(&mut self, view: &[u8], at: End) -> CrcVerdict {
        let segment = &view[self.segment_start..at.segment_end];
        self.crc.verdict(segment, &view[at.crc_start..at.crc_end])
    }
}
