//! All sources of a station: started, reloaded, shown.

use super::source::{Keeper, Running};
use super::trouble::LineError;
use crate::events::{MqttMessage, Took};
use crate::journal::Journal;
use cems_config::{MqttReading, MqttSource, StationSettings};
use cems_core::model::time::MINUTE_MS;
use cems_core::model::{FactorCode, Timestamp, UtcOffset};
use cems_dashboards::backend::InstrumentStatus;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A broker may be away for this long before pages say so.
const TROUBLE_AFTER_MS: i64 = 2 * MINUTE_MS;

/// What sources work with.
#[derive(Clone)]
pub struct SourceRoom {
    /// Where messages go.
    pub journal: Journal,
    /// The time of the day.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// The site's clock.
    pub offset: Arc<dyn Fn() -> UtcOffset + Send + Sync>,
    /// Where is written down what came.
    pub dir: PathBuf,
    /// Where the journal lies.
    pub journal_dir: PathBuf,
    /// Ends everything.
    pub stop: CancellationToken,
    /// Knows every task, so that a stop can wait for it.
    pub tasks: TaskTracker,
}

/// The sources of a station.
pub struct Sources {
    room: SourceRoom,
    board: SourceBoard,
    running: Mutex<BTreeMap<SmolStr, Running>>,
}

impl Sources {
    /// No source yet; [`Sources::reload`] starts those of the settings.
    pub fn new(room: SourceRoom) -> Self {
        Self {
            room,
            board: SourceBoard::default(),
            running: Mutex::default(),
        }
    }

    /// Takes settings: a source that stays as it is is not touched, one that changed is connected
    /// anew. What is published meanwhile waits at the broker.
    pub fn reload(&self, station: &StationSettings) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *running);
        for source in &station.sources {
            let (id, plan) = (source.id.clone(), Arc::new(source.clone()));
            let old = before.remove(&id);
            if let Some(same) = old.as_ref().filter(|old| *old.plan == *source) {
                let Running { plan, stop, ended } = same;
                let (plan, stop, ended) = (Arc::clone(plan), stop.clone(), ended.clone());
                running.insert(id, Running { plan, stop, ended });
                continue;
            }
            self.board.announce(source);
            running.insert(id, self.open(plan, old));
        }
        for gone in before.into_values() {
            gone.stop.cancel();
            self.board.forget(&gone.plan.id);
        }
    }

    /// Starts a keeper; one before it under the same name has ended by then, because a broker
    /// bears one connection of a client.
    fn open(&self, plan: Arc<MqttSource>, before: Option<Running>) -> Running {
        let stop = self.room.stop.child_token();
        let (over, ended) = watch::channel(false);
        let keeper = Keeper {
            plan: Arc::clone(&plan),
            room: self.room.clone(),
            board: self.board.clone(),
            stop: stop.clone(),
        };
        self.room.tasks.spawn(async move {
            if let Some(mut before) = before {
                before.stop.cancel();
                // An error is the end of the task, too.
                let _ = before.ended.wait_for(|ended| *ended).await;
            }
            keeper.run().await;
            over.send_replace(true);
        });
        Running { plan, stop, ended }
    }

    /// Each topic filter as an instrument.
    pub fn instruments(&self) -> Vec<InstrumentStatus> {
        let shown = self.board.shown();
        let all = shown.values().flat_map(|one| one.readings.iter());
        all.map(|(_, status)| status.clone()).collect()
    }

    /// How each source is doing, by name.
    pub fn standing(&self) -> Vec<SourceStanding> {
        let now = (self.room.clock)();
        let shown = self.board.shown();
        let of = shown.iter().map(|(id, one)| {
            let trouble = one.trouble.as_ref();
            let long = |since: Timestamp| now.since_ms(since) > TROUBLE_AFTER_MS;
            SourceStanding {
                id: id.clone(),
                why: trouble.map(|(_, why)| why.clone()).unwrap_or_default(),
                stuck: trouble.is_some_and(|(since, _)| long(*since)),
            }
        });
        of.collect()
    }

    /// Brokers that have been away for long, in words.
    pub fn problems(&self) -> Vec<String> {
        let stuck = self.standing().into_iter().filter(|source| source.stuck);
        let said = stuck.map(|one| format!("source {} brings no readings: {}", one.id, one.why));
        said.collect()
    }
}

/// How a source is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceStanding {
    /// Its name in the settings.
    pub id: SmolStr,
    /// What is wrong, without secrets; empty when nothing is.
    pub why: String,
    /// It has been so for longer than a restart of a broker takes.
    pub stuck: bool,
}

/// What is known of the sources right now; clones show the same.
#[derive(Clone, Default)]
pub(super) struct SourceBoard(Arc<Mutex<BTreeMap<SmolStr, Shown>>>);

#[derive(Default)]
struct Shown {
    /// Topic filter and status, in the order of the settings.
    readings: Vec<(MqttReading, InstrumentStatus)>,
    trouble: Option<(Timestamp, String)>,
    /// Messages that the broker sent again.
    again: u64,
}

impl SourceBoard {
    fn shown(&self) -> MutexGuard<'_, BTreeMap<SmolStr, Shown>> {
        // Plain data, valid at every moment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announce(&self, source: &MqttSource) {
        let status = |reading: &MqttReading| InstrumentStatus {
            id: format!("{} {}", source.id, reading.topic),
            outlet: reading.outlet.clone(),
            bus: source.id.to_string(),
            map: "mqtt".to_owned(),
            ok: false,
            last_ok: None,
            last_error: None,
            polls: 0,
            failures: 0,
            readings: Vec::new(),
        };
        let readings = source.readings.iter();
        let shown = Shown {
            readings: readings.map(|r| (r.clone(), status(r))).collect(),
            ..Shown::default()
        };
        self.shown().insert(source.id.clone(), shown);
    }

    fn forget(&self, source: &str) {
        self.shown().remove(source);
    }

    /// There is a connection; `true` when there was trouble before.
    pub(super) fn connected(&self, source: &str) -> bool {
        let mut all = self.shown();
        let shown = all.get_mut(source);
        shown.is_some_and(|shown| shown.trouble.take().is_some())
    }

    /// There is trouble; `true` when there was none before.
    pub(super) fn trouble(&self, source: &str, error: &LineError, at: Timestamp) -> bool {
        let mut all = self.shown();
        let Some(shown) = all.get_mut(source) else {
            return false;
        };
        for (_, status) in &mut shown.readings {
            status.ok = false;
            status.last_error = Some((at, error.said.clone()));
        }
        let new = shown.trouble.is_none();
        let since = shown.trouble.as_ref().map_or(at, |(since, _)| *since);
        shown.trouble = Some((since, error.said.clone()));
        new
    }

    /// The broker sent something again that is in the journal.
    pub(super) fn again(&self, source: &str) {
        if let Some(shown) = self.shown().get_mut(source) {
            shown.again = shown.again.saturating_add(1);
        }
    }

    /// A message is in the journal.
    pub(super) fn came(&self, source: &MqttSource, message: &MqttMessage, at: Timestamp) {
        let Some(reading) = source.reading(&message.topic) else {
            return;
        };
        let mut all = self.shown();
        let Some(shown) = all.get_mut(&source.id) else {
            return;
        };
        let found = shown
            .readings
            .iter_mut()
            .find(|(r, _)| r.topic == reading.topic);
        let Some((_, status)) = found else {
            return;
        };
        status.polls = status.polls.saturating_add(1);
        match &message.took {
            Took::Refused { why, .. } => {
                status.failures = status.failures.saturating_add(1);
                status.last_error = Some((at, why.clone()));
                status.ok = false;
            }
            Took::Samples { set } => {
                status.ok = true;
                status.last_ok = Some(at);
                let one = |sample: &cems_core::model::Sample| {
                    let value = sample.value.as_ref().map(|number| number.value);
                    shown_as(&sample.factor, value, sample.flag.0.as_str())
                };
                status.readings = set.samples.iter().map(one).collect();
            }
            Took::Record { record } => {
                status.ok = true;
                status.last_ok = Some(at);
                let one = |value: &cems_core::model::Value| {
                    let flag = value.flag.as_ref().map_or("", |flag| flag.0.as_str());
                    let figure = value.figure().map(|number| number.value);
                    shown_as(&value.factor, figure, flag)
                };
                status.readings = record.values.iter().map(one).collect();
            }
        }
    }
}

fn shown_as(
    factor: &FactorCode,
    value: Option<rust_decimal::Decimal>,
    flag: &str,
) -> (FactorCode, String, String) {
    let value = value.map(|value| value.to_string());
    (factor.clone(), value.unwrap_or_default(), flag.to_owned())
}
