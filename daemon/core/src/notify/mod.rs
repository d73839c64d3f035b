//! Messages (通知): from what happened to who is told what, when, through which channel.
//!
//! The engine reports a [`Notice`]; everything after that is a list of small stages in `plan`:
//! route, mute, group, rate. What comes out are rows
//! ([`MessageRow`](crate::model::MessageRow)); a daemon carries them out.

mod clockwork;
mod index;
mod plan;

pub use index::People;
pub use plan::{Planner, Scene};

use crate::model::{
    About, AlarmKind, EnterpriseId, MessageReason, OutletId, Priority, RegionId, Role,
};
use std::collections::BTreeSet;

/// Something somebody may have to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Why.
    pub reason: MessageReason,
    /// About what.
    pub about: About,
    /// How urgent.
    pub priority: Priority,
    /// Kind of the alarm, when it is about one.
    pub kind: Option<AlarmKind>,
    /// Outlet concerned.
    pub outlet: Option<OutletId>,
    /// Enterprise concerned.
    pub enterprise: Option<EnterpriseId>,
    /// Region concerned.
    pub region: Option<RegionId>,
    /// Only people of these roles, whatever the routes say of roles; empty: as the routes say.
    pub roles: BTreeSet<Role>,
}
