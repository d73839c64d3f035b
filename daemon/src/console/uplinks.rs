//! Uploads to centres: how the lines stand, receipts, gaps, and what is to be sent again, each
//! within the actor's scope.

use super::scope::access;
use super::{ConsoleBackend, unavailable};
use crate::events::JournalEvent;
use crate::store::StoreError;
use crate::uplink::{ReplayError, UplinkBoard};
use cems_core::model::{OutletId, Registry, Timestamp, UtcOffset};
use cems_dashboards::backend::{
    Actor, BackendError, REPLAY_DAYS_MAX, Receipt, Reply, SentFilter, SentRow, UplinkBackend,
    UplinkGap, UplinkReplay, UplinkReplayAsk, UplinkSummary, may_replay, may_see_destinations,
};
use smol_str::{SmolStr, format_smolstr};
use std::sync::Arc;

/// The uplinks of a daemon, for the parts of the console; `None` without `[[uplink]]`.
pub type Uplinks = Option<Arc<UplinkBoard>>;

/// Which outlets the actor sees by this registry.
fn sight<'a>(actor: &'a Actor, registry: &'a Registry) -> impl Fn(&OutletId) -> bool + 'a {
    let access = access(actor);
    move |id| {
        let outlet = registry.outlets.get(id);
        outlet.is_some_and(|outlet| access.covers(registry, outlet))
    }
}

impl ConsoleBackend {
    /// The board, when the filter asks for what there is and the actor may see; `None` when this
    /// daemon uploads nothing and the filter names nothing.
    fn asked_uplinks(
        &self,
        filter: &SentFilter,
        sees: &dyn Fn(&OutletId) -> bool,
    ) -> Result<Option<&UplinkBoard>, BackendError> {
        if filter.outlet.as_ref().is_some_and(|id| !sees(id)) {
            return Err(BackendError::NotFound);
        }
        let board = self.uplinks.as_deref();
        let known = |id: &String| board.is_some_and(|board| board.has(id, sees));
        if filter.uplink.as_ref().is_some_and(|id| !known(id)) {
            return Err(BackendError::NotFound);
        }
        Ok(board)
    }

    /// Runs a question or an order of the board on a thread that may wait; `None` when this daemon
    /// uploads nothing.
    async fn at_uplinks<T: Send + 'static>(
        &self,
        does: impl FnOnce(&UplinkBoard) -> T + Send + 'static,
    ) -> Result<Option<T>, BackendError> {
        let Some(board) = self.uplinks.clone() else {
            return Ok(None);
        };
        let done = tokio::task::spawn_blocking(move || does(&board)).await;
        done.map(Some)
            .map_err(|error| BackendError::Unavailable(error.to_string()))
    }

    /// What a person asks for stands in the journal before it happens.
    async fn note_uplink(
        &self,
        actor: &Actor,
        what: &'static str,
        uplink: &str,
        detail: String,
    ) -> Result<Receipt, BackendError> {
        self.commit(&JournalEvent::Audit {
            who: SmolStr::new(actor.user.as_str()),
            what: SmolStr::new_static(what),
            object: format_smolstr!("uplink/{uplink}"),
            detail,
        })
        .await
    }

    async fn replay_to_centre(
        &self,
        actor: &Actor,
        ask: UplinkReplayAsk,
    ) -> Result<Receipt, BackendError> {
        if !may_replay(actor.role) {
            return Err(BackendError::Forbidden);
        }
        let registry = self.projected.registry();
        let offset = registry.offset;
        let (checked, who) = (ask.clone(), actor.clone());
        let fits = self
            .at_uplinks(move |board| board.check_replay(&sight(&who, &registry), &checked))
            .await?;
        let unknown = || Err(ReplayError::UnknownUplink(ask.uplink.clone()));
        let fits = fits.unwrap_or_else(unknown);
        fits.map_err(|error| not_again(&error, offset))?;
        let detail = told(&ask, offset);
        let receipt = self
            .note_uplink(actor, "uplink.replay", &ask.uplink, detail)
            .await?;
        let by = actor.user.to_string();
        let booked = self.at_uplinks(move |board| board.ask_replay(&ask, &by));
        if let Some(booked) = booked.await? {
            booked.map_err(|error| not_again(&error, offset))?;
        }
        Ok(receipt)
    }

    async fn cancel_replay_to_centre(
        &self,
        actor: &Actor,
        id: u64,
    ) -> Result<Receipt, BackendError> {
        if !may_replay(actor.role) {
            return Err(BackendError::Forbidden);
        }
        let registry = self.projected.registry();
        let offset = registry.offset;
        let who = actor.clone();
        let found = self.at_uplinks(move |board| {
            let sees = sight(&who, &registry);
            let open = |row: &UplinkReplay| row.done_at.is_none() && row.cancelled_at.is_none();
            let mut rows = board.replays(&sees)?.into_iter();
            let found = rows.find(|row| row.id == id && open(row));
            Ok::<_, StoreError>(found.map(|row| (board.covers(&row, &sees), row)))
        });
        let found = found.await?.unwrap_or(Ok(None)).map_err(unavailable)?;
        let over = || refused("no-replay", format!("#{id}"));
        let (covered, row) = found.ok_or_else(over)?;
        if !covered {
            return Err(BackendError::Forbidden);
        }
        let ask = UplinkReplayAsk {
            uplink: row.uplink,
            outlet: row.outlet,
            span: (row.from, row.until),
        };
        let detail = format!("#{id} {}", told(&ask, offset));
        let receipt = self
            .note_uplink(actor, "uplink.replay.cancelled", &ask.uplink, detail)
            .await?;
        let cancelled = self
            .at_uplinks(move |board| board.cancel_replay(id))
            .await?;
        let cancelled = cancelled.unwrap_or(Ok(false)).map_err(unavailable)?;
        if cancelled { Ok(receipt) } else { Err(over()) }
    }
}

fn refused(code: &str, detail: String) -> BackendError {
    BackendError::Refused {
        code: code.to_owned(),
        detail,
    }
}

fn minute(at: Timestamp, offset: UtcOffset) -> String {
    offset.local(at).format("%Y-%m-%d %H:%M").to_string()
}

/// A replay as the audit trail tells it: `2026-03-01 00:00 .. 2026-03-02 00:00 jia-1`.
fn told(ask: &UplinkReplayAsk, offset: UtcOffset) -> String {
    let (from, until) = ask.span;
    let (from, until) = (minute(from, offset), minute(until, offset));
    match &ask.outlet {
        Some(outlet) => format!("{from} .. {until} {outlet}"),
        None => format!("{from} .. {until}"),
    }
}

/// Why a period is not sent again, with the value at fault.
fn not_again(error: &ReplayError, offset: UtcOffset) -> BackendError {
    let Some(code) = error.code() else {
        return unavailable(error);
    };
    let detail = match error {
        ReplayError::UnknownUplink(id) | ReplayError::NotAll(id) => id.clone(),
        ReplayError::UnknownOutlet(id) => id.to_string(),
        ReplayError::Future(at) | ReplayError::BeforeStored(at) => minute(*at, offset),
        ReplayError::UnderWay(id) => format!("#{id}"),
        ReplayError::Period => REPLAY_DAYS_MAX.to_string(),
        ReplayError::NothingStored | ReplayError::Store(_) => String::new(),
    };
    refused(code, detail)
}

impl UplinkBackend for ConsoleBackend {
    fn has_uplinks(&self, actor: &Actor) -> bool {
        let registry = self.projected.registry();
        let board = self.uplinks.as_ref();
        board.is_some_and(|board| board.goes_anywhere(&sight(actor, &registry)))
    }

    fn is_uploaded(&self, outlet: &OutletId) -> bool {
        let board = self.uplinks.as_ref();
        board.is_some_and(|board| board.goes_anywhere(&|id| id == outlet))
    }

    fn uplinks(&self, actor: &Actor) -> Result<Vec<UplinkSummary>, BackendError> {
        let Some(board) = &self.uplinks else {
            return Ok(Vec::new());
        };
        let registry = self.projected.registry();
        board
            .summaries(&sight(actor, &registry), access(actor).sees_all())
            .map_err(unavailable)
    }

    fn sent(&self, actor: &Actor, filter: &SentFilter) -> Result<Vec<SentRow>, BackendError> {
        let registry = self.projected.registry();
        let sees = sight(actor, &registry);
        let board = self.asked_uplinks(filter, &sees)?;
        board.map_or(Ok(Vec::new()), |board| {
            board.sent(&sees, filter).map_err(unavailable)
        })
    }

    fn uplink_gaps(
        &self,
        actor: &Actor,
        filter: &SentFilter,
    ) -> Result<Vec<UplinkGap>, BackendError> {
        let registry = self.projected.registry();
        let sees = sight(actor, &registry);
        let board = self.asked_uplinks(filter, &sees)?;
        board.map_or(Ok(Vec::new()), |board| {
            board.gaps(&sees, filter).map_err(unavailable)
        })
    }

    fn uplink_replays(&self, actor: &Actor) -> Result<Vec<UplinkReplay>, BackendError> {
        if !may_see_destinations(actor.role) {
            return Err(BackendError::Forbidden);
        }
        let registry = self.projected.registry();
        self.uplinks.as_deref().map_or(Ok(Vec::new()), |board| {
            board.replays(&sight(actor, &registry)).map_err(unavailable)
        })
    }

    fn replay_uplink<'a>(
        &'a self,
        actor: &'a Actor,
        ask: UplinkReplayAsk,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(self.replay_to_centre(actor, ask))
    }

    fn cancel_uplink_replay<'a>(
        &'a self,
        actor: &'a Actor,
        replay: u64,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(self.cancel_replay_to_centre(actor, replay))
    }
}
