//! Checks of single records (V2xx): what contradicts itself within one. Records of a period that
//! fail alike make one clue per factor, with their number and the one that fails worst.

use super::catalogue::*;
use super::code;
use super::series::{Clues, Column, Evidence, Table, differs, last_place, percent_of, tolerance};
use crate::convert::{self, Parameters};
use crate::formula::gas::{d29_section_velocity, d30_actual_flow};
use crate::model::time::SECOND_MS;
use crate::model::{Basis, FactorCode, GasSettings, Medium, Number, Outlet, Profile, RecordKind};
use crate::quantity::{Concentration, Velocity, internal};
use rust_decimal::Decimal;

const SECONDS_PER_HOUR: Decimal = Decimal::from_parts(3_600, 0, 0, false, 0);

/// By what a record is judged.
type Rules<'a> = (&'a Outlet, &'a Profile);

/// All checks of single records, over the records of `table`. Parameters are missing only where
/// something is `computed` from these records.
pub(super) fn check(table: &Table<'_>, rules: Rules<'_>, computed: bool, clues: &mut Clues<'_>) {
    pair(
        table,
        AMMONIA_ABOVE_NITROGEN,
        code::AMMONIA,
        code::TOTAL_NITROGEN,
        clues,
    );
    pair(table, BOD_ABOVE_COD, code::BOD, code::COD, clues);
    let emitting = emitting(table);
    o2_at_air(table, rules, &emitting, clues);
    if computed {
        parameters(table, rules, &emitting, clues);
    }
    flow_zero(table, rules, &emitting, clues);
    match (rules.0.medium, &rules.0.gas) {
        (Medium::Gas, Some(gas)) => gas_recomputed(table, rules, gas, clues),
        (Medium::Gas, None) => {}
        (Medium::Water, _) => water_recomputed(table, clues),
    }
}

/// Records that fail a check, and the one that is furthest off.
#[derive(Debug, Default)]
struct Failing {
    rows: Vec<usize>,
    worst: Option<(Decimal, Decimal, Decimal)>,
}

impl Failing {
    fn note(&mut self, row: usize, is: Decimal, should: Decimal) {
        self.rows.push(row);
        let off = is.checked_sub(should).map_or(Decimal::MAX, |off| off.abs());
        if self.worst.is_none_or(|(worst, ..)| off > worst) {
            self.worst = Some((off, is, should));
        }
    }

    fn report(
        self,
        table: &Table<'_>,
        check: &Check,
        factor: &FactorCode,
        names: (&'static str, &'static str),
        clues: &mut Clues<'_>,
    ) {
        let Some(span) = table.span(self.rows.iter().copied()) else {
            return;
        };
        let worst = self.worst;
        let evidence = counted(table, self.rows.len())
            .figure_if(names.0, worst.map(|(_, is, _)| is))
            .figure_if(names.1, worst.map(|(_, _, should)| should));
        clues.add(check, Some(factor), span, evidence);
    }
}

fn counted(table: &Table<'_>, records: usize) -> Evidence {
    let kind = table.kind.map_or("", RecordKind::as_str);
    Evidence::default()
        .word("kind", kind)
        .word("records", records)
        .word("of", table.lines.len())
}

/// A part that is greater than its whole.
fn pair(table: &Table<'_>, check: Check, part: &str, whole: &str, clues: &mut Clues<'_>) {
    let (Some(part), Some(whole)) = (table.column(part), table.column(whole)) else {
        return;
    };
    let pct = clues.threshold(&check, "tolerance_pct");
    let mut failing = Failing::default();
    for (row, of_part) in part.figures() {
        let Some(of_whole) = whole.at(row) else {
            continue;
        };
        let most = percent_of(of_whole, pct).and_then(|more| of_whole.checked_add(more));
        if most.is_some_and(|most| of_part > most) {
            failing.note(row, of_part, of_whole);
        }
    }
    failing.report(table, &check, part.code, ("part", "whole"), clues);
}

/// By row: a concentration counts.
fn emitting(table: &Table<'_>) -> Vec<bool> {
    let mut emitting = vec![false; table.lines.len()];
    let columns = table.pollutants();
    for column in columns.filter(|column| column.code.as_str() != code::PH) {
        for (row, _) in column.figures() {
            if let Some(emits) = emitting.get_mut(row) {
                *emits = true;
            }
        }
    }
    emitting
}

fn o2_at_air(table: &Table<'_>, rules: Rules<'_>, emitting: &[bool], clues: &mut Clues<'_>) {
    let (Medium::Gas, Some(oxygen)) = (rules.0.medium, table.column(code::OXYGEN)) else {
        return;
    };
    let air = rules.1.air_o2_pct;
    let mut failing = Failing::default();
    for (row, o2) in oxygen.figures() {
        if o2 >= air && emitting.get(row) == Some(&true) {
            failing.note(row, o2, air);
        }
    }
    failing.report(table, &O2_AT_AIR, oxygen.code, ("o2_pct", "air_pct"), clues);
}

/// Oxygen where values are converted; temperature, pressure and moisture where a velocity or a
/// value in another than the dry standard state makes them necessary.
fn parameters(table: &Table<'_>, rules: Rules<'_>, emitting: &[bool], clues: &mut Clues<'_>) {
    let Some(gas) = &rules.0.gas else { return };
    let mut factors = rules.0.factors.values();
    let state = table.column(code::VELOCITY).is_some()
        || factors.any(|factor| factor.basis != Basis::StandardDry);
    let needed = [
        (code::TEMPERATURE, state),
        (code::PRESSURE, state),
        (code::MOISTURE, state),
        (code::OXYGEN, gas.reference_o2_pct.is_some()),
    ];
    for (code, _) in needed.into_iter().filter(|(_, needed)| *needed) {
        let column = table.column(code);
        let lacks = |row: &usize| column.and_then(|column| column.at(*row)).is_none();
        let rows = emitting.iter().enumerate().filter(|(_, emits)| **emits);
        let rows: Vec<usize> = rows.map(|(row, _)| row).filter(lacks).collect();
        if let Some(span) = table.span(rows.iter().copied()) {
            let evidence = counted(table, rows.len());
            clues.add(
                &PARAMETER_MISSING,
                Some(&FactorCode::new(code)),
                span,
                evidence,
            );
        }
    }
}

fn flow_zero(table: &Table<'_>, rules: Rules<'_>, emitting: &[bool], clues: &mut Clues<'_>) {
    let flow = match rules.0.medium {
        Medium::Gas => table
            .column(code::VELOCITY)
            .or_else(|| table.column(code::GAS_FLOW)),
        Medium::Water => table.column(code::WATER_FLOW),
    };
    let Some(flow) = flow else { return };
    let still = flow.figures().filter(|(_, figure)| figure.is_zero());
    let rows: Vec<usize> = still
        .map(|(row, _)| row)
        .filter(|row| emitting.get(*row) == Some(&true))
        .collect();
    if let Some(span) = table.span(rows.iter().copied()) {
        let evidence = counted(table, rows.len());
        clues.add(&FLOW_ZERO, Some(flow.code), span, evidence);
    }
}

/// What the formulas need of one record of a stack.
struct Stack<'a> {
    rules: Rules<'a>,
    gas: &'a GasSettings,
    temperature: Option<&'a Column<'a>>,
    pressure: Option<&'a Column<'a>>,
    moisture: Option<&'a Column<'a>>,
    oxygen: Option<&'a Column<'a>>,
    velocity: Option<&'a Column<'a>>,
    flow: Option<&'a Column<'a>>,
}

impl<'a> Stack<'a> {
    fn new(table: &'a Table<'a>, rules: Rules<'a>, gas: &'a GasSettings) -> Self {
        Self {
            rules,
            gas,
            temperature: table.column(code::TEMPERATURE),
            pressure: table.column(code::PRESSURE),
            moisture: table.column(code::MOISTURE),
            oxygen: table.column(code::OXYGEN),
            velocity: table.column(code::VELOCITY),
            flow: table.column(code::GAS_FLOW),
        }
    }

    fn parameters(&self, row: usize) -> Parameters {
        let at = |column: Option<&Column<'_>>| column.and_then(|column| column.at(row));
        Parameters {
            temperature_c: at(self.temperature),
            pressure_kpa: at(self.pressure),
            moisture_pct: at(self.moisture),
        }
    }

    /// Concentration in the dry standard state.
    fn standard(&self, value: Decimal, basis: Basis, row: usize) -> Option<Decimal> {
        if basis == Basis::StandardDry {
            return Some(value);
        }
        let with = self.parameters(row);
        convert::concentration(value, basis, &with, self.gas, self.rules.1).map(Concentration::get)
    }

    /// The converted value that the record's own figures give, (28), as numerator and denominator;
    /// `None` at the guard of the profile. The quotient is needed only where the value sent is off.
    fn converted(&self, value: Decimal, basis: Basis, row: usize) -> Option<(Decimal, Decimal)> {
        let (air, guard) = (self.rules.1.air_o2_pct, self.rules.1.o2_guard_pct);
        let o2 = self.oxygen?.at(row)?;
        let o2 = if self.gas.o2_is_wet {
            convert::oxygen(o2, &self.parameters(row), self.gas)?.pct()
        } else {
            o2
        };
        let gap = air.checked_sub(o2)?;
        (o2 < guard && gap > Decimal::ZERO).then_some(())?;
        let reference = air.checked_sub(self.gas.reference_o2_pct?)?;
        let standard = self.standard(value, basis, row)?;
        Some((standard.checked_mul(reference)?, gap))
    }

    /// Dry standard volume of so many seconds, m³.
    fn volume_m3(&self, row: usize, seconds: Decimal) -> Option<Decimal> {
        let volume = self.flow_m3_per_h(row)?.checked_mul(seconds)?;
        volume.checked_div(SECONDS_PER_HOUR).map(internal)
    }

    /// Dry standard flow, m³/h.
    fn flow_m3_per_h(&self, row: usize) -> Option<Decimal> {
        let (m3_per_h, basis) = match self.velocity {
            Some(velocity) => {
                let point = Velocity::from_m_per_s(velocity.at(row)?);
                let section = d29_section_velocity(point, self.gas.velocity_coefficient)?;
                let flow = d30_actual_flow(self.gas.area_m2, section)?;
                (flow.m3_per_h(), Basis::ActualWet)
            }
            None => {
                let flow = self.flow?;
                let basis = flow.factor.map_or(Basis::ActualWet, |factor| factor.basis);
                (flow.at(row)?.checked_mul(SECONDS_PER_HOUR)?, basis)
            }
        };
        let with = self.parameters(row);
        convert::flow(m3_per_h, basis, &with, self.gas, self.rules.1).map(|flow| flow.m3_per_h())
    }
}

/// Converted values and amounts of a stack.
fn gas_recomputed(table: &Table<'_>, rules: Rules<'_>, gas: &GasSettings, clues: &mut Clues<'_>) {
    // Over a day the mean of products is not the product of means; its sums are checked instead.
    if table.kind == Some(RecordKind::Day) {
        return;
    }
    let stack = Stack::new(table, rules, gas);
    conversions(table, &stack, clues);
    if table.kind == Some(RecordKind::Realtime) {
        return;
    }
    let has_amount = |column: &&Column<'_>| {
        let mut cells = column.cells.iter().flatten();
        cells.any(|cell| cell.stored.value.cou.is_some())
    };
    if !table.pollutants().any(|column| has_amount(&column)) {
        return;
    }
    let rows = 0..table.lines.len();
    let volumes: Vec<Option<Decimal>> = rows
        .map(|row| stack.volume_m3(row, seconds(table, row)?))
        .collect();
    for column in table.pollutants().filter(has_amount) {
        let Some(factor) = column.factor else {
            continue;
        };
        amounts(table, column, clues, |row, figure| {
            let volume = (*volumes.get(row)?)?;
            let standard = stack.standard(figure, factor.basis, row)?;
            standard
                .checked_mul(volume)?
                .checked_mul(factor.kg_per_unit_m3)
        });
    }
}

fn conversions(table: &Table<'_>, stack: &Stack<'_>, clues: &mut Clues<'_>) {
    let pct = clues.threshold(&CONVERTED_RECOMPUTED, "tolerance_pct");
    for column in table.pollutants() {
        let Some(factor) = column.factor else {
            continue;
        };
        let mut failing = Failing::default();
        for (row, figure) in column.figures() {
            let sent = column.cell(row);
            let sent = sent.and_then(|cell| cell.stored.value.converted.as_ref());
            let Some(sent) = sent else { continue };
            let should = stack.converted(figure, factor.basis, row);
            let off = should.filter(|should| is_off(sent, *should, pct) == Some(true));
            if let Some(should) = off.and_then(|(whole, gap)| whole.checked_div(gap)) {
                failing.note(row, sent.value, should);
            }
        }
        let names = ("sent", "recomputed");
        failing.report(table, &CONVERTED_RECOMPUTED, column.code, names, clues);
    }
}

/// True when the figure sent is off the quotient of `whole` and `gap`, without dividing.
fn is_off(sent: &Number, (whole, gap): (Decimal, Decimal), pct: Decimal) -> Option<bool> {
    let least = last_place(sent).checked_mul(gap)?;
    let most = percent_of(whole.abs(), pct)?.max(least);
    Some(differs(sent.value.checked_mul(gap)?, whole, most))
}

fn water_recomputed(table: &Table<'_>, clues: &mut Clues<'_>) {
    let Some(flow) = table.column(code::WATER_FLOW) else {
        return;
    };
    if !matches!(table.kind, Some(RecordKind::Minute | RecordKind::Hour)) {
        return;
    }
    let volume_m3 = |row: usize, litres_per_s: Decimal| {
        let litres = litres_per_s.checked_mul(seconds(table, row)?)?;
        litres.checked_div(Decimal::ONE_THOUSAND)
    };
    amounts(table, flow, clues, volume_m3);
    for column in table.pollutants() {
        let Some(factor) = column.factor.filter(|_| column.code.as_str() != code::PH) else {
            continue;
        };
        amounts(table, column, clues, |row, figure| {
            let volume = volume_m3(row, flow.at(row)?)?;
            figure
                .checked_mul(volume)?
                .checked_mul(factor.kg_per_unit_m3)
        });
    }
}

fn seconds(table: &Table<'_>, row: usize) -> Option<Decimal> {
    let length_ms = Decimal::from(table.lines.get(row)?.length_ms);
    length_ms.checked_div(Decimal::from(SECOND_MS))
}

/// Amounts of a column against what `compute` makes of row and figure.
fn amounts(
    table: &Table<'_>,
    column: &Column<'_>,
    clues: &mut Clues<'_>,
    compute: impl Fn(usize, Decimal) -> Option<Decimal>,
) {
    let pct = clues.threshold(&AMOUNT_RECOMPUTED, "tolerance_pct");
    let mut failing = Failing::default();
    for (row, figure) in column.figures() {
        let sent = column
            .cell(row)
            .and_then(|cell| cell.stored.value.cou.as_ref());
        let Some((sent, should)) = sent.zip(compute(row, figure)) else {
            continue;
        };
        if tolerance(should, sent, pct).is_some_and(|most| differs(sent.value, should, most)) {
            failing.note(row, sent.value, should);
        }
    }
    let names = ("sent", "recomputed");
    failing.report(table, &AMOUNT_RECOMPUTED, column.code, names, clues);
}
