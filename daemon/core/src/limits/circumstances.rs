//! What a mean is judged in view of.

use crate::model::{
    Level, Limit, MarkEffect, MarkKind, Medium, Outlet, Profile, RegionId, SpecialPeriod, Timestamp,
};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Whose mean, of which period, by which rules, under which circumstances.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// Whose.
    pub outlet: &'a Outlet,
    /// By which rules.
    pub profile: &'a Profile,
    /// Length of the period.
    pub level: Level,
    /// Its first instant.
    pub start: Timestamp,
    /// It has a valid O2 mean.
    pub o2_valid: bool,
    /// Kinds of the marks that touch it, concern the factor and have their effect.
    pub marks: &'a [MarkKind],
    /// Special periods (特殊时段) of the registry by id, in force or not.
    pub special_periods: &'a BTreeMap<SmolStr, SpecialPeriod>,
    /// Region of the enterprise; without one only special periods of all regions hold.
    pub region: Option<&'a RegionId>,
}

impl Circumstances<'_> {
    /// `limit` belongs to no special period, or to one that holds at the start of the period. One
    /// that the registry does not know never holds.
    pub(super) fn reaches(&self, limit: &Limit) -> bool {
        limit.special.as_ref().is_none_or(|id| {
            self.special_periods
                .get(id)
                .is_some_and(|special| special.in_force(self.start, self.region))
        })
    }

    /// A mark keeps the period from being judged against `limit`: one of the states that its source
    /// excepts, or one of a kind that under the profile is judged against no limit at all.
    pub(super) fn exempts(&self, limit: &Limit) -> bool {
        let kinds = &self.profile.marks.kinds;
        self.marks.iter().any(|mark| {
            limit.not_during.contains(mark)
                || kinds
                    .get(mark)
                    .is_some_and(|rule| rule.effect == MarkEffect::NotJudged)
        })
    }
}

/// True for an outlet whose limits on the converted value judge a value of its own: a stack with a
/// reference O2.
pub fn converts(outlet: &Outlet) -> bool {
    let gas = outlet.gas.as_ref();
    outlet.medium == Medium::Gas && gas.is_some_and(|gas| gas.reference_o2_pct.is_some())
}
