//! Where orders to loggers wait for their line: one queue an outlet, served by whatever connection
//! its logger has now.
//!
//! An order is journalled before it waits; the position of that line is the number of the
//! exchange. The connection takes one order at a time, a person's before the daemon's own, and
//! journals every step. An order whose logger does not come in time is cancelled, and so is, at the
//! next start, everything that was open when the daemon stopped.

mod clocks;
pub mod detail;
mod refetch;
mod steward;

pub use clocks::ClockNews;
pub use steward::{Steward, Wish};

use crate::clock::Clock;
use crate::events::JournalEvent;
use crate::journal::{Draft, Journal};
use cems_config::DialogueSettings;
use cems_core::model::time::SECOND_MS;
use cems_core::model::{ExchangeState, OutletId, Seq, Timestamp};
use cems_protocols::hj212::{Edition, Request};
use clocks::ClockWatch;
use smol_str::SmolStr;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};

/// Orders that may wait at one outlet: more than a person sends in an hour and the daemon ever
/// orders at once. One more is refused.
pub const ORDERS_PER_OUTLET_MAX: usize = 32;

/// Wishes of connections that wait for the steward. One more is dropped: a wish comes again with
/// the next connection or the next frame.
const WISHES_MAX: usize = 1_024;

/// Why an order was given; a person's goes before the daemon's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A person wants it.
    Order,
    /// Change of key.
    Key,
    /// The logger's clock.
    Time,
    /// First connection.
    Initial,
    /// Records are missing.
    Gap,
}

impl Why {
    /// The code in the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Key => "key",
            Self::Time => "time",
            Self::Initial => "initial",
            Self::Gap => "gap",
        }
    }
}

/// Why an order was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Too many wait already.
    #[error("{ORDERS_PER_OUTLET_MAX} orders wait at {0} already; wait until they are done")]
    QueueFull(OutletId),
    /// It could not be journalled, so it does not exist.
    #[error("journal: {0}")]
    Journal(String),
}

/// An order that waits or is under way.
#[derive(Debug, Clone)]
pub struct Order {
    /// Its number: the journal position of the order.
    pub id: Seq,
    /// What is asked.
    pub request: Request,
    /// Why.
    pub why: Why,
    /// When it is cancelled if it has not been sent.
    expires: Timestamp,
}

/// Proof that an order is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ordered {
    /// The number of the exchange.
    pub id: Seq,
    /// Its journal time.
    pub at: Timestamp,
}

/// The place of a connection at the switchboard; a newer one of the same outlet replaces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plug(u64);

/// What is known of a connected outlet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineState {
    /// Which.
    pub outlet: OutletId,
    /// Edition its logger speaks.
    pub edition: Edition,
    /// Since when it is connected.
    pub since: Timestamp,
    /// Nothing waits and nothing is under way.
    pub idle: bool,
}

/// One outlet.
#[derive(Default)]
struct Line {
    connection: Option<Connected>,
    waiting: VecDeque<Order>,
    /// Orders that are being journalled.
    coming: usize,
    /// Under way, and why.
    open: Option<(Seq, Why)>,
    clock: Option<ClockWatch>,
}

struct Connected {
    plug: Plug,
    edition: Edition,
    since: Timestamp,
    wake: Arc<Notify>,
}

/// The switchboard of a centre.
pub struct Switchboard {
    journal: Journal,
    clock: Clock,
    settings: DialogueSettings,
    lines: Mutex<Lines>,
    wishes: mpsc::Sender<Wish>,
}

#[derive(Default)]
struct Lines {
    by_outlet: BTreeMap<OutletId, Line>,
    plugs: u64,
}

impl Switchboard {
    /// An empty switchboard, and the wishes its connections will have, for the [`Steward`].
    pub fn new(
        journal: Journal,
        clock: Clock,
        settings: DialogueSettings,
    ) -> (Arc<Self>, mpsc::Receiver<Wish>) {
        let (wishes, heard) = mpsc::channel(WISHES_MAX);
        let board = Self {
            journal,
            clock,
            settings,
            lines: Mutex::default(),
            wishes,
        };
        (Arc::new(board), heard)
    }

    /// How it is set.
    pub fn settings(&self) -> &DialogueSettings {
        &self.settings
    }

    /// Takes an order: it is on disk when this returns, and is sent when its turn comes. A caller
    /// that goes away meanwhile (a browser that is closed) changes nothing: what is in the journal
    /// is in the queue.
    ///
    /// # Errors
    /// When too many wait, or the journal takes nothing.
    pub async fn order(
        self: &Arc<Self>,
        outlet: &OutletId,
        edition: Edition,
        request: Request,
        (by, why): (&str, Why),
    ) -> Result<Ordered, OrderError> {
        let (board, outlet, by) = (Arc::clone(self), outlet.clone(), SmolStr::new(by));
        tokio::spawn(async move { board.take_in(&outlet, edition, request, (by, why)).await })
            .await
            .map_err(|error| OrderError::Journal(error.to_string()))?
    }

    async fn take_in(
        &self,
        outlet: &OutletId,
        edition: Edition,
        request: Request,
        (by, why): (SmolStr, Why),
    ) -> Result<Ordered, OrderError> {
        {
            let mut lines = self.lines();
            let line = lines.by_outlet.entry(outlet.clone()).or_default();
            if line.waiting.len() + line.coming >= ORDERS_PER_OUTLET_MAX {
                return Err(OrderError::QueueFull(outlet.clone()));
            }
            line.coming += 1;
        }
        let event = JournalEvent::Order {
            outlet: outlet.clone(),
            cn: SmolStr::new_static(request.cn()),
            params: request.params_masked(edition),
            by,
            why: SmolStr::new_static(why.as_str()),
        };
        let appended = self.journal.append(Draft::now(event.to_line())).await;
        let mut lines = self.lines();
        let line = lines.by_outlet.entry(outlet.clone()).or_default();
        line.coming = line.coming.saturating_sub(1);
        let committed = appended.map_err(|error| OrderError::Journal(error.to_string()))?;
        let at = Timestamp(committed.at_ms);
        let id = Seq(committed.seq);
        let wait_ms = i64::from(self.settings.device_wait_s) * SECOND_MS;
        line.waiting.push_back(Order {
            id,
            request,
            why,
            expires: self.clock.now().plus_ms(wait_ms),
        });
        if let Some(connection) = &line.connection {
            connection.wake.notify_one();
        }
        Ok(Ordered { id, at })
    }

    /// A connection has become that of `outlet`; it is woken when there is an order for it. An
    /// older connection of the outlet gets no more orders.
    pub fn plug_in(&self, outlet: &OutletId, edition: Edition, wake: &Arc<Notify>) -> Plug {
        let now = self.clock.now();
        let mut lines = self.lines();
        lines.plugs += 1;
        let plug = Plug(lines.plugs);
        let line = lines.by_outlet.entry(outlet.clone()).or_default();
        line.connection = Some(Connected {
            plug,
            edition,
            since: now,
            wake: Arc::clone(wake),
        });
        if !line.waiting.is_empty() {
            wake.notify_one();
        }
        drop(lines);
        self.wish(Wish::Connected(outlet.clone()));
        plug
    }

    /// A connection has ended.
    pub fn unplug(&self, outlet: &OutletId, plug: Plug) {
        let mut lines = self.lines();
        if let Some(line) = lines.by_outlet.get_mut(outlet)
            && line.connection.as_ref().is_some_and(|c| c.plug == plug)
        {
            line.connection = None;
            line.open = None;
        }
    }

    /// The next order for this connection, unless one is under way.
    pub fn take(&self, outlet: &OutletId, plug: Plug) -> Option<Order> {
        let now = self.clock.now();
        let mut lines = self.lines();
        let line = lines.by_outlet.get_mut(outlet)?;
        if line.open.is_some() || line.connection.as_ref().is_none_or(|c| c.plug != plug) {
            return None;
        }
        let next = (0..line.waiting.len())
            .filter(|n| line.waiting[*n].expires > now)
            .min_by_key(|n| (line.waiting[*n].why, *n))?;
        let order = line.waiting.remove(next)?;
        line.open = Some((order.id, order.why));
        Some(order)
    }

    /// An exchange is over; the next order may be taken.
    pub fn ended(&self, outlet: &OutletId, id: Seq) {
        let mut lines = self.lines();
        if let Some(line) = lines.by_outlet.get_mut(outlet)
            && line.open.is_some_and(|(open, _)| open == id)
        {
            line.open = None;
        }
    }

    /// The edition that the connected logger of an outlet speaks; `None` when none is connected.
    pub fn edition(&self, outlet: &OutletId) -> Option<Edition> {
        let lines = self.lines();
        let connection = lines.by_outlet.get(outlet)?.connection.as_ref()?;
        Some(connection.edition)
    }

    /// The logger turned out to speak another edition.
    pub fn speaks(&self, outlet: &OutletId, plug: Plug, edition: Edition) {
        let mut lines = self.lines();
        if let Some(connection) = lines
            .by_outlet
            .get_mut(outlet)
            .and_then(|line| line.connection.as_mut())
            .filter(|connection| connection.plug == plug)
        {
            connection.edition = edition;
        }
    }

    /// Every connected outlet.
    pub fn connected(&self) -> Vec<LineState> {
        let lines = self.lines();
        let state = |(outlet, line): (&OutletId, &Line)| {
            let connection = line.connection.as_ref()?;
            Some(LineState {
                outlet: outlet.clone(),
                edition: connection.edition,
                since: connection.since,
                idle: line.open.is_none() && line.waiting.is_empty() && line.coming == 0,
            })
        };
        lines.by_outlet.iter().filter_map(state).collect()
    }

    /// Whether an order of this kind waits or is under way.
    pub fn has(&self, outlet: &OutletId, why: Why) -> bool {
        let lines = self.lines();
        lines.by_outlet.get(outlet).is_some_and(|line| {
            line.waiting.iter().any(|order| order.why == why)
                || line.open.is_some_and(|(_, open)| open == why)
        })
    }

    /// Cancels the orders whose logger did not come in time.
    ///
    /// # Errors
    /// When the journal takes nothing; they stay and are cancelled later.
    pub async fn sweep(&self) -> Result<(), OrderError> {
        let now = self.clock.now();
        let expired: Vec<(OutletId, Seq)> = {
            let lines = self.lines();
            let all = lines.by_outlet.iter();
            all.flat_map(|(outlet, line)| {
                let late = line.waiting.iter().filter(|order| order.expires <= now);
                late.map(|order| (outlet.clone(), order.id))
            })
            .collect()
        };
        for (outlet, id) in expired {
            self.cancel(&outlet, id, detail::NOT_CONNECTED).await?;
            let mut lines = self.lines();
            if let Some(line) = lines.by_outlet.get_mut(&outlet) {
                line.waiting.retain(|order| order.id != id);
            }
        }
        Ok(())
    }

    /// Journals that an exchange is over before it was sent.
    ///
    /// # Errors
    /// When the journal takes nothing.
    pub async fn cancel(&self, outlet: &OutletId, id: Seq, why: &str) -> Result<(), OrderError> {
        let event = JournalEvent::Step {
            id: id.0,
            outlet: outlet.clone(),
            what: SmolStr::new_static(ExchangeState::Cancelled.as_str()),
            detail: why.to_owned(),
            state: ExchangeState::Cancelled,
        };
        self.journal
            .append(Draft::now(event.to_line()))
            .await
            .map(|_| ())
            .map_err(|error| OrderError::Journal(error.to_string()))
    }

    /// Tells the steward something; see `WISHES_MAX`.
    pub fn wish(&self, wish: Wish) {
        if let Err(error) = self.wishes.try_send(wish) {
            tracing::debug!(%error, "a wish of a connection is left for the next time");
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        // Every change is whole before the guard is dropped.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
