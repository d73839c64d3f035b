//! A logger: turns readings into the frames of its edition, with its bad habits.

use super::channels::Channel;
use super::parcel::Parcel;
use super::plant::{Means, Reading};
use super::stack::Outfall;
use cems_core::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use cems_core::model::{RecordKind, Timestamp, UtcOffset};
use cems_protocols::hj212::{
    BuildError, BuildOptions, CrcStyle, Edition, FrameBuilder, Item, LengthStyle, LocalTime,
};
use chrono::{Datelike, Timelike};
use rust_decimal::Decimal;
use smol_str::{SmolStr, ToSmolStr, format_smolstr};

/// 2005 codes of the factors simulated here; the last number shifts the point (kPa to MPa).
const OLD_CODES: [(&str, &str, u32); 16] = [
    ("a34013", "01", 0),
    ("a21026", "02", 0),
    ("a21002", "03", 0),
    ("a21005", "04", 0),
    ("a21024", "08", 0),
    ("a19001", "S01", 0),
    ("a01011", "S02", 0),
    ("a01012", "S03", 0),
    ("a01013", "S08", 3),
    ("a01014", "S05", 0),
    ("w00000", "B01", 0),
    ("w01001", "001", 0),
    ("w01018", "011", 0),
    ("w21003", "060", 0),
    ("w21011", "101", 0),
    ("w21001", "065", 0),
];

/// What some devices send before their first frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Greeting {
    /// Nothing.
    #[default]
    None,
    /// The registration string of a mobile data unit.
    Registration,
    /// A keep-alive in HTTP.
    Http,
}

impl Greeting {
    /// The bytes.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Self::None => b"",
            Self::Registration => b"REG;SN=000000000001;CSQ=21\r\n",
            Self::Http => b"GET /alive HTTP/1.1\r\nHost: dtu.invalid\r\n\r\n",
        }
    }
}

/// Deviations met in the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirks {
    /// How the check code is computed and written.
    pub crc: CrcStyle,
    /// No CR LF behind a frame.
    pub no_line_end: bool,
    /// Every sub-field a device can send, so that minute and hour frames of many factors go over
    /// 1024 bytes and are split.
    pub verbose: bool,
    /// Writes come in pieces of at most this many bytes; 0: whole.
    pub piece_bytes_max: usize,
    /// Frames due together leave in one write (only where no answer is awaited).
    pub glued: bool,
    /// Every n-th frame is sent a second time; 0: none.
    pub duplicate_every: u32,
    /// The clock on real-time data is ahead by this much, ms, while archived data are right.
    pub realtime_ahead_ms: i64,
    /// What comes before the first frame of a connection.
    pub greeting: Greeting,
    /// `PolID` for `PolId`.
    pub pol_id_upper: bool,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            crc: CrcStyle::Hj212,
            no_line_end: false,
            verbose: false,
            piece_bytes_max: 0,
            glued: false,
            duplicate_every: 0,
            realtime_ahead_ms: 0,
            greeting: Greeting::None,
            pol_id_upper: false,
        }
    }
}

/// A logger and what it was set to.
#[derive(Debug, Clone)]
pub struct Station {
    /// Identity it sends.
    pub mn: SmolStr,
    /// Password it sends.
    pub password: SmolStr,
    /// Edition it speaks.
    pub edition: Edition,
    /// It waits for answers (bit 0 of the Flag; never in 2005, whose uploads have no QN).
    pub wants_answer: bool,
    /// Its outlet.
    pub outfall: Outfall,
    /// The factors it reports.
    pub channels: &'static [Channel],
    /// Its bad habits.
    pub quirks: Quirks,
    /// The clock it writes times by.
    pub offset: UtcOffset,
}

impl Station {
    /// Whether the logger waits for answers.
    pub fn awaits(&self) -> bool {
        self.wants_answer && self.edition != Edition::V2005
    }

    /// Real-time data (2011) of the instant `at`; `ahead_ms` is how wrong the clock is.
    ///
    /// # Errors
    /// See [`BuildError`]; only MN and password can cause one.
    pub fn realtime(
        &self,
        at: Timestamp,
        ahead_ms: i64,
        readings: &[Reading],
    ) -> Result<Parcel, BuildError> {
        let said = at.plus_ms(ahead_ms).plus_ms(self.quirks.realtime_ahead_ms);
        let o2 = readings
            .iter()
            .find(|r| r.code == "a19001")
            .map(|r| r.value);
        let items = readings.iter().map(|reading| {
            let channel = self.channel(reading.code);
            let mut fields = Vec::new();
            if self.quirks.verbose {
                fields.push(("SampleTime", self.local(said).digits14().into()));
            }
            fields.push(("Rtd", self.number(reading.code, reading.value)));
            if channel.is_some_and(Channel::is_pollutant)
                && let Some(value) = self.outfall.converted(reading.value, o2)
            {
                fields.push((
                    "ZsRtd",
                    self.number(reading.code, rounded(value, reading.value)),
                ));
            }
            self.flagged(&mut fields, reading.flag);
            self.item(reading.code, &fields)
        });
        let builder = self
            .builder("2011", said, 100)
            .data_time(&self.local(said).digits14());
        self.parcel(at, "2011", &builder.items(items))
    }

    /// Minute (2051), hour (2061) or day (2031) data of the interval from `start`, due `at`.
    ///
    /// # Errors
    /// As [`Station::realtime`].
    pub fn interval(
        &self,
        kind: RecordKind,
        (start, minutes): (Timestamp, u32),
        (at, ahead_ms): (Timestamp, i64),
        means: &[Means],
    ) -> Result<Parcel, BuildError> {
        let (cn, place) = match kind {
            RecordKind::Minute | RecordKind::Realtime => ("2051", 200),
            RecordKind::Hour => ("2061", 300),
            RecordKind::Day => ("2031", 400),
        };
        let volume = self.outfall.volume_m3(means, minutes);
        let o2 = means.iter().find(|m| m.code == "a19001").map(|m| m.avg);
        let items = means.iter().map(|mean| self.mean_item(mean, volume, o2));
        let said = at.plus_ms(ahead_ms);
        let begin = self.local(start.plus_ms(ahead_ms)).digits14();
        let builder = self.builder(cn, said, place).data_time(&begin);
        self.parcel(at, cn, &builder.items(items))
    }

    fn mean_item(&self, mean: &Means, volume: Option<Decimal>, o2: Option<Decimal>) -> Item {
        let channel = self.channel(mean.code);
        let mut fields = Vec::new();
        if let Some(cou) = channel.and_then(|c| self.outfall.cou(c, mean, volume)) {
            fields.push(("Cou", cou.to_smolstr()));
        }
        let values = [("Min", mean.min), ("Avg", mean.avg), ("Max", mean.max)];
        fields.extend(values.map(|(name, value)| (name, self.number(mean.code, value))));
        if channel.is_some_and(Channel::is_pollutant) {
            let mut names: Vec<_> = vec![("ZsAvg", mean.avg)];
            if self.quirks.verbose {
                names = vec![
                    ("ZsMin", mean.min),
                    ("ZsAvg", mean.avg),
                    ("ZsMax", mean.max),
                ];
            }
            for (name, value) in names {
                if let Some(converted) = self.outfall.converted(value, o2) {
                    fields.push((name, self.number(mean.code, rounded(converted, value))));
                }
            }
        }
        self.flagged(&mut fields, mean.flag);
        self.item(mean.code, &fields)
    }

    /// The logger has started (2081); later editions only.
    ///
    /// # Errors
    /// As [`Station::realtime`].
    pub fn boot(&self, at: Timestamp) -> Result<Option<Parcel>, BuildError> {
        if self.edition == Edition::V2005 {
            return Ok(None);
        }
        let time = self.local(at).digits14();
        let builder = self
            .builder("2081", at, 500)
            .data_time(&time)
            .item(Item::bare("RestartTime", &time));
        self.parcel(at, "2081", &builder).map(Some)
    }

    /// States of the treatment facilities (2021).
    ///
    /// # Errors
    /// As [`Station::realtime`].
    pub fn facilities(&self, at: Timestamp, running: bool) -> Result<Parcel, BuildError> {
        let state = if running { "1" } else { "0" };
        let builder = self
            .builder("2021", at, 510)
            .data_time(&self.local(at).digits14())
            .item(Item::factor("SB1", &[("RS", state)]))
            .item(Item::factor("SB2", &[("RS", state)]));
        self.parcel(at, "2021", &builder)
    }

    /// A heartbeat (9015), of 2025 only.
    ///
    /// # Errors
    /// As [`Station::realtime`].
    pub fn heartbeat(&self, at: Timestamp) -> Result<Option<Parcel>, BuildError> {
        if self.edition != Edition::V2025 {
            return Ok(None);
        }
        self.parcel(at, "9015", &self.builder("9015", at, 520))
            .map(Some)
    }

    /// Asks for the time (1013); later editions only.
    ///
    /// # Errors
    /// As [`Station::realtime`].
    pub fn time_request(&self, at: Timestamp) -> Result<Option<Parcel>, BuildError> {
        if self.edition == Edition::V2005 {
            return Ok(None);
        }
        self.parcel(at, "1013", &self.builder("1013", at, 530))
            .map(Some)
    }

    /// Serial number (3019) and state (3020) of the first instrument; later editions only.
    ///
    /// # Errors
    /// As [`Station::realtime`].
    pub fn identity(&self, at: Timestamp) -> Result<Vec<Parcel>, BuildError> {
        let Some(channel) = self
            .channels
            .first()
            .filter(|_| self.edition != Edition::V2005)
        else {
            return Ok(Vec::new());
        };
        let time = self.local(at).digits14();
        let pol_id = if self.quirks.pol_id_upper {
            "PolID"
        } else {
            "PolId"
        };
        let serial = format_smolstr!(
            "SIM-{:0>6}",
            self.mn.get(self.mn.len() - 3..).unwrap_or("0")
        );
        let serial = self
            .builder("3019", at, 540)
            .data_time(&time)
            .item(Item::bare(pol_id, channel.code))
            .item(Item::factor(channel.code, &[("SN", &serial)]));
        let state = self
            .builder("3020", at, 550)
            .data_time(&time)
            .item(Item::bare(pol_id, channel.code))
            .item(Item::factor("i12001", &[("Info", "0")]));
        Ok(vec![
            self.parcel(at, "3019", &serial)?,
            self.parcel(at, "3020", &state)?,
        ])
    }

    fn parcel(
        &self,
        due: Timestamp,
        cn: &'static str,
        builder: &FrameBuilder,
    ) -> Result<Parcel, BuildError> {
        let options = BuildOptions {
            crc: self.quirks.crc,
            crlf: !self.quirks.no_line_end,
            length: LengthStyle::Right,
        };
        let marks = self.edition == Edition::V2025 && RESENT.contains(&cn);
        Parcel::new(due, cn, (builder, &options), self.awaits(), marks)
    }

    /// The header. `place` keeps frames of the same second apart by their milliseconds.
    fn builder(&self, cn: &str, said: Timestamp, place: u16) -> FrameBuilder {
        let st = match self.outfall {
            Outfall::Stack { .. } => "31",
            Outfall::Discharge => "32",
        };
        let builder = FrameBuilder::new(self.edition, st, cn)
            .pw(&self.password)
            .mn(&self.mn);
        if self.edition == Edition::V2005 {
            return builder;
        }
        let mut time = self.local(said);
        time.millis = place;
        builder.qn_time(time).answer_wanted(self.awaits())
    }

    fn flagged(&self, fields: &mut Vec<(&'static str, SmolStr)>, flag: &'static str) {
        // Loggers of 2005 say something only when something is wrong.
        if self.edition != Edition::V2005 || flag != "N" {
            fields.push(("Flag", SmolStr::new_static(flag)));
        }
        if self.quirks.verbose {
            fields.push(("EFlag", SmolStr::new_static("0000")));
        }
    }

    fn item(&self, code: &str, fields: &[(&'static str, SmolStr)]) -> Item {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        Item::factor(self.code(code).0, &fields)
    }

    fn channel(&self, code: &str) -> Option<&'static Channel> {
        self.channels.iter().find(|channel| channel.code == code)
    }

    fn code<'a>(&self, code: &'a str) -> (&'a str, u32) {
        let old = OLD_CODES.iter().filter(|_| self.edition == Edition::V2005);
        old.into_iter()
            .find(|(new, _, _)| *new == code)
            .map_or((code, 0), |(_, old, shift)| (*old, *shift))
    }

    fn number(&self, code: &str, value: Decimal) -> SmolStr {
        let (_, shift) = self.code(code);
        (value * Decimal::new(1, shift)).to_smolstr()
    }

    fn local(&self, at: Timestamp) -> LocalTime {
        let local = self.offset.local(at);
        // Chrono keeps each part within what LocalTime holds; the year of a clock that is
        // centuries off reads as 0 and the frame as one without a date.
        LocalTime {
            year: u16::try_from(local.year()).unwrap_or(0),
            month: u8::try_from(local.month()).unwrap_or(0),
            day: u8::try_from(local.day()).unwrap_or(0),
            hour: u8::try_from(local.hour()).unwrap_or(0),
            minute: u8::try_from(local.minute()).unwrap_or(0),
            second: u8::try_from(local.second()).unwrap_or(0),
            millis: 0,
        }
    }
}

/// Uploads that RF may mark.
const RESENT: [&str; 5] = ["2011", "2051", "2061", "2031", "2021"];

/// A computed value with the digits of the one it comes from.
fn rounded(value: Decimal, like: Decimal) -> Decimal {
    let mut value = value.round_dp(like.scale());
    value.rescale(like.scale());
    value
}

/// The interval that ended last before or at `at`: its start and its minutes.
pub fn interval_before(
    kind: RecordKind,
    at: Timestamp,
    minute_min: u32,
    offset: UtcOffset,
) -> (Timestamp, u32) {
    let (length_ms, shift) = match kind {
        RecordKind::Realtime | RecordKind::Minute => (i64::from(minute_min.max(1)) * MINUTE_MS, 0),
        RecordKind::Hour => (HOUR_MS, i64::from(offset.minutes()) * MINUTE_MS),
        RecordKind::Day => (DAY_MS, i64::from(offset.minutes()) * MINUTE_MS),
    };
    let end = (at.0 + shift).div_euclid(length_ms) * length_ms - shift;
    let minutes = u32::try_from(length_ms / MINUTE_MS).unwrap_or(1);
    (Timestamp(end - length_ms), minutes)
}

#[cfg(test)]
mod tests;
