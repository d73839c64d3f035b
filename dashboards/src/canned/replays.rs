//! Fictional periods that are sent to a centre again: one on its way, one done.

use super::Canned;
use super::rows::NOW;
use super::writing::refused;
use crate::backend::{
    Actor, BackendError, Change, REPLAY_DAYS_MAX, Receipt, UplinkReplay, UplinkReplayAsk,
    may_replay, may_see_destinations,
};
use cems_core::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use cems_core::model::{OutletId, Timestamp, UtcOffset};

/// Since when there are data in this fiction, for those who ask for them again.
const STORED_FROM: Timestamp = Timestamp(NOW.0 - 60 * DAY_MS);

/// The replays of this fiction, newest first.
pub(super) fn replays() -> Vec<UplinkReplay> {
    let replay = |id, uplink: &str, hours: i64| UplinkReplay {
        id,
        uplink: uplink.to_owned(),
        outlet: None,
        from: NOW.plus_ms(-12 * DAY_MS),
        until: NOW.plus_ms(-10 * DAY_MS),
        by: "guanli".to_owned(),
        at: NOW.plus_ms(-hours * HOUR_MS),
        booked: 674,
        acknowledged: 0,
        passed_over: 0,
        booked_at: Some(NOW.plus_ms(-hours * HOUR_MS + MINUTE_MS)),
        done_at: None,
        cancelled_at: None,
    };
    vec![
        UplinkReplay {
            acknowledged: 251,
            passed_over: 2,
            outlet: Some(OutletId::new("yt-01")),
            ..replay(2, "city", 1)
        },
        UplinkReplay {
            acknowledged: 674,
            done_at: Some(NOW.plus_ms(-20 * HOUR_MS)),
            ..replay(1, "province", 21)
        },
    ]
}

fn minute(at: Timestamp, offset: UtcOffset) -> String {
    offset.local(at).format("%Y-%m-%d %H:%M").to_string()
}

impl Canned {
    pub(super) fn seen_replays(&self, actor: &Actor) -> Result<Vec<UplinkReplay>, BackendError> {
        if !may_see_destinations(actor.role) {
            return Err(BackendError::Forbidden);
        }
        let uplinks = self.seen_uplinks(actor);
        let mut rows = self.lock().replays.clone();
        rows.retain(|row| {
            let mut lines = uplinks
                .iter()
                .filter(|uplink| uplink.id == row.uplink)
                .flat_map(|uplink| &uplink.lines);
            lines.any(|line| row.outlet.as_ref().is_none_or(|only| *only == line.outlet))
        });
        Ok(rows)
    }

    pub(super) fn write_uplink_replay(
        &self,
        actor: &Actor,
        ask: UplinkReplayAsk,
    ) -> Result<Receipt, BackendError> {
        if !may_replay(actor.role) {
            return Err(BackendError::Forbidden);
        }
        let uplinks = self.seen_uplinks(actor);
        let mut held = self.lock();
        let offset = held.registry.offset;
        let found = uplinks.iter().find(|uplink| uplink.id == ask.uplink);
        let uplink = found.ok_or_else(|| refused("unknown-uplink", &ask.uplink))?;
        if let Some(only) = &ask.outlet
            && !uplink.lines.iter().any(|line| line.outlet == *only)
        {
            return Err(refused("outlet-not-uploaded", only));
        }
        let (from, until) = ask.span;
        if until <= from || until.since_ms(from) > REPLAY_DAYS_MAX * DAY_MS {
            return Err(refused("replay-period", &REPLAY_DAYS_MAX));
        }
        if until > NOW {
            return Err(refused("replay-future", &minute(until, offset)));
        }
        if from < STORED_FROM {
            let first = minute(STORED_FROM, offset);
            return Err(refused("replay-before-stored", &first));
        }
        let shares = |row: &&UplinkReplay| {
            row.uplink == ask.uplink
                && row.done_at.or(row.cancelled_at).is_none()
                && (row.outlet.is_none() || ask.outlet.is_none() || row.outlet == ask.outlet)
                && row.from < until
                && row.until > from
        };
        if let Some(other) = held.replays.iter().find(shares) {
            return Err(refused("replay-under-way", &format!("#{}", other.id)));
        }
        let id = held.replays.iter().map(|row| row.id).max().unwrap_or(0) + 1;
        let object = format!("uplink/{}", ask.uplink);
        let replay = UplinkReplay {
            id,
            uplink: ask.uplink,
            outlet: ask.outlet,
            from,
            until,
            by: actor.user.to_string(),
            at: NOW,
            booked: 0,
            acknowledged: 0,
            passed_over: 0,
            booked_at: None,
            done_at: None,
            cancelled_at: None,
        };
        held.replays.insert(0, replay);
        let receipt = held.write(actor, "uplink.replay", object, "");
        drop(held);
        self.announce(&[Change::Uplinks]);
        Ok(receipt)
    }

    pub(super) fn write_replay_cancelled(
        &self,
        actor: &Actor,
        id: u64,
    ) -> Result<Receipt, BackendError> {
        if !may_replay(actor.role) {
            return Err(BackendError::Forbidden);
        }
        let mut held = self.lock();
        let open = |row: &&mut UplinkReplay| {
            row.id == id && row.done_at.is_none() && row.cancelled_at.is_none()
        };
        let found = held.replays.iter_mut().find(open);
        let row = found.ok_or_else(|| refused("no-replay", &format!("#{id}")))?;
        row.cancelled_at = Some(NOW);
        let object = format!("uplink/{}", row.uplink);
        let receipt = held.write(actor, "uplink.replay.cancelled", object, "");
        drop(held);
        self.announce(&[Change::Uplinks]);
        Ok(receipt)
    }
}
