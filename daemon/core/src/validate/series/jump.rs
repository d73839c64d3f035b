//! Hours that do not follow from the hours before them, though the load stays.

use super::clues::{Clues, Evidence};
use super::days::{Days, span, span_of};
use super::figures::{differs, percent_of};
use super::range::range_of;
use crate::model::{AggregateRow, OutletFactor};
use crate::quantity::internal;
use crate::validate::{DROP_TOGETHER, HOUR_STEP};
use rust_decimal::Decimal;

/// Change of the load from one hour to the next, percent of the earlier; `None` when unknown.
fn load_change_pct(days: &Days<'_>, a: &AggregateRow, b: &AggregateRow) -> Option<Decimal> {
    let (before, after) = (days.load(a)?, days.load(b)?);
    let change = after
        .checked_sub(before)?
        .checked_mul(Decimal::ONE_HUNDRED)?;
    change.checked_div(before)
}

/// A load that is not known is not known to have changed.
fn load_stays(change_pct: Option<Decimal>, most_pct: Decimal) -> bool {
    change_pct.is_none_or(|change| change.abs() <= most_pct)
}

/// What a jump is measured by: the width of the range, else the greatest upper limit.
fn yardstick(factor: &OutletFactor) -> Option<Decimal> {
    let width = range_of(factor).and_then(|(low, high)| high.checked_sub(low));
    width.or_else(|| factor.limits.iter().filter_map(|limit| limit.upper).max())
}

/// Spikes and steps between neighbouring hours.
pub(super) fn steps(days: &Days<'_>, clues: &mut Clues<'_>) {
    let times = clues.threshold(&HOUR_STEP, "times");
    let range_pct = clues.threshold(&HOUR_STEP, "range_pct");
    let load_pct = clues.threshold(&HOUR_STEP, "load_pct");
    let pairs = days.pairs();
    for (code, factor) in days.concentrations() {
        let least = yardstick(factor).and_then(|width| percent_of(width, range_pct));
        let Some(least) = least else { continue };
        let jumps = |a: Decimal, b: Decimal| {
            let (low, high) = (a.min(b), a.max(b));
            let multiple = low.checked_mul(times);
            differs(high, low, least) && multiple.is_some_and(|multiple| high > multiple)
        };
        let mut after_spike = false;
        for (at, (a, b)) in pairs.iter().enumerate() {
            if std::mem::take(&mut after_spike) || days.source_marked(a) || days.source_marked(b) {
                continue;
            }
            let mean = |row: &AggregateRow| days.mean(row, code.as_str());
            let Some((before, now)) = mean(a).zip(mean(b)) else {
                continue;
            };
            let change_pct = load_change_pct(days, a, b);
            if !jumps(before, now) || !load_stays(change_pct, load_pct) {
                continue;
            }
            let next = pairs.get(at.saturating_add(1)).map(|(_, next)| *next);
            let next = next.and_then(mean);
            let is_spike =
                next.is_some_and(|next| jumps(now, next) && (next > now) == (before > now));
            after_spike = is_spike;
            let evidence = Evidence::default()
                .word("shape", if is_spike { "spike" } else { "step" })
                .figure("before", before)
                .figure("now", now)
                .figure_if("next", next.filter(|_| is_spike))
                .figure_if("load_change_pct", change_pct);
            clues.add(&HOUR_STEP, Some(code), span(b), evidence);
        }
    }
}

/// All pollutants, two at least, fall together.
pub(super) fn together(days: &Days<'_>, clues: &mut Clues<'_>) {
    let drop_pct = clues.threshold(&DROP_TOGETHER, "drop_pct");
    let load_pct = clues.threshold(&DROP_TOGETHER, "load_pct");
    for (a, b) in days.pairs() {
        let change_pct = load_change_pct(days, a, b);
        if days.source_marked(a) || days.source_marked(b) || !load_stays(change_pct, load_pct) {
            continue;
        }
        let mut evidence = Evidence::default();
        let (mut fell, mut others) = (0_usize, 0_usize);
        for (code, factor) in days.concentrations() {
            let means = days.mean(a, code.as_str()).zip(days.mean(b, code.as_str()));
            let Some((before, now)) = means else { continue };
            let floor = factor.detection_limit.unwrap_or_default();
            if before <= floor {
                continue;
            }
            let most = percent_of(before, drop_pct);
            let dropped = before
                .checked_sub(now)
                .zip(most)
                .is_some_and(|(d, most)| d >= most);
            if dropped {
                fell = fell.saturating_add(1);
                let text = format!("{} -> {}", internal(before), internal(now));
                evidence = evidence.of_factor(code, text);
            } else {
                others = others.saturating_add(1);
            }
        }
        if let (true, Some(span)) = (fell > 1 && others == 0, span_of([a, b])) {
            let evidence = evidence.figure_if("load_change_pct", change_pct);
            clues.add(&DROP_TOGETHER, None, span, evidence);
        }
    }
}
