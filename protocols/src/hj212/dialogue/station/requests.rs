//! Requests of the centre: checked, answered, executed once.

use smol_str::SmolStr;

use super::super::super::build::FrameBuilder;
use super::super::super::fields::Message;
use super::super::super::request::{Reply, Request, RequestError, order};
use super::super::super::time::LocalTime;
use super::line::{Outgoing, Owner};
use super::replies::{Echo, exe_rtn, own_values, qn_rtn, reply, values};
use super::{Station, StationOutput, Token, UploadError};

/// Most requests under execution; one more is answered `ExeRtn=5` (busy).
const OPEN_MAX: usize = 8;

/// Most executed requests remembered; the oldest are forgotten first.
const PAST_MAX: usize = 64;

/// How long an executed request is remembered, ms. Retries of a centre come within minutes; a
/// centre that uses one number for everything is served again after this time.
const PAST_MS: i64 = 300_000;

/// How long the caller may execute one request, ms; then it is void and answered `ExeRtn=4`.
const EXECUTION_MS: i64 = 3_600_000;

/// Most frames kept to answer a repeated request; a reply of values is one.
const KEPT_FRAMES_MAX: usize = 8;

/// A request the caller executes.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) token: Token,
    request: Request,
    echo: Echo,
    since_ms: i64,
    accepted: bool,
    /// Frames that answer a repeat.
    kept: Vec<(SmolStr, Vec<u8>)>,
}

/// A request that is over.
#[derive(Clone, Debug)]
pub(super) struct Past {
    qn: SmolStr,
    request: Request,
    at_ms: i64,
    kept: Vec<(SmolStr, Vec<u8>)>,
}

impl Station {
    /// Takes a request on: 9011 with QnRtn=1. Void tokens give nothing.
    pub fn accept(&mut self, now_ms: i64, token: Token) -> Vec<StationOutput> {
        let mut outputs = Vec::new();
        self.accepted(now_ms, token, &mut outputs);
        outputs
    }

    /// Refuses a request: 9011 with this QnRtn (2 refused; see `qn_rtn_text`).
    pub fn refuse(&mut self, now_ms: i64, token: Token, result: u32) -> Vec<StationOutput> {
        let mut outputs = Vec::new();
        if let Some(open) = self.take_open(token) {
            let result = ("QnRtn", qn_rtn(self.config.edition, result.max(2)));
            let frame = reply(&self.config, &open.echo, "9011", Some(result));
            self.say(now_ms, "9011", frame.clone(), &mut outputs);
            self.remember(now_ms, open.echo, open.request, kept("9011", frame));
        }
        outputs
    }

    /// Sends data a request asked for. Values, and what 3020 says without a range of time, repeat
    /// the request's number and want no answer;
    /// records get numbers of their own and want one if the builder says so. Accepts the request
    /// if that has not been done.
    ///
    /// # Errors
    /// [`UploadError`]; nothing was taken then.
    pub fn data(
        &mut self,
        now_ms: i64,
        token: Token,
        frame: FrameBuilder,
    ) -> Result<Vec<StationOutput>, UploadError> {
        let mut outputs = Vec::new();
        let Some(open) = self.open.iter().find(|open| open.token == token) else {
            return Err(UploadError::Void);
        };
        let reply = order(open.request.cn(), self.config.edition).map(|order| order.reply);
        // States and parameters of 3020 repeat the number (C.43), its logs do not (C.41).
        let state = matches!(open.request, Request::GetInfo { range: None, .. });
        let repeats = state || matches!(reply, Some(Reply::Values(_)));
        let (echo, cn) = (open.echo.clone(), frame.cn());
        if repeats {
            let bytes = values(&self.config, &echo, frame);
            self.accepted(now_ms, token, &mut outputs);
            if let Some(open) = self.open.iter_mut().find(|open| open.token == token)
                && let Some(bytes) = &bytes
                && open.kept.len() < KEPT_FRAMES_MAX
            {
                open.kept.push((cn.clone(), bytes.clone()));
            }
            self.say(now_ms, &cn, bytes, &mut outputs);
            return Ok(outputs);
        }
        let frames = self.frames(now_ms, Owner::Request(token), frame)?;
        self.line.extend(frames)?;
        self.accepted(now_ms, token, &mut outputs);
        self.pump(now_ms, &mut outputs);
        Ok(outputs)
    }

    /// Whether records of a request could be sent at once: ask before [`Station::data`].
    #[must_use]
    pub fn ready_for_data(&self, token: Token) -> bool {
        !self.line.holds(Owner::Request(token))
    }

    /// Reports the result: 9012 with this ExeRtn (1 executed, 100 no data; see `exe_rtn_text`),
    /// after the data that still wait.
    pub fn finish(&mut self, now_ms: i64, token: Token, result: u32) -> Vec<StationOutput> {
        let mut outputs = Vec::new();
        self.accepted(now_ms, token, &mut outputs);
        let Some(open) = self.open.iter_mut().find(|open| open.token == token) else {
            return outputs;
        };
        if result == 1
            && let Request::SetDeviceNumber { mn, .. } = &open.request
        {
            self.config.mn = mn.clone();
        }
        let result = ("ExeRtn", exe_rtn(self.config.edition, result));
        let frame = reply(&self.config, &open.echo, "9012", Some(result));
        let Some(bytes) = frame else {
            self.executed(token);
            return outputs;
        };
        open.kept.push((SmolStr::new_static("9012"), bytes.clone()));
        if self.line.holds(Owner::Request(token)) {
            let outgoing = Outgoing {
                owner: Owner::Result(token),
                cn: SmolStr::new_static("9012"),
                qn: open.echo.qn.clone(),
                bytes,
                wants: false,
                last: true,
            };
            self.line.append(outgoing);
            self.pump(now_ms, &mut outputs);
        } else {
            self.say(now_ms, "9012", Some(bytes), &mut outputs);
            self.executed(token);
        }
        outputs
    }

    /// A message that is no answer has come.
    pub(super) fn asked(&mut self, now_ms: i64, msg: &Message, outputs: &mut Vec<StationOutput>) {
        if msg.cn().starts_with('9') || msg.cn().is_empty() {
            return;
        }
        let echo = Echo::of(msg);
        let edition = self.config.edition;
        if !msg.crc.is_sound(&self.config.accept) {
            // 2005: as if it had not come; the centre's time-out brings it again.
            if edition != super::Edition::V2005 {
                self.refused(now_ms, msg, &echo, 9, outputs);
            }
            return;
        }
        let request = match Request::read_as(msg, edition) {
            Ok(request) => request,
            Err(error) => {
                let result = match error {
                    _ if !self.is_password(msg) => 3,
                    _ if !self.is_mn(msg) => 4,
                    RequestError::NotInEdition { .. } => 8,
                    _ => 2,
                };
                self.refused(now_ms, msg, &echo, result, outputs);
                return;
            }
        };
        if self.repeated(now_ms, &echo, &request, outputs) {
            return;
        }
        if !self.is_password(msg) {
            self.refused(now_ms, msg, &echo, 3, outputs);
        } else if !self.is_mn(msg) && !matches!(request, Request::SetDeviceNumber { .. }) {
            self.refused(now_ms, msg, &echo, 4, outputs);
        } else {
            self.take(now_ms, echo, request, outputs);
        }
    }

    fn is_password(&self, msg: &Message) -> bool {
        msg.header.pw.as_deref() == Some(self.settings.password.reveal())
    }

    fn is_mn(&self, msg: &Message) -> bool {
        msg.header
            .mn
            .as_deref()
            .is_some_and(|mn| mn.eq_ignore_ascii_case(&self.config.mn))
    }

    /// Executes what the machine can, hands the rest to the caller.
    fn take(
        &mut self,
        now_ms: i64,
        echo: Echo,
        request: Request,
        outputs: &mut Vec<StationOutput>,
    ) {
        let now = LocalTime::from_unix_ms(now_ms, self.config.utc_offset_min);
        let asked = !request.is_notice() && self.config.ask_first.contains(&request.cn());
        let applied = !asked && self.settings.apply(&request);
        let own = own_values(&self.settings, &request, now);
        let mut frames: Vec<(SmolStr, Vec<u8>)> = Vec::new();
        let mut add = |cn: &str, bytes: Option<Vec<u8>>| {
            frames.extend(bytes.map(|bytes| (SmolStr::new(cn), bytes)));
        };
        if request.is_notice() {
            add("9013", reply(&self.config, &echo, "9013", None));
        } else if applied || own.is_some() {
            add(
                "9011",
                reply(&self.config, &echo, "9011", Some(("QnRtn", 1))),
            );
            // A list without entries could not be told from a request.
            let nothing = own.as_ref().is_some_and(Vec::is_empty);
            if let Some(items) = own.filter(|_| !nothing) {
                let frame = FrameBuilder::new(self.config.edition, &self.config.st, request.cn())
                    .items(items);
                add(request.cn(), values(&self.config, &echo, frame));
            }
            let result = ("ExeRtn", if nothing { 100 } else { 1 });
            add("9012", reply(&self.config, &echo, "9012", Some(result)));
        } else if self.open.len() >= OPEN_MAX {
            let busy = exe_rtn(self.config.edition, 5);
            add(
                "9011",
                reply(&self.config, &echo, "9011", Some(("QnRtn", 1))),
            );
            add(
                "9012",
                reply(&self.config, &echo, "9012", Some(("ExeRtn", busy))),
            );
            outputs.push(StationOutput::Refused {
                cn: SmolStr::new_static(request.cn()),
                result: 5,
                busy: true,
            });
        } else {
            let token = Token(self.next_token);
            self.next_token += 1;
            self.open.push(Open {
                token,
                request: request.clone(),
                echo,
                since_ms: now_ms,
                accepted: false,
                kept: Vec::new(),
            });
            outputs.push(StationOutput::Asked { token, request });
            return;
        }
        for (cn, bytes) in &frames {
            self.send(now_ms, cn.clone(), bytes.clone(), outputs);
        }
        self.remember(now_ms, echo, request.clone(), frames);
        if applied {
            outputs.push(StationOutput::SettingsChanged { request });
        }
    }

    /// Answers a repeat of a request as the first time, without executing it again.
    fn repeated(
        &mut self,
        now_ms: i64,
        echo: &Echo,
        request: &Request,
        outputs: &mut Vec<StationOutput>,
    ) -> bool {
        if echo.qn.is_empty() {
            return false;
        }
        let open = self
            .open
            .iter()
            .find(|open| open.echo.qn == echo.qn && open.request == *request)
            // The result may still wait behind data; it comes by itself.
            .map(|open| open.kept.iter().take(1).cloned().collect::<Vec<_>>());
        let past = self.past.iter().find(|past| {
            past.qn == echo.qn
                && past.request == *request
                && now_ms < past.at_ms.saturating_add(PAST_MS)
        });
        let Some(frames) = open.or_else(|| past.map(|past| past.kept.clone())) else {
            return false;
        };
        for (cn, bytes) in frames {
            self.send(now_ms, cn, bytes, outputs);
        }
        true
    }

    fn refused(
        &mut self,
        now_ms: i64,
        msg: &Message,
        echo: &Echo,
        result: u32,
        outputs: &mut Vec<StationOutput>,
    ) {
        let said = qn_rtn(self.config.edition, result);
        let frame = reply(&self.config, echo, "9011", Some(("QnRtn", said)));
        self.say(now_ms, "9011", frame, outputs);
        outputs.push(StationOutput::Refused {
            cn: SmolStr::new(msg.cn()),
            result,
            busy: false,
        });
    }

    fn say(
        &mut self,
        now_ms: i64,
        cn: &str,
        frame: Option<Vec<u8>>,
        outputs: &mut Vec<StationOutput>,
    ) {
        if let Some(bytes) = frame {
            self.send(now_ms, SmolStr::new(cn), bytes, outputs);
        }
    }

    fn accepted(&mut self, now_ms: i64, token: Token, outputs: &mut Vec<StationOutput>) {
        let Some(open) = self
            .open
            .iter_mut()
            .find(|open| open.token == token && !open.accepted)
        else {
            return;
        };
        open.accepted = true;
        let frame = reply(&self.config, &open.echo, "9011", Some(("QnRtn", 1)));
        open.kept.splice(0..0, kept("9011", frame.clone()));
        self.say(now_ms, "9011", frame, outputs);
    }

    /// The 9012 of a request went out.
    pub(super) fn executed(&mut self, token: Token) {
        if let Some(open) = self.take_open(token) {
            let at_ms = self.sent_ms.unwrap_or(open.since_ms);
            self.remember(at_ms, open.echo, open.request, open.kept);
        }
    }

    /// Gives up a request: its data were not acknowledged, or it took too long.
    pub(super) fn void(&mut self, now_ms: i64, token: Token, outputs: &mut Vec<StationOutput>) {
        self.line.drop_owner(Owner::Request(token));
        self.line.drop_owner(Owner::Result(token));
        let Some(mut open) = self.take_open(token) else {
            return;
        };
        let result = ("ExeRtn", exe_rtn(self.config.edition, 4));
        let frame = reply(&self.config, &open.echo, "9012", Some(result));
        open.kept.retain(|(cn, _)| cn != "9012");
        open.kept.extend(kept("9012", frame.clone()));
        self.say(now_ms, "9012", frame, outputs);
        self.remember(now_ms, open.echo, open.request, open.kept);
        outputs.push(StationOutput::Void { token });
    }

    pub(super) fn expire_requests(&mut self, now_ms: i64, outputs: &mut Vec<StationOutput>) {
        let old: Vec<Token> = self
            .open
            .iter()
            .filter(|open| now_ms >= open.since_ms.saturating_add(EXECUTION_MS))
            .map(|open| open.token)
            .collect();
        for token in old {
            self.void(now_ms, token, outputs);
        }
    }

    pub(super) fn requests_deadline_ms(&self) -> Option<i64> {
        self.open
            .iter()
            .map(|open| open.since_ms.saturating_add(EXECUTION_MS))
            .min()
    }

    fn take_open(&mut self, token: Token) -> Option<Open> {
        let at = self.open.iter().position(|open| open.token == token)?;
        Some(self.open.remove(at))
    }

    fn remember(
        &mut self,
        at_ms: i64,
        echo: Echo,
        request: Request,
        kept: Vec<(SmolStr, Vec<u8>)>,
    ) {
        if echo.qn.is_empty() {
            return;
        }
        self.past
            .retain(|past| past.qn != echo.qn || past.request != request);
        if self.past.len() >= PAST_MAX {
            self.past.pop_front();
        }
        self.past.push_back(Past {
            qn: echo.qn,
            request,
            at_ms,
            kept,
        });
    }
}

fn kept(cn: &'static str, frame: Option<Vec<u8>>) -> Vec<(SmolStr, Vec<u8>)> {
    frame
        .map(|bytes| (SmolStr::new_static(cn), bytes))
        .into_iter()
        .collect()
}
