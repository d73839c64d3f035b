//! The state machine: when it opens and closes, and what is owed in between.

use super::clock::{Told, Writing};
use super::cover::Cover;
use super::evidence::{Evidence, Judged, Shift, add, lift};
use super::{Identity, MISSED_DUES_MAX, SHORT_DAYS_MAX, Sighting, Terms, Turn};
use crate::few::Few;
use crate::model::time::MINUTE_MS;
use crate::model::{
    FactorCode, FallbackId, FallbackReason, FallbackRow, Level, Period, QaKind, Seq, Timestamp,
    UserId, WrittenReport,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The fallback of one outlet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    factors: Few<FactorCode, Cover>,
    open: Option<Box<FallbackRow>>,
    /// The due time that stands has been counted as missed.
    missed: bool,
    /// Start of the local day being counted while open.
    day: Timestamp,
    /// Tests and assessments that speak against the equipment.
    #[serde(default)]
    evidence: Evidence,
    /// Up to when reminders and escalations have been told.
    #[serde(default)]
    told: Told,
    /// Written reports that are owed, of closed fallbacks, too.
    #[serde(default, skip_serializing_if = "Writing::is_empty")]
    writing: Writing,
}

impl Machine {
    /// The open fallback.
    pub fn row(&self) -> Option<&FallbackRow> {
        self.open.as_deref()
    }

    /// Sets the pollutants to watch from `at` on, when a rule takes force. New ones count from
    /// `at`, known ones go on.
    pub fn watch<'a>(&mut self, codes: impl IntoIterator<Item = &'a FactorCode>, at: Timestamp) {
        let codes: BTreeSet<&FactorCode> = codes.into_iter().collect();
        self.evidence.ruled(at, &codes);
        let mut known = std::mem::take(&mut self.factors);
        for code in codes {
            let cover = known.remove(code).unwrap_or_else(|| Cover::from(at));
            self.factors.insert(code.clone(), cover);
        }
    }

    /// Supervision ends: closes what is open and forgets everything else.
    pub fn retire(&mut self, at: Timestamp, why: String, seq: Seq) -> Option<Turn> {
        let turn = self.close(at, why, seq);
        *self = Self::default();
        turn
    }

    /// When something falls due if nothing else happens.
    pub fn next_deadline(&self, terms: &Terms<'_>) -> Option<Timestamp> {
        let starving = self.factors.values().filter_map(|c| c.starves_at(terms));
        let always = [
            starving.min(),
            self.evidence.next(terms),
            self.writing.next(terms),
        ];
        let open = self.open.as_ref().map(|row| {
            let day = self.day_span(terms);
            let due = row.next_due.filter(|_| !self.missed);
            [Some(day.1), due, self.told.next(row, day, terms)]
        });
        let open = open.into_iter().flatten();
        always.into_iter().chain(open).flatten().min()
    }

    fn day_span(&self, terms: &Terms<'_>) -> (Timestamp, Timestamp) {
        let day = Period {
            level: Level::Day,
            start: self.day,
        };
        (self.day, day.end(terms.offset))
    }

    /// Lets everything fall due up to `at`, in order of time.
    pub fn advance(&mut self, at: Timestamp, terms: &Terms<'_>, mut id: Identity<'_>) -> Vec<Turn> {
        let mut turns = Vec::new();
        while let Some(due) = self.next_deadline(terms).filter(|due| *due <= at) {
            if let Some(shift) = self.evidence.weigh(due, terms) {
                self.shift(shift, due, terms, &mut id, &mut turns);
            }
            self.starve(due, terms, &mut id, &mut turns);
            self.midnight(due, terms, &mut turns);
            self.miss(due, &mut turns);
            if let Some(row) = &self.open {
                let day = self.day_span(terms);
                self.told.tell(due, row, day, terms, &mut turns);
            }
            self.writing.tell(due, terms, &mut turns);
            if let Some(row) = &mut self.open {
                row.updated_seq = id.seq;
            }
        }
        turns
    }

    fn starve(
        &mut self,
        at: Timestamp,
        terms: &Terms<'_>,
        id: &mut Identity<'_>,
        turns: &mut Vec<Turn>,
    ) {
        let mut reasons = Vec::new();
        for (code, cover) in self.factors.iter_mut() {
            if cover.starves_at(terms).is_some_and(|starved| starved <= at) {
                reasons.push(cover.list(code));
            }
        }
        self.because(reasons, at, terms, id, turns);
    }

    /// These reasons have come up: they open a fallback or join the one that is open.
    fn because(
        &mut self,
        reasons: Vec<FallbackReason>,
        at: Timestamp,
        terms: &Terms<'_>,
        id: &mut Identity<'_>,
        turns: &mut Vec<Turn>,
    ) {
        if reasons.is_empty() {
            return;
        }
        if let Some(row) = &mut self.open {
            for reason in reasons {
                add(row, reason);
            }
            row.updated_seq = id.seq;
            turns.push(Turn::Changed);
        } else {
            self.begin(at, reasons, terms, id);
            turns.push(Turn::Opened);
        }
    }

    fn begin(
        &mut self,
        at: Timestamp,
        mut reasons: Vec<FallbackReason>,
        terms: &Terms<'_>,
        id: &mut Identity<'_>,
    ) {
        *id.last_id = id.last_id.saturating_add(1);
        let number = FallbackId(*id.last_id);
        self.missed = false;
        self.told = Told::at(at);
        self.day = Period::containing(Level::Day, at, terms.offset).start;
        // What holds since before: a person had closed the fallback all the same.
        let held = self.evidence.reasons();
        let held: Vec<_> = held.filter(|r| !reasons.contains(r)).cloned().collect();
        reasons.extend(held);
        let of = (number, id.outlet.clone());
        self.open = Some(Box::new(FallbackRow {
            next_due: Some(at.plus_ms(terms.max_gap_ms)),
            written: self.writing.begin(number, at, terms),
            ..FallbackRow::opened(of, at, reasons, id.seq)
        }));
    }

    fn midnight(&mut self, at: Timestamp, terms: &Terms<'_>, turns: &mut Vec<Turn>) {
        let (day, end) = self.day_span(terms);
        let Some(row) = self.open.as_mut().filter(|_| end <= at) else {
            return;
        };
        self.day = end;
        self.told.day = end;
        let full = row.opened_at <= day;
        if full && row.reports_today < terms.reports_per_day {
            if row.short_days.len() >= SHORT_DAYS_MAX {
                row.short_days.remove(0);
            }
            row.short_days.push(day);
            row.missed = row.missed.saturating_add(1);
            if row.overdue_since.is_none() {
                row.overdue_since = Some(end);
                self.told.overdue = end;
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
        count_missed(row, due);
        if row.overdue_since.is_none() {
            row.overdue_since = Some(due);
            self.told.overdue = at;
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
        terms: &Terms<'_>,
        seq: Seq,
    ) -> Option<Turn> {
        let cover = self.factors.get_mut(factor)?;
        cover.sees(sighting, measured.min(at), terms);
        self.close_if_lifted(at, terms, seq)
    }

    fn close_if_lifted(&mut self, at: Timestamp, terms: &Terms<'_>, seq: Seq) -> Option<Turn> {
        let row = self.open.as_ref()?;
        let by_person = |reason: &FallbackReason| matches!(reason, FallbackReason::Decision { .. });
        let lifted = self.evidence.is_clear()
            && !row.reasons.iter().any(by_person)
            && !self.factors.is_empty()
            && self.factors.values().all(|cover| cover.runs(at, terms));
        if !lifted {
            return None;
        }
        let why = if row.lifted.is_empty() {
            "valid-data"
        } else {
            "reasons-lifted"
        };
        self.close(at, why.into(), seq)
    }

    /// Closes the open fallback, for whatever reason; the factors count anew from `at`. Its written
    /// report stays owed.
    pub fn close(&mut self, at: Timestamp, why: String, seq: Seq) -> Option<Turn> {
        let mut row = self.open.take()?;
        row.next_due = None;
        row.overdue_since = None;
        row.closed_at = Some(at);
        row.closed_why = Some(why);
        row.closed_seq = Some(seq);
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
        terms: &Terms<'_>,
        mut id: Identity<'_>,
    ) -> Turn {
        let reason = FallbackReason::Decision { by, note };
        let mut turns = Vec::new();
        self.because(vec![reason], at, terms, &mut id, &mut turns);
        turns.pop().unwrap_or(Turn::Changed)
    }

    /// What the last test of a kind says of a pollutant: when it failed and its number; `None` when
    /// it was passed, or there is none.
    pub fn tested(
        &mut self,
        (factor, kind): (&FactorCode, QaKind),
        failed: Option<(Timestamp, Seq)>,
        at: Timestamp,
        terms: &Terms<'_>,
        mut id: Identity<'_>,
    ) -> Vec<Turn> {
        let mut turns = Vec::new();
        if !self.factors.contains_key(factor) {
            return turns;
        }
        if let Some(shift) = self.evidence.control(factor, kind, failed) {
            self.shift(shift, at, terms, &mut id, &mut turns);
        }
        turns
    }

    /// A decision about the assessment of the quarter that begins at `quarter` is in force.
    pub fn reviewed(
        &mut self,
        (quarter, judged): (Timestamp, Judged),
        at: Timestamp,
        terms: &Terms<'_>,
        mut id: Identity<'_>,
    ) -> Vec<Turn> {
        let mut turns = Vec::new();
        self.evidence.decided(quarter, judged);
        if let Some(shift) = self.evidence.weigh(at, terms) {
            self.shift(shift, at, terms, &mut id, &mut turns);
        }
        turns
    }

    /// What holds has changed.
    fn shift(
        &mut self,
        shift: Shift,
        at: Timestamp,
        terms: &Terms<'_>,
        id: &mut Identity<'_>,
        turns: &mut Vec<Turn>,
    ) {
        if let (Some(gone), Some(row)) = (&shift.gone, &mut self.open) {
            lift(row, gone, at, id.seq);
            row.updated_seq = id.seq;
            turns.push(Turn::Changed);
        }
        self.because(shift.new.into_iter().collect(), at, terms, id, turns);
        turns.extend(self.close_if_lifted(at, terms, id.seq));
    }

    /// A manual report came: the fallback it belongs to and whether it is late, or `None` when it
    /// belongs to none; and what it changed.
    pub fn report(
        &mut self,
        sampled_at: Timestamp,
        at: Timestamp,
        terms: &Terms<'_>,
        seq: Seq,
    ) -> (Option<(FallbackId, bool)>, Vec<Turn>) {
        let day_start = self.day;
        let Some(row) = self.open.as_mut().filter(|row| belongs(row, sampled_at)) else {
            return (None, Vec::new());
        };
        // Due means due by then: at the due time itself it has been missed.
        let counted = (row.id, row.next_due.is_some_and(|due| at >= due));
        row.reports = row.reports.saturating_add(1);
        row.updated_seq = seq;
        if sampled_at >= day_start {
            row.reports_today = row.reports_today.saturating_add(1);
        }
        let mut turns = vec![Turn::Changed];
        if row.last_report_at.is_none_or(|last| sampled_at > last) {
            self.sampled(Some(sampled_at), true, at, terms, &mut turns);
        }
        (Some(counted), turns)
    }

    /// Reports of the open fallback were taken back or corrected: these samples, in any order, are
    /// the ones that count now.
    pub fn recount(
        &mut self,
        samples: &[Timestamp],
        at: Timestamp,
        terms: &Terms<'_>,
        seq: Seq,
    ) -> Vec<Turn> {
        let Some(row) = self.open.as_mut() else {
            return Vec::new();
        };
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        row.reports = count(samples.len());
        row.reports_today = count(samples.iter().filter(|s| **s >= self.day).count());
        row.updated_seq = seq;
        // As of the next report: a day that becomes short now is reminded of what is ahead.
        self.told.day = self.told.day.max(at);
        let (newest, last) = (samples.iter().max().copied(), row.last_report_at);
        let mut turns = vec![Turn::Changed];
        if newest != last {
            self.sampled(newest, newest > last, at, terms, &mut turns);
        }
        turns
    }

    /// The last sample is this one now: when the next is due. One that is `newer` than the last
    /// ends what was overdue.
    fn sampled(
        &mut self,
        newest: Option<Timestamp>,
        newer: bool,
        at: Timestamp,
        terms: &Terms<'_>,
        turns: &mut Vec<Turn>,
    ) {
        let Some(row) = &mut self.open else { return };
        let was_overdue = row.overdue_since;
        let due = newest.unwrap_or(row.opened_at).plus_ms(terms.max_gap_ms);
        row.last_report_at = newest;
        row.next_due = Some(due);
        self.told.report = at;
        self.missed = due <= at;
        if self.missed && !row.missed_dues.contains(&due) {
            count_missed(row, due);
        }
        let kept = was_overdue.filter(|_| !newer);
        row.overdue_since = kept.or(self.missed.then_some(due));
        if row.overdue_since != was_overdue {
            self.told.overdue = at;
        }
        match (was_overdue, row.overdue_since) {
            (Some(_), None) => turns.push(Turn::Relieved),
            (None, Some(since)) => turns.push(Turn::Overdue(since)),
            _ => {}
        }
    }

    /// The written report of a fallback of this outlet was delivered.
    pub fn delivered(&mut self, id: FallbackId) {
        self.writing.delivered(id);
    }

    /// A written report that was due by `at` is still owed.
    pub fn owes_writing(&self, at: Timestamp) -> bool {
        self.writing.any_overdue(at)
    }

    /// Puts what is known of a written report into the open row, when it is the one; false when it
    /// belongs to another fallback.
    pub fn note_written(&mut self, id: FallbackId, written: &WrittenReport, seq: Seq) -> bool {
        let Some(row) = self.open.as_mut().filter(|row| row.id == id) else {
            return false;
        };
        row.written = Some(written.clone());
        row.updated_seq = seq;
        true
    }
}

/// A sample belongs to the fallback. People note sampling times to the minute: one of the minute in
/// which it opened does.
pub(super) fn belongs(row: &FallbackRow, sampled_at: Timestamp) -> bool {
    row.opened_at.0.div_euclid(MINUTE_MS) * MINUTE_MS <= sampled_at.0
}

fn count_missed(row: &mut FallbackRow, due: Timestamp) {
    if row.missed_dues.len() >= MISSED_DUES_MAX {
        row.missed_dues.remove(0);
    }
    row.missed_dues.push(due);
    row.missed = row.missed.saturating_add(1);
}
