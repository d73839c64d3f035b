//! What falls due when nothing happens, in the order (time, outlet, kind).

use super::context::{Cx, Site};
use super::state::Live;
use super::{
    Engine, alarms, closing, duties, fallbacks, intake, notices, quarters, sampling, supervision,
};
use crate::model::{OutletId, Registry, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Whose deadline it is; what belongs to no outlet comes first.
type Owner = Option<OutletId>;

/// The first deadline of everyone who has one. A cache: recomputed whenever its owner changes.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    order: BTreeSet<(Timestamp, Owner)>,
    of: BTreeMap<Owner, Timestamp>,
}

impl Deadlines {
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.order.first().map(|(at, _)| *at)
    }

    fn set(&mut self, owner: &Owner, at: Option<Timestamp>) {
        let old = self.of.get(owner).copied();
        if old == at {
            return;
        }
        if let Some(old) = old {
            self.order.remove(&(old, owner.clone()));
            self.of.remove(owner);
        }
        if let Some(at) = at {
            self.order.insert((at, owner.clone()));
            self.of.insert(owner.clone(), at);
        }
    }
}

/// Recomputes the first deadline of an outlet.
pub(super) fn renew_outlet(engine: &mut Engine, registry: &Registry, id: &OutletId) {
    let at = engine.outlets.get(id).and_then(|live| {
        let site = Site::of(registry, registry.outlets.get(id)?, engine.shared.now)?;
        first_of(live, site, engine.shared.policy_since)
    });
    engine.deadlines.set(&Some(id.clone()), at);
}

/// Recomputes the first deadline of what belongs to no outlet.
pub(super) fn renew_shared(engine: &mut Engine) {
    let shared = &engine.shared;
    let at = [
        intake::strangers_due(&shared.strangers),
        shared.book.desk.first(),
        shared.health.quiet_due(),
        shared.notices.due(),
        shared.duties.due(),
    ];
    engine.deadlines.set(&None, at.into_iter().flatten().min());
}

fn first_of(live: &Live, site: Site<'_>, watched_since: Option<Timestamp>) -> Option<Timestamp> {
    let state = &live.state;
    if state.removed {
        return None;
    }
    [
        sampling::next_due(state),
        closing::next_due(state),
        quarters::next_due(live),
        supervision::silence_due(state, site, watched_since),
        state.fallback.next_deadline(&fallbacks::terms(site)),
        alarms::quiet_due(&state.conditions),
    ]
    .into_iter()
    .flatten()
    .min()
}

/// Lets everything up to `until` fall due.
pub(super) fn run(engine: &mut Engine, until: Timestamp, cx: &mut Cx<'_>) {
    while let Some((at, owner)) = engine.deadlines.order.first().cloned() {
        if at > until {
            break;
        }
        cx.at = cx.at.max(at);
        match owner {
            None => shared_due(engine, cx),
            Some(id) => outlet_due(engine, &id, cx),
        }
        settle(engine, cx);
    }
}

/// What belongs to no outlet and is due: strangers, the desk, the daemon itself.
fn shared_due(engine: &mut Engine, cx: &mut Cx<'_>) {
    let shared = &mut engine.shared;
    if intake::strangers_due(&shared.strangers).is_some_and(|due| due <= cx.at) {
        intake::strangers_quiet(shared, cx);
    }
    while let Some(id) = shared.book.desk.due(cx.at) {
        shared.book.due(id, cx);
    }
    shared.health.quiet(&mut shared.book, cx);
    duties::run(shared, cx);
    renew_shared(engine);
}

/// After an event or a deadline: what was noted for people is planned, and deadlines of what
/// belongs to no outlet are renewed where they moved.
pub(super) fn settle(engine: &mut Engine, cx: &mut Cx<'_>) {
    for id in engine.shared.outages.take_released() {
        let registry = cx.registry;
        let site = registry.outlets.get(&id);
        let site = site.and_then(|outlet| Site::of(registry, outlet, cx.at));
        if let (Some(live), Some(site)) = (engine.outlets.get_mut(&id), site) {
            supervision::released(live, &mut engine.shared, site, cx);
            engine.touched.insert(id.clone());
            renew_outlet(engine, registry, &id);
        }
    }
    let told = notices::plan(&mut engine.shared, cx);
    let moved = engine.shared.book.desk.take_moved() | engine.shared.duties.take_moved();
    if moved || told {
        renew_shared(engine);
    }
}

/// All kinds of one outlet that are due, in fixed order: own records, periods, silence, fallback,
/// quiet.
fn outlet_due(engine: &mut Engine, id: &OutletId, cx: &mut Cx<'_>) {
    let registry = cx.registry;
    let site = registry
        .outlets
        .get(id)
        .and_then(|outlet| Site::of(registry, outlet, cx.at));
    let (Some(live), Some(site)) = (engine.outlets.get_mut(id), site) else {
        engine.deadlines.set(&Some(id.clone()), None);
        return;
    };
    let shared = &mut engine.shared;
    sampling::due(live, shared, site, cx);
    closing::run(live, shared, site, cx);
    let silence = supervision::silence_due(&live.state, site, shared.policy_since);
    if silence.is_some_and(|due| due <= cx.at) {
        supervision::silence(live, shared, site, cx);
    }
    fallbacks::due(live, shared, site, cx);
    if alarms::quiet_due(&live.state.conditions).is_some_and(|due| due <= cx.at) {
        live.dirty = true;
        alarms::quiet(&mut live.state.conditions, &mut shared.book, cx);
    }
    engine.touched.insert(id.clone());
    renew_outlet(engine, registry, id);
}
