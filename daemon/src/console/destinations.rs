//! Destinations of data and events: how they are doing, and what people ask of them.

use super::{ConsoleBackend, unavailable};
use crate::delivery::Way;
use crate::events::JournalEvent;
use crate::outbox::{DeadLetter, OutboxBoard, Replay, Status};
use crate::store::{StoreError, blocking};
use cems_core::model::Timestamp;
use cems_core::model::time::DAY_MS;
use cems_dashboards::backend::{
    Actor, BackendError, Change, DestinationStatus, DestinationTrouble, OutboxBackend,
    REPLAY_DAYS_MAX, Receipt, RefusedItem, ReplayStatus, Reply, WayStatus, may_replay,
    may_see_destinations,
};
use smol_str::SmolStr;
use std::sync::Arc;

fn refused(code: &str, detail: &impl ToString) -> BackendError {
    BackendError::Refused {
        code: code.to_owned(),
        detail: detail.to_string(),
    }
}

fn replay(row: &Replay) -> ReplayStatus {
    ReplayStatus {
        id: row.id.unsigned_abs(),
        from: row.from,
        until: row.until,
        by: row.asked_by.to_string(),
        at: row.asked_at,
        sent: row.cursor.sent,
        done: row.cursor.progress.0,
        total: row.cursor.progress.1,
        ended_at: row.ended_at,
    }
}

fn status(row: Status) -> DestinationStatus {
    let standing = row.standing;
    DestinationStatus {
        id: row.id.to_string(),
        kind: row.kind.as_str().to_owned(),
        trouble: standing.trouble.map(|trouble| DestinationTrouble {
            since: trouble.since,
            at: trouble.at,
            attempts: trouble.attempts,
            cause: trouble.cause.as_str().to_owned(),
            said: trouble.said,
        }),
        position: row.position,
        lag_rows: row.lag_rows,
        lag_since: row.lag_since,
        delivered: standing.delivered,
        given_up: standing.given_up,
        dead: standing.dead,
        forgotten: standing.forgotten,
        last_sent: standing.last_sent,
        replays: row.replays.iter().map(replay).collect(),
    }
}

fn way(way: Way) -> WayStatus {
    WayStatus {
        way: way.kind.as_str().to_owned(),
        id: way.id.to_string(),
        waiting: way.waiting,
        waiting_since: way.waiting_since,
        delivered: way.delivered,
        last_sent: way.last_sent,
        given_up: way.given_up,
        dead: way.dead,
        trouble: way.trouble,
        stuck: way.stuck,
    }
}

fn item(letter: DeadLetter) -> RefusedItem {
    RefusedItem {
        id: letter.id.unsigned_abs(),
        key: letter.key,
        at: letter.at,
        why: letter.why,
        again: letter.again,
    }
}

/// A question to `outbox.db` on a thread that may wait.
async fn ask<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, BackendError> {
    blocking(ask).await.map_err(unavailable)
}

impl ConsoleBackend {
    /// What a person asks for stands in the journal before it happens.
    async fn note(
        &self,
        actor: &Actor,
        what: &'static str,
        destination: &str,
        detail: String,
    ) -> Result<Receipt, BackendError> {
        self.commit(&JournalEvent::Audit {
            who: SmolStr::new(actor.user.as_str()),
            what: SmolStr::new_static(what),
            object: SmolStr::new(format!("destination/{destination}")),
            detail,
        })
        .await
    }

    async fn replay_to(
        &self,
        actor: &Actor,
        destination: String,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<Receipt, BackendError> {
        if !may_replay(actor.role) {
            return Err(BackendError::Forbidden);
        }
        if !self.outbox.knows(&destination) {
            return Err(refused("unknown-destination", &destination));
        }
        if until <= from || until.since_ms(from) > REPLAY_DAYS_MAX * DAY_MS {
            return Err(refused("replay-period", &REPLAY_DAYS_MAX));
        }
        let offset = self.projected.registry().offset;
        let shown = |at: Timestamp| offset.local(at).format("%Y-%m-%d %H:%M").to_string();
        let detail = format!("{} .. {}", shown(from), shown(until));
        let receipt = self
            .note(actor, "destination.replay", &destination, detail)
            .await?;
        let (outbox, by) = (Arc::clone(&self.outbox), actor.user.clone());
        ask(move || outbox.replay(&destination, (from, until), by.as_str())).await?;
        self.projected.announce(Change::Destinations);
        Ok(receipt)
    }

    async fn item_again(&self, actor: &Actor, id: u64) -> Result<Receipt, BackendError> {
        if !may_replay(actor.role) {
            return Err(BackendError::Forbidden);
        }
        let outbox = Arc::clone(&self.outbox);
        let number = i64::try_from(id).unwrap_or(i64::MAX);
        let letter = ask(move || outbox.dead_letter(number)).await?;
        let letter = letter
            .filter(|letter| !letter.again)
            .ok_or_else(|| refused("no-dead-letter", &id))?;
        let receipt = self
            .note(
                actor,
                "destination.resent",
                &letter.destination,
                letter.key.clone(),
            )
            .await?;
        let outbox = Arc::clone(&self.outbox);
        ask(move || outbox.send_again(&letter)).await?;
        self.projected.announce(Change::Destinations);
        Ok(receipt)
    }
}

fn visible(actor: &Actor) -> Result<(), BackendError> {
    if may_see_destinations(actor.role) {
        Ok(())
    } else {
        Err(BackendError::Forbidden)
    }
}

impl OutboxBackend for ConsoleBackend {
    fn destinations(&self, actor: &Actor) -> Result<Vec<DestinationStatus>, BackendError> {
        visible(actor)?;
        let rows = self.outbox.status().map_err(unavailable)?;
        Ok(rows.into_iter().map(status).collect())
    }

    fn ways(&self, actor: &Actor) -> Result<Vec<WayStatus>, BackendError> {
        visible(actor)?;
        Ok(self.delivery.ways().into_iter().map(way).collect())
    }

    fn refused_items(
        &self,
        actor: &Actor,
        destination: &str,
    ) -> Result<Vec<RefusedItem>, BackendError> {
        visible(actor)?;
        if !self.outbox.knows(destination) {
            return Err(BackendError::NotFound);
        }
        let rows = self.outbox.dead(destination).map_err(unavailable)?;
        Ok(rows.into_iter().map(item).collect())
    }

    fn replay<'a>(
        &'a self,
        actor: &'a Actor,
        destination: String,
        span: (Timestamp, Timestamp),
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(self.replay_to(actor, destination, span))
    }

    fn send_item_again<'a>(
        &'a self,
        actor: &'a Actor,
        item: u64,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(self.item_again(actor, item))
    }
}

/// The outbox of a daemon, for the parts of the console.
pub type Outbox = Arc<OutboxBoard>;
