//! How well a bus keeps its rhythm beside a dead slave, on this machine and its clock.

use super::board::BusBoard;
use super::keeper::{BusPlan, Keeper};
use super::wire::{Dial, Opening, Wire};
use crate::clock::Clock;
use cems_config::{Bus, BusTiming, Framing, Instrument, Line};
use cems_protocols::instrument::Map;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Slaves on the measured bus.
const SLAVES: u8 = 10;
/// Which of them is dead in the second run.
const DEAD: u8 = 5;
/// What a slave at 9,600 bit/s takes for a question and its answer of ten registers.
const ANSWER_AFTER: Duration = Duration::from_millis(35);
/// Time in which a bus finds that a slave is dead; not measured.
const WARM_UP: Duration = Duration::from_secs(8);

/// The rhythm of the slaves that answer, microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    /// Period asked for.
    pub asked_us: u128,
    /// Mean of all intervals.
    pub mean_us: u128,
    /// Shortest interval.
    pub least_us: u128,
    /// Longest interval.
    pub most_us: u128,
    /// Intervals measured.
    pub intervals: usize,
}

/// Measures a bus of ten slaves polled once a second, for so long, with all alive or one dead; the
/// rhythm of the nine others.
pub async fn rhythm(one_dead: bool, map: Arc<Map>, span: Duration) -> Rhythm {
    let every = Duration::from_secs(1);
    let asked: Asked = Arc::default();
    let dial = Rack {
        dead: one_dead.then_some(DEAD),
        asked: Arc::clone(&asked),
    };
    let bus = Bus {
        id: "bench".into(),
        line: Line::Tcp {
            address: "bench".into(),
        },
        framing: Framing::ModbusRtu,
        timing: BusTiming::default(),
    };
    let instruments = (1..=SLAVES).map(|unit| Instrument {
        id: format!("slave-{unit}").into(),
        outlet: "bench".into(),
        bus: "bench".into(),
        unit,
        map: Arc::clone(&map),
        map_file: None,
        every_ms: 1_000,
        channels: Vec::new(),
    });
    let plan = BusPlan {
        bus,
        instruments: instruments.collect(),
    };
    let (_plans, changes) = watch::channel(plan);
    let (records, mut waiting) = mpsc::channel(64);
    let now = Box::new(|| Clock::Real.now());
    let board = BusBoard::default();
    let keeper = Keeper::new(changes, Box::new(dial), records, board, Clock::Real, now);
    let stop = CancellationToken::new();
    let begun = Instant::now();
    let drain = async { while waiting.recv().await.is_some() {} };
    let end = async {
        sleep(WARM_UP + span).await;
        stop.cancel();
    };
    tokio::join!(keeper.run(stop.clone()), drain, end);
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    summary(&asked, begun + WARM_UP, every)
}

fn summary(asked: &[(u8, Instant)], after: Instant, every: Duration) -> Rhythm {
    let mut all = Vec::new();
    for unit in (1..=SLAVES).filter(|unit| *unit != DEAD) {
        let own: Vec<Instant> = asked
            .iter()
            .filter(|(u, at)| *u == unit && *at >= after)
            .map(|(_, at)| *at)
            .collect();
        all.extend(own.windows(2).map(|pair| (pair[1] - pair[0]).as_micros()));
    }
    let count = u128::try_from(all.len().max(1)).unwrap_or(1);
    Rhythm {
        asked_us: every.as_micros(),
        mean_us: all.iter().sum::<u128>() / count,
        least_us: all.iter().min().copied().unwrap_or(0),
        most_us: all.iter().max().copied().unwrap_or(0),
        intervals: all.len(),
    }
}

/// When which unit was asked.
type Asked = Arc<Mutex<Vec<(u8, Instant)>>>;

/// Slaves in memory.
struct Rack {
    dead: Option<u8>,
    asked: Asked,
}

impl Dial for Rack {
    fn open(&mut self) -> Opening<'_> {
        let (ours, theirs) = duplex(1_024);
        let slaves = Slaves {
            wire: theirs,
            dead: self.dead,
            asked: Arc::clone(&self.asked),
        };
        tokio::spawn(slaves.serve());
        Box::pin(async { Ok(Box::new(ours) as Box<dyn Wire>) })
    }

    fn place(&self) -> String {
        "ten slaves in memory".into()
    }
}

struct Slaves {
    wire: DuplexStream,
    dead: Option<u8>,
    asked: Asked,
}

impl Slaves {
    fn note(&self, unit: u8) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.push((unit, Instant::now()));
    }

    /// Answers registers of zero until the master hangs up.
    async fn serve(mut self) {
        let mut question = [0; 8];
        while self.wire.read_exact(&mut question).await.is_ok() {
            let [unit, function, _, _, _, count, ..] = question;
            self.note(unit);
            if self.dead == Some(unit) {
                continue;
            }
            sleep(ANSWER_AFTER).await;
            let mut answer = vec![unit, function, count.saturating_mul(2)];
            answer.resize(3 + usize::from(count) * 2, 0);
            let crc = crc(&answer);
            answer.extend(crc.to_le_bytes());
            if self.wire.write_all(&answer).await.is_err() {
                return;
            }
        }
    }
}

/// CRC of Modbus RTU.
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xA001
            } else {
                crc >> 1
            }
        })
    })
}
