//! A year of all outlets computed again from their packed hours and held against the books.

use crate::store::{Queries, Readers, StoreError};
use cems_core::model::{Level, OutletId, Period, Registry, Timestamp, UtcOffset};
use cems_core::pack::PackError;
use cems_core::recompute::{Counts, Difference, Recomputer, Rules, Year};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Differences listed of one outlet; all are counted.
const DIFFERENCES_MAX: usize = 20;

/// Registries by the time from which they were in force, ascending.
pub type Registries = Vec<(Timestamp, Registry)>;

/// What was recomputed of one outlet.
#[derive(Debug, Clone)]
pub struct OutletYear {
    /// Whose.
    pub outlet: OutletId,
    /// Hours recomputed.
    pub hours: u64,
    /// Factors of hours recomputed.
    pub values: u64,
    /// The first differences.
    pub differences: Vec<Difference>,
    /// How many of which kind.
    pub counts: Counts,
    /// The packed hours are damaged; nothing was recomputed.
    pub damaged: Option<PackError>,
}

/// Every registry the books know.
///
/// # Errors
/// Disk; a registry that cannot be read.
pub fn registries(queries: &Queries<'_>) -> Result<Registries, StoreError> {
    let rows = queries.registries()?;
    let read = |(at, json): (Timestamp, String)| {
        let registry = serde_json::from_str(&json)
            .map_err(|error| StoreError::Damaged(format!("table registry: {error}")))?;
        Ok((at, registry))
    };
    rows.into_iter().map(read).collect()
}

/// Recomputes the local year that contains `year` for `outlets`, on as many threads as given;
/// `done` is told how many outlets are through.
///
/// # Errors
/// Disk.
pub fn recompute(
    readers: &Readers,
    registries: &Registries,
    outlets: &[OutletId],
    (year, threads): (Timestamp, usize),
    done: &(dyn Fn(usize) + Sync),
) -> Result<Vec<OutletYear>, StoreError> {
    let next = AtomicUsize::new(0);
    let finished = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    let failure = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                let mut recomputer = Recomputer::new();
                while let Some(outlet) = outlets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let one = readers.read(|queries| {
                        of_outlet(queries, registries, outlet, year, &mut recomputer)
                    });
                    match one {
                        Ok(one) => {
                            let mut all = results.lock().unwrap_or_else(PoisonError::into_inner);
                            all.insert(outlet.clone(), one);
                        }
                        Err(error) => {
                            *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                            return;
                        }
                    }
                    done(finished.fetch_add(1, Ordering::Relaxed) + 1);
                }
            });
        }
    });
    if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(results.into_values().collect())
}

fn of_outlet(
    queries: &Queries<'_>,
    registries: &Registries,
    outlet: &OutletId,
    year: Timestamp,
    recomputer: &mut Recomputer,
) -> Result<OutletYear, StoreError> {
    let offset = registries
        .last()
        .map_or(UtcOffset::default(), |(_, r)| r.offset);
    let period = Period::containing(Level::Year, year, offset);
    let (from, until) = (period.start, period.end(offset));
    let packs = queries.packs(outlet, from, until)?;
    let packs: Vec<&[u8]> = packs.iter().map(|row| row.body.as_slice()).collect();
    let mut stored = Vec::new();
    for level in [Level::Day, Level::Month, Level::Year] {
        stored.extend(queries.aggregates(outlet, level, from, until)?);
    }
    let rules = |at: Timestamp| {
        let then = registries.iter().rfind(|(from, _)| *from <= at);
        let (_, registry) = then.or(registries.first())?;
        let settings = registry.outlets.get(outlet)?;
        let enterprise = registry.enterprises.get(&settings.enterprise);
        Some(Rules {
            outlet: settings,
            profile: registry.profile_at(settings, at)?,
            special_periods: &registry.special_periods,
            region: enterprise.map(|enterprise| &enterprise.region),
        })
    };
    let run = recomputer.run(&Year {
        offset,
        packs: &packs,
        stored: &stored,
        rules: &rules,
        differences_max: DIFFERENCES_MAX,
    });
    let mut out = OutletYear {
        outlet: outlet.clone(),
        hours: 0,
        values: 0,
        differences: Vec::new(),
        counts: Counts::new(),
        damaged: None,
    };
    match run {
        Ok(run) => {
            out.hours = run.hours;
            out.values = run.factor_hours;
            out.differences = run.differences;
            out.counts = run.counts;
        }
        Err(error) => out.damaged = Some(error),
    }
    Ok(out)
}
