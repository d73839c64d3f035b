//! What bears on figures besides records: marks, tests, reviews, substitutes, manual data.

use super::*;
use crate::engine::Event;
use crate::model::profile::MarkRule;
use crate::model::*;
use rust_decimal::Decimal;

/// Rules by which marks of calibration take data away and a standard sample may be off by 10 %.
fn ruled() -> Registry {
    let mut city = city();
    let rule = MarkRule {
        effect: MarkEffect::Invalid,
        enter_within_h: Some(24),
        late_counts: false,
        year_max_h: None,
        once_max_h: None,
    };
    let profile = city.profiles.get_mut("plain@1").unwrap();
    profile.marks.kinds.insert(MarkKind::Calibration, rule);
    profile.qa.standard_pct.insert("*".into(), dec("10"));
    profile.qa.items.insert("a21002".into(), "nox".into());
    city
}

fn mark(from: i64, until: i64) -> Event {
    Event::Mark(Mark {
        outlet: GAS.into(),
        kind: MarkKind::Calibration,
        factors: Vec::new(),
        from: minute(from),
        until: minute(until),
        reason: "invented reason".into(),
        attachments: Vec::new(),
        by: "operator".into(),
    })
}

fn sample(at: i64, measured: &str) -> Event {
    Event::QaTest(QaTest {
        outlet: GAS.into(),
        factor: "a21002".into(),
        kind: QaKind::StandardSample,
        at: minute(at),
        pairs: vec![QaPair {
            reference: dec("100"),
            measured: dec(measured),
        }],
        full_scale: None,
        note: "invented".into(),
        attachments: Vec::new(),
        by: "operator".into(),
        from_cn: None,
    })
}

#[test]
fn marks_are_shown_with_what_they_do_to_each_minute() {
    let city = ruled();
    let mut bench = run(&city, gas_day());
    bench.send(minute(1_460), mark(845, 850));
    bench.send(minute(5_000), mark(851, 852));
    bench.tick(minute(5_010));
    let root = ask(&bench, &city, &question(GAS, "a21002", hour_of(14)));
    assert_eq!(code_of(&root), "too-few");
    let marks = &find(&root, "Marks").children;
    let found: Vec<_> = marks.iter().map(code_of).collect();
    assert_eq!(found, ["holds", "late"]);
    let rule = marks[0].rule.as_ref().unwrap();
    assert_eq!(
        (rule.key.as_str(), rule.sure),
        ("marks.kinds.calibration.effect", Some(Sure::M))
    );
    let minutes = &find(&root, "Mean").children;
    let codes: Vec<_> = minutes[4..11].iter().map(code_of).collect();
    let expected = ["valid", "mark", "mark", "mark", "mark", "mark", "valid"];
    assert_eq!(codes, expected);
    let notes = &find(&root, "Does the hour count").notes;
    let marked = "5 min do not count because of marks";
    assert!(notes.iter().any(|note| note.en == marked), "{notes:?}");
    assert_eq!(code_of(find(&root, "Compared")), "agrees");
}

#[test]
fn tests_and_the_review_are_shown_where_they_decide() {
    let city = ruled();
    let mut bench = run(&city, gas_day());
    bench.send(minute(1_460), sample(600, "101"));
    bench.send(minute(1_461), sample(1_000, "150"));
    bench.tick(minute(1_470));
    let ask_hour = |bench: &Bench| ask(bench, &city, &question(GAS, "a21002", hour_of(14)));
    let root = ask_hour(&bench);
    assert_eq!(code_of(&root), "out-of-control");
    let tests = &find(&root, "Tests of the equipment").children;
    let found: Vec<_> = tests.iter().map(code_of).collect();
    assert_eq!(found, ["passed", "failed"]);
    assert_eq!(code_of(find(&root, "Compared")), "agrees");

    let (quarter, end) = time::quarter_of(minute(0), city.offset);
    let action = ReviewAction {
        outlet: GAS.into(),
        quarter,
        step: ReviewStep::Fail,
        by: "authority".into(),
        note: "invented finding".into(),
        attachments: Vec::new(),
    };
    bench.send(end.plus_ms(time::DAY_MS), Event::Review(action));
    bench.tick(end.plus_ms(2 * time::DAY_MS));
    let root = ask_hour(&bench);
    assert_eq!(code_of(&root), "review-failed");
    assert_eq!(code_of(find(&root, "Validity review")), "review-failed");
    assert_eq!(code_of(find(&root, "Compared")), "agrees");
}

/// A quarter of 2184 hours with one gap of two.
fn quarter_of_gaps() -> QuarterFactor {
    let put_in = Substitute {
        rule: "max-180".into(),
        unit_kg: Some(dec("14.5")),
        total_kg: Some(dec("29")),
        capture_pct: Some(dec("95")),
        looked_back: 180,
        window: Some((minute(-20_000), minute(890))),
        taken_from: Some(minute(300)),
    };
    let gap = Gap {
        from: minute(900),
        until: minute(1_020),
        hours: 2,
        why: "invalid".into(),
        provisional: put_in,
        settled: None,
        by_day: vec![(minute(0), dec("29"))],
        replaced_by_day: vec![(minute(0), dec("1.5"))],
    };
    QuarterFactor {
        hours: 2_184,
        stopped: 184,
        valid: 1_900,
        invalid: 100,
        capture_pct: Some(dec("95")),
        capture_met: Some(true),
        measured_kg: Some(dec("20000")),
        substituted_kg: Some(dec("29")),
        gaps: vec![gap],
    }
}

#[test]
fn substitutes_are_shown_for_the_quarter_the_month_and_the_hour() {
    let mut city = city();
    city.profiles.get_mut("plain@1").unwrap().capture.min_pct = dec("75");
    let bench = run(&city, gas_day());
    let (quarter, _) = time::quarter_of(minute(0), city.offset);
    bench.past.apply(Output::Quarter(QuarterRow {
        outlet: GAS.into(),
        start: quarter,
        complete: true,
        factors: [("a21026".into(), quarter_of_gaps())].into(),
        profile: "plain@1".into(),
        seq: Seq(900),
    }));
    let root = ask(
        &bench,
        &city,
        &question(GAS, "a21026", Asked::Quarter(quarter)),
    );
    assert_eq!(
        (root.value.as_deref(), code_of(&root)),
        (Some("95"), "reached")
    );
    let with = root.with.as_deref().and_then(arithmetic::evaluate);
    assert_eq!(with, Some(Decimal::from(95u32)));
    let substitute = find(&root, "provisional");
    assert_eq!(substitute.formula.as_deref(), Some("substitute-max"));
    assert_eq!(substitute.value.as_deref(), Some("14.5"));
    for (asked, kg) in [
        (hour_of(15), None),
        (day_of(), Some("29")),
        (
            Asked::Period(Period::containing(Level::Month, minute(0), city.offset)),
            Some("29"),
        ),
        (
            Asked::Period(Period::containing(Level::Year, minute(0), city.offset)),
            Some("29"),
        ),
    ] {
        let root = ask(&bench, &city, &question(GAS, "a21026", asked));
        assert_eq!(
            find(&root, "Invalid periods").value.as_deref(),
            kg,
            "{asked:?}"
        );
    }
    let root = ask(&bench, &city, &question(GAS, "a21026", hour_of(3)));
    assert!(
        all(&root)
            .iter()
            .all(|node| !node.label_en.starts_with("Invalid periods"))
    );
}

#[test]
fn manual_values_stand_beside_a_period_that_does_not_count() {
    let city = city();
    let mut bench = run(&city, gas_day());
    let report = ManualReport {
        outlet: GAS.into(),
        sampled_at: minute(930),
        sampler: "sampler".into(),
        method: "HJ 57-2017".into(),
        laboratory: "laboratory".into(),
        values: vec![ManualValue {
            factor: "a21026".into(),
            value: dec("22"),
        }],
        note: String::new(),
        attachments: Vec::new(),
        corrects: None,
        by: "operator".into(),
    };
    bench.send(minute(1_460), Event::ManualReport(report));
    bench.flush();
    let root = ask(&bench, &city, &question(GAS, "a21026", hour_of(15)));
    let manual = &find(&root, "Manual reports").children[0];
    assert_eq!(manual.value.as_deref(), Some("22"));
    let root = ask(&bench, &city, &question(GAS, "a21026", hour_of(14)));
    assert!(
        all(&root)
            .iter()
            .all(|node| node.label_en != "Manual reports")
    );
}
