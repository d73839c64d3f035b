//! Destinations, in words.

use super::Eyes;
use super::station::{Moment, moment};
use crate::backend::{DestinationStatus, RefusedItem, ReplayStatus, WayStatus};

/// A way out of the house.
pub(crate) struct WayItem {
    pub(crate) kind: String,
    pub(crate) id: String,
    /// Where there is more about it.
    pub(crate) href: String,
    /// Its trouble lasts for longer than it may.
    pub(crate) stuck: bool,
    /// What is wrong, and since when.
    pub(crate) trouble: Option<(String, Moment)>,
    pub(crate) waiting: u64,
    pub(crate) waiting_since: Option<Moment>,
    pub(crate) last_sent: Option<Moment>,
    pub(crate) delivered: u64,
    pub(crate) dead: u64,
    pub(crate) given_up: u64,
}

impl WayItem {
    /// `of`: the destination that it is, if it is one.
    pub(crate) fn new(eyes: &Eyes<'_>, row: &WayStatus, of: Option<&DestinationStatus>) -> Self {
        let href = match row.way.as_str() {
            "uplink" => "/receipts".to_owned(),
            "channel" => "/messages".to_owned(),
            _ => format!("#to-{}", row.id),
        };
        let trouble = row.trouble.as_ref();
        Self {
            kind: match of {
                Some(of) => eyes.words.code("destination-kind", &of.kind),
                None => eyes.words.code("way", &row.way),
            },
            id: row.id.clone(),
            href,
            stuck: row.stuck,
            trouble: trouble.map(|(since, why)| (why.clone(), moment(eyes, *since))),
            waiting: row.waiting,
            waiting_since: row.waiting_since.map(|at| moment(eyes, at)),
            last_sent: row.last_sent.map(|at| moment(eyes, at)),
            delivered: row.delivered,
            dead: row.dead,
            given_up: row.given_up,
        }
    }
}

/// A destination.
pub(crate) struct DestinationItem {
    pub(crate) id: String,
    pub(crate) kind: String,
    /// The cause of lasting trouble in words, what was said, since when.
    pub(crate) trouble: Option<(String, String, Moment)>,
    pub(crate) position: String,
    pub(crate) position_at: Option<Moment>,
    pub(crate) forgotten: u64,
    pub(crate) replays: Vec<ReplayItem>,
    pub(crate) refused: Vec<RefusedRow>,
}

/// A replay.
pub(crate) struct ReplayItem {
    pub(crate) from: String,
    pub(crate) until: String,
    pub(crate) by: String,
    pub(crate) at: String,
    pub(crate) sent: u64,
    pub(crate) percent: u32,
    pub(crate) ended: Option<String>,
}

/// A thing that was refused.
pub(crate) struct RefusedRow {
    pub(crate) id: u64,
    pub(crate) key: String,
    pub(crate) at: String,
    pub(crate) why: String,
    pub(crate) again: bool,
}

impl DestinationItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &DestinationStatus, refused: &[RefusedItem]) -> Self {
        let words = eyes.words;
        Self {
            id: row.id.clone(),
            kind: words.code("destination-kind", &row.kind),
            trouble: row.trouble.as_ref().map(|trouble| {
                let cause = words.code("destination-cause", &trouble.cause);
                (cause, trouble.said.clone(), moment(eyes, trouble.since))
            }),
            position: row
                .position
                .map_or_else(String::new, |(seq, _)| seq.0.to_string()),
            position_at: row.position.map(|(_, at)| moment(eyes, at)),
            forgotten: row.forgotten,
            replays: row.replays.iter().map(|r| replay(eyes, r)).collect(),
            refused: refused.iter().map(|item| item_row(eyes, item)).collect(),
        }
    }
}

fn replay(eyes: &Eyes<'_>, row: &ReplayStatus) -> ReplayItem {
    let hundredth = row.done.saturating_mul(100).checked_div(row.total);
    ReplayItem {
        from: eyes.times.full(row.from),
        until: eyes.times.full(row.until),
        by: row.by.clone(),
        at: eyes.times.full(row.at),
        sent: row.sent,
        percent: hundredth.unwrap_or(0).min(100),
        ended: row.ended_at.map(|at| eyes.times.full(at)),
    }
}

fn item_row(eyes: &Eyes<'_>, row: &RefusedItem) -> RefusedRow {
    RefusedRow {
        id: row.id,
        key: row.key.clone(),
        at: eyes.times.full(row.at),
        why: row.why.clone(),
        again: row.again,
    }
}
