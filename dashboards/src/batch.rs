//! Manual reports of one table: every row a report, every problem with its row and column.

use crate::app::Visit;
use crate::backend::{BackendError, REPORTS_MAX};
use crate::format::unit;
use crate::pages::{check_report, error_text};
use crate::refusal::of_action;
use crate::sheet::{Cell, Row, Unreadable, column_name, read};
use crate::text::{Lang, Words};
use cems_core::engine::check;
use cems_core::model::{
    FactorCode, ManualReport, ManualValue, Outlet, OutletFactor, Registry, Timestamp, UserId,
    UtcOffset,
};
use chrono::{DateTime, NaiveDateTime};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// Problems that are shown; a table with more has a fault that the first ones show.
pub(crate) const PROBLEMS_MAX: usize = 100;

/// Ways to write a time without its offset: by the site's clock.
const TIMES: [&str; 8] = [
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y.%m.%d %H:%M",
];

/// Columns besides those of factors: the name in a heading and the key of its text.
const FIELDS: [(Field, &str, &str); 5] = [
    (Field::SampledAt, "sampled_at", "sampled-at"),
    (Field::Sampler, "sampler", "sampler"),
    (Field::Method, "method", "method"),
    (Field::Laboratory, "laboratory", "laboratory"),
    (Field::Note, "note", "remarks"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    SampledAt,
    Sampler,
    Method,
    Laboratory,
    Note,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Field(Field),
    Factor(FactorCode),
}

/// Something wrong with a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Row as the file counts them, from 1; `None`: the file as a whole.
    pub(crate) row: Option<usize>,
    /// Column as office programs name them; `None`: the whole row.
    pub(crate) column: Option<String>,
    /// What is wrong, in the reader's language.
    pub(crate) text: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.row, &self.column) {
            (Some(row), Some(column)) => write!(f, "{column}{row}: {}", self.text),
            (Some(row), None) => write!(f, "{row}: {}", self.text),
            (None, _) => f.write_str(&self.text),
        }
    }
}

/// Where and for whom a table is read.
pub(crate) struct Reading<'a> {
    pub(crate) outlet: &'a Outlet,
    pub(crate) registry: &'a Registry,
    pub(crate) words: Words,
    pub(crate) by: UserId,
    pub(crate) now: Timestamp,
}

impl<'a> Reading<'a> {
    pub(crate) fn of(visit: &'a Visit, outlet: &'a Outlet) -> Self {
        Self {
            outlet,
            registry: &visit.registry,
            words: visit.words,
            by: visit.actor.user.clone(),
            now: visit.times.now,
        }
    }

    /// The reports of a file, or everything that is wrong with it.
    pub(crate) fn read(&self, bytes: &[u8]) -> Result<Vec<ManualReport>, Vec<Problem>> {
        let rows = read(bytes).map_err(|Unreadable(code)| vec![self.of_file(code, "")])?;
        let Some((head, rows)) = rows.split_first() else {
            return Err(vec![self.of_file("table-no-rows", "")]);
        };
        let (columns, mut problems) = self.columns(head);
        if rows.is_empty() {
            problems.push(self.of_file("table-no-rows", ""));
        }
        if rows.len() > REPORTS_MAX {
            problems.push(self.of_file("table-rows", &REPORTS_MAX.to_string()));
        }
        let mut reports = Vec::new();
        // With columns that are not understood every row would be wrong.
        if problems.is_empty() {
            let mut seen = BTreeMap::new();
            for row in rows {
                match self.report(row, &columns) {
                    Ok(report) => {
                        let at = report.sampled_at;
                        if let Some(other) = seen.insert(at, row.number) {
                            let text = self.say("table-same-time", &other.to_string());
                            problems.push(at_row(row, None, text));
                        }
                        reports.push(report);
                    }
                    Err(mut found) => problems.append(&mut found),
                }
            }
        }
        if problems.is_empty() {
            Ok(reports)
        } else {
            Err(problems)
        }
    }

    fn say(&self, code: &str, detail: &str) -> String {
        self.words
            .with(&format!("action-{code}"), &[("detail", detail)])
    }

    fn of_file(&self, code: &str, detail: &str) -> Problem {
        Problem {
            row: None,
            column: None,
            text: self.say(code, detail),
        }
    }

    /// What the columns hold, by place.
    fn columns(&self, head: &Row) -> (BTreeMap<usize, Column>, Vec<Problem>) {
        let mut columns = BTreeMap::new();
        let mut known = BTreeSet::new();
        let mut problems = Vec::new();
        for (place, title) in head.cells.iter().enumerate().filter(|(_, t)| !t.is_empty()) {
            let column = match self.column(title) {
                None => Err("table-unknown-column"),
                Some(column) if !known.insert(column.clone()) => Err("table-repeated-column"),
                Some(column) => Ok(column),
            };
            match column {
                Ok(column) => {
                    columns.insert(place, column);
                }
                Err(code) => problems.push(at_row(head, Some(place), self.say(code, title))),
            }
        }
        for (field, _, key) in FIELDS {
            let needed = matches!(field, Field::SampledAt | Field::Sampler | Field::Method);
            if needed && !known.contains(&Column::Field(field)) {
                let text = self.say("table-missing-column", &self.words.t(key));
                problems.push(at_row(head, None, text));
            }
        }
        (columns, problems)
    }

    /// A column by its title in either language, by its name, or by the code of a factor in it.
    fn column(&self, title: &str) -> Option<Column> {
        let same = |name: &str| title.eq_ignore_ascii_case(name);
        let field = FIELDS.into_iter().find(|(_, name, key)| {
            let titles = [Lang::Zh, Lang::En].map(|lang| Words(lang).t(key));
            same(name) || titles.iter().any(|title| same(title))
        });
        if let Some((field, ..)) = field {
            return Some(Column::Field(field));
        }
        let factors = &self.outlet.factors;
        let mut parts = title.split(|c: char| !c.is_ascii_alphanumeric());
        let code = parts.find_map(|part| factors.get_key_value(part.to_ascii_lowercase().as_str()));
        let named = || {
            let named = |f: &&OutletFactor| same(&f.name_zh) || same(&f.name_en);
            factors.values().find(named).map(|f| f.code.clone())
        };
        let code = code.map(|(code, _)| code.clone()).or_else(named);
        code.map(Column::Factor)
    }

    fn report(
        &self,
        row: &Row,
        columns: &BTreeMap<usize, Column>,
    ) -> Result<ManualReport, Vec<Problem>> {
        let mut report = ManualReport {
            outlet: self.outlet.id.clone(),
            sampled_at: Timestamp::default(),
            sampler: String::new(),
            method: String::new(),
            laboratory: String::new(),
            values: Vec::new(),
            note: String::new(),
            attachments: Vec::new(),
            corrects: None,
            by: self.by.clone(),
        };
        let mut problems = Vec::new();
        for (place, text) in row.cells.iter().enumerate() {
            if let Err(error) = self.cell(&mut report, columns.get(&place), text) {
                let text = error_text(self.words, &error);
                problems.push(at_row(row, Some(place), text));
            }
        }
        let timed = columns.iter().any(|(place, column)| {
            *column == Column::Field(Field::SampledAt)
                && row.cells.get(*place).is_some_and(|text| !text.is_empty())
        });
        if !timed {
            let text = self.say("field-empty", &self.words.t("sampled-at"));
            problems.push(at_row(row, None, text));
        }
        if problems.is_empty() {
            let sound = check_report(&report).and_then(|()| {
                check::manual_report(&report, self.registry, self.now)
                    .map_err(|error| of_action(&error, self.registry.offset))
            });
            if let Err(error) = sound {
                problems.push(at_row(row, None, error_text(self.words, &error)));
            }
        }
        if problems.is_empty() {
            Ok(report)
        } else {
            Err(problems)
        }
    }

    fn cell(
        &self,
        report: &mut ManualReport,
        column: Option<&Column>,
        text: &str,
    ) -> Result<(), BackendError> {
        if text.is_empty() {
            return Ok(());
        }
        match column {
            None => return Err(crate::refusal::refused("table-no-column", text)),
            Some(Column::Field(Field::SampledAt)) => {
                report.sampled_at = instant(text, self.registry.offset)
                    .ok_or_else(|| crate::refusal::refused("time-unreadable", text))?;
            }
            Some(Column::Field(Field::Sampler)) => text.clone_into(&mut report.sampler),
            Some(Column::Field(Field::Method)) => text.clone_into(&mut report.method),
            Some(Column::Field(Field::Laboratory)) => text.clone_into(&mut report.laboratory),
            Some(Column::Field(Field::Note)) => text.clone_into(&mut report.note),
            Some(Column::Factor(factor)) => {
                let value = Decimal::from_str_exact(text)
                    .map_err(|_| crate::refusal::refused("value-unreadable", text))?;
                report.values.push(ManualValue {
                    factor: factor.clone(),
                    value,
                });
            }
        }
        Ok(())
    }
}

fn at_row(row: &Row, place: Option<usize>, text: String) -> Problem {
    Problem {
        row: Some(row.number),
        column: place.map(column_name),
        text,
    }
}

/// A time as people write it: with its offset, or by the site's clock.
fn instant(text: &str, offset: UtcOffset) -> Option<Timestamp> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(Timestamp(at.timestamp_millis()));
    }
    let local = TIMES
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    local.map(|local| offset.instant(local))
}

/// The heading of a table to be filled in for an outlet: fields, and its pollutants with code and
/// unit.
pub(crate) fn template(outlet: &Outlet, words: Words) -> Vec<Vec<Cell>> {
    let title = |key: &str| Cell::text(words.t(key));
    let before = FIELDS.iter().filter(|(field, ..)| *field != Field::Note);
    let mut head: Vec<Cell> = before.map(|(_, _, key)| title(key)).collect();
    let pollutants = outlet.factors.values().filter(|f| f.pollutant);
    head.extend(pollutants.map(|f| {
        let name = words.pick(&f.name_zh, Some(&f.name_en));
        let unit = unit(&f.unit);
        let unit = if unit.is_empty() {
            String::new()
        } else {
            format!(" ({unit})")
        };
        Cell::text(format!("{name} {}{unit}", f.code))
    }));
    head.push(title("remarks"));
    vec![head]
}

#[cfg(test)]
mod tests;
