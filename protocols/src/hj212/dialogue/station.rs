//! The logger's side of one connection: uploads until they are acknowledged, requests until they
//! are executed.

mod line;
mod replies;
mod requests;

use std::collections::VecDeque;

use smol_str::SmolStr;
use thiserror::Error;

use super::super::build::{BuildError, BuildOptions, FrameBuilder};
use super::super::content::{AnswerKind, Content, content, text};
use super::super::crc::AcceptCrc;
use super::super::edition::Edition;
use super::super::fields::Message;
use super::super::request::Request;
use super::qn::{BEIJING_MIN, QnSource};
use super::settings::Settings;
use line::{Line, Outgoing, Owner};
use requests::{Open, Past};

/// Most frames that wait to be sent; more are refused with [`UploadError::Full`]. One upload is a
/// few frames, and [`Station::ready_for_more`] asks for them one at a time.
const PENDING_MAX: usize = 256;

/// What the logger is, and the envelope its centre wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StationConfig {
    /// Edition spoken.
    pub edition: Edition,
    /// Device number.
    pub mn: SmolStr,
    /// System code (`31`, `32`), of frames of its own.
    pub st: SmolStr,
    /// Frames that may wait for an acknowledgement at a time; the standard has one.
    pub window: usize,
    /// Silence after which a heartbeat goes out, ms; 2025 only, others have none.
    pub heartbeat_ms: Option<i64>,
    /// Zone of request numbers and of the clock, minutes ahead of UTC.
    pub utc_offset_min: i32,
    /// Envelope of its frames.
    pub build: BuildOptions,
    /// Check codes of the centre that are believed. Acknowledgements are believed without.
    pub accept: AcceptCrc,
    /// Commands that set something the caller may refuse: they come out as
    /// [`StationOutput::Asked`] and are not applied. Notices cannot be refused.
    pub ask_first: &'static [&'static str],
}

impl StationConfig {
    /// A logger by the standard: one frame at a time, Beijing time; in 2025 a heartbeat after a
    /// minute of silence.
    #[must_use]
    pub fn new(edition: Edition, st: &str, mn: &str) -> Self {
        Self {
            edition,
            mn: SmolStr::new(mn),
            st: SmolStr::new(st),
            window: 1,
            heartbeat_ms: (edition == Edition::V2025).then_some(60_000),
            utc_offset_min: BEIJING_MIN,
            build: BuildOptions::default(),
            accept: AcceptCrc::STANDARD,
            ask_first: &[],
        }
    }
}

/// Names a request under execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(u64);

/// What the caller is to do or to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StationOutput {
    /// Send this frame.
    Send {
        /// Its command code.
        cn: SmolStr,
        /// The frame in clear text, with line end.
        bytes: Vec<u8>,
    },
    /// An upload is through: every frame of it was sent and, where it asks for an answer,
    /// acknowledged.
    Uploaded {
        /// The upload.
        key: u64,
        /// How the centre acknowledged it: with 9014, or with 9013 as some do; `None` when it asked
        /// for no answer.
        answer: Option<AnswerKind>,
    },
    /// Frames of an upload went out once more: no acknowledgement within the time-out.
    SentAgain {
        /// The upload.
        key: u64,
    },
    /// An upload was not acknowledged after all retries, or the connection ended first. Keep it
    /// and connect anew.
    Lost {
        /// The upload.
        key: u64,
    },
    /// A heartbeat was not answered after all retries. Many centres answer none: the caller
    /// decides what it means.
    HeartbeatUnanswered,
    /// The centre wants this done: call [`Station::accept`] or [`Station::refuse`], then
    /// [`Station::data`] and [`Station::finish`].
    Asked {
        /// Names it from now on.
        token: Token,
        /// What.
        request: Request,
    },
    /// A request asked for is void: the connection ended, its data were not acknowledged, or it
    /// took longer than an hour.
    Void {
        /// Which.
        token: Token,
    },
    /// The centre changed a setting; [`Station::settings`] has it, keep it.
    SettingsChanged {
        /// By this request; it has been answered.
        request: Request,
    },
    /// A request was refused.
    Refused {
        /// Command code.
        cn: SmolStr,
        /// `QnRtn` that was sent (3 password, 4 device number, 8 command, 9 check code); 5 stands
        /// for `ExeRtn=5`, busy, when `busy` is set.
        result: u32,
        /// Accepted, but too many are under execution.
        busy: bool,
    },
}

/// Why an upload was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UploadError {
    /// It makes no frame.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// Too many frames wait.
    #[error("{PENDING_MAX} frames wait to be acknowledged; ask ready_for_more first")]
    Full,
    /// No request is known by this token.
    #[error("the request is void or finished; drop what belongs to it")]
    Void,
}

/// The logger's side of one connection with one centre. Keep it over reconnections: it remembers
/// the settings and which requests were executed.
#[derive(Clone, Debug)]
pub struct Station {
    config: StationConfig,
    settings: Settings,
    qns: QnSource,
    line: Line,
    open: Vec<Open>,
    past: VecDeque<Past>,
    next_token: u64,
    /// When the last frame went out.
    sent_ms: Option<i64>,
}

impl Station {
    /// A logger before its first connection.
    #[must_use]
    pub fn new(config: StationConfig, settings: Settings) -> Self {
        Self {
            qns: QnSource::new(config.utc_offset_min),
            line: Line::default(),
            open: Vec::new(),
            past: VecDeque::new(),
            next_token: 1,
            sent_ms: None,
            config,
            settings,
        }
    }

    /// What the logger is.
    #[must_use]
    pub fn config(&self) -> &StationConfig {
        &self.config
    }

    /// What the centre may set.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes settings from this side.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Whether another upload could be sent at once: hand in the most urgent one now (live before
    /// history).
    #[must_use]
    pub fn ready_for_more(&self) -> bool {
        self.line.is_ready(self.config.window)
    }

    /// Sends an upload or a notice (1001, 1013, 1014, 2072, …), split when it is long. QN,
    /// password and device number are filled in here; the builder says whether an answer is
    /// wanted.
    ///
    /// # Errors
    /// [`UploadError::Build`] and [`UploadError::Full`]; nothing was taken then.
    pub fn upload(
        &mut self,
        now_ms: i64,
        key: u64,
        frame: FrameBuilder,
    ) -> Result<Vec<StationOutput>, UploadError> {
        let frames = self.frames(now_ms, Owner::Upload(key), frame)?;
        self.line.extend(frames)?;
        let mut outputs = Vec::new();
        self.pump(now_ms, &mut outputs);
        Ok(outputs)
    }

    /// A message of the centre has come.
    pub fn on_message(&mut self, now_ms: i64, msg: &Message) -> Vec<StationOutput> {
        let mut outputs = Vec::new();
        match content(msg) {
            Content::Answer {
                kind: kind @ (AnswerKind::Notice | AnswerKind::Data),
                qn,
                ..
            } => self.confirmed(
                kind,
                qn.as_deref(),
                text(msg, "CN").as_deref(),
                &mut outputs,
            ),
            Content::Answer { .. } | Content::Heartbeat => {}
            _ => self.asked(now_ms, msg, &mut outputs),
        }
        self.pump(now_ms, &mut outputs);
        outputs
    }

    /// Time has passed. Call it at [`Station::next_deadline_ms`]; earlier calls do no harm.
    pub fn on_tick(&mut self, now_ms: i64) -> Vec<StationOutput> {
        let mut outputs = Vec::new();
        let over_time_ms = self.over_time_ms();
        for frame in self
            .line
            .overdue(now_ms, over_time_ms, self.settings.re_count)
        {
            match frame {
                line::Overdue::Again { owner, cn, bytes } => {
                    self.send(now_ms, cn, bytes, &mut outputs);
                    if let Owner::Upload(key) = owner {
                        outputs.push(StationOutput::SentAgain { key });
                    }
                }
                line::Overdue::Lost(owner) => self.lost(now_ms, owner, &mut outputs),
            }
        }
        self.expire_requests(now_ms, &mut outputs);
        if self.heartbeat_at_ms().is_some_and(|at| now_ms >= at) {
            self.heartbeat(now_ms);
        }
        self.pump(now_ms, &mut outputs);
        outputs
    }

    /// When [`Station::on_tick`] is next needed; `None` when no timer runs.
    #[must_use]
    pub fn next_deadline_ms(&self) -> Option<i64> {
        [
            self.line.deadline_ms(),
            self.requests_deadline_ms(),
            self.heartbeat_at_ms(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// A connection stands: timers of silence begin.
    pub fn on_connect(&mut self, now_ms: i64) {
        self.sent_ms = Some(now_ms);
    }

    /// The connection is gone: uploads that are not through are lost, requests void. Settings and
    /// the memory of executed requests stay.
    pub fn on_disconnect(&mut self) -> Vec<StationOutput> {
        let mut outputs: Vec<StationOutput> = self
            .line
            .clear()
            .into_iter()
            .map(|key| StationOutput::Lost { key })
            .collect();
        for open in self.open.drain(..) {
            outputs.push(StationOutput::Void { token: open.token });
        }
        self.sent_ms = None;
        outputs
    }

    fn over_time_ms(&self) -> i64 {
        i64::from(self.settings.over_time_s).saturating_mul(1000)
    }

    /// The frames of one upload, each with its own number.
    fn frames(
        &mut self,
        now_ms: i64,
        owner: Owner,
        frame: FrameBuilder,
    ) -> Result<Vec<Outgoing>, BuildError> {
        let frame = frame
            .pw(self.settings.password.reveal())
            .mn(&self.config.mn);
        let first = self.qns.next(now_ms);
        let mut first = first;
        let mut parts = frame
            .clone()
            .qn_time(first)
            .build_split(&self.config.build)?;
        if parts.len() > 1 {
            first = self.qns.next_block(now_ms, parts.len());
            parts = frame
                .clone()
                .qn_time(first)
                .build_split(&self.config.build)?;
        }
        let (wants, cn) = (frame.wants_answer(), frame.cn());
        let count = parts.len();
        let outgoing = |(index, bytes): (usize, Vec<u8>)| Outgoing {
            owner,
            cn: cn.clone(),
            qn: SmolStr::from(later(first, index)),
            bytes,
            wants,
            last: index + 1 == count,
        };
        Ok(parts.into_iter().enumerate().map(outgoing).collect())
    }

    fn send(&mut self, now_ms: i64, cn: SmolStr, bytes: Vec<u8>, outputs: &mut Vec<StationOutput>) {
        self.sent_ms = Some(now_ms);
        outputs.push(StationOutput::Send { cn, bytes });
    }

    /// Sends what may be sent.
    fn pump(&mut self, now_ms: i64, outputs: &mut Vec<StationOutput>) {
        let over_time_ms = self.over_time_ms();
        while let Some(frame) = self.line.next(now_ms, over_time_ms, self.config.window) {
            self.send(now_ms, frame.cn, frame.bytes, outputs);
            if frame.last && !frame.wants {
                self.through(frame.owner, None, outputs);
            }
        }
    }

    /// An acknowledgement has come.
    fn confirmed(
        &mut self,
        kind: AnswerKind,
        qn: Option<&str>,
        cn: Option<&str>,
        outputs: &mut Vec<StationOutput>,
    ) {
        if let Some(frame) = self.line.confirm(qn, cn)
            && frame.last
        {
            self.through(frame.owner, Some(kind), outputs);
        }
    }

    /// The last frame of something went out, or was acknowledged.
    fn through(
        &mut self,
        owner: Owner,
        answer: Option<AnswerKind>,
        outputs: &mut Vec<StationOutput>,
    ) {
        match owner {
            Owner::Upload(key) => outputs.push(StationOutput::Uploaded { key, answer }),
            Owner::Request(_) | Owner::Heartbeat => {}
            Owner::Result(token) => self.executed(token),
        }
    }

    fn lost(&mut self, now_ms: i64, owner: Owner, outputs: &mut Vec<StationOutput>) {
        match owner {
            Owner::Upload(key) => outputs.push(StationOutput::Lost { key }),
            Owner::Request(token) | Owner::Result(token) => {
                self.void(now_ms, token, outputs);
            }
            Owner::Heartbeat => outputs.push(StationOutput::HeartbeatUnanswered),
        }
    }

    /// When a heartbeat is due: nothing went out for the time, and none waits for its answer.
    fn heartbeat_at_ms(&self) -> Option<i64> {
        let pause = self
            .config
            .heartbeat_ms
            .filter(|_| self.config.edition == Edition::V2025)?;
        let sent_ms = self
            .sent_ms
            .filter(|_| !self.line.holds(Owner::Heartbeat))?;
        Some(sent_ms.saturating_add(pause))
    }

    /// Second-hand (HJ 212-2025 as quoted publicly): 9015 without content, answered with 9013.
    fn heartbeat(&mut self, now_ms: i64) {
        self.sent_ms = Some(now_ms);
        let frame =
            FrameBuilder::new(self.config.edition, &self.config.st, "9015").answer_wanted(true);
        // Neither error can befall a frame without items in an empty line; a full line is not
        // silent.
        if let Ok(frames) = self.frames(now_ms, Owner::Heartbeat, frame) {
            let _full = self.line.extend(frames);
        }
    }
}

/// The number of the packet `index` places after the first, as [`FrameBuilder::build_split`]
/// counts.
fn later(first: super::super::time::LocalTime, index: usize) -> String {
    let millis = (usize::from(first.millis) + index) % 1000;
    format!("{}{millis:03}", first.digits14())
}
