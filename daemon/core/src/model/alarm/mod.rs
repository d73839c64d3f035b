//! Alarms: something that needs a person to answer.

mod kind;
mod state;

pub use kind::AlarmKind;
pub use state::{AlarmState, OUT_OF_SERVICE};

use super::ids::{AlarmId, EnterpriseId, FactorCode, LimitId, OutletId, RegionId, Seq, UserId};
use super::time::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

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
    /// Answer when there is time.
    Low,
}

impl Priority {
    /// Every priority, most urgent first.
    pub const ALL: [Priority; 4] = [Self::Urgent, Self::High, Self::Normal, Self::Low];

    /// The name in files, the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
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
    /// A region as a whole: its line, or the authority that has a duty there.
    Region(RegionId),
    /// This daemon itself, by the part that is in trouble.
    Daemon(SmolStr),
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
    /// Until when it holds while the condition does; `None`: until the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// An alarm put aside by a person for a limited time (搁置).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelving {
    /// When.
    pub at: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Who.
    pub by: UserId,
    /// Why.
    pub note: String,
}

/// Why an alarm is suppressed by design (设计抑制) or out of service (退出服务).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Since when.
    pub at: Timestamp,
    /// Code of the reason: `stopped`, `maintenance`, `outage`, or `out-of-service`.
    pub why: SmolStr,
    /// The alarm that stands for it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covered_by: Option<AlarmId>,
}

/// A kind of alarm of one outlet that a person took out of service (退出服务), or put back; key is
/// outlet and kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmServiceRow {
    /// Whose alarms.
    pub outlet: OutletId,
    /// Which kind.
    pub kind: AlarmKind,
    /// Out of service (true) or back.
    pub out: bool,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: UserId,
    /// Why.
    pub note: String,
    /// Journal position.
    pub seq: Seq,
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

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "signature asked for by serde"
)]
fn is_none_yet(n: &u32) -> bool {
    *n == 0
}

impl AlarmRow {
    /// A new alarm about `subject` whose cause began when it was raised; what else is known is set
    /// by the caller.
    pub fn raised(
        id: AlarmId,
        kind: AlarmKind,
        subject: AlarmSubject,
        at: Timestamp,
        seq: Seq,
    ) -> Self {
        Self {
            id,
            kind,
            priority: kind.priority(),
            subject,
            enterprise: None,
            factor: None,
            limit: None,
            since: at,
            raised_at: at,
            updated_at: at,
            value: None,
            threshold: None,
            count: 1,
            active: true,
            returned_at: None,
            acknowledged: None,
            answered_at: None,
            closed: None,
            previous: None,
            region: None,
            code: None,
            first_out: None,
            shelved: None,
            suppressed: None,
            escalated: 0,
            rearmed: 0,
            chattering: false,
            outlets: 0,
            facts: BTreeMap::new(),
            raised_seq: seq,
            updated_seq: seq,
        }
    }
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
    /// When somebody first took notice; an acknowledgement that runs out does not take it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// Who closed it.
    pub closed: Option<Closure>,
    /// The previous occurrence of the same condition.
    pub previous: Option<AlarmId>,
    /// Region concerned, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionId>,
    /// Which of its kind: number of a check, letter of a flag, kind of record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<SmolStr>,
    /// The first alarm of the cascade this one belongs to (首出), when it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_out: Option<AlarmId>,
    /// Put aside by a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shelved: Option<Shelving>,
    /// Suppressed by design or out of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<Suppression>,
    /// Steps of the escalation that have been taken.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub escalated: u32,
    /// Times it was armed again after an acknowledgement or a shelving ran out.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub rearmed: u32,
    /// It came and went too often and is held until it has been quiet (抖动).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub chattering: bool,
    /// Outlets an outage covers, or has covered; 0 for other kinds.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub outlets: u32,
    /// Further facts for the text, by name (sorted).
    pub facts: BTreeMap<String, String>,
    /// Journal position that raised it.
    pub raised_seq: Seq,
    /// Journal position of the last change.
    pub updated_seq: Seq,
}
