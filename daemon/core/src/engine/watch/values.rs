//! Values near or over a limit, values that checks refuse, flags of equipment.

use super::{FRESH_MS, Seen, rule};
use crate::aggregate::gas::of_record;
use crate::engine::alarms::{NewAlarm, ended};
use crate::engine::context::{Cx, Site};
use crate::engine::state::{Live, Shared};
use crate::limits;
use crate::model::policy::KindRule;
use crate::model::time::MINUTE_MS;
use crate::model::{
    AlarmKind, FactorCode, Level, Limit, OutletFactor, RecordKind, RecordRow, StoredValue,
    Timestamp,
};
use crate::quantity::internal;
use crate::validate::{self, Severity};
use rust_decimal::Decimal;
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeSet;

/// Beginning of the keys of conditions that end when an outlet falls silent: nobody knows then.
const OF_VALUES: [&str; 4] = ["realtime|", "near|", "invalid|", "equipment|"];

/// Values of a record came in that are the newest of their factors.
pub(in crate::engine) fn seen(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    (row, newest): (&RecordRow, &[FactorCode]),
    cx: &mut Cx<'_>,
) {
    if newest.is_empty() || cx.policy.alarms.kinds.is_empty() || !speaks(site, row.kind) {
        return;
    }
    let at = measured(site, row.kind, row.start);
    if cx.at.since_ms(at) > FRESH_MS {
        return;
    }
    for code in newest {
        let Some(new) = row.values.get(code) else {
            continue;
        };
        refused(live, shared, site, (at, new), cx);
        equipment(live, shared, site, (at, new), cx);
        if let Some(factor) = site.outlet.factors.get(code).filter(|_| new.valid) {
            over(live, shared, (site, factor), (at, row), cx);
        }
    }
}

/// The finest kind the outlet sends speaks for the present.
fn speaks(site: Site<'_>, kind: RecordKind) -> bool {
    let expects = &site.outlet.expectation;
    match kind {
        RecordKind::Realtime => expects.realtime_s.is_some(),
        RecordKind::Minute => expects.realtime_s.is_none(),
        RecordKind::Hour => expects.realtime_s.is_none() && expects.minute_min.is_none(),
        RecordKind::Day => false,
    }
}

/// Until when a value says something.
fn measured(site: Site<'_>, kind: RecordKind, start: Timestamp) -> Timestamp {
    let minutes = match kind {
        RecordKind::Minute => site.outlet.expectation.minute_min.unwrap_or(1),
        RecordKind::Hour => 60,
        RecordKind::Realtime | RecordKind::Day => 0,
    };
    start.plus_ms(i64::from(minutes) * MINUTE_MS)
}

/// The strictest upper bound of an hour that holds now, by the figure it judges.
fn strictest<'a>(
    (site, factor): (Site<'_>, &'a OutletFactor),
    at: Timestamp,
    cx: &Cx<'_>,
) -> Option<(&'a Limit, Decimal)> {
    let region = cx.registry.enterprises.get(&site.outlet.enterprise);
    let region = region.map(|enterprise| &enterprise.region);
    let reached = |limit: &&Limit| {
        let special = limit.special.as_ref();
        limits::in_force(limit, Level::Hour, at)
            && special.is_none_or(|id| {
                let periods = &cx.registry.special_periods;
                periods.get(id).is_some_and(|s| s.in_force(at, region))
            })
    };
    let bounds = factor.limits.iter().filter(reached);
    let bounds = bounds.filter_map(|limit| Some((limit, limit.upper?)));
    bounds.min_by_key(|(limit, upper)| (*upper, limit.id.clone()))
}

/// Near or over the limit of an hour mean that is not over yet.
fn over(
    live: &mut Live,
    shared: &mut Shared,
    (site, factor): (Site<'_>, &OutletFactor),
    (at, row): (Timestamp, &RecordRow),
    cx: &mut Cx<'_>,
) {
    let Some((limit, upper)) = strictest((site, factor), at, cx) else {
        return;
    };
    let (standard, converted) = of_record(site.outlet, site.profile, factor, &row.values);
    let of_converted = limit.converted && limits::converts(site.outlet);
    let figure = if of_converted { converted } else { standard };
    let Some(figure) = figure else { return };
    if excused(limit, site, at, figure > upper, cx) {
        return;
    }
    let alarm = |kind: AlarmKind, since: Timestamp| NewAlarm {
        factor: Some(factor.code.clone()),
        limit: Some(limit.id.clone()),
        value: Some(figure),
        threshold: Some(upper),
        ..NewAlarm::of(kind, site.outlet, since)
    };
    let kind = AlarmKind::ExceedanceRealtime;
    if let Some(rule) = rule(kind, cx) {
        let key = format_smolstr!("realtime|{}", factor.code);
        let bound = inside(rule, upper);
        let seen = Seen {
            key: &key,
            rule,
            seen_at: at,
        };
        let still = super::active(&live.state.conditions, &key) && figure > bound;
        if figure > upper || still {
            seen.holds(live, shared, |since| alarm(kind, since), cx);
        } else {
            seen.gone(live, shared, "within-limit", cx);
        }
    }
    let kind = AlarmKind::LimitApproaching;
    if let Some((rule, share)) = rule(kind, cx).and_then(|rule| Some((rule, rule.share_pct?))) {
        let key = format_smolstr!("near|{}", factor.code);
        let near = share_of(upper, share);
        let seen = Seen {
            key: &key,
            rule,
            seen_at: at,
        };
        let still = super::active(&live.state.conditions, &key) && figure >= inside(rule, near);
        if figure <= upper && (figure >= near || still) {
            seen.holds(live, shared, |since| alarm(kind, since), cx);
        } else {
            seen.gone(live, shared, "within-limit", cx);
        }
    }
}

/// A mark under which the limit does not judge; looked up only where it would matter.
fn excused(limit: &Limit, site: Site<'_>, at: Timestamp, over: bool, cx: &Cx<'_>) -> bool {
    if !over {
        return false;
    }
    let marks = cx.history.marks(&site.outlet.id, at, at.plus_ms(1));
    let rules = &site.profile.marks.kinds;
    marks.iter().any(|row| {
        let not_judged = rules
            .get(&row.mark.kind)
            .is_some_and(|rule| rule.effect == crate::model::MarkEffect::NotJudged);
        row.withdrawn.is_none() && (not_judged || limit.not_during.contains(&row.mark.kind))
    })
}

fn share_of(bound: Decimal, share_pct: Decimal) -> Decimal {
    let share = share_pct.checked_div(Decimal::ONE_HUNDRED);
    share
        .and_then(|share| bound.checked_mul(share))
        .map_or(bound, internal)
}

/// A bound lowered by the dead-band (死区).
fn inside(rule: &KindRule, bound: Decimal) -> Decimal {
    bound
        .checked_sub(share_of(bound.abs(), rule.deadband_pct))
        .unwrap_or(bound)
}

/// Checks of the catalogue that a value fails, each its own alarm for the outlet.
fn refused(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    (at, new): (Timestamp, &StoredValue),
    cx: &mut Cx<'_>,
) {
    let Some(rule) = rule(AlarmKind::InvalidData, cx) else {
        return;
    };
    let excused = new.checks.iter().any(|code| code.0 == validate::FLAG.code);
    let mut failing = BTreeSet::new();
    for code in new.checks.iter().filter(|_| !excused) {
        let invalid = validate::check(&code.0).is_some_and(|c| c.severity == Severity::Invalid);
        if invalid {
            failing.insert(code.0.clone());
        }
    }
    let of = Codes {
        what: "invalid",
        kind: AlarmKind::InvalidData,
        value: new.value.figure().map(|number| number.value),
        rule,
    };
    of.seen(live, shared, site, (at, &new.value.factor, &failing), cx);
}

/// Flags that say the equipment does not measure, each its own alarm for the outlet.
fn equipment(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    (at, new): (Timestamp, &StoredValue),
    cx: &mut Cx<'_>,
) {
    let Some(rule) = rule(AlarmKind::EquipmentState, cx) else {
        return;
    };
    let profile = site.profile;
    let says = |flag: &SmolStr| {
        !profile.valid_flags.contains(flag) && !profile.stopped_flags.contains(flag)
    };
    let flag = new.value.flag.as_ref().map(|flag| flag.0.clone());
    let now: BTreeSet<SmolStr> = flag.filter(says).into_iter().collect();
    let of = Codes {
        what: "equipment",
        kind: AlarmKind::EquipmentState,
        value: None,
        rule,
    };
    of.seen(live, shared, site, (at, &new.value.factor, &now), cx);
}

/// Conditions of an outlet that go by a code, each with the factors for which it holds.
struct Codes<'a> {
    /// Beginning of their keys.
    what: &'static str,
    kind: AlarmKind,
    /// The figure that the alarm shows.
    value: Option<Decimal>,
    rule: &'a KindRule,
}

impl Codes<'_> {
    /// These codes, and no others, hold for a factor at `at`.
    fn seen(
        &self,
        live: &mut Live,
        shared: &mut Shared,
        site: Site<'_>,
        (at, factor, now): (Timestamp, &FactorCode, &BTreeSet<SmolStr>),
        cx: &mut Cx<'_>,
    ) {
        for (code, factors) in changed(live, self.what, factor, now) {
            let key = format_smolstr!("{}|{code}", self.what);
            let seen = Seen {
                key: &key,
                rule: self.rule,
                seen_at: at,
            };
            if factors.is_empty() {
                seen.gone(live, shared, "good-values", cx);
                continue;
            }
            let alarm = |since| NewAlarm {
                factor: Some(factor.clone()),
                code: Some(code.clone()),
                value: self.value,
                facts: vec![("factors", names(&factors))],
                ..NewAlarm::of(self.kind, site.outlet, since)
            };
            seen.holds(live, shared, alarm, cx);
        }
    }
}

fn names(factors: &BTreeSet<FactorCode>) -> String {
    let names: Vec<&str> = factors.iter().map(FactorCode::as_str).collect();
    names.join(" ")
}

/// Notes which codes hold for `factor` now; every code that concerns it, with the factors for
/// which it holds.
fn changed(
    live: &mut Live,
    what: &str,
    factor: &FactorCode,
    now: &BTreeSet<SmolStr>,
) -> Vec<(SmolStr, BTreeSet<FactorCode>)> {
    let held = &mut live.state.held;
    if now.is_empty() && held.is_empty() {
        return Vec::new();
    }
    let prefix = format_smolstr!("{what}|");
    for code in now {
        let factors = held.get_or_default(format_smolstr!("{prefix}{code}"));
        live.dirty |= factors.insert(factor.clone());
    }
    let mut concerned = Vec::new();
    for (key, factors) in held.iter_mut() {
        let Some(code) = key.strip_prefix(prefix.as_str()) else {
            continue;
        };
        let before = factors.len();
        if !now.contains(code) {
            live.dirty |= factors.remove(factor);
        }
        if now.contains(code) || factors.len() < before || factors.is_empty() {
            concerned.push((SmolStr::new(code), factors.clone()));
        }
    }
    // A code that is gone stays until its alarm has returned.
    let (conditions, watched) = (&live.state.conditions, &live.state.watched);
    held.retain(|key, factors| {
        !factors.is_empty() || super::active(conditions, key) || watched.contains_key(key)
    });
    concerned
}

/// The outlet fell silent: what its last values said is not known to hold any more.
pub(in crate::engine) fn silent(live: &mut Live, shared: &mut Shared, cx: &mut Cx<'_>) {
    let state = &mut live.state;
    if state.watched.is_empty() && state.conditions.is_empty() && state.held.is_empty() {
        return;
    }
    state.watched.clear();
    state.held.clear();
    let of_values = |key: &&SmolStr| OF_VALUES.iter().any(|of| key.starts_with(of));
    let keys: Vec<SmolStr> = state.conditions.keys().filter(of_values).cloned().collect();
    for key in keys {
        ended(&mut state.conditions, &mut shared.book, &key, "silent", cx);
    }
    live.dirty = true;
}
