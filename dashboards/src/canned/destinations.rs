//! Fictional destinations: one that works and fills itself up, one in trouble with a refused thing.

use super::Canned;
use super::rows::NOW;
use super::writing::refused;
use crate::backend::{
    Actor, BackendError, Change, ChannelStatus, DestinationStatus, DestinationTrouble,
    OutboxBackend, REPLAY_DAYS_MAX, Receipt, RefusedItem, ReplayStatus, Reply, UplinkSummary,
    WayStatus, may_replay, may_see_destinations,
};
use cems_core::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use cems_core::model::{Seq, Timestamp};

/// The destinations of this fiction.
pub(super) fn destinations() -> Vec<DestinationStatus> {
    let destination = |id: &str, kind: &str| DestinationStatus {
        id: id.to_owned(),
        kind: kind.to_owned(),
        trouble: None,
        position: Some((Seq(184_207), NOW.plus_ms(-MINUTE_MS))),
        lag_rows: 0,
        lag_since: None,
        delivered: 918_204,
        given_up: 0,
        dead: 0,
        forgotten: 0,
        last_sent: Some(NOW.plus_ms(-MINUTE_MS)),
        replays: Vec::new(),
    };
    vec![
        DestinationStatus {
            replays: vec![ReplayStatus {
                id: 1,
                from: NOW.plus_ms(-30 * DAY_MS),
                until: NOW.plus_ms(-20 * DAY_MS),
                by: "guanli".to_owned(),
                at: NOW.plus_ms(-HOUR_MS),
                sent: 41_300,
                done: 18,
                total: 48,
                ended_at: None,
            }],
            ..destination("series", "influx")
        },
        DestinationStatus {
            trouble: Some(DestinationTrouble {
                since: NOW.plus_ms(-2 * HOUR_MS),
                at: NOW.plus_ms(-MINUTE_MS),
                attempts: 17,
                cause: "unreachable".to_owned(),
                said: "Connection refused".to_owned(),
            }),
            position: Some((Seq(183_000), NOW.plus_ms(-2 * HOUR_MS))),
            lag_rows: 1_204,
            lag_since: Some(NOW.plus_ms(-2 * HOUR_MS)),
            last_sent: Some(NOW.plus_ms(-2 * HOUR_MS)),
            dead: 1,
            ..destination("broker", "mqtt")
        },
    ]
}

/// What they refused: destination and thing.
pub(super) fn refused_items() -> Vec<(String, RefusedItem)> {
    let item = RefusedItem {
        id: 7,
        key: "yt-01/minute/1773815520000".to_owned(),
        at: NOW.plus_ms(-3 * HOUR_MS),
        why: "topic not allowed".to_owned(),
        again: false,
    };
    vec![("broker".to_owned(), item)]
}

fn way(way: &str, id: &str) -> WayStatus {
    WayStatus {
        way: way.to_owned(),
        id: id.to_owned(),
        waiting: 0,
        waiting_since: None,
        delivered: 0,
        last_sent: None,
        given_up: 0,
        dead: 0,
        trouble: None,
        stuck: false,
    }
}

fn uplink(row: &UplinkSummary) -> WayStatus {
    let waiting = row.lines.iter().map(|line| line.pending).sum();
    WayStatus {
        waiting,
        waiting_since: (waiting > 0).then(|| NOW.plus_ms(-3 * HOUR_MS)),
        delivered: row.lines.iter().map(|line| line.acknowledged).sum(),
        last_sent: Some(NOW.plus_ms(-3 * HOUR_MS)),
        stuck: waiting > 0,
        ..way("uplink", &row.id)
    }
}

fn channel(row: &ChannelStatus) -> WayStatus {
    WayStatus {
        waiting: row.waiting,
        waiting_since: (row.waiting > 0).then(|| NOW.plus_ms(-5 * MINUTE_MS)),
        delivered: row.delivered,
        last_sent: row.last_sent,
        dead: row.dead,
        trouble: row.trouble.clone(),
        ..way("channel", row.id.as_str())
    }
}

fn destination(row: &DestinationStatus) -> WayStatus {
    let trouble = row.trouble.as_ref();
    WayStatus {
        waiting: row.lag_rows,
        waiting_since: row.lag_since,
        delivered: row.delivered,
        last_sent: row.last_sent,
        given_up: row.given_up,
        dead: row.dead,
        trouble: trouble.map(|trouble| (trouble.since, trouble.said.clone())),
        stuck: trouble.is_some(),
        ..way("destination", &row.id)
    }
}

impl Canned {
    fn write_replay(
        &self,
        actor: &Actor,
        id: &str,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<Receipt, BackendError> {
        if !may_replay(actor.role) {
            return Err(BackendError::Forbidden);
        }
        if until <= from || until.since_ms(from) > REPLAY_DAYS_MAX * DAY_MS {
            return Err(refused("replay-period", &REPLAY_DAYS_MAX));
        }
        let mut held = self.lock();
        let found = held.destinations.iter_mut().find(|row| row.id == id);
        let row = found.ok_or_else(|| refused("unknown-destination", &id))?;
        let replay = ReplayStatus {
            id: 2,
            from,
            until,
            by: actor.user.to_string(),
            at: NOW,
            sent: 0,
            done: 0,
            total: 0,
            ended_at: None,
        };
        row.replays.insert(0, replay);
        let receipt = held.write(actor, "destination.replay", format!("destination/{id}"), "");
        drop(held);
        self.announce(&[Change::Destinations]);
        Ok(receipt)
    }

    fn write_item_again(&self, actor: &Actor, id: u64) -> Result<Receipt, BackendError> {
        if !may_replay(actor.role) {
            return Err(BackendError::Forbidden);
        }
        let mut held = self.lock();
        let waits = |(_, item): &&mut (String, RefusedItem)| item.id == id && !item.again;
        let found = held.refused_items.iter_mut().find(waits);
        let (to, item) = found.ok_or_else(|| refused("no-dead-letter", &id))?;
        item.again = true;
        let object = format!("destination/{to}");
        let receipt = held.write(actor, "destination.resent", object, "");
        drop(held);
        self.announce(&[Change::Destinations]);
        Ok(receipt)
    }
}

impl OutboxBackend for Canned {
    fn destinations(&self, actor: &Actor) -> Result<Vec<DestinationStatus>, BackendError> {
        if !may_see_destinations(actor.role) {
            return Err(BackendError::Forbidden);
        }
        Ok(self.lock().destinations.clone())
    }

    fn ways(&self, actor: &Actor) -> Result<Vec<WayStatus>, BackendError> {
        if !may_see_destinations(actor.role) {
            return Err(BackendError::Forbidden);
        }
        let held = self.lock();
        let uplinks = held.uplinks.iter().map(uplink);
        let channels = held.channels.iter().map(channel);
        let ways = uplinks.chain(channels);
        Ok(ways
            .chain(held.destinations.iter().map(destination))
            .collect())
    }

    fn refused_items(
        &self,
        actor: &Actor,
        destination: &str,
    ) -> Result<Vec<RefusedItem>, BackendError> {
        if !may_see_destinations(actor.role) {
            return Err(BackendError::Forbidden);
        }
        let held = self.lock();
        let of = held
            .refused_items
            .iter()
            .filter(|(to, _)| to == destination);
        Ok(of.map(|(_, item)| item.clone()).collect())
    }

    fn replay<'a>(
        &'a self,
        actor: &'a Actor,
        destination: String,
        span: (Timestamp, Timestamp),
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(async move { self.write_replay(actor, &destination, span) })
    }

    fn send_item_again<'a>(
        &'a self,
        actor: &'a Actor,
        item: u64,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(async move { self.write_item_again(actor, item) })
    }
}
