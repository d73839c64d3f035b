//! What holds for any marks: order does not matter, merging again changes nothing, and counting
//! minute by minute gives the same.

use super::*;
use proptest::prelude::*;

const DAY: i64 = 300;
/// Minutes around the day that marks may reach into.
const MARGIN: i64 = 60;

prop_compose! {
    fn any_mark()(
        kind in prop::sample::select(vec![
            MarkKind::Stopped,
            MarkKind::Fault,
            MarkKind::Calibration,
            MarkKind::StartUp,
            MarkKind::Drying,
        ]),
        factor in prop::sample::select(vec![None, Some("a21026"), Some("a34013")]),
        from in -MARGIN..DAY + MARGIN,
        minutes in 1i64..50,
    ) -> Mark {
        let mut mark = mark(kind, from, (from + minutes).min(DAY + MARGIN));
        mark.factors = factor.map(FactorCode::from).into_iter().collect();
        mark
    }
}

prop_compose! {
    fn any_rows()(entries in prop::collection::vec((any_mark(), 0..8u8), 0..14)) -> Vec<MarkRow> {
        let numbered = (1..).zip(entries);
        numbered
            .map(|(id, (mark, fate))| {
                let row = enter(mark, Seq(id), minute(0), &short_rules());
                if fate == 0 { withdraw(row, withdrawal()).unwrap() } else { row }
            })
            .collect()
    }
}

/// Budgets of an hour that marks of these lengths use up.
fn short_rules() -> MarkRules {
    let mut rules = rules();
    let rule = rules.kinds.get_mut(&MarkKind::StartUp).unwrap();
    (rule.once_max_h, rule.year_max_h) = (Some(1), Some(2));
    rules
}

fn day(rows: &[MarkRow], used: u32) -> Effects {
    let used = BTreeMap::from([(MarkKind::StartUp, used)]);
    Effects::of(rows, &short_rules(), (minute(0), minute(DAY)), &used)
}

const FACTORS: [&str; 3] = ["a21026", "a34013", "a21002"];

/// A kind, or any, covers the minute for the factor.
fn covers(rows: &[MarkRow], kind: Option<MarkKind>, factor: &str, at: i64) -> bool {
    rows.iter().any(|row| {
        let mark = &row.mark;
        let concerns = mark.factors.is_empty() || mark.factors.contains(&factor.into());
        let is = kind.is_none_or(|kind| kind == mark.kind);
        row.counts && concerns && is && mark.from <= minute(at) && minute(at) < mark.until
    })
}

/// Minutes covered without a break up to and including `at`, going by `step`.
fn run(covered: &dyn Fn(i64) -> bool, at: i64, step: i64) -> i64 {
    (0..)
        .take_while(|n| covered(at + n * step))
        .count()
        .try_into()
        .unwrap()
}

/// The kind has its effect, but for the hours of a year.
fn once(rows: &[MarkRow], kind: MarkKind, factor: &str, at: i64) -> bool {
    let any = |at| covers(rows, None, factor, at);
    let own = |at| covers(rows, Some(kind), factor, at);
    let chain = run(&any, at, -1) + run(&any, at, 1) - 1;
    let rules = short_rules();
    let hours = rules.kinds.get(&kind).and_then(|rule| rule.once_max_h);
    let within = hours.is_none_or(|hours| run(&own, at, -1) <= i64::from(hours) * 60);
    own(at) && within && chain >= i64::from(rules.chain_min)
}

/// The strongest effect of every minute, by going through the minutes.
fn brute_force(rows: &[MarkRow], used: u32) -> Vec<[Option<MarkEffect>; 3]> {
    let rules = short_rules();
    let mut spent = BTreeMap::from([(MarkKind::StartUp, used)]);
    (0..DAY)
        .map(|at| {
            let mut found = [None; 3];
            for (kind, rule) in &rules.kinds {
                let holds = FACTORS.map(|factor| once(rows, *kind, factor, at));
                if !holds.contains(&true) {
                    continue;
                }
                let spent = spent.entry(*kind).or_default();
                if rule.year_max_h.is_some_and(|hours| *spent >= hours * 60) {
                    continue;
                }
                *spent += 1;
                for (found, _) in found.iter_mut().zip(holds).filter(|(_, holds)| *holds) {
                    *found = (*found).max(Some(rule.effect));
                }
            }
            found
        })
        .collect()
}

proptest! {
    // Each case goes through the minutes of a day; more of them take seconds.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn minute_by_minute_and_by_spans_it_is_the_same(rows in any_rows(), used in 0u32..130) {
        let effects = day(&rows, used);
        let expected = brute_force(&rows, used);
        for (at, found) in (0..).zip(&expected) {
            for (factor, found) in FACTORS.iter().zip(found) {
                let effect = effects.at(&(*factor).into(), minute(at));
                prop_assert_eq!(effect, *found, "{} at {}", factor, at);
            }
        }
        for effect in [MarkEffect::Stopped, MarkEffect::Invalid, MarkEffect::NotJudged] {
            let count = expected[30..200].iter().filter(|f| f[0] == Some(effect)).count();
            let minutes = effects.minutes_with(effect, &so2(), minute(30), minute(200));
            prop_assert_eq!(usize::try_from(minutes).unwrap(), count);
        }
    }

    #[test]
    fn the_order_of_entry_does_not_matter(
        (rows, shuffled) in any_rows().prop_flat_map(|rows| {
            (Just(rows.clone()), Just(rows).prop_shuffle())
        }),
    ) {
        prop_assert_eq!(chains(&rows), chains(&shuffled));
        prop_assert_eq!(day(&rows, 30), day(&shuffled, 30));
        let listed = |rows| list(rows, &short_rules(), (minute(0), minute(DAY)), &BTreeMap::new());
        prop_assert_eq!(listed(&rows), listed(&shuffled));
    }

    #[test]
    fn merging_what_was_merged_changes_nothing(rows in any_rows()) {
        let once = chains(&rows);
        let merged = once.iter().map(|chain| Mark {
            from: chain.from,
            until: chain.until,
            ..mark(MarkKind::Fault, 0, 0)
        });
        let again = chains(&super::rows(merged));
        let ends = |chains: &[Chain]| -> Vec<_> {
            chains.iter().map(|chain| (chain.from, chain.until)).collect()
        };
        prop_assert_eq!(ends(&once), ends(&again));
        prop_assert!(once.iter().zip(once.iter().skip(1)).all(|(a, b)| a.until < b.from));
    }

    /// Asking hour by hour, handing on what was used, is asking for the day.
    #[test]
    fn periods_add_up(rows in any_rows()) {
        let mut used = BTreeMap::new();
        let whole = day(&rows, 0);
        for from in (0..DAY).step_by(60) {
            let (from, until) = (minute(from), minute(from + 60));
            let hour = Effects::of(&rows, &short_rules(), (from, until), &used);
            for effect in [MarkEffect::Stopped, MarkEffect::Invalid, MarkEffect::NotJudged] {
                let minutes = |e: &Effects| e.minutes_with(effect, &so2(), from, until);
                prop_assert_eq!(minutes(&hour), minutes(&whole));
            }
            *used.entry(MarkKind::StartUp).or_default() += hour.used_min(MarkKind::StartUp);
        }
        let listed = list(&rows, &short_rules(), (minute(0), minute(DAY)), &BTreeMap::new());
        for entry in listed {
            let lost: u32 = entry.lost.iter().map(|lost| lost.minutes).sum();
            prop_assert_eq!(entry.holds_min + lost, entry.minutes);
        }
    }
}
