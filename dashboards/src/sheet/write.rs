//! Writing a table.

use super::Format;
use axum::response::Response;
use cems_core::model::{Timestamp, UtcOffset};
use chrono::{Datelike, Timelike};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format as Style, Workbook, XlsxError};

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Words.
    Text(String),
    /// A figure; exact in CSV, as near as fifteen digits in XLSX.
    Number(Decimal),
    /// Nothing.
    Empty,
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn of<T: Into<Decimal>>(n: T) -> Self {
        Self::Number(n.into())
    }
}

/// A table as a file; the first row is its heading. `at` is the time it says it was made.
///
/// # Errors
/// When a cell cannot be put down, which texts and figures always can.
pub(crate) fn write(
    format: Format,
    rows: &[Vec<Cell>],
    (at, offset): (Timestamp, UtcOffset),
) -> Result<Vec<u8>, String> {
    match format {
        Format::Csv => write_csv(rows),
        Format::Xlsx => write_xlsx(rows, (at, offset)).map_err(|error| error.to_string()),
    }
}

/// Words that a spreadsheet would take for a formula are put down as words.
fn plain(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn write_csv(rows: &[Vec<Cell>]) -> Result<Vec<u8>, String> {
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .terminator(csv::Terminator::CRLF)
        .from_writer("\u{feff}".as_bytes().to_vec());
    for row in rows {
        let cells = row.iter().map(|cell| match cell {
            Cell::Text(text) => plain(text),
            Cell::Number(number) => number.to_string(),
            Cell::Empty => String::new(),
        });
        writer.write_record(cells).map_err(|e| e.to_string())?;
    }
    writer.into_inner().map_err(|e| e.to_string())
}

/// Widths of columns in characters.
const WIDTH_MIN: usize = 10;
const WIDTH_MAX: usize = 40;

/// A wide character takes the room of two.
fn width(cell: &Cell) -> usize {
    match cell {
        Cell::Text(text) => text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum(),
        Cell::Number(number) => number.to_string().len(),
        Cell::Empty => 0,
    }
}

fn write_xlsx(
    rows: &[Vec<Cell>],
    (at, offset): (Timestamp, UtcOffset),
) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    book.set_properties(&DocProperties::new().set_creation_datetime(&made(at, offset)?));
    let head = Style::new().set_bold();
    let sheet = book.add_worksheet();
    sheet.set_freeze_panes(1, 0)?;
    for (row, cells) in (0u32..).zip(rows) {
        for (column, cell) in (0u16..).zip(cells) {
            match cell {
                Cell::Text(text) if row == 0 => {
                    sheet.write_string_with_format(row, column, text, &head)?;
                }
                Cell::Text(text) => {
                    sheet.write_string(row, column, text)?;
                }
                Cell::Number(number) => match number.to_f64() {
                    Some(float) => {
                        sheet.write_number(row, column, float)?;
                    }
                    None => {
                        sheet.write_string(row, column, number.to_string())?;
                    }
                },
                Cell::Empty => {}
            }
        }
    }
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    for (column, place) in (0u16..).zip(0..columns) {
        let widest = rows
            .iter()
            .filter_map(|row| row.get(place))
            .map(width)
            .max();
        let width = widest
            .unwrap_or(0)
            .saturating_add(2)
            .clamp(WIDTH_MIN, WIDTH_MAX);
        sheet.set_column_width(column, u32::try_from(width).unwrap_or(10))?;
    }
    book.save_to_buffer()
}

/// The time in the file's properties: that of the daemon's clock, never of the machine's.
fn made(at: Timestamp, offset: UtcOffset) -> Result<ExcelDateTime, XlsxError> {
    let local = offset.local(at);
    let year = u16::try_from(local.year())
        .unwrap_or(1900)
        .clamp(1900, 9999);
    let part = |n: u32| u8::try_from(n).unwrap_or(0);
    ExcelDateTime::from_ymd(year, part(local.month()), part(local.day()))?.and_hms(
        u16::try_from(local.hour()).unwrap_or(0),
        part(local.minute()),
        f64::from(local.second()),
    )
}

/// A written table as an answer to be saved under `name` with the format's ending.
pub(crate) fn answer(format: Format, name: &str, content: Vec<u8>) -> Response {
    crate::upload::answer(crate::backend::Upload {
        name: format!("{name}.{}", format.ending()),
        content,
    })
}
