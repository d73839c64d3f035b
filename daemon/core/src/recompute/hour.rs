//! One hour from its means.

use super::Rules;
use super::compare::{Comparison, What};
use crate::aggregate::Shorter;
use crate::aggregate::accumulate::counts;
use crate::aggregate::gas::{self, FlowMeans};
use crate::limits::{self, Circumstances};
use crate::model::{
    FactorAggregate, FactorCode, GasSettings, Level, LimitVerdict, Medium, OutletFactor, Seq,
    Timestamp,
};
use crate::pack::{FactorColumns, HourColumns, Pack};
use crate::quantity::{Oxygen, internal};
use crate::validate::code;
use rust_decimal::Decimal;
use smol_str::SmolStr;

/// A month as it was read.
pub(super) struct Month<'m> {
    pub(super) pack: &'m Pack<'m>,
    pub(super) hours: &'m HourColumns,
    pub(super) columns: &'m [FactorColumns],
    pub(super) codes: &'m [FactorCode],
}

/// The recomputed figures of an hour; factors in the order of the codes of its month.
#[derive(Debug, Default)]
pub(super) struct HourFigures {
    volume_m3: Option<Decimal>,
    seq: Seq,
    factors: Vec<Option<FactorAggregate>>,
}

impl HourFigures {
    /// How many factors it has.
    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.factors.iter().flatten().count()).unwrap_or(u64::MAX)
    }
}

/// The figures of an hour with the codes of their factors, as a day sees them.
pub(super) struct NamedHour<'h> {
    pub(super) codes: &'h [FactorCode],
    pub(super) figures: &'h HourFigures,
}

impl Shorter for NamedHour<'_> {
    fn volume_m3(&self) -> Option<Decimal> {
        self.figures.volume_m3
    }

    fn seq(&self) -> Seq {
        self.figures.seq
    }

    fn codes(&self) -> impl Iterator<Item = &FactorCode> {
        let each = self.codes.iter().zip(&self.figures.factors);
        each.filter_map(|(code, factor)| factor.as_ref().map(|_| code))
    }

    fn factor(&self, code: &FactorCode) -> Option<&FactorAggregate> {
        let at = self.codes.binary_search(code).ok()?;
        self.figures.factors.get(at)?.as_ref()
    }
}

/// What the rules say about each factor of a month, looked up once.
pub(super) struct Plan<'a> {
    rules: Rules<'a>,
    settings: Vec<Option<&'a OutletFactor>>,
    /// Where the factors are that the formulas of a stack draw on.
    places: Vec<(&'static str, usize)>,
}

/// Factors that the formulas of a stack draw on.
const DRAWN_ON: [&str; 6] = [
    code::OXYGEN,
    code::TEMPERATURE,
    code::PRESSURE,
    code::MOISTURE,
    code::VELOCITY,
    code::GAS_FLOW,
];

impl<'a> Plan<'a> {
    pub(super) fn new(rules: Rules<'a>, codes: &[FactorCode]) -> Self {
        let place = |drawn: &'static str| {
            let at = codes.iter().position(|code| code.as_str() == drawn);
            at.map(|at| (drawn, at))
        };
        let settings = codes.iter().map(|code| rules.outlet.factors.get(code));
        Self {
            rules,
            settings: settings.collect(),
            places: DRAWN_ON.into_iter().filter_map(place).collect(),
        }
    }

    pub(super) fn is_for(&self, rules: &Rules<'_>) -> bool {
        std::ptr::eq(self.rules.outlet, rules.outlet)
            && std::ptr::eq(self.rules.profile, rules.profile)
    }

    fn find<'f>(&self, code: &str, figures: &'f HourFigures) -> Option<&'f FactorAggregate> {
        let (_, at) = self.places.iter().find(|(drawn, _)| *drawn == code)?;
        figures.factors.get(*at)?.as_ref()
    }

    fn gas(&self) -> Option<&'a GasSettings> {
        let outlet = self.rules.outlet;
        outlet.gas.as_ref().filter(|_| outlet.medium == Medium::Gas)
    }
}

/// Computes hour number `hour` of the month into `figures`.
pub(super) fn compute(plan: &Plan<'_>, month: &Month<'_>, hour: usize, figures: &mut HourFigures) {
    let hours = month.hours;
    figures.volume_m3 = hours.volume_m3.get(hour).copied().flatten();
    figures.seq = hours.seq.get(hour).copied().unwrap_or_default();
    figures.factors.clear();
    let minutes = plan.rules.profile.hour_min_valid_minutes;
    for columns in month.columns {
        let factor = known(columns, month.pack, hour, minutes);
        figures.factors.push(factor);
    }
    let reported = hours.reported.get(hour).copied().unwrap_or_default();
    if let Some(gas) = plan.gas() {
        of_stack(plan, gas, reported, figures);
    }
    let o2_valid = reported || plan.find(code::OXYGEN, figures).is_some_and(|o2| o2.valid);
    let start = hours.start.get(hour).copied().unwrap_or_default();
    let known = figures.factors.iter_mut().zip(&plan.settings);
    for ((factor, settings), columns) in known.zip(month.columns) {
        if let (Some(factor), Some(settings)) = (factor, settings) {
            let of = (Level::Hour, start);
            factor.limits = verdicts(factor, settings, &plan.rules, of, o2_valid);
            spare(factor, settings, columns, hour);
        }
    }
}

/// Takes out the verdicts that a mark kept from being given: an hour with exempt minutes has those
/// that are stored, and a limit that does not apply during some states only judges where it did.
fn spare(
    factor: &mut FactorAggregate,
    settings: &OutletFactor,
    columns: &FactorColumns,
    hour: usize,
) {
    let exempt = factor.exempt_units > 0;
    if !exempt
        && settings
            .limits
            .iter()
            .all(|limit| limit.not_during.is_empty())
    {
        return;
    }
    let depends = |verdict: &LimitVerdict| {
        let limit = settings
            .limits
            .iter()
            .find(|limit| limit.id == verdict.limit);
        exempt || limit.is_some_and(|limit| !limit.not_during.is_empty())
    };
    let stored: Vec<_> = columns
        .verdicts
        .of(hour, factor.mean, factor.converted)
        .map(|verdict| verdict.limit)
        .collect();
    factor
        .limits
        .retain(|verdict| !depends(verdict) || stored.contains(&verdict.limit));
}

/// What the pack knows of a factor, validity decided anew.
fn known(
    columns: &FactorColumns,
    pack: &Pack<'_>,
    hour: usize,
    minutes: u32,
) -> Option<FactorAggregate> {
    fn at<T: Copy + Default>(column: &[T], hour: usize) -> T {
        column.get(hour).copied().unwrap_or_default()
    }
    if !at(&columns.present, hour) {
        return None;
    }
    let mean = at(&columns.mean, hour);
    let valid_units = at(&columns.valid_units, hour);
    let why = at(&columns.invalid_why, hour);
    Some(FactorAggregate {
        mean,
        converted: at(&columns.converted, hour),
        amount_kg: at(&columns.amount_kg, hour),
        valid: why == 0 && counts(mean, valid_units, minutes),
        valid_units,
        due_units: at(&columns.due_units, hour),
        stopped_units: at(&columns.stopped_units, hour),
        exempt_units: at(&columns.exempt_units, hour),
        invalid_why: pack.why(why).map(SmolStr::new),
        ..FactorAggregate::default()
    })
}

/// Flow, converted means and amounts of a stack.
fn of_stack(plan: &Plan<'_>, gas: &GasSettings, reported: bool, figures: &mut HourFigures) {
    let (outlet, profile) = (plan.rules.outlet, plan.rules.profile);
    let means = FlowMeans::of(|code| plan.find(code, figures));
    let flow = gas::flow(&means, outlet, gas, profile);
    figures.volume_m3 = flow.map(|flow| internal(flow.m3_per_h()));
    let o2 = plan.find(code::OXYGEN, figures).and_then(|o2| o2.mean);
    for (factor, settings) in figures.factors.iter_mut().zip(&plan.settings) {
        let Some(factor) = factor else { continue };
        let Some(settings) = settings.filter(|f| f.pollutant) else {
            continue;
        };
        let sent = factor.converted.filter(|_| reported);
        if profile.convert_after_mean && sent.is_none() {
            let both = factor.mean.zip(o2);
            factor.converted =
                both.and_then(|(c, o2)| gas::convert(c, Oxygen::from_pct(o2), gas, profile));
        }
        let sent = factor.amount_kg.filter(|_| reported && factor.valid);
        factor.amount_kg = gas::amount(factor, flow, settings).or(sent);
    }
}

/// The verdicts of the limits in force on a mean.
pub(super) fn verdicts(
    factor: &FactorAggregate,
    settings: &OutletFactor,
    rules: &Rules<'_>,
    (level, start): (Level, Timestamp),
    o2_valid: bool,
) -> Vec<LimitVerdict> {
    let of = Circumstances {
        outlet: rules.outlet,
        profile: rules.profile,
        level,
        start,
        o2_valid,
        marks: &[],
        special_periods: rules.special_periods,
        region: rules.region,
    };
    limits::judge(factor, settings, &of).verdicts
}

/// Holds an hour against what its pack says of it.
pub(super) fn compare(
    month: &Month<'_>,
    hour: usize,
    figures: &HourFigures,
    found: &mut Comparison,
) {
    let start = month.hours.start.get(hour).copied().unwrap_or_default();
    found.at(Level::Hour, start);
    let volume = month.hours.volume_m3.get(hour).copied().flatten();
    found.figure(None, What::Volume, volume, figures.volume_m3);
    for (at, factor) in figures.factors.iter().enumerate() {
        let (Some(factor), Some(columns)) = (factor, month.columns.get(at)) else {
            continue;
        };
        let code = month.codes.get(at);
        let mean = columns.mean.get(hour).copied().flatten();
        let converted = columns.converted.get(hour).copied().flatten();
        let amount = columns.amount_kg.get(hour).copied().flatten();
        let valid = columns.valid.get(hour).copied().unwrap_or_default();
        found.figure(code, What::Converted, converted, factor.converted);
        found.figure(code, What::Amount, amount, factor.amount_kg);
        found.truth(code, What::Valid, valid, factor.valid);
        let stored = || columns.verdicts.of(hour, mean, converted);
        found.verdicts(code, stored, &factor.limits);
    }
}
