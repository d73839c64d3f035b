//! InfluxDB line protocol (v2): points of time series as lines of text.
//!
//! A [`Series`] is the part of a line that never changes, `measurement,tags `, escaped and checked
//! once. A [`Line`] writes a point of it straight behind what a buffer holds: nothing is allocated
//! for a line. What servers read differently from each other, or drop without a word, is refused
//! here with a [`LineError`], because an answer of 2xx is no proof that every line was kept.
//!
//! ```
//! use cems_protocols::lineproto::{Line, Precision, Series};
//!
//! let outlet = [("outlet", "dongjiao-1"), ("factor", "a21026")];
//! let series = Series::new("cems", &outlet)?;
//! let mut body = Vec::new();
//! let mut line = Line::begin(&mut body, &series);
//! line.decimal("value", rust_decimal::Decimal::new(1250, 2))?;
//! line.integer("valid", 1)?;
//! line.finish(1_716_210_360_000, Precision::Milliseconds)?;
//! let text = b"cems,factor=a21026,outlet=dongjiao-1 value=12.50,valid=1i 1716210360000\n";
//! assert_eq!(body, text);
//! # Ok::<(), cems_protocols::lineproto::LineError>(())
//! ```

mod error;
mod line;
mod series;

#[cfg(test)]
mod tests;

pub use error::{LineError, Part};
pub use line::{Line, Precision, TEXT_BYTES_MAX};
pub use series::{SERIES_BYTES_MAX, Series};
