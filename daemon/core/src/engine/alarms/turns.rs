//! Turns in the life of an alarm: announced, escalated, armed again, put aside, suppressed, ended.

use super::{AlarmBook, OutOfService, object, outlet_of};
use crate::alarm::{self, LifecycleError};
use crate::engine::context::{Cx, ENGINE};
use crate::engine::event::{AlarmAction, AlarmActionKind, AlarmService};
use crate::model::policy::SuppressedBy;
use crate::model::time::MINUTE_MS;
use crate::model::{
    About, Acknowledgement, AlarmId, AlarmKind, AlarmRow, AlarmServiceRow, Closure, MarkKind,
    MessageReason, OUT_OF_SERVICE, OutletId, Output, Role, Shelving, Suppression, Timestamp,
};
use crate::notify::Notice;
use std::collections::BTreeSet;

impl AlarmBook {
    /// Tells whoever has to be told of a turn.
    pub(super) fn announce(&self, row: &AlarmRow, reason: MessageReason, cx: &mut Cx<'_>) {
        self.announce_to(row, reason, BTreeSet::new(), cx);
    }

    fn announce_to(
        &self,
        row: &AlarmRow,
        reason: MessageReason,
        roles: BTreeSet<Role>,
        cx: &mut Cx<'_>,
    ) {
        cx.notice(Notice {
            reason,
            about: About::Alarm(row.id),
            priority: row.priority,
            kind: Some(row.kind),
            outlet: outlet_of(&row.subject).cloned(),
            enterprise: row.enterprise.clone(),
            region: row.region.clone(),
            roles,
        });
    }

    /// Starts the escalation of an alarm from the beginning.
    pub(super) fn arm(&mut self, row: &AlarmRow, cx: &Cx<'_>) {
        let steps = cx.policy.alarms.escalation.get(&row.priority);
        let first = steps.and_then(|steps| steps.first());
        let at = first.map(|step| cx.at.plus_ms(i64::from(step.after_min) * MINUTE_MS));
        self.desk.change(row.id, |watch| {
            watch.escalate = at.map(|at| (at, 0));
            watch.ends_at = None;
        });
    }

    /// The condition of an alarm is gone: tells so, and waits on for a person only.
    pub(super) fn returned(&mut self, id: AlarmId, cx: &mut Cx<'_>) {
        let Some(row) = self.get(id, cx).cloned() else {
            return;
        };
        let waits = row.annunciates() || row.shelved.is_some();
        if waits {
            self.desk.change(id, |watch| {
                watch.active = false;
                watch.recheck_at = None;
            });
        } else {
            self.desk.drop(id);
        }
        if row.suppressed.is_none() && row.shelved.is_none() {
            self.announce(&row, MessageReason::AlarmReturned, cx);
        }
    }

    /// What was raised is an event that is over: it waits for a person, not for a change.
    pub(in crate::engine) fn happened(&mut self, id: AlarmId, cx: &mut Cx<'_>) {
        let (at, seq) = (cx.at, cx.seq);
        let Some(row) = self.get(id, cx) else { return };
        if alarm::return_to_normal(row, at, seq) {
            row.facts.insert("returned".into(), "event".into());
            let waits = row.annunciates();
            self.put(id, cx);
            if waits {
                self.desk.change(id, |watch| watch.active = false);
            } else {
                self.desk.drop(id);
            }
        }
    }

    /// What is waited for has come for an alarm.
    pub(in crate::engine) fn due(&mut self, id: AlarmId, cx: &mut Cx<'_>) {
        let Some(watch) = self.desk.get(id).cloned() else {
            return;
        };
        if watch.recheck_at.is_some_and(|at| at <= cx.at) {
            self.recheck(id, cx);
        } else if watch.ends_at.is_some_and(|at| at <= cx.at) {
            self.ran_out(id, cx);
        } else if let Some((at, step)) = watch.escalate
            && at <= cx.at
        {
            self.escalate(id, step, cx);
        }
    }

    fn escalate(&mut self, id: AlarmId, step: u32, cx: &mut Cx<'_>) {
        let policy = cx.policy;
        let Some(row) = self.get(id, cx) else {
            self.desk.drop(id);
            return;
        };
        let steps = policy.alarms.escalation.get(&row.priority);
        let at = |n: u32| usize::try_from(n).ok().and_then(|n| steps?.get(n));
        let (this, next) = (at(step), at(step.saturating_add(1)));
        row.escalated = row.escalated.saturating_add(1);
        row.updated_seq = cx.seq;
        let row = row.clone();
        self.put(id, cx);
        let roles = this.map(|step| step.roles.clone()).unwrap_or_default();
        let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        cx.audit(ENGINE, "alarm.escalated", object(id), names.join(" "));
        self.announce_to(&row, MessageReason::AlarmEscalated, roles, cx);
        let waited = this.map_or(0, |step| step.after_min);
        self.desk.change(id, |watch| {
            watch.escalate = next.map(|next| {
                let more = next.after_min.saturating_sub(waited);
                let at = cx.at.plus_ms(i64::from(more) * MINUTE_MS);
                (at, step.saturating_add(1))
            });
        });
    }

    /// An acknowledgement or a shelving has run out: while the condition holds, the alarm is armed
    /// again.
    fn ran_out(&mut self, id: AlarmId, cx: &mut Cx<'_>) {
        let seq = cx.seq;
        let Some(row) = self.get(id, cx) else {
            self.desk.drop(id);
            return;
        };
        let shelved = row.shelved.take().is_some();
        let again = row.active && row.suppressed.is_none();
        if again {
            row.acknowledged = None;
            row.rearmed = row.rearmed.saturating_add(1);
        }
        row.updated_seq = seq;
        let row = row.clone();
        self.put(id, cx);
        let what = if shelved {
            "alarm.unshelved"
        } else {
            "alarm.rearmed"
        };
        cx.audit(ENGINE, what, object(id), "ran-out".into());
        self.desk.change(id, |watch| watch.ends_at = None);
        if row.annunciates() {
            if again {
                self.announce(&row, MessageReason::AlarmRearmed, cx);
            }
            self.arm(&row, cx);
        }
    }

    /// Whether an alarm of this kind is suppressed now, and when that must be looked at again.
    pub(super) fn suppression(
        &self,
        kind: AlarmKind,
        outlet: Option<&OutletId>,
        cx: &Cx<'_>,
    ) -> (Option<Suppression>, Option<Timestamp>) {
        let of = |why: &str| Suppression {
            at: cx.at,
            why: why.into(),
            covered_by: None,
        };
        let rule = cx.policy.alarms.kinds.get(&kind);
        if rule.is_some_and(|rule| !rule.in_service) {
            return (Some(of(OUT_OF_SERVICE)), None);
        }
        let Some(outlet) = outlet else {
            return (None, None);
        };
        let taken_out = self.out_of_service.get(outlet);
        if taken_out.is_some_and(|kinds| kinds.contains_key(&kind)) {
            return (Some(of(OUT_OF_SERVICE)), None);
        }
        let Some(rule) = rule.filter(|rule| !rule.suppressed_by.is_empty()) else {
            return (None, None);
        };
        let marks = cx.history.marks(outlet, cx.at, cx.at.plus_ms(1));
        let reasons = marks.iter().filter(|row| row.withdrawn.is_none());
        let reasons = reasons.filter_map(|row| {
            let by = suppresses(row.mark.kind)?;
            rule.suppressed_by.contains(&by).then_some((by, row))
        });
        match reasons.min_by_key(|(by, row)| (*by, row.id)) {
            Some((by, row)) => (Some(of(by.as_str())), Some(row.mark.until)),
            None => (None, None),
        }
    }

    /// Looks again whether an alarm is suppressed; what is no longer is announced as new.
    fn recheck(&mut self, id: AlarmId, cx: &mut Cx<'_>) {
        let Some(row) = self.get(id, cx).cloned() else {
            self.desk.drop(id);
            return;
        };
        let covered = row
            .suppressed
            .as_ref()
            .is_some_and(|s| s.covered_by.is_some());
        if !row.active || row.closed.is_some() || covered {
            self.desk.change(id, |watch| watch.recheck_at = None);
            return;
        }
        let (now, recheck_at) = self.suppression(row.kind, outlet_of(&row.subject), cx);
        self.desk.change(id, |watch| watch.recheck_at = recheck_at);
        let before = row.suppressed.as_ref().map(|s| s.why.clone());
        if before == now.as_ref().map(|s| s.why.clone()) {
            return;
        }
        self.suppress(id, now, cx);
    }

    /// Suppresses an alarm, or ends its suppression.
    pub(in crate::engine) fn suppress(
        &mut self,
        id: AlarmId,
        now: Option<Suppression>,
        cx: &mut Cx<'_>,
    ) {
        let seq = cx.seq;
        let Some(row) = self.get(id, cx) else { return };
        let detail = now.as_ref().map_or_else(String::new, |s| s.why.to_string());
        row.suppressed = now;
        row.updated_seq = seq;
        let row = row.clone();
        self.put(id, cx);
        if row.suppressed.is_some() {
            cx.covered(About::Alarm(id));
            cx.audit(ENGINE, "alarm.suppressed", object(id), detail);
            self.desk.change(id, |watch| watch.escalate = None);
        } else {
            cx.audit(ENGINE, "alarm.unsuppressed", object(id), detail);
            if row.annunciates() {
                self.announce(&row, MessageReason::AlarmRaised, cx);
                self.arm(&row, cx);
            }
        }
    }

    /// The policy changed: looks at every alarm again.
    pub(in crate::engine) fn recheck_all(&mut self, cx: &mut Cx<'_>) {
        for id in self.desk.all() {
            self.recheck(id, cx);
        }
    }

    /// A mark or a service entry of an outlet changed: looks at its alarms again.
    pub(in crate::engine) fn recheck_outlet(&mut self, outlet: &OutletId, cx: &mut Cx<'_>) {
        for id in self.desk.of_outlet(outlet) {
            self.recheck(id, cx);
        }
    }

    /// Takes a kind of alarm of an outlet out of service, or puts it back.
    pub(in crate::engine) fn service(&mut self, order: AlarmService, cx: &mut Cx<'_>) {
        let AlarmService {
            outlet,
            kind,
            out,
            by,
            note,
        } = order;
        let kinds = self.out_of_service.entry(outlet.clone()).or_default();
        let what = if out {
            let entry = OutOfService {
                at: cx.at,
                by: by.clone(),
                note: note.clone(),
            };
            kinds.insert(kind, entry);
            "alarm.out-of-service"
        } else {
            kinds.remove(&kind);
            "alarm.in-service"
        };
        if kinds.is_empty() {
            self.out_of_service.remove(&outlet);
        }
        let detail = format!("{}: {note}", kind.as_str());
        cx.emit(Output::AlarmService(AlarmServiceRow {
            outlet: outlet.clone(),
            kind,
            out,
            at: cx.at,
            by: by.clone(),
            note,
            seq: cx.seq,
        }));
        cx.audit(by.as_str(), what, format!("outlet/{outlet}"), detail);
        self.recheck_outlet(&outlet, cx);
    }

    /// Carries out what a person does to an alarm; the code of what was done.
    ///
    /// # Errors
    /// When the alarm does not allow it now; nothing is changed then.
    pub(in crate::engine) fn act(
        &mut self,
        action: AlarmAction,
        cx: &mut Cx<'_>,
    ) -> Result<&'static str, LifecycleError> {
        let (id, at, seq) = (action.alarm, cx.at, cx.seq);
        let policy = cx.policy;
        let Some(row) = self.get(id, cx) else {
            return Err(LifecycleError::Unknown(id));
        };
        let (by, note) = (action.by, action.note);
        match action.kind {
            AlarmActionKind::Acknowledge => {
                let rule = policy.alarms.kinds.get(&row.kind);
                let lasts = rule.and_then(|rule| rule.ack_expires_min);
                let lasts = lasts.map(|min| at.plus_ms(i64::from(min) * MINUTE_MS));
                let until = action.until.or(lasts);
                let notice = Acknowledgement {
                    at,
                    by,
                    note,
                    until,
                };
                if !alarm::acknowledge(row, notice, seq) {
                    return Ok("alarm.acknowledged-again");
                }
                let waits = row.active;
                if waits {
                    self.desk.change(id, |watch| {
                        watch.escalate = None;
                        watch.ends_at = until;
                    });
                } else {
                    self.desk.drop(id);
                }
                self.put(id, cx);
                Ok("alarm.acknowledged")
            }
            AlarmActionKind::Close => {
                let conclusion = note;
                alarm::close(row, Closure { at, by, conclusion }, seq)?;
                self.desk.drop(id);
                self.put(id, cx);
                Ok("alarm.closed")
            }
            AlarmActionKind::Shelve => {
                let until = action.until.unwrap_or(at);
                let shelving = Shelving {
                    at,
                    until,
                    by,
                    note,
                };
                alarm::shelve(row, shelving, seq)?;
                self.desk.change(id, |watch| {
                    watch.escalate = None;
                    watch.ends_at = Some(until);
                });
                self.put(id, cx);
                Ok("alarm.shelved")
            }
            AlarmActionKind::Unshelve => {
                alarm::unshelve(row, seq)?;
                let row = row.clone();
                self.desk.change(id, |watch| watch.ends_at = None);
                if row.annunciates() {
                    self.arm(&row, cx);
                }
                self.put(id, cx);
                Ok("alarm.unshelved")
            }
            AlarmActionKind::Called => Ok("alarm.called"),
            AlarmActionKind::Noted => Ok("alarm.noted"),
            AlarmActionKind::ToldEnterprise => {
                let row = row.clone();
                let roles = BTreeSet::from([Role::EnterpriseUser]);
                self.announce_to(&row, MessageReason::AlarmHandedOn, roles, cx);
                Ok("alarm.told-enterprise")
            }
            AlarmActionKind::ToldOperator => {
                let row = row.clone();
                let roles = BTreeSet::from([Role::Operator]);
                self.announce_to(&row, MessageReason::AlarmHandedOn, roles, cx);
                Ok("alarm.told-operator")
            }
            AlarmActionKind::HandedOver => {
                let row = row.clone();
                let roles = BTreeSet::from([Role::Supervisor, Role::Inspector]);
                self.announce_to(&row, MessageReason::AlarmHandedOn, roles, cx);
                Ok("alarm.handed-over")
            }
        }
    }
}

fn suppresses(kind: MarkKind) -> Option<SuppressedBy> {
    match kind {
        MarkKind::Stopped => Some(SuppressedBy::Stopped),
        MarkKind::Maintenance | MarkKind::Calibration => Some(SuppressedBy::Maintenance),
        _ => None,
    }
}
