//! Limits, substitutes, permitted amounts, the basis of the tax.

use super::{number, numbers, of_case, worked};
use crate::formula::catalogue::Worked;
use crate::limits;
use crate::model::profile::{SubstitutionMethod, SubstitutionTier, Take};
use crate::model::time::{HOUR_MS, quarter_of};
use crate::model::{Profile, Timestamp, UtcOffset};
use crate::permits::projection::{YearSoFar, project};
use crate::permits::tax;
use crate::substitute::{self, HourFact, HourState, Input, why};
use crate::totals;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

pub(in crate::formula::catalogue) fn multiple() -> Worked {
    worked(
        "55 ÷ 50 − 1",
        limits::multiple(number("55"), number("50")),
        "",
    )
}

pub(in crate::formula::catalogue) fn confidence() -> Worked {
    let value = limits::validated(number("225"), number("200"), Some(number("20")));
    worked("225 − 200 × 20 ÷ 100", Some(value), "mg/m³")
}

/// What `method` puts in for each of `gap` invalid hours after hours with these amounts.
fn put_in(method: SubstitutionMethod, amounts: &[Decimal], gap: usize) -> Option<Decimal> {
    let mut profile = Profile::annex_d("example@1");
    profile.substitution.method = method;
    let offset = UtcOffset::default();
    let (start, _) = quarter_of(Timestamp(1_600_000_000_000), offset);
    let amounts = amounts.iter().copied().map(Some);
    let all = amounts.chain(std::iter::repeat_n(None, gap));
    let mut end = start;
    let mut hours = Vec::new();
    for amount_kg in all {
        let state = match amount_kg {
            Some(_) => HourState::Valid,
            None => HourState::Invalid(why::INVALID),
        };
        hours.push(HourFact {
            start: end,
            state,
            amount_kg,
            volume_m3: None,
        });
        end = end.plus_ms(HOUR_MS);
    }
    let quarter = substitute::quarter(&Input {
        factor: &"a21026".into(),
        profile: &profile,
        offset,
        start,
        end,
        known_from: start,
        until: end,
        hours: &hours,
        passed_checks: &[],
        manual: &[],
        kg_per_unit_m3: Decimal::ONE,
    });
    let gap = quarter.gaps.first()?;
    gap.settled.as_ref().unwrap_or(&gap.provisional).unit_kg
}

pub(in crate::formula::catalogue) fn substitute_max() -> Worked {
    let tier = SubstitutionTier {
        capture_min_pct: number("90"),
        gap_max_h: Some(24),
        look_back_h: 180,
        take: Take::Maximum,
    };
    let amounts = numbers("11.0 11.3 11.3 10.0 11.7 11.5 13.9 10.0 10.0 9.8 10.2 13.0");
    let method = SubstitutionMethod::Tiers { tiers: vec![tier] };
    let value = put_in(method, &amounts, 1);
    worked(format!("max({})", joined(&amounts)), value, "kg")
}

pub(in crate::formula::catalogue) fn substitute_day_max() -> Worked {
    let loads = numbers("20 23 21");
    let hours: Vec<Decimal> = loads
        .iter()
        .flat_map(|load| std::iter::repeat_n(*load, 24))
        .collect();
    let value = put_in(SubstitutionMethod::DailyMaximum { days: 30 }, &hours, 24);
    worked("max(24 × 20, 24 × 23, 24 × 21)", value, "kg")
}

pub(in crate::formula::catalogue) fn preceding_mean() -> Worked {
    let amounts = numbers("30 34 38 42 50");
    let value = put_in(SubstitutionMethod::PrecedingMean, &amounts, 3);
    of_case(
        worked("(38 + 42 + 50) ÷ 3", value, "kg"),
        "w-sub-2007-mean",
        "fill",
    )
}

fn joined(values: &[Decimal]) -> String {
    let values: Vec<String> = values.iter().map(Decimal::to_string).collect();
    values.join(", ")
}

pub(in crate::formula::catalogue) fn used() -> Worked {
    let value = totals::used_pct(number("120000"), number("93600"));
    worked("93600 ÷ 120000 × 100", value, "%")
}

pub(in crate::formula::catalogue) fn tax_below() -> Worked {
    let value = tax::below_pct(number("15"), number("30"));
    of_case(
        worked("(30 − 15) ÷ 30 × 100", value, "%"),
        "p-tax-water",
        "below_pct",
    )
}

pub(in crate::formula::catalogue) fn projection() -> Worked {
    let first = NaiveDate::from_ymd_opt(2026, 1, 1);
    let days = first
        .into_iter()
        .flat_map(|first| first.iter_days().take(90));
    let days: BTreeMap<NaiveDate, Decimal> = days.map(|day| (day, number("300"))).collect();
    let through = days.keys().next_back().copied().unwrap_or_default();
    let projection = project(&YearSoFar {
        amount_kg: number("120000"),
        year: 2026,
        through,
        days: &days,
        previous: &BTreeMap::new(),
    });
    let value = projection.ok().map(|p| p.year_end_pct.expected);
    worked("(90 × 300 + 300 × 275) ÷ 120000 × 100", value, "%")
}
