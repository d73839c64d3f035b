//! Years of invented plants: when the amount is reached, and how sure that is.

use super::*;
use crate::fixture::dec;
use proptest::prelude::*;

const YEAR: i32 = 2026;

fn day(year: i32, ordinal: u32) -> NaiveDate {
    NaiveDate::from_yo_opt(year, ordinal).unwrap()
}

fn date(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(YEAR, month, day).unwrap()
}

/// Amounts by the day of the year, from the first on; `None` is a gap.
fn days(year: i32, amounts: impl IntoIterator<Item = Option<u32>>) -> BTreeMap<NaiveDate, Decimal> {
    (1..)
        .zip(amounts)
        .filter_map(|(n, kg)| Some((day(year, n), Decimal::from(kg?))))
        .collect()
}

fn constant(kg: u32, n: usize) -> BTreeMap<NaiveDate, Decimal> {
    days(YEAR, std::iter::repeat_n(Some(kg), n))
}

/// The projection after `over` days.
fn after(
    over: u32,
    amount: &str,
    days: &BTreeMap<NaiveDate, Decimal>,
    previous: &BTreeMap<NaiveDate, Decimal>,
) -> Result<Projection, NotProjected> {
    project(&YearSoFar {
        amount_kg: dec(amount),
        year: YEAR,
        through: day(YEAR, over),
        days,
        previous,
    })
}

fn all(day: Option<NaiveDate>) -> Range<Option<NaiveDate>> {
    Range {
        low: day,
        expected: day,
        high: day,
    }
}

#[test]
fn a_steady_plant_reaches_its_amount_on_the_arithmetic_day() {
    let none = BTreeMap::new();
    let so_far = constant(10, 59);
    // Ten a day: 1 000 kg are full on the hundredth day, 1 001 on the day after.
    let full = after(59, "1000", &so_far, &none).unwrap();
    assert_eq!(full.reached_on, all(Some(day(YEAR, 100))));
    assert_eq!(
        full.year_end_pct,
        Range {
            low: dec("365"),
            expected: dec("365"),
            high: dec("365")
        }
    );
    assert_eq!(
        (full.so_far_kg, full.rate_kg_per_day),
        (dec("590"), dec("10"))
    );
    assert_eq!((full.days, full.missing_days, full.blocks), (59, 0, 9));
    let over = after(59, "1001", &so_far, &none).unwrap();
    assert_eq!(over.reached_on.expected, Some(day(YEAR, 101)));
    let never = after(59, "3650.1", &so_far, &none).unwrap();
    assert_eq!(never.reached_on, all(None));
    assert!(never.year_end_pct.expected < dec("100"));
}

#[test]
fn a_day_that_has_passed_is_no_expectation() {
    let reached = after(59, "300", &constant(10, 59), &BTreeMap::new()).unwrap();
    assert_eq!(reached.reached_on, all(Some(date(1, 30))));
}

#[test]
fn too_little_or_unusable_data_is_named() {
    let none = BTreeMap::new();
    let of = |days: &BTreeMap<_, _>, amount| after(300, amount, days, &none).unwrap_err();
    assert_eq!(of(&none, "10"), NotProjected::TooFewDays);
    assert_eq!(of(&constant(1, 27), "10"), NotProjected::TooFewDays);
    assert!(after(300, "10", &constant(1, 28), &none).is_ok());
    // Days after the last that is over do not count.
    let ahead = after(27, "10", &constant(1, 60), &none);
    assert_eq!(ahead.unwrap_err(), NotProjected::TooFewDays);
    assert_eq!(of(&constant(1, 60), "0"), NotProjected::AmountNotPositive);
    assert_eq!(of(&constant(1, 60), "-1"), NotProjected::AmountNotPositive);
    let mut negative = constant(1, 60);
    negative.insert(date(2, 1), dec("-1"));
    assert_eq!(of(&negative, "10"), NotProjected::NegativeDay);
    let mut huge = constant(1, 60);
    huge.insert(date(2, 1), Decimal::MAX);
    assert_eq!(of(&huge, "10"), NotProjected::OutOfRange);
}

#[test]
fn gaps_neither_lower_the_rate_nor_raise_the_total() {
    let gappy = days(YEAR, (0..90).map(|n| (n % 3 != 0).then_some(10)));
    let projection = after(90, "1000", &gappy, &BTreeMap::new()).unwrap();
    assert_eq!(projection.rate_kg_per_day, dec("10"));
    assert_eq!((projection.days, projection.missing_days), (60, 30));
    // 600 kg booked in 90 days, 400 to come: forty days more.
    assert_eq!(projection.reached_on, all(Some(day(YEAR, 130))));
}

#[test]
fn a_heating_plant_is_projected_by_the_winters_of_the_previous_year() {
    // Ten a day from November to March, nothing in summer.
    let winter = |n: u32| {
        let month = day(2025, n).month();
        Some(if (4..=10).contains(&month) { 0 } else { 10 })
    };
    let previous = days(2025, (1..=365).map(winter));
    let so_far = constant(10, 90);
    let seasonal = after(90, "1000", &so_far, &previous).unwrap();
    assert!(seasonal.seasonal);
    // 900 kg until the end of March; the rest comes in November, not in April.
    assert_eq!(seasonal.reached_on.expected, Some(date(11, 10)));
    let flat = after(90, "1000", &so_far, &BTreeMap::new()).unwrap();
    assert_eq!(flat.reached_on.expected, Some(date(4, 10)));
    // A month with too few days makes no season.
    let mut thin = previous;
    thin.retain(|day, _| day.month() != 7 || day.day() < SEASON_DAYS_MIN);
    assert!(!after(90, "1000", &so_far, &thin).unwrap().seasonal);
    // Nor does a year in which the months so far hardly emitted.
    let summer = |n: u32| winter(n).map(|kg| 10 - kg);
    let opposite = days(2025, (1..=365).map(summer));
    assert!(!after(90, "1000", &so_far, &opposite).unwrap().seasonal);
}

#[test]
fn weeks_of_a_mood_are_less_sure_than_days_of_a_mood() {
    // The same amounts: changing from day to day, or four weeks at a time.
    let daily = days(
        YEAR,
        (0..112).map(|n| Some(if n % 2 == 0 { 5 } else { 15 })),
    );
    let weekly = days(
        YEAR,
        (0..112).map(|n| Some(if n / 28 % 2 == 0 { 5 } else { 15 })),
    );
    let none = BTreeMap::new();
    let (daily, weekly) = (
        after(112, "2000", &daily, &none).unwrap(),
        after(112, "2000", &weekly, &none).unwrap(),
    );
    assert_eq!(daily.reached_on.expected, weekly.reached_on.expected);
    let width = |p: &Projection| p.year_end_pct.high - p.year_end_pct.low;
    assert!(width(&weekly) > width(&daily) * dec("3"));
    assert!(weekly.reached_on.low < daily.reached_on.low);
    let late = |p: &Projection| p.reached_on.high.unwrap_or(NaiveDate::MAX);
    assert!(late(&weekly) > late(&daily));
}

#[test]
fn the_interval_by_hand() {
    // Eight blocks of 63 or 77 kg: v = 8 * 49 / 56 * 8 / 7 = 8; after 56 days more the variance is
    // 8 * (56 + 56) = 896, its root 29.933; Student's t with 7 degrees is 2.365.
    let so_far = days(
        YEAR,
        (0..56).map(|n| Some(if n / 7 % 2 == 0 { 9 } else { 11 })),
    );
    let year = YearSoFar {
        amount_kg: dec("1000"),
        year: YEAR,
        through: day(YEAR, 56),
        days: &so_far,
        previous: &BTreeMap::new(),
    };
    let model = Model::of(&known(&year), &year).unwrap();
    let total = model.after(dec("56")).unwrap();
    assert_eq!(total.expected, dec("1120"));
    assert_eq!((total.high - total.expected).round_dp(2), dec("70.79"));
    assert_eq!(total.high - total.expected, total.expected - total.low);
}

/// A year so far with gaps, and perhaps a previous one.
fn any_year() -> impl Strategy<Value = (Vec<Option<u32>>, Vec<Option<u32>>)> {
    let so_far = prop::collection::vec(prop::option::weighted(0.8, 0u32..1_000), 40..360);
    let previous = prop_oneof![
        Just(Vec::new()),
        prop::collection::vec(prop::option::weighted(0.9, 0u32..1_000), 365),
    ];
    (so_far, previous)
}

/// The ordinal of a date, or one beyond the year.
fn order(date: Option<NaiveDate>) -> u32 {
    date.map_or(u32::MAX, |date| date.ordinal())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn more_emission_never_postpones_the_day(
        (so_far, previous) in any_year(),
        extra in prop::collection::vec(0u32..200, 360),
        amount in 1_000u32..300_000,
    ) {
        let previous = days(YEAR - 1, previous);
        let over = u32::try_from(so_far.len()).unwrap();
        let more = so_far.iter().zip(extra).map(|(kg, extra)| kg.map(|kg| kg + extra));
        let more = days(YEAR, more);
        let so_far = days(YEAR, so_far);
        let amount = amount.to_string();
        if let Ok(before) = after(over, &amount, &so_far, &previous) {
            let then = after(over, &amount, &more, &previous).unwrap();
            prop_assert!(
                order(then.reached_on.expected) <= order(before.reached_on.expected),
                "{before:?} {then:?}"
            );
            prop_assert!(then.year_end_pct.expected >= before.year_end_pct.expected);
        }
    }

    #[test]
    fn the_interval_contains_the_expectation(
        (so_far, previous) in any_year(),
        amount in 1_000u32..300_000,
    ) {
        let over = u32::try_from(so_far.len()).unwrap();
        let (so_far, previous) = (days(YEAR, so_far), days(YEAR - 1, previous));
        if let Ok(projection) = after(over, &amount.to_string(), &so_far, &previous) {
            let on = projection.reached_on;
            prop_assert!(order(on.low) <= order(on.expected), "{projection:?}");
            prop_assert!(order(on.expected) <= order(on.high), "{projection:?}");
            let share = projection.year_end_pct;
            prop_assert!(share.low <= share.expected && share.expected <= share.high);
            prop_assert_eq!(on.expected.is_some(), share.expected >= dec("100"));
        }
    }

    #[test]
    fn a_constant_rate_gives_the_arithmetic_date(
        kg in 1u32..1_000,
        over in 28u32..365,
        amount in 1u32..400_000,
        with_season in any::<bool>(),
    ) {
        let so_far = constant(kg, usize::try_from(over).unwrap());
        let previous = if with_season {
            days(YEAR - 1, std::iter::repeat_n(Some(7), 365))
        } else {
            BTreeMap::new()
        };
        let projection = after(over, &amount.to_string(), &so_far, &previous).unwrap();
        let nth = amount.div_ceil(kg);
        let expected = (nth <= 365).then(|| day(YEAR, nth));
        prop_assert_eq!(projection.reached_on, all(expected));
        prop_assert_eq!(projection.seasonal, with_season);
    }
}
