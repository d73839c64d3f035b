//! What people ask of uploads: that a period is sent to a centre again, and that it is not.

use super::tell::Sees;
use super::{Entry, UplinkBoard};
use crate::store::StoreError;
use crate::uplink::outbox::{ReplayAsked, ReplayRow};
use cems_core::model::time::{DAY_MS, MINUTE_MS};
use cems_core::model::{OutletId, Timestamp};
use cems_dashboards::backend::{REPLAY_DAYS_MAX, UplinkReplay, UplinkReplayAsk};

/// Replays of one list.
const LIST_MAX: usize = 100;

/// Why a period is not sent again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The settings have no such uplink, or nothing in scope goes to it.
    #[error("no uplink {0}")]
    UnknownUplink(String),
    /// The outlet does not go to this centre, or is out of scope.
    #[error("outlet {0} does not go there")]
    UnknownOutlet(OutletId),
    /// All outlets were asked for, and some that go to this centre are out of scope.
    #[error("some outlets of {0} are out of scope")]
    NotAll(String),
    /// The period is empty, inverted or longer than [`REPLAY_DAYS_MAX`] days.
    #[error("no period, or one of more than {REPLAY_DAYS_MAX} days")]
    Period,
    /// The period ends in the future.
    #[error("{0} is in the future")]
    Future(Timestamp),
    /// Nothing is stored of these outlets.
    #[error("nothing is stored")]
    NothingStored,
    /// The period begins before what is stored, which begins then.
    #[error("nothing before {0} is stored")]
    BeforeStored(Timestamp),
    /// A replay that has records in common is under way: its number.
    #[error("replay {0} is under way")]
    UnderWay(i64),
    /// A database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ReplayError {
    /// Stable code, as in text keys; `None` for trouble of a database.
    pub fn code(&self) -> Option<&'static str> {
        Some(match self {
            Self::UnknownUplink(_) => "unknown-uplink",
            Self::UnknownOutlet(_) => "outlet-not-uploaded",
            Self::NotAll(_) => "replay-not-all",
            Self::Period => "replay-period",
            Self::Future(_) => "replay-future",
            Self::NothingStored => "replay-nothing-stored",
            Self::BeforeStored(_) => "replay-before-stored",
            Self::UnderWay(_) => "replay-under-way",
            Self::Store(_) => return None,
        })
    }
}

impl UplinkBoard {
    /// Whether a period can be sent again. Asks databases: call it on a thread that may wait.
    ///
    /// # Errors
    /// Why not.
    pub fn check_replay(&self, sees: Sees<'_>, ask: &UplinkReplayAsk) -> Result<(), ReplayError> {
        let mut entries = self.uplinks.iter();
        let entry = entries
            .find(|entry| entry.uplink.id == ask.uplink.as_str())
            .filter(|entry| entry.seen(sees).next().is_some())
            .ok_or_else(|| ReplayError::UnknownUplink(ask.uplink.clone()))?;
        let outlets = concerned(entry, sees, ask)?;
        let (from, until) = ask.span;
        if until <= from || until.since_ms(from) > REPLAY_DAYS_MAX * DAY_MS {
            return Err(ReplayError::Period);
        }
        if until > self.clock.now() {
            return Err(ReplayError::Future(until));
        }
        let mut first = None;
        for outlet in outlets {
            let of_outlet = self.readers.first_start(outlet)?;
            first = [first, of_outlet].into_iter().flatten().min();
        }
        let first = first.ok_or(ReplayError::NothingStored)?;
        // People name whole minutes.
        if from < first.plus_ms(-first.0.rem_euclid(MINUTE_MS)) {
            return Err(ReplayError::BeforeStored(first));
        }
        match self.receipts.under_way(&asked(ask))? {
            Some(id) => Err(ReplayError::UnderWay(id)),
            None => Ok(()),
        }
    }

    /// Books a replay that was checked, and wakes those who serve it; its number.
    ///
    /// # Errors
    /// [`ReplayError::UnderWay`] when another was booked meanwhile; trouble of the disk.
    pub fn ask_replay(&self, ask: &UplinkReplayAsk, by: &str) -> Result<i64, ReplayError> {
        let now = self.clock.now();
        let booked = self.outbox.ask_replay(&asked(ask), by, now)?;
        let id = match booked {
            Some(id) => id,
            None => {
                let other = self.receipts.under_way(&asked(ask))?;
                return Err(ReplayError::UnderWay(other.unwrap_or_default()));
            }
        };
        self.asked.notify_one();
        Ok(id)
    }

    /// Replays of what is seen, newest first, at most 100.
    ///
    /// # Errors
    /// Disk or damage of `uplink.db`.
    pub fn replays(&self, sees: Sees<'_>) -> Result<Vec<UplinkReplay>, StoreError> {
        let rows = self.receipts.replays()?.into_iter();
        let seen = rows.filter(|row| match &row.outlet {
            Some(outlet) => sees(outlet),
            None => self.has(&row.uplink, sees),
        });
        Ok(seen.take(LIST_MAX).map(told).collect())
    }

    /// Whether everything that a replay is about is seen.
    pub fn covers(&self, replay: &UplinkReplay, sees: Sees<'_>) -> bool {
        let of = self
            .uplinks
            .iter()
            .filter(|entry| entry.uplink.id == replay.uplink.as_str());
        let mut outlets = of
            .flat_map(|entry| &entry.lines)
            .map(|line| &line.mailbox.outlet);
        match &replay.outlet {
            Some(outlet) => sees(outlet),
            None => outlets.all(sees),
        }
    }

    /// Calls a replay off. Records that a line has in hand already, 64 at most, may still go.
    /// False when it was over.
    ///
    /// # Errors
    /// Disk.
    pub fn cancel_replay(&self, id: u64) -> Result<bool, StoreError> {
        let id = i64::try_from(id).unwrap_or(i64::MAX);
        let cancelled = self.outbox.cancel_replay(id, self.clock.now())?;
        self.asked.notify_one();
        Ok(cancelled)
    }
}

/// The outlets that a replay is about.
fn concerned<'e>(
    entry: &'e Entry,
    sees: Sees<'_>,
    ask: &UplinkReplayAsk,
) -> Result<Vec<&'e OutletId>, ReplayError> {
    let all = entry.lines.iter().map(|line| &line.mailbox.outlet);
    let Some(only) = &ask.outlet else {
        let all: Vec<&OutletId> = all.collect();
        if all.iter().all(|outlet| sees(outlet)) {
            return Ok(all);
        }
        return Err(ReplayError::NotAll(ask.uplink.clone()));
    };
    let found: Vec<&OutletId> = all
        .filter(|outlet| *outlet == only && sees(outlet))
        .collect();
    if found.is_empty() {
        return Err(ReplayError::UnknownOutlet(only.clone()));
    }
    Ok(found)
}

fn asked(ask: &UplinkReplayAsk) -> ReplayAsked<'_> {
    ReplayAsked {
        uplink: &ask.uplink,
        outlet: ask.outlet.as_ref(),
        span: ask.span,
    }
}

fn told(row: ReplayRow) -> UplinkReplay {
    UplinkReplay {
        id: row.id.unsigned_abs(),
        uplink: row.uplink,
        outlet: row.outlet,
        from: row.span.0,
        until: row.span.1,
        by: row.by,
        at: row.at,
        booked: row.booked,
        acknowledged: row.acknowledged,
        passed_over: row.passed,
        booked_at: row.ended_at,
        done_at: row.done_at,
        cancelled_at: row.cancelled_at,
    }
}
