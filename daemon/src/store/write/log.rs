//! Logs with a span: what is to be passed on to centres, and what goes out to destinations. Each
//! new line takes up to two old ones away, so a log shrinks to its span and no step takes long.
//! What is left depends on the lines alone, not on batches.

use super::super::error::StoreError;
use super::{int, put};
use cems_core::model::time::DAY_MS;
use cems_core::model::{ForwardRow, OutgoingRow};
use rusqlite::Connection;

/// How long a line of the forward log is kept: a year of outage of an uplink and a month to act on
/// it. The records themselves stay.
const FORWARD_KEPT_MS: i64 = 400 * DAY_MS;

/// How long a line of the log of what goes out is kept. It has a line for every real-time record;
/// a destination that was away for longer is served from the rows themselves.
pub(crate) const OUTGOING_KEPT_MS: i64 = 30 * DAY_MS;

pub(super) fn forward(connection: &Connection, row: &ForwardRow) -> Result<(), StoreError> {
    put(
        connection,
        "DELETE FROM forward WHERE at < ?1 AND (seq, n) IN \
         (SELECT seq, n FROM forward ORDER BY seq, n LIMIT 2)",
        [row.at.plus_ms(-FORWARD_KEPT_MS).0],
    )?;
    put(
        connection,
        "REPLACE INTO forward (seq, n, at, outlet, kind, start) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (
            int("forward seq", row.seq.0)?,
            row.n,
            row.at.0,
            row.outlet.as_str(),
            row.kind.as_str(),
            row.start.0,
        ),
    )
}

pub(super) fn outgoing(connection: &Connection, row: &OutgoingRow) -> Result<(), StoreError> {
    put(
        connection,
        "DELETE FROM outgoing WHERE at < ?1 AND (seq, n) IN \
         (SELECT seq, n FROM outgoing ORDER BY seq, n LIMIT 2)",
        [row.at.plus_ms(-OUTGOING_KEPT_MS).0],
    )?;
    put(
        connection,
        "REPLACE INTO outgoing (seq, n, at, outlet, what, start) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (
            int("outgoing seq", row.seq.0)?,
            row.n,
            row.at.0,
            row.outlet.as_str(),
            row.what.as_str(),
            row.start.0,
        ),
    )
}
