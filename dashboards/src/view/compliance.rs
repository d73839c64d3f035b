//! The compliance sheet of a fallback in words, and as a table to be saved.

use super::Eyes;
use crate::backend::FallbackDetail;
use crate::format::NONE;
use crate::sheet::Cell;
use cems_core::fallback::Terms;
use cems_core::fallback::compliance::{self, DayLine, DueLine, Sheet};
use cems_core::model::FallbackRule;
use rust_decimal::Decimal;

/// The sheet as of now, by the rule of the outlet, or the usual one when the registry does not have
/// it any more.
pub(crate) fn sheet(eyes: &Eyes<'_>, detail: &FallbackDetail) -> Sheet {
    let outlet = eyes.registry.outlets.get(&detail.fallback.outlet);
    let usual = FallbackRule::default();
    let rule = outlet.map_or(&usual, |outlet| &outlet.fallback);
    let terms = Terms::new(rule, eyes.registry.offset);
    compliance::sheet(&detail.fallback, &detail.reports, eyes.times.now, &terms)
}

/// One obligation.
pub(crate) struct DueView {
    pub(crate) n: usize,
    pub(crate) from: String,
    pub(crate) due: String,
    pub(crate) state: &'static str,
    pub(crate) state_word: String,
    pub(crate) sampled: String,
    pub(crate) received: String,
    pub(crate) report: String,
    pub(crate) late: String,
    pub(crate) gap: String,
}

/// One day.
pub(crate) struct DayView {
    pub(crate) day: String,
    pub(crate) reports: u32,
    pub(crate) state: &'static str,
    pub(crate) state_word: String,
}

/// The sheet as its page shows it.
pub(crate) struct SheetView {
    pub(crate) dues: Vec<DueView>,
    pub(crate) days: Vec<DayView>,
    pub(crate) scheduled: u32,
    pub(crate) in_time: u32,
    pub(crate) late: u32,
    pub(crate) missed: u32,
    pub(crate) short_days: u32,
    pub(crate) reports: u32,
    pub(crate) longest_gap: String,
    pub(crate) lateness: String,
    pub(crate) as_counted: bool,
}

/// `short`, `enough`, `running` or `part`.
fn day_state(day: &DayLine) -> &'static str {
    match (day.full, day.short, day.over) {
        (_, true, _) => "short",
        (true, ..) => "enough",
        (_, _, false) => "running",
        _ => "part",
    }
}

impl SheetView {
    pub(crate) fn new(eyes: &Eyes<'_>, sheet: &Sheet) -> Self {
        let (words, times) = (eyes.words, eyes.times);
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
        let dues = (1..).zip(&sheet.dues).map(|(n, line)| DueView {
            n,
            from: times.full(line.from),
            due: times.full(line.due),
            state: line.state.as_str(),
            state_word: words.code("due-state", line.state.as_str()),
            sampled: or_dash(line.sampled_at.map(|at| times.full(at))),
            received: or_dash(line.received_at.map(|at| times.full(at))),
            report: or_dash(line.report.map(|id| format!("#{id}"))),
            late: or_dash(line.late_ms.map(|ms| times.span(ms))),
            gap: or_dash(line.gap_ms.map(|ms| times.span(ms))),
        });
        let days = sheet.days.iter().map(|day| DayView {
            day: times.date(day.day),
            reports: day.reports,
            state: day_state(day),
            state_word: words.code("day-state", day_state(day)),
        });
        let totals = &sheet.totals;
        Self {
            dues: dues.collect(),
            days: days.collect(),
            scheduled: totals.scheduled,
            in_time: totals.in_time,
            late: totals.late,
            missed: totals.missed_dues,
            short_days: totals.short_days,
            reports: totals.reports,
            longest_gap: or_dash(totals.longest_gap_ms.map(|ms| times.span(ms))),
            lateness: times.span(totals.late_ms),
            as_counted: sheet.as_counted,
        }
    }
}

/// Milliseconds as minutes.
fn minutes(ms: Option<i64>) -> Cell {
    ms.map_or(Cell::Empty, |ms| {
        let minutes = Decimal::new(ms, 0) / Decimal::from(60_000);
        Cell::Number(minutes.round_dp(1).normalize())
    })
}

/// The sheet as a table: obligations, days, figures.
pub(crate) fn table(eyes: &Eyes<'_>, sheet: &Sheet) -> Vec<Vec<Cell>> {
    let words = eyes.words;
    let title = |key: &str| Cell::text(words.t(key));
    let iso = |at| Cell::text(eyes.times.offset.iso(at));
    let mut rows = vec![
        [
            "sheet-n",
            "sheet-from",
            "sheet-due",
            "sheet-state",
            "sheet-report",
            "sheet-sampled",
            "sheet-received",
            "sheet-late-min",
            "sheet-gap-min",
        ]
        .map(title)
        .to_vec(),
    ];
    let due = |(n, line): (u32, &DueLine)| {
        vec![
            Cell::of(n),
            iso(line.from),
            iso(line.due),
            Cell::text(words.code("due-state", line.state.as_str())),
            line.report.map_or(Cell::Empty, |id| Cell::of(id.0)),
            line.sampled_at.map_or(Cell::Empty, iso),
            line.received_at.map_or(Cell::Empty, iso),
            minutes(line.late_ms),
            minutes(line.gap_ms),
        ]
    };
    rows.extend((1..).zip(&sheet.dues).map(due));
    rows.push(Vec::new());
    rows.push(
        ["sheet-day", "sheet-day-reports", "sheet-state"]
            .map(title)
            .to_vec(),
    );
    rows.extend(sheet.days.iter().map(|day| {
        vec![
            Cell::text(eyes.times.date(day.day)),
            Cell::of(day.reports),
            Cell::text(words.code("day-state", day_state(day))),
        ]
    }));
    rows.push(Vec::new());
    let totals = &sheet.totals;
    let figures = [
        ("sheet-scheduled", Cell::of(totals.scheduled)),
        ("sheet-in-time", Cell::of(totals.in_time)),
        ("sheet-late", Cell::of(totals.late)),
        ("sheet-missed", Cell::of(totals.missed_dues)),
        ("sheet-short-days", Cell::of(totals.short_days)),
        ("sheet-longest-gap-min", minutes(totals.longest_gap_ms)),
        ("sheet-lateness-min", minutes(Some(totals.late_ms))),
    ];
    rows.extend(figures.map(|(key, figure)| vec![title(key), figure]));
    if let Some(written) = &sheet.written {
        rows.push(vec![title("written-due"), iso(written.due)]);
        let first = written.delivered.first();
        rows.push(vec![
            title("written-delivered"),
            first.map_or(Cell::Empty, |delivery| iso(delivery.at)),
        ]);
    }
    rows
}
