//! Clues (线索): what the checks of series noticed, with the evidence. A clue is for a person to
//! look at; it never says more than what was seen.

use super::ids::{FactorCode, OutletId, ProfileId, Seq};
use super::rows::CheckCode;
use super::time::{Level, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// One clue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Clue {
    /// The check, by its code in the catalogue.
    pub check: CheckCode,
    /// Factor concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<FactorCode>,
    /// First instant it is about.
    pub from: Timestamp,
    /// First instant after it.
    pub until: Timestamp,
    /// Figures and texts by name, exact.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: BTreeMap<SmolStr, String>,
}

/// The clues of one period; key (outlet, level, start). Replaced as a whole whenever the period is
/// computed anew; without clues there is no row, or one that has become empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClueRow {
    /// Whose.
    pub outlet: OutletId,
    /// Hour or day.
    pub level: Level,
    /// First instant of the period.
    pub start: Timestamp,
    /// In the order of the catalogue, then by factor and time.
    pub clues: Vec<Clue>,
    /// Profile whose thresholds were used.
    pub profile: ProfileId,
    /// Highest journal position among the inputs.
    pub seq: Seq,
}
