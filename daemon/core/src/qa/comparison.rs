//! Comparison with reference values (比对监测) by the accuracy tables of a profile, such as those
//! of HJ 75 for gas and table 1 of HJ 355 for water.

use super::accuracy::{Accuracy, Means, accuracy};
use super::{Figures, Why, count, errors, rounded_pct, verdict};
use crate::model::profile::{Band, BandBy, QaRules};
use crate::model::{QaKind, QaPair, QaVerdict};
use rust_decimal::Decimal;
use smol_str::{SmolStr, format_smolstr};

/// The band that holds `reference`, the mean of the reference values: at or above its lower end,
/// below its upper one; the first that does.
pub fn band(bands: &[Band], reference: Decimal) -> Option<&Band> {
    bands.iter().find(|band| {
        band.from.is_none_or(|from| from <= reference)
            && band.below.is_none_or(|below| reference < below)
    })
}

/// How a band expresses its limit, as a code: `ra 15%`, `rel 15%`, `abs 0.3`, `max 12`.
pub fn band_code(band: &Band) -> SmolStr {
    let limit = band.limit.normalize();
    match band.by {
        BandBy::RelativeAccuracy => format_smolstr!("ra {limit}%"),
        BandBy::Relative | BandBy::RelativePair => format_smolstr!("rel {limit}%"),
        BandBy::Absolute | BandBy::AbsolutePair => format_smolstr!("abs {limit}"),
        BandBy::Greatest => format_smolstr!("max {limit}"),
    }
}

/// Of `n` pairs, how many must lie within the band, by the table [`QaRules::pairs_pass`]; `None`
/// for fewer pairs than it has a line for.
pub fn pairs_needed(rules: &QaRules, n: u32) -> Option<u32> {
    let lines = rules.pairs_pass.iter().rev();
    lines
        .filter(|(pairs, _)| *pairs <= n)
        .map(|(_, needed)| *needed)
        .next()
}

/// The verdict on `pairs` of a comparison or relative accuracy test.
pub(super) fn judge(
    pairs: &[QaPair],
    rules: &QaRules,
    item: Option<&str>,
    kind: QaKind,
) -> Result<QaVerdict, Why> {
    let item = item.ok_or(Why::NoRule)?;
    let bands = rules.bands.get(item).ok_or(Why::NoRule)?;
    let min = if kind == QaKind::RelativeAccuracy {
        rules.accuracy_pairs_min
    } else {
        let own = rules.pairs_min_by_item.get(item).copied();
        own.unwrap_or(rules.pairs_min)
    };
    if count(pairs)? < min {
        return Err(Why::TooFewPairs);
    }
    let means = Means::of(pairs, rules.rounding.as_ref())?;
    let band = band(bands, means.reference).ok_or(Why::NoBand)?;
    let by_pairs = !rules.pairs_pass.is_empty();
    match band.by {
        BandBy::RelativeAccuracy => by_accuracy(pairs, rules, band),
        BandBy::RelativePair | BandBy::AbsolutePair if by_pairs => {
            by_pair(pairs, rules, band, &means)
        }
        BandBy::Greatest => by_greatest(pairs, band, &means),
        BandBy::Relative | BandBy::RelativePair | BandBy::Absolute | BandBy::AbsolutePair => {
            by_mean(pairs, rules, band, &means)
        }
    }
}

/// What every comparison has.
fn figures(pairs: &[QaPair], means: &Means) -> Result<Figures, Why> {
    Ok(Figures::new([
        ("n", Decimal::from(count(pairs)?)),
        ("mean_reference", means.reference),
        ("mean_measured", means.measured),
    ]))
}

/// The error of a pair as the band expresses it, rounded as the rules say.
fn error(pair: &QaPair, rules: &QaRules, by: BandBy) -> Result<Decimal, Why> {
    match by {
        BandBy::Relative | BandBy::RelativePair | BandBy::RelativeAccuracy => {
            let pct = errors::pct_of_reference(pair)?;
            Ok(rounded_pct(pct, rules.rounding.as_ref()))
        }
        BandBy::Absolute | BandBy::AbsolutePair | BandBy::Greatest => errors::absolute(pair),
    }
}

/// A relative accuracy needs its own number of pairs, whatever the test is called.
fn by_accuracy(pairs: &[QaPair], rules: &QaRules, band: &Band) -> Result<QaVerdict, Why> {
    if count(pairs)? < rules.accuracy_pairs_min {
        return Err(Why::TooFewPairs);
    }
    let result: Accuracy = accuracy(pairs, rules.rounding.as_ref())?;
    let mut figures = figures(pairs, &result.means)?;
    for (name, figure) in [
        ("d", result.d),
        ("sd", result.sd),
        ("t", result.t),
        ("cc", result.cc),
        ("error", result.relative_error_pct),
    ] {
        figures.add(SmolStr::new_static(name), figure);
    }
    Ok(verdict(result.ra_pct, band.limit, band_code(band), figures))
}

fn by_mean(
    pairs: &[QaPair],
    rules: &QaRules,
    band: &Band,
    means: &Means,
) -> Result<QaVerdict, Why> {
    let error = error(&means.pair(), rules, band.by)?;
    let mut figures = figures(pairs, means)?;
    figures.add(SmolStr::new_static("error"), error);
    Ok(verdict(error.abs(), band.limit, band_code(band), figures))
}

fn by_greatest(pairs: &[QaPair], band: &Band, means: &Means) -> Result<QaVerdict, Why> {
    let errors = pairs.iter().map(errors::absolute);
    let errors: Vec<Decimal> = errors.collect::<Result<_, Why>>()?;
    let error = errors::greatest(errors).ok_or(Why::NoPairs)?;
    let mut figures = figures(pairs, means)?;
    figures.add(SmolStr::new_static("error"), error);
    Ok(verdict(error.abs(), band.limit, band_code(band), figures))
}

/// Enough pairs within the limit. The result is the magnitude within which as many pairs lie as
/// must, so that it passes exactly when it is within the limit; the figures `error_1`, `error_2`
/// and so on are the errors in the order of the pairs.
fn by_pair(
    pairs: &[QaPair],
    rules: &QaRules,
    band: &Band,
    means: &Means,
) -> Result<QaVerdict, Why> {
    let needed = pairs_needed(rules, count(pairs)?).ok_or(Why::TooFewPairs)?;
    let mut figures = figures(pairs, means)?;
    let mut magnitudes = Vec::new();
    for (pair, ordinal) in pairs.iter().zip(1u32..) {
        let error = error(pair, rules, band.by)?;
        figures.add(format_smolstr!("error_{ordinal}"), error);
        magnitudes.push(error.abs());
    }
    magnitudes.sort_unstable();
    let passed = magnitudes.partition_point(|error| errors::within(*error, band.limit));
    let passed = u32::try_from(passed).map_err(|_| Why::OutOfRange)?;
    let place = usize::try_from(needed.saturating_sub(1)).map_err(|_| Why::OutOfRange)?;
    let result = *magnitudes.get(place).ok_or(Why::TooFewPairs)?;
    for (name, figure) in [("passed_pairs", passed), ("needed_pairs", needed)] {
        figures.add(SmolStr::new_static(name), Decimal::from(figure));
    }
    Ok(verdict(result, band.limit, band_code(band), figures))
}
