//! Months of means, and what is left of the tax.

use super::*;
use crate::fixture::{dec, limit, minute, registry};
use crate::limits::Circumstances;
use crate::model::{LimitPeriod, MarkKind, Registry};

const SO2: &str = "a21026";

/// Hour means of SO2 at the stack, converted, judged as the engine does; `_` is not valid.
fn month(city: &Registry, texts: &[&str], marks: &[MarkKind]) -> TaxBasis {
    let outlet = &city.outlets["dc-01"];
    let factor = &outlet.factors[SO2];
    let means: Vec<(Timestamp, FactorAggregate)> = texts
        .iter()
        .zip(0..)
        .map(|(text, n)| {
            let start = minute(n * 60);
            let mut mean = FactorAggregate {
                mean: Some(dec("5")),
                converted: (*text != "_").then(|| dec(text)),
                valid: *text != "_",
                ..FactorAggregate::default()
            };
            let of = Circumstances {
                outlet,
                profile: &city.profiles["plain@1"],
                level: Level::Hour,
                start,
                o2_valid: true,
                marks,
                special_periods: &city.special_periods,
                region: None,
            };
            mean.limits = limits::judge(&mean, factor, &of).verdicts;
            (start, mean)
        })
        .collect();
    let means: Vec<TaxMean<'_>> = means
        .iter()
        .map(|(start, mean)| TaxMean {
            start: *start,
            mean,
            o2_valid: true,
        })
        .collect();
    tax_basis(outlet, factor, &means, &law_steps())
}

/// With limits of these kinds and bounds on the converted hour mean.
fn city(limits: &[(LimitKind, &str)]) -> Registry {
    let mut city = registry();
    let gas = city.outlets.get_mut("dc-01").unwrap();
    gas.factors.get_mut(SO2).unwrap().limits = limits
        .iter()
        .map(|(kind, upper)| Limit {
            kind: *kind,
            ..limit(kind.as_str(), LimitPeriod::Hour, true, upper)
        })
        .collect();
    city
}

fn due(basis: &TaxBasis) -> (String, &str) {
    (basis.due_pct.to_string(), basis.why)
}

#[test]
fn thirty_below_is_three_quarters_and_fifty_below_is_half() {
    let city = city(&[(LimitKind::National, "50")]);
    for (mean, expected) in [
        ("35.01", ("100", why::NOT_FAR_ENOUGH)),
        ("35", ("75", why::REDUCED)),
        ("25.01", ("75", why::REDUCED)),
        ("25", ("50", why::REDUCED)),
    ] {
        let basis = month(&city, &[mean, "_", mean], &[]);
        assert_eq!(due(&basis), (expected.0.into(), expected.1), "{mean}");
        assert_eq!((basis.valid, basis.invalid), (2, 1));
        assert_eq!(basis.lines[0].month_mean, Some(dec(mean)));
    }
}

#[test]
fn one_hour_over_the_limit_takes_the_reduction_away() {
    let city = city(&[(LimitKind::National, "50")]);
    let basis = month(&city, &["1", "50", "50.1", "1"], &[]);
    assert_eq!(due(&basis), ("100".into(), why::EXCEEDED));
    assert_eq!(basis.lines[0].exceeded, [minute(120)]);
    assert_eq!(basis.lines[0].below_pct, Some(dec("48.95")));
}

#[test]
fn of_the_standards_the_stricter_decides_and_the_permit_only_where_there_is_none() {
    let three = city(&[
        (LimitKind::National, "100"),
        (LimitKind::Local, "50"),
        (LimitKind::Permit, "10"),
        (LimitKind::UltraLow, "20"),
    ]);
    let basis = month(&three, &["30"], &[]);
    assert_eq!(due(&basis), ("75".into(), why::REDUCED));
    assert_eq!(basis.lines.len(), 2);
    assert_eq!(basis.lines[basis.deciding.unwrap()].limit, "local".into());
    let permit = city(&[(LimitKind::Permit, "100"), (LimitKind::UltraLow, "1")]);
    assert_eq!(
        due(&month(&permit, &["30"], &[])),
        ("50".into(), why::REDUCED)
    );
}

#[test]
fn states_the_standard_excepts_are_no_exceedance_but_a_month_of_nothing_else_proves_nothing() {
    let mut excepting = city(&[(LimitKind::National, "50")]);
    let gas = excepting.outlets.get_mut("dc-01").unwrap();
    gas.factors.get_mut(SO2).unwrap().limits[0].not_during = vec![MarkKind::StartUp];
    let basis = month(&excepting, &["20"], &[MarkKind::StartUp]);
    assert_eq!(due(&basis), ("100".into(), why::NOT_JUDGED));
    assert_eq!((basis.lines[0].means, basis.lines[0].judged), (1, 0));
}

#[test]
fn what_cannot_be_said_is_named_and_taxed_in_full() {
    let standard = city(&[(LimitKind::National, "50")]);
    let none: TaxBasis = month(&standard, &["_"], &[]);
    assert_eq!(due(&none), ("100".into(), why::NO_VALID_MEAN));
    // Nothing was in force in a month without any mean.
    assert_eq!(
        due(&month(&standard, &[], &[])),
        ("100".into(), why::NO_LIMIT)
    );
    let without = city(&[(LimitKind::UltraLow, "35")]);
    assert_eq!(
        due(&month(&without, &["1"], &[])),
        ("100".into(), why::NO_LIMIT)
    );
    let zero = city(&[(LimitKind::National, "0")]);
    let basis = month(&zero, &["0"], &[]);
    assert_eq!(due(&basis), ("100".into(), why::LIMIT_NOT_POSITIVE));
    assert_eq!(basis.lines[0].below_pct, None);
}
