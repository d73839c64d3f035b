//! Cases of the area: checks.

use crate::case::{Case, Outcome, decimals};
use cems_core::model::Profile;
use cems_core::validate::series::{
    Dilution, PhMovement, differs, is_constant, is_diluted, ph_movement, spread,
};
use cems_core::validate::{CONSTANT, Check, O2_HIGH, PH_FLAT, PH_STEP};
use rust_decimal::Decimal;

/// Runs a case of this area; `None` when it is none.
pub(crate) fn run(case: &Case) -> Option<Outcome> {
    let found = match case.id.as_str() {
        "dq-const" => constant(case),
        "dq-hour-vs-min" => differs(
            case.input("hour_reported"),
            case.input("minutes_mean"),
            case.input("tolerance"),
        ),
        "dq-ph-flat" => {
            let (flat, step) = (
                threshold(&PH_FLAT, "variance_max"),
                threshold(&PH_STEP, "span_ph"),
            );
            let found = ph_movement(&decimals(&case.inputs["ph"]), flat, step);
            let expected = match case.expected["flag"].as_str() {
                Some("flat") => Some(PhMovement::Flat),
                Some("step") => Some(PhMovement::Step),
                _ => None,
            };
            return Some(case.same("flag", found, expected));
        }
        "dq-o2-high" => diluted(case),
        _ => return None,
    };
    Some(case.same("flag", Some(found), case.expected["flag"].as_bool()))
}

/// The default of the catalogue.
fn threshold(check: &Check, name: &str) -> Decimal {
    let profile = Profile::annex_d("plain@1");
    check
        .threshold(name, &profile)
        .expect("the catalogue has it")
}

fn constant(case: &Case) -> bool {
    let values = spread(decimals(&case.inputs["values"])).expect("the case has values");
    let range = decimals(&case.inputs["range"]);
    is_constant(
        values,
        (range[0], range[1]),
        threshold(&CONSTANT, "range_pct"),
    )
}

fn diluted(case: &Case) -> bool {
    let dilution = Dilution {
        baseline_pct: case.input("peer_p90"),
        margin_pct: threshold(&O2_HIGH, "margin_pct"),
        running_max_pct: threshold(&O2_HIGH, "o2_running_max_pct"),
        low_share_pct: threshold(&O2_HIGH, "low_share_pct"),
    };
    let measured = (case.input("so2"), case.input("limit"));
    is_diluted(case.input("o2"), measured, &dilution)
}
