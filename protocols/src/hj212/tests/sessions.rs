//! Connections over time.

use super::*;

fn config() -> SessionConfig {
    SessionConfig {
        incomplete_ms: 1000,
        line_end_ms: 50,
        idle_ms: 60_000,
        garbage_bytes_max: 1000,
        ..SessionConfig::default()
    }
}

fn good() -> Vec<u8> {
    framed("ST=31;CN=2011;MN=FICTION0000001;CP=&&DataTime=20240520210600;01-Rtd=1&&")
}

/// What the actions are, in one word each.
fn kinds(actions: &[Action]) -> Vec<&'static str> {
    let kind = |action: &Action| match action {
        Action::Frame(frame, _) if frame.crc.is_known() => "frame",
        Action::Frame(..) => "bad-frame",
        Action::Garbage(_) => "garbage",
        Action::Close(reason) => reason.as_str(),
    };
    actions.iter().map(kind).collect()
}

#[test]
fn frames_come_out_as_they_complete() {
    let mut session = Session::new(config());
    assert_eq!(session.next_deadline_ms(), None);
    assert_eq!(kinds(&session.on_tick(0)), [""; 0]);
    assert_eq!(session.next_deadline_ms(), Some(60_000));
    let stream = [good(), good()].concat();
    assert_eq!(kinds(&session.on_bytes(10, &stream[..100])), ["frame"]);
    assert_eq!(session.next_deadline_ms(), Some(1010));
    assert_eq!(kinds(&session.on_bytes(20, &stream[100..])), ["frame"]);
    assert_eq!(session.pending(), 0);
    assert_eq!(session.next_deadline_ms(), Some(60_020));
}

#[test]
fn a_frame_without_crlf_comes_out_after_the_short_wait() {
    let mut session = Session::new(config());
    let frame = good();
    assert_eq!(
        kinds(&session.on_bytes(0, &frame[..frame.len() - 2])),
        [""; 0]
    );
    assert_eq!(session.next_deadline_ms(), Some(50));
    assert_eq!(kinds(&session.on_tick(49)), [""; 0]);
    assert_eq!(kinds(&session.on_tick(50)), ["frame"]);
}

#[test]
fn a_frame_that_does_not_fill_is_given_up_even_when_bytes_trickle_in() {
    let mut session = Session::new(config());
    assert_eq!(
        kinds(&session.on_bytes(0, b"##0900ST=31;CN=2011;CP=&&Da")),
        [""; 0]
    );
    for now_ms in (100..1000).step_by(100) {
        assert_eq!(kinds(&session.on_bytes(now_ms, b"x")), [""; 0]);
        assert_eq!(session.next_deadline_ms(), Some(1000));
    }
    assert_eq!(kinds(&session.on_tick(1000)), ["bad-frame"]);
    // The connection lives on, and so does the frame that follows.
    assert_eq!(kinds(&session.on_bytes(1100, &good())), ["frame"]);
}

#[test]
fn giving_up_the_head_of_the_buffer_keeps_the_frame_behind_it() {
    let mut session = Session::new(config());
    let stream = [b"##9999ST=31;CN=20".as_slice(), &good()].concat();
    assert_eq!(kinds(&session.on_bytes(0, &stream)), [""; 0]);
    assert_eq!(kinds(&session.on_tick(1000)), ["bad-frame", "frame"]);
}

#[test]
fn only_garbage_costs_the_connection() {
    let mut session = Session::new(config());
    assert_eq!(
        kinds(&session.on_bytes(0, b"GET / HTTP/1.1\r\n\r\n")),
        [""; 0]
    );
    assert_eq!(kinds(&session.on_tick(1000)), ["garbage"]);
    assert_eq!(
        kinds(&session.on_bytes(1001, &vec![b'x'; 70_000])),
        ["garbage", "garbage"]
    );
    assert_eq!(session.next_deadline_ms(), None);
    assert_eq!(kinds(&session.on_bytes(1002, &good())), [""; 0]);
    // A frame clears the account; blanks and line ends never count.
    let mut session = Session::new(config());
    for now_ms in 0..50 {
        let stream = [b"reg:0123456789\r\n".repeat(20), good()].concat();
        assert_eq!(
            kinds(&session.on_bytes(now_ms, &stream)),
            ["garbage", "frame"]
        );
    }
    let blanks = [b"\r\n".repeat(5000), good()].concat();
    assert_eq!(kinds(&session.on_bytes(60, &blanks)), ["garbage", "frame"]);
}

#[test]
fn silence_closes_and_the_rest_is_given_out() {
    let mut session = Session::new(config());
    assert_eq!(kinds(&session.on_tick(0)), [""; 0]);
    assert_eq!(kinds(&session.on_tick(60_000)), ["idle"]);
    let mut session = Session::new(config());
    assert_eq!(
        kinds(&session.on_bytes(0, b"noise##0100ST=31;CN=20")),
        ["garbage"]
    );
    assert_eq!(kinds(&session.on_close()), ["bad-frame"]);
    assert_eq!(session.pending(), 0);
    assert_eq!(session.next_deadline_ms(), None);
}
