//! More oxygen than usual while a pollutant is low: air may have been let in (稀释).

use super::clues::{Clues, Evidence};
use super::days::{Days, span_of};
use super::figures::{percent_of, percentile, spread};
use crate::model::{AggregateRow, FactorCode, Limit, LimitPeriod, Medium, OutletFactor, Timestamp};
use crate::validate::{O2_HIGH, code};
use rust_decimal::Decimal;

/// What tells dilution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dilution {
    /// Oxygen that is usual at most: a percentile of a baseline, % v/v.
    pub baseline_pct: Decimal,
    /// How far above it is more than usual, % v/v.
    pub margin_pct: Decimal,
    /// Oxygen at which nothing burns any more, % v/v; from there on dilution has no meaning.
    pub running_max_pct: Decimal,
    /// Share of the limit below which a pollutant is low, percent.
    pub low_share_pct: Decimal,
}

/// True when oxygen is above what is usual while the pollutant is low against its limit.
pub fn is_diluted(
    o2_pct: Decimal,
    (measured, limit): (Decimal, Decimal),
    dilution: &Dilution,
) -> bool {
    let usual = dilution.baseline_pct.checked_add(dilution.margin_pct);
    let low = percent_of(limit, dilution.low_share_pct);
    usual.is_some_and(|usual| o2_pct > usual)
        && o2_pct < dilution.running_max_pct
        && low.is_some_and(|low| measured < low)
}

/// The lowest upper limit on hour means that is in force; those of special periods are left out,
/// because whether they hold is not known here.
fn limit_of(factor: &OutletFactor, at: Timestamp) -> Option<Decimal> {
    let in_force = |limit: &&Limit| {
        limit.period == LimitPeriod::Hour
            && limit.special.is_none()
            && limit.from.is_none_or(|from| from <= at)
            && limit.until.is_none_or(|until| at < until)
    };
    let limits = factor.limits.iter().filter(in_force);
    limits.filter_map(|limit| limit.upper).min()
}

/// The hours of the day against the oxygen of the day before.
pub(super) fn hours(days: &Days<'_>, clues: &mut Clues<'_>) {
    if days.input.outlet.medium == Medium::Water {
        return;
    }
    let threshold = |name: &str| clues.threshold(&O2_HIGH, name);
    let running_max_pct = threshold("o2_running_max_pct");
    let rows = days.input.yesterday.iter();
    let mut usual: Vec<Decimal> = rows
        .filter_map(|row| days.mean(row, code::OXYGEN))
        .filter(|o2| *o2 < running_max_pct)
        .collect();
    usual.sort();
    let needed = threshold("hours");
    let baseline = percentile(&usual, threshold("percentile"));
    let Some(baseline_pct) = baseline.filter(|_| Decimal::from(usual.len()) >= needed) else {
        return;
    };
    let dilution = Dilution {
        baseline_pct,
        margin_pct: threshold("margin_pct"),
        running_max_pct,
        low_share_pct: threshold("low_share_pct"),
    };
    for (code, factor) in days.concentrations() {
        if let Some(limit) = limit_of(factor, days.input.from) {
            one(days, (code, limit), &dilution, clues);
        }
    }
}

fn one(
    days: &Days<'_>,
    (code, limit): (&FactorCode, Decimal),
    dilution: &Dilution,
    clues: &mut Clues<'_>,
) {
    let unstopped = |row: &AggregateRow| {
        let o2 = days.valid(row, code::OXYGEN)?;
        o2.mean.filter(|_| o2.stopped_units == 0)
    };
    let means = days.means(code.as_str());
    let found: Vec<(&AggregateRow, Decimal, Decimal)> = means
        .iter()
        .filter(|(row, _)| !days.source_marked(row))
        .filter_map(|(row, mean)| Some((*row, *mean, unstopped(row)?)))
        .filter(|(_, mean, o2)| is_diluted(*o2, (*mean, limit), dilution))
        .collect();
    let Some(span) = span_of(found.iter().map(|(row, ..)| *row)) else {
        return;
    };
    let o2 = spread(found.iter().map(|(_, _, o2)| *o2));
    let measured = spread(found.iter().map(|(_, mean, _)| *mean));
    let evidence = Evidence::default()
        .word("hours", found.len())
        .figure("baseline_o2_pct", dilution.baseline_pct)
        .figure_if("o2_max_pct", o2.map(|(_, greatest)| greatest))
        .figure_if("measured_min", measured.map(|(least, _)| least))
        .figure("limit", limit);
    clues.add(&O2_HIGH, Some(code), span, evidence);
}
