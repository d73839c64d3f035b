//! `/quarantine`: what was refused, why, and the beginning of it.

use super::{Page, html};
use crate::app::Visit;
use crate::view::shell::Shell;
use crate::view::sourced::journal;
use askama::Template;

#[derive(Template)]
#[template(path = "quarantine.html")]
struct QuarantinePage {
    shell: Shell,
    rows: Vec<Line>,
}

struct Line {
    at: String,
    reason: String,
    peer: String,
    mn: String,
    bytes: u64,
    excerpt: String,
    seq: String,
}

/// `GET /quarantine`.
pub(super) async fn page(visit: Visit) -> Page {
    let rows = visit
        .read(|backend, actor| backend.quarantine(actor))
        .await
        .map_err(|e| visit.failed(&e))?;
    let lines = rows.into_iter().map(|row| Line {
        at: visit.times.full(row.at),
        reason: visit.words.code("refused", &row.reason),
        peer: row.peer.to_string(),
        mn: row
            .mn
            .map_or_else(|| crate::format::NONE.to_owned(), |mn| mn.to_string()),
        bytes: row.bytes,
        excerpt: crate::format::without_passwords(&row.excerpt),
        seq: journal(row.seq),
    });
    Ok(html(&QuarantinePage {
        rows: lines.collect(),
        shell: Shell::new(&visit, "quarantine"),
    }))
}
