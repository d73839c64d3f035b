//! What is expected of an outlet: that it sends at all, that its values are possible, and that
//! valid ones do not stay away (the manual fallback, see `fallbacks`).

use super::alarms::{NewAlarm, ended, gone, holds, joins};
use super::context::{Cx, Site};
use super::fallbacks::follow;
use super::outage::{self, Fate};
use super::state::{Live, OutletState, Shared};
use super::watch::values;
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

/// Kinds of records an outlet may be expected to send, with their key.
const KINDS: [(RecordKind, &str); 3] = [
    (RecordKind::Realtime, "data.none|realtime"),
    (RecordKind::Minute, "data.none|minute"),
    (RecordKind::Hour, "data.none|hour"),
];

/// Whether a kind is expected, and how long its interval is, s.
fn expected_s(site: Site<'_>, kind: RecordKind) -> Option<i64> {
    let expects = &site.outlet.expectation;
    match kind {
        RecordKind::Realtime => expects.realtime_s.map(i64::from),
        RecordKind::Minute => expects.minute_min.map(|minutes| i64::from(minutes) * 60),
        RecordKind::Hour => expects.hour.then_some(3_600),
        RecordKind::Day => None,
    }
}

/// A record came.
pub(super) fn record_seen(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    kind: RecordKind,
    cx: &mut Cx<'_>,
) {
    if expected_s(site, kind).is_none() {
        return;
    }
    live.state.heard_at = Some(cx.at);
    live.state.heard.note(kind, cx.at);
    if live.state.conditions.is_empty() {
        return;
    }
    let silent = live.state.conditions.get(NO_DATA).is_some_and(|c| c.active);
    let conditions = &mut live.state.conditions;
    gone(conditions, &mut shared.book, NO_DATA, "data-again", cx);
    if silent {
        outage::heard(shared, site, cx);
    }
    if let Some((_, key)) = KINDS.iter().find(|(of, _)| *of == kind) {
        gone(conditions, &mut shared.book, key, "data-again", cx);
    }
}

/// True when the registry expects data from the outlet and waits for a limited time only.
fn expects_any(site: Site<'_>) -> bool {
    let any = KINDS
        .iter()
        .any(|(kind, _)| expected_s(site, *kind).is_some());
    any && site.outlet.expectation.no_data_after_s > 0
}

/// The registry may have ceased to expect anything.
pub(super) fn expectation_changed(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    cx: &mut Cx<'_>,
) {
    let any = expects_any(site);
    if !any {
        let conditions = &mut live.state.conditions;
        ended(conditions, &mut shared.book, NO_DATA, "not-expected", cx);
        outage::heard(shared, site, cx);
    }
    for (kind, key) in KINDS {
        if !any || expected_s(site, kind).is_none() {
            let conditions = &mut live.state.conditions;
            ended(conditions, &mut shared.book, key, "not-expected", cx);
        }
    }
}

/// When silence becomes an alarm, of every kind or of one; `None` when nothing is expected or it is
/// one already. `watched_since`: since when kinds are told apart.
pub(super) fn silence_due(
    state: &OutletState,
    site: Site<'_>,
    watched_since: Option<Timestamp>,
) -> Option<Timestamp> {
    let active = |key: &str| state.conditions.get(key).is_some_and(|c| c.active);
    if !expects_any(site) || active(NO_DATA) {
        return None;
    }
    let whole = silent_since(state).plus_ms(wait_ms(site));
    let of_kinds = KINDS.iter().filter(|(_, key)| !active(key));
    let of_kinds = of_kinds.filter_map(|(kind, _)| kind_due(state, site, *kind, watched_since?));
    of_kinds.chain([whole]).min()
}

fn wait_ms(site: Site<'_>) -> i64 {
    i64::from(site.outlet.expectation.no_data_after_s) * SECOND_MS
}

/// When the silence of one kind is too long: its own interval, and as long as for every kind.
fn kind_due(
    state: &OutletState,
    site: Site<'_>,
    kind: RecordKind,
    watched_since: Timestamp,
) -> Option<Timestamp> {
    let interval_ms = expected_s(site, kind)? * SECOND_MS;
    let since = kind_since(state, kind, watched_since);
    Some(since.plus_ms(interval_ms).plus_ms(wait_ms(site)))
}

fn kind_since(state: &OutletState, kind: RecordKind, watched_since: Timestamp) -> Timestamp {
    let base = state.since.max(watched_since);
    state.heard.at(kind).map_or(base, |at| at.max(base))
}

fn silent_since(state: &OutletState) -> Timestamp {
    state.heard_at.map_or(state.since, |at| at.max(state.since))
}

/// Silence has lasted too long: of every kind, or of one.
pub(super) fn silence(live: &mut Live, shared: &mut Shared, site: Site<'_>, cx: &mut Cx<'_>) {
    live.dirty = true;
    let whole = silent_since(&live.state).plus_ms(wait_ms(site));
    if whole <= cx.at {
        silent(live, shared, site, cx);
        return;
    }
    let Some(watched_since) = shared.policy_since else {
        return;
    };
    for (kind, key) in KINDS {
        let due = kind_due(&live.state, site, kind, watched_since);
        let active = live.state.conditions.get(key).is_some_and(|c| c.active);
        if active || due.is_none_or(|due| due > cx.at) {
            continue;
        }
        let since = kind_since(&live.state, kind, watched_since);
        let new = NewAlarm {
            code: Some(kind.as_str().into()),
            threshold: Some(site.outlet.expectation.no_data_after_s.into()),
            ..NewAlarm::of(AlarmKind::NoData, site.outlet, since)
        };
        let conditions = &mut live.state.conditions;
        holds(conditions, &mut shared.book, (key, new), None, cx);
    }
}

/// Nothing at all comes any more.
fn silent(live: &mut Live, shared: &mut Shared, site: Site<'_>, cx: &mut Cx<'_>) {
    for (_, key) in KINDS {
        let conditions = &mut live.state.conditions;
        ended(conditions, &mut shared.book, key, "silent", cx);
    }
    values::silent(live, shared, cx);
    let since = silent_since(&live.state);
    match outage::silent(shared, site, since, cx) {
        Fate::Joined(alarm) => joins(&mut live.state.conditions, alarm, NO_DATA),
        Fate::Own => own_silence(live, shared, site, cx),
    }
}

fn own_silence(live: &mut Live, shared: &mut Shared, site: Site<'_>, cx: &mut Cx<'_>) {
    let wait_s = site.outlet.expectation.no_data_after_s;
    let ever = live.state.heard_at.is_some();
    let new = NewAlarm {
        threshold: Some(wait_s.into()),
        facts: vec![("ever_heard", ever.to_string())],
        ..NewAlarm::of(AlarmKind::NoData, site.outlet, silent_since(&live.state))
    };
    let conditions = &mut live.state.conditions;
    holds(conditions, &mut shared.book, (NO_DATA, new), None, cx);
    if let Some(condition) = live.state.conditions.get(NO_DATA) {
        outage::has_own(shared, site, condition.alarm, cx);
    }
}

/// The outage that covered a silent outlet is over, and it is silent still: an alarm of its own.
pub(super) fn released(live: &mut Live, shared: &mut Shared, site: Site<'_>, cx: &mut Cx<'_>) {
    let Some(condition) = live.state.conditions.get_mut(NO_DATA).filter(|c| c.active) else {
        return;
    };
    live.dirty = true;
    if condition.joined {
        condition.active = false;
        own_silence(live, shared, site, cx);
    } else {
        shared.book.suppress(condition.alarm, None, cx);
    }
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
