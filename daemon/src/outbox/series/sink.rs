//! What a server of series is to the rest of the daemon.

use crate::outbox::{Cause, SendError};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// A write under way.
pub type Writing<'a> = Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 'a>>;

/// A server that takes lines.
pub trait SeriesSink: Send + Sync {
    /// Hands over lines with times in milliseconds. Resolves when the server has taken or refused
    /// them, within a bounded time.
    fn write<'a>(&'a self, lines: &'a [u8]) -> Writing<'a>;
}

/// A body was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// The server dislikes a line, and took the others or none.
    #[error("{0}")]
    Line(String),
    /// Fewer lines may pass.
    #[error("{0}")]
    TooLarge(String),
    /// The server, or the way to it, is in trouble.
    #[error("{said}")]
    Trouble {
        /// What kind of trouble.
        cause: Cause,
        /// In words, without addresses and secrets.
        said: String,
        /// The server asked to wait this long.
        after: Option<Duration>,
    },
}

impl SinkError {
    /// Trouble of a kind.
    pub fn trouble(cause: Cause, said: impl Into<String>) -> Self {
        let (said, after) = (said.into(), None);
        Self::Trouble { cause, said, after }
    }
}

impl From<SinkError> for SendError {
    fn from(error: SinkError) -> Self {
        match error {
            SinkError::Line(said) => Self::new(Cause::Refused, said),
            SinkError::TooLarge(said) => Self::new(Cause::Full, said),
            SinkError::Trouble { cause, said, after } => Self {
                after,
                ..Self::new(cause, said)
            },
        }
    }
}
