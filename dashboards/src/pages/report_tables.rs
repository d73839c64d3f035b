//! Manual reports as a table: upload, a look at what was read, and only then the confirmation.
//!
//! Nothing is kept in between: the page that shows what was read carries the file along, and what
//! is confirmed is read from it once more.

use super::fallbacks::{again, reportable};
use super::judgement::{Fields, text};
use super::{Page, html, saved, status_of};
use crate::app::Visit;
use crate::backend::{BackendError, FallbackDetail, ReportEntry, Upload};
use crate::batch::{PROBLEMS_MAX, Problem, Reading};
use crate::refusal::refused;
use crate::upload::{decode, receive};
use crate::view::shell::Shell;
use askama::Template;
use axum::extract::{Multipart, Path};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cems_core::model::{FactorCode, ManualReport, Outlet};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "report_table.html")]
struct TablePage {
    shell: Shell,
    id: u64,
    outlet: String,
    file: String,
    content: String,
    problems: Vec<Problem>,
    /// There are more problems than are listed.
    cut: bool,
    factors: Vec<String>,
    rows: Vec<ReadRow>,
}

/// One report as it was read.
struct ReadRow {
    sampled: String,
    sampler: String,
    method: String,
    laboratory: String,
    /// By factor, in the order of the heading.
    values: Vec<String>,
    note: String,
}

/// The page with what was read from a file, or what is wrong with it.
fn view(
    visit: &Visit,
    (detail, outlet): (&FallbackDetail, &Outlet),
    file: &Upload,
    read: Result<&[ManualReport], Vec<Problem>>,
) -> TablePage {
    let (reports, mut problems) = match read {
        Ok(reports) => (reports, Vec::new()),
        Err(problems) => (&[][..], problems),
    };
    let cut = problems.len() > PROBLEMS_MAX;
    problems.truncate(PROBLEMS_MAX);
    let used = |code: &&FactorCode| {
        let mut values = reports.iter().flat_map(|report| &report.values);
        values.any(|value| value.factor == **code)
    };
    let codes: Vec<&FactorCode> = outlet.factors.keys().filter(used).collect();
    let eyes = visit.eyes();
    let value_of = |report: &ManualReport, code: &FactorCode| {
        let value = report.values.iter().find(|value| value.factor == *code);
        value.map_or_else(String::new, |value| value.value.to_string())
    };
    let rows = reports.iter().map(|report| ReadRow {
        sampled: visit.times.full(report.sampled_at),
        sampler: report.sampler.clone(),
        method: report.method.clone(),
        laboratory: report.laboratory.clone(),
        values: codes.iter().map(|code| value_of(report, code)).collect(),
        note: report.note.clone(),
    });
    let heading = |code: &&FactorCode| {
        let factor = eyes.factor(Some(outlet), code);
        format!("{} {}", factor.name, factor.unit)
    };
    TablePage {
        shell: Shell::new(visit, "fallbacks"),
        id: detail.fallback.id.0,
        outlet: eyes.outlet_name(outlet).to_owned(),
        file: file.name.clone(),
        content: STANDARD.encode(&file.content),
        problems,
        cut,
        factors: codes.iter().map(heading).collect(),
        rows: rows.collect(),
    }
}

fn one(mut files: Vec<Upload>) -> Result<Upload, BackendError> {
    match (files.pop(), files.is_empty()) {
        (Some(file), true) => Ok(file),
        (Some(_), false) => Err(refused("too-many-files", "1")),
        (None, _) => Err(refused("no-table", "")),
    }
}

/// `POST /fallbacks/{id}/table`: reads a table and shows it.
pub(super) async fn look(visit: Visit, Path(id): Path<u64>, form: Multipart) -> Page {
    let detail = reportable(&visit, id).await.map_err(|e| visit.failed(&e))?;
    let sent = receive(form).await.map_err(|e| visit.failed(&e))?;
    let outlet = visit.registry.outlets.get(&detail.fallback.outlet);
    let file = sent.files.and_then(one);
    let (outlet, file) = match (outlet, file) {
        (Some(outlet), Ok(file)) => (outlet, file),
        (None, _) => return Err(visit.failed(&BackendError::NotFound)),
        (_, Err(error)) => return Err(again(&visit, &detail, &error, Fields::new())),
    };
    Ok(shown(&visit, (&detail, outlet), &file))
}

fn shown(visit: &Visit, of: (&FallbackDetail, &Outlet), file: &Upload) -> Response {
    match Reading::of(visit, of.1).read(&file.content) {
        Ok(reports) => html(&view(visit, of, file, Ok(&reports))),
        Err(problems) => {
            let page = html(&view(visit, of, file, Err(problems)));
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
    }
}

/// `POST /fallbacks/{id}/table/confirm`: enters what the page has shown.
pub(super) async fn confirm(visit: Visit, Path(id): Path<u64>, form: Multipart) -> Page {
    let detail = reportable(&visit, id).await.map_err(|e| visit.failed(&e))?;
    let sent = receive(form).await.map_err(|e| visit.failed(&e))?;
    let (name, content) = (text(&sent.fields, "name"), text(&sent.fields, "content"));
    let file = decode([(name.as_str(), content.as_str())].into_iter()).and_then(one);
    let outlet = visit.registry.outlets.get(&detail.fallback.outlet);
    let (outlet, file) = match (outlet, file) {
        (Some(outlet), Ok(file)) => (outlet, file),
        (None, _) => return Err(visit.failed(&BackendError::NotFound)),
        (_, Err(error)) => return Err(again(&visit, &detail, &error, Fields::new())),
    };
    let Ok(reports) = Reading::of(&visit, outlet).read(&file.content) else {
        return Ok(shown(&visit, (&detail, outlet), &file));
    };
    let file = Arc::new(file);
    let entries = reports.iter().map(|report| ReportEntry {
        report: report.clone(),
        files: vec![Arc::clone(&file)],
    });
    let backend = &visit.app.backend;
    match backend
        .submit_reports(&visit.actor, entries.collect())
        .await
    {
        Ok(receipt) => Ok(saved(&format!("/fallbacks/{id}"), receipt.seq)),
        Err(error) => {
            let mut page = view(&visit, (&detail, outlet), &file, Ok(&reports));
            page.shell.notice = Some(visit.refusal(&error));
            Err((status_of(&error), html(&page)).into_response())
        }
    }
}
