//! The alarms the engine keeps: numbering, raising, changing, returning, and a person's actions.
//!
//! Rows that only count on (another bad frame, another impossible value) are put out once at the
//! end of the batch; every turn of a life goes out at once, with its line in the audit trail.

use super::context::{Cx, ENGINE};
use super::history::History;
use crate::alarm::return_to_normal;
use crate::model::{
    AlarmId, AlarmKind, AlarmRow, AlarmSubject, EnterpriseId, FactorCode, LimitId, Output,
    Timestamp,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Alarm conditions of an outlet by key: the last alarm of each.
pub(super) type Conditions = BTreeMap<SmolStr, Condition>;

/// The last alarm of one condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Condition {
    /// The alarm.
    pub(super) alarm: AlarmId,
    /// The condition holds.
    pub(super) active: bool,
    /// Good values since the last bad one.
    #[serde(default)]
    pub(super) good: u32,
    /// When it returns if nothing more happens.
    #[serde(default)]
    pub(super) quiet_at: Option<Timestamp>,
}

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
    #[serde(skip)]
    touched: BTreeMap<AlarmId, (AlarmRow, bool)>,
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
        let row = AlarmRow {
            id,
            kind: new.kind,
            priority: new.kind.priority(),
            subject: new.subject,
            enterprise: new.enterprise,
            factor: new.factor,
            limit: new.limit,
            since: new.since,
            raised_at: cx.at,
            updated_at: cx.at,
            value: new.value,
            threshold: new.threshold,
            count: new.count,
            active: true,
            returned_at: None,
            acknowledged: None,
            closed: None,
            previous,
            facts: facts.collect(),
            raised_seq: cx.seq,
            updated_seq: cx.seq,
        };
        cx.emit(Output::Alarm(row.clone()));
        cx.audit(ENGINE, "alarm.raised", object(id), row.kind.as_str().into());
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

/// How an alarm is named in the audit trail.
pub(super) fn object(id: AlarmId) -> String {
    format!("alarm/{id}")
}

/// The condition under `key` holds: raises an alarm, or changes the one that is active.
pub(super) fn holds(
    conditions: &mut Conditions,
    book: &mut AlarmBook,
    (key, new): (&str, NewAlarm),
    quiet_at: Option<Timestamp>,
    cx: &mut Cx<'_>,
) {
    let known = conditions.get_mut(key);
    if let Some(condition) = known.filter(|condition| condition.active) {
        condition.good = 0;
        condition.quiet_at = quiet_at;
        book.change(condition.alarm, cx, |row| {
            row.count = row.count.saturating_add(1);
            row.value = new.value.or(row.value);
            for (name, text) in new.facts {
                row.facts.insert(name.into(), text);
            }
        });
        return;
    }
    let previous = conditions.get(key).map(|condition| condition.alarm);
    let condition = Condition {
        alarm: book.raise(new, previous, cx),
        active: true,
        good: 0,
        quiet_at,
    };
    conditions.insert(key.into(), condition);
}

/// The condition under `key` holds no more.
pub(super) fn gone(
    conditions: &mut Conditions,
    book: &mut AlarmBook,
    key: &str,
    why: &'static str,
    cx: &mut Cx<'_>,
) {
    if let Some(condition) = conditions.get_mut(key).filter(|c| c.active) {
        condition.active = false;
        condition.quiet_at = None;
        book.back_to_normal(condition.alarm, why, cx);
    }
}
