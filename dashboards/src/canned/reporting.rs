//! Manual and written reports about the canned fallbacks.

use super::Canned;
use super::held::Held;
use super::rows::NOW;
use super::writing::allow;
use crate::backend::{Actor, BackendError, Change, REPORTS_MAX, Receipt, ReportEntry, Upload};
use crate::refusal::{of_action, refused};
use cems_core::engine::{ReportBack, WrittenIn, check};
use cems_core::model::{
    Delivery, FallbackId, ManualReportRow, OutletId, Permission, ReportId, Superseded, UtcOffset,
    Withdrawal,
};

fn said(error: &check::ActionError) -> BackendError {
    of_action(error, UtcOffset::default())
}

impl Held {
    fn report(&self, id: ReportId) -> Option<&ManualReportRow> {
        self.reports.iter().find(|row| row.id == id)
    }

    fn check_report(&self, actor: &Actor, entry: &ReportEntry) -> Result<(), BackendError> {
        let report = &entry.report;
        self.outlet(actor, &report.outlet)?;
        check::manual_report(report, &self.registry, NOW).map_err(|e| said(&e))?;
        match report.corrects {
            Some(id) => {
                check::standing_report((&report.outlet, id), self.report(id)).map_err(|e| said(&e))
            }
            None => Ok(()),
        }
    }

    fn enter(&mut self, actor: &Actor, entry: ReportEntry) -> (Receipt, Option<FallbackId>) {
        let mut report = entry.report;
        report.by = actor.user.clone();
        let files = entry.files.iter().map(|file| (**file).clone()).collect();
        report.attachments = self.keep(&report.outlet, files);
        let object = format!("outlet/{}", report.outlet);
        let receipt = self.write(actor, "manual-report", object, "");
        let last = self.reports.iter().map(|row| row.id.0).max().unwrap_or(0);
        let id = ReportId(last + 1);
        let corrects = report.corrects;
        let old = self.reports.iter_mut().find(|row| Some(row.id) == corrects);
        if let Some(old) = old {
            old.superseded = Some(Superseded {
                by: id,
                at: NOW,
                seq: receipt.seq,
            });
        }
        let mut open = self.fallbacks.values_mut();
        let open = open.find(|f| f.outlet == report.outlet && f.closed_at.is_none());
        let fallback = open.map(|row| {
            if corrects.is_none() {
                row.reports += 1;
                row.reports_today += 1;
            }
            row.last_report_at = Some(report.sampled_at);
            row.overdue_since = None;
            row.next_due = Some(report.sampled_at.plus_ms(6 * 3_600_000));
            row.id
        });
        self.reports.push(ManualReportRow {
            fallback,
            ..ManualReportRow::received(id, report, NOW, receipt.seq)
        });
        (receipt, fallback)
    }
}

impl Canned {
    pub(super) fn write_reports(
        &self,
        actor: &Actor,
        entries: Vec<ReportEntry>,
    ) -> Result<Receipt, BackendError> {
        allow(actor, Permission::SubmitManualReport)?;
        if entries.is_empty() || entries.len() > REPORTS_MAX {
            return Err(refused("too-many-reports", entries.len().to_string()));
        }
        let mut held = self.lock();
        for entry in &entries {
            held.check_report(actor, entry)?;
        }
        let mut last = None;
        for entry in entries {
            last = Some(held.enter(actor, entry));
        }
        drop(held);
        let (receipt, fallback) = last.ok_or(BackendError::NotFound)?;
        self.announce(
            &fallback
                .map(Change::Fallback)
                .into_iter()
                .collect::<Vec<_>>(),
        );
        Ok(receipt)
    }

    pub(super) fn write_report_back(
        &self,
        actor: &Actor,
        outlet: &OutletId,
        id: ReportId,
        reason: String,
    ) -> Result<Receipt, BackendError> {
        let back = ReportBack {
            outlet: outlet.clone(),
            id,
            by: actor.user.clone(),
            reason,
        };
        let mut held = self.lock();
        held.outlet(actor, outlet)?;
        check::report_back(&back, held.report(id)).map_err(|error| match error {
            check::ActionError::UnknownReport(_) => BackendError::NotFound,
            error => said(&error),
        })?;
        let object = format!("report/{id}");
        let receipt = held.write(actor, "report.withdrawn", object, &back.reason);
        let row = held.reports.iter_mut().find(|row| row.id == id);
        let mut fallback = None;
        if let Some(row) = row {
            row.withdrawn = Some(Withdrawal {
                at: NOW,
                by: back.by,
                reason: back.reason,
                seq: receipt.seq,
            });
            fallback = row.fallback;
        }
        drop(held);
        self.announce(
            &fallback
                .map(Change::Fallback)
                .into_iter()
                .collect::<Vec<_>>(),
        );
        Ok(receipt)
    }

    pub(super) fn write_written(
        &self,
        actor: &Actor,
        id: FallbackId,
        note: String,
        files: Vec<Upload>,
    ) -> Result<Receipt, BackendError> {
        allow(actor, Permission::SubmitManualReport)?;
        let mut held = self.lock();
        let row = held
            .fallbacks
            .get(&id)
            .cloned()
            .ok_or(BackendError::NotFound)?;
        held.outlet(actor, &row.outlet)?;
        let written = WrittenIn {
            outlet: row.outlet.clone(),
            fallback: id,
            by: actor.user.clone(),
            note,
            attachments: files.iter().map(super::books::attachment).collect(),
        };
        check::written(&written, Some(&row)).map_err(|e| said(&e))?;
        held.keep(&row.outlet, files);
        let receipt = held.write(
            actor,
            "written.delivered",
            format!("fallback/{id}"),
            &written.note,
        );
        let row = held.fallbacks.get_mut(&id);
        if let Some(owed) = row.and_then(|row| row.written.as_mut()) {
            owed.overdue_since = None;
            owed.delivered.push(Delivery {
                at: NOW,
                late: NOW >= owed.due,
                by: written.by,
                note: written.note,
                attachments: written.attachments,
                seq: receipt.seq,
            });
        }
        drop(held);
        self.announce(&[Change::Fallback(id)]);
        Ok(receipt)
    }
}
