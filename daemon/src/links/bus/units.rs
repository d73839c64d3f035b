//! What a line without transaction numbers must remember of each unit, so that an answer that
//! comes late is never taken for another one.

use super::question::Question;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Shortest silence waited for after trouble: schedulers and USB adapters hold bytes back for up to
/// 16 ms at a time.
pub(super) const SETTLE_MIN: Duration = Duration::from_millis(50);
/// Longest silence waited for; answers later than this are taken to be lost.
pub(super) const SETTLE_MAX: Duration = Duration::from_secs(10);
/// Questions without an answer whose times are kept; of more, the last counts.
const UNANSWERED_MAX: usize = 32;
/// How fast a slow answer is forgotten: by this part with every answer.
const FORGET: u32 = 16;

/// All units of a line.
#[derive(Debug, Default)]
pub(super) struct Units(BTreeMap<u8, Unit>);

#[derive(Debug, Default)]
struct Unit {
    /// Slowest answer seen, late ones included; fades.
    slowest: Option<Duration>,
    /// When it was asked without getting an answer, as far as one may still come; oldest first, the
    /// last question included.
    unanswered: Vec<Instant>,
    /// The question whose answer may still come.
    owes: Option<Question>,
    /// Until then answers to repeated questions may still come.
    held_until: Option<Instant>,
    /// The last question answered, and when.
    last: Option<(Question, Instant)>,
}

impl Units {
    /// A question is about to be sent; its answer may come up to `window` later.
    pub(super) fn asked(&mut self, question: Question, window: Duration, now: Instant) {
        let unit = self.0.entry(question.unit).or_default();
        unit.unanswered
            .retain(|at| now.saturating_duration_since(*at) < window);
        if unit.unanswered.len() >= UNANSWERED_MAX {
            unit.unanswered.pop();
        }
        unit.unanswered.push(now);
        unit.owes = Some(question);
    }

    /// The question got an answer, or a refusal. If it had been repeated, another one may come,
    /// and until its time is over the unit is asked nothing.
    pub(super) fn answered(&mut self, question: Question, window: Duration, now: Instant) {
        let unit = self.0.entry(question.unit).or_default();
        if let [_, .., last] = unit.unanswered.as_slice() {
            unit.held_until = Some(*last + window);
        }
        unit.unanswered.clear();
        unit.owes = None;
        unit.last = Some((question, now));
    }

    /// The question that must be asked before any other: its answer may still come.
    pub(super) fn owes(&self, unit: u8) -> Option<Question> {
        self.0.get(&unit)?.owes
    }

    /// How long the unit is not asked.
    pub(super) fn held(&self, unit: u8, now: Instant) -> Option<Duration> {
        let until = self.0.get(&unit)?.held_until?;
        Some(until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// When an answer came of which a second copy would pass for the answer to this question.
    pub(super) fn alike_the_last(&self, question: &Question) -> Option<Instant> {
        let (last, at) = self.0.get(&question.unit)?.last?;
        let alike =
            last.table == question.table && last.rtu_answer_bytes() == question.rtu_answer_bytes();
        alike.then_some(at)
    }

    /// An answer took this long, or came this late.
    pub(super) fn took(&mut self, unit: u8, time: Duration) {
        let unit = self.0.entry(unit).or_default();
        let faded = unit.slowest.map(|slowest| slowest - slowest / FORGET);
        let time = time.min(SETTLE_MAX);
        unit.slowest = Some(faded.map_or(time, |faded| faded.max(time)));
    }

    /// Slowest answer of a unit; of any when this one never answered; `None` when none ever did.
    pub(super) fn slowest(&self, unit: u8) -> Option<Duration> {
        let own = self.0.get(&unit).and_then(|unit| unit.slowest);
        own.or_else(|| self.0.values().filter_map(|unit| unit.slowest).max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cems_protocols::modbus::Table;

    const A: Question = Question {
        unit: 1,
        table: Table::Holding,
        start: 0,
        count: 2,
    };

    fn s(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn a_unit_is_held_while_the_answer_to_a_repetition_may_come() {
        let begun = Instant::now();
        let mut units = Units::default();
        units.asked(A, s(4), begun);
        units.answered(A, s(4), begun);
        assert_eq!(units.held(1, begun), None, "asked once, answered");
        units.asked(A, s(4), begun + s(5));
        assert_eq!(units.owes(1), Some(A));
        units.asked(A, s(4), begun + s(8));
        units.answered(A, s(4), begun);
        assert_eq!(units.held(1, begun + s(9)), Some(s(3)));
        assert_eq!(units.held(1, begun + s(12)), None);
        assert_eq!(units.held(2, begun + s(9)), None, "others are not");
        assert_eq!(units.owes(1), None);
    }

    #[test]
    fn what_is_long_ago_is_forgotten() {
        let begun = Instant::now();
        let mut units = Units::default();
        for n in 0..100 {
            units.asked(A, s(4), begun + s(n * 60));
        }
        units.answered(A, s(4), begun);
        assert_eq!(units.held(1, begun + s(99 * 60)), None);
        for n in 0..1_000 {
            units.asked(A, s(4), begun + s(6_000) + Duration::from_millis(n));
        }
        assert!(units.0[&1].unanswered.len() <= UNANSWERED_MAX);
    }

    #[test]
    fn slow_answers_fade() {
        let mut units = Units::default();
        assert_eq!(units.slowest(1), None);
        units.took(2, s(60));
        assert_eq!(units.slowest(1), Some(SETTLE_MAX), "for want of its own");
        for _ in 0..100 {
            units.took(2, Duration::from_millis(20));
        }
        assert!(units.slowest(2) < Some(Duration::from_millis(50)));
    }

    #[test]
    fn only_an_answer_of_the_same_form_passes_for_another() {
        let mut units = Units::default();
        assert_eq!(units.alike_the_last(&A), None);
        let now = Instant::now();
        units.answered(A, s(1), now);
        assert_eq!(units.alike_the_last(&A), Some(now));
        let other = Question { start: 8, ..A };
        assert_eq!(units.alike_the_last(&other), Some(now));
        let longer = Question { count: 3, ..other };
        assert_eq!(units.alike_the_last(&longer), None);
        let neighbour = Question { unit: 2, ..other };
        assert_eq!(units.alike_the_last(&neighbour), None);
    }
}
