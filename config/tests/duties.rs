//! Own rows beside and instead of the national ones, own calendars, and the examples of both.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use cems_config::{Checked, load_str};
use cems_core::model::{DutyDeadline, DutyId, DutyRule, DutyTrigger, Known, QuotaUnit, Recurrence};
use std::fs;
use std::path::Path;

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name);
    fs::read_to_string(path).unwrap()
}

const CITY: &str = "[[region]]\nid = \"shili\"\nname = \"示例市\"\n";

fn with(main: &str, files: &[(&str, &str)]) -> Checked {
    let main = format!("{main}\n{CITY}");
    let mut all = vec![("cemsd.toml", main.as_str())];
    all.extend(files);
    load_str(&all).unwrap_or_else(|problems| panic!("{problems}"))
}

fn rule<'a>(checked: &'a Checked, id: &str) -> &'a DutyRule {
    &checked.policy.duties.rules[&DutyId::new(id)]
}

#[test]
fn without_own_files_the_national_table_is_in_force() {
    let checked = with("", &[]);
    let national = cems_config::duties::builtin(checked.registry.offset);
    assert_eq!(*checked.policy.duties, national);
    let total = rule(&checked, "month-total");
    assert_eq!(total.deadline, DutyDeadline::WorkingDay { n: 7 });
}

#[test]
fn a_province_changes_rows_without_a_release() {
    let text = example("duties.toml");
    let checked = with("duties = [\"duties.toml\"]", &[("duties.toml", &text)]);
    let total = rule(&checked, "month-total");
    assert_eq!(total.deadline, DutyDeadline::WorkingDay { n: 5 });
    assert_eq!(total.from.unwrap().to_string(), "2026-01-01");
    let week = DutyId::new("self-monitoring-week");
    assert!(!checked.policy.duties.rules.contains_key(&week));
    let own = rule(&checked, "rectification");
    assert_eq!(own.deadline, DutyDeadline::WorkingDaysAfter { n: 15 });
    assert_eq!((own.moves, own.escalate.len()), (true, 2));
    let sampling = rule(&checked, "sampling-water");
    assert!(matches!(
        sampling.trigger,
        DutyTrigger::Every {
            period: Recurrence::Year,
            opens: Some((3, 1)),
            ..
        }
    ));
    assert_eq!(sampling.quota[0].unit, QuotaUnit::Percent);
    assert_eq!(sampling.regions.len(), 1);
    // Everything else is as it was.
    let national = cems_config::duties::builtin(checked.registry.offset);
    assert_eq!(
        checked.policy.duties.rules.len(),
        national.rules.len() - 1 + 3
    );
    assert_eq!(checked.policy.duties.calendar, national.calendar);
}

#[test]
fn a_row_that_ships_switched_off_can_be_switched_on() {
    let text = r#"
[[duty]]
id = "equipment-repaired"
off = true

[[duty]]
id = "equipment-restored"
name_zh = "自动监测设备故障后恢复正常运行"
name_en = "Automatic equipment running again after a fault"
for = "outlet"
roles = ["operator"]
on = "fault-marked"
due = { working_days_after = 5 }
source = "M: 示例-1"
"#;
    let checked = with(text, &[]);
    let repaired = DutyId::new("equipment-repaired");
    assert!(!checked.policy.duties.rules.contains_key(&repaired));
    let restored = rule(&checked, "equipment-restored");
    assert_eq!(restored.deadline, DutyDeadline::WorkingDaysAfter { n: 5 });
}

#[test]
fn a_calendar_of_ones_own_takes_the_place_of_the_built_in_one() {
    let notice = "year = 2027\nsource = \"示例通知\"\nmake_up = [2027-09-26]\n\n[[holiday]]\n\
                  name_zh = \"国庆节\"\nname_en = \"National Day\"\nfrom = 2027-10-01\n\
                  to = 2027-10-07\n";
    let example = example("holidays-2028.toml");
    let files = [("h/2027.toml", notice), ("h/2028.toml", example.as_str())];
    let checked = with("holidays = [\"h\"]", &files);
    let calendar = &checked.policy.duties.calendar;
    assert_eq!(calendar.known(2027), Known::Announced);
    assert!(calendar.is_working_day("2027-09-26".parse().unwrap()));
    assert!(!calendar.is_working_day("2027-10-06".parse().unwrap()));
    assert!(matches!(calendar.known(2028), Known::Provisional(why) if why.en == "an example"));
    assert_eq!(calendar.known(2026), Known::Announced);
}
