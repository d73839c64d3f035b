//! Manual reports and written reports of fallbacks: checked, their files kept, journalled.

use super::judgement::{FILES_MAX, keep_one};
use super::write::allow;
use super::{Committed, ConsoleBackend, unavailable};
use crate::events::{JournalEvent, Withdrawable};
use cems_core::engine::{History, ReportBack, WrittenIn, check};
use cems_core::model::{
    Attachment, FallbackId, OutletId, Permission, ReportId, Seq, Timestamp, UtcOffset,
};
use cems_dashboards::backend::{
    Actor, BackendError, REPORTS_MAX, Receipt, ReportEntry, TakenBack, Upload,
};
use cems_dashboards::refusal;
use std::sync::Arc;

type Answer<T> = Result<T, BackendError>;

impl ConsoleBackend {
    /// Enters reports, all or none.
    pub(super) async fn enter_reports(
        &self,
        actor: &Actor,
        mut entries: Vec<ReportEntry>,
    ) -> Answer<Receipt> {
        allow(actor, Permission::SubmitManualReport)?;
        let count = entries.len();
        if count == 0 || count > REPORTS_MAX {
            return Err(BackendError::Refused {
                code: "too-many-reports".to_owned(),
                detail: format!("{count} / {REPORTS_MAX}"),
            });
        }
        for (place, entry) in (1..).zip(&mut entries) {
            entry.report.by = actor.user.clone();
            entry.report.attachments = Vec::new();
            self.check_report(actor, entry)
                .map_err(|error| placed(error, (place, count)))?;
        }
        let attachments = self.attachments.clone();
        let kept = tokio::task::spawn_blocking(move || {
            let mut known: Vec<(Arc<Upload>, Attachment)> = Vec::new();
            let mut kept = Vec::with_capacity(entries.len());
            for mut entry in entries {
                for file in &entry.files {
                    let before = known.iter().find(|(same, _)| Arc::ptr_eq(same, file));
                    let attachment = match before {
                        Some((_, attachment)) => attachment.clone(),
                        None => keep_one(&attachments, file)?,
                    };
                    known.push((Arc::clone(file), attachment.clone()));
                    entry.report.attachments.push(attachment);
                }
                kept.push(JournalEvent::ManualReport {
                    report: entry.report,
                });
            }
            Ok::<_, BackendError>(kept)
        });
        let events = kept.await.map_err(unavailable)??;
        self.commit_all(&events).await
    }

    fn check_report(&self, actor: &Actor, entry: &ReportEntry) -> Answer<()> {
        let report = &entry.report;
        let (registry, _) = self.visible(actor, &report.outlet)?;
        let refused = |error| refusal::of_action(&error, registry.offset);
        check::manual_report(report, &registry, self.clock.now()).map_err(refused)?;
        if entry.files.len() > FILES_MAX {
            return Err(refused(check::ActionError::TooMany(entry.files.len())));
        }
        let Some(id) = report.corrects else {
            return Ok(());
        };
        let known = Committed(&self.readers).manual_report(id);
        check::standing_report((&report.outlet, id), known.as_ref()).map_err(refused)
    }

    /// Takes a manual report back.
    pub(super) async fn take_report_back(
        &self,
        actor: &Actor,
        outlet: OutletId,
        id: Seq,
        reason: String,
    ) -> Answer<Receipt> {
        allow(actor, TakenBack::ManualReport.permission())?;
        let (registry, _) = self.visible(actor, &outlet)?;
        let back = ReportBack {
            outlet,
            id: ReportId(id.0),
            by: actor.user.clone(),
            reason,
        };
        let known = Committed(&self.readers).manual_report(back.id);
        check::report_back(&back, known.as_ref()).map_err(|error| match error {
            check::ActionError::UnknownReport(_) => BackendError::NotFound,
            error => refusal::of_action(&error, registry.offset),
        })?;
        self.commit(&JournalEvent::Withdraw {
            what: Withdrawable::ManualReport,
            id: back.id.0,
            outlet: back.outlet,
            by: back.by,
            reason: back.reason,
        })
        .await
    }

    /// Hands in the written report of a fallback.
    pub(super) async fn hand_in_written(
        &self,
        actor: &Actor,
        fallback: FallbackId,
        note: String,
        files: Vec<Upload>,
    ) -> Answer<Receipt> {
        allow(actor, Permission::SubmitManualReport)?;
        let row = self.read_fallback(actor, fallback)?.fallback;
        let outlet = row.outlet.clone();
        let names = files.iter().map(|file| Attachment {
            name: file.name.clone(),
            bytes: 0,
            sha256: String::new(),
        });
        let mut written = WrittenIn {
            outlet,
            fallback,
            by: actor.user.clone(),
            note,
            attachments: names.collect(),
        };
        check::written(&written, Some(&row))
            .map_err(|error| refusal::of_action(&error, UtcOffset::default()))?;
        written.attachments = self.keep(files).await?;
        self.commit(&JournalEvent::WrittenReport {
            outlet: written.outlet,
            fallback: written.fallback.0,
            by: written.by,
            note: written.note,
            attachments: written.attachments,
        })
        .await
    }

    /// What is attached to the manual and written reports of an outlet.
    pub(super) fn attachments_of_fallbacks(&self, outlet: &OutletId) -> Answer<Vec<Attachment>> {
        let (from, until) = (Timestamp(i64::MIN), Timestamp(i64::MAX));
        let reports = self.readers.manual_reports(outlet, from, until);
        let reports = reports.map_err(unavailable)?;
        let of_reports = reports.into_iter().flat_map(|row| row.report.attachments);
        let fallbacks = self.fallbacks_of(outlet, false)?.into_iter();
        let written = fallbacks.filter_map(|row| row.written);
        let delivered = written.flat_map(|written| written.delivered);
        Ok(of_reports
            .chain(delivered.flat_map(|delivery| delivery.attachments))
            .collect())
    }
}

/// Of several reports, which one is refused.
fn placed(error: BackendError, (place, count): (usize, usize)) -> BackendError {
    match error {
        BackendError::Refused { code, detail } if count > 1 => BackendError::Refused {
            code,
            detail: format!("{place} / {count}: {detail}"),
        },
        error => error,
    }
}
