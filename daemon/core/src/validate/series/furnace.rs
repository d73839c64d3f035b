//! Waste incineration: the furnace in a day, the days over a limit in a month.

use super::clues::{Clues, Evidence, Span};
use crate::incineration::{FurnaceDay, StackMonth};
use crate::model::{Clue, Profile, Timestamp};
use crate::validate::catalogue;
use std::collections::BTreeSet;

/// Clues of a furnace's day. `span` are the day's first instant and the first after it.
pub fn furnace_clues(profile: &Profile, day: &FurnaceDay, span: Span) -> Vec<Clue> {
    let mut clues = Clues::new(profile);
    if let (true, Some(rule)) = (day.violation, &profile.incineration) {
        let evidence = Evidence::default()
            .word("low", day.low.len())
            .word("low_marked", day.low_marked.len())
            .word("allowed", rule.furnace_low_max)
            .figure("min_c", rule.furnace_min_c);
        let factor = Some(&rule.furnace_factor);
        clues.add(&catalogue::FURNACE_LOW, factor, span, evidence);
    }
    clues.finish()
}

/// Clues of a stack's month. `span` are the month's first instant and the first after it.
pub fn month_clues(
    profile: &Profile,
    month: &StackMonth,
    span: (Timestamp, Timestamp),
) -> Vec<Clue> {
    let mut clues = Clues::new(profile);
    if let (Some(consequence), Some(rule)) = (month.consequence, &profile.incineration) {
        let factors: BTreeSet<&str> = month
            .exceeded
            .values()
            .flatten()
            .map(|code| code.as_str())
            .collect();
        let factors: Vec<&str> = factors.into_iter().collect();
        let evidence = Evidence::default()
            .word("days", month.exceeded.len())
            .word("allowed", rule.exceeded_days_max)
            .word("consequence", consequence.as_str())
            .word("factors", factors.join(" ").as_str());
        clues.add(&catalogue::EXCEEDED_DAYS, None, span, evidence);
    }
    clues.finish()
}
