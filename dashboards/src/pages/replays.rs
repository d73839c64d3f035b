//! Forms of `/receipts`: a period is to be sent to a centre again, or is not.

use super::judgement::{Fields, local_time, text};
use super::{Page, receipts, saved};
use crate::app::Visit;
use crate::backend::{BackendError, Receipt, UplinkReplayAsk};
use axum::extract::{Form, Path};
use cems_core::model::OutletId;

/// `POST /receipts/replays`.
pub(super) async fn ask(visit: Visit, Form(form): Form<Fields>) -> Page {
    let done = match asked(&visit, &form) {
        Ok(ask) => visit.app.backend.replay_uplink(&visit.actor, ask).await,
        Err(error) => Err(error),
    };
    after(&visit, done).await
}

fn asked(visit: &Visit, form: &Fields) -> Result<UplinkReplayAsk, BackendError> {
    let outlet = text(form, "outlet");
    Ok(UplinkReplayAsk {
        uplink: text(form, "uplink"),
        outlet: (!outlet.is_empty()).then(|| OutletId::new(outlet)),
        span: (
            local_time(visit, form, "from")?,
            local_time(visit, form, "until")?,
        ),
    })
}

/// `POST /receipts/replays/{id}/cancel`.
pub(super) async fn cancel(visit: Visit, Path(id): Path<u64>) -> Page {
    let backend = &visit.app.backend;
    let done = backend.cancel_uplink_replay(&visit.actor, id).await;
    after(&visit, done).await
}

/// Back to the page, or the page again with what was wrong.
async fn after(visit: &Visit, done: Result<Receipt, BackendError>) -> Page {
    let error = match done {
        Ok(receipt) => return Ok(saved("/receipts", receipt.seq)),
        Err(error) => error,
    };
    if !matches!(error, BackendError::Refused { .. }) {
        return Err(visit.failed(&error));
    }
    let notice = Some(visit.refusal(&error));
    let mut page = receipts::shown(visit, &Fields::new(), notice).await?;
    *page.status_mut() = super::status_of(&error);
    Ok(page)
}
