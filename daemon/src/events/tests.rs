//! Lines of the journal come back as they went in.

use super::*;

#[test]
fn text_stays_readable_and_binary_survives() {
    for bytes in [
        b"##0008CP=&&&&1234\r\n".to_vec(),
        vec![0xE4, 0x3E, 0, 0xFF],
        vec![],
    ] {
        let event = JournalEvent::frame("127.0.0.1:5", Verdict::Crc, bytes);
        let line = event.to_line();
        assert_eq!(JournalEvent::from_line(&line).expect("own line"), event);
        assert!(!line.contains(&b'\n'), "one line: {line:?}");
    }
}

/// What is in force is read back from the journal; a line that cannot be read changes nothing,
/// so a policy that did not come back would leave everybody untold.
#[test]
fn what_takes_force_comes_back_as_it_was() {
    let checked = cems_config::load_str(&[("cemsd.toml", "")]).expect("defaults");
    assert!(!checked.policy.duties.calendar.years.is_empty());
    for event in [
        JournalEvent::Policy {
            policy: Arc::new(checked.policy),
        },
        JournalEvent::Registry {
            files_sha256: checked.digest.into(),
            registry: Arc::new(checked.registry),
        },
    ] {
        let line = event.to_line();
        assert_eq!(JournalEvent::from_line(&line).expect("own line"), event);
    }
}

#[test]
fn a_line_of_another_kind_is_an_error_not_a_panic() {
    assert!(JournalEvent::from_line(b"{\"t\":\"later-kind\"}").is_err());
    assert!(JournalEvent::from_line(b"\xFF").is_err());
}
