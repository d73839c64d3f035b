//! Manual fallback (人工监测替代时段): while automatic equipment does not count, manual reports are
//! owed, at least four a day and no two more than six hours apart (duty 5), and a written report
//! within three days of the opening (duty 6).
//!
//! A pure state machine per outlet, told of values, reports, tests, reviews, decisions and time.
//!
//! **Opens** when one of these holds:
//!
//! * a pollutant had no valid automatic value for `opens_after`, by measured time, never later than
//!   the time received. Values whose flag says that the source is stopped cover the time as valid
//!   ones do, because no data are owed then; silence covers nothing;
//! * its equipment is out of control: a failed test with no passed one of its kind since;
//! * the assessment of the equipment was failed, has run out, or was never passed in time;
//! * a person says so.
//!
//! **Closes** when every reason is lifted: a later test or review was passed, and every pollutant
//! has had valid values for `closes_after` without a break. A value that does not count breaks the
//! run, so does a gap as long as the one that opens. A fallback that a person opened or confirmed
//! is closed by a person only: the engine cannot know that the reason is lifted.
//!
//! **Reports.** The next one is due `max_gap` after the sampling of the last, or after the opening.
//! A due time that passes is missed once and stays overdue until a report comes. Each full local
//! calendar day inside the fallback needs `reports_per_day` samples that were reported by its end;
//! the verdict at midnight stands. Samples from before the opening do not count, nor does a sample
//! older than the last one move the due time. A report that is taken back or corrected counts no
//! more from that moment on; what was missed before stays missed.
//!
//! **Clocks.** Reminders come before a report is due and before a full day ends short of reports;
//! escalations after something became overdue. Each moment comes once: a clock knows up to when it
//! has told. Moments that had passed when the due time was set are left out.

mod clock;
pub mod compliance;
mod cover;
mod evidence;
mod machine;
pub mod plausible;
mod sampling;

pub use evidence::{Judged, REASONS_MAX, REVIEWS_MAX};
pub use machine::Machine;
pub use sampling::{SamplingDay, sampling_day};

use crate::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use crate::model::{
    FallbackId, FallbackRow, FallbackRule, OutletId, Seq, Timestamp, UtcOffset, WrittenReport,
};
use smol_str::SmolStr;

/// Short days listed in a row; of a fallback that nobody ends for longer than a year the first ones
/// drop out of the list, `missed` goes on counting.
pub const SHORT_DAYS_MAX: usize = 366;

/// Missed due times listed in a row, as many as four a day make in a year; the same holds for them.
pub const MISSED_DUES_MAX: usize = 4 * SHORT_DAYS_MAX;

/// Written reports that the clock of one outlet follows. Fallbacks last an hour at least and three
/// days are given, so that more are owed only where none is delivered; the oldest ones then tell
/// nobody any more.
pub const WRITTEN_MAX: usize = 64;

/// The rule in milliseconds, with the site's calendar.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Time without a valid value after which it opens.
    pub opens_after_ms: i64,
    /// Time of valid values after which it closes.
    pub closes_after_ms: i64,
    /// Greatest gap between samples.
    pub max_gap_ms: i64,
    /// Samples owed in a full day.
    pub reports_per_day: u32,
    /// The site's clock.
    pub offset: UtcOffset,
    /// The rule itself, for its lists.
    rule: &'a FallbackRule,
}

fn minutes_ms(minutes: u32) -> i64 {
    i64::from(minutes) * MINUTE_MS
}

fn hours_ms(hours: u32) -> i64 {
    i64::from(hours) * HOUR_MS
}

impl<'a> Terms<'a> {
    /// The terms of a rule.
    pub fn new(rule: &'a FallbackRule, offset: UtcOffset) -> Self {
        Self {
            opens_after_ms: minutes_ms(rule.opens_after_min),
            closes_after_ms: minutes_ms(rule.closes_after_min),
            max_gap_ms: minutes_ms(rule.max_gap_min),
            reports_per_day: rule.reports_per_day,
            offset,
            rule,
        }
    }

    /// How long a passed assessment holds beyond its quarter; `None`: for ever.
    fn review_valid_ms(&self) -> Option<i64> {
        let days = self.rule.review_valid_days?;
        Some(i64::from(days) * DAY_MS)
    }

    /// Within what time the written report is owed; `None`: none is.
    fn written_due_ms(&self) -> Option<i64> {
        let hours = self.rule.written_due_h;
        (hours > 0).then(|| hours_ms(hours))
    }

    /// True when a report received at `at` was entered late.
    pub fn entered_late(&self, sampled_at: Timestamp, at: Timestamp) -> bool {
        at.since_ms(sampled_at) > minutes_ms(self.rule.late_entry_after_min)
    }
}

/// What a value says about its factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sighting {
    /// Valid.
    Valid,
    /// Does not count because the source is stopped.
    Stopped,
    /// Does not count, for these flags and checks.
    Invalid(Vec<SmolStr>),
}

/// What is owed within a fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owed {
    /// The next manual report.
    Report,
    /// As many reports as a full day needs, by its end.
    Day,
    /// The written report.
    Written,
}

impl Owed {
    /// The code in facts and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Day => "day",
            Self::Written => "written",
        }
    }
}

/// A turn of the fallback. The row as it stands is [`Machine::row`]; after [`Turn::Closed`] it is
/// the one in the turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// It opened.
    Opened,
    /// Its reasons, counts or due times changed.
    Changed,
    /// Something falls due at the time named.
    Reminder(FallbackId, Owed, Timestamp),
    /// A report is overdue since then.
    Overdue(Timestamp),
    /// What is overdue since then goes to the next in the chain; steps count from 1.
    Escalate(FallbackId, Owed, Timestamp, u32),
    /// What was overdue has come.
    Relieved,
    /// The written report of this fallback, open or closed, stands so now.
    Written(FallbackId, WrittenReport),
    /// It closed.
    Closed(Box<FallbackRow>),
}

/// Where new fallbacks belong and how they are numbered.
#[derive(Debug)]
pub struct Identity<'a> {
    /// Whose fallback it is.
    pub outlet: &'a OutletId,
    /// The last number given; counted up by an opening.
    pub last_id: &'a mut u64,
    /// Journal position of the event.
    pub seq: Seq,
}

#[cfg(test)]
mod tests;
