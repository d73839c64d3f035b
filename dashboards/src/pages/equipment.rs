//! `/outlets/{id}/tests`: tests of an outlet's equipment and the form for the next one.

use super::entry_rules::{decimal, pairs};
use super::judgement::{Fields, for_field, known, local_time, take_back, text};
use super::{Page, Params, check_scope, check_test, html, saved, status_of};
use crate::app::Visit;
use crate::backend::{BackendError, LIST_ROWS_MAX, TakenBack, Upload};
use crate::refusal::refused;
use crate::upload::receive;
use crate::view::judged::TestItem;
use crate::view::outlet::outlet_link;
use crate::view::section::{Choice, Section, Tab, factor_choices, outlet_tabs};
use crate::view::shell::{Notice, Shell};
use askama::Template;
use axum::extract::{Form, Multipart, Path, Query};
use axum::response::{IntoResponse, Response};
use cems_core::model::{FactorCode, Outlet, OutletId, Permission, QaKind, QaRow, QaTest};

#[derive(Template)]
#[template(path = "tests.html")]
struct TestsPage {
    shell: Shell,
    section: Option<Section>,
    tabs: Vec<Tab>,
    tests: Vec<TestItem>,
    cut: bool,
    may_enter: bool,
    kinds: Vec<Choice>,
    factors: Vec<Choice>,
    form: Fields,
    /// The latest time a test can have, for the field.
    at_max: String,
    /// The entry whose withdrawal was refused, with the reason typed.
    refused: Option<(u64, String)>,
}

impl TestsPage {
    /// What was typed into a field.
    fn typed(&self, field: &str) -> &str {
        self.form.get(field).map_or("", String::as_str)
    }

    /// The reason typed for taking this test back, where that was refused.
    fn reason_of(&self, id: &u64) -> Option<&str> {
        let (of, reason) = self.refused.as_ref()?;
        (of == id).then_some(reason.as_str())
    }
}

fn view(visit: &Visit, outlet: &Outlet, rows: &[QaRow], mut form: Fields) -> TestsPage {
    let eyes = visit.eyes();
    let now = for_field(visit, visit.times.now);
    form.entry("at".to_owned()).or_insert_with(|| now.clone());
    let kind = form.get("kind").cloned().unwrap_or_default();
    let factor = form.get("factor").cloned().unwrap_or_default();
    let kinds = QaKind::ALL.into_iter().map(|of| Choice {
        value: of.as_str().to_owned(),
        label: visit.words.code("test-kind", of.as_str()),
        chosen: of.as_str() == kind,
    });
    TestsPage {
        shell: Shell::new(visit, "outlets"),
        section: Some(Section::new(&eyes, outlet)),
        tabs: outlet_tabs(visit.words, outlet, "tests"),
        cut: rows.len() >= LIST_ROWS_MAX,
        tests: rows.iter().map(|row| TestItem::new(&eyes, row)).collect(),
        may_enter: visit.may(Permission::EnterTest),
        kinds: kinds.collect(),
        factors: factor_choices(&eyes, outlet, |code| code.as_str() == factor),
        form,
        at_max: now,
        refused: None,
    }
}

async fn shown(visit: &Visit, id: &OutletId, form: Fields) -> Result<TestsPage, BackendError> {
    let asked = id.clone();
    let rows = visit
        .read(move |backend, actor| backend.qa_tests(actor, &asked))
        .await?;
    Ok(view(visit, known(visit, id)?, &rows, form))
}

/// `GET /outlets/{id}/tests`.
pub(super) async fn page(visit: Visit, Path(id): Path<String>, Query(query): Params) -> Page {
    let page = shown(&visit, &OutletId::new(&id), Fields::new()).await;
    let mut page = page.map_err(|e| visit.failed(&e))?;
    page.shell.notice = Notice::saved(visit.words, query.get("saved").map(String::as_str));
    Ok(html(&page))
}

/// The test as typed; the first mistake is named.
fn test(visit: &Visit, outlet: &Outlet, form: &Fields) -> Result<QaTest, BackendError> {
    let kind = text(form, "kind");
    let scale = text(form, "full_scale");
    let test = QaTest {
        outlet: outlet.id.clone(),
        factor: FactorCode::new(text(form, "factor")),
        kind: QaKind::from_code(&kind).ok_or_else(|| refused("field-empty", "kind"))?,
        at: local_time(visit, form, "at")?,
        pairs: pairs(&text(form, "pairs"))?,
        full_scale: if scale.is_empty() {
            None
        } else {
            Some(decimal(&scale)?)
        },
        note: text(form, "note"),
        attachments: Vec::new(),
        by: visit.actor.user.clone(),
        from_cn: None,
    };
    check_test(&test, &visit.registry, visit.times.now)?;
    Ok(test)
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

/// `POST /outlets/{id}/tests`: a form with files.
pub(super) async fn enter(visit: Visit, Path(id): Path<String>, form: Multipart) -> Page {
    let id = OutletId::new(&id);
    visit
        .require(Permission::EnterTest)
        .and_then(|()| check_scope(visit.app.backend.as_ref(), &visit.actor, &id))
        .map_err(|e| visit.failed(&e))?;
    let sent = receive(form).await.map_err(|e| visit.failed(&e))?;
    let entered: Result<(QaTest, Vec<Upload>), BackendError> = known(&visit, &id)
        .and_then(|outlet| test(&visit, outlet, &sent.fields))
        .and_then(|test| Ok((test, sent.files?)));
    let outcome = match entered {
        Ok((test, files)) => {
            let backend = &visit.app.backend;
            backend.enter_qa_test(&visit.actor, test, files).await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(receipt) => {
            let page = format!("{}/tests", outlet_link(id.as_str()));
            Ok(saved(&page, receipt.seq))
        }
        Err(error) => Err(again(&visit, &id, &error, sent.fields).await),
    }
}

/// `POST /outlets/{id}/tests/{entry}/withdraw`.
pub(super) async fn withdraw(
    visit: Visit,
    Path((id, entry)): Path<(String, u64)>,
    Form(form): Form<Fields>,
) -> Page {
    let id = OutletId::new(&id);
    match take_back(&visit, TakenBack::QaTest, &id, entry, &form).await {
        Ok(seq) => Ok(saved(&format!("{}/tests", outlet_link(id.as_str())), seq)),
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
