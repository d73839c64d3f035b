//! Lines of the tables, history, and the median.

use super::*;
use crate::substitute::history::History;
use crate::substitute::rule::{preceding_median, tier};
use proptest::prelude::*;

#[test]
fn below_the_last_line_there_is_no_entry() {
    let SubstitutionMethod::Tiers { tiers } = hj75() else {
        panic!("the tables are tiers");
    };
    let found = |rate: &str, gap_h| tier(&tiers, Some(dec(rate)), gap_h).map(|t| t.look_back_h);
    assert_eq!(found("90", 24), Some(180));
    assert_eq!(found("90", 25), Some(720));
    assert_eq!(found("89.99", 1), Some(2_160));
    assert_eq!(found("74.99", 1), None);
    assert_eq!(tier(&tiers, None, 1), None);

    let series = Series::new(hj75(), 100)
        .valid(0, 70, "5")
        .add(70, 30, FAULT, None);
    let settled = series.only_gap().settled.unwrap();
    assert_eq!((settled.rule.as_str(), settled.total_kg), ("none", None));
    assert_eq!(settled.capture_pct, Some(dec("70")));
    assert_eq!(series.quarter().capture_met, Some(false));
}

#[test]
fn the_preceding_period_is_as_long_as_the_gap() {
    let mut series = Series::new(SubstitutionMethod::PrecedingMean, 8);
    for (at, kg) in (0..).zip(["30", "34", "38", "42", "50"]) {
        series = series.valid(at, 1, kg);
    }
    let settled = series.only_gap().settled.unwrap();
    assert_eq!(settled.rule, "preceding-mean");
    assert_eq!(settled.unit_kg, Some(dec("43.333333333333")));
    assert_eq!(settled.total_kg, Some(dec("129.999999999999")));
    assert_eq!((settled.looked_back, settled.taken_from), (3, None));
}

#[test]
fn a_table_may_take_the_mean() {
    let tiers = vec![SubstitutionTier {
        take: Take::Mean,
        ..tier_of(0, None, 4)
    }];
    let series = Series::new(SubstitutionMethod::Tiers { tiers }, 7)
        .valid(0, 2, "9")
        .valid(2, 2, "1")
        .valid(4, 2, "2")
        .add(6, 1, FAULT, None);
    let settled = series.only_gap().settled.unwrap();
    assert_eq!(
        (settled.rule.as_str(), settled.unit_kg),
        ("mean-4", Some(dec("1.5")))
    );
}

#[test]
fn the_median_of_ph_is_that_of_the_last_values() {
    let before = ["9.9", "7.0", "7.4", "6.8", "7.1"].map(dec);
    assert_eq!(preceding_median(&before, 3), Some(dec("7.1")));
    assert_eq!(preceding_median(&before, 4), Some(dec("7.05")));
    assert_eq!(preceding_median(&before, 9), Some(dec("7.1")));
    assert_eq!(preceding_median(&before, 0), None);
    assert_eq!(preceding_median(&[], 3), None);
}

#[test]
fn an_amount_too_great_to_be_multiplied_is_none() {
    let most = Decimal::MAX.to_string();
    let series = Series::new(hj75(), 100)
        .valid(0, 1, &most)
        .valid(1, 97, "1")
        .add(98, 2, FAULT, None);
    let settled = series.only_gap().settled.unwrap();
    assert_eq!(
        (settled.unit_kg, settled.total_kg),
        (Some(Decimal::MAX), None)
    );
    assert_eq!(series.quarter().substituted_kg, None);
}

proptest! {
    /// Blocks give what a scan gives.
    #[test]
    fn looking_back_in_blocks_is_looking_at_each(
        amounts in prop::collection::vec(0_i64..500, 0..400),
        asked in prop::collection::vec((0_i64..420, 0_u32..300), 1..8),
    ) {
        let units = amounts.iter().zip(0..).map(|(kg, n)| (hour(n), Decimal::new(*kg, 1)));
        let units: Vec<_> = units.collect();
        let mut history = History::new(units.clone(), HOUR_MS);
        for (until, most) in asked {
            let over: Vec<_> = units.iter().filter(|(at, _)| *at < hour(until)).collect();
            let most_usize = usize::try_from(most).unwrap();
            let seen = &over[over.len().saturating_sub(most_usize)..];
            let greatest = seen.iter().map(|(at, kg)| (*kg, *at)).max();
            let mean = crate::formula::mean(seen.iter().map(|(_, kg)| *kg)).map(internal);
            let taken = history.take(hour(until), most, Take::Maximum);
            let found = taken.map(|t| (t.kg.unwrap(), t.from.unwrap()));
            prop_assert_eq!(found, greatest);
            let taken = history.take(hour(until), most, Take::Mean);
            prop_assert_eq!(taken.as_ref().and_then(|t| t.kg), mean);
            let looked_back = taken.map_or(0, |t| t.looked_back);
            prop_assert_eq!(usize::try_from(looked_back).unwrap(), seen.len());
        }
    }
}
