//! `/outlets/{id}/reviews`: the validity review of each quarter, with the forms of its steps.

use super::judgement::{Fields, known, text};
use super::{
    Page, Params, check_review, check_scope, html, permission_of, quarter, saved, status_of,
};
use crate::app::Visit;
use crate::backend::{BackendError, Upload};
use crate::refusal::refused;
use crate::upload::receive;
use crate::view::judged::{StepItem, review_state};
use crate::view::outlet::outlet_link;
use crate::view::reckoned::{QuarterItem, quarter_name};
use crate::view::section::{Section, Tab, outlet_tabs};
use crate::view::shell::{Notice, Shell};
use askama::Template;
use axum::extract::{Multipart, Path, Query};
use axum::response::{IntoResponse, Response};
use cems_core::model::time::quarter_of;
use cems_core::model::{
    Outlet, OutletId, Permission, QuarterRow, ReviewAction, ReviewRow, ReviewStep, Timestamp,
};
use std::collections::BTreeSet;

#[derive(Template)]
#[template(path = "reviews.html")]
struct ReviewsPage {
    shell: Shell,
    section: Option<Section>,
    tabs: Vec<Tab>,
    quarters: Vec<ReviewItem>,
    may_submit: bool,
    may_decide: bool,
}

/// The review of one quarter.
struct ReviewItem {
    name: String,
    state: &'static str,
    state_word: String,
    /// The quarter is over: steps can be taken.
    over: bool,
    figures: Option<QuarterItem>,
    steps: Vec<StepItem>,
    /// What was typed, where a step was refused.
    note: String,
}

fn item(
    visit: &Visit,
    start: Timestamp,
    quarters: &[QuarterRow],
    reviews: &[ReviewRow],
    form: &Fields,
) -> ReviewItem {
    let eyes = visit.eyes();
    let name = quarter_name(&eyes, start);
    let entries = reviews.iter().find(|row| row.quarter == start);
    let entries = entries.map_or(&[][..], |row| &row.entries[..]);
    let state = review_state(entries);
    let figures = quarters.iter().find(|row| row.start == start);
    let typed = form.get("quarter").is_some_and(|of| *of == name);
    ReviewItem {
        state,
        state_word: visit.words.code("review-state", state),
        over: quarter_of(start, visit.times.offset).1 <= visit.times.now,
        figures: figures.map(|row| QuarterItem::new(&eyes, row)),
        steps: entries.iter().map(|e| StepItem::new(&eyes, e)).collect(),
        note: form
            .get("note")
            .filter(|_| typed)
            .cloned()
            .unwrap_or_default(),
        name,
    }
}

async fn shown(visit: &Visit, id: &OutletId, form: &Fields) -> Result<ReviewsPage, BackendError> {
    let asked = id.clone();
    let (quarters, reviews) = visit
        .read(move |b, actor| Ok((b.quarters(actor, &asked)?, b.reviews(actor, &asked)?)))
        .await?;
    let outlet: &Outlet = known(visit, id)?;
    // The quarter that ended last can be handed in even where nothing came in it.
    let (running, _) = quarter_of(visit.times.now, visit.times.offset);
    let (last, _) = quarter_of(running.plus_ms(-1), visit.times.offset);
    let starts: BTreeSet<Timestamp> = quarters
        .iter()
        .map(|row| row.start)
        .chain(reviews.iter().map(|row| row.quarter))
        .chain([last])
        .collect();
    let items = starts.into_iter().rev();
    Ok(ReviewsPage {
        shell: Shell::new(visit, "outlets"),
        section: Some(Section::new(&visit.eyes(), outlet)),
        tabs: outlet_tabs(visit.words, outlet, "reviews"),
        quarters: items
            .map(|start| item(visit, start, &quarters, &reviews, form))
            .collect(),
        may_submit: visit.may(Permission::SubmitReview),
        may_decide: visit.may(Permission::DecideReview),
    })
}

/// `GET /outlets/{id}/reviews`.
pub(super) async fn page(visit: Visit, Path(id): Path<String>, Query(query): Params) -> Page {
    let page = shown(&visit, &OutletId::new(&id), &Fields::new()).await;
    let mut page = page.map_err(|e| visit.failed(&e))?;
    page.shell.notice = Notice::saved(visit.words, query.get("saved").map(String::as_str));
    Ok(html(&page))
}

/// The step as typed, checked against those taken before.
async fn action(
    visit: &Visit,
    outlet: &OutletId,
    form: &Fields,
) -> Result<ReviewAction, BackendError> {
    let step = text(form, "step");
    let step = ReviewStep::from_code(&step).ok_or_else(|| refused("field-empty", "step"))?;
    visit.require(permission_of(step))?;
    let action = ReviewAction {
        outlet: outlet.clone(),
        quarter: quarter(&text(form, "quarter"), visit.times.offset)?,
        step,
        by: visit.actor.user.clone(),
        note: text(form, "note"),
        attachments: Vec::new(),
    };
    let asked = action.clone();
    visit
        .read(move |backend, actor| check_review(backend, actor, &asked))
        .await?;
    Ok(action)
}

/// The page again with what was typed and why it was refused.
async fn again(visit: &Visit, id: &OutletId, error: &BackendError, form: &Fields) -> Response {
    match shown(visit, id, form).await {
        Ok(mut page) if matches!(error, BackendError::Refused { .. }) => {
            page.shell.notice = Some(visit.refusal(error));
            (status_of(error), html(&page)).into_response()
        }
        _ => visit.failed(error),
    }
}

/// `POST /outlets/{id}/reviews`: a form with files; `step` is submit, pass or fail.
pub(super) async fn step(visit: Visit, Path(id): Path<String>, form: Multipart) -> Page {
    let id = OutletId::new(&id);
    let may = visit.may(Permission::SubmitReview) || visit.may(Permission::DecideReview);
    may.then_some(())
        .ok_or(BackendError::Forbidden)
        .and_then(|()| check_scope(visit.app.backend.as_ref(), &visit.actor, &id))
        .map_err(|e| visit.failed(&e))?;
    let sent = receive(form).await.map_err(|e| visit.failed(&e))?;
    let taken: Result<(ReviewAction, Vec<Upload>), BackendError> =
        match action(&visit, &id, &sent.fields).await {
            Ok(action) => sent.files.map(|files| (action, files)),
            Err(error) => Err(error),
        };
    let outcome = match taken {
        Ok((action, files)) => {
            let backend = &visit.app.backend;
            backend.review(&visit.actor, action, files).await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(receipt) => {
            let page = format!("{}/reviews", outlet_link(id.as_str()));
            Ok(saved(&page, receipt.seq))
        }
        Err(error) => Err(again(&visit, &id, &error, &sent.fields).await),
    }
}
