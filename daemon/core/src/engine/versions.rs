//! Which settings judge which period: those in force when it began.
//!
//! When a registry takes force, what an outlet was judged by until then is kept, as far as it
//! differs. A period that began earlier and is computed anew, because data came late, is judged by
//! what was in force then: the same outlet settings, the same version of the profile. Permitted
//! amounts are the exception: a total is held against what is permitted now.

use super::context::Site;
use crate::model::{Outlet, Profile, Registry, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Earlier settings kept per outlet; a change more than this far back is judged by the oldest
/// that is kept. Sixteen changes are years of permits and repairs.
const VERSIONS_MAX: usize = 16;

/// Prefix of the names of state rows that hold earlier settings.
pub(super) const VERSIONS_ROW: &str = "#past/";

/// What an outlet was judged by before a registry took force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Version {
    /// It judged periods that began before this.
    pub(super) until: Timestamp,
    outlet: Outlet,
    /// The versions of its profile.
    profiles: Vec<Profile>,
}

/// Earlier settings of an outlet, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Versions(Arc<Vec<Version>>);

impl Versions {
    /// Keeps what `outlet` was judged by in `old` until `at`, unless `new` judges it alike.
    /// `true` when something was kept.
    pub(super) fn note(
        &mut self,
        (old, new): (&Registry, &Registry),
        outlet: &Outlet,
        at: Timestamp,
    ) -> bool {
        let profiles = profiles_of(old, outlet);
        let same = new
            .outlets
            .get(&outlet.id)
            .is_some_and(|next| judged_alike(next, outlet));
        if same && profiles.iter().all(|p| new.profiles.get(&p.id) == Some(p)) {
            return false;
        }
        let all = Arc::make_mut(&mut self.0);
        all.push(Version {
            until: at,
            outlet: outlet.clone(),
            profiles,
        });
        if all.len() > VERSIONS_MAX {
            all.remove(0);
        }
        true
    }

    /// The settings that judge periods beginning at `start`: an earlier version, else those of
    /// `site`, with the version of the profile that is in force then.
    pub(super) fn site<'a>(
        &'a self,
        registry: &'a Registry,
        site: Site<'a>,
        start: Timestamp,
    ) -> Site<'a> {
        let version = self.0.iter().find(|version| start < version.until);
        let (outlet, profile) = match version {
            Some(version) => {
                let profiles = version.profiles.iter();
                (&version.outlet, judging(profiles, &version.outlet, start))
            }
            None => {
                let profiles = registry.profiles.values();
                (site.outlet, judging(profiles, site.outlet, start))
            }
        };
        Site {
            outlet,
            profile: profile.unwrap_or(site.profile),
            offset: site.offset,
        }
    }
}

/// Same rules and figures; a name, a password or an address judges nothing.
fn judged_alike(a: &Outlet, b: &Outlet) -> bool {
    a.profile == b.profile
        && a.medium == b.medium
        && a.gas == b.gas
        && a.water == b.water
        && a.factors == b.factors
        && a.expectation == b.expectation
}

fn profiles_of(registry: &Registry, outlet: &Outlet) -> Vec<Profile> {
    if let Some(exact) = registry.profiles.get(&outlet.profile) {
        return vec![exact.clone()];
    }
    let family = outlet.profile.as_str();
    let of_family = registry.profiles.values().filter(|p| p.family() == family);
    of_family.cloned().collect()
}

/// The profile that judges periods of `outlet` that begin at `start`. Where no version of its
/// family is in force then, the last one before, else the first after: the same whenever it is
/// asked.
fn judging<'a>(
    profiles: impl Iterator<Item = &'a Profile> + Clone,
    outlet: &Outlet,
    start: Timestamp,
) -> Option<&'a Profile> {
    let exact = profiles.clone().find(|p| p.id == outlet.profile);
    let family = outlet.profile.as_str();
    let of_family = profiles.filter(|p| p.family() == family);
    let in_force = of_family.clone().filter(|p| p.in_force(start));
    let before = of_family.clone().filter(|p| p.from <= Some(start));
    exact
        .or_else(|| in_force.max_by_key(|p| p.version()))
        .or_else(|| before.max_by_key(|p| (p.from, p.version())))
        .or_else(|| of_family.min_by_key(|p| (p.from, p.version())))
}
