//! Means, sums, rounding, waste water.

use super::{number, numbers, of_case, worked};
use crate::formula::catalogue::Worked;
use crate::formula::water::{slice_amount, slice_volume, weighted_mean};
use crate::formula::{self, ph};
use crate::limits;
use crate::model::Rounding;
use crate::quantity::{Mass, Volume};
use rust_decimal::Decimal;

fn mean_of(values: &str, unit: &'static str) -> Worked {
    let values = numbers(values);
    let with = format!("({}) ÷ {}", joined(&values), values.len());
    worked(with, formula::mean(values), unit)
}

fn sum_of(values: &str, unit: &'static str) -> Worked {
    let values = numbers(values);
    worked(joined(&values), formula::sum(values), unit)
}

fn joined(values: &[Decimal]) -> String {
    let values: Vec<String> = values.iter().map(Decimal::to_string).collect();
    values.join(" + ")
}

pub(in crate::formula::catalogue) fn d23() -> Worked {
    mean_of(
        "20.1 20.4 20.3 20.2 20.5 20.4 20.6 20.3 20.2 20.4 20.1 20.5",
        "mg/m³",
    )
}

pub(in crate::formula::catalogue) fn d24() -> Worked {
    // NOx of an hour with exactly 45 valid minutes.
    let values = numbers(
        "193.1 211.8 224.7 224.9 219.9 192 157.6 126.1 137.2 163.4 203.6 218.1 221.8 219.2 \
         199 155.7 122 128.6 157.4 152.9 152.3 170.7 185.3 167.8 130.2 122.6 161.5 204.2 \
         221.5 223.4 219.7 206.8 249.4 220.9 172.2 191.5 199.5 183.4 148.3 147.4 171.1 \
         177.4 170.8 180.8 181.2",
    );
    let sum = formula::sum(values.iter().copied()).unwrap_or_default();
    let with = format!("{sum} ÷ {}", values.len());
    worked(with, formula::mean(values), "mg/m³")
}

pub(in crate::formula::catalogue) fn d25() -> Worked {
    mean_of(
        "21.4 22.3 22.4 19.8 24.0 23.2 28.3 31.1 21.4 19.9 19.3 21.0 23.3 15.6 17.7 15.7 19.6 \
         20.4 20.0 20.8",
        "mg/m³",
    )
}

pub(in crate::formula::catalogue) fn d32() -> Worked {
    sum_of("511927 507573 506005 506036", "m³")
}

pub(in crate::formula::catalogue) fn d34() -> Worked {
    sum_of("9.08 9.38 9.36 8.26 9.98 9.52 10.76 6.94", "kg")
}

pub(in crate::formula::catalogue) fn mean() -> Worked {
    mean_of("21.4 19.6 22.0", "mg/m³")
}

pub(in crate::formula::catalogue) fn sum() -> Worked {
    of_case(sum_of("10 10 40", "kg"), "p-exceed-counts", "total_kg")
}

pub(in crate::formula::catalogue) fn round() -> Worked {
    let value = limits::round(number("198.45"), 1, Rounding::HalfEven);
    worked("198.45 → 0.1", Some(value), "mg/m³")
}

pub(in crate::formula::catalogue) fn water_volume() -> Worked {
    let value = slice_volume(number("10"), 60).map(Volume::m3);
    worked("10 × 60 × 0.001", value, "m³")
}

pub(in crate::formula::catalogue) fn water_amount() -> Worked {
    let volume = Volume::from_m3(number("12500"));
    let value = slice_amount(volume, number("52.1"), number("0.001")).map(Mass::kg);
    of_case(
        worked("12500 × 52.1 × 0.001", value, "kg"),
        "w-load",
        "kg_d",
    )
}

pub(in crate::formula::catalogue) fn water_weighted() -> Worked {
    let c = numbers("40 55 62 48 51 45");
    let d = numbers("100 140 180 120 90 70");
    let slices: Vec<(Decimal, Decimal)> = d.into_iter().zip(c).collect();
    let products: Vec<String> = slices.iter().map(|(d, c)| format!("{d} × {c}")).collect();
    let volumes: Vec<Decimal> = slices.iter().map(|(d, _)| *d).collect();
    let with = format!("({}) ÷ ({})", products.join(" + "), joined(&volumes));
    let value = weighted_mean(slices.into_iter().map(|(d, c)| (Volume::from_m3(d), c)));
    worked(with, value, "mg/L")
}

pub(in crate::formula::catalogue) fn ph_mean() -> Worked {
    let value = ph::mean(numbers("6 8"));
    of_case(
        worked("pH 6, pH 8: E = (9.9 − 9.9) ÷ 2 = 0", value, ""),
        "w-ph-net-ion",
        "net_ion",
    )
}
