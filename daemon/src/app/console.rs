//! What the console asks.

use super::{App, Places, post, station};
use crate::archive::Shelf;
use crate::attachments::Attachments;
use crate::clock::Clock;
use crate::console::{Access, ConsoleBackend, ConsoleParts};
use crate::delivery::{Board, Delivery};
use crate::notify::PostBoard;
use crate::outbox::OutboxBoard;
use crate::store::{Readers, Sessions};
use crate::uplink::UplinkBoard;
use anyhow::Context;
use cems_config::Settings;
use cems_dashboards::backend::Backend;
use std::sync::Arc;

/// What the tasks of the daemon show on pages.
pub(super) struct Boards {
    /// Uploads to centres, where there are any.
    pub(super) uplinks: Option<Arc<UplinkBoard>>,
    /// Messages to people.
    pub(super) post: Arc<PostBoard>,
    /// Data and events that go out.
    pub(super) outbox: Arc<OutboxBoard>,
    /// Files of sealed days, unless none are wanted.
    pub(super) shelf: Option<Shelf>,
}

impl Boards {
    /// Everything that leaves.
    pub(super) fn delivery(&self, clock: &Clock) -> Delivery {
        let mut boards: Vec<Arc<dyn Board>> = Vec::new();
        boards.extend(self.uplinks.clone().map(|board| board as Arc<dyn Board>));
        boards.push(Arc::clone(&self.post) as Arc<dyn Board>);
        boards.push(Arc::clone(&self.outbox) as Arc<dyn Board>);
        Delivery::new(boards, clock.clone())
    }
}

impl App {
    /// Puts the parts of the daemon behind the console.
    pub(super) fn backend(
        &self,
        settings: &Settings,
        readers: Readers,
        places: &Places,
        (boards, delivery): (Boards, Delivery),
    ) -> anyhow::Result<Arc<dyn Backend>> {
        let opened = Sessions::open(&places.sessions()).context("opening sessions.db")?;
        let access = Access::new(settings, opened.sessions, self.clock.clone());
        let troubles = post::troubles(&boards, delivery.clone(), Arc::clone(&self.sources));
        let Boards {
            uplinks,
            post,
            outbox,
            shelf,
        } = boards;
        Ok(Arc::new(ConsoleBackend::new(ConsoleParts {
            journal: self.journal.clone(),
            projected: Arc::clone(&self.projected),
            readers,
            access,
            clock: self.clock.clone(),
            switchboard: Arc::clone(&self.gate.switchboard),
            troubles,
            station: station::view(
                uplinks.clone(),
                Arc::clone(&self.buses),
                Arc::clone(&self.sources),
            ),
            attachments: Attachments::in_directory(places.attachments()),
            post,
            outbox,
            delivery,
            uplinks,
            shelf,
        })))
    }
}
