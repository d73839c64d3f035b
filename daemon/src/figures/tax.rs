//! Tax basis of a month.

use super::Books;
use crate::store::StoreError;
use cems_core::model::rows::AggregateOrigin;
use cems_core::model::{AggregateRow, FactorCode, Level, Medium, Outlet, Period, Timestamp};
use cems_core::permits::tax::{TaxBasis, TaxMean, law_steps, tax_basis};
use cems_core::validate::code;
use rust_decimal::Decimal;

impl Books<'_> {
    /// Basis of every pollutant of an outlet in the local month that contains `month`, with the
    /// month's amount, kg.
    ///
    /// # Errors
    /// Disk.
    pub fn tax(
        &self,
        outlet: &Outlet,
        month: Timestamp,
    ) -> Result<Vec<(FactorCode, Option<Decimal>, TaxBasis)>, StoreError> {
        let offset = self.registry.offset;
        let period = Period::containing(Level::Month, month, offset);
        let level = match outlet.medium {
            Medium::Gas => Level::Hour,
            Medium::Water => Level::Day,
        };
        let (from, until) = (period.start, period.end(offset));
        let mut rows = self.queries.aggregates(&outlet.id, level, from, until)?;
        rows.retain(|row| row.complete);
        let total = self.queries.aggregate(&outlet.id, Level::Month, from)?;
        let mut all = Vec::new();
        for (factor, settings) in outlet.factors.iter().filter(|(_, f)| f.pollutant) {
            let means: Vec<TaxMean<'_>> = rows
                .iter()
                .filter_map(|row| {
                    Some(TaxMean {
                        start: row.start,
                        mean: row.factors.get(factor)?,
                        o2_valid: o2_valid(row),
                    })
                })
                .collect();
            let amount = total
                .as_ref()
                .and_then(|row| row.factors.get(factor)?.total_kg());
            let basis = tax_basis(outlet, settings, &means, &law_steps());
            all.push((factor.clone(), amount, basis));
        }
        Ok(all)
    }
}

fn o2_valid(row: &AggregateRow) -> bool {
    row.origin == AggregateOrigin::Reported
        || row.factors.get(code::OXYGEN).is_some_and(|o2| o2.valid)
}
