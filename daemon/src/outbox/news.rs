//! Who wakes whom: the projections and people the lanes, the lanes the pages.

use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::Notify;

/// Wakes lanes and pages.
pub(super) struct News {
    lanes: BTreeMap<SmolStr, Notify>,
    announce: Box<dyn Fn() + Send + Sync>,
}

impl News {
    pub(super) fn new(
        ids: impl Iterator<Item = SmolStr>,
        announce: Box<dyn Fn() + Send + Sync>,
    ) -> Self {
        Self {
            lanes: ids.map(|id| (id, Notify::new())).collect(),
            announce,
        }
    }

    /// There may be something to do for everybody.
    pub(super) fn wake_all(&self) {
        for lane in self.lanes.values() {
            lane.notify_one();
        }
    }

    /// There is something to do for one.
    pub(super) fn wake(&self, destination: &str) {
        if let Some(lane) = self.lanes.get(destination) {
            lane.notify_one();
        }
    }

    /// Until somebody wakes the lane, or for so long.
    pub(super) async fn wait(&self, destination: &str, most: Duration) {
        let Some(lane) = self.lanes.get(destination) else {
            return tokio::time::sleep(most).await;
        };
        // That the time ran out is as good a reason to look.
        let _ = tokio::time::timeout(most, lane.notified()).await;
    }

    /// Pages may look again.
    pub(super) fn moved(&self) {
        (self.announce)();
    }
}
