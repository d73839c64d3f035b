//! What falls due between the opening of a round and its end.

use crate::model::time::HOUR_MS;
use crate::model::{DutyRule, Timestamp};
use serde::{Deserialize, Serialize};

/// Something that falls due; it concerns the instances that are open at that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// Those who owe it are reminded.
    Reminder {
        /// Hours before it is due.
        hours: u32,
        /// The last before it is due: from now on it is near.
        last: bool,
    },
    /// Its time has passed.
    Overdue,
    /// It has stayed overdue: the step of that number in the row.
    Escalation(usize),
}

/// The times of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// Since when these times hold: its opening, or when they were moved.
    pub from: Timestamp,
    /// First instant at which its instances are late.
    pub due_at: Timestamp,
    /// Turns up to here have been taken.
    passed: Timestamp,
}

impl Round {
    /// A round that opens, or whose times are moved, at `from`.
    pub fn new(from: Timestamp, due_at: Timestamp) -> Self {
        Self {
            from,
            due_at,
            passed: from.plus_ms(-1),
        }
    }

    /// Its time has passed, and those concerned have been told.
    pub fn is_overdue(&self) -> bool {
        self.due_at.max(self.from) <= self.passed
    }

    /// Its last reminder has been given: it is near, or past it.
    pub fn is_near(&self, rule: &DutyRule) -> bool {
        let mut turns = self.turns(rule).into_iter();
        turns.any(|(at, turn)| {
            matches!(turn, Turn::Reminder { last: true, .. }) && at <= self.passed
        })
    }

    /// Every turn with its time, in order.
    ///
    /// Reminders from before the opening are left out, but for the last: what opens when it is near
    /// already is said to be near at once.
    fn turns(&self, rule: &DutyRule) -> Vec<(Timestamp, Turn)> {
        let before = |hours: u32| self.due_at.plus_ms(-i64::from(hours) * HOUR_MS);
        let nearest = rule.remind_h.iter().copied().min();
        let overdue = self.due_at.max(self.from);
        let reminders = rule.remind_h.iter().filter_map(|&hours| {
            let last = Some(hours) == nearest;
            let at = match before(hours) {
                at if last => at.max(self.from),
                at => at,
            };
            (self.from <= at && at < overdue).then_some((at, Turn::Reminder { hours, last }))
        });
        let steps = rule.escalate.iter().enumerate().map(|(n, step)| {
            let at = overdue.plus_ms(i64::from(step.after_h) * HOUR_MS);
            (at, Turn::Escalation(n))
        });
        let mut turns: Vec<_> = reminders.collect();
        turns.push((overdue, Turn::Overdue));
        turns.extend(steps);
        turns.sort();
        turns
    }

    /// When something falls due next; `None` when nothing does any more.
    pub fn next(&self, rule: &DutyRule) -> Option<Timestamp> {
        let turns = self.turns(rule);
        let later = turns.into_iter().find(|(at, _)| *at > self.passed);
        later.map(|(at, _)| at)
    }

    /// Lets everything up to `until` fall due.
    pub fn advance(&mut self, rule: &DutyRule, until: Timestamp) -> Vec<(Timestamp, Turn)> {
        let mut turns = self.turns(rule);
        turns.retain(|(at, _)| *at > self.passed && *at <= until);
        self.passed = self.passed.max(until);
        turns
    }
}
