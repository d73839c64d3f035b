//! Sets of whole minutes as ascending spans that neither overlap nor touch.

use crate::model::Timestamp;
use crate::model::time::MINUTE_MS;

/// A span of minutes, counted from 1970-01-01T00:00Z: first inclusive, last exclusive.
type Span = (i64, i64);

/// A set of minutes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Spans(Vec<Span>);

/// The minutes of a period; one that is only begun counts whole.
pub(super) fn span(from: Timestamp, until: Timestamp) -> Span {
    let first = from.0.div_euclid(MINUTE_MS);
    let last = until.0.saturating_sub(1).div_euclid(MINUTE_MS);
    (first, last.saturating_add(1))
}

/// The instant at which a minute begins.
pub(super) fn instant(minute: i64) -> Timestamp {
    Timestamp(minute.saturating_mul(MINUTE_MS))
}

impl Spans {
    /// The union of spans in any order; empty and reversed ones hold no minute.
    pub(super) fn of(spans: impl IntoIterator<Item = Span>) -> Self {
        let mut sorted: Vec<Span> = spans.into_iter().filter(|(a, b)| a < b).collect();
        sorted.sort_unstable();
        let mut merged: Vec<Span> = Vec::with_capacity(sorted.len());
        for (from, until) in sorted {
            match merged.last_mut() {
                Some((_, end)) if from <= *end => *end = until.max(*end),
                _ => merged.push((from, until)),
            }
        }
        Self(merged)
    }

    /// The minutes of all the sets.
    pub(super) fn union<'a>(sets: impl IntoIterator<Item = &'a Self>) -> Self {
        Self::of(sets.into_iter().flat_map(|set| set.0.iter().copied()))
    }

    /// The spans.
    pub(super) fn iter(&self) -> impl Iterator<Item = Span> + '_ {
        self.0.iter().copied()
    }

    /// How many minutes; saturates.
    pub(super) fn minutes(&self) -> u32 {
        let minutes = self.iter().fold(0, |n: i64, (from, until)| {
            n.saturating_add(until.saturating_sub(from))
        });
        u32::try_from(minutes).unwrap_or(u32::MAX)
    }

    /// The minute is among them.
    pub(super) fn contains(&self, minute: i64) -> bool {
        let next = self.0.partition_point(|(from, _)| *from <= minute);
        next.checked_sub(1)
            .and_then(|at| self.0.get(at))
            .is_some_and(|(_, until)| minute < *until)
    }

    /// The minutes in both.
    pub(super) fn and(&self, other: &Self) -> Self {
        let (mut i, mut j) = (0, 0);
        let mut both = Vec::new();
        while let (Some(a), Some(b)) = (self.0.get(i), other.0.get(j)) {
            both.push((a.0.max(b.0), a.1.min(b.1)));
            if a.1 < b.1 { i += 1 } else { j += 1 }
        }
        Self::of(both)
    }

    /// The minutes here and not there.
    pub(super) fn without(&self, other: &Self) -> Self {
        let mut gaps = Vec::with_capacity(other.0.len().saturating_add(1));
        let mut from = i64::MIN;
        for (first, last) in other.iter() {
            gaps.push((from, first));
            from = last;
        }
        gaps.push((from, i64::MAX));
        self.and(&Self::of(gaps))
    }

    /// The earliest `minutes` of them.
    pub(super) fn first(&self, minutes: i64) -> Self {
        let mut left = minutes;
        Self::of(self.iter().map(|(from, until)| {
            let end = until.min(from.saturating_add(left.max(0)));
            left = left.saturating_sub(end.saturating_sub(from));
            (from, end)
        }))
    }

    /// The spans of at least `minutes`.
    pub(super) fn long(&self, minutes: u32) -> Self {
        Self::of(
            self.iter()
                .filter(|(from, until)| until.saturating_sub(*from) >= i64::from(minutes)),
        )
    }

    /// The earliest `minutes` of each span.
    pub(super) fn heads(&self, minutes: i64) -> Self {
        Self::of(
            self.iter()
                .map(|(from, until)| (from, until.min(from.saturating_add(minutes)))),
        )
    }
}
