//! The process behind an outlet: what its instruments would read at any instant.
//!
//! A load follows the hour of the day with slow noise on top; flow, oxygen and concentrations
//! follow the load, each with its own noise, and dilution couples concentrations to oxygen. All
//! of it is integer arithmetic over (seed, time), so the past can be made up long afterwards and
//! agrees with what would have been measured live.

use super::channels::{self, Channel, Law};
use super::noise::{mix, smooth, white};
use super::script::{Incident, Script};
use cems_core::model::time::{HOUR_MS, MINUTE_MS, SECOND_MS};
use cems_core::model::{Medium, Timestamp, UtcOffset};
use chrono::Timelike;
use rust_decimal::Decimal;

/// Instruments are read this often; HJ 212-2017 annex D asks for 5 s or less.
const SAMPLE_MS: i64 = 5 * SECOND_MS;
/// Samples of one minute.
const SAMPLES_PER_MINUTE: i64 = MINUTE_MS / SAMPLE_MS;
/// Valid minutes without which an hour has no normal value (annex D (24)).
const VALID_MINUTES_MIN: i64 = 45;
/// Load around which the tables give their values, ‰ of full load.
const NOMINAL_LOAD: i64 = 850;
/// What air holds, hundredths of % v/v.
const AIR_O2: i64 = 2_100;

/// Kinds of plant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlantKind {
    /// Coal-fired boiler of a heat and power plant, ultra-low emission (燃煤锅炉).
    CoalBoiler,
    /// Waste incinerator (生活垃圾焚烧炉).
    WasteIncinerator,
    /// Cement kiln (水泥窑).
    CementKiln,
    /// Municipal waste water works (污水处理厂).
    WasteWater,
}

impl PlantKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::CoalBoiler,
        Self::WasteIncinerator,
        Self::CementKiln,
        Self::WasteWater,
    ];

    /// Gas or water.
    pub fn medium(self) -> Medium {
        match self {
            Self::WasteWater => Medium::Water,
            _ => Medium::Gas,
        }
    }
}

/// One factor at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// 2017 code.
    pub code: &'static str,
    /// In the unit of HJ 212-2017.
    pub value: Decimal,
    /// Data flag.
    pub flag: &'static str,
}

/// One factor over an interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Means {
    /// 2017 code.
    pub code: &'static str,
    /// Smallest value.
    pub min: Decimal,
    /// Mean of the normal values, or of all when there are too few.
    pub avg: Decimal,
    /// Largest value.
    pub max: Decimal,
    /// Data flag.
    pub flag: &'static str,
}

/// A simulated process with its instruments.
#[derive(Debug, Clone)]
pub struct Plant {
    kind: PlantKind,
    seed: u64,
    offset: UtcOffset,
    script: Script,
    /// Size against the table of its kind, ‰.
    size: i64,
}

/// What all channels of one minute share.
struct Minute {
    at_ms: i64,
    load: i64,
    fuel: i64,
    state: Option<Incident>,
    /// Oxygen without jitter, for dilution; the nominal one where there is no oxygen channel.
    dilution: (i64, i64),
}

impl Plant {
    /// A plant that differs from others of its kind by its seed. It keeps China's time.
    pub fn new(kind: PlantKind, seed: u64) -> Self {
        let size = 1_000 + white(mix(seed, 0x517E), 0) * 3 / 20;
        Self {
            kind,
            seed,
            offset: UtcOffset::default(),
            script: Script::default(),
            size,
        }
    }

    /// The same plant with things happening to it.
    #[must_use]
    pub fn with_script(mut self, script: Script) -> Self {
        self.script = script;
        self
    }

    /// The same plant with a flow of this many ‰ of what its kind usually has.
    #[must_use]
    pub fn with_flow(mut self, permille: i64) -> Self {
        self.size = self.size * permille.max(0) / 1_000;
        self
    }

    /// Its kind.
    pub fn kind(&self) -> PlantKind {
        self.kind
    }

    /// What happens to it.
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// The clock its days follow.
    pub fn offset(&self) -> UtcOffset {
        self.offset
    }

    /// Its factors, in the order sent.
    pub fn channels(&self) -> &'static [Channel] {
        channels::of(self.kind)
    }

    /// What every instrument reads at an instant.
    pub fn sample(&self, at: Timestamp) -> Vec<Reading> {
        let minute = self.minute(at.0.div_euclid(MINUTE_MS));
        let tick = at.0.div_euclid(SAMPLE_MS);
        self.channels()
            .iter()
            .zip(self.parts(&minute))
            .map(|(channel, part)| Reading {
                code: channel.code,
                value: decimal(channel, self.shown(channel, &part, tick)),
                flag: flag(channel, &minute),
            })
            .collect()
    }

    /// What a logger makes of `minutes` minutes from `start` (brought down to a whole minute).
    pub fn means(&self, start: Timestamp, minutes: u32) -> Vec<Means> {
        let first = start.0.div_euclid(MINUTE_MS);
        let mut sums: Vec<Sum> = self.channels().iter().map(|_| Sum::default()).collect();
        for minute in first..first + i64::from(minutes.max(1)) {
            let shared = self.minute(minute);
            let parts = self.parts(&shared);
            for ((channel, part), sum) in self.channels().iter().zip(parts).zip(&mut sums) {
                let ticks = minute * SAMPLES_PER_MINUTE;
                let mut of_minute = 0;
                for tick in ticks..ticks + SAMPLES_PER_MINUTE {
                    let value = self.shown(channel, &part, tick);
                    sum.extend(value);
                    of_minute += value;
                }
                sum.minute(
                    divide(of_minute, SAMPLES_PER_MINUTE),
                    flag(channel, &shared),
                );
            }
        }
        self.channels()
            .iter()
            .zip(sums)
            .map(|(channel, sum)| sum.finish(channel))
            .collect()
    }

    fn minute(&self, minute: i64) -> Minute {
        let at_ms = minute * MINUTE_MS;
        let at = Timestamp(at_ms);
        let load = self.load(at);
        let fuel = smooth(mix(self.seed, 1), at_ms, 90 * MINUTE_MS);
        let state = self.script.state(at).cloned();
        let mut shared = Minute {
            at_ms,
            load,
            fuel,
            state,
            dilution: (1, 1),
        };
        let oxygen = self
            .channels()
            .iter()
            .enumerate()
            .find(|(_, c)| c.law == Law::Oxygen);
        if let Some((index, channel)) = oxygen {
            let measured = self.slow(channel, index, &shared);
            shared.dilution = (AIR_O2 - measured, AIR_O2 - channel.base);
        }
        shared
    }

    /// Load, ‰ of full load.
    fn load(&self, at: Timestamp) -> i64 {
        let local = self.offset.local(at);
        let curve = channels::daily_load(self.kind);
        let (hour, minute) = (local.hour(), i64::from(local.minute()));
        let value = |hour: u32| {
            let index = usize::try_from(hour % 24).unwrap_or(0);
            curve.get(index).copied().unwrap_or(NOMINAL_LOAD)
        };
        let daily = value(hour) + (value(hour + 1) - value(hour)) * minute / 60;
        let slow = smooth(mix(self.seed, 2), at.0, 7 * HOUR_MS) * 40 / 1_000;
        let quick = smooth(mix(self.seed, 3), at.0, 12 * MINUTE_MS) * 12 / 1_000;
        (daily + slow + quick).clamp(0, 1_000)
    }

    /// The value of every channel at a minute, without jitter, and how far jitter goes.
    fn parts(&self, minute: &Minute) -> Vec<(i64, i64)> {
        let part = |(index, channel): (usize, &Channel)| {
            let slow = self.slow(channel, index, minute);
            self.disturbed(channel, slow, minute)
        };
        self.channels().iter().enumerate().map(part).collect()
    }

    fn slow(&self, channel: &Channel, index: usize, minute: &Minute) -> i64 {
        let own = mix(self.seed, 16 + u64::try_from(index).unwrap_or(0));
        let noise = smooth(own, minute.at_ms, 20 * MINUTE_MS);
        let parts = channel.load * (minute.load - NOMINAL_LOAD)
            + channel.fuel * minute.fuel
            + channel.own * noise;
        let size = if channel.law == Law::Flow {
            self.size
        } else {
            1_000
        };
        divide(
            divide(channel.base * (1_000_000 + parts), 1_000_000) * size,
            1_000,
        )
    }

    /// Value and jitter under what goes on.
    fn disturbed(&self, channel: &Channel, slow: i64, minute: &Minute) -> (i64, i64) {
        let at = Timestamp(minute.at_ms);
        let diluted = if channel.law == Law::Diluted {
            let (now, nominal) = minute.dilution;
            divide(slow * now.max(0), nominal.max(1))
        } else {
            slow
        };
        let value = divide(diluted * self.script.permille(channel.code, at), 1_000);
        let analyser = matches!(channel.law, Law::Diluted | Law::Analyser | Law::Oxygen);
        match (&minute.state, analyser) {
            (Some(Incident::Stopped), _) => (channel.stopped, 0),
            (Some(Incident::Fault), true) => (0, 0),
            (Some(Incident::Calibration), true) => (channel.range * 4 / 5, channel.base),
            _ => (value, value.abs()),
        }
    }

    /// The value at a tick, or the one at which the display stands still.
    fn shown(&self, channel: &Channel, part: &(i64, i64), tick: i64) -> i64 {
        let at = Timestamp(tick * SAMPLE_MS);
        let Some(since) = self.script.constant_since(channel.code, at) else {
            return self.tick(channel, part, tick);
        };
        // The last value before it began, from the process as it was then.
        let then = since.plus_ms(-1);
        let minute = self.minute(then.0.div_euclid(MINUTE_MS));
        let index = usize::from(channel.number).saturating_sub(1);
        let part = self.parts(&minute).get(index).copied().unwrap_or(*part);
        self.tick(channel, &part, then.0.div_euclid(SAMPLE_MS))
    }

    fn tick(&self, channel: &Channel, (slow, reach): &(i64, i64), tick: i64) -> i64 {
        let seed = mix(self.seed, 0x7E11 ^ u64::from(channel.number));
        let jitter = divide(reach * channel.jitter * white(seed, tick), 1_000_000);
        let value = slow + jitter;
        if channel.base < 0 {
            value
        } else {
            value.clamp(0, channel.range)
        }
    }
}

fn flag(channel: &Channel, minute: &Minute) -> &'static str {
    match &minute.state {
        Some(Incident::Stopped) => "F",
        Some(state) if channel.law.is_analysed() => state.flag().unwrap_or("N"),
        _ => "N",
    }
}

fn decimal(channel: &Channel, value: i64) -> Decimal {
    Decimal::new(value, channel.decimals)
}

/// Division rounded half away from zero; `by` is positive.
fn divide(value: i64, by: i64) -> i64 {
    let half = if value < 0 { -(by / 2) } else { by / 2 };
    (value + half) / by
}

#[derive(Default)]
struct Sum {
    extremes: Option<(i64, i64)>,
    normal: (i64, i64),
    all: (i64, i64),
    /// Minutes of each flag that is not N.
    others: Vec<(&'static str, i64)>,
}

impl Sum {
    fn extend(&mut self, value: i64) {
        let (min, max) = self.extremes.unwrap_or((value, value));
        self.extremes = Some((min.min(value), max.max(value)));
    }

    fn minute(&mut self, mean: i64, flag: &'static str) {
        self.all = (self.all.0 + mean, self.all.1 + 1);
        if flag == "N" {
            self.normal = (self.normal.0 + mean, self.normal.1 + 1);
        } else if let Some((_, count)) = self.others.iter_mut().find(|(own, _)| *own == flag) {
            *count += 1;
        } else {
            self.others.push((flag, 1));
        }
    }

    fn finish(self, channel: &Channel) -> Means {
        // A minute is as its one state is; an hour needs three quarters of normal minutes.
        let enough = self.normal.1 * 60 >= self.all.1 * VALID_MINUTES_MIN && self.normal.1 > 0;
        let (sum, count) = if enough { self.normal } else { self.all };
        let most = self
            .others
            .iter()
            .max_by_key(|(_, count)| *count)
            .map(|(flag, _)| *flag);
        let (min, max) = self.extremes.unwrap_or_default();
        Means {
            code: channel.code,
            min: decimal(channel, min),
            avg: decimal(channel, divide(sum, count.max(1)).clamp(min, max)),
            max: decimal(channel, max),
            flag: if enough { "N" } else { most.unwrap_or("D") },
        }
    }
}

#[cfg(test)]
mod tests;
