//! Does the source run? Oxygen and flow say so, whatever flags and marks say.

use super::Hour;
use super::clues::{Clues, Evidence, marked};
use super::table::{Column, Table};
use crate::formula;
use crate::model::{MarkKind, Medium};
use crate::validate::{Check, STOPPED_BUT_EMITTING, ZERO_WHILE_RUNNING, code};
use rust_decimal::Decimal;

/// What shows that the source runs.
struct Running<'a> {
    medium: Medium,
    oxygen: Option<&'a Column<'a>>,
    velocity: Option<&'a Column<'a>>,
    flow: Option<&'a Column<'a>>,
    o2_max_pct: Decimal,
    velocity_min_m_s: Decimal,
}

impl<'a> Running<'a> {
    fn new(table: &'a Table<'a>, medium: Medium, check: &Check, clues: &Clues<'_>) -> Self {
        let flow = match medium {
            Medium::Gas => code::GAS_FLOW,
            Medium::Water => code::WATER_FLOW,
        };
        Self {
            medium,
            oxygen: table.column(code::OXYGEN),
            velocity: table.column(code::VELOCITY),
            flow: table.column(flow),
            o2_max_pct: clues.threshold(check, "o2_running_max_pct"),
            velocity_min_m_s: clues.threshold(check, "velocity_running_min_m_s"),
        }
    }

    /// A stack runs where its gas has less oxygen than air and, where that is measured, moves; fans
    /// alone are no production. A discharge runs where water flows.
    fn at(&self, row: usize) -> bool {
        let figure = |column: Option<&Column<'_>>| column?.cell(row)?.figure;
        let flows = figure(self.flow).map(|flow| flow > Decimal::ZERO);
        if self.medium == Medium::Water {
            return flows == Some(true);
        }
        let burns =
            figure(self.oxygen).is_some_and(|o2| o2 > Decimal::ZERO && o2 < self.o2_max_pct);
        let moves = figure(self.velocity).map(|velocity| velocity >= self.velocity_min_m_s);
        burns && moves.or(flows) != Some(false)
    }

    /// What oxygen and flow were in these rows.
    fn evidence(&self, rows: &[usize], evidence: Evidence) -> Evidence {
        let mean = |column: Option<&Column<'_>>| {
            let column = column?;
            formula::mean(rows.iter().filter_map(|row| column.cell(*row)?.figure))
        };
        evidence
            .figure_if("o2_mean_pct", mean(self.oxygen))
            .figure_if("velocity_mean_m_s", mean(self.velocity))
            .figure_if("flow_mean", mean(self.flow))
    }
}

/// A pollutant at zero while the rest shows the source running.
pub(super) fn zero_while_running(hour: &Hour<'_>, clues: &mut Clues<'_>) {
    let check = &ZERO_WHILE_RUNNING;
    let share_pct = clues.threshold(check, "share_pct");
    let running = Running::new(&hour.table, hour.input.outlet.medium, check, clues);
    for column in hour.table.pollutants() {
        let at_zero = column
            .spread
            .is_some_and(|(least, _)| least <= Decimal::ZERO);
        if column.code.as_str() == code::PH || !at_zero {
            continue;
        }
        let excused = |row: usize| {
            let line = hour.table.lines.get(row);
            line.is_some_and(|line| line.source_marked)
        };
        let zeros = column.figures().filter(|(_, figure)| figure.is_zero());
        let rows: Vec<usize> = zeros
            .map(|(row, _)| row)
            .filter(|row| !excused(*row) && running.at(*row))
            .collect();
        if !super::is_share(rows.len(), column.counting, share_pct) {
            continue;
        }
        if let Some(span) = hour.table.span(rows.iter().copied()) {
            let evidence = Evidence::default()
                .word("records", rows.len())
                .word("of", column.counting);
            clues.add(
                check,
                Some(column.code),
                span,
                running.evidence(&rows, evidence),
            );
        }
    }
}

/// Flags or a mark say stopped, oxygen and flow do not (标停未停).
pub(super) fn stopped_but_emitting(hour: &Hour<'_>, clues: &mut Clues<'_>) {
    let check = &STOPPED_BUT_EMITTING;
    let table = &hour.table;
    let minutes = clues.threshold(check, "minutes");
    let marks = hour.input.marks;
    let is_marked = |row: usize| {
        table.lines.get(row).is_some_and(|line| {
            let span = (line.start, line.until());
            marked(marks, span, |kind| kind == MarkKind::Stopped)
        })
    };
    let is_flagged = |row: usize| table.lines.get(row).is_some_and(|line| line.stopped);
    let running = Running::new(table, hour.input.outlet.medium, check, clues);
    let rows: Vec<usize> = (0..table.lines.len())
        .filter(|row| (is_flagged(*row) || is_marked(*row)) && running.at(*row))
        .collect();
    if rows.is_empty() || table.minutes_of(rows.len()) < minutes {
        return;
    }
    if let Some(span) = table.span(rows.iter().copied()) {
        let flagged = rows.iter().filter(|row| is_flagged(**row)).count();
        let under_mark = rows.iter().filter(|row| is_marked(**row)).count();
        let evidence = Evidence::default()
            .word("records", rows.len())
            .word("flagged", flagged)
            .word("marked", under_mark);
        clues.add(check, None, span, running.evidence(&rows, evidence));
    }
}
