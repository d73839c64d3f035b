//! `/destinations`: everything that leaves and how it is doing; where data and events go, how far
//! they are, and what is to be sent again.

use super::judgement::{Fields, for_field, local_time};
use super::{Page, Params, html, saved};
use crate::app::Visit;
use crate::backend::{BackendError, may_replay, may_see_destinations};
use crate::view::destinations::{DestinationItem, WayItem};
use crate::view::shell::{Notice, Shell};
use askama::Template;
use axum::extract::{Form, Path, Query};
use axum::response::Response;
use cems_core::model::time::DAY_MS;

/// Refused things of one destination on the page; the API has more.
const REFUSED_SHOWN_MAX: usize = 50;

#[derive(Template)]
#[template(path = "destinations.html")]
struct DestinationsPage {
    shell: Shell,
    ways: Vec<WayItem>,
    destinations: Vec<DestinationItem>,
    may_replay: bool,
    /// What the form begins with: the last day.
    from: String,
    until: String,
}

/// `GET /destinations`.
pub(super) async fn page(visit: Visit, Query(query): Params) -> Page {
    let notice = Notice::saved(visit.words, query.get("saved").map(String::as_str));
    shown(&visit, notice).await
}

async fn shown(visit: &Visit, notice: Option<Notice>) -> Page {
    if !may_see_destinations(visit.actor.role) {
        return Err(visit.failed(&BackendError::Forbidden));
    }
    let (ways, rows) = visit
        .read(|backend, actor| {
            let ways = backend.ways(actor)?;
            let rows = backend.destinations(actor)?;
            let with_refused = rows.into_iter().map(|row| {
                let mut refused = backend.refused_items(actor, &row.id)?;
                refused.truncate(REFUSED_SHOWN_MAX);
                Ok((row, refused))
            });
            let rows = with_refused.collect::<Result<Vec<_>, BackendError>>()?;
            Ok((ways, rows))
        })
        .await
        .map_err(|e| visit.failed(&e))?;
    let eyes = visit.eyes();
    let now = visit.times.now;
    Ok(html(&DestinationsPage {
        shell: Shell::new(visit, "destinations").with_notice(notice),
        ways: ways
            .iter()
            .map(|way| {
                let of = rows.iter().find(|(row, _)| way.is(row));
                WayItem::new(&eyes, way, of.map(|(row, _)| row))
            })
            .collect(),
        destinations: rows
            .iter()
            .map(|(row, refused)| DestinationItem::new(&eyes, row, refused))
            .collect(),
        may_replay: may_replay(visit.actor.role),
        from: for_field(visit, now.plus_ms(-DAY_MS)),
        until: for_field(visit, now),
    }))
}

/// `POST /destinations/{id}/replay`.
pub(super) async fn replay(visit: Visit, Path(id): Path<String>, Form(form): Form<Fields>) -> Page {
    let span = local_time(&visit, &form, "from")
        .and_then(|from| Ok((from, local_time(&visit, &form, "until")?)));
    let done = match span {
        Ok(span) => visit.app.backend.replay(&visit.actor, id, span).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(receipt) => Ok(saved("/destinations", receipt.seq)),
        Err(error) => refusal(&visit, &error).await,
    }
}

/// `POST /destinations/refused/{id}/again`.
pub(super) async fn again(visit: Visit, Path(id): Path<u64>) -> Page {
    let done = visit.app.backend.send_item_again(&visit.actor, id).await;
    match done {
        Ok(receipt) => Ok(saved("/destinations", receipt.seq)),
        Err(error) => refusal(&visit, &error).await,
    }
}

/// The page again with what was wrong.
async fn refusal(visit: &Visit, error: &BackendError) -> Result<Response, Response> {
    if !matches!(error, BackendError::Refused { .. }) {
        return Err(visit.failed(error));
    }
    let mut page = shown(visit, Some(visit.refusal(error))).await?;
    *page.status_mut() = super::status_of(error);
    Ok(page)
}
