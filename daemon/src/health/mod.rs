//! The daemon's own health (自身健康): what is looked at regularly, and journalled when it turns, so
//! that trouble of the house is an alarm like any other.
//!
//! What keeps the journal from being written cannot be journalled; `/readyz` and the pages say it,
//! and the alarm follows when the journal goes on.

mod certificate;
mod disk;

pub use certificate::{Paper, papers};

use crate::app::append;
use crate::clock::Clock;
use crate::events::JournalEvent;
use crate::journal::Journal;
use crate::notify::PostBoard;
use crate::outbox::{OutboxBoard, TROUBLE_MS};
use crate::pipeline::Projected;
use crate::uplink::UplinkBoard;
use cems_core::model::time::{DAY_MS, MINUTE_MS, SECOND_MS};
use cems_core::model::{AlarmKind, Timestamp};
use rust_decimal::Decimal;
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often everything is looked at.
const PERIOD: Duration = Duration::from_secs(10);
/// Less free space than this is an alarm, MB: two days of a city's journal, and time to act.
const DISK_FREE_MB_MIN: u64 = 2_048;
/// Projections this far behind the journal for this long are an alarm.
const LAG_ENTRIES: u64 = 10_000;
/// See [`LAG_ENTRIES`].
const LAG_MS: i64 = MINUTE_MS;
/// A journal that stands still for longer is told when it goes on.
const STALL_MS: i64 = 30 * SECOND_MS;
/// The oldest record owed to a centre may be this old.
const OWED_MS: i64 = 2 * 60 * MINUTE_MS;
/// A channel may be in trouble with messages waiting for this long.
const CHANNEL_MS: i64 = 10 * MINUTE_MS;
/// A certificate that ends within this time is an alarm.
const PAPER_MS: i64 = 30 * DAY_MS;

/// How one part is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    kind: AlarmKind,
    part: SmolStr,
    bad: bool,
    value: Option<Decimal>,
    threshold: Option<Decimal>,
    detail: String,
}

/// What is looked at.
pub struct Watch {
    /// Where findings go, and what is looked at.
    pub journal: Journal,
    /// The projections.
    pub projected: Arc<Projected>,
    /// The data directory.
    pub data_dir: PathBuf,
    /// What is owed to centres.
    pub uplinks: Option<Arc<UplinkBoard>>,
    /// What is owed to people.
    pub post: Arc<PostBoard>,
    /// Where data and events go.
    pub outbox: Arc<OutboxBoard>,
    /// Certificates in use.
    pub papers: Vec<Paper>,
    /// The daemon's clock.
    pub clock: Clock,
}

/// What was found when, for what must last or is told afterwards.
#[derive(Debug, Default)]
struct Memory {
    /// Turned parts: only changes are journalled.
    bad: BTreeMap<(AlarmKind, SmolStr), bool>,
    lagging_since: Option<Timestamp>,
    stalled_since: Option<Timestamp>,
}

impl Watch {
    /// Looks until the daemon stops.
    pub async fn run(self, stop: CancellationToken) {
        let mut memory = Memory::default();
        let watch = Arc::new(self);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PERIOD) => {}
            }
            let asked = Arc::clone(&watch);
            let Ok(mut found) = tokio::task::spawn_blocking(move || asked.look()).await else {
                return;
            };
            found.extend(watch.books(&mut memory));
            for finding in found {
                let key = (finding.kind, finding.part.clone());
                let known = memory.bad.get(&key).copied().unwrap_or(false);
                if known == finding.bad {
                    continue;
                }
                if append(&watch.journal, &event(&finding)).await.is_err() {
                    return;
                }
                memory.bad.insert(key, finding.bad);
            }
        }
    }

    /// What may take a moment: disks and databases.
    fn look(&self) -> Vec<Finding> {
        let now = self.clock.now();
        let mut found = Vec::new();
        match disk::free_mb(&self.data_dir) {
            Ok(free) => found.push(Finding {
                kind: AlarmKind::HealthDisk,
                part: SmolStr::new_static("data"),
                bad: free < DISK_FREE_MB_MIN,
                value: Some(free.into()),
                threshold: Some(DISK_FREE_MB_MIN.into()),
                detail: self.data_dir.display().to_string(),
            }),
            Err(error) => tracing::warn!(%error, "free space of the data directory is unknown"),
        }
        found.extend(self.channels(now));
        found.extend(self.centres(now));
        found.extend(self.destinations(now));
        found.extend(self.papers.iter().map(|paper| of_paper(paper, now)));
        found
    }

    fn channels(&self, now: Timestamp) -> Vec<Finding> {
        let channels = match self.post.channels() {
            Ok(channels) => channels,
            Err(error) => {
                tracing::warn!(%error, "how the channels are doing is unknown");
                return Vec::new();
            }
        };
        let of = channels.into_iter().map(|(id, _, standing)| {
            let trouble = standing.trouble.as_ref();
            let since = trouble.map(|(at, _)| standing.last_sent.map_or(*at, |sent| sent.min(*at)));
            let newest = trouble.map(|(at, _)| *at);
            let silent = standing
                .last_sent
                .is_none_or(|sent| newest.is_some_and(|at| sent < at));
            let long = since.is_some_and(|since| now.since_ms(since) > CHANNEL_MS);
            let why = trouble.map_or("", |(_, why)| why.as_str());
            Finding {
                kind: AlarmKind::HealthOutbox,
                part: format_smolstr!("channel {id}"),
                bad: silent && long && standing.waiting > 0,
                value: Some(standing.waiting.into()),
                threshold: None,
                detail: format!("{} messages wait: {why}", standing.waiting),
            }
        });
        of.collect()
    }

    fn centres(&self, now: Timestamp) -> Vec<Finding> {
        let status = self.uplinks.as_ref().map(|board| board.status());
        let status = match status {
            None => return Vec::new(),
            Some(Ok(status)) => status,
            Some(Err(error)) => {
                tracing::warn!(%error, "how the uplinks are doing is unknown");
                return Vec::new();
            }
        };
        let of = status.into_iter().map(|uplink| {
            let age_ms = uplink.oldest_pending.map(|oldest| now.since_ms(oldest));
            let why = uplink.last_error.map_or_else(String::new, |(_, why)| why);
            Finding {
                kind: AlarmKind::HealthOutbox,
                part: format_smolstr!("uplink {}", uplink.id),
                bad: age_ms.is_some_and(|age| age > OWED_MS),
                value: Some(uplink.pending.into()),
                threshold: None,
                detail: format!("{} records are owed: {why}", uplink.pending),
            }
        });
        of.collect()
    }

    /// One finding for each destination; its cause is in the words.
    fn destinations(&self, now: Timestamp) -> Vec<Finding> {
        let all = match self.outbox.status() {
            Ok(all) => all,
            Err(error) => {
                tracing::warn!(%error, "how the destinations are doing is unknown");
                return Vec::new();
            }
        };
        let of = all.into_iter().map(|status| {
            let trouble = status.standing.trouble.as_ref();
            let long = trouble.is_some_and(|trouble| now.since_ms(trouble.since) > TROUBLE_MS);
            Finding {
                kind: AlarmKind::HealthOutbox,
                part: format_smolstr!("destination {}", status.id),
                bad: long,
                value: Some(status.lag_rows.into()),
                threshold: None,
                detail: trouble.map_or_else(String::new, |trouble| status.words(trouble)),
            }
        });
        of.collect()
    }

    /// Journal and projections, from what is in memory.
    fn books(&self, memory: &mut Memory) -> Vec<Finding> {
        let now = self.clock.now();
        let mut found = Vec::new();
        let stalled = self.journal.health().stalled;
        let was = memory.stalled_since;
        match (&stalled, was) {
            (Some(_), None) => memory.stalled_since = Some(now),
            (None, Some(since)) => {
                memory.stalled_since = None;
                let lasted = now.since_ms(since);
                if lasted > STALL_MS {
                    let detail = format!("the journal stood still for {} s", lasted / SECOND_MS);
                    let finding = |bad| Finding {
                        kind: AlarmKind::HealthJournal,
                        part: SmolStr::new_static("journal"),
                        bad,
                        value: Some((lasted / SECOND_MS).into()),
                        threshold: Some((STALL_MS / SECOND_MS).into()),
                        detail: detail.clone(),
                    };
                    found.extend([finding(true), finding(false)]);
                }
            }
            _ => {}
        }
        let behind = self
            .journal
            .head()
            .seq
            .saturating_sub(self.projected.position().borrow().seq.0);
        if behind < LAG_ENTRIES {
            memory.lagging_since = None;
        } else {
            memory.lagging_since.get_or_insert(now);
        }
        let long = memory
            .lagging_since
            .is_some_and(|since| now.since_ms(since) > LAG_MS);
        found.push(Finding {
            kind: AlarmKind::HealthJournal,
            part: SmolStr::new_static("projections"),
            bad: long,
            value: Some(behind.into()),
            threshold: Some(LAG_ENTRIES.into()),
            detail: format!("{behind} entries of the journal are not on the pages yet"),
        });
        found
    }
}

fn of_paper(paper: &Paper, now: Timestamp) -> Finding {
    let left_days = paper.until.since_ms(now).div_euclid(DAY_MS);
    Finding {
        kind: AlarmKind::HealthCertificate,
        part: paper.part.clone(),
        bad: paper.until.since_ms(now) < PAPER_MS,
        value: Some(left_days.into()),
        threshold: Some((PAPER_MS / DAY_MS).into()),
        detail: format!("{}: {left_days} days left", paper.name),
    }
}

fn event(finding: &Finding) -> JournalEvent {
    JournalEvent::Health {
        kind: finding.kind,
        part: finding.part.clone(),
        bad: finding.bad,
        value: finding.value,
        threshold: finding.threshold,
        detail: finding.detail.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_told_a_month_before_it_ends() {
        let paper = Paper {
            part: "channel mqtt".into(),
            name: "CN=broker.example".into(),
            until: Timestamp(100 * DAY_MS),
        };
        let early = of_paper(&paper, Timestamp(69 * DAY_MS));
        assert!(!early.bad);
        let late = of_paper(&paper, Timestamp(70 * DAY_MS + 1));
        assert!(late.bad, "{late:?}");
        assert_eq!(late.value, Some(Decimal::from(29)));
    }
}
