//! Transmission, validity, effective transmission and capture rates of outlets, enterprises and
//! regions.

use super::Books;
use crate::store::StoreError;
use cems_core::model::profile::CaptureFormula;
use cems_core::model::time::DAY_MS;
use cems_core::model::{EnterpriseId, Level, Outlet, OutletId, Period, RegionId, Timestamp};
use cems_core::rates::{Counts, Rates, due_per_day};
use std::collections::BTreeMap;

/// Whose rates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RateOf {
    /// A region.
    Region(RegionId),
    /// An enterprise.
    Enterprise(EnterpriseId),
    /// An outlet.
    Outlet(OutletId),
}

impl Books<'_> {
    /// Counts of one outlet over the whole local days from `from` until `until` that are over.
    ///
    /// # Errors
    /// Disk.
    pub fn counts(
        &self,
        outlet: &Outlet,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Counts, StoreError> {
        let offset = self.registry.offset;
        let day_of = |at| Period::containing(Level::Day, at, offset).start;
        let until = day_of(until.min(self.now));
        let first = self.queries.first_record(&outlet.id)?;
        let from = day_of(from.max(first.unwrap_or(until)));
        let rows = self
            .queries
            .aggregates(&outlet.id, Level::Day, from, until)?;
        let days = until.since_ms(from).max(0) / DAY_MS;
        let there = rows.iter().filter(|row| row.complete).count();
        let missing = usize::try_from(days).unwrap_or(0).saturating_sub(there);
        let pollutants: Vec<_> = outlet
            .factors
            .iter()
            .filter(|(_, factor)| factor.pollutant)
            .map(|(code, _)| code.clone())
            .collect();
        Ok(Counts::of_days(
            &rows,
            &pollutants,
            u32::try_from(missing).unwrap_or(u32::MAX),
            due_per_day(&outlet.expectation),
        ))
    }

    /// Rates of everybody that `outlets` belong to: regions, enterprises, outlets; with the number
    /// of outlets and the counts.
    ///
    /// # Errors
    /// Disk.
    pub fn rates(
        &self,
        outlets: &[&Outlet],
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(RateOf, u32, Counts, Rates)>, StoreError> {
        let mut all: BTreeMap<RateOf, (u32, Counts)> = BTreeMap::new();
        for outlet in outlets {
            let counts = self.counts(outlet, from, until)?;
            let enterprise = self.registry.enterprises.get(&outlet.enterprise);
            let groups = [
                Some(RateOf::Outlet(outlet.id.clone())),
                Some(RateOf::Enterprise(outlet.enterprise.clone())),
                enterprise.map(|e| RateOf::Region(e.region.clone())),
            ];
            for group in groups.into_iter().flatten() {
                let (n, sum) = all.entry(group).or_default();
                *n += 1;
                *sum += counts;
            }
        }
        let formula = |of: &RateOf| self.formula(of);
        let rows = all.into_iter().map(|(of, (n, counts))| {
            let rates = counts.rates(formula(&of));
            (of, n, counts, rates)
        });
        Ok(rows.collect())
    }

    /// How the capture rate is computed: an outlet by its profile, several together without their
    /// stops.
    fn formula(&self, of: &RateOf) -> CaptureFormula {
        let RateOf::Outlet(id) = of else {
            return CaptureFormula::WithoutStops;
        };
        let outlet = self.registry.outlets.get(id);
        let profile = outlet.and_then(|outlet| self.registry.profile_at(outlet, self.now));
        profile.map_or(CaptureFormula::WithoutStops, |profile| {
            profile.capture.formula
        })
    }
}
