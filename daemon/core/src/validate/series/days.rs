//! The hours of a day and of the day before, as the checks read them.

use super::DaySeries;
use super::clues::{Span, marked};
use crate::model::time::HOUR_MS;
use crate::model::{AggregateRow, FactorAggregate, FactorCode, MarkKind, Medium, OutletFactor};
use crate::validate::code;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// Two days with what the checks share.
pub(super) struct Days<'a> {
    pub(super) input: DaySeries<'a>,
    /// Factors of the day, ascending.
    codes: Vec<&'a FactorCode>,
}

impl<'a> Days<'a> {
    pub(super) fn new(input: DaySeries<'a>) -> Self {
        let codes: BTreeSet<&FactorCode> = input
            .hours
            .iter()
            .flat_map(|row| row.factors.keys())
            .collect();
        Self {
            input,
            codes: codes.into_iter().collect(),
        }
    }

    /// Pollutants of the day with their settings.
    pub(super) fn pollutants(&self) -> impl Iterator<Item = (&'a FactorCode, &'a OutletFactor)> {
        let factors = &self.input.outlet.factors;
        let codes = self.codes.iter();
        codes.filter_map(|code| {
            let factor = factors.get(*code).filter(|factor| factor.pollutant)?;
            Some((*code, factor))
        })
    }

    /// Pollutants but pH, which is none of the quantities that grow with the load.
    pub(super) fn concentrations(
        &self,
    ) -> impl Iterator<Item = (&'a FactorCode, &'a OutletFactor)> {
        self.pollutants()
            .filter(|(code, _)| code.as_str() != code::PH)
    }

    /// The factor of an hour where it counts: valid, and no mark of the equipment touches the hour.
    pub(super) fn valid<'r>(
        &self,
        row: &'r AggregateRow,
        code: &str,
    ) -> Option<&'r FactorAggregate> {
        let factor = row.factors.get(code).filter(|factor| factor.valid)?;
        let marks = self.input.marks;
        (marks.is_empty() || !marked(marks, span(row), MarkKind::is_equipment)).then_some(factor)
    }

    /// Its mean.
    pub(super) fn mean(&self, row: &AggregateRow, code: &str) -> Option<Decimal> {
        self.valid(row, code)?.mean
    }

    /// The hours in which a factor counts, with their means.
    pub(super) fn means(&self, code: &str) -> Vec<(&'a AggregateRow, Decimal)> {
        let rows = self.input.hours.iter();
        rows.filter_map(|row| Some((row, self.mean(row, code)?)))
            .collect()
    }

    /// True when a mark of the source (start-up, stopped, ...) touches the hour.
    pub(super) fn source_marked(&self, row: &AggregateRow) -> bool {
        marked(self.input.marks, span(row), |kind| !kind.is_equipment())
    }

    /// What stands for the load: the volume of the hour, else velocity or flow.
    pub(super) fn load(&self, row: &AggregateRow) -> Option<Decimal> {
        row.volume_m3.or_else(|| match self.input.outlet.medium {
            Medium::Gas => self
                .mean(row, code::VELOCITY)
                .or_else(|| self.mean(row, code::GAS_FLOW)),
            Medium::Water => self.mean(row, code::WATER_FLOW),
        })
    }

    /// Neighbouring hours up to the last of the day, the last hour of the day before included.
    pub(super) fn pairs(&self) -> Vec<(&'a AggregateRow, &'a AggregateRow)> {
        let last = self.input.yesterday.last();
        let rows: Vec<&AggregateRow> = last.into_iter().chain(self.input.hours).collect();
        let pairs = rows.iter().zip(rows.iter().skip(1));
        pairs
            .filter(|(a, b)| a.start.plus_ms(HOUR_MS) == b.start)
            .map(|(a, b)| (*a, *b))
            .collect()
    }
}

/// The hour of a row.
pub(super) fn span(row: &AggregateRow) -> Span {
    (row.start, row.start.plus_ms(HOUR_MS))
}

/// From the first of `rows` to the end of the last; `None` without any.
pub(super) fn span_of<'r>(rows: impl IntoIterator<Item = &'r AggregateRow>) -> Option<Span> {
    let mut rows = rows.into_iter();
    let first = rows.next()?;
    let last = rows.last().unwrap_or(first);
    Some((first.start, span(last).1))
}
