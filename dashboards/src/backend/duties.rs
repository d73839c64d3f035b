//! Duties with a clock: what is owed by when, the calendar, and a person's own feed of both.

use super::{Actor, BackendError, Receipt, Reply, Upload};
use cems_core::model::rows::AuditRow;
use cems_core::model::{
    DutyBook, DutyId, DutyKey, DutyRow, DutySubject, EnterpriseId, OutletId, RegionId, Registry,
    Timestamp,
};
use smol_str::SmolStr;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Which duties to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DutyAsk {
    /// Those that ended, newest first; else open ones, in the order in which they fall due.
    pub ended: bool,
    /// Due before this.
    pub due_before: Option<Timestamp>,
    /// Only of this row.
    pub rule: Option<DutyId>,
}

/// A duty with its history.
#[derive(Debug, Clone)]
pub struct DutyDetail {
    /// The duty.
    pub row: DutyRow,
    /// What happened to it and to its round, oldest first.
    pub history: Vec<AuditRow>,
}

/// All instances of a row that are due at one time: so many of so many are open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyRound {
    /// The row.
    pub rule: DutyId,
    /// The period spoken about, or what triggered it.
    pub round: SmolStr,
    /// When it is due.
    pub due_at: Timestamp,
    /// Instances in scope that are not completed.
    pub open: u64,
    /// Instances in scope, those that ended without being completed not counted.
    pub all: u64,
}

/// A person's feed of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feed {
    /// When its address was made.
    pub created_at: Timestamp,
    /// When it was last fetched, to the hour.
    pub fetched_at: Option<Timestamp>,
}

/// Where a person may see duties: the union of what is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Regions, with all their enterprises and outlets.
    pub regions: BTreeSet<RegionId>,
    /// Enterprises as a whole, with all their outlets.
    pub enterprises: BTreeSet<EnterpriseId>,
    /// Outlets.
    pub outlets: BTreeSet<OutletId>,
}

impl Places {
    /// Those of an actor; `None`: everywhere. An enterprise whose outlets are all listed is in
    /// scope as a whole.
    pub fn of(actor: &Actor, registry: &Registry) -> Option<Self> {
        let scope = &actor.scope;
        if actor.role.is_centre() && scope.is_empty() {
            return None;
        }
        let mut enterprises = scope.enterprises.clone();
        let touched: BTreeSet<&EnterpriseId> = scope
            .outlets
            .iter()
            .filter_map(|id| Some(&registry.outlets.get(id)?.enterprise))
            .collect();
        for id in touched {
            let own = registry.outlets.values().filter(|o| o.enterprise == *id);
            if own.map(|o| &o.id).all(|id| scope.outlets.contains(id)) {
                enterprises.insert(id.clone());
            }
        }
        Some(Self {
            regions: scope.regions.clone(),
            enterprises,
            outlets: scope.outlets.clone(),
        })
    }

    /// A duty lies in them.
    pub fn hold(&self, row: &DutyRow) -> bool {
        let outlet = match &row.subject {
            DutySubject::Outlet(id) => self.outlets.contains(id),
            DutySubject::Enterprise(_) | DutySubject::Region(_) => false,
        };
        let enterprise = row.enterprise.as_ref();
        let region = row.region.as_ref();
        outlet
            || enterprise.is_some_and(|id| self.enterprises.contains(id))
            || region.is_some_and(|id| self.regions.contains(id))
    }
}

/// The actor may see this duty.
pub fn sees_duty(actor: &Actor, registry: &Registry, row: &DutyRow) -> bool {
    let places = Places::of(actor, registry);
    let inside = actor.role.is_centre() || !row.inside;
    inside && places.is_none_or(|places| places.hold(row))
}

/// The part of the daemon that keeps the duties. Every method applies the actor's scope.
pub trait DutyBackend: Send + Sync + 'static {
    /// The rows in force and the days they are counted by.
    fn duty_book(&self) -> Arc<DutyBook>;
    /// Duties, at most [`LIST_ROWS_MAX`](super::LIST_ROWS_MAX).
    fn duties(&self, actor: &Actor, ask: &DutyAsk) -> Result<Vec<DutyRow>, BackendError>;
    /// One duty.
    fn duty(&self, actor: &Actor, key: &DutyKey) -> Result<DutyDetail, BackendError>;
    /// Rounds due after `from` and not after `until`, by due time, row and name; at most
    /// [`LIST_ROWS_MAX`](super::LIST_ROWS_MAX). The end of a day is the first instant of the next.
    fn duty_rounds(
        &self,
        actor: &Actor,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<DutyRound>, BackendError>;
    /// A document of a completion.
    fn duty_file(&self, actor: &Actor, key: &DutyKey, sha256: &str)
    -> Result<Upload, BackendError>;
    /// Completes a duty with its documents.
    fn complete_duty<'a>(
        &'a self,
        actor: &'a Actor,
        key: DutyKey,
        note: String,
        files: Vec<Upload>,
    ) -> Reply<'a, Result<Receipt, BackendError>>;
    /// Takes a completion back, or else an opening by hand.
    fn take_duty_back<'a>(
        &'a self,
        actor: &'a Actor,
        key: DutyKey,
        reason: String,
    ) -> Reply<'a, Result<Receipt, BackendError>>;
    /// Opens a duty by hand.
    fn open_duty<'a>(
        &'a self,
        actor: &'a Actor,
        rule: DutyId,
        subject: DutySubject,
        trigger_at: Timestamp,
        note: String,
    ) -> Reply<'a, Result<Receipt, BackendError>>;

    /// The actor's feed, if there is one.
    fn feed(&self, actor: &Actor) -> Result<Option<Feed>, BackendError>;
    /// Makes the actor's feed, or gives it a new address: the answer is the secret part of it,
    /// which
    /// is kept as its SHA-256 only and so is shown this once.
    fn renew_feed<'a>(&'a self, actor: &'a Actor) -> Reply<'a, Result<String, BackendError>>;
    /// Ends the actor's feed.
    fn end_feed<'a>(&'a self, actor: &'a Actor) -> Reply<'a, Result<(), BackendError>>;
    /// Whose feed has this secret.
    fn feed_of(&self, token: &str) -> Option<Actor>;
}
