//! The alarm policy built in (`config/alarms/standard.toml`).

use crate::check;
use crate::report::Report;
use crate::section::Section;
use cems_core::model::policy::AlarmPolicy;
use std::path::Path;
use toml::de::DeTable;

/// Name and text of the built-in file.
pub const BUILTIN: (&str, &str) = ("standard.toml", include_str!("../alarms/standard.toml"));

/// The alarm policy built in, as it applies where no file of a site says otherwise.
pub fn builtin() -> AlarmPolicy {
    let (name, text) = BUILTIN;
    let mut report = Report::default();
    let mut policy = AlarmPolicy::default();
    let file = report.add_source(Path::new(name), text);
    if let Ok(table) = DeTable::parse(text) {
        let root = Section::root(file, &table);
        check::alarm_rules(&root, &mut policy, &mut report);
        root.finish(&mut report);
    }
    policy
}

#[cfg(test)]
mod tests {
    use super::*;
    use cems_core::model::policy::{Consequence, Response, SuppressedBy};
    use cems_core::model::{AlarmKind, Priority};
    use toml::Value;

    /// Keys that every kind has; `share_pct` belongs to kinds that warn.
    const KEYS: [&str; 8] = [
        "consequence",
        "response",
        "on_delay_s",
        "off_delay_s",
        "deadband_pct",
        "ack_expires_min",
        "suppressed_by",
        "in_service",
    ];

    #[test]
    fn the_file_is_sound_and_says_everything_of_every_kind() {
        let (name, text) = BUILTIN;
        let mut report = Report::default();
        let mut policy = AlarmPolicy::default();
        let file = report.add_source(Path::new(name), text);
        let table = DeTable::parse(text).unwrap();
        let root = Section::root(file, &table);
        check::alarm_rules(&root, &mut policy, &mut report);
        root.finish(&mut report);
        let (problems, warnings) = report.into_parts();
        assert_eq!((problems, warnings), (Vec::new(), Vec::new()));

        let table: toml::Table = text.parse().unwrap();
        let kinds = table["kind"].as_table().unwrap();
        for kind in AlarmKind::ALL {
            let rule = kinds.get(kind.as_str()).and_then(Value::as_table);
            let rule = rule.unwrap_or_else(|| panic!("{} is missing", kind.as_str()));
            for key in KEYS {
                assert!(rule.contains_key(key), "{}: {key}", kind.as_str());
            }
        }
        assert_eq!(kinds.len(), AlarmKind::ALL.len());
        assert_eq!(policy.kinds.len(), kinds.len());
    }

    #[test]
    fn the_matrix_is_full_and_ranks_every_kind_as_the_list_of_kinds_does() {
        let policy = builtin();
        for consequence in Consequence::ALL {
            for response in Response::ALL {
                let rank = policy.matrix[&consequence].get(&response);
                assert!(rank.is_some(), "{consequence:?} {response:?}");
            }
        }
        for kind in AlarmKind::ALL {
            let rank = policy.priority(*kind);
            assert_eq!(rank, kind.priority(), "{}", kind.as_str());
        }
        let used = [Priority::Urgent, Priority::High, Priority::Normal];
        for priority in used {
            assert!(policy.escalation.contains_key(&priority), "{priority:?}");
        }
    }

    #[test]
    fn no_mark_of_an_enterprise_silences_an_exceedance() {
        let policy = builtin();
        for (kind, rule) in &policy.kinds {
            if kind.as_str().starts_with("exceedance") || kind.as_str().starts_with("amount") {
                assert!(rule.suppressed_by.is_empty(), "{}", kind.as_str());
            }
        }
        let silence = &policy.kinds[&AlarmKind::NoData].suppressed_by;
        assert!(silence.contains(&SuppressedBy::Stopped));
    }
}
