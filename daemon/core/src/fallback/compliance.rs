//! The compliance sheet (报送情况表) of a fallback: every obligation against what was delivered.
//!
//! Made from the reports alone, by going through what was received in the order in which it was,
//! so that it can be held against what the engine counted at the time. It uses the rule as it is
//! now; where the rule was changed while the fallback ran, the counts may differ, and the sheet
//! says so.

use super::Terms;
use crate::model::{
    FallbackRow, Level, ManualReportRow, Period, ReportId, Seq, Timestamp, WrittenReport,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// How an obligation to report ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DueState {
    /// A report came in time.
    Met,
    /// A report came after it was due.
    Late,
    /// It is overdue.
    Overdue,
    /// It is not due yet.
    Ahead,
    /// The fallback closed before it was due.
    Ended,
    /// The fallback closed while it was overdue.
    Missed,
    /// The report it counted from was taken back or corrected.
    Revised,
}

impl DueState {
    /// Every state.
    pub const ALL: [DueState; 7] = [
        Self::Met,
        Self::Late,
        Self::Overdue,
        Self::Ahead,
        Self::Ended,
        Self::Missed,
        Self::Revised,
    ];

    /// The code in the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Late => "late",
            Self::Overdue => "overdue",
            Self::Ahead => "ahead",
            Self::Ended => "ended",
            Self::Missed => "missed",
            Self::Revised => "revised",
        }
    }
}

/// One obligation: a report by `due`, because the last sample, or the opening, was at `from`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DueLine {
    /// The last sample before, or the opening.
    pub from: Timestamp,
    /// When the report was due.
    pub due: Timestamp,
    /// How it ended.
    pub state: DueState,
    /// The due time passed without a report, and was not counted before.
    pub missed: bool,
    /// The report that ended it.
    pub report: Option<ReportId>,
    /// When that was sampled.
    pub sampled_at: Option<Timestamp>,
    /// When that was received.
    pub received_at: Option<Timestamp>,
    /// How long after it was due, ms; `None`: in time, or nothing came.
    pub late_ms: Option<i64>,
    /// From sample to sample, ms.
    pub gap_ms: Option<i64>,
}

/// One local calendar day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayLine {
    /// Its first instant.
    pub day: Timestamp,
    /// The fallback was open during all of it, so that a full number of reports was owed.
    pub full: bool,
    /// It is over, or the fallback is.
    pub over: bool,
    /// Samples reported by its end, or by now.
    pub reports: u32,
    /// It ended with too few.
    pub short: bool,
}

/// Figures of the whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Reports that were due by now (revised obligations left out).
    pub scheduled: u32,
    /// Of them delivered in time.
    pub in_time: u32,
    /// Of them delivered late.
    pub late: u32,
    /// Due times that passed without a report.
    pub missed_dues: u32,
    /// Full days with too few reports.
    pub short_days: u32,
    /// Reports that count.
    pub reports: u32,
    /// Longest time between two samples, or from the opening to the first, ms.
    pub longest_gap_ms: Option<i64>,
    /// All lateness together, ms.
    pub late_ms: i64,
}

/// The sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sheet {
    /// Obligations in the order in which they arose.
    pub dues: Vec<DueLine>,
    /// Days, ascending.
    pub days: Vec<DayLine>,
    /// Figures.
    pub totals: Totals,
    /// The written report.
    pub written: Option<WrittenReport>,
    /// The counts are those of the engine; false where the rule was changed meanwhile.
    pub as_counted: bool,
}

/// What one event did to the samples of the fallback.
#[derive(Debug, Default)]
struct Step {
    at: Timestamp,
    gone: Vec<ReportId>,
    new: Option<(ReportId, Timestamp)>,
}

/// The sheet of a fallback with its reports, those taken back or corrected included, as of `now`.
pub fn sheet(
    row: &FallbackRow,
    reports: &[ManualReportRow],
    now: Timestamp,
    terms: &Terms<'_>,
) -> Sheet {
    let end = row.closed_at.unwrap_or(now).max(row.opened_at);
    let mut replay = Replay::new(row.opened_at, terms);
    for (seq, step) in steps(row, reports) {
        // What is corrected after the end changes nothing that was counted.
        if row.closed_seq.is_some_and(|closed| seq > closed) {
            continue;
        }
        replay.until(step.at);
        replay.take(&step);
    }
    replay.until(end);
    replay.finish(end, row)
}

/// What happened to the samples, in the order of the journal.
fn steps(row: &FallbackRow, reports: &[ManualReportRow]) -> BTreeMap<Seq, Step> {
    let mut steps: BTreeMap<Seq, Step> = BTreeMap::new();
    for report in reports.iter().filter(|r| r.fallback == Some(row.id)) {
        let step = steps.entry(report.seq).or_default();
        step.at = report.received_at;
        step.new = Some((report.id, report.report.sampled_at));
        let superseded = report.superseded.as_ref().map(|by| (by.seq, by.at));
        let withdrawn = report.withdrawn.as_ref().map(|back| (back.seq, back.at));
        for (seq, at) in [superseded, withdrawn].into_iter().flatten() {
            let step = steps.entry(seq).or_default();
            step.at = at;
            step.gone.push(report.id);
        }
    }
    steps
}

/// Goes through a fallback.
struct Replay<'a> {
    terms: &'a Terms<'a>,
    opened_at: Timestamp,
    samples: BTreeMap<ReportId, Timestamp>,
    dues: Vec<DueLine>,
    /// The obligation that stands.
    line: DueLine,
    days: Vec<DayLine>,
    day: Period,
}

impl<'a> Replay<'a> {
    fn new(opened_at: Timestamp, terms: &'a Terms<'a>) -> Self {
        Self {
            terms,
            opened_at,
            samples: BTreeMap::new(),
            dues: Vec::new(),
            line: owed(opened_at, terms),
            days: Vec::new(),
            day: Period::containing(Level::Day, opened_at, terms.offset),
        }
    }

    /// Lets everything fall due up to `at`.
    fn until(&mut self, at: Timestamp) {
        while self.day.end(self.terms.offset) <= at {
            let line = self.day_line(true, true);
            self.days.push(line);
            self.day.start = self.day.end(self.terms.offset);
        }
        if self.line.due <= at {
            self.pass();
        }
    }

    fn day_line(&self, over: bool, to_its_end: bool) -> DayLine {
        let day = self.day.start;
        let reports = self.samples.values().filter(|sample| **sample >= day);
        let reports = u32::try_from(reports.count()).unwrap_or(u32::MAX);
        let full = self.opened_at <= day && to_its_end;
        DayLine {
            day,
            full,
            over,
            reports,
            short: full && reports < self.terms.reports_per_day,
        }
    }

    /// The due time that stands has passed.
    fn pass(&mut self) {
        let counted = |line: &DueLine| line.missed && line.due == self.line.due;
        self.line.missed = !self.dues.iter().any(counted);
        self.line.state = DueState::Overdue;
    }

    fn take(&mut self, step: &Step) {
        let newest = |samples: &BTreeMap<ReportId, Timestamp>| samples.values().max().copied();
        let before = newest(&self.samples);
        self.samples.retain(|id, _| !step.gone.contains(id));
        self.samples.extend(step.new);
        let after = newest(&self.samples);
        if after == before {
            return;
        }
        let next = owed(after.unwrap_or(self.opened_at), self.terms);
        let mut line = std::mem::replace(&mut self.line, next);
        match step
            .new
            .filter(|(_, sample)| Some(*sample) == after && after > before)
        {
            Some((id, sample)) => {
                let late_ms = step.at.since_ms(line.due);
                line.late_ms = (late_ms >= 0).then_some(late_ms);
                line.state = match line.late_ms {
                    None => DueState::Met,
                    Some(_) => DueState::Late,
                };
                line.report = Some(id);
                line.sampled_at = Some(sample);
                line.received_at = Some(step.at);
                line.gap_ms = Some(sample.since_ms(line.from));
            }
            None => line.state = DueState::Revised,
        }
        self.dues.push(line);
        if self.line.due <= step.at {
            self.pass();
        }
    }

    fn finish(mut self, end: Timestamp, row: &FallbackRow) -> Sheet {
        let closed = row.closed_at.is_some();
        let last = self.day_line(closed, false);
        if last.day < end || self.days.is_empty() {
            self.days.push(last);
        }
        self.line.state = match (self.line.state, closed) {
            (DueState::Overdue, true) => DueState::Missed,
            (DueState::Ahead, true) => DueState::Ended,
            (state, _) => state,
        };
        self.dues.push(self.line);
        let totals = totals(&self.dues, &self.days, self.samples.len());
        let counted = totals.missed_dues.saturating_add(totals.short_days);
        Sheet {
            as_counted: counted == row.missed,
            dues: self.dues,
            days: self.days,
            totals,
            written: row.written.clone(),
        }
    }
}

/// The obligation that follows from a sample, or from the opening.
fn owed(from: Timestamp, terms: &Terms<'_>) -> DueLine {
    DueLine {
        from,
        due: from.plus_ms(terms.max_gap_ms),
        state: DueState::Ahead,
        missed: false,
        report: None,
        sampled_at: None,
        received_at: None,
        late_ms: None,
        gap_ms: None,
    }
}

fn totals(dues: &[DueLine], days: &[DayLine], reports: usize) -> Totals {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let of = |states: &[DueState]| {
        let lines = dues.iter().filter(|line| states.contains(&line.state));
        count(lines.count())
    };
    let (in_time, late) = (of(&[DueState::Met]), of(&[DueState::Late]));
    let open = of(&[DueState::Overdue, DueState::Missed]);
    Totals {
        scheduled: in_time.saturating_add(late).saturating_add(open),
        in_time,
        late,
        missed_dues: count(dues.iter().filter(|line| line.missed).count()),
        short_days: count(days.iter().filter(|day| day.short).count()),
        reports: count(reports),
        longest_gap_ms: dues.iter().filter_map(|line| line.gap_ms).max(),
        late_ms: dues
            .iter()
            .filter_map(|line| line.late_ms)
            .fold(0, i64::saturating_add),
    }
}
