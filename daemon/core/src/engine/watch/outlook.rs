//! Totals to come: will a year's permitted amount be exceeded before the year is over?
//!
//! Looked at once a week, when a Sunday is over, and only where the total is ahead of the year: a
//! projection reads two years of days, and an outlet well within its amount needs none.

use super::rule;
use crate::engine::alarms::{NewAlarm, ended, holds};
use crate::engine::context::{Cx, Site};
use crate::engine::state::{Live, Shared};
use crate::model::time::DAY_MS;
use crate::model::{
    AggregateRow, AlarmKind, AmountPeriod, Level, Period, PermittedAmount, Timestamp,
};
use crate::permits::projection::{YearSoFar, project};
use chrono::{Datelike, NaiveDate, Weekday};
use rust_decimal::Decimal;
use smol_str::format_smolstr;
use std::collections::BTreeMap;

/// A total this far ahead of the year, %, is looked at; seasons move it by as much.
const AHEAD_PCT: i64 = 80;

/// A day of an outlet is over.
pub(in crate::engine) fn day(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    row: &AggregateRow,
    cx: &mut Cx<'_>,
) {
    let day = site.offset.local(row.start).date();
    if row.level != Level::Day || !row.complete || day.weekday() != Weekday::Sun {
        return;
    }
    if rule(AlarmKind::AmountProjected, cx).is_none() || cx.at.since_ms(row.start) > 3 * DAY_MS {
        return;
    }
    for permitted in &site.outlet.permitted {
        if permitted.period == AmountPeriod::Year {
            look(live, shared, site, (permitted, day), cx);
        }
    }
}

fn look(
    live: &mut Live,
    shared: &mut Shared,
    site: Site<'_>,
    (permitted, through): (&PermittedAmount, NaiveDate),
    cx: &mut Cx<'_>,
) {
    let key = format_smolstr!("projected|{}", permitted.factor);
    let conditions = &mut live.state.conditions;
    let at_end = ahead(site, permitted, through, cx)
        .then(|| projected(site, permitted, through, cx))
        .flatten();
    live.dirty = true;
    let Some((kg, reached)) = at_end.filter(|(kg, _)| *kg > permitted.amount_kg) else {
        ended(conditions, &mut shared.book, &key, "within-amount", cx);
        return;
    };
    let mut facts = vec![
        ("period", permitted.period.as_str().to_owned()),
        ("permitted_kg", permitted.amount_kg.normalize().to_string()),
    ];
    if let Some(reached) = reached {
        facts.push(("reached_on", reached.to_string()));
    }
    let start = year_start(site, through);
    let new = NewAlarm {
        factor: Some(permitted.factor.clone()),
        value: Some(kg),
        threshold: Some(permitted.amount_kg),
        facts,
        ..NewAlarm::of(AlarmKind::AmountProjected, site.outlet, start)
    };
    holds(conditions, &mut shared.book, (&key, new), None, cx);
}

fn year_start(site: Site<'_>, day: NaiveDate) -> Timestamp {
    let noon = day.and_hms_opt(12, 0, 0).unwrap_or_default();
    Period::containing(Level::Year, site.offset.instant(noon), site.offset).start
}

/// Whether the year's total is ahead of the year, or nearly.
fn ahead(site: Site<'_>, permitted: &PermittedAmount, through: NaiveDate, cx: &Cx<'_>) -> bool {
    let start = year_start(site, through);
    let outlet = &site.outlet.id;
    let rows = cx
        .history
        .aggregates(outlet, Level::Year, start, start.plus_ms(1));
    let total = rows
        .first()
        .and_then(|row| row.factors.get(&permitted.factor)?.total_kg());
    let days = i64::from(through.ordinal());
    let pace = permitted
        .amount_kg
        .checked_mul((days * AHEAD_PCT).into())
        .and_then(|kg| kg.checked_div(Decimal::from(36_600)));
    total.zip(pace).is_some_and(|(total, pace)| total >= pace)
}

/// The total expected at the end of the year, kg, and the day on which the amount is reached.
fn projected(
    site: Site<'_>,
    permitted: &PermittedAmount,
    through: NaiveDate,
    cx: &Cx<'_>,
) -> Option<(Decimal, Option<NaiveDate>)> {
    let this = year_start(site, through);
    let before = year_start(site, NaiveDate::from_ymd_opt(through.year() - 1, 6, 1)?);
    let of = |from: Timestamp, until: Timestamp| -> BTreeMap<NaiveDate, Decimal> {
        let rows = cx
            .history
            .aggregates(&site.outlet.id, Level::Day, from, until);
        let days = rows.iter().filter(|row| row.complete).filter_map(|row| {
            let kg = row.factors.get(&permitted.factor)?.amount_kg?;
            Some((site.offset.local(row.start).date(), kg))
        });
        days.collect()
    };
    let projection = project(&YearSoFar {
        amount_kg: permitted.amount_kg,
        year: through.year(),
        through,
        days: &of(this, cx.at),
        previous: &of(before, this),
    })
    .ok()?;
    let share = projection.year_end_pct.expected;
    let kg = permitted
        .amount_kg
        .checked_mul(share)?
        .checked_div(Decimal::ONE_HUNDRED)?;
    Some((
        crate::quantity::internal(kg),
        projection.reached_on.expected,
    ))
}
