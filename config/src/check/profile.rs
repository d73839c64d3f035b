//! One rule profile: the thresholds by which values count.

use crate::report::{Report, say};
use crate::section::{Got, Section, word};
use cems_core::model::Rounding;
use cems_core::model::{Profile, ProfileId};
use rust_decimal::Decimal;
use smol_str::SmolStr;

/// How sure an entry is: read in the text of the standard, in an extract or implementation of it,
/// or remembered.
const SURE: [(&str, ()); 3] = [("text", ()), ("secondary", ()), ("recalled", ())];

/// Keys that `[sure]` may speak about.
const KEYS: [&str; 14] = [
    "valid_flags",
    "flag_absent_is_valid",
    "stopped_flags",
    "hour_min_valid_minutes",
    "day_min_valid_hours",
    "month_min_valid_days",
    "february_min_valid_days",
    "kelvin_offset",
    "standard_pressure_pa",
    "air_o2_pct",
    "convert_after_mean",
    "o2_guard_pct",
    "rounding",
    "compare_rounded",
];

/// Reads a profile file; every threshold must be written down, because it judges people.
pub(crate) fn profile(s: &Section<'_>, r: &mut Report) -> Option<Profile> {
    let id = profile_id(s, r);
    let title_zh = need(s, r, "title_zh");
    let title_en = need(s, r, "title_en");
    let source = need(s, r, "source");
    for key in KEYS {
        if s.item(key).is_none() {
            s.missing(
                r,
                key,
                say!("a profile leaves nothing open", "规则集须写全所有参数"),
            );
        }
    }
    let valid_flags = flags(s, r, "valid_flags");
    let stopped_flags = flags(s, r, "stopped_flags");
    let flag_absent_is_valid = s.boolean(r, "flag_absent_is_valid");
    let minutes = s.integer(r, "hour_min_valid_minutes", 1..=60);
    let hours = s.integer(r, "day_min_valid_hours", 1..=24);
    let days = s.integer(r, "month_min_valid_days", 1..=28);
    let february = s.integer(r, "february_min_valid_days", 1..=28);
    let kelvin_offset = positive(s, r, "kelvin_offset");
    let standard_pressure_pa = positive(s, r, "standard_pressure_pa");
    let air_o2_pct = positive(s, r, "air_o2_pct");
    let convert_after_mean = s.boolean(r, "convert_after_mean");
    let o2_guard_pct = positive(s, r, "o2_guard_pct");
    let roundings = [
        ("half-even", Rounding::HalfEven),
        ("half-away-from-zero", Rounding::HalfAwayFromZero),
    ];
    let rounding = s.word(r, "rounding", &roundings);
    let compare_rounded = s.boolean(r, "compare_rounded");
    if let (Some(guard), Some(air)) = (&o2_guard_pct, &air_o2_pct)
        && guard.value > air.value
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
    sure(s, r);
    Some(Profile {
        id: id?,
        title_zh: title_zh?,
        title_en: title_en?,
        source: source?,
        valid_flags,
        flag_absent_is_valid: flag_absent_is_valid?.value,
        stopped_flags,
        hour_min_valid_minutes: minutes?.value,
        day_min_valid_hours: hours?.value,
        month_min_valid_days: days?.value,
        february_min_valid_days: february?.value,
        kelvin_offset: kelvin_offset?.value,
        standard_pressure_pa: standard_pressure_pa?.value,
        air_o2_pct: air_o2_pct?.value,
        convert_after_mean: convert_after_mean?.value,
        o2_guard_pct: o2_guard_pct?.value,
        rounding: rounding?.value,
        compare_rounded: compare_rounded?.value,
        ..Profile::annex_d("")
    })
}

fn need(s: &Section<'_>, r: &mut Report, key: &'static str) -> Option<String> {
    let hint = say!("pages and verdicts show it", "页面和判定结果会显示");
    s.need_text(r, key, hint).map(|got| got.value)
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

fn positive(s: &Section<'_>, r: &mut Report, key: &'static str) -> Option<Got<Decimal>> {
    let got = s.decimal(r, key)?;
    if got.value <= Decimal::ZERO {
        let value = got.value;
        r.error(
            got.at,
            say!("`{key}` cannot be {value}", "`{key}` 不能是 {value}"),
            say!("more than 0", "应大于 0"),
        );
    }
    Some(got)
}

/// `[sure]`: how well each entry is known. Kept in the file for people; checked so that it cannot
/// speak about keys that do not exist.
fn sure(s: &Section<'_>, r: &mut Report) {
    let Some(table) = s.section(r, "sure") else {
        return;
    };
    for key in KEYS {
        if let Some(got) = table.text(r, key) {
            let _ = word(r, key, &got, &SURE);
        }
    }
    table.finish(r);
}
