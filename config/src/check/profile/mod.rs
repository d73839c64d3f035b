//! One rule profile: the thresholds, tables and orders of operation by which values count, each
//! with the place it was read in. Tables and keys of a file are those of [`Profile`] in the core.

mod family;
mod marks;
mod provenance;
mod quality;
mod substitution;

use super::{dates, limit};
use crate::factors::FactorTable;
use crate::report::{Report, say};
use crate::section::{Got, Section, word};
use cems_core::model::profile::DayThreshold;
use cems_core::model::{FactorCode, Profile, ProfileId, Rounding, UtcOffset};
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::ops::RangeInclusive;

pub(crate) use family::families;
pub(super) use provenance::parse as provenance;

/// Keys that every profile has, because without them nothing can be judged.
const KEYS: [&str; 18] = [
    "valid_flags",
    "flag_absent_is_valid",
    "stopped_flags",
    "hour_min_valid_minutes",
    "day_min_valid_hours",
    "day_threshold",
    "month_min_valid_days",
    "february_min_valid_days",
    "kelvin_offset",
    "standard_pressure_pa",
    "molar_volume_l",
    "air_o2_pct",
    "convert_after_mean",
    "o2_guard_pct",
    "rounding",
    "compare_rounded",
    "limit_periods",
    "capture",
];

/// Names of the rounding modes, as in files.
const ROUNDINGS: [(&str, Rounding); 2] = [
    ("half-even", Rounding::HalfEven),
    ("half-away-from-zero", Rounding::HalfAwayFromZero),
];

/// Reads a profile file; every threshold must be written down, because it judges people. Dates
/// are days of the site's clock, as the periods are that a version judges.
pub(crate) fn profile(s: &Section<'_>, offset: UtcOffset, r: &mut Report) -> Option<Profile> {
    let id = profile_id(s, r);
    let mut profile = Profile::annex_d("");
    profile.title_zh = need(s, r, "title_zh");
    profile.title_en = need(s, r, "title_en");
    profile.source = need(s, r, "source");
    (profile.from, profile.until) = dates::force(s, offset, r);
    for key in KEYS {
        must(s, r, key);
    }
    completeness(s, &mut profile, r);
    conversion(s, &mut profile, r);
    comparison(s, &mut profile, r);
    profile.confidence_pct = marks::confidence(s, r);
    if let Some(s) = s.section(r, "capture") {
        profile.capture = substitution::capture(s, r);
    }
    if let Some(s) = s.section(r, "substitution") {
        profile.substitution = substitution::substitution(s, r);
    }
    if let Some(s) = s.section(r, "qa") {
        profile.qa = quality::rules(s, r);
    }
    if let Some(s) = s.section(r, "marks") {
        profile.marks = marks::rules(s, r);
    }
    profile.checks = marks::checks(s, r);
    profile.checks_off = marks::checks_off(s, r);
    if let Some(s) = s.section(r, "incineration") {
        profile.incineration = Some(marks::incineration(s, r));
    }
    provenance::read(s, &mut profile, r);
    profile.id = id?;
    Some(profile)
}

fn completeness(s: &Section<'_>, profile: &mut Profile, r: &mut Report) {
    profile.valid_flags = flags(s, r, "valid_flags");
    profile.stopped_flags = flags(s, r, "stopped_flags");
    if let Some(got) = s.boolean(r, "flag_absent_is_valid") {
        profile.flag_absent_is_valid = got.value;
    }
    let entries: [(&'static str, i64, &mut u32); 4] = [
        (
            "hour_min_valid_minutes",
            60,
            &mut profile.hour_min_valid_minutes,
        ),
        ("day_min_valid_hours", 24, &mut profile.day_min_valid_hours),
        (
            "month_min_valid_days",
            28,
            &mut profile.month_min_valid_days,
        ),
        (
            "february_min_valid_days",
            28,
            &mut profile.february_min_valid_days,
        ),
    ];
    for (key, most, entry) in entries {
        if let Some(got) = s.integer(r, key, 1..=most) {
            *entry = got.value;
        }
    }
    let thresholds = [
        ("hours", DayThreshold::Hours),
        ("share-of-due", DayThreshold::ShareOfDue),
    ];
    if let Some(got) = s.word(r, "day_threshold", &thresholds) {
        profile.day_threshold = got.value;
    }
    profile.year_max_discarded_days = s
        .integer(r, "year_max_discarded_days", 0..=366)
        .map(|got| got.value);
}

fn conversion(s: &Section<'_>, profile: &mut Profile, r: &mut Report) {
    profile.kelvin_offset = positive(s, r, "kelvin_offset");
    profile.standard_pressure_pa = positive(s, r, "standard_pressure_pa");
    profile.molar_volume_l = positive(s, r, "molar_volume_l");
    profile.air_o2_pct = positive(s, r, "air_o2_pct");
    if let Some(got) = s.boolean(r, "convert_after_mean") {
        profile.convert_after_mean = got.value;
    }
    profile.o2_guard_pct = positive(s, r, "o2_guard_pct");
    if let Some(guard) = s.item("o2_guard_pct")
        && s.item("air_o2_pct").is_some()
        && profile.o2_guard_pct > profile.air_o2_pct
    {
        r.error(
            guard.at,
            say!(
                "`o2_guard_pct` is above `air_o2_pct`",
                "`o2_guard_pct` 大于 `air_o2_pct`"
            ),
            say!("the conversion turns negative there", "此时折算值为负"),
        );
    }
}

fn comparison(s: &Section<'_>, profile: &mut Profile, r: &mut Report) {
    if let Some(got) = s.word(r, "rounding", &ROUNDINGS) {
        profile.rounding = got.value;
    }
    if let Some(got) = s.boolean(r, "compare_rounded") {
        profile.compare_rounded = got.value;
    }
    profile.limit_periods = s
        .texts(r, "limit_periods")
        .unwrap_or_default()
        .iter()
        .filter_map(|got| word(r, "limit_periods", got, &limit::PERIODS))
        .collect();
}

fn need(s: &Section<'_>, r: &mut Report, key: &'static str) -> String {
    let hint = say!("pages and verdicts show it", "页面和判定结果会显示");
    s.need_text(r, key, hint)
        .map(|got| got.value)
        .unwrap_or_default()
}

/// A problem when the key is not there.
fn must(s: &Section<'_>, r: &mut Report, key: &'static str) {
    if s.item(key).is_none() {
        s.missing(
            r,
            key,
            say!("a profile leaves nothing open", "规则集须写全所有参数"),
        );
    }
}

/// A whole number that must be there; 0 stands in for it.
fn whole(s: &Section<'_>, r: &mut Report, key: &'static str, bounds: RangeInclusive<i64>) -> u32 {
    must(s, r, key);
    s.integer(r, key, bounds).map_or(0, |got| got.value)
}

/// A number above 0 that must be there; 1 stands in for it.
fn above_zero(s: &Section<'_>, r: &mut Report, key: &'static str) -> Decimal {
    must(s, r, key);
    positive(s, r, key)
}

/// A share in percent that must be there.
fn percent(s: &Section<'_>, r: &mut Report, key: &'static str) -> Decimal {
    must(s, r, key);
    let got = s.decimal(r, key);
    got.map_or(Decimal::ZERO, |got| within_percent(&got, key, r))
}

fn within_percent(got: &Got<Decimal>, key: &str, r: &mut Report) -> Decimal {
    if got.value < Decimal::ZERO || got.value > Decimal::ONE_HUNDRED {
        let value = got.value;
        r.error(
            got.at,
            say!("`{key}` cannot be {value}", "`{key}` 不能是 {value}"),
            say!("between 0 and 100", "应在 0 与 100 之间"),
        );
    }
    got.value
}

fn profile_id(s: &Section<'_>, r: &mut Report) -> Option<ProfileId> {
    let hint = || {
        say!(
            "name and version, such as \"hj75-2017@1\"",
            "名称和版本，如 \"hj75-2017@1\""
        )
    };
    let got = s.need_text(r, "id", hint())?;
    let fine = got.value.split_once('@').is_some_and(|(name, version)| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !name.is_empty() && name.chars().all(plain) && version.parse::<u32>().is_ok()
    });
    if !fine {
        let value = &got.value;
        r.error(
            got.at,
            say!("not a profile id: {value}", "不是规则集标识：{value}"),
            hint(),
        );
        return None;
    }
    Some(ProfileId::new(got.value))
}

fn flags(s: &Section<'_>, r: &mut Report, key: &'static str) -> Vec<SmolStr> {
    s.texts(r, key)
        .unwrap_or_default()
        .into_iter()
        .map(|got| SmolStr::new(got.value))
        .collect()
}

/// A number above 0; 1 stands in for one that is missing.
fn positive(s: &Section<'_>, r: &mut Report, key: &'static str) -> Decimal {
    let got = s.decimal(r, key);
    got.map_or(Decimal::ONE, |got| check_positive(&got, key, r))
}

fn check_positive(got: &Got<Decimal>, key: &str, r: &mut Report) -> Decimal {
    if got.value <= Decimal::ZERO {
        let value = got.value;
        r.error(
            got.at,
            say!("`{key}` cannot be {value}", "`{key}` 不能是 {value}"),
            say!("more than 0", "应大于 0"),
        );
    }
    got.value
}

/// A factor that rules are about. One that the factor table does not have may be of somebody's
/// own, so it is only doubtful.
fn factor(got: &Got<String>, r: &mut Report) -> FactorCode {
    let table = FactorTable::builtin();
    if table.get(&got.value).is_none() {
        let value = &got.value;
        let hint = match table.nearest(value) {
            Some(near) => say!("did you mean `{near}`?", "是否应为 `{near}`？"),
            None => say!(
                "the rule counts for a factor of your own of that code",
                "该规则只对使用此编码的自定义因子生效"
            ),
        };
        let what = say!("the factor table has no {value}", "因子表中没有 {value}");
        r.warn(got.at, what, hint);
    }
    FactorCode::new(&got.value)
}
