//! Pages that list the entries of an outlet and have the form for the next one: marks and tests.
//! What is typed comes back with a refusal; what was entered can be taken back with a reason.

use super::judgement::{Fields, known, take_back, text};
use super::{Page, Params, check_scope, html, saved, status_of};
use crate::app::Visit;
use crate::backend::{Actor, Backend, BackendError, Receipt, Reply, TakenBack, Upload};
use crate::upload::receive;
use crate::view::outlet::outlet_link;
use crate::view::shell::{Notice, Shell};
use askama::Template;
use axum::extract::{Form, Multipart, Path, Query};
use axum::response::{IntoResponse, Response};
use cems_core::model::{Outlet, OutletId};

/// The forms of a page, as they were filled in.
#[derive(Default)]
pub(super) struct Filled {
    fields: Fields,
    /// The entry whose withdrawal was refused, with the reason typed.
    refused: Option<(u64, String)>,
}

impl Filled {
    /// The form of the next entry.
    pub(super) fn new(fields: Fields) -> Self {
        Self {
            fields,
            refused: None,
        }
    }

    /// What was typed into a field.
    pub(super) fn typed(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }

    /// The reason typed for taking this entry back, where that was refused.
    pub(super) fn reason_of(&self, id: &u64) -> Option<&str> {
        let (of, reason) = self.refused.as_ref()?;
        (of == id).then_some(reason.as_str())
    }
}

/// A page with the entries of one outlet.
pub(super) trait EntryPage: Template + Send + Sized {
    /// What its form makes.
    type Entry: Send;
    /// What its entries are.
    const KIND: TakenBack;
    /// Last part of its address.
    const TAB: &'static str;

    /// The page with the form filled in.
    fn shown(
        visit: &Visit,
        id: &OutletId,
        form: Fields,
    ) -> impl Future<Output = Result<Self, BackendError>> + Send;

    /// The entry as typed; the first mistake is named.
    fn typed(visit: &Visit, outlet: &Outlet, form: &Fields) -> Result<Self::Entry, BackendError>;

    /// Enters it.
    fn enter<'a>(
        backend: &'a dyn Backend,
        actor: &'a Actor,
        entry: Self::Entry,
        files: Vec<Upload>,
    ) -> Reply<'a, Result<Receipt, BackendError>>;

    /// Its frame and its forms.
    fn parts(&mut self) -> (&mut Shell, &mut Filled);
}

fn address<P: EntryPage>(id: &OutletId) -> String {
    format!("{}/{}", outlet_link(id.as_str()), P::TAB)
}

/// `GET` of the page.
pub(super) async fn page<P: EntryPage>(
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Params,
) -> Page {
    let page = P::shown(&visit, &OutletId::new(&id), Fields::new()).await;
    let mut page = page.map_err(|e| visit.failed(&e))?;
    page.parts().0.notice = Notice::saved(visit.words, query.get("saved").map(String::as_str));
    Ok(html(&page))
}

/// The page again with what was typed and why it was refused.
async fn again<P: EntryPage>(
    visit: &Visit,
    id: &OutletId,
    error: &BackendError,
    (form, refused): (Fields, Option<(u64, String)>),
) -> Response {
    match P::shown(visit, id, form).await {
        Err(other) => visit.failed(&other),
        Ok(mut page) => {
            let (shell, filled) = page.parts();
            shell.notice = Some(visit.refusal(error));
            filled.refused = refused;
            (status_of(error), html(&page)).into_response()
        }
    }
}

/// `POST` of the page: a form with files.
pub(super) async fn enter<P: EntryPage>(
    visit: Visit,
    Path(id): Path<String>,
    form: Multipart,
) -> Page {
    let id = OutletId::new(&id);
    visit
        .require(P::KIND.permission())
        .and_then(|()| check_scope(visit.app.backend.as_ref(), &visit.actor, &id))
        .map_err(|e| visit.failed(&e))?;
    let sent = receive(form).await.map_err(|e| visit.failed(&e))?;
    let entered: Result<(P::Entry, Vec<Upload>), BackendError> = known(&visit, &id)
        .and_then(|outlet| P::typed(&visit, outlet, &sent.fields))
        .and_then(|entry| Ok((entry, sent.files?)));
    let outcome = match entered {
        Ok((entry, files)) => {
            let backend = visit.app.backend.as_ref();
            P::enter(backend, &visit.actor, entry, files).await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(receipt) => Ok(saved(&address::<P>(&id), receipt.seq)),
        Err(error) => Err(again::<P>(&visit, &id, &error, (sent.fields, None)).await),
    }
}

/// `POST` of `{entry}/withdraw` under the page.
pub(super) async fn withdraw<P: EntryPage>(
    visit: Visit,
    Path((id, entry)): Path<(String, u64)>,
    Form(form): Form<Fields>,
) -> Page {
    let id = OutletId::new(&id);
    match take_back(&visit, P::KIND, &id, entry, &form).await {
        Ok(seq) => Ok(saved(&address::<P>(&id), seq)),
        Err(error @ BackendError::Refused { .. }) => {
            let typed = Some((entry, text(&form, "reason")));
            Err(again::<P>(&visit, &id, &error, (Fields::new(), typed)).await)
        }
        Err(error) => Err(visit.failed(&error)),
    }
}
