//! Uploads to centres, in words.

use super::Eyes;
use super::outlet::outlet_link;
use super::station::{Moment, Trouble, moment, trouble};
use crate::backend::{SentRow, UplinkGap, UplinkLine, UplinkReplay, UplinkSummary};
use crate::format::NONE;
use cems_core::model::OutletId;

/// A centre.
pub(crate) struct UplinkCard {
    pub(crate) id: String,
    pub(crate) address: String,
    pub(crate) edition: String,
    /// It is asked for acknowledgements.
    pub(crate) answer: bool,
    pub(crate) history_days: u32,
    pub(crate) lines: Vec<LineItem>,
}

/// One outlet on its way to a centre.
pub(crate) struct LineItem {
    pub(crate) outlet: String,
    pub(crate) outlet_link: String,
    pub(crate) connected: bool,
    pub(crate) trouble: Option<Trouble>,
    pub(crate) position: String,
    pub(crate) lag_rows: u64,
    pub(crate) pending: u64,
    pub(crate) oldest: Option<Moment>,
    pub(crate) last_acknowledged: Option<Moment>,
    pub(crate) acknowledged: u64,
    pub(crate) expired: u64,
    pub(crate) today_acknowledged: u64,
    pub(crate) today_resent: u64,
    pub(crate) today_unanswered: u64,
}

/// A record.
pub(crate) struct SentItem {
    pub(crate) uplink: String,
    pub(crate) outlet: String,
    pub(crate) outlet_link: String,
    pub(crate) kind: String,
    pub(crate) start: String,
    pub(crate) state: &'static str,
    pub(crate) state_word: String,
    pub(crate) first_sent: String,
    pub(crate) last_sent: String,
    pub(crate) times: u32,
    pub(crate) settled: String,
    pub(crate) answer: String,
    pub(crate) resent: bool,
    pub(crate) corrected: bool,
}

/// Records without an acknowledgement on record.
pub(crate) struct GapItem {
    pub(crate) uplink: String,
    pub(crate) outlet: String,
    pub(crate) outlet_link: String,
    pub(crate) kind: String,
    pub(crate) first: String,
    pub(crate) last: String,
    pub(crate) records: u64,
    pub(crate) pending: u64,
    pub(crate) unanswered: u64,
    /// Owed no more.
    pub(crate) given_up: u64,
}

/// A period that is or was sent to a centre again.
pub(crate) struct UplinkReplayItem {
    pub(crate) id: u64,
    pub(crate) uplink: String,
    /// Empty: all that go there.
    pub(crate) outlet: String,
    pub(crate) from: String,
    pub(crate) until: String,
    pub(crate) by: String,
    pub(crate) at: String,
    pub(crate) stage_word: String,
    pub(crate) percent: u32,
    pub(crate) booked: u64,
    pub(crate) acknowledged: u64,
    pub(crate) passed_over: u64,
    pub(crate) waiting: u64,
    /// When it was done or called off.
    pub(crate) ended: Option<String>,
}

impl UplinkReplayItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &UplinkReplay) -> Self {
        let (words, times) = (eyes.words, eyes.times);
        let outlet = row.outlet.as_ref().map(|id| eyes.outlet_words(id));
        let ended = row.cancelled_at.or(row.done_at);
        Self {
            id: row.id,
            uplink: row.uplink.clone(),
            outlet: outlet.unwrap_or_default(),
            from: times.full(row.from),
            until: times.full(row.until),
            by: row.by.clone(),
            at: times.full(row.at),
            stage_word: words.code("uplink-replay-stage", row.stage().as_str()),
            percent: row.percent(),
            booked: row.booked,
            acknowledged: row.acknowledged,
            passed_over: row.passed_over,
            waiting: row.waiting(),
            ended: ended.map(|at| times.full(at)),
        }
    }
}

impl UplinkCard {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &UplinkSummary) -> Self {
        Self {
            id: row.id.clone(),
            address: row.address.clone().unwrap_or_default(),
            edition: row.edition.clone(),
            answer: row.answer,
            history_days: row.history_days,
            lines: row.lines.iter().map(|line| line_item(eyes, line)).collect(),
        }
    }
}

fn line_item(eyes: &Eyes<'_>, row: &UplinkLine) -> LineItem {
    let (outlet, link) = named(eyes, &row.outlet);
    LineItem {
        outlet,
        outlet_link: link,
        connected: row.connected,
        trouble: trouble(eyes, row.last_error.as_ref()),
        position: row
            .position
            .map_or_else(|| NONE.to_owned(), |seq| format!("#{}", seq.0)),
        lag_rows: row.lag_rows,
        pending: row.pending,
        oldest: row.oldest_pending.map(|at| moment(eyes, at)),
        last_acknowledged: row.last_acknowledged.map(|at| moment(eyes, at)),
        acknowledged: row.acknowledged,
        expired: row.expired,
        today_acknowledged: row.today.acknowledged,
        today_resent: row.today.resent,
        today_unanswered: row.today.unanswered,
    }
}

fn named(eyes: &Eyes<'_>, outlet: &OutletId) -> (String, String) {
    let words = eyes.outlet_words(outlet);
    (words, outlet_link(outlet.as_str()))
}

impl SentItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &SentRow) -> Self {
        let (words, times) = (eyes.words, eyes.times);
        let time = |at: Option<_>| at.map_or_else(|| NONE.to_owned(), |at| times.full(at));
        let (outlet, link) = named(eyes, &row.outlet);
        Self {
            uplink: row.uplink.clone(),
            outlet,
            outlet_link: link,
            kind: words.code("kind", row.kind.as_str()),
            start: times.full(row.start),
            state: row.state.as_str(),
            state_word: words.code("sent-state", row.state.as_str()),
            first_sent: time(row.first_sent),
            last_sent: time(row.last_sent.filter(|at| Some(*at) != row.first_sent)),
            times: row.times,
            settled: time(row.settled_at),
            answer: row.answer.clone().unwrap_or_default(),
            resent: row.resent,
            corrected: row.corrected,
        }
    }
}

impl GapItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &UplinkGap) -> Self {
        let (outlet, link) = named(eyes, &row.outlet);
        Self {
            uplink: row.uplink.clone(),
            outlet,
            outlet_link: link,
            kind: eyes.words.code("kind", row.kind.as_str()),
            first: eyes.times.full(row.first),
            last: eyes.times.full(row.last),
            records: row.records,
            pending: row.pending,
            unanswered: row.unanswered,
            given_up: row.records.saturating_sub(row.pending),
        }
    }
}
