//! Checks of series (线索): an hour from its records, a day from its hours. Each is a pure function
//! of what it is given; the outcome depends on nothing else, comes in the order of the catalogue,
//! then by factor and time, and is bounded by [`CLUES_PER_CHECK_MAX`].

mod clock;
mod clues;
mod complete;
mod constant;
mod days;
mod dilution;
mod figures;
mod flow;
mod hugging;
mod jump;
mod ph;
mod range;
mod reported;
mod running;
mod table;

pub use clues::CLUES_PER_CHECK_MAX;
pub use constant::is_constant;
pub use dilution::{Dilution, is_diluted};
pub use figures::{
    differs, is_share, last_place, longest_run, percent_of, percentile, spread, tolerance, variance,
};
pub use ph::{PhMovement, ph_movement};

pub(super) use clues::{Clues, Evidence};
pub(super) use table::{Column, Table};

use super::record;
use crate::model::{AggregateRow, Clue, MarkKind, Outlet, Profile, RecordRow, Timestamp};
use days::Days;
use std::slice;

/// A mark that has its effect: kind, first instant, first instant after it.
pub type MarkSpan = (MarkKind, Timestamp, Timestamp);

/// An hour with everything that is looked at.
#[derive(Debug, Clone, Copy)]
pub struct HourSeries<'a> {
    /// Whose.
    pub outlet: &'a Outlet,
    /// By which thresholds.
    pub profile: &'a Profile,
    /// First instant of the hour.
    pub from: Timestamp,
    /// First instant after it.
    pub until: Timestamp,
    /// Its minute records, else its real-time records, ascending by time.
    pub rows: &'a [RecordRow],
    /// The station's own record of the hour.
    pub reported: Option<&'a RecordRow>,
    /// The hour as computed here.
    pub hour: &'a AggregateRow,
    /// Marks that touch it and have their effect.
    pub marks: &'a [MarkSpan],
}

/// A day with everything that is looked at.
#[derive(Debug, Clone, Copy)]
pub struct DaySeries<'a> {
    /// Whose.
    pub outlet: &'a Outlet,
    /// By which thresholds.
    pub profile: &'a Profile,
    /// First instant of the day.
    pub from: Timestamp,
    /// First instant after it.
    pub until: Timestamp,
    /// Its hours as computed here, ascending by time.
    pub hours: &'a [AggregateRow],
    /// Those of the day before, ascending by time.
    pub yesterday: &'a [AggregateRow],
    /// The station's own record of the day.
    pub reported: Option<&'a RecordRow>,
    /// Marks that touch either day and have their effect.
    pub marks: &'a [MarkSpan],
}

/// What the checks of an hour share.
struct Hour<'a> {
    input: HourSeries<'a>,
    table: Table<'a>,
}

/// The checks of an hour's records, one function for each entry or two of the catalogue.
const HOUR_CHECKS: [fn(&Hour<'_>, &mut Clues<'_>); 11] = [
    range::at_the_top,
    range::below_detection,
    complete::hour,
    reported::hour,
    constant::minutes,
    ph::step,
    running::zero_while_running,
    running::stopped_but_emitting,
    range::truncated,
    flow::off_theory,
    clock::times,
];

/// The checks of a day's hours.
const DAY_CHECKS: [fn(&Days<'_>, &mut Clues<'_>); 11] = [
    complete::day,
    reported::day,
    reported::sums,
    constant::hours,
    constant::repeated,
    ph::flat,
    flow::implausible,
    jump::steps,
    jump::together,
    dilution::hours,
    hugging::hours,
];

/// The clues of an hour: of its records, of the station's own hour record, and of the hour as a
/// whole.
pub fn hour_clues(input: &HourSeries<'_>) -> Vec<Clue> {
    let rules = (input.outlet, input.profile);
    let hour = Hour {
        input: *input,
        table: Table::new(input.rows, input.until, rules, input.marks),
    };
    let mut clues = Clues::new(input.profile);
    record::check(&hour.table, rules, true, &mut clues);
    for check in HOUR_CHECKS {
        check(&hour, &mut clues);
    }
    if let Some(row) = input.reported {
        let table = Table::new(slice::from_ref(row), input.until, rules, input.marks);
        record::check(&table, rules, input.rows.is_empty(), &mut clues);
    }
    clues.finish()
}

/// The clues of a day: of its hours, and of the station's own day record.
pub fn day_clues(input: &DaySeries<'_>) -> Vec<Clue> {
    let rules = (input.outlet, input.profile);
    let days = Days::new(*input);
    let mut clues = Clues::new(input.profile);
    for check in DAY_CHECKS {
        check(&days, &mut clues);
    }
    if let Some(row) = input.reported {
        let table = Table::new(slice::from_ref(row), input.until, rules, input.marks);
        record::check(&table, rules, false, &mut clues);
    }
    clues.finish()
}
