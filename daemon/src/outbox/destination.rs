//! What a destination is to the outbox: something that takes batches of parcels, or says why not.
//!
//! Position, retries, dead letters and replays are the outbox's; a destination knows how to hand
//! one batch over and what was wrong when it could not. To add a kind: its settings in
//! `config/src/settings/destination.rs`, a file beside this one, an arm in [`open`], its words in
//! `dashboards/text`.

use super::parcel::Parcel;
use crate::clock::Clock;
use crate::delivery::redacted;
use anyhow::Context;
use cems_config::{Destination as Settings, DestinationMeans};
use cems_core::lang::Lang;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A future a trait object can return.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Sent, SendError>> + Send + 'a>>;

/// What became of a batch that the other side has answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sent {
    /// Single values taken: lines, fields or messages, as the destination counts them.
    pub values: u64,
    /// Parcels that will never be taken: place in the batch, and why, without secrets. All others
    /// were taken.
    pub refused: Vec<(usize, String)>,
}

/// Why a batch could not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Name, password or token is not accepted, or may not write.
    Unauthorised,
    /// Nobody answers at the address.
    Unreachable,
    /// The other side has no room, or takes no more for now.
    Full,
    /// Its certificate is not trusted, or ours is not.
    Certificate,
    /// It took too long to answer.
    Slow,
    /// Something answers, but not to this: a wrong path, a bucket that does not exist.
    NoEndpoint,
    /// It will not have this batch as it is.
    Refused,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Unauthorised,
        Self::Unreachable,
        Self::Full,
        Self::Certificate,
        Self::Slow,
        Self::NoEndpoint,
        Self::Refused,
    ];

    /// Its name in metrics and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthorised => "unauthorised",
            Self::Unreachable => "unreachable",
            Self::Full => "full",
            Self::Certificate => "certificate",
            Self::Slow => "slow",
            Self::NoEndpoint => "no-endpoint",
            Self::Refused => "refused",
        }
    }

    /// The cause of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == name)
    }

    /// Whether the same batch may be taken later. What is refused never is: its parcels are tried
    /// one by one, so that one bad row costs that row alone.
    pub const fn recoverable(self) -> bool {
        !matches!(self, Self::Refused)
    }

    /// In words.
    pub const fn words(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::Unauthorised, Lang::Zh) => "认证失败或无写入权限",
            (Self::Unauthorised, Lang::En) => "the log-in is not accepted or may not write",
            (Self::Unreachable, Lang::Zh) => "地址无应答",
            (Self::Unreachable, Lang::En) => "nobody answers at the address",
            (Self::Full, Lang::Zh) => "对方已满或限流",
            (Self::Full, Lang::En) => "the other side has no room or takes no more for now",
            (Self::Certificate, Lang::Zh) => "证书不受信任",
            (Self::Certificate, Lang::En) => "the certificate is not trusted",
            (Self::Slow, Lang::Zh) => "应答超时",
            (Self::Slow, Lang::En) => "the answer takes too long",
            (Self::NoEndpoint, Lang::Zh) => "对方没有该接口或存储桶",
            (Self::NoEndpoint, Lang::En) => "the other side has no such endpoint or bucket",
            (Self::Refused, Lang::Zh) => "数据被拒收",
            (Self::Refused, Lang::En) => "the data are refused",
        }
    }
}

/// A batch was not taken; nothing of it counts as delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {said}", cause.as_str())]
pub struct SendError {
    /// What was wrong.
    pub cause: Cause,
    /// The other side's words, one line, without addresses and secrets.
    pub said: String,
    /// It asked to wait this long.
    pub after: Option<Duration>,
}

impl SendError {
    /// What was wrong, with what was said, made fit for pages and logs.
    pub fn new(cause: Cause, said: impl AsRef<str>) -> Self {
        Self {
            cause,
            said: redacted(said.as_ref()),
            after: None,
        }
    }

    /// The same with the pause that was asked for.
    #[must_use]
    pub fn after(self, pause: Duration) -> Self {
        Self {
            after: Some(pause),
            ..self
        }
    }

    /// Whether the same batch may be taken later.
    pub const fn recoverable(&self) -> bool {
        self.cause.recoverable()
    }
}

/// A destination of any kind. One task calls it, one batch at a time.
pub trait Destination: Send {
    /// Hands a batch over; resolves when the other side has taken or refused it. Parcels are in
    /// the order of the log; no key stands twice. A batch may come again when the daemon died
    /// before it noted the answer. The future may be dropped before it is ready, when the daemon
    /// stops.
    fn send<'a>(&'a mut self, parcels: &'a [Parcel]) -> Sending<'a>;

    /// Parcels in one batch at most.
    fn batch_max(&self) -> usize;

    /// Says good-bye where the other side likes to be told.
    fn close<'a>(&'a mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(std::future::ready(()))
    }
}

/// What destinations need of the daemon.
#[derive(Clone)]
pub struct Room {
    /// Time.
    pub clock: Clock,
    /// Where long-lived connections run.
    pub tasks: TaskTracker,
    /// When they end.
    pub stop: CancellationToken,
}

/// Opens a destination.
///
/// # Errors
/// When a certificate, a key or an address in the settings cannot be used.
pub(super) fn open(settings: &Settings, room: &Room) -> anyhow::Result<Box<dyn Destination>> {
    match &settings.means {
        DestinationMeans::Influx(server) => {
            let opened = super::series::Influx::open(server);
            let opened = opened.with_context(|| format!("destination {}", settings.id))?;
            Ok(Box::new(opened))
        }
        DestinationMeans::Mqtt(broker) => {
            let opened = super::mqtt::Mqtt::open(broker, room);
            let opened = opened.with_context(|| format!("destination {}", settings.id))?;
            Ok(Box::new(opened))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_cause_has_a_name_and_words_of_its_own() {
        let words = |lang| Cause::ALL.map(|cause| cause.words(lang));
        for texts in [
            words(Lang::Zh),
            words(Lang::En),
            Cause::ALL.map(Cause::as_str),
        ] {
            assert_eq!(BTreeSet::from(texts).len(), Cause::ALL.len());
        }
        assert!(!Cause::Refused.recoverable() && Cause::Full.recoverable());
    }

    #[test]
    fn what_the_other_side_said_is_made_fit_for_pages() {
        let said = "unauthorized:\n token=secret at https://influx.example/api";
        let error = SendError::new(Cause::Unauthorised, said).after(Duration::from_secs(3));
        assert_eq!(error.said, "unauthorized: * at *");
        assert_eq!(error.to_string(), "unauthorised: unauthorized: * at *");
        assert!(error.recoverable());
    }
}
