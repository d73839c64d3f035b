//! Destinations of data and events: how they are doing, and what people ask of them.

use super::{Actor, BackendError, Receipt, Reply};
use cems_core::model::{Permission, Role, Seq, Timestamp};

/// Longest period of one replay, days: two years of everything there is.
pub const REPLAY_DAYS_MAX: i64 = 800;

/// Trouble of a destination that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationTrouble {
    /// Since when.
    pub since: Timestamp,
    /// The last attempt.
    pub at: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
    /// Code of the cause: `unreachable`, `unauthorised`, ...
    pub cause: String,
    /// What the other side said (English), without addresses and secrets.
    pub said: String,
}

/// A period that is or was sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayStatus {
    /// Its number.
    pub id: u64,
    /// What began from then on.
    pub from: Timestamp,
    /// What began before.
    pub until: Timestamp,
    /// Who asked; `engine` when the log did not reach back.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Things sent so far.
    pub sent: u64,
    /// Series done with.
    pub done: u32,
    /// Series in all; 0 before it began.
    pub total: u32,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// How a destination is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationStatus {
    /// Its name.
    pub id: String,
    /// `influx` or `mqtt`.
    pub kind: String,
    /// Trouble that lasts.
    pub trouble: Option<DestinationTrouble>,
    /// The line of the log up to which it is served, and when that was written.
    pub position: Option<(Seq, Timestamp)>,
    /// Lines behind that.
    pub lag_rows: u64,
    /// When the oldest of them was written.
    pub lag_since: Option<Timestamp>,
    /// Things delivered so far.
    pub delivered: u64,
    /// Things too old to be sent.
    pub given_up: u64,
    /// Dead letters at hand.
    pub dead: u64,
    /// Dead letters that made room for newer ones.
    pub forgotten: u64,
    /// The last delivery.
    pub last_sent: Option<Timestamp>,
    /// Its replays, newest first.
    pub replays: Vec<ReplayStatus>,
}

/// How one way out of the house is doing: records to a centre, messages of a channel, or data and
/// events to a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayStatus {
    /// `uplink`, `channel` or `destination`.
    pub way: String,
    /// Its name.
    pub id: String,
    /// Things that wait.
    pub waiting: u64,
    /// Since when the oldest of them waits.
    pub waiting_since: Option<Timestamp>,
    /// Things delivered so far.
    pub delivered: u64,
    /// The last delivery.
    pub last_sent: Option<Timestamp>,
    /// Things too old to be sent.
    pub given_up: u64,
    /// Dead letters at hand.
    pub dead: u64,
    /// Trouble that lasts: since when, and what is wrong (English).
    pub trouble: Option<(Timestamp, String)>,
    /// It lasts for so long that there is an alarm.
    pub stuck: bool,
}

impl WayStatus {
    /// Whether it is the way to this destination.
    pub fn is(&self, destination: &DestinationStatus) -> bool {
        self.way == "destination" && self.id == destination.id
    }
}

/// A thing that a destination refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedItem {
    /// Its number.
    pub id: u64,
    /// Which thing: `jia-1/minute/1773815520000`, `event/812.0`.
    pub key: String,
    /// When.
    pub at: Timestamp,
    /// Why (English).
    pub why: String,
    /// Somebody asked for it to be sent again.
    pub again: bool,
}

/// Who may see destinations: those who look after the program, supervise or audit.
pub fn may_see_destinations(role: Role) -> bool {
    role.may(Permission::ViewAudit) || may_replay(role)
}

/// Who may have things sent again: those who look after the program, and supervisors.
pub fn may_replay(role: Role) -> bool {
    role.may(Permission::Administer) || role == Role::Supervisor
}

/// The part of the daemon that sends data and events out.
pub trait OutboxBackend {
    /// Every way out: centres, channels, destinations, each in the order of the settings.
    fn ways(&self, actor: &Actor) -> Result<Vec<WayStatus>, BackendError>;
    /// Every destination, in the order of the settings.
    fn destinations(&self, actor: &Actor) -> Result<Vec<DestinationStatus>, BackendError>;
    /// What a destination refused, newest first, at most
    /// [`LIST_ROWS_MAX`](super::LIST_ROWS_MAX).
    fn refused_items(
        &self,
        actor: &Actor,
        destination: &str,
    ) -> Result<Vec<RefusedItem>, BackendError>;
    /// Sends everything that began in `from <= t < until` again.
    fn replay<'a>(
        &'a self,
        actor: &'a Actor,
        destination: String,
        span: (Timestamp, Timestamp),
    ) -> Reply<'a, Result<Receipt, BackendError>>;
    /// Sends a refused thing again.
    fn send_item_again<'a>(
        &'a self,
        actor: &'a Actor,
        item: u64,
    ) -> Reply<'a, Result<Receipt, BackendError>>;
}
