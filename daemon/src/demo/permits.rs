//! Permitted amounts that fit the made-up past: what was emitted this year so far is the share of
//! them that the cast says.

use super::city::Resident;
use super::story::Story;
use cems_core::model::time::HOUR_MS;
use cems_core::model::{Level, Period, UtcOffset};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Minutes of an hour.
const HOUR_MIN: u32 = 60;
/// The enterprise that has a permitted amount as a whole, of which pollutant, and how much of the
/// amounts of its outlets that is, %.
const WHOLE: (&str, &str, i64) = ("redian", "a21026", 95);
/// The special period, and the outlet and pollutant with an amount for it.
const SPECIAL: &str = "winter-peak";
const SPECIAL_AMOUNT: (&str, &str) = ("redian-1", "a21002");
/// Days of the special period before and after the end of the past.
const SPECIAL_DAYS: (i64, i64) = (5, 10);
/// Amount of the special period, % of what is usual in so many days.
const SPECIAL_SHARE_PCT: i64 = 125;

/// What the registry of the centre has besides the amounts of outlets, as TOML.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared {
    /// The special period.
    pub(super) periods: String,
    /// Amounts of enterprises as a whole, by enterprise.
    pub(super) enterprises: BTreeMap<&'static str, String>,
    /// Further amounts of outlets, by outlet.
    pub(super) outlets: BTreeMap<&'static str, String>,
}

impl Shared {
    /// For the cast with the permitted amounts of its outlets.
    pub(super) fn of(
        residents: &[Resident],
        permits: &[BTreeMap<&'static str, Decimal>],
        story: &Story,
    ) -> Self {
        let mut shared = Self {
            periods: special_period(story),
            ..Self::default()
        };
        let (enterprise, code, pct) = WHOLE;
        let own = residents.iter().zip(permits);
        let own = own.filter(|(resident, _)| resident.enterprise == enterprise);
        let sum: Decimal = own.filter_map(|(_, permit)| permit.get(code)).sum();
        if sum > Decimal::ZERO {
            let kg = (sum * Decimal::new(pct, 2)).round();
            let text = format!(
                "[[enterprise.permitted]]\nfactor = \"{code}\"\nperiod = \"year\"\n\
                 amount_kg = {kg}\nsource = \"排污许可证 示例-0001\"\n\n"
            );
            shared.enterprises.insert(enterprise, text);
        }
        for resident in residents.iter().filter(|r| r.id == SPECIAL_AMOUNT.0) {
            if let Some(kg) = special_kg(resident, story) {
                let code = SPECIAL_AMOUNT.1;
                let text = format!(
                    "[[outlet.permitted]]\nfactor = \"{code}\"\nperiod = \"special\"\n\
                     special = \"{SPECIAL}\"\namount_kg = {kg}\n\n"
                );
                shared.outlets.insert(resident.id, text);
            }
        }
        shared
    }
}

/// Heavy-pollution days that began before the end of the past and go on.
fn special_period(story: &Story) -> String {
    let today = UtcOffset::default().local(story.base).date();
    let (before, after) = SPECIAL_DAYS;
    let days = chrono::TimeDelta::days;
    let (from, until) = (today - days(before), today + days(after));
    format!(
        "[[special_period]]\nid = \"{SPECIAL}\"\nname = \"重污染天气Ⅱ级响应（演示）\"\n\
         from = {from}\nuntil = {until}\nregions = [\"dongshi\"]\n\
         source = \"示例市重污染天气应急指挥部 示例-01\"\n\n"
    )
}

/// What an outlet may emit in the special period, kg.
fn special_kg(resident: &Resident, story: &Story) -> Option<Decimal> {
    let emitted = emitted_kg(resident, story).get(SPECIAL_AMOUNT.1).copied()?;
    let year = Period::containing(Level::Year, story.base, resident.plant.offset()).start;
    let hours = story.base.since_ms(story.begins().max(year)) / HOUR_MS;
    let of_day = emitted.checked_div(Decimal::from(hours))? * Decimal::from(24);
    let days = Decimal::from(SPECIAL_DAYS.0 + SPECIAL_DAYS.1);
    let kg = (of_day * days * Decimal::new(SPECIAL_SHARE_PCT, 2)).round();
    (kg > Decimal::ZERO).then_some(kg)
}

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
