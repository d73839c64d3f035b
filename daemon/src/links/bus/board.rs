//! What is known of the instruments right now, for pages and programs.

use super::schedule::Pulse;
use cems_core::model::{FactorCode, SampleSet, Timestamp};
use cems_dashboards::backend::InstrumentStatus;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The status of every instrument; clones show the same.
#[derive(Debug, Clone, Default)]
pub struct BusBoard(Arc<Mutex<BTreeMap<SmolStr, Shown>>>);

#[derive(Debug)]
struct Shown {
    status: InstrumentStatus,
    pulse: Pulse,
}

impl BusBoard {
    fn shown(&self) -> MutexGuard<'_, BTreeMap<SmolStr, Shown>> {
        // Plain data, valid at every moment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every instrument, by id.
    pub fn instruments(&self) -> Vec<InstrumentStatus> {
        let shown = self.shown();
        shown.values().map(|one| one.status.clone()).collect()
    }

    /// How well the period of an instrument is kept; `None` when there is no such instrument.
    pub fn pulse(&self, instrument: &str) -> Option<Pulse> {
        self.shown().get(instrument).map(|one| one.pulse)
    }

    /// Adds an instrument, or takes over what is known of it.
    pub(super) fn announce(&self, instrument: &cems_config::Instrument) {
        let mut shown = self.shown();
        let before = shown.remove(&instrument.id);
        let mut status = InstrumentStatus {
            id: instrument.id.to_string(),
            outlet: instrument.outlet.clone(),
            bus: instrument.bus.to_string(),
            map: instrument.map.id.to_string(),
            ok: false,
            last_ok: None,
            last_error: None,
            polls: 0,
            failures: 0,
            readings: Vec::new(),
        };
        let mut pulse = Pulse::default();
        if let Some(before) = before {
            pulse = before.pulse;
            status = InstrumentStatus {
                id: status.id,
                outlet: status.outlet,
                bus: status.bus,
                map: status.map,
                ..before.status
            };
        }
        let one = Shown { status, pulse };
        shown.insert(instrument.id.clone(), one);
    }

    /// Takes the instruments away that are not in the settings any more.
    pub(super) fn keep(&self, wanted: impl Fn(&str) -> bool) {
        self.shown().retain(|id, _| wanted(id));
    }

    /// A poll is over.
    pub(super) fn polled(
        &self,
        id: &SmolStr,
        at: Timestamp,
        pulse: Pulse,
        set: Option<&SampleSet>,
        error: Option<String>,
    ) {
        let mut shown = self.shown();
        let Some(one) = shown.get_mut(id) else {
            return;
        };
        one.pulse = pulse;
        let status = &mut one.status;
        status.polls = pulse.polls;
        status.failures = pulse.failures;
        status.ok = set.is_some();
        if let Some(set) = set {
            status.last_ok = Some(at);
            if !set.samples.is_empty() {
                status.readings = readings(set);
            }
        }
        if let Some(error) = error {
            status.last_error = Some((at, error));
        }
    }

    /// It is silent: what it said last is no longer what it says.
    pub(super) fn silent(&self, id: &SmolStr, set: &SampleSet) {
        if let Some(one) = self.shown().get_mut(id) {
            one.status.ok = false;
            one.status.readings = readings(set);
        }
    }
}

fn readings(set: &SampleSet) -> Vec<(FactorCode, String, String)> {
    let one = |sample: &cems_core::model::Sample| {
        let value = sample.value.as_ref().map(|number| number.value.to_string());
        (
            sample.factor.clone(),
            value.unwrap_or_default(),
            sample.flag.0.to_string(),
        )
    };
    set.samples.iter().map(one).collect()
}
