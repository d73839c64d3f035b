//! The engine: `step(event) -> outputs`, and nothing else.
//!
//! Before an event at *t* the engine lets every deadline up to *t* fall due, in the order (time,
//! outlet, kind), so the outcome depends only on the sequence of events, never on when it was run,
//! nor on whether a tick was journalled at the deadline or the next event came later. Only journal
//! positions (`seq`, `n`, `*_seq`) tell which event let a deadline fall due.
//!
//! | part | what |
//! | --- | --- |
//! | `step` | which part an event goes to |
//! | `deadlines` | what falls due when nothing happens |
//! | `sampling` | samples of a station's own instruments become records |
//! | `records` | a record: validity, merge, latest values, loggers |
//! | `closing` | periods: hour, day, month, year |
//! | `clues` | checks of series over periods that are over |
//! | `quarters` | packed hours; capture rate and substitutes of the quarter |
//! | `exceedance` | means against limits |
//! | `permitted` | totals against permitted amounts, of outlets and enterprises |
//! | `duties` | duties with a clock: rounds, completions, their alarms |
//! | `supervision`, `outage` | silence, alone and together; impossible values |
//! | `fallbacks` | the manual fallback: what opens and closes it, what it tells |
//! | `watch` | conditions that must last: values, flags, clocks, parameters, tests, outlook |
//! | `intake` | refused bytes |
//! | `judgement` | marks, tests of the equipment, validity reviews |
//! | `reports` | manual reports and written reports: kept, corrected, taken back |
//! | `people`, [`check`] | alarm actions, decisions; whether what people enter makes sense |
//! | `messages` | trying a channel; what became of messages |
//! | `registry`, `versions` | a registry takes force; which settings judge which period |
//! | `alarms` | numbering and rows of alarms, what they wait for, what people do to them |
//! | `health` | the daemon's own trouble |
//! | `policy`, `notices` | a policy takes force; what people must be told |
//! | `state`, `persist` | what is kept between batches, and how |
//!
//! **Invariant.** After [`Engine::flush`] at journal position *P* the projections are the same
//! whatever the batches were; [`Engine::restore`] at any such *P*, followed by the remaining
//! events, equals the uninterrupted run.
//!
//! **Order of data.** Of a set of records and entries of people, nothing that follows from the data
//! depends on the order in which they came, on repetitions, or on how late they were, once their
//! deadlines have passed: aggregates with their verdicts, clues, packed hours, quarters, latest
//! values, and which alarms of limits and permitted amounts are active. Of a value that was
//! corrected the version that came last counts, and the former ones are kept. Only `seq`, times of
//! arrival and how often a row was superseded may differ. What happens in time (fallback, silence,
//! who was alarmed when, the clues of clocks) does depend on it. `tests/month.rs` says column by
//! column what is the same.

mod alarms;
pub mod check;
mod closing;
mod clues;
mod context;
mod deadlines;
mod duties;
mod event;
mod exceedance;
mod exchange;
mod fallbacks;
mod health;
mod history;
mod intake;
mod judgement;
mod memory;
mod messages;
mod notices;
mod outage;
mod people;
mod permitted;
mod persist;
mod policy;
mod quarters;
mod records;
mod registry;
mod reports;
mod sampling;
mod state;
mod step;
mod supervision;
mod versions;
mod watch;

pub use alarms::CASCADE_MS;
pub use check::{ActionError, HOLD_DAYS_MAX, MANUAL_VALUES_MAX, TEXT_CHARS_MAX};
pub use closing::{GRACE_MS, SETTLE_MS};
pub use duties::DUTIES_ONE_BY_ONE_MAX;
pub use event::{
    AlarmAction, AlarmActionKind, AlarmService, AuditEntry, Contact, DutyCompletion, DutyOpening,
    DutyTakeBack, Event, FallbackDecision, HealthReport, Input, Refusal, RefusalReason, ReportBack,
    Statement, TakeBack, WrittenIn,
};
pub use history::{EmptyHistory, History};
pub use intake::{ATTEMPT_QUIET_MS, STORM_FRAMES, STORM_QUIET_MS, STORM_WINDOW_MS, STRANGERS_MAX};
pub use memory::{MemoryHistory, SupersededKey, Tables};

pub use persist::RestoreError;
pub use sampling::FORM_GRACE_MS;
pub(crate) use state::pairs;
pub use supervision::GOOD_VALUES;
pub use watch::FRESH_MS;
pub use watch::device::CLOCK_S;

use crate::model::rows::StateRow;
use crate::model::{
    ManualReport, OutletId, Output, Policy, Registry, Seq, Series, Timestamp, series_day,
};
use deadlines::Deadlines;
use state::{Live, Shared};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The rules at work: takes events in journal order, puts out rows.
#[derive(Debug, Default)]
pub struct Engine {
    registry: Option<Arc<Registry>>,
    registry_dirty: bool,
    policy: Option<Arc<Policy>>,
    policy_dirty: bool,
    shared: Shared,
    outlets: BTreeMap<OutletId, Box<Live>>,
    deadlines: Deadlines,
    /// Outlets touched since the last flush.
    touched: BTreeSet<OutletId>,
    /// Days of series touched since the last flush, by the last event that did.
    series_days: BTreeMap<(Series, Timestamp), Seq>,
}

impl Engine {
    /// An engine that knows nothing; the first event should be a registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// The engine as it was when these rows were flushed. `rows` are all state rows of the store;
    /// the registry in force is among them. No rows give a new engine.
    ///
    /// # Errors
    /// When a row is not what an engine of this version wrote; the projections must be rebuilt
    /// from the journal then.
    pub fn restore(rows: impl IntoIterator<Item = StateRow>) -> Result<Self, RestoreError> {
        persist::restore(rows)
    }

    /// Takes one event in.
    ///
    /// `out` must apply each output before it returns: `history` is asked for rows put out earlier
    /// in the same step. Time never goes back: an event with an earlier time counts as happening
    /// at the time of the last one.
    pub fn step(&mut self, input: Input, history: &dyn History, out: &mut dyn FnMut(Output)) {
        let offset = self.registry().map(|r| r.offset).unwrap_or_default();
        let mut days = std::mem::take(&mut self.series_days);
        let seq = input.seq;
        let mut noting = |output: Output| {
            if let Some(day) = series_day(&output, offset) {
                days.insert(day, seq);
            }
            out(output);
        };
        step::step(self, input, history, &mut noting);
        self.series_days = days;
    }

    /// When something falls due if nothing else happens: a tick at this time must be journalled
    /// then.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first()
    }

    /// Ends a batch: puts out state rows of what changed and the rows held back (latest values,
    /// loggers, alarm figures).
    pub fn flush(&mut self, out: &mut dyn FnMut(Output)) {
        persist::flush(self, out);
    }

    /// The registry in force.
    pub fn registry(&self) -> Option<&Registry> {
        self.registry.as_deref()
    }

    /// The policy in force.
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        self.policy.as_ref()
    }

    /// Engine time: that of the last event.
    pub fn now(&self) -> Timestamp {
        self.shared.now
    }

    /// Whether an action on an alarm would be accepted now. A repeated acknowledgement is: it
    /// changes nothing and is noted.
    ///
    /// # Errors
    /// When the alarm is unknown, still active, not acknowledged, closed, or the text is missing
    /// or too long.
    pub fn check_alarm_action(
        &self,
        action: &AlarmAction,
        history: &dyn History,
    ) -> Result<(), ActionError> {
        let row = self.shared.book.peek(action.alarm, history);
        check::on_alarm(action, row.as_ref(), self.now())
    }

    /// Whether a manual report would be accepted at `now`, the caller's clock.
    ///
    /// # Errors
    /// When outlet or factor are unknown, the sample is from the future, there is no value, or a
    /// text is missing or too long.
    pub fn check_manual_report(
        &self,
        report: &ManualReport,
        now: Timestamp,
    ) -> Result<(), ActionError> {
        match self.registry() {
            Some(registry) => check::manual_report(report, registry, now.max(self.now())),
            None => Err(ActionError::UnknownOutlet(report.outlet.clone())),
        }
    }

    /// Whether a decision about a fallback would be accepted now.
    ///
    /// # Errors
    /// When the outlet is unknown, there is nothing to close, or the note is missing or too long.
    pub fn check_fallback_decision(&self, decision: &FallbackDecision) -> Result<(), ActionError> {
        let known = self
            .registry()
            .is_some_and(|registry| registry.outlets.contains_key(&decision.outlet));
        if !known {
            return Err(ActionError::UnknownOutlet(decision.outlet.clone()));
        }
        let live = self.outlets.get(&decision.outlet);
        let is_open = live.is_some_and(|live| live.state.fallback.row().is_some());
        check::fallback_decision(decision, is_open)
    }
}

#[cfg(test)]
mod tests;
