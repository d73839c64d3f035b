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
use crate::delivery::Delivery;
use crate::events::JournalEvent;
use crate::journal::Journal;
use crate::links::mqtt::Sources;
use crate::pipeline::Projected;
use crate::telemetry;
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
    /// Everything that leaves.
    pub delivery: Delivery,
    /// Brokers that readings come from.
    pub sources: Arc<Sources>,
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
            Ok(free) => {
                telemetry::disk_free(free);
                found.push(Finding {
                    kind: AlarmKind::HealthDisk,
                    part: SmolStr::new_static("data"),
                    bad: free < DISK_FREE_MB_MIN,
                    value: Some(free.into()),
                    threshold: Some(DISK_FREE_MB_MIN.into()),
                    detail: self.data_dir.display().to_string(),
                });
            }
            Err(error) => tracing::warn!(%error, "free space of the data directory is unknown"),
        }
        found.extend(self.ways());
        found.extend(self.sources());
        found.extend(self.papers.iter().map(|paper| of_paper(paper, now)));
        found
    }

    /// Ways out: one finding each; its cause is in the words.
    fn ways(&self) -> Vec<Finding> {
        let of = self.delivery.ways().into_iter().map(|way| Finding {
            kind: AlarmKind::HealthOutbox,
            part: way.part(),
            bad: way.stuck,
            value: Some(way.waiting.into()),
            threshold: None,
            detail: way.words(),
        });
        of.collect()
    }

    /// Brokers that bring readings.
    fn sources(&self) -> Vec<Finding> {
        let of = self.sources.standing().into_iter().map(|source| Finding {
            kind: AlarmKind::HealthSource,
            part: format_smolstr!("source {}", source.id),
            bad: source.stuck,
            value: None,
            threshold: None,
            detail: source.why,
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
    telemetry::certificate(&paper.part, &paper.name, paper.until);
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
