//! Records as they reach the engine: codes and units already those of HJ 212-2017, original texts
//! kept beside the numbers.

use super::ids::{FactorCode, OutletId};
use super::time::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Kind of a data record (HJ 212-2017 table 9: CN 2011, 2051, 2061, 2031).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordKind {
    /// Real-time value (实时数据, CN 2011): an instant.
    Realtime,
    /// Minute data (分钟数据, CN 2051): the start of the interval.
    Minute,
    /// Hour data (小时数据, CN 2061): the start of the hour.
    Hour,
    /// Day data (日数据, CN 2031): the start of the day (2005 devices: an instant in it).
    Day,
}

impl RecordKind {
    /// All kinds.
    pub const ALL: [RecordKind; 4] = [Self::Realtime, Self::Minute, Self::Hour, Self::Day];

    /// The name used in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Realtime => "realtime",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

/// An exact number with the text the device sent for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    /// The value in the unit of HJ 212-2017 for the factor (converted from 2005 units if need be).
    pub value: Decimal,
    /// The characters as sent, before any conversion.
    pub text: SmolStr,
}

/// Data flag (数据标记, HJ 212-2017 table 8): state letter sent with a value. Letters outside the
/// table are kept; whether a flag counts as valid is decided by the rule profile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Flag(pub SmolStr);

impl Flag {
    /// `N`: normal.
    pub const NORMAL: &'static str = "N";
    /// `F`: stopped (停运).
    pub const STOPPED: &'static str = "F";
}

/// One factor of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// The factor by its 2017 code.
    pub factor: FactorCode,
    /// The code as sent, when it differs from `factor` (2005 code, other case).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_as: Option<SmolStr>,
    /// `-Rtd`: real-time value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtd: Option<Number>,
    /// `-Avg`: mean of the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avg: Option<Number>,
    /// `-Min`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// `-Max`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
    /// `-Cou`: amount of the interval in the factor's unit for totals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cou: Option<Number>,
    /// `-ZsRtd` or `-ZsAvg`: value converted to reference O2 by the station.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub converted: Option<Number>,
    /// `-Flag`; `None` when the device sent none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<Flag>,
    /// A field that should have been a number and was not, as `name=text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<SmolStr>,
}

/// One record (数据记录): an outlet, a kind, a time, and its factors. A split record arrives as
/// several of these with the same key; they merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Whose it is.
    pub outlet: OutletId,
    /// Which kind.
    pub kind: RecordKind,
    /// DataTime: start of the interval, or the instant for real-time data.
    pub start: Timestamp,
    /// The device marked it as re-sent (RF=1, HJ 212-2025).
    pub resent: bool,
    /// Its factors, in the order sent.
    pub values: Vec<Value>,
}

impl Value {
    /// The figure the interval is judged by: the mean, else the real-time value.
    pub fn figure(&self) -> Option<&Number> {
        self.avg.as_ref().or(self.rtd.as_ref())
    }
}
