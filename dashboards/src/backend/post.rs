//! Channels and messages: how they are doing, and what people do with them.

use super::{Actor, BackendError, Receipt, Reply};
use cems_core::model::{
    ChannelId, ChannelKind, MessageId, MessageRow, Permission, Role, Timestamp,
};

/// How a channel is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelStatus {
    /// Its name.
    pub id: ChannelId,
    /// Its kind.
    pub kind: ChannelKind,
    /// Messages that wait.
    pub waiting: u64,
    /// Messages delivered so far.
    pub delivered: u64,
    /// Dead letters at hand.
    pub dead: u64,
    /// The last delivery.
    pub last_sent: Option<Timestamp>,
    /// The last trouble in words (English), and when; without addresses and secrets.
    pub trouble: Option<(Timestamp, String)>,
    /// A test by the person who asks has somewhere to go.
    pub reaches_me: bool,
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageState {
    /// It waits for its first or next attempt.
    Waiting,
    /// The other side has taken it.
    Delivered,
    /// It was given up: a dead letter.
    Dead,
}

impl MessageState {
    /// Every state, in the order of the page's tabs.
    pub const ALL: [MessageState; 3] = [Self::Dead, Self::Waiting, Self::Delivered];

    /// The name in addresses, the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A message with what became of it so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageStatus {
    /// The message; its deadline is the one in force.
    pub message: MessageRow,
    /// Where it stands.
    pub state: MessageState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, while it waits.
    pub next_at: Timestamp,
    /// When it came to its end.
    pub ended_at: Option<Timestamp>,
    /// What the other side said last, or what was wrong (English).
    pub detail: String,
}

/// Who may see channels and messages: those who answer alarms, look after the program or audit.
pub fn may_see_messages(role: Role) -> bool {
    role.may(Permission::AcknowledgeAlarm)
        || role.may(Permission::Administer)
        || role.may(Permission::ViewAudit)
}

/// Who may try a channel: those who look after the program, and supervisors.
pub fn may_test_channels(role: Role) -> bool {
    role.may(Permission::Administer) || role == Role::Supervisor
}

/// The part of the daemon that sends messages.
pub trait PostOffice {
    /// Every channel, in the order of the settings.
    fn channels(&self, actor: &Actor) -> Result<Vec<ChannelStatus>, BackendError>;
    /// Messages in a state within the actor's scope, newest first, at most
    /// [`LIST_ROWS_MAX`](super::LIST_ROWS_MAX).
    fn messages(
        &self,
        actor: &Actor,
        state: MessageState,
    ) -> Result<Vec<MessageStatus>, BackendError>;
    /// Sends a test message through a channel, to the actor where the channel is a personal one.
    fn test_channel<'a>(
        &'a self,
        actor: &'a Actor,
        channel: ChannelId,
    ) -> Reply<'a, Result<Receipt, BackendError>>;
    /// Sends a dead letter again.
    fn send_again<'a>(
        &'a self,
        actor: &'a Actor,
        message: MessageId,
    ) -> Reply<'a, Result<Receipt, BackendError>>;
}
