//! Commands of a centre, typed: what may be asked of a logger, in the words of each edition.
//!
//! [`Request`] is one command with its parameters. [`orders`] is the catalogue of an edition, from
//! which forms are made; [`Request::from_params`] takes a filled form. [`Request::build`] makes the
//! frame in the dialect of an edition and [`Request::read`] is its counterpart in the logger.
//!
//! What is known of HJ 212-2025 only at second hand stands in `edition_2025.rs`.

mod catalogue;
mod edition_2025;
mod fields;
mod read;
mod rows;
mod write;

use std::fmt;

use smol_str::SmolStr;
use thiserror::Error;

use super::build::BuildError;
use super::edition::Edition;
use super::fields::Item;
use super::time::LocalTime;

pub use catalogue::{Order, ParamKind, Parameter, Presence, Reply, order, orders};

/// A text that must not be shown: `Debug` prints `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(SmolStr);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(SmolStr::new(text))
    }

    /// The text itself, for the wire and for comparison only.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Which records a centre fetches (提取历史数据).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HistoryKind {
    /// Minute data, 2051.
    Minute,
    /// Hour data, 2061.
    Hour,
    /// Day data, 2031.
    Day,
    /// Running time of facilities per day, 2041.
    FacilityRunTime,
    /// Alarm records, 2071 (2005 only).
    Alarms,
    /// Raw periodic data, 2013 (2025 only, second-hand).
    Raw,
    /// Automatic standard checks, 2062 (2025 only, second-hand).
    StandardCheck,
}

impl HistoryKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Minute,
        Self::Hour,
        Self::Day,
        Self::FacilityRunTime,
        Self::Alarms,
        Self::Raw,
        Self::StandardCheck,
    ];

    /// The command code.
    #[must_use]
    pub fn cn(self) -> &'static str {
        match self {
            Self::Minute => "2051",
            Self::Hour => "2061",
            Self::Day => "2031",
            Self::FacilityRunTime => "2041",
            Self::Alarms => "2071",
            Self::Raw => "2013",
            Self::StandardCheck => "2062",
        }
    }

    /// The kind of a command code; `None` for codes that fetch no records.
    #[must_use]
    pub fn from_cn(cn: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.cn() == cn)
    }
}

/// Alarm limits of one factor (1022, 2005).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmLimits {
    /// Factor code.
    pub pol_id: SmolStr,
    /// `LowValue`, decimal text.
    pub low: SmolStr,
    /// `UpValue`, decimal text.
    pub up: SmolStr,
}

impl AlarmLimits {
    /// As both a request and an answer carry them.
    pub(super) fn item(&self) -> Item {
        let fields = [
            ("LowValue", self.low.as_str()),
            ("UpValue", self.up.as_str()),
        ];
        Item::factor(&self.pol_id, &fields)
    }
}

/// One command of a centre. Times have no fractions of a second; `pol_id` is a factor code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// 1000: time-out and number of retries of the logger.
    SetTimeouts {
        /// `OverTime`, seconds: 1 to 99 (2005: to 86400).
        over_time_s: u32,
        /// `ReCount`, 1 to 99.
        re_count: u32,
    },
    /// 1001 (2005): how long a limit is exceeded before the logger alarms.
    SetAlarmDelay {
        /// `WarnTime`; the standard's table gives no unit, loggers take minutes.
        warn_time: u32,
    },
    /// 1002 (2025, second-hand): gives the logger its device number.
    SetDeviceNumber {
        /// Logger the number is for (`i23005-Info`), from its 1001.
        logger: SmolStr,
        /// The new number, 24 hex digits; travels as `MN` of the header.
        mn: SmolStr,
    },
    /// 1011: reads the clock of the logger or of an instrument.
    GetTime {
        /// The instrument; `None` for the logger (2005 has no other).
        pol_id: Option<SmolStr>,
    },
    /// 1012: sets the clock of the logger or of an instrument.
    SetTime {
        /// The instrument; `None` for the logger (2005 has no other).
        pol_id: Option<SmolStr>,
        /// `SystemTime`: time to set, the site's wall clock.
        system_time: LocalTime,
    },
    /// 1014 (2025, second-hand): gives the logger a new encryption key.
    SetKey {
        /// `SKCreateTime`: when the key was made.
        created: LocalTime,
        /// `NewSK`: the key, 16 characters.
        key: Secret,
    },
    /// 1021 (2005): reads alarm limits.
    GetAlarmLimits {
        /// Factors; empty asks for all.
        pol_ids: Vec<SmolStr>,
    },
    /// 1022 (2005): sets alarm limits.
    SetAlarmLimits {
        /// One or more factors.
        limits: Vec<AlarmLimits>,
    },
    /// 1031 (2005): reads the address of the centre.
    GetCentreAddress,
    /// 1032 (2005): sets the address of the centre.
    SetCentreAddress {
        /// `AlarmTarget`: telephone number or address.
        target: SmolStr,
    },
    /// 1041 (2005): reads the time of the daily report.
    GetReportTime,
    /// 1042 (2005): sets the time of the daily report.
    SetReportTime {
        /// Hour, 0 to 23.
        hour: u8,
        /// Minute, 0 to 59.
        minute: u8,
    },
    /// 1061: reads the interval of real-time data.
    GetRealtimeInterval,
    /// 1062: sets the interval of real-time data.
    SetRealtimeInterval {
        /// `RtdInterval`, seconds: 30 to 3600.
        seconds: u32,
    },
    /// 1063: reads the interval of minute data.
    GetMinuteInterval,
    /// 1064: sets the interval of minute data.
    SetMinuteInterval {
        /// `MinInterval`, minutes: a divisor of an hour up to 30.
        minutes: u32,
    },
    /// 1072: sets the password of the logger.
    SetPassword {
        /// `NewPW` (2005: `PW` in the data area), six characters.
        new: Secret,
    },
    /// 2011: switches real-time uploads on.
    StartRealtime,
    /// 2012, a notice: switches real-time uploads off.
    StopRealtime,
    /// 2021: switches uploads of facility states on.
    StartFacility,
    /// 2022, a notice: switches uploads of facility states off.
    StopFacility,
    /// 2051, 2061, 2031, 2041, 2071, 2013, 2062: fetches records (补取).
    History {
        /// Which.
        kind: HistoryKind,
        /// `BeginTime`: first `DataTime` wanted.
        begin: LocalTime,
        /// `EndTime`: last `DataTime` wanted, included.
        end: LocalTime,
    },
    /// 3011: zero and span calibration.
    Calibrate {
        /// The instrument.
        pol_id: SmolStr,
        /// `CalibrationType` (2025, second-hand).
        kind: Option<SmolStr>,
    },
    /// 3012: takes a sample now.
    SampleNow {
        /// The instrument.
        pol_id: SmolStr,
    },
    /// 3013 in 2005: operates the device; the standard has no example.
    Operate {
        /// The instrument.
        pol_id: Option<SmolStr>,
    },
    /// 3013 since 2017: cleaning, blow-back.
    Clean {
        /// The instrument.
        pol_id: SmolStr,
    },
    /// 3014 in 2005: hours at which samples are taken.
    SetSamplingTimes {
        /// The instrument.
        pol_id: SmolStr,
        /// `CTime`, hours of the day, 0 to 23.
        hours: Vec<u8>,
    },
    /// 3014 in 2017: comparison sampling.
    CompareSampling {
        /// The instrument.
        pol_id: SmolStr,
    },
    /// 3015: keeps a sample on exceedance.
    KeepSampleOnExceedance,
    /// 3016 (2017): sets the sampling period.
    SetSamplingPeriod {
        /// The instrument.
        pol_id: SmolStr,
        /// `CstartTime`: hour, minute, second of the first sample.
        start: (u8, u8, u8),
        /// `Ctime`: hours between samples, 1 to 24.
        hours: u32,
    },
    /// 3017 (2017): reads the sampling period.
    GetSamplingPeriod {
        /// The instrument.
        pol_id: SmolStr,
    },
    /// 3018: reads how long a measurement takes.
    GetResultTime {
        /// The instrument.
        pol_id: SmolStr,
    },
    /// 3019: reads the serial number of an instrument.
    GetSerial {
        /// The instrument.
        pol_id: SmolStr,
    },
    /// 3020: reads a log, a state or a parameter.
    GetInfo {
        /// The instrument; `None` for the logger itself.
        pol_id: Option<SmolStr>,
        /// `InfoId`: information code, `i12001`.
        info_id: SmolStr,
        /// First and last time of a log.
        range: Option<(LocalTime, LocalTime)>,
    },
    /// 3021: sets a parameter.
    SetParameter {
        /// The instrument; `None` for the logger itself.
        pol_id: Option<SmolStr>,
        /// `InfoId`: parameter code, `i13004`.
        info_id: SmolStr,
        /// The new value.
        value: SmolStr,
    },
    /// 3022 (2025, second-hand): keeps a sample now.
    KeepSample {
        /// The instrument.
        pol_id: SmolStr,
    },
    /// 3024 (2025, second-hand): starts a standard check.
    StandardCheck {
        /// The instrument.
        pol_id: SmolStr,
    },
}

/// Header values of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestContext {
    /// Request number, 17 digits.
    pub qn: SmolStr,
    /// System code of the source, `31`.
    pub st: SmolStr,
    /// Password of the logger.
    pub pw: SmolStr,
    /// Device number.
    pub mn: SmolStr,
}

/// Why a request cannot be made or understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RequestError {
    /// The edition has no request with this number.
    #[error("edition {edition} has no request {cn:?}; choose another command or edition")]
    NotInEdition {
        /// The number.
        cn: SmolStr,
        /// The edition.
        edition: Edition,
    },
    /// A parameter is not there.
    #[error("parameter {name} is missing; give {expected}")]
    Missing {
        /// Its name.
        name: &'static str,
        /// What belongs there.
        expected: String,
    },
    /// A parameter has a value it may not have; the value of a secret is not repeated.
    #[error("parameter {name} is {value:?}; give {expected}")]
    Bad {
        /// Its name.
        name: &'static str,
        /// The value.
        value: String,
        /// What belongs there.
        expected: String,
    },
    /// The command has no such parameter.
    #[error("command {cn} has no parameter {name:?}; leave it out")]
    Unexpected {
        /// The number.
        cn: &'static str,
        /// Name as given.
        name: String,
    },
    /// The end lies before the beginning.
    #[error("EndTime {end} is before BeginTime {begin}; exchange them")]
    Backwards {
        /// `BeginTime`.
        begin: LocalTime,
        /// `EndTime`.
        end: LocalTime,
    },
    /// The frame cannot hold a text.
    #[error(transparent)]
    Frame(#[from] BuildError),
}

impl Request {
    /// The command code.
    #[must_use]
    pub fn cn(&self) -> &'static str {
        match self {
            Self::SetTimeouts { .. } => "1000",
            Self::SetAlarmDelay { .. } => "1001",
            Self::SetDeviceNumber { .. } => "1002",
            Self::GetTime { .. } => "1011",
            Self::SetTime { .. } => "1012",
            Self::SetKey { .. } => "1014",
            Self::GetAlarmLimits { .. } => "1021",
            Self::SetAlarmLimits { .. } => "1022",
            Self::GetCentreAddress => "1031",
            Self::SetCentreAddress { .. } => "1032",
            Self::GetReportTime => "1041",
            Self::SetReportTime { .. } => "1042",
            Self::GetRealtimeInterval => "1061",
            Self::SetRealtimeInterval { .. } => "1062",
            Self::GetMinuteInterval => "1063",
            Self::SetMinuteInterval { .. } => "1064",
            Self::SetPassword { .. } => "1072",
            Self::StartRealtime => "2011",
            Self::StopRealtime => "2012",
            Self::StartFacility => "2021",
            Self::StopFacility => "2022",
            Self::History { kind, .. } => kind.cn(),
            _ => self.control_cn(),
        }
    }

    /// The command code of what acts on instruments (3000 to 3999).
    fn control_cn(&self) -> &'static str {
        match self {
            Self::Calibrate { .. } => "3011",
            Self::SampleNow { .. } => "3012",
            Self::Operate { .. } | Self::Clean { .. } => "3013",
            Self::SetSamplingTimes { .. } | Self::CompareSampling { .. } => "3014",
            Self::KeepSampleOnExceedance => "3015",
            Self::SetSamplingPeriod { .. } => "3016",
            Self::GetSamplingPeriod { .. } => "3017",
            Self::GetResultTime { .. } => "3018",
            Self::GetSerial { .. } => "3019",
            Self::GetInfo { .. } => "3020",
            Self::SetParameter { .. } => "3021",
            Self::KeepSample { .. } => "3022",
            _ => "3024",
        }
    }

    /// Whether it is a notice (2012, 2022): confirmed with 9013, without 9011 and 9012.
    #[must_use]
    pub fn is_notice(&self) -> bool {
        matches!(self, Self::StopRealtime | Self::StopFacility)
    }
}
