//! The guard around the Modbus client: what comes out of it belongs to what was asked.
//!
//! The library leaves three traps open, each shown in `tests/traps.rs`:
//!
//! 1. RTU: an answer that comes after its time-out is taken for the answer to the next question,
//!    and every later answer is shifted by one. Here a question that got no clean answer leaves
//!    the line *dirty*: before the next one everything is thrown away until the line has been
//!    silent as long as the slowest answer takes. What comes later still meets either another
//!    unit's question, whose unit number it does not have, or *the same question* again: a unit
//!    that owes an answer is asked nothing else first, and is then left alone until the answers to
//!    all repetitions would have come (`units.rs`).
//! 2. TCP: after one time-out the transaction numbers stay out of step for ever. Here any error
//!    but a Modbus exception drops the connection.
//! 3. An answer of the wrong length is taken in release builds. Here lengths are compared, and on
//!    RTU an answer among other bytes is none.
//!
//! A call that is dropped half-way leaves the line as a time-out would.

use super::door::Door;
use super::question::{LineError, Question, RTU_EXCEPTION_BYTES};
use super::quiet::{DiscardError, Discarded, QuietLine};
use super::units::{SETTLE_MAX, SETTLE_MIN, Units};
use super::wire::{Dial, Wire, frame_gap};
use cems_protocols::modbus::{Answer, Exception};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use std::io;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_modbus::client::{Client, Context, rtu, tcp};
use tokio_modbus::slave::{Slave, SlaveContext};

/// How long a line may keep sending when it should be silent, before it is closed.
const BABBLE_MAX: Duration = Duration::from_secs(20);
/// Stray bytes around an RTU answer that are still taken for noise of drivers switching over; less
/// than the shortest frame, so no answer can hide in them.
pub(super) const NOISE_BYTES_MAX: usize = 4;
/// Notes kept until they are taken; beyond it the oldest are dropped (all are logged as well).
const NOTES_MAX: usize = 16;

/// How frames are wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFraming {
    /// Modbus TCP: a header with a transaction number.
    Tcp,
    /// Modbus RTU, on a serial port or through TCP: unit and CRC.
    Rtu,
    /// Text of a vendor, see `text.rs`.
    Text,
}

/// Timing of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineTiming {
    /// How long an answer may take, besides its time on the wire.
    pub timeout: Duration,
    /// Pause between an answer and the next question.
    pub pause_between_requests: Duration,
    /// Pause after the wire was opened; some converters need it.
    pub pause_after_connect: Duration,
}

/// Something on the line that nobody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineNote {
    /// What happened.
    pub what: SmolStr,
    /// The bytes that were thrown away.
    pub discarded: Discarded,
}

/// One wire, asked by one task.
pub struct Line {
    door: Door,
    framing: LineFraming,
    timing: LineTiming,
    open: Option<Open>,
    units: Units,
    asked_until: Option<Instant>,
    notes: Vec<LineNote>,
    /// What the last exchange carried, for the record.
    last: (Vec<u8>, Vec<u8>),
}

pub(super) struct Open {
    pub(super) quiet: QuietLine<Box<dyn Wire>>,
    client: Option<Context>,
    pub(super) dirty: Option<Dirty>,
    /// It has carried an answer.
    served: bool,
}

/// Why the line must fall silent before the next question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dirty {
    why: &'static str,
    unit: Option<u8>,
    asked_at: Instant,
}

impl Dirty {
    pub(super) fn asked(unit: u8) -> Self {
        Self {
            why: "an answer that came too late",
            unit: Some(unit),
            asked_at: Instant::now(),
        }
    }

    fn unasked() -> Self {
        Self {
            why: "nothing was asked",
            unit: None,
            asked_at: Instant::now(),
        }
    }
}

impl Line {
    /// A line that is opened when it is first asked.
    pub fn new(dial: Box<dyn Dial>, framing: LineFraming, timing: LineTiming) -> Self {
        Self {
            door: Door::new(dial),
            framing,
            timing,
            open: None,
            units: Units::default(),
            asked_until: None,
            notes: Vec::new(),
            last: Default::default(),
        }
    }

    /// Where it leads, for people.
    pub fn place(&self) -> String {
        self.door.place()
    }

    /// What was thrown away since the last call.
    pub fn take_notes(&mut self) -> Vec<LineNote> {
        std::mem::take(&mut self.notes)
    }

    /// Bytes of the last exchange: sent, received.
    pub fn last_exchange(&self) -> (&[u8], &[u8]) {
        (&self.last.0, &self.last.1)
    }

    /// Slowest answer of a unit so far; of any unit when this one never answered; `None` when none
    /// ever did.
    pub fn slowest_answer(&self, unit: u8) -> Option<Duration> {
        self.units.slowest(unit)
    }

    /// How long a question to a unit that does not answer can take in all, from asking to the
    /// silence after it.
    pub fn cost_of_silence(&self, unit: u8, patience: Duration) -> Duration {
        if self.framing == LineFraming::Tcp {
            return patience;
        }
        patience + self.settle_time(Some(unit))
    }

    /// Closes the wire; the next question opens it again.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// Changes the timing from the next question on.
    pub fn set_timing(&mut self, timing: LineTiming) {
        self.timing = timing;
    }

    /// Forgets the last exchange; says whether the wire has carried an answer.
    pub(super) fn begin(&mut self) -> bool {
        self.last = Default::default();
        self.open.as_ref().is_some_and(|open| open.served)
    }

    /// The wire deserves another attempt at once.
    pub(super) fn forgive(&mut self) {
        self.door.forgive();
    }

    pub(super) fn character(&self) -> Option<Duration> {
        self.door.character()
    }

    pub(super) fn opened(&mut self) -> Option<&mut Open> {
        self.open.as_mut()
    }

    /// Notes what the exchange that just ended carried; how long it took.
    pub(super) fn note_exchange(&mut self) -> Option<Duration> {
        let quiet = &self.open.as_ref()?.quiet;
        let (sent, received) = quiet.captured();
        let took = quiet.answer_time();
        self.last = (sent.bytes, received.bytes);
        took
    }

    /// Asks, with the patience of the line's timing.
    ///
    /// # Errors
    /// See [`LineError`]; the line sees to it that the next question is safe.
    pub async fn ask(&mut self, question: Question) -> Result<Answer, LineError> {
        self.ask_within(question, self.timing.timeout).await
    }

    /// Asks with a patience of its own, to see whether a silent device is back.
    ///
    /// # Errors
    /// As [`Line::ask`].
    pub async fn ask_within(
        &mut self,
        question: Question,
        patience: Duration,
    ) -> Result<Answer, LineError> {
        let reused = self.begin();
        match self.attempt(question, patience).await {
            // Many gateways close a connection that was idle for a while, some after every answer.
            Err(LineError::Lost(_)) if reused => {
                self.door.forgive();
                self.attempt(question, patience).await
            }
            other => other,
        }
    }

    async fn attempt(
        &mut self,
        question: Question,
        patience: Duration,
    ) -> Result<Answer, LineError> {
        self.ready().await?;
        if self.framing == LineFraming::Rtu {
            self.let_late_answers_pass(&question).await?;
            if let Some(owed) = self.units.owes(question.unit).filter(|q| *q != question) {
                match self.exchange(owed, patience).await {
                    Ok(_) | Err(LineError::Refused(_)) => {}
                    Err(error) => return Err(error),
                }
                self.let_late_answers_pass(&question).await?;
            }
        }
        self.exchange(question, patience).await
    }

    /// Waits until no answer but the one to this question can come from its unit.
    async fn let_late_answers_pass(&mut self, question: &Question) -> Result<(), LineError> {
        let held = self.units.held(question.unit, Instant::now());
        if let Some(left) = held.filter(|left| *left > self.timing.timeout.max(SETTLE_MIN)) {
            // Others are asked meanwhile.
            return Err(LineError::Held {
                wait_ms: left.as_millis(),
            });
        }
        let twice = self.units.alike_the_last(question).map(|at| {
            let silence = self.settle_time(Some(question.unit));
            silence.saturating_sub(at.elapsed())
        });
        if let Some(silence) = held.max(twice).filter(|silence| !silence.is_zero()) {
            self.settle(silence).await?;
            self.pause().await;
        }
        Ok(())
    }

    /// Opens the wire if need be, and waits until it may be used.
    pub(super) async fn ready(&mut self) -> Result<(), LineError> {
        let half_way = self.open.as_ref().is_some_and(|open| open.dirty.is_some());
        if self.framing == LineFraming::Tcp && half_way {
            // A call was dropped before its answer came.
            self.open = None;
        }
        self.opened_or_open().await?;
        if self.framing != LineFraming::Tcp {
            self.settle(frame_gap(self.door.character())).await?;
        }
        self.pause().await;
        Ok(())
    }

    /// Waits out the silence that trouble asks for, so that the next question need not.
    pub async fn calm(&mut self) {
        let dirty = self.open.as_ref().is_some_and(|open| open.dirty.is_some());
        if self.framing != LineFraming::Tcp && dirty {
            // What goes wrong now is met by the next question as well, and told there.
            let _ = self.settle(frame_gap(self.door.character())).await;
        }
    }

    /// The pause between requests.
    pub(super) async fn pause(&mut self) {
        if let Some(until) = self.asked_until {
            sleep_until(until + self.timing.pause_between_requests).await;
        }
    }

    pub(super) async fn opened_or_open(&mut self) -> Result<(), LineError> {
        if self.open.is_some() {
            return Ok(());
        }
        let wire = self.door.open(self.timing.timeout).await?;
        let quiet = QuietLine::new(wire);
        let client = self.client(&quiet);
        self.open = Some(Open {
            quiet,
            client,
            // Whoever used the line before us may have left a question open.
            dirty: (self.framing != LineFraming::Tcp).then(Dirty::unasked),
            served: false,
        });
        if !self.timing.pause_after_connect.is_zero() {
            tokio::time::sleep(self.timing.pause_after_connect).await;
        }
        Ok(())
    }

    fn client(&self, quiet: &QuietLine<Box<dyn Wire>>) -> Option<Context> {
        match self.framing {
            LineFraming::Tcp => Some(tcp::attach(quiet.clone())),
            LineFraming::Rtu => Some(rtu::attach(quiet.clone())),
            LineFraming::Text => None,
        }
    }

    /// The wire failed: close it; it is opened again after a pause.
    pub(super) fn failed(&mut self, cause: SmolStr) {
        self.open = None;
        self.door.failed(cause);
    }

    /// How long the line must be silent after trouble with a unit.
    fn settle_time(&self, unit: Option<u8>) -> Duration {
        let known = unit.and_then(|unit| self.units.slowest(unit));
        let slowest = match (known, self.framing) {
            // Text says neither whose it is nor what to.
            (Some(seen), LineFraming::Text) => self.timing.timeout.max(seen * 2),
            (Some(seen), _) => seen * 2,
            (None, _) => self.timing.timeout,
        };
        slowest
            .clamp(SETTLE_MIN, SETTLE_MAX)
            .max(frame_gap(self.door.character()))
    }

    /// How late an answer is reckoned with: twice the time-out, or twice the latest ever seen.
    fn late_window(&self, unit: u8) -> Duration {
        let seen = self.units.slowest(unit).unwrap_or_default();
        (self.timing.timeout.max(seen) * 2).min(SETTLE_MAX)
    }

    /// Waits for the silence that makes the next question safe: `least`, or more after trouble.
    async fn settle(&mut self, least: Duration) -> Result<(), LineError> {
        loop {
            let dirty = self.open.as_ref().and_then(|open| open.dirty);
            let silence = dirty.map_or(least, |dirty| self.settle_time(dirty.unit).max(least));
            let Some(open) = &mut self.open else {
                return Err(LineError::Lost(io::ErrorKind::NotConnected.into()));
            };
            match open.quiet.discard_until_silence(silence, BABBLE_MAX).await {
                Ok(discarded) => {
                    open.dirty = None;
                    if discarded.bytes == 0 {
                        return Ok(());
                    }
                    let unasked = dirty.is_none();
                    if unasked {
                        // Something comes although nothing was asked: who knows how much more.
                        open.dirty = Some(Dirty::unasked());
                    }
                    self.learn_from(dirty, discarded);
                    if !unasked {
                        return Ok(());
                    }
                }
                Err(DiscardError::Wire(error)) => {
                    self.failed(error.to_smolstr());
                    return Err(LineError::Lost(error));
                }
                Err(babble @ DiscardError::Babble { .. }) => {
                    let text = babble.to_smolstr();
                    self.failed(text.clone());
                    return Err(LineError::Babble(text));
                }
            }
        }
    }

    /// What came too late tells how late answers can be.
    fn learn_from(&mut self, dirty: Option<Dirty>, discarded: Discarded) {
        if let Some(dirty) = dirty
            && let (Some(unit), Some(last_at)) = (dirty.unit, discarded.last_at)
        {
            let late = last_at.saturating_duration_since(dirty.asked_at);
            self.units.took(unit, late);
        }
        let why = dirty.unwrap_or(Dirty::unasked()).why;
        self.note(why.into(), discarded);
    }

    fn note(&mut self, what: SmolStr, discarded: Discarded) {
        if self.notes.len() >= NOTES_MAX {
            self.notes.remove(0);
        }
        self.notes.push(LineNote { what, discarded });
    }

    /// One question and its answer on a line that is ready.
    async fn exchange(
        &mut self,
        question: Question,
        patience: Duration,
    ) -> Result<Answer, LineError> {
        let on_wire = self.time_on_wire(&question);
        if self.framing == LineFraming::Rtu {
            let window = self.late_window(question.unit);
            self.units.asked(question, window, Instant::now());
        }
        let Some((quiet, client, dirty)) = self
            .open
            .as_mut()
            .and_then(|open| Some((&open.quiet, open.client.as_mut()?, &mut open.dirty)))
        else {
            return Err(LineError::Lost(io::ErrorKind::NotConnected.into()));
        };
        // Set before anything is sent: it stays when this call is dropped.
        *dirty = Some(Dirty::asked(question.unit));
        quiet.begin();
        client.set_slave(Slave(question.unit));
        let called = timeout(patience + on_wire, client.call(question.request())).await;
        let (sent, received) = quiet.captured();
        let took = quiet.answer_time();
        let count = received.count;
        self.last = (sent.bytes, received.bytes);
        let answer = match called {
            Err(_) => Err(LineError::Timeout(patience)),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(Err(code))) => self
                .alone(RTU_EXCEPTION_BYTES, count)
                .and(Err(LineError::Refused(Exception(code.into())))),
            Ok(Ok(Ok(response))) => self
                .alone(question.rtu_answer_bytes(), count)
                .and_then(|()| question.answer(response)),
        };
        if matches!(answer, Ok(_) | Err(LineError::Refused(_))) {
            let window = self.late_window(question.unit);
            self.units.answered(question, window, Instant::now());
        }
        self.conclude(question.unit, answer.as_ref().err(), took);
        answer
    }

    /// On RTU an answer among other bytes is none: one of several answers may be anyone's.
    fn alone(&self, expected: usize, received: usize) -> Result<(), LineError> {
        let extra = received.saturating_sub(expected);
        if self.framing == LineFraming::Rtu && extra > NOISE_BYTES_MAX {
            return Err(LineError::Disorder(format_smolstr!(
                "{extra} bytes besides the answer"
            )));
        }
        Ok(())
    }

    /// Leaves the line so that the next question is safe.
    pub(super) fn conclude(&mut self, unit: u8, error: Option<&LineError>, took: Option<Duration>) {
        self.asked_until = Some(Instant::now());
        match error {
            None | Some(LineError::Refused(_)) => {
                self.door.forgive();
                if let Some(took) = took {
                    self.units.took(unit, took);
                }
                if let Some(open) = &mut self.open {
                    open.served = true;
                    open.dirty = None;
                }
            }
            Some(LineError::Lost(cause)) => self.failed(cause.to_smolstr()),
            Some(_) if self.framing == LineFraming::Tcp => self.open = None,
            // It stays dirty. The codec may sit in the middle of what it could not read.
            Some(_) => {
                let fresh = self.open.as_ref().and_then(|open| self.client(&open.quiet));
                if let Some(open) = &mut self.open {
                    open.client = fresh;
                }
            }
        }
    }

    /// How long question and answer take on the wire; the instrument is not to blame for it.
    fn time_on_wire(&self, question: &Question) -> Duration {
        const REQUEST_BYTES: usize = 8;
        let bytes = REQUEST_BYTES + question.rtu_answer_bytes();
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.door
            .character()
            .map_or(Duration::ZERO, |one| one.saturating_mul(bytes))
    }
}
