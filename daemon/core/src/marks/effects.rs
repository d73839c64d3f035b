//! What marks do, minute by minute and factor by factor.

use super::spans::{Spans, span};
use crate::model::profile::MarkRules;
use crate::model::{FactorCode, MarkEffect, MarkKind, MarkRow, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

const MINUTES_PER_HOUR: i64 = 60;

/// The effects of the marks of an outlet within a period.
///
/// For each factor, of the marks that count and concern it:
///
/// 1. marks of chains shorter than `chain_min` have no effect;
/// 2. touching or overlapping marks of one kind are one occurrence, whose first `once_max_h` hours
///    have the effect: a long occurrence is not two shorter ones because it was entered so;
/// 3. the hours of a kind in a calendar year are used up in the order of time; beyond `year_max_h`
///    there is no effect. A minute in which the kind holds for any factor uses a minute of it;
/// 4. where several kinds hold, the strongest effect counts: stopped, invalid, not judged, shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// Factors that a mark names.
    named: BTreeMap<FactorCode, Line>,
    /// Every other factor.
    others: Line,
}

/// The effects on one factor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Minutes in chains that are long enough.
    pub(super) kept: Spans,
    /// Of these, minutes of each kind within its hours of an occurrence.
    pub(super) once: BTreeMap<MarkKind, Spans>,
    /// Of these, minutes of each kind within its hours of a year: where it holds.
    pub(super) holds: BTreeMap<MarkKind, Spans>,
    /// Where an effect is the strongest.
    strongest: BTreeMap<MarkEffect, Spans>,
}

impl Effects {
    /// The effects of `rows` within `period`, first instant and first after it.
    ///
    /// `rows` are all marks of the outlet that touch the period, and the neighbours needed to know
    /// whole chains (see [`reach`](super::reach)), in any order. The period lies within one local
    /// calendar year, as every hour, day and month does. `used_min` says for how many minutes of
    /// that year before the period each kind held (the sum of [`Effects::used_min`] over the
    /// periods before it); kinds without a budget need no entry.
    pub fn of(
        rows: &[MarkRow],
        rules: &MarkRules,
        period: (Timestamp, Timestamp),
        used_min: &BTreeMap<MarkKind, u32>,
    ) -> Self {
        let period = Spans::of([span(period.0, period.1)]);
        let counting: Vec<&MarkRow> = rows.iter().filter(|row| row.counts).collect();
        let line = |factor: Option<&FactorCode>| {
            let concern = |row: &&&MarkRow| row.mark.factors.is_empty() || names(row, factor);
            Line::of(counting.iter().filter(concern).copied(), rules, &period)
        };
        let named: BTreeSet<&FactorCode> =
            counting.iter().flat_map(|row| &row.mark.factors).collect();
        let mut effects = Self {
            named: named
                .into_iter()
                .map(|code| (code.clone(), line(Some(code))))
                .collect(),
            others: line(None),
        };
        effects.spend_years(rules, used_min);
        effects
    }

    /// Step 3, over all factors; then step 4.
    fn spend_years(&mut self, rules: &MarkRules, used_min: &BTreeMap<MarkKind, u32>) {
        let mut allowed = BTreeMap::new();
        for (kind, rule) in &rules.kinds {
            let Some(hours) = rule.year_max_h else {
                continue;
            };
            let used = i64::from(used_min.get(kind).copied().unwrap_or(0));
            let left = i64::from(hours).saturating_mul(MINUTES_PER_HOUR) - used;
            let all = Spans::union(self.lines().filter_map(|line| line.once.get(kind)));
            allowed.insert(*kind, all.first(left));
        }
        for line in self.named.values_mut().chain([&mut self.others]) {
            line.finish(rules, &allowed);
        }
    }

    /// The line of every factor named, and that of the others.
    pub(super) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.named.values().chain([&self.others])
    }

    /// The line of a factor.
    pub(super) fn line(&self, factor: &FactorCode) -> &Line {
        self.named.get(factor).unwrap_or(&self.others)
    }

    /// The strongest effect on `factor` in the minute that contains `at`; `None` without any, and
    /// outside the period.
    pub fn at(&self, factor: &FactorCode, at: Timestamp) -> Option<MarkEffect> {
        let (minute, _) = span(at, at.plus_ms(1));
        let strongest = &self.line(factor).strongest;
        strongest
            .iter()
            .find(|(_, spans)| spans.contains(minute))
            .map(|(effect, _)| *effect)
    }

    /// Minutes between `from` and `until` in which `effect` is the strongest on `factor`, within
    /// the period.
    pub fn minutes_with(
        &self,
        effect: MarkEffect,
        factor: &FactorCode,
        from: Timestamp,
        until: Timestamp,
    ) -> u32 {
        let window = Spans::of([span(from, until)]);
        let spans = self.line(factor).strongest.get(&effect);
        spans.map_or(0, |spans| spans.and(&window).minutes())
    }

    /// The kinds that hold for `factor` in any minute between `from` and `until`, for limits that
    /// do not apply during some: also kinds that the rules do not list.
    pub fn kinds(
        &self,
        factor: &FactorCode,
        from: Timestamp,
        until: Timestamp,
    ) -> BTreeSet<MarkKind> {
        let window = Spans::of([span(from, until)]);
        let holds = self.line(factor).holds.iter();
        holds
            .filter(|(_, spans)| spans.and(&window).minutes() > 0)
            .map(|(kind, _)| *kind)
            .collect()
    }

    /// Minutes of the period in which `kind` holds for any factor: what the period uses of the
    /// hours of a year.
    pub fn used_min(&self, kind: MarkKind) -> u32 {
        Spans::union(self.lines().filter_map(|line| line.holds.get(&kind))).minutes()
    }
}

fn names(row: &MarkRow, factor: Option<&FactorCode>) -> bool {
    factor.is_some_and(|factor| row.mark.factors.contains(factor))
}

impl Line {
    /// Steps 1 and 2.
    fn of<'a>(rows: impl Iterator<Item = &'a MarkRow>, rules: &MarkRules, period: &Spans) -> Self {
        let mut by_kind: BTreeMap<MarkKind, Vec<_>> = BTreeMap::new();
        for row in rows {
            let spans = by_kind.entry(row.mark.kind).or_default();
            spans.push(span(row.mark.from, row.mark.until));
        }
        let kept = Spans::of(by_kind.values().flatten().copied())
            .long(rules.chain_min)
            .and(period);
        let once = by_kind.into_iter().map(|(kind, spans)| {
            let spans = Spans::of(spans);
            let rule = rules.kinds.get(&kind);
            let spans = match rule.and_then(|rule| rule.once_max_h) {
                Some(hours) => spans.heads(i64::from(hours).saturating_mul(MINUTES_PER_HOUR)),
                None => spans,
            };
            (kind, spans.and(&kept))
        });
        Self {
            once: once.collect(),
            kept,
            ..Self::default()
        }
    }

    fn finish(&mut self, rules: &MarkRules, allowed: &BTreeMap<MarkKind, Spans>) {
        for (kind, spans) in &self.once {
            let spans = match allowed.get(kind) {
                Some(allowed) => spans.and(allowed),
                None => spans.clone(),
            };
            self.holds.insert(*kind, spans);
        }
        let mut stronger = Spans::default();
        for effect in STRONGEST_FIRST {
            let kinds = self.holds.iter().filter(|(kind, _)| {
                let rule = rules.kinds.get(kind);
                rule.is_some_and(|rule| rule.effect == effect)
            });
            let all = Spans::union(kinds.map(|(_, spans)| spans));
            self.strongest.insert(effect, all.without(&stronger));
            stronger = Spans::union([&stronger, &all]);
        }
    }
}

/// Effects by strength.
const STRONGEST_FIRST: [MarkEffect; 4] = [
    MarkEffect::Stopped,
    MarkEffect::Invalid,
    MarkEffect::NotJudged,
    MarkEffect::Shown,
];
