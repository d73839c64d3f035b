//! Manual reports and written reports: kept as they were entered, counted, corrected, taken back.
//!
//! [`check`](super::check) has said before journalling whether they make sense. It is asked again
//! here: what makes no sense any more leaves a line in the audit trail and changes nothing.

use super::context::{Cx, Site};
use super::event::{ReportBack, WrittenIn};
use super::state::{Live, Shared};
use super::{check, fallbacks, quarters};
use crate::fallback::plausible::{self, AUTOMATIC_HOURS, Known};
use crate::model::time::{DAY_MS, MINUTE_MS};
use crate::model::{
    Delivery, FactorCode, FallbackId, FallbackRow, Level, ManualReport, ManualReportRow, Output,
    ReportFinding, ReportId, Superseded, Timestamp, Withdrawal,
};
use rust_decimal::Decimal;
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, BTreeSet};

/// How far back from the opening valid automatic data are looked for.
const AUTOMATIC_REACH_MS: i64 = 7 * DAY_MS;

/// How far around a sample the report before it and its neighbours are looked for.
const NEIGHBOURS_MS: i64 = 2 * DAY_MS;

/// Keeps a manual report and counts it.
pub(super) fn enter(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    report: ManualReport,
    cx: &mut Cx<'_>,
) {
    let old = match report.corrects {
        None => None,
        Some(id) => {
            let known = cx.history.manual_report(id);
            let standing = check::standing_report((&report.outlet, id), known.as_ref());
            if let Err(error) = standing {
                let on = format!("outlet/{}", report.outlet);
                cx.audit(report.by.as_str(), "report.refused", on, error.to_string());
                return;
            }
            known
        }
    };
    live.dirty = true;
    shared.reports = shared.reports.saturating_add(1);
    let id = ReportId(shared.reports);
    if let Some(mut old) = old.clone() {
        let (at, seq) = (cx.at, cx.seq);
        old.superseded = Some(Superseded { by: id, at, seq });
        quarters::sampled(live, site, old.report.sampled_at, cx);
        cx.emit(Output::ManualReport(old));
    }
    let terms = fallbacks::terms(site);
    let sampled_at = report.sampled_at;
    let findings = findings(live, site, &report, cx);
    let (counted, turns) = match &old {
        Some(old) => corrected(live, site, (old, sampled_at), cx),
        None => {
            let machine = &mut live.state.fallback;
            machine.report(sampled_at, cx.at, &terms, cx.seq)
        }
    };
    let row = ManualReportRow {
        fallback: counted.map(|(id, _)| id),
        late: counted.is_some_and(|(_, late)| late),
        entered_late: terms.entered_late(sampled_at, cx.at),
        findings,
        ..ManualReportRow::received(id, report, cx.at, cx.seq)
    };
    quarters::sampled(live, site, sampled_at, cx);
    let what = match row.report.corrects {
        Some(_) => "report.corrected",
        None => "report.received",
    };
    let by = row.report.by.clone();
    let outlet = row.report.outlet.to_string();
    cx.emit(Output::ManualReport(row));
    cx.audit(by.as_str(), what, object(id), outlet);
    fallbacks::follow(live, shared, site, turns, cx);
}

/// A report that stands in for `old`: it counts where the old one did, and as late as it.
fn corrected(
    live: &mut Live,
    site: Site<'_>,
    (old, sampled_at): (&ManualReportRow, Timestamp),
    cx: &Cx<'_>,
) -> (Option<(FallbackId, bool)>, Vec<crate::fallback::Turn>) {
    let terms = fallbacks::terms(site);
    let machine = &mut live.state.fallback;
    let Some(id) = old.fallback else {
        return machine.report(sampled_at, cx.at, &terms, cx.seq);
    };
    let Some(row) = machine.row().filter(|row| row.id == id) else {
        // It is over: what was counted then stands.
        return (Some((id, old.late)), Vec::new());
    };
    let own = opened_minute(row) <= sampled_at;
    let mut samples = standing_samples(site, row, cx);
    samples.extend(own.then_some(sampled_at));
    let turns = machine.recount(&samples, cx.at, &terms, cx.seq);
    (own.then_some((id, old.late)), turns)
}

/// The minute in which a fallback opened: samples from then on belong to it.
fn opened_minute(row: &FallbackRow) -> Timestamp {
    Timestamp(row.opened_at.0.div_euclid(MINUTE_MS) * MINUTE_MS)
}

/// Sampling times of the reports that count for an open fallback.
fn standing_samples(site: Site<'_>, row: &FallbackRow, cx: &Cx<'_>) -> Vec<Timestamp> {
    let until = cx.at.plus_ms(1);
    let reports = cx
        .history
        .manual_reports(&site.outlet.id, opened_minute(row), until);
    let own = reports
        .iter()
        .filter(|report| report.counts() && report.fallback == Some(row.id));
    own.map(|report| report.report.sampled_at).collect()
}

/// What is odd about a report.
fn findings(live: &Live, site: Site<'_>, report: &ManualReport, cx: &Cx<'_>) -> Vec<ReportFinding> {
    let at = report.sampled_at;
    let (from, until) = (at.plus_ms(-NEIGHBOURS_MS), at.plus_ms(NEIGHBOURS_MS));
    let mut around = cx.history.manual_reports(&site.outlet.id, from, until);
    around.retain(ManualReportRow::counts);
    let before = around.iter().rfind(|row| row.report.sampled_at < at);
    let samples: BTreeSet<Timestamp> = around.iter().map(|row| row.report.sampled_at).collect();
    let fallback = live.state.fallback.row();
    let automatic = automatic(site, fallback.map_or(at, |row| row.opened_at.min(at)), cx);
    let known = Known {
        outlet: site.outlet,
        fallback,
        last: before.map(|row| &row.report),
        samples: &samples,
        automatic: &automatic,
    };
    plausible::findings(report, &known)
}

/// Means of the last valid hours before `until`, by factor.
fn automatic(site: Site<'_>, until: Timestamp, cx: &Cx<'_>) -> BTreeMap<FactorCode, Decimal> {
    let from = until.plus_ms(-AUTOMATIC_REACH_MS);
    let hours = cx
        .history
        .aggregates(&site.outlet.id, Level::Hour, from, until);
    let mut means: BTreeMap<FactorCode, Vec<Decimal>> = BTreeMap::new();
    for (code, factor) in hours.iter().rev().flat_map(|hour| &hour.factors) {
        let own = means.entry(code.clone()).or_default();
        if own.len() < AUTOMATIC_HOURS {
            own.extend(factor.mean.filter(|_| factor.valid));
        }
    }
    let mean = |values: &[Decimal]| {
        let sum = values
            .iter()
            .try_fold(Decimal::ZERO, |sum, value| sum.checked_add(*value))?;
        sum.checked_div(Decimal::from(values.len()))
    };
    means
        .into_iter()
        .filter_map(|(code, values)| Some((code, mean(&values)?)))
        .collect()
}

/// Takes a manual report back.
pub(super) fn withdraw(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    back: ReportBack,
    cx: &mut Cx<'_>,
) {
    let known = cx.history.manual_report(back.id);
    let refused = check::report_back(&back, known.as_ref()).err();
    let (None, Some(mut row)) = (&refused, known) else {
        let words = refused.map(|error| error.to_string()).unwrap_or_default();
        cx.audit(back.by.as_str(), "report.refused", object(back.id), words);
        return;
    };
    row.withdrawn = Some(Withdrawal {
        at: cx.at,
        by: back.by.clone(),
        reason: back.reason.clone(),
        seq: cx.seq,
    });
    live.dirty = true;
    let (sampled_at, fallback) = (row.report.sampled_at, row.fallback);
    cx.emit(Output::ManualReport(row));
    cx.audit(
        back.by.as_str(),
        "report.withdrawn",
        object(back.id),
        back.reason,
    );
    quarters::sampled(live, site, sampled_at, cx);
    let open = live.state.fallback.row();
    let Some(open) = open.filter(|open| Some(open.id) == fallback) else {
        return;
    };
    let samples = standing_samples(site, open, cx);
    let terms = fallbacks::terms(site);
    let machine = &mut live.state.fallback;
    let turns = machine.recount(&samples, cx.at, &terms, cx.seq);
    fallbacks::follow(live, shared, site, turns, cx);
}

/// Takes in the written report of a fallback.
pub(super) fn written(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    new: WrittenIn,
    cx: &mut Cx<'_>,
) {
    let on = fallbacks::object(new.fallback);
    let known = cx.history.fallback(new.fallback);
    let refused = check::written(&new, known.as_ref()).err();
    let written = known.and_then(|row| row.written);
    let (None, Some(mut written)) = (&refused, written) else {
        let words = refused.map(|error| error.to_string()).unwrap_or_default();
        cx.audit(new.by.as_str(), "written.refused", on, words);
        return;
    };
    let late = cx.at >= written.due;
    cx.audit(new.by.as_str(), "written.delivered", on, new.note.clone());
    written.overdue_since = None;
    written.delivered.push(Delivery {
        at: cx.at,
        late,
        by: new.by,
        note: new.note,
        attachments: new.attachments,
        seq: cx.seq,
    });
    live.state.fallback.delivered(new.fallback);
    fallbacks::wrote(live, shared, site, (new.fallback, written), cx);
}

fn object(id: ReportId) -> SmolStr {
    format_smolstr!("report/{id}")
}
