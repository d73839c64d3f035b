//! Tables as files: CSV and XLSX, read from people and written for them.
//!
//! A table that is read is bounded in every direction before a cell is looked at: bytes, what it
//! unpacks to, rows, columns, characters of a cell. Numbers are taken as the text that a person
//! sees, so that no binary fraction gets on the way to a verdict.

mod read;
mod write;

pub(crate) use read::{Row, Unreadable, read};
pub(crate) use write::{Cell, answer, write};

/// Bytes of an uploaded table: two hundred rows of thirty columns take a third of it.
pub(crate) const TABLE_BYTES_MAX: usize = 128 * 1024;
/// Bytes that an XLSX file may unpack to, all parts together.
const UNPACKED_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Parts of an XLSX file; a plain one has ten.
const PARTS_MAX: usize = 128;
/// Rows with their heading; more are not looked at.
pub(crate) const ROWS_MAX: usize = 256;
/// Columns; a permit lists fewer factors for one outlet.
pub(crate) const COLUMNS_MAX: usize = 128;
/// Characters of a cell.
const CELL_CHARS_MAX: usize = 2_000;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Comma-separated, UTF-8 with a mark at the beginning, so that office programs see it.
    Csv,
    /// Office Open XML.
    Xlsx,
}

impl Format {
    /// The format of that name; CSV when none is given.
    pub(crate) fn named(name: Option<&str>) -> Option<Self> {
        match name {
            None | Some("csv") => Some(Self::Csv),
            Some("xlsx") => Some(Self::Xlsx),
            Some(_) => None,
        }
    }

    /// The end of its file names.
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }
}

/// The name of a column as office programs write it: A, B, …, Z, AA, …
pub(crate) fn column_name(mut place: usize) -> String {
    let mut name = Vec::new();
    loop {
        let letter = u8::try_from(place % 26).unwrap_or(0);
        name.push(char::from(b'A' + letter));
        if place < 26 {
            break;
        }
        place = place / 26 - 1;
    }
    name.iter().rev().collect()
}

#[cfg(test)]
mod tests;
