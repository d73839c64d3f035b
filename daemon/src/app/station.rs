//! The station side: instruments read, uploads to centres.

use super::{App, Places};
use crate::clock::Clock;
use crate::console::StationView;
use crate::journal::Journal;
use crate::keys::KeyRing;
use crate::links::bus::Buses;
use crate::links::mqtt::{SourceRoom, Sources};
use crate::pipeline::Projected;
use crate::store::Readers;
use crate::uplink::{self, UplinkBoard};
use cems_config::{Settings, StationSettings};
use cems_core::model::Registry;
use cems_dashboards::backend::{Change, StationStatus};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

impl App {
    /// Sets the lines to centres to work; none without `[[uplink]]`.
    pub(super) fn start_uplinks(
        &self,
        settings: &Settings,
        registry: &Registry,
        places: &Places,
        readers: &Readers,
        keys: &Arc<KeyRing>,
    ) -> anyhow::Result<Option<Arc<UplinkBoard>>> {
        if settings.uplinks.is_empty() {
            return Ok(None);
        }
        let pages = Arc::clone(&self.projected);
        let start = uplink::Start {
            uplinks: &settings.uplinks,
            registry,
            file: &places.uplinks(),
            journal: self.journal.clone(),
            readers: readers.clone(),
            keys: Arc::clone(keys),
            announce: Box::new(move || pages.announce(Change::Uplinks)),
            clock: self.clock.clone(),
        };
        uplink::start(start, self.projected.position(), &self.tasks, &self.stop).map(Some)
    }
}

impl App {
    /// Takes new buses, instruments and register maps into force; what did not change is not
    /// touched, and no sample is lost.
    pub fn reload_station(&self, station: &StationSettings) {
        self.buses.reload(station);
        self.sources.reload(station);
    }
}

/// What brokers with readings are taken in with.
pub(super) fn source_room(
    (journal, projected, clock): (&Journal, &Arc<Projected>, &Clock),
    places: &Places,
    (stop, tasks): (&CancellationToken, &TaskTracker),
) -> SourceRoom {
    let (projected, clock) = (Arc::clone(projected), clock.clone());
    SourceRoom {
        journal: journal.clone(),
        clock: Arc::new(move || clock.now()),
        offset: Arc::new(move || projected.registry().offset),
        dir: places.sources(),
        journal_dir: places.journal(),
        stop: stop.clone(),
        tasks: tasks.clone(),
    }
}

/// The station side as pages show it.
pub(super) fn view(
    uplinks: Option<Arc<UplinkBoard>>,
    buses: Arc<Buses>,
    sources: Arc<Sources>,
) -> StationView {
    Arc::new(move || {
        let status = uplinks.as_ref().map(|board| board.status());
        let uplinks = status.unwrap_or_else(|| Ok(Vec::new()));
        StationStatus {
            uplinks: uplinks.unwrap_or_else(|error| {
                tracing::error!(%error, "how the uplinks are doing cannot be read");
                Vec::new()
            }),
            instruments: {
                let mut all = buses.instruments();
                all.extend(sources.instruments());
                all
            },
        }
    })
}
