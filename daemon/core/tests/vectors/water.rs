//! Cases of the area: water (`w-*`) but for comparisons and substitution.

use crate::case::{Case, Outcome, decimals};
use cems_core::formula::{ph, water::slice_amount};
use cems_core::quantity::{Mass, Volume};
use rust_decimal::Decimal;

/// Kilograms of a mg/L in a cubic metre.
const KG_PER_MG_L: Decimal = Decimal::from_parts(1, 0, 0, false, 3);

/// Runs a case of this area; `None` when it is none.
pub(crate) fn run(case: &Case) -> Option<Outcome> {
    Some(match case.id.as_str() {
        "w-ph-net-ion" => mean_of_ph(case),
        "w-load" => {
            let volume = Volume::from_m3(case.input("Q_m3_d"));
            let load = slice_amount(volume, case.input("mean_mg_L"), KG_PER_MG_L);
            case.compare("kg_d", load.map(Mass::kg))
        }
        _ => return None,
    })
}

fn mean_of_ph(case: &Case) -> Outcome {
    let values = decimals(&case.inputs["ph"]);
    let volumes = decimals(&case.inputs["Q"]);
    let parts = || volumes.iter().copied().zip(values.iter().copied());
    case.compare("net_ion", ph::mean_weighted(parts()))?;
    case.compare("h_only", ph::mean_of_hydrogen(parts()))?;
    case.compare("median", ph::median(values.iter().copied()))
}
