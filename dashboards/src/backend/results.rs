//! What people attach and take back, and what is reckoned over longer times.

use cems_core::model::{EnterpriseId, FactorCode, ManualReport, OutletId, Permission, RegionId};
use cems_core::permits::projection::{NotProjected, Projection};
use cems_core::permits::tax::TaxBasis;
use cems_core::rates::Rates;
use rust_decimal::Decimal;
use std::sync::Arc;

/// A file that a person attaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Name as sent by the browser.
    pub name: String,
    /// Content.
    pub content: Vec<u8>,
}

/// A manual report to be entered with its files. One file may go with many reports: it is kept
/// once.
#[derive(Debug, Clone)]
pub struct ReportEntry {
    /// The report; `by` and `attachments` are set behind the backend.
    pub report: ManualReport,
    /// Its evidence.
    pub files: Vec<Arc<Upload>>,
}

/// What can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenBack {
    /// A mark.
    Mark,
    /// A test of the equipment.
    QaTest,
    /// A manual report, by its own number.
    ManualReport,
}

impl TakenBack {
    /// Who may make an entry of this kind, and take one back.
    pub fn permission(self) -> Permission {
        match self {
            Self::Mark => Permission::EnterMark,
            Self::QaTest => Permission::EnterTest,
            Self::ManualReport => Permission::SubmitManualReport,
        }
    }
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
