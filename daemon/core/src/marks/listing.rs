//! The marks of a period and what each of them did, as data for pages and explanations.

use super::effects::{Effects, Line};
use super::spans::{Spans, span};
use crate::model::profile::MarkRules;
use crate::model::{MarkEffect, MarkKind, MarkRow, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;

/// Why minutes of a mark are without effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoEffect {
    /// The mark was taken back.
    Withdrawn,
    /// It came late, and late ones do not count.
    Late,
    /// The rules give its kind no effect.
    NotListed,
    /// Its chain is too short.
    ShortChain,
    /// Beyond the hours of one occurrence.
    OnceUsed,
    /// Beyond the hours of a year.
    YearUsed,
}

impl NoEffect {
    /// The code in the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::Late => "late",
            Self::NotListed => "not-listed",
            Self::ShortChain => "short-chain",
            Self::OnceUsed => "once-used",
            Self::YearUsed => "year-used",
        }
    }
}

/// Minutes of a mark that are without effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// Why.
    pub why: NoEffect,
    /// How many of the period.
    pub minutes: u32,
}

/// A mark of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The mark as it stands: late, counting, withdrawn by whom.
    pub row: MarkRow,
    /// What the rules give its kind; `None`: they do not list it.
    pub effect: Option<MarkEffect>,
    /// Minutes of it within the period.
    pub minutes: u32,
    /// Minutes of these in which it holds for at least one of its factors. A stronger mark may
    /// cover it there.
    pub holds_min: u32,
    /// The rest, by reason; together with `holds_min` they are `minutes`.
    pub lost: Vec<Lost>,
}

/// The marks that have a minute in `period`, by beginning and number. Arguments are those of
/// [`Effects::of`].
pub fn list(
    rows: &[MarkRow],
    rules: &MarkRules,
    period: (Timestamp, Timestamp),
    used_min: &BTreeMap<MarkKind, u32>,
) -> Vec<Listed> {
    let effects = Effects::of(rows, rules, period, used_min);
    let window = Spans::of([span(period.0, period.1)]);
    let mut listed: Vec<Listed> = rows
        .iter()
        .map(|row| entry(row, &effects, rules, &window))
        .filter(|listed| listed.minutes > 0)
        .collect();
    listed.sort_by_key(|listed| (listed.row.mark.from, listed.row.id));
    listed
}

fn entry(row: &MarkRow, effects: &Effects, rules: &MarkRules, window: &Spans) -> Listed {
    let kind = row.mark.kind;
    let effect = rules.kinds.get(&kind).map(|rule| rule.effect);
    let own = Spans::of([span(row.mark.from, row.mark.until)]).and(window);
    let lines: Vec<&Line> = if row.mark.factors.is_empty() {
        effects.lines().collect()
    } else {
        let factors = row.mark.factors.iter();
        factors.map(|factor| effects.line(factor)).collect()
    };
    let within = |of: &dyn Fn(&Line) -> Option<Spans>| {
        let spans: Vec<Spans> = lines.iter().filter_map(|line| of(line)).collect();
        own.and(&Spans::union(&spans)).minutes()
    };
    let minutes = own.minutes();
    let kept = within(&|line| Some(line.kept.clone()));
    let once = within(&|line| line.once.get(&kind).cloned());
    let holds = within(&|line| line.holds.get(&kind).cloned());
    let lost = match (&row.withdrawn, row.counts, effect) {
        (Some(_), _, _) => vec![(NoEffect::Withdrawn, minutes)],
        (None, false, _) => vec![(NoEffect::Late, minutes)],
        (None, true, None) => vec![(NoEffect::NotListed, minutes)],
        (None, true, Some(_)) => vec![
            (NoEffect::ShortChain, minutes.saturating_sub(kept)),
            (NoEffect::OnceUsed, kept.saturating_sub(once)),
            (NoEffect::YearUsed, once.saturating_sub(holds)),
        ],
    };
    let lost: Vec<Lost> = lost
        .into_iter()
        .filter(|(_, minutes)| *minutes > 0)
        .map(|(why, minutes)| Lost { why, minutes })
        .collect();
    Listed {
        row: row.clone(),
        effect,
        minutes,
        holds_min: lost
            .iter()
            .fold(minutes, |n, lost| n.saturating_sub(lost.minutes)),
        lost,
    }
}
