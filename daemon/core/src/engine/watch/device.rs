//! Loggers: their clock, and the parameters on which figures depend.

use super::{Seen, rule};
use crate::engine::alarms::NewAlarm;
use crate::engine::context::{Cx, Site};
use crate::engine::event::Statement;
use crate::engine::state::{Live, Shared};
use crate::model::time::SECOND_MS;
use crate::model::{AlarmKind, Outlet, RecordKind, Timestamp};
use rust_decimal::Decimal;
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeMap;

/// Seconds by which a logger's clock may differ from the centre's, where the policy does not say:
/// two real-time intervals and the way of a frame. HJ 212 loggers set their clock once a day.
pub const CLOCK_S: i64 = 300;

/// Parameters remembered per logger.
const PARAMETERS_MAX: usize = 64;

/// CN of what a logger says about instruments: log, state, parameters (HJ 212-2017, C.47 - C.52).
const FIELD_INFO_CN: &str = "3020";
/// Parameters among it are numbered i13xxx (HJ 212-2017, table B.4).
const PARAMETER_CODE: &str = "i13";

/// Key of the condition.
const CLOCK: &str = "clock";

/// A real-time record says what the logger's clock shows.
pub(in crate::engine) fn clock(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    (kind, start, resent): (RecordKind, Timestamp, bool),
    cx: &mut Cx<'_>,
) {
    if kind != RecordKind::Realtime || resent {
        return;
    }
    let Some(rule) = rule(AlarmKind::ClockDrift, cx) else {
        return;
    };
    let ahead_s = start.since_ms(cx.at) / SECOND_MS;
    let seen = Seen {
        key: CLOCK,
        rule,
        seen_at: cx.at,
    };
    if ahead_s.abs() <= CLOCK_S {
        seen.gone(live, shared, "clock-right", cx);
        return;
    }
    let alarm = |since| NewAlarm {
        value: Some(ahead_s.into()),
        threshold: Some(CLOCK_S.into()),
        ..NewAlarm::of(AlarmKind::ClockDrift, site.outlet, since)
    };
    seen.holds(live, shared, alarm, cx);
}

/// A logger states parameters of its instruments: a change of one is an event that a person must
/// see.
pub(in crate::engine) fn stated(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    statement: &Statement,
    cx: &mut Cx<'_>,
) {
    if statement.cn != FIELD_INFO_CN || rule(AlarmKind::ParameterChanged, cx).is_none() {
        return;
    }
    for (name, value) in &statement.items {
        if !name.contains(PARAMETER_CODE) {
            continue;
        }
        let known = &mut live.state.parameters;
        let before = known.get(name).cloned();
        if before.as_deref() == Some(value.as_str()) {
            continue;
        }
        if before.is_none() && known.len() >= PARAMETERS_MAX {
            continue;
        }
        known.insert(name.clone(), SmolStr::new(value));
        live.dirty = true;
        if let Some(before) = before {
            let change = (name.as_str(), before.as_str(), value.as_str());
            announce(shared, site.outlet, change, "device", cx);
        }
    }
}

/// The registry changed an outlet: each parameter that differs is an event.
pub(in crate::engine) fn registered(
    shared: &mut Shared,
    (old, new): (&Outlet, &Outlet),
    cx: &mut Cx<'_>,
) {
    if rule(AlarmKind::ParameterChanged, cx).is_none() {
        return;
    }
    let (before, after) = (parameters(old), parameters(new));
    let names: std::collections::BTreeSet<&SmolStr> = before.keys().chain(after.keys()).collect();
    for name in names {
        let text = |of: &BTreeMap<SmolStr, String>| {
            of.get(name).cloned().unwrap_or_else(|| "-".to_owned())
        };
        let (was, is) = (text(&before), text(&after));
        if was != is {
            announce(shared, new, (name, &was, &is), "registry", cx);
        }
    }
}

/// An event is an alarm that has returned when it is raised: it waits for a person, not for a
/// change.
fn announce(
    shared: &mut Shared,
    outlet: &Outlet,
    (name, before, after): (&str, &str, &str),
    source: &'static str,
    cx: &mut Cx<'_>,
) {
    let new = NewAlarm {
        code: Some(SmolStr::new(name)),
        facts: vec![
            ("parameter", name.to_owned()),
            ("before", before.to_owned()),
            ("after", after.to_owned()),
            ("source", source.to_owned()),
        ],
        ..NewAlarm::of(AlarmKind::ParameterChanged, outlet, cx.at)
    };
    let id = shared.book.raise(new, None, cx);
    shared.book.happened(id, cx);
}

/// What figures of an outlet depend on, by name: area, Kv, pressure and reference O2 of the duct,
/// ranges and bases of its analysers.
fn parameters(outlet: &Outlet) -> BTreeMap<SmolStr, String> {
    let mut all = BTreeMap::new();
    let mut put = |name: SmolStr, value: Option<Decimal>| {
        if let Some(value) = value {
            all.insert(name, value.normalize().to_string());
        }
    };
    if let Some(gas) = &outlet.gas {
        put("area_m2".into(), Some(gas.area_m2));
        put("kv".into(), Some(gas.velocity_coefficient));
        put("pressure_pa".into(), Some(gas.atmospheric_pressure_pa));
        put("reference_o2_pct".into(), gas.reference_o2_pct);
    }
    for (code, factor) in &outlet.factors {
        put(format_smolstr!("{code} range_min"), factor.range_min);
        put(format_smolstr!("{code} range_max"), factor.range_max);
        put(
            format_smolstr!("{code} detection_limit"),
            factor.detection_limit,
        );
        put(
            format_smolstr!("{code} old_unit_multiplier"),
            factor.old_unit_multiplier,
        );
    }
    for (code, factor) in &outlet.factors {
        all.insert(
            format_smolstr!("{code} basis"),
            format!("{:?}", factor.basis),
        );
    }
    if let Some(gas) = &outlet.gas {
        all.insert("o2_is_wet".into(), gas.o2_is_wet.to_string());
    }
    all
}
