//! `/outlets/{id}/quarters`: capture rates, invalid periods and what was put in for them.

use super::judgement::known;
use super::{Page, html};
use crate::app::Visit;
use crate::view::reckoned::QuarterItem;
use crate::view::section::{Section, Tab, outlet_tabs};
use crate::view::shell::Shell;
use askama::Template;
use axum::extract::Path;
use cems_core::model::OutletId;

#[derive(Template)]
#[template(path = "quarters.html")]
struct QuartersPage {
    shell: Shell,
    section: Option<Section>,
    tabs: Vec<Tab>,
    quarters: Vec<QuarterItem>,
}

/// `GET /outlets/{id}/quarters`.
pub(super) async fn page(visit: Visit, Path(id): Path<String>) -> Page {
    let id = OutletId::new(&id);
    let asked = id.clone();
    let rows = visit
        .read(move |backend, actor| backend.quarters(actor, &asked))
        .await
        .map_err(|e| visit.failed(&e))?;
    let outlet = known(&visit, &id).map_err(|e| visit.failed(&e))?;
    let eyes = visit.eyes();
    Ok(html(&QuartersPage {
        shell: Shell::new(&visit, "outlets"),
        section: Some(Section::new(&eyes, outlet)),
        tabs: outlet_tabs(visit.words, outlet, "quarters"),
        quarters: rows
            .iter()
            .map(|row| QuarterItem::new(&eyes, row))
            .collect(),
    }))
}
