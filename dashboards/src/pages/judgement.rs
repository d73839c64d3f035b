//! Addresses of the pages about the judgement of data, and what their forms have in common.

use super::equipment::TestsPage;
use super::fallbacks::LOCAL_TIME_FORMATS;
use super::marks::MarksPage;
use super::{
    catalogues, clues, entries, explain, marks, projections, quarters, rates, reviews, tax,
};
use crate::app::{App, Visit};
use crate::backend::{BackendError, TakenBack};
use crate::refusal::refused;
use crate::upload::FORM_BYTES_MAX;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use cems_core::model::{Outlet, OutletId, Seq, Timestamp};
use chrono::NaiveDateTime;
use std::collections::BTreeMap;

/// What a form holds, by field.
pub(super) type Fields = BTreeMap<String, String>;

/// The routes; those with files take larger requests.
pub(super) fn routes() -> Router<App> {
    let large = || DefaultBodyLimit::max(FORM_BYTES_MAX);
    Router::new()
        .route(
            "/outlets/{id}/marks",
            get(entries::page::<MarksPage>)
                .post(entries::enter::<MarksPage>)
                .layer(large()),
        )
        .route(
            "/outlets/{id}/marks/{entry}/withdraw",
            post(entries::withdraw::<MarksPage>),
        )
        .route(
            "/outlets/{id}/tests",
            get(entries::page::<TestsPage>)
                .post(entries::enter::<TestsPage>)
                .layer(large()),
        )
        .route(
            "/outlets/{id}/tests/{entry}/withdraw",
            post(entries::withdraw::<TestsPage>),
        )
        .route(
            "/outlets/{id}/reviews",
            get(reviews::page).post(reviews::step).layer(large()),
        )
        .route("/outlets/{id}/quarters", get(quarters::page))
        .route("/outlets/{id}/clues", get(clues::of_outlet))
        .route("/outlets/{id}/tax", get(tax::page))
        .route("/outlets/{id}/explain", get(explain::page))
        .route("/marks", get(marks::list))
        .route("/clues", get(clues::list))
        .route("/rates", get(rates::page))
        .route("/projections", get(projections::page))
        .route("/checks", get(catalogues::checks))
        .route("/formulas", get(catalogues::formulas))
}

/// What was typed into a field, trimmed.
pub(super) fn text(form: &Fields, field: &str) -> String {
    form.get(field).map_or("", |t| t.trim()).to_owned()
}

/// A date and time as a browser sends it, by the site's clock.
pub(super) fn local_time(
    visit: &Visit,
    form: &Fields,
    field: &str,
) -> Result<Timestamp, BackendError> {
    let text = text(form, field);
    if text.is_empty() {
        return Err(refused("field-empty", field));
    }
    LOCAL_TIME_FORMATS
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok())
        .map(|local| visit.times.offset.instant(local))
        .ok_or_else(|| refused("datetime-unreadable", text))
}

/// A date and time as a browser's field wants it.
pub(super) fn for_field(visit: &Visit, at: Timestamp) -> String {
    let local = visit.times.offset.local(at);
    local.format("%Y-%m-%dT%H:%M").to_string()
}

/// The outlet that a page is about.
pub(super) fn known<'a>(visit: &'a Visit, id: &OutletId) -> Result<&'a Outlet, BackendError> {
    let outlet = visit.registry.outlets.get(id);
    outlet.ok_or(BackendError::NotFound)
}

/// Takes an entry back with the reason of the form.
pub(super) async fn take_back(
    visit: &Visit,
    what: TakenBack,
    outlet: &OutletId,
    entry: u64,
    form: &Fields,
) -> Result<Seq, BackendError> {
    visit.require(what.permission())?;
    let backend = &visit.app.backend;
    super::check_scope(backend.as_ref(), &visit.actor, outlet)?;
    let reason = super::checked_reason(form.get("reason"))?;
    let receipt = backend
        .take_back(&visit.actor, what, outlet.clone(), Seq(entry), reason)
        .await?;
    Ok(receipt.seq)
}
