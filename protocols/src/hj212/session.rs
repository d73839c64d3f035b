//! One connection of a logger at the receiving side: framing plus timers plus a garbage budget,
//! without sockets and clocks. It never answers: the caller stores first, then sends [`answer`].
//!
//! [`answer`]: super::answer::answer

use super::fields::Message;
use super::frame::{Framer, Framing, Limits, RawFrame, Step, Wait};
use super::segment::parse;

/// Bounds of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionConfig {
    /// Bounds of the framer.
    pub limits: Limits,
    /// How long a frame (or bytes before one) may stay unfinished, from its first byte, ms.
    pub incomplete_ms: i64,
    /// How long to wait for CR LF behind a good check code, ms.
    pub line_end_ms: i64,
    /// How long a connection may be silent, ms.
    pub idle_ms: i64,
    /// Garbage bytes since the last frame with an end of its own before the connection is closed.
    pub garbage_bytes_max: usize,
}

impl Default for SessionConfig {
    /// 10 s for the rest of a frame (the standard's timeout on mobile networks), 100 ms for
    /// CR LF (one serial server's packing delay), 2 h of silence (real-time intervals go up to
    /// 1 h), 64 KiB of garbage.
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            incomplete_ms: 10_000,
            line_end_ms: 100,
            idle_ms: 7_200_000,
            garbage_bytes_max: 64 * 1024,
        }
    }
}

/// Why the session wants the connection closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// No byte for [`SessionConfig::idle_ms`].
    Idle,
    /// More than [`SessionConfig::garbage_bytes_max`] bytes without a frame.
    Garbage,
}

impl CloseReason {
    /// Stable name, for logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Garbage => "garbage",
        }
    }
}

/// What the caller is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every action is a frame, used at once"
)]
pub enum Action {
    /// A frame and what it says. Look at [`Message::crc`] before believing it.
    Frame(RawFrame, Message),
    /// Bytes that belong to no frame; line ends and blanks alone are harmless.
    Garbage(Vec<u8>),
    /// Close the connection. Nothing follows but what [`Session::on_close`] gives.
    Close(CloseReason),
}

/// State of one connection.
#[derive(Clone, Debug)]
pub struct Session {
    config: SessionConfig,
    framer: Framer,
    /// When the last byte came; `None` before the first call.
    last_byte_ms: Option<i64>,
    /// Since when the bytes at the head of the buffer wait.
    waiting_since_ms: Option<i64>,
    /// Since when only a line end is missing.
    line_end_since_ms: Option<i64>,
    garbage_bytes: usize,
    closed: bool,
}

impl Session {
    /// A connection that has just been accepted. Call [`Session::on_tick`] once to start the
    /// idle timer.
    #[must_use]
    pub fn new(config: SessionConfig) -> Self {
        Self {
            framer: Framer::new(config.limits),
            config,
            last_byte_ms: None,
            waiting_since_ms: None,
            line_end_since_ms: None,
            garbage_bytes: 0,
            closed: false,
        }
    }

    /// Bytes held that have not come out yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.framer.pending()
    }

    /// Bytes have arrived. After a [`Action::Close`] they are dropped.
    pub fn on_bytes(&mut self, now_ms: i64, bytes: &[u8]) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.closed || bytes.is_empty() {
            return actions;
        }
        self.last_byte_ms = Some(now_ms);
        self.framer.push(bytes);
        self.drain(now_ms, &mut actions);
        actions
    }

    /// Time has passed. Call it at [`Session::next_deadline_ms`]; earlier calls do no harm.
    pub fn on_tick(&mut self, now_ms: i64) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.closed {
            return actions;
        }
        let last_byte_ms = *self.last_byte_ms.get_or_insert(now_ms);
        if self
            .framer_deadline_ms()
            .is_some_and(|deadline| now_ms >= deadline)
        {
            // Only the head of the buffer has run out of time; what follows may be a frame.
            let step = self.framer.expire();
            self.restart_wait();
            self.take(step, &mut actions);
            self.drain(now_ms, &mut actions);
        }
        if !self.closed && now_ms >= last_byte_ms.saturating_add(self.config.idle_ms) {
            self.close(CloseReason::Idle, &mut actions);
        }
        actions
    }

    /// When [`Session::on_tick`] is next needed; `None` when no timer runs.
    #[must_use]
    pub fn next_deadline_ms(&self) -> Option<i64> {
        if self.closed {
            return None;
        }
        let idle = self
            .last_byte_ms
            .map(|last| last.saturating_add(self.config.idle_ms));
        [idle, self.framer_deadline_ms()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The peer has closed, or the caller is about to: gives what is left in the buffer.
    pub fn on_close(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        loop {
            match self.framer.expire() {
                Step::Incomplete => break,
                step => emit(step, &mut actions),
            }
        }
        self.closed = true;
        actions
    }

    fn framer_deadline_ms(&self) -> Option<i64> {
        let after = |since: Option<i64>, wait| since.map(|since: i64| since.saturating_add(wait));
        match self.framer.wait() {
            Wait::Nothing => None,
            Wait::Head | Wait::Body => after(self.waiting_since_ms, self.config.incomplete_ms),
            Wait::LineEnd => after(self.line_end_since_ms, self.config.line_end_ms),
        }
    }

    fn restart_wait(&mut self) {
        self.waiting_since_ms = None;
        self.line_end_since_ms = None;
    }

    fn drain(&mut self, now_ms: i64, actions: &mut Vec<Action>) {
        while !self.closed {
            match self.framer.next() {
                Step::Incomplete => break,
                step => {
                    self.restart_wait();
                    self.take(step, actions);
                }
            }
        }
        match self.framer.wait() {
            Wait::Nothing => self.restart_wait(),
            Wait::LineEnd => {
                self.line_end_since_ms.get_or_insert(now_ms);
                self.waiting_since_ms.get_or_insert(now_ms);
            }
            Wait::Head | Wait::Body => {
                self.waiting_since_ms.get_or_insert(now_ms);
            }
        }
    }

    /// Emits a step and closes when the garbage budget is spent.
    fn take(&mut self, step: Step, actions: &mut Vec<Action>) {
        match &step {
            Step::Incomplete => return,
            Step::Frame(frame) if frame.how == Framing::NoCrc => {
                self.garbage_bytes += frame.bytes.len();
            }
            Step::Frame(_) => self.garbage_bytes = 0,
            // Line ends and blanks between frames are a habit, not an attack.
            Step::Garbage(bytes) => {
                self.garbage_bytes += bytes
                    .iter()
                    .filter(|byte| !byte.is_ascii_whitespace())
                    .count();
            }
        }
        emit(step, actions);
        if self.garbage_bytes > self.config.garbage_bytes_max {
            self.close(CloseReason::Garbage, actions);
        }
    }

    fn close(&mut self, reason: CloseReason, actions: &mut Vec<Action>) {
        self.closed = true;
        actions.push(Action::Close(reason));
    }
}

fn emit(step: Step, actions: &mut Vec<Action>) {
    match step {
        Step::Frame(frame) => {
            let message = parse(&frame);
            actions.push(Action::Frame(frame, message));
        }
        Step::Garbage(bytes) => actions.push(Action::Garbage(bytes)),
        Step::Incomplete => {}
    }
}
