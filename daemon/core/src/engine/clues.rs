//! Clues of periods that are over: the checks of series over what the period was computed from.

use super::context::{Cx, Site};
use crate::aggregate::gather::Gathered;
use crate::aggregate::standing;
use crate::incineration;
use crate::marks::Effects;
use crate::model::profile::IncinerationRule;
use crate::model::time::DAY_MS;
use crate::model::{Clue, ClueRow, Level, MarkRow, Output, Period, RecordKind, Timestamp};
use crate::validate::{
    DaySeries, HourSeries, MarkSpan, day_clues, furnace_clues, hour_clues, month_clues,
};

/// Looks at a period that is over and puts out its clues where they have changed.
pub(super) fn of_period(site: Site<'_>, period: Period, gathered: &Gathered, cx: &mut Cx<'_>) {
    let clues = match period.level {
        Level::Hour => of_hour(site, period, gathered),
        Level::Day => of_day(site, period, gathered, cx),
        Level::Month => of_month(site, period, gathered),
        Level::Year => return,
    };
    let outlet = &site.outlet.id;
    let old = cx.history.clues(outlet, period.level, period.start);
    let known = old.as_ref().map_or(&[][..], |row| row.clues.as_slice());
    if known == clues {
        return;
    }
    cx.emit(Output::Clues(ClueRow {
        outlet: outlet.clone(),
        level: period.level,
        start: period.start,
        clues,
        profile: site.profile.id.clone(),
        seq: gathered.row.seq,
    }));
}

fn spans(marks: &[MarkRow]) -> Vec<MarkSpan> {
    let counting = marks.iter().filter(|row| row.counts);
    counting
        .map(|row| (row.mark.kind, row.mark.from, row.mark.until))
        .collect()
}

fn of_hour(site: Site<'_>, period: Period, gathered: &Gathered) -> Vec<Clue> {
    let Some(inputs) = &gathered.hour else {
        return Vec::new();
    };
    let own = inputs.kind == RecordKind::Hour;
    hour_clues(&HourSeries {
        outlet: site.outlet,
        profile: site.profile,
        from: period.start,
        until: period.end(site.offset),
        rows: if own { &[] } else { &inputs.rows },
        reported: inputs.reported.as_ref(),
        hour: &gathered.row,
        marks: &spans(&inputs.standing.marks),
    })
}

fn of_day(site: Site<'_>, period: Period, gathered: &Gathered, cx: &Cx<'_>) -> Vec<Clue> {
    let (from, until) = (period.start, period.end(site.offset));
    let before = from.plus_ms(-DAY_MS);
    let of = site.of_period();
    let outlet = &site.outlet.id;
    let yesterday = cx.history.aggregates(outlet, Level::Hour, before, from);
    let (marks, _) = standing::marked(of, (before, from), cx.history);
    let (today, effects) = standing::marked(of, (from, until), cx.history);
    let mut marks = spans(&marks);
    marks.extend(spans(&today));
    marks.sort_unstable();
    marks.dedup();
    let mut clues = day_clues(&DaySeries {
        outlet: site.outlet,
        profile: site.profile,
        from,
        until,
        hours: &gathered.below,
        yesterday: &yesterday,
        reported: gathered.reported_day.as_ref(),
        marks: &marks,
    });
    if let Some(rule) = &site.profile.incineration {
        clues.extend(furnace(site, rule, (from, until), &effects, cx));
    }
    clues
}

/// The furnace temperature by five-minute means, where the outlet has it.
fn furnace(
    site: Site<'_>,
    rule: &IncinerationRule,
    (from, until): (Timestamp, Timestamp),
    effects: &Effects,
    cx: &Cx<'_>,
) -> Vec<Clue> {
    if !site.outlet.factors.contains_key(&rule.furnace_factor) {
        return Vec::new();
    }
    let outlet = &site.outlet.id;
    let rows = cx.history.records(outlet, RecordKind::Minute, from, until);
    let minutes = rows.iter().filter_map(|row| {
        let stored = row.values.get(&rule.furnace_factor)?;
        let figure = stored.value.figure().filter(|_| stored.valid)?;
        Some((row.start, figure.value))
    });
    let means = incineration::five_minute_means(from, minutes);
    let day = incineration::furnace_day(rule, &means, effects);
    furnace_clues(site.profile, &day, (from, until))
}

fn of_month(site: Site<'_>, period: Period, gathered: &Gathered) -> Vec<Clue> {
    let Some(rule) = &site.profile.incineration else {
        return Vec::new();
    };
    let month = incineration::stack_month(rule, &gathered.below);
    let span = (period.start, period.end(site.offset));
    month_clues(site.profile, &month, span)
}
