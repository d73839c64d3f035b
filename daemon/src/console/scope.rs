//! What of the registry an actor sees. Regions and enterprises of a scope are looked up once per
//! question, not once per outlet: a desk of one region among a hundred thousand outlets asks often.

use crate::store::{enterprise_place, region_place};
use cems_core::model::{Access, EnterpriseId, Outlet, OutletId, Registry};
use cems_dashboards::backend::Actor;
use std::collections::{BTreeSet, HashSet};

pub(super) fn access(actor: &Actor) -> Access {
    Access {
        role: actor.role,
        scope: actor.scope.clone(),
    }
}

/// An actor's scope on a registry.
struct Sight<'a> {
    all: bool,
    /// Enterprises named by the scope, themselves or by their region.
    enterprises: HashSet<&'a EnterpriseId>,
    outlets: &'a BTreeSet<OutletId>,
}

impl<'a> Sight<'a> {
    fn of(actor: &'a Actor, registry: &'a Registry) -> Self {
        let scope = &actor.scope;
        let mut enterprises: HashSet<_> = scope.enterprises.iter().collect();
        if !scope.regions.is_empty() {
            let known = registry.enterprises.iter();
            let there = known.filter(|(_, one)| scope.regions.contains(&one.region));
            enterprises.extend(there.map(|(id, _)| id));
        }
        Self {
            all: access(actor).sees_all(),
            enterprises,
            outlets: &scope.outlets,
        }
    }

    /// What [`Access::covers`] says.
    fn covers(&self, outlet: &Outlet) -> bool {
        self.all
            || self.enterprises.contains(&outlet.enterprise)
            || (!self.outlets.is_empty() && self.outlets.contains(&outlet.id))
    }
}

/// Outlets that the actor sees.
pub(super) fn seen<'a>(actor: &Actor, registry: &'a Registry) -> Vec<&'a Outlet> {
    let sight = Sight::of(actor, registry);
    let outlets = registry.outlets.values();
    outlets.filter(|outlet| sight.covers(outlet)).collect()
}

/// One outlet is in scope; one that the registry does not know, for those who see all.
pub(super) fn sees(actor: &Actor, registry: &Registry, outlet: &OutletId) -> bool {
    match registry.outlets.get(outlet) {
        Some(outlet) => access(actor).covers(registry, outlet),
        None => access(actor).sees_all(),
    }
}

/// The outlets an actor is confined to; `None` when it sees everything.
pub(super) fn scope_of(actor: &Actor, registry: &Registry) -> Option<BTreeSet<OutletId>> {
    (!access(actor).sees_all()).then(|| {
        let outlets = seen(actor, registry).into_iter();
        outlets.map(|outlet| outlet.id.clone()).collect()
    })
}

/// The enterprise is in scope with all its outlets: its total may be seen.
pub(super) fn sees_whole(actor: &Actor, registry: &Registry, id: &EnterpriseId) -> bool {
    let access = access(actor);
    let outlets = registry.outlets.values();
    let mut own = outlets.filter(|o| o.enterprise == *id).peekable();
    own.peek().is_some() && own.all(|outlet| access.covers(registry, outlet))
}

/// The outlets in scope, and the enterprises that are in scope with all their outlets.
fn places<'a>(
    actor: &Actor,
    registry: &'a Registry,
) -> (BTreeSet<&'a OutletId>, BTreeSet<&'a EnterpriseId>) {
    let sight = Sight::of(actor, registry);
    let mut outlets = BTreeSet::new();
    let (mut touched, mut partly) = (BTreeSet::new(), BTreeSet::new());
    for outlet in registry.outlets.values() {
        if sight.covers(outlet) {
            outlets.insert(&outlet.id);
            touched.insert(&outlet.enterprise);
        } else if !sight.outlets.is_empty() {
            // Only a scope that lists single outlets can cover a part of an enterprise.
            partly.insert(&outlet.enterprise);
        }
    }
    touched.retain(|id| !partly.contains(id));
    (outlets, touched)
}

/// Enterprises that are in scope with all their outlets, as [`sees_whole`] says of one.
pub(super) fn seen_whole<'a>(actor: &Actor, registry: &'a Registry) -> BTreeSet<&'a EnterpriseId> {
    places(actor, registry).1
}

/// What an actor is confined to when it asks for alarms: outlets, and enterprises and regions as a
/// whole; `None` when it sees everything.
pub(super) fn alarm_places(actor: &Actor, registry: &Registry) -> Option<BTreeSet<OutletId>> {
    if access(actor).sees_all() {
        return None;
    }
    let (outlets, whole) = places(actor, registry);
    let mut all: BTreeSet<OutletId> = outlets.into_iter().cloned().collect();
    all.extend(whole.into_iter().map(enterprise_place));
    all.extend(actor.scope.regions.iter().map(region_place));
    Some(all)
}
