//! The task that owns a bus: whose turn it is, the poll, what becomes of it.

use super::board::BusBoard;
use super::line::{Line, LineFraming, LineNote};
use super::poll::{Polled, Poller};
use super::record::{Record, Recorded};
use super::said;
use super::schedule::{self, Place, Standing, Turn};
use super::wire::{Dial, SerialDial, TcpDial};
use crate::clock::Clock;
use cems_config::{Bus, Framing, Instrument, Parity};
use cems_core::model::{SampleSet, Timestamp};
use smol_str::{SmolStr, ToSmolStr};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Shortest period, so that a fast simulated time does not turn a line into a storm.
const EVERY_MIN: Duration = Duration::from_millis(50);
/// Shortest look at a silent instrument, whatever its neighbours' speed.
const PROBE_MIN: Duration = Duration::from_millis(100);
/// Trouble of one bus is journalled at most this often; the log and the counters have all of it.
const TROUBLE_EVERY: Duration = Duration::from_secs(60);

/// A bus and what hangs on it.
#[derive(Debug, Clone, PartialEq)]
pub struct BusPlan {
    /// The line.
    pub bus: Bus,
    /// Its instruments.
    pub instruments: Vec<Instrument>,
}

/// What tells a keeper the time of the day.
pub type Now = Box<dyn Fn() -> Timestamp + Send>;

/// The keeper of one bus.
pub struct Keeper {
    plan: BusPlan,
    plans: watch::Receiver<BusPlan>,
    line: Line,
    seats: Vec<Seat>,
    /// Beside `seats`, in the same order, as the schedule wants them.
    places: Vec<Place>,
    records: mpsc::Sender<Record>,
    board: BusBoard,
    clock: Clock,
    now: Now,
    trouble_until: Option<Instant>,
    trouble: (u64, u64),
    asked_since_wait: bool,
}

struct Seat {
    id: SmolStr,
    poller: Poller,
}

/// How a bus's line is opened.
pub fn dial(bus: &Bus) -> Box<dyn Dial> {
    let serial = match &bus.line {
        cems_config::Line::Tcp { address } => return Box::new(TcpDial::new(address.as_str())),
        cems_config::Line::Serial(serial) => serial,
    };
    Box::new(SerialDial {
        device: serial.device.display().to_string(),
        baud: serial.baud,
        data_bits: match serial.data_bits {
            7 => tokio_serial::DataBits::Seven,
            _ => tokio_serial::DataBits::Eight,
        },
        parity: match serial.parity {
            Parity::None => tokio_serial::Parity::None,
            Parity::Even => tokio_serial::Parity::Even,
            Parity::Odd => tokio_serial::Parity::Odd,
        },
        stop_bits: match serial.stop_bits {
            2 => tokio_serial::StopBits::Two,
            _ => tokio_serial::StopBits::One,
        },
        rs485: serial.rs485,
    })
}

/// How frames are wrapped on a bus.
pub fn framing(bus: &Bus) -> LineFraming {
    match bus.framing {
        Framing::ModbusTcp => LineFraming::Tcp,
        Framing::ModbusRtu => LineFraming::Rtu,
        Framing::Ascii => LineFraming::Text,
    }
}

impl Keeper {
    /// Takes a bus over; its line is opened at the first poll.
    pub fn new(
        plans: watch::Receiver<BusPlan>,
        dial: Box<dyn Dial>,
        records: mpsc::Sender<Record>,
        board: BusBoard,
        clock: Clock,
        now: Now,
    ) -> Self {
        let plan = plans.borrow().clone();
        let timing = super::LineTiming {
            timeout: Duration::from_millis(plan.bus.timing.timeout_ms.into()),
            pause_between_requests: Duration::ZERO,
            pause_after_connect: Duration::ZERO,
        };
        let mut keeper = Self {
            line: Line::new(dial, framing(&plan.bus), timing),
            plan,
            plans,
            seats: Vec::new(),
            places: Vec::new(),
            records,
            board,
            clock,
            now,
            trouble_until: None,
            trouble: (0, 0),
            asked_since_wait: false,
        };
        keeper.seat();
        keeper
    }

    /// Polls until told to stop. A poll under way is broken off; the line is not used again.
    pub async fn run(mut self, stop: CancellationToken) {
        let (id, place) = (self.plan.bus.id.clone(), self.line.place());
        said::bus(&id, &place, "the bus begins");
        stop.run_until_cancelled(self.keep()).await;
        said::bus(&id, &place, "the bus ends");
    }

    async fn keep(&mut self) {
        loop {
            if self.plans.has_changed().unwrap_or(false) {
                self.reload();
            }
            let now = Instant::now();
            self.repeat_silence(now);
            match schedule::next(&self.places, now, |index, patient| {
                self.cost(index, patient)
            }) {
                Turn::Poll(index) => self.turn(index, None).await,
                Turn::Probe { index, patient } => {
                    let patience = (!patient).then(|| self.short_patience(index));
                    self.turn(index, patience).await;
                }
                Turn::Wait(until) => self.wait(until).await,
            }
        }
    }

    /// Nothing is due: sleep, but hear of new settings.
    async fn wait(&mut self, until: Instant) {
        if self.plan.bus.timing.close_after_cycle && self.asked_since_wait {
            self.line.close();
        }
        self.asked_since_wait = false;
        let again = self.places.iter().filter_map(Place::says_so_at).min();
        let until = again.map_or(until, |again| until.min(again));
        tokio::select! {
            () = sleep_until(until) => {}
            changed = self.plans.changed() => if changed.is_ok() {
                self.reload();
            } else {
                // Nobody can send new settings any more; the present ones stay.
                sleep_until(until).await;
            },
        }
    }

    fn cost(&self, index: usize, patient: bool) -> Duration {
        let Some(seat) = self.seats.get(index) else {
            return Duration::ZERO;
        };
        let patience = if patient {
            seat.poller.timeout()
        } else {
            self.short_patience(index)
        };
        self.line.cost_of_silence(seat.poller.unit(), patience)
    }

    /// How long a silent instrument is waited for: thrice what it or its neighbours take.
    fn short_patience(&self, index: usize) -> Duration {
        let Some(seat) = self.seats.get(index) else {
            return PROBE_MIN;
        };
        let timeout = seat.poller.timeout();
        let slowest = self.line.slowest_answer(seat.poller.unit());
        slowest.map_or(timeout, |slowest| (slowest * 3).max(PROBE_MIN).min(timeout))
    }

    async fn turn(&mut self, index: usize, patience: Option<Duration>) {
        let (Some(seat), Some(place)) = (self.seats.get_mut(index), self.places.get_mut(index))
        else {
            return;
        };
        let bus = self.plan.bus.id.clone();
        let begun = Instant::now();
        if self.records.capacity() == 0 {
            // What is read could not be kept.
            place.skip(begun);
            said::not_polled(&bus, &seat.id);
            let error = Some("not polled: the journal stands still".to_owned());
            let at = (self.now)();
            self.board.polled(&seat.id, at, place.pulse(), None, error);
            return;
        }
        said::late(&bus, place.begins(begun));
        self.asked_since_wait = true;
        let at = (self.now)();
        let polled = seat.poller.poll(&mut self.line, patience).await;
        // Now, while there is a gap, and not when the next instrument is due.
        self.line.calm().await;
        // A poll in which no group was due asked nothing.
        let answered = polled.answered > 0 || polled.asked == 0;
        let line_down = polled.error.as_ref().is_some_and(|e| e.is_line_down());
        let before = place.pulse().skipped;
        let standing = place.ended(answered, line_down, Instant::now());
        said::skipped(&bus, place.pulse().skipped - before);
        let why = polled.error.as_ref().map(ToString::to_string);
        said::polled(&bus, &seat.id, standing, why.as_deref());
        let set = (polled.answered > 0).then(|| seat.poller.samples(&polled));
        let (id, pulse) = (seat.id.clone(), place.pulse());
        self.board.polled(&id, at, pulse, set.as_ref(), why);
        self.record(index, at, standing, polled, set);
        for note in self.line.take_notes() {
            self.note(&bus, at, &note);
        }
    }

    /// Hands over what a poll gave; there was room in the queue when it began.
    fn record(
        &mut self,
        index: usize,
        at: Timestamp,
        standing: Standing,
        polled: Polled,
        set: Option<SampleSet>,
    ) {
        let Some(seat) = self.seats.get(index) else {
            return;
        };
        let id = seat.id.clone();
        let silent = (standing == Standing::FellSilent).then(|| seat.poller.without_answer());
        if let Some(set) = &silent {
            self.board.silent(&id, set);
        }
        if let Some(set) = set.or(silent).filter(|set| !set.samples.is_empty()) {
            let raw = polled.raw;
            self.send(at, Recorded::Poll { set, raw });
        }
        let why = polled.error.map(|e| e.to_string()).unwrap_or_default();
        match standing {
            Standing::FellSilent => self.trouble(at, "instrument.silent", &id, why),
            Standing::Back => self.trouble(at, "instrument.back", &id, String::new()),
            _ => {}
        }
        for words in polled.refusals {
            said::refused(&self.plan.bus.id, &id, &words);
            self.trouble(at, "instrument.refuses", &id, words.to_string());
        }
    }

    /// What was thrown away is journalled in sums, so that a chattering line cannot fill a disk.
    fn note(&mut self, bus: &SmolStr, at: Timestamp, note: &LineNote) {
        said::discarded(bus, note);
        self.trouble.0 += 1;
        self.trouble.1 += note.discarded.bytes;
        let now = Instant::now();
        if self.trouble_until.is_some_and(|until| now < until) {
            return;
        }
        let (times, bytes) = std::mem::take(&mut self.trouble);
        self.trouble_until = Some(now + TROUBLE_EVERY);
        let first = crate::text::hex(&note.discarded.first);
        let detail = format!(
            "{}: {bytes} bytes in {times} cases, the last begins {first}",
            note.what
        );
        self.trouble(at, "bus.discarded", bus, detail);
    }

    fn trouble(&self, at: Timestamp, what: &'static str, object: &SmolStr, detail: String) {
        self.send(
            at,
            Recorded::Trouble {
                what: what.into(),
                object: object.clone(),
                detail,
            },
        );
    }

    fn send(&self, at: Timestamp, what: Recorded) {
        if self.records.try_send(Record { at, what }).is_err() {
            said::not_polled(&self.plan.bus.id, "-");
        }
    }

    /// Says once a minute that a silent instrument is silent.
    fn repeat_silence(&mut self, now: Instant) {
        for (index, place) in self.places.iter_mut().enumerate() {
            let Some(seat) = self.seats.get(index) else {
                continue;
            };
            if place.says_so_again(now) {
                let record = Record {
                    at: (self.now)(),
                    what: Recorded::Poll {
                        set: seat.poller.without_answer(),
                        raw: Vec::new(),
                    },
                };
                if self.records.try_send(record).is_err() {
                    said::not_polled(&self.plan.bus.id, &seat.id);
                }
            }
        }
    }

    /// New settings between two polls: no poll is broken off, no time of the grid is missed.
    fn reload(&mut self) {
        let plan = self.plans.borrow_and_update().clone();
        if plan == self.plan {
            return;
        }
        self.plan = plan;
        self.seat();
        said::reloaded(&self.plan.bus.id, self.plan.instruments.len());
    }

    /// Seats the instruments of the plan; those that were there keep their time and their standing.
    fn seat(&mut self) {
        let now = Instant::now();
        let mut seats: Vec<_> = self.seats.drain(..).zip(self.places.drain(..)).collect();
        for instrument in &self.plan.instruments {
            let before = seats.iter().position(|(seat, _)| seat.id == instrument.id);
            let before = before.map(|index| seats.swap_remove(index));
            let every = Duration::from_millis(instrument.every_ms.into());
            let every = self.clock.shorten(every).max(EVERY_MIN);
            let mut poller = Poller::new(instrument, &self.plan.bus.timing);
            let mut place = Place::new(every, now);
            if let Some((seat, before)) = before {
                poller.take_over(seat.poller);
                place = before;
                place.set_every(every, now);
            }
            self.board.announce(instrument);
            self.seats.push(Seat {
                id: instrument.id.to_smolstr(),
                poller,
            });
            self.places.push(place);
        }
    }
}
