//! Cases of the area: permits (`p-*`).

use crate::case::{Case, Outcome, decimals};
use cems_core::aggregate::{Children, longer};
use cems_core::fallback::{Terms, sampling_day};
use cems_core::limits::{Circumstances, judge};
use cems_core::model::rows::AggregateOrigin;
use cems_core::model::time::HOUR_MS;
use cems_core::model::{
    AggregateRow, Basis, Expectation, FactorAggregate, FallbackRule, Level, Limit, LimitKind,
    LimitPeriod, Medium, Outlet, OutletFactor, Profile, Seq, Timestamp, UtcOffset,
};
use cems_core::permits::repair::{Outage, RepairTerms, repair};
use cems_core::permits::tax::{TaxBasis, TaxMean, law_steps, tax_basis};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

const FACTOR: &str = "a21026";

/// Runs a case of this area; `None` when it is none.
pub(crate) fn run(case: &Case) -> Option<Outcome> {
    Some(match case.id.as_str() {
        "p-tax-gas-block" => gas_tax(case),
        "p-tax-water" => water_tax(case),
        "p-exceed-counts" => exceedance_counts(case),
        "p-manual-ok" | "p-manual-gap" | "p-manual-few" => manual_day(case),
        "p-repair-48h" => repaired(case),
        _ => return None,
    })
}

/// The means of a case under a national limit, judged one by one.
fn tax(medium: Medium, means: &[Decimal], limit: Decimal) -> TaxBasis {
    let (level, period) = match medium {
        Medium::Gas => (Level::Hour, LimitPeriod::Hour),
        Medium::Water => (Level::Day, LimitPeriod::Day),
    };
    let outlet = outlet(medium, period, limit);
    let factor = &outlet.factors[FACTOR];
    let judged: Vec<FactorAggregate> = means
        .iter()
        .map(|value| judged(*value, &outlet, factor, level))
        .collect();
    let means: Vec<TaxMean<'_>> = judged
        .iter()
        .map(|mean| TaxMean {
            start: Timestamp(0),
            mean,
            o2_valid: true,
        })
        .collect();
    tax_basis(&outlet, factor, &means, &law_steps())
}

fn judged(value: Decimal, outlet: &Outlet, factor: &OutletFactor, level: Level) -> FactorAggregate {
    let mut mean = FactorAggregate {
        mean: Some(value),
        amount_kg: Some(value),
        valid: true,
        ..FactorAggregate::default()
    };
    let of = Circumstances {
        outlet,
        profile: &Profile::annex_d("annex-d@1"),
        level,
        start: Timestamp(0),
        o2_valid: true,
        marks: &[],
        special_periods: &BTreeMap::new(),
        region: None,
    };
    mean.limits = judge(&mean, factor, &of).verdicts;
    mean
}

fn gas_tax(case: &Case) -> Outcome {
    let means = decimals(&case.inputs["hour_means"]);
    let basis = tax(Medium::Gas, &means, case.input("limit"));
    let reduced = basis.due_pct < Decimal::ONE_HUNDRED;
    case.same(
        "reduction",
        Some(reduced),
        case.expected["reduction"].as_bool(),
    )
}

fn water_tax(case: &Case) -> Outcome {
    let means = decimals(&case.inputs["day_means"]);
    let basis = tax(Medium::Water, &means, case.input("limit"));
    let line = basis.deciding.and_then(|n| basis.lines.get(n));
    let of =
        |figure: fn(&cems_core::permits::tax::TaxLine) -> Option<Decimal>| line.and_then(figure);
    case.compare("month_mean", of(|line| line.month_mean))?;
    case.compare("below_pct", of(|line| line.below_pct))?;
    case.same("due_pct", basis.due_pct, Decimal::from(50u32))
}

/// A day of the hours of the case, those marked as exceeded outside a limit.
fn exceedance_counts(case: &Case) -> Outcome {
    let hours = decimals(&case.inputs["hours_kg"]);
    let outlet = outlet(Medium::Gas, LimitPeriod::Hour, Decimal::from(20u32));
    let mut rows = Vec::new();
    let mut exceeded = Vec::new();
    for (kg, n) in hours.iter().zip(0..) {
        let factor = judged(*kg, &outlet, &outlet.factors[FACTOR], Level::Hour);
        exceeded.push(factor.limits.iter().any(|v| v.exceeded).into());
        rows.push(AggregateRow {
            outlet: outlet.id.clone(),
            level: Level::Hour,
            start: Timestamp(n * HOUR_MS),
            origin: AggregateOrigin::Computed,
            complete: true,
            volume_m3: None,
            factors: [(FACTOR.into(), factor)].into(),
            profile: outlet.profile.clone(),
            received: 0,
            due: 0,
            seq: Seq(1),
            superseded: 0,
        });
    }
    case.same(
        "exceed",
        &serde_json::Value::Array(exceeded),
        &case.inputs["exceed"],
    )?;
    let day = longer(&Children {
        outlet: &outlet,
        profile: &Profile::annex_d("annex-d@1"),
        level: Level::Day,
        units: 24,
        february: false,
        rows: &rows,
    });
    case.compare("total_kg", day.factors[FACTOR].amount_kg)
}

fn manual_day(case: &Case) -> Outcome {
    let offset = UtcOffset::default();
    let day = NaiveDate::default();
    let texts = case.inputs["times"].as_array().ok_or("no times")?;
    let mut times = Vec::new();
    for text in texts {
        let text = text.as_str().ok_or("not a text")?;
        let time = NaiveTime::parse_from_str(text, "%H:%M").map_err(|e| e.to_string())?;
        times.push(offset.instant(day.and_time(time)));
    }
    let found = sampling_day(&times, &Terms::new(&rule(), offset));
    if let expected @ serde_json::Value::Number(_) = &case.expected["max_gap_h"] {
        let hours = |ms: i64| Decimal::from(ms).checked_div(Decimal::from(HOUR_MS));
        case.near("max_gap_h", expected, found.max_gap_ms.and_then(hours))?;
    }
    case.same("ok", Some(found.ok()), case.expected["ok"].as_bool())
}

fn repaired(case: &Case) -> Outcome {
    let instant = |name: &str| {
        let text = case.inputs[name].as_str().ok_or("not a text")?;
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M")
            .map(|local| UtcOffset::default().instant(local))
            .map_err(|e| e.to_string())
    };
    let outage = Outage {
        down: instant("down")?,
        until: instant("up")?,
        // From a Sunday to the Tuesday after it.
        working_days: Some(2),
        reported: None,
    };
    let verdict = repair(&outage, &RepairTerms::default()).ok_or("no verdict")?;
    case.compare("hours", Some(verdict.hours))?;
    case.same("ok", Some(verdict.hours_ok), case.expected["ok"].as_bool())?;
    case.same("working days", verdict.working_days_ok, Some(true))
}

/// The rule of article 15: four a day, not more than six hours apart.
fn rule() -> FallbackRule {
    FallbackRule {
        opens_after_min: 60,
        closes_after_min: 60,
        max_gap_min: 360,
        reports_per_day: 4,
        ..FallbackRule::default()
    }
}

/// An outlet with one factor and one national limit on it.
fn outlet(medium: Medium, period: LimitPeriod, upper: Decimal) -> Outlet {
    let limit = Limit {
        id: "gb".into(),
        period,
        converted: false,
        upper: Some(upper),
        lower: None,
        from: None,
        until: None,
        source: "the case".into(),
        kind: LimitKind::National,
        not_during: Vec::new(),
        special: None,
    };
    let factor = OutletFactor {
        code: FACTOR.into(),
        name_zh: FACTOR.into(),
        name_en: FACTOR.into(),
        unit: "mg/m3".into(),
        decimals: 1,
        pollutant: true,
        basis: Basis::StandardDry,
        range_min: None,
        range_max: None,
        detection_limit: None,
        old_unit_multiplier: None,
        kg_per_unit_m3: Decimal::from_parts(1, 0, 0, false, 6),
        limits: vec![limit],
    };
    Outlet {
        id: "case".into(),
        enterprise: "case".into(),
        name: "case".into(),
        name_en: None,
        medium,
        mn: "case".into(),
        password_sha256: None,
        allowed_sources: Vec::new(),
        profile: "annex-d@1".into(),
        gas: None,
        water: None,
        factors: [(FACTOR.into(), factor)].into(),
        expectation: Expectation {
            realtime_s: None,
            minute_min: None,
            hour: true,
            no_data_after_s: 7_200,
        },
        fallback: rule(),
        permitted: Vec::new(),
        forward: false,
        feeds: false,
    }
}
