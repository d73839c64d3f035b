//! Rule profiles of one's own beside those built in: versions follow each other, and an outlet is
//! judged by the one in force.

use cems_config::profiles::BUILTIN;
use cems_config::{Checked, load_str};
use cems_core::model::{OutletId, Sure, Timestamp};
use chrono::{DateTime, FixedOffset};

const SITE: &str = r#"
profiles = ["rules"]

[[region]]
id = "shili"
name = "示例市"

[[enterprise]]
id = "jia"
name = "甲电厂"
region = "shili"

[[outlet]]
id = "jia-1"
enterprise = "jia"
name = "1号机组总排口"
medium = "gas"
mn = "EXAMPLE0000001"
any_password = true
profile = "PROFILE"
permit = "排污许可证 示例-0001"
auxiliary = ["a01011", "a01012", "a01013", "a01014", "a19001"]
gas = { area_m2 = 20, reference_o2_pct = 6 }
factor = [{ code = "a21026", range = 200, limit_hour = 35 }]
"#;

/// Version 1 of the gas rules under another id, in force from a day until another.
fn version(id: &str, from: Option<&str>, until: Option<&str>) -> String {
    let (_, first) = BUILTIN
        .iter()
        .find(|(name, _)| *name == "hj75-2017@1.toml")
        .expect("it is built in");
    let mut text = first.replace("hj75-2017@1", id);
    for (key, day) in [("until", until), ("from", from)] {
        if let Some(day) = day {
            let told = format!("[provenance]\n{key} = \"M: invented\"\n");
            text = text.replace("[provenance]\n", &told);
            let dated = format!("\"{id}\"\n{key} = {day}\n");
            text = text.replace(&format!("\"{id}\"\n"), &dated);
        }
    }
    text
}

fn checked(profile: &str, files: &[String]) -> Checked {
    let main = SITE.replace("PROFILE", profile);
    let mut all = vec![("m.toml".to_owned(), main)];
    for (n, text) in files.iter().enumerate() {
        all.push((format!("rules/{n}.toml"), text.clone()));
    }
    let all: Vec<(&str, &str)> = all.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    load_str(&all).unwrap_or_else(|problems| panic!("{problems}"))
}

fn judged_by(checked: &Checked, at: &str) -> Option<String> {
    let at: DateTime<FixedOffset> = at.parse().expect("a time");
    let outlet = &checked.registry.outlets[&OutletId::new("jia-1")];
    let profile = checked
        .registry
        .profile_at(outlet, Timestamp(at.timestamp_millis()))?;
    Some(profile.id.as_str().to_owned())
}

#[test]
fn a_version_of_ones_own_follows_the_built_in_ones() {
    let own = [version("hj75-2017@3", Some("2027-07-01"), None)];
    let family = checked("hj75-2017", &own);
    for (at, expected) in [
        ("2025-12-31T23:59:59+08:00", "hj75-2017@1"),
        ("2026-01-01T00:00:00+08:00", "hj75-2017@2"),
        ("2027-06-30T23:00:00+08:00", "hj75-2017@2"),
        ("2027-07-01T00:00:00+08:00", "hj75-2017@3"),
        ("2040-01-01T00:00:00+08:00", "hj75-2017@3"),
    ] {
        assert_eq!(judged_by(&family, at).as_deref(), Some(expected), "{at}");
    }
    let exact = checked("hj75-2017@1", &own);
    let late = judged_by(&exact, "2040-01-01T00:00:00+08:00");
    assert_eq!(
        late.as_deref(),
        Some("hj75-2017@1"),
        "a version named counts always"
    );
}

#[test]
fn a_version_for_a_time_gives_way_afterwards() {
    let own = [version(
        "hj75-2017@3",
        Some("2027-01-01"),
        Some("2028-01-01"),
    )];
    let family = checked("hj75-2017", &own);
    let at = |at: &str| judged_by(&family, at).unwrap();
    assert_eq!(at("2027-12-31T23:00:00+08:00"), "hj75-2017@3");
    assert_eq!(at("2028-01-01T00:00:00+08:00"), "hj75-2017@2");
}

#[test]
fn a_family_without_a_version_in_force_is_usable_and_warned_about() {
    let own = [
        version("own@1", None, Some("2026-01-01")),
        version("own@2", Some("2026-02-01"), None),
    ];
    let family = checked("own", &own);
    let about: Vec<&str> = family
        .warnings
        .iter()
        .map(|w| w.what.as_str())
        .filter(|what| what.contains("own"))
        .collect();
    let expected = ["no version of own judges periods from 2026-01-01 until 2026-02-01"];
    assert_eq!(about, expected);
    assert_eq!(judged_by(&family, "2026-01-15T00:00:00+08:00"), None);
    assert!(judged_by(&family, "2026-02-15T00:00:00+08:00").is_some());
}

#[test]
fn entries_of_ones_own_keep_their_source() {
    let own = [version("own@1", None, None)];
    let profiles = checked("own", &own).registry.profiles;
    let own = profiles
        .values()
        .find(|p| p.id.as_str() == "own@1")
        .unwrap();
    let minutes = own.provenance_of("hour_min_valid_minutes").unwrap();
    assert_eq!(minutes.sure, Sure::V2);
    assert_eq!(minutes.source, "HJ 76-2017 annex B, public extract");
}
