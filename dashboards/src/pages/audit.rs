//! `/audit`: who did what, newest first.

use super::{Page, Params, html};
use crate::app::Visit;
use crate::backend::LIST_ROWS_MAX;
use crate::view::shell::Shell;
use crate::view::sourced::journal;
use askama::Template;
use axum::extract::Query;
use cems_core::model::{Permission, Seq};

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    shell: Shell,
    rows: Vec<Line>,
    older: Option<u64>,
}

struct Line {
    at: String,
    who: String,
    what: String,
    object: String,
    link: Option<String>,
    detail: String,
    seq: String,
}

/// The page of an object named `kind/id`, where there is one.
fn link(object: &str) -> Option<String> {
    let (kind, id) = object.split_once('/')?;
    let page = match kind {
        "alarm" => "alarms",
        "outlet" => "outlets",
        "fallback" => "fallbacks",
        "exchange" => "exchanges",
        _ => return None,
    };
    Some(format!("/{page}/{}", crate::url::encode(id)))
}

/// `GET /audit?before=`.
pub(super) async fn page(visit: Visit, Query(query): Params) -> Page {
    visit
        .require(Permission::ViewAudit)
        .map_err(|e| visit.failed(&e))?;
    let before = query
        .get("before")
        .and_then(|seq| seq.parse().ok())
        .map(Seq);
    let rows = visit
        .read(move |backend, actor| backend.audit(actor, before))
        .await
        .map_err(|e| visit.failed(&e))?;
    let older = (rows.len() >= LIST_ROWS_MAX)
        .then(|| rows.last().map(|row| row.seq.0))
        .flatten();
    let lines = rows.into_iter().map(|row| Line {
        at: visit.times.full(row.at),
        who: visit.words.code("who", &row.who),
        what: visit.words.code("audit", &row.what),
        link: link(&row.object),
        object: row.object.to_string(),
        detail: row.detail,
        seq: journal(row.seq),
    });
    Ok(html(&AuditPage {
        rows: lines.collect(),
        shell: Shell::new(&visit, "audit"),
        older,
    }))
}
