//! Data and events to destinations.

use super::{App, Places};
use crate::outbox::{self, OutboxBoard};
use crate::store::Readers;
use cems_config::Settings;
use cems_dashboards::backend::Change;
use std::sync::Arc;

impl App {
    /// Sets the lanes of all destinations to work.
    pub(super) fn start_outbox(
        &self,
        settings: &Settings,
        places: &Places,
        readers: &Readers,
    ) -> anyhow::Result<Arc<OutboxBoard>> {
        let projected = || Arc::clone(&self.projected);
        let (registry, pages) = (projected(), projected());
        let start = outbox::Start {
            settings,
            file: &places.outbox(),
            readers: readers.clone(),
            registry: Arc::new(move || registry.registry()),
            announce: Box::new(move || pages.announce(Change::Destinations)),
            clock: self.clock.clone(),
        };
        outbox::start(start, self.projected.position(), &self.tasks, &self.stop)
    }
}
