//! Time out of control (失控): from a failed test back to the last passed one and forward to the
//! next passed one (HJ 75-2017 on CEMS out of control; HJ 356-2019 on failed checks); and time for
//! which a test was overdue.
//!
//! Tests are those of one kind and factor, oldest first. A drift that asks for adjustment is within
//! control and counts as passed here; a test that was not judged says nothing.

use crate::model::time::HOUR_MS;
use crate::model::{QaOutcome, Timestamp};

/// When a test ended, and what it said.
pub type Tested = (Timestamp, QaOutcome);

/// A stretch of time: from its first instant to the first after it. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// First instant; `None`: since ever, for no test was passed before.
    pub from: Option<Timestamp>,
    /// First instant after it; `None`: it lasts, for no test was passed since.
    pub until: Option<Timestamp>,
}

impl Stretch {
    fn new(from: Option<Timestamp>, until: Option<Timestamp>) -> Option<Self> {
        let empty = from.zip(until).is_some_and(|(from, until)| from >= until);
        (!empty).then_some(Self { from, until })
    }

    /// True when some instant of `start` (inclusive) to `end` (exclusive) lies in the stretch.
    pub fn overlaps(&self, start: Timestamp, end: Timestamp) -> bool {
        start < end
            && self.from.is_none_or(|from| from < end)
            && self.until.is_none_or(|until| start < until)
    }
}

/// True when a test shows the equipment within control, false when out of it, `None` when it shows
/// neither.
pub fn in_control(outcome: QaOutcome) -> Option<bool> {
    match outcome {
        QaOutcome::Passed | QaOutcome::Adjust => Some(true),
        QaOutcome::Failed => Some(false),
        QaOutcome::NotJudged => None,
    }
}

/// The stretches out of control, oldest first; one for each run of failed tests, so that two may
/// touch at a passed test. `tests` must be in order of time; of tests of the same instant the later
/// in the list is the later. A failed test between two passed ones of its own instant leaves none.
pub fn out_of_control(tests: impl IntoIterator<Item = Tested>) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    let mut last_passed = None;
    let mut failed = false;
    for (at, outcome) in tests {
        match in_control(outcome) {
            Some(true) => {
                if failed {
                    stretches.extend(Stretch::new(last_passed, Some(at)));
                }
                failed = false;
                last_passed = Some(at);
            }
            Some(false) => failed = true,
            None => {}
        }
    }
    if failed {
        stretches.extend(Stretch::new(last_passed, None));
    }
    stretches
}

/// True when the equipment was out of control at some instant of `start` (inclusive) to `end`
/// (exclusive), given the tests in it (in order) and its neighbours among the tests that were
/// judged: the last at or before `start`, the first at or after `end`.
pub fn is_out_of_control(
    (start, end): (Timestamp, Timestamp),
    before: Option<Tested>,
    inside: &[Tested],
    after: Option<Tested>,
) -> bool {
    let tests = before.into_iter().chain(inside.iter().copied());
    out_of_control(tests.chain(after))
        .iter()
        .any(|stretch| stretch.overlaps(start, end))
}

/// The stretches for which a test was overdue, oldest first: from `every_h` hours after a passed
/// test to the next passed one. `since` is when the duty began, and counts like a passed test.
pub fn overdue(
    since: Timestamp,
    tests: impl IntoIterator<Item = Tested>,
    every_h: u32,
) -> Vec<Stretch> {
    let due = |passed: Timestamp| Some(passed.plus_ms(i64::from(every_h) * HOUR_MS));
    let mut stretches = Vec::new();
    let mut last = since;
    for (at, outcome) in tests {
        if at >= last && in_control(outcome) == Some(true) {
            stretches.extend(Stretch::new(due(last), Some(at)));
            last = at;
        }
    }
    stretches.extend(Stretch::new(due(last), None));
    stretches
}

/// True when a test was overdue at some instant of `start` (inclusive) to `end` (exclusive).
/// `last` is the last passed test at or before `start`, or the beginning of the duty; `inside` are
/// the tests of the period, in order.
pub fn is_overdue(
    (start, end): (Timestamp, Timestamp),
    last: Timestamp,
    inside: &[Tested],
    every_h: u32,
) -> bool {
    overdue(last, inside.iter().copied(), every_h)
        .iter()
        .any(|stretch| stretch.overlaps(start, end))
}
