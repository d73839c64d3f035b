//! The last state of each factor, kept by the broker for whoever comes late.

use super::message;
use crate::links::mqtt::Publication;
use crate::outbox::parcel::Place;
use cems_core::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use cems_core::model::{FactorCode, OutletId, RecordKind, RecordRow, Timestamp};
use std::collections::BTreeMap;

/// What is published of a factor, and of which moment it speaks.
struct Shown {
    start: Timestamp,
    key: String,
    item: Publication,
}

/// States by outlet and factor: as many as the registry has factors, and what loggers send besides.
#[derive(Default)]
pub(super) struct Latest(BTreeMap<(OutletId, FactorCode), Shown>);

/// Most states kept; what comes beyond is published and not again after a new connection. The
/// largest city has some ten thousand.
const LATEST_MAX: usize = 50_000;

impl Latest {
    /// The states that a record changes. What is late does not take the place of what is newer;
    /// after a start, when nothing is known, it must have come in its own time.
    pub(super) fn take(
        &mut self,
        prefix: &str,
        place: &Place,
        row: &RecordRow,
    ) -> Vec<(String, Publication)> {
        let mut out = Vec::new();
        for (factor, value) in &row.values {
            let at = (row.outlet.clone(), factor.clone());
            let known = self.0.get(&at);
            let newest = match known {
                Some(known) => row.start >= known.start,
                None => value.received_at.since_ms(row.start) <= timely_ms(row.kind),
            };
            if !newest {
                continue;
            }
            let (key, item) = message::latest(prefix, place, row, (factor, value));
            if known.is_some() || self.0.len() < LATEST_MAX {
                let shown = Shown {
                    start: row.start,
                    key: key.clone(),
                    item: item.clone(),
                };
                self.0.insert(at, shown);
            }
            out.push((key, item));
        }
        out
    }

    /// All states as they were last published.
    pub(super) fn all(&self) -> impl Iterator<Item = (String, Publication)> {
        let shown = self.0.values();
        shown.map(|shown| (shown.key.clone(), shown.item.clone()))
    }
}

/// A record that came within this time after its start is one of now.
fn timely_ms(kind: RecordKind) -> i64 {
    match kind {
        RecordKind::Realtime => 10 * MINUTE_MS,
        RecordKind::Minute => 30 * MINUTE_MS,
        RecordKind::Hour => 3 * HOUR_MS,
        RecordKind::Day => 2 * DAY_MS,
    }
}
