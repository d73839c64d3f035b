//! A fallback in words: why it opened, what is due next, what came.

use super::Eyes;
use super::judged::{FileItem, files};
use super::outlet::outlet_link;
use super::sourced::{Sourced, journal};
use crate::format::{NONE, number};
use crate::text::Words;
use cems_core::model::{
    FallbackReason, FallbackRow, ManualReportRow, Outlet, ReportFinding, Timestamp, WrittenReport,
};
use chrono::Datelike;
use smol_str::SmolStr;

/// A fallback as lists and its page show it.
pub(crate) struct FallbackItem {
    pub(crate) id: u64,
    pub(crate) outlet: String,
    pub(crate) outlet_link: String,
    /// `overdue`, `due` or `closed`.
    pub(crate) state: &'static str,
    pub(crate) state_word: String,
    /// Each with when it was lifted.
    pub(crate) reasons: Vec<(String, Option<String>)>,
    pub(crate) opened: String,
    pub(crate) opened_full: String,
    pub(crate) lasted: String,
    /// Next due time for the countdown; `None` once closed.
    pub(crate) due_ms: Option<i64>,
    pub(crate) due: String,
    pub(crate) due_span: String,
    pub(crate) today: String,
    pub(crate) last_report: String,
    pub(crate) reports: u32,
    pub(crate) missed: u32,
    pub(crate) short_days: String,
    pub(crate) closed: Option<String>,
    pub(crate) origin: String,
}

impl FallbackItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &FallbackRow) -> Self {
        let (words, times) = (eyes.words, eyes.times);
        let outlet = eyes.registry.outlets.get(&row.outlet);
        let required = outlet.map_or(0, |o| o.fallback.reports_per_day);
        let state = if row.closed_at.is_some() {
            "closed"
        } else if row.overdue_since.is_some() {
            "overdue"
        } else {
            "due"
        };
        // Overdue: count from the due time that passed, not from the next one.
        let due = row.overdue_since.or(row.next_due);
        let lasted = row.closed_at.unwrap_or(times.now).since_ms(row.opened_at);
        Self {
            id: row.id.0,
            outlet: outlet.map_or_else(
                || row.outlet.to_string(),
                |o| format!("{} · {}", eyes.enterprise_of(o), eyes.outlet_name(o)),
            ),
            outlet_link: outlet_link(row.outlet.as_str()),
            state,
            state_word: words.code("fallback-state", state),
            reasons: reasons(eyes, row),
            opened: times.short(row.opened_at),
            opened_full: times.full(row.opened_at),
            lasted: times.span(lasted),
            due_ms: due.map(|at| at.0).filter(|_| row.closed_at.is_none()),
            due: due.map_or_else(|| NONE.to_owned(), |at| times.short(at)),
            due_span: due.map_or_else(String::new, |at| times.span(at.since_ms(times.now).abs())),
            today: format!("{} / {required}", row.reports_today),
            last_report: row
                .last_report_at
                .map_or_else(|| NONE.to_owned(), |at| times.short(at)),
            reports: row.reports,
            missed: row.missed,
            short_days: row
                .short_days
                .iter()
                .map(|day| times.date(*day))
                .collect::<Vec<_>>()
                .join(", "),
            closed: row.closed_at.map(|at| {
                let why = row.closed_why.as_deref().unwrap_or("");
                format!(
                    "{} · {}",
                    times.full(at),
                    words.code("fallback-closed", why)
                )
            }),
            origin: format!("{} / {}", journal(row.opened_seq), journal(row.updated_seq)),
        }
    }
}

/// Why it opened, and which of the reasons were lifted when.
fn reasons(eyes: &Eyes<'_>, row: &FallbackRow) -> Vec<(String, Option<String>)> {
    let lifted = |place: u32| {
        let lifting = row.lifted.iter().find(|lifting| lifting.reason == place)?;
        let at = eyes.times.short(lifting.at);
        Some(eyes.words.with("fallback-reason-lifted", &[("at", &at)]))
    };
    let placed = (0u32..).zip(&row.reasons);
    placed
        .map(|(place, why)| (reason(eyes, row, why), lifted(place)))
        .collect()
}

fn reason(eyes: &Eyes<'_>, row: &FallbackRow, reason: &FallbackReason) -> String {
    let (words, times) = (eyes.words, eyes.times);
    let outlet = eyes.registry.outlets.get(&row.outlet);
    match reason {
        FallbackReason::NoValidData {
            factor,
            since,
            seen,
        } => {
            let key = if seen.is_empty() {
                "fallback-why-silence"
            } else {
                "fallback-why-invalid"
            };
            without_data(eyes, key, &eyes.factor(outlet, factor).name, (*since, seen))
        }
        FallbackReason::EquipmentState {
            factor,
            since,
            seen,
        } => {
            let factor = eyes.factor(outlet, factor).name;
            without_data(eyes, "fallback-why-equipment", &factor, (*since, seen))
        }
        FallbackReason::OutOfControl {
            factor,
            kind,
            since,
            test,
        } => words.with(
            "fallback-why-control",
            &[
                ("factor", &eyes.factor(outlet, factor).name),
                ("kind", &words.code("test-kind", kind.as_str())),
                ("since", &times.short(*since)),
                ("test", &test.to_string()),
            ],
        ),
        FallbackReason::ReviewFailed { quarter, by, .. } => words.with(
            "fallback-why-review-failed",
            &[
                ("quarter", &quarter_name(eyes, *quarter)),
                ("by", by.as_str()),
            ],
        ),
        FallbackReason::ReviewExpired { quarter, since } => words.with(
            "fallback-why-review-expired",
            &[
                ("quarter", &quarter_name(eyes, *quarter)),
                ("since", &times.date(*since)),
            ],
        ),
        FallbackReason::NotReviewed { since } => words.with(
            "fallback-why-not-reviewed",
            &[("since", &times.date(*since))],
        ),
        FallbackReason::Decision { by, note } => words.with(
            "fallback-why-decision",
            &[("by", by.as_str()), ("note", note)],
        ),
    }
}

/// Since when a pollutant has no valid data, and what was seen instead.
fn without_data(
    eyes: &Eyes<'_>,
    key: &str,
    factor: &str,
    (since, seen): (Timestamp, &[SmolStr]),
) -> String {
    let words = eyes.words;
    let flag = |code: &SmolStr| {
        let text = words.find(&format!("flag-{code}"));
        text.map_or_else(|| check_words(words, code), |text| format!("{code} {text}"))
    };
    let seen: Vec<String> = seen.iter().map(flag).collect();
    let since = eyes.times.short(since);
    words.with(
        key,
        &[
            ("factor", factor),
            ("since", &since),
            ("seen", &seen.join(", ")),
        ],
    )
}

/// A quarter as `2025-Q4`.
fn quarter_name(eyes: &Eyes<'_>, quarter: Timestamp) -> String {
    let local = eyes.times.offset.local(quarter);
    format!("{}-Q{}", local.year(), local.month0() / 3 + 1)
}

/// The written report as the fallback's page shows it.
pub(crate) struct WrittenItem {
    /// `overdue`, `due`, `late` or `delivered`.
    pub(crate) state: &'static str,
    pub(crate) state_word: String,
    pub(crate) due: String,
    pub(crate) due_ms: Option<i64>,
    pub(crate) due_span: String,
    pub(crate) delivered: Vec<DeliveryItem>,
}

/// What was delivered.
pub(crate) struct DeliveryItem {
    pub(crate) at: String,
    pub(crate) by: String,
    pub(crate) note: String,
    pub(crate) files: Vec<FileItem>,
    pub(crate) seq: String,
}

impl WrittenItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &FallbackRow, written: &WrittenReport) -> Self {
        let state = match written.delivered.first() {
            Some(first) if first.late => "late",
            Some(_) => "delivered",
            None if written.overdue_since.is_some() => "overdue",
            None => "due",
        };
        let times = eyes.times;
        let waits = written.delivered.is_empty();
        let delivered = written.delivered.iter().map(|delivery| DeliveryItem {
            at: times.full(delivery.at),
            by: delivery.by.to_string(),
            note: delivery.note.clone(),
            files: files(&row.outlet, &delivery.attachments),
            seq: journal(delivery.seq),
        });
        Self {
            state,
            state_word: eyes.words.code("written-state", state),
            due: times.full(written.due),
            due_ms: waits.then_some(written.due.0),
            due_span: times.span(written.due.since_ms(times.now).abs()),
            delivered: delivered.collect(),
        }
    }
}

/// A failed check in words.
fn check_words(words: Words, code: &str) -> String {
    cems_core::validate::check(code).map_or_else(
        || code.to_owned(),
        |check| words.pick(check.text_zh, Some(check.text_en)).to_owned(),
    )
}

/// A manual report as the fallback's page shows it.
pub(crate) struct ReportItem {
    pub(crate) id: u64,
    pub(crate) sampled: String,
    pub(crate) received: String,
    pub(crate) late: bool,
    pub(crate) values: Vec<(String, Sourced)>,
    pub(crate) sampler: String,
    pub(crate) method: String,
    pub(crate) laboratory: String,
    pub(crate) note: String,
    pub(crate) by: String,
    pub(crate) entered_late: bool,
    pub(crate) findings: Vec<String>,
    pub(crate) files: Vec<FileItem>,
    /// What it corrects.
    pub(crate) corrects: Option<u64>,
    /// What corrects it.
    pub(crate) superseded: Option<String>,
    pub(crate) withdrawn: Option<String>,
    pub(crate) counts: bool,
}

impl ReportItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &ManualReportRow) -> Self {
        let report = &row.report;
        let words = eyes.words;
        let outlet = eyes.registry.outlets.get(&report.outlet);
        let values = report.values.iter().map(|v| {
            let factor = eyes.factor(outlet, &v.factor);
            let figure = Sourced {
                key: format!("report/{}/{}", row.id, v.factor),
                text: number(v.value, factor.decimals),
                unit: factor.unit.clone(),
                facts: vec![
                    (
                        words.t("exact-value"),
                        format!("{} {}", v.value, factor.unit),
                    ),
                    (words.t("entered-by"), report.by.to_string()),
                    (words.t("received-at"), eyes.times.full(row.received_at)),
                    (words.t("journal"), journal(row.seq)),
                ],
                links: Vec::new(),
            };
            (factor.name, figure)
        });
        Self {
            id: row.id.0,
            sampled: eyes.times.full(report.sampled_at),
            received: eyes.times.full(row.received_at),
            late: row.late,
            values: values.collect(),
            sampler: report.sampler.clone(),
            method: report.method.clone(),
            laboratory: report.laboratory.clone(),
            note: report.note.clone(),
            by: report.by.to_string(),
            entered_late: row.entered_late,
            findings: row
                .findings
                .iter()
                .map(|f| finding(eyes, outlet, f))
                .collect(),
            files: files(&report.outlet, &report.attachments),
            corrects: report.corrects.map(|id| id.0),
            superseded: row.superseded.as_ref().map(|by| {
                let at = eyes.times.full(by.at);
                let by = by.by.to_string();
                words.with("report-superseded", &[("by", &by), ("at", &at)])
            }),
            withdrawn: row.withdrawn.as_ref().map(|back| {
                let at = eyes.times.full(back.at);
                format!(
                    "{at} · {} · {} · {}",
                    back.by,
                    back.reason,
                    journal(back.seq)
                )
            }),
            counts: row.counts(),
        }
    }
}

/// What is odd about a report, in words.
fn finding(eyes: &Eyes<'_>, outlet: Option<&Outlet>, finding: &ReportFinding) -> String {
    let text = eyes.words.code("report-finding", &finding.code);
    let Some(code) = &finding.factor else {
        return text;
    };
    let factor = eyes.factor(outlet, code);
    let against = finding.against.map(|against| {
        let figure = number(against, factor.decimals);
        format!(" ({figure} {})", factor.unit)
    });
    format!("{}: {text}{}", factor.name, against.unwrap_or_default())
}
