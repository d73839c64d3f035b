//! Permitted amounts that fit the made-up past: what was emitted this year so far is the share of
//! them that the cast says.

use super::city::Resident;
use super::story::Story;
use cems_core::model::time::HOUR_MS;
use cems_core::model::{Level, Period};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Minutes of an hour.
const HOUR_MIN: u32 = 60;

/// Permitted amounts of a year by factor, kg, to the kilogram. A factor that emitted nothing gets
/// none.
pub(super) fn permitted_kg(resident: &Resident, story: &Story) -> BTreeMap<&'static str, Decimal> {
    let emitted = emitted_kg(resident, story);
    let permit = |(code, share): &(&'static str, u32)| {
        let kg = emitted.get(code).filter(|kg| **kg > Decimal::ZERO)?;
        let amount = *kg * Decimal::ONE_HUNDRED / Decimal::from(*share);
        Some((*code, amount.round().max(Decimal::ONE)))
    };
    resident.permitted.iter().filter_map(permit).collect()
}

/// What left the outlet this year up to the end of the made-up past, hour by hour, kg.
fn emitted_kg(resident: &Resident, story: &Story) -> BTreeMap<&'static str, Decimal> {
    let offset = resident.plant.offset();
    let year = Period::containing(Level::Year, story.base, offset).start;
    // The first record of the past is that of the hour before it begins.
    let mut hour = story.begins().plus_ms(-HOUR_MS).max(year);
    let mut sums = BTreeMap::new();
    while hour.plus_ms(HOUR_MS) <= story.base {
        let means = resident.plant.means(hour, HOUR_MIN);
        let outfall = &resident.station.outfall;
        if let Some(volume) = outfall.volume_m3(&means, HOUR_MIN) {
            for mean in means.iter().filter(|mean| mean.flag == "N") {
                if resident
                    .permitted
                    .iter()
                    .any(|(code, _)| *code == mean.code)
                    && let Some(kg) = outfall.amount_kg(mean, volume)
                {
                    *sums.entry(mean.code).or_default() += kg;
                }
            }
        }
        hour = hour.plus_ms(HOUR_MS);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::city::residents;
    use cems_core::model::Timestamp;

    #[test]
    fn the_share_of_the_permit_is_what_the_cast_says() {
        let story = Story::ending(Timestamp(1_795_104_000_000), 3);
        for resident in residents(&story).iter().filter(|r| r.id == "gongre-1") {
            let emitted = emitted_kg(resident, &story);
            for (code, permitted) in permitted_kg(resident, &story) {
                let share = emitted[code] * Decimal::ONE_HUNDRED / permitted;
                let wanted = resident.permitted.iter().find(|(own, _)| *own == code);
                let wanted = Decimal::from(wanted.expect("in the cast").1);
                assert!(
                    (share - wanted).abs() < Decimal::new(5, 1),
                    "{code}: {share}"
                );
            }
        }
    }
}
