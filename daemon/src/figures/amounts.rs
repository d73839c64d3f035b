//! Totals against permitted amounts, and when they will be reached.

use super::Books;
use crate::store::StoreError;
use cems_core::model::{
    AmountPeriod, EnterpriseId, FactorCode, Level, Outlet, OutletId, Period, PermittedAmount,
    SpecialPeriod, Timestamp,
};
use cems_core::permits::projection::{NotProjected, Projection, YearSoFar, project};
use cems_core::totals;
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// A total against its permitted amount.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Whose; `None`: the enterprise as a whole.
    pub outlet: Option<OutletId>,
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// The amount.
    pub permitted: PermittedAmount,
    /// First instant of its period.
    pub start: Timestamp,
    /// Emitted so far, with what was put in for invalid periods, kg.
    pub total_kg: Decimal,
    /// What was put in of it, kg.
    pub substituted_kg: Decimal,
    /// Outlets without a figure.
    pub missing: Vec<OutletId>,
}

/// Total and what was put in of it.
type Total = (Option<Decimal>, Decimal);

impl Books<'_> {
    /// Progress of an outlet's permitted amounts whose period has begun.
    ///
    /// # Errors
    /// Disk.
    pub fn progress_of_outlet(&self, outlet: &Outlet) -> Result<Vec<Progress>, StoreError> {
        let mut all = Vec::new();
        for permitted in &outlet.permitted {
            let Some((start, special)) = self.period_of(permitted, &outlet.enterprise) else {
                continue;
            };
            let (total, substituted_kg) = self.total(&outlet.id, permitted, start, special)?;
            all.push(Progress {
                outlet: Some(outlet.id.clone()),
                enterprise: outlet.enterprise.clone(),
                permitted: permitted.clone(),
                start,
                total_kg: total.unwrap_or_default(),
                substituted_kg,
                missing: Vec::new(),
            });
        }
        Ok(all)
    }

    /// Progress of the permitted amounts of an enterprise as a whole.
    ///
    /// # Errors
    /// Disk.
    pub fn progress_of_enterprise(&self, id: &EnterpriseId) -> Result<Vec<Progress>, StoreError> {
        let mut all = Vec::new();
        let enterprise = self.registry.enterprises.get(id);
        for permitted in enterprise.map_or(&[][..], |e| e.permitted.as_slice()) {
            let Some((start, special)) = self.period_of(permitted, id) else {
                continue;
            };
            let mut totals: BTreeMap<&OutletId, Total> = BTreeMap::new();
            let own = self.registry.outlets.values();
            for outlet in own.filter(|outlet| outlet.enterprise == *id) {
                let total = self.total(&outlet.id, permitted, start, special)?;
                totals.insert(&outlet.id, total);
            }
            let factor = &permitted.factor;
            let figure = |outlet: &OutletId| totals.get(outlet).and_then(|total| total.0);
            let sum = totals::enterprise_total(self.registry, id, factor, figure);
            all.push(Progress {
                outlet: None,
                enterprise: id.clone(),
                permitted: permitted.clone(),
                start,
                total_kg: sum.total_kg.unwrap_or_default(),
                substituted_kg: totals.values().map(|total| total.1).sum(),
                missing: sum.missing,
            });
        }
        Ok(all)
    }

    /// When a permitted amount of the year will be reached.
    ///
    /// # Errors
    /// Disk.
    pub fn projection(
        &self,
        progress: &Progress,
    ) -> Result<Result<Projection, NotProjected>, StoreError> {
        let offset = self.registry.offset;
        let year = Period::containing(Level::Year, self.now, offset);
        let before = Period::containing(Level::Year, year.start.plus_ms(-1), offset);
        let today = Period::containing(Level::Day, self.now, offset).start;
        let outlets: Vec<&OutletId> = match &progress.outlet {
            Some(outlet) => vec![outlet],
            None => {
                let own = self.registry.outlets.values();
                let own = own.filter(|outlet| outlet.enterprise == progress.enterprise);
                own.map(|outlet| &outlet.id).collect()
            }
        };
        let days = |from, until| -> Result<BTreeMap<NaiveDate, Decimal>, StoreError> {
            let mut sum = BTreeMap::new();
            for outlet in &outlets {
                for (day, kg) in self.days_kg(outlet, &progress.permitted.factor, from, until)? {
                    *sum.entry(day).or_insert(Decimal::ZERO) += kg;
                }
            }
            Ok(sum)
        };
        let (so_far, previous) = (days(year.start, today)?, days(before.start, year.start)?);
        let through = offset.local(today.plus_ms(-1)).date();
        Ok(project(&YearSoFar {
            amount_kg: progress.permitted.amount_kg,
            year: offset.local(year.start).date().year(),
            through,
            days: &so_far,
            previous: &previous,
        }))
    }

    /// First instant of the period of an amount, and the special period where it is one; `None`
    /// when it has not begun or does not hold here.
    fn period_of(
        &self,
        permitted: &PermittedAmount,
        enterprise: &EnterpriseId,
    ) -> Option<(Timestamp, Option<&SpecialPeriod>)> {
        let region = self.registry.enterprises.get(enterprise).map(|e| &e.region);
        let special_periods = &self.registry.special_periods;
        let at = (self.now, self.registry.offset);
        let (start, _) = totals::span(permitted, special_periods, region, at).ok()?;
        let special = permitted
            .special
            .as_ref()
            .and_then(|id| special_periods.get(id));
        let special = special.filter(|_| permitted.period == AmountPeriod::Special);
        (start <= self.now).then_some((start, special))
    }

    fn total(
        &self,
        outlet: &OutletId,
        permitted: &PermittedAmount,
        start: Timestamp,
        special: Option<&SpecialPeriod>,
    ) -> Result<Total, StoreError> {
        let factor: &FactorCode = &permitted.factor;
        if let Some(special) = special {
            let offset = self.registry.offset;
            let until = special.until.min(self.now);
            let first = Period::containing(Level::Day, special.from, offset).start;
            let days = self.days_kg(outlet, factor, first, until)?;
            let of_day = |at: Timestamp| days.get(&offset.local(at).date()).copied();
            let total = totals::special_total(special, (self.now, offset), of_day);
            return Ok((total.total_kg, Decimal::ZERO));
        }
        let level = match permitted.period {
            AmountPeriod::Month => Level::Month,
            AmountPeriod::Year | AmountPeriod::Special => Level::Year,
        };
        let row = self.queries.aggregate(outlet, level, start)?;
        let own = row.as_ref().and_then(|row| row.factors.get(factor));
        Ok((
            own.and_then(|f| f.total_kg()),
            own.and_then(|f| f.substituted_kg).unwrap_or_default(),
        ))
    }
}
