//! Destinations of data and events.

use super::answers::ReceiptOut;
use super::calls::{Body, Id};
use super::convert::Convert;
use super::problem::{Answer, Problem};
use super::schema::{Iso, shape};
use crate::app::Caller;
use crate::backend::{
    BackendError, DestinationStatus, RefusedItem, ReplayStatus, WayStatus, may_see_destinations,
};
use axum::Json;

shape! {
    /// Trouble of a destination that lasts.
    DestinationTroubleOut {
        /// Since when.
        since: Iso,
        /// The last attempt.
        at: Iso,
        /// Attempts so far.
        attempts: u64,
        /// unauthorised, unreachable, full, certificate, slow, no-endpoint or refused.
        cause: String,
        /// The cause in words.
        words: String,
        /// What the other side said, without addresses and secrets.
        said: String,
    }
}
shape! {
    /// A period that is or was sent again.
    ReplayOut {
        /// Its number.
        id: u64,
        /// What began from then on.
        from: Iso,
        /// What began before.
        until: Iso,
        /// Who asked; `engine` when the log did not reach back.
        by: String,
        /// When.
        at: Iso,
        /// Things sent so far.
        sent: u64,
        /// Series done with.
        done: u64,
        /// Series in all; 0 before it began.
        total: u64,
        /// When it ended.
        ended_at: Option<Iso>,
    }
}
shape! {
    /// A destination of data and events and how it is doing.
    DestinationOut {
        /// Its name.
        id: String,
        /// influx or mqtt.
        kind: String,
        /// Trouble that lasts.
        trouble: Option<DestinationTroubleOut>,
        /// Journal position of the last line of the log that it is done with.
        position: Option<u64>,
        /// When that line was written.
        position_at: Option<Iso>,
        /// Lines behind that, counted up to 200,000 in each log.
        lag_rows: u64,
        /// When the oldest of them was written.
        lag_since: Option<Iso>,
        /// Things delivered so far.
        delivered: u64,
        /// Things too old to be sent.
        given_up: u64,
        /// Things refused at hand.
        refused: u64,
        /// Things refused that are no longer kept.
        forgotten: u64,
        /// The last delivery.
        last_sent: Option<Iso>,
        /// Its replays, newest first.
        replays: Vec<ReplayOut>,
    }
}
shape! {
    /// A way out of the house and how it is doing.
    WayOut {
        /// uplink (records to a centre), channel (messages to people) or destination (data and
        /// events to a program).
        way: String,
        /// Its name.
        id: String,
        /// Things that wait.
        waiting: u64,
        /// Since when the oldest of them waits.
        waiting_since: Option<Iso>,
        /// Things delivered so far.
        delivered: u64,
        /// The last delivery.
        last_sent: Option<Iso>,
        /// Things too old to be sent.
        given_up: u64,
        /// Dead letters at hand.
        dead: u64,
        /// Since when trouble lasts.
        trouble_since: Option<Iso>,
        /// What is wrong.
        trouble: Option<String>,
        /// It lasts for so long that there is an alarm.
        stuck: bool,
    }
}
shape! {
    /// A thing that a destination refused.
    RefusedOut {
        /// Its number.
        id: u64,
        /// Which thing.
        key: String,
        /// When.
        at: Iso,
        /// Why, in the other side's words.
        why: String,
        /// Somebody asked for it to be sent again.
        again: bool,
    }
}
shape! {
    /// A period to send again.
    ReplayIn {
        /// What began from then on.
        from: String,
        /// What began before.
        until: String,
    }
}

pub(super) async fn list(caller: Caller) -> Answer<Vec<DestinationOut>> {
    allowed(&caller)?;
    let rows = caller.rows(|b, actor| b.destinations(actor)).await?;
    let convert = caller.convert();
    Ok(Json(convert.all(&rows, Convert::destination)))
}

pub(super) async fn ways(caller: Caller) -> Answer<Vec<WayOut>> {
    allowed(&caller)?;
    let rows = caller.rows(|b, actor| b.ways(actor)).await?;
    let convert = caller.convert();
    Ok(Json(convert.all(&rows, Convert::way)))
}

pub(super) async fn refused(caller: Caller, id: Id<String>) -> Answer<Vec<RefusedOut>> {
    allowed(&caller)?;
    let id = caller.id(id)?;
    let rows = caller
        .rows(move |b, actor| b.refused_items(actor, &id))
        .await?;
    let convert = caller.convert();
    Ok(Json(convert.all(&rows, Convert::refused_item)))
}

pub(super) async fn replay(
    caller: Caller,
    id: Id<String>,
    body: Body<ReplayIn>,
) -> Answer<ReceiptOut> {
    let (id, body) = (caller.id(id)?, caller.body(body)?);
    let span = (caller.instant(&body.from)?, caller.instant(&body.until)?);
    let receipt = caller.app.backend.replay(&caller.actor, id, span).await;
    let receipt = receipt.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().receipt(receipt)))
}

pub(super) async fn again(caller: Caller, id: Id<u64>) -> Answer<ReceiptOut> {
    let id = caller.id(id)?;
    let receipt = caller.app.backend.send_item_again(&caller.actor, id).await;
    let receipt = receipt.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().receipt(receipt)))
}

fn allowed(caller: &Caller) -> Result<(), Problem> {
    if may_see_destinations(caller.actor.role) {
        Ok(())
    } else {
        Err(caller.problem(&BackendError::Forbidden))
    }
}

impl Convert<'_> {
    fn destination(&self, row: &DestinationStatus) -> DestinationOut {
        DestinationOut {
            id: row.id.clone(),
            kind: row.kind.clone(),
            trouble: row.trouble.as_ref().map(|trouble| DestinationTroubleOut {
                since: self.iso(trouble.since),
                at: self.iso(trouble.at),
                attempts: u64::from(trouble.attempts),
                words: self.words.code("destination-cause", &trouble.cause),
                cause: trouble.cause.clone(),
                said: trouble.said.clone(),
            }),
            position: row.position.map(|(seq, _)| seq.0),
            position_at: row.position.map(|(_, at)| self.iso(at)),
            lag_rows: row.lag_rows,
            lag_since: self.iso_opt(row.lag_since),
            delivered: row.delivered,
            given_up: row.given_up,
            refused: row.dead,
            forgotten: row.forgotten,
            last_sent: self.iso_opt(row.last_sent),
            replays: self.all(&row.replays, Convert::replay),
        }
    }

    fn way(&self, row: &WayStatus) -> WayOut {
        let (since, why) = row.trouble.clone().unzip();
        WayOut {
            way: row.way.clone(),
            id: row.id.clone(),
            waiting: row.waiting,
            waiting_since: self.iso_opt(row.waiting_since),
            delivered: row.delivered,
            last_sent: self.iso_opt(row.last_sent),
            given_up: row.given_up,
            dead: row.dead,
            trouble_since: self.iso_opt(since),
            trouble: why,
            stuck: row.stuck,
        }
    }

    fn replay(&self, row: &ReplayStatus) -> ReplayOut {
        ReplayOut {
            id: row.id,
            from: self.iso(row.from),
            until: self.iso(row.until),
            by: row.by.clone(),
            at: self.iso(row.at),
            sent: row.sent,
            done: u64::from(row.done),
            total: u64::from(row.total),
            ended_at: self.iso_opt(row.ended_at),
        }
    }

    fn refused_item(&self, row: &RefusedItem) -> RefusedOut {
        RefusedOut {
            id: row.id,
            key: row.key.clone(),
            at: self.iso(row.at),
            why: row.why.clone(),
            again: row.again,
        }
    }
}
