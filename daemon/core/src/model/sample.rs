//! What a station reads from its instruments.

use super::ids::{FactorCode, OutletId};
use super::record::{Flag, Number};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// One factor read once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The factor.
    pub factor: FactorCode,
    /// The value in the factor's unit; `None` when the instrument gave none that can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Number>,
    /// State of the instrument (N F M D C T B, HJ 212-2017 table 8); `B` when it did not answer.
    pub flag: Flag,
}

/// What one poll of one instrument gave; its time is that of the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleSet {
    /// Whose.
    pub outlet: OutletId,
    /// Which instrument.
    pub instrument: SmolStr,
    /// Its factors.
    pub samples: Vec<Sample>,
}
