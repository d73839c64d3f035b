//! What the buses say about themselves: every log line with its counter.

use super::line::LineNote;
use super::schedule::Standing;
use crate::journal::JournalError;
use metrics::{counter, gauge, histogram};
use std::time::Duration;

/// A poll begins, so late.
pub(super) fn late(bus: &str, late: Duration) {
    histogram!("cems_bus_poll_lateness_seconds", "bus" => bus.to_owned()).record(late);
}

/// A poll is over.
pub(super) fn polled(bus: &str, instrument: &str, standing: Standing, why: Option<&str>) {
    let answered = matches!(standing, Standing::Answers | Standing::Back);
    let outcome = if answered { "answered" } else { "silent" };
    counter!("cems_bus_polls_total", "bus" => bus.to_owned(), "outcome" => outcome).increment(1);
    let up = |up: u8| {
        gauge!("cems_instrument_up", "instrument" => instrument.to_owned()).set(f64::from(up));
    };
    let why = why.unwrap_or_default();
    match standing {
        Standing::Answers => up(1),
        Standing::Back => {
            up(1);
            tracing::info!(%bus, %instrument, "the instrument answers again");
        }
        Standing::Missed => tracing::info!(%bus, %instrument, %why, "a poll without an answer"),
        Standing::FellSilent => {
            up(0);
            tracing::warn!(%bus, %instrument, %why, "the instrument does not answer");
        }
        Standing::Silent => {
            tracing::debug!(%bus, %instrument, %why, "the instrument still does not answer");
        }
    }
}

/// Times of the grid that could not be kept.
pub(super) fn skipped(bus: &str, count: u64) {
    counter!("cems_bus_polls_skipped_total", "bus" => bus.to_owned()).increment(count);
}

/// The journal takes nothing: polls are skipped.
pub(super) fn not_polled(bus: &str, instrument: &str) {
    counter!("cems_bus_polls_unrecorded_total", "bus" => bus.to_owned()).increment(1);
    tracing::warn!(%bus, %instrument, "not polled: the journal stands still and the queue is full");
}

/// A record the journal would not take.
pub(super) fn not_recorded(error: &JournalError) {
    counter!("cems_bus_records_refused_total").increment(1);
    tracing::error!(%error, "what a bus read could not be journalled");
}

/// Bytes on the line that nobody asked for.
pub(super) fn discarded(bus: &str, note: &LineNote) {
    counter!("cems_bus_discarded_bytes_total", "bus" => bus.to_owned())
        .increment(note.discarded.bytes);
    let first = crate::text::hex(&note.discarded.first);
    tracing::warn!(
        %bus, why = %note.what, bytes = note.discarded.bytes, %first, "bytes thrown away"
    );
}

/// An instrument refuses a request.
pub(super) fn refused(bus: &str, instrument: &str, words: &str) {
    counter!("cems_bus_refusals_total", "bus" => bus.to_owned()).increment(1);
    tracing::warn!(%bus, %instrument, why = %words, "the instrument refuses a request");
}

/// A bus was taken over into new settings.
pub(super) fn reloaded(bus: &str, instruments: usize) {
    tracing::info!(%bus, instruments, "the bus takes its new settings");
}

/// A bus began or ended.
pub(super) fn bus(bus: &str, place: &str, what: &str) {
    tracing::info!(%bus, %place, "{what}");
}
