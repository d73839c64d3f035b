//! Centres among the ways out.

use super::{DEAD_AFTER_MS, Entry, UplinkBoard};
use crate::delivery::{Board, Way, WayKind};
use crate::store::StoreError;
use cems_core::model::Timestamp;
use cems_core::model::time::HOUR_MS;

/// The oldest record owed to a centre that takes nothing may be this old.
const OWED_MS: i64 = 2 * HOUR_MS;

impl Board for UplinkBoard {
    fn book(&self) -> &'static str {
        "uplink.db"
    }

    fn ways(&self) -> Result<Vec<Way>, StoreError> {
        let now = self.clock.now();
        let all = self.uplinks.iter();
        all.map(|entry| self.way(entry, now)).collect()
    }
}

impl UplinkBoard {
    /// All lines of a centre as one: it is as its worst line is.
    fn way(&self, entry: &Entry, now: Timestamp) -> Result<Way, StoreError> {
        let mut way = Way {
            kind: WayKind::Uplink,
            id: entry.uplink.id.clone(),
            waiting: 0,
            waiting_since: None,
            delivered: 0,
            last_sent: None,
            given_up: 0,
            dead: 0,
            trouble: None,
            stuck: false,
        };
        for line in &entry.lines {
            let (standing, _) = self.receipts.standing(&line.mailbox)?;
            way.waiting += standing.pending;
            way.delivered += standing.acknowledged;
            way.given_up += standing.expired;
            way.dead += standing.unsendable;
            way.waiting_since = [way.waiting_since, standing.oldest]
                .into_iter()
                .flatten()
                .min();
            way.last_sent = way.last_sent.max(standing.last_acknowledged);
            let outlet = &line.mailbox.outlet;
            let trouble = line.state().trouble();
            let trouble = trouble.map(|(since, why)| (since, format!("{outlet}: {why}")));
            way.trouble = [way.trouble, trouble].into_iter().flatten().min();
            // It answers and takes nothing: what it owes an answer for only gets older.
            let silent = standing
                .last_acknowledged
                .is_some_and(|at| now.since_ms(at) > DEAD_AFTER_MS);
            let old = standing.oldest.is_some_and(|at| now.since_ms(at) > OWED_MS);
            way.stuck |= silent && old;
        }
        let long = |since: Timestamp| now.since_ms(since) > DEAD_AFTER_MS;
        way.stuck |= way.trouble.as_ref().is_some_and(|(since, _)| long(*since));
        Ok(way)
    }
}
