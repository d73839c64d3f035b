//! Cases of the area: substitution of missing amounts, and the capture rate that it asks.

use crate::case::{Case, Outcome, decimals};
use cems_core::model::profile::{
    CaptureRule, SubstitutionMethod, SubstitutionRule, SubstitutionTier, Take,
};
use cems_core::model::time::{HOUR_MS, quarter_of};
use cems_core::model::{Profile, QuarterFactor, Timestamp, UtcOffset};
use cems_core::rates;
use cems_core::substitute::{self, HourFact, HourState, Input, why};
use rust_decimal::Decimal;

/// Runs a case of this area; `None` when it is none.
pub(crate) fn run(case: &Case) -> Option<Outcome> {
    match case.id.as_str() {
        "sub-conc-not-corrected" => Some(amount_only(case)),
        "sub-ooc-vs-fault" => Some(look_back(case)),
        "w-sub-2007-mean" => Some(preceding_mean(case)),
        id if id.starts_with("sub-tier-") => Some(tier(case)),
        id if id.starts_with("va-capture-") => Some(capture(case)),
        _ => None,
    }
}

/// HJ 75-2017 tables 5 and 6, as a profile states them.
fn tables() -> Vec<SubstitutionTier> {
    let line = |capture_min: u32, gap_max_h, look_back_h| SubstitutionTier {
        capture_min_pct: capture_min.into(),
        gap_max_h,
        look_back_h,
        take: Take::Maximum,
    };
    vec![
        line(90, Some(24), 180),
        line(90, None, 720),
        line(75, None, 2_160),
    ]
}

fn number(case: &Case, name: &str) -> u64 {
    case.inputs[name].as_u64().unwrap()
}

fn hour(n: u64) -> Timestamp {
    let (start, _) = quarter_of(Timestamp(1_600_000_000_000), UtcOffset::default());
    start.plus_ms(i64::try_from(n).unwrap() * HOUR_MS)
}

fn tier(case: &Case) -> Outcome {
    let gap_h = u32::try_from(number(case, "consecutive_hours")).unwrap();
    let tables = tables();
    let found = substitute::tier(&tables, Some(case.input("alpha_pct")), gap_h);
    case.compare(
        "window_valid_hours",
        found.map(|tier| tier.look_back_h.into()),
    )?;
    let maximum = case.expected["value"] == "max";
    let taken = found.map(|tier| tier.take);
    case.same("value", taken, maximum.then_some(Take::Maximum))
}

fn look_back(case: &Case) -> Outcome {
    let checks = [hour(number(case, "last_calibration_hour"))];
    let end = |why, from| {
        let until = substitute::look_back_until(why, hour(number(case, from)), &checks);
        Decimal::from(until.since_ms(hour(0)) / HOUR_MS)
    };
    let out_of_control = end(why::OUT_OF_CONTROL, "ooc_detected_hour");
    case.compare("window_end_ooc", Some(out_of_control))?;
    let fault = end(why::INVALID, "fault_start_hour");
    case.compare("window_end_fault", Some(fault))
}

/// The quarter of valid hours with these amounts, and `gap_h` invalid ones after them.
fn quarter(method: SubstitutionMethod, amounts: &[Decimal], gap_h: u64) -> QuarterFactor {
    let mut profile = Profile::annex_d("case@1");
    profile.substitution = SubstitutionRule {
        method,
        ..SubstitutionRule::default()
    };
    let amounts = amounts.iter().copied().map(Some);
    let invalid = (0..gap_h).map(|_| None);
    let hours = amounts.chain(invalid).zip(0..);
    let hours: Vec<HourFact> = hours
        .map(|(amount_kg, n)| HourFact {
            start: hour(n),
            state: match amount_kg {
                Some(_) => HourState::Valid,
                None => HourState::Invalid(why::INVALID),
            },
            amount_kg,
            volume_m3: None,
        })
        .collect();
    let end = hour(hours.len().try_into().unwrap());
    substitute::quarter(&Input {
        factor: &"a21026".into(),
        profile: &profile,
        offset: UtcOffset::default(),
        start: hour(0),
        end,
        known_from: hour(0),
        until: end,
        hours: &hours,
        passed_checks: &[],
        manual: &[],
        kg_per_unit_m3: Decimal::ONE,
    })
}

fn amount_only(case: &Case) -> Outcome {
    let kg = case.input("substitute_kg_h");
    let method = SubstitutionMethod::Tiers { tiers: tables() };
    let quarter = quarter(method, &[kg; 99], 1);
    // There is nothing in a gap but amounts: a concentration is neither taken nor given.
    case.compare("so2_mg_m3", None)?;
    case.compare("so2_kg_h", quarter.substituted_kg)?;
    case.same(
        "measured",
        quarter.measured_kg,
        kg.checked_mul(Decimal::from(99)),
    )?;
    let settled = quarter.gaps.iter().filter_map(|gap| gap.settled.as_ref());
    let rules: Vec<&str> = settled.map(|s| s.rule.as_str()).collect();
    case.same("kg_h_origin", rules, vec!["max-180"])
}

fn preceding_mean(case: &Case) -> Outcome {
    let before = decimals(&case.inputs["before"]);
    let gap_h = number(case, "gap_hours");
    let quarter = quarter(SubstitutionMethod::PrecedingMean, &before, gap_h);
    let settled = quarter.gaps.first().and_then(|gap| gap.settled.as_ref());
    case.compare("fill", settled.and_then(|s| s.unit_kg))
}

fn capture(case: &Case) -> Outcome {
    let rule = CaptureRule::default();
    let rate = rates::capture_pct(
        rule.formula,
        number(case, "quarter_hours"),
        number(case, "stop_hours"),
        number(case, "invalid_hours"),
    );
    case.compare("alpha_pct", rate)?;
    let met = case.expected["meets_75"].as_bool();
    case.same("meets_75", rates::met(rate, rule.min_pct), met)
}
