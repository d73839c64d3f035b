//! The three traps of the bare library, and that they are harmless here.

use super::slave::{Asked, Reply, ScriptDial, frame, right, script, tcp_frame, wire, word};
use crate::links::bus::{Line, LineError, LineFraming, LineTiming, Question};
use cems_protocols::modbus::{Answer, Table};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_modbus::client::{Reader, rtu, tcp};
use tokio_modbus::slave::Slave;

const PATIENCE: Duration = Duration::from_millis(100);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn line(dial: ScriptDial) -> Line {
    let framing = if dial.tcp {
        LineFraming::Tcp
    } else {
        LineFraming::Rtu
    };
    Line::new(
        Box::new(dial),
        framing,
        LineTiming {
            timeout: PATIENCE,
            pause_between_requests: Duration::ZERO,
            pause_after_connect: Duration::ZERO,
        },
    )
}

fn one(start: u16) -> Question {
    Question {
        unit: 1,
        table: Table::Holding,
        start,
        count: 1,
    }
}

fn value(answer: Result<Answer, LineError>) -> Option<u16> {
    match answer {
        Ok(Answer::Registers(words)) => words.first().copied(),
        Ok(Answer::Bits(bits)) => panic!("bits: {bits:?}"),
        Err(_) => None,
    }
}

/// Late with the first answer, in time with all others.
fn late_once(by: Duration, tcp: bool) -> impl FnMut(Asked) -> Reply {
    let mut first = true;
    move |asked| {
        let bytes = if tcp { asked.tcp() } else { asked.rtu() };
        let after = if std::mem::take(&mut first) {
            by
        } else {
            ms(80)
        };
        vec![(after, bytes)]
    }
}

#[tokio::test(start_paused = true)]
async fn rtu_bare_a_late_answer_shifts_all_that_follow() {
    let mut bare = rtu::attach_slave(wire(false, script(late_once(ms(150), false))), Slave(1));
    let first = timeout(PATIENCE, bare.read_holding_registers(0, 1)).await;
    assert!(first.is_err(), "it is late");
    for address in 1..5 {
        let words = timeout(PATIENCE, bare.read_holding_registers(address, 1))
            .await
            .expect("something comes")
            .expect("without any error")
            .expect("and no exception");
        assert_eq!(words, [word(1, address - 1)], "of the address before");
    }
}

#[tokio::test(start_paused = true)]
async fn rtu_guarded_a_late_answer_is_nobodys() {
    for late in [110, 120, 140, 150, 160, 180, 190] {
        let mut line = line(ScriptDial::rtu(script(late_once(ms(late), false))));
        assert_eq!(value(line.ask(one(0)).await), None, "it is late");
        for address in 1..5 {
            let answer = loop {
                match line.ask(one(address)).await {
                    Err(LineError::Held { .. }) => sleep(ms(50)).await,
                    other => break other,
                }
            };
            assert_eq!(value(answer), Some(word(1, address)), "{late} ms late");
        }
        let notes = line.take_notes();
        let bytes: u64 = notes.iter().map(|note| note.discarded.bytes).sum();
        assert_eq!(
            bytes, 7,
            "the late answer is thrown away and told: {notes:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn rtu_guarded_a_question_dropped_half_way_is_as_good_as_late() {
    let mut line = line(ScriptDial::rtu(script(|asked| vec![(ms(60), asked.rtu())])));
    assert_eq!(value(line.ask(one(7)).await), Some(word(1, 7)));
    assert!(timeout(ms(30), line.ask(one(0))).await.is_err(), "dropped");
    assert_eq!(value(line.ask(one(1)).await), Some(word(1, 1)));
    assert_eq!(value(line.ask(one(2)).await), Some(word(1, 2)));
}

#[tokio::test(start_paused = true)]
async fn tcp_bare_one_time_out_and_nothing_is_right_ever_after() {
    let wire = wire(true, script(late_once(ms(150), true)));
    let mut bare = tcp::attach_slave(wire, Slave(1));
    assert!(
        timeout(PATIENCE, bare.read_holding_registers(0, 1))
            .await
            .is_err()
    );
    for address in 1..5 {
        let answer = timeout(PATIENCE, bare.read_holding_registers(address, 1)).await;
        let error = answer.expect("something comes").expect_err("out of step");
        assert!(error.to_string().contains("mismatching headers"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn tcp_guarded_a_time_out_costs_one_connection() {
    let dial = ScriptDial::tcp(script(late_once(ms(150), true)));
    let opened = dial.opened.clone();
    let mut line = line(dial);
    assert!(matches!(line.ask(one(0)).await, Err(LineError::Timeout(_))));
    for address in 1..5 {
        assert_eq!(value(line.ask(one(address)).await), Some(word(1, address)));
    }
    assert!(timeout(ms(30), line.ask(one(0))).await.is_err(), "dropped");
    assert_eq!(value(line.ask(one(3)).await), Some(word(1, 3)));
    assert_eq!(*opened.lock().expect("plain"), 3);
}

/// One register, whatever was asked.
fn short(asked: Asked) -> Reply {
    let pdu = [asked.function, 2, 0, 7];
    let bytes = if asked.transaction > 0 || asked.start == 99 {
        tcp_frame(asked.transaction, asked.unit, &pdu)
    } else {
        frame(asked.unit, &pdu)
    };
    vec![(ms(10), bytes)]
}

#[tokio::test(start_paused = true)]
async fn bare_a_short_answer_is_taken() {
    // With debug assertions in the library the same answer is a panic; the workspace's profile
    // turns them off for it, so that tests see what a release build does.
    let mut bare = rtu::attach_slave(wire(false, script(short)), Slave(1));
    let answer = bare.read_holding_registers(0, 4).await;
    assert_eq!(answer.expect("no error").expect("no exception"), [7]);
}

#[tokio::test(start_paused = true)]
async fn guarded_a_short_answer_is_an_error() {
    let four = |start| Question {
        count: 4,
        ..one(start)
    };
    let mut rtu = line(ScriptDial::rtu(script(short)));
    let mut tcp = line(ScriptDial::tcp(script(short)));
    for answer in [rtu.ask(four(0)).await, tcp.ask(four(99)).await] {
        let error = answer.expect_err("too short");
        assert_eq!(
            error.to_string(),
            "an answer of 1 values to a question for 4"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_among_other_bytes_is_none_but_noise_is_let_pass() {
    for (before, taken) in [(0, true), (2, true), (4, true), (7, false)] {
        let noisy = move |asked: Asked| {
            let mut bytes = vec![0; before];
            bytes.extend(asked.rtu());
            vec![(ms(10), bytes)]
        };
        let mut line = line(ScriptDial::rtu(script(noisy)));
        let answer = line.ask(one(5)).await;
        assert_eq!(answer.is_ok(), taken, "{before} bytes before: {answer:?}");
    }
    let twice = |asked: Asked| vec![(ms(10), asked.rtu().repeat(2))];
    let mut line = line(ScriptDial::rtu(script(twice)));
    assert!(matches!(
        line.ask(one(5)).await,
        Err(LineError::Disorder(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_wire_that_broke_is_opened_again_and_not_too_often() {
    let dial = ScriptDial::rtu(script(right));
    let (unplugged, opened) = (dial.unplugged.clone(), dial.opened.clone());
    let mut line = line(dial);
    *unplugged.lock().expect("plain") = true;
    let error = line.ask(one(0)).await.expect_err("the plug is out");
    assert_eq!(error.to_string(), "cannot open script: entity not found");
    for _ in 0..36_000 {
        sleep(ms(100)).await;
        assert!(line.ask(one(0)).await.is_err_and(|e| e.is_line_down()));
    }
    *unplugged.lock().expect("plain") = false;
    sleep(Duration::from_secs(30)).await;
    assert_eq!(value(line.ask(one(0)).await), Some(word(1, 0)));
    assert_eq!(*opened.lock().expect("plain"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_exception_is_an_answer_and_keeps_the_connection() {
    let refuse = |asked: Asked| {
        let pdu = [asked.function | 0x80, 2];
        vec![(ms(10), tcp_frame(asked.transaction, asked.unit, &pdu))]
    };
    let dial = ScriptDial::tcp(script(refuse));
    let opened = dial.opened.clone();
    let mut line = line(dial);
    for _ in 0..3 {
        let error = line.ask(one(0)).await.expect_err("refused");
        assert!(error.shows_life());
        assert_eq!(
            error.to_string(),
            "the instrument refuses: exception 2 (no such address)"
        );
    }
    assert_eq!(*opened.lock().expect("plain"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_second_copy_of_an_answer_does_not_cover_for_a_late_one() {
    // The copy of the first answer would answer the second question, whose own late answer would
    // then answer the third.
    let mut n = 0;
    let slave = move |asked: Asked| {
        n += 1;
        match n {
            1 => vec![(ms(3), asked.rtu()), (ms(40), asked.rtu())],
            2 => vec![(ms(150), asked.rtu())],
            _ => vec![(ms(60), asked.rtu())],
        }
    };
    let mut line = line(ScriptDial::rtu(script(slave)));
    assert_eq!(value(line.ask(one(1)).await), Some(word(1, 1)));
    assert_eq!(value(line.ask(one(1)).await), None, "it is late");
    for address in [2, 3] {
        let answer = loop {
            match line.ask(one(address)).await {
                Err(LineError::Held { .. }) => sleep(ms(50)).await,
                other => break other,
            }
        };
        assert_eq!(value(answer), Some(word(1, address)));
    }
}
