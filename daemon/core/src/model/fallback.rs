//! Manual fallback (人工监测替代时段) and manual reports (人工监测数据报送).

use super::ids::{FactorCode, FallbackId, OutletId, ReportId, Seq, UserId};
use super::mark::{Attachment, Withdrawal};
use super::qa::QaKind;
use super::time::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Why a fallback opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum FallbackReason {
    /// Nothing valid arrived for the factor since `since`; flags seen meanwhile (empty: silence).
    NoValidData {
        /// The pollutant without valid values.
        factor: FactorCode,
        /// Last valid value, or the start of supervision when there never was one.
        since: Timestamp,
        /// Flags and failed checks seen since then, sorted, without repeats.
        seen: Vec<SmolStr>,
    },
    /// Nothing valid arrived for the factor since `since`, and values meanwhile carried a flag of
    /// the equipment's state: fault, maintenance, out of operation, no communication (HJ 212-2017,
    /// table of data flags: D, M, F, B).
    EquipmentState {
        /// The pollutant without valid values.
        factor: FactorCode,
        /// Last valid value, or the start of supervision when there never was one.
        since: Timestamp,
        /// Flags and failed checks seen since then, sorted, without repeats.
        seen: Vec<SmolStr>,
    },
    /// A test of the equipment failed and none of its kind was passed since (失控).
    OutOfControl {
        /// The pollutant whose equipment it is.
        factor: FactorCode,
        /// Kind of the test.
        kind: QaKind,
        /// When the failed test was done.
        since: Timestamp,
        /// Its number.
        test: Seq,
    },
    /// The last assessment (季度有效性审核) was failed and is to be put right.
    ReviewFailed {
        /// First instant of the quarter it was about.
        quarter: Timestamp,
        /// Who decided.
        by: UserId,
        /// Journal position of the decision.
        seq: Seq,
    },
    /// The last assessment that was passed has run out.
    ReviewExpired {
        /// First instant of the quarter it was about.
        quarter: Timestamp,
        /// When it ran out.
        since: Timestamp,
    },
    /// No assessment has been passed in the time set for it.
    NotReviewed {
        /// Start of supervision.
        since: Timestamp,
    },
    /// A person decided it.
    Decision {
        /// Who.
        by: UserId,
        /// Their words.
        note: String,
    },
}

impl FallbackReason {
    /// The code in the API and text keys, as `why` in JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoValidData { .. } => "no-valid-data",
            Self::EquipmentState { .. } => "equipment-state",
            Self::OutOfControl { .. } => "out-of-control",
            Self::ReviewFailed { .. } => "review-failed",
            Self::ReviewExpired { .. } => "review-expired",
            Self::NotReviewed { .. } => "not-reviewed",
            Self::Decision { .. } => "decision",
        }
    }

    /// The pollutant it is about; `None`: the equipment as a whole.
    pub fn factor(&self) -> Option<&FactorCode> {
        match self {
            Self::NoValidData { factor, .. }
            | Self::EquipmentState { factor, .. }
            | Self::OutOfControl { factor, .. } => Some(factor),
            Self::ReviewFailed { .. }
            | Self::ReviewExpired { .. }
            | Self::NotReviewed { .. }
            | Self::Decision { .. } => None,
        }
    }
}

/// A reason that holds no more while the fallback goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifting {
    /// Place of the reason in [`FallbackRow::reasons`].
    pub reason: u32,
    /// Since when.
    pub at: Timestamp,
    /// Journal position of what lifted it.
    pub seq: Seq,
}

/// The written report (书面报告) on a fallback, owed once (duty 6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenReport {
    /// When it is due.
    pub due: Timestamp,
    /// Due time that passed, until it is delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue_since: Option<Timestamp>,
    /// What was delivered, oldest first; the first one counts, later ones add to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delivered: Vec<Delivery>,
}

/// A written report that was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// When.
    pub at: Timestamp,
    /// After it was due.
    pub late: bool,
    /// Who.
    pub by: UserId,
    /// Their words.
    pub note: String,
    /// The document.
    pub attachments: Vec<Attachment>,
    /// Journal position.
    pub seq: Seq,
}

/// One fallback as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FallbackRow {
    /// Identity.
    pub id: FallbackId,
    /// Whose.
    pub outlet: OutletId,
    /// When it opened (the moment the rule's time ran out, or the decision).
    pub opened_at: Timestamp,
    /// Why, in the order in which it came up.
    pub reasons: Vec<FallbackReason>,
    /// Which of them were lifted meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lifted: Vec<Lifting>,
    /// When the next manual report is due; `None` once closed.
    pub next_due: Option<Timestamp>,
    /// Sampling time of the last report.
    pub last_report_at: Option<Timestamp>,
    /// Reports received.
    pub reports: u32,
    /// Reports counted in the current local day.
    pub reports_today: u32,
    /// Overdue since (the due time that passed), while it is.
    pub overdue_since: Option<Timestamp>,
    /// Due times that passed without a report in time, days short of reports included.
    pub missed: u32,
    /// Those due times, ascending by when they passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed_dues: Vec<Timestamp>,
    /// Local days (start instants) that ended with fewer reports than required.
    pub short_days: Vec<Timestamp>,
    /// The written report; `None` where the rule asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<WrittenReport>,
    /// When it closed.
    pub closed_at: Option<Timestamp>,
    /// Why it closed, in words of the engine (`valid-data`, `reasons-lifted`) or of a person.
    pub closed_why: Option<String>,
    /// Journal position that closed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_seq: Option<Seq>,
    /// Journal position that opened it.
    pub opened_seq: Seq,
    /// Journal position of the last change.
    pub updated_seq: Seq,
}

impl FallbackRow {
    /// A fallback that opens at `at`: nothing has come, nothing is due yet.
    pub fn opened(
        (id, outlet): (FallbackId, OutletId),
        at: Timestamp,
        reasons: Vec<FallbackReason>,
        seq: Seq,
    ) -> Self {
        Self {
            id,
            outlet,
            opened_at: at,
            reasons,
            lifted: Vec::new(),
            next_due: None,
            last_report_at: None,
            reports: 0,
            reports_today: 0,
            overdue_since: None,
            missed: 0,
            missed_dues: Vec::new(),
            short_days: Vec::new(),
            written: None,
            closed_at: None,
            closed_why: None,
            closed_seq: None,
            opened_seq: seq,
            updated_seq: seq,
        }
    }
}

/// One value of a manual report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManualValue {
    /// The factor.
    pub factor: FactorCode,
    /// The value in the factor's unit.
    pub value: Decimal,
}

/// A manual report as entered by form or API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManualReport {
    /// Whose outlet.
    pub outlet: OutletId,
    /// When the sample was taken.
    pub sampled_at: Timestamp,
    /// Who took it.
    pub sampler: String,
    /// Method (standard number).
    pub method: String,
    /// Laboratory.
    pub laboratory: String,
    /// Results.
    pub values: Vec<ManualValue>,
    /// Remarks.
    pub note: String,
    /// Evidence: the laboratory's sheet, a photograph of the sampling.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The earlier report it stands in for (更正).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<ReportId>,
    /// Who entered it.
    pub by: UserId,
}

/// Something about a manual report that a person should look at. It refuses nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportFinding {
    /// What, as a code of [`crate::fallback::plausible`].
    pub code: SmolStr,
    /// The factor concerned; `None`: the report as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<FactorCode>,
    /// What it was held against, exact, where there is such a figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Decimal>,
}

/// A manual report in the books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManualReportRow {
    /// Identity.
    pub id: ReportId,
    /// The fallback it belongs to; `None` when none was open (kept all the same).
    pub fallback: Option<FallbackId>,
    /// What was entered.
    pub report: ManualReport,
    /// When it was received.
    pub received_at: Timestamp,
    /// It came after it was due.
    pub late: bool,
    /// It was entered longer after the sampling than the rule allows for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub entered_late: bool,
    /// What is odd about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<ReportFinding>,
    /// The later report that stands in for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded: Option<Superseded>,
    /// Taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Withdrawal>,
    /// Journal position.
    pub seq: Seq,
}

/// What took the place of a manual report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Superseded {
    /// The report that counts now.
    pub by: ReportId,
    /// Since when.
    pub at: Timestamp,
    /// Journal position.
    pub seq: Seq,
}

impl ManualReportRow {
    /// A report received at `at` with nothing to be said about it.
    pub fn received(id: ReportId, report: ManualReport, at: Timestamp, seq: Seq) -> Self {
        Self {
            id,
            fallback: None,
            report,
            received_at: at,
            late: false,
            entered_late: false,
            findings: Vec::new(),
            superseded: None,
            withdrawn: None,
            seq,
        }
    }

    /// It stands: neither taken back nor corrected by a later one.
    pub fn counts(&self) -> bool {
        self.withdrawn.is_none() && self.superseded.is_none()
    }
}
