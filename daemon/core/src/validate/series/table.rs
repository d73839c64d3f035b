//! The records of a period as a table: rows by time, columns by factor.

use super::MarkSpan;
use super::clues::{Span, marked};
use crate::model::time::MINUTE_MS;
use crate::model::{
    FactorCode, MarkKind, Outlet, OutletFactor, Profile, RecordKind, RecordRow, Seq, StoredValue,
    Timestamp,
};
use crate::validate::is_stopped;
use rust_decimal::Decimal;

/// One factor of one record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell<'a> {
    /// What was stored.
    pub(crate) stored: &'a StoredValue,
    /// Mean, else real-time value, whether it counts or not.
    pub(crate) figure: Option<Decimal>,
    /// The figure counts: valid, not flagged as stopped, not under a mark of the equipment.
    pub(crate) counts: bool,
}

impl Cell<'_> {
    /// The figure where it counts.
    pub(crate) fn counting(&self) -> Option<Decimal> {
        self.figure.filter(|_| self.counts)
    }

    /// The flag as sent.
    pub(crate) fn flag(&self) -> Option<&str> {
        let flag = self.stored.value.flag.as_ref()?;
        Some(flag.0.as_str())
    }
}

/// One factor over all records.
#[derive(Debug)]
pub(crate) struct Column<'a> {
    /// The factor.
    pub(crate) code: &'a FactorCode,
    /// Its settings at the outlet.
    pub(crate) factor: Option<&'a OutletFactor>,
    /// As many as the table has rows.
    pub(crate) cells: Vec<Option<Cell<'a>>>,
    /// How many figures count.
    pub(crate) counting: usize,
    /// Least and greatest of them.
    pub(crate) spread: Option<(Decimal, Decimal)>,
}

impl<'a> Column<'a> {
    fn new(code: &'a FactorCode, outlet: &'a Outlet, rows: usize) -> Self {
        Self {
            code,
            factor: outlet.factors.get(code),
            cells: Vec::with_capacity(rows),
            counting: 0,
            spread: None,
        }
    }

    fn put(&mut self, row: usize, cell: Cell<'a>) {
        self.cells.resize(row, None);
        if let Some(figure) = cell.counting() {
            self.counting = self.counting.saturating_add(1);
            let (least, greatest) = self.spread.unwrap_or((figure, figure));
            self.spread = Some((least.min(figure), greatest.max(figure)));
        }
        self.cells.push(Some(cell));
    }

    /// The settings of a pollutant.
    pub(crate) fn pollutant(&self) -> Option<&'a OutletFactor> {
        self.factor.filter(|factor| factor.pollutant)
    }

    /// The cell of a row.
    pub(crate) fn cell(&self, row: usize) -> Option<&Cell<'a>> {
        self.cells.get(row)?.as_ref()
    }

    /// The figure of a row where it counts.
    pub(crate) fn at(&self, row: usize) -> Option<Decimal> {
        self.cell(row)?.counting()
    }

    /// Every figure that counts, with its row.
    pub(crate) fn figures(&self) -> impl Iterator<Item = (usize, Decimal)> {
        let cells = self.cells.iter().enumerate();
        cells.filter_map(|(row, cell)| Some((row, cell.as_ref()?.counting()?)))
    }

    /// Their mean.
    pub(crate) fn mean(&self) -> Option<Decimal> {
        crate::formula::mean(self.figures().map(|(_, figure)| figure))
    }
}

/// One record without its values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    /// Start of the interval, or the instant.
    pub(crate) start: Timestamp,
    /// How long it speaks for, ms.
    pub(crate) length_ms: i64,
    /// When the first of its values was received, and where it stands in the journal.
    pub(crate) received: Option<(Seq, Timestamp)>,
    /// Marked as re-sent.
    pub(crate) resent: bool,
    /// Every value replaced an earlier one.
    pub(crate) replaced: bool,
    /// Pollutants are flagged as stopped, and none counts.
    pub(crate) stopped: bool,
    /// A mark of the source touches it.
    pub(crate) source_marked: bool,
}

impl Line {
    /// First instant after it.
    pub(crate) fn until(&self) -> Timestamp {
        self.start.plus_ms(self.length_ms)
    }
}

/// What the values of a record have in common.
struct Seen {
    received: Option<(Seq, Timestamp)>,
    /// A pollutant is flagged as stopped.
    stopped: bool,
    /// A pollutant counts.
    counting: bool,
    all_replaced: bool,
}

/// The table.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    /// Kind of the records; `None` without any.
    pub(crate) kind: Option<RecordKind>,
    /// Ascending by time.
    pub(crate) lines: Vec<Line>,
    /// Ascending by code.
    pub(crate) columns: Vec<Column<'a>>,
}

impl<'a> Table<'a> {
    /// Of `rows`, which ascend by start and lie before `until`.
    pub(crate) fn new(
        rows: &'a [RecordRow],
        until: Timestamp,
        (outlet, profile): (&'a Outlet, &Profile),
        marks: &[MarkSpan],
    ) -> Self {
        let mut table = Self {
            kind: rows.first().map(|row| row.kind),
            lines: Vec::with_capacity(rows.len()),
            columns: Vec::new(),
        };
        for (at, row) in rows.iter().enumerate() {
            let next = rows.get(at.saturating_add(1));
            let next = next.map_or(until, |next| next.start);
            let length_ms = length_ms(row, next, outlet);
            let span = (row.start, row.start.plus_ms(length_ms));
            let excused = marked(marks, span, MarkKind::is_equipment);
            let seen = table.put(at, row, (outlet, profile), excused);
            table.lines.push(Line {
                start: row.start,
                length_ms,
                received: seen.received,
                resent: row.resent,
                replaced: seen.all_replaced,
                stopped: seen.stopped && !seen.counting,
                source_marked: marked(marks, span, |kind| !kind.is_equipment()),
            });
        }
        for column in &mut table.columns {
            column.cells.resize(rows.len(), None);
        }
        table
    }

    /// Adds the values of a record.
    fn put(
        &mut self,
        at: usize,
        row: &'a RecordRow,
        (outlet, profile): (&'a Outlet, &Profile),
        excused: bool,
    ) -> Seen {
        let mut seen = Seen {
            received: None,
            stopped: false,
            counting: false,
            all_replaced: true,
        };
        let mut place = 0_usize;
        for (code, stored) in &row.values {
            while self.columns.get(place).is_some_and(|c| c.code < code) {
                place = place.saturating_add(1);
            }
            if self.columns.get(place).is_none_or(|c| c.code != code) {
                let column = Column::new(code, outlet, self.lines.capacity());
                self.columns.insert(place, column);
            }
            let stopped = is_stopped(&stored.value, profile);
            let received = (stored.seq, stored.received_at);
            seen.all_replaced &= stored.superseded > 0;
            seen.received = Some(seen.received.map_or(received, |first| first.min(received)));
            let cell = Cell {
                stored,
                figure: stored.value.figure().map(|number| number.value),
                counts: stored.valid && !stopped && !excused,
            };
            if let Some(column) = self.columns.get_mut(place) {
                let pollutant = column.pollutant().is_some();
                seen.stopped |= stopped && pollutant;
                seen.counting |= cell.counts && pollutant;
                column.put(at, cell);
            }
        }
        seen
    }

    /// The column of a factor.
    pub(crate) fn column(&self, code: &str) -> Option<&Column<'a>> {
        let found = self
            .columns
            .binary_search_by(|column| column.code.as_str().cmp(code));
        found.ok().and_then(|at| self.columns.get(at))
    }

    /// Columns of pollutants.
    pub(crate) fn pollutants(&self) -> impl Iterator<Item = &Column<'a>> {
        let columns = self.columns.iter();
        columns.filter(|column| column.pollutant().is_some())
    }

    /// From the first of these rows to the end of the last; `None` without any.
    pub(crate) fn span(&self, rows: impl IntoIterator<Item = usize>) -> Option<Span> {
        let mut lines = rows.into_iter().filter_map(|row| self.lines.get(row));
        let first = lines.next()?;
        let last = lines.last().unwrap_or(first);
        Some((first.start, last.until()))
    }

    /// Minutes that `rows` records cover when all are as long as the first.
    pub(crate) fn minutes_of(&self, rows: usize) -> Decimal {
        let each = self.lines.first().map_or(0, |line| line.length_ms);
        let ms = Decimal::from(each).checked_mul(Decimal::from(rows));
        ms.and_then(|ms| ms.checked_div(Decimal::from(MINUTE_MS)))
            .unwrap_or_default()
    }
}

/// How long a record speaks for: the interval agreed upon, or less when the next one begins sooner.
fn length_ms(row: &RecordRow, next: Timestamp, outlet: &Outlet) -> i64 {
    let expects = &outlet.expectation;
    let gap = next.since_ms(row.start).max(0);
    let agreed = match row.kind {
        RecordKind::Realtime => expects.realtime_s.map(|s| i64::from(s) * 1_000),
        RecordKind::Minute => Some(i64::from(expects.minute_min.unwrap_or(1)) * MINUTE_MS),
        RecordKind::Hour | RecordKind::Day => None,
    };
    agreed.map_or(gap, |agreed| agreed.min(gap))
}
