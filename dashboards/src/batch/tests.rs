use super::*;
use crate::backend::Backend;
use crate::canned::Canned;
use crate::sheet::{Format, write};
use std::sync::Arc;

/// The canned city's outlet with three pollutants and more.
const OUTLET: &str = "yt-01";

struct Desk {
    registry: Arc<Registry>,
    now: Timestamp,
}

impl Desk {
    fn new() -> Self {
        let canned = Canned::new();
        Self {
            registry: canned.registry(),
            now: canned.now(),
        }
    }

    fn outlet(&self) -> &Outlet {
        &self.registry.outlets[OUTLET]
    }

    fn reading(&self) -> Reading<'_> {
        Reading {
            outlet: self.outlet(),
            registry: &self.registry,
            words: Words(Lang::En),
            by: UserId::new("yunwei"),
            now: self.now,
        }
    }

    fn problems(&self, csv: &str) -> Vec<String> {
        let found = self.reading().read(csv.as_bytes()).unwrap_err();
        found.iter().map(ToString::to_string).collect()
    }

    /// A time of today by the site's clock.
    fn at(&self, hour: u32) -> String {
        let local = self.registry.offset.local(self.now);
        format!("{} {hour:02}:00", local.format("%Y-%m-%d"))
    }
}

#[test]
fn the_template_filled_in_is_read_in_both_formats_and_languages() {
    let desk = Desk::new();
    for lang in [Lang::Zh, Lang::En] {
        let mut table = template(desk.outlet(), Words(lang));
        let columns = table[0].len();
        assert_eq!(
            columns,
            5 + desk
                .outlet()
                .factors
                .values()
                .filter(|f| f.pollutant)
                .count()
        );
        let mut row = vec![Cell::Empty; columns];
        for (place, text) in [
            desk.at(8),
            "采样员".into(),
            "HJ 57-2017".into(),
            String::new(),
        ]
        .into_iter()
        .enumerate()
        {
            row[place] = Cell::text(text);
        }
        row[4] = Cell::Number("12.50".parse().unwrap());
        table.push(row);
        for format in [Format::Csv, Format::Xlsx] {
            let file = write(format, &table, (desk.now, desk.registry.offset)).unwrap();
            let reports = desk.reading().read(&file).unwrap();
            assert_eq!(reports.len(), 1);
            let report = &reports[0];
            assert_eq!(report.values.len(), 1);
            assert_eq!(report.values[0].value, "12.5".parse().unwrap());
            let first = desk
                .outlet()
                .factors
                .values()
                .find(|f| f.pollutant)
                .unwrap();
            assert_eq!(report.values[0].factor, first.code);
            let local = desk.registry.offset.local(report.sampled_at);
            assert_eq!(local.format("%H:%M").to_string(), "08:00");
        }
    }
}

#[test]
fn every_problem_is_named_at_once_with_its_place() {
    let desk = Desk::new();
    let (eight, noon) = (desk.at(8), desk.at(12));
    let csv = format!(
        "sampled_at,sampler,method,a21026,note\n\
         {eight},甲,HJ 57-2017,14,\n\
         yesterday,甲,HJ 57-2017,14,\n\
         {noon},,HJ 57-2017,1e3,\n\
         {eight},乙,HJ 57-2017,15,,more\n\
         {noon},乙,HJ 57-2017,,\n\
         2099-01-01 00:00,乙,HJ 57-2017,1,\n"
    );
    let found = desk.problems(&csv);
    let starts = ["A3: ", "D4: ", "F5: ", "6: ", "7: "];
    assert_eq!(found.len(), starts.len(), "{found:?}");
    for (line, start) in found.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    assert!(found[0].contains("yesterday") && found[2].contains("more"));
}

#[test]
fn columns_that_are_not_known_missing_or_twice_are_named_before_any_row() {
    let desk = Desk::new();
    let found = desk.problems("sampled_at,a21026,SO2 a21026,colour\nx,1,2,3\n");
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[0].starts_with("C1: ") && found[1].starts_with("D1: "));
    assert!(found[2].starts_with("1: ") && found[3].starts_with("1: "));
    assert_eq!(desk.problems("").len(), 1);
    assert_eq!(desk.problems("sampled_at,sampler,method\n").len(), 1);
    assert_eq!(desk.problems("\u{0}").len(), 1);
}

#[test]
fn the_same_sampling_time_twice_is_a_slip() {
    let desk = Desk::new();
    let eight = desk.at(8);
    let found = desk.problems(&format!(
        "sampled_at,sampler,method,a21026\n{eight},甲,m,1\n{eight},甲,m,2\n"
    ));
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("3: ") && found[0].contains('2'),
        "{found:?}"
    );
}

#[test]
fn times_are_read_as_people_write_them() {
    let offset = UtcOffset::default();
    let wanted = instant("2026-11-22 08:30", offset).unwrap();
    for text in [
        "2026-11-22 08:30:00",
        "2026/11/22 8:30",
        "2026-11-22T08:30",
        "2026年11月22日 08:30",
        "2026-11-22T00:30:00Z",
        "2026-11-22T08:30:00+08:00",
    ] {
        assert_eq!(instant(text, offset), Some(wanted), "{text}");
    }
    for text in [
        "2026-11-22",
        "08:30",
        "22.11.2026 08:30",
        "2026-13-01 00:00",
    ] {
        assert_eq!(instant(text, offset), None, "{text}");
    }
}
