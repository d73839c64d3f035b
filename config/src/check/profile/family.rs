//! Versions of one family, such as `hj75-2017@1` and `hj75-2017@2`: at no time may two compete for
//! the same periods.

use super::dates;
use crate::report::{At, Report, say};
use cems_core::model::{Profile, ProfileId, Timestamp, UtcOffset};
use std::collections::BTreeMap;

/// Checks the families that a file of one's own belongs to; `own` are the places of those files.
pub(crate) fn families(
    profiles: &BTreeMap<ProfileId, Profile>,
    own: &BTreeMap<ProfileId, At>,
    offset: UtcOffset,
    r: &mut Report,
) {
    let mut families: BTreeMap<&str, Vec<&Profile>> = BTreeMap::new();
    for profile in profiles.values() {
        families.entry(profile.family()).or_default().push(profile);
    }
    for (name, mut versions) in families {
        versions.sort_by_key(|p| p.version());
        let Some(place) = versions.iter().rev().find_map(|p| own.get(&p.id)) else {
            continue;
        };
        compete(&versions, own, r);
        holes(name, &versions, *place, offset, r);
    }
}

/// Two versions with dates in common. A version without end is ended by a higher one that begins
/// later; that is how versions follow each other.
fn compete(versions: &[&Profile], own: &BTreeMap<ProfileId, At>, r: &mut Report) {
    for (n, later) in versions.iter().enumerate() {
        for earlier in versions.iter().take(n) {
            let Some(at) = own.get(&later.id).or_else(|| own.get(&earlier.id)) else {
                continue;
            };
            let follows = earlier.until.is_none()
                && later
                    .from
                    .is_some_and(|from| earlier.from.is_none_or(|first| first < from));
            let both = dates::overlap((earlier.from, earlier.until), (later.from, later.until));
            if both && !follows {
                let (earlier, later) = (&earlier.id, &later.id);
                r.error(
                    *at,
                    say!(
                        "profiles {earlier} and {later} are in force at the same time",
                        "规则集 {earlier} 与 {later} 的有效期重叠"
                    ),
                    say!(
                        "give the newer one a later `from`, or the older one `until`",
                        "请为新版本写更晚的 `from`，或为旧版本写 `until`"
                    ),
                );
            }
        }
    }
}

/// Times that no version judges.
fn holes(name: &str, versions: &[&Profile], at: At, offset: UtcOffset, r: &mut Report) {
    let mut spans: Vec<(Option<Timestamp>, Option<Timestamp>)> =
        versions.iter().map(|p| (p.from, p.until)).collect();
    // `None`, the beginning of all times, sorts first.
    spans.sort_unstable();
    let mut warn = |en: String, zh: String| {
        r.warn(
            at,
            crate::report::Say { en, zh },
            say!(
                "where an outlet names the family, nothing judges its records of that time",
                "排放口引用该系列时，此期间的数据无规则判定"
            ),
        );
    };
    let day = |at: Timestamp| offset.local(at).format("%Y-%m-%d").to_string();
    if let Some((Some(first), _)) = spans.first() {
        let first = day(*first);
        warn(
            format!("no version of {name} judges periods before {first}"),
            format!("{first} 之前没有可用的 {name} 版本"),
        );
    }
    let mut end = Some(Timestamp(i64::MIN));
    for (from, until) in &spans {
        if let (Some(covered), Some(from)) = (end, *from)
            && covered.0 > i64::MIN
            && covered < from
        {
            let (from, until) = (day(covered), day(from));
            warn(
                format!("no version of {name} judges periods from {from} until {until}"),
                format!("{from} 至 {until} 没有可用的 {name} 版本"),
            );
        }
        end = match (end, *until) {
            (Some(covered), Some(until)) => Some(covered.max(until)),
            _ => None,
        };
    }
    if let Some(last) = end {
        let last = day(last);
        warn(
            format!("no version of {name} judges periods from {last}"),
            format!("{last} 起没有可用的 {name} 版本"),
        );
    }
}
