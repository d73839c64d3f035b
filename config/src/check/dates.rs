//! Dates and times in files: `from` and `until` of limits, special periods and profiles.

use crate::report::{Report, say};
use crate::section::{Got, Item, Section};
use cems_core::model::{Day, Timestamp, UtcOffset};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use toml::de::DeValue;

/// In force from (inclusive) and until (exclusive).
pub(super) fn force(
    s: &Section<'_>,
    offset: UtcOffset,
    r: &mut Report,
) -> (Option<Timestamp>, Option<Timestamp>) {
    let from = instant(s, "from", offset, r);
    let until = instant(s, "until", offset, r);
    if let (Some(from), Some(until)) = (&from, &until)
        && from.value >= until.value
    {
        r.error(
            until.at,
            say!("`until` is not after `from`", "`until` 不晚于 `from`"),
            say!(
                "`from` belongs to the time, `until` no longer",
                "含 `from`，不含 `until`"
            ),
        );
    }
    (from.map(|got| got.value), until.map(|got| got.value))
}

/// True when two times in force, open ends included, have an instant in common. One that ends
/// before it begins has none.
pub(super) fn overlap(
    (from, until): (Option<Timestamp>, Option<Timestamp>),
    (other_from, other_until): (Option<Timestamp>, Option<Timestamp>),
) -> bool {
    let before = |end: Option<Timestamp>, begin: Option<Timestamp>| {
        end.zip(begin).is_some_and(|(end, begin)| end <= begin)
    };
    let ends = [until, other_until];
    let begins = [from, other_from];
    ends.iter()
        .all(|end| begins.iter().all(|begin| !before(*end, *begin)))
}

/// A day: a TOML date without a time.
pub(super) fn day(item: &Item<'_>, key: &str, r: &mut Report) -> Option<Day> {
    let date = match item.value {
        DeValue::Datetime(datetime) if datetime.time.is_none() => datetime.date,
        _ => None,
    };
    let day = date.and_then(|d| Day::new(d.year.into(), d.month.into(), d.day.into()));
    if day.is_none() {
        r.error(
            item.at,
            say!("`{key}` is not a day", "`{key}` 不是日期"),
            say!(
                "without quotes: {key} = 2026-01-01",
                "不加引号：{key} = 2026-01-01"
            ),
        );
    }
    day
}

/// A TOML date (midnight at the site), local time (at the site) or time with offset.
fn instant(
    s: &Section<'_>,
    key: &'static str,
    offset: UtcOffset,
    r: &mut Report,
) -> Option<Got<Timestamp>> {
    let item = s.item(key)?;
    let value = match item.value {
        DeValue::Datetime(datetime) => to_instant(datetime, offset),
        _ => None,
    };
    if value.is_none() {
        r.error(
            item.at,
            say!("`{key}` is not a date", "`{key}` 不是日期"),
            say!(
                "without quotes: {key} = 2026-01-01 or 2026-01-01T08:00:00",
                "不加引号：{key} = 2026-01-01 或 2026-01-01T08:00:00"
            ),
        );
    }
    value.map(|value| Got { value, at: item.at })
}

fn to_instant(d: &toml::value::Datetime, site: UtcOffset) -> Option<Timestamp> {
    let date = d.date?;
    let day = NaiveDate::from_ymd_opt(i32::from(date.year), date.month.into(), date.day.into())?;
    let time = match d.time {
        None => NaiveTime::MIN,
        Some(t) => NaiveTime::from_hms_opt(
            t.hour.into(),
            t.minute.into(),
            t.second.unwrap_or_default().into(),
        )?,
    };
    let offset = match d.offset {
        None => site,
        Some(toml::value::Offset::Z) => UtcOffset::from_minutes(0)?,
        Some(toml::value::Offset::Custom { minutes }) => UtcOffset::from_minutes(minutes.into())?,
    };
    Some(offset.instant(NaiveDateTime::new(day, time)))
}
