use super::*;
use cems_core::model::{Timestamp, UtcOffset};
use rust_decimal::Decimal;
use std::io::{Cursor, Write as _};
use zip::write::{SimpleFileOptions, ZipWriter};

const MADE: Timestamp = Timestamp(1_795_314_600_000);

fn cells(rows: &[Row]) -> Vec<(usize, Vec<&str>)> {
    let texts = |row: &Row| -> Vec<String> { row.cells.clone() };
    assert!(rows.iter().all(|row| !texts(row).is_empty()));
    rows.iter()
        .map(|row| (row.number, row.cells.iter().map(String::as_str).collect()))
        .collect()
}

fn table() -> Vec<Vec<Cell>> {
    vec![
        vec![
            Cell::text("采样时间"),
            Cell::text("SO2, mg/m³"),
            Cell::Empty,
        ],
        vec![
            Cell::text("2026-11-22 08:00"),
            Cell::Number("18.50".parse().unwrap()),
            Cell::text("a \"quoted\", line\nand another"),
        ],
        vec![Cell::Empty, Cell::of(3u32), Cell::text("=1+1")],
    ]
}

#[test]
fn what_is_written_is_read_again_in_both_formats() {
    for format in [Format::Csv, Format::Xlsx] {
        let file = write(format, &table(), (MADE, UtcOffset::default())).unwrap();
        let again = write(format, &table(), (MADE, UtcOffset::default())).unwrap();
        assert_eq!(file, again, "the same table is the same file");
        let rows = read(&file).unwrap();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[1].cells[0], "2026-11-22 08:00");
        let value: Decimal = rows[1].cells[1].parse().unwrap();
        assert_eq!(value, "18.5".parse().unwrap());
        assert_eq!(rows[1].cells[2], "a \"quoted\", line\nand another");
        let formula = match format {
            Format::Csv => "'=1+1",
            // A string cell is never computed.
            Format::Xlsx => "=1+1",
        };
        assert_eq!(rows[2].cells, ["", "3", formula]);
    }
}

#[test]
fn csv_of_a_chinese_office_program_is_read() {
    let (gbk, _, _) = encoding_rs::GBK.encode("采样时间;二氧化硫\r\n\r\n2026/11/22 8:00;18,5\r\n");
    let rows = read(&gbk).unwrap();
    assert_eq!(
        cells(&rows),
        [
            (1, vec!["采样时间", "二氧化硫"]),
            (2, vec!["2026/11/22 8:00", "18,5"])
        ]
    );
    let tabs = read("a\tb\n1\t2\n".as_bytes()).unwrap();
    assert_eq!(cells(&tabs), [(1, vec!["a", "b"]), (2, vec!["1", "2"])]);
    assert_eq!(read(b"\xff\xff\xff\x00"), Err(Unreadable("table-no-text")));
    assert_eq!(read(b"").unwrap(), []);
}

#[test]
fn tables_are_bounded_in_every_direction() {
    let code = |bytes: &[u8]| read(bytes).unwrap_err().0;
    assert_eq!(code(&vec![b'a'; TABLE_BYTES_MAX + 1]), "table-too-large");
    assert_eq!(code("1\n".repeat(ROWS_MAX + 1).as_bytes()), "table-rows");
    let wide = format!("{}1\n", ",".repeat(COLUMNS_MAX));
    assert_eq!(code(wide.as_bytes()), "table-columns");
    assert_eq!(code("x".repeat(2_001).as_bytes()), "table-cell");
    assert_eq!(code(b"PK\x03\x04 is no archive"), "table-unreadable");
}

/// An archive with one part of this content.
fn archive(name: &str, part: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(name, SimpleFileOptions::default()).unwrap();
    zip.write_all(part).unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn an_archive_that_unpacks_to_too_much_is_refused_before_it_is_parsed() {
    let bomb = archive("xl/workbook.xml", &vec![b' '; 9 * 1024 * 1024]);
    assert!(bomb.len() < TABLE_BYTES_MAX);
    assert_eq!(read(&bomb), Err(Unreadable("table-too-large")));
    let no_book = archive("hello.txt", b"hello");
    assert_eq!(read(&no_book), Err(Unreadable("table-unreadable")));
}

#[test]
fn a_cell_in_the_last_corner_makes_no_giant_table() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(1_048_575, 16_383, "x").unwrap();
    let file = book.save_to_buffer().unwrap();
    assert_eq!(read(&file), Err(Unreadable("table-rows")));
}

#[test]
fn dates_and_numbers_of_a_spreadsheet_are_what_people_see() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let date = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd hh:mm");
    let sheet = book.add_worksheet();
    let at = rust_xlsxwriter::ExcelDateTime::from_ymd(2026, 11, 22)
        .unwrap()
        .and_hms(8, 30, 0.0)
        .unwrap();
    sheet.write_datetime_with_format(0, 0, &at, &date).unwrap();
    sheet.write_number(0, 1, 0.1 + 0.2).unwrap();
    sheet.write_number(0, 2, 1e-7).unwrap();
    let file = book.save_to_buffer().unwrap();
    let rows = read(&file).unwrap();
    assert_eq!(rows[0].cells, ["2026-11-22 08:30:00", "0.3", "0.0000001"]);
}

#[test]
fn columns_have_the_names_of_office_programs() {
    let names = [0, 25, 26, 51, 52, 701, 702].map(column_name);
    assert_eq!(names, ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
}
