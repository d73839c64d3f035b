//! The quarter hour by hour, with what is missing.

use super::{HourFact, HourState, Input, ceil, why};
use crate::model::Timestamp;
use crate::model::profile::CaptureRule;
use crate::model::time::HOUR_MS;
use rust_decimal::Decimal;
use std::ops::Range;

/// Hours of the quarter that are over and known of, and the facts before them.
pub(super) struct Cells<'a> {
    /// Start of the first.
    from: Timestamp,
    /// First hour that is known of at all.
    known_from: Timestamp,
    /// One for each hour; `None`: there is no fact.
    list: Vec<Option<&'a HourFact>>,
    /// Counts of the hours before each, and of all.
    counts: Vec<Count>,
    /// Facts of the hours that are known of, before the quarter and in it.
    known: &'a [HourFact],
    /// How many of them lie before the quarter.
    before: usize,
    rule: &'a CaptureRule,
}

/// Hours by what they were.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) hours: u32,
    pub(super) stopped: u32,
    pub(super) valid: u32,
}

impl Count {
    pub(super) fn invalid(self) -> u32 {
        self.hours - self.stopped - self.valid
    }

    fn with(self, state: HourState) -> Self {
        Self {
            hours: self.hours + 1,
            stopped: self.stopped + u32::from(state == HourState::Stopped),
            valid: self.valid + u32::from(state == HourState::Valid),
        }
    }
}

/// Whole hours from `from` to `until`, none when it lies before.
pub(super) fn hours_between(from: Timestamp, until: Timestamp) -> u32 {
    u32::try_from((until.since_ms(from) / HOUR_MS).max(0)).unwrap_or(u32::MAX)
}

/// Place of the hour that contains `at` in a list that begins at `from`.
fn place(from: Timestamp, at: Timestamp) -> Option<usize> {
    usize::try_from(at.since_ms(from).div_euclid(HOUR_MS)).ok()
}

impl<'a> Cells<'a> {
    pub(super) fn of(input: &Input<'a>) -> Self {
        let known_from = ceil(input.known_from, HOUR_MS, input.offset);
        let from = ceil(input.start.max(known_from), HOUR_MS, input.offset);
        let until = input.hour_of(input.until.min(input.end));
        let of_known = input.hours.partition_point(|f| f.start < known_from);
        let known = &input.hours[of_known..];
        let before = known.partition_point(|f| f.start < from);
        let hours = usize::try_from(hours_between(from, until)).unwrap_or_default();
        let mut list = vec![None; hours];
        for fact in &known[before..] {
            match place(from, fact.start).and_then(|place| list.get_mut(place)) {
                Some(cell) => *cell = Some(fact),
                None => break,
            }
        }
        let mut cells = Self {
            from,
            known_from,
            list,
            counts: Vec::with_capacity(hours + 1),
            known,
            before,
            rule: &input.profile.capture,
        };
        cells.count();
        cells
    }

    fn count(&mut self) {
        let mut count = Count::default();
        self.counts.push(count);
        for place in 0..self.list.len() {
            count = count.with(self.state(place));
            self.counts.push(count);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn start(&self, place: usize) -> Timestamp {
        let hours = i64::try_from(place).unwrap_or(i64::MAX);
        self.from.plus_ms(hours.saturating_mul(HOUR_MS))
    }

    pub(super) fn state(&self, place: usize) -> HourState {
        self.fact(place)
            .map_or(HourState::Invalid(why::NO_DATA), |fact| fact.state)
    }

    /// Invalid hours among `places`, with why.
    pub(super) fn invalid(
        &self,
        places: Range<usize>,
    ) -> impl Iterator<Item = (usize, &'static str)> + Clone {
        places.filter_map(|place| match self.state(place) {
            HourState::Invalid(why) => Some((place, why)),
            HourState::Valid | HourState::Stopped => None,
        })
    }

    pub(super) fn fact(&self, place: usize) -> Option<&'a HourFact> {
        self.list[place]
    }

    /// Facts before the quarter.
    pub(super) fn before(&self) -> &'a [HourFact] {
        &self.known[..self.before]
    }

    /// Facts before the quarter and in it.
    pub(super) fn known(&self) -> &'a [HourFact] {
        self.known
    }

    /// First hour that is known of at all.
    pub(super) fn known_from(&self) -> Timestamp {
        self.known_from
    }

    /// Places of the hours in `from..until`.
    pub(super) fn places(&self, from: Timestamp, until: Timestamp) -> Range<usize> {
        let inside = |at| place(self.from, at).unwrap_or_default().min(self.len());
        inside(from)..inside(until)
    }

    /// Counts of the hours before `at`.
    pub(super) fn until(&self, at: Timestamp) -> Count {
        self.counts[self.places(self.from, at).end]
    }

    /// Capture rate of the hours before `at`.
    pub(super) fn capture_pct(&self, at: Timestamp) -> Option<Decimal> {
        super::rule::capture_of(self.rule, self.until(at))
    }

    /// Sum of all amounts that hours had themselves.
    pub(super) fn amounts(&self) -> Option<Decimal> {
        let facts = self.list.iter().copied().flatten();
        crate::formula::sum(facts.filter_map(|fact| fact.amount_kg))
    }

    /// Invalid hours in a row before the quarter; where hours of the source stopped lie between,
    /// they neither count nor break it.
    pub(super) fn open_before(&self, input: &Input<'_>) -> u32 {
        let mut open: u32 = 0;
        let mut next = self.from;
        for fact in self.before().iter().rev() {
            let start = input.hour_of(fact.start);
            let missing = hours_between(start.plus_ms(HOUR_MS), next);
            open = open.saturating_add(missing);
            next = start;
            match fact.state {
                HourState::Valid => return open,
                HourState::Stopped => {}
                HourState::Invalid(_) => open = open.saturating_add(1),
            }
        }
        open.saturating_add(hours_between(self.known_from, next))
    }
}
