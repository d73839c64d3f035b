//! Addresses about what people enter: marks, tests of the equipment, validity reviews, and the
//! files with them.

use super::answers::ReceiptOut;
use super::calls::{Body, Id};
use super::convert::Convert;
use super::judged::*;
use super::problem::{Answer, Problem};
use super::schema::{Exact, Iso};
use crate::app::Caller;
use crate::backend::{Receipt, TakenBack, Upload};
use crate::pages::{
    Params, check_mark, check_review, check_scope, check_test, checked_reason, permission_of,
    quarter,
};
use crate::view::judged::test_outcome;
use axum::Json;
use axum::extract::Path;
use axum::response::Response;
use cems_core::explain::{Asked, period};
use cems_core::model::{
    Attachment, FactorCode, Mark, MarkKind, MarkRow, OutletId, Permission, QaKind, QaPair, QaRow,
    QaTest, ReviewAction, ReviewRow, ReviewStep, Seq, Timestamp, Withdrawal,
};
use rust_decimal::Decimal;

impl Caller {
    pub(super) fn files(&self, files: &[FileIn]) -> Result<Vec<Upload>, Problem> {
        let pairs = files
            .iter()
            .map(|f| (f.name.as_str(), f.content_base64.as_str()));
        crate::upload::decode(pairs).map_err(|e| self.problem(&e))
    }

    fn number(&self, Exact(text): &Exact) -> Result<Decimal, Problem> {
        Decimal::from_str_exact(text).map_err(|_| self.bad(text))
    }

    pub(super) fn time(&self, Iso(text): &Iso) -> Result<Timestamp, Problem> {
        self.instant(text)
    }

    pub(super) fn scope(&self, outlet: &OutletId) -> Result<(), Problem> {
        check_scope(self.app.backend.as_ref(), &self.actor, outlet).map_err(|e| self.problem(&e))
    }

    pub(super) fn receipt(
        &self,
        receipt: Result<Receipt, crate::backend::BackendError>,
    ) -> Answer<ReceiptOut> {
        let receipt = receipt.map_err(|e| self.problem(&e))?;
        Ok(Json(self.convert().receipt(receipt)))
    }
}

async fn marks(caller: Caller, outlet: Option<OutletId>) -> Answer<Vec<MarkOut>> {
    let rows = caller.rows(move |b, a| b.marks(a, outlet.as_ref())).await?;
    Ok(Json(caller.convert().all(&rows, Convert::mark)))
}

pub(super) async fn all_marks(caller: Caller, query: Params) -> Answer<Vec<MarkOut>> {
    let outlet = query.get("outlet").map(OutletId::new);
    marks(caller, outlet).await
}

pub(super) async fn outlet_marks(caller: Caller, id: Id<String>) -> Answer<Vec<MarkOut>> {
    let outlet = OutletId::new(caller.id(id)?);
    marks(caller, Some(outlet)).await
}

pub(super) async fn enter_mark(caller: Caller, body: Body<MarkIn>) -> Answer<ReceiptOut> {
    caller.allow(Permission::EnterMark)?;
    let body = caller.body(body)?;
    let kind = MarkKind::from_code(&body.kind);
    let mark = Mark {
        outlet: OutletId::new(&body.outlet),
        kind: kind.ok_or_else(|| caller.bad(format!("kind {}", body.kind)))?,
        factors: body.factors.iter().map(FactorCode::new).collect(),
        from: caller.time(&body.from)?,
        until: caller.time(&body.until)?,
        reason: body.reason.trim().to_owned(),
        attachments: Vec::new(),
        by: caller.actor.user.clone(),
    };
    caller.scope(&mark.outlet)?;
    let backend = &caller.app.backend;
    check_mark(&mark, &caller.registry, backend.now()).map_err(|e| caller.problem(&e))?;
    let files = caller.files(&body.files)?;
    caller.receipt(backend.enter_mark(&caller.actor, mark, files).await)
}

pub(super) async fn withdraw(
    caller: Caller,
    id: Id<u64>,
    body: Body<WithdrawIn>,
    what: TakenBack,
) -> Answer<ReceiptOut> {
    let id = Seq(caller.id(id)?);
    let body = caller.body(body)?;
    let outlet = OutletId::new(&body.outlet);
    caller.scope(&outlet)?;
    let reason = checked_reason(Some(&body.reason)).map_err(|e| caller.problem(&e))?;
    let backend = &caller.app.backend;
    let receipt = backend.take_back(&caller.actor, what, outlet, id, reason);
    caller.receipt(receipt.await)
}

pub(super) async fn withdraw_mark(
    caller: Caller,
    id: Id<u64>,
    body: Body<WithdrawIn>,
) -> Answer<ReceiptOut> {
    caller.allow(Permission::EnterMark)?;
    withdraw(caller, id, body, TakenBack::Mark).await
}

pub(super) async fn tests(caller: Caller, id: Id<String>) -> Answer<Vec<TestOut>> {
    let outlet = OutletId::new(caller.id(id)?);
    let rows = caller.rows(move |b, a| b.qa_tests(a, &outlet)).await?;
    Ok(Json(caller.convert().all(&rows, Convert::test)))
}

pub(super) async fn enter_test(
    caller: Caller,
    id: Id<String>,
    body: Body<TestIn>,
) -> Answer<ReceiptOut> {
    let outlet = OutletId::new(caller.id(id)?);
    caller.allow(Permission::EnterTest)?;
    let body = caller.body(body)?;
    let kind = QaKind::from_code(&body.kind);
    let mut pairs = Vec::with_capacity(body.pairs.len());
    for pair in &body.pairs {
        pairs.push(QaPair {
            reference: caller.number(&pair.reference)?,
            measured: caller.number(&pair.measured)?,
        });
    }
    let scale = body.full_scale.as_ref();
    let test = QaTest {
        outlet,
        factor: FactorCode::new(&body.factor),
        kind: kind.ok_or_else(|| caller.bad(format!("kind {}", body.kind)))?,
        at: caller.time(&body.at)?,
        pairs,
        full_scale: scale.map(|scale| caller.number(scale)).transpose()?,
        note: body.note.trim().to_owned(),
        attachments: Vec::new(),
        by: caller.actor.user.clone(),
        from_cn: None,
    };
    caller.scope(&test.outlet)?;
    let backend = &caller.app.backend;
    check_test(&test, &caller.registry, backend.now()).map_err(|e| caller.problem(&e))?;
    let files = caller.files(&body.files)?;
    caller.receipt(backend.enter_qa_test(&caller.actor, test, files).await)
}

pub(super) async fn withdraw_test(
    caller: Caller,
    id: Id<u64>,
    body: Body<WithdrawIn>,
) -> Answer<ReceiptOut> {
    caller.allow(Permission::EnterTest)?;
    withdraw(caller, id, body, TakenBack::QaTest).await
}

pub(super) async fn reviews(caller: Caller, id: Id<String>) -> Answer<Vec<ReviewOut>> {
    let outlet = OutletId::new(caller.id(id)?);
    let rows = caller.rows(move |b, a| b.reviews(a, &outlet)).await?;
    Ok(Json(caller.convert().all(&rows, Convert::review)))
}

pub(super) async fn review(
    caller: Caller,
    id: Id<String>,
    body: Body<ReviewIn>,
) -> Answer<ReceiptOut> {
    let outlet = OutletId::new(caller.id(id)?);
    let body = caller.body(body)?;
    let step = ReviewStep::from_code(&body.step);
    let step = step.ok_or_else(|| caller.bad(format!("step {}", body.step)))?;
    caller.allow(permission_of(step))?;
    let start = quarter(&body.quarter, caller.registry.offset).map_err(|e| caller.problem(&e))?;
    let action = ReviewAction {
        outlet,
        quarter: start,
        step,
        by: caller.actor.user.clone(),
        note: body.note.trim().to_owned(),
        attachments: Vec::new(),
    };
    let asked = action.clone();
    caller.rows(move |b, a| check_review(b, a, &asked)).await?;
    let files = caller.files(&body.files)?;
    let backend = &caller.app.backend;
    caller.receipt(backend.review(&caller.actor, action, files).await)
}

/// `GET /api/v1/outlets/{id}/attachments/{sha256}`: the file itself.
pub(super) async fn attachment(
    caller: Caller,
    path: Id<(String, String)>,
) -> Result<Response, Problem> {
    let (outlet, sha256) = path
        .map(|Path(path)| path)
        .map_err(|_| caller.problem(&crate::backend::BackendError::NotFound))?;
    let outlet = OutletId::new(outlet);
    let file = caller
        .rows(move |b, a| b.attachment(a, &outlet, &sha256))
        .await?;
    Ok(crate::upload::answer(file))
}

impl Convert<'_> {
    pub(super) fn attachment(&self, row: &Attachment) -> AttachmentOut {
        AttachmentOut {
            name: row.name.clone(),
            bytes: row.bytes,
            sha256: row.sha256.clone(),
        }
    }

    pub(super) fn withdrawn(&self, row: &Withdrawal) -> WithdrawnOut {
        WithdrawnOut {
            at: self.iso(row.at),
            by: row.by.to_string(),
            reason: row.reason.clone(),
            seq: row.seq.0,
        }
    }

    pub(super) fn quarter_text(&self, start: Timestamp) -> String {
        period::text(Asked::Quarter(start), self.times.offset)
    }

    fn mark(&self, row: &MarkRow) -> MarkOut {
        let mark = &row.mark;
        MarkOut {
            id: row.id.0,
            outlet: mark.outlet.to_string(),
            kind: mark.kind.as_str().to_owned(),
            factors: mark.factors.iter().map(ToString::to_string).collect(),
            from: self.iso(mark.from),
            until: self.iso(mark.until),
            reason: mark.reason.clone(),
            attachments: self.all(&mark.attachments, Self::attachment),
            by: mark.by.to_string(),
            entered_at: self.iso(row.entered_at),
            deadline: self.iso_opt(row.deadline),
            late: row.late,
            counts: row.counts,
            withdrawn: row.withdrawn.as_ref().map(|w| self.withdrawn(w)),
        }
    }

    fn test(&self, row: &QaRow) -> TestOut {
        let (test, verdict) = (&row.test, &row.verdict);
        let pairs = test.pairs.iter().map(|pair| PairOut {
            reference: pair.reference.into(),
            measured: pair.measured.into(),
        });
        let figures = verdict.figures.iter();
        TestOut {
            id: row.id.0,
            n: u64::from(row.n),
            outlet: test.outlet.to_string(),
            factor: test.factor.to_string(),
            kind: test.kind.as_str().to_owned(),
            at: self.iso(test.at),
            pairs: pairs.collect(),
            full_scale: test.full_scale.map(Exact::from),
            note: test.note.clone(),
            attachments: self.all(&test.attachments, Self::attachment),
            by: test.by.to_string(),
            from_cn: test.from_cn.as_ref().map(ToString::to_string),
            entered_at: self.iso(row.entered_at),
            outcome: test_outcome(verdict.outcome).to_owned(),
            result: verdict.result.map(Exact::from),
            limit: verdict.limit.map(Exact::from),
            band: verdict.band.to_string(),
            why: verdict.why.as_ref().map(ToString::to_string),
            figures: figures.map(|(k, v)| (k.to_string(), (*v).into())).collect(),
            profile: row.profile.to_string(),
            withdrawn: row.withdrawn.as_ref().map(|w| self.withdrawn(w)),
        }
    }

    fn review(&self, row: &ReviewRow) -> ReviewOut {
        ReviewOut {
            outlet: row.outlet.to_string(),
            quarter: self.quarter_text(row.quarter),
            start: self.iso(row.quarter),
            passed: row.passed(),
            steps: self.all(&row.entries, |c, entry| ReviewStepOut {
                step: entry.action.step.as_str().to_owned(),
                by: entry.action.by.to_string(),
                at: c.iso(entry.at),
                note: entry.action.note.clone(),
                attachments: c.all(&entry.action.attachments, Self::attachment),
                seq: entry.seq.0,
            }),
        }
    }
}
