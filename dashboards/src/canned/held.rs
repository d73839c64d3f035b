//! What the canned backend holds, and how it answers from it.

use super::{answers, rows};
use crate::backend::{
    Actor, AlarmDetail, AmountProgress, BackendError, ChannelStatus, DestinationStatus, Health,
    MessageStatus, OutletDetail, OutletSummary, Overview, RefusedItem, StationStatus, UplinkReplay,
    UplinkSummary, Upload,
};
use cems_core::model::rows::AuditRow;
use cems_core::model::{
    Access, AlarmId, AlarmRow, AlarmServiceRow, AlarmSubject, DutyBook, DutyKey, DutyRow,
    ExchangeRow, FallbackId, FallbackRow, HandOverRow, ManualReportRow, MarkRow, Outlet, OutletId,
    QaRow, Registry, ReviewRow, Seq, ShiftRow, Timestamp, UserId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything that changes.
pub(super) struct Held {
    pub(super) registry: Arc<Registry>,
    pub(super) alarms: BTreeMap<AlarmId, AlarmRow>,
    pub(super) fallbacks: BTreeMap<FallbackId, FallbackRow>,
    pub(super) exchanges: BTreeMap<Seq, ExchangeRow>,
    pub(super) station: StationStatus,
    pub(super) channels: Vec<ChannelStatus>,
    pub(super) messages: Vec<MessageStatus>,
    pub(super) destinations: Vec<DestinationStatus>,
    /// Destination and thing.
    pub(super) refused_items: Vec<(String, RefusedItem)>,
    pub(super) uplinks: Vec<UplinkSummary>,
    /// Periods sent again to centres, newest first.
    pub(super) replays: Vec<UplinkReplay>,
    pub(super) reports: Vec<ManualReportRow>,
    pub(super) marks: BTreeMap<Seq, MarkRow>,
    pub(super) tests: Vec<QaRow>,
    pub(super) reviews: BTreeMap<(OutletId, Timestamp), ReviewRow>,
    /// Files by outlet and SHA-256.
    pub(super) files: BTreeMap<(OutletId, String), Upload>,
    pub(super) audit: Vec<AuditRow>,
    pub(super) shifts: BTreeMap<Timestamp, ShiftRow>,
    /// Oldest first.
    pub(super) hand_overs: Vec<HandOverRow>,
    pub(super) services: Vec<AlarmServiceRow>,
    /// The table of duties.
    pub(super) book: Arc<DutyBook>,
    pub(super) duties: BTreeMap<DutyKey, DutyRow>,
    /// Documents of completions by SHA-256.
    pub(super) duty_files: BTreeMap<String, Upload>,
    /// Who has a feed of the calendar.
    pub(super) feeds: BTreeSet<UserId>,
    pub(super) health: Health,
    pub(super) ended: Vec<String>,
    pub(super) seq: u64,
}

pub(super) fn access(actor: &Actor) -> Access {
    Access {
        role: actor.role,
        scope: actor.scope.clone(),
    }
}

impl Held {
    pub(super) fn sees(&self, actor: &Actor, id: &OutletId) -> bool {
        let outlet = self.registry.outlets.get(id);
        outlet.is_some_and(|o| access(actor).covers(&self.registry, o))
    }

    pub(super) fn sees_alarm(&self, actor: &Actor, alarm: &AlarmRow) -> bool {
        match &alarm.subject {
            AlarmSubject::Outlet(id) => self.sees(actor, id),
            _ => access(actor).sees_all(),
        }
    }

    pub(super) fn outlet(&self, actor: &Actor, id: &OutletId) -> Result<&Outlet, BackendError> {
        let outlet = self
            .registry
            .outlets
            .get(id)
            .ok_or(BackendError::NotFound)?;
        if access(actor).covers(&self.registry, outlet) {
            Ok(outlet)
        } else {
            Err(BackendError::NotFound)
        }
    }

    pub(super) fn summary(&self, outlet: &Outlet) -> Option<OutletSummary> {
        let mut summary = rows::summary(&self.registry, outlet)?;
        let of = AlarmSubject::Outlet(outlet.id.clone());
        let open = self
            .alarms
            .values()
            .filter(|a| a.closed.is_none() && a.subject == of);
        summary.open_alarms = u32::try_from(open.count()).unwrap_or(u32::MAX);
        Some(summary)
    }

    pub(super) fn amounts(&self, actor: &Actor) -> Vec<AmountProgress> {
        let mut rows = answers::amounts(&self.registry);
        rows.retain(|row| self.sees(actor, &row.outlet));
        rows
    }

    pub(super) fn fallbacks(&self, actor: &Actor) -> Vec<FallbackRow> {
        let seen = self
            .fallbacks
            .values()
            .filter(|f| self.sees(actor, &f.outlet));
        let mut rows: Vec<FallbackRow> = seen.cloned().collect();
        rows.sort_by_key(|f| (f.closed_at.is_some(), f.next_due, std::cmp::Reverse(f.id)));
        rows
    }

    pub(super) fn overview(&self, actor: &Actor) -> Overview {
        let seen = self
            .registry
            .outlets
            .values()
            .filter(|o| self.sees(actor, &o.id));
        let mut outlets: Vec<OutletSummary> = seen.filter_map(|o| self.summary(o)).collect();
        outlets.sort_by_key(|o| o.state);
        let open = self.alarms.values().filter(|a| a.closed.is_none());
        let mut alarms: Vec<AlarmRow> = open
            .filter(|a| self.sees_alarm(actor, a))
            .cloned()
            .collect();
        alarms.sort_by_key(|a| (a.acknowledged.is_some(), a.priority, a.raised_at));
        let mut fallbacks = self.fallbacks(actor);
        fallbacks.retain(|f| f.closed_at.is_none());
        Overview {
            outlets,
            alarms,
            fallbacks,
            amounts: self.amounts(actor),
        }
    }

    pub(super) fn detail(
        &self,
        actor: &Actor,
        id: &OutletId,
    ) -> Result<OutletDetail, BackendError> {
        let outlet = self.outlet(actor, id)?;
        let of = AlarmSubject::Outlet(id.clone());
        let mut alarms: Vec<AlarmRow> = self
            .alarms
            .values()
            .filter(|a| a.subject == of)
            .cloned()
            .collect();
        alarms.reverse();
        let mut fallbacks = self.fallbacks(actor);
        fallbacks.retain(|f| &f.outlet == id);
        let mut amounts = self.amounts(actor);
        amounts.retain(|a| &a.outlet == id);
        Ok(OutletDetail {
            summary: self.summary(outlet).ok_or(BackendError::NotFound)?,
            device: rows::device(outlet),
            alarms,
            fallbacks,
            amounts,
        })
    }

    pub(super) fn alarm(&self, actor: &Actor, id: AlarmId) -> Result<AlarmDetail, BackendError> {
        let alarm = self.alarms.get(&id).filter(|a| self.sees_alarm(actor, a));
        let alarm = alarm.ok_or(BackendError::NotFound)?.clone();
        let object = format!("alarm/{id}");
        let history = self.audit.iter().filter(|row| row.object == object);
        Ok(AlarmDetail {
            history: history.cloned().collect(),
            alarm,
        })
    }
}
