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
    /// The limit may still judge later periods; where not, no alarm of it stays active.
    pub(super) lasts: bool,
}

/// A judged period.
type Judged = (Timestamp, LimitVerdict);

impl Tracker<'_> {
    /// Follows the verdict of the period that begins at `start`.
    pub(super) fn follow(
        &mut self,
        start: Timestamp,
        (before, now): (Option<&LimitVerdict>, Option<&LimitVerdict>),
        cx: &mut Cx<'_>,
    ) {
        match now {
            Some(now) if self.is_next(start) => self.next(start, now, cx),
            _ if now == before => {}
            _ => self.corrected(start, now.is_some_and(|v| v.exceeded), cx),
        }
        if !self.lasts {
            self.back_to_normal("limit-over", cx);
        }
    }

    /// True when `start` lies after every judged period, and the last of them has its active alarm
    /// where it is outside.
    fn is_next(&self, start: Timestamp) -> bool {
        let last = self.track.stretches.last().map(|s| s.until);
        let settled = self.track.active.is_some() || last.is_none() || last != self.track.judged;
        settled && self.track.judged.is_none_or(|judged| start > judged)
    }

    /// The next period in order has its verdict.
    fn next(&mut self, start: Timestamp, now: &LimitVerdict, cx: &mut Cx<'_>) {
        self.track.judged = Some(start);
        match (self.track.active, now.exceeded) {
            (None, true) => {
                let judged = [(start, now.clone())];
                self.track.active = self.raise(&judged, cx);
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

    /// The verdict of a period already passed has changed, went away, or came late: brings the
    /// stretches around it and their alarms in line with the rows.
    fn corrected(&mut self, start: Timestamp, exceeded: bool, cx: &mut Cx<'_>) {
        let (since, until) = self.view(start);
        let judged = self.judged_within(since, until, cx);
        let latest = judged.last().map(|(at, _)| *at);
        let runs: Vec<&[Judged]> = judged
            .split(|(_, verdict)| !verdict.exceeded)
            .filter(|run| !run.is_empty())
            .collect();
        if self.track.judged.is_some_and(|known| until < known) {
            self.fit(start, &runs, None, cx);
            return;
        }
        self.track.judged = latest.or(self.track.judged);
        let last = runs
            .last()
            .copied()
            .filter(|run| self.lasts && run.last().map(|(at, _)| *at) == latest);
        self.fit(start, &runs, last, cx);
        let stands = last.and_then(|run| self.alarm_at(run.last()?.0));
        if self.track.active != stands {
            let why = if exceeded {
                "within-limit"
            } else {
                "corrected"
            };
            self.back_to_normal(why, cx);
        }
        if let (Some(run), None) = (last, self.track.active) {
            self.track.active = self.raise(run, cx);
        }
    }

    /// What must be looked at around `start`: from the last known stretch before it, so that a
    /// period outside just before it is found, to the end of those that begin within sight.
    fn view(&self, start: Timestamp) -> (Timestamp, Timestamp) {
        let look = look_ms(self.subject.level);
        let (mut since, mut until) = (start.plus_ms(-look), start.plus_ms(look));
        for stretch in &self.track.stretches {
            if stretch.since <= until {
                until = until.max(stretch.until);
            }
        }
        let before = self.track.stretches.iter().map(|s| s.since);
        if let Some(known) = before.filter(|known| *known <= start).max() {
            since = since.min(known);
        }
        (since, until)
    }

    /// The judged periods from `since` to `until`, from the rows.
    fn judged_within(&self, since: Timestamp, until: Timestamp, cx: &Cx<'_>) -> Vec<Judged> {
        let outlet = &self.site.outlet.id;
        let end = until.plus_ms(1);
        let rows = cx
            .history
            .aggregates(outlet, self.subject.level, since, end);
        rows.iter()
            .filter(|row| row.complete)
            .filter_map(|row| Some((row.start, verdict(row, self.subject)?.clone())))
            .collect()
    }

    /// Gives the runs around `start` their alarms: an alarm stays with what is left of its stretch,
    /// the active one with the last run, if that is one of them (`last`: the run that lasts).
    fn fit(
        &mut self,
        start: Timestamp,
        runs: &[&[Judged]],
        last: Option<&[Judged]>,
        cx: &mut Cx<'_>,
    ) {
        let (since, until) = self.concerned(start, runs);
        let stretches = std::mem::take(&mut self.track.stretches);
        let (mut free, kept): (Vec<_>, Vec<_>) = stretches
            .into_iter()
            .partition(|s| s.since <= until && since <= s.until);
        let old: Vec<Stretch> = free.clone();
        self.track.stretches = kept;
        for run in runs.iter().rev() {
            let Some((first, end)) = ends(run).filter(|(a, b)| *a <= until && since <= *b) else {
                continue;
            };
            let lasting = last.is_some_and(|last| std::ptr::eq(*run, last));
            let touching = free
                .iter()
                .rev()
                .filter(|s| s.since <= end && first <= s.until);
            let touching: Vec<AlarmId> = touching.map(|s| s.alarm).collect();
            let active = self.track.active.filter(|alarm| touching.contains(alarm));
            let returned = touching.first().copied().filter(|_| !lasting);
            if let Some(alarm) = active.or(returned) {
                free.retain(|s| s.alarm != alarm);
                self.cover(alarm, first, end);
                self.describe(alarm, run, cx);
            } else if !lasting && let Some(alarm) = self.raise(run, cx) {
                self.book.back_to_normal(alarm, "within-limit", cx);
            }
        }
        let vanished = |s: &&Stretch| {
            let mut ends = runs.iter().filter_map(|run| ends(run));
            !ends.any(|(first, end)| s.since <= end && first <= s.until)
        };
        for stretch in old.iter().filter(vanished) {
            self.describe(stretch.alarm, &[], cx);
        }
    }

    /// From where to where stretches and runs around `start` touch one another.
    fn concerned(&self, start: Timestamp, runs: &[&[Judged]]) -> (Timestamp, Timestamp) {
        let stretches = self.track.stretches.iter().map(|s| (s.since, s.until));
        let mut spans: Vec<(Timestamp, Timestamp)> = stretches
            .chain(runs.iter().filter_map(|run| ends(run)))
            .collect();
        let mut area = (start, start);
        loop {
            let touches = |span: &(Timestamp, Timestamp)| span.0 <= area.1 && area.0 <= span.1;
            let (found, rest): (Vec<_>, Vec<_>) = spans.iter().partition(|span| touches(span));
            if found.is_empty() {
                return area;
            }
            for (first, end) in found {
                area = (first.min(area.0), end.max(area.1));
            }
            spans = rest;
        }
    }

    fn alarm_at(&self, at: Timestamp) -> Option<AlarmId> {
        let mut stretches = self.track.stretches.iter();
        let found = stretches.find(|s| s.since <= at && at <= s.until);
        found.map(|s| s.alarm)
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

    /// Raises an alarm for the periods `run`, all outside the limit; it takes the place of those
    /// that told of them before.
    fn raise(&mut self, run: &[Judged], cx: &mut Cx<'_>) -> Option<AlarmId> {
        let (since, until) = ends(run)?;
        let kind = match self.subject.level {
            Level::Hour => AlarmKind::ExceedanceHour,
            Level::Day | Level::Month | Level::Year => AlarmKind::ExceedanceDay,
        };
        let new = NewAlarm {
            factor: Some(self.subject.factor.clone()),
            limit: Some(self.subject.limit.clone()),
            ..NewAlarm::of(kind, self.site.outlet, since)
        };
        let previous = self.track.stretches.iter().map(|s| s.alarm).max();
        let new = self.described(new, run);
        let alarm = self.book.raise(new, previous, cx);
        let touches = |s: &Stretch| s.since <= until && since <= s.until;
        self.track.stretches.retain(|s| !touches(s));
        self.cover(alarm, since, until);
        Some(alarm)
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

/// The first and the last period of a run.
fn ends(run: &[Judged]) -> Option<(Timestamp, Timestamp)> {
    Some((run.first()?.0, run.last()?.0))
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
