//! Quality assurance of the equipment (质量保证): what a test of it says, and for which time the
//! equipment was out of control (失控).
//!
//! [`judge`] holds a test against the tables of its profile ([`QaRules`]). Input that does not
//! allow a verdict gives `NotJudged` with its reason, never a figure.

pub mod accuracy;
pub mod comparison;
pub mod control;
pub mod drift;
pub mod entry;
pub mod errors;
pub mod linearity;
pub mod specification;
pub mod stats;
#[cfg(test)]
mod tests;

use crate::limits;
use crate::model::profile::{QaRounding, QaRules};
use crate::model::{Profile, QaKind, QaOutcome, QaTest, QaVerdict};
use crate::quantity::internal;
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Why a test was not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It has no values.
    NoPairs,
    /// Fewer pairs than its rule needs.
    TooFewPairs,
    /// The profile has no rule for the factor and this kind of test.
    NoRule,
    /// The table has no band for the mean of the reference values.
    NoBand,
    /// A drift is a share of the full scale, and neither test nor registry gives one above zero.
    NoFullScale,
    /// An error in percent of a reference that is zero or below.
    ReferenceNotPositive,
    /// A figure is too large to be computed.
    OutOfRange,
}

impl Why {
    /// Every reason.
    pub const ALL: [Why; 7] = [
        Self::NoPairs,
        Self::TooFewPairs,
        Self::NoRule,
        Self::NoBand,
        Self::NoFullScale,
        Self::ReferenceNotPositive,
        Self::OutOfRange,
    ];

    /// The code in verdicts and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoPairs => "no-pairs",
            Self::TooFewPairs => "too-few-pairs",
            Self::NoRule => "no-rule",
            Self::NoBand => "no-band",
            Self::NoFullScale => "no-full-scale",
            Self::ReferenceNotPositive => "reference-not-positive",
            Self::OutOfRange => "out-of-range",
        }
    }
}

/// The verdict on `test` under `profile`. `full_scale`, in the factor's unit, is that of the
/// registry; the one of the test goes before it.
///
/// Results are magnitudes: what is at the limit or below has passed. The figure `error` keeps the
/// sign (equipment minus reference).
pub fn judge(test: &QaTest, profile: &Profile, full_scale: Option<Decimal>) -> QaVerdict {
    let rules = &profile.qa;
    let item = rules.items.get(&test.factor).map(SmolStr::as_str);
    let full_scale = test.full_scale.or(full_scale);
    let verdict = match test.kind {
        _ if test.pairs.is_empty() => Err(Why::NoPairs),
        QaKind::ZeroDrift => drift::judge(&test.pairs, rules, item, drift::End::Zero, full_scale),
        QaKind::SpanDrift => drift::judge(&test.pairs, rules, item, drift::End::Span, full_scale),
        QaKind::Linearity => linearity::judge(linearity::levels(&test.pairs), rules, item),
        QaKind::StandardSample => linearity::judge(Some(test.pairs.clone()), rules, item),
        QaKind::RelativeAccuracy | QaKind::Comparison => {
            comparison::judge(&test.pairs, rules, item, test.kind)
        }
    };
    verdict.unwrap_or_else(not_judged)
}

fn not_judged(why: Why) -> QaVerdict {
    QaVerdict {
        outcome: QaOutcome::NotJudged,
        result: None,
        limit: None,
        band: SmolStr::default(),
        why: Some(SmolStr::new_static(why.as_str())),
        figures: BTreeMap::new(),
    }
}

/// Passed or failed: `result`, a magnitude, against `limit`.
fn verdict(result: Decimal, limit: Decimal, band: SmolStr, figures: Figures) -> QaVerdict {
    let outcome = if errors::within(result, limit) {
        QaOutcome::Passed
    } else {
        QaOutcome::Failed
    };
    QaVerdict {
        outcome,
        result: Some(internal(result)),
        limit: Some(limit),
        band,
        why: None,
        figures: figures.0,
    }
}

/// Figures of a verdict by name.
#[derive(Debug, Default)]
struct Figures(BTreeMap<SmolStr, Decimal>);

impl Figures {
    fn new(figures: impl IntoIterator<Item = (&'static str, Decimal)>) -> Self {
        let mut all = Self::default();
        for (name, figure) in figures {
            all.add(SmolStr::new_static(name), figure);
        }
        all
    }

    fn add(&mut self, name: SmolStr, figure: Decimal) {
        self.0.insert(name, internal(figure));
    }
}

/// A percentage as the rules round it before it is judged; as it is where they do not.
pub fn rounded_pct(pct: Decimal, rounding: Option<&QaRounding>) -> Decimal {
    rounding.map_or(pct, |r| limits::round(pct, r.pct_decimals, r.mode))
}

/// A mean as the rules round it before it is used further; as it is where they do not.
pub fn rounded_mean(mean: Decimal, rounding: Option<&QaRounding>) -> Decimal {
    rounding
        .and_then(|r| Some(limits::round(mean, r.mean_decimals?, r.mode)))
        .unwrap_or(mean)
}

/// The limit of a standard sample or calibration gas for `item`, or that of all others.
fn standard_pct(rules: &QaRules, item: Option<&str>) -> Option<Decimal> {
    item.and_then(|item| rules.standard_pct.get(item))
        .or_else(|| rules.standard_pct.get("*"))
        .copied()
}

/// How many there are.
fn count<T>(of: &[T]) -> Result<u32, Why> {
    u32::try_from(of.len()).map_err(|_| Why::OutOfRange)
}
