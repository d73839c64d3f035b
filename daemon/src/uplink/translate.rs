//! A stored record in the words of one centre: its codes, units, decimals and edition.
//!
//! The counterpart of `intake::translate`: what a centre of this program reads from the frames
//! made here is the record again.

use cems_config::{Uplink, UplinkEdition, UplinkFactor, UplinkOutlet};
use cems_core::model::{Number, RecordKind, RecordRow, StoredValue, Timestamp, UtcOffset};
use cems_protocols::hj212::{DataKind, Edition, Item, LocalTime};
use chrono::NaiveDate;
use rust_decimal::{Decimal, RoundingStrategy};
use smol_str::{SmolStr, ToSmolStr};

/// Most decimals of a number sent where nothing is said: behind them a quotient of a unit
/// conversion goes on without end, and no analyser resolves that far.
const DECIMALS_MAX: u32 = 10;
/// Fewest decimals of an amount: a minute's in kilograms is small, and sums are made of it.
const AMOUNT_DECIMALS_MIN: u32 = 6;

/// A record ready to be put into frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// What the values cover; says the command code.
    pub kind: DataKind,
    /// `DataTime`, by the site's clock.
    pub data_time: LocalTime,
    /// One item a factor.
    pub items: Vec<Item>,
}

/// The edition of a centre in the words of the protocol.
#[must_use]
pub fn edition(edition: UplinkEdition) -> Edition {
    match edition {
        UplinkEdition::V2005 => Edition::V2005,
        UplinkEdition::V2017 => Edition::V2017,
        UplinkEdition::V2025 => Edition::V2025,
    }
}

/// The command code that uploads a kind of record.
#[must_use]
pub fn data_kind(kind: RecordKind) -> DataKind {
    match kind {
        RecordKind::Realtime => DataKind::Realtime,
        RecordKind::Minute => DataKind::Minute,
        RecordKind::Hour => DataKind::Hour,
        RecordKind::Day => DataKind::Day,
    }
}

/// The site's wall clock at `at`, in the words of the protocol.
#[must_use]
pub fn local(at: Timestamp, offset: UtcOffset) -> LocalTime {
    LocalTime::from_unix_ms(at.0, offset.minutes())
}

/// The instant at which the site's clock shows `time`; `None` when it names no real time.
#[must_use]
pub fn instant(time: LocalTime, offset: UtcOffset) -> Option<Timestamp> {
    let date = NaiveDate::from_ymd_opt(
        i32::from(time.year),
        u32::from(time.month),
        u32::from(time.day),
    )?;
    let (hour, minute) = (u32::from(time.hour), u32::from(time.minute));
    let (second, millis) = (u32::from(time.second), u32::from(time.millis));
    Some(offset.instant(date.and_hms_milli_opt(hour, minute, second, millis)?))
}

/// What of a record goes to a centre; `None` when none of its factors does.
#[must_use]
pub fn parcel(
    row: &RecordRow,
    uplink: &Uplink,
    outlet: &UplinkOutlet,
    offset: UtcOffset,
) -> Option<Parcel> {
    let items: Vec<Item> = outlet
        .factors
        .iter()
        .filter_map(|factor| {
            let stored = row.values.get(&factor.factor)?;
            item(stored, factor, row.kind, uplink.edition)
        })
        .collect();
    (!items.is_empty()).then(|| Parcel {
        kind: data_kind(row.kind),
        data_time: local(row.start, offset),
        items,
    })
}

/// One factor; `None` when it has neither a value nor a flag.
fn item(
    stored: &StoredValue,
    factor: &UplinkFactor,
    kind: RecordKind,
    edition: UplinkEdition,
) -> Option<Item> {
    let value = &stored.value;
    let mut fields: Vec<(SmolStr, SmolStr)> = Vec::new();
    let mut put = |name: &'static str, text: Option<SmolStr>| {
        fields.extend(text.map(|text| (SmolStr::new_static(name), text)));
    };
    let figure = |number: &Option<Number>| {
        let number = number.as_ref()?;
        written(number.value, factor.multiplier, factor.decimals)
    };
    if kind == RecordKind::Realtime {
        put("Rtd", figure(&value.rtd));
        put("ZsRtd", figure(&value.converted));
    } else {
        // Amounts keep the unit of the factor table in every edition.
        let places = factor.decimals.map(|n| n.max(AMOUNT_DECIMALS_MIN));
        let amount = value.cou.as_ref();
        put("Cou", amount.and_then(|n| written(n.value, None, places)));
        put("Min", figure(&value.min));
        put("Avg", figure(&value.avg));
        put("Max", figure(&value.max));
        put("ZsAvg", figure(&value.converted));
    }
    if let Some(flag) = &value.flag {
        fields.push((SmolStr::new_static("Flag"), letter(&flag.0, edition)));
    }
    (!fields.is_empty()).then(|| Item {
        name: factor.code.clone(),
        fields,
    })
}

/// The flag as the edition knows it. 2005 has no letter for a lost link to the instrument; to its
/// centre that is a fault. It gives no flag for means, but without one a centre would take a fault
/// for a measurement, so they carry it there, too.
fn letter(flag: &SmolStr, edition: UplinkEdition) -> SmolStr {
    if edition == UplinkEdition::V2005 && flag == "B" {
        SmolStr::new_static("D")
    } else {
        flag.clone()
    }
}

/// A number in the centre's unit as digits; `None` when it leaves the range of exact decimals.
fn written(value: Decimal, multiplier: Option<Decimal>, decimals: Option<u32>) -> Option<SmolStr> {
    let mut value = match multiplier {
        Some(multiplier) => value.checked_mul(multiplier)?.normalize(),
        None => value,
    };
    let places = decimals.unwrap_or(DECIMALS_MAX);
    if value.scale() > places {
        value = value.round_dp_with_strategy(places, RoundingStrategy::MidpointNearestEven);
    }
    if value.is_zero() {
        // Minus zero is a sign without a meaning.
        value.set_sign_positive(true);
    }
    Some(value.to_smolstr())
}

#[cfg(test)]
mod tests;
