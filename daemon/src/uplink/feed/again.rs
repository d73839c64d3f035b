//! Replays step by step: records of a period, from the projections into the mailboxes.

use super::{Feed, LINES_MAX, Slot, goes};
use crate::store::StoreError;
use crate::uplink::outbox::{KINDS, Owed, ReplayPlace, ReplayRow, ReplayStep};
use cems_config::{RealtimeUpload, Uplink};
use cems_core::model::{RecordKind, Timestamp};

impl Feed {
    /// One transaction's worth of the oldest replay, or of tidying up behind a cancelled one; true
    /// when there may be more.
    pub(in crate::uplink) fn replay_step(&self) -> Result<bool, StoreError> {
        let Some(replay) = self.outbox.open_replay()? else {
            return self.outbox.clear_cancelled();
        };
        let now = self.clock.now();
        let slots = self.slots_of(&replay);
        let Some((slot, kind, from)) = next(&slots, &replay) else {
            self.outbox.book_replay(replay.id, None, now)?;
            return Ok(true);
        };
        let (outlet, until) = (&slot.mailbox.outlet, replay.span.1);
        let found = self
            .readers
            .record_versions(outlet, kind, (from, until), LINES_MAX)?;
        let last = found.last().filter(|_| found.len() >= LINES_MAX);
        let next = match last {
            Some((start, ..)) => Some(ReplayPlace {
                outlet: outlet.clone(),
                kind,
                start: start.plus_ms(1),
            }),
            None => behind(&slots, slot, kind, replay.span.0),
        };
        let wanted = found
            .iter()
            .filter(|(start, ..)| goes(&slot.uplink, (kind, *start), &slot.formed, self.offset));
        let rows: Vec<Owed> = wanted
            .map(|(start, seq, at)| Owed {
                kind,
                start: *start,
                seq: *seq,
                at: *at,
            })
            .collect();
        let step = ReplayStep {
            mailbox: &slot.mailbox,
            rows: &rows,
            next: next.as_ref(),
        };
        if self.outbox.book_replay(replay.id, Some(&step), now)? && !rows.is_empty() {
            slot.news.notify_one();
        }
        Ok(true)
    }

    /// The mailboxes that a replay is about, by outlet.
    fn slots_of(&self, replay: &ReplayRow) -> Vec<&Slot> {
        let concerned = |slot: &&Slot| {
            let only = replay.outlet.as_ref();
            slot.mailbox.uplink == replay.uplink
                && only.is_none_or(|outlet| *outlet == slot.mailbox.outlet)
        };
        let mut slots: Vec<&Slot> = self.slots.iter().filter(concerned).collect();
        slots.sort_by(|one, other| one.mailbox.cmp(&other.mailbox));
        slots
    }
}

/// Whether records of a kind go to a centre at all.
fn takes(uplink: &Uplink, kind: RecordKind) -> bool {
    match kind {
        RecordKind::Realtime => uplink.realtime != RealtimeUpload::Never,
        RecordKind::Minute => uplink.minute,
        RecordKind::Hour => uplink.hour,
        RecordKind::Day => uplink.day,
    }
}

/// What is to be read next: mailbox, kind, and from which start on; `None` at the end. An outlet
/// that left the settings meanwhile is passed over.
fn next<'s>(slots: &[&'s Slot], replay: &ReplayRow) -> Option<(&'s Slot, RecordKind, Timestamp)> {
    let place = replay.place.as_ref();
    let reached = |slot: &&Slot| place.is_none_or(|at| slot.mailbox.outlet >= at.outlet);
    let (from, _) = replay.span;
    slots.iter().copied().filter(reached).find_map(|slot| {
        let at = place.filter(|at| at.outlet == slot.mailbox.outlet);
        let reached = at.and_then(|at| KINDS.iter().position(|kind| *kind == at.kind));
        let mut rest = KINDS.into_iter().skip(reached.unwrap_or(0));
        let kind = rest.find(|kind| takes(&slot.uplink, *kind))?;
        let there = at.filter(|at| at.kind == kind);
        Some((slot, kind, there.map_or(from, |at| at.start.max(from))))
    })
}

/// The place behind all records of a kind in a mailbox; `None` when it is the last.
fn behind(slots: &[&Slot], slot: &Slot, kind: RecordKind, from: Timestamp) -> Option<ReplayPlace> {
    let later = KINDS.into_iter().skip_while(|other| *other != kind).nth(1);
    let (slot, kind) = match later {
        Some(kind) => (slot, kind),
        None => {
            let mut others = slots.iter().copied();
            let other = others.find(|other| other.mailbox.outlet > slot.mailbox.outlet)?;
            (other, KINDS[0])
        }
    };
    Some(ReplayPlace {
        outlet: slot.mailbox.outlet.clone(),
        kind,
        start: from,
    })
}
