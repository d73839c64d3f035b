//! Marks (标记): what the enterprise states about a period, with its evidence.

use super::ids::{FactorCode, OutletId, Seq, UserId};
use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Kinds of mark. One list: code and texts hang on it; what a kind does is data of the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkKind {
    /// Equipment under planned maintenance (维护).
    Maintenance,
    /// Equipment faulty (故障).
    Fault,
    /// Equipment in calibration (校准).
    Calibration,
    /// Other state in which the equipment does not measure the source (通讯中断、停电等).
    EquipmentOff,
    /// Source starting up (启炉、启动).
    StartUp,
    /// Source shutting down (停炉).
    Shutdown,
    /// Source stopped (停运).
    Stopped,
    /// Fire banked (焖炉).
    Banked,
    /// Furnace drying (烘炉).
    Drying,
    /// Furnace cooling down (停炉降温).
    Cooling,
    /// Source or treatment faulty (生产或治理设施故障).
    SourceFault,
    /// Accident (事故).
    Accident,
}

impl MarkKind {
    /// Every kind.
    pub const ALL: [MarkKind; 12] = [
        Self::Maintenance,
        Self::Fault,
        Self::Calibration,
        Self::EquipmentOff,
        Self::StartUp,
        Self::Shutdown,
        Self::Stopped,
        Self::Banked,
        Self::Drying,
        Self::Cooling,
        Self::SourceFault,
        Self::Accident,
    ];

    /// The code in files, the store, the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Maintenance => "maintenance",
            Self::Fault => "fault",
            Self::Calibration => "calibration",
            Self::EquipmentOff => "equipment-off",
            Self::StartUp => "start-up",
            Self::Shutdown => "shutdown",
            Self::Stopped => "stopped",
            Self::Banked => "banked",
            Self::Drying => "drying",
            Self::Cooling => "cooling",
            Self::SourceFault => "source-fault",
            Self::Accident => "accident",
        }
    }

    /// The kind of that code, or `None`.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == code)
    }

    /// True for statements about the measuring equipment, false for those about the source.
    pub fn is_equipment(self) -> bool {
        matches!(
            self,
            Self::Maintenance | Self::Fault | Self::Calibration | Self::EquipmentOff
        )
    }
}

impl fmt::Display for MarkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Evidence attached to something a person entered: the file itself is kept by the daemon under its
/// hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Name as uploaded.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the content, hex.
    pub sha256: String,
}

/// A mark as entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Whose.
    pub outlet: OutletId,
    /// What is stated.
    pub kind: MarkKind,
    /// Factors concerned; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub factors: Vec<FactorCode>,
    /// First instant, whole minutes.
    pub from: Timestamp,
    /// First instant after it.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// Evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Who entered it.
    pub by: UserId,
}

/// A mark taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: UserId,
    /// Why.
    pub reason: String,
    /// Journal position.
    pub seq: Seq,
}

/// A mark in the books; key: the journal position of its entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkRow {
    /// Journal position of the entry: the mark's number.
    pub id: Seq,
    /// What was entered.
    pub mark: Mark,
    /// When.
    pub entered_at: Timestamp,
    /// Until when it could be entered in time; `None`: no time limit.
    pub deadline: Option<Timestamp>,
    /// It came after that.
    pub late: bool,
    /// It has its effect (not withdrawn, and in time or late ones count).
    pub counts: bool,
    /// Taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Withdrawal>,
}
