//! Points of records and aggregates. What they are called and mean stands in `README.md`.

use super::Batch;
use cems_config::Corrections;
use cems_core::model::{
    AggregateRow, EnterpriseId, FactorAggregate, FactorCode, Level, OutletId, RecordKind,
    RecordRow, RegionId, StoredValue, Timestamp,
};
use cems_protocols::lineproto::{Line, LineError, Series};
use rust_decimal::Decimal;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Values of factors.
const VALUES: &str = "cems";
/// Figures of a whole period.
const PERIODS: &str = "cems_period";

/// HJ 212-2017 table 8 by its letters; a point carries the place of its flag in this list. To be
/// added to at the end only: places are in databases of others.
pub const FLAGS: [&str; 8] = ["N", "F", "M", "S", "D", "C", "T", "B"];
/// The place of a flag that is not in the list.
const FLAG_UNKNOWN: i64 = -1;

/// Beginnings of lines that are kept, about 200 bytes each; above it all are forgotten and made
/// anew when needed, at a tenth of the speed.
const SERIES_KEPT_MAX: usize = 200_000;

/// Corrections of one value that can be told apart within its second.
const CORRECTIONS_MAX: u32 = 998;

/// Who an outlet belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its enterprise.
    pub enterprise: EnterpriseId,
    /// The region of that.
    pub region: RegionId,
}

/// Writes points into a batch and keeps the beginnings of lines that it has seen.
#[derive(Debug)]
pub struct Lines {
    corrections: Corrections,
    kept: HashMap<OutletId, Kept>,
    kept_count: usize,
}

/// Kinds of records and levels of means.
const KINDS: usize = 8;

/// Series of an outlet by kind.
#[derive(Debug)]
struct Kept {
    owner: Owner,
    values: [Vec<(FactorCode, Series)>; KINDS],
    periods: [Option<Series>; KINDS],
}

impl Kept {
    fn new(owner: &Owner) -> Self {
        Self {
            owner: owner.clone(),
            values: Default::default(),
            periods: Default::default(),
        }
    }
}

/// The value of the tag `kind`, and its place.
fn record_kind(kind: RecordKind) -> (usize, &'static str) {
    match kind {
        RecordKind::Realtime => (0, "realtime"),
        RecordKind::Minute => (1, "minute"),
        RecordKind::Hour => (2, "hour"),
        RecordKind::Day => (3, "day"),
    }
}

fn mean_kind(level: Level) -> (usize, &'static str) {
    match level {
        Level::Hour => (4, "hour-mean"),
        Level::Day => (5, "day-mean"),
        Level::Month => (6, "month-mean"),
        Level::Year => (7, "year-mean"),
    }
}

impl Lines {
    /// For a server that treats corrections like this.
    pub fn new(corrections: Corrections) -> Self {
        Self {
            corrections,
            kept: HashMap::new(),
            kept_count: 0,
        }
    }

    /// Writes a record, a line a factor. Returns what cannot be written and why, in words; the
    /// other factors are written.
    pub fn record(
        &mut self,
        item: usize,
        owner: &Owner,
        row: &RecordRow,
        batch: &mut Batch,
    ) -> Vec<String> {
        let kind = record_kind(row.kind);
        let mut refused = Vec::new();
        for (factor, value) in &row.values {
            let time = self.time(row.start, value.superseded);
            let series = self.value(&row.outlet, owner, factor, kind);
            let written = series.and_then(|series| {
                batch.line(item, series, time, |line| record_fields(line, value))
            });
            if let Err(error) = written {
                refused.push(format!("{factor}: {error}"));
            }
        }
        refused
    }

    /// The same for an aggregate, with one more line for the period.
    pub fn aggregate(
        &mut self,
        item: usize,
        owner: &Owner,
        row: &AggregateRow,
        batch: &mut Batch,
    ) -> Vec<String> {
        let kind = mean_kind(row.level);
        let time = self.time(row.start, row.superseded);
        let mut refused = Vec::new();
        for (factor, figures) in &row.factors {
            let series = self.value(&row.outlet, owner, factor, kind);
            let written = series.and_then(|series| {
                batch.line(item, series, time, |line| mean_fields(line, figures))
            });
            if let Err(error) = written {
                refused.push(format!("{factor}: {error}"));
            }
        }
        let series = self.period(&row.outlet, owner, kind);
        let written = series
            .and_then(|series| batch.line(item, series, time, |line| period_fields(line, row)));
        if let Err(error) = written {
            refused.push(error.to_string());
        }
        refused
    }

    /// The time of a point that replaces so many before it, ms.
    fn time(&self, start: Timestamp, superseded: u32) -> i64 {
        // VictoriaMetrics counts a full second to the one before it: the first version must stand
        // behind it, or corrections would be in another second.
        let version = 1 + i64::from(superseded.min(CORRECTIONS_MAX));
        match self.corrections {
            Corrections::Later => start.0 + version,
            Corrections::Replace => start.0,
        }
    }

    fn value(
        &mut self,
        outlet: &OutletId,
        owner: &Owner,
        factor: &FactorCode,
        (place, kind): (usize, &str),
    ) -> Result<&Series, LineError> {
        self.make_room();
        let count = &mut self.kept_count;
        let list = &mut kept(&mut self.kept, outlet, owner).values[place];
        let at = match list.binary_search_by(|(known, _)| known.cmp(factor)) {
            Ok(at) => at,
            Err(at) => {
                let tags = tags(outlet, owner, kind);
                let tags = [&tags[..], &[("factor", factor.as_str())]].concat();
                list.insert(at, (factor.clone(), Series::new(VALUES, &tags)?));
                *count += 1;
                at
            }
        };
        Ok(&list[at].1)
    }

    fn period(
        &mut self,
        outlet: &OutletId,
        owner: &Owner,
        (place, kind): (usize, &str),
    ) -> Result<&Series, LineError> {
        self.make_room();
        let count = &mut self.kept_count;
        let slot = &mut kept(&mut self.kept, outlet, owner).periods[place];
        let series = match slot.take() {
            Some(series) => series,
            None => {
                *count += 1;
                Series::new(PERIODS, &tags(outlet, owner, kind))?
            }
        };
        Ok(slot.insert(series))
    }

    fn make_room(&mut self) {
        if self.kept_count >= SERIES_KEPT_MAX {
            self.kept.clear();
            self.kept_count = 0;
        }
    }
}

/// What is kept of an outlet; forgotten when it has another owner. Names are short: copying one
/// costs less than looking twice.
fn kept<'a>(
    all: &'a mut HashMap<OutletId, Kept>,
    outlet: &OutletId,
    owner: &Owner,
) -> &'a mut Kept {
    match all.entry(outlet.clone()) {
        Entry::Occupied(entry) => {
            let kept = entry.into_mut();
            if kept.owner != *owner {
                *kept = Kept::new(owner);
            }
            kept
        }
        Entry::Vacant(entry) => entry.insert(Kept::new(owner)),
    }
}

fn tags<'a>(outlet: &'a OutletId, owner: &'a Owner, kind: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("outlet", outlet.as_str()),
        ("enterprise", owner.enterprise.as_str()),
        ("region", owner.region.as_str()),
        ("kind", kind),
    ]
}

fn record_fields(line: &mut Line<'_>, stored: &StoredValue) -> Result<(), LineError> {
    let value = &stored.value;
    for (name, number) in [
        ("value", value.figure()),
        ("min", value.min.as_ref()),
        ("max", value.max.as_ref()),
        ("total", value.cou.as_ref()),
        ("converted", value.converted.as_ref()),
    ] {
        decimal(line, name, number.map(|number| number.value))?;
    }
    line.integer("valid", stored.valid.into())?;
    let Some(flag) = &value.flag else {
        return Ok(());
    };
    let place = FLAGS.iter().zip(0..).find(|(known, _)| **known == flag.0);
    line.integer("flag", place.map_or(FLAG_UNKNOWN, |(_, place)| place))
}

fn mean_fields(line: &mut Line<'_>, figures: &FactorAggregate) -> Result<(), LineError> {
    for (name, number) in [
        ("value", figures.mean),
        ("converted", figures.converted),
        ("min", figures.min),
        ("max", figures.max),
        ("amount_kg", figures.amount_kg),
        ("substituted_kg", figures.substituted_kg),
    ] {
        decimal(line, name, number)?;
    }
    line.integer("valid", figures.valid.into())?;
    line.integer("valid_units", figures.valid_units.into())?;
    line.integer("due_units", figures.due_units.into())?;
    if figures.limits.is_empty() {
        return Ok(());
    }
    let exceeded = figures.limits.iter().any(|verdict| verdict.exceeded);
    line.integer("exceeded", exceeded.into())?;
    let multiples = figures.limits.iter().filter_map(|verdict| verdict.multiple);
    decimal(line, "multiple", multiples.max())
}

fn period_fields(line: &mut Line<'_>, row: &AggregateRow) -> Result<(), LineError> {
    decimal(line, "volume_m3", row.volume_m3)?;
    line.integer("received", row.received.into())?;
    line.integer("due", row.due.into())
}

fn decimal(line: &mut Line<'_>, name: &str, value: Option<Decimal>) -> Result<(), LineError> {
    match value {
        Some(value) => line.decimal(name, value),
        None => Ok(()),
    }
}
