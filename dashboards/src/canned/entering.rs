//! What people enter about the canned data: marks, tests, reviews; and the lists of them.

use super::Canned;
use super::books::{attachment, judged};
use super::held::Held;
use super::rows::NOW;
use super::writing::allow;
use crate::backend::{Actor, BackendError, Change, LIST_ROWS_MAX, Receipt, TakenBack, Upload};
use crate::refusal::{of_mark, of_qa};
use cems_core::marks;
use cems_core::model::{
    Attachment, Mark, MarkRow, OutletId, Permission, QaRow, QaTest, ReportId, ReviewAction,
    ReviewEntry, ReviewRow, ReviewStep, Seq, UtcOffset, Withdrawal,
};
use cems_core::qa::entry;
use std::cmp::Reverse;

impl Held {
    pub(super) fn marks(
        &self,
        actor: &Actor,
        outlet: Option<&OutletId>,
    ) -> Result<Vec<MarkRow>, BackendError> {
        if let Some(id) = outlet {
            self.outlet(actor, id)?;
        }
        let rows = self.marks.values().rev().filter(|row| {
            self.sees(actor, &row.mark.outlet) && outlet.is_none_or(|id| *id == row.mark.outlet)
        });
        Ok(rows.take(LIST_ROWS_MAX).cloned().collect())
    }

    pub(super) fn qa_tests(
        &self,
        actor: &Actor,
        outlet: &OutletId,
    ) -> Result<Vec<QaRow>, BackendError> {
        self.outlet(actor, outlet)?;
        let rows = self.tests.iter().filter(|row| row.test.outlet == *outlet);
        let mut rows: Vec<QaRow> = rows.cloned().collect();
        rows.sort_by_key(|row| Reverse((row.test.at, row.id)));
        Ok(rows)
    }

    pub(super) fn reviews(
        &self,
        actor: &Actor,
        outlet: &OutletId,
    ) -> Result<Vec<ReviewRow>, BackendError> {
        self.outlet(actor, outlet)?;
        let rows = self.reviews.values().rev();
        Ok(rows.filter(|r| r.outlet == *outlet).cloned().collect())
    }

    pub(super) fn keep(&mut self, outlet: &OutletId, files: Vec<Upload>) -> Vec<Attachment> {
        let mut kept = Vec::new();
        for file in files {
            let entry = attachment(&file);
            self.files
                .insert((outlet.clone(), entry.sha256.clone()), file);
            kept.push(entry);
        }
        kept
    }
}

impl Canned {
    fn entered(&self, outlet: OutletId, receipt: Receipt) -> Receipt {
        self.announce(&[Change::Values(outlet)]);
        receipt
    }

    pub(super) fn write_mark(
        &self,
        actor: &Actor,
        mut mark: Mark,
        files: Vec<Upload>,
    ) -> Result<Receipt, BackendError> {
        allow(actor, Permission::EnterMark)?;
        let mut held = self.lock();
        held.outlet(actor, &mark.outlet)?;
        mark.by = actor.user.clone();
        mark.attachments = files.iter().map(attachment).collect();
        marks::check(&mark, &held.registry, NOW).map_err(|e| of_mark(&e, UtcOffset::default()))?;
        held.keep(&mark.outlet, files);
        let outlet = mark.outlet.clone();
        let rules = held.registry.profiles.values().next();
        let rules = rules.map(|p| p.marks.clone()).unwrap_or_default();
        let object = format!("outlet/{outlet}");
        let receipt = held.write(actor, "mark.entered", object, &mark.reason);
        let row = marks::enter(mark, receipt.seq, NOW, &rules);
        held.marks.insert(row.id, row);
        drop(held);
        Ok(self.entered(outlet, receipt))
    }

    pub(super) fn write_test(
        &self,
        actor: &Actor,
        mut test: QaTest,
        files: Vec<Upload>,
    ) -> Result<Receipt, BackendError> {
        allow(actor, Permission::EnterTest)?;
        let mut held = self.lock();
        held.outlet(actor, &test.outlet)?;
        test.by = actor.user.clone();
        test.attachments = files.iter().map(attachment).collect();
        entry::check_test(&test, &held.registry, NOW)
            .map_err(|e| of_qa(&e, UtcOffset::default()))?;
        held.keep(&test.outlet, files);
        let outlet = test.outlet.clone();
        let object = format!("outlet/{outlet}");
        let receipt = held.write(actor, "test.entered", object, test.kind.as_str());
        let row = judged(&held.registry, test, receipt.seq, NOW);
        held.tests.push(row);
        drop(held);
        Ok(self.entered(outlet, receipt))
    }

    pub(super) fn write_back(
        &self,
        actor: &Actor,
        what: TakenBack,
        outlet: &OutletId,
        id: Seq,
        reason: String,
    ) -> Result<Receipt, BackendError> {
        allow(actor, what.permission())?;
        entry::check_reason(&reason).map_err(|e| of_qa(&e, UtcOffset::default()))?;
        if what == TakenBack::ManualReport {
            return self.write_report_back(actor, outlet, ReportId(id.0), reason);
        }
        let mut held = self.lock();
        held.outlet(actor, outlet)?;
        let known = match what {
            TakenBack::Mark => held.marks.get(&id).map(|r| (&r.mark.outlet, &r.withdrawn)),
            TakenBack::QaTest => {
                let row = held.tests.iter().find(|row| row.id == id);
                row.map(|r| (&r.test.outlet, &r.withdrawn))
            }
            TakenBack::ManualReport => None,
        };
        match known.filter(|(of, _)| *of == outlet) {
            None => return Err(of_qa(&entry::QaError::Unknown(id), UtcOffset::default())),
            Some((_, Some(_))) => {
                return Err(of_qa(&entry::QaError::Withdrawn(id), UtcOffset::default()));
            }
            Some((_, None)) => {}
        }
        let (code, object) = match what {
            TakenBack::Mark => ("mark.withdrawn", format!("mark/{id}")),
            TakenBack::QaTest => ("test.withdrawn", format!("test/{id}")),
            TakenBack::ManualReport => ("report.withdrawn", format!("report/{id}")),
        };
        let receipt = held.write(actor, code, object, &reason);
        let withdrawal = Withdrawal {
            at: NOW,
            by: actor.user.clone(),
            reason,
            seq: receipt.seq,
        };
        match what {
            TakenBack::Mark => {
                if let Some(row) = held.marks.get_mut(&id) {
                    row.counts = false;
                    row.withdrawn = Some(withdrawal);
                }
            }
            TakenBack::QaTest => {
                for row in held.tests.iter_mut().filter(|row| row.id == id) {
                    row.withdrawn = Some(withdrawal.clone());
                }
            }
            TakenBack::ManualReport => {}
        }
        drop(held);
        Ok(self.entered(outlet.clone(), receipt))
    }

    pub(super) fn write_review(
        &self,
        actor: &Actor,
        mut action: ReviewAction,
        files: Vec<Upload>,
    ) -> Result<Receipt, BackendError> {
        let (permission, what) = match action.step {
            ReviewStep::Submit => (Permission::SubmitReview, "review.submitted"),
            ReviewStep::Pass => (Permission::DecideReview, "review.passed"),
            ReviewStep::Fail => (Permission::DecideReview, "review.failed"),
        };
        allow(actor, permission)?;
        let mut held = self.lock();
        held.outlet(actor, &action.outlet)?;
        action.by = actor.user.clone();
        action.attachments = files.iter().map(attachment).collect();
        let key = (action.outlet.clone(), action.quarter);
        let known = held.reviews.get(&key);
        entry::check_review(&action, &held.registry, known, NOW)
            .map_err(|e| of_qa(&e, UtcOffset::default()))?;
        held.keep(&action.outlet, files);
        let outlet = action.outlet.clone();
        let object = format!("outlet/{outlet}");
        let receipt = held.write(actor, what, object, &action.note);
        let row = held.reviews.entry(key).or_insert_with(|| ReviewRow {
            outlet: outlet.clone(),
            quarter: action.quarter,
            entries: Vec::new(),
        });
        row.entries.push(ReviewEntry {
            action,
            at: NOW,
            seq: receipt.seq,
        });
        drop(held);
        Ok(self.entered(outlet, receipt))
    }
}
