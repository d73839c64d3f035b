//! Periods that are sent to a centre again on demand.

use super::answers::ReceiptOut;
use super::calls::{Body, Id};
use super::convert::Convert;
use super::problem::Answer;
use super::schema::{Iso, shape};
use crate::app::Caller;
use crate::backend::{UplinkReplay, UplinkReplayAsk};
use axum::Json;
use cems_core::model::OutletId;

shape! {
    /// A period that is or was sent to a centre again.
    UplinkReplayOut {
        /// Its number.
        id: u64,
        /// The centre.
        uplink: String,
        /// Only of this outlet; null: of all that go there.
        outlet: Option<String>,
        /// Data time of the first record.
        from: Iso,
        /// The first data time not concerned.
        until: Iso,
        /// Who asked.
        by: String,
        /// When.
        at: Iso,
        /// booking (records are being looked up), sending, done or cancelled.
        stage: String,
        /// Records found so far, all of them once booked_at is known.
        booked: u64,
        /// Those of them acknowledged since, or taken by a line that asks for no answers.
        acknowledged: u64,
        /// Those of them nothing of which goes to this centre.
        passed_over: u64,
        /// Those of them that wait to be acknowledged.
        waiting: u64,
        /// Per cent that wait no longer; 100 only when it is done, 0 until all are known.
        percent: u64,
        /// When all records of the period were found.
        booked_at: Option<Iso>,
        /// When the last of them was acknowledged.
        done_at: Option<Iso>,
        /// When it was called off.
        cancelled_at: Option<Iso>,
    }
}
shape! {
    /// A period to send to a centre again.
    UplinkReplayIn {
        /// Only of this outlet; null: of all that go there.
        outlet: Option<String>,
        /// Data time of the first record, ISO 8601 with offset.
        from: String,
        /// The first data time not concerned.
        until: String,
    }
}

pub(super) async fn list(caller: Caller) -> Answer<Vec<UplinkReplayOut>> {
    let rows = caller.rows(|b, actor| b.uplink_replays(actor)).await?;
    let convert = caller.convert();
    Ok(Json(convert.all(&rows, Convert::uplink_replay)))
}

pub(super) async fn ask(
    caller: Caller,
    id: Id<String>,
    body: Body<UplinkReplayIn>,
) -> Answer<ReceiptOut> {
    let (uplink, body) = (caller.id(id)?, caller.body(body)?);
    let ask = UplinkReplayAsk {
        uplink,
        outlet: body.outlet.map(OutletId::new),
        span: (caller.instant(&body.from)?, caller.instant(&body.until)?),
    };
    let backend = &caller.app.backend;
    let receipt = backend.replay_uplink(&caller.actor, ask).await;
    let receipt = receipt.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().receipt(receipt)))
}

pub(super) async fn cancel(caller: Caller, id: Id<u64>) -> Answer<ReceiptOut> {
    let id = caller.id(id)?;
    let backend = &caller.app.backend;
    let receipt = backend.cancel_uplink_replay(&caller.actor, id).await;
    let receipt = receipt.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().receipt(receipt)))
}

impl Convert<'_> {
    fn uplink_replay(&self, row: &UplinkReplay) -> UplinkReplayOut {
        UplinkReplayOut {
            id: row.id,
            uplink: row.uplink.clone(),
            outlet: row.outlet.as_ref().map(ToString::to_string),
            from: self.iso(row.from),
            until: self.iso(row.until),
            by: row.by.clone(),
            at: self.iso(row.at),
            stage: row.stage().as_str().to_owned(),
            booked: row.booked,
            acknowledged: row.acknowledged,
            passed_over: row.passed_over,
            waiting: row.waiting(),
            percent: u64::from(row.percent()),
            booked_at: self.iso_opt(row.booked_at),
            done_at: self.iso_opt(row.done_at),
            cancelled_at: self.iso_opt(row.cancelled_at),
        }
    }
}
