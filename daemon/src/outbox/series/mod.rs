//! Series for databases of time series, over the write protocol of InfluxDB v2.
//!
//! [`Lines`] makes points of records and aggregates (names and meaning: `README.md` beside this),
//! [`Batch`] holds them, [`deliver`] hands a batch over and finds the lines that a server refuses,
//! a [`SeriesSink`] is the server, and [`Influx`] is all of it as a destination of the outbox. A
//! point is written again as often as need be: it is the same point.

mod batch;
mod deliver;
mod http;
mod influx;
mod lines;
mod recent;
mod sink;

#[cfg(test)]
mod tests;

pub use batch::{Batch, packed};
pub use deliver::{Delivered, deliver};
pub use http::InfluxSink;
pub use influx::Influx;
pub use lines::{FLAGS, Lines, Owner};
pub use sink::{SeriesSink, SinkError, Writing};
