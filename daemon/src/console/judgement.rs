//! What judges the readings, and what comes of it: marks, tests, reviews, quarters, clues,
//! explanations, rates, projections, tax bases. Read within the actor's scope; entries checked
//! against what is known, journalled, and only then confirmed.

use super::scope::{scope_of, seen, seen_whole};
use super::write::allow;
use super::{Committed, ConsoleBackend, unavailable};
use crate::attachments::{AttachmentError, Attachments};
use crate::events::{JournalEvent, Withdrawable};
use crate::figures::{Books, ExplainFailure, Progress, RateOf, on_books};
use crate::store::StoreError;
use cems_core::engine::History;
use cems_core::explain::{Node, Question};
use cems_core::marks;
use cems_core::model::rows::SupersededRow;
use cems_core::model::{
    Attachment, ClueRow, Mark, MarkRow, Outlet, OutletId, Permission, QaRow, QaTest, QuarterRow,
    RecordKind, Registry, ReviewAction, ReviewRow, ReviewStep, Seq, Timestamp,
};
use cems_core::qa::entry;
use cems_core::rates::met;
use cems_dashboards::backend::{
    Actor, BackendError, LIST_ROWS_MAX, ProjectionRow, RateRow, RatesOf, Receipt, TakenBack,
    TaxRow, Upload,
};
use cems_dashboards::refusal;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

type Read<T> = Result<T, BackendError>;

/// Effective transmission rate asked of everybody, percent (national assessment; recalled).
const EFFECTIVE_ASKED_PCT: Decimal = Decimal::from_parts(90, 0, 0, false, 0);

/// Most files of one entry.
pub(super) const FILES_MAX: usize = 5;

impl ConsoleBackend {
    fn books<T>(
        &self,
        registry: &Registry,
        ask: impl FnOnce(&Books<'_>) -> Result<T, StoreError>,
    ) -> Read<T> {
        on_books(&self.readers, (registry, self.clock.now()), ask).map_err(unavailable)
    }

    pub(super) fn read_superseded(
        &self,
        actor: &Actor,
        id: &OutletId,
        kind: RecordKind,
        start: Timestamp,
    ) -> Read<Vec<SupersededRow>> {
        self.visible(actor, id)?;
        self.readers
            .superseded(id, kind, start)
            .map_err(unavailable)
    }

    pub(super) fn read_explanation(&self, actor: &Actor, question: &Question) -> Read<Node> {
        let (registry, _) = self.visible(actor, &question.outlet)?;
        self.books(&registry, |books| Ok(books.explain(question)))?
            .map_err(|failure| match failure {
                ExplainFailure::Question(error) => refusal::of_explain(&error),
                ExplainFailure::Store(error) => unavailable(error),
                ExplainFailure::Registry(error) => unavailable(error),
            })
    }

    pub(super) fn read_marks(
        &self,
        actor: &Actor,
        outlet: Option<&OutletId>,
    ) -> Read<Vec<MarkRow>> {
        let outlets = self.outlets(actor, outlet)?;
        let rows = self.readers.newest_marks(outlets.as_ref(), LIST_ROWS_MAX);
        rows.map_err(unavailable)
    }

    pub(super) fn read_tests(&self, actor: &Actor, outlet: &OutletId) -> Read<Vec<QaRow>> {
        self.visible(actor, outlet)?;
        let (from, until) = (Timestamp(i64::MIN), Timestamp(i64::MAX));
        self.readers
            .qa_of(outlet, from, until, LIST_ROWS_MAX)
            .map_err(unavailable)
    }

    pub(super) fn read_reviews(&self, actor: &Actor, outlet: &OutletId) -> Read<Vec<ReviewRow>> {
        self.visible(actor, outlet)?;
        self.readers
            .reviews(outlet, LIST_ROWS_MAX)
            .map_err(unavailable)
    }

    pub(super) fn read_quarters(&self, actor: &Actor, outlet: &OutletId) -> Read<Vec<QuarterRow>> {
        self.visible(actor, outlet)?;
        self.readers
            .quarters(outlet, LIST_ROWS_MAX)
            .map_err(unavailable)
    }

    pub(super) fn read_clues(
        &self,
        actor: &Actor,
        outlet: Option<&OutletId>,
        from: Timestamp,
        until: Timestamp,
    ) -> Read<Vec<ClueRow>> {
        let outlets = self.outlets(actor, outlet)?;
        let rows = self
            .readers
            .clues_between(outlets.as_ref(), from, until, LIST_ROWS_MAX)
            .map_err(unavailable)?;
        Ok(rows
            .into_iter()
            .filter(|row| !row.clues.is_empty())
            .collect())
    }

    pub(super) fn read_rates(
        &self,
        actor: &Actor,
        of: Option<&RatesOf>,
        from: Timestamp,
        until: Timestamp,
    ) -> Read<Vec<RateRow>> {
        let registry = self.projected.registry();
        let wanted = |outlet: &&Outlet| match of {
            None => true,
            Some(RatesOf::Outlet(id)) => outlet.id == *id,
            Some(RatesOf::Enterprise(id)) => outlet.enterprise == *id,
            Some(RatesOf::Region(id)) => registry
                .enterprises
                .get(&outlet.enterprise)
                .is_some_and(|enterprise| enterprise.region == *id),
        };
        let seen = seen(actor, &registry).into_iter().filter(wanted);
        let outlets: Vec<&Outlet> = seen.collect();
        if outlets.is_empty() && of.is_some() {
            return Err(BackendError::NotFound);
        }
        let rows = self.books(&registry, |books| books.rates(&outlets, from, until))?;
        let rows = rows
            .into_iter()
            .map(|(of, outlets, counts, rates)| RateRow {
                of: match of {
                    RateOf::Region(id) => RatesOf::Region(id),
                    RateOf::Enterprise(id) => RatesOf::Enterprise(id),
                    RateOf::Outlet(id) => RatesOf::Outlet(id),
                },
                outlets,
                received: counts.received,
                due: counts.due,
                met: met(rates.effective_pct, EFFECTIVE_ASKED_PCT),
                rates,
                asked_pct: EFFECTIVE_ASKED_PCT,
            });
        Ok(rows
            .filter(|row| of.is_none_or(|of| row.of == *of))
            .collect())
    }

    pub(super) fn read_projections(
        &self,
        actor: &Actor,
        outlet: Option<&OutletId>,
    ) -> Read<Vec<ProjectionRow>> {
        let registry = self.projected.registry();
        let outlets = match outlet {
            Some(id) => vec![self.visible(actor, id)?.1],
            None => seen(actor, &registry).into_iter().cloned().collect(),
        };
        let mut rows = self.books(&registry, |books| {
            let mut all = Vec::new();
            for outlet in &outlets {
                all.extend(books.progress_of_outlet(outlet)?);
            }
            if outlet.is_none() {
                for id in seen_whole(actor, &registry) {
                    all.extend(books.progress_of_enterprise(id)?);
                }
            }
            let yearly = all.into_iter().filter(|progress| {
                progress.permitted.period == cems_core::model::AmountPeriod::Year
            });
            yearly
                .map(|progress| {
                    let projection = books.projection(&progress)?;
                    Ok(projected(progress, projection))
                })
                .collect::<Result<Vec<_>, StoreError>>()
        })?;
        rows.sort_by(|a, b| {
            let share = |row: &ProjectionRow| row.amount_kg.checked_div(row.permitted_kg);
            share(b)
                .cmp(&share(a))
                .then_with(|| a.outlet.cmp(&b.outlet))
        });
        rows.truncate(LIST_ROWS_MAX);
        Ok(rows)
    }

    pub(super) fn read_tax(
        &self,
        actor: &Actor,
        outlet: &OutletId,
        month: Timestamp,
    ) -> Read<Vec<TaxRow>> {
        let (registry, outlet) = self.visible(actor, outlet)?;
        let rows = self.books(&registry, |books| books.tax(&outlet, month))?;
        let rows = rows.into_iter().map(|(factor, amount_kg, basis)| TaxRow {
            factor,
            amount_kg,
            basis,
        });
        Ok(rows.collect())
    }

    /// An attachment, if an entry of the outlet names it.
    pub(super) fn read_attachment(
        &self,
        actor: &Actor,
        outlet: &OutletId,
        sha256: &str,
    ) -> Read<Upload> {
        self.visible(actor, outlet)?;
        let own = BTreeSet::from([outlet.clone()]);
        let marks = self
            .readers
            .newest_marks(Some(&own), usize::MAX)
            .map_err(unavailable)?;
        let tests = self.read_tests(actor, outlet)?;
        let reviews = self.read_reviews(actor, outlet)?;
        let of_marks = marks.iter().flat_map(|row| &row.mark.attachments);
        let of_tests = tests.iter().flat_map(|row| &row.test.attachments);
        let of_reviews = reviews.iter().flat_map(|row| &row.entries);
        let of_reviews = of_reviews.flat_map(|entry| &entry.action.attachments);
        let of_reports = self.attachments_of_fallbacks(outlet)?;
        let named = of_marks
            .chain(of_tests)
            .chain(of_reviews)
            .chain(&of_reports)
            .find(|attachment| attachment.sha256 == sha256)
            .ok_or(BackendError::NotFound)?;
        let content = self.attachments.content(sha256).map_err(unavailable)?;
        Ok(Upload {
            name: named.name.clone(),
            content: content.ok_or(BackendError::NotFound)?,
        })
    }

    /// One outlet if it is in scope, or those the actor is confined to.
    fn outlets(
        &self,
        actor: &Actor,
        outlet: Option<&OutletId>,
    ) -> Read<Option<BTreeSet<OutletId>>> {
        match outlet {
            Some(id) => Ok(Some(BTreeSet::from([self.visible(actor, id)?.1.id]))),
            None => Ok(scope_of(actor, &self.projected.registry())),
        }
    }

    pub(super) async fn enter_a_mark(
        &self,
        actor: &Actor,
        mut mark: Mark,
        files: Vec<Upload>,
    ) -> Read<Receipt> {
        allow(actor, Permission::EnterMark)?;
        let (registry, _) = self.visible(actor, &mark.outlet)?;
        mark.by = actor.user.clone();
        mark.attachments = Vec::new();
        marks::check(&mark, &registry, self.clock.now())
            .map_err(|error| refusal::of_mark(&error, registry.offset))?;
        mark.attachments = self.keep(files).await?;
        self.commit(&JournalEvent::Mark { mark }).await
    }

    pub(super) async fn enter_a_test(
        &self,
        actor: &Actor,
        mut test: QaTest,
        files: Vec<Upload>,
    ) -> Read<Receipt> {
        allow(actor, Permission::EnterTest)?;
        let (registry, _) = self.visible(actor, &test.outlet)?;
        test.by = actor.user.clone();
        test.from_cn = None;
        test.attachments = Vec::new();
        entry::check_test(&test, &registry, self.clock.now())
            .map_err(|error| refusal::of_qa(&error, registry.offset))?;
        test.attachments = self.keep(files).await?;
        self.commit(&JournalEvent::QaTest { test }).await
    }

    pub(super) async fn take_an_entry_back(
        &self,
        actor: &Actor,
        what: TakenBack,
        outlet: OutletId,
        id: Seq,
        reason: String,
    ) -> Read<Receipt> {
        allow(actor, what.permission())?;
        let what = match what {
            TakenBack::Mark => Withdrawable::Mark,
            TakenBack::QaTest => Withdrawable::QaTest,
            TakenBack::ManualReport => {
                return self.take_report_back(actor, outlet, id, reason).await;
            }
        };
        let (registry, _) = self.visible(actor, &outlet)?;
        let offset = registry.offset;
        entry::check_reason(&reason).map_err(|error| refusal::of_qa(&error, offset))?;
        let past = Committed(&self.readers);
        let withdrawn = match what {
            Withdrawable::Mark => {
                let row = past.mark(id).filter(|row| row.mark.outlet == outlet);
                row.map(|row| row.withdrawn.is_some())
            }
            Withdrawable::QaTest => {
                let rows = past.qa_tests(id);
                let own = rows.iter().find(|row| row.test.outlet == outlet);
                own.map(|row| row.withdrawn.is_some())
            }
            Withdrawable::ManualReport => None,
        };
        match withdrawn {
            None => return Err(BackendError::NotFound),
            Some(true) => {
                return Err(refusal::of_qa(&entry::QaError::Withdrawn(id), offset));
            }
            Some(false) => {}
        }
        self.commit(&JournalEvent::Withdraw {
            what,
            id: id.0,
            outlet,
            by: actor.user.clone(),
            reason,
        })
        .await
    }

    pub(super) async fn take_a_review_step(
        &self,
        actor: &Actor,
        mut action: ReviewAction,
        files: Vec<Upload>,
    ) -> Read<Receipt> {
        let permission = match action.step {
            ReviewStep::Submit => Permission::SubmitReview,
            ReviewStep::Pass | ReviewStep::Fail => Permission::DecideReview,
        };
        allow(actor, permission)?;
        let (registry, _) = self.visible(actor, &action.outlet)?;
        action.by = actor.user.clone();
        action.attachments = Vec::new();
        let known = Committed(&self.readers).review(&action.outlet, action.quarter);
        entry::check_review(&action, &registry, known.as_ref(), self.clock.now())
            .map_err(|error| refusal::of_qa(&error, registry.offset))?;
        action.attachments = self.keep(files).await?;
        self.commit(&JournalEvent::Review { action }).await
    }

    /// Keeps files on disk before the entry that names them is journalled.
    pub(super) async fn keep(&self, files: Vec<Upload>) -> Read<Vec<Attachment>> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        if files.len() > FILES_MAX {
            return Err(BackendError::Refused {
                code: "too-many-attachments".to_owned(),
                detail: format!("{} files; up to {FILES_MAX} are kept", files.len()),
            });
        }
        let attachments = self.attachments.clone();
        let kept = tokio::task::spawn_blocking(move || keep_all(&attachments, &files));
        kept.await.map_err(unavailable)?
    }
}

fn keep_all(attachments: &Attachments, files: &[Upload]) -> Read<Vec<Attachment>> {
    let kept = files.iter().map(|file| keep_one(attachments, file));
    kept.collect()
}

pub(super) fn keep_one(attachments: &Attachments, file: &Upload) -> Read<Attachment> {
    let kept = attachments.keep(&file.name, &file.content);
    kept.map_err(|error| match &error {
        AttachmentError::TooLarge { .. } => refused("file-too-large", &error),
        AttachmentError::Empty(_) => refused("file-empty", &error),
        AttachmentError::Io(_) | AttachmentError::Damaged(_) => unavailable(error),
    })
}

fn projected(
    progress: Progress,
    projection: Result<
        cems_core::permits::projection::Projection,
        cems_core::permits::projection::NotProjected,
    >,
) -> ProjectionRow {
    ProjectionRow {
        outlet: progress.outlet,
        enterprise: progress.enterprise,
        factor: progress.permitted.factor,
        permitted_kg: progress.permitted.amount_kg,
        amount_kg: progress.total_kg,
        substituted_kg: progress.substituted_kg,
        missing: progress.missing,
        projection,
    }
}

fn refused(code: &str, error: &impl std::fmt::Display) -> BackendError {
    BackendError::Refused {
        code: code.to_owned(),
        detail: error.to_string(),
    }
}
