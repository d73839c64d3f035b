//! What holds for any series.

use super::*;
use crate::model::Substitute;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Hours before the quarter, and of it.
const BEFORE: i64 = 96;
const QUARTER: i64 = 7 * 24;

/// Small tables, so that every line and window is met within a few days.
fn tiers() -> Vec<SubstitutionTier> {
    vec![
        tier_of(90, Some(3), 6),
        tier_of(90, None, 20),
        tier_of(60, None, 80),
    ]
}

fn any_hour() -> impl Strategy<Value = (Option<HourState>, Option<Decimal>)> {
    let state = prop_oneof![
        40 => Just(Some(HourState::Valid)),
        2 => Just(Some(FAULT)),
        2 => Just(Some(OUT_OF_CONTROL)),
        2 => Just(Some(HourState::Stopped)),
        1 => Just(None),
    ];
    let kg = prop::option::weighted(0.95, (0_i64..200).prop_map(|kg| Decimal::new(kg, 1)));
    (state, kg)
}

prop_compose! {
    /// Stretches of equal hours, checks, and a quarter that may be under way.
    fn any_series()(
        stretches in prop::collection::vec((any_hour(), 1_usize..30), 20..60),
        amounts in prop::collection::vec(0_i64..200, 264),
        known_from in -BEFORE..40,
        until in prop_oneof![Just(QUARTER), 40..QUARTER, Just(QUARTER + 9)],
        checks in prop::collection::btree_set(-BEFORE * 4..QUARTER * 4, 0..6),
    ) -> Series {
        let method = SubstitutionMethod::Tiers { tiers: tiers() };
        let mut series = Series::new(method, QUARTER);
        let each = stretches.into_iter().flat_map(|(hour, n)| std::iter::repeat_n(hour, n));
        let last = until.min(QUARTER);
        for (((state, kg), amount), at) in each.zip(amounts).zip(-BEFORE..last) {
            let Some(state) = state else { continue };
            let kg = kg.map(|kg| kg + Decimal::new(amount, 2));
            series.hours.push(HourFact { start: hour(at), state, amount_kg: kg, volume_m3: None });
        }
        series.known_from = known_from;
        series.until = until;
        let quarter_hour = 15 * MINUTE_MS;
        series.checks = checks.into_iter().map(|n| hour(0).plus_ms(n * quarter_hour)).collect();
        series
    }
}

fn in_force(gap: &Gap) -> &Substitute {
    gap.settled.as_ref().unwrap_or(&gap.provisional)
}

fn total(days: &[(Timestamp, Decimal)]) -> Option<Decimal> {
    crate::formula::sum(days.iter().map(|(_, kg)| *kg))
}

/// Every hour of the gaps that is invalid, with the provisional and the final rule.
fn spread(series: &Series, quarter: &QuarterFactor) -> Vec<(naive::PutIn, naive::PutIn)> {
    let state = |at: Timestamp| {
        let fact = series.hours.iter().find(|fact| fact.start == at);
        fact.map_or(HourState::Invalid(why::NO_DATA), |fact| fact.state)
    };
    let mut found = Vec::new();
    for gap in &quarter.gaps {
        let mut at = gap.from;
        while at < gap.until {
            if matches!(state(at), HourState::Invalid(_)) {
                let of = |s: &Substitute| (at, s.rule.to_string(), s.unit_kg);
                found.push((of(&gap.provisional), of(in_force(gap))));
            }
            at = at.plus_ms(HOUR_MS);
        }
    }
    found
}

/// The day of the gap was over at hour `at`, and a valid hour lies between.
fn done(series: &Series, gap: &Gap, at: i64) -> bool {
    let day = floor(gap.until.plus_ms(-1), DAY_MS, UtcOffset::default()).plus_ms(DAY_MS);
    let between = |fact: &&HourFact| gap.until <= fact.start && fact.start < hour(at);
    let mut valid = series.hours.iter().filter(between);
    day <= hour(at) && valid.any(|fact| fact.state == HourState::Valid)
}

/// What was known of a gap before the quarter was over.
fn early(series: &Series, quarter: &QuarterFactor, at: i64) -> Vec<(Timestamp, u32, Substitute)> {
    let done = quarter.gaps.iter().filter(|gap| done(series, gap, at));
    done.map(|gap| (gap.from, gap.hours, gap.provisional.clone()))
        .collect()
}

proptest! {
    /// Hour by hour it is what the plain reading of the rules gives.
    #[test]
    fn hours_agree_with_the_plain_reading(series in any_series()) {
        let mut expected = naive::hours(&series, &tiers());
        if series.until < QUARTER {
            for (provisional, whole) in &mut expected {
                whole.clone_from(provisional);
            }
        }
        prop_assert_eq!(spread(&series, &series.quarter()), expected);
    }

    /// So is it day by day.
    #[test]
    fn days_agree_with_the_plain_reading(mut series in any_series(), needed in 1_u32..24) {
        series.profile.substitution.method = SubstitutionMethod::DailyMaximum { days: 3 };
        series.profile.day_min_valid_hours = needed;
        let mut found = Vec::new();
        for gap in series.quarter().gaps {
            let Substitute { rule, unit_kg, total_kg, .. } = gap.provisional.clone();
            prop_assert_eq!(gap.by_day.is_empty(), total_kg.is_none());
            found.push((gap.from, rule.to_string(), unit_kg));
        }
        let each = naive::days(&series, 3);
        prop_assert!(found.iter().all(|gap| each.contains(gap)));
        let sum = crate::formula::sum(each.iter().filter_map(|(_, _, kg)| *kg)).map(internal);
        prop_assert_eq!(sum, series.quarter().substituted_kg);
    }

    /// Totals are the sums of their days, and hours are of one kind each.
    #[test]
    fn totals_are_the_sums_of_the_days(mut series in any_series(), daily in any::<bool>()) {
        if daily {
            series.profile.substitution.method = SubstitutionMethod::DailyMaximum { days: 3 };
        }
        let quarter = series.quarter();
        prop_assert_eq!(quarter.hours, quarter.stopped + quarter.valid + quarter.invalid);
        for gap in &quarter.gaps {
            prop_assert_eq!(total(&gap.by_day), in_force(gap).total_kg);
            prop_assert!(gap.from < gap.until && gap.until <= hour(series.end));
            prop_assert_eq!(gap.settled.is_some(), series.until >= series.end);
        }
        let put_in: Vec<_> = quarter.gaps.iter().flat_map(|gap| gap.by_day.clone()).collect();
        prop_assert_eq!(total(&put_in), quarter.substituted_kg);
        // What was measured is kept or replaced.
        let replaced = quarter.gaps.iter().flat_map(|gap| gap.replaced_by_day.clone());
        let replaced: Vec<_> = replaced.collect();
        let within = hour(series.known_from.max(0))..hour(series.until.min(series.end));
        let known = series.hours.iter().filter(|fact| within.contains(&fact.start));
        let all = crate::formula::sum(known.filter_map(|fact| fact.amount_kg));
        let kept = quarter.measured_kg.map(|kg| kg + total(&replaced).unwrap_or_default());
        prop_assert_eq!(kept, all.map(internal));
    }

    /// Where both rates are in the same line of the table, settling changes nothing but the rate.
    #[test]
    fn settling_within_a_line_changes_nothing(series in any_series()) {
        for gap in series.quarter().gaps {
            let Some(settled) = gap.settled else { continue };
            let line = |s: &Substitute| tier(&tiers(), s.capture_pct, gap.hours).cloned();
            if line(&gap.provisional) == line(&settled) {
                let capture_pct = settled.capture_pct;
                let provisional = Substitute { capture_pct, ..gap.provisional };
                prop_assert_eq!(provisional, settled);
            }
        }
    }

    /// A provisional amount is a matter of the data, not of when it is computed.
    #[test]
    fn provisional_amounts_stay(series in any_series(), at in 24..QUARTER) {
        let mut then = series.clone();
        then.until = at.min(series.until);
        let known = early(&series, &then.quarter(), then.until);
        prop_assert_eq!(known, early(&series, &series.quarter(), then.until));
    }

    /// A corrected amount changes only gaps that look back upon it, and no count.
    #[test]
    fn a_corrected_amount_changes_only_who_looks_back_upon_it(
        series in any_series(), which in any::<prop::sample::Index>(), kg in 0_i64..300,
    ) {
        let valid = series.hours.iter().enumerate();
        let valid = valid.filter(|(_, fact)| fact.state == HourState::Valid);
        let valid: Vec<usize> = valid.filter(|(_, f)| f.amount_kg.is_some()).map(|v| v.0).collect();
        prop_assume!(!valid.is_empty());
        let place = valid[which.index(valid.len())];
        let mut corrected = series.clone();
        corrected.hours[place].amount_kg = Some(Decimal::new(kg, 1));
        let at = series.hours[place].start;
        let (before, after) = (series.quarter(), corrected.quarter());
        prop_assert_eq!(before.capture_pct, after.capture_pct);
        prop_assert_eq!(before.gaps.len(), after.gaps.len());
        let sees = |s: &Substitute| s.window.is_some_and(|(old, new)| old <= at && at <= new);
        for (gap, then) in before.gaps.iter().zip(&after.gaps) {
            if !sees(&gap.provisional) && !gap.settled.as_ref().is_some_and(sees) {
                prop_assert_eq!(gap, then);
            }
        }
    }

    /// A corrected state leaves alone what was known before its day.
    #[test]
    fn a_corrected_state_changes_no_provisional_amount_before_it(
        series in any_series(), which in any::<prop::sample::Index>(), valid in any::<bool>(),
    ) {
        prop_assume!(!series.hours.is_empty());
        let place = which.index(series.hours.len());
        let mut corrected = series.clone();
        corrected.hours[place].state = if valid { HourState::Valid } else { FAULT };
        let at = series.hours[place].start.since_ms(hour(0)) / HOUR_MS;
        let known = early(&series, &series.quarter(), at);
        prop_assert_eq!(known, early(&series, &corrected.quarter(), at));
    }

    /// Manual data give each invalid hour one amount, and change no count.
    #[test]
    fn manual_data_change_no_count(mut series in any_series(), at in -10_i64..QUARTER) {
        let without = series.quarter();
        for fact in &mut series.hours {
            fact.volume_m3 = Some(dec("10"));
        }
        series.profile.substitution.manual_first = true;
        series.profile.substitution.manual_reach_h = 3;
        let sample = ManualSample { sampled_at: hour(at), concentration: dec("7") };
        series.manual = vec![sample];
        let with = series.quarter();
        prop_assert_eq!((with.valid, with.invalid), (without.valid, without.invalid));
        prop_assert_eq!(with.capture_pct, without.capture_pct);
        let hours: Vec<_> = spread(&series, &with).into_iter().map(|(hour, _)| hour.0).collect();
        let once: BTreeSet<_> = hours.iter().copied().collect();
        prop_assert_eq!(hours.len(), once.len());
        for gap in with.gaps.iter().filter(|gap| gap.provisional.rule == "manual") {
            prop_assert_eq!(gap.provisional.unit_kg, Some(dec("0.07")));
            prop_assert_eq!(total(&gap.by_day), in_force(gap).total_kg);
        }
    }
}
