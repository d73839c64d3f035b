//! Packed hours and quarters: capture rate, and what is put in for invalid periods.
//!
//! A day that is over goes into the packed hours of its month. Once a day every outlet's running
//! quarter is computed from them, whether data came or not: a gap grows in silence. Corrections of
//! a day book its quarter anew. What a quarter puts in shows in its months and its year.

use super::closing::{self, GRACE_MS, SETTLE_MS};
use super::context::{Cx, Site};
use super::state::Live;
use crate::aggregate::gather::Of;
use crate::aggregate::standing;
use crate::marks::Effects;
use crate::model::time::{DAY_MS, HOUR_MS, SECOND_MS, quarter_of};
use crate::model::{
    AggregateRow, FactorCode, Level, MarkEffect, Medium, OutletFactor, OutletId, Output, PackRow,
    Period, QaOutcome, QaRow, QuarterRow, Seq, Timestamp,
};
use crate::pack::{FactorColumns, HourColumns, Pack, Want, replace_day};
use crate::substitute::{self, HourFact, HourState, Input, ManualSample};
use crate::validate::code;
use std::collections::BTreeMap;

/// How far back valid hours are looked for: 2,160 valid hours are 90 days of an undisturbed year;
/// two years hold them for a plant that runs one day in eight.
const LOOK_BACK_MS: i64 = 731 * DAY_MS;

/// Outlets take turns within this time after midnight, so that a hundred thousand quarters are not
/// computed in one instant.
const SPREAD_S: u64 = 3_600;

/// When the first booked quarter is to be computed.
pub(super) fn next_due(live: &Live) -> Option<Timestamp> {
    live.state.quarters.values().min().copied()
}

/// Books the quarter at the end of the local day that `at` lies in.
pub(super) fn book_day(live: &mut Live, site: Site<'_>, at: Timestamp) {
    let day = Period::containing(Level::Day, at, site.offset);
    let (quarter, _) = quarter_of(day.start, site.offset);
    let turn_ms = turn_s(&site.outlet.id).saturating_mul(SECOND_MS);
    let due = day.end(site.offset).plus_ms(GRACE_MS + turn_ms);
    book(live, quarter, due);
}

fn book(live: &mut Live, quarter: Timestamp, due: Timestamp) {
    let booked = live.state.quarters.get_or_insert_with(quarter, || due);
    *booked = due.min(*booked);
    live.dirty = true;
}

/// The turn of an outlet, seconds: the same on every machine and at every start (FNV-1a).
fn turn_s(outlet: &OutletId) -> i64 {
    let hash = outlet
        .as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    i64::try_from(hash % SPREAD_S).unwrap_or(0)
}

/// Days that are over, with their hours, to be put into the packs of their months.
#[derive(Default)]
pub(super) struct DaysOver(BTreeMap<Timestamp, Vec<AggregateRow>>);

impl DaysOver {
    /// Notes a day with its hours.
    pub(super) fn note(&mut self, site: Site<'_>, day: Timestamp, hours: Vec<AggregateRow>) {
        let month = Period::containing(Level::Month, day, site.offset).start;
        self.0.entry(month).or_default().extend(hours);
    }

    /// Puts them into the packs, and books the quarters of those that changed anything and what
    /// looks back upon them.
    pub(super) fn pack(self, live: &mut Live, site: Site<'_>, cx: &mut Cx<'_>) {
        for (month, hours) in self.0 {
            pack(live, site, (month, &hours), cx);
        }
    }
}

fn pack(
    live: &mut Live,
    site: Site<'_>,
    (month, hours): (Timestamp, &[AggregateRow]),
    cx: &mut Cx<'_>,
) {
    let old = cx.history.pack(&site.outlet.id, month);
    let known = old.as_ref().map_or(&[][..], |row| row.body.as_slice());
    // A pack that cannot be read is made anew, from these days on; the rows of the hours are there.
    let body = replace_day(known, hours).or_else(|_| Pack::of(hours));
    let Ok(body) = body else { return };
    if old.as_ref().is_some_and(|row| row.body == body) {
        return;
    }
    let seq = hours.iter().map(|row| row.seq).max().unwrap_or_default();
    cx.emit(Output::Pack(PackRow {
        outlet: site.outlet.id.clone(),
        month,
        body,
        seq: old.map_or(seq, |row| row.seq.max(seq)),
    }));
    let (quarter, end) = quarter_of(month, site.offset);
    book(live, quarter, cx.at.plus_ms(SETTLE_MS));
    rebook(live, site, (end, end), cx);
}

/// Books the quarters, computed before, that hold `from..until` or may look back upon it.
pub(super) fn rebook(
    live: &mut Live,
    site: Site<'_>,
    (from, until): (Timestamp, Timestamp),
    cx: &Cx<'_>,
) {
    let (mut quarter, mut end) = quarter_of(from, site.offset);
    while quarter <= cx.at && quarter.plus_ms(-LOOK_BACK_MS) <= until {
        if cx.history.quarter(&site.outlet.id, quarter).is_some() {
            book(live, quarter, cx.at.plus_ms(SETTLE_MS));
        }
        (quarter, end) = quarter_of(end, site.offset);
    }
}

/// Books what a manual sample speaks for: hours around it, also of the quarter before or after.
pub(super) fn sampled(live: &mut Live, site: Site<'_>, at: Timestamp, cx: &Cx<'_>) {
    let (own, _) = quarter_of(at, site.offset);
    let (before, _) = quarter_of(own.plus_ms(-1), site.offset);
    rebook(live, site, (before, at), cx);
}

/// Computes every quarter booked up to `cx.at`; the months and years to be computed again for it
/// are booked.
pub(super) fn run(live: &mut Live, site: Site<'_>, cx: &mut Cx<'_>) {
    let due: Vec<Timestamp> = live
        .state
        .quarters
        .iter()
        .filter(|(_, due)| **due <= cx.at)
        .map(|(quarter, _)| *quarter)
        .collect();
    for quarter in due {
        live.state.quarters.remove(&quarter);
        live.dirty = true;
        compute(live, site, quarter, cx);
        // A correction may come between the last midnight and the outlet's turn.
        let (_, end) = quarter_of(quarter, site.offset);
        let known = over_until(site, cx);
        if known < end {
            book_day(live, site, known.max(quarter));
        }
    }
    // The running day is over some time, whatever comes of it.
    let (running, _) = quarter_of(cx.at, site.offset);
    if !live.state.quarters.contains_key(&running) {
        book_day(live, site, cx.at);
    }
}

/// First instant of the first day that is not over, or of which data are still waited for.
fn over_until(site: Site<'_>, cx: &Cx<'_>) -> Timestamp {
    Period::containing(Level::Day, cx.at.plus_ms(-GRACE_MS), site.offset).start
}

fn compute(live: &mut Live, site: Site<'_>, quarter: Timestamp, cx: &mut Cx<'_>) {
    let (start, end) = quarter_of(quarter, site.offset);
    let versions = live.versions.clone();
    let of = versions.site(cx.registry, site, start).of_period();
    let until = end.min(over_until(site, cx));
    if until <= start {
        return;
    }
    let past = Past::gather(of, live.state.since, (start, until), cx);
    let mut row = QuarterRow {
        outlet: site.outlet.id.clone(),
        start,
        complete: until == end,
        factors: BTreeMap::new(),
        profile: of.profile.id.clone(),
        seq: past.seq,
    };
    for (code, settings) in of.outlet.factors.iter().filter(|(_, f)| has_amount(f)) {
        let hours = past.facts(of, code);
        let manual = past.manual(code);
        let checks = past.passed(code);
        let input = Input {
            factor: code,
            profile: of.profile,
            offset: of.offset,
            start,
            end,
            known_from: past.known_from,
            until,
            hours: &hours,
            passed_checks: &checks,
            manual: &manual,
            kg_per_unit_m3: settings.kg_per_unit_m3,
        };
        row.factors
            .insert(code.clone(), substitute::quarter(&input));
    }
    if cx.history.quarter(&row.outlet, start).as_ref() == Some(&row) {
        return;
    }
    cx.emit(Output::Quarter(row));
    let mut month = Period::containing(Level::Month, start, site.offset);
    while month.start < until {
        closing::book_now(live, month, cx.at);
        month.start = month.end(site.offset);
    }
    closing::book_now(
        live,
        Period::containing(Level::Year, start, site.offset),
        cx.at,
    );
}

/// Pollutants with a mass: not pH.
fn has_amount(factor: &OutletFactor) -> bool {
    factor.pollutant && factor.code.as_str() != code::PH && !factor.kg_per_unit_m3.is_zero()
}

/// What a quarter is computed from.
struct Past {
    known_from: Timestamp,
    hours: BTreeMap<Timestamp, usize>,
    starts: Vec<Timestamp>,
    volumes: Vec<Option<rust_decimal::Decimal>>,
    packs: Vec<PackRow>,
    /// Marks of the months in which hours are missing, by month.
    marked: Vec<((Timestamp, Timestamp), Effects)>,
    until: Timestamp,
    tests: Vec<QaRow>,
    reports: Vec<crate::model::ManualReportRow>,
    seq: Seq,
}

impl Past {
    fn gather(
        of: Of<'_>,
        since: Timestamp,
        (start, until): (Timestamp, Timestamp),
        cx: &Cx<'_>,
    ) -> Self {
        let outlet = &of.outlet.id;
        let limit = start.plus_ms(-LOOK_BACK_MS);
        let mut packs = Vec::new();
        let mut month = Period::containing(Level::Month, limit.max(since), of.offset);
        let first = Period::containing(Level::Month, start, of.offset).start;
        month.start = month.start.min(first);
        while month.start < until {
            packs.extend(cx.history.pack(outlet, month.start));
            month.start = month.end(of.offset);
        }
        let mut past = Self {
            known_from: until,
            hours: BTreeMap::new(),
            starts: Vec::new(),
            volumes: Vec::new(),
            packs,
            marked: Vec::new(),
            until,
            tests: cx.history.qa_between(outlet, limit, until),
            reports: Vec::new(),
            seq: Seq::default(),
        };
        past.read_hours(until);
        let supervised = hour_from(since, of);
        let seen = past.starts.first().copied().unwrap_or(until);
        past.known_from = supervised.min(seen).max(limit);
        past.mark(of, cx);
        let reach = i64::from(of.profile.substitution.manual_reach_h) * HOUR_MS;
        let (from, to) = (start.plus_ms(-reach), until.plus_ms(reach));
        past.reports = cx.history.manual_reports(outlet, from, to);
        past.seq = past.highest_seq();
        past
    }

    fn read_hours(&mut self, until: Timestamp) {
        let mut columns = HourColumns::default();
        for row in &self.packs {
            let Ok(pack) = Pack::open(&row.body) else {
                continue;
            };
            if pack.read_hours(&mut columns).is_err() {
                continue;
            }
            for (start, volume) in columns.start.iter().zip(&columns.volume_m3) {
                if *start < until {
                    self.hours.insert(*start, self.starts.len());
                }
                self.starts.push(*start);
                self.volumes.push(*volume);
            }
        }
    }

    /// Fetches what marks say about months in which hours are missing.
    fn mark(&mut self, of: Of<'_>, cx: &Cx<'_>) {
        let mut month = Period::containing(Level::Month, self.known_from, of.offset);
        while month.start < self.until {
            let (from, to) = (
                month.start.max(self.known_from),
                month.end(of.offset).min(self.until),
            );
            let due = to.since_ms(from).max(0) / HOUR_MS;
            let there = self.hours.range(from..to).count();
            if i64::try_from(there).unwrap_or(i64::MAX) < due {
                let (rows, effects) = standing::marked(of, (from, to), cx.history);
                if !rows.is_empty() {
                    self.marked.push(((from, to), effects));
                }
            }
            month.start = month.end(of.offset);
        }
    }

    /// The hours of a factor, ascending.
    fn facts(&self, of: Of<'_>, factor: &FactorCode) -> Vec<HourFact> {
        let lacking = 60u32.saturating_sub(of.profile.hour_min_valid_minutes);
        let mut facts = BTreeMap::new();
        let mut columns = FactorColumns::default();
        let want = Want::VALID | Want::UNITS | Want::AMOUNT;
        let mut at = 0;
        for row in &self.packs {
            let Ok(pack) = Pack::open(&row.body) else {
                continue;
            };
            let count = pack.hours();
            let found = pack.read(factor.as_str(), want, &mut columns) == Ok(true);
            for hour in 0..count {
                let Some(start) = self.starts.get(at + hour).copied() else {
                    continue;
                };
                if start >= self.until || start < self.known_from {
                    continue;
                }
                let volume_m3 = self.volumes.get(at + hour).copied().flatten();
                let there = found && columns.present.get(hour) == Some(&true);
                let stopped = columns.stopped_units.get(hour).copied().unwrap_or(0) > lacking;
                let state = if !there {
                    HourState::Invalid(substitute::why::NO_DATA)
                } else if columns.valid.get(hour) == Some(&true) {
                    HourState::Valid
                } else if stopped || nothing_flowed(of, volume_m3) {
                    HourState::Stopped
                } else {
                    HourState::Invalid(why(&pack, &columns, hour))
                };
                facts.insert(
                    start,
                    HourFact {
                        start,
                        state,
                        amount_kg: columns.amount_kg.get(hour).copied().flatten(),
                        volume_m3,
                    },
                );
            }
            at += count;
        }
        self.add_stopped(factor, lacking, &mut facts);
        facts.into_values().collect()
    }

    /// Hours without a row in which the source was stopped, as marks say.
    fn add_stopped(
        &self,
        factor: &FactorCode,
        lacking: u32,
        facts: &mut BTreeMap<Timestamp, HourFact>,
    ) {
        for ((from, to), effects) in &self.marked {
            let mut start = *from;
            while start < *to {
                let end = start.plus_ms(HOUR_MS);
                let minutes = effects.minutes_with(MarkEffect::Stopped, factor, start, end);
                if minutes > lacking && !self.hours.contains_key(&start) {
                    facts.entry(start).or_insert(HourFact {
                        start,
                        state: HourState::Stopped,
                        amount_kg: None,
                        volume_m3: None,
                    });
                }
                start = end;
            }
        }
    }

    fn passed(&self, factor: &FactorCode) -> Vec<Timestamp> {
        let passed = |row: &&QaRow| {
            row.test.factor == *factor
                && matches!(row.verdict.outcome, QaOutcome::Passed | QaOutcome::Adjust)
        };
        let mut times: Vec<Timestamp> = self
            .tests
            .iter()
            .filter(passed)
            .map(|row| row.test.at)
            .collect();
        times.sort_unstable();
        times
    }

    fn manual(&self, factor: &FactorCode) -> Vec<ManualSample> {
        let sample = |row: &crate::model::ManualReportRow| {
            let value = row.report.values.iter().find(|v| v.factor == *factor)?;
            Some(ManualSample {
                sampled_at: row.report.sampled_at,
                concentration: value.value,
            })
        };
        let stands = self.reports.iter().filter(|row| row.counts());
        stands.filter_map(sample).collect()
    }

    fn highest_seq(&self) -> Seq {
        let packs = self.packs.iter().map(|row| row.seq);
        let tests = self.tests.iter().map(|row| row.id);
        // What took the place of a report, or took it back, is an input, too.
        let reports = self.reports.iter().flat_map(|row| {
            let superseded = row.superseded.as_ref().map(|by| by.seq);
            let withdrawn = row.withdrawn.as_ref().map(|back| back.seq);
            [Some(row.seq), superseded, withdrawn]
        });
        let reports = reports.flatten();
        packs.chain(tests).chain(reports).max().unwrap_or_default()
    }
}

/// The first full hour from `since` on.
fn hour_from(since: Timestamp, of: Of<'_>) -> Timestamp {
    let hour = Period::containing(Level::Hour, since, of.offset);
    if hour.start == since {
        since
    } else {
        hour.end(of.offset)
    }
}

/// Nothing was discharged: readings then say nothing, and there is no load to be put in.
fn nothing_flowed(of: Of<'_>, volume_m3: Option<rust_decimal::Decimal>) -> bool {
    of.outlet.medium == Medium::Water && volume_m3.is_some_and(|volume| volume.is_zero())
}

fn why(pack: &Pack<'_>, columns: &FactorColumns, hour: usize) -> &'static str {
    let number = columns.invalid_why.get(hour).copied().unwrap_or(0);
    match pack.why(number) {
        Some(standing::why::OUT_OF_CONTROL) => substitute::why::OUT_OF_CONTROL,
        Some(standing::why::REVIEW_FAILED) => substitute::why::REVIEW_FAILED,
        _ => substitute::why::INVALID,
    }
}
