//! When a logger has something to say.

use cems_core::model::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
use cems_core::model::{RecordKind, Timestamp, UtcOffset};

// A logger sends an interval some seconds after its end: it closes its own books first. The odd
// milliseconds keep tasks apart, so that no two of one station fall due together.
const AFTER_MINUTE_MS: i64 = 2_010;
const AFTER_HOUR_MS: i64 = 20_020;
const AFTER_DAY_MS: i64 = 40_030;
const AFTER_FACILITIES_MS: i64 = 30_040;
const AFTER_HEARTBEAT_MS: i64 = 50;
const AFTER_TIME_REQUEST_MS: i64 = 3 * HOUR_MS + 10_060;
/// Heartbeats of 2025.
const HEARTBEAT_MS: i64 = 5 * MINUTE_MS;
/// Stations of one schedule are spread over this span, so that they do not speak in chorus.
const PHASE_MS_MAX: i64 = 9 * SECOND_MS;

/// Something to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// Data of an interval that has ended, or of the instant.
    Data(RecordKind),
    /// States of the treatment facilities.
    Facilities,
    /// A heartbeat.
    Heartbeat,
    /// A request for the time.
    TimeRequest,
}

/// What is sent and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Seconds between real-time records; `None`: none.
    pub realtime_s: Option<u32>,
    /// Minutes of a minute record; `None`: none.
    pub minute_min: Option<u32>,
    /// Hour records.
    pub hour: bool,
    /// Day records.
    pub day: bool,
    /// Facility states every hour, heartbeats, a time request a day.
    pub housekeeping: bool,
    /// Shift of this station against others, ms; see [`Schedule::phase`].
    pub phase_ms: i64,
    /// The clock hours and days follow.
    pub offset: UtcOffset,
}

impl Schedule {
    /// Hour records and nothing else: the coarse past.
    #[must_use]
    pub fn hours_only(self) -> Self {
        Self {
            realtime_s: None,
            minute_min: None,
            day: false,
            housekeeping: false,
            ..self
        }
    }

    /// Hour and minute records: the recent past.
    #[must_use]
    pub fn without_realtime(self) -> Self {
        Self {
            realtime_s: None,
            day: false,
            housekeeping: false,
            ..self
        }
    }

    /// The shift of the station of this number.
    pub fn phase(number: usize) -> i64 {
        i64::try_from(number).unwrap_or(0) * 697 % PHASE_MS_MAX
    }

    /// What is due first after `after`, and when; `None` when nothing ever is.
    pub fn next(&self, after: Timestamp) -> Option<(Timestamp, Task)> {
        let local = i64::from(self.offset.minutes()) * MINUTE_MS;
        let every = |period: i64, delay: i64, shift: i64, task: Task| {
            let lead = delay + self.phase_ms - shift;
            let steps = (after.0 - lead).div_euclid(period) + 1;
            (Timestamp(steps * period + lead), task)
        };
        let seconds = |s: u32| i64::from(s.max(1)) * SECOND_MS;
        let data = Task::Data;
        let tasks = [
            self.realtime_s
                .map(|s| every(seconds(s), 0, 0, data(RecordKind::Realtime))),
            self.minute_min.map(|minutes| {
                let period = i64::from(minutes.max(1)) * MINUTE_MS;
                every(period, AFTER_MINUTE_MS, 0, data(RecordKind::Minute))
            }),
            self.hour
                .then(|| every(HOUR_MS, AFTER_HOUR_MS, local, data(RecordKind::Hour))),
            self.day
                .then(|| every(DAY_MS, AFTER_DAY_MS, local, data(RecordKind::Day))),
            self.housekeeping
                .then(|| every(HOUR_MS, AFTER_FACILITIES_MS, local, Task::Facilities)),
            self.housekeeping
                .then(|| every(HEARTBEAT_MS, AFTER_HEARTBEAT_MS, 0, Task::Heartbeat)),
            self.housekeeping
                .then(|| every(DAY_MS, AFTER_TIME_REQUEST_MS, local, Task::TimeRequest)),
        ];
        tasks.into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDNIGHT: i64 = 1_795_104_000_000;

    fn schedule() -> Schedule {
        Schedule {
            realtime_s: Some(30),
            minute_min: Some(1),
            hour: true,
            day: true,
            housekeeping: true,
            phase_ms: Schedule::phase(3),
            offset: UtcOffset::default(),
        }
    }

    fn count(schedule: Schedule, from: i64, until: i64) -> Vec<(Task, usize)> {
        let mut counts: Vec<(Task, usize)> = Vec::new();
        let mut at = Timestamp(from);
        while let Some((due, task)) = schedule.next(at) {
            assert!(due > at, "time goes on");
            if due > Timestamp(until) {
                break;
            }
            match counts.iter_mut().find(|(own, _)| *own == task) {
                Some((_, count)) => *count += 1,
                None => counts.push((task, 1)),
            }
            at = due;
        }
        counts.sort();
        counts
    }

    #[test]
    fn a_day_has_its_records() {
        let counts = count(schedule(), MIDNIGHT, MIDNIGHT + DAY_MS);
        assert_eq!(
            counts,
            [
                (Task::Data(RecordKind::Realtime), 2_880),
                (Task::Data(RecordKind::Minute), 1_440),
                (Task::Data(RecordKind::Hour), 24),
                (Task::Data(RecordKind::Day), 1),
                (Task::Facilities, 24),
                (Task::Heartbeat, 288),
                (Task::TimeRequest, 1),
            ]
        );
        let past = count(schedule().hours_only(), MIDNIGHT, MIDNIGHT + DAY_MS);
        assert_eq!(past, [(Task::Data(RecordKind::Hour), 24)]);
    }

    #[test]
    fn the_hour_follows_its_end_by_seconds() {
        let past = Schedule {
            phase_ms: 0,
            ..schedule().hours_only()
        };
        let due = past.next(Timestamp(MIDNIGHT)).map(|(at, _)| at);
        assert_eq!(due, Some(Timestamp(MIDNIGHT + 20_020)));
        let none = Schedule {
            hour: false,
            ..past
        };
        assert_eq!(none.next(Timestamp(MIDNIGHT)), None);
    }
}
