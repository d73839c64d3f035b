//! `/outlets/{id}/marks`: marks of an outlet and the form for the next one; `/marks`: all of them.

use super::judgement::{Fields, for_field, known, local_time, take_back, text};
use super::{Page, Params, check_mark, check_scope, html, saved, status_of};
use crate::app::Visit;
use crate::backend::{BackendError, LIST_ROWS_MAX, TakenBack, Upload};
use crate::refusal::refused;
use crate::upload::receive;
use crate::view::judged::MarkItem;
use crate::view::outlet::outlet_link;
use crate::view::section::{Choice, Section, Tab, data_tabs, factor_choices, outlet_tabs};
use crate::view::shell::{Notice, Shell};
use askama::Template;
use axum::extract::{Form, Multipart, Path, Query};
use axum::response::{IntoResponse, Response};
use cems_core::model::{FactorCode, Mark, MarkKind, MarkRow, Outlet, OutletId, Permission};

#[derive(Template)]
#[template(path = "marks.html")]
struct MarksPage {
    shell: Shell,
    section: Option<Section>,
    tabs: Vec<Tab>,
    marks: Vec<MarkItem>,
    /// There are more than are listed.
    cut: bool,
    may_enter: bool,
    kinds: Vec<Choice>,
    factors: Vec<Choice>,
    form: Fields,
    /// The entry whose withdrawal was refused, with the reason typed.
    refused: Option<(u64, String)>,
}

impl MarksPage {
    /// What was typed into a field.
    fn typed(&self, field: &str) -> &str {
        self.form.get(field).map_or("", String::as_str)
    }

    /// The reason typed for taking this mark back, where that was refused.
    fn reason_of(&self, id: &u64) -> Option<&str> {
        let (of, reason) = self.refused.as_ref()?;
        (of == id).then_some(reason.as_str())
    }
}

async fn read(visit: &Visit, outlet: Option<OutletId>) -> Result<Vec<MarkRow>, BackendError> {
    visit
        .read(move |backend, actor| backend.marks(actor, outlet.as_ref()))
        .await
}

/// `GET /marks`.
pub(super) async fn list(visit: Visit) -> Page {
    let rows = read(&visit, None).await.map_err(|e| visit.failed(&e))?;
    let eyes = visit.eyes();
    Ok(html(&MarksPage {
        shell: Shell::new(&visit, "data"),
        section: None,
        tabs: data_tabs(visit.words, "marks"),
        cut: rows.len() >= LIST_ROWS_MAX,
        marks: rows.iter().map(|row| MarkItem::new(&eyes, row)).collect(),
        may_enter: false,
        kinds: Vec::new(),
        factors: Vec::new(),
        form: Fields::new(),
        refused: None,
    }))
}

fn factor_field(code: &FactorCode) -> String {
    format!("factor.{code}")
}

fn view(visit: &Visit, outlet: &Outlet, rows: &[MarkRow], mut form: Fields) -> MarksPage {
    let eyes = visit.eyes();
    let now = for_field(visit, visit.times.now);
    form.entry("until".to_owned()).or_insert(now);
    let kind = form.get("kind").cloned().unwrap_or_default();
    let kinds = MarkKind::ALL.into_iter().map(|of| Choice {
        value: of.as_str().to_owned(),
        label: visit.words.code("mark-kind", of.as_str()),
        chosen: of.as_str() == kind,
    });
    MarksPage {
        shell: Shell::new(visit, "outlets"),
        section: Some(Section::new(&eyes, outlet)),
        tabs: outlet_tabs(visit.words, outlet, "marks"),
        cut: rows.len() >= LIST_ROWS_MAX,
        marks: rows.iter().map(|row| MarkItem::new(&eyes, row)).collect(),
        may_enter: visit.may(Permission::EnterMark),
        kinds: kinds.collect(),
        factors: factor_choices(&eyes, outlet, |code| form.contains_key(&factor_field(code))),
        form,
        refused: None,
    }
}

async fn shown(visit: &Visit, id: &OutletId, form: Fields) -> Result<MarksPage, BackendError> {
    let rows = read(visit, Some(id.clone())).await?;
    Ok(view(visit, known(visit, id)?, &rows, form))
}

/// `GET /outlets/{id}/marks`.
pub(super) async fn page(visit: Visit, Path(id): Path<String>, Query(query): Params) -> Page {
    let page = shown(&visit, &OutletId::new(&id), Fields::new()).await;
    let mut page = page.map_err(|e| visit.failed(&e))?;
    page.shell.notice = Notice::saved(visit.words, query.get("saved").map(String::as_str));
    Ok(html(&page))
}

/// The mark as typed; the first mistake is named.
fn mark(visit: &Visit, outlet: &Outlet, form: &Fields) -> Result<Mark, BackendError> {
    let kind = text(form, "kind");
    let marked = outlet.factors.keys();
    let mark = Mark {
        outlet: outlet.id.clone(),
        kind: MarkKind::from_code(&kind).ok_or_else(|| refused("field-empty", "kind"))?,
        factors: marked
            .filter(|code| form.contains_key(&factor_field(code)))
            .cloned()
            .collect(),
        from: local_time(visit, form, "from")?,
        until: local_time(visit, form, "until")?,
        reason: text(form, "reason"),
        attachments: Vec::new(),
        by: visit.actor.user.clone(),
    };
    check_mark(&mark, &visit.registry, visit.times.now)?;
    Ok(mark)
}

/// The page again with what was typed and why it was refused.
async fn again(visit: &Visit, id: &OutletId, error: &BackendError, form: Fields) -> Response {
    match shown(visit, id, form).await {
        Err(other) => visit.failed(&other),
        Ok(mut page) => {
            page.shell.notice = Some(visit.refusal(error));
            (status_of(error), html(&page)).into_response()
        }
    }
}

/// `POST /outlets/{id}/marks`: a form with files.
pub(super) async fn enter(visit: Visit, Path(id): Path<String>, form: Multipart) -> Page {
    let id = OutletId::new(&id);
    visit
        .require(Permission::EnterMark)
        .and_then(|()| check_scope(visit.app.backend.as_ref(), &visit.actor, &id))
        .map_err(|e| visit.failed(&e))?;
    let sent = receive(form).await.map_err(|e| visit.failed(&e))?;
    let entered: Result<(Mark, Vec<Upload>), BackendError> = known(&visit, &id)
        .and_then(|outlet| mark(&visit, outlet, &sent.fields))
        .and_then(|mark| Ok((mark, sent.files?)));
    let outcome = match entered {
        Ok((mark, files)) => {
            let backend = &visit.app.backend;
            backend.enter_mark(&visit.actor, mark, files).await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(receipt) => {
            let page = format!("{}/marks", outlet_link(id.as_str()));
            Ok(saved(&page, receipt.seq))
        }
        Err(error) => Err(again(&visit, &id, &error, sent.fields).await),
    }
}

/// `POST /outlets/{id}/marks/{entry}/withdraw`.
pub(super) async fn withdraw(
    visit: Visit,
    Path((id, entry)): Path<(String, u64)>,
    Form(form): Form<Fields>,
) -> Page {
    let id = OutletId::new(&id);
    match take_back(&visit, TakenBack::Mark, &id, entry, &form).await {
        Ok(seq) => Ok(saved(&format!("{}/marks", outlet_link(id.as_str())), seq)),
        Err(error @ BackendError::Refused { .. }) => {
            let page = shown(&visit, &id, Fields::new()).await;
            let mut page = page.map_err(|e| visit.failed(&e))?;
            page.shell.notice = Some(visit.refusal(&error));
            page.refused = Some((entry, text(&form, "reason")));
            Err((status_of(&error), html(&page)).into_response())
        }
        Err(error) => Err(visit.failed(&error)),
    }
}
