//! The city live: every logger a client over TCP, some of them reading instruments over Modbus.

use super::city::{Resident, guests};
use crate::clock::Clock;
use crate::simulate::client::{Client, Timing};
use crate::simulate::instrument::{Instrument, Poller};
use crate::simulate::outbox::Retries;
use crate::simulate::source::Source;
use crate::simulate::tally::Tally;
use anyhow::Context;
use cems_core::model::Timestamp;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Loopback answers in milliseconds; five seconds are long.
const TIMING: Timing = Timing {
    retries: Retries {
        over_time_ms: 5_000,
        re_count: 3,
    },
    back_off_max: Duration::from_secs(5),
    buffer: 1_500,
};

/// The running city.
pub(super) struct Life {
    stop: CancellationToken,
    tasks: TaskTracker,
    tally: Arc<Tally>,
}

impl Life {
    /// Brings every station to work. What fell due since `since` is said first.
    ///
    /// # Errors
    /// When an instrument finds no free port.
    pub(super) async fn start(
        residents: Vec<Resident>,
        centre: SocketAddr,
        clock: &Clock,
        since: Timestamp,
    ) -> anyhow::Result<Self> {
        let life = Self {
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            tally: Arc::new(Tally::default()),
        };
        let client = |station, source, schedule, script| Client {
            station,
            source,
            schedule,
            script,
            centre,
            clock: clock.clone(),
            since,
            timing: TIMING,
            tally: Arc::clone(&life.tally),
        };
        for (station, schedule, plant) in guests(&residents) {
            let script = plant.script().clone();
            life.spawn(client(station, Source::Plant(plant), schedule, script));
        }
        for resident in residents {
            let script = resident.plant.script().clone();
            let source = if resident.instrument {
                life.instrument(resident.plant, clock).await?
            } else {
                Source::Plant(resident.plant)
            };
            life.spawn(client(resident.station, source, resident.schedule, script));
        }
        Ok(life)
    }

    async fn instrument(
        &self,
        plant: crate::simulate::plant::Plant,
        clock: &Clock,
    ) -> anyhow::Result<Source> {
        let channels = plant.channels();
        let instrument = Instrument::bind(plant, clock.clone())
            .await
            .context("a port for an instrument")?;
        let address = instrument.address().context("address of an instrument")?;
        self.tasks.spawn(instrument.run(self.stop.clone()));
        Ok(Source::Instrument(Poller::new(address, channels), channels))
    }

    fn spawn(&self, client: Client) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let mn = client.station.mn.clone();
            if let Err(error) = client.run(stop).await {
                tracing::error!(%mn, %error, "a simulated station cannot build its frames");
            }
        });
    }

    /// What the stations counted together.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Stops every station and instrument.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
