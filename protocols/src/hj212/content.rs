//! The typed view of a message: what it says, by command code and edition.

use smol_str::SmolStr;

use super::command::{Kind, command};
use super::data::data_record;
use super::edition::Edition;
use super::fields::{Item, Message};
use super::time::LocalTime;
use super::uploads_2025::{self, RawValue, StandardCheckResult};

/// Which interval the values of a [`DataRecord`] cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataKind {
    /// Real-time data (实时数据, CN 2011): `DataTime` is the instant.
    Realtime,
    /// Minute data (分钟数据, CN 2051): `DataTime` is the start of the interval (2017).
    Minute,
    /// Hour data (小时数据, CN 2061): `DataTime` is the start of the hour (2017).
    Hour,
    /// Day data (日数据, CN 2031): `DataTime` is the start of the day (2017).
    Day,
}

impl DataKind {
    /// The kind a command code uploads; `None` for codes that upload no such data.
    #[must_use]
    pub fn from_cn(cn: &str) -> Option<Self> {
        match cn {
            "2011" => Some(Self::Realtime),
            "2051" => Some(Self::Minute),
            "2061" => Some(Self::Hour),
            "2031" => Some(Self::Day),
            _ => None,
        }
    }

    /// The command code.
    #[must_use]
    pub fn cn(self) -> &'static str {
        match self {
            Self::Realtime => "2011",
            Self::Minute => "2051",
            Self::Hour => "2061",
            Self::Day => "2031",
        }
    }
}

/// Values of one data time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataRecord {
    /// What the values cover.
    pub kind: DataKind,
    /// `DataTime`; `None` when it is absent or no real date.
    pub data_time: Option<LocalTime>,
    /// One entry per factor, in order of first appearance. A factor that repeats a sub-field gets
    /// a second entry (two devices of the same kind under one code).
    pub values: Vec<DataValue>,
    /// Bare fields other than `DataTime` and a shared `Flag`, in order.
    pub extra: Vec<(SmolStr, SmolStr)>,
}

/// What one factor reports. Every text is the original one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataValue {
    /// Factor code as sent.
    pub code: SmolStr,
    /// Instantaneous value (`-Rtd`).
    pub rtd: Option<SmolStr>,
    /// Smallest value of the interval (`-Min`).
    pub min: Option<SmolStr>,
    /// Mean of the interval (`-Avg`).
    pub avg: Option<SmolStr>,
    /// Largest value of the interval (`-Max`).
    pub max: Option<SmolStr>,
    /// Amount of the interval (`-Cou`).
    pub cou: Option<SmolStr>,
    /// Converted instantaneous value (折算, `-ZsRtd`).
    pub zs_rtd: Option<SmolStr>,
    /// Converted smallest value (`-ZsMin`).
    pub zs_min: Option<SmolStr>,
    /// Converted mean (`-ZsAvg`).
    pub zs_avg: Option<SmolStr>,
    /// Converted largest value (`-ZsMax`).
    pub zs_max: Option<SmolStr>,
    /// Data flag (数据标记, `-Flag`); a shared bare `Flag` is copied to the factors without one.
    pub flag: Option<SmolStr>,
    /// The maker's flag (`-EFlag`).
    pub eflag: Option<SmolStr>,
    /// Time of sampling (`-SampleTime`).
    pub sample_time: Option<LocalTime>,
    /// Noise value of the interval (`-Data`).
    pub data: Option<SmolStr>,
    /// Noise value of daytime (`-DayData`).
    pub day_data: Option<SmolStr>,
    /// Noise value of night (`-NightData`).
    pub night_data: Option<SmolStr>,
    /// Sub-fields without a place above, in order.
    pub extra: Vec<(SmolStr, SmolStr)>,
}

impl DataValue {
    /// Whether any measured value is there, not only flags and times.
    #[must_use]
    pub fn has_value(&self) -> bool {
        let values = [
            &self.rtd,
            &self.min,
            &self.avg,
            &self.max,
            &self.cou,
            &self.zs_rtd,
            &self.zs_min,
            &self.zs_avg,
            &self.zs_max,
            &self.data,
            &self.day_data,
            &self.night_data,
        ];
        values.into_iter().any(Option::is_some) || !self.extra.is_empty()
    }
}

/// State of one treatment facility (污染治理设施, `SBn-RS`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacilityState {
    /// Facility, for instance `SB1`.
    pub facility: SmolStr,
    /// 0 off, 1 running; since 2017 also 2 calibration, 3 maintenance, 4 alarm, 5 blow-back.
    pub state: SmolStr,
}

/// Running time of one treatment facility on one day (`SBn-RT`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacilityRunTime {
    /// Facility, for instance `SB1`.
    pub facility: SmolStr,
    /// Hours, 0 to 24.
    pub hours: SmolStr,
}

/// Which answer a device or a centre gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    /// 9011: the request is accepted or refused (`QnRtn`).
    Request,
    /// 9012: the request was executed or not (`ExeRtn`).
    Execution,
    /// 9013: a notice has arrived.
    Notice,
    /// 9014: data have arrived.
    Data,
}

/// What a message says. Times are `None` when absent or no real date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Measured values (2011, 2051, 2061, 2031).
    Data(DataRecord),
    /// States of treatment facilities (2021).
    Facility {
        /// `DataTime`.
        time: Option<LocalTime>,
        /// One entry per facility.
        states: Vec<FacilityState>,
    },
    /// Running times of treatment facilities on one day (2041).
    FacilityRunTime {
        /// `DataTime`: start of the day.
        time: Option<LocalTime>,
        /// One entry per facility.
        run_times: Vec<FacilityRunTime>,
    },
    /// The logger has started (2081).
    Boot {
        /// `DataTime`.
        time: Option<LocalTime>,
        /// `RestartTime`: when it started.
        restart_time: Option<LocalTime>,
    },
    /// Sign of life (9015).
    Heartbeat,
    /// The device asks for the time (1013).
    TimeRequest {
        /// The instrument that asks; `None` for the logger itself.
        pol_id: Option<SmolStr>,
    },
    /// Serial number of an instrument (3019).
    Serial {
        /// `DataTime`; only in uploads by the device's own will.
        time: Option<LocalTime>,
        /// `PolId`: the factor the instrument measures.
        pol_id: Option<SmolStr>,
        /// Factor and serial number (`-SN`).
        serials: Vec<(SmolStr, SmolStr)>,
    },
    /// Logs, states and parameters of instruments and logger (3020).
    FieldInfo {
        /// `DataTime`.
        time: Option<LocalTime>,
        /// `PolId`: the factor the instrument measures.
        pol_id: Option<SmolStr>,
        /// Information code (`i12001`) and its text without the `//` around log texts.
        infos: Vec<(SmolStr, SmolStr)>,
    },
    /// Alarm of the device's own (2072, and records of them, 2071; 2005 only).
    AlarmEvent {
        /// `AlarmTime`, or `DataTime` in a record.
        time: Option<LocalTime>,
        /// Factor and value (`-Ala`).
        values: Vec<(SmolStr, SmolStr)>,
        /// `AlarmType`: 1 exceedance, 0 back to normal.
        alarm_type: Option<SmolStr>,
    },
    /// A sample was kept (3015 as an upload).
    SampleKept {
        /// `DataTime`.
        time: Option<LocalTime>,
        /// `VaseNo`: number of the bottle.
        bottle: Option<SmolStr>,
    },
    /// Values the centre had asked for (1011, 1021, 1031, 1041, 1061, 1063, 3017, 3018).
    Parameters(Vec<Item>),
    /// Hardware identity of the logger (1001, 2025): information code and text.
    Identity(Vec<(SmolStr, SmolStr)>),
    /// The device asks for a new encryption key (1014, 2025).
    KeyRequest {
        /// `SKCreateTime`: when the present key was made.
        created: Option<LocalTime>,
    },
    /// Raw periodic data (2013, 2025).
    Raw {
        /// `DataTime`.
        time: Option<LocalTime>,
        /// One entry per factor.
        values: Vec<RawValue>,
    },
    /// A single noise measurement (2052, 2025).
    Noise {
        /// `DataTime`.
        time: Option<LocalTime>,
        /// Noise quantity (`Leq`, `L10`) and its value (`-Data`).
        values: Vec<(SmolStr, SmolStr)>,
    },
    /// Automatic standard checks (2062, 2025).
    StandardChecks {
        /// `DataTime`.
        time: Option<LocalTime>,
        /// One entry per factor.
        checks: Vec<StandardCheckResult>,
    },
    /// Furnace temperatures, means of five minutes (2111, 2025).
    FurnaceTemperature {
        /// `DataTime`.
        time: Option<LocalTime>,
        /// Factor and mean (`-Avg`), degrees Celsius.
        values: Vec<(SmolStr, SmolStr)>,
    },
    /// An answer (9011 to 9014).
    Answer {
        /// Which one.
        kind: AnswerKind,
        /// The request, notice or data it answers: header QN, or the QN inside the data area
        /// (2005).
        qn: Option<SmolStr>,
        /// `QnRtn` or `ExeRtn`; 9013 and 9014 have none by the standard.
        result: Option<u32>,
    },
    /// A command of a centre, seen on the wire.
    Request {
        /// The command code.
        cn: SmolStr,
    },
    /// Anything else: private commands, encrypted data areas, damage.
    Other,
}

/// The typed view of a message. Never fails: what has no shape is [`Content::Other`].
#[must_use]
pub fn content(msg: &Message) -> Content {
    let cn = msg.cn();
    if let Some(answer) = answer_content(msg, cn) {
        return answer;
    }
    match cn {
        "9015" => return Content::Heartbeat,
        "1013" => {
            return Content::TimeRequest {
                pol_id: text(msg, "PolId"),
            };
        }
        _ if msg.encrypted => return Content::Other,
        _ => {}
    }
    if is_request(msg, cn) {
        return Content::Request {
            cn: SmolStr::new(cn),
        };
    }
    if let Some(kind) = DataKind::from_cn(cn) {
        return Content::Data(data_record(msg, kind));
    }
    upload(msg, cn)
}

/// What the device tells besides measured values.
fn upload(msg: &Message, cn: &str) -> Content {
    let data_time = time(msg, "DataTime");
    match cn {
        "2021" => Content::Facility {
            time: data_time,
            states: sub_fields(msg, "RS", |facility, state| FacilityState {
                facility,
                state,
            }),
        },
        "2041" => Content::FacilityRunTime {
            time: data_time,
            run_times: sub_fields(msg, "RT", |facility, hours| FacilityRunTime {
                facility,
                hours,
            }),
        },
        "2081" => Content::Boot {
            time: data_time,
            restart_time: time(msg, "RestartTime"),
        },
        "3019" => Content::Serial {
            time: data_time,
            pol_id: text(msg, "PolId"),
            serials: sub_fields(msg, "SN", |code, serial| (code, serial)),
        },
        "3020" => Content::FieldInfo {
            time: data_time,
            pol_id: text(msg, "PolId"),
            infos: infos(msg),
        },
        "2071" | "2072" => Content::AlarmEvent {
            time: time(msg, "AlarmTime").or(data_time),
            values: sub_fields(msg, "Ala", |code, value| (code, value)),
            alarm_type: text(msg, "AlarmType"),
        },
        "3015" => Content::SampleKept {
            time: data_time,
            bottle: text(msg, "VaseNo"),
        },
        "1001" => Content::Identity(infos(msg)),
        "1014" => Content::KeyRequest {
            created: time(msg, "SKCreateTime"),
        },
        "1011" | "1021" | "1031" | "1041" | "1061" | "1063" | "3017" | "3018" => {
            Content::Parameters(msg.items.clone())
        }
        _ => uploads_2025::content(msg, cn).unwrap_or(Content::Other),
    }
}

fn answer_content(msg: &Message, cn: &str) -> Option<Content> {
    let (kind, result) = match cn {
        "9011" => (AnswerKind::Request, "QnRtn"),
        "9012" => (AnswerKind::Execution, "ExeRtn"),
        "9013" => (AnswerKind::Notice, "QnRtn"),
        "9014" => (AnswerKind::Data, "QnRtn"),
        _ => return None,
    };
    Some(Content::Answer {
        kind,
        qn: msg.header.qn.clone().or_else(|| text(msg, "QN")),
        result: text(msg, result).and_then(|value| value.parse().ok()),
    })
}

/// Whether the message is a centre's command and not the device's reply with the same number.
fn is_request(msg: &Message, cn: &str) -> bool {
    let has = |name: &str| msg.bare(name).is_some();
    match cn {
        "2012" | "2022" => true,
        "2011" | "2021" => msg.items.is_empty(),
        "2013" | "2031" | "2041" | "2051" | "2061" | "2062" | "2071" => {
            !has("DataTime") && (msg.items.is_empty() || has("BeginTime") || has("EndTime"))
        }
        "1001" => msg.edition == Edition::V2005 || !msg.has_field("Info"),
        "1011" => !has("SystemTime"),
        "1014" => has("NewSK"),
        "1021" => !msg.has_field("LowValue") && !msg.has_field("UpValue"),
        "1031" => !has("AlarmTarget") && !has("ReportTarget"),
        "1041" => !has("ReportTime"),
        "1061" => !has("RtdInterval"),
        "1063" => !has("MinInterval"),
        "3015" => !has("DataTime") && !has("VaseNo"),
        "3017" => !has("CstartTime") && !has("Ctime"),
        "3018" => !has("Stime"),
        "3019" => !msg.has_field("SN"),
        "3020" => !msg.has_field("Info"),
        _ => command(cn, msg.edition).is_some_and(|row| row.kind == Kind::Request),
    }
}

pub(super) fn text(msg: &Message, name: &str) -> Option<SmolStr> {
    msg.bare(name).filter(|value| !value.is_empty()).cloned()
}

pub(super) fn time(msg: &Message, name: &str) -> Option<LocalTime> {
    msg.bare(name).and_then(|value| LocalTime::parse(value))
}

pub(super) fn sub_fields<T>(
    msg: &Message,
    field: &str,
    make: impl Fn(SmolStr, SmolStr) -> T,
) -> Vec<T> {
    let value = |item: &Item| {
        item.get(field)
            .map(|value| make(item.name.clone(), value.clone()))
    };
    msg.items.iter().filter_map(value).collect()
}

/// Information codes with their texts; log texts lose the `//` around them.
fn infos(msg: &Message) -> Vec<(SmolStr, SmolStr)> {
    sub_fields(msg, "Info", |code, value| {
        let inner = value
            .strip_prefix("//")
            .and_then(|rest| rest.strip_suffix("//"));
        (code, inner.map_or(value.clone(), SmolStr::new))
    })
}
