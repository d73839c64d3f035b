//! The city live: stations that are `cemsd` itself, and loggers of other makes as clients over TCP.

use super::city::{Resident, guests};
use super::site::Site;
use crate::clock::Clock;
use crate::simulate::client::{Client, Timing};
use crate::simulate::outbox::Retries;
use crate::simulate::plant::Plant;
use crate::simulate::tally::Tally;
use cems_core::model::Timestamp;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
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
    sites: Vec<Site>,
}

impl Life {
    /// Brings every station to work. What fell due since `since` is said first by the loggers of
    /// other makes; a `cemsd` has measured nothing yet. Books of stations go under `dir`.
    ///
    /// # Errors
    /// When an instrument finds no free port, or a station cannot start.
    pub(super) async fn start(
        residents: Vec<Resident>,
        centre: SocketAddr,
        (clock, speed): (&Clock, u32),
        since: Timestamp,
        dir: &Path,
    ) -> anyhow::Result<Self> {
        let mut life = Self {
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            tally: Arc::new(Tally::default()),
            sites: Vec::new(),
        };
        let mut groups: BTreeMap<&str, Vec<&Resident>> = BTreeMap::new();
        for resident in residents.iter().filter(|resident| !resident.foreign) {
            groups
                .entry(resident.enterprise)
                .or_default()
                .push(resident);
        }
        for group in groups.values() {
            let running = (&life.tasks, &life.stop);
            let site = Site::start(group, centre, (dir, speed), clock, running).await?;
            life.sites.push(site);
        }
        let client = |station, plant: Plant, schedule| Client {
            script: plant.script().clone(),
            station,
            plant,
            schedule,
            centre,
            clock: clock.clone(),
            since,
            timing: TIMING,
            tally: Arc::clone(&life.tally),
        };
        for (station, schedule, plant) in guests(&residents) {
            life.spawn(client(station, plant, schedule));
        }
        for resident in residents.into_iter().filter(|resident| resident.foreign) {
            life.spawn(client(resident.station, resident.plant, resident.schedule));
        }
        Ok(life)
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

    /// What the loggers of other makes counted together.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Stops every station and instrument.
    ///
    /// # Errors
    /// When a station cannot close its books.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        // Stations first: an instrument that goes away before would leave its trace in the books.
        for site in self.sites {
            site.stop().await?;
        }
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        Ok(())
    }
}
