//! How the uplinks are doing, for pages, metrics and health.

mod replays;
mod tell;
mod way;

pub use replays::ReplayError;

use super::outbox::{Mailbox, Outbox, Standing};
use super::receipts::Receipts;
use crate::clock::Clock;
use crate::store::{Readers, StoreError};
use cems_config::{Uplink, UplinkOutlet};
use cems_core::model::time::MINUTE_MS;
use cems_core::model::{Expectation, Registry, Timestamp, UtcOffset};
use cems_dashboards::backend::UplinkStatus;
use metrics::counter;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A centre without a sign of life for this long while something is owed to it is a problem of
/// the daemon's health: three attempts of the slowest kind.
const DEAD_AFTER_MS: i64 = 15 * MINUTE_MS;

/// The uplinks as they are now. Clones of the pointer are shared by lines and pages.
pub struct UplinkBoard {
    receipts: Receipts,
    /// Where records come from.
    readers: Readers,
    /// Where what people ask for is written.
    outbox: Arc<Outbox>,
    /// Wakes the feed, which serves it.
    asked: Arc<Notify>,
    clock: Clock,
    offset: UtcOffset,
    uplinks: Vec<Entry>,
}

struct Entry {
    uplink: Arc<Uplink>,
    lines: Vec<Line>,
}

struct Line {
    mailbox: Mailbox,
    /// What the station forms for the outlet; `None` when the registry does not have it.
    formed: Option<Expectation>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connected: bool,
    /// Since when nothing has been heard of the centre although something should have been.
    trouble_since: Option<Timestamp>,
    last_error: Option<(Timestamp, String)>,
}

impl UplinkBoard {
    pub(super) fn new(
        uplinks: &[Arc<Uplink>],
        registry: &Registry,
        (receipts, readers): (Receipts, Readers),
        (outbox, asked): (Arc<Outbox>, Arc<Notify>),
        clock: Clock,
    ) -> Self {
        let line = |uplink: &Uplink, terms: &UplinkOutlet| Line {
            mailbox: Mailbox {
                uplink: uplink.id.to_string(),
                outlet: terms.outlet.clone(),
            },
            formed: registry
                .outlets
                .get(&terms.outlet)
                .map(|outlet| outlet.expectation.clone()),
            state: Mutex::default(),
        };
        let entry = |uplink: &Arc<Uplink>| Entry {
            lines: uplink
                .outlets
                .iter()
                .map(|terms| line(uplink, terms))
                .collect(),
            uplink: Arc::clone(uplink),
        };
        Self {
            receipts,
            readers,
            outbox,
            asked,
            clock,
            offset: registry.offset,
            uplinks: uplinks.iter().map(entry).collect(),
        }
    }

    /// Every uplink, in the order of the settings. Asks a database: call it on a thread that may
    /// wait.
    ///
    /// # Errors
    /// Disk or damage of `uplink.db`.
    pub fn status(&self) -> Result<Vec<UplinkStatus>, StoreError> {
        self.uplinks.iter().map(|entry| self.of(entry)).collect()
    }

    fn of(&self, entry: &Entry) -> Result<UplinkStatus, StoreError> {
        let uplink = &entry.uplink;
        let mut status = UplinkStatus {
            id: uplink.id.to_string(),
            address: uplink.address.to_string(),
            edition: uplink.edition.as_str().to_owned(),
            connected: !entry.lines.is_empty(),
            pending: 0,
            oldest_pending: None,
            last_acknowledged: None,
            acknowledged: 0,
            last_error: None,
        };
        for line in &entry.lines {
            let (standing, _) = self.receipts.standing(&line.mailbox)?;
            let Standing {
                pending,
                oldest,
                acknowledged,
                last_acknowledged,
                ..
            } = standing;
            status.pending += pending;
            status.acknowledged += acknowledged;
            status.oldest_pending = [status.oldest_pending, oldest].into_iter().flatten().min();
            status.last_acknowledged = status.last_acknowledged.max(last_acknowledged);
            let state = line.state();
            status.connected &= state.connected;
            if state.last_error > status.last_error {
                status.last_error.clone_from(&state.last_error);
            }
        }
        Ok(status)
    }

    fn line(&self, mailbox: &Mailbox) -> Option<MutexGuard<'_, State>> {
        self.uplinks
            .iter()
            .flat_map(|entry| &entry.lines)
            .find(|line| line.mailbox == *mailbox)
            .map(Line::state)
    }

    /// A connection stands.
    pub(super) fn connected(&self, mailbox: &Mailbox, peer: &str) {
        let Mailbox { uplink, outlet } = mailbox;
        counter!("cems_uplink_connections_total", "uplink" => uplink.clone()).increment(1);
        tracing::info!(%uplink, %outlet, %peer, "connected to the centre");
        if let Some(mut state) = self.line(mailbox) {
            state.connected = true;
        }
    }

    /// The connection is gone.
    pub(super) fn disconnected(&self, mailbox: &Mailbox, why: &str) {
        if let Some(mut state) = self.line(mailbox) {
            state.connected = false;
        }
        self.trouble(mailbox, why);
    }

    /// Something went wrong.
    pub(super) fn trouble(&self, mailbox: &Mailbox, why: &str) {
        let Mailbox { uplink, outlet } = mailbox;
        let now = self.clock.now();
        let Some(mut state) = self.line(mailbox) else {
            return;
        };
        // An outage of hours is one line of the log, not one a minute.
        let known = state
            .last_error
            .as_ref()
            .is_some_and(|(_, last)| last == why);
        if !known || state.trouble_since.is_none() {
            tracing::warn!(%uplink, %outlet, %why, "trouble with the centre");
        }
        state.trouble_since.get_or_insert(now);
        state.last_error = Some((now, why.to_owned()));
    }

    /// The centre is there, or nothing is owed to it.
    pub(super) fn alive(&self, mailbox: &Mailbox) {
        if let Some(mut state) = self.line(mailbox) {
            state.trouble_since = None;
        }
    }

    /// Records were acknowledged.
    pub(super) fn acknowledged(&self, mailbox: &Mailbox, records: usize) {
        let records = u64::try_from(records).unwrap_or(u64::MAX);
        counter!("cems_uplink_acknowledged_total", "uplink" => mailbox.uplink.clone())
            .increment(records);
        self.alive(mailbox);
    }
}

impl State {
    /// Since when nothing has been heard, and why.
    fn trouble(&self) -> Option<(Timestamp, String)> {
        let since = self.trouble_since?;
        let why = self.last_error.as_ref().map(|(_, why)| why.clone());
        Some((since, why.unwrap_or_default()))
    }
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        // Plain data, whole at every moment: a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
