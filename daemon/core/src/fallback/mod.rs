//! Manual fallback (人工监测替代时段): while automatic equipment does not count, manual reports are
//! owed, at least four a day and no two more than six hours apart (duty 5).
//!
//! A pure state machine per outlet, told of values, reports, decisions and time.
//!
//! **Opens** when a pollutant had no valid automatic value for `opens_after`, by measured time,
//! never later than the time received. Values whose flag says that the source is stopped cover the
//! time as valid ones do, because no data are owed then; silence covers nothing. Or when a person
//! says so.
//!
//! **Closes** when every pollutant has had valid values for `closes_after` without a break: a value
//! that does not count breaks the run, so does a gap as long as the one that opens. A fallback that
//! a person opened or confirmed is closed by a person only: the engine cannot know that the reason
//! is lifted.
//!
//! **Reports.** The next one is due `max_gap` after the sampling of the last, or after the opening.
//! A due time that passes is missed once and stays overdue until a report comes. Each full local
//! calendar day inside the fallback needs `reports_per_day` samples that were reported by its end;
//! the verdict at midnight stands. Samples from before the opening do not count, nor does a sample
//! older than the last one move the due time.

mod sampling;

pub use sampling::{SamplingDay, sampling_day};

use crate::model::time::MINUTE_MS;
use crate::model::{
    FactorCode, FallbackId, FallbackReason, FallbackRow, FallbackRule, Level, OutletId, Period,
    Seq, Timestamp, UserId, UtcOffset,
};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// Flags and checks remembered per factor for the reasons; HJ 212 has eight letters and the
/// catalogue ten checks, further ones of a misbehaving logger are left out.
const SEEN_MAX: usize = 24;

/// Short days listed in a row; of a fallback that nobody ends for longer than a year the first ones
/// drop out of the list, `missed` goes on counting.
pub const SHORT_DAYS_MAX: usize = 366;

/// The rule in milliseconds, with the site's calendar.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Time without a valid value after which it opens.
    pub opens_after_ms: i64,
    /// Time of valid values after which it closes.
    pub closes_after_ms: i64,
    /// Greatest gap between samples.
    pub max_gap_ms: i64,
    /// Samples owed in a full day.
    pub reports_per_day: u32,
    /// The site's clock.
    pub offset: UtcOffset,
}

impl Terms {
    /// The terms of a rule.
    pub fn new(rule: &FallbackRule, offset: UtcOffset) -> Self {
        let ms = |minutes: u32| i64::from(minutes) * MINUTE_MS;
        Self {
            opens_after_ms: ms(rule.opens_after_min),
            closes_after_ms: ms(rule.closes_after_min),
            max_gap_ms: ms(rule.max_gap_min),
            reports_per_day: rule.reports_per_day,
            offset,
        }
    }
}

/// What a value says about its factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sighting {
    /// Valid.
    Valid,
    /// Does not count because the source is stopped.
    Stopped,
    /// Does not count, for these flags and checks.
    Invalid(Vec<SmolStr>),
}

/// A turn of the fallback. The row as it stands is [`Machine::row`]; after [`Turn::Closed`] it is
/// the one in the turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// It opened.
    Opened,
    /// Its reasons, counts or due times changed.
    Changed,
    /// A report is overdue since then.
    Overdue(Timestamp),
    /// What was overdue has come.
    Relieved,
    /// It closed.
    Closed(Box<FallbackRow>),
}

/// Where new fallbacks belong and how they are numbered.
#[derive(Debug)]
pub struct Identity<'a> {
    /// Whose fallback it is.
    pub outlet: &'a OutletId,
    /// The last number given; counted up by an opening.
    pub last_id: &'a mut u64,
    /// Journal position of the event.
    pub seq: Seq,
}

/// One pollutant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cover {
    /// Valid (or excused) until.
    until: Timestamp,
    /// Latest valid value.
    valid_at: Option<Timestamp>,
    /// First value of the unbroken run of valid ones.
    run: Option<Timestamp>,
    /// Latest value that did not count.
    broken_at: Option<Timestamp>,
    /// Flags and checks since the last valid value.
    seen: BTreeSet<SmolStr>,
    /// Among the reasons of the open fallback.
    listed: bool,
}

impl Cover {
    fn from(at: Timestamp) -> Self {
        Self {
            until: at,
            valid_at: None,
            run: None,
            broken_at: None,
            seen: BTreeSet::new(),
            listed: false,
        }
    }
}

/// The fallback of one outlet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    factors: BTreeMap<FactorCode, Cover>,
    open: Option<Box<FallbackRow>>,
    /// The due time that stands has been counted as missed.
    missed: bool,
    /// Start of the local day being counted while open.
    day: Timestamp,
}

impl Machine {
    /// The open fallback.
    pub fn row(&self) -> Option<&FallbackRow> {
        self.open.as_deref()
    }

    /// Sets the pollutants to watch. New ones count from `at`, known ones go on.
    pub fn watch<'a>(&mut self, codes: impl IntoIterator<Item = &'a FactorCode>, at: Timestamp) {
        let mut known = std::mem::take(&mut self.factors);
        for code in codes {
            let cover = known.remove(code).unwrap_or_else(|| Cover::from(at));
            self.factors.insert(code.clone(), cover);
        }
    }

    /// When something falls due if nothing else happens.
    pub fn next_deadline(&self, terms: &Terms) -> Option<Timestamp> {
        let starving = self
            .factors
            .values()
            .filter(|cover| !cover.listed)
            .map(|cover| cover.until.plus_ms(terms.opens_after_ms))
            .min();
        let Some(row) = &self.open else {
            return starving;
        };
        let midnight = self.day_end(terms);
        let due = row.next_due.filter(|_| !self.missed);
        [starving, Some(midnight), due].into_iter().flatten().min()
    }

    fn day_end(&self, terms: &Terms) -> Timestamp {
        let day = Period {
            level: Level::Day,
            start: self.day,
        };
        day.end(terms.offset)
    }

    /// Lets everything fall due up to `at`, in order of time.
    pub fn advance(&mut self, at: Timestamp, terms: &Terms, mut id: Identity<'_>) -> Vec<Turn> {
        let mut turns = Vec::new();
        while let Some(due) = self.next_deadline(terms).filter(|due| *due <= at) {
            self.starve(due, terms, &mut id, &mut turns);
            self.midnight(due, terms, &mut turns);
            self.miss(due, &mut turns);
            if let Some(row) = &mut self.open {
                row.updated_seq = id.seq;
            }
        }
        turns
    }

    fn starve(
        &mut self,
        at: Timestamp,
        terms: &Terms,
        id: &mut Identity<'_>,
        turns: &mut Vec<Turn>,
    ) {
        let mut reasons = Vec::new();
        for (code, cover) in &mut self.factors {
            if cover.listed || cover.until.plus_ms(terms.opens_after_ms) > at {
                continue;
            }
            cover.listed = true;
            cover.run = None;
            reasons.push(FallbackReason::NoValidData {
                factor: code.clone(),
                since: cover.until,
                seen: cover.seen.iter().cloned().collect(),
            });
        }
        if reasons.is_empty() {
            return;
        }
        match &mut self.open {
            Some(row) => {
                row.reasons.append(&mut reasons);
                turns.push(Turn::Changed);
            }
            None => {
                self.begin(at, reasons, terms, id);
                turns.push(Turn::Opened);
            }
        }
    }

    fn begin(
        &mut self,
        at: Timestamp,
        reasons: Vec<FallbackReason>,
        terms: &Terms,
        id: &mut Identity<'_>,
    ) {
        *id.last_id = id.last_id.saturating_add(1);
        self.missed = false;
        self.day = Period::containing(Level::Day, at, terms.offset).start;
        self.open = Some(Box::new(FallbackRow {
            id: FallbackId(*id.last_id),
            outlet: id.outlet.clone(),
            opened_at: at,
            reasons,
            next_due: Some(at.plus_ms(terms.max_gap_ms)),
            last_report_at: None,
            reports: 0,
            reports_today: 0,
            overdue_since: None,
            missed: 0,
            short_days: Vec::new(),
            closed_at: None,
            closed_why: None,
            opened_seq: id.seq,
            updated_seq: id.seq,
        }));
    }

    fn midnight(&mut self, at: Timestamp, terms: &Terms, turns: &mut Vec<Turn>) {
        let (day, end) = (self.day, self.day_end(terms));
        let Some(row) = self.open.as_mut().filter(|_| end <= at) else {
            return;
        };
        self.day = end;
        let full = row.opened_at <= day;
        if full && row.reports_today < terms.reports_per_day {
            if row.short_days.len() >= SHORT_DAYS_MAX {
                row.short_days.remove(0);
            }
            row.short_days.push(day);
            row.missed = row.missed.saturating_add(1);
            if row.overdue_since.is_none() {
                row.overdue_since = Some(end);
                turns.push(Turn::Overdue(end));
            }
        }
        row.reports_today = 0;
        turns.push(Turn::Changed);
    }

    fn miss(&mut self, at: Timestamp, turns: &mut Vec<Turn>) {
        let Some(row) = &mut self.open else { return };
        let Some(due) = row.next_due.filter(|due| *due <= at && !self.missed) else {
            return;
        };
        self.missed = true;
        row.missed = row.missed.saturating_add(1);
        if row.overdue_since.is_none() {
            row.overdue_since = Some(due);
            turns.push(Turn::Overdue(due));
        }
        turns.push(Turn::Changed);
    }

    /// A value of a watched factor, measured at `measured`, came at `at`. Deadlines up to `at`
    /// have fallen due before.
    pub fn observe(
        &mut self,
        factor: &FactorCode,
        sighting: Sighting,
        (measured, at): (Timestamp, Timestamp),
        terms: &Terms,
        seq: Seq,
    ) -> Option<Turn> {
        let cover = self.factors.get_mut(factor)?;
        let t = measured.min(at);
        let covers = !matches!(sighting, Sighting::Invalid(_));
        if covers && t >= cover.until.plus_ms(terms.opens_after_ms) {
            cover.run = None;
        }
        match sighting {
            Sighting::Stopped => cover.until = cover.until.max(t),
            Sighting::Invalid(codes) => {
                for code in codes {
                    if cover.seen.len() < SEEN_MAX {
                        cover.seen.insert(code);
                    }
                }
                if cover.run.is_some_and(|run| t >= run) {
                    cover.run = None;
                }
                cover.broken_at = cover.broken_at.max(Some(t));
            }
            Sighting::Valid => {
                if cover.broken_at.is_none_or(|broken| t > broken) {
                    cover.run.get_or_insert(t);
                }
                if t >= cover.until {
                    cover.seen.clear();
                }
                cover.until = cover.until.max(t);
                cover.valid_at = cover.valid_at.max(Some(t));
            }
        }
        self.may_close(at, terms)
            .then(|| self.close(at, "valid-data".into(), seq))
            .flatten()
    }

    fn may_close(&self, at: Timestamp, terms: &Terms) -> bool {
        let Some(row) = &self.open else { return false };
        let by_person = |reason: &FallbackReason| matches!(reason, FallbackReason::Decision { .. });
        // A factor that has fallen silent meanwhile has no run, however long it was before.
        let ran = |cover: &Cover| {
            at.since_ms(cover.until) < terms.opens_after_ms
                && cover
                    .run
                    .zip(cover.valid_at)
                    .is_some_and(|(run, last)| last.since_ms(run) >= terms.closes_after_ms)
        };
        !row.reasons.iter().any(by_person)
            && !self.factors.is_empty()
            && self.factors.values().all(ran)
    }

    /// Closes the open fallback, for whatever reason; the factors count anew from `at`.
    pub fn close(&mut self, at: Timestamp, why: String, seq: Seq) -> Option<Turn> {
        let mut row = self.open.take()?;
        row.next_due = None;
        row.overdue_since = None;
        row.closed_at = Some(at);
        row.closed_why = Some(why);
        row.updated_seq = seq;
        for cover in self.factors.values_mut() {
            cover.listed = false;
            cover.until = cover.until.max(at);
        }
        Some(Turn::Closed(row))
    }

    /// A person decides that a fallback begins, or confirms the one that runs.
    pub fn decide_open(
        &mut self,
        (by, note): (UserId, String),
        at: Timestamp,
        terms: &Terms,
        mut id: Identity<'_>,
    ) -> Turn {
        let reason = FallbackReason::Decision { by, note };
        if let Some(row) = &mut self.open {
            row.reasons.push(reason);
            row.updated_seq = id.seq;
            return Turn::Changed;
        }
        self.begin(at, vec![reason], terms, &mut id);
        Turn::Opened
    }

    /// A manual report came: the fallback it belongs to and whether it is late, or `None` when it
    /// belongs to none; and what it changed.
    pub fn report(
        &mut self,
        sampled_at: Timestamp,
        at: Timestamp,
        terms: &Terms,
        seq: Seq,
    ) -> (Option<(FallbackId, bool)>, Vec<Turn>) {
        let day_start = self.day;
        // People note sampling times to the minute: a sample of the minute in which the fallback
        // opened belongs to it.
        let since = |row: &FallbackRow| row.opened_at.0.div_euclid(MINUTE_MS) * MINUTE_MS;
        let Some(row) = self.open.as_mut().filter(|row| since(row) <= sampled_at.0) else {
            return (None, Vec::new());
        };
        // Due means due by then: at the due time itself it has been missed.
        let late = row.next_due.is_some_and(|due| at >= due);
        row.reports = row.reports.saturating_add(1);
        row.updated_seq = seq;
        if sampled_at >= day_start {
            row.reports_today = row.reports_today.saturating_add(1);
        }
        let mut turns = vec![Turn::Changed];
        if row.last_report_at.is_none_or(|last| sampled_at > last) {
            let was_overdue = row.overdue_since.take().is_some();
            let due = sampled_at.plus_ms(terms.max_gap_ms);
            row.last_report_at = Some(sampled_at);
            row.next_due = Some(due);
            self.missed = due <= at;
            if self.missed {
                row.missed = row.missed.saturating_add(1);
                row.overdue_since = Some(due);
            }
            match (was_overdue, self.missed) {
                (true, false) => turns.push(Turn::Relieved),
                (false, true) => turns.push(Turn::Overdue(due)),
                _ => {}
            }
        }
        (Some((row.id, late)), turns)
    }
}

#[cfg(test)]
mod tests;
