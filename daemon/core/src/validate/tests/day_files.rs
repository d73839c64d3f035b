//! The invented days of `testdata/`: what the checks say of them, hour by hour. `BLESS=1` writes
//! the file; the difference is read like code.

use super::bench::{city, stored};
use crate::aggregate::{HourInput, from_minutes, hour};
use crate::fixture::*;
use crate::model::rows::AggregateOrigin;
use crate::model::*;
use crate::validate::{DaySeries, HourSeries, check, day_clues, hour_clues};
use std::fmt::Write;
use std::path::Path;

fn line(clue: &Clue, out: &mut String) {
    let offset = UtcOffset::default();
    let hour = |at: Timestamp| offset.local(at).format("%dT%H:%M").to_string();
    let entry = check(&clue.check.0).unwrap();
    let factor = clue.factor.as_ref().map_or("-", FactorCode::as_str);
    write!(out, "{} {} {factor} ", entry.number, entry.code).unwrap();
    write!(out, "{}/{}", hour(clue.from), hour(clue.until)).unwrap();
    for (name, value) in &clue.evidence {
        write!(out, " {name}={value}").unwrap();
    }
    out.push('\n');
}

/// Aggregates the day hour by hour and writes down every clue.
fn clues_of(records: &[Record], out: &mut String) {
    let city = city();
    let outlet = &city.outlets[&records[0].outlet];
    let profile = city.profile_at(outlet, minute(0)).unwrap();
    let stored: Vec<RecordRow> = records
        .iter()
        .zip(1..)
        .map(|(record, seq)| stored(record.clone(), &city, seq))
        .collect();
    let mut hours = Vec::new();
    writeln!(out, "# {}", outlet.id).unwrap();
    for n in 0..24 {
        let (from, until) = (minute(60 * n), minute(60 * (n + 1)));
        let rows: Vec<RecordRow> = stored
            .iter()
            .filter(|row| from <= row.start && row.start < until)
            .cloned()
            .collect();
        let slots = from_minutes(&rows, until, 1, profile);
        let figures = hour(&HourInput {
            outlet,
            profile,
            slots: &slots,
            origin: AggregateOrigin::Computed,
        });
        let row = AggregateRow {
            outlet: outlet.id.clone(),
            level: Level::Hour,
            start: from,
            origin: AggregateOrigin::Computed,
            complete: true,
            volume_m3: figures.volume_m3,
            factors: figures.factors,
            profile: profile.id.clone(),
            received: u32::try_from(rows.len()).unwrap(),
            due: 60,
            seq: figures.seq,
            superseded: 0,
        };
        let clues = hour_clues(&HourSeries {
            outlet,
            profile,
            from,
            until,
            rows: &rows,
            reported: None,
            hour: &row,
            marks: &[],
        });
        clues.iter().for_each(|clue| line(clue, out));
        hours.push(row);
    }
    writeln!(out, "## day").unwrap();
    let clues = day_clues(&DaySeries {
        outlet,
        profile,
        from: minute(0),
        until: minute(24 * 60),
        hours: &hours,
        yesterday: &[],
        reported: None,
        marks: &[],
    });
    clues.iter().for_each(|clue| line(clue, out));
}

#[test]
fn the_days_give_the_clues_that_were_read() {
    let mut out = String::new();
    clues_of(&gas_day(), &mut out);
    clues_of(&water_day(), &mut out);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/day-clues.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &out).unwrap();
    }
    let read = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(read, out, "bless with BLESS=1 after reading the difference");
}
