//! Messages to people.

use super::console::Boards;
use super::{App, Places};
use crate::console::Troubles;
use crate::delivery::Delivery;
use crate::links::mqtt::Sources;
use crate::notify::{self, PostBoard};
use crate::store::Readers;
use cems_config::Settings;
use cems_dashboards::backend::Change;
use std::sync::Arc;

impl App {
    /// Sets the couriers of all channels to work.
    pub(super) fn start_post(
        &self,
        settings: &Settings,
        places: &Places,
        readers: &Readers,
    ) -> anyhow::Result<Arc<PostBoard>> {
        let projected = || Arc::clone(&self.projected);
        let (registry, policy, pages) = (projected(), projected(), projected());
        let start = notify::Start {
            settings,
            file: &places.messages(),
            journal: self.journal.clone(),
            readers: readers.clone(),
            registry: Arc::new(move || registry.registry()),
            policy: Arc::new(move || policy.policy()),
            announce: Box::new(move || pages.announce(Change::Messages)),
            clock: self.clock.clone(),
        };
        let changes = || self.projected.changes();
        notify::start(
            start,
            self.projected.position(),
            changes,
            &self.tasks,
            &self.stop,
        )
    }
}

/// Ways out that are stuck and brokers that bring no readings, for long; days that cannot be
/// written to their files.
pub(super) fn troubles(boards: &Boards, delivery: Delivery, sources: Arc<Sources>) -> Troubles {
    let days = boards
        .shelf
        .as_ref()
        .map(|shelf| Arc::clone(&shelf.trouble));
    Arc::new(move || {
        let mut all = delivery.problems();
        all.extend(sources.problems());
        all.extend(days.as_ref().and_then(|trouble| trouble.said()));
        all
    })
}
