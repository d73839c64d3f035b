//! Tests of the equipment, and rates.

use super::{number, numbers, of_case, worked};
use crate::formula::catalogue::Worked;
use crate::model::QaPair;
use crate::model::profile::CaptureFormula;
use crate::qa::accuracy::{Accuracy, accuracy};
use crate::qa::{errors, stats};
use crate::rates::{self, Counts, Rates};
use rust_decimal::Decimal;

fn pairs(reference: &str, measured: &str) -> Vec<QaPair> {
    let pairs = numbers(reference).into_iter().zip(numbers(measured));
    pairs
        .map(|(reference, measured)| QaPair {
            reference,
            measured,
        })
        .collect()
}

/// Nine pairs of a comparison with the reference method.
fn nine() -> Option<Accuracy> {
    let pairs = pairs(
        "62.1 60.5 58.8 61.2 63.0 59.4 60.7 62.5 61.9",
        "64.0 62.2 59.1 63.5 64.4 60.9 61.3 65.2 62.8",
    );
    accuracy(&pairs, None).ok()
}

fn short(value: Decimal) -> Decimal {
    value.round_dp(4).normalize()
}

pub(in crate::formula::catalogue) fn ra() -> Worked {
    let Some(test) = nine() else {
        return worked("", None, "%");
    };
    let (d, cc) = (short(test.d.abs()), short(test.cc));
    let with = format!("({d} + {cc}) ÷ {} × 100", short(test.means.reference));
    of_case(worked(with, Some(test.ra_pct), "%"), "ra-9", "ra_pct")
}

pub(in crate::formula::catalogue) fn cc() -> Worked {
    let Some(test) = nine() else {
        return worked("", None, "mg/m³");
    };
    let value = stats::confidence(test.sd, test.n);
    // The root of nine pairs.
    let with = format!("{} × {} ÷ 3", test.t, short(test.sd));
    of_case(worked(with, value, "mg/m³"), "ra-9", "cc")
}

pub(in crate::formula::catalogue) fn baf() -> Worked {
    let pairs = pairs("62.1 60.5 58.8", "60.1 58.6 56.7");
    let test = accuracy(&pairs, None).ok();
    let Some(test) = test else {
        return worked("", None, "");
    };
    let with = format!("1 + {} ÷ {}", short(test.d), short(test.means.measured));
    worked(with, test.bias_adjustment_factor(None), "")
}

pub(in crate::formula::catalogue) fn relative_error() -> Worked {
    let pair = QaPair {
        reference: number("25"),
        measured: number("22"),
    };
    let value = errors::pct_of_reference(&pair).ok();
    of_case(
        worked("(22 − 25) ÷ 25 × 100", value, "%"),
        "w-cmp-qc",
        "error_pct",
    )
}

pub(in crate::formula::catalogue) fn drift() -> Worked {
    let pair = QaPair {
        reference: number("0"),
        measured: number("3.6"),
    };
    let value = errors::pct_of_span(&pair, number("150")).ok();
    worked("(3.6 − 0) ÷ 150 × 100", value, "%")
}

pub(in crate::formula::catalogue) fn capture() -> Worked {
    let value = rates::capture_pct(CaptureFormula::WithoutStops, 2_208, 208, 100);
    let worked = worked("(2208 − 100 − 208) ÷ (2208 − 208) × 100", value, "%");
    of_case(worked, "va-capture-1", "alpha_pct")
}

fn a_day() -> Rates {
    let counts = Counts {
        received: 1_368,
        due: 1_440,
        valid_hours: 21,
        judged_hours: 24,
        stopped_hours: 0,
        invalid_hours: 3,
        hours: 24,
    };
    counts.rates(CaptureFormula::WithoutStops)
}

pub(in crate::formula::catalogue) fn transmission() -> Worked {
    worked("1368 ÷ 1440 × 100", a_day().transmission_pct, "%")
}

pub(in crate::formula::catalogue) fn validity() -> Worked {
    worked("21 ÷ 24 × 100", a_day().validity_pct, "%")
}

pub(in crate::formula::catalogue) fn effective() -> Worked {
    worked("95 × 87.5 ÷ 100", a_day().effective_pct, "%")
}
