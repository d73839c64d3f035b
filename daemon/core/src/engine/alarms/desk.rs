//! What the desk waits for: acknowledgements that run out, shelvings that end, escalations, and
//! suppressions that end with the mark that caused them.
//!
//! One watch per alarm that is active or waits for a person; a row of its own in the state, so that
//! a flood costs what it must and an alarm that is over costs nothing.

use crate::model::{AlarmId, AlarmRow, OutletId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Two alarms of one outlet raised within this time of each other are one cascade: an analyser that
/// fails shows in an hour mean within the hour, and that is what a duty officer connects.
pub const CASCADE_MS: i64 = 60 * crate::model::time::MINUTE_MS;

/// One alarm under watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::engine) struct Watch {
    /// Outlet it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::engine) outlet: Option<OutletId>,
    /// When it was raised.
    pub(in crate::engine) raised_at: Timestamp,
    /// First alarm of its cascade, when it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::engine) first_out: Option<AlarmId>,
    /// The condition holds.
    pub(in crate::engine) active: bool,
    /// When the acknowledgement or the shelving runs out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::engine) ends_at: Option<Timestamp>,
    /// Next step of the escalation, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::engine) escalate: Option<(Timestamp, u32)>,
    /// When the suppression may be over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::engine) recheck_at: Option<Timestamp>,
}

impl Watch {
    pub(in crate::engine) fn of(row: &AlarmRow) -> Self {
        Self {
            outlet: match &row.subject {
                crate::model::AlarmSubject::Outlet(id) => Some(id.clone()),
                _ => None,
            },
            raised_at: row.raised_at,
            first_out: row.first_out,
            active: row.active,
            ends_at: None,
            escalate: None,
            recheck_at: None,
        }
    }

    fn due(&self) -> Option<Timestamp> {
        let step = self.escalate.map(|(at, _)| at);
        [self.ends_at, step, self.recheck_at]
            .into_iter()
            .flatten()
            .min()
    }
}

/// All alarms under watch, with an index by time and one by outlet.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::engine) struct Desk {
    watches: BTreeMap<AlarmId, Watch>,
    order: BTreeSet<(Timestamp, AlarmId)>,
    /// In the order raised; mostly one.
    by_outlet: BTreeMap<OutletId, Vec<AlarmId>>,
    dirty: BTreeSet<AlarmId>,
    moved: bool,
}

impl Desk {
    /// When something falls due.
    pub(in crate::engine) fn first(&self) -> Option<Timestamp> {
        self.order.first().map(|(at, _)| *at)
    }

    /// The first alarm that is due by `at`.
    pub(in crate::engine) fn due(&self, at: Timestamp) -> Option<AlarmId> {
        let (due, id) = self.order.first()?;
        (*due <= at).then_some(*id)
    }

    pub(in crate::engine) fn get(&self, id: AlarmId) -> Option<&Watch> {
        self.watches.get(&id)
    }

    /// Every alarm under watch, in the order raised.
    pub(in crate::engine) fn all(&self) -> Vec<AlarmId> {
        self.watches.keys().copied().collect()
    }

    /// Alarms under watch.
    pub(in crate::engine) fn len(&self) -> usize {
        self.watches.len()
    }

    /// Alarms under watch of an outlet, in the order raised.
    pub(in crate::engine) fn of_outlet(&self, outlet: &OutletId) -> Vec<AlarmId> {
        let ids = self.by_outlet.get(outlet);
        ids.into_iter().flatten().copied().collect()
    }

    /// The alarm a new one of this outlet follows (首出): the oldest that still holds and was
    /// raised within [`CASCADE_MS`], or the first of its cascade.
    pub(in crate::engine) fn cascade(&self, outlet: &OutletId, at: Timestamp) -> Option<AlarmId> {
        let ids = self.by_outlet.get(outlet)?;
        ids.iter().find_map(|id| {
            let watch = self.watches.get(id)?;
            let near = watch.active && at.since_ms(watch.raised_at) <= CASCADE_MS;
            near.then(|| watch.first_out.unwrap_or(*id))
        })
    }

    /// Sets or changes a watch.
    pub(in crate::engine) fn put(&mut self, id: AlarmId, watch: Watch) {
        self.unlink(id);
        if let Some(at) = watch.due() {
            self.order.insert((at, id));
        }
        if let Some(outlet) = &watch.outlet {
            let ids = self.by_outlet.entry(outlet.clone()).or_default();
            if let Err(place) = ids.binary_search(&id) {
                ids.reserve_exact(1);
                ids.insert(place, id);
            }
        }
        self.watches.insert(id, watch);
        self.touch(id);
    }

    /// Changes the watch of an alarm, when it has one.
    pub(in crate::engine) fn change(&mut self, id: AlarmId, f: impl FnOnce(&mut Watch)) {
        if let Some(mut watch) = self.watches.get(&id).cloned() {
            f(&mut watch);
            self.put(id, watch);
        }
    }

    /// Nothing is waited for any more.
    pub(in crate::engine) fn drop(&mut self, id: AlarmId) {
        self.unlink(id);
        if self.watches.remove(&id).is_some() {
            self.touch(id);
        }
    }

    fn touch(&mut self, id: AlarmId) {
        self.dirty.insert(id);
        self.moved = true;
    }

    fn unlink(&mut self, id: AlarmId) {
        let Some(watch) = self.watches.get(&id) else {
            return;
        };
        if let Some(at) = watch.due() {
            self.order.remove(&(at, id));
        }
        if let Some(outlet) = &watch.outlet
            && let Some(ids) = self.by_outlet.get_mut(outlet)
        {
            ids.retain(|known| *known != id);
            if ids.is_empty() {
                self.by_outlet.remove(outlet);
            }
        }
    }

    /// Whether deadlines may have changed since the last time somebody asked.
    pub(in crate::engine) fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }

    /// What must be written: the watch, or `None` where it is gone.
    pub(in crate::engine) fn take_dirty(&mut self) -> Vec<(AlarmId, Option<&Watch>)> {
        let dirty = std::mem::take(&mut self.dirty);
        let watches = &self.watches;
        dirty.into_iter().map(|id| (id, watches.get(&id))).collect()
    }

    /// Puts a watch back that was read from the state.
    pub(in crate::engine) fn restore(&mut self, id: AlarmId, watch: Watch) {
        self.put(id, watch);
        self.dirty.remove(&id);
    }
}
