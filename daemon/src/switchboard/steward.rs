//! What a centre asks of loggers by itself: the initial procedure, the time, new keys, missing
//! records. It only orders; the connections send.

use super::refetch::{self, wall};
use super::{LineState, OrderError, Switchboard, Why};
use crate::clock::Clock;
use crate::events::JournalEvent;
use crate::journal::{Draft, Journal};
use crate::keys::{DeviceKey, KEY_ROTATE_MS, KeyOwner, KeyRing};
use crate::pipeline::Projected;
use crate::store::{Readers, StoreError};
use cems_core::model::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
use cems_core::model::{OutletId, Seq, Timestamp};
use cems_protocols::hj212::dialogue::{InitialSettings, initial_procedure};
use cems_protocols::hj212::{Request, Secret, order};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Who orders, in the journal.
const DAEMON: &str = "daemon";
/// How often the steward looks around, real time.
const ROUND: Duration = Duration::from_secs(1);
/// How long a logger is left to itself after it connected: what it kept during an outage comes
/// by itself, and live data go first.
const SETTLE_MS: i64 = MINUTE_MS;
/// How soon an outlet is looked at again for missing records after nothing was found.
const LOOK_AGAIN_MS: i64 = 5 * MINUTE_MS;
/// How soon after an attempt.
const GO_ON_MS: i64 = 5 * SECOND_MS;
/// How often the age of keys is looked at.
const KEY_LOOK_MS: i64 = HOUR_MS;
/// Least time between two answers to requests for the time: one logger asks every second.
const TIME_PAUSE_MS: i64 = MINUTE_MS;
/// Least time between two keys at the logger's own request.
const KEY_PAUSE_MS: i64 = HOUR_MS;
/// Outlets whose missing records are looked up in one round: each costs some milliseconds of
/// the store's readers, which pages want too.
const LOOKS_PER_ROUND: usize = 4;
/// How long the start waits for the projections before it gives up old exchanges.
const CATCH_UP: Duration = Duration::from_secs(600);

/// What a connection wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A logger has connected.
    Connected(OutletId),
    /// Its clock is wrong.
    SetClock(OutletId),
    /// It asks for the time, for itself or an instrument.
    AsksTime(OutletId, Option<SmolStr>),
    /// It asks for a new key.
    NewKey(OutletId),
}

/// Why something was not done this time.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Keys(#[from] crate::keys::KeyError),
}

/// Gives the daemon's own orders.
pub struct Steward {
    /// Where they go.
    pub board: Arc<Switchboard>,
    /// For old exchanges that are given up.
    pub journal: Journal,
    /// The registry in force.
    pub projected: Arc<Projected>,
    /// What is known.
    pub readers: Readers,
    /// Keys of loggers.
    pub keys: Arc<KeyRing>,
    /// The daemon's clock.
    pub clock: Clock,
}

/// What the steward has to remember between rounds.
#[derive(Default)]
struct Notes {
    /// When an outlet is next looked at for missing records.
    look_at: BTreeMap<OutletId, Timestamp>,
    /// When it was last told the time at its own request.
    told_time: BTreeMap<(OutletId, Option<SmolStr>), Timestamp>,
    /// When it was last given a key at its own request.
    gave_key: BTreeMap<OutletId, Timestamp>,
    /// Requests for records that may still be ordered, in thousandths.
    budget: u64,
    keys_at: Option<Timestamp>,
}

impl Notes {
    /// Outlets that went away are forgotten, so that notes do not grow with every stranger.
    fn forget_all_but(&mut self, connected: &[LineState]) {
        let here: BTreeSet<&OutletId> = connected.iter().map(|line| &line.outlet).collect();
        self.look_at.retain(|outlet, _| here.contains(outlet));
        self.told_time
            .retain(|(outlet, _), _| here.contains(outlet));
        self.gave_key.retain(|outlet, _| here.contains(outlet));
    }
}

impl Steward {
    /// Works until told to stop. `last`: the journal position at the start, up to which open
    /// exchanges belong to an earlier run.
    pub async fn run(self, mut wishes: mpsc::Receiver<Wish>, last: Seq, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => return,
            () = self.give_up_old(last) => {}
        }
        let mut notes = Notes::default();
        let mut rounds = tokio::time::interval(ROUND);
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let done = tokio::select! {
                () = stop.cancelled() => return,
                Some(wish) = wishes.recv() => self.fulfil(wish, &mut notes).await,
                _ = rounds.tick() => self.round(&mut notes).await,
            };
            if let Err(trouble) = done {
                tracing::warn!(%trouble, "an order of the daemon's own is left for the next time");
            }
        }
    }

    /// What was open when the daemon stopped cannot go on: nobody knows what became of it.
    async fn give_up_old(&self, last: Seq) {
        self.projected.reached(last, CATCH_UP).await;
        let readers = self.readers.clone();
        let open = tokio::task::spawn_blocking(move || readers.open_exchanges()).await;
        let open = match open {
            Ok(Ok(open)) => open,
            Ok(Err(error)) => {
                tracing::error!(%error, "exchanges of the last run stay open");
                return;
            }
            Err(_) => return,
        };
        for row in open.into_iter().filter(|row| row.id <= last) {
            let event = JournalEvent::Step {
                id: row.id.0,
                outlet: row.outlet,
                what: SmolStr::new_static("cancelled"),
                detail: super::detail::RESTARTED.to_owned(),
                state: cems_core::model::ExchangeState::Cancelled,
            };
            if self
                .journal
                .append(Draft::now(event.to_line()))
                .await
                .is_err()
            {
                return;
            }
        }
    }

    async fn fulfil(&self, wish: Wish, notes: &mut Notes) -> Result<(), Trouble> {
        let now = self.clock.now();
        match wish {
            Wish::Connected(outlet) => {
                notes.look_at.insert(outlet.clone(), now.plus_ms(SETTLE_MS));
                self.greet(&outlet).await
            }
            Wish::SetClock(outlet) if self.board.has(&outlet, Why::Time) => Ok(()),
            Wish::SetClock(outlet) => self.tell_time(&outlet, None, now).await,
            Wish::AsksTime(outlet, pol_id) => {
                let whose = (outlet, pol_id);
                let told = notes.told_time.get(&whose);
                if told.is_some_and(|at| now < at.plus_ms(TIME_PAUSE_MS)) {
                    return Ok(());
                }
                notes.told_time.insert(whose.clone(), now);
                self.tell_time(&whose.0, whose.1, now).await
            }
            Wish::NewKey(outlet) => {
                let gave = notes.gave_key.get(&outlet);
                if gave.is_some_and(|at| now < at.plus_ms(KEY_PAUSE_MS)) {
                    return Ok(());
                }
                notes.gave_key.insert(outlet.clone(), now);
                self.new_key(&outlet, now, 0).await
            }
        }
    }

    async fn tell_time(
        &self,
        outlet: &OutletId,
        pol_id: Option<SmolStr>,
        now: Timestamp,
    ) -> Result<(), Trouble> {
        let system_time = wall(now, self.projected.registry().offset);
        let request = Request::SetTime {
            pol_id,
            system_time,
        };
        self.order(outlet, request, Why::Time).await
    }

    /// At a first connection: what is known of its clock, and the initial procedure.
    async fn greet(&self, outlet: &OutletId) -> Result<(), Trouble> {
        let (device, done_at) = {
            let (readers, outlet) = (self.readers.clone(), outlet.clone());
            blocking(move || {
                let only = BTreeSet::from([outlet.clone()]);
                let rows = readers.exchanges(Some(&only), INITIAL_READ)?;
                let done = rows.iter().find(|row| row.why == "initial").map(|r| r.at);
                Ok((readers.device(&outlet)?, done))
            })
            .await?
        };
        if device
            .iter()
            .any(|row| row.habits.sets_clock == Some(false))
        {
            self.board.clock_ignores(outlet);
        }
        let (Some(settings), Some(edition)) =
            (self.board.settings().initial, self.board.edition(outlet))
        else {
            return Ok(());
        };
        let now = self.clock.now();
        let period_ms = i64::from(settings.every_days) * DAY_MS;
        if done_at.is_some_and(|done| now < done.plus_ms(period_ms)) {
            return Ok(());
        }
        let offset = self.projected.registry().offset;
        let wanted = InitialSettings {
            time: settings.set_time.then(|| wall(now, offset)),
            timeouts: settings.timeouts,
            rtd_interval_s: settings.realtime_interval_s,
            min_interval_min: settings.minute_interval_min,
            realtime: settings.realtime,
            facility: settings.facility,
        };
        for request in initial_procedure(edition, &wanted) {
            self.order(outlet, request, Why::Initial).await?;
        }
        Ok(())
    }

    async fn round(&self, notes: &mut Notes) -> Result<(), Trouble> {
        self.board.sweep().await?;
        let now = self.clock.now();
        let connected = self.board.connected();
        notes.forget_all_but(&connected);
        if notes.keys_at.is_none_or(|at| now >= at) {
            notes.keys_at = Some(now.plus_ms(KEY_LOOK_MS));
            self.old_keys(now).await?;
        }
        let per_minute = u64::from(self.board.settings().refetch_per_minute);
        let speed = u64::from(self.clock.speed());
        // A minute's worth may come at once, no more.
        notes.budget = (notes.budget + per_minute * speed * 1_000 / 60).min(per_minute * 1_000);
        match self.board.settings().refetch_days {
            Some(days) => self.fetch_missing(notes, &connected, now, days).await,
            None => Ok(()),
        }
    }

    /// Looks at a few outlets whose line is idle, and orders what is missing.
    async fn fetch_missing(
        &self,
        notes: &mut Notes,
        connected: &[LineState],
        now: Timestamp,
        days: u32,
    ) -> Result<(), Trouble> {
        let due = |line: &&LineState| {
            let first = line.since.plus_ms(SETTLE_MS);
            let at = notes.look_at.get(&line.outlet).copied().unwrap_or(first);
            line.idle && at <= now
        };
        let lines: Vec<LineState> = connected
            .iter()
            .filter(due)
            .take(LOOKS_PER_ROUND)
            .cloned()
            .collect();
        for line in lines {
            if notes.budget < 1_000 {
                return Ok(());
            }
            let ordered = self.fetch(&line, days, now).await?;
            let pause = if ordered { GO_ON_MS } else { LOOK_AGAIN_MS };
            if ordered {
                notes.budget -= 1_000;
            }
            notes.look_at.insert(line.outlet, now.plus_ms(pause));
        }
        Ok(())
    }

    async fn fetch(&self, line: &LineState, days: u32, now: Timestamp) -> Result<bool, Trouble> {
        let registry = self.projected.registry();
        let Some(outlet) = registry.outlets.get(&line.outlet).cloned() else {
            return Ok(false);
        };
        let (readers, offset) = (self.readers.clone(), registry.offset);
        let wanted =
            blocking(move || refetch::wanted(&readers, &outlet, offset, days, now)).await?;
        let Some(wanted) = wanted else {
            return Ok(false);
        };
        let request = Request::History {
            kind: wanted.kind,
            begin: wall(wanted.range.first, offset),
            end: wall(wanted.range.last, offset),
        };
        self.order(&line.outlet, request, Why::Gap).await?;
        Ok(true)
    }

    async fn old_keys(&self, now: Timestamp) -> Result<(), Trouble> {
        for line in self.board.connected() {
            self.new_key(&line.outlet, now, KEY_ROTATE_MS).await?;
        }
        Ok(())
    }

    /// Orders a new key when the present one is at least `age_ms` old. A logger without a key gets
    /// none this way: it would travel in clear text.
    async fn new_key(&self, outlet: &OutletId, now: Timestamp, age_ms: i64) -> Result<(), Trouble> {
        let spoken = self.board.edition(outlet);
        let knows = spoken.is_some_and(|edition| order("1014", edition).is_some());
        let wanted = self.board.settings().rotate_keys && knows;
        let present = self.keys.in_force(&KeyOwner::Outlet(outlet.clone()))?;
        let old = present.is_some_and(|dated| now >= dated.since.plus_ms(age_ms));
        if !wanted || !old || self.board.has(outlet, Why::Key) {
            return Ok(());
        }
        let key = DeviceKey::random();
        let Some(text) = key.text() else {
            return Ok(());
        };
        let request = Request::SetKey {
            created: wall(now, self.projected.registry().offset),
            key: Secret::new(text),
        };
        self.order(outlet, request, Why::Key).await
    }

    async fn order(&self, outlet: &OutletId, request: Request, why: Why) -> Result<(), Trouble> {
        // Gone since: it asks again when it comes back.
        let Some(edition) = self.board.edition(outlet) else {
            return Ok(());
        };
        self.board
            .order(outlet, edition, request, (DAEMON, why))
            .await?;
        Ok(())
    }
}

/// Exchanges of an outlet among which the last initial procedure is looked for; when more have
/// passed since, it is done again.
const INITIAL_READ: usize = 2_000;

async fn blocking<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(ask)
        .await
        .unwrap_or_else(|_| Err(StoreError::Busy("a question was broken off".to_owned())))
}
