//! `/outlets/{id}/tax`: the basis of the environmental protection tax of a month.

use super::judgement::known;
use super::{Page, Params, html};
use crate::app::Visit;
use crate::view::amounts::TaxItem;
use crate::view::section::{Section, Tab, outlet_tabs};
use crate::view::shell::Shell;
use askama::Template;
use axum::extract::{Path, Query};
use cems_core::explain::{Asked, period};
use cems_core::model::{Level, OutletId, Period};

#[derive(Template)]
#[template(path = "tax.html")]
struct TaxPage {
    shell: Shell,
    section: Option<Section>,
    tabs: Vec<Tab>,
    month: String,
    running: bool,
    rows: Vec<TaxItem>,
}

/// `GET /outlets/{id}/tax?month=2026-03`.
pub(super) async fn page(visit: Visit, Path(id): Path<String>, Query(query): Params) -> Page {
    let id = OutletId::new(&id);
    let offset = visit.times.offset;
    let asked = query.get("month").map(|text| period::parse(text, offset));
    let month = match asked {
        Some(Ok(Asked::Period(period))) if period.level == Level::Month => period,
        _ => Period::containing(Level::Month, visit.times.now, offset),
    };
    let (of, start) = (id.clone(), month.start);
    let rows = visit
        .read(move |b, actor| b.tax(actor, &of, start))
        .await
        .map_err(|e| visit.failed(&e))?;
    let outlet = known(&visit, &id).map_err(|e| visit.failed(&e))?;
    let eyes = visit.eyes();
    let asked = Asked::Period(month);
    Ok(html(&TaxPage {
        shell: Shell::new(&visit, "outlets"),
        section: Some(Section::new(&eyes, outlet)),
        tabs: outlet_tabs(visit.words, outlet, "tax"),
        month: period::text(asked, offset),
        running: month.end(offset) > visit.times.now,
        rows: rows
            .iter()
            .map(|row| TaxItem::new(&eyes, &id, asked, row))
            .collect(),
    }))
}
