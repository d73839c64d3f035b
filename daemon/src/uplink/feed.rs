//! From the forward log of the projections into the mailboxes, and what people have asked to be
//! sent again.

mod again;

use super::outbox::{LogPlace, Mailbox, Outbox};
use crate::clock::Clock;
use crate::store::blocking;
use crate::store::{Readers, StoreError};
use cems_config::{RealtimeUpload, Uplink};
use cems_core::model::time::{DAY_MS, SECOND_MS};
use cems_core::model::{Expectation, ForwardRow, RecordKind, Seq, Timestamp, UtcOffset};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Lines of the log in one transaction.
const LINES_MAX: usize = 1_000;
/// Pause after a failure of a database.
const RETRY_PAUSE: Duration = Duration::from_secs(5);
/// How often what is too old is swept out.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// How often progress of replays is looked at and told.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// Tells pages that a replay has moved on.
pub(super) type Announce = Box<dyn Fn() + Send + Sync>;

/// One mailbox and what goes into it.
pub(super) struct Slot {
    pub(super) mailbox: Mailbox,
    pub(super) uplink: Arc<Uplink>,
    /// What the station forms for the outlet.
    pub(super) formed: Expectation,
    /// Wakes the line.
    pub(super) news: Arc<Notify>,
}

/// Fills the mailboxes.
pub(super) struct Feed {
    pub(super) slots: Vec<Slot>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) readers: Readers,
    pub(super) clock: Clock,
    pub(super) offset: UtcOffset,
    /// Wakes the feed: a person has asked for something.
    pub(super) asked: Arc<Notify>,
    pub(super) announce: Announce,
}

impl Feed {
    /// Follows the projections until the daemon stops. `moved` changes whenever they moved on.
    pub(super) async fn run<P: Send + Sync + 'static>(
        self,
        mut moved: watch::Receiver<P>,
        stop: CancellationToken,
    ) {
        let feed = Arc::new(self);
        let mut sweep_at = Instant::now();
        let mut told = (0, 0);
        loop {
            moved.borrow_and_update();
            let wait = match feed.follow(&mut sweep_at, &stop).await {
                Ok(pulse) => {
                    if pulse != told {
                        told = pulse;
                        (feed.announce)();
                    }
                    let sweep = sweep_at.saturating_duration_since(Instant::now());
                    if pulse.0 > 0 {
                        sweep.min(TELL_EVERY)
                    } else {
                        sweep
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "records to pass on wait for uplink.db");
                    RETRY_PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                changed = moved.changed() => if changed.is_err() { return },
                () = feed.asked.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Takes in what the log holds, books replays as far as they go, and sweeps when it is time.
    /// What is new never waits for more than one step of a replay. Gives the pulse of replays.
    async fn follow(
        self: &Arc<Self>,
        sweep_at: &mut Instant,
        stop: &CancellationToken,
    ) -> Result<(u64, i64), StoreError> {
        while !stop.is_cancelled() {
            let feed = Arc::clone(self);
            if blocking(move || feed.step()).await? {
                continue;
            }
            let feed = Arc::clone(self);
            if !blocking(move || feed.replay_step()).await? {
                break;
            }
        }
        if Instant::now() >= *sweep_at {
            *sweep_at = Instant::now() + SWEEP_EVERY;
            let feed = Arc::clone(self);
            blocking(move || feed.sweep()).await?;
        }
        let outbox = Arc::clone(&self.outbox);
        blocking(move || outbox.replay_pulse()).await
    }

    /// One transaction's worth of the log; true when there may be more.
    pub(super) fn step(&self) -> Result<bool, StoreError> {
        let places: BTreeMap<&Mailbox, LogPlace> = self
            .slots
            .iter()
            .map(|slot| Ok((&slot.mailbox, self.outbox.place(&slot.mailbox)?)))
            .collect::<Result<_, StoreError>>()?;
        let Some((seq, n)) = places.values().min().copied() else {
            return Ok(false);
        };
        let rows = self.readers.forward_after(seq, n, LINES_MAX)?;
        let Some(last) = rows.last() else {
            return Ok(false);
        };
        let until = (last.seq, last.n);
        let now = self.clock.now();
        let mut deliveries = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            let place = places.get(&slot.mailbox).copied().unwrap_or((Seq(0), 0));
            let wanted =
                |row: &&ForwardRow| (row.seq, row.n) > place && slot.wants(row, now, self.offset);
            deliveries.push((
                &slot.mailbox,
                rows.iter().filter(wanted).collect::<Vec<_>>(),
            ));
        }
        self.outbox.fill(&deliveries, until)?;
        for (slot, (_, taken)) in self.slots.iter().zip(&deliveries) {
            if !taken.is_empty() {
                slot.news.notify_one();
            }
        }
        Ok(rows.len() == LINES_MAX)
    }

    fn sweep(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        for slot in &self.slots {
            let Mailbox { uplink, outlet } = &slot.mailbox;
            let before = slot.owed_from(now);
            let mut gone = 0_u64;
            loop {
                let some = self.outbox.expire(&slot.mailbox, before)?;
                gone += u64::from(some);
                if some == 0 {
                    break;
                }
            }
            if gone > 0 {
                let days = slot.uplink.history_days;
                tracing::warn!(
                    %uplink, %outlet, gone,
                    "records older than {days} days were not taken by the centre; they stay here"
                );
            }
        }
        Ok(())
    }
}

/// Records that begin before this are owed to a centre no more.
pub(super) fn owed_from(uplink: &Uplink, now: Timestamp) -> Timestamp {
    now.plus_ms(-i64::from(uplink.history_days) * DAY_MS)
}

impl Slot {
    /// Records that begin before this are owed no more.
    fn owed_from(&self, now: Timestamp) -> Timestamp {
        owed_from(&self.uplink, now)
    }

    /// Whether a record goes to this centre by its settings file.
    fn wants(&self, row: &ForwardRow, now: Timestamp, offset: UtcOffset) -> bool {
        row.outlet == self.mailbox.outlet
            && row.start >= self.owed_from(now)
            && goes(&self.uplink, (row.kind, row.start), &self.formed, offset)
    }
}

/// Whether a record goes to a centre by the settings, whatever its age.
pub(super) fn goes(
    uplink: &Uplink,
    (kind, start): (RecordKind, Timestamp),
    formed: &Expectation,
    offset: UtcOffset,
) -> bool {
    match kind {
        RecordKind::Realtime => match uplink.realtime {
            RealtimeUpload::All => true,
            RealtimeUpload::Never => false,
            RealtimeUpload::Every(seconds) => is_due(start, seconds, formed, offset),
        },
        RecordKind::Minute => uplink.minute,
        RecordKind::Hour => uplink.hour,
        RecordKind::Day => uplink.day,
    }
}

/// Whether a real-time record is the one of its interval of `seconds`: the one in the first of the
/// intervals in which the station forms them. A logger whose clock is off the beat has one there,
/// too.
pub(super) fn is_due(
    start: Timestamp,
    seconds: u32,
    formed: &Expectation,
    offset: UtcOffset,
) -> bool {
    let interval_ms = i64::from(seconds) * SECOND_MS;
    let formed_ms = i64::from(formed.realtime_s.unwrap_or(seconds)) * SECOND_MS;
    if interval_ms <= 0 {
        return true;
    }
    let local = start.plus_ms(i64::from(offset.minutes()) * 60 * SECOND_MS);
    local.0.rem_euclid(interval_ms) < formed_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formed(seconds: u32) -> Expectation {
        Expectation {
            realtime_s: Some(seconds),
            minute_min: Some(10),
            hour: true,
            no_data_after_s: 1_800,
        }
    }

    #[test]
    fn one_real_time_record_of_each_interval() {
        let offset = UtcOffset::default();
        for shift_ms in [0, 17_000, 59_999] {
            let due: Vec<i64> = (0..20)
                .map(|n| n * 60_000 + shift_ms)
                .filter(|ms| is_due(Timestamp(*ms), 300, &formed(60), offset))
                .collect();
            let expected: Vec<i64> = (0..4).map(|n| n * 300_000 + shift_ms).collect();
            assert_eq!(due, expected);
        }
        assert!((0..100).all(|n| is_due(Timestamp(n * 60_000), 60, &formed(60), offset)));
    }
}
