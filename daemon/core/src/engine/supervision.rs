//! What is expected of an outlet: that it sends at all, that its values are possible, and that
//! valid ones do not stay away (the manual fallback).

use super::alarms::{NewAlarm, gone, holds};
use super::context::{Cx, ENGINE, Site};
use super::duties;
use super::state::{Live, OutletState, Shared};
use crate::fallback::{Identity, Sighting, Terms, Turn};
use crate::model::time::{HOUR_MS, MINUTE_MS, SECOND_MS};
use crate::model::{AlarmKind, FallbackRow, Output, RecordKind, StoredValue, Timestamp};
use crate::validate;
use smol_str::{SmolStr, format_smolstr};

/// Good values in a row after which an alarm about impossible values returns: one may be chance,
/// three are a working instrument.
pub const GOOD_VALUES: u32 = 3;

/// Key of the condition "no data".
const NO_DATA: &str = "data.none";
/// Key of the condition "manual report overdue".
const OVERDUE: &str = "fallback.overdue";

/// A record came.
pub(super) fn record_seen(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    kind: RecordKind,
    cx: &mut Cx<'_>,
) {
    let expects = &site.outlet.expectation;
    let expected = match kind {
        RecordKind::Realtime => expects.realtime_s.is_some(),
        RecordKind::Minute => expects.minute_min.is_some(),
        RecordKind::Hour => expects.hour,
        RecordKind::Day => false,
    };
    if expected {
        live.state.heard_at = Some(cx.at);
        let conditions = &mut live.state.conditions;
        gone(conditions, &mut shared.book, NO_DATA, "data-again", cx);
    }
}

/// True when the registry expects data from the outlet and waits for a limited time only.
fn expects_any(site: Site<'_>) -> bool {
    let expects = &site.outlet.expectation;
    let any = expects.realtime_s.is_some() || expects.minute_min.is_some() || expects.hour;
    any && expects.no_data_after_s > 0
}

/// The registry may have ceased to expect anything.
pub(super) fn expectation_changed(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    cx: &mut Cx<'_>,
) {
    if !expects_any(site) {
        let conditions = &mut live.state.conditions;
        gone(conditions, &mut shared.book, NO_DATA, "not-expected", cx);
    }
}

/// When silence becomes an alarm; `None` when nothing is expected or it is one already.
pub(super) fn silence_due(state: &OutletState, site: Site<'_>) -> Option<Timestamp> {
    let active = state.conditions.get(NO_DATA).is_some_and(|c| c.active);
    if !expects_any(site) || active {
        return None;
    }
    let expects = &site.outlet.expectation;
    let wait_ms = i64::from(expects.no_data_after_s) * SECOND_MS;
    Some(silent_since(state).plus_ms(wait_ms))
}

fn silent_since(state: &OutletState) -> Timestamp {
    state.heard_at.map_or(state.since, |at| at.max(state.since))
}

/// Silence has lasted too long.
pub(super) fn silence(live: &mut Live, shared: &mut Shared, site: Site<'_>, cx: &mut Cx<'_>) {
    let wait_s = site.outlet.expectation.no_data_after_s;
    let ever = live.state.heard_at.is_some();
    let new = NewAlarm {
        threshold: Some(wait_s.into()),
        facts: vec![("ever_heard", ever.to_string())],
        ..NewAlarm::of(AlarmKind::NoData, site.outlet, silent_since(&live.state))
    };
    let conditions = &mut live.state.conditions;
    holds(conditions, &mut shared.book, (NO_DATA, new), None, cx);
    live.dirty = true;
}

/// A new or corrected value came in.
pub(super) fn value_seen(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    (kind, start): (RecordKind, Timestamp),
    new: &StoredValue,
    cx: &mut Cx<'_>,
) {
    possible(live, shared, site, start, new, cx);
    let Some(measured) = measured_until(site, kind, start) else {
        return;
    };
    let sighting = if new.valid {
        Sighting::Valid
    } else if validate::is_stopped(&new.value, site.profile) {
        Sighting::Stopped
    } else {
        let flag = new.value.flag.iter().map(|flag| flag.0.clone());
        let checks = new.checks.iter().map(|check| check.0.clone());
        let checks = checks.filter(|code| code != validate::FLAG.code);
        let flag = flag.filter(|flag| !site.profile.valid_flags.contains(flag));
        Sighting::Invalid(flag.chain(checks).collect())
    };
    let terms = Terms::new(&site.outlet.fallback, site.offset);
    let turn = live.state.fallback.observe(
        &new.value.factor,
        sighting,
        (measured, cx.at),
        &terms,
        cx.seq,
    );
    follow(live, shared, site, turn.into_iter().collect(), cx);
}

/// Until when a value of this kind says something; day records say nothing in time.
fn measured_until(site: Site<'_>, kind: RecordKind, start: Timestamp) -> Option<Timestamp> {
    let minutes = site.outlet.expectation.minute_min.unwrap_or(1);
    match kind {
        RecordKind::Realtime => Some(start),
        RecordKind::Minute => Some(start.plus_ms(i64::from(minutes) * MINUTE_MS)),
        RecordKind::Hour => Some(start.plus_ms(HOUR_MS)),
        RecordKind::Day => None,
    }
}

/// One alarm per factor while impossible values come.
fn possible(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    start: Timestamp,
    new: &StoredValue,
    cx: &mut Cx<'_>,
) {
    let impossible = validate::is_impossible(&new.checks);
    if !impossible && live.state.conditions.is_empty() {
        return;
    }
    let key = format_smolstr!("data.impossible|{}", new.value.factor);
    let conditions = &mut live.state.conditions;
    if impossible {
        let checks: Vec<&str> = new.checks.iter().map(|c| c.0.as_str()).collect();
        let figure = new.value.figure();
        let alarm = NewAlarm {
            factor: Some(new.value.factor.clone()),
            value: figure.map(|n| n.value),
            facts: vec![
                ("checks", checks.join(" ")),
                (
                    "text",
                    figure.map(|n| n.text.to_string()).unwrap_or_default(),
                ),
            ],
            ..NewAlarm::of(AlarmKind::ImpossibleValue, site.outlet, start)
        };
        holds(conditions, &mut shared.book, (&key, alarm), None, cx);
    } else if let Some(condition) = conditions.get_mut(&key).filter(|c| c.active) {
        condition.good = condition.good.saturating_add(1);
        if condition.good >= GOOD_VALUES {
            gone(conditions, &mut shared.book, &key, "good-values", cx);
        }
    }
}

/// Lets the deadlines of the fallback fall due.
pub(super) fn fallback_due(live: &mut Live, shared: &mut Shared, site: Site<'_>, cx: &mut Cx<'_>) {
    let terms = Terms::new(&site.outlet.fallback, site.offset);
    let id = Identity {
        outlet: &site.outlet.id,
        last_id: &mut shared.fallbacks,
        seq: cx.seq,
    };
    let turns = live.state.fallback.advance(cx.at, &terms, id);
    follow(live, shared, site, turns, cx);
}

/// Puts out what a turn of the fallback means: rows, alarms, lines of the audit trail.
pub(super) fn follow(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    turns: Vec<Turn>,
    cx: &mut Cx<'_>,
) {
    if turns.is_empty() {
        return;
    }
    live.dirty = true;
    for turn in turns {
        let row = live.state.fallback.row().cloned();
        match (turn, row) {
            (Turn::Opened, Some(row)) => {
                cx.audit(
                    ENGINE,
                    "fallback.opened",
                    object(&row),
                    site.outlet.id.to_string(),
                );
                duties::fallback_opened(shared, &row, cx);
            }
            (Turn::Overdue(since), Some(row)) => overdue(live, shared, site, (&row, since), cx),
            (Turn::Relieved, _) => {
                gone(
                    &mut live.state.conditions,
                    &mut shared.book,
                    OVERDUE,
                    "report-came",
                    cx,
                );
            }
            (Turn::Closed(row), _) => {
                gone(
                    &mut live.state.conditions,
                    &mut shared.book,
                    OVERDUE,
                    "closed",
                    cx,
                );
                let why = row.closed_why.clone().unwrap_or_default();
                cx.audit(ENGINE, "fallback.closed", object(&row), why);
                cx.emit(Output::Fallback(*row));
            }
            _ => {}
        }
    }
    if let Some(row) = live.state.fallback.row().cloned() {
        cx.emit(Output::Fallback(row));
    }
}

fn overdue(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    (row, since): (&FallbackRow, Timestamp),
    cx: &mut Cx<'_>,
) {
    let short_day = row.next_due.is_none_or(|due| due != since);
    let why = if short_day { "short-day" } else { "gap" };
    let new = NewAlarm {
        facts: vec![
            ("fallback", row.id.to_string()),
            ("why", why.into()),
            ("due", site.offset.iso(since)),
        ],
        ..NewAlarm::of(AlarmKind::ManualReportOverdue, site.outlet, since)
    };
    holds(
        &mut live.state.conditions,
        &mut shared.book,
        (OVERDUE, new),
        None,
        cx,
    );
    cx.audit(ENGINE, "fallback.overdue", object(row), why.into());
}

fn object(row: &FallbackRow) -> SmolStr {
    format_smolstr!("fallback/{}", row.id)
}
