//! Periods that are sent to a centre again because a person asked for it.

use cems_core::model::{OutletId, Timestamp};

/// A period to send to a centre again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UplinkReplayAsk {
    /// The centre.
    pub uplink: String,
    /// Only of this outlet; `None`: of all that go there.
    pub outlet: Option<OutletId>,
    /// Records with a data time in `from <= start < until`, at most
    /// [`REPLAY_DAYS_MAX`](super::REPLAY_DAYS_MAX) days.
    pub span: (Timestamp, Timestamp),
}

/// How far a replay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UplinkReplayStage {
    /// Records of the period are still being looked up.
    Booking,
    /// All are known, and some wait to be acknowledged.
    Sending,
    /// None waits any more.
    Done,
    /// It was called off.
    Cancelled,
}

impl UplinkReplayStage {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Booking, Self::Sending, Self::Done, Self::Cancelled];

    /// Stable name, as in the API and in text keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Booking => "booking",
            Self::Sending => "sending",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A period that is or was sent to a centre again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UplinkReplay {
    /// Its number.
    pub id: u64,
    /// The centre.
    pub uplink: String,
    /// Only of this outlet; `None`: of all that go there.
    pub outlet: Option<OutletId>,
    /// Data time of the first record.
    pub from: Timestamp,
    /// The first data time not concerned.
    pub until: Timestamp,
    /// Who asked.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Records found so far; all of them once `booked_at` is known.
    pub booked: u64,
    /// Those of them acknowledged since, or taken by a line that asks for no answers.
    pub acknowledged: u64,
    /// Those of them nothing of which goes to this centre.
    pub passed_over: u64,
    /// When all records of the period were found.
    pub booked_at: Option<Timestamp>,
    /// When the last of them was acknowledged.
    pub done_at: Option<Timestamp>,
    /// When it was called off.
    pub cancelled_at: Option<Timestamp>,
}

impl UplinkReplay {
    /// How far it is.
    #[must_use]
    pub fn stage(&self) -> UplinkReplayStage {
        if self.cancelled_at.is_some() {
            UplinkReplayStage::Cancelled
        } else if self.done_at.is_some() {
            UplinkReplayStage::Done
        } else if self.booked_at.is_some() {
            UplinkReplayStage::Sending
        } else {
            UplinkReplayStage::Booking
        }
    }

    /// Records that wait to be acknowledged; none once it is called off.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        if self.cancelled_at.is_some() {
            return 0;
        }
        let settled = self.acknowledged.saturating_add(self.passed_over);
        self.booked.saturating_sub(settled)
    }

    /// Per cent of its records that wait no longer, rounded down: 100 only when it is done. 0 until
    /// all are known.
    #[must_use]
    pub fn percent(&self) -> u32 {
        if self.done_at.is_some() {
            return 100;
        }
        if self.booked_at.is_none() {
            return 0;
        }
        let settled = self.acknowledged.saturating_add(self.passed_over);
        let hundredth = settled.saturating_mul(100).checked_div(self.booked);
        u32::try_from(hundredth.unwrap_or(0)).map_or(99, |percent| percent.min(99))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_per_cent_means_that_nothing_waits() {
        let mut replay = UplinkReplay {
            id: 1,
            uplink: "city".to_owned(),
            outlet: None,
            from: Timestamp(0),
            until: Timestamp(9),
            by: "guanli".to_owned(),
            at: Timestamp(10),
            booked: 1_000,
            acknowledged: 0,
            passed_over: 0,
            booked_at: None,
            done_at: None,
            cancelled_at: None,
        };
        let shown = |r: &UplinkReplay| (r.stage().as_str(), r.percent(), r.waiting());
        assert_eq!(shown(&replay), ("booking", 0, 1_000));
        replay.booked_at = Some(Timestamp(11));
        (replay.acknowledged, replay.passed_over) = (990, 9);
        assert_eq!(shown(&replay), ("sending", 99, 1));
        let cancelled = UplinkReplay {
            cancelled_at: Some(Timestamp(12)),
            ..replay.clone()
        };
        assert_eq!(shown(&cancelled), ("cancelled", 99, 0));
        replay.acknowledged = 991;
        replay.done_at = Some(Timestamp(12));
        assert_eq!(shown(&replay), ("done", 100, 0));
    }
}
