//! The rule profiles built in (`config/profiles/*.toml`), one version a file.

use crate::check;
use crate::report::Report;
use crate::section::Section;
use cems_core::model::{Profile, UtcOffset};
use std::path::Path;
use toml::de::DeTable;

/// Name and text of a built-in file.
macro_rules! file {
    ($id:literal) => {
        (
            concat!($id, ".toml"),
            include_str!(concat!("../profiles/", $id, ".toml")),
        )
    };
}

/// File names and texts of the built-in profiles.
pub const BUILTIN: [(&str, &str); 9] = [
    file!("hj75-2017@1"),
    file!("hj75-2017@2"),
    file!("gb18485@1"),
    file!("hj356-2019@1"),
    file!("hj356-2019@2"),
    file!("hjt356-2007@1"),
    file!("annex-d@1"),
    file!("eu-ied@1"),
    file!("eu-ied-waste@1"),
];

/// The built-in profiles, checked, with the dates of their versions by the usual clock (+08:00).
pub fn builtin() -> Vec<Profile> {
    builtin_at(UtcOffset::default())
}

/// The same by the clock of a site: a version begins with a day there.
pub fn builtin_at(offset: UtcOffset) -> Vec<Profile> {
    let mut report = Report::default();
    let mut out = Vec::new();
    for (name, text) in BUILTIN {
        let file = report.add_source(Path::new(name), text);
        if let Ok(table) = DeTable::parse(text) {
            let root = Section::root(file, &table);
            out.extend(check::profile(&root, offset, &mut report));
            root.finish(&mut report);
        }
    }
    out
}

#[cfg(test)]
mod tests;
