//! All buses of a station: started, reloaded, shown.

use super::board::BusBoard;
use super::keeper::{BusPlan, Keeper, dial};
use super::record::{self, RECORDS_WAITING_MAX};
use crate::clock::Clock;
use crate::journal::Journal;
use cems_config::StationSettings;
use cems_dashboards::backend::InstrumentStatus;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the buses work with.
#[derive(Clone)]
pub struct BusRoom {
    /// Where samples go.
    pub journal: Journal,
    /// The time of the day; a fast one makes periods shorter.
    pub clock: Clock,
    /// Ends everything.
    pub stop: CancellationToken,
    /// Knows every task, so that a stop can wait for it.
    pub tasks: TaskTracker,
}

/// The buses of a station.
pub struct Buses {
    room: BusRoom,
    board: BusBoard,
    running: Mutex<BTreeMap<SmolStr, Running>>,
}

struct Running {
    plans: watch::Sender<BusPlan>,
    stop: CancellationToken,
}

impl Buses {
    /// No bus yet; [`Buses::reload`] starts those of the settings.
    pub fn new(room: BusRoom) -> Self {
        Self {
            room,
            board: BusBoard::default(),
            running: Mutex::default(),
        }
    }

    /// Takes settings: buses that stay as they are are not touched, a bus whose instruments changed
    /// takes them between two polls, a bus whose line changed is started anew. A line that cannot
    /// be opened is no error: it is tried again for ever.
    pub fn reload(&self, station: &StationSettings) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|id, one| {
            let stays = station.buses.iter().any(|bus| bus.id == *id);
            if !stays {
                one.stop.cancel();
            }
            stays
        });
        self.board
            .keep(|id| station.instruments.iter().any(|i| i.id == id));
        for bus in &station.buses {
            let plan = BusPlan {
                bus: bus.clone(),
                instruments: station.on_bus(&bus.id).cloned().collect(),
            };
            let same_line = running.get(&bus.id).filter(|one| {
                let before = &one.plans.borrow().bus;
                before.line == bus.line && before.framing == bus.framing
            });
            if let Some(one) = same_line {
                one.plans.send_if_modified(|present| {
                    let changed = *present != plan;
                    if changed {
                        *present = plan;
                    }
                    changed
                });
                continue;
            }
            if let Some(before) = running.remove(&bus.id) {
                before.stop.cancel();
            }
            running.insert(bus.id.clone(), self.open(plan));
        }
    }

    fn open(&self, plan: BusPlan) -> Running {
        let dial = dial(&plan.bus);
        let (plans, changes) = watch::channel(plan);
        let (records, waiting) = mpsc::channel(RECORDS_WAITING_MAX);
        let clock = self.room.clock.clone();
        let now = Box::new(move || clock.now());
        let board = self.board.clone();
        let clock = self.room.clock.clone();
        let keeper = Keeper::new(changes, dial, records, board, clock, now);
        let stop = self.room.stop.child_token();
        self.room.tasks.spawn(keeper.run(stop.clone()));
        self.room
            .tasks
            .spawn(record::write(self.room.journal.clone(), waiting));
        Running { plans, stop }
    }

    /// Every instrument as it is now, by id.
    pub fn instruments(&self) -> Vec<InstrumentStatus> {
        self.board.instruments()
    }

    /// The board, for those who show it.
    pub fn board(&self) -> &BusBoard {
        &self.board
    }
}
