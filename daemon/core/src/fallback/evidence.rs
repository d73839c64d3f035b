//! Evidence besides values: tests of the equipment and its assessment.
//!
//! What holds is kept under a name (`review`, `control|a21026|span-drift`), whether a fallback is
//! open or not; a fallback that opens takes all of it as its reasons.

use super::Terms;
use crate::model::time::quarter_of;
use crate::model::{
    FactorCode, FallbackReason, FallbackRow, Lifting, QaKind, Seq, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, BTreeSet};

/// Quarters of which the last decision is remembered: two years, further back than a review can
/// hold.
pub const REVIEWS_MAX: usize = 8;

/// Reasons listed in a row. Six kinds of test for each of forty pollutants would fill it; further
/// ones take the place of those that are lifted.
pub const REASONS_MAX: usize = 256;

/// Name of what the assessment says.
const REVIEW: &str = "review";

/// A decision about the assessment of a quarter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// The automatic data count.
    pub passed: bool,
    /// Who decided.
    pub by: UserId,
    /// Journal position.
    pub seq: Seq,
}

/// What holds at the moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Evidence {
    /// Reasons by name.
    holds: BTreeMap<SmolStr, FallbackReason>,
    /// The last decision by the first instant of its quarter.
    decided: BTreeMap<Timestamp, Judged>,
    /// Start of supervision; `None` where it is not known, and nothing runs out then.
    since: Option<Timestamp>,
    /// When the rule was last set: nothing runs out before that.
    ruled: Timestamp,
    /// When the assessment was last weighed.
    weighed: Timestamp,
}

/// A change of what holds.
pub(super) struct Shift {
    pub(super) gone: Option<FallbackReason>,
    pub(super) new: Option<FallbackReason>,
}

impl Evidence {
    /// Nothing holds that could keep a fallback open.
    pub(super) fn is_clear(&self) -> bool {
        self.holds.is_empty()
    }

    /// What holds.
    pub(super) fn reasons(&self) -> impl Iterator<Item = &FallbackReason> {
        self.holds.values()
    }

    /// A rule takes force for these pollutants: the clock of the assessment starts, or goes on;
    /// what was held against other pollutants is forgotten.
    pub(super) fn ruled(&mut self, at: Timestamp, watched: &BTreeSet<&FactorCode>) {
        self.since.get_or_insert(at);
        self.ruled = at;
        self.holds.retain(|_, reason| match reason {
            FallbackReason::OutOfControl { factor, .. } => watched.contains(factor),
            _ => true,
        });
    }

    /// Sets or clears what holds under a name.
    fn set(&mut self, name: SmolStr, reason: Option<FallbackReason>) -> Option<Shift> {
        let gone = self.holds.get(&name).cloned();
        if gone == reason {
            return None;
        }
        match reason.clone() {
            Some(reason) => self.holds.insert(name, reason),
            None => self.holds.remove(&name),
        };
        Some(Shift { gone, new: reason })
    }

    /// What the last test of a kind says of a pollutant: when it failed and its number, or `None`
    /// when it was passed or there is none.
    pub(super) fn control(
        &mut self,
        factor: &FactorCode,
        kind: QaKind,
        failed: Option<(Timestamp, Seq)>,
    ) -> Option<Shift> {
        let reason = failed.map(|(since, test)| FallbackReason::OutOfControl {
            factor: factor.clone(),
            kind,
            since,
            test,
        });
        let name = format_smolstr!("control|{factor}|{}", kind.as_str());
        self.set(name, reason)
    }

    /// Notes the decision in force about a quarter.
    pub(super) fn decided(&mut self, quarter: Timestamp, judged: Judged) {
        self.decided.insert(quarter, judged);
        if self.decided.len() > REVIEWS_MAX {
            self.decided.pop_first();
        }
    }

    /// When an assessment that is not there, or no more, begins to hold.
    fn lapses_at(&self, terms: &Terms<'_>) -> Option<Timestamp> {
        let valid_ms = terms.review_valid_ms()?;
        let passed = self.decided.iter().rev().find(|(_, judged)| judged.passed);
        let from = match passed {
            Some((quarter, _)) => quarter_of(*quarter, terms.offset).1,
            None => self.since?,
        };
        Some(from.plus_ms(valid_ms))
    }

    /// When time alone, or a rule that has changed, changes what holds.
    pub(super) fn next(&self, terms: &Terms<'_>) -> Option<Timestamp> {
        let lapse = self.lapses_at(terms).map(|at| at.max(self.ruled));
        let ruled = (self.weighed < self.ruled).then_some(self.ruled);
        let changes =
            |at: &Timestamp| self.assessment(*at, terms).as_ref() != self.holds.get(REVIEW);
        [ruled, lapse].into_iter().flatten().find(changes)
    }

    /// What the assessment says at `at`.
    fn assessment(&self, at: Timestamp, terms: &Terms<'_>) -> Option<FallbackReason> {
        if let Some((quarter, judged)) = self.decided.last_key_value().filter(|(_, j)| !j.passed) {
            return Some(FallbackReason::ReviewFailed {
                quarter: *quarter,
                by: judged.by.clone(),
                seq: judged.seq,
            });
        }
        let since = self.lapses_at(terms).filter(|lapse| *lapse <= at)?;
        match self.decided.last_key_value() {
            Some((quarter, _)) => Some(FallbackReason::ReviewExpired {
                quarter: *quarter,
                since,
            }),
            None => self
                .since
                .map(|since| FallbackReason::NotReviewed { since }),
        }
    }

    /// Weighs the assessment at `at`.
    pub(super) fn weigh(&mut self, at: Timestamp, terms: &Terms<'_>) -> Option<Shift> {
        let reason = self.assessment(at, terms);
        self.weighed = at;
        self.set(SmolStr::new_static(REVIEW), reason)
    }
}

/// Adds a reason to a row.
pub(super) fn add(row: &mut FallbackRow, reason: FallbackReason) {
    if row.reasons.len() >= REASONS_MAX {
        let same = |known: &FallbackReason| known.code() == reason.code();
        let lifted = row
            .lifted
            .first()
            .and_then(|l| usize::try_from(l.reason).ok());
        let Some(place) = lifted.or_else(|| row.reasons.iter().position(same)) else {
            return;
        };
        forget(row, place);
    }
    row.reasons.push(reason);
}

fn forget(row: &mut FallbackRow, place: usize) {
    if place < row.reasons.len() {
        row.reasons.remove(place);
    }
    let place = u32::try_from(place).unwrap_or(u32::MAX);
    row.lifted.retain(|lifting| lifting.reason != place);
    for lifting in &mut row.lifted {
        if lifting.reason > place {
            lifting.reason -= 1;
        }
    }
}

/// Notes that a reason of a row holds no more.
pub(super) fn lift(row: &mut FallbackRow, reason: &FallbackReason, at: Timestamp, seq: Seq) {
    let lifted: BTreeSet<u32> = row.lifted.iter().map(|lifting| lifting.reason).collect();
    let stands = |place: &u32| !lifted.contains(place);
    let places = (0u32..).zip(&row.reasons).filter(|(_, own)| *own == reason);
    let place = places.map(|(place, _)| place).filter(stands).last();
    if let Some(reason) = place {
        row.lifted.push(Lifting { reason, at, seq });
    }
}
