//! One instance of a duty: what is owed by whom and when, and how it ended.

use super::DutySubject;
use crate::model::ids::{DutyId, DutyKey, EnterpriseId, RegionId, Seq, UserId};
use crate::model::mark::Attachment;
use crate::model::time::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The completion of an instance (完成).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DutyDone {
    /// When it was entered.
    pub at: Timestamp,
    /// Who.
    pub by: UserId,
    /// Their words.
    pub note: String,
    /// Documents.
    pub attachments: Vec<Attachment>,
    /// It came after it was due.
    pub late: bool,
    /// Journal position.
    pub seq: Seq,
}

/// Why an instance ended without being completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DutyGone {
    /// Its enterprise, outlet or region left the registry.
    SubjectGone,
    /// Its row was taken out, or holds there no more.
    RuleGone,
    /// The person who opened it by hand took that back.
    TakenBack,
}

impl DutyGone {
    /// The code in the audit trail, the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SubjectGone => "subject-gone",
            Self::RuleGone => "rule-gone",
            Self::TakenBack => "taken-back",
        }
    }
}

/// One instance of a duty. Whether it is overdue follows from the time: see
/// [`standing`](DutyRow::standing).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DutyRow {
    /// Identity: `rule:subject:round`.
    pub key: DutyKey,
    /// Its row.
    pub rule: DutyId,
    /// The period spoken about (`2026-09`, `2026-Q3`), or what triggered it (`fallback-12`,
    /// `mark-345`, `entry-346`).
    pub round: SmolStr,
    /// Whom it is about.
    pub subject: DutySubject,
    /// The enterprise concerned, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enterprise: Option<EnterpriseId>,
    /// The region concerned, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionId>,
    /// Only staff of the authority sees it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inside: bool,
    /// When it opened.
    pub opens_at: Timestamp,
    /// First instant at which it is late.
    pub due_at: Timestamp,
    /// What time the clock counts from or towards, where something triggered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_at: Option<Timestamp>,
    /// Who opened it by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_by: Option<UserId>,
    /// Their words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Its completion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<DutyDone>,
    /// It ended otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<(Timestamp, DutyGone)>,
    /// Journal position that opened it.
    pub opened_seq: Seq,
    /// Journal position of the last change.
    pub updated_seq: Seq,
}

/// How an instance stands at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DutyStanding {
    /// Past its due time and not completed.
    Overdue,
    /// Open, and in time.
    Open,
    /// Completed in time.
    Done,
    /// Completed late.
    DoneLate,
    /// Ended without being completed.
    Gone,
}

impl DutyStanding {
    /// Every standing, in the order of lists.
    pub const ALL: [DutyStanding; 5] = [
        Self::Overdue,
        Self::Open,
        Self::Done,
        Self::DoneLate,
        Self::Gone,
    ];

    /// The code in the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Open => "open",
            Self::Done => "done",
            Self::DoneLate => "done-late",
            Self::Gone => "gone",
        }
    }
}

impl DutyRow {
    /// Nobody has completed it, and it has not ended.
    pub fn is_open(&self) -> bool {
        self.done.is_none() && self.gone.is_none()
    }

    /// When it was completed or ended otherwise.
    pub fn ended_at(&self) -> Option<Timestamp> {
        let gone = self.gone.map(|(at, _)| at);
        gone.or(self.done.as_ref().map(|done| done.at))
    }

    /// How it stands at `now`.
    pub fn standing(&self, now: Timestamp) -> DutyStanding {
        match (&self.gone, &self.done) {
            (Some(_), _) => DutyStanding::Gone,
            (None, Some(done)) if done.late => DutyStanding::DoneLate,
            (None, Some(_)) => DutyStanding::Done,
            (None, None) if now >= self.due_at => DutyStanding::Overdue,
            (None, None) => DutyStanding::Open,
        }
    }
}
