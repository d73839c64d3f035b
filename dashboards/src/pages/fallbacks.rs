//! `/fallbacks`: the list, one fallback with its manual reports, and the form for the next one.

use super::judgement::{Fields, for_field, take_back, text};
use super::report_rules::check_report;
use super::{Page, Params, checked_note, html, saved, status_of};
use crate::app::Visit;
use crate::backend::{BackendError, FallbackDetail, ReportEntry, TakenBack};
use crate::refusal::refused;
use crate::upload::receive;
use crate::view::fallback::{FallbackItem, ReportItem, WrittenItem};
use crate::view::shell::{Notice, Shell};
use askama::Template;
use axum::extract::{Form, Multipart, Path, Query};
use axum::response::{IntoResponse, Response};
use cems_core::model::time::MINUTE_MS;
use cems_core::model::{
    FactorCode, FallbackId, ManualReport, ManualReportRow, ManualValue, Outlet, OutletId,
    Permission, ReportId, Timestamp,
};
use chrono::NaiveDateTime;
use rust_decimal::Decimal;
use std::sync::Arc;

/// What a browser sends for `datetime-local`, with and without seconds.
pub(super) const LOCAL_TIME_FORMATS: [&str; 2] = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];

#[derive(Template)]
#[template(path = "fallbacks.html")]
struct FallbacksPage {
    shell: Shell,
    open_only: bool,
    fallbacks: Vec<FallbackItem>,
}

/// `GET /fallbacks?all=1`.
pub(super) async fn list(visit: Visit, Query(query): Params) -> Page {
    let open_only = !query.contains_key("all");
    let rows = visit
        .read(move |backend, actor| backend.fallbacks(actor, open_only))
        .await
        .map_err(|e| visit.failed(&e))?;
    let eyes = visit.eyes();
    Ok(html(&FallbacksPage {
        shell: Shell::new(&visit, "fallbacks"),
        open_only,
        fallbacks: rows.iter().map(|f| FallbackItem::new(&eyes, f)).collect(),
    }))
}

#[derive(Template)]
#[template(path = "fallback.html")]
struct FallbackPage {
    shell: Shell,
    fallback: FallbackItem,
    rule: String,
    reports: Vec<ReportItem>,
    written: Option<WrittenItem>,
    may_report: bool,
    /// Reports may be corrected and taken back, and the written report handed in, also afterwards.
    may_add: bool,
    outlet_id: String,
    inputs: Vec<Input>,
    form: Fields,
    sampled_at_max: String,
    may_decide: bool,
}

/// One pollutant of the form.
struct Input {
    field: String,
    name: String,
    unit: String,
    value: String,
}

impl FallbackPage {
    /// What was typed into a field.
    fn typed(&self, field: &str) -> &str {
        self.form.get(field).map_or("", String::as_str)
    }
}

async fn read(visit: &Visit, id: FallbackId) -> Result<FallbackDetail, BackendError> {
    visit
        .read(move |backend, actor| backend.fallback(actor, id))
        .await
}

/// The pollutants of an outlet as the form asks for them.
fn inputs(visit: &Visit, outlet: &Outlet, form: &Fields) -> Vec<Input> {
    let pollutants = outlet.factors.values().filter(|f| f.pollutant);
    let inputs = pollutants.map(|f| {
        let field = value_field(&f.code);
        Input {
            name: visit.words.pick(&f.name_zh, Some(&f.name_en)).to_owned(),
            unit: f.unit.clone(),
            value: form.get(&field).cloned().unwrap_or_default(),
            field,
        }
    });
    inputs.collect()
}

/// What the rule of an outlet asks for.
fn rule(visit: &Visit, outlet: &Outlet) -> String {
    let rule = &outlet.fallback;
    let gap = visit.times.span(i64::from(rule.max_gap_min) * MINUTE_MS);
    let reports = rule.reports_per_day.to_string();
    let words = [("reports", reports.as_str()), ("gap", gap.as_str())];
    visit.words.with("fallback-schedule", &words)
}

fn view(visit: &Visit, detail: &FallbackDetail, mut form: Fields) -> FallbackPage {
    let eyes = visit.eyes();
    let row = &detail.fallback;
    let open = row.closed_at.is_none();
    let outlet = visit.registry.outlets.get(&row.outlet);
    let now = for_field(visit, visit.times.now);
    form.entry("sampled_at".to_owned())
        .or_insert_with(|| now.clone());
    // The last report's method and laboratory are nearly always the next one's.
    if let Some(last) = detail.reports.last() {
        for (field, text) in [
            ("method", &last.report.method),
            ("laboratory", &last.report.laboratory),
        ] {
            form.entry(field.to_owned()).or_insert_with(|| text.clone());
        }
    }
    let reports = detail.reports.iter().rev();
    let written = row.written.as_ref();
    let may_add = visit.may(Permission::SubmitManualReport);
    FallbackPage {
        shell: Shell::new(visit, "fallbacks"),
        fallback: FallbackItem::new(&eyes, row),
        rule: outlet.map_or_else(String::new, |o| rule(visit, o)),
        reports: reports.map(|r| ReportItem::new(&eyes, r)).collect(),
        written: written.map(|written| WrittenItem::new(&eyes, row, written)),
        may_report: may_add && (open || form.contains_key("corrects")),
        may_add,
        outlet_id: crate::url::encode(row.outlet.as_str()),
        may_decide: open && visit.may(Permission::DecideFallback),
        inputs: outlet.map_or_else(Vec::new, |o| inputs(visit, o, &form)),
        form,
        sampled_at_max: now,
    }
}

fn value_field(code: &FactorCode) -> String {
    format!("value.{code}")
}

/// `GET /fallbacks/{id}`.
pub(super) async fn page(visit: Visit, Path(id): Path<u64>, Query(query): Params) -> Page {
    let detail = read(&visit, FallbackId(id))
        .await
        .map_err(|e| visit.failed(&e))?;
    let corrected = query.get("correct").and_then(|id| id.parse().ok());
    let corrected = corrected.and_then(|id| {
        let rows = detail.reports.iter();
        rows.into_iter()
            .find(|row| row.id == ReportId(id) && row.counts())
    });
    let form = corrected.map_or_else(Fields::new, |row| typed_before(&visit, row));
    let mut page = view(&visit, &detail, form);
    page.shell.notice = Notice::saved(visit.words, query.get("saved").map(String::as_str));
    Ok(html(&page))
}

/// The form filled in with a report that is to be corrected.
fn typed_before(visit: &Visit, row: &ManualReportRow) -> Fields {
    let report = &row.report;
    let mut form: Fields = [
        ("corrects", row.id.to_string()),
        ("sampled_at", for_field(visit, report.sampled_at)),
        ("sampler", report.sampler.clone()),
        ("method", report.method.clone()),
        ("laboratory", report.laboratory.clone()),
        ("note", report.note.clone()),
    ]
    .into_iter()
    .map(|(field, text)| (field.to_owned(), text))
    .collect();
    let values = report.values.iter();
    form.extend(values.map(|v| (value_field(&v.factor), v.value.to_string())));
    form
}

fn sampled_at(visit: &Visit, form: &Fields) -> Result<Timestamp, BackendError> {
    let text = text(form, "sampled_at");
    if text.is_empty() {
        return Err(refused("field-empty", "sampled_at"));
    }
    LOCAL_TIME_FORMATS
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok())
        .map(|local| visit.times.offset.instant(local))
        .ok_or_else(|| refused("time-unreadable", text))
}

/// The report as typed; the first mistake is named.
fn report(visit: &Visit, outlet: &Outlet, form: &Fields) -> Result<ManualReport, BackendError> {
    let mut values = Vec::new();
    for factor in outlet.factors.values().filter(|f| f.pollutant) {
        let typed = text(form, &value_field(&factor.code));
        if typed.is_empty() {
            continue;
        }
        let name = visit.words.pick(&factor.name_zh, Some(&factor.name_en));
        let value = Decimal::from_str_exact(&typed)
            .map_err(|_| refused("value-unreadable", format!("{name}: {typed}")))?;
        values.push(ManualValue {
            factor: factor.code.clone(),
            value,
        });
    }
    let corrects = text(form, "corrects");
    let corrects = match corrects.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| refused("unknown-report", id))?),
    };
    let report = ManualReport {
        outlet: outlet.id.clone(),
        sampled_at: sampled_at(visit, form)?,
        sampler: text(form, "sampler"),
        method: text(form, "method"),
        laboratory: text(form, "laboratory"),
        values,
        note: text(form, "note"),
        attachments: Vec::new(),
        corrects: corrects.map(ReportId),
        by: visit.actor.user.clone(),
    };
    check_report(&report)?;
    Ok(report)
}

/// A fallback within the scope of a visitor who may report, before what was sent is read.
pub(super) async fn reportable(visit: &Visit, id: u64) -> Result<FallbackDetail, BackendError> {
    visit.require(Permission::SubmitManualReport)?;
    read(visit, FallbackId(id)).await
}

/// `POST /fallbacks/{id}/reports`: a form with files.
pub(super) async fn submit(visit: Visit, Path(id): Path<u64>, form: Multipart) -> Page {
    let detail = reportable(&visit, id).await.map_err(|e| visit.failed(&e))?;
    let sent = receive(form).await.map_err(|e| visit.failed(&e))?;
    let outlet = visit.registry.outlets.get(&detail.fallback.outlet);
    let entry = outlet
        .ok_or(BackendError::NotFound)
        .and_then(|outlet| report(&visit, outlet, &sent.fields))
        .and_then(|report| {
            let files = sent.files?.into_iter().map(Arc::new).collect();
            Ok(ReportEntry { report, files })
        });
    let outcome = match entry {
        Ok(entry) => {
            let backend = &visit.app.backend;
            backend.submit_reports(&visit.actor, vec![entry]).await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(receipt) => Ok(saved(&format!("/fallbacks/{id}"), receipt.seq)),
        Err(error) => Err(again(&visit, &detail, &error, sent.fields)),
    }
}

/// `POST /fallbacks/{id}/reports/{report}/withdraw`.
pub(super) async fn withdraw(
    visit: Visit,
    Path((id, report)): Path<(u64, u64)>,
    Form(form): Form<Fields>,
) -> Page {
    let detail = reportable(&visit, id).await.map_err(|e| visit.failed(&e))?;
    let outlet = &detail.fallback.outlet;
    match take_back(&visit, TakenBack::ManualReport, outlet, report, &form).await {
        Ok(seq) => Ok(saved(&format!("/fallbacks/{id}"), seq)),
        Err(error) => Err(again(&visit, &detail, &error, Fields::new())),
    }
}

/// `POST /fallbacks/{id}/written`: the written report, a form with files.
pub(super) async fn deliver(visit: Visit, Path(id): Path<u64>, form: Multipart) -> Page {
    let detail = reportable(&visit, id).await.map_err(|e| visit.failed(&e))?;
    let sent = receive(form).await.map_err(|e| visit.failed(&e))?;
    let outcome = match sent.files {
        Ok(files) => {
            let (backend, note) = (&visit.app.backend, text(&sent.fields, "note"));
            backend
                .deliver_written(&visit.actor, FallbackId(id), note, files)
                .await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(receipt) => Ok(saved(&format!("/fallbacks/{id}"), receipt.seq)),
        Err(error) => Err(again(&visit, &detail, &error, Fields::new())),
    }
}

/// The page again with what was typed and why it was refused.
pub(super) fn again(
    visit: &Visit,
    detail: &FallbackDetail,
    error: &BackendError,
    form: Fields,
) -> Response {
    let mut page = view(visit, detail, form);
    page.shell.notice = Some(visit.refusal(error));
    (status_of(error), html(&page)).into_response()
}

/// `POST /outlets/{id}/fallback`: opens or closes by decision.
pub(super) async fn decide(visit: Visit, Path(id): Path<String>, Form(form): Form<Fields>) -> Page {
    visit
        .require(Permission::DecideFallback)
        .map_err(|e| visit.failed(&e))?;
    let open = match form.get("open").map(String::as_str) {
        Some("true") => true,
        Some("false") => false,
        other => {
            let error = refused("field-empty", format!("open={}", other.unwrap_or("")));
            return Err(visit.failed(&error));
        }
    };
    let note = checked_note(form.get("note")).map_err(|e| visit.failed(&e))?;
    let receipt = visit
        .app
        .backend
        .decide_fallback(&visit.actor, OutletId::new(&id), open, note)
        .await
        .map_err(|e| visit.failed(&e))?;
    Ok(saved(&crate::view::outlet::outlet_link(&id), receipt.seq))
}
