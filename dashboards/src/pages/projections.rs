//! `/projections`: permitted amounts of the year and the day on which they will be reached.

use super::{Page, Params, html};
use crate::app::Visit;
use crate::view::amounts::ProjectionItem;
use crate::view::section::{Section, Tab, data_tabs, outlet_tabs};
use crate::view::shell::Shell;
use askama::Template;
use axum::extract::Query;
use cems_core::model::OutletId;

#[derive(Template)]
#[template(path = "projections.html")]
struct ProjectionsPage {
    shell: Shell,
    section: Option<Section>,
    tabs: Vec<Tab>,
    rows: Vec<ProjectionItem>,
}

/// `GET /projections?outlet=`.
pub(super) async fn page(visit: Visit, Query(query): Params) -> Page {
    let outlet = query.get("outlet").filter(|id| !id.is_empty());
    let outlet = outlet.map(OutletId::new);
    let asked = outlet.clone();
    let rows = visit
        .read(move |b, actor| b.projections(actor, asked.as_ref()))
        .await
        .map_err(|e| visit.failed(&e))?;
    let eyes = visit.eyes();
    let outlet = outlet
        .as_ref()
        .and_then(|id| visit.registry.outlets.get(id));
    Ok(html(&ProjectionsPage {
        shell: Shell::new(&visit, if outlet.is_some() { "outlets" } else { "data" }),
        section: outlet.map(|o| Section::new(&eyes, o)),
        tabs: outlet.map_or_else(
            || data_tabs(visit.words, "projections"),
            |o| outlet_tabs(visit.words, o, "projections"),
        ),
        rows: rows
            .iter()
            .map(|row| ProjectionItem::new(&eyes, row))
            .collect(),
    }))
}
