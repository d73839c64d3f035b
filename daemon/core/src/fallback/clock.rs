//! Clocks: moments before something is due and after it has become overdue.
//!
//! A clock remembers only up to when it has told. So every moment comes once, whatever the batches
//! and restarts, and a rule that changes meanwhile neither repeats nor skips what is still ahead.

use super::{Owed, Terms, Turn, WRITTEN_MAX, hours_ms, minutes_ms};
use crate::model::{FallbackId, FallbackRow, Timestamp, WrittenReport};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The first moment after `told`.
fn next(moments: impl Iterator<Item = Timestamp>, told: Timestamp) -> Option<Timestamp> {
    moments.filter(|moment| *moment > told).min()
}

/// Moments of reminders before `due`.
fn before(
    due: Timestamp,
    offsets_ms: impl Iterator<Item = i64>,
) -> impl Iterator<Item = Timestamp> {
    offsets_ms.map(move |ms| due.plus_ms(-ms))
}

/// Moments of escalations after `since`.
fn after<'a>(since: Timestamp, terms: &Terms<'a>) -> impl Iterator<Item = Timestamp> + 'a {
    let offsets = terms.rule.escalate_after_min.iter();
    offsets.map(move |minutes| since.plus_ms(minutes_ms(*minutes)))
}

/// Which step of the chain the moment is, counted from 1.
fn step(since: Timestamp, moment: Timestamp, terms: &Terms<'_>) -> u32 {
    let passed = after(since, terms).filter(|at| *at <= moment).count();
    u32::try_from(passed).unwrap_or(u32::MAX)
}

/// Up to when the clocks of the open fallback have told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    /// Reminders of the next report.
    pub(super) report: Timestamp,
    /// Reminders of the running day.
    pub(super) day: Timestamp,
    /// Escalations of what is overdue.
    pub(super) overdue: Timestamp,
}

impl Told {
    pub(super) fn at(at: Timestamp) -> Self {
        Self {
            report: at,
            day: at,
            overdue: at,
        }
    }

    fn moments(
        &self,
        row: &FallbackRow,
        day: (Timestamp, Timestamp),
        terms: &Terms<'_>,
    ) -> [Option<Timestamp>; 3] {
        let offsets = || terms.rule.remind_before_min.iter().map(|m| minutes_ms(*m));
        let due = row.next_due;
        let report = due.and_then(|due| next(before(due, offsets()), self.report));
        let short = row.opened_at <= day.0 && row.reports_today < terms.reports_per_day;
        let day = short.then(|| next(before(day.1, offsets()), self.day));
        let overdue = row
            .overdue_since
            .and_then(|since| next(after(since, terms), self.overdue));
        [report, day.flatten(), overdue]
    }

    /// The first moment ahead; `day` is the local day being counted.
    pub(super) fn next(
        &self,
        row: &FallbackRow,
        day: (Timestamp, Timestamp),
        terms: &Terms<'_>,
    ) -> Option<Timestamp> {
        self.moments(row, day, terms).into_iter().flatten().min()
    }

    /// Tells what is to be told at `at`.
    pub(super) fn tell(
        &mut self,
        at: Timestamp,
        row: &FallbackRow,
        day: (Timestamp, Timestamp),
        terms: &Terms<'_>,
        turns: &mut Vec<Turn>,
    ) {
        let [report, short, overdue] = self.moments(row, day, terms);
        let now = |moment: Option<Timestamp>| moment.filter(|moment| *moment <= at);
        if let (Some(moment), Some(due)) = (now(report), row.next_due) {
            self.report = moment;
            turns.push(Turn::Reminder(row.id, Owed::Report, due));
        }
        if let Some(moment) = now(short) {
            self.day = moment;
            turns.push(Turn::Reminder(row.id, Owed::Day, day.1));
        }
        if let (Some(moment), Some(since)) = (now(overdue), row.overdue_since) {
            self.overdue = moment;
            let step = step(since, moment, terms);
            // What became overdue at a midnight is the day.
            let owed = if row.missed_dues.contains(&since) {
                Owed::Report
            } else {
                Owed::Day
            };
            turns.push(Turn::Escalate(row.id, owed, since, step));
        }
    }
}

/// A written report that has not been delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owing {
    due: Timestamp,
    told: Timestamp,
}

impl Owing {
    fn next(&self, terms: &Terms<'_>) -> Option<Timestamp> {
        let hours = terms.rule.written_remind_before_h.iter();
        let reminders = before(self.due, hours.map(|h| hours_ms(*h)));
        let rest = [self.due].into_iter().chain(after(self.due, terms));
        next(reminders.chain(rest), self.told)
    }
}

/// Written reports that are owed, by fallback.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Writing(BTreeMap<FallbackId, Owing>);

impl Writing {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A fallback opened.
    pub(super) fn begin(
        &mut self,
        id: FallbackId,
        at: Timestamp,
        terms: &Terms<'_>,
    ) -> Option<WrittenReport> {
        let due = at.plus_ms(terms.written_due_ms()?);
        if self.0.len() >= WRITTEN_MAX {
            self.0.pop_first();
        }
        self.0.insert(id, Owing { due, told: at });
        Some(WrittenReport {
            due,
            overdue_since: None,
            delivered: Vec::new(),
        })
    }

    /// The written report of this fallback was delivered.
    pub(super) fn delivered(&mut self, id: FallbackId) {
        self.0.remove(&id);
    }

    /// One that was due at or before `at` is still owed.
    pub(super) fn any_overdue(&self, at: Timestamp) -> bool {
        self.0.values().any(|owing| owing.due <= at)
    }

    /// The first moment ahead.
    pub(super) fn next(&self, terms: &Terms<'_>) -> Option<Timestamp> {
        self.0.values().filter_map(|owing| owing.next(terms)).min()
    }

    /// Tells what is to be told at `at`.
    pub(super) fn tell(&mut self, at: Timestamp, terms: &Terms<'_>, turns: &mut Vec<Turn>) {
        for (id, owing) in &mut self.0 {
            let Some(moment) = owing.next(terms).filter(|moment| *moment <= at) else {
                continue;
            };
            owing.told = moment;
            let due = owing.due;
            turns.push(match moment.cmp(&due) {
                std::cmp::Ordering::Less => Turn::Reminder(*id, Owed::Written, due),
                std::cmp::Ordering::Equal => Turn::Written(
                    *id,
                    WrittenReport {
                        due,
                        overdue_since: Some(due),
                        delivered: Vec::new(),
                    },
                ),
                std::cmp::Ordering::Greater => {
                    Turn::Escalate(*id, Owed::Written, due, step(due, moment, terms))
                }
            });
        }
    }
}
