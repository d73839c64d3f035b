//! Whatever comes in: no panic, in order, bounded, and the same again.

use super::bench::{DayBench, HourBench};
use crate::fixture::*;
use crate::model::*;
use crate::validate::series::CLUES_PER_CHECK_MAX;
use crate::validate::{Check, check};
use proptest::prelude::*;
use rust_decimal::Decimal;

/// Ordinary figures, and the ends of what a decimal holds.
fn figure() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        4 => (-50_i64..500).prop_map(|n| Decimal::new(n, 1)),
        1 => Just(Decimal::ZERO),
        1 => Just(Decimal::MAX),
        1 => Just(Decimal::MIN),
        1 => Just(Decimal::new(1, 28)),
    ]
}

fn sound(clues: &[Clue]) -> Result<(), TestCaseError> {
    let entry = |clue: &Clue| -> &Check { check(&clue.check.0).unwrap() };
    let keys = clues
        .iter()
        .map(|c| (entry(c).number, c.factor.clone(), c.from, c.until));
    prop_assert!(keys.clone().is_sorted(), "{:?}", keys.collect::<Vec<_>>());
    for clue in clues {
        let of_check = clues.iter().filter(|other| other.check == clue.check);
        prop_assert!(of_check.count() <= CLUES_PER_CHECK_MAX);
        prop_assert!(clue.from <= clue.until);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_hour(
        figures in prop::collection::vec(figure(), 60),
        code in prop::sample::select(vec![
            "a21026", "a19001", "a01011", "a01012", "a01013", "a01014", "a00000",
        ]),
        water in prop::sample::select(vec!["w01018", "w01001", "w00000", "w21001"]),
        flag in prop::sample::select(vec!["N", "T", "F", "D"]),
    ) {
        let at = |n: i64| figures[usize::try_from(n).unwrap()];
        for bench in [HourBench::gas().set(code, at), HourBench::water().set(water, at)] {
            let code = if bench.minutes[0].outlet.as_str() == GAS { code } else { water };
            let bench = bench.each(code, |n, value| {
                value.cou = Some(number(&at(59 - n).to_string()));
                value.converted = value.cou.clone();
            });
            let bench = bench.flag(&[code], 20, flag).reports(vec![value(code, "7", "N")]);
            let clues = bench.clues();
            sound(&clues)?;
            prop_assert_eq!(&clues, &bench.clues());
        }
    }

    #[test]
    fn a_day(
        figures in prop::collection::vec(figure(), 24),
        code in prop::sample::select(vec!["a21026", "a19001", "a01011"]),
        volume in prop::option::of(figure()),
    ) {
        let at = |n: i64| figures[usize::try_from(n).unwrap()];
        for bench in [DayBench::gas().set(code, at), DayBench::water().set("w01018", at)] {
            let bench = bench.change(|row| row.volume_m3 = volume);
            sound(&bench.clues())?;
        }
    }
}

#[test]
fn what_is_beyond_the_bound_is_counted() {
    let day = DayBench::gas().set("a21026", |n| if n % 4 < 2 { dec("3") } else { dec("90") });
    let clues = day.clues();
    let steps: Vec<&Clue> = clues.iter().filter(|c| c.check.0 == "hour-step").collect();
    assert_eq!(steps.len(), CLUES_PER_CHECK_MAX);
    // Jumps at 0 (from the day before), 2, 4, ... 22.
    assert_eq!(steps[7].evidence["more"], "4");
    assert!(!steps[6].evidence.contains_key("more"));
}
