//! Duties with a clock: `[[duty]]` rows and calendars, those built in and those that a province
//! puts in their place.

mod row;

use super::{Taken, holidays, unknown};
use crate::report::{At, Report, say};
use crate::section::{Got, Section};
use cems_core::model::duty::DUTY_RULES_MAX;
use cems_core::model::{DutyBook, DutyId, Registry, UtcOffset};
use std::collections::{BTreeMap, BTreeSet};

/// Rows and calendars as they come in.
#[derive(Default)]
pub(crate) struct Rows {
    /// What is in force.
    pub(crate) book: DutyBook,
    /// Ids of all built-in rows, those switched off included.
    builtin: BTreeSet<String>,
    /// Ids used by own files.
    own: Taken,
    /// Years of own files.
    years: BTreeMap<i32, At>,
}

impl Rows {
    /// Takes the rows of the built-in file.
    pub(crate) fn add_builtin(&mut self, root: &Section<'_>, offset: UtcOffset, r: &mut Report) {
        for s in root.sections(r, "duty") {
            if let Some((id, rule, off)) = row::row(&s, offset, None, r) {
                self.own.claim(r, ("duty", "事项"), &id);
                self.builtin.insert(id.value);
                self.put(rule.filter(|_| !off));
            }
            s.finish(r);
        }
    }

    /// What comes now is of somebody's own, and may replace what came before.
    pub(crate) fn builtin_ends(&mut self) {
        self.own = Taken::default();
        self.years = BTreeMap::new();
    }

    fn put(&mut self, rule: Option<cems_core::model::DutyRule>) {
        if let Some(rule) = rule {
            self.book.rules.insert(rule.id.clone(), rule);
        }
    }

    /// Takes the rows of own files.
    pub(super) fn add_own(&mut self, roots: &[&Section<'_>], registry: &Registry, r: &mut Report) {
        for s in roots
            .iter()
            .flat_map(|root| root.sections(r, "duty"))
            .collect::<Vec<_>>()
        {
            if let Some((id, rule, off)) = row::row(&s, registry.offset, Some(registry), r) {
                self.own.claim(r, ("duty", "事项"), &id);
                self.replace(&id, rule, off, r);
            }
            if self.book.rules.len() > DUTY_RULES_MAX {
                r.error(
                    s.at,
                    say!(
                        "more than {DUTY_RULES_MAX} duties",
                        "事项超过 {DUTY_RULES_MAX} 项"
                    ),
                    say!("take some out", "请删减"),
                );
                return;
            }
            s.finish(r);
        }
    }

    fn replace(
        &mut self,
        id: &Got<String>,
        rule: Option<cems_core::model::DutyRule>,
        off: bool,
        r: &mut Report,
    ) {
        if !off {
            self.put(rule);
            return;
        }
        if !self.builtin.contains(&id.value) {
            unknown(
                r,
                ("built-in duty", "内置事项"),
                id,
                self.builtin.iter().map(String::as_str),
            );
        }
        self.book.rules.remove(&DutyId::new(&id.value));
    }

    /// Takes the calendar of one year.
    pub(crate) fn add_year(&mut self, root: &Section<'_>, r: &mut Report) {
        let Some((year, calendar)) = holidays::year(root, r) else {
            return;
        };
        if let Some(first) = self.years.insert(year.value, year.at) {
            let (value, place) = (year.value, r.place(first));
            r.error(
                year.at,
                say!("the year {value} exists twice", "{value} 年的日历重复"),
                say!("the other one is at {place}", "另一处在 {place}"),
            );
        }
        self.book.calendar.years.insert(year.value, calendar);
    }
}
