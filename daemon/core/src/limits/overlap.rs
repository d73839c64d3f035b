//! Limits that get in each other's way, for the check of the configuration.

use crate::model::{Limit, LimitId, OutletFactor, Timestamp};

/// Pairs of limits that hold at the same time though they bear the same id, or are of the same
/// kind, period, figure and special period, in the order of the list. Judging applies all of them.
pub fn overlaps(factor: &OutletFactor) -> Vec<(LimitId, LimitId)> {
    let mut pairs = Vec::new();
    for (index, one) in factor.limits.iter().enumerate() {
        for other in factor.limits.iter().skip(index.saturating_add(1)) {
            if (one.id == other.id || alike(one, other)) && coincide(one, other) {
                pairs.push((one.id.clone(), other.id.clone()));
            }
        }
    }
    pairs
}

/// Two statements of the same source about the same mean. Limits of different special periods are
/// none: periods of different orders may well coincide.
fn alike(one: &Limit, other: &Limit) -> bool {
    one.kind == other.kind
        && one.period == other.period
        && one.converted == other.converted
        && one.special == other.special
}

/// Their dates have an instant in common.
fn coincide(one: &Limit, other: &Limit) -> bool {
    let from = one.from.max(other.from).unwrap_or(Timestamp(i64::MIN));
    let until = [one.until, other.until].into_iter().flatten().min();
    until.is_none_or(|until| from < until)
}
