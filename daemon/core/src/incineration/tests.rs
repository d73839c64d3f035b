//! A furnace and its stack: what counts, what marks keep from counting.

use super::*;
use crate::fixture::{GAS, dec, minute};
use crate::marks;
use crate::model::profile::{MarkRule, MarkRules};
use crate::model::rows::AggregateOrigin;
use crate::model::{FactorAggregate, LimitVerdict, Mark, MarkKind, Seq};

fn rule() -> IncinerationRule {
    IncinerationRule {
        furnace_factor: "a01901".into(),
        furnace_min_c: dec("850"),
        furnace_low_max: 5,
        pollutants: vec!["a34013".into(), "a21002".into()],
        exceeded_days_max: 5,
    }
}

/// Drying keeps data from being judged; calibration is only shown.
fn effects(marked: &[(MarkKind, i64, i64)]) -> Effects {
    let rule = |effect| MarkRule {
        effect,
        enter_within_h: None,
        late_counts: true,
        year_max_h: None,
        once_max_h: None,
    };
    let rules = MarkRules {
        chain_min: 0,
        kinds: [
            (MarkKind::Drying, rule(MarkEffect::NotJudged)),
            (MarkKind::Fault, rule(MarkEffect::Invalid)),
            (MarkKind::Calibration, rule(MarkEffect::Shown)),
        ]
        .into(),
    };
    let rows: Vec<_> = (1..)
        .zip(marked)
        .map(|(id, (kind, from, until))| {
            let mark = Mark {
                outlet: GAS.into(),
                kind: *kind,
                factors: Vec::new(),
                from: minute(*from),
                until: minute(*until),
                reason: "invented".into(),
                attachments: Vec::new(),
                by: "wang".into(),
            };
            marks::enter(mark, Seq(id), minute(0), &rules)
        })
        .collect();
    Effects::of(&rows, &rules, (minute(0), minute(1_440)), &BTreeMap::new())
}

/// Minute values of a day at 900 °C but for its first `low` five-minutes.
fn day(low: i64) -> Vec<FiveMinuteMean> {
    let value = |n: i64| if n < low * 5 { "849.9" } else { "900" };
    five_minute_means(minute(0), (0..1_440).map(|n| (minute(n), dec(value(n)))))
}

fn counted(low: i64, marked: &[(MarkKind, i64, i64)]) -> (usize, usize, bool) {
    let day = furnace_day(&rule(), &day(low), &effects(marked));
    (day.low.len(), day.low_marked.len(), day.violation)
}

#[test]
fn five_minutes_are_counted_from_midnight_and_averaged_over_what_is_there() {
    let values = [
        (4, "800"),
        (5, "860"),
        (9, "845"),
        (7, "849"),
        (1_440, "1"),
        (-1, "1"),
    ];
    let means = five_minute_means(minute(0), values.map(|(n, v)| (minute(n), dec(v))));
    let found: Vec<_> = means
        .iter()
        .map(|m| (m.start, m.mean.round_dp(2), m.minutes))
        .collect();
    assert_eq!(
        found,
        [(minute(0), dec("800"), 1), (minute(5), dec("851.33"), 3)]
    );
    assert_eq!(day(0).len(), 288);
}

#[test]
fn the_minimum_itself_is_not_below_it() {
    let means = five_minute_means(
        minute(0),
        [(minute(0), dec("850")), (minute(5), dec("849.99"))],
    );
    let day = furnace_day(&rule(), &means, &effects(&[]));
    assert_eq!(day.low, [minute(5)]);
}

/// "More than five in a day" in the words of the order: five are none too many.
#[test]
fn as_many_as_a_day_may_have_are_no_violation() {
    assert_eq!(counted(5, &[]), (5, 0, false));
    assert_eq!(counted(6, &[]), (6, 0, true));
    let mut strict = rule();
    strict.furnace_low_max = 4;
    assert!(furnace_day(&strict, &day(5), &effects(&[])).violation);
}

#[test]
fn means_within_a_mark_do_not_count() {
    let drying = (MarkKind::Drying, 0, 40);
    assert_eq!(counted(12, &[drying]), (4, 8, false));
    // A mark that covers four minutes of a mean does not cover it; two kinds together may.
    assert_eq!(counted(12, &[(MarkKind::Drying, 0, 39)]), (5, 7, false));
    let both = [(MarkKind::Drying, 0, 32), (MarkKind::Fault, 32, 40)];
    assert_eq!(counted(12, &both), (4, 8, false));
    // What is only shown covers nothing.
    assert_eq!(
        counted(12, &[(MarkKind::Calibration, 0, 40)]),
        (12, 0, true)
    );
}

fn row(n: i64, exceeded: &[&str]) -> AggregateRow {
    let factor = |exceeded| FactorAggregate {
        limits: vec![LimitVerdict {
            limit: "d".into(),
            judged: dec("1"),
            bound: dec("1"),
            exceeded,
            multiple: None,
        }],
        ..FactorAggregate::default()
    };
    let codes = ["a34013", "a21002", "a21024"];
    AggregateRow {
        outlet: GAS.into(),
        level: Level::Day,
        start: minute(n * 1_440),
        origin: AggregateOrigin::Computed,
        complete: true,
        volume_m3: None,
        factors: codes
            .map(|code| (code.into(), factor(exceeded.contains(&code))))
            .into(),
        profile: "plain@1".into(),
        received: 0,
        due: 0,
        seq: Seq(1),
        superseded: 0,
    }
}

#[test]
fn days_over_a_limit_are_counted_for_the_pollutants_of_the_rule() {
    let both = ["a34013", "a21002"];
    assert_eq!(
        over_day_limits(&rule(), &row(0, &both)),
        ["a21002".into(), "a34013".into()]
    );
    assert_eq!(over_day_limits(&rule(), &row(0, &["a21024"])), []);
    let mut every = rule();
    every.pollutants.clear();
    assert_eq!(
        over_day_limits(&every, &row(0, &["a21024"])),
        ["a21024".into()]
    );

    let mut days: Vec<_> = (0..5).map(|n| row(n, &both)).collect();
    days.push(row(5, &["a21024"]));
    let month = stack_month(&rule(), &days);
    assert_eq!((month.exceeded.len(), month.consequence), (5, None));
    days.push(row(6, &["a21002"]));
    let month = stack_month(&rule(), &days);
    assert_eq!(month.exceeded[&minute(6 * 1_440)], ["a21002".into()]);
    let consequence = month.consequence.map(Consequence::as_str);
    assert_eq!(consequence, Some("restrict-or-suspend-production"));
}
