//! Keeps state boards up to date: whatever alarm a channel was told of, it is told of every change
//! until the alarm is over.

use super::channel::Channel;
use super::outbox::Outbox;
use super::parcel::{Scribe, Shown};
use crate::clock::Clock;
use crate::delivery::pause_ms;
use crate::store::{StoreError, blocking};
use cems_core::model::{AlarmId, Seq};
use cems_dashboards::backend::{Change, Changes};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Changes are gathered this long before they are shown.
const GATHER: Duration = Duration::from_millis(500);

/// The follower of one channel.
pub(super) struct Follower {
    pub(super) settings: Arc<cems_config::Channel>,
    pub(super) channel: Arc<dyn Channel>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) scribe: Arc<Scribe>,
    pub(super) clock: Clock,
    /// Woken when a message was delivered: the board may have more to show.
    pub(super) more: Arc<Notify>,
}

/// Which alarms to look at.
enum Look {
    /// These, where the board shows them.
    At(BTreeSet<AlarmId>),
    /// All; those that did not change only when `again`.
    All { again: bool },
}

impl Follower {
    /// Follows the changes of the projections until the daemon stops. `back` counts connections:
    /// after a new one everything is shown again, since the other side may have forgotten.
    pub(super) async fn run(
        self,
        mut changes: broadcast::Receiver<Changes>,
        mut back: watch::Receiver<u64>,
        stop: CancellationToken,
    ) {
        let again_every = self.channel.board().and_then(|board| board.again_every());
        let mut again_at = again_every.map(|every| Instant::now() + every);
        let mut look = Look::All { again: true };
        let mut failures = 0;
        loop {
            if let Err(error) = self.show(look).await {
                failures += 1;
                tracing::warn!(channel = %self.settings.id, %error, "states could not be shown");
                let pause = self.clock.shorten(pause(failures));
                tokio::select! {
                    () = stop.cancelled() => return,
                    _ = back.changed() => {}
                    () = tokio::time::sleep(pause) => {}
                }
                look = Look::All { again: true };
                continue;
            }
            failures = 0;
            let again = async {
                match again_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                changed = gathered(&mut changes) => match changed {
                    Some(found) => look = found,
                    None => return,
                },
                () = self.more.notified() => look = Look::All { again: false },
                Ok(()) = back.changed() => look = Look::All { again: true },
                () = again => {
                    again_at = again_every.map(|every| Instant::now() + every);
                    look = Look::All { again: true };
                }
            }
        }
    }

    async fn show(&self, look: Look) -> Result<(), ShowError> {
        let Some(board) = self.channel.board() else {
            return Ok(());
        };
        if matches!(&look, Look::At(alarms) if alarms.is_empty()) {
            return Ok(());
        }
        let (outbox, id) = (Arc::clone(&self.outbox), self.settings.id.clone());
        let known: BTreeMap<AlarmId, Seq> = blocking(move || outbox.shown(&id))
            .await?
            .into_iter()
            .collect();
        let wanted: Vec<(AlarmId, Seq)> = known
            .into_iter()
            .filter(|(alarm, _)| match &look {
                Look::At(alarms) => alarms.contains(alarm),
                Look::All { .. } => true,
            })
            .collect();
        let again = matches!(look, Look::All { again: true });
        for batch in wanted.chunks(board.batch().max(1)) {
            let batch = self.rows(batch.to_vec(), again).await?;
            if batch.is_empty() {
                continue;
            }
            board.show(&batch).await?;
            let told: Vec<(AlarmId, Option<Seq>)> = batch
                .iter()
                .map(|shown| {
                    let over = shown.row.closed.is_some();
                    (shown.row.id, (!over).then_some(shown.row.updated_seq))
                })
                .collect();
            let (outbox, id) = (Arc::clone(&self.outbox), self.settings.id.clone());
            blocking(move || outbox.showed(&id, &told)).await?;
        }
        Ok(())
    }

    /// The rows of a batch that are to be shown.
    async fn rows(
        &self,
        batch: Vec<(AlarmId, Seq)>,
        again: bool,
    ) -> Result<Vec<Shown>, StoreError> {
        let (scribe, settings) = (Arc::clone(&self.scribe), Arc::clone(&self.settings));
        blocking(move || {
            let mut out = Vec::new();
            for (alarm, told) in batch {
                let shown = scribe.alarm(alarm, &settings)?;
                out.extend(shown.filter(|shown| again || shown.row.updated_seq != told));
            }
            Ok(out)
        })
        .await
    }
}

/// Why states could not be shown.
#[derive(Debug, thiserror::Error)]
enum ShowError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Send(#[from] super::channel::SendError),
}

fn pause(failures: u32) -> Duration {
    let ms = pause_ms(failures, None, u32::MAX / 2);
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

/// Alarms that changed, gathered for a moment; `None` when there will be no more changes.
async fn gathered(changes: &mut broadcast::Receiver<Changes>) -> Option<Look> {
    let mut alarms = BTreeSet::new();
    let mut until: Option<Instant> = None;
    loop {
        let wait = async {
            match until {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = wait => return Some(Look::At(alarms)),
            next = changes.recv() => match next {
                Ok(next) => {
                    let found = next.changes.iter().filter_map(|change| match change {
                        Change::Alarm(id) => Some(*id),
                        _ => None,
                    });
                    alarms.extend(found);
                    if !alarms.is_empty() && until.is_none() {
                        until = Some(Instant::now() + GATHER);
                    }
                }
                Err(RecvError::Lagged(_)) => return Some(Look::All { again: false }),
                Err(RecvError::Closed) => return None,
            },
        }
    }
}
