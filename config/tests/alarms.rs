//! What a site changes about alarms: single values, over the built-in rules.

use cems_config::{alarms, load, load_str};
use cems_core::model::policy::SuppressedBy;
use cems_core::model::{AlarmKind, Priority, Role};
use std::fs;
use std::path::Path;

#[test]
fn without_a_file_the_built_in_rules_apply() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cemsd.toml");
    let checked = load(&path).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(checked.policy.alarms, alarms::builtin());
}

#[test]
fn the_example_changes_what_it_says_and_nothing_else() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let own = fs::read_to_string(here.join("alarms.toml")).unwrap();
    let main = "alarms = [\"alarms.toml\"]\n[site]\nname = \"Example\"\n";
    let files = [("cemsd.toml", main), ("alarms.toml", own.as_str())];
    let checked = load_str(&files).unwrap_or_else(|p| panic!("{p}"));
    let ours = |file: &Path| file.ends_with("alarms.toml");
    assert!(!checked.warnings.iter().any(|w| ours(&w.file)));
    let (own, built_in) = (checked.policy.alarms, alarms::builtin());

    let rule = &own.kinds[&AlarmKind::NoData];
    assert_eq!(rule.ack_expires_min, Some(120));
    assert_eq!(rule.suppressed_by, [SuppressedBy::Stopped].into());
    assert!(rule.in_service);
    assert!(!own.kinds[&AlarmKind::CrcStorm].in_service);
    let hour = &own.kinds[&AlarmKind::ExceedanceHour];
    assert_eq!(hour, &built_in.kinds[&AlarmKind::ExceedanceHour]);

    // A cell of the matrix moves the kinds that stand on it.
    assert_eq!(own.priority(AlarmKind::InvalidData), Priority::High);
    assert_eq!(built_in.priority(AlarmKind::InvalidData), Priority::Normal);
    assert_eq!(own.answer_within_min(AlarmKind::ExceedanceHour), Some(5));
    let steps = &own.escalation[&Priority::Urgent];
    let after: Vec<u32> = steps.iter().map(|step| step.after_min).collect();
    assert_eq!(after, [10, 30]);
    assert!(steps[1].roles.contains(&Role::Inspector));
    let high = Priority::High;
    assert_eq!(own.escalation[&high], built_in.escalation[&high]);
    assert_eq!((own.chatter.raises, own.outage.outlets_min), (4, 5));
}
