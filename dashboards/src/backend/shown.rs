//! What pages and the API show, as the daemon hands it over.

use cems_core::model::rows::{AggregateRow, AuditRow, DeviceRow, LatestRow};
use cems_core::model::{
    AlarmId, AlarmRow, AmountPeriod, Enterprise, EnterpriseId, FactorCode, FallbackRow,
    ManualReportRow, Outlet, OutletId, RegionId, Timestamp,
};
use cems_core::permits::projection::{NotProjected, Projection};
use cems_core::permits::tax::TaxBasis;
use cems_core::rates::Rates;
use rust_decimal::Decimal;

/// State of an outlet in one word, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutletState {
    /// A mean is over its limit.
    Exceeding,
    /// Nothing arrives.
    Silent,
    /// A fallback is open.
    Fallback,
    /// Data arrive but do not count.
    Invalid,
    /// Stopped, as its flags say.
    Stopped,
    /// All is well.
    Normal,
    /// Never heard of since it was registered.
    Waiting,
}

/// One outlet on the overview.
#[derive(Debug, Clone)]
pub struct OutletSummary {
    /// From the registry in force.
    pub outlet: Outlet,
    /// From the registry in force.
    pub enterprise: Enterprise,
    /// State in one word.
    pub state: OutletState,
    /// Last contact with its logger.
    pub last_seen: Option<Timestamp>,
    /// Latest values, by factor.
    pub latest: Vec<LatestRow>,
    /// The last complete hour.
    pub last_hour: Option<AggregateRow>,
    /// Alarms not closed.
    pub open_alarms: u32,
}

/// A total against its permitted amount.
#[derive(Debug, Clone)]
pub struct AmountProgress {
    /// Whose.
    pub outlet: OutletId,
    /// Factor.
    pub factor: FactorCode,
    /// Month or year.
    pub period: AmountPeriod,
    /// First instant of the period.
    pub start: Timestamp,
    /// Emitted so far, kg.
    pub amount_kg: Decimal,
    /// Permitted, kg.
    pub permitted_kg: Decimal,
    /// Share in percent.
    pub share_pct: Decimal,
}

/// The overview, within a scope.
#[derive(Debug, Clone)]
pub struct Overview {
    /// Outlets, worst state first, then by enterprise and id.
    pub outlets: Vec<OutletSummary>,
    /// Alarms not closed: unacknowledged first, then by priority and age.
    pub alarms: Vec<AlarmRow>,
    /// Open fallbacks, next due first.
    pub fallbacks: Vec<FallbackRow>,
    /// Totals, highest share first.
    pub amounts: Vec<AmountProgress>,
}

/// What the page of one outlet shows besides its summary.
#[derive(Debug, Clone)]
pub struct OutletDetail {
    /// As on the overview.
    pub summary: OutletSummary,
    /// Its logger as seen on the wire.
    pub device: Option<DeviceRow>,
    /// Its alarms, newest first, at most [`LIST_ROWS_MAX`].
    pub alarms: Vec<AlarmRow>,
    /// Its fallbacks, newest first.
    pub fallbacks: Vec<FallbackRow>,
    /// Its totals.
    pub amounts: Vec<AmountProgress>,
}

/// An alarm with its history.
#[derive(Debug, Clone)]
pub struct AlarmDetail {
    /// The alarm.
    pub alarm: AlarmRow,
    /// What happened to it, oldest first.
    pub history: Vec<AuditRow>,
}

/// A fallback with its reports.
#[derive(Debug, Clone)]
pub struct FallbackDetail {
    /// The fallback.
    pub fallback: FallbackRow,
    /// Its reports by sampling time.
    pub reports: Vec<ManualReportRow>,
}

/// Which alarms to list.
#[derive(Debug, Clone, Default)]
pub struct AlarmFilter {
    /// Only those not closed.
    pub open_only: bool,
    /// Only of this outlet.
    pub outlet: Option<OutletId>,
    /// Only older than this one (for paging); newest first.
    pub before: Option<AlarmId>,
}

/// How the daemon itself is.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Health {
    /// Everything works; false makes `/readyz` answer 503.
    pub ready: bool,
    /// What is wrong, in words, one line each (English).
    pub problems: Vec<String>,
    /// Last journal position on disk.
    pub journal_seq: u64,
    /// Position the projections have reached.
    pub projected_seq: u64,
    /// Connected loggers.
    pub connections: u64,
    /// Version of the program.
    pub version: String,
}

/// A file that a person attaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Name as sent by the browser.
    pub name: String,
    /// Content.
    pub content: Vec<u8>,
}

/// What can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenBack {
    /// A mark.
    Mark,
    /// A test of the equipment.
    QaTest,
}

/// Whose rates are asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RatesOf {
    /// One outlet.
    Outlet(OutletId),
    /// All outlets of an enterprise in scope.
    Enterprise(EnterpriseId),
    /// All outlets of a region in scope.
    Region(RegionId),
}

/// Rates of somebody over a period.
#[derive(Debug, Clone)]
pub struct RateRow {
    /// Whose.
    pub of: RatesOf,
    /// Outlets that were counted.
    pub outlets: u32,
    /// Records received and due.
    pub received: u64,
    /// Records due.
    pub due: u64,
    /// Transmission, validity, effective transmission and capture rate.
    pub rates: Rates,
    /// The effective transmission rate asked, percent.
    pub asked_pct: Decimal,
    /// It is reached; `None`: not applicable.
    pub met: Option<bool>,
}

/// A permitted amount and when it will be reached.
#[derive(Debug, Clone)]
pub struct ProjectionRow {
    /// Whose; `None`: the enterprise as a whole.
    pub outlet: Option<OutletId>,
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// Factor.
    pub factor: FactorCode,
    /// Permitted in the year, kg.
    pub permitted_kg: Decimal,
    /// Emitted so far, what was put in for invalid periods included, kg.
    pub amount_kg: Decimal,
    /// Of it put in, kg.
    pub substituted_kg: Decimal,
    /// Outlets without a figure.
    pub missing: Vec<OutletId>,
    /// The projection, or why there is none.
    pub projection: Result<Projection, NotProjected>,
}

/// Tax basis of one factor of an outlet in one month.
#[derive(Debug, Clone)]
pub struct TaxRow {
    /// Factor.
    pub factor: FactorCode,
    /// Amount of the month, what was put in included, kg.
    pub amount_kg: Option<Decimal>,
    /// The verdict.
    pub basis: TaxBasis,
}
