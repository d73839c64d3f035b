//! Who covers what: people by the part of the registry they see, so that a notice costs as many
//! look-ups as a subject has levels, not as many as there are people.

use super::Notice;
use crate::model::{EnterpriseId, OutletId, Policy, RegionId, UserId};
use std::collections::BTreeMap;

/// People of a policy by scope.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct People {
    everywhere: Vec<UserId>,
    regions: BTreeMap<RegionId, Vec<UserId>>,
    enterprises: BTreeMap<EnterpriseId, Vec<UserId>>,
    outlets: BTreeMap<OutletId, Vec<UserId>>,
}

impl People {
    /// The index of a policy.
    pub fn of(policy: &Policy) -> Self {
        let mut index = Self::default();
        for (id, person) in &policy.people {
            let scope = &person.access.scope;
            if person.access.sees_all() {
                index.everywhere.push(id.clone());
            }
            for region in &scope.regions {
                let people = index.regions.entry(region.clone()).or_default();
                people.push(id.clone());
            }
            for enterprise in &scope.enterprises {
                let people = index.enterprises.entry(enterprise.clone()).or_default();
                people.push(id.clone());
            }
            for outlet in &scope.outlets {
                let people = index.outlets.entry(outlet.clone()).or_default();
                people.push(id.clone());
            }
        }
        index
    }

    /// Those whose scope covers what a notice concerns; somebody may come twice.
    pub fn covering<'a>(&'a self, notice: &'a Notice) -> impl Iterator<Item = &'a UserId> {
        let region = notice.region.as_ref().and_then(|id| self.regions.get(id));
        let enterprise = notice.enterprise.as_ref();
        let enterprise = enterprise.and_then(|id| self.enterprises.get(id));
        let outlet = notice.outlet.as_ref().and_then(|id| self.outlets.get(id));
        let listed = [region, enterprise, outlet].into_iter().flatten().flatten();
        self.everywhere.iter().chain(listed)
    }
}
