//! Fallbacks with what is reported in them: rows as shapes, reports one by one, as a list and as a
//! table, the written report, the compliance sheet.

use super::answers::*;
use super::calls::{Body, Id};
use super::convert::{Convert, exact};
use super::judged::WithdrawIn;
use super::problem::{Answer, Problem};
use super::schema::Iso;
use crate::app::Caller;
use crate::backend::{BackendError, FallbackDetail, ReportEntry, TakenBack};
use crate::batch::{Reading, template};
use crate::pages::{Params, check_report};
use crate::refusal::refused;
use crate::sheet::{self, Format};
use crate::view::Eyes;
use crate::view::compliance as view;
use axum::Json;
use axum::response::Response;
use cems_core::fallback::compliance::{DayLine, DueLine, Sheet};
use cems_core::model::{
    Delivery, FactorCode, FallbackId, FallbackReason, FallbackRow, ManualReport, ManualReportRow,
    ManualValue, OutletId, Permission, ReportFinding, ReportId, WrittenReport,
};
use rust_decimal::Decimal;
use std::sync::Arc;

impl Caller {
    /// A report with its files as it was sent.
    fn entry(&self, outlet: &OutletId, body: ManualReportIn) -> Result<ReportEntry, Problem> {
        let Iso(sampled_at) = &body.sampled_at;
        let mut values = Vec::with_capacity(body.values.len());
        for value in &body.values {
            let number = Decimal::from_str_exact(&value.value.0)
                .map_err(|_| self.bad(format!("{}: {}", value.factor, value.value.0)))?;
            values.push(ManualValue {
                factor: FactorCode::new(&value.factor),
                value: number,
            });
        }
        let report = ManualReport {
            outlet: outlet.clone(),
            sampled_at: self.instant(sampled_at)?,
            sampler: body.sampler,
            method: body.method,
            laboratory: body.laboratory,
            values,
            note: body.note,
            attachments: Vec::new(),
            corrects: body.corrects.map(ReportId),
            by: self.actor.user.clone(),
        };
        check_report(&report).map_err(|e| self.problem(&e))?;
        let files = self.files(body.files.as_deref().unwrap_or_default())?;
        Ok(ReportEntry {
            report,
            files: files.into_iter().map(Arc::new).collect(),
        })
    }

    async fn enter(&self, entries: Vec<ReportEntry>) -> Answer<ReceiptOut> {
        let backend = &self.app.backend;
        self.receipt(backend.submit_reports(&self.actor, entries).await)
    }

    pub(super) fn format(&self, query: &Params) -> Result<Format, Problem> {
        let name = query.get("format").map(String::as_str);
        Format::named(name).ok_or_else(|| self.bad(format!("format {}", name.unwrap_or(""))))
    }

    fn table(
        &self,
        format: Format,
        name: &str,
        rows: &[Vec<sheet::Cell>],
    ) -> Result<Response, Problem> {
        let made = (self.app.backend.now(), self.registry.offset);
        let file = sheet::write(format, rows, made);
        let file = file.map_err(|e| self.problem(&BackendError::Unavailable(e)))?;
        Ok(sheet::answer(format, name, file))
    }
}

/// `POST /api/v1/outlets/{id}/manual-reports`.
pub(super) async fn submit(
    caller: Caller,
    id: Id<String>,
    body: Body<ManualReportIn>,
) -> Answer<ReceiptOut> {
    let outlet = OutletId::new(caller.id(id)?);
    caller.allow(Permission::SubmitManualReport)?;
    let entry = caller.entry(&outlet, caller.body(body)?)?;
    caller.enter(vec![entry]).await
}

/// `POST /api/v1/outlets/{id}/manual-reports/list`.
pub(super) async fn submit_list(
    caller: Caller,
    id: Id<String>,
    body: Body<ManualReportsIn>,
) -> Answer<ReceiptOut> {
    let outlet = OutletId::new(caller.id(id)?);
    caller.allow(Permission::SubmitManualReport)?;
    let reports = caller.body(body)?.reports.into_iter();
    let entries: Result<Vec<ReportEntry>, Problem> = reports
        .map(|report| caller.entry(&outlet, report))
        .collect();
    caller.enter(entries?).await
}

/// `POST /api/v1/outlets/{id}/manual-reports/table`.
pub(super) async fn submit_table(
    caller: Caller,
    id: Id<String>,
    body: Body<ReportTableIn>,
) -> Answer<ReceiptOut> {
    let id = OutletId::new(caller.id(id)?);
    caller.allow(Permission::SubmitManualReport)?;
    caller.scope(&id)?;
    let body = caller.body(body)?;
    let outlet = caller.registry.outlets.get(&id);
    let outlet = outlet.ok_or_else(|| caller.problem(&BackendError::NotFound))?;
    let mut files = caller.files(std::slice::from_ref(&body.file))?;
    let file = files.pop().map(Arc::new);
    let file = file.ok_or_else(|| caller.problem(&refused("no-table", "")))?;
    let reading = Reading {
        outlet,
        registry: &caller.registry,
        words: caller.words,
        by: caller.actor.user.clone(),
        now: caller.app.backend.now(),
    };
    let reports = reading.read(&file.content).map_err(|problems| {
        let lines = problems.iter().take(crate::batch::PROBLEMS_MAX);
        let lines: Vec<String> = lines.map(ToString::to_string).collect();
        caller.problem(&refused("table", lines.join("\n")))
    })?;
    let entries = reports.into_iter().map(|report| ReportEntry {
        report,
        files: vec![Arc::clone(&file)],
    });
    caller.enter(entries.collect()).await
}

/// `POST /api/v1/manual-reports/{id}/withdraw`.
pub(super) async fn withdraw(
    caller: Caller,
    id: Id<u64>,
    body: Body<WithdrawIn>,
) -> Answer<ReceiptOut> {
    caller.allow(Permission::SubmitManualReport)?;
    super::books::withdraw(caller, id, body, TakenBack::ManualReport).await
}

/// `POST /api/v1/fallbacks/{id}/written`.
pub(super) async fn deliver(
    caller: Caller,
    id: Id<u64>,
    body: Body<WrittenIn>,
) -> Answer<ReceiptOut> {
    let id = FallbackId(caller.id(id)?);
    caller.allow(Permission::SubmitManualReport)?;
    let body = caller.body(body)?;
    let files = caller.files(&body.files)?;
    let note = body.note.trim().to_owned();
    let backend = &caller.app.backend;
    caller.receipt(
        backend
            .deliver_written(&caller.actor, id, note, files)
            .await,
    )
}

/// `GET /api/v1/outlets/{id}/manual-reports/template?format=`.
pub(super) async fn blank(
    caller: Caller,
    id: Id<String>,
    query: Params,
) -> Result<Response, Problem> {
    let id = OutletId::new(caller.id(id)?);
    caller.scope(&id)?;
    let format = caller.format(&query)?;
    let outlet = caller.registry.outlets.get(&id);
    let outlet = outlet.ok_or_else(|| caller.problem(&BackendError::NotFound))?;
    caller.table(
        format,
        &format!("{id}-reports"),
        &template(outlet, caller.words),
    )
}

async fn detail(caller: &Caller, id: Id<u64>) -> Result<FallbackDetail, Problem> {
    let id = FallbackId(caller.id(id)?);
    caller.rows(move |b, a| b.fallback(a, id)).await
}

fn sheet_of(convert: &Convert<'_>, detail: &FallbackDetail) -> Sheet {
    view::sheet(&convert.eyes(), detail)
}

/// `GET /api/v1/fallbacks/{id}/compliance`.
pub(super) async fn compliance(caller: Caller, id: Id<u64>) -> Answer<ComplianceOut> {
    let detail = detail(&caller, id).await?;
    let convert = caller.convert();
    let sheet = sheet_of(&convert, &detail);
    Ok(Json(convert.sheet(&detail.fallback, &sheet)))
}

/// `GET /api/v1/fallbacks/{id}/compliance/file?format=`.
pub(super) async fn compliance_file(
    caller: Caller,
    id: Id<u64>,
    query: Params,
) -> Result<Response, Problem> {
    let format = caller.format(&query)?;
    let detail = detail(&caller, id).await?;
    let convert = caller.convert();
    let sheet = sheet_of(&convert, &detail);
    let rows = view::table(&convert.eyes(), &sheet);
    let name = format!("{}-fallback-{}", detail.fallback.outlet, detail.fallback.id);
    caller.table(format, &name, &rows)
}

fn text(id: &impl ToString) -> String {
    id.to_string()
}

impl Convert<'_> {
    fn eyes(&self) -> Eyes<'_> {
        Eyes {
            registry: self.registry,
            times: self.times,
            words: self.words,
        }
    }

    fn reason(&self, row: &FallbackRow, (place, reason): (u32, &FallbackReason)) -> ReasonOut {
        let lifted = row.lifted.iter().find(|lifting| lifting.reason == place);
        let mut out = ReasonOut {
            why: reason.code().to_owned(),
            factor: reason.factor().map(text),
            since: None,
            seen: Vec::new(),
            test_kind: None,
            test: None,
            quarter: None,
            lifted_at: lifted.map(|lifting| self.iso(lifting.at)),
            by: None,
            note: None,
        };
        match reason {
            FallbackReason::NoValidData { since, seen, .. }
            | FallbackReason::EquipmentState { since, seen, .. } => {
                out.since = Some(self.iso(*since));
                out.seen = seen.iter().map(text).collect();
            }
            FallbackReason::OutOfControl {
                kind, since, test, ..
            } => {
                out.since = Some(self.iso(*since));
                out.test_kind = Some(kind.as_str().to_owned());
                out.test = Some(test.0);
            }
            FallbackReason::ReviewFailed { quarter, by, .. } => {
                out.quarter = Some(self.iso(*quarter));
                out.by = Some(text(by));
            }
            FallbackReason::ReviewExpired { quarter, since } => {
                out.quarter = Some(self.iso(*quarter));
                out.since = Some(self.iso(*since));
            }
            FallbackReason::NotReviewed { since } => out.since = Some(self.iso(*since)),
            FallbackReason::Decision { by, note } => {
                out.by = Some(text(by));
                out.note = Some(note.clone());
            }
        }
        out
    }

    pub(crate) fn fallback(&self, row: &FallbackRow) -> FallbackOut {
        let reasons = (0u32..).zip(&row.reasons);
        FallbackOut {
            id: row.id.0,
            outlet: text(&row.outlet),
            opened_at: self.iso(row.opened_at),
            reasons: reasons.map(|placed| self.reason(row, placed)).collect(),
            next_due: self.iso_opt(row.next_due),
            last_report_at: self.iso_opt(row.last_report_at),
            reports: u64::from(row.reports),
            reports_today: u64::from(row.reports_today),
            overdue_since: self.iso_opt(row.overdue_since),
            missed: u64::from(row.missed),
            missed_dues: self.all(&row.missed_dues, |c, due| c.iso(*due)),
            short_days: self.all(&row.short_days, |c, day| c.iso(*day)),
            written: row.written.as_ref().map(|written| self.written(written)),
            closed_at: self.iso_opt(row.closed_at),
            closed_why: row.closed_why.clone(),
            opened_seq: row.opened_seq.0,
            updated_seq: row.updated_seq.0,
        }
    }

    fn written(&self, written: &WrittenReport) -> WrittenOut {
        let delivery = |c: &Self, delivery: &Delivery| DeliveryOut {
            at: c.iso(delivery.at),
            late: delivery.late,
            by: text(&delivery.by),
            note: delivery.note.clone(),
            attachments: c.all(&delivery.attachments, Self::attachment),
            seq: delivery.seq.0,
        };
        WrittenOut {
            due: self.iso(written.due),
            overdue_since: self.iso_opt(written.overdue_since),
            delivered: self.all(&written.delivered, delivery),
        }
    }

    fn finding(&self, row: &ReportFinding) -> ReportFindingOut {
        ReportFindingOut {
            code: text(&row.code),
            factor: row.factor.as_ref().map(text),
            against: exact(row.against),
            text: self.words.code("report-finding", &row.code),
        }
    }

    pub(super) fn report(&self, row: &ManualReportRow) -> ManualReportOut {
        let report = &row.report;
        let values = report.values.iter().map(|v| ManualValueOut {
            factor: text(&v.factor),
            value: v.value.into(),
        });
        ManualReportOut {
            id: row.id.0,
            fallback: row.fallback.map(|id| id.0),
            outlet: text(&report.outlet),
            sampled_at: self.iso(report.sampled_at),
            sampler: report.sampler.clone(),
            method: report.method.clone(),
            laboratory: report.laboratory.clone(),
            values: values.collect(),
            note: report.note.clone(),
            by: text(&report.by),
            received_at: self.iso(row.received_at),
            late: row.late,
            entered_late: row.entered_late,
            findings: self.all(&row.findings, Self::finding),
            attachments: self.all(&report.attachments, Self::attachment),
            corrects: report.corrects.map(|id| id.0),
            superseded_by: row.superseded.as_ref().map(|by| by.by.0),
            withdrawn: row.withdrawn.as_ref().map(|back| self.withdrawn(back)),
            seq: row.seq.0,
        }
    }

    fn due(&self, line: &DueLine) -> DueOut {
        DueOut {
            from: self.iso(line.from),
            due: self.iso(line.due),
            state: line.state.as_str().to_owned(),
            missed: line.missed,
            report: line.report.map(|id| id.0),
            sampled_at: self.iso_opt(line.sampled_at),
            received_at: self.iso_opt(line.received_at),
            late_ms: line.late_ms,
            gap_ms: line.gap_ms,
        }
    }

    fn day(&self, line: &DayLine) -> DayOut {
        DayOut {
            day: self.iso(line.day),
            full: line.full,
            over: line.over,
            reports: u64::from(line.reports),
            short: line.short,
        }
    }

    fn sheet(&self, row: &FallbackRow, sheet: &Sheet) -> ComplianceOut {
        let totals = &sheet.totals;
        ComplianceOut {
            fallback: row.id.0,
            outlet: text(&row.outlet),
            dues: self.all(&sheet.dues, Self::due),
            days: self.all(&sheet.days, Self::day),
            scheduled: u64::from(totals.scheduled),
            in_time: u64::from(totals.in_time),
            late: u64::from(totals.late),
            missed_dues: u64::from(totals.missed_dues),
            short_days: u64::from(totals.short_days),
            reports: u64::from(totals.reports),
            longest_gap_ms: totals.longest_gap_ms,
            late_ms: totals.late_ms,
            written: sheet.written.as_ref().map(|written| self.written(written)),
            as_counted: sheet.as_counted,
        }
    }
}
