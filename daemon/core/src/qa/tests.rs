//! Stories of tests of the equipment.

mod control;

use super::*;
use crate::fixture::dec;
use crate::model::profile::{Band, BandBy, DriftRule};
use crate::model::{QaPair, Rounding, Timestamp};
use proptest::prelude::*;

fn band(from: &str, by: BandBy, limit: &str) -> Band {
    Band {
        from: Some(dec(from)),
        below: None,
        by,
        limit: dec(limit),
    }
}

/// SO2 with a table, drift and calibration gas; dust with a table in pairs.
fn profile() -> Profile {
    let mut profile = Profile::annex_d("plain@1");
    let so2 = vec![
        band("715", BandBy::RelativeAccuracy, "15"),
        band("143", BandBy::Absolute, "57"),
        band("57", BandBy::Relative, "30"),
        band("-5", BandBy::Absolute, "17"),
    ];
    let drift = DriftRule {
        zero_adjust_pct: dec("2.5"),
        zero_out_pct: dec("5.0"),
        span_adjust_pct: dec("2.5"),
        span_out_pct: dec("10.0"),
        every_h: Some(24),
    };
    profile.qa = QaRules {
        items: [
            ("a21026".into(), "so2".into()),
            ("a34013".into(), "dust".into()),
        ]
        .into(),
        bands: [
            ("so2".into(), so2),
            ("dust".into(), vec![band("0", BandBy::RelativePair, "15")]),
        ]
        .into(),
        drift: [("so2".into(), drift)].into(),
        pairs_min: 1,
        pairs_min_by_item: [("dust".into(), 2)].into(),
        pairs_pass: vec![(3, 2), (4, 3), (5, 4)],
        accuracy_pairs_min: 9,
        standard_pct: [("so2".into(), dec("5"))].into(),
        rounding: None,
    };
    profile
}

fn test(factor: &str, kind: QaKind, pairs: &[(&str, &str)]) -> QaTest {
    QaTest {
        outlet: "dc-01".into(),
        factor: factor.into(),
        kind,
        at: Timestamp(0),
        pairs: pairs
            .iter()
            .map(|(reference, measured)| QaPair {
                reference: dec(reference),
                measured: dec(measured),
            })
            .collect(),
        full_scale: None,
        note: String::new(),
        attachments: Vec::new(),
        by: "u".into(),
        from_cn: None,
    }
}

fn judged(factor: &str, kind: QaKind, pairs: &[(&str, &str)]) -> QaVerdict {
    judge(&test(factor, kind, pairs), &profile(), Some(dec("200")))
}

const SO2: &str = "a21026";
const DUST: &str = "a34013";

#[test]
fn a_drift_passes_asks_for_adjustment_or_fails() {
    // Percent of 200: 2.5 exactly, just beyond, 5.0, beyond.
    for (measured, zero, span) in [
        ("105", QaOutcome::Passed, QaOutcome::Passed),
        ("94.9", QaOutcome::Adjust, QaOutcome::Adjust),
        ("110", QaOutcome::Adjust, QaOutcome::Adjust),
        ("89.9", QaOutcome::Failed, QaOutcome::Adjust),
        ("120.1", QaOutcome::Failed, QaOutcome::Failed),
    ] {
        let pairs = [("100", measured)];
        assert_eq!(judged(SO2, QaKind::ZeroDrift, &pairs).outcome, zero);
        assert_eq!(judged(SO2, QaKind::SpanDrift, &pairs).outcome, span);
    }
    let verdict = judged(
        SO2,
        QaKind::ZeroDrift,
        &[("0", "1"), ("0", "-6"), ("0", "2")],
    );
    assert_eq!(verdict.result, Some(dec("3")));
    assert_eq!(verdict.limit, Some(dec("5.0")));
    assert_eq!(verdict.figures["error"], dec("-3"));
    assert_eq!(verdict.band, "drift %FS");
}

#[test]
fn the_full_scale_of_the_test_goes_before_that_of_the_registry() {
    let mut drift = test(SO2, QaKind::ZeroDrift, &[("0", "3")]);
    drift.full_scale = Some(dec("50"));
    let verdict = judge(&drift, &profile(), Some(dec("200")));
    assert_eq!(verdict.outcome, QaOutcome::Failed);
    assert_eq!(verdict.result, Some(dec("6")));
}

#[test]
fn the_mean_of_the_reference_picks_the_band() {
    let comparison = |reference: &str, measured: &str| {
        let verdict = judged(SO2, QaKind::Comparison, &[(reference, measured)]);
        (verdict.band.to_string(), verdict.outcome)
    };
    let passed = QaOutcome::Passed;
    assert_eq!(comparison("143", "200"), ("abs 57".into(), passed));
    assert_eq!(comparison("100", "70"), ("rel 30%".into(), passed));
    let failed = QaOutcome::Failed;
    assert_eq!(comparison("100", "69.9"), ("rel 30%".into(), failed));
    assert_eq!(comparison("0", "17"), ("abs 17".into(), passed));
}

#[test]
fn enough_pairs_have_to_lie_within() {
    let within = ("100", "110");
    let beyond = ("100", "120");
    let verdict = judged(DUST, QaKind::Comparison, &[within, beyond, within, beyond]);
    assert_eq!(verdict.outcome, QaOutcome::Failed);
    assert_eq!(verdict.figures["passed_pairs"], dec("2"));
    assert_eq!(verdict.figures["needed_pairs"], dec("3"));
    // Three of four lie within 20 %, not within 15 %.
    assert_eq!(verdict.result, Some(dec("20")));
    let seven = [within, within, within, within, beyond, beyond, beyond];
    let verdict = judged(DUST, QaKind::Comparison, &seven);
    assert_eq!(verdict.outcome, QaOutcome::Passed);
    assert_eq!(verdict.result, Some(dec("10")));
}

#[test]
fn without_a_table_of_pairs_the_mean_decides() {
    let mut profile = profile();
    profile.qa.pairs_pass.clear();
    let pairs = [("100", "110"), ("100", "130"), ("100", "70")];
    let verdict = judge(&test(DUST, QaKind::Comparison, &pairs), &profile, None);
    assert_eq!(verdict.outcome, QaOutcome::Passed);
    assert_eq!(verdict.figures["error"].round_dp(3), dec("3.333"));
}

#[test]
fn every_level_of_a_linearity_test_has_to_pass_by_its_mean() {
    let good = [("50", "52"), ("50", "54"), ("100", "98"), ("100", "99")];
    let verdict = judged(SO2, QaKind::Linearity, &good);
    assert_eq!(verdict.outcome, QaOutcome::Failed);
    assert_eq!(verdict.figures["error"], dec("6"));
    assert_eq!(verdict.figures["n"], dec("2"));
    // A standard sample is not averaged: each reading counts.
    let verdict = judged(SO2, QaKind::StandardSample, &[("50", "45"), ("50", "55")]);
    assert_eq!(verdict.outcome, QaOutcome::Failed);
    let verdict = judged(SO2, QaKind::Linearity, &[("50", "45"), ("50", "55")]);
    assert_eq!(verdict.outcome, QaOutcome::Passed);
}

#[test]
fn rounding_comes_before_the_verdict() {
    let mut profile = profile();
    let sample = test(SO2, QaKind::StandardSample, &[("1000", "1050.4")]);
    assert_eq!(judge(&sample, &profile, None).outcome, QaOutcome::Failed);
    profile.qa.rounding = Some(QaRounding {
        mode: Rounding::HalfAwayFromZero,
        pct_decimals: 1,
        mean_decimals: Some(2),
    });
    let verdict = judge(&sample, &profile, None);
    assert_eq!(verdict.outcome, QaOutcome::Passed);
    assert_eq!(verdict.result, Some(dec("5")));
    let pairs: Vec<(&str, &str)> = [("800.004", "790"), ("800.006", "790")].repeat(5);
    let accuracy = test(SO2, QaKind::RelativeAccuracy, &pairs);
    let verdict = judge(&accuracy, &profile, None);
    assert_eq!(verdict.figures["mean_reference"], dec("800.01"));
    assert_eq!(verdict.figures["d"], dec("10.01"));
    assert_eq!(verdict.result, Some(dec("1.3")));
}

/// Factor, kind, pairs, and the reason.
type Refused<'a> = (&'a str, QaKind, &'a [(&'a str, &'a str)], Why);

#[test]
fn what_cannot_be_judged_says_why() {
    let nine = [("800", "790"); 9];
    let cases: [Refused; 9] = [
        (SO2, QaKind::Comparison, &[], Why::NoPairs),
        (SO2, QaKind::RelativeAccuracy, &nine[..8], Why::TooFewPairs),
        (SO2, QaKind::Comparison, &nine[..8], Why::TooFewPairs),
        (DUST, QaKind::Comparison, &nine[..1], Why::TooFewPairs),
        (DUST, QaKind::ZeroDrift, &nine, Why::NoRule),
        ("a00000", QaKind::Comparison, &nine, Why::NoRule),
        (SO2, QaKind::Comparison, &[("-6", "0")], Why::NoBand),
        (
            SO2,
            QaKind::Linearity,
            &[("0", "1")],
            Why::ReferenceNotPositive,
        ),
        (SO2, QaKind::ZeroDrift, &nine, Why::NoFullScale),
    ];
    for (factor, kind, pairs, why) in cases {
        let full_scale = Some(Decimal::ZERO);
        let verdict = judge(&test(factor, kind, pairs), &profile(), full_scale);
        assert_eq!(verdict, not_judged(why));
        assert_eq!(verdict.outcome, QaOutcome::NotJudged);
    }
    let drift = test(SO2, QaKind::ZeroDrift, &nine);
    let verdict = judge(&drift, &profile(), None);
    assert_eq!(verdict.why.as_deref(), Some("no-full-scale"));
}

#[test]
fn reasons_differ() {
    let codes: std::collections::BTreeSet<&str> = Why::ALL.iter().map(|w| w.as_str()).collect();
    assert_eq!(codes.len(), Why::ALL.len());
}

/// Any decimal there is.
fn any_decimal() -> impl Strategy<Value = Decimal> {
    let any = (
        any::<u32>(),
        any::<u32>(),
        any::<u32>(),
        any::<bool>(),
        0u32..=28,
    );
    let small = (-1_000i64..1_000, 0u32..4).prop_map(|(n, scale)| Decimal::new(n, scale));
    prop_oneof![
        any.prop_map(|(lo, mid, hi, minus, scale)| Decimal::from_parts(lo, mid, hi, minus, scale)),
        small,
    ]
}

proptest! {
    #[test]
    fn a_verdict_has_a_result_or_a_reason_and_keeps_to_its_limit(
        kind in prop::sample::select(QaKind::ALL.to_vec()),
        factor in prop::sample::select(vec![SO2, DUST, "a00000"]),
        values in prop::collection::vec((any_decimal(), any_decimal()), 0..12),
        full_scale in prop::option::of(any_decimal()),
    ) {
        let mut test = test(factor, kind, &[]);
        let pair = |(reference, measured)| QaPair { reference, measured };
        test.pairs = values.into_iter().map(pair).collect();
        let verdict = judge(&test, &profile(), full_scale);
        let judged = verdict.outcome != QaOutcome::NotJudged;
        prop_assert_eq!(verdict.result.is_some(), judged);
        prop_assert_eq!(verdict.limit.is_some(), judged);
        prop_assert_eq!(verdict.why.is_none(), judged);
        if let (Some(result), Some(limit)) = (verdict.result, verdict.limit) {
            prop_assert!(result >= Decimal::ZERO);
            if verdict.outcome == QaOutcome::Failed {
                prop_assert!(result >= limit);
            } else {
                prop_assert!(result <= limit);
            }
        }
    }
}
