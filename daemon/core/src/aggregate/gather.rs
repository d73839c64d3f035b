//! What a period is computed from, and its figures: the same for the engine, which stores them,
//! and for whoever asks later why a figure is what it is.

use super::standing::Standing;
use super::{
    Children, Figures, HourInput, Slot, SlotValue, arrivals, from_minutes, from_realtime,
    from_record, hour, longer,
};
use crate::engine::History;
use crate::formula;
use crate::model::rows::AggregateOrigin;
use crate::model::time::quarter_of;
use crate::model::{
    AggregateRow, FactorAggregate, FactorCode, Gap, Level, Outlet, Period, Profile, QuarterFactor,
    RecordKind, RecordRow, Timestamp, UtcOffset,
};
use crate::quantity::internal;
use crate::validate::code;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Whose period, by which rules, by which clock.
#[derive(Debug, Clone, Copy)]
pub struct Of<'a> {
    /// The outlet.
    pub outlet: &'a Outlet,
    /// The rules.
    pub profile: &'a Profile,
    /// The site's clock.
    pub offset: UtcOffset,
}

impl Of<'_> {
    fn records(self, kind: RecordKind, period: Period, history: &dyn History) -> Vec<RecordRow> {
        let end = period.end(self.offset);
        history.records(&self.outlet.id, kind, period.start, end)
    }
}

/// The records an hour is computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct HourInputs {
    /// Computed from shorter records, or the station's own hour.
    pub origin: AggregateOrigin,
    /// Kind of `rows`.
    pub kind: RecordKind,
    /// The records, ascending.
    pub rows: Vec<RecordRow>,
    /// The same as slots; minute and hour records give one each.
    pub slots: Vec<Slot>,
    /// The station's own hour record, if it sent one.
    pub reported: Option<RecordRow>,
    /// What bears on them.
    pub standing: Standing,
}

/// The records of the hour that begins at `start`, by precedence: minutes; real-time values where
/// the registry expects no minutes; the station's own hour. `None` when there are none at all.
pub fn hour_inputs(of: Of<'_>, start: Timestamp, history: &dyn History) -> Option<HourInputs> {
    let period = Period {
        level: Level::Hour,
        start,
    };
    let expects = &of.outlet.expectation;
    let reported = of.records(RecordKind::Hour, period, history).pop();
    let mut inputs = HourInputs {
        origin: AggregateOrigin::Computed,
        kind: RecordKind::Minute,
        rows: of.records(RecordKind::Minute, period, history),
        slots: Vec::new(),
        reported,
        standing: Standing::of_hour(of, start, history),
    };
    let interval_min = expects.minute_min.unwrap_or(1);
    let end = period.end(of.offset);
    inputs.slots = from_minutes(&inputs.rows, end, interval_min, of.profile);
    let no_minutes = inputs.slots.is_empty();
    if let (true, None, Some(every_s)) = (no_minutes, expects.minute_min, expects.realtime_s) {
        inputs.kind = RecordKind::Realtime;
        inputs.rows = of.records(RecordKind::Realtime, period, history);
        inputs.slots = from_realtime(&inputs.rows, start, every_s, of.profile);
    }
    if inputs.slots.is_empty() {
        let reported = inputs.reported.clone()?;
        inputs.origin = AggregateOrigin::Reported;
        inputs.kind = RecordKind::Hour;
        inputs.slots = vec![from_record(&reported, 60, of.profile)];
        inputs.rows = vec![reported];
    }
    inputs.standing.apply_to_slots(of, &mut inputs.slots);
    Some(inputs)
}

impl HourInputs {
    /// Means, validity, amounts and volume of the hour that begins at `start`.
    pub fn figures(&self, of: Of<'_>, start: Timestamp) -> Figures {
        let mut figures = hour(&HourInput {
            outlet: of.outlet,
            profile: of.profile,
            slots: &self.slots,
            origin: self.origin,
        });
        attach_reported(&mut figures, self.reported.as_ref());
        self.standing.apply_to_figures(start, &mut figures);
        figures
    }
}

/// A period with all that it was computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Gathered {
    /// The row, without verdicts of limits.
    pub row: AggregateRow,
    /// The records of an hour; `None` for longer periods.
    pub hour: Option<HourInputs>,
    /// The rows of the next shorter level, ascending; none for an hour.
    pub below: Vec<AggregateRow>,
    /// The station's own record of a day, if it sent one.
    pub reported_day: Option<RecordRow>,
}

/// Gathers a period; `None` when there is nothing below it. `complete`: the period is over, so that
/// what is missing at its end was due.
pub fn gather(
    of: Of<'_>,
    period: Period,
    complete: bool,
    history: &dyn History,
) -> Option<Gathered> {
    let row = |origin, figures: Figures, (received, due)| AggregateRow {
        outlet: of.outlet.id.clone(),
        level: period.level,
        start: period.start,
        origin,
        complete,
        volume_m3: figures.volume_m3,
        factors: figures.factors,
        profile: of.profile.id.clone(),
        received,
        due,
        seq: figures.seq,
        superseded: 0,
    };
    if period.level == Level::Hour {
        let inputs = hour_inputs(of, period.start, history)?;
        let counts = arrivals::of_hour(of, period, inputs.kind, &inputs.rows, history);
        return Some(Gathered {
            row: row(inputs.origin, inputs.figures(of, period.start), counts),
            hour: Some(inputs),
            below: Vec::new(),
            reported_day: None,
        });
    }
    let below = shorter_rows(of, period, history);
    let counts = arrivals::of_longer(of, period, complete, &below);
    let reported_day = match period.level {
        Level::Day => of.records(RecordKind::Day, period, history).pop(),
        Level::Hour | Level::Month | Level::Year => None,
    };
    let put_in = match period.level {
        Level::Month => substituted(of, period, history),
        Level::Hour | Level::Day | Level::Year => BTreeMap::new(),
    };
    let computed = longer_figures(of, period, &below);
    let (origin, mut figures) = computed
        .or_else(|| (!put_in.is_empty()).then(Figures::default))
        .map(|figures| (AggregateOrigin::Computed, figures))
        .or_else(|| {
            let slot = from_record(reported_day.as_ref()?, 60, of.profile);
            Some((AggregateOrigin::Reported, self::reported_day(&slot)))
        })?;
    for (code, kg) in put_in {
        let factor = figures.factors.entry(code).or_default();
        factor.substituted_kg = Some(kg);
    }
    attach_reported(&mut figures, reported_day.as_ref());
    Some(Gathered {
        row: row(origin, figures, counts),
        hour: None,
        below,
        reported_day,
    })
}

/// What the quarter of a month put in for invalid periods on its days, less what was measured and
/// is replaced by it, kg.
fn substituted(of: Of<'_>, month: Period, history: &dyn History) -> BTreeMap<FactorCode, Decimal> {
    let (quarter, _) = quarter_of(month.start, of.offset);
    let Some(row) = history.quarter(&of.outlet.id, quarter) else {
        return BTreeMap::new();
    };
    let within = |days: &[(Timestamp, Decimal)]| {
        let days = days
            .iter()
            .filter(|(day, _)| month.contains(*day, of.offset));
        formula::sum(days.map(|(_, kg)| *kg))
    };
    let net = |gap: &Gap| {
        let put_in = within(&gap.by_day)?;
        put_in.checked_sub(within(&gap.replaced_by_day).unwrap_or_default())
    };
    let of_factor = |(code, factor): (FactorCode, QuarterFactor)| {
        let kg = formula::sum(factor.gaps.iter().filter_map(net))?;
        Some((code, internal(kg)))
    };
    row.factors.into_iter().filter_map(of_factor).collect()
}

/// The row of a period, as [`gather`] makes it.
pub fn aggregate(
    of: Of<'_>,
    period: Period,
    complete: bool,
    history: &dyn History,
) -> Option<AggregateRow> {
    gather(of, period, complete, history).map(|gathered| gathered.row)
}

/// The rows of the next shorter level within `period`, ascending; an hour has none. A month that
/// has become empty is none.
pub fn shorter_rows(of: Of<'_>, period: Period, history: &dyn History) -> Vec<AggregateRow> {
    let Some(below) = shorter(period.level) else {
        return Vec::new();
    };
    let end = period.end(of.offset);
    let mut rows = history.aggregates(&of.outlet.id, below, period.start, end);
    rows.retain(|row| below != Level::Month || !row.factors.is_empty());
    rows
}

/// The next shorter level; `None` below an hour.
pub fn shorter(level: Level) -> Option<Level> {
    match level {
        Level::Hour => None,
        Level::Day => Some(Level::Hour),
        Level::Month => Some(Level::Day),
        Level::Year => Some(Level::Month),
    }
}

fn longer_figures(of: Of<'_>, period: Period, rows: &[AggregateRow]) -> Option<Figures> {
    if rows.is_empty() {
        return None;
    }
    let by = (of.outlet, of.profile);
    Some(longer(&Children::of(period, of.offset, by, rows)))
}

/// A day for which there is nothing but the station's own day record: its means as they are, its
/// amounts where it sent any. Nothing is computed, because a day's formulas start from hours.
fn reported_day(slot: &Slot) -> Figures {
    let factor = |value: &SlotValue| {
        let valid = value.value.is_some();
        FactorAggregate {
            mean: value.value.map(internal),
            converted: value.converted.map(internal),
            amount_kg: value.cou.map(internal),
            valid,
            valid_units: if valid { 24 } else { 0 },
            due_units: 24,
            stopped_units: if value.stopped { 24 } else { 0 },
            ..FactorAggregate::default()
        }
    };
    let flows = [code::GAS_FLOW, code::WATER_FLOW];
    let volume = |code: &&str| slot.values.get(*code).and_then(|value| value.cou);
    let mut figures = Figures {
        volume_m3: flows.iter().find_map(volume).map(internal),
        factors: slot
            .values
            .iter()
            .map(|(code, value)| (code.clone(), factor(value)))
            .collect::<BTreeMap<FactorCode, _>>(),
        seq: slot.seq,
    };
    for code in flows {
        if let Some(flow) = figures.factors.get_mut(code) {
            flow.amount_kg = None;
        }
    }
    figures
}

fn attach_reported(figures: &mut Figures, reported: Option<&RecordRow>) {
    let Some(row) = reported else { return };
    for (code, stored) in &row.values {
        figures.seq = figures.seq.max(stored.seq);
        if let Some(factor) = figures.factors.get_mut(code) {
            factor.reported = stored.value.figure().map(|n| n.value.normalize());
        }
    }
}
