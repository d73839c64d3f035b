//! Derivations of the canned figures, by the function the daemon asks, over a small past in memory.

use super::held::Held;
use super::reckoning;
use super::rows::{self, NOW};
use crate::backend::{Actor, BackendError};
use cems_core::aggregate::gather::{Of, aggregate};
use cems_core::engine::MemoryHistory;
use cems_core::explain::{Asked, Node, Question};
use cems_core::model::record::Number;
use cems_core::model::rows::SupersededRow;
use cems_core::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use cems_core::model::{
    FactorCode, Level, Outlet, OutletId, Output, Period, RecordKind, Registry, Seq, Timestamp,
};
use rust_decimal::Decimal;
use smol_str::SmolStr;

/// Milliseconds that a record of this kind stands for on the canned time line.
fn step_ms(kind: RecordKind) -> i64 {
    match kind {
        RecordKind::Realtime | RecordKind::Minute => 10 * MINUTE_MS,
        RecordKind::Hour => HOUR_MS,
        RecordKind::Day => DAY_MS,
    }
}

/// Of the record at twenty past an hour the first factor was corrected once, at ten past twice.
fn versions(start: Timestamp) -> u64 {
    match start.0.rem_euclid(HOUR_MS) / MINUTE_MS {
        10 => 2,
        20 => 1,
        _ => 0,
    }
}

/// Values that later ones replaced.
pub(super) fn superseded(
    outlet: &Outlet,
    kind: RecordKind,
    start: Timestamp,
) -> Vec<SupersededRow> {
    let until = start.plus_ms(step_ms(kind));
    let record = rows::records(outlet, kind, start, until);
    let first = record.into_iter().find(|row| row.start == start);
    let Some((_, kept)) = first.and_then(|row| row.values.into_iter().next()) else {
        return Vec::new();
    };
    let last = versions(start);
    let rows = (0..last).map(|n| {
        let mut old = kept.clone();
        let seq = Seq(kept.seq.0.saturating_sub(2 * (last - n)));
        old.seq = seq;
        for number in [&mut old.value.rtd, &mut old.value.avg]
            .into_iter()
            .flatten()
        {
            let value = number.value + Decimal::from(n + 1);
            *number = Number {
                value,
                text: SmolStr::new(value.to_string()),
            };
        }
        SupersededRow {
            outlet: outlet.id.clone(),
            kind,
            start,
            old,
            by_seq: Seq(seq.0 + 2),
        }
    });
    rows.collect()
}

/// The hours of a day as the engine would keep them, from the minute records.
fn keep_hours(history: &MemoryHistory, registry: &Registry, outlet: &Outlet, day: Timestamp) {
    let Some(profile) = registry.profile_at(outlet, day) else {
        return;
    };
    let of = Of {
        outlet,
        profile,
        offset: registry.offset,
    };
    for hour in 0..24 {
        let start = day.plus_ms(hour * HOUR_MS);
        keep_records(history, outlet, start, start.plus_ms(HOUR_MS));
        let period = Period {
            level: Level::Hour,
            start,
        };
        let complete = period.end(registry.offset) <= NOW;
        if let Some(row) = aggregate(of, period, complete, history) {
            history.apply(Output::Aggregate(row));
        }
    }
}

fn keep_records(history: &MemoryHistory, outlet: &Outlet, from: Timestamp, until: Timestamp) {
    for row in rows::records(outlet, RecordKind::Minute, from, until) {
        history.apply(Output::Record(row));
    }
}

impl Held {
    /// The past that a question needs.
    fn past(&self, outlet: &Outlet, asked: Asked) -> MemoryHistory {
        let history = MemoryHistory::default();
        let books = (self.marks.values().cloned().map(Output::Mark))
            .chain(self.tests.iter().cloned().map(Output::Qa))
            .chain(self.reviews.values().cloned().map(Output::Review))
            .chain(self.reports.iter().cloned().map(Output::ManualReport))
            .chain(reckoning::quarters(outlet).into_iter().map(Output::Quarter));
        for output in books {
            history.apply(output);
        }
        match asked {
            Asked::Record(kind, at) => {
                for row in rows::records(outlet, kind, at, at.plus_ms(step_ms(kind))) {
                    history.apply(Output::Record(row));
                }
            }
            Asked::Period(period) => {
                let end = period.end(self.registry.offset);
                match period.level {
                    Level::Hour => keep_records(&history, outlet, period.start, end),
                    Level::Day => keep_hours(&history, &self.registry, outlet, period.start),
                    Level::Month | Level::Year => {
                        for level in [Level::Day, Level::Month] {
                            for row in rows::aggregates(outlet, level, period.start, end) {
                                history.apply(Output::Aggregate(row));
                            }
                        }
                    }
                }
            }
            Asked::Quarter(_) => {}
        }
        history
    }

    pub(super) fn explain(&self, actor: &Actor, question: &Question) -> Result<Node, BackendError> {
        let outlet = self.outlet(actor, &question.outlet)?;
        let history = self.past(outlet, question.asked);
        let versions = |_: &OutletId, kind: RecordKind, at: Timestamp, factor: &FactorCode| {
            let mut rows = superseded(outlet, kind, at);
            rows.retain(|row| row.old.value.factor == *factor);
            rows
        };
        cems_core::explain::explain_with_versions(question, &history, &self.registry, &versions)
            .map_err(|error| crate::refusal::of_explain(&error))
    }
}
