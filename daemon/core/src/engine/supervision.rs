//! What is expected of an outlet: that it sends at all, that its values are possible, and that
//! valid ones do not stay away (the manual fallback, see `fallbacks`).

use super::alarms::{NewAlarm, gone, holds};
use super::context::{Cx, Site};
use super::fallbacks::follow;
use super::state::{Live, OutletState, Shared};
use crate::fallback::{Sighting, Terms};
use crate::model::time::{HOUR_MS, MINUTE_MS, SECOND_MS};
use crate::model::{AlarmKind, RecordKind, StoredValue, Timestamp};
use crate::validate;
use smol_str::format_smolstr;

/// Good values in a row after which an alarm about impossible values returns: one may be chance,
/// three are a working instrument.
pub const GOOD_VALUES: u32 = 3;

/// Key of the condition "no data".
const NO_DATA: &str = "data.none";

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
