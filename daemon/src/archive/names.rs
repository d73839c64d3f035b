//! What the registry says of an outlet and its factors, beside the rows themselves.

use cems_core::model::{FactorCode, Outlet, OutletId, Registry};

/// The registered names of one outlet; nothing for one that left the registry.
pub(super) struct Names<'r> {
    outlet: Option<&'r Outlet>,
    region: Option<&'r str>,
}

impl<'r> Names<'r> {
    pub(super) fn of(registry: &'r Registry, id: &OutletId) -> Self {
        let outlet = registry.outlets.get(id);
        let enterprise = outlet.and_then(|o| registry.enterprises.get(&o.enterprise));
        Self {
            outlet,
            region: enterprise.map(|e| e.region.as_str()),
        }
    }

    pub(super) fn enterprise(&self) -> Option<&'r str> {
        self.outlet.map(|o| o.enterprise.as_str())
    }

    pub(super) fn region(&self) -> Option<&'r str> {
        self.region
    }

    /// Name and unit of a factor.
    pub(super) fn factor(&self, code: &FactorCode) -> (Option<&'r str>, Option<&'r str>) {
        let factor = self.outlet.and_then(|o| o.factors.get(code));
        (
            factor.map(|f| f.name_zh.as_str()),
            factor.map(|f| f.unit.as_str()),
        )
    }
}
