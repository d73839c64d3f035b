//! Slaves that do everything wrong, by seeds: no accepted value is ever another register's, and
//! when the faults end every register is read again.

use super::slave::{Asked, Reply, ScriptDial, frame, script, word};
use crate::links::bus::{Line, LineError, LineFraming, LineTiming, Question};
use cems_protocols::modbus::{Answer, Table};
use proptest::prelude::*;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The line's patience; answers are up to twice as late, which is what the guard reckons with.
const PATIENCE: Duration = Duration::from_millis(500);
const LATEST_MS: u64 = 980;
/// A second copy comes at most this much later: the silence kept between questions whose answers
/// look alike.
const COPY_MS: u64 = 45;

/// What goes wrong with an answer.
#[derive(Debug, Clone)]
enum Fault {
    None,
    Silent,
    Late(u64),
    Short,
    WrongUnit,
    Garbage(Vec<u8>),
    Copy(u64),
    Cut(usize),
    Damaged(usize, u8),
    Exception(u8),
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => Just(Fault::None),
        1 => Just(Fault::Silent),
        3 => (5..LATEST_MS).prop_map(Fault::Late),
        1 => Just(Fault::Short),
        1 => Just(Fault::WrongUnit),
        1 => prop::collection::vec(any::<u8>(), 1..30).prop_map(Fault::Garbage),
        2 => (0..COPY_MS).prop_map(Fault::Copy),
        1 => (1_usize..12).prop_map(Fault::Cut),
        1 => (0_usize..12, 1_u8..).prop_map(|(at, by)| Fault::Damaged(at, by)),
        1 => (1_u8..12).prop_map(Fault::Exception),
    ]
}

fn reply(asked: Asked, fault: &Fault) -> Reply {
    let soon = Duration::from_millis(3);
    let right = asked.rtu();
    let at = |ms| Duration::from_millis(ms);
    match fault {
        Fault::None => vec![(soon, right)],
        Fault::Silent => vec![],
        Fault::Late(ms) => vec![(at(*ms), right)],
        Fault::Short => vec![(soon, frame(asked.unit, &[asked.function, 2, 0xDE, 0xAD]))],
        Fault::WrongUnit => {
            let other = Asked {
                unit: asked.unit % 3 + 1,
                ..asked
            };
            vec![(soon, other.rtu())]
        }
        Fault::Garbage(bytes) => vec![(soon, bytes.clone()), (at(6), right)],
        Fault::Copy(ms) => vec![(soon, right.clone()), (soon + at(*ms), right)],
        Fault::Cut(length) => vec![(soon, right[..(*length).min(right.len())].to_vec())],
        Fault::Damaged(place, by) => {
            let mut damaged = right;
            let place = place % damaged.len();
            damaged[place] ^= by;
            vec![(soon, damaged)]
        }
        Fault::Exception(code) => {
            let pdu = [asked.function | 0x80, *code];
            vec![(soon, frame(asked.unit, &pdu))]
        }
    }
}

/// Three units with three blocks of one length each: the worst map there is.
fn question(choice: u8) -> Question {
    Question {
        unit: choice % 3 + 1,
        table: Table::Holding,
        start: u16::from(choice / 3 % 3) * 10,
        count: 4,
    }
}

fn expected(question: &Question) -> Answer {
    let words = (0..question.count).map(|n| word(question.unit, question.start + n));
    Answer::Registers(words.collect())
}

async fn a_bad_hour(faults: Vec<Fault>, choices: Vec<u8>) {
    let faults = Arc::new(Mutex::new(faults.into_iter()));
    let slave = Arc::clone(&faults);
    let dial = ScriptDial::rtu(script(move |asked| {
        let fault = slave.lock().expect("plain").next();
        reply(asked, &fault.unwrap_or(Fault::None))
    }));
    let timing = LineTiming {
        timeout: PATIENCE,
        pause_between_requests: Duration::ZERO,
        pause_after_connect: Duration::ZERO,
    };
    let mut line = Line::new(Box::new(dial), LineFraming::Rtu, timing);
    for choice in choices {
        let question = question(choice);
        if let Ok(answer) = line.ask(question).await {
            assert_eq!(answer, expected(&question), "{question}");
        }
    }
    // The faults end: everything can be read again, soon and for good.
    *faults.lock().expect("plain") = Vec::new().into_iter();
    let begun = Instant::now();
    for choice in 0..18 {
        let question = question(choice);
        let answer = loop {
            match line.ask(question).await {
                Ok(answer) => break answer,
                Err(LineError::Held { .. }) => sleep(Duration::from_millis(100)).await,
                Err(_) => {}
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{question}");
        };
        assert_eq!(answer, expected(&question), "{question}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_value_is_anothers(
        faults in prop::collection::vec(fault(), 60..150),
        choices in prop::collection::vec(any::<u8>(), 40..80),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(a_bad_hour(faults, choices));
    }
}
