//! Zero and span drift (零点漂移, 量程漂移), percent of full scale.

use super::{Figures, Why, count, errors, rounded_pct, verdict};
use crate::model::profile::QaRules;
use crate::model::{QaOutcome, QaPair, QaVerdict};
use rust_decimal::Decimal;
use smol_str::SmolStr;

/// Which end of the scale drifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Zero (零点).
    Zero,
    /// Span (量程).
    Span,
}

/// The verdict on the greatest drift of `pairs`: beyond the limit of adjustment it is `Adjust`,
/// beyond that of control `Failed`. The limit of the verdict is that of control; the figure
/// `adjust` is the other.
pub(super) fn judge(
    pairs: &[QaPair],
    rules: &QaRules,
    item: Option<&str>,
    end: End,
    full_scale: Option<Decimal>,
) -> Result<QaVerdict, Why> {
    let rule = item.and_then(|item| rules.drift.get(item));
    let rule = rule.ok_or(Why::NoRule)?;
    let (adjust, out) = match end {
        End::Zero => (rule.zero_adjust_pct, rule.zero_out_pct),
        End::Span => (rule.span_adjust_pct, rule.span_out_pct),
    };
    let full_scale = full_scale.ok_or(Why::NoFullScale)?;
    let drifts = pairs
        .iter()
        .map(|pair| errors::pct_of_span(pair, full_scale));
    let drifts: Vec<Decimal> = drifts.collect::<Result<_, Why>>()?;
    let drift = errors::greatest(drifts).ok_or(Why::NoPairs)?;
    let drift = rounded_pct(drift, rules.rounding.as_ref());
    let figures = Figures::new([
        ("n", Decimal::from(count(pairs)?)),
        ("error", drift),
        ("adjust", adjust),
        ("full_scale", full_scale),
    ]);
    let band = SmolStr::new_static("drift %FS");
    let mut verdict = verdict(drift.abs(), out, band, figures);
    if verdict.outcome == QaOutcome::Passed && !errors::within(drift, adjust) {
        verdict.outcome = QaOutcome::Adjust;
    }
    Ok(verdict)
}
