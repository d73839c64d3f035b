//! Fictional results over longer times: quarters, clues, rates, projections, tax.

use super::answers;
use super::books::quarter_ago;
use super::held::Held;
use super::registry::{PROFILE, dec};
use super::rows::{self, NOW};
use crate::backend::{Actor, BackendError, OutletState, ProjectionRow, RateRow, RatesOf, TaxRow};
use cems_core::model::profile::CaptureFormula;
use cems_core::model::time::{DAY_MS, HOUR_MS};
use cems_core::model::{
    CheckCode, Clue, ClueRow, FactorCode, Gap, Level, Medium, Outlet, OutletId, Period, ProfileId,
    QuarterFactor, QuarterRow, Seq, Substitute, Timestamp, UtcOffset,
};
use cems_core::permits::projection::{NotProjected, Projection, YearSoFar, project};
use cems_core::permits::tax::{TaxMean, law_steps, tax_basis};
use cems_core::rates::{Counts, met};
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// What was put in for `hours` from `at` on: rule, kg an hour, capture rate.
fn substitute(at: Timestamp, hours: u32, said: [&str; 3]) -> Substitute {
    let [rule, unit_kg, capture] = said;
    let unit = (!unit_kg.is_empty()).then(|| dec(unit_kg));
    let newest = at.plus_ms(-HOUR_MS);
    Substitute {
        rule: SmolStr::new(rule),
        unit_kg: unit,
        total_kg: unit.map(|kg| kg * Decimal::from(hours)),
        capture_pct: Some(dec(capture)),
        looked_back: if unit.is_some() { 180 } else { 0 },
        window: unit.map(|_| (newest.plus_ms(-9 * DAY_MS), newest)),
        taken_from: unit.map(|_| newest.plus_ms(-3 * DAY_MS)),
    }
}

fn gap(from: Timestamp, hours: u32, why: &str, said: [&str; 3]) -> Gap {
    let until = from.plus_ms(i64::from(hours) * HOUR_MS);
    let day = Period::containing(Level::Day, from, UtcOffset::default()).start;
    let provisional = substitute(from, hours, said);
    Gap {
        from,
        until,
        hours,
        why: SmolStr::new(why),
        by_day: provisional
            .total_kg
            .map(|kg| (day, kg))
            .into_iter()
            .collect(),
        provisional,
        settled: None,
        replaced_by_day: Vec::new(),
    }
}

/// Invalid periods of a pollutant, the last of them only in a quarter that is over.
fn gaps(start: Timestamp, settled: bool, poor: bool) -> Vec<Gap> {
    let at = start.plus_ms(21 * DAY_MS + 8 * HOUR_MS);
    let later = at.plus_ms(18 * DAY_MS);
    let mut gaps = vec![
        gap(at, 11, "invalid", ["max-180", "1.482", "97.1"]),
        gap(later, 42, "out-of-control", ["max-720", "1.9", "95.4"]),
    ];
    if settled {
        for gap in &mut gaps {
            let said = ["max-2160", "2.04", "88.5"];
            gap.settled = Some(substitute(gap.from, gap.hours, said));
        }
        let last = later.plus_ms(9 * DAY_MS);
        let none = ["none", "", "70.2"];
        gaps.push(if poor {
            gap(last, 587, "review-failed", none)
        } else {
            gap(last, 43, "no-data", none)
        });
    }
    gaps
}

/// One pollutant of a quarter that is over (`settled`) or running.
fn quarter_factor(start: Timestamp, settled: bool, poor: bool) -> QuarterFactor {
    let (hours, stopped, invalid) = match (settled, poor) {
        (true, false) => (2_208, 120, 96),
        (true, true) => (2_208, 0, 640),
        (false, _) => (1_838, 0, 53),
    };
    let running = hours - stopped;
    let capture = Decimal::from(running - invalid) * Decimal::ONE_HUNDRED / Decimal::from(running);
    let gaps = gaps(start, settled, poor);
    let put_in = |g: &Gap| g.settled.as_ref().unwrap_or(&g.provisional).total_kg;
    QuarterFactor {
        hours,
        stopped,
        valid: running - invalid,
        invalid,
        capture_pct: Some(capture.round_dp(4)),
        capture_met: Some(capture >= dec("75")),
        measured_kg: Some(dec("1734.218")),
        substituted_kg: Some(gaps.iter().filter_map(put_in).sum()),
        gaps,
    }
}

/// Quarters of an outlet, newest first; none of one that was never heard of.
pub(super) fn quarters(outlet: &Outlet) -> Vec<QuarterRow> {
    let id = outlet.id.as_str();
    if rows::last_seen(id).is_none() {
        return Vec::new();
    }
    let pollutants = |ago: u32| {
        let factors = outlet.factors.values().filter(|f| f.pollutant);
        let stopped = rows::state(id) == OutletState::Stopped && ago == 0;
        factors.map(move |f| {
            let figures = if stopped {
                QuarterFactor {
                    hours: 1_838,
                    stopped: 1_838,
                    ..QuarterFactor::default()
                }
            } else {
                quarter_factor(quarter_ago(ago), ago > 0, ago == 2)
            };
            (f.code.clone(), figures)
        })
    };
    let row = |ago: u32| QuarterRow {
        outlet: outlet.id.clone(),
        start: quarter_ago(ago),
        complete: ago > 0,
        factors: pollutants(ago).collect(),
        profile: ProfileId::new(PROFILE),
        seq: Seq(184_100 - u64::from(ago) * 40_000),
    };
    (0..3).map(row).collect()
}

/// A clue: outlet, level, hours before the running hour, check, factor, evidence.
type ClueLine = (
    &'static str,
    Level,
    i64,
    &'static str,
    Option<&'static str>,
    &'static [(&'static str, &'static str)],
);

#[rustfmt::skip]
const CLUES: [ClueLine; 8] = [
    ("qs-01", Level::Hour, 2, "over-scale", Some("a21002"),
        &[("value", "300"), ("range_max", "300")]),
    ("bl-01", Level::Hour, 3, "constant", Some("w01001"),
        &[("least", "7.40"), ("greatest", "7.40"), ("records", "6")]),
    ("mx-01", Level::Hour, 5, "ammonia-above-nitrogen", Some("w21003"),
        &[("ammonia", "9.1"), ("nitrogen", "8.6")]),
    ("yt-01", Level::Hour, 9, "incomplete-hour", None, &[("received", "4"), ("due", "6")]),
    ("qs-01", Level::Day, 14, "limit-hugging", Some("a21026"),
        &[("hours", "17"), ("limit", "35"), ("share_pct", "70.8")]),
    ("qs-01", Level::Day, 38, "o2-high", Some("a19001"), &[("mean_pct", "14.2"), ("hours", "9")]),
    ("hy-01", Level::Day, 38, "back-filled", None, &[("records", "144"), ("late_h", "31")]),
    ("mx-01", Level::Day, 62, "duplicate-day", Some("w01018"), &[("hours", "24")]),
];

/// Clues, newest first.
pub(super) fn clues() -> Vec<ClueRow> {
    let offset = UtcOffset::default();
    let mut rows: BTreeMap<(Timestamp, OutletId, Level), ClueRow> = BTreeMap::new();
    for (n, (outlet, level, ago, check, factor, evidence)) in (0_u64..).zip(CLUES) {
        let period = Period::containing(level, NOW.plus_ms(-ago * HOUR_MS), offset);
        let outlet = OutletId::new(outlet);
        let clue = Clue {
            check: CheckCode(SmolStr::new(check)),
            factor: factor.map(FactorCode::new),
            from: period.start,
            until: period.end(offset),
            evidence: evidence
                .iter()
                .map(|(name, value)| (SmolStr::new(*name), (*value).to_owned()))
                .collect(),
        };
        let row = rows.entry((period.start, outlet.clone(), level));
        row.or_insert_with(|| ClueRow {
            outlet,
            level,
            start: period.start,
            clues: Vec::new(),
            profile: ProfileId::new(PROFILE),
            seq: Seq(184_150 - n),
        })
        .clues
        .push(clue);
    }
    rows.into_values().rev().collect()
}

/// What one outlet counts on a whole day.
fn day_counts(outlet: &Outlet) -> Counts {
    let factors = outlet.factors.values().filter(|f| f.pollutant).count();
    let hours = u64::try_from(factors).unwrap_or(0) * 24;
    let (received, judged, valid, stopped) = match rows::state(outlet.id.as_str()) {
        OutletState::Waiting => (0, 0, 0, 0),
        OutletState::Stopped => (0, 0, 0, hours),
        OutletState::Silent => (118, hours * 5 / 6, hours * 5 / 6, 0),
        OutletState::Fallback | OutletState::Invalid => (144, hours, hours * 3 / 4, 0),
        OutletState::Exceeding | OutletState::Normal => (143, hours, hours - 1, 0),
    };
    Counts {
        received,
        due: if stopped == hours { 0 } else { 144 },
        valid_hours: valid,
        judged_hours: judged,
        stopped_hours: stopped,
        invalid_hours: hours - stopped - valid,
        hours,
    }
}

fn rate_row(of: RatesOf, outlets: &[&Outlet], days: u64) -> RateRow {
    let day: Counts = outlets.iter().map(|o| day_counts(o)).sum();
    let counts: Counts = (0..days.min(3_660)).map(|_| day).sum();
    let rates = counts.rates(CaptureFormula::WithoutStops);
    let asked_pct = dec("90");
    RateRow {
        of,
        outlets: u32::try_from(outlets.len()).unwrap_or(u32::MAX),
        received: counts.received,
        due: counts.due,
        met: met(rates.effective_pct, asked_pct),
        rates,
        asked_pct,
    }
}

impl Held {
    fn counted<'a>(&'a self, actor: &Actor, of: &RatesOf) -> Vec<&'a Outlet> {
        let belongs = |outlet: &Outlet| match of {
            RatesOf::Outlet(id) => outlet.id == *id,
            RatesOf::Enterprise(id) => outlet.enterprise == *id,
            RatesOf::Region(id) => {
                let enterprise = self.registry.enterprises.get(&outlet.enterprise);
                enterprise.is_some_and(|e| e.region == *id)
            }
        };
        let outlets = self.registry.outlets.values();
        outlets
            .filter(|o| belongs(o) && self.sees(actor, &o.id))
            .collect()
    }

    /// Everyone in scope: regions, enterprises, outlets.
    fn everyone(&self, actor: &Actor) -> BTreeSet<(u8, RatesOf)> {
        let mut all = BTreeSet::new();
        for outlet in self.registry.outlets.values() {
            if !self.sees(actor, &outlet.id) {
                continue;
            }
            if let Some(enterprise) = self.registry.enterprises.get(&outlet.enterprise) {
                all.insert((0, RatesOf::Region(enterprise.region.clone())));
            }
            all.insert((1, RatesOf::Enterprise(outlet.enterprise.clone())));
            all.insert((2, RatesOf::Outlet(outlet.id.clone())));
        }
        all
    }

    pub(super) fn rates(
        &self,
        actor: &Actor,
        of: Option<&RatesOf>,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<RateRow>, BackendError> {
        let days = u64::try_from(until.min(NOW).since_ms(from) / DAY_MS).unwrap_or(0);
        let of = match of {
            Some(of) => vec![of.clone()],
            None => self.everyone(actor).into_iter().map(|(_, of)| of).collect(),
        };
        let rows = of.into_iter().map(|of| {
            let outlets = self.counted(actor, &of);
            if outlets.is_empty() {
                return Err(BackendError::NotFound);
            }
            Ok(rate_row(of, &outlets, days))
        });
        rows.collect()
    }

    pub(super) fn projections(
        &self,
        actor: &Actor,
        outlet: Option<&OutletId>,
    ) -> Result<Vec<ProjectionRow>, BackendError> {
        if let Some(id) = outlet {
            self.outlet(actor, id)?;
        }
        let mut rows = Vec::new();
        for amount in answers::amounts(&self.registry) {
            let asked = outlet.is_none_or(|id| *id == amount.outlet);
            if !asked || !self.sees(actor, &amount.outlet) {
                continue;
            }
            let Some(known) = self.registry.outlets.get(&amount.outlet) else {
                continue;
            };
            // Nothing was measured for weeks where the source stands still.
            let days = match rows::state(known.id.as_str()) {
                OutletState::Stopped => 20,
                _ => 76,
            };
            rows.push(ProjectionRow {
                outlet: Some(known.id.clone()),
                enterprise: known.enterprise.clone(),
                factor: amount.factor,
                permitted_kg: amount.permitted_kg,
                amount_kg: amount.amount_kg,
                substituted_kg: dec("32.64"),
                missing: Vec::new(),
                projection: projection(amount.permitted_kg, amount.amount_kg, days),
            });
        }
        let whole = rows.iter().find(|row| row.enterprise.as_str() == "qingshi");
        if let (None, Some(first)) = (outlet, whole) {
            let mut of_enterprise = first.clone();
            of_enterprise.outlet = None;
            of_enterprise.missing = vec![OutletId::new("qs-02")];
            rows.push(of_enterprise);
        }
        let share = |row: &ProjectionRow| row.amount_kg.checked_div(row.permitted_kg);
        rows.sort_by_key(|row| std::cmp::Reverse(share(row)));
        Ok(rows)
    }
}

/// Projects a year whose first `days` days made up `amount_kg`, some weeks more than others.
fn projection(
    permitted_kg: Decimal,
    amount_kg: Decimal,
    days: u32,
) -> Result<Projection, NotProjected> {
    let through = UtcOffset::default().local(NOW.plus_ms(-DAY_MS)).date();
    let first = NaiveDate::from_ymd_opt(through.year(), 1, 1).unwrap_or(through);
    let mean = amount_kg / Decimal::from(days);
    let weeks = [0, -8, 9, -4, 6, -10, 3, -5, 10, -2, 1];
    let by_day = first.iter_days().zip(0..days).map(|(day, n)| {
        let week = usize::try_from(n / 7).unwrap_or(0);
        let of_week = weeks.get(week % weeks.len()).copied().unwrap_or(0);
        let weight = 100 + of_week + 3 - i64::from(n % 7);
        (day, mean * Decimal::new(weight, 2))
    });
    let year = YearSoFar {
        amount_kg: permitted_kg,
        year: through.year(),
        through,
        days: &by_day.collect(),
        previous: &BTreeMap::new(),
    };
    project(&year)
}

/// Tax basis of the month that contains `month`.
pub(super) fn tax(outlet: &Outlet, month: Timestamp) -> Vec<TaxRow> {
    let offset = UtcOffset::default();
    let period = Period::containing(Level::Month, month, offset);
    let level = match outlet.medium {
        Medium::Gas => Level::Hour,
        Medium::Water => Level::Day,
    };
    let means = rows::aggregates(outlet, level, period.start, period.end(offset).min(NOW));
    let pollutants = outlet.factors.values().filter(|f| f.pollutant);
    pollutants
        .map(|factor| {
            let means: Vec<TaxMean<'_>> = means
                .iter()
                .filter_map(|row| {
                    Some(TaxMean {
                        start: row.start,
                        mean: row.factors.get(&factor.code)?,
                        o2_valid: true,
                    })
                })
                .collect();
            let kg = means.iter().filter_map(|m| m.mean.amount_kg);
            TaxRow {
                factor: factor.code.clone(),
                amount_kg: (!means.is_empty()).then(|| kg.sum()),
                basis: tax_basis(outlet, factor, &means, &law_steps()),
            }
        })
        .collect()
}
