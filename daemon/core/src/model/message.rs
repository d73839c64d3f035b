//! Messages (通知): what somebody must be told, through which channel, by when.
//!
//! The engine decides who is told what and when; the row names facts only (alarm, duty, fallback).
//! The words are made when it is sent, in the reader's language, from the rows as they stand then.

use super::alarm::Priority;
use super::ids::{AlarmId, ChannelId, DutyKey, EnterpriseId, FallbackId, MessageId, Seq, UserId};
use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Why a message is sent. One list: code and texts hang on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageReason {
    /// Alarms were raised.
    AlarmRaised,
    /// Alarms went back to normal.
    AlarmReturned,
    /// Nobody has acknowledged in time: the next in the chain is told.
    AlarmEscalated,
    /// An acknowledgement or a shelving ran out while the condition holds.
    AlarmRearmed,
    /// A person asked for the enterprise or the operator of the equipment to be told.
    AlarmHandedOn,
    /// A fallback opened: manual reports are owed from now on.
    FallbackOpened,
    /// A manual report falls due soon.
    ReportReminder,
    /// A manual report is overdue, told to the next in the chain.
    ReportEscalated,
    /// A fallback closed.
    FallbackClosed,
    /// A duty falls due soon.
    DutyReminder,
    /// A duty is overdue, told to the next in the chain.
    DutyEscalated,
    /// Several things held back by quiet hours or by a rate limit.
    Digest,
    /// A person tries a channel.
    Test,
}

impl MessageReason {
    /// Every reason.
    pub const ALL: [MessageReason; 13] = [
        Self::AlarmRaised,
        Self::AlarmReturned,
        Self::AlarmEscalated,
        Self::AlarmRearmed,
        Self::AlarmHandedOn,
        Self::FallbackOpened,
        Self::ReportReminder,
        Self::ReportEscalated,
        Self::FallbackClosed,
        Self::DutyReminder,
        Self::DutyEscalated,
        Self::Digest,
        Self::Test,
    ];

    /// The code in the store, the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AlarmRaised => "alarm-raised",
            Self::AlarmReturned => "alarm-returned",
            Self::AlarmEscalated => "alarm-escalated",
            Self::AlarmRearmed => "alarm-rearmed",
            Self::AlarmHandedOn => "alarm-handed-on",
            Self::FallbackOpened => "fallback-opened",
            Self::ReportReminder => "report-reminder",
            Self::ReportEscalated => "report-escalated",
            Self::FallbackClosed => "fallback-closed",
            Self::DutyReminder => "duty-reminder",
            Self::DutyEscalated => "duty-escalated",
            Self::Digest => "digest",
            Self::Test => "test",
        }
    }
}

/// What a message is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "kebab-case")]
pub enum About {
    /// An alarm.
    Alarm(AlarmId),
    /// A fallback.
    Fallback(FallbackId),
    /// An instance of a duty, by its key.
    Duty(DutyKey),
}

/// Who gets it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "kebab-case")]
pub enum Recipient {
    /// A person; the address is looked up in the settings when it is sent.
    User(UserId),
    /// Whoever listens at the channel's own address (a group chat, a topic, a receiver).
    Channel,
}

impl About {
    /// The name of the object in the audit trail: `alarm/12`, `fallback/3`, `duty/…`.
    pub fn object(&self) -> String {
        match self {
            Self::Alarm(id) => format!("alarm/{id}"),
            Self::Fallback(id) => format!("fallback/{id}"),
            Self::Duty(key) => format!("duty/{key}"),
        }
    }
}

impl Recipient {
    /// The person; `None` for the channel's own address.
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::User(user) => Some(user),
            Self::Channel => None,
        }
    }

    /// The user id, or `*` for the channel's own address.
    pub fn as_str(&self) -> &str {
        match self {
            Self::User(user) => user.as_str(),
            Self::Channel => "*",
        }
    }
}

/// Things named in one message at most; the rest is counted in `more`.
pub const MESSAGE_ITEMS_MAX: usize = 50;

/// One message to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// Identity.
    pub id: MessageId,
    /// The same text for the same fact, so that sending twice can be noticed (去重键).
    pub key: SmolStr,
    /// Why.
    pub reason: MessageReason,
    /// Through which channel.
    pub channel: ChannelId,
    /// To whom.
    pub to: Recipient,
    /// The most urgent of what it is about.
    pub priority: Priority,
    /// The enterprise all of it concerns, when it is one.
    pub enterprise: Option<EnterpriseId>,
    /// What it is about, most urgent first, at most [`MESSAGE_ITEMS_MAX`].
    pub about: Vec<About>,
    /// How many more things it would be about.
    pub more: u32,
    /// When the engine decided to send it.
    pub at: Timestamp,
    /// After this moment it helps nobody: it goes to the dead letters instead.
    pub deadline: Timestamp,
    /// Journal position that decided it.
    pub seq: Seq,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageOutcome {
    /// The other side has taken it.
    Delivered,
    /// It was given up: nobody was told.
    Dead,
    /// A person had a dead letter sent again.
    Resent,
}

impl MessageOutcome {
    /// Every outcome.
    pub const ALL: [MessageOutcome; 3] = [Self::Delivered, Self::Dead, Self::Resent];

    /// The code in the audit trail and in text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Resent => "resent",
        }
    }
}

/// The fate of a message, for the record: who was told of what, when, or why not.
///
/// No address is in it; `detail` holds neither addresses nor secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageFate {
    /// Which message.
    pub id: MessageId,
    /// Why it was sent.
    pub reason: MessageReason,
    /// Through which channel.
    pub channel: ChannelId,
    /// To whom.
    pub to: Recipient,
    /// What it was about.
    pub about: Vec<About>,
    /// What became of it.
    pub outcome: MessageOutcome,
    /// How often sending was tried.
    pub attempts: u32,
    /// Who did it: `daemon`, or the user who had it sent again.
    pub by: SmolStr,
    /// What the other side said, or what was wrong.
    pub detail: String,
}

/// A person tries a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelTest {
    /// Which channel.
    pub channel: ChannelId,
    /// To whom: the person, or the channel's own address.
    pub to: Recipient,
    /// Who tries it.
    pub by: UserId,
}
