//! The alarms the engine keeps: numbering, raising, changing, returning, and a person's actions.
//!
//! Rows that only count on (another bad frame, another impossible value) are put out once at the
//! end of the batch; every turn of a life goes out at once, with its line in the audit trail.
//!
//! `desk` holds what an alarm waits for, `turns` what happens when the waiting is over or a person
//! acts, `conditions` the alarms that are raised by a condition with a key.

mod conditions;
mod desk;
mod turns;

pub(super) use conditions::{Conditions, ended, gone, holds, joins, quiet, quiet_due};
pub use desk::CASCADE_MS;
pub(super) use desk::{Desk, Watch};

use super::context::{Cx, ENGINE};
use super::history::History;
use crate::alarm::return_to_normal;
use crate::model::{
    AlarmId, AlarmKind, AlarmRow, AlarmSubject, EnterpriseId, FactorCode, LimitId, MessageReason,
    OutletId, Output, RegionId, Timestamp, UserId,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// What a new alarm says.
#[derive(Debug, Clone)]
pub(super) struct NewAlarm {
    pub(super) kind: AlarmKind,
    pub(super) subject: AlarmSubject,
    pub(super) enterprise: Option<EnterpriseId>,
    pub(super) factor: Option<FactorCode>,
    pub(super) limit: Option<LimitId>,
    pub(super) since: Timestamp,
    pub(super) value: Option<Decimal>,
    pub(super) threshold: Option<Decimal>,
    pub(super) count: u64,
    /// Which of its kind: a check, a flag, a kind of record.
    pub(super) code: Option<SmolStr>,
    /// It came and went too often.
    pub(super) chattering: bool,
    pub(super) facts: Vec<(&'static str, String)>,
}

impl NewAlarm {
    pub(super) fn new(kind: AlarmKind, subject: AlarmSubject, since: Timestamp) -> Self {
        Self {
            kind,
            subject,
            enterprise: None,
            factor: None,
            limit: None,
            since,
            value: None,
            threshold: None,
            count: 1,
            code: None,
            chattering: false,
            facts: Vec::new(),
        }
    }

    /// About an outlet and its enterprise.
    pub(super) fn of(kind: AlarmKind, outlet: &crate::model::Outlet, since: Timestamp) -> Self {
        Self {
            enterprise: Some(outlet.enterprise.clone()),
            ..Self::new(kind, AlarmSubject::Outlet(outlet.id.clone()), since)
        }
    }
}

/// Numbers alarms and holds the rows touched in this batch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct AlarmBook {
    last: u64,
    /// Kinds that a person took out of service, by outlet.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    out_of_service: BTreeMap<OutletId, BTreeMap<AlarmKind, OutOfService>>,
    #[serde(skip)]
    touched: BTreeMap<AlarmId, (AlarmRow, bool)>,
    /// In rows of their own.
    #[serde(skip)]
    pub(super) desk: Desk,
}

/// A kind of alarm of one outlet that a person took out of service (退出服务).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OutOfService {
    /// When.
    at: Timestamp,
    /// Who.
    by: UserId,
    /// Why.
    note: String,
}

impl AlarmBook {
    /// Raises a new alarm.
    pub(super) fn raise(
        &mut self,
        new: NewAlarm,
        previous: Option<AlarmId>,
        cx: &mut Cx<'_>,
    ) -> AlarmId {
        self.last = self.last.saturating_add(1);
        let id = AlarmId(self.last);
        let facts = new.facts.into_iter().map(|(k, v)| (k.to_owned(), v));
        let outlet = outlet_of(&new.subject).cloned();
        let (suppressed, recheck_at) = self.suppression(new.kind, outlet.as_ref(), cx);
        let first_out = outlet.and_then(|outlet| self.desk.cascade(&outlet, cx.at));
        let row = AlarmRow {
            priority: cx.policy.alarms.priority(new.kind),
            region: region_of(&new.subject, new.enterprise.as_ref(), cx),
            enterprise: new.enterprise,
            factor: new.factor,
            limit: new.limit,
            since: new.since,
            value: new.value,
            threshold: new.threshold,
            count: new.count,
            previous,
            code: new.code,
            first_out,
            suppressed,
            chattering: new.chattering,
            facts: facts.collect(),
            ..AlarmRow::raised(id, new.kind, new.subject, cx.at, cx.seq)
        };
        cx.emit(Output::Alarm(row.clone()));
        cx.audit(ENGINE, "alarm.raised", object(id), row.kind.as_str().into());
        let mut watch = Watch::of(&row);
        watch.recheck_at = recheck_at;
        self.desk.put(id, watch);
        if row.annunciates() {
            self.announce(&row, MessageReason::AlarmRaised, cx);
            self.arm(&row, cx);
        }
        self.touched.insert(id, (row, false));
        id
    }

    /// The row as it stands.
    pub(super) fn get(&mut self, id: AlarmId, cx: &Cx<'_>) -> Option<&mut AlarmRow> {
        let row = match self.touched.entry(id) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert((cx.history.alarm(id)?, false)),
        };
        Some(&mut row.0)
    }

    /// A copy of the row as it stands, without holding it for the batch.
    pub(super) fn peek(&self, id: AlarmId, history: &dyn History) -> Option<AlarmRow> {
        let touched = self.touched.get(&id).map(|(row, _)| row.clone());
        touched.or_else(|| history.alarm(id))
    }

    /// Changes figures of a row; it goes out at the end of the batch.
    pub(super) fn change(&mut self, id: AlarmId, cx: &Cx<'_>, f: impl FnOnce(&mut AlarmRow)) {
        let (at, seq) = (cx.at, cx.seq);
        let Some(row) = self.get(id, cx) else { return };
        f(row);
        row.updated_at = at;
        row.updated_seq = seq;
        self.pend(id);
    }

    fn pend(&mut self, id: AlarmId) {
        if let Some((_, pending)) = self.touched.get_mut(&id) {
            *pending = true;
        }
    }

    /// Puts the row out as it stands now.
    pub(super) fn put(&mut self, id: AlarmId, cx: &mut Cx<'_>) {
        if let Some((row, pending)) = self.touched.get_mut(&id) {
            *pending = false;
            let row = row.clone();
            cx.emit(Output::Alarm(row));
        }
    }

    /// The condition went away, for the reason `why` (a code for texts).
    pub(super) fn back_to_normal(&mut self, id: AlarmId, why: &'static str, cx: &mut Cx<'_>) {
        let (at, seq) = (cx.at, cx.seq);
        let Some(row) = self.get(id, cx) else { return };
        if return_to_normal(row, at, seq) {
            row.facts.insert("returned".into(), why.into());
            self.put(id, cx);
            cx.audit(ENGINE, "alarm.returned", object(id), why.into());
            self.returned(id, cx);
        }
    }

    /// Puts out the rows still pending and forgets the batch.
    pub(super) fn flush(&mut self, out: &mut dyn FnMut(Output)) {
        for (row, pending) in std::mem::take(&mut self.touched).into_values() {
            if pending {
                out(Output::Alarm(row));
            }
        }
    }
}

/// The outlet a subject is, if it is one.
pub(super) fn outlet_of(subject: &AlarmSubject) -> Option<&OutletId> {
    match subject {
        AlarmSubject::Outlet(outlet) => Some(outlet),
        _ => None,
    }
}

fn region_of(
    subject: &AlarmSubject,
    enterprise: Option<&EnterpriseId>,
    cx: &Cx<'_>,
) -> Option<RegionId> {
    if let AlarmSubject::Region(region) = subject {
        return Some(region.clone());
    }
    let enterprise = cx.registry.enterprises.get(enterprise?)?;
    Some(enterprise.region.clone())
}

/// How an alarm is named in the audit trail.
pub(super) fn object(id: AlarmId) -> String {
    format!("alarm/{id}")
}
