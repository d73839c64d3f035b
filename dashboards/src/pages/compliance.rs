//! `/fallbacks/{id}/sheet`: what was owed in a fallback against what was delivered, to be printed.

use super::{Page, html};
use crate::app::Visit;
use crate::view::compliance::SheetView;
use crate::view::fallback::{FallbackItem, WrittenItem};
use crate::view::shell::Shell;
use askama::Template;
use axum::extract::Path;
use cems_core::model::FallbackId;

#[derive(Template)]
#[template(path = "compliance.html")]
struct CompliancePage {
    shell: Shell,
    fallback: FallbackItem,
    written: Option<WrittenItem>,
    sheet: SheetView,
    made: String,
}

/// `GET /fallbacks/{id}/sheet`.
pub(super) async fn page(visit: Visit, Path(id): Path<u64>) -> Page {
    let id = FallbackId(id);
    let detail = visit
        .read(move |backend, actor| backend.fallback(actor, id))
        .await
        .map_err(|e| visit.failed(&e))?;
    let eyes = visit.eyes();
    let row = &detail.fallback;
    let sheet = crate::view::compliance::sheet(&eyes, &detail);
    Ok(html(&CompliancePage {
        shell: Shell::new(&visit, "fallbacks"),
        fallback: FallbackItem::new(&eyes, row),
        written: row
            .written
            .as_ref()
            .map(|written| WrittenItem::new(&eyes, row, written)),
        sheet: SheetView::new(&eyes, &sheet),
        made: visit.times.full(visit.times.now),
    }))
}
