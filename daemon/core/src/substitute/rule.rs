//! Which substitute: the table, where the look-back ends, and what it gives.

use super::cells::Count;
use super::history::History;
use super::why;
use crate::formula;
use crate::model::profile::{CaptureRule, SubstitutionMethod, SubstitutionTier, Take};
use crate::model::time::HOUR_MS;
use crate::model::{Substitute, Timestamp};
use crate::quantity::internal;
use crate::rates;
use rust_decimal::Decimal;
use smol_str::{SmolStr, format_smolstr};

/// The line of a substitution table for a capture rate and a number of consecutive invalid hours:
/// the first that fits (HJ 75-2017 tables 5 and 6). `None`: no line fits, or there is no rate.
#[must_use]
pub fn tier(
    tiers: &[SubstitutionTier],
    capture_pct: Option<Decimal>,
    gap_h: u32,
) -> Option<&SubstitutionTier> {
    let rate = capture_pct?;
    tiers.iter().find(|tier| {
        rate >= tier.capture_min_pct && tier.gap_max_h.is_none_or(|longest| gap_h <= longest)
    })
}

/// The last of the passed checks (ascending) before `before`; `None`: there is none.
#[must_use]
pub fn last_passed(passed_checks: &[Timestamp], before: Timestamp) -> Option<Timestamp> {
    let next = passed_checks.partition_point(|check| *check < before);
    next.checked_sub(1)
        .and_then(|place| passed_checks.get(place).copied())
}

/// Where the look-back of a gap that begins at `from` ends: hours that were over by then count.
///
/// What is out of control (or overdue for calibration) counts back from the last passed check (HJ
/// 75-2017 table 5), which may lie within the first hour of the gap; everything else, and what was
/// never checked, from its own start (table 6).
#[must_use]
pub fn look_back_until(why: &str, from: Timestamp, passed_checks: &[Timestamp]) -> Timestamp {
    if why == why::OUT_OF_CONTROL {
        let check = last_passed(passed_checks, from.plus_ms(HOUR_MS));
        check.map_or(from, |check| check.min(from))
    } else {
        from
    }
}

/// Effective data capture rate (有效数据捕集率) of the hours counted, percent; `None`: not
/// applicable.
#[must_use]
pub(super) fn capture_of(rule: &CaptureRule, count: Count) -> Option<Decimal> {
    rates::capture_pct(
        rule.formula,
        count.hours.into(),
        count.stopped.into(),
        count.invalid().into(),
    )
}

/// Median of the last `units` values of `before` (ascending by time): what HJ/T 356-2007 puts in
/// for pH, where amounts take the mean. `None` when there is none.
#[must_use]
pub fn preceding_median(before: &[Decimal], units: usize) -> Option<Decimal> {
    let mut last = before[before.len().saturating_sub(units)..].to_vec();
    last.sort_unstable();
    let upper = last.len() / 2;
    let lower = last.len().saturating_sub(1) / 2;
    formula::mean([*last.get(lower)?, *last.get(upper)?]).map(internal)
}

/// What decides on a substitute, beside the method.
pub(super) struct Entry {
    /// Capture rate.
    pub(super) capture_pct: Option<Decimal>,
    /// Length of the whole gap, invalid hours.
    pub(super) gap_h: u32,
    /// Units of this part of it within the quarter, for which the amount is put in.
    pub(super) units: u32,
    /// Its start.
    pub(super) from: Timestamp,
    /// Where the look-back ends.
    pub(super) look_back_until: Timestamp,
}

/// What a method puts in.
pub(super) fn substitute(
    method: &SubstitutionMethod,
    entry: &Entry,
    history: &mut History,
) -> Substitute {
    let from_check = entry.look_back_until;
    let (code, until, most, take, capture_pct) = match method {
        SubstitutionMethod::Nothing => return nothing("none", None),
        SubstitutionMethod::Tiers { tiers } => {
            let rate = entry.capture_pct;
            let Some(tier) = tier(tiers, rate, entry.gap_h) else {
                return nothing("none", rate);
            };
            let code = match tier.take {
                Take::Maximum => format_smolstr!("max-{}", tier.look_back_h),
                Take::Mean => format_smolstr!("mean-{}", tier.look_back_h),
            };
            (code, from_check, tier.look_back_h, tier.take, rate)
        }
        SubstitutionMethod::DailyMaximum { days } => {
            let code = format_smolstr!("day-max-{days}");
            (code, from_check, *days, Take::Maximum, None)
        }
        SubstitutionMethod::PrecedingMean => {
            let code = SmolStr::new_static("preceding-mean");
            (code, entry.from, entry.gap_h, Take::Mean, None)
        }
    };
    let Some(taken) = history.take(until, most, take) else {
        return nothing("no-history", capture_pct);
    };
    let units = Decimal::from(entry.units);
    Substitute {
        rule: code,
        unit_kg: taken.kg,
        total_kg: taken.kg.and_then(|kg| kg.checked_mul(units)).map(internal),
        capture_pct,
        looked_back: taken.looked_back,
        window: Some(taken.window),
        taken_from: taken.from,
    }
}

/// Manual data: the sum of what each hour is given.
pub(super) fn manual(amounts: impl Iterator<Item = Decimal> + Clone) -> Substitute {
    let mut each = amounts.clone();
    let first = each.next();
    Substitute {
        unit_kg: first.filter(|first| each.all(|kg| kg == *first)),
        total_kg: formula::sum(amounts).map(internal),
        ..nothing("manual", None)
    }
}

fn nothing(rule: &'static str, capture_pct: Option<Decimal>) -> Substitute {
    Substitute {
        rule: SmolStr::new_static(rule),
        unit_kg: None,
        total_kg: None,
        capture_pct,
        looked_back: 0,
        window: None,
        taken_from: None,
    }
}
