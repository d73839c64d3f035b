//! Quality assurance (质量保证): tests of the equipment and the quarterly validity review.

use super::ids::{FactorCode, OutletId, ProfileId, Seq, UserId};
use super::mark::{Attachment, Withdrawal};
use super::time::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Kinds of test. One list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QaKind {
    /// Zero drift (零点漂移): reference and reading of zero gas.
    ZeroDrift,
    /// Span drift (量程漂移): reference and reading of span gas.
    SpanDrift,
    /// Error of a calibration gas or linearity level (示值误差).
    Linearity,
    /// Relative accuracy against the reference method (相对准确度).
    RelativeAccuracy,
    /// Comparison with laboratory or reference values (比对监测).
    Comparison,
    /// Check with a standard sample (标准样品核查).
    StandardSample,
}

impl QaKind {
    /// Every kind.
    pub const ALL: [QaKind; 6] = [
        Self::ZeroDrift,
        Self::SpanDrift,
        Self::Linearity,
        Self::RelativeAccuracy,
        Self::Comparison,
        Self::StandardSample,
    ];

    /// The code in files, the store, the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ZeroDrift => "zero-drift",
            Self::SpanDrift => "span-drift",
            Self::Linearity => "linearity",
            Self::RelativeAccuracy => "relative-accuracy",
            Self::Comparison => "comparison",
            Self::StandardSample => "standard-sample",
        }
    }

    /// The kind of that code, or `None`.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == code)
    }
}

/// A reference value and what the equipment showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QaPair {
    /// Reference method, laboratory, or standard, in the factor's unit.
    pub reference: Decimal,
    /// Equipment, in the same unit and state.
    pub measured: Decimal,
}

/// A test as entered by hand or taken from an exchange with the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QaTest {
    /// Whose equipment.
    pub outlet: OutletId,
    /// Which factor.
    pub factor: FactorCode,
    /// What kind.
    pub kind: QaKind,
    /// When it was done (its end).
    pub at: Timestamp,
    /// Values.
    pub pairs: Vec<QaPair>,
    /// Full scale or span, in the factor's unit, where the kind needs it; else the range of the
    /// registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_scale: Option<Decimal>,
    /// Who did it and how: tester, method, laboratory.
    #[serde(default)]
    pub note: String,
    /// Evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// User id, or `device` for tests taken from an exchange.
    pub by: UserId,
    /// Command number it was taken from (`2062`, `3011`), where a device reported it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_cn: Option<SmolStr>,
}

/// What a test says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QaOutcome {
    /// Within the limits.
    Passed,
    /// Beyond the limit of adjustment, within control.
    Adjust,
    /// Failed: out of control (失控) back to the last passed test.
    Failed,
    /// The rules have no limit for it, or the input does not allow one.
    NotJudged,
}

/// The verdict on a test, with its figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QaVerdict {
    /// What it says.
    pub outcome: QaOutcome,
    /// The result that was judged.
    pub result: Option<Decimal>,
    /// What it was held against.
    pub limit: Option<Decimal>,
    /// How the result is expressed, as a code: `rel 15%`, `abs 0.3`, `drift %FS`.
    pub band: SmolStr,
    /// Why it was not judged, as a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<SmolStr>,
    /// Further figures by name: `mean_reference`, `mean_measured`, `d`, `sd`, `cc`, `t`, `n`,
    /// `passed_pairs`, `needed_pairs`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<SmolStr, Decimal>,
}

/// A test in the books; key: the journal position of its entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QaRow {
    /// Journal position of the entry: the test's number. Several tests of one event differ in `n`.
    pub id: Seq,
    /// Ordinal within the event.
    pub n: u32,
    /// What was entered.
    pub test: QaTest,
    /// When.
    pub entered_at: Timestamp,
    /// Verdict.
    pub verdict: QaVerdict,
    /// Profile that judged it.
    pub profile: ProfileId,
    /// Taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Withdrawal>,
}

/// A step of the quarterly validity review (季度有效性审核).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewStep {
    /// The enterprise or its operator hands in the self-check of the quarter.
    Submit,
    /// The authority accepts: automatic data count.
    Pass,
    /// The authority rejects: automatic data of the quarter do not count.
    Fail,
}

impl ReviewStep {
    /// Every step.
    pub const ALL: [ReviewStep; 3] = [Self::Submit, Self::Pass, Self::Fail];

    /// The code in files, the store, the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Pass => "pass",
            Self::Fail => "fail",
        }
    }

    /// The step of that code, or `None`.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == code)
    }
}

/// What a person does in a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewAction {
    /// Whose equipment.
    pub outlet: OutletId,
    /// First instant of the quarter.
    pub quarter: Timestamp,
    /// What.
    pub step: ReviewStep,
    /// Who.
    pub by: UserId,
    /// Their words.
    pub note: String,
    /// Evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewEntry {
    /// What was done.
    pub action: ReviewAction,
    /// When.
    pub at: Timestamp,
    /// Journal position.
    pub seq: Seq,
}

/// The review of one quarter; key (outlet, quarter).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRow {
    /// Whose equipment.
    pub outlet: OutletId,
    /// First instant of the quarter.
    pub quarter: Timestamp,
    /// Every step, oldest first; the last decision counts.
    pub entries: Vec<ReviewEntry>,
}

impl ReviewRow {
    /// The decision in force: passed or failed; `None` while there is none.
    pub fn passed(&self) -> Option<bool> {
        self.entries
            .iter()
            .rev()
            .find_map(|entry| match entry.action.step {
                ReviewStep::Submit => None,
                ReviewStep::Pass => Some(true),
                ReviewStep::Fail => Some(false),
            })
    }
}
