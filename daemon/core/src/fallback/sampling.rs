//! A day of manual sampling by itself.

use super::Terms;
use crate::model::Timestamp;
use std::collections::BTreeSet;

/// What the sampling times of one full local day say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SamplingDay {
    /// Samples; two at the same instant are one.
    pub samples: u32,
    /// Greatest gap between two that follow each other; `None` with fewer than two.
    pub max_gap_ms: Option<i64>,
    /// As many as a full day needs.
    pub enough: bool,
    /// No gap is longer than allowed.
    pub close_enough: bool,
}

impl SamplingDay {
    /// Nothing is missing.
    pub fn ok(&self) -> bool {
        self.enough && self.close_enough
    }
}

/// Holds the sampling times of a day, in any order, against the terms (at least four a day, not
/// more than six hours apart: 污染源自动监控设施运行管理办法, article 15). A gap of exactly that much
/// is within. The gaps to the days before and after are for those who know their samples.
pub fn sampling_day(times: &[Timestamp], terms: &Terms) -> SamplingDay {
    let times: BTreeSet<Timestamp> = times.iter().copied().collect();
    let following = times.iter().zip(times.iter().skip(1));
    let max_gap_ms = following.map(|(one, next)| next.since_ms(*one)).max();
    let samples = u32::try_from(times.len()).unwrap_or(u32::MAX);
    SamplingDay {
        samples,
        max_gap_ms,
        enough: samples >= terms.reports_per_day,
        close_enough: max_gap_ms.is_none_or(|gap| gap <= terms.max_gap_ms),
    }
}
