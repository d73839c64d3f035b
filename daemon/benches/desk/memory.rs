//! Memory of the engine for an outlet: its state with open conditions, without the records kept at
//! hand (the look-back windows of a logger's packets).

use crate::city::{BEGIN, mn, outlet_id, policy, registry};
use crate::counting::in_use;
use crate::{Size, say};
use cems_core::engine::{Contact, EmptyHistory, Engine, Event, Input, Refusal, RefusalReason};
use cems_core::model::time::MINUTE_MS;
use cems_core::model::{Flag, Number, Record, RecordKind, Registry, Seq, Timestamp, Value};
use rust_decimal::Decimal;
use std::hint::black_box;
use std::sync::Arc;

/// Pollutants of an outlet; two auxiliary quantities come beside them.
const FACTORS: usize = 6;
/// What an outlet may cost, bytes.
const BYTES_MAX: usize = 4 * 1024;

struct Desk {
    engine: Engine,
    seq: u64,
    /// State as rows: what a restart reads.
    rows: Vec<cems_core::model::rows::StateRow>,
}

impl Desk {
    fn take(&mut self, at: Timestamp, event: Event) {
        self.seq += 1;
        let seq = Seq(self.seq);
        let input = Input { seq, at, event };
        self.engine.step(input, &EmptyHistory, &mut |output| {
            black_box(output);
        });
    }

    /// Flushes and begins again from the rows: caches are gone, what must be kept is there.
    fn restart(&mut self) {
        let rows = &mut self.rows;
        self.engine.flush(&mut |output| {
            if let cems_core::model::Output::State(row) = output {
                rows.push(row);
            }
        });
        self.engine = Engine::restore(std::mem::take(rows)).unwrap();
    }
}

fn minute_of(n: usize, registry: &Registry, at: Timestamp) -> Event {
    let outlet = &registry.outlets[&outlet_id(n)];
    let number = |value: i64| {
        let value = Decimal::new(value, 1);
        Number {
            value,
            text: value.to_string().into(),
        }
    };
    let values = outlet.factors.keys().map(|code| Value {
        factor: code.clone(),
        sent_as: None,
        rtd: None,
        avg: Some(number(123)),
        min: Some(number(110)),
        max: Some(number(140)),
        cou: None,
        converted: Some(number(131)),
        flag: Some(Flag(Flag::NORMAL.into())),
        unreadable: None,
    });
    let record = Record {
        outlet: outlet.id.clone(),
        kind: RecordKind::Minute,
        start: at,
        resent: false,
        values: values.collect(),
    };
    Event::Record(contact(n), record)
}

fn contact(n: usize) -> Contact {
    Contact {
        mn: mn(n).as_str().into(),
        outlet: outlet_id(n),
        peer: "192.0.2.7:4000".into(),
        edition: "2017".into(),
        findings: vec!["crc-lower-case".into()],
        habits: Default::default(),
    }
}

fn wrong_password(n: usize) -> Event {
    Event::Refused(Refusal {
        reason: RefusalReason::WrongPassword,
        peer: "203.0.113.9:1".into(),
        mn: Some(mn(n).into()),
        outlet: Some(outlet_id(n)),
        bytes: 200,
        excerpt: "##0200QN=".to_owned(),
    })
}

pub(crate) fn run(size: Size) {
    let city = Arc::new(registry(size.outlets, FACTORS));
    let rules = Arc::new(policy(size.outlets));
    let before = in_use();
    let mut desk = Desk {
        engine: Engine::new(),
        seq: 0,
        rows: Vec::new(),
    };
    desk.take(BEGIN, Event::Policy(Arc::clone(&rules)));
    desk.take(BEGIN, Event::Registry(Arc::clone(&city)));
    let known = in_use();
    say(
        "engine, an outlet that was never heard",
        (known - before) / size.outlets,
        "bytes",
    );
    for minute in 0..2 {
        let at = BEGIN.plus_ms(minute * MINUTE_MS);
        for n in 0..size.outlets {
            desk.take(at.plus_ms(MINUTE_MS), minute_of(n, &city, at));
        }
    }
    let heard = in_use();
    let with_windows = (heard - before) / size.outlets;
    say(
        "the same after two minutes, records at hand included",
        with_windows,
        "bytes",
    );
    let at = BEGIN.plus_ms(3 * MINUTE_MS);
    for n in 0..size.outlets {
        desk.take(at, wrong_password(n));
    }
    say(
        "the same with an open alarm each",
        (in_use() - before) / size.outlets,
        "bytes",
    );
    desk.restart();
    // A restored engine holds its own registry and policy: they are weighed and taken off.
    let all = in_use() - before_without_own(&desk);
    black_box((&desk.engine, city, rules));
    let each = all.saturating_sub(before) / size.outlets;
    say(
        "engine, an outlet with an open alarm, windows excluded",
        each,
        "bytes",
    );
    assert!(each < BYTES_MAX, "{each} bytes an outlet");
}

/// Bytes of the registry and the policy that the engine holds.
fn before_without_own(desk: &Desk) -> usize {
    let start = in_use();
    let copy = (
        desk.engine.registry().cloned(),
        desk.engine.policy().map(|p| (**p).clone()),
    );
    let bytes = in_use() - start;
    drop(copy);
    bytes
}
