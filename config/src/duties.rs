//! The duties built in (`config/duties/national.toml`) and the working-day calendars built in
//! (`config/tables/holidays/*.toml`, one file a year).

use crate::check;
use crate::report::Report;
use crate::section::Section;
use cems_core::model::{DutyBook, UtcOffset};
use std::path::Path;
use toml::de::DeTable;

/// File name and text of the national table.
pub const NATIONAL: (&str, &str) = ("national.toml", include_str!("../duties/national.toml"));

/// File names and texts of the built-in calendars, by year.
pub const HOLIDAYS: [(&str, &str); 3] = [
    ("2025.toml", include_str!("../tables/holidays/2025.toml")),
    ("2026.toml", include_str!("../tables/holidays/2026.toml")),
    ("2027.toml", include_str!("../tables/holidays/2027.toml")),
];

/// Rows and calendars built in, checked; `offset`: the site's clock, by which days begin.
pub fn builtin(offset: UtcOffset) -> DutyBook {
    let mut report = Report::default();
    let book = read(offset, &mut report).book;
    debug_assert!(!report.has_errors(), "a built-in duty has a problem");
    book
}

/// The same, for files that change them.
pub(crate) fn read(offset: UtcOffset, r: &mut Report) -> check::Rows {
    let mut rows = check::Rows::default();
    let (name, text) = NATIONAL;
    whole(name, text, r, |root, r| rows.add_builtin(root, offset, r));
    for (name, text) in HOLIDAYS {
        whole(name, text, r, |root, r| rows.add_year(root, r));
    }
    rows.builtin_ends();
    rows
}

fn whole(name: &str, text: &str, r: &mut Report, f: impl FnOnce(&Section<'_>, &mut Report)) {
    let file = r.add_source(Path::new(name), text);
    if let Ok(table) = DeTable::parse(text) {
        let root = Section::root(file, &table);
        f(&root, r);
        root.finish(r);
    }
}

#[cfg(test)]
mod tests;
