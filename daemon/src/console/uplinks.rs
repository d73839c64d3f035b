//! Uploads to centres: how the lines stand, receipts, and gaps, each within the actor's scope.

use super::scope::access;
use super::{ConsoleBackend, unavailable};
use crate::uplink::UplinkBoard;
use cems_core::model::{OutletId, Registry};
use cems_dashboards::backend::{
    Actor, BackendError, SentFilter, SentRow, UplinkBackend, UplinkGap, UplinkSummary,
};
use std::sync::Arc;

/// The uplinks of a daemon, for the parts of the console; `None` without `[[uplink]]`.
pub type Uplinks = Option<Arc<UplinkBoard>>;

/// Which outlets the actor sees by this registry.
fn sight<'a>(actor: &'a Actor, registry: &'a Registry) -> impl Fn(&OutletId) -> bool + 'a {
    let access = access(actor);
    move |id| {
        let outlet = registry.outlets.get(id);
        outlet.is_some_and(|outlet| access.covers(registry, outlet))
    }
}

impl ConsoleBackend {
    /// The board, when the filter asks for what there is and the actor may see; `None` when this
    /// daemon uploads nothing and the filter names nothing.
    fn asked_uplinks(
        &self,
        filter: &SentFilter,
        sees: &dyn Fn(&OutletId) -> bool,
    ) -> Result<Option<&UplinkBoard>, BackendError> {
        if filter.outlet.as_ref().is_some_and(|id| !sees(id)) {
            return Err(BackendError::NotFound);
        }
        let board = self.uplinks.as_deref();
        let known = |id: &String| board.is_some_and(|board| board.has(id, sees));
        if filter.uplink.as_ref().is_some_and(|id| !known(id)) {
            return Err(BackendError::NotFound);
        }
        Ok(board)
    }
}

impl UplinkBackend for ConsoleBackend {
    fn has_uplinks(&self, actor: &Actor) -> bool {
        let registry = self.projected.registry();
        let board = self.uplinks.as_ref();
        board.is_some_and(|board| board.goes_anywhere(&sight(actor, &registry)))
    }

    fn is_uploaded(&self, outlet: &OutletId) -> bool {
        let board = self.uplinks.as_ref();
        board.is_some_and(|board| board.goes_anywhere(&|id| id == outlet))
    }

    fn uplinks(&self, actor: &Actor) -> Result<Vec<UplinkSummary>, BackendError> {
        let Some(board) = &self.uplinks else {
            return Ok(Vec::new());
        };
        let registry = self.projected.registry();
        board
            .summaries(&sight(actor, &registry), access(actor).sees_all())
            .map_err(unavailable)
    }

    fn sent(&self, actor: &Actor, filter: &SentFilter) -> Result<Vec<SentRow>, BackendError> {
        let registry = self.projected.registry();
        let sees = sight(actor, &registry);
        let board = self.asked_uplinks(filter, &sees)?;
        board.map_or(Ok(Vec::new()), |board| {
            board.sent(&sees, filter).map_err(unavailable)
        })
    }

    fn uplink_gaps(
        &self,
        actor: &Actor,
        filter: &SentFilter,
    ) -> Result<Vec<UplinkGap>, BackendError> {
        let registry = self.projected.registry();
        let sees = sight(actor, &registry);
        let board = self.asked_uplinks(filter, &sees)?;
        board.map_or(Ok(Vec::new()), |board| {
            board.gaps(&sees, filter).map_err(unavailable)
        })
    }
}
