//! One limit on one factor: the stretches of periods outside it, and their alarms.

use super::super::alarms::{AlarmBook, NewAlarm};
use super::super::context::{Cx, Site};
use super::{STRETCHES_MAX, Stretch, Subject, Track, look_ms, verdict};
use crate::model::{AlarmId, AlarmKind, AlarmRow, Level, LimitVerdict, Timestamp};

/// Works on one track.
pub(super) struct Tracker<'a> {
    pub(super) track: &'a mut Track,
    pub(super) book: &'a mut AlarmBook,
    pub(super) site: Site<'a>,
    pub(super) subject: Subject<'a>,
}

/// A judged period.
type Judged = (Timestamp, LimitVerdict);

impl Tracker<'_> {
    /// True when `start` lies after every judged period.
    pub(super) fn is_next(&self, start: Timestamp) -> bool {
        self.track.judged.is_none_or(|judged| start > judged)
    }

    /// The next period in order has its verdict.
    pub(super) fn next(&mut self, start: Timestamp, now: &LimitVerdict, cx: &mut Cx<'_>) {
        self.track.judged = Some(start);
        match (self.track.active, now.exceeded) {
            (None, true) => {
                let judged = [(start, now.clone())];
                self.raise(&judged, cx);
            }
            (Some(alarm), true) => {
                if let Some(stretch) = self.track.stretches.last_mut() {
                    stretch.until = start;
                }
                let last = self.site.offset.iso(start);
                self.book.change(alarm, cx, |row| {
                    row.count = row.count.saturating_add(1);
                    note(row, now, &last);
                    if row.value.is_none_or(|worst| worse(now, worst)) {
                        worst(row, now, &last);
                    }
                });
            }
            (Some(_), false) => self.back_to_normal("within-limit", cx),
            (None, false) => {}
        }
    }

    /// The verdict of a period already passed has changed, or came late.
    pub(super) fn corrected(&mut self, start: Timestamp, exceeded: bool, cx: &mut Cx<'_>) {
        let judged = self.judged_around(start, cx);
        self.track.judged = judged.last().map(|(at, _)| *at).or(self.track.judged);
        if exceeded {
            self.fit_in(start, &judged, cx);
        } else {
            self.take_out(start, &judged, cx);
        }
    }

    /// The judged periods around `start`, up to the latest, from the rows.
    fn judged_around(&self, start: Timestamp, cx: &Cx<'_>) -> Vec<Judged> {
        let look = look_ms(self.subject.level);
        let latest = self.track.judged.map_or(start, |judged| judged.max(start));
        let oldest = self.track.stretches.iter().map(|s| s.since).min();
        let from = oldest
            .map_or(start, |s| s.min(start))
            .max(start.plus_ms(-look));
        let rows = cx.history.aggregates(
            &self.site.outlet.id,
            self.subject.level,
            from.min(start.plus_ms(-look)),
            latest.plus_ms(1),
        );
        rows.iter()
            .filter(|row| row.complete)
            .filter_map(|row| Some((row.start, verdict(row, self.subject)?.clone())))
            .collect()
    }

    /// `start` is outside the limit and was not known to be.
    fn fit_in(&mut self, start: Timestamp, judged: &[Judged], cx: &mut Cx<'_>) {
        let run = run_around(start, judged);
        let (Some((first, _)), Some((last, _))) = (run.first(), run.last()) else {
            return;
        };
        let (first, last) = (*first, *last);
        let touches = |s: &Stretch| s.since <= last && s.until >= first;
        let covering: Vec<AlarmId> = self
            .track
            .stretches
            .iter()
            .filter(|s| touches(s))
            .map(|s| s.alarm)
            .collect();
        let reaches_latest = Some(last) == self.track.judged;
        let keep = self
            .track
            .active
            .filter(|id| covering.contains(id))
            .or(covering.last().copied().filter(|_| !reaches_latest));
        self.track.stretches.retain(|s| !touches(s));
        match keep {
            Some(alarm) => {
                self.cover(alarm, first, last);
                self.describe(alarm, run, cx);
            }
            None => self.raise(run, cx),
        }
        if !reaches_latest && self.track.active.is_some_and(|a| self.covers(a, first)) {
            self.back_to_normal("within-limit", cx);
        }
    }

    /// `start` is not outside the limit, or has no verdict any more.
    fn take_out(&mut self, start: Timestamp, judged: &[Judged], cx: &mut Cx<'_>) {
        let found = self
            .track
            .stretches
            .iter()
            .position(|s| s.since <= start && start <= s.until);
        if let Some(index) = found {
            let stretch = self.track.stretches.remove(index);
            let left: Vec<Judged> = judged
                .iter()
                .filter(|(at, v)| v.exceeded && stretch.since <= *at && *at <= stretch.until)
                .cloned()
                .collect();
            if let (Some((first, _)), Some((last, _))) = (left.first(), left.last()) {
                self.cover(stretch.alarm, *first, *last);
            }
            self.describe(stretch.alarm, &left, cx);
        }
        let still = judged.last().is_some_and(|(_, v)| v.exceeded);
        if self.track.active.is_some() && !still {
            self.back_to_normal("corrected", cx);
        }
    }

    fn covers(&self, alarm: AlarmId, at: Timestamp) -> bool {
        self.track
            .stretches
            .iter()
            .any(|s| s.alarm == alarm && s.since <= at && at <= s.until)
    }

    fn cover(&mut self, alarm: AlarmId, since: Timestamp, until: Timestamp) {
        let at = self.track.stretches.partition_point(|s| s.since < since);
        let stretch = Stretch {
            alarm,
            since,
            until,
        };
        self.track.stretches.insert(at, stretch);
        if self.track.stretches.len() > STRETCHES_MAX {
            self.track.stretches.remove(0);
        }
    }

    /// Raises an alarm for the periods `run`, all outside the limit.
    fn raise(&mut self, run: &[Judged], cx: &mut Cx<'_>) {
        let (Some((since, _)), Some((until, _))) = (run.first(), run.last()) else {
            return;
        };
        let kind = match self.subject.level {
            Level::Hour => AlarmKind::ExceedanceHour,
            Level::Day | Level::Month | Level::Year => AlarmKind::ExceedanceDay,
        };
        let new = NewAlarm {
            factor: Some(self.subject.factor.clone()),
            limit: Some(self.subject.limit.clone()),
            ..NewAlarm::of(kind, self.site.outlet, *since)
        };
        let previous = self.track.stretches.iter().map(|s| s.alarm).max();
        let new = self.described(new, run);
        let alarm = self.book.raise(new, previous, cx);
        self.track.active = Some(alarm);
        self.cover(alarm, *since, *until);
    }

    fn described(&self, mut new: NewAlarm, run: &[Judged]) -> NewAlarm {
        if let Some((at, v)) = worst_of(run) {
            new.value = Some(v.judged);
            new.threshold = Some(v.bound);
            new.facts.push(("worst_at", self.site.offset.iso(*at)));
            if let Some(multiple) = v.multiple {
                new.facts.push(("multiple", multiple.to_string()));
            }
        }
        if let Some((at, v)) = run.last() {
            new.facts.push(("last_at", self.site.offset.iso(*at)));
            new.facts.push(("latest", v.judged.to_string()));
        }
        new.count = u64::try_from(run.len()).unwrap_or(u64::MAX);
        new
    }

    /// Rewrites the figures of an alarm from the periods it covers.
    fn describe(&mut self, alarm: AlarmId, run: &[Judged], cx: &Cx<'_>) {
        let (first, offset) = (run.first().map(|(at, _)| *at), self.site.offset);
        self.book.change(alarm, cx, |row| {
            row.since = first.unwrap_or(row.since);
            row.count = u64::try_from(run.len()).unwrap_or(u64::MAX);
            if let Some((at, v)) = worst_of(run) {
                worst(row, v, &offset.iso(*at));
            }
            if let Some((at, v)) = run.last() {
                note(row, v, &offset.iso(*at));
            }
            row.facts.insert("corrected".into(), "true".into());
        });
    }

    fn back_to_normal(&mut self, why: &'static str, cx: &mut Cx<'_>) {
        if let Some(alarm) = self.track.active.take() {
            self.book.back_to_normal(alarm, why, cx);
        }
    }
}

/// The unbroken run of periods outside the limit around `start`.
fn run_around(start: Timestamp, judged: &[Judged]) -> &[Judged] {
    let Some(at) = judged.iter().position(|(s, _)| *s == start) else {
        return &[];
    };
    let inside = |(_, v): &Judged| !v.exceeded;
    let from = judged[..at].iter().rposition(inside).map_or(0, |i| i + 1);
    let until = judged[at..]
        .iter()
        .position(inside)
        .map_or(judged.len(), |i| at + i);
    judged.get(from..until).unwrap_or(&[])
}

fn worst_of(run: &[Judged]) -> Option<&Judged> {
    run.iter()
        .reduce(|a, b| if worse(&b.1, a.1.judged) { b } else { a })
}

/// Further outside than `known`: above an upper bound more is worse, below a lower one less.
fn worse(now: &LimitVerdict, known: rust_decimal::Decimal) -> bool {
    if now.judged > now.bound {
        now.judged > known
    } else {
        now.judged < known
    }
}

fn worst(row: &mut AlarmRow, v: &LimitVerdict, at: &str) {
    row.value = Some(v.judged);
    row.threshold = Some(v.bound);
    row.facts.insert("worst_at".into(), at.into());
    match v.multiple {
        Some(multiple) => row.facts.insert("multiple".into(), multiple.to_string()),
        None => row.facts.remove("multiple"),
    };
}

fn note(row: &mut AlarmRow, v: &LimitVerdict, at: &str) {
    row.facts.insert("last_at".into(), at.into());
    row.facts.insert("latest".into(), v.judged.to_string());
}
