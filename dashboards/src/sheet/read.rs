//! Reading a table.

use super::{
    CELL_CHARS_MAX, COLUMNS_MAX, PARTS_MAX, ROWS_MAX, TABLE_BYTES_MAX, UNPACKED_BYTES_MAX,
};
use calamine::{DataRef, Reader, Xlsx};
use encoding_rs::GBK;
use rust_decimal::Decimal;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// One row that is not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its number in the file, counted from 1.
    pub(crate) number: usize,
    /// Its cells, trimmed; empty ones at the end may be missing.
    pub(crate) cells: Vec<String>,
}

/// Why a file cannot be read as a table; the code selects the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the table cannot be read: {0}")]
pub(crate) struct Unreadable(pub(crate) &'static str);

const TOO_LARGE: Unreadable = Unreadable("table-too-large");
const NO_TABLE: Unreadable = Unreadable("table-unreadable");
const NO_TEXT: Unreadable = Unreadable("table-no-text");
const TOO_MANY_ROWS: Unreadable = Unreadable("table-rows");
const TOO_MANY_COLUMNS: Unreadable = Unreadable("table-columns");
const LONG_CELL: Unreadable = Unreadable("table-cell");

/// The rows of a CSV or XLSX file (of its first sheet), recognised by its content.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Row>, Unreadable> {
    if bytes.len() > TABLE_BYTES_MAX {
        return Err(TOO_LARGE);
    }
    if bytes.starts_with(b"PK\x03\x04") {
        read_xlsx(bytes)
    } else {
        read_csv(bytes)
    }
}

/// Rows filled cell by cell.
#[derive(Default)]
struct Filled(BTreeMap<usize, Vec<String>>);

impl Filled {
    fn put(&mut self, row: usize, column: usize, text: &str) -> Result<(), Unreadable> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(());
        }
        if row >= ROWS_MAX {
            return Err(TOO_MANY_ROWS);
        }
        if column >= COLUMNS_MAX {
            return Err(TOO_MANY_COLUMNS);
        }
        if text.chars().count() > CELL_CHARS_MAX {
            return Err(LONG_CELL);
        }
        let cells = self.0.entry(row).or_default();
        if cells.len() <= column {
            cells.resize(column + 1, String::new());
        }
        if let Some(cell) = cells.get_mut(column) {
            text.clone_into(cell);
        }
        Ok(())
    }

    fn rows(self) -> Vec<Row> {
        let rows = self.0.into_iter();
        rows.map(|(place, cells)| Row {
            number: place + 1,
            cells,
        })
        .collect()
    }
}

/// Text as office programs save it: UTF-8, or GBK on a Chinese system.
fn text(bytes: &[u8]) -> Result<Cow<'_, str>, Unreadable> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return if text.contains('\0') {
            Err(NO_TEXT)
        } else {
            Ok(Cow::Borrowed(text))
        };
    }
    let text = GBK.decode_without_bom_handling_and_without_replacement(bytes);
    text.filter(|text| !text.contains('\0')).ok_or(NO_TEXT)
}

/// What stands between cells: the one most often found in the first line.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or("");
    let count = |mark: u8| first.bytes().filter(|byte| *byte == mark).count();
    let marks = [b'\t', b';', b','];
    marks
        .into_iter()
        .max_by_key(|mark| count(*mark))
        .unwrap_or(b',')
}

fn read_csv(bytes: &[u8]) -> Result<Vec<Row>, Unreadable> {
    let text = text(bytes)?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(&text))
        .from_reader(text.as_bytes());
    let mut filled = Filled::default();
    // A line number would count the breaks inside of cells; people see rows.
    for (row, record) in reader.records().enumerate() {
        let record = record.map_err(|_| NO_TABLE)?;
        for (column, cell) in record.iter().enumerate() {
            filled.put(row, column, cell)?;
        }
    }
    Ok(filled.rows())
}

/// Refuses an archive that unpacks to more than a table has. What the archive says of its sizes is
/// not believed: it is unpacked and counted.
fn measure(bytes: &[u8]) -> Result<(), Unreadable> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| NO_TABLE)?;
    if archive.len() > PARTS_MAX {
        return Err(TOO_LARGE);
    }
    let mut room = UNPACKED_BYTES_MAX;
    for place in 0..archive.len() {
        let part = archive.by_index(place).map_err(|_| NO_TABLE)?;
        let mut part = part.take(room + 1);
        let size = std::io::copy(&mut part, &mut std::io::sink()).map_err(|_| NO_TABLE)?;
        room = room.checked_sub(size).ok_or(TOO_LARGE)?;
    }
    Ok(())
}

fn read_xlsx(bytes: &[u8]) -> Result<Vec<Row>, Unreadable> {
    measure(bytes)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| NO_TABLE)?;
    let names = book.sheet_names();
    let name = names.first().ok_or(NO_TABLE)?;
    // Cell by cell: a sheet with one cell in its last corner must not become a table of that size.
    let mut cells = book.worksheet_cells_reader(name).map_err(|_| NO_TABLE)?;
    let mut filled = Filled::default();
    while let Some(cell) = cells.next_cell().map_err(|_| NO_TABLE)? {
        let (row, column) = cell.get_position();
        let place = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        filled.put(place(row), place(column), &shown(cell.get_value()))?;
    }
    Ok(filled.rows())
}

/// A cell as a person sees it.
fn shown(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(n) => n.to_string(),
        DataRef::Float(n) => number(*n),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTime(at) => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
        }
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// A number with the fifteen digits that spreadsheets keep; what is beyond them is an artefact of
/// binary fractions that nobody entered.
fn number(n: f64) -> String {
    let written = format!("{n:.14e}");
    Decimal::from_scientific(&written).map_or(written, |exact| exact.normalize().to_string())
}
