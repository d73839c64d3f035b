//! Whole buses: rhythm, dead slaves, outages of hours, a journal that stands still.

use super::slave::{Asked, Reply, Script, ScriptDial, frame, script};
use crate::clock::Clock;
use crate::links::bus::{BusBoard, BusPlan, Keeper, Record, Recorded};
use cems_config::{Bus, BusTiming, Framing, Instrument, Line};
use cems_core::model::{SampleSet, Timestamp};
use cems_protocols::instrument::{Certainty, Channel, Group, Map, Place, Point, Protocol, Role};
use cems_protocols::modbus::{Kind, Order, Register, Table};
use rust_decimal::Decimal;
use smol_str::format_smolstr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// A map of these holding registers, each the factor `f<address>`.
pub(super) fn map(addresses: &[u16]) -> Arc<Map> {
    let point = |address: &u16| Point {
        name: format_smolstr!("r{address}"),
        role: Role::Factor(format_smolstr!("f{address}")),
        place: Place::Register(Register {
            table: Table::Holding,
            address: *address,
            kind: Kind::U16,
            order: Order::Abcd,
        }),
        unit: Some("mg/m3".into()),
        scale: Decimal::ONE,
        offset: Decimal::ZERO,
        decimals: None,
        range: None,
        group: 0,
    };
    Arc::new(Map {
        id: "test".into(),
        title_zh: "试验".into(),
        title_en: "test".into(),
        source: "none".into(),
        certainty: Certainty::Manual,
        timing: Default::default(),
        groups: vec![Group {
            name: "all".into(),
            every_ms: None,
        }],
        points: addresses.iter().map(point).collect(),
        rules: Vec::new(),
        protocol: Protocol::Modbus,
    })
}

pub(super) fn instrument(unit: u8, every_ms: u32, map: &Arc<Map>) -> Instrument {
    let channel = |point: usize| Channel {
        point,
        factor: match &map.points[point].role {
            Role::Factor(code) => code.clone(),
            other => panic!("not a factor: {other:?}"),
        },
        multiplier: Decimal::ONE,
    };
    Instrument {
        id: format_smolstr!("i{unit}"),
        outlet: "outlet".into(),
        bus: "bus".into(),
        unit,
        map: Arc::clone(map),
        map_file: None,
        every_ms,
        channels: (0..map.points.len()).map(channel).collect(),
    }
}

pub(super) fn plan(instruments: Vec<Instrument>) -> BusPlan {
    let bus = Bus {
        id: "bus".into(),
        line: Line::Tcp {
            address: "script".into(),
        },
        framing: Framing::ModbusRtu,
        timing: BusTiming::default(),
    };
    BusPlan { bus, instruments }
}

/// A bus at work.
pub(super) struct Running {
    pub(super) plans: watch::Sender<BusPlan>,
    pub(super) board: BusBoard,
    pub(super) records: Arc<Mutex<Vec<(Duration, Record)>>>,
    pub(super) begun: Instant,
    stop: CancellationToken,
}

impl Running {
    /// Starts a keeper, and somebody who takes its records at once.
    pub(super) fn start(plan: BusPlan, dial: ScriptDial) -> Self {
        let (sender, receiver) = mpsc::channel(64);
        let running = Self::keep(plan, dial, sender);
        let (records, begun) = (Arc::clone(&running.records), running.begun);
        tokio::spawn(take(receiver, records, begun));
        running
    }

    fn keep(plan: BusPlan, dial: ScriptDial, records: mpsc::Sender<Record>) -> Self {
        let begun = Instant::now();
        let (plans, changes) = watch::channel(plan);
        let board = BusBoard::default();
        let now = Box::new(move || {
            let passed = i64::try_from(begun.elapsed().as_millis()).expect("hours, not ages");
            Timestamp(1_795_104_000_000 + passed)
        });
        let clock = Clock::Real;
        let keeper = Keeper::new(changes, Box::new(dial), records, board.clone(), clock, now);
        let stop = CancellationToken::new();
        tokio::spawn(keeper.run(stop.clone()));
        Self {
            plans,
            board,
            records: Arc::default(),
            begun,
            stop,
        }
    }

    /// Sample sets of an instrument with the time since the start.
    pub(super) fn sets(&self, id: &str) -> Vec<(Duration, SampleSet)> {
        let records = self.records.lock().expect("plain");
        let of = |(at, record): &(Duration, Record)| match &record.what {
            Recorded::Poll { set, .. } if set.instrument == id => Some((*at, set.clone())),
            _ => None,
        };
        records.iter().filter_map(of).collect()
    }

    fn troubles(&self, what: &str) -> usize {
        let records = self.records.lock().expect("plain");
        let whats = records.iter().filter_map(|(_, record)| match &record.what {
            Recorded::Trouble { what, .. } => Some(what.as_str()),
            Recorded::Poll { .. } => None,
        });
        whats.filter(|own| *own == what).count()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn take(
    mut receiver: mpsc::Receiver<Record>,
    records: Arc<Mutex<Vec<(Duration, Record)>>>,
    begun: Instant,
) {
    while let Some(record) = receiver.recv().await {
        let at = begun.elapsed();
        records.lock().expect("plain").push((at, record));
    }
}

/// Times at which units were asked.
type Times = Arc<Mutex<Vec<(u8, Instant)>>>;

/// Units answer after a few dozen milliseconds, except the dead ones.
fn rack(dead: &'static [u8], times: &Times) -> Script {
    let times = Arc::clone(times);
    script(move |asked| {
        times
            .lock()
            .expect("plain")
            .push((asked.unit, Instant::now()));
        if dead.contains(&asked.unit) {
            return vec![];
        }
        let after = 20 + u64::from(asked.unit) * 3;
        vec![(Duration::from_millis(after), asked.rtu())]
    })
}

/// Intervals between questions to a unit, milliseconds, after the bus has found its rhythm.
fn intervals(times: &Times, unit: u8, after: Instant) -> Vec<u128> {
    let times = times.lock().expect("plain");
    let own = times.iter().filter(|(u, at)| *u == unit && *at > after);
    let own: Vec<Instant> = own.map(|(_, at)| *at).collect();
    own.windows(2)
        .map(|pair| (pair[1] - pair[0]).as_millis())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn nine_of_ten_keep_their_period_while_one_is_dead() {
    for (every_ms, dead) in [
        (1_000, &[][..]),
        (1_000, &[5]),
        (5_000, &[5]),
        (1_000, &[5, 9]),
    ] {
        let times = Times::default();
        let map = map(&[0, 1, 2, 3]);
        let all = (1..=10)
            .map(|unit| instrument(unit, every_ms, &map))
            .collect();
        let bus = Running::start(plan(all), ScriptDial::rtu(rack(dead, &times)));
        sleep(Duration::from_secs(600)).await;
        let settled = bus.begun + Duration::from_secs(60);
        for unit in (1..=10).filter(|unit| !dead.contains(unit)) {
            let intervals = intervals(&times, unit, settled);
            assert!(intervals.len() > 100, "{unit}: {}", intervals.len());
            let period = u128::from(every_ms);
            let late = |ms: &&u128| **ms > period + period / 20 || **ms < period - period / 20;
            let out: Vec<_> = intervals.iter().filter(late).collect();
            assert!(out.is_empty(), "unit {unit}, {dead:?} dead: {out:?} ms");
            let pulse = bus.board.pulse(&format!("i{unit}")).expect("known");
            assert_eq!(pulse.failures, 0, "unit {unit}");
        }
        for unit in dead {
            let probes = intervals(&times, *unit, settled).len();
            assert!((6..=20).contains(&probes), "{probes} probes in 9 min");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_instrument_says_b_once_a_minute_and_comes_back_by_itself() {
    let alive = Arc::new(Mutex::new(true));
    let seen = Arc::clone(&alive);
    let slave = script(move |asked: Asked| {
        let answers = asked.unit == 1 || *seen.lock().expect("plain");
        let right = (Duration::from_millis(20), asked.rtu());
        if answers { vec![right] } else { vec![] }
    });
    let map = map(&[7]);
    let all = vec![instrument(1, 5_000, &map), instrument(2, 5_000, &map)];
    let bus = Running::start(plan(all), ScriptDial::rtu(slave));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(bus.sets("i2").len(), 12);
    *alive.lock().expect("plain") = false;
    sleep(Duration::from_secs(3 * 3_600)).await;
    let silent: Vec<_> = bus.sets("i2").split_off(12);
    assert!((179..=181).contains(&silent.len()), "{}", silent.len());
    for (_, set) in &silent {
        let [sample] = set.samples.as_slice() else {
            panic!("one factor: {set:?}")
        };
        assert_eq!((sample.flag.0.as_str(), &sample.value), ("B", &None));
    }
    assert_eq!(bus.troubles("instrument.silent"), 1);
    let shown = bus.board.instruments();
    assert_eq!(
        shown.iter().map(|i| i.ok).collect::<Vec<_>>(),
        [true, false]
    );
    *alive.lock().expect("plain") = true;
    sleep(Duration::from_secs(90)).await;
    let back = bus.sets("i2").split_off(12 + silent.len());
    assert!(back.len() >= 5, "{}", back.len());
    assert!(
        back.iter()
            .rev()
            .take(5)
            .all(|(_, set)| set.samples[0].flag.0 == "N")
    );
    assert_eq!(bus.troubles("instrument.back"), 1);
    // The neighbour had a sample every five seconds all the while.
    let neighbour = bus.sets("i1").len();
    assert!((2_188..=2_191).contains(&neighbour), "{neighbour}");
}

#[tokio::test(start_paused = true)]
async fn after_hours_without_a_line_every_instrument_is_back_within_a_minute() {
    let map = map(&[7]);
    let all = (1..=4).map(|unit| instrument(unit, 5_000, &map)).collect();
    let dial = ScriptDial::rtu(script(super::slave::right));
    let unplugged = Arc::clone(&dial.unplugged);
    *unplugged.lock().expect("plain") = true;
    let bus = Running::start(plan(all), dial);
    sleep(Duration::from_secs(6 * 3_600)).await;
    *unplugged.lock().expect("plain") = false;
    sleep(Duration::from_secs(60)).await;
    for id in ["i1", "i2", "i3", "i4"] {
        let sets = bus.sets(id);
        let (last, silent) = (&sets[sets.len() - 1].1, sets.len());
        assert_eq!(last.samples[0].flag.0, "N", "{id}");
        assert!((360..=375).contains(&silent), "{id}: {silent}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_stands_still_costs_polls_that_are_counted() {
    let map = map(&[7]);
    let (sender, receiver) = mpsc::channel(3);
    let dial = ScriptDial::rtu(script(super::slave::right));
    let bus = Running::keep(plan(vec![instrument(1, 1_000, &map)]), dial, sender);
    sleep(Duration::from_millis(60_500)).await;
    let pulse = bus.board.pulse("i1").expect("known");
    assert_eq!((pulse.polls, pulse.skipped), (3, 58));
    tokio::spawn(take(receiver, Arc::clone(&bus.records), bus.begun));
    sleep(Duration::from_secs(10)).await;
    assert_eq!(bus.sets("i1").len(), 13, "three that waited, ten since");
}

#[tokio::test(start_paused = true)]
async fn a_refused_block_is_told_once_and_its_factors_are_b() {
    let refuse = |asked: Asked| -> Reply {
        let soon = Duration::from_millis(10);
        if asked.start == 0 {
            return vec![(soon, asked.rtu())];
        }
        vec![(soon, frame(asked.unit, &[asked.function | 0x80, 2]))]
    };
    let map = map(&[0, 500]);
    let dial = ScriptDial::rtu(script(refuse));
    let bus = Running::start(plan(vec![instrument(1, 1_000, &map)]), dial);
    sleep(Duration::from_millis(60_500)).await;
    let sets = bus.sets("i1");
    assert_eq!(sets.len(), 61);
    for (_, set) in &sets {
        let flags: Vec<_> = set.samples.iter().map(|s| s.flag.0.as_str()).collect();
        assert_eq!(flags, ["N", "B"]);
    }
    assert_eq!(bus.troubles("instrument.refuses"), 1);
    assert_eq!(bus.board.pulse("i1").expect("known").failures, 0);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_is_busy_is_asked_again() {
    let mut n = 0;
    let busy = move |asked: Asked| {
        n += 1;
        let soon = Duration::from_millis(10);
        if n % 3 == 0 {
            return vec![(soon, asked.rtu())];
        }
        vec![(soon, frame(asked.unit, &[asked.function | 0x80, 6]))]
    };
    let dial = ScriptDial::rtu(script(busy));
    let bus = Running::start(plan(vec![instrument(1, 1_000, &map(&[3]))]), dial);
    sleep(Duration::from_millis(10_900)).await;
    let sets = bus.sets("i1");
    assert_eq!(sets.len(), 11);
    assert!(sets.iter().all(|(_, set)| set.samples[0].flag.0 == "N"));
}
