//! Alarms: something that needs a person to answer.

use super::ids::{AlarmId, EnterpriseId, FactorCode, LimitId, OutletId, Seq, UserId};
use super::time::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Kinds of alarm. One list: code, priority and texts hang on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AlarmKind {
    /// An hour mean is over its limit.
    #[serde(rename = "exceedance.hour")]
    ExceedanceHour,
    /// A day mean is over its limit.
    #[serde(rename = "exceedance.day")]
    ExceedanceDay,
    /// A total has reached a warning share of the permitted amount.
    #[serde(rename = "amount.warning")]
    AmountWarning,
    /// A total is over the permitted amount.
    #[serde(rename = "amount.exceeded")]
    AmountExceeded,
    /// An outlet of the registry is silent.
    #[serde(rename = "data.none")]
    NoData,
    /// Impossible values from an outlet.
    #[serde(rename = "data.impossible")]
    ImpossibleValue,
    /// Many frames with a wrong CRC from one source.
    #[serde(rename = "intake.crc-storm")]
    CrcStorm,
    /// A logger that the registry does not know.
    #[serde(rename = "intake.unknown-mn")]
    UnknownMn,
    /// A logger with a wrong password or from a forbidden address.
    #[serde(rename = "intake.wrong-password")]
    WrongPassword,
    /// A manual report of a fallback is overdue.
    #[serde(rename = "fallback.overdue")]
    ManualReportOverdue,
}

/// Priority of an alarm, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Answer at once.
    Urgent,
    /// Answer within the shift.
    High,
    /// Answer within the day.
    Normal,
}

impl AlarmKind {
    /// Every kind.
    pub const ALL: [AlarmKind; 10] = [
        Self::ExceedanceHour,
        Self::ExceedanceDay,
        Self::AmountWarning,
        Self::AmountExceeded,
        Self::NoData,
        Self::ImpossibleValue,
        Self::CrcStorm,
        Self::UnknownMn,
        Self::WrongPassword,
        Self::ManualReportOverdue,
    ];

    /// The code in the store, the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExceedanceHour => "exceedance.hour",
            Self::ExceedanceDay => "exceedance.day",
            Self::AmountWarning => "amount.warning",
            Self::AmountExceeded => "amount.exceeded",
            Self::NoData => "data.none",
            Self::ImpossibleValue => "data.impossible",
            Self::CrcStorm => "intake.crc-storm",
            Self::UnknownMn => "intake.unknown-mn",
            Self::WrongPassword => "intake.wrong-password",
            Self::ManualReportOverdue => "fallback.overdue",
        }
    }

    /// How urgent it is.
    pub fn priority(self) -> Priority {
        match self {
            Self::ExceedanceHour
            | Self::ExceedanceDay
            | Self::AmountExceeded
            | Self::ManualReportOverdue => Priority::Urgent,
            Self::NoData | Self::AmountWarning | Self::WrongPassword => Priority::High,
            Self::ImpossibleValue | Self::CrcStorm | Self::UnknownMn => Priority::Normal,
        }
    }
}

impl Priority {
    /// Every priority, most urgent first.
    pub const ALL: [Priority; 3] = [Self::Urgent, Self::High, Self::Normal];

    /// The name in files, the store, the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::High => "high",
            Self::Normal => "normal",
        }
    }
}

/// What an alarm is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "lowercase")]
pub enum AlarmSubject {
    /// An outlet of the registry.
    Outlet(OutletId),
    /// An enterprise as a whole: the total over all its outlets.
    Enterprise(EnterpriseId),
    /// A logger identity that belongs to no outlet.
    Device(SmolStr),
    /// A network peer that could not be identified, by its address without port.
    Peer(SmolStr),
}

/// An acknowledgement (确认).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: UserId,
    /// Their words.
    pub note: String,
}

/// The end of an alarm (关闭) with its conclusion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: UserId,
    /// The conclusion.
    pub conclusion: String,
}

/// One alarm as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmRow {
    /// Identity.
    pub id: AlarmId,
    /// Kind.
    pub kind: AlarmKind,
    /// Priority at the time it was raised.
    pub priority: Priority,
    /// What it is about.
    pub subject: AlarmSubject,
    /// Enterprise concerned, when there is one.
    pub enterprise: Option<EnterpriseId>,
    /// Factor concerned.
    pub factor: Option<FactorCode>,
    /// Limit broken.
    pub limit: Option<LimitId>,
    /// Start of the cause: first period over the limit, last sign of life, opening of the gap.
    pub since: Timestamp,
    /// When the engine raised it.
    pub raised_at: Timestamp,
    /// When the condition was last seen or changed.
    pub updated_at: Timestamp,
    /// The figure that matters now (mean, total, share), exact.
    pub value: Option<Decimal>,
    /// What it is held against.
    pub threshold: Option<Decimal>,
    /// Periods, frames or values that fell under the condition.
    pub count: u64,
    /// The condition holds.
    pub active: bool,
    /// When the condition went away.
    pub returned_at: Option<Timestamp>,
    /// Who took notice.
    pub acknowledged: Option<Acknowledgement>,
    /// Who closed it.
    pub closed: Option<Closure>,
    /// The previous occurrence of the same condition.
    pub previous: Option<AlarmId>,
    /// Further facts for the text, by name (sorted).
    pub facts: BTreeMap<String, String>,
    /// Journal position that raised it.
    pub raised_seq: Seq,
    /// Journal position of the last change.
    pub updated_seq: Seq,
}
