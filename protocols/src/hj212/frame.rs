//! Cutting a byte stream into frames: length first, check code as the judge, the delimiter
//! `&&` + code and the next `##` as fall-backs.
//!
//! The framer is an automaton over byte positions: every decision depends on the bytes seen and
//! their order only, never on how reads cut them. Each byte is looked at a bounded number of
//! times (a head is given up at the latest when a second head shows up behind it), so hostile
//! input costs no more than honest input.

use std::ops::Range;

use memchr::memchr;
use smol_str::SmolStr;

use super::crc::{CrcVerdict, judge};
use super::ends::{Body, End, Found};
use super::head::{Look, head_at, hex_run, line_end};

/// Bounds of the framer's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest data segment, bytes. A longer declared length is not believed, and a head with no
    /// end within this distance comes out as garbage.
    pub segment_bytes_max: usize,
    /// Longest run of garbage held, bytes: a stream without `##` is cut into pieces of this size.
    pub buffer_bytes_max: usize,
}

impl Default for Limits {
    /// 9999 bytes, the most the four-digit length field can say (the standard allows 1024, real
    /// devices send more), and 64 KiB of garbage.
    fn default() -> Self {
        Self {
            segment_bytes_max: 9999,
            buffer_bytes_max: 64 * 1024,
        }
    }
}

/// How the end of a frame was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framing {
    /// The declared length led to the check code.
    Length,
    /// By `&&` and a check code; the declared length is wrong.
    Delimiter,
    /// The last four characters before the end are taken as the check code.
    Last4,
    /// No check code at the end.
    NoCrc,
}

impl Framing {
    /// Stable name, for records and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Delimiter => "delimiter",
            Self::Last4 => "last4",
            Self::NoCrc => "no-crc",
        }
    }
}

/// One frame as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFrame {
    /// The exact bytes, from `##` to the line end if there is one.
    pub bytes: Vec<u8>,
    /// Where the data segment lies in `bytes`.
    pub segment: Range<usize>,
    /// The length the frame declares, bytes.
    pub declared_len: Option<u32>,
    /// Whether the declared length is the length of the segment.
    pub len_ok: bool,
    /// The check code as sent; empty when there is none.
    pub crc_text: SmolStr,
    /// What the check code says.
    pub crc: CrcVerdict,
    /// How the end was found.
    pub how: Framing,
}

impl RawFrame {
    /// The bytes of the data segment.
    #[must_use]
    pub fn segment_bytes(&self) -> &[u8] {
        self.bytes.get(self.segment.clone()).unwrap_or_default()
    }

    /// Whether the frame ends in CR LF as the standard asks.
    #[must_use]
    pub fn has_crlf(&self) -> bool {
        self.bytes.ends_with(b"\r\n")
    }
}

/// What one call of [`Framer::next`] gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing can be decided before more bytes come.
    Incomplete,
    /// A frame.
    Frame(RawFrame),
    /// Bytes that belong to no frame.
    Garbage(Vec<u8>),
}

/// What the framer waits for; tells the caller which timer applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The buffer is empty.
    Nothing,
    /// No head of a frame yet.
    Head,
    /// The rest of a frame.
    Body,
    /// Only the line end of a frame whose end is decided.
    LineEnd,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Hunt { scan: usize },
    Body(Body),
    LineEnd(Body, End),
}

/// Cuts a byte stream into frames. Every byte pushed comes out in exactly one [`Step::Frame`] or
/// [`Step::Garbage`], in order.
#[derive(Clone, Debug)]
pub struct Framer {
    limits: Limits,
    buf: Vec<u8>,
    /// Bytes of `buf` already given out.
    start: usize,
    state: State,
}

impl Default for Framer {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Framer {
    /// A framer with nothing in its buffer.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            buf: Vec::new(),
            start: 0,
            state: State::Hunt { scan: 0 },
        }
    }

    /// Takes bytes. Call [`Framer::next`] until it says [`Step::Incomplete`] before pushing again:
    /// then no more than the limits plus one push is ever held.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 && self.start * 2 >= self.buf.len() {
            self.buf.drain(..self.start);
            self.start = 0;
        }
        self.buf.extend_from_slice(bytes);
    }

    /// Bytes held that have not come out yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.buf.len() - self.start
    }

    /// What the framer waits for.
    #[must_use]
    pub fn wait(&self) -> Wait {
        match (self.pending(), &self.state) {
            (0, _) => Wait::Nothing,
            (_, State::Hunt { .. }) => Wait::Head,
            (_, State::Body(_)) => Wait::Body,
            (_, State::LineEnd(..)) => Wait::LineEnd,
        }
    }

    /// The next frame or run of garbage, or [`Step::Incomplete`].
    #[expect(
        clippy::should_implement_trait,
        reason = "Incomplete is not the end of the stream"
    )]
    pub fn next(&mut self) -> Step {
        self.step(false)
    }

    /// Stops waiting: gives what can be had of the head of the buffer, as if the stream ended
    /// here. For a declared length that did not fill in time, and for the end of a connection.
    /// Repeated calls empty the buffer; then [`Step::Incomplete`].
    pub fn expire(&mut self) -> Step {
        match self.step(false) {
            Step::Incomplete => self.step(true),
            step => step,
        }
    }

    fn step(&mut self, end: bool) -> Step {
        loop {
            match self.state {
                State::Hunt { scan } => {
                    if let Some(step) = self.hunt(scan, end) {
                        return step;
                    }
                }
                State::Body(mut body) => {
                    let found = body.search(&self.buf[self.start..], self.limits, end);
                    self.state = State::Body(body);
                    match found {
                        Found::More => return Step::Incomplete,
                        Found::End(at) => self.state = State::LineEnd(body, at),
                        Found::Cut(cut) | Found::Overlong(cut) => match (body.faint, found) {
                            (Some(at), _) => self.state = State::LineEnd(body, at),
                            (None, Found::Overlong(_)) => return self.garbage(cut),
                            (None, _) => return self.salvage(&body, cut),
                        },
                    }
                }
                State::LineEnd(body, at) => {
                    return match line_end(&self.buf[self.start..], at.crc_end, end) {
                        Look::Yes(frame_end) => self.frame(&body, at, frame_end),
                        Look::More | Look::No => Step::Incomplete,
                    };
                }
            }
        }
    }

    /// Looks for a head; `None` when one stands at the start and the state moved on.
    fn hunt(&mut self, mut scan: usize, end: bool) -> Option<Step> {
        let view = &self.buf[self.start..];
        let garbage_max = self.limits.buffer_bytes_max.max(1);
        let head = loop {
            let Some(offset) = memchr(b'#', &view[scan..]) else {
                scan = view.len();
                break Look::More;
            };
            scan += offset;
            match head_at(view, scan, end) {
                Look::No => scan += 1,
                look => break look,
            }
        };
        if let (Look::Yes(head), 0) = (head, scan) {
            self.state = State::Body(Body::new(head, self.limits));
            return None;
        }
        self.state = State::Hunt { scan };
        let garbage = match head {
            Look::Yes(_) => scan.min(garbage_max),
            _ if scan >= garbage_max => garbage_max,
            _ if end => view.len().min(garbage_max),
            _ => 0,
        };
        if garbage == 0 {
            return Some(Step::Incomplete);
        }
        let rest = scan.saturating_sub(garbage);
        let step = self.garbage(garbage);
        self.state = State::Hunt { scan: rest };
        Some(step)
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let bytes = self.buf[self.start..self.start + count].to_vec();
        self.start += count;
        if self.start == self.buf.len() {
            self.buf.clear();
            self.start = 0;
        }
        self.state = State::Hunt { scan: 0 };
        bytes
    }

    fn garbage(&mut self, count: usize) -> Step {
        Step::Garbage(self.take(count))
    }

    fn frame(&mut self, body: &Body, at: End, frame_end: usize) -> Step {
        let bytes = self.take(frame_end);
        let length = at.segment_end - body.segment_start;
        let how = if at.crc_start == at.crc_end {
            Framing::NoCrc
        } else if length == body.declared {
            Framing::Length
        } else {
            Framing::Delimiter
        };
        Step::Frame(raw_frame(bytes, body, at, how))
    }

    /// A head without an end of its own, up to the index `cut`.
    fn salvage(&mut self, body: &Body, cut: usize) -> Step {
        let bytes = self.take(cut);
        let blank = |byte: &u8| matches!(byte, b'\r' | b'\n' | b' ' | b'\t');
        let text_end = bytes
            .iter()
            .rposition(|byte| !blank(byte))
            .map_or(0, |last| last + 1);
        if !bytes.contains(&b'=') || text_end <= body.segment_start {
            return Step::Garbage(bytes);
        }
        let crc_start = text_end.saturating_sub(4).max(body.segment_start);
        let is_code = hex_run(&bytes[..text_end], crc_start, true) == Look::Yes(4);
        let (segment_end, how) = if is_code {
            (crc_start, Framing::Last4)
        } else {
            (text_end, Framing::NoCrc)
        };
        let at = End {
            segment_end,
            crc_start: segment_end,
            crc_end: text_end,
        };
        Step::Frame(raw_frame(bytes, body, at, how))
    }
}

fn raw_frame(bytes: Vec<u8>, body: &Body, at: End, how: Framing) -> RawFrame {
    let segment = body.segment_start..at.segment_end;
    let crc_text = &bytes[at.crc_start..at.crc_end];
    RawFrame {
        declared_len: u32::try_from(body.declared).ok(),
        len_ok: segment.len() == body.declared,
        crc_text: SmolStr::new(String::from_utf8_lossy(crc_text)),
        crc: judge(&bytes[segment.clone()], crc_text),
        segment,
        how,
        bytes,
    }
}
