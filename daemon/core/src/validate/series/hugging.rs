//! Hour means that stay just below a limit (贴限排放).

use super::clues::{Clues, Evidence};
use super::days::{Days, span_of};
use super::figures::{is_share, percent_of};
use crate::model::{AggregateRow, Limit, OutletFactor};
use crate::validate::LIMIT_HUGGING;
use rust_decimal::Decimal;

/// The figure of an hour that a limit is about: what was judged, where it was judged; else the
/// mean, converted or not, so that limits on days are looked at, too.
fn figure(days: &Days<'_>, row: &AggregateRow, code: &str, limit: &Limit) -> Option<Decimal> {
    let factor = days.valid(row, code)?;
    let mut verdicts = factor.limits.iter();
    if let Some(verdict) = verdicts.find(|verdict| verdict.limit == limit.id) {
        return Some(verdict.judged);
    }
    let converts = days
        .input
        .outlet
        .gas
        .as_ref()
        .is_some_and(|gas| gas.reference_o2_pct.is_some());
    let holds = limit.special.is_none()
        && limit.from.is_none_or(|from| from <= row.start)
        && limit.until.is_none_or(|until| row.start < until);
    let figure = if limit.converted && converts {
        factor.converted
    } else {
        factor.mean
    };
    figure.filter(|_| holds)
}

/// Upper bounds of the factor's limits, each once.
fn bounds(factor: &OutletFactor) -> Vec<(&Limit, Decimal)> {
    let limits = factor.limits.iter();
    let mut bounds: Vec<(&Limit, Decimal)> = limits
        .filter_map(|limit| Some((limit, limit.upper?)))
        .collect();
    let key =
        |(limit, upper): &(&Limit, Decimal)| (*upper, limit.converted, limit.special.is_some());
    bounds.sort_by_key(key);
    bounds.dedup_by(|(a, x), (b, y)| x == y && a.converted == b.converted);
    bounds
}

/// The hours of the day.
pub(super) fn hours(days: &Days<'_>, clues: &mut Clues<'_>) {
    let band_pct = clues.threshold(&LIMIT_HUGGING, "band_pct");
    let share_pct = clues.threshold(&LIMIT_HUGGING, "share_pct");
    let needed = clues.threshold(&LIMIT_HUGGING, "hours");
    for (code, factor) in days.concentrations() {
        for (limit, upper) in bounds(factor) {
            let band = percent_of(upper, band_pct);
            let Some(edge) = band.and_then(|band| upper.checked_sub(band)) else {
                continue;
            };
            let rows = days.input.hours.iter();
            let figures: Vec<(&AggregateRow, Decimal)> = rows
                .filter_map(|row| Some((row, figure(days, row, code.as_str(), limit)?)))
                .collect();
            let near: Vec<&AggregateRow> = figures
                .iter()
                .filter(|(_, figure)| *figure >= edge && *figure <= upper)
                .map(|(row, _)| *row)
                .collect();
            let often = Decimal::from(near.len()) >= needed
                && is_share(near.len(), figures.len(), share_pct);
            if let (true, Some(span)) = (often, span_of(near.iter().copied())) {
                let evidence = Evidence::default()
                    .word("limit", &limit.id)
                    .word("hours", near.len())
                    .word("of", figures.len())
                    .figure("edge", edge)
                    .figure("upper", upper);
                clues.add(&LIMIT_HUGGING, Some(code), span, evidence);
            }
        }
    }
}
