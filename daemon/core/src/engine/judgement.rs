//! What bears on data after they came: marks, tests of the equipment, validity reviews.
//!
//! Each entry is kept as it was made; what it changes are the periods it speaks about, which are
//! booked for computation anew.

use super::context::{Cx, Site};
use super::event::{Statement, TakeBack};
use super::state::{Live, Shared};
use super::{closing, fallbacks, quarters};
use crate::aggregate::standing::{CONTROL_REACH_MS, REACH_STEPS_MAX};
use crate::marks;
use crate::model::time::{DAY_MS, HOUR_MS, quarter_of};
use crate::model::{
    FactorCode, Level, Mark, MarkKind, MarkRow, Output, Period, QaKind, QaOutcome, QaPair, QaRow,
    QaTest, ReviewAction, ReviewEntry, ReviewRow, Timestamp, Withdrawal,
};
use crate::qa::{self, entry};
use rust_decimal::Decimal;
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, BTreeSet};

/// Who enters tests that a device reports of its own accord.
const DEVICE: &str = "device";

/// Automatic standard check of a device (HJ 212-2025).
const STANDARD_CHECK_CN: &str = "2062";

/// Enters a mark; one that makes no sense any more leaves a line in the audit trail.
pub(super) fn mark(live: &mut Live, site: Site<'_>, mark: Mark, cx: &mut Cx<'_>) {
    let by = mark.by.clone();
    let object = format!("outlet/{}", mark.outlet);
    if let Err(error) = marks::check(&mark, cx.registry, cx.at) {
        cx.audit(by.as_str(), "mark.refused", object, error.to_string());
        return;
    }
    let judging = live.versions.clone();
    let rules = &judging.site(cx.registry, site, mark.from).profile.marks;
    let row = marks::enter(mark, cx.seq, cx.at, rules);
    let what = if row.late {
        "mark.entered-late"
    } else {
        "mark.entered"
    };
    let words = format!("{} {}", row.mark.kind, row.mark.reason);
    cx.audit(by.as_str(), what, mark_object(&row), words);
    cx.emit(Output::Mark(row.clone()));
    remark(live, site, &row, cx);
}

/// Takes a mark back.
pub(super) fn withdraw_mark(live: &mut Live, site: Site<'_>, back: TakeBack, cx: &mut Cx<'_>) {
    let object = format!("mark/{}", back.id);
    let own = cx
        .history
        .mark(back.id)
        .filter(|row| row.mark.outlet == back.outlet);
    let withdrawal = withdrawal(&back, cx);
    let outcome = own
        .ok_or_else(|| entry::QaError::Unknown(back.id).to_string())
        .and_then(|row| marks::withdraw(row, withdrawal).map_err(|error| error.to_string()));
    match outcome {
        Ok(row) => {
            cx.audit(back.by.as_str(), "mark.withdrawn", object, back.reason);
            cx.emit(Output::Mark(row.clone()));
            remark(live, site, &row, cx);
        }
        Err(error) => cx.audit(back.by.as_str(), "mark.refused", object, error),
    }
}

fn mark_object(row: &MarkRow) -> SmolStr {
    format_smolstr!("mark/{}", row.id)
}

fn withdrawal(back: &TakeBack, cx: &Cx<'_>) -> Withdrawal {
    Withdrawal {
        at: cx.at,
        by: back.by.clone(),
        reason: back.reason.clone(),
        seq: cx.seq,
    }
}

/// Books what a mark bears on: its hours and those of the chain it is or was part of; where a kind
/// in the chain has a budget of hours in the year, also the hours of later marks of that kind.
fn remark(live: &mut Live, site: Site<'_>, row: &MarkRow, cx: &Cx<'_>) {
    let (chain, (from, until)) = chain_of(row, cx);
    rebook(live, site, (from, until), cx);
    let judging = live.versions.clone();
    let budgeted = |kind: &MarkKind, at: Timestamp| {
        let rules = &judging.site(cx.registry, site, at).profile.marks;
        let rule = rules.kinds.get(kind);
        rule.is_some_and(|rule| rule.year_max_h.is_some())
    };
    let kinds: BTreeSet<MarkKind> = chain.iter().map(|mark| mark.mark.kind).collect();
    let year = Period::containing(Level::Year, until, site.offset);
    let later = cx
        .history
        .marks(&site.outlet.id, until, year.end(site.offset));
    for Mark {
        kind, from, until, ..
    } in later.into_iter().map(|row| row.mark)
    {
        if kinds.contains(&kind) && (budgeted(&kind, from) || budgeted(&kind, until)) {
            rebook(live, site, (from, until), cx);
        }
    }
}

/// The chain that a mark is part of, or was while it counted: its marks, and its stretch.
fn chain_of(row: &MarkRow, cx: &Cx<'_>) -> (Vec<MarkRow>, (Timestamp, Timestamp)) {
    let (mut from, mut until) = (row.mark.from, row.mark.until);
    let mut chain = Vec::new();
    for _ in 0..REACH_STEPS_MAX {
        let touching = (from.plus_ms(-1), until.plus_ms(1));
        chain = cx.history.marks(&row.mark.outlet, touching.0, touching.1);
        // Whether it counts or not: what it was part of may fall apart or grow together.
        for own in chain.iter_mut().filter(|other| other.id == row.id) {
            own.counts = true;
        }
        let grown = marks::reach(&chain, from, until);
        if grown == (from, until) {
            break;
        }
        (from, until) = grown;
    }
    (chain, (from, until))
}

/// Books every hour and day that touches `from..until` and has begun, the day after, whose clues
/// look at the one before it, and the quarters.
fn rebook(live: &mut Live, site: Site<'_>, (from, until): (Timestamp, Timestamp), cx: &Cx<'_>) {
    live.dirty = true;
    let until = until.min(cx.at.plus_ms(1));
    let mut hour = Period::containing(Level::Hour, from, site.offset);
    while hour.start < until {
        closing::book(&mut live.state, hour, site.offset, cx.at);
        hour.start = hour.start.plus_ms(HOUR_MS);
    }
    let mut day = Period::containing(Level::Day, from, site.offset);
    while day.start < until.plus_ms(DAY_MS) && day.start <= cx.at {
        closing::book(&mut live.state, day, site.offset, cx.at);
        day.start = day.start.plus_ms(DAY_MS);
    }
    // Quarters count hours without any record, too, and look back to the last passed test.
    quarters::rebook(live, site, (from, until), cx);
}

/// Enters a test of the equipment.
pub(super) fn test(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    (test, n): (QaTest, u32),
    cx: &mut Cx<'_>,
) {
    let by = test.by.clone();
    let object = format!("outlet/{}", test.outlet);
    if let Err(error) = entry::check_test(&test, cx.registry, cx.at) {
        cx.audit(by.as_str(), "test.refused", object, error.to_string());
        return;
    }
    let versions = live.versions.clone();
    let judging = versions.site(cx.registry, site, test.at);
    let factor = judging.outlet.factors.get(&test.factor);
    let full_scale = factor.and_then(|factor| factor.range_max);
    let row = QaRow {
        id: cx.seq,
        n,
        entered_at: cx.at,
        verdict: qa::judge(&test, judging.profile, full_scale),
        profile: judging.profile.id.clone(),
        withdrawn: None,
        test,
    };
    let words = format!(
        "{} {} {}",
        row.test.factor,
        row.test.kind.as_str(),
        row.verdict.band
    );
    let what = match row.verdict.outcome {
        QaOutcome::Passed => "test.passed",
        QaOutcome::Adjust => "test.adjust",
        QaOutcome::Failed => "test.failed",
        QaOutcome::NotJudged => "test.not-judged",
    };
    cx.audit(by.as_str(), what, format_smolstr!("test/{}", row.id), words);
    cx.emit(Output::Qa(row.clone()));
    retest(live, site, &row, cx);
    fallbacks::tested(live, shared, site, (&row.test.factor, row.test.kind), cx);
}

/// Takes the tests of one entry back.
pub(super) fn withdraw_test(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    back: TakeBack,
    cx: &mut Cx<'_>,
) {
    let object = format!("test/{}", back.id);
    let rows = cx.history.qa_tests(back.id);
    let own = |row: &&QaRow| row.test.outlet == back.outlet;
    let refused = if rows.iter().find(own).is_none() {
        Some(entry::QaError::Unknown(back.id))
    } else if rows.iter().any(|row| row.withdrawn.is_some()) {
        Some(entry::QaError::Withdrawn(back.id))
    } else {
        entry::check_reason(&back.reason).err()
    };
    if let Some(error) = refused {
        cx.audit(back.by.as_str(), "test.refused", object, error.to_string());
        return;
    }
    for row in rows.iter().filter(own) {
        let row = QaRow {
            withdrawn: Some(withdrawal(&back, cx)),
            ..row.clone()
        };
        cx.emit(Output::Qa(row.clone()));
        retest(live, site, &row, cx);
        fallbacks::tested(live, shared, site, (&row.test.factor, row.test.kind), cx);
    }
    cx.audit(back.by.as_str(), "test.withdrawn", object, back.reason);
}

/// Books the hours that a test bears on: from the test before it to the one after it.
fn retest(live: &mut Live, site: Site<'_>, row: &QaRow, cx: &Cx<'_>) {
    if row.verdict.outcome == QaOutcome::NotJudged {
        return;
    }
    let (outlet, factor, kind) = (&row.test.outlet, &row.test.factor, row.test.kind);
    let around = |at| cx.history.qa_around(outlet, factor, kind, at);
    let at = row.test.at;
    let before = around(at.plus_ms(-1)).0.map(|row| row.test.at);
    let after = around(at).1.map(|row| row.test.at);
    let from = before
        .unwrap_or(at.plus_ms(-CONTROL_REACH_MS))
        .max(at.plus_ms(-REBOOK_MS_MAX));
    let until = after.unwrap_or(cx.at).min(at.plus_ms(REBOOK_MS_MAX));
    rebook(live, site, (from, until.max(at.plus_ms(1))), cx);
}

/// How far a test is followed into the past and the future of its own time: a year, longer than
/// any test may be put off.
const REBOOK_MS_MAX: i64 = 366 * DAY_MS;

/// A step of a validity review.
pub(super) fn review(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    action: ReviewAction,
    cx: &mut Cx<'_>,
) {
    let by = action.by.clone();
    let object = format!("review/{}", action.outlet);
    let known = cx.history.review(&action.outlet, action.quarter);
    if let Err(error) = entry::check_review(&action, cx.registry, known.as_ref(), cx.at) {
        cx.audit(by.as_str(), "review.refused", object, error.to_string());
        return;
    }
    let mut row = known.unwrap_or_else(|| ReviewRow {
        outlet: action.outlet.clone(),
        quarter: action.quarter,
        entries: Vec::new(),
    });
    let before = row.passed();
    let what = match action.step {
        crate::model::ReviewStep::Submit => "review.submitted",
        crate::model::ReviewStep::Pass => "review.passed",
        crate::model::ReviewStep::Fail => "review.failed",
    };
    let words = format!("{} {}", site.offset.iso(action.quarter), action.note);
    cx.audit(by.as_str(), what, object, words);
    let quarter = action.quarter;
    row.entries.push(ReviewEntry {
        action,
        at: cx.at,
        seq: cx.seq,
    });
    let counts = |passed: Option<bool>| passed != Some(false);
    let changed = counts(before) != counts(row.passed());
    cx.emit(Output::Review(row.clone()));
    if changed {
        rebook(live, site, quarter_of(quarter, site.offset), cx);
    }
    fallbacks::reviewed(live, shared, site, &row, cx);
}

/// A device reports the result of an automatic standard check: one test for each factor that has
/// both figures. What the device itself thinks of it stands in the statement.
/// Which factors were tested, and how.
pub(super) fn stated(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    statement: &Statement,
    cx: &mut Cx<'_>,
) -> Vec<(FactorCode, QaKind)> {
    let mut tested = Vec::new();
    if statement.cn != STANDARD_CHECK_CN {
        return tested;
    }
    let mut figures: BTreeMap<&str, (Option<Decimal>, Option<Decimal>)> = BTreeMap::new();
    for (name, value) in &statement.items {
        let Some((code, field)) = name.rsplit_once('-') else {
            continue;
        };
        let number = value.trim().parse().ok();
        let (read, standard) = figures.entry(code).or_default();
        match field {
            "SampleRd" | "Check" => *read = number,
            "StandardValue" => *standard = number,
            _ => {}
        }
    }
    let at = statement.at.unwrap_or(cx.at).min(cx.at);
    let of_outlet = figures.into_iter().filter_map(|(code, pair)| {
        let (Some(measured), Some(reference)) = pair else {
            return None;
        };
        let (factor, _) = site.outlet.factors.get_key_value(code)?;
        Some((
            factor.clone(),
            QaPair {
                reference,
                measured,
            },
        ))
    });
    let found: Vec<(FactorCode, QaPair)> = of_outlet.collect();
    for (n, (factor, pair)) in (0..).zip(found) {
        if known(&factor, &pair, at, site, cx) {
            continue;
        }
        tested.push((factor.clone(), QaKind::StandardSample));
        let result = QaTest {
            outlet: site.outlet.id.clone(),
            factor,
            kind: QaKind::StandardSample,
            at,
            pairs: vec![pair],
            full_scale: None,
            note: String::new(),
            attachments: Vec::new(),
            by: DEVICE.into(),
            from_cn: Some(statement.cn.clone()),
        };
        test(live, shared, site, (result, n), cx);
    }
    tested
}

/// A device repeats what it has said.
fn known(factor: &FactorCode, pair: &QaPair, at: Timestamp, site: Site<'_>, cx: &Cx<'_>) -> bool {
    let kind = QaKind::StandardSample;
    let (last, _) = cx.history.qa_around(&site.outlet.id, factor, kind, at);
    last.is_some_and(|row| {
        row.test.at == at && row.test.pairs.as_slice() == std::slice::from_ref(pair)
    })
}
