//! Totals against permitted amounts (许可排放量): of outlets, and of enterprises as a whole.
//!
//! A total is held against what is permitted now, whatever was permitted when its period began. An
//! alarm lasts until its period is over; one that a correction takes back returns before.

use super::alarms::NewAlarm;
use super::context::{Cx, Site};
use super::state::{Live, Shared};
use crate::model::{
    AggregateRow, AlarmId, AlarmKind, AlarmSubject, AmountPeriod, EnterpriseId, FactorCode, Level,
    Outlet, OutletId, PermittedAmount, Registry, SpecialPeriod, Timestamp,
};
use crate::totals::{self, ShareVerdict};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, BTreeSet};

/// Amount alarms by factor, period and share, then by start of the period.
pub(super) type AmountAlarms = BTreeMap<SmolStr, BTreeMap<Timestamp, AmountAlarm>>;

/// Periods for which amount alarms are remembered; corrections of older totals raise anew.
const AMOUNT_PERIODS_MAX: usize = 24;

/// An amount alarm of one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AmountAlarm {
    alarm: AlarmId,
    active: bool,
}

impl AmountAlarm {
    /// Gives up the alarm if it is active; the caller returns it.
    pub(super) fn end(&mut self) -> Option<AlarmId> {
        std::mem::take(&mut self.active).then_some(self.alarm)
    }
}

/// A total as it stands.
struct Total {
    /// First instant of its period.
    start: Timestamp,
    /// The period is over.
    complete: bool,
    kg: Decimal,
    /// Outlets or days without a figure.
    missing: usize,
}

/// Follows a row that has changed: month and year rows bear on amounts of these periods, day rows
/// on special periods.
pub(super) fn follow(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    row: &AggregateRow,
    cx: &mut Cx<'_>,
) {
    let outlet = site.outlet;
    for permitted in &outlet.permitted {
        let Some(total) = of_outlet(site, outlet, permitted, row, cx) else {
            continue;
        };
        let subject = NewAlarm::of(AlarmKind::AmountWarning, outlet, total.start);
        judge(
            &mut live.state.amounts,
            shared,
            (site, permitted),
            &subject,
            &total,
            cx,
        );
    }
    let registry = cx.registry;
    let Some(enterprise) = registry.enterprises.get(&outlet.enterprise) else {
        return;
    };
    if enterprise.permitted.is_empty() {
        return;
    }
    let mut known = shared
        .enterprises
        .remove(&enterprise.id)
        .unwrap_or_default();
    for permitted in &enterprise.permitted {
        let Some(total) = of_enterprise(site, &enterprise.id, permitted, row, cx) else {
            continue;
        };
        let subject = AlarmSubject::Enterprise(enterprise.id.clone());
        let subject = NewAlarm {
            enterprise: Some(enterprise.id.clone()),
            ..NewAlarm::new(AlarmKind::AmountWarning, subject, total.start)
        };
        judge(&mut known, shared, (site, permitted), &subject, &total, cx);
    }
    shared.enterprises.insert(enterprise.id.clone(), known);
}

/// The level whose rows make up the totals of a period.
fn level_of(period: AmountPeriod) -> Level {
    match period {
        AmountPeriod::Month => Level::Month,
        AmountPeriod::Year => Level::Year,
        AmountPeriod::Special => Level::Day,
    }
}

/// The special period of an amount, when `row` is a day of it.
fn special<'r>(
    registry: &'r Registry,
    enterprise: &EnterpriseId,
    permitted: &PermittedAmount,
    row: &AggregateRow,
    site: Site<'_>,
) -> Option<&'r SpecialPeriod> {
    let region = registry.enterprises.get(enterprise).map(|e| &e.region);
    let at = (row.start, site.offset);
    let (from, until) = totals::span(permitted, &registry.special_periods, region, at).ok()?;
    let end = row.start.plus_ms(crate::model::time::DAY_MS);
    (row.start < until && from < end).then_some(())?;
    registry.special_periods.get(permitted.special.as_ref()?)
}

fn of_outlet(
    site: Site<'_>,
    outlet: &Outlet,
    permitted: &PermittedAmount,
    row: &AggregateRow,
    cx: &Cx<'_>,
) -> Option<Total> {
    if row.level != level_of(permitted.period) {
        return None;
    }
    if permitted.period == AmountPeriod::Special {
        let special = special(cx.registry, &outlet.enterprise, permitted, row, site)?;
        return Some(of_special(
            site,
            special,
            &[&outlet.id],
            &permitted.factor,
            cx,
        ));
    }
    let kg = row
        .factors
        .get(&permitted.factor)
        .and_then(|f| f.total_kg());
    Some(Total {
        start: row.start,
        complete: row.complete,
        kg: kg.unwrap_or_default(),
        missing: 0,
    })
}

fn of_enterprise(
    site: Site<'_>,
    enterprise: &EnterpriseId,
    permitted: &PermittedAmount,
    row: &AggregateRow,
    cx: &Cx<'_>,
) -> Option<Total> {
    let factor = &permitted.factor;
    let concerned = site.outlet.factors.get(factor).is_some_and(|f| f.pollutant);
    if row.level != level_of(permitted.period) || !concerned {
        return None;
    }
    if permitted.period == AmountPeriod::Special {
        let special = special(cx.registry, enterprise, permitted, row, site)?;
        let own = cx.registry.outlets.values();
        let own = own.filter(|outlet| outlet.enterprise == *enterprise);
        let own: Vec<&OutletId> = own.map(|outlet| &outlet.id).collect();
        return Some(of_special(site, special, &own, factor, cx));
    }
    let of = |outlet: &OutletId| {
        let (from, until) = (row.start, row.start.plus_ms(1));
        let rows = cx.history.aggregates(outlet, row.level, from, until);
        rows.first()?.factors.get(factor)?.total_kg()
    };
    let sum = totals::enterprise_total(cx.registry, enterprise, factor, of);
    Some(Total {
        start: row.start,
        complete: row.complete,
        kg: sum.total_kg.unwrap_or_default(),
        missing: sum.missing.len(),
    })
}

fn of_special(
    site: Site<'_>,
    special: &SpecialPeriod,
    outlets: &[&OutletId],
    factor: &FactorCode,
    cx: &Cx<'_>,
) -> Total {
    let day_kg = |day: Timestamp| {
        let of = |outlet: &&OutletId| {
            let rows = cx
                .history
                .aggregates(outlet, Level::Day, day, day.plus_ms(1));
            rows.first()?.factors.get(factor)?.amount_kg
        };
        crate::formula::sum(outlets.iter().filter_map(of))
    };
    let total = totals::special_total(special, (cx.at, site.offset), day_kg);
    Total {
        start: special.from,
        complete: special.until <= cx.at,
        kg: total.total_kg.unwrap_or_default(),
        missing: total.missing.len(),
    }
}

/// Holds a total against every share of a permitted amount.
fn judge(
    alarms: &mut AmountAlarms,
    shared: &mut Shared,
    (site, permitted): (Site<'_>, &PermittedAmount),
    subject: &NewAlarm,
    total: &Total,
    cx: &mut Cx<'_>,
) {
    for share in totals::shares(permitted, total.kg) {
        let known = alarms.entry(share_key(permitted, &share)).or_default();
        let alarm = known.get(&total.start).cloned();
        let new = announce(subject.clone(), (site, permitted), &share, total);
        if let Some(next) = turn(shared, new, &share, total, alarm, cx) {
            known.insert(total.start, next);
            if known.len() > AMOUNT_PERIODS_MAX {
                known.pop_first();
            }
        }
    }
}

fn share_key(permitted: &PermittedAmount, share: &ShareVerdict) -> SmolStr {
    let factor = &permitted.factor;
    let period = match (&permitted.special, permitted.period) {
        (Some(special), AmountPeriod::Special) => special.as_str(),
        (_, period) => period.as_str(),
    };
    format_smolstr!("{factor}|{period}|{}", share.share_pct)
}

/// What the alarm says.
fn announce(
    subject: NewAlarm,
    (site, permitted): (Site<'_>, &PermittedAmount),
    share: &ShareVerdict,
    total: &Total,
) -> NewAlarm {
    let mut facts = vec![
        ("period", permitted.period.as_str().into()),
        ("period_start", site.offset.iso(total.start)),
        ("permitted_kg", permitted.amount_kg.normalize().to_string()),
        ("share", share.share_pct.to_string()),
    ];
    if total.missing > 0 {
        facts.push(("missing", total.missing.to_string()));
    }
    NewAlarm {
        kind: if share.exceedance {
            AlarmKind::AmountExceeded
        } else {
            AlarmKind::AmountWarning
        },
        factor: Some(permitted.factor.clone()),
        value: Some(total.kg),
        threshold: Some(share.threshold_kg),
        facts,
        ..subject
    }
}

fn turn(
    shared: &mut Shared,
    new: NewAlarm,
    share: &ShareVerdict,
    total: &Total,
    known: Option<AmountAlarm>,
    cx: &mut Cx<'_>,
) -> Option<AmountAlarm> {
    let book = &mut shared.book;
    let was_active = known.as_ref().is_some_and(|k| k.active);
    // A total that came back above the share in a running period is a new occurrence.
    let raise = share.reached && !was_active && (known.is_none() || !total.complete);
    if known.is_none() && !raise {
        return None;
    }
    let alarm = if raise {
        book.raise(new, known.map(|k| k.alarm), cx)
    } else {
        let alarm = known?.alarm;
        book.change(alarm, cx, |row| {
            row.value = new.value;
            row.threshold = new.threshold;
            row.facts.remove("missing");
            let facts = new.facts.into_iter();
            row.facts
                .extend(facts.map(|(name, text)| (name.into(), text)));
        });
        alarm
    };
    let active = (raise || was_active) && share.reached && !total.complete;
    if (raise || was_active) && !active {
        let why = if share.reached {
            "period-over"
        } else {
            "corrected"
        };
        book.back_to_normal(alarm, why, cx);
    }
    Some(AmountAlarm { alarm, active })
}

fn keys(permitted: &[PermittedAmount]) -> BTreeSet<SmolStr> {
    let shares = |p: &PermittedAmount| {
        let shares = totals::shares(p, Decimal::ZERO).into_iter();
        shares.map(|share| share_key(p, &share)).collect::<Vec<_>>()
    };
    permitted.iter().flat_map(shares).collect()
}

/// Returns the alarms of permitted amounts that an outlet has no more.
pub(super) fn keep_only(
    live: &mut Live,
    shared: &mut Shared,
    permitted: &[PermittedAmount],
    cx: &mut Cx<'_>,
) {
    drop_others(&mut live.state.amounts, shared, &keys(permitted), cx);
}

/// Returns the alarms of permitted amounts that enterprises have no more.
pub(super) fn keep_only_of_enterprises(shared: &mut Shared, new: &Registry, cx: &mut Cx<'_>) {
    let mut all = std::mem::take(&mut shared.enterprises);
    for (id, alarms) in &mut all {
        let permitted = new
            .enterprises
            .get(id)
            .map_or(&[][..], |e| e.permitted.as_slice());
        drop_others(alarms, shared, &keys(permitted), cx);
    }
    shared.enterprises = all;
}

fn drop_others(
    alarms: &mut AmountAlarms,
    shared: &mut Shared,
    keys: &BTreeSet<SmolStr>,
    cx: &mut Cx<'_>,
) {
    let gone = alarms.iter_mut().filter(|(key, _)| !keys.contains(*key));
    for (_, periods) in gone {
        for alarm in periods.values_mut().filter_map(AmountAlarm::end) {
            shared.book.back_to_normal(alarm, "permit-removed", cx);
        }
    }
}
