//! The centre's side of one connection: requests out, answers in.

use std::collections::VecDeque;

use smol_str::SmolStr;

use super::super::build::BuildOptions;
use super::super::content::{AnswerKind, Content, content, text, time};
use super::super::edition::Edition;
use super::super::fields::Message;
use super::super::request::{Order, Reply, Request, RequestContext, Secret, order};
use super::clock::later_by;
use super::outcome::{Outcome, Progress, Waited};
use super::qn::{BEIJING_MIN, QnSource};

/// Most orders that wait for their turn; an order more ends as [`Outcome::Withdrawn`]. A gap
/// re-fetch orders a few at a time, people fewer.
const QUEUE_MAX: usize = 256;

/// Request numbers remembered after their exchange, so that a late answer is not taken for one
/// to the exchange after.
const PAST_MAX: usize = 8;

/// What is known of the device and how long to wait for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CentreConfig {
    /// Edition the device speaks.
    pub edition: Edition,
    /// Device number.
    pub mn: SmolStr,
    /// System code of the source (`31`, `32`).
    pub st: SmolStr,
    /// Password of the device.
    pub pw: Secret,
    /// Wait for an answer before the request is sent again, ms.
    pub over_time_ms: i64,
    /// How often it is sent again.
    pub re_count: u32,
    /// Wait for data or a result after 9011, from the last of them, ms.
    pub execution_ms: i64,
    /// Silence after which data count as the whole answer of a device that sends neither 9011
    /// nor 9012, ms.
    pub quiet_ms: i64,
    /// Zone of request numbers, minutes ahead of UTC.
    pub utc_offset_min: i32,
    /// Envelope the device understands.
    pub build: BuildOptions,
}

impl CentreConfig {
    /// A device with the standard's times for mobile networks: 10 s, three retries; 60 s for the
    /// execution, 10 s of silence, Beijing time.
    #[must_use]
    pub fn new(edition: Edition, st: &str, pw: &str, mn: &str) -> Self {
        Self {
            edition,
            mn: SmolStr::new(mn),
            st: SmolStr::new(st),
            pw: Secret::new(pw),
            over_time_ms: 10_000,
            re_count: 3,
            execution_ms: 60_000,
            quiet_ms: 10_000,
            utc_offset_min: BEIJING_MIN,
            build: BuildOptions::default(),
        }
    }
}

/// What the caller is to do or to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CentreOutput {
    /// Send this frame.
    Send {
        /// The order.
        id: u64,
        /// Its command code.
        cn: &'static str,
        /// The frame in clear text, with line end.
        bytes: Vec<u8>,
    },
    /// The exchange went on. [`Progress::Data`]: the message just handed in belongs to it.
    Step {
        /// The order.
        id: u64,
        /// How.
        progress: Progress,
        /// Number of the attempt, values the device gave, or the data time of a record.
        detail: String,
    },
    /// The exchange is over; comes exactly once per order.
    Ended {
        /// The order.
        id: u64,
        /// How.
        outcome: Outcome,
    },
}

/// Where the open exchange stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No answer yet.
    Sent,
    /// 9011 with QnRtn=1.
    Accepted,
    /// Data without 9011.
    DataOnly,
}

#[derive(Clone, Debug)]
struct Open {
    id: u64,
    request: Request,
    order: &'static Order,
    qn: SmolStr,
    bytes: Vec<u8>,
    phase: Phase,
    /// Times it was sent.
    sends: u32,
    /// Frames of data that came.
    data: u32,
    deadline_ms: i64,
}

/// The centre's side of one connection with one device. One exchange at a time; further orders
/// wait. It never acknowledges data: the caller stores first, then sends [`answer`].
///
/// [`answer`]: super::super::answer::answer
#[derive(Clone, Debug)]
pub struct Centre {
    config: CentreConfig,
    qns: QnSource,
    /// Orders that wait, with the time they were given.
    queue: VecDeque<(u64, Request, i64)>,
    open: Option<Open>,
    /// Numbers of the last exchanges.
    past: VecDeque<SmolStr>,
}

impl Centre {
    /// A connection on which nothing has been asked.
    #[must_use]
    pub fn new(config: CentreConfig) -> Self {
        Self {
            qns: QnSource::new(config.utc_offset_min),
            config,
            queue: VecDeque::new(),
            open: None,
            past: VecDeque::new(),
        }
    }

    /// What is known of the device. A password or number set by a request is taken over here.
    #[must_use]
    pub fn config(&self) -> &CentreConfig {
        &self.config
    }

    /// Changes what is known of the device, from the next request on.
    pub fn config_mut(&mut self) -> &mut CentreConfig {
        &mut self.config
    }

    /// Whether no exchange is open or waiting.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.open.is_none() && self.queue.is_empty()
    }

    /// Orders that wait or are under way.
    #[must_use]
    pub fn orders(&self) -> usize {
        self.queue.len() + usize::from(self.open.is_some())
    }

    /// Queues a request; it is sent at once when nothing else is under way. A time to set is moved
    /// on by the time the order waits.
    pub fn order(&mut self, id: u64, request: Request, now_ms: i64) -> Vec<CentreOutput> {
        let mut outputs = Vec::new();
        if self.queue.len() >= QUEUE_MAX {
            ended(id, Outcome::Withdrawn, &mut outputs);
            return outputs;
        }
        self.queue.push_back((id, request, now_ms));
        self.send_next(now_ms, &mut outputs);
        outputs
    }

    /// Takes back an order that has not been sent; one that was sent goes on.
    pub fn withdraw(&mut self, id: u64) -> Vec<CentreOutput> {
        let mut outputs = Vec::new();
        let before = self.queue.len();
        self.queue.retain(|(waiting, _, _)| *waiting != id);
        if self.queue.len() < before {
            ended(id, Outcome::Withdrawn, &mut outputs);
        }
        outputs
    }

    /// A message of the device has come. Hand in every believed message; most belong to no
    /// exchange and give nothing.
    pub fn on_message(&mut self, now_ms: i64, msg: &Message) -> Vec<CentreOutput> {
        let mut outputs = Vec::new();
        let Some(open) = &self.open else {
            return outputs;
        };
        match content(msg) {
            Content::Answer { kind, qn, result } if self.is_answer_to(open, qn.as_deref()) => {
                self.answered(now_ms, kind, result, &mut outputs);
            }
            Content::Answer { .. } | Content::Request { .. } => {}
            _ if self.belongs(open, msg) => self.data(now_ms, msg, &mut outputs),
            _ => {}
        }
        outputs
    }

    /// Time has passed. Call it at [`Centre::next_deadline_ms`]; earlier calls do no harm.
    pub fn on_tick(&mut self, now_ms: i64) -> Vec<CentreOutput> {
        let mut outputs = Vec::new();
        let Some(open) = &mut self.open else {
            return outputs;
        };
        if now_ms < open.deadline_ms {
            return outputs;
        }
        let whole = open.data > 0 && !matches!(open.order.reply, Reply::Records(_));
        match open.phase {
            Phase::Sent if open.sends <= self.config.re_count => {
                open.sends += 1;
                open.deadline_ms = now_ms.saturating_add(self.config.over_time_ms);
                outputs.push(CentreOutput::Send {
                    id: open.id,
                    cn: open.order.cn,
                    bytes: open.bytes.clone(),
                });
                outputs.push(CentreOutput::Step {
                    id: open.id,
                    progress: Progress::SentAgain,
                    detail: open.sends.to_string(),
                });
            }
            Phase::Sent => self.end(now_ms, Outcome::TimedOut(Waited::Answer), &mut outputs),
            Phase::Accepted if !whole => {
                self.end(now_ms, Outcome::TimedOut(Waited::Execution), &mut outputs);
            }
            Phase::Accepted | Phase::DataOnly => {
                self.end(now_ms, Outcome::Done { exe_rtn: None }, &mut outputs);
            }
        }
        outputs
    }

    /// When [`Centre::on_tick`] is next needed; `None` when no timer runs.
    #[must_use]
    pub fn next_deadline_ms(&self) -> Option<i64> {
        self.open.as_ref().map(|open| open.deadline_ms)
    }

    /// The connection is gone: every order ends.
    pub fn on_disconnect(&mut self) -> Vec<CentreOutput> {
        let mut outputs = Vec::new();
        if let Some(open) = self.open.take() {
            ended(open.id, Outcome::Disconnected { sent: true }, &mut outputs);
        }
        for (id, _, _) in self.queue.drain(..) {
            ended(id, Outcome::Disconnected { sent: false }, &mut outputs);
        }
        outputs
    }

    fn send_next(&mut self, now_ms: i64, outputs: &mut Vec<CentreOutput>) {
        while self.open.is_none() {
            let Some((id, mut request, ordered_ms)) = self.queue.pop_front() else {
                return;
            };
            // The clock went on while the order waited.
            if let Request::SetTime { system_time, .. } = &mut request {
                *system_time = later_by(*system_time, now_ms.saturating_sub(ordered_ms));
            }
            match self.opened(id, request, now_ms) {
                Some(open) => {
                    outputs.push(CentreOutput::Send {
                        id,
                        cn: open.order.cn,
                        bytes: open.bytes.clone(),
                    });
                    outputs.push(CentreOutput::Step {
                        id,
                        progress: Progress::Sent,
                        detail: open.qn.to_string(),
                    });
                    self.open = Some(open);
                }
                None => ended(id, Outcome::Unsayable, outputs),
            }
        }
    }

    /// The exchange with its frame made; `None` when the edition cannot say it.
    fn opened(&mut self, id: u64, request: Request, now_ms: i64) -> Option<Open> {
        let config = &self.config;
        let order = order(request.cn(), config.edition)?;
        let context = RequestContext {
            qn: SmolStr::from(self.qns.next(now_ms).digits17()),
            st: config.st.clone(),
            pw: SmolStr::new(config.pw.reveal()),
            mn: config.mn.clone(),
        };
        let frame = request.build(config.edition, &context).ok()?;
        Some(Open {
            id,
            order,
            bytes: frame.build(&config.build).ok()?,
            qn: context.qn,
            phase: Phase::Sent,
            sends: 1,
            data: 0,
            deadline_ms: now_ms.saturating_add(config.over_time_ms),
            request,
        })
    }

    /// Whether an answer with this number is one to the open exchange. Devices that drop the
    /// number or its milliseconds are believed; a number of an earlier exchange is not.
    fn is_answer_to(&self, open: &Open, qn: Option<&str>) -> bool {
        match qn {
            None => true,
            Some(qn) if qn == open.qn => true,
            Some(qn) if self.past.iter().any(|past| past == qn) => false,
            Some(qn) => {
                (qn.len() == 14 && open.qn.starts_with(qn))
                    || (qn.len() > 17 && qn.starts_with(open.qn.as_str()))
            }
        }
    }

    fn answered(
        &mut self,
        now_ms: i64,
        kind: AnswerKind,
        result: Option<u32>,
        outputs: &mut Vec<CentreOutput>,
    ) {
        let Some(open) = &mut self.open else {
            return;
        };
        let notice = open.request.is_notice();
        match (kind, result) {
            (AnswerKind::Request, Some(qn_rtn)) if qn_rtn != 1 => {
                self.end(now_ms, Outcome::Refused { qn_rtn }, outputs);
            }
            (AnswerKind::Request | AnswerKind::Notice, _) if notice => {
                self.end(now_ms, Outcome::Done { exe_rtn: None }, outputs);
            }
            (AnswerKind::Request, _) if open.phase != Phase::Accepted => {
                open.phase = Phase::Accepted;
                open.deadline_ms = now_ms.saturating_add(self.config.execution_ms);
                outputs.push(CentreOutput::Step {
                    id: open.id,
                    progress: Progress::Accepted,
                    detail: result.map_or_else(String::new, |value| value.to_string()),
                });
            }
            (AnswerKind::Execution, Some(exe_rtn)) if exe_rtn != 1 => {
                self.end(now_ms, Outcome::Failed { exe_rtn }, outputs);
            }
            (AnswerKind::Execution, exe_rtn) => {
                self.end(now_ms, Outcome::Done { exe_rtn }, outputs);
            }
            _ => {}
        }
    }

    /// Whether data of the device belong to the open exchange.
    fn belongs(&self, open: &Open, msg: &Message) -> bool {
        let cn = msg.cn();
        let qn = msg.header.qn.clone().or_else(|| text(msg, "QN"));
        let same_qn = qn.as_deref() == Some(open.qn.as_str());
        let stale = qn
            .as_ref()
            .is_some_and(|qn| self.past.iter().any(|past| past == qn));
        match open.order.reply {
            Reply::Nothing | Reply::Confirmation => false,
            Reply::Values(reply) if cn != reply || stale => false,
            // Nobody sends these unasked; serial numbers and bottles are uploaded unasked too.
            Reply::Values(reply) => same_qn || qn.is_none() || !matches!(reply, "3019"),
            Reply::Records(reply) => cn == reply && (same_qn || in_range(&open.request, msg)),
            Reply::Stream(reply) => cn == reply,
        }
    }

    fn data(&mut self, now_ms: i64, msg: &Message, outputs: &mut Vec<CentreOutput>) {
        let Some(open) = &mut self.open else {
            return;
        };
        let stream = matches!(open.order.reply, Reply::Stream(_));
        let values = matches!(open.order.reply, Reply::Values(_));
        // A stream never falls silent, so only its first frame counts.
        if stream && open.data > 0 {
            return;
        }
        open.data = open.data.saturating_add(1);
        if open.phase == Phase::Sent {
            open.phase = Phase::DataOnly;
        }
        let wait = if open.phase == Phase::DataOnly || values || stream {
            self.config.quiet_ms
        } else {
            self.config.execution_ms
        };
        open.deadline_ms = now_ms.saturating_add(wait);
        let detail = if values {
            values_text(msg)
        } else {
            text(msg, "DataTime").unwrap_or_default().to_string()
        };
        outputs.push(CentreOutput::Step {
            id: open.id,
            progress: Progress::Data,
            detail,
        });
    }

    /// Ends the open exchange and begins the next.
    fn end(&mut self, now_ms: i64, outcome: Outcome, outputs: &mut Vec<CentreOutput>) {
        let Some(open) = self.open.take() else {
            return;
        };
        if matches!(outcome, Outcome::Done { .. }) {
            match open.request {
                Request::SetPassword { new } => self.config.pw = new,
                Request::SetDeviceNumber { mn, .. } => self.config.mn = mn,
                _ => {}
            }
        }
        self.past.push_back(open.qn);
        if self.past.len() > PAST_MAX {
            self.past.pop_front();
        }
        ended(open.id, outcome, outputs);
        self.send_next(now_ms, outputs);
    }
}

fn ended(id: u64, outcome: Outcome, outputs: &mut Vec<CentreOutput>) {
    outputs.push(CentreOutput::Ended { id, outcome });
}

/// Whether a record with its own number is one that was asked for: its time lies in the range.
fn in_range(request: &Request, msg: &Message) -> bool {
    let at = time(msg, "DataTime");
    match request {
        Request::History { begin, end, .. } => at.is_some_and(|at| *begin <= at && at <= *end),
        Request::GetInfo {
            info_id,
            range: Some((begin, end)),
            ..
        } => has_info(msg, info_id) && at.is_some_and(|at| *begin <= at && at <= *end),
        Request::GetInfo { info_id, .. } => has_info(msg, info_id),
        _ => false,
    }
}

fn has_info(msg: &Message, info_id: &str) -> bool {
    msg.items
        .iter()
        .any(|item| item.name == info_id && item.get("Info").is_some())
}

/// Longest text of values in a step, bytes; the message itself has them all.
const VALUES_TEXT_MAX: usize = 400;

/// The values of an answer as text, without the number that 2005 repeats among them.
fn values_text(msg: &Message) -> String {
    let mut texts = Vec::new();
    let mut length = 0;
    for item in &msg.items {
        for (field, value) in &item.fields {
            let name = item.name.as_str();
            if field.is_empty() && name == "QN" {
                continue;
            }
            let dash = if field.is_empty() { "" } else { "-" };
            let text = format!("{name}{dash}{field}={value}");
            length += text.len();
            if length > VALUES_TEXT_MAX {
                texts.push("…".to_owned());
                return texts.join("; ");
            }
            texts.push(text);
        }
    }
    texts.join("; ")
}
