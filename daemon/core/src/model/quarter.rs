//! The quarter of an outlet: capture rate, and the amounts put in for invalid periods.

use super::ids::{FactorCode, OutletId, ProfileId, Seq};
use super::time::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// An amount that was put in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Substitute {
    /// Rule that gave it, as a code: `max-180`, `max-720`, `max-2160` (`mean-…` where a table takes
    /// the mean), `day-max-30`, `preceding-mean`, `manual`, `none` (no entry of the table fits, or
    /// nothing is put in), `no-history`.
    pub rule: SmolStr,
    /// Amount of each hour of the gap (of each day, for daily loads), kg; `None`: there is none, or
    /// not one for all (`manual`).
    pub unit_kg: Option<Decimal>,
    /// Amount of the whole gap within the quarter, kg.
    pub total_kg: Option<Decimal>,
    /// Capture rate the table was entered with, percent; `None`: not applicable.
    pub capture_pct: Option<Decimal>,
    /// Valid hours (days) that were looked back upon; fewer than the rule asks where history is
    /// short.
    pub looked_back: u32,
    /// Start of the oldest and of the newest of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<(Timestamp, Timestamp)>,
    /// Where the value taken stands (the maximum), where it is one hour or day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_from: Option<Timestamp>,
}

/// Consecutive invalid hours (days) of a factor that are treated alike: where manual data speak for
/// a part of them, or a part is out of control, each part is a gap of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// First instant within the quarter.
    pub from: Timestamp,
    /// First instant after it.
    pub until: Timestamp,
    /// Consecutive invalid hours, also those before the quarter began and those of the parts that
    /// are treated otherwise; hours in which the source was stopped are not among them.
    pub hours: u32,
    /// Why, as a code: `invalid`, `out-of-control`, `no-data`, `review-failed`.
    pub why: SmolStr,
    /// With the capture rate known when its day was over.
    pub provisional: Substitute,
    /// With that of the whole quarter, once it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<Substitute>,
    /// What was put in, by local day (its first instant), kg; by the settled rule where there is
    /// one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_day: Vec<(Timestamp, Decimal)>,
    /// Amounts that its hours had measured and in whose place `by_day` stands, by local day, kg;
    /// days without any are left out. Where `by_day` is added to a sum of measured amounts that
    /// holds them, they are taken off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced_by_day: Vec<(Timestamp, Decimal)>,
}

/// One pollutant in a quarter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarterFactor {
    /// Hours of the quarter so far (all of them once it is over).
    pub hours: u32,
    /// Of these: source stopped.
    pub stopped: u32,
    /// Of these: valid.
    pub valid: u32,
    /// Of these: invalid or missing while the source was running.
    pub invalid: u32,
    /// Effective data capture rate, percent; `None`: not applicable (stopped throughout).
    pub capture_pct: Option<Decimal>,
    /// It reaches what the profile asks; `None`: not applicable.
    pub capture_met: Option<bool>,
    /// Measured amount, kg, without what was replaced.
    pub measured_kg: Option<Decimal>,
    /// Amount put in, kg.
    pub substituted_kg: Option<Decimal>,
    /// Invalid periods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

/// The quarter of an outlet; key (outlet, start).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarterRow {
    /// Whose.
    pub outlet: OutletId,
    /// First instant of the quarter.
    pub start: Timestamp,
    /// The quarter is over: substitutes are settled.
    pub complete: bool,
    /// Pollutants by code.
    pub factors: BTreeMap<FactorCode, QuarterFactor>,
    /// Profile that judged it.
    pub profile: ProfileId,
    /// Highest journal position among the inputs.
    pub seq: Seq,
}
