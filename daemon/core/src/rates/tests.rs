use super::*;
use crate::fixture::dec;
use crate::model::rows::AggregateOrigin;
use crate::model::{Seq, Timestamp};
use proptest::prelude::*;

const COD: &str = "w01018";
const AMMONIA: &str = "w21003";

fn factor(valid: u32, stopped: u32) -> FactorAggregate {
    FactorAggregate {
        valid_units: valid,
        due_units: 24 - stopped,
        stopped_units: stopped,
        ..FactorAggregate::default()
    }
}

fn day(received: u32, due: u32, factors: &[(&str, FactorAggregate)]) -> AggregateRow {
    let factors = factors.iter().map(|(code, f)| ((*code).into(), f.clone()));
    AggregateRow {
        outlet: "ws-01".into(),
        level: Level::Day,
        start: Timestamp(0),
        origin: AggregateOrigin::Computed,
        complete: true,
        volume_m3: None,
        factors: factors.collect(),
        profile: "plain@1".into(),
        received,
        due,
        seq: Seq(1),
        superseded: 0,
    }
}

fn cod(rows: &[AggregateRow], missing: u32) -> Counts {
    Counts::of_days(rows, &[COD.into()], missing, 1_440)
}

fn rates(counts: Counts) -> Rates {
    counts.rates(CaptureFormula::WithoutStops)
}

#[test]
fn effective_is_transmission_times_validity() {
    // 12 of 24 hours never came, and 3 of those that came were not valid.
    let counts = cod(&[day(720, 1_440, &[(COD, factor(9, 0))])], 0);
    assert_eq!(counts.judged_hours, 12);
    let rates = rates(counts);
    assert_eq!(rates.transmission_pct, Some(dec("50")));
    assert_eq!(rates.validity_pct, Some(dec("75")));
    assert_eq!(rates.effective_pct, Some(dec("37.5")));
    assert_eq!(rates.capture_pct, Some(dec("37.5")));
}

#[test]
fn a_day_without_a_row_was_due_and_did_not_come() {
    let whole = day(1_440, 1_440, &[(COD, factor(24, 0))]);
    let rates = rates(cod(&[whole], 1));
    assert_eq!(rates.transmission_pct, Some(dec("50")));
    assert_eq!(rates.validity_pct, Some(dec("100")));
    assert_eq!(rates.effective_pct, Some(dec("50")));
    assert_eq!(rates.capture_pct, Some(dec("50")));
}

#[test]
fn nothing_due_is_not_applicable_and_nothing_received_is_zero() {
    let stopped = day(0, 0, &[(COD, factor(0, 24))]);
    assert_eq!(rates(cod(&[stopped], 0)), Rates::default());
    assert_eq!(rates(Counts::default()), Rates::default());
    let silent = rates(cod(&[], 3));
    assert_eq!(silent.transmission_pct, Some(Decimal::ZERO));
    assert_eq!(silent.validity_pct, None);
    assert_eq!(silent.effective_pct, Some(Decimal::ZERO));
    assert_eq!(silent.capture_pct, Some(Decimal::ZERO));
}

#[test]
fn stopped_hours_are_owed_by_nobody() {
    let half = day(720, 720, &[(COD, factor(12, 12))]);
    let counts = cod(&[half], 0);
    assert_eq!((counts.judged_hours, counts.invalid_hours), (12, 0));
    assert_eq!(rates(counts).effective_pct, Some(dec("100")));
    let all_hours = counts.rates(CaptureFormula::AllHours);
    assert_eq!(all_hours.capture_pct, Some(dec("50")));
}

#[test]
fn records_without_a_factor_are_judged_against_it() {
    let row = day(1_440, 1_440, &[(COD, factor(24, 0))]);
    let both = Counts::of_days([&row], &[COD.into(), AMMONIA.into()], 0, 1_440);
    assert_eq!((both.judged_hours, both.valid_hours), (48, 24));
    assert_eq!(rates(both).effective_pct, Some(dec("50")));
    // Records count once, whatever the number of factors.
    assert_eq!(both.due, 1_440);
}

#[test]
fn a_day_with_more_than_was_due_makes_up_for_no_other() {
    let over = day(1_500, 1_440, &[(COD, factor(24, 0))]);
    let under = day(1_380, 1_440, &[(COD, factor(23, 0))]);
    let counts = cod(&[over, under], 0);
    assert_eq!((counts.received, counts.due), (2_820, 2_880));
}

#[test]
fn hours_that_were_thinned_out_but_valid_were_all_there() {
    // 48 of 60 minutes of every hour: valid, though a fifth of the records is missing.
    let rates = rates(cod(&[day(1_152, 1_440, &[(COD, factor(24, 0))])], 0));
    assert_eq!(rates.validity_pct, Some(dec("100")));
    assert_eq!(rates.effective_pct, Some(dec("80")));
}

#[test]
fn today_and_other_levels_say_nothing() {
    let mut today = day(10, 1_440, &[(COD, factor(0, 0))]);
    today.complete = false;
    let mut month = day(10, 1_440, &[(COD, factor(0, 0))]);
    month.level = Level::Month;
    assert_eq!(cod(&[today, month], 0), Counts::default());
}

#[test]
fn records_due_a_day_follow_the_finest_kind_that_counts() {
    let expects = |minute_min, realtime_s, hour| {
        due_per_day(&Expectation {
            realtime_s,
            minute_min,
            hour,
            no_data_after_s: 1_800,
        })
    };
    assert_eq!(expects(Some(1), Some(30), true), 1_440);
    assert_eq!(expects(Some(10), None, true), 144);
    assert_eq!(expects(None, Some(30), true), 2_880);
    assert_eq!(expects(None, None, true), 24);
    assert_eq!(expects(Some(0), None, true), 24);
    assert_eq!(expects(None, None, false), 0);
}

#[test]
fn what_is_asked_is_reached_at_the_bound() {
    assert_eq!(met(Some(dec("90")), dec("90")), Some(true));
    assert_eq!(met(Some(dec("89.999")), dec("90")), Some(false));
    assert_eq!(met(None, dec("90")), None);
}

prop_compose! {
    fn any_counts()(n in prop::array::uniform7(0_u64..5_000)) -> Counts {
        Counts {
            received: n[0],
            due: n[1],
            valid_hours: n[2],
            judged_hours: n[3],
            stopped_hours: n[4],
            invalid_hours: n[5],
            hours: n[6],
        }
    }
}

prop_compose! {
    fn any_day()(due in 0_u32..1_500, share in 0_u32..=110, stopped in 0_u32..=24,
                 valid in 0_u32..=24, there in any::<bool>()) -> AggregateRow {
        let aggregate = factor(valid.min(24 - stopped), stopped);
        let factors = if there { vec![(COD, aggregate)] } else { Vec::new() };
        day(due * share / 100, due, &factors)
    }
}

proptest! {
    /// Days, outlets and regions add up in any order and grouping.
    #[test]
    fn counts_add_up_in_any_grouping(
        list in prop::collection::vec(any_counts(), 0..12),
        cut in 0_usize..12,
    ) {
        let (left, right) = list.split_at(cut.min(list.len()));
        let apart: Counts = left.iter().copied().sum::<Counts>() + right.iter().copied().sum();
        let backwards: Counts = list.iter().rev().copied().sum();
        let together: Counts = list.iter().copied().sum();
        prop_assert_eq!(apart, together);
        prop_assert_eq!(backwards, together);
    }

    /// A period is the sum of its days, no rate leaves 0 to 100, and every hour is one kind.
    #[test]
    fn rates_are_shares(days in prop::collection::vec(any_day(), 0..10), missing in 0_u32..4) {
        let whole = cod(&days, missing);
        let each: Counts = days.iter().map(|day| cod(std::slice::from_ref(day), 0)).sum();
        prop_assert_eq!(each + cod(&[], missing), whole);
        let kinds = whole.valid_hours + whole.invalid_hours + whole.stopped_hours;
        prop_assert_eq!(kinds, whole.hours);
        prop_assert!(whole.valid_hours <= whole.judged_hours);
        let all = rates(whole);
        let list = [all.transmission_pct, all.validity_pct, all.effective_pct, all.capture_pct];
        for rate in list.into_iter().flatten() {
            prop_assert!(rate >= Decimal::ZERO && rate <= Decimal::ONE_HUNDRED);
        }
    }
}
