//! Calibration gases and standard samples: the error in percent of the standard (示值误差,
//! 标准样品核查).

use super::accuracy::Means;
use super::{Figures, Why, count, errors, rounded_mean, rounded_pct, standard_pct, verdict};
use crate::model::profile::QaRules;
use crate::model::{QaPair, QaVerdict};
use rust_decimal::Decimal;
use smol_str::format_smolstr;
use std::collections::BTreeMap;

/// The levels of a linearity test, lowest standard first: each standard with the mean of what the
/// equipment showed for it. `None` on overflow.
pub fn levels(pairs: &[QaPair]) -> Option<Vec<QaPair>> {
    let mut levels: BTreeMap<Decimal, Vec<QaPair>> = BTreeMap::new();
    for pair in pairs {
        let level = levels.entry(pair.reference).or_default();
        level.push(pair.clone());
    }
    let mean = |(reference, pairs): (Decimal, Vec<QaPair>)| {
        let means = Means::of(&pairs, None).ok()?;
        Some(QaPair {
            reference,
            measured: means.measured,
        })
    };
    levels.into_iter().map(mean).collect()
}

/// The verdict on `levels`: the greatest error counts, so every level has to pass.
pub(super) fn judge(
    levels: Option<Vec<QaPair>>,
    rules: &QaRules,
    item: Option<&str>,
) -> Result<QaVerdict, Why> {
    let limit = standard_pct(rules, item).ok_or(Why::NoRule)?;
    let rounding = rules.rounding.as_ref();
    let levels = levels.ok_or(Why::OutOfRange)?;
    let n = count(&levels)?;
    let errors = levels.into_iter().map(|level| {
        let measured = rounded_mean(level.measured, rounding);
        let level = QaPair { measured, ..level };
        Ok(rounded_pct(errors::pct_of_reference(&level)?, rounding))
    });
    let errors: Vec<Decimal> = errors.collect::<Result<_, Why>>()?;
    let error = errors::greatest(errors).ok_or(Why::NoPairs)?;
    let figures = Figures::new([("n", Decimal::from(n)), ("error", error)]);
    let band = format_smolstr!("std {}%", limit.normalize());
    Ok(verdict(error.abs(), limit, band, figures))
}
