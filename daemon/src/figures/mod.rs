//! Figures that are computed when somebody asks: explanations, rates, projections, tax bases,
//! progress against permitted amounts. Read from the projections on one committed state, computed
//! by the pure rules; the console, the API and the command line give the same.

mod amounts;
mod explain;
mod rates;
pub mod recompute;
mod tax;

pub use amounts::Progress;
pub use explain::ExplainFailure;
pub use rates::RateOf;

use crate::store::{Queries, Readers, StoreError};
use cems_core::model::{FactorCode, OutletId, Registry, Timestamp};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The books on one committed state, with the registry in force and the time.
pub struct Books<'a> {
    /// The questions.
    pub queries: &'a Queries<'a>,
    /// The registry in force.
    pub registry: &'a Registry,
    /// Now.
    pub now: Timestamp,
}

/// Opens the books on one committed state.
///
/// # Errors
/// As [`Readers::read`] and `ask`.
pub fn on_books<T>(
    readers: &Readers,
    (registry, now): (&Registry, Timestamp),
    ask: impl FnOnce(&Books<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    readers.read(|queries| {
        ask(&Books {
            queries,
            registry,
            now,
        })
    })
}

impl Books<'_> {
    /// Amounts by local day, kg: measured, and what was put in for invalid periods. Days without a
    /// figure are not there.
    ///
    /// # Errors
    /// Disk.
    pub fn days_kg(
        &self,
        outlet: &OutletId,
        factor: &FactorCode,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<BTreeMap<NaiveDate, Decimal>, StoreError> {
        let offset = self.registry.offset;
        let date = |at: Timestamp| offset.local(at).date();
        let mut days: BTreeMap<NaiveDate, Decimal> = BTreeMap::new();
        let level = cems_core::model::Level::Day;
        for row in self.queries.aggregates(outlet, level, from, until)? {
            let figure = row.factors.get(factor).and_then(|f| f.amount_kg);
            if let Some(kg) = figure.filter(|_| row.complete) {
                days.insert(date(row.start), kg);
            }
        }
        for quarter in self.queries.quarters_between(outlet, from, until)? {
            let Some(own) = quarter.factors.get(factor) else {
                continue;
            };
            let within = |day: &&(Timestamp, Decimal)| from <= day.0 && day.0 < until;
            for gap in &own.gaps {
                for (day, kg) in gap.by_day.iter().filter(within) {
                    *days.entry(date(*day)).or_default() += kg;
                }
                for (day, kg) in gap.replaced_by_day.iter().filter(within) {
                    *days.entry(date(*day)).or_default() -= kg;
                }
            }
        }
        Ok(days)
    }
}

/// The past as the rules ask for it. The first failure is remembered; the answer must be thrown
/// away then.
pub(crate) struct Past<'q> {
    queries: &'q Queries<'q>,
    failure: RefCell<Option<StoreError>>,
}

impl<'q> Past<'q> {
    pub(crate) fn new(queries: &'q Queries<'q>) -> Self {
        Self {
            queries,
            failure: RefCell::default(),
        }
    }

    fn with<T: Default>(&self, ask: impl FnOnce(&Queries<'_>) -> Result<T, StoreError>) -> T {
        ask(self.queries).unwrap_or_else(|error| {
            self.failure.borrow_mut().get_or_insert(error);
            T::default()
        })
    }

    /// `answer`, unless a look-up failed meanwhile.
    pub(crate) fn sound<T>(self, answer: T) -> Result<T, StoreError> {
        match self.failure.into_inner() {
            Some(error) => Err(error),
            None => Ok(answer),
        }
    }
}

crate::store::history::history_through_with!([] Past<'_>);
