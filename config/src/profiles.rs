//! The rule profiles built in (`config/profiles/*.toml`).

use crate::check;
use crate::report::Report;
use crate::section::Section;
use cems_core::model::Profile;
use std::path::Path;
use toml::de::DeTable;

/// File names and texts of the built-in profiles.
pub const BUILTIN: [(&str, &str); 3] = [
    ("hj75-2017.toml", include_str!("../profiles/hj75-2017.toml")),
    (
        "hj356-2019.toml",
        include_str!("../profiles/hj356-2019.toml"),
    ),
    ("annex-d.toml", include_str!("../profiles/annex-d.toml")),
];

/// The built-in profiles, checked.
pub fn builtin() -> Vec<Profile> {
    let mut report = Report::default();
    let mut out = Vec::new();
    for (name, text) in BUILTIN {
        let file = report.add_source(Path::new(name), text);
        if let Ok(table) = DeTable::parse(text) {
            let root = Section::root(file, &table);
            out.extend(check::profile(&root, &mut report));
            root.finish(&mut report);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::Decimal;

    #[test]
    fn every_builtin_profile_is_sound() {
        let mut report = Report::default();
        for (name, text) in BUILTIN {
            let file = report.add_source(Path::new(name), text);
            let table = DeTable::parse(text).unwrap();
            let root = Section::root(file, &table);
            let profile = check::profile(&root, &mut report);
            root.finish(&mut report);
            let id = profile.unwrap().id;
            assert_eq!(id.as_str().split('@').next(), name.strip_suffix(".toml"));
        }
        let (problems, warnings) = report.into_parts();
        assert_eq!((problems, warnings), (Vec::new(), Vec::new()));
    }

    #[test]
    fn the_gas_profile_says_what_hj_75_says() {
        let all = builtin();
        let gas = all.iter().find(|p| p.id.as_str() == "hj75-2017@1").unwrap();
        assert_eq!(gas.hour_min_valid_minutes, 45);
        assert_eq!(gas.day_min_valid_hours, 20);
        assert_eq!(
            (gas.month_min_valid_days, gas.february_min_valid_days),
            (25, 23)
        );
        assert_eq!(gas.kelvin_offset, Decimal::from(273));
        assert!(gas.convert_after_mean);
    }
}
