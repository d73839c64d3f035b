//! Samples of a station's own instruments become records, which go the way of received ones:
//! validity, aggregates, limits, alarms, fallback. There is no logger to keep books of.
//!
//! An interval closes with the first sample after its end, or [`FORM_GRACE_MS`] after it: while
//! samples come, no tick is needed. Only outlets that are sampled have such deadlines.

use super::context::{Cx, Site};
use super::records;
use super::state::{Live, OutletState, Shared};
use crate::aggregate::gather;
use crate::model::time::SECOND_MS;
use crate::model::{Level, Period, Record, RecordKind, RecordRow, SampleSet, Timestamp};
use crate::sampling::{self, Rules, Span};

/// How long after the end of an interval the next sample is waited for: two polls of 5 s. A sample
/// belongs to the interval in which it was taken in, so nothing can come late.
pub const FORM_GRACE_MS: i64 = 10 * SECOND_MS;

/// Takes what one poll gave.
pub(super) fn take(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    set: SampleSet,
    cx: &mut Cx<'_>,
) {
    close(live, shared, site, cx.at, cx);
    live.dirty = true;
    live.state.sampling.take(cx.at, set, &rules(site));
}

/// When the first open interval closes without another sample.
pub(super) fn next_due(state: &OutletState) -> Option<Timestamp> {
    let end = state.sampling.first_end()?;
    Some(end.plus_ms(FORM_GRACE_MS))
}

/// Lets the deadlines of open intervals fall due.
pub(super) fn due(live: &mut Live, shared: &mut Shared, site: Site<'_>, cx: &mut Cx<'_>) {
    close(live, shared, site, cx.at.plus_ms(-FORM_GRACE_MS), cx);
}

fn rules<'a>(site: Site<'a>) -> Rules<'a> {
    Rules {
        outlet: site.outlet,
        profile: site.profile,
        offset: site.offset,
    }
}

/// Forms the records of all intervals that ended by `until`, shorter ones first: the longer ones
/// are made of them.
fn close(live: &mut Live, shared: &mut Shared, site: Site<'_>, until: Timestamp, cx: &mut Cx<'_>) {
    let forming = &live.state.sampling;
    if forming.first_end().is_none_or(|end| end > until) {
        return;
    }
    live.dirty = true;
    let rules = rules(site);
    let mut accept = |live: &mut Live, record: Option<Record>, cx: &mut Cx<'_>| {
        if let Some(record) = record {
            records::take(live, shared, site, record, cx);
        }
    };
    let record = live.state.sampling.close_realtime(until, &rules);
    accept(live, record, cx);
    let record = live.state.sampling.close_minute(until, &rules);
    accept(live, record, cx);
    if let Some(span) = live.state.sampling.close_hour(until) {
        let minutes = rows(site, RecordKind::Minute, span, cx);
        accept(live, sampling::hour(span, &minutes, &rules), cx);
    }
    if let Some(span) = live.state.sampling.close_day(until) {
        let record = day(site, span, cx);
        accept(live, record, cx);
    }
}

fn day(site: Site<'_>, span: Span, cx: &Cx<'_>) -> Option<Record> {
    let rows = rows(site, RecordKind::Hour, span, cx);
    let outlet = &site.outlet.id;
    // Hours close after a longer grace than this one: the last is computed as it stands.
    let last = span.last_hour();
    let mut hours = cx.history.aggregates(outlet, Level::Hour, span.start, last);
    let period = Period {
        level: Level::Hour,
        start: last,
    };
    hours.extend(gather::aggregate(
        site.of_period(),
        period,
        true,
        cx.history,
    ));
    sampling::day(span, &rows, &hours, &rules(site))
}

fn rows(site: Site<'_>, kind: RecordKind, span: Span, cx: &Cx<'_>) -> Vec<RecordRow> {
    let outlet = &site.outlet.id;
    cx.history.records(outlet, kind, span.start, span.end)
}
