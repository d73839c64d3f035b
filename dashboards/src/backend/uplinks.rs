//! Receipts of uploads: what was sent to which centre, when, and whether it was acknowledged.

use super::{Actor, BackendError, Receipt, Reply, UplinkReplay, UplinkReplayAsk};
use cems_core::model::{OutletId, RecordKind, Seq, Timestamp};

/// Longest period of one question, days of data time.
pub const SENT_DAYS_MAX: i64 = 31;

/// Most rows of a list as a file; more are refused, so that no file is cut unseen.
pub const SENT_FILE_ROWS_MAX: usize = 50_000;

/// Most gaps in one answer.
pub const GAPS_MAX: usize = 500;

/// What a line did since midnight of the site's clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineDay {
    /// Records acknowledged.
    pub acknowledged: u64,
    /// Those of them that had to be sent more than once.
    pub resent: u64,
    /// Records sent and not acknowledged so far.
    pub unanswered: u64,
}

/// One outlet on its way to one centre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UplinkLine {
    /// Which.
    pub outlet: OutletId,
    /// A connection stands.
    pub connected: bool,
    /// Last trouble, in words (English), and when; for those who see the whole site, since it may
    /// name addresses.
    pub last_error: Option<(Timestamp, String)>,
    /// Journal position up to which the records formed here were taken in hand.
    pub position: Option<Seq>,
    /// Records formed behind that.
    pub lag_rows: u64,
    /// Records taken in hand and not acknowledged.
    pub pending: u64,
    /// Data time of the oldest of them.
    pub oldest_pending: Option<Timestamp>,
    /// Last acknowledgement.
    pub last_acknowledged: Option<Timestamp>,
    /// Records acknowledged so far.
    pub acknowledged: u64,
    /// Records that became too old to be owed.
    pub expired: u64,
    /// Today.
    pub today: LineDay,
}

/// A centre with the outlets that it gets, those in scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UplinkSummary {
    /// Its id in the settings.
    pub id: String,
    /// `host:port`, for those who see the whole site.
    pub address: Option<String>,
    /// Edition spoken.
    pub edition: String,
    /// It is asked for acknowledgements.
    pub answer: bool,
    /// Days for which records are owed to it and receipts are kept.
    pub history_days: u32,
    /// In the order of the settings, at least one.
    pub lines: Vec<UplinkLine>,
}

/// What became of a record on its way to a centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SentState {
    /// The centre acknowledged it.
    Acknowledged,
    /// It is asked for no acknowledgements; the line took it.
    Taken,
    /// Sent, and no answer so far; it goes again.
    Unanswered,
    /// Not sent yet.
    Waiting,
    /// Nothing of it goes to this centre, or the centre wants none.
    NotOwed,
    /// No frame can hold it.
    Unsendable,
}

impl SentState {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Acknowledged,
        Self::Taken,
        Self::Unanswered,
        Self::Waiting,
        Self::NotOwed,
        Self::Unsendable,
    ];

    /// Stable name, as in the API and in text keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Taken => "taken",
            Self::Unanswered => "unanswered",
            Self::Waiting => "waiting",
            Self::NotOwed => "not-owed",
            Self::Unsendable => "unsendable",
        }
    }

    /// The centre has it as far as can be known.
    #[must_use]
    pub fn is_there(self) -> bool {
        matches!(self, Self::Acknowledged | Self::Taken)
    }

    /// The centre should have it and has not acknowledged it.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Unanswered | Self::Waiting | Self::Unsendable)
    }
}

/// A record on its way to a centre, or there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentRow {
    /// The centre.
    pub uplink: String,
    /// The outlet.
    pub outlet: OutletId,
    /// Which kind of record.
    pub kind: RecordKind,
    /// Its data time: the start of its interval.
    pub start: Timestamp,
    /// Journal position of the version concerned.
    pub seq: Seq,
    /// What became of it.
    pub state: SentState,
    /// Times it was sent, in all versions.
    pub times: u32,
    /// The first time; `None` when not sent, or before such times were noted.
    pub first_sent: Option<Timestamp>,
    /// The last time.
    pub last_sent: Option<Timestamp>,
    /// When it was acknowledged, or settled without.
    pub settled_at: Option<Timestamp>,
    /// Command code of the answer: `9014`, from some centres `9013`.
    pub answer: Option<String>,
    /// Sent more often than there are versions of it: a line was cut or an answer did not come.
    pub resent: bool,
    /// A correction: an earlier version was acknowledged.
    pub corrected: bool,
}

/// Place of a row in the list, for paging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentPlace {
    /// Data time.
    pub start: Timestamp,
    /// The centre.
    pub uplink: String,
    /// The outlet.
    pub outlet: OutletId,
    /// Which kind of record.
    pub kind: RecordKind,
}

/// Between the parts of a place; no id has it.
const BETWEEN: char = '~';

impl SentPlace {
    /// The place of a row.
    #[must_use]
    pub fn of(row: &SentRow) -> Self {
        Self {
            start: row.start,
            uplink: row.uplink.clone(),
            outlet: row.outlet.clone(),
            kind: row.kind,
        }
    }

    /// As it stands in addresses.
    #[must_use]
    pub fn text(&self) -> String {
        let (start, kind) = (self.start.0, self.kind.as_str());
        format!("{start}~{kind}~{}~{}", self.uplink, self.outlet)
    }

    /// Reads one from an address; `None` when it is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, BETWEEN);
        let start = parts.next()?.parse().ok()?;
        let kind = parts.next()?;
        let kind = RecordKind::ALL.into_iter().find(|k| k.as_str() == kind)?;
        let uplink = parts.next()?.to_owned();
        let outlet = OutletId::new(parts.next()?);
        Some(Self {
            start: Timestamp(start),
            uplink,
            outlet,
            kind,
        })
    }
}

/// Which records to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentFilter {
    /// Only to this centre.
    pub uplink: Option<String>,
    /// Only of this outlet.
    pub outlet: Option<OutletId>,
    /// Only of this kind.
    pub kind: Option<RecordKind>,
    /// Only with a data time in `from <= start < until`, at most [`SENT_DAYS_MAX`] days.
    pub span: (Timestamp, Timestamp),
    /// Only what the centre should have and has not acknowledged.
    pub open_only: bool,
    /// Only what stands behind this row in the list.
    pub behind: Option<SentPlace>,
    /// Most rows, at most [`SENT_FILE_ROWS_MAX`] and one.
    pub limit: usize,
}

/// Records formed one after another none of which has an acknowledgement on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UplinkGap {
    /// The centre.
    pub uplink: String,
    /// The outlet.
    pub outlet: OutletId,
    /// Which kind of records.
    pub kind: RecordKind,
    /// Data time of the first.
    pub first: Timestamp,
    /// Data time of the last.
    pub last: Timestamp,
    /// How many.
    pub records: u64,
    /// Those of them that still wait to be acknowledged; the others are owed no more.
    pub pending: u64,
    /// Those of the waiting that were sent without an answer.
    pub unanswered: u64,
}

/// The part of the daemon that uploads to centres.
pub trait UplinkBackend {
    /// Whether anything in scope is uploaded; asked for the menu of every page, so it must not
    /// wait for a database.
    fn has_uplinks(&self, actor: &Actor) -> bool;
    /// Whether this outlet is uploaded to a centre; must not wait for a database.
    fn is_uploaded(&self, outlet: &OutletId) -> bool;
    /// The centres with the outlets in scope, in the order of the settings.
    fn uplinks(&self, actor: &Actor) -> Result<Vec<UplinkSummary>, BackendError>;
    /// Records on their way and there, newest data time first.
    fn sent(&self, actor: &Actor, filter: &SentFilter) -> Result<Vec<SentRow>, BackendError>;
    /// Gaps among the records formed here, newest first, at most [`GAPS_MAX`]; what was formed in
    /// the last minutes counts as on its way. `behind`, `limit` and `open_only` of the filter do
    /// not matter.
    fn uplink_gaps(
        &self,
        actor: &Actor,
        filter: &SentFilter,
    ) -> Result<Vec<UplinkGap>, BackendError>;
    /// Periods that are or were sent again to the centres in scope, newest first, at most 100; for
    /// those who may see destinations.
    fn uplink_replays(&self, actor: &Actor) -> Result<Vec<UplinkReplay>, BackendError>;
    /// Sends a period to a centre again, whatever it has acknowledged.
    fn replay_uplink<'a>(
        &'a self,
        actor: &'a Actor,
        ask: UplinkReplayAsk,
    ) -> Reply<'a, Result<Receipt, BackendError>>;
    /// Calls a replay off: what it made wait and was not sent yet is not sent.
    fn cancel_uplink_replay<'a>(
        &'a self,
        actor: &'a Actor,
        replay: u64,
    ) -> Reply<'a, Result<Receipt, BackendError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let place = SentPlace {
            start: Timestamp(-5),
            uplink: "city_1.b-2".to_owned(),
            outlet: OutletId::new("jia-1"),
            kind: RecordKind::Hour,
        };
        assert_eq!(SentPlace::read(&place.text()), Some(place));
        for odd in ["", "1", "x~hour~a~b", "1~week~a~b", "1~hour~a"] {
            assert_eq!(SentPlace::read(odd), None, "{odd}");
        }
    }
}
