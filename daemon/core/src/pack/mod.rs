//! The hours of one outlet in one local month as one block of bytes (`PackRow::body`).
//!
//! A pack holds everything that the rows of the hours hold, exactly, column by column, so that
//! whoever reads many hours (substitution looking back, recomputation, charts) reads only the
//! columns he needs and parses no row. [`Pack::rows`] gives the rows back as they were; trailing
//! zeros of decimals are the only thing lost. The bytes depend on the set of rows alone, not on the
//! order in which days were put in.
//!
//! Figures that follow from others are not stored (`rule`): a mean of minutes is a short sum over
//! its valid minutes, a converted mean follows by formula (28), an amount by formula (33). The
//! constants are read off the figures themselves, and each figure is tried: one that the rule does
//! not give exactly is stored. So a pack needs neither registry nor profile to be read, and a
//! change of either does not change what it says.
//!
//! Measured (`benches/year`) on 744 hours of ten factors made of minutes, bytes for a factor and
//! hour, everything included; the second figure without least and greatest values:
//!
//! | | packed | | JSON |
//! | --- | --- | --- | --- |
//! | stack: five pollutants, oxygen, velocity, state | 5.4 | 3.2 | 263 |
//! | discharge: flow, pH, eight others | 6.4 | 4.2 | 200 |
//!
//! Reading takes some 25 ns (validity) to 100 ns (amounts) an hour and factor, writing a whole
//! month some milliseconds: days are put in when they are over, not after each hour.
//!
//! ```text
//! 1 version
//! outlet, number of hours
//! texts: profiles; reasons of invalidity
//! number of columns, length of each
//! columns of the hours:  start origin complete volume profile received due seq
//! factors, ascending: code and columns: present mean converted min max amount reported
//!                     substituted valid valid-units due stopped exempt reason verdicts
//! the columns themselves: see `whole`, `figure`, `verdict`
//! 8 check sum
//! ```
//!
//! Numbers are of variable length, seven bits a byte, lowest first; texts have their length before
//! them. Columns are named by number, and equal ones are the same column. Whatever the bytes are,
//! reading ends with rows or an error, within memory bounded by [`HOURS_MAX`], [`FACTORS_MAX`] and
//! [`VERDICTS_MAX`].

mod bytes;
mod columns;
mod figure;
mod read;
mod rule;
mod verdict;
mod whole;
mod write;

pub use columns::{FactorColumns, HourColumns, Want};
pub use read::Pack;
pub use verdict::Verdicts;

use crate::model::AggregateRow;

/// Version of the layout, the first byte.
pub const VERSION: u8 = 1;
/// Most hours of a pack; a month has 744.
pub const HOURS_MAX: usize = 1_024;
/// Most factors of a pack.
pub const FACTORS_MAX: usize = 512;
/// Most verdicts of limits on a factor in an hour.
pub const VERDICTS_MAX: usize = 64;

const HOUR_COLUMNS: usize = 8;
const FACTOR_COLUMNS: usize = 15;

/// What is wrong with a pack, or with rows to be packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// Written by another version.
    #[error("packed hours are of another version: {0}")]
    Version(u8),
    /// A part is written in a form that is not known.
    #[error("packed hours have a part of unknown form: {0}")]
    Form(u8),
    /// The bytes are not what was written.
    #[error("packed hours are damaged: {0}")]
    Damaged(&'static str),
    /// Rows to be packed are not hours of one outlet.
    #[error("rows to be packed are not hours of one outlet")]
    Mixed,
    /// More hours, factors or limits than a month of an outlet can have.
    #[error("too many hours, factors or limits to be packed")]
    TooMany,
}

impl Pack<'_> {
    /// Packs the hours of one outlet. Of two rows of the same hour the later in the list counts.
    ///
    /// # Errors
    /// When they are not all hours of one outlet, or more than a month has.
    pub fn of(rows: &[AggregateRow]) -> Result<Vec<u8>, PackError> {
        write::pack(rows)
    }
}

/// The pack with the hours of a day put in; hours that it had are replaced, others kept. An empty
/// `body` is a month of which nothing is known yet.
///
/// # Errors
/// When the body is damaged, or rows are not hours of its outlet.
pub fn replace_day(body: &[u8], day: &[AggregateRow]) -> Result<Vec<u8>, PackError> {
    let known = match body {
        [] => Vec::new(),
        _ => Pack::open(body)?.rows()?,
    };
    write::pack(known.iter().chain(day))
}

#[cfg(test)]
mod tests;
