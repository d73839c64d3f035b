//! A centre and a logger on a simulated line with virtual time.

use std::collections::BTreeMap;

use super::super::dialogue::{
    Centre, CentreConfig, CentreOutput, Outcome, Settings, Station, StationConfig, StationOutput,
    Token,
};
use super::*;

/// What befalls one frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fate {
    pub(super) lost: bool,
    pub(super) twice: bool,
    /// Way to the other end, ms.
    pub(super) delay_ms: u32,
    /// Where a read cuts it.
    pub(super) cut: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum To {
    Centre,
    Station,
}

/// Both ends, the line between them, and everything that was said.
pub(super) struct World {
    pub(super) now_ms: i64,
    pub(super) centre: Centre,
    pub(super) station: Station,
    edition: Edition,
    fates: Vec<Fate>,
    next_fate: usize,
    line: BTreeMap<(i64, usize), (To, Vec<u8>, usize)>,
    sent: usize,
    framers: BTreeMap<To, Framer>,
    /// Records a fetch of history gives.
    pub(super) records: usize,
    /// Whether the logger's records ask for acknowledgements.
    pub(super) record_answers: bool,
    /// Messages that arrived, with the end they arrived at.
    pub(super) heard: Vec<(&'static str, Message)>,
    pub(super) outcomes: Vec<(u64, Outcome)>,
    pub(super) steps: Vec<(u64, &'static str, String)>,
    pub(super) uploaded: Vec<(u64, bool)>,
    pub(super) lost: Vec<u64>,
    pub(super) executed: Vec<Request>,
    pub(super) refused: Vec<(String, u32)>,
    pub(super) changed: Vec<Request>,
    /// Requests whose records still have to be sent: how many are left, and the first.
    serving: Vec<(Token, usize, Request)>,
}

pub(super) const START_MS: i64 = 1_716_210_420_000;

pub(super) fn mn(edition: Edition) -> &'static str {
    match edition {
        Edition::V2005 => "FICTION0000001",
        _ => "0100000000F0000000000001",
    }
}

impl World {
    pub(super) fn new(edition: Edition, fates: Vec<Fate>) -> Self {
        let station = StationConfig::new(edition, "31", mn(edition));
        Self {
            now_ms: START_MS,
            centre: Centre::new(CentreConfig::new(edition, "31", "123456", mn(edition))),
            station: Station::new(station, Settings::new("123456")),
            edition,
            fates,
            next_fate: 0,
            line: BTreeMap::new(),
            sent: 0,
            framers: [
                (To::Centre, Framer::default()),
                (To::Station, Framer::default()),
            ]
            .into(),
            records: 3,
            record_answers: true,
            heard: Vec::new(),
            outcomes: Vec::new(),
            steps: Vec::new(),
            uploaded: Vec::new(),
            lost: Vec::new(),
            executed: Vec::new(),
            refused: Vec::new(),
            changed: Vec::new(),
            serving: Vec::new(),
        }
    }

    pub(super) fn order(&mut self, id: u64, request: Request) {
        let outputs = self.centre.order(id, request, self.now_ms);
        self.centre_does(outputs);
    }

    pub(super) fn upload(&mut self, key: u64, frame: FrameBuilder) {
        let outputs = self.station.upload(self.now_ms, key, frame).unwrap();
        self.station_does(outputs);
    }

    /// Runs until nothing is under way, at most this long.
    pub(super) fn run(&mut self, most_ms: i64) {
        let end = self.now_ms + most_ms;
        for _ in 0..100_000 {
            let next = [
                self.line.keys().next().map(|(at, _)| *at),
                self.centre.next_deadline_ms(),
                self.station.next_deadline_ms(),
            ];
            let Some(at) = next.into_iter().flatten().min() else {
                return;
            };
            let quiet = self.line.is_empty() && self.centre.is_idle() && self.serving.is_empty();
            if at > end || (quiet && self.station.ready_for_more()) {
                return;
            }
            self.now_ms = self.now_ms.max(at);
            if let Some(entry) = self.line.first_entry()
                && entry.key().0 <= self.now_ms
            {
                let (to, bytes, cut) = entry.remove();
                let cut = cut % (bytes.len() + 1);
                self.arrive(to, &bytes[..cut]);
                self.arrive(to, &bytes[cut..]);
            }
            let outputs = self.centre.on_tick(self.now_ms);
            self.centre_does(outputs);
            let outputs = self.station.on_tick(self.now_ms);
            self.station_does(outputs);
            self.serve();
        }
        panic!("the dialogue does not come to rest");
    }

    fn put(&mut self, to: To, bytes: &[u8]) {
        let fate = if self.fates.is_empty() {
            Fate::default()
        } else {
            self.fates[self.next_fate % self.fates.len()]
        };
        self.next_fate += 1;
        let copies = if fate.lost {
            0
        } else {
            1 + usize::from(fate.twice)
        };
        for copy in 0..copies {
            self.sent += 1;
            let delay = i64::from(fate.delay_ms) * i64::try_from(copy + 1).unwrap();
            self.line.insert(
                (self.now_ms + delay, self.sent),
                (to, bytes.to_vec(), fate.cut),
            );
        }
    }

    fn arrive(&mut self, to: To, bytes: &[u8]) {
        let framer = self.framers.get_mut(&to).unwrap();
        framer.push(bytes);
        let mut messages = Vec::new();
        loop {
            match framer.next() {
                Step::Incomplete => break,
                Step::Frame(frame) => messages.push(parse(&frame)),
                Step::Garbage(bytes) => panic!("{}", String::from_utf8_lossy(&bytes)),
            }
        }
        for message in messages {
            match to {
                To::Centre => {
                    let outputs = self.centre.on_message(self.now_ms, &message);
                    self.centre_does(outputs);
                    if let Some(answer) = answer(&message) {
                        self.put(To::Station, &answer.bytes);
                    }
                    self.heard.push(("centre", message));
                }
                To::Station => {
                    let outputs = self.station.on_message(self.now_ms, &message);
                    self.station_does(outputs);
                    self.heard.push(("station", message));
                }
            }
        }
    }

    fn centre_does(&mut self, outputs: Vec<CentreOutput>) {
        for output in outputs {
            match output {
                CentreOutput::Send { bytes, .. } => self.put(To::Station, &bytes),
                CentreOutput::Step {
                    id,
                    progress,
                    detail,
                } => self.steps.push((id, progress.as_str(), detail)),
                CentreOutput::Ended { id, outcome } => self.outcomes.push((id, outcome)),
            }
        }
    }

    fn station_does(&mut self, outputs: Vec<StationOutput>) {
        for output in outputs {
            match output {
                StationOutput::Send { bytes, .. } => self.put(To::Centre, &bytes),
                StationOutput::Uploaded { key, answer } => {
                    self.uploaded.push((key, answer.is_some()));
                }
                StationOutput::SentAgain { .. } => {}
                StationOutput::Lost { key } => self.lost.push(key),
                StationOutput::Asked { token, request } => {
                    self.executed.push(request.clone());
                    let outputs = self.station.accept(self.now_ms, token);
                    self.station_does(outputs);
                    let left = match order(request.cn(), self.edition).unwrap().reply {
                        Reply::Records(_) => self.records,
                        Reply::Values(_) => 1,
                        _ => 0,
                    };
                    self.serving.push((token, left, request));
                    self.serve();
                }
                StationOutput::Void { token } => {
                    self.serving.retain(|(serving, _, _)| *serving != token);
                }
                StationOutput::SettingsChanged { request } => self.changed.push(request),
                StationOutput::Refused { cn, result, .. } => {
                    self.refused.push((cn.to_string(), result));
                }
                StationOutput::HeartbeatUnanswered => {}
            }
        }
    }

    /// Hands in what the logger still owes, one record at a time.
    fn serve(&mut self) {
        let mut serving = std::mem::take(&mut self.serving);
        let mut kept = Vec::new();
        for (token, mut left, request) in serving.drain(..) {
            let mut void = false;
            while left > 0 && !void && self.station.ready_for_data(token) {
                left -= 1;
                let frame = self.reply_frame(&request, left);
                match self.station.data(self.now_ms, token, frame) {
                    Ok(outputs) => self.station_does(outputs),
                    Err(_) => void = true,
                }
            }
            if left == 0 && !void {
                let outputs = self.station.finish(self.now_ms, token, 1);
                self.station_does(outputs);
            } else if !void {
                kept.push((token, left, request));
            }
        }
        kept.append(&mut self.serving);
        self.serving = kept;
    }

    fn reply_frame(&self, request: &Request, left: usize) -> FrameBuilder {
        let items = commands::sample(request.cn(), self.edition).unwrap();
        let frame = FrameBuilder::new(self.edition, "31", request.cn()).items(items);
        let records = matches!(
            order(request.cn(), self.edition).unwrap().reply,
            Reply::Records(_)
        );
        if !records {
            return frame;
        }
        let begin = match request {
            Request::History { begin, .. } => *begin,
            _ => LocalTime::from_unix_ms(START_MS, 480),
        };
        let minute = u8::try_from(left % 60).unwrap();
        frame
            .data_time(&LocalTime { minute, ..begin }.digits14())
            .answer_wanted(self.record_answers)
    }
}
