//! Manual fallback (人工监测替代时段) and manual reports (人工监测数据报送).

use super::ids::{FactorCode, FallbackId, OutletId, ReportId, Seq, UserId};
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
    /// A person decided it.
    Decision {
        /// Who.
        by: UserId,
        /// Their words.
        note: String,
    },
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
    /// Why.
    pub reasons: Vec<FallbackReason>,
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
    /// Local days (start instants) that ended with fewer reports than required.
    pub short_days: Vec<Timestamp>,
    /// When it closed.
    pub closed_at: Option<Timestamp>,
    /// Why it closed, in words of the engine (`valid-data`) or of a person.
    pub closed_why: Option<String>,
    /// Journal position that opened it.
    pub opened_seq: Seq,
    /// Journal position of the last change.
    pub updated_seq: Seq,
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
    /// Who entered it.
    pub by: UserId,
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
    /// Journal position.
    pub seq: Seq,
}
