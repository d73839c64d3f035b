//! A registry takes force.
//!
//! Outlets that come in are watched from this moment; those that leave keep their rows, but nothing
//! runs for them any more: booked periods and samples not yet in a record are dropped, open alarms
//! return, an open fallback closes. Alarms of limits, permits and expectations that an outlet has
//! lost return likewise. An outlet that comes back starts anew, with its numbering and history.

use super::alarms::ended;
use super::context::{Cx, ENGINE, Site};
use super::state::Live;
use super::watch::device;
use super::{
    Engine, deadlines, duties, exceedance, fallbacks, intake, outage, permitted, quarters,
    supervision,
};
use crate::fallback::Machine;
use crate::model::{FactorCode, Outlet, OutletId, Output, Registry};
use crate::sampling::Forming;
use smol_str::SmolStr;
use std::sync::Arc;

/// Puts `new` in force; a registry equal to the one in force changes nothing.
pub(super) fn takes_force(engine: &mut Engine, new: &Arc<Registry>, cx: &mut Cx<'_>) {
    if engine.registry.as_ref() == Some(new) {
        return;
    }
    match serde_json::to_string(new.as_ref()) {
        Ok(json) => cx.emit(Output::Registry {
            seq: cx.seq,
            at: cx.at,
            json,
        }),
        Err(error) => cx.audit(ENGINE, "registry.unwritable", "registry", error.to_string()),
    }
    let old = engine.registry.take();
    let gone: Vec<OutletId> = engine
        .outlets
        .iter()
        .filter(|(id, live)| !live.state.removed && !new.outlets.contains_key(*id))
        .map(|(id, _)| id.clone())
        .collect();
    for id in &gone {
        remove(engine, old.as_deref(), id, cx);
    }
    if let Some(old) = &old {
        for outlet in old.outlets.values() {
            if let Some(live) = engine.outlets.get_mut(&outlet.id) {
                live.versions_dirty |= live.versions.note((old, new), outlet, cx.at);
            }
        }
    }
    let detail = summary(old.as_deref(), new);
    cx.audit(ENGINE, "registry.changed", "registry", detail);
    engine.shared.outages.forget_sizes();
    permitted::keep_only_of_enterprises(&mut engine.shared, new, cx);
    duties::registry_changed(&mut engine.shared, old.as_deref(), new, cx);
    for outlet in old.iter().flat_map(|old| old.outlets.values()) {
        if let Some(now) = new.outlets.get(&outlet.id) {
            device::registered(&mut engine.shared, (outlet, now), cx);
        }
    }
    engine.registry = Some(Arc::clone(new));
    engine.registry_dirty = true;
    for outlet in new.outlets.values() {
        intake::introduced(&mut engine.shared, outlet.mn.as_str(), cx);
        admit(engine, new, outlet, cx);
    }
    let ids: Vec<OutletId> = engine.outlets.keys().cloned().collect();
    for id in &ids {
        deadlines::renew_outlet(engine, new, id);
    }
    engine.touched.extend(ids);
    deadlines::renew_shared(engine);
}

fn admit(engine: &mut Engine, new: &Registry, outlet: &Outlet, cx: &mut Cx<'_>) {
    let known = engine.outlets.contains_key(&outlet.id);
    let live = engine.outlets.entry(outlet.id.clone()).or_default();
    live.dirty = true;
    if !known || live.state.removed {
        live.state.since = cx.at;
        live.state.removed = false;
        live.state.fallback = Machine::default();
    }
    live.state.fallback.watch(pollutants(outlet), cx.at);
    exceedance::keep_only(live, &mut engine.shared, outlet, cx);
    if let Some(site) = Site::of(new, outlet, cx.at) {
        if live.state.quarters.is_empty() {
            quarters::book_day(live, site, cx.at);
        }
        supervision::expectation_changed(live, &mut engine.shared, site, cx);
    }
}

fn pollutants(outlet: &Outlet) -> impl Iterator<Item = &FactorCode> {
    let of = |(code, factor): (_, &crate::model::OutletFactor)| factor.pollutant.then_some(code);
    outlet.factors.iter().filter_map(of)
}

fn remove(engine: &mut Engine, old: Option<&Registry>, id: &OutletId, cx: &mut Cx<'_>) {
    let site = old.and_then(|old| Site::of(old, old.outlets.get(id)?, cx.at));
    let (Some(live), Some(site)) = (engine.outlets.get_mut(id), site) else {
        return;
    };
    live.dirty = true;
    outage::heard(&mut engine.shared, site, cx);
    let turn = live.state.fallback.retire(cx.at, REMOVED.into(), cx.seq);
    let turns = turn.into_iter().collect();
    fallbacks::follow(live, &mut engine.shared, site, turns, cx);
    live.state.closing.clear();
    live.state.quarters.clear();
    live.state.sampling = Forming::default();
    end_alarms(live, &mut engine.shared.book, cx);
    live.state.removed = true;
}

const REMOVED: &str = "outlet-removed";

fn end_alarms(live: &mut Live, book: &mut super::alarms::AlarmBook, cx: &mut Cx<'_>) {
    let keys: Vec<SmolStr> = live.state.conditions.keys().cloned().collect();
    for key in keys {
        ended(&mut live.state.conditions, book, &key, REMOVED, cx);
    }
    for track in live.state.stretches.values_mut() {
        if let Some(alarm) = track.end() {
            book.back_to_normal(alarm, REMOVED, cx);
        }
    }
    for alarm in live.state.amounts.values_mut().flat_map(|p| p.values_mut()) {
        if let Some(alarm) = alarm.end() {
            book.back_to_normal(alarm, REMOVED, cx);
        }
    }
}

/// What changed, by outlet, for the audit trail.
fn summary(old: Option<&Registry>, new: &Registry) -> String {
    let before = |id: &OutletId| old.and_then(|old| old.outlets.get(id));
    let added = new.outlets.keys().filter(|id| before(id).is_none()).count();
    let changed = new
        .outlets
        .iter()
        .filter(|(id, outlet)| before(id).is_some_and(|old| old != *outlet))
        .count();
    let removed = old.map_or(0, |old| {
        let gone = |id: &&OutletId| !new.outlets.contains_key(*id);
        old.outlets.keys().filter(gone).count()
    });
    format!("outlets added {added}, changed {changed}, removed {removed}")
}
