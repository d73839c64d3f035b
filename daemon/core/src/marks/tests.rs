//! Marks of invented outlets: in time and late, chains, budgets of hours, what is listed.

mod properties;

use super::*;
use crate::engine::TEXT_CHARS_MAX;
use crate::fixture::{GAS, minute, registry};
use crate::model::profile::{MarkRule, MarkRules};
use crate::model::time::DAY_MS;
use crate::model::{
    Attachment, FactorCode, Mark, MarkEffect, MarkKind, MarkRow, Seq, Timestamp, Withdrawal,
};
use std::collections::BTreeMap;

/// A statement about the minutes `from` to `until` of the day of the fixture.
pub(super) fn mark(kind: MarkKind, from: i64, until: i64) -> Mark {
    Mark {
        outlet: GAS.into(),
        kind,
        factors: Vec::new(),
        from: minute(from),
        until: minute(until),
        reason: "invented".into(),
        attachments: Vec::new(),
        by: "wang".into(),
    }
}

pub(super) fn rule(effect: MarkEffect) -> MarkRule {
    MarkRule {
        effect,
        enter_within_h: Some(24),
        late_counts: false,
        year_max_h: None,
        once_max_h: None,
    }
}

/// One kind for each effect; start-ups within hours of an occurrence and a year.
pub(super) fn rules() -> MarkRules {
    let kinds = [
        (MarkKind::Stopped, rule(MarkEffect::Stopped)),
        (MarkKind::Fault, rule(MarkEffect::Invalid)),
        (MarkKind::Calibration, rule(MarkEffect::Shown)),
        (
            MarkKind::StartUp,
            MarkRule {
                once_max_h: Some(4),
                year_max_h: Some(10),
                ..rule(MarkEffect::NotJudged)
            },
        ),
    ];
    MarkRules {
        chain_min: 15,
        kinds: kinds.into(),
    }
}

/// The marks as entered in time, numbered from one.
pub(super) fn rows(marks: impl IntoIterator<Item = Mark>) -> Vec<MarkRow> {
    let numbered = (1..).zip(marks);
    numbered
        .map(|(id, mark)| enter(mark, Seq(id), minute(0), &rules()))
        .collect()
}

pub(super) fn so2() -> FactorCode {
    "a21026".into()
}

const HOUR: i64 = 60;

fn effects(rows: &[MarkRow], used_h: u32) -> Effects {
    let used = BTreeMap::from([(MarkKind::StartUp, used_h * 60)]);
    Effects::of(rows, &rules(), (minute(0), minute(24 * HOUR)), &used)
}

fn not_judged(effects: &Effects, from: i64, until: i64) -> u32 {
    let (from, until) = (minute(from), minute(until));
    effects.minutes_with(MarkEffect::NotJudged, &so2(), from, until)
}

fn withdrawal() -> Withdrawal {
    Withdrawal {
        at: minute(500),
        by: "li".into(),
        reason: "entered for the wrong stack".into(),
        seq: Seq(77),
    }
}

#[test]
fn a_mark_is_in_time_at_its_deadline_and_late_after_it() {
    let fault = mark(MarkKind::Fault, 100, 160);
    let deadline = minute(160 + 24 * HOUR);
    let in_time = enter(fault.clone(), Seq(1), deadline, &rules());
    assert_eq!(in_time.deadline, Some(deadline));
    assert!(!in_time.late && in_time.counts);
    let late = enter(fault.clone(), Seq(1), deadline.plus_ms(1), &rules());
    assert!(late.late && !late.counts);

    let mut lenient = rules();
    lenient.kinds.get_mut(&MarkKind::Fault).unwrap().late_counts = true;
    let late = enter(fault, Seq(1), deadline.plus_ms(1), &lenient);
    assert!(late.late && late.counts);
}

#[test]
fn a_kind_without_a_rule_has_no_deadline_and_no_effect_but_is_known_to_limits() {
    let drying = mark(MarkKind::Drying, 100, 160);
    let row = enter(drying, Seq(1), minute(90 * 24 * HOUR), &rules());
    assert_eq!((row.deadline, row.late, row.counts), (None, false, true));
    let effects = effects(&[row], 0);
    assert_eq!(effects.at(&so2(), minute(120)), None);
    let kinds = effects.kinds(&so2(), minute(120), minute(180));
    assert_eq!(kinds, [MarkKind::Drying].into());
    assert_eq!(
        effects.kinds(&so2(), minute(160), minute(180)),
        [].into(),
        "its end is exclusive"
    );
}

#[test]
fn a_mark_is_taken_back_once_with_a_reason_and_has_no_effect_any_more() {
    let row = rows([mark(MarkKind::Fault, 100, 160)]).remove(0);
    let silent = Withdrawal {
        reason: " ".into(),
        ..withdrawal()
    };
    let refused = withdraw(row.clone(), silent).unwrap_err();
    assert_eq!(refused.code(), "empty");
    let row = withdraw(row, withdrawal()).unwrap();
    assert!(!row.counts);
    assert_eq!(row.withdrawn, Some(withdrawal()));
    assert_eq!(
        effects(std::slice::from_ref(&row), 0).at(&so2(), minute(120)),
        None
    );
    let again = withdraw(row, withdrawal()).unwrap_err();
    assert_eq!(again.code(), "withdrawn");
}

#[test]
fn what_makes_no_sense_is_refused_with_its_code() {
    let day = DAY_MS / 60_000;
    let now = minute(200);
    let refused = |change: &dyn Fn(&mut Mark)| {
        let mut mark = mark(MarkKind::Fault, 100, 160);
        change(&mut mark);
        check(&mark, &registry(), now).map_err(|error| error.code())
    };
    let attachment = |name: &str| Attachment {
        name: name.into(),
        bytes: 1,
        sha256: String::new(),
    };
    assert_eq!(refused(&|_| ()), Ok(()));
    assert_eq!(
        refused(&|m| m.outlet = "nowhere".into()),
        Err("unknown-outlet")
    );
    assert_eq!(
        refused(&|m| m.factors = vec!["x".into()]),
        Err("unknown-factor")
    );
    assert_eq!(
        refused(&|m| m.factors = vec![so2(), so2()]),
        Err("repeated-factor")
    );
    assert_eq!(refused(&|m| m.reason = "\n".into()), Err("empty"));
    assert_eq!(refused(&|m| m.reason = "由".repeat(TEXT_CHARS_MAX)), Ok(()));
    assert_eq!(
        refused(&|m| m.reason = "由".repeat(TEXT_CHARS_MAX + 1)),
        Err("too-long")
    );
    assert_eq!(refused(&|m| m.until = m.from), Err("no-period"));
    assert_eq!(
        refused(&|m| m.until = m.from.plus_ms(1_000)),
        Err("not-whole-minutes")
    );
    assert_eq!(
        refused(&|m| m.from = m.until.plus_ms(-367 * DAY_MS)),
        Err("long-period")
    );
    assert_eq!(
        refused(&|m| m.from = m.until.plus_ms(-366 * DAY_MS)),
        Ok(())
    );
    let files = |n| vec![attachment("photo.jpg"); n];
    assert_eq!(refused(&|m| m.attachments = files(ATTACHMENTS_MAX)), Ok(()));
    assert_eq!(
        refused(&|m| m.attachments = files(ATTACHMENTS_MAX + 1)),
        Err("too-many-attachments")
    );
    assert_eq!(
        refused(&|m| m.attachments = vec![attachment("")]),
        Err("empty")
    );
    let long = attachment(&"x".repeat(NAME_CHARS_MAX + 1));
    assert_eq!(
        refused(&|m| m.attachments = vec![long.clone()]),
        Err("too-long")
    );

    // Only planned maintenance is announced, and not for next year.
    let starts = |kind, at: i64| refused(&move |m| *m = mark(kind, at, at + 60));
    assert_eq!(starts(MarkKind::Fault, 200), Ok(()));
    assert_eq!(starts(MarkKind::Fault, 201), Err("future"));
    let announced = 200 + ANNOUNCED_DAYS_MAX * day;
    assert_eq!(starts(MarkKind::Maintenance, announced), Ok(()));
    assert_eq!(starts(MarkKind::Maintenance, announced + 1), Err("future"));
}

#[test]
fn marks_with_a_minute_between_them_are_two_chains_and_the_short_one_does_nothing() {
    let rows = rows([
        mark(MarkKind::Fault, 100, 110),
        mark(MarkKind::Calibration, 110, 114),
        mark(MarkKind::Fault, 115, 130),
    ]);
    let chains = chains(&rows);
    assert_eq!(chains.len(), 2);
    assert_eq!(chains[0].marks, [Seq(1), Seq(2)]);
    assert_eq!(
        (chains[0].minutes(), chains[0].is_kept(&rules())),
        (14, false)
    );
    assert_eq!(
        (chains[1].minutes(), chains[1].is_kept(&rules())),
        (15, true)
    );
    let effects = effects(&rows, 0);
    assert_eq!(effects.at(&so2(), minute(105)), None);
    assert_eq!(effects.at(&so2(), minute(115)), Some(MarkEffect::Invalid));
    assert_eq!(effects.at(&so2(), minute(130)), None);
}

/// Two marks about different factors do not lengthen each other.
#[test]
fn the_chain_of_a_factor_is_made_of_marks_that_concern_it() {
    let mut dust = mark(MarkKind::Fault, 100, 110);
    dust.factors = vec!["a34013".into()];
    let mut sulphur = mark(MarkKind::Fault, 110, 120);
    sulphur.factors = vec![so2()];
    let all = mark(MarkKind::Calibration, 120, 126);
    let effects = effects(&rows([dust, sulphur, all]), 0);
    assert_eq!(effects.at(&"a34013".into(), minute(105)), None);
    assert_eq!(effects.at(&so2(), minute(115)), Some(MarkEffect::Invalid));
    assert_eq!(effects.at(&so2(), minute(122)), Some(MarkEffect::Shown));
    assert_eq!(effects.at(&"a21002".into(), minute(122)), None);
}

#[test]
fn the_stretch_to_fetch_grows_with_the_chain() {
    let rows = rows([
        mark(MarkKind::Fault, 40, 60),
        mark(MarkKind::StartUp, 60, 90),
        mark(MarkKind::Fault, 130, 140),
    ]);
    let reach = |from, until| reach(&rows, minute(from), minute(until));
    assert_eq!(reach(80, 100), (minute(40), minute(100)));
    assert_eq!(reach(90, 100), (minute(40), minute(100)));
    assert_eq!(reach(91, 100), (minute(91), minute(100)));
    assert_eq!(reach(100, 130), (minute(100), minute(140)));
}

#[test]
fn the_strongest_effect_counts() {
    let rows = rows([
        mark(MarkKind::StartUp, 0, 120),
        mark(MarkKind::Fault, 30, 90),
        mark(MarkKind::Stopped, 60, 75),
        mark(MarkKind::Calibration, 0, 180),
    ]);
    let effects = effects(&rows, 0);
    let with = |effect| effects.minutes_with(effect, &so2(), minute(0), minute(150));
    assert_eq!(with(MarkEffect::Stopped), 15);
    assert_eq!(with(MarkEffect::Invalid), 45);
    assert_eq!(with(MarkEffect::NotJudged), 60);
    assert_eq!(with(MarkEffect::Shown), 30);
}

/// Six hours of starting up entered as three marks of two are one occurrence of six.
#[test]
fn an_occurrence_has_its_hours_however_it_was_entered() {
    let whole = rows([mark(MarkKind::StartUp, 0, 6 * HOUR)]);
    let parts = rows([0, 2, 4].map(|h| mark(MarkKind::StartUp, h * HOUR, (h + 2) * HOUR)));
    for rows in [whole, parts] {
        let effects = effects(&rows, 0);
        assert_eq!(not_judged(&effects, 0, 24 * HOUR), 240);
        assert_eq!(effects.at(&so2(), minute(4 * HOUR)), None);
        assert_eq!(effects.used_min(MarkKind::StartUp), 240);
    }
    let apart = rows([0, 3].map(|h| mark(MarkKind::StartUp, h * HOUR, (h + 2) * HOUR)));
    assert_eq!(not_judged(&effects(&apart, 0), 0, 24 * HOUR), 240);
}

#[test]
fn the_hours_of_a_year_are_used_in_the_order_of_time_and_once_for_all_factors() {
    let mut first = mark(MarkKind::StartUp, 0, 2 * HOUR);
    first.factors = vec![so2()];
    let rows = rows([first, mark(MarkKind::StartUp, 8 * HOUR, 11 * HOUR)]);
    let fresh = effects(&rows, 0);
    assert_eq!(not_judged(&fresh, 0, 24 * HOUR), 300);
    // Seven hours were used before: two go to the first, one is left for the second.
    let tight = effects(&rows, 7);
    assert_eq!(not_judged(&tight, 0, 8 * HOUR), 120);
    assert_eq!(not_judged(&tight, 8 * HOUR, 24 * HOUR), 60);
    let other = &"a21002".into();
    assert_eq!(
        tight.at(other, minute(8 * HOUR)),
        Some(MarkEffect::NotJudged)
    );
    assert_eq!(tight.at(other, minute(9 * HOUR)), None);
    assert_eq!(tight.used_min(MarkKind::StartUp), 180);
    assert_eq!(not_judged(&effects(&rows, 11), 0, 24 * HOUR), 0);
}

/// An occurrence that began before the period has used its hours there.
#[test]
fn neighbours_outside_the_period_count_for_occurrence_and_chain() {
    let rows = rows([
        mark(MarkKind::StartUp, -3 * HOUR, 2 * HOUR),
        mark(MarkKind::Fault, 24 * HOUR - 5, 24 * HOUR + 10),
    ]);
    let effects = effects(&rows, 0);
    assert_eq!(not_judged(&effects, -3 * HOUR, 24 * HOUR), 60);
    let last = minute(24 * HOUR - 1);
    assert_eq!(effects.at(&so2(), last), Some(MarkEffect::Invalid));
    assert_eq!(effects.at(&so2(), minute(24 * HOUR)), None);
}

#[test]
fn every_mark_of_the_period_is_listed_with_what_it_did() {
    let mut all = rows([
        mark(MarkKind::StartUp, 0, 6 * HOUR),
        mark(MarkKind::Fault, 10 * HOUR, 10 * HOUR + 10),
        mark(MarkKind::Drying, 12 * HOUR, 13 * HOUR),
        mark(MarkKind::Fault, 14 * HOUR, 15 * HOUR),
        mark(MarkKind::Stopped, 23 * HOUR, 25 * HOUR),
        mark(MarkKind::Fault, 30 * HOUR, 31 * HOUR),
    ]);
    all[3] = withdraw(all[3].clone(), withdrawal()).unwrap();
    let late = mark(MarkKind::Fault, 16 * HOUR, 17 * HOUR);
    all.push(enter(late, Seq(9), minute(90 * 24 * HOUR), &rules()));
    let used = BTreeMap::from([(MarkKind::StartUp, 7 * 60)]);
    let listed = list(&all, &rules(), (minute(0), minute(24 * HOUR)), &used);
    let did: Vec<_> = listed
        .iter()
        .map(|l| {
            let lost: Vec<_> = l.lost.iter().map(|l| (l.why.as_str(), l.minutes)).collect();
            (l.row.id.0, l.minutes, l.holds_min, lost)
        })
        .collect();
    let expected = vec![
        (1, 360, 180, vec![("once-used", 120), ("year-used", 60)]),
        (2, 10, 0, vec![("short-chain", 10)]),
        (3, 60, 0, vec![("not-listed", 60)]),
        (4, 60, 0, vec![("withdrawn", 60)]),
        (9, 60, 0, vec![("late", 60)]),
        (5, 60, 60, vec![]),
    ];
    assert_eq!(did, expected);
    assert_eq!(listed[0].effect, Some(MarkEffect::NotJudged));
    assert_eq!(listed[2].effect, None);
    let codes = serde_json::to_value(&listed[1].lost).unwrap();
    assert_eq!(codes[0]["why"], "short-chain");
}

/// Journals hold what was entered; a minute that is only begun counts whole, nothing overflows.
#[test]
fn odd_and_extreme_instants_do_no_harm() {
    let mut odd = mark(MarkKind::Fault, 100, 120);
    odd.from = odd.from.plus_ms(30_000);
    odd.until = odd.until.plus_ms(1);
    let mut ever = mark(MarkKind::Stopped, 0, 0);
    (ever.from, ever.until) = (Timestamp(i64::MIN), Timestamp(i64::MAX));
    let mut reversed = mark(MarkKind::Fault, 500, 400);
    reversed.reason.clear();
    let odd = effects(&rows([odd]), 0);
    let invalid = odd.minutes_with(MarkEffect::Invalid, &so2(), minute(0), minute(200));
    assert_eq!(invalid, 21);
    let rows = rows([ever, reversed]);
    assert_eq!(chains(&rows)[0].minutes(), u32::MAX);
    assert_eq!(
        effects(&rows, 0).at(&so2(), minute(450)),
        Some(MarkEffect::Stopped)
    );
}
