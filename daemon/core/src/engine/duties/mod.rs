//! Duties with a clock: rounds open by the calendar or by what happens, fall due, and are completed
//! by people.
//!
//! The state holds rounds, not instances: those stand in the books and are asked for when a round
//! turns. So an event that is no duty's costs nothing, and sixty thousand enterprises that owe a
//! report cost one round.
//!
//! | part | what |
//! | --- | --- |
//! | `opening` | what opens rounds: the calendar, an event, a person; a changed table or registry |
//! | `turns` | reminders, overdue, escalations |
//! | `standing` | the alarms "duty near" and "duty overdue" |
//! | `people` | completions, and what is taken back |

mod opening;
mod people;
mod standing;
mod turns;

pub(super) use opening::{book_changed, fallback_opened, marked, registry_changed, unmarked};
pub(super) use people::{complete, open_by_hand, take_back};
pub use standing::DUTIES_ONE_BY_ONE_MAX;

use super::context::Cx;
use super::state::{Shared, pairs};
use crate::duties::{DutyPeriod, Opening, Round, next_opening};
use crate::model::{
    AlarmSubject, Day, DutyBook, DutyId, DutyKey, DutyRow, DutySubject, Timestamp, UtcOffset,
};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use standing::{Signal, Standing};
use std::collections::{BTreeMap, BTreeSet};

/// A round: `row:name of the round`.
type RoundId = SmolStr;

fn round_id(rule: &DutyId, round: &str) -> RoundId {
    format_smolstr!("{rule}:{round}")
}

/// Row and name of a round; ids of rows hold no colon.
fn parts(id: &RoundId) -> (DutyId, &str) {
    let (rule, round) = id.split_once(':').unwrap_or((id.as_str(), ""));
    (DutyId::new(rule), round)
}

/// What opened a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Opened {
    /// The calendar, with the period and the day of it.
    Period(DutyPeriod, Day),
    /// Something that happened, or was entered.
    Trigger(Timestamp),
}

impl From<Opened> for Opening {
    fn from(opened: Opened) -> Self {
        match opened {
            Opened::Period(period, day) => Self::Period(period, day),
            Opened::Trigger(at) => Self::Trigger(at),
        }
    }
}

/// A round that still has something to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Running {
    times: Round,
    opened: Opened,
}

/// State of all duties; a row of its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Duties {
    /// Day through which recurring rows have opened; `None` before there were any.
    through: Option<Day>,
    /// Rounds with something to come.
    rounds: BTreeMap<RoundId, Running>,
    /// Alarms, and what they stand for.
    #[serde(with = "pairs")]
    standing: BTreeMap<(Signal, AlarmSubject), Standing>,
    /// When rounds turn, in order: a cache.
    #[serde(skip)]
    order: BTreeSet<(Timestamp, RoundId)>,
    /// When each round turns: a cache.
    #[serde(skip)]
    turns_at: BTreeMap<RoundId, Timestamp>,
    /// When the next recurring row opens: a cache.
    #[serde(skip)]
    opens_at: Option<Timestamp>,
    /// The row must be written.
    #[serde(skip)]
    pub(super) dirty: bool,
    /// Deadlines may have moved.
    #[serde(skip)]
    moved: bool,
}

impl Duties {
    /// When something falls due.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let turn = self.order.first().map(|(at, _)| *at);
        [turn, self.opens_at].into_iter().flatten().min()
    }

    /// Whether deadlines may have moved since the last time somebody asked.
    pub(super) fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }

    /// Fills the caches, after a restart or a change of the table.
    pub(super) fn index(&mut self, book: &DutyBook, offset: UtcOffset) {
        self.order.clear();
        self.turns_at.clear();
        for (id, running) in &self.rounds {
            let (rule, _) = parts(id);
            let rule = book.rules.get(&rule);
            if let Some(at) = rule.and_then(|rule| running.times.next(rule)) {
                self.order.insert((at, id.clone()));
                self.turns_at.insert(id.clone(), at);
            }
        }
        self.reopen(book, offset);
    }

    /// Recomputes when the next recurring row opens.
    fn reopen(&mut self, book: &DutyBook, offset: UtcOffset) {
        self.opens_at = self.through.and_then(|through| {
            let next = |rule| next_opening(rule, through).map(|(_, day)| day);
            let first = book.rules.values().filter_map(next).min();
            first.map(|day| day.start(offset))
        });
        self.moved = true;
    }

    /// Sets, changes or (`None`) drops a round; one that has nothing to say any more goes, too.
    fn put(&mut self, book: &DutyBook, id: &RoundId, running: Option<Running>) {
        let (rule, _) = parts(id);
        let rule = book.rules.get(&rule);
        if let Some(at) = self.turns_at.remove(id) {
            self.order.remove(&(at, id.clone()));
        }
        let next = running
            .as_ref()
            .and_then(|running| running.times.next(rule?));
        match (next, running) {
            (Some(at), Some(running)) => {
                self.order.insert((at, id.clone()));
                self.turns_at.insert(id.clone(), at);
                self.rounds.insert(id.clone(), running);
            }
            _ => {
                self.rounds.remove(id);
            }
        }
        self.dirty = true;
        self.moved = true;
    }
}

/// Lets everything up to now fall due: what opens first, then rounds in the order of their turns.
pub(super) fn run(shared: &mut Shared, cx: &mut Cx<'_>) {
    while shared.duties.opens_at.is_some_and(|at| at <= cx.at) {
        opening::day(shared, cx);
    }
    run_rounds(shared, cx);
}

/// Lets rounds turn up to now; at once where their times were moved.
fn run_rounds(shared: &mut Shared, cx: &mut Cx<'_>) {
    while let Some((_, id)) = shared.duties.order.first().filter(|(at, _)| *at <= cx.at) {
        let id = id.clone();
        turns::take(shared, &id, cx);
    }
}

/// How an instance is named in the audit trail.
fn object(key: &DutyKey) -> SmolStr {
    format_smolstr!("duty/{key}")
}

/// How a round is named in the audit trail.
pub(super) fn round_object(id: &str) -> SmolStr {
    format_smolstr!("duties/{id}")
}

/// Whom an alarm about one instance is about.
fn alarm_subject(row: &DutyRow) -> AlarmSubject {
    match &row.subject {
        DutySubject::Enterprise(id) => AlarmSubject::Enterprise(id.clone()),
        DutySubject::Outlet(id) => AlarmSubject::Outlet(id.clone()),
        DutySubject::Region(id) => AlarmSubject::Region(id.clone()),
    }
}
