//! Records of a station, formed from the samples of its own instruments (HJ 212-2017 annex D,
//! HJ 75-2017).
//!
//! | part | what |
//! | --- | --- |
//! | [`Forming`] | which intervals are open at an outlet, and what was sampled in them |
//! | `meter` | samples of one factor: how long each speaks for, what counts, the flag |
//! | `minute` | real-time and minute records from meters |
//! | `longer` | hour records from minute records, day records from hours |
//!
//! **Intervals** lie on the site's clock, from local midnight. DataTime is their start; that of a
//! real-time record is the instant its interval ends. An interval in which the outlet was not
//! sampled at all forms nothing: what was not seen while nobody looked (a stopped daemon, a lost
//! poller) is a gap, never an invention. Where other factors were sampled, a silent one is `B`.
//!
//! **How long a sample speaks.** For the time since the one before, but not for more than twice the
//! interval before that ([`COVER_MIN_MS`] at least, [`COVER_MAX_MS`] at most). So the annex's count
//! of 5 s samples (12 a minute, 120 in ten) becomes a share of the interval that holds for every
//! poll period, is not upset by a poll that comes a moment early or late, and shows silence.
//!
//! **Flags** (HJ 212-2017 table 8). Stack gas: at least [`GAS_NORMAL_PCT`] of the interval is
//! normal, else the flag that prevailed. Waste water: one abnormal value makes the minute abnormal,
//! then the hour, then the day. `B` is no abnormal value but a missing one: a minute of water bears
//! [`WATER_SILENCE_PCT`] of it, because 120 samples in ten minutes leave no room for a clock, and
//! hours and days bear what leaves enough valid minutes and hours. The thresholds of hour and day
//! are those of the outlet's profile. Silence is `B`. A prevailing flag is the one that lasted
//! longest; of equals the first of [`PRECEDENCE`].
//!
//! **Values.** `-Avg` is in the state in which the analyser reports (registry: basis), because that
//! is what a receiver expects under the factor; `-ZsAvg`, volumes and amounts go through the dry
//! standard state by the formulas that judge received records as well, so a formed hour is the
//! engine's own hour. An interval that is not normal shows the mean of its normal samples, else of
//! what was read, beside its flag. Values are exact (12 places); they are rounded to the factor's
//! decimals, half to even, only when they are sent.

mod forming;
mod longer;
mod marks;
mod meter;
mod minute;
mod span;

pub use forming::{Forming, Rules};
pub use longer::{day, hour};
pub use span::Span;

use crate::model::time::{HOUR_MS, MINUTE_MS, SECOND_MS};

/// The sampling interval of annex D, assumed until two samples of a factor have been seen.
pub const PERIOD_MS: i64 = 5 * SECOND_MS;

/// A sample always speaks for the time since the one before up to this: one lost poll of 5 s.
pub const COVER_MIN_MS: i64 = 2 * PERIOD_MS;

/// No sample speaks for more than this, however slow the poll: two equal outages must not look
/// like a poll period.
pub const COVER_MAX_MS: i64 = 10 * MINUTE_MS;

/// Normal share that an interval of stack gas needs, percent (annex D: 75 %; 9 of 12 samples).
pub const GAS_NORMAL_PCT: i64 = 75;

/// Missing time that an interval of waste water bears, percent: one sample of a minute may be lost
/// or fall to its neighbour.
pub const WATER_SILENCE_PCT: i64 = 10;

/// A factor of the registry that was not sampled for this long is no longer waited for: a day
/// record has said so.
pub const FORGOTTEN_AFTER_MS: i64 = 25 * HOUR_MS;

/// Which of equally long states is shown: why there was no valid value, most telling first.
pub const PRECEDENCE: [&str; 7] = ["F", "M", "C", "D", "T", "S", "B"];

/// No answer, no value, no link to the instrument.
const SILENT: &str = "B";
/// What is read is no value.
const FAULT: &str = "D";
/// Outside the measuring range.
const OUT_OF_RANGE: &str = "T";

#[cfg(test)]
mod tests;
