//! What bears on the data of a period besides the data themselves: marks (标记), time out of control
//! (失控) and the validity review of the quarter (有效性审核).
//!
//! None of it changes a record. It says whether values count when the hour is formed, and whether
//! the hour counts and may be judged.

use super::gather::Of;
use super::{Figures, Slot};
use crate::engine::History;
use crate::marks::{self, Effects};
use crate::model::time::{DAY_MS, HOUR_MS, MINUTE_MS, quarter_of};
use crate::model::{
    FactorCode, Level, MarkEffect, MarkKind, MarkRow, Period, QaKind, QaRow, Timestamp,
};
use crate::qa::control::{Tested, is_out_of_control};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// Why an hour with data does not count, as codes.
pub mod why {
    /// A failed test, back to the last passed one and forward to the next (失控).
    pub const OUT_OF_CONTROL: &str = "out-of-control";
    /// The authority did not accept the automatic data of the quarter.
    pub const REVIEW_FAILED: &str = "review-failed";
}

/// How far back a failed test speaks when none was ever passed before it: a quarter, which is also
/// as long as any test may be put off.
pub const CONTROL_REACH_MS: i64 = 92 * DAY_MS;

/// How often the stretch of marks is grown to whole chains before it is taken as it is: chains are
/// entered by people, and 64 marks that touch one another are days of nothing else.
pub const REACH_STEPS_MAX: u32 = 64;

/// Tests of one kind that may lie in an hour; there is hardly ever one.
const TESTS_INSIDE_MAX: usize = 32;

/// What bears on the data of one outlet in one period.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// Marks that touch the period, or its chains.
    pub marks: Vec<MarkRow>,
    /// What they do in it.
    pub effects: Effects,
    /// Factors out of control in some part of it.
    pub out_of_control: BTreeSet<FactorCode>,
    /// Automatic data of its quarter do not count.
    pub review_failed: bool,
}

impl Standing {
    /// What bears on the data of an hour.
    pub fn of_hour(of: Of<'_>, start: Timestamp, history: &dyn History) -> Self {
        let end = start.plus_ms(HOUR_MS);
        let (marks, effects) = marked(of, (start, end), history);
        let (quarter, _) = quarter_of(start, of.offset);
        let review = history.review(&of.outlet.id, quarter);
        Self {
            marks,
            effects,
            out_of_control: uncontrolled(of, (start, end), history),
            review_failed: review.and_then(|review| review.passed()) == Some(false),
        }
    }

    /// Takes values away that marks declare invalid or stopped. A slot longer than a minute keeps
    /// its value while marks leave the share of it that an hour must have.
    pub(super) fn apply_to_slots(&self, of: Of<'_>, slots: &mut [Slot]) {
        if self.marks.iter().all(|row| !row.counts) {
            return;
        }
        for slot in slots {
            let (from, until) = (slot.start, slot.start.plus_ms(minutes_ms(slot.minutes)));
            let lacking = 60u32.saturating_sub(of.profile.hour_min_valid_minutes);
            let spared = slot.minutes.saturating_mul(lacking) / 60;
            for (factor, value) in &mut slot.values {
                let with = |effect| self.effects.minutes_with(effect, factor, from, until);
                let stopped = with(MarkEffect::Stopped);
                let gone = stopped.saturating_add(with(MarkEffect::Invalid));
                if gone > spared {
                    value.value = None;
                    value.cou = None;
                    value.converted = None;
                    value.stopped |= stopped > spared;
                }
            }
        }
    }

    /// Says of the factors of an hour what does not count and what is not judged.
    pub(super) fn apply_to_figures(&self, start: Timestamp, figures: &mut Figures) {
        let end = start.plus_ms(HOUR_MS);
        for (code, factor) in &mut figures.factors {
            let with = |effect| self.effects.minutes_with(effect, code, start, end).min(60);
            factor.stopped_units = factor.stopped_units.max(with(MarkEffect::Stopped));
            factor.exempt_units = with(MarkEffect::NotJudged);
            let why = if self.review_failed {
                why::REVIEW_FAILED
            } else if self.out_of_control.contains(code) {
                why::OUT_OF_CONTROL
            } else {
                continue;
            };
            factor.valid = false;
            factor.amount_kg = None;
            factor.invalid_why = Some(SmolStr::new_static(why));
        }
    }

    /// Kinds of the marks that hold for `factor` somewhere in the hour.
    pub fn kinds(&self, factor: &FactorCode, start: Timestamp) -> Vec<MarkKind> {
        let end = start.plus_ms(HOUR_MS);
        self.effects.kinds(factor, start, end).into_iter().collect()
    }

    /// Minutes of the hour in which the source was stopped, as marks say.
    pub fn stopped_min(&self, factor: &FactorCode, start: Timestamp) -> u32 {
        let end = start.plus_ms(HOUR_MS);
        self.effects
            .minutes_with(MarkEffect::Stopped, factor, start, end)
    }
}

fn minutes_ms(minutes: u32) -> i64 {
    i64::from(minutes).saturating_mul(MINUTE_MS)
}

/// The marks that touch a period with their whole chains, and what they do in it.
pub fn marked(
    of: Of<'_>,
    period: (Timestamp, Timestamp),
    history: &dyn History,
) -> (Vec<MarkRow>, Effects) {
    let rows = whole_chains(of, period, history);
    if rows.is_empty() {
        return (rows, Effects::default());
    }
    let used_min = used(of, period.0, &rows, history);
    let effects = Effects::of(&rows, &of.profile.marks, period, &used_min);
    (rows, effects)
}

/// The marks that touch a period, and those that touch these, and so on.
fn whole_chains(of: Of<'_>, period: (Timestamp, Timestamp), history: &dyn History) -> Vec<MarkRow> {
    let touching = |from: Timestamp, until: Timestamp| {
        // A mark that ends where the period begins touches it.
        history.marks(&of.outlet.id, from.plus_ms(-1), until.plus_ms(1))
    };
    let mut rows = touching(period.0, period.1);
    let mut stretch = period;
    for _ in 0..REACH_STEPS_MAX {
        let grown = marks::reach(&rows, stretch.0, stretch.1);
        if grown == stretch {
            break;
        }
        stretch = grown;
        rows = touching(stretch.0, stretch.1);
    }
    rows
}

/// Minutes of the calendar year before `until` in which the kinds with a budget held, as far as
/// `rows` have any of them.
pub fn used(
    of: Of<'_>,
    until: Timestamp,
    rows: &[MarkRow],
    history: &dyn History,
) -> BTreeMap<MarkKind, u32> {
    let rules = &of.profile.marks;
    let budgeted = |kind: &MarkKind| {
        let rule = rules.kinds.get(kind);
        rule.is_some_and(|rule| rule.year_max_h.is_some())
    };
    let kinds: BTreeSet<MarkKind> = rows.iter().map(|row| row.mark.kind).collect();
    let kinds: Vec<MarkKind> = kinds.into_iter().filter(budgeted).collect();
    if kinds.is_empty() {
        return BTreeMap::new();
    }
    let year = Period::containing(Level::Year, until, of.offset).start;
    if until <= year {
        return BTreeMap::new();
    }
    let before = whole_chains(of, (year, until), history);
    let effects = Effects::of(&before, rules, (year, until), &BTreeMap::new());
    kinds
        .into_iter()
        .map(|kind| (kind, effects.used_min(kind)))
        .collect()
}

/// Pollutants whose equipment was out of control at some instant of the hour.
fn uncontrolled(
    of: Of<'_>,
    hour: (Timestamp, Timestamp),
    history: &dyn History,
) -> BTreeSet<FactorCode> {
    let out = |code: &FactorCode| {
        QaKind::ALL
            .into_iter()
            .any(|kind| kind_uncontrolled(of, code, kind, hour, history))
    };
    of.outlet
        .factors
        .keys()
        .filter(|code| out(code))
        .cloned()
        .collect()
}

fn kind_uncontrolled(
    of: Of<'_>,
    factor: &FactorCode,
    kind: QaKind,
    (start, end): (Timestamp, Timestamp),
    history: &dyn History,
) -> bool {
    let around = |at| history.qa_around(&of.outlet.id, factor, kind, at);
    let (before, mut next) = around(start);
    let mut inside = Vec::new();
    while let Some(row) = next.take_if(|row| row.test.at < end) {
        inside.push(tested(&row));
        if inside.len() == TESTS_INSIDE_MAX {
            break;
        }
        next = around(row.test.at).1;
    }
    // Without a passed test before, a failure speaks for a quarter and no further.
    let near = |row: &QaRow| before.is_some() || row.test.at.since_ms(start) <= CONTROL_REACH_MS;
    let after = next.filter(near);
    if before.is_none() && inside.is_empty() && after.is_none() {
        return false;
    }
    is_out_of_control(
        (start, end),
        before.as_ref().map(tested),
        &inside,
        after.as_ref().map(tested),
    )
}

fn tested(row: &QaRow) -> Tested {
    (row.test.at, row.verdict.outcome)
}
