//! Clues as they are found: by check, with evidence, in order and bounded.

use super::MarkSpan;
use crate::model::{Clue, FactorCode, MarkKind, Profile, Timestamp};
use crate::quantity::internal;
use crate::validate::Check;
use crate::validate::catalogue::is_known;
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Most clues of one check in one period; how many more there were is said in the evidence of the
/// last one, under `more`.
pub const CLUES_PER_CHECK_MAX: usize = 8;

/// From the first instant, to the first after it.
pub(crate) type Span = (Timestamp, Timestamp);

/// Figures by name; the names are those of the list of the catalogue.
#[derive(Debug, Default)]
pub(crate) struct Evidence(BTreeMap<SmolStr, String>);

impl Evidence {
    /// A figure, rounded as computed figures are, without trailing zeros.
    pub(crate) fn figure(mut self, name: &'static str, value: Decimal) -> Self {
        self.insert(name, internal(value).to_string());
        self
    }

    /// A figure that may be absent.
    pub(crate) fn figure_if(self, name: &'static str, value: Option<Decimal>) -> Self {
        match value {
            Some(value) => self.figure(name, value),
            None => self,
        }
    }

    /// A count or a word.
    pub(crate) fn word(mut self, name: &'static str, value: impl Copy + ToString) -> Self {
        self.insert(name, value.to_string());
        self
    }

    fn insert(&mut self, name: &'static str, value: String) {
        let name = SmolStr::new_static(name);
        debug_assert!(is_known(&name), "evidence {name} has no words");
        self.0.insert(name, value);
    }

    /// A word under the code of a factor.
    pub(crate) fn of_factor(mut self, code: &FactorCode, value: String) -> Self {
        self.0.insert(SmolStr::new(code.as_str()), value);
        self
    }
}

/// What a period gave so far.
#[derive(Debug)]
pub(crate) struct Clues<'a> {
    profile: &'a Profile,
    found: Vec<(&'static str, Clue)>,
}

impl<'a> Clues<'a> {
    /// Nothing yet; thresholds and switches come from `profile`.
    pub(crate) fn new(profile: &'a Profile) -> Self {
        Self {
            profile,
            found: Vec::new(),
        }
    }

    /// A threshold by the profile, else the catalogue.
    pub(crate) fn threshold(&self, check: &Check, name: &str) -> Decimal {
        check
            .threshold(name, self.profile)
            .expect("checks ask for thresholds of their own entry")
    }

    /// Adds a clue, unless the profile switches the check off.
    pub(crate) fn add(
        &mut self,
        check: &Check,
        factor: Option<&FactorCode>,
        (from, until): Span,
        evidence: Evidence,
    ) {
        if !check.is_on(self.profile) {
            return;
        }
        let clue = Clue {
            check: check.stored_code(),
            factor: factor.cloned(),
            from,
            until,
            evidence: evidence.0,
        };
        self.found.push((check.number, clue));
    }

    /// All of them in the order of the catalogue, then by factor and time, bounded.
    pub(crate) fn finish(self) -> Vec<Clue> {
        let mut found = self.found;
        found.sort_by(|(a, x), (b, y)| {
            let key = |clue: &Clue| (clue.from, clue.until);
            a.cmp(b)
                .then_with(|| x.factor.cmp(&y.factor))
                .then_with(|| key(x).cmp(&key(y)))
                .then_with(|| x.evidence.cmp(&y.evidence))
        });
        let mut out: Vec<Clue> = Vec::with_capacity(found.len());
        let mut of_check = 0_usize;
        for (_, clue) in found {
            let same = out.last().is_some_and(|last| last.check == clue.check);
            of_check = if same { of_check.saturating_add(1) } else { 1 };
            if of_check <= CLUES_PER_CHECK_MAX {
                out.push(clue);
            } else if let Some(last) = out.last_mut() {
                let more = of_check.saturating_sub(CLUES_PER_CHECK_MAX);
                let name = SmolStr::new_static("more");
                last.evidence.insert(name, more.to_string());
            }
        }
        out
    }
}

/// True when a mark that `counts` touches the span.
pub(crate) fn marked(
    marks: &[MarkSpan],
    (from, until): Span,
    counts: impl Fn(MarkKind) -> bool,
) -> bool {
    let mut touching = marks.iter().filter(|(_, a, b)| *a < until && from < *b);
    touching.any(|(kind, ..)| counts(*kind))
}
