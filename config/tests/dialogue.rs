//! What a centre asks of loggers by itself: defaults, and what cannot be meant.

use cems_config::{DialogueSettings, InitialSettings, load_str};

fn dialogue(text: &str) -> Result<DialogueSettings, String> {
    load_str(&[("cemsd.toml", text)])
        .map(|checked| checked.settings.hj212.dialogue)
        .map_err(|problems| problems.to_string())
}

#[test]
fn a_file_that_says_nothing_fetches_gaps_and_sets_no_clock() {
    let said = dialogue("").expect("a sound file");
    assert_eq!(said, DialogueSettings::default());
    assert_eq!((said.refetch_days, said.clock_tolerance_s), (Some(7), None));
    assert!(said.initial.is_none() && said.rotate_keys);
}

#[test]
fn clocks_and_gaps_are_switched() {
    let said = dialogue(
        "[hj212.dialogue]\nset_clock = true\nclock_tolerance_s = 120\nrefetch = false\n\
         refetch_days = 3\nresends = 1",
    )
    .expect("a sound file");
    assert_eq!(said.clock_tolerance_s, Some(120));
    assert_eq!((said.refetch_days, said.resends), (None, 1));
    let said = dialogue("[hj212.dialogue]\nset_clock = true").expect("a sound file");
    assert_eq!(said.clock_tolerance_s, Some(30));
}

#[test]
fn the_initial_procedure_says_only_what_is_written() {
    let said = dialogue("[hj212.initial]\nminute_interval_min = 5\nrealtime = true");
    assert_eq!(
        said.expect("a sound file").initial,
        Some(InitialSettings {
            every_days: 365,
            set_time: true,
            timeouts: None,
            realtime_interval_s: None,
            minute_interval_min: Some(5),
            realtime: Some(true),
            facility: None,
        })
    );
}

#[test]
fn what_no_logger_could_follow_is_a_problem() {
    for (text, part) in [
        ("[hj212.initial]\nminute_interval_min = 7", "cannot be 7"),
        ("[hj212.initial]\ntimeout_s = 10", "sent together"),
        ("[hj212.dialogue]\nclock_tolerance_s = 60", "set_clock"),
        ("[hj212.dialogue]\nresends = 99", "out of bounds: 99"),
        ("[hj212.dialogue]\nresend = 1", "resend"),
    ] {
        let problems = dialogue(text).expect_err(text);
        assert!(problems.contains(part), "{text}: {problems}");
    }
}
