//! Every hour of both days, and the days.

use super::arithmetic::evaluate;
use super::*;
use rust_decimal::Decimal;

const GAS_FACTORS: [&str; 8] = [
    "a34013", "a21026", "a21002", "a19001", "a01011", "a01012", "a01013", "a01014",
];
const WATER_FACTORS: [&str; 4] = ["w01018", "w21003", "w01001", "w00000"];

/// Expressions come to the value beside them.
fn expressions_hold(root: &Node) -> usize {
    let mut held = 0;
    for node in all(root) {
        let (Some(value), Some(with)) = (&node.value, &node.with) else {
            continue;
        };
        let Some(found) = evaluate(with) else {
            continue;
        };
        let value: Decimal = value.parse().unwrap();
        let off = (found - value).abs();
        assert!(
            off <= dec("0.00000001"),
            "{}: {value} ≠ {with} = {found}",
            node.label_en
        );
        held += 1;
    }
    held
}

fn agrees(root: &Node, what: &str) {
    let comparison = find(root, "Compared");
    assert_eq!(
        code_of(comparison),
        "agrees",
        "{what}: {:?}",
        comparison.notes
    );
}

#[test]
fn every_hour_of_both_days_is_explained_and_agrees_with_what_is_stored() {
    let city = city();
    let days = [
        (GAS, gas_day(), &GAS_FACTORS[..]),
        (WATER, water_day(), &WATER_FACTORS),
    ];
    let mut held = 0;
    for (outlet, records, factors) in days {
        let bench = run(&city, records);
        for hour in 0..24 {
            let row = bench.aggregate(outlet, Level::Hour, minute(60 * hour));
            for factor in factors {
                let what = format!("{outlet} {factor} hour {hour}");
                let root = ask(&bench, &city, &question(outlet, factor, hour_of(hour)));
                agrees(&root, &what);
                let stored = &row.factors[*factor];
                assert_eq!(root.value, stored.mean.map(|m| m.to_string()), "{what}");
                let verdict = root.verdict.as_ref().expect(&what);
                assert_eq!(verdict.outcome == Outcome::Valid, stored.valid, "{what}");
                assert!(!verdict.text.zh.is_empty() && !verdict.text.en.is_empty());
                let mean = find(&root, "Mean");
                assert_eq!(mean.children.len(), 60, "{what}");
                assert_eq!(mean.value.is_some(), mean.with.is_some(), "{what}");
                held += expressions_hold(&root);
            }
        }
    }
    assert!(held > 500, "{held} expressions checked");
}

#[test]
fn the_days_are_explained_by_their_hours_and_agree() {
    let city = city();
    let days = [
        (GAS, gas_day(), &GAS_FACTORS[..]),
        (WATER, water_day(), &WATER_FACTORS),
    ];
    for (outlet, records, factors) in days {
        let bench = run(&city, records);
        for factor in factors {
            let what = format!("{outlet} {factor}");
            let root = ask(&bench, &city, &question(outlet, factor, day_of()));
            agrees(&root, &what);
            // The ion balance of pH is not one of the four operations.
            let held = expressions_hold(&root);
            assert!(held > 0 || *factor == "w01001", "{what}");
            assert_eq!(find(&root, "Each hour").children.len(), 24);
            for level in [Level::Month, Level::Year] {
                let period = Period::containing(level, minute(0), city.offset);
                let asked = Asked::Period(period);
                let root = ask(&bench, &city, &question(outlet, factor, asked));
                agrees(&root, &what);
                expressions_hold(&root);
            }
        }
    }
}

/// A station of another make: wet, hot, dusty; minutes are converted one by one.
#[test]
fn conversions_of_the_basis_are_shown_for_each_minute() {
    let mut city = city();
    let gas = city.outlets.get_mut(GAS).unwrap();
    gas.gas.as_mut().unwrap().o2_is_wet = true;
    for (code, basis) in [
        ("a34013", crate::model::Basis::ActualWet),
        ("a21026", crate::model::Basis::StandardWet),
        ("a21002", crate::model::Basis::ActualDry),
    ] {
        gas.factors.get_mut(code).unwrap().basis = basis;
    }
    city.profiles.get_mut("plain@1").unwrap().convert_after_mean = false;
    let bench = run(&city, gas_day());
    for (factor, formulas) in [
        ("a34013", &["D19", "D18"][..]),
        ("a21026", &["D19"]),
        ("a21002", &["D18"]),
        ("a19001", &["D19"]),
    ] {
        for hour in [0, 7, 8, 14] {
            let root = ask(&bench, &city, &question(GAS, factor, hour_of(hour)));
            agrees(&root, factor);
            expressions_hold(&root);
        }
        let mut whole = question(GAS, factor, hour_of(0));
        whole.depth = 4;
        let root = ask(&bench, &city, &whole);
        let first = &find(&root, "Mean").children[0];
        let found: Vec<&str> = all(first)
            .iter()
            .filter_map(|n| n.formula.as_deref())
            .collect();
        assert_eq!(found, formulas, "{factor}");
    }
}

#[test]
fn depth_and_width_are_bounded_and_what_is_left_out_is_counted() {
    let city = city();
    let bench = run(&city, gas_day());
    let mut shallow = question(GAS, "a21002", hour_of(14));
    shallow.depth = 1;
    let root = ask(&bench, &city, &shallow);
    assert!(root.children.iter().all(|child| child.children.is_empty()));
    assert_eq!(find(&root, "Mean").omitted, 60);
    shallow.depth = 0;
    let bare = ask(&bench, &city, &shallow);
    assert_eq!(usize::try_from(bare.omitted).unwrap(), root.children.len());
    let period = Period::containing(Level::Year, minute(0), city.offset);
    let mut deep = question(GAS, "a21002", Asked::Period(period));
    deep.depth = u32::MAX;
    let year = ask(&bench, &city, &deep);
    let nodes = all(&year).len();
    assert!(nodes < 40_000, "{nodes}");
    let json = serde_json::to_string(&year).unwrap();
    assert_eq!(serde_json::from_str::<Node>(&json).unwrap(), year);
}
