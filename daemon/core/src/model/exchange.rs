//! Requests to a device (反控) and how they went.

use super::ids::{OutletId, Seq};
use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Where an exchange stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExchangeState {
    /// Waits for the device to connect or for another exchange to end.
    Queued,
    /// Sent, not answered.
    Sent,
    /// The device answered 9011 with QnRtn=1, or sent data.
    Accepted,
    /// The device reported success (9012 with ExeRtn=1), or confirmed a notice (9013).
    Done,
    /// The device refused the request (9011 with another QnRtn).
    Refused,
    /// The device could not carry it out (9012 with another ExeRtn).
    Failed,
    /// No answer after all retries, or no end in time.
    TimedOut,
    /// Withdrawn before it was sent: the device never came, or the daemon stopped.
    Cancelled,
}

impl ExchangeState {
    /// Whether nothing more will happen.
    #[must_use]
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Sent | Self::Accepted)
    }

    /// The name in the store and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::TimedOut => "timed-out",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One step of an exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeStep {
    /// When.
    pub at: Timestamp,
    /// Journal position.
    pub seq: Seq,
    /// Code: `sent`, `sent-again`, `accepted`, `data`, `done`, `refused`, `failed`, `timed-out`,
    /// `cancelled`.
    pub what: SmolStr,
    /// `QnRtn=n`, `ExeRtn=n`, the values the device gave, or why as a code: `no-answer`, `no-end`,
    /// `not-connected`, `connection-lost`, `withdrawn`, `unsupported`, `stopping`, `restarted`.
    /// Pages put words beside these.
    pub detail: String,
}

/// A request to a device; key `id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeRow {
    /// Journal position of the order.
    pub id: Seq,
    /// Whose device.
    pub outlet: OutletId,
    /// Command number.
    pub cn: SmolStr,
    /// Parameters as ordered, by name; passwords and keys are masked.
    pub params: Vec<(SmolStr, String)>,
    /// Who: a user id, or `daemon`.
    pub by: SmolStr,
    /// Why, as a code: `order` (a person), `gap` (re-fetch), `initial`, `time`, `key`.
    pub why: SmolStr,
    /// When it was ordered.
    pub at: Timestamp,
    /// Where it stands.
    pub state: ExchangeState,
    /// Steps so far, oldest first, at most [`EXCHANGE_STEPS_MAX`].
    pub steps: Vec<ExchangeStep>,
    /// Steps left out of `steps`.
    #[serde(default)]
    pub more_steps: u32,
}

/// Steps kept in the row; a re-fetch of a month has thousands, the journal has them all.
pub const EXCHANGE_STEPS_MAX: usize = 40;

/// News about an exchange, as the engine takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExchangeNews {
    /// Ordered; the id is the position of this event.
    Ordered {
        /// Command number.
        cn: SmolStr,
        /// Parameters; secrets masked.
        params: Vec<(SmolStr, String)>,
        /// Who.
        by: SmolStr,
        /// Why, as a code.
        why: SmolStr,
    },
    /// A step of the exchange `id`.
    Step {
        /// Journal position of the order.
        id: Seq,
        /// Code of the step.
        what: SmolStr,
        /// Words and values.
        detail: String,
        /// Where it stands afterwards.
        state: ExchangeState,
    },
}
