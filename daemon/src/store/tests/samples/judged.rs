//! Marks, tests, reviews, clues, quarters and packed hours.

use super::{decimal, factor, level, outlet, seq, short_text, text, time};
use cems_core::model::{
    Clue, ClueRow, Gap, Mark, MarkKind, MarkRow, PackRow, QaKind, QaOutcome, QaPair, QaRow, QaTest,
    QaVerdict, QuarterFactor, QuarterRow, ReviewAction, ReviewEntry, ReviewRow, ReviewStep,
    Substitute, Withdrawal,
};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn withdrawal() -> BoxedStrategy<Withdrawal> {
    (time(), short_text(), text(), seq())
        .prop_map(|(at, by, reason, seq)| Withdrawal {
            at,
            by: by.as_str().into(),
            reason,
            seq,
        })
        .boxed()
}

pub(in crate::store::tests) fn mark() -> BoxedStrategy<MarkRow> {
    let kind = prop::sample::select(MarkKind::ALL.to_vec());
    let what = (
        outlet(),
        kind,
        vec(factor(), 0..2),
        time(),
        1..600_i64,
        text(),
    );
    (
        seq(),
        what,
        time(),
        of(time()),
        any::<bool>(),
        of(withdrawal()),
    )
        .prop_map(|(id, what, entered_at, deadline, late, withdrawn)| {
            let (outlet, kind, factors, from, minutes, reason) = what;
            MarkRow {
                id,
                mark: Mark {
                    outlet,
                    kind,
                    factors,
                    from,
                    until: from.plus_ms(minutes * 60_000),
                    reason,
                    attachments: Vec::new(),
                    by: "u".into(),
                },
                entered_at,
                deadline,
                late,
                counts: !late && withdrawn.is_none(),
                withdrawn,
            }
        })
        .boxed()
}

pub(in crate::store::tests) fn qa() -> BoxedStrategy<QaRow> {
    let kind = prop::sample::select(QaKind::ALL.to_vec());
    let outcome = prop::sample::select(vec![
        QaOutcome::Passed,
        QaOutcome::Adjust,
        QaOutcome::Failed,
        QaOutcome::NotJudged,
    ]);
    let pair = (decimal(), decimal()).prop_map(|(reference, measured)| QaPair {
        reference,
        measured,
    });
    let test = (outlet(), factor(), kind, time(), vec(pair, 0..3));
    (
        (seq(), 0..3_u32),
        test,
        outcome,
        of(decimal()),
        of(withdrawal()),
    )
        .prop_map(|((id, n), test, outcome, result, withdrawn)| {
            let (outlet, factor, kind, at, pairs) = test;
            QaRow {
                id,
                n,
                test: QaTest {
                    outlet,
                    factor,
                    kind,
                    at,
                    pairs,
                    full_scale: result,
                    note: String::new(),
                    attachments: Vec::new(),
                    by: "u".into(),
                    from_cn: None,
                },
                entered_at: at,
                verdict: QaVerdict {
                    outcome,
                    result,
                    limit: None,
                    band: "rel 15%".into(),
                    why: None,
                    figures: BTreeMap::new(),
                },
                profile: "hj75-2017@2".into(),
                withdrawn,
            }
        })
        .boxed()
}

pub(in crate::store::tests) fn review() -> BoxedStrategy<ReviewRow> {
    let step = prop::sample::select(ReviewStep::ALL.to_vec());
    (outlet(), time(), vec((step, text(), time(), seq()), 0..3))
        .prop_map(|(outlet, quarter, steps)| ReviewRow {
            entries: steps
                .into_iter()
                .map(|(step, note, at, seq)| ReviewEntry {
                    action: ReviewAction {
                        outlet: outlet.clone(),
                        quarter,
                        step,
                        by: "u".into(),
                        note,
                        attachments: Vec::new(),
                    },
                    at,
                    seq,
                })
                .collect(),
            outlet,
            quarter,
        })
        .boxed()
}

pub(in crate::store::tests) fn clues() -> BoxedStrategy<ClueRow> {
    let clue =
        (short_text(), of(factor()), time(), text()).prop_map(|(code, factor, from, told)| Clue {
            check: cems_core::model::CheckCode(code),
            factor,
            from,
            until: from.plus_ms(60_000),
            evidence: BTreeMap::from([("told".into(), told)]),
        });
    (outlet(), level(), time(), vec(clue, 0..3), seq())
        .prop_map(|(outlet, level, start, clues, seq)| ClueRow {
            outlet,
            level,
            start,
            clues,
            profile: "p@1".into(),
            seq,
        })
        .boxed()
}

pub(in crate::store::tests) fn quarter() -> BoxedStrategy<QuarterRow> {
    let gap = (time(), 1..99_u32, of(decimal())).prop_map(|(from, hours, unit_kg)| Gap {
        from,
        until: from.plus_ms(i64::from(hours) * 3_600_000),
        hours,
        why: "invalid".into(),
        provisional: Substitute {
            rule: "max-180".into(),
            unit_kg,
            total_kg: unit_kg,
            capture_pct: unit_kg,
            looked_back: hours,
            window: Some((from, from)),
            taken_from: None,
        },
        settled: None,
        replaced_by_day: Vec::new(),
        by_day: unit_kg.map(|kg| (from, kg)).into_iter().collect(),
    });
    let one =
        (any::<u32>(), of(decimal()), vec(gap, 0..3)).prop_map(|(hours, kg, gaps)| QuarterFactor {
            hours,
            capture_pct: kg,
            measured_kg: kg,
            gaps,
            ..QuarterFactor::default()
        });
    (
        outlet(),
        time(),
        any::<bool>(),
        btree_map(factor(), one, 0..3),
        seq(),
    )
        .prop_map(|(outlet, start, complete, factors, seq)| QuarterRow {
            outlet,
            start,
            complete,
            factors,
            profile: "p@1".into(),
            seq,
        })
        .boxed()
}

pub(in crate::store::tests) fn pack() -> BoxedStrategy<PackRow> {
    (outlet(), time(), vec(any::<u8>(), 0..40), seq())
        .prop_map(|(outlet, month, body, seq)| PackRow {
            outlet,
            month,
            body,
            seq,
        })
        .boxed()
}
