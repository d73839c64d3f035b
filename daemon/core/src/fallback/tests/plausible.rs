//! What is odd about a report.

use super::*;
use crate::fallback::plausible::{self, Known};
use crate::fixture::{dec, registry};

/// A report of the fixture's stack, at a minute, with these values.
fn report(outlet: &str, minute: i64, values: &[(&str, &str)]) -> ManualReport {
    let row = report_row(
        (ReportId(1), FallbackId(1), false),
        (at(minute), at(minute)),
        1,
    );
    let value = |(code, text): &(&str, &str)| ManualValue {
        factor: (*code).into(),
        value: dec(text),
    };
    ManualReport {
        outlet: outlet.into(),
        values: values.iter().map(value).collect(),
        ..row.report
    }
}

/// Codes found, with the factor where there is one.
fn found(report: &ManualReport, change: impl FnOnce(&mut Setting)) -> Vec<String> {
    let mut setting = Setting::new(report.outlet.as_str());
    change(&mut setting);
    let known = Known {
        outlet: &setting.outlet,
        fallback: setting.fallback.as_ref(),
        last: setting.last.as_ref(),
        samples: &setting.samples,
        automatic: &setting.automatic,
    };
    let codes = plausible::findings(report, &known).into_iter();
    codes
        .map(|finding| {
            assert!(plausible::CODES.contains(&finding.code.as_str()));
            match finding.factor {
                Some(factor) => format!("{} {factor}", finding.code),
                None => finding.code.to_string(),
            }
        })
        .collect()
}

struct Setting {
    outlet: Outlet,
    fallback: Option<FallbackRow>,
    last: Option<ManualReport>,
    samples: BTreeSet<Timestamp>,
    automatic: BTreeMap<FactorCode, rust_decimal::Decimal>,
}

impl Setting {
    fn new(outlet: &str) -> Self {
        let mut outlet = registry().outlets[outlet].clone();
        let so2 = outlet.factors.get_mut("a21026");
        if let Some(so2) = so2 {
            so2.range_min = Some(dec("1"));
            so2.range_max = Some(dec("200"));
            so2.detection_limit = Some(dec("2"));
        }
        Self {
            outlet,
            fallback: None,
            last: None,
            samples: BTreeSet::new(),
            automatic: BTreeMap::new(),
        }
    }
}

#[test]
fn a_plain_report_has_nothing_odd() {
    let plain = report("dc-01", 100, &[("a21026", "20"), ("a21002", "60")]);
    let nothing = found(&plain, |setting| {
        setting.automatic.insert("a21026".into(), dec("31"));
        setting.samples.insert(at(10));
    });
    assert!(nothing.is_empty(), "{nothing:?}");
}

#[test]
fn values_outside_what_can_be() {
    let odd = report("dc-01", 100, &[("a21026", "201"), ("a21002", "-0.1")]);
    assert_eq!(
        found(&odd, |_| {}),
        ["above-range a21026", "negative a21002"]
    );
    let low = report("dc-01", 100, &[("a21026", "0.9")]);
    assert_eq!(found(&low, |_| {}), ["below-range a21026"]);
    // Where the range goes below zero, so may the value.
    let cold = report("dc-01", 100, &[("a21026", "-3")]);
    let codes = found(&cold, |setting| {
        let so2 = setting.outlet.factors.get_mut("a21026").unwrap();
        so2.range_min = Some(dec("-50"));
    });
    assert!(codes.is_empty());
    for (text, odd) in [
        ("14", false),
        ("14.1", true),
        ("-0.1", true),
        ("7.2", false),
    ] {
        let acid = report("ws-01", 100, &[("w01001", text)]);
        assert_eq!(found(&acid, |_| {}).len(), usize::from(odd), "{text}");
    }
}

#[test]
fn a_slipped_point_shows_against_the_automatic_values() {
    let against = |value: &str, mean: &str| {
        let one = report("dc-01", 100, &[("a21026", value)]);
        found(&one, |setting| {
            setting.automatic.insert("a21026".into(), dec(mean));
        })
    };
    assert_eq!(against("180", "18"), ["decimal-point a21026"]);
    assert_eq!(against("2.1", "18"), ["decimal-point a21026"]);
    assert_eq!(against("90", "18"), ["decimal-point a21026"]);
    assert!(against("89.9", "18").is_empty());
    // At the detection limit ten times as much says nothing; nor does a mean of zero.
    assert!(against("18", "2").is_empty());
    assert!(against("18", "0").is_empty());
}

#[test]
fn the_report_as_a_whole() {
    let one = report("dc-01", 100, &[("a21026", "20"), ("a21002", "60.0")]);
    let repeated = found(&one, |setting| {
        let last = report("dc-01", 10, &[("a21002", "60"), ("a21026", "20")]);
        setting.last = Some(last);
    });
    assert_eq!(repeated, ["same-as-last"]);
    let other = found(&one, |setting| {
        setting.last = Some(report("dc-01", 10, &[("a21026", "20")]));
    });
    assert!(other.is_empty());

    let near = |minute: i64| {
        found(&one, |setting| {
            setting.samples.insert(at(minute));
        })
    };
    assert_eq!(near(100), ["same-time"]);
    assert_eq!(
        (near(91), near(109)),
        (vec!["too-close".to_owned()], near(91))
    );
    assert!(near(90).is_empty() && near(110).is_empty());

    let mut desk = Desk::new(rule(0), &["a21026", "a34013"]);
    desk.advance(101);
    let row = desk.row().clone();
    let early = report("dc-01", 59, &[("a21026", "20")]);
    let codes = found(&early, |setting| setting.fallback = Some(row));
    assert_eq!(codes, ["missing-factor a34013", "before-opening"]);
}
