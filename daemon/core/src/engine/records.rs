//! A data record arrives: its values are judged, merged into the stored record, and passed on to
//! whatever waits for them.

use super::context::{Cx, Site};
use super::event::Contact;
use super::state::{DEVICES_PER_OUTLET_MAX, LatestKey, Live, Shared};
use super::watch::{device, values};
use super::{closing, supervision};
use crate::model::rows::{DeviceRow, Habits, LatestRow, SupersededRow};
use crate::model::{
    ForwardRow, Level, Output, Period, Record, RecordKind, RecordRow, Series, StoredValue, Value,
};
use crate::validate;
use std::collections::BTreeMap;

/// Takes a record of a logger in.
pub(super) fn accept(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    (contact, record): (&Contact, Record),
    cx: &mut Cx<'_>,
) {
    let when = (record.kind, record.start, record.resent);
    let duplicates = take(live, shared, site, record, cx);
    seen(live, contact, duplicates, cx);
    device::clock(live, shared, site, when, cx);
}

/// Takes one record in, received or formed here; how many of its values were known.
///
/// A value that says the same as the stored one is a duplicate: counted, nothing else. A value
/// that says something else supersedes it; the old one is kept beside. Packets of a split record
/// carry different factors and merge.
pub(super) fn take(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    record: Record,
    cx: &mut Cx<'_>,
) -> u64 {
    live.dirty = true;
    let mut row = stored(live, &record, cx);
    let (kind, start) = (record.kind, record.start);
    // What came late is judged by what was in force when it was measured.
    let versions = live.versions.clone();
    let judging = versions.site(cx.registry, site, start);
    let resent = row.resent || record.resent;
    let mut changed = false;
    let mut duplicates: u64 = 0;
    let mut newest_of = Vec::new();
    for value in record.values {
        let old = row.values.get(&value.factor);
        if old.is_some_and(|old| says_the_same(&old.value, &value)) {
            duplicates = duplicates.saturating_add(1);
            continue;
        }
        changed = true;
        let new = judged(value, old, judging, cx);
        let factor = new.value.factor.clone();
        if note_latest(live, (kind, &row), &new, cx) {
            newest_of.push(factor.clone());
        }
        supervision::value_seen(live, shared, site, (kind, start), &new, cx);
        if let Some(old) = row.values.insert(factor, new) {
            cx.emit(Output::Superseded(SupersededRow {
                outlet: row.outlet.clone(),
                kind,
                start,
                old,
                by_seq: cx.seq,
            }));
        }
    }
    values::seen(live, shared, site, (&row, &newest_of), cx);
    supervision::record_seen(live, shared, site, kind, cx);
    if changed {
        row.resent = resent;
        cx.emit(Output::Record(row.clone()));
        let newest = live.state.newest.get_or_insert_with(kind, || start);
        *newest = (*newest).max(start);
        forward(site, &row, cx);
        cx.outgoing(site, Series::Record(kind), start);
        schedule(live, judging, kind, &row, cx);
    }
    live.keep_recent(row);
    duplicates
}

/// The record as it is stored so far, or an empty one.
fn stored(live: &mut Live, record: &Record, cx: &Cx<'_>) -> RecordRow {
    let (kind, start) = (record.kind, record.start);
    let never = live
        .state
        .newest
        .get(&kind)
        .is_none_or(|newest| start > *newest);
    live.take_recent(kind, start)
        .or_else(|| {
            if never {
                return None;
            }
            cx.history.record(&record.outlet, kind, start)
        })
        .unwrap_or_else(|| RecordRow {
            outlet: record.outlet.clone(),
            kind,
            start,
            resent: record.resent,
            values: BTreeMap::new(),
        })
}

fn judged(value: Value, old: Option<&StoredValue>, site: Site<'_>, cx: &Cx<'_>) -> StoredValue {
    let checks = validate::failed(&value, site.outlet, site.profile);
    StoredValue {
        valid: checks.is_empty(),
        checks,
        value,
        received_at: cx.at,
        seq: cx.seq,
        superseded: old.map_or(0, |old| old.superseded.saturating_add(1)),
    }
}

/// Same figures and same flag. The text of a number may differ (`1.0`, `1.00`), and so may the
/// code it was sent under.
fn says_the_same(old: &Value, new: &Value) -> bool {
    let figures = |v: &Value| {
        [&v.rtd, &v.avg, &v.min, &v.max, &v.cou, &v.converted]
            .map(|number| number.as_ref().map(|n| n.value))
    };
    figures(old) == figures(new) && old.flag == new.flag && old.unreadable == new.unreadable
}

/// Notes a value as the latest of its factor; `false` when there is a later one.
fn note_latest(
    live: &mut Live,
    (kind, row): (RecordKind, &RecordRow),
    new: &StoredValue,
    cx: &Cx<'_>,
) -> bool {
    let factor = &new.value.factor;
    let key = LatestKey::new(row.start, kind);
    if live.state.latest.get(factor).is_some_and(|old| *old > key) {
        return false;
    }
    live.state.latest.insert(factor.clone(), key);
    let latest = LatestRow {
        outlet: row.outlet.clone(),
        factor: factor.clone(),
        kind,
        start: row.start,
        value: new.value.figure().map(|n| n.value),
        converted: new.value.converted.as_ref().map(|n| n.value),
        flag: new.value.flag.as_ref().map(|flag| flag.0.clone()),
        valid: new.valid,
        received_at: cx.at,
        seq: cx.seq,
    };
    live.latest.insert(factor.clone(), latest);
    true
}

/// Notes a contact in the books of the logger.
pub(super) fn seen(live: &mut Live, contact: &Contact, duplicates: u64, cx: &Cx<'_>) {
    live.dirty = true;
    let devices = &mut live.state.devices;
    if !devices.contains_key(contact.mn.as_str()) && devices.len() >= DEVICES_PER_OUTLET_MAX {
        let oldest = devices
            .iter()
            .min_by_key(|(mn, row)| (row.last_seen, (*mn).clone()))
            .map(|(mn, _)| mn.clone());
        if let Some(mn) = oldest {
            devices.remove(&mn);
            live.devices.remove(&mn);
        }
    }
    let row = devices.get_or_insert_with(contact.mn.as_str().into(), || DeviceRow {
        mn: contact.mn.as_str().into(),
        outlet: None,
        peer: contact.peer.clone(),
        edition: contact.edition.clone(),
        first_seen: cx.at,
        last_seen: cx.at,
        frames: 0,
        duplicates: 0,
        findings: BTreeMap::new(),
        habits: Habits::default(),
    });
    row.outlet = Some(contact.outlet.clone());
    row.peer = contact.peer.clone();
    row.edition = contact.edition.clone();
    row.last_seen = cx.at;
    row.frames = row.frames.saturating_add(1);
    row.duplicates = row.duplicates.saturating_add(duplicates);
    for finding in &contact.findings {
        let count = row.findings.entry(finding.clone()).or_insert(0);
        *count = count.saturating_add(1);
    }
    row.habits.learn(&contact.habits);
    live.devices.insert(row.mn.clone());
}

/// Notes the record, new or corrected, in the log of what is to be passed on.
fn forward(site: Site<'_>, row: &RecordRow, cx: &mut Cx<'_>) {
    if !site.outlet.forward {
        return;
    }
    let row = ForwardRow {
        seq: cx.seq,
        n: cx.ordinal(),
        at: cx.at,
        outlet: row.outlet.clone(),
        kind: row.kind,
        start: row.start,
    };
    cx.emit(Output::Forward(row));
}

/// Books the period that the record belongs to for computation, by what was expected then.
fn schedule(live: &mut Live, site: Site<'_>, kind: RecordKind, row: &RecordRow, cx: &Cx<'_>) {
    let expects = &site.outlet.expectation;
    let level = match kind {
        RecordKind::Realtime if expects.minute_min.is_some() => return,
        RecordKind::Realtime if expects.realtime_s.is_none() => return,
        RecordKind::Realtime | RecordKind::Minute | RecordKind::Hour => Level::Hour,
        RecordKind::Day => Level::Day,
    };
    let period = Period::containing(level, row.start, site.offset);
    closing::book(&mut live.state, period, site.offset, cx.at);
}
