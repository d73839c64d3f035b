//! One poll of one instrument: its requests, what they gave, and the samples made of it.

use super::line::{Line, LineTiming};
use super::question::{LineError, Question};
use cems_config::{BusTiming, Instrument};
use cems_core::model::{FactorCode, Flag, Number, OutletId, Sample, SampleSet};
use cems_protocols::ascii;
use cems_protocols::instrument::{self, Channel, Map, Place, Protocol, Reading, Role};
use cems_protocols::modbus::{self, Block, Limits};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Pause before a device that said "busy" is asked again.
const BUSY_PAUSE: Duration = Duration::from_millis(100);
/// Polls in which a request of an instrument that answers others gave nothing, until its points
/// are reported as not answering and it is asked less often.
const REQUEST_DEAD_AFTER: u32 = 3;
/// Longest pause between attempts at such a request.
const REQUEST_PAUSE_MAX: Duration = Duration::from_secs(60);
/// Characters of an answer text that are recorded.
const TEXT_KEPT_MAX: usize = 512;

/// What is asked together.
#[derive(Debug, Clone)]
enum Ask {
    Block(Block),
    /// Index of the exchange of a text map.
    Text(usize),
}

/// A request and how it has been going.
#[derive(Debug)]
struct Part {
    ask: Ask,
    group: usize,
    /// Points it reads.
    points: BTreeSet<usize>,
    failures: u32,
    rests_until: Option<Instant>,
    /// The refusal reported last, so that it is said once.
    reported: Option<SmolStr>,
}

/// An instrument as it is polled.
#[derive(Debug)]
pub struct Poller {
    id: SmolStr,
    outlet: OutletId,
    unit: u8,
    map: Arc<Map>,
    channels: Vec<Channel>,
    timing: BusTiming,
    parts: Vec<Part>,
    /// When a group is due again; groups without a period of their own are always due.
    groups: Vec<(Option<Duration>, Option<Instant>)>,
    /// Last readings of states whose group is polled less often than the factors.
    states: BTreeMap<usize, Reading>,
}

/// What a poll gave.
#[derive(Debug, Default)]
pub struct Polled {
    /// What was read.
    pub readings: Vec<Reading>,
    /// What the line carried: `1:03:0000+10=…`, or `…! why not`.
    pub raw: Vec<SmolStr>,
    /// Requests made.
    pub asked: usize,
    /// Requests answered, refusals included.
    pub answered: usize,
    /// Why, or the last trouble of a poll that gave something.
    pub error: Option<LineError>,
    /// New refusals: request and words.
    pub refusals: Vec<SmolStr>,
}

impl Poller {
    /// Plans the requests of an instrument on a bus with this timing.
    pub fn new(instrument: &Instrument, bus: &BusTiming) -> Self {
        let timing = instrument.timing(bus);
        let map = Arc::clone(&instrument.map);
        Self {
            id: instrument.id.clone(),
            outlet: instrument.outlet.clone(),
            unit: instrument.unit,
            channels: instrument.channels.clone(),
            parts: parts(&map, &timing),
            groups: map
                .groups
                .iter()
                .map(|group| {
                    (
                        group.every_ms.map(|ms| Duration::from_millis(ms.into())),
                        None,
                    )
                })
                .collect(),
            states: BTreeMap::new(),
            timing,
            map,
        }
    }

    /// Unit address.
    pub fn unit(&self) -> u8 {
        self.unit
    }

    /// How long an answer of it may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timing.timeout_ms.into())
    }

    /// How the line is used for it.
    pub fn line_timing(&self) -> LineTiming {
        let ms = |ms: u32| Duration::from_millis(ms.into());
        LineTiming {
            timeout: ms(self.timing.timeout_ms),
            pause_between_requests: ms(self.timing.pause_between_requests_ms),
            pause_after_connect: ms(self.timing.pause_after_connect_ms),
        }
    }

    /// Asks everything that is due. `patience` replaces the time-out for an instrument that was
    /// silent lately. The first silence ends the poll when nothing was answered before it.
    pub async fn poll(&mut self, line: &mut Line, patience: Option<Duration>) -> Polled {
        line.set_timing(self.line_timing());
        let patience = patience.unwrap_or(self.timeout());
        let mut polled = Polled::default();
        let now = Instant::now();
        let due: Vec<bool> = self
            .groups
            .iter()
            .map(|(_, at)| at.is_none_or(|at| at <= now))
            .collect();
        for index in 0..self.parts.len() {
            let Some(part) = self.parts.get(index) else {
                break;
            };
            let rests = part.rests_until.is_some_and(|until| until > now);
            if rests || !due.get(part.group).copied().unwrap_or(true) {
                continue;
            }
            let (ask, group) = (part.ask.clone(), part.group);
            polled.asked += 1;
            let asked = self.ask(line, &ask, patience, &mut polled).await;
            let silent = self.conclude(index, asked, &mut polled);
            if silent && polled.answered == 0 {
                break;
            }
            if let Some((Some(every), at)) = self.groups.get_mut(group)
                && !silent
            {
                *at = Some(now + *every);
            }
        }
        self.remember_states(&polled.readings);
        polled
    }

    /// Takes down how a request went; whether it was met with silence.
    fn conclude(
        &mut self,
        index: usize,
        asked: Result<Vec<Reading>, LineError>,
        polled: &mut Polled,
    ) -> bool {
        let timeout = self.timeout();
        let Some(part) = self.parts.get_mut(index) else {
            return false;
        };
        match asked {
            Ok(readings) => {
                polled.answered += 1;
                part.failures = 0;
                part.rests_until = None;
                part.reported = None;
                polled.readings.extend(readings);
                false
            }
            Err(error) => {
                for point in &part.points {
                    self.states.remove(point);
                }
                let alive = error.shows_life();
                polled.answered += usize::from(alive);
                part.failures = part.failures.saturating_add(1);
                let words = error.to_smolstr();
                let refused = matches!(error, LineError::Refused(_)) && !error.is_busy();
                if refused && part.reported.as_ref() != Some(&words) {
                    polled.refusals.push(words.clone());
                    part.reported = Some(words);
                }
                // Only a request that the others outlive rests by itself; a silent instrument is
                // left to the schedule of the bus.
                if !alive && polled.answered > 0 {
                    let doublings = part.failures.min(16);
                    let rest = timeout.saturating_mul(1 << doublings);
                    part.rests_until = Some(Instant::now() + rest.min(REQUEST_PAUSE_MAX));
                }
                polled.error = Some(error);
                !alive
            }
        }
    }

    async fn ask(
        &self,
        line: &mut Line,
        ask: &Ask,
        patience: Duration,
        polled: &mut Polled,
    ) -> Result<Vec<Reading>, LineError> {
        let mut busy_retries = self.timing.busy_retries;
        let mut mixed_up = false;
        loop {
            let asked = match ask {
                Ask::Block(block) => self.ask_block(line, block, patience, polled).await,
                Ask::Text(index) => self.ask_text(line, *index, patience, polled).await,
            };
            match asked {
                Err(error) if error.is_busy() && busy_retries > 0 => {
                    busy_retries -= 1;
                    sleep(BUSY_PAUSE).await;
                }
                Err(error) if error.is_mix_up() && !mixed_up => mixed_up = true,
                other => return other,
            }
        }
    }

    async fn ask_block(
        &self,
        line: &mut Line,
        block: &Block,
        patience: Duration,
        polled: &mut Polled,
    ) -> Result<Vec<Reading>, LineError> {
        let question = Question::of_block(self.unit, block);
        let answer = line.ask_within(question, patience).await;
        polled.raw.push(match &answer {
            Ok(answer) => format_smolstr!("{question}={}", answer_text(answer)),
            Err(error) => format_smolstr!("{question}! {error}"),
        });
        modbus::decode(&self.map, block, &answer?)
            .map_err(|error| LineError::Disorder(error.to_smolstr()))
    }

    async fn ask_text(
        &self,
        line: &mut Line,
        index: usize,
        patience: Duration,
        polled: &mut Polled,
    ) -> Result<Vec<Reading>, LineError> {
        let Protocol::Ascii(exchanges) = &self.map.protocol else {
            return Ok(Vec::new());
        };
        let Some(exchange) = exchanges.get(index) else {
            return Ok(Vec::new());
        };
        let request = exchange.request.as_ref().map(|r| r.bytes(self.unit));
        let found = line
            .ask_text(self.unit, request.as_deref(), &exchange.response, patience)
            .await;
        let (sent, received) = line.last_exchange();
        let sent = crate::text::excerpt(sent, TEXT_KEPT_MAX);
        polled.raw.push(match &found {
            Ok(_) => {
                let received = crate::text::excerpt(received, TEXT_KEPT_MAX);
                format_smolstr!("{sent}={received}")
            }
            Err(error) => format_smolstr!("{sent}! {error}"),
        });
        Ok(ascii::readings(&self.map, exchange, &found?))
    }

    fn remember_states(&mut self, readings: &[Reading]) {
        for reading in readings {
            let point = self.map.points.get(reading.point);
            if point.is_some_and(|point| point.role == Role::State) {
                self.states.insert(reading.point, reading.clone());
            }
        }
    }

    /// The samples of a poll. Points of requests that are refused, or that stay without an answer
    /// while others get one, are reported as not answering.
    pub fn samples(&self, polled: &Polled) -> SampleSet {
        let fresh: BTreeSet<usize> = polled.readings.iter().map(|r| r.point).collect();
        let kept = self.states.values().filter(|r| !fresh.contains(&r.point));
        let readings: Vec<Reading> = kept.chain(&polled.readings).cloned().collect();
        let mut samples: Vec<Sample> = instrument::to_samples(&self.map, &readings, &self.channels)
            .into_iter()
            .map(sample)
            .collect();
        for part in &self.parts {
            if part.failures < REQUEST_DEAD_AFTER && part.reported.is_none() {
                continue;
            }
            let missing: Vec<Channel> = self
                .channels
                .iter()
                .filter(|c| part.points.contains(&c.point) && !fresh.contains(&c.point))
                .cloned()
                .collect();
            samples.extend(instrument::without_answer(&missing).into_iter().map(sample));
        }
        self.set(samples)
    }

    /// What is said of an instrument that does not answer: no values, flag B.
    pub fn without_answer(&self) -> SampleSet {
        let samples = instrument::without_answer(&self.channels);
        self.set(samples.into_iter().map(sample).collect())
    }

    fn set(&self, samples: Vec<Sample>) -> SampleSet {
        SampleSet {
            outlet: self.outlet.clone(),
            instrument: self.id.clone(),
            samples,
        }
    }

    /// Takes over what is known of states and rests from the poller of the same instrument before
    /// a reload, as far as it still holds.
    pub fn take_over(&mut self, before: Self) {
        if before.map == self.map && before.unit == self.unit {
            self.states = before.states;
            self.groups = before.groups;
            if before.timing == self.timing {
                self.parts = before.parts;
            }
        }
    }
}

/// The requests that read a map.
fn parts(map: &Map, timing: &BusTiming) -> Vec<Part> {
    let part = |ask, group, points: BTreeSet<usize>| Part {
        ask,
        group,
        points,
        failures: 0,
        rests_until: None,
        reported: None,
    };
    if let Protocol::Ascii(exchanges) = &map.protocol {
        let of_group = |group: usize| {
            let points = map.points.iter().enumerate();
            points
                .filter(|(_, point)| point.group == group && point.place == Place::Field)
                .map(|(index, _)| index)
                .collect()
        };
        let exchanges = exchanges.iter().enumerate();
        return exchanges
            .map(|(index, e)| part(Ask::Text(index), e.group, of_group(e.group)))
            .collect();
    }
    let limits = Limits {
        max_registers: timing.max_registers_per_request,
        max_gap: timing.max_gap,
        one_request_per_point: timing.one_request_per_point,
        ..Limits::default()
    };
    let blocks = modbus::plan(map, limits).into_iter();
    blocks
        .map(|block| {
            let (group, points) = (block.group, block.points.iter().copied().collect());
            part(Ask::Block(block), group, points)
        })
        .collect()
}

fn answer_text(answer: &modbus::Answer) -> String {
    match answer {
        modbus::Answer::Registers(words) => {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            crate::text::hex(&bytes)
        }
        modbus::Answer::Bits(bits) => bits
            .iter()
            .map(|bit| if *bit { '1' } else { '0' })
            .collect(),
    }
}

/// A sample as the engine takes it: the exact value in the factor's unit, and the text the device
/// gave.
fn sample(sample: instrument::FactorSample) -> Sample {
    let raw = sample.raw;
    Sample {
        factor: FactorCode::from(sample.factor.as_str()),
        value: sample.value.map(|value| Number { value, text: raw }),
        flag: Flag(SmolStr::new_static(sample.flag.as_str())),
    }
}
